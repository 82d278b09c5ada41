"""Claims of TRADES about surrogate losses: Section 2.5, Table 2, Lemma 2.1, and the psi-transform."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from proofs_check.core import Evidence, claim
from proofs_check.provers import identity, sampled, solve

# ---- Table 2 and Lemma 2.1: psi -------------------------------------------------------------------------------------


@claim(
    "trades-table2-hinge",
    paper="TRADES",
    label="Table 2, hinge",
    place="Section 2.5",
    kind="table",
    statement="phi(a) = max(1 - a, 0) has psi(theta) = theta.",
    expected="PROVED",
    covers="every theta in [0, 1]",
)
def table2_hinge(_budget: int) -> Evidence:
    """For eta in [1/2, 1] the core shows that C(a) = eta phi(a) + (1-eta) phi(-a) is at least 2 (1-eta), with equality
    at a = 1, and at least 1 for a <= 0, with equality at a = 0. So H(eta) = 2 (1-eta) and H_minus(eta) = 1 there, and
    psi_tilde(theta) = H_minus - H at eta = (1+theta)/2 is theta. This is convex, so it is its own biconjugate psi.
    """
    from z3 import If, Implies, Reals

    a, eta = Reals("a eta")

    def cost(at: Any) -> Any:
        return eta * If(at < 1, 1 - at, 0) + (1 - eta) * If(-at < 1, 1 + at, 0)

    one, zero = a - a + 1, a - a
    return solve(
        [2 * eta >= 1, eta <= 1],
        {
            "C >= 2 (1 - eta)": cost(a) >= 2 * (1 - eta),
            "attained at 1": cost(one) == 2 * (1 - eta),
            "C >= 1 on a <= 0": Implies(a <= 0, cost(a) >= 1),
            "attained at 0": cost(zero) == 1,
        },
    )


@claim(
    "trades-table2-sigmoid",
    paper="TRADES",
    label="Table 2, sigmoid",
    place="Section 2.5",
    kind="table",
    statement="phi(a) = 1 - tanh a has psi(theta) = theta.",
    expected="PROVED",
    covers="every theta in [0, 1]",
)
def table2_sigmoid(_budget: int) -> Evidence:
    """With eta = (1+theta)/2 the core shows C(a) = 1 - theta tanh a. tanh rises from -1 to 1 and is 0 at 0. So
    H = 1 - theta (an infimum that is not attained for theta > 0), and H_minus, the infimum over a <= 0, is 1, at a = 0.
    psi_tilde(theta) = theta is convex, so it is its own biconjugate psi.
    """
    from sympy import Rational, symbols, tanh

    a, theta = symbols("a theta", real=True)
    eta = (1 + theta) * Rational(1, 2)
    cost = eta * (1 - tanh(a)) + (1 - eta) * (1 - tanh(-a))
    return identity({"C = 1 - theta tanh a": cost - (1 - theta * tanh(a))})


@claim(
    "trades-table2-exponential",
    paper="TRADES",
    label="Table 2, exponential",
    place="Section 2.5",
    kind="table",
    statement="phi(a) = exp(-a) has psi(theta) = 1 - sqrt(1 - theta^2).",
    expected="PROVED",
    covers="every theta in [0, 1]",
)
def table2_exponential(_budget: int) -> Evidence:
    """With u = exp(a/2) > 0 and C(a) = eta/u^2 + (1-eta) u^2 the core shows C - 2 sqrt(eta (1-eta)) to be the square of
    sqrt(eta)/u - sqrt(1-eta) u. It is 0 at u^4 = eta/(1-eta) for eta < 1, and tends to 0 for u -> infinity at eta = 1:
    so H = 2 sqrt(eta (1-eta)) = sqrt(1 - theta^2) at eta = (1+theta)/2. For eta >= 1/2, C is convex in a with the slope
    1 - 2 eta <= 0 at a = 0 (core), so it falls on a <= 0 and H_minus = C(0) = 1. psi_tilde = 1 - sqrt(1 - theta^2) is
    convex, since sqrt(1 - theta^2) is a half circle, so it is its own biconjugate psi.
    """
    from sympy import Rational, diff, exp, sqrt, symbols

    u = symbols("u", positive=True)
    a, eta, theta = symbols("a eta theta", real=True)
    x, y = symbols("x y", nonnegative=True)  # sqrt(eta) and sqrt(1 - eta)
    cost = eta * exp(-a) + (1 - eta) * exp(a)
    half = (1 + theta) * Rational(1, 2)
    return identity(
        {
            "C - H is a square": x**2 / u**2 + y**2 * u**2 - 2 * x * y - (x / u - y * u) ** 2,
            "H in theta": sqrt(4 * half * (1 - half)) ** 2 - (1 - theta**2),
            "slope at 0": diff(cost, a).subs(a, 0) - (1 - 2 * eta),
            "C is its own second derivative, so convex": diff(cost, a, 2) - cost,
        }
    )


@claim(
    "trades-table2-logistic",
    paper="TRADES",
    label="Table 2, logistic",
    place="Section 2.5",
    kind="table",
    statement="phi(a) = log2(1 + exp(-a)) has psi(theta) = ((1-theta) log2(1-theta) + (1+theta) log2(1+theta)) / 2.",
    expected="PROVED",
    covers="every theta in [0, 1]",
)
def table2_logistic(_budget: int) -> Evidence:
    """Times ln 2. C(a) = eta ln(1+exp(-a)) + (1-eta) ln(1+exp(a)) is convex: its second derivative is
    exp(a)/(1+exp(a))^2 (core). For 1/2 <= eta < 1 its slope is 0 at a = ln(eta/(1-eta)) (core), where it is the entropy
    -eta ln eta - (1-eta) ln(1-eta) (core): that is H, and at eta = 1 both are 0 in the limit. The slope at 0 is
    (1 - 2 eta)/2 <= 0 (core), so C falls on a <= 0 and H_minus = C(0) = ln 2. With eta = (1+theta)/2 the difference is
    the printed formula (core). It is convex with the second derivative 1/(1-theta^2) (core), so it is its own
    biconjugate psi.
    """
    from sympy import Rational, diff, exp, expand_log, log, simplify, symbols

    a, theta = symbols("a theta", real=True)
    odds, t = symbols("r t", positive=True)  # eta = r/(1+r); t stands for 1 - theta
    eta = odds / (1 + odds)

    def cost(at: Any, share: Any) -> Any:
        return share * log(1 + exp(-at)) + (1 - share) * log(1 + exp(at))

    slope = diff(cost(a, eta), a)
    entropy = -eta * log(eta) - (1 - eta) * log(1 - eta)
    best = cost(log(odds), eta)
    plus, minus = 2 - t, t  # 1 + theta and 1 - theta
    printed = (minus * log(minus) + plus * log(plus)) * Rational(1, 2)
    gap = log(2) + (plus / 2) * (log(plus) - log(2)) + (minus / 2) * (log(minus) - log(2))
    return identity(
        {
            "second derivative": diff(slope, a) - exp(a) / (1 + exp(a)) ** 2,
            "slope at the least point": simplify(slope.subs(a, log(odds))),
            "least value": expand_log(simplify(best - entropy), force=True),
            "slope at 0": diff(cost(a, theta), a).subs(a, 0) - (1 - 2 * theta) * Rational(1, 2),
            "the printed formula": gap - printed,
            "its second derivative": diff(printed, t, 2) - 1 / (plus * minus),
        }
    )


def psi_margin(case: Any) -> Any:
    """The least margin of psi(0) = 0, of monotonicity and of midpoint convexity between two numbers in [0, 1]."""
    from theory.calibration import psi
    from theory.enclosure import minimum

    lo, hi = sorted((case.eta, case.theta))
    at = {x: psi(case.loss, x) for x in (Fraction(0), lo, (lo + hi) / 2, hi)}
    return minimum(-abs(at[Fraction(0)]), at[hi] - at[lo], (at[lo] + at[hi]) / 2 - at[(lo + hi) / 2])


@claim(
    "trades-lemma-2.1",
    paper="TRADES",
    label="Lemma 2.1",
    place="Section 2.5",
    kind="lemma",
    statement="Under Assumption 1, psi is non-decreasing, continuous and convex on [0, 1], and psi(0) = 0.",
    expected="SUPPORTED",
    covers="psi(0) = 0, monotone and midpoint convex at random rational theta, for random piecewise linear losses, "
    "convex or not; continuity is not tested. Calibration is not used",
)
def lemma_2_1(budget: int) -> Evidence:
    from hypothesis import strategies as st

    from proofs_check.families import family
    from theory.polyline import PiecewiseLinear

    exact: st.SearchStrategy[Any] = family("losses").filter(lambda case: isinstance(case.loss.formula, PiecewiseLinear))
    return sampled(psi_margin, exact, max(1, budget // 10))

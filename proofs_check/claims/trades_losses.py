"""Claims of TRADES about surrogate losses: Section 2.5, Table 2, Lemma 2.1, and what they are used for in Section 3."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from proofs_check.claims.trades import rounded_up
from proofs_check.core import Evidence, claim, definition
from proofs_check.families import LossCase, ScoreCase, family, score_cases
from proofs_check.provers import confirmed, given_case, identity, sampled, solve
from theory.ball import Ball
from theory.bounds import optimal_surrogate_risk, surrogate_risk
from theory.calibration import H, H_minus, conditional_risk, psi, psi_inverse, psi_tilde
from theory.distributions import FiniteDistribution
from theory.enclosure import minimum
from theory.loss import LOSSES, Loss, piecewise_linear
from theory.polyline import PiecewiseLinear
from theory.scores import Score

if TYPE_CHECKING:
    from hypothesis import strategies as st

# ---- definitions ----------------------------------------------------------------------------------------------------

SURROGATE_RISK = definition(
    "trades-surrogate-risk",
    paper="TRADES",
    label="R_phi",
    place="Section 2.5",
    statement="R_phi(f) = E phi(f(X) Y), the surrogate risk.",
    covers="theory.bounds.surrogate_risk",
)
CONDITIONAL_RISK = definition(
    "trades-conditional-risk",
    paper="TRADES",
    label="C_eta, H, H_minus",
    place="Section 2.5",
    statement="C_eta(a) = eta phi(a) + (1 - eta) phi(-a); H(eta) is its infimum over all a, H_minus(eta) that over "
    "a (2 eta - 1) <= 0.",
    covers="theory.calibration.conditional_risk, H, H_minus",
)
ASSUMPTION_1 = definition(
    "trades-assumption-1",
    paper="TRADES",
    label="Assumption 1",
    place="Section 2.5",
    statement="phi is classification-calibrated: H_minus(eta) > H(eta) for all eta other than 1/2.",
    covers="theory.calibration.is_calibrated",
)
PSI_TRANSFORM = definition(
    "trades-psi-transform",
    paper="TRADES",
    label="psi and psi_tilde",
    place="Section 2.5",
    statement="psi_tilde(theta) = (H_minus - H)((1 + theta)/2), and psi is its biconjugate, on [0, 1].",
    covers="theory.calibration.psi_tilde, psi; psi < psi_tilde for asymmetric_hinge and capped_hinge of theory.loss",
)

# ---- Table 2 --------------------------------------------------------------------------------------------------------


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


@claim(
    "trades-table2-calibrated",
    paper="TRADES",
    label="Table 2, calibration",
    place="Section 2.5",
    kind="table",
    statement="Hinge, sigmoid, exponential and logistic loss are classification-calibrated.",
    expected="PROVED",
    covers="all four losses",
)
def table2_calibrated(_budget: int) -> Evidence:
    """For all four psi_tilde is psi (see their rows), and Assumption 1 says that psi_tilde > 0 on (0, 1] (see
    trades-psi-tilde-calibration). theta > 0; 1 - sqrt(1 - theta^2) is theta^2/(1 + sqrt(1 - theta^2)) > 0 (core);
    psi_log is 0 with slope 0 at 0, and its second derivative times ln 2 is 1/(1 - theta^2) > 0 (core), so it is
    positive on (0, 1), and at 1 by convexity.
    """
    from sympy import Rational, diff, log, sqrt, symbols

    t = symbols("theta", positive=True)
    root = sqrt(1 - t**2)
    printed = ((1 - t) * log(1 - t) + (1 + t) * log(1 + t)) * Rational(1, 2)
    return identity(
        {
            "exponential": (1 - root) * (1 + root) - t**2,
            "logistic at 0": printed.subs(t, 0),
            "its slope at 0": diff(printed, t).subs(t, 0),
            "its second derivative": diff(printed, t, 2) - 1 / (1 - t**2),
        }
    )


@claim(
    "trades-table2-premises",
    paper="TRADES",
    label="phi(x) -> 0 holds for all losses of Table 2",
    place="Section 3.2",
    kind="remark",
    statement="All losses of Table 2 tend to 0 at +infinity (and are non-negative with phi(0) >= 1, Theorem 3.1).",
    expected="PROVED",
    covers="all four losses; they do not increase either, so phi >= 1 on u <= 0, which Theorem 3.1 needs",
)
def table2_premises(_budget: int) -> Evidence:
    """phi(0) = 1 and the limit are computed. max(1 - u, 0) falls and is 0 from 1 on. The slopes of the others are
    -1/cosh^2, -exp(-u) and -1/((1 + exp(u)) ln 2) (core): negative, so they fall to their limit 0 and are positive.
    """
    from sympy import cosh, diff, exp, limit, log, oo, symbols, tanh

    u = symbols("u", real=True)
    losses = {"sigmoid": 1 - tanh(u), "exponential": exp(-u), "logistic": log(1 + exp(-u)) / log(2)}
    slopes = {"sigmoid": -1 / cosh(u) ** 2, "exponential": -exp(-u), "logistic": -1 / ((1 + exp(u)) * log(2))}
    checks: dict[str, Any] = {f"{name} at 0": phi.subs(u, 0) - 1 for name, phi in losses.items()}
    checks |= {f"{name} at infinity": limit(phi, u, oo) for name, phi in losses.items()}
    checks |= {f"slope of {name}": (diff(phi, u) - slopes[name]).rewrite(exp) for name, phi in losses.items()}
    return identity(checks)


# ---- psi ------------------------------------------------------------------------------------------------------------


def exact_losses() -> st.SearchStrategy[LossCase]:
    """Piecewise linear losses, convex or not, for which everything is a fraction, with two numbers in [0, 1]."""
    found: st.SearchStrategy[LossCase] = family("losses").filter(
        lambda case: isinstance(case.loss.formula, PiecewiseLinear)
    )
    return found


def psi_margin(case: LossCase) -> Any:
    """The least margin of psi(0) = 0, of monotonicity and of midpoint convexity between two numbers in [0, 1]."""
    lo, hi = sorted((case.eta, case.theta))
    at = {x: psi(case.loss, x) for x in (Fraction(0), lo, (lo + hi) / 2, hi)}
    return minimum(-abs(at[Fraction(0)]), at[hi] - at[lo], (at[lo] + at[hi]) / 2 - at[(lo + hi) / 2])


def hull_margin(case: LossCase) -> Any:
    """The least of psi_tilde - psi at two numbers and of psi(1) = psi_tilde(1)."""
    gaps = [psi_tilde(case.loss, x) - psi(case.loss, x) for x in (case.eta, case.theta)]
    return minimum(*gaps, -abs(psi_tilde(case.loss, Fraction(1)) - psi(case.loss, Fraction(1))))


@claim(
    "trades-lemma-2.1",
    paper="TRADES",
    label="Lemma 2.1",
    place="Section 2.5",
    kind="lemma",
    statement="Under Assumption 1, psi is non-decreasing, continuous and convex on [0, 1], and psi(0) = 0.",
    expected="PROVED",
    covers="every loss phi >= 0 (bounded below is enough), calibrated or not",
)
def lemma_2_1(budget: int) -> Evidence:
    """psi is the supremum of the lines below psi_tilde on [0, 1]. *Convex*: a line that is below psi_tilde at two
    places is below the chord between them (core), so a supremum of lines is. *psi(0) = 0*: H_minus >= H, an infimum
    over fewer scores, so psi_tilde >= 0 and the line 0 is below it: psi >= 0. At eta = 1/2 every score is admitted, so
    psi_tilde(0) = 0 >= psi(0). *Non-decreasing*: for 0 <= a = t b, convexity gives psi(a) <= t psi(b) + (1-t) psi(0) <=
    psi(b) (core). *Continuous*: psi <= psi_tilde <= phi(0) is finite; a finite convex function is continuous inside [0,
    1], and at an end e it is at most (1-t) psi(e) + t psi(w), which tends to psi(e) (core), while a supremum of lines
    does not jump down in a limit.
    """
    from z3 import And, Implies, Reals

    v, c, x, y, t, at_x, at_y, low, high = Reals("slope c x y t psi_x psi_y psi_a psi_b")
    proof = solve(
        [t >= 0, t <= 1],
        {
            "lines stay below chords": Implies(
                And(v * x + c <= at_x, v * y + c <= at_y), v * (t * x + (1 - t) * y) + c <= t * at_x + (1 - t) * at_y
            ),
            "monotone": Implies(And(high >= 0, low <= t * high + (1 - t) * 0), low <= high),
            "chord at an end": (1 - t) * at_x + t * at_y - at_x == t * (at_y - at_x),
        },
    )
    return confirmed(proof, sampled(psi_margin, exact_losses(), max(1, budget // 10)))


@claim(
    "trades-psi-hull",
    paper="TRADES",
    label="psi is the largest convex lower bound on psi_tilde",
    place="Section 2.5",
    kind="remark",
    statement="psi is the largest convex lower bound on psi_tilde.",
    expected="PROVED",
    covers="every loss phi >= 0, on [0, 1]",
    reading="The biconjugate is taken with psi_tilde = +infinity outside [0, 1].",
)
def psi_hull(budget: int) -> Evidence:
    """psi is convex and below psi_tilde. Let g be convex and below psi_tilde on [0, 1]. Inside, g has a line that
    touches it and stays below it, hence below psi_tilde and psi, so g <= psi. At 0, g(0) <= psi_tilde(0) = 0 = psi(0).
    At 1, it is enough that psi(1) = psi_tilde(1). H_minus is concave on [1/2, 1] (an infimum of lines in eta), so it
    does not jump up at 1; H, an infimum of lines, does not jump down there. So for any d > 0 there is r > 0 with
    psi_tilde >= psi_tilde(1) - d =: c on [1-r, 1]. If c > 0, the line c (1 - (1-theta)/r) is at most c, and at most 0
    for theta <= 1-r (core), so it is below psi_tilde; at 1 it is c. Let d tend to 0.
    """
    from z3 import Implies, Reals

    c, r, theta = Reals("c r theta")
    line = c - c * (1 - theta) / r
    proof = solve(
        [c > 0, r > 0, r <= 1, theta >= 0, theta <= 1],
        {"at most c": line <= c, "at most 0": Implies(theta <= 1 - r, line <= 0)},
    )
    return confirmed(proof, sampled(hull_margin, exact_losses(), max(1, budget // 10)))


@claim(
    "trades-psi-tilde-calibration",
    paper="TRADES",
    label="H_minus - H characterises how close phi is to non-calibrated losses",
    place="Section 2.5",
    kind="remark",
    statement="H_minus((1+theta)/2) - H((1+theta)/2) says how close phi is to the losses that are not calibrated.",
    expected="PROVED",
    covers="every loss",
    reading="It is 0 for some theta in (0, 1] exactly for the losses that are not calibrated.",
)
def psi_tilde_calibration(_budget: int) -> Evidence:
    """psi_tilde > 0 on (0, 1] says H_minus > H on (1/2, 1]. C_eta(a) = C_{1-eta}(-a), and a (2 eta - 1) <= 0 says
    (-a) (2 (1-eta) - 1) <= 0 (core), so both are symmetric in eta -> 1 - eta, and the rest of Assumption 1 follows.
    """
    from z3 import Reals

    eta, a, p, q = Reals("eta a phi(a) phi(-a)")
    return solve(
        [eta >= 0, eta <= 1],
        {
            "C is symmetric": eta * p + (1 - eta) * q == (1 - eta) * q + (1 - (1 - eta)) * p,
            "so are wrong signs": (a * (2 * eta - 1) <= 0) == (-a * (2 * (1 - eta) - 1) <= 0),
        },
    )


# ---- what needs Assumption 1 ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LossAt:
    """A loss at one probability eta of label +1."""

    loss: Loss
    eta: Fraction


def indispensable_margin(case: LossAt) -> int:
    """-1 if H_minus = H at eta (phi is not calibrated) and the score sign(2 eta - 1) attains H all the same, else 0."""
    sign = 1 if 2 * case.eta >= 1 else -1
    least = H(case.loss, case.eta)
    return -int(H_minus(case.loss, case.eta) == least == conditional_risk(case.loss, case.eta, Fraction(sign)))


CONSTANT = piecewise_linear("constant", [(0, 1)], calibrated=False)


@claim(
    "trades-assumption-1-needed",
    paper="TRADES",
    label="Assumption 1 is indispensable",
    place="Section 2.5",
    kind="remark",
    statement="Without Assumption 1 the Bayes optimal classifier cannot be the minimiser of the phi-risk.",
    expected="AMENDED",
    covers="false for phi = 1, which is not calibrated: every score is a minimiser, one of the sign of Bayes too",
    amendment="trades-assumption-1-needed-repaired",
)
def assumption_1_needed(_budget: int) -> Evidence:
    return given_case(indispensable_margin, LossAt(CONSTANT, Fraction(3, 4)))


@claim(
    "trades-assumption-1-needed-repaired",
    paper="TRADES",
    label="Assumption 1 is indispensable, repaired",
    place="Section 2.5",
    kind="repair",
    statement="Assumption 1 holds exactly if for every eta other than 1/2 scores whose conditional risk tends to "
    "H(eta) have the sign of 2 eta - 1 in the end.",
    expected="PROVED",
    covers="every loss",
    repairs="trades-assumption-1-needed",
)
def assumption_1_needed_repaired(_budget: int) -> Evidence:
    """A score with C < H_minus(eta) does not have a (2 eta - 1) <= 0 (core, for its infimum h). If h > H, scores whose
    risk tends to H are below h in the end. If h = H, scores with a (2 eta - 1) <= 0 come as close to H as one likes.
    """
    from z3 import Implies, Reals

    a, eta, cost, h = Reals("a eta C H_minus")
    return solve(
        [Implies(a * (2 * eta - 1) <= 0, cost >= h)], {"below H_minus": Implies(cost < h, a * (2 * eta - 1) > 0)}
    )


def falling_margin(case: LossAt) -> Fraction:
    """Minus the least of C(a) - C(a + 1) over a = -8, ..., 8, rounded up: negative if no such score is the best."""
    costs = [conditional_risk(case.loss, case.eta, Fraction(a)) for a in range(-8, 10)]
    return rounded_up(-minimum(*(left - right for left, right in pairwise(costs))))


def infimum_margin(case: ScoreCase) -> Any:
    """R_phi(f) - E H(eta(X)) for the ramp and the hinge, the smaller one."""
    gaps = [surrogate_risk(case.score, case.law, loss) - optimal_surrogate_risk(case.law, loss) for loss in RAMPS]
    return minimum(*gaps)


RAMPS = ("hinge", "ramp", "squared_hinge")


@claim(
    "trades-least-surrogate-risk",
    paper="TRADES",
    label="R*_phi = min over f of R_phi(f)",
    place="Theorem 3.1",
    kind="formula",
    statement="R*_phi is the minimum of R_phi over f.",
    expected="AMENDED",
    covers="false for the exponential loss and labels that are certain: exp(-a) has no least value",
    amendment="trades-least-surrogate-risk-repaired",
)
def least_surrogate_risk(_budget: int) -> Evidence:
    """At eta = 1 the risk of a score a is exp(-a), and a + 1 is always better; the infimum 0 is not attained."""
    return given_case(falling_margin, LossAt(LOSSES["exponential"], Fraction(1)))


@claim(
    "trades-least-surrogate-risk-repaired",
    paper="TRADES",
    label="R*_phi, repaired",
    place="Theorem 3.1",
    kind="repair",
    statement="R*_phi is the infimum of R_phi over measurable f, and it is E H(eta(X)).",
    expected="PROVED",
    covers="every measurable loss phi >= 0 and law",
    repairs="trades-least-surrogate-risk",
)
def least_surrogate_risk_repaired(budget: int) -> Evidence:
    """R_phi(f) = E C_eta(f) >= E H(eta), as C_eta(f(x)) >= H(eta(x)) pointwise. Conversely the points (phi(a), phi(-a))
    of the plane have a countable dense subset, given by scores a_1, a_2, ...; C_eta(a) is a continuous function of such
    a point (core: linear), so the infimum over the a_i is H(eta) too. Let f(x) be the first a_i with C_eta(a_i) <
    H(eta(x)) + d: it is measurable, for there are countably many conditions, and R_phi(f) <= E H(eta) + d.
    """
    from z3 import Reals

    eta, p, q, p2, q2, t = Reals("eta p q p' q' t")
    mixed = eta * (t * p + (1 - t) * p2) + (1 - eta) * (t * q + (1 - t) * q2)
    linear = t * (eta * p + (1 - eta) * q) + (1 - t) * (eta * p2 + (1 - eta) * q2)
    proof = solve([eta >= 0, eta <= 1], {"C is linear in (phi(a), phi(-a))": mixed == linear})
    return confirmed(proof, sampled(infimum_margin, score_cases(), max(1, budget // 5)))


# ---- psi^-1 ---------------------------------------------------------------------------------------------------------


def range_margin(case: ScoreCase) -> Any:
    """psi(1) - (R_phi(f) - R*_phi) for the hinge: negative where psi^-1 has no value there."""
    excess = surrogate_risk(case.score, case.law, "hinge") - optimal_surrogate_risk(case.law, "hinge")
    return psi("hinge", Fraction(1)) - excess


def inverse_margin(case: LossCase) -> Any:
    """The least of u - psi(psi^-1(u)) and psi^-1(psi(theta)) - theta, with u = 2 eta."""
    u = 2 * case.eta
    back = psi_inverse(case.loss, psi(case.loss, case.theta)) - case.theta
    return minimum(u - psi(case.loss, psi_inverse(case.loss, u)), back)


WRONG_LAW = FiniteDistribution.of_points([(0,)], {-1: [0], +1: [1]})
WRONG = ScoreCase(WRONG_LAW, Score.of_values(WRONG_LAW.space, [-1]), Ball(0), Fraction(1))
"""One point of label +1 and score -1: the hinge costs 2, the least is 0, and psi(1) = 1."""


@claim(
    "trades-psi-inverse",
    paper="TRADES",
    label="psi^-1(R_phi(f) - R*_phi)",
    place="Section 2.1 and Theorem 3.1",
    kind="formula",
    statement="psi^-1, the inverse function of psi: [0, 1] -> [0, infinity), is defined at R_phi(f) - R*_phi.",
    expected="AMENDED",
    covers="false for one point of label +1 and score -1 with the hinge: the excess is 2, above psi(1) = 1",
    amendment="trades-psi-inverse-repaired",
)
def psi_inverse_range(_budget: int) -> Evidence:
    return given_case(range_margin, WRONG)


@claim(
    "trades-psi-inverse-repaired",
    paper="TRADES",
    label="psi^-1(R_phi(f) - R*_phi), repaired",
    place="Theorem 3.1",
    kind="repair",
    statement="psi^-1(u), the largest theta in [0, 1] with psi(theta) <= u, is defined for u >= 0, has theta <= "
    "psi^-1(u) exactly where psi(theta) <= u, and is the inverse of psi on [0, psi(1)] under Assumption 1.",
    expected="PROVED",
    covers="every loss phi >= 0",
    repairs="trades-psi-inverse",
)
def psi_inverse_repaired(budget: int) -> Evidence:
    """psi(0) = 0 <= u and psi is continuous (Lemma 2.1), so the largest such theta exists; psi does not decrease, so
    all smaller ones have psi <= u too. Under Assumption 1 psi > 0 on (0, 1]: psi(theta) is an average of psi_tilde at
    two places with mean theta (a limit of such, and psi_tilde >= 0 is lower semicontinuous), one of them >= theta. Then
    psi(a) <= t psi(b) < psi(b) for a = t b < b (core): psi increases strictly, and takes each value once.
    """
    from z3 import Reals

    t, low, high = Reals("t psi_a psi_b")
    proof = solve([t >= 0, t < 1, high > 0, low <= t * high], {"strict": low < high})
    return confirmed(proof, sampled(inverse_margin, exact_losses(), max(1, budget // 10)))

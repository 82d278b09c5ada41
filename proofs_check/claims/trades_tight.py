"""Claims of TRADES about how tight its bound is: Theorem 3.2, "the tightest possible bound", and Lemma C.6."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from proofs_check.claims.trades import ZERO_SCORE_LAW
from proofs_check.core import Evidence, claim
from proofs_check.families import ScoreCase, score_cases
from proofs_check.provers import confirmed, equality, every_case, given_case, sampled, solve
from theory.ball import Ball
from theory.bounds import excess_decomposition, excess_robust_risk_bound
from theory.distributions import FiniteDistribution
from theory.scores import Score

# ---- Lemma C.6 ------------------------------------------------------------------------------------------------------


def lemma_c6_margin(case: ScoreCase) -> Any:
    """-abs of the difference of the two sides, in the convention of Section 2.2."""
    found = excess_decomposition(case.score, case.law, case.ball)
    return equality(found.lhs, found.rhs)


@claim(
    "trades-lemma-c.6",
    paper="TRADES",
    label="Lemma C.6",
    place="Appendix C.3",
    kind="lemma",
    statement="R_rob(f) - R*_nat = E[1{sign f(X) != sign f*(X), X not in B(DB(f), eps)} |2 eta(X) - 1|] + "
    "Pr[X in B(DB(f), eps), sign f*(X) = Y], with f* = 2 eta - 1.",
    expected="PROVED",
    covers="every measurable score, law, metric and eps >= 0, ties and zeros included, with errors f(X) Y <= 0",
    reading="R*_nat is the infimum E min(eta, 1 - eta), and sign 0 = +1.",
)
def lemma_c6(budget: int) -> Evidence:
    """Pointwise in x, given eta = eta(x). *On* B(DB(f), eps) some x' has f(x) f(x') <= 0; the core shows that then for
    either label x or x' shows a robust error, so the conditional robust risk is 1 and exceeds min(eta, 1-eta) by
    max(eta, 1-eta), the probability that sign f* is Y (core). *Off* it all x' in the ball, x included, have
    f(x) f(x') > 0, so f(x) is not 0 and x' shows an error exactly if x does (core): the conditional robust risk is that
    of sign f(x), which exceeds min(eta, 1-eta) by |2 eta - 1| if the signs differ, and by 0 if not (core). Expectations
    over x give the lemma.
    """
    return confirmed(_at_a_point(), sampled(lemma_c6_margin, score_cases(), max(1, budget // 5)))


def _at_a_point() -> Evidence:
    """Lemma C.6 at one point: f(x), f(x'), the label and eta as z3 reals."""
    from z3 import If, Implies, Or, Reals

    a, b, y, eta = Reals("f(x) f(x') y eta")
    least = If(2 * eta < 1, eta, 1 - eta)
    distance = If(2 * eta < 1, 1 - 2 * eta, 2 * eta - 1)
    excess = If((a >= 0) == (2 * eta >= 1), 0, distance)
    return solve(
        [Or(y == 1, y == -1), eta >= 0, eta <= 1],
        {
            "on B either label errs": Implies(a * b <= 0, Or(a * y <= 0, b * y <= 0)),
            "on B the excess": 1 - least == If(2 * eta >= 1, eta, 1 - eta),
            "off B one sign": Implies(a * b > 0, (b * y <= 0) == (a * y <= 0)),
            "off B the excess": Implies(a * a > 0, If(a > 0, 1 - eta, eta) - least == excess),
        },
    )


def mixed_margin(case: ScoreCase) -> Any:
    """The same if R_rob counts sign f(X') != Y, as the lemma's proof writes, and B(DB(f), eps) products."""
    found = excess_decomposition(case.score, case.law, case.ball, "sign", boundary="paper")
    return equality(found.lhs, found.rhs)


def signed_margin(case: ScoreCase) -> Any:
    """The same with signs on both sides."""
    found = excess_decomposition(case.score, case.law, case.ball, "sign")
    return equality(found.lhs, found.rhs)


ZERO_NEARBY_LAW = FiniteDistribution.of_points([(0,), (1,)], {-1: [0, 0], +1: [1, 0]})
ZERO_NEARBY = ScoreCase(ZERO_NEARBY_LAW, Score.of_values(ZERO_NEARBY_LAW.space, [1, 0]), Ball(1), Fraction(1))
"""All mass at a point of label +1 and score 1, with a score of 0 within eps: sign f is +1 at both."""


@claim(
    "trades-lemma-c.6-proof",
    paper="TRADES",
    label="proof of Lemma C.6",
    place="Appendix C.3",
    kind="formula",
    statement="Pr(sign f(X') != Y for some X' in B(X, eps) | X = x) = 1 for x in B(DB(f), eps), so that R_rob is the "
    "sum of the lemma.",
    expected="AMENDED",
    covers="false with a score 0 nearby: scores 1 and 0, label +1: R_rob by signs is 0, the lemma's right side 1",
    reading="As the proof writes: R_rob by signs with sign 0 = +1, and B(DB(f), eps) by products (Section 2.1).",
    amendment="trades-lemma-c.6-proof-repaired",
)
def lemma_c6_proof(_budget: int) -> Evidence:
    return given_case(mixed_margin, ZERO_NEARBY)


@claim(
    "trades-lemma-c.6-proof-repaired",
    paper="TRADES",
    label="proof of Lemma C.6, repaired",
    place="Appendix C.3",
    kind="repair",
    statement="With errors sign f(X') != Y the lemma holds for B = {x: sign f(x') != sign f(x) for some x' in the "
    "ball}.",
    expected="PROVED",
    covers="every measurable score, law, metric and eps >= 0, ties and zeros included",
    premises=("B is by signs, as the errors are",),
    repairs="trades-lemma-c.6-proof",
    without={"B is by signs, as the errors are": lambda _budget: given_case(mixed_margin, ZERO_NEARBY)},
)
def lemma_c6_proof_repaired(budget: int) -> Evidence:
    """As for the lemma, with the signs s = sign f(x) and t = sign f(x') in place of the scores: on B, s != t, so either
    label is missed at x or x'; off B, t = s, so x' is an error exactly if x is (core). The excesses are the same.
    """
    from z3 import And, Implies, Ints, Or

    s, t, y = Ints("sign(x) sign(x') y")
    proof = solve(
        [And(Or(v == 1, v == -1)) for v in (s, t, y)],
        {
            "on B either label errs": Implies(s != t, Or(s != y, t != y)),
            "off B one sign": Implies(s == t, (t != y) == (s != y)),
        },
    )
    return confirmed(proof, sampled(signed_margin, score_cases(), max(1, budget // 5)))


# ---- the Bayes decision rule ----------------------------------------------------------------------------------------


def bayes_margin(law: FiniteDistribution) -> Fraction:
    """E min(eta, 1 - eta) - R_nat(2 eta - 1)."""
    pairs = list(zip(law.masses[-1], law.masses[+1], strict=True))
    errors = [minus if plus > minus else plus if minus > plus else minus + plus for minus, plus in pairs]
    return Fraction(sum(min(pair) for pair in pairs) - sum(errors))


@claim(
    "trades-bayes-rule",
    paper="TRADES",
    label="f* = 2 eta - 1",
    place="Appendix C.3 (and B.2, Section 2.4)",
    kind="remark",
    statement="f* = 2 eta - 1 is the Bayes decision rule: R_nat(f*) = R*_nat.",
    expected="AMENDED",
    covers="false where eta = 1/2 on positive mass: f* = 0 errs for both labels, R_nat(f*) = 1 for one fair point",
    reading="R_nat counts f(X) Y <= 0 (Section 2.2).",
    amendment="trades-bayes-rule-repaired",
)
def bayes_rule(_budget: int) -> Evidence:
    return given_case(bayes_margin, ZERO_SCORE_LAW)


@claim(
    "trades-bayes-rule-repaired",
    paper="TRADES",
    label="f* = 2 eta - 1, repaired",
    place="Appendix C.3",
    kind="repair",
    statement="f* = sign(2 eta - 1) has R_nat(f*) = E min(eta, 1 - eta) = R*_nat, and so has 2 eta - 1 if "
    "Pr[eta(X) = 1/2] = 0.",
    expected="PROVED",
    covers="every law, among all measurable scores",
    premises=("Pr[eta(X) = 1/2] = 0, or signs",),
    repairs="trades-bayes-rule",
    without={"Pr[eta(X) = 1/2] = 0, or signs": lambda _budget: given_case(bayes_margin, ZERO_SCORE_LAW)},
)
def bayes_rule_repaired(_budget: int) -> Evidence:
    """Pointwise: a score a errs with the conditional probability 1 - eta, eta or 1 as a is positive, negative or 0:
    at least min(eta, 1 - eta), with equality for a = sign(2 eta - 1), and for 2 eta - 1 unless that is 0 (core).
    """
    from z3 import If, Implies, Reals

    a, eta = Reals("a eta")

    def errs(score: Any) -> Any:
        return If(score > 0, 1 - eta, If(score < 0, eta, 1))

    least = If(2 * eta < 1, eta, 1 - eta)
    return solve(
        [eta >= 0, eta <= 1],
        {
            "no score errs less": errs(a) >= least,
            "sign(2 eta - 1) attains it": errs(If(2 * eta >= 1, a - a + 1, a - a - 1)) == least,
            "2 eta - 1 does off ties": Implies(2 * eta != 1, errs(2 * eta - 1) == least),
        },
    )


# ---- Theorem 3.2 ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tightness:
    """theta and xi of Theorem 3.2."""

    theta: Fraction
    xi: Fraction


def step_margin(case: Tightness) -> int:
    """0 if Theorem 3.2 has a law, score and lambda for the step loss on two points further apart than eps, -1 if not.

    The loss is 2 left of 0, 1 at 0 and 0 right of it, so only the signs of the scores matter and lambda does not; its
    psi is theta. Laws are four masses, so z3 decides. Raises ``ArithmeticError`` if it does not.
    """
    from z3 import If, Int, Real, Solver

    solver, total = Solver(), 0
    gained: Any = 0
    excess: Any = 0
    price: Any = 0
    for i in range(2):
        minus, plus, sign = Real(f"minus{i}"), Real(f"plus{i}"), Int(f"sign{i}")
        solver.add(minus >= 0, plus >= 0, sign >= -1, sign <= 1)
        least = If(minus < plus, minus, plus)
        errors = If(sign > 0, minus, If(sign < 0, plus, minus + plus))
        gained += errors - least
        excess += If(sign > 0, 2 * minus, If(sign < 0, 2 * plus, minus + plus)) - 2 * least
        price += If(sign == 0, minus + plus, 0)
        total += minus + plus
    room = case.theta - price
    lower = If(room > 0, room, 0)
    solver.add(total == 1, gained == case.theta, lower <= excess, excess <= lower + case.xi)
    answer = str(solver.check())
    if answer not in ("sat", "unsat"):
        raise ArithmeticError(f"z3 does not decide {case}")
    return 0 if answer == "sat" else -1


STEP = Tightness(Fraction(9, 10), Fraction(1, 10))


def witness_margin(case: tuple[str, Fraction, Fraction]) -> int:
    """0 if a law, score and lambda were made for (loss, theta, xi) whose three numbers are certain, -1 if not."""
    from theory.trades.witness import tightness_witness

    return 0 if tightness_witness(*case).verified else -1


@claim(
    "trades-theorem-3.2",
    paper="TRADES",
    label="Theorem 3.2",
    place="Section 3.2",
    kind="theorem",
    statement="For calibrated phi >= 0 with phi(u) -> 0, theta in [0, 1] and xi > 0 some law, f and lambda have R_rob "
    "- R*_nat = theta and R_phi - R*_phi between psi(theta - E) and psi(theta - E) + xi, E = E max phi(f(X') "
    "f(X)/lambda).",
    expected="AMENDED",
    covers="false for phi(u) = 2, 1, 0 as u < 0, = 0, > 0 on two points more than eps apart: theta = 9/10, xi = 1/10",
    reading="psi is 0 left of 0: theta - E may be negative, and is at theta = 0 if phi > 0; psi is undefined there.",
    amendment="trades-theorem-3.2-repaired",
    searched="Sections 2.5 and 3.2 and B.2: no continuity of phi is asked; the proof takes f < 0 that nearly attains "
    "H_minus, an infimum over f <= 0. The loss is calibrated (H_minus = 1 > H for eta != 1/2), and 0 on u > 0",
)
def theorem_3_2(_budget: int) -> Evidence:
    """A score of 0 errs for both labels at the price 1, and costs E as much, so it gains nothing; scores of other signs
    cost 2 |2 eta - 1| where |2 eta - 1| would be needed. z3 decides that no four masses and signs do.
    """
    return given_case(step_margin, STEP)


@claim(
    "trades-theorem-3.2-repaired",
    paper="TRADES",
    label="Theorem 3.2, repaired",
    place="Section 3.2",
    kind="repair",
    statement="Theorem 3.2 with psi = 0 left of 0, for phi whose conditional risks have the same infimum over scores < "
    "0 as over scores <= 0 for all eta >= 1/2, for example phi continuous at 0, as all of Table 2 are.",
    expected="PROVED",
    covers="every such loss, theta in [0, 1], xi > 0, eps >= 0 and space of two points or more",
    premises=("phi >= 0, calibrated, phi(u) -> 0", "scores < 0 come as close to H_minus as scores <= 0"),
    repairs="trades-theorem-3.2",
    without={"scores < 0 come as close to H_minus as scores <= 0": lambda _budget: given_case(step_margin, STEP)},
)
def theorem_3_2_repaired(budget: int) -> Evidence:
    """The paper's proof, with a score of two values. psi is the convex hull of psi_tilde, so theta = g a + (1-g) b with
    g psi_tilde(a) + (1-g) psi_tilde(b) <= psi(theta) + xi/3 for some a, b in [0, 1]. Put masses g and 1-g on two points
    with eta = (1+a)/2 and (1+b)/2, and scores f1, f2 < 0 there (f2 everywhere else) with C_eta(f) <= H_minus(eta) +
    xi/3. Since f(x) f(x') > 0 everywhere, B(DB(f), eps) is empty, and R_rob - R* = E eta - E (1 - eta) = theta (core).
    f(x) f(x') is at least m = min(f1^2, f2^2, f1 f2) > 0, so E <= sup of phi on [m/lambda, infinity) -> 0 for lambda ->
    0, and by continuity of psi (Lemma 2.1) psi(theta) <= psi(theta - E) + xi/3 for small lambda; where theta = 0 both
    are 0. The core adds up the upper inequality. For the lower one, f is never 0 and R_bdy = 0, so theta <=
    psi^-1(R_phi - R*_phi) by the first inequality of Theorem 3.1, repaired; so psi(theta - E) <= psi(theta) <= R_phi -
    R*_phi. Beside it the construction is carried out, and its numbers checked, for losses of Table 2 and two others.
    """
    from z3 import Implies, Reals

    g, a, b, theta, xi, hull, late, c1, c2, h1, h2 = Reals("g a b theta xi psi psi_late C1 C2 tilde1 tilde2")
    proof = solve(
        [g >= 0, g <= 1, xi > 0, theta == g * a + (1 - g) * b, c1 <= h1 + xi / 3, c2 <= h2 + xi / 3],
        {
            "R_rob - R*": g * ((1 + a) / 2 - (1 - a) / 2) + (1 - g) * ((1 + b) / 2 - (1 - b) / 2) == theta,
            "the upper inequality": Implies(
                z3_and(g * h1 + (1 - g) * h2 <= hull + xi / 3, hull <= late + xi / 3),
                g * c1 + (1 - g) * c2 <= late + xi,
            ),
        },
    )
    losses = ("hinge", "sigmoid", "exponential", "logistic", "asymmetric_hinge", "capped_hinge")
    grid = [(loss, Fraction(k, 8), Fraction(1, 10**d)) for d in (1, 2) for k in (3, 0, 8, 1, 6) for loss in losses]
    return confirmed(proof, every_case(witness_margin, grid[: max(6, budget // 25)], "a grid of losses, theta and xi"))


def z3_and(*parts: Any) -> Any:
    """z3's conjunction."""
    from z3 import And

    return And(*parts)


def hinge_upper_margin(case: Tightness) -> Any:
    """xi - (excess - theta) for the hinge at f = -s, s = xi/2, eta = (1 + theta)/2, if the excess is at least theta."""
    eta, s = (1 + case.theta) / 2, min(case.xi / 2, Fraction(1))
    excess = eta * (1 + s) + (1 - eta) * (1 - s) - 2 * (1 - eta)
    return case.xi - (excess - case.theta) if excess >= case.theta else Fraction(-1)


@claim(
    "trades-tight-hinge",
    paper="TRADES",
    label="Theorem 3.2 and Section 3.2, in the text: the upper bound is tight",
    place="Section 3.2, Conclusions",
    kind="remark",
    statement="With phi(u) -> 0 the upper bound of Section 3.1 is tight: it matches the lower bound in the worst case.",
    expected="PROVED",
    covers="the hinge, every theta in [0, 1] and xi > 0, with E = 0 exactly; the others by Theorem 3.2, repaired",
    reading="For each theta some law comes within xi of equality; at R_bdy = 0 and E -> 0 only (see "
    "trades-tightest for what does not follow).",
)
def tight_hinge(budget: int) -> Evidence:
    """One point, eta = (1 + theta)/2 and f = -s with 0 < s <= min(1, xi): R_rob - R* = eta - (1 - eta) = theta, and
    R_phi - R*_phi = theta (1 + s) <= theta + xi (core); f(x) f(x') = s^2, so E = phi(s^2/lambda) = 0 for lambda <= s^2.
    """
    from hypothesis import strategies as st
    from z3 import Reals

    from theory.strategies import rationals

    theta, xi, s = Reals("theta xi s")
    eta = (1 + theta) / 2
    excess = eta * (1 + s) + (1 - eta) * (1 - s) - 2 * (1 - eta)
    proof = solve(
        [theta >= 0, theta <= 1, xi > 0, s > 0, s <= 1, s <= xi],
        {"between theta and theta + xi": z3_and(theta <= excess, excess <= theta + xi), "R": 2 * eta - 1 == theta},
    )
    cases = st.builds(Tightness, rationals(), rationals(exclude_lo=True))
    return confirmed(proof, sampled(hinge_upper_margin, cases, budget))


# ---- "the tightest possible upper bound" ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BoundCase:
    """A loss by name, an excess surrogate risk e, and a probability s of B(DB(f), eps)."""

    loss: str
    excess: Fraction
    share: Fraction


def tightest_margin(case: BoundCase) -> Any:
    """The sharper bound minus psi^-1(e) + s: negative where the theorem's bound is not the least."""
    from theory.calibration import psi_inverse
    from theory.trades.sharper import sharper_bound

    return sharper_bound(case.loss, case.excess, case.share) - psi_inverse(case.loss, case.excess) - case.share


def sharper_margin(case: ScoreCase) -> Any:
    """The least of the sharper bound - (R_rob - R*) and psi^-1(e) + s - the sharper bound, for the squared hinge."""
    from theory.enclosure import minimum

    found = excess_robust_risk_bound(case.score, case.law, case.ball, "squared_hinge", case.lam)
    terms = found.terms
    printed = terms["psi_inverse"] + terms["boundary_probability"]
    return minimum(terms["sharper"] - found.lhs, printed - terms["sharper"])


def draw_bounds(axes: Any) -> None:
    """psi^-1(e) + s (dashed) and the sharper bound against e, for the exponential loss."""
    from theory.calibration import psi_inverse
    from theory.enclosure import as_enclosure
    from theory.trades.sharper import sharper_bound

    excesses = [Fraction(k, 40) for k in range(41)]
    for k, s in enumerate((Fraction(1, 10), Fraction(3, 10), Fraction(6, 10))):
        old = [float(as_enclosure(psi_inverse("exponential", e) + s).hi) for e in excesses]
        new = [float(as_enclosure(sharper_bound("exponential", e, s)).hi) for e in excesses]
        places = [float(e) for e in excesses]
        axes.plot(places, old, "--", color=f"C{k}", label=f"printed, s = {float(s):g}")
        axes.plot(places, new, color=f"C{k}", label=f"sharper, s = {float(s):g}")
    axes.set(xlabel="e, the excess surrogate risk", ylabel="bound on R_rob - R*", title="exponential loss")
    axes.legend(fontsize="small")


@claim(
    "trades-tightest",
    paper="TRADES",
    label="the tightest possible upper bound",
    place="Abstract, Section 1.2",
    kind="remark",
    statement="The bound is the tightest possible one uniform over all distributions and measurable predictors.",
    expected="AMENDED",
    covers="false for the squared hinge, e = 1/16 and s = 7/16: 5/8 is an upper bound too, below psi^-1(e) + s = 11/16",
    reading="No smaller function of the excess surrogate risk e and of s = Pr[X in B(DB(f), eps)] (or of E max phi in "
    "the place of s) bounds R_rob - R*_nat for all laws and scores.",
    amendment="trades-tightest-repaired",
    searched="Abstract, Sections 1.2, 3.1, 3.2 and 6: the word rests on Theorem 3.2, whose laws have s = 0 and E -> 0; "
    "BJM06 is cited for psi^-1(e) alone. Nothing there treats s > 0",
    figure=draw_bounds,
)
def tightest(_budget: int) -> Evidence:
    return given_case(tightest_margin, BoundCase("squared_hinge", Fraction(1, 16), Fraction(7, 16)))


@claim(
    "trades-tightest-repaired",
    paper="TRADES",
    label="the tightest possible upper bound, repaired",
    place="Abstract, Section 1.2",
    kind="repair",
    statement="R_rob(f) - R*_nat <= s + (1-s) psi^-1(min(psi(1), e/(1-s))) <= psi^-1(e) + s with s = Pr[X in B(DB(f), "
    "eps)] < 1, e = R_phi(f) - R*_phi and phi >= 0; the second is strict if psi is strictly convex, s > 0 and e > 0.",
    expected="PROVED",
    covers="every loss phi >= 0, calibrated or not, measurable score (zeros included), law, metric and eps >= 0",
    repairs="trades-tightest",
)
def tightest_repaired(budget: int) -> Evidence:
    """By Lemma C.6 (core, pointwise) R_rob - R* <= s + E 1[X not in B] Z, where Z is the excess of a wrong sign. The
    conditional excess surrogate risk is at least psi(Z) (see the repaired inequality of BJM06). By Jensen on {X not in
    B}, of mass 1-s, psi(E[Z | X not in B]) <= e/(1-s); it is at most psi(1) too, which is the first inequality. For the
    second let z = psi^-1(min(psi(1), e/(1-s))): convexity and psi(0) = 0 give psi((1-s) z) <= (1-s) psi(z) <= e (core),
    so (1-s) z <= psi^-1(e). For strictly convex psi, z > 0 and 0 < s < 1 the first step is strict, psi((1-s) z) < e and
    (1-s) z < 1, so by continuity (1-s) z < psi^-1(e).
    """
    from z3 import Reals

    s, e, z_value, scaled = Reals("s e psi(z) psi((1-s)z)")
    chain = solve(
        [s >= 0, s < 1, e >= 0, scaled <= (1 - s) * z_value, z_value * (1 - s) <= e],
        {"psi((1-s) z) <= e": scaled <= e},
    )
    proof = _at_a_point()
    if chain.kind != "PROVED":
        proof = chain
    return confirmed(proof, sampled(sharper_margin, score_cases(), max(1, budget // 5)))

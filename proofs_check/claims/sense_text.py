"""Claims of SENSE beside its theorems: definitions, what Section 1 says of risks, Remarks 1 and 3, eqs (7) to (10).

The losses are 0-1, the metric is any, and a "rule" is a classifier.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from itertools import product
from typing import TYPE_CHECKING

from proofs_check.claims.sense import TEXT, bracket_margin, eq6_margin, theorem_4_repaired
from proofs_check.claims.sense_cases import (
    SensibleCase,
    all_labels,
    distance,
    few,
    mass_at,
    near_points,
    risk_of,
    rule,
    sensible_cases,
)
from proofs_check.core import Evidence, claim, definition
from proofs_check.provers import confirmed, equality, every_case, given_case, sampled, solve
from theory.ball import Ball
from theory.distributions import FiniteDistribution
from theory.risks import robust_risk, standard_risk

if TYPE_CHECKING:
    from collections.abc import Callable

sense, sense_definition = partial(claim, paper="SENSE"), partial(definition, paper="SENSE")

# ---- definitions ----------------------------------------------------------------------------------------------------

EQ_1 = sense_definition(
    "sense-eq1",
    label="eq (1)",
    place="Section 1",
    statement="R_rob(f) = E max of loss(f(X + delta), Y) over delta of length at most eps.",
    covers="theory.risks.robust_risk with theory.ball.Ball",
    reading="X + delta may leave the domain here, unlike z in Definition 1: Ball(leave_domain=True).",
)
NOTATION = sense_definition(
    "sense-notation",
    label="Section 1.2",
    place="Section 1.2",
    statement="f_rob and f_std minimise R_rob and R_std; a tilde marks the law restricted to a part of the domain; "
    "B(A, eps) is the closed eps-neighbourhood of A.",
    covers="theory.distributions.BoxDistribution.restrict, theory.ball.Ball.reach, theory.optimal, theory.classifiers",
)
BOUNDARY = sense_definition(
    "sense-notation-db",
    label="Section 1.2, DB(f, eps)",
    place="Section 1.2",
    statement="DB(f, eps) holds the x whose ball has a point with another label than x.",
    covers="the event of theory.risks.boundary_risk where f is right",
    reading="Not the points near a curve {f = 0}: balls are closed, so a point exactly eps away counts.",
)
DEFINITION_1 = sense_definition(
    "sense-definition-1",
    label="Definition 1, eq (2)",
    place="Section 3",
    statement="The sensible adversary moves (x, y) within the ball to a point where the Bayes rule still says y, of "
    "largest loss; it leaves x where the Bayes rule errs.",
    covers="theory.risks.sensible_risk",
    reading="The scan lost an inequality sign: x stays where f_B(X) differs from y.",
)
DEFINITION_2 = sense_definition(
    "sense-definition-2",
    label="Definition 2, eq (3)",
    place="Section 3",
    statement="The sensible risk is the expected loss at the sensible adversary's point; a sensibly robust model "
    "minimises it.",
    covers="theory.risks.sensible_risk, theory.minimisers.sensible_minimisers",
)
DEFINITION_3 = sense_definition(
    "sense-definition-3",
    label="Definition 3, eq (4)",
    place="Section 4",
    statement="With a reference f_r and c in (0, 1] the adversary may visit x and the points where the loss of f_r is "
    "at most log(1/c).",
    covers="theory.risks.sensible_risk, arguments reference and threshold",
    reading="Appendix C speaks of a definition 4; there is none, and this one is meant.",
)

# ---- Section 1 ------------------------------------------------------------------------------------------------------


def _own_ball() -> Evidence:
    """The core: the largest loss over a ball is at least the loss at its centre."""
    from z3 import If, Reals

    centre, elsewhere = Reals("loss(x) largest_loss_elsewhere")
    largest = If(centre > elsewhere, centre, elsewhere)
    return solve([centre >= 0], {"the centre is in the ball": largest >= centre})


def chain_margin(case: SensibleCase) -> Fraction:
    """The least of R_sens - R_std and R_rob - R_sens."""
    f = rule(case.law.space, case.labels)
    sensible = risk_of(case, case.labels)
    standard, robust = standard_risk(f, case.law).fraction, robust_risk(f, case.law, case.ball).fraction
    return Fraction(min(sensible - standard, robust - sensible))


@sense(
    "sense-eq1-upper-bound",
    label="Section 1, R_rob bounds R_std",
    place="Section 1",
    kind="remark",
    statement="R_rob(f) is an upper bound of the standard risk of f, so a perfectly robust f is perfectly accurate.",
    expected="PROVED",
    covers="every law, non-negative loss, metric and eps >= 0",
)
def eq1_upper_bound(budget: int) -> Evidence:
    """The ball of x holds x, so the largest loss over it is at least the loss at x (core), and so are the means. If
    R_rob(f) = 0, then 0 <= R_std(f) <= 0.
    """
    return confirmed(_own_ball(), sampled(chain_margin, sensible_cases(), few(budget)))


@sense(
    "sense-remark-1",
    label="Remark 1",
    place="Section 3",
    kind="remark",
    statement="The sensible adversary never meets a point where f_B has another label than at x, and does not move an "
    "x on which f_B errs; so R_std(f) <= R_sens(f) <= R_rob(f).",
    expected="PROVED",
    covers="every law, rule, reference, metric and eps >= 0",
    reading="'Not to cross the decision boundary' is read by labels: a ball may hold a part of the same label beyond "
    "a strip of the other one, and the adversary may go there.",
)
def remark_1(budget: int) -> Evidence:
    """If f_B(x) = y the point z it visits has f_B(z) = y = f_B(x), else z = x: the core. Either way z is in the ball,
    so the loss there is at most the largest one over the ball, and at least that at x, where the adversary may stay.
    """
    from z3 import And, Ints, Or

    at_z, at_x, y, z, x = Ints("f_B(z) f_B(x) y z x")
    moves = Or(And(at_x == y, at_z == y), And(at_x != y, z == x, at_z == at_x))
    proof = solve([moves], {"the same label of f_B": at_z == at_x})
    return confirmed(proof, sampled(chain_margin, sensible_cases(), few(budget)))


def free_margin(case: SensibleCase) -> Fraction:
    """0, or the least robust risk minus that of f_B if no x has a point of another label nearer than eps."""
    return _no_cost(case, closed=False)


def _no_cost(case: SensibleCase, *, closed: bool) -> Fraction:
    """The same with nearer than eps, or (closed) at most eps away."""
    space, reference = case.law.space, case.reference
    for i, js in enumerate(near_points(case)):
        others = [j for j in js if reference[j] != reference[i] and mass_at(case, i) > 0]
        if any(closed or distance(space, i, j, case.ball.ord) < case.ball.radius for j in others):
            return Fraction(0)
    risks = [robust_risk(rule(space, f), case.law, case.ball).fraction for f in all_labels(case)]
    return Fraction(min(risks) - robust_risk(rule(space, reference), case.law, case.ball).fraction)


AT_DISTANCE_EPS = SensibleCase(
    FiniteDistribution.of_points([(0,), (1,), (2,)], {-1: ["2/3", 0, 0], +1: [0, 0, "1/3"]}),
    (-1, 1, 1),
    (-1, -1, 1),
    Ball(1),
)
"""Classes at 0 (mass 2/3) and 2, and f_B = +1 at the point 1, exactly eps = 1 from 0."""


@sense(
    "sense-no-cost",
    label="Section 1, first contribution",
    place="Section 1",
    kind="theorem",
    statement="If the Bayes decision boundary is at least eps from the data, sensible robustness costs no robust risk: "
    "f_B has the least robust risk.",
    expected="AMENDED",
    covers="false at exactly eps with closed balls: points 0, 1, 2, f_B = -1, +1, +1, masses 2/3, 0, 1/3, eps = 1: "
    "f_B has robust risk 2/3, another version 1/3",
    reading="The distance of x from the boundary is that from x to the nearest point with another label.",
    amendment="sense-no-cost-repaired",
    searched=TEXT + "The sentence has no formula and no proof of its own.",
)
def no_cost(_budget: int) -> Evidence:
    return given_case(free_margin, AT_DISTANCE_EPS)


@sense(
    "sense-no-cost-repaired",
    label="Section 1, first contribution, repaired",
    place="Section 1",
    kind="repair",
    statement="If X is almost surely outside DB(f_B, eps), f_B has the least robust risk, which is R*.",
    expected="PROVED",
    covers="every law, ties included, number of labels, metric and eps >= 0",
    premises=("X is outside DB(f_B, eps)",),
    repairs="sense-no-cost",
    without={"X is outside DB(f_B, eps)": lambda _budget: given_case(free_margin, AT_DISTANCE_EPS)},
)
def no_cost_repaired(budget: int) -> Evidence:
    """Outside DB(f_B, eps) f_B has one label on the ball of X, so it is attacked exactly if it errs at X, and its
    robust risk is R*. Any f has R_rob(f) >= R_std(f) >= R*: the core.
    """
    sample = sampled(partial(_no_cost, closed=True), sensible_cases(), few(budget))
    return confirmed(_own_ball(), sample)


@sense(
    "sense-remark-2-cost",
    label="Remark 2, cost of sensible robustness",
    place="Section 3",
    kind="remark",
    statement="The sensibly robust f_B may have a larger robust risk than f_rob.",
    expected="PROVED",
    covers="one law: masses 2/3 and 1/3 at distance 1 with certain labels, eps = 1: f_B 1, the constant rule 1/3",
)
def remark_2_cost(_budget: int) -> Evidence:
    def margin(case: SensibleCase) -> Fraction:
        f_b, f = (robust_risk(rule(case.law.space, x), case.law, case.ball) for x in (case.reference, case.labels))
        return Fraction(min(equality(f_b.fraction, Fraction(1)), equality(f.fraction, Fraction(1, 3))))

    law = FiniteDistribution.of_points([(0,), (1,)], {-1: ["2/3", 0], +1: [0, "1/3"]})
    return every_case(margin, [SensibleCase(law, (-1, 1), (-1, -1), Ball(1))], "the one law that 'may' asks for")


# ---- Remark 3 -------------------------------------------------------------------------------------------------------


def adversarial_excess(case: SensibleCase, labels: tuple[int, ...]) -> Fraction:
    """R_adv(f) of Suggala et al. with the base rule g = f_r: the mean largest gain of [f(z) != g(z)] over
    [f(x) != g(x)] among the z of the ball with g(z) = g(x).
    """
    total, g = Fraction(0), case.reference
    for i, js in enumerate(near_points(case)):
        gain = max((labels[j] != g[j]) - (labels[i] != g[i]) for j in js if g[j] == g[i])
        total += gain * mass_at(case, i)
    return total


def suggala_margin(case: SensibleCase) -> Fraction:
    """The least of R_adv(f) and minus R_adv of the rule that is nowhere g."""
    opposite = tuple(-y for y in case.reference)
    return min(adversarial_excess(case, case.labels), -adversarial_excess(case, opposite))


def sum_margin(case: SensibleCase) -> Fraction:
    """R_nat(f) + R_adv(f) minus that of g."""

    def objective(labels: tuple[int, ...]) -> Fraction:
        natural: Fraction = standard_risk(rule(case.law.space, labels), case.law).fraction
        return natural + adversarial_excess(case, labels)

    return objective(case.labels) - objective(case.reference)


@sense(
    "sense-remark-3",
    label="Remark 3",
    place="Section 3",
    kind="remark",
    statement="With the 0-1 loss and two labels, an f with f(X) != g(X) almost surely minimises the adversarial risk "
    "R_adv of Suggala et al.",
    expected="PROVED",
    covers="every law, base rule g, number of labels, metric and eps >= 0",
)
def remark_3(budget: int) -> Evidence:
    """delta = 0 is allowed, so the gain at x is never negative and R_adv >= 0; where f(x) != g(x) the loss at x is 1,
    the largest there is, so the gain is 0: the core.
    """
    from z3 import And, Implies, Reals

    here, largest = Reals("loss(x) largest_loss")
    premises = [here >= 0, here <= largest, largest <= 1]
    statement = And(largest - here >= 0, Implies(here == 1, largest - here == 0))
    proof = solve(premises, {"the gain is never negative, and 0 where f errs": statement})
    return confirmed(proof, sampled(suggala_margin, sensible_cases(), few(budget)))


@sense(
    "sense-remark-3-sum",
    label="Remark 3, the additional term",
    place="Section 3",
    kind="remark",
    statement="For a Bayes rule g to be optimal, their objective needs a further term such as R_nat(f) + lambda "
    "R_adv(f), with 0 < lambda, which g minimises.",
    expected="PROVED",
    covers="every law, metric, eps >= 0 and lambda >= 0; that R_adv alone is not enough is Remark 3",
)
def remark_3_sum(budget: int) -> Evidence:
    """R_adv(g) = 0 (g never errs with respect to g), R_adv(f) >= 0, and R_nat(f) >= R_nat(g) for a Bayes rule g: the
    core sums these.
    """
    from z3 import Reals

    natural, least, adversarial, weight = Reals("R_nat(f) R_nat(g) R_adv(f) lambda")
    premises = [natural >= least, adversarial >= 0, weight >= 0]
    proof = solve(premises, {"g is best": natural + weight * adversarial >= least})
    return confirmed(proof, sampled(sum_margin, sensible_cases(), few(budget)))


# ---- eqs (7) to (10) ------------------------------------------------------------------------------------------------


def _as_eq6() -> Evidence:
    return every_case(bracket_margin, product((0, 1), repeat=3), "the values of the three brackets")


@sense(
    "sense-restricted-eta",
    label="Appendix B, conditional law of the restriction",
    place="Appendix B",
    kind="lemma",
    statement="On the restricted domain the conditional probabilities of labels are the true ones.",
    expected="PROVED",
    covers="every restriction of X to a set of positive probability, all of Y kept",
)
def restricted_eta(_budget: int) -> Evidence:
    """The restricted law has the masses P(x, k)/Z with Z > 0 the probability of the restriction. Its conditional
    probability of k at x is P(x, k)/Z over P(x)/Z (core, for densities alike).
    """
    from sympy import symbols

    from proofs_check.provers import identity

    joint, point, total = symbols("joint point total", positive=True)
    return identity({"P(k|x)": (joint / total) / (point / total) - joint / point})


@sense(
    "sense-eq7",
    label="eq (7)",
    place="Appendix B",
    kind="formula",
    statement="Eq (6) holds under the restricted law.",
    expected="PROVED",
    covers="every law and restriction, ties included, number of labels, metric and eps >= 0",
)
def eq7(budget: int) -> Evidence:
    """Eq (6) is an identity for every law and every reference, so for the restricted law and f_B of the true one; the
    conditional probabilities are the same there. The random laws have points of mass 0.
    """
    return confirmed(_as_eq6(), sampled(eq6_margin, sensible_cases(), few(budget)))


@sense(
    "sense-eq8",
    label="eq (8)",
    place="Appendix B",
    kind="formula",
    statement="The sum over k in eq (7) is ([f(x') != f_B(x) for some x' in S] - [f(x) != f_B(x)]) eta(f_B(x)|x).",
    expected="PROVED",
    covers="every law, number of labels, metric and eps >= 0",
    reading="The scan lost the superscript of eta(f_B(x)|x).",
)
def eq8(budget: int) -> Evidence:
    """In the sum over k the factor [f_B(x) = k] is 1 for the one label k = f_B(x) and 0 for all others, so the sum has
    that one term. The case-wise sum of eq (6) is taken with that label alone by the sample.
    """
    return confirmed(_as_eq6(), sampled(eq6_margin, sensible_cases(), few(budget)))


def _visited(case: SensibleCase, i: int, *, anywhere: bool) -> list[int]:
    """S_{x,eps}(f_r) for x = the point i and y = f_r(x) under the 0-1 loss: all of the ball if c <= 1/e."""
    return [j for j in near_points(case)[i] if anywhere or case.reference[j] == case.reference[i]]


def _by_parts(case: SensibleCase, other: Callable[[int, int], bool]) -> Fraction:
    """R_std(f) + the mean of ([other at some point of S] - [f(x) != f_r(x)]) eta(f_r(x)|x), for f = the labels."""
    anywhere = case.threshold <= Fraction(1, 3)  # below 1/e; the thresholds drawn are far from it
    total: Fraction = standard_risk(rule(case.law.space, case.labels), case.law).fraction
    for i, its in enumerate(case.reference):
        somewhere = any(other(i, j) for j in _visited(case, i, anywhere=anywhere))
        total += (somewhere - (case.labels[i] != its)) * Fraction(case.law.masses[its][i])
    return total


def eq9_margin(case: SensibleCase) -> Fraction:
    """-abs(R_sens(f|f_r) - the right side of eq (9))."""
    right = _by_parts(case, lambda i, j: case.labels[j] != case.reference[i])
    return Fraction(equality(risk_of(case, case.labels), right))


def eq10_margin(case: SensibleCase) -> Fraction:
    """-abs(R_sens(f|f_r) - the right side of eq (10)) for the labels made f_r on the support."""
    pairs = zip(case.labels, case.reference, range(len(case.labels)), strict=True)
    labels = tuple(y if mass_at(case, i) > 0 else f for f, y, i in pairs)
    same = SensibleCase(case.law, case.reference, labels, case.ball, case.threshold)
    right = _by_parts(same, lambda _i, j: labels[j] != case.reference[j])
    return Fraction(equality(risk_of(same, labels), right))


ALL_THRESHOLDS = ("3/10", "2/5", "3/4", "1")


@sense(
    "sense-eq9",
    label="eq (9)",
    place="Appendix B",
    kind="formula",
    statement="With a reference f_r that equals f_B on the restricted support, R_sens(f|f_r) is R_std(f) plus the mean "
    "of ([f(x') != f_B(x) for some x' in S_{x,eps}(f_r)] - [f(x) != f_B(x)]) eta(f_B(x)|x).",
    expected="PROVED",
    covers="every law, number of labels, metric, eps >= 0 and c in (0, 1]",
)
def eq9(budget: int) -> Evidence:
    """As eq (6): only where f_r(x) = k does the adversary move, and f_r = f_B at X almost surely; the third bracket
    is about S_{x,eps}(f_r), whatever set that is. Only k = f_B(x) is left of the sum, as in eq (8).
    """
    return confirmed(_as_eq6(), sampled(eq9_margin, sensible_cases(thresholds=ALL_THRESHOLDS), few(budget)))


LOW = SensibleCase(
    FiniteDistribution.of_points([(0,), (1,)], {-1: ["1/2", 0], +1: [0, "1/2"]}), (-1, 1), (-1, 1), Ball(1),
    Fraction(3, 10),
)  # fmt: skip
"""c = 3/10 < 1/e: f = f_r = f_B is attacked everywhere, as the adversary may visit the other class."""


@sense(
    "sense-eq10",
    label="eq (10)",
    place="Appendix B",
    kind="formula",
    statement="For f = f_B on the support, R_sens(f|f_r) is R* plus the mean of [f(x') != f_r(x') for some x' in "
    "S_{x,eps}(f_r)] eta(f_B(x)|x).",
    expected="AMENDED",
    covers="false for c <= 1/e: two points of distance 1 with certain labels, eps = 1, c = 3/10, f = f_r: 1, not 0",
    amendment="sense-eq10-repaired",
    searched=TEXT + "The first line of (10) is right; its second puts f_r(x') for f_B(x), which S grants for c > 1/e.",
)
def eq10(_budget: int) -> Evidence:
    return given_case(eq10_margin, LOW)


@sense(
    "sense-eq10-repaired",
    label="eq (10), repaired",
    place="Appendix B",
    kind="repair",
    statement="Eq (10) holds for 1/e < c <= 1.",
    expected="PROVED",
    covers="every law, number of labels, metric and eps >= 0",
    premises=("1/e < c <= 1",),
    repairs="sense-eq10",
    without={"1/e < c <= 1": lambda _budget: given_case(eq10_margin, LOW)},
)
def eq10_repaired(budget: int) -> Evidence:
    """In eq (9) f(x) = f_B(x) almost surely, so R_std(f) = R* and the second bracket is 0. For c > 1/e the points x' of
    S_{x,eps}(f_r) have f_r(x') = f_r(x) = f_B(x), so f(x') != f_B(x) says f(x') != f_r(x'): the core.
    """
    from z3 import Ints

    f_z, r_z, r_x, b_x = Ints("f(x') f_r(x') f_r(x) f_B(x)")
    proof = solve([r_z == r_x, r_x == b_x], {"the same bracket": (f_z != b_x) == (f_z != r_z)})
    return confirmed(proof, sampled(eq10_margin, sensible_cases(thresholds=ALL_THRESHOLDS[1:]), few(budget)))


def sufficient_margin(case: SensibleCase) -> int:
    """-1 if a rule of least sensible risk has a larger standard risk than the reference, else 0."""
    least = min(risk_of(case, f) for f in all_labels(case))
    best = [standard_risk(rule(case.law.space, f), case.law) for f in all_labels(case) if risk_of(case, f) == least]
    bayes = standard_risk(rule(case.law.space, case.reference), case.law)
    return -1 if any(risk.fraction != bayes.fraction for risk in best) else 0


@sense(
    "sense-theorem-4-arbitrary",
    label="Theorem 4, what it says off the support",
    place="Appendix B",
    kind="remark",
    statement="Off the restricted support a sensibly optimal model can be arbitrary although it is Bayes on it; on the "
    "support, being sensible is sufficient for natural accuracy.",
    expected="PROVED",
    covers="every law, ties included, metric and eps >= 0; 1/e < c <= 1 for references other than f_B",
)
def theorem_4_arbitrary(budget: int) -> Evidence:
    """Whatever f_r is off the support, f_r minimises R_sens(.|f_r): Theorem 4 repaired, whose proof is run here. A
    minimiser f has R_std(f) <= R_sens(f|f_r) = R_sens(f_r|f_r) = R*, so its standard risk is R*.
    """
    proof = theorem_4_repaired.prove
    assert proof is not None
    return confirmed(proof(few(budget)), sampled(sufficient_margin, sensible_cases(), few(budget)))

"""Claims of SENSE (Sensible Adversarial Learning): Definitions 1 to 3, Theorems 1 to 4, Remark 2, eq (6).

A restricted law is here any finite law: points of mass 0 are what the restriction does not show, and the Bayes rule of
the true law, the reference, is whatever it is there. "Unique" is read almost surely where the paper speaks of the law's
own support, and everywhere where it says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

from proofs_check.core import Claim, Evidence, claim
from proofs_check.provers import confirmed, equality, given_case, sampled, solve
from theory.ball import Ball
from theory.classifiers import RegionClassifier
from theory.distributions import FiniteDistribution
from theory.points import FiniteSpace, Points
from theory.risks import robust_risk, sensible_risk, standard_risk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

Labels = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SensibleCase:
    """A binary finite law, the labels of the reference and of a classifier point by point, a ball and a threshold c."""

    law: FiniteDistribution
    reference: Labels
    labels: Labels
    ball: Ball
    threshold: Fraction = Fraction(1)


def sensible_cases(*, ties: bool = True, thresholds: tuple[str, ...] = ("1",)) -> SearchStrategy[SensibleCase]:
    """Laws on up to 4 points; the reference is a Bayes rule on the support and anything elsewhere.

    Without ``ties`` no point of the support has both labels equally likely.
    """
    from hypothesis import strategies as st

    from theory.strategies import balls, finite_laws

    @st.composite
    def draw_case(draw: st.DrawFn) -> SensibleCase:
        law = draw(finite_laws(max_points=4))
        while not ties and any(a == b > 0 for a, b in zip(law.masses[-1], law.masses[+1], strict=True)):
            law = _untied(law)
        row = st.lists(st.sampled_from((-1, +1)), min_size=4, max_size=4)
        free, labels = draw(row), draw(row)
        pairs = zip(law.masses[-1], law.masses[+1], free, strict=False)
        reference = tuple(y if a == b else 1 if b > a else -1 for a, b, y in pairs)
        ball = draw(balls(max_radius=2, denominators=(1, 2)))
        n = len(law.space)
        return SensibleCase(law, reference, tuple(labels[:n]), ball, Fraction(draw(st.sampled_from(thresholds))))

    return draw_case()


def _untied(law: FiniteDistribution) -> FiniteDistribution:
    """The law with all of a tied point's mass of label -1 halved, and the rest scaled to 1."""
    pairs = list(zip(law.masses[-1], law.masses[+1], strict=True))
    minus = [a / 2 if a == b else a for a, b in pairs]
    total = sum(minus) + sum(law.masses[+1])
    return FiniteDistribution.on(law.space, {-1: [a / total for a in minus], +1: [b / total for _, b in pairs]})


def rule(space: FiniteSpace, labels: Labels) -> RegionClassifier:
    """The classifier with these labels at the points."""
    return RegionClassifier({y: Points(space, (i for i, its in enumerate(labels) if its == y)) for y in (-1, +1)})


def _sensible(case: SensibleCase, labels: Labels) -> Fraction:
    space = case.law.space
    f, reference = rule(space, labels), rule(space, case.reference)
    found: Fraction = sensible_risk(f, case.law, case.ball, reference, case.threshold).fraction
    return found


def _all_labels(case: SensibleCase) -> Iterator[Labels]:
    return product((-1, +1), repeat=len(case.law.space))


def _balls(case: SensibleCase) -> list[list[int]]:
    space, ball = case.law.space, case.ball
    n = len(space)
    return [[j for j in range(n) if space.within(i, j, ball.radius, ball.ord)] for i in range(n)]


def _mass(case: SensibleCase, i: int) -> Fraction:
    return Fraction(case.law.masses[-1][i] + case.law.masses[+1][i])


# ---- definitions ----------------------------------------------------------------------------------------------------

DEFINITION_1 = Claim(
    "sense-definition-1",
    "SENSE",
    "Definition 1, eq (2)",
    "Section 3",
    "definition",
    "The sensible adversary moves (x, y) within the ball to a point where the Bayes rule still says y, of largest "
    "loss; it leaves x where the Bayes rule errs.",
    None,
    "theory.risks.sensible_risk",
    reading="The scan lost an inequality sign: x stays where f_B(X) differs from y.",
)
DEFINITION_2 = Claim(
    "sense-definition-2",
    "SENSE",
    "Definition 2, eq (3)",
    "Section 3",
    "definition",
    "The sensible risk is the expected loss at the sensible adversary's point.",
    None,
    "theory.risks.sensible_risk",
)
DEFINITION_3 = Claim(
    "sense-definition-3",
    "SENSE",
    "Definition 3, eq (4)",
    "Section 4",
    "definition",
    "With a reference f_r and c in (0, 1] the adversary may visit x and the points where the loss of f_r is at most "
    "log(1/c).",
    None,
    "theory.risks.sensible_risk, arguments reference and threshold",
)

# ---- Theorem 1 and eq (6) -------------------------------------------------------------------------------------------


def least_margin(case: SensibleCase) -> Fraction:
    """The least of -abs(R_sens(f_r) - R*) and R_sens(f) - R_std(f)."""
    least = sum((min(a, b) for a, b in zip(case.law.masses[-1], case.law.masses[+1], strict=True)), Fraction(0))
    gain = _sensible(case, case.labels) - standard_risk(rule(case.law.space, case.labels), case.law).fraction
    return Fraction(min(equality(_sensible(case, case.reference), least), gain))


def _never_against_itself() -> Evidence:
    """The core of Theorems 1 and 4: labels as z3 integers."""
    from z3 import And, Implies, Ints, Or

    at_z, at_x, y = Ints("reference(z) reference(x) y")
    visits = Or(And(at_x == y, at_z == y), And(at_x != y, at_z == at_x))  # z in S if the reference is right, else z = x
    return solve([visits], {"the reference errs at z only if it errs at x": Implies(at_z != y, at_x != y)})


@claim(
    "sense-theorem-1",
    paper="SENSE",
    label="Theorem 1, first part",
    place="Section 3",
    kind="theorem",
    statement="R_sens(f_B) = R*_std, the least sensible risk.",
    expected="PROVED",
    covers="every law (ties included), metric and eps >= 0, if f and the adversary use the same version of f_B",
)
def theorem_1(budget: int) -> Evidence:
    """Where f_B errs at x, the adversary stays at x, and f_B has the loss 1 there. Where f_B is right at x, every point
    it may visit has f_B = y, so f_B has the loss 0: f_B errs at a point visited only if it errs at x (core). Hence
    R_sens(f_B) = R_std(f_B) = R*. For any f, the adversary may stay at x (x is in S if f_B(x) = y, and it stays
    otherwise), so R_sens(f) >= R_std(f) >= R*.
    """
    return confirmed(_never_against_itself(), sampled(least_margin, sensible_cases(), budget))


def unique_margin(case: SensibleCase) -> int:
    """-1 if some classifier that differs from the reference on positive mass has the least sensible risk, else 0."""
    least = _sensible(case, case.reference)
    for labels in _all_labels(case):
        differs = any(labels[i] != y and _mass(case, i) > 0 for i, y in enumerate(case.reference))
        if differs and _sensible(case, labels) == least:
            return -1
    return 0


ONE = FiniteSpace.of_points([(0,)])
TWO = FiniteSpace.of_points([(0,), (1,)])
TIE = SensibleCase(FiniteDistribution.on(ONE, {-1: ["1/2"], +1: ["1/2"]}), (1,), (-1,), Ball(0))
"""One point with a fair label: either answer has risk 1/2."""


@claim(
    "sense-theorem-1-unique",
    paper="SENSE",
    label="Theorem 1, uniqueness",
    place="Section 3",
    kind="theorem",
    statement="f_B is the unique minimiser of the sensible risk.",
    expected="AMENDED",
    covers="false with ties: one point with a fair label, where both answers have sensible risk 1/2",
    reading="Unique almost surely.",
    amendment="sense-theorem-1-unique-repaired",
)
def theorem_1_unique(_budget: int) -> Evidence:
    return given_case(unique_margin, TIE)


@claim(
    "sense-theorem-1-unique-repaired",
    paper="SENSE",
    label="Theorem 1, uniqueness, repaired",
    place="Section 3",
    kind="repair",
    statement="If labels tie on no mass, every minimiser of the sensible risk equals f_B almost surely.",
    expected="SUPPORTED",
    covers="random finite metric spaces of up to 4 points, two labels, each against all classifiers",
    repairs="sense-theorem-1-unique",
)
def theorem_1_unique_repaired(budget: int) -> Evidence:
    return sampled(unique_margin, sensible_cases(ties=False), budget)


def eq6_margin(case: SensibleCase) -> Fraction:
    """-abs(R_sens - R_std - the sum of eq (6)), the sum taken point by point."""
    near, total = _balls(case), Fraction(0)
    for i, its in enumerate(case.reference):
        attacked = any(case.labels[j] != its for j in near[i] if case.reference[j] == its)
        total += (attacked - (case.labels[i] != its)) * Fraction(case.law.masses[its][i])
    standard = standard_risk(rule(case.law.space, case.labels), case.law).fraction
    return Fraction(equality(_sensible(case, case.labels), standard + total))


@claim(
    "sense-eq6",
    paper="SENSE",
    label="eq (6)",
    place="Appendix B",
    kind="formula",
    statement="R_sens(f) is R_std(f) plus the mass of (x, f_B(x)) where f errs on S_{x,eps}(f_B) but not at x.",
    expected="SUPPORTED",
    covers="random finite metric spaces of up to 4 points, two labels, ties included",
)
def eq6(budget: int) -> Evidence:
    return sampled(eq6_margin, sensible_cases(), budget)


# ---- Theorem 2 and Remark 2 -----------------------------------------------------------------------------------------


def most_robust_margin(case: SensibleCase) -> Fraction:
    """The least, over points x outside DB(f_B, eps), of P(X = x, f attacked) - P(X = x, f_B attacked)."""

    def attacked(labels: Labels, i: int) -> Fraction:
        attackable = [y for y in (-1, +1) if any(labels[j] != y for j in near[i])]
        return sum((Fraction(case.law.masses[y][i]) for y in attackable), Fraction(0))

    near = _balls(case)
    outside = [i for i, js in enumerate(near) if all(case.reference[j] == case.reference[i] for j in js)]
    gains = [attacked(case.labels, i) - attacked(case.reference, i) for i in outside]
    return min(gains, default=Fraction(0))


@claim(
    "sense-theorem-2",
    paper="SENSE",
    label="Theorem 2",
    place="Section 3",
    kind="theorem",
    statement="On every set A outside DB(f_B, eps), f_B is attacked with at most the probability of any other f.",
    expected="PROVED",
    covers="every law, number of labels, metric and eps >= 0, with the same ball in DB and for the attack",
)
def theorem_2(budget: int) -> Evidence:
    """Outside DB(f_B, eps) f_B has one label on the ball, so an attack succeeds exactly if f_B(X) != Y; for any f an
    attack succeeds at least if f(X) != Y, by staying at X. Given X = x these have the probabilities 1 - eta_{f_B(x)}
    and 1 - eta_{f(x)}, and eta_{f_B(x)} is the largest eta: the core. Integrating over A keeps the order.
    """
    from z3 import Reals

    best, other = Reals("eta(f_B(x)) eta(f(x))")
    proof = solve([best >= other, other >= 0, best <= 1], {"f_B errs least": 1 - best <= 1 - other})
    return confirmed(proof, sampled(most_robust_margin, sensible_cases(), budget))


def apart_margin(case: SensibleCase) -> Fraction:
    """0 or, where the classes of a law lie at least 2 eps apart, minus the least robust risk of all classifiers."""
    if not _apart(case, strictly=False):
        return Fraction(0)
    risks = [robust_risk(rule(case.law.space, f), case.law, case.ball).fraction for f in _all_labels(case)]
    return Fraction(-min(risks))


def strictly_apart_margin(case: SensibleCase) -> Fraction:
    """The same where they lie more than 2 eps apart."""
    return apart_margin(case) if _apart(case, strictly=True) else Fraction(0)


def _apart(case: SensibleCase, *, strictly: bool) -> bool:
    space, (minus, plus) = case.law.space, (case.law.masses[-1], case.law.masses[+1])
    pairs = [(i, j) for i in range(len(space)) for j in range(len(space)) if minus[i] and plus[j]]
    within = [_distance(space, i, j, case.ball.ord) for i, j in pairs]
    return all(d > 2 * case.ball.radius if strictly else d >= 2 * case.ball.radius for d in within)


def _distance(space: FiniteSpace, i: int, j: int, ord: float) -> Fraction:
    if space.distances is not None:
        return Fraction(space.distances[i][j])
    if ord != float("inf") or space.coordinates is None:
        raise ValueError(f"distances of points are taken in ord inf here, not {ord}")
    gaps = zip(space.coordinates[i], space.coordinates[j], strict=True)
    return max(abs(Fraction(a) - Fraction(b)) for a, b in gaps)


MIDDLE = SensibleCase(
    FiniteDistribution.of_points([(0,), (1,), (2,)], {-1: ["1/2", 0, 0], +1: [0, 0, "1/2"]}),
    (-1, -1, 1),
    (-1, -1, 1),
    Ball(1),
)
"""Classes at 0 and 2, eps = 1: both balls hold the point 1, which has one label only."""


@claim(
    "sense-remark-2",
    paper="SENSE",
    label="Remark 2",
    place="Section 3",
    kind="remark",
    statement="If the supports of the classes lie at least 2 eps apart, f_B is the most robust almost everywhere, "
    "since its boundary can lie outside all balls.",
    expected="AMENDED",
    covers="false at exactly 2 eps with closed balls: classes at 0 and 2, eps = 1: every rule has robust risk 1/2",
    reading="Then some version of f_B has robust risk 0.",
    amendment="sense-remark-2-repaired",
)
def remark_2(_budget: int) -> Evidence:
    return given_case(apart_margin, MIDDLE)


@claim(
    "sense-remark-2-repaired",
    paper="SENSE",
    label="Remark 2, repaired",
    place="Section 3",
    kind="repair",
    statement="If the supports of the classes lie more than 2 eps apart, some version of f_B has robust risk 0.",
    expected="PROVED",
    covers="every metric, law and number of labels, closed balls",
    repairs="sense-remark-2",
)
def remark_2_repaired(budget: int) -> Evidence:
    """A point z in the balls of x and x' of different classes has d(x, z) <= eps and d(z, x') <= eps, so d(x, x') is at
    most 2 eps, against the premise: the core. So the neighbourhoods B(support of y, eps) are disjoint, and the rule
    that says y on each of them (and anything elsewhere) is well defined. On the support, where the label is certain, it
    is right, so it is a version of f_B, and it is right on the whole ball of almost every X.
    """
    from z3 import Or, Reals

    eps, x_z, z_x, x_x = Reals("eps d(x,z) d(z,x') d(x,x')")
    premises = [eps >= 0, x_z >= 0, z_x >= 0, x_x <= x_z + z_x, x_x > 2 * eps]
    proof = solve(premises, {"no point in both balls": Or(x_z > eps, z_x > eps)})
    return confirmed(proof, sampled(strictly_apart_margin, sensible_cases(), budget))


# ---- Theorem 3 ------------------------------------------------------------------------------------------------------


def _follows(case: SensibleCase, labels: Labels) -> bool:
    """f = f_r on S_{x,eps}(f_r), the points of the ball with the label of x, for every x of positive mass."""
    for i, js in enumerate(_balls(case)):
        seen = [j for j in js if case.reference[j] == case.reference[i]]
        if _mass(case, i) > 0 and any(labels[j] != case.reference[j] for j in seen):
            return False
    return True


def minimisers_margin(case: SensibleCase) -> int:
    """-1 if some classifier minimises the sensible risk without following f_r on S, or follows it and does not."""
    least = min(_sensible(case, labels) for labels in _all_labels(case))
    wrong = any((_sensible(case, labels) == least) != _follows(case, labels) for labels in _all_labels(case))
    return -1 if wrong else 0


@claim(
    "sense-theorem-3",
    paper="SENSE",
    label="Theorem 3, first part",
    place="Section 3",
    kind="theorem",
    statement="For eps > 0 the minimisers of the restricted sensible risk are exactly the f that equal f_B on "
    "S_{X,eps}(f_B) almost surely.",
    expected="AMENDED",
    covers="false with ties: one point with a fair label, where the other answer is a minimiser too",
    amendment="sense-theorem-3-repaired",
)
def theorem_3(_budget: int) -> Evidence:
    return given_case(minimisers_margin, SensibleCase(TIE.law, TIE.reference, TIE.labels, Ball(1)))


@claim(
    "sense-theorem-3-repaired",
    paper="SENSE",
    label="Theorem 3, first part, repaired",
    place="Section 3",
    kind="repair",
    statement="The same, if labels tie on no mass.",
    expected="SUPPORTED",
    covers="random finite metric spaces of up to 4 points with points of mass 0, two labels, all classifiers each",
    repairs="sense-theorem-3",
)
def theorem_3_repaired(budget: int) -> Evidence:
    return sampled(minimisers_margin, sensible_cases(ties=False), max(1, budget // 2))


def covering_margin(case: SensibleCase) -> int:
    """-1 if the support's balls cover the space, but another classifier than f_r has the least sensible risk."""
    near = _balls(case)
    covered = {j for i, js in enumerate(near) for j in js if _mass(case, i) > 0}
    return -1 if len(covered) == len(near) and not _only_reference(case) else 0


def same_label_margin(case: SensibleCase) -> int:
    """0 if f_r is the only minimiser exactly when each point is near one of the support with the same label."""
    near = _balls(case)
    covered = {
        j for i, js in enumerate(near) for j in js if _mass(case, i) > 0 and case.reference[i] == case.reference[j]
    }
    return -1 if (len(covered) == len(near)) != _only_reference(case) else 0


def _only_reference(case: SensibleCase) -> bool:
    least = _sensible(case, case.reference)
    return all(_sensible(case, labels) > least for labels in _all_labels(case) if labels != case.reference)


UNSEEN = SensibleCase(FiniteDistribution.on(TWO, {-1: [1, 0], +1: [0, 0]}), (-1, 1), (-1, -1), Ball(1))
"""Points 0 and 1 with f_B = -1 and +1, all mass at 0, eps = 1: the ball covers both, but S is the point 0 alone."""


@claim(
    "sense-theorem-3-unique",
    paper="SENSE",
    label="Theorem 3, second part",
    place="Section 3",
    kind="theorem",
    statement="If B(restricted support, eps) covers X, f_B is the unique minimiser of the restricted sensible risk.",
    expected="AMENDED",
    covers="false: two points, f_B = -1 and +1, mass at the first only, eps = 1: the second label is free",
    amendment="sense-theorem-3-unique-repaired",
)
def theorem_3_unique(_budget: int) -> Evidence:
    return given_case(covering_margin, UNSEEN)


@claim(
    "sense-theorem-3-unique-repaired",
    paper="SENSE",
    label="Theorem 3, second part, repaired",
    place="Section 3",
    kind="repair",
    statement="Without ties f_B is the only minimiser exactly if for every label k all of {f_B = k} lies in the "
    "neighbourhood of the restricted support's part in {f_B = k}.",
    expected="SUPPORTED",
    covers="random finite metric spaces of up to 4 points with points of mass 0, two labels, all classifiers each",
    repairs="sense-theorem-3-unique",
)
def theorem_3_unique_repaired(budget: int) -> Evidence:
    return sampled(same_label_margin, sensible_cases(ties=False), max(1, budget // 2))


# ---- Theorem 4 ------------------------------------------------------------------------------------------------------


def reference_margin(case: SensibleCase) -> Fraction:
    """The least sensible risk with reference f_r and threshold c, minus that of f_r."""
    return min(_sensible(case, labels) for labels in _all_labels(case)) - _sensible(case, case.reference)


LOW_THRESHOLD = SensibleCase(
    FiniteDistribution.on(TWO, {-1: ["1/4", 0], +1: [0, "3/4"]}), (-1, 1), (1, 1), Ball(1), Fraction(3, 10)
)
"""c = 3/10 < 1/e: the adversary of Definition 3 may visit both points, and saying +1 twice is better than f_r."""


@claim(
    "sense-theorem-4",
    paper="SENSE",
    label="Theorem 4, minimum",
    place="Appendix B",
    kind="theorem",
    statement="With the 0-1 loss and c < 1 the sensible risk with a reference f_r that is Bayes on the support is "
    "minimised by f_r.",
    expected="AMENDED",
    covers="false for c <= 1/e, where loss 1 <= log(1/c) lets the adversary go anywhere: two points, c = 3/10",
    amendment="sense-theorem-4-repaired",
)
def theorem_4(_budget: int) -> Evidence:
    return given_case(reference_margin, LOW_THRESHOLD)


@claim(
    "sense-theorem-4-repaired",
    paper="SENSE",
    label="Theorem 4, minimum, repaired",
    place="Appendix B",
    kind="repair",
    statement="For 1/e < c <= 1 the sensible risk with such a reference is minimised by f_r.",
    expected="PROVED",
    covers="every law, metric and eps >= 0, ties included, 1/e < c <= 1",
    repairs="sense-theorem-4",
)
def theorem_4_repaired(budget: int) -> Evidence:
    """For c > 1/e, log(1/c) < 1, so the adversary may visit only points where f_r has loss 0, beside x, where it has
    loss 0 too if it moves at all. As in Theorem 1, f_r errs at a point it visits only if it errs at x (core), so the
    risk of f_r is its standard risk; it is Bayes on the support, so that is the least one; and every f has at least its
    standard risk, since the adversary may stay.
    """
    cases = sensible_cases(thresholds=("2/5", "1/2", "3/4", "1"))
    return confirmed(_never_against_itself(), sampled(reference_margin, cases, max(1, budget // 2)))


def only_reference_margin(case: SensibleCase) -> int:
    """0 if f_r is the only minimiser, else -1."""
    return 0 if _only_reference(case) else -1


OUT_OF_REACH = SensibleCase(
    FiniteDistribution.on(TWO, {-1: [1, 0], +1: [0, 0]}), (-1, -1), (-1, 1), Ball("1/2"), Fraction(1, 2)
)
"""All mass at 0, the point 1 beyond eps = 1/2: its label changes nothing."""


@claim(
    "sense-theorem-4-unique",
    paper="SENSE",
    label="Theorem 4, uniqueness",
    place="Appendix B",
    kind="theorem",
    statement="For every eps > 0, f_r is the unique minimiser.",
    expected="AMENDED",
    covers="false: two points, mass at the first, the second out of reach",
    reading="Unique everywhere, as the paper concludes that the risk is minimised only by f_r.",
    amendment="sense-theorem-4-unique-repaired",
)
def theorem_4_unique(_budget: int) -> Evidence:
    return given_case(only_reference_margin, OUT_OF_REACH)


@claim(
    "sense-theorem-4-unique-repaired",
    paper="SENSE",
    label="Theorem 4, uniqueness, repaired",
    place="Appendix B",
    kind="repair",
    statement="For 1/e < c <= 1 and without ties the minimisers are exactly the f that equal f_r on S_{X,eps}(f_r) "
    "almost surely.",
    expected="SUPPORTED",
    covers="random finite metric spaces of up to 4 points with points of mass 0, c in {2/5, 1/2, 3/4, 1}",
    repairs="sense-theorem-4-unique",
)
def theorem_4_unique_repaired(budget: int) -> Evidence:
    cases = sensible_cases(ties=False, thresholds=("2/5", "1/2", "3/4", "1"))
    return sampled(minimisers_margin, cases, max(1, budget // 2))

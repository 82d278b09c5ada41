"""Claims of SENSE (Sensible Adversarial Learning): Theorems 1 to 4 with their proofs, eqs (6) to (10), Remarks 2 and 3.

A restricted law is here any finite law: points of mass 0 are what the restriction does not show, and the Bayes rule of
the true law, the reference, is whatever it is there. "Unique" is read almost surely where the paper speaks of the law's
own support, and everywhere where it says so.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product

from proofs_check.claims.sense_cases import (
    Labels,
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
from proofs_check.core import Evidence, claim
from proofs_check.provers import confirmed, equality, every_case, given_case, sampled, solve
from theory.ball import Ball
from theory.distributions import FiniteDistribution
from theory.points import FiniteSpace
from theory.risks import robust_risk, standard_risk

TEXT = (
    "Read in SENSE: Sections 1.2 and 3, the restated theorem with its proof in Appendix B, and Section 2. "
    "In the literature it cites: TRADES (no uniqueness is stated there) and the abstract of Suggala et al. (2018). "
)

# ---- Theorem 1 and eq (6) -------------------------------------------------------------------------------------------


def least_margin(case: SensibleCase) -> Fraction:
    """The least of -abs(R_sens(f_r) - R*) and R_sens(f) - R_std(f)."""
    least = sum((min(a, b) for a, b in zip(case.law.masses[-1], case.law.masses[+1], strict=True)), Fraction(0))
    gain = risk_of(case, case.labels) - standard_risk(rule(case.law.space, case.labels), case.law).fraction
    return Fraction(min(equality(risk_of(case, case.reference), least), gain))


def _never_against_itself() -> Evidence:
    """The core of Theorems 1 and 4: labels as z3 integers."""
    from z3 import And, Implies, Ints, Or

    at_z, at_x, y = Ints("reference(z) reference(x) y")
    visits = Or(And(at_x == y, at_z == y), And(at_x != y, at_z == at_x))  # z in S if the reference is right, else z = x
    return solve([visits], {"the reference errs at z only if it errs at x": Implies(at_z != y, at_x != y)})


def _excess() -> Evidence:
    """The core of uniqueness: the sensible risk given X = x above its least value, without ties.

    With b = f_r(x), best = eta_b and, where f(x) is not b, other = eta_{f(x)}: labels y other than b stay at x, where f
    errs unless y = f(x), and b is attacked exactly if f differs from b somewhere on S.
    """
    from z3 import Bools, If, Implies, Or, Reals

    best, other, rest = Reals("eta_b eta_f(x) others")
    at_x, on_all = Bools("f(x)=b f=b_on_S")
    premises = [best > other, other >= 0, rest >= 0, best + other + rest == 1, Implies(on_all, at_x)]
    risk = If(at_x, other + rest, rest) + If(on_all, 0, best)
    statements = {"at least 1 - eta_b": risk >= 1 - best, "more unless f = f_r on S": Or(on_all, risk > 1 - best)}
    return solve(premises, statements | {"equal if f = f_r on S": Implies(on_all, risk == 1 - best)})


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
    return confirmed(_never_against_itself(), sampled(least_margin, sensible_cases(), few(budget)))


def unique_margin(case: SensibleCase) -> int:
    """-1 if some classifier that differs from the reference on positive mass has the least sensible risk, else 0."""
    least = risk_of(case, case.reference)
    for labels in all_labels(case):
        differs = any(labels[i] != y and mass_at(case, i) > 0 for i, y in enumerate(case.reference))
        if differs and risk_of(case, labels) == least:
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
    searched=TEXT + "No premise excludes ties; the proof says that f_B is the only minimiser of R_std.",
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
    expected="PROVED",
    covers="every law without ties, number of labels, metric and eps >= 0",
    premises=("labels tie on no mass",),
    repairs="sense-theorem-1-unique",
    without={"labels tie on no mass": lambda _budget: given_case(unique_margin, TIE)},
)
def theorem_1_unique_repaired(budget: int) -> Evidence:
    """Given X = x the sensible risk of f is at least 1 - eta_b with b = f_B(x), and larger unless f = b on all of
    S_{x,eps}(f_B), which holds x: the core. Integrated over X, R_sens(f) - R* is the mean of a non-negative excess, so
    it is 0 only if that excess is 0 almost surely, that is, f = f_B on S_{X,eps}(f_B), hence at X, almost surely.
    """
    return confirmed(_excess(), sampled(unique_margin, sensible_cases(ties=False), few(budget)))


def eq6_margin(case: SensibleCase) -> Fraction:
    """-abs(R_sens - R_std - the sum of eq (6)), the sum taken point by point."""
    near, total = near_points(case), Fraction(0)
    for i, its in enumerate(case.reference):
        attacked = any(case.labels[j] != its for j in near[i] if case.reference[j] == its)
        total += (attacked - (case.labels[i] != its)) * Fraction(case.law.masses[its][i])
    standard = standard_risk(rule(case.law.space, case.labels), case.law).fraction
    return Fraction(equality(risk_of(case, case.labels), standard + total))


@claim(
    "sense-eq6",
    paper="SENSE",
    label="eq (6)",
    place="Appendix B",
    kind="formula",
    statement="R_sens(f) is R_std(f) plus the mass of (x, f_B(x)) where f errs on S_{x,eps}(f_B) but not at x.",
    expected="PROVED",
    covers="every law, ties included, number of labels, metric and eps >= 0",
)
def eq6(budget: int) -> Evidence:
    """Given X = x and Y = k the sensible loss is [f_B(x) != k][f(x) != k] + [f_B(x) = k][f errs on S for k], and eq (6)
    has [f(x) != k] + [f_B(x) = k] ([f errs on S for k] - [f(x) != k]). They agree for every value of the three
    brackets (the cases). Multiplied by eta(k|x), summed over k and integrated, that is eq (6).
    """
    return confirmed(_brackets(), sampled(eq6_margin, sensible_cases(), few(budget)))


def bracket_margin(case: tuple[int, int, int]) -> int:
    """-abs(sensible loss - the integrand of eq (6)) for [f_B(x) = k], [f(x) != k] and [f errs on S for k]."""
    trusted, at_x, on_all = case
    return -abs((1 - trusted) * at_x + trusted * on_all - (at_x + trusted * (on_all - at_x)))


def _brackets() -> Evidence:
    return every_case(bracket_margin, product((0, 1), repeat=3), "the values of the three brackets")


# ---- Theorem 2 and Remark 2 -----------------------------------------------------------------------------------------


def most_robust_margin(case: SensibleCase) -> Fraction:
    """The least, over points x outside DB(f_B, eps), of P(X = x, f attacked) - P(X = x, f_B attacked)."""

    def attacked(labels: Labels, i: int) -> Fraction:
        attackable = [y for y in (-1, +1) if any(labels[j] != y for j in near[i])]
        return sum((Fraction(case.law.masses[y][i]) for y in attackable), Fraction(0))

    near = near_points(case)
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
    return confirmed(proof, sampled(most_robust_margin, sensible_cases(), few(budget)))


def apart_margin(case: SensibleCase) -> Fraction:
    """0 or, where the classes of a law lie at least 2 eps apart, minus the least robust risk of all classifiers."""
    if not _apart(case, strictly=False):
        return Fraction(0)
    risks = [robust_risk(rule(case.law.space, f), case.law, case.ball).fraction for f in all_labels(case)]
    return Fraction(-min(risks))


def strictly_apart_margin(case: SensibleCase) -> Fraction:
    """The same where they lie more than 2 eps apart."""
    return apart_margin(case) if _apart(case, strictly=True) else Fraction(0)


def _apart(case: SensibleCase, *, strictly: bool) -> bool:
    space, (minus, plus) = case.law.space, (case.law.masses[-1], case.law.masses[+1])
    pairs = [(i, j) for i in range(len(space)) for j in range(len(space)) if minus[i] and plus[j]]
    within = [distance(space, i, j, case.ball.ord) for i, j in pairs]
    return all(d > 2 * case.ball.radius if strictly else d >= 2 * case.ball.radius for d in within)


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
    searched=TEXT + "Section 1.2 has closed balls (at most eps); Remark 2 and Appendix A print at least 2 eps.",
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
    premises=("the supports lie more than 2 eps apart",),
    repairs="sense-remark-2",
    without={"the supports lie more than 2 eps apart": lambda _budget: given_case(apart_margin, MIDDLE)},
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
    return confirmed(proof, sampled(strictly_apart_margin, sensible_cases(), few(budget)))


# ---- Theorem 3 ------------------------------------------------------------------------------------------------------


def _follows(case: SensibleCase, labels: Labels) -> bool:
    """f = f_r on S_{x,eps}(f_r), the points of the ball with the label of x, for every x of positive mass."""
    for i, js in enumerate(near_points(case)):
        seen = [j for j in js if case.reference[j] == case.reference[i]]
        if mass_at(case, i) > 0 and any(labels[j] != case.reference[j] for j in seen):
            return False
    return True


def minimisers_margin(case: SensibleCase) -> int:
    """-1 if some classifier minimises the sensible risk without following f_r on S, or follows it and does not."""
    least = min(risk_of(case, labels) for labels in all_labels(case))
    wrong = any((risk_of(case, labels) == least) != _follows(case, labels) for labels in all_labels(case))
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
    searched=TEXT + "No premise excludes ties; the proof takes only rules that equal f_B on the support.",
)
def theorem_3(_budget: int) -> Evidence:
    return given_case(minimisers_margin, SensibleCase(TIE.law, TIE.reference, TIE.labels, Ball(1)))


@claim(
    "sense-theorem-3-repaired",
    paper="SENSE",
    label="Theorem 3, first part, repaired",
    place="Section 3",
    kind="repair",
    statement="If labels tie on no mass, the minimisers of the restricted sensible risk are exactly the f that equal "
    "f_B on S_{X,eps}(f_B) almost surely.",
    expected="PROVED",
    covers="every law and restriction of it without ties, number of labels, metric and eps >= 0",
    premises=("labels tie on no mass",),
    repairs="sense-theorem-3",
    without={"labels tie on no mass": lambda _budget: given_case(minimisers_margin, TIE)},
)
def theorem_3_repaired(budget: int) -> Evidence:
    """Given X = x the sensible risk is 1 - eta_b, with b = f_B(x), if f = b on S, and larger otherwise: the core. So
    R_sens(f) is R* exactly if f = f_B on S_{X,eps}(f_B) almost surely. On the restricted support the conditional law of
    Y is the true one, so f_B is Bayes there.
    """
    return confirmed(_excess(), sampled(minimisers_margin, sensible_cases(ties=False), few(budget)))


def gap_margin(case: SensibleCase) -> Fraction:
    """R_sens(f) - R* - P(A)/2 for the labels of the case made f_B on the support, A where f errs on S."""
    pairs = zip(case.labels, case.reference, range(len(case.labels)), strict=True)
    labels = tuple(y if mass_at(case, i) > 0 else f for f, y, i in pairs)
    near, reference = near_points(case), case.reference
    bad = [i for i, js in enumerate(near) if any(labels[j] != reference[j] == reference[i] for j in js)]
    mass = sum((mass_at(case, i) for i in bad), Fraction(0))
    return risk_of(case, labels) - risk_of(case, reference) - mass / 2


@claim(
    "sense-theorem-3-gap",
    paper="SENSE",
    label="Theorem 3, the gap in its proof",
    place="Appendix B",
    kind="lemma",
    statement="P(Y = f_B(x) | x) is at least 1/K; a rule that equals f_B on the restricted support, but not on S for "
    "the x of a set A, has R_sens at least R* + P(A)/K.",
    expected="PROVED",
    covers="every law, ties included, number K of labels, metric and eps >= 0",
)
def theorem_3_gap(budget: int) -> Evidence:
    """The K conditional probabilities sum to 1 and none exceeds eta_b, so 1 <= K eta_b (core, for the mean 1/K of the
    K: the sum is at most K times the largest). For such f eq (6) has the excess eta_b(x) on A and 0 elsewhere, and its
    mean is at least P(A)/K.
    """
    from z3 import Reals

    best, others, number = Reals("eta_b others K")
    premises = [number >= 1, best >= 0, others <= (number - 1) * best, best + others == 1]
    proof = solve(premises, {"K eta_b >= 1": number * best >= 1})
    return confirmed(proof, sampled(gap_margin, sensible_cases(), few(budget)))


def covering_margin(case: SensibleCase) -> int:
    """-1 if the support's balls cover the space, but another classifier than f_r has the least sensible risk."""
    near = near_points(case)
    covered = {j for i, js in enumerate(near) for j in js if mass_at(case, i) > 0}
    return -1 if len(covered) == len(near) and not _only_reference(case) else 0


def same_label_margin(case: SensibleCase) -> int:
    """0 if f_r is the only minimiser exactly when each point is near one of the support with the same label."""
    near = near_points(case)
    covered = {
        j for i, js in enumerate(near) for j in js if mass_at(case, i) > 0 and case.reference[i] == case.reference[j]
    }
    return -1 if (len(covered) == len(near)) != _only_reference(case) else 0


def _only_reference(case: SensibleCase) -> bool:
    least = risk_of(case, case.reference)
    return all(risk_of(case, labels) > least for labels in all_labels(case) if labels != case.reference)


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
    searched=TEXT + "The proof ends with: for such eps the class A_eps is f_B alone; S is not the whole ball there.",
)
def theorem_3_unique(_budget: int) -> Evidence:
    return given_case(covering_margin, UNSEEN)


@claim(
    "sense-theorem-3-unique-repaired",
    paper="SENSE",
    label="Theorem 3, second part, repaired",
    place="Section 3",
    kind="repair",
    statement="Without ties f_B is the only minimiser exactly if, for every point z, the restricted law has with "
    "positive probability X within eps of z and f_B(X) = f_B(z).",
    expected="PROVED",
    covers="every law and restriction of it without ties, number of labels, metric and eps >= 0; everywhere, not a.s.",
    premises=("labels tie on no mass",),
    repairs="sense-theorem-3-unique",
    without={"labels tie on no mass": lambda _budget: given_case(same_label_margin, TIE)},
)
def theorem_3_unique_repaired(budget: int) -> Evidence:
    """By the core, f is a minimiser exactly if f = f_B on S_{X,eps}(f_B) almost surely; z lies in S_{X,eps}(f_B) if and
    only if |X - z| <= eps and f_B(X) = f_B(z). If that has positive probability for every z, a minimiser has f(z) =
    f_B(z) everywhere. If it is null for some z, changing f_B at z alone gives another minimiser.
    """
    return confirmed(_excess(), sampled(same_label_margin, sensible_cases(ties=False), few(budget)))


# ---- Theorem 4 ------------------------------------------------------------------------------------------------------


def reference_margin(case: SensibleCase) -> Fraction:
    """The least sensible risk with reference f_r and threshold c, minus that of f_r."""
    return min(risk_of(case, labels) for labels in all_labels(case)) - risk_of(case, case.reference)


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
    searched=TEXT + "The premise is c < 1 with the 0-1 loss; no lower bound on c is printed.",
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
    premises=("1/e < c <= 1",),
    repairs="sense-theorem-4",
    without={"1/e < c <= 1": lambda _budget: given_case(reference_margin, LOW_THRESHOLD)},
)
def theorem_4_repaired(budget: int) -> Evidence:
    """For c > 1/e, log(1/c) < 1, so the adversary may visit only points where f_r has loss 0, beside x, where it has
    loss 0 too if it moves at all. As in Theorem 1, f_r errs at a point it visits only if it errs at x (core), so the
    risk of f_r is its standard risk; it is Bayes on the support, so that is the least one; and every f has at least its
    standard risk, since the adversary may stay.
    """
    cases = sensible_cases(thresholds=("2/5", "1/2", "3/4", "1"))
    return confirmed(_never_against_itself(), sampled(reference_margin, cases, few(budget)))


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
    searched=TEXT + "The proof ends with: this essentially says f should be f_r.",
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
    expected="PROVED",
    covers="every law without ties, number of labels, metric and eps >= 0",
    premises=("1/e < c <= 1", "labels tie on no mass"),
    repairs="sense-theorem-4-unique",
    without={
        "1/e < c <= 1": lambda _budget: given_case(minimisers_margin, LOW_THRESHOLD),
        "labels tie on no mass": lambda _budget: given_case(minimisers_margin, TIE),
    },
)
def theorem_4_unique_repaired(budget: int) -> Evidence:
    """For c > 1/e the adversary visits, beside x, the points of the ball where f_r says y; if f_r(x) = y these are
    S = {z : f_r(z) = f_r(x)} with x in it. So the core applies with f_r in the place of f_B.
    """
    cases = sensible_cases(ties=False, thresholds=("2/5", "1/2", "3/4", "1"))
    return confirmed(_excess(), sampled(minimisers_margin, cases, few(budget)))

"""Claims of SENSE about the threshold c, eqs (11) to (13) and margins (Sections 5.2 and 6, Appendices E and F).

Conventions as in ``sense_loss``: an example is described by the probability p_y of its label at x and on the ball.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from proofs_check.claims.sense_cases import SensibleCase, few, risk_of, rule
from proofs_check.claims.sense_loss import TEXT, Stage, in_general, stages
from proofs_check.core import Evidence, claim, definition
from proofs_check.provers import confirmed, equality, given_case, identity, sampled, solve
from theory.ball import Ball
from theory.distributions import FiniteDistribution
from theory.risks import standard_risk

sense, sense_definition = partial(claim, paper="SENSE"), partial(definition, paper="SENSE")

# ---- the threshold c ------------------------------------------------------------------------------------------------


def natural_training_margin(case: SensibleCase) -> Fraction:
    """-abs(R_sens(f|f_r) - R_std(f))."""
    standard = standard_risk(rule(case.law.space, case.labels), case.law).fraction
    return Fraction(equality(risk_of(case, case.labels), standard))


ZERO_ONE = SensibleCase(
    FiniteDistribution.of_points([(0,), (1,)], {-1: [1, 0], +1: [0, 0]}), (-1, -1), (-1, 1), Ball(1), Fraction(1)
)


@sense(
    "sense-c-one",
    label="Section 5.2, c = 1",
    place="Section 5.2",
    kind="procedure",
    statement="For c = 1 sensible adversarial training is natural training.",
    expected="PROVED",
    covers="the cross-entropy loss of softmax probabilities with finite scores, at least two labels",
    premises=("the loss is the cross-entropy",),
    without={"the loss is the cross-entropy": lambda _budget: given_case(natural_training_margin, ZERO_ONE)},
)
def c_one(_budget: int) -> Evidence:
    """A softmax of finite scores has p_y = a/(a + b) with a, b > 0, so p_y < 1 = c everywhere (core): S = {x} for every
    x, and no example is moved. Under the 0-1 loss, log(1/c) = 0 allows all points where f_r is right.
    """
    from z3 import Reals

    a, b, p = Reals("exp(s_y) others p_y")
    return solve([a > 0, b > 0, p * (a + b) == a], {"p_y < 1": p < 1})


@sense(
    "sense-c-zero",
    label="Section 5.2 and Appendix D, c = 0",
    place="Section 5.2",
    kind="procedure",
    statement="For c = 0 it is adversarial training without any perturbation of wrongly classified examples.",
    expected="PROVED",
    covers="every model; c = 0 lies outside Definition 3 and Algorithms 1 to 3, and is read as the limit",
)
def c_zero(budget: int) -> Evidence:
    """p_y >= 0 = c everywhere, so S is the ball: where f(x) = y eq (4) takes the largest loss over the ball, as eq (1)
    does, and otherwise x. The core has this for the general form of the stages, the sample for drawn ones.
    """
    from z3 import And, Implies, Not

    premises, of = in_general()
    full = And(Implies(of["right"], of["first"] == of["low"]), Implies(Not(of["right"]), of["first"] == of["x"]))
    proof = solve([*premises, of["low"] >= of["c"]], {"the whole ball, where f is right": full})

    def margin(case: Stage) -> Fraction:
        value = min(case.confidences) if case.right else case.confidences[0]
        return Fraction(equality(case.sensible, value))

    return confirmed(proof, sampled(margin, stages(("0",)), few(budget)))


def bound_margin(c: Fraction) -> Fraction:
    """exp(log(1/c)) - exp(log(1/(1/2))) = 1/c - 2: negative if log(1/c) is below the bound at c = 1/2."""
    return 1 / c - 2


@sense(
    "sense-loss-bound",
    label="Section 5.2, least loss bound",
    place="Section 5.2",
    kind="formula",
    statement="c = 1/2 has the least loss bound among c >= 1/2.",
    expected="AMENDED",
    covers="false: log(1/c) is log(4/3) at c = 3/4 and log(2) at c = 1/2",
    reading="The loss bound is log(1/c).",
    amendment="sense-loss-bound-repaired",
    searched=TEXT
    + "Section 5.2 names the bound; the next words, the range of c with stable learning, do not change it.",
)
def loss_bound(_budget: int) -> Evidence:
    return given_case(bound_margin, Fraction(3, 4))


@sense(
    "sense-loss-bound-repaired",
    label="Section 5.2, least loss bound, repaired",
    place="Section 5.2",
    kind="repair",
    statement="c = 1/2 has the largest loss bound among c >= 1/2 (and is the least such c).",
    expected="PROVED",
    covers="1/2 <= c <= 1",
    repairs="sense-loss-bound",
)
def loss_bound_repaired(_budget: int) -> Evidence:
    """log increases, so the order of log(1/c) is that of 1/c, and 1/c <= 2: the core."""
    from z3 import Reals

    c, inverse = Reals("c 1/c")
    return solve([2 * c >= 1, c <= 1, c * inverse == 1], {"1/c <= 2": inverse <= 2})


def lowest_margin(case: Stage) -> Fraction:
    """p_y of the sensible example minus c."""
    return case.sensible - case.c


@sense(
    "sense-c-lowest",
    label="Section 6, meaning of c",
    place="Section 6",
    kind="remark",
    statement="c is the lowest bound of the prediction probability.",
    expected="AMENDED",
    covers="false on the natural stage: p_y = 3/5 at x, no other point, c = 7/10",
    amendment="sense-c-lowest-repaired",
    searched=TEXT + "Section 6 gives no premise; Appendix F has the same for the loss.",
)
def c_lowest(_budget: int) -> Evidence:
    return given_case(lowest_margin, Stage((Fraction(3, 5),), Fraction(7, 10)))


@sense(
    "sense-c-lowest-repaired",
    label="Section 6, meaning of c, repaired",
    place="Section 6",
    kind="repair",
    statement="Where p_y(x) >= c the sensible example has p_y >= c.",
    expected="PROVED",
    covers="every c in (0, 1], number of labels, metric and eps; also Algorithm 1, which accepts no other point",
    premises=("p_y(x) >= c",),
    repairs="sense-c-lowest",
    without={"p_y(x) >= c": lambda _budget: given_case(lowest_margin, Stage((Fraction(3, 5),), Fraction(7, 10)))},
)
def c_lowest_repaired(_budget: int) -> Evidence:
    """Every point of S other than x has p_y >= c, and so has x: the core."""
    premises, of = in_general()
    return solve([*premises, of["x"] >= of["c"]], {"p_y >= c": of["first"] >= of["c"]})


def loss_floor_margin(case: Stage) -> Fraction:
    """c minus p_y of the sensible example: negative if its loss is below log(1/c)."""
    return case.c - case.sensible


@sense(
    "sense-appendix-f-floor",
    label="Appendix F, lower bound of the loss",
    place="Appendix F",
    kind="remark",
    statement="c directly controls the lower bound of the natural and adversarial loss of an example.",
    expected="AMENDED",
    covers="false as a lower bound: p_y = 9/10 at x, 4/5 elsewhere, c = 7/10: both losses are below log(1/c)",
    reading="The bound is log(1/c): the sentence goes on to call c the lower bound of the probability.",
    amendment="sense-appendix-f-floor-repaired",
    searched=TEXT + "The next sentence has the right direction for the probability.",
)
def loss_floor(_budget: int) -> Evidence:
    return given_case(loss_floor_margin, Stage((Fraction(9, 10), Fraction(4, 5)), Fraction(7, 10)))


@sense(
    "sense-appendix-f-floor-repaired",
    label="Appendix F, lower bound of the loss, repaired",
    place="Appendix F",
    kind="repair",
    statement="Where the natural loss is at most log(1/c), that is an upper bound of the sensible loss.",
    expected="PROVED",
    covers="every c in (0, 1], number of labels, metric and eps",
    premises=("p_y(x) >= c",),
    repairs="sense-appendix-f-floor",
    without={"p_y(x) >= c": lambda _budget: given_case(lowest_margin, Stage((Fraction(3, 5),), Fraction(7, 10)))},
)
def loss_floor_repaired(budget: int) -> Evidence:
    """loss <= log(1/c) is p_y >= c, so this is the claim on the meaning of c, repaired; it is proved there and here."""
    premises, of = in_general()
    proof = solve([*premises, of["x"] >= of["c"]], {"p_y >= c": of["first"] >= of["c"]})
    return confirmed(
        proof, sampled(lambda case: max(case.c - case.confidences[0], lowest_margin(case)), stages(), few(budget))
    )


# ---- eqs (11) to (13) -----------------------------------------------------------------------------------------------


@sense(
    "sense-eq11",
    label="eq (11)",
    place="Appendix F",
    kind="formula",
    statement="The mean sensible loss is |A|/n R_std(f|A) + |B|/n R_rob(f|B) + |C|/n R_rob(f|C), the risks being means "
    "over the sets, on B against the sensible adversary.",
    expected="PROVED",
    covers="every loss and sample divided into A, B (less A) and C; an empty set's term is 0",
    reading="The scan lost the fraction |B|/n and a mark on the risk over B.",
)
def eq11(_budget: int) -> Evidence:
    """The three sets divide the sample, so its sum of losses is that of theirs, |A| R_std(f|A) and so on: the core."""
    from sympy import symbols

    of_a, of_b, of_c, a, b, c, n = symbols("sum_A sum_B sum_C A B C n", positive=True)
    parts = sum(size / n * total / size for size, total in ((a, of_a), (b, of_b), (c, of_c)))
    return identity({"the mean": (of_a + of_b + of_c) / n - parts})


@sense(
    "sense-eq12",
    label="eq (12)",
    place="Appendix F",
    kind="formula",
    statement="(sum over A of natural losses + lambda sum over C of adversarial ones)/(|A| + lambda |C|) is "
    "|A|/(|A| + lambda |C|) R_std(f|A) + lambda |C|/(|A| + lambda |C|) R_rob(f|C).",
    expected="PROVED",
    covers="every loss, sample and lambda > 0",
)
def eq12(_budget: int) -> Evidence:
    """R_std(f|A) is the sum over A divided by |A|, R_rob(f|C) that over C divided by |C|: the core."""
    from sympy import symbols

    of_a, of_c, a, c, lam = symbols("sum_A sum_C A C lambda", positive=True)
    whole = (of_a + lam * of_c) / (a + lam * c)
    return identity({"the mixture": whole - a / (a + lam * c) * of_a / a - lam * c / (a + lam * c) * of_c / c})


EQ_13 = sense_definition(
    "sense-eq13",
    label="eq (13)",
    place="Appendix F",
    statement="The objective of TRADES: E[loss(f(X), Y) + beta max over the ball of loss(f(X'), f(X))], beta > 0.",
    covers="(TRADES, eq (5)) with beta = 1/lambda; deep.objectives.TRADES",
)

# ---- Appendix E: margins --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attacked:
    """Predicted probabilities, the true label's first, at x and at the attacked point."""

    natural: tuple[Fraction, ...]
    adversarial: tuple[Fraction, ...]


def ratio(probabilities: tuple[Fraction, ...]) -> Fraction:
    """exp(margin): p_y over the largest other probability."""
    return probabilities[0] / max(probabilities[1:])


def adversarial_margin(case: Attacked) -> Fraction:
    """exp(natural margin) - exp(adversarial margin), for an attack that does not lower the cross-entropy; else 0."""
    if case.adversarial[0] > case.natural[0]:
        return Fraction(0)
    return ratio(case.natural) - ratio(case.adversarial)


THREE = Attacked(
    (Fraction(40, 100), Fraction(35, 100), Fraction(25, 100)), (Fraction(39, 100), Fraction(61, 200), Fraction(61, 200))
)


@sense(
    "sense-figure-8-margin",
    label="Figures 3 and 8, the margin",
    place="Appendix E",
    kind="formula",
    statement="M = log p_y - max over y' != y of log p_y' = s_y - max over y' != y of s_y', with scores s.",
    expected="PROVED",
    covers="softmax probabilities of any number of labels",
)
def margin_of_scores(_budget: int) -> Evidence:
    """log p_k = s_k - log(sum of exp s_j), so a difference of two loses the sum (core, u the other terms); the largest
    other p has the largest other score, as exp increases.
    """
    from sympy import exp, expand_log, log, symbols

    mine, other, rest = symbols("s_y s_other u", positive=True)
    total = exp(mine) + exp(other) + rest
    difference = log(exp(mine) / total) - log(exp(other) / total)
    return identity({"log p_y - log p_y'": expand_log(difference, force=True) - (mine - other)})


@sense(
    "sense-appendix-e-margin",
    label="Appendix E, lower bound of the margin",
    place="Appendix E",
    kind="formula",
    statement="If p_y(x) >= c, the margin is M >= log(p_y/(1 - p_y)) >= log(c/(1 - c)).",
    expected="PROVED",
    covers="every number of labels, 0 < c <= p_y < 1; equality in the first if one other label has all the rest",
)
def margin_bound(_budget: int) -> Evidence:
    """Every other label has p_y' <= 1 - p_y, so p_y/p_y' >= p_y/(1 - p_y), and t/(1 - t) increases: the core, with
    products for quotients. log increases.
    """
    from z3 import Reals

    p, other, c = Reals("p_y p_other c")
    premises = [p >= c, c > 0, p < 1, other > 0, p + other <= 1]
    return solve(premises, {"first": p * (1 - p) >= p * other, "second": p * (1 - c) >= c * (1 - p)})


@sense(
    "sense-appendix-e-prerequisite",
    label="Appendix E, prerequisite for a perturbation",
    place="Appendix E",
    kind="remark",
    statement="p_y(x) >= c is a prerequisite for any adversarial perturbation of x.",
    expected="PROVED",
    covers="eq (4) with exact maximisers, every c and number of labels; Algorithm 1 is another claim",
    reading="Otherwise x itself has the largest loss on S, so nothing is gained by moving.",
)
def prerequisite(_budget: int) -> Evidence:
    """For p_y(x) < c all other points of S have p_y >= c > p_y(x), so x maximises the loss on S: the core."""
    from z3 import Implies

    premises, of = in_general()
    return solve(premises, {"x is its own example": Implies(of["x"] < of["c"], of["first"] == of["x"])})


@sense(
    "sense-appendix-e-confidence",
    label="Appendix E, confidence",
    place="Appendix E",
    kind="remark",
    statement="If a model cannot predict x with confidence, neither can it its adversarial examples.",
    expected="PROVED",
    covers="p_y at the worst point of a ball is at most p_y(x), every model, number of labels, metric and eps",
    reading="For an attack that finds the worst point, or keeps x if it finds none worse.",
)
def confidence(_budget: int) -> Evidence:
    """x is in its own ball, so the least p_y over the ball is at most p_y(x): the core."""
    from z3 import If, Reals

    x, elsewhere = Reals("p(x) least_elsewhere")
    return solve([x >= 0], {"the least p_y": If(x < elsewhere, x, elsewhere) <= x})


@sense(
    "sense-appendix-e-upper",
    label="Appendix E, natural and adversarial margin",
    place="Appendix E",
    kind="remark",
    statement="The natural margin of x is an upper bound of its adversarial margin.",
    expected="AMENDED",
    covers="false for three labels: (.40, .35, .25) at x, (.39, .305, .305) at a point of larger cross-entropy",
    reading="The attack maximises the cross-entropy (PGD); the margins are compared by their exponentials.",
    amendment="sense-appendix-e-upper-repaired",
    searched=TEXT + "Figure 3 defines the adversarial margin at a full PGD attack, which maximises the loss.",
)
def margin_upper(_budget: int) -> Evidence:
    return given_case(adversarial_margin, THREE)


@sense(
    "sense-appendix-e-upper-repaired",
    label="Appendix E, natural and adversarial margin, repaired",
    place="Appendix E",
    kind="repair",
    statement="It is for two labels.",
    expected="PROVED",
    covers="two labels, probabilities in (0, 1), every attack that does not lower the cross-entropy",
    premises=("K = 2",),
    repairs="sense-appendix-e-upper",
    without={"K = 2": lambda _budget: given_case(adversarial_margin, THREE)},
)
def margin_upper_repaired(_budget: int) -> Evidence:
    """With two labels exp(M) = p/(1 - p) increases in p, and the attack does not raise p: the core, with products."""
    from z3 import Reals

    p, attacked = Reals("p p_attacked")
    premises = [attacked <= p, attacked > 0, p < 1]
    return solve(premises, {"the ratio": attacked * (1 - p) <= p * (1 - attacked)})

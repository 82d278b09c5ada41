"""Claims of SENSE about its loss: eqs (4), (5) and (11) to (13), the three stages, Appendices D, E and F.

The cross-entropy loss is -log p with p the predicted probability of the true label, which decreases in p; so an example
is described by p at x and at the other points of its ball, and every comparison of losses is one of probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

from proofs_check.claims.sense_cases import few
from proofs_check.core import Evidence, claim, definition
from proofs_check.provers import confirmed, equality, every_case, given_case, identity, sampled, solve

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

sense, sense_definition = partial(claim, paper="SENSE"), partial(definition, paper="SENSE")

TEXT = "Read in SENSE: Section 4, Definition 3, Appendices D, E and F. No cited work treats the generalised adversary. "
HALF = Fraction(1, 2)
C_HALF, CONTINUOUS = "c >= 1/2", "p_y is continuous and the ball is convex"


@dataclass(frozen=True, slots=True)
class Stage:
    """Two labels: the probability p_y predicted for the true one at x, then at the other points of its ball; and c."""

    confidences: tuple[Fraction, ...]
    c: Fraction

    @property
    def right(self) -> bool:
        """f(x) = y; at p_y = 1/2 the labels tie, which counts as an error here."""
        return self.confidences[0] > HALF

    @property
    def allowed(self) -> list[Fraction]:
        """p_y on S_{x,eps}(f) of Definition 3: at x, and where the loss is at most log(1/c)."""
        x, *others = self.confidences
        return [x, *(p for p in others if p >= self.c)]

    @property
    def only_x(self) -> bool:
        """S = {x}."""
        return len(self.allowed) == 1

    @property
    def whole_ball(self) -> bool:
        """S is the ball."""
        return len(self.allowed) == len(self.confidences)

    @property
    def sensible(self) -> Fraction:
        """p_y at the sensible example of eq (4) with f_r = f, the first line of eq (5)."""
        return min(self.allowed) if self.right else self.confidences[0]

    @property
    def by_losses(self) -> Fraction:
        """p_y at the example by the second line of eq (5)."""
        x, worst = self.confidences[0], min(self.confidences)
        return x if x < self.c else worst if worst >= self.c else min(self.allowed)


def stages(thresholds: tuple[str, ...] = ("3/10", "1/2", "7/10")) -> SearchStrategy[Stage]:
    """Stages with up to three other points."""
    from hypothesis import strategies as st

    from theory.strategies import rationals

    number = rationals(denominators=(10, 20))
    confidences = st.lists(number, min_size=1, max_size=4).map(tuple)
    return st.builds(Stage, confidences, st.sampled_from([Fraction(c) for c in thresholds]))


HIGH = ("1/2", "7/10", "9/10")


def in_general() -> tuple[list[Any], dict[str, Any]]:
    """Any number of labels, in z3: premises and the quantities that eqs (4) and (5) speak of.

    x and low are p_y at x and its least value on the ball, s the least of the values >= c on the ball, if any is.
    """
    from z3 import And, Bools, If, Implies, Reals

    x, low, s, c = Reals("p(x) least_p s c")
    right, some = Bools("f(x)=y some_p>=c")
    premises = [
        x >= 0, x <= 1, low >= 0, low <= x, c > 0, c <= 1, Implies(2 * x > 1, right),
        Implies(some, s >= c), Implies(x >= c, And(some, s <= x)), Implies(low >= c, And(some, s == low)),
        Implies(And(some, low < c), s > low),
    ]  # fmt: skip
    first = If(right, If(And(some, s < x), s, x), x)
    second = If(x < c, x, If(low >= c, low, s))
    return premises, {"x": x, "low": low, "s": s, "c": c, "right": right, "first": first, "second": second}


# ---- eq (4) and the stages ------------------------------------------------------------------------------------------


@sense(
    "sense-eq4-cross-entropy",
    label="eq (4), cross-entropy",
    place="Section 4",
    kind="formula",
    statement="For the cross-entropy loss, loss <= log(1/c) is equivalent to p_y(x) >= c.",
    expected="PROVED",
    covers="every c in (0, 1] and p_y > 0; at p_y = 0 the loss is infinite and neither holds",
)
def eq4_cross_entropy(_budget: int) -> Evidence:
    """log(1/c) - (-log p) = log(p/c) (core), which is >= 0 exactly if p >= c, as log increases and log 1 = 0."""
    from sympy import expand_log, log, symbols

    p, c = symbols("p c", positive=True)
    return identity({"log(1/c) - loss": expand_log(log(1 / c) + log(p) - log(p / c))})


@sense(
    "sense-eq4-binary",
    label="eq (4), binary case",
    place="Section 4",
    kind="formula",
    statement="With two labels, c = 1/2 keeps the perturbed examples on y's side of the decision boundary of f_r, and "
    "a larger c out of its vicinity.",
    expected="PROVED",
    covers="two labels; at c = 1/2 ties p_y = 1/2 are allowed; for c > 1/2 the other label is 2c - 1 less likely",
)
def eq4_binary(_budget: int) -> Evidence:
    """The other label has 1 - p_y, so p_y >= 1/2 says that y is (one of) the most likely, and p_y >= c that it leads by
    at least 2c - 1: the core.
    """
    from z3 import Reals

    p, c = Reals("p_y c")
    premises = [p >= c, 2 * c >= 1, p <= 1]
    return solve(premises, {"y is most likely": p >= 1 - p, "by 2c - 1": p - (1 - p) >= 2 * c - 1})


STAGES = sense_definition(
    "sense-stages",
    label="Section 4, three stages",
    place="Section 4",
    statement="A holds the x with f_r(x) != y or S = {x}, B those where S is neither the ball nor {x}, C the rest: the "
    "natural stage, the sensibly reversed one, and full PGD.",
    covers="Stage in this module",
)


def partition_margin(case: Stage) -> int:
    """-abs(number of the sets A, B, C that x is in, less 1)."""
    return -abs(sum(sets_of(case, exclude=False)) - 1)


def sets_of(case: Stage, *, exclude: bool) -> tuple[bool, bool, bool]:
    natural = not case.right or case.only_x
    reversed_ = not case.only_x and not case.whole_ball and not (exclude and natural)
    return natural, reversed_, not (natural or reversed_)


@sense(
    "sense-stages-partition",
    label="Section 4, partition",
    place="Section 4",
    kind="remark",
    statement="The sensible adversary divides the data into the three subsets A, B and C.",
    expected="AMENDED",
    covers="false: p_y = 2/5 at x, 4/5 and 3/10 elsewhere on the ball, c = 1/2: x is in A (misclassified) and in B",
    amendment="sense-stages-partition-repaired",
    searched=TEXT + "The set B is printed by S alone, so a misclassified x with a confident neighbour is in A and B.",
)
def stages_partition(_budget: int) -> Evidence:
    return given_case(partition_margin, Stage((Fraction(2, 5), Fraction(4, 5), Fraction(3, 10)), HALF))


@sense(
    "sense-stages-partition-repaired",
    label="Section 4, partition, repaired",
    place="Section 4",
    kind="repair",
    statement="With B less A in the place of B it does.",
    expected="PROVED",
    covers="every f_r, c, metric and eps",
    repairs="sense-stages-partition",
)
def stages_partition_repaired(budget: int) -> Evidence:
    """Whether x is in A, B and C depends on three truth values: f_r(x) = y, S = {x}, S = ball. All are tried."""

    def margin(case: tuple[bool, bool, bool]) -> int:
        right, only_x, ball = case
        natural = not right or only_x
        reversed_ = not only_x and not ball and not natural
        return -abs(natural + reversed_ + (not (natural or reversed_)) - 1)

    proof = every_case(margin, product((False, True), repeat=3), "the truth values of f_r(x) = y, S = {x}, S = ball")
    sample = sampled(lambda case: -abs(sum(sets_of(case, exclude=True)) - 1), stages(), few(budget))
    return confirmed(proof, sample)


# ---- eq (5) ---------------------------------------------------------------------------------------------------------


def eq5_margin(case: Stage) -> Fraction:
    """-abs(p_y at the sensible example by the first line of eq (5) - by the second)."""
    return Fraction(equality(case.sensible, case.by_losses))


LOW_C = Stage((Fraction(2, 5), Fraction(7, 20)), Fraction(3, 10))
"""Misclassified, yet with a loss below log(1/c), as the whole ball: c = 3/10 < 1/2."""


@sense(
    "sense-eq5",
    label="eq (5)",
    place="Section 4",
    kind="formula",
    statement="With f_r = f the sensible loss is loss(x) where that is above log(1/c), the loss of full PGD where that "
    "is at most log(1/c), and loss(x_s) between.",
    expected="AMENDED",
    covers="false for c < 1/2: p_y = 2/5 at x (misclassified, so not moved), 7/20 elsewhere, c = 3/10: the second line "
    "moves x",
    reading="Both lines with exact maximisers; a loss is told by p_y.",
    amendment="sense-eq5-repaired",
    searched=TEXT + "c >= 0.5 is named only in the sentences after eq (5).",
)
def eq5(_budget: int) -> Evidence:
    return given_case(eq5_margin, LOW_C)


@sense(
    "sense-eq5-repaired",
    label="eq (5), repaired",
    place="Section 4",
    kind="repair",
    statement="For c >= 1/2 both lines of eq (5) agree.",
    expected="PROVED",
    covers="every number of labels, metric and eps; exact maximisers, whichever way ties at p_y = 1/2 go",
    premises=(C_HALF,),
    repairs="sense-eq5",
    without={C_HALF: lambda _budget: given_case(eq5_margin, LOW_C)},
)
def eq5_repaired(budget: int) -> Evidence:
    """If p_y(x) > 1/2, then f(x) = y whatever the number of labels. The core compares both lines for all values that
    p_y at x, its least value on the ball, its least value >= c there, c and [f(x) = y] can have together.
    """
    premises, of = in_general()
    proof = solve([*premises, 2 * of["c"] >= 1], {"both lines agree": of["first"] == of["second"]})
    return confirmed(proof, sampled(eq5_margin, stages(HIGH), few(budget)))


def natural_set_margin(case: Stage) -> int:
    """-1 if the loss at x is above log(1/c) and x is not in A, or the other way round."""
    return 0 if (case.confidences[0] < case.c) == (not case.right or case.only_x) else -1


@sense(
    "sense-eq5-natural-set",
    label="Section 4, the set A for c >= 1/2",
    place="Section 4",
    kind="remark",
    statement="For c >= 1/2, A is the set where the natural loss is above log(1/c).",
    expected="AMENDED",
    covers="false: p_y = 3/5 at x and 9/10 elsewhere, c = 7/10: the loss is above, but x is classified right and S has "
    "a second point",
    amendment="sense-eq5-natural-set-repaired",
    searched=TEXT + "The set is used for the order of losses, for which the repaired statement is enough.",
)
def natural_set(_budget: int) -> Evidence:
    return given_case(natural_set_margin, Stage((Fraction(3, 5), Fraction(9, 10)), Fraction(7, 10)))


def natural_value_margin(case: Stage) -> int:
    """-1 unless p_y(x) < c says that the sensible p_y is below c, and then that of x."""
    below = case.confidences[0] < case.c
    return 0 if below == (case.sensible < case.c) and (not below or case.sensible == case.confidences[0]) else -1


@sense(
    "sense-eq5-natural-set-repaired",
    label="Section 4, the set A for c >= 1/2, repaired",
    place="Section 4",
    kind="repair",
    statement="The natural loss is above log(1/c) exactly where the sensible loss is, and there they are equal.",
    expected="PROVED",
    covers="every c in (0, 1], number of labels, metric and eps; exact maximisers",
    repairs="sense-eq5-natural-set",
)
def natural_set_repaired(budget: int) -> Evidence:
    """The core: for p_y(x) < c the sensible example has p_y(x), and otherwise one that is at least c."""
    return confirmed(_sorted_by_c(), sampled(natural_value_margin, stages(), few(budget)))


def _sorted_by_c() -> Evidence:
    from z3 import If

    premises, of = in_general()
    statement = If(of["x"] < of["c"], of["first"] == of["x"], of["first"] >= of["c"])
    return solve(premises, {"p_y(x) if that is below c, else at least c": statement})


@sense(
    "sense-eq5-order",
    label="Section 4, order of the losses",
    place="Section 4",
    kind="remark",
    statement="For c >= 1/2 the loss on the natural stage is always greater than on the reversed and full PGD stages.",
    expected="PROVED",
    covers="every c in (0, 1], number of labels, metric and eps",
    reading="The natural stage as this sentence has it: where the natural loss is above log(1/c).",
)
def loss_order(_budget: int) -> Evidence:
    """On the natural stage p_y = p_y(x) < c at the sensible example, on the others p_y >= c: the core."""
    return _sorted_by_c()


@dataclass(frozen=True, slots=True)
class Pair:
    """An example of the set A and one of the set C, with the same c."""

    natural: Stage
    full: Stage


def order_margin(case: Pair) -> Fraction:
    """p_y of the sensible example of the one in C minus that of the one in A; 0 if they are not in these sets."""
    if not sets_of(case.natural, exclude=True)[0] or not sets_of(case.full, exclude=True)[2]:
        return Fraction(0)
    return Fraction(case.full.sensible - case.natural.sensible)


LOW_PAIR = Pair(Stage((Fraction(9, 20),), Fraction(3, 10)), Stage((Fraction(4, 5), Fraction(7, 20)), Fraction(3, 10)))


@sense(
    "sense-appendix-f-order",
    label="Appendix F, order of the losses",
    place="Appendix F",
    kind="remark",
    statement="The data are divided so that the sensible loss on A is at least that on C.",
    expected="AMENDED",
    covers="false for c < 1/2: c = 3/10, a misclassified x with p_y = 9/20, and one in C with 4/5 at x, 7/20 elsewhere",
    amendment="sense-appendix-f-order-repaired",
    searched=TEXT + "Appendix F names no bound on c.",
)
def appendix_f_order(_budget: int) -> Evidence:
    return given_case(order_margin, LOW_PAIR)


@sense(
    "sense-appendix-f-order-repaired",
    label="Appendix F, order of the losses, repaired",
    place="Appendix F",
    kind="repair",
    statement="It is for c >= 1/2, with A the set where the natural loss is above log(1/c), or where f errs.",
    expected="PROVED",
    covers="every number of labels, metric and eps; exact maximisers",
    premises=(C_HALF,),
    repairs="sense-appendix-f-order",
    without={C_HALF: lambda _budget: given_case(order_margin, LOW_PAIR)},
)
def appendix_f_order_repaired(_budget: int) -> Evidence:
    """On the set C, f is right and all of the ball, x too unless its loss is above log(1/c), has p_y >= c; if it is the
    loss at x that is above, x counts to A. Where f errs p_y(x) <= 1/2 <= c, and x is not moved. The core.
    """
    from z3 import And, Implies, Not, Or

    premises, of = in_general()
    natural = Or(of["x"] < of["c"], Not(of["right"]))
    statement = And(Implies(natural, of["first"] <= of["c"]), Implies(Not(natural), of["first"] >= of["c"]))
    return solve([*premises, 2 * of["c"] >= 1], {"at most c on A, at least c elsewhere": statement})


GAP = Stage((Fraction(9, 10), Fraction(4, 5), Fraction(1, 10)), HALF)
"""p_y jumps from 4/5 to 1/10 on the ball, past c = 1/2."""


@sense(
    "sense-eq5-reversed",
    label="Section 4, loss of the reversed stage",
    place="Section 4 and Appendix D",
    kind="remark",
    statement="On the sensibly reversed stage the loss is approximately log(1/c).",
    expected="PROVED",
    covers="exactly log(1/c) for the exact maximiser of eq (4); for Algorithm 1 see the claims about it",
    reading="The stage as eq (5)'s second line has it: p_y(x) >= c, and full PGD finds p_y < c.",
    premises=(CONTINUOUS,),
    without={CONTINUOUS: lambda _budget: given_case(reversed_margin, GAP)},
)
def loss_reversed(_budget: int) -> Evidence:
    """On this stage p_y >= c at a point a of the ball, x or another, and p_y < c at some b. Along the segment from a to
    b, which is in the ball, a continuous p_y takes the value c: a point of S, and no point of S other than x is below.
    The core has this for p_y linear on the segment; in general it is the intermediate value theorem.
    """
    from z3 import And, Reals

    a, b, c, t = Reals("p(a) p(b) c t")
    premises = [a >= c, b < c, t * (a - b) == a - c]
    return solve(premises, {"c is attained between a and b": And(t >= 0, t <= 1, a + t * (b - a) == c)})


def reversed_margin(case: Stage) -> Fraction:
    """-abs(p_y of the sensible example - c) where p_y(x) >= c and some point of the ball is below c, else 0."""
    stage = case.confidences[0] >= case.c > min(case.confidences)
    return Fraction(equality(case.sensible, case.c) if stage else 0)


@sense(
    "sense-eq5-smallest",
    label="Section 4, the smallest loss",
    place="Section 4",
    kind="remark",
    statement="The smallest losses are only achievable by full PGD examples.",
    expected="PROVED",
    covers="losses below log(1/c), c >= 1/2, every number of labels",
    premises=(C_HALF, CONTINUOUS),
    without={
        C_HALF: lambda _budget: given_case(smallest_margin, Stage((Fraction(9, 20), Fraction(1, 5)), Fraction(2, 5))),
        CONTINUOUS: lambda _budget: given_case(smallest_margin, GAP),
    },
)
def loss_smallest(_budget: int) -> Evidence:
    """By continuity the loss on the reversed stage is exactly log(1/c), so there the least p_y >= c of the ball is c
    (premise s = c of the core). A sensible p_y above c then needs p_y >= c on all of the ball.
    """
    from z3 import And, Implies

    premises, of = in_general()
    x, low, s, c = (of[name] for name in ("x", "low", "s", "c"))
    more = [2 * c >= 1, Implies(And(x >= c, low < c), s == c)]
    return solve([*premises, *more], {"p_y > c only with the whole ball": Implies(of["first"] > c, low >= c)})


def smallest_margin(case: Stage) -> int:
    """-1 if the sensible loss is below log(1/c) though a full attack has one above."""
    return -1 if case.sensible > case.c > min(case.confidences) else 0


@dataclass(frozen=True, slots=True)
class Jump:
    """An example before and after a small change of the model."""

    before: Stage
    after: Stage


def jump_margin(case: Jump) -> Fraction:
    """The largest change of p_y at x or on the ball minus the change of the sensible p_y."""
    pairs = zip(case.before.confidences, case.after.confidences, strict=True)
    return Fraction(max(abs(a - b) for a, b in pairs) - abs(case.before.sensible - case.after.sensible))


FLIP = Jump(
    Stage((Fraction(501, 1000), Fraction(2, 5)), Fraction(3, 10)),
    Stage((Fraction(499, 1000), Fraction(2, 5)), Fraction(3, 10)),
)
"""p_y(x) passes 1/2, p_y = 2/5 elsewhere, c = 3/10: the sensible p_y goes from 2/5 to 499/1000."""


@sense(
    "sense-eq5-continuous",
    label="Section 4, no discontinuity",
    place="Section 4 and Appendix D",
    kind="remark",
    statement="For c >= 1/2 the sensible loss has no discontinuity though examples move between the stages.",
    expected="PROVED",
    covers="as a function of the model: it is max{loss(x), min{full loss, log(1/c)}}, every number of labels",
    reading="'Smooth' is read as continuous; at the borders of stages the loss has kinks.",
    premises=(C_HALF, CONTINUOUS),
    without={
        C_HALF: lambda _budget: given_case(jump_margin, FLIP),
        CONTINUOUS: lambda _budget: given_case(
            jump_margin,
            Jump(Stage((Fraction(9, 10), Fraction(51, 100)), HALF), Stage((Fraction(9, 10), Fraction(49, 100)), HALF)),
        ),
    },
)
def loss_continuous(_budget: int) -> Evidence:
    """With c attained on the reversed stage (premise s = c of the core) the sensible p_y is min{p_y(x), max{least, c}}
    with the least p_y over the ball: the core. p_y(x) and that least value over a compact ball are continuous in the
    parameters of a continuous model, hence so is this; it changes by no more than the larger of their changes (core).
    """
    from z3 import And, If, Implies, Reals

    premises, of = in_general()
    x, low, s, c, first = (of[name] for name in ("x", "low", "s", "c", "first"))
    clamp = If(x < If(low > c, low, c), x, If(low > c, low, c))
    more = [2 * c >= 1, Implies(And(x >= c, low < c), s == c)]
    proof = solve([*premises, *more], {"the clamp": first == clamp})
    x1, low1, x2, low2, far = Reals("x1 low1 x2 low2 far")

    def clamped(at: Any, least: Any) -> Any:
        return If(at < If(least > c, least, c), at, If(least > c, least, c))

    near = [x1 - x2 <= far, x2 - x1 <= far, low1 - low2 <= far, low2 - low1 <= far]
    change = clamped(x1, low1) - clamped(x2, low2)
    return confirmed(proof, solve(near, {"changes no more": And(change <= far, -change <= far)}))


def steady_margin(case: Jump) -> Fraction:
    """The change of the sensible p_y less 20 times the largest change of p_y: positive where it jumps."""
    pairs = zip(case.before.confidences, case.after.confidences, strict=True)
    largest = max(abs(a - b) for a, b in pairs)
    return abs(case.before.sensible - case.after.sensible) - 20 * largest


@sense(
    "sense-appendix-d-c0",
    label="Appendix D, fluctuation at c = 0",
    place="Appendix D",
    kind="remark",
    statement="For c = 0 the loss of an example can change suddenly when it becomes rightly or wrongly classified.",
    expected="PROVED",
    covers="one example: p_y(x) passes 1/2 by 1/1000 each way, p_y = 2/5 elsewhere; the sensible one jumps by 99/1000",
    reading="That it can is claimed; c = 0 lies outside Definition 3, whose limit is meant: S is the ball.",
)
def c_zero_jumps(_budget: int) -> Evidence:
    zero = Fraction(0)
    flip = Jump(Stage(FLIP.before.confidences, zero), Stage(FLIP.after.confidences, zero))
    return every_case(steady_margin, [flip], "the one example that 'can' asks for")


FIGURE_4 = sense_definition(
    "sense-figure-4",
    label="Figure 4",
    place="Appendix D",
    statement="The sensible loss over the model, for c >= 1/2: falling on the natural stage, flat at log(1/c) on the "
    "reversed one, falling on full PGD.",
    covers="max{loss(x), min{full loss, log(1/c)}}, see sense-eq5-continuous",
)


def perturbed_margin(case: Stage) -> int:
    """-1 if a full attack finds p_y < c but the sensible example is as confident as x, else 0."""
    return -1 if min(case.confidences) < case.c and case.sensible == case.confidences[0] else 0


@sense(
    "sense-appendix-d-perturbed",
    label="Appendix D, perturbation on the reversed stage",
    place="Appendix D",
    kind="remark",
    statement="As long as c > 0, an example on the reversed stage still has a perturbation in an adapted ball.",
    expected="PROVED",
    covers="the sensible example has a larger loss than x, so it is another point; every number of labels",
    premises=("p_y(x) > c", "f(x) = y", CONTINUOUS),
    without={
        "p_y(x) > c": lambda _budget: given_case(
            perturbed_margin, Stage((Fraction(3, 5), Fraction(1, 5)), Fraction(7, 10))
        ),
        "f(x) = y": lambda _budget: given_case(
            perturbed_margin, Stage((Fraction(2, 5), Fraction(3, 10), Fraction(1, 5)), Fraction(3, 10))
        ),
        CONTINUOUS: lambda _budget: given_case(perturbed_margin, Stage((Fraction(9, 10), Fraction(1, 10)), HALF)),
    },
)
def still_perturbed(_budget: int) -> Evidence:
    """By continuity the example has p_y = c (premise s = c of the core, see the loss of the reversed stage), below that
    of x.
    """
    premises, of = in_general()
    x, low, s, c = (of[name] for name in ("x", "low", "s", "c"))
    return solve([*premises, of["right"], x > c, low < c, s == c], {"less confident than x": of["first"] < x})


@sense(
    "sense-appendix-d-gradient",
    label="Appendix D, gradient of the reversed stage",
    place="Appendix D",
    kind="remark",
    statement="The cross-entropy loss has a non-zero gradient where it is log(1/c).",
    expected="PROVED",
    covers="the derivative by the score of y, which is p_y - 1 = c - 1 there; 0 < c < 1, any number of labels",
    reading="The gradient in the scores; that in the parameters may vanish where the score's does.",
)
def loss_gradient(_budget: int) -> Evidence:
    """loss = log(sum of exp s_k) - s_y; with u the sum over the labels but y, its derivative by s_y is p_y - 1 (core),
    which is c - 1 < 0 where p_y = c < 1.
    """
    from sympy import diff, exp, log, symbols

    score, others = symbols("s_y u", positive=True)
    p = exp(score) / (exp(score) + others)
    return identity({"d loss / d s_y = p_y - 1": diff(-log(p), score) - (p - 1)})


@sense(
    "sense-appendix-d-small-gradient",
    label="Appendix D, gradients of the stages",
    place="Appendix D",
    kind="remark",
    statement="For c >= 1/2 only natural examples can overpower the training: the gradient of the loss is relatively "
    "small on the full PGD stage.",
    expected="PROVED",
    covers="abs(d loss / d s_y) = 1 - p_y: at most 1 - c on the full PGD and reversed stages, above it on the "
    "natural one; every c",
)
def small_gradient(_budget: int) -> Evidence:
    """The derivative is p_y - 1 (Appendix D, gradient), and the sensible p_y is below c exactly on the natural stage,
    where the natural loss is above log(1/c): the core.
    """
    return _sorted_by_c()

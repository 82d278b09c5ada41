"""Claims of IAAT (Instance adaptive adversarial training): its problems, which radii are feasible, Algorithm 1.

Radii are in units of 1/255.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

from proofs_check.core import Evidence, claim, definition
from proofs_check.provers import confirmed, equality, every_case, given_case, solve

iaat, defined = partial(claim, paper="IAAT"), partial(definition, paper="IAAT")

# ---- Section 2: what is defined -------------------------------------------------------------------------------------

SETTING = defined(
    "iaat-setting",
    label="Section 2, notation",
    place="Section 2",
    statement="D is a sample of images with labels 1 to N_c, f_theta a network from images to R^{N_c}, y_i one-hot.",
    covers="theory.samples.LabelledSample; labels are 0 to K - 1 here",
    reading="log f_theta is taken, so f_theta gives probabilities.",
)
NATURAL = defined(
    "iaat-natural-training",
    label="Section 2, natural training",
    place="Section 2",
    statement="Natural training minimises the mean of -y_i^T log f_theta(x_i).",
    covers="the cross-entropy; y_i^T is the inner product with a one-hot vector",
)
METRICS = defined(
    "iaat-metrics",
    label="Section 4, metrics",
    place="Section 4",
    statement="Natural accuracy, accuracy under white-box PGD, under transfer attacks, and under common corruptions.",
    covers="1 - theory.risks.standard_risk, and bounds of 1 - theory.risks.robust_risk from above",
)
CLIPPED = defined(
    "iaat-clip",
    label="Appendix E.2, lower bound",
    place="Appendix E.2",
    statement="On Imagenet the radius that Algorithm 2 selects is clipped: eps_i <- max(eps_i, eps_lb), eps_lb = 4.",
    covers="max of the radius returned; theory.iaat.RadiusRule.lower clips the memory instead",
    reading="The scan lost the symbols of eps_lb. Clipped 'after eps_i is selected', so the memory is not.",
)
ALGORITHM_1 = defined(
    "iaat-algorithm-1",
    label="Algorithm 1",
    place="Section 3",
    statement="In each step choose eps_i = eps_w (t < N_warm) or by Algorithm 2, attack each x_i within eps_i, and "
    "step on the loss at the attacked images where f(x_i) is right (S+), at the clean ones where it is wrong (S-).",
    covers="its parts have entries of their own; the training code is deep.objectives.IAAT",
    reading="t counts iterations, Table 10 counts the warm-up in epochs, of 391 batches each: epochs are meant.",
)

# ---- eq (1) and eq (2) ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Probability:
    """The probability f_theta(x)_y of the true class and a radius."""

    probability: Fraction
    eps: Fraction


def log_argument_margin(case: Probability) -> Fraction:
    """The least argument of the printed logarithm, f_theta(x)_y - eps; the logarithm needs it positive."""
    return case.probability - case.eps


def linear_attack() -> Evidence:
    """The core of the repairs of eq (1) and (2): one coordinate of a linear score."""
    from z3 import And, If, Reals

    w, delta, eps = Reals("w delta eps")
    size = If(w >= 0, w, -w)
    corner = If(w >= 0, -eps, eps)
    return solve(
        [eps >= 0, delta <= eps, delta >= -eps],
        {
            "no coordinate lowers the score by more": w * delta >= -eps * size,
            "a corner lowers it by as much": And(w * corner == -eps * size, corner <= eps, corner >= -eps),
        },
    )


HALF = Probability(Fraction(1, 10), Fraction(1, 2))
"""A class probability of 1/10 and eps = 1/2."""
INSIDE = "f_theta(x_i) + delta_i is printed in the logarithm; it adds an image to a vector of probabilities."


@iaat(
    "iaat-eq1",
    label="eq (1)",
    place="Section 2",
    kind="formula",
    statement="Adversarial training is min over theta of max over ||delta_i|| <= eps of the mean of "
    "-y_i^T log(f_theta(x_i) + delta_i).",
    expected="AMENDED",
    covers="false: with f_y = 1/10 and eps = 1/2 the logarithm is not defined; the types do not match either",
    reading=INSIDE,
    amendment="iaat-eq1-repaired",
    searched="(Madry et al., 2018) as cited in Section 2, where delta perturbs the input, and IAAT's Algorithm 1, "
    "line 8",
)
def eq_1(_budget: int) -> Evidence:
    return given_case(log_argument_margin, HALF)


@iaat(
    "iaat-eq1-repaired",
    label="eq (1), repaired",
    place="Section 2",
    kind="repair",
    statement="With -y_i^T log f_theta(x_i + delta_i) the inner maximum of a linear score of margin m is the loss at "
    "m - eps |w|_1, here log(1 + exp(eps |w|_1 - m)).",
    expected="PROVED",
    covers="every linear binary score, l-infinity radius and loss that falls in the margin",
    repairs="iaat-eq1",
)
def eq_1_repaired(_budget: int) -> Evidence:
    """y w.(x + delta) = m + sum over coordinates of y w_i delta_i. By the core each term is at least -eps |w_i|, and
    the corner delta_i = -eps sign(y w_i) attains all of them at once. The loss falls in the margin, so it is largest
    there.
    """
    return linear_attack()


@iaat(
    "iaat-eq2",
    label="eq (2)",
    place="Section 3",
    kind="formula",
    statement="IAAT is min over theta of max over ||delta_i|| < eps_i of the mean of -y_i^T log(f_theta(x_i) + "
    "delta_i).",
    expected="AMENDED",
    covers="false as eq (1) is",
    reading=f"{INSIDE} The ball is printed open in eq (2) and closed in eq (1).",
    amendment="iaat-eq2-repaired",
    searched="as for eq (1)",
)
def eq_2(_budget: int) -> Evidence:
    return given_case(log_argument_margin, HALF)


@iaat(
    "iaat-eq2-repaired",
    label="eq (2), repaired",
    place="Section 3",
    kind="repair",
    statement="With f_theta(x_i + delta_i) inside, the objective on a linear score is the mean of the losses at "
    "m_i - eps_i |w|_1.",
    expected="PROVED",
    covers="every linear binary score, all radii and losses that fall continuously in the margin",
    repairs="iaat-eq2",
)
def eq_2_repaired(_budget: int) -> Evidence:
    """As eq (1), example by example; by `iaat-place-of-max` the joint maximum is the mean of these. In the open ball
    the value is a supremum, by continuity of the loss.
    """
    return linear_attack()


@iaat(
    "iaat-place-of-max",
    label="eq (1) and (2), place of the maximum",
    place="Sections 2 and 3",
    kind="remark",
    statement="The maximum stands before the mean over the sample: it is one over all delta_i together.",
    expected="PROVED",
    covers="equal to the mean of the maxima, for every sample and every set of radii",
    reading="The joint maximum is over a product of balls, so each example may be attacked alone.",
)
def place_of_max(_budget: int) -> Evidence:
    """Let A_i be the supremum of example i's loss. Any joint delta has a mean of losses of at most the mean of the A_i
    (core, one example added at a time), and delta_i that come within e of A_i, chosen one by one, come within e of it.
    """
    from z3 import And, Reals

    a, b, c, first, rest, e = Reals("a b c A rest e")
    return solve(
        [a <= first, b <= rest, c >= first - e, e >= 0],
        {"at most": a + b <= first + rest, "near": And(c + rest >= first + rest - e)},
    )


# ---- Section 1: which radii are feasible ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Domain:
    """The points of a line that exist, the first and the last being examples of different classes, and a radius."""

    points: tuple[Fraction, ...]
    eps: Fraction


def overlap_margin(case: Domain) -> int:
    """-1 if the balls share no point although 2 eps is at least the distance of the examples, else 0."""
    first, last = case.points[0], case.points[-1]
    shared = any(abs(z - first) <= case.eps and abs(z - last) <= case.eps for z in case.points)
    return -1 if not shared and 2 * case.eps >= abs(last - first) else 0


ENDS: Domain = Domain((Fraction(0), Fraction(1)), Fraction(1, 2))
"""Two points at distance 1 and nothing between them."""


@iaat(
    "iaat-balls-overlap",
    label="Section 1, infeasible constraints",
    place="Section 1",
    kind="remark",
    statement="Label consistency within an eps-ball of each image is impossible where the balls around images of "
    "different classes overlap.",
    expected="PROVED",
    covers="two points of a normed space at distance D, closed balls: possible exactly if 2 eps < D",
    premises=("the domain holds the middle of the two points",),
    without={"the domain holds the middle of the two points": lambda _: given_case(overlap_margin, ENDS)},
)
def balls_overlap(_budget: int) -> Evidence:
    """If 2 eps >= D the middle of the points lies in both balls (core), and one label there breaks one of the two
    constraints. If 2 eps < D no point lies in both (core, by the triangle inequality), so the rule that gives the first
    ball one label and all else the other keeps both.
    """
    from z3 import Reals

    far, to_first, to_second, eps = Reals("D d_1 d_2 eps")
    known = [far > 0, to_first >= 0, to_second >= 0, eps >= 0, far <= to_first + to_second]
    apart = solve([*known, 2 * eps < far, to_first <= eps], {"no common point": to_second > eps})
    middle = solve([*known, 2 * eps >= far, 2 * to_first == far], {"the middle is in both": to_first <= eps})
    return replace(apart, how=f"{apart.how}; {middle.how}") if middle.kind == "PROVED" else middle


@dataclass(frozen=True, slots=True)
class Line:
    """Labels of the points 0, 1, 2, ... of a line in truth and by a classifier, and a radius."""

    truth: tuple[int, ...]
    labels: tuple[int, ...]
    radius: int


def stability_cost_margin(case: Line) -> int:
    """-1 if the classifier is stable around a point of its true class, yet right at a point of another class within."""
    for i, label in enumerate(case.truth):
        ball = range(max(0, i - case.radius), min(len(case.truth), i + case.radius + 1))
        if all(case.labels[j] == label for j in ball) and any(case.labels[j] == case.truth[j] != label for j in ball):
            return -1
    return 0


@iaat(
    "iaat-unavoidable-cost",
    label="Section 1, cost of stability",
    place="Section 1",
    kind="remark",
    statement="Enforcing label stability in an eps-ball misclassifies the images of other classes inside it.",
    expected="PROVED",
    covers="every classifier and metric; enumerated besides on five points of a line",
)
def unavoidable_cost(_budget: int) -> Evidence:
    """If f = y on the whole ball and the class of z in the ball is not y, then f(z) = y differs from it (core)."""
    from z3 import Ints

    at_z, truth, y = Ints("f(z) class(z) y")
    proof = solve([at_z == y, truth != y], {"f errs at z": at_z != truth})
    lines = product(product((-1, 1), repeat=5), product((-1, 1), repeat=5), (1, 2))
    return confirmed(proof, every_case(stability_cost_margin, (Line(*line) for line in lines), "labels of five points"))


def true_class_margin(case: Line) -> int:
    """-1 if the true labels break stability within the largest radius that reaches no other class, or are wrong."""
    for i, label in enumerate(case.truth):
        reach = min((abs(i - j) for j, other in enumerate(case.truth) if other != label), default=len(case.truth)) - 1
        if any(case.truth[j] != label for j in range(max(0, i - reach), min(len(case.truth), i + reach + 1))):
            return -1
    return 0


@iaat(
    "iaat-ideal-radius",
    label="Section 3, ideal radius",
    place="Sections 1, 3 and 6",
    kind="remark",
    statement="Each eps_i may be as large as possible without meeting images of a different class within the "
    "eps_i-ball: stability with such radii costs no clean accuracy.",
    expected="PROVED",
    covers="every metric space with a true class at every point; enumerated besides on six points of a line",
    reading="The images of a different class are all that exist, not those of the sample (Figure 1 says so).",
    premises=("the true class of every point is known",),
    without={"the true class of every point is known": lambda _: given_case(joint_margin, PAIR)},
)
def ideal_radius(_budget: int) -> Evidence:
    """The rule that answers the true class is right everywhere, and on the ball of x_i, where every point has the class
    of x_i, it is constant (core).
    """
    from z3 import Ints

    truth_z, truth_x, f_z = Ints("class(z) class(x) f(z)")
    proof = solve([truth_z == truth_x, f_z == truth_z], {"stable": f_z == truth_x})
    lines = (Line(truth, truth, 0) for truth in product((-1, 1), repeat=6))
    return confirmed(proof, every_case(true_class_margin, lines, "labels of six points"))


@dataclass(frozen=True, slots=True)
class Pair:
    """Two examples of different classes at a distance on a line, and their radii."""

    distance: Fraction
    first: Fraction
    second: Fraction


def joint_margin(case: Pair) -> Fraction:
    """The distance less the sum of the radii, where each is below the distance; the balls meet if it is negative."""
    allowed = max(case.first, case.second) < case.distance
    return case.distance - case.first - case.second if allowed else Fraction(0)


PAIR: Pair = Pair(Fraction(1), Fraction(3, 4), Fraction(3, 4))
"""Examples at 0 and 1 with radius 3/4: neither ball holds the other example, but both hold 1/2."""


@iaat(
    "iaat-ideal-radius-sample",
    label="Section 3, ideal radius on a sample",
    place="Section 3",
    kind="remark",
    statement="Radii as large as possible without meeting an example of a different class can be enforced together.",
    expected="AMENDED",
    covers="false: examples at 0 and 1 of different classes with radius 3/4 both claim the point 1/2",
    reading="The images of a different class are those of the training set: what a learner can know.",
    amendment="iaat-ideal-radius-sample-repaired",
    searched="Sections 1, 3 and 6; Ding et al. (2018), cited for adaptive margins, are compared with in words only",
)
def ideal_radius_sample(_budget: int) -> Evidence:
    return given_case(joint_margin, PAIR)


@iaat(
    "iaat-ideal-radius-sample-repaired",
    label="Section 3, ideal radius on a sample, repaired",
    place="Section 3",
    kind="repair",
    statement="Radii below half of the distance to the nearest example of a different class can be enforced together, "
    "by the nearest-neighbour rule; half is the largest such factor.",
    expected="PROVED",
    covers="every finite sample in a metric space; the last part by two examples on a line",
    repairs="iaat-ideal-radius-sample",
)
def ideal_radius_sample_repaired(_budget: int) -> Evidence:
    """Let z lie in the ball of x, and x' be of another class. The core gives d(z, x') > d(z, x), so the example nearest
    to z has the class of x, and the nearest-neighbour rule is constant on the ball. For a factor h > 1/2 two examples
    at distance 1 with radii between 1/2 and h claim the middle.
    """
    from z3 import Reals

    near, other, far, eps = Reals("d(z,x) d(z,x') d(x,x') eps")
    known = [near >= 0, other >= 0, far <= near + other, near <= eps, 2 * eps < far]
    return solve(known, {"x is nearer than any other class": other > near})


# ---- Algorithm 1 ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Trained:
    """An example's margin and how far an attack within its radius lowers it."""

    margin: Fraction
    attack: Fraction


def _hinge(margin: Fraction) -> Fraction:
    return max(1 - margin, Fraction(0))


def algorithm_1_margin(case: Trained) -> Any:
    """-abs(Algorithm 1's hinge loss minus that of eq (2))."""
    printed = _hinge(case.margin - case.attack) if case.margin > 0 else _hinge(case.margin)
    return equality(printed, _hinge(case.margin - case.attack))


@iaat(
    "iaat-algorithm-1-objective",
    label="Algorithm 1, lines 9 to 11",
    place="Section 3",
    kind="procedure",
    statement="Algorithm 1 steps on the objective of eq (2).",
    expected="AMENDED",
    covers="false: an example of margin -1 is trained clean, with hinge loss 2 in place of 3",
    reading="The split into S+ and S- is not in the text, and the adversarial baseline has none.",
    amendment="iaat-algorithm-1-objective-repaired",
)
def algorithm_1_objective(_budget: int) -> Evidence:
    return given_case(algorithm_1_margin, Trained(Fraction(-1), Fraction(1)))


@iaat(
    "iaat-algorithm-1-objective-repaired",
    label="Algorithm 1, lines 9 to 11, repaired",
    place="Section 3",
    kind="repair",
    statement="Algorithm 1 steps on the objective of eq (2) with eps_i = 0 for the examples that are wrong now.",
    expected="PROVED",
    covers="every loss of the margin, linear score and attack; the split is by the parameters before the step",
    repairs="iaat-algorithm-1-objective",
)
def algorithm_1_objective_repaired(_budget: int) -> Evidence:
    """With loss L as an unknown function, both sides are L(m - a) on S+ and L(m) on S- (core)."""
    from z3 import Function, If, Real, RealSort

    m, a = Real("m"), Real("a")
    loss = Function("L", RealSort(), RealSort())
    printed = If(m > 0, loss(m - a), loss(m))
    return solve([a >= 0], {"equal": printed == loss(m - If(m > 0, a, 0))})


def warm_up_margin(n_warm: int) -> int:
    """-abs(the number of t = 1, 2, ... with t < N_warm, minus N_warm)."""
    return -abs(sum(t < n_warm for t in range(1, 2 * n_warm + 1)) - n_warm)


def warm_up_repaired_margin(n_warm: int) -> int:
    """The same for N_warm - 1."""
    return -abs(sum(t < n_warm for t in range(1, 2 * n_warm + 1)) - (n_warm - 1))


@iaat(
    "iaat-algorithm-1-warm-up",
    label="Algorithm 1, lines 1 to 7",
    place="Section 3",
    kind="procedure",
    statement="The warm-up lasts N_warm rounds.",
    expected="AMENDED",
    covers="false: with N_warm = 5 rounds 1 to 4 have t < 5",
    amendment="iaat-algorithm-1-warm-up-repaired",
)
def algorithm_1_warm_up(_budget: int) -> Evidence:
    return given_case(warm_up_margin, 5)


@iaat(
    "iaat-algorithm-1-warm-up-repaired",
    label="Algorithm 1, lines 1 to 7, repaired",
    place="Section 3",
    kind="repair",
    statement="The warm-up lasts N_warm - 1 rounds; so 110 epochs with N_warm = 10 leave 101 for Algorithm 2, not 100.",
    expected="PROVED",
    covers="N_warm from 1 to 200, the largest number of epochs in Table 10",
    repairs="iaat-algorithm-1-warm-up",
)
def algorithm_1_warm_up_repaired(_budget: int) -> Evidence:
    return every_case(warm_up_repaired_margin, range(1, 201), "N_warm from 1 to 200")

"""Claims of ODDS, Section 3 and Appendices E and F: correlations of features with the label, and what adversaries make
of them. Write c_i for E[y x_i].
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from proofs_check.claims.odds import all_of, defined, odds
from proofs_check.core import Evidence
from proofs_check.provers import confirmed, equality, every_case, given_case, solve

Vector = tuple[Fraction, Fraction]


@dataclass(frozen=True, slots=True)
class Point:
    """A labelled point with two features."""

    mass: Fraction
    y: int
    x: Vector


@dataclass(frozen=True, slots=True)
class Weighed:
    """A law of a few points, linear weights, and the radius of the l-infinity adversary."""

    points: tuple[Point, ...]
    weights: Vector
    eps: Fraction


def mirrored(*points: Point) -> tuple[Point, ...]:
    """The points, and (-x, -y) of each with the same mass."""
    return points + tuple(Point(point.mass, -point.y, (-point.x[0], -point.x[1])) for point in points)


def correlation(points: tuple[Point, ...], i: int) -> Fraction:
    """c_i."""
    return sum((point.mass * point.y * point.x[i] for point in points), Fraction(0))


def robust_accuracy(points: tuple[Point, ...], weights: Vector, eps: Fraction) -> Fraction:
    """The mass of the points with y w.x > eps ||w||_1."""
    room = eps * (abs(weights[0]) + abs(weights[1]))
    right = (p.mass for p in points if p.y * (weights[0] * p.x[0] + weights[1] * p.x[1]) > room)
    return sum(right, Fraction(0))


def best_accuracy(points: tuple[Point, ...]) -> Fraction:
    """The accuracy of the best rule of any kind, without an adversary."""
    total = Fraction(0)
    for x in {point.x for point in points}:
        total += max(sum((p.mass for p in points if p.x == x and p.y == y), Fraction(0)) for y in (-1, 1))
    return total


CORRELATION = defined(
    "odds-correlation",
    label="Appendix E, correlation",
    place="Appendix E",
    statement="The correlation of feature i with the label is |E[y x_i]|.",
    covers="theory.odds.robust_logistic.ImagePair.correlations",
)


@odds(
    "odds-robust-sign",
    label="Appendix E, robust prediction",
    place="Appendix E",
    kind="formula",
    statement="Against an l-infinity adversary of radius eps one needs y = sign(w.x - eps y ||w||_1).",
    expected="PROVED",
    covers="every w, x, y and eps >= 0: exactly then is sign(w.(x + delta)) = y for all ||delta||_inf <= eps",
)
def robust_sign(_budget: int) -> Evidence:
    """y w.(x + delta) is least, y w.x - eps ||w||_1, at delta_i = -y eps sign(w_i), one term at a time (first core),
    and y times the printed score is that number (second core); the label is right if it is positive.
    """
    from z3 import If, Or, Reals

    y, w, delta, eps, score, norm = Reals("y w_i delta_i eps w.x norm")
    size = eps * If(w >= 0, w, -w)
    worst = -y * eps * If(w > 0, 1, If(w < 0, -1, 0))
    label = [Or(y == 1, y == -1)]
    return all_of(
        solve(
            [*label, eps >= 0, delta >= -eps, delta <= eps],
            {"no shift does worse": y * w * delta >= -size, "one does as badly": y * w * worst == -size},
        ),
        solve(label, {"the score": y * (score - eps * y * norm) == y * score - eps * norm}),
    )


# ---- the threshold on correlations ----------------------------------------------------------------------------------

COPY = Weighed(
    mirrored(
        Point(Fraction(9, 20), 1, (Fraction(1), Fraction(1, 2))),
        Point(Fraction(1, 20), 1, (Fraction(-1), Fraction(-1, 2))),
    ),
    (Fraction(1), Fraction(0)),
    Fraction(1, 4),
)
"""x_1 = y with probability 9/10, and x_2 = x_1/2: c_2 = 2/5 exceeds eps = 1/4, but x_2 knows nothing that x_1 does
not."""

RARE = Weighed(
    mirrored(
        Point(Fraction(3, 8), 1, (Fraction(1), Fraction(0))), Point(Fraction(1, 8), 1, (Fraction(-1), Fraction(1)))
    ),
    (Fraction(1), Fraction(2)),
    Fraction(3, 10),
)
"""x_2 = y where x_1 is wrong, else 0: c_2 = 1/4 is below eps = 3/10, but w = (1, 2) withstands every attack."""


def helpful_margin(case: Weighed) -> int:
    """-1 if c_2 >= eps, but the weights, with w_2 = 0, are as robust as any rule is accurate; else 0."""
    if case.weights[1] != 0 or abs(correlation(case.points, 1)) < case.eps:
        return 0
    return -int(robust_accuracy(case.points, case.weights, case.eps) == best_accuracy(case.points))


def reliance_margin(case: Weighed) -> Fraction:
    """The best robust accuracy with w_2 = 0 minus that of the weights, if c_2 < eps; else 0."""
    if abs(correlation(case.points, 1)) >= case.eps:
        return Fraction(0)
    alone = max(robust_accuracy(case.points, (Fraction(sign), Fraction(0)), case.eps) for sign in (-1, 0, 1))
    return alone - robust_accuracy(case.points, case.weights, case.eps)


@odds(
    "odds-helpful-feature",
    label="Appendix E, helpful features",
    place="Appendix E",
    kind="remark",
    statement="In the adversarial setting a feature is helpful if |E[y x_i]| >= eps.",
    expected="AMENDED",
    covers="false: x_2 = x_1/2 with P(x_1 = y) = 9/10 and eps = 1/4 has c_2 = 2/5 and adds nothing to sign(x_1)",
    reading="Helpful: no rule without it is as good.",
    amendment="odds-helpful-feature-repaired",
    searched="Appendix E, and Section 2.2 where it is cited.",
)
def helpful_feature(_budget: int) -> Evidence:
    return given_case(helpful_margin, COPY)


@odds(
    "odds-helpful-feature-repaired",
    label="Appendix E, helpful features, repaired",
    place="Appendix E",
    kind="repair",
    statement="Of w = 0, without bias: some weights have a smaller adversarial loss E l(y w.x - eps ||w||_1) exactly "
    "if some |E[y x_i]| > eps, and giving weight to that feature alone is then helpful.",
    expected="PROVED",
    covers="every law with E|x| finite, every convex loss l of the margin with l'(0) < 0; eps = 0 is standard training",
    premises=("the other weights are 0",),
    without={"the other weights are 0": lambda _: given_case(helpful_margin, COPY, "w_1 = 1 already")},
    repairs="odds-helpful-feature",
)
def helpful_feature_repaired(_budget: int) -> Evidence:
    """By convexity l(m) >= l(0) + l'(0) m, so the loss is at least l(0) + l'(0) sum_i (c_i w_i - eps abs(w_i)), and
    each term is at most 0 if abs(c_i) <= eps (first core): 0 is optimal. If abs(c_i) > eps, then along w_i = t
    sign(c_i) the margin has the mean t (abs(c_i) - eps) > 0 (second core), and the loss the slope l'(0) (abs(c_i) -
    eps) < 0 at t = 0.
    """
    from z3 import And, If, Implies, Reals

    c, w, eps, t = Reals("c_i w_i eps t")

    def size(x: Any) -> Any:
        return If(x >= 0, x, -x)

    along = If(c >= 0, t, -t)
    return solve(
        [eps >= 0],
        {
            "no gain": Implies(size(c) <= eps, c * w - eps * size(w) <= 0),
            "a gain": Implies(
                And(size(c) > eps, t > 0),
                And(c * along - eps * size(along) == t * (size(c) - eps), t * (size(c) - eps) > 0),
            ),
        },
    )


@odds(
    "odds-correlation-threshold",
    label="Appendix E, implicit threshold",
    place="Appendix E",
    kind="remark",
    statement="A robust model cannot rely on features with correlation below eps.",
    expected="AMENDED",
    covers="false: x_2 that is y where x_1 is wrong, a quarter of the time, else 0, has c_2 = 1/4 < eps = 3/10; w = "
    "(1, 2) is right under every attack, and no rule with w_2 = 0 exceeds 75%",
    reading="Cannot rely: the best robust accuracy is reached without it.",
    amendment="odds-correlation-threshold-repaired",
    searched="Appendix E, and Section 2.2 where it is cited.",
)
def correlation_threshold(_budget: int) -> Evidence:
    return given_case(reliance_margin, RARE)


@odds(
    "odds-correlation-threshold-repaired",
    label="Appendix E, implicit threshold, repaired",
    place="Appendix E",
    kind="repair",
    statement="At an optimum of E l(y (w.x + b) - eps ||w||_1), with q = -l' at the margins: |E[q y x_i]| = eps E q "
    "where w_i != 0, and at most eps E q where w_i = 0.",
    expected="PROVED",
    covers="every law of bounded x, every convex differentiable decreasing loss, with or without bias; the threshold "
    "is one on correlations weighted by q, which weighs the points that are hard",
    repairs="odds-correlation-threshold",
)
def correlation_threshold_repaired(_budget: int) -> Evidence:
    """At an optimum no one-sided derivative in w_i is negative. With a = E[q y x_i] and e = eps E q they are, towards
    larger and smaller w_i: -a + e and a + e for w_i = 0; -a + e and a - e for w_i > 0; -a - e and a + e for w_i < 0.
    The core draws the conclusion.
    """
    from z3 import And, If, Implies, Reals

    a, e, w = Reals("E[q.y.x_i] eps.E[q] w_i")
    up, down = -a + If(w >= 0, e, -e), a + If(w <= 0, e, -e)
    size = If(a >= 0, a, -a)
    return solve(
        [e >= 0, up >= 0, down >= 0],
        {"where it is used": Implies(w != 0, size == e), "elsewhere": Implies(w == 0, And(size <= e))},
    )


# ---- projected gradient descent --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ascent:
    """Steps of a fixed size by the sign of the slope of (delta + 1/10)^2, kept within [-1, 1]."""

    start: Fraction
    size: Fraction
    steps: int


def ascent_margin(case: Ascent) -> Fraction:
    """The loss where the steps end, minus the largest in [-1, 1]."""

    def loss(delta: Fraction) -> Fraction:
        return (delta + Fraction(1, 10)) ** 2

    delta = case.start
    for _ in range(case.steps):
        move = case.size if delta > -Fraction(1, 10) else -case.size
        delta = max(Fraction(-1), min(Fraction(1), delta + move))
    return loss(delta) - max(loss(Fraction(1)), loss(Fraction(-1)))


@odds(
    "odds-pgd",
    label="Appendix A.3, Section 3: PGD",
    place="Appendix A.3, Section 3",
    kind="procedure",
    statement="Projected gradient descent from a random start in the ball finds the perturbation of highest loss.",
    expected="PROVED",
    covers="linear scores, every loss that falls in the margin, the l_inf ball and steps by the sign of the slope: "
    "after 2 eps/size steps; for networks nothing is claimed here (deep.attack)",
    premises=("the score is linear",),
    without={
        "the score is linear": lambda _: given_case(
            ascent_margin, Ascent(-Fraction(1, 2), Fraction(1, 4), 20), "a convex loss"
        )
    },
)
def pgd(_budget: int) -> Evidence:
    """For a linear score the gradient in delta_i has one sign wherever it is not 0, so the worst delta_i is an end of
    [-eps, eps], say eps. A step and the projection lower the distance eps - delta_i by the size of the step, or to 0
    (core); from at most 2 eps it is 0 after 2 eps/size steps.
    """
    from z3 import If, Reals

    delta, size, eps = Reals("delta_i size eps")
    moved = If(delta + size > eps, eps, delta + size)
    rest = eps - delta - size
    return solve([delta >= -eps, delta <= eps, size > 0], {"one step": eps - moved == If(rest > 0, rest, 0)})


# ---- coins, penalties, invariance -----------------------------------------------------------------------------------


def imbalance_margin(tosses: int) -> Fraction:
    """N - (E|heads - tails|)^2, counted over all outcomes of N fair tosses."""
    from math import comb

    mean = Fraction(sum(comb(tosses, k) * abs(2 * k - tosses) for k in range(tosses + 1)), 2**tosses)
    return tosses - mean * mean


@odds(
    "odds-coin-imbalance",
    label="Appendix E, N tosses of a coin",
    place="Appendix E",
    kind="remark",
    statement="In N tosses of an unbiased coin, the expected imbalance between heads and tails is O(sqrt(N)) with high "
    "probability.",
    expected="PROVED",
    covers="every N: the expected imbalance is at most sqrt(N), and the imbalance is below a sqrt(N) with probability "
    "at least 1 - 1/a^2",
    reading="Two statements: an expectation holds without a probability.",
)
def coin_imbalance(_budget: int) -> Evidence:
    """The imbalance is abs(S) for a sum S of N independent signs, and E S^2 = N: squares are 1, and products of two
    have the mean 0 (core: all four pairs). So E abs(S) <= sqrt(E S^2) = sqrt(N), and P(abs(S) >= a sqrt(N)) <= 1/a^2
    (Chebyshev). Beside it, counted for N up to 60.
    """
    signs = [(a, b) for a in (-1, 1) for b in (-1, 1)]
    proof = all_of(
        every_case(lambda mean: equality(mean, 0), [sum(a * b for a, b in signs)], "the mean product of two signs"),
        every_case(lambda sign: equality(sign * sign, 1), (-1, 1), "both signs"),
    )
    return confirmed(proof, every_case(imbalance_margin, range(1, 61), "N from 1 to 60"))


@dataclass(frozen=True, slots=True)
class Hinge:
    """A margin y w.x and eps ||w||_1."""

    margin: Fraction
    price: Fraction


def penalty_margin(case: Hinge) -> Fraction:
    """-abs(max(0, 1 - m + price) - (max(0, 1 - m) + price))."""
    inside = max(Fraction(0), 1 - case.margin + case.price)
    return Fraction(equality(inside, max(Fraction(0), 1 - case.margin) + case.price))


@odds(
    "odds-l1-regularisation",
    label="Appendix F, l1-regularisation",
    place="Appendix F",
    kind="remark",
    statement="l1-regularisation corresponds to adversarial training for linear models.",
    expected="AMENDED",
    covers="false as an equality of objectives: eps ||w||_1 is taken off the margin inside the loss; margin 3, eps "
    "||w||_1 = 1/2: the adversarial hinge is 0, the penalised one 1/2",
    reading="Corresponds: the adversarial hinge loss is the hinge loss plus eps ||w||_1.",
    amendment="odds-l1-regularisation-repaired",
    searched="Appendices D and F; the cited Babbar and Schoelkopf (2018) was not looked at.",
)
def l1_regularisation(_budget: int) -> Evidence:
    return given_case(penalty_margin, Hinge(Fraction(3), Fraction(1, 2)))


@odds(
    "odds-l1-regularisation-repaired",
    label="Appendix F, l1-regularisation, repaired",
    place="Appendix F",
    kind="repair",
    statement="The adversarial hinge loss of a linear model is at most the hinge loss plus eps ||w||_1, with equality "
    "where the margin is at most 1.",
    expected="PROVED",
    covers="every w, x, y and eps >= 0; likewise for every loss of slope between -1 and 0, without the equality",
    premises=("margin <= 1 (for the equality)",),
    without={
        "margin <= 1 (for the equality)": lambda _: given_case(penalty_margin, Hinge(Fraction(3), Fraction(1, 2)))
    },
    repairs="odds-l1-regularisation",
)
def l1_regularisation_repaired(_budget: int) -> Evidence:
    """Decided for the margin m = y w.x and the price c = eps ||w||_1; means keep both."""
    from z3 import If, Implies, Reals

    m, c = Reals("m c")

    def hinge(x: Any) -> Any:
        return If(1 - x > 0, 1 - x, 0)

    inside, outside = hinge(m - c), hinge(m) + c
    return solve([c >= 0], {"at most": inside <= outside, "equality": Implies(m <= 1, inside == outside)})


@odds(
    "odds-invariance",
    label="Section 3, invariance",
    place="Section 3",
    kind="remark",
    statement="A model that achieves small loss for all perturbations in Delta is necessarily invariant to them.",
    expected="PROVED",
    covers="every classifier and law: it is constant on the ball of x with probability at least its robust accuracy",
    reading="The 0-1 loss, and the invariance of the prediction, not of features inside a network.",
)
def invariance(_budget: int) -> Evidence:
    """Where every point of the ball of x gets the label y, any two of them get the same (core, for any two). So the
    event of robust accuracy is part of the event that the classifier is constant on the ball.
    """
    from z3 import Ints

    one, other, y = Ints("f(x') f(x'') y")
    return solve([one == y, other == y], {"constant": one == other})

"""Linear separators with the fewest errors at a margin, solved exactly (TRADES, Algorithm 2).

A sample is an error of w at margin 2 gamma for an adversary of radius eps if y w.x <= 2 gamma + eps. Which samples one
w can serve at once is decided in rationals: the margin of a set is the distance of 0 from a convex hull.

>>> best_separator([(3, 0), (0, 3), (-3, 1)], [1, 1, 1], 2).correct
(0, 1)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.enclosure import Enclosure, Undecided
from theory.numbers import Exact, as_fraction
from theory.table import Table
from theory.trades.margin import CONSTANT, penalty, positive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Point = tuple[Fraction, ...]


# ---- the margin of a set of points, exactly ----


@dataclass(frozen=True, slots=True)
class Margin:
    """max over |w|_2 <= 1 of min over i of w.z_i, as a rational primal-dual pair: the margin is |``point``|_2.

    ``point`` = sum of ``weights[i]`` z_i is the point of least norm in the convex hull. For any w in the unit ball the
    minimum is at most w.point <= |point|; w = point / |point| attains it, for z_i.point >= |point|^2.
    """

    point: Point
    weights: dict[int, Fraction]

    @property
    def squared(self) -> Fraction:
        """The margin squared."""
        return sum((x * x for x in self.point), Fraction(0))

    def verify(self, points: Sequence[Point]) -> bool:
        """Whether the pair proves itself, by the two checks above."""
        if any(weight < 0 for weight in self.weights.values()) or sum(self.weights.values()) != 1:
            return False
        mean = tuple(
            sum((w * points[i][k] for i, w in self.weights.items()), Fraction(0)) for k in range(len(points[0]))
        )
        return mean == self.point and all(_dot(z, mean) >= self.squared for z in points)


def exact_margin(points: Sequence[Sequence[Exact]]) -> Margin:
    """The point of least norm in the convex hull of rational points, by Wolfe's algorithm in rationals.

    It is finite: no corral (affinely independent points whose hull holds the affine hull's nearest point) comes twice.

    >>> exact_margin([(1, 0), (0, 2)])
    Margin(point=(Fraction(4, 5), Fraction(2, 5)), weights={0: Fraction(4, 5), 1: Fraction(1, 5)})
    """
    rows = _points(points, exact_float=False)
    start = min(range(len(rows)), key=lambda i: _dot(rows[i], rows[i]))
    weights = {start: Fraction(1)}
    while True:
        mean = tuple(sum((w * rows[i][k] for i, w in weights.items()), Fraction(0)) for k in range(len(rows[0])))
        worst = min(range(len(rows)), key=lambda i: _dot(rows[i], mean))
        if _dot(rows[worst], mean) >= _dot(mean, mean):
            return Margin(mean, dict(sorted(weights.items())))
        weights[worst] = Fraction(0)
        while True:
            aim = _affine_weights([rows[i] for i in weights])
            target = dict(zip(weights, aim, strict=True))
            leaving = [weights[i] / (weights[i] - target[i]) for i in weights if target[i] < 0]
            if not leaving:
                weights = {i: x for i, x in target.items() if x}
                break
            step = min(leaving)
            moved = {i: (1 - step) * weights[i] + step * target[i] for i in weights}
            weights = {i: x for i, x in moved.items() if x}


def _affine_weights(rows: list[Point]) -> list[Fraction]:
    """Weights of sum 1 of the point nearest to 0 in the affine hull: all z_i.(Z'a) equal."""
    from flint import fmpq, fmpq_mat

    k = len(rows)
    ones = [Fraction(0)] + [Fraction(1)] * k
    system = [ones] + [[Fraction(1)] + [_dot(x, y) for y in rows] for x in rows]
    matrix = fmpq_mat(k + 1, k + 1, [fmpq(x.numerator, x.denominator) for row in system for x in row])
    right = fmpq_mat(k + 1, 1, [fmpq(1)] + [fmpq(0)] * k)
    solution = matrix.solve(right)
    return [Fraction(int(solution[i, 0].p), int(solution[i, 0].q)) for i in range(1, k + 1)]


# ---- Algorithm 2 ----


@dataclass(frozen=True, slots=True)
class Separator:
    """A unit vector w = ``direction`` / |``direction``| with the fewest y_i w.x_i <= ``threshold``.

    ``correct`` lists the samples beyond the threshold, ``errors`` counts the others; ``margin`` is the rational proof
    that one w has all of ``correct`` strictly beyond (None if there are none). ``how`` says what shows that no w does
    better:
    an exact sweep or search, or SCIP's branch and bound in floating point.
    """

    direction: Point
    threshold: Fraction
    correct: tuple[int, ...]
    errors: int
    margin: Margin | None
    how: str


def margin_errors(direction: Sequence[Exact], points: Any, labels: Any, threshold: Exact) -> int:
    """#{i : y_i w.x_i <= threshold} for w = direction / |direction|_2 and threshold >= 0, exactly.

    >>> margin_errors([3, 4], [(1, 0), (0, 1), (-1, -1)], [1, 1, -1], "3/5")
    1
    """
    w = tuple(as_fraction(x, "direction") for x in direction)
    c = _threshold(threshold)
    scores = [_dot(w, z) for z in _signed(points, labels, exact_float=True)]
    return sum(s <= 0 or s * s <= c * c * _dot(w, w) for s in scores)


def best_separator(
    points: Any, labels: Any, threshold: Exact, method: str = "auto", *, exact_float: bool = False
) -> Separator:
    """min over |w|_2 = 1 of #{i : y_i w.x_i <= threshold} (TRADES, Algorithm 2, line 2; threshold = 2 gamma + eps).

    ``points`` (n, d) exact numbers, or floats with ``exact_float``; ``labels`` -1 or +1. ``method`` "sweep" (d = 2)
    goes through all open arcs of the circle in exact arithmetic; "misocp" solves, for any d, with cvxpy and SCIP,

        max sum s_i   subject to   |w|_2 <= 1,   y_i x_i.w >= threshold - (threshold + |x_i|)(1 - s_i),   s_i in {0, 1}.

    The ball may stand for the sphere, since threshold >= 0 and a longer w only helps. Tolerances cannot tell "equal"
    from "beyond", so the set found is given its `exact_margin`. If that is not strictly beyond the threshold, its at
    most d + 1 weighted points are a proved conflict: they are forbidden together, and SCIP runs again. "branch" proves
    the optimum in rationals, for any d and few errors: one point of each conflict must be given up, so at most
    (d + 1)^errors exact margins decide. "auto" is the sweep in the plane and the programme elsewhere.

    >>> corners = [(2, 0), (0, 2), (-2, 0), (0, -2)]
    >>> best_separator(corners, [1, 1, 1, 1], 1).correct, best_separator(corners, [1, 1, 1, 1], "3/2").errors
    ((0, 3), 3)

    Raises ``ValueError`` for labels other than -1 and +1, no points, points of different length, a negative threshold
    or an unknown method.
    """
    z, c = _signed(points, labels, exact_float=exact_float), _threshold(threshold)
    if method not in ("auto", "sweep", "misocp", "branch"):
        raise ValueError(f"method {method!r} is unknown; allowed are auto, sweep, misocp and branch")
    dim = len(z[0])
    if method == "sweep" and dim != 2:
        raise ValueError(f"the sweep needs points in the plane, not in {dim} dimensions; use misocp or branch")
    if method == "auto":
        method = "sweep" if dim == 2 else "misocp"
    how, search = _METHODS[method]
    correct = search(z, c)
    if not correct:
        return Separator((Fraction(1), *[Fraction(0)] * (dim - 1)), c, (), len(z), None, how)
    margin = exact_margin([z[i] for i in correct])
    if margin.squared <= c * c:
        raise AssertionError(f"samples {correct} were selected but have margin^2 {margin.squared}")
    return Separator(margin.point, c, correct, len(z) - len(correct), margin, how)


def _sweep(z: list[Point], c: Fraction) -> tuple[int, ...]:
    """The largest set of samples that one unit vector has strictly beyond c.

    The w beyond c for z_i form an open arc; one of the cells of largest depth begins where an arc begins, at
    w = (c z_i - sqrt(D) z_i') / |z_i|^2 with D = |z_i|^2 - c^2 and z_i' = z_i turned left by 90 degrees. Just after it,
    z_j counts if z_j.w > c, or z_j.w = c and z_j.w' > 0: both are signs of A + B sqrt(D) with integers A and B.
    """
    unit = math.lcm(*(x.denominator for row in z for x in row), c.denominator)
    rows, level = [tuple(int(x * unit) for x in row) for row in z], int(c * unit)
    best: tuple[int, ...] = ()
    for x, y in rows:
        size = x * x + y * y
        root = size - level * level
        if root <= 0:
            continue
        depth = []
        for j, (s, t) in enumerate(rows):
            along, across = s * x + t * y, t * x - s * y
            sign = _surd_sign(level * (along - size), -across, root)
            if sign > 0 or (sign == 0 and _surd_sign(level * across, along, root) > 0):
                depth.append(j)
        if len(depth) > len(best):
            best = tuple(depth)
    return best


def _surd_sign(a: int, b: int, root: int) -> int:
    """The sign of a + b sqrt(root), root > 0."""
    if a * b >= 0:
        return (a > 0 or b > 0) - (a < 0 or b < 0)
    return (1 if a > 0 else -1) * ((a * a > b * b * root) - (a * a < b * b * root))


def _programme(z: list[Point], c: Fraction) -> tuple[int, ...]:
    """The same set by SCIP, with conflicts forbidden until the set found is strictly beyond c."""
    import cvxpy as cp
    import numpy as np

    able = [i for i, x in enumerate(z) if _dot(x, x) > c * c]
    if not able:
        return ()
    size = max(abs(x) for i in able for x in z[i])
    rows = np.array([[float(x / size) for x in z[i]] for i in able])
    level = float(c / size)
    w, chosen = cp.Variable(len(z[0])), cp.Variable(len(able), boolean=True)
    reach = level + np.linalg.norm(rows, axis=1)
    rules = [cp.norm(w, 2) <= 1, rows @ w >= level - cp.multiply(reach, 1 - chosen)]
    while True:
        problem = cp.Problem(cp.Maximize(cp.sum(chosen)), rules)
        problem.solve(solver=cp.SCIP)
        if problem.status != cp.OPTIMAL:
            raise Undecided(f"SCIP ended with status {problem.status} instead of an optimum")
        found = [k for k in range(len(able)) if chosen.value[k] > 0.5]
        if not found:
            return ()
        margin = exact_margin([z[able[k]] for k in found])
        if margin.squared > c * c:
            return tuple(able[k] for k in found)
        conflict = [found[k] for k in margin.weights]
        rules.append(cp.sum(chosen[conflict]) <= len(conflict) - 1)


def _branch(z: list[Point], c: Fraction) -> tuple[int, ...]:
    """The same set by giving up one point of a conflict at a time, with more and more points to give up."""

    def conflict(left: tuple[int, ...]) -> list[int]:
        margin = exact_margin([z[i] for i in left])
        return [left[k] for k in margin.weights] if margin.squared <= c * c else []

    def search(left: tuple[int, ...], budget: int, seen: set[tuple[int, ...]]) -> tuple[int, ...] | None:
        if not left or not (first := conflict(left)):
            return left
        # conflicts without a common point need a deletion each
        rest, needed = tuple(i for i in left if i not in first), 1
        while needed <= budget and rest and (other := conflict(rest)):
            rest, needed = tuple(i for i in rest if i not in other), needed + 1
        if needed > budget:
            return None
        for i in first:
            smaller = tuple(j for j in left if j != i)
            if smaller not in seen:
                seen.add(smaller)
                if (found := search(smaller, budget - 1, seen)) is not None:
                    return found
        return None

    able = tuple(i for i, x in enumerate(z) if _dot(x, x) > c * c)
    return next(found for k in range(len(able) + 1) if (found := search(able, k, set())) is not None)


_METHODS: dict[str, tuple[str, Callable[[list[Point], Fraction], tuple[int, ...]]]] = {
    "sweep": ("exact sweep over arcs", _sweep),
    "misocp": ("SCIP, strict margin in rationals", _programme),
    "branch": ("branching on rational conflicts", _branch),
}


@dataclass(frozen=True, slots=True)
class MarginSelection:
    """What Algorithm 2 returns: one `Separator` for each gamma, the penalties, the bounds, and the chosen index."""

    gammas: tuple[Fraction, ...]
    separators: tuple[Separator, ...]
    penalties: tuple[Enclosure, ...]
    bounds: tuple[Enclosure, ...]
    chosen: int

    @property
    def separator(self) -> Separator:
        """The separator with the least bound."""
        return self.separators[self.chosen]

    def table(self) -> Table:
        """One row for each gamma; a bound of 1 or more says nothing."""
        rows: Iterable[dict[str, Any]] = [
            {"gamma": gamma, "errors": s.errors, "penalty": extra, "bound": bound, "chosen": i == self.chosen}
            for i, (gamma, s, extra, bound) in enumerate(
                zip(self.gammas, self.separators, self.penalties, self.bounds, strict=True)
            )
        ]
        return Table(["gamma", "errors", "penalty", "bound", "chosen"], rows)


def structural_risk_minimisation(
    points: Any,
    labels: Any,
    gammas: Sequence[Exact],
    *,
    eps: Exact,
    delta: Exact,
    b: Exact,
    constant: Exact = CONSTANT,
    method: str = "auto",
    exact_float: bool = False,
) -> MarginSelection:
    """(TRADES, Algorithm 2): for each gamma the best separator at margin 2 gamma + eps, then the least bound.

    ``b`` bounds |x|_2 under the law, hence on the sample. The paper never names C; with 6912, from its lemmas, the
    penalty alone exceeds 1 below 3.5e5 samples, so the largest gamma always wins.

    >>> points, labels = [(3, 0), (2, 1), (-3, 1), (-2, -1), (1, -3)], [1, 1, -1, -1, -1]
    >>> print(structural_risk_minimisation(points, labels, ["1/2", 1], eps="1/10", delta="1/20", b=4).table())
    gamma  errors  penalty               bound                 chosen
    -----  ------  --------------------  --------------------  ------
    0.5         0  [6.51152, 6.511521]   [6.51152, 6.511521]   no
    1           1  [3.390972, 3.390973]  [3.590972, 3.590973]  yes

    Raises ``ValueError`` for eps < 0, gamma <= 0 or none or one twice, delta outside (0, 1), fewer than 2 points,
    labels other than -1 and +1, or a point beyond b; ``Undecided`` if two bounds cannot be told apart.
    """
    z = _signed(points, labels, exact_float=exact_float)
    radius = as_fraction(eps, "eps")
    if radius < 0:
        raise ValueError(f"eps {eps} is negative; a radius is at least 0")
    bound = positive(b, "b")
    widths = [positive(gamma, "gamma") for gamma in gammas]
    if not widths or len(set(widths)) < len(widths):
        raise ValueError(f"gammas {list(gammas)} are not one or more different margins")
    extras = [penalty(len(z), bound / gamma, delta, constant) for gamma in widths]
    for i, row in enumerate(z):
        if _dot(row, row) > bound * bound:
            raise ValueError(
                f"point {i} has norm {math.sqrt(_dot(row, row)):.6g}, above b = {b}; b must bound them all"
            )
    found = [best_separator(z, [1] * len(z), 2 * gamma + radius, method) for gamma in widths]
    bounds = [Fraction(s.errors, len(z)) + extra for s, extra in zip(found, extras, strict=True)]
    chosen = 0
    for k in range(1, len(bounds)):
        chosen = k if bounds[k] < bounds[chosen] else chosen
    return MarginSelection(tuple(widths), tuple(found), tuple(extras), tuple(bounds), chosen)


# ---- machinery ----


def _threshold(value: Exact) -> Fraction:
    number = as_fraction(value, "threshold")
    if number < 0:
        raise ValueError(f"threshold {value} is negative; 2 gamma + eps is at least 0")
    return number


def _points(points: Any, *, exact_float: bool) -> list[Point]:
    rows = [tuple(as_fraction(x, "coordinate", exact_float=exact_float) for x in row) for row in points]
    if not rows or len({len(row) for row in rows}) > 1 or not rows[0]:
        raise ValueError("points need at least one row, and all rows one positive length")
    return rows


def _signed(points: Any, labels: Any, *, exact_float: bool) -> list[Point]:
    """y_i x_i."""
    rows, signs = _points(points, exact_float=exact_float), list(labels)
    if len(signs) != len(rows):
        raise ValueError(f"{len(rows)} points have {len(signs)} labels; give each point one")
    for sign in signs:
        if sign not in (-1, 1):
            raise ValueError(f"label {sign!r} is not allowed; labels are -1 and +1")
    return [tuple(x * int(sign) for x in row) for row, sign in zip(rows, signs, strict=True)]


def _dot(x: Sequence[Fraction], y: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))

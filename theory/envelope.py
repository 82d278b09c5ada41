"""The conditional risks and the psi-transform of any margin loss, between exact piecewise linear bounds.

G(eta), the infimum over scores alpha >= 0 of eta phi(alpha) + (1 - eta) phi(-alpha), is the lower envelope of the lines
that the points (phi(alpha), phi(-alpha)) stand for, and everything else follows from it (see `theory.calibration`).
Points on that curve bound G from above, points that it does not undercut from below; for a piecewise linear loss
finitely many points do both.

>>> transform("asymmetric_hinge").psi_lo == PiecewiseLinear([(0, 0), (1, 1)])
True
>>> square = Loss("square", lambda u: (1 - u) ** 2, non_negative=True, convex=True)
>>> [f"{transform(square, cells=cells).psi(Fraction(1, 2)):.5f}" for cells in (16, 64, 256)]
['[0.25000, 0.25196]', '[0.25000, 0.25013]', '[0.25000, 0.25001]']
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from theory.enclosure import Enclosure
from theory.loss import Loss, as_loss
from theory.polyline import PiecewiseLinear, Point, hull_vertices, lower_hull

CELLS = 256
_FINE = 1e-14


@dataclass(frozen=True, slots=True)
class Transform:
    """The conditional risks and psi of a loss between exact piecewise linear bounds.

    ``G_lo`` <= G <= ``G_hi`` bound the least risk of non-negative scores, ``psi_lo`` <= psi <= ``psi_hi`` psi.
    ``how`` says what was relied on and is empty for a piecewise linear loss, whose bounds are equal and whose answers
    are Fractions; any other loss is answered with an `Enclosure`.
    """

    G_lo: PiecewiseLinear
    G_hi: PiecewiseLinear
    psi_lo: PiecewiseLinear
    psi_hi: PiecewiseLinear
    how: tuple[str, ...]

    def H(self, eta: Fraction) -> Any:  # noqa: N802
        return self._between(*(min(G(eta), G(1 - eta)) for G in (self.G_lo, self.G_hi)))

    def H_minus(self, eta: Fraction) -> Any:  # noqa: N802
        return self._between(*(G(min(eta, 1 - eta)) for G in (self.G_lo, self.G_hi)))

    def psi_tilde(self, theta: Fraction) -> Any:
        return self._between(_rise(self.G_lo, self.G_hi, theta), _rise(self.G_hi, self.G_lo, theta) * bool(theta))

    def psi(self, theta: Fraction) -> Any:
        return self._between(self.psi_lo(theta), self.psi_hi(theta))

    def psi_inverse(self, excess: Fraction) -> Any:
        return self._between(*(psi.last_at_most(excess, stop=Fraction(1)) for psi in (self.psi_hi, self.psi_lo)))

    def _between(self, lo: Fraction, hi: Fraction) -> Any:
        return Enclosure(lo, hi, self.how) if self.how else lo


def transform(loss: str | Loss, *, cells: int = CELLS) -> Transform:
    """Exact or enclosing conditional risks and psi of a loss, from at most ``cells`` cells of non-negative scores.

    A piecewise linear loss is exact whatever ``cells``. Any other must declare traits that bound it between the points
    where it is evaluated: ``non_increasing``, ``convex``, or ``lipschitz`` with a ``radius``; and it must be
    non-negative (declared, or implied by non-increasing with a limit). Raises ``ValueError`` where a premise is missing
    or where the values of phi contradict a declared trait.

    >>> transform("asymmetric_hinge").psi_lo.knots[-1], transform("logistic", cells=64).psi(Fraction(1)).contains(1)
    (Knot(x=Fraction(1, 1), left=Fraction(1, 1), value=Fraction(1, 1), right=Fraction(1, 1)), True)
    """
    return _transform(as_loss(loss), cells)


@lru_cache(maxsize=256)
def _transform(loss: Loss, cells: int) -> Transform:
    if loss.non_negative is not True:
        what = "negative somewhere" if loss.non_negative is False else "not declared non_negative"
        raise ValueError(f"loss {loss.name!r} is {what}; the bounds by its psi-transform need a non-negative loss")
    how: tuple[str, ...] = ()
    if isinstance(loss.formula, PiecewiseLinear):
        lower = upper = list(_corners(loss.formula, loss.radius))
    else:
        lower, upper, how = _cells(loss, cells)
    G_lo, G_hi = _envelope(lower), _envelope(upper)
    psi_lo, psi_hi = (lower_hull(_vertices(*pair)) for pair in ((G_lo, G_hi), (G_hi, G_lo)))
    if loss.calibrated and psi_hi.last_at_most(Fraction(0), stop=Fraction(1)):
        raise ValueError(f"loss {loss.name!r} is declared calibrated, but its psi-transform vanishes right of 0")
    return Transform(G_lo, G_hi, psi_lo, psi_hi, how)


def _envelope(points: Iterable[Point]) -> PiecewiseLinear:
    """eta -> min over the points (x, y) of eta x + (1 - eta) y on [0, 1], from the hull of the points."""
    hull = hull_vertices(points)
    knots = [(Fraction(1), hull[0][0])]
    for (x, y), (u, v) in itertools.pairwise(hull):
        if v >= y:
            break  # from the lowest point on, no eta in [0, 1] prefers the next
        eta = (y - v) / (u - x + y - v)
        knots.append((eta, eta * x + (1 - eta) * y))
    return PiecewiseLinear([*knots, (Fraction(0), min(y for _, y in hull))])


def _rise(wrong: PiecewiseLinear, right: PiecewiseLinear, theta: Fraction) -> Fraction:
    """psi_tilde(theta), or a bound of it, from the risks of scores of the wrong and of the right sign."""
    gap: Fraction = wrong((1 - theta) / 2) - right((1 + theta) / 2)
    return max(gap, Fraction(0))


def _vertices(wrong: PiecewiseLinear, right: PiecewiseLinear) -> Iterator[Point]:
    """The vertices of that piecewise linear function of theta, and (0, 0), for psi_tilde(0) = 0 whatever is known."""
    bends = {1 - 2 * knot.x for knot in wrong.knots} | {2 * knot.x - 1 for knot in right.knots}
    thetas = sorted({theta for theta in bends if 0 < theta < 1} | {Fraction(0), Fraction(1)})
    gaps = [wrong((1 - theta) / 2) - right((1 + theta) / 2) for theta in thetas]
    yield Fraction(0), Fraction(0)
    yield from ((theta, max(gap, Fraction(0))) for theta, gap in zip(thetas, gaps, strict=True) if theta)
    for (s, one), (t, two) in itertools.pairwise(zip(thetas, gaps, strict=True)):
        if one * two < 0:
            yield s + (t - s) * one / (one - two), Fraction(0)


def _corners(phi: PiecewiseLinear, radius: Fraction | int | None) -> Iterator[Point]:
    """The points (phi(a), phi(-a)), a >= 0, at which a conditional risk of a piecewise linear loss can be least:
    both sides of the knots, and the end of the scores."""
    places = {abs(knot.x) for knot in phi.knots} | {Fraction(0)}
    if radius is not None:
        places = {a for a in places if a < radius} | {Fraction(radius)}
    for a in places:
        here, there = phi.at(a), phi.at(-a)
        yield here.value, there.value
        if a:
            yield here.left, there.right
        if a != radius:
            yield here.right, there.left


# ---- a loss known at points, and between them by its traits ----

Line = tuple[Fraction, Fraction, Fraction]
"""A point (u, y) on it, and its slope."""


def _cells(loss: Loss, cells: int) -> tuple[list[Point], list[Point], tuple[str, ...]]:
    """Points below and points on the curve (phi(a), phi(-a)), a >= 0, and what was relied on.

    Where the two envelopes are farthest apart, a cell between two scores is halved, or the last score is doubled.
    """
    if cells < 8:
        raise ValueError(f"cells {cells} are too few; allowed are 8 or more")
    traits = [name for name in ("non_increasing", "convex") if getattr(loss, name)]
    traits += ["lipschitz"] * (loss.lipschitz is not None)
    if not traits or (traits == ["lipschitz"] and loss.radius is None):
        raise ValueError(
            f"nothing bounds loss {loss.name!r} between the points where it is evaluated; "
            "declare non_increasing or convex, or lipschitz with a radius"
        )
    end, values = Fraction(loss.radius or 1), dict[Fraction, Enclosure]()
    fresh, unbounded = [end * k / 8 for k in range(9)], loss.radius is None
    while True:
        for a in fresh:
            try:
                values |= {u: _finite(loss, u) for u in (a, -a)}
            except OverflowError:
                if a <= end:
                    raise
                unbounded = False  # phi outgrows its numbers, so the last cell stays as it is
        us = sorted(values)
        ys, scores = [values[u] for u in us], us[len(us) // 2 :]
        below = list(_below(loss, us, ys))
        on_curve = [(_up(values[a].hi), _up(values[-a].hi)) for a in scores]
        gaps = _gaps(below, _envelope(on_curve))
        for i, (a, b) in enumerate(itertools.pairwise(scores)):
            gaps[i] *= (b - a) * 2**40 > end
        gaps = gaps if unbounded else gaps[: len(scores) - 1]
        wide = [i for i, gap in enumerate(gaps) if gap > max(_FINE, max(gaps) / 4)][: cells + 1 - len(scores)]
        if not wide:
            break
        fresh = [(scores[i] + scores[i + 1]) / 2 if i + 1 < len(scores) else 2 * scores[i] for i in wide]
    if sentence := loss.contradicted_by(us, ys):
        raise ValueError(sentence)
    how = (f"declared {', '.join(traits)}", *(word for y in ys for word in y.how))
    return [point for points in below for point in points], on_curve, tuple(dict.fromkeys(how))


def _finite(loss: Loss, u: Fraction) -> Enclosure:
    y = loss.enclose(u)
    if math.isinf(y.width):
        raise OverflowError(f"phi({u}) of loss {loss.name!r} is enclosed by {y} only; psi needs finite values")
    return y


def _below(loss: Loss, us: list[Fraction], ys: list[Enclosure]) -> Iterator[list[Point]]:
    """For each cell of scores a >= 0, points that no point (phi(a), phi(-a)) of the cell undercuts in any G.

    In a cell phi lies above the larger of two lines, so a conditional risk is at least its least value at the ends and
    at the crossings of the lines; beyond the last score phi lies above a constant on either side.
    """
    lines, middle = list(_lines(loss, us, ys)), len(us) // 2
    for i, (a, b) in enumerate(itertools.pairwise(us[middle:])):
        right, left = lines[middle + i], lines[middle - 1 - i]
        places = [a, b, *_crossing(right, a, b), *(-u for u in _crossing(left, -b, -a))]
        yield [(_down(_height(right, u)), _down(_height(left, -u))) for u in places]
    if loss.radius is None:
        floor = loss.limit if loss.non_increasing and loss.limit is not None else Fraction(0)
        rises = loss.convex and ys[-1].lo >= ys[-2].hi
        falls = loss.non_increasing or (loss.convex and ys[0].lo >= ys[1].hi)
        yield [(_down(ys[-1].lo) if rises else Fraction(floor), _down(ys[0].lo) if falls else Fraction(0))]


def _lines(loss: Loss, us: list[Fraction], ys: list[Enclosure]) -> Iterator[list[Line]]:
    """For each cell [u, v], one or two lines below phi there: one through phi(u), one through phi(v).

    Beyond a chord a convex function lies above it; a Lipschitz one falls no faster than its constant; a non-increasing
    one lies above its value at the right end.
    """
    for i, ((u, y), (v, z)) in enumerate(itertools.pairwise(zip(us, ys, strict=True))):
        forth, back = list[Fraction](), list[Fraction]()
        if loss.convex and i:
            forth.append(Fraction(y.lo - ys[i - 1].hi) / (u - us[i - 1]))
        if loss.convex and i + 2 < len(us):
            back.append(Fraction(ys[i + 2].hi - z.lo) / (us[i + 2] - v))
        if loss.lipschitz is not None:
            forth.append(Fraction(-loss.lipschitz))
            back.append(Fraction(loss.lipschitz))
        if loss.non_increasing:
            back.append(Fraction(0))
        yield [(u, Fraction(y.lo), max(forth)) for _ in forth[:1]] + [(v, Fraction(z.lo), min(back)) for _ in back[:1]]


def _height(lines: list[Line], u: Fraction) -> Fraction:
    return max(y + slope * (u - x) for x, y, slope in lines)


def _crossing(lines: list[Line], a: Fraction, b: Fraction) -> list[Fraction]:
    """Where two lines cross between a and b."""
    if len(lines) < 2 or lines[0][2] == lines[1][2]:
        return []
    (x, y, slope), (u, v, other) = lines
    place = (v - other * u - y + slope * x) / (slope - other)
    return [place] if a < place < b else []


def _gaps(below: list[list[Point]], upper: PiecewiseLinear) -> list[float]:
    """How far each cell's points reach under the upper envelope, at most over eta; in floats, for guidance only."""
    eta = np.array([0, *(float(knot.x) for knot in upper.knots), 1])
    height = upper(eta)
    gaps = []
    for points in below:
        x, y = np.array(points, dtype=float).T[:, :, None]
        gaps.append(float((height - eta * x - (1 - eta) * y).max()))
    return gaps


def _down(x: Any) -> Fraction:
    return Fraction(math.floor(x * 2**100), 2**100)  # keeps the fractions short


def _up(x: Any) -> Fraction:
    return -_down(-x)

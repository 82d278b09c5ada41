"""Exact piecewise linear functions on the line, jumps included, and the convex hull of points in the plane.

>>> ramp = PiecewiseLinear([(0, 1), (1, 0)])
>>> ramp(Fraction(1, 3)), ramp(-5), ramp(0.25)
(Fraction(2, 3), Fraction(1, 1), 0.75)
>>> lower_hull([(0, 0), ("1/2", 1), (1, 1)]) == PiecewiseLinear([(0, 0), (1, 1)])
True
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from theory.enclosure import Enclosure
from theory.numbers import End, Exact, as_fraction

Point = tuple[Fraction, Fraction]


class Knot(NamedTuple):
    """A place ``x`` where the function bends or jumps: the limit from the left, the value, the limit from the right."""

    x: Fraction
    left: Fraction
    value: Fraction
    right: Fraction


@dataclass(frozen=True, slots=True, init=False)
class PiecewiseLinear:
    """A function that is linear between its knots and beyond them, with the given slopes beyond the outer two.

    A knot is given as (x, value), or as (x, left, value, right) where the function jumps. Knots where nothing happens
    are dropped, so equality is equality of functions. Raises ``ValueError`` for no knot or two knots at one place.
    """

    knots: tuple[Knot, ...]
    left_slope: Fraction
    right_slope: Fraction

    def __init__(self, knots: Iterable[Sequence[Exact]], left_slope: Exact = 0, right_slope: Exact = 0) -> None:
        full = sorted(Knot(*(knot if len(knot) == 4 else (knot[0], *knot[1:] * 3))) for knot in map(_exact, knots))
        if not full:
            raise ValueError("a piecewise linear function needs at least one knot")
        for one, two in itertools.pairwise(full):
            if one.x == two.x:
                raise ValueError(f"two knots at {one.x}; a jump is written as one knot (x, left, value, right)")
        object.__setattr__(self, "knots", tuple(full))
        object.__setattr__(self, "left_slope", as_fraction(left_slope, "left_slope"))
        object.__setattr__(self, "right_slope", as_fraction(right_slope, "right_slope"))
        slopes = self.slopes
        kept = [k for i, k in enumerate(full) if slopes[i] != slopes[i + 1] or not k.left == k.value == k.right]
        object.__setattr__(self, "knots", tuple(kept) or (Knot(Fraction(0), *(self(Fraction(0)),) * 3),))

    @property
    def slopes(self) -> tuple[Fraction, ...]:
        """The slope left of the first knot, between each two, and right of the last."""
        inner = ((two.left - one.right) / (two.x - one.x) for one, two in itertools.pairwise(self.knots))
        return (self.left_slope, *inner, self.right_slope)

    def at(self, x: Fraction) -> Knot:
        """The limit from the left, the value and the limit from the right at any x."""
        i = bisect_left(self.knots, x, key=lambda knot: knot.x)
        if i < len(self.knots) and self.knots[i].x == x:
            return self.knots[i]
        if i == 0:
            value = self.knots[0].left + self.left_slope * (x - self.knots[0].x)
        elif i == len(self.knots):
            value = self.knots[-1].right + self.right_slope * (x - self.knots[-1].x)
        else:
            one, two = self.knots[i - 1], self.knots[i]
            value = one.right + (two.left - one.right) * (x - one.x) / (two.x - one.x)
        return Knot(x, value, value, value)

    def __call__(self, x: Any) -> Any:
        """The value at an exact number (a Fraction), at floats (floats, elementwise) or at a sympy expression."""
        if isinstance(x, int | Fraction):
            return self.at(Fraction(x)).value
        if isinstance(x, float | np.ndarray):
            y = self._on_floats(np.asarray(x, dtype=float))
            return y if y.ndim else float(y)
        import sympy

        cases, slopes = [], self.slopes
        for knot, slope in zip(self.knots, slopes, strict=False):
            cases += [(_rational(knot.left) + _rational(slope) * (x - _rational(knot.x)), x < _rational(knot.x))]
            if not knot.left == knot.value == knot.right:
                cases += [(_rational(knot.value), sympy.Eq(x, _rational(knot.x)))]
        last = self.knots[-1]
        return sympy.Piecewise(*cases, (_rational(last.right) + _rational(slopes[-1]) * (x - _rational(last.x)), True))

    def _on_floats(self, x: np.ndarray) -> np.ndarray:
        # Each piece is anchored at its right knot (the last one at its left knot): losses are smallest there, so the
        # digits of small values survive.
        anchors = [(k.x, k.left) for k in self.knots] + [(self.knots[-1].x, self.knots[-1].right)]
        starts, heights = np.array(anchors, dtype=float).T
        piece = np.searchsorted(starts[:-1], x, side="right")
        slopes = np.array(self.slopes, dtype=float)[piece]
        with np.errstate(invalid="ignore"):
            y = heights[piece] + np.where(slopes == 0, 0, slopes * (x - starts[piece]))
        for knot in self.knots:
            y = np.where(x == float(knot.x), float(knot.value), y)
        return np.where(np.isnan(x), np.nan, y)

    def range(self, x: Enclosure) -> Enclosure:
        """The smallest interval that holds the values at every point of an enclosure."""
        inside = [k for k in self.knots if x.lo <= k.x <= x.hi]
        seen: set[End] = {value for k in inside for value in k[1:]}
        for end, slope in ((x.lo, -self.left_slope), (x.hi, self.right_slope)):
            if isinstance(end, Fraction):
                seen.add(self.at(end).value)
            elif slope:
                seen.add(slope * abs(end))
            else:
                knot = self.knots[0] if end < 0 else self.knots[-1]
                seen.add(knot.left if end < 0 else knot.right)
        return Enclosure(min(seen), max(seen), x.how, x.alpha)

    def last_at_most(self, y: Fraction, stop: Fraction) -> Fraction:
        """sup {x <= stop: value <= y}, for a continuous function that does not decrease, is at most y somewhere and
        has its last knot at or before ``stop``.

        >>> lower_hull([(0, 0), (1, 0), (2, 3)]).last_at_most(Fraction(0), stop=Fraction(2))
        Fraction(1, 1)
        """
        i = bisect_right(self.knots, y, key=lambda knot: knot.value)
        if i == len(self.knots):
            return stop
        one, two = self.knots[i - 1], self.knots[i]
        return one.x + (two.x - one.x) * (y - one.value) / (two.value - one.value)


def lower_hull(points: Iterable[Sequence[Exact]]) -> PiecewiseLinear:
    """The largest convex function below the points, on the span of their abscissae (constant beyond).

    It is the biconjugate of a piecewise linear function whose vertices they are, set to +infinity outside the span.
    """
    return PiecewiseLinear(hull_vertices([_exact(point) for point in points]))


def hull_vertices(points: Iterable[Sequence[Fraction]]) -> list[Point]:
    """The vertices of that function from left to right (Andrew's monotone chain)."""
    chain: list[Point] = []
    for x, y in sorted((x, y) for x, y in points):
        if chain and chain[-1][0] == x:
            continue  # sorted: the lower of two points above one another came first
        while len(chain) >= 2 and _not_below(chain[-2], chain[-1], (x, y)):
            chain.pop()
        chain.append((x, y))
    return chain


def _not_below(a: Point, b: Point, c: Point) -> bool:
    """Whether b lies on or above the segment from a to c."""
    return (b[1] - a[1]) * (c[0] - a[0]) >= (c[1] - a[1]) * (b[0] - a[0])


def _exact(knot: Sequence[Exact]) -> tuple[Fraction, ...]:
    if len(knot) not in (2, 4):
        raise ValueError(f"knot {tuple(knot)!r} is unreadable; write (x, value) or (x, left, value, right)")
    return tuple(as_fraction(number, "knot") for number in knot)


def _rational(x: Fraction) -> Any:
    import sympy

    return sympy.Rational(x.numerator, x.denominator)

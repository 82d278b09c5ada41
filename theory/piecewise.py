"""Exact piecewise polynomials: open pieces, and the values at the breakpoints kept apart from them.

A worst-case risk jumps where the adversary first reaches something new, so the value *at* a breakpoint and the limits
on its two sides are three different numbers, and a ``PiecewisePoly`` keeps all three.

>>> eps = Poly(0, 1)
>>> ramp = PiecewisePoly((Fraction(0), Fraction(1, 4), Fraction(1)), (4 * eps, Poly(1)), (Poly(0), Poly(1), Poly(1)))
>>> ramp("1/10"), ramp.right(0), minimum(ramp, "1/3").breakpoints
(Fraction(2, 5), Fraction(0, 1), (Fraction(0, 1), Fraction(1, 12), Fraction(1, 1)))
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from theory.enclosure import Enclosure
from theory.numbers import Exact, as_fraction
from theory.polynomial import Poly, Real, real_roots


class Piece(NamedTuple):
    """A polynomial on the open interval (lo, hi)."""

    lo: Real
    hi: Real
    poly: Poly


class Jump(NamedTuple):
    """A breakpoint where left limit, value and right limit are not one number; None where a side does not exist."""

    at: Real
    left: Enclosure | None
    value: Enclosure | None
    right: Enclosure | None


@dataclass(frozen=True, slots=True, init=False)
class PiecewisePoly:
    """Polynomials on the open intervals between breakpoints, and a value at each breakpoint.

    ``values[k]`` is a polynomial to be evaluated at breakpoint k (a constant unless the breakpoint is irrational), or
    None where the function is not defined (an end that is left out). The constructor joins pieces that continue each
    other, so equality is equality of functions.
    """

    breakpoints: tuple[Real, ...]
    polys: tuple[Poly, ...]
    values: tuple[Poly | None, ...]

    def __init__(self, breakpoints: tuple[Real, ...], polys: tuple[Poly, ...], values: tuple[Poly | None, ...]) -> None:
        if not len(breakpoints) == len(values) == len(polys) + 1:
            raise ValueError(f"{len(polys)} pieces need {len(polys) + 1} breakpoints and values")
        values = tuple(_settled(k, breakpoints, polys, value) for k, value in enumerate(values))
        keep = [
            k
            for k in range(len(breakpoints))
            if k in (0, len(polys))
            or polys[k - 1] != polys[k]
            or (value := values[k]) is None
            or value != _constant(polys[k], breakpoints[k])
        ]
        object.__setattr__(self, "breakpoints", tuple(breakpoints[k] for k in keep))
        object.__setattr__(self, "polys", tuple(polys[k] for k in keep[:-1]))
        object.__setattr__(self, "values", tuple(values[k] for k in keep))

    @classmethod
    def constant(cls, value: Exact, lo: Exact, hi: Exact) -> PiecewisePoly:
        """The constant function on [lo, hi]."""
        return cls.polynomial(Poly(as_fraction(value)), lo, hi)

    @classmethod
    def polynomial(cls, poly: Poly, lo: Exact, hi: Exact) -> PiecewisePoly:
        """One polynomial on [lo, hi]."""
        return cls((as_fraction(lo), as_fraction(hi)), (poly,), (poly, poly))

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The open pieces, left to right."""
        ends = zip(self.breakpoints, self.breakpoints[1:], self.polys, strict=False)
        return tuple(Piece(lo, hi, poly) for lo, hi, poly in ends)

    def __call__(self, x: Exact) -> Fraction:
        """The value at x. Raises ``ValueError`` outside the domain and where the function is left undefined."""
        return self.at(x)

    def at(self, x: Exact) -> Fraction:
        x = as_fraction(x, "eps")
        k = self._locate(x)
        value = self.values[k] if self.breakpoints[k] == x else self.polys[k - 1]
        if value is None:
            raise ValueError(f"eps {x} is a point where this curve is not defined")
        return Fraction(value(x))

    def left(self, x: Exact) -> Fraction:
        """The limit from the left."""
        x = as_fraction(x, "eps")
        k = self._locate(x)
        if k == 0:
            raise ValueError(f"eps {x} is the left end of this curve: there is no limit from the left")
        return Fraction(self.polys[k - 1](x))

    def right(self, x: Exact) -> Fraction:
        """The limit from the right."""
        x = as_fraction(x, "eps")
        k = self._locate(x)
        if self.breakpoints[k] == x:
            k += 1
        if k == len(self.breakpoints):
            raise ValueError(f"eps {x} is the right end of this curve: there is no limit from the right")
        return Fraction(self.polys[k - 1](x))

    def _locate(self, x: Fraction) -> int:
        """The first breakpoint at or right of x."""
        if not self.breakpoints[0] <= x <= self.breakpoints[-1]:
            raise ValueError(f"eps {x} is outside this curve's range [{self.breakpoints[0]}, {self.breakpoints[-1]}]")
        return bisect_left(self.breakpoints, x)

    def jumps(self) -> tuple[Jump, ...]:
        """The breakpoints where left limit, value and right limit are not all equal."""
        found = []
        for k, at in enumerate(self.breakpoints):
            left = self.polys[k - 1] if k else None
            right = self.polys[k] if k < len(self.polys) else None
            value = self.values[k]
            sides = [p for p in (left, value, right) if p is not None]
            if any(_sign_at(p - q, at) for p, q in itertools.pairwise(sides)):
                found.append(Jump(at, *(None if p is None else _value(p, at) for p in (left, value, right))))
        return tuple(found)

    def sup(self) -> Enclosure:
        """The supremum, limits at breakpoints included; exact where it is attained at a rational eps."""
        candidates = list(self._extreme_candidates())
        return Enclosure(max(c.lo for c in candidates), max(c.hi for c in candidates))

    def inf(self) -> Enclosure:
        """The infimum, limits at breakpoints included; exact where it is attained at a rational eps."""
        return -(-self).sup()

    def _extreme_candidates(self) -> Iterator[Enclosure]:
        for k, at in enumerate(self.breakpoints):
            sides = (self.polys[k - 1] if k else None, self.values[k], self.polys[k] if k < len(self.polys) else None)
            yield from (_value(p, at) for p in sides if p is not None)
        for lo, hi, poly in self.pieces:
            if poly.degree > 1:
                yield from (_value(poly, x) for x in _roots_between(poly.derivative(), lo, hi))

    def __add__(self, other: PiecewisePoly | Exact) -> PiecewisePoly:
        return self._combine(other, lambda p, q: p + q)

    def __sub__(self, other: PiecewisePoly | Exact) -> PiecewisePoly:
        return self._combine(other, lambda p, q: p - q)

    def __mul__(self, other: PiecewisePoly | Exact) -> PiecewisePoly:
        return self._combine(other, lambda p, q: p * q)

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self) -> PiecewisePoly:
        return self * -1

    def __rsub__(self, other: Exact) -> PiecewisePoly:
        return -self + other

    def _combine(self, other: PiecewisePoly | Exact, verb: Callable[[Poly, Poly], Poly]) -> PiecewisePoly:
        points, pairs, values = _common(self, other)
        joined = tuple(None if p is None or q is None else verb(p, q) for p, q in values)
        return PiecewisePoly(points, tuple(verb(p, q) for p, q in pairs), joined)

    def __str__(self) -> str:
        """One line a piece; a breakpoint's value is shown where it belongs to neither neighbour."""
        lines = [f"({lo}, {hi}): {poly}" for lo, hi, poly in self.pieces]
        odd = [f"{jump.at}: {jump.value}" for jump in self.jumps()]
        return "\n".join(lines + [f"at {line}" for line in odd])


def minimum(a: PiecewisePoly, b: PiecewisePoly | Exact) -> PiecewisePoly:
    """The lower envelope, exact; where two curves cross at an irrational eps the breakpoint is a ``Root``."""
    return -_envelope(-a, -b if isinstance(b, PiecewisePoly) else -as_fraction(b))


def maximum(a: PiecewisePoly, b: PiecewisePoly | Exact) -> PiecewisePoly:
    """The upper envelope, exact; where two curves cross at an irrational eps the breakpoint is a ``Root``."""
    return _envelope(a, b)


def _envelope(a: PiecewisePoly, b: PiecewisePoly | Exact) -> PiecewisePoly:
    points, pairs, values = _common(a, b)
    breakpoints: list[Real] = [points[0]]
    polys: list[Poly] = []
    chosen: list[Poly | None] = [_larger_at(*values[0], points[0])]
    for (lo, hi), (p, q), value in zip(itertools.pairwise(points), pairs, values[1:], strict=True):
        difference = p - q
        cuts = _roots_between(difference, lo, hi) if difference.degree > 0 else []
        ends: list[Real] = [lo, *cuts, hi]
        for k, (left, right) in enumerate(itertools.pairwise(ends)):
            polys.append(p if _sign_at(difference, _between(left, right)) >= 0 else q)
            breakpoints.append(right)
            chosen.append(p if k < len(cuts) else _larger_at(*value, right))
    return PiecewisePoly(tuple(breakpoints), tuple(polys), tuple(chosen))


def _larger_at(p: Poly | None, q: Poly | None, x: Real) -> Poly | None:
    return None if p is None or q is None else p if _sign_at(p - q, x) >= 0 else q


def _common(
    a: PiecewisePoly, b: PiecewisePoly | Exact
) -> tuple[tuple[Real, ...], list[tuple[Poly, Poly]], list[tuple[Poly | None, Poly | None]]]:
    """The two functions on their common refinement: breakpoints, pairs of pieces, pairs of values."""
    if not isinstance(b, PiecewisePoly):
        c = Poly(as_fraction(b))
        return a.breakpoints, [(p, c) for p in a.polys], [(v, c) for v in a.values]
    lo, hi = max(a.breakpoints[0], b.breakpoints[0]), min(a.breakpoints[-1], b.breakpoints[-1])
    if lo >= hi:
        raise ValueError("two curves without a common range of eps cannot be combined")
    points: list[Real] = []
    for x in sorted({*a.breakpoints, *b.breakpoints} if _rational_only(a, b) else [*a.breakpoints, *b.breakpoints]):
        if lo <= x <= hi and not (points and points[-1] == x):
            points.append(x)
    pieces = [(_poly_after(a, x), _poly_after(b, x)) for x in points[:-1]]
    return tuple(points), pieces, [(_value_at(a, x), _value_at(b, x)) for x in points]


def _rational_only(*curves: PiecewisePoly) -> bool:
    return all(isinstance(x, Fraction) for curve in curves for x in curve.breakpoints)


def _poly_after(curve: PiecewisePoly, x: Real) -> Poly:
    k = bisect_left(curve.breakpoints, x)
    return curve.polys[k if curve.breakpoints[k] == x else k - 1]


def _value_at(curve: PiecewisePoly, x: Real) -> Poly | None:
    k = bisect_left(curve.breakpoints, x)
    return curve.values[k] if curve.breakpoints[k] == x else curve.polys[k - 1]


def _sign_at(p: Poly, x: Real) -> int:
    """The exact sign of p(x), also at an algebraic x."""
    if isinstance(x, Fraction):
        value = Fraction(p(x))
        return int(value > 0) - int(value < 0)
    if p.degree < 1:
        return 0 if not p.coeffs else (1 if p.coeffs[0] > 0 else -1)
    if any(root == x for root in real_roots(p, x.lo, x.hi)):
        return 0
    while real_roots(p, x.lo, x.hi):
        x = x.refine((x.hi - x.lo) / 4)
    return 1 if p((x.lo + x.hi) / 2) > 0 else -1


def _value(p: Poly, x: Real) -> Enclosure:
    """p(x), by interval arithmetic where x is irrational."""
    if isinstance(x, Fraction):
        return Enclosure.exact(p(x))
    narrow = x.refine(Fraction(1, 2**100))
    value: Enclosure = Enclosure.exact(0) + p(Enclosure(narrow.lo, narrow.hi))
    return value


def _settled(k: int, breakpoints: tuple[Real, ...], polys: tuple[Poly, ...], value: Poly | None) -> Poly | None:
    """One way to write the value at breakpoint k: a constant, at an irrational point its neighbour's polynomial."""
    if value is None or isinstance(breakpoints[k], Fraction):
        return _constant(value, breakpoints[k])
    neighbours = polys[max(k - 1, 0) : k + 1]
    return next((p for p in neighbours if not _sign_at(value - p, breakpoints[k])), value)


def _constant(value: Poly | None, x: Real) -> Poly | None:
    return Poly(value(x)) if value is not None and isinstance(x, Fraction) else value


def _roots_between(p: Poly, lo: Real, hi: Real) -> list[Real]:
    if not p.coeffs:
        return []
    outer = (lo if isinstance(lo, Fraction) else lo.lo, hi if isinstance(hi, Fraction) else hi.hi)
    return [x for x in real_roots(p, *outer) if lo < x < hi]


def _between(lo: Real, hi: Real) -> Fraction:
    """A rational point strictly between two reals."""
    width: Any = Fraction(1)
    while True:
        a = lo if isinstance(lo, Fraction) else lo.refine(width).hi
        b = hi if isinstance(hi, Fraction) else hi.refine(width).lo
        if a < b:
            return (a + b) / 2
        width /= 2

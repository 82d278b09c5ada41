"""One coordinate's share of a linear form, with the coordinate clipped to an interval; volumes of half-spaces in boxes.

A sum of such terms, sum_i w_i clip(x_i, lo_i, hi_i) + b, is what dilating a linear form within a box leads to
(``theory.halfspace``). Whatever is asked of the sum is asked of each term: its range, how far an adversary can push
it, its flat and its sloping parts.

>>> term = Term(Fraction(2), hi=Fraction(1))
>>> term(Fraction(1, 2)), term(Fraction(3)), term
(Fraction(1, 1), Fraction(2, 1), 2*min(x, 1))
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from typing import Any

Number = Any  # Fraction or Germ
Span = tuple[Any, Any]  # low and high end, None for unbounded

NOTHING, FREE = Fraction(0), (None, None)


@dataclass(frozen=True, slots=True, repr=False)
class Term:
    """x -> weight * clip(x, lo, hi), an end None where there is no clip. Weight 0 has no clips."""

    weight: Fraction
    lo: Any = None
    hi: Any = None

    def __call__(self, x: Number) -> Number:
        return self.weight * clip(x, (self.lo, self.hi)) if self.weight else NOTHING

    def scaled(self, factor: Fraction) -> Term:
        return replace(self, weight=self.weight * factor)

    @property
    def levels(self) -> Span:
        """The values on the low and the high plateau, None where there is none."""
        lo, hi = (None if end is None else self.weight * end for end in (self.lo, self.hi))
        return (lo, hi) if self.weight > 0 else (hi, lo)

    def without(self, *, low: bool, high: bool) -> Term:
        """The term without its low or its high plateau."""
        first, last = (low, high) if self.weight > 0 else (high, low)
        return replace(self, lo=None if first else self.lo, hi=None if last else self.hi)

    def settled(self, side: Span) -> tuple[Term, Number]:
        """The simplest term, and a constant, that sum to this one for x in ``side``."""
        (lo, hi), (a, b) = (self.lo, self.hi), side
        if not self.weight:
            return Term(NOTHING), NOTHING
        if lo is not None and ((hi is not None and lo >= hi) or (b is not None and lo >= b)):
            return Term(NOTHING), self.weight * lo
        if hi is not None and a is not None and hi <= a:
            return Term(NOTHING), self.weight * hi
        lo = None if lo is not None and a is not None and lo <= a else lo
        hi = None if hi is not None and b is not None and hi >= b else hi
        return Term(self.weight, lo, hi), NOTHING

    def range(self, side: Span) -> Span:
        """The least and the largest value for x in ``side``, None where unbounded."""
        if not self.weight:
            return NOTHING, NOTHING
        ends = [s if c is None else c for c, s in zip((self.lo, self.hi), side, strict=True)]
        low, high = (None if end is None else self.weight * end for end in ends)
        return (low, high) if self.weight > 0 else (high, low)

    def pushed(self, radius: Number, side: Span) -> tuple[Term, Number]:
        """max {term(z) : |z - x| <= radius, z in side} for x in ``side``, as a term plus a constant.

        With positive weight the best z is min(x + radius, side high), so w clip(x, lo, hi), settled on the side,
        becomes w clip(x, lo - radius, hi - radius) + w radius, where hi is the side's if there was none.
        """
        lo, hi = self.lo, self.hi
        if self.weight > 0:
            hi = side[1] if hi is None else hi
        else:
            lo = side[0] if lo is None else lo
        step = -radius if self.weight > 0 else radius
        moved = [None if end is None else end + step for end in (lo, hi)]
        return Term(self.weight, *moved), abs(self.weight) * radius

    def pieces(self, side: Span) -> list[tuple[Number, Fraction, Number]]:
        """A bounded side cut at the clips: of each piece the largest value, the slope (0 if flat), the length."""
        (a, b), lo, hi = side, self.lo, self.hi
        pieces: list[tuple[Number, Fraction, Number]] = []
        if lo is not None and a < lo:
            end = min(lo, b)
            pieces.append((self.weight * lo, NOTHING, end - a))
            a = end
        if hi is not None and b > hi:
            start = max(hi, a)
            pieces.append((self.weight * hi, NOTHING, b - start))
            b = start
        if a < b:
            pieces.append((self.weight * (b if self.weight > 0 else a), abs(self.weight), b - a))
        return pieces

    def show(self, name: str = "x") -> str:
        """The term without its sign, with the coordinate called ``name``."""
        lo, hi = self.lo, self.hi
        if lo is not None and hi is not None:
            name = f"clip({name}, {lo}, {hi})"
        elif lo is not None or hi is not None:
            name = f"min({name}, {hi})" if lo is None else f"max({name}, {lo})"
        return name if abs(self.weight) == 1 else f"{abs(self.weight)}*{name}"

    def __repr__(self) -> str:
        return ("-" if self.weight < 0 else "") + self.show()


def clip(x: Number, span: Span) -> Number:
    """x moved into the interval."""
    lo, hi = span
    if lo is not None and x < lo:
        return lo
    return hi if hi is not None and x > hi else x


def corner_volume(top: Number, slopes: list[tuple[Fraction, Number]]) -> Number:
    """The volume of {u in prod [0, L_i] : sum s_i u_i < top} for positive slopes s_i, given as pairs (s_i, L_i).

    Inclusion and exclusion over the vertices of the box (Barrow and Smith, 1979): with a_i = s_i L_i, k axes,

        sum_S (-1)^|S| (top - sum_{i in S} a_i)_+^k / (k! prod_i s_i).

    >>> corner_volume(Fraction(1), [(Fraction(1), Fraction(1)), (Fraction(2), Fraction(1))])
    Fraction(1, 4)
    """
    if top <= 0:
        return NOTHING
    widths = [slope * length for slope, length in slopes]
    if top >= reduce(operator.add, widths):
        return reduce(operator.mul, (length for _, length in slopes))
    power = len(slopes)

    def vertices(left: Number, k: int) -> Number:
        """The signed sum over the vertices that differ from this one in axes k, k + 1, ...; past the cut all vanish."""
        total = reduce(operator.mul, [left] * power)
        for j in range(k, power):
            rest = left - widths[j]
            if rest > 0:
                total = total - vertices(rest, j + 1)
        return total

    return vertices(top, 0) / (math.factorial(power) * math.prod(slope for slope, _ in slopes))

"""Exact polynomials in one variable and their real roots.

A risk on box laws is a polynomial in eps between breakpoints; breakpoints are rational, or algebraic numbers where two
curves cross. ``Poly`` is the first, ``Root`` the second: a square-free polynomial with an interval that holds one root.

>>> p = Poly(-2, 0, 1)                       # x^2 - 2
>>> root, = real_roots(p, Fraction(0), Fraction(2))
>>> root < Fraction(3, 2), float(root)
(True, 1.4142135623730951)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import total_ordering
from itertools import pairwise
from typing import Any

ZERO, ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True, init=False)
class Poly:
    """c0 + c1 x + c2 x^2 + ... with rational coefficients and no trailing zero; the zero polynomial has none.

    >>> Poly(0, 1) * Poly(0, 1) + 3
    Poly(3, 0, 1)
    >>> str(Poly("1/4", "-3/2", 1)), Poly(1, 2)(Fraction(1, 3))
    ('1/4 - 3/2*eps + eps^2', Fraction(5, 3))
    """

    coeffs: tuple[Fraction, ...]

    def __init__(self, *coeffs: Fraction | int | str) -> None:
        object.__setattr__(self, "coeffs", _trim([c if isinstance(c, Fraction) else Fraction(c) for c in coeffs]))

    @property
    def degree(self) -> int:
        """Degree, -1 for the zero polynomial."""
        return len(self.coeffs) - 1

    def __call__(self, x: Any) -> Any:
        """Horner's rule in whatever numbers ``x`` is made of."""
        value: Any = ZERO
        for c in reversed(self.coeffs):
            value = value * x + c
        return value

    def __add__(self, other: Poly | Fraction | int) -> Poly:
        return Poly(*_add(self.coeffs, _coeffs(other)))

    def __mul__(self, other: Poly | Fraction | int) -> Poly:
        return Poly(*_mul(self.coeffs, _coeffs(other)))

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self) -> Poly:
        return Poly(*(-c for c in self.coeffs))

    def __sub__(self, other: Poly | Fraction | int) -> Poly:
        return self + -other

    def __rsub__(self, other: Poly | Fraction | int) -> Poly:
        return -self + other

    def derivative(self) -> Poly:
        return Poly(*(k * c for k, c in enumerate(self.coeffs[1:], 1)))

    def shift(self, a: Fraction) -> Poly:
        """The polynomial x -> p(x + a)."""
        return self(Poly(a, 1)) if self.coeffs else self

    def __repr__(self) -> str:
        return f"Poly({', '.join(map(str, self.coeffs))})"

    def __str__(self) -> str:
        return self.format("eps")

    def format(self, variable: str) -> str:
        """Written out, lowest power first: ``1/4 - 3/2*eps + eps^2``."""
        text = ""
        for k, c in enumerate(self.coeffs):
            if not c:
                continue
            power = "" if k == 0 else variable if k == 1 else f"{variable}^{k}"
            size = abs(c)
            term = f"{size}" if not power else power if size == 1 else f"{size}*{power}"
            sign = ("-" if c < 0 else "") if not text else (" - " if c < 0 else " + ")
            text += sign + term
        return text or "0"


def _trim(coeffs: list[Any]) -> tuple[Any, ...]:
    while coeffs and not coeffs[-1]:
        coeffs.pop()
    return tuple(coeffs)


def _coeffs(value: Poly | Fraction | int) -> tuple[Fraction, ...]:
    return value.coeffs if isinstance(value, Poly) else (Fraction(value),)


def _add(a: tuple[Fraction, ...], b: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    if len(a) < len(b):
        a, b = b, a
    return (*(x + y for x, y in zip(a, b, strict=False)), *a[len(b) :])


def _mul(a: tuple[Fraction, ...], b: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    if not a or not b:
        return ()
    product = [ZERO] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            product[i + j] += x * y
    return tuple(product)


def _divmod(a: Poly, b: Poly) -> tuple[Poly, Poly]:
    quotient, remainder = [ZERO] * max(a.degree - b.degree + 1, 0), list(a.coeffs)
    while len(remainder) >= len(b.coeffs):
        factor, place = remainder[-1] / b.coeffs[-1], len(remainder) - len(b.coeffs)
        quotient[place] = factor
        for i, c in enumerate(b.coeffs):
            remainder[place + i] -= factor * c
        remainder = list(_trim(remainder[:-1]))
    return Poly(*quotient), Poly(*remainder)


def gcd(a: Poly, b: Poly) -> Poly:
    """The monic greatest common divisor."""
    while b.coeffs:
        a, b = b, _divmod(a, b)[1]
    return a * (1 / a.coeffs[-1]) if a.coeffs else a


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Root:
    """The one root of a square-free ``poly`` in the open interval (lo, hi); poly changes sign there.

    Orders exactly against rationals and other roots; ``float`` is within one unit of its last digits.
    """

    poly: Poly
    lo: Fraction
    hi: Fraction

    def refine(self, width: Fraction) -> Root:
        """The same number in an interval no wider than ``width``."""
        lo, hi, sign = self.lo, self.hi, self.poly(self.lo) > 0
        while hi - lo > width:
            middle = (lo + hi) / 2
            value = self.poly(middle)
            if value == 0:  # a rational root of a reducible polynomial: halve around it instead
                quarter = (hi - lo) / 8
                lo, hi = middle - quarter, middle + quarter
            elif (value > 0) == sign:
                lo = middle
            else:
                hi = middle
        return Root(self.poly, lo, hi)

    def __float__(self) -> float:
        root, tiny = self, Fraction(1, 2**1100)
        while root.hi - root.lo > max(abs(root.lo) / 2**60, tiny):
            root = root.refine((root.hi - root.lo) / 2**16)
        return float((root.lo + root.hi) / 2)

    def _compare(self, other: Fraction | Root) -> int:
        """-1, 0 or 1 as self is below, equal to or above other."""
        if isinstance(other, Root):
            a, b = self, other
            common = gcd(a.poly, b.poly)
            while a.lo < b.hi and b.lo < a.hi:
                lo, hi = max(a.lo, b.lo), min(a.hi, b.hi)
                # one number exactly when a common factor has its root where the two intervals meet
                if common.degree > 0 and common(lo) * common(hi) < 0:
                    return 0
                width = min(a.hi - a.lo, b.hi - b.lo) / 2
                a, b = a.refine(width), b.refine(width)
            return -1 if a.hi <= b.lo else 1
        if other <= self.lo or other >= self.hi:
            return 1 if other <= self.lo else -1
        value = self.poly(other)
        if value == 0:
            return 0
        return 1 if (value > 0) == (self.poly(self.lo) > 0) else -1

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Root | Fraction | int):
            return NotImplemented
        return self._compare(Fraction(other) if isinstance(other, int) else other) == 0

    def __lt__(self, other: Root | Fraction | int) -> bool:
        return self._compare(Fraction(other) if isinstance(other, int) else other) < 0

    def __hash__(self) -> int:
        return hash(Root)  # one number has many polynomials and intervals, and equal numbers must hash alike

    def __str__(self) -> str:
        return f"{float(self):.12g}"

    def __repr__(self) -> str:
        return f"Root({self.poly.format('x')} = 0, near {float(self):.12g})"


Real = Fraction | Root


def real_roots(p: Poly, lo: Fraction, hi: Fraction) -> list[Real]:
    """The distinct real roots of ``p`` in the open interval (lo, hi), in order; rational ones as Fractions.

    Sturm's theorem isolates them. Raises ``ValueError`` for the zero polynomial, whose every point is a root.

    >>> real_roots(Poly(-1, 0, 4), Fraction(-2), Fraction(2))
    [Fraction(-1, 2), Fraction(1, 2)]
    """
    if not p.coeffs:
        raise ValueError("the zero polynomial has every number as a root")
    if p.degree == 0:
        return []
    if p.degree == 1:
        root = -p.coeffs[0] / p.coeffs[1]
        return [root] if lo < root < hi else []
    p = _divmod(p, gcd(p, p.derivative()))[0]
    chain = [p, p.derivative()]
    while chain[-1].degree > 0:
        chain.append(-_divmod(chain[-2], chain[-1])[1])

    def changes(x: Fraction) -> int:
        signs = [v > 0 for q in chain if (v := q(x)) != 0]
        return sum(a != b for a, b in pairwise(signs))

    roots: list[Real] = []
    stack = [(lo, hi, changes(lo), changes(hi))]  # changes(a) - changes(b) = number of roots in (a, b]
    while stack:
        a, b, va, vb = stack.pop()
        count = va - vb - (p(b) == 0)
        if count == 0:
            continue
        if count == 1 and p(a) != 0 and p(b) != 0:
            roots.append(_rational(Root(p, a, b)))
            continue
        middle = (a + b) / 2
        vm = changes(middle)
        if p(middle) == 0:
            roots.append(middle)
        stack += [(middle, b, vm, vb), (a, middle, va, vm)]
    return sorted(roots)


def _rational(root: Root) -> Real:
    """The root as a Fraction if it is one: its denominator divides the leading integer coefficient."""
    denominator = math.lcm(*(c.denominator for c in root.poly.coeffs))
    lead = abs(int(root.poly.coeffs[-1] * denominator))
    narrow = root.refine(Fraction(1, 4 * lead))
    candidate = Fraction(round(lead * (narrow.lo + narrow.hi) / 2), lead)
    return candidate if narrow.lo <= candidate <= narrow.hi and root.poly(candidate) == 0 else root

"""Germs: numbers that are polynomials in eps just to the right of a point, and that log what they were asked.

Arithmetic is polynomial arithmetic. Every comparison is decided at e+ (just right of the base point e) and shortens
the log to the stretch around e on which the answer stays the same. Run *unchanged* exact code once on germs: what comes
out is a polynomial in eps, proved on the whole open interval that the log then shows; ``theory.curves`` restarts at its
end.

>>> log = Log(Fraction(0), Fraction(1))
>>> eps = log.germ()
>>> cost = min(4 * eps, Fraction(1, 2))
>>> cost.poly, log.next
(Poly(0, 4), Fraction(1, 8))
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

from theory.enclosure import Enclosure
from theory.numbers import as_fraction
from theory.polynomial import Poly, Real, real_roots


class Log:
    """The base point of a run on germs, and the open interval (prev, next) on which each answer so far holds.

    The answers are those just right of ``at``; ``prev`` tells how far to the left of it they hold as well (it equals
    ``at`` if some comparison flips there), which is what a restart next to an irrational breakpoint needs.
    """

    __slots__ = ("at", "next", "prev", "silent")

    def __init__(self, at: Fraction, stop: Fraction, start: Fraction | None = None) -> None:
        self.at = at
        self.silent = False
        self.next: Real = stop
        self.prev: Real = at if start is None else start

    def germ(self) -> Germ:
        """The variable eps itself."""
        return Germ((self.at, Fraction(1)), self)

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Within this block comparisons are decided at e+ and not logged.

        For searches whose outcome is proved afterwards: whatever path a search took, only its certificate has to hold
        on the interval, and checking it outside this block logs how far it does.
        """
        before, self.silent = self.silent, True
        try:
            yield
        finally:
            self.silent = before

    def sign(self, coeffs: tuple[Fraction, ...]) -> int:
        """Sign at e+ of the non-zero polynomial with these local coefficients; logs its roots nearest to e."""
        if len(coeffs) == 1:
            return 1 if coeffs[0] > 0 else -1
        first = next(k for k, c in enumerate(coeffs) if c)
        if self.silent:
            return 1 if coeffs[first] > 0 else -1
        if first and self.prev < self.at:
            self.prev = self.at
        if len(coeffs) - first == 2:
            self._flip(self.at - coeffs[first] / coeffs[first + 1])
        elif len(coeffs) - first > 2:
            p = Poly(*coeffs).shift(-self.at)
            for root in real_roots(p, _below(self.prev), _above(self.next)):
                self._flip(root)
        return 1 if coeffs[first] > 0 else -1

    def _flip(self, root: Real) -> None:
        if self.at < root < self.next:
            self.next = root
        elif self.prev < root < self.at:
            self.prev = root


def _below(x: Real) -> Fraction:
    return x if isinstance(x, Fraction) else x.lo


def _above(x: Real) -> Fraction:
    return x if isinstance(x, Fraction) else x.hi


class Germ:
    """A polynomial in t = eps - e with its log. Ordered field operations only: no float, no int, no rounding.

    Multiplication is total; division is by non-zero numbers and constant germs, since a risk is a polynomial.
    """

    __slots__ = ("coeffs", "log")

    def __init__(self, coeffs: tuple[Fraction, ...], log: Log) -> None:
        self.coeffs = coeffs
        self.log = log

    @property
    def poly(self) -> Poly:
        """The same polynomial in eps."""
        return Poly(*self.coeffs).shift(-self.log.at)

    def _local(self, value: Any) -> tuple[Fraction, ...] | None:
        """The coefficients of another operand, None if it is no exact number."""
        if isinstance(value, Germ):
            if value.log is not self.log:
                raise ValueError(
                    f"{value!r} and {self!r} come from two runs and do not mix: a law or classifier that depends on "
                    "eps must be made anew in every run, and a curve cannot be computed within another"
                )
            return value.coeffs
        if isinstance(value, Enclosure) and value.is_exact:
            value = value.fraction
        if isinstance(value, Fraction):
            return (value,) if value else ()
        if isinstance(value, int):
            return (Fraction(value),) if value else ()
        return None

    def _of(self, coeffs: list[Fraction]) -> Germ:
        while coeffs and not coeffs[-1]:
            coeffs.pop()
        return Germ(tuple(coeffs), self.log)

    def __add__(self, other: Any) -> Germ:
        b = self._local(other)
        if b is None:
            return NotImplemented
        a = self.coeffs
        if len(a) < len(b):
            a, b = b, a
        return self._of([*(x + y for x, y in zip(a, b, strict=False)), *a[len(b) :]])

    def __neg__(self) -> Germ:
        return Germ(tuple(-c for c in self.coeffs), self.log)

    def __sub__(self, other: Any) -> Germ:
        return NotImplemented if self._local(other) is None else self + -other

    def __rsub__(self, other: Any) -> Germ:
        return (-self).__add__(other)

    def __mul__(self, other: Any) -> Germ:
        b = self._local(other)
        if b is None:
            return NotImplemented
        if not (self.coeffs and b):
            return Germ((), self.log)
        product = [Fraction(0)] * (len(self.coeffs) + len(b) - 1)
        for i, x in enumerate(self.coeffs):
            for j, y in enumerate(b):
                product[i + j] += x * y
        return self._of(product)

    __radd__ = __add__
    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Germ:
        b = self._local(other)
        if b is None:
            return NotImplemented
        if len(b) > 1:
            raise ValueError("division by a quantity that varies with eps: a risk curve is polynomial, not a quotient")
        if not b:
            raise ZeroDivisionError("division by zero")
        return Germ(tuple(c / b[0] for c in self.coeffs), self.log)

    def __rtruediv__(self, other: Any) -> Germ:
        return Germ(self._local(other) or (), self.log) / self

    def __bool__(self) -> bool:
        return self != 0

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Germ) and other.log is not self.log:
            return False  # no error here: a cache that holds germs of an earlier run shall miss, not fail
        b = self._local(other)
        if b is None:
            return NotImplemented
        if self.coeffs == b:
            return True
        self.log.sign(_minus(self.coeffs, b))  # germs that differ may still meet further right: that point is logged
        return False

    def __lt__(self, other: Any) -> bool:
        return self._sign(other) < 0

    def __le__(self, other: Any) -> bool:
        return self._sign(other) <= 0

    def __gt__(self, other: Any) -> bool:
        return self._sign(other) > 0

    def __ge__(self, other: Any) -> bool:
        return self._sign(other) >= 0

    def _sign(self, other: Any) -> int:
        b = self._local(other)
        if b is None:
            raise TypeError(f"a germ cannot be compared with {other!r}; only exact numbers are allowed")
        return 0 if self.coeffs == b else self.log.sign(_minus(self.coeffs, b))

    def __abs__(self) -> Germ:
        return self if self >= 0 else -self

    def __hash__(self) -> int:
        # Equal constants hash like their Fraction. Dictionaries compare by == only within a hash bucket, so code that
        # looks germs up by hash must also have ordered them, or a meeting further right would go unlogged.
        return hash(self.coeffs[0] if self.coeffs else 0) if len(self.coeffs) < 2 else hash(self.coeffs)

    def __float__(self) -> float:
        raise TypeError("a germ has no value: the code must stay exact (no float, int or rounding) to run on germs")

    def __repr__(self) -> str:
        return f"Germ({self.poly} right of {self.log.at})"


def _minus(a: tuple[Fraction, ...], b: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    """a - b with trailing zeros dropped; a != b."""
    if len(a) == len(b) == 2 and a[1] == b[1]:
        return (a[0] - b[0],)
    size = max(len(a), len(b))
    zero = (Fraction(0),)
    padded = zip(a + zero * (size - len(a)), b + zero * (size - len(b)), strict=True)
    difference = [x - y if y else x for x, y in padded]
    while not difference[-1]:
        difference.pop()
    return tuple(difference)


def as_number(value: object, name: str = "value", *, exact_float: bool = False) -> Any:
    """A germ as it is, anything else through ``as_fraction``: what the generic code accepts at its doors."""
    return value if isinstance(value, Germ) else as_fraction(value, name, exact_float=exact_float)

"""A number that is known to lie between two exact ends, with what established it and how sure that is.

An attack bounds a robust risk from below, a certificate from above, a sample gives confidence limits: each is an
`Enclosure`. Its ends are Fractions (or infinite), so arithmetic encloses exactly; a comparison the ends do not decide
raises `Undecided` instead of guessing; decimals are printed outwards.

>>> third = Enclosure.exact("1/3")
>>> attacked = Enclosure("0.2", "0.3", how="attack and certificate", alpha="1/20")
>>> third + attacked
Enclosure[8/15, 19/30; attack and certificate; alpha 1/20]
>>> f"{third:.3f}  {third + attacked:.3f}"
'0.333...  [0.533, 0.634]'
>>> attacked < third
True
>>> attacked < Enclosure("0.25", 1)
Traceback (most recent call last):
theory.enclosure.Undecided: cannot decide [1/5, 3/10] < [1/4, 1]: the intervals overlap
"""

from __future__ import annotations

import math
import numbers
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.numbers import End, Exact, as_end, as_fraction, exact_number
from theory.rounding import arb_end, decimal, float_down, float_up, is_short, notation, show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

class Undecided(ArithmeticError):  # noqa: N818 - an answer, not a fault
    """The enclosures at hand do not determine the answer."""


class Contradiction(ArithmeticError):  # noqa: N818
    """Two enclosures of one and the same number do not meet."""


@dataclass(frozen=True, slots=True, eq=False, repr=False, init=False)
class Enclosure:
    """The statement lo <= x <= hi about one real number x; the statement fails with probability at most ``alpha``.

    ``lo`` and ``hi`` are exact (int, Fraction, or a string such as "0.1"); only -inf below and +inf above may be
    floats. ``how`` says what established the ends; combining two enclosures merges it, in order, without repetition.
    ``alpha`` is 0 for a certain statement; combining adds the alphas (the union bound, at most 1), except that an
    object combined with itself counts once. Operations treat their operands as unrelated numbers: x - x encloses
    0 but is wider than it.

    Comparisons are decided by the ends or raise `Undecided`; an object equals itself. A decision drawn from an
    enclosure with alpha > 0 inherits that alpha. `bool` always raises: "not zero" and "known" are easily mixed up.

    Raises ``ValueError`` for lo > hi, NaN, an infinite number or an alpha outside [0, 1], ``TypeError`` for a finite
    float or any other type.
    """

    lo: End
    hi: End
    how: tuple[str, ...]
    alpha: Fraction

    def __init__(
        self, lo: Exact | float, hi: Exact | float, how: str | Iterable[str] = (), alpha: Exact = Fraction(0)
    ) -> None:
        lo, hi = as_end(lo, "lo"), as_end(hi, "hi")
        if lo == math.inf or hi == -math.inf:
            raise ValueError(f"[{show(lo)}, {show(hi)}] holds no real number; only lo may be -inf and only hi inf")
        if lo > hi:
            raise ValueError(f"lo {show(lo)} is above hi {show(hi)}; an enclosure needs lo <= hi")
        alpha = exact_number(alpha, "alpha")
        if not 0 <= alpha <= 1:
            raise ValueError(f"alpha {alpha} is no probability; it must lie between 0 and 1")
        object.__setattr__(self, "lo", lo)
        object.__setattr__(self, "hi", hi)
        object.__setattr__(self, "how", _merge_how((how,) if isinstance(how, str) else how))
        object.__setattr__(self, "alpha", alpha)

    # ---- making ----

    @staticmethod
    def exact(x: Exact, how: str | Iterable[str] = ()) -> Enclosure:
        """The enclosure [x, x] of a number known exactly.

        >>> Enclosure.exact("9/40").fraction
        Fraction(9, 40)
        """
        value = exact_number(x)
        return Enclosure(value, value, how)

    @staticmethod
    def from_arb(ball: Any, how: str | Iterable[str] = "ball arithmetic", alpha: Exact = Fraction(0)) -> Enclosure:
        """The enclosure midpoint +- radius of a python-flint ``arb``, its ends exact dyadic numbers.

        An end nearer to 0 than 2^-20000 or farther than 2^20000 is moved outwards (to 0, 2^-20000, 2^20000 or
        infinity), for as a Fraction it would fill the memory. Raises ``ValueError`` for an arb that is NaN.

        >>> from flint import arb
        >>> Enclosure.from_arb(arb("0.5", "0.25")).contains("0.7")
        True
        """
        if ball.is_nan():
            raise ValueError(f"{how!r} gave NaN, which encloses nothing; evaluate inside the function's domain")
        if not ball.is_finite():
            return Enclosure(-math.inf, math.inf, how, alpha)
        from flint import ctx

        # lower() and upper() round outwards to flint's working precision, which the ball may exceed.
        with ctx.workprec(max(ctx.prec, ball.bits() + 64)):
            return Enclosure(arb_end(ball.lower(), up=False), arb_end(ball.upper(), up=True), how, alpha)

    @staticmethod
    def from_json(value: object) -> Enclosure:
        """The enclosure that `to_json` wrote: an exact string, or lo, hi, how and alpha.

        >>> Enclosure.from_json({"lo": 0.25, "hi": None, "how": ["attack"], "alpha": None})
        Enclosure[1/4, inf; attack]
        """
        if isinstance(value, str):
            return Enclosure.exact(value)
        if not isinstance(value, dict) or {"lo", "hi", "how", "alpha"} - value.keys():
            raise ValueError(f"{value!r} is no enclosure; allowed are '9/40' or an object with lo, hi, how and alpha")
        return Enclosure(
            -math.inf if value["lo"] is None else as_fraction(value["lo"], "lo", exact_float=True),
            math.inf if value["hi"] is None else as_fraction(value["hi"], "hi", exact_float=True),
            value["how"],
            as_fraction(value["alpha"] or 0, "alpha", exact_float=True),
        )

    # ---- looking ----

    @property
    def is_exact(self) -> bool:
        """Whether the number is known exactly and for certain: lo == hi and alpha == 0."""
        return self.lo == self.hi and not self.alpha

    @property
    def fraction(self) -> Fraction:
        """The number itself; raises `Undecided` unless it is known exactly and for certain."""
        if not self.is_exact or not isinstance(self.lo, Fraction):
            raise Undecided(f"{self!r} is not an exact number; use .lo and .hi")
        return self.lo

    @property
    def width(self) -> End:
        """hi - lo, infinite when an end is."""
        return self.hi - self.lo

    def contains(self, x: Enclosure | Exact | float) -> bool:
        """Whether the number x, or every number of the enclosure x, lies between the ends (which belong to it)."""
        lo, hi = (x.lo, x.hi) if isinstance(x, Enclosure) else (as_end(x, "x"),) * 2
        return self.lo <= lo and hi <= self.hi

    def overlaps(self, other: Enclosure | Exact) -> bool:
        """Whether the two intervals share a point."""
        other = as_enclosure(other)
        return self.lo <= other.hi and other.lo <= self.hi

    def intersect(self, other: Enclosure | Exact) -> Enclosure:
        """The tightest enclosure that two statements about the *same* number give together.

        A certain statement inside the other is returned as it stands; otherwise the alphas add. Raises
        `Contradiction` when the intervals do not meet: then at least one of the statements is wrong, which for
        certain ones is a bug.

        >>> Enclosure("0.1", "0.3", "certificate").intersect(Enclosure("0.2", 1, "attack"))
        Enclosure[1/5, 3/10; certificate; attack]
        """
        other = as_enclosure(other)
        if not self.overlaps(other):
            raise Contradiction(f"{self!r} and {other!r} do not meet, so they cannot both enclose one number")
        for inner, outer in ((self, other), (other, self)):
            if not inner.alpha and outer.contains(inner):
                return inner
        return _combine(max(self.lo, other.lo), min(self.hi, other.hi), self, other)

    def same_as(self, other: object) -> bool:
        """Whether ``other`` is the same statement: equal ends, how and alpha (== asks whether the *numbers* agree)."""
        if not isinstance(other, Enclosure):
            return False
        return (self.lo, self.hi, self.how, self.alpha) == (other.lo, other.hi, other.how, other.alpha)

    # ---- arithmetic ----

    def __add__(self, other: Enclosure | Fraction | int) -> Enclosure:
        if (y := _operand(other)) is None:
            return NotImplemented
        return _combine(self.lo + y.lo, self.hi + y.hi, self, y)

    def __sub__(self, other: Enclosure | Fraction | int) -> Enclosure:
        if (y := _operand(other)) is None:
            return NotImplemented
        return _combine(self.lo - y.hi, self.hi - y.lo, self, y)

    def __rsub__(self, other: Fraction | int) -> Enclosure:
        if (y := _operand(other)) is None:
            return NotImplemented
        return y - self

    def __mul__(self, other: Enclosure | Fraction | int) -> Enclosure:
        if (y := _operand(other)) is None:
            return NotImplemented
        for factor in (self, y):
            if factor.is_exact and factor.lo == 0:
                return factor  # zero times any real number is zero, whatever is known of that number
        return _combine(*_product(self, y.lo, y.hi), self, y)

    __radd__ = __add__
    __rmul__ = __mul__

    def __truediv__(self, other: Enclosure | Fraction | int) -> Enclosure:
        if (y := _operand(other)) is None:
            return NotImplemented
        if y.lo == 0 == y.hi:
            raise ZeroDivisionError(f"division of {_span(self)} by zero")
        if y.lo <= 0 <= y.hi:
            raise Undecided(f"cannot divide by {_span(y)}: the divisor may be zero")
        if self.is_exact and self.lo == 0:
            return self
        return _combine(*_product(self, _inverse(y.hi), _inverse(y.lo)), self, y)

    def __rtruediv__(self, other: Fraction | int) -> Enclosure:
        if (y := _operand(other)) is None:
            return NotImplemented
        return y / self

    def __neg__(self) -> Enclosure:
        return Enclosure(-self.hi, -self.lo, self.how, self.alpha)

    def __pos__(self) -> Enclosure:
        return self

    def __abs__(self) -> Enclosure:
        if self.lo >= 0:
            return self
        if self.hi <= 0:
            return -self
        return Enclosure(Fraction(0), max(-self.lo, self.hi), self.how, self.alpha)

    def __pow__(self, exponent: object) -> Enclosure:
        """x**n for an integer n; x**0 is 1. Raises as division does for a negative n when x may be zero."""
        if isinstance(exponent, bool) or not isinstance(exponent, numbers.Integral):
            return NotImplemented
        n = int(exponent)
        if n < 0:
            return 1 / self**-n
        if n == 0:
            return Enclosure.exact(1)
        base = abs(self) if n % 2 == 0 else self
        return Enclosure(base.lo**n, base.hi**n, self.how, self.alpha)

    # ---- comparisons ----

    def __lt__(self, other: Enclosure | Exact | float) -> bool:
        return _decide(self, other, "<", lambda x, y: x.hi < y.lo, lambda x, y: x.lo >= y.hi, same=False)

    def __le__(self, other: Enclosure | Exact | float) -> bool:
        return _decide(self, other, "<=", lambda x, y: x.hi <= y.lo, lambda x, y: x.lo > y.hi, same=True)

    def __gt__(self, other: Enclosure | Exact | float) -> bool:
        return _decide(self, other, ">", lambda x, y: x.lo > y.hi, lambda x, y: x.hi <= y.lo, same=False)

    def __ge__(self, other: Enclosure | Exact | float) -> bool:
        return _decide(self, other, ">=", lambda x, y: x.lo >= y.hi, lambda x, y: x.hi < y.lo, same=True)

    def __eq__(self, other: object) -> bool:
        return _decide(self, other, "==", _coincide, lambda x, y: not x.overlaps(y), same=True)

    def __ne__(self, other: object) -> bool:
        return _decide(self, other, "!=", lambda x, y: not x.overlaps(y), _coincide, same=False)

    def __hash__(self) -> int:
        # Two different objects are equal only when each is a single point, which then hashes as its Fraction.
        return hash(self.lo) if self.lo == self.hi else hash((self.lo, self.hi))

    def __bool__(self) -> bool:
        raise TypeError(f"{self!r} has no truth value; compare it, or ask .is_exact")

    # ---- printing ----

    def __float__(self) -> float:
        """The nearest float of an exact number; raises `Undecided` for any other."""
        return float(self.fraction)

    def __repr__(self) -> str:
        alpha = [f"alpha {self.alpha}"] if self.alpha else []
        return f"Enclosure[{'; '.join([_inside(self), *self.how, *alpha])}]"

    def __str__(self) -> str:
        return _span(self) + (f" (alpha {self.alpha})" if self.alpha else "")

    def __format__(self, spec: str) -> str:
        """Decimals: "[lo rounded down, hi rounded up]"; an exact number prints without brackets.

        The specification is [[fill]align][width][.digits]kind with kind f, % or e. An exact number that the digits
        do not exhaust is cut off and followed by dots: the digits printed are right, and more follow.

        >>> f"{Enclosure.exact('9/40'):.3f} {Enclosure.exact('2/3'):.3f} {Enclosure('1/3', '2/3'):.1%}"
        '0.225 0.666... [33.3%, 66.7%]'
        """
        if not spec:
            return str(self)
        match = re.fullmatch(r"((?:.?[<>^])?\d*)(?:\.(\d+))?([f%e])", spec)
        if not match:
            raise ValueError(f"format {spec!r} is unknown; allowed are .6f, .2% and .3e, an alignment and width before")
        layout, digits, kind = match[1], int(match[2] or 6), match[3]
        down, up = (decimal(end, digits, kind, up=up) for end, up in ((self.lo, False), (self.hi, True)))
        if not self.is_exact:
            text = f"[{down}, {up}]"
        elif down == up:
            text = down
        else:
            cut = down if self.lo > 0 else up
            mantissa, tail = (cut[:-1], "%") if kind == "%" else cut.partition("e")[::2]
            text = f"{mantissa}...{'e' * (kind == 'e')}{tail}"
        return format(text, layout)

    def to_json(self) -> str | dict[str, object]:
        """An exact number as the string "9/40"; else lo and hi as floats rounded outwards (null when unbounded), how,
        and alpha as a float rounded up (null when the statement is certain).

        >>> Enclosure.exact("9/40").to_json(), Enclosure("0.1", 1, how="attack").to_json()
        ('9/40', {'lo': 0.09999999999999999, 'hi': 1.0, 'how': ['attack'], 'alpha': None})
        """
        if self.is_exact:
            return str(self.lo)
        lo, hi = float_down(self.lo), float_up(self.hi)
        return {
            "lo": None if math.isinf(lo) else lo,
            "hi": None if math.isinf(hi) else hi,
            "how": list(self.how),
            "alpha": float_up(self.alpha) if self.alpha else None,
        }


# ---- functions of several enclosures ----


def as_enclosure(x: Enclosure | Exact) -> Enclosure:
    """x itself when it is an enclosure, else the exact enclosure of the number x."""
    return x if isinstance(x, Enclosure) else Enclosure.exact(x)


def minimum(*items: Enclosure | Exact) -> Enclosure:
    """An enclosure of the smallest of several numbers, whether or not it is decided which one that is.

    >>> minimum(Enclosure(0, 3), Enclosure(1, 2))
    Enclosure[0, 2]
    """
    parts = _parts(items)
    return _combine(min(x.lo for x in parts), min(x.hi for x in parts), *parts)


def maximum(*items: Enclosure | Exact) -> Enclosure:
    """An enclosure of the largest of several numbers, whether or not it is decided which one that is."""
    parts = _parts(items)
    return _combine(max(x.lo for x in parts), max(x.hi for x in parts), *parts)


def hull(*items: Enclosure | Exact) -> Enclosure:
    """The smallest interval that contains all of them: an enclosure of any number that is one of theirs.

    >>> hull(0, Enclosure(2, 3, how="certificate"))
    Enclosure[0, 3; certificate]
    """
    parts = _parts(items)
    return _combine(min(x.lo for x in parts), max(x.hi for x in parts), *parts)


# ---- machinery ----


def _operand(x: object) -> Enclosure | None:
    """The other operand of an operation; None leaves the operation to that operand's type."""
    if isinstance(x, Enclosure):
        return x
    if isinstance(x, bool):
        return None
    if isinstance(x, Fraction | numbers.Integral):
        return Enclosure.exact(as_fraction(x))
    if isinstance(x, float):
        raise TypeError(
            f"{x!r} is a float, with which no enclosure is combined; write Fraction({float(x)!r}) for its exact value"
        )
    return None


def _decide(
    x: Enclosure,
    other: object,
    sign: str,
    yes: Callable[[Enclosure, Enclosure], bool],
    no: Callable[[Enclosure, Enclosure], bool],
    *,
    same: bool,
) -> bool:
    if isinstance(other, float) and math.isinf(other):
        return sign in (("<", "<=", "!=") if other > 0 else (">", ">=", "!="))  # a real number is finite
    if (y := _operand(other)) is None:
        unknown: bool = NotImplemented
        return unknown
    if x is y:
        return same
    if yes(x, y):
        return True
    if no(x, y):
        return False
    raise Undecided(f"cannot decide {_span(x)} {sign} {_span(y)}: the intervals overlap")


def _coincide(x: Enclosure, y: Enclosure) -> bool:
    return x.lo == x.hi == y.lo == y.hi


def _combine(lo: End, hi: End, *parts: Enclosure) -> Enclosure:
    """The enclosure [lo, hi] that follows when all parts hold: how merged, alphas added, one object counted once."""
    alpha = sum({id(x): x.alpha for x in parts}.values(), Fraction(0))
    return Enclosure(lo, hi, (word for x in parts for word in x.how), min(alpha, Fraction(1)))


def _merge_how(words: Iterable[str]) -> tuple[str, ...]:
    merged = tuple(dict.fromkeys(words))
    for word in merged:
        if not isinstance(word, str):
            raise TypeError(f"how {word!r} is no word; allowed is a string or several")
    return merged


def _parts(items: tuple[Enclosure | Exact, ...]) -> list[Enclosure]:
    if not items:
        raise ValueError("nothing to enclose; give at least one number or enclosure")
    return [as_enclosure(x) for x in items]


def _product(x: Enclosure, lo: End, hi: End) -> tuple[End, End]:
    """The ends of {a b : a in x, lo <= b <= hi}; 0 times an infinite end is 0, since the numbers are finite."""
    corners = [Fraction(0) if a == 0 or b == 0 else a * b for a in (x.lo, x.hi) for b in (lo, hi)]
    return min(corners), max(corners)


def _inverse(end: End) -> End:
    """1/end for an end of an interval without zero; an infinite end gives 0."""
    return Fraction(0) if isinstance(end, float) else 1 / end


def _inside(x: Enclosure) -> str:
    """What stands between the brackets."""
    if x.is_exact:
        return str(x.lo) if is_short(x.lo) else format(x, f".12{notation(x.fraction)}")
    gap = x.hi - x.lo if isinstance(x.lo, Fraction) and isinstance(x.hi, Fraction) else None
    return f"{show(x.lo, gap=gap)}, {show(x.hi, up=True, gap=gap)}"


def _span(x: Enclosure) -> str:
    return _inside(x) if x.is_exact else f"[{_inside(x)}]"

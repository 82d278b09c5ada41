"""Between exact numbers and flint's balls: what the modules on normal laws share.

`theory.special` has the functions a user calls, each raising its precision until the digits asked for are there. Here
are the raw pieces for computations that chain many of them at one fixed precision and enclose only the result.

>>> with working_precision():
...     print(f"{enclose(cdf(to_arb('1/2') - 1)):.12f}")
[0.308537538725, 0.308537538726]
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.enclosure import Enclosure, Undecided
from theory.numbers import Exact, as_fraction

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PRECISION = 192
"""Bits: 30 digits, and room for the cancellations of a few dozen operations."""

HOW = "ball arithmetic"


def working_precision(bits: int = PRECISION) -> Any:
    """A ``with`` block at that precision; flint's own is restored on the way out."""
    from flint import ctx

    return ctx.workprec(bits)


def to_arb(x: Exact | Enclosure) -> Any:
    """The arb that encloses an exact number or a bounded enclosure, at the working precision."""
    from flint import arb, fmpq

    if isinstance(x, Enclosure):
        if isinstance(x.lo, float) or isinstance(x.hi, float):
            raise Undecided(f"{x!r} is unbounded; a weight or threshold must be known to lie between two numbers")
        return to_arb(x.lo) if x.lo == x.hi else to_arb(x.lo).union(to_arb(x.hi))
    x = as_fraction(x)
    return arb(fmpq(x.numerator, x.denominator))


def cdf(x: Any) -> Any:
    """Phi(x), the standard normal distribution function, accurate relative to its size in the left tail."""
    from flint import arb

    return (-x / arb(2).sqrt()).erfc() / 2


def pdf(x: Any) -> Any:
    """phi(x), the standard normal density."""
    from flint import arb

    return (-x * x / 2).exp() / (2 * arb.pi()).sqrt()


def enclose(value: Any, lo: Exact | float = -math.inf, hi: Exact | float = math.inf) -> Enclosure:
    """The `Enclosure` of an arb, cut to [lo, hi] where the number is known to lie; a ball of radius 0 is exact."""
    found = Enclosure.from_arb(value, () if value.is_exact() else HOW)
    if lo == -math.inf and hi == math.inf:
        return found
    return found.intersect(Enclosure(lo, hi, HOW))


def to_float(x: Exact | Enclosure) -> float:
    """A float near x, for plots, simulations and starting values."""
    return float(Fraction(x.lo + x.hi) / 2 if isinstance(x, Enclosure) else as_fraction(x))


def integers(values: tuple[Fraction, ...] | NDArray[np.float64]) -> tuple[list[int], Fraction]:
    """Numbers as integers times one unit, exactly, so that sums over 10^6 of them are sums of integers.

    >>> import numpy as np
    >>> integers(np.array([0.75, -2.0])) == ([3 << 51, -1 << 54], Fraction(1, 2**53))
    True
    """
    import numpy as np

    if isinstance(values, tuple):
        unit = Fraction(1, math.lcm(*(value.denominator for value in values)))
        return [int(value / unit) for value in values], unit
    mantissas, exponents = np.frexp(values)
    used = exponents[values != 0]
    lowest = int(used.min()) if used.size else 0
    whole = (mantissas * 2.0**53).astype(np.int64).tolist()
    shifts = np.where(values != 0, exponents - lowest, 0).tolist()
    return [value << shift for value, shift in zip(whole, shifts, strict=True)], Fraction(2) ** (lowest - 53)

"""Exact numbers at the door: what a user types becomes a Fraction, or one sentence says why not.

>>> as_fraction("0.1"), as_fraction("8/255"), as_fraction("1e-3"), as_fraction(2)
(Fraction(1, 10), Fraction(8, 255), Fraction(1, 1000), Fraction(2, 1))
"""

from __future__ import annotations

import math
import numbers
from fractions import Fraction

Exact = str | int | Fraction
End = Fraction | float
"""An end of an interval: a Fraction, or one of the two infinite floats."""


def as_fraction(value: object, name: str = "value", *, exact_float: bool = False) -> Fraction:
    """The rational number that ``value`` spells: "0.1" is 1/10, "8/255" is 8/255, "1e-3" is 1/1000.

    Strings, integers and Fractions are exact as they stand. A float is the dyadic number nearest to what its author
    meant, so it is refused unless ``exact_float=True`` asks for that dyadic value.

    Raises ``ValueError`` for a string that is no number, NaN or infinity, ``TypeError`` for a float or any other type.

    >>> as_fraction(0.5, exact_float=True)
    Fraction(1, 2)
    """
    if isinstance(value, Fraction):
        return value
    if isinstance(value, str):
        # A huge exponent would be written out digit by digit: refuse it before Fraction tries.
        exponent = value.replace("_", "").lower().partition("e")[2].strip().lstrip("+-")
        if not (len(exponent) > 4 and exponent.isdigit()):
            try:
                return Fraction(value.strip())
            except (ValueError, ZeroDivisionError):
                pass
        raise ValueError(f"{name} {value!r} is not a number; write it like 0.1, 8/255 or 1e-3")
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return Fraction(int(value))
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{name} {value!r} is not a finite number; write it like 0.1, 8/255 or 1e-3")
        if exact_float:
            return Fraction(value)
        raise TypeError(
            f"{name} {value!r} is a float, which is not the decimal it looks like; write the string '{value!r}', "
            "or pass exact_float=True for its dyadic value"
        )
    raise TypeError(f"{name} {value!r} is not a number; allowed are strings like '0.1' and '8/255', ints and Fractions")


def as_end(x: object, name: str) -> End:
    """The end of an interval that x spells: a Fraction, or an infinite float.

    Raises ``ValueError`` for NaN or a string that is no number, ``TypeError`` for a finite float or any other type.
    """
    if isinstance(x, float):
        if math.isinf(x):
            return float(x)
        if math.isnan(x):
            raise ValueError(f"{name} is NaN, which is no number; give an exact number, or an infinite float")
        raise TypeError(
            f"{name} {x!r} is a float, which proves nothing about a number; write Fraction({float(x)!r}) for its exact "
            f"value or the string '{float(x)!r}' for the decimal it shows"
        )
    return as_fraction(x, name)


def exact_number(x: object, name: str = "value") -> Fraction:
    """The Fraction that x spells; an infinity, NaN or a float raises with advice on what to write."""
    if isinstance(end := as_end(x, name), float):
        raise ValueError(f"{name} {end} is infinite; give a finite number")
    return end


def whole_number(value: object, name: str) -> int:
    """The int that value is; ``TypeError`` for anything but a whole number, True and False included."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} {value!r} is not a whole number; give an int")
    return int(value)

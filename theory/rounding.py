"""Exact numbers as decimals, floats and ends of flint's balls, always rounded to a chosen side.

>>> decimal_down("2/3", 3), decimal_up("2/3", 3), float_up(Fraction(1, 10)) > Fraction(1, 10)
('0.666', '0.667', True)
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from theory.numbers import End, Exact, as_end

_EXTREME = 20_000
"""The binary exponent beyond which the ends of a ball are moved outwards: written out they would fill the memory."""


def decimal_down(x: Exact | float, digits: int) -> str:
    """The largest decimal with that many digits after the point that is at most x ("-inf" and "inf" as they are).

    >>> decimal_down("2/3", 3), decimal_down("-2/3", 3), decimal_down("1/8", 3)
    ('0.666', '-0.667', '0.125')
    """
    return decimal(as_end(x, "x"), _digits(digits), "f", up=False)


def decimal_up(x: Exact | float, digits: int) -> str:
    """The smallest decimal with that many digits after the point that is at least x.

    >>> decimal_up("2/3", 3), decimal_up("-2/3", 3), decimal_up(float("inf"), 3)
    ('0.667', '-0.666', 'inf')
    """
    return decimal(as_end(x, "x"), _digits(digits), "f", up=True)


def decimal(x: End, digits: int, kind: str, *, up: bool) -> str:
    """x rounded to decimals in one direction: kind f (fixed point), % (of 100) or e (one digit before the point)."""
    if isinstance(x, float):
        return "inf" if x > 0 else "-inf"
    power = 0
    if kind == "%":
        x = x * 100
    elif kind == "e" and x:
        power = _power_of_ten(abs(x))
        x = x / _ten_to(power)
    scaled = x * _ten_to(digits)
    whole = math.ceil(scaled) if up else math.floor(scaled)
    if kind == "e" and abs(whole) == 10 ** (digits + 1):
        whole, power = whole // 10, power + 1
    text = f"{abs(whole):0{digits + 1}d}"
    text = "-" * (whole < 0) + (f"{text[:-digits]}.{text[-digits:]}" if digits else text)
    return text + {"f": "", "%": "%", "e": f"e{power:+03d}"}[kind]


def float_down(x: End) -> float:
    """The largest float at most x."""
    y = _nearest_float(x)
    return y if y <= x else math.nextafter(y, -math.inf)


def float_up(x: End) -> float:
    """The smallest float at least x."""
    y = _nearest_float(x)
    return y if y >= x else math.nextafter(y, math.inf)


def arb_end(end: Any, *, up: bool) -> End:
    """An exact arb as a Fraction; one too tiny or too huge to be written out is moved down or up."""
    mantissa, exponent = (int(part) for part in end.man_exp())
    if mantissa == 0:
        return Fraction(0)
    size = exponent + mantissa.bit_length()  # 2^(size-1) <= |end| < 2^size
    outwards = up == (mantissa > 0)
    sign = 1 if mantissa > 0 else -1
    if size < -_EXTREME:
        return sign * Fraction(1, 2**_EXTREME) if outwards else Fraction(0)
    if size > _EXTREME + 1:
        return sign * math.inf if outwards else sign * Fraction(2**_EXTREME)
    return Fraction(mantissa) * Fraction(2) ** exponent


def is_short(end: End) -> bool:
    """Whether an end is better written out than rounded."""
    return isinstance(end, float) or (end.numerator.bit_length() < 40 and end.denominator.bit_length() < 40)


def show(end: End, *, up: bool = False, gap: Fraction | None = None) -> str:
    """A short text for an end: itself when that is short, else rounded outwards, fine enough to see the gap."""
    if isinstance(end, float) or is_short(end):
        return str(end)
    kind, digits = notation(end), 12
    if gap:
        digits = max(digits, 2 - _power_of_ten(gap) + (_power_of_ten(abs(end)) if kind == "e" else 0))
    return decimal(end, min(digits, 60), kind, up=up)


def notation(x: Fraction) -> str:
    """How to print a long number: in fixed point unless it is tiny or huge."""
    return "f" if Fraction(1, 10**6) <= abs(x) < 10**15 else "e"


def _nearest_float(x: End) -> float:
    try:
        return float(x)
    except OverflowError:
        return math.inf if x > 0 else -math.inf


def _digits(digits: int) -> int:
    if digits < 0:
        raise ValueError(f"digits {digits} is negative; allowed are 0, 1, 2, ...")
    return digits


def _power_of_ten(x: Fraction) -> int:
    """The integer k with 10^k <= x < 10^(k+1), for x > 0."""
    k = math.floor((x.numerator.bit_length() - x.denominator.bit_length()) * math.log10(2))  # off by one at most
    while _ten_to(k) > x:
        k -= 1
    while _ten_to(k + 1) <= x:
        k += 1
    return k


def _ten_to(k: int) -> Fraction:
    return Fraction(10**k) if k >= 0 else Fraction(1, 10**-k)

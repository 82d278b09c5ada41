"""Sums of segments inside and around the unit disc, to dilate polygons by a round ball."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

Way = tuple[Fraction, Fraction]

DIGITS = 2**20  # directions are rounded to, radii compared to its square


def round_ways(steps: int) -> tuple[list[Way], list[Way]]:
    """Vectors d such that the sum of the segments [-d, d] lies in the unit disc, and such that it covers the disc.

    Both sums are polygons of 2 ``steps`` sides in nearly regular directions; what they promise is checked exactly.

    >>> inner, outer = round_ways(2)  # two squares
    >>> [[f"{float(x):.4f}" for x in way] for way in (inner[0], outer[0])]
    [['0.5000', '0.5000'], ['0.7071', '0.7071']]
    """
    if steps < 2:
        raise ValueError(f"steps {steps} is not enough; sums of 2, 3, 4, ... segments have an inside")
    angles = [math.pi * (i + 0.5) / steps for i in range(steps)]
    ways = [tuple(Fraction(round(DIGITS * f(a)), DIGITS) for f in (math.cos, math.sin)) for a in angles]
    corners = [(sum((x for x, _ in ways), Fraction(0)), sum((y for _, y in ways), Fraction(0)))]
    for x, y in ways:
        corners.append((corners[-1][0] - 2 * x, corners[-1][1] - 2 * y))
    farthest = max(x * x + y * y for x, y in corners)
    nearest = min(
        (p[0] * (q[1] - p[1]) - p[1] * (q[0] - p[0])) ** 2 / ((q[0] - p[0]) ** 2 + (q[1] - p[1]) ** 2)
        for p, q in pairwise(corners)
    )
    least = Fraction(math.isqrt(math.floor(DIGITS**4 / farthest)), DIGITS**2)  # least^2 farthest <= 1
    most = Fraction(math.isqrt(math.ceil(DIGITS**4 / nearest) - 1) + 1, DIGITS**2)  # most^2 nearest >= 1
    return [(least * x, least * y) for x, y in ways], [(most * x, most * y) for x, y in ways]

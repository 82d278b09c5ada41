"""Points and lines of the plane in whole numbers, and signed pieces of lines as boundaries of regions.

A point is (X, Y, W) with W > 0, meaning (X/W, Y/W); a line (a, b, c) is directed and has {a x + b y + c > 0} on its
left. Both are without common factor, so equal ones are equal tuples. Where two lines meet, the numbers of digits add
up once; they do not grow from there, since a piece remembers the line it lies on.

A ``Piece`` (line, p, q, weight) runs from p to q along its line, left to right (upwards if vertical): the winding
number of the region on its left is that on its right plus the weight.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from math import gcd
from typing import Any

Point = tuple[int, int, int]
Line = tuple[int, int, int]
Piece = tuple[Line, Point, Point, int]


def reduced(triple: tuple[int, int, int]) -> tuple[int, int, int]:
    """The triple without common factor."""
    x, y, z = triple
    factor = gcd(x, y, z)
    return triple if factor <= 1 else (x // factor, y // factor, z // factor)


def point(x: Fraction, y: Fraction) -> Point:
    """The point with these coordinates.

    >>> point(Fraction(1, 2), Fraction(1, 3))
    (3, 2, 6)
    """
    return reduced((x.numerator * y.denominator, y.numerator * x.denominator, x.denominator * y.denominator))


def cross(u: tuple[int, int, int], v: tuple[int, int, int]) -> tuple[int, int, int]:
    """The vector product: the line from one point to another, and up to sign the point where two lines meet."""
    return u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]


def meet(line: Line, other: Line) -> Point:
    """Where two lines that are not parallel meet.

    >>> meet((1, 0, -2), (0, 1, -3))
    (2, 3, 1)
    """
    x, y, w = cross(line, other)
    return reduced((x, y, w) if w > 0 else (-x, -y, -w))


def value(line: Line, p: Point) -> int:
    """Positive if the point lies on the left of the line, 0 if on it."""
    return line[0] * p[0] + line[1] * p[1] + line[2] * p[2]


def piece(line: Line, p: Point, q: Point, weight: int = 1) -> Piece:
    """The piece of a directed line from p to q, q ahead of p, with ``weight`` more on its left than on its right."""
    a, b, c = line
    if b > 0 or (b == 0 and a < 0):
        return line, p, q, weight
    return (-a, -b, -c), q, p, -weight


def loop(points: list[Point], weight: int = 1) -> list[Piece]:
    """The closed polygon through the points, ``weight`` more on its left than on its right."""
    pairs = zip(points, points[1:] + points[:1], strict=True)
    return [piece(reduced(cross(p, q)), p, q, weight) for p, q in pairs if p != q]


def along(line: Line, p: Point) -> Any:
    """The place of a point on a line, in the order of the line's pieces."""
    from flint import fmpq

    return fmpq(p[0] if line[1] else p[1], p[2])


def merged(pieces: Iterable[Piece]) -> list[Piece]:
    """The same boundary in one way only: on every line, disjoint pieces as long as their weight stays the same."""
    steps: dict[Line, dict[Point, int]] = {}
    for line, p, q, weight in pieces:
        ends = steps.setdefault(line, {})
        ends[p] = ends.get(p, 0) + weight
        ends[q] = ends.get(q, 0) - weight
    made: list[Piece] = []
    for line in sorted(steps):
        ends = {p: step for p, step in steps[line].items() if step}
        order = sorted(ends, key=lambda p: along(line, p))
        weight = 0
        for p, q in pairwise(order):
            weight += ends[p]
            if weight:
                made.append((line, p, q, weight))
    return made

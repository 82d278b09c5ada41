"""Masses of planar regions under piecewise constant densities, by Green's theorem.

With P(x, y) the integral of the density along the row of y up to x, the mass of a region is the integral of P dy
around it. Between two lines of the density's grid P is linear in x and does not depend on y, so a piece of the boundary
cut at these lines contributes, each time, the change of y times P at the middle.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from theory.boxes import in_flint
from theory.relu.lines import Piece

if TYPE_CHECKING:
    from theory.density import StepDensity


def mass(boundary: Iterable[Piece], density: StepDensity) -> Fraction:
    """The integral of the density over the region with this boundary, which is bounded."""
    from flint import fmpq

    if not all(isinstance(x, Fraction) for some in (density.values, *density.edges) for x in some):
        raise ValueError("a law that depends on eps gives polygons no exact mass; ask for single values of eps")
    columns, rows = (in_flint(edges) for edges in density.edges)
    values, index = in_flint(density.values), density.index
    upto: dict[int, list[Any]] = {}  # for a row, the integral of its density up to each column's left edge

    def integral(row: int, x: Any, column: int) -> Any:
        if row not in upto:
            sums = [fmpq(0), fmpq(0)]
            for k, (lo, hi) in enumerate(pairwise(columns), 1):
                sums.append(sums[-1] + values[index[k, row]] * (hi - lo))
            upto[row] = sums
        value = values[index[column, row]]
        return upto[row][column] + value * (x - columns[column - 1]) if column and value else upto[row][column]

    terms = []
    for line, p, q, weight in boundary:
        if line[0] == 0:
            continue
        x0, y0, x1, y1 = fmpq(p[0], p[2]), fmpq(p[1], p[2]), fmpq(q[0], q[2]), fmpq(q[1], q[2])
        cuts = [fmpq(0), fmpq(1)]
        cuts += [(x - x0) / (x1 - x0) for x in _between(columns, x0, x1)]
        cuts += [(y - y0) / (y1 - y0) for y in _between(rows, y0, y1)]
        for s, t in pairwise(sorted(cuts)):
            if s == t:
                continue
            middle = (s + t) / 2
            x, y = x0 + middle * (x1 - x0), y0 + middle * (y1 - y0)
            part = integral(bisect_right(rows, y), x, bisect_right(columns, x))
            if part:
                terms.append(weight * (t - s) * (y1 - y0) * part)
    while len(terms) > 1:  # in pairs, so that denominators grow along a tree
        terms = [u + v for u, v in zip(terms[::2], terms[1::2], strict=False)] + terms[len(terms) // 2 * 2 :]
    total = terms[0] if terms else fmpq(0)
    return Fraction(int(total.p), int(total.q))


def _between(edges: list[Any], a: Any, b: Any) -> list[Any]:
    """The edges between two numbers, the larger of these included."""
    lo, hi = (a, b) if a < b else (b, a)
    return edges[bisect_right(edges, lo) : bisect_right(edges, hi)]

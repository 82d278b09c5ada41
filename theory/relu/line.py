"""The exact decision regions of a ReLU network of one input: unions of intervals, on the whole line."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from theory.boxes import Boxes, Side
from theory.relu.network import ReluNetwork, integer_layers


def line_regions(network: ReluNetwork) -> tuple[Boxes, Boxes]:
    """{score < 0} and {score > 0}. Raises ``ValueError`` for more than one input.

    >>> line_regions(ReluNetwork([([[1.0], [-1.0]], [0.0, 0.0]), ([[1.0, 1.0]], [-0.5])]))  # |x| - 1/2
    (Boxes([(-1/2, 1/2)], dim=1), Boxes([(-inf, -1/2), (1/2, inf)], dim=1))
    """
    from flint import fmpz_mat

    if network.dim != 1:
        raise ValueError(f"the network has {network.dim} inputs; regions on the line need 1")
    layers = [(fmpz_mat(rows), shift) for rows, shift in integer_layers(network)]
    sides: dict[int, list[tuple[Side]]] = {-1: [], 0: [], 1: []}
    # an interval, the layers passed, and what the next one gets: (a, b) for a x + b, times 2^shift, a row each, and 1
    stack = [((None, None), 0, fmpz_mat([[1, 0], [0, 1]]), 0)]
    while stack:
        interval, k, inputs, shift = stack.pop()
        matrix, more = layers[k]
        rows = [(int(a), int(b)) for a, b in (matrix * inputs).tolist()]
        for part in _split(interval, {Fraction(-b, a) for a, b in rows if a}):
            x = _inside(part)
            values = [a * x + b for a, b in rows]
            if k + 1 == len(layers):
                sides[(values[0] > 0) - (values[0] < 0)].append((part,))
                continue
            outputs = [row if value > 0 else (0, 0) for row, value in zip(rows, values, strict=True)]
            total = shift + more
            stack.append((part, k + 1, fmpz_mat([*outputs, (0, 1 << total)]), total))
    return Boxes(sides[-1], dim=1), Boxes(sides[1], dim=1)


def _split(interval: Side, cuts: set[Fraction]) -> Iterator[Side]:
    lo, hi = interval
    inner = sorted(x for x in cuts if (lo is None or lo < x) and (hi is None or x < hi))
    yield from zip([lo, *inner], [*inner, hi], strict=True)


def _inside(interval: Side) -> Fraction:
    lo, hi = interval
    if lo is None:
        return Fraction(0) if hi is None else Fraction(hi - 1)
    return Fraction(lo + 1) if hi is None else Fraction(lo + hi) / 2

"""Piecewise-constant densities on a grid of boxes, integrated exactly over unions of boxes.

>>> uniform = StepDensity.of_boxes([((("0", "1"), ("0", "1")), 1)])
>>> uniform.integral(Boxes([(("1/2", "3"), ("0", "1/3"))]))
Fraction(1, 6)
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.boxes import (
    Boxes,
    Edges,
    Number,
    box_ranks,
    common_grid,
    corner_sum,
    in_flint,
    is_long,
    neighbours,
    nonzero,
    spread,
)
from theory.germ import as_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True, eq=False)
class StepDensity:
    """A function constant on the cells of a grid: ``values[index[cell]]``; index 0 is the value 0.

    ``edges`` and ``index`` follow the layout of ``Boxes``: one more cell than edges on every axis, outer ones included.
    """

    edges: Edges
    index: np.ndarray
    values: tuple[Number, ...]

    @classmethod
    def of_boxes(cls, weighted: Iterable[tuple[Sequence[Sequence[Any]], Any]], dim: int | None = None) -> StepDensity:
        """The density that is ``value`` on each (box, value) and 0 elsewhere.

        Raises ``ValueError`` where boxes overlap, since a density has one value at a point, and for no box without
        ``dim``.
        """
        pairs = [(box, as_number(value, "density")) for box, value in weighted]
        if not pairs and dim is None:
            raise ValueError("a density needs at least one box")
        edges, blocks = box_ranks([box for box, _ in pairs], dim)
        index = np.zeros(tuple(len(axis) + 1 for axis in edges), dtype=np.int32)
        taken = np.zeros(index.shape, dtype=bool)
        # Equal germs hash alike and stay equal, so finding equal values by hash needs no logged comparison.
        labels: dict[Number, int] = {Fraction(0): 0}
        for (box, value), block in zip(pairs, blocks, strict=True):
            if taken[block].any():
                raise ValueError(
                    f"{Boxes([box])!r} overlaps an earlier box of the same label; boxes of one label are disjoint"
                )
            taken[block] = True
            index[block] = labels.setdefault(value, len(labels))
        values = tuple(labels)
        return cls(edges, index, values)

    @property
    def dim(self) -> int:
        return self.index.ndim

    @property
    def support(self) -> Boxes:
        """Where the density is positive."""
        positive = np.array([value > 0 for value in self.values])
        return Boxes.on_grid(self.edges, positive[self.index])

    def integral(self, event: Boxes | None = None) -> Number:
        """The integral over ``event`` (over everything by default), exactly.

        Like ``Boxes.volume``, a sum over grid corners; only corners where the value changes along every axis count.
        """
        if event is None:
            edges, index = self.edges, self.index
        else:
            edges, ours, theirs = common_grid(self, event)
            index = spread(self.index, ours) * spread(event.mask, theirs)
        if not all(self.values[1:]):  # cells of density 0 carry no mass, unbounded ones neither
            index = np.where(np.array([bool(value) for value in self.values])[index], index, 0)
        for a in range(self.dim):
            if index.take([0, -1], axis=a).any():
                raise ValueError("a density on an unbounded box has no finite mass")
        where = _corners(index)
        values = in_flint(self.values) if is_long(len(where[0]), self.values, *edges) else self.values
        return corner_sum(edges, where, _mixed_difference(index, where, values))

    def restrict(self, event: Boxes) -> StepDensity:
        """The density times the indicator of ``event``."""
        edges, ours, theirs = common_grid(self, event)
        return StepDensity(edges, spread(self.index, ours) * spread(event.mask, theirs), self.values)

    def marginal(self, axis: int) -> StepDensity:
        """The density of the other coordinates: this one integrated along ``axis``."""
        slabs = np.moveaxis(self.index, axis, -1)
        edges = self.edges[axis]
        rows = [tuple(row) for row in slabs.reshape(-1, slabs.shape[-1])[:, 1:-1].tolist()]
        places = {row: k for k, row in enumerate(dict.fromkeys(rows))}
        widths = [hi - lo for lo, hi in pairwise(edges)]
        values = [
            sum((w * self.values[k] for w, k in zip(widths, row, strict=True) if k), Fraction(0)) for row in places
        ]
        index = np.array([places[row] for row in rows], dtype=np.int32).reshape(slabs.shape[:-1]) + 1
        return StepDensity(self.edges[:axis] + self.edges[axis + 1 :], index, (Fraction(0), *values))

    def scale(self, factor: Number) -> StepDensity:
        return StepDensity(self.edges, self.index, tuple(value * factor for value in self.values))

    def __add__(self, other: StepDensity) -> StepDensity:
        edges, values, combos = common_values((self, other))
        sums = [sum(pair, Fraction(0)) for pair in values]
        return StepDensity(edges, combos + 1, (Fraction(0), *sums))


@dataclass(frozen=True, slots=True)
class _Grid:
    edges: Edges


def common_values(densities: Sequence[StepDensity]) -> tuple[Edges, list[tuple[Number, ...]], np.ndarray]:
    """Several densities on one grid: its edges, the tuples of values that occur, and each cell's place in that list."""
    edges, index = densities[0].edges, [densities[0].index]
    for density in densities[1:]:
        edges, ours, theirs = common_grid(_Grid(edges), density)
        index = [spread(each, ours) for each in index] + [spread(density.index, theirs)]
    places = index[0].astype(np.int32)
    values: list[tuple[Number, ...]] = [(value,) for value in densities[0].values]
    for density, each in zip(densities[1:], index[1:], strict=True):
        keys = places.astype(np.int64) * len(density.values) + each
        occurring = np.zeros(len(values) * len(density.values), dtype=bool)
        occurring[keys] = True
        pairs = np.nonzero(occurring)[0].tolist()
        values = [(*values[k // len(density.values)], density.values[k % len(density.values)]) for k in pairs]
        places = (np.cumsum(occurring, dtype=np.int32) - 1)[keys]
    return edges, values, places


def _corners(index: np.ndarray) -> tuple[np.ndarray, ...]:
    """The corners at which the mixed difference of values can be non-zero.

    A corner drops out if its 2^dim cells are pairwise alike along some axis. (Looking at the labels this way is exact;
    a signed sum of labels would not be.)
    """
    dim = index.ndim
    alive = np.ones(tuple(n - 1 for n in index.shape), dtype=bool)
    for a in range(dim):
        below, above = neighbours(index, a)
        differs = below != above
        for b in (b for b in range(dim) if b != a):
            below, above = neighbours(differs, b)
            differs = below | above
        alive &= differs
    return nonzero(alive)


def _mixed_difference(index: np.ndarray, where: tuple[np.ndarray, ...], values: Sequence[Number]) -> list[Number]:
    """At each corner the signed sum of the values of its 2^dim cells."""
    totals: list[Number] = [values[0]] * len(where[0])  # value 0 is zero
    for choice in np.ndindex(*(2,) * index.ndim):
        odd = (index.ndim - sum(choice)) % 2
        labels = index[tuple(axis + c for axis, c in zip(where, choice, strict=True))].tolist()
        signed = [-v for v in values] if odd else values
        totals = [t + signed[k] if k else t for t, k in zip(totals, labels, strict=True)]
    return totals

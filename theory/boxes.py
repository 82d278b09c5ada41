"""Finite unions of axis-parallel boxes, closed under and, or, not and dilation: the events on which risks are exact.

A set of boxes is one boolean grid: breakpoints on every axis, and for every cell (the unbounded outer ones included)
whether it belongs. Everything holds up to null sets, so open and closed boxes are the same event; atoms live in
``theory.points``. The code is generic over the number type of the coordinates: Fractions, or germs in eps.

>>> square = Boxes([(("0", "1/2"), ("0", "1"))])
>>> square.dilate(Fraction(1, 10)).volume()
Fraction(21, 25)
>>> (~square & square.dilate(Fraction(1, 10))).volume(), square | ~square == Boxes.everything(2)
(Fraction(17, 50), True)
"""

from __future__ import annotations

import math
from bisect import bisect_left
from fractions import Fraction
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.germ import as_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Number = Any  # Fraction or Germ: an ordered field element
Side = tuple[Number | None, Number | None]  # None: unbounded
Edges = tuple[tuple[Number, ...], ...]

MAX_CELLS = 50_000_000


class Boxes:
    """The union of ``boxes``; a box is one (low, high) pair an axis, None or "inf" for an unbounded side.

    ``edges[a]`` are the breakpoints of axis a in order, ``mask`` has one more cell than breakpoints on every axis. The
    constructor drops every breakpoint across which nothing changes, so equal sets have equal parts and compare equal.

    Raises ``ValueError`` for an empty box (low >= high), boxes of different dimension, or a grid above 5e7 cells.
    """

    __slots__ = ("edges", "mask")
    edges: Edges
    mask: np.ndarray

    def __init__(self, boxes: Iterable[Sequence[Sequence[Any]]], dim: int | None = None) -> None:
        edges, blocks = box_ranks(boxes, dim)
        d, shape = len(edges), tuple(len(axis) + 1 for axis in edges)
        corners = np.zeros(tuple(n + 1 for n in shape), dtype=np.int32)
        for block in blocks:
            for choice in np.ndindex(*(2,) * d):
                corner = tuple(ranks.stop if c else ranks.start for ranks, c in zip(block, choice, strict=True))
                corners[corner] += (-1) ** sum(choice)
        for a in range(d):
            np.cumsum(corners, axis=a, out=corners)
        self._settle(edges, corners[(slice(-1),) * d] > 0)

    def _settle(self, edges: Edges, mask: np.ndarray) -> None:
        for a in range(mask.ndim):
            below, above = neighbours(mask, a)
            changes = (below != above).any(axis=tuple(b for b in range(mask.ndim) if b != a))
            if not changes.all():
                kept = tuple(x for x, keep in zip(edges[a], changes, strict=True) if keep)
                edges = (*edges[:a], kept, *edges[a + 1 :])
                mask = np.compress(np.concatenate([[True], changes]), mask, axis=a)
        mask.setflags(write=False)
        self.edges, self.mask = edges, mask

    @classmethod
    def on_grid(cls, edges: Edges, mask: np.ndarray) -> Boxes:
        """The union of the cells marked in ``mask`` on the grid of ``edges`` (one more cell than edges an axis)."""
        made = cls.__new__(cls)
        made._settle(edges, mask)
        return made

    @classmethod
    def everything(cls, dim: int) -> Boxes:
        """All of R^dim."""
        return cls.on_grid(((),) * dim, np.ones((1,) * dim, dtype=bool))

    @classmethod
    def nothing(cls, dim: int) -> Boxes:
        """The empty set in R^dim."""
        return cls.on_grid(((),) * dim, np.zeros((1,) * dim, dtype=bool))

    @property
    def dim(self) -> int:
        return self.mask.ndim

    # -- algebra ------------------------------------------------------------------------------------------------------

    def __and__(self, other: Boxes) -> Boxes:
        return self._combine(other, np.logical_and)

    def __or__(self, other: Boxes) -> Boxes:
        return self._combine(other, np.logical_or)

    def __sub__(self, other: Boxes) -> Boxes:
        return self._combine(other, np.greater)

    def __xor__(self, other: Boxes) -> Boxes:
        return self._combine(other, np.not_equal)

    def __invert__(self) -> Boxes:
        made = Boxes.__new__(Boxes)  # a complement has the same breakpoints: nothing to settle
        made.edges, made.mask = self.edges, ~self.mask
        made.mask.setflags(write=False)
        return made

    def _combine(self, other: Boxes, verb: np.ufunc) -> Boxes:
        if not isinstance(other, Boxes):
            return NotImplemented
        edges, ours, theirs = common_grid(self, other)
        return Boxes.on_grid(edges, verb(spread(self.mask, ours), spread(other.mask, theirs)))

    def __le__(self, other: Boxes) -> bool:
        """Inclusion, up to null sets."""
        return (self - other).is_empty

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Boxes):
            return NotImplemented
        return self.edges == other.edges and np.array_equal(self.mask, other.mask)

    def __hash__(self) -> int:
        return hash((self.edges, self.mask.tobytes()))

    @property
    def is_empty(self) -> bool:
        return not self.mask.any()

    # -- geometry -----------------------------------------------------------------------------------------------------

    def dilate(self, radius: Number | Sequence[Number]) -> Boxes:
        """All points within ``radius`` in the l-infinity norm (one number, or one radius an axis).

        A cube is a product of intervals, so the axes are dilated one after the other. On an axis every run of cells
        [a, b] becomes [a - radius, b + radius].
        """
        radii = radius if isinstance(radius, list | tuple) else (radius,) * self.dim
        if len(radii) != self.dim:
            raise ValueError(f"{len(radii)} radii were given for {self.dim} axes")
        edges, mask = list(self.edges), self.mask
        for a, r in enumerate(as_number(radius, "radius") for radius in radii):
            if r < 0:
                raise ValueError(f"radius {r} is negative; a radius is at least 0")
            if r == 0 or not edges[a]:
                continue
            edges[a], mask = _dilate_axis(edges[a], np.moveaxis(mask, a, 0), r)
            mask = np.moveaxis(mask, 0, a)
        return Boxes.on_grid(tuple(edges), mask)

    def erode(self, radius: Number | Sequence[Number]) -> Boxes:
        """All points whose whole l-infinity ball lies in the set."""
        return ~(~self).dilate(radius)

    def volume(self) -> Number:
        """The exact volume. Raises ``ValueError`` for an unbounded set.

        The sum over grid corners of (mixed difference of the indicator) times the product of the coordinates, with sign
        (-1)^dim: sparse, in any dimension, and in any number type.
        """
        corners = self.mask.astype(np.int8 if self.dim < 8 else np.int32)  # a mixed difference reaches 2^(dim - 1)
        for a in range(self.dim):
            if corners.take([0, -1], axis=a).any():
                raise ValueError("an unbounded set has no volume")
            corners = np.diff(corners, axis=a)
        where = nonzero(corners)
        return corner_sum(self.edges, where, corners[where].tolist())

    def cells(self) -> Iterator[tuple[Side, ...]]:
        """The set as disjoint boxes, runs of cells along the last axis joined; None marks an unbounded side."""
        for index in zip(*np.nonzero(self.mask & ~_shifted(self.mask)), strict=True):
            *front, start = (int(i) for i in index)
            row = self.mask[tuple(front)]
            stop = start + next((k for k, inside in enumerate(row[start:]) if not inside), len(row) - start)
            yield (*(self._slab(a, i, i + 1) for a, i in enumerate(front)), self._slab(self.dim - 1, start, stop))

    def _slab(self, axis: int, start: int, stop: int) -> Side:
        edges = self.edges[axis]
        return (edges[start - 1] if start else None, edges[stop - 1] if stop <= len(edges) else None)

    def contains(self, point: Sequence[Number]) -> bool:
        """Whether ``point`` is inside. On a grid line the answer is that of the cell above it: a null set."""
        index = tuple(sum(1 for x in axis if x <= p) for axis, p in zip(self.edges, point, strict=True))
        return bool(self.mask[index])

    def __repr__(self) -> str:
        if self.mask.all():
            return f"Boxes(everything in {self.dim}-D)"
        return f"Boxes([{', '.join('x'.join(_show(side) for side in cell) for cell in self.cells())}], dim={self.dim})"


def check_size(shape: tuple[int, ...]) -> None:
    """Raises ``ValueError`` for a grid too large to hold, with its size."""
    if math.prod(shape) > MAX_CELLS:
        size = " x ".join(map(str, shape))
        raise ValueError(f"a grid of {size} cells is too large: at most {MAX_CELLS:,} are held at once")


def box_ranks(
    boxes: Iterable[Sequence[Sequence[Any]]], dim: int | None = None
) -> tuple[Edges, list[tuple[slice, ...]]]:
    """The grid that the sides of ``boxes`` span: its edges, and for each box the block of cells it fills.

    Raises ``ValueError`` as ``Boxes`` does.
    """
    sides = [[_side(side) for side in box] for box in boxes]
    dims = {len(box) for box in sides} | ({dim} if dim is not None else set())
    if len(dims) != 1 or 0 in dims:
        raise ValueError(f"boxes of one positive dimension are needed, not of dimensions {sorted(dims)}")
    edges = tuple(sorted_unique(x for box in sides for x in box[a] if x is not None) for a in range(dims.pop()))
    check_size(tuple(len(axis) + 1 for axis in edges))
    ranks = [{x: k + 1 for k, x in enumerate(axis)} for axis in edges]

    def cells(a: int, lo: Number | None, hi: Number | None) -> slice:
        return slice(0 if lo is None else ranks[a][lo], len(edges[a]) + 1 if hi is None else ranks[a][hi])

    return edges, [tuple(cells(a, *side) for a, side in enumerate(box)) for box in sides]


def common_grid(a: Any, b: Any) -> tuple[Edges, list[np.ndarray], list[np.ndarray]]:
    """The common refinement of two grids: edges, and for each new cell the old cell of either it lies in."""
    if len(a.edges) != len(b.edges):
        raise ValueError(f"events of dimension {len(a.edges)} and {len(b.edges)} do not mix")
    merged = [_merge(x, y) for x, y in zip(a.edges, b.edges, strict=True)]
    check_size(tuple(len(edges) + 1 for edges, _, _ in merged))
    return tuple(m[0] for m in merged), [m[1] for m in merged], [m[2] for m in merged]


def spread(cells: np.ndarray, refinement: Sequence[np.ndarray]) -> np.ndarray:
    """An array of cells on a finer grid; ``refinement`` as ``common_grid`` gives it. Axis by axis beats ``np.ix_``."""
    for a, old in enumerate(refinement):
        if len(old) != cells.shape[a]:
            cells = cells.take(old, axis=a)
    return cells


def nonzero(array: np.ndarray) -> tuple[np.ndarray, ...]:
    """The indices of the non-zero entries, axis by axis, as ``np.nonzero`` gives them, some ten times faster."""
    return np.unravel_index(np.flatnonzero(array), array.shape)


def _merge(a: tuple[Number, ...], b: tuple[Number, ...]) -> tuple[tuple[Number, ...], np.ndarray, np.ndarray]:
    if a is b or a == b:
        same = np.arange(len(a) + 1)
        return a, same, same
    if len(a) > 64 and len(b) * len(a).bit_length() < len(a):
        return _insert(a, b)
    if len(b) > 64 and len(a) * len(b).bit_length() < len(b):
        merged, in_many, in_few = _insert(b, a)
        return merged, in_few, in_many
    edges, in_a, in_b, i, j = [], [0], [0], 0, 0
    while i < len(a) and j < len(b):
        x, y = a[i], b[j]
        if x == y:
            i, j = i + 1, j + 1
        elif x < y:
            i += 1
        else:
            x, j = y, j + 1
        edges.append(x)
        in_a.append(i)
        in_b.append(j)
    rest = len(a) - i + len(b) - j
    in_a += range(i + 1, len(a) + 1) if i < len(a) else [i] * rest
    in_b += range(j + 1, len(b) + 1) if j < len(b) else [j] * rest
    return (*edges, *a[i:], *b[j:]), np.array(in_a), np.array(in_b)


def _insert(many: tuple[Number, ...], few: tuple[Number, ...]) -> tuple[tuple[Number, ...], np.ndarray, np.ndarray]:
    """What ``_merge`` gives, where one side is so short that bisection needs fewer comparisons."""
    edges: list[Number] = []
    in_many, in_few = [np.zeros(1, dtype=np.intp)], [np.zeros(1, dtype=np.intp)]
    done = 0
    for j, x in enumerate((*few, None)):
        k = len(many) if x is None else bisect_left(many, x, lo=done)
        edges += many[done:k]
        in_many.append(np.arange(done + 1, k + 1))
        in_few.append(np.full(k - done, j))
        done = k
        if x is not None:
            edges.append(x)
            done += k < len(many) and many[k] == x
            in_many.append(np.array([done]))
            in_few.append(np.array([j + 1]))
    return tuple(edges), np.concatenate(in_many), np.concatenate(in_few)


def _dilate_axis(edges: tuple[Number, ...], mask: np.ndarray, r: Number) -> tuple[tuple[Number, ...], np.ndarray]:
    others = tuple(range(1, mask.ndim))
    rises, falls = mask[1:] & ~mask[:-1], mask[:-1] & ~mask[1:]  # runs start, and end, at edge i
    starts, stops = rises.any(axis=others), falls.any(axis=others)
    low = tuple(edges[i] - r for i in np.nonzero(starts)[0])
    high = tuple(edges[i] + r for i in np.nonzero(stops)[0])
    merged, in_low, in_high = _merge(low, high)
    # rank of the k-th rising (falling) breakpoint among the merged ones, counted as cells
    rising = np.searchsorted(in_low, np.arange(1, len(low) + 1))
    falling = np.searchsorted(in_high, np.arange(1, len(high) + 1))
    counts = np.zeros((len(merged) + 1, *mask.shape[1:]), dtype=np.int32)
    counts[0] = mask[0]
    counts[rising] += rises[starts]
    counts[falling] -= falls[stops]
    return merged, np.cumsum(counts, axis=0, out=counts) > 0


def corner_sum(edges: Edges, where: tuple[np.ndarray, ...], weights: list[Number]) -> Number:
    """(-1)^dim times the sum over the listed corners of weight x coordinate x coordinate x ...

    Long sums of Fractions run in flint's rationals, which are ten times faster and no less exact.
    """
    flint = is_long(len(weights), *edges)
    numbers = [in_flint(axis) for axis in edges] if flint else edges
    weights = in_flint(weights) if flint else weights
    # one axis at a time, last first: sum within each row, then treat the rows as corners of one dimension less
    index: list[tuple[int, ...]] = list(zip(*(axis.tolist() for axis in where), strict=True))
    for axis in reversed(numbers):
        rows: dict[tuple[int, ...], list[Number]] = {}
        for place, weight in zip(index, weights, strict=True):
            rows.setdefault(place[:-1], []).append(weight * axis[place[-1]])
        index, weights = list(rows), [_tree_sum(row) for row in rows.values()]
    total: Number = weights[0] if weights else Fraction(0)
    signed = -total if len(edges) % 2 else total
    return Fraction(int(signed.p), int(signed.q)) if flint else signed


def is_long(terms: int, *numbers: Sequence[Number]) -> bool:
    """Whether a sum is worth flint's rationals: many terms, and every number a Fraction."""
    return terms > 300 and all(isinstance(x, Fraction) for some in numbers for x in some)


def in_flint(numbers: Sequence[Number]) -> list[Any]:
    """Integers and Fractions as flint's rationals; these pass."""
    from flint import fmpq

    return [x if isinstance(x, fmpq) else fmpq(x.numerator, x.denominator) for x in numbers]


def _tree_sum(terms: list[Number]) -> Number:
    """Pairwise, so that denominators grow along a tree of logarithmic depth."""
    while len(terms) > 2:
        terms = [a + b for a, b in zip(terms[::2], terms[1::2], strict=False)] + terms[len(terms) // 2 * 2 :]
    return reduce(lambda a, b: a + b, terms)


def _side(side: Sequence[Any]) -> Side:
    if not hasattr(side, "__len__") or len(side) != 2:
        raise ValueError(f"side {side!r} of a box is not a pair (low, high); a box lists one such pair an axis")
    lo, hi = _coordinate(side[0], -math.inf), _coordinate(side[1], math.inf)
    if lo is not None and hi is not None and not lo < hi:
        raise ValueError(f"side ({lo}, {hi}) of a box is empty; its low end must lie below its high end")
    return lo, hi


def _coordinate(x: Any, unbounded: float) -> Number | None:
    """The coordinate, None where the side is unbounded; only a low end may be -inf, only a high end inf."""
    if isinstance(x, str) and x.strip() in ("-inf", "inf", "+inf"):
        x = float(x)
    if x is None or x == unbounded:
        return None
    if x == -unbounded:
        raise ValueError(f"a side of a box cannot {'start at inf' if x > 0 else 'end at -inf'}")
    return as_number(x, "coordinate")


def sorted_unique(numbers: Iterable[Number]) -> tuple[Number, ...]:
    """The numbers in order, each once; by comparisons alone, so that germs log them."""
    unique: list[Number] = []
    for x in sorted(numbers):
        if not unique or unique[-1] != x:
            unique.append(x)
    return tuple(unique)


def neighbours(array: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """The array without its last, and without its first, slice along an axis."""
    before = (slice(None),) * axis
    return array[(*before, slice(None, -1))], array[(*before, slice(1, None))]


def _shifted(mask: np.ndarray) -> np.ndarray:
    shifted = np.zeros_like(mask)
    shifted[..., 1:] = mask[..., :-1]
    return shifted


def box_volume(box: Sequence[Sequence[Any]]) -> Number:
    """The volume of one box. Raises ``ValueError`` for an empty or unbounded one."""
    volume: Number = Fraction(1)
    for lo, hi in map(_side, box):
        if lo is None or hi is None:
            raise ValueError("an unbounded set has no volume")
        volume = volume * (hi - lo)
    return volume


def _show(side: Side) -> str:
    lo, hi = side
    return f"({'-inf' if lo is None else lo}, {'inf' if hi is None else hi})"

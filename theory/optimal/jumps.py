"""Where exactly the least robust risk of a sample jumps: the whole step function V(eps), with no grid.

V changes only at radii at which some pair begins to touch, half a distance between two points. With equal weights the
matching is grown edge by edge in order of distance, together with the alternating forest of its free points: V jumps
exactly when an edge lets the forest reach a free point. With other weights the jumps are found by bisection over
the distances.

>>> from theory.samples import LabelledSample
>>> [(str(jump.eps), str(jump.value)) for jump in sample_jumps(LabelledSample([[0], [3], [5], [9]], [0, 1, 0, 1]), 4)]
[('1', '1/4'), ('2', '1/2')]
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import isqrt
from typing import TYPE_CHECKING

import numpy as np

from theory.enclosure import Enclosure
from theory.numbers import Exact
from theory.optimal.conflict import ConflictGraph, check_radii, conflict_graph
from theory.optimal.distances import Array, Pairs
from theory.optimal.matching import BipartiteGraph, Matcher, weighted_cover
from theory.optimal.sample import integer_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from theory.samples import LabelledSample

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Jump:
    """From the radius whose square is ``eps_squared`` on (included, balls are closed) the least risk is ``value``."""

    eps_squared: Fraction
    value: Fraction

    @property
    def eps(self) -> Enclosure:
        """The radius: exact when it is rational, else to about 30 digits."""
        n, d = self.eps_squared.numerator, self.eps_squared.denominator
        if isqrt(n) ** 2 == n and isqrt(d) ** 2 == d:
            return Enclosure.exact(Fraction(isqrt(n), isqrt(d)))
        shift = 2 ** max(0, 100 + (d.bit_length() - n.bit_length()) // 2)
        root = isqrt(n * d * shift**2)
        return Enclosure(Fraction(root, d * shift), Fraction(root + 1, d * shift), "square root")


def sample_jumps(
    sample: LabelledSample,
    eps_max: Exact,
    ord: float = 2,
    *,
    prior: Exact | None = None,
    weights: Sequence[Exact] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Jump, ...]:
    """Every jump of V on [0, eps_max], ascending; before the first, V is 0.

    Takes about 16 bytes of memory more per conflict than a curve. ``progress`` is called with (conflicts seen, all of
    them). Raises ``ValueError`` as ``theory.optimal.sample.optimal_sample_curve``.
    """
    if len(sample.classes) != 2:
        raise ValueError(f"the sample has the classes {list(sample.classes)}; allowed are exactly two (see .only)")
    radius = check_radii([eps_max])[0]
    whole, denominator = integer_weights(sample, prior, weights)
    first, second = (np.flatnonzero(sample.y == label) for label in sample.classes)
    w0, w1 = ([whole[i] for i in side.tolist()] for side in (first, second))
    x0, x1 = sample.x[first], sample.x[second]
    graph = conflict_graph(x0, x1, [radius], ord=ord, scale=sample.scale)  # refuses what is too large
    edges = _Edges(graph, radius)
    if len(set(w0 + w1)) == 1:
        steps = _grow(edges, progress)
        final = Matcher(graph).cover(0).value
        if final != (steps[-1][1] if steps else 0):
            raise ArithmeticError(f"the jumps end at {steps[-1][1]} but the certified matching has {final} edges")
        steps = [(rank, size * w0[0]) for rank, size in steps]
    else:
        steps = _bisect(edges, w0, w1)
    unit = edges.pairs.unit
    squares = [edges.exact(rank) * unit**2 if ord == 2 else (edges.exact(rank) * unit) ** 2 for rank, _ in steps]
    return tuple(Jump(s / 4, Fraction(v, denominator)) for s, (_, v) in zip(squares, steps, strict=True))


class _Edges:
    """The conflicts in ascending order of distance; equal distances, and only they, share a rank."""

    def __init__(self, graph: ConflictGraph, radius: Fraction) -> None:
        self.pairs: Pairs = graph.pairs
        self.n0, self.n1 = graph.n0, graph.n1
        limit = self.pairs.threshold(2 * radius)
        rows, cols, keys = [], [], []
        block = max(1, _BLOCK // graph.n1)
        for a in range(0, graph.n0, block):
            counts, j, key = self.pairs.near(a, min(a + block, graph.n0), limit)
            i = np.repeat(np.arange(a, a + len(counts), dtype=np.int32), counts)
            inside = self.pairs.at_most(i, j, key, limit)
            rows.append(i[inside])
            cols.append(j[inside])
            keys.append(key[inside])
        key = np.concatenate(keys)
        order = np.argsort(key, kind="stable")
        self.rows, self.cols, self.keys = np.concatenate(rows)[order], np.concatenate(cols)[order], key[order]
        if not self.pairs.exact:
            self._settle()

    def _settle(self) -> None:
        """Replace rounded keys by ranks of exact ones: runs closer than the rounding error are sorted in integers."""
        apart = np.diff(self.keys) > 2.0000001 * self.pairs.slack
        starts = np.concatenate([[0], np.flatnonzero(apart) + 1, [len(self.keys)]])
        ranks = np.zeros(len(self.keys), np.int64)
        ranks[starts[1:-1]] = 1  # marks: here begins a new rank
        for a, b in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
            if b - a > 1:
                exact = [self.pairs.exact_key(int(self.rows[e]), int(self.cols[e])) for e in range(a, b)]
                order = sorted(range(b - a), key=exact.__getitem__)
                self.rows[a:b], self.cols[a:b] = self.rows[a:b][order], self.cols[a:b][order]
                ranks[a + 1 : b] = [exact[p] != exact[q] for p, q in pairwise(order)]
        self.keys = np.cumsum(ranks)

    def exact(self, rank: int) -> Fraction:
        """The key that a rank stands for."""
        if self.pairs.exact:
            return Fraction(rank)
        e = int(np.searchsorted(self.keys, rank))
        return self.pairs.exact_key(int(self.rows[e]), int(self.cols[e]))


class _Lists:
    """The neighbours of every point of one class, nearest first."""

    def __init__(self, points: Array, others: Array, keys: Array, n: int) -> None:
        order = np.argsort(points.astype(np.uint16) if n <= 2**16 else points, kind="stable")
        self.others, self.keys = others[order], keys[order]
        self.bounds = np.concatenate([[0], np.cumsum(np.bincount(points, minlength=n))]).tolist()

    def up_to(self, point: int, rank: int) -> Array:
        """The neighbours whose rank is at most ``rank``."""
        a, b = self.bounds[point], self.bounds[point + 1]
        count = int(np.searchsorted(self.keys[a:b], rank, side="right"))
        return self.others[a : a + count]


def _grow(edges: _Edges, progress: Callable[[int, int], None] | None) -> list[tuple[int, int]]:
    """(rank, size of the matching from there on) at every jump."""
    row_lists = _Lists(edges.rows, edges.cols, edges.keys, edges.n0)
    col_lists = _Lists(edges.cols, edges.rows, edges.keys, edges.n1)
    mate_of_row, mate_of_col = np.full(edges.n0, -1), np.full(edges.n1, -1)
    # Every free row is the root of a tree; -1 marks what no tree reaches at the present rank.
    tree_of_row, tree_of_col = np.arange(edges.n0), np.full(edges.n1, -1)
    parent = np.full(edges.n1, -1)
    size = 0

    def attach(col: int, row: int, rank: int) -> list[int]:
        """Let the tree of ``row`` grow over ``col``; if it meets a free column, augment and return what it loses."""
        tree = int(tree_of_row[row])
        front = [(row, np.array([col]))]
        while front:
            row, new = front.pop()
            tree_of_col[new], parent[new] = tree, row
            mates = mate_of_col[new]
            if (mates < 0).any():
                col = int(new[np.argmax(mates < 0)])
                while col >= 0:
                    row = int(parent[col])
                    mate_of_col[col] = row
                    mate_of_row[row], col = col, int(mate_of_row[row])
                lost: list[int] = np.flatnonzero(tree_of_col == tree).tolist()
                tree_of_col[lost] = -1
                tree_of_row[tree_of_row == tree] = -1
                return lost
            tree_of_row[mates] = tree
            for mate in mates.tolist():
                near = row_lists.up_to(mate, rank)
                near = near[tree_of_col[near] < 0]
                # Claim them now, so that no two rows of the front bring the same column.
                tree_of_col[near] = tree
                if len(near):
                    front.append((mate, near))
        return []

    steps: list[tuple[int, int]] = []
    at, window, total = 0, 256, len(edges.keys)
    while at < total:
        part = slice(at, at + window)
        news = (tree_of_row[edges.rows[part]] >= 0) & (tree_of_col[edges.cols[part]] < 0)
        hit = int(news.argmax())
        if not news[hit]:
            at, window = at + window, min(2 * window, 1 << 16)
            if progress is not None:
                progress(min(at, total), total)
            continue
        at, window = at + hit, 256
        rank = int(edges.keys[at])
        before = size
        pending = attach(int(edges.cols[at]), int(edges.rows[at]), rank)
        size += bool(pending)
        while pending:  # other trees may take over what the augmented tree has left
            col = pending.pop()
            if tree_of_col[col] < 0:
                rows = col_lists.up_to(col, rank)
                reached = tree_of_row[rows] >= 0
                if reached.any():
                    lost = attach(col, int(rows[np.argmax(reached)]), rank)
                    size += bool(lost)
                    pending += lost
        if size > before:
            if steps and steps[-1][0] == rank:
                steps.pop()
            steps.append((rank, size))
        at += 1
    return steps


def _bisect(edges: _Edges, w0: list[int], w1: list[int]) -> list[tuple[int, int]]:
    """(rank, weight of the lightest cover from there on) at every jump, by halving runs of ranks."""
    order = np.argsort(edges.rows, kind="stable")
    indices, keys = edges.cols[order], edges.keys[order]
    starts = np.concatenate([[0], np.cumsum(np.bincount(edges.rows, minlength=edges.n0))[:-1]])
    rows = edges.rows[order]

    def value(rank: int) -> int:
        ends = starts + np.bincount(rows[keys <= rank], minlength=edges.n0)
        graph = BipartiteGraph(edges.n0, edges.n1, indices, starts, ends[None, :])
        return weighted_cover(graph, 0, w0, w1).value

    ranks = np.unique(edges.keys).tolist()
    if not ranks:
        return []
    steps: list[tuple[int, int]] = []
    # Invariant of a run (a, b, low, high): the value is low before ranks[a] and high from ranks[b] on.
    runs = [(0, len(ranks) - 1, 0, value(ranks[-1]))]
    while runs:
        a, b, low, high = runs.pop()
        if low == high:
            continue
        if a == b:
            steps.append((ranks[a], high))
            continue
        middle = (a + b) // 2
        between = value(ranks[middle])
        runs += ((middle + 1, b, between, high), (a, middle, low, between))
    return steps

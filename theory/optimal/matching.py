"""Minimum vertex covers of bipartite conflict graphs, each with the matching or flow that proves it minimal.

Koenig (1931): the largest matching has as many edges as the smallest vertex cover has vertices. With weights, the
largest flow (source -> class 0 -> class 1 -> sink, capacities: the weights, conflicts infinite) equals the lightest
cover.
Every function here checks the equality it returns, in integers, edge by edge.

The matching grows by breadth-first forests: all free rows are roots, every column is visited once, and each tree is
augmented along one path to a free column. The forest that finds none has visited exactly the columns that belong to the
cover. A phase is linear in the edges and there are at most as many as rows, so the method is polynomial on every graph
(depth-first solvers are exponential on layered ones). Two savings: the matching of a smaller radius is a start for
a larger one, and a phase works first on a few edges per row, then on all of them, where usually only the last,
certifying forest remains to be built.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from theory.flow import max_flow

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray[Any, Any]

_CHUNK = 1 << 20  # edges looked at in one go
_SPARSE = 64  # edges per row in the first, sparse stage


class Graph(Protocol):
    """Bipartite graphs, one inside the next: in graph k, row i has the columns ``indices[starts[i]:ends[k, i]]``."""

    @property
    def n0(self) -> int: ...
    @property
    def n1(self) -> int: ...
    @property
    def indices(self) -> Array: ...
    @property
    def starts(self) -> Array: ...
    @property
    def ends(self) -> Array: ...


@dataclass(frozen=True, slots=True, eq=False)
class BipartiteGraph:
    """One bipartite graph by its edges."""

    n0: int
    n1: int
    indices: Array
    starts: Array
    ends: Array

    @staticmethod
    def of_edges(n0: int, n1: int, rows: Array, cols: Array) -> BipartiteGraph:
        """The graph with the edges (rows[e], cols[e])."""
        bounds = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n0))])
        return BipartiteGraph(n0, n1, cols[np.argsort(rows, kind="stable")], bounds[:-1], bounds[None, 1:])


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """A minimum vertex cover of one conflict graph and the flow that proves it.

    ``cover0``, ``cover1`` mark the covered points; together they weigh ``value``. The flow sends ``amounts[e]`` from
    the point ``rows[e]`` of class 0 to the point ``cols[e]`` of class 1 along the edge ``edges[e]`` of the graph; no
    point sends or receives more than its weight, and the amounts sum to ``value``. All are whole numbers, held as
    Python integers where 64 bits might not suffice.
    """

    value: int
    cover0: Array
    cover1: Array
    rows: Array
    cols: Array
    edges: Array
    amounts: Array


class Matcher:
    """The maximum matchings of a conflict graph at its radii, each a warm start for the next larger one."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.row = np.full(graph.n0, -1, np.int64)  # the column matched to each row
        self.column = np.full(graph.n1, -1, np.int64)
        self.edge = np.full(graph.n0, -1, np.int64)  # the position of the matched edge in graph.indices

    def cover(self, k: int) -> Cover:
        """The minimum cover of graph ``k``. Call with ascending k."""
        graph = self.graph
        starts, ends = graph.starts, graph.ends[k]
        if int((ends - starts).max(initial=0)) > _SPARSE:
            self._grow(*_sparsify(starts, ends, graph.indices))
        visited = self._grow(starts, ends, graph.indices, None)
        matched = np.flatnonzero(self.row >= 0)
        # Koenig: of every matched edge exactly one end is covered, the column when the forest visited it.
        cover0 = np.zeros(graph.n0, np.bool_)
        cover0[matched] = ~visited[self.row[matched]]
        ones = np.ones(len(matched), np.int64)
        result = Cover(len(matched), cover0, visited, matched, self.row[matched], self.edge[matched], ones)
        verify_cover(graph, k, result)
        return result

    def _grow(self, starts: Array, ends: Array, indices: Array, position: Array | None) -> Array:
        """Augment until no forest finds a free column; return the columns that the last forest visited."""
        row, column = self.row, self.column
        while True:
            visited = np.zeros(len(column), np.bool_)
            parent = np.empty(len(column), np.int64)  # the row, and the edge, by which a column was reached
            parent_edge = np.empty(len(column), np.int64)
            root = np.full(len(row), -1, np.int64)
            tip = np.full(len(row), -1, np.int64)  # of each tree, the free column that it found
            front = np.flatnonzero((row < 0) & (ends > starts))
            root[front] = front
            while len(front):
                reached = []
                for part in _parts(front, starts, ends):
                    growing = part[tip[root[part]] < 0]
                    edges, rows = _ragged(growing, starts, ends)
                    cols = indices[edges]
                    new = ~visited[cols]
                    edges, rows, cols = edges[new], rows[new], cols[new]
                    parent_edge[cols] = edges  # of several edges to one column, one is kept
                    kept = parent_edge[cols] == edges
                    rows, cols = rows[kept], cols[kept]
                    parent[cols] = rows
                    visited[cols] = True
                    mate = column[cols]
                    free = mate < 0
                    tip[root[rows[free]]] = cols[free]
                    root[mate[~free]] = root[rows[~free]]
                    reached.append(mate[~free])
                front = np.concatenate(reached)
                front = front[tip[root[front]] < 0]
            ends_found = tip[tip >= 0]
            if len(ends_found) == 0:
                return visited
            # The trees are disjoint, so all paths are flipped together, one edge of each at a time.
            while len(ends_found):
                rows = parent[ends_found]
                before = row[rows]
                edges = parent_edge[ends_found]
                row[rows], column[ends_found] = ends_found, rows
                self.edge[rows] = edges if position is None else position[edges]
                ends_found = before[before >= 0]


def weighted_cover(graph: Graph, k: int, weights0: Sequence[int], weights1: Sequence[int]) -> Cover:
    """The lightest vertex cover of graph ``k`` when points weigh the given whole numbers (at least 0).

    The flow runs on a few edges per row; a breadth-first search over all edges then certifies it, or more are taken.
    Sums below 2^31 go through scipy's ``maximum_flow``, whose capacities are 32-bit; larger ones through
    ``theory.flow``, slower but exact at any size. Raises ``ValueError`` for a negative weight.
    """
    w0, w1 = list(map(int, weights0)), list(map(int, weights1))
    if min(w0 + w1) < 0:
        raise ValueError(f"weight {min(w0 + w1)} is negative; allowed are 0 and above")
    small = max(sum(w0), sum(w1)) < 2**31
    starts, ends, indices = graph.starts, graph.ends[k], graph.indices
    cap = 16 if small else 4
    while True:
        s_starts, s_ends, s_indices, position = _sparsify(starts, ends, indices, cap)
        rows = np.repeat(np.arange(graph.n0), s_ends - s_starts)
        used, amounts = (_scipy_flow if small else _own_flow)(rows, s_indices, w0, w1)
        flow = rows[used], s_indices[used].astype(np.int64), position[used], amounts
        visited0, visited1 = _reachable(graph, k, w0, w1, flow)
        cover = Cover(sum(amounts.tolist()), ~visited0, visited1, *flow)
        if _weight(w0, cover.cover0) + _weight(w1, cover.cover1) == cover.value:
            verify_cover(graph, k, cover, w0, w1)
            return cover
        if cap >= int((ends - starts).max()):
            raise ArithmeticError("the flow along all edges is not maximal")
        cap *= 4


def verify_cover(
    graph: Graph,
    k: int,
    cover: Cover,
    weights0: Sequence[int] | None = None,
    weights1: Sequence[int] | None = None,
) -> None:
    """Check value == flow == cut: ``ArithmeticError`` unless ``cover`` covers every conflict and its flow proves it.

    Weights default to 1. Who trusts the graph need trust nothing else.
    """
    starts, ends, indices = graph.starts, graph.ends[k], graph.indices
    for part in _parts(np.flatnonzero(~cover.cover0), starts, ends):
        edges, rows = _ragged(part, starts, ends)
        bare = np.flatnonzero(~cover.cover1[indices[edges]])
        if len(bare):
            raise ArithmeticError(f"the conflict of {rows[bare[0]]} and {indices[edges[bare[0]]]} is not covered")
    rows, cols, edges = cover.rows, cover.cols, cover.edges
    known = (starts[rows] <= edges) & (edges < ends[rows])
    if not (known.all() and np.array_equal(indices[edges], cols)):
        raise ArithmeticError("the flow uses a pair of points that do not conflict")
    if (cover.amounts < 0).any():
        raise ArithmeticError("the flow is negative on a pair")
    for ends_at, n, weights in ((rows, graph.n0, weights0), (cols, graph.n1, weights1)):
        carried = np.zeros(n, cover.amounts.dtype)
        np.add.at(carried, ends_at, cover.amounts)
        if (carried > (1 if weights is None else np.array(weights, cover.amounts.dtype))).any():
            raise ArithmeticError("the flow exceeds the weight of a point")
    flow = sum(cover.amounts.tolist())
    cut = _weight(weights0, cover.cover0) + _weight(weights1, cover.cover1)
    if not cover.value == flow == cut:
        raise ArithmeticError(f"value {cover.value}, flow {flow} and cut {cut} are not all equal")


def _weight(weights: Sequence[int] | None, chosen: Array) -> int:
    if weights is None:
        return int(np.count_nonzero(chosen))
    return sum(weights[i] for i in np.flatnonzero(chosen).tolist())


def _ragged(rows: Array, starts: Array, ends: Array) -> tuple[Array, Array]:
    """The positions of all edges of ``rows``, and the row of each."""
    degrees = ends[rows] - starts[rows]
    before = np.cumsum(degrees) - degrees
    return np.arange(int(degrees.sum())) + np.repeat(starts[rows] - before, degrees), np.repeat(rows, degrees)


def _parts(rows: Array, starts: Array, ends: Array) -> list[Array]:
    """``rows`` cut into runs of at most about ``_CHUNK`` edges."""
    total = np.cumsum(ends[rows] - starts[rows])
    return np.split(rows, np.searchsorted(total, np.arange(_CHUNK, int(total[-1]) if len(total) else 0, _CHUNK)))


def _sparsify(starts: Array, ends: Array, indices: Array, cap: int = _SPARSE) -> tuple[Array, Array, Array, Array]:
    """At most ``cap`` evenly spaced edges of every row: starts, ends, indices, and their positions in ``indices``."""
    degrees = ends - starts
    kept = np.minimum(degrees, cap)
    new_ends = np.cumsum(kept)
    step = np.arange(int(kept.sum())) - np.repeat(new_ends - kept, kept)
    position = np.repeat(starts, kept) + step * np.repeat(degrees, kept) // np.repeat(np.maximum(kept, 1), kept)
    return new_ends - kept, new_ends, indices[position], position


def _scipy_flow(rows: Array, cols: Array, w0: list[int], w1: list[int]) -> tuple[Array, Array]:
    """A maximum flow along the listed pairs: the used ones, and how much each carries (sums below 2^31)."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_flow

    a, b = np.array(w0, np.int64), np.array(w1, np.int64)
    n0, n1 = len(a), len(b)
    sink = 1 + n0 + n1
    # A pair never carries more than its lighter point: that stands for an infinite capacity.
    middle = np.minimum(a[rows], b[cols])
    tails = np.concatenate([np.zeros(n0, np.int64), 1 + rows, 1 + n0 + np.arange(n1)])
    heads = np.concatenate([1 + np.arange(n0), 1 + n0 + cols, np.full(n1, sink)])
    capacities = np.concatenate([a, middle, b]).astype(np.int32)
    network = csr_array((capacities, (tails, heads)), shape=(sink + 1, sink + 1))
    network.eliminate_zeros()
    flow = maximum_flow(network, 0, sink).flow.tocoo()
    forward = (flow.row >= 1) & (flow.row <= n0) & (flow.data > 0)
    codes = (flow.row[forward] - 1).astype(np.int64) * n1 + flow.col[forward] - 1 - n0
    pairs = rows * n1 + cols
    order = np.argsort(pairs)
    return order[np.searchsorted(pairs[order], codes)], flow.data[forward].astype(np.int64)


def _own_flow(rows: Array, cols: Array, w0: list[int], w1: list[int]) -> tuple[Array, Array]:
    """The same for weights of any size."""
    n0, n1 = len(w0), len(w1)
    edges: list[tuple[int, int, int | None]] = [(0, 1 + i, w) for i, w in enumerate(w0)]
    edges += [(1 + n0 + j, 1 + n0 + n1, w) for j, w in enumerate(w1)]
    edges += [(1 + i, 1 + n0 + j, None) for i, j in zip(rows.tolist(), cols.tolist(), strict=True)]
    carried = np.array(max_flow(2 + n0 + n1, edges, 0, 1 + n0 + n1).flows[n0 + n1 :], dtype=object)
    used = np.flatnonzero(carried > 0)
    return used, carried[used]


def _reachable(
    graph: Graph, k: int, w0: list[int], w1: list[int], flow: tuple[Array, Array, Array, Array]
) -> tuple[Array, Array]:
    """What unsent weight still reaches along all conflicts: class 0 forwards, class 1 backwards along the flow."""
    rows, cols, _, amounts = flow
    left = np.array(w0, amounts.dtype)
    np.subtract.at(left, rows, amounts)
    order = np.argsort(cols, kind="stable")
    senders = rows[order]
    first = np.searchsorted(cols[order], np.arange(len(w1) + 1))
    seen0, seen1 = (left > 0).astype(np.bool_), np.zeros(len(w1), np.bool_)
    front = np.flatnonzero(seen0)
    while len(front):
        new_cols = np.zeros(len(w1), np.bool_)
        for part in _parts(front, graph.starts, graph.ends[k]):
            new_cols[graph.indices[_ragged(part, graph.starts, graph.ends[k])[0]]] = True
        new_cols &= ~seen1
        seen1 |= new_cols
        back = senders[_ragged(np.flatnonzero(new_cols), first[:-1], first[1:])[0]]
        front = np.unique(back[~seen0[back]])
        seen0[front] = True
    return seen0, seen1

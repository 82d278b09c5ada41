"""The half-integral heart of a vertex cover problem on any graph, found by one bipartite matching or flow.

The linear program  min sum w_v c_v,  c_u + c_v >= 1 on every edge,  c >= 0  has optima with c in {0, 1/2, 1}; one is
read off a minimum cut of the bipartite double cover (a left and a right copy of every vertex), half of whose weight is
its value. Nemhauser and Trotter (1975): some integral optimum agrees with it wherever it is 0 or 1, so only the
*kernel*, where it is 1/2, remains to be solved. Among all minimum cuts one with a small kernel is chosen, by taking
strongly connected components of the residual graph as long as a component and its mirror image differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.optimal.matching import BipartiteGraph, Cover, Matcher, weighted_cover

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, eq=False)
class HalfIntegral:
    """An optimum of the linear program and its proof.

    ``doubled`` is 2c, in {0, 1, 2}. The dual sends ``doubled_amounts[e] / 2`` over the edge (``tails[e]``,
    ``heads[e]``): no vertex carries more than its weight, and the amounts sum to the value. Edges of the dual never
    join the kernel (2c = 1) with the rest.
    """

    doubled: Array
    tails: Array
    heads: Array
    doubled_amounts: tuple[int, ...]

    @property
    def kernel(self) -> Array:
        """The vertices at 1/2."""
        return np.flatnonzero(self.doubled == 1)


def half_integral(n: int, tails: Array, heads: Array, weights: Sequence[int]) -> HalfIntegral:
    """An optimal half-integral vertex cover of the graph with edges (tails[e], heads[e]) and whole weights.

    >>> triangle = np.array([0, 1, 2]), np.array([1, 2, 0])
    >>> half_integral(3, *triangle, [1, 1, 1]).doubled, half_integral(3, *triangle, [1, 1, 5]).doubled
    (array([1, 1, 1]), array([2, 2, 0]))
    """
    rows, cols = np.concatenate([tails, heads]), np.concatenate([heads, tails])
    graph = BipartiteGraph.of_edges(n, n, rows, cols)
    equal = len(set(weights)) == 1
    cover = Matcher(graph).cover(0) if equal and weights[0] == 1 else weighted_cover(graph, 0, weights, weights)
    inside = _few_halves(n, rows, cols, cover)
    doubled = (~inside[:n]).astype(np.int64) + inside[n:]
    if (doubled[tails] + doubled[heads] < 2).any():
        raise ArithmeticError("the half-integral cover leaves an edge open")
    if sum(w * int(c) for w, c in zip(weights, doubled.tolist(), strict=True)) != cover.value:
        raise ArithmeticError("the half-integral cover does not weigh what the flow carries")
    return HalfIntegral(doubled, cover.rows, cover.cols, tuple(cover.amounts.tolist()))


def _few_halves(n: int, rows: Array, cols: Array, cover: Cover) -> Array:
    """The source side of a minimum cut of the double cover: left copies are 0..n-1, right copies n..2n-1."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    inside = np.concatenate([~cover.cover0, cover.cover1])  # the minimal source side
    mirror = np.concatenate([np.arange(n, 2 * n), np.arange(n)])
    # By symmetry the mirror image of the minimal source side is the sink side; between them the choice is free.
    free = ~inside & ~inside[mirror]
    sends = cover.amounts > 0
    # Residual arcs: along every edge, and back along the flow.
    tails = np.concatenate([rows, cover.cols[sends] + n])
    heads = np.concatenate([cols + n, cover.rows[sends]])
    among = free[tails] & free[heads]
    tails, heads = tails[among], heads[among]
    network = csr_array((np.ones(len(tails), np.int8), (tails, heads)), shape=(2 * n, 2 * n))
    count, component = connected_components(network, connection="strong")
    joins = component[tails] != component[heads]
    arcs = np.unique(np.column_stack([component[tails], component[heads]])[joins], axis=0)
    taken = _closed_choice(count, arcs, component, component[mirror])
    inside |= taken[component] & free
    return inside


def _closed_choice(count: int, arcs: Array, component: Array, mirrored: Array) -> Array:
    """Of every component and its mirror image take the one that comes first, sinks first; of its own image none.

    Then all successors of a taken component C are taken. For let C lead to E: by symmetry E's image leads to that of
    C. If E were not taken, it would be its own image, or its image would have been taken; either way the image of C
    would have come before C, and C would not have been taken.
    """
    image = np.empty(count, np.int64)
    image[component] = mirrored
    before: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for tail, head in arcs.tolist():
        before[head].append(tail)
        waiting[tail] += 1
    taken = [False] * count
    ready = [c for c in range(count) if waiting[c] == 0]
    for c in ready:
        taken[c] = image[c] != c and not taken[image[c]]
        for tail in before[c]:
            waiting[tail] -= 1
            if waiting[tail] == 0:
                ready.append(tail)
    return np.array(taken)

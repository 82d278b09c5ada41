"""The conflict graph of a two-class sample: which points of different classes no classifier can both get right.

Two points conflict at radius eps when their closed eps-balls share a point of the domain (all of R^d, or a convex set
that holds the sample): exactly when their distance is at most 2 eps, touching balls included. The graph of the largest
radius contains all others, so one pass over the pairs serves a whole grid of radii: each row keeps its neighbours in
the order in which they start to conflict, and the graph of a smaller radius is a prefix of every row. Memory is 4
bytes an edge.

>>> import numpy as np
>>> x0, x1 = np.array([[0, 0], [9, 9]], np.uint8), np.array([[3, 4], [9, 5]], np.uint8)
>>> graph = conflict_graph(x0, x1, [Fraction(2), Fraction(5, 2)])
>>> graph.edges(0), graph.edges(1)  # 2 eps = 4: only the last two; 2 eps = 5: (0, 0)-(3, 4) touch
(1, 2)
>>> graph.neighbours(0, 1), graph.neighbours(1, 1)
(array([0], dtype=int32), array([1], dtype=int32))
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

import numpy as np

from theory.numbers import Exact, as_fraction
from theory.optimal.distances import Array, Pairs, pairs
from theory.rounding import float_down, float_up

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_BLOCK = 1 << 20  # pairs looked at in one go


@dataclass(frozen=True, slots=True, eq=False)
class ConflictGraph:
    """The conflicts between ``n0`` and ``n1`` points at each radius of the ascending tuple ``eps``.

    Row i conflicts at ``eps[k]`` with ``indices[starts[i]:ends[k, i]]``.
    """

    eps: tuple[Fraction, ...]
    n0: int
    n1: int
    indices: Array
    starts: Array
    ends: Array
    pairs: Pairs

    def edges(self, k: int) -> int:
        """How many pairs conflict at ``eps[k]``."""
        return int((self.ends[k] - self.starts).sum())

    def neighbours(self, i: int, k: int) -> Array:
        """The points of class 1 that conflict with point i of class 0 at ``eps[k]``, ascending."""
        return np.sort(self.indices[self.starts[i] : self.ends[k, i]])


def conflict_graph(
    x0: Array,
    x1: Array,
    eps: Sequence[Exact],
    *,
    ord: float = 2,
    scale: int = 1,
    max_bytes: int | None = None,
    n_jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> ConflictGraph:
    """The conflict graph of the points ``x0 / scale`` and ``x1 / scale`` at every radius of ``eps``.

    ``n_jobs`` above 1 spreads the blocks over processes through joblib, whichever backend is active there (so
    ``joblib.parallel_config`` can hand them to a cluster); the result does not depend on it. ``progress`` is called
    with (rows done, rows in all). ``max_bytes`` defaults to half of the machine's memory.

    Raises ``ValueError`` for a negative radius, no radius, a graph predicted to exceed ``max_bytes``, or bad points
    (see ``theory.optimal.distances.pairs``).
    """
    radii = check_radii(eps)
    both = pairs(x0, x1, ord, scale)
    n0, n1 = len(x0), len(x1)
    limit = _memory_limit() if max_bytes is None else max_bytes
    _refuse_if_too_large(both, n0, n1, radii[-1], limit)
    thresholds = tuple(both.threshold(2 * e) for e in radii)

    # Row and level share 16 bits, for which numpy sorts by counting.
    rows = max(1, min(n0, _BLOCK // n1, 2**16 // len(radii)))
    spans = [(a, min(a + rows, n0)) for a in range(0, n0, rows)]
    if n_jobs == 1:
        blocks = []
        used = 0
        for a, b in spans:
            blocks.append(_block(both, a, b, thresholds))
            used += blocks[-1][0].nbytes
            if used > limit:
                raise ValueError(_too_large(used // 4 * n0 // b, limit))
            if progress is not None:
                progress(b, n0)
    else:
        from joblib import Parallel, delayed

        blocks = Parallel(n_jobs=n_jobs)(delayed(_block)(both, a, b, thresholds) for a, b in spans)
    counts = np.concatenate([c for _, c in blocks], axis=1)
    starts = np.concatenate([[0], np.cumsum(counts[-1])[:-1]])
    indices = np.concatenate([i for i, _ in blocks])
    result = ConflictGraph(radii, n0, n1, indices, starts, starts + counts, both)
    for array in (result.indices, result.starts, result.ends):
        array.flags.writeable = False
    return result


def check_radii(eps: Sequence[Exact]) -> tuple[Fraction, ...]:
    """The radii as ascending Fractions without repetition; ``ValueError`` for none or a negative one."""
    radii = tuple(sorted({as_fraction(e, "eps") for e in eps}))
    if not radii:
        raise ValueError("eps is empty; give at least one radius")
    if radii[0] < 0:
        raise ValueError(f"eps {radii[0]} is negative; allowed are 0 and above")
    return radii


def within(x: Array, centres: Array, distance: Fraction, *, ord: float, scale: int = 1) -> Array:
    """For each row of ``x / scale``, whether some row of ``centres / scale`` lies within ``distance``, exactly."""
    inside = np.zeros(len(x), np.bool_)
    if len(centres) and len(x):
        both = pairs(x, centres, ord, scale)
        limit = both.threshold(distance)
        rows = max(1, _BLOCK // len(centres))
        for a in range(0, len(x), rows):
            counts, cols, keys = both.near(a, min(a + rows, len(x)), limit)
            i = np.repeat(np.arange(a, a + len(counts)), counts)
            inside[i[both.at_most(i, cols, keys, limit)]] = True
    return inside


def _block(both: Pairs, a: int, b: int, thresholds: tuple[Fraction, ...]) -> tuple[Array, Array]:
    """The neighbours of rows a..b-1 in order of row, then radius; and counts[k, row] of neighbours at radius k."""
    counts, cols, keys = both.near(a, b, thresholds[-1])
    levels = len(thresholds)
    rows = np.repeat(np.arange(b - a), counts)
    level = _levels(both, rows + a, cols, keys, thresholds)
    if not both.exact:
        kept = level < levels
        rows, cols, level = rows[kept], cols[kept], level[kept]
    code = rows * levels + level
    if levels > 1:
        cols = cols[np.argsort(code.astype(np.uint16) if (b - a) * levels <= 2**16 else code, kind="stable")]
    table = np.bincount(code, minlength=(b - a) * levels).reshape(b - a, levels)
    return cols, np.cumsum(table, axis=1).T


def _levels(both: Pairs, rows: Array, cols: Array, keys: Array, thresholds: tuple[Fraction, ...]) -> Array:
    """The index of the first threshold that each key does not exceed."""
    if both.exact:
        ceiling = np.iinfo(keys.dtype).max
        grid = np.array([min(floor(t), ceiling) for t in thresholds], keys.dtype)
        return np.searchsorted(grid, keys, side="left")
    slack = Fraction(both.slack)
    low = np.searchsorted([float_up(t + slack) for t in thresholds], keys, side="left")
    high = np.searchsorted([float_down(t - slack) for t in thresholds], keys, side="left")
    # Between the two, the rounding error leaves the level open.
    for e in np.flatnonzero(low != high):
        key = both.exact_key(int(rows[e]), int(cols[e]))
        low[e] = next((k for k in range(low[e], high[e]) if key <= thresholds[k]), high[e])
    return low


def _refuse_if_too_large(both: Pairs, n0: int, n1: int, eps: Fraction, limit: int) -> None:
    """Count the edges of a few evenly spaced rows and extrapolate, when the graph could be too large at all."""
    if n0 * n1 * 4 <= limit:
        return
    limit_key = both.threshold(2 * eps)
    probe = sorted({n0 * step // 64 for step in range(64)})
    found = sum(len(both.near(i, i + 1, limit_key)[1]) for i in probe)
    predicted = found * n0 // len(probe)
    if predicted * 4 > limit:
        raise ValueError(_too_large(predicted, limit))


def _too_large(edges: int, limit: int) -> str:
    return (
        f"the conflict graph would have about {edges:.2g} edges ({edges * 4 / 1e9:.2g} GB), more than the "
        f"{limit / 1e9:.2g} GB allowed; lower eps, take fewer points, or raise max_bytes"
    )


def _memory_limit() -> int:
    """Half of the machine's memory; 4 GB where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, OSError, ValueError):
        return 4 << 30

"""The boundary of {x : the winding number at x is such-and-such}: the one operation behind and, or, minus and dilation.

Signed pieces of lines that close up give every point of the plane a winding number. They are cut where they meet, each
part is told the winding numbers on its two sides, and the parts across which the answer changes are kept. Floats only
tell which comparisons are beyond doubt, by bounds derived below; all others are made in whole numbers, so parallel,
overlapping and concurrent lines need no special care.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from theory.relu.lines import Piece, Point, along, meet, merged, value

Floats = NDArray[np.float64]
ROUNDOFF = 2.0**-53
BLOCK = 1 << 20  # pairs held at once


def overlay(pieces: Iterable[Piece], inside: Callable[[int], bool]) -> tuple[Piece, ...]:
    """The boundary of {x : inside(winding number at x)}, pieces of weight 1 and -1; far away the number is 0."""
    whole = merged(pieces)
    if not whole:
        return ()
    ends = _ends(whole)
    parts: list[tuple[int, Point, Point]] = []
    for k, ((line, p, q, _), cuts) in enumerate(zip(whole, _crossings(whole, ends), strict=True)):
        order = [p, *sorted(cuts, key=lambda r, line=line: along(line, r)), q] if cuts else [p, q]  # type: ignore[misc]
        parts += [(k, *pair) for pair in pairwise(order)]
    kept: list[Piece] = []
    for (k, p, q), west in zip(parts, _winding_west(whole, ends, parts), strict=True):
        line, _, _, weight = whole[k]
        left = west if line[0] <= 0 else west + weight  # a line that falls has the west on its right
        step = int(inside(left)) - int(inside(left - weight))
        if step:
            kept.append((line, p, q, step))
    return tuple(merged(kept))


def _ends(pieces: list[Piece]) -> Floats:
    """The ends (x0, y0, x1, y1) of all pieces, (4, n), each rounded to the nearest float."""
    rows = [(p[0] / p[2], p[1] / p[2], q[0] / q[2], q[1] / q[2]) for _, p, q, _ in pieces]
    return np.array(rows, dtype=np.float64).T


def _doubt(scale: float, *differences: Floats) -> Floats:
    """A bound for the error of A B - C D, computed from differences of coordinates of size at most ``scale`` = M.

    With u = 2^-53, a coordinate is off by u M at most, a midpoint by 2 u M, so a difference (with its own rounding) by
    d = 6 u M; the product by d (|A| + |B|) + d^2 and, rounded, by u |A B| <= 2.1 u M |A| more; the difference of the
    products, rounded, by another 2.1 u M (|A| + |C|). In all at most 11 u M (|A| + |B| + |C| + |D|) + 72 u^2 M^2, for
    which twice as much is taken, enough for the rounding of the bound. Products that underflow are off by 2^-1075, far
    below u^2 M^2 unless M is extreme; then nothing is beyond doubt.
    """
    total = sum(np.abs(d) for d in differences)
    if not 2.0**-300 < scale < 2.0**300:
        return np.full(np.shape(total), np.inf)
    unit = ROUNDOFF * scale
    return np.asarray(22 * unit * (total + 8 * unit))


def _crossings(pieces: list[Piece], ends: Floats) -> list[list[Point]]:
    """For each piece the inner points at which another one meets it. Pieces of one line are disjoint already."""
    x0, y0, x1, y1 = ends
    low, high = np.minimum(y0, y1), np.maximum(y0, y1)
    scale = float(np.abs(ends).max())
    cuts: list[set[Point]] = [set() for _ in pieces]
    rows = max(1, BLOCK // len(pieces))
    for start in range(0, len(pieces), rows):
        own = slice(start, start + rows)
        # rounding keeps order, so boxes that meet still meet when rounded
        near = (x0[own, None] <= x1) & (x0 <= x1[own, None]) & (low[own, None] <= high) & (low <= high[own, None])
        i, j = np.nonzero(near)
        i += start
        i, j = i[i < j], j[i < j]
        apart = np.zeros(len(i), dtype=bool)
        for k, m in ((i, j), (j, i)):
            first = _side(ends[:, k], x0[m], y0[m], scale)
            apart |= first * _side(ends[:, k], x1[m], y1[m], scale) > 0
        for k, m in zip(i[~apart].tolist(), j[~apart].tolist(), strict=True):
            _cut(pieces[k], pieces[m], cuts[k], cuts[m])
    return [list(some) for some in cuts]


def _side(ends: Floats, x: Floats, y: Floats, scale: float) -> Floats:
    """1 left of the piece, -1 right of it, 0 where floats do not tell."""
    x0, y0, x1, y1 = ends
    run, up, rise, over = x1 - x0, y - y0, y1 - y0, x - x0
    found = run * up - rise * over
    return np.asarray(np.where(np.abs(found) > _doubt(scale, run, up, rise, over), np.sign(found), 0.0))


def _cut(a: Piece, b: Piece, cuts_a: set[Point], cuts_b: set[Point]) -> None:
    """Notes where two pieces of different lines meet, unless at an end of both."""
    if a[0] == b[0]:
        return
    of_b = value(a[0], b[1]), value(a[0], b[2])
    of_a = value(b[0], a[1]), value(b[0], a[2])
    if _same_side(*of_b) or _same_side(*of_a) or not any(of_a) or not any(of_b):
        return  # apart; or parallel, on one line never
    if 0 in of_b:
        at = b[1] if of_b[0] == 0 else b[2]
    elif 0 in of_a:
        at = a[1] if of_a[0] == 0 else a[2]
    else:
        at = meet(a[0], b[0])
    if 0 not in of_a:
        cuts_a.add(at)
    if 0 not in of_b:
        cuts_b.add(at)


def _same_side(s: int, t: int) -> bool:
    return (s > 0 and t > 0) or (s < 0 and t < 0)


def _winding_west(pieces: list[Piece], ends: Floats, parts: list[tuple[int, Point, Point]]) -> list[int]:
    """The winding number just west of the middle of each part; just above it if the part is level.

    It is counted along the ray to the west: a piece from p to q crosses the height h + 0 if p_y <= h < q_y or
    q_y <= h < p_y, and being east of a rising piece costs its weight, east of a falling one earns it.
    """
    slanted = np.array([k for k, (line, *_) in enumerate(pieces) if line[0]], dtype=np.intp)
    x0, y0, x1, y1 = ends[:, slanted]
    low, high = np.minimum(y0, y1), np.maximum(y0, y1)
    rises = y1 > y0  # of two different heights rounded to one float, neither is beyond doubt
    steps = np.array([-pieces[k][3] if pieces[k][0][0] < 0 else pieces[k][3] for k in slanted.tolist()], dtype=np.int64)
    scale = float(np.abs(ends).max())
    unit = 8 * ROUNDOFF * scale
    halves = np.array([(p[0] / p[2], p[1] / p[2], q[0] / q[2], q[1] / q[2]) for _, p, q in parts]).reshape(-1, 4) / 2
    middle_x, middle_y = halves[:, 0] + halves[:, 2], halves[:, 1] + halves[:, 3]
    numbers: list[int] = []
    rows = max(1, BLOCK // max(1, len(slanted)))
    for start in range(0, len(parts), rows):
        x, y = middle_x[start : start + rows, None], middle_y[start : start + rows, None]
        level = (y > low - unit) & (y < high + unit) & (np.minimum(x0, x1) < x + unit)
        i, j = np.nonzero(level)
        px, py = x[i, 0], y[i, 0]
        sure = (py > low[j] + unit) & (py < high[j] - unit)
        side = np.where(sure, _side(ends[:, slanted[j]], px, py, scale), 0.0)
        east = np.where(rises[j], side < 0, side > 0)
        count = np.bincount(i[east], weights=steps[j[east]], minlength=len(x)).astype(np.int64).tolist()
        doubtful = side == 0
        for k, m in zip(i[doubtful].tolist(), j[doubtful].tolist(), strict=True):
            own, p, q = parts[start + k]
            other = int(slanted[m])
            if own != other and _is_east(p, q, pieces[other]):
                count[k] += int(steps[m])
        numbers += count
    return numbers


def _is_east(p: Point, q: Point, of: Piece) -> bool:
    """Whether the middle of p and q is level with a slanted piece, its upper end excluded, and east of it."""
    line, low, high, _ = of
    rises = line[0] < 0
    if not rises:
        low, high = high, low
    middle = (p[0] * q[2] + q[0] * p[2], p[1] * q[2] + q[1] * p[2], 2 * p[2] * q[2])
    if middle[1] * low[2] < low[1] * middle[2] or middle[1] * high[2] >= high[1] * middle[2]:
        return False
    side = value(line, middle)
    return side < 0 if rises else side > 0

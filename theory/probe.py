"""Whether a ball around a float point meets an event: distances and linear forms in float64, no dilation.

This is the other route to the reach of an event (``Ball.reach`` dilates the event instead), for simulation and drawing:
points are judged one by one, in float arithmetic, so a point within rounding of the edge may fall on either side.

>>> square = Boxes([[("0", "1"), ("0", "1")]])
>>> meets = probe(square, Ball("1/2", 2), Boxes.everything(2))
>>> [flags.tolist() for flags in meets(np.array([[1.3, 1.3], [1.4, 1.4], [0.5, -0.4]]))]
[[True, False, True], [True, False, True]]
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory.ball import Ball
from theory.between import Between
from theory.boxes import Boxes
from theory.classifiers import contains
from theory.halfspace import HalfSpace, walls_of
from theory.strips import Strips

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Outcome = tuple[Flags, Flags]  # what surely holds, and what possibly does

CHUNK = 1 << 21  # coordinates of points against boxes held at once


def probe(event: Any, ball: Ball, domain: Any) -> Callable[[Floats], Outcome]:
    """The function that tells at which points (m, d) the ball, cut by the domain, surely and possibly meets the event.

    ``domain`` None is all of R^d. The two answers differ for an event known only ``Between`` others.

    Raises ``TypeError`` for an event without float geometry, ``ValueError`` for a half-space in a domain that is no box
    or after an earlier reach.
    """
    if isinstance(event, Between):
        inner, outer = probe(event.inner, ball, domain), probe(event.outer, ball, domain)
        return lambda x: (inner(x)[0], outer(x)[1])
    if isinstance(event, Boxes):
        meets = _meets_boxes(event if domain is None or ball.leave_domain else event & domain, ball)
    elif isinstance(event, HalfSpace | Strips):
        meets = _meets_strips(event, ball, wall_ends(None if ball.leave_domain else domain, event.dim))
    else:
        raise TypeError(
            f"a region of type {type(event).__name__} has no float geometry; pass a predict function instead"
        )

    def both(x: Floats) -> Outcome:
        flags = meets(x)
        return flags, flags

    return both


def _meets_boxes(event: Boxes, ball: Ball) -> Callable[[Floats], Flags]:
    """Whether the distance to the nearest box is at most eps."""
    eps = float(ball.radius)
    if eps == 0:
        return lambda x: contains(event, x)
    cells = list(event.cells())
    low = np.array([[-np.inf if lo is None else float(lo) for lo, _ in cell] for cell in cells])
    high = np.array([[np.inf if hi is None else float(hi) for _, hi in cell] for cell in cells])

    def meets(x: Floats) -> Flags:
        found = np.zeros(len(x), dtype=bool)
        rows = max(1, CHUNK // max(1, low.size)) if cells else len(x) + 1
        for start in range(0, len(x) if cells else 0, rows):
            part = x[start : start + rows, None, :]
            gaps = np.maximum(np.maximum(low - part, part - high), 0)
            if ball.ord == math.inf:
                near = gaps.max(axis=2) <= eps
            else:
                near = gaps.sum(axis=2) <= eps if ball.ord == 1 else (gaps * gaps).sum(axis=2) <= eps * eps
            found[start : start + rows] = near.any(axis=1)
        return found

    return meets


def _meets_strips(event: HalfSpace | Strips, ball: Ball, walls: Floats) -> Callable[[Floats], Flags]:
    """Whether the ball meets both sides of a strip; it is convex, so then it meets what lies between."""
    pieces = event.pieces() if isinstance(event, Strips) else [(event, None)]
    sides = [[half for half in (outer, inner and ~inner) if half is not None] for outer, inner in pieces]
    if any(half.domain is not None for halves in sides for half in halves):
        raise ValueError("a half-space reached within a domain has lost its geometry there; probe the original event")

    def touches(half: HalfSpace, x: Floats) -> Flags:
        best = half.values(x) + largest_gain(np.array(half.weights, dtype=float), x, ball, walls)
        return np.asarray(best >= 0 if half.closed else best > 0)

    def meets(x: Floats) -> Flags:
        found = np.zeros(len(x), dtype=bool)
        for halves in sides:
            found |= np.logical_and.reduce([touches(half, x) for half in halves])
        return found

    return meets


def largest_gain(w: Floats, x: Floats, ball: Ball, walls: Floats) -> Floats:
    """max w.(z - x) over all z in the ball around x and between the walls (2, d), for each of the points (m, d).

    >>> walls = np.array([[0.0, 0.0], [1.0, 1.0]])
    >>> x = np.array([[0.5, 0.5], [0.5, 1.0]])
    >>> largest_gain(np.array([3.0, 4.0]), x, Ball("1/10", 2), walls).round(12).tolist()
    [0.5, 0.3]
    """
    eps, size = float(ball.radius), np.abs(w)
    room = np.where(w > 0, walls[1] - x, x - walls[0])
    if ball.ord == math.inf:
        return np.asarray(np.minimum(room, eps) @ size)
    gain = np.zeros(len(x))
    if ball.ord == 1:  # the steepest axis first, as far as there is room
        left = np.full(len(x), eps)
        for axis in np.argsort(-size):
            step = np.minimum(left, room[:, axis])
            gain, left = gain + size[axis] * step, left - step
        return gain
    # along w, and where an axis hits its wall, on along the others: at most one round an axis
    free, step = np.broadcast_to(size > 0, room.shape), np.zeros(room.shape)
    for _ in w:
        rest = np.maximum(eps * eps - (np.where(free, 0, step) ** 2).sum(axis=1, keepdims=True), 0)
        slope = free * size / np.maximum((free * size).max(axis=1, keepdims=True), np.finfo(float).tiny)
        norm = np.sqrt((slope**2).sum(axis=1, keepdims=True))
        step = np.where(free, np.sqrt(rest) * slope / np.where(norm > 0, norm, 1), step)
        free = free & (step < room)
        step = np.minimum(step, room)
    return np.asarray(step @ size)


def wall_ends(domain: Any, dim: int) -> Floats:
    """The ends (2, d) of a domain that is one box, infinite where there is none."""
    sides = ((None, None),) * dim if domain is None else walls_of(domain) or ((None, None),) * dim
    low = [-np.inf if lo is None else float(lo) for lo, _ in sides]
    return np.array([low, [np.inf if hi is None else float(hi) for _, hi in sides]])

"""Planar regions with straight sides and rational corners: events closed under and, or, minus, not and dilation.

Dilation by a square runs axis by axis, as for ``Boxes``. Along a segment [-d, d] every side of the region moves by d or
-d, to where its outside is, and segments in the direction of d close the gaps; at any point the winding number of what
results is the number of stretches of the region along d that reach it. So a dilation has hardly more sides than the
region, and the union needs no pairs of polygons.

>>> from theory.density import StepDensity
>>> unit = (Fraction(0), Fraction(1))
>>> corner = Polygons.of([[(0, 0), ("1/2", 0), (0, "1/2")]], [unit, unit])
>>> square = StepDensity.of_boxes([((unit, unit), 1)])
>>> [event.integral(square) for event in (corner, ~corner, corner & Boxes([((0, 1), (0, "1/4"))]))]
[Fraction(1, 8), Fraction(7, 8), Fraction(3, 32)]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.between import Between
from theory.boxes import Boxes
from theory.numbers import as_fraction
from theory.relu.lines import Line, Piece, Point, loop, merged, piece, point, reduced, value
from theory.relu.overlay import overlay
from theory.relu.rounds import round_ways

if TYPE_CHECKING:
    from theory.ball import Ball
    from theory.density import StepDensity

Span = tuple[Fraction, Fraction]
Window = tuple[Span, Span]


@dataclass(frozen=True, slots=True, repr=False)
class Polygons:
    """The part of a planar event that lies in ``window``, a box; beyond it nothing is said. Up to null sets.

    ``boundary`` holds the sides as signed pieces of lines (``theory.relu.lines``), as few as there are, in order, so
    equal events compare equal. A complement is the rest of the window, and a mass asks for a law that lives in it.
    """

    boundary: tuple[Piece, ...]
    window: Window

    @classmethod
    def of(cls, polygons: Iterable[Sequence[tuple[Any, Any]]], window: Sequence[Sequence[Any]]) -> Polygons:
        """The union of simple polygons, each a list of corners (x, y) in either direction, cut by the window."""
        box = window_of(window)
        pieces: list[Piece] = []
        for polygon in polygons:
            corners = [tuple(as_fraction(x, "coordinate") for x in corner) for corner in polygon]
            if len(corners) < 3 or any(len(corner) != 2 for corner in corners):
                raise ValueError(f"{polygon!r} is no polygon in the plane; allowed are three corners (x, y) or more")
            pairs = zip(corners, corners[1:] + corners[:1], strict=True)
            twice = sum(((p[0] * q[1] - q[0] * p[1]) for p, q in pairs), Fraction(0))
            pieces += loop([point(x, y) for x, y in corners], 1 if twice > 0 else -1)
        return cls._within(pieces, box)

    @classmethod
    def of_boxes(cls, boxes: Boxes, window: Window) -> Polygons:
        """The part of a union of boxes that lies in the window."""
        if boxes.dim != 2:
            raise ValueError(f"boxes of dimension {boxes.dim} do not mix with polygons; allowed is the plane")
        pieces: list[Piece] = []
        for (x0, x1), (y0, y1) in (boxes & Boxes([window])).cells():
            if not all(isinstance(x, Fraction) for x in (x0, x1, y0, y1)):
                raise ValueError("boxes that depend on eps do not mix with polygons; ask for single values of eps")
            pieces += _frame(((x0, x1), (y0, y1)))  # type: ignore[arg-type]
        return cls(tuple(merged(pieces)), window)

    @classmethod
    def _within(cls, pieces: list[Piece], window: Window) -> Polygons:
        """{winding number > 0} in the window."""
        above = 1 + sum(abs(weight) for *_, weight in pieces)
        return cls(overlay([*pieces, *_frame(window, above)], lambda number: number > above), window)

    # -- algebra ------------------------------------------------------------------------------------------------------

    def __and__(self, other: Any) -> Any:
        return self._combine(other, lambda number: number == 3)

    def __or__(self, other: Any) -> Any:
        return self._combine(other, lambda number: number > 0)

    def __sub__(self, other: Any) -> Any:
        return self._combine(other, lambda number: number == 1)

    def __rsub__(self, other: Any) -> Any:
        return self._combine(other, lambda number: number == 2)

    __rand__ = __and__
    __ror__ = __or__

    def __invert__(self) -> Polygons:
        negated = [(line, p, q, -weight) for line, p, q, weight in self.boundary]
        return Polygons(tuple(merged([*negated, *_frame(self.window)])), self.window)

    def __le__(self, other: Any) -> bool:
        """Inclusion, up to null sets, where both are known."""
        return bool((self - other).is_empty)

    def _combine(self, other: Any, verb: Callable[[int], bool]) -> Any:
        if isinstance(other, Boxes):
            other = Polygons.of_boxes(other, self.window)
        if not isinstance(other, Polygons):
            return NotImplemented
        common = _common(self.window, other.window)
        ours, theirs = self.within(common).boundary, other.within(common).boundary
        twice = [(line, p, q, 2 * weight) for line, p, q, weight in theirs]
        return Polygons(overlay([*ours, *twice], verb), common)

    def within(self, window: Window) -> Polygons:
        """The event in a smaller window. Raises ``ValueError`` for a window in which it is not known."""
        if window == self.window:
            return self
        if _common(self.window, window) != window:
            raise ValueError(f"the event is known on {_show(self.window)} only, which does not hold {_show(window)}")
        return self._within(list(self.boundary), window)

    @property
    def is_empty(self) -> bool:
        return not self.boundary

    # -- geometry -----------------------------------------------------------------------------------------------------

    def reached(self, ball: Ball, domain: Any) -> Polygons | Between:
        """The points from which the ball, cut by the domain, meets the event.

        Under ord inf and 1 exact; under ord 2 ``Between`` the reaches of polygons of 2 ``ball.steps`` sides. It is
        known where the whole ball, cut by the domain, lies in the window. Raises ``ValueError`` for radii that are
        germs, and where nothing at all is known.
        """
        radius = ball.radius
        if not isinstance(radius, Fraction):
            raise ValueError("a region of polygons has no exact curve; ask for single values of eps")
        if not isinstance(domain, Boxes):
            raise ValueError(f"polygons are reached within boxes, not within {type(domain).__name__}")
        start = self if ball.leave_domain or Boxes([self.window]) <= domain else self & domain
        if radius == 0:
            return start
        walls = None if ball.leave_domain else hull_of(domain)
        known = []
        for (lo, hi), wall in zip(self.window, walls or [(None, None)] * 2, strict=True):
            low = lo if wall[0] is not None and lo <= wall[0] else lo + radius
            high = hi if wall[1] is not None and hi >= wall[1] else hi - radius
            if not low < high:
                raise ValueError(f"within {radius} nothing of {_show(self.window)} is known; take a larger window")
            known.append((low, high))
        window = (known[0], known[1])
        if ball.ord == 2:
            inner, outer = round_ways(max(2, ball.steps))
            least, most = (start._dilated(ways, radius, window) for ways in (inner, outer))
            return Between(least, most)  # type: ignore[arg-type]
        one, half, none = Fraction(1), Fraction(1, 2), Fraction(0)
        ways = [(half, half), (half, -half)] if ball.ord == 1 else [(one, none), (none, one)]
        return start._dilated(ways, radius, window)

    def _dilated(self, ways: list[tuple[Fraction, Fraction]], radius: Fraction, window: Window) -> Polygons:
        """The sum with the segments [-radius d, radius d], cut by a window."""
        boundary = self.boundary
        for dx, dy in ways[:-1]:
            boundary = overlay(swept(boundary, radius * dx, radius * dy), lambda number: number > 0)
        dx, dy = ways[-1]
        return self._within(swept(boundary, radius * dx, radius * dy), window)

    def integral(self, density: StepDensity) -> Any:
        """The integral of a piecewise constant density over the event, exactly.

        Raises ``ValueError`` where the density is positive outside the window, or not on the plane.
        """
        from theory.relu.masses import mass

        if density.dim != 2:
            raise ValueError(f"a density of dimension {density.dim} does not fit a planar event; allowed is 2")
        if not density.support <= Boxes([self.window]):
            raise ValueError(f"the event is known on {_show(self.window)} only, but the law has mass beyond it")
        return mass(self.boundary, density)

    def contains(self, place: Sequence[Any]) -> bool:
        """Whether a point lies inside; floats are the dyadic numbers they hold.

        A side is a null set: its points count as those just above them, on a slanted side just to the west.
        """
        x, y = (as_fraction(float(c) if hasattr(c, "dtype") else c, "coordinate", exact_float=True) for c in place)
        here, number = point(x, y), 0
        for line, p, q, weight in self.boundary:
            rises = line[0] < 0
            low, high = (p, q) if rises else (q, p)
            if line[0] and low[1] * here[2] <= here[1] * low[2] and here[1] * high[2] < high[1] * here[2]:
                side = value(line, here)
                number += -weight if rises and side < 0 else weight if not rises and side > 0 else 0
        return number > 0

    def __repr__(self) -> str:
        return f"Polygons({len(self.boundary)} sides in {_show(self.window)})"


def swept(pieces: Iterable[Piece], dx: Fraction, dy: Fraction) -> list[Piece]:
    """Sides whose winding number counts, at x, the stretches of the region along d = (dx, dy) that x - [-d, d] meets.

    A side moves by d if d points to its outside, by -d if -d does; each of its ends stays tied to where it was.
    """
    scale = math.lcm(dx.denominator, dy.denominator)
    ways = {sign: (int(sign * dx * scale), int(sign * dy * scale), scale) for sign in (1, -1)}
    made: list[Piece] = []
    for line, p, q, weight in pieces:
        turn = (line[1] * ways[1][1] + line[0] * ways[1][0]) * weight  # of d against the side, its inside on the left
        if turn == 0:
            made.append((line, p, q, weight))
            continue
        way = ways[-1 if turn > 0 else 1]
        start, stop = _moved(p, way), _moved(q, way)
        a, b, c = line
        made.append((reduced((a * scale, b * scale, c * scale - a * way[0] - b * way[1])), start, stop, weight))
        made.append(piece(_in_direction(p, way), p, start, weight))
        made.append(piece(_in_direction(q, way), q, stop, -weight))
    return made


def _moved(p: Point, way: tuple[int, int, int]) -> Point:
    return reduced((p[0] * way[2] + way[0] * p[2], p[1] * way[2] + way[1] * p[2], p[2] * way[2]))


def _in_direction(p: Point, way: tuple[int, int, int]) -> Line:
    """The line through p in the direction of (dx, dy)."""
    return reduced((-way[1] * p[2], way[0] * p[2], way[1] * p[0] - way[0] * p[1]))


def _frame(window: Window, weight: int = 1) -> list[Piece]:
    (x0, x1), (y0, y1) = window
    return loop([point(x0, y0), point(x1, y0), point(x1, y1), point(x0, y1)], weight)


def window_of(box: Any) -> Window:
    """A bounded planar box as a window. Raises ``ValueError`` for anything else."""
    if isinstance(box, Boxes):
        cells = list(box.cells())
        if len(cells) != 1:
            raise ValueError(f"a domain of {len(cells)} boxes is not one box; give a box around it")
        box = cells[0]
    sides = tuple((None if lo is None else as_fraction(lo, "side"), None if hi is None else as_fraction(hi, "side"))
                  for lo, hi in box)  # fmt: skip
    if len(sides) != 2:
        raise ValueError(f"a domain of dimension {len(sides)} is not planar; regions of polygons have dimension 2")
    if any(lo is None or hi is None or not lo < hi for lo, hi in sides):
        raise ValueError(f"{box!r} is no bounded box; give the sides (low, high) of one, low below high")
    return sides  # type: ignore[return-value]


def hull_of(boxes: Boxes) -> list[tuple[Any, Any]]:
    """The sides of the smallest box around a non-empty set, None where it is unbounded."""
    cells = list(boxes.cells())
    sides = []
    for axis in range(boxes.dim):
        lows: list[Any] = [cell[axis][0] for cell in cells]
        highs: list[Any] = [cell[axis][1] for cell in cells]
        sides.append((None if None in lows else min(lows), None if None in highs else max(highs)))
    return sides


def _common(a: Window, b: Window) -> Window:
    sides = [(max(s[0], t[0]), min(s[1], t[1])) for s, t in zip(a, b, strict=True)]
    if any(lo >= hi for lo, hi in sides):
        raise ValueError(f"the events are known on {_show(a)} and {_show(b)}, which have nothing in common")
    return sides[0], sides[1]


def _show(window: Window) -> str:
    return "x".join(f"({lo}, {hi})" for lo, hi in window)

"""Convex tiles of the plane, cut by lines.

A tile lists its corners counter-clockwise, each with the line to the next one, which has the tile on its left.
"""

from __future__ import annotations

from theory.relu.lines import Line, Piece, Point, cross, meet, piece, reduced, value

Tile = list[tuple[Point, Line]]


def tile_through(corners: list[Point]) -> Tile:
    """The tile with these corners."""
    return [(p, reduced(cross(p, q))) for p, q in zip(corners, corners[1:] + corners[:1], strict=True)]


def sides_of(tile: Tile) -> list[Piece]:
    """The sides as pieces of a boundary, the tile inside."""
    return [piece(line, p, q) for (p, line), (q, _) in zip(tile, tile[1:] + tile[:1], strict=True)]


def cut(tile: Tile, line: Line) -> tuple[Tile, Tile]:
    """The parts of a convex tile on the right and on the left of a line that crosses it.

    >>> square = [((0, 0, 1), (0, 1, 0)), ((1, 0, 1), (-1, 0, 1)), ((1, 1, 1), (0, -1, 1)), ((0, 1, 1), (1, 0, 0))]
    >>> [[p for p, _ in half] for half in cut(square, (2, 0, -1))]
    [[(0, 0, 1), (1, 0, 2), (1, 2, 2), (0, 1, 1)], [(1, 0, 2), (1, 0, 1), (1, 1, 1), (1, 2, 2)]]
    """
    values = [value(line, p) for p, _ in tile]
    a, b, c = line
    return _left(tile, [-v for v in values], (-a, -b, -c)), _left(tile, values, line)


def _left(tile: Tile, values: list[int], line: Line) -> Tile:
    half: Tile = []
    for (p, side), here, there in zip(tile, values, values[1:] + values[:1], strict=True):
        if here >= 0:
            half.append((p, line if here == 0 and there < 0 else side))
        if (here > 0 > there) or (here < 0 < there):
            half.append((meet(line, side), line if here > 0 else side))
    return half

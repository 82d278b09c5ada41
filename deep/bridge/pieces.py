"""The linear pieces of a planar ReLU network: convex tiles of a box, on each of which the score is a linear function.

A tile is cut by every neuron's zero line in turn, layer by layer, in whole numbers throughout.

>>> from fractions import Fraction
>>> tent = ReluNetwork([([[1.0, 0.0], [-1.0, 0.0]], [0.0, 0.0]), ([[1.0, 1.0]], [-0.5])])  # |x| - 1/2
>>> unit = (Fraction(-1), Fraction(1)), (Fraction(0), Fraction(1))
>>> [(row, shift) for _, row, shift in linear_pieces(tent, unit)]
[((2, 0, -1), 1), ((-2, 0, -1), 1)]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from theory.relu.lines import Line, point, reduced, value
from theory.relu.network import ReluNetwork, integer_layers
from theory.relu.regions import TooManyTilesError
from theory.relu.tiles import Tile, cut, tile_through

if TYPE_CHECKING:
    from collections.abc import Iterator

    from theory.relu.polygons import Window

MAX_TILES = 20_000


def linear_pieces(
    network: ReluNetwork, window: Window, max_tiles: int = MAX_TILES
) -> Iterator[tuple[Tile, Line, int]]:
    """Tiles of the window with (a, b, c) and s such that the score is (a x + b y + c) / 2^s on the tile.

    Raises ``TooManyTilesError``, a ``ValueError``, beyond ``max_tiles``, ``ValueError`` but for two inputs.
    """
    from flint import fmpz_mat

    if network.dim != 2:
        raise ValueError(f"the network has {network.dim} inputs; linear pieces need 2")
    (x0, x1), (y0, y1) = window
    corners = [point(x0, y0), point(x1, y0), point(x1, y1), point(x0, y1)]
    layers = [
        (fmpz_mat([row[:-1] for row in rows]), [row[-1] for row in rows], shift)
        for rows, shift in integer_layers(network)
    ]
    # the layer to come, the tile, and the inputs of that layer as linear functions times 2^scale
    stack: list[tuple[int, Tile, Any, int]] = [(0, tile_through(corners), fmpz_mat([[1, 0, 0], [0, 1, 0]]), 0)]
    count = 0
    while stack:
        k, tile, inputs, scale = stack.pop()
        weight, bias, shift = layers[k]
        product = weight * inputs
        rows = [
            (int(product[i, 0]), int(product[i, 1]), int(product[i, 2]) + (b << scale)) for i, b in enumerate(bias)
        ]
        scale += shift
        if k == len(layers) - 1:
            yield tile, rows[0], scale
            continue
        tiles = [(tile, [False] * len(rows))]
        for i, row in enumerate(rows):
            tiles = [part for one in tiles for part in _divided(one, i, row)]
            if count + len(tiles) > max_tiles:
                raise TooManyTilesError(f"the network has more than {max_tiles} linear pieces; bound it cell by cell")
        count += len(tiles) - 1
        for part, on in tiles:
            kept = fmpz_mat([list(row) if lit else [0, 0, 0] for row, lit in zip(rows, on, strict=True)])
            stack.append((k + 1, part, kept, scale))


def _divided(tile: tuple[Tile, list[bool]], neuron: int, row: Line) -> list[tuple[Tile, list[bool]]]:
    """The parts of a tile on which the neuron is off and on."""
    part, on = tile
    values = [value(row, p) for p, _ in part]
    lit = [*on[:neuron], True, *on[neuron + 1 :]]
    if min(values) >= 0:
        return [(part, lit)]
    if max(values) <= 0:
        return [(part, on)]
    off, above = cut(part, reduced(row))
    return [(off, on), (above, lit)]

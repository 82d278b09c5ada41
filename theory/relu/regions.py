"""The exact decision regions of a planar ReLU network: its linear regions, split where they matter.

A window is cut, neuron by neuron and layer by layer, into convex tiles on which ever more neurons are known to be on or
off. On a tile on which all of them are, the score is linear and its zero line splits the tile. A tile is cut no further
once the sign of the score is the same all over it. Signs are decided by floats with a bound for their error where that
suffices and in whole numbers elsewhere; corners are exact throughout.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from theory.relu.lines import Line, Piece, merged, point, reduced, value
from theory.relu.network import GROW, TINY, ReluNetwork, integer_layers
from theory.relu.polygons import Polygons, Window
from theory.relu.tiles import Tile, cut, sides_of, tile_through

Floats = NDArray[np.float64]


class TooManyTilesError(ValueError):
    """The network has more linear regions near its decision boundary than were allowed."""


@dataclass(frozen=True, slots=True)
class Linear:
    """The inputs of all neurons of a layer as linear functions of (x, y, 1), on tiles where the layers below are fixed.

    ``rows`` (n, 3) are those functions in floats, within ``errors``; ``on`` tells which neurons of each layer below are
    on, ``exact`` remembers rows that were needed in whole numbers.
    """

    layer: int
    rows: Floats
    errors: Floats
    on: tuple[NDArray[np.bool_], ...] = ()
    exact: dict[int, Line] = field(default_factory=dict)


def exact_regions(network: ReluNetwork, window: Window, max_tiles: int | None = None) -> tuple[Polygons, Polygons]:
    """{score < 0} and {score > 0} within the window.

    Raises ``TooManyTilesError``, a ``ValueError``, beyond ``max_tiles`` if given, ``ValueError`` but for two inputs.

    >>> from fractions import Fraction
    >>> diamond = ReluNetwork([([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], [0.0] * 4), ([[-1.0] * 4], [1.0])])
    >>> _, inside = exact_regions(diamond, ((Fraction(-2), Fraction(2)),) * 2)
    >>> inside == Polygons.of([[(1, 0), (0, 1), (-1, 0), (0, -1)]], inside.window)
    True
    """
    if network.dim != 2:
        raise ValueError(f"the network has {network.dim} inputs; exact regions of polygons need 2")
    whole = _Whole(network)
    (x0, x1), (y0, y1) = window
    corners = [point(x0, y0), point(x1, y0), point(x1, y1), point(x0, y1)]
    weight, bias = network.layers[0]
    start = Linear(0, np.column_stack([weight, bias]), np.zeros((len(bias), 3)))
    stack: list[tuple[Tile, Linear, NDArray[np.int8]]] = [
        (tile_through(corners), start, np.zeros(len(bias), dtype=np.int8))
    ]
    sides: dict[int, list[Piece]] = {-1: [], 1: []}
    tiles = 0
    while stack:
        tile, linear, known = stack.pop()
        tiles += 1
        if max_tiles is not None and tiles > max_tiles:
            raise TooManyTilesError(f"more than {max_tiles} tiles are cut; enclose the regions, with exact=False")
        last = linear.layer == len(network.layers) - 1
        known, low, high = _signs(tile, linear, known, whole)
        if not last and (label := _sign_of_score(network, linear.layer, low, high, known, tile, linear)):
            sides[label] += sides_of(tile)
            continue
        if (free := np.flatnonzero(known == 0)).size:
            gain = np.minimum(high[free], -low[free])
            if not last:
                gain = gain * np.abs(network.layers[linear.layer + 1][0][:, free]).sum(axis=0)
            neuron = int(free[np.argmax(np.nan_to_num(gain))])
            for sign, half in zip((-1, 1), cut(tile, whole.row(linear, neuron)), strict=True):
                status = known.copy()
                status[neuron] = sign
                stack.append((half, linear, status))
        elif last:
            if whole.row(linear, 0) != (0, 0, 0):  # a score that is 0 all over the tile belongs to neither
                sides[int(known[0])] += sides_of(tile)
        else:
            following = _next(network, linear, known > 0)
            stack.append((tile, following, np.zeros(len(following.rows), dtype=np.int8)))
    return Polygons(tuple(merged(sides[-1])), window), Polygons(tuple(merged(sides[1])), window)


def _signs(
    tile: Tile, linear: Linear, known: NDArray[np.int8], whole: _Whole
) -> tuple[NDArray[np.int8], Floats, Floats]:
    """The sign of every neuron's input on the tile (0 if it takes both), and a range for each."""
    with np.errstate(all="ignore"):
        inputs, doubt = _inputs(tile, linear)
        low, high = (inputs - doubt).min(axis=1), (inputs + doubt).max(axis=1)
        told = np.isfinite(inputs).all(axis=1) & np.isfinite(low) & np.isfinite(high)
        low, high = np.where(told, low, -np.inf), np.where(told, high, np.inf)
    known = known.copy()
    known[(known == 0) & (low > 0)] = 1
    known[(known == 0) & (high < 0)] = -1
    for neuron in np.flatnonzero(known == 0).tolist():
        row = whole.row(linear, neuron)
        values = [value(row, p) for p, _ in tile]
        if all(v >= 0 for v in values):
            known[neuron] = 1
        elif all(v <= 0 for v in values):
            known[neuron] = -1
    return known, low, high


def _inputs(tile: Tile, linear: Linear) -> tuple[Floats, Floats]:
    """Every neuron's input at every corner, and how far it may be off.

    A sum of three products is off by 2^-53 (|a x| + |b y| + |c|) for each of at most five roundings, that of the corner
    included, which is taken twice (1e-300 covers corners that underflow), and by the errors of a, b and c.
    """
    corners = np.array([(p[0] / p[2], p[1] / p[2], 1.0) for p, _ in tile]).T
    doubt = (linear.errors + 10 * 2.0**-53 * np.abs(linear.rows)) @ (np.abs(corners) + 1e-300)
    return linear.rows @ corners, doubt * GROW + TINY


def _sign_of_score(
    network: ReluNetwork, layer: int, low: Floats, high: Floats, known: NDArray[np.int8], tile: Tile, linear: Linear
) -> int:
    """The sign of the score all over the tile, 0 if ranges of the neurons do not tell.

    From the layer's ranges on by interval arithmetic, sums of n products off by (n + 2) 2^-53 of their sizes. In the
    last hidden layer relu(z) lies between max(z, 0) at the corners and the chord of its range, both linear or convex in
    z, so that the extremes over the tile are found at its corners.
    """
    low, high = np.where(known > 0, np.maximum(low, 0), low), np.where(known < 0, np.minimum(high, 0), high)
    with np.errstate(all="ignore"):
        for k in range(layer + 1, len(network.layers)):
            weight, bias = network.layers[k]
            if k == layer + 1 == len(network.layers) - 1:
                return _last_layer(weight[0], float(bias[0]), low, high, known, tile, linear)
            low, high = np.maximum(low, 0), np.maximum(high, 0)
            plus, minus = np.maximum(weight, 0), np.minimum(weight, 0)
            sizes = np.abs(weight) @ high + np.abs(bias)
            doubt = (2 * (len(low) + 4) * 2.0**-53) * sizes * GROW + TINY
            low, high = plus @ low + minus @ high + bias - doubt, plus @ high + minus @ low + bias + doubt
    return 1 if low[0] > 0 else -1 if high[0] < 0 else 0


def _last_layer(
    weight: Floats, bias: float, low: Floats, high: Floats, known: NDArray[np.int8], tile: Tile, linear: Linear
) -> int:
    """The sign of bias + sum_j w_j relu(z_j) on the tile, 0 if unknown; z_j linear, with the given ranges."""
    inputs, off = _inputs(tile, linear)
    free = (known == 0)[:, None]
    slope = np.where(known == 0, high / (high - low), 0.0)[:, None]
    slope = np.where(slope <= 1, slope * GROW, np.inf)
    straight = np.where(known > 0, 1.0, 0.0)[:, None] * inputs
    chord = np.where(free, slope * (inputs + off - low[:, None]), straight)  # at least relu(z) all over the tile
    # below relu(z) lies the line z if it is mostly on, else 0
    line = np.where(free, np.where((high > -low)[:, None], inputs - off, 0.0), straight)
    error = np.where(free, 0.0, np.where((known > 0)[:, None], off, 0.0))
    w = weight[:, None]
    upper = np.where(w > 0, w * chord, w * line) + np.abs(w) * error
    lower = np.where(w > 0, w * line, w * chord) - np.abs(w) * error
    terms = np.abs(w) * (np.abs(chord) + np.abs(line) + error + np.where(free, np.maximum(high, -low)[:, None], 0.0))
    doubt = (2 * (len(weight) + 8) * 2.0**-53) * (terms.sum(axis=0) + abs(bias)) * GROW + TINY
    least, most = (lower.sum(axis=0) + bias - doubt).min(), (upper.sum(axis=0) + bias + doubt).max()
    return 1 if least > 0 else -1 if most < 0 else 0


def _next(network: ReluNetwork, linear: Linear, on: NDArray[np.bool_]) -> Linear:
    """The inputs of the next layer where exactly the neurons ``on`` are on.

    Sums of n products and a bias are off by (n + 2) 2^-53 of their sizes, taken twice, and by the errors of the rows.
    """
    weight, bias = network.layers[linear.layer + 1]
    with np.errstate(all="ignore"):
        chosen = weight[:, on]
        rows = chosen @ linear.rows[on]
        rows[:, 2] += bias
        sizes = np.abs(chosen) @ np.abs(linear.rows[on])
        sizes[:, 2] += np.abs(bias)
        unit = 2 * (chosen.shape[1] + 4) * 2.0**-53
        errors = (np.abs(chosen) @ linear.errors[on] + unit * sizes) * GROW + TINY
    return Linear(linear.layer + 1, rows, errors, (*linear.on, on))


class _Whole:
    """The layers as matrices of whole numbers, to give any neuron's input on a tile exactly."""

    def __init__(self, network: ReluNetwork) -> None:
        from flint import fmpz_mat

        self.layers = integer_layers(network)
        self.matrices = [fmpz_mat(rows) for rows, _ in self.layers]
        self.shifts = [0]
        for _, shift in self.layers:
            self.shifts.append(self.shifts[-1] + shift)

    def row(self, linear: Linear, neuron: int) -> Line:
        """The neuron's input as (a, b, c), a x + b y + c up to a positive factor."""
        if neuron not in linear.exact:
            linear.exact[neuron] = reduced(self._row(linear, neuron))
        return linear.exact[neuron]

    def _row(self, linear: Linear, neuron: int) -> tuple[int, int, int]:
        from flint import fmpz_mat

        # through the layers downwards: a sum of the inputs of the layer below, times 2^(all shifts so far), + constant
        *weights, bias = self.layers[linear.layer][0][neuron]
        constant = bias << self.shifts[linear.layer]
        for k in range(linear.layer - 1, -1, -1):
            masked = [w if on else 0 for w, on in zip(weights, linear.on[k].tolist(), strict=True)]
            product = [int(x) for x in (fmpz_mat([masked]) * self.matrices[k]).entries()]
            *weights, bias = product
            constant += bias << self.shifts[k]
        a, b = weights
        return a, b, constant

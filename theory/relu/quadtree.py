"""Decision regions of a ReLU network of any size, enclosed: a quadtree that refines where the sign is undecided.

On a cell with centre m and half-sides r the input of every neuron is kept as

    c + g_1 s_1 + g_2 s_2 + [-e, e],    s_i = (x_i - m_i) / r_i in [-1, 1],

its value at the centre, its slope and the rest: a mean-value form. A neuron that is on or off on the whole cell passes
it on without loss; one that is both is put between two parallel lines (its chord, and that chord moved down to 0). So
the rest is of second order in the side of the cell, and 0 but for rounding where all neurons keep to one side. All of
it runs in float64; e also takes up a bound for the rounding of everything else, derived at each step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from theory.between import Between
from theory.boxes import Boxes
from theory.relu.lines import Line, Piece, merged, point, reduced, value
from theory.relu.network import GROW, TINY, ReluNetwork
from theory.relu.polygons import Polygons, Window
from theory.relu.tiles import Tile, cut, sides_of, tile_through

Floats = NDArray[np.float64]
UNIT = 2.0**-53
MAX_DEPTH = 12  # a grid of 4096 x 4096 cells
NUMBERS_AT_ONCE = 1 << 20

POSITIVE, NEGATIVE, ZERO, UNDECIDED = 1, -1, 0, 2


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """c + g_1 s_1 + g_2 s_2 + [-e, e] for N cells: arrays (N, neurons), or (N,) for the score."""

    c: Floats
    g1: Floats
    g2: Floats
    e: Floats

    def at(self, where: NDArray[np.bool_]) -> Form:
        return Form(self.c[where], self.g1[where], self.g2[where], self.e[where])

    def range(self) -> tuple[Floats, Floats]:
        """Ends of c +- (|g_1| + |g_2| + e); four sums, each off by 2^-53 of what is summed at most, taken twice."""
        with np.errstate(all="ignore"):
            spread = np.abs(self.g1) + np.abs(self.g2) + self.e
            spread = (spread + 8 * UNIT * (spread + np.abs(self.c))) * GROW + TINY
            return self.c - spread, self.c + spread


@dataclass(frozen=True, slots=True, eq=False)
class Leaves:
    """Undecided cells: ``places`` (N, 2) on the grid of 2^``levels`` (N,) cells an axis, and the ``score`` on each.

    ``middle`` (N, 2) and ``half`` (N, 2) are the centres and half-sides to which the forms refer.
    """

    places: NDArray[np.int64]
    levels: NDArray[np.int64]
    score: Form
    middle: Floats
    half: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Quadtree:
    """What is known of the sign of the score on the 2^depth x 2^depth cells of a window.

    ``labels`` (2^depth, 2^depth) holds 1, -1, 0 where the score is 0 on the whole cell, and 2 where it is undecided;
    ``leaves`` are the undecided cells, which may be larger. ``looked`` counts the cells that were bounded.
    """

    window: Window
    depth: int
    labels: NDArray[np.int8]
    leaves: Leaves
    looked: int

    @property
    def undecided(self) -> float:
        """The undecided share of the window's area."""
        return float((self.labels == UNDECIDED).mean())

    def _where(self, *labels: int) -> Boxes:
        mask = np.zeros(tuple(n + 2 for n in self.labels.shape), dtype=bool)
        for label in labels:
            mask[1:-1, 1:-1] |= self.labels == label
        n = 2**self.depth
        edges = [tuple(lo + (hi - lo) * Fraction(k, n) for k in range(n + 1)) for lo, hi in self.window]
        return Boxes.on_grid((edges[0], edges[1]), mask)

    def boxes(self) -> tuple[Between, Between]:
        """{score < 0} and {score > 0} between unions of cells; outside the window nothing is known of them."""
        beyond = ~Boxes([self.window])
        inner = {label: self._where(label) for label in (NEGATIVE, POSITIVE)}
        outer = {label: self._where(label, UNDECIDED) | beyond for label in (NEGATIVE, POSITIVE)}
        return Between(inner[NEGATIVE], outer[NEGATIVE]), Between(inner[POSITIVE], outer[POSITIVE])

    def polygons(self) -> tuple[Between, Between]:
        """The same between polygons: undecided cells are split by the linear bounds of the score, c - e and c + e."""
        positive = Polygons.of_boxes(self._where(POSITIVE), self.window).boundary
        surely, possibly = self._above(-1, positive), self._above(1, positive)
        regions = [(~possibly, ~surely), (surely, possibly)]
        if (self.labels == ZERO).any():
            zero = Polygons.of_boxes(self._where(ZERO), self.window)
            regions = [(inner - zero, outer - zero) for inner, outer in regions]
        return Between(*regions[0]), Between(*regions[1])  # type: ignore[arg-type]

    def _above(self, sign: int, positive: tuple[Piece, ...]) -> Polygons:
        """Where c + sign e, a linear bound of the score, is positive: beside the decided cells parts of the leaves."""
        pieces = list(positive)
        form, leaves = self.leaves.score, self.leaves
        numbers = np.column_stack([form.c, form.g1, form.g2, form.e, leaves.middle, leaves.half]).tolist()
        for row, place, level in zip(numbers, leaves.places.tolist(), leaves.levels.tolist(), strict=True):
            tile = _tile(self.window, place, level)
            bound = _bound(row, sign)
            values = [value(bound, p) for p, _ in tile]
            if max(values) <= 0:
                continue
            pieces += sides_of(cut(tile, bound)[1] if min(values) < 0 else tile)
        return Polygons(tuple(merged(pieces)), self.window)


def _bound(row: list[float], sign: int) -> Line:
    """c + g_1 s_1 + g_2 s_2 + sign e as a line in x; where it is not finite, the score has no bound but its sign's."""
    if not np.isfinite(row).all():
        return 0, 0, sign
    c, g1, g2, e, m1, m2, h1, h2 = map(Fraction, row)
    a, b = g1 / h1, g2 / h2
    return _line(a, b, c + sign * e - a * m1 - b * m2)


def _line(a: Fraction, b: Fraction, c: Fraction) -> Line:
    scale = math.lcm(a.denominator, b.denominator, c.denominator)
    return reduced((int(a * scale), int(b * scale), int(c * scale)))


def _tile(window: Window, place: list[int], level: int) -> Tile:
    """The corners of a cell, each with the line to the next."""
    (x0, x1), (y0, y1) = (
        (lo + (hi - lo) * k / 2**level, lo + (hi - lo) * (k + 1) / 2**level)
        for (lo, hi), k in zip(window, place, strict=True)
    )
    return tile_through([point(x0, y0), point(x1, y0), point(x1, y1), point(x0, y1)])


def refine(
    network: ReluNetwork,
    window: Window,
    *,
    depth: int = MAX_DEPTH,
    max_cells: int = 10**6,
    share: float = 0.0,
) -> Quadtree:
    """Splits cells until the sign of the score is decided, down to ``depth`` and while fewer than ``max_cells`` do.

    With a ``share``, cells are left undecided on which the linear bounds of the score leave little between them: about
    that share of the window in all, if its decision boundary is as long as a few of its sides.

    >>> tent = ReluNetwork([([[1.0, 0.0], [-1.0, 0.0]], [0.0, 0.0]), ([[1.0, 1.0]], [-0.3])])  # |x| - 0.3
    >>> tree = refine(tent, ((Fraction(-1), Fraction(1)), (Fraction(0), Fraction(1))), depth=8)
    >>> tree.depth, tree.looked, tree.undecided
    (8, 2037, 0.0078125)
    """
    if network.dim != 2:
        raise ValueError(f"the network has {network.dim} inputs; a quadtree needs 2")
    if not 0 <= depth <= MAX_DEPTH:
        raise ValueError(f"depth {depth} is not allowed; a quadtree has depth 0 to {MAX_DEPTH}")
    labels = np.full((1, 1), UNDECIDED, dtype=np.int8)
    places = np.zeros((1, 2), dtype=np.int64)
    left: list[Leaves] = []
    looked, level = 0, 0
    while True:
        middle, half = _cells(window, places, level)
        form, found = _signs(network, middle, half)
        labels[places[:, 0], places[:, 1]] = found
        looked += len(places)
        open_ = found == UNDECIDED
        with np.errstate(all="ignore"):
            band = form.e / np.maximum(np.abs(form.g1), np.abs(form.g2))
        wide = open_ & ~(band * 8 <= share * 2**level)
        last = level == depth or not wide.any() or looked + 4 * int(wide.sum()) > max_cells
        keep = open_ if last else open_ & ~wide
        count = int(keep.sum())
        left.append(Leaves(places[keep], np.full(count, level), form.at(keep), middle[keep], np.tile(half, (count, 1))))
        if last:
            return Quadtree(window, level, labels, _joined(left), looked)
        places = (2 * places[wide, None, :] + np.array([[0, 0], [0, 1], [1, 0], [1, 1]])).reshape(-1, 2)
        labels = labels.repeat(2, axis=0).repeat(2, axis=1)
        level += 1


def _joined(some: list[Leaves]) -> Leaves:
    score = Form(*(np.concatenate([getattr(leaves.score, x) for leaves in some]) for x in ("c", "g1", "g2", "e")))
    places, levels = (np.concatenate([getattr(leaves, x) for leaves in some]) for x in ("places", "levels"))
    middle, half = (np.concatenate([getattr(leaves, x) for leaves in some]) for x in ("middle", "half"))
    return Leaves(places, levels, score, middle, half)


def score_range(network: ReluNetwork, middle: Floats, half: Floats) -> tuple[Floats, Floats]:
    """Lower and upper bounds (N,) of the score on N cells of centres (N, 2) and half-sides (2,), rounding included.

    >>> tent = ReluNetwork([([[1.0, 0.0], [-1.0, 0.0]], [0.0, 0.0]), ([[1.0, 1.0]], [-0.5])])  # |x| - 1/2
    >>> [f"{ends[0]:.6f}" for ends in score_range(tent, np.array([[0.875, 0.0]]), np.array([0.125, 1.0]))]
    ['0.250000', '0.500000']
    """
    ranges = [_score(network, part, half)[0].range() for part in _in_blocks(middle, network)]
    low, high = (np.concatenate(ends) for ends in zip(*ranges, strict=True))
    return np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)


def _signs(network: ReluNetwork, middle: Floats, half: Floats) -> tuple[Form, NDArray[np.int8]]:
    """The form of the score on each cell and the sign it proves."""
    parts = [_score(network, part, half) for part in _in_blocks(middle, network)]
    form = Form(*(np.concatenate([getattr(part, x) for part, _ in parts]) for x in ("c", "g1", "g2", "e")))
    low, high = form.range()
    found = np.full(len(middle), UNDECIDED, dtype=np.int8)
    found[low > 0], found[high < 0] = POSITIVE, NEGATIVE
    found[np.concatenate([dead for _, dead in parts])] = ZERO
    return form, found


def _in_blocks(middle: Floats, network: ReluNetwork) -> list[Floats]:
    rows = max(1, NUMBERS_AT_ONCE // max(network.widths))
    return [middle[k : k + rows] for k in range(0, len(middle), rows)]


def _cells(window: Window, places: NDArray[np.int64], level: int) -> tuple[Floats, Floats]:
    """Centres (N, 2) and half-sides (2,) such that the cells lie within them.

    With M the largest coordinate the ends of the window are off by 2^-53 M, the centre by less than 16 2^-53 M in all
    (the factor (i + 1/2) / 2^level is exact), which the half-sides take up, twice.
    """
    ends = np.array([[float(lo), float(hi)] for lo, hi in window])
    off = 32 * UNIT * np.abs(ends).max(axis=1)
    sides = ends[:, 1] - ends[:, 0]
    middle = ends[:, 0] + sides * ((places + 0.5) / 2**level)
    return middle, (sides / 2 ** (level + 1) + off) * GROW


def _score(network: ReluNetwork, middle: Floats, half: Floats) -> tuple[Form, NDArray[np.bool_]]:
    """The form of the score on each cell, and whether it is 0 all over it because every neuron it counts is off."""
    zero = np.zeros_like(middle)
    form = Form(middle, zero + np.array([half[0], 0]), zero + np.array([0, half[1]]), zero)
    active = np.ones(middle.shape, dtype=bool)
    with np.errstate(all="ignore"):
        for k, (weight, bias) in enumerate(network.layers):
            form = _affine(form, weight, bias)
            if k + 1 < len(network.layers):
                form, active = _relu(form)
    weight, bias = network.layers[-1]
    dead = ~(active & (weight[0] != 0)).any(axis=1) & (bias[0] == 0)
    return Form(form.c[:, 0], form.g1[:, 0], form.g2[:, 0], form.e[:, 0]), dead


def _affine(form: Form, weight: Floats, bias: Floats) -> Form:
    """W z + b. Sums of n products and a bias are off by (n + 2) 2^-53 of their sizes, in any order; taken twice."""
    unit = 2 * (weight.shape[1] + 4) * UNIT
    sizes = np.abs(form.c) + np.abs(form.g1) + np.abs(form.g2) + form.e
    e = ((form.e + unit * sizes) @ np.abs(weight).T + unit * np.abs(bias)) * GROW + TINY
    return Form(form.c @ weight.T + bias, form.g1 @ weight.T, form.g2 @ weight.T, e)


def _relu(form: Form) -> tuple[Form, NDArray[np.bool_]]:
    """max(z, 0), and where it is not 0 all over the cell.

    For z in [low, high] around 0 and any slope t in [0, 1], max(z, 0) - t z is convex with minimum 0 at z = 0, so it
    lies between 0 and d = max(-t low, (1 - t) high). The chord's slope, up to rounding, makes both equal.
    """
    low, high = form.range()
    on, off = low >= 0, high <= 0
    t = np.where(on, 1.0, np.where(off, 0.0, np.clip(high / (high - low), 0, 1)))
    d = np.where(on | off, 0.0, np.maximum(-t * low, (1 - t) * high) * GROW)
    c, g1, g2 = t * form.c, t * form.g1, t * form.g2
    sizes = np.abs(c) + np.abs(g1) + np.abs(g2) + t * form.e + d
    e = np.where(on | off, t * form.e, (t * form.e + d / 2 + 8 * UNIT * sizes) * GROW + TINY)
    return Form(c + d / 2, g1, g2, e), ~off

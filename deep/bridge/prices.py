"""What the adversary of TRADES' regulariser finds: E max over X' in the ball of phi(f(X') f(X) / lam), enclosed.

A non-increasing phi is largest where p(x) = min over x' of f(x') f(x) is: f(x) times the least score in the ball if
f(x) > 0, times the largest if f(x) < 0. A grid of cells has sound bounds of the score on each (`theory.relu.quadtree`).
A ball around any point of a cell, of side h, meets every cell up to floor(eps/h) places away along each axis, and none
beyond floor(eps/h) + 1; so windows of these two sizes, sliding over the bounds, enclose the extremes in the ball.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from deep.bridge.cells import Floats, bins_of, cell_counts, masses, score_on_cells, window_of_law
from deep.bridge.margins import expectation, planar, rounded
from theory.bounds import positive
from theory.enclosure import Enclosure
from theory.loss import Loss, as_loss

if TYPE_CHECKING:
    from collections.abc import Sequence

    from theory.ball import Ball
    from theory.distributions import BoxDistribution
    from theory.numbers import Exact
    from theory.relu.network import ReluNetwork

DEPTH = 9  # a grid of 512 x 512 cells


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Cells of positive mass, (N,): mass (off by a few 2^-53 of itself), and bounds of p(x) on each."""

    mass: Floats
    low: Floats
    high: Floats


def prices(network: ReluNetwork, law: BoxDistribution, ball: Ball, depth: int = DEPTH) -> Prices:
    """p(x) on the cells of a grid of 2^depth cells a side (on the line, of 4^depth cells).

    Raises ``ValueError`` for another norm than l-infinity in the plane, for a radius that is a germ, for a domain of
    several boxes, an adversary who may leave it, and a depth that is out of range.
    """
    flat = law.dim == 1
    if ball.leave_domain or not (flat or ball.ord == np.inf):
        raise ValueError("the prices of a network are those of an l-infinity adversary who stays in the domain")
    if not isinstance(ball.radius, Fraction):
        raise ValueError("prices have no exact curve in eps; ask for single values")
    network, law = planar(network, law)
    window = window_of_law(law, ball.radius)
    counts = cell_counts(flat, depth)
    low, high = score_on_cells(network, window, counts)
    near, far = [], []
    for (lo, hi), count in zip(window, counts, strict=True):
        places = int(ball.radius * count / (hi - lo))
        near.append(min(places, count - 1))
        far.append(min(places + 1, count - 1))
    least = _slid(low, far, np.minimum), _slid(high, near, np.minimum)
    most = _slid(low, near, np.maximum), _slid(high, far, np.maximum)
    up = _product(np.maximum(low, 0), high, *least)
    down = _product(np.maximum(-high, 0), -low, -most[1], -most[0])
    above, below = high >= 0, low <= 0
    p_low = np.minimum(np.where(above, up[0], np.inf), np.where(below, down[0], np.inf))
    p_high = np.maximum(np.where(above, up[1], -np.inf), np.where(below, down[1], -np.inf))
    mass = masses(law.densities[-1] + law.densities[1], window, counts)
    lives = mass > 0
    return Prices(mass[lives], p_low[lives], p_high[lives])


def adversarial_surrogate(found: Prices, loss: str | Loss, lam: Exact = 1) -> Enclosure:
    """E max phi(f(X') f(X) / lam) between the two laws that the bounds of p give.

    Raises ``ValueError`` for lam <= 0, and a loss that is not declared non-negative and non-increasing.
    """
    phi, scale = as_loss(loss), positive(lam)
    most = expectation(phi, bins_of(found.low, found.mass, phi, scale))
    least = expectation(phi, bins_of(found.high, found.mass, phi, scale))
    return rounded(Enclosure(least.lo, most.hi, ("cells of a grid",)))


def _slid(values: Floats, reach: Sequence[int], pick: Any) -> Floats:
    """The extreme over a window of ``reach`` cells to either side, along both axes."""
    from scipy.ndimage import maximum_filter1d, minimum_filter1d

    slide = minimum_filter1d if pick is np.minimum else maximum_filter1d
    for axis, places in enumerate(reach):
        if places:
            values = slide(values, 2 * places + 1, axis=axis, mode="nearest")  # beyond the wall nothing is added
    return values


def _product(a: Floats, b: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Bounds of s t for s in [a, b], a >= 0, and t in [low, high]."""
    least = low * np.where(low < 0, b, a)
    most = high * np.where(high > 0, b, a)
    return np.nextafter(least, -np.inf), np.nextafter(most, np.inf)

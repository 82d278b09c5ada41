"""A grid of cells over the domain of a law, with sound bounds of a network's score and the mass on each.

Masses of bins are float sums of non-negative terms, and widened by a bound for their rounding.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deep.bridge.margins import Bin, levels_of, planar
from theory.enclosure import Enclosure
from theory.loss import Loss, as_loss
from theory.relu.polygons import hull_of
from theory.relu.quadtree import score_range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from theory.density import StepDensity
    from theory.distributions import BoxDistribution
    from theory.relu.network import ReluNetwork

Floats = NDArray[np.float64]
UNIT = 2.0**-53
MAX_DEPTH = 12


def cell_counts(flat: bool, depth: int) -> tuple[int, int]:
    """2^depth cells a side, on the line 4^depth; raises ``ValueError`` for a depth that is out of range."""
    if not 1 <= depth <= MAX_DEPTH:
        raise ValueError(f"depth {depth} is not allowed; a grid has depth 1 to {MAX_DEPTH}")
    return (4 ** min(depth, 9), 1) if flat else (2**depth, 2**depth)


def margins_on_cells(
    network: ReluNetwork, law: BoxDistribution, loss: str | Loss, depth: int
) -> tuple[list[Bin], list[Bin]]:
    """Two laws in bins, of a margin that is at least f(X) Y everywhere, and of one that is at most f(X) Y."""
    flat = law.dim == 1
    network, law = planar(network, law)
    window, counts = window_of_law(law, Fraction(0)), cell_counts(flat, depth)
    low, high = score_on_cells(network, window, counts)
    found: list[tuple[Floats, Floats, Floats]] = []
    for y, density in law.densities.items():
        mass = masses(density, window, counts)
        lives = mass > 0
        ends = (low, high) if y > 0 else (-high, -low)
        found.append((mass[lives], ends[0][lives], ends[1][lives]))
    mass, least, most = (np.concatenate(parts) for parts in zip(*found, strict=True))
    phi = as_loss(loss)
    return bins_of(most, mass, phi, Fraction(1)), bins_of(least, mass, phi, Fraction(1))


def window_of_law(law: BoxDistribution, radius: Fraction) -> Any:
    """The domain where it is bounded, else where the adversary gets to from the support."""
    if len(list(law.domain.cells())) != 1:
        raise ValueError(f"a domain of {len(list(law.domain.cells()))} boxes is not one box, which prices need")
    sides = []
    for (lo, hi), (wall_lo, wall_hi) in zip(hull_of(law.support), hull_of(law.domain), strict=True):
        sides.append(
            (lo - radius if wall_lo is None else max(wall_lo, lo - radius),
             hi + radius if wall_hi is None else min(wall_hi, hi + radius))
        )  # fmt: skip
    return tuple(sides)


def score_on_cells(network: ReluNetwork, window: Any, counts: tuple[int, int]) -> tuple[Floats, Floats]:
    """Bounds (n, m) of the score on all cells.

    Centres in floats are off by less than 16 2^-53 of the window's largest coordinate (`theory.relu.quadtree`), which
    the half-sides take up, twice.
    """
    centres, half = [], []
    for (lo, hi), count in zip(window, counts, strict=True):
        start, side = float(lo), float(hi) - float(lo)
        centres.append(start + side * ((np.arange(count) + 0.5) / count))
        half.append((side / (2 * count) + 32 * UNIT * max(abs(float(lo)), abs(float(hi)))) * (1 + 2.0**-40))
    middle = np.stack(np.meshgrid(*centres, indexing="ij"), axis=-1).reshape(-1, 2)
    low, high = score_range(network, middle, np.array(half))
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise ValueError("the score has no finite bounds; the weights are too large for float64")
    return low.reshape(counts), high.reshape(counts)


def masses(density: StepDensity, window: Any, counts: tuple[int, int]) -> Floats:
    """The mass of a density on each cell: at most some ten roundings a term, all terms at least 0."""
    values = np.array([float(v) for v in density.values])[density.index][1:-1, 1:-1]
    overlaps = [
        _overlap(lo, hi, count, edges) for (lo, hi), count, edges in zip(window, counts, density.edges, strict=True)
    ]
    return np.asarray(overlaps[0] @ values @ overlaps[1].T)


def _overlap(lo: Fraction, hi: Fraction, count: int, edges: Sequence[Any]) -> Floats:
    """Lengths (count, stretches) that the cells of an axis share with the stretches between edges."""
    step = (hi - lo) / count
    found = np.zeros((count, len(edges) - 1))
    for k, (a, b) in enumerate(pairwise(edges)):
        first, last = int((a - lo) / step), -int((lo - b) / step)
        whole = float(step)
        for i in range(max(first - 1, 0), min(last + 2, count)):
            if first < i < last - 1:
                found[i, k] = whole
            else:
                found[i, k] = float(max(min(b, lo + (i + 1) * step) - max(a, lo + i * step), Fraction(0)))
    return found


def bins_of(p: Floats, mass: Floats, phi: Loss, scale: Fraction) -> list[Bin]:
    """The law of p / lam in bins whose ends are floats; sums of n terms of one sign are off by 2 (n + 64) 2^-53."""
    cuts: set[float] = {0.0}
    for level in levels_of(phi):
        number = float(level * scale)
        exact = Fraction(number) == level * scale
        cuts |= {number} if exact else {float(np.nextafter(number, side)) for side in (-np.inf, np.inf)}
    inside = sorted(c for c in cuts)
    ends = np.array([min(float(p.min()), inside[0] - 1), *inside, max(float(p.max()), inside[-1]) + 1])
    place = np.searchsorted(ends, p, side="right") - 1
    masses = np.bincount(place, weights=mass, minlength=len(ends) - 1)
    moments = np.bincount(place, weights=mass * p, minlength=len(ends) - 1)
    off = Fraction(2 * (len(p) + 64), 2**53)
    made = []
    for k, (w, m) in enumerate(zip(masses.tolist(), moments.tolist(), strict=True)):
        if w > 0:
            about = [abs(Fraction(x)) * off for x in (w, m)]
            made.append(
                Bin(
                    Fraction(ends[k]) / scale, Fraction(ends[k + 1]) / scale,
                    Enclosure(max(Fraction(w) - about[0], Fraction(0)), Fraction(w) + about[0]),
                    Enclosure((Fraction(m) - about[1]) / scale, (Fraction(m) + about[1]) / scale),
                )
            )  # fmt: skip
    return made

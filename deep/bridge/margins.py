"""The law of the margin f(X) Y of a planar network, by bins, and the expectation of a margin loss under such a law.

On each linear piece of the network and each box of constant density, mass and mean of the score between two levels are
rational. So the surrogate risk of a piecewise linear loss is exact, and that of another one is enclosed: on a bin of
mass w and mean m a convex phi has an integral between w phi(m) (Jensen) and w times the chord at m, any non-increasing
one between w phi at the two ends.

>>> from toy import halves
>>> tilted = ReluNetwork([([[2.0, 1.0]], [-1.5])])
>>> law = margin_law(tilted, halves.distribution("1/2"), "hinge")
>>> expectation("hinge", law).fraction
Fraction(25, 48)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from deep.bridge.pieces import MAX_TILES, linear_pieces
from theory.boxes import Boxes, in_flint
from theory.density import StepDensity, common_values
from theory.distributions import BoxDistribution
from theory.enclosure import Enclosure, as_enclosure
from theory.loss import Loss, as_loss
from theory.polyline import PiecewiseLinear
from theory.relu.lines import Line, value
from theory.relu.network import ReluNetwork
from theory.relu.tiles import Tile, cut
from theory.rounding import decimal_down, decimal_up

DIGITS = 30
CONVEX, OTHER = Fraction(1, 16), Fraction(1, 64)
"""Widths of the bins near 0, where losses bend."""


@dataclass(frozen=True, slots=True)
class Bin:
    """What lies strictly between ``lo`` and ``hi`` (at the point, if they are equal): its mass, and mass times mean."""

    lo: Fraction
    hi: Fraction
    mass: Fraction | Enclosure
    moment: Fraction | Enclosure


def levels_of(loss: str | Loss) -> tuple[Fraction, ...]:
    """Where a loss asks a law of margins to be cut: the knots of a piecewise linear one, else a net finer towards 0."""
    phi = as_loss(loss)
    if isinstance(phi.formula, PiecewiseLinear):
        return tuple(sorted({Fraction(0), *(knot.x for knot in phi.formula.knots)}))
    step = CONVEX if phi.convex else OTHER
    near = [step * k for k in range(int(4 / step))]
    far = [Fraction(k, 2) for k in range(8, 32)] + [Fraction(4 * k) for k in range(4, 33)]
    return tuple(sorted({sign * x for x in near + far for sign in (-1, 1)}))


def margin_law(
    network: ReluNetwork, law: BoxDistribution, loss: str | Loss = "hinge", max_tiles: int = MAX_TILES
) -> list[Bin]:
    """The law of f(X) Y in exact bins between the levels of a loss.

    For a network of one or two inputs and a law on the line or in the plane with the labels -1 and +1. Raises
    ``TooManyTilesError`` beyond ``max_tiles`` linear pieces on a box of constant density.
    """
    network, law = planar(network, law)
    levels = sorted({sign * level for level in levels_of(loss) for sign in (-1, 1)})
    found: dict[tuple[Fraction, Fraction], tuple[list[Any], list[Any]]] = {}
    ends: set[tuple[Fraction, Fraction]] = set()
    for box, densities in density_boxes(law):
        weights = in_flint(densities)
        for tile, row, scale in linear_pieces(network, box, max_tiles):
            for lo, hi, area, moment in _by_level(tile, row, scale, levels):
                for y, weight in zip((-1, 1), weights, strict=True):
                    if weight:
                        span = (lo, hi) if y > 0 else (-hi, -lo)
                        masses, moments = found.setdefault(span, ([], []))
                        masses.append(area * weight)
                        moments.append(y * moment * weight)
                        ends.add(span)
    return [Bin(lo, hi, _sum(found[lo, hi][0]), _sum(found[lo, hi][1])) for lo, hi in sorted(ends)]


def expectation(loss: str | Loss, bins: Iterable[Bin]) -> Enclosure:
    """E phi(U) for a law of U in bins; exact where phi is linear on each of them and the bins are.

    Raises ``ValueError`` for a loss that is not declared non-negative and non-increasing.
    """
    phi = as_loss(loss)
    if not (phi.non_negative and phi.non_increasing):
        raise ValueError(f"loss {phi.name!r} is not non-negative and non-increasing, which margins in bins need")
    low, high, exact = [], [], True
    for part in bins:
        mass, moment = as_enclosure(part.mass), as_enclosure(part.moment)
        if mass.hi <= 0:
            continue
        means = _means(mass, moment, part)
        least, most = _between(phi, part.lo, part.hi, means)
        low.append(Fraction(mass.lo) * least)
        high.append(Fraction(mass.hi) * most)
        exact = exact and low[-1] == high[-1]
    total = [Fraction(_sum(ends)) for ends in (low, high)]
    return Enclosure.exact(total[0]) if exact else rounded(Enclosure(total[0], total[1], "margins in bins"))


def _means(mass: Enclosure, moment: Enclosure, part: Bin) -> tuple[Fraction, Fraction]:
    """Where the mean of a bin lies; within the bin whatever rounding says."""
    if mass.lo <= 0:
        return part.lo, part.hi
    ends = [Fraction(m) / Fraction(w) for m in (moment.lo, moment.hi) for w in (mass.lo, mass.hi)]
    return min(max(min(ends), part.lo), part.hi), max(min(max(ends), part.hi), part.lo)


def _between(phi: Loss, lo: Fraction, hi: Fraction, means: tuple[Fraction, Fraction]) -> tuple[Fraction, Fraction]:
    """Bounds of the mean of phi over a law strictly between two ends, from bounds of its mean."""
    if lo == hi:
        found = phi.enclose(lo)
        return Fraction(found.lo), Fraction(found.hi)
    if isinstance(phi.formula, PiecewiseLinear):
        if not any(lo < knot.x < hi for knot in phi.formula.knots):
            one, two = (2 * lo + hi) / 3, (lo + 2 * hi) / 3  # off the ends, where phi may jump
            slope = (phi.formula(two) - phi.formula(one)) / (two - one)
            return phi.formula(one) + slope * (means[1] - one), phi.formula(one) + slope * (means[0] - one)
        ends = phi.formula.range(Enclosure(lo, hi))
        return Fraction(ends.lo), Fraction(ends.hi)
    left, right = phi.enclose(lo), phi.enclose(hi)
    if not phi.convex:
        return Fraction(right.lo), Fraction(left.hi)
    chord = ((hi - means[0]) * left.hi + (means[0] - lo) * right.hi) / (hi - lo)
    return Fraction(phi.enclose(_short(means[1], up=True)).lo), Fraction(chord)


def _short(x: Fraction, *, up: bool) -> Fraction:
    """A number of few digits next to x: of a rational of thousands an exponential is no better."""
    return Fraction((decimal_up if up else decimal_down)(x, DIGITS))


def rounded(x: Enclosure, digits: int = DIGITS) -> Enclosure:
    """The enclosure with its ends rounded outwards to so many decimals, unless it is a short exact number."""
    if x.is_exact and len(str(x.fraction)) <= digits:
        return x
    return Enclosure(decimal_down(x.lo, digits), decimal_up(x.hi, digits), x.how, x.alpha)


# ---- laws and tiles ----


def planar(network: ReluNetwork, law: BoxDistribution) -> tuple[ReluNetwork, BoxDistribution]:
    """A network and a law on the line as ones in the plane, blind to the second coordinate, which is uniform on (0, 1).

    Those in the plane are left as they are. Raises ``ValueError`` where they do not fit.
    """
    if network.dim != law.dim or law.dim > 2:
        raise ValueError(
            f"the network has {network.dim} inputs and the law is one of dimension {law.dim}; "
            "allowed are 1 and 2, and the same of both"
        )
    if law.dim == 2:
        return network, law
    (weight, bias), *rest = network.layers
    wide = ReluNetwork([(np.column_stack([weight, np.zeros(len(weight))]), bias), *rest])
    unit = (Fraction(0), Fraction(1))
    densities = {
        y: StepDensity((*d.edges, unit), d.index[:, None] * np.array([[0, 1, 0]], dtype=d.index.dtype), d.values)
        for y, d in law.densities.items()
    }
    return wide, BoxDistribution(densities, _upright(law.domain))


def _upright(domain: Boxes) -> Boxes:
    from theory.boxes import Boxes

    return Boxes([(*cell, (Fraction(0), Fraction(1))) for cell in domain.cells()])


def density_boxes(law: BoxDistribution) -> list[tuple[Any, tuple[Fraction, Fraction]]]:
    """The boxes of constant densities, with those of the labels -1 and +1; not both are 0."""
    if law.labels != (-1, 1):
        raise ValueError(f"labels {list(law.labels)} are not -1 and +1, which margins need")
    (columns, rows), values, index = common_values([law.densities[-1], law.densities[1]])
    found = []
    for i, xs in enumerate(pairwise(columns), 1):
        for j, ys in enumerate(pairwise(rows), 1):
            weights = values[index[i, j]]
            if any(weights):
                found.append(((xs, ys), (Fraction(weights[0]), Fraction(weights[1]))))
    return found


def _by_level(
    tile: Tile, row: Line, scale: int, levels: Sequence[Fraction]
) -> Iterable[tuple[Fraction, Fraction, Any, Any]]:
    """The parts of a tile between levels of its score: the two levels, the area, and the integral of the score."""
    from flint import fmpq

    unit = 1 << scale
    if row[:2] == (0, 0):
        area, _ = _integrals(tile, row)
        level = Fraction(row[2], unit)
        yield level, level, area, area * fmpq(row[2], unit)
        return
    scores = [fmpq(value(row, p), p[2]) for p, _ in tile]
    least, most = min(scores), max(scores)
    rest = tile
    below: Fraction | None = None
    for level in levels:
        at = fmpq(level.numerator * unit, level.denominator)
        if at <= least:
            below = level
        elif at >= most:
            above: Fraction | None = level
            break
        else:
            q, p = level.denominator, level.numerator
            part, rest = cut(rest, (row[0] * q, row[1] * q, row[2] * q - p * unit))
            area, moment = _integrals(part, row)
            yield _floor(least, unit) if below is None else below, level, area, moment / unit
            below = level
    else:
        above = None
    area, moment = _integrals(rest, row)
    yield (
        _floor(least, unit) if below is None else below,
        -_floor(-most, unit) if above is None else above,
        area,
        moment / unit,
    )


def _floor(x: Any, unit: int) -> Fraction:
    """A whole number at most x / unit: the end of a bin beyond the last level."""
    return Fraction(int(x.p) // (int(x.q) * unit))


def _integrals(tile: Tile, row: Line) -> tuple[Any, Any]:
    """The area of a convex tile, and the integral of a x + b y + c over it."""
    from flint import fmpq

    xs = [fmpq(p[0], p[2]) for p, _ in tile]
    ys = [fmpq(p[1], p[2]) for p, _ in tile]
    fs = [fmpq(value(row, p), p[2]) for p, _ in tile]
    area, moment = fmpq(0), fmpq(0)
    for k in range(1, len(tile) - 1):
        twice = (xs[k] - xs[0]) * (ys[k + 1] - ys[0]) - (xs[k + 1] - xs[0]) * (ys[k] - ys[0])
        area += twice
        moment += twice * (fs[0] + fs[k] + fs[k + 1])
    return area / 2, moment / 6


def _sum(terms: Sequence[Any]) -> Fraction:
    """In pairs, so that denominators grow along a tree."""
    from flint import fmpq

    left = [x if isinstance(x, fmpq) else fmpq(x.numerator, x.denominator) for x in terms]
    while len(left) > 1:
        left = [u + v for u, v in zip(left[::2], left[1::2], strict=False)] + left[len(left) // 2 * 2 :]
    total = left[0] if left else fmpq(0)
    return Fraction(int(total.p), int(total.q))

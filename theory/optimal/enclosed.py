"""Two-sided enclosures of the least robust risk where no finite network is exact: smooth densities, and l1 or l2 balls.

Upper end: any classifier's robust risk; the cut of a coarse network names a good one. Lower end: any coupling of the
two classes that only joins conflicting points carries mass that every classifier must give up (weak duality).

**Smooth product laws, l-infinity** (``optimal_product_risk``). On the grid of step h = 2 eps / k, cells at most k - 1
apart on every axis conflict entirely. Cells exactly k apart on an axis conflict under the translation by 2 eps, which
needs densities that agree: the part of a cell's mass that lies below its least density is uniform, and may use it. So
each cell is two layers, its uniform floor (joined to floors up to k apart) and the remainder (joined up to k - 1
apart). The layer that the translation cannot use is O(h) of the mass in cells O(h) wide, so the gap closes like h^2.

**Round balls** (``optimal_round_risk``). A box law is cut into cells no wider than h. Inner network: cells whose
points all conflict, and equal cells whose translation is at most 2 eps long; its flow is a coupling. Outer network:
cells with some conflicting pair; its cut is a cover, so the classifier that is -1 just on the balls around the cells of
class -1 that it keeps risks at most the cut, and at most what the event algebra says of it. The gap closes like h.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

from theory.boxes import Boxes
from theory.classifiers import RegionClassifier, bayes_risk, bayes_rule
from theory.enclosure import Enclosure, minimum
from theory.flow import max_flow
from theory.products import ProductDistribution, interval_mass
from theory.risks import robust_risk

if TYPE_CHECKING:
    from theory.ball import Ball
    from theory.distributions import BoxDistribution

HOW = ("coupling below, classifier above",)
Place = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EnclosedOptimum:
    """The least robust risk between a coupling's mass and a classifier's risk.

    ``classifier`` risks no more than the upper end. For round balls its regions are known only between boxes.
    """

    value: Enclosure
    classifier: RegionClassifier


def optimal_product_risk(
    law: ProductDistribution, ball: Ball, steps: int = 8, tail: Fraction = Fraction(1, 10**6)
) -> EnclosedOptimum:
    """The least robust risk of a two-class product law under l-infinity, enclosed; the gap shrinks like 1/steps^2.

    ``steps`` is k = 2 eps / h; mass beyond quantile ``tail`` on either side of an axis is not coupled. Axes on which
    both classes have the same density drop out. Raises ``ValueError`` for other norms, other labels or eps = 0.

    >>> from theory import Ball
    >>> from theory.products import Normal
    >>> law = ProductDistribution({-1: ("1/2", (Normal(-1, 1),)), +1: ("1/2", (Normal(1, 1),))})
    >>> print(f"{optimal_product_risk(law, Ball('1/2'), 8).value:.4f}")   # Phi(-1/2) = 0.30854
    [0.3077, 0.3086]
    """
    _check(law)
    if ball.ord != math.inf:
        raise ValueError(f"norm {ball.ord:g} is not handled for product laws; use ord=inf")
    if ball.radius == 0:
        raise ValueError("eps 0 leaves the Bayes risk, which needs no network; a positive radius is needed")
    axes = [a for a in range(law.dim) if law.parts[-1][1][a] != law.parts[+1][1][a]] or [0]
    h = 2 * ball.radius / steps
    grids = [_window([law.parts[y][1][a] for y in (-1, +1)], h, tail) for a in axes]
    places = list(product(*(range(len(grid) - 1) for grid in grids)))
    scale = 2**80
    mass: dict[int, dict[Place, int]] = {}
    floor: dict[int, dict[Place, int]] = {}
    for y in (-1, +1):
        prior, marginals = law.parts[y]
        sides = [(marginals[a], list(pairwise(grid))) for a, grid in zip(axes, grids, strict=True)]
        slabs = [[interval_mass(m, lo, hi).lo for lo, hi in cells] for m, cells in sides]
        floors = [[_floor(m, lo, hi) for lo, hi in cells] for m, cells in sides]
        mass[y] = {p: _down(prior, [slabs[a][i] for a, i in enumerate(p)], scale) for p in places}
        floor[y] = {p: min(mass[y][p], _down(prior, [floors[a][i] for a, i in enumerate(p)], scale)) for p in places}
    lower, side = _two_layers(mass, floor, steps, places)
    kept = Boxes([_cylinder(law.dim, axes, [grids[a][i : i + 2] for a, i in enumerate(p)]) for p in side], law.dim)
    classifier = RegionClassifier.binary(~kept.dilate(ball.radius))
    upper = robust_risk(classifier, law, ball).hi
    best = min([upper, *(law.prior(y) for y in (-1, +1))])
    if best < upper:
        classifier = RegionClassifier.binary(law.nothing if law.prior(+1) == best else law.everything)
    return EnclosedOptimum(Enclosure(Fraction(lower, scale), best, how=HOW), classifier)


def _two_layers(
    mass: dict[int, dict[Place, int]], floor: dict[int, dict[Place, int]], steps: int, places: list[Place]
) -> tuple[int, list[Place]]:
    """The flow between floors and remainders, and the cells of class -1 that its minimum cut keeps."""
    # nodes: class -1 floor and remainder, then class +1 remainder and floor, of every cell
    n, index = len(places), {p: k for k, p in enumerate(places)}
    edges: list[tuple[int, int, int | None]] = []
    for k, p in enumerate(places):
        edges += [(0, 2 + k, floor[-1][p]), (0, 2 + n + k, mass[-1][p] - floor[-1][p])]
        edges += [(2 + 3 * n + k, 1, floor[+1][p]), (2 + 2 * n + k, 1, mass[+1][p] - floor[+1][p])]
        edges += [(2 + k, 2 + n + k, None), (2 + 2 * n + k, 2 + 3 * n + k, None)]  # a floor may act as a remainder
        for offset in product(range(-steps, steps + 1), repeat=len(p)):
            if (q := index.get(tuple(i + o for i, o in zip(p, offset, strict=True)))) is not None:
                far = max(map(abs, offset)) == steps
                edges.append((2 + k, 2 + 3 * n + q, None) if far else (2 + n + k, 2 + 2 * n + q, None))
    flow = max_flow(2 + 4 * n, edges, 0, 1)
    return flow.value, [p for k, p in enumerate(places) if 2 + n + k in flow.source_side_min]


def optimal_round_risk(law: BoxDistribution, ball: Ball, h: Fraction) -> EnclosedOptimum:
    """The least robust risk of a two-class box law under l1 or l2 (or inf), enclosed; the gap shrinks like h.

    ``h`` is the largest side of a cell. Raises ``ValueError`` for other labels, a domain that is not one box, h <= 0 or
    more than 3,000 cells a class.

    >>> from theory import Ball, BoxDistribution
    >>> halves = BoxDistribution.of_masses(
    ...     {-1: [([("0", "1/2"), ("0", "1")], "9/20")], +1: [([("1/2", "1"), ("0", "1")], "11/20")]}, [("0", "1")] * 2)
    >>> optimal_round_risk(halves, Ball("1/10", 2), Fraction(1, 20)).value.fraction   # the same for every norm
    Fraction(9, 50)
    """
    _check(law)
    if sum(1 for _ in law.domain.cells()) != 1:
        raise ValueError("a domain of several boxes is not convex, so distances do not tell which balls meet")
    if h <= 0:
        raise ValueError(f"h {h} is not positive")
    if ball.radius == 0:
        return EnclosedOptimum(Enclosure.exact(bayes_risk(law)), bayes_rule(law, ties=+1))
    reach = 2 * ball.radius
    cells: dict[int, list[tuple[Any, ...]]] = {}
    masses: dict[int, list[Fraction]] = {}
    for y in (-1, +1):
        zone = law.densities[y].restrict(law.densities[-y].support.dilate(reach))
        cells[y], masses[y] = _small_cells(zone, h)
    n = len(cells[-1])
    first = {-1: 2, +1: 2 + n}
    ends: list[tuple[int, int, Fraction | None]] = [(0, 2 + i, m) for i, m in enumerate(masses[-1])]
    ends += [(2 + n + j, 1, m) for j, m in enumerate(masses[+1])]
    inner: list[tuple[int, int, Fraction | None]] = []
    outer: list[tuple[int, int, Fraction | None]] = []
    for i, a in enumerate(cells[-1]):
        for j, b in enumerate(cells[+1]):
            gaps = [max(q[0] - p[1], p[0] - q[1], Fraction(0)) for p, q in zip(a, b, strict=True)]
            if not _within(gaps, reach, ball.ord):
                continue
            outer.append((first[-1] + i, first[+1] + j, None))
            spans = [max(q[1] - p[0], p[1] - q[0]) for p, q in zip(a, b, strict=True)]
            moves = [abs(q[0] - p[0]) for p, q in zip(a, b, strict=True)]
            same = all(p[1] - p[0] == q[1] - q[0] for p, q in zip(a, b, strict=True))
            if _within(spans, reach, ball.ord) or (same and _within(moves, reach, ball.ord)):
                inner.append((first[-1] + i, first[+1] + j, None))
    size = 2 + n + len(cells[+1])
    lower = max_flow(size, ends + inner, 0, 1).value
    cut = max_flow(size, ends + outer, 0, 1)
    lost = [cells[-1][i] for i in range(n) if 2 + i not in cut.source_side_min]
    kept = law.densities[-1].support - Boxes(lost, law.dim)
    classifier = RegionClassifier.binary(~ball.reach(kept, law.everything))
    upper = minimum(cut.value, robust_risk(classifier, law, ball)).hi
    return EnclosedOptimum(Enclosure(Fraction(lower), upper, how=HOW), classifier)


def _check(law: Any) -> None:
    if law.labels != (-1, 1):
        raise ValueError(f"labels {list(law.labels)} are not -1 and +1; this optimum is for two classes")


def _within(gaps: list[Fraction], reach: Fraction, ord: float) -> bool:
    if ord == math.inf:
        return max(gaps) <= reach
    if ord == 1:
        return sum(gaps) <= reach
    return sum(gap * gap for gap in gaps) <= reach * reach


def _small_cells(zone: Any, h: Fraction) -> tuple[list[tuple[Any, ...]], list[Fraction]]:
    """The positive cells of a density cut into equal parts no wider than h, with their masses."""
    cells: list[tuple[Any, ...]] = []
    masses: list[Fraction] = []
    for k, value in enumerate(zone.values):
        if value == 0:
            continue
        for cell in Boxes.on_grid(zone.edges, zone.index == k).cells():
            axes = []
            for lo, hi in cell:
                assert lo is not None
                assert hi is not None
                parts = math.ceil((hi - lo) / h)
                axes.append([(lo + (hi - lo) * i / parts, lo + (hi - lo) * (i + 1) / parts) for i in range(parts)])
            for small in product(*axes):
                cells.append(small)
                masses.append(math.prod((hi - lo for lo, hi in small), start=value))
                if len(cells) > MAX_CELLS:
                    raise ValueError(f"h {h} needs more than {MAX_CELLS:,} cells of one class; choose a larger h")
    return cells, masses


MAX_CELLS = 3_000


def _window(marginals: list[Any], h: Fraction, tail: Fraction) -> list[Fraction]:
    """Multiples of h from below the ``tail`` quantiles of all marginals to above their 1 - tail quantiles."""
    lo = min(_quantile(m, tail, -1) for m in marginals)
    hi = max(_quantile(m, tail, +1) for m in marginals)
    return [h * i for i in range(math.floor(lo / h), math.ceil(hi / h) + 1)]


def _quantile(marginal: Any, tail: Fraction, side: int) -> Fraction:
    """A point with at most ``tail`` beyond it on that side, found by doubling."""
    step = Fraction(1, 4)
    while True:
        x = marginal.mode + side * step
        beyond = interval_mass(marginal, x, None) if side > 0 else interval_mass(marginal, None, x)
        if beyond.hi <= tail:
            return Fraction(x)
        step = step * 5 / 4


def _floor(marginal: Any, lo: Fraction, hi: Fraction) -> Fraction:
    """A lower bound of the least density on [lo, hi] times its length; densities rise to the mode and fall after it."""
    return max(Fraction(min(marginal.density(lo).lo, marginal.density(hi).lo)) * (hi - lo), Fraction(0))


def _down(prior: Fraction, factors: list[Any], scale: int) -> int:
    return math.floor(math.prod((Fraction(f) for f in factors), start=prior) * scale)


def _cylinder(dim: int, axes: list[int], sides: list[Any]) -> list[Any]:
    box: list[Any] = [(None, None)] * dim
    for axis, side in zip(axes, sides, strict=True):
        box[axis] = side
    return box

"""The true risks of a trained network under a law that is known exactly.

>>> from theory import Ball, BoxDistribution
>>> law = BoxDistribution.of_masses(
...     {-1: [([(0, "1/2"), (0, 1)], "1/2")], +1: [([("1/2", 1), (0, 1)], "1/2")]}, [(0, 1), (0, 1)])
>>> tilted = ReluNetwork([([[1.0, 0.5]], [-0.75])])  # +1 where x + y/2 > 3/4
>>> found = network_risks(tilted, law, Ball("1/10"))
>>> found.standard, found.boundary, found.robust, found.sensible
(Enclosure[1/8], Enclosure[19/100], Enclosure[63/200], Enclosure[59/200])
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.between import Between
from theory.boxes import Boxes
from theory.classifiers import RegionClassifier, bayes_rule
from theory.distributions import BoxDistribution, FiniteDistribution
from theory.enclosure import Enclosure
from theory.numbers import Exact, as_fraction
from theory.points import FiniteSpace, Points
from theory.relu.line import line_regions
from theory.relu.network import ReluNetwork
from theory.relu.polygons import Window, hull_of, window_of
from theory.relu.quadtree import refine
from theory.relu.regions import TooManyTilesError, exact_regions
from theory.risks import robust_risk, sensible_risk, standard_risk

if TYPE_CHECKING:
    from theory.ball import Ball
    from theory.law import Classifier

AFFORDABLE = 6_000_000  # tiles times neurons: what "auto" spends on exact regions, some ten seconds
MAX_CELLS = 500_000
_RISKS = ("standard", "boundary", "robust", "sensible")


@dataclass(frozen=True, slots=True)
class NetworkRisks:
    """The four risks of a network, exact or enclosed, and its ``classifier``: regions, exact or ``Between`` others."""

    standard: Enclosure
    boundary: Enclosure
    robust: Enclosure
    sensible: Enclosure
    classifier: RegionClassifier

    @property
    def width(self) -> Any:
        """The largest width of the four; 0 if all are exact."""
        return max(getattr(self, name).width for name in _RISKS)

    def rounded(self, digits: int = 30) -> NetworkRisks:
        """The same with ends rounded outwards to that many decimals: exact fractions may have thousands of digits."""
        standard, boundary, robust, sensible = (_rounded(getattr(self, name), digits) for name in _RISKS)
        return NetworkRisks(standard, boundary, robust, sensible, self.classifier)


def network_classifier(
    network: ReluNetwork,
    domain: Any,
    *,
    exact: bool | str = "auto",
    tolerance: Exact = "1/1000",
    max_tiles: int | None = None,
    max_cells: int = MAX_CELLS,
) -> RegionClassifier:
    """The sign of the network's score as decision regions, for every function of ``theory``.

    ======  ====================================  ===================================================================
    inputs  domain                                regions
    ======  ====================================  ===================================================================
    1       any ``Boxes`` of dimension 1          exact ``Boxes``, on the whole line
    2       a bounded box, as ``Boxes`` or sides  ``Polygons`` on it: exact, or ``Between`` two of a quadtree
    any     a ``FiniteSpace`` with coordinates    exact ``Points``
    ======  ====================================  ===================================================================

    A score of 0 is in neither region, so it errs for both labels. With ``exact`` True all linear regions near the
    decision boundary are cut, and ``TooManyTilesError`` is raised beyond ``max_tiles`` if given; with False a quadtree
    of at most ``max_cells`` cells leaves about the share ``tolerance`` of the box undecided; "auto" cuts tiles for some
    ten seconds at most (or ``max_tiles`` tiles), then falls back on the quadtree.

    Raises ``ValueError`` where network and domain do not fit, for an unbounded box, and for other numbers of inputs.
    """
    if isinstance(domain, FiniteSpace):
        return _on_points(network, domain)
    dim = domain.dim if isinstance(domain, Boxes) else len(domain)
    _check_fit(network, dim)
    share = _positive(tolerance)
    if exact not in (True, False, "auto"):
        raise ValueError(f"exact={exact!r} is unknown; allowed are True, False and 'auto'")
    if dim == 1:
        negative, positive = line_regions(network)
        return RegionClassifier.binary(positive, negative)
    window = window_of(domain)
    if exact:
        try:
            if max_tiles is None and exact is not True:
                max_tiles = AFFORDABLE // sum(network.widths)
            negative, positive = exact_regions(network, window, max_tiles)  # type: ignore[assignment]
            return RegionClassifier.binary(positive, negative)
        except TooManyTilesError:
            if exact is True:
                raise
    regions = refine(network, window, share=float(share), max_cells=max_cells).polygons()
    return RegionClassifier.binary(regions[1], regions[0])


def network_risks(
    network: ReluNetwork,
    law: Any,
    ball: Ball,
    reference: Classifier | None = None,
    *,
    exact: bool | str = "auto",
    tolerance: Exact = "1/1000",
    max_tiles: int | None = None,
    max_cells: int = MAX_CELLS,
) -> NetworkRisks:
    """Standard, boundary, robust and sensible risk of the network under the law, as ``theory.risks`` defines them.

    For a ``BoxDistribution`` on the line or in the plane and a ``FiniteDistribution`` with coordinates. Exact wherever
    ``network_classifier`` is; else a quadtree is refined until every width is at most ``tolerance``, or that
    helps no more: ``.width`` tells. ``reference`` is the sensible adversary's, by default the Bayes rule of the law.

    The network is looked at where the adversary can get from the support of the law, so the domain may be unbounded.

    Raises ``TypeError`` for other laws, and ``ValueError`` as ``network_classifier``, ``Polygons.reached`` and
    ``sensible_risk`` do.
    """
    options = {"exact": exact, "max_tiles": max_tiles, "max_cells": max_cells}
    trusted = bayes_rule(law) if reference is None else reference
    goal = _positive(tolerance)
    if isinstance(law, FiniteDistribution):
        return _risks(network_classifier(network, law.space), law, ball, trusted)
    if not isinstance(law, BoxDistribution):
        raise TypeError(
            f"{type(law).__name__} is not supported; networks have exact risks under BoxDistribution and "
            "FiniteDistribution, elsewhere sample them (theory.montecarlo)"
        )
    _check_fit(network, law.dim)
    where = law.domain if law.dim == 1 else _surroundings(law, ball)
    best = None
    for share in (8 * goal, goal, goal / 8, goal / 64):
        classifier = network_classifier(network, where, tolerance=share, **options)  # type: ignore[arg-type]
        found = _risks(classifier, law, ball, trusted)
        stuck = best is not None and 4 * found.width > 3 * best.width
        best = found
        if found.width <= goal or stuck or not _is_enclosed(classifier):
            break
        options["exact"] = False
    assert best is not None
    return best


def _risks(f: RegionClassifier, law: Any, ball: Ball, reference: Classifier) -> NetworkRisks:
    """All risks grow with the events of error, so those of the least and of the largest events enclose them."""
    low = high = f
    if _is_enclosed(f) and not any(isinstance(reference.wrong(label), Between) for label in law.labels):
        low = RegionClassifier({label: region.outer for label, region in f.regions.items()})
        high = RegionClassifier({label: region.inner for label, region in f.regions.items()})

    def between(risk: Any, *more: Any) -> Enclosure:
        least: Enclosure = risk(low, law, ball, *more)
        if high is low:
            return least
        return Enclosure(least.lo, risk(high, law, ball, *more).hi, ("inner and outer polygons",))

    standard, robust, sensible = between(standard_risk), between(robust_risk), between(sensible_risk, reference)
    difference = robust - standard  # TRADES, eq (1)
    boundary = Enclosure(max(difference.lo, Fraction(0)), difference.hi, difference.how)
    return NetworkRisks(standard, boundary, robust, sensible, f)


def _is_enclosed(f: RegionClassifier) -> bool:
    return any(isinstance(region, Between) for region in f.regions.values())


def _surroundings(law: BoxDistribution, ball: Ball) -> Window:
    """The smallest box that holds the support and, as far as the adversary may go, its surroundings."""
    radius = ball.radius
    if not isinstance(radius, Fraction):
        raise ValueError("the risks of a planar network have no exact curve; ask for single values of eps")
    sides = [(lo - radius, hi + radius) for lo, hi in hull_of(law.support)]
    if not ball.leave_domain:
        walls = hull_of(law.domain)
        sides = [
            (lo if wall[0] is None else max(lo, wall[0]), hi if wall[1] is None else min(hi, wall[1]))
            for (lo, hi), wall in zip(sides, walls, strict=True)
        ]
    return window_of(sides)


def _on_points(network: ReluNetwork, space: FiniteSpace) -> RegionClassifier:
    if space.coordinates is None:
        raise ValueError("a network needs points with coordinates; this space only has distances")
    _check_fit(network, len(space.coordinates[0]), planar=False)
    scores = [network.exact_score(point) for point in space.coordinates]
    negative = Points(space, (i for i, score in enumerate(scores) if score < 0))
    return RegionClassifier.binary(Points(space, (i for i, score in enumerate(scores) if score > 0)), negative)


def _check_fit(network: ReluNetwork, dim: int, *, planar: bool = True) -> None:
    if network.dim != dim:
        raise ValueError(f"the network has {network.dim} inputs, but the points have {dim} coordinates")
    if planar and dim > 2:
        raise ValueError(
            f"a network of {dim} inputs has no exact regions here; allowed are 1 and 2 inputs, or a law on points"
        )


def _positive(tolerance: Exact) -> Fraction:
    goal = as_fraction(tolerance, "tolerance")
    if goal <= 0:
        raise ValueError(f"tolerance {tolerance} is not positive")
    return goal


def _rounded(x: Enclosure, digits: int) -> Enclosure:
    from theory.rounding import decimal_down, decimal_up

    if x.is_exact and x.fraction.denominator <= 10**digits:
        return x
    return Enclosure(decimal_down(x.lo, digits), decimal_up(x.hi, digits), x.how, x.alpha)

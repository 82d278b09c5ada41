"""Both sides of TRADES' Theorem 3.1 for the score of a trained network, under the very law it was trained for.

    R_rob(f) - R*  <=  psi^-1(R_phi(f) - R*_phi) + E max phi(f(X') f(X) / lam)          (TRADES, Theorem 3.1)

In the paper's Table 3 every term is an estimate from test images; here every term is exact or enclosed.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from deep.bridge.cells import margins_on_cells
from deep.bridge.margins import expectation, margin_law, rounded
from deep.bridge.pieces import MAX_TILES
from deep.bridge.prices import DEPTH, adversarial_surrogate, prices
from theory.between import Between
from theory.bounds import BoundReport, optimal_surrogate_risk, positive
from theory.calibration import psi_inverse
from theory.classifiers import RegionClassifier, bayes_risk
from theory.distributions import BoxDistribution
from theory.enclosure import Enclosure, as_enclosure, maximum
from theory.law import error_event, reach_of
from theory.loss import Loss, as_loss
from theory.relu import ReluNetwork, TooManyTilesError
from theory.trades.sharper import sharper_bound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from theory.ball import Ball
    from theory.numbers import Exact
    from theory.relu import NetworkRisks


def network_bounds(
    network: ReluNetwork,
    law: BoxDistribution,
    ball: Ball,
    risks: NetworkRisks,
    losses: Sequence[str | Loss],
    lam: Exact = 1,
    *,
    depth: int = DEPTH,
    max_tiles: int = MAX_TILES,
) -> dict[str, BoundReport]:
    """The two sides and their terms by the name of the loss, as `theory.bounds.excess_robust_risk_bound` names them.

    ``risks`` are the network's under the law (`theory.relu.network_risks`). The surrogate risk is exact for piecewise
    linear losses, the adversary's term is enclosed by a grid of depth ``depth``; the ``width`` of an enclosure says how
    well. Raises as `margin_law`, `prices` and `expectation` do.

    >>> from theory import Ball
    >>> from theory.relu import network_risks
    >>> from toy import halves
    >>> steep, law, ball = ReluNetwork([([[8.0, 0.0]], [-4.0])]), halves.distribution(), Ball("1/16")
    >>> found = network_bounds(steep, law, ball, network_risks(steep, law, ball), ["hinge"])["hinge"]
    >>> found.terms["surrogate_risk"].fraction, found.lhs.fraction, found.terms["boundary_probability"].fraction
    (Fraction(1, 8), Fraction(1, 8), Fraction(1, 8))
    """
    positive(lam)
    cells = prices(network, law, ball, depth)
    near = _near(risks.classifier, law, ball)
    least = as_enclosure(bayes_risk(law))
    return {
        phi.name: _report(phi, surrogate_risk(network, law, phi, max_tiles=max_tiles),
                          optimal_surrogate_risk(law, phi), adversarial_surrogate(cells, phi, lam), near, least, risks)
        for phi in map(as_loss, losses)
    }  # fmt: skip


def surrogate_risk(
    network: ReluNetwork, law: BoxDistribution, loss: str | Loss, *, max_tiles: int = MAX_TILES, depth: int = 11
) -> Enclosure:
    """R_phi(f) = E phi(f(X) Y), from the linear pieces; with too many of them, from bounds on the cells of a grid."""
    phi = as_loss(loss)
    try:
        return rounded(expectation(phi, margin_law(network, law, phi, max_tiles)))
    except TooManyTilesError:
        least, most = margins_on_cells(network, law, phi, depth)
        return rounded(Enclosure(expectation(phi, least).lo, expectation(phi, most).hi, ("cells of a grid",)))


def _report(
    phi: Loss, risk: Enclosure, best: Enclosure, price: Enclosure, near: Enclosure, least: Enclosure,
    risks: NetworkRisks,
) -> BoundReport:  # fmt: skip
    excess = rounded(maximum(risk - best, 0))
    inverse = as_enclosure(psi_inverse(phi, excess))
    short = risks.rounded()
    lhs, rhs = short.robust - least, inverse + price
    terms = {
        "surrogate_risk": risk,
        "optimal_surrogate_risk": best,
        "excess": excess,
        "psi_inverse": inverse,
        "standard_risk": short.standard,
        "robust_risk": short.robust,
        "bayes_risk": least,
        "boundary_risk": short.boundary,
        "boundary_probability": near,
        "adversarial": price,
        "first": inverse + short.boundary,
        "sharper": sharper_bound(phi, excess, near),
    }
    return BoundReport(lhs, rhs, rhs - lhs, terms)


def _near(f: RegionClassifier, law: BoxDistribution, ball: Ball) -> Enclosure:
    """Pr[X in B(DB(f), eps)]: every point errs for a label or the other, and those of the boundary event, whose ball
    holds both signs or a 0, may be brought to err for both. So it is P(reach of wrong(-1)) + P(reach of wrong(+1)) - 1.
    """

    def total(g: RegionClassifier) -> Fraction:
        reach = [reach_of(error_event(g, law, y), law, ball) for y in law.labels]
        masses = (law.mass(event, y) for event in reach for y in law.labels)
        return sum((Fraction(mass) for mass in masses), Fraction(-1))

    if not any(isinstance(region, Between) for region in f.regions.values()):
        return rounded(Enclosure.exact(total(f)))
    low = RegionClassifier({y: region.outer for y, region in f.regions.items()})
    high = RegionClassifier({y: region.inner for y, region in f.regions.items()})
    ends = max(total(low), Fraction(0)), min(total(high), Fraction(1))
    return rounded(Enclosure(*ends, ("inner and outer polygons",)))

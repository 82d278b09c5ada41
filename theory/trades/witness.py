"""The laws and scores of TRADES' Theorem 3.2, constructed and checked: where its upper bound is tight.

For a calibrated loss phi >= 0 with phi(u) -> 0 for u -> +infinity, any theta in [0, 1] and any xi > 0 there are a law,
a score f and lambda > 0 with R_rob(f) - R* = theta and, with E = E max phi(f(X')f(X)/lambda),

    psi(theta - E) <= R_phi(f) - R*_phi <= psi(theta - E) + xi.

What the printed statement leaves out, and what is done about it:

- theta - E may be negative (at theta = 0 it always is when phi > 0): psi is extended by 0.
- f < 0 has to come close to H_minus, an infimum over f <= 0: phi has to be continuous at 0, or at least have the same
  infimum over f < 0. Otherwise there may be no witness, and none is made.
- E -> 0 for lambda -> 0 needs f bounded away from 0, which a score with two values is.

One point with eta = (1 + theta)/2 is enough where psi = psi_tilde; elsewhere theta lies between two points alpha of
contact of psi with psi_tilde, and two points with eta = (1 + alpha)/2 are needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from theory.ball import Ball
from theory.bounds import adversarial_surrogate, optimal_surrogate_risk, surrogate_risk
from theory.calibration import H_minus, conditional_risk, is_calibrated, psi, psi_tilde
from theory.classifiers import bayes_risk
from theory.closed_forms import closed_form
from theory.distributions import FiniteDistribution
from theory.enclosure import Enclosure, as_enclosure, maximum
from theory.envelope import transform
from theory.loss import Loss, as_loss
from theory.numbers import Exact, as_fraction
from theory.polyline import PiecewiseLinear
from theory.risks import robust_risk
from theory.scores import Score

_HALVINGS = 60


@dataclass(frozen=True, slots=True)
class Witness:
    """A law on the points 0 and 1, a score with a value on each, lambda, and the theorem's numbers.

    ``contacts`` are the pairs (alpha, mass): eta = (1 + alpha)/2 there. ``excess_robust_risk`` = R_rob - R* = theta;
    ``adversarial`` = E; ``lower`` = psi(theta - E); ``excess`` = R_phi - R*_phi; ``upper`` = lower + xi.
    """

    loss: Loss
    theta: Fraction
    xi: Fraction
    ball: Ball
    law: FiniteDistribution
    score: Score
    lam: Fraction
    contacts: tuple[tuple[Fraction, Fraction], ...]
    excess_robust_risk: Fraction
    adversarial: Enclosure
    lower: Enclosure
    excess: Enclosure
    upper: Enclosure

    @property
    def verified(self) -> bool:
        """Whether theta and both inequalities are certain from the enclosures alone."""
        sides = self.lower.hi <= self.excess.lo and self.excess.hi <= self.upper.lo
        return sides and self.excess_robust_risk == self.theta


def tightness_witness(loss: str | Loss, theta: Exact, xi: Exact, *, eps: Exact = "1/10") -> Witness:
    """A law, a score and a lambda as Theorem 3.2 promises, for the l-infinity ball of radius ``eps``.

    Raises ``ValueError`` for theta outside [0, 1], xi <= 0, and a loss that does not meet the premises: non-negative,
    calibrated, phi(u) -> 0, and scores below 0 that come as close to H_minus as those that may be 0.

    >>> found = tightness_witness("exponential", "1/2", "1/100")
    >>> f"{found.excess:.5f}", f"{found.lower:.5f}", found.lam, found.verified
    ('[0.13593, 0.13594]', '[0.13378, 0.13379]', Fraction(1, 524288), True)
    >>> tightness_witness("asymmetric_hinge", "1/4", "1/100").contacts
    ((Fraction(0, 1), Fraction(3, 4)), (Fraction(1, 1), Fraction(1, 4)))
    """
    phi, theta, xi = as_loss(loss), as_fraction(theta, "theta"), as_fraction(xi, "xi")
    _check(phi, theta, xi)
    contacts = _contacts(phi, theta, xi / 3)
    values = [-_score_size(phi, (1 + alpha) / 2, xi / 3) for alpha, _ in contacts]
    masses = [(mass * (1 - alpha) / 2, mass * (1 + alpha) / 2) for alpha, mass in contacts]
    if len(contacts) == 1:  # the theorem wants two points; the second has no mass
        values, masses = [*values, values[0]], [*masses, (Fraction(0), Fraction(0))]
    minus, plus = zip(*masses, strict=True)
    law, ball = FiniteDistribution.of_points([(0,), (1,)], {-1: minus, +1: plus}), Ball(eps)
    score = Score.of_values(law.space, values)
    excess = maximum(surrogate_risk(score, law, phi) - optimal_surrogate_risk(law, phi), 0)
    gained = robust_risk(score.classifier(), law, ball).fraction - bayes_risk(law)
    lam = max(values) ** 2
    for _ in range(_HALVINGS):
        price = adversarial_surrogate(score, law, ball, phi, lam)
        lower = _psi_extended(phi, theta - price)
        if excess.hi <= lower.lo + xi:
            upper = lower + xi
            return Witness(phi, theta, xi, ball, law, score, lam, contacts, gained, price, lower, excess, upper)
        lam /= 2
    raise ValueError(
        f"xi {xi} is finer than what is known of loss {phi.name!r}: E is at most {price} and the excess {excess}, "
        f"psi(theta) {psi(phi, theta)}"
    )


def _check(phi: Loss, theta: Fraction, xi: Fraction) -> None:
    if not 0 <= theta <= 1:
        raise ValueError(f"theta {theta} is outside [0, 1]; it is a difference of two risks")
    if xi <= 0:
        raise ValueError(f"xi {xi} is not positive; the bound is approached, not attained")
    if phi.non_negative is not True:
        raise ValueError(f"loss {phi.name!r} is not known to be non-negative, a premise of Theorem 3.2")
    if phi.limit != 0:
        tends = "has no declared limit" if phi.limit is None else f"tends to {phi.limit}"
        raise ValueError(f"loss {phi.name!r} {tends}; Theorem 3.2 needs phi(u) -> 0 for u -> +infinity")
    if not is_calibrated(phi):
        raise ValueError(f"loss {phi.name!r} is not classification-calibrated, a premise of Theorem 3.2")


def _contacts(phi: Loss, theta: Fraction, room: Fraction) -> tuple[tuple[Fraction, Fraction], ...]:
    """(alpha, mass) with mean theta at which psi_tilde averages to psi(theta), up to ``room`` where psi is enclosed."""
    if closed_form(phi) or theta in (0, 1):
        return ((theta, Fraction(1)),)
    model = transform(phi)
    apart = as_enclosure(psi_tilde(phi, theta)).hi - as_enclosure(psi(phi, theta)).lo
    if apart <= (room if model.how else 0):
        return ((theta, Fraction(1)),)
    knots = [knot.x for knot in model.psi_hi.knots]
    left, right = max(x for x in knots if x <= theta), min(x for x in knots if x >= theta)
    if left == right:
        return ((theta, Fraction(1)),)
    share = (theta - left) / (right - left)
    return ((left, 1 - share), (right, share))


def _score_size(phi: Loss, eta: Fraction, room: Fraction) -> Fraction:
    """s > 0 such that the score -s costs at most H_minus(eta) + room."""
    least = as_enclosure(H_minus(phi, eta))
    for size in _sizes(phi, eta):
        if (phi.radius is None or size <= phi.radius) and _cost(phi, eta, size).hi <= least.hi + room:
            return size
    raise ValueError(
        f"no score below 0 was found that costs at most H_minus + {room} = {least + room} at eta = {eta}; loss "
        f"{phi.name!r} has to be continuous at 0, or as cheap on scores < 0 as on scores <= 0 (Theorem 3.2)"
    )


def _cost(phi: Loss, eta: Fraction, size: Fraction) -> Enclosure:
    return as_enclosure(conditional_risk(phi, eta, -size))


def _sizes(phi: Loss, eta: Fraction) -> Iterator[Fraction]:
    """Candidates: simple ones first, then the bends of a piecewise linear loss, then a search in floats."""
    yield from (Fraction(1, 2**k) for k in range(_HALVINGS))
    if isinstance(phi.formula, PiecewiseLinear):
        bends = {abs(knot.x) for knot in phi.formula.knots} - {0}
        yield from bends
        yield from (size for bend in bends for k in range(1, _HALVINGS) for size in _beside(bend, k))
    yield from (Fraction(2**k) for k in range(1, 12))
    grid = np.exp2(np.linspace(-30, 11, 4001))
    for _ in range(4):
        costs: Any = float(eta) * phi.phi(-grid) + float(1 - eta) * phi.phi(grid)
        best = int(np.argmin(costs))
        grid = np.linspace(grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)], 201)
        yield Fraction(float(grid[len(grid) // 2])).limit_denominator(10**9)


def _beside(bend: Fraction, k: int) -> tuple[Fraction, Fraction]:
    return bend * (1 - Fraction(1, 2**k)), bend * (1 + Fraction(1, 2**k))


def _psi_extended(phi: Loss, theta: Enclosure) -> Enclosure:
    """psi, and 0 at negative numbers."""
    if theta.hi <= 0:
        return Enclosure.exact(0)
    lo, hi = max(theta.lo, Fraction(0)), min(theta.hi, Fraction(1))
    return as_enclosure(psi(phi, Enclosure(lo, hi, theta.how, theta.alpha)))

"""TRADES' Theorem 3.1 with both sides computed, as printed and corrected, and a bound that is sharper than it.

For a score f, loss phi and lambda > 0 (TRADES, Theorem 3.1):

    R_rob(f) - R*  <=  psi^-1(R_phi(f) - R*_phi) + R_bdy(f)  <=  psi^-1(R_phi(f) - R*_phi) + E max phi(f(X')f(X)/lambda)

The first inequality needs Pr[f(X) = 0] = 0, or the sign convention throughout; the second needs phi >= 1 on u <= 0. A
``BoundReport`` gives both sides; whether the premises hold is for the caller to see (``theorem_31`` refuses nothing).

**A sharper bound.** With e = R_phi - R*_phi and s = Pr[X in B(DB(f), eps)]:

    R_rob(f) - R*  <=  s + (1 - s) psi^-1(min(psi(1), e / (1 - s))).

Proof. Where X is not in B(DB(f), eps), f has one sign on the ball and errs under attack only if it errs at X, so
R_rob - R* <= s + E 1[X not in B] Z with Z = 1[f(X)(2 eta - 1) <= 0] |2 eta - 1|. The conditional excess surrogate risk
at x is at least psi(Z), so by Jensen psi(E[Z | X not in B]) <= E[psi(Z) | X not in B] <= e / (1 - s). [] It is attained
in the limit by boundary points with |2 eta - 1| = 1 whose neighbours' scores tend to 0, and Theorem 3.2's points
elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.calibration import H, psi, psi_inverse
from theory.classifiers import RegionClassifier, bayes_risk
from theory.density import common_values
from theory.distributions import BoxDistribution, FiniteDistribution
from theory.enclosure import Enclosure, as_enclosure, minimum
from theory.loss import Loss, as_loss
from theory.numbers import Exact, as_fraction
from theory.risks import boundary_risk, robust_risk, standard_risk
from theory.scores import Score, score_of

if TYPE_CHECKING:
    from theory.ball import Ball

Scored = Score | RegionClassifier


@dataclass(frozen=True, slots=True)
class BoundReport:
    """An inequality lhs <= rhs with both sides computed; ``gap`` = rhs - lhs; ``terms`` by name."""

    lhs: Enclosure
    rhs: Enclosure
    gap: Enclosure
    terms: Mapping[str, Enclosure]


def surrogate_risk(f: Scored, dist: Any, loss: str | Loss) -> Enclosure:
    """R_phi(f) = E phi(f(X) Y) (TRADES, section 2.5).

    >>> from theory import FiniteDistribution
    >>> law = FiniteDistribution.of_points([("0",), ("1",)], {-1: ["1/2", 0], +1: [0, "1/2"]})
    >>> surrogate_risk(Score.of_values(law.space, ["-1/2", 2]), law, "hinge").fraction
    Fraction(1, 4)
    """
    phi = as_loss(loss)
    total = Enclosure.exact(0)
    for value, event in score_of(f).levels:
        for y in dist.labels:
            mass = dist.mass(dist.event(event), y)
            if not _is_zero(mass):
                total = total + phi.enclose(value * y) * mass
    return total


def optimal_surrogate_risk(dist: Any, loss: str | Loss) -> Enclosure:
    """R*_phi = E H(eta(X)), the infimum over all measurable scores (not always attained)."""
    phi = as_loss(loss)
    total = Enclosure.exact(0)
    for eta, mass in conditional_law(dist):
        total = total + as_enclosure(H(phi, eta)) * mass
    return total


def conditional_law(dist: Any) -> list[tuple[Fraction, Fraction]]:
    """The law of eta(X) = P(Y = +1 | X) as (value, mass) pairs, for finite and box laws with labels -1 and +1."""
    _binary(dist)
    found: dict[Fraction, Fraction] = {}
    if isinstance(dist, FiniteDistribution):
        pairs = [(minus, plus) for minus, plus in zip(dist.masses[-1], dist.masses[+1], strict=True)]
    elif isinstance(dist, BoxDistribution):
        pairs = _cell_masses(dist)
    else:
        raise TypeError(f"{type(dist).__name__} has no finite law of eta; allowed are finite and box laws")
    for minus, plus in pairs:
        if (mass := minus + plus) > 0:
            found[plus / mass] = found.get(plus / mass, Fraction(0)) + mass
    return sorted(found.items())


def _cell_masses(dist: BoxDistribution) -> list[tuple[Fraction, Fraction]]:
    from theory.boxes import Boxes

    edges, values, places = common_values([dist.densities[-1], dist.densities[+1]])
    cells = [(pair, Boxes.on_grid(edges, places == k).volume()) for k, pair in enumerate(values) if any(pair)]
    return [(minus * volume, plus * volume) for (minus, plus), volume in cells]


def adversarial_surrogate(f: Scored, dist: Any, ball: Ball, loss: str | Loss, lam: Exact = 1) -> Enclosure:
    """E max over X' in the ball of phi(f(X') f(X) / lam) (TRADES, Theorem 3.1, the regulariser).

    For each value v of f, the values that the ball around a point of {f = v} meets are tried in order of decreasing
    price: the price is paid on the first one that is reached. Raises ``ValueError`` for lam <= 0.
    """
    phi, lam = as_loss(loss), _positive(lam)
    score = score_of(f)
    reach = [(w, ball.reach(dist.event(event), dist.domain)) for w, event in score.levels]
    total = Enclosure.exact(0)
    for v, event in score.levels:
        left = dist.event(event)
        prices = [(phi.enclose(v * w / lam), near) for w, near in reach]
        for price, near in sorted(prices, key=lambda item: item[0].hi, reverse=True):
            for y in dist.labels:
                mass = dist.mass(left & near, y)
                if not _is_zero(mass):
                    total = total + price * mass
            left = left - near
    return total


def excess_robust_risk_bound(
    f: Scored, dist: Any, ball: Ball, loss: str | Loss, lam: Exact = 1, *, convention: str = "paper"
) -> BoundReport:
    """Both sides of TRADES, Theorem 3.1, end to end, with every term of the chain and of the sharper bound.

    ``lhs`` = R_rob - R*, ``rhs`` = psi^-1(e) + E max phi. ``terms``: surrogate_risk, optimal_surrogate_risk, excess,
    psi_inverse, standard_risk, robust_risk, bayes_risk, boundary_risk, boundary_probability, zero_mass,
    adversarial, first (psi^-1(e) + R_bdy), corrected (first + min_y Pr[f(X) = 0, Y = y]) and sharper.

    Raises ``ValueError`` for lam <= 0, an unknown convention or labels other than -1 and +1.

    >>> from theory import Ball, FiniteDistribution
    >>> law = FiniteDistribution.of_points([("0",)], {-1: ["1/2"], +1: ["1/2"]})
    >>> zero = excess_robust_risk_bound(Score.of_values(law.space, [0]), law, Ball(0), "hinge")
    >>> zero.lhs.fraction, zero.terms["first"].fraction, zero.terms["corrected"].fraction   # the first one fails at 0
    (Fraction(1, 2), Fraction(0, 1), Fraction(1, 2))
    """
    _binary(dist)
    score, phi = score_of(f), as_loss(loss)
    classifier = score.classifier(convention)
    risk, best = surrogate_risk(score, dist, phi), optimal_surrogate_risk(dist, phi)
    excess = _non_negative(risk - best)
    inverse = as_enclosure(psi_inverse(phi, excess))
    robust, least = robust_risk(classifier, dist, ball), as_enclosure(bayes_risk(dist))
    crossing = as_enclosure(boundary_risk(classifier, dist, ball))
    near = score.boundary(ball, dist, convention)
    probability = as_enclosure(sum((dist.mass(near, y) for y in dist.labels), Fraction(0)))
    adversarial = adversarial_surrogate(score, dist, ball, phi, lam)
    zero = score.where(lambda v: v == 0)
    zero_masses = [dist.mass(dist.event(zero), y) if zero is not None else Fraction(0) for y in dist.labels]
    first = inverse + crossing
    lhs, rhs = robust - least, inverse + adversarial
    terms = {
        "surrogate_risk": risk,
        "optimal_surrogate_risk": best,
        "excess": excess,
        "psi_inverse": inverse,
        "standard_risk": standard_risk(classifier, dist),
        "robust_risk": robust,
        "bayes_risk": least,
        "boundary_risk": crossing,
        "boundary_probability": probability,
        "zero_mass": as_enclosure(sum(zero_masses, Fraction(0))),
        "adversarial": adversarial,
        "first": first,
        "corrected": first + minimum(*zero_masses),
        "sharper": sharper_bound(phi, excess, probability),
    }
    return BoundReport(lhs, rhs, rhs - lhs, terms)


def sharper_bound(loss: str | Loss, excess: Enclosure | Exact, probability: Enclosure | Exact) -> Enclosure:
    """s + (1 - s) psi^-1(min(psi(1), e / (1 - s))), increasing in e and in s; 1 at s = 1.

    >>> f"{sharper_bound('exponential', Fraction(1, 5), Fraction(1, 2)):.6f}"   # psi^-1(e) + s would be 1.1
    '0.900000'
    """
    phi = as_loss(loss)
    e, s = as_enclosure(excess), as_enclosure(probability)
    top = as_enclosure(psi(phi, Fraction(1)))

    def at(excess_end: Any, share: Any) -> Enclosure:
        if share >= 1:
            return Enclosure.exact(1)
        inner = minimum(top, as_enclosure(Fraction(excess_end) / (1 - Fraction(share))))
        bound: Enclosure = share + (1 - share) * as_enclosure(psi_inverse(phi, inner))
        return bound

    if e.is_exact and s.is_exact:
        return at(e.lo, s.lo)
    low, high = at(max(e.lo, Fraction(0)), max(s.lo, Fraction(0))), at(e.hi, min(s.hi, Fraction(1)))
    return Enclosure(low.lo, high.hi, (*e.how, *high.how), min(Fraction(1), e.alpha + s.alpha))


def _binary(dist: Any) -> None:
    if dist.labels != (-1, 1):
        raise ValueError(f"labels {list(dist.labels)} are not -1 and +1, which margin losses need")


def _positive(lam: Exact) -> Fraction:
    number = as_fraction(lam, "lam")
    if number <= 0:
        raise ValueError(f"lam {lam} is not positive; lambda scales a product of scores")
    return number


def _non_negative(x: Enclosure) -> Enclosure:
    """An excess is at least 0 by definition: rounding may have put the lower end below."""
    return x if x.lo >= 0 else Enclosure(Fraction(0), x.hi, x.how, x.alpha)


def _is_zero(mass: Any) -> bool:
    return isinstance(mass, Fraction | int) and mass == 0

"""TRADES' Theorem 3.1 with both sides computed, as printed and corrected, and a bound that is sharper than it.

For a score f, loss phi and lambda > 0 (TRADES, Theorem 3.1):

    R_rob(f) - R*  <=  psi^-1(R_phi(f) - R*_phi) + R_bdy(f)  <=  psi^-1(R_phi(f) - R*_phi) + E max phi(f(X')f(X)/lambda)

The first inequality needs Pr[f(X) = 0] = 0, or the sign convention throughout; the second needs phi >= 1 on u <= 0. A
``BoundReport`` gives both sides whether these premises hold or not; `broken_premises` names the ones that fail. Also
here: eq (1) and Lemma C.6, both sides in both conventions, and in mixtures of the two, which break them.

A bound that is sharper than the right side is in `theory.trades.sharper`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.calibration import H, psi_inverse
from theory.classifiers import RegionClassifier, bayes_risk
from theory.elementary import plain
from theory.enclosure import Enclosure, as_enclosure
from theory.loss import Loss, as_loss
from theory.numbers import Exact, as_fraction
from theory.scores import Score, eta_levels, score_of
from theory.trades.sharper import sharper_bound

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


# ---- surrogate risks ----


def surrogate_risk(f: Scored, dist: Any, loss: str | Loss) -> Enclosure:
    """R_phi(f) = E phi(f(X) Y) (TRADES, section 2.5).

    >>> from theory import FiniteDistribution
    >>> law = FiniteDistribution.of_points([("0",), ("1",)], {-1: ["1/2", 0], +1: [0, "1/2"]})
    >>> surrogate_risk(Score.of_values(law.space, ["-1/2", 2]), law, "hinge").fraction
    Fraction(1, 4)
    """
    phi = as_loss(loss)
    total: Any = Fraction(0)
    for value, event in score_of(f).levels:
        place = dist.event(event)
        for y in dist.labels:
            if not _is_zero(mass := dist.mass(place, y)):
                total = total + plain(phi.enclose(value * y)) * mass
    return as_enclosure(total)


def optimal_surrogate_risk(dist: Any, loss: str | Loss) -> Enclosure:
    """R*_phi = E H(eta(X)), the infimum over all measurable scores (not always attained)."""
    phi = as_loss(loss)
    total: Any = Fraction(0)
    for eta, mass in conditional_law(dist):
        total = total + H(phi, eta) * mass
    return as_enclosure(total)


def conditional_law(dist: Any) -> list[tuple[Fraction, Fraction]]:
    """The law of eta(X) = Pr[Y = +1 | X] as (value, mass) pairs, for finite and box laws with labels -1 and +1."""
    found = [(eta, _total_mass(dist, event)) for eta, event in eta_levels(dist) if eta is not None]
    return [(eta, mass) for eta, mass in found if mass > 0]


def adversarial_surrogate(f: Scored, dist: Any, ball: Ball, loss: str | Loss, lam: Exact = 1) -> Enclosure:
    """E max over X' in the ball of phi(f(X') f(X) / lam) (TRADES, Theorem 3.1, the regulariser).

    For each value v of f, the values that the ball around a point of {f = v} meets are tried in order of decreasing
    price: the price is paid on the first one that is reached. Raises ``ValueError`` for lam <= 0.
    """
    phi, lam = as_loss(loss), positive(lam)
    return dearest(score_of(f), dist, ball, lambda v, w: plain(phi.enclose(v * w / lam)))


def dearest(
    score: Score, dist: Any, ball: Ball, price: Callable[[Any, Any], Any], labels: tuple[int, ...] | None = None
) -> Enclosure:
    """E max over X' in the ball of price(f(X), f(X')), where Y is one of the ``labels`` (all of them by default)."""
    labels = dist.labels if labels is None else labels
    places = [(v, dist.event(event)) for v, event in score.levels]
    reach = [(w, ball.reach(place, dist.domain)) for w, place in places]
    total: Any = Fraction(0)
    for v, left in places:
        open_ = _mass(dist, left, labels)
        if _is_zero(open_):
            continue
        prices = [(price(v, w), near) for w, near in reach]
        for cost, near in sorted(prices, key=lambda item: as_high(item[0]), reverse=True):
            mass = _mass(dist, left & near, labels)
            if _is_zero(mass):
                continue
            total = total + cost * mass
            open_ = open_ - mass
            if _is_zero(open_):
                break
            left = left - near  # noqa: PLW2901 - what is still to be paid for
    return as_enclosure(total)


# ---- Theorem 3.1 ----


def excess_robust_risk_bound(
    f: Scored, dist: Any, ball: Ball, loss: str | Loss, lam: Exact = 1, *, convention: str = "paper"
) -> BoundReport:
    """Both sides of TRADES, Theorem 3.1, end to end, with every term of the chain and of the sharper bound.

    ``lhs`` = R_rob - R*, ``rhs`` = psi^-1(e) + E max phi. ``terms``: surrogate_risk, optimal_surrogate_risk, excess,
    psi_inverse, standard_risk, robust_risk, bayes_risk, boundary_risk, boundary_probability, zero_mass,
    adversarial, first (psi^-1(e) + R_bdy), corrected (first + min_y Pr[f(X) = 0, Y = y]) and sharper.

    Raises ``ValueError`` for lam <= 0, an unknown convention or labels other than -1 and +1, and for a loss that is
    negative somewhere.

    >>> from theory import Ball, FiniteDistribution
    >>> law = FiniteDistribution.of_points([("0",)], {-1: ["1/2"], +1: ["1/2"]})
    >>> zero = excess_robust_risk_bound(Score.of_values(law.space, [0]), law, Ball(0), "hinge")
    >>> zero.lhs.fraction, zero.terms["first"].fraction, zero.terms["corrected"].fraction   # the first one fails at 0
    (Fraction(1, 2), Fraction(0, 1), Fraction(1, 2))
    """
    score, phi = score_of(f), as_loss(loss)
    risk, best = surrogate_risk(score, dist, phi), optimal_surrogate_risk(dist, phi)
    excess = _non_negative(risk - best)
    inverse = as_enclosure(psi_inverse(phi, excess))
    seen = _Crossing.of(score, dist, ball, convention)
    standard, robust = seen.risks(dist)
    least, crossing = as_enclosure(bayes_risk(dist)), as_enclosure(robust) - standard
    probability = as_enclosure(_total_mass(dist, seen.boundary))
    adversarial = adversarial_surrogate(score, dist, ball, phi, lam)
    zero = dist.event(score.where(0))
    zero_masses = [dist.mass(zero, y) for y in dist.labels]
    first = inverse + crossing
    lhs, rhs = robust - least, inverse + adversarial
    terms = {
        "surrogate_risk": risk,
        "optimal_surrogate_risk": best,
        "excess": excess,
        "psi_inverse": inverse,
        "standard_risk": as_enclosure(standard),
        "robust_risk": as_enclosure(robust),
        "bayes_risk": least,
        "boundary_risk": crossing,
        "boundary_probability": probability,
        "zero_mass": as_enclosure(sum(zero_masses, Fraction(0))),
        "adversarial": adversarial,
        "first": first,
        "corrected": first + min(zero_masses),
        "sharper": sharper_bound(phi, excess, probability),
    }
    return BoundReport(lhs, rhs, rhs - lhs, terms)


def broken_premises(f: Scored, dist: Any, loss: str | Loss, *, convention: str = "paper") -> tuple[str, ...]:
    """The premises of Theorem 3.1 that fail or are not declared, one sentence each; () where the theorem holds.

    Beside the printed ones (calibration, phi >= 0, phi(0) >= 1) those that the proof needs: phi >= 1 on all of u <= 0
    for the second inequality, and Pr[f(X) = 0] = 0 for the first in the paper's convention.

    >>> from theory import FiniteDistribution
    >>> law = FiniteDistribution.of_points([(0,)], {-1: ["1/2"], +1: ["1/2"]})
    >>> broken_premises(Score.of_values(law.space, [0]), law, "dipping_hinge")
    ('phi >= 1 on u <= 0 fails for dipping_hinge', 'Pr[f(X) = 0] = 1, and score 0 errs for both labels')
    """
    phi, score = as_loss(loss), score_of(f)
    traits = {
        "phi >= 0": phi.non_negative,
        "calibration": phi.calibrated,
        "phi >= 1 on u <= 0": phi.at_least_one_left,
    }
    broken = [
        f"{trait} {'fails for' if holds is False else 'is not declared of'} {phi.name}"
        for trait, holds in traits.items()
        if not holds
    ]
    zero = _total_mass(dist, dist.event(score.where(0)))
    if convention == "paper" and not _is_zero(zero):
        broken.append(f"Pr[f(X) = 0] = {zero}, and score 0 errs for both labels")
    return tuple(broken)


# ---- eq (1) and Lemma C.6 ----


@dataclass(frozen=True, slots=True)
class _Crossing:
    """The regions of a score in one convention, what the adversary reaches, and the boundary event B(DB(f), eps)."""

    right: Mapping[int, Any]
    far: Mapping[int, Any]
    boundary: Any

    @classmethod
    def of(cls, score: Score, dist: Any, ball: Ball, convention: str) -> _Crossing:
        regions = score.classifier(convention).regions
        right = {y: dist.event(regions[y]) for y in (-1, +1)}
        far = {y: ball.reach(~right[y], dist.domain) for y in (-1, +1)}
        boundary = (right[+1] & far[+1]) | (right[-1] & far[-1]) | ~(right[-1] | right[+1])
        return cls(right, far, boundary)

    def risks(self, dist: Any) -> tuple[Any, Any]:
        """R_nat and R_rob."""
        kept = sum((dist.mass(self.right[y], y) for y in dist.labels), Fraction(0))
        return 1 - kept, sum((dist.mass(self.far[y], y) for y in dist.labels), Fraction(0))


def robust_risk_decomposition(
    f: Scored,
    dist: Any,
    ball: Ball,
    convention: str = "paper",
    *,
    natural: str | None = None,
    boundary: str | None = None,
) -> BoundReport:
    """TRADES, eq (1): R_rob = R_nat + R_bdy with R_bdy = Pr[X in B(DB(f), eps), f right at X], each side on its own.

    ``convention`` is that of R_rob; ``natural`` (of R_nat) and ``boundary`` (of R_bdy) default to it. With one
    convention throughout the two sides are equal, for every score and law; mixtures are not.

    >>> from theory import Ball, FiniteDistribution
    >>> law = FiniteDistribution.of_points([(0,), (1,)], {-1: [0, 0], +1: [1, 0]})
    >>> touching = Score.of_values(law.space, [1, 0])
    >>> robust_risk_decomposition(touching, law, Ball(1)).gap.fraction
    Fraction(0, 1)
    >>> robust_risk_decomposition(touching, law, Ball(1), "sign", boundary="paper").gap.fraction
    Fraction(1, 1)
    """
    score = score_of(f)
    chosen = (convention, natural or convention, boundary or convention)
    seen = {c: _Crossing.of(score, dist, ball, c) for c in dict.fromkeys(chosen)}
    robust, standard = seen[chosen[0]].risks(dist)[1], seen[chosen[1]].risks(dist)[0]
    there = seen[chosen[2]]
    crossing = sum((dist.mass(there.boundary & there.right[y], y) for y in dist.labels), Fraction(0))
    return _equality(robust, standard + crossing, standard_risk=standard, boundary_risk=crossing)


def excess_decomposition(
    f: Scored, dist: Any, ball: Ball, convention: str = "paper", *, boundary: str | None = None
) -> BoundReport:
    """TRADES, Lemma C.6, each side on its own, with B = B(DB(f), eps) and f* = 2 eta - 1:

        R_rob - R* = E 1[sign f(X) != sign f*(X), X not in B] |2 eta(X) - 1| + Pr[X in B, sign f*(X) = Y].

    ``convention`` is that of R_rob; ``boundary`` (of B) defaults to it. With one convention the two sides are equal,
    ties eta = 1/2 and zeros of f included; the lemma's proof mixes the sign convention with the paper's B, and then
    they are not. Proof: on B the adversary errs for either label, which costs 1 against min(eta, 1 - eta), so
    max(eta, 1 - eta) more; off B the score has one sign on the ball, and costs |2 eta - 1| more where it is wrong. []

    >>> from theory import Ball, FiniteDistribution
    >>> law = FiniteDistribution.of_points([(0,), (1,)], {-1: [0, 0], +1: [1, 0]})
    >>> mixed = excess_decomposition(Score.of_values(law.space, [1, 0]), law, Ball(1), "sign", boundary="paper")
    >>> mixed.lhs.fraction, mixed.rhs.fraction
    (Fraction(0, 1), Fraction(1, 1))
    """
    score = score_of(f)
    seen = _Crossing.of(score, dist, ball, convention)
    near = seen.boundary if boundary in (None, convention) else _Crossing.of(score, dist, ball, boundary or "").boundary
    best, _ = dist.most_likely(+1)
    wrong, crossing = Fraction(0), Fraction(0)
    for y in dist.labels:
        place = dist.event(best[y])
        crossing += dist.mass(place & near, y)
        signed = dist.event(score.classifier("sign").regions[-y])
        missed = (place & signed) - near
        wrong += dist.mass(missed, y) - dist.mass(missed, -y)
    return _equality(seen.risks(dist)[1] - bayes_risk(dist), wrong + crossing, wrong_sign=wrong, boundary=crossing)


def _equality(lhs: Any, rhs: Any, **terms: Any) -> BoundReport:
    left, right = as_enclosure(lhs), as_enclosure(rhs)
    return BoundReport(left, right, right - left, {name: as_enclosure(x) for name, x in terms.items()})


# ---- machinery ----


def positive(lam: Exact) -> Fraction:
    """lambda as a Fraction; raises ``ValueError`` unless it is positive."""
    number = as_fraction(lam, "lam")
    if number <= 0:
        raise ValueError(f"lam {lam} is not positive; lambda scales a product of scores")
    return number


def as_high(x: Any) -> Any:
    """The upper end of a Fraction or an enclosure."""
    return x.hi if isinstance(x, Enclosure) else x


def _total_mass(dist: Any, event: Any) -> Any:
    return _mass(dist, event, dist.labels)


def _mass(dist: Any, event: Any, labels: tuple[int, ...]) -> Any:
    return sum((dist.mass(event, y) for y in labels), Fraction(0))


def _non_negative(x: Enclosure) -> Enclosure:
    """An excess is at least 0 by definition: rounding may have put the lower end below."""
    return x if x.lo >= 0 else Enclosure(Fraction(0), max(x.hi, Fraction(0)), x.how, x.alpha)


def _is_zero(mass: Any) -> bool:
    return isinstance(mass, Fraction | int) and mass == 0

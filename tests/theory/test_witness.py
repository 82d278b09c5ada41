"""Theorem 3.2's witnesses: constructed for every loss that meets the premises, checked by loops, refused otherwise."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from theory import Ball, FiniteDistribution
from theory.bounds import adversarial_surrogate, optimal_surrogate_risk, surrogate_risk
from theory.calibration import psi, psi_tilde
from theory.enclosure import Enclosure, as_enclosure
from theory.loss import LOSSES, Loss
from theory.risks import robust_risk
from theory.scores import Score
from theory.trades.witness import tightness_witness

GOOD = sorted(set(LOSSES) - {"step", "kinked_hinge"})
THETAS = [Fraction(k, 10) for k in (0, 1, 4, 7, 9, 10)]
PHI = {
    "hinge": lambda u: max(1 - u, 0.0),
    "sigmoid": lambda u: 1 - math.tanh(u),
    "exponential": lambda u: math.exp(-u),
    "logistic": lambda u: math.log2(1 + math.exp(-u)),
}
PSI = {
    "hinge": lambda t: t,
    "sigmoid": lambda t: t,
    "exponential": lambda t: 1 - math.sqrt(1 - t * t),
    "logistic": lambda t: sum((1 + s * t) * math.log2(1 + s * t) for s in (-1, 1) if 1 + s * t) / 2,
}


@pytest.mark.parametrize("loss", GOOD)
def test_every_loss_that_meets_the_premises_has_witnesses(loss):
    for theta in THETAS:
        for xi in (Fraction(1, 5), Fraction(1, 1000)):
            found = tightness_witness(loss, theta, xi)
            assert found.verified
            assert found.excess_robust_risk == theta
            # psi differs from psi_tilde at theta exactly if two points are needed
            differ = as_enclosure(psi_tilde(loss, theta)).lo > as_enclosure(psi(loss, theta)).hi
            assert len(found.contacts) == 1 + differ
            assert sum(mass for _, mass in found.contacts) == 1
            assert sum(alpha * mass for alpha, mass in found.contacts) == theta


@pytest.mark.parametrize("loss", sorted(PHI))
def test_witnesses_by_hand_in_floats(loss):
    """One point with eta = (1 + theta)/2 and score -s: each quantity from the formulas of Table 2."""
    phi, form = PHI[loss], PSI[loss]
    for theta in (0.25, 0.5, 0.875):
        found = tightness_witness(loss, Fraction(theta), "1/100")
        (value, _) = found.score.levels[0]
        s, lam, eta = -float(value), float(found.lam), (1 + theta) / 2
        price = phi(s * s / lam)
        excess = eta * phi(-s) + (1 - eta) * phi(s) - (phi(0) - form(theta))
        assert float(found.adversarial.hi) == pytest.approx(price, rel=1e-9, abs=1e-15)
        assert float(found.lower.hi) == pytest.approx(form(theta - price), rel=1e-9)
        assert float(found.excess.hi) == pytest.approx(excess, rel=1e-9)
        assert form(theta - price) <= excess <= form(theta - price) + 0.01


def test_the_smaller_the_slack_the_closer_the_excess():
    excesses = [tightness_witness("exponential", "1/2", Fraction(1, 10**k)).excess for k in range(1, 7)]
    limit = psi("exponential", Fraction(1, 2)).lo
    assert all(e.hi - limit <= Fraction(1, 10 ** (k + 1)) for k, e in enumerate(excesses))


def test_a_loss_known_only_by_its_values_has_witnesses():
    mine = Loss("mine", lambda u: math.exp(-u), non_increasing=True, convex=True, limit=0, calibrated=True)
    found = tightness_witness(mine, "1/2", "1/20")
    assert len(found.contacts) == 1
    assert found.excess_robust_risk == Fraction(1, 2)
    assert found.excess.hi <= found.upper.lo
    known = tightness_witness("exponential", "1/2", "1/20")
    assert found.excess.lo <= known.excess.hi + Fraction(1, 20)


def test_radii_do_not_matter_to_a_score_of_one_sign():
    for eps in (0, 1, 5):
        assert tightness_witness("asymmetric_hinge", "1/4", "1/100", eps=eps).verified


def test_without_continuity_at_0_no_witness_exists_far_up():
    """phi = 2, 1, 0 left of, at and right of 0; no two points and scores from a grid come near psi(theta) = theta."""
    with pytest.raises(ValueError, match="'step' has to be continuous at 0"):
        tightness_witness("step", "9/10", "1/10")
    grid = [Fraction(k, 4) for k in range(5)]
    best = Fraction(0)
    for w in grid:
        for one in grid:
            for two in grid:
                law = FiniteDistribution.of_points(
                    [(0,), (9,)], {-1: [w * (1 - one), (1 - w) * (1 - two)], +1: [w * one, (1 - w) * two]}
                )
                bayes = sum(min(a, b) for a, b in zip(*law.masses.values(), strict=True))
                for values in ((-1, -1), (-1, 0), (0, 0), (-1, 1), (0, 1), (1, 1)):
                    f = Score.of_values(law.space, values)
                    theta = robust_risk(f.classifier(), law, Ball(1)).fraction - bayes
                    price = adversarial_surrogate(f, law, Ball(1), "step", "1/100").fraction
                    excess = surrogate_risk(f, law, "step").fraction - optimal_surrogate_risk(law, "step").fraction
                    if excess <= max(theta - price, 0) + Fraction(1, 10):
                        best = max(best, theta)
    assert best == Fraction(1, 2)


@pytest.mark.parametrize(
    ("loss", "theta", "xi", "sentence"),
    [
        ("hinge", "11/10", "1/10", r"theta 11/10 is outside \[0, 1\]"),
        ("hinge", "1/2", 0, "xi 0 is not positive"),
        ("kinked_hinge", "1/2", "1/10", "not classification-calibrated"),
        (Loss("sinking", lambda u: -u), "1/2", "1/10", "not known to be non-negative"),
        (Loss("square", lambda u: (1 - u) ** 2, non_negative=True), "1/2", "1/10", "no declared limit"),
        (Loss("high", lambda u: max(2 - u, 1), non_increasing=True, limit=1), "1/2", "1/10", "tends to 1"),
    ],
)
def test_broken_premises_are_named(loss, theta, xi, sentence):
    with pytest.raises(ValueError, match=sentence):
        tightness_witness(loss, theta, xi)


def test_verified_is_no_formality():
    found = tightness_witness("hinge", "1/2", "1/100")
    fields = {name: getattr(found, name) for name in type(found).__slots__}
    for change in ({"theta": Fraction(1, 3)}, {"upper": Enclosure.exact("1/2")}, {"lower": Enclosure.exact("3/4")}):
        assert not type(found)(**{**fields, **change}).verified

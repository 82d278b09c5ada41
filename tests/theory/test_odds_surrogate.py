"""Theorem 3.1 on the ODDS law: integrals against scipy's quadrature and against samples in many dimensions."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from theory.calibration import H
from theory.enclosure import Enclosure
from theory.loss import LOSSES, Loss
from theory.odds.frontier import robust_optimum
from theory.odds.signgaussian import (
    LinearClassifier,
    SignGaussian,
    bayes_classifier,
    boundary_risk,
    margin_law,
    mean_classifier,
    robust_risk,
    sign_classifier,
    standard_risk,
)
from theory.odds.surrogate import indicator_bound, linear_score_bound, optimal_surrogate_risk, scaled_to_distance

LAW = SignGaussian("4/5", "1/2", 4)
GOOD = sorted({loss.name for loss in LOSSES.values() if loss.non_increasing})


def middle(x: Enclosure) -> float:
    return float(Fraction(x.lo + x.hi) / 2)


def integral(g, parts, kinks=()):
    total = 0.0
    for share, mean, sd in parts:
        m, s = middle(mean), middle(sd)
        ends = sorted({m - 12 * s, m + 12 * s, *(k for k in kinks if abs(k - m) < 12 * s)})
        for a, b in pairwise(ends):
            total += float(share) * quad(lambda u, m=m, s=s: g(u) * norm.pdf(u, m, s), a, b, limit=200)[0]
    return total


@pytest.mark.parametrize("name", GOOD)
def test_every_built_in_loss_by_quadrature(name):
    phi = LOSSES[name].phi
    f, eps, lam = LinearClassifier("1/2", "1/4", "1/8"), Fraction(1, 5), Fraction(1, 3)
    move = float(eps) * (0.5 + 4 * 0.25)
    report = linear_score_bound(f, LAW, eps, name, lam)
    parts = margin_law(f, LAW, 0, "none")
    corners = [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0]
    roots = [s * (move + t * math.sqrt(d)) / 2 for k in corners for s in (1, -1) for t in (1, -1)
             if (d := move**2 + 4 * k * float(lam)) >= 0]  # fmt: skip
    assert middle(report.terms["surrogate_risk"]) == pytest.approx(integral(phi, parts, corners), rel=1e-7)
    price = integral(lambda u: phi((u * u - move * abs(u)) / float(lam)), parts, [0, *roots])
    assert middle(report.terms["adversarial"]) == pytest.approx(price, rel=1e-7)
    odds = margin_law(bayes_classifier(LAW), LAW, 0, "none")
    kinks = [0, *(s * math.log(k) for k in (1.5, 2, 3, 4) for s in (1, -1))]
    best = integral(lambda v: H(name, 1 / (1 + math.exp(-v))), odds, kinks)
    assert middle(report.terms["optimal_surrogate_risk"]) == pytest.approx(best, rel=1e-6)
    narrow = ("excess", "adversarial", "boundary_probability")
    assert all(report.terms[key].width < Fraction(1, 10**15) for key in narrow)


def test_samples_in_every_coordinate_agree():
    """The adversary moves each of the five coordinates; the worst products lie at two corners of the cube."""
    rng = np.random.default_rng(0)
    x, y = LAW.sample(400_000, rng)
    f, eps, lam = LinearClassifier("1/2", "-1/4", "1/8"), 0.2, 0.5
    scores = f.score(x)
    w = np.array([0.5, -0.25, -0.25, -0.25, -0.25])
    moved = [f.score(x + s * eps * np.sign(w)) for s in (1, -1)]
    price = np.maximum(*(np.maximum(1 - scores * m / lam, 0) for m in moved)).mean()
    near = ((scores * moved[0] <= 0) | (scores * moved[1] <= 0)).mean()
    report = linear_score_bound(f, LAW, "1/5", "hinge", "1/2")
    assert middle(report.terms["adversarial"]) == pytest.approx(price, abs=0.005)
    assert middle(report.terms["boundary_probability"]) == pytest.approx(near, abs=0.005)
    assert middle(report.terms["surrogate_risk"]) == pytest.approx(np.maximum(1 - scores * y, 0).mean(), abs=0.005)


def test_risks_are_those_of_the_law_and_the_order_holds():
    for eps, loss in (("0", "hinge"), ("1/10", "logistic"), ("1/2", "exponential")):
        for f in (scaled_to_distance(mean_classifier(), LAW), bayes_classifier(LAW), sign_classifier()):
            for bound in (linear_score_bound, indicator_bound):
                report = bound(f, LAW, eps, loss, "1/2")
                terms = report.terms
                assert terms["robust_risk"].overlaps(robust_risk(f, LAW, eps))
                assert terms["boundary_risk"].overlaps(boundary_risk(f, LAW, eps))
                assert terms["standard_risk"].overlaps(standard_risk(f, LAW))
                assert report.lhs.lo <= terms["first"].hi
                assert terms["first"].lo <= report.rhs.hi
                assert report.lhs.lo <= terms["sharper"].hi


def test_the_log_odds_attain_the_least_logistic_risk_and_no_other_scale_does():
    bayes = bayes_classifier(LAW)
    assert linear_score_bound(bayes, LAW, 0, "logistic").terms["excess"].hi < Fraction(1, 10**25)
    half = LinearClassifier(bayes.strong / 2, bayes.weak / 2)
    assert linear_score_bound(half, LAW, 0, "logistic").terms["excess"].lo > Fraction(1, 1000)
    assert linear_score_bound(half, LAW, 0, "exponential").terms["excess"].hi < Fraction(1, 10**25)


def test_the_signed_indicator_of_a_threshold_rule():
    f = robust_optimum(LAW, Fraction(1, 10))
    report = indicator_bound(f, LAW, "1/10", "hinge", 2)
    rng = np.random.default_rng(1)
    x, _ = LAW.sample_statistic(400_000, rng)
    t = middle(f.threshold) if isinstance(f.threshold, Enclosure) else float(f.threshold)
    near = np.abs(x[:, 1] - t * np.sign(x[:, 0])) <= 0.1 * math.sqrt(LAW.d)
    assert middle(report.terms["boundary_probability"]) == pytest.approx(near.mean(), abs=0.005)
    with pytest.raises(ValueError, match="eps 1 turns x_1"):
        indicator_bound(f, LAW, 1, "hinge")


def test_refusals():
    f = mean_classifier()
    with pytest.raises(ValueError, match="'dipping_hinge' is not non-increasing"):
        linear_score_bound(f, LAW, 0, "dipping_hinge")
    with pytest.raises(ValueError, match="'mine' has no analytic pieces"):
        linear_score_bound(f, LAW, 0, Loss("mine", lambda u: math.exp(-u), non_increasing=True, limit=0))
    with pytest.raises(ValueError, match="lam 0 is not positive"):
        linear_score_bound(f, LAW, 0, "hinge", 0)
    with pytest.raises(ValueError, match="so small that phi reaches"):
        linear_score_bound(f, LAW, 1, "exponential", "1/100000")
    with pytest.raises(ValueError, match="a constant has no decision boundary"):
        scaled_to_distance(LinearClassifier(0, 0, 1), LAW)
    assert scaled_to_distance(LinearClassifier(2, "1/2"), LAW).strong == Fraction(1, 2)
    assert optimal_surrogate_risk(SignGaussian("1/2", "1/2", 4), "hinge").overlaps(
        2 * standard_risk(bayes_classifier(SignGaussian("1/2", "1/2", 4)), SignGaussian("1/2", "1/2", 4))
    )

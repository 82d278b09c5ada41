"""Product laws against scipy's distributions and simulation."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from theory import Ball, Boxes, RegionClassifier, boundary_risk, robust_risk, standard_risk
from theory.confidence import clopper_pearson
from theory.enclosure import Enclosure
from theory.products import GeneralisedNormal, Laplace, Normal, ProductDistribution, Uniform, interval_mass

HALF = Fraction(1, 2)
PAIRS = [
    (Normal("1/2", 2), scipy.stats.norm(0.5, 2)),
    (Uniform(-1, 3), scipy.stats.uniform(-1, 4)),
    (Laplace("-1/3", "3/2"), scipy.stats.laplace(-1 / 3, 1.5)),
    (GeneralisedNormal(1, 2, 3), scipy.stats.gennorm(3, 1, 2)),
    (GeneralisedNormal(1, 2, "1/2"), scipy.stats.gennorm(0.5, 1, 2)),
]
ENDS = st.fractions(-6, 6, max_denominator=20)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@given(ENDS, ENDS)
def test_interval_masses_and_densities_are_scipy_s(ours: object, theirs: object, a: Fraction, b: Fraction) -> None:
    lo, hi = min(a, b), max(a, b)
    mass = interval_mass(ours, lo, hi)
    value = theirs.cdf(float(hi)) - theirs.cdf(float(lo))
    assert float(mass.lo) - 1e-12 <= value <= float(mass.hi) + 1e-12
    assert mass.width < Fraction(1, 10**15)
    density = ours.density(a)
    assert math.isclose(float(density.lo), theirs.pdf(float(a)), rel_tol=1e-9, abs_tol=1e-12)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_draws_follow_the_distribution_function(ours: object, theirs: object) -> None:
    draws = ours.draw(4000, np.random.default_rng(5))
    assert scipy.stats.kstest(draws, theirs.cdf).pvalue > 1e-6


def test_a_generalised_normal_of_shape_one_is_laplace_and_of_shape_two_normal() -> None:
    root = Enclosure(Fraction(7071067811865475, 10**16), Fraction(7071067811865476, 10**16))
    for x in (Fraction(-2), Fraction(0), Fraction(1, 3), Fraction(5)):
        assert GeneralisedNormal(0, 1, 1).cdf(x).overlaps(Laplace(0, 1).cdf(x))
        assert GeneralisedNormal(0, 1, 2).cdf(x).overlaps(Normal(0, root).cdf(x))


def law() -> ProductDistribution:
    minus, plus = (Normal(-1, 1), Laplace(0, 1)), (Normal(1, 1), Uniform(-1, 1))
    return ProductDistribution({-1: ("2/5", minus), +1: ("3/5", plus)})


def test_the_risks_of_the_core_run_on_product_laws_and_agree_with_simulation() -> None:
    dist, ball = law(), Ball("1/4")
    region = Boxes([(("0", "inf"), ("-inf", "inf")), (("-1", "0"), ("1/2", "1"))])
    f = RegionClassifier.binary(region)
    standard, boundary, robust = (risk(f, dist, ball) for risk in (standard_risk, boundary_risk, robust_risk))
    assert (standard + boundary).overlaps(robust)
    assert robust.width < Fraction(1, 10**12)
    x, y = dist.sample(20_000, np.random.default_rng(2))
    wrong = f.predict(x) != y
    assert standard.overlaps(clopper_pearson(int(wrong.sum()), len(y), "1/1000000"))
    grid = [np.array([a, b]) / 4 for a in np.linspace(-1, 1, 9) for b in np.linspace(-1, 1, 9)]
    attacked = np.logical_or.reduce([f.predict(x + step) != y for step in grid])
    assert clopper_pearson(int(attacked.sum()), len(y), "1/1000000").lo <= robust.hi


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Normal(0, 0), "sd 0 is not positive"),
        (lambda: Uniform(1, 1), "low 1 is not below high 1"),
        (lambda: Laplace(0, -1), "scale -1 is not positive"),
        (lambda: ProductDistribution({-1: (1, (Normal(0, 1),))}), "two or more labels"),
        (lambda: ProductDistribution({-1: (1, (Normal(0, 1),)), 1: (1, (Normal(0, 1),))}), "are not probabilities"),
    ],
)
def test_bad_parameters_are_refused_in_a_sentence(make: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()

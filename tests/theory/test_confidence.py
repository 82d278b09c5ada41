"""Confidence limits against scipy, exact binomial sums and the promise that they cover."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.confidence import clopper_pearson, hoeffding
from theory.enclosure import Enclosure

UNIT = st.fractions(Fraction(1, 1000), Fraction(999, 1000), max_denominator=1000)


def as_mpf(x):
    return mpmath.mpf(x.numerator) / x.denominator


def as_exact(value):
    """The dyadic number an mpf is."""
    sign, mantissa, exponent, _ = value._mpf_
    return (-1) ** sign * Fraction(int(mantissa)) * Fraction(2) ** exponent


def binomial_tail(k, n, p):
    return sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(max(k, 0), n + 1))


@settings(max_examples=60)
@given(n=st.integers(1, 400), data=st.data(), alpha=st.sampled_from(["1/20", "1/100", "1/1000000", "0.9"]))
def test_clopper_pearson_agrees_with_scipy(n, data, alpha):
    from scipy.stats import binomtest

    k = data.draw(st.integers(0, n))
    result = clopper_pearson(k, n, alpha)
    reference = binomtest(k, n).proportion_ci(1 - float(Fraction(alpha)), method="exact")
    assert float(result.lo) == pytest.approx(reference.low, rel=1e-8, abs=1e-12)
    assert float(result.hi) == pytest.approx(reference.high, rel=1e-8, abs=1e-12)
    assert (result.alpha, result.how) == (Fraction(alpha), ("Clopper-Pearson",))


@pytest.mark.parametrize(("side", "share"), [("two", 2), ("lower", 1), ("upper", 1)])
@pytest.mark.parametrize("n", [1, 2, 5, 9])
def test_clopper_pearson_limits_lie_outside_the_exact_roots_by_a_hair(n, side, share):
    alpha = Fraction(1, 20)
    hair = 1 + Fraction(1, 10**14)
    for k in range(n + 1):
        limits = clopper_pearson(k, n, alpha, side)
        if k == 0 or side == "upper":
            assert limits.lo == 0
        else:
            assert binomial_tail(k, n, limits.lo) <= alpha / share < binomial_tail(k, n, limits.lo * hair)
        if k == n or side == "lower":
            assert limits.hi == 1
        else:
            inward = limits.hi / hair
            assert 1 - binomial_tail(k + 1, n, limits.hi) <= alpha / share < 1 - binomial_tail(k + 1, n, inward)
        assert limits.alpha == alpha


@pytest.mark.parametrize("side", ["two", "lower", "upper"])
def test_clopper_pearson_covers_as_promised(side):
    n, alpha = 7, Fraction(1, 10)
    limits = [clopper_pearson(k, n, alpha, side) for k in range(n + 1)]
    for p in (Fraction(i, 60) for i in range(61)):
        coverage = sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1) if limits[k].contains(p))
        assert coverage >= 1 - alpha


def test_clopper_pearson_of_a_million_trials_and_a_minute_alpha():
    million = clopper_pearson(1, 10**6)
    # For one success the equation 1 - (1 - p)^n = alpha / 2 has a closed solution.
    with mpmath.workdps(60):
        closed = as_exact(1 - (1 - mpmath.mpf(1) / 40) ** (mpmath.mpf(1) / 10**6))
    assert million.lo <= closed <= million.lo * (1 + Fraction(1, 10**14))
    minute = clopper_pearson(1, 1000, Fraction(2, 10**300))
    with mpmath.workdps(400):
        closed = as_exact(1 - (1 - mpmath.mpf(10) ** -300) ** (mpmath.mpf(1) / 1000))
    assert minute.lo <= closed <= minute.lo * (1 + Fraction(1, 10**14))


@settings(max_examples=40)
@given(mean=UNIT, n=st.integers(1, 10**6), alpha=UNIT, side=st.sampled_from(["two", "lower", "upper"]))
def test_hoeffding_is_the_formula_rounded_outwards(mean, n, alpha, side):
    a, b = Fraction(-1), Fraction(3)
    result = hoeffding(mean, n, alpha, (a, b), side)
    with mpmath.workdps(60):
        sides = 2 if side == "two" else 1
        margin = as_exact(4 * mpmath.sqrt(mpmath.log(sides / as_mpf(alpha)) / (2 * n)))
    lo = a if side == "upper" else max(a, mean - margin)
    hi = b if side == "lower" else min(b, mean + margin)
    assert lo - Fraction(1, 10**14) <= result.lo <= lo
    assert hi <= result.hi <= hi + Fraction(1, 10**14)
    assert (result.alpha, result.how) == (alpha, ("Hoeffding",))


def test_hoeffding_covers_bernoulli_means_and_widens_with_an_enclosed_mean():
    n, alpha = 8, Fraction(1, 5)
    limits = [hoeffding(Fraction(k, n), n, alpha) for k in range(n + 1)]
    for p in (Fraction(i, 40) for i in range(41)):
        coverage = sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1) if limits[k].contains(p))
        assert coverage >= 1 - alpha
    wide = hoeffding(Enclosure("0.5", "0.6", "float", "1/10"), n, alpha)
    assert wide.lo == limits[4].lo
    assert (wide.alpha, wide.how) == (Fraction(3, 10), ("float", "Hoeffding"))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: clopper_pearson(3, 2), ValueError, "successes 3 of 2 trials is impossible"),
        (lambda: clopper_pearson(-1, 2), ValueError, "successes -1"),
        (lambda: clopper_pearson(0, 0), ValueError, "n 0 is no sample"),
        (lambda: clopper_pearson(True, 2), TypeError, "successes True is not a whole number"),
        (lambda: clopper_pearson(1, 2, alpha=0), ValueError, "alpha 0 is not allowed"),
        (lambda: clopper_pearson(1, 2, alpha=0.05), TypeError, r"alpha 0\.05 is a float"),
        (lambda: clopper_pearson(1, 2, side="left"), ValueError, "side 'left' is unknown"),
        (lambda: hoeffding(2, 5), ValueError, r"mean 2 lies outside the support \[0, 1\]"),
        (lambda: hoeffding("1/2", 0), ValueError, "n 0 is no sample"),
    ],
)
def test_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()

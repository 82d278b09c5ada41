"""How attacks transfer: exact bivariate probabilities against scipy's integrator and simulation."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from theory.arbs import to_arb, working_precision
from theory.confidence import clopper_pearson
from theory.odds.signgaussian import (
    LinearClassifier,
    SignGaussian,
    mean_classifier,
    robust_risk,
    shifted_risk,
    sign_classifier,
    standard_accuracy,
)
from theory.odds.transfer import bivariate_cdf, shift_transfer, train_mean, transferred_risk

LAW = SignGaussian("0.9", "0.5", 8)
ALPHA = Fraction(1, 10**6)


@pytest.mark.parametrize(("h", "k", "rho"), [(1, 0.5, 0.3), (-1, 2, -0.7), (0.2, 0.1, 0.999), (3, -4, 0.5), (0, 0, 0)])
def test_the_bivariate_normal_law_agrees_with_scipy(h: float, k: float, rho: float) -> None:
    with working_precision():
        found = bivariate_cdf(*(to_arb(Fraction(x)) for x in (h, k, rho)))
        assert float(found.rad()) < 1e-30
        assert float(found) == pytest.approx(multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf([h, k]), abs=1e-9)


def test_what_is_fooled_together_is_what_simulation_counts() -> None:
    rng = np.random.default_rng(3)
    first, second = train_mean(LAW, 5, rng), train_mean(LAW, 5, rng)
    found, n = shift_transfer(first, second, LAW, "0.8"), 100_000
    x, y = LAW.sample(n, rng)
    moved = x.copy()
    moved[:, 1:] -= 0.8 * y[:, None]
    fooled = (y * first.score(x) > 0) & (y * first.score(moved) <= 0)
    both = fooled & (y * second.score(moved) <= 0)
    assert clopper_pearson(int(fooled.sum()), n, ALPHA).overlaps(found.fooled)
    assert clopper_pearson(int(both.sum()), n, ALPHA).overlaps(found.both)
    assert found.both.width < Fraction(1, 10**30)


def test_worst_cases_of_one_classifier_shown_to_another() -> None:
    rng, n = np.random.default_rng(8), 100_000
    source, target = train_mean(LAW, 3, rng), train_mean(LAW, 3, rng)
    x, y = LAW.sample(n, rng)
    weights = np.concatenate([[float(source.strong)], source.weak])  # type: ignore[arg-type, list-item]
    errors = y * target.score(x - 0.3 * y[:, None] * np.sign(weights)) <= 0
    assert clopper_pearson(int(errors.sum()), n, ALPHA).overlaps(transferred_risk(target, source, LAW, "0.3"))


def test_a_classifiers_own_worst_cases_are_the_full_attack_and_the_means_are_the_shift() -> None:
    f = LinearClassifier(2, [1, -3, Fraction(1, 2), 0, 1, 1, 1, 2], Fraction(1, 3))
    assert transferred_risk(f, f, LAW, "0.2").overlaps(robust_risk(f, LAW, "0.2"))
    assert transferred_risk(f, mean_classifier(), LAW, "0.2").overlaps(shifted_risk(f, LAW, "0.2"))
    assert transferred_risk(f, f, LAW, "0.2") >= transferred_risk(f, mean_classifier(), LAW, "0.2")


def test_parallel_classifiers_are_fooled_together_for_certain() -> None:
    f = LinearClassifier(0, [1, 2, 3, 1, 1, 1, 1, 1])
    twice = LinearClassifier(0, np.array([2.0, 4, 6, 2, 2, 2, 2, 2]))
    found = shift_transfer(f, twice, LAW, "0.7")
    assert found.fooled.overlaps(found.both)
    assert found.rate.hi == 1
    before, after = standard_accuracy(f, LAW), 1 - shifted_risk(f, LAW, "0.7")
    assert found.fooled.overlaps(before - after)


def test_sign_is_never_fooled_by_the_shift_and_errs_as_it_does() -> None:
    assert shift_transfer(sign_classifier(), mean_classifier(), LAW, "0.7").fooled.fraction == 0
    found = shift_transfer(mean_classifier(), sign_classifier(), LAW, "0.7")
    assert found.rate.overlaps(Fraction(1, 10))  # x_1 is independent of the weak features, given y


def test_training_draws_the_mean_of_y_x() -> None:
    rng = np.random.default_rng(1)
    drawn = np.array([[float(f.strong), *f.weak] for f in (train_mean(LAW, 10, rng) for _ in range(2000))])  # type: ignore[arg-type, misc]
    x, y = LAW.sample(20_000, rng)
    direct = (x * y[:, None]).reshape(2000, 10, -1).mean(axis=1)
    for moment in (np.mean, np.std):
        assert np.allclose(moment(drawn, axis=0), moment(direct, axis=0), atol=0.035)


def test_more_training_transfers_better() -> None:
    law, rates = SignGaussian("0.95", "0.06", 2500), []
    for n in (10, 100, 1000):
        rng = np.random.default_rng(0)
        rates.append(shift_transfer(train_mean(law, n, rng), train_mean(law, n, rng), law, "0.12").rate)
    assert rates[0] < rates[1] < rates[2]


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="n 0 points train nothing"):
        train_mean(LAW, 0, np.random.default_rng(0))
    with pytest.raises(ValueError, match="2 weak weights do not fit d = 8"):
        shift_transfer(mean_classifier(), LinearClassifier(1, [1, 2]), LAW, 1)
    with pytest.raises(ValueError, match="eps -1 is negative"):
        transferred_risk(mean_classifier(), mean_classifier(), LAW, -1)

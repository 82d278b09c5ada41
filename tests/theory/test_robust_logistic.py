"""Certified training of linear classifiers: inner maxima by enumeration, optima by convex programming, exact counts."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.enclosure import Enclosure
from theory.odds.robust_logistic import (
    ATTACKS,
    ImagePair,
    LinearModel,
    Trained,
    descend,
    gradient_descent,
    train,
)
from theory.samples import LabelledSample, digits


def small_pair(seed: int, n: int = 60, d: int = 5, scale: int = 16) -> ImagePair:
    """Overlapping classes, not separable."""
    rng = np.random.default_rng(seed)
    y = np.where(np.arange(n) % 2, 1, -1)
    x = np.clip(rng.integers(0, scale + 1, (n, d)) + y[:, None] * rng.integers(0, 5, d), 0, scale)
    return ImagePair(x, y, scale)


def random_model(rng: np.random.Generator, d: int) -> LinearModel:
    return LinearModel(rng.integers(-40, 41, d) * rng.integers(0, 2, d), int(rng.integers(-60, 61)), 3)


# ---- the exact inner maximum ----


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.sampled_from(["0", "1/7", "0.2", "0.9"]))
def test_the_robust_margin_is_the_least_over_the_corners_of_the_ball(seed: int, eps: str) -> None:
    pair, radius = small_pair(seed, n=8, d=4), Fraction(eps)
    model = random_model(np.random.default_rng(seed), 4)
    w, b = [Fraction(int(v), 8) for v in model.weights], Fraction(model.bias, 8)
    for attack in ATTACKS:
        margins, unit = model.margins(pair, eps, attack)
        for k in range(len(pair)):
            pixels = [Fraction(int(v), pair.scale) for v in pair.x[k]]
            if attack == "none":
                ends = [(v,) for v in pixels]
            elif attack == "unclipped":
                ends = [(v - radius, v, v + radius) for v in pixels]
            else:
                ends = [(max(v - radius, Fraction(0)), v, min(v + radius, Fraction(1))) for v in pixels]
            least = min(
                int(pair.y[k]) * (sum(a * c for a, c in zip(w, corner, strict=True)) + b)
                for corner in itertools.product(*ends)
            )
            assert Fraction(int(margins[k]), unit) == least


@settings(max_examples=40)
@given(st.integers(0, 10**6))
def test_accuracies_are_ordered_counts(seed: int) -> None:
    pair, model = small_pair(seed), random_model(np.random.default_rng(seed + 1), 5)
    plain = model.accuracy(pair)
    clipped, unclipped = (model.accuracy(pair, "1/8", attack) for attack in ("clipped", "unclipped"))
    assert plain >= clipped >= unclipped
    assert (plain * len(pair)).denominator == 1
    assert model.accuracy(pair, 0, "clipped") == plain
    assert plain == Fraction(int((pair.y * (pair.x / 16 @ model.weights + model.bias) > 0).sum()), len(pair))


def test_without_clipping_the_margin_drops_by_the_norm() -> None:
    pair, model = small_pair(5), random_model(np.random.default_rng(9), 5)
    (plain, unit), (moved, finer) = model.margins(pair), model.margins(pair, "1/3", "unclipped")
    for before, after in zip(plain.tolist(), moved.tolist(), strict=True):
        assert Fraction(before, unit) - Fraction(after, finer) == model.norm / 3


# ---- optima ----


def by_cvxpy(pair: ImagePair, eps: float, attack: str, lam: float) -> tuple[float, np.ndarray]:
    import cvxpy as cp

    x, y = pair.x / pair.scale, pair.y
    w, b = cp.Variable(x.shape[1]), cp.Variable()
    if attack == "clipped":
        low, high = np.maximum(x - eps, 0), np.minimum(x + eps, 1)
        # the box about its middle: the score varies by the radii times |w|
        middle, radii = (low + high) / 2, (high - low) / 2
        loss = cp.sum(cp.logistic(-cp.multiply(y, middle @ w + b) + radii @ cp.abs(w))) / len(y)
    else:
        loss = cp.sum(cp.logistic(-cp.multiply(y, x @ w + b) + eps * cp.norm1(w))) / len(y)
    problem = cp.Problem(cp.Minimize(loss + lam / 2 * cp.sum_squares(w)))
    value = problem.solve(solver=cp.CLARABEL)
    assert w.value is not None
    return float(value), w.value  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("attack", "eps", "lam"),
    [
        ("none", "0", "0.01"),
        ("unclipped", "0.05", "0"),
        ("unclipped", "0.05", "0.1"),
        ("clipped", "0.1", "0"),
        ("clipped", "0.1", "0.01"),
    ],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_optima_agree_with_convex_programming(attack: Any, eps: str, lam: str, seed: int) -> None:
    pair = small_pair(seed)
    found = train(pair, eps, attack, lam)
    value, weights = by_cvxpy(pair, float(eps), attack, float(lam))
    assert value == pytest.approx(float(found.loss.lo), abs=1e-6)
    assert found.gap < Fraction(1, 10**7)
    assert found.model.weights / 2.0**found.model.bits == pytest.approx(weights, abs=5e-3)


@settings(max_examples=15)
@given(st.integers(0, 10**6))
def test_no_other_model_has_a_smaller_objective_than_the_certified_lower_end(seed: int) -> None:
    pair, lam = small_pair(seed), Fraction(1, 50)
    found, rng = train(pair, "0.07", "clipped", lam), np.random.default_rng(seed)
    for scale in (1e-4, 1e-2, 1.0):
        w = found.model.weights / 2.0**found.model.bits + scale * rng.standard_normal(5)
        model = LinearModel.near(w, found.model.bias / 2.0**found.model.bits, 1600)
        ridge = lam / 2 * sum(Fraction(int(v), 2**model.bits) ** 2 for v in model.weights)
        assert (model.loss(pair, "0.07", "clipped") + ridge).hi >= found.loss.lo


def test_the_loss_is_the_mean_of_the_logarithms() -> None:
    pair, model = small_pair(3), random_model(np.random.default_rng(0), 5)
    margins, unit = model.margins(pair, "0.1", "unclipped")
    expected = np.mean([math.log1p(math.exp(-m / unit)) for m in margins.tolist()])
    found = model.loss(pair, "0.1", "unclipped")
    assert float(found.lo) == pytest.approx(float(expected), rel=1e-13)
    assert found.width < Fraction(1, 10**20)


def test_the_optimum_satisfies_the_weighted_correlation_condition() -> None:
    """On the support |sum q y x_i| / sum q is eps, elsewhere at most eps; |E[y x_i]| >= eps (appendix E) is neither."""
    pair, eps = ImagePair.of(digits(), 5, 7), 0.2
    found = train(pair, "0.2", "unclipped")
    weighted = np.abs((found.dual * pair.y) @ (pair.x / 16)) / found.dual.sum()
    used = found.model.weights != 0
    assert weighted[used] == pytest.approx(eps, abs=1e-6)
    assert weighted[~used].max() <= eps + 1e-6
    raw = np.abs([float(c) for c in pair.correlations()])
    assert raw[~used].max() >= eps  # the raw correlation is not sufficient


def test_adversarial_training_uses_few_pixels_and_standard_training_all_that_vary() -> None:
    pair = ImagePair.of(digits(), 5, 7)
    robust, plain = train(pair, "0.2", "unclipped").model, train(pair, 0, "none", "1/1000").model
    assert robust.support < 10
    assert plain.support == np.count_nonzero(pair.x.any(axis=0))
    assert robust.accuracy(pair, "0.2", "unclipped") > plain.accuracy(pair, "0.2", "unclipped")
    assert robust.accuracy(pair) < plain.accuracy(pair) == 1


def test_gradient_descent_takes_the_steps_of_the_loss() -> None:
    pair = small_pair(4)
    path = list(descend(pair, 3, 0.5, "0.1", "clipped"))
    assert len(path) == 4
    assert not path[0][0].any()
    for (w, b), (v, c) in itertools.pairwise(path[1:]):

        def loss(w: np.ndarray, b: float) -> float:
            low, high = np.maximum(pair.x / 16 - 0.1, 0), np.minimum(pair.x / 16 + 0.1, 1)
            least = low @ np.maximum(w, 0) - high @ np.maximum(-w, 0) + b
            most = high @ np.maximum(w, 0) - low @ np.maximum(-w, 0) + b
            return float(np.logaddexp(0, np.where(pair.y > 0, -least, most)).mean())

        h = 1e-6
        for j in range(5):
            step = h * np.eye(5)[j]
            assert (w - v)[j] / 0.5 == pytest.approx((loss(w + step, b) - loss(w - step, b)) / (2 * h), abs=1e-5)
        assert (b - c) / 0.5 == pytest.approx((loss(w, b + h) - loss(w, b - h)) / (2 * h), abs=1e-5)
    model = gradient_descent(pair, 3, 0.5, "0.1", "clipped")
    assert model.weights / 2.0**model.bits == pytest.approx(path[-1][0], abs=1e-9)


def test_a_wrong_dual_point_would_not_pass() -> None:
    """The certificate does not trust the solver: a poor dual point only widens the gap."""
    from theory.odds import robust_logistic

    pair, lam = small_pair(6), Fraction(1, 20)
    found = train(pair, "0.05", "unclipped", lam)
    rng = np.random.default_rng(0)
    for _ in range(20):
        q = np.clip(found.dual + rng.normal(0, 0.1, len(pair)), 0, 1)
        assert robust_logistic._dual_value(pair, Fraction(1, 20), "unclipped", lam, q).hi <= found.loss.hi


def test_without_a_ridge_an_infeasible_dual_point_bounds_nothing() -> None:
    from theory.odds import robust_logistic

    pair = small_pair(6)
    half = robust_logistic._dual_value(pair, Fraction(1, 20), "unclipped", Fraction(0), np.full(len(pair), 0.5))
    assert half.lo == -math.inf
    found = train(pair, "0.05", "unclipped")
    assert robust_logistic._dual_value(pair, Fraction(1, 20), "unclipped", Fraction(0), found.dual).lo == found.loss.lo


# ---- what is refused ----


def test_separable_images_have_no_minimiser_without_a_ridge() -> None:
    pair = ImagePair.of(digits(), 5, 7)
    with pytest.raises(ValueError, match=r"separable .* no minimiser"):
        train(pair)
    found = train(pair, 0, "none", "1/100000")
    assert found.model.accuracy(pair) == 1  # exact: the separation is certified by the count


def test_bad_input_is_refused() -> None:
    pair = small_pair(1)
    with pytest.raises(ValueError, match="attack 'fgsm' is unknown"):
        train(pair, 0, "fgsm")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="lam -1 is negative"):
        train(pair, 0, "none", -1)
    with pytest.raises(ValueError, match="eps -1 is negative"):
        train(pair, -1, "clipped", 1)
    with pytest.raises(ValueError, match="one class only"):
        train(ImagePair(pair.x, np.ones(len(pair), dtype=int), 16), 0, "none", 1)
    with pytest.raises(ValueError, match="class 5 cannot be told from itself"):
        ImagePair.of(digits(), 5, 5)
    with pytest.raises(ValueError, match="class 11 has no points in digits"):
        ImagePair.of(digits(), 5, 11)
    with pytest.raises(ValueError, match="no whole numbers from 0 to 1"):
        ImagePair.of(LabelledSample([[0.5], [0.25]], [0, 1]), 0, 1)


def test_certificates_say_how_they_were_found() -> None:
    found = train(small_pair(2), "0.05", "unclipped", "0.1")
    assert isinstance(found, Trained)
    assert isinstance(found.loss, Enclosure)
    assert found.loss.how == ("duality",)

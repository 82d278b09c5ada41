"""PGN's exact maximisers and optima against searches in floating point that share no formula with them."""

from __future__ import annotations

import math
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.pgn import best_linear_attack, boxed_pixel, linearised_attack, target_peak, two_point_optimum

positive = st.fractions("1/4", 4, max_denominator=4)


def objective(t, margin, norm, cost):
    return np.logaddexp(0, float(norm) * t - float(margin)) - float(cost) * t**2


@settings(max_examples=60)
@given(st.fractions(-3, 6, max_denominator=4), positive, positive)
def test_the_best_attack_beats_a_grid_and_attains_its_value(margin, norm, cost):
    found = best_linear_attack(margin, norm, cost)
    grid = objective(np.linspace(0, float(norm / (2 * cost)), 4001), margin, norm, cost)
    assert grid.max() <= float(found.value.hi) + 1e-12
    for length in found.lengths:
        assert length.width < Fraction(1, 10**25)
        assert 0 < length.lo <= length.hi <= norm / (2 * cost)
        assert objective(float(length.lo), margin, norm, cost) == pytest.approx(float(found.value.lo), abs=1e-12)
    boundary = margin / norm
    if found.crosses is None:
        assert margin == norm**2 / (4 * cost)
    else:
        assert found.crosses == (float(found.lengths[0].lo) > boundary)
        assert len(found.lengths) == 1


def test_a_tie_has_two_maximisers_if_the_score_is_steep_and_one_if_not():
    steep, flat = best_linear_attack("4.5", 3, "1/2"), best_linear_attack("1/2", 1, "1/2")
    assert steep.crosses is flat.crosses is None
    near, far = steep.lengths
    assert near.hi < Fraction("1.5") < far.lo
    assert (near + far).contains(3)
    assert flat.lengths[0].fraction == Fraction(1, 2)


@pytest.mark.parametrize(("margin", "norm", "cost"), [(2, 1, "1/2"), (-1, 2, 3), (4, 3, "1/2"), (5, 3, "1/2")])
def test_the_length_is_a_root_of_the_derivative(margin, norm, cost):
    (length,) = best_linear_attack(margin, norm, cost).lengths
    t, c = float(length.lo), float(Fraction(cost))
    assert norm / (1 + math.exp(margin - norm * t)) == pytest.approx(2 * c * t, rel=1e-12)


@given(st.lists(st.fractions(-2, 2, max_denominator=4), min_size=1, max_size=3), positive)
def test_the_linearised_attack_is_a_stationary_point_with_its_gain(gradient, cost):
    delta, gain = linearised_attack(gradient, cost)
    value = sum(g * d for g, d in zip(gradient, delta, strict=True)) - cost * sum(d * d for d in delta)
    assert value == gain
    moved = [d + Fraction(k, 7) for k, d in enumerate(delta, 1)]
    assert sum(g * d for g, d in zip(gradient, moved, strict=True)) - cost * sum(d * d for d in moved) < gain


@pytest.mark.parametrize("kappa", [Fraction(k, 4) for k in (0, 1, 4, 8, 9, 12, 20, 60)])
def test_two_points_against_a_search_over_the_plane(kappa):
    """The best point need not lie between the two; the grid does not know that it does."""
    across, along = np.meshgrid(np.linspace(-1, 1, 41), np.linspace(-1, 2, 12001))
    k = float(kappa)
    heaviest = (np.exp(-k * (along**2 + across**2)) + np.exp(-k * ((1 - along) ** 2 + across**2))).max()
    found = two_point_optimum(1, kappa)
    assert math.log(heaviest) == pytest.approx(float(found.lo), abs=1e-6)
    assert found.lo > 0
    assert not kappa or found.same_as(two_point_optimum(kappa, 1))
    assert found.width < Fraction(1, 10**25)


@pytest.mark.parametrize("kappa", ["1", "2", "3", "6"])
def test_the_mean_over_two_points_has_the_same_optimum(kappa):
    """Maximise p_1 p_2 where p_1 e_1(z) + p_2 e_2(z) <= 1 for all z, on grids."""
    k, z = float(Fraction(kappa)), np.linspace(-0.5, 1.5, 2001)
    first, second = np.exp(-k * z**2), np.exp(-k * (1 - z) ** 2)
    p = np.linspace(0.005, 1, 200)
    room = np.minimum(1, ((1 - p[:, None] * first) / second).min(axis=1))
    best = np.max(p * room)
    assert -math.log(best) / 2 == pytest.approx(float(two_point_optimum(kappa, 1).lo), abs=2e-3)


def test_the_target_is_a_probability_only_up_to_pi():
    peak = target_peak(50)
    assert float(peak.lo) == pytest.approx(NormalDist(0, 0.1).pdf(0), rel=1e-14)
    assert target_peak(3) < 1 < target_peak("3.15")


@given(st.fractions("1/100", "99/100", max_denominator=100), positive)
def test_a_boxed_pixel_is_eq_5(x, factor):
    shift = math.log(factor) / 2
    printed = (math.tanh(math.atanh(2 * float(x) - 1) + shift) + 1) / 2
    assert float(boxed_pixel(x, factor)) == pytest.approx(printed, rel=1e-12)


@pytest.mark.parametrize("factor", ["1/100", 1, 100])
def test_black_and_white_pixels_stay(factor):
    assert boxed_pixel(0, factor) == 0
    assert boxed_pixel(1, factor) == 1


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: best_linear_attack(1, 0, 1), "norm 0 is not positive"),
        (lambda: best_linear_attack(1, 1, -1), "cost -1 is not positive"),
        (lambda: two_point_optimum(1, -1), "squared_distance -1 is negative"),
        (lambda: boxed_pixel(2, 1), "x 2 is no pixel; allowed are 0 to 1"),
        (lambda: boxed_pixel("1/2", 0), "factor 0 is not positive"),
    ],
)
def test_bad_numbers_are_named(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()

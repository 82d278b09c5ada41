"""Enclosed optima: smooth product laws and round balls, and finite metric spaces by enumeration."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import Ball, BoxDistribution, FiniteDistribution, optimal_robust_risk, robust_risk
from theory.optimal.boxes import optimal_box_risk
from theory.optimal.enclosed import optimal_product_risk, optimal_round_risk
from theory.optimal.finite import optimal_finite_risk
from theory.products import GeneralisedNormal, Laplace, Normal, ProductDistribution, Uniform
from theory.special import normal_cdf

HALF = Fraction(1, 2)


def checkerboard() -> BoxDistribution:
    left, right = (0, HALF), (HALF, 1)
    boxes = {-1: [([left, left], 1), ([right, right], 1)], +1: [([left, right], 1), ([right, left], 1)]}
    return BoxDistribution.of_densities(boxes, [(0, 1)] * 2)


def normals(dim: int = 1) -> ProductDistribution:
    common = (Normal(0, 1),) * (dim - 1)
    return ProductDistribution({-1: (HALF, (Normal(-1, 1), *common)), +1: (HALF, (Normal(1, 1), *common))})


def test_two_normals_keep_phi_of_minus_their_distance_less_eps() -> None:
    """N(-1,1) v N(1,1): the least robust risk is Phi(eps - 1), by the closed form for shifted log-concave densities."""
    for eps in ("1/4", "1/2", "4/5"):
        truth = normal_cdf(Fraction(eps) - 1)
        assert optimal_product_risk(normals(), Ball(eps), 8).value.overlaps(truth)


def test_halving_the_step_cuts_the_gap_of_a_smooth_law_by_three_and_a_half() -> None:
    gaps = [optimal_product_risk(normals(), Ball("1/2"), steps).value.width for steps in (2, 4, 8)]
    assert all(a >= Fraction(7, 2) * b for a, b in itertools.pairwise(gaps))


def test_axes_on_which_the_classes_agree_drop_out() -> None:
    flat, tall = (optimal_product_risk(normals(dim), Ball("1/2"), 4) for dim in (1, 2))
    assert flat.value.same_as(tall.value) or flat.value.overlaps(tall.value)
    assert robust_risk(tall.classifier, normals(2), Ball("1/2")).lo <= tall.value.hi


@pytest.mark.parametrize("marginal", [Laplace, lambda m, s: GeneralisedNormal(m, s, 3), Normal])
def test_the_upper_end_is_attained_and_the_lower_one_below_it(marginal: object) -> None:
    law = ProductDistribution({-1: ("2/5", (marginal(-1, 1),)), +1: ("3/5", (marginal("1/2", "3/4"),))})
    best = optimal_product_risk(law, Ball("1/4"), 6)
    assert best.value.lo <= robust_risk(best.classifier, law, Ball("1/4")).hi
    assert robust_risk(best.classifier, law, Ball("1/4")).lo <= best.value.hi
    assert best.value.width < Fraction(1, 50)


def test_uniform_products_meet_the_exact_box_optimum() -> None:
    smooth = ProductDistribution({-1: (HALF, (Uniform(0, 1),)), +1: (HALF, (Uniform("1/2", 2),))})
    boxes = BoxDistribution.of_masses({-1: [([(0, 1)], HALF)], +1: [([("1/2", 2)], HALF)]})
    for eps in ("1/10", "1/3"):
        exact = optimal_box_risk(boxes, Ball(eps)).value.fraction
        assert optimal_product_risk(smooth, Ball(eps), 8).value.contains(exact)


# ---- round balls ----


@pytest.mark.parametrize("ord", [1, 2, math.inf])
def test_half_squares_cost_the_same_under_every_norm(ord: float) -> None:
    law = BoxDistribution.of_masses(
        {-1: [([(0, HALF), (0, 1)], "9/20")], +1: [([(HALF, 1), (0, 1)], "11/20")]}, [(0, 1)] * 2
    )
    assert optimal_robust_risk(law, Ball("1/10", ord), **({} if ord == math.inf else {"h": Fraction(1, 10)})).value == (
        Fraction(9, 50)
    )


def diagonal() -> BoxDistribution:
    """Two squares that meet in a corner: here l1, l2 and l-infinity differ."""
    return BoxDistribution.of_masses({-1: [([(0, 1), (0, 1)], HALF)], +1: [([(1, 2), (1, 2)], HALF)]}, [(0, 2)] * 2)


def test_the_enclosure_of_a_round_optimum_shrinks_with_the_cells() -> None:
    widths = [optimal_round_risk(diagonal(), Ball("1/4", 2), h).value.width for h in (HALF, HALF / 2, HALF / 4)]
    assert widths[0] > 0
    assert all(b <= Fraction(3, 4) * a for a, b in itertools.pairwise(widths))


def test_round_optima_are_ordered_as_the_balls_are() -> None:
    h = Fraction(1, 8)
    one, two = (optimal_round_risk(diagonal(), Ball("1/4", ord), h).value for ord in (1, 2))
    square = optimal_box_risk(diagonal(), Ball("1/4")).value
    assert one.lo <= two.hi
    assert two.lo <= square.hi
    assert optimal_round_risk(diagonal(), Ball("1/4"), h).value.contains(square.fraction)


def test_a_round_optimum_s_classifier_does_not_exceed_its_upper_end() -> None:
    best = optimal_round_risk(diagonal(), Ball("1/4", 2), Fraction(1, 6))
    assert robust_risk(best.classifier, diagonal(), Ball("1/4", 2, steps=64)).lo <= best.value.hi


# ---- finite spaces ----


@st.composite
def finite_problems(draw: st.DrawFn) -> tuple[FiniteDistribution, Fraction, float]:
    n = draw(st.integers(1, 6))
    points = draw(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=n, max_size=n, unique=True))
    weights = draw(st.lists(st.integers(0, 4), min_size=2 * n, max_size=2 * n))
    weights[0] += 1
    total = sum(weights)
    masses = {-1: [Fraction(w, total) for w in weights[:n]], +1: [Fraction(w, total) for w in weights[n:]]}
    eps = draw(st.fractions(0, 3, max_denominator=4))
    return FiniteDistribution.of_points(points, masses), eps, draw(st.sampled_from([1.0, 2.0, math.inf]))


@settings(max_examples=150)
@given(finite_problems())
def test_the_finite_optimum_is_the_least_over_all_classifiers(
    problem: tuple[FiniteDistribution, Fraction, float],
) -> None:
    law, eps, ord = problem
    n, coordinates = len(law.space), law.space.coordinates
    assert coordinates is not None

    def close(i: int, j: int) -> bool:
        gaps = [abs(a - b) for a, b in zip(coordinates[i], coordinates[j], strict=True)]
        return (max(gaps) if ord == math.inf else sum(gaps)) <= eps if ord != 2 else sum(g * g for g in gaps) <= eps**2

    scores = {}
    for labels in itertools.product((-1, 1), repeat=n):
        wrong = Fraction(0)
        for i in range(n):
            seen = {labels[j] for j in range(n) if close(i, j)}
            wrong += law.masses[-1][i] * (1 in seen) + law.masses[+1][i] * (-1 in seen)
        scores[labels] = wrong
    least = min(scores.values())
    best = optimal_finite_risk(law, Ball(eps, ord))
    assert best.value.fraction == least
    assert best.verified
    minimisers = [labels for labels, score in scores.items() if score == least]
    for i in range(n):
        said = {labels[i] for labels in minimisers}
        for y in (-1, +1):
            assert (i in best.forced[y].members) == (said == {y})
        assert (i in best.free.members) == (said == {-1, 1})


@pytest.mark.parametrize(
    ("law", "ball", "words"),
    [
        (normals(), Ball("1/2", 2), "norm 2 is not handled"),
        (normals(), Ball(0), "eps 0"),
        (checkerboard(), Ball("1/20", 2), "more than 3,000 cells"),
        ("a text", Ball(0), "no way is known to the optimum of a str"),
    ],
)
def test_what_cannot_be_solved_is_refused_in_a_sentence(law: object, ball: Ball, words: str) -> None:
    options = {"h": Fraction(1, 1000)} if isinstance(law, BoxDistribution) else {}
    with pytest.raises((ValueError, TypeError), match=words):
        optimal_robust_risk(law, ball, **options)

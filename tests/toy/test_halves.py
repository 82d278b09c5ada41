"""toy.halves: the risks of every threshold by formula, and the optimum against every classifier on a line."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from theory import Ball, Boxes, RegionClassifier, robust_risk
from toy import halves

F = Fraction
HALF = F(1, 2)


def clip(x: F) -> F:
    return min(max(x, F(0)), HALF)


def by_hand(t: F, eps: F, p: F) -> dict[str, F]:
    """The risks of sign(x1 - t), 0 < t < 1: each class has twice its mass a unit of x1."""
    q = 1 - p
    standard = 2 * q * clip(HALF - t) + 2 * p * clip(t - HALF)
    robust = 2 * q * clip(HALF - t + eps) + 2 * p * clip(t - HALF + eps)
    sensible = F(0) if t == HALF else 2 * q * clip(HALF - t + eps) if t < HALF else 2 * p * clip(t - HALF + eps)
    return {
        "standard_risk": standard,
        "boundary_risk": robust - standard,
        "robust_risk": robust,
        "sensible_risk": sensible,
    }


INNER = st.fractions(F(1, 50), F(49, 50), max_denominator=50)
RADII = st.fractions(0, 1, max_denominator=60)
PRIORS = st.fractions(F(1, 20), F(19, 20), max_denominator=20)


@given(INNER, RADII, PRIORS)
@example(HALF, F(1, 10), F(11, 20))
@example(F(2, 5), F(1, 10), F(11, 20))
@settings(max_examples=30)
def test_the_risks_of_a_threshold_are_the_formulas(t: F, eps: F, p: F) -> None:
    found = halves.example(p, [t]).risks("true", eps)[f"threshold_{t}"]
    assert {risk: value.fraction for risk, value in found.items()} == by_hand(t, eps, p)


@given(st.fractions(F(1, 50), F(49, 100), max_denominator=100), PRIORS)
@settings(max_examples=10)
def test_in_the_threshold_the_risks_are_the_formulas_piece_by_piece(eps: F, p: F) -> None:
    for risk, found in halves.threshold_curves(eps, p).items():
        assert set(found.breakpoints) <= {F(0), eps, HALF - eps, HALF, HALF + eps, 1 - eps, F(1)}
        for lo, hi, poly in found.pieces:
            assert poly.degree < 2
            assert all(poly(t) == by_hand(t, eps, p)[risk] for t in ((lo + hi) / 2, (2 * lo + hi) / 3))
        for x in found.breakpoints[1:-1]:
            assert found(x) == by_hand(x, eps, p)[risk]


@given(st.fractions(F(1, 100), HALF, max_denominator=100), PRIORS)
@settings(max_examples=10)
def test_the_least_sensible_risk_is_an_isolated_point(eps: F, p: F) -> None:
    found = halves.threshold_curves(eps, p)["sensible_risk"]
    assert (found.left("1/2"), found("1/2"), found.right("1/2")) == (2 * (1 - p) * eps, 0, 2 * p * eps)
    away = [found(x) for x in found.breakpoints if x != HALF]
    away += [found.left(x) for x in found.breakpoints[1:]] + [found.right(x) for x in found.breakpoints[:-1]]
    assert min(away) == min(found.left("1/2"), found.right("1/2")) > 0  # linear pieces are least at their ends


@given(RADII.filter(lambda eps: eps > 0), PRIORS)
@example(F(1, 4), F(11, 20))
@example(F(1, 4), HALF)
@example(F(1, 8), HALF)
@example(F(2, 5), HALF)
@settings(max_examples=12)
def test_the_optimum_its_thresholds_and_its_cost_are_the_formulas(eps: F, p: F) -> None:
    row = halves.optimum([eps], p).rows[0]
    few, middle = min(p, 1 - p), max(HALF - eps, F(0))
    left = [(middle, middle) if eps < F(1, 4) else (F(0), middle)]  # where the smaller class is given up
    right = [(1 - hi, 1 - lo) for lo, hi in left]
    both = [(middle, 1 - middle)] if eps < F(1, 4) else [(F(0), F(1))] if eps == F(1, 4) else left + right
    spans = both if p == HALF else left if p > HALF else right
    assert row["optimum"] == few * min(4 * eps, 1)
    assert row["thresholds"] == " ".join(str(lo) if lo == hi else f"[{lo}, {hi}]" for lo, hi in spans)
    assert row["greatest_cost"] == (2 * eps * few if eps < F(1, 4) else few)
    assert row["least_cost"] == (F(0) if p == HALF and eps <= F(1, 4) else 2 * min(eps, HALF) * few)
    if p != HALF:
        assert row["free"] == (middle if eps >= F(1, 4) else 0)


@given(st.integers(1, 9), st.sampled_from([F(1, 2), F(11, 20), F(1, 3), F(4, 5)]))
@settings(max_examples=8)
def test_the_optimum_is_that_of_all_classifiers_on_a_line(k: int, p: F) -> None:
    """16 cells in x1, radius k/16: all 65,536 labellings. Cells of width 1/16 lose nothing, for 2 eps is a multiple."""
    n = 16
    y = np.where(np.arange(n) < n // 2, -1, 1)
    scale = p.denominator
    mass = np.where(y < 0, int((1 - p) * scale), int(p * scale))
    every = (np.arange(2**n)[:, None] >> np.arange(n) & 1) * 2 - 1

    def attacked(bad: np.ndarray) -> np.ndarray:
        found = bad.copy()
        for step in range(1, k + 1):
            found[:, step:] |= bad[:, :-step]
            found[:, :-step] |= bad[:, step:]
        return found

    robust = np.where(y > 0, attacked(every < 0), attacked(every > 0)) @ mass
    best = every[robust == robust.min()]
    costs = (best != y) @ mass
    row = halves.optimum([F(k, n)], p).rows[0]
    total = scale * n // 2
    assert row["optimum"] == F(int(robust.min()), total)
    assert (row["least_cost"], row["greatest_cost"]) == (F(int(costs.min()), total), F(int(costs.max()), total))
    assert row["free"] == F(int((best != best[0]).any(axis=0).sum()), n)
    steps = {t for t in range(n + 1) if (best == np.where(np.arange(n) < t, -1, 1)).all(axis=1).any()}
    spans = [[F(x) for x in text.strip("[]").split(", ")] for text in re.findall(r"\[.*?\]|[^ ]+", row["thresholds"])]
    assert steps == {t for t in range(n + 1) for span in spans if span[0] <= F(t, n) <= span[-1]}


@given(st.integers(1, 8), PRIORS, st.lists(st.booleans(), min_size=64, max_size=64))
@settings(max_examples=10)
def test_no_classifier_has_less_robust_risk_than_the_optimum(k: int, p: F, bits: list[bool]) -> None:
    """Chequered classifiers that do depend on x2."""
    cells = [((F(i, 8), F(i + 1, 8)), (F(j, 8), F(j + 1, 8))) for i in range(8) for j in range(8) if bits[8 * i + j]]
    f, eps = RegionClassifier.binary(Boxes(cells, 2)), F(k, 40)
    least = halves.optimum([eps], p).rows[0]["optimum"]
    assert robust_risk(f, halves.distribution(p), Ball(eps)) >= least


def test_reflecting_the_square_swaps_the_classes() -> None:
    for risk, found in halves.threshold_curves("1/7", "3/10").items():
        mirrored = halves.threshold_curves("1/7", "7/10")[risk]
        assert all(found(F(k, 20)) == mirrored(1 - F(k, 20)) for k in range(21))


@pytest.mark.parametrize("prior", [0, 1, "3/2", -1])
def test_a_prior_of_one_class_is_refused(prior: str | int) -> None:
    with pytest.raises(ValueError, match=r"prior \S+ is outside \(0, 1\), and a law with one class"):
        halves.distribution(prior)

"""The exact frontier against linear programmes, random classifiers and Theorem 2.1."""

from __future__ import annotations

import itertools
import math
import time
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.enclosure import Enclosure
from theory.odds.frontier import (
    bayes_threshold,
    best_robust_accuracy,
    frontier,
    frontier_at,
    robust_optimum,
    tangent_threshold,
)
from theory.odds.frontier_lp import frontier_by_lp
from theory.odds.signgaussian import (
    LinearClassifier,
    SignGaussian,
    ThresholdClassifier,
    bayes_classifier,
    boundary_risk,
    robust_accuracy,
    shifted_accuracy,
    standard_accuracy,
)
from theory.odds.theorem21 import (
    corrected_bound,
    looseness,
    shift_bound,
    shift_frontier,
    theorem_core,
    theorem_line,
)

PAPER = SignGaussian("0.95", "0.03", 10_000)
laws = st.builds(
    SignGaussian,
    st.fractions(min_value=Fraction(1, 2), max_value=Fraction(99, 100), max_denominator=100),
    st.fractions(min_value=Fraction(1, 20), max_value=Fraction(1, 4), max_denominator=40),
    st.integers(4, 400),
)


def hundredths(s: Any, p: str) -> SignGaussian:
    """A law with eta sqrt(d) = s whose radii stay below 1."""
    return SignGaussian(p, Fraction(s) / 100, 10_000)


def middle(x: Enclosure) -> float:
    return float(Fraction(x.lo + x.hi) / 2)


# ---- the best robust accuracy ----


@pytest.mark.parametrize(
    ("s", "p", "r"),
    [(3, "0.95", "1.5"), (3, "0.95", "2.5"), (3, "0.95", 3), (2, "0.6", 1), (1, "0.5", 1), (2, "0.8", 30)],
)
def test_a_linear_programme_encloses_the_best_robust_accuracy(s: Any, p: str, r: Any) -> None:
    law = hundredths(s, p)
    bounds = frontier_by_lp(law, Fraction(r) / 100, None, cells=120)
    assert bounds.contains(best_robust_accuracy(law, Fraction(r) / 100))
    assert bounds.width < Fraction(1, 15)


@pytest.mark.parametrize("eps", ["1", "1.5", "2", "2.5"])
@pytest.mark.parametrize("eta", [3, "1.2", "0.7"])
def test_a_linear_programme_encloses_it_where_the_adversary_overturns_feature_one(eps: str, eta: Any) -> None:
    law = SignGaussian("0.8", eta, 1)
    bounds = frontier_by_lp(law, eps, None, cells=120)
    assert bounds.contains(best_robust_accuracy(law, eps))


def test_best_robust_accuracy_of_a_finite_game_solved_by_cvxpy() -> None:
    """Another programme: the adversary's. She moves mass between points of a lattice to make the labels look alike; the
    Bayes accuracy that is left bounds every classifier from above, and nearly equals the best robust accuracy."""
    import cvxpy as cp
    from scipy.special import ndtr

    law, s, r = hundredths(2, "0.8"), 2.0, 1.2
    step = 0.1
    borders = step * np.arange(-60, 61)
    mass = np.diff(ndtr(borders - s), prepend=0, append=0)[1:-1]
    n, reach = len(mass), round(r / step) - 1  # from anywhere in a cell to the centre of another
    near = np.abs(np.subtract.outer(np.arange(n), np.arange(n))) <= reach
    plus = {1: cp.Variable((n, n), nonneg=True), -1: cp.Variable((n, n), nonneg=True)}
    minus = {1: cp.Variable((n, n), nonneg=True), -1: cp.Variable((n, n), nonneg=True)}
    share = {1: 0.8, -1: 0.2}
    constraints: list[Any] = []
    for side in (1, -1):  # x_1 y for the moves of y = +1; for y = -1 the mirror image has x_1 = -side
        for moves, before in ((plus[side], mass), (minus[side], mass[::-1])):
            constraints += [cp.sum(moves, axis=1) == share[side] * before / 2, cp.multiply(1 - near, moves) == 0]
    left = [cp.sum(cp.maximum(cp.sum(plus[side], axis=0), cp.sum(minus[-side], axis=0))) for side in (1, -1)]
    bound = cp.Problem(cp.Minimize(cp.sum(left)), constraints).solve(solver=cp.HIGHS)
    best = best_robust_accuracy(law, Fraction(12, 1000))
    assert float(best.hi) <= bound + 1e-6
    assert bound - float(best.lo) < 0.02


@settings(max_examples=40)
@given(laws, st.fractions(0, 3, max_denominator=40))
def test_the_robust_optimum_attains_it_and_beats_the_named_classifiers(law: SignGaussian, eps: Fraction) -> None:
    best = best_robust_accuracy(law, eps)
    assert robust_accuracy(robust_optimum(law, eps), law, eps).overlaps(best)
    for f in (bayes_classifier(law), LinearClassifier(0, 1), LinearClassifier(1, 0), ThresholdClassifier(-1)):
        assert robust_accuracy(f, law, eps).lo <= best.hi


def test_p_is_a_ceiling_from_eta_on_and_sign_is_not_best_before() -> None:
    law = SignGaussian("0.95", "0.4", 100)
    assert best_robust_accuracy(law, "0.4").fraction == Fraction(19, 20)
    assert best_robust_accuracy(law, "0.39") > Fraction(19, 20)


def test_no_linear_classifier_attains_the_best_robust_accuracy_below_eta() -> None:
    # they pay eps |w_1|; rounding x_1 does not
    law = SignGaussian("0.95", "0.4", 100)
    for eps in ("0.2", "0.3"):
        best = best_robust_accuracy(law, eps)
        # weights (cos, sin) on (x_1, z); a fine grid of angles
        tried = [
            robust_accuracy(LinearClassifier(Fraction(math.cos(a)), Fraction(math.sin(a)) / 10), law, eps)
            for a in np.linspace(0, math.pi / 2, 200)
        ]
        top = max(tried, key=lambda accuracy: accuracy.hi)
        assert top < best
        assert best.lo - top.hi > Fraction(1, 1000)


# ---- the frontier ----


@pytest.mark.parametrize(
    ("s", "p", "r", "delta"),
    [
        (3, "0.95", 6, "0.01"),  # eps = 2 eta
        (3, "0.95", 4, "0.01"),  # eta < eps < 2 eta
        (3, "0.95", 1, "0.0006"),  # eps < eta
        (3, "0.95", 9, "0.01"),  # eps > 2 eta, from here on: mixtures
        (3, "0.95", 9, "0.04"),
        (3, "0.95", 7, "0.01"),
        (2, "0.75", 6, "0.1"),
        (2, "0.9", 5, "0.05"),
        (1, "0.7", 3, "0.25"),
        (2, "0.5", 5, "0.1"),
    ],
)
def test_a_linear_programme_encloses_the_frontier(s: Any, p: str, r: Any, delta: str) -> None:
    law, eps = hundredths(s, p), Fraction(r) / 100
    found = frontier_at(law, eps, delta).robust_accuracy
    bounds = frontier_by_lp(law, eps, delta, cells=120)
    assert bounds.contains(found)
    assert bounds.width < Fraction(1, 10)


def test_the_linear_programmes_close_in_on_the_frontier() -> None:
    law = hundredths(2, "0.9")
    widths = [frontier_by_lp(law, "0.05", "0.05", cells).width for cells in (60, 120, 240)]
    assert widths[0] > Fraction(3, 2) * widths[1] > Fraction(9, 4) * widths[2]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([2, 5, 6, 7, 9]))
def test_random_sets_and_random_coins_stay_below_the_frontier(seed: int, r: int) -> None:
    """Any function phi = P(+1 | x_1 = +1, z), here piecewise constant with random pieces, by direct computation."""
    from scipy.special import ndtr

    rng = np.random.default_rng(seed)
    law, s, p = hundredths(3, "0.8"), 3.0, 0.8
    cuts = np.sort(rng.uniform(-9, 9, rng.integers(1, 5)))
    values = rng.random(len(cuts) + 1).round(rng.integers(0, 3))
    if rng.random() < 0.5:
        values = np.sort(values)
    borders = np.concatenate([[-np.inf], cuts, [np.inf]])
    events = np.unique(np.concatenate([cuts - r, cuts, cuts + r]))
    grid = np.concatenate([[-np.inf], events, [np.inf]])
    inner = np.concatenate([[events[0] - 1], (events[1:] + events[:-1]) / 2, [events[-1] + 1]])

    def accuracies(mean: float, phi: np.ndarray) -> tuple[float, float]:
        mass = np.diff(ndtr(grid - mean))
        seen = [phi[(borders[:-1] < z + r) & (borders[1:] > z - r)].min() for z in inner]
        at = phi[np.searchsorted(cuts, inner)]
        return float(mass @ at), float(mass @ np.array(seen))

    plus, minus = accuracies(s, values), accuracies(-s, 1 - values)
    standard, robust = (p * x + (1 - p) * y for x, y in zip(plus, minus, strict=True))
    delta = Fraction(1 - standard) + Fraction(1, 10**9)
    best = frontier_at(law, Fraction(r, 100), min(delta, Fraction(1))).robust_accuracy
    assert robust <= float(best.hi) + 1e-9


@pytest.mark.parametrize("eps", ["0.01", "0.03", "0.045", "0.06", "0.09", "0.3"])
@pytest.mark.parametrize("p", ["0.5", "0.7", "0.95"])
def test_points_are_attained_concave_and_end_where_they_should(p: str, eps: str) -> None:
    law = hundredths(3, p)
    curve = frontier(law, eps, n=21)
    for point in curve.points:
        assert standard_accuracy(point.classifier, law).overlaps(point.standard_accuracy)
        assert robust_accuracy(point.classifier, law, eps).overlaps(point.robust_accuracy)
        assert point.standard_accuracy.width < Fraction(1, 10**12)
        assert point.robust_accuracy.width < Fraction(1, 10**12)
    first, last = curve.points[0], curve.points[-1]
    assert first.standard_accuracy.overlaps(standard_accuracy(bayes_classifier(law), law))
    assert last.robust_accuracy.overlaps(best_robust_accuracy(law, eps))
    if len(curve.points) > 1:
        assert len(curve.points) == 21
        pairs = [(middle(q.standard_accuracy), middle(q.robust_accuracy)) for q in curve.points]
        assert all(x1 >= x2 for (x1, _), (x2, _) in itertools.pairwise(pairs))
        assert all(y1 < y2 + 1e-15 for (_, y1), (_, y2) in itertools.pairwise(pairs))
        apart = [pairs[0], *(b for a, b in itertools.pairwise(pairs) if a[0] - b[0] > 1e-7)]
        slopes = [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in itertools.pairwise(apart)]
        assert all(a < b + 1e-6 * abs(b) for a, b in itertools.pairwise(slopes))


def test_the_frontier_and_its_height_at_an_accuracy_agree() -> None:
    for eps in ("0.02", "0.05", "0.06", "0.08"):
        for point in frontier(hundredths(2, "0.8"), eps, n=7).points[1:-1]:
            delta = Fraction(point.delta.lo)
            found = frontier_at(hundredths(2, "0.8"), eps, delta)
            assert abs(middle(found.robust_accuracy) - middle(point.robust_accuracy)) < 1e-12


def test_the_slope_is_the_closed_form_and_the_tangent_meets_the_point_p_p() -> None:
    law, eps, p = hundredths(2, "0.75"), Fraction(6, 100), 0.75
    t = tangent_threshold(law, eps)
    assert t is not None
    assert t < bayes_threshold(law)
    step = Fraction(1, 10**6)
    around = [Fraction(t.lo) - step, Fraction(t.lo) + step]
    rules = [ThresholdClassifier(place) for place in around]
    (x1, y1), (x2, y2) = ((middle(standard_accuracy(f, law)), middle(robust_accuracy(f, law, eps))) for f in rules)
    at = ThresholdClassifier(t)
    chord = (middle(robust_accuracy(at, law, eps)) - p) / (middle(standard_accuracy(at, law)) - p)
    s, u, half = 2.0, -4.0, math.log(3) / 2
    closed = math.exp((s * s - u * u) / 2) * math.sinh(u * float(t.lo) + half) / math.sinh(s * float(t.lo) + half)
    assert (y2 - y1) / (x2 - x1) == pytest.approx(chord, rel=1e-5)
    assert closed == pytest.approx(chord, rel=1e-12)
    assert tangent_threshold(law, "0.04") is None


def test_below_two_eta_thresholds_alone_are_best_and_above_a_coin_is_better() -> None:
    law = hundredths(2, "0.75")
    for eps, gain in (("0.04", 0.0), ("0.06", 0.001)):
        delta = Fraction(1, 10)
        best = middle(frontier_at(law, eps, delta).robust_accuracy)
        thresholds = [ThresholdClassifier(Fraction(-k, 100)) for k in range(200)]
        fair = [f for f in thresholds if standard_accuracy(f, law) >= 1 - delta]
        alone = max(middle(robust_accuracy(f, law, eps)) for f in fair)
        assert best > alone + gain


def test_a_thousand_points_take_less_than_two_seconds() -> None:
    frontier(PAPER, "0.06", 2)  # load flint and scipy
    start = time.perf_counter()
    curve = frontier(PAPER, "0.06", 1000)
    assert time.perf_counter() - start < 2
    assert len(curve.points) == 1000


# ---- Theorem 2.1 ----


def test_z3_finds_no_counterexample_to_the_core() -> None:
    assert theorem_core() == dict.fromkeys(("identities", "bound", "gap", "exchanged", "at_p"), "unsat")


def test_the_core_by_enumeration_of_extreme_cases() -> None:
    # the statements are linear in each p_ij, so corners decide them; exact arithmetic
    for p in (Fraction(1, 2), Fraction(3, 4), Fraction(19, 20), Fraction(999, 1000)):
        for pp, pm, mp, mm in itertools.product((Fraction(0), Fraction(1, 3), Fraction(1)), repeat=4):
            standard = (p * (1 + pp - mm) + (1 - p) * (1 + mp - pm)) / 2
            shifted = (p * (1 + pm - mp) + (1 - p) * (1 + mm - pp)) / 2
            assert (1 - p) * shifted <= p * (1 - standard)
            assert p * (1 - standard) - (1 - p) * shifted == (2 * p - 1) * (1 - pp + mm) / 2
            assert (1 - p) * standard <= p * (1 - shifted)


@settings(max_examples=40)
@given(laws, st.fractions(-4, 4, max_denominator=20), st.lists(st.fractions(-3, 3, max_denominator=9)).filter(len))
def test_every_classifier_obeys_the_theorem(law: SignGaussian, strong: Fraction, weak: list[Fraction]) -> None:
    small = SignGaussian(law.reliability, law.eta, len(weak))
    f, eps = LinearClassifier(strong, weak), 2 * law.eta
    delta = 1 - standard_accuracy(f, small)
    p = law.reliability
    assert robust_accuracy(f, small, eps).lo <= (p / (1 - p) * delta).hi
    assert shifted_accuracy(f, small, eps).lo <= (p / (1 - p) * delta).hi
    assert shifted_accuracy(f, small, eps).lo <= (1 - (1 - p) / p * (1 - delta)).hi


def test_how_loose_the_line_is_by_subtraction() -> None:
    for t in (Fraction(-1, 2), Fraction(-2), Fraction(-4)):
        f = ThresholdClassifier(t)
        delta = 1 - standard_accuracy(f, PAPER)
        gap = Fraction(19) * delta - robust_accuracy(f, PAPER, "0.06")
        assert gap.overlaps(looseness(PAPER, t))
        assert looseness(PAPER, t) > 0
    assert looseness(PAPER, -20) < Fraction(1, 10**100)


def test_the_line_is_the_tangent_at_p_p_and_loosest_at_the_bayes_point() -> None:
    points = frontier(PAPER, "0.06", 401).points
    ratios = [middle(q.robust_accuracy) / (19 * middle(q.delta)) for q in points]
    assert ratios[0] == min(ratios) == pytest.approx(0.5705, abs=5e-5)
    near = points[-2]
    slope = (0.95 - middle(near.robust_accuracy)) / (0.95 - middle(near.standard_accuracy))
    assert slope == pytest.approx(-19, rel=1e-6)
    # as s grows the ratio at the Bayes point falls to (p^2 + (1-p)^2) / (2 p^2)
    limit, excess = (0.95**2 + 0.05**2) / (2 * 0.95**2), []
    for s in (2, 3, 4, 6, 10):
        first = frontier(hundredths(s, "0.95"), Fraction(2 * s, 100), 2).points[0]
        excess.append(middle(first.robust_accuracy) / (19 * middle(first.delta)) - limit)
    assert all(a > b > 0 for a, b in itertools.pairwise(excess))
    assert excess[-1] < 0.01


def test_printed_examples_of_the_theorem_and_what_holds_beyond() -> None:
    """(ODDS, footnote 1): 99 % standard accuracy allows at most 19 % robust accuracy, 96 % at most 76 %."""
    assert theorem_line(PAPER, "0.01") == Fraction(19, 100)
    assert theorem_line(PAPER, "0.04") == Fraction(76, 100)
    assert theorem_line(PAPER, "0.06") > 1
    assert corrected_bound(PAPER, "0.06", "0.06").fraction == Fraction(19, 20)
    assert corrected_bound(PAPER, "0.06", "0.01").fraction == Fraction(19, 100)
    for delta in ("0.001", "0.01", "0.04", "0.05", "0.06", "0.5"):
        exact = frontier_at(PAPER, "0.06", delta).robust_accuracy
        assert exact <= corrected_bound(PAPER, "0.06", delta)
    with pytest.raises(ValueError, match="eps 1/20 is below 2 eta"):
        corrected_bound(PAPER, "0.05", "0.01")


def test_against_the_shift_alone_the_frontier_is_symmetric_and_its_bound_is_kept() -> None:
    law = hundredths(1, "0.7")
    points = shift_frontier(law, 9)
    assert len(points) == 17
    for point, mirror in zip(points, reversed(points), strict=True):
        f = point.classifier
        assert standard_accuracy(f, law).overlaps(point.standard_accuracy)
        assert shifted_accuracy(f, law, "0.02").overlaps(point.robust_accuracy)
        assert point.standard_accuracy.overlaps(mirror.robust_accuracy)
        bound = shift_bound(law, 1 - Fraction(point.standard_accuracy.lo))
        assert point.robust_accuracy.lo <= bound
    for delta in (Fraction(31, 100), Fraction(4, 10), Fraction(9, 10)):
        # the theorem with the roles exchanged, solved for the accuracy under the shift
        assert theorem_line(law, 1 - shift_bound(law, delta)) == 1 - delta
    assert shift_bound(law, "0.3") == Fraction(7, 10)
    assert shift_bound(law, "0.1") == theorem_line(law, "0.1")
    # every classifier: four numbers p_ij in the region of the two normal laws; a random search stays below
    rng = np.random.default_rng(0)
    xs, ys = ([middle(getattr(q, name)) for q in points] for name in ("standard_accuracy", "robust_accuracy"))
    for _ in range(300):
        a, b = rng.normal(0, 3, 2)
        g = LinearClassifier(Fraction(a), Fraction(b))
        height = np.interp(-middle(standard_accuracy(g, law)), [-x for x in xs], ys)
        # the polygon of the points lies a little below the curve
        assert middle(shifted_accuracy(g, law, "0.02")) <= height + 5e-3


def test_the_boundary_risk_of_frontier_rules_is_what_standard_accuracy_costs() -> None:
    for point in frontier(PAPER, "0.06", 5).points:
        lost = point.standard_accuracy - point.robust_accuracy
        assert boundary_risk(point.classifier, PAPER, "0.06").overlaps(lost)


# ---- bad input ----


def test_more_accuracy_than_the_bayes_rule_has_is_refused_with_the_bayes_accuracy() -> None:
    with pytest.raises(ValueError, match=r"delta 1/10000 .* Bayes accuracy \[0.999468738742, 0.999468738743\]"):
        frontier_at(PAPER, "0.06", "0.0001")
    with pytest.raises(ValueError, match="Bayes accuracy"):
        frontier_by_lp(PAPER, "0.06", "0.0001")
    with pytest.raises(ValueError, match="delta 2 "):
        frontier_at(PAPER, "0.06", 2)


def test_radii_and_counts_out_of_range_are_refused() -> None:
    for function in (frontier, tangent_threshold):
        with pytest.raises(ValueError, match="eps 1 is 1 or more"):
            function(PAPER, 1)  # type: ignore[operator]
    with pytest.raises(ValueError, match="n 1 points"):
        frontier(PAPER, "0.06", 1)
    with pytest.raises(ValueError, match="cells 3"):
        frontier_by_lp(PAPER, "0.06", "0.01", 3)

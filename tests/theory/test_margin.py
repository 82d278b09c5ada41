"""Margins: the bound against its proof and simulation; the minimisers against grids, subsets and each other."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from theory.enclosure import Enclosure
from theory.trades.margin import (
    LEMMA_CONSTANT,
    covering_bound,
    covering_counterexample,
    direct_penalty,
    first_informative,
    first_informative_direct,
    least_constant,
    one_sample_counterexample,
    penalty,
)
from theory.trades.separators import Margin, best_separator, exact_margin, margin_errors, structural_risk_minimisation

halves = st.integers(-6, 6).map(lambda k: Fraction(k, 2))


def samples(dim, max_size):
    row = st.tuples(st.tuples(*[halves] * dim), st.sampled_from([-1, 1]))
    return st.lists(row, min_size=1, max_size=max_size)


# ---- Theorem C.5 ----


@given(st.integers(2, 10**7), st.floats(2.0001, 1e4), st.floats(1e-12, 0.999))
def test_the_penalty_is_at_least_the_direct_one_wherever_it_says_anything(n, u, delta):
    total = math.sqrt(2 / n * (u * u * math.log(n) - math.log(delta)))
    direct = 2 * u / math.sqrt(n) + math.sqrt((math.log(u) - math.log(delta)) / (2 * n))
    assert total >= min(1, direct) * (1 - 1e-12)


def test_up_to_26_samples_the_bound_says_nothing():
    assert [n for n in range(2, 100) if n > 8 * math.log(n)] == list(range(27, 100))


@pytest.mark.parametrize("delta", ["1/100", "1/20", "1/2"])
@pytest.mark.parametrize("u", ["1/2", "2", "5/2", "30"])
def test_penalties_are_their_formulas(u, delta):
    level, ratio = -math.log(Fraction(delta)), float(Fraction(u))
    for n in (2, 50, 10**6):
        assert float(penalty(n, u, delta).lo) == pytest.approx(
            math.sqrt(2 / n * (ratio**2 * math.log(n) + level)), rel=1e-12
        )
        direct = 2 * ratio / math.sqrt(n) + math.sqrt((level + math.log(max(ratio, 1))) / (2 * n))
        assert float(direct_penalty(n, u, delta).lo) == pytest.approx(direct, rel=1e-12)


@pytest.mark.parametrize("constant", [1, 2, 6912])
@pytest.mark.parametrize("u", ["1/100", "1", "2", "17"])
def test_the_first_informative_sample_size_is_where_the_bound_falls_below_one_for_good(u, constant):
    n = first_informative(u, "1/20", constant)
    assert penalty(n, u, "1/20", constant) < 1
    assert n == 2 or penalty(n - 1, u, "1/20", constant) >= 1
    for k in range(1, 30):
        assert penalty(n + k * n, u, "1/20", constant) < 1


def test_a_bound_that_dips_below_one_only_once_does_not_count_as_informative():
    u, delta = Fraction(11832, 10000), "99/100"  # 2 u^2 = 2.8 lies between e and 3
    assert [penalty(n, u, delta) < 1 for n in (2, 3, 4)] == [True, False, True]
    assert first_informative(u, delta) == 4


@pytest.mark.parametrize("u", ["2", "3", "50"])
def test_the_direct_penalty_falls_below_one_at_its_first_informative_size(u):
    n = first_informative_direct(u, "1/20")
    assert direct_penalty(n, u, "1/20") < 1 <= direct_penalty(n - 1, u, "1/20")
    assert n < first_informative(u, "1/20")


def test_the_paper_s_lemmas_give_the_constant_6912_and_no_less():
    def lemmas(v, log_n):  # n times the square of Lemma C.3's root without delta, at gamma just below 2 b/v
        inner = math.log(8 * v + 4) + log_n  # the + 1 costs less than the digits of a float
        return 32 * (math.log(4) + 36 * v * v * inner + math.log(v)) / (v * v / 4 * log_n)

    def worst(constant):
        found = []
        for i in range(2, 500):
            v, log_n = 2.0**i, 20.0
            for _ in range(200):  # the least n with a bound below 1: n = constant v^2/4 ln n
                log_n = math.log(constant * v * v / 4) + math.log(log_n)
            found.append(lemmas(v, log_n))
        return max(found)

    assert 6850 < worst(float(LEMMA_CONSTANT)) < LEMMA_CONSTANT
    assert worst(6520.0) > 6520


def test_the_bounds_hold_on_simulated_samples_for_all_directions_and_margins():
    rng, n = np.random.default_rng(5), 2000
    extra = {
        g: [float(f(n, 1 / g, "1/20").lo) for f in (penalty, direct_penalty)] for g in (Fraction(1, 8), Fraction(1, 4))
    }
    broken, informative = 0, 0
    for _ in range(30):
        angle = rng.uniform(-0.5, 0.5, n)  # x = y (cos angle, sin angle)
        for theta in np.linspace(0, 3, 31):
            score = np.cos(angle - theta)  # y w.x
            risk = min(max(theta + 0.5 - math.pi / 2, 0), 1)  # P(angle < theta - pi/2)
            for gamma, penalties in extra.items():
                share = (score <= float(2 * gamma)).mean()
                broken += sum(share + extra < risk for extra in penalties)
                informative += sum(risk > 0 and share + extra < 1 for extra in penalties)
    assert broken == 0
    assert informative > 200


def test_one_sample_refutes_the_theorem_for_every_constant():
    for constant in (2, 6912, 10**6):
        delta = 1 - Fraction(1, 8 * constant)
        left, right = one_sample_counterexample(delta, constant)
        assert right < left
        assert float(right.lo) == pytest.approx(math.sqrt(-constant * math.log1p(-1 / (8 * constant))), rel=1e-9)
    left, right = one_sample_counterexample("1/20", 2)
    assert right > left


def test_no_constant_below_a_quarter_over_ln_2_will_do():
    lower = least_constant().lo
    assert float(lower) == pytest.approx(1 / (4 * math.log(2)), rel=1e-12)
    u = Fraction(2829, 1000)  # just beyond 2 sqrt 2: two orthonormal samples, their mean direction, no error
    assert margin_errors([1, 1, 0], [(1, 0, 0), (0, 1, 0)], [1, 1], 2 / u) == 0
    assert penalty(2, u, "999/1000", lower * Fraction(99, 100)) < Fraction(999, 1000)


# ---- Lemma C.4 ----


def test_the_printed_covering_bound_fails_and_the_one_with_n_does_not():
    k = covering_counterexample("2/5")
    assert covering_bound("2/5", 1, 1) < k + 1
    assert covering_bound("2/5", 1, 1) > k
    assert covering_bound("2/5", 1, 1, n=2**k) > k + 1


def test_signed_unit_vectors_on_orthonormal_samples_are_one_apart():
    rows = [sign * np.eye(6)[i] for i in range(6) for sign in (1, -1)]
    values = [np.eye(6) @ w for w in rows]
    assert min(abs(a - b).max() for a, b in itertools.combinations(values, 2)) == 1


# ---- exact margins ----


@settings(max_examples=60)
@given(st.integers(1, 4).flatmap(lambda d: st.lists(st.tuples(*[halves] * d), min_size=1, max_size=9)))
def test_exact_margins_verify_and_agree_with_a_numeric_optimum(points):
    margin = exact_margin(points)
    assert margin.verify(points)
    assert len(margin.weights) <= len(points[0]) + 1
    rows = np.array(points, float)
    dim = rows.shape[1]
    if margin.squared:
        start = np.append(np.array(margin.point, float) * 0.3, -10.0)
        rules = [
            {
                "type": "ineq",
                "fun": lambda v: rows @ v[:dim] - v[dim],
                "jac": lambda v: np.c_[rows, -np.ones(len(rows))],
            },
            {"type": "ineq", "fun": lambda v: 1 - v[:dim] @ v[:dim], "jac": lambda v: np.append(-2 * v[:dim], 0.0)},
        ]
        objective = {"fun": lambda v: -v[dim], "jac": lambda v: np.append(np.zeros(dim), -1.0)}
        found = minimize(
            x0=start, constraints=rules, method="SLSQP", options={"ftol": 1e-12, "maxiter": 500}, **objective
        )
        assert found.x[dim] == pytest.approx(math.sqrt(margin.squared), abs=1e-5)
    else:  # 0 is in the hull: no w is strictly positive on all
        found = linprog(np.zeros(dim), A_ub=-rows, b_ub=-np.ones(len(rows)), bounds=(None, None))
        assert found.status == 2


def test_a_wrong_pair_does_not_verify():
    points = [(Fraction(1), Fraction(0)), (Fraction(0), Fraction(2))]
    good = exact_margin(points)
    half = Fraction(1, 2)
    assert good.verify(points)
    assert not Margin((half, Fraction(1)), {0: half, 1: half}).verify(points)
    assert not Margin(good.point, {0: half, 1: half}).verify(points)
    assert not Margin((Fraction(2), Fraction(-2)), {0: Fraction(2), 1: Fraction(-1)}).verify(points)
    assert not good.verify([*points, (Fraction(-1), Fraction(0))])


# ---- Algorithm 2 ----


def by_subsets(points, labels, c):
    """The fewest errors, through every subset of samples."""
    signed = [tuple(y * x for x in row) for row, y in zip(points, labels, strict=True)]
    for errors in range(len(signed) + 1):
        for kept in itertools.combinations(signed, len(signed) - errors):
            if not kept or exact_margin(kept).squared > c * c:
                return errors
    raise AssertionError


def check(result, points, labels, c):
    assert margin_errors(result.direction, points, labels, c) == result.errors == len(points) - len(result.correct)
    if result.correct:
        kept = [tuple(labels[i] * x for x in points[i]) for i in result.correct]
        assert result.margin.verify(kept)
        assert result.margin.squared > c * c


@settings(max_examples=80)
@given(samples(2, 7), st.integers(0, 6).map(lambda k: Fraction(k, 2)))
def test_the_sweep_equals_brute_force_over_subsets(data, c):
    points, labels = [row for row, _ in data], [y for _, y in data]
    result = best_separator(points, labels, c, "sweep")
    assert result.errors == by_subsets(points, labels, c)
    check(result, points, labels, c)


@settings(max_examples=40)
@given(st.integers(1, 4).flatmap(lambda d: samples(d, 7)), st.integers(0, 4).map(lambda k: Fraction(k, 2)))
def test_branching_equals_brute_force_over_subsets(data, c):
    points, labels = [row for row, _ in data], [y for _, y in data]
    result = best_separator(points, labels, c, "branch")
    assert result.errors == by_subsets(points, labels, c)
    check(result, points, labels, c)


@pytest.mark.parametrize("seed", range(12))
def test_scip_equals_branching_and_the_sweep(seed):
    rng = np.random.default_rng(seed)
    d = 2 + seed % 3
    points = [tuple(Fraction(int(k), 2) for k in row) for row in rng.integers(-6, 7, (9, d))]
    labels = [int(y) for y in rng.choice([-1, 1], 9)]
    c = Fraction(int(rng.integers(0, 5)), 2)
    results = [best_separator(points, labels, c, method) for method in ("misocp", "branch", *["sweep"] * (d == 2))]
    assert len({result.errors for result in results}) == 1
    for result in results:
        check(result, points, labels, c)


def test_scip_is_corrected_where_a_margin_equals_the_threshold():
    # the margin of the first two is exactly 1: a solver's tolerance takes them for strictly beyond
    points, labels = [(1, 1, 0), (1, -1, 0), (0, 0, 1)], [1, 1, 1]
    assert best_separator(points, labels, 1, "misocp").errors == 2
    assert best_separator(points, labels, Fraction(999, 1000), "misocp").errors == 1
    assert best_separator(points[:2], labels[:2], 1).errors == 1
    assert best_separator(points[:2], labels[:2], Fraction(10**12 - 1, 10**12)).errors == 0


@pytest.mark.parametrize("seed", range(5))
def test_the_sweep_is_never_worse_than_a_dense_grid_and_meets_it(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(60, 2)), rng.choice([-1, 1], 60)
    y[:40] = np.sign(x[:40, 0] + 0.2)
    result = best_separator(x, y, "1/4", exact_float=True)
    angles = np.linspace(0, 2 * math.pi, 200_001)
    scores = np.cos(angles)[:, None] * (y * x[:, 0]) + np.sin(angles)[:, None] * (y * x[:, 1])
    assert result.errors == int((scores <= 0.25).sum(axis=1).min())


def test_strictness_counts_a_sample_on_the_threshold_as_an_error():
    assert best_separator([(2, 0)], [1], 2).errors == 1
    assert best_separator([(2, 0)], [1], 2).margin is None
    assert best_separator([(2, 0)], [1], "199/100").errors == 0
    assert margin_errors([1, 0], [(2, 0)], [1], 2) == 1
    assert margin_errors([1, 0], [(0, 1)], [1], 0) == 1


def test_structural_risk_minimisation_takes_the_least_sum():
    rng = np.random.default_rng(1)
    x = rng.integers(-8, 9, (120, 2))
    y = np.where(x[:, 0] + 2 * x[:, 1] > 0, 1, -1)
    gammas = [Fraction(1, 4), Fraction(1), Fraction(2), Fraction(3)]
    result = structural_risk_minimisation(x, y, gammas, eps="1/2", delta="1/20", b=12)
    totals = []
    for gamma, s in zip(gammas, result.separators, strict=True):
        assert s.threshold == 2 * gamma + Fraction(1, 2)
        assert s.errors == margin_errors(s.direction, x.tolist(), y.tolist(), s.threshold)
        totals.append(s.errors / 120 + math.sqrt(2 / 120 * ((12 / gamma) ** 2 * math.log(120) - math.log(0.05))))
    assert [float(bound.lo) for bound in result.bounds] == pytest.approx(totals, rel=1e-12)
    assert result.chosen == int(np.argmin(totals))
    assert result.separator is result.separators[result.chosen]
    assert [row["chosen"] for row in result.table().rows].count(True) == 1
    assert all(isinstance(row["bound"], Enclosure) for row in result.table().rows)


def test_with_the_lemmas_constant_the_largest_gamma_wins():
    x, y = [(k, k * k % 7) for k in range(-9, 10)], [1 if k > 0 else -1 for k in range(-9, 10)]
    result = structural_risk_minimisation(x, y, ["1/2", 4, 1], eps=0, delta="1/20", b=12, constant=LEMMA_CONSTANT)
    assert result.chosen == 1


def good(**changes):
    given_ = {"points": [(1, 0), (0, 1)], "labels": [1, -1], "gammas": [1], "eps": 0, "delta": "1/2", "b": 1, **changes}
    return structural_risk_minimisation(**given_)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: good(eps="-1/10"), "eps -1/10 is negative"),
        (lambda: good(gammas=[0]), "gamma 0 is not positive"),
        (lambda: good(gammas=["-1"]), "gamma -1 is not positive"),
        (lambda: good(gammas=[]), "one or more different margins"),
        (lambda: good(gammas=[1, "1"]), "one or more different margins"),
        (lambda: good(delta=0), r"delta 0 is outside \(0, 1\)"),
        (lambda: good(delta=1), r"delta 1 is outside \(0, 1\)"),
        (lambda: good(labels=[1, 0]), "label 0 is not allowed"),
        (lambda: good(labels=[1]), "2 points have 1 labels"),
        (lambda: good(points=[(1, 0)], labels=[1]), "n 1 is too few samples"),
        (lambda: good(points=[], labels=[]), "points need at least one row"),
        (lambda: good(points=[(1, 0), (1,)]), "all rows one positive length"),
        (lambda: good(b="1/2"), "point 0 has norm 1, above b = 1/2"),
        (lambda: good(constant=0), "constant 0 is not positive"),
        (lambda: good(method="grid"), "method 'grid' is unknown"),
        (lambda: best_separator([(1, 0, 0)], [1], 0, "sweep"), "not in 3 dimensions"),
        (lambda: best_separator([(1, 0)], [1], "-1"), "threshold -1 is negative"),
        (lambda: penalty(1, 2, "1/2"), "n 1 is too few samples"),
        (lambda: penalty(2, 0, "1/2"), "ratio 0 is not positive"),
        (lambda: covering_counterexample("1/2"), r"outside \(0, 1/2\)"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_floats_are_refused_unless_asked_for():
    with pytest.raises(TypeError, match="is a float"):
        best_separator([(0.5, 0.25)], [1], 0)
    assert best_separator([(0.5, 0.25)], [1], 0, exact_float=True).errors == 0

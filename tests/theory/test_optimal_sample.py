"""The least robust risk on samples: value, classifier, certificate, curve and population bound."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from theory.optimal.sample import optimal_sample_curve, optimal_sample_risk, population_lower_bound
from theory.samples import LabelledSample, digits

NORMS = [1, 2, math.inf]


def gaps(x, y, scale=1):
    return [abs(Fraction(a) - Fraction(b)) / scale for a, b in zip(x.tolist(), y.tolist(), strict=True)]


def closer(x, y, ord, limit, scale=1):
    g = gaps(x, y, scale)
    return sum(v * v for v in g) <= limit**2 if ord == 2 else (sum(g) if ord == 1 else max(g)) <= limit


def best_by_enumeration(sample, eps, ord, weights):
    """The lightest set of points whose removal leaves no conflict, over all sets."""
    n = len(sample)
    conflicts = [
        (i, j)
        for i, j in itertools.combinations(range(n), 2)
        if sample.y[i] != sample.y[j] and closer(sample.x[i], sample.x[j], ord, 2 * eps, sample.scale)
    ]
    best = Fraction(10)
    for given_up in itertools.product([False, True], repeat=n):
        if all(given_up[i] or given_up[j] for i, j in conflicts):
            best = min(best, sum((w for w, g in zip(weights, given_up, strict=True) if g), Fraction(0)))
    return best


def small_sample(seed, n=11, size=7, dtype=np.uint8):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, size, (n, 2)).astype(dtype)
    if dtype == np.float64:
        x = x / 3
    y = rng.permutation(np.arange(n) % 3 > 0).astype(int) * 4 + 3  # labels 3 and 7, unequal sizes, duplicates likely
    return LabelledSample(x, y, 2 if dtype == np.uint8 else 1), rng


@pytest.mark.parametrize("ord", NORMS)
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
@pytest.mark.parametrize("seed", range(4))
def test_the_value_is_the_best_of_all_sets_of_points_to_give_up(seed, dtype, ord):
    sample, rng = small_sample(seed, dtype=dtype)
    whole = rng.integers(0, 5, 11)
    whole[0] += 1
    weights = [Fraction(int(w), int(whole.sum())) for w in whole]
    share = Fraction(2, 7)
    by_prior = [share / sample.counts[7] if label == 7 else (1 - share) / sample.counts[3] for label in sample.y]
    for eps in (Fraction(1, 2), Fraction(1)):
        for options, w in (({}, [Fraction(1, 11)] * 11), ({"weights": weights}, weights), ({"prior": share}, by_prior)):
            best = optimal_sample_risk(sample, eps, ord, **options)
            assert best.value == best_by_enumeration(sample, eps, ord, w)
            assert best.verify()
            assert best.value == sum((v for v, bad in zip(w, best.wrong, strict=True) if bad), Fraction(0))


@pytest.mark.parametrize("ord", NORMS)
@pytest.mark.parametrize("seed", range(3))
def test_the_classifier_attains_the_value_against_attacks_on_a_fine_grid(seed, ord):
    """Attack every point with every grid point of its ball: the errors found are never more than the value claims, and
    the touching points of conflicting pairs, which lie on the grid, leave none out."""
    sample, _ = small_sample(seed)
    eps = Fraction(3, 4)
    best = optimal_sample_risk(sample, eps, ord)
    # The classifier lives on the scale of the sample; attack on a grid 4 times finer by rescaling all of it.
    fine = LabelledSample(sample.x.astype(np.int64) * 4, sample.y, sample.scale * 4)
    finer = optimal_sample_risk(fine, eps, ord)
    assert finer.value == best.value
    f = finer.classifier
    steps = range(-6, 7)  # 6 / (4 * 2) = 3/4 = eps
    moves = [m for m in itertools.product(steps, steps) if closer(np.array(m), np.zeros(2, int), ord, eps, 8)]
    attacked = [np.array([x + m for m in moves]) for x in fine.x]
    lost = {i for i, (points, y) in enumerate(zip(attacked, fine.y, strict=True)) if (f(points) != y).any()}
    assert lost <= set(np.flatnonzero(finer.wrong).tolist())
    assert Fraction(len(lost), len(sample)) <= best.value


@pytest.mark.parametrize("ord", NORMS)
def test_a_curve_is_its_points_and_encloses_what_lies_between(ord):
    sample = digits().only(3, 8)
    step = {1: Fraction(1), 2: Fraction(1, 4), math.inf: Fraction(1, 8)}[ord]
    radii = [k * step for k in range(8)]
    curve = optimal_sample_curve(sample, radii, ord)
    assert curve.eps == tuple(radii)
    assert len(set(curve.values)) > 2
    for eps, best in zip(radii, curve.optima, strict=True):
        assert optimal_sample_risk(sample, eps, ord).value == best.value == curve(eps).fraction
        assert best.verify()
    middle = (radii[-2] + radii[-1]) / 2
    between = curve(middle)
    assert between.contains(optimal_sample_risk(sample, middle, ord).value)
    assert (between.lo, between.hi) == curve.values[-2:]
    with pytest.raises(ValueError, match="outside the curve's range"):
        curve(radii[-1] + 1)


def test_the_conflict_matching_agrees_with_a_linear_program():
    from scipy.optimize import linprog

    sample = digits().only(1, 8)
    best = optimal_sample_risk(sample, "1.2")
    x = sample.x.astype(int)
    squares = ((x[:, None] - x[None]) ** 2).sum(axis=2)
    left, right = np.nonzero((squares <= (Fraction(12, 5) * 16) ** 2) & (sample.y[:, None] < sample.y[None]))
    assert best.conflicts == len(left)
    rows = np.zeros((len(left), len(sample)))
    rows[np.arange(len(left)), left] = rows[np.arange(len(left)), right] = 1
    solved = linprog(np.ones(len(sample)), A_ub=-rows, b_ub=-np.ones(len(left)))
    assert best.value > 0
    assert float(best.value * len(sample)) == pytest.approx(solved.fun)


def test_equal_points_are_merged_without_changing_the_answer():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 6, (120, 1)), rng.integers(0, 2, 120)
    apart = x * 10_000 + np.arange(120).reshape(-1, 1)  # almost equal points, none of them merged
    uneven = [Fraction(i, 7140) for i in range(120)]
    for eps, weights in ((Fraction(0), None), (Fraction(1, 2), None), (Fraction(1), uneven)):
        merged = optimal_sample_risk(LabelledSample(x, y), eps, weights=weights)
        loose = optimal_sample_risk(LabelledSample(apart, y), eps * 10_000 + 60, weights=weights)
        assert merged.value == loose.value > 0
        assert merged.conflicts == loose.conflicts
        assert merged.verify()
        assert loose.verify()


def test_balls_that_touch_conflict():
    pair = LabelledSample([[0, 0], [3, 4]], [0, 1], scale=10)  # at distance 1/2
    assert optimal_sample_risk(pair, "1/4").value == Fraction(1, 2)
    assert optimal_sample_risk(pair, Fraction(1, 4) - Fraction(1, 10**40)).value == 0
    assert optimal_sample_risk(pair, "7/20", 1).value == Fraction(1, 2)
    assert optimal_sample_risk(pair, "1/5", math.inf).value == Fraction(1, 2)
    assert optimal_sample_risk(pair, "0.19999", math.inf).value == 0


def test_the_sum_of_weights_in_floats_is_not_trusted():
    pair = LabelledSample([[0], [1]], [0, 1])
    with pytest.raises(TypeError, match="is a float"):
        optimal_sample_risk(pair, 1, weights=[0.5, 0.5])
    thirds = ["1/3", "2/3"]
    assert optimal_sample_risk(pair, 1, weights=thirds).value == Fraction(1, 3)


def test_weights_with_enormous_denominators_stay_exact():
    sample, _ = small_sample(1)
    tiny = Fraction(1, 3**60)
    weights = [Fraction(1, 11) + tiny * (i - 5) for i in range(11)]
    best = optimal_sample_risk(sample, 1, weights=weights)
    assert best.value == best_by_enumeration(sample, Fraction(1), 2, weights)
    assert best.risk.denominator > 2**64
    assert best.verify()


def test_a_spoiled_certificate_fails_against_the_points():
    best = optimal_sample_risk(digits().only(3, 8), 1)
    assert best.verify()
    fewer, more = best.wrong.copy(), best.wrong.copy()
    fewer[np.flatnonzero(fewer)[0]] = False
    more[np.flatnonzero(~more)[0]] = True
    for spoil in (
        {"wrong": fewer},
        {"wrong": more},
        {"risk": best.risk + Fraction(1, 357)},
        {"eps": best.eps / 2},
        {"senders": best.receivers},
        {"senders": np.roll(best.senders, 1)},
        {"amounts": (2, *best.amounts[1:])},
        {"amounts": best.amounts[:-1], "senders": best.senders[:-1], "receivers": best.receivers[:-1]},
    ):
        with pytest.raises(ArithmeticError):
            replace(best, **spoil).verify()


def test_two_processes_change_nothing(monkeypatch):
    from theory.optimal import conflict

    sample = digits().only(3, 8)
    radii = ["0.9", "1.1"]
    one = optimal_sample_curve(sample, radii)
    monkeypatch.setattr(conflict, "_BLOCK", 174 * 30)
    two = optimal_sample_curve(sample, radii, n_jobs=2)
    assert one.values == two.values
    for a, b in zip(one.optima, two.optima, strict=True):
        assert a.verify()
        assert b.verify()
        assert a.conflicts == b.conflicts


def test_the_population_bound_is_the_printed_formula():
    best = optimal_sample_risk(digits().only(3, 8), "1.1")
    bound = population_lower_bound(best, "1/20")
    wanted = float(best.value) - math.sqrt(math.log(20) / (2 * 357))
    assert float(bound.lo) == pytest.approx(wanted, abs=1e-12)
    assert (bound.hi, bound.alpha, bound.how) == (1, Fraction(1, 20), ("bounded differences",))
    # Rounded outwards: the square of what was taken off is at least the true quantity.
    assert float((best.value - bound.lo) ** 2 * 714) >= math.log(20) * (1 - 1e-14)
    assert population_lower_bound(optimal_sample_risk(digits().only(3, 8), 0), "0.05").lo == 0


def test_the_population_bound_holds_as_often_as_it_says():
    """A law on six points, V known exactly: the bound at delta = 1/4 fails in at most that share of samples."""
    rng = np.random.default_rng(5)
    points = np.array([[0], [1], [2]])
    law = np.array([3, 1, 2, 1, 2, 3]) / 12  # (0,-) (1,-) (2,-) (0,+) (1,+) (2,+)
    population = LabelledSample(np.vstack([points, points]), [0, 0, 0, 1, 1, 1])
    exact = optimal_sample_risk(population, 0, weights=[Fraction(int(v), 12) for v in (3, 1, 2, 1, 2, 3)]).value
    assert exact == Fraction(4, 12)
    low = 0
    for _ in range(200):
        drawn = rng.choice(6, 60, p=law)
        best = optimal_sample_risk(LabelledSample(population.x[drawn], population.y[drawn]), 0)
        low += population_lower_bound(best, "1/4").lo > exact
    assert low <= 50


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sample": LabelledSample([[0], [1]], [1, 1])}, r"classes \[1\]; allowed are exactly two"),
        ({"sample": LabelledSample([[0], [1], [2]], [1, 2, 3])}, "allowed are exactly two"),
        ({"eps": "-0.1"}, "eps -1/10 is negative"),
        ({"eps": "nan"}, "eps 'nan' is not a number"),
        ({"ord": 3}, "ord 3 is not a norm"),
        ({"prior": "1.2"}, "prior 6/5 is not a probability"),
        ({"prior": "0.5", "weights": ["1/2", "1/2"]}, "both given"),
        ({"weights": ["1/2"]}, "1 weights for 2 points"),
        ({"weights": ["3/2", "-1/2"]}, "weight -1/2 is negative"),
        ({"weights": ["1/2", "1/3"]}, "the weights sum to 5/6"),
    ],
)
def test_bad_input_is_refused(change, message):
    arguments = {"sample": LabelledSample([[0], [1]], [0, 1]), "eps": 1} | change
    with pytest.raises(ValueError, match=message):
        optimal_sample_risk(arguments.pop("sample"), arguments.pop("eps"), arguments.pop("ord", 2), **arguments)


def test_a_classifier_refuses_points_of_another_kind():
    best = optimal_sample_risk(digits().only(3, 8), 1)
    assert set(best.classifier(digits().of(8)).tolist()) <= {3, 8}
    with pytest.raises(ValueError, match="mix integers and floats"):
        best.classifier(digits().of(8) / 16)


@pytest.mark.parametrize("delta", ["0", "1", "-1/2"])
def test_a_bad_confidence_is_refused(delta):
    best = optimal_sample_risk(LabelledSample([[0], [1]], [0, 1]), 1)
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        population_lower_bound(best, delta)
    with pytest.raises(ValueError, match="equal weight"):
        population_lower_bound(optimal_sample_risk(best.sample, 1, prior="1/3"), "1/20")

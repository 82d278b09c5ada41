"""Claims of TRADES: second routes to their formulas, and planted errors that their provers must catch."""

from __future__ import annotations

import math
import statistics
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs_check import Counterexample, check, refute
from proofs_check.claims import (
    trades,
    trades_algorithms,
    trades_appendix,
    trades_attacks,
    trades_boundary,
    trades_experiments,
    trades_losses,
    trades_margins,
    trades_stripes,
    trades_tight,
)
from proofs_check.families import score_cases
from proofs_check.provers import sampled
from theory.ball import Ball
from theory.bounds import excess_robust_risk_bound
from theory.boxes import Boxes
from theory.classifiers import RegionClassifier
from theory.distributions import FiniteDistribution
from theory.record import Record
from theory.risks import robust_risk
from theory.scores import Score
from theory.strategies import rationals
from toy import stripes


@pytest.mark.parametrize(
    ("margin", "cases"),
    [
        (trades.natural_margin, score_cases()),
        (trades.display_margin, score_cases()),
        (trades.strict_display_margin, score_cases()),
        (trades.second_margin, score_cases()),
        (trades.sunk_margin, score_cases()),
        (trades_boundary.neighbourhood_margin, score_cases()),
        (trades_tight.mixed_margin, score_cases()),
        (trades_algorithms.problem_4_margin, score_cases()),
        (trades_losses.range_margin, score_cases()),
        (trades_attacks.saturation_margin, trades_attacks.line_attacks()),
        (trades_attacks.multi_step_margin, trades_attacks.bump_attacks()),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_the_search_refutes_by_itself_what_a_pinned_case_refutes(margin, cases):
    assert isinstance(refute(margin, cases, n=300), Counterexample)


@pytest.mark.parametrize(
    ("margin", "cases"),
    [
        (lambda case: trades_tight.sharper_margin(case) - Fraction(1, 8), score_cases()),
        (lambda case: trades.corrected_margin(case) - Fraction(1, 8), score_cases()),
        (lambda case: trades.sign_margin(case) - Fraction(1, 8), score_cases()),
        (lambda case: trades_losses.infimum_margin(case) - Fraction(1, 8), score_cases()),
        (lambda case: trades_losses.inverse_margin(case) - Fraction(1, 8), trades_losses.exact_losses()),
        (lambda case: trades_losses.hull_margin(case) - Fraction(1, 8), trades_losses.exact_losses()),
        (lambda walk: trades_margins.walk_margin(walk) - 1, trades_margins.walks()),
    ],
)
def test_a_bound_made_too_small_is_caught(margin, cases):
    assert sampled(margin, cases, 60).kind == "REFUTED"


# ---- Theorem 3.2 with the step loss ----


def _tight(masses, signs, xi):
    """theta, and whether R_phi - R*_phi is within xi of psi(theta - E), for the step loss: by the theory room."""
    law = FiniteDistribution.of_points([(0,), (1,)], {-1: masses[::2], +1: masses[1::2]})
    found = excess_robust_risk_bound(Score.of_values(law.space, signs), law, Ball("1/2"), "step")
    theta = found.lhs.fraction
    late = max(theta - found.terms["adversarial"].fraction, Fraction(0))  # psi is the identity
    return theta, late <= found.terms["excess"].fraction <= late + xi


def test_the_step_loss_has_laws_up_to_eleven_twentieths_only():
    xi = Fraction(1, 10)
    found = set()
    for a, b, c in product(range(11), repeat=3):
        if a + b + c <= 10:
            masses = [Fraction(x, 10) for x in (a, b, c, 10 - a - b - c)]
            found |= {theta for signs in ((0, 0), (-1, 0)) for theta, near in [_tight(masses, signs, xi)] if near}
    assert max(found) == Fraction(1, 2)  # 11/20 needs finer masses
    assert _tight([Fraction(9, 20), Fraction(11, 20), 0, 0], (0, 0), xi) == (Fraction(11, 20), True)
    margins = [trades_tight.step_margin(trades_tight.Tightness(Fraction(k, 20), xi)) for k in (10, 11, 12, 18)]
    assert margins == [0, 0, -1, -1]


# ---- stripes ----


@pytest.mark.parametrize("pairs", [1, 2, 3])
def test_cell_errors_are_robust_risks(pairs):
    eps = Fraction(1, 2 * pairs)
    law = stripes.distribution(eps)
    for labels in product((-1, 1), repeat=2 * pairs):
        cells = {
            y: Boxes([((i * eps, (i + 1) * eps),) for i, its in enumerate(labels) if its == y], dim=1) for y in (-1, 1)
        }
        risk = robust_risk(RegionClassifier(cells), law, Ball(eps)).fraction
        assert risk == trades_stripes.cell_errors(labels) * eps


def test_the_threshold_of_lambda_is_two():
    from z3 import And, Implies, Not

    def others(a, b, lam, s, price):
        return {"other signs": Implies(Not(And(a < 0, b > 0)), price >= 3)}

    assert trades_stripes._pairs(lambda lam, _: [lam >= 2], others).kind == "PROVED"
    assert trades_stripes._pairs(lambda lam, _: [lam >= Fraction(19, 10)], others).kind == "UNDECIDED"


@given(rationals(lo="1/8", hi=1), rationals(denominators=(7, 64)))
def test_eq2_has_one_value_off_multiples_of_eps(eps, x):
    whole = (x / eps).denominator == 1
    margin = trades_stripes.values_margin(trades_stripes.Place(eps, x))
    assert (margin < 0) <= whole
    if whole and 0 < x < 1:
        assert margin == -1


# ---- hardness, losses, attacks ----


def test_separators_break_cycles():
    assert trades_boundary.separator_margin(((0, 1), (1, 2), (2, 0))) == 0
    assert trades_boundary.separator_margin(((0, 1), (1, 0), (1, 2), (2, 0))) == 0


@given(rationals(denominators=(16, 3)), st.integers(0, 16))
def test_path_signs_are_those_of_a_fine_grid(x, k):
    """The grid holds x, the ends of pieces and windows, and the zero at 1/6."""
    ends = ((Fraction(1), Fraction(-1)), (Fraction(-1), Fraction(0)), (Fraction(2), Fraction(1)))
    case = trades_boundary.PathCase(ends, x, Fraction(k, 48))
    seen = set()
    for i in range(481):
        at = Fraction(i, 480)
        piece = min(int(at * 3), 2)
        a, b = ends[piece]
        if abs(at - x) <= case.radius:
            value = a + (b - a) * (at * 3 - piece)
            seen.add((value > 0) - (value < 0))
    assert case.signs(case.radius) == seen


def test_the_noisy_point_of_problem_3_in_floats():
    excess = 0.8 * math.exp(0.01) + 0.2 * math.exp(-0.01) - 2 * math.sqrt(0.8 * 0.2)
    margin = excess + math.exp(-1e-4 / 1e-5) - 0.6
    assert float(trades_algorithms.problem_3_upper_margin(trades_algorithms.NOISY)) == pytest.approx(margin, abs=2e-6)


def test_the_exchanged_cross_entropy_in_floats():
    p, q = 0.75, 0.875
    fall = -(q - p) * math.log(p) - (p - q) * math.log(1 - p)
    outputs = trades_algorithms.Outputs(Fraction(3, 4), Fraction(7, 8))
    assert float(trades_algorithms.exchanged_margin(outputs)) == pytest.approx(fall, abs=2e-6)


# ---- appendix C ----


@pytest.mark.parametrize("shape", [2, 3, 8])
def test_the_map_of_lemma_c2_is_a_contraction(shape):
    """From the normal law of variance 1/(2 pi) to exp(-(2 Gamma(1 + 1/p) |x|)^p), by quantiles; not so for p = 3/2."""
    from scipy.stats import gennorm, norm

    def steepest(p):
        x = np.linspace(-2, 2, 401)
        scale = 1 / (2 * math.gamma(1 + 1 / p))
        return np.max(np.diff(gennorm(p, scale=scale).ppf(norm(scale=1 / math.sqrt(2 * math.pi)).cdf(x))) / np.diff(x))

    assert steepest(shape) <= 1 + 1e-9
    assert steepest(1.5) > 1.1


def test_half_planes_of_the_normal_law_all_have_two():
    case = trades_appendix.HalfSpaceCase((Fraction(3), Fraction(4)), Fraction(2), 2)
    assert trades_appendix.rate_margin(case).fraction == 0
    assert trades_appendix.linear_margin(trades_appendix.LAPLACE_DIAGONAL) == pytest.approx(math.sqrt(2) - 2, abs=2e-6)
    assert trades_appendix.constant_margin(trades_appendix.NORMAL_L1) == Fraction(-333333, 10**6)


def test_equation_9_by_the_law():
    eps = Fraction(1, 100)
    assert trades_appendix.nine_margin(eps) == -50  # -49 against 1


# ---- printed tables ----


@given(st.integers(0, 2145))
def test_counts_hold_the_count_that_was_printed(right):
    percent = Fraction(100 * right, 2145)
    rounded = f"{math.floor(percent * 100 + Fraction(1, 2)) / 100:.2f}"
    cut = f"{math.floor(percent * 100) / 100:.2f}"
    assert right in trades_experiments.counts(rounded, 2145)
    assert right in trades_experiments.counts(cut, 2145, cut=True)


@given(st.lists(st.integers(9900, 9960), min_size=3, max_size=3))
def test_every_deviation_of_three_runs_is_recognised(rights):
    for ddof, deviation in ((0, statistics.pstdev), (1, statistics.stdev)):
        printed = f"{deviation(x / 100 for x in rights):.4f}"
        assert trades_experiments.three_run_deviation(printed, ddof=ddof, slack=Fraction(51, 100))


def test_some_deviations_are_none():
    assert not trades_experiments.three_run_deviation("0.0100")
    samples = ("0.0450", "0.0094", "0.0660")
    assert not any(trades_experiments.three_run_deviation(x, ddof=1, slack=Fraction(1, 2)) for x in samples)


def test_no_softmax_is_below_the_least_cross_entropy():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 10)) * rng.choice([0.1, 1, 10], size=(4000, 1))
    labels = rng.integers(10, size=4000)
    right = logits.argmax(1) == labels
    logp = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    loss = -logp[np.arange(4000), labels].mean()
    accuracy = f"{100 * right.mean():.2f}"
    assert loss >= float(trades_experiments.least_cross_entropy(accuracy).lo)
    tied = np.zeros((1, 10))
    tied[0, :2] = 60  # nearly the least loss of an error
    worst = math.log(np.exp(tied - 60).sum())
    assert worst == pytest.approx(float(trades_experiments.least_cross_entropy("0").lo), rel=1e-3)


def _record(lams, seeds, *, robust=0.006, delta=0.006, rising=False):
    rows = [
        {
            "lam": lam,
            "seed": seed,
            "R_phi": 0.0001 * lam if rising else 0.001 / lam,
            "R_nat": 0,
            "R_rob": {"lo": robust / 2, "hi": robust},
            "Delta": {"lo": min(delta, 0), "hi": delta},
        }
        for lam in lams
        for seed in range(seeds)
    ]
    return Record.new("tightrope.table3/1", {"rows": rows}, command="deep.table3")


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        (_record((2, 3, 4, 5), 3), "REPRODUCED"),
        (_record((2, 3, 4, 5), 2), "DIRECTION HELD"),
        (_record((2, 5), 3), "DIRECTION HELD"),
        (_record((2, 3, 4, 5), 3, robust=0.02), "FAILED"),
        (_record((2, 3, 4, 5), 3, delta=-0.001), "FAILED"),
        (_record((2, 3, 4, 5), 3, delta=0.02), "FAILED"),
        (_record((2, 3, 4, 5), 3, rising=True), "FAILED"),
        (_record((2,), 3), "NOT RUN"),
    ],
    ids=["full", "two seeds", "two lambdas", "not robust", "negative", "wide", "rising", "one lambda"],
)
def test_the_rule_for_table_3(record, verdict):
    assert check("trades-table3", records={"record.json": record}).kind == verdict


@pytest.mark.parametrize("item", [trades_tight.tightest, trades_stripes.table1_optimal], ids=lambda item: item.key)
def test_figures_draw_lines_that_part(item):
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    item.figure(axes)
    first, second, *_ = [np.asarray(line.get_ydata()) for line in axes.lines]
    assert np.all(first >= second - 1e-9)
    assert np.max(first - second) > 0.05

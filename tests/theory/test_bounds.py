"""Theorem 3.1, eq (1), Lemma C.6 and the sharper bound: by events, by loops over points, and on boxes."""

from __future__ import annotations

import math
import random
import runpy
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from theory import Ball, BoxDistribution, Boxes, FiniteDistribution, RegionClassifier, bayes_risk
from theory.bounds import (
    adversarial_surrogate,
    broken_premises,
    conditional_law,
    excess_decomposition,
    excess_robust_risk_bound,
    optimal_surrogate_risk,
    robust_risk_decomposition,
    surrogate_risk,
)
from theory.enclosure import Enclosure
from theory.loss import LOSSES, Loss
from theory.odds.signgaussian import SignGaussian
from theory.risks import boundary_risk, robust_risk, standard_risk
from theory.scores import Score
from theory.trades.sharper import figure, sharper_bound

BENCH = Path(__file__).parents[1] / "benchmarks" / "bench_bounds.py"


@pytest.fixture(scope="module")
def bench():
    return runpy.run_path(str(BENCH), run_name="bench_bounds")


def laws(case):
    minus, plus = zip(*case.masses, strict=True)
    law = FiniteDistribution.of_points([(x,) for x in case.places], {-1: minus, +1: plus})
    return law, Score.of_values(law.space, case.scores), Ball(case.radius)


def test_events_and_loops_agree_and_statements_fail_only_where_a_premise_does(bench):
    rng, failed = random.Random(1), {}
    for _ in range(400):
        case = bench["draw"](rng)
        direct = bench["by_loops"](case)
        for name, value in bench["by_package"](case).items():
            assert value == direct[name], (name, case)
        for name, count in bench["judge"](case, direct).items():
            failed[name] = failed.get(name, 0) + count
    allowed = {
        "first inequality, printed, zeros of f",
        "second inequality, phi dips below 1",
        "the whole bound, phi dips below 1",
        "eq (1), sign with the paper's R_bdy, zeros of f",
        "eq (1), paper with the sign's R_nat, zeros of f",
        "Lemma C.6, sign with the paper's B, zeros of f",
    }
    assert {name for name, count in failed.items() if count} == allowed


def test_no_broken_premise_means_no_failure(bench):
    rng, intact = random.Random(2), 0
    for _ in range(200):
        case = bench["draw"](rng)
        law, f, ball = laws(case)
        report = excess_robust_risk_bound(f, law, ball, case.loss, case.lam)
        broken = broken_premises(f, law, case.loss)
        assert ("dipping" in case.loss) == any("u <= 0" in sentence for sentence in broken)
        if not broken:
            intact += 1
            assert report.lhs.fraction <= report.terms["first"].fraction <= report.rhs.fraction
        assert report.lhs.fraction <= report.terms["corrected"].fraction
        assert report.lhs.fraction <= report.terms["sharper"].fraction
    assert intact > 60


def test_the_terms_are_the_risks_of_theory_risks(bench):
    rng = random.Random(3)
    for _ in range(150):
        case = bench["draw"](rng)
        law, f, ball = laws(case)
        for convention in ("paper", "sign"):
            terms = excess_robust_risk_bound(f, law, ball, case.loss, convention=convention).terms
            sign = f.classifier(convention)
            assert terms["standard_risk"].fraction == standard_risk(sign, law).fraction
            assert terms["robust_risk"].fraction == robust_risk(sign, law, ball).fraction
            assert terms["boundary_risk"].fraction == boundary_risk(sign, law, ball).fraction
            assert terms["bayes_risk"].fraction == bayes_risk(law)
            near = f.boundary(ball, law, convention)
            assert terms["boundary_probability"].fraction == sum(law.mass(near, y) for y in (-1, 1))


def test_cells_of_a_box_law_are_points_of_a_line(bench):
    """A cell of width 1 meets the balls of radius k around the k nearest cells on either side, like points."""
    rng = random.Random(4)
    for _ in range(40):
        case = bench["draw"](rng)
        case = type(case)(list(range(len(case.places))), case.masses, case.scores, case.radius, case.lam, case.loss)
        law, f, ball = laws(case)
        n = len(case.places)
        cells = {y: [([(i, i + 1)], pair[k]) for i, pair in enumerate(case.masses)] for k, y in enumerate((-1, +1))}
        box = BoxDistribution.of_masses(cells, [(0, n)])
        levels = {v: Boxes([[(i, i + 1)] for i in range(n) if case.scores[i] == v]) for v in set(case.scores)}
        g = Score(list(levels.items()))
        one, two = (excess_robust_risk_bound(h, m, ball, case.loss, case.lam) for h, m in ((f, law), (g, box)))
        assert {k: v.fraction for k, v in one.terms.items()} == {k: v.fraction for k, v in two.terms.items()}
        assert conditional_law(law) == conditional_law(box)
        for decomposition in (excess_decomposition, robust_risk_decomposition):
            assert decomposition(g, box, ball).rhs.fraction == decomposition(f, law, ball).rhs.fraction
            assert decomposition(g, box, ball).gap.fraction == 0


FORMULAS = {
    "exponential": lambda u: math.exp(-u),
    "logistic": lambda u: math.log2(1 + math.exp(-u)),
    "sigmoid": lambda u: 1 - math.tanh(u),
    "squared_hinge": lambda u: max(1 - u, 0) ** 2,
}


@pytest.mark.parametrize("loss", sorted(FORMULAS))
def test_smooth_losses_are_enclosed_and_the_bounds_hold(bench, loss):
    rng, phi = random.Random(5), FORMULAS[loss]
    for _ in range(40):
        case = bench["draw"](rng)
        law, f, ball = laws(case)
        n, xs, fs = range(len(case.places)), case.places, [float(v) for v in case.scores]
        pairs = [(float(a), float(b)) for a, b in case.masses]
        risk = sum(a * phi(-fs[i]) + b * phi(fs[i]) for i, (a, b) in enumerate(pairs))
        near = [[j for j in n if abs(xs[i] - xs[j]) <= case.radius] for i in n]
        price = sum(sum(pairs[i]) * max(phi(fs[i] * fs[j] / float(case.lam)) for j in near[i]) for i in n)
        report = excess_robust_risk_bound(f, law, ball, loss, case.lam)
        for name, value in (("surrogate_risk", risk), ("adversarial", price)):
            found = report.terms[name]
            assert found.width < Fraction(1, 10**20)
            assert float(found.lo) == pytest.approx(value, rel=1e-12, abs=1e-12)
        # the excess is at least that of any constant score on each point
        best = sum(min(a * phi(-t / 50) + b * phi(t / 50) for t in range(-500, 501)) for a, b in pairs)
        assert optimal_surrogate_risk(law, loss).lo <= Fraction(best) + Fraction(1, 10**12)
        if not broken_premises(f, law, loss):
            assert report.lhs.lo <= report.terms["first"].hi <= report.rhs.hi
        assert report.lhs.lo <= report.terms["sharper"].hi


def test_the_sharper_bound_is_below_the_printed_one_and_increases():
    grid = [Fraction(k, 8) for k in range(9)]
    for loss in ("exponential", "squared_hinge", "hinge", "capped_hinge"):
        for e in grid:
            values = [sharper_bound(loss, e, s) for s in grid]
            assert values[-1].fraction == 1
            assert all(one.lo <= two.hi for one, two in pairwise(values))
            inverse = sharper_bound(loss, e, 0)
            assert all(v.lo <= (inverse + s).hi for s, v in zip(grid, values, strict=True))
            if e > 0 and loss in ("exponential", "squared_hinge"):  # psi is strictly convex
                assert all(v.hi < (inverse + s).lo for s, v in zip(grid[1:-1], values[1:-1], strict=True))
    wide = sharper_bound("exponential", Enclosure("1/8", "1/4"), Enclosure("1/4", "1/2"))
    assert wide.lo <= sharper_bound("exponential", "1/5", "1/3").lo
    assert wide.hi >= sharper_bound("exponential", "1/5", "1/3").hi


def test_the_figure_draws_the_old_bound_above_the_sharper_one():
    (ax,) = figure(("exponential",)).axes
    lines = ax.get_lines()
    assert [line.get_label() for line in lines[1:8:2]] == ["s = 0", "s = 0.1", "s = 0.3", "s = 0.6"]
    for old, new in zip(lines[:8:2], lines[1:8:2], strict=True):
        assert all(high >= low - 1e-12 for high, low in zip(old.get_ydata(), new.get_ydata(), strict=True))
        assert max(new.get_ydata()) <= 1


@pytest.mark.parametrize("loss", ["exponential", "logistic", "squared_hinge", "hinge"])
@pytest.mark.parametrize(("s", "theta"), [("1/2", "1/2"), ("1/5", "3/4"), ("2/3", "1/4")])
def test_a_family_comes_as_close_to_the_sharper_bound_as_one_likes(loss, s, theta):
    """Mass s: certain, right by far, next to a wrong score; mass 1 - s: wrong by a hair, labels theta apart."""
    s, theta, gaps = Fraction(s), Fraction(theta), []
    for k in (4, 16, 64, 256):
        plus = [s, 0, (1 - s) * (1 + theta) / 2]
        law = FiniteDistribution.of_points([(0,), (1,), (9,)], {-1: [0, 0, (1 - s) * (1 - theta) / 2], +1: plus})
        f = Score.of_values(law.space, [k, Fraction(-1, k), Fraction(-1, k)])
        report = excess_robust_risk_bound(f, law, Ball(1), loss)
        assert report.lhs.fraction == s + (1 - s) * theta
        assert report.terms["boundary_probability"].fraction == s
        gaps.append(report.terms["sharper"] - report.lhs)
    assert gaps[-1].lo >= -gaps[-1].width
    assert all(two.hi < one.lo for one, two in pairwise(gaps))
    assert gaps[-1].hi < Fraction(1, 50)


def test_printed_inequalities_fail_at_the_smallest_examples():
    coin = FiniteDistribution.of_points([(0,)], {-1: ["1/2"], +1: ["1/2"]})
    zero = excess_robust_risk_bound(Score.of_values(coin.space, [0]), coin, Ball(0), "hinge")
    assert (zero.lhs.fraction, zero.terms["first"].fraction) == (Fraction(1, 2), 0)
    sign = excess_robust_risk_bound(Score.of_values(coin.space, [0]), coin, Ball(0), "hinge", convention="sign")
    assert sign.lhs.fraction == 0
    two = FiniteDistribution.of_points([(0,), (1,)], {-1: [0, "1/2"], +1: ["1/2", 0]})
    dips = excess_robust_risk_bound(Score.of_values(two.space, [1, -1]), two, Ball(1), "dipping_hinge")
    assert (dips.lhs.fraction, dips.rhs.fraction, dips.terms["excess"].fraction) == (1, Fraction(1, 2), 0)


def test_refusals_name_the_premise():
    law = FiniteDistribution.of_points([(0,)], {-1: ["1/2"], +1: ["1/2"]})
    f = Score.of_values(law.space, [1])
    for lam in (0, "-1/2"):
        with pytest.raises(ValueError, match=f"lam {lam} is not positive"):
            adversarial_surrogate(f, law, Ball(0), "hinge", lam)
    with pytest.raises(ValueError, match="convention 'printed' is unknown"):
        excess_decomposition(f, law, Ball(0), "printed")
    with pytest.raises(ValueError, match="negative somewhere"):
        excess_robust_risk_bound(f, law, Ball(0), Loss("sinking", lambda u: -u, non_negative=False))
    other = FiniteDistribution.of_points([(0,)], {0: ["1/2"], 1: ["1/2"]})
    with pytest.raises(ValueError, match=r"labels \[0, 1\] are not -1 and \+1"):
        optimal_surrogate_risk(other, "hinge")
    with pytest.raises(TypeError, match="SignGaussian has no finite law of eta"):
        optimal_surrogate_risk(SignGaussian("3/4", "1/2", 3), "hinge")
    undeclared = Loss("mine", lambda u: max(1 - u, 0))
    assert broken_premises(f, law, undeclared)[0] == "phi >= 0 is not declared of mine"
    assert broken_premises(f, law, LOSSES["kinked_hinge"]) == ("calibration fails for kinked_hinge",)


def test_classifiers_are_their_signed_indicators():
    law = BoxDistribution.of_masses({-1: [([(0, "1/2")], "2/5")], +1: [([("1/2", 1)], "3/5")]}, [(0, 1)])
    f = RegionClassifier.binary(Boxes([(("2/5", None),)]))
    assert surrogate_risk(f, law, "hinge").fraction == 2 * Fraction(2, 25)
    assert adversarial_surrogate(f, law, Ball("1/10"), "hinge", 2).fraction == (
        Fraction(1, 2) * (1 - Fraction(4, 25)) + Fraction(3, 2) * Fraction(4, 25)
    )

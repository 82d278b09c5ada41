"""Scores by level sets: signs, boundaries, signed distances and logits, against loops and floats."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from theory import Ball, BoxDistribution, Boxes, FiniteDistribution, FiniteSpace, Points, RegionClassifier, constant
from theory.bounds import adversarial_surrogate, excess_robust_risk_bound, surrogate_risk
from theory.enclosure import Enclosure
from theory.scores import Score, eta_levels, logit, score_of, signed_distance

HALF = Fraction(1, 2)
HALVES = BoxDistribution.of_masses({-1: [([(0, HALF)], HALF)], +1: [([(HALF, 1)], HALF)]}, [(0, 1)])
LINE = RegionClassifier.binary(Boxes([((HALF, None),)]))


def middle(event: Boxes) -> Fraction:
    ((lo, hi),) = next(iter(event.cells()))
    return (lo + hi) / 2


def test_signs_and_boundaries_of_random_scores_by_loops():
    rng = random.Random(0)
    for _ in range(200):
        n, radius = rng.randint(1, 6), rng.randint(0, 3)
        places = sorted(rng.sample(range(9), n))
        law = FiniteDistribution.of_points([(x,) for x in places], {-1: [1] + [0] * (n - 1), +1: [0] * n})
        values = [Fraction(rng.randint(-2, 2)) for _ in range(n)]
        f = Score.of_values(law.space, values)
        signs = [1 if v >= 0 else -1 for v in values]
        for y in (-1, 0, 1):
            assert f.where(y).members == {i for i, v in enumerate(values) if (v > 0) - (v < 0) == y}
        assert f.classifier("sign").regions[+1].members == {i for i, s in enumerate(signs) if s > 0}
        balls = [[j for j in range(n) if abs(places[i] - places[j]) <= radius] for i in range(n)]
        near = {i for i in range(n) if any(values[i] * values[j] <= 0 for j in balls[i])}
        assert f.boundary(Ball(radius), law).members == near
        near = {i for i in range(n) if any(signs[i] != signs[j] for j in balls[i])}
        assert f.boundary(Ball(radius), law, "sign").members == near


def test_signed_distances_on_a_line_lie_in_their_levels():
    rng = random.Random(1)
    for _ in range(25):
        cuts = sorted(rng.sample(range(1, 24), rng.randint(1, 5)))
        ends = [Fraction(c, 24) for c in [0, *cuts, 24]]
        pieces = list(pairwise(ends))
        f = RegionClassifier.binary(Boxes([[piece] for piece in pieces[::2]]))
        score = signed_distance(f, HALVES, Ball(0), cap="1/3", levels=rng.choice([1, 3, 5]))
        total = Fraction(0)
        for value, event in score.levels:
            x = middle(event)
            total += event.volume()
            k = next(i for i, (lo, hi) in enumerate(pieces) if lo < x < hi)
            lo, hi = pieces[k]  # the ends 0 and 1 of the domain are no boundary
            distance = min(x - lo if k else Fraction(1), hi - x if k + 1 < len(pieces) else Fraction(1), Fraction(1, 3))
            assert (value if isinstance(value, Enclosure) else Enclosure.exact(value)).contains((-1) ** k * distance)
        assert total == 1


def test_integrals_of_the_signed_distance_are_enclosed_ever_closer():
    """For the line at 1/2: E phi(|x - 1/2|) and E phi(t (t - eps) / lam) with t = |x - 1/2|, by hand for the hinge."""
    eps, lam, widths = Fraction(1, 10), Fraction(2), []
    for levels in (2, 8, 32):
        f = signed_distance(LINE, HALVES, Ball(0), cap=HALF, levels=levels)
        risk, price = surrogate_risk(f, HALVES, "hinge"), adversarial_surrogate(f, HALVES, Ball(eps), "hinge", lam)
        assert risk.contains(Fraction(3, 4))
        assert price.contains(1 - 2 / lam * (Fraction(1, 24) - eps / 8))
        widths.append(price.width)
    assert widths[0] > widths[1] > widths[2]
    assert widths[2] < Fraction(1, 20)


def test_signed_distances_in_the_plane_by_pixels():
    square = [(0, 1), (0, 1)]
    law = BoxDistribution.of_masses({-1: [(square, HALF)], +1: [(square, HALF)]}, square)
    f = RegionClassifier.binary(Boxes([(("1/4", "3/4"), ("1/4", 1)), ((0, "1/8"), (0, 1))]))
    grid = (np.arange(24) + 0.5) / 24
    points = np.stack(np.meshgrid(grid, grid, indexing="ij"), axis=-1).reshape(-1, 2)
    labels = f.predict(points)
    for value, event in signed_distance(f, law, Ball(0), levels=6).levels:
        inside = np.array([event.contains(p) for p in points])
        for x, y in zip(points[inside], labels[inside], strict=True):
            near = np.abs(points[labels != y] - x).max(axis=1).min()  # to the centre of the nearest other pixel
            assert value.lo - Fraction(1, 24) <= y * Fraction(near) <= value.hi + Fraction(1, 24)


@pytest.mark.parametrize("ord", [1, 2, math.inf])
def test_signed_distances_of_points(ord):
    rng = random.Random(2)
    for _ in range(30):
        points = list(dict.fromkeys((rng.randint(0, 4), rng.randint(0, 4)) for _ in range(5)))
        n = len(points)
        law = FiniteDistribution.of_points(points, {-1: [1] + [0] * (n - 1), +1: [0] * n})
        values = [rng.choice([-1, 1]) for _ in range(n)]
        f = Score.of_values(law.space, values).classifier()
        for value, event in signed_distance(f, law, Ball(0, ord), cap=3).levels:
            for i in event.members:
                gaps = [np.subtract(points[i], points[j]) for j in range(n) if values[j] != values[i]]
                exact = values[i] * min([3.0, *(float(np.linalg.norm(gap, ord)) for gap in gaps)])
                lo, hi = (value.lo, value.hi) if isinstance(value, Enclosure) else (value, value)
                assert float(lo) - 1e-12 <= exact <= float(hi) + 1e-12


def test_signed_distances_from_a_matrix_of_distances():
    space = FiniteSpace.of_distances([[0, 2, 3], [2, 0, "3/2"], [3, "3/2", 0]])
    law = FiniteDistribution.on(space, {-1: ["1/2", 0, 0], +1: [0, "1/4", "1/4"]})
    f = Score.of_values(space, [-1, -1, 1]).classifier()
    assert [(v, event.members) for v, event in signed_distance(f, law, Ball(0), cap=2).levels] == [
        (-2, {0}), (Fraction(-3, 2), {1}), (Fraction(3, 2), {2}),
    ]  # fmt: skip


def test_a_constant_classifier_is_as_far_as_the_cap():
    score = signed_distance(constant(-1, HALVES), HALVES, Ball(0), cap="1/3")
    assert [value for value, _ in score.levels] == [-Fraction(1, 3)]


def test_logits_are_logarithms_of_odds_and_have_the_sign_of_bayes():
    one, two = [(0, 1)], [(3, 4)]
    law = BoxDistribution.of_masses({-1: [(one, "1/6")], +1: [(one, "1/3"), (two, "1/2")]})
    with pytest.raises(ValueError, match="infinite where eta = 1"):
        logit(law)
    noisy = BoxDistribution.of_masses({-1: [(one, "1/6"), (two, "2/6")], +1: [(one, "1/3"), (two, "1/6")]})
    assert [eta for eta, _ in eta_levels(noisy)] == [Fraction(1, 3), Fraction(2, 3), None]
    low, zero, high = logit(noisy).levels
    assert zero[0] == 0
    assert float(low[0].lo) == pytest.approx(-math.log(2), rel=1e-15)
    assert float(high[0].hi) == pytest.approx(math.log(2), rel=1e-15)
    report = excess_robust_risk_bound(logit(noisy), noisy, Ball(0), "logistic")
    assert report.lhs.fraction == 0
    # natural logits are the minimisers of the natural logistic loss, which is a multiple of the one to base 2
    assert report.terms["excess"].hi < Fraction(1, 10**20)


def test_equal_numbers_are_one_level_in_ascending_order():
    space = FiniteSpace.of_points([(0,), (1,), (2,)])
    one, two, three = (Points(space, {i}) for i in range(3))
    assert Score([("1/2", three), (-1, two), (HALF, one)]).levels == ((-1, two), (HALF, one | three))


def test_scores_are_refused_in_one_sentence():
    space = FiniteSpace.of_points([(0,), (1,)])
    with pytest.raises(ValueError, match="needs at least one level"):
        Score([])
    with pytest.raises(ValueError, match="1 scores were given for 2 points"):
        Score.of_values(space, [1])
    with pytest.raises(ValueError, match="has no sign"):
        Score([(Enclosure(-1, 1), space.everything)])
    three = RegionClassifier({0: space.everything, 1: space.nothing, 2: space.nothing})
    for make in (Score.indicator, score_of):
        with pytest.raises(ValueError, match=r"labels \[0, 1, 2\] have no sign"):
            make(three)
    with pytest.raises(TypeError, match="float is no score"):
        score_of(1.0)
    for options in ({"cap": 0}, {"levels": 0}):
        with pytest.raises(ValueError, match="must be positive"):
            signed_distance(LINE, HALVES, Ball(0), **options)
    square = [(0, 1), (0, 1)]
    plane = BoxDistribution.of_masses({-1: [(square, HALF)], +1: [(square, HALF)]}, square)
    with pytest.raises(ValueError, match=r"ord 2\.0 is no union of boxes"):
        signed_distance(RegionClassifier.binary(Boxes([((0, HALF), (0, 1))])), plane, Ball(0, 2))

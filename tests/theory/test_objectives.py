"""Problems (3), (4) and (5) against loops, and (3) on the stripes against exhaustive and local search."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction

import numpy as np
import pytest

from theory import Ball, BoxDistribution, Boxes, FiniteDistribution
from theory.bounds import adversarial_surrogate, surrogate_risk
from theory.enclosure import Enclosure
from theory.loss import LOSSES
from theory.risks import robust_risk
from theory.scores import Score
from theory.trades.objectives import (
    adversarial_objective,
    pair_objective,
    softmax_objective,
    stripes_optimum,
    trades_objective,
)
from toy import stripes

HALF = Fraction(1, 2)


def random_case(rng):
    n = rng.randint(1, 5)
    places = sorted(rng.sample(range(8), n))
    weights = [rng.randint(0, 3) for _ in range(2 * n - 1)] + [1]
    masses = [Fraction(w, sum(weights)) for w in weights]
    law = FiniteDistribution.of_points([(x,) for x in places], {-1: masses[:n], +1: masses[n:]})
    values = [Fraction(rng.randint(-3, 3), 2) for _ in range(n)]
    radius = rng.randint(0, 3)
    balls = [[j for j in range(n) if abs(places[i] - places[j]) <= radius] for i in range(n)]
    return law, Score.of_values(law.space, values), Ball(radius), [float(v) for v in values], balls


def test_problem_4_is_the_worst_loss_in_the_ball_and_bounds_the_robust_risk():
    rng = random.Random(0)
    for _ in range(150):
        law, f, ball, values, balls = random_case(rng)
        for loss, phi in (("hinge", lambda u: max(1 - u, 0)), ("logistic", lambda u: math.log2(1 + math.exp(-u)))):
            found = adversarial_objective(f, law, ball, loss)
            expected = sum(
                float(law.masses[y][i]) * max(phi(values[j] * y) for j in near)
                for i, near in enumerate(balls) for y in (-1, 1)
            )  # fmt: skip
            assert float(found.lo) == pytest.approx(expected, rel=1e-12)
            assert found.hi >= robust_risk(f.classifier(), law, ball).lo
        assert trades_objective(f, law, ball, "hinge", 3).fraction == (
            surrogate_risk(f, law, "hinge").fraction + adversarial_surrogate(f, law, ball, "hinge", 3).fraction
        )


def test_problem_4_is_no_bound_where_phi_dips_below_1():
    law = FiniteDistribution.of_points([(0,)], {-1: [1], +1: [0]})
    f = Score.of_values(law.space, [HALF])
    assert LOSSES["dipping_hinge"].at_least_one_left is False
    assert adversarial_objective(f, law, Ball(0), "dipping_hinge") < robust_risk(f.classifier(), law, Ball(0))


@pytest.mark.parametrize("kind", ["cross_entropy", "kl"])
def test_problem_5_in_floats(kind):
    rng = random.Random(1)

    def log_p(u):  # of the label +1
        return -math.log1p(math.exp(-u))

    def inner(u, v):
        p = 1 / (1 + math.exp(-u))
        cross = -p * log_p(v) - (1 - p) * log_p(-v)
        return cross if kind == "cross_entropy" else cross + p * log_p(u) + (1 - p) * log_p(-u)

    for _ in range(60):
        law, f, ball, values, balls = random_case(rng)
        natural = -sum(float(law.masses[y][i]) * log_p(v * y) for i, v in enumerate(values) for y in (-1, 1))
        mass = [float(law.masses[-1][i] + law.masses[1][i]) for i in range(len(values))]
        smooth = sum(mass[i] * max(inner(values[i], values[j]) for j in near) for i, near in enumerate(balls))
        found = softmax_objective(f, law, ball, 3, kind)
        assert float(found.lo) == pytest.approx(natural + smooth / 3, rel=1e-10)
        assert found.width < Fraction(1, 10**15)


def objective(cells, radius, lam, labels):
    """Problem (3) with the hinge for equally wide cells in a row, in any numbers."""
    n = len(cells)
    total = 0
    for i, (v, y) in enumerate(zip(cells, labels, strict=True)):
        near = cells[max(0, i - radius) : i + radius + 1]
        total += max(1 - v * y, 0) + max(max(1 - v * w / lam, 0) for w in near)
    return total / n


LAMS = [Fraction(x) for x in ("1/16", "1/4", "1", "3/2", "2", "9/4", "4", "9")]


@pytest.mark.parametrize(("bound", "steps"), [(Fraction(1), 4), (Fraction(2), 4), (Fraction(3), 3), (HALF, 4)])
def test_no_score_on_a_grid_beats_the_optimum_on_four_stripes(bound, steps):
    grid = [bound * k / steps for k in range(-steps, steps + 1)]
    values = np.array([float(v) for v in grid])
    cells = np.stack(np.meshgrid(*[values] * 4, indexing="ij")).reshape(4, -1)  # every score on four stripes
    padded = np.concatenate([cells[:1], cells, cells[-1:]])  # the ends see themselves once more
    for lam in LAMS:
        products = np.stack([padded[k : k + 4] * cells for k in range(3)])
        smooth = np.maximum(1 - products / float(lam), 0).max(axis=0).sum(axis=0)
        right = np.maximum(1 - cells * np.array([[-1], [1], [-1], [1]]), 0).sum(axis=0)
        costs = (smooth + right) / 4
        sides = stripes_optimum(lam, bound)
        bayes, constant = (float(side.value.lo) for side in sides)
        best = min(bayes, constant)
        assert costs.min() >= best - 1e-12
        if any(s.negative in grid and s.positive in grid for s in sides if float(s.value.lo) == best):
            assert costs.min() == pytest.approx(best, abs=1e-12)
            signs = {tuple(row) for row in np.sign(cells[:, costs < best + 1e-9].T)}
            if bayes < constant:
                assert signs == {(-1, 1, -1, 1)}
            if constant < bayes:
                assert not any(row[0] < 0 < row[1] and row[2] < 0 < row[3] for row in signs)


def test_local_search_over_finer_scores_finds_nothing_better():
    """Stripes cut in three, so scores need not be constant on them; coordinate descent from random starts."""
    rng = random.Random(2)
    for lam, bound, n in itertools.product([HALF, Fraction(3, 2), Fraction(3)], [1, 2], [1, 2]):
        labels = [y for _ in range(n) for y in (-1, -1, -1, 1, 1, 1)]
        best = float(min(side.value.lo for side in stripes_optimum(lam, bound)))
        found = math.inf
        for _ in range(6):
            cells = [rng.uniform(-bound, bound) for _ in labels]
            cost = objective(cells, 3, float(lam), labels)
            root = math.sqrt(lam)
            for _ in range(6 * len(cells)):
                i = rng.randrange(len(cells))
                for v in (-bound, -1.0, 0.0, 1.0, bound, root, -root, float(lam) / bound, rng.uniform(-bound, bound)):
                    if abs(v) <= bound:
                        trial = [*cells[:i], v, *cells[i + 1 :]]
                        if (price := objective(trial, 3, float(lam), labels)) < cost:
                            cells, cost = trial, price
            found = min(found, cost)
        assert found >= best - 1e-12
        assert found <= 2


@pytest.mark.parametrize("eps", ["1/2", "1/4", "1/6"])
def test_the_stripes_of_the_toy_attain_the_pair_objective(eps):
    law = stripes.distribution(eps)
    for lam, a, b in (("1/4", "1/2", 1), (2, -1, 1), (5, -1, 1), (1, "-1/2", "3/4"), (3, 1, -1)):
        f = Score([(a, law.densities[-1].support), (b, law.densities[+1].support)])
        assert trades_objective(f, law, Ball(eps), "hinge", lam).fraction == pair_objective(a, b, "hinge", lam).fraction


def test_the_values_for_scores_up_to_1_and_the_switch_at_2():
    for k in range(1, 60):
        lam = Fraction(k, 10)
        bayes, constant = stripes_optimum(lam, 1)
        if lam <= 1:
            expected = Enclosure.exact(0) + constant.value
            assert float(expected.lo) == pytest.approx((1 + math.sqrt(lam)) / 2, rel=1e-15)
        else:
            assert constant.value.fraction == min(2 - 1 / lam, Fraction(3, 2))
        assert (constant.value.hi < bayes.value.lo) == (lam < 2)
        assert (bayes.value.hi < constant.value.lo) == (lam > 2)


def test_the_switch_moves_up_with_the_bound():
    """For B >= 3 at lambda = B sqrt(2/(B - 1))."""
    for bound in (3, 9, 19, 51):
        switch = Fraction(bound * math.sqrt(2 / (bound - 1)))
        before, after = (stripes_optimum(switch * Fraction(k, 100), bound) for k in (99, 101))
        assert before[1].value.hi < before[0].value.lo
        assert after[0].value.hi < after[1].value.lo


@pytest.mark.parametrize("lam", [Fraction(1, 4), Fraction(1), Fraction(5), Fraction(100)])
def test_without_a_bound_one_sign_wins_at_every_lambda(lam):
    law = stripes.distribution("1/4")
    bayes, constant = stripes_optimum(lam, math.inf)
    assert constant.value.hi < bayes.value.lo
    values = []
    for k in (1, 10, 100, 1000):
        f = Score([(Fraction(1, k), law.densities[-1].support), (2 * max(1, lam) * k, law.densities[+1].support)])
        values.append(trades_objective(f, law, Ball("1/4"), "hinge", lam).fraction)
        assert values[-1] >= constant.value.lo
    assert abs(values[-1] - 1) < Fraction(1, 1000)
    assert values[-1] < 1 + min(1 / lam, HALF) - Fraction(1, 200)
    # bounded optima fall to the unbounded one
    falling = [stripes_optimum(lam, 10**k)[1].value.hi for k in range(1, 6)]
    assert all(two <= one for one, two in itertools.pairwise(falling))
    assert falling[-1] - constant.value.lo < Fraction(1, 100)


def test_refusals():
    law = FiniteDistribution.of_points([(0,)], {-1: [1], +1: [0]})
    f = Score.of_values(law.space, [1])
    with pytest.raises(ValueError, match="lam 0 is not positive"):
        trades_objective(f, law, Ball(0), "hinge", 0)
    with pytest.raises(ValueError, match="lam -1 is not positive"):
        softmax_objective(f, law, Ball(0), -1)
    with pytest.raises(ValueError, match="divergence 'js' is unknown; allowed are cross_entropy, kl"):
        softmax_objective(f, law, Ball(0), 1, "js")
    with pytest.raises(ValueError, match="bound 0 is not positive"):
        stripes_optimum(1, 0)


def test_boxes_and_points_have_the_same_objectives():
    masses = {-1: [Fraction(1, 8), Fraction(1, 4)], +1: [Fraction(1, 2), Fraction(1, 8)]}
    law = FiniteDistribution.of_points([(0,), (1,)], masses)
    cells = {y: [([(i, i + 1)], m) for i, m in enumerate(row)] for y, row in masses.items()}
    box = BoxDistribution.of_masses(cells, [(0, 2)])
    f, g = Score.of_values(law.space, ["1/3", -2]), Score([("1/3", Boxes([[(0, 1)]])), (-2, Boxes([[(1, 2)]]))])
    for ball in (Ball(0), Ball(1)):
        one, two = adversarial_objective(f, law, ball, "hinge"), adversarial_objective(g, box, ball, "hinge")
        assert one.fraction == two.fraction
        assert softmax_objective(f, law, ball).overlaps(softmax_objective(g, box, ball))

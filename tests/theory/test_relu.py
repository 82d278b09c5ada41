"""Networks: exact regions against a quadtree, half-spaces, hand-made diamonds, exact scores and simulation."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from theory import (
    Ball,
    Between,
    BoxDistribution,
    Boxes,
    FiniteDistribution,
    HalfSpace,
    Points,
    RegionClassifier,
    boundary_risk,
    robust_risk,
    sensible_risk,
    standard_risk,
)
from theory.density import StepDensity
from theory.montecarlo import estimate
from theory.relu import NetworkRisks, Polygons, ReluNetwork, TooManyTilesError, network_classifier, network_risks
from theory.relu.line import line_regions
from theory.relu.quadtree import Quadtree, refine
from theory.relu.regions import exact_regions
from toy import cheese, halves

F = Fraction
UNIT = ((F(0), F(1)), (F(0), F(1)))
SQUARE = StepDensity.of_boxes([(UNIT, 1)])
EPS = Ball("1/10")
RISKS = ("standard", "boundary", "robust", "sensible")


def random_network(widths: tuple[int, ...], seed: int, dtype: Any = np.float32, spread: float = 4.0) -> ReluNetwork:
    """He-normal weights with kinks in the unit square, and a score whose median there is 0."""
    rng = np.random.default_rng(seed)
    layers = []
    for k, (i, o) in enumerate(pairwise(widths)):
        weight, bias = rng.normal(size=(o, i)) * np.sqrt(2 / i), rng.normal(size=o) * 0.3
        if k == 0:
            weight = spread * weight
            bias = 2 * bias - weight @ np.full(i, 0.5)
        layers.append((weight.astype(dtype), bias.astype(dtype)))
    scores = ReluNetwork(layers).score(rng.random((2000, widths[0])))
    weight, bias = layers[-1]
    return ReluNetwork([*layers[:-1], (weight, (bias - np.median(scores)).astype(dtype))])


def linear(*weights: float, bias: float) -> ReluNetwork:
    return ReluNetwork([([list(weights)], [bias])])


def diamond(radius: float) -> ReluNetwork:
    """radius - |x - 1/2| - |y - 1/2|."""
    kinks = ([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], [-0.5, 0.5, -0.5, 0.5])
    return ReluNetwork([kinks, ([[-1.0] * 4], [radius])])


def coin() -> BoxDistribution:
    """On the square, labels equally likely and independent of X: a mass is half an area."""
    return BoxDistribution.of_densities({-1: [(UNIT, "1/2")], +1: [(UNIT, "1/2")]}, UNIT)


# ---- networks ----


def test_the_float_score_follows_the_exact_one() -> None:
    for seed in range(5):
        network = random_network((3, 7, 6, 1), seed)
        points = np.random.default_rng(seed).random((20, 3))
        exact = [network.exact_score([F(x) for x in p]) for p in points.tolist()]
        assert np.allclose(network.score(points), [float(s) for s in exact], atol=1e-12, rtol=0)
    assert diamond(0.25).exact_score(["1/3", "2/3"]) == F(1, 4) - F(1, 3)


@pytest.mark.parametrize(
    ("layers", "error", "words"),
    [
        ([], ValueError, "at least one layer"),
        ([([[1.0, np.nan]], [0.0])], ValueError, "holds nan; weights must be finite"),
        ([([[1.0, 2.0]], [np.inf])], ValueError, "layer 0 bias holds inf"),
        ([([[1.0], [2.0]], [0.0])], ValueError, "shape"),
        ([(np.zeros((4, 1, 3, 3)), np.zeros(4))], ValueError, "fully connected"),
        ([([[1.0], [1.0]], [0.0, 0.0]), ([[1.0, 1.0, 1.0]], [0.0])], ValueError, "takes 3 inputs, but gets 2"),
        ([([[1.0], [1.0]], [0.0, 0.0])], ValueError, "2 outputs"),
        ([([[1, 2]], [0])], TypeError, "holds int64"),
        ([([[1.0, 2.0], [1.0]], [0.0, 0.0])], ValueError, "ragged"),
        (["relu"], TypeError, "layer 0 is str, not supported"),
        ([(np.zeros((1, 2), dtype=np.longdouble), [0.0])], TypeError, "allowed are float16, float32 and float64"),
    ],
)
def test_what_is_no_network_is_refused(layers: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        ReluNetwork(layers)


def test_arguments_that_do_not_fit_are_refused() -> None:
    network, law = linear(1.0, 1.0, bias=-1.0), cheese.distribution()
    with pytest.raises(ValueError, match="1 inputs, but the points have 2"):
        network_risks(linear(1.0, bias=0.0), law, EPS)
    with pytest.raises(ValueError, match="2 inputs, but the points have 1"):
        network_classifier(network, [(0, 1)])
    with pytest.raises(ValueError, match="3 inputs has no exact regions"):
        network_classifier(linear(1.0, 1.0, 1.0, bias=0.0), [(0, 1)] * 3)
    with pytest.raises(ValueError, match="no bounded box"):
        network_classifier(network, Boxes.everything(2))
    with pytest.raises(ValueError, match="2 boxes is not one box"):
        network_classifier(network, Boxes([(("0", "1"), ("0", "1")), (("2", "3"), ("0", "1"))]))
    with pytest.raises(ValueError, match="exact='maybe'"):
        network_classifier(network, UNIT, exact="maybe")
    with pytest.raises(ValueError, match="not positive"):
        network_risks(network, law, EPS, tolerance=0)
    with pytest.raises(TypeError, match="int is not supported"):
        network_risks(network, 3, EPS, reference=RegionClassifier.binary(Boxes.everything(2)))
    with pytest.raises(TooManyTilesError, match="more than 5 tiles"):
        network_classifier(random_network((2, 16, 1), 0), UNIT, exact=True, max_tiles=5)
    with pytest.raises(ValueError, match="depth 40"):
        refine(network, UNIT, depth=40)
    for function in (exact_regions, refine):
        with pytest.raises(ValueError, match="3 inputs"):
            function(linear(1.0, 1.0, 1.0, bias=0.0), UNIT)
    with pytest.raises(ValueError, match="2 inputs; regions on the line need 1"):
        line_regions(network)
    with pytest.raises(ValueError, match="points of shape"):
        network.score([[1.0]])
    with pytest.raises(ValueError, match="allowed are 2"):
        network.exact_score([1])


# ---- known answers ----


@pytest.mark.parametrize("seed", range(6))
def test_a_linear_network_has_the_risks_of_its_half_space(seed: int) -> None:
    rng = random.Random(seed)
    a, b, c = (rng.randrange(-64, 65) / 32 for _ in range(3))
    a = a or 1.0
    half = HalfSpace([F(a), F(b)], F(c) / 2)
    f, law = RegionClassifier.binary(half), cheese.distribution()
    found = network_risks(linear(a, b, bias=c / 2), law, EPS)
    assert found.standard.fraction == standard_risk(f, law).fraction
    assert found.robust.fraction == robust_risk(f, law, EPS).fraction
    assert found.boundary.fraction == boundary_risk(f, law, EPS).fraction


def test_a_diamond_by_hand() -> None:
    """The area of {|x - 1/2| + |y - 1/2| < r} is 2 r^2; its reach by a square of radius e adds 8 r e + 4 e^2."""
    law, network = coin(), diamond(0.25)
    always_right = RegionClassifier({-1: Boxes.everything(2), +1: Boxes.everything(2)})
    found = network_risks(network, law, Ball("1/16"), always_right)
    inside = 2 * F(1, 4) ** 2
    assert found.standard.fraction == F(1, 2)
    assert found.classifier.regions[1].integral(SQUARE) == inside
    assert found.classifier.regions[-1].integral(SQUARE) == 1 - inside
    grown = inside + 8 * F(1, 4) * F(1, 16) + 4 * F(1, 16) ** 2
    # what is outside the diamond reaches everything that is not in {|x - 1/2| + |y - 1/2| < r - 2 e}
    assert found.robust.fraction == (grown + 1 - 2 * (F(1, 4) - 2 * F(1, 16)) ** 2) / 2
    assert found.sensible.fraction == found.robust.fraction
    assert found.boundary.fraction == found.robust.fraction - F(1, 2)


def test_a_reference_that_is_the_network_itself_leaves_the_standard_risk() -> None:
    law = cheese.distribution()
    for exact in (True, False):
        network = random_network((2, 12, 1), 3)
        f = network_classifier(network, law.domain, exact=exact, tolerance="1/100")
        found = network_risks(network, law, EPS, f, exact=exact, tolerance="1/20")
        if exact:
            assert found.sensible.fraction == found.standard.fraction
        else:
            assert found.sensible.contains(network_risks(network, law, EPS).standard)


def test_another_network_may_be_the_reference() -> None:
    law, half = cheese.distribution(), linear(1.0, 0.0, bias=-0.5)
    boxed = RegionClassifier.binary(Boxes([(("1/2", None), (None, None))]))
    network = random_network((2, 12, 1), 4)
    by_network = network_risks(network, law, EPS, network_classifier(half, law.domain))
    assert by_network.sensible.fraction == network_risks(network, law, EPS, boxed).sensible.fraction


# ---- exact against enclosed ----


@pytest.mark.parametrize(
    ("widths", "seed", "dtype", "law"),
    [
        ((2, 5, 1), 0, np.float16, halves.distribution()),
        ((2, 16, 1), 1, np.float32, cheese.distribution()),
        ((2, 12, 12, 1), 2, np.float64, cheese.distribution(restricted=True)),
        ((2, 8, 8, 8, 1), 3, np.float32, halves.distribution()),
        ((2, 10, 3, 10, 1), 4, np.float32, cheese.distribution()),
    ],
)
def test_the_quadtree_encloses_the_exact_risks(
    widths: tuple[int, ...], seed: int, dtype: Any, law: BoxDistribution
) -> None:
    network = random_network(widths, seed, dtype)
    exact = network_risks(network, law, EPS)
    enclosed = network_risks(network, law, EPS, exact=False, tolerance="1/100")
    tree = refine(network, UNIT, depth=7)
    negative, positive = tree.boxes()
    by_boxes = RegionClassifier.binary(positive, negative)
    assert exact.width == 0
    assert 0 < enclosed.width <= F(1, 100)
    for name, risk in zip(RISKS, (standard_risk, boundary_risk, robust_risk, sensible_risk), strict=True):
        number = getattr(exact, name)
        assert getattr(enclosed, name).contains(number), name
        found = risk(by_boxes, law, EPS)
        assert found.contains(number), name
        assert found.width < F(1, 8)
    assert exact.robust == exact.standard + exact.boundary
    assert exact.standard <= exact.sensible <= exact.robust


@pytest.mark.parametrize("seed", range(4))
def test_regions_have_the_sign_of_the_exact_score(seed: int) -> None:
    network = random_network((2, 9, 7, 1), seed)
    regions = dict(zip((-1, 1), exact_regions(network, UNIT), strict=True))
    enclosed = dict(zip((-1, 1), refine(network, UNIT, share=0.05).polygons(), strict=True))
    rng = random.Random(seed)
    for _ in range(150):
        point = F(rng.randrange(1, 10**6), 10**6 + 3), F(rng.randrange(1, 10**6), 10**6 + 33)
        score = network.exact_score(point)
        for label, region in regions.items():
            assert region.contains(point) == (score * label > 0)
            if enclosed[label].inner.contains(point):
                assert score * label > 0
            if score * label > 0:
                assert enclosed[label].outer.contains(point)


def test_each_reachable_error_has_a_witness_and_grids_find_no_other() -> None:
    network, law = random_network((2, 16, 1), 5), cheese.distribution()
    f = network_classifier(network, law.domain)
    wrong = f.wrong(+1)
    reach = EPS.reach(wrong, law.domain)
    rng = random.Random(0)
    reached = 0
    for _ in range(40):
        x, y = F(rng.randrange(1, 997), 997), F(rng.randrange(1, 991), 991)
        sides = [(max(c - EPS.radius, F(0)), min(c + EPS.radius, F(1))) for c in (x, y)]
        grid = np.stack(np.meshgrid(*(np.linspace(float(lo), float(hi), 60) for lo, hi in sides)), axis=-1)
        if (network.score(grid.reshape(-1, 2)) < -1e-9).any():
            assert reach.contains((x, y))
        if reach.contains((x, y)):
            reached += 1
            here = wrong & Boxes([sides])
            corners = [(F(p[0], p[2]), F(p[1], p[2])) for _, p, _, _ in here.boundary]
            assert min(network.exact_score(corner) for corner in corners) <= 0
    assert 5 < reached < 40


def test_a_simulation_agrees() -> None:
    network, law = random_network((2, 24, 1), 6), cheese.distribution()
    exact = network_risks(network, law, EPS)

    def predict(points: Any) -> Any:
        return np.sign(network.score(points)).astype(int)

    seen = estimate(standard_risk, predict, law, n=20_000, rng=1, alpha="1e-6")
    assert seen.contains(exact.standard)
    assert seen.width < F(1, 20)
    attacked = estimate(robust_risk, predict, law, EPS, n=2_000, rng=2, alpha="1e-6")
    assert attacked.lo <= exact.robust.fraction
    assert attacked.lo > exact.standard.fraction


def test_one_input_more_without_weight_changes_nothing() -> None:
    """On the line regions are intervals; the same network in the plane, blind to y, has the same risks."""
    line = BoxDistribution.of_masses({-1: [([(0, "1/3")], "1/2")], +1: [([("1/3", 1)], "1/2")]}, [(0, 1)])
    plane = BoxDistribution.of_masses(
        {-1: [([(0, "1/3"), (0, 1)], "1/2")], +1: [([("1/3", 1), (0, 1)], "1/2")]}, [(0, 1), (0, 1)]
    )
    for seed in range(5):
        network = random_network((1, 6, 5, 1), seed)
        (weight, bias), *rest = network.layers
        blind = ReluNetwork([(np.column_stack([weight, np.zeros(len(bias))]), bias), *rest])
        on_line, in_plane = network_risks(network, line, EPS), network_risks(blind, plane, EPS)
        for name in RISKS:
            assert getattr(on_line, name).fraction == getattr(in_plane, name).fraction


@pytest.mark.parametrize("seed", range(5))
def test_intervals_have_the_sign_of_the_exact_score(seed: int) -> None:
    network = random_network((1, 8, 8, 1), seed, np.float64)
    negative, positive = line_regions(network)
    for k in range(-200, 300):
        x = F(k, 97) + F(1, 10**9)
        score = network.exact_score([x])
        assert positive.contains([x]) == (score > 0)
        assert negative.contains([x]) == (score < 0)


# ---- degenerate networks ----


def test_a_score_of_zero_on_an_interval_is_in_neither_region() -> None:
    negative, positive = line_regions(ReluNetwork([([[1.0]], [-0.5]), ([[1.0]], [0.0])]))
    assert positive == Boxes([(("1/2", None),)])
    assert negative.is_empty
    assert line_regions(linear(0.0, bias=-1.0)) == (Boxes.everything(1), Boxes.nothing(1))


def dead_left(bias: float = 0.0) -> ReluNetwork:
    """relu(x - 1/2) + bias: the same number on the whole left half."""
    return ReluNetwork([([[1.0, 0.0]], [-0.5]), ([[1.0]], [bias])])


@pytest.mark.parametrize("exact", [True, False])
def test_a_score_of_zero_on_an_area_errs_for_both_labels(exact: bool) -> None:
    law = coin()
    everywhere = RegionClassifier({-1: Boxes.everything(2), +1: Boxes.everything(2)})
    found = network_risks(dead_left(), law, EPS, everywhere, exact=exact, tolerance="1/100")
    if exact:
        assert found.classifier.regions[-1].is_empty
    # the left half errs for both labels, the right half for -1; from 2/5 on +1 is safe
    assert found.standard.contains(F(3, 4))
    assert found.robust.contains(F(1, 2) + F(1, 2) * F(3, 5))
    assert found.width <= F(1, 100)
    below = network_risks(dead_left(-0.25), law, EPS, everywhere, exact=exact, tolerance="1/50")  # +1 right of 3/4
    assert below.standard.contains(F(1, 2))


def test_a_score_that_cancels_to_zero_is_told_from_a_small_one() -> None:
    """relu(z) - relu(z) + ulp: exact arithmetic sees the ulp; the quadtree leaves such cells undecided."""
    twice = ([[3.0, 1.0], [3.0, 1.0]], [0.1, 0.1])
    ulp = 2.0**-60
    for bias, positive in ((ulp, 1), (-ulp, 0), (0.0, 0)):
        network = ReluNetwork([twice, ([[1.0, -1.0]], [bias])])
        regions = exact_regions(network, UNIT)
        assert regions[1].integral(SQUARE) == positive
        assert regions[0].integral(SQUARE) == (1 if bias < 0 else 0)
        low, high = refine(network, UNIT, depth=3).boxes()
        assert Boxes.everything(2) == high.outer
        assert low.inner.is_empty


@pytest.mark.parametrize("huge", [2.0**60, 2.0**200, 1e300])
def test_huge_weights_that_cancel_stay_sound(huge: float) -> None:
    """huge z - huge z + (x + y - 1), by way of two neurons of the second layer: float scores are meaningless."""
    first = ([[1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [-1.0, -1.0]], [0.0, 0.0, -1.0, 1.0])
    second = ([[huge, -huge, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0], [huge, 0.0, 0.0, 0.0], [0.0, huge, 0.0, 0.0]], [0.0] * 4)
    network = ReluNetwork([first, second, ([[1.0, -1.0, 1.0, -1.0]], [0.0])])
    half = Polygons.of([[(1, 0), (1, 1), (0, 1)]], UNIT)
    negative, positive = exact_regions(network, UNIT)
    assert positive == half
    assert negative == ~half
    tree = refine(network, UNIT, depth=5)
    for low, high in (tree.boxes(), tree.polygons()):
        assert low.inner <= negative <= low.outer & Boxes([UNIT])
        assert high.inner <= positive <= high.outer & Boxes([UNIT])


def test_weights_that_overflow_or_vanish_in_floats_stay_sound() -> None:
    for a, b in ((1e-300, 1e-300), (5e-324, 5e-324), (1.7e308, 1.7e308), (1e-310, 1e300)):
        network = ReluNetwork([([[a, a], [-a, -a]], [-a, a]), ([[b, -b]], [0.0])])  # a b (x + y - 1)
        half = Polygons.of([[(1, 0), (1, 1), (0, 1)]], UNIT)
        negative, positive = exact_regions(network, UNIT)
        assert (negative, positive) == (~half, half)
        low, high = refine(network, UNIT, depth=4).polygons()
        assert low.inner <= negative <= low.outer
        assert high.inner <= positive <= high.outer


def test_kinks_through_corners_through_one_point_and_upon_each_other() -> None:
    """Lines of neurons through the corners of the window and of the law's cells, parallel, repeated, and dead."""
    weight = [[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [0.0, 0.0],
              [0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [1.0, 0.0], [1.0, 0.5]]  # fmt: skip
    bias = [-0.5, -0.5, 0.5, -0.5, -1.0, 0.0, 0.0, 0.0, -1.0, -0.5, -2.0, 0.0, -0.75]
    law = halves.distribution()
    for seed in range(4):
        rng = np.random.default_rng(seed)
        last = rng.integers(-3, 4, size=(1, len(bias))).astype(float)
        network = ReluNetwork([(weight, bias), (last, [float(rng.integers(-1, 2)) / 4])])
        exact = network_risks(network, law, EPS)
        enclosed = network_risks(network, law, EPS, exact=False, tolerance="1/100")
        negative, positive = exact.classifier.regions[-1], exact.classifier.regions[1]
        assert (negative & positive).is_empty
        points = [(F(i, 16) + F(1, 999), F(j, 16) + F(1, 997)) for i in range(16) for j in range(16)]
        for point in points:
            score = network.exact_score(point)
            assert (negative.contains(point), positive.contains(point)) == (score < 0, score > 0)
        for name in RISKS:
            assert getattr(enclosed, name).contains(getattr(exact, name)), (seed, name)


def test_a_constant_network_is_everywhere_or_nowhere_right() -> None:
    law = cheese.distribution()
    for bias, mass in ((1.0, law.prior(-1)), (-1.0, law.prior(+1)), (0.0, 1)):
        for network in (linear(0.0, 0.0, bias=bias), ReluNetwork([([[0.0, 0.0]], [-1.0]), ([[1.0]], [bias])])):
            for exact in (True, False):
                found = network_risks(network, law, EPS, exact=exact)
                assert found.standard.fraction == found.robust.fraction == mass


# ---- the rounding bounds ----


@pytest.mark.parametrize("scale", [1.0, 1e-160, 1e120])
def test_forms_hold_the_exact_score(scale: float) -> None:
    """At points of undecided cells the exact score lies within c + g s +- e, and e is not much too large."""
    for seed in range(4):
        base = random_network((2, 6, 5, 1), seed, np.float64)
        (weight, bias), *rest = base.layers  # the score times the scale, but for the rounding of the new weights
        network = ReluNetwork([(weight * scale, bias * scale), *((w, b * scale) for w, b in rest)])
        window = ((F(1, 3), F(5, 7)), (F(-1, 9), F(1)))
        tree: Quadtree = refine(network, window, depth=4)
        leaves, rng = tree.leaves, random.Random(seed)
        assert len(leaves.places)
        for k in range(len(leaves.places)):
            c, g1, g2, e = (F(float(x[k])) for x in (leaves.score.c, leaves.score.g1, leaves.score.g2, leaves.score.e))
            s = []
            point = []
            for axis, (lo, hi) in enumerate(window):
                step = (hi - lo) / 2 ** int(leaves.levels[k])
                x = lo + step * (int(leaves.places[k, axis]) + F(rng.randrange(1001), 1000))
                point.append(x)
                s.append((x - F(float(leaves.middle[k, axis]))) / F(float(leaves.half[k, axis])))
            assert all(abs(t) <= 1 for t in s)
            assert abs(network.exact_score(point) - (c + g1 * s[0] + g2 * s[1])) <= e
    linear_form = refine(linear(1.0, 1.0, bias=-1.0), UNIT, depth=3).leaves.score
    assert 0 < linear_form.e.max() < 1e-14


def test_cells_lie_within_their_rounded_boxes() -> None:
    from theory.relu.quadtree import _cells

    rng = random.Random(3)
    for far in (0, 1, 10**6, 10**15):
        window = ((far + F(1, 3), far + F(5, 7)), (F(-1, 9) - far, F(1) - far))
        for level in (0, 3, 12):
            places = np.array([[rng.randrange(2**level) for _ in range(2)] for _ in range(20)])
            middle, half = _cells(window, places, level)
            for place, m in zip(places.tolist(), middle.tolist(), strict=True):
                for k, c, h, (lo, hi) in zip(place, m, half.tolist(), window, strict=True):
                    step = (hi - lo) / 2**level
                    assert F(c) - F(h) <= lo + k * step
                    assert lo + (k + 1) * step <= F(c) + F(h)


def test_ranges_of_tiles_hold_the_exact_inputs() -> None:
    from theory.relu.lines import point
    from theory.relu.regions import Linear, _inputs, _next
    from theory.relu.tiles import tile_through

    for seed in range(5):
        network = random_network((2, 6, 6, 1), seed, np.float64, spread=1e6)
        rng = random.Random(seed)
        corners = [(F(1, 3), F(1, 7)), (F(5, 7), F(1, 3)), (F(2, 3), F(10**9, 10**9 + 7))]
        weight, bias = network.layers[0]
        first = Linear(0, np.column_stack([weight, bias]), np.zeros((len(bias), 3)))
        on = np.array([rng.random() < 0.6 for _ in bias])
        on[0] = True
        # inputs of the second layer that cancel almost, so that what floats make of them is rounding alone
        later = network.layers[1][0].copy()
        later[:, 0] = -(later[:, 1:] @ (weight[1:, 0] * on[1:])) / weight[0, 0]
        network = ReluNetwork([(weight, bias), (later, network.layers[1][1] * 0), network.layers[2]])
        second = _next(network, first, on)
        assert (np.abs(second.rows[:, 0]) < 1e-14 * np.abs(later).max() * np.abs(weight).max()).all()
        for i, row in enumerate(later.tolist()):
            exact = sum(
                (F(w) * F(x) for w, x, up in zip(row, weight[:, 0].tolist(), on.tolist(), strict=True) if up), F(0)
            )
            assert abs(F(float(second.rows[i, 0])) - exact) <= F(float(second.errors[i, 0]))
        for linear_map in (first, second):
            inputs, doubt = _inputs(tile_through([point(*c) for c in corners]), linear_map)
            for j, corner in enumerate(corners):
                values = [
                    F(w[0]) * corner[0] + F(w[1]) * corner[1] + F(b)
                    for w, b in zip(weight.tolist(), bias.tolist(), strict=True)
                ]
                if linear_map is second:
                    kept = [v if up else F(0) for v, up in zip(values, on.tolist(), strict=True)]
                    values = [
                        sum((F(w) * v for w, v in zip(row, kept, strict=True)), F(b))
                        for row, b in zip(network.layers[1][0].tolist(), network.layers[1][1].tolist(), strict=True)
                    ]
                for i, v in enumerate(values):
                    assert abs(F(float(inputs[i, j])) - v) <= F(float(doubt[i, j]))


# ---- laws and domains ----


def test_where_the_adversary_may_leave_the_network_is_looked_at_outside() -> None:
    law = halves.distribution()
    open_law = BoxDistribution(law.densities, Boxes.everything(2))
    network = random_network((2, 10, 1), 8)
    left = network_risks(network, law, Ball("1/10", leave_domain=True))
    assert left.robust.fraction == network_risks(network, open_law, EPS, sensible_reference(law)).robust.fraction
    assert left.robust.fraction >= network_risks(network, law, EPS).robust.fraction
    # an error that only waits outside
    beyond = linear(-1.0, 0.0, bias=1.03125)  # -1 right of 33/32
    assert network_risks(beyond, law, EPS).boundary.fraction == 0
    assert network_risks(beyond, law, Ball("1/10", leave_domain=True)).boundary.fraction > 0


def sensible_reference(law: BoxDistribution) -> RegionClassifier:
    from theory import bayes_rule

    return bayes_rule(law, ties=1)


def test_a_domain_of_several_boxes() -> None:
    boxes = [((F(0), F(2, 5)), (F(0), F(1))), ((F(3, 5), F(1)), (F(0), F(1)))]
    density = StepDensity.of_boxes([(box, F(5, 8)) for box in boxes])
    law = BoxDistribution({-1: density, +1: density}, Boxes(boxes))
    always = RegionClassifier({-1: Boxes.everything(2), +1: Boxes.everything(2)})
    network = random_network((2, 12, 1), 9)
    exact = network_risks(network, law, Ball("1/5"), always)
    by_boxes = RegionClassifier.binary(*refine(network, UNIT, depth=8).boxes()[::-1])
    assert robust_risk(by_boxes, law, Ball("1/5")).contains(exact.robust)
    whole = BoxDistribution({-1: density, +1: density}, Boxes([UNIT]))
    assert exact.robust <= network_risks(network, whole, Ball("1/5"), always).robust


@pytest.mark.parametrize("ord", [1, 2])
def test_other_norms_against_staircases(ord: int) -> None:
    network, law = random_network((2, 8, 1), 10), cheese.distribution()
    ball = Ball("1/10", ord=ord, steps=8)
    found = network_risks(network, law, ball)
    by_boxes = RegionClassifier.binary(*refine(network, UNIT, depth=6).boxes()[::-1])
    wide = robust_risk(by_boxes, law, ball)
    assert wide.overlaps(found.robust)
    assert found.robust.width <= F(1, 100)
    if ord == 1:
        assert wide.contains(found.robust)
    assert found.robust <= network_risks(network, law, EPS).robust


def test_points_are_judged_by_exact_scores_in_any_dimension() -> None:
    network = ReluNetwork([([[1.0, 1.0, 1.0]], [-1.0]), ([[1.0]], [-0.5])])  # relu(sum - 1) - 1/2
    points = [(0, 0, 0), ("1/2", "1/2", "1/2"), (1, 1, 0)]
    law = FiniteDistribution.of_points(points, {-1: ["1/4", "1/4", 0], +1: [0, "1/4", "1/4"]})
    f = network_classifier(network, law.space)
    assert f.regions[-1] == Points(law.space, {0})
    assert f.regions[1] == Points(law.space, {2})
    found = network_risks(network, law, Ball("1/2"), network_classifier(network, law.space))
    assert found.standard.fraction == F(1, 2)
    assert found.robust.fraction == 1


def test_the_engine_takes_the_classifier_as_it_is() -> None:
    law, network = cheese.distribution(), random_network((2, 16, 1), 11)
    found = network_risks(network, law, EPS)
    f = network_classifier(network, law.domain)
    assert isinstance(found, NetworkRisks)
    for name, risk in zip(RISKS, (standard_risk, boundary_risk, robust_risk, sensible_risk), strict=True):
        assert risk(f, law, EPS).fraction == getattr(found, name).fraction
    rough = network_classifier(network, law.domain, exact=False, tolerance="1/50")
    assert all(isinstance(region, Between) for region in rough.regions.values())
    for name, risk in zip(RISKS, (standard_risk, boundary_risk, robust_risk, sensible_risk), strict=True):
        assert risk(rough, law, EPS).contains(getattr(found, name))
    points = np.random.default_rng(0).random((50, 2))
    assert (f.predict(points) == np.sign(network.score(points))).all()


def test_too_many_tiles_fall_back_on_the_quadtree() -> None:
    law, network = cheese.distribution(), random_network((2, 8, 8, 1), 12)
    exact, found = network_risks(network, law, EPS), network_risks(network, law, EPS, max_tiles=20)
    assert 0 < found.width <= F(1, 1000)
    assert found.robust.contains(exact.robust)
    rough = network_risks(network, law, EPS, exact=False, tolerance="1/20")
    assert found.width < rough.width <= F(1, 20)
    assert rough.standard.contains(exact.standard)
    hardly = network_risks(network, law, Ball("1/1000000"), exact=False, tolerance="1/20")
    assert hardly.boundary.lo == 0  # what is known of the robust and of the standard risk overlaps
    assert hardly.boundary.contains(network_risks(network, law, Ball("1/1000000")).boundary)
    stopped = network_risks(network, law, EPS, exact=False, max_cells=100)
    assert stopped.width > F(1, 1000)
    assert stopped.standard.contains(exact.standard)


def test_long_fractions_are_rounded_outwards() -> None:
    found = network_risks(random_network((2, 16, 16, 1), 13), cheese.distribution(), EPS)
    short = found.rounded(20)
    assert len(str(found.standard.fraction)) > 1000
    for name in RISKS:
        assert getattr(short, name).contains(getattr(found, name))
        assert getattr(short, name).width <= F(1, 10**20)
    exact = network_risks(linear(1.0, 0.0, bias=-0.5), cheese.distribution(), EPS)
    assert exact.rounded().robust.same_as(exact.robust)

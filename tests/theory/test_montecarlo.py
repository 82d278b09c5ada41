"""theory.montecarlo and theory.probe: draws are judged as the dilations of the exact engine say, point by point."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.ball import Ball
from theory.between import Between
from theory.boxes import Boxes
from theory.classifiers import RegionClassifier
from theory.distributions import BoxDistribution, FiniteDistribution
from theory.halfspace import HalfSpace
from theory.montecarlo import estimate, judge
from theory.points import FiniteSpace, Points
from theory.probe import largest_gain, probe
from theory.risks import boundary_risk, robust_risk, sensible_risk, standard_risk

RISKS = (standard_risk, robust_risk, boundary_risk, sensible_risk)
ORDERS = (1, 2, math.inf)
SURE = Fraction(1, 10**9)  # the tests below fail by chance less often than this
UNIT = (Fraction(0), Fraction(1))

eighths = st.integers(0, 8).map(lambda k: Fraction(k, 8))
spans = st.tuples(eighths, eighths).filter(lambda s: s[0] != s[1]).map(lambda s: tuple(sorted(s)))
regions = st.lists(st.tuples(spans, spans), min_size=1, max_size=3).map(Boxes)
radii = st.sampled_from([Fraction(1, 16), Fraction(1, 10), Fraction(1, 4)])


@st.composite
def laws(draw):
    parts = [((k, 8), (0, 8)) for k in (draw(st.integers(1, 7)),)]
    cut = Fraction(parts[0][0][0], 8)
    weights = draw(st.lists(st.integers(1, 5), min_size=4, max_size=4))
    shares = [Fraction(w, sum(weights)) for w in weights]
    left, right = ((0, cut), UNIT), ((cut, 1), UNIT)
    masses = {-1: [(left, shares[0]), (right, shares[1])], 1: [(left, shares[2]), (right, shares[3])]}
    return BoxDistribution.of_masses(masses, draw(st.sampled_from([None, [UNIT, UNIT], [(0, 2), (-1, 1)]])))


def grid_points():
    """Rational points of the square off every line of eighths, tenths and sixteenths."""
    ticks = [Fraction(2 * k + 1, 22) + Fraction(1, 1000) for k in range(11)]
    return list(product(ticks, ticks))


# -- point by point ---------------------------------------------------------------------------------------------------


@given(regions, radii, st.sampled_from(ORDERS), st.booleans())
@settings(max_examples=30, deadline=None)
def test_the_distance_to_boxes_agrees_with_their_dilation(event, eps, order, leave):
    domain = Boxes([[UNIT, (0, "3/4")]])
    ball = Ball(eps, order, leave_domain=leave, steps=16)
    points = [p for p in grid_points() if domain.contains(p)]
    near = probe(event, ball, domain)(np.array(points, dtype=float))[0]
    reach = ball.reach(event, domain)
    inner, outer = (reach.inner, reach.outer) if isinstance(reach, Between) else (reach, reach)
    for point, found in zip(points, near, strict=True):
        assert found or not inner.contains(point)
        assert outer.contains(point) or not found


@given(st.tuples(st.integers(-3, 3), st.integers(-3, 3)).filter(any), eighths, eighths, radii, st.sampled_from(ORDERS))
@settings(max_examples=40, deadline=None)
def test_half_spaces_and_strips_are_met_where_their_reach_says(w, c0, c1, eps, order):
    domain, ball = Boxes([[UNIT, UNIT]]), Ball(eps, order)
    offset = -w[0] * c0 - w[1] * c1 + Fraction(1, 1001)  # no grid point at the edge of a reach
    half = HalfSpace(w, offset)
    points = grid_points()
    for event in (half, half - HalfSpace(w, offset - Fraction(1, 3)), ~half):
        reach = ball.reach(event, domain)
        inner, outer = (reach.inner, reach.outer) if isinstance(reach, Between) else (reach, reach)
        near = probe(event, ball, domain)(np.array(points, dtype=float))[0]
        for point, found in zip(points, near, strict=True):
            assert found or not inner.contains(point)
            assert outer.contains(point) or not found


@given(
    st.lists(st.floats(-3, 3), min_size=3, max_size=3),
    st.lists(st.floats(0, 1), min_size=3, max_size=3),
    st.sampled_from(["1/10", "1/2", "3/2"]),
    st.sampled_from(ORDERS),
    st.integers(0, 2**32),
)
@settings(max_examples=60, deadline=None)
def test_no_point_of_the_ball_gains_more_and_scaling_the_ball_down_gains_less(w, x, eps, order, seed):
    w, x, ball = np.array(w), np.array([x]), Ball(eps, order)
    walls = np.array([[0.0] * 3, [1.0] * 3])
    best = largest_gain(w, x, ball, walls)[0]
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=(500, 3)) * np.abs(w) ** rng.integers(0, 4, size=(500, 1)) * rng.integers(0, 2, (500, 3))
    steps = np.sign(w) * np.abs(steps)
    steps *= float(ball.radius) / np.maximum(np.linalg.norm(steps, ord=order, axis=1, keepdims=True), 1e-300)
    tried = (np.clip(x + steps, walls[0], walls[1]) - x) @ w
    assert tried.max() <= best + 1e-9
    free = largest_gain(w, x, ball, np.array([[-np.inf] * 3, [np.inf] * 3]))[0]
    dual = {1: np.inf, 2: 2, math.inf: 1}[order]
    assert free == pytest.approx(float(ball.radius) * np.linalg.norm(w, ord=dual))
    assert best <= free + 1e-12
    if order == 2:  # water-filling: the best step is proportional to w but for the axes at their walls
        scale = np.geomspace(1e-6, 1e6, 4001)[:, None]
        room = np.where(w > 0, 1 - x, x)
        moves = np.minimum(scale * np.abs(w), room)
        fits = np.linalg.norm(moves, axis=1) <= float(ball.radius)
        assert best >= (moves[fits] @ np.abs(w)).max(initial=0) - 1e-9


@given(laws(), regions, regions, radii, st.sampled_from(["1/3", 1]))
@settings(max_examples=25, deadline=None)
def test_every_risk_judges_points_as_its_event_says(law, positive, trust, eps, threshold):
    f, reference, ball = RegionClassifier.binary(positive), RegionClassifier.binary(trust), Ball(eps)
    points = [p for p in grid_points() if law.domain.contains(p)]
    x = np.array(points, dtype=float)
    for label in law.labels:
        wrong, doubt = f.wrong(label), reference.wrong(label)
        reach = ball.reach(wrong, law.domain)
        free = ball.reach(wrong if threshold == "1/3" else wrong - doubt, law.domain)
        events = (wrong, reach, reach - wrong, (free - doubt) | (wrong & doubt))
        for risk, event in zip(RISKS, events, strict=True):
            decide = judge(risk, f, law, ball, reference=reference, threshold=threshold)
            sure, possible = decide(x, np.full(len(x), label))
            assert sure.tolist() == possible.tolist() == [event.contains(p) for p in points]


# -- estimates --------------------------------------------------------------------------------------------------------


@given(laws(), regions, radii, st.sampled_from(ORDERS), st.booleans(), st.integers(0, 2**32))
@settings(max_examples=12, deadline=None)
def test_estimates_agree_with_the_exact_risks(law, positive, eps, order, leave, seed):
    f, ball = RegionClassifier.binary(positive), Ball(eps, order, leave_domain=leave, steps=8)
    reference = RegionClassifier.binary(Boxes([[(0, "1/2"), (None, None)]]))
    for risk in RISKS:
        options = {"reference": reference} if risk is sensible_risk else {}
        seen = estimate(risk, f, law, ball, n=3000, rng=seed, alpha=SURE, **options)
        assert seen.overlaps(risk(f, law, ball, **options))
        assert seen.alpha == SURE
        assert seen.width < Fraction(1, 7)


@pytest.mark.parametrize("order", ORDERS)
def test_estimates_for_half_spaces_agree_with_the_exact_risks(order):
    law = BoxDistribution.of_masses({-1: [((UNIT, (0, "1/2")), "2/5")], 1: [((UNIT, ("1/2", 1)), "3/5")]}, [UNIT, UNIT])
    f, ball = RegionClassifier.binary(HalfSpace([1, 2], "-3/2")), Ball("1/10", order)
    reference = RegionClassifier.binary(HalfSpace([1, 2], "-6/5"))
    for risk in RISKS:
        options = {"reference": reference} if risk is sensible_risk else {}
        seen = estimate(risk, f, law, ball, n=40_000, rng=1, alpha=SURE, **options)
        assert seen.overlaps(risk(f, law, ball, **options))
        assert seen.width < Fraction(4, 100)


def test_an_event_between_boxes_widens_the_limits():
    law = BoxDistribution.of_masses({-1: [((UNIT, (0, "1/2")), "2/5")], 1: [((UNIT, ("1/2", 1)), "3/5")]}, [UNIT, UNIT])
    half = HalfSpace([1, 2], "-3/2")
    f, g = RegionClassifier.binary(half), RegionClassifier.binary(half.enclose([UNIT, UNIT], 8))
    for risk in (standard_risk, robust_risk, boundary_risk):
        exact, seen = (estimate(risk, h, law, Ball("1/10"), n=5000, rng=3, alpha=SURE) for h in (f, g))
        assert seen.contains(exact)
        assert seen.contains(risk(f, law, Ball("1/10")))
        assert seen.width > exact.width + Fraction(1, 20)


@given(laws(), regions, radii, st.sampled_from(ORDERS), st.integers(0, 2**32))
@settings(max_examples=12, deadline=None)
def test_a_function_equal_to_a_region_classifier_is_estimated_consistently(law, positive, eps, order, seed):
    f, ball = RegionClassifier.binary(positive), Ball(eps, order)
    common = {"n": 1000, "rng": seed, "alpha": SURE}
    regions_, function = (estimate("standard_risk", g, law, ball, **common) for g in (f, f.predict))
    assert (function.lo, function.hi) == (regions_.lo, regions_.hi)
    robust = estimate(robust_risk, f.predict, law, ball, search=8, **common)
    exact = estimate(robust_risk, f, law, ball, **common)
    assert robust.hi == 1
    assert "lower bound" in robust.how[-1]
    # an adversary who spends alpha on one side sees more, but a search finds no more errors than there are
    x, y = law.sample(500, np.random.default_rng(seed))
    found, possible = judge(robust_risk, f.predict, law, ball, search=8)(x, y)
    there, _ = judge(robust_risk, f, law, ball)(x, y)
    assert not (found & ~there).any()
    assert possible.all()
    for risk in (boundary_risk, sensible_risk):
        options = {"reference": RegionClassifier.binary(Boxes([[(0, "1/2"), (None, None)]]))}
        options = options if risk is sensible_risk else {}
        loose = judge(risk, f.predict, law, ball, search=8, **options)(x, y)
        tight = judge(risk, f, law, ball, **options)(x, y)[0]
        assert not (loose[0] & ~tight).any()
        assert not (tight & ~loose[1]).any()
        assert estimate(risk, f.predict, law, ball, search=8, **common, **options).hi >= 0
    assert exact.hi <= 1


def test_the_search_finds_what_corners_show():
    law = BoxDistribution.of_masses({-1: [((UNIT, (0, "1/2")), "2/5")], 1: [((UNIT, ("1/2", 1)), "3/5")]})
    f, ball = RegionClassifier.binary(HalfSpace([1, 2], "-3/2")), Ball("1/10")
    x, y = law.sample(4000, np.random.default_rng(0))

    def predict(points):
        return np.where(points @ [1, 2] > 1.5, 1, -1)

    there = judge(robust_risk, f, law, ball)(x, y)[0]
    found = judge(robust_risk, predict, law, ball, search=4)(x, y)[0]
    assert found.tolist() == there.tolist()  # a linear function is worst in a corner
    assert there.mean() > (predict(x) != y).mean() + 0.1
    few = judge(robust_risk, predict, law, ball, search=0)(x, y)[0]  # the ends of the axes alone
    assert (predict(x) != y).sum() < few.sum() < found.sum()
    limit = estimate(robust_risk, predict, law, ball, n=4000, rng=0, alpha=SURE)
    assert standard_risk(f, law).fraction + Fraction(1, 20) < limit.lo <= robust_risk(f, law, ball).fraction


def test_the_search_does_not_take_a_face_of_the_domain_for_its_outside():
    law = BoxDistribution.of_masses({-1: [([(0, "1/2")], "1/2")], 1: [([("1/2", 1)], "1/2")]}, [(0, 1)])
    f = RegionClassifier.binary(Boxes([[(0, 1)]]))  # errs on +1 nowhere within the domain
    x = np.array([[0.02], [0.5], [0.97]])
    assert not judge(robust_risk, f.predict, law, Ball("1/10"))(x, np.array([1, 1, 1]))[0].any()


@pytest.mark.parametrize("order", ORDERS)
def test_an_exact_adversary_makes_the_limits_two_sided(order):
    law = BoxDistribution.of_masses({-1: [((UNIT, (0, "1/2")), "2/5")], 1: [((UNIT, ("1/2", 1)), "3/5")]})
    w, b, eps = np.array([1.0, 2.0]), -1.5, 0.1
    step = {math.inf: np.sign(w), 2: w / np.linalg.norm(w), 1: np.array([0.0, 1.0])}[order] * eps

    def adversary(x, y):
        return x - y[:, None] * step

    f = RegionClassifier.binary(HalfSpace([1, 2], "-3/2"))
    common = {"n": 5000, "rng": 5, "alpha": SURE}
    for risk in (robust_risk, boundary_risk):
        regions_ = estimate(risk, f, law, Ball("1/10", order), **common)
        function = estimate(
            risk, lambda x: np.where(x @ w + b > 0, 1, -1), law, Ball("1/10", order), adversary=adversary, **common
        )
        assert (function.lo, function.hi, function.how) == (regions_.lo, regions_.hi, regions_.how)


def test_a_finite_law_is_judged_by_its_points():
    space = FiniteSpace.of_points([("0", "0"), ("1", "0"), ("2", "0"), ("2", "2")])
    law = FiniteDistribution.on(space, {-1: ["1/8", "1/4", 0, "1/8"], 1: [0, "1/8", "1/4", "1/8"]})
    f, trust = RegionClassifier.binary(Points(space, {2, 3})), RegionClassifier.binary(Points(space, {1, 2}))

    def predict(points):
        return np.where(points[:, 0] > 1.5, 1, -1)

    for order, eps in product(ORDERS, (1, 2)):
        ball = Ball(eps, order)
        for risk in RISKS:
            options = {"reference": trust} if risk is sensible_risk else {}
            exact = risk(f, law, ball, **options).fraction
            for g in (f, predict):
                seen = estimate(risk, g, law, ball, n=3000, rng=2, alpha=SURE, **options)
                assert seen.contains(exact)
                assert seen.how == ("3000 draws", "Clopper-Pearson")
            x = np.arange(4)
            for label in law.labels:
                wrong, doubt = f.wrong(label), trust.wrong(label)
                reach = ball.reach(wrong, space)
                sensible = (ball.reach(wrong - doubt, space) - doubt) | (wrong & doubt)
                event = {"standard_risk": wrong, "robust_risk": reach, "boundary_risk": reach - wrong}.get(
                    risk.__name__
                )
                members = (sensible if event is None else event).members
                got = judge(risk, f, law, ball, **options)(x, np.full(4, label))[0]
                assert set(np.flatnonzero(got).tolist()) == members


def test_a_space_of_distances_hands_indices_to_the_function():
    space = FiniteSpace.of_distances([[0, 1, 2], [1, 0, 1], [2, 1, 0]])
    law = FiniteDistribution.on(space, {-1: ["1/2", 0, 0], 1: [0, "1/4", "1/4"]})
    seen = estimate("robust_risk", lambda i: np.where(i > 0, 1, -1), law, Ball(1), n=2000, rng=0, alpha=SURE)
    assert seen.contains(Fraction(3, 4))


def test_a_domain_of_two_boxes_is_searched_inside_alone():
    domain = Boxes([[(0, 1)], [(2, 3)]])
    cut = BoxDistribution.of_masses({-1: [([(0, 1)], "1/2")], 1: [([(2, 3)], "1/2")]})
    law = BoxDistribution(cut.densities, domain)
    f = RegionClassifier.binary(Boxes([[("5/4", None)]]))
    x, y = law.sample(300, np.random.default_rng(0))
    assert not judge(robust_risk, f.predict, law, Ball("1/2"))(x, y)[0].any()  # 5/4 lies in the gap
    assert not judge(robust_risk, f, law, Ball("1/2"))(x, y)[0].any()
    assert judge(robust_risk, f, law, Ball("1/2", leave_domain=True))(x, y)[0].any()
    assert judge(robust_risk, f.predict, law, Ball("1/2", leave_domain=True))(x, y)[0].any()


def test_blocks_do_not_change_the_count_and_report_progress(monkeypatch):
    law = BoxDistribution.of_masses({-1: [([(0, 1)], "1/2")], 1: [([(1, 2)], "1/2")]})
    f = RegionClassifier.binary(Boxes([[("3/4", None)]]))
    monkeypatch.setattr("theory.montecarlo.BLOCK", 64)
    monkeypatch.setattr("theory.probe.CHUNK", 10)
    seen = []
    found = estimate(robust_risk, f, law, Ball("1/10"), n=1000, rng=0, alpha=SURE, progress=seen.append)
    assert sum(seen) == 1000
    assert max(seen) == 64
    assert found.contains(robust_risk(f, law, Ball("1/10")))


def test_refusals():
    law = BoxDistribution.of_masses({-1: [([(0, 1)], "1/2")], 1: [([(1, 2)], "1/2")]}, [(0, 2)])
    f, ball = RegionClassifier.binary(Boxes([[(1, None)]])), Ball("1/10")
    good = {"n": 10, "rng": 0}
    with pytest.raises(ValueError, match="'robust' is unknown; allowed are standard_risk"):
        estimate("robust", f, law, ball, **good)
    with pytest.raises(ValueError, match="robust_risk needs a ball"):
        estimate(robust_risk, f, law, **good)
    for n in (0, -1, 2.5, True):
        with pytest.raises(ValueError, match="no number of draws"):
            estimate(robust_risk, f, law, ball, n=n, rng=0)
    with pytest.raises(ValueError, match=r"labels of shape \(10, 1\) for 10 points"):
        estimate("standard_risk", lambda x: x, law, **good)
    with pytest.raises(ValueError, match="threshold 2 is outside"):
        estimate(sensible_risk, f, law, ball, threshold=2, **good)
    predict = f.predict
    for adversary, message in (
        (lambda x, y: x + 0.2, "moved a point by 0.2, out of the ball of radius 1/10"),
        (lambda x, y: x[:-1], r"points of shape \(9, 1\)"),
        (lambda x, y: np.where(x > 1.95, 2.01, x), "out of the law's domain"),
    ):
        with pytest.raises(ValueError, match=message):
            estimate(robust_risk, predict, law, ball, adversary=adversary, n=10 if "shape" in message else 500, rng=0)
    slanted = RegionClassifier.binary(HalfSpace([1], 0).reached(ball, law.domain))
    with pytest.raises(ValueError, match="probe the original event"):
        estimate(robust_risk, slanted, law, ball, **good)
    space = FiniteSpace.of_points([(0,), (1,)])
    atoms = FiniteDistribution.on(space, {-1: ["1/2", 0], 1: [0, "1/2"]})
    with pytest.raises(ValueError, match="stays in it"):
        estimate(robust_risk, RegionClassifier.binary(Points(space, {1})), atoms, Ball(1, leave_domain=True), **good)
    with pytest.raises(TypeError, match="no float geometry"):
        estimate(robust_risk, RegionClassifier.binary(Points(space, {1})), law, ball, **good)

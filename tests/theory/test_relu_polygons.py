"""Polygons as events: against boxes, half-spaces, shoelace areas and membership point by point."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from itertools import pairwise

import pytest

from theory import Ball, Between, BoxDistribution, Boxes, HalfSpace, RegionClassifier, robust_risk, sensible_risk
from theory.density import StepDensity
from theory.relu import Polygons
from theory.relu.lines import loop, merged, point
from theory.relu.overlay import overlay
from theory.relu.rounds import round_ways

F = Fraction
UNIT = ((F(0), F(1)), (F(0), F(1)))
SQUARE = StepDensity.of_boxes([(UNIT, 1)])
CHECKS = StepDensity.of_boxes(
    [(((F(i, 3), F(i + 1, 3)), (F(j, 4), F(j + 1, 4))), F(1 + (i * 5 + j * 3) % 7)) for i in range(3) for j in range(4)]
)


def triangles(rng: random.Random, n: int, grid: int) -> list[list[tuple[Fraction, Fraction]]]:
    """Triangles with corners on a coarse grid, so that many sides touch, overlap and cross in one point."""
    found = []
    while len(found) < n:
        corners = [(F(rng.randrange(grid + 1), grid), F(rng.randrange(grid + 1), grid)) for _ in range(3)]
        if twice_area(corners):
            found.append(corners)
    return found


def twice_area(corners: list[tuple[Fraction, Fraction]]) -> Fraction:
    return sum((p[0] * q[1] - q[0] * p[1] for p, q in pairwise([*corners, corners[0]])), F(0))


def within(corners: list[tuple[Fraction, Fraction]], x: Fraction, y: Fraction) -> bool:
    sign = 1 if twice_area(corners) > 0 else -1
    return all(
        sign * ((q[0] - p[0]) * (y - p[1]) - (q[1] - p[1]) * (x - p[0])) > 0
        for p, q in pairwise([*corners, corners[0]])
    )


def boxes(rng: random.Random, n: int, grid: int) -> Boxes:
    def side() -> tuple[Fraction, Fraction]:
        low, high = sorted(rng.sample(range(grid + 1), 2))
        return F(low, grid), F(high, grid)

    return Boxes([(side(), side()) for _ in range(n)])


# ---- algebra ----


@pytest.mark.parametrize("seed", range(25))
def test_and_or_minus_not_are_those_of_the_points(seed: int) -> None:
    rng = random.Random(seed)
    grid = rng.choice([3, 5, 997])
    ours, theirs = triangles(rng, 4, grid), triangles(rng, 3, grid)
    a, b = Polygons.of(ours, UNIT), Polygons.of(theirs, UNIT)
    events = {"and": a & b, "or": a | b, "minus": a - b, "not": ~a}
    for _ in range(60):
        x, y = F(rng.randrange(1, 10**6), 10**6 + 3), F(rng.randrange(1, 10**6), 10**6 + 33)  # on no side
        in_a, in_b = (any(within(t, x, y) for t in some) for some in (ours, theirs))
        told = {"and": in_a and in_b, "or": in_a or in_b, "minus": in_a and not in_b, "not": not in_a}
        assert {name: event.contains((x, y)) for name, event in events.items()} == told


@pytest.mark.parametrize("seed", range(10))
def test_equal_sets_are_equal_however_they_were_made(seed: int) -> None:
    rng = random.Random(seed)
    a, b = (Polygons.of(triangles(rng, 4, 4), UNIT) for _ in range(2))
    assert a - b == a & ~b == ~(~a | b)
    assert (a & b) | (a - b) == a == ~~a
    assert (a - a).is_empty
    assert a & ~a == ~(a | ~a) == a - a
    assert a & b <= a <= a | b
    assert not (a | ~a <= a & b)


@pytest.mark.parametrize("seed", range(10))
def test_masses_add_up_on_a_grid_with_corners_on_its_lines(seed: int) -> None:
    rng = random.Random(seed)
    a, b = (Polygons.of(triangles(rng, 3, 12), UNIT) for _ in range(2))
    for density in (SQUARE, CHECKS):
        whole = density.integral()
        assert (a & b).integral(density) + (a - b).integral(density) == a.integral(density)
        assert a.integral(density) + (~a).integral(density) == whole
        assert (a | b).integral(density) == a.integral(density) + b.integral(density) - (a & b).integral(density)


def test_the_area_of_one_polygon_is_the_shoelace_formula() -> None:
    rng = random.Random(7)
    for triangle in triangles(rng, 20, 101):
        assert Polygons.of([triangle], UNIT).integral(SQUARE) == abs(twice_area(triangle)) / 2
    star = [(F(0), F(0)), (F(1), F(0)), (F(1), F(1)), (F(1, 2), F(1, 3)), (F(0), F(1))]
    assert Polygons.of([star], UNIT).integral(SQUARE) == abs(twice_area(star)) / 2 == F(2, 3)


def test_a_density_is_summed_cell_by_cell() -> None:
    triangle = Polygons.of([[(0, 0), (1, 0), ("1/3", 1)]], UNIT)
    total = F(0)
    for k, value in enumerate(CHECKS.values):
        cells = Boxes.on_grid(CHECKS.edges, CHECKS.index == k)
        total += value * (triangle & (cells & Boxes([UNIT]))).integral(SQUARE)
    assert triangle.integral(CHECKS) == total > 0


# ---- against boxes ----


@pytest.mark.parametrize("seed", range(12))
def test_boxes_as_polygons_have_the_masses_and_the_reach_of_boxes(seed: int) -> None:
    rng = random.Random(seed)
    event, other, square = boxes(rng, 4, 12), boxes(rng, 3, 12), Boxes([UNIT])
    a = Polygons.of_boxes(event, UNIT)
    assert a.integral(CHECKS) == CHECKS.integral(event)
    assert (a - other).integral(CHECKS) == CHECKS.integral(event - other) == (a & ~other).integral(CHECKS)
    assert (other - a).integral(CHECKS) == CHECKS.integral(other - event)
    for radius in ("1/12", "1/24", "1/3", "3/2"):
        reach = Ball(radius).reach(a, square)
        assert reach == Polygons.of_boxes(event.dilate(F(radius)), UNIT)


def test_a_domain_with_a_gap_is_one_the_adversary_cannot_cross() -> None:
    gap = Boxes([((0, "2/5"), (0, 1)), (("3/5", 1), (0, 1))])
    event = Boxes([(("2/5", "1/2"), (0, 1)), ((0, "1/10"), (0, "1/10"))])
    reach = Ball("1/5").reach(Polygons.of_boxes(event, UNIT), gap)
    assert reach == Polygons.of_boxes(Ball("1/5").reach(event, gap), UNIT)


def test_an_adversary_who_leaves_is_known_inside_the_window_only() -> None:
    wide = ((F(-1), F(2)), (F(-1), F(2)))
    event = Boxes([((-1, "-1/20"), (-1, 2))])
    reach = Ball("1/10", leave_domain=True).reach(Polygons.of_boxes(event, wide), Boxes([UNIT]))
    assert reach.window == ((F(-9, 10), F(19, 10)), (F(-9, 10), F(19, 10)))
    assert reach.integral(SQUARE) == F(1, 20)
    assert Ball("1/10").reach(Polygons.of_boxes(event, wide), Boxes([UNIT])).is_empty


# ---- against half-spaces ----


@pytest.mark.parametrize(("weights", "offset"), [((1, 1), -1), ((2, -1), "1/7"), ((0, 1), "-1/3"), ((-3, 1), "1/5")])
@pytest.mark.parametrize("radius", ["1/10", "1/2", 0])
def test_half_planes_have_the_masses_and_the_reach_of_half_spaces(
    weights: tuple[int, int], offset: object, radius: object
) -> None:
    half = HalfSpace(weights, offset)
    a, b = weights
    c = half.offset / half.weights[0] * a if a else half.offset / half.weights[1] * b
    start = (-c * a / (a * a + b * b), -c * b / (a * a + b * b))
    corners = [
        (start[0] - 9 * s * b + 9 * t * a, start[1] + 9 * s * a + 9 * t * b)
        for s, t in ((1, 0), (-1, 0), (-1, 1), (1, 1))
    ]
    event, square, ball = Polygons.of([corners], UNIT), Boxes([UNIT]), Ball(radius)
    for density in (SQUARE, CHECKS):
        assert event.integral(density) == half.integral(density)
        assert ball.reach(event, square).integral(density) == ball.reach(half, square).integral(density)


# ---- other norms ----


def test_a_diamond_of_a_square_by_hand() -> None:
    window = ((F(-2), F(2)),) * 2
    square = Polygons.of([[(0, 0), (1, 0), (1, 1), (0, 1)]], window)
    reach = Ball("1/4", ord=1).reach(square, Boxes.everything(2))
    assert reach.integral(StepDensity.of_boxes([((("-1", "3/2"), ("-1", "3/2")), 1)])) == 1 + 4 * F(1, 4) + 2 * F(1, 16)
    assert Ball("1/4", ord=1).reach(
        Polygons.of([[(0, 0), (1, 0), (0, 1)]], window), Boxes.everything(2)
    ) == Polygons.of([[("-1/4", 0), (0, "-1/4"), (1, "-1/4"), ("5/4", 0), (0, "5/4"), ("-1/4", 1)]], reach.window)


@pytest.mark.parametrize("steps", [2, 5, 16])
def test_a_round_ball_around_a_square_has_four_quarter_discs(steps: int) -> None:
    window = ((F(-2), F(3)),) * 2
    density = StepDensity.of_boxes([((("-1", "2"), ("-1", "2")), 1)])
    reach = Ball("1/2", ord=2, steps=steps).reach(
        Polygons.of([[(0, 0), (1, 0), (1, 1), (0, 1)]], window), Boxes.everything(2)
    )
    assert isinstance(reach, Between)
    low, high = (part.integral(density) for part in (reach.inner, reach.outer))
    pi = (F(31415926535, 10**10), F(31415926536, 10**10))
    assert low <= 3 + pi[0] / 4
    assert high >= 3 + pi[1] / 4
    # both lie between the reaches of discs of radius c/2 and 1/(2 c), but for the rounding of directions to 2^-20
    c = math.cos(math.pi / 2 / steps)
    assert high - low < (2 * (1 / c - c) + math.pi / 4 * (1 / c**2 - c**2)) * (1 + 2**-15)


def test_round_ways_keep_their_promise() -> None:
    for steps in (2, 3, 8, 33):
        for ways, side in zip(round_ways(steps), (-1, 1), strict=True):
            for k in range(200):  # the support function of the sum against that of the disc, at rational directions
                t = F(k - 100, 37)
                x, y = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
                assert side * (sum(abs(x * a + y * b) for a, b in ways) - 1) >= 0


# ---- degenerate and nearly so ----


def test_many_lines_through_one_point() -> None:
    fans = [[("1/2", "1/2"), (F(k, 7), 0), (F(k + 1, 7), 0)] for k in range(0, 7, 2)]
    fans += [[("1/2", "1/2"), (F(k, 7), 1), (F(k + 1, 7), 1)] for k in range(1, 7, 2)]
    assert Polygons.of(fans, UNIT).integral(SQUARE) == 7 * F(1, 28)


def test_slivers_far_below_the_resolution_of_floats() -> None:
    tiny = F(1, 2**200)
    sliver = Polygons.of([[(0, 0), (1, 1), (1, 1 - tiny)]], UNIT)
    assert sliver.integral(SQUARE) == tiny / 2
    lower = Polygons.of([[(0, 0), (1, 0), (1, 1)]], UNIT)
    assert (lower - sliver) == Polygons.of([[(0, 0), (1, 0), (1, 1 - tiny)]], UNIT)
    twin = Polygons.of([[(0, tiny), (1, tiny), (1, 1 + tiny)]], UNIT)
    assert (lower & twin).integral(SQUARE) == (1 - 2 * tiny + tiny**2) / 2
    crossing = Polygons.of([[(0, -tiny), (1, tiny), (1, -1), (0, -1)]], ((F(-2), F(2)),) * 2)
    assert crossing.within(UNIT).integral(SQUARE) == tiny / 4


def test_reach_of_touching_pieces_leaves_no_seams() -> None:
    left = [[(0, 0), ("1/3", 0), ("1/2", 1), (0, 1)], [("1/3", 0), (1, 0), ("1/2", 1)]]
    whole = Polygons.of([[(0, 0), (1, 0), ("1/2", 1), (0, 1)]], UNIT)
    assert Polygons.of(left, UNIT) == whole
    assert Ball("1/7").reach(Polygons.of(left, UNIT), Boxes([UNIT])) == Ball("1/7").reach(whole, Boxes([UNIT]))


def test_dilation_is_the_union_of_the_dilated_pieces() -> None:
    rng = random.Random(5)
    for _ in range(8):
        some = triangles(rng, 5, 9)
        reach = Ball("1/11").reach(Polygons.of(some, UNIT), Boxes([UNIT]))
        pieces = []
        for t in some:  # a triangle and a square: the convex hull of its moved corners
            corners = [(x + s * F(1, 11), y + u * F(1, 11)) for x, y in t for s in (1, -1) for u in (1, -1)]
            pieces.append(hull(corners))
        assert reach == Polygons.of(pieces, UNIT)


def hull(points: list[tuple[Fraction, Fraction]]) -> list[tuple[Fraction, Fraction]]:
    def chain(order: list[tuple[Fraction, Fraction]]) -> list[tuple[Fraction, Fraction]]:
        kept: list[tuple[Fraction, Fraction]] = []
        for p in order:
            while len(kept) > 1 and twice_area([kept[-2], kept[-1], p]) <= 0:
                kept.pop()
            kept.append(p)
        return kept[:-1]

    order = sorted(set(points))
    return chain(order) + chain(order[::-1])


def test_winding_numbers_are_counted_with_their_weights() -> None:
    outer = loop([point(F(x), F(y)) for x, y in ((0, 0), (4, 0), (4, 4), (0, 4))], 3)
    inner = loop([point(F(x), F(y)) for x, y in ((1, 1), (2, 1), (2, 2), (1, 2))], -2)
    ring = overlay([*outer, *inner], lambda number: number == 3)
    assert len(ring) == 8
    assert overlay([*outer, *inner], lambda number: number == 1) == tuple(
        merged(loop([point(F(x), F(y)) for x, y in ((1, 1), (2, 1), (2, 2), (1, 2))]))
    )
    assert overlay([], lambda number: number > 0) == ()


# ---- in the engine ----


def test_polygons_run_through_the_risks_with_a_reference_of_boxes() -> None:
    law = BoxDistribution.of_masses(
        {-1: [([(0, "1/2"), (0, 1)], "1/2")], +1: [([("1/2", 1), (0, 1)], "1/2")]}, [(0, 1), (0, 1)]
    )
    boxed = RegionClassifier.binary(Boxes([(("2/5", None), (0, 1))]))
    sided = RegionClassifier({y: Polygons.of_boxes(region, UNIT) for y, region in boxed.regions.items()})
    for risk in (robust_risk, sensible_risk):
        assert risk(sided, law, Ball("1/10")).fraction == risk(boxed, law, Ball("1/10")).fraction
    mixed = Between(boxed.regions[1], boxed.regions[1]) & sided.regions[1]
    assert law.mass(mixed, 1).lo == law.mass(boxed.regions[1], 1)


def test_bad_input_is_refused_in_a_sentence() -> None:
    half = Polygons.of([[(0, 0), (1, 0), (0, 1)]], UNIT)
    wide = StepDensity.of_boxes([(((0, 2), (0, 1)), "1/2")])
    with pytest.raises(ValueError, match="mass beyond it"):
        half.integral(wide)
    with pytest.raises(ValueError, match="dimension 1"):
        half.integral(StepDensity.of_boxes([([(0, 1)], 1)]))
    with pytest.raises(ValueError, match="three corners"):
        Polygons.of([[(0, 0), (1, 1)]], UNIT)
    with pytest.raises(TypeError, match="is a float"):
        Polygons.of([[(0.5, 0), (1, 1), (0, 1)]], UNIT)
    with pytest.raises(ValueError, match="no bounded box"):
        Polygons.of([], [(0, None), (0, 1)])
    with pytest.raises(ValueError, match="not planar"):
        Polygons.of([], [(0, 1)])
    with pytest.raises(ValueError, match="larger window"):
        Ball("1/2", leave_domain=True).reach(half, Boxes([UNIT]))
    with pytest.raises(ValueError, match="nothing in common"):
        half & Polygons.of([], ((F(2), F(3)), (F(0), F(1))))
    with pytest.raises(ValueError, match="dimension 1 do not mix"):
        half & Boxes([((0, 1),)])
    with pytest.raises(ValueError, match="2, 3, 4"):
        round_ways(1)
    with pytest.raises(TypeError):
        half & 3

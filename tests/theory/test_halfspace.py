"""Half-spaces and strips: volumes against polygon clipping, reaches against corners of balls, risks against boxes."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from theory.ball import Ball
from theory.between import Between
from theory.boxes import Boxes
from theory.classifiers import RegionClassifier, constant
from theory.curves import risk_curve
from theory.density import StepDensity
from theory.distributions import BoxDistribution, FiniteDistribution
from theory.halfspace import HalfSpace
from theory.points import Points
from theory.risks import boundary_risk, robust_risk, sensible_risk, standard_risk

F = Fraction

RISKS = (standard_risk, robust_risk, boundary_risk, sensible_risk)
UNIT = (F(0), F(1))
few = settings(max_examples=25, deadline=None)
numbers = st.fractions(-3, 3, max_denominator=6)
weights2 = st.tuples(numbers, numbers).filter(any)
radii = st.fractions(0, 1, max_denominator=12)
centres = st.tuples(*[st.fractions(0, 1, max_denominator=6)] * 2)
# weights and offset of a line that meets the unit square
lines = st.builds(lambda w, c: (w, -(w[0] * c[0] + w[1] * c[1])), weights2, centres)


def sides(low=-2, high=2):
    ends = st.lists(st.fractions(low, high, max_denominator=4), min_size=2, max_size=2, unique=True)
    return ends.map(lambda pair: tuple(sorted(pair)))


@st.composite
def laws(draw, dim=2, bounded=None):
    """A law with two boxes a label, on R^dim or on a box around them."""
    cuts = sorted(draw(st.lists(st.fractions(0, 1, max_denominator=6), min_size=3, max_size=3, unique=True)))
    slabs = list(pairwise([F(0), *(c for c in cuts if 0 < c < 1), F(1)]))
    masses = draw(st.lists(st.integers(0, 4), min_size=2 * len(slabs), max_size=2 * len(slabs)).filter(any))
    boxes = {-1: [], 1: []}
    for k, mass in enumerate(masses):
        rest = [(F(0), draw(st.sampled_from([F(1), F(1, 2)])))] * (dim - 1)
        boxes[(-1) ** k].append(((slabs[k // 2], *rest), F(mass, sum(masses))))
    inside = draw(st.booleans()) if bounded is None else bounded
    return BoxDistribution.of_masses(boxes, [UNIT] * dim if inside else None)


# -- volume -----------------------------------------------------------------------------------------------------------


def polygon_area(corners):
    return (
        abs(sum((a[0] * b[1] - a[1] * b[0] for a, b in zip(corners, corners[1:] + corners[:1], strict=True)), F(0))) / 2
    )


def clip_polygon(corners, w, b):
    """Sutherland and Hodgman: the part of a convex polygon where w.x + b >= 0."""
    kept = []
    for p, q in zip(corners, corners[1:] + corners[:1], strict=True):
        gp, gq = (w[0] * x + w[1] * y + b for x, y in (p, q))
        if gp >= 0:
            kept.append(p)
        if gp * gq < 0:
            t = gp / (gp - gq)
            kept.append((p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])))
    return kept


def area_by_clipping(box, w, b):
    (a, c), (e, f) = box
    return polygon_area(clip_polygon([(a, e), (c, e), (c, f), (a, f)], w, b))


@given(st.tuples(sides(), sides()), weights2, numbers)
@few
def test_area_in_a_box_is_that_of_the_clipped_polygon(box, w, b):
    assert HalfSpace(w, b).volume(box) == area_by_clipping(box, w, b)
    assert (~HalfSpace(w, b)).volume(box) == math.prod(hi - lo for lo, hi in box) - area_by_clipping(box, w, b)


@given(st.tuples(sides(), sides(), sides()), st.tuples(numbers, numbers, numbers).filter(any), numbers)
@few
def test_volume_in_three_dimensions_is_the_integral_of_its_slices(box, w, b):
    # the area of the slice at height z is quadratic in z between the heights of the cut's corners: Simpson is exact
    lo, hi = box[2]
    heights = {lo, hi}
    if w[2]:
        heights |= {-(w[0] * x + w[1] * y + b) / w[2] for x, y in product(box[0], box[1])}
    heights = sorted(z for z in heights if lo <= z <= hi)
    volume = F(0)
    for z0, z1 in pairwise(heights):
        areas = [area_by_clipping(box[:2], w, b + w[2] * z) if any(w[:2]) else None for z in (z0, (z0 + z1) / 2, z1)]
        if areas[0] is None:  # a horizontal plane: all of the slab or none of it
            inside = w[2] * (z0 + z1) / 2 + b > 0
            volume += inside * (z1 - z0) * math.prod(b - a for a, b in box[:2])
        else:
            volume += (z1 - z0) * (areas[0] + 4 * areas[1] + areas[2]) / 6
    assert HalfSpace(w, b).volume(box) == volume


@given(laws(), weights2, numbers)
@few
def test_mass_is_the_sum_over_the_cells(law, w, b):
    for label, density in law.densities.items():
        expected = F(0)
        for k, value in enumerate(density.values):
            for cell in Boxes.on_grid(density.edges, density.index == k).cells() if value else ():
                expected += value * area_by_clipping(cell, w, b)
        assert law.mass(HalfSpace(w, b), label) == expected


def test_volume_in_ten_dimensions_is_symmetric():
    half = HalfSpace(list(range(1, 11)), F(-55, 2))
    assert half.volume((UNIT,) * 10) == F(1, 2)


# -- canonical form ---------------------------------------------------------------------------------------------------


@given(weights2, numbers, st.fractions(F(1, 9), 9, max_denominator=9), st.booleans())
@few
def test_a_positive_factor_changes_nothing_and_the_complement_is_an_involution(w, b, factor, closed):
    half = HalfSpace(w, b, closed=closed)
    assert half == HalfSpace([x * factor for x in w], b * factor, closed=closed)
    assert ~~half == half
    assert hash(~~half) == hash(half)
    assert half != ~half


def test_no_weights_make_everything_or_nothing():
    assert HalfSpace([0, 0], "1/3") == HalfSpace.everything(2)
    assert HalfSpace([0, 0], 0) == HalfSpace.nothing(2) == ~HalfSpace([0, 0], 0, closed=True)
    assert HalfSpace([0, 0], 0).is_empty
    assert repr(HalfSpace([0], 1)) == "HalfSpace(everything in 1-D)"
    assert repr(HalfSpace([-2, 0, "1/2"], "-1/4")) == "HalfSpace(-4*x0 + x2 - 1/2 > 0)"


# -- reach ------------------------------------------------------------------------------------------------------------


def best_corner(w, b, x, eps, box):
    """The largest w.z + b over the corners of the cube around x, cut by the box."""
    ends = [(max(c - eps, lo), min(c + eps, hi)) for c, (lo, hi) in zip(x, box, strict=True)]
    return max(sum(v * z for v, z in zip(w, corner, strict=True)) + b for corner in product(*ends))


GRID = [(F(i, 5), F(j, 5)) for i in range(6) for j in range(6)]


@given(lines, radii, st.booleans())
@example(((F(1), F(1)), F(-2)), F(1, 7), True)  # touches the square in a corner only
@few
def test_reach_in_the_square_is_decided_at_the_corners_of_the_ball(line, eps, closed):
    w, b = line
    half = HalfSpace(w, b, closed=closed)
    reach = half.reached(Ball(eps), Boxes([[UNIT, UNIT]]))
    for x in GRID:
        best = best_corner(w, b, x, eps, (UNIT, UNIT))
        if best != 0:  # a touch is a null set there
            assert reach.contains(x) == (best > 0)


@given(lines, radii, radii)
@few
def test_reaches_add_up_within_a_box(line, first, second):
    w, b = line
    box = ((F(0), F(1)), (F(-1, 2), F(2)))
    half = HalfSpace(w, b)
    assert half.dilate(first, box).dilate(second, box) == half.dilate(first + second, box).on(box)


@given(lines, radii)
@few
def test_the_event_lies_in_what_it_opens_to_and_in_its_reach(line, eps):
    w, b = line
    box = (UNIT, UNIT)
    half = HalfSpace(w, b)
    reach = half.dilate(eps, box)
    closing = ~(~reach).dilate(eps, box)  # no closed form is 0 on a whole box here, or dilate would have refused
    assert half <= closing <= reach
    assert half.volume(box) <= closing.volume(box) <= reach.volume(box)


def dual_norm(w, order):
    return {math.inf: sum(map(abs, w)), 1: max(map(abs, w)), 2: math.sqrt(sum(v * v for v in w))}[order]


@given(weights2, numbers, radii.filter(bool), st.sampled_from([1, 2, math.inf]), st.booleans())
@few
def test_in_all_of_space_the_offset_grows_by_the_dual_norm(w, b, eps, order, leave):
    half = HalfSpace(w, b, closed=True)
    domain = Boxes([[UNIT, UNIT]]) if leave else Boxes.everything(2)
    reach = half.reached(Ball(eps, order, leave_domain=leave), domain)
    inner, outer = (reach.inner, reach.outer) if isinstance(reach, Between) else (reach, reach)
    for found in (inner, outer):
        assert found.weights == half.weights
        assert found.closed
        assert float(found.offset - half.offset) == pytest.approx(
            float(eps) * dual_norm(half.weights, order), rel=1e-13
        )
    square = sum(v * v for v in half.weights)
    if order != 2 or math.isqrt(int(square)) ** 2 == square:
        assert inner == outer
    else:  # the rational bounds enclose the irrational norm, closely
        low, high = ((found.offset - half.offset) / eps for found in (inner, outer))
        assert low * low < square < high * high
        assert high - low < F(1, 10**17)


def budgeted(w, b, x, eps, order):
    """The largest w.z + b over the l1 or l2 ball around x, cut by the unit square; l2 in floats."""
    room = [(1 - c if v > 0 else c) for v, c in zip(w, x, strict=True)]
    size = [abs(v) for v in w]
    value = sum(v * c for v, c in zip(w, x, strict=True)) + b
    if order == 1:
        left = eps
        for s, r in sorted(zip(size, room, strict=True), reverse=True):
            value, left = value + s * min(r, left), left - min(r, left)
        return value
    low, high = 0.0, 100.0 * float(eps) + 100
    for _ in range(60):
        t = (low + high) / 2
        moved = [min(float(r), t * float(s)) for s, r in zip(size, room, strict=True)]
        low, high = (t, high) if math.hypot(*moved) <= eps else (low, t)
    moved = [min(float(r), low * float(s)) for s, r in zip(size, room, strict=True)]
    return float(value) + sum(float(s) * m for s, m in zip(size, moved, strict=True))


@given(lines, radii, st.sampled_from([1, 2]))
@example(((F(1), F(1)), F(-17, 10)), F(1, 5), 1)  # at (1, 3/5) the budget must go to the other axis
@few
def test_round_balls_within_the_square_are_enclosed(line, eps, order):
    w, b = line
    reach = HalfSpace(w, b).reached(Ball(eps, order), Boxes([[UNIT, UNIT]]))
    inner, outer = (reach.inner, reach.outer) if isinstance(reach, Between) else (reach, reach)
    assert inner <= outer
    slack = 0 if order == 1 else 1e-9
    for x in GRID[::3]:
        best = budgeted(w, b, x, eps, order)
        assert not inner.contains(x) or best >= -slack
        assert best <= slack or outer.contains(x)


def test_a_reach_away_from_the_faces_is_exact_under_every_norm():
    law = BoxDistribution.of_masses(
        {-1: [([("1/4", "1/2"), ("1/4", "3/4")], "1/2")], 1: [([("1/2", "3/4"), ("1/4", "3/4")], "1/2")]}, [UNIT, UNIT]
    )
    f = RegionClassifier.binary(HalfSpace([3, 4], F(-7, 2)))
    free = robust_risk(f, law, Ball("1/10", 2, leave_domain=True)).fraction
    assert robust_risk(f, law, Ball("1/10", 2)).fraction == free
    shifted = {y: HalfSpace([-3 * y, -4 * y], y * F(7, 2) + 5 * F(1, 10)) for y in (-1, 1)}
    assert free == sum(law.mass(shifted[y], y) for y in (-1, 1))


# -- strips -----------------------------------------------------------------------------------------------------------


@st.composite
def expressions(draw, depth=3):
    """An event made of half-spaces parallel to x + 2y, and the same as a function of a point."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        b, sign, closed = draw(st.integers(-4, 4)), draw(st.sampled_from([-1, 1])), draw(st.booleans())
        half = HalfSpace([sign, 2 * sign], sign * b, closed=closed)

        def inside(x):
            g = sign * (x[0] + 2 * x[1] + b)
            return g >= 0 if closed else g > 0

        return half, inside
    (a, in_a), (b, in_b) = draw(expressions(depth=depth - 1)), draw(expressions(depth=depth - 1))
    verb = draw(st.sampled_from("&|-^~"))
    if verb == "~":
        return ~a, lambda x: not in_a(x)
    both = {
        "&": (a.__and__, lambda p, q: p and q),
        "|": (a.__or__, lambda p, q: p or q),
        "-": (a.__sub__, lambda p, q: p and not q),
        "^": (a.__xor__, lambda p, q: p != q),
    }[verb]
    return both[0](b), lambda x: both[1](in_a(x), in_b(x))


LATTICE = [(F(i), F(j, 4)) for i in range(-2, 3) for j in range(-9, 10)]  # x + 2y on and between the lines


@given(expressions())
@settings(max_examples=40, deadline=None)
def test_strips_are_the_boolean_combination_at_every_point_lines_included(pair):
    event, inside = pair
    for x in LATTICE:
        assert event.contains(x) == inside(x)
    floats = np.array(LATTICE, dtype=float)
    assert event.contains_points(floats).tolist() == [inside(x) for x in LATTICE]


@given(expressions(), expressions())
@few
def test_strips_obey_the_laws_of_sets(first, second):
    (a, _), (b, _) = first, second
    assert ~(a & b) == ~a | ~b
    assert a - b == a & ~b
    assert a ^ b == (a - b) | (b - a)
    assert (a & b) <= a <= (a | b)
    assert (a - a).is_empty


@given(expressions(), radii)
@few
def test_reach_of_strips_in_space_is_the_dilation_of_their_shadow_on_the_normal(pair, eps):
    event, _ = pair
    # the event depends on t = x + 2y alone: as intervals of t, dilated by eps |w|_1 with the algebra of boxes
    cuts = range(-5, 6)
    shadow = Boxes([[(t, t + 1)] for t in cuts if event.contains((t + F(1, 2), 0))], dim=1)
    ends = Boxes([[(None, -5)]], dim=1) if event.contains((-100, 0)) else Boxes.nothing(1)
    ends = ends | (Boxes([[(6, None)]], dim=1) if event.contains((100, 0)) else Boxes.nothing(1))
    dilated = (shadow | ends).dilate(3 * eps)
    reach = event.reached(Ball(eps), Boxes.everything(2))
    for t in range(-40, 40):
        if eps:
            assert reach.contains((F(t, 4) + F(1, 1000), 0)) == dilated.contains((F(t, 4) + F(1, 1000),))


@given(lines, st.fractions(0, 1, max_denominator=6), st.fractions(F(1, 8), F(1, 2), max_denominator=8))
@few
def test_reach_of_a_strip_in_the_square_matches_a_search_of_the_ball(line, width, eps):
    w, b = line
    strip = HalfSpace(w, b) - HalfSpace(w, b - width)
    reach = strip.reached(Ball(eps), Boxes([[UNIT, UNIT]]))
    step = F(1, 12)
    slack = step * sum(map(abs, w))
    for x in GRID[::5]:
        found = [
            w[0] * z0 + w[1] * z1 + b
            for z0, z1 in product(*([max(F(0), min(F(1), c + eps * F(k, 6))) for k in range(-6, 7)] for c in x))
        ]
        if any(0 < g <= width for g in found) and width:
            assert reach.contains(x) or any(g in (0, width) for g in found)
        if reach.contains(x):
            assert any(-slack <= g <= width + slack for g in found)


# -- risks ------------------------------------------------------------------------------------------------------------


@given(laws(), st.integers(0, 1), numbers, st.sampled_from([-1, 1]), radii, st.sampled_from([1, 2, math.inf]))
@settings(max_examples=40, deadline=None)
def test_axis_parallel_half_spaces_have_the_risks_of_boxes(law, axis, b, sign, eps, order):
    half = HalfSpace([sign * (i == axis) for i in range(2)], b)
    reference = HalfSpace([sign * (i == axis) for i in range(2)], b / 2 + F(1, 3))
    f, g = RegionClassifier.binary(half), RegionClassifier.binary(half.to_boxes())
    # along one axis every ball is an interval, so l-infinity with boxes answers for all norms
    for risk in (standard_risk, robust_risk, boundary_risk):
        assert risk(f, law, Ball(eps, order)).fraction == risk(g, law, Ball(eps)).fraction
    trusted = [RegionClassifier.binary(event) for event in (reference, reference.to_boxes())]
    ours = sensible_risk(f, law, Ball(eps, order), trusted[0])
    assert ours.fraction == sensible_risk(g, law, Ball(eps), trusted[1]).fraction
    assert sensible_risk(f, law, Ball(eps), trusted[1]).fraction == ours.fraction  # half-spaces mixed with boxes


@given(laws(), lines, st.fractions(-1, 1, max_denominator=6), radii, st.sampled_from([1, 2, math.inf]))
@settings(max_examples=40, deadline=None)
def test_robust_is_standard_plus_boundary_and_sensible_lies_between(law, line, shift, eps, order):
    w, b = line
    f, ball = RegionClassifier.binary(HalfSpace(w, b)), Ball(eps, order)
    reference = RegionClassifier.binary(HalfSpace(w, b + shift))
    standard, robust, boundary = (risk(f, law, ball) for risk in (standard_risk, robust_risk, boundary_risk))
    sensible = sensible_risk(f, law, ball, reference)
    assert (robust.lo, robust.hi) == ((standard + boundary).lo, (standard + boundary).hi)
    assert standard.fraction <= sensible.lo <= sensible.hi <= robust.hi
    assert sensible.lo <= robust.lo
    if order == math.inf:
        assert robust.is_exact
        assert sensible.is_exact


@given(laws(bounded=True), weights2, st.fractions(-1, 1, max_denominator=4), st.sampled_from([1, 2, math.inf]))
@settings(max_examples=10, deadline=None)
def test_every_risk_lies_between_those_of_the_enclosing_boxes(law, w, shift, order):
    b = -sum(w) / 2  # through the centre of the square
    ball = Ball("1/6", order, steps=8)
    half, parallel = HalfSpace(w, b), HalfSpace(w, b + shift)
    box = [UNIT, UNIT]
    f, boxed = RegionClassifier.binary(half), RegionClassifier.binary(half.enclose(box, 24))
    reference, boxed_reference = (RegionClassifier.binary(e) for e in (parallel, parallel.enclose(box, 24)))
    for risk in (standard_risk, robust_risk, boundary_risk):
        assert risk(boxed, law, ball).overlaps(exact := risk(f, law, ball))
        assert exact.width == 0 or order != math.inf
    exact, enclosed = sensible_risk(f, law, ball, reference), sensible_risk(boxed, law, ball, boxed_reference)
    assert enclosed.overlaps(exact)
    if order == math.inf:
        assert enclosed.contains(exact.fraction)
        assert robust_risk(boxed, law, ball).contains(robust_risk(f, law, ball).fraction)


def test_enclosure_by_boxes_closes_in():
    square = StepDensity.of_boxes([((UNIT, UNIT), 1)])
    half = HalfSpace([2, -3], "1/3")
    exact = half.integral(square)
    widths = []
    for steps in (4, 16, 64):
        found = half.enclose([UNIT, UNIT], steps)
        low, high = square.integral(found.inner), square.integral(found.outer)
        assert low <= exact <= high
        widths.append(high - low)
    assert widths[2] < widths[1] / 3 < widths[0] / 9
    strip = half - HalfSpace([2, -3], "-1/3")
    found = (~strip).enclose([UNIT, UNIT], 64)
    assert square.integral(found.inner) <= (~strip).integral(square) <= square.integral(found.outer)


@given(laws(), lines, st.fractions(-1, 1, max_denominator=6), radii)
@settings(max_examples=10, deadline=None)
def test_curves_pass_through_the_risks(law, line, shift, eps):
    w, b = line
    f, reference = (RegionClassifier.binary(HalfSpace(w, c)) for c in (b, b + shift))
    for risk, options in ((robust_risk, {}), (boundary_risk, {}), (sensible_risk, {"reference": reference})):
        curve = risk_curve(risk, f, law, 0, 1, **options)
        for x in (eps, *(p for p in curve.breakpoints if isinstance(p, F))):
            assert curve(x) == risk(f, law, Ball(x), **options).fraction


def test_a_half_space_may_move_with_eps():
    law = BoxDistribution.of_masses({-1: [((("0", "1/2"), UNIT), "1/2")], 1: [((("1/2", "1"), UNIT), "1/2")]})
    curve = risk_curve(standard_risk, lambda eps: RegionClassifier.binary(HalfSpace([1, 1], eps - 1)), law, 0, 1)
    for eps in (F(0), F(1, 3), F(1, 2), F(7, 9), F(1)):
        f = RegionClassifier.binary(HalfSpace([1, 1], eps - 1))
        assert curve(eps) == standard_risk(f, law).fraction
    assert str(curve.pieces[0].poly) == "1/4 + 1/2*eps^2"


def test_a_round_ball_has_no_exact_curve():
    law = BoxDistribution.of_masses({-1: [((UNIT, UNIT), "1/2")], 1: [((UNIT, UNIT), "1/2")]})
    f = RegionClassifier.binary(HalfSpace([3, 4], -3))
    curve = risk_curve(robust_risk, f, law, 0, "1/10", ord=2)  # |(3, 4)| = 5, and space has no faces
    assert curve("1/20") == robust_risk(f, law, Ball("1/20", 2)).fraction
    with pytest.raises((TypeError, ValueError)):
        risk_curve(robust_risk, RegionClassifier.binary(HalfSpace([1, 1], -1)), law, 0, "1/10", ord=2)


def test_constants_and_other_boxes_of_everything_mix_with_slanted_half_spaces():
    law = BoxDistribution.of_masses({-1: [((UNIT, UNIT), "1/2")], 1: [((UNIT, UNIT), "1/2")]})
    half = HalfSpace([1, 1], -1)
    assert half & law.everything == half == law.nothing | half
    assert law.everything - half == ~half
    f = RegionClassifier.binary(half)
    always = constant(1, law)
    # the reference is right on +1 and wrong on -1 everywhere: the adversary is free there and idle here
    expected = (robust_risk(f, law, Ball("1/10")).fraction + standard_risk(f, law).fraction) / 2
    assert sensible_risk(f, law, Ball("1/10"), always).fraction == expected


def test_atoms_on_the_line_fall_on_the_closed_side():
    points = [("0", "1"), ("1/2", "1/2"), ("1", "1"), ("0", "0")]
    law = FiniteDistribution.of_points(points, {-1: ["1/4", "1/4", 0, 0], 1: [0, 0, "1/4", "1/4"]})
    half = HalfSpace([1, 1], -1)
    assert law.event(half) == Points(law.space, {2})
    assert law.event(~half) == Points(law.space, {0, 1, 3})
    f, g = RegionClassifier.binary(half), RegionClassifier.binary(Points(law.space, {2}))
    for risk in RISKS:
        assert risk(f, law, Ball("1/2")) == risk(g, law, Ball("1/2"))
    assert law.event(HalfSpace([1, 1], -1, closed=True) - half) == Points(law.space, {0, 1})


# -- refusals ---------------------------------------------------------------------------------------------------------


def test_refusals_name_the_way_out():
    slanted, other = HalfSpace([1, 1], -1), HalfSpace([1, -1])
    box = Boxes([[UNIT, UNIT]])
    for event in (other, box):
        for mix in (lambda e=event: slanted & e, lambda e=event: e | slanted, lambda e=event: e - slanted):
            with pytest.raises(ValueError, match=r"not parallel.*\.enclose\(box, steps\)"):
                mix()
    assert isinstance(slanted.enclose([UNIT, UNIT], 8) & box, Between)
    assert isinstance(box - slanted.enclose([UNIT, UNIT], 8), Between)
    with pytest.raises(ValueError, match="2 boxes is not one box"):
        slanted.reached(Ball("1/10"), Boxes([[(0, 1), (0, 1)], [(2, 3), (0, 1)]]))
    with pytest.raises(ValueError, match="dimension 2 and 3"):
        slanted & HalfSpace([1, 1, 1])
    with pytest.raises(ValueError, match="point of dimension 3"):
        slanted.contains((0, 0, 0))
    with pytest.raises(ValueError, match="no weights"):
        HalfSpace([])
    with pytest.raises(TypeError, match=r"weight 0\.5 is a float"):
        HalfSpace([0.5])
    with pytest.raises(ValueError, match="slanted"):
        slanted.to_boxes()
    with pytest.raises(ValueError, match="steps 0"):
        slanted.enclose([UNIT, UNIT], 0)
    with pytest.raises(ValueError, match="-1 is negative"):
        slanted.dilate(-1)
    with pytest.raises(ValueError, match="22 slanted axes"):
        HalfSpace([1] * 22).volume((UNIT,) * 22)
    with pytest.raises(ValueError, match="unbounded box"):
        slanted.volume((UNIT, (None, F(1))))


def test_what_was_reached_in_one_domain_stays_there():
    square, larger = Boxes([[UNIT, UNIT]]), Boxes([[(0, 2), (0, 2)]])
    reach = HalfSpace([1, 1], "-3/2").reached(Ball("1/10"), square)
    assert reach.domain == (UNIT, UNIT)
    with pytest.raises(ValueError, match="another one"):
        reach.reached(Ball("1/10"), larger)
    with pytest.raises(ValueError, match="another one"):
        reach.reached(Ball("1/10", leave_domain=True), square)
    with pytest.raises(ValueError, match="two different domains"):
        reach & HalfSpace([1, 1], "-3/2").reached(Ball("1/10"), larger)


def test_a_form_that_is_zero_on_whole_boxes():
    box = (UNIT,) * 3
    reach = HalfSpace([1, 1, 1], F(-5, 2)).dilate(F(1, 2), box)
    event = ~(~reach).dilate(F(1, 4), box)
    clips = " + ".join(f"clip(x{i}, 1/4, 3/4)" for i in range(3))
    assert repr(event) == f"HalfSpace({clips} - 7/4 >= 0)"
    assert event.contains((F(1, 8), F(7, 8), F(7, 8)))  # one of three corners of side 1/4 where the form is 0
    # by slices: 1/16 below z = 1/4, then 1/16 + u/2 + u^2/2 with u = z - 1/4, and 9/16 above z = 3/4
    assert (event.volume(box), (~event).volume(box)) == (F(13, 48), F(35, 48))
    found, cube = event.enclose(box, 8), Boxes([box])
    corner = Boxes([[(0, "1/4"), ("3/4", 1), ("3/4", 1)]])
    assert corner <= found.inner
    assert (found.inner & cube).volume() <= F(13, 48) <= (found.outer & cube).volume()
    assert not (corner & (~event).enclose(box, 8).outer).volume()
    with pytest.raises(ValueError, match="0 on a whole box"):
        event.dilate(F(1, 8), box)
    assert (~event).dilate(F(1, 8), box).volume(box) > F(35, 48)


def test_a_strip_without_volume_is_not_reached():
    line = HalfSpace([1, 1], -1, closed=True) - HalfSpace([1, 1], -1)
    assert line.contains(("1/2", "1/2"))
    assert line.is_empty
    assert line.reached(Ball("1/10"), Boxes.everything(2)).is_empty
    assert line <= HalfSpace.nothing(2)


@pytest.mark.parametrize("order", [1, 2, math.inf])
def test_within_a_domain_a_closed_event_has_the_reach_of_the_open_one(order):
    square = Boxes([[UNIT, UNIT]])
    reaches = [HalfSpace([1, 2], F(-8, 3), closed=c).reached(Ball("1/10", order), square) for c in (False, True)]
    assert reaches[0] == reaches[1]


def test_a_face_that_is_only_touched_is_not_reached_into():
    square = Boxes([[UNIT, UNIT]])
    touching = HalfSpace([1, 1], -2, closed=True)
    assert touching.contains((1, 1))
    assert touching.reached(Ball("1/10"), square).volume((UNIT, UNIT)) == 0
    assert touching.reached(Ball("1/10", leave_domain=True), square).volume((UNIT, UNIT)) == F(1, 50)

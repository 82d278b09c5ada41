"""Balls: linf exactly, l1 and l2 enclosed, against distances computed point by point and areas known in closed form."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.ball import Ball, unit_staircases
from theory.between import Between
from theory.boxes import Boxes
from theory.strategies import box_lists, radii, rationals

PI = (Fraction(333, 106), Fraction(355, 113))  # 333/106 < pi < 355/113
offgrid = rationals(lo=-1, hi=2, denominators=(12,)).map(lambda x: x + Fraction(1, 1000))
everywhere = Boxes.everything


def distance(point, box, ord):
    """Exact l1 and linf distances from a point to a box, and the square of the l2 distance."""
    gaps = [max(Fraction(0), lo - x, x - hi) for (lo, hi), x in zip(box, point, strict=True)]
    if ord == 1:
        return sum(gaps)
    return sum(gap * gap for gap in gaps) if ord == 2 else max(gaps)


@settings(max_examples=60)
@given(
    st.sampled_from([2, 2, 3]).flatmap(lambda d: st.tuples(st.just(d), box_lists(dim=d, max_boxes=2))),
    st.lists(st.lists(offgrid, min_size=3, max_size=3), min_size=8, max_size=8),
    radii(),
    st.sampled_from([1, 2]),
    st.integers(1, 6),
)
def test_under_l1_and_l2_inner_boxes_are_reached_and_outer_boxes_hold_what_is(drawn, points, r, ord, steps):
    dim, listed = drawn
    reach = Ball(r, ord, steps=steps).reach(Boxes(listed, dim), everywhere(dim))
    assert isinstance(reach, Between)
    for point in (p[:dim] for p in points):
        reached = any(distance(point, box, ord) <= (r * r if ord == 2 else r) for box in listed)
        assert reached or not reach.inner.contains(point)
        assert reach.outer.contains(point) or not reached


@settings(max_examples=30)
@given(box_lists(max_boxes=2), radii(), st.sampled_from([1, 2]), st.integers(1, 4))
def test_the_enclosure_shrinks_as_steps_double(listed, r, ord, steps):
    event = Boxes(listed, 2)
    coarse, fine = (Ball(r, ord, steps=k).reach(event, everywhere(2)) for k in (steps, 2 * steps))
    assert coarse.inner <= fine.inner
    assert fine.outer <= coarse.outer


@settings(max_examples=40)
@given(rationals(lo="1/2", hi=2), rationals(lo="1/2", hi=2), radii(zero=False), st.integers(1, 12))
def test_the_reach_of_a_rectangle_has_the_area_of_a_rounded_rectangle(a, b, r, steps):
    """ab + 2r(a + b) + the ball itself: 2 r^2 under l1, pi r^2 under l2, 4 r^2 under linf."""
    event, frame = Boxes([[(0, a), (0, b)]]), a * b + 2 * r * (a + b)
    one = Ball(r, 1, steps=steps).reach(event, everywhere(2))
    assert one.inner.volume() <= frame + 2 * r * r <= one.outer.volume()
    two = Ball(r, 2, steps=steps).reach(event, everywhere(2))
    assert two.inner.volume() <= frame + PI[1] * r * r
    assert two.outer.volume() >= frame + PI[0] * r * r
    assert Ball(r).reach(event, everywhere(2)).volume() == frame + 4 * r * r


@pytest.mark.parametrize("ord", [1, 2])
def test_the_gap_between_inner_and_outer_goes_to_zero(ord):
    event = Boxes([[(0, 1), (0, 1)]])
    widths = []
    for steps in (8, 16, 32, 64):
        reach = Ball("1/2", ord, steps=steps).reach(event, everywhere(2))
        widths.append(reach.outer.volume() - reach.inner.volume())
    assert all(b < a * Fraction(11, 20) for a, b in itertools.pairwise(widths))  # halves, near enough
    assert widths[-1] < Fraction(1, 16)


@pytest.mark.parametrize("ord", [1, 2])
@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_inner_staircases_lie_in_the_unit_ball_and_outer_ones_cover_it(dim, ord, steps):
    inner, outer = unit_staircases(dim, ord, steps)
    assert all(sum(side**ord for side in sides) <= 1 for sides in inner)
    n = 9
    for corner in [
        point
        for point in itertools.product([Fraction(k, n) for k in range(n + 1)], repeat=dim)
        if sum(x**ord for x in point) <= 1
    ]:
        assert any(all(x <= side for x, side in zip(corner, sides, strict=True)) for sides in outer)


@settings(max_examples=40)
@given(box_lists(dim=1), radii(), st.sampled_from([1, 2, math.inf]))
def test_on_the_line_all_norms_are_one(listed, r, ord):
    event = Boxes(listed, 1)
    assert Ball(r, ord).reach(event, everywhere(1)) == event.dilate(r)


@settings(max_examples=40)
@given(box_lists(unbounded=True), radii())
def test_the_adversary_stays_in_the_domain_unless_it_may_leave(listed, r):
    event, cube = Boxes(listed, 2), Boxes([[(0, 1), (0, 1)]])
    assert Ball(r).reach(event, cube) == (event & cube).dilate(r)
    assert Ball(r, leave_domain=True).reach(event, cube) == event.dilate(r)
    assert Ball(r).reach(event, everywhere(2)) == event.dilate(r)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: Ball("-1/10"), ValueError, "eps -1/10 is negative; a radius is at least 0"),
        (lambda: Ball(-1), ValueError, "eps -1 is negative"),
        (lambda: Ball("one"), ValueError, "eps 'one' is not a number"),
        (lambda: Ball(float("nan")), ValueError, "eps nan is not a finite number"),
        (lambda: Ball(float("inf")), ValueError, "eps inf is not a finite number"),
        (lambda: Ball(0.1), TypeError, r"eps 0\.1 is a float"),
        (lambda: Ball(None), TypeError, "eps None is not a number"),
        (lambda: Ball("1/10", 3), ValueError, "norm 3 is not supported; allowed are 1, 2 and inf"),
        (lambda: Ball("1/10", float("nan")), ValueError, "norm nan is not supported"),
        (lambda: Ball("1/10", 2, steps=0), ValueError, "steps 0 is not positive"),
    ],
)
def test_what_is_no_ball_is_refused_in_one_sentence(build, error, message):
    with pytest.raises(error, match=message):
        build()


def test_a_float_radius_is_its_dyadic_value_on_demand():
    assert Ball(0.1, exact_float=True).radius == Fraction(0.1) != Fraction(1, 10)
    assert Ball("0.1") == Ball(Fraction(1, 10))

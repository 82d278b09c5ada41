"""Piecewise polynomials against the functions they are: values, limits, jumps, algebra, envelopes with any crossing."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from theory.piecewise import PiecewisePoly, maximum, minimum
from theory.polynomial import Poly, Root, real_roots
from theory.strategies import rationals

X = Poly(0, 1)
some = settings(max_examples=30)
points = rationals(lo=0, hi=2, denominators=(1, 2, 3, 4, 5, 7))


def polys():
    return st.lists(rationals(lo=-2, hi=2, denominators=(1, 2)), max_size=3).map(lambda c: Poly(*c))


@st.composite
def curves(draw):
    """On [0, 2], with breakpoints, pieces and values drawn from short lists so that many continue each other."""
    inner = draw(st.lists(rationals(lo=0, hi=2, denominators=(1, 2, 3), exclude_lo=True, exclude_hi=True), max_size=3))
    breakpoints = (Fraction(0), *sorted(set(inner)), Fraction(2))
    few = draw(st.lists(polys(), min_size=1, max_size=2))
    pieces = tuple(draw(st.sampled_from(few)) for _ in breakpoints[1:])
    values = tuple(draw(st.sampled_from([*few, Poly(1)])) for _ in breakpoints)
    return PiecewisePoly(breakpoints, pieces, values), (breakpoints, pieces, values)


def slow(description, x):
    breakpoints, pieces, values = description
    for at, value in zip(breakpoints, values, strict=True):
        if at == x:
            return value(x)
    return next(p(x) for (lo, hi), p in zip(pairwise(breakpoints), pieces, strict=True) if lo < x < hi)


@some
@given(curves(), points)
def test_a_curve_takes_the_values_it_was_made_of(drawn, x):
    curve, description = drawn
    assert curve(x) == curve.at(x) == slow(description, x)
    assert all(curve(at) == slow(description, at) for at in description[0])


@some
@given(curves())
def test_limits_are_those_of_the_pieces_on_either_side(drawn):
    curve, (breakpoints, pieces, _) = drawn
    for k, at in enumerate(breakpoints):
        if k:
            assert curve.left(at) == pieces[k - 1](at)
        if k < len(pieces):
            assert curve.right(at) == pieces[k](at)
    middle = (breakpoints[0] + breakpoints[1]) / 2
    assert curve.left(middle) == curve.right(middle) == curve(middle)


@some
@given(curves())
def test_a_breakpoint_stays_exactly_where_the_function_is_not_one_polynomial(drawn):
    curve, _ = drawn
    jumps = {jump.at for jump in curve.jumps()}
    for k, at in enumerate(curve.breakpoints):
        sides = [curve.polys[j](at) for j in (k - 1, k) if 0 <= j < len(curve.polys)] + [curve(at)]
        assert (at in jumps) == (len(set(sides)) > 1)
        if 0 < k < len(curve.polys):
            assert at in jumps or curve.polys[k - 1] != curve.polys[k]


@some
@given(curves(), points)
def test_equal_functions_are_equal_curves(drawn, extra):
    curve, (breakpoints, pieces, values) = drawn
    if extra not in breakpoints:
        k = sum(at < extra for at in breakpoints)
        split = PiecewisePoly(
            (*breakpoints[:k], extra, *breakpoints[k:]),
            (*pieces[:k], *pieces[k - 1 :]),
            (*values[:k], pieces[k - 1], *values[k:]),
        )
        assert split == curve
        assert hash(split) == hash(curve)
        raised = PiecewisePoly(split.breakpoints, split.polys, (*split.values[:-1], split.values[-1] + 1))
        assert raised != curve


@some
@given(curves(), curves(), points)
def test_the_algebra_is_that_of_the_values(a, b, x):
    f, g = a[0], b[0]
    for at in {x, *f.breakpoints, *g.breakpoints}:
        assert (f + g)(at) == f(at) + g(at)
        assert (f - g)(at) == f(at) - g(at)
        assert (f * g)(at) == f(at) * g(at)
        assert (1 - f)(at) == 1 - f(at)
        assert ("1/2" + f)(at) == f(at) + Fraction(1, 2)
        assert (-f)(at) == -f(at)
    assert f - f == PiecewisePoly.constant(0, 0, 2)


@settings(max_examples=50)
@given(curves(), curves(), st.lists(points, min_size=3, max_size=3))
@example((PiecewisePoly.polynomial(X * X, 0, 2), None), (PiecewisePoly.polynomial(2 - X, 0, 2), None), [])
@example((PiecewisePoly.polynomial(X * X, 0, 2), None), (PiecewisePoly.constant(2, 0, 2), None), [])
def test_an_envelope_is_the_pointwise_extremum_on_both_sides_of_every_crossing(a, b, samples):
    f, g = a[0], b[0]
    upper, lower = maximum(f, g), minimum(f, g)
    near = []
    for at in upper.breakpoints:
        narrow = (at.refine(Fraction(1, 10**6)).lo, at.refine(Fraction(1, 10**6)).hi) if isinstance(at, Root) else (at,)
        near += narrow
    for x in {*samples, *near, *f.breakpoints, *g.breakpoints}:
        assert upper(x) == max(f(x), g(x))
        assert lower(x) == min(f(x), g(x))
    assert upper + lower == f + g
    assert maximum(g, f) == upper
    assert hash(maximum(g, f)) == hash(upper)
    assert minimum(g, f) == lower == -maximum(-f, -g)


def test_an_irrational_crossing_is_a_root_and_can_be_compared_and_crossed_again():
    square, line = PiecewisePoly.polynomial(X * X, 0, 2), PiecewisePoly.polynomial(Poly(1, 1), 0, 2)
    upper = maximum(square, line)  # they cross at the golden ratio
    golden = upper.breakpoints[1]
    assert upper.polys == (Poly(1, 1), X * X)
    assert isinstance(golden, Root)
    assert float(golden) == pytest.approx((1 + 5**0.5) / 2, rel=1e-15)
    assert upper.jumps() == ()
    shifted = maximum(square + 1, line + 1)
    assert (upper + 1).breakpoints == shifted.breakpoints
    assert upper + 1 == shifted
    both = upper + shifted * 2  # two curves with one irrational breakpoint, written twice
    assert both.breakpoints == upper.breakpoints
    assert both("1") == 2 + 6


def test_a_step_and_its_value_are_kept_apart():
    step = PiecewisePoly((Fraction(0), Fraction(1), Fraction(2)), (Poly(1), Poly(3)), (Poly(1), Poly(2), Poly(3)))
    assert (step.left(1), step(1), step.right(1)) == (1, 2, 3)
    (jump,) = step.jumps()
    assert (jump.at, jump.left, jump.value, jump.right) == (1, 1, 2, 3)
    assert str(step) == "(0, 1): 1\n(1, 2): 3\nat 1: 2"
    assert maximum(step, 2) == PiecewisePoly(
        (Fraction(0), Fraction(1), Fraction(2)), (Poly(2), Poly(3)), (Poly(2), Poly(2), Poly(3))
    )


@some
@given(curves())
def test_supremum_and_infimum_bound_every_value_and_are_met(drawn):
    curve, (breakpoints, pieces, _) = drawn
    top, bottom = curve.sup(), curve.inf()
    grid = [Fraction(k, 40) for k in range(81)]
    limits = [p(at) for k, p in enumerate(pieces) for at in breakpoints[k : k + 2]]
    seen = [curve(x) for x in grid] + limits
    assert all(bottom.lo <= v <= top.hi for v in seen)
    curved = [(p, *ends) for p, ends in zip(pieces, pairwise(breakpoints), strict=True) if p.degree > 1]
    turning = [p(x) for p, lo, hi in curved for x in real_roots(p.derivative(), lo, hi)]
    attained = limits + [curve(at) for at in breakpoints] + turning
    assert top.fraction in attained
    assert bottom.fraction in attained


def test_the_supremum_at_an_irrational_point_is_enclosed():
    cubic = PiecewisePoly.polynomial(X - X * X * X * Fraction(1, 2), 0, 2)  # largest at sqrt(2/3)
    top = cubic.sup()
    exact = (2 / 3) ** 0.5 * 2 / 3
    assert not top.is_exact
    assert top.hi - top.lo < Fraction(1, 10**20)
    assert float(top.lo) == pytest.approx(exact, rel=1e-14)
    assert top.lo**2 < Fraction(8, 27) < top.hi**2  # (2/3)^3


def test_an_end_left_out_has_a_limit_but_no_value():
    open_start = PiecewisePoly((Fraction(0), Fraction(1)), (Poly(5),), (None, Poly(5)))
    assert open_start.right(0) == 5
    for curve in (open_start, open_start + 1, maximum(open_start, 1), open_start * open_start):
        with pytest.raises(ValueError, match="eps 0 is a point where this curve is not defined"):
            curve(0)
    assert open_start != PiecewisePoly.constant(5, 0, 1)


def test_questions_outside_the_range_are_refused():
    curve = PiecewisePoly.polynomial(X, "1/4", "1/2")
    for x in ("0", "1", "-1/3"):
        with pytest.raises(ValueError, match=r"is outside this curve's range \[1/4, 1/2\]"):
            curve(x)
    with pytest.raises(ValueError, match="no limit from the left"):
        curve.left("1/4")
    with pytest.raises(ValueError, match="no limit from the right"):
        curve.right("1/2")
    with pytest.raises(TypeError, match="is a float"):
        curve(0.3)
    with pytest.raises(ValueError, match="without a common range"):
        curve + PiecewisePoly.constant(0, 1, 2)
    with pytest.raises(ValueError, match="2 pieces need 3 breakpoints"):
        PiecewisePoly((Fraction(0), Fraction(1)), (X, X), (X, X))

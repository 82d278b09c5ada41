"""Poly as a ring, and real roots against sympy, sign changes and floats."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from theory.polynomial import Poly, Root, gcd, real_roots
from theory.strategies import rationals

X = Poly(0, 1)
some = settings(max_examples=25)
LO, HI = Fraction(-4), Fraction(4)


def polys(max_degree=3):
    return st.lists(rationals(lo=-3, hi=3, denominators=(1, 2, 3)), max_size=max_degree + 1).map(lambda c: Poly(*c))


def products():
    """Products of factors with known and unknown, simple and multiple, rational and irrational roots."""
    factor = st.one_of(
        rationals(lo=-4, hi=4, denominators=(1, 2, 3)).map(lambda r: X - r),
        st.tuples(rationals(lo=-1, hi=1), rationals(lo=-3, hi=9)).map(lambda bc: X * X - bc[0] * X - bc[1]),
        st.tuples(polys(2), st.integers(1, 3)).map(lambda pair: X * X * X * pair[1] + pair[0]),
    )
    return st.lists(factor, min_size=1, max_size=4).map(product)


def product(factors):
    p = Poly(1)
    for factor in factors:
        p = p * factor
    return p


def sympy_roots(p, lo, hi):
    """The distinct real roots in (lo, hi), isolated by sympy and known to sixty digits."""
    import sympy

    x = sympy.symbols("x")
    poly = sympy.Poly([sympy.Rational(c.numerator, c.denominator) for c in reversed(p.coeffs)], x)
    roots = dict.fromkeys(poly.real_roots()) if poly.degree() > 0 else {}
    low, high = (sympy.Rational(end.numerator, end.denominator) for end in (lo, hi))
    return [root for root in roots if low < root < high]


def close(ours, theirs, digits=50):
    import sympy

    value = sympy.N(theirs, digits + 10)
    if isinstance(ours, Root):
        narrow = ours.refine(Fraction(1, 10**digits))
        lo, hi = (sympy.Rational(end.numerator, end.denominator) for end in (narrow.lo, narrow.hi))
        return bool(lo <= value <= hi)
    return theirs == sympy.Rational(ours.numerator, ours.denominator)


@some
@given(polys(), polys(), polys(), rationals(lo=-2, hi=2))
def test_arithmetic_is_that_of_the_values(p, q, r, x):
    assert (p + q)(x) == p(x) + q(x)
    assert (p - q)(x) == p(x) - q(x)
    assert (p * q)(x) == p(x) * q(x)
    assert (2 - p)(x) == 2 - p(x)
    assert p * (q + r) == p * q + p * r
    assert p - p == Poly()
    assert (p * q).degree == (p.degree + q.degree if p.coeffs and q.coeffs else -1)


@some
@given(polys(), rationals(lo=-2, hi=2), rationals(lo=-2, hi=2))
def test_a_shift_moves_the_argument(p, a, x):
    assert p.shift(a)(x) == p(x + a)
    assert p.shift(a).shift(-a) == p


@some
@given(polys(), polys(), rationals(lo=-2, hi=2))
def test_the_derivative_obeys_the_product_rule(p, q, x):
    assert (p * q).derivative() == p.derivative() * q + p * q.derivative()
    assert Poly(1, 2, 3).derivative() == Poly(2, 6)


@some
@given(polys(2), polys(2), polys(2))
def test_the_greatest_common_divisor_holds_every_common_factor(p, q, common):
    divisor = gcd(p * common, q * common)
    if not divisor.coeffs:
        assert p * common == q * common == Poly()
        return
    assert divisor.coeffs[-1] == 1
    assert divisor.degree >= common.degree
    assert gcd(divisor, p * common) == divisor == gcd(divisor, q * common)


@some
@given(polys())
def test_the_printed_form_is_the_polynomial(p):
    written = p.format("x").replace("^", "**")
    assert written == "0" or "+ -" not in written
    exact = re.sub(r"(\d+)/(\d+)|(?<![\d*])(\d+)(?![\d/])", lambda m: f"Fraction('{m[0]}')", written)
    for x in (Fraction(0), Fraction(2, 3), Fraction(-5)):
        assert eval(exact, {"Fraction": Fraction, "x": x}) == p(x)


@settings(max_examples=25)
@given(products())
@example(Poly(-2, 0, 1) * Poly(-2, 0, 1) * Poly(-3, 0, 1))
@example((X - 4) * (X + 4) * X)
def test_the_roots_are_those_that_sympy_isolates(p):
    ours, theirs = real_roots(p, LO, HI), sympy_roots(p, LO, HI)
    assert len(ours) == len(theirs)
    assert all(close(a, b) for a, b in zip(ours, theirs, strict=True))


@given(st.lists(rationals(lo=-4, hi=4, denominators=(1, 2, 3, 4)), min_size=1, max_size=4))
def test_rational_roots_are_found_exactly_and_once(roots):
    p = product([X - r for r in roots])
    found = real_roots(p, LO, HI)
    assert found == sorted({r for r in roots if LO < r < HI})
    assert all(isinstance(root, Fraction) for root in found)


@some
@given(products(), rationals(lo=-4, hi=3), rationals(lo=-3, hi=4))
def test_the_roots_lie_in_order_inside_the_open_interval(p, lo, hi):
    roots = real_roots(p, lo, hi) if lo < hi else []
    assert all(lo < x < hi for x in roots)
    assert all(a < b for a, b in pairwise(roots))
    assert [x for x in real_roots(p, LO, HI) if lo < x < hi] == roots


@settings(max_examples=15)
@given(products(), products(), rationals(lo=-4, hi=4))
def test_roots_are_ordered_like_their_decimals(p, q, x):
    for a in [*real_roots(p, LO, HI), x]:
        for b in real_roots(q, LO, HI):
            gap = float(a) - float(b)
            if abs(gap) > 1e-9:
                assert (a < b) == (gap < 0)
                assert a != b
            assert (a < b) + (a == b) + (b < a) == 1
            assert (a <= b) == (not b < a) == (b >= a)


def test_one_number_written_by_two_polynomials_is_one_number():
    (a,) = real_roots(Poly(-2, 0, 1), Fraction(0), Fraction(2))
    b = real_roots(Poly(-2, 0, 1) * Poly(-3, 0, 1), Fraction(-1), Fraction(4))[0]
    (c,) = real_roots(Poly(-2, 0, 0, 0, 2) + Poly(-6), Fraction(0), Fraction(7, 5) + 1)
    assert a == b == c
    assert len({a, b, c}) == 1
    assert a != real_roots(Poly(-2, 0, 1), Fraction(-2), Fraction(0))[0]
    assert a != Fraction(14142135623730951, 10**16)


def test_a_common_factor_does_not_make_two_numbers_one():
    """sqrt 2 and sqrt 3 as roots of polynomials that share the factor x^2 - 5, both known to lie in (0, 2)."""
    (a,), (b,) = (
        real_roots(Poly(-square, 0, 1) * Poly(-5, 0, 1), Fraction(0), Fraction(2))
        for square in (Fraction(2), Fraction(3))
    )
    assert (a.lo, a.hi) == (b.lo, b.hi)
    assert a != b
    assert a < b


def test_numbers_that_agree_to_forty_digits_are_told_apart():
    tiny = Fraction(1, 10**40)
    (a,), (b,) = (real_roots(Poly(-2 - shift, 0, 1), Fraction(1), Fraction(2)) for shift in (Fraction(0), tiny))
    assert a < b
    assert float(a) == float(b)


@pytest.mark.parametrize("power", [0, 9, 30, 100])
def test_the_float_of_a_root_has_all_its_digits_near_zero_too(power):
    square = Fraction(2, 10 ** (2 * power))
    (root,) = real_roots(Poly(-square, 0, 1), Fraction(0), Fraction(2))
    assert float(root) == pytest.approx(2**0.5 / 10**power, rel=1e-15)
    assert str(root).startswith("1.41421356237")


@some
@given(products())
def test_refining_a_root_keeps_the_number(p):
    for root in real_roots(p, LO, HI):
        if isinstance(root, Root):
            narrow = root.refine(Fraction(1, 1000))
            assert narrow.hi - narrow.lo <= Fraction(1, 1000)
            assert root.lo <= narrow.lo < narrow.hi <= root.hi
            assert narrow == root
            assert narrow.lo < root < narrow.hi


def test_the_zero_polynomial_has_no_list_of_roots():
    with pytest.raises(ValueError, match="zero polynomial has every number as a root"):
        real_roots(Poly(), LO, HI)
    assert real_roots(Poly(3), LO, HI) == []

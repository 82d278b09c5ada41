"""Germs against polynomials evaluated just right of the base, and the intervals that comparisons log."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from theory.germ import Germ, Log, as_number
from theory.polynomial import Poly, Root
from theory.strategies import rationals

START, STOP = Fraction(-2), Fraction(3)
SAMPLES = [START + (STOP - START) * Fraction(k, 240) for k in range(1, 240)]


def polys():
    return st.lists(rationals(lo=-3, hi=3, denominators=(1, 2, 3)), max_size=3).map(lambda c: Poly(*c))


some = settings(max_examples=50)
bases = rationals(lo=-1, hi=2, denominators=(1, 2, 3))


def germ(p, log):
    """p(eps) by Horner's rule on the germ of eps; a germ also where p is constant."""
    return p(log.germ()) + Germ((), log)


def just_right(p, at):
    """The sign of p just right of ``at``: that of its first derivative that does not vanish there."""
    while p.coeffs:
        if value := p(at):
            return 1 if value > 0 else -1
        p = p.derivative()
    return 0


def inside(log):
    return [x for x in SAMPLES if log.prev < x < log.next]


ORDERS = {
    "<": (lambda a, b: a < b, lambda sign: sign < 0),
    "<=": (lambda a, b: a <= b, lambda sign: sign <= 0),
    ">": (lambda a, b: a > b, lambda sign: sign > 0),
    ">=": (lambda a, b: a >= b, lambda sign: sign >= 0),
    "==": (lambda a, b: a == b, lambda sign: sign == 0),
    "!=": (lambda a, b: a != b, lambda sign: sign != 0),
}


@some
@given(polys(), polys(), rationals(lo=1, hi=3), bases)
def test_germ_arithmetic_is_polynomial_arithmetic(p, q, c, at):
    log = Log(at, STOP)
    a, b = germ(p, log), germ(q, log)
    for result, expected in [
        (a + b, p + q),
        (a - b, p - q),
        (a * b, p * q),
        (-a, -p),
        (a + c, p + c),
        (c - a, c - p),
        (c * a, p * c),
        (a / c, p * (1 / c)),
        (a * 0, Poly()),
        (c + Germ((), log), Poly(c)),
    ]:
        assert result.poly == expected
    assert (c / germ(Poly(2), log)).poly == Poly(c / 2)
    assert log.next == STOP  # arithmetic asks nothing


@some
@given(polys(), polys(), bases, st.sampled_from(list(ORDERS)))
@example(Poly(0, 0, 1), Poly(2), Fraction(0), "<")  # flips at an irrational point
@example(Poly(0, 0, 1), Poly(0, 2, 0), Fraction(0), "<=")  # equal at the base itself
@example(Poly(1, -2, 1), Poly(), Fraction(0), ">")  # touches at 1 without changing sides
def test_a_comparison_is_decided_just_right_of_the_base(p, q, at, name):
    compare, expected = ORDERS[name]
    log = Log(at, STOP)
    assert compare(germ(p, log), germ(q, log)) == expected(just_right(p - q, at))


@some
@given(polys(), polys(), bases, st.sampled_from(list(ORDERS)))
@example(Poly(0, 0, 1), Poly(2), Fraction(0), "<")
@example(Poly(0, 0, 1), Poly(0, 2, 0), Fraction(0), "<=")
@example(Poly(1, -2, 1), Poly(), Fraction(0), ">")
@example(Poly(0, 0, 1), Poly(1), Fraction(0), ">")  # flips on both sides of the base
def test_the_answer_holds_on_the_logged_interval_and_the_curves_meet_at_its_ends(p, q, at, name):
    compare, expected = ORDERS[name]
    log = Log(at, STOP, start=START)
    answer = compare(germ(p, log), germ(q, log))
    assert START <= log.prev <= at < log.next <= STOP
    for x in inside(log):
        if x != at:
            sign = (p - q)(x)
            assert answer == expected(sign), f"at {x} the answer is another"
    for end, outermost in ((log.prev, START), (log.next, STOP)):
        if end != outermost:
            difference = p - q
            if isinstance(end, Root):
                narrow = end.refine(Fraction(1, 2**40))
                assert difference(narrow.lo) * difference(narrow.hi) < 0
            else:
                assert difference(end) == 0


@some
@given(polys(), polys(), polys(), bases)
def test_a_log_keeps_the_shortest_interval_of_all_comparisons(p, q, r, at):
    ends = []
    for pair in ((p, q), (q, r), (p, r)):
        log = Log(at, STOP, start=START)
        _ = germ(pair[0], log) < germ(pair[1], log)
        ends.append((log.prev, log.next))
    log = Log(at, STOP, start=START)
    sorted([germ(p, log), germ(q, log), germ(r, log)])
    _ = germ(p, log) < germ(r, log), germ(p, log) < germ(q, log), germ(q, log) < germ(r, log)
    assert log.prev == max(prev for prev, _ in ends)
    assert log.next == min(stop for _, stop in ends)


@some
@given(st.lists(polys(), min_size=1, max_size=4), bases)
def test_the_least_of_several_germs_is_the_least_polynomial_on_the_whole_interval(candidates, at):
    log = Log(at, STOP)
    least = min(germ(p, log) for p in candidates).poly
    for x in inside(log):
        assert least(x) == min(p(x) for p in candidates)


@some
@given(polys(), bases)
def test_the_absolute_value_is_right_on_the_whole_interval(p, at):
    log = Log(at, STOP)
    size = abs(germ(p, log)).poly
    assert all(size(x) == abs(p(x)) for x in inside(log))


@some
@given(polys(), polys(), bases)
def test_germs_that_are_equal_hash_alike_and_constants_like_their_number(p, q, at):
    log = Log(at, STOP)
    a, b = germ(p, log), germ(q, log)
    assert (hash(a) == hash(b)) or a != b
    if p.degree < 1:
        assert hash(a) == hash(p(Fraction(0)))
        assert a == p(Fraction(0))


def test_what_is_not_exact_is_refused():
    eps = Log(Fraction(0), STOP).germ()
    with pytest.raises(TypeError, match="germ has no value"):
        float(eps)
    with pytest.raises(TypeError):
        int(eps)
    for wrong in (0.5, "1/2", None):
        with pytest.raises(TypeError):
            eps + wrong
        with pytest.raises(TypeError):
            _ = eps < wrong
        assert eps != wrong
    with pytest.raises(ValueError, match="varies with eps"):
        1 / eps
    with pytest.raises(ZeroDivisionError):
        eps / (eps - eps)


def test_the_door_lets_germs_through_and_reads_the_rest():
    eps = Log(Fraction(0), STOP).germ()
    assert as_number(eps) is eps
    assert as_number("1/10") == Fraction(1, 10)
    with pytest.raises(TypeError, match=r"eps 0\.1 is a float"):
        as_number(0.1, "eps")

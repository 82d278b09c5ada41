"""Enclosure: containment, tightness, refusal to guess, outward printing."""

from __future__ import annotations

import copy
import json
import math
import operator
import pickle
import subprocess
import sys
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from theory.enclosure import (
    Contradiction,
    Enclosure,
    Undecided,
    as_enclosure,
    hull,
    maximum,
    minimum,
)
from theory.numbers import exact_number
from theory.rounding import decimal_down, decimal_up, float_down, float_up

INF = math.inf
ONES = st.sampled_from([Fraction(0), Fraction(1), Fraction(-1), Fraction(1, 2)])
RATIONALS = ONES | st.fractions(-20, 20, max_denominator=60)
FINITE_STEPS = st.just(Fraction(0)) | st.fractions(0, 20, max_denominator=60)
STEPS = FINITE_STEPS | st.none()
SHARES = st.fractions(0, 1, max_denominator=8)
ALPHAS = st.fractions(0, 1, max_denominator=20)


@st.composite
def enclosed(draw: st.DrawFn, *, bounded: bool = False) -> tuple[Enclosure, Fraction]:
    """An enclosure and a number in it; an end is infinite now and then."""
    x = draw(RATIONALS)
    steps = FINITE_STEPS if bounded else STEPS
    down, up = draw(steps), draw(steps)
    return Enclosure(-INF if down is None else x - down, INF if up is None else x + up, "drawn"), x


@st.composite
def nested(draw: st.DrawFn) -> tuple[Enclosure, Enclosure]:
    """A bounded enclosure and one inside it."""
    outer, _ = draw(enclosed(bounded=True))
    a, b = sorted((draw(SHARES), draw(SHARES)))
    return outer, Enclosure(outer.lo + a * outer.width, outer.lo + b * outer.width)


ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv]
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
names = operator.attrgetter("__name__")


def apply(operation, x, y):
    """The result, or the exception type when the operation declines."""
    try:
        return operation(x, y)
    except (ZeroDivisionError, Undecided) as refusal:
        return type(refusal)


def same_interval(x, y):
    return (x.lo, x.hi, x.alpha) == (y.lo, y.hi, y.alpha)


# ---- arithmetic ----


@pytest.mark.parametrize("operation", ARITHMETIC, ids=names)
@given(a=enclosed(), b=enclosed())
def test_results_contain_the_result_of_every_pair_of_points(operation, a, b):
    (x, p), (y, q) = a, b
    result = apply(operation, x, y)
    if operation is operator.truediv and y.contains(0):
        zero = y.lo == y.hi
        assert result is (ZeroDivisionError if zero else Undecided)
    else:
        assert result.contains(operation(p, q))


@pytest.mark.parametrize("operation", ARITHMETIC, ids=names)
@given(a=enclosed(), q=RATIONALS)
def test_plain_numbers_mix_in_on_either_side(operation, a, q):
    x, p = a
    right, left = apply(operation, x, q), apply(operation, q, x)
    if not (operation is operator.truediv and q == 0):
        assert right.contains(operation(p, q))
        assert same_interval(right, operation(x, Enclosure.exact(q)))
    if not (operation is operator.truediv and x.contains(0)):
        assert left.contains(operation(q, p))
        assert same_interval(left, operation(Enclosure.exact(q), x))


@pytest.mark.parametrize("operation", ARITHMETIC, ids=names)
@settings(max_examples=50)
@given(a=enclosed(bounded=True), b=enclosed(bounded=True))
def test_ends_of_results_are_attained(operation, a, b):
    x, y = a[0], b[0]
    result = apply(operation, x, y)
    if isinstance(result, Enclosure):
        values = {operation(s, t) for s in (x.lo, x.hi) for t in (y.lo, y.hi)}
        assert result.lo in values
        assert result.hi in values


@pytest.mark.parametrize("operation", ARITHMETIC, ids=names)
@settings(max_examples=50)
@given(a=nested(), b=nested())
def test_narrower_operands_give_narrower_results(operation, a, b):
    wide = apply(operation, a[0], b[0])
    if isinstance(wide, Enclosure):
        assert wide.contains(operation(a[1], b[1]))


@given(enclosed(), st.integers(-4, 5))
def test_powers_contain_every_power_and_are_tight(a, n):
    x, p = a
    result = apply(operator.pow, x, n)
    if n < 0 and x.contains(0):
        assert result is (ZeroDivisionError if x.lo == x.hi else Undecided)
        return
    assert result.contains(p**n)
    if math.isfinite(x.width):
        values = {x.lo**n, x.hi**n} | ({Fraction(0)} if n > 0 and x.contains(0) else set())
        assert {result.lo, result.hi} <= values
    assert x**0 == 1


@given(enclosed())
def test_signs(a):
    x, p = a
    assert (-x).contains(-p)
    assert (-x).width == x.width
    assert (+x) is x
    assert abs(x).contains(abs(p))
    assert abs(x).lo == (0 if x.contains(0) else min(abs(x.lo), abs(x.hi)))
    assert abs(x).hi == max(abs(x.lo), abs(x.hi))


def test_zero_times_anything_is_zero_and_certain():
    x = Enclosure(-INF, INF, "nothing known", alpha="1/2")
    assert (0 * x).fraction == 0 == (x * Enclosure.exact(0)).fraction
    assert (0 / Enclosure(1, INF, alpha="1/2")).fraction == 0


def test_infinite_ends_follow_the_limits():
    assert (Enclosure(0, INF) * Enclosure(0, 5)).same_as(Enclosure(0, INF))
    assert (1 / Enclosure(2, INF)).same_as(Enclosure(0, Fraction(1, 2)))
    assert (Enclosure(-INF, 3) - Enclosure(1, INF)).same_as(Enclosure(-INF, 2))
    assert (Enclosure(-INF, -2) ** 3).same_as(Enclosure(-INF, -8))
    assert (Enclosure(-INF, 1) ** 2).same_as(Enclosure(0, INF))


@pytest.mark.parametrize("operation", [*ARITHMETIC, *COMPARISONS], ids=names)
def test_floats_and_truth_values_do_not_mix(operation):
    x = Enclosure(1, 2)
    for args in ((x, 0.5), (0.5, x), (x, math.nan)):
        with pytest.raises(TypeError, match=r"is a float.*write Fraction\("):
            operation(*args)
    if operation in (operator.eq, operator.ne):
        assert operation(x, True) is (operation is operator.ne)
    else:
        with pytest.raises(TypeError):
            operation(x, True)


def test_python_sum_max_and_sorted_work():
    xs = [Enclosure(3, 4), Enclosure(1, 2), Enclosure.exact(7)]
    assert sum(xs).same_as(Enclosure(11, 13))
    assert max(xs) is xs[2]
    assert sorted(xs) == [xs[1], xs[0], xs[2]]
    with pytest.raises(Undecided):
        max(Enclosure(0, 2), Enclosure(1, 3))


# ---- comparisons ----


def some_pair(operation, x, y, answer):
    """Whether a pair of points of bounded enclosures gets that answer."""
    pairs = [(s, t) for s in (x.lo, x.hi) for t in (y.lo, y.hi)]
    common = max(x.lo, y.lo)
    if common <= min(x.hi, y.hi):
        pairs.append((common, common))
    return any(operation(s, t) is answer for s, t in pairs)


@pytest.mark.parametrize("operation", COMPARISONS, ids=names)
@given(a=enclosed(bounded=True), b=enclosed(bounded=True))
@example(a=(Enclosure(0, 1), 0), b=(Enclosure(1, 2), 1))
@example(a=(Enclosure(1, 2), 1), b=(Enclosure(0, 1), 0))
def test_comparisons_answer_exactly_when_all_points_agree(operation, a, b):
    x, y = a[0], b[0]
    possible = {answer for answer in (True, False) if some_pair(operation, x, y, answer)}
    result = apply(operation, x, y)
    assert result is (Undecided if len(possible) == 2 else possible.pop())


@pytest.mark.parametrize("operation", COMPARISONS, ids=names)
@given(a=enclosed(), q=RATIONALS)
def test_comparisons_with_numbers_are_right_for_every_point(operation, a, q):
    x, p = a
    for result, truth in ((apply(operation, x, q), operation(p, q)), (apply(operation, q, x), operation(q, p))):
        assert result in (truth, Undecided)


def test_every_number_lies_between_the_infinities():
    x = Enclosure(-INF, INF)
    assert -INF < x < INF
    assert -INF <= x <= INF
    assert x != INF
    assert x != -INF
    assert not x == INF  # noqa: SIM201 - == itself is meant
    assert not x > INF
    assert not x >= INF
    assert not x < -INF
    assert not x <= -INF


def test_an_object_equals_itself_but_not_its_twin():
    x, twin = Enclosure(0, 1), Enclosure(0, 1)
    assert x == x  # noqa: PLR0124 - the point of the test
    assert x <= x  # noqa: PLR0124
    assert not x < x  # noqa: PLR0124
    assert not x != x  # noqa: PLR0124, SIM202 - != itself is meant
    assert x.same_as(twin)
    with pytest.raises(Undecided, match=r"cannot decide \[0, 1\] == \[0, 1\]: the intervals overlap"):
        assert x == twin


def test_other_types_are_simply_different():
    assert Enclosure.exact(1) != "1"
    assert not Enclosure(0, 1) == None  # noqa: E711, SIM201
    with pytest.raises(TypeError, match="not supported between"):
        assert Enclosure(0, 1) < "1"


@given(RATIONALS, ALPHAS)
def test_single_points_hash_and_compare_as_their_fraction(q, alpha):
    x = Enclosure(q, q, "a finding", alpha)
    assert x == q
    assert q == x
    assert hash(x) == hash(q)
    assert {q: "found"}[x] == "found"
    assert {x: "found"}[q] == "found"


@pytest.mark.parametrize("x", [Enclosure.exact(0), Enclosure.exact(1), Enclosure(1, 2)], ids=str)
def test_truth_value_raises(x):
    with pytest.raises(TypeError, match="no truth value"):
        bool(x)


# ---- exactness ----


def test_exact_means_one_point_and_certain():
    assert Enclosure.exact("9/40").fraction == Fraction(9, 40)
    assert float(Enclosure.exact("9/40")) == 0.225
    for x in (Enclosure(0, 1), Enclosure(1, 1, "sampled", alpha="1/20"), Enclosure(0, INF)):
        assert not x.is_exact
        with pytest.raises(Undecided, match="not an exact number"):
            _ = x.fraction
        with pytest.raises(Undecided):
            float(x)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((1, 0), ValueError, "lo 1 is above hi 0"),
        ((math.nan, 1), ValueError, "lo is NaN"),
        ((0, math.nan), ValueError, "hi is NaN"),
        ((INF, INF), ValueError, "holds no real number"),
        ((-INF, -INF), ValueError, "holds no real number"),
        ((0, 0.5), TypeError, r"hi 0\.5 is a float.*write Fraction\(0\.5\) .* or the string '0\.5'"),
        ((0, "x"), ValueError, "hi 'x' is not a number"),
        ((0, None), TypeError, "hi None is not a number"),
        ((True, 2), TypeError, "lo True is not a number"),
        ((0, 1, "h", -1), ValueError, "alpha -1 is no probability"),
        ((0, 1, "h", 2), ValueError, "alpha 2 is no probability"),
        ((0, 1, "h", 0.05), TypeError, r"alpha 0\.05 is a float"),
        ((0, 1, (3,)), TypeError, "how 3 is no word"),
    ],
)
def test_bad_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        Enclosure(*arguments)


def test_exact_number_refuses_the_infinite():
    assert exact_number("0.1") == Fraction(1, 10)
    with pytest.raises(ValueError, match="radius inf is infinite"):
        exact_number(INF, "radius")
    with pytest.raises(ValueError, match="infinite"):
        Enclosure.exact(-INF)


def test_values_are_frozen_and_copy():
    x = Enclosure("0.1", INF, ("a", "b"), "1/20")
    with pytest.raises(AttributeError):
        x.lo = Fraction(0)  # type: ignore[misc]
    for twin in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert twin.same_as(x)


# ---- provenance and alpha ----


def test_how_merges_in_order_without_repetition():
    a, b = Enclosure(0, 1, ("attack", "certificate")), Enclosure(2, 3, ("certificate", "sampling"))
    assert (a + b).how == ("attack", "certificate", "sampling")
    assert (b / 7 - a).how == ("certificate", "sampling", "attack")
    assert Enclosure(0, 1, ["x", "x"]).how == ("x",)
    assert Enclosure(0, 1, "one word").how == ("one word",)


@given(ALPHAS, ALPHAS)
def test_alphas_add_up_to_one_and_an_object_counts_once(alpha, beta):
    x, y = Enclosure(1, 2, "x", alpha), Enclosure(3, 4, "y", beta)
    both = min(alpha + beta, Fraction(1))
    for z in (x + y, x - y, x * y, x / y, minimum(x, y), maximum(x, y), hull(x, y), hull(x, y, x)):
        assert z.alpha == both
    for z in (x + x, x - x, x * x, x / x, -x, abs(x), x**3, x + 1, 2 - x, 3 * x, 1 / x, minimum(x, x), x**-2):
        assert z.alpha == alpha


def test_intersection_keeps_a_certain_statement_that_needs_no_help():
    certain, wide = Enclosure("0.2", "0.3", "certificate"), Enclosure(0, 1, "sampling", "1/20")
    assert certain.intersect(wide) is certain
    assert wide.intersect(certain) is certain
    sharp = Enclosure("0.25", "0.26", "sampling", "1/20")
    assert certain.intersect(sharp).same_as(Enclosure("0.25", "0.26", ("certificate", "sampling"), "1/20"))


# ---- several at once ----


@given(enclosed(), STEPS, STEPS)
def test_intersection_keeps_the_common_number(a, down, up):
    x, p = a
    y = Enclosure(-INF if down is None else p - down, INF if up is None else p + up)
    both = x.intersect(y)
    assert both.contains(p)
    assert x.contains(both)
    assert y.contains(both)
    assert (both.lo, both.hi) == (max(x.lo, y.lo), min(x.hi, y.hi))


def test_disjoint_enclosures_of_one_number_contradict_each_other():
    with pytest.raises(Contradiction, match="do not meet"):
        Enclosure(0, 1, "attack").intersect(Enclosure(2, 3, "certificate"))
    assert Enclosure(0, 1).intersect(1).fraction == 1


@given(st.lists(enclosed(), min_size=1, max_size=4))
def test_minimum_maximum_and_hull_contain_their_points(items):
    xs, points = [x for x, _ in items], [p for _, p in items]
    assert minimum(*xs).contains(min(points))
    assert maximum(*xs).contains(max(points))
    assert all(hull(*xs).contains(p) for p in points)
    assert hull(*xs).lo == min(x.lo for x in xs)
    assert hull(*xs).hi == max(x.hi for x in xs)
    assert maximum(*xs).same_as(-minimum(*(-x for x in xs)))


def test_minimum_is_tighter_than_the_hull():
    assert minimum(Enclosure(0, 3), Enclosure(1, 2)).same_as(Enclosure(0, 2))
    assert maximum(Enclosure(0, 3), "5/2").same_as(Enclosure("5/2", 3))
    with pytest.raises(ValueError, match="nothing to enclose"):
        minimum()


@given(enclosed(), enclosed())
def test_overlap_is_symmetric_and_means_a_common_point(a, b):
    x, y = a[0], b[0]
    assert x.overlaps(y) == y.overlaps(x)
    assert x.overlaps(a[1])
    if x.overlaps(y):
        assert x.intersect(y).contains(max(x.lo, y.lo)) or max(x.lo, y.lo) == -INF


def test_containment_at_the_ends():
    x = Enclosure(0, 1)
    assert all(x.contains(q) for q in (0, "0.5", 1, Enclosure(0, 1)))
    assert not any(x.contains(q) for q in ("-0.1", Fraction(11, 10), INF, -INF, Enclosure(0, 2)))
    with pytest.raises(TypeError, match="is a float"):
        x.contains(0.5)


def test_as_enclosure_passes_enclosures_through():
    x = Enclosure(0, 1)
    assert as_enclosure(x) is x
    assert as_enclosure("1/3").fraction == Fraction(1, 3)


# ---- printing ----


@given(enclosed(), st.integers(0, 8), st.sampled_from("f%e"))
def test_decimals_round_outwards_by_less_than_a_unit(a, digits, kind):
    x, _ = a
    text = f"{x:.{digits}{kind}}"
    if x.is_exact:
        return
    ends = text.strip("[]").split(", ")
    for end, shown, sign in ((x.lo, ends[0], 1), (x.hi, ends[1], -1)):
        if math.isinf(end):
            assert float(shown) == end
            continue
        value = Fraction(shown.rstrip("%")) / (100 if kind == "%" else 1)
        power = Fraction(10) ** int(shown.partition("e")[2] or 0) / (100 if kind == "%" else 1)
        assert 0 <= sign * (end - value) < power / 10**digits
        assert len(shown.rstrip("%").partition("e")[0].partition(".")[2]) == digits


@given(RATIONALS, st.integers(0, 8), st.sampled_from("f%e"))
def test_exact_numbers_print_their_digits_and_show_what_is_cut(q, digits, kind):
    text = f"{Enclosure.exact(q):.{digits}{kind}}"
    value = Fraction(text.replace("...", "").rstrip("%")) / (100 if kind == "%" else 1)
    power = Fraction(10) ** int(text.partition("e")[2] or 0) / (100 if kind == "%" else 1)
    if "..." in text:
        assert 0 < abs(q) - abs(value) < power / 10**digits
        assert value * q >= 0
    else:
        assert value == q
    assert "[" not in text


@pytest.mark.parametrize(
    ("x", "spec", "text"),
    [
        (Enclosure.exact("9/40"), ".3f", "0.225"),
        (Enclosure.exact("9/40"), ".6f", "0.225000"),
        (Enclosure.exact("9/40"), "f", "0.225000"),
        (Enclosure.exact("9/40"), ".2f", "0.22..."),
        (Enclosure.exact("-2/3"), ".2f", "-0.66..."),
        (Enclosure.exact("-1/300"), ".2f", "0.00..."),
        (Enclosure.exact("2/3"), ".1%", "66.6...%"),
        (Enclosure.exact("2/3"), ".0f", "0..."),
        (Enclosure.exact("2/30000"), ".2e", "6.66...e-05"),
        (Enclosure.exact(0), ".2e", "0.00e+00"),
        (Enclosure.exact("9/40"), ">8.3f", "   0.225"),
        (Enclosure.exact("9/40"), "*<8.3f", "0.225***"),
        (Enclosure.exact("9/40"), "", "9/40"),
        (Enclosure(0, 1), "", "[0, 1]"),
        (Enclosure(0, 1, "s", "1/20"), "", "[0, 1] (alpha 1/20)"),
        (Enclosure(3, 3, "s", "1/20"), ".1f", "[3.0, 3.0]"),
        (Enclosure("-1/3", "1/3"), ".3f", "[-0.334, 0.334]"),
        (Enclosure("1/3", INF), ".3f", "[0.333, inf]"),
        (Enclosure("-1/3", "-1/3000"), ".2f", "[-0.34, 0.00]"),
        (Enclosure("0.9996", "0.9996", "s", "1/2"), ".2e", "[9.99e-01, 1.00e+00]"),
    ],
)
def test_formats(x, spec, text):
    assert format(x, spec) == text


def test_unknown_formats_are_named():
    with pytest.raises(ValueError, match=r"format '\.3g' is unknown; allowed are \.6f"):
        format(Enclosure(0, 1), ".3g")


@given(RATIONALS, st.integers(0, 6))
def test_decimal_down_and_up_are_neighbours(q, digits):
    down, up = Fraction(decimal_down(q, digits)), Fraction(decimal_up(q, digits))
    assert down <= q <= up
    assert up - down == (0 if q * 10**digits == int(q * 10**digits) else Fraction(1, 10**digits))


def test_decimals_of_infinities_and_bad_digits():
    assert (decimal_down(-INF, 2), decimal_up(INF, 2)) == ("-inf", "inf")
    with pytest.raises(ValueError, match="digits -1 is negative"):
        decimal_up(1, -1)


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (Enclosure.exact("9/40"), "Enclosure[9/40]"),
        (Enclosure("0.1", "0.2", ("attack", "certificate"), "1/20"),
         "Enclosure[1/10, 1/5; attack; certificate; alpha 1/20]"),
        (Enclosure.exact(Fraction(2**50, 3**30)), "Enclosure[5.468423508036...]"),
        (Enclosure(Fraction(2**41, 3), Fraction(2**41 + 1, 3)),
         "Enclosure[733007751850.666666666666, 733007751851.000000000000]"),
        (Enclosure(Fraction(2, 3**40), Fraction(3, 3**40)), "Enclosure[1.645052667993e-19, 2.467579001991e-19]"),
        (Enclosure(Fraction(10**20, 3), Fraction(10**20 + 1, 3)),
         "Enclosure[3.3333333333333333333333e+19, 3.3333333333333333333667e+19]"),
    ],
)  # fmt: skip
def test_repr_is_readable_and_outward(x, text):
    assert repr(x) == text


# ---- JSON ----


@given(enclosed(), ALPHAS, st.lists(st.sampled_from("abc"), max_size=3))
def test_json_round_trip_encloses_and_is_stable(a, alpha, how):
    x = Enclosure(a[0].lo, a[0].hi, how, alpha)
    text = json.dumps(x.to_json(), allow_nan=False)
    back = Enclosure.from_json(json.loads(text))
    if x.is_exact:
        assert back.fraction == x.fraction
        return
    assert back.contains(x)
    assert back.alpha >= x.alpha
    assert float(back.alpha) == float(x.alpha) or back.alpha > x.alpha
    assert back.how == x.how
    assert Enclosure.from_json(back.to_json()).same_as(back)


def test_json_shape():
    assert Enclosure.exact("9/40", "flow").to_json() == "9/40"
    assert Enclosure(3, 3, "s", "1/4").to_json() == {"lo": 3.0, "hi": 3.0, "how": ["s"], "alpha": 0.25}
    assert Enclosure(-INF, "1/3").to_json() == {"lo": None, "hi": 0.33333333333333337, "how": [], "alpha": None}
    assert Enclosure(10**400, 10**401).to_json()["lo"] == sys.float_info.max
    assert Enclosure(10**400, 10**401).to_json()["hi"] is None
    assert Enclosure(0, Fraction(1, 10**400)).to_json()["hi"] == 5e-324
    for bad in ("x", 0.5, {"lo": 1.0}, None):
        with pytest.raises(ValueError, match="is n"):
            Enclosure.from_json(bad)


@given(RATIONALS | st.fractions())
def test_float_down_and_up_are_the_nearest_on_their_side(q):
    down, up = float_down(q), float_up(q)
    assert Fraction(down) <= q <= Fraction(up)
    assert Fraction(math.nextafter(down, INF)) > q
    assert Fraction(math.nextafter(up, -INF)) < q


# ---- arb ----


def test_from_arb_takes_the_whole_ball_at_its_own_precision():
    from flint import arb, ctx

    before = ctx.prec
    with ctx.workprec(400):
        third = arb(1) / 3
    x = Enclosure.from_arb(third, "division")
    assert ctx.prec == before
    assert x.contains("1/3")
    assert 0 < x.width < Fraction(1, 2**390)
    assert x.how == ("division",)
    assert Enclosure.from_arb(arb(0.5), alpha="1/20").same_as(Enclosure("0.5", "0.5", "ball arithmetic", "1/20"))
    ball = Enclosure.from_arb(arb(0.5, 0.25))
    assert ball.contains("0.25")
    assert ball.contains("0.75")
    assert ball.width < Fraction(501, 1000)


def test_from_arb_of_the_infinite_and_the_extreme():
    from flint import arb

    assert Enclosure.from_arb(arb(0, "inf")).same_as(Enclosure(-INF, INF, "ball arithmetic"))
    with pytest.raises(ValueError, match="gave NaN"):
        Enclosure.from_arb(arb("nan"))
    tiny, huge = arb(-(10**9)).exp(), arb(10**9).exp()
    edge = Fraction(1, 2**20_000)
    assert (Enclosure.from_arb(tiny).lo, Enclosure.from_arb(tiny).hi) == (0, edge)
    assert (Enclosure.from_arb(-tiny).lo, Enclosure.from_arb(-tiny).hi) == (-edge, 0)
    assert (Enclosure.from_arb(huge).lo, Enclosure.from_arb(huge).hi) == (1 / edge, INF)
    assert (Enclosure.from_arb(-huge).lo, Enclosure.from_arb(-huge).hi) == (-INF, -1 / edge)


def test_import_is_light():
    heavy = "{'flint', 'scipy', 'sympy', 'mpmath'}"
    command = f"import sys, theory.enclosure; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

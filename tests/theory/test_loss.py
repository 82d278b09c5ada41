"""theory.loss: the three faces of each formula against each other, and every trait of every built-in loss."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.elementary import on
from theory.enclosure import Enclosure
from theory.loss import LOSSES, Loss, as_loss, piecewise_linear
from theory.polyline import PiecewiseLinear, lower_hull

# The formulas as printed (TRADES, Table 2) or as defined elsewhere, for one real number; nothing from theory.
PRINTED = {
    "hinge": lambda u: max(1 - u, 0),
    "sigmoid": lambda u: 1 - mpmath.tanh(u),
    "exponential": lambda u: mpmath.exp(-u),
    "logistic": lambda u: mpmath.log(1 + mpmath.exp(-u)) / mpmath.log(2),
    "squared_hinge": lambda u: max(1 - u, 0) ** 2,
    "truncated_quadratic": lambda u: max(1 - u, 0) ** 2,
    "modified_huber": lambda u: 0 if u >= 1 else -4 * u if u < -1 else (1 - u) ** 2,
    "savage": lambda u: 1 / (1 + mpmath.exp(u)) ** 2,
    "rescaled_savage": lambda u: 4 / (1 + mpmath.exp(u)) ** 2,
    "ramp": lambda u: min(1, max(0, 1 - u)),
    "asymmetric_hinge": lambda u: max(0, 1 - 2 * u) if u >= 0 else 1 - u / 2,
    "capped_hinge": lambda u: max(0, (3 - 3 * u) / 2) if u >= 0 else min(2, (3 - u) / 2),
    "dipping_hinge": lambda u: max(0, 1 - u) if u >= 0 else max(mpmath.mpf("0.5"), 1 + u),
    "step": lambda u: 2 if u < 0 else 1 if u == 0 else 0,
    "kinked_hinge": lambda u: max(0, 1 - u, 1 - 3 * u),
}
GRID = [Fraction(k, 8) for k in range(-64, 65)]
SMOOTH = ("sigmoid", "exponential", "logistic", "savage", "rescaled_savage")
TRAITS = ("non_negative", "non_increasing", "convex", "at_least_one_left", "calibrated")


def test_every_built_in_loss_is_printed_here():
    assert set(PRINTED) == set(LOSSES)


@pytest.mark.parametrize("name", LOSSES)
@settings(max_examples=25, deadline=None)
@given(u=st.fractions(-30, 30, max_denominator=64))
def test_the_faces_are_the_printed_formula(name, u):
    loss = LOSSES[name]
    with mpmath.workdps(60):
        printed = mpmath.mpf(PRINTED[name](mpmath.mpf(u.numerator) / u.denominator))
        exact = Fraction(int(mpmath.floor(printed * 2**160)), 2**160)  # within 2^-160
        enclosed = loss.enclose(u)
        assert enclosed.lo - Fraction(1, 2**150) <= exact <= enclosed.hi + Fraction(1, 2**150)
        assert enclosed.width <= Fraction(1, 10**28) * max(1, enclosed.hi)
        assert loss.phi(float(u)) == pytest.approx(float(printed), rel=1e-13, abs=1e-15)
        symbol = sympy.Symbol("u", real=True)
        symbolic = sympy.N(loss.symbolic.subs(symbol, sympy.Rational(u.numerator, u.denominator)), 40)
        assert abs(mpmath.mpf(str(symbolic)) - printed) <= mpmath.mpf(10) ** -35 * max(1, printed)


@pytest.mark.parametrize("name", LOSSES)
def test_arrays_of_any_shape_and_infinite_margins(name):
    loss = LOSSES[name]
    u = np.linspace(-3, 3, 12).reshape(3, 4)
    assert loss.phi(u).shape == (3, 4)
    assert loss.phi(u).ravel().tolist() == [loss.phi(float(v)) for v in u.ravel()]
    assert loss.phi(math.inf) == loss.limit
    assert math.isnan(loss.phi(math.nan))
    far = loss.phi(-1e300)
    assert loss.phi(-math.inf) == (math.inf if far > 1e9 else far)
    assert loss.phi(np.empty((0, 2))).shape == (0, 2)


def test_small_values_keep_their_digits():
    for name, u in itertools.product(("sigmoid", "logistic", "savage", "exponential"), (40.0, 200.0)):
        with mpmath.workdps(400):
            assert LOSSES[name].phi(u) == pytest.approx(float(PRINTED[name](mpmath.mpf(u))), rel=1e-12, abs=0)
    assert LOSSES["hinge"].phi(1 - 2.0**-50) == 2.0**-50
    assert LOSSES["logistic"].enclose(Fraction(-5000)).width < 1  # e^5000 is not formed
    assert LOSSES["logistic"].enclose(Fraction(-50_000)).hi < 72_135


# ---- the questionnaire: each answer is derived again from the values or from the symbols ----


def enclosures(loss):
    return [loss.enclose(u) for u in GRID]


def chord_excess(ys):
    """For consecutive points of an even grid, an enclosure of chord minus value."""
    return [(a + c) / 2 - b for a, b, c in zip(ys, ys[1:], ys[2:], strict=False)]


@pytest.mark.parametrize("name", LOSSES)
def test_traits_that_hold_hold_on_a_grid_and_traits_denied_have_a_witness_there(name):
    loss, tiny = LOSSES[name], Fraction(1, 10**20)
    ys = enclosures(loss)
    left = [y for u, y in zip(GRID, ys, strict=True) if u <= 0]
    held = {
        "non_negative": all(y.lo >= 0 for y in ys),
        "non_increasing": all(y.lo >= z.hi - tiny for y, z in itertools.pairwise(ys)),
        "convex": all(excess.hi >= 0 for excess in chord_excess(ys)),
        "at_least_one_left": all(y.lo >= 1 for y in left),
    }
    denied = {
        "non_negative": any(y.hi < 0 for y in ys),
        "non_increasing": any(y.hi < z.lo for y, z in itertools.pairwise(ys)),
        "convex": any(excess.hi < 0 for excess in chord_excess(ys)),
        "at_least_one_left": any(y.hi < 1 for y in left),
    }
    for trait, holds in held.items():
        assert holds if getattr(loss, trait) else denied[trait], trait
    assert loss.phi(Fraction(0)) == loss.at_zero
    assert loss.contradiction(GRID) is None


@pytest.mark.parametrize("name", LOSSES)
def test_value_at_zero_and_limit_by_sympy(name):
    loss, u = LOSSES[name], sympy.Symbol("u", real=True)
    assert sympy.simplify(loss.symbolic.subs(u, 0)) == sympy.Rational(str(loss.at_zero))
    if name in SMOOTH:
        assert sympy.limit(loss.symbolic, u, sympy.oo) == loss.limit
    else:  # attained: constant from 1 on
        assert sympy.simplify(loss.symbolic.subs(u, 1 + sympy.Symbol("v", positive=True))) == loss.limit


def in_balls(expression, symbol):
    functions = {"exp": lambda x: arb(x).exp(), "log": lambda x: arb(x).log()}
    return sympy.lambdify(symbol, expression, modules=[functions, "math"])


@pytest.mark.parametrize("name", SMOOTH)
def test_monotonicity_and_convexity_by_interval_arithmetic_on_the_derivatives(name):
    u = sympy.Symbol("u", real=True)
    first, second = (in_balls(sympy.factor(LOSSES[name].symbolic.diff(u, k)), u) for k in (1, 2))
    cells = [arb(k / 8 + 1 / 16, 1 / 16) for k in range(-160, 160)]  # [-20, 20]
    assert all(first(cell) < 0 for cell in cells)
    if LOSSES[name].convex:
        assert all(second(cell) > 0 for cell in cells)
    else:
        assert any(second(cell) < 0 for cell in cells)


def test_sigmoid_is_one_minus_tanh_for_all_u():
    u = sympy.Symbol("u", real=True)
    assert sympy.simplify((1 - sympy.tanh(u)).rewrite(sympy.exp) - LOSSES["sigmoid"].symbolic) == 0


def test_which_quadratics_are_one_function():
    assert LOSSES["truncated_quadratic"] is LOSSES["squared_hinge"]
    differ = [u for u in GRID if LOSSES["modified_huber"].phi(u) != LOSSES["squared_hinge"].phi(u)]
    assert differ == [u for u in GRID if u < -1]


def test_every_trait_is_answered():
    for loss in LOSSES.values():
        assert all(isinstance(getattr(loss, trait), bool) for trait in TRAITS)
        assert isinstance(loss.at_zero, Fraction)
        assert loss.limit == 0
    assert {name for name in LOSSES if not LOSSES[name].calibrated} == {"kinked_hinge"}
    assert {name for name in LOSSES if not LOSSES[name].at_least_one_left} == {"savage", "dipping_hinge"}


# ---- piecewise linear functions ----

coordinates = st.fractions(-4, 4, max_denominator=6)


@st.composite
def knot_lists(draw):
    xs = draw(st.lists(coordinates, min_size=1, max_size=5, unique=True))
    return [(x, *draw(st.tuples(coordinates, coordinates, coordinates))) for x in xs]


def value_by_definition(knots, left_slope, right_slope, x):
    knots = sorted(knots)
    for u, _, value, _ in knots:
        if u == x:
            return value
    before = [k for k in knots if k[0] < x]
    after = [k for k in knots if k[0] > x]
    if not before:
        return after[0][1] + left_slope * (x - after[0][0])
    if not after:
        return before[-1][3] + right_slope * (x - before[-1][0])
    weight = (x - before[-1][0]) / (after[0][0] - before[-1][0])
    return (1 - weight) * before[-1][3] + weight * after[0][1]


@settings(max_examples=25, deadline=None)
@given(knot_lists(), coordinates, coordinates, st.fractions(-6, 6, max_denominator=12))
def test_piecewise_linear_values(knots, left_slope, right_slope, x):
    f = PiecewiseLinear(knots, left_slope, right_slope)
    expected = value_by_definition(knots, left_slope, right_slope, x)
    assert f(x) == expected
    if Fraction(float(x)) == x:
        assert f(float(x)) == pytest.approx(float(expected), abs=1e-13)
        assert f(np.array([float(x)] * 2)) == pytest.approx([float(expected)] * 2, abs=1e-13)
    symbol = sympy.Symbol("u", real=True)
    assert f(symbol).subs(symbol, sympy.Rational(str(x))) == sympy.Rational(str(expected))


@settings(max_examples=25, deadline=None)
@given(knot_lists(), coordinates, coordinates)
def test_piecewise_linear_functions_are_equal_exactly_when_their_values_are(knots, left_slope, right_slope):
    f = PiecewiseLinear(knots, left_slope, right_slope)
    idle = [(x, f(x)) for x in (Fraction(-9, 2), Fraction(37, 11)) if all(x != k[0] for k in knots)]
    assert PiecewiseLinear([*knots, *idle], left_slope, right_slope) == f
    bumped = [(x, *(y + 1 for y in ys)) if i == 0 else (x, *ys) for i, (x, *ys) in enumerate(knots)]
    assert PiecewiseLinear(bumped, left_slope, right_slope) != f


@settings(max_examples=25, deadline=None)
@given(knot_lists(), coordinates, coordinates, coordinates, coordinates)
def test_range_of_an_interval_is_met_and_not_exceeded(knots, left_slope, right_slope, a, b):
    f, (a, b) = PiecewiseLinear(knots, left_slope, right_slope), sorted((a, b))
    reach = f.range(Enclosure(a, b))
    places = {a, b} | {a + (b - a) * Fraction(k, 8) for k in range(9)} | {k[0] for k in knots if a <= k[0] <= b}
    limits = {y for k in f.knots if a <= k.x <= b for y in k[1:]}
    seen = {f(x) for x in places} | limits
    assert (reach.lo, reach.hi) == (min(seen), max(seen))


def test_range_of_an_unbounded_interval():
    f = PiecewiseLinear([(0, 1), (1, 0)], left_slope=-2)
    assert (f.range(Enclosure(-math.inf, 0)).lo, f.range(Enclosure(-math.inf, 0)).hi) == (1, math.inf)
    assert (f.range(Enclosure(Fraction(1, 2), math.inf)).lo, f.range(Enclosure(2, math.inf)).hi) == (0, 0)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=7))
def test_lower_hull_is_the_least_convex_combination(points):
    hull = lower_hull(points)
    for x, _ in points:
        pairs = [(p, q) for p in points for q in points if p[0] <= x <= q[0]]
        least = min(
            min(p[1], q[1]) if p[0] == q[0] else p[1] + (q[1] - p[1]) * (x - p[0]) / (q[0] - p[0]) for p, q in pairs
        )
        assert hull(x) == least


@settings(max_examples=25, deadline=None)
@given(knot_lists(), st.fractions(-3, 0, max_denominator=4), st.fractions(0, 3, max_denominator=4))
def test_traits_of_piecewise_linear_losses_agree_with_their_values(knots, left_slope, right_slope):
    loss = piecewise_linear("random", knots, left_slope, right_slope)
    xs = sorted({k[0] for k in knots} | {Fraction(0), Fraction(-9), Fraction(9)})
    fine = {x + d for x in xs for d in (-Fraction(1, 10**6), Fraction(0), Fraction(1, 10**6))}
    ys = [loss.phi(x) for x in sorted(fine)]
    slack = Fraction(1, 10**4)  # the points beside a knot are not its limits
    assert loss.at_zero == loss.phi(0)
    if loss.non_negative:
        assert min(ys) >= 0
    else:
        assert min(ys) < slack
    if loss.non_increasing:
        assert ys == sorted(ys, reverse=True)
    elif right_slope == 0:
        assert any(a < b + slack for a, b in itertools.pairwise(ys))
    assert (loss.limit is None) == (right_slope > 0)
    chords = [abs(loss.phi(b) - loss.phi(a)) / (b - a) for a, b in itertools.pairwise(sorted(fine))]
    assert loss.lipschitz == max(chords) if loss.lipschitz is not None else max(chords) > 10**4
    assert loss.contradiction(fine) is None


def test_piecewise_linear_traits_by_hand():
    loss = piecewise_linear("half", [(0, 1), (2, 0)], left_slope=-1)
    assert (loss.convex, loss.lipschitz, loss.at_least_one_left, loss.non_negative) == (True, 1, True, True)
    assert not piecewise_linear("low", [(0, 1), (1, -1)]).non_negative
    assert not piecewise_linear("falls", [(0, 1)], right_slope=-1).non_negative
    assert not piecewise_linear("late", [(0, 2, "1/2", 0)]).at_least_one_left
    assert piecewise_linear("late", [(0, 2, "1/2", 0)]).lipschitz is None
    assert not piecewise_linear("jump", [(0, 2, 1, 0)]).convex


# ---- losses of the user ----


def test_a_formula_for_single_numbers_serves_arrays():
    loss = Loss("mine", lambda u: max(0.0, 1 - u) if u > -1 else 2.0)
    assert loss.phi(np.array([[-3.0, 0.5], [1.0, 4.0]])).tolist() == [[2.0, 0.5], [0.0, 0.0]]
    assert Loss("constant", lambda u: 1.0).phi([0.0, 3.0]).tolist() == [1.0, 1.0]


def test_floats_are_trusted_to_the_declared_rounding_only():
    sharp, loose = (Loss("e", lambda u: math.exp(-u), rounding=r) for r in (Fraction(1, 2**50), Fraction(1, 100)))
    true = LOSSES["exponential"].enclose(Fraction(1, 3))
    for loss in (sharp, loose):
        assert loss.enclose(Fraction(1, 3)).contains(true)
        assert loss.enclose(Fraction(1, 3)).how == ("phi in floats, rounding error allowed",)
    assert loose.enclose(1).width > Fraction(7, 1000) > sharp.enclose(1).width
    assert Loss("np", lambda u: np.exp(-u)).enclose(1).contains(Fraction(math.exp(-1)))
    assert Loss("exact", lambda u: max(1 - u, 0) ** 3).enclose(Fraction(1, 2)).fraction == Fraction(1, 8)


def test_consequences_of_declared_traits_are_filled_in_and_nothing_else():
    loss = Loss("mine", lambda u: 2 - u if u < 2 else u - u, non_increasing=True, limit=0)
    assert (loss.at_zero, loss.non_negative, loss.at_least_one_left) == (2, True, True)
    bare = Loss("bare", lambda u: 1 - u)
    assert (bare.at_zero, bare.non_negative, bare.at_least_one_left, bare.convex, bare.calibrated) == (1, *[None] * 4)
    assert Loss("low", lambda u: 1 / (2 + 2 * abs(u)), non_increasing=True).at_least_one_left is False


BUMP = lambda u: 1 / (1 + u * u)  # noqa: E731


@pytest.mark.parametrize(
    ("loss", "sentence"),
    [
        (Loss("b", lambda u: u, non_negative=True), "declared non-negative, but phi(-2) = -2"),
        (Loss("b", BUMP, non_increasing=True), "declared non-increasing, but phi(-2) = 1/5 lies below phi(-1) = 1/2"),
        (Loss("b", BUMP, convex=True), "declared convex, but phi(0) = 1 lies above its chord from -1 to 1"),
        (Loss("b", BUMP, at_zero=2), "declared 2 at 0, but phi(0) = 1"),
        (Loss("b", BUMP, at_least_one_left=True), "declared at least 1 on u <= 0, but phi(-2) = 1/5"),
        (
            Loss("b", lambda u: -u, non_increasing=True, limit=-1),
            "non-increasing to -1, but phi(2) = -2",
        ),
        (Loss("b", lambda u: 3 * abs(u), lipschitz=2), "Lipschitz with 2, but phi(-2) = 6 and phi(-1) = 3"),
    ],
)
def test_a_false_trait_is_found_and_named(loss, sentence):
    assert sentence in loss.contradiction([-2, -1, 0, 1, 2])


def test_phi_over_an_enclosed_margin():
    u = Enclosure(Fraction(-1), Fraction(1, 2), "score", Fraction(1, 20))
    for name in LOSSES:
        reach = LOSSES[name].enclose(u)
        seen = [LOSSES[name].enclose(Fraction(k, 16)) for k in range(-16, 9)]
        assert reach.lo <= min(y.lo for y in seen)
        assert max(y.hi for y in seen) <= reach.hi <= max(y.hi for y in seen) + Fraction(1, 10**20)
        assert (reach.alpha, reach.how[0]) == (Fraction(1, 20), "score")
    assert LOSSES["exponential"].enclose(Enclosure(0, math.inf)).lo == 0
    assert LOSSES["exponential"].enclose(Enclosure(-math.inf, 0)).hi == math.inf
    assert LOSSES["hinge"].enclose(Enclosure.exact("1/3")).fraction == Fraction(2, 3)


def test_the_symbolic_face_needs_a_formula_that_takes_symbols():
    assert str(Loss("mine", lambda u: on(u).exp(-2 * u)).symbolic) == "exp(-2*u)"
    with pytest.raises(TypeError, match="loss 'e' has no symbolic face"):
        _ = Loss("e", lambda u: math.exp(-u)).symbolic
    with pytest.raises(TypeError, match="no symbolic face"):
        _ = Loss("branch", lambda u: 1 - u if u < 1 else 0).symbolic


def test_bad_losses_are_refused_in_one_sentence():
    with pytest.raises(ValueError, match=r"^loss 'expnential' is unknown \(nearest: 'exponential'\); .* are .*, step"):
        as_loss("expnential")
    with pytest.raises(ValueError, match=r"^loss 'qqq' is unknown; the losses are asymmetric_hinge, "):
        as_loss("qqq")
    with pytest.raises(TypeError, match=r"^loss 3 is no loss; give a theory.loss.Loss or one of"):
        as_loss(3)
    with pytest.raises(ValueError, match=r"radius -1 of loss 'x' leaves no scores"):
        Loss("x", lambda u: u, radius=-1)
    with pytest.raises(TypeError, match=r"limit of loss 'x' 0.5 is a float"):
        Loss("x", lambda u: u, limit=0.5)
    with pytest.raises(OverflowError, match="loss 'x' is inf at u = 0; phi must be finite"):
        Loss("x", lambda u: math.inf)
    with pytest.raises(ValueError, match="two knots at 0"):
        piecewise_linear("x", [(0, 1), (0, 2)])
    with pytest.raises(ValueError, match="at least one knot"):
        piecewise_linear("x", [])
    with pytest.raises(ValueError, match="unreadable; write"):
        piecewise_linear("x", [(0, 1, 2)])
    with pytest.raises(TypeError, match="does not support item assignment"):
        LOSSES["mine"] = LOSSES["hinge"]

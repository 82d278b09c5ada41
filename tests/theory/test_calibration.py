"""theory.calibration: closed forms against 60 digits and against minimisation from phi alone, exact transforms against
enumeration, enclosures against exact values, and what the papers say of psi."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from theory.calibration import H, H_minus, conditional_risk, figure, is_calibrated, psi, psi_inverse, psi_tilde
from theory.closed_forms import CLOSED_FORMS, closed_form
from theory.enclosure import Enclosure, Undecided, as_enclosure
from theory.envelope import transform
from theory.loss import LOSSES, Loss, piecewise_linear
from theory.polyline import PiecewiseLinear

quick = settings(max_examples=25, deadline=None)
unit = st.fractions(0, 1, max_denominator=50)
SMOOTH = tuple(CLOSED_FORMS)
EXACT = tuple(name for name in LOSSES if isinstance(LOSSES[name].formula, PiecewiseLinear))
HALF = Fraction(1, 2)


def lo(x):
    return as_enclosure(x).lo


def hi(x):
    return as_enclosure(x).hi


# ---- closed forms against 60 digits ----


def printed_psi(name, t):
    """psi as printed (TRADES, Table 2) or worked out by hand, in mpmath."""
    if name == "sigmoid":
        return t
    if name == "exponential":
        return 1 - mpmath.sqrt(1 - t * t)
    if name == "logistic":
        return sum((1 + s * t) * mpmath.log(1 + s * t, 2) if s * t > -1 else 0 for s in (-1, 1)) / 2
    return t * t / 4 if name == "savage" else t * t


def printed_risk(name, eta):
    """H in mpmath."""
    if name == "sigmoid":
        return 2 * min(eta, 1 - eta)
    if name == "exponential":
        return 2 * mpmath.sqrt(eta * (1 - eta))
    if name == "logistic":
        return -sum(p * mpmath.log(p, 2) if p else 0 for p in (eta, 1 - eta))
    return eta * (1 - eta) if name == "savage" else 4 * eta * (1 - eta)


def printed_inverse(name, u):
    """psi^-1 in mpmath, by bisection with all the digits asked for."""
    low, high = mpmath.mpf(0), mpmath.mpf(1)
    while high - low > mpmath.mpf(10) ** (-mpmath.mp.dps + 10):
        middle = (low + high) / 2
        low, high = (middle, high) if printed_psi(name, middle) <= u else (low, middle)
    return low


ENDS = (0.0, 1e-150, 1e-15, 1e-8, 1e-5, 0.01, 0.3, 0.4999999, 0.5, 0.5000001, 0.75, 0.99, 1 - 1e-8, 1 - 1e-15, 1.0)


@pytest.mark.parametrize("name", SMOOTH)
def test_closed_forms_are_accurate_to_relative_1e_12_near_both_ends(name):
    with mpmath.workdps(400):
        for x in ENDS:
            assert psi(name, x) == pytest.approx(float(printed_psi(name, mpmath.mpf(x))), rel=1e-12, abs=0)
            assert H(name, x) == pytest.approx(float(printed_risk(name, mpmath.mpf(x))), rel=1e-12, abs=0)
            assert psi_tilde(name, x) == psi(name, x)
            assert H_minus(name, x) == float(LOSSES[name].at_zero)
    top = float(LOSSES[name].at_zero)
    with mpmath.workdps(60):
        for x in ENDS[2:]:
            assert psi_inverse(name, x * top) == pytest.approx(
                float(printed_inverse(name, mpmath.mpf(x * top))), rel=1e-12, abs=0
            )
    assert psi_inverse(name, 0.0) == 0


@pytest.mark.parametrize("name", SMOOTH)
@quick
@given(x=st.floats(0, 1))
def test_closed_forms_are_accurate_everywhere(name, x):
    with mpmath.workdps(700):
        tiny = 1e-300  # below it a square leaves the floats
        assert psi(name, x) == pytest.approx(float(printed_psi(name, mpmath.mpf(x))), rel=1e-12, abs=tiny)
        assert H(name, x) == pytest.approx(float(printed_risk(name, mpmath.mpf(x))), rel=1e-12, abs=tiny)
        if x > tiny:
            u = x * float(LOSSES[name].at_zero)
            below, above = (mpmath.mpf(psi_inverse(name, u)) * (1 + s * mpmath.mpf(10) ** -12) for s in (-1, 1))
            assert printed_psi(name, below) < u
            assert above >= 1 or u < printed_psi(name, above)


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("x", [Fraction(1, 10**40), Fraction(1, 10**15), Fraction(1, 3), Fraction(2, 3)])
def test_exact_arguments_give_exact_or_thirty_digits_also_of_the_distance_to_one(name, x):
    top = LOSSES[name].at_zero
    with mpmath.workdps(200):
        for t in (x, 1 - x):
            exact = mpmath.mpf(t.numerator) / t.denominator
            scale = mpmath.mpf(top.numerator) / top.denominator
            for got, digits, end in (
                (psi(name, t), printed_psi(name, exact), top),
                (psi_inverse(name, t * top), printed_inverse(name, exact * scale), 1),
                (H(name, t / 2), printed_risk(name, exact / 2), 2),
            ):
                true = Fraction(int(mpmath.floor(digits * 2**620)), 2**620)
                assert lo(got) - Fraction(1, 2**600) <= true <= hi(got) + Fraction(1, 2**600)
                assert hi(got) - lo(got) <= Fraction(1, 10**25) * min(true, end - true)


def test_rational_values_are_fractions():
    assert psi("exponential", Fraction(3, 5)) == Fraction(1, 5)
    assert psi_inverse("exponential", Fraction(1, 5)) == Fraction(3, 5)
    assert H("exponential", Fraction(9, 10)) == Fraction(3, 5)
    assert psi("savage", Fraction(1, 3)) == Fraction(1, 36)
    assert psi("logistic", 1) == 1
    assert psi_inverse("logistic", 1) == 1
    assert psi("logistic", 0) == 0
    assert psi_inverse("logistic", 0) == 0
    assert H("logistic", Fraction(1, 2)) == 1
    assert H("logistic", 0) == 0
    for name in SMOOTH:
        assert all(isinstance(verb(name, 1), Fraction) for verb in (psi, psi_tilde, psi_inverse, H, H_minus))
        assert isinstance(psi(name, 1.0), float)


# ---- every loss against minimisation from phi alone ----

SCORES = np.concatenate([np.linspace(0, 4, 40_001), np.geomspace(4, 40, 2_000), [1e-9]])


@pytest.mark.parametrize("name", LOSSES)
def test_all_transforms_agree_with_minimisation_over_scores(name):
    """C on a grid of scores, its infima, their difference, and the hull by Qhull; nothing but phi is used."""
    loss, theta = LOSSES[name], np.linspace(0, 1, 101)
    forward, backward = loss.phi(SCORES), loss.phi(-SCORES)
    eta = (1 + theta) / 2
    right = np.array([(e * forward + (1 - e) * backward).min() for e in eta])
    wrong = np.array([(e * backward + (1 - e) * forward).min() for e in eta])
    risk = np.minimum(right, wrong)
    tilde = wrong - risk
    points = np.column_stack([np.r_[theta, 0, 1], np.r_[tilde, 9, 9]])
    hull = sorted({int(i) for i in ConvexHull(points).vertices if i < len(theta)})
    envelope = np.interp(theta, theta[hull], tilde[hull])
    assert H(name, eta) == pytest.approx(risk, abs=1e-7)
    assert H(name, 1 - eta) == pytest.approx(risk, abs=1e-7)
    assert H_minus(name, eta) == pytest.approx(wrong, abs=1e-7)
    assert H_minus(name, 1 - eta) == pytest.approx(wrong, abs=1e-7)
    assert psi_tilde(name, theta) == pytest.approx(tilde, abs=1e-7)
    assert psi(name, theta) == pytest.approx(envelope, abs=1e-7)


@pytest.mark.parametrize("name", LOSSES)
@quick
@given(eta=unit, alpha=st.fractions(-3, 3, max_denominator=8))
def test_no_score_beats_the_infima(name, eta, alpha):
    risk = conditional_risk(name, eta, alpha)
    assert hi(risk) >= lo(H(name, eta))
    if alpha * (2 * eta - 1) <= 0:
        assert hi(risk) >= lo(H_minus(name, eta))
    assert conditional_risk(name, float(eta), float(alpha)) == pytest.approx(float(lo(risk)), rel=1e-12, abs=1e-12) or (
        name == "step" and alpha == 0
    )


# ---- piecewise linear losses against enumeration ----


def sides(phi, a):
    """The triples (phi(a), phi(-a)) at a and, for a jump, just left and just right of a, by interpolation."""
    h = Fraction(1, 10**6)
    left, right = 2 * phi(a - h) - phi(a - 2 * h), 2 * phi(a + h) - phi(a + 2 * h)
    mirror_left, mirror_right = 2 * phi(-a - h) - phi(-a - 2 * h), 2 * phi(-a + h) - phi(-a + 2 * h)
    return [(phi(a), phi(-a)), (left, mirror_right), (right, mirror_left)]


class Enumerated:
    """H, H_minus, psi_tilde and psi of a piecewise linear loss by enumeration of scores, lines and chords."""

    def __init__(self, phi, places):
        places = {abs(x) for x in places} | {Fraction(0)}
        self.positive = {pair for a in places for i, pair in enumerate(sides(phi, a)) if a or i != 1}
        lines = {(y, x - y) for pair in self.positive for x, y in (pair, pair[::-1])}
        meets = {(c - a) / (b - d) for (a, b), (c, d) in itertools.combinations(lines, 2) if b != d}
        bends = {abs(2 * eta - 1) for eta in meets if 0 <= eta <= 1} | {Fraction(0), Fraction(1)}
        self.tilde = [(theta, self.psi_tilde(theta)) for theta in sorted(bends)]

    def best(self, eta):
        return min(eta * x + (1 - eta) * y for x, y in self.positive)

    def H(self, eta):
        return min(self.best(eta), self.best(1 - eta))

    def H_minus(self, eta):
        return self.best(1 - eta) if eta > HALF else self.best(eta)

    def psi_tilde(self, theta):
        return self.H_minus((1 + theta) / 2) - self.H((1 + theta) / 2)

    def psi(self, theta):
        below = [p for p in self.tilde if p[0] <= theta]
        above = [p for p in self.tilde if p[0] >= theta]
        return min(y if s == t else y + (z - y) * (theta - s) / (t - s) for s, y in below for t, z in above)


@st.composite
def piecewise_linear_losses(draw, shape="any"):
    """Non-negative piecewise linear losses: any (jumps included), continuous, falling to 0, or convex with slopes of
    either sign. Thirds and fifths keep the knots off the grids that the enclosures are made on.
    """
    heights = st.fractions(0, 3, max_denominator=5)
    xs = sorted(draw(st.lists(st.fractions(-2, 2, max_denominator=5), min_size=1, max_size=4, unique=True)))
    if shape == "any":
        knots = [(x, *draw(st.tuples(heights, heights, heights))) for x in xs]
        return piecewise_linear("any", knots, draw(st.sampled_from([0, -1, -HALF])), draw(st.sampled_from([0, 0, 1])))
    if shape == "continuous":
        knots = [(x, draw(heights)) for x in xs]
        return piecewise_linear("continuous", knots, draw(st.sampled_from([0, -1])))
    size = len(xs) + 1
    if shape == "falling":
        slopes = [-draw(heights) for _ in xs] + [Fraction(0)]
    else:
        slopes = sorted(draw(st.lists(st.fractions(-2, 2, max_denominator=5), min_size=size, max_size=size)))
        slopes = [min(slopes[0], Fraction(0)), *slopes[1:-1], max(slopes[-1], Fraction(0))]
    ys = [Fraction(0)]
    for (a, b), slope in zip(itertools.pairwise(xs), slopes[1:-1], strict=True):
        ys.append(ys[-1] + slope * (b - a))
    base = Fraction(0) if shape == "falling" else draw(heights)
    knots = [(x, y - min(ys) + base) for x, y in zip(xs, ys, strict=True)]
    return piecewise_linear(shape, knots, slopes[0], slopes[-1])


def places(loss):
    return [knot.x for knot in loss.formula.knots]


@settings(max_examples=50, deadline=None)
@given(piecewise_linear_losses(), unit)
@example(LOSSES["capped_hinge"], HALF)
@example(LOSSES["step"], Fraction(9, 10))
@example(piecewise_linear("constant", [(0, 1)]), HALF)
@example(piecewise_linear("rising", [(0, 1)], 0, 1), HALF)
def test_piecewise_linear_losses_agree_with_enumeration(loss, x):
    expected = Enumerated(loss.phi, places(loss))
    assert H(loss, x) == expected.H(x)
    assert H_minus(loss, x) == expected.H_minus(x)
    assert psi_tilde(loss, x) == expected.psi_tilde(x)
    assert psi(loss, x) == expected.psi(x)
    for verb in (H, H_minus, psi_tilde, psi):
        assert verb(loss, float(x)) == float(verb(loss, Fraction(float(x))))
    assert is_calibrated(loss) == all(value > 0 for theta, value in expected.tilde if theta)


@quick
@given(piecewise_linear_losses("continuous"), unit, st.fractions(Fraction(1, 4), 3, max_denominator=4))
def test_confined_scores_agree_with_enumeration(loss, x, radius):
    """Beyond the radius nothing is cheaper: phi is held at its value there."""
    held = Enumerated(lambda u: loss.phi(max(-radius, min(radius, u))), [*places(loss), radius])
    confined = replace(loss, radius=radius)
    assert (H(confined, x), psi(confined, x)) == (held.H(x), held.psi(x))


@pytest.mark.parametrize(
    ("name", "tilde", "exact_psi"),
    [
        ("hinge", lambda t: t, lambda t: t),
        ("ramp", lambda t: t, lambda t: t),
        ("step", lambda t: t, lambda t: t),
        ("asymmetric_hinge", lambda t: min(5 * t / 4, (3 + 5 * t) / 8), lambda t: t),
        ("capped_hinge", lambda t: min(2 * t, t + HALF), lambda t: 3 * t / 2),
        ("dipping_hinge", lambda t: t / 2, lambda t: t / 2),
        ("kinked_hinge", lambda t: max(Fraction(0), 2 * t - 1), lambda t: max(Fraction(0), 2 * t - 1)),
    ],
)
def test_piecewise_linear_transforms_by_hand(name, tilde, exact_psi):
    for theta in (Fraction(k, 20) for k in range(21)):
        assert psi_tilde(name, theta) == tilde(theta)
        assert psi(name, theta) == exact_psi(theta)


def test_hand_table_covers_every_exact_loss():
    assert set(EXACT) | set(SMOOTH) | {"truncated_quadratic"} == set(LOSSES)


# ---- what (TRADES, Lemma 2.1) and Assumption 1 say ----

THETA = [Fraction(k, 16) for k in range(17)]


@pytest.mark.parametrize("name", LOSSES)
def test_psi_vanishes_at_zero_is_convex_does_not_fall_and_stays_below_psi_tilde(name):
    values = [psi(name, theta) for theta in THETA]
    assert values[0] == 0
    assert all(lo(b) >= lo(a) for a, b in itertools.pairwise(values))
    assert all(hi(a) + hi(c) >= 2 * lo(b) for a, b, c in zip(values, values[1:], values[2:], strict=False))
    assert all(hi(psi_tilde(name, theta)) >= lo(value) for theta, value in zip(THETA, values, strict=True))
    assert psi_tilde(name, 1) == values[-1]


@quick
@given(piecewise_linear_losses(), unit, unit, unit)
def test_lemma_2_1_for_any_loss_and_psi_is_the_largest_such_function(loss, s, t, weight):
    middle = weight * s + (1 - weight) * t
    assert psi(loss, 0) == 0
    assert psi(loss, middle) <= weight * psi(loss, s) + (1 - weight) * psi(loss, t)
    assert psi(loss, min(s, t)) <= psi(loss, max(s, t))
    assert psi(loss, s) <= psi_tilde(loss, s)
    touches = [x for x, y in Enumerated(loss.phi, places(loss)).tilde if psi(loss, x) == y]
    bends = [knot.x for knot in transform(loss).psi_lo.knots]
    assert {0, 1} <= set(touches)
    assert set(bends) <= set(touches)  # where it bends it touches psi_tilde, so no convex function lies between


@pytest.mark.parametrize("name", LOSSES)
def test_calibrated_means_that_psi_is_positive(name):
    assert is_calibrated(name) is LOSSES[name].calibrated
    positive = [lo(psi(name, theta)) > 0 for theta in [Fraction(1, 10**6), *THETA[1:]]]
    assert all(positive) is LOSSES[name].calibrated
    strict = [lo(H_minus(name, (1 + t) / 2)) > hi(H(name, (1 + t) / 2)) for t in THETA[1:]]
    assert all(strict) is LOSSES[name].calibrated


@pytest.mark.parametrize("name", LOSSES)
@quick
@given(theta=unit, u=st.fractions(0, 2, max_denominator=50))
def test_psi_inverse_is_the_generalised_inverse(name, theta, u):
    """psi(theta) <= u if and only if theta <= psi_inverse(u)."""
    value, inverse = psi(name, theta), psi_inverse(name, u)
    if hi(value) <= u:
        assert theta <= hi(inverse)
    if lo(value) > u:
        assert theta > lo(inverse)
    if u >= psi(name, 1):
        assert inverse == 1
    assert hi(psi(name, lo(inverse))) <= u + Fraction(1, 10**20)


@quick
@given(piecewise_linear_losses(), unit, st.fractions(0, 2, max_denominator=20))
@example(piecewise_linear("constant", [(0, 1)]), HALF, Fraction(0))
@example(LOSSES["kinked_hinge"], HALF, Fraction(0))
def test_psi_inverse_is_the_generalised_inverse_of_any_loss(loss, theta, u):
    assert (psi(loss, theta) <= u) == (theta <= psi_inverse(loss, u))
    assert psi_inverse(loss, float(u)) == float(psi_inverse(loss, Fraction(float(u))))
    assert psi_inverse(loss, math.inf) == 1


# ---- losses known by values and traits only ----


def opaque(loss, **declared):
    return Loss("opaque", loss.formula.__call__, non_negative=True, **declared)


def assert_enclosed(enclosure, exact):
    assert isinstance(enclosure, Enclosure)
    assert enclosure.contains(exact)


def check_enclosures(hidden, loss, x, cells):
    for verb in (H, H_minus, psi_tilde, psi):
        assert_enclosed(verb(hidden, x, cells=cells), verb(loss, x))
    assert_enclosed(psi_inverse(hidden, x, cells=cells), psi_inverse(loss, x))


@quick
@given(piecewise_linear_losses("falling"), unit)
@example(piecewise_linear("pause", [(0, "7/3"), ("1/3", 1), ("2/5", 1), ("7/5", 0)], -2), Fraction(3, 5))
def test_enclosures_of_non_increasing_losses_hold_the_exact_values(loss, x):
    check_enclosures(opaque(loss, non_increasing=True, limit=0), loss, x, cells=24)
    check_enclosures(opaque(loss, non_increasing=True), loss, x, cells=8)


@quick
@given(piecewise_linear_losses("convex"), unit)
@example(piecewise_linear("left", [(-3, 0)], -1, 1), HALF)  # cheapest beyond the first scores tried
@example(piecewise_linear("right", [(3, 0)], -1, 1), HALF)
def test_enclosures_of_convex_losses_hold_the_exact_values(loss, x):
    assert loss.convex
    check_enclosures(opaque(loss, convex=True), loss, x, cells=20)
    if loss.non_increasing:
        check_enclosures(opaque(loss, convex=True, non_increasing=True, limit=loss.limit), loss, x, cells=20)


@quick
@given(piecewise_linear_losses("continuous"), unit, st.fractions(Fraction(1, 4), 3, max_denominator=4))
def test_enclosures_of_lipschitz_losses_hold_the_exact_values(loss, x, radius):
    confined = replace(loss, radius=radius)
    check_enclosures(opaque(loss, lipschitz=loss.lipschitz, radius=radius), confined, x, cells=24)


USERS = {
    "exponential": (lambda u: math.exp(-u), {"convex": True}),
    "logistic": (lambda u: math.log2(1 + math.exp(-u)), {"convex": True}),
    "squared_hinge": (lambda u: max(1 - u, 0) ** 2, {"convex": True}),
    "modified_huber": (lambda u: -4 * u if u < -1 else max(1 - u, 0) ** 2, {}),
    "sigmoid": (lambda u: 1 - math.tanh(u), {}),
    "rescaled_savage": (lambda u: 4 / (1 + math.exp(u)) ** 2, {}),
}


@pytest.mark.parametrize("name", USERS)
def test_enclosures_hold_the_closed_forms_and_shrink_as_cells_are_added(name):
    formula, traits = USERS[name]
    loss = Loss("mine", formula, non_increasing=True, limit=0, **traits)
    widths = []
    for cells in (16, 64, 256):
        values = [psi(loss, theta, cells=cells) for theta in THETA]
        for theta, value in zip(THETA, values, strict=True):
            true = psi(name, theta)
            assert value.lo <= lo(true)
            assert hi(true) <= value.hi
        widths.append(max(value.width for value in values))
        u = Fraction(1, 5)
        assert psi_inverse(loss, u, cells=cells).lo <= lo(psi_inverse(name, u))
        assert psi_inverse(loss, u, cells=cells).hi >= hi(psi_inverse(name, u))
    rate = 3 if not traits else 8  # four times the cells: first order without convexity, second order with it
    assert widths[0] > rate * widths[1] > rate**2 * widths[2] * Fraction(1, 2)
    assert widths[2] < (Fraction(1, 10_000) if traits else Fraction(1, 50))


def test_one_more_trait_does_not_widen_the_enclosure():
    traits = {"non_negative": True, "convex": True, "radius": 4}
    convex, both = (Loss("x", LOSSES["logistic"].formula, **traits, **more) for more in ({}, {"lipschitz": 2}))
    for theta in (Fraction(1, 4), Fraction(3, 4)):
        assert psi(both, theta, cells=64).width <= psi(convex, theta, cells=64).width * Fraction(11, 10)


def test_a_convex_loss_need_not_fall():
    square = Loss("square", lambda u: (1 - u) ** 2, non_negative=True, convex=True)
    value = psi(square, Fraction(1, 2))
    assert value.contains(Fraction(1, 4))
    assert value.width < Fraction(1, 10_000)
    assert value.how == ("declared convex",)
    assert psi(square, 0.5).same_as(value)
    table = psi(square, np.array([[0.0, 0.5], [0.25, 1.0]]))
    assert table.shape == (2, 2)
    assert table[0, 1].same_as(value)
    assert psi_inverse(square, Fraction(1, 4)).contains(Fraction(1, 2))
    assert psi(square, 0).fraction == psi_tilde(square, 0).fraction == 0


def test_a_radius_changes_the_transform_and_sets_the_closed_form_aside():
    confined = replace(LOSSES["exponential"], radius=1)
    assert closed_form(confined) is None
    value = psi(confined, Fraction(99, 100))  # the best score 1/2 log(199) = 2.6 is out of reach
    best = 1 - (mpmath.mpf("0.995") * mpmath.exp(-1) + mpmath.mpf("0.005") * mpmath.exp(1))
    assert float(value.lo) <= best <= float(value.hi)
    assert value.hi < psi("exponential", Fraction(99, 100)).lo
    assert psi(confined, Fraction(1, 2)).contains(psi("exponential", Fraction(1, 2)))


def test_a_jump_hidden_in_a_callable_is_enclosed_but_not_resolved():
    hidden = opaque(LOSSES["step"], non_increasing=True, limit=0)
    value = psi(hidden, Fraction(1, 2))
    assert value.contains(Fraction(1, 2))
    assert value.width > Fraction(1, 10)  # no value tells phi(0-) = 2 from phi(0) = 1; piecewise_linear does


# ---- bad input and other kinds of argument ----


def test_a_false_trait_is_refused():
    bump = Loss("bump", lambda u: 1 / (1 + u * u), non_increasing=True, limit=0)
    with pytest.raises(ValueError, match=r"^loss 'bump' is declared non-increasing, but phi\(.*\) = .* lies below phi"):
        psi(bump, 0.5)
    dip = Loss("dip", lambda u: (u - 2) ** 2 - HALF, non_negative=True, convex=True)
    with pytest.raises(ValueError, match="loss 'dip' is declared non-negative, but phi"):
        psi(dip, 0.5)
    flat = Loss("flat", lambda u: 1, non_increasing=True, convex=True, limit=1, calibrated=True)
    with pytest.raises(
        ValueError, match="loss 'flat' is declared calibrated, but its psi-transform vanishes right of 0"
    ):
        psi(flat, 0.5)


def test_missing_premises_are_named():
    with pytest.raises(
        ValueError, match="loss 'low' is negative somewhere; the bounds by its psi-transform need a non-neg"
    ):
        psi(piecewise_linear("low", [(0, 1), (1, -1)]), 0.5)
    with pytest.raises(ValueError, match="loss 'x' is not declared non_negative; the bounds"):
        psi(Loss("x", lambda u: max(1 - u, 0), convex=True), 0.5)
    with pytest.raises(ValueError, match="nothing bounds loss 'x' between the points where it is evaluated; declare"):
        psi(Loss("x", lambda u: max(1 - u, 0), non_negative=True), 0.5)
    with pytest.raises(ValueError, match="or lipschitz with a radius"):
        psi(Loss("x", lambda u: max(1 - u, 0), non_negative=True, lipschitz=1), 0.5)
    with pytest.raises(OverflowError, match="loss 'x' is inf at u = 0"):
        psi(Loss("x", lambda u: math.inf if u <= 0 else 0, at_zero=1, non_increasing=True, limit=0), 0.5)
    with pytest.raises(ValueError, match="cells 7 are too few; allowed are 8 or more"):
        psi(Loss("x", lambda u: max(1 - u, 0), non_increasing=True, limit=0), 0.5, cells=7)


def test_a_loss_that_outgrows_the_floats_is_still_enclosed():
    steep = Loss(
        "steep", lambda u: math.exp(math.exp(-3 * u)), non_increasing=True, limit=0, rounding=Fraction(1, 2**40)
    )
    assert psi(steep, 1, cells=64).lo > 0


@pytest.mark.parametrize("verb", [H, H_minus, psi_tilde, psi])
@pytest.mark.parametrize("name", ["hinge", "logistic"])
@pytest.mark.parametrize("bad", [-0.1, 1.5, math.nan, Fraction(-1, 3), Fraction(4, 3), [0.5, 2.0], Enclosure(2, 3)])
def test_arguments_outside_the_unit_interval_are_refused(verb, name, bad):
    with pytest.raises((ValueError, TypeError), match=r"out of range; it must lie between 0 and 1|is not a number"):
        verb(name, bad)


@pytest.mark.parametrize("name", ["hinge", "logistic"])
def test_a_negative_excess_is_refused(name):
    for bad in (-1e-9, Fraction(-1, 9), Enclosure(-2, -1)):
        with pytest.raises(ValueError, match=r"excess .* is out of range; it must lie between 0 and inf"):
            psi_inverse(name, bad)


def test_strings_are_exact_and_arrays_keep_their_shape():
    assert psi("hinge", "1/3") == Fraction(1, 3)
    for name in ("hinge", "logistic", "savage"):
        table = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
        for verb in (psi, psi_tilde, psi_inverse, H, H_minus):
            assert verb(name, table).tolist() == [[verb(name, float(x)) for x in row] for row in table]
            assert verb(name, [0.25]).shape == (1,)
            assert verb(name, np.array(0.25)) == verb(name, 0.25)


@pytest.mark.parametrize("name", LOSSES)
def test_enclosed_arguments_give_the_range_of_values(name):
    x = Enclosure(Fraction(1, 5), Fraction(3, 5), "score", Fraction(1, 20))
    for verb, low, high in ((psi, x.lo, x.hi), (psi_inverse, x.lo, x.hi), (H, x.lo, HALF)):
        value = verb(name, x)
        assert (value.lo, value.hi, value.alpha) == (lo(verb(name, low)), hi(verb(name, high)), Fraction(1, 20))
    assert H(name, Enclosure(Fraction(4, 5), 1)).hi == hi(H(name, Fraction(1, 5)))
    assert H(name, Enclosure(HALF, Fraction(3, 4))).lo == lo(H(name, Fraction(1, 4)))
    assert psi_inverse(name, Enclosure(Fraction(-1), math.inf)).hi == 1
    assert as_enclosure(psi(name, Enclosure.exact(HALF))).same_as(as_enclosure(psi(name, HALF)))
    with pytest.raises(TypeError, match="H_minus of an enclosed eta is not offered"):
        H_minus(name, x)
    risk = conditional_risk(name, x, Fraction(1, 3))
    assert lo(risk) <= lo(conditional_risk(name, HALF, Fraction(1, 3)))


def test_a_label_that_never_comes_costs_nothing():
    assert conditional_risk("exponential", 1.0, math.inf) == 0
    assert conditional_risk("exponential", np.array([0.0, 1.0]), np.array([-math.inf, 0.0])).tolist() == [0, 1]
    with pytest.raises(ValueError, match=r"eta 2\.0 is out of range"):
        conditional_risk("hinge", 2.0, 0.0)


def test_calibration_of_a_user_loss_is_decided_where_possible_and_else_declared():
    hidden = Loss("x", lambda u: max(1 - u, 0), non_increasing=True, convex=True, limit=0)
    assert is_calibrated(hidden)
    assert not is_calibrated(Loss("flat", lambda u: 1, non_increasing=True, convex=True, limit=1))
    smooth = Loss("x", lambda u: math.exp(-u), non_increasing=True, convex=True, limit=0)
    with pytest.raises(Undecided, match="whether loss 'x' is calibrated is not decided; declare calibrated"):
        is_calibrated(smooth, cells=32)
    assert is_calibrated(replace(smooth, calibrated=True), cells=32)


def test_the_figure_draws_every_loss_once():
    axes = figure().axes[0]
    drawn = [name for line in axes.get_lines() for name in line.get_label().split(", ") if "psi" not in name]
    assert sorted(drawn) == sorted(set(LOSSES) - {"truncated_quadratic"})
    dashed = [line.get_label() for line in axes.get_lines() if line.get_linestyle() == "--"]
    assert [label.split()[-1] for label in dashed] == ["asymmetric_hinge", "capped_hinge"]
    cubic = Loss("cubic", lambda u: max(1 - u, 0) ** 3, non_increasing=True, convex=True, limit=0)
    mixed = figure([cubic, "hinge"], cells=16).axes[0]
    assert [band.get_label() for band in mixed.collections] == ["cubic (enclosure)"]

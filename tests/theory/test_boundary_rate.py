"""Boundary rates: against quadrature, characteristic functions, exact dilations and simulated attacks."""

from __future__ import annotations

import functools
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.special import gamma as gamma_function

from theory.boxes import Boxes
from theory.confidence import clopper_pearson
from theory.enclosure import Enclosure, Undecided
from theory.trades import boundary_rate as rates_of
from theory.trades.boundary_rate import (
    Hyperplanes,
    QuarterDisc,
    Sphere,
    boundary_rate,
    competitors,
    figure,
    half_space,
    median_half_width,
    strip,
    xor,
)
from theory.trades.exponential_power import ExponentialPower, projection_density

INF = math.inf
median_radius = functools.cache(rates_of.median_radius)  # a second each
SHAPES = [Fraction(1), Fraction(3, 2), Fraction(2), Fraction(3), INF]
DUAL = {1: INF, 2: 2, INF: 1}


def number(x):
    assert isinstance(x, Enclosure)
    assert x.width < 1e-9
    return float((x.lo + x.hi) / 2)


def rho(x, p):
    """The density in floats; scipy's gennorm has the parametrisation exp(-|x/s|^p)."""
    if p == INF:
        return float(abs(x) <= 0.5)
    return stats.gennorm.pdf(x, float(p), scale=1 / (2 * gamma_function(1 + 1 / float(p))))


def draw(p, shape, rng):
    if p == INF:
        return rng.uniform(-0.5, 0.5, shape)
    size = rng.gamma(1 / float(p), size=shape) ** (1 / float(p))
    return rng.choice([-1.0, 1.0], shape) * size / (2 * gamma_function(1 + 1 / float(p)))


# ---- the law ----


@pytest.mark.parametrize("p", SHAPES)
def test_a_coordinate_has_density_one_at_its_peak_and_the_masses_of_scipy(p):
    law = ExponentialPower(p, 1)
    assert law.density(0).fraction == 1
    for x in ("1/10", "2/5", "9/20", 2):
        value = float(Fraction(x))
        assert number(law.density(x)) == pytest.approx(rho(value, p), abs=1e-12)
        mass = integrate.quad(lambda t: rho(t, p), -value, value, points=[0] + [0.5] * (value > 0.5))[0]
        assert number(law.inside(x)) == pytest.approx(mass, abs=1e-9)
    assert number(law.inside(median_half_width(law).lo)) == pytest.approx(0.5, abs=1e-12)


# ---- half-spaces ----


@pytest.mark.parametrize("p", SHAPES)
@pytest.mark.parametrize(("normal", "t"), [((1, 1), "0"), ((1, 2), "0"), ((1, 1), "1/5"), ((3, -1), "2/5")])
def test_planar_projection_densities_are_convolutions(p, normal, t):
    a, b, at = *map(abs, normal), float(Fraction(t))
    low, high = (max(-a / 2, at - b / 2), min(a / 2, at + b / 2)) if p == INF else (-6 * a - 6 * b, 6 * a + 6 * b)
    kinks = sorted({x for x in (0, at) if low < x < high})
    pieces = itertools.pairwise([low, *kinks, high])
    total = sum(
        integrate.quad(lambda x: rho(x / a, p) * rho((at - x) / b, p), lo, hi, epsabs=1e-11, limit=200)[0]
        for lo, hi in pieces
    )
    found = projection_density(normal, t, ExponentialPower(p, 2))
    assert number(found) == pytest.approx(total / (a * b), abs=1e-8)


@pytest.mark.parametrize("t", ["0", "1/4", "-3/2"])
@pytest.mark.parametrize("normal", [(1, 1, 1), (1, 2, 2, 2), (1, 1, 3, 3, 4)])
@pytest.mark.parametrize("p", [1, INF])
def test_laplace_and_uniform_projection_densities_invert_their_characteristic_functions(p, normal, t):
    def transform(s):
        if p == 1:
            return math.prod(1 / (1 + (n * s / 2) ** 2) for n in normal)
        return math.prod(np.sinc(n * s / (2 * math.pi)) for n in normal)

    at = float(Fraction(t))
    inverse = integrate.quad(lambda s: math.cos(s * at) * transform(s) / math.pi, 0, 400, limit=4000)[0]
    assert number(projection_density(normal, t, ExponentialPower(p, len(normal)))) == pytest.approx(inverse, abs=1e-5)


@pytest.mark.parametrize("p", [Fraction(1), Fraction(3, 2), Fraction(2), INF])
def test_three_coordinates_at_zero_agree_with_the_double_integral(p):
    normal = (1, 2, 2)
    x = np.linspace(-4, 4, 1601) if p != INF else np.linspace(-0.5, 0.5, 1001)
    weights = np.full(len(x), x[1] - x[0])
    weights[[0, -1]] /= 2  # trapezoids: second order at kinks
    values = np.array([rho(v, p) for v in x])
    pair = (x[:, None] + 2 * x[None, :]) / 2
    if p == INF:
        third = np.where(abs(pair) < 0.5, 1.0, np.where(abs(pair) == 0.5, 0.5, 0.0))
    else:
        third = stats.gennorm.pdf(pair, float(p), scale=1 / (2 * gamma_function(1 + 1 / float(p))))
    total = np.einsum("i,j,ij->", values * weights, values * weights, third) / 2
    assert number(projection_density(normal, 0, ExponentialPower(p, 3))) == pytest.approx(
        total, abs=2e-3 if p == INF else 1e-4
    )


def test_quadrature_in_three_coordinates_meets_the_closed_forms():
    from theory.arbs import enclose, to_arb, working_precision
    from theory.trades.exponential_power import _convolution, _triple_at_zero

    n = (Fraction(1), Fraction(2), Fraction(3))
    with working_precision():
        for p in (Fraction(1), Fraction(2)):
            law = ExponentialPower(p, 3)
            assert enclose(_triple_at_zero(n, p)).overlaps(projection_density(n, 0, law))
            found = enclose(_convolution(n[:2], to_arb("1/3"), p))
            assert found.overlaps(projection_density(n[:2], "1/3", law))
            assert found.width < 1e-14


@given(
    st.sampled_from(SHAPES),
    st.sampled_from([1, 2, INF]),
    st.lists(st.integers(-9, 9), min_size=2, max_size=2).filter(any),
)
def test_a_half_plane_through_zero_has_the_ratio_of_two_norms(p, ord, normal):
    n = np.abs(np.array(normal, float))
    norm = n.max() if p == INF else (n ** float(p)).sum() ** (1 / float(p))
    dual = n.max() if DUAL[ord] == INF else (n ** DUAL[ord]).sum() ** (1 / DUAL[ord])
    assert number(boundary_rate(half_space(normal), ExponentialPower(p, 2), ord)) == pytest.approx(
        2 * dual / norm, rel=1e-12
    )


@pytest.mark.parametrize("p", [1, 2, INF])
@pytest.mark.parametrize(("normal", "t"), [((2, 1), "1/3"), ((1, 1, 1), "1/5")])
def test_probabilities_at_finite_eps_converge_to_the_rate_at_second_order(p, normal, t):
    law, at = ExponentialPower(p, len(normal)), float(Fraction(t))
    size = math.sqrt(sum(n * n for n in normal))
    rate = number(boundary_rate(half_space(normal, t), law))

    def density(s):
        return number(projection_density(normal, Fraction(s).limit_denominator(10**9), law))

    def error(eps):  # Simpson's rule is exact on cubics, so its own error is of fourth order
        h = eps * size
        return abs((density(at - h) + 4 * density(at) + density(at + h)) / 3 * size - rate)

    coarse, fine = error(0.02), error(0.01)
    assert coarse < 0.01
    assert fine <= coarse / 3.9 + 1e-12


# ---- spheres ----


@pytest.mark.parametrize("p", [Fraction(1), Fraction(3, 2), Fraction(2), Fraction(3), INF])
def test_discs_have_mass_one_half_and_the_rate_of_their_rings(p):
    law = ExponentialPower(p, 2)
    radius = number(median_radius(law))

    def ring(x, r):
        scale = 1 / (2 * gamma_function(1 + 1 / float(p)))
        return rho(x, p) * (2 * stats.gennorm.cdf(math.sqrt(max(r * r - x * x, 0)), float(p), scale=scale) - 1)

    def mass(r):
        if p == INF:
            return math.pi * r * r
        return 2 * integrate.quad(lambda s: ring(r * math.sin(s), r) * r * math.cos(s), 0, math.pi / 2, epsabs=1e-12)[0]

    assert mass(radius) == pytest.approx(0.5, abs=1e-9)
    rate = number(boundary_rate(Sphere(median_radius(law), 2), law))
    errors = [abs((mass(radius + e) - mass(radius - e)) / e - rate) for e in (0.04, 0.02)]
    assert errors[1] <= errors[0] / 3.8 + 1e-8
    assert errors[0] < 0.02


@pytest.mark.parametrize("d", [1, 2, 3, 10, 100])
def test_normal_balls_are_chi_variables(d):
    law = ExponentialPower(2, d)
    r = stats.chi.median(d) / math.sqrt(2 * math.pi)
    assert number(median_radius(law)) == pytest.approx(r, rel=1e-9)
    expected = 2 * stats.chi.pdf(stats.chi.median(d), d) * math.sqrt(2 * math.pi)
    assert number(boundary_rate(Sphere(median_radius(law), d), law)) == pytest.approx(expected, rel=1e-9)


def test_rates_of_normal_balls_fall_to_twice_root_two():
    rates = [
        boundary_rate(Sphere(median_radius(law), law.dim), law)
        for law in (ExponentialPower(2, d) for d in (2, 3, 30, 300))
    ]
    assert all(a > b for a, b in itertools.pairwise(rates))
    assert 2 * math.sqrt(2) < number(rates[-1]) < 2 * math.sqrt(2) + 0.003


@pytest.mark.parametrize("ord", [1, INF])
def test_mean_dual_norms_over_the_sphere_are_surface_integrals(ord):
    def norm(u, v):  # unit vectors (sin u cos v, sin u sin v, cos u) of the first octant
        x = (math.sin(u) * math.cos(v), math.sin(u) * math.sin(v), math.cos(u))
        return (max(x) if ord == 1 else sum(x)) * math.sin(u)

    mean = integrate.dblquad(norm, 0, math.pi / 2, 0, math.pi / 2, epsabs=1e-6)[0] / (math.pi / 2)
    law = ExponentialPower(2, 3)
    ratio = boundary_rate(Sphere("1/2", 3), law, ord) / boundary_rate(Sphere("1/2", 3), law)
    assert number(ratio) == pytest.approx(mean, abs=1e-5)


def test_a_circle_that_leaves_the_uniform_square_keeps_its_arcs_inside():
    law = ExponentialPower(INF, 2)
    for ord in (1, 2, INF):
        for r, inside in ((0.6, None), (0.8, 0)):
            angles = (np.arange(400_000) + 0.5) * 2 * math.pi / 400_000
            n = np.abs(np.stack([np.cos(angles), np.sin(angles)]))
            weight = np.linalg.norm(n, DUAL[ord], axis=0) * (r * n.max(axis=0) <= 0.5)
            expected = 2 * r * weight.mean() * 2 * math.pi
            assert inside is None or expected == inside
            assert number(boundary_rate(Sphere(str(r), 2), law, ord)) == pytest.approx(expected, abs=1e-4)


# ---- unions ----


def test_boxes_under_the_uniform_law_have_the_rates_of_their_exact_dilations():
    law, square = ExponentialPower(INF, 2), Boxes([(("-1/2", "1/2"),) * 2])
    events = [
        Boxes([((0, None), (0, None)), ((None, 0), (None, 0))]),
        Boxes([((0, None), ("-1/5", None))]) | Boxes([(("-2/5", "-1/5"), ("-1/5", "1/10"))]),
        Boxes([(("-1/3", "1/3"), ("-1/4", "1/4"))]),
    ]

    def rate(event, eps):
        near = event.dilate(eps) & (~event).dilate(eps) & square
        return near.volume() / eps

    for event in events:
        # for small eps the mass is a polynomial of degree 2, so one extrapolation is exact
        limit = 2 * rate(event, Fraction(1, 200)) - rate(event, Fraction(1, 100))
        assert boundary_rate(event, law, INF).fraction == limit
        assert boundary_rate(event, law, 1).fraction == limit


@pytest.mark.parametrize("p", SHAPES)
def test_parities_strips_and_half_spaces_agree_with_boxes(p):
    law = ExponentialPower(p, 2)
    quadrants = Boxes([((0, None), (0, None)), ((None, 0), (None, 0))])
    outside = ~Boxes([(("-1/5", "1/5"), (None, None))])
    for ord in (1, 2, INF):
        assert boundary_rate(quadrants, law, ord).overlaps(boundary_rate(xor(), law, ord))
        assert boundary_rate(outside, law, ord).overlaps(boundary_rate(strip("1/5", 2), law, ord))


def attacked(score, points, eps, ord):
    """Whether f(x) f(x') <= 0 for one of 48 points x' on the sphere of the norm: a brute-force adversary."""
    angles = np.arange(48) * 2 * math.pi / 48
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    directions /= np.linalg.norm(directions, ord, axis=1)[:, None]
    here, hit = score(points), np.zeros(len(points), bool)
    for step in directions:
        hit |= here * score(points + eps * step) <= 0
    return hit


@pytest.mark.parametrize("ord", [1, 2, INF])
@pytest.mark.parametrize("p", [1, 2, INF])
def test_simulated_attacks_hit_as_often_as_the_rate_says(p, ord):
    law, rng, eps, n = ExponentialPower(p, 2), np.random.default_rng(int(8 * min(p, 9) + min(ord, 9))), 0.005, 200_000
    points = draw(Fraction(p) if p != INF else INF, (n, 2), rng)
    r, a = number(median_radius(law)), number(median_half_width(law))
    cases = [
        (half_space([2, 1]), lambda x: 2 * x[:, 0] + x[:, 1]),
        (strip(median_half_width(law), 2), lambda x: abs(x[:, 0]) - a),
        (xor(), lambda x: x[:, 0] * x[:, 1]),
        (Sphere(median_radius(law), 2), lambda x: r - np.hypot(x[:, 0], x[:, 1])),
    ]
    if p == INF:
        cases.append((QuarterDisc("4/5"), lambda x: 0.8 - np.hypot(x[:, 0] + 0.5, x[:, 1] + 0.5)))
    for region, score in cases:
        hits = int(attacked(score, points, eps, ord).sum())
        limits = clopper_pearson(hits, n, "1/1000000")
        assert limits.lo / Fraction(eps) <= boundary_rate(region, law, ord).hi
        assert boundary_rate(region, law, ord).lo <= limits.hi / Fraction(eps)
        positive = clopper_pearson(int((score(points) > 0).sum()), n, "1/1000000")
        assert positive.contains("1/2") or isinstance(region, QuarterDisc)


# ---- the theorem ----


@settings(max_examples=40)
@given(
    st.sampled_from([2, 3, INF]),
    st.sampled_from([2, INF]),
    st.lists(st.integers(-9, 9), min_size=2, max_size=2).filter(any),
)
def test_under_its_premises_no_half_plane_beats_the_theorem(p, ord, normal):
    rate = boundary_rate(half_space(normal), ExponentialPower(p, 2), ord)
    assert ExponentialPower(p, 2).sqrt_convex
    assert rate.hi >= 2
    assert rate.overlaps(2) or rate > 2


@pytest.mark.parametrize(("p", "ord"), [(2, 2), (2, INF), (3, 2), (6, INF), (INF, 2), (INF, INF)])
def test_under_its_premises_no_competitor_beats_the_theorem(p, ord):
    for row in competitors(ExponentialPower(p, 2), ord).rows:
        assert row["below_2"] is not True
        assert row["rate"].hi >= 2


@pytest.mark.parametrize("p", ["1", "5/4", "3/2", "19/10", "199/100"])
def test_below_shape_two_the_diagonal_beats_the_theorem(p):
    law = ExponentialPower(p, 2)
    rate = boundary_rate(half_space([1, 1]), law)
    assert rate < 2
    assert not law.sqrt_convex
    assert number(rate) == pytest.approx(2 * 2 ** (0.5 - 1 / float(Fraction(p))), rel=1e-12)


def test_the_laplace_diagonal_falls_towards_two_over_root_pi():
    rates = [boundary_rate(half_space([1] * d), ExponentialPower(1, d)) for d in (1, 2, 3, 10, 40)]
    assert all(a > b for a, b in itertools.pairwise(rates))
    assert 2 / math.sqrt(math.pi) < number(rates[-1]) < 2 / math.sqrt(math.pi) * 1.02


def test_under_l1_balls_the_normal_law_leaves_no_constant():
    for d in (4, 9, 100):
        rate = boundary_rate(half_space([1] * d), ExponentialPower(2, d), ord=1)
        assert (rate * rate).contains(Fraction(4, d))


def test_under_laplace_the_disc_beats_the_theorem_for_every_norm():
    law = ExponentialPower(1, 2)
    disc = Sphere(median_radius(law), 2)
    assert all(boundary_rate(disc, law, ord) < 2 for ord in (1, 2, INF))
    for normal in itertools.product(range(4), repeat=2):
        assert not any(normal) or boundary_rate(half_space(normal), law, INF).hi >= 2


def test_the_table_says_which_classifiers_beat_the_theorem():
    found = {row["classifier"]: row["below_2"] for row in competitors(ExponentialPower(1, 2)).rows}
    assert found["x_1 + x_2 > 0"] is found["|x| < r"] is True
    assert found["x_1 > 0"] is found["x_1 x_2 > 0"] is False
    assert found["|x_1| > a"] is None  # exactly 2, which an enclosure cannot tell


@pytest.mark.parametrize("p", [Fraction(3, 2), Fraction(2), INF])
def test_an_enclosed_threshold_encloses_the_densities_of_its_points(p):
    law = ExponentialPower(p, 2)
    wide = projection_density([1, 2], Enclosure("-1/10", "3/10"), law)
    for t in ("-1/10", "0", Fraction(1, 2**70), "1/10", "3/10"):
        inside = projection_density([1, 2], t, law)
        assert wide.lo <= inside.lo
        assert inside.hi <= wide.hi


def test_no_half_space_but_one_along_a_coordinate_is_best_for_the_uniform_square():
    law = ExponentialPower(INF, 2)
    assert boundary_rate(half_space([1, 0]), law).fraction == 2
    assert boundary_rate(half_space([1, 1]), law) > Fraction(28, 10)


def test_a_face_on_the_edge_of_the_support_counts_one_side():
    law = ExponentialPower(INF, 2)
    assert boundary_rate(half_space([1, 0], "1/2"), law).fraction == 1
    assert boundary_rate(half_space([1, 0], "3/5"), law).fraction == 0


# ---- what is shown, and what is refused ----


def test_the_figure_has_a_line_for_every_competitor():
    left, right = figure([1, 2]).axes
    assert len(left.lines) == 6
    assert len(right.lines) == 7


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ExponentialPower("1/2", 2), "shape 1/2 is below 1"),
        (lambda: ExponentialPower(2, 0), "dim 0 is not positive"),
        (lambda: half_space([0, 0]), "is zero"),
        (lambda: Hyperplanes([([1, 2], 1), ([2, 4], 2)]), "named twice"),
        (lambda: strip(0, 2), "radius 0 is not positive"),
        (lambda: Sphere("-1", 2), "radius -1 is not positive"),
        (lambda: boundary_rate(xor(), ExponentialPower(2, 3)), "2 dimensions but the law has 3"),
        (lambda: boundary_rate(xor(), ExponentialPower(2, 2), ord=3), "norm 3 is not supported"),
        (lambda: boundary_rate(QuarterDisc(1), ExponentialPower(2, 2)), "cut from the uniform square"),
        (lambda: boundary_rate(QuarterDisc(2), ExponentialPower(INF, 2)), "above 1"),
        (lambda: boundary_rate(Sphere(1, 3), ExponentialPower(1, 3)), "implemented in 2 dimensions"),
        (lambda: projection_density([1] * 4, 0, ExponentialPower(3, 4)), "not implemented"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_an_enclosed_threshold_across_a_jump_is_undecided():
    with pytest.raises(Undecided):
        boundary_rate(half_space([1, 0], Enclosure("0.4", "0.6")), ExponentialPower(INF, 2))

"""Curves on germs against the same risks at single values of eps, interpolation, and envelopes of curves."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.ball import Ball
from theory.boxes import Boxes
from theory.classifiers import RegionClassifier, bayes_rule
from theory.curves import curve, risk_curve
from theory.distributions import BoxDistribution
from theory.enclosure import Enclosure
from theory.piecewise import PiecewisePoly, maximum, minimum
from theory.polynomial import Poly, Root
from theory.risks import boundary_risk, robust_risk, sensible_risk, standard_risk
from theory.strategies import problems, rationals

RISKS = (standard_risk, robust_risk, boundary_risk, sensible_risk)
HI = Fraction(3, 4)
samples = st.lists(rationals(lo=0, hi=HI, denominators=(7, 11, 12, 13)), min_size=3, max_size=3)
X = Poly(0, 1)


def drawn_curve(problem, risk):
    options = {"reference": bayes_rule(problem.law, ties=+1)} if risk is sensible_risk else {}
    f, law, ball = problem.classifier, problem.law, problem.ball

    def at(eps):
        return risk(f, law, Ball(eps, ball.ord, leave_domain=ball.leave_domain), **options).fraction

    return risk_curve(risk, f, law, 0, HI, ord=ball.ord, leave_domain=ball.leave_domain, **options), at


def interpolated(points, x):
    """The value at x of the polynomial through the points, by Lagrange's formula."""
    total = Fraction(0)
    for i, (xi, yi) in enumerate(points):
        term = Fraction(yi)
        for j, (xj, _) in enumerate(points):
            if i != j:
                term *= (x - xj) / (xi - xj)
        total += term
    return total


def ends(curve_):
    """Breakpoints as rationals: an irrational one is replaced by a point just before and one just after it."""
    found = []
    for at in curve_.breakpoints:
        found += (
            [at] if isinstance(at, Fraction) else [at.refine(Fraction(1, 10**9)).lo, at.refine(Fraction(1, 10**9)).hi]
        )
    return found


@settings(max_examples=18)
@given(problems(dims=(1, 2), uncovered=True), st.sampled_from(RISKS), samples)
def test_a_curve_is_the_risk_at_every_eps_and_at_its_breakpoints(problem, risk, points):
    c, at = drawn_curve(problem, risk)
    for eps in [*points, *ends(c)]:
        assert c(eps) == at(eps)


@settings(max_examples=8)
@given(problems(kinds=["boxes"], dims=(3,)), st.sampled_from(RISKS), samples)
def test_a_curve_in_three_dimensions_is_the_risk_at_every_eps(problem, risk, points):
    c, at = drawn_curve(problem, risk)
    assert max(p.degree for p in c.polys) <= 3
    for eps in [*points, *ends(c)]:
        assert c(eps) == at(eps)


@settings(max_examples=12)
@given(problems(kinds=["boxes"], dims=(1, 2)), st.sampled_from(RISKS))
def test_limits_are_those_of_the_risk_on_either_side(problem, risk):
    """A risk on boxes in d dimensions has degree at most d on a piece: d + 1 values inside it tell its limits."""
    c, at = drawn_curve(problem, risk)
    for lo, hi in itertools.pairwise(c.breakpoints):
        step = (hi - lo) / (problem.law.dim + 2)
        inner = [(lo + k * step, at(lo + k * step)) for k in range(1, problem.law.dim + 2)]
        assert c.right(lo) == interpolated(inner, lo)
        assert c.left(hi) == interpolated(inner, hi)


@settings(max_examples=12)
@given(problems(kinds=["boxes"], dims=(1, 2), uncovered=True))
def test_the_decomposition_holds_between_whole_curves(problem):
    c = {risk: drawn_curve(problem, risk)[0] for risk in RISKS}
    assert c[robust_risk] == c[standard_risk] + c[boundary_risk]
    assert maximum(c[robust_risk], c[sensible_risk]) == c[robust_risk]
    assert minimum(c[standard_risk], c[sensible_risk]) == c[standard_risk]


@settings(max_examples=18)
@given(problems(kinds=["boxes"], dims=(1,), uncovered=True), rationals(lo=-1, hi=1), rationals(lo=-1, hi=1), samples)
def test_classifiers_and_references_may_move_with_eps(problem, slope, drift, points):
    """The threshold of f runs with eps, that of the reference with eps squared, so breakpoints are irrational."""
    law = problem.law

    def f(eps):
        return RegionClassifier.binary(Boxes([[(Fraction(1, 2) + slope * eps, None)]]))

    def reference(eps):
        return RegionClassifier.binary(Boxes([[(Fraction(1, 3) + drift * eps * eps, None)]]))

    c = risk_curve(sensible_risk, f, law, 0, HI, reference=reference)
    for eps in [*points, *ends(c)]:
        assert c(eps) == sensible_risk(f(eps), law, Ball(eps), reference(eps))


def moving_law(eps):
    """Density 1 on the unit square, -1 left and +1 right of a line that moves; the domain grows with eps."""
    line = Fraction(1, 2) + eps * Fraction(1, 4)
    return BoxDistribution.of_densities(
        {-1: [([(0, line), (0, 1)], 1)], +1: [([(line, 1), (0, 1)], 1)]}, [(0 - eps, 1 + eps), (0, 1)]
    )


@settings(max_examples=6)
@given(samples)
def test_the_law_and_its_domain_may_move_with_eps(points):
    f = RegionClassifier.binary(Boxes([[("1/3", None), ("-1/8", "9/8")]]))
    for risk in RISKS:
        reference = {"reference": lambda eps: bayes_rule(moving_law(eps), ties=+1)} if risk is sensible_risk else {}
        c = risk_curve(risk, f, moving_law, 0, HI, **reference)
        for eps in [*points, *ends(c)]:
            now = {name: option(eps) for name, option in reference.items()}
            assert c(eps) == risk(f, moving_law(eps), Ball(eps), **now)


def quadratics():
    return st.lists(rationals(lo=-2, hi=2, denominators=(1, 2, 3)), min_size=1, max_size=3).map(lambda c: Poly(*c))


@settings(max_examples=40)
@given(st.lists(quadratics(), min_size=2, max_size=3))
def test_the_least_of_polynomials_by_germs_is_their_envelope(polys):
    """Two routes to one curve: comparisons of germs, and crossings of polynomials; most crossings are irrational."""
    by_germs = curve(lambda eps: min(p(eps) + 0 * eps for p in polys), 0, 2)
    by_envelope = PiecewisePoly.polynomial(polys[0], 0, 2)
    for p in polys[1:]:
        by_envelope = minimum(by_envelope, PiecewisePoly.polynomial(p, 0, 2))
    crossings = [at for at in by_envelope.breakpoints[1:-1] if isinstance(at, Root)]
    assert [at for at in by_germs.breakpoints if at in crossings] == crossings
    for eps in {*ends(by_germs), *ends(by_envelope), *(Fraction(k, 7) for k in range(15))}:
        assert by_germs(eps) == by_envelope(eps) == min(p(eps) for p in polys)


def test_a_branch_of_the_function_itself_is_found():
    def stairs(eps):
        if eps < Fraction(1, 3):
            return eps * eps
        return 7 if eps == Fraction(1, 3) else 1 - eps

    c = curve(stairs, 0, 1)
    assert c.breakpoints == (0, Fraction(1, 3), 1)
    assert (c.left("1/3"), c("1/3"), c.right("1/3")) == (Fraction(1, 9), 7, Fraction(2, 3))
    assert c.polys == (X * X, 1 - X)


def test_a_branch_at_an_irrational_eps_is_found_and_the_next_piece_starts_there():
    c = curve(lambda eps: eps if eps * eps < Fraction(1, 2) else (1 if eps * eps * eps < Fraction(1, 2) else 2), 0, 1)
    assert c.polys == (X, Poly(1), Poly(2))
    assert [float(x) for x in c.breakpoints] == pytest.approx([0, 0.5**0.5, 0.5 ** (1 / 3), 1], rel=1e-15)
    (first, second) = c.jumps()
    assert (first.right, second.left, second.right) == (1, 1, 2)
    assert first.left.contains(Fraction(7071067811865475, 10**16)) is False
    assert first.left.lo <= Fraction(70710678118654753, 10**17)


def test_two_irrational_breakpoints_close_together_are_both_found():
    """sqrt(1/2) and a number 7e-7 to its right: the piece between them must not be overlooked."""

    def steps(eps):
        square = eps * eps
        return 0 if square < Fraction(1, 2) else (1 if square < Fraction(1, 2) + Fraction(1, 10**6) else 2)

    assert curve(steps, 0, 1).polys == (Poly(), Poly(1), Poly(2))


def test_a_curve_knows_whether_the_adversary_may_leave_the_domain():
    """The classifier errs on +1 to the right of the domain (0, 1): only an adversary that leaves it can use that."""
    law = BoxDistribution.of_masses({-1: [([(0, "1/2")], "2/5")], +1: [([("1/2", 1)], "3/5")]}, [(0, 1)])
    f = RegionClassifier.binary(Boxes([[("1/2", 1)]]))
    stays, leaves = (risk_curve(robust_risk, f, law, 0, "1/4", leave_domain=flag) for flag in (False, True))
    for eps in (Fraction(0), Fraction(1, 10), Fraction(1, 4)):
        assert stays(eps) == robust_risk(f, law, Ball(eps)) == 2 * eps
        assert leaves(eps) == robust_risk(f, law, Ball(eps, leave_domain=True)) == 2 * eps + Fraction(6, 5) * eps


def test_euclidean_distances_of_a_finite_space_give_steps_at_their_square_roots():
    """Points (0,0), (1,0), (1,1), errors on the last only: the mass of the first is reached at sqrt(2)."""
    from theory.distributions import FiniteDistribution
    from theory.points import Points

    law = FiniteDistribution.of_points([(0, 0), (1, 0), (1, 1)], {-1: ["1/2", "1/4", 0], +1: [0, 0, "1/4"]})
    f = RegionClassifier.binary(Points(law.space, {2}))
    c = risk_curve(robust_risk, f, law, 0, 2, ord=2)
    # the point (1,1) of label +1 is itself attacked from 1 on
    assert c.polys == (Poly(), Poly("1/2"), Poly(1))
    assert (c.left(1), c(1), c.right(1)) == (0, Fraction(1, 2), Fraction(1, 2))
    assert float(c.breakpoints[2]) == pytest.approx(2**0.5, rel=1e-15)


@pytest.mark.parametrize("text", ["[]", "(]", "[)", "()"])
def test_ends_belong_to_the_range_or_not(text):
    c = curve(lambda eps: 1 / Fraction(2) if eps == 0 else eps, 0, 1, ends=text)
    for at, belongs, expected in ((0, text[0] == "[", Fraction(1, 2)), (1, text[1] == "]", 1)):
        if belongs:
            assert c(at) == expected
        else:
            with pytest.raises(ValueError, match=f"eps {at} is a point where this curve is not defined"):
                c(at)
    assert (c.right(0), c.left(1)) == (0, 1)


def test_an_open_end_is_never_asked_for():
    def fussy(eps):
        if not 0 < eps < 1:
            raise AssertionError(f"asked at {eps}")
        return eps

    assert curve(fussy, 0, 1, ends="()").polys == (X,)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: curve(lambda eps: eps, 1, 1), ValueError, "the range from 1 to 1 is empty"),
        (lambda: curve(lambda eps: eps, 1, "1/2"), ValueError, "the range from 1 to 1/2 is empty"),
        (lambda: curve(lambda eps: eps, 0, float("nan")), ValueError, "hi nan is not a finite number"),
        (lambda: curve(lambda eps: eps, 0, 0.5), TypeError, r"hi 0\.5 is a float"),
        (lambda: curve(lambda eps: eps, 0, 1, ends="[["), ValueError, r"ends '\[\[' is unknown; allowed are"),
        (lambda: curve(lambda eps: 0.5, 0, 1), ValueError, r"a curve needs exact values, not 0\.5"),
        (lambda: curve(lambda eps: Enclosure(0, 1), 0, 1), ValueError, r"a curve needs exact values, not Enclosure"),
        (lambda: curve(float, 0, 1), TypeError, "a germ has no value"),
        (lambda: curve(lambda eps: 1 / (1 + eps), 0, 1), ValueError, "a risk curve is polynomial, not a quotient"),
    ],
)
def test_what_has_no_exact_curve_is_refused_in_one_sentence(build, error, message):
    with pytest.raises(error, match=message):
        build()


def test_round_balls_in_the_plane_have_no_exact_curve():
    law = moving_law(Fraction(0))
    f = RegionClassifier.binary(Boxes([[("1/3", "2/3"), ("1/3", "2/3")]]))
    with pytest.raises(ValueError, match="has no exact curve; ask for single values of eps"):
        risk_curve(robust_risk, f, law, "1/10", "1/5", ord=2)
    assert risk_curve(standard_risk, f, law, "1/10", "1/5", ord=2).polys == (Poly(standard_risk(f, law).fraction),)

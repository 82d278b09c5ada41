"""The four risks: one identity or inequality a test, exact, on random laws, classifiers and adversaries."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from theory.ball import Ball
from theory.boxes import Boxes
from theory.classifiers import RegionClassifier, bayes_rule, constant, tied_region
from theory.distributions import BoxDistribution, FiniteDistribution
from theory.enclosure import Enclosure
from theory.points import Points
from theory.risks import boundary_risk, robust_risk, sensible_risk, standard_risk
from theory.strategies import Problem, finite_laws, problems, radii, rationals, region_classifiers, scores

RISKS = (standard_risk, robust_risk, boundary_risk, sensible_risk)
some = settings(max_examples=25)


def any_problems(**options):
    """Two classes or three, covered or not, on boxes or points."""
    return st.one_of([problems(labels=labels, uncovered=True, **options) for labels in ((-1, +1), (0, 1, 2))])


@st.composite
def _with_reference(draw, problems_):
    problem = draw(problems_)
    if draw(st.booleans()):
        return problem, bayes_rule(problem.law, ties=draw(st.sampled_from(problem.law.labels)))
    return problem, draw(region_classifiers(problem.law, uncovered=True))


def with_reference(**options):
    """A problem and a reference classifier: a Bayes rule or any other."""
    return _with_reference(any_problems(**options))


def value(risk, problem, reference=None, ball=None, **options):
    if risk is sensible_risk:
        options["reference"] = reference
    return risk(problem.classifier, problem.law, ball or problem.ball, **options).fraction


HALVES = BoxDistribution.of_masses({-1: [([(0, "1/2")], "2/5")], +1: [([("1/2", 1)], "3/5")]}, [(0, 1)])


# ---- identities and order -------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(any_problems(dims=(1, 2, 3)))
def test_robust_is_standard_plus_boundary(problem):
    """TRADES, eq (1): every x lies in its own ball."""
    assert value(robust_risk, problem) == value(standard_risk, problem) + value(boundary_risk, problem)


@settings(max_examples=60)
@given(with_reference(), st.sampled_from(["1", "1/2", "1/3"]))
def test_standard_is_at_most_sensible_is_at_most_robust(drawn, threshold):
    problem, reference = drawn
    sensible = value(sensible_risk, problem, reference, threshold=threshold)
    assert value(standard_risk, problem) <= sensible <= value(robust_risk, problem)


@some
@given(with_reference())
def test_risks_are_probabilities(drawn):
    problem, reference = drawn
    assert all(0 <= value(risk, problem, reference) <= 1 for risk in RISKS)


@some
@given(with_reference(), radii(max_radius="1/2"))
def test_a_larger_ball_never_lowers_a_risk(drawn, more):
    problem, reference = drawn
    larger = replace_radius(problem.ball, problem.ball.radius + more)
    for risk in RISKS:
        assert value(risk, problem, reference) <= value(risk, problem, reference, ball=larger)


@some
@given(with_reference())
def test_without_an_adversary_all_risks_are_the_standard_one(drawn):
    problem, reference = drawn
    still = replace_radius(problem.ball, Fraction(0))
    standard = value(standard_risk, problem)
    assert value(robust_risk, problem, ball=still) == standard
    assert value(sensible_risk, problem, reference, ball=still) == standard
    assert value(boundary_risk, problem, ball=still) == 0


@some
@given(with_reference(kinds=["boxes"]))
def test_an_adversary_that_may_leave_the_domain_does_no_less(drawn):
    problem, reference = drawn
    stays, leaves = (Ball(problem.ball.radius, leave_domain=flag) for flag in (False, True))
    for risk in RISKS:
        assert value(risk, problem, reference, ball=stays) <= value(risk, problem, reference, ball=leaves)


def replace_radius(ball, radius):
    return Ball(radius, ball.ord, leave_domain=ball.leave_domain)


# ---- symmetry and refinement ----------------------------------------------------------------------------------------


def moved(region, move):
    return Boxes([move(cell) for cell in region.cells()], region.dim)


def level_sets(density):
    for k, height in enumerate(density.values):
        if height:
            yield height, Boxes.on_grid(density.edges, density.index == k)


def law_moved(law, move, jacobian=Fraction(1)):
    if law.restricts is not None:
        return law_moved(law.restricts, move, jacobian).restrict(moved(law.support, move))
    cells = {
        label: [(move(cell), height / jacobian) for height, part in level_sets(density) for cell in part.cells()]
        or [([(0, 1)] * law.dim, 0)]
        for label, density in law.densities.items()
    }
    (domain,) = law.domain.cells()
    return BoxDistribution.of_densities(cells, move(domain))


def problem_moved(problem, move, jacobian=Fraction(1), scale=Fraction(1)):
    f = RegionClassifier({y: moved(region, move) for y, region in problem.classifier.regions.items()})
    law = law_moved(problem.law, move, jacobian)
    return Problem(law, f, replace_radius(problem.ball, problem.ball.radius * scale))


@some
@given(problems(kinds=["boxes"], uncovered=True), st.sampled_from([-1, +1]), st.data())
def test_reflections_and_exchanges_of_axes_change_no_risk(problem, ties, data):
    dim = problem.law.dim
    order = data.draw(st.permutations(range(dim)))
    signs = data.draw(st.lists(st.booleans(), min_size=dim, max_size=dim))

    def move(cell):
        sides = [
            tuple(None if x is None else -x for x in reversed(s)) if f else s for s, f in zip(cell, signs, strict=True)
        ]
        return [sides[a] for a in order]

    mirrored = problem_moved(problem, move)
    for risk in RISKS:
        expected = value(risk, problem, bayes_rule(problem.law, ties=ties))
        assert value(risk, mirrored, bayes_rule(mirrored.law, ties=ties)) == expected


@some
@given(
    problems(kinds=["boxes"], uncovered=True),
    st.sampled_from([-1, +1]),
    rationals(lo="1/2", hi=3),
    st.lists(rationals(lo=-2, hi=2), min_size=2, max_size=2),
)
def test_shifting_and_scaling_space_and_radius_together_change_no_risk(problem, ties, scale, shift):
    def move(cell):
        return [tuple(None if x is None else scale * x + s for x in side) for side, s in zip(cell, shift, strict=False)]

    other = problem_moved(problem, move, scale**problem.law.dim, scale)
    for risk in RISKS:
        expected = value(risk, problem, bayes_rule(problem.law, ties=ties))
        assert value(risk, other, bayes_rule(other.law, ties=ties)) == expected


@some
@given(problems(uncovered=True))
def test_exchanging_the_labels_of_law_and_classifier_changes_no_risk(problem):
    swap = {-1: +1, +1: -1}
    law, f = problem.law, problem.classifier
    if isinstance(law, FiniteDistribution):
        other = FiniteDistribution.on(law.space, {swap[y]: row for y, row in law.masses.items()})
    else:
        other = law.relabel(swap)
    swapped = Problem(other, RegionClassifier({swap[y]: region for y, region in f.regions.items()}), problem.ball)
    for risk in RISKS:
        expected = value(risk, problem, bayes_rule(law, ties=+1))
        assert value(risk, swapped, bayes_rule(other, ties=-1)) == expected


@some
@given(
    problems(kinds=["boxes"], uncovered=True, restricted=False),
    st.sampled_from([-1, +1]),
    rationals(lo=0, hi=1, denominators=(7,)),
)
def test_splitting_the_boxes_of_law_and_classifier_changes_no_risk(problem, ties, cut):
    def split(cell):
        lo, hi = cell[0]
        inside = (lo is None or lo < cut) and (hi is None or cut < hi)
        return [(side, *cell[1:]) for side in ((lo, cut), (cut, hi))] if inside else [cell]

    f = RegionClassifier(
        {
            y: Boxes([part for cell in region.cells() for part in split(cell)], region.dim)
            for y, region in problem.classifier.regions.items()
        }
    )
    assert f == problem.classifier
    cells = {
        label: [
            (part, height) for height, level in level_sets(density) for cell in level.cells() for part in split(cell)
        ]
        or [([(0, 1)] * problem.law.dim, 0)]
        for label, density in problem.law.densities.items()
    }
    (domain,) = problem.law.domain.cells()
    finer = Problem(BoxDistribution.of_densities(cells, domain), f, problem.ball)
    for risk in RISKS:
        expected = value(risk, problem, bayes_rule(problem.law, ties=ties))
        assert value(risk, finer, bayes_rule(finer.law, ties=ties)) == expected


@some
@given(with_reference(kinds=["finite"]), st.data(), rationals())
def test_every_risk_is_linear_in_the_law(drawn, data, share):
    """A mixture of two laws has the mixture of their risks, for a fixed classifier and reference."""
    problem, reference = drawn
    first = problem.law
    second = data.draw(finite_laws(labels=first.labels, space=first.space))
    mixed = FiniteDistribution(
        first.space,
        {
            y: tuple(share * a + (1 - share) * b for a, b in zip(first.masses[y], second.masses[y], strict=True))
            for y in first.labels
        },
    )
    for risk in RISKS:
        a, b, mixture = (value(risk, replace(problem, law=law), reference) for law in (first, second, mixed))
        assert mixture == share * a + (1 - share) * b


# ---- scores ---------------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    finite_laws().flatmap(lambda law: st.tuples(st.just(law), scores(law))),
    st.sampled_from([1, 2]),
    radii(max_radius=2),
)
def test_a_score_errs_where_its_product_with_the_label_is_not_positive(drawn, ord, r):
    """TRADES, sections 2.2 and 2.3: errors f(x) y <= 0, boundary f(x) f(x') <= 0; zeros of the score among them."""
    law, score = drawn
    f, n = score.values, len(law.space)
    near = [[law.space.within(i, j, r, ord) for j in range(n)] for i in range(n)]
    standard = robust = boundary = Fraction(0)
    for label in law.labels:
        for i in range(n):
            wrong = f[i] * label <= 0
            standard += law.masses[label][i] * wrong
            robust += law.masses[label][i] * any(f[j] * label <= 0 for j in range(n) if near[i][j])
            boundary += law.masses[label][i] * (not wrong and any(f[i] * f[j] <= 0 for j in range(n) if near[i][j]))
    problem = Problem(law, score.classifier, Ball(r, ord))
    assert value(standard_risk, problem) == standard
    assert value(robust_risk, problem) == robust
    assert value(boundary_risk, problem) == boundary


# ---- the sensible adversary -----------------------------------------------------------------------------------------


@some
@given(any_problems())
def test_a_classifier_that_is_its_own_reference_meets_no_adversary(problem):
    """The adversary stays where the reference is right, and there the classifier is right as well."""
    assert value(sensible_risk, problem, problem.classifier) == value(standard_risk, problem)


@some
@given(any_problems())
def test_a_reference_that_is_never_wrong_lets_the_adversary_go_anywhere(problem):
    """Regions that overlap are no classifier, but the reference that agrees with every label is a limit case."""
    law = problem.law
    yes = RegionClassifier(dict.fromkeys(law.labels, law.everything))
    never = RegionClassifier(dict.fromkeys(law.labels, law.nothing))
    assert value(sensible_risk, problem, yes) == value(robust_risk, problem)
    assert value(sensible_risk, problem, never) == value(standard_risk, problem)


@some
@given(problems(uncovered=True, restricted=False), st.sampled_from([-1, +1]))
def test_where_one_label_has_all_the_mass_its_constant_lets_the_adversary_go_anywhere(problem, only):
    law = problem.law
    if isinstance(law, FiniteDistribution):
        rows = {
            y: tuple(sum(column) * (y == only) for column in zip(*law.masses.values(), strict=True)) for y in (-1, +1)
        }
        pure = FiniteDistribution(law.space, rows)
    else:
        both = law.densities[-1] + law.densities[+1]
        pure = BoxDistribution({y: both.scale(Fraction(y == only)) for y in (-1, +1)}, law.domain)
    problem = replace(problem, law=pure)
    assert value(sensible_risk, problem, constant(only, pure)) == value(robust_risk, problem)
    assert value(sensible_risk, problem, constant(-only, pure)) == value(standard_risk, problem)


@some
@given(problems(noisy=False, uncovered=True), st.sampled_from([-1, +1]))
def test_below_one_over_e_the_adversary_of_a_perfect_reference_is_the_usual_one(problem, ties):
    """SENSE, Definition 3 with the 0-1 loss: loss <= log(1/c) everywhere as soon as c <= 1/e."""
    rule = bayes_rule(problem.law, ties=ties)
    assert standard_risk(rule, problem.law) == 0
    assert value(sensible_risk, problem, rule, threshold="1/3") == value(robust_risk, problem)


@some
@given(with_reference())
def test_the_threshold_counts_only_by_its_side_of_one_over_e(drawn):
    """1/e = 0.367879441171442321595..."""
    problem, reference = drawn
    above, below = (
        value(sensible_risk, problem, reference, threshold=c) for c in ("0.36787944117144233", "0.36787944117144232")
    )
    assert above == value(sensible_risk, problem, reference)
    assert below == value(sensible_risk, problem, reference, threshold="1/1000000")
    assert above <= below


@settings(max_examples=50)
@given(with_reference(kinds=["finite"]))
def test_the_sensible_adversary_is_the_one_of_definition_2_point_by_point(drawn):
    """x stays if the reference errs at x; otherwise it moves where the reference is still right."""
    problem, reference = drawn
    law, f, n = problem.law, problem.classifier, len(problem.law.space)
    total = Fraction(0)
    for y, row in law.masses.items():
        right, trusted = f.regions[y].members, reference.regions[y].members
        for i, mass in enumerate(row):
            ball = [j for j in range(n) if law.space.within(i, j, problem.ball.radius, problem.ball.ord)]
            attacked = any(j not in right and j in trusted for j in ball) if i in trusted else i not in right
            total += mass * attacked
    assert value(sensible_risk, problem, reference) == total


@settings(max_examples=60)
@given(finite_laws(), st.data(), st.sampled_from([1, 2]), radii(max_radius=2))
def test_agreeing_with_the_reference_within_reach_of_trusted_samples_is_least_risk(law, data, ord, r):
    """The minimisers of SENSE, Theorem 3: f = reference wherever a sample that it gets right can be moved."""
    reference = data.draw(region_classifiers(law))
    seen = {y: Points(law.space, [i for i, m in enumerate(law.masses[y]) if m]) for y in law.labels}
    moves = {y: (seen[y] & reference.regions[y]).near(r, ord) & reference.regions[y] for y in law.labels}
    reached = moves[-1] | moves[+1]
    other = data.draw(region_classifiers(law))
    regions = {y: (reference.regions[y] & reached) | (other.regions[y] - reached) for y in law.labels}
    both_err = sum(law.mass(~regions[y] & ~reference.regions[y], y) for y in law.labels)
    assert sensible_risk(RegionClassifier(regions), law, Ball(r, ord), reference) == both_err
    if not reached.is_empty:  # one disagreement within reach costs the sample that is moved there
        spoilt = Points(law.space, [data.draw(st.sampled_from(sorted(reached.members)))])
        worse = {y: (regions[y] - spoilt) | (spoilt - regions[y]) for y in law.labels}
        cost = sensible_risk(RegionClassifier(worse), law, Ball(r, ord), reference)
        missed = sum(law.mass(~worse[y] & ~reference.regions[y], y) for y in law.labels)
        assert cost > missed


def test_the_default_reference_of_a_restricted_law_is_the_bayes_rule_of_the_true_law():
    """Between the two parts seen the restricted law has no opinion; the true law has, and its rule is the reference."""
    seen = HALVES.restrict(Boxes([[(0, "1/5")], [("4/5", 1)]]))
    f = RegionClassifier.binary(Boxes([[("3/10", None)]]))
    with pytest.raises(ValueError, match="the Bayes rule is not unique there"):
        bayes_rule(replace(seen, restricts=None))
    rule = bayes_rule(HALVES)
    for eps in ("1/20", "3/20", "1/4", "2/5"):
        default = sensible_risk(f, seen, Ball(eps))
        assert default == sensible_risk(f, seen, Ball(eps), rule)
        assert default == sensible_risk(f, seen, Ball(eps), RegionClassifier.binary(Boxes([[("1/2", None)]])))
    assert sensible_risk(f, seen, Ball("3/20")) == Fraction(2, 5) * Fraction(1, 4)


def test_the_half_square_by_hand():
    """SENSE, section 2: threshold t = 2/5, eps = 1/10: standard 2 (1-p)(1/2 - t), robust 2 eps more."""
    f = RegionClassifier.binary(Boxes([[("2/5", None)]]))
    problem = Problem(HALVES, f, Ball("1/10"))
    assert [value(risk, problem) for risk in RISKS] == [Fraction(k, 25) for k in (2, 4, 2, 4)]
    bayes = Problem(HALVES, bayes_rule(HALVES), Ball("1/10"))
    assert [value(risk, bayes) for risk in RISKS] == [0, Fraction(1, 5), Fraction(1, 5), 0]


# ---- enclosures -----------------------------------------------------------------------------------------------------


@settings(max_examples=8)
@given(problems(kinds=["boxes"], dims=[2], uncovered=True), st.sampled_from([1, 2]))
def test_under_l1_and_l2_the_risks_are_enclosed_by_those_of_inner_and_outer_cubes(problem, ord):
    """The l1 and l2 balls of radius r hold the cube of radius r/2 (in the plane) and lie in the cube of radius r."""
    ball = Ball(problem.ball.radius, ord, leave_domain=problem.ball.leave_domain, steps=6)
    reference = bayes_rule(problem.law, ties=+1)
    small, large = (replace_radius(problem.ball, problem.ball.radius * k) for k in (Fraction(1, 2), 1))
    for risk in (robust_risk, boundary_risk, sensible_risk):
        options = {"reference": reference} if risk is sensible_risk else {}
        enclosed = risk(problem.classifier, problem.law, ball, **options)
        assert isinstance(enclosed, Enclosure)
        assert enclosed.hi >= value(risk, problem, reference, ball=small)
        assert enclosed.lo <= value(risk, problem, reference, ball=large)
        finer = risk(problem.classifier, problem.law, replace_steps(ball, 12), **options)
        assert enclosed.lo <= finer.lo <= finer.hi <= enclosed.hi


def replace_steps(ball, steps):
    return Ball(ball.radius, ball.ord, leave_domain=ball.leave_domain, steps=steps)


@pytest.mark.parametrize("ord", [1, 2])
def test_the_risk_of_a_corner_under_round_balls_is_enclosed_ever_closer(ord):
    """The error region is a quarter plane, so what is attacked beyond the two strips is a quarter of the ball."""
    r = Fraction(1, 4)
    law = BoxDistribution.of_masses({-1: [([(0, 1), (0, 1)], 1)], +1: [([(2, 3), (2, 3)], 0)]})
    f = RegionClassifier.binary(Boxes([[("1/2", None), ("1/2", None)]]))
    area = {1: (r * r / 2,) * 2, 2: (Fraction(333, 106) * r * r / 4, Fraction(355, 113) * r * r / 4)}[ord]
    strips = Fraction(1, 4) + 2 * r * Fraction(1, 2)
    widths = []
    for steps in (4, 16, 64):
        risk = robust_risk(f, law, Ball(r, ord, steps=steps))
        assert risk.lo <= strips + area[1]
        assert risk.hi >= strips + area[0]
        widths.append(risk.width)
    assert all(b < a * Fraction(3, 10) for a, b in itertools.pairwise(widths))


# ---- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", ["0", "-1/2", "3/2", 2])
def test_a_threshold_outside_its_range_is_named(threshold):
    with pytest.raises(ValueError, match=rf"threshold {threshold} is outside \(0, 1\]"):
        sensible_risk(bayes_rule(HALVES), HALVES, Ball("1/10"), threshold=threshold)


def test_a_float_threshold_is_refused():
    with pytest.raises(TypeError, match=r"threshold 0\.5 is a float"):
        sensible_risk(bayes_rule(HALVES), HALVES, Ball("1/10"), threshold=0.5)


@example(Problem(HALVES, RegionClassifier.binary(Boxes([[(0, 1)]])), Ball(0)))
@settings(max_examples=30)
@given(problems(kinds=["boxes"], noisy=True, restricted=False))
def test_a_sensible_adversary_without_a_unique_reference_asks_for_one(problem):
    law = problem.law
    if tied_region(law).is_empty:
        assert value(sensible_risk, problem) == value(sensible_risk, problem, bayes_rule(law))
    else:
        with pytest.raises(ValueError, match="say which label to predict with ties="):
            sensible_risk(problem.classifier, law, problem.ball)

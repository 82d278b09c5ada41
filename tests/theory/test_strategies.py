"""The strategies themselves: what they promise, how varied they are, how small a failure becomes.

Frequencies are counted over 200 derandomised draws, so they are fixed numbers for one version of Hypothesis, and the
bounds are wide. They guard against a strategy that quietly draws one case over and over.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from fractions import Fraction
from functools import cache

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from theory import strategies
from theory.ball import Ball
from theory.boxes import Boxes
from theory.classifiers import bayes_rule, tied_region
from theory.distributions import BoxDistribution, FiniteDistribution
from theory.risks import boundary_risk, robust_risk, sensible_risk, standard_risk

CLASSES = (0, 1, 2)
STRATEGIES = {
    "rationals": strategies.rationals(lo=-1, hi=1),
    "radii": strategies.radii(),
    "balls": strategies.balls(ords=(1, 2, math.inf), leave_domain=None),
    "box_lists": strategies.box_lists(),
    "boxes": strategies.boxes(unbounded=True),
    "box_laws": strategies.box_laws(dims=(1, 2, 3)),
    "finite_spaces": strategies.finite_spaces(),
    "finite_laws": strategies.finite_laws(),
    "scores": strategies.finite_laws(min_points=2).flatmap(strategies.scores),
    "problems": strategies.problems(),
    "box problems": strategies.problems(kinds=["boxes"], labels=CLASSES, uncovered=True),
}


@cache
def draws(name):
    found = []

    @settings(max_examples=200, derandomize=True, database=None, phases=[Phase.generate], deadline=None)
    @given(STRATEGIES[name])
    def collect(value):
        found.append(value)

    collect()
    return found


def share(name, holds):
    """The share of draws with a property."""
    drawn = draws(name)
    return sum(map(holds, drawn)) / len(drawn)


def shrunk(strategy, holds):
    quick = settings(max_examples=500, derandomize=True, database=None, phases=[Phase.generate, Phase.shrink])
    return find(strategy, holds, settings=quick)


# ---- variety --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in STRATEGIES if name not in ("rationals", "radii", "balls")])
def test_hundreds_of_different_cases_are_drawn_and_none_dominates(name):
    drawn = draws(name)
    assert len(drawn) == 200
    counts = Counter(map(repr, drawn))
    assert len(counts) > 80
    assert max(counts.values()) < 60


@pytest.mark.parametrize(("name", "different"), [("rationals", 23), ("radii", 12)])
def test_every_number_of_a_short_list_is_drawn(name, different):
    """Denominators 1 to 6: 12 fractions in [0, 1] and 0 among them, 23 in [-1, 1]."""
    assert len(set(draws(name))) >= different
    assert 0 in draws(name)
    assert {Fraction(1), Fraction(5, 6)} <= set(draws(name))


def overlaps(boxes):
    return any(not (Boxes([a]) & Boxes([b])).is_empty for a, b in itertools.combinations(boxes, 2))


def overlap(densities):
    a, b = (density.support for density in densities)
    return not (a & b).is_empty


def ties(space):
    pairs = [space.distances[i][j] for i, j in itertools.combinations(range(len(space)), 2)]
    return len(set(pairs)) < len(pairs)


def risks_differ(p):
    reference = bayes_rule(p.law, ties=p.law.labels[0])
    return standard_risk(p.classifier, p.law) < sensible_risk(p.classifier, p.law, p.ball, reference) and (
        sensible_risk(p.classifier, p.law, p.ball, reference) < robust_risk(p.classifier, p.law, p.ball)
    )


def covers(f):
    union = None
    for region in f.regions.values():
        union = region if union is None else union | region
    return (~union).is_empty


def shares_a_face(p):
    ours = {x for axis in p.classifier.regions[+1].edges for x in axis}
    return bool(ours & {x for density in p.law.densities.values() for axis in density.edges for x in axis})


FEATURES = [
    ("balls", "radius 0", lambda b: b.radius == 0, 0.005, 0.5),
    ("balls", "leaves the domain", lambda b: b.leave_domain, 0.1, 0.9),
    ("balls", "round", lambda b: b.ord == 2, 0.1, 0.7),
    ("box_lists", "no box", lambda boxes: not boxes, 0.02, 0.4),
    ("box_lists", "several boxes", lambda boxes: len(boxes) > 1, 0.3, 0.98),
    (
        "box_lists",
        "boxes that share a face",
        lambda boxes: any(a[k][1] == b[k][0] for a in boxes for b in boxes for k in (0, 1)),
        0.1,
        0.9,
    ),
    ("box_lists", "boxes that overlap", lambda boxes: len(boxes) > 1 and overlaps(boxes), 0.1, 0.9),
    ("boxes", "everything", lambda b: b == Boxes.everything(2), 0.001, 0.3),
    ("boxes", "nothing", lambda b: b.is_empty, 0.02, 0.4),
    ("boxes", "unbounded", lambda b: bool(b.mask[[0, -1]].any()), 0.1, 0.9),
    ("box_laws", "one dimension", lambda law: law.dim == 1, 0.1, 0.7),
    ("box_laws", "three dimensions", lambda law: law.dim == 3, 0.1, 0.7),
    ("box_laws", "restricted", lambda law: law.restricts is not None, 0.1, 0.8),
    ("box_laws", "a domain", lambda law: law.domain != Boxes.everything(law.dim), 0.1, 0.9),
    ("box_laws", "regions without mass", lambda law: not Boxes([[(0, 1)] * law.dim]) <= law.support, 0.2, 0.95),
    ("box_laws", "labels tie on the support", lambda law: not (tied_region(law) & law.support).is_empty, 0.05, 0.6),
    ("box_laws", "noise", lambda law: overlap(law.densities.values()), 0.1, 0.7),
    ("box_laws", "one label has all the mass", lambda law: law.prior(+1) in (0, 1), 0.02, 0.35),
    ("finite_spaces", "coordinates", lambda space: space.coordinates is not None, 0.2, 0.8),
    ("finite_spaces", "one point", lambda space: len(space) == 1, 0.005, 0.35),
    ("finite_spaces", "all points", lambda space: len(space) == 5, 0.04, 0.7),
    ("finite_spaces", "equal distances", lambda space: space.distances is not None and ties(space), 0.05, 0.7),
    ("finite_laws", "one atom has all the mass", lambda law: any(1 in row for row in law.masses.values()), 0.0, 0.3),
    ("finite_laws", "points without mass", lambda law: not (~law.support).is_empty, 0.1, 0.8),
    ("finite_laws", "labels tie", lambda law: not (tied_region(law) & law.support).is_empty, 0.05, 0.6),
    ("scores", "a zero", lambda score: 0 in score.values, 0.15, 0.8),
    ("scores", "only zeros", lambda score: not any(score.values), 0.0, 0.25),
    ("problems", "boxes", lambda p: isinstance(p.law, BoxDistribution), 0.3, 0.8),
    ("problems", "eps = 0", lambda p: p.ball.radius == 0, 0.02, 0.5),
    ("problems", "a boundary", lambda p: boundary_risk(p.classifier, p.law, p.ball) != 0, 0.25, 1),
    ("problems", "no error", lambda p: standard_risk(p.classifier, p.law) == 0, 0.01, 0.3),
    ("problems", "robust risk 1", lambda p: robust_risk(p.classifier, p.law, p.ball) == 1, 0.02, 0.4),
    ("problems", "the three risks differ", risks_differ, 0.03, 1),
    ("box problems", "a point in no region", lambda p: not covers(p.classifier), 0.2, 0.98),
    ("box problems", "shared faces", shares_a_face, 0.3, 1),
    (
        "box problems",
        "all classes",
        lambda p: all(not r.is_empty for r in p.classifier.regions.values()),
        0.1,
        1,
    ),
]


@pytest.mark.parametrize(
    ("name", "holds", "least", "most"),
    [pytest.param(name, holds, least, most, id=f"{name}: {what}") for name, what, holds, least, most in FEATURES],
)
def test_features_occur_and_do_not_dominate(name, holds, least, most):
    assert least <= share(name, holds) <= most


# ---- what is promised -----------------------------------------------------------------------------------------------

some = settings(max_examples=25)


@some
@given(st.data(), st.integers(-4, 4), st.integers(1, 5))
def test_rationals_keep_to_their_range_and_denominators(data, lo, width):
    low, high = Fraction(lo, 3), Fraction(lo + width, 3)
    x = data.draw(strategies.rationals(lo=low, hi=high, denominators=(4, 6)))
    assert low <= x <= high
    assert 12 % x.denominator == 0
    inner = data.draw(strategies.rationals(lo=low, hi=high, denominators=(7,), exclude_lo=True, exclude_hi=True))
    assert low < inner < high
    assert 7 % inner.denominator == 0
    fine = data.draw(strategies.rationals(lo=low, hi=high, denominators=(10**6, 10**6 - 1)))
    assert low <= fine <= high
    assert 0 in {10**6 % fine.denominator, (10**6 - 1) % fine.denominator}


@some
@given(strategies.box_lists(dim=3, lo=-1, hi="1/2", min_boxes=1, max_boxes=3, denominators=[4]))
def test_boxes_keep_to_their_range_number_and_grid(boxes):
    assert 1 <= len(boxes) <= 3
    for box in boxes:
        assert len(box) == 3
        for lo, hi in box:
            assert -1 <= lo < hi <= Fraction(1, 2)
            assert {4 % lo.denominator, 4 % hi.denominator} == {0}


@some
@given(
    st.one_of(
        strategies.box_laws(noisy=False, restricted=False, domain=True, labels=CLASSES, denominators=[5]),
        strategies.box_laws(noisy=False, restricted=True, domain=True, labels=CLASSES, denominators=[5]),
    )
)
def test_box_laws_are_what_was_asked_for(law):
    assert law.labels == CLASSES
    assert law.domain == Boxes([[(0, 1)] * law.dim])
    for a, b in itertools.combinations(law.densities.values(), 2):
        assert (a.support & b.support).is_empty  # without noise each place has one label
    for density in law.densities.values():
        assert all(5 % x.denominator == 0 for axis in density.edges for x in axis)
    if law.restricts is not None:
        assert law.support <= law.restricts.support
        assert law.restricts.domain == law.domain


@some
@given(strategies.finite_spaces(min_points=3, max_points=4, metric="distances"))
def test_random_metrics_are_metrics(space):
    n = len(space)
    assert n in (3, 4)
    d = space.distances
    for i, j, k in itertools.product(range(n), repeat=3):
        assert d[i][j] == d[j][i]
        assert d[i][k] <= d[i][j] + d[j][k]
        assert (d[i][j] == 0) == (i == j)


def test_some_random_metrics_embed_in_no_euclidean_space():
    """The Gram matrix of squared distances from the first point has a negative eigenvalue."""
    import numpy as np

    def negative(space):
        d = space.distances
        if d is None:
            return False
        n = len(space)
        gram = [[d[0][i] ** 2 + d[0][j] ** 2 - d[i][j] ** 2 for j in range(1, n)] for i in range(1, n)]
        return n > 2 and np.linalg.eigvalsh(np.array(gram, dtype=float)).min() < -1e-9

    assert share("finite_spaces", negative) > 0.01


@some
@given(st.data(), st.booleans())
def test_the_regions_of_a_classifier_are_disjoint_and_cover_unless_told_otherwise(data, uncovered):
    law = data.draw(st.one_of(strategies.box_laws(labels=CLASSES), strategies.finite_laws(labels=CLASSES)))
    f = data.draw(strategies.region_classifiers(law, uncovered=uncovered))
    assert tuple(f.regions) == law.labels
    for a, b in itertools.combinations(f.regions.values(), 2):
        assert (a & b).is_empty
    assert uncovered or covers(f)


@some
@given(strategies.finite_laws().flatmap(lambda law: st.tuples(st.just(law), strategies.scores(law))))
def test_a_score_and_its_classifier_agree(drawn):
    law, score = drawn
    assert len(score.values) == len(law.space)
    for i, value in enumerate(score.values):
        assert (i in score.classifier.regions[+1].members) == (value > 0)
        assert (i in score.classifier.regions[-1].members) == (value < 0)


@some
@given(strategies.problems(labels=CLASSES, kinds=["finite"]), strategies.problems(kinds=["boxes"], leave_domain=True))
def test_problems_are_of_the_kind_asked_for(finite, boxes):
    assert isinstance(finite.law, FiniteDistribution)
    assert finite.law.labels == CLASSES
    assert not finite.ball.leave_domain
    assert isinstance(boxes.law, BoxDistribution)
    assert boxes.ball.leave_domain
    assert boxes.ball.ord == math.inf


# ---- shrinking ------------------------------------------------------------------------------------------------------


def test_a_boundary_on_boxes_shrinks_to_a_line_with_one_cut():
    """The smallest problem with an attack: one dimension, one face between two halves, a constant density."""
    p = shrunk(strategies.problems(kinds=["boxes"]), lambda p: boundary_risk(p.classifier, p.law, p.ball) > 0)
    assert p.law.dim == 1
    assert p.law.restricts is None
    assert p.ball.leave_domain is False
    assert sum(len(axis) for density in p.law.densities.values() for axis in density.edges) <= 6
    assert all(len(axis) <= 1 for region in p.classifier.regions.values() for axis in region.edges)
    assert p.ball.radius == Fraction(1, 2)


def test_a_boundary_on_points_shrinks_to_two_points_at_distance_one():
    p = shrunk(strategies.problems(kinds=["finite"]), lambda p: boundary_risk(p.classifier, p.law, p.ball) > 0)
    assert len(p.law.space) == 2
    assert p.ball == Ball(1)
    assert sorted(m for row in p.law.masses.values() for m in row if m) in ([1], [Fraction(1, 2)] * 2)


def test_a_tie_shrinks_to_one_point_of_two_labels():
    law = shrunk(strategies.finite_laws(), lambda law: not (tied_region(law) & law.support).is_empty)
    assert len(law.space) == 1
    assert dict(law.masses) == {-1: (Fraction(1, 2),), +1: (Fraction(1, 2),)}


def test_a_set_that_differs_from_its_reflection_shrinks_to_one_box():
    event = shrunk(strategies.boxes(dim=1), lambda b: b != Boxes([[(1 - hi, 1 - lo)] for ((lo, hi),) in b.cells()], 1))
    assert len(list(event.cells())) == 1


# ---- what is refused ------------------------------------------------------------------------------------------------

LINE = BoxDistribution.of_masses({-1: [([(0, 1)], "1/2")], +1: [([(1, 2)], "1/2")]})
THREE = FiniteDistribution.of_points([(0,)], {0: [1], 1: [0], 2: [0]})


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: strategies.rationals(lo=1, hi=0), "no fraction from 1 to 0"),
        (
            lambda: strategies.rationals(lo="1/3", hi="1/2", denominators=[1]),
            r"from 1/3 to 1/2 has one of the denominators \[1\]",
        ),
        (lambda: strategies.rationals(denominators=[]), r"denominators \[\] are not positive"),
        (lambda: strategies.rationals(denominators=[0]), r"denominators \[0\] are not positive"),
        (lambda: strategies.radii(max_radius="-1"), "no fraction from 0 to -1"),
        (lambda: strategies.balls(ords=[3]), r"norms \[3\] are not supported"),
        (lambda: strategies.balls(ords=[]), "at least one of them"),
        (lambda: strategies.box_lists(dim=0), "dimension 0 is not positive"),
        (lambda: strategies.boxes(dim=1, lo=1, hi=1), "boxes from 1 to 1 are empty"),
        (lambda: strategies.boxes(min_boxes=3, max_boxes=2), "from 3 to 2 boxes is no range"),
        (lambda: strategies.box_laws(dims=[4]), r"dimensions \[4\] are not supported"),
        (lambda: strategies.box_laws(labels=[1]), r"labels \[1\] are not two or more"),
        (lambda: strategies.box_laws(labels=[1, -1]), "in increasing order"),
        (lambda: strategies.finite_spaces(min_points=0), "from 0 to 5 points is no range"),
        (lambda: strategies.finite_spaces(metric="taxi"), "metric 'taxi' is unknown"),
        (lambda: strategies.finite_spaces(denominators=[0]), r"denominators \[0\] are not positive"),
        (lambda: strategies.finite_laws(labels=[0, 0]), r"labels \[0, 0\]"),
        (lambda: strategies.finite_laws(space=THREE.space, metric="distances"), r"so \['metric'\] have no say in it"),
        (lambda: strategies.box_laws(denominators=[]), r"denominators \[\] are not positive"),
        (lambda: strategies.scores(THREE), r"a score tells -1 from \+1; the labels of this law are \[0, 1, 2\]"),
        (lambda: strategies.problems(kinds=["gaussian"]), r"kinds \['gaussian'\] are unknown"),
        (lambda: strategies.problems(kinds=["finite"], restricted=True), "ask for box problems"),
        (lambda: strategies.problems(kinds=["finite"], leave_domain=True), "ask for box problems"),
    ],
)
def test_what_cannot_be_drawn_is_refused_when_asked_for(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_other_laws_and_positional_arguments_are_refused():
    with pytest.raises(TypeError, match="scores are drawn point by point, which BoxDistribution has not"):
        strategies.scores(LINE)
    with pytest.raises(TypeError, match="classifiers for NoneType are not known"):
        strategies.region_classifiers(None)
    with pytest.raises(TypeError, match="positional"):
        strategies.rationals(0, 1)

"""Classifiers: errors by region, Bayes rules against every rule there is, adapters, prediction."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.ball import Ball
from theory.boxes import Boxes
from theory.classifiers import RegionClassifier, bayes_risk, bayes_rule, constant, contains, tied_region
from theory.distributions import BoxDistribution, FiniteDistribution
from theory.points import Points
from theory.risks import sensible_risk, standard_risk
from theory.strategies import box_laws, finite_laws, problems, region_classifiers

some = settings(max_examples=30)
label_sets = st.sampled_from([(-1, +1), (0, 1, 2)])


def every_classifier(law):
    """All label-valued functions on a finite space."""
    for row in itertools.product(law.labels, repeat=len(law.space)):
        yield (
            row,
            RegionClassifier({y: Points(law.space, [i for i, its in enumerate(row) if its == y]) for y in law.labels}),
        )


@some
@given(label_sets.flatmap(lambda y: finite_laws(labels=y, max_points=4)), st.data())
def test_the_bayes_rule_has_the_least_standard_risk_of_all_classifiers(law, data):
    best = min(standard_risk(f, law).fraction for _, f in every_classifier(law))
    ties = data.draw(st.sampled_from(law.labels))
    assert standard_risk(bayes_rule(law, ties=ties), law) == best
    assert bayes_risk(law) == best
    if tied_region(law).is_empty:
        assert bayes_rule(law) == bayes_rule(law, ties=ties)


@settings(max_examples=25)
@given(label_sets.flatmap(lambda y: finite_laws(labels=y, max_points=4)), st.data())
def test_the_bayes_rule_has_the_least_sensible_risk_which_is_the_bayes_risk(law, data):
    """Theorem 1 of SENSE, the equality: for the Bayes rule as the reference, whatever the radius."""
    reference = bayes_rule(law, ties=data.draw(st.sampled_from(law.labels)))
    ball = Ball(data.draw(st.sampled_from(["0", "1/2", "1", "2"])))
    assert sensible_risk(reference, law, ball, reference) == bayes_risk(law)
    assert all(sensible_risk(f, law, ball, reference) >= bayes_risk(law) for _, f in every_classifier(law))


@some
@given(label_sets.flatmap(lambda y: box_laws(labels=y, dims=(1, 2), restricted=False)), st.data())
def test_the_bayes_rule_beats_any_classifier_on_boxes_and_predicts_the_largest_density(law, data):
    ties = data.draw(st.sampled_from(law.labels))
    rule = bayes_rule(law, ties=ties)
    f = data.draw(region_classifiers(law, uncovered=True))
    assert standard_risk(f, law) >= standard_risk(rule, law) == bayes_risk(law)
    for label, other in itertools.permutations(law.labels, 2):
        assert law.mass(rule.regions[label], other) <= law.mass(rule.regions[label], label)
    assert law.everything == Boxes([cell for r in rule.regions.values() for cell in r.cells()], law.dim)
    if len(law.labels) == 2:
        assert tied_region(law) <= rule.regions[ties]


@some
@given(box_laws(dims=(1, 2), restricted=True))
def test_a_restricted_law_has_the_bayes_rule_of_the_law_it_restricts(law):
    assert bayes_rule(law, ties=+1) == bayes_rule(law.restricts, ties=+1)
    assert standard_risk(bayes_rule(law, ties=+1), law) == bayes_risk(law)


@some
@given(problems(uncovered=True))
def test_the_regions_of_a_classifier_and_its_errors_are_complementary(problem):
    f, law = problem.classifier, problem.law
    right = sum((law.mass(f.regions[y], y) for y in law.labels), Fraction(0))
    assert standard_risk(f, law) == 1 - right
    for label in law.labels:
        assert f.wrong(label) == ~f.regions[label]


@some
@given(label_sets.flatmap(lambda y: st.one_of(box_laws(labels=y), finite_laws(labels=y))))
def test_a_constant_errs_on_every_other_label(law):
    for label in law.labels:
        assert standard_risk(constant(label, law), law) == 1 - law.prior(label)


@some
@given(box_laws(dims=(1, 2)), st.data(), st.integers(0, 2**32 - 1))
def test_predictions_are_the_regions(law, data, seed):
    f = data.draw(region_classifiers(law, uncovered=True))
    points = np.random.default_rng(seed).uniform(-1, 2, (50, law.dim))
    predicted = f.predict(points)
    for point, label in zip(points, predicted, strict=True):
        inside = [y for y, region in f.regions.items() if region.contains([Fraction(float(x)) for x in point])]
        assert inside == ([int(label)] if label else [])
    for region in f.regions.values():
        assert (contains(region, points) == [region.contains(point) for point in points]).all()


def test_three_labels_that_tie_in_part():
    """Labels 1 and 2 tie at mass 2/5 each; label 0, with 1/5, must not be predicted even when it is the tie label."""
    finite = FiniteDistribution.of_points([(0,)], {0: ["1/5"], 1: ["2/5"], 2: ["2/5"]})
    boxes = BoxDistribution.of_masses({0: [([(0, 1)], "1/5")], 1: [([(0, 1)], "2/5")], 2: [([(0, 1)], "2/5")]})
    for law in (finite, boxes):
        assert bayes_risk(law) == Fraction(3, 5)
        assert [standard_risk(bayes_rule(law, ties=y), law) for y in law.labels] == [Fraction(3, 5)] * 3
        assert law.mass(bayes_rule(law, ties=2).regions[2], 2) == Fraction(2, 5)
        assert law.mass(bayes_rule(law, ties=0).regions[0], 0) == 0


def test_ties_must_be_settled_by_name():
    law = BoxDistribution.of_masses({-1: [([(0, 2)], "1/2")], +1: [([(1, 3)], "1/2")]}, [(0, 3)])
    with pytest.raises(
        ValueError, match=r"labels tie on Boxes\(\[\(1, 2\)\], dim=1\), so the Bayes rule is not unique"
    ):
        bayes_rule(law)
    assert bayes_rule(law, ties=-1).regions[-1] == ~Boxes([[(2, 3)]])
    assert bayes_rule(law, ties=+1).regions[-1] == Boxes([[(0, 1)]])
    assert tied_region(law) == Boxes([[(1, 2)]])
    with pytest.raises(ValueError, match=r"ties=0 is not a label of the law; its labels are \[-1, 1\]"):
        bayes_rule(law, ties=0)


def test_unknown_labels_are_named():
    law = BoxDistribution.of_masses({-1: [([(0, 1)], "1/2")], +1: [([(1, 2)], "1/2")]})
    with pytest.raises(ValueError, match=r"label 0 is unknown to this classifier; it knows \[-1, 1\]"):
        constant(+1, law).wrong(0)
    with pytest.raises(ValueError, match=r"label 2 does not occur in the law; its labels are \[-1, 1\]"):
        constant(2, law)
    three = RegionClassifier({0: Boxes.everything(1), 1: Boxes.nothing(1)})
    with pytest.raises(ValueError, match=r"label -1 is unknown to this classifier; it knows \[0, 1\]"):
        standard_risk(three, law)

"""Laws: masses, restriction, relabelling, sampling, and one sentence for what is no law."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.boxes import Boxes, box_volume
from theory.classifiers import bayes_rule, contains
from theory.distributions import BoxDistribution, FiniteDistribution
from theory.points import FiniteSpace, Points
from theory.strategies import box_laws, boxes, finite_laws

some = settings(max_examples=25)
labels = st.sampled_from([(-1, +1), (0, 1, 2)])
LINE = {-1: [([(0, "1/2")], "2/5")], +1: [([("1/2", 1)], "3/5")]}


@some
@given(
    st.one_of(
        labels.flatmap(lambda y: box_laws(labels=y, dims=(1, 2, 3))), labels.flatmap(lambda y: finite_laws(labels=y))
    )
)
def test_the_masses_of_all_labels_are_one_and_lie_on_the_support(law):
    assert sum(law.prior(label) for label in law.labels) == 1
    assert sum(law.mass(law.everything, label) for label in law.labels) == 1
    assert sum(law.mass(law.support, label) for label in law.labels) == 1
    assert all(law.mass(~law.support, label) == 0 for label in law.labels)
    assert all(law.mass(law.nothing, label) == 0 for label in law.labels)


@some
@given(box_laws(dims=(1, 2)), st.data())
def test_mass_is_additive_and_monotone(law, data):
    a, b = (data.draw(boxes(dim=law.dim, unbounded=True)) for _ in range(2))
    for label in law.labels:
        assert law.mass(a, label) + law.mass(b, label) == law.mass(a | b, label) + law.mass(a & b, label)
        assert 0 <= law.mass(a & b, label) <= law.mass(a, label) <= law.prior(label)


@some
@given(box_laws(dims=(1, 2), restricted=False), st.data())
def test_a_restricted_law_is_the_conditional_law(law, data):
    event, other = (data.draw(boxes(dim=law.dim)) for _ in range(2))
    event = event | Boxes([next(iter(law.support.cells()))])
    total = sum(law.mass(event, label) for label in law.labels)
    given = law.restrict(event)
    for label in law.labels:
        assert given.mass(other, label) == law.mass(event & other, label) / total
    assert given.restricts is law
    assert given.domain == law.domain
    assert given.support == law.support & event


@some
@given(box_laws(dims=(1, 2)))
def test_relabelling_carries_the_masses_and_the_bayes_rule_along(law):
    swapped = law.relabel({-1: +1, +1: -1})
    assert [swapped.prior(y) for y in (-1, +1)] == [law.prior(y) for y in (+1, -1)]
    rule, other = bayes_rule(law, ties=+1), bayes_rule(swapped, ties=-1)
    assert all(other.regions[-y] == rule.regions[y] for y in (-1, +1))
    assert swapped.relabel({-1: +1, +1: -1}).mass(rule.regions[+1], +1) == law.mass(rule.regions[+1], +1)


@some
@given(box_laws(dims=(1, 2), restricted=False), st.randoms(use_true_random=False))
def test_splitting_the_boxes_of_a_law_changes_no_mass(law, rng):
    masses = {label: [] for label in law.labels}
    for label, density in law.densities.items():
        for k, value in enumerate(density.values):
            for cell in Boxes.on_grid(density.edges, density.index == k).cells() if value else ():
                axis = rng.randrange(law.dim)
                lo, hi = cell[axis]
                cut = lo + (hi - lo) * Fraction(rng.randrange(1, 7), 7)
                for side in ((lo, cut), (cut, hi)):
                    part = (*cell[:axis], side, *cell[axis + 1 :])
                    masses[label].append((part, value * box_volume(part)))
        masses[label].append(([(5, 6)] * law.dim, 0))
    split = BoxDistribution.of_masses(masses)
    for label in law.labels:
        assert split.mass(law.support, label) == law.prior(label)
        for density in law.densities.values():
            window = Boxes([[(Fraction(1, 7), Fraction(4, 7))] * law.dim]) & density.support
            assert split.mass(window, label) == law.mass(window, label)


@settings(max_examples=15)
@given(box_laws(dims=(1, 2)), st.integers(0, 2**32 - 1))
def test_samples_fall_on_the_support_in_the_right_proportions(law, seed):
    points, drawn = law.sample(2000, np.random.default_rng(seed))
    assert points.shape == (2000, law.dim)
    assert contains(law.support, points).mean() > 0.999  # a point on a face may be counted to the next cell
    for label in law.labels:
        for region in bayes_rule(law, ties=+1).regions.values():
            seen = (contains(region, points) & (drawn == label)).mean()
            # Hoeffding: further off than this with probability 2 exp(-2 * 2000 * 0.09^2) < 2e-14
            assert abs(seen - float(law.mass(region, label))) < 0.09


@settings(max_examples=15)
@given(finite_laws(), st.integers(0, 2**32 - 1))
def test_samples_of_a_finite_law_are_its_atoms_in_the_right_proportions(law, seed):
    index, drawn = law.sample(2000, np.random.default_rng(seed))
    for label, row in law.masses.items():
        for i, mass in enumerate(row):
            seen = ((index == i) & (drawn == label)).mean()
            assert (seen == 0) if mass == 0 else abs(seen - float(mass)) < 0.09


def test_a_law_of_random_masses_has_those_masses():
    rng = random.Random(0)
    weights = [rng.randrange(1, 100) for _ in range(8)]
    boxes_ = [[(k, k + Fraction(rng.randrange(1, 9), 9))] for k in range(8)]
    masses = [Fraction(w, sum(weights)) for w in weights]
    pairs = list(zip(boxes_, masses, strict=True))
    law = BoxDistribution.of_masses({0: pairs[:3], 1: pairs[3:6], 2: pairs[6:]})
    for k, (box, mass) in enumerate(pairs):
        assert law.mass(Boxes([box]), (0, 0, 0, 1, 1, 1, 2, 2)[k]) == mass


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: BoxDistribution.of_masses({-1: LINE[-1]}), r"labels \[-1\] are too few; a law needs at least two"),
        (lambda: BoxDistribution.of_masses({**LINE, +1: [([("1/2", 1)], "1/5")]}), "sum to 3/5; they must sum to 1"),
        (lambda: BoxDistribution.of_masses({**LINE, +1: [([(1, 1)], "3/5")]}), r"side \(1, 1\) of a box is empty"),
        (
            lambda: BoxDistribution.of_masses({**LINE, +1: [([(0, 1)], 1), ([(2, 3)], "-2/5")]}),
            "label 1 has a negative density",
        ),
        (
            lambda: BoxDistribution.of_masses({**LINE, +1: [([(0, 1)], "2/5"), ([("1/2", 2)], "1/5")]}),
            r"Boxes\(\[\(1/2, 2\)\], dim=1\) overlaps an earlier box of the same label",
        ),
        (lambda: BoxDistribution.of_masses(LINE, [(0, "3/4")]), "label 1 has mass outside the domain"),
        (lambda: BoxDistribution.of_masses({**LINE, +1: [([(0, None)], "3/5")]}), "an unbounded set has no volume"),
        (
            lambda: BoxDistribution.of_masses({-1: LINE[-1], +1: [([(0, 1)] * 2, "3/5")]}),
            r"boxes of dimensions \[1, 2\]",
        ),
        (
            lambda: BoxDistribution.of_masses(LINE).restrict(Boxes([[(5, 6)]])),
            "has mass 0, so the law cannot be restricted",
        ),
        (
            lambda: BoxDistribution.of_masses(LINE).mass(Boxes.everything(1), 0),
            r"label 0 does not occur .* are \[-1, 1\]",
        ),
        (lambda: BoxDistribution.of_masses(LINE).prior(7), "label 7 does not occur in the law"),
        (lambda: FiniteDistribution.of_points([(0,)], {-1: [1]}), "are too few"),
        (lambda: FiniteDistribution.of_points([(0,)], {-1: ["1/2"], +1: ["1/3"]}), "sum to 5/6; they must sum to 1"),
        (
            lambda: FiniteDistribution.of_points([(0,)], {-1: ["-1/2"], +1: ["3/2"]}),
            "label -1 has the negative mass -1/2",
        ),
        (lambda: FiniteDistribution.of_points([(0,)], {-1: [1], +1: [0, 0]}), "label 1 has 2 masses for 1 points"),
        (
            lambda: FiniteDistribution.of_points([(0,)], {-1: [1], +1: [0]}).prior(0),
            "label 0 does not occur in the law",
        ),
    ],
)
def test_what_is_no_law_is_refused_in_one_sentence(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_floats_are_refused_as_masses():
    with pytest.raises(TypeError, match=r"mass 0\.4 is a float"):
        BoxDistribution.of_masses({-1: [([(0, 1)], 0.4)], +1: [([(1, 2)], "3/5")]})
    with pytest.raises(TypeError, match=r"mass 0\.5 is a float"):
        FiniteDistribution.of_points([(0,)], {-1: [0.5], +1: [0.5]})


def test_boxes_and_points_do_not_measure_each_other():
    box_law, space = BoxDistribution.of_masses(LINE), FiniteSpace.of_points([(0,), (1,)])
    finite = FiniteDistribution.on(space, {-1: ["1/2", 0], +1: [0, "1/2"]})
    with pytest.raises(TypeError, match="single points are null sets of a box law"):
        box_law.mass(space.everything, +1)
    with pytest.raises(TypeError, match="boxes hold up to null sets and cannot place an atom"):
        finite.mass(Boxes.everything(1), +1)
    with pytest.raises(ValueError, match="points of another space"):
        finite.mass(Points(FiniteSpace.of_points([(0,), (7,)]), {1}), +1)
    assert finite.mass(Points(FiniteSpace.of_points([(0,), (1,)]), {1}), +1) == Fraction(1, 2)

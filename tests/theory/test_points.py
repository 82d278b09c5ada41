"""Finite spaces: metrics, neighbourhoods by hand-written distances, sets of points."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.ball import Ball
from theory.boxes import Boxes
from theory.points import FiniteSpace, Points
from theory.strategies import finite_spaces, radii

some = settings(max_examples=30)
ords = st.sampled_from([1, 2, math.inf])


@st.composite
def sets(draw, n, **options):
    space = draw(finite_spaces(**options))
    members = st.sets(st.integers(0, len(space) - 1))
    return [Points(space, draw(members)) for _ in range(n)]


@some
@given(finite_spaces(), ords, radii(max_radius=3))
def test_distances_form_a_metric(space, ord, r):
    """Within r is reflexive and symmetric; within r and then s is within r + s."""
    n = len(space)
    for i, j in itertools.product(range(n), repeat=2):
        assert space.within(i, i, r, ord)
        assert space.within(i, j, r, ord) == space.within(j, i, r, ord)
        assert space.within(i, j, Fraction(0), ord) == (i == j)
        for k in range(n):
            if space.within(i, j, r, ord) and space.within(j, k, Fraction(1, 2), ord):
                assert space.within(i, k, r + Fraction(1, 2), ord)


@some
@given(finite_spaces(metric="coordinates"), radii(max_radius=3))
def test_the_norms_are_ordered(space, r):
    for i, j in itertools.product(range(len(space)), repeat=2):
        reached = [space.within(i, j, r, ord) for ord in (1, 2, math.inf)]
        assert reached == sorted(reached)  # l1 >= l2 >= linf, so whatever l1 reaches the others reach
        gaps = [float(abs(a - b)) for a, b in zip(space.coordinates[i], space.coordinates[j], strict=True)]
        if abs(math.hypot(*gaps) - float(r)) > 1e-9:
            assert reached[1] == (math.hypot(*gaps) < float(r))


@some
@given(sets(3))
def test_sets_of_points_form_a_boolean_algebra(abc):
    a, b, c = abc
    assert a & (b | c) == (a & b) | (a & c)
    assert ~(a | b) == ~a & ~b
    assert a - b == a & ~b
    assert a | (a & b) == a
    assert ~~a == a
    assert (a <= b) == (a | b == b)
    assert a.is_empty == (a == a.space.nothing)
    assert a | ~a == a.space.everything
    assert hash(a & b) == hash(b & a)


@some
@given(sets(2), ords, radii(max_radius=2), radii(max_radius=2))
def test_neighbourhoods_grow_distribute_and_obey_the_triangle(ab, ord, r, s):
    a, b = ab
    assert a <= a.near(r, ord)
    assert (a | b).near(r, ord) == a.near(r, ord) | b.near(r, ord)
    assert a.near(r, ord).near(s, ord) <= a.near(r + s, ord)
    assert a.near(0, ord) == a
    assert a.near(r, ord).members == {
        i for i in range(len(a.space)) if any(a.space.within(i, j, r, ord) for j in a.members)
    }


def test_dilations_do_not_add_up_in_a_space_with_gaps():
    """Points 0 and 2: two steps of 1 reach nothing new, one of 2 does. (In R^d dilations add up.)"""
    line = FiniteSpace.of_points([("0",), ("2",)])
    one = Points(line, {0})
    assert one.near(1).near(1) == one
    assert one.near(2) == line.everything


def test_a_diagonal_has_three_lengths():
    """(0,0) and (3,4) are 7 apart under l1, 5 under l2 and 4 under linf."""
    space = FiniteSpace.of_points([(0, 0), (3, 4)])
    for ord, length in ((1, 7), (2, 5), (math.inf, 4)):
        assert not space.within(0, 1, length - Fraction(1, 100), ord)
        assert space.within(0, 1, Fraction(length), ord)


def test_a_metric_that_embeds_in_no_plane():
    """Four points at distance 1 from each other but 1/2 from a fifth: a star."""
    star = [[0 if i == j else 1 if 4 in (i, j) else 2 for j in range(5)] for i in range(5)]
    space = FiniteSpace.of_distances([[Fraction(x, 2) for x in row] for row in star])
    assert Points(space, {4}).near("1/2") == space.everything
    assert Points(space, {0}).near("1/2") == Points(space, {0, 4})


def test_equal_spaces_are_one_space():
    first, second = (FiniteSpace.of_points([("0",), ("1",)]) for _ in range(2))
    assert Points(first, {0}) | Points(second, {1}) == first.everything
    assert Ball(1).reach(Points(first, {0}), second) == first.everything


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: FiniteSpace.of_points([]), ValueError, "at least one of them"),
        (lambda: FiniteSpace.of_points([()]), ValueError, "positive dimension"),
        (lambda: FiniteSpace.of_points([(0,), (0, 1)]), ValueError, "of one positive dimension"),
        (lambda: FiniteSpace.of_points([("1/2", 0), ("0.5", 0)]), ValueError, r"point \(1/2, 0\) occurs twice"),
        (lambda: FiniteSpace.of_points([(0.5,)]), TypeError, r"coordinate 0\.5 is a float"),
        (lambda: FiniteSpace.of_distances([[0, 1]]), ValueError, "row 0 of the distance matrix has 2 entries; 1"),
        (lambda: FiniteSpace.of_distances([[0, 1], [2, 0]]), ValueError, "distance 1 between points 0 and 1 is not"),
        (lambda: FiniteSpace.of_distances([[1]]), ValueError, "distance 1 between points 0 and 0 is not that of a"),
        (lambda: FiniteSpace.of_distances([[0, 0], [0, 0]]), ValueError, "distance 0 between points 0 and 1 is not"),
        (
            lambda: FiniteSpace.of_distances([[0, 1, 3], [1, 0, 1], [3, 1, 0]]),
            ValueError,
            "the triangle inequality fails",
        ),
        (lambda: Points(FiniteSpace.of_points([(0,)]), {1}), ValueError, "point 1 is not in a space of 1 points"),
        (lambda: Points(FiniteSpace.of_points([(0,)]), {-1}), ValueError, "point -1 is not in a space"),
        (lambda: FiniteSpace.of_points([(0,)]).everything.near("-1/2"), ValueError, "radius -1/2 is negative"),
        (lambda: FiniteSpace.of_points([(0,)]).everything.near(0.5), TypeError, r"radius 0\.5 is a float"),
    ],
)
def test_what_is_no_space_is_refused_in_one_sentence(build, error, message):
    with pytest.raises(error, match=message):
        build()


def test_events_of_different_kinds_do_not_mix():
    space, other = FiniteSpace.of_points([(0,), (1,)]), FiniteSpace.of_points([(0,), (2,)])
    with pytest.raises(ValueError, match="two different finite spaces do not mix"):
        space.everything & other.everything
    with pytest.raises(TypeError, match="points do not mix with Boxes"):
        space.everything & Boxes.everything(1)
    for ball, domain in ((Ball(1, leave_domain=True), space), (Ball(1), other), (Ball(1), Boxes.everything(1))):
        with pytest.raises(ValueError, match="the adversary of a finite space stays in it"):
            ball.reach(space.everything, domain)

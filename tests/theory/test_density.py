"""Step densities: integrals against sums over overlaps of boxes, written out."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.boxes import Boxes
from theory.density import StepDensity, common_values
from theory.strategies import box_laws, boxes, rationals

some = settings(max_examples=25)


def overlap(a, b):
    return math.prod(max(0, min(x[1], y[1]) - max(x[0], y[0])) for x, y in zip(a, b, strict=True))


def pieces(density):
    """The density as disjoint boxes with values, through the cells of each level set."""
    listed = []
    for k, value in enumerate(density.values):
        if value:
            listed += [(cell, value) for cell in Boxes.on_grid(density.edges, density.index == k).cells()]
    return listed


@st.composite
def densities(draw, n=1, dims=(1, 2, 3)):
    """n densities in one dimension: those of one label of random laws."""
    dim = draw(st.sampled_from(dims))
    return [draw(box_laws(dims=[dim])).densities[draw(st.sampled_from([-1, 1]))] for _ in range(n)]


@some
@given(densities(), st.data())
def test_the_integral_over_an_event_is_the_sum_over_overlapping_boxes(one, data):
    (density,) = one
    event = data.draw(boxes(dim=density.dim))
    expected = sum(
        (value * overlap(box, cell) for box, value in pieces(density) for cell in event.cells()), Fraction(0)
    )
    assert density.integral(event) == expected
    assert density.restrict(event).integral() == expected
    assert density.restrict(event).support == density.support & event


@some
@given(densities(), st.data())
def test_the_integral_is_additive_and_cares_only_for_the_support(one, data):
    (density,) = one
    event = data.draw(boxes(dim=density.dim, unbounded=True))
    assert density.integral(event) + density.integral(~event) == density.integral()
    assert density.integral(event) == density.integral(event & density.support)
    assert density.integral(density.support) == density.integral(Boxes.everything(density.dim)) == density.integral()


@some
@given(densities(2), rationals(lo=0, hi=3))
def test_the_integral_is_linear(two, factor):
    a, b = two
    assert a.scale(factor).integral() == a.integral() * factor
    assert (a + b).integral() == a.integral() + b.integral()
    assert (a + b).support == a.support | b.support


@some
@given(densities(dims=(2, 3)), st.integers(0, 1))
def test_a_marginal_has_the_mass_of_every_slab(one, axis):
    (density,) = one
    marginal = density.marginal(axis)
    assert marginal.integral() == density.integral()
    kept = [a for a in range(density.dim) if a != axis]
    slab = [(Fraction(1, 7), Fraction(4, 7))] * len(kept)
    whole = [(None, None)] * density.dim
    for a, side in zip(kept, slab, strict=True):
        whole[a] = side
    assert marginal.integral(Boxes([slab])) == density.integral(Boxes([whole]))


@some
@given(densities(2))
def test_the_common_grid_keeps_both_densities(two):
    edges, values, places = common_values(two)
    assert len(set(values)) == len(values)
    for k, density in enumerate(two):
        rebuilt = StepDensity(edges, places + 1, (Fraction(0), *(row[k] for row in values)))
        assert rebuilt.integral() == density.integral()
        difference = rebuilt + density.scale(Fraction(-1))
        assert not any(value for value in difference.values)


@some
@given(densities(), st.data())
def test_splitting_and_reordering_the_boxes_changes_nothing(one, data):
    (density,) = one
    listed = []
    for box, value in pieces(density):
        axis, (lo, hi) = 0, box[0]
        cut = lo + (hi - lo) * data.draw(st.sampled_from([Fraction(1, 3), Fraction(1, 2)]))
        listed += [((side, *box[axis + 1 :]), value) for side in ((lo, cut), (cut, hi))]
    if listed:
        again = StepDensity.of_boxes(data.draw(st.permutations(listed)))
        assert not any((again + density.scale(Fraction(-1))).values)


def test_many_distinct_densities_are_summed_exactly():
    """More than three hundred corners: the sums run in flint, and still equal the sum over cells."""
    rng = random.Random(4)
    cuts = [sorted({Fraction(rng.randrange(1, 10**6), 10**6) for _ in range(20)}) for _ in range(2)]
    cells = [
        ([(a, b), (c, d)], Fraction(rng.randrange(1, 10**6), rng.randrange(1, 10**6)))
        for a, b in zip(cuts[0], cuts[0][1:], strict=False)
        for c, d in zip(cuts[1], cuts[1][1:], strict=False)
    ]
    density = StepDensity.of_boxes(cells)
    assert len(density.values) > 300
    window = [(Fraction(1, 10), Fraction(9, 10)), (Fraction(1, 3), Fraction(2, 3))]
    assert density.integral() == sum(value * overlap(cell, cell) for cell, value in cells)
    assert density.integral(Boxes([window])) == sum(value * overlap(cell, window) for cell, value in cells)


def test_values_that_cancel_in_a_signed_sum_of_labels_still_count():
    """Labels 1, 2, 3, 2 around a corner have mixed difference 1 - 2 + 3 - 2 = 0, their values 5, 1, 7, 1 have 10."""
    cells = [
        ([(x, x + 1), (y, y + 1)], v) for (x, y), v in zip([(0, 0), (0, 1), (1, 1), (1, 0)], [5, 1, 7, 1], strict=True)
    ]
    density = StepDensity.of_boxes(cells)
    assert density.integral() == 14
    assert density.integral(Boxes([[(Fraction(1, 2), Fraction(3, 2))] * 2])) == Fraction(14, 4)


@pytest.mark.parametrize("second", [[("1/2", 2)], [(0, 1)], [("1/4", "3/4")]])
@pytest.mark.parametrize("value", [0, 2])
def test_overlapping_boxes_are_refused(second, value):
    with pytest.raises(ValueError, match=r"Boxes\(.*\) overlaps an earlier box of the same label"):
        StepDensity.of_boxes([([(0, 1)], value), (second, 1)])


def test_boxes_that_share_a_face_do_not_overlap():
    assert StepDensity.of_boxes([([(0, 1)], 1), ([(1, 2)], 1)]).integral() == 2


def test_an_unbounded_box_has_no_mass_unless_its_density_is_zero():
    with pytest.raises(ValueError, match="unbounded box has no finite mass"):
        StepDensity.of_boxes([([(0, None)], 1)]).integral()
    rest = StepDensity.of_boxes([([(0, 1)], 3), ([(1, None)], 0)])
    assert rest.integral() == 3
    assert (rest + rest).integral() == 6


def test_other_input_that_is_no_density_is_refused():
    with pytest.raises(ValueError, match="needs at least one box"):
        StepDensity.of_boxes([])
    with pytest.raises(TypeError, match=r"density 0\.5 is a float"):
        StepDensity.of_boxes([([(0, 1)], 0.5)])
    with pytest.raises(ValueError, match="dimensions"):
        StepDensity.of_boxes([([(0, 1)], 1), ([(0, 1), (0, 1)], 1)])

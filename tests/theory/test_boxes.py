"""The event algebra of boxes: Boolean laws, canonical form, dilation and volume, against membership and counting."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.boxes import MAX_CELLS, Boxes, box_volume, common_grid
from theory.germ import Germ, Log
from theory.strategies import box_lists, boxes, radii, rationals

dims = st.sampled_from([1, 2, 3])
some = settings(max_examples=25)
# Faces and radii have denominators up to 6: a face moved by a radius is a multiple of 1/60, which these never are.
offgrid = rationals(lo=-1, hi=2, denominators=(12,)).map(lambda x: x + Fraction(1, 1000))


@st.composite
def events(draw, n, **options):
    """n sets in one dimension, unbounded ones among them."""
    dim = draw(dims)
    return [draw(boxes(dim=dim, unbounded=True, **options)) for _ in range(n)]


@st.composite
def bounded(draw, n, **options):
    dim = draw(dims)
    return [draw(boxes(dim=dim, **options)) for _ in range(n)]


@st.composite
def lists(draw, **options):
    dim = draw(dims)
    return dim, draw(box_lists(dim=dim, **options))


def inside(box, point):
    return all((lo is None or lo < x) and (hi is None or x < hi) for (lo, hi), x in zip(box, point, strict=True))


def gap(side, x):
    lo, hi = side
    return max(0, 0 if lo is None else lo - x, 0 if hi is None else x - hi)


def rank(boxes_):
    return sum(math.prod(hi - lo for lo, hi in box) for box in boxes_)


# ---- Boolean algebra ------------------------------------------------------------------------------------------------


@some
@given(events(3))
def test_and_and_or_are_associative_commutative_and_distribute(abc):
    a, b, c = abc
    assert a | b == b | a
    assert a & b == b & a
    assert (a | b) | c == a | (b | c)
    assert (a & b) & c == a & (b & c)
    assert a & (b | c) == (a & b) | (a & c)
    assert a | (b & c) == (a | b) & (a | c)


@some
@given(events(2))
def test_absorption_idempotence_and_complement(ab):
    a, b = ab
    everything, nothing = Boxes.everything(a.dim), Boxes.nothing(a.dim)
    assert a | (a & b) == a == a & (a | b)
    assert a | a == a == a & a
    assert a | ~a == everything
    assert a & ~a == nothing
    assert ~~a == a
    assert a | nothing == a == a & everything


@some
@given(events(2))
def test_de_morgan_and_differences(ab):
    a, b = ab
    assert ~(a | b) == ~a & ~b
    assert ~(a & b) == ~a | ~b
    assert a - b == a & ~b
    assert a ^ b == (a | b) - (a & b)


@some
@given(events(2))
def test_inclusion_is_absorption(ab):
    a, b = ab
    assert (a <= b) == (a | b == b) == (a & b == a)
    assert a & b <= a <= a | b
    assert (a <= b) * (b <= a) == (a == b)
    assert a.is_empty == (a == Boxes.nothing(a.dim))


@some
@given(lists(unbounded=True), st.lists(offgrid, min_size=3, max_size=3))
def test_a_point_is_inside_iff_it_is_inside_some_box(drawn, point):
    dim, listed = drawn
    event, point = Boxes(listed, dim), point[:dim]
    assert event.contains(point) == any(inside(box, point) for box in listed)
    assert (~event).contains(point) != event.contains(point)


# ---- canonical form -------------------------------------------------------------------------------------------------


@some
@given(lists(unbounded=True), st.data())
def test_equal_sets_have_equal_parts_and_hashes(drawn, data):
    dim, listed = drawn
    event = Boxes(listed, dim)
    parts = []
    for box in data.draw(st.permutations(listed)):
        axis, cut = data.draw(st.integers(0, dim - 1)), data.draw(offgrid)
        lo, hi = box[axis]
        if (lo is None or lo < cut) and (hi is None or cut < hi):
            parts += [(*box[:axis], side, *box[axis + 1 :]) for side in ((lo, cut), (cut, hi))]
        else:
            parts += [box, box]
    rebuilt = Boxes(parts, dim)
    assert rebuilt == event
    assert rebuilt.edges == event.edges
    assert hash(rebuilt) == hash(event)


@some
@given(events(1))
def test_no_breakpoint_is_idle(one):
    (event,) = one
    for axis in range(event.dim):
        slices = np.moveaxis(event.mask, axis, 0)
        assert all((below != above).any() for below, above in itertools.pairwise(slices))


@some
@given(events(1))
def test_the_cells_are_disjoint_and_make_up_the_set(one):
    (event,) = one
    cells = list(event.cells())
    assert Boxes(cells, event.dim) == event
    for a, b in itertools.combinations(cells, 2):
        assert (Boxes([a]) & Boxes([b])).is_empty


@some
@given(events(1))
def test_a_set_cannot_be_changed(one):
    (event,) = one
    with pytest.raises(ValueError, match="read-only"):
        event.mask[:] = True
    with pytest.raises(ValueError, match="read-only"):
        (~event).mask[:] = True


# ---- dilation -------------------------------------------------------------------------------------------------------


@some
@given(lists(unbounded=True), st.lists(offgrid, min_size=3, max_size=3), st.lists(radii(), min_size=3, max_size=3))
def test_dilation_reaches_what_is_within_its_radius_of_some_box_on_every_axis(drawn, point, r):
    dim, listed = drawn
    point, r = point[:dim], r[:dim]

    def reaches(box):
        gaps = [gap(side, x) for side, x in zip(box, point, strict=True)]
        return all(g == 0 or g < radius for g, radius in zip(gaps, r, strict=True))

    event = Boxes(listed, dim)
    assert event.dilate(r).contains(point) == any(map(reaches, listed))
    assert event.dilate(r[0]) == event.dilate([r[0]] * dim)


@some
@given(events(2), radii())
def test_dilation_distributes_over_unions_and_is_monotone(ab, r):
    a, b = ab
    assert (a | b).dilate(r) == a.dilate(r) | b.dilate(r)
    assert (a & b).dilate(r) <= a.dilate(r) & b.dilate(r)


@some
@given(events(1), radii(), radii())
def test_dilations_add_up(one, r, s):
    (a,) = one
    assert a.dilate(r).dilate(s) == a.dilate(r + s)
    assert a.dilate(0) == a


@some
@given(events(1), radii())
def test_dilation_and_erosion_are_dual_and_enclose_the_set(one, r):
    (a,) = one
    assert a.erode(r) <= a <= a.dilate(r)
    assert a.erode(r) == ~(~a).dilate(r)
    assert a.dilate(r) == ~(~a).erode(r)
    assert a.erode(r).dilate(r) <= a <= a.dilate(r).erode(r)


@some
@given(events(2), radii())
def test_erosion_is_adjoint_to_dilation(ab, r):
    a, b = ab
    assert (a.dilate(r) <= b) == (a <= b.erode(r))


# ---- volume ---------------------------------------------------------------------------------------------------------


@some
@given(lists(max_boxes=4))
def test_the_volume_is_that_of_inclusion_and_exclusion(drawn):
    dim, listed = drawn
    expected = Fraction(0)
    for k in range(1, len(listed) + 1):
        for chosen in itertools.combinations(listed, k):
            sides = [(max(box[a][0] for box in chosen), min(box[a][1] for box in chosen)) for a in range(dim)]
            expected -= (-1) ** k * math.prod(max(0, hi - lo) for lo, hi in sides)
    assert Boxes(listed, dim).volume() == expected


@some
@given(bounded(2))
def test_the_volume_is_additive(ab):
    a, b = ab
    assert a.volume() + b.volume() == (a | b).volume() + (a & b).volume()
    assert (a - b).volume() == a.volume() - (a & b).volume()
    assert (a.volume() == 0) == a.is_empty


@some
@given(lists(), st.lists(rationals(lo=-2, hi=2), min_size=3, max_size=3), rationals(lo=1, hi=3))
def test_the_volume_is_invariant_under_translation_and_scales(drawn, shift, factor):
    dim, listed = drawn
    event = Boxes(listed, dim)
    moved = [[(lo + s, hi + s) for (lo, hi), s in zip(box, shift, strict=False)] for box in listed]
    grown = [[(lo * factor, hi * factor) for lo, hi in box] for box in listed]
    flipped = [[(-hi, -lo) for lo, hi in box] for box in listed]
    assert Boxes(moved, dim).volume() == event.volume() == Boxes(flipped, dim).volume()
    assert Boxes(grown, dim).volume() == event.volume() * factor**dim


@some
@given(bounded(1))
def test_the_volume_is_the_sum_over_cells(one):
    (event,) = one
    assert event.volume() == rank(event.cells()) == sum((box_volume(cell) for cell in event.cells()), Fraction(0))


def test_long_sums_in_flint_are_the_sums_of_fractions():
    rng = random.Random(1)
    listed = []
    for _ in range(60):
        low = [Fraction(rng.randrange(10**6), 10**6 + rng.randrange(1000)) for _ in range(2)]
        listed.append([(x, x + Fraction(rng.randrange(1, 10**5), 10**6 + rng.randrange(1000))) for x in low])
    event = Boxes(listed)
    assert len(event.edges[0]) > 100  # several hundred corners
    assert event.volume() == rank(event.cells())


@pytest.mark.parametrize("dim", [7, 8, 9])
def test_a_chequerboard_of_many_dimensions_counts_its_cells(dim):
    """At its centre the mixed difference of the indicator is 2^(dim - 1)."""
    mask = np.zeros((4,) * dim, dtype=bool)
    for corner in np.ndindex(*(2,) * dim):
        mask[tuple(1 + k for k in corner)] = sum(corner) % 2 == 0
    board = Boxes.on_grid(((Fraction(0), Fraction(1), Fraction(2)),) * dim, mask)
    assert board.volume() == 2 ** (dim - 1)


def test_three_dimensions_by_hand():
    cross = Boxes([[(0, 3), (1, 2), (1, 2)], [(1, 2), (0, 3), (1, 2)], [(1, 2), (1, 2), (0, 3)]])
    assert cross.volume() == 7
    # three beams of 5 x 3 x 3 that share the cube of side 3 in the middle
    assert cross.dilate(1).volume() == 3 * 45 - 2 * 27


# ---- germs ----------------------------------------------------------------------------------------------------------


@some
@given(lists(), lists(), radii(max_radius="1/2"))
def test_a_set_with_faces_and_radius_in_eps_is_that_set_for_every_eps_of_the_proved_interval(first, second, at):
    """Run on germs, then check at points of the interval: faces move with eps, and so does the radius."""
    dim = first[0]
    listed = second[1] if second[0] == dim else []

    def build(eps):
        moving = [[(lo - eps, hi + 2 * eps) for lo, hi in box] for box in listed]
        return (Boxes(first[1], dim).dilate(eps) - Boxes(moving, dim)).volume()

    log = Log(at, at + 1)
    answer = build(log.germ())
    for k in range(1, 4):
        x = at + (log.next - at) * Fraction(k, 4)
        assert (answer.poly(x) if isinstance(answer, Germ) else answer) == build(x)


# ---- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Boxes([[("1/2", "1/2")]]), r"side \(1/2, 1/2\) of a box is empty"),
        (lambda: Boxes([[("1", "0")]]), r"side \(1, 0\) of a box is empty"),
        (lambda: Boxes([[("inf", 1)]]), "cannot start at inf"),
        (lambda: Boxes([[(0, "-inf")]]), "cannot end at -inf"),
        (lambda: Boxes([[(0, float("nan"))]]), "coordinate nan is not a finite number"),
        (lambda: Boxes([[(0, 1)], [(0, 1), (0, 1)]]), r"not of dimensions \[1, 2\]"),
        (lambda: Boxes([]), r"boxes of one positive dimension are needed, not of dimensions \[\]"),
        (lambda: Boxes([[]]), "not of dimensions"),
        (lambda: Boxes([[(0, 1, 2)]]), r"is not a pair \(low, high\)"),
        (lambda: Boxes.everything(2).volume(), "an unbounded set has no volume"),
        (lambda: box_volume([(0, None)]), "an unbounded set has no volume"),
        (lambda: Boxes.nothing(1) | Boxes.nothing(2), "events of dimension 1 and 2 do not mix"),
        (lambda: Boxes.nothing(2).dilate("-1/3"), "radius -1/3 is negative"),
        (lambda: Boxes.nothing(2).dilate([1]), "1 radii were given for 2 axes"),
    ],
)
def test_what_is_no_box_is_refused_in_one_sentence(build, message):
    with pytest.raises(ValueError, match=message) as error:
        build()
    assert "\n" not in str(error.value)


def test_floats_are_refused_wherever_a_number_enters():
    for build in (
        lambda: Boxes([[(0.1, 1)]]),
        lambda: Boxes([[(0, 1)]]).dilate(0.1),
        lambda: Boxes([[(0, 1)]]).dilate([0.1]),
        lambda: Boxes([[(0, 1)]]).erode(0.1),
    ):
        with pytest.raises(TypeError, match=r"0\.1 is a float"):
            build()


def test_infinite_sides_may_be_written_in_four_ways():
    half = Boxes([[(None, 0)]])
    assert half == Boxes([[("-inf", 0)]]) == Boxes([[(-math.inf, 0)]]) == ~Boxes([[(0, "inf")]])
    assert half | Boxes([[(0, math.inf)]]) == Boxes.everything(1)


def test_a_grid_too_large_to_hold_is_refused_with_its_size():
    def diagonal(n, shift):
        return [[(k + shift, k + shift + Fraction(1, 3))] * 3 for k in range(n)]

    with pytest.raises(ValueError, match=r"a grid of 401 x 401 x 401 cells is too large: at most 50,000,000"):
        Boxes(diagonal(200, 0))
    one, other = Boxes(diagonal(100, 0)), Boxes(diagonal(100, Fraction(1, 2)))
    assert one.mask.size <= MAX_CELLS
    with pytest.raises(ValueError, match=r"a grid of 401 x 401 x 401 cells is too large"):
        one | other


@some
@given(events(2))
def test_the_common_grid_refines_both(ab):
    a, b = ab
    edges, ours, theirs = common_grid(a, b)
    for event, places in ((a, ours), (b, theirs)):
        refined = Boxes.on_grid(edges, event.mask[np.ix_(*places)])
        assert refined == event
    for axis in range(a.dim):
        assert list(edges[axis]) == sorted({*a.edges[axis], *b.edges[axis]})


def test_a_short_axis_is_merged_into_a_long_one_like_any_other():
    """Long axes are merged by bisection: with coinciding faces, faces beyond both ends and faces between."""
    comb = Boxes([[(k, k + Fraction(1, 2))] for k in range(100)])
    for lo, hi in ((-3, 200), (0, 5), (Fraction(1, 4), 7), (99, Fraction(199, 2)), (Fraction(1, 2), 1)):
        clipped = [(max(Fraction(k), lo), min(k + Fraction(1, 2), hi)) for k in range(100)]
        teeth = Boxes([[side] for side in clipped if side[0] < side[1]], 1)
        tooth = Boxes([[(lo, hi)]])
        assert comb & tooth == tooth & comb == teeth
        assert comb | tooth == tooth | comb == Boxes([*comb.cells(), [(lo, hi)]])
        edges, ours, theirs = common_grid(comb, tooth)
        assert list(edges[0]) == sorted({*comb.edges[0], *tooth.edges[0]})
        assert len(ours[0]) == len(theirs[0]) == len(edges[0]) + 1

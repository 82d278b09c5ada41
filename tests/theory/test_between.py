"""Enclosed events: every operation keeps an event that lies between inner and outer between them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.ball import Ball
from theory.between import Between, enclosed
from theory.boxes import Boxes
from theory.enclosure import Enclosure
from theory.strategies import box_laws, boxes, radii

some = settings(max_examples=30)


@st.composite
def known(draw, n=1, dims=(1, 2)):
    """n pairs (event, enclosure of it) in one dimension."""
    dim = draw(st.sampled_from(dims))
    found = []
    for _ in range(n):
        event, less, more = (draw(boxes(dim=dim, unbounded=True)) for _ in range(3))
        found.append((event, Between(event - less, event | more)))
    return found


def holds(event, enclosure):
    return enclosure.inner <= event <= enclosure.outer


@some
@given(known(2))
def test_and_or_not_and_minus_keep_the_enclosure(pairs):
    (a, ea), (b, eb) = pairs
    assert holds(~a, ~ea)
    assert holds(a & b, ea & eb)
    assert holds(a | b, ea | eb)
    assert holds(a - b, ea - eb)
    for one, other in ((a & b, (ea & b, b & ea)), (a | b, (ea | b, b | ea))):
        assert all(holds(one, each) for each in other)
    assert holds(a - b, ea - b)
    assert holds(b - a, b - ea)


@some
@given(known(2))
def test_exact_events_combine_exactly(pairs):
    (a, _), (b, _) = pairs
    for result, exact in [
        (enclosed(a) & b, a & b),
        (enclosed(a) | b, a | b),
        (a - enclosed(b), a - b),
        (~enclosed(a), ~a),
    ]:
        assert result.inner == result.outer == exact


@some
@given(known(1), radii())
def test_reach_keeps_the_enclosure(pair, r):
    ((event, enclosure),) = pair
    everywhere = Boxes.everything(event.dim)
    assert holds(event.dilate(r), Ball(r).reach(enclosure, everywhere))
    cube = Boxes([[(0, 1)] * event.dim])
    assert holds((event & cube).dilate(r), Ball(r).reach(enclosure, cube))


@settings(max_examples=30)
@given(box_laws(dims=(2,)), st.data())
def test_a_law_encloses_the_mass_of_what_it_knows_in_part(law, data):
    event, less, more = (data.draw(boxes(dim=2)) for _ in range(3))
    mass = law.mass(Between(event - less, event | more), +1)
    assert isinstance(mass, Enclosure)
    assert mass.contains(law.mass(event, +1))
    assert (mass.lo, mass.hi) == (law.mass(event - less, +1), law.mass(event | more, +1))
    assert mass.how == ("inner and outer boxes",)


def test_an_inner_set_outside_the_outer_one_is_refused():
    with pytest.raises(ValueError, match="inner boxes of an enclosed event must lie inside its outer ones"):
        Between(Boxes([[(0, 2)]]), Boxes([[(0, 1)]]))

"""The memory of radii: closed forms against simulation, and exact attacks against enumeration of corners."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.iaat import (
    RadiusRule,
    Selection,
    line_search,
    linear_radius,
    radius_limit,
    radius_path,
    radius_reach,
    select_radius,
    signed_reach,
    text_radius,
    within,
)

PRINTED = RadiusRule("1.9", "0.1")
numbers = st.fractions(0, 12, max_denominator=10)
rules = st.builds(RadiusRule, st.fractions("1/4", 3, max_denominator=8), st.fractions("1/8", 1, max_denominator=8))


@given(numbers, numbers, rules)
def test_the_closed_limit_is_where_the_path_stops_and_when(memory, radius, rule):
    settled = radius_limit(memory, radius, rule)
    path = radius_path(memory, within(radius), rule, settled.epochs + 2)
    assert path[-1] == path[-2] == path[-3] == settled.radius
    assert settled.epochs == 0 or path[-4] != settled.radius
    assert radius - rule.gamma < settled.radius <= radius  # the band of fixed points


@given(numbers, st.fractions(-3, 12, max_denominator=10), rules, numbers)
def test_the_closed_limit_with_a_lower_bound(memory, radius, rule, lower):
    rule = RadiusRule(rule.gamma, rule.beta, lower)
    settled = radius_limit(memory + lower, radius, rule)
    path = radius_path(memory + lower, within(radius), rule, settled.epochs + 2)
    assert path[-1] == path[-3] == settled.radius >= lower
    assert settled.epochs == 0 or path[-4] != settled.radius


@pytest.mark.parametrize(("radius", "settled", "epochs"), [(11, "9.14", 6), (3, "2.87", 27), (30, "28.14", 106)])
def test_the_printed_constants_from_warm_up(radius, settled, epochs):
    path = radius_path(8, within(radius), PRINTED, 200)
    assert path[-1] == Fraction(settled)
    assert path.index(Fraction(settled)) == epochs


@given(numbers, rules, st.lists(st.fractions(0, 12, max_denominator=4), min_size=1, max_size=8))
def test_no_radius_outruns_the_reach_even_if_the_network_changes(memory, rule, radii):
    m = memory
    for radius in radii:
        m = select_radius(m, within(radius), rule).radius
    assert abs(m - memory) <= radius_reach(memory, rule, len(radii)) - memory


def test_it_takes_one_or_two_attacks_and_never_one_at_the_third_radius():
    asked = []

    def attack(survivors):
        def survives(eps):
            asked.append(eps)
            return eps in survivors

        return survives

    for survivors, attacks, radius in (({10, 8}, 1, "8.2"), ({8}, 2, "8"), (set(), 2, "7.8")):
        rule = RadiusRule(2, "0.1")
        assert select_radius(8, attack(survivors), rule) == Selection(Fraction(radius), attacks)
    assert set(asked) == {10, 8}


def test_a_wrong_example_falls_for_ever_unless_the_memory_is_clipped():
    assert radius_path(8, within(-1), PRINTED, 60)[-1] == 8 - 60 * Fraction("0.19")
    with pytest.raises(ValueError, match="radius -1 is negative, so the memory falls for ever"):
        radius_limit(8, -1, PRINTED)
    assert radius_limit(8, -1, RadiusRule("1.9", "0.1", lower=4)).radius == 4


def test_the_rule_in_the_text_never_settles():
    eps = [Fraction(8)]
    for _ in range(4):
        eps.append(text_radius(eps[-1], within("8.5"), "1.9"))
    assert eps == [8, Fraction("9.9"), 8, Fraction("9.9"), 8]


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=3).filter(any), st.integers(-5, 5), st.data())
def test_the_linear_radius_is_where_a_corner_of_the_ball_reaches_score_zero(weights, offset, data):
    x = data.draw(st.lists(st.integers(-3, 3), min_size=len(weights), max_size=len(weights)))
    label = data.draw(st.sampled_from((-1, 1)))
    radius = linear_radius(weights, offset, x, label)
    corners = itertools.product((-radius, radius), repeat=len(x))
    scores = [sum(w * (a + d) for w, a, d in zip(weights, x, ds, strict=True)) + offset for ds in corners]
    assert (min(label * s for s in scores) == 0) == (radius >= 0)
    assert 0 in scores


@given(st.integers(1, 12), st.fractions("1/4", 2, max_denominator=4), st.fractions(0, 12, max_denominator=4), st.data())
def test_signed_reach_is_what_projected_steps_reach(steps, step, eps, data):
    start = data.draw(st.fractions(-eps, eps, max_denominator=4))
    position = start
    for _ in range(steps):
        position = max(-eps, min(eps, position + step))
    assert signed_reach(steps, step, eps, start) == position


@given(numbers, st.fractions("1/4", 3, max_denominator=4), numbers)
def test_an_exact_attack_makes_both_line_searches_agree(radius, eta, largest):
    found = line_search(within(radius), eta, largest)
    assert found == line_search(within(radius), eta, largest, first_failure=True)
    assert found <= radius
    assert found + eta > min(radius, largest)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: RadiusRule(0, "0.1"), "gamma 0 is not positive"),
        (lambda: RadiusRule("1.9", 0), "beta 0 is not allowed; choose 0 < beta <= 1"),
        (lambda: RadiusRule("1.9", "1.1"), "beta 11/10 is not allowed"),
        (lambda: radius_limit(1, 8, RadiusRule(1, 1, lower=2)), "memory 1 is below the lower bound 2"),
        (lambda: line_search(within(1), 0, 1), "eta 0 is not positive"),
        (lambda: linear_radius([0], 1, [1], 1), "all weights are 0"),
        (lambda: linear_radius([1], 1, [1], 0), "label 0 is not binary"),
        (lambda: signed_reach(1, 1, 1, start=2), "start 2 is outside the ball; allowed are -1 to 1"),
    ],
)
def test_bad_numbers_are_named(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()

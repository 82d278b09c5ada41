"""The search finds and shrinks what is false, leaves alone what is true, and explains what is no margin."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import strategies as st

from proofs_check import Counterexample, Support, assert_holds, refute, show
from proofs_check.families import FAMILIES, family
from proofs_check.search import MarginError, counterexample
from theory import Enclosure, robust_risk, standard_risk
from theory.strategies import rationals


def costs_nothing(problem):
    """False: robustness may cost risk."""
    return standard_risk(problem.classifier, problem.law) - robust_risk(problem.classifier, problem.law, problem.ball)


def costs_something(problem):
    return -costs_nothing(problem)


@pytest.mark.parametrize("cases", ["finite", "boxes"])
def test_a_false_margin_is_refuted_by_a_small_case_that_the_snippet_makes_again(cases):
    found = refute(costs_nothing, cases, n=200)
    assert isinstance(found, Counterexample)
    scope = {"costs_nothing": costs_nothing}
    exec("\n".join(line for line in found.snippet.splitlines() if "import costs_nothing" not in line), scope)
    assert costs_nothing(scope["case"]) == costs_nothing(found.case) == found.margin < 0
    if cases == "finite":
        assert len(found.case.law.space) == 2  # one point cannot have a boundary


def test_a_true_margin_is_supported_by_as_many_cases_as_were_tried():
    assert refute(costs_something, "finite", n=60) == Support(60, 0)


def test_equal_searches_give_equal_answers():
    def margin(t):
        return Fraction(3, 2) - t[0] - t[1] * t[2]

    first, second, other = (refute(margin, "numbers", n=200, seed=seed) for seed in (7, 7, 8))
    assert first == second
    assert first.cases != other.cases  # the seed matters


def test_cases_are_counted_until_the_first_counterexample_and_not_while_shrinking():
    seen = []

    def margin(t):
        seen.append(Fraction(3, 2) - t[0] - t[1] * t[2])
        return seen[-1]

    found = refute(margin, "numbers", n=200)
    first = next(k for k, value in enumerate(seen, 1) if value < 0)
    assert found.cases == first < len(seen)


def test_the_smallest_counterexample_of_a_sequence_is_the_first():
    found = refute(lambda k: 3 - k, range(100))
    assert (found.case, found.margin, found.cases) == (4, -1, 5)
    assert refute(lambda k: 3 - k, range(100), n=4) == Support(4, 0)


def test_an_enclosure_that_holds_zero_counts_neither_for_nor_against():
    wide = refute(lambda x: Enclosure(-1, 1), rationals(), n=20)
    assert isinstance(wide, Support)
    assert wide.n == 0 < wide.undecided
    assert refute(lambda x: Enclosure(-1, "-1/2"), rationals(), n=20).margin.hi == Fraction(-1, 2)


@pytest.mark.parametrize(
    ("margin", "words"),
    [
        (lambda x: math.nan, r"NaN on the case Fraction\("),
        (lambda x: 0.5, r"type float on the case Fraction\("),
        (lambda x: x > 2, r"type bool on the case Fraction\("),
        (lambda x: 1 / (x - x), r"raised ZeroDivisionError .* on the case Fraction\("),
    ],
)
def test_a_margin_that_is_none_shows_the_case(margin, words):
    with pytest.raises(MarginError, match=words):
        refute(margin, rationals(), n=20)


def test_a_margin_that_changes_its_mind_is_found_out():
    answers = iter([1, 1, -1, *[1] * 1000])
    with pytest.raises(MarginError, match="answers differently"):
        refute(lambda x: next(answers), st.integers(), n=20)


def test_arguments_that_make_no_search():
    with pytest.raises(ValueError, match="n 0 is not positive"):
        refute(costs_nothing, n=0)
    with pytest.raises(ValueError, match="nearest: 'boxes'"):
        refute(costs_nothing, "boxs")
    with pytest.raises(TypeError, match="neither a strategy nor a family"):
        refute(costs_nothing, 5)
    with pytest.raises(ValueError, match="no counterexample: the margin is 1"):
        counterexample(lambda x: 1, 0)


def test_assert_holds_is_for_tests():
    assert_holds(lambda t: t[0] + 1, "numbers", n=20)
    with pytest.raises(AssertionError, match=r"the margin is -1 on this case:\npart"):
        assert_holds(lambda t: t[0] - 1, "numbers", n=20)
    with pytest.raises(AssertionError, match="could be decided"):
        assert_holds(lambda t: Enclosure(-1, 1), "numbers", n=5)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_every_family_has_tables_and_source_that_makes_its_cases_again(name):
    seen = []
    refute(lambda case: seen.append(case) or 1, name, n=12)
    for case in seen:
        source = show.Source()
        expression = source.of(case)
        scope: dict = {}
        exec("\n".join(source.imports), scope)
        again = eval(expression, scope)
        assert show.Source().of(again) == expression
        assert str(show.table(again)) == str(show.table(case))
    assert len({show.Source().of(case) for case in seen}) > 6
    assert family(name) is not None

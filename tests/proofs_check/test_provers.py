"""The provers prove what is so, refute what is not, and say UNDECIDED otherwise."""

from __future__ import annotations

from fractions import Fraction

import pytest

from proofs_check import Evidence
from proofs_check.provers import (
    confirmed,
    decided,
    every_case,
    given_case,
    identity,
    on_curve,
    readings,
    sampled,
    solve,
)  # fmt: skip
from theory import Enclosure
from theory.strategies import rationals


def test_every_case():
    assert every_case(lambda k: 3 - k, range(4), "k < 4") == Evidence("PROVED", "all cases: k < 4", 4)
    found = every_case(lambda k: 2 - k, range(4), "k < 4")
    assert (found.kind, found.witness.case) == ("REFUTED", 3)
    assert every_case(lambda k: Enclosure(-1, 1), range(4), "k < 4").kind == "UNDECIDED"
    with pytest.raises(ValueError, match="proves nothing"):
        every_case(lambda k: 1, [], "nothing")


def test_a_curve_is_judged_at_breakpoints_and_between_them():
    assert on_curve(lambda eps: [eps * (1 - eps)], 0, 1).kind == "PROVED"
    hump = on_curve(lambda eps: [(eps - Fraction(1, 3)) * (eps - Fraction(2, 3))], 0, 1)
    assert (hump.kind, hump.witness.case) == ("REFUTED", Fraction(1, 2))
    point = on_curve(lambda eps: [-1 if eps == Fraction(1, 3) else 0], 0, 1)  # wrong at one point only
    assert (point.kind, point.witness.case) == ("REFUTED", Fraction(1, 3))
    assert on_curve(lambda eps: [eps - eps], 0, 1, zero=True).kind == "PROVED"
    assert on_curve(lambda eps: [1 if eps == Fraction(1, 3) else 0], 0, 1, zero=True).witness.case == Fraction(1, 3)
    assert on_curve(lambda eps: [0, eps], 0, 1, zero=True).kind == "REFUTED"  # the second of two


def test_identities():
    from sympy import symbols

    x = symbols("x")
    assert identity({"square": (x + 1) ** 2 - x**2 - 2 * x - 1}).kind == "PROVED"
    wrong = identity({"square": (x + 1) ** 2 - x**2 - 1})
    assert (wrong.kind, wrong.how) == ("UNDECIDED", "sympy does not reduce square to 0")


def test_cores():
    from z3 import Real

    x = Real("x")
    assert solve([x > 1], {"square": x * x > 1}).kind == "PROVED"
    assert solve([x > 1], {"square": x * x > 1, "more": x > 2}).how == "z3 does not prove more"
    with pytest.raises(ValueError, match="premises cannot be met"):
        solve([x > 1, x < 1], {"anything": x > 2})
    with pytest.raises(ValueError, match="empty core"):
        decided({})


def test_a_sample_proves_nothing():
    assert sampled(lambda x: x, rationals(), 30).kind == "SUPPORTED"
    assert sampled(lambda x: x - 1, rationals(), 30).kind == "REFUTED"
    assert sampled(lambda x: Enclosure(-1, 1), rationals(), 30).kind == "UNDECIDED"


def test_a_search_beside_a_proof_can_only_refute_it():
    proof = Evidence("PROVED", "a proof", 1)
    assert confirmed(proof, Evidence("SUPPORTED", "a search", 3)).kind == "PROVED"
    assert confirmed(proof, given_case(lambda x: -1, 0)).kind == "REFUTED"
    weak = Evidence("UNDECIDED", "no proof", 1)
    assert confirmed(weak, Evidence("SUPPORTED", "a search", 3)).kind == "UNDECIDED"


def test_the_smallest_margin_and_the_cases_tried_are_kept():
    found = sampled(lambda x: x + Fraction(1, 2), rationals(), 30)
    assert (found.tried, found.slack) == (found.cases, Fraction(1, 2))  # Hypothesis tries 0 first
    beside = confirmed(Evidence("PROVED", "a proof", 1), found)
    assert (beside.cases, beside.tried, beside.slack) == (1, found.cases, Fraction(1, 2))
    assert sampled(lambda x: Enclosure(x - 1, x + 5) + 1, rationals(), 30).slack == 0  # what the margin is at least


def test_readings_that_disagree_leave_a_claim_unreadable():
    yes, no = Evidence("PROVED", "a proof", 1), given_case(lambda x: -1, 0)
    assert readings({"2 eps": yes, "eps": no}).kind == "UNREADABLE"
    assert readings({"2 eps": yes, "two eps": yes}).kind == "PROVED"


def test_evidence_against_has_a_witness_and_other_evidence_has_none():
    with pytest.raises(ValueError, match="needs a witness"):
        Evidence("REFUTED", "by decree")
    with pytest.raises(ValueError, match="unknown"):
        Evidence("CERTAIN", "by decree")
    with pytest.raises(ValueError, match="no counterexample"):
        given_case(lambda x: 1, 0)

"""IAAT's and PGN's claims: planted errors are caught, rules for networks go both ways, formulas have a second route."""

from __future__ import annotations

import dataclasses
import itertools
import math
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs_check import Counterexample, check, refute, registry
from proofs_check.claims import (
    iaat,
    iaat_attacks,
    iaat_networks,
    iaat_radii,
    iaat_tables,
    pgn,
    pgn_measures,
    pgn_objective,
    pgn_tables,
)
from proofs_check.provers import solve
from proofs_check.rules import below_frontier
from theory.record import Record

CLAIMS = registry(
    iaat,
    iaat_attacks,
    iaat_radii,
    iaat_tables,
    iaat_networks,
    pgn,
    pgn_measures,
    pgn_objective,
    pgn_tables,
)
cell = st.fractions(0, 4, max_denominator=2)


def test_every_mathematical_claim_that_holds_is_proved():
    """Repairs stand for the printed claim that they repair."""
    printed = [item for item in CLAIMS.values() if item.group == "mathematics"]
    held = [CLAIMS[item.amendment] if item.amendment else item for item in printed]
    assert len(printed) > 30
    assert {item.expected for item in held} == {"PROVED"}


# ---- the search finds by itself what a pinned case shows ----


@pytest.mark.parametrize(
    ("margin", "cases"),
    [
        (iaat_radii.text_rule_margin, iaat_radii.memories()),
        (iaat_radii.text_settles_margin, iaat_radii.memories()),
        (iaat_radii.finds_radius_margin, iaat_radii.memories()),
        (iaat_radii.radius_sign_margin, iaat_radii.memories(-2)),
        (iaat_attacks.consistent_margin, st.lists(st.booleans(), min_size=1, max_size=4).map(tuple)),
        (iaat.joint_margin, st.builds(iaat.Pair, cell, cell, cell)),
        (iaat.algorithm_1_margin, st.builds(iaat.Trained, st.fractions(-2, 2, max_denominator=2), cell)),
        (pgn.min_exchange_margin, pgn.games()),
        (pgn.max_exchange_margin, pgn.games()),
        (pgn.zero_margin, pgn.linears()),
        (pgn_measures.area_margin, st.builds(pgn_measures.Attacked, st.lists(cell, min_size=1).map(tuple))),
        (pgn_objective.same_gradient_margin, pgn.linears()),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_the_search_refutes_by_itself_what_a_pinned_case_refutes(margin, cases):
    found = refute(margin, cases, n=300)
    assert isinstance(found, Counterexample)
    assert found.margin < 0


# ---- planted errors ----


@pytest.mark.parametrize(
    "planted",
    [
        lambda case: case.beta * case.memory + (1 - case.beta) * (case.memory + case.gamma),
        lambda case: case.memory + case.gamma if case.memory <= case.radius else case.memory - case.gamma,
    ],
    ids=["beta exchanged", "the text's rule"],
)
def test_another_algorithm_2_is_noticed(monkeypatch, planted):
    monkeypatch.setattr(iaat_radii, "algorithm_2", planted)
    for key in ("iaat-algorithm-2-step", "iaat-algorithm-2-repaired"):
        assert check(key, 200, CLAIMS).kind == "REFUTED"


def test_z3_does_not_prove_a_wider_band_or_a_longer_step():
    from z3 import And, Implies

    m, radius, gamma, beta, after, known = iaat_radii.z3_memory()
    closed = Implies(And(m >= radius - gamma, m <= radius), after == m)
    assert solve(known, {"closed band": closed}).kind == "UNDECIDED"
    inside = Implies(m <= radius - gamma, after <= radius)
    assert solve(known, {"no jump": inside}).kind == "PROVED"
    assert solve([*known[:-1], beta <= 2], {"no jump": inside}).kind == "UNDECIDED"


def _tables(module):
    return [value for name, value in vars(module).items() if name.startswith("TABLE_") and isinstance(value, dict)]


ARITHMETIC = [
    (module, key)
    for module in (iaat_tables, pgn_tables)
    for key, item in registry(iaat_tables, pgn_tables).items()
    if key.startswith(module.__name__.rsplit(".", 1)[-1].split("_")[0])
    and item.kind in ("arithmetic", "repair")
    and item.expected == "PROVED"
    and key != "iaat-units"  # has no cell
]


@pytest.mark.parametrize(("module", "key"), ARITHMETIC, ids=[key for _, key in ARITHMETIC])
def test_a_wrong_cell_is_noticed(module, key, monkeypatch):
    """For every table's arithmetic some cell, made wrong, changes the verdict."""
    item = CLAIMS[key]
    assert check(item, 1, CLAIMS).kind == "PROVED"
    for rows in _tables(module):
        for name, row in list(rows.items()):
            for k, shift in itertools.product(range(len(row)), (7, -7)):
                with monkeypatch.context() as patch:
                    patch.setitem(rows, name, (*row[:k], row[k] + shift, *row[k + 1 :]))
                    if item.prove(1).kind == "REFUTED":
                        return
    pytest.fail("no cell matters to this claim")


def test_equal_natural_accuracies_are_no_contradiction(monkeypatch):
    assert check("iaat-wrn-natural-accuracy", 1, CLAIMS).kind == "IMPOSSIBLE"
    row = iaat_tables.TABLE_1["WRN IAAT"]
    monkeypatch.setitem(iaat_tables.TABLE_1, "WRN IAAT", (Fraction("90.67"), *row[1:]))
    assert check("iaat-wrn-natural-accuracy", 1, CLAIMS).kind == "UNDECIDED"


# ---- rules for networks ----


def _rows(text):
    """'method=iaat natural=1, method=...' as rows, numbers as floats."""

    def value(word):
        try:
            return float(word)
        except ValueError:
            return word

    return [{k: value(v) for k, v in (pair.split("=") for pair in row.split())} for row in text.split(",")]


TRADE = "method=iaat natural=84 robust=40, method=adversarial natural=80 robust=42"
FIXED = "method=adversarial natural=90 robust=20, method=adversarial natural=80 robust=40"
RULES = {
    "iaat-table1": (TRADE, TRADE.replace("84", "80")),
    "iaat-table2": (TRADE, TRADE.replace("=40", "=38")),
    "iaat-table3": (TRADE, TRADE.replace("84", "79")),
    "iaat-figure3": (
        f"{FIXED}, method=iaat natural=86 robust=31",
        f"{FIXED}, method=iaat natural=84 robust=31",
    ),
    "iaat-figure4": (
        "method=iaat eps=8 robust=40, method=adversarial eps_train=8 eps=8 robust=39",
        "method=iaat eps=8 robust=40, method=adversarial eps_train=8 eps=8 robust=41",
    ),
    "iaat-figure7": ("mean=8 deviation=0, mean=11 deviation=3", "mean=8 deviation=0, mean=26 deviation=3"),
    "iaat-warm-up-networks": (
        "method=iaat robust=41, method=iaat_cold robust=38",
        "method=iaat robust=38, method=iaat_cold robust=38",
    ),
    "iaat-line-search-networks": (
        "method=line_search natural=88, method=iaat natural=87",
        "method=line_search natural=86, method=iaat natural=87",
    ),
    "iaat-mixup-networks": (
        "method=iaat robust=41, method=mixup robust=38",
        "method=iaat robust=37, method=mixup robust=38",
    ),
    "iaat-corruptions-networks": (
        "method=iaat corruption=79, method=adversarial corruption=74",
        "method=iaat corruption=73, method=adversarial corruption=74",
    ),
    "pgn-table2-networks": (
        "method=pgn natural=0.7 rho=0.26, method=fgm natural=0.7 rho=0.13, method=pgd natural=0.7 rho=0.13",
        "method=pgn natural=0.6 rho=0.26, method=fgm natural=0.7 rho=0.13, method=pgd natural=0.7 rho=0.13",
    ),
    "pgn-figure2": (
        "eps=0.1 rho=0.1 natural=0.7, eps=0.5 rho=0.3 natural=0.6",
        "eps=0.1 rho=0.1 natural=0.7, eps=0.5 rho=0.3 natural=0.8",
    ),
    "pgn-figure3": (
        "method=pgn norm=1 robust=0.2, method=pgd norm=1 robust=0.3",
        "method=pgn norm=1 robust=0.3, method=pgd norm=1 robust=0.3",
    ),
    "pgn-figure5": (
        "method=pgn natural=0.7 rho=0.3, method=pgd natural=0.7 rho=0.1, method=pgd natural=0.6 rho=0.4",
        "method=pgn natural=0.6 rho=0.1, method=pgd natural=0.7 rho=0.1, method=pgd natural=0.6 rho=0.4",
    ),
    "pgn-cost-networks": (
        "cost=10 rho=0.5 natural=0.6, cost=50 rho=0.3 natural=0.7",
        "cost=10 rho=0.2 natural=0.6, cost=50 rho=0.3 natural=0.7",
    ),
    "pgn-capacity-networks": (
        "filters=64 rho=0.3 natural=0.6, filters=128 rho=0.4 natural=0.7",
        "filters=64 rho=0.3 natural=0.6, filters=128 rho=0.4 natural=0.5",
    ),
    "pgn-figure8": (
        "method=no_image rho=2, method=no_label rho=2, method=no_gradient rho=1",
        "method=no_image rho=2, method=no_label rho=1, method=no_gradient rho=1",
    ),
    "pgn-overfitting": ("method=fgm gap=0.3, method=pgn gap=0.1", "method=fgm gap=0.1, method=pgn gap=0.1"),
}


def test_every_rule_is_tried():
    assert set(RULES) == {key for key, item in CLAIMS.items() if item.reads}


@pytest.mark.parametrize("key", RULES)
def test_a_rule_for_networks_goes_both_ways(key):
    item, (good, bad) = CLAIMS[key], RULES[key]

    def verdict(text, setting="reduced", claim=key):
        record = Record.new(item.reads, {"claim": claim, "setting": setting, "rows": _rows(text)}, command="a test")
        return check(item, 1, CLAIMS, {"record.json": record}).kind

    assert check(item, 1, CLAIMS).kind == "NOT RUN"
    assert verdict(good) == "DIRECTION HELD"
    assert verdict(good, setting="paper") == "REPRODUCED"
    assert verdict(bad) == "FAILED"
    assert verdict(good, claim="iaat-of-another-kind") == "NOT RUN"


percent = st.integers(0, 8)


@settings(max_examples=60)
@given(st.tuples(percent, percent), st.lists(st.tuples(percent, percent), min_size=1, max_size=3))
def test_the_frontier_is_that_of_all_mixtures(point, others):
    def row(pair):
        return {"natural": pair[0], "robust": pair[1]}

    shares = np.linspace(0, 1, 841)  # holds every ratio of integers up to 8
    mixtures = [np.outer(1 - shares, a) + np.outer(shares, b) for a in others for b in others]
    reached = any((mixture >= np.array(point) - 1e-9).all(axis=1).any() for mixture in mixtures)
    assert below_frontier(row(point), [row(pair) for pair in others]) == reached


# ---- second routes ----


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=4), st.floats(0, 1), st.floats(-3, 3))
def test_eq_1_on_a_linear_score_is_the_worst_corner(weights, eps, margin):
    losses = [
        math.log1p(math.exp(-(margin + sum(w * d for w, d in zip(weights, corner, strict=True)))))
        for corner in itertools.product((-eps, eps), repeat=len(weights))
    ]
    closed = math.log1p(math.exp(eps * sum(map(abs, weights)) - margin))
    assert max(losses) == pytest.approx(closed)


@given(st.floats(0.05, 2), st.floats(0, 1), st.floats(0.01, 1))
def test_eq_8_by_the_normal_density(sigma, length, probability):
    left = math.log(NormalDist(0, sigma).pdf(length) / probability)
    constant = math.log(math.sqrt(2 * math.pi) * sigma)
    assert left == pytest.approx(-math.log(probability) - length**2 / (2 * sigma**2) - constant)


@given(st.lists(cell, min_size=1, max_size=6), st.integers(0, 2))
def test_the_area_is_that_of_the_graph(norms, never):
    case = pgn_measures.Attacked(tuple(norms), never)
    middles = (np.arange(16 * 8) + 0.5) / 16  # every jump is between two of them
    accuracy = [(sum(float(norm) > t for norm in norms) + never) / (len(norms) + never) for t in middles]
    assert float(pgn_measures.area(case)) == pytest.approx(sum(accuracy) / 16)


def test_both_orders_of_the_game_on_two_examples():
    assert pgn.min_order_margin(pgn.OPPOSED) == pgn.max_order_margin(pgn.OPPOSED) == Fraction(1, 2)


def test_c_at_the_printed_cost():
    assert math.log(math.sqrt(2 * math.pi) / 10) == pytest.approx(-1.3836466, abs=1e-7)
    assert pgn_objective.target_margin(pgn_objective.PRINTED) < 0
    assert NormalDist(0, 0.1).pdf(0) ** 2 == pytest.approx(50 / math.pi)


def test_a_step_in_either_direction_from_a_best_length_is_worse():
    tie = pgn_objective.TIE
    for length in ("0.0367", "2.9632"):
        at = dataclasses.replace(tie, length=Fraction(length))
        assert 0 <= pgn_objective.beats_margin(at) < Fraction(1, 10**6)
    assert pgn_objective.beats_margin(dataclasses.replace(tie, length=Fraction(3, 2))) > Fraction(1, 10)


@pytest.mark.parametrize("key", [key for key, item in CLAIMS.items() if item.figure])
def test_figures_draw(key):
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    CLAIMS[key].figure(axes)
    assert len(axes.lines) > 1
    assert axes.get_xlabel()

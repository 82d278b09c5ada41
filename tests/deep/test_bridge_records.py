"""The records that come with the package: their networks do what they say, and the README's words about them hold."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from deep.bridge.__main__ import SCHEMA
from deep.bridge.experiment import misses
from deep.bridge.laws import box_setting
from deep.bridge.records import from_text, names, read_rows, shipped
from theory.record import Record
from theory.relu import network_risks

RECORDS = {name: Record.read(shipped(name), SCHEMA).data for name in names()}


def rows_of(name: str) -> list[dict[str, Any]]:
    return read_rows(RECORDS[name]["rows"], RECORDS[name]["how"])


def trained(name: str, method: str) -> list[dict[str, Any]]:
    return [row for row in rows_of(name) if row["method"] == method and "seed" in row]


def named(name: str, method: str, eps: str) -> dict[str, Any]:
    return next(row for row in rows_of(name) if row["method"] == method and row["eps"] == Fraction(eps))


def test_there_are_records() -> None:
    assert "cheese-n" in RECORDS


@pytest.mark.parametrize("name", RECORDS)
def test_every_enclosure_meets_its_simulation_and_no_network_beats_the_optimum(name: str) -> None:
    rows = rows_of(name)
    assert misses(rows) == []
    networks = [row for row in rows if "seed" in row]
    assert networks
    for row in networks:
        assert row["simulated_robust_risk"].alpha == Fraction(1, 10**6)
        assert row["robust_risk"].hi >= row["optimum"].lo
        assert row["seen_robust_risk"].hi >= row["seen_optimum"].lo
        assert row["standard_risk"].lo <= row["sensible_risk"].hi <= row["robust_risk"].hi
        assert row["delta"].lo >= 0
        assert row["delta_lhs"].lo <= row["sharper"].hi
        assert max(row[risk].width for risk in ("standard_risk", "robust_risk", "sensible_risk")) <= Fraction(1, 10**9)


@pytest.mark.parametrize("name", RECORDS)
def test_the_networks_of_a_record_do_what_it_says(name: str) -> None:
    rows = rows_of(name)
    for held in RECORDS[name]["networks"][::4]:
        setting = box_setting(RECORDS[name]["law"], Fraction(held["eps"]))
        found = network_risks(from_text(held["layers"]), setting.true, setting.ball, setting.reference)
        keys = ("method", "n", "seed", "width", "steps")
        row = next(r for r in rows if all(r.get(k) == held[k] for k in keys) and r["eps"] == setting.ball.radius)
        for risk in ("standard", "boundary", "robust", "sensible"):
            assert row[f"{risk}_risk"].overlaps(getattr(found, risk))


# ---- what the README says ----


def test_certified_training_finds_the_optimum_of_the_holes_and_attacks_do_not() -> None:
    least = named("cheese-n", "bayes", "1/10")["seen_optimum"].fraction
    certified = trained("cheese-n", "certified-trades")
    assert sum(row["seen_robust_risk"].hi <= least + Fraction(1, 100) for row in certified) == 5
    assert all(row["seen_robust_risk"].lo > Fraction(33, 100) for row in trained("cheese-n", "natural"))
    assert all(row["seen_robust_risk"].lo > Fraction(28, 100) for row in trained("cheese-n", "trades"))
    attacked = [row["seen_robust_risk"] for row in trained("cheese-n", "pgd-at")]
    assert min(x.lo for x in attacked) < Fraction(16, 100) < Fraction(32, 100) < max(x.hi for x in attacked)


def test_what_is_most_robust_on_the_holes_is_less_robust_than_the_bayes_rule_on_the_square() -> None:
    bayes = named("cheese-n", "bayes", "1/10")["robust_risk"].fraction
    assert all(row["robust_risk"].lo > bayes for row in trained("cheese-n", "certified-trades"))


def test_no_network_fills_the_unseen_space_as_the_worst_natural_minimiser_would() -> None:
    worst = named("cheese-n", "worst_natural", "1/10")["standard_risk"].fraction
    assert worst == Fraction(3, 4)
    assert all(row["standard_risk"].hi < Fraction(12, 1000) for row in trained("cheese-n", "natural"))


def test_no_sensible_risk_comes_near_0() -> None:
    # 2 (1 - prior) eps: the limit as the border comes to the Bayes rule's from the left
    networks = [row for row in rows_of("cheese-n") if "seed" in row]
    assert all(row["sensible_risk"].lo > Fraction(9, 100) for row in networks)


def test_the_right_side_says_something_where_the_score_is_trained_to_be_flat() -> None:
    assert all(row["delta_rhs"].hi < Fraction(9, 20) for row in trained("cheese-n", "trades"))
    assert all(row["delta_rhs"].lo > 10 for row in trained("cheese-n", "natural"))
    for method in ("natural", "trades", "sense", "pgd-at"):
        assert all(row["sharper"].hi < Fraction(2, 5) for row in trained("cheese-n", method))


def test_eq_3_with_the_hinge_and_lambda_1_gives_constants() -> None:
    best = max(row["surrogate_risk"].hi + row["adversarial"].hi for row in trained("cheese-n", "trades"))
    for row in trained("cheese-n", "binary-trades"):
        assert row["surrogate_risk"].lo + row["adversarial"].lo > 2 * best
        assert row["boundary_risk"].hi == 0
        assert row["robust_risk"].fraction in (Fraction(9, 20), Fraction(11, 20))


def test_stopping_early_helps_adversarial_training_on_few_points() -> None:
    runs = {(row["steps"], row["seed"]): row["robust_risk"] for row in trained("cheese-steps", "pgd-at")}
    assert all(runs[300, seed].hi < Fraction(191, 1000) < Fraction(205, 1000) < runs[1000, seed].lo for seed in (0, 1))


def test_scores_steepen_long_after_the_risks_have_settled() -> None:
    rows = {(row["steps"], row["seed"]): row for row in trained("cheese-steps", "natural")}
    for seed in (0, 1):
        sides = [rows[steps, seed]["delta_rhs"] for steps in (30, 100, 300, 1000)]
        assert all(a.hi < b.lo for a, b in pairwise(sides))
        assert sides[-1].lo > 50
        assert rows[1000, seed]["robust_risk"].hi - rows[100, seed]["robust_risk"].lo < Fraction(1, 100)


def test_no_network_fills_the_unseen_space_as_the_worst_sensible_minimiser_would() -> None:
    for eps, worst in (("1/40", "0.5775"), ("1/24", "7/16")):
        assert named("cheese-eps", "worst_sensible", eps)["standard_risk"].fraction == Fraction(worst)
        networks = [row for row in rows_of("cheese-eps") if "seed" in row and row["eps"] == Fraction(eps)]
        assert {row["method"] for row in networks} == {"natural", "certified-trades"}
        assert all(row["standard_risk"].hi < Fraction(12, 1000) for row in networks)


def test_at_a_quarter_certified_networks_are_near_the_bayes_rule_again() -> None:
    assert named("cheese-eps", "seen_optimum", "1/4")["standard_risk"].fraction == 0
    far, near = (
        [row["standard_risk"] for row in trained("cheese-eps", "certified-trades") if row["eps"] == Fraction(eps)]
        for eps in ("1/10", "1/4")
    )
    assert max(x.hi for x in near) < Fraction(25, 1000) < Fraction(13, 100) < min(x.lo for x in far)


def test_wide_certified_networks_attain_the_optimum_of_the_holes_and_narrow_ones_do_not() -> None:
    rows = trained("cheese-width", "certified-trades")
    assert sorted(row["width"] for row in rows) == [4, 4, 16, 16, 64, 64]
    for row in rows:
        least = row["seen_optimum"].fraction
        if row["width"] == 4:
            assert row["seen_robust_risk"].lo > least + Fraction(3, 100)
        else:
            assert row["seen_robust_risk"].hi <= least + Fraction(1, 10**6)
    bayes = named("cheese-width", "bayes", "1/10")["robust_risk"].fraction
    robust = [row["robust_risk"] for row in rows if row["width"] > 4]
    assert min(x.hi for x in robust) < bayes < max(x.lo for x in robust)

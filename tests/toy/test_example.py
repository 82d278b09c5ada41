"""toy.example: from laws and classifiers as functions of eps to tables, curves and simulations."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Any

import pytest

from theory import Ball, BoxDistribution, Boxes, Enclosure, RegionClassifier, robust_risk, sensible_risk
from toy import stripes
from toy.example import RISKS, Example

F = Fraction
LAW = BoxDistribution.of_masses({-1: [([("0", "1/2")], "2/5")], +1: [([("1/2", "1")], "3/5")]}, [("0", "1")])
RULE = RegionClassifier.binary(Boxes([(("1/2", None),)]))
EARLY = RegionClassifier.binary(Boxes([(("2/5", None),)]))


def step(eps: Any) -> Any:
    """A law's classifier that moves with eps."""
    return RegionClassifier.binary(Boxes([((F(1, 2) - eps, None),)]))


SHOWN = Example(
    laws={"true": lambda eps: LAW},
    classifiers=lambda law, eps: {"bayes": RULE, "early": EARLY, "moving": step(eps)},
    reference=lambda eps: RULE,
    lo=F(0),
    hi=F(1, 2),
)


def test_a_row_is_a_classifier_under_a_law_at_a_radius() -> None:
    table = SHOWN.table([F(1, 10), F(1, 5)], "halves")
    assert table.title == "halves"
    assert table.columns == ("classifier", "law", "eps", *RISKS)
    assert [(row["classifier"], row["law"], row["eps"]) for row in table.rows] == [
        (name, "true", eps) for eps in (F(1, 10), F(1, 5)) for name in ("bayes", "early", "moving")
    ]
    for row in table.rows:
        values = [row[risk] for risk in RISKS]
        assert all(isinstance(value, Enclosure) for value in values)
        assert values[0] + values[1] == values[2]  # type: ignore[operator]
    assert table.rows[1]["robust_risk"] == robust_risk(EARLY, LAW, Ball("1/10")) == F(4, 25)


@pytest.mark.parametrize(("lo", "hi"), [(None, None), (F(1, 20), F(3, 10)), (F(1, 10), None), (None, F(1, 5))])
def test_a_curve_at_a_radius_is_the_table_there(lo: Fraction | None, hi: Fraction | None) -> None:
    found = SHOWN.curves("true", lo, hi)
    start, stop = lo or F(0), hi or F(1, 2)
    assert {key[0] for key in found} == {"bayes", "early", "moving"}
    for x in [start + (stop - start) * F(k, 12) for k in range(1, 12)] + [stop] + [lo] * (lo is not None):
        table = SHOWN.risks("true", x)
        assert all(curve(x) == table[name][risk].fraction for (name, risk), curve in found.items())
    ends = {curve.breakpoints[0] for curve in found.values()} | {curve.breakpoints[-1] for curve in found.values()}
    assert ends == {start, stop}
    if lo is None:
        with pytest.raises(ValueError, match="a point where this curve is not defined"):
            found["bayes", "robust_risk"](0)  # the example's range is (0, 1/2]


@pytest.mark.parametrize(("lo", "hi"), [(F(1, 4), F(1, 4)), (F(1, 3), F(1, 4)), (F(0), F(2, 3)), (F(-1, 9), F(1, 4))])
def test_a_range_that_is_empty_or_too_wide_is_refused(lo: Fraction, hi: Fraction) -> None:
    with pytest.raises(ValueError, match=rf"the range from {lo} to {hi} is empty or leaves \(0, 1/2\]"):
        SHOWN.curves("true", lo, hi)


def test_the_curve_table_covers_the_range_piece_by_piece_with_the_value_at_every_jump() -> None:
    shown = dataclasses.replace(
        SHOWN, classifiers=lambda law, eps: {"late": RULE if eps < F(1, 5) else EARLY, "early": EARLY}
    )
    rows = [row for row in shown.curve_table("title").rows if row["risk"] == "standard_risk"]
    assert [(row["classifier"], row["lo"], row["hi"], row["polynomial"]) for row in rows] == [
        ("late", 0, F(1, 5), "0"),
        ("late", F(1, 5), F(1, 5), "2/25"),
        ("late", F(1, 5), F(1, 2), "2/25"),
        ("early", 0, F(1, 2), "2/25"),
    ]


def test_a_value_apart_from_its_piece_has_a_row_of_its_own() -> None:
    shown = dataclasses.replace(SHOWN, classifiers=lambda law, eps: {"odd": RULE if eps == F(1, 5) else EARLY})
    rows = [row for row in shown.curve_table().rows if row["risk"] == "standard_risk"]
    assert [(row["lo"], row["hi"], row["polynomial"]) for row in rows] == [
        (0, F(1, 5), "2/25"), (F(1, 5), F(1, 5), "0"), (F(1, 5), F(1, 2), "2/25")
    ]  # fmt: skip


def test_pieces_on_either_side_of_an_irrational_point_are_one_row_if_they_are_one_polynomial() -> None:
    def classifiers(law: str, eps: Any) -> dict[str, RegionClassifier]:
        return {"same": EARLY, "other": EARLY if eps * eps < F(1, 8) else RULE}

    table = dataclasses.replace(SHOWN, classifiers=classifiers).curve_table()
    rows = [row for row in table.rows if row["risk"] == "standard_risk"]
    assert [(row["classifier"], row["polynomial"]) for row in rows] == [
        ("same", "2/25"), ("other", "2/25"), ("other", "0")
    ]  # fmt: skip
    meeting = rows[1]["hi"]
    assert isinstance(meeting, Enclosure)
    assert meeting.lo**2 < F(1, 8) < meeting.hi**2
    assert table.notes == ("irrational breakpoints are enclosed; the values at these single points are not computed",)


def test_parts_give_the_curves_of_the_whole() -> None:
    def part(name: str) -> Example:
        return dataclasses.replace(SHOWN, classifiers=lambda law, eps: {name: SHOWN.classifiers(law, eps)[name]})

    parts = dataclasses.replace(SHOWN, parts=[part("bayes"), part("moving"), part("early")])
    assert parts.curves("true") == SHOWN.curves("true")
    assert parts.curves("true", F(1, 9), F(1, 8)) == SHOWN.curves("true", F(1, 9), F(1, 8))


def test_a_sensible_risk_with_nothing_to_say_is_left_out() -> None:
    def sensible(f: RegionClassifier, law: Any, ball: Ball, reference: RegionClassifier) -> Any:
        return None if f is EARLY else sensible_risk(f, law, ball, reference)

    shown = dataclasses.replace(SHOWN, sensible=sensible)
    assert [row["sensible_risk"] is None for row in shown.table([F(1, 10)]).rows] == [False, True, False]
    keys = shown.curves("true").keys()
    assert SHOWN.curves("true").keys() - keys == {("early", "sensible_risk")}


def test_notes_stand_once_below_tables_and_curves() -> None:
    shown = dataclasses.replace(SHOWN, notes=lambda eps: [f"at {eps}", "always"])
    assert shown.table([F(1, 10), F(1, 5)]).notes == ("at 1/10", "always", "at 1/5")
    assert shown.curve_table().notes == ("at 1/10", "always", "at 1/4", "at 2/5")


def test_a_simulation_agrees_with_the_exact_risks() -> None:
    table = SHOWN.simulate(SHOWN.table([F(1, 10)]), 4000, seed=7, alpha=F(1, 10**9))
    assert table.notes[-1] == "4000 samples, seed 7"
    for row in table.rows:
        for risk in ("standard_risk", "robust_risk"):
            exact, seen = row[risk], row[f"simulated_{risk}"]
            assert isinstance(exact, Enclosure)
            assert isinstance(seen, Enclosure)
            assert seen.contains(exact)
            assert seen.width < F(1, 5)
            assert seen.alpha == F(1, 10**9)
    assert table == SHOWN.simulate(SHOWN.table([F(1, 10)]), 4000, seed=7, alpha=F(1, 10**9))
    assert table != SHOWN.simulate(SHOWN.table([F(1, 10)]), 4000, seed=8, alpha=F(1, 10**9))


def test_a_law_may_move_with_eps() -> None:
    found = stripes.example("1/5").curves("true", F(1, 4), F(1, 2))
    assert str(found["all_one", "robust_risk"]) == "(1/4, 1/3): 2*eps\n(1/3, 1/2): 1 - eps"

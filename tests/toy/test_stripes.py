"""toy.stripes: Table 1 and what becomes of it where 1/(2 eps) is no whole number, by formula and by enumeration."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from theory import Ball
from theory.optimal.boxes import optimal_box_risk
from toy import stripes

F = Fraction
RADII = st.fractions(F(1, 40), F(79, 80), max_denominator=80)


def masses(eps: F) -> tuple[F, F]:
    """Of the labels -1 and +1: whole pairs of stripes, and what is left over."""
    pairs = math.floor(1 / (2 * eps))
    rest = 1 - 2 * eps * pairs
    return pairs * eps + min(rest, eps), pairs * eps + max(rest - eps, F(0))


@given(RADII)
@example(F(3, 10))
@example(F(3, 17))
@example(F(13, 40))
@example(F(1, 8))
@example(F(1, 2))
@example(F(3, 4))
@settings(max_examples=40)
def test_the_risks_are_the_formulas(eps: F) -> None:
    found = {
        name: [row[risk].fraction for risk in ("standard_risk", "boundary_risk", "robust_risk", "sensible_risk")]
        for name, row in stripes.example(lo=F(1, 100)).risks("true", eps).items()
    }
    minus, plus = masses(eps)
    assert minus + plus == 1
    assert found["bayes"] == [0, 1, 1, 0]
    assert found["all_one"] == [minus, 0, minus, minus]
    assert found["all_minus_one"] == [plus, 0, plus, plus]
    assert found["robust_optimum"][2] == plus
    assert (plus == F(1, 2)) == ((1 / (2 * eps)).denominator == 1)  # Table 1's "1/2 (optimal)" holds just then


@pytest.mark.parametrize(("eps", "minus"), [("3/10", "3/5"), ("13/40", "13/20"), ("3/17", "9/17")])
def test_all_one_is_not_optimal_where_the_stripes_do_not_fit(eps: str, minus: str) -> None:
    rows = {(row["classifier"], row["risk"]): row for row in stripes.as_printed([F(eps)]).rows}
    assert rows["all_one", "robust_risk"]["exact"] == F(minus)
    assert rows["robust_optimum", "robust_risk"]["exact"] == 1 - F(minus)
    assert all(row["printed"] + row["difference"] == row["exact"] for row in rows.values())
    wrong = {key for key, row in rows.items() if row["difference"]}
    assert wrong == {("all_one", "standard_risk"), ("all_one", "robust_risk"), ("robust_optimum", "robust_risk")}


@pytest.mark.parametrize("n", [1, 2, 5])
def test_table_1_is_right_where_the_stripes_fit(n: int) -> None:
    assert not any(row["difference"] for row in stripes.as_printed([F(1, 2 * n)]).rows)


def enumerate_minimisers(eps: F, cells: int) -> tuple[F, np.ndarray]:
    """The least robust risk and the labellings of equal cells that attain it; eps is a whole number of cells."""
    k = int(eps * cells)
    assert k == eps * cells
    y = np.where(np.arange(cells) // k % 2 == 0, -1, 1)
    every = (np.arange(2**cells)[:, None] >> np.arange(cells) & 1) * 2 - 1

    def attacked(bad: np.ndarray) -> np.ndarray:
        found = bad.copy()
        for step in range(1, k + 1):
            found[:, step:] |= bad[:, :-step]
            found[:, :-step] |= bad[:, step:]
        return found

    robust = np.where(y > 0, attacked(every < 0), attacked(every > 0)).sum(axis=1)
    return F(int(robust.min()), cells), every[robust == robust.min()]


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_where_the_stripes_fit_just_the_steps_at_whole_pairs_are_optimal(n: int) -> None:
    """-1 before some 2 m eps and +1 after, m = 0..n: all-one is optimal, but not the only one."""
    least, best = enumerate_minimisers(F(1, 2 * n), 4 * n)
    steps = {tuple([-1] * (4 * m) + [1] * (4 * n - 4 * m)) for m in range(n + 1)}
    assert least == F(1, 2)
    assert set(map(tuple, best.tolist())) == steps
    free = optimal_box_risk(stripes.distribution(F(1, 2 * n)), Ball(F(1, 2 * n))).free
    assert free.volume() == 1


@pytest.mark.parametrize(
    ("eps", "cells"), [("3/10", 10), ("2/5", 10), ("3/13", 13), ("5/14", 14), ("2/15", 15), ("3/4", 16)]
)
def test_the_optimum_and_its_forced_labels_are_those_of_all_classifiers(eps: str, cells: int) -> None:
    least, best = enumerate_minimisers(F(eps), cells)
    found = optimal_box_risk(stripes.distribution(eps), Ball(eps))
    assert found.value.fraction == least
    for label in (-1, 1):
        middles = [F(2 * i + 1, 2 * cells) for i in range(cells)]
        assert [found.forced[label].contains((x,)) for x in middles] == (best == label).all(axis=0).tolist()


def test_the_curves_are_the_formulas_at_and_between_their_breakpoints() -> None:
    found = stripes.example("1/9").curves("true")
    names = {"all_one": lambda eps: masses(eps)[0], "robust_optimum": lambda eps: masses(eps)[1], "bayes": lambda _: 1}
    for name, by_hand in names.items():
        curve = found[name, "robust_risk"]
        assert set(curve.breakpoints) <= {F(1, m) for m in range(1, 10)}
        for lo, hi, poly in curve.pieces:
            assert poly.degree < 2
            assert all(curve(x) == by_hand(x) for x in (lo, (lo + hi) / 2, (2 * lo + hi) / 3))


@pytest.mark.parametrize("eps", [0, 1, "6/5", -1])
def test_a_radius_outside_the_range_is_refused(eps: str | int) -> None:
    with pytest.raises(ValueError, match=r"is outside \(0, 1\): at 1 and beyond there is one stripe"):
        stripes.distribution(eps)


@pytest.mark.parametrize("lo", [0, 1, "-1/2"])
def test_curves_do_not_start_where_breakpoints_gather(lo: str | int) -> None:
    with pytest.raises(ValueError, match=r"curves cannot start at \S+; allowed is \(0, 1\)"):
        stripes.example(lo)

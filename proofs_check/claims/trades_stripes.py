"""Claims of TRADES about its example: Section 2.4, eq (2), Table 1, and what problem (3) tends to on it (Section 4)."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from proofs_check.core import Evidence, claim
from proofs_check.provers import given_case, on_curve
from theory.ball import Ball
from theory.risks import boundary_risk, robust_risk, standard_risk

if TYPE_CHECKING:
    from collections.abc import Sequence

# ---- Table 1: the stripes -------------------------------------------------------------------------------------------

START = Fraction(1, 16)
"""Curves over eps begin here: breakpoints gather at 0."""


def minus_mass(eps: Any) -> Any:
    """The mass of the stripes of label -1: N eps + min(r, eps), N = floor(1/(2 eps)), r = 1 - 2 eps N."""
    pairs = 0
    while 2 * eps * (pairs + 1) <= 1:
        pairs += 1
    rest = 1 - 2 * eps * pairs
    return pairs * eps + min(eps, rest)


def _risks(name: str, eps: Any) -> list[Any]:
    from toy import stripes

    law, f, ball = stripes.distribution(eps), stripes.classifiers(eps)[name], Ball(eps)
    return [_plain(risk(f, law, ball)) for risk in (standard_risk, boundary_risk, robust_risk)]


def _plain(x: Any) -> Any:
    return x.fraction if hasattr(x, "is_exact") else x


@claim(
    "trades-table1-bayes",
    paper="TRADES",
    label="Table 1, Bayes rule",
    place="Section 2.4",
    kind="table",
    statement="The Bayes rule of the stripes has R_nat = 0, R_bdy = 1, R_rob = 1.",
    expected="PROVED",
    covers="every eps in [1/16, 1), up to null sets",
)
def table1_bayes(_budget: int) -> Evidence:
    def margins(eps: Any) -> Sequence[Any]:
        natural, boundary, robust = _risks("bayes", eps)
        return [natural, boundary - 1, robust - 1]

    return on_curve(margins, START, 1, ends="[)", zero=True)


def table1_all_one_margin(eps: Fraction) -> Fraction:
    """Minus the distance of the all-one rule's risks from the printed 1/2, 0, 1/2."""
    natural, boundary, robust = _risks("all_one", eps)
    half = Fraction(1, 2)
    return Fraction(-max(abs(natural - half), abs(boundary), abs(robust - half)))


@claim(
    "trades-table1-all-one",
    paper="TRADES",
    label="Table 1, all-one rule",
    place="Section 2.4",
    kind="table",
    statement="The all-one rule on the stripes has R_nat = 1/2, R_bdy = 0, R_rob = 1/2.",
    expected="AMENDED",
    covers="false for eps = 3/10, where the last stripe is cut and label -1 has mass 3/5",
    reading="For every eps in (0, 1), as eq (2) is written for every eps.",
    amendment="trades-table1-all-one-repaired",
)
def table1_all_one(_budget: int) -> Evidence:
    return given_case(table1_all_one_margin, Fraction(3, 10))


@claim(
    "trades-table1-all-one-repaired",
    paper="TRADES",
    label="Table 1, all-one rule, repaired",
    place="Section 2.4",
    kind="repair",
    statement="R_bdy = 0 and R_nat = R_rob = N eps + min(r, eps) with N = floor(1/(2 eps)), r = 1 - 2 eps N, which is "
    "1/2 if 1/(2 eps) is a whole number and more otherwise.",
    expected="PROVED",
    covers="every eps in [1/16, 1)",
    repairs="trades-table1-all-one",
)
def table1_all_one_repaired(_budget: int) -> Evidence:
    def margins(eps: Any) -> Sequence[Any]:
        natural, boundary, robust = _risks("all_one", eps)
        return [natural - minus_mass(eps), boundary, robust - minus_mass(eps)]

    return on_curve(margins, START, 1, ends="[)", zero=True)


def table1_optimal_margin(eps: Fraction) -> Fraction:
    """The least robust risk over all classifiers minus that of the all-one rule: 0 if it is optimal."""
    return Fraction(_risks("robust_optimum", eps)[2] - _risks("all_one", eps)[2])


@claim(
    "trades-table1-optimal",
    paper="TRADES",
    label="Table 1, optimal robust error",
    place="Section 2.4",
    kind="table",
    statement="The all-one rule has the least robust error of all classifiers on the stripes.",
    expected="AMENDED",
    covers="false for eps = 3/10, where the all-minus-one rule has robust error 2/5 and the all-one rule 3/5",
    reading="For every eps in (0, 1), as eq (2) is written for every eps.",
    amendment="trades-table1-optimal-repaired",
)
def table1_optimal(_budget: int) -> Evidence:
    return given_case(table1_optimal_margin, Fraction(3, 10))


@claim(
    "trades-table1-optimal-repaired",
    paper="TRADES",
    label="Table 1, optimal robust error, repaired",
    place="Section 2.4",
    kind="repair",
    statement="The least robust error of all classifiers is 1 minus the mass of label -1, at most 1/2, and the "
    "all-minus-one rule attains it; the all-one rule does exactly if 1/(2 eps) is a whole number.",
    expected="PROVED",
    covers="every eps in [1/8, 1): the least error is the value of a minimum cut, exact in eps",
    repairs="trades-table1-optimal",
)
def table1_optimal_repaired(_budget: int) -> Evidence:
    def margins(eps: Any) -> Sequence[Any]:
        least = 1 - minus_mass(eps)
        return [_risks("robust_optimum", eps)[2] - least, _risks("all_minus_one", eps)[2] - least]

    return on_curve(margins, Fraction(1, 8), 1, ends="[)", zero=True)

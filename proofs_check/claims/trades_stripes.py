"""Claims of TRADES about its example: Section 2.4, eq (2), Table 1, and what problem (3) tends to on it (Section 4)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

from proofs_check.core import Evidence, claim, definition
from proofs_check.provers import confirmed, every_case, given_case, on_curve, solve
from theory.ball import Ball
from theory.risks import boundary_risk, robust_risk, standard_risk
from theory.scores import Score
from theory.trades.objectives import pair_objective, stripes_optimum, trades_objective

if TYPE_CHECKING:
    from collections.abc import Sequence

# ---- eq (2) ---------------------------------------------------------------------------------------------------------

FIGURE_2 = definition(
    "trades-figure-2",
    paper="TRADES",
    label="Figure 2",
    place="Section 2.4",
    statement="eta on [0, 1]: stripes of width eps, on which it is 0 and 1 in turn, beginning with 0.",
    covers="toy.stripes.distribution",
)


@dataclass(frozen=True, slots=True)
class Place:
    """A point x of [0, 1] and the width eps of the stripes."""

    eps: Fraction
    x: Fraction


def values_margin(case: Place) -> int:
    """-abs(1 - the number of cases of eq (2) that x meets)."""
    t, last = case.x / case.eps, math.ceil(1 / (2 * case.eps) - 1)
    met = sum((2 * k <= t < 2 * k + 1) + (2 * k + 1 < t <= 2 * k + 2) for k in range(last + 1))
    return -abs(1 - met)


@claim(
    "trades-stripes-eta",
    paper="TRADES",
    label="eq (2)",
    place="Section 2.4",
    kind="formula",
    statement="For k = 0, ..., ceil(1/(2 eps) - 1): eta(x) = 0 on [2k eps, (2k+1) eps), 1 on ((2k+1) eps, (2k+2) eps]; "
    "this defines eta on [0, 1].",
    expected="AMENDED",
    covers="false at multiples of eps: eta(1/4) is undefined for eps = 1/4, eta(1/2) is both 1 (k = 0) and 0 (k = 1)",
    amendment="trades-stripes-eta-repaired",
)
def stripes_eta(_budget: int) -> Evidence:
    given_case(values_margin, Place(Fraction(1, 4), Fraction(1, 2)))  # twice; this raises unless it is refuted
    return given_case(values_margin, Place(Fraction(1, 4), Fraction(1, 4)))


@claim(
    "trades-stripes-eta-repaired",
    paper="TRADES",
    label="eq (2), repaired",
    place="Section 2.4",
    kind="repair",
    statement="Eq (2) gives eta exactly one value at each x of [0, 1] that is no multiple of eps, hence almost surely.",
    expected="PROVED",
    covers="every eps > 0",
    premises=("x is no multiple of eps",),
    repairs="trades-stripes-eta",
    without={
        "x is no multiple of eps": lambda _budget: given_case(values_margin, Place(Fraction(1, 4), Fraction(1, 2)))
    },
)
def stripes_eta_repaired(_budget: int) -> Evidence:
    """Let t = x/eps, not whole, and m = floor(t). For whole j, 2j <= t < 2j+1 says 2j <= m < 2j+1, and 2j+1 < t <= 2j+2
    says 2j+1 <= m < 2j+2. So k = floor(m/2) is the only index whose stripes hold t, and they do so once (core). 2k < t
    <= 1/eps, so k < 1/(2 eps), and a whole number below n is at most ceil(n) - 1 = ceil(n - 1). A uniform x is a
    multiple of eps with probability 0.
    """
    from z3 import And, Implies, Ints, Or, Xor

    m, k, other = Ints("m k other")

    def holds(j: Any) -> tuple[Any, Any]:
        return And(2 * j <= m, m < 2 * j + 1), And(2 * j + 1 <= m, m < 2 * j + 2)

    return solve(
        [m >= 0, 2 * k <= m, m < 2 * k + 2],
        {"one stripe of k": Xor(*holds(k)), "no stripe of another": Implies(Or(*holds(other)), other == k)},
    )


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


def draw_optimal(axes: Any) -> None:
    """Robust risks on the stripes against eps: mass of the stripes of either label, by the formula of the repair."""
    places = [Fraction(k, 400) for k in range(25, 400)]
    masses = [float(minus_mass(eps)) for eps in places]
    eps = [float(x) for x in places]
    axes.plot(eps, masses, label="all-one rule")
    axes.plot(eps, [1 - mass for mass in masses], label="all-minus-one rule, the optimum")
    axes.axhline(0.5, color="0.6", linestyle=":", label="printed optimum")
    axes.set(xlabel="eps", ylabel="robust risk", title="stripes of width eps")
    axes.legend(fontsize="small")


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
    figure=draw_optimal,
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


def cell_errors(labels: tuple[int, ...]) -> int:
    """How many of 2n cells are not robustly right, if eps is the width: a cell's neighbours are all in reach.

    The true labels are -1, +1, -1, ...; the classifier is constant on each cell.
    """
    cells = len(labels)

    def right(i: int) -> bool:
        return all(labels[j] == (-1) ** (i + 1) for j in (i - 1, i, i + 1) if 0 <= j < cells)

    return sum(not right(i) for i in range(cells))


def steps_margin(pairs: int) -> int:
    """0 if the rules on 2n cells of least robust error are the n + 1 steps, and that error is 1/2; else -1."""
    cells = 2 * pairs
    errors = {labels: cell_errors(labels) for labels in product((-1, 1), repeat=cells)}
    steps = {(-1,) * (2 * m) + (1,) * (cells - 2 * m) for m in range(pairs + 1)}
    least = min(errors.values())
    return -int(least != pairs or {labels for labels, wrong in errors.items() if wrong == least} != steps)


@claim(
    "trades-table1-optimal-whole",
    paper="TRADES",
    label="the optimal robust error is achieved by the all-one classifier",
    place="Section 2.4, in the text",
    kind="remark",
    statement="The minimal natural error is achieved by the Bayes rule, with large robust error; the optimal robust "
    "error by the all-one rule, with large natural error.",
    expected="PROVED",
    covers="1/(2 eps) = n = 1, ..., 5, rules that are constant on stripes: all-one is one of n + 1 rules that attain "
    "1/2, all of the form -1 up to 2m eps and +1 beyond; where 1/(2 eps) is not whole see Table 1",
    reading="Achieved, not: by it alone.",
)
def table1_whole(_budget: int) -> Evidence:
    return every_case(steps_margin, range(1, 6), "all 4^n rules on 2n stripes, n = 1, ..., 5")


# ---- Section 4: what problem (3) tends to ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PairScore:
    """The scores on the -1 and on the +1 stripes of width eps, and lambda."""

    eps: Fraction
    lam: Fraction
    negative: Fraction
    positive: Fraction


def _objective(case: PairScore) -> Any:
    from toy import stripes

    law = stripes.distribution(case.eps)
    f = Score([(case.negative, law.densities[-1].support), (case.positive, law.densities[+1].support)])
    return trades_objective(f, law, Ball(case.eps), "hinge", case.lam)


def bayes_limit_margin(case: PairScore) -> Any:
    """Problem (3) at this score, if it has one sign, less its infimum over all scores of the sign of Bayes."""
    if not case.negative * case.positive > 0:
        raise ValueError(f"the scores {case.negative} and {case.positive} have not one sign")
    return _objective(case) - stripes_optimum(case.lam, math.inf)[0].value


LARGE = PairScore(Fraction(1, 4), Fraction(100), Fraction(1, 100), Fraction(10_000))
"""Two stripes of either label, lambda = 100: scores of one sign at 1.00499..., those of the sign of Bayes from 1.01."""


def all_one_margin(case: PairScore) -> int:
    """-1 if this score is negative everywhere and has the least objective (3) of all scores, else 0."""
    least = min(side.value.hi for side in stripes_optimum(case.lam, math.inf))
    return -int(max(case.negative, case.positive) < 0 and _objective(case).hi <= least)


@claim(
    "trades-lambda-to-infinity",
    paper="TRADES",
    label="problem (3) tends to the Bayes rule for lambda -> infinity",
    place="Section 4",
    kind="remark",
    statement="On the stripes, problem (3) tends to the Bayes optimal classifier when lambda -> +infinity.",
    expected="AMENDED",
    covers="false for the hinge and unbounded scores at every lambda >= 2 and 1/(2 eps) whole: scores 1/lambda and "
    "lambda^2, of one sign, beat all scores of the sign of Bayes; shown for lambda = 100",
    reading="The minimum is over all measurable scores; the classifier is the sign of a near-minimiser.",
    amendment="trades-lambda-to-infinity-repaired",
    searched="Sections 2.1, 2.4, 3.1 and 4 for a bound on the scores: f is any measurable function X -> R",
)
def lambda_to_infinity(_budget: int) -> Evidence:
    """Scores a = 1/lambda and b = lambda^2 cost (1 + a + 1 - a^2/lambda)/2 < 1 + 1/(2 lambda), as ab = lambda; those of
    the sign of Bayes cost 1 + 1/lambda or more for lambda >= 2 (proof: theory.trades.objectives).
    """
    return given_case(bayes_limit_margin, LARGE)


@claim(
    "trades-lambda-to-zero",
    paper="TRADES",
    label="problem (3) tends to the all-one rule for lambda -> 0",
    place="Section 4",
    kind="remark",
    statement="On the stripes, problem (3) tends to the all-one classifier when lambda -> 0.",
    expected="AMENDED",
    covers="false for the hinge: at lambda = 1/4 (and all others below 2) a score that is negative everywhere is a "
    "minimiser too",
    amendment="trades-lambda-to-zero-repaired",
    reading="The minimum is over all measurable scores; the classifier is the sign of a near-minimiser.",
)
def lambda_to_zero(_budget: int) -> Evidence:
    return given_case(all_one_margin, PairScore(Fraction(1, 4), Fraction(1, 4), Fraction(-1), Fraction(-1, 2)))


def _pairs(lam_range: Any, statements: Any) -> Evidence:
    """z3 on 2 c(a, b), the price of a pair of stripes with scores a (label -1) and b (label +1) under the hinge."""
    from z3 import If, Reals

    a, b, lam, s, u, v, w = Reals("a b lambda s a^2/lambda ab/lambda b^2/lambda")

    def pos(x: Any) -> Any:
        return If(x > 0, x, 0)

    def larger(x: Any, y: Any) -> Any:
        return If(x > y, x, y)

    price = pos(1 + a) + pos(1 - b) + larger(pos(1 - u), pos(1 - v)) + larger(pos(1 - w), pos(1 - v))
    bounds = [a >= -1, a <= 1, b >= -1, b <= 1, lam > 0, u * lam == a * a, v * lam == a * b, w * lam == b * b]
    return solve([*bounds, *lam_range(lam, s)], statements(a, b, lam, s, price))


def exchange_margin(case: PairScore) -> Any:
    """-abs of the difference of the objective and that of the score with -f and the stripes exchanged."""
    swapped = pair_objective(-case.positive, -case.negative, "hinge", case.lam)
    found = _objective(case)
    return -abs(found - swapped)


GRID = tuple(
    PairScore(Fraction(1, 4), lam, Fraction(a, 2), Fraction(b, 2))
    for lam in (Fraction(1, 2), Fraction(3))
    for a, b in product(range(-2, 3), repeat=2)
    if a != b
)


@claim(
    "trades-lambda-to-infinity-repaired",
    paper="TRADES",
    label="problem (3) tends to the Bayes rule for lambda -> infinity, repaired",
    place="Section 4",
    kind="repair",
    statement="Among scores |f| <= 1, with the hinge and 1/(2 eps) whole, near-minimisers of (3) have the sign of "
    "Bayes for lambda > 2, and more surely as lambda grows.",
    expected="PROVED",
    covers="every measurable |f| <= 1, every lambda > 2 and eps = 1/(2n)",
    premises=("|f| is bounded",),
    repairs="trades-lambda-to-infinity",
    without={"|f| is bounded": lambda _budget: given_case(bayes_limit_margin, LARGE)},
)
def lambda_to_infinity_repaired(_budget: int) -> Evidence:
    """The objective of any f is at least the mean, over pairs of points of neighbouring stripes, of c(a, b), with
    equality for scores constant on the stripes of each label (theory.trades.objectives). For lambda >= 2 a pair that
    has not the sign of Bayes, a < 0 < b, costs c >= 3/2 (core), and c(-1, 1) = 1 + 1/lambda =: V. So the share of pairs
    of another sign is at most (objective - V)/(3/2 - V) if V is the least value, and 3/2 - V = 1/2 - 1/lambda grows.
    Pairs of the sign of Bayes cost at least V (core).
    """
    from z3 import And, Implies, Not

    return confirmed(
        _pairs(
            lambda lam, _: [lam >= 2],
            lambda a, b, lam, _, price: {
                "other signs": Implies(Not(And(a < 0, b > 0)), price >= 3),
                "the sign of Bayes": Implies(And(a < 0, b > 0), price * lam >= 2 * lam + 2),
            },
        ),
        every_case(exchange_margin, GRID, "scores of two values"),
    )


@claim(
    "trades-lambda-to-zero-repaired",
    paper="TRADES",
    label="problem (3) tends to the all-one rule for lambda -> 0, repaired",
    place="Section 4",
    kind="repair",
    statement="Among scores |f| <= 1, with the hinge and 1/(2 eps) whole, near-minimisers of (3) have not the sign "
    "of Bayes for lambda < 2; the all-one and the all-minus-one rule are equally good.",
    expected="PROVED",
    covers="every measurable |f| <= 1, every lambda in (0, 2) and eps = 1/(2n)",
    repairs="trades-lambda-to-zero",
)
def lambda_to_zero_repaired(_budget: int) -> Evidence:
    """As above: for lambda <= 2 a pair with a <= 0 <= b costs c >= 3/2 (core), while scores of one sign cost less: 2 -
    1/lambda at a = b = 1 if 1 <= lambda < 2, and (1 + s)/2 with s^2 = lambda at a = s, b = 1 if lambda < 1 (core). So
    the share of pairs with the sign of Bayes vanishes as the objective tends to its least value. Exchanging (a, b) for
    (-b, -a) does not change c; this turns all-one scores into all-minus-one ones.
    """
    from z3 import And, Implies

    return confirmed(
        _pairs(
            lambda lam, s: [lam <= 2, s > 0, s * s == lam],
            lambda a, b, lam, s, price: {
                "the sign of Bayes": Implies(And(a <= 0, b >= 0), price >= 3),
                "one sign, lambda >= 1": Implies(And(a == 1, b == 1, lam >= 1, lam < 2), price < 3),
                "one sign, lambda < 1": Implies(And(a == s, b == 1, lam < 1), price < 3),
            },
        ),
        every_case(exchange_margin, GRID, "scores of two values"),
    )

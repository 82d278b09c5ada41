"""toy.cheese against formulas worked out by hand, pixels counted by loops, and every classifier there is."""

from __future__ import annotations

import functools
import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from theory import Ball, PiecewisePoly, RegionClassifier
from theory.optimal.boxes import optimal_box_risk
from toy import cheese
from toy.worst import tie_notes

F = Fraction

# -- route 1: formulas by hand, in the unit 1/12, where holes are (1,3), (5,7), (9,11) and the class line is 6 ---------


def plus(x: F) -> F:
    return max(x, F(0))


def regime_ends(q: F) -> list[tuple[str, F]]:
    """Where the class of robust minimisers changes its shape, in units: (name, end)."""
    first = [("I", F(1, 2)), ("II", F(1)), ("IIb", F(3, 2))]
    if q <= F(1, 3):
        return [*first, ("III", F(5, 2)), ("V", F(6))]
    return [*first, ("III", 1 + 1 / (2 * q)), ("IVa", F(3)), ("IVb", F(9, 2) - 1 / (2 * q)), ("V", F(6))]


def regime(E: F, q: F) -> str:
    return next(name for name, end in regime_ends(q) if end >= E)


def least_restricted_risk(name: str, E: F, q: F) -> F:
    """The least robust risk under the restricted law."""
    p = 1 - q
    return {
        "I": 2 * q * E / 3,
        "II": q / 3,
        "IIb": q / 3,
        "III": q * (2 * E - 2) / 3,
        "IVa": F(1, 3),
        "IVb": p / 3 + q * (2 * E - 5) / 3,
        "V": q,
    }[name]


def worst_robust_by_hand(name: str, E: F, q: F) -> tuple[F, F]:
    """Worst standard and robust risk over the robust minimisers."""
    p = 1 - q
    return {
        "I": (q * (1 - (3 + 2 * E) * (1 + E) / 12) + p * (1 - (1 + E) ** 2 / 4), F(3, 4) + q * E / 6),
        "II": (q * (1 - (1 + E) ** 2 / 6) + p * (1 - (1 + E) ** 2 / 4), 1 - q / 6 - p / 4),
        "IIb": (q * (3 - E) / 6, q / 2),
        "III": (q * E / 6, q * E / 3),
        "IVa": ((3 - E) / 6, F(1, 2)),
        "IVb": (q * (E - 3) / 6, p / 2 + q * (2 * E - 3) / 6),
        "V": (q, q),
    }[name]


def worst_natural_by_hand(E: F) -> tuple[F, F, F]:
    """Standard, robust and sensible risk."""
    rows = plus(2 - 2 * E) + plus(1 - 2 * E)
    return F(3, 4), 1 - plus(1 - E) * rows / 12, 1 - plus(1 - E) ** 2 / 4


def worst_sensible_by_hand(E: F) -> tuple[F, F, F]:
    if E < 1:
        return 1 - (1 + E) ** 2 / 4, F(3, 4) + E / 12, F(3, 4)
    return F(0), E / 6, F(0)


def outside_by_hand(name: str, E: F, q: F) -> F:
    """Worst robust risk over the robust minimisers when the adversary may leave the square; only from E = 1 on."""
    p = 1 - q
    return {
        "IIb": 1 - 20 * q / 72 - 50 * p / 72,
        "III": 1 - plus(5 - 2 * E) * 10 * q / 72 - 50 * p / 72,
        "IVa": F(13, 18),
        "IVb": 1 - (8 - 2 * E) * 10 * q / 72 - 20 * p / 72,
        "V": 1 - 25 * p / 36,
    }[name]


PRIORS = st.one_of(
    st.fractions(F(21, 40), F(26, 40), max_denominator=40),
    st.fractions(F(27, 40), F(39, 40), max_denominator=40),
    st.sampled_from([F(11, 20), F(2, 3), F(7, 10)]),
)
RADII = st.fractions(F(1, 400), F(1, 2), max_denominator=400)


def risks(law: str, eps: F, prior: F, *, leave_domain: bool = False) -> dict[str, dict[str, F]]:
    found = cheese.example(prior, leave_domain=leave_domain).risks(law, eps)
    return {name: {risk: value.fraction for risk, value in row.items()} for name, row in found.items()}


@functools.cache
def curves_of(prior: F) -> dict[tuple[str, str], PiecewisePoly]:
    return cheese.example(prior).curves("true")


def is_end(eps: F, prior: F) -> bool:
    """Where formulas change and cuts tie; the limits there are tested on the curves."""
    tied = prior == F(2, 3) and 12 * eps >= F(5, 2)
    return tied or 12 * eps in [end for _, end in regime_ends(1 - prior)[:-1]]


@given(RADII, PRIORS)
@example(F(1, 10), F(11, 20))
@example(F(1, 5), F(11, 20))
@example(F(4, 15), F(11, 20))
@example(F(1, 2), F(7, 10))
@settings(max_examples=25)
def test_the_risks_are_those_worked_out_by_hand(eps: F, prior: F) -> None:
    q, E = 1 - prior, 12 * eps
    true = risks("true", eps, prior)
    assert [true["bayes"][risk] for risk in ("standard_risk", "robust_risk", "sensible_risk")] == [0, 2 * eps, 0]
    assert tuple(true["worst_natural"][r] for r in ("standard_risk", "robust_risk", "sensible_risk")) == (
        worst_natural_by_hand(E)
    )
    assert tuple(true["worst_sensible"][r] for r in ("standard_risk", "robust_risk", "sensible_risk")) == (
        worst_sensible_by_hand(E)
    )
    assert true["robust_optimum"]["robust_risk"] == q * min(4 * eps, 1)
    if not is_end(eps, prior):
        name = regime(E, q)
        worst = true["worst_robust"]
        assert (worst["standard_risk"], worst["robust_risk"]) == worst_robust_by_hand(name, E, q)


@given(RADII, PRIORS)
@example(F(1, 4), F(11, 20))
@settings(max_examples=25)
def test_the_restricted_law_leads_where_it_does_by_hand(eps: F, prior: F) -> None:
    q, E = 1 - prior, 12 * eps
    seen = risks("restricted", eps, prior)
    assert seen["bayes"]["robust_risk"] == (E / 3 if E < 1 else F(1, 3) if E < 3 else min((E - 2) / 3, F(1)))
    assert seen["worst_natural"]["standard_risk"] == seen["worst_sensible"]["sensible_risk"] == 0
    best = least_restricted_risk(regime(E, q), E, q)  # continuous, so ends need no care
    assert seen["robust_optimum"]["robust_risk"] == seen["worst_robust"]["robust_risk"] == best


@given(st.fractions(F(1, 12), F(1, 2), max_denominator=400), PRIORS)
@settings(max_examples=15)
def test_an_adversary_that_leaves_the_square_does_as_by_hand(eps: F, prior: F) -> None:
    q, E = 1 - prior, 12 * eps
    found = risks("true", eps, prior, leave_domain=True)
    assert found["worst_sensible"]["robust_risk"] == 1 - plus(5 - E) * 10 / 72
    inside = risks("true", eps, prior)
    assert all(found[name]["standard_risk"] == inside[name]["standard_risk"] for name in found)
    if not is_end(eps, prior) and E != 1:
        assert found["worst_robust"]["robust_risk"] == outside_by_hand(regime(E, q), E, q)


@given(st.fractions(F(1, 400), F(1, 13), max_denominator=400), PRIORS)
@settings(max_examples=8)
def test_below_a_twelfth_leaving_the_square_changes_nothing(eps: F, prior: F) -> None:
    inside, outside = risks("true", eps, prior), risks("true", eps, prior, leave_domain=True)
    for name in ("worst_natural", "worst_robust", "worst_sensible"):
        assert inside[name] == outside[name]


@pytest.mark.parametrize("prior", [F(11, 20), F(7, 10), F(13, 21)])
def test_the_curves_are_the_formulas_on_every_piece_and_at_both_sides_of_every_end(prior: F) -> None:
    q = 1 - prior
    found = curves_of(prior)
    std, rob = found["worst_robust", "standard_risk"], found["worst_robust", "robust_risk"]
    ends = [F(0), *(end / 12 for _, end in regime_ends(q))]
    assert set(std.breakpoints) | set(rob.breakpoints) <= set(ends)
    for (name, _), lo, hi in zip(regime_ends(q), ends, ends[1:], strict=False):
        inner = [lo + (hi - lo) * F(k, 7) for k in (1, 3, 4, 6)]  # four points tell polynomials of degree two apart
        assert [(std(x), rob(x)) for x in inner] == [worst_robust_by_hand(name, 12 * x, q) for x in inner]
        assert (std.right(lo), rob.right(lo)) == worst_robust_by_hand(name, 12 * lo, q)
        assert (std.left(hi), rob.left(hi)) == worst_robust_by_hand(name, 12 * hi, q)


def test_the_curves_of_the_other_classes_are_the_formulas() -> None:
    found = curves_of(F(11, 20))
    for x in (F(k, 240) for k in range(1, 121)):
        natural, sensible = worst_natural_by_hand(12 * x), worst_sensible_by_hand(12 * x)
        for name, by_hand in (("worst_natural", natural), ("worst_sensible", sensible)):
            kinds = ("standard_risk", "robust_risk", "sensible_risk")
            assert tuple(found[name, risk](x) for risk in kinds) == by_hand
    assert found["worst_natural", "robust_risk"].breakpoints == (0, F(1, 24), F(1, 12), F(1, 2))
    assert found["worst_sensible", "robust_risk"].breakpoints == (0, F(1, 12), F(1, 2))
    assert found["worst_sensible", "robust_risk"].left("1/12") == F(5, 6)


@pytest.mark.parametrize("prior", [F(11, 20), F(13, 21)])
def test_the_jumps_of_the_worst_standard_risk(prior: F) -> None:
    q = 1 - prior
    std = curves_of(prior)["worst_robust", "standard_risk"]
    E1, E2 = 1 + 1 / (2 * q), F(9, 2) - 1 / (2 * q)
    heights = {F(1, 24): q / 8, E1 / 12: (3 - E1) / 6 - q * E1 / 6, E2 / 12: q - q * (E2 - 3) / 6}
    assert {jump.at for jump in std.jumps()} == set(heights)
    assert all(std.right(at) - std.left(at) == height for at, height in heights.items())
    assert std("1/4") == 0  # the least restricted robust risk is attained by the Bayes rule alone


def test_the_worst_standard_risk_in_print() -> None:
    std = curves_of(F(11, 20))["worst_robust", "standard_risk"]
    sides = [std.right(0), std.left("1/24"), std.right("1/24"), std("1/12"), std("1/8"), std.left("19/108")]
    assert [format(float(x), ".6f") for x in sides] == [
        "0.750000", "0.465625", "0.521875", "0.150000", "0.112500", "0.158333"
    ]  # fmt: skip
    sides = [std.right("19/108"), std("1/4"), std.left("61/216"), std.right("61/216"), std("1/2")]
    assert [format(float(x), ".6f") for x in sides] == ["0.148148", "0.000000", "0.029167", "0.450000", "0.450000"]


# -- route 2: pixels, counted by loops ---

Grid = np.ndarray


class Pixels:
    """An n x n grid on the square, a label each; faces, radii and class line on grid lines. Masses are integers."""

    def __init__(self, n: int, prior: F, line: int, columns: Any, rows: Any) -> None:
        inside = np.array([[hit(i, columns) and hit(j, rows) for j in range(n)] for i in range(n)])
        self.n, self.y = n, np.where(np.arange(n) < line, -1, 1)[:, None] * np.ones((1, n), int)
        left, right = (1 - prior) / line, prior / (n - line)  # the mass of a column of pixels, each
        scale = math.lcm(left.denominator, right.denominator)
        self.true = np.where(self.y < 0, int(left * scale), int(right * scale))
        self.seen = np.where(inside, self.true, 0)
        self.inside = inside

    def share(self, wrong: Grid, mass: Grid) -> F:
        return F(int(mass[wrong].sum()), int(mass.sum()))

    def standard(self, labels: Grid, mass: Grid) -> F:
        return self.share(labels != self.y, mass)

    def robust(self, labels: Grid, mass: Grid, k: int) -> F:
        """Some pixel at most k columns and k rows away, in the square, has another label than this one's."""
        plus, minus = near(labels > 0, k), near(labels < 0, k)
        return self.share(np.where(self.y > 0, minus, plus), mass)

    def sensible(self, labels: Grid, mass: Grid, k: int) -> F:
        """Some such pixel of this one's own class is mislabelled: the Bayes rule never errs."""
        plus, minus = near((labels > 0) & (self.y < 0), k), near((labels < 0) & (self.y > 0), k)
        return self.share(np.where(self.y > 0, minus, plus), mass)

    def least_robust(self, k: int) -> F:
        """The least robust risk under the restricted law: scipy's maximum flow between pixels that balls connect."""
        minus, plus = (np.argwhere(self.inside & (self.y == label)) for label in (-1, 1))
        gaps = np.abs(minus[:, None, :] - plus[None, :, :]).max(axis=2)
        conflict = gaps <= 2 * k
        a, b = len(minus), len(plus)
        graph = np.zeros((a + b + 2, a + b + 2), dtype=np.int32)
        graph[0, 1 : a + 1] = [self.seen[tuple(place)] for place in minus]
        graph[a + 1 : a + b + 1, -1] = [self.seen[tuple(place)] for place in plus]
        graph[1 : a + 1, a + 1 : a + b + 1] = np.where(conflict, 2**30, 0)
        return F(int(maximum_flow(csr_array(graph), 0, a + b + 1).flow_value), int(self.seen.sum()))

    def labels(self, f: RegionClassifier) -> Grid:
        middles = [F(2 * i + 1, 2 * self.n) for i in range(self.n)]
        return np.array([[1 if f.regions[1].contains((x, y)) else -1 for y in middles] for x in middles])


def hit(i: int, sides: Any) -> bool:
    return any(lo <= i < hi for lo, hi in sides)


def near(marked: Grid, k: int) -> Grid:
    """Pixels with a marked pixel at most k columns and k rows away."""
    n = len(marked)
    found = np.zeros_like(marked)
    for i, j in itertools.product(range(-k, k + 1), repeat=2):
        here, there = np.s_[max(i, 0) : n + min(i, 0), max(j, 0) : n + min(j, 0)], np.s_[
            max(-i, 0) : n + min(-i, 0), max(-j, 0) : n + min(-j, 0)
        ]
        found[here] |= marked[there]
    return found


@st.composite
def perturbed(draw: st.DrawFn, n: int = 24, step: int = 2) -> tuple[Pixels, dict[str, Any], F, int]:
    """Holes of any sizes and a class line anywhere, on every ``step``-th line of an n x n grid; ball of k pixels."""

    def sides() -> list[tuple[int, int]]:
        size = draw(st.sampled_from([2, 4, 6]))
        cuts = sorted(draw(st.sets(st.integers(0, n // step), min_size=size, max_size=size)))
        return [(step * a, step * b) for a, b in zip(cuts[::2], cuts[1::2], strict=True)]

    columns, rows = sides(), sides()
    line = step * draw(st.integers(1, n // step - 1))
    prior = draw(st.fractions(F(11, 20), F(19, 20), max_denominator=20))
    k = draw(st.integers(1, 5))
    shape = {
        "line": F(line, n),
        "columns": [(F(a, n), F(b, n)) for a, b in columns],
        "rows": [(F(a, n), F(b, n)) for a, b in rows],
    }
    return Pixels(n, prior, line, columns, rows), shape, prior, k


@given(perturbed())
@settings(max_examples=15)
def test_the_restricted_optimum_is_the_cut_that_scipy_finds_among_pixels(problem: Any) -> None:
    pixels, shape, prior, k = problem
    law = cheese.distribution(prior, restricted=True, **shape)
    best = optimal_box_risk(law, Ball(F(k, pixels.n)))
    assert best.verified
    assert best.value.fraction == pixels.least_robust(k)


@given(perturbed())
@settings(max_examples=10)
def test_every_worst_member_is_a_minimiser_and_its_risks_are_those_of_its_pixels(problem: Any) -> None:
    pixels, shape, prior, k = problem
    eps = F(k, pixels.n)
    shown = cheese.example(prior, **shape)
    named = shown.classifiers("true", eps)
    for law, mass in (("true", pixels.true), ("restricted", pixels.seen)):
        found = shown.risks(law, eps)
        for name, f in shown.classifiers(law, eps).items():
            labels = pixels.labels(f)
            assert found[name]["standard_risk"].fraction == pixels.standard(labels, mass)
            assert found[name]["robust_risk"].fraction == pixels.robust(labels, mass, k)
            assert found[name]["sensible_risk"].fraction == pixels.sensible(labels, mass, k)
    seen = pixels.seen
    assert pixels.standard(pixels.labels(named["worst_natural"]), seen) == 0
    assert pixels.sensible(pixels.labels(named["worst_sensible"]), seen, k) == 0
    assert pixels.robust(pixels.labels(named["worst_robust"]), seen, k) == pixels.least_robust(k)


def climb(pixels: Pixels, shown: Any, k: int, random: Any, *, both: bool) -> None:
    """Relabel random rectangles of a minimiser, wrongly for choice, as long as it stays one: none gets worse."""
    named = shown.classifiers("restricted", F(k, pixels.n))
    risk_seen = {
        "worst_natural": ("bayes", lambda labels: pixels.standard(labels, pixels.seen)),
        "worst_robust": ("robust_optimum", lambda labels: pixels.robust(labels, pixels.seen, k)),
        "worst_sensible": ("bayes", lambda labels: pixels.sensible(labels, pixels.seen, k)),
    }
    for name, (start, risk) in risk_seen.items():
        labels, worst = pixels.labels(named[start]), pixels.labels(named[name])
        best, bound = risk(labels), pixels.standard(worst, pixels.true)
        robust_bound = pixels.robust(worst, pixels.true, k)
        assert risk(worst) == best
        for _ in range(40):
            a, b, c, d = (random.randrange(pixels.n + 1) for _ in range(4))
            box = np.s_[min(a, b) : max(a, b) + 1, min(c, d) : max(c, d) + 1]
            tried = labels.copy()
            tried[box] = random.choice([-pixels.y[box], -pixels.y[box], pixels.y[box], -1, 1])
            if risk(tried) == best:
                labels = tried
                assert pixels.standard(labels, pixels.true) <= bound
                # a member of less standard risk may have more robust risk, but not on the cheese itself
                assert not both or pixels.robust(labels, pixels.true, k) <= robust_bound


@given(perturbed(n=16), st.randoms(use_true_random=False))
@settings(max_examples=10)
def test_no_minimiser_found_by_flipping_pixels_is_worse(problem: Any, random: Any) -> None:
    pixels, shape, prior, k = problem
    climb(pixels, cheese.example(prior, **shape), k, random, both=False)


@given(st.integers(1, 12), st.sampled_from([F(11, 20), F(7, 10), F(13, 20)]), st.randoms(use_true_random=False))
@settings(max_examples=12)
def test_on_the_cheese_no_minimiser_found_is_worse_in_either_risk(k: int, prior: F, random: Any) -> None:
    """All regimes: the radii are multiples of half a unit."""
    holes = [(2, 6), (10, 14), (18, 22)]
    climb(Pixels(24, prior, 12, holes, holes), cheese.example(prior), k, random, both=True)


# -- route 3: every classifier there is, on a line ---


@st.composite
def on_a_line(draw: st.DrawFn) -> tuple[int, tuple[tuple[int, int], ...], F, int]:
    """Class line and holes on even places of 16 cells, prior, radius in cells; the holes are as high as the square."""
    size = draw(st.sampled_from([4, 6]))
    cuts = sorted(draw(st.sets(st.integers(0, 8), min_size=size, max_size=size)))
    columns = tuple(zip([2 * c for c in cuts[::2]], [2 * c for c in cuts[1::2]], strict=True))
    prior = draw(st.sampled_from([F(11, 20), F(2, 3), F(3, 4)]))
    return 2 * draw(st.integers(2, 6)), columns, prior, draw(st.integers(1, 4))


@given(on_a_line())
@example((8, ((2, 4), (6, 10), (12, 14)), F(2, 3), 3))
@settings(max_examples=15)
def test_the_worst_members_are_the_worst_of_all_minimisers_on_a_line(problem: Any) -> None:
    line, columns, prior, k = problem
    n = 16
    y = np.where(np.arange(n) < line, -1, 1)
    left, right = (1 - prior) / line, prior / (n - line)
    scale = math.lcm(left.denominator, right.denominator)
    true = np.where(y < 0, int(left * scale), int(right * scale)).astype(np.int64)
    seen = np.where([hit(i, columns) for i in range(n)], true, 0)
    every = (np.arange(2**n)[:, None] >> np.arange(n) & 1) * 2 - 1  # all 65,536 labellings of the cells

    def attacked(bad: Grid) -> Grid:
        found = bad.copy()
        for step in range(1, k + 1):
            found[:, step:] |= bad[:, :-step]
            found[:, :-step] |= bad[:, step:]
        return found

    wrong = every != y
    robust = np.where(y > 0, attacked(every < 0), attacked(every > 0))
    sensible = np.where(y > 0, attacked(wrong & (y > 0)), attacked(wrong & (y < 0)))
    shape = {"line": F(line, n), "columns": [(F(a, n), F(b, n)) for a, b in columns], "rows": [(0, 1)]}
    eps = F(k, n)
    shown = cheese.example(prior, **shape)
    found = {
        name: [row[risk].fraction for risk in ("standard_risk", "robust_risk")]
        for name, row in shown.risks("true", eps).items()
    }
    for name, losses in (("worst_natural", wrong), ("worst_robust", robust), ("worst_sensible", sensible)):
        restricted = losses @ seen
        minimisers = restricted == restricted.min()
        standard, worst = (wrong @ true)[minimisers], (robust @ true)[minimisers]
        assert found[name] == [F(int(x), scale) for x in (standard.max(), worst[standard == standard.max()].max())]
        if name == "worst_robust":
            for note in tie_notes(*(law(eps) for law in shown.laws.values()), cheese.bayes(shape["line"]), Ball(eps)):
                other = F(note.rpartition(" ")[2])
                assert found[name][1] < other
                assert int(other * scale) in worst


@pytest.mark.parametrize(
    ("eps", "prior", "mine", "other"),
    [("19/108", "11/20", "19/60", "1/2"), ("61/216", "11/20", "9/20", "67/120"), ("11/48", "2/3", "1/3", "1/2")],
)
def test_where_cuts_tie_the_table_says_so(eps: str, prior: str, mine: str, other: str) -> None:
    note = cheese.example(prior).table([F(eps)]).notes[0]
    assert note.startswith(f"eps = {eps}: minimum cuts tie;")
    assert note.endswith(f"robust risk {mine} under the true law, another robust minimiser has {other}")
    q, E = 1 - F(prior), 12 * F(eps)
    members = [worst_robust_by_hand(name, E, q) for name in ("III", "IVa", "IVb", "V")
               if least_restricted_risk(name, E, q) == least_restricted_risk(regime(E, q), E, q)]  # fmt: skip
    assert (max(members)[1], max(robust for _, robust in members)) == (F(mine), F(other))
    row = risks("true", F(eps), F(prior))["worst_robust"]
    assert (row["standard_risk"], row["robust_risk"]) == max(members)


@pytest.mark.parametrize("eps", ["1/10", "1/5", "1/3", "1/24"])
def test_where_no_cuts_tie_the_table_says_nothing(eps: str) -> None:
    assert cheese.example().table([F(eps)]).notes == ()


# -- what the paper prints ---


def printed_by_hand(eps: F, q: F) -> F:
    """Appendix G, typed in anew in units: the area outside the balls, and the strip as it is printed."""
    E = 12 * eps
    if 1 <= E < F(3, 2):
        return 2 * q * (6 - 3 - E) / 12
    height = 3 * min(2 + 2 * E, F(4)) / 12
    return 1 - height**2 + height * q * min(2 * eps, F(1, 2)) * 2


@given(RADII, PRIORS)
@example(F(1, 8), F(11, 20))
def test_the_printed_column_is_appendix_g(eps: F, prior: F) -> None:
    assert cheese.printed_standard_risk(eps, prior) == printed_by_hand(eps, 1 - prior)


def test_where_the_print_is_right_and_where_it_is_not() -> None:
    rows = cheese.as_printed([F(1, 100), F(1, 16), F(1, 10), F(1, 4), F(4, 15), F(1, 3)]).rows
    differences = {(row["eps"], row["quantity"]): row["difference"] for row in rows}
    assert all(row["printed"] - row["exact"] == row["difference"] for row in rows)
    q = F(9, 20)
    assert {key: value for key, value in differences.items() if value} == {
        (F(1, 100), "worst standard risk"): F(63, 12500),
        (F(1, 16), "worst standard risk"): F(213, 640) - F(447, 1280),
        (F(1, 4), "restricted robust risk"): q - F(1, 3),
        (F(1, 4), "worst standard risk"): q,
        (F(4, 15), "restricted robust risk"): q - (F(11, 60) + q * F(7, 15)),
        (F(4, 15), "worst standard risk"): q - q / 30,
        (F(4, 15), "worst robust risk"): q - F(53, 100),
    }


# -- the door ---


@pytest.mark.parametrize("prior", ["1/2", 1, 0, "1/3", "1e-3"])
def test_a_prior_without_a_majority_is_refused(prior: str | int) -> None:
    with pytest.raises(ValueError, match=r"prior \S+ is outside \(1/2, 1\)"):
        cheese.distribution(prior)


@pytest.mark.parametrize("eps", [0, "51/100", 1])
def test_a_radius_outside_the_range_is_refused(eps: str | int) -> None:
    with pytest.raises(ValueError, match=r"eps \S+ is outside \(0, 1/2\]"):
        cheese.classifiers(eps)


def test_an_unknown_law_and_floats_are_refused() -> None:
    with pytest.raises(ValueError, match="law 'seen' is unknown; allowed are 'true' and 'restricted'"):
        cheese.classifiers("1/10", law="seen")
    with pytest.raises(TypeError, match=r"eps 0\.1 is a float"):
        cheese.classifiers(0.1)
    with pytest.raises(TypeError, match=r"prior 0\.6 is a float"):
        cheese.distribution(0.6)

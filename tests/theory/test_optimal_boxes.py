"""The exact two-class optimum on box laws, against hand-solved laws, pixel enumeration and uniform-grid flows."""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import comb
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from theory import Ball, BoxDistribution, Boxes, RegionClassifier, robust_risk
from theory.optimal.boxes import conflict_network, optimal_box_risk
from theory.optimal.curve import bernstein, optimal_box_curve
from theory.polynomial import Poly, Root

HALF = Fraction(1, 2)
UNIT = Fraction(1)


def rationals(lo: Fraction, hi: Fraction, bottom: int = 60) -> st.SearchStrategy[Fraction]:
    return st.fractions(lo, hi, max_denominator=bottom)


# ---- an independent route: pixels of side 1/n, 2 eps a whole number k of pixels, scipy's integer maximum flow ----


def pixel_law(minus: np.ndarray, plus: np.ndarray) -> BoxDistribution:
    """Integer weights of pixels as a box law on the unit cube."""
    n, dim, total = minus.shape[0], minus.ndim, int(minus.sum() + plus.sum())
    boxes: dict[int, Any] = {-1: [], +1: []}
    for y, weights in ((-1, minus), (+1, plus)):
        for index in zip(*np.nonzero(weights), strict=True):
            box = [(Fraction(int(i), n), Fraction(int(i) + 1, n)) for i in index]
            boxes[y].append((box, Fraction(int(weights[index]), total)))
    return BoxDistribution.of_masses(boxes, [(0, 1)] * dim)


def pixel_optimum(minus: np.ndarray, plus: np.ndarray, k: int) -> Fraction:
    """The minimum cut on pixels that conflict when at most k apart on every axis, by scipy."""
    first = [tuple(map(int, i)) for i in zip(*np.nonzero(minus), strict=True)]
    second = [tuple(map(int, i)) for i in zip(*np.nonzero(plus), strict=True)]
    size = 2 + len(first) + len(second)
    capacity = np.zeros((size, size), dtype=np.int32)
    big = int(minus.sum() + plus.sum()) + 1
    for a, p in enumerate(first):
        capacity[0, 2 + a] = minus[p]
        for b, q in enumerate(second):
            if max(abs(i - j) for i, j in zip(p, q, strict=True)) <= k:
                capacity[2 + a, 2 + len(first) + b] = big
    for b, q in enumerate(second):
        capacity[2 + len(first) + b, 1] = plus[q]
    return Fraction(int(maximum_flow(csr_array(capacity), 0, 1).flow_value), big - 1)


@st.composite
def pixel_problems(draw: st.DrawFn, dim: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    weights = st.lists(st.integers(0, 3), min_size=n**dim, max_size=n**dim)
    minus = np.array(draw(weights)).reshape((n,) * dim)
    plus = np.array(draw(weights)).reshape((n,) * dim)
    minus[(0,) * dim] += 1
    plus[(n - 1,) * dim] += 1
    return minus, plus


@pytest.mark.parametrize(("dim", "n", "cases"), [(1, 8, 60), (2, 4, 40), (3, 2, 20)])
def test_the_orbit_grid_equals_the_pixel_flow_at_commensurable_radii(dim: int, n: int, cases: int) -> None:
    @settings(max_examples=cases)
    @given(pixel_problems(dim, n), st.integers(0, n))
    def check(problem: tuple[np.ndarray, np.ndarray], k: int) -> None:
        best = optimal_box_risk(pixel_law(*problem), Ball(Fraction(k, 2 * n)))
        assert best.value.fraction == pixel_optimum(*problem, k) if k else best.verified
        assert best.verified

    check()


@pytest.mark.parametrize(("dim", "n", "cases"), [(1, 6, 40), (2, 3, 25), (3, 2, 8)])
def test_the_orbit_grid_lies_between_coarser_pixel_flows_at_any_radius(dim: int, n: int, cases: int) -> None:
    @settings(max_examples=cases)
    @given(pixel_problems(dim, n), rationals(Fraction(1, 10), Fraction(9, 10), 30))
    def check(problem: tuple[np.ndarray, np.ndarray], eps: Fraction) -> None:
        fine = 4 if dim == 1 else 2
        grown = tuple(np.kron(weights, np.ones((fine,) * dim, dtype=int)) for weights in problem)
        k = int(2 * eps * n * fine)
        value = optimal_box_risk(pixel_law(*problem), Ball(eps)).value.fraction
        assert pixel_optimum(*grown, k) <= value <= pixel_optimum(*grown, k + 1)

    check()


def pixel_robust_errors(labels: tuple[int, ...], minus: np.ndarray, plus: np.ndarray, k: int) -> int:
    """Robust errors of a pixel classifier on the line, by looking at every pixel within k."""
    total = 0
    for i in range(len(labels)):
        seen = labels[max(0, i - k) : i + k + 1]
        total += int(minus[i]) * (1 in seen) + int(plus[i]) * (-1 in seen)
    return total


@settings(max_examples=30)
@given(pixel_problems(1, 8), st.integers(1, 3))
def test_forced_and_free_regions_are_those_of_all_pixel_minimisers(
    problem: tuple[np.ndarray, np.ndarray], k: int
) -> None:
    minus, plus = problem
    best = optimal_box_risk(pixel_law(minus, plus), Ball(Fraction(k, 8)))
    scores = {c: pixel_robust_errors(c, minus, plus, k) for c in itertools.product((-1, 1), repeat=8)}
    least = min(scores.values())
    assert best.value.fraction == Fraction(least, int(minus.sum() + plus.sum()))
    minimisers = [c for c, score in scores.items() if score == least]
    for i in range(8):
        pixel = Boxes([((Fraction(i, 8), Fraction(i + 1, 8)),)])
        said = {c[i] for c in minimisers}
        for y in (-1, +1):
            assert (pixel <= best.forced[y]) == (said == {y})
        assert (pixel <= best.free) == (said == {-1, 1})


# ---- laws solved by hand ----


@given(rationals(Fraction(0), UNIT), rationals(Fraction(1, 20), Fraction(19, 20)))
def test_half_squares_lose_min_prior_times_four_eps(eps: Fraction, prior: Fraction) -> None:
    boxes = {-1: [([(0, HALF), (0, 1)], 1 - prior)], +1: [([(HALF, 1), (0, 1)], prior)]}
    best = optimal_box_risk(BoxDistribution.of_masses(boxes, [(0, 1)] * 2), Ball(eps))
    assert best.value.fraction == min(prior, 1 - prior) * min(4 * eps, 1)
    assert best.verified


def checkerboard() -> BoxDistribution:
    left, right = (0, HALF), (HALF, 1)
    boxes = {-1: [([left, left], 1), ([right, right], 1)], +1: [([left, right], 1), ([right, left], 1)]}
    return BoxDistribution.of_densities(boxes, [(0, 1)] * 2)


def nested(ratio: int = 1, side: Fraction = UNIT) -> BoxDistribution:
    """A square of side 1/2 inside one of side ``side``; densities in the ratio inner : outer."""
    a, b = (side - HALF) / 2, (side + HALF) / 2
    low, middle, high = (0, a), (a, b), (b, side)
    outer = 1 / (Fraction(ratio, 4) + side**2 - Fraction(1, 4))
    ring = [[low, (0, side)], [high, (0, side)], [middle, low], [middle, high]]
    boxes = {-1: [([middle, middle], ratio * outer)], +1: [(box, outer) for box in ring]}
    return BoxDistribution.of_densities(boxes, [(0, side)] * 2)


@settings(max_examples=25)
@given(rationals(Fraction(1, 20), Fraction(1, 4), 200))
def test_the_checkerboard_loses_four_eps_minus_eight_eps_squared(eps: Fraction) -> None:
    assert optimal_box_risk(checkerboard(), Ball(eps)).value.fraction == 4 * eps - 8 * eps**2


@settings(max_examples=25)
@given(rationals(Fraction(1, 20), Fraction(1, 8), 200))
def test_the_nested_square_gives_up_its_rim(eps: Fraction) -> None:
    assert optimal_box_risk(nested(), Ball(eps)).value.fraction == Fraction(1, 4) - (HALF - 4 * eps) ** 2


def test_an_atom_takes_what_it_touches_or_goes() -> None:
    law = BoxDistribution.of_masses({-1: [([(0, 1)], HALF)], +1: [([(2, 3)], HALF)]})
    # the atom conflicts with (3/10, 7/10), of mass 2/5 x 1/2 x (1 - m)
    for m, value in ((Fraction(1, 4), Fraction(3, 20)), (Fraction(1, 10), Fraction(1, 10))):
        best = optimal_box_risk(law, Ball("1/10"), {+1: [([HALF], m)]})
        assert (best.value.fraction, best.verified) == (value, True)
    touching = {+1: [(["1/2"], "1/10")], -1: [(["7/10"], "1/8")]}
    assert optimal_box_risk(law, Ball("1/10"), touching).network.flow.value == Fraction(1, 10)


@settings(max_examples=25)
@given(
    pixel_problems(1, 5), rationals(Fraction(1, 20), HALF, 24),
    st.lists(st.tuples(rationals(Fraction(0), UNIT, 12), st.integers(1, 4), st.sampled_from([-1, 1])), max_size=3),
)  # fmt: skip
def test_an_atom_is_the_limit_of_small_boxes(
    problem: tuple[np.ndarray, np.ndarray], eps: Fraction, placed: list[tuple[Fraction, int, int]]
) -> None:
    minus, plus = problem
    law, tiny = pixel_law(minus, plus), Fraction(1, 10**4)
    atoms: dict[int, Any] = {-1: [], +1: []}
    for at, weight, y in placed:
        atoms[y].append(([at], Fraction(weight, 20)))
    share = 1 - sum((mass for listed in atoms.values() for _, mass in listed), Fraction(0))
    value = optimal_box_risk(law, Ball(eps), atoms).value.fraction
    for sign in (-1, +1):  # moving mass by at most tiny is undone by a radius changed by as much
        spread: dict[int, Any] = {}
        for y in (-1, +1):
            pieces = law.densities[y]
            cells = [
                (cell, v * share) for k, v in enumerate(pieces.values) if v > 0
                for cell in Boxes.on_grid(pieces.edges, pieces.index == k).cells()
            ]  # fmt: skip
            spread[y] = _with_spikes(cells, atoms[y], tiny)
        blurred = BoxDistribution.of_densities(spread)
        bound = optimal_box_risk(blurred, Ball(max(eps + sign * tiny, Fraction(0)))).value.fraction
        assert bound <= value if sign < 0 else value <= bound


def _with_spikes(cells: list[Any], atoms: list[Any], tiny: Fraction) -> list[Any]:
    """Densities with each atom spread over a box of side 2 tiny around it, on a common refinement."""
    cuts = sorted(
        {x for (side,), _ in cells for x in side} | {x for (at,), _ in atoms for x in (at - tiny, at + tiny)}
    )
    refined = []
    for lo, hi in itertools.pairwise(cuts):
        density = sum((d for ((a, b),), d in cells if a <= lo and hi <= b), Fraction(0))
        density += sum((m / (2 * tiny) for (at,), m in atoms if at - tiny <= lo and hi <= at + tiny), Fraction(0))
        if density:
            refined.append(([(lo, hi)], density))
    return refined


# ---- what any optimum must satisfy ----


@settings(max_examples=30)
@given(pixel_problems(2, 3), rationals(Fraction(1, 12), HALF, 12), st.integers(0, 2**9 - 1))
def test_no_classifier_has_less_robust_risk(
    problem: tuple[np.ndarray, np.ndarray], eps: Fraction, mask: int
) -> None:
    law = pixel_law(*problem)
    chosen = [i for i in range(9) if mask >> i & 1]
    positive = Boxes([[(Fraction(i % 3, 3), Fraction(i % 3 + 1, 3)), (Fraction(i // 3, 3), Fraction(i // 3 + 1, 3))]
                      for i in chosen], 2)  # fmt: skip
    best = optimal_box_risk(law, Ball(eps))
    assert best.value <= robust_risk(RegionClassifier.binary(positive), law, Ball(eps))
    assert robust_risk(best.classifier, law, Ball(eps)) == best.value


def test_every_minimum_cut_is_a_minimiser() -> None:
    law = BoxDistribution.of_masses({-1: [([(0, HALF)], HALF)], +1: [([(HALF, 1)], HALF)]}, [(0, 1)])
    network = conflict_network(law, Ball("1/10"))
    cuts = list(network.minimisers())
    assert len(cuts) > 1  # at prior 1/2 every threshold in [2/5, 3/5] ties
    for cut in cuts:
        assert robust_risk(cut.classifier, law, Ball("1/10")).fraction == Fraction(1, 5)


@pytest.mark.parametrize(
    ("ball", "law", "words"),
    [
        (Ball("1/10", 2), checkerboard(), "norm 2 has no exact optimum"),
        (Ball("1/100000"), checkerboard(), "too small"),
    ],
)
def test_what_cannot_be_solved_is_refused_in_a_sentence(ball: Ball, law: BoxDistribution, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        optimal_box_risk(law, ball)


def test_atoms_are_checked() -> None:
    with pytest.raises(ValueError, match="label 3"):
        optimal_box_risk(checkerboard(), Ball("1/10"), {3: [((HALF, HALF), HALF)]})
    with pytest.raises(ValueError, match="at most 1"):
        optimal_box_risk(checkerboard(), Ball("1/10"), {1: [((HALF, HALF), 2)]})


# ---- the curve ----


def test_the_curves_of_hand_solved_laws() -> None:
    assert optimal_box_curve(checkerboard(), "1/10", HALF).pieces == (
        (Fraction(1, 10), Fraction(1, 4), Poly(0, 4, -8)),
        (Fraction(1, 4), HALF, Poly(HALF)),
    )
    assert str(optimal_box_curve(nested(), "1/20", HALF)) == "(1/20, 1/8): 4*eps - 16*eps^2\n(1/8, 1/2): 1/4"


@settings(max_examples=6)
@given(pixel_problems(2, 2), st.lists(rationals(Fraction(1, 6), HALF, 90), min_size=4, max_size=4))
def test_the_curve_is_the_optimum_at_every_radius(
    problem: tuple[np.ndarray, np.ndarray], radii: list[Fraction]
) -> None:
    law = pixel_law(*problem)
    found = optimal_box_curve(law, "1/6", HALF)
    for eps in radii + [x for x in found.breakpoints if isinstance(x, Fraction)]:
        assert found(eps) == optimal_box_risk(law, Ball(eps)).value.fraction


@settings(max_examples=12)
@given(pixel_problems(1, 6), st.lists(rationals(Fraction(0), HALF, 90), min_size=4, max_size=4))
def test_on_the_line_the_curve_starts_at_zero(
    problem: tuple[np.ndarray, np.ndarray], radii: list[Fraction]
) -> None:
    minus, plus = problem
    first = minus >= plus
    first[0], first[-1] = True, False
    law = pixel_law(minus * first, plus * ~first)  # classes apart: one label a pixel
    found = optimal_box_curve(law, 0, HALF)
    for eps in radii + [x for x in found.breakpoints if isinstance(x, Fraction)]:
        assert found(eps) == optimal_box_risk(law, Ball(eps)).value.fraction


def test_a_curve_may_break_at_an_irrational_radius() -> None:
    """First the outer square gives up a ring of area (1/2 + 4 eps)^2 - 1/4, later the inner one, four times as dense,
    gives up its area 1/4: they cross where 16 eps^2 + 4 eps = 1.
    """
    law = nested(4, Fraction(2))
    found = optimal_box_curve(law, "1/8", "1/5")
    (root,) = (x for x in found.breakpoints if isinstance(x, Root))
    assert root.poly(Fraction(0)) != 0
    assert Root(Poly(-1, 4, 16), Fraction(1, 8), Fraction(1, 5)) == root
    near = root.refine(Fraction(1, 10**9))
    for eps in (near.lo, near.hi):
        assert found(eps) == optimal_box_risk(law, Ball(eps)).value.fraction


def test_the_law_may_depend_on_the_radius() -> None:
    def stripes(eps: Any) -> BoxDistribution:
        return BoxDistribution.of_densities({-1: [([(0, 2 * eps)], 1)], +1: [([(2 * eps, 1)], 1)]}, [(0, 1)])

    found = optimal_box_curve(stripes, "1/10", "2/5")
    for eps in (Fraction(1, 10), Fraction(3, 20), Fraction(1, 5), Fraction(1, 3)):
        assert found(eps) == optimal_box_risk(stripes(eps), Ball(eps)).value.fraction


@given(
    st.lists(rationals(Fraction(-3), Fraction(3)), max_size=4),
    rationals(Fraction(0), UNIT), rationals(Fraction(1, 10), UNIT), rationals(Fraction(0), UNIT),
)  # fmt: skip
def test_bernstein_coefficients_give_the_polynomial_back(
    coeffs: list[Fraction], lo: Fraction, width: Fraction, t: Fraction
) -> None:
    p, n = Poly(*coeffs), max(len(coeffs), 1)
    b = bernstein(p, n, lo, lo + width)
    weights = [comb(n, i) * t**i * (1 - t) ** (n - i) for i in range(n + 1)]
    assert sum(w * c for w, c in zip(weights, b, strict=True)) == p(lo + width * t)


def test_where_classes_overlap_a_curve_from_zero_is_refused() -> None:
    law = BoxDistribution.of_masses({-1: [([(0, 1)], HALF)], +1: [([(0, 1)], HALF)]})
    with pytest.raises(ValueError, match=r"right of 0 is too small: over 4,000 grid lines"):
        optimal_box_curve(law, 0, HALF)


@pytest.mark.parametrize(("lo", "hi", "words"), [("-1/10", "1/2", "0 <= lo < hi"), ("1/2", "1/2", "0 <= lo < hi")])
def test_a_curve_needs_a_range_of_radii(lo: str, hi: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        optimal_box_curve(checkerboard(), lo, hi)

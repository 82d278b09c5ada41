"""Minimum covers against enumeration, against scipy, and on the graphs that break depth-first solvers."""

from __future__ import annotations

import itertools
import math
import time
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from theory.flow import max_flow
from theory.optimal import matching
from theory.optimal.conflict import conflict_graph
from theory.optimal.matching import Matcher, verify_cover, weighted_cover


def line_graph(x0, x1, eps):
    """The conflict graph of points on a line at the radii eps (integers and halves)."""
    return conflict_graph(np.array(x0).reshape(-1, 1), np.array(x1).reshape(-1, 1), eps)


def adjacency(graph, k):
    dense = np.zeros((graph.n0, graph.n1), bool)
    for i in range(graph.n0):
        dense[i, graph.neighbours(i, k)] = True
    return dense


def lightest_cover_by_enumeration(dense, w0, w1):
    """min over subsets of class 0 of its weight plus the weight of the neighbours of the rest."""
    best = math.inf
    for chosen in itertools.product([False, True], repeat=len(w0)):
        rest = [i for i, c in enumerate(chosen) if not c]
        needed = dense[rest].any(axis=0) if rest else np.zeros(len(w1), bool)
        weight = sum(w for w, c in zip(w0, chosen, strict=True) if c)
        best = min(best, weight + sum(w for w, c in zip(w1, needed, strict=True) if c))
    return best


def random_plane(seed, n0=9, n1=7, size=12):
    rng = np.random.default_rng(seed)
    return rng.integers(0, size, (n0, 2)), rng.integers(0, size, (n1, 2)), rng


@pytest.mark.parametrize("seed", range(30))
def test_covers_are_the_lightest_by_enumeration(seed):
    x0, x1, rng = random_plane(seed)
    graph = conflict_graph(x0, x1, [0, 1, 2, 3])
    matcher = Matcher(graph)
    w0, w1 = rng.integers(0, 6, 9).tolist(), rng.integers(0, 6, 7).tolist()
    for k in range(4):
        dense = adjacency(graph, k)
        assert matcher.cover(k).value == lightest_cover_by_enumeration(dense, [1] * 9, [1] * 7)
        assert weighted_cover(graph, k, w0, w1).value == lightest_cover_by_enumeration(dense, w0, w1)


@pytest.mark.parametrize("seed", range(4))
def test_larger_graphs_agree_with_scipy_and_with_our_flow(seed):
    from scipy.optimize import linear_sum_assignment

    x0, x1, rng = random_plane(seed, 300, 260, 60)
    graph = conflict_graph(x0, x1, [1, 2, 4, 8, 20])
    matcher = Matcher(graph)
    for k in range(5):
        dense = adjacency(graph, k)
        rows, cols = linear_sum_assignment(~dense)
        unit = matcher.cover(k)
        assert unit.value == int(dense[rows, cols].sum())
        ones = weighted_cover(graph, k, [1] * 300, [1] * 260)
        assert ones.value == unit.value
    w0, w1 = rng.integers(1, 100, 300).tolist(), rng.integers(1, 100, 260).tolist()
    edges = [(0, 1 + i, w) for i, w in enumerate(w0)] + [(301 + j, 561, w) for j, w in enumerate(w1)]
    edges += [(1 + i, 301 + j, None) for i, j in zip(*adjacency(graph, 1).nonzero(), strict=True)]
    small = weighted_cover(graph, 1, w0, w1)
    assert small.value == max_flow(562, edges, 0, 561).value
    # Weights beyond 32 (and 64) bits take the other solver, and scale.
    huge = weighted_cover(graph, 1, [w << 70 for w in w0], [w << 70 for w in w1])
    assert huge.value == small.value << 70


def test_the_sparse_first_stage_changes_no_value(monkeypatch):
    x0, x1, _ = random_plane(7, 200, 220, 40)
    graph = conflict_graph(x0, x1, [1, 3, 6, 12])
    values = {}
    for cap in (1, 3, 10**6):
        monkeypatch.setattr(matching, "_SPARSE", cap)
        matcher = Matcher(graph)
        values[cap] = [matcher.cover(k).value for k in range(4)]
    assert values[1] == values[3] == values[10**6]
    monkeypatch.setattr(matching, "_CHUNK", 50)
    matcher = Matcher(graph)
    assert [matcher.cover(k).value for k in range(4)] == values[1]


def test_a_cold_start_reaches_the_same_value():
    x0, x1, _ = random_plane(8, 150, 150, 40)
    radii = list(range(12))
    graph = conflict_graph(x0, x1, radii)
    warm = Matcher(graph)
    warm_values = [warm.cover(k).value for k in range(12)]
    assert warm_values == [Matcher(graph).cover(k).value for k in range(12)]
    assert warm_values == sorted(warm_values)
    assert len(set(warm_values)) > 4


@pytest.mark.parametrize("levels", [60, 400])
def test_duplicates_on_a_line_are_no_trap(levels):
    """Values repeated twice at 0, 1, 2, ... in both classes: layered, exponential for depth-first solvers."""
    repeated = np.repeat(np.arange(levels), 2)
    graph = line_graph(repeated, repeated + 1, [0, Fraction(1, 2), 1])
    start = time.perf_counter()
    matcher = Matcher(graph)
    values = [matcher.cover(k).value for k in range(3)]
    assert time.perf_counter() - start < 5  # exponential in 60 levels would outlive the test run
    # Class 1 sits one to the right: at eps = 0 all but its last value meet equals, at 1/2 everything is matched.
    assert values == [2 * (levels - 1), 2 * levels, 2 * levels]


def test_a_long_augmenting_path_is_found():
    # A path x0 - y0 - x1 - y1 - ... in which the greedy choice leaves both ends free.
    n = 3000
    x0 = np.arange(n) * 4
    x1 = np.arange(n) * 4 + 2
    graph = line_graph(x0, x1, [1])
    cover = Matcher(graph).cover(0)
    assert cover.value == n
    assert graph.edges(0) == 2 * n - 1


def test_no_conflicts_and_all_conflicts():
    graph = line_graph([0, 1, 2], [50, 51], [1, 100])
    matcher = Matcher(graph)
    none, every = matcher.cover(0), matcher.cover(1)
    assert (none.value, none.cover0.any(), none.cover1.any()) == (0, False, False)
    assert (every.value, every.cover1.all()) == (2, True)
    assert weighted_cover(graph, 0, [1, 2, 3], [4, 5]).value == 0
    assert weighted_cover(graph, 1, [1, 2, 3], [4, 5]).value == 6
    assert weighted_cover(graph, 1, [0, 0, 0], [4, 5]).value == 0


def test_negative_weights_are_refused():
    with pytest.raises(ValueError, match="weight -1 is negative"):
        weighted_cover(line_graph([0], [1], [1]), 0, [-1], [1])


def spoiled(cover):
    """Each certificate with one thing wrong."""
    covered0, covered1 = np.flatnonzero(cover.cover0), np.flatnonzero(cover.cover1)
    for name, at in (("cover0", covered0), ("cover1", covered1)):
        marks = getattr(cover, name).copy()
        marks[at[0]] = False
        yield replace(cover, **{name: marks})  # a conflict is left uncovered
    more = cover.cover0.copy()
    more[np.flatnonzero(~more)[0]] = True
    yield replace(cover, cover0=more)  # a cover too heavy
    yield replace(cover, value=cover.value + 1)
    yield replace(cover, amounts=cover.amounts[:-1], rows=cover.rows[:-1], cols=cover.cols[:-1], edges=cover.edges[:-1])
    yield replace(cover, amounts=cover.amounts + 1)  # more than the points weigh
    yield replace(cover, amounts=-cover.amounts)
    yield replace(cover, cols=np.roll(cover.cols, 1))  # pairs that are no conflicts
    yield replace(cover, edges=np.roll(cover.edges, 1))
    rows, cols, edges = (a.copy() for a in (cover.rows, cover.cols, cover.edges))
    rows[1], cols[1], edges[1] = rows[0], cols[0], edges[0]
    yield replace(cover, rows=rows, cols=cols, edges=edges)  # one pair used twice


@pytest.mark.parametrize("weighted", [False, True])
def test_a_spoiled_certificate_is_noticed(weighted):
    x0, x1, rng = random_plane(1, 30, 30, 20)
    graph = conflict_graph(x0, x1, [1, 2])
    if weighted:
        w = rng.integers(1, 9, 30).tolist(), rng.integers(1, 9, 30).tolist()
        cover = weighted_cover(graph, 1, *w)
    else:
        w = None, None
        cover = Matcher(graph).cover(1)
    verify_cover(graph, 1, cover, *w)
    cases = list(spoiled(cover))
    assert len(cases) == 10
    for case in cases:
        with pytest.raises(ArithmeticError):
            verify_cover(graph, 1, case, *w)
    # A matching of the larger radius is none of the smaller: some of its pairs do not conflict yet.
    with pytest.raises(ArithmeticError):
        verify_cover(graph, 0, cover, *w)

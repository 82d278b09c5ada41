"""theory.flow against brute force over all cuts, against scipy, and the lattice of minimum cuts."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from theory.flow import ResidualOrder, max_flow, residual_order, verify_flow


def all_cuts(n, edges, source, sink):
    """Every source side with its capacity (None: infinite), by enumeration."""
    inner = [v for v in range(n) if v not in (source, sink)]
    for size in range(len(inner) + 1):
        for chosen in itertools.combinations(inner, size):
            side = frozenset((source, *chosen))
            crossing = [c for tail, head, c in edges if tail in side and head not in side]
            yield side, None if None in crossing else sum(crossing, Fraction(0))


def random_network(rng, n, m, infinite=0.0, denominator=7):
    edges = []
    for _ in range(m):
        tail, head = rng.randrange(n), rng.randrange(n)
        # Infinite edges only between middle nodes, so that a finite cut exists.
        if rng.random() < infinite and {tail, head}.isdisjoint({0, n - 1}):
            edges.append((tail, head, None))
        else:
            edges.append((tail, head, Fraction(rng.randrange(6), rng.randrange(1, denominator + 1))))
    return edges


@pytest.mark.parametrize("seed", range(150))
def test_value_is_the_least_cut_and_the_minimum_cuts_are_the_closures(seed):
    rng = random.Random(seed)
    n = rng.randrange(2, 8)
    # Denominator 1 makes ties, hence many minimum cuts.
    edges = random_network(rng, n, rng.randrange(0, 16), infinite=0.25, denominator=rng.choice([1, 7]))
    flow = max_flow(n, edges, 0, n - 1)
    cuts = dict(all_cuts(n, edges, 0, n - 1))
    least = min(c for c in cuts.values() if c is not None)
    assert flow.value == least
    minimum = {side for side, capacity in cuts.items() if capacity == least}
    assert flow.source_side_min == frozenset.intersection(*minimum)
    assert flow.source_side_max == frozenset.union(*minimum)
    listed = list(residual_order(flow).minimum_cuts())
    assert len(listed) == len(set(listed))
    assert set(listed) == minimum


@pytest.mark.parametrize("seed", range(20))
def test_random_integer_networks_agree_with_scipy(seed):
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_flow

    rng = np.random.default_rng(seed)
    n = 60
    capacity = np.triu(rng.integers(0, 50, (n, n)) * (rng.random((n, n)) < 0.15), 1)
    capacity += np.tril(rng.integers(0, 50, (n, n)) * (rng.random((n, n)) < 0.05), -1)
    edges = [(int(i), int(j), int(capacity[i, j])) for i, j in zip(*capacity.nonzero(), strict=True)]
    assert max_flow(n, edges, 0, n - 1).value == maximum_flow(csr_array(capacity.astype(np.int32)), 0, n - 1).flow_value


def test_integers_beyond_32_and_64_bits_stay_exact():
    big = 2**40 + 2**70
    assert max_flow(3, [(0, 1, big), (1, 2, big - 1)], 0, 2).value == big - 1


def test_a_number_that_only_adds_and_compares_is_enough():
    class Length:
        """An ordered element with no float(), int(), hash or division, as a germ has none."""

        __hash__ = None  # type: ignore[assignment]

        def __init__(self, exact):
            self.exact = Fraction(exact)

        def __add__(self, other):
            return Length(self.exact + getattr(other, "exact", other))

        def __sub__(self, other):
            return Length(self.exact - getattr(other, "exact", other))

        __radd__ = __add__

        def __rsub__(self, other):
            return Length(getattr(other, "exact", other) - self.exact)

        def __lt__(self, other):
            return self.exact < getattr(other, "exact", other)

        def __gt__(self, other):
            return self.exact > getattr(other, "exact", other)

        def __eq__(self, other):
            return self.exact == getattr(other, "exact", other)

        def __float__(self):
            raise AssertionError("float() of a capacity")

        __int__ = __bool__ = __index__ = __float__

    rng = random.Random(5)
    for _ in range(40):
        edges = random_network(rng, 6, 14, infinite=0.2)
        wrapped = [(t, h, None if c is None else Length(c)) for t, h, c in edges]
        plain, lengths = max_flow(6, edges, 0, 5), max_flow(6, wrapped, 0, 5)
        assert getattr(lengths.value, "exact", lengths.value) == plain.value
        assert residual_order(lengths) == residual_order(plain)


def test_a_chain_of_many_thousand_nodes_needs_no_recursion():
    n = 20_000
    edges = [(i, i + 1, 1 + (i == n // 2)) for i in range(n - 1)]
    flow = max_flow(n, edges, 0, n - 1)
    assert flow.value == 1
    assert flow.source_side_min == {0}
    assert len(residual_order(flow).components) == n - 3  # the wide edge joins its two ends


def test_too_many_minimum_cuts_are_refused_before_the_first():
    # Fourteen free nodes on parallel paths: 2^14 minimum cuts.
    edges = [e for i in range(1, 15) for e in ((0, i, 1), (i, 15, 1))]
    order = residual_order(max_flow(16, edges, 0, 15))
    with pytest.raises(ValueError, match="more than 1000 minimum cuts"):
        order.closures(limit=1000)
    assert sum(1 for _ in order.closures(limit=2**14)) == 2**14


def test_closures_of_a_cycle_are_all_or_nothing():
    order = ResidualOrder(frozenset({9}), (frozenset({1, 2}), frozenset({3})), (frozenset(), frozenset({0})))
    assert list(order.minimum_cuts()) == [{9}, {9, 1, 2}, {9, 1, 2, 3}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((2, [(0, 1, None)], 0, 1), "infinite capacity"),
        ((2, [(0, 1, -1)], 0, 1), "negative capacity -1"),
        ((2, [(0, 2, 1)], 0, 1), "leaves the nodes"),
        ((2, [], 1, 1), "must differ"),
        ((2, [], 0, 5), "node 5"),
    ],
)
def test_bad_networks_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        max_flow(*arguments)


@pytest.mark.parametrize(
    "spoil",
    [
        {"value": 3},
        {"flows": (1, 2)},
        {"flows": (3, 3)},
        {"flows": (-1, -1), "value": -1},
        {"source_side_min": frozenset({0})},
        {"source_side_max": frozenset({0, 1, 2})},
    ],
)
def test_a_spoiled_flow_is_noticed(spoil):
    flow = max_flow(3, [(0, 1, 3), (1, 2, 2)], 0, 2)
    verify_flow(flow)
    with pytest.raises(ArithmeticError):
        verify_flow(replace(flow, **spoil))

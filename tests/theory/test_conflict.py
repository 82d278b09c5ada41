"""The conflict graph against exact distances computed pair by pair in rationals."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from theory.optimal import conflict
from theory.optimal.conflict import conflict_graph, within
from theory.optimal.distances import pairs

NORMS = [1, 2, math.inf]


def exact_distance(x, y, ord):
    """The distance (its square under l2) of two points in rationals."""
    gaps = [abs(Fraction(a) - Fraction(b)) for a, b in zip(x.tolist(), y.tolist(), strict=True) if a != b]
    return sum((g * g for g in gaps), Fraction(0)) if ord == 2 else sum(gaps) if ord == 1 else max(gaps, default=0)


def brute_force_edges(x0, x1, radii, ord, scale):
    """The conflicting pairs at each radius."""
    distances = {(i, j): exact_distance(a, b, ord) for i, a in enumerate(x0) for j, b in enumerate(x1)}
    limits = [(2 * Fraction(eps) * scale) ** (2 if ord == 2 else 1) for eps in radii]
    return [{pair for pair, distance in distances.items() if distance <= limit} for limit in limits]


def edges(graph, k):
    return {(i, j) for i in range(graph.n0) for j in graph.neighbours(i, k).tolist()}


def touching_radii(x0, x1, ord, scale, count=4):
    """Radii at which some pair touches exactly (for l2 where it is rational), and their neighbours on both sides."""
    found = []
    for a, b in itertools.product(x0[:6], x1[:6]):
        d = exact_distance(a, b, ord)
        root = Fraction(math.isqrt(d.numerator), math.isqrt(d.denominator)) if ord == 2 else d
        if ord != 2 or root * root == d:
            found.append(Fraction(root) / 2 / scale)
    return [r + s for r in found[:count] for s in (Fraction(0), Fraction(1, 10**30), -min(r, Fraction(1, 10**30)))]


def uint8_points(rng, n, d):
    return rng.integers(0, 256, (n, d)).astype(np.uint8)


def small_integers(rng, n, d):
    return rng.integers(-4, 5, (n, d))


def dyadic_floats(rng, n, d):
    return rng.integers(-64, 65, (n, d)) / 16


def pixels_over_255(rng, n, d):
    return (rng.integers(0, 256, (n, d)) / 255).astype(np.float32)


def long_floats(rng, n, d):
    return rng.normal(size=(n, d)) + 100.0


def coinciding_long_floats(rng, n, d):
    """Floats with many pairs at exactly equal, non-dyadic distances: rounding alone cannot decide them."""
    return 0.1 + rng.integers(0, 3, (n, d)) * (1 / 3)


def large_integers(rng, n, d):
    return rng.integers(-(2**40), 2**40, (n, d)) * rng.integers(0, 2, (n, d))


KINDS = [
    (uint8_points, 255),
    (small_integers, 3),
    (dyadic_floats, 1),
    (pixels_over_255, 1),
    (long_floats, 1),
    (coinciding_long_floats, 1),
    (large_integers, 1),
]


@pytest.mark.parametrize("ord", NORMS)
@pytest.mark.parametrize(("make", "scale"), KINDS, ids=lambda v: getattr(v, "__name__", v))
def test_the_graph_has_exactly_the_pairs_within_twice_eps(make, scale, ord):
    rng = np.random.default_rng(len(make.__name__))
    for d in (1, 2, 7):
        x0, x1 = make(rng, 12, d), make(rng, 15, d)
        distances = sorted(float(exact_distance(a, b, ord)) for a in x0[:5] for b in x1[:5])
        typical = [math.sqrt(v) if ord == 2 else v for v in distances[:: len(distances) // 4]]
        radii = [Fraction(0), *(Fraction(t) / 2 / scale for t in typical), *touching_radii(x0, x1, ord, scale)]
        graph = conflict_graph(x0, x1, radii, ord=ord, scale=scale)
        assert graph.eps == tuple(sorted(set(radii)))
        for k, wanted in enumerate(brute_force_edges(x0, x1, graph.eps, ord, scale)):
            assert edges(graph, k) == wanted
            assert graph.edges(k) == len(wanted)


@pytest.mark.parametrize("ord", NORMS)
def test_wide_data_is_decided_by_the_same_rules(ord):
    rng = np.random.default_rng(3)
    # Sparse rows like images of digits, so that the columns both classes share are few.
    x0 = uint8_points(rng, 17, 100) * (rng.random((17, 100)) < 0.1)
    x1 = uint8_points(rng, 13, 100) * (rng.random((13, 100)) < 0.1)
    for x in ((x0, x1), (x0 / 255, x1 / 255)):
        scale = 255 if x[0].dtype == np.uint8 else 1
        d = sorted(exact_distance(a, b, ord) for a in x[0][:6] for b in x[1][:6])[10]
        radius = Fraction(math.sqrt(d) if ord == 2 else d) / 2 / scale
        graph = conflict_graph(*x, [radius / 2, radius, radius * 2], ord=ord, scale=scale)
        for k, wanted in enumerate(brute_force_edges(*x, graph.eps, ord, scale)):
            assert edges(graph, k) == wanted
        assert 0 < graph.edges(1) < 221


def test_the_number_type_follows_the_range_in_which_it_is_exact():
    def types(largest, d=784):
        x = np.full((2, d), largest, np.int64)
        x[1, ::2] = 0
        product = pairs(x, x, 2).square
        return product.left.dtype.name, product.odd is not None, product.slack > 0

    assert types(146) == ("float32", False, False)  # 784 * 146^2 = 16,711,744 < 2^24 = 16,777,216
    assert types(147) == ("float64", False, False)
    assert types(1) == ("float32", False, False)
    assert types(2**21) == ("float64", False, False)
    assert types(2**22) == ("float64", False, True)  # 784 * 2^44 > 2^52: rounding errors are bounded instead
    # One long and one short sample: the product fits although one norm exceeds 2^24, its halves kept apart.
    x0, x1 = np.full((1, 784), 170, np.uint8), np.full((1, 784), 97, np.uint8)
    product = pairs(x1, x0, 2).square
    assert (product.left.dtype, product.odd is not None) == (np.float32, True)


def test_float32_blocks_are_exact_at_the_edge_of_their_range():
    rng = np.random.default_rng(0)
    x0 = np.clip(rng.integers(130, 163, (40, 784)), 0, 255).astype(np.uint8)
    x1 = np.clip(rng.integers(80, 115, (40, 784)), 0, 255).astype(np.uint8)
    both = pairs(x0, x1, 2)
    assert both.square.left.dtype == np.float32
    counts, cols, keys = both.near(0, 40, Fraction(10**9))
    wanted = ((x0.astype(np.int64)[:, None] - x1.astype(np.int64)[None]) ** 2).sum(axis=2)
    assert counts.tolist() == [40] * 40
    assert np.array_equal(keys, wanted[np.repeat(np.arange(40), 40), cols])
    assert set((wanted % 2).ravel().tolist()) == {0, 1}


def test_long_points_beside_short_ones_are_exact():
    rng = np.random.default_rng(6)
    for length in (2896, 4095, 5792, 5793, 9000):  # squares below, about and above 2^24 and 2^25
        x0, x1 = rng.integers(-20, 21, (9, 4)), rng.integers(length - 3, length + 1, (11, 1)) * [[1, 0, 0, 0]]
        for a, b in ((x0, x1), (x1, x0)):
            both = pairs(a, b, 2)
            wanted = ((a[:, None] - b[None]) ** 2).sum(axis=2)
            limit = int(np.median(wanted))
            counts, cols, keys = both.near(0, len(a), Fraction(limit))
            assert np.array_equal(counts, (wanted <= limit).sum(axis=1))
            assert np.array_equal(keys, wanted[np.repeat(np.arange(len(a)), counts), cols])


@pytest.mark.parametrize("ord", NORMS)
@pytest.mark.parametrize(("make", "scale"), KINDS, ids=lambda v: getattr(v, "__name__", v))
def test_at_an_enormous_radius_everything_conflicts(make, scale, ord):
    rng = np.random.default_rng(0)
    graph = conflict_graph(make(rng, 4, 3), make(rng, 5, 3), ["1e40", 10**20], ord=ord, scale=scale)
    assert [graph.edges(k) for k in range(2)] == [20, 20]


def test_the_slack_bounds_the_rounding_error_of_the_product():
    rng = np.random.default_rng(1)
    x0, x1 = rng.normal(size=(20, 50)) * 1e3, rng.normal(size=(20, 50)) * 1e3 + 1e5
    both = pairs(x0, x1, 2)
    counts, cols, keys = both.near(0, 20, both.threshold(Fraction(10**9)))
    rows = np.repeat(np.arange(20), counts)
    errors = [abs(Fraction(k) - both.exact_key(int(i), int(j))) for i, j, k in zip(rows, cols, keys, strict=True)]
    assert len(errors) == 400
    assert 0 < max(errors) <= Fraction(both.slack)


def test_blocks_and_levels_do_not_change_the_graph(monkeypatch):
    rng = np.random.default_rng(2)
    x0, x1 = uint8_points(rng, 50, 3), uint8_points(rng, 70, 3)
    radii = [Fraction(k, 20) for k in range(9)]
    whole = conflict_graph(x0, x1, radii, scale=255)
    monkeypatch.setattr(conflict, "_BLOCK", 70 * 7)
    cut = conflict_graph(x0, x1, radii, scale=255)
    for k, eps in enumerate(radii):
        alone = conflict_graph(x0, x1, [eps], scale=255)
        assert edges(whole, k) == edges(cut, k) == edges(alone, 0)
    assert np.array_equal(whole.indices, cut.indices)
    assert np.array_equal(whole.ends, cut.ends)


@pytest.mark.parametrize("make", [uint8_points, long_floats])
def test_two_processes_give_the_graph_of_one(make, monkeypatch):
    rng = np.random.default_rng(4)
    x0, x1 = make(rng, 30, 4), make(rng, 40, 4)
    radii = [Fraction(k, 3) for k in range(4)] if make is long_floats else [Fraction(k, 5) for k in range(4)]
    scale = 1 if make is long_floats else 255
    monkeypatch.setattr(conflict, "_BLOCK", 40 * 9)
    one = conflict_graph(x0, x1, radii, scale=scale)
    two = conflict_graph(x0, x1, radii, scale=scale, n_jobs=2)
    assert one.edges(3) > 0
    for name in ("indices", "starts", "ends"):
        assert np.array_equal(getattr(one, name), getattr(two, name))


def test_progress_counts_the_rows(monkeypatch):
    monkeypatch.setattr(conflict, "_BLOCK", 20)
    seen = []
    x = np.arange(10).reshape(10, 1)
    conflict_graph(x, x, [1], progress=lambda done, total: seen.append((done, total)))
    assert seen == [(2, 10), (4, 10), (6, 10), (8, 10), (10, 10)]


def test_a_graph_too_large_says_its_size_before_it_is_built():
    x = np.zeros((1000, 2), np.uint8)
    with pytest.raises(ValueError, match=r"about 1e\+06 edges \(0.004 GB\), more than the 0.001 GB allowed"):
        conflict_graph(x, x, [1], max_bytes=10**6)
    # A sparse graph on as many points fits.
    far = np.arange(1000).reshape(1000, 1)
    assert conflict_graph(far, far, [0], max_bytes=10**6).edges(0) == 1000


def test_a_graph_that_outgrows_its_prediction_stops(monkeypatch):
    # All the edges sit in rows that the probe does not look at.
    x0 = np.full((1000, 1), 1000)
    probed = sorted({1000 * step // 64 for step in range(64)})
    x0[[i for i in range(1000) if i not in probed]] = 0
    monkeypatch.setattr(conflict, "_BLOCK", 10_000)
    with pytest.raises(ValueError, match="the conflict graph would have about"):
        conflict_graph(x0, np.zeros((1000, 1), np.int64), [0], max_bytes=10**6)


@pytest.mark.parametrize("ord", NORMS)
@pytest.mark.parametrize(("make", "scale"), [(uint8_points, 255), (long_floats, 1), (dyadic_floats, 1)])
def test_within_is_the_nearest_centre_rule(make, scale, ord):
    rng = np.random.default_rng(9)
    x, centres = make(rng, 25, 3), make(rng, 6, 3)
    nearest = [min(exact_distance(a, c, ord) for c in centres) for a in x]
    radius = Fraction(math.sqrt(sorted(nearest)[12]) if ord == 2 else sorted(nearest)[12])
    limit = radius**2 if ord == 2 else radius
    inside = within(x, centres, radius / scale, ord=ord, scale=scale)
    assert inside.tolist() == [d <= limit for d in nearest]
    assert 0 < inside.sum() < 25
    assert not within(x, centres[:0], radius, ord=ord, scale=scale).any()


@pytest.mark.parametrize(
    ("x0", "x1", "options", "message"),
    [
        ([[1]], [[2]], {"eps": [-1]}, "eps -1 is negative"),
        ([[1]], [[2]], {"eps": []}, "eps is empty"),
        ([[1]], [[2]], {"eps": ["x"]}, "eps 'x' is not a number"),
        ([[1]], [[2]], {"ord": 3}, "ord 3 is not a norm"),
        ([[1]], [[2.0]], {}, "mix integers and floats"),
        ([[1, 2]], [[2]], {}, "do not fit"),
        ([[1.0]], [[math.nan]], {}, "NaN or infinity"),
        ([[1]], [[2**60]], {}, "beyond 2"),
        ([[1e200]], [[2.5]], {}, "too long"),
        (np.zeros((0, 2)), np.zeros((3, 2)), {}, "a class is empty"),
    ],
)
def test_bad_input_is_refused(x0, x1, options, message):
    with pytest.raises(ValueError, match=message):
        conflict_graph(np.array(x0), np.array(x1), options.pop("eps", [1]), **options)

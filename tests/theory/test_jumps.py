"""The jumps of V(eps) against V itself, computed point by point on both sides of every distance."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from theory.optimal import jumps as module
from theory.optimal.jumps import Jump, sample_jumps
from theory.optimal.sample import optimal_sample_risk
from theory.samples import LabelledSample, digits

NORMS = [1, 2, math.inf]


def squared_half_distances(sample, ord):
    """Every squared radius at which some pair begins to touch, in rationals."""
    low, high = sample.classes
    found = set()
    for x in sample.of(low):
        for y in sample.of(high):
            gaps = [abs(Fraction(a) - Fraction(b)) / sample.scale for a, b in zip(x.tolist(), y.tolist(), strict=True)]
            d2 = sum(g * g for g in gaps) if ord == 2 else (sum(gaps) if ord == 1 else max(gaps)) ** 2
            found.add(d2 / 4)
    return sorted(found)


def around(square):
    """A rational radius a little below and one at or a little above the root of ``square``."""
    return Jump(square, Fraction(0)).eps.lo - Fraction(1, 10**12), Jump(square, Fraction(0)).eps.hi


def random_sample(seed, kind, n=24):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % 3 > 0).astype(int)
    if kind == "integers":
        return LabelledSample(rng.integers(0, n // 2, (n, 2)), y, 3)
    if kind == "ties":  # floats with many exactly equal distances that rounding cannot tell from neighbouring ones
        return LabelledSample(0.1 + rng.integers(0, n // 4, (n, 2)) * 0.3, y)
    return LabelledSample(rng.normal(size=(n, 3)), y)


@pytest.mark.parametrize("ord", NORMS)
@pytest.mark.parametrize("kind", ["integers", "ties", "floats"])
def test_v_jumps_where_it_is_said_to_and_nowhere_else(kind, ord):
    sample = random_sample(len(kind) + int(min(ord, 3)), kind)
    rng = np.random.default_rng(0)
    uneven = rng.integers(1, 9, len(sample))
    uneven = [Fraction(int(w), int(uneven.sum())) for w in uneven]
    squares = squared_half_distances(sample, ord)
    top = around(squares[len(squares) * 2 // 3])[1]
    for weights in (None, uneven):
        steps = sample_jumps(sample, top, ord, weights=weights)
        assert {s.eps_squared for s in steps} <= set(squares)
        assert len(steps) > 1
        for entry in ("eps_squared", "value"):
            assert [getattr(s, entry) for s in steps] == sorted({getattr(s, entry) for s in steps})
        said = dict.fromkeys(squares, Fraction(0))
        value = Fraction(0)
        after = {s.eps_squared: s.value for s in steps}
        for square in squares:
            value = after.get(square, value)
            said[square] = value
        before = Fraction(0)
        # Close neighbours cannot be separated by rational radii here; the value between them is checked all the same.
        for square, following in zip(squares, [*squares[1:], Fraction(10**6)], strict=True):
            eps = around(square)[1]
            if eps > top or eps**2 >= following:
                continue
            assert optimal_sample_risk(sample, eps, ord, weights=weights).value == said[square]
            assert said[square] >= before
            before = said[square]


@pytest.mark.parametrize("kind", ["integers", "ties", "floats"])
def test_growing_the_forest_and_halving_agree(kind, monkeypatch):
    sample = random_sample(5, kind, 80)
    grown = sample_jumps(sample, 3)
    forest = module._grow
    monkeypatch.setattr(module, "_grow", lambda edges, progress: module._bisect(edges, [1] * edges.n0, [1] * edges.n1))
    halved = sample_jumps(sample, 3)
    assert forest is not module._grow
    assert grown == halved
    assert len(grown) > 5


@pytest.mark.parametrize("seed", [24, 164, 172, 281, 380])
def test_many_equal_distances_can_free_several_points_at_once(seed, monkeypatch):
    """Cases in which a tree that takes over from an augmented one reaches a free point at the same distance."""
    rng = np.random.default_rng(seed)
    n, side = int(rng.integers(10, 60)), int(rng.integers(4, 14))
    sample = LabelledSample(rng.integers(0, side, (n, 2)), np.arange(n) % 2)
    grown = sample_jumps(sample, 4)
    monkeypatch.setattr(module, "_grow", lambda edges, progress: module._bisect(edges, [1] * edges.n0, [1] * edges.n1))
    assert grown == sample_jumps(sample, 4)


def test_the_jumps_of_digits_match_a_curve():
    from theory.optimal.sample import optimal_sample_curve

    sample = digits().only(3, 8)
    steps = sample_jumps(sample, "1.2")
    curve = optimal_sample_curve(sample, [Fraction(k, 50) for k in range(61)])
    for eps, value in zip(curve.eps, curve.values, strict=True):
        assert value == max((s.value for s in steps if s.eps_squared <= eps**2), default=0)
    # Each jump is half a distance between two digits of 16 grey levels: 1024 eps^2 is a whole number.
    assert all((1024 * s.eps_squared).denominator == 1 for s in steps)
    assert [s.value for s in steps] == sorted({s.value for s in steps})


def test_the_radius_of_a_jump_is_exact_or_tightly_enclosed():
    assert Jump(Fraction(9, 16), Fraction(1)).eps.fraction == Fraction(3, 4)
    for square in (Fraction(2), Fraction(1, 3 * 10**40), Fraction(10**40, 3)):
        eps = Jump(square, Fraction(1)).eps
        assert eps.lo**2 < square < eps.hi**2
        assert eps.width < eps.lo / 10**29


def test_no_conflict_no_jump_and_progress_reaches_the_end():
    far = LabelledSample([[0], [100]], [0, 1])
    assert sample_jumps(far, 1) == ()
    assert sample_jumps(far, 1, weights=["1/3", "2/3"]) == ()
    seen = []
    sample_jumps(digits().only(3, 8), "1.1", progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] > 0
    with pytest.raises(ValueError, match="exactly two"):
        sample_jumps(digits(), 1)

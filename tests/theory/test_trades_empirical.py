"""The gap on a sample: equal to the bound's two sides on the empirical law, enclosed where m is, and never negative."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import Ball, FiniteDistribution
from theory.bounds import adversarial_surrogate, robust_risk_decomposition, surrogate_risk
from theory.points import FiniteSpace
from theory.scores import Score
from theory.trades.empirical import sample_gap

VALUES = st.fractions(-3, 3, max_denominator=8)
LOSSES = ("hinge", "squared_hinge", "ramp")


@st.composite
def samples(draw):
    """A sample of points on a line, each with one label, and scores of them and of places without mass."""
    n = draw(st.integers(1, 4))
    places = draw(st.lists(st.integers(0, 8), min_size=n, max_size=n + 3, unique=True))
    f = [draw(VALUES) for _ in places]
    y = [draw(st.sampled_from([-1, 1])) for _ in range(n)]
    lam = draw(st.fractions("1/4", 4, max_denominator=4))
    return places, f, y, draw(st.integers(0, 3)), lam, draw(st.sampled_from(LOSSES))


def _least(places, f, n, radius):
    """min of f(x') sign f(x) over the places within the radius, for the first n."""
    return [min(f[j] * (1 if f[i] > 0 else -1) for j in range(len(places)) if abs(places[i] - places[j]) <= radius)
            for i in range(n)]  # fmt: skip


@settings(max_examples=60)
@given(case=samples())
def test_it_is_the_bound_on_the_empirical_law(case):
    places, f, y, radius, lam, loss = case
    n = len(y)
    m = _least(places, f, n, radius)
    found = sample_gap(f[:n], y, m, m, lam, loss)
    space = FiniteSpace.of_points([(str(p),) for p in places])
    masses = {s: [Fraction(int(k < n and y[k] == s), n) for k in range(len(places))] for s in (-1, 1)}
    law, ball = FiniteDistribution.on(space, masses), Ball(radius)
    score = Score.of_values(space, f)
    robust = robust_risk_decomposition(score, law, ball).lhs.fraction
    assert found.surrogate_risk.fraction == surrogate_risk(score, law, loss).fraction
    assert found.robust_risk.fraction == robust
    if all(f[k] for k in range(n)):  # at f(x) = 0 m is 0 here, while the supremum there is phi(0), the same
        assert found.adversarial.fraction == adversarial_surrogate(score, law, ball, loss, lam).fraction
    right = surrogate_risk(score, law, loss).fraction + adversarial_surrogate(score, law, ball, loss, lam).fraction
    assert found.gap.fraction == right - robust


@settings(max_examples=60)
@given(case=samples(), below=st.lists(st.fractions(0, 2), min_size=4, max_size=4), none=st.booleans())
def test_looser_bounds_enclose_the_gap_which_is_never_negative(case, below, none):
    places, f, y, radius, lam, loss = case
    n = len(y)
    m = _least(places, f, n, radius)
    truth = sample_gap(f[:n], y, m, m, lam, loss)
    low = [value - slack for value, slack in zip(m, below, strict=False)]
    low = [-math.inf, *low[1:]] if none else low
    high = [min(value + slack, abs(f[k])) for k, (value, slack) in enumerate(zip(m, reversed(below), strict=False))]
    loose = sample_gap(f[:n], y, low, high, lam, loss)
    for name in ("surrogate_risk", "robust_risk", "adversarial", "gap"):
        inside, outside = getattr(truth, name), getattr(loose, name)
        assert outside.lo <= inside.lo
        assert inside.hi <= outside.hi
    assert truth.gap.lo >= 0
    assert loose.gap.lo >= 0


def test_the_gap_is_not_monotone_in_what_an_attack_finds():
    """A stronger attack may make the printed gap smaller: where m passes 0 the term falls by 1."""
    found = (Fraction(1, 2), Fraction(1, 100), 0, Fraction(-1, 2))
    gaps = [sample_gap([1], [1], [m], [m], 1).gap.fraction for m in found]
    assert gaps == [Fraction(1, 2), Fraction(99, 100), 0, Fraction(1, 2)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1], [1], [0], [0], 0), "lam 0 is out of range"),
        (([1], [0], [0], [0], 1), "label 0 is unknown"),
        (([1], [1], ["1/2"], [0], 1), "certified to 0.5, but was attacked to 0.0"),
        (([1], [1], [0], [2], 1), "score 1.0 was attacked to 2.0 only"),
        (([1, 1], [1], [0], [0], 1), r"lengths \(2, 1, 1, 1\)"),
        (([], [], [], [], 1), r"lengths \(0, 0, 0, 0\)"),
        (([1], [1], [0], [0], 1, "dipping_hinge"), "'dipping_hinge' is not declared non-increasing"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        sample_gap(*arguments)


def test_a_loss_above_one_at_zero_counts_from_both_sides_of_zero():
    """phi(0) = 3/2: a point with m in (0, 2] may cost less than one with m <= 0, which is owed 1 back."""
    found = sample_gap([2], [1], [-1], [2], 1, "capped_hinge")
    safe, errs = sample_gap([2], [1], [2], [2], 1, "capped_hinge"), sample_gap([2], [1], [-1], [-1], 1, "capped_hinge")
    assert found.gap.lo == safe.gap.fraction < sample_gap([2], [1], [0], [0], 1, "capped_hinge").gap.fraction
    assert found.gap.hi >= errs.gap.fraction

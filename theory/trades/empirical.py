"""The gap of TRADES' main bound on a sample, enclosed from what attacks and certificates say of each point.

On the empirical law of N labelled points, none with two labels, R*_nat = R*_phi = 0, and (TRADES, Section 5.1)

    Delta = Delta_RHS - Delta_LHS = R_phi(f) + E sup phi(f(x') f(X) / lam) - R_rob(f),

which is at least 0 for every f, phi with phi >= 1 on u <= 0, and lam > 0 (TRADES, Theorem 3.1). A point enters by its
score f, its label, and m = min of f(x') sign f(x) over its ball; phi does not increase, so its supremum is phi(m |f| /
lam). An attack bounds m from above, a certificate from below. A robust error is f y <= 0 or m <= 0, so the term of a
point is not monotone in m: it falls by 1 where m passes 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.enclosure import Enclosure
from theory.loss import as_loss
from theory.numbers import Exact, as_fraction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from theory.loss import Loss


@dataclass(frozen=True, slots=True)
class SampleGap:
    """Both sides of the bound on a sample of ``n`` points: counts, risks and the gap, each exact or enclosed.

    ``wrong`` points err as they are; ``robust_errors`` = (attacked, not certified) hold the number of robust errors.
    """

    n: int
    wrong: int
    robust_errors: tuple[int, int]
    surrogate_risk: Enclosure
    robust_risk: Enclosure
    adversarial: Enclosure
    gap: Enclosure


def sample_gap(
    scores: Sequence[Any],
    labels: Sequence[int],
    certified: Sequence[Any],
    attacked: Sequence[Any],
    lam: Exact,
    loss: str | Loss = "hinge",
) -> SampleGap:
    """The gap from scores f, labels -1 or +1, and certified <= min f(x') sign f(x) <= attacked for each point.

    Numbers are floats (taken as the numbers they are) or exact; ``certified`` may be -infinity. ``loss`` must be
    declared non-increasing, with phi >= 1 on u <= 0. Where both bounds agree and phi is rational the answer is exact.

    >>> found = sample_gap([2, -1], [1, 1], [-1, "1/2"], [1, "1/2"], lam=2)
    >>> print(found.gap, found.robust_errors)
    [7/8, 11/8] (1, 2)

    Raises ``ValueError`` for lists of unequal lengths, no points, other labels, a certificate above its attack, an
    attack that is above |f| (x itself is in the ball), lam <= 0, and another loss.
    """
    phi = as_loss(loss)
    weight = as_fraction(lam, "lam")
    if weight <= 0:
        raise ValueError(f"lam {lam} is out of range; allowed are numbers above 0")
    if not (phi.non_increasing and phi.at_least_one_left):
        raise ValueError(f"loss {phi.name!r} is not declared non-increasing with phi >= 1 on u <= 0; the bound asks it")
    if not len(scores) == len(labels) == len(certified) == len(attacked) or not len(scores):
        lengths = (len(scores), len(labels), len(certified), len(attacked))
        raise ValueError(f"scores, labels, certified, attacked have the lengths {lengths}; allowed are equal ones, > 0")
    points = [_Point.of(*row) for row in zip(scores, labels, certified, attacked, strict=True)]
    n = len(points)
    natural = [phi.enclose(p.f * p.y) for p in points]
    adversarial = [p.adversarial(phi, weight) for p in points]
    gaps = [price + p.excess(phi, weight) for p, price in zip(points, natural, strict=True)]
    low, high = sum(p.surely for p in points), sum(p.maybe for p in points)
    how = ("attack", "certificate")
    return SampleGap(
        n,
        sum(p.wrong for p in points),
        (low, high),
        _mean(natural),
        Enclosure(Fraction(low, n), Fraction(high, n), () if low == high else how),
        _mean(adversarial),
        _mean(gaps),
    )


def _mean(terms: Sequence[Enclosure]) -> Enclosure:
    low, high = (
        math.inf * sign if any(isinstance(end, float) for end in ends) else sum(ends, Fraction(0)) / len(terms)
        for sign, ends in ((-1, [t.lo for t in terms]), (1, [t.hi for t in terms]))
    )
    return Enclosure(low, high, tuple(dict.fromkeys(word for term in terms for word in term.how)))


@dataclass(frozen=True, slots=True)
class _Point:
    """One point: its score, its label and the bounds low <= m <= high."""

    f: Fraction
    y: int
    low: Fraction | float
    high: Fraction

    @staticmethod
    def of(f: Any, y: int, certified: Any, attacked: Any) -> _Point:
        score, high = (as_fraction(value, "score", exact_float=True) for value in (f, attacked))
        low = -math.inf if certified == -math.inf else as_fraction(certified, "certified", exact_float=True)
        if y not in (-1, 1):
            raise ValueError(f"label {y} is unknown; allowed are -1 and +1")
        if low > high:
            raise ValueError(f"a point is certified to {float(low)}, but was attacked to {float(high)}: one is wrong")
        if high > abs(score):
            raise ValueError(f"a point of score {float(score)} was attacked to {float(high)} only; x is in its ball")
        return _Point(score, int(y), low, high)

    @property
    def wrong(self) -> bool:
        return self.f * self.y <= 0

    @property
    def surely(self) -> bool:
        """Whether the point is a robust error, as far as is known for sure."""
        return self.wrong or self.high <= 0

    @property
    def maybe(self) -> bool:
        return self.wrong or self.low <= 0

    def adversarial(self, phi: Loss, lam: Fraction) -> Enclosure:
        """sup phi(f(x') f / lam) = phi(m |f| / lam)."""
        return Enclosure(self._at(self.high, phi, lam).lo, self._at(self.low, phi, lam).hi, self._how)

    def excess(self, phi: Loss, lam: Fraction) -> Enclosure:
        """sup phi(f(x') f / lam) - 1{robust error}: over m <= 0 and over m > 0 apart, where both may be."""
        if self.surely or not self.maybe:
            return self.adversarial(phi, lam) - Fraction(int(self.surely))
        # m in [low, 0]: phi(m |f| / lam) - 1, from phi(0) - 1; m in (0, high]: phi, below phi(0)
        at_zero = self._at(Fraction(0), phi, lam)
        lo = min(self._at(self.high, phi, lam).lo, at_zero.lo - 1)
        hi = max(at_zero.hi, self._at(self.low, phi, lam).hi - 1)
        return Enclosure(lo, hi, self._how)

    def _at(self, m: Fraction | float, phi: Loss, lam: Fraction) -> Enclosure:
        if isinstance(m, float):
            return phi.enclose(Fraction(0)) if self.f == 0 else Enclosure(0, math.inf)
        return phi.enclose(m * abs(self.f) / lam)

    @property
    def _how(self) -> tuple[str, ...]:
        return () if self.low == self.high else ("attack", "certificate")

"""H, psi and its inverse in closed form, for the losses that have one (TRADES, Table 2; Bartlett et al., 2006).

Each formula serves floats (to a few units in the last place near 0 and near 1) and exact numbers (enclosed by ball
arithmetic, exact where square roots are).

>>> form = CLOSED_FORMS["exponential"]
>>> form.psi(np.array([1e-9, 0.6])), form.psi_inverse(Fraction(1, 5)).fraction
(array([5.e-19, 2.e-01]), Fraction(3, 5))
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np

from theory.elementary import on
from theory.enclosure import Enclosure
from theory.loss import LOSSES, Loss


@dataclass(frozen=True, slots=True)
class ClosedForm:
    """H, psi and its inverse of a loss with H_minus = phi(0) and limit 0, for floats and for exact numbers.

    ``risk`` is H as a function of min(eta, 1 - eta). psi is convex, so psi_tilde = psi = phi(0) - H((1 + theta)/2); the
    formula ``gap`` avoids that difference, which has no digits left at small theta.
    """

    at_zero: Fraction
    risk: Callable[[Any], Any]
    gap: Callable[[Any], Any]
    inverse: Callable[[Any], Any]

    def H(self, eta: Any) -> Any:  # noqa: N802
        return self.risk(on(eta).minimum(eta, 1 - eta))

    def H_minus(self, eta: Any) -> Any:  # noqa: N802
        return 0 * eta + on(eta).number(self.at_zero)

    def psi(self, theta: Any) -> Any:
        if isinstance(theta, Fraction) and theta > Fraction(1, 2):
            return self.at_zero - self.risk((1 - theta) / 2)  # here the distance to psi(1) is what needs the digits
        return self.gap(theta)

    def psi_tilde(self, theta: Any) -> Any:
        return self.psi(theta)

    def psi_inverse(self, excess: Any) -> Any:
        return self.inverse(on(excess).minimum(excess, self.at_zero))


def _entropy(q: Any) -> Any:
    """The binary entropy -q log2 q - (1 - q) log2(1 - q) for 0 <= q <= 1/2."""
    if isinstance(q, Fraction):
        from theory.special import log2

        return -q * log2(q) - (1 - q) * log2(1 - q) if q else Fraction(0)
    from scipy.special import xlog1py, xlogy

    return -(xlogy(q, q) + xlog1py(1 - q, -q)) / math.log(2)


def _logistic_gap(theta: Any) -> Any:
    """1 - entropy((1 - theta)/2) = (theta log((1 + theta)/(1 - theta)) + log(1 - theta^2)) / (2 log 2), in this form a
    difference of theta^2 and theta^2/2, which keeps the digits of small theta.
    """
    if isinstance(theta, Fraction):
        from theory.special import log

        if theta == 0:
            return theta
        return (theta * log((1 + theta) / (1 - theta)) + log(1 - theta * theta)) / (2 * log(2))
    small = np.minimum(theta, 0.5)
    near_zero = (2 * small * np.arctanh(small) + np.log1p(-small * small)) / (2 * math.log(2))
    return np.where(theta <= 0.5, near_zero, 1 - _entropy((1 - theta) / 2))


def _logistic_inverse(excess: Any) -> Any:
    """Newton's method from above, where the tangents of the convex gap stay above the root.

    It starts at the inverse for the exponential loss, whose gap is smaller. For an exact excess the chord from below,
    starting at the inverse for the squared hinge, whose gap is larger, closes an enclosure.
    """
    if isinstance(excess, Fraction):
        return _logistic_enclosure(excess)
    # Below 1/2 solve for theta; above, for q = (1 - theta)/2 in entropy(q) = 1 - excess, where theta = 1 has no digits.
    u = np.minimum(excess, 0.5)
    theta = np.sqrt(u * (2 - u))
    rest = np.minimum(1 - excess, 0.5)
    q = rest * rest / (2 + 2 * np.sqrt(1 - rest * rest))
    with np.errstate(divide="ignore", invalid="ignore"):  # at the ends 0 and 1, set below
        for _ in range(12):
            theta = theta - (_logistic_gap(theta) - u) * math.log(2) / np.arctanh(theta)
            q = q + (rest - _entropy(q)) * math.log(2) / (np.log1p(-q) - np.log(q))
    return np.where(excess <= 0, 0.0, np.where(excess >= 1, 1.0, np.where(excess < 0.5, theta, 1 - 2 * q)))


def _logistic_enclosure(excess: Fraction) -> Any:
    from theory.special import log

    if excess in (0, 1):
        return excess
    lo, hi = Fraction(on(excess).sqrt(excess).lo), Fraction(on(excess).sqrt(excess * (2 - excess)).hi)
    grain = Fraction(1, 1 << (110 + math.ceil(1 / min(lo, 1 - hi)).bit_length()))  # keeps the fractions short
    while True:
        too_low, too_high = excess - _LOGISTIC.psi(lo), _LOGISTIC.psi(hi) - excess
        missing, slope = max(Fraction(0), too_low.lo), log((1 + hi) / (1 - hi)) / (2 * log(2))
        chord = lo + (hi - lo) * missing / (missing + too_high.hi)
        tangent = hi - too_high.lo / slope.hi
        last, lo, hi = (lo, hi), max(lo, chord // grain * grain), min(hi, -(-tangent // grain) * grain)
        if (lo, hi) == last:
            return Enclosure(lo, hi, "convexity and ball arithmetic")


def _quadratic(at_zero: Fraction) -> ClosedForm:
    """psi(theta) = phi(0) theta^2."""
    return ClosedForm(
        at_zero,
        risk=lambda q: 4 * on(q).number(at_zero) * q * (1 - q),
        gap=lambda theta: on(theta).number(at_zero) * theta**2,
        inverse=lambda excess: on(excess).sqrt(excess / on(excess).number(at_zero)),
    )


_LOGISTIC = ClosedForm(Fraction(1), _entropy, _logistic_gap, _logistic_inverse)
CLOSED_FORMS: Mapping[str, ClosedForm] = MappingProxyType(
    {
        "sigmoid": ClosedForm(Fraction(1), lambda q: 2 * q, lambda theta: theta, lambda excess: excess),
        "exponential": ClosedForm(
            Fraction(1),
            risk=lambda q: 2 * on(q).sqrt(q * (1 - q)),
            gap=lambda theta: theta**2 / (1 + on(theta).sqrt((1 - theta) * (1 + theta))),
            inverse=lambda excess: on(excess).sqrt(excess * (2 - excess)),
        ),
        "logistic": _LOGISTIC,
        "savage": _quadratic(Fraction(1, 4)),
        **dict.fromkeys(("squared_hinge", "modified_huber", "rescaled_savage"), _quadratic(Fraction(1))),
    }
)


def closed_form(loss: Loss) -> ClosedForm | None:
    """The closed form of a built-in loss; None for any other, and for one that was altered (say, given a radius)."""
    return CLOSED_FORMS.get(loss.name) if LOSSES.get(loss.name) == loss else None

"""Margin losses: one formula each, read on floats, on exact numbers and on symbols, with a questionnaire of traits.

A loss phi turns a margin u = f(x) y into a price; the surrogate risk of a score f is E phi(f(X) Y) (TRADES, Section
2.5). A `Loss` holds one formula, so its numeric, exact and symbolic faces cannot disagree, and it answers what theorems
ask: is phi non-negative, non-increasing, convex; what is phi(0); is phi >= 1 on u <= 0; what is its limit at
+infinity; is it classification-calibrated?

>>> LOSSES["logistic"].phi(0.0), LOSSES["hinge"].phi(Fraction(1, 3)), LOSSES["exponential"].symbolic
(1.0, Fraction(2, 3), exp(-u))
>>> f"{LOSSES['exponential'].enclose(1):.9f}"
'[0.367879441, 0.367879442]'
"""

from __future__ import annotations

import difflib
import itertools
import math
import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np

from theory.elementary import as_floats, on, plain
from theory.enclosure import Enclosure, as_enclosure
from theory.numbers import Exact, as_fraction
from theory.polyline import PiecewiseLinear


@dataclass(frozen=True, slots=True)
class Loss:
    """A margin loss phi: R -> R, and what is declared of it; None means "not declared" and is never relied on.

    ``formula`` takes one real number. Where it answers a Fraction with a Fraction or an Enclosure, results are
    rigorous; where it answers with a float, that float is trusted to a relative error ``rounding``. Written with the
    functions of `on`, one formula serves floats, arrays, exact numbers and sympy alike.

    Traits: ``non_negative``, ``non_increasing``, ``convex``, ``at_zero`` = phi(0), ``at_least_one_left`` (phi >= 1 on
    u <= 0), ``limit`` = lim phi(u) for u -> +infinity, ``calibrated`` (TRADES, Assumption 1), ``lipschitz`` (a
    constant). ``radius`` B confines the scores to [-B, B]. What follows from the other traits is filled in;
    `contradiction` looks for a declared trait that phi does not have.

    >>> Loss("cubic", lambda u: max(1 - u, 0) ** 3, non_increasing=True, limit=Fraction(0)).at_least_one_left
    True
    """

    name: str
    formula: Callable[[Any], Any]
    _: KW_ONLY
    non_negative: bool | None = None
    non_increasing: bool | None = None
    convex: bool | None = None
    at_zero: Fraction | int | None = None
    at_least_one_left: bool | None = None
    limit: Fraction | int | None = None
    calibrated: bool | None = None
    lipschitz: Fraction | int | None = None
    radius: Fraction | int | None = None
    rounding: Fraction | int = Fraction(1, 2**48)

    def __post_init__(self) -> None:
        for field in ("at_zero", "limit", "lipschitz", "radius", "rounding"):
            if (value := getattr(self, field)) is not None:
                self._set(field, as_fraction(value, f"{field} of loss {self.name!r}"))
        if self.radius is not None and self.radius <= 0:
            raise ValueError(f"radius {self.radius} of loss {self.name!r} leaves no scores; it must be positive")
        if self.at_zero is None and (zero := self.enclose(0)).is_exact:
            self._set("at_zero", zero.fraction)
        if self.non_negative is None and self.non_increasing and self.limit is not None:
            self._set("non_negative", self.limit >= 0)
        if self.at_least_one_left is None and self.non_increasing and self.at_zero is not None:
            self._set("at_least_one_left", self.at_zero >= 1)

    def _set(self, field: str, value: object) -> None:
        object.__setattr__(self, field, value)

    # ---- the faces ----

    def phi(self, u: Any) -> Any:
        """phi(u): floats and arrays of any shape give floats; an exact number gives a Fraction where phi(u) is known
        to be rational, else an Enclosure.

        >>> LOSSES["ramp"].phi([-3.0, 0.25, 2.0]), LOSSES["savage"].phi(0)
        (array([1.  , 0.75, 0.  ]), Fraction(1, 4))
        """
        if (x := as_floats(u)) is None:
            return plain(self.enclose(u))
        with np.errstate(over="ignore"):  # infinity is the right float there
            if x.ndim == 0:
                return float(self.formula(float(x)))
            try:
                y = np.asarray(self.formula(x), dtype=float)
            except (TypeError, ValueError):  # a formula for single numbers, like max(0, 1 - u) or math.exp(-u)
                y = np.empty(0)
            return y if y.shape == x.shape else np.vectorize(self.formula, otypes=[float])(x)

    def enclose(self, u: Exact | Enclosure) -> Enclosure:
        """phi(u) for an exact u; for an enclosed u, a range that holds phi at all its points."""
        if isinstance(u, Enclosure) and not u.is_exact:
            return self._range(u)
        u = u.fraction if isinstance(u, Enclosure) else as_fraction(u, "u")
        try:
            value = self.formula(u)
        except TypeError:  # a formula that knows floats only, like numpy.exp(-u)
            value = self.formula(float(u))
        if not isinstance(value, numbers.Real) or isinstance(value, numbers.Rational):
            return as_enclosure(value if isinstance(value, Enclosure) else as_fraction(value, "phi"))
        number = float(value)
        if math.isinf(number) or math.isnan(number):
            raise OverflowError(f"loss {self.name!r} is {number} at u = {u}; phi must be finite at every finite u")
        slack = abs(Fraction(number)) * self.rounding
        return Enclosure(Fraction(number) - slack, Fraction(number) + slack, "phi in floats, rounding error allowed")

    def _range(self, u: Enclosure) -> Enclosure:
        if isinstance(self.formula, PiecewiseLinear):
            return self.formula.range(u)
        if not self.non_increasing:
            return as_enclosure(self.formula(u))
        hi = math.inf if isinstance(u.lo, float) else self.enclose(u.lo).hi
        if isinstance(u.hi, Fraction):
            lo = self.enclose(u.hi).lo
        else:
            lo = self.limit if self.limit is not None else 0 if self.non_negative else -math.inf
        return Enclosure(lo, hi, u.how, u.alpha)

    @property
    def symbolic(self) -> Any:
        """phi as a sympy expression in the real symbol u. Raises ``TypeError`` where the formula takes numbers only."""
        import sympy

        try:
            return sympy.sympify(self.formula(sympy.Symbol("u", real=True)))
        except (TypeError, sympy.SympifyError) as error:
            raise TypeError(
                f"loss {self.name!r} has no symbolic face: its formula takes numbers only, not those of "
                "theory.elementary.on"
            ) from error

    # ---- the questionnaire, cross-examined ----

    def contradiction(self, points: Iterable[Exact]) -> str | None:
        """A sentence about the first declared trait that the values of phi at these points contradict; else None.

        >>> Loss("bump", lambda u: 1 / (1 + u * u), convex=True, non_increasing=True).contradiction([-1, 0, 1])
        "loss 'bump' is declared non-increasing, but phi(-1) = 1/2 lies below phi(0) = 1"
        """
        us = sorted({as_fraction(u, "u") for u in points} | {Fraction(0)})
        return self.contradicted_by(us, [self.enclose(u) for u in us])

    def contradicted_by(self, us: Sequence[Fraction], ys: Sequence[Enclosure]) -> str | None:
        """The same from values already at hand: ``ys`` encloses phi at the increasing points ``us``."""
        seen = list(zip(us, ys, strict=True))
        for (u, y), (v, z) in itertools.pairwise(seen):  # first, for other traits may have been derived from this one
            if self.non_increasing and y.hi < z.lo:
                return f"{self._sentence('non-increasing', u, y)} lies below phi({v}) = {z}"
        for u, y in seen:
            if self.non_negative and y.hi < 0:
                return self._sentence("non-negative", u, y)
            if self.at_least_one_left and u <= 0 and y.hi < 1:
                return self._sentence("at least 1 on u <= 0", u, y)
            if self.at_zero is not None and u == 0 and not y.contains(self.at_zero):
                return self._sentence(f"{self.at_zero} at 0", u, y)
            if self.non_increasing and self.limit is not None and y.hi < self.limit:
                return self._sentence(f"non-increasing to {self.limit}", u, y)
        for (u, y), (v, z) in itertools.pairwise(seen):
            if self.lipschitz is not None and max(y.lo - z.hi, z.lo - y.hi) > self.lipschitz * (v - u):
                return f"{self._sentence(f'Lipschitz with {self.lipschitz}', u, y)} and phi({v}) = {z}"
        if self.convex:
            for (u, y), (v, z), (w, x) in zip(seen, seen[1:], seen[2:], strict=False):
                if z.lo * (w - u) > y.hi * (w - v) + x.hi * (v - u):
                    return f"{self._sentence('convex', v, z)} lies above its chord from {u} to {w}"
        return None

    def _sentence(self, trait: str, u: Fraction, y: Enclosure) -> str:
        return f"loss {self.name!r} is declared {trait}, but phi({u}) = {y}"


def piecewise_linear(
    name: str,
    knots: Iterable[Sequence[Exact]],
    left_slope: Exact = 0,
    right_slope: Exact = 0,
    calibrated: bool | None = None,
) -> Loss:
    """A loss that is linear between ``knots`` (u, phi) or, at a jump, (u, left, phi, right): everything about it is
    exact, and its traits are computed (all but ``calibrated``, see `theory.calibration.is_calibrated`).

    >>> tilted = piecewise_linear("tilted", [(0, 1), (2, 0)], left_slope=-1)
    >>> tilted.convex, tilted.limit, tilted.lipschitz, tilted.phi(Fraction(3, 2))
    (True, Fraction(0, 1), Fraction(1, 1), Fraction(1, 4))
    """
    phi = PiecewiseLinear(knots, left_slope, right_slope)
    slopes, zero = phi.slopes, phi.at(Fraction(0))
    steps = [value for knot in phi.knots for value in knot[1:]]
    left = [value for knot in phi.knots if knot.x < 0 for value in knot[1:]] + [zero.left, zero.value]
    continuous = all(knot.left == knot.value == knot.right for knot in phi.knots)
    return Loss(
        name,
        phi,
        non_negative=min(steps) >= 0 and slopes[0] <= 0 <= slopes[-1],
        non_increasing=max(slopes) <= 0 and steps == sorted(steps, reverse=True),
        convex=continuous and list(slopes) == sorted(slopes),
        at_least_one_left=min(left) >= 1 and slopes[0] <= 0,
        limit=phi.knots[-1].right if slopes[-1] == 0 else None,
        lipschitz=max(map(abs, slopes)) if continuous else None,
        calibrated=calibrated,
    )


# ---- the losses by name ----


def _smooth(name: str, formula: Callable[[Any], Any], at_zero: Fraction | int = 1, convex: bool = True) -> Loss:
    return Loss(name, formula, non_increasing=True, convex=convex, at_zero=at_zero, limit=0, calibrated=True)


_ALL = (
    # TRADES, Table 2
    piecewise_linear("hinge", [(1, 0)], left_slope=-1, calibrated=True),
    _smooth("sigmoid", lambda u: 2 / (1 + on(u).exp(2 * u)), convex=False),  # 1 - tanh u
    _smooth("exponential", lambda u: on(u).exp(-u)),
    _smooth("logistic", lambda u: on(u).log2_1p_exp(-u)),
    # other losses in use
    _smooth("squared_hinge", lambda u: on(u).pos(1 - u) ** 2),
    _smooth("modified_huber", lambda u: on(u).minimum(on(u).pos(1 - u), 2) ** 2 + 4 * on(u).pos(-1 - u)),
    _smooth("savage", lambda u: 1 / (1 + on(u).exp(u)) ** 2, Fraction(1, 4), convex=False),
    _smooth("rescaled_savage", lambda u: 4 / (1 + on(u).exp(u)) ** 2, convex=False),
    piecewise_linear("ramp", [(0, 1), (1, 0)], calibrated=True),
    # psi below psi_tilde
    piecewise_linear("asymmetric_hinge", [(0, 1), ("1/2", 0)], left_slope="-1/2", calibrated=True),
    piecewise_linear("capped_hinge", [(-1, 2), (0, "3/2"), (1, 0)], calibrated=True),
    # premises that fail: phi >= 1 on u <= 0, continuity at 0, calibration
    piecewise_linear("dipping_hinge", [("-1/2", "1/2"), (0, 1), (1, 0)], calibrated=True),
    piecewise_linear("step", [(0, 2, 1, 0)], calibrated=True),
    piecewise_linear("kinked_hinge", [(0, 1), (1, 0)], left_slope=-3, calibrated=False),
)
LOSSES: Mapping[str, Loss] = MappingProxyType(
    {loss.name: loss for loss in _ALL} | {"truncated_quadratic": next(x for x in _ALL if x.name == "squared_hinge")}
)
"""The losses by name. ``truncated_quadratic`` is another name of ``squared_hinge``; ``modified_huber`` is linear left
of -1, but has the same psi. ``savage`` has phi(0) = 1/4, so (TRADES, Theorem 3.1) needs ``rescaled_savage``."""


def as_loss(loss: str | Loss) -> Loss:
    """The loss of that name, or the loss itself. Raises ``ValueError`` with the nearest and all names.

    >>> as_loss("logisitc")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: loss 'logisitc' is unknown (nearest: 'logistic'); the losses are asymmetric_hinge, capped_hinge, ...
    """
    if isinstance(loss, Loss):
        return loss
    if not isinstance(loss, str):
        raise TypeError(f"loss {loss!r} is no loss; give a theory.loss.Loss or one of {', '.join(sorted(LOSSES))}")
    if loss not in LOSSES:
        near = difflib.get_close_matches(loss, LOSSES, 1)
        hint = f" (nearest: {near[0]!r})" if near else ""
        raise ValueError(f"loss {loss!r} is unknown{hint}; the losses are {', '.join(sorted(LOSSES))}")
    return LOSSES[loss]

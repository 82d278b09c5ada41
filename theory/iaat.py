"""Instance-adaptive radii (IAAT, Algorithm 2) as an exact map on rational numbers.

IAAT keeps a radius for every training example, its memory m. Once an epoch an attack is run at m + gamma and, if it
succeeds, at m; with ``survives(eps)`` for "the attack at eps leaves the prediction right",

    target = m + gamma  if survives(m + gamma),  else m  if survives(m),  else m - gamma
    m     <- (1 - beta) m + beta target                                            (IAAT, Algorithm 2, lines 4 to 12)

so m moves by beta gamma up, not at all, or by beta gamma down. Against an exact attack and a constant radius R >= 0
(``within(R)``) the fixed points are R - gamma < m <= R, and every start is carried there in finitely many epochs: from
below to the first m + n beta gamma > R - gamma, from above to the first m - n beta gamma <= R, which lie in the band
because beta <= 1. So the radius found is too small by up to gamma, and depends on where it started.

>>> rule = RadiusRule("1.9", "0.1")
>>> radius_limit(8, 11, rule), radius_limit(8, 3, rule)
(Settled(radius=Fraction(457, 50), epochs=6), Settled(radius=Fraction(287, 100), epochs=27))
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from theory.numbers import Exact, as_fraction, whole_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Survives = Callable[[Fraction], bool]


@dataclass(frozen=True, slots=True, init=False)
class RadiusRule:
    """gamma > 0 and 0 < beta <= 1 of Algorithm 2; ``lower`` clips the memory from below, None (as printed) never.

    Radii are in one unit throughout, in IAAT 1/255. Raises ``ValueError`` for numbers outside these ranges.
    """

    gamma: Fraction
    beta: Fraction
    lower: Fraction | None

    def __init__(self, gamma: Exact, beta: Exact, lower: Exact | None = None) -> None:
        gamma, beta = as_fraction(gamma, "gamma"), as_fraction(beta, "beta")
        if gamma <= 0:
            raise ValueError(f"gamma {gamma} is not positive; it is the width of a step")
        if not 0 < beta <= 1:
            raise ValueError(f"beta {beta} is not allowed; choose 0 < beta <= 1")
        object.__setattr__(self, "gamma", gamma)
        object.__setattr__(self, "beta", beta)
        object.__setattr__(self, "lower", None if lower is None else as_fraction(lower, "lower"))

    @property
    def step(self) -> Fraction:
        """beta gamma, the most by which a radius changes in an epoch."""
        return self.beta * self.gamma


@dataclass(frozen=True, slots=True)
class Selection:
    """The radius after one epoch, and how many attacks it took to select it (1 or 2; m - gamma is never attacked)."""

    radius: Fraction
    attacks: int


@dataclass(frozen=True, slots=True)
class Settled:
    """A radius that does not change any more, and the number of epochs after which it was reached."""

    radius: Fraction
    epochs: int


def within(radius: Exact) -> Survives:
    """An exact attack on an example whose prediction is right up to ``radius``, that included; negative: never right.

    >>> [within(3)(Fraction(eps)) for eps in (-1, 3, 4)], within(-1)(Fraction(-2))
    ([True, True, False], False)
    """
    radius = as_fraction(radius, "radius")
    return lambda eps: max(eps, Fraction(0)) <= radius


def select_radius(memory: Exact, survives: Survives, rule: RadiusRule) -> Selection:
    """One epoch of Algorithm 2 for one example (IAAT, Algorithm 2, lines 1 to 13).

    >>> select_radius(8, within("8.5"), RadiusRule("1.9", "0.1"))
    Selection(radius=Fraction(8, 1), attacks=2)
    """
    memory = as_fraction(memory, "memory")
    if survives(memory + rule.gamma):
        target, attacks = memory + rule.gamma, 1
    elif survives(memory):
        target, attacks = memory, 2
    else:
        target, attacks = memory - rule.gamma, 2
    radius = (1 - rule.beta) * memory + rule.beta * target
    return Selection(radius if rule.lower is None else max(radius, rule.lower), attacks)


def radius_path(memory: Exact, survives: Survives, rule: RadiusRule, epochs: int) -> tuple[Fraction, ...]:
    """The radii before and after each epoch, epochs + 1 numbers.

    >>> [str(m) for m in radius_path("9.5", within(9), RadiusRule("1.9", "0.1"), 4)]
    ['19/2', '931/100', '228/25', '893/100', '893/100']
    """
    path = [as_fraction(memory, "memory")]
    for _ in range(whole_number(epochs, "epochs")):
        path.append(select_radius(path[-1], survives, rule).radius)
    return tuple(path)


def radius_limit(memory: Exact, radius: Exact, rule: RadiusRule) -> Settled:
    """Where the memory settles against ``within(radius)``, in closed form.

    Raises ``ValueError`` for a memory below ``rule.lower``, and where there is no limit: an example that is wrong
    without any attack (radius < 0) loses beta gamma in every epoch unless ``lower`` stops it.

    >>> radius_limit(8, -1, RadiusRule("1.9", "0.1", lower=0))
    Settled(radius=Fraction(0, 1), epochs=43)
    """
    memory, radius = as_fraction(memory, "memory"), as_fraction(radius, "radius")
    lower, step = rule.lower, rule.step
    if lower is not None and memory < lower:
        raise ValueError(f"memory {memory} is below the lower bound {lower}")
    if radius < 0 and (lower is None or lower < 0):
        raise ValueError(f"radius {radius} is negative, so the memory falls for ever; give the rule lower=0 or more")
    if memory <= radius - rule.gamma:
        epochs = math.floor((radius - rule.gamma - memory) / step) + 1
        return Settled(memory + epochs * step, epochs)
    if memory <= radius:
        return Settled(memory, 0)
    floor = radius if lower is None else max(radius, lower)
    epochs = math.ceil((memory - floor) / step)
    settled = memory - epochs * step
    return Settled(settled if lower is None else max(settled, lower), epochs)


def radius_reach(memory: Exact, rule: RadiusRule, epochs: int) -> Fraction:
    """m + epochs beta gamma, the largest radius after so many epochs, whatever the network does.

    >>> radius_reach(8, RadiusRule("1.9", "0.1"), 100)
    Fraction(27, 1)
    """
    return as_fraction(memory, "memory") + whole_number(epochs, "epochs") * rule.step


def text_radius(eps: Exact, survives: Survives, gamma: Exact) -> Fraction:
    """The rule in the text: eps + gamma if the attack at eps fails, eps - gamma if it succeeds (IAAT, Section 3).

    >>> text_radius(8, within("8.5"), "1.9"), text_radius("9.9", within("8.5"), "1.9")
    (Fraction(99, 10), Fraction(8, 1))
    """
    eps, gamma = as_fraction(eps, "eps"), as_fraction(gamma, "gamma")
    return eps + gamma if survives(eps) else eps - gamma


def line_search(survives: Survives, eta: Exact, largest: Exact, *, first_failure: bool = False) -> Fraction:
    """The greatest multiple i eta <= largest that survives, 0 if none does (IAAT, Section 5.2).

    With ``first_failure`` the greatest before the first that does not: the same for an exact attack, but smaller for
    one that fails to find at a larger radius what it found at a smaller one.

    >>> line_search(within("8.5"), 2, 16), line_search(lambda eps: eps != 2, 1, 4, first_failure=True)
    (Fraction(8, 1), Fraction(1, 1))
    """
    eta, largest = as_fraction(eta, "eta"), as_fraction(largest, "largest")
    if eta <= 0:
        raise ValueError(f"eta {eta} is not positive; it is the width of a step")
    found = Fraction(0)
    for i in range(1, math.floor(largest / eta) + 1):
        if survives(i * eta):
            found = i * eta
        elif first_failure:
            break
    return found


def linear_radius(weights: Sequence[Exact], offset: Exact, x: Sequence[Exact], label: int) -> Fraction:
    """y (w.x + b) / |w|_1, the l-infinity distance of x from the other side of a linear score; negative where it errs.

    >>> linear_radius([3, -1], "1/2", [1, 0], +1)
    Fraction(7, 8)
    """
    if label not in (-1, 1):
        raise ValueError(f"label {label!r} is not binary; allowed are -1 and +1")
    w = [as_fraction(value, "weight") for value in weights]
    size = sum(map(abs, w), Fraction(0))
    if not size:
        raise ValueError("all weights are 0; such a score has no boundary")
    score = sum((a * as_fraction(b, "x") for a, b in zip(w, x, strict=True)), as_fraction(offset, "offset"))
    return label * score / size


def signed_reach(steps: int, step: Exact, eps: Exact, start: Exact = 0) -> Fraction:
    """How far along the worst direction l-infinity PGD gets on a linear score: min(eps, start + steps step).

    ``start`` is the random start's coordinate in that direction, -eps to eps. Below eps the attack does not test eps.

    >>> signed_reach(10, 1, 16), signed_reach(10, 2, 8, start=-8)
    (Fraction(10, 1), Fraction(8, 1))
    """
    eps, start = as_fraction(eps, "eps"), as_fraction(start, "start")
    if not -eps <= start <= eps:
        raise ValueError(f"start {start} is outside the ball; allowed are {-eps} to {eps}")
    return min(eps, start + whole_number(steps, "steps") * as_fraction(step, "step"))

"""The adversary: a closed norm ball, and what it can reach.

>>> Ball("8/255")
Ball(radius=Fraction(8, 255), ord=inf, leave_domain=False, steps=32)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

from theory.between import Between
from theory.boxes import Boxes, Number
from theory.germ import as_number


@dataclass(frozen=True, slots=True)
class Ball:
    """The closed ball {x' : ||x' - x||_ord <= radius} around each point, cut by the law's domain.

    The adversary stays in the domain of the law (SENSE, Definition 1; TRADES, section 2.1) unless ``leave_domain``.
    ``ord`` is 1, 2 or inf. Under inf the reach of a union of boxes is exact; under 1 and 2 it is enclosed between two
    unions of boxes, staircases of ``steps`` steps along the ball, which close in on it as ``steps`` grows.

    Raises ``ValueError`` for a negative radius, an unknown norm or no step at all, ``TypeError`` for a float radius.
    """

    radius: Number
    ord: float = math.inf
    leave_domain: bool = False
    steps: int = 32

    def __init__(
        self,
        radius: Any,
        ord: float = math.inf,
        *,
        leave_domain: bool = False,
        steps: int = 32,
        exact_float: bool = False,
    ) -> None:
        number = as_number(radius, "eps", exact_float=exact_float)
        if number < 0:
            raise ValueError(f"eps {radius} is negative; a radius is at least 0")
        if ord not in (1, 2, math.inf):
            raise ValueError(f"norm {ord!r} is not supported; allowed are 1, 2 and inf")
        if steps < 1:
            raise ValueError(f"steps {steps} is not positive; a staircase has at least one step")
        for name, value in zip(self.__slots__, (number, float(ord), bool(leave_domain), steps), strict=True):
            object.__setattr__(self, name, value)

    def reach(self, event: Any, domain: Any) -> Any:
        """{x : some x' in the ball around x, in the domain, lies in the event}: the one verb of the adversary.

        Boxes give boxes under ord inf and a ``Between`` otherwise; every other event knows its own reach.
        """
        if isinstance(event, Between):
            inner, outer = self.reach(event.inner, domain), self.reach(event.outer, domain)
            return Between(getattr(inner, "inner", inner), getattr(outer, "outer", outer))
        if not isinstance(event, Boxes):
            return event.reached(self, domain)
        start = event if self.leave_domain else event & domain
        if self.ord == math.inf or event.dim == 1:
            return start.dilate(self.radius)
        inner, outer = (_union(start, self.radius, sides) for sides in unit_staircases(event.dim, self.ord, self.steps))
        return Between(inner, outer)


def _union(start: Boxes, radius: Number, staircase: list[tuple[Fraction, ...]]) -> Boxes:
    dilated = Boxes.nothing(start.dim)
    for sides in staircase:
        dilated = dilated | start.dilate([radius * side for side in sides])
    return dilated


def unit_staircases(dim: int, ord: float, steps: int) -> tuple[list[tuple[Fraction, ...]], list[tuple[Fraction, ...]]]:
    """Half-sides of symmetric boxes whose union lies inside, and of boxes whose union covers, the unit ball.

    The first dim - 1 half-sides run over multiples of 1/steps. An inner box takes the largest last side inside the
    ball, rounded down; an outer one that of the corner a step lower on every axis, rounded up.

    >>> unit_staircases(2, 1, 2)[0]
    [(Fraction(0, 1), Fraction(1, 1)), (Fraction(1, 2), Fraction(1, 2)), (Fraction(1, 1), Fraction(0, 1))]
    """
    inner, outer = [], []
    for corner in product(range(steps + 1), repeat=dim - 1):
        if (last := _last_side(corner, ord, steps, up=False)) is not None:
            inner.append((*(Fraction(i, steps) for i in corner), last))
        if all(corner):
            below = tuple(i - 1 for i in corner)
            if (last := _last_side(below, ord, steps, up=True)) is not None:
                outer.append((*(Fraction(i, steps) for i in corner), last))
    return inner, outer


def _last_side(corner: tuple[int, ...], ord: float, steps: int, *, up: bool) -> Fraction | None:
    if ord == 1:
        rest = steps - sum(corner)
        return Fraction(rest, steps) if rest >= 0 else None
    rest = steps**2 - sum(i * i for i in corner)
    if rest < 0:
        return None
    scale = 2**20  # digits kept of the square root
    root = math.isqrt(rest * scale**2)
    return Fraction(root + (up and root * root != rest * scale**2), scale * steps)

"""An event that is known only between two unions of boxes: inner <= event <= outer, up to null sets.

Where the algebra of boxes is not exact (round balls, slanted half-spaces, the decision regions of a network), an inner
and an outer union of boxes enclose the event, and every operation keeps the enclosure: the engine runs unchanged and
its answers become intervals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from theory.boxes import Boxes
from theory.enclosure import Enclosure, as_enclosure
from theory.germ import Germ

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Between:
    """Any event E with ``inner`` <= E <= ``outer``. Raises ``ValueError`` if inner is not inside outer.

    >>> half = Boxes([(("0", "1/2"),)])
    >>> event = Between(half, Boxes([(("0", "3/4"),)]))
    >>> (~event).inner == Boxes([(("3/4", None),), ((None, "0"),)]), (event | half).outer.volume()
    (True, Fraction(3, 4))
    """

    inner: Boxes
    outer: Boxes

    def __post_init__(self) -> None:
        if not self.inner <= self.outer:
            raise ValueError("the inner boxes of an enclosed event must lie inside its outer ones")

    def __invert__(self) -> Between:
        return Between(~self.outer, ~self.inner)

    def __and__(self, other: Boxes | Between) -> Between:
        other = enclosed(other)
        return Between(self.inner & other.inner, self.outer & other.outer)

    def __or__(self, other: Boxes | Between) -> Between:
        other = enclosed(other)
        return Between(self.inner | other.inner, self.outer | other.outer)

    def __sub__(self, other: Boxes | Between) -> Between:
        return self & ~enclosed(other)

    __rand__ = __and__
    __ror__ = __or__

    def __rsub__(self, other: Boxes | Between) -> Between:
        return enclosed(other) & ~self


def enclosed(event: Boxes | Between) -> Between:
    """The event as an enclosure; exact boxes enclose themselves."""
    return event if isinstance(event, Between) else Between(event, event)


def mass_between(mass: Callable[[Boxes], Any], event: Between) -> Enclosure:
    """The mass of the event, between those of its inner and outer boxes as ``mass`` gives them.

    Raises ``ValueError`` on germs: what is known only between boxes has no exact curve.
    """
    low, high = mass(event.inner), mass(event.outer)
    if isinstance(low, Germ) or isinstance(high, Germ):
        raise ValueError("an event known only between boxes has no exact curve; ask for single values of eps")
    low, high = as_enclosure(low), as_enclosure(high)
    return Enclosure(low.lo, high.hi, how=("inner and outer boxes", *high.how))

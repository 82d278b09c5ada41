"""And, or and minus of parallel half-spaces: strips between them, and every union of strips.

Parallel half-spaces are nested, H1 >= H2 >= ..., and whatever is made of them by and, or and not is told by a chain of
such half-spaces across each of which membership flips. So the algebra merges chains, an integral is a sum with signs,
and the reach of a strip is what reaches both its sides: w.z takes every value between its extremes on the ball.

>>> from theory.density import StepDensity
>>> middle = HalfSpace([1, 1], "-1/2") - HalfSpace([1, 1], "-3/2")
>>> square = StepDensity.of_boxes([((("0", "1"), ("0", "1")), 1)])
>>> middle.integral(square), (~middle).integral(square), middle | ~middle
(Fraction(3, 4), Fraction(1, 4), HalfSpace(everything in 2-D))
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.between import Between
from theory.boxes import Boxes, Number
from theory.clipped import FREE, Span, Term, clip
from theory.halfspace import Box, HalfSpace

if TYPE_CHECKING:
    from theory.ball import Ball
    from theory.density import StepDensity

Verb = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True, repr=False)
class Strips:
    """The points that lie in an odd number of the nested half-spaces ``chain`` (even, if ``base``).

    ``base`` says whether points outside all of them belong; ``chain`` runs from the largest to the smallest. Made by
    the operators of half-spaces, which return a ``HalfSpace`` wherever one will do.
    """

    base: bool
    chain: tuple[HalfSpace, ...]

    @property
    def dim(self) -> int:
        return self.chain[0].dim

    @property
    def is_empty(self) -> bool:
        """Whether only a null set (or nothing) is left."""
        return all(_null(outer, inner) for outer, inner in self.pieces())

    def pieces(self) -> list[tuple[HalfSpace | None, HalfSpace | None]]:
        """The disjoint strips as (outer, inner), meaning outer minus inner; None for everything or nothing."""
        bounds = [None, *self.chain, None]
        return [pair for k, pair in enumerate(pairwise(bounds)) if self.base ^ (k % 2 == 1)]

    def contains(self, point: Sequence[Any]) -> bool:
        """Whether ``point`` lies inside, exactly."""
        return reduce(operator.xor, (half.contains(point) for half in self.chain), self.base)

    def contains_points(self, points: np.ndarray) -> np.ndarray:
        """Which of the float points (n, d) lie inside, in float arithmetic, (n,) booleans."""
        inside = np.full(len(points), self.base)
        for half in self.chain:
            inside ^= half.contains_points(points)
        return inside

    def __invert__(self) -> Strips:
        return Strips(not self.base, self.chain)

    def __and__(self, other: Any) -> Any:
        return combine(self, other, operator.and_)

    def __or__(self, other: Any) -> Any:
        return combine(self, other, operator.or_)

    def __xor__(self, other: Any) -> Any:
        return combine(self, other, operator.xor)

    def __sub__(self, other: Any) -> Any:
        return combine(self, other, operator.gt)

    def __rsub__(self, other: Any) -> Any:
        return combine(self, other, operator.lt)

    __rand__ = __and__
    __ror__ = __or__
    __rxor__ = __xor__

    def __le__(self, other: Any) -> bool:
        """Inclusion, up to null sets."""
        return bool((self - other).is_empty)

    def reached(self, ball: Ball, domain: Any) -> Any:
        """The points from which the adversary can enter: the union of the reaches of the strips.

        A ball within a convex domain is connected, so w.z takes every value between its extremes there: it meets a
        strip if it meets both {outer} and {not inner}. A strip without volume is not reached.

        Raises ``ValueError`` where the two sides are not parallel (after an earlier reach within a domain).
        """
        parts: list[Any] = []
        for outer, inner in self.pieces():
            if outer is not None and inner is not None:
                if _null(outer, inner):
                    continue
                if outer.terms != inner.terms:
                    raise ValueError(f"the sides of {self!r} are not parallel; use .enclose(box, steps) for its reach")
            part: Any = HalfSpace.everything(self.dim)
            if outer is not None:
                part = outer.reached(ball, domain)
            if inner is not None:
                part = part & (~inner).reached(ball, domain)
            parts.append(part)
        return reduce(operator.or_, parts, HalfSpace.nothing(self.dim))

    def integral(self, density: StepDensity) -> Number:
        """The exact integral of a piecewise-constant density over the event: a sum over the chain with signs."""
        total: Number = density.integral() if self.base else 0
        sign = -1 if self.base else 1
        for half in self.chain:
            total = total + sign * half.integral(density)
            sign = -sign
        return total

    def to_boxes(self) -> Boxes:
        """Axis-parallel strips as ``Boxes``. Raises ``ValueError`` for slanted ones."""
        start = Boxes.everything(self.dim) if self.base else Boxes.nothing(self.dim)
        return reduce(operator.xor, (half.to_boxes() for half in self.chain), start)

    def enclose(self, box: Sequence[Sequence[Any]], steps: int) -> Between:
        """The event between two unions of cells of a grid with ``steps`` cells an axis on ``box``."""
        nothing = Boxes.nothing(self.dim)
        found = Between(nothing, nothing)
        for outer, inner in self.pieces():
            whole = Between(~nothing, ~nothing) if outer is None else outer.enclose(box, steps)
            found = found | (whole if inner is None else whole - inner.enclose(box, steps))
        return found

    def __repr__(self) -> str:
        strips = [[half for half in (outer, inner) if half] for outer, inner in self.pieces()]
        shown = [f"{strip[0]} - {strip[1]}" if len(strip) == 2 else str(strip[0]) for strip in strips]
        if self.base:
            shown[0] = str(~self.chain[0])
        return f"Strips({' | '.join(shown)})"


def combine(a: HalfSpace | Strips, b: Any, verb: Verb) -> Any:
    """The event {x : verb(x in a, x in b)} of events made of half-spaces or boxes.

    Parallel half-spaces give half-spaces or ``Strips``, axis-parallel ones and boxes give ``Boxes``. Raises
    ``ValueError`` for what is neither.
    """
    if isinstance(b, Boxes):
        if not (b.mask.all() or b.is_empty):
            return _as_boxes(verb, a, b)
        b = HalfSpace.nothing(b.dim) if b.is_empty else HalfSpace.everything(b.dim)
    if not isinstance(b, HalfSpace | Strips):
        return NotImplemented
    if a.dim != b.dim:
        raise ValueError(f"events of dimension {a.dim} and {b.dim} do not mix")
    domain = _domain(a, b)
    found = _merge(_chain(a, domain), _chain(b, domain), verb)
    if found is None:
        return _as_boxes(verb, a, b)
    base, chain = found
    if not chain:
        return (HalfSpace.everything if base else HalfSpace.nothing)(a.dim).on(domain)
    if len(chain) == 1:
        return ~chain[0] if base else chain[0]
    if chain[0].weights[chain[0].active[0]] < 0:
        base, chain = _flip(base, chain)
    return Strips(base, tuple(chain))


def _as_boxes(verb: Verb, a: HalfSpace | Strips, b: HalfSpace | Strips | Boxes) -> Boxes:
    try:
        ours, theirs = a.to_boxes(), b if isinstance(b, Boxes) else b.to_boxes()
    except ValueError:
        raise ValueError(
            f"{a!r} and {b!r} are not parallel and have no exact combination; "
            "enclose slanted half-spaces between boxes first, with .enclose(box, steps)"
        ) from None
    verbs = {operator.and_: ours & theirs, operator.or_: ours | theirs, operator.xor: ours ^ theirs}
    verbs |= {operator.gt: ours - theirs, operator.lt: theirs - ours}
    return verbs[verb]


def _halves(event: HalfSpace | Strips) -> tuple[HalfSpace, ...]:
    return event.chain if isinstance(event, Strips) else (event,)


def _domain(*events: HalfSpace | Strips) -> Box | None:
    return next((half.domain for event in events for half in _halves(event) if half.domain is not None), None)


def _chain(event: HalfSpace | Strips, domain: Box | None) -> tuple[bool, list[HalfSpace]]:
    """Base and chain on the domain, without half-spaces that are everything or nothing there."""
    base = event.base if isinstance(event, Strips) else False
    halves = [half.on(domain) for half in _halves(event)]
    full = sum(half.is_trivial and not half.is_empty for half in halves)
    return base ^ (full % 2 == 1), [half for half in halves if not half.is_trivial]


def _flip(base: bool, chain: list[HalfSpace]) -> tuple[bool, list[HalfSpace]]:
    """The same event told by the complements: each is in one iff it is not in the other."""
    return base ^ (len(chain) % 2 == 1), [~half for half in reversed(chain)]


def _merge(
    a: tuple[bool, list[HalfSpace]], b: tuple[bool, list[HalfSpace]], verb: Verb
) -> tuple[bool, list[HalfSpace]] | None:
    """One chain for the combination of two, None if their half-spaces are not nested."""
    if a[1] and b[1] and sum(v * w for v, w in zip(a[1][0].weights, b[1][0].weights, strict=True)) < 0:
        b = _flip(*b)
    (in_a, left), (in_b, right) = a, b
    base = now = verb(in_a, in_b)
    chain: list[HalfSpace] = []
    i = j = 0
    while i < len(left) or j < len(right):
        take_a = j == len(right) or (i < len(left) and nested(right[j], left[i]))
        take_b = i == len(left) or (j < len(right) and nested(left[i], right[j]))
        if not (take_a or take_b):
            return None
        half = left[i] if take_a else right[j]
        in_a, in_b, i, j = in_a ^ take_a, in_b ^ take_b, i + take_a, j + take_b
        if verb(in_a, in_b) != now:
            now = not now
            chain.append(half)
    return base, chain


def nested(a: HalfSpace, b: HalfSpace) -> bool:
    """Whether a lies inside b because scale * g_b >= g_a on the whole domain for some scale > 0.

    Here g is the clipped linear form of a half-space; the difference is a sum of piecewise linear functions of one
    coordinate each, so its minimum is found axis by axis. Where the two only touch, up to null sets.
    """
    scales = {v / w for v, w in zip(a.weights, b.weights, strict=True) if v and w}
    return any(_nested(a, b, scale) for scale in scales if scale > 0)


def _nested(a: HalfSpace, b: HalfSpace, scale: Any) -> bool:
    gap = scale * b.offset - a.offset
    for ours, theirs, side in zip(a.terms, b.terms, a.domain or (FREE,) * a.dim, strict=True):
        least = _least(theirs.scaled(scale), ours, side)
        if least is None:
            return False
        gap = gap + least
    if gap > 0 or (gap == 0 and (b.closed or not a.closed)):
        return True
    # {g >= 0} within {g > 0}: only up to null sets, and not at all if the two are one and the same form
    return bool(gap == 0) and not _null(a, b) and not a.touches_zero()


def _least(plus: Term, minus: Term, side: Span) -> Number | None:
    """The least value of plus(x) - minus(x) for x in ``side``; None if unbounded below."""
    corners = [x for x in side if x is not None]
    corners += [x for t in (plus, minus) for x in (t.lo, t.hi) if x is not None and clip(x, side) == x]
    for wall, ends, sign in ((side[0], (plus.lo, minus.lo), -1), (side[1], (plus.hi, minus.hi), 1)):
        slopes = [t.weight if end is None else 0 for t, end in zip((plus, minus), ends, strict=True)]
        if wall is None and sign * (slopes[0] - slopes[1]) < 0:
            return None
    return min(plus(x) - minus(x) for x in corners or [Fraction(0)])


def _null(outer: HalfSpace | None, inner: HalfSpace | None) -> bool:
    """Whether the strip between the two has no volume."""
    return outer is not None and inner is not None and (outer.terms, outer.offset) == (inner.terms, inner.offset)

"""Half-spaces: {x : w.x + b > 0}, closed under complement and under dilation, and integrated exactly over boxes.

In all of R^d the reach of a half-space is a half-space, shifted by eps times the dual norm of w. In a box D under the
l-infinity ball it no longer is one near the faces of D, where the adversary runs out of room: with w_i > 0 it moves x_i
to min(x_i + eps, D_hi). Both are one form, linear in coordinates that may be clipped,

    {x : sum_i w_i clip(x_i, lo_i, hi_i) + b > 0},

which dilation and complement keep. Weights are rational; the offset and the clips are Fractions or germs in eps. And,
or and minus of parallel half-spaces are ``theory.strips``; axis-parallel ones are boxes as well.

>>> from theory.density import StepDensity
>>> half, unit = HalfSpace([1, 1], -1), (Fraction(0), Fraction(1))
>>> square = StepDensity.of_boxes([((unit, unit), 1)])
>>> half.integral(square), half.dilate(Fraction(1, 10)).integral(square)
(Fraction(1, 2), Fraction(17, 25))
>>> HalfSpace([1, 1], "-3/2").dilate(Fraction(1, 10), (unit, unit))
HalfSpace(min(x0, 9/10) + min(x1, 9/10) - 13/10 > 0)
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.between import Between
from theory.boxes import Boxes, Number, check_size
from theory.clipped import FREE, Span, Term, corner_volume
from theory.germ import as_number
from theory.numbers import as_fraction

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from theory.ball import Ball
    from theory.density import StepDensity

Box = tuple[Span, ...]

NORM_BITS = 64  # after the point, in the rational bound of a Euclidean norm
MAX_ACTIVE = 20  # slanted axes in one volume: the sum has up to 2^20 terms


@dataclass(frozen=True, slots=True, init=False, repr=False)
class HalfSpace:
    """The points with weights.x + offset > 0 (>= 0 if ``closed``); the complement of an open one is closed.

    ``terms`` holds for each axis the weight and the clip of the coordinate, if any. ``domain`` is the box on which the
    event is described, None for all of R^d: a reach within a domain says nothing of points outside it.

    Canonical: weights are whole numbers without common factor, a clip that changes nothing is dropped, and what is
    empty or everything has weights 0 and offset -1 or 1; so equal half-spaces compare equal. In R^d the algebra of
    half-spaces is exact, atoms on the boundary included; within a domain it holds up to null sets, like that of boxes.

    Raises ``ValueError`` for no weights, ``TypeError`` for a float unless ``exact_float=True`` asks for its dyadic
    value.

    >>> HalfSpace(["1/2", "-1/4"], "0.25") == HalfSpace([2, -1], 1), ~HalfSpace([1, 0], "-1/3")
    (True, HalfSpace(-x0 + 1/3 >= 0))
    """

    terms: tuple[Term, ...]
    offset: Number
    closed: bool
    domain: Box | None = field(compare=False)

    def __init__(
        self, weights: Iterable[Any], offset: Any = 0, *, closed: bool = False, exact_float: bool = False
    ) -> None:
        terms = [Term(as_fraction(x, "weight", exact_float=exact_float)) for x in weights]
        if not terms:
            raise ValueError("no weights were given; a half-space needs one an axis, at least one")
        self._settle(terms, as_number(offset, "offset", exact_float=exact_float), bool(closed), None)

    @classmethod
    def _made(cls, terms: list[Term], offset: Number, closed: bool, domain: Box | None) -> HalfSpace:
        made = cls.__new__(cls)
        made._settle(terms, offset, closed, domain)
        return made

    @classmethod
    def everything(cls, dim: int) -> HalfSpace:
        """All of R^dim."""
        return cls([0] * dim, 1)

    @classmethod
    def nothing(cls, dim: int) -> HalfSpace:
        """The empty set in R^dim."""
        return cls([0] * dim, -1)

    def _settle(self, terms: list[Term], offset: Number, closed: bool, domain: Box | None) -> None:
        sides = domain or (FREE,) * len(terms)
        settled = [term.settled(side) for term, side in zip(terms, sides, strict=True)]
        terms = [term for term, _ in settled]
        offset = reduce(operator.add, (constant for _, constant in settled), offset)
        low, high = zip(*(term.range(side) for term, side in zip(terms, sides, strict=True)), strict=True)
        flat = [[not t.weight or t.levels[end] is not None for t in terms] for end in (0, 1)]

        def inside(values: tuple[Number | None, ...], fat: bool, null: bool) -> bool | None:
            """Whether these values of the terms are in the set; None if one is unbounded.

            A sum of 0 belongs to closed sets if it is taken on a ``fat`` box, and counts as ``null`` elsewhere.
            """
            if any(value is None for value in values):
                return None
            total = reduce(operator.add, values, offset)
            return (closed if fat else null) if total == 0 else bool(total > 0)

        always, never = inside(low, all(flat[0]), True), inside(high, all(flat[1]), False) is False
        if always or never:
            terms, offset, closed = [Term(Fraction(0))] * len(terms), Fraction(1 if always else -1), False
        for i, term in enumerate(terms):
            # a clip matters only where the surface crosses its plateau: drop one that lies wholly inside or outside
            bottom, top = term.levels
            fat = [all(others[:i] + others[i + 1 :]) for others in flat]
            out = bottom is not None and inside((*high[:i], bottom, *high[i + 1 :]), fat[1], False) is False
            full = top is not None and bool(inside((*low[:i], top, *low[i + 1 :]), fat[0], True))
            terms[i] = term.without(low=out, high=full) if out or full else term
        if weights := [term.weight for term in terms if term.weight]:
            factor = Fraction(math.lcm(*(w.denominator for w in weights)))
            factor /= math.gcd(*(int(w * factor) for w in weights))
            terms, offset = [term.scaled(factor) for term in terms], offset * factor
        for name, value in zip(self.__slots__, (tuple(terms), offset, closed, domain), strict=True):
            object.__setattr__(self, name, value)

    # -- looking ------------------------------------------------------------------------------------------------------

    @property
    def dim(self) -> int:
        return len(self.terms)

    @property
    def weights(self) -> tuple[Fraction, ...]:
        return tuple(term.weight for term in self.terms)

    @property
    def active(self) -> list[int]:
        """The axes with a weight other than 0."""
        return [i for i, term in enumerate(self.terms) if term.weight]

    @property
    def is_trivial(self) -> bool:
        """Whether this is everything or nothing."""
        return not self.active

    @property
    def is_empty(self) -> bool:
        return self.is_trivial and bool(self.offset < 0)

    def contains(self, point: Sequence[Any]) -> bool:
        """Whether ``point`` lies inside, exactly; a float coordinate is its dyadic value."""
        if len(point) != self.dim:
            raise ValueError(f"a point of dimension {len(point)} was given to a half-space of dimension {self.dim}")
        exact = [float(x) if isinstance(x, np.floating) else x for x in point]
        values = [t(as_number(x, "coordinate", exact_float=True)) for t, x in zip(self.terms, exact, strict=True)]
        total = reduce(operator.add, values, self.offset)
        return bool(total >= 0 if self.closed else total > 0)

    def values(self, points: np.ndarray) -> np.ndarray:
        """w.clip(x) + b at float points (n, d), in float arithmetic, (n,): for simulation and drawing."""
        total = np.full(len(points), float(self.offset))
        for term, x in zip(self.terms, points.T, strict=True):
            lo, hi = -math.inf if term.lo is None else float(term.lo), math.inf if term.hi is None else float(term.hi)
            total += float(term.weight) * np.clip(x, lo, hi)
        return total

    def contains_points(self, points: np.ndarray) -> np.ndarray:
        """Which of the float points (n, d) lie inside, in float arithmetic, (n,) booleans."""
        values = self.values(points)
        return np.asarray(values >= 0 if self.closed else values > 0)

    def __repr__(self) -> str:
        if self.is_trivial:
            return f"HalfSpace({'nothing' if self.is_empty else 'everything'} in {self.dim}-D)"
        signed = [(self.terms[i].weight < 0, self.terms[i].show(f"x{i}")) for i in self.active]
        if not isinstance(self.offset, Fraction):
            signed.append((False, repr(self.offset)))
        elif self.offset:
            signed.append((self.offset < 0, str(abs(self.offset))))
        text = "".join((" - " if minus else " + ") + part for minus, part in signed)
        text = text[3:] if text.startswith(" + ") else "-" + text[3:]
        return f"HalfSpace({text} {'>=' if self.closed else '>'} 0)"

    # -- algebra ------------------------------------------------------------------------------------------------------

    def __invert__(self) -> HalfSpace:
        flipped = [term.scaled(Fraction(-1)) for term in self.terms]
        return HalfSpace._made(flipped, -self.offset, not self.closed, self.domain)

    def __and__(self, other: Any) -> Any:
        return _combine(self, other, operator.and_)

    def __or__(self, other: Any) -> Any:
        return _combine(self, other, operator.or_)

    def __xor__(self, other: Any) -> Any:
        return _combine(self, other, operator.xor)

    def __sub__(self, other: Any) -> Any:
        return _combine(self, other, operator.gt)

    def __rsub__(self, other: Any) -> Any:
        return _combine(self, other, operator.lt)

    __rand__ = __and__
    __ror__ = __or__
    __rxor__ = __xor__

    def __le__(self, other: Any) -> bool:
        """Inclusion, up to null sets (within the domain, if the events have one)."""
        return bool((self - other).is_empty)

    def on(self, domain: Box | None) -> HalfSpace:
        """The same event, described on ``domain`` alone. Raises ``ValueError`` if it is described on another one."""
        if domain is None or domain == self.domain:
            return self
        if self.domain is not None:
            raise ValueError("events reached within two different domains do not mix")
        return HalfSpace._made(list(self.terms), self.offset, self.closed, domain)

    # -- the adversary ------------------------------------------------------------------------------------------------

    def dilate(self, radius: Number | Sequence[Number], domain: Box | None = None) -> HalfSpace:
        """All points within ``radius`` in the l-infinity norm (one number, or one an axis), within a box ``domain``.

        Within a domain the event is taken up to null sets, and the answer is open: a face of the domain that the event
        only touches is not reached into.

        Raises ``ValueError`` for an event reached within another domain, for a closed one that is 0 on a whole box
        inside a domain, and for a negative radius.
        """
        radii: Sequence[Number] = radius if isinstance(radius, list | tuple) else (radius,) * self.dim
        if len(radii) != self.dim:
            raise ValueError(f"{len(radii)} radii were given for {self.dim} axes")
        if any(r < 0 for r in radii):
            raise ValueError(f"radius {min(radii)} is negative; a radius is at least 0")
        if self.domain is not None and domain != self.domain:
            raise ValueError("an event reached within one domain cannot be reached into from another one")
        if domain is not None and self.closed and self.touches_zero():
            raise ValueError(f"{self!r} is 0 on a whole box, and its reach is no half-space; use .enclose(box, steps)")
        sides = domain or (FREE,) * self.dim
        pushed = [term.pushed(r, side) for term, r, side in zip(self.terms, radii, sides, strict=True)]
        offset = reduce(operator.add, (constant for _, constant in pushed), self.offset)
        return HalfSpace._made([term for term, _ in pushed], offset, self.closed and domain is None, domain)

    def touches_zero(self) -> bool:
        """Whether the form is 0 on a whole box, where every coordinate is clipped."""
        levels = [[level for level in self.terms[i].levels if level is not None] for i in self.active]
        return any(reduce(operator.add, choice, self.offset) == 0 for choice in product(*levels))

    def reached(self, ball: Ball, domain: Any) -> Any:
        """The points from which the adversary can enter: a half-space, or a ``Between`` of two.

        In R^d (or with ``leave_domain``) the offset grows by eps ||w||_q, q dual to the ball's norm: exact for l1 and
        l-infinity, and for l2 where the norm of w is rational, else between rational bounds that differ by less
        than 2^-62 eps. In a box the reach is exact under l-infinity and for axis-parallel half-spaces. Under l1 and
        l2 it lies between the reach of a box [-r, r] inside the ball, with r.|w| = eps ||w||_q, and that of an
        adversary who may leave the domain; the two differ only within eps of a face.

        Raises ``ValueError`` for a domain other than R^d or one box, or one other than that of an earlier reach.
        """
        walls = None if ball.leave_domain else walls_of(domain)
        if self.is_trivial or ball.radius == 0:
            return self.on(walls)
        radii, push = _best_box(self.weights, ball)
        inner: Any = self.dilate(radii, walls)
        tight = reduce(operator.add, (r * abs(w) for r, w in zip(radii, self.weights, strict=True))) == push
        if tight and (ball.ord == math.inf or walls is None or len(self.active) == 1):
            return inner
        # a clip moves two numbers no further apart, so the form grows by eps ||w||_q at most
        outer: Any = HalfSpace._made(list(self.terms), self.offset + push, self.closed and walls is None, walls)
        return inner if inner == outer else Between(inner, outer)

    # -- measuring ----------------------------------------------------------------------------------------------------

    def integral(self, density: StepDensity) -> Number:
        """The exact integral of a piecewise-constant density over the event."""
        total: Number = Fraction(0)
        for k, value in enumerate(density.values):
            if value:
                for cell in Boxes.on_grid(density.edges, density.index == k).cells():
                    total = total + value * self.volume(cell)
        return total

    def volume(self, box: Box) -> Number:
        """The exact volume of the event within a bounded box.

        The box is cut at the clips; in each part the event is a half-space proper, see ``clipped.corner_volume``.

        >>> HalfSpace([1, 2], -1).volume(((Fraction(0), Fraction(1)),) * 2)
        Fraction(3, 4)
        """
        if len(box) != self.dim:
            raise ValueError(f"a box of dimension {len(box)} does not fit a half-space of dimension {self.dim}")
        if any(end is None for side in box for end in side):
            raise ValueError("an unbounded box holds no finite volume of a half-space")
        if len(self.active) > MAX_ACTIVE:
            raise ValueError(f"{len(self.active)} slanted axes are too many for an exact volume; at most {MAX_ACTIVE}")
        total: Number = Fraction(0)
        for part in product(*(term.pieces(side) for term, side in zip(self.terms, box, strict=True))):
            top = reduce(operator.add, (largest for largest, _, _ in part), self.offset)
            volume = reduce(operator.mul, (length for _, slope, length in part if not slope), Fraction(1))
            if slopes := [(slope, length) for _, slope, length in part if slope]:
                total = total + volume * corner_volume(top, slopes)
            elif top >= 0 if self.closed else top > 0:
                total = total + volume
        return total

    # -- boxes --------------------------------------------------------------------------------------------------------

    def to_boxes(self) -> Boxes:
        """An axis-parallel half-space as ``Boxes``. Raises ``ValueError`` for a slanted one.

        >>> HalfSpace([0, -2], 1).to_boxes()
        Boxes([(-inf, inf)x(-inf, 1/2)], dim=2)
        """
        if self.is_trivial:
            return Boxes.nothing(self.dim) if self.is_empty else Boxes.everything(self.dim)
        if len(self.active) > 1:
            raise ValueError(f"{self!r} is slanted and no union of boxes; use .enclose(box, steps)")
        (axis,) = self.active
        cut = -self.offset / self.weights[axis]
        side = (cut, None) if self.weights[axis] > 0 else (None, cut)
        return Boxes([[side if i == axis else FREE for i in range(self.dim)]])

    def enclose(self, box: Sequence[Sequence[Any]], steps: int) -> Between:
        """The event between two unions of cells of a grid with ``steps`` cells an axis on ``box``.

        The inner cells lie wholly inside, the outer ones meet the event; outside the box nothing is known. What comes
        out mixes with boxes, so that every risk against any reference is enclosed, more tightly as ``steps`` grows.

        >>> found = HalfSpace([1, 1], -1).enclose([("0", "1"), ("0", "1")], 4)
        >>> square = Boxes([[("0", "1"), ("0", "1")]])
        >>> (found.inner & square).volume(), (found.outer & square).volume()
        (Fraction(3, 8), Fraction(5, 8))
        """
        sides = [tuple(as_number(x, "side") for x in side) for side in box]
        if len(sides) != self.dim or any(len(side) != 2 or not side[0] < side[1] for side in sides):
            raise ValueError(f"box {box!r} is not {self.dim} sides (low, high) with low below high")
        if steps < 1:
            raise ValueError(f"steps {steps} is not positive; a grid has at least one cell an axis")
        shape = (steps + 2,) * self.dim
        check_size(shape)
        edges = tuple(tuple(lo + (hi - lo) * k / steps for k in range(steps + 1)) for lo, hi in sides)
        low: Any = np.array(self.offset, dtype=object)
        high: Any = low
        for term, cuts in zip(self.terms, edges, strict=True):
            ranges = [(term(a), term(b)) if term.weight > 0 else (term(b), term(a)) for a, b in pairwise(cuts)]
            low = np.add.outer(low, np.array([least for least, _ in ranges], dtype=object))
            high = np.add.outer(high, np.array([largest for _, largest in ranges], dtype=object))
        flat = (low == 0) & (high == 0)  # a whole cell at 0 is inside a closed event alone; other zeros are null sets
        middle = (slice(1, -1),) * self.dim
        inner, outer = np.zeros(shape, dtype=bool), np.ones(shape, dtype=bool)
        inner[middle] = (low >= 0) & (flat <= self.closed)
        outer[middle] = (high > 0) | (flat & self.closed)
        return Between(Boxes.on_grid(edges, inner), Boxes.on_grid(edges, outer))


def walls_of(domain: Any) -> Box | None:
    """The sides of a domain that is one box, None for all of R^d. Raises ``ValueError`` for any other domain."""
    if not isinstance(domain, Boxes):
        raise ValueError(f"a half-space is reached within R^d or a box, not within {type(domain).__name__}")
    cells = list(domain.cells())
    if len(cells) != 1:
        raise ValueError(
            f"a domain of {len(cells)} boxes is not one box; enclose half-spaces, with .enclose(box, steps)"
        )
    return None if all(side == FREE for side in cells[0]) else cells[0]


def _best_box(weights: tuple[Fraction, ...], ball: Ball) -> tuple[list[Number], Number]:
    """Half-sides r of a box inside the ball with r.|w| = eps ||w||_q, and eps ||w||_q itself.

    Where a Euclidean norm is irrational, r.|w| is rounded down and eps ||w||_2 up.
    """
    sizes = [abs(w) for w in weights]
    if ball.ord == math.inf:
        return [ball.radius] * len(sizes), ball.radius * sum(sizes)
    if ball.ord == 1:  # the whole budget goes to one largest weight
        largest = max(sizes)
        return [ball.radius * int(i == sizes.index(largest)) for i in range(len(sizes))], ball.radius * largest
    square = int(sum(w * w for w in sizes))  # the weights are whole numbers
    root = math.isqrt(square << 2 * NORM_BITS)
    norm = Fraction(root + (root * root != square << 2 * NORM_BITS), 2**NORM_BITS)
    return [ball.radius * (w / norm) for w in sizes], ball.radius * norm


def _combine(a: HalfSpace, b: Any, verb: Any) -> Any:
    from theory.strips import combine

    return combine(a, b, verb)

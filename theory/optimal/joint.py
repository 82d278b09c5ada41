"""When do several closed balls of one radius share a point, and which sets of conflicting points do?

Two balls of R^d meet when their centres are within 2 eps. For more than two, one of each class:

- l-infinity: they meet as soon as every two do (Helly's theorem for boxes).
- l1: three meet as soon as every two do. (Let m be the coordinatewise median: its distances r_i to the centres satisfy
  r_i + r_j = d_ij <= 2 eps. If, say, r_1 > eps, move m towards centre 1 by r_1 - eps: the other two distances grow to
  at most r_j + r_1 - eps <= eps.) For four and more the pairwise test is necessary but not sufficient.
- l2: they meet when the smallest enclosing ball of the centres has radius at most eps. Its squared radius is the
  maximum of sum_{i<j} t_i t_j |x_i - x_j|^2 over weights t >= 0 of sum 1, decided exactly from exact squared distances.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from theory.samples import LabelledSample


class JointConflicts:
    """Decides whether the eps-balls of points of a sample, any two of which meet, have a common point."""

    def __init__(self, sample: LabelledSample, eps: Fraction, ord: float) -> None:
        self.sample, self.ord = sample, ord
        self._whole = np.issubdtype(sample.x.dtype, np.integer) and int(np.abs(sample.x).max(initial=0)) < 2**20
        self._limit = (eps * sample.scale) ** 2
        self._squares: dict[tuple[int, int], int | Fraction] = {}
        self._seen: dict[tuple[int, ...], bool] = {}

    def exact_for(self, size: int) -> bool:
        """Whether ``extends`` decides sets of this size exactly; if not, it says False for lack of a proof."""
        return self.ord != 1 or size <= 3

    def extends(self, members: tuple[int, ...]) -> bool:
        """Whether the balls of ``members``, ascending, meet, when those of every proper subset do."""
        if self.ord == inf or len(members) < 3:
            return True
        if self.ord == 1:
            return len(members) == 3
        if members not in self._seen:
            self._seen[members] = self._triple(*members) if len(members) == 3 else self._many(members)
        return self._seen[members]

    def _square(self, i: int, j: int) -> int | Fraction:
        """The squared l2 distance of two points, in units of the entries."""
        if (i, j) not in self._squares:
            x, y = self.sample.x[i], self.sample.x[j]
            if self._whole:
                gap = x.astype(np.int64) - y
                self._squares[i, j] = int(gap @ gap)
            else:
                exact = (Fraction(a) - Fraction(b) for a, b in zip(x.tolist(), y.tolist(), strict=True))
                self._squares[i, j] = sum((g * g for g in exact), Fraction(0))
        return self._squares[i, j]

    def _triple(self, i: int, j: int, k: int) -> bool:
        # The circumradius of an acute triangle with squared sides a <= b <= c has R^2 = abc / (16 area^2).
        a, b, c = sorted((self._square(i, j), self._square(i, k), self._square(j, k)))
        if a + b <= c:
            return True  # the ball on the longest side holds the third point
        return a * b * c <= self._limit * (2 * (a * b + b * c + c * a) - a * a - b * b - c * c)

    def _many(self, members: tuple[int, ...]) -> bool:
        # All proper subsets fit into a ball of radius eps, so only a centre inside the simplex of all of them could ask
        # for more: at it D t is constant, and the squared radius is half that constant.
        d = [
            [Fraction(self._square(min(i, j), max(i, j)) if i != j else 0) for j in members]
            for i in members
        ]
        t = _solve(d)
        if t is None or min(t) < 0:
            return True
        return 1 / sum(t, Fraction(0)) / 2 <= self._limit


def _solve(matrix: list[list[Fraction]]) -> list[Fraction] | None:
    """The solution of ``matrix`` t = (1, ..., 1), or ``None`` for a singular matrix."""
    n = len(matrix)
    rows = [[*row, Fraction(1)] for row in matrix]
    for c in range(n):
        pivot = next((r for r in range(c, n) if rows[r][c]), None)
        if pivot is None:
            return None
        rows[c], rows[pivot] = rows[pivot], rows[c]
        rows[c] = [v / rows[c][c] for v in rows[c]]
        for r in range(n):
            if r != c and rows[r][c]:
                factor = rows[r][c]
                rows[r] = [v - factor * p for v, p in zip(rows[r], rows[c], strict=True)]
    return [row[n] for row in rows]


_TRIES = 40  # points tried to extend a conflict


class TooMuchWork(Exception):  # noqa: N818 - a limit, not a fault
    """A search was stopped at its limit."""


def heavy_sets(
    near: Mapping[int, frozenset[int]],
    labels: Mapping[int, int],
    q: Mapping[int, Any],
    joint: JointConflicts | None,
    above: Fraction | float,
    *,
    limit: int = 200_000,
    each: int | None = None,
) -> Iterator[tuple[int, ...]]:
    """Sets of at least three points, one of a class, in joint conflict, whose ``q`` sum to more than ``above``.

    ``near[v]`` are the points in conflict with v; with ``joint`` ``None`` conflict in pairs is enough. Every heavy set
    contains three or more points of positive q that are in one of the sets returned (which are extended as far as they
    go); if none is returned there is none. ``each`` stops after that many sets with the same first point. Raises
    ``TooMuchWork`` after ``limit`` steps.
    """
    order = sorted((v for v in near if q[v] > 0), key=lambda v: (labels[v], -q[v], v))
    steps = 0
    for at, first in enumerate(order):
        rest = [u for u in order[at + 1 :] if u in near[first]]
        stack: list[tuple[tuple[int, ...], list[int], Any]] = [((first,), rest, q[first])]
        found = 0
        while stack and found != each:
            members, candidates, weight = stack.pop()
            steps += 1
            if steps > limit:
                raise TooMuchWork
            if len(members) >= 3 and weight > above:
                found += 1
                yield _extended(members, near, joint)
                continue
            # At most the best candidate of every class can still join.
            best: dict[int, Any] = {}
            for v in candidates:
                best.setdefault(labels[v], q[v])
            if weight + sum(best.values()) <= above:
                continue
            for place, v in enumerate(candidates):
                if _meets(joint, members, v):
                    rest = [u for u in candidates[place + 1 :] if u in near[v]]
                    stack.append(((*members, v), rest, weight + q[v]))


def _extended(
    members: tuple[int, ...],
    near: Mapping[int, frozenset[int]],
    joint: JointConflicts | None,
) -> tuple[int, ...]:
    """``members`` and further points, one after the other, as long as all stay in joint conflict."""
    common = frozenset.intersection(*(near[v] for v in members))
    for v in sorted(common)[:_TRIES]:
        if v in common and _meets(joint, members, v):
            members = (*members, v)
            common &= near[v]
    return tuple(sorted(members))


def _meets(joint: JointConflicts | None, members: tuple[int, ...], new: int) -> bool:
    """Whether the balls of ``members``, which meet, and of ``new``, which meets each of them, have a common point."""
    if joint is None:
        return True
    # By subsets that hold the new point, small ones first: then all proper subsets of each are known to meet.
    return all(
        joint.extends(tuple(sorted((new, *chosen))))
        for size in range(2, len(members) + 1)
        for chosen in combinations(members, size)
    )

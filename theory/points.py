"""Finite metric spaces, where balls of any kind are sets of points and every risk is a finite sum.

>>> line = FiniteSpace.of_points([("0",), ("1",), ("3",)])
>>> first = Points(line, {0})
>>> first.near(1, 2), ~first
(Points({0, 1} of 3), Points({1, 2} of 3))
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from theory.germ import as_number


@dataclass(frozen=True, slots=True)
class FiniteSpace:
    """n points with coordinates in R^d (any l_p distance), or with a distance matrix of their own.

    ``coordinates[i]`` is point i; ``distances[i][j]`` a symmetric matrix with zero diagonal and the triangle
    inequality. Exactly one of the two is given.
    """

    coordinates: tuple[tuple[Any, ...], ...] | None = None
    distances: tuple[tuple[Any, ...], ...] | None = None

    @classmethod
    def of_points(cls, points: Iterable[Sequence[Any]]) -> FiniteSpace:
        """Points of R^d. Raises ``ValueError`` where two coincide or dimensions differ."""
        rows = tuple(tuple(as_number(x, "coordinate") for x in point) for point in points)
        if len({len(row) for row in rows}) != 1 or not rows[0]:
            raise ValueError("points of one positive dimension are needed, at least one of them")
        # by comparisons, not by hash: on germs the place where two points meet must be logged
        for row, following in pairwise(sorted(rows)):
            if row == following:
                raise ValueError(f"point ({', '.join(map(str, row))}) occurs twice; a space lists each point once")
        return cls(coordinates=rows)

    @classmethod
    def of_distances(cls, matrix: Iterable[Sequence[Any]]) -> FiniteSpace:
        """Points known by their distances. Raises ``ValueError`` unless these form a metric."""
        rows = tuple(tuple(as_number(x, "distance") for x in row) for row in matrix)
        n = len(rows)
        for i in range(n):
            if len(rows[i]) != n:
                raise ValueError(f"row {i} of the distance matrix has {len(rows[i])} entries; {n} are needed")
            for j in range(n):
                if rows[i][j] != rows[j][i] or (rows[i][j] > 0) != (i != j):
                    raise ValueError(f"distance {rows[i][j]} between points {i} and {j} is not that of a metric")
                if any(rows[i][k] > rows[i][j] + rows[j][k] for k in range(n)):
                    raise ValueError(f"the triangle inequality fails by way of points {i} and {j}")
        return cls(distances=rows)

    def __len__(self) -> int:
        return len(self.coordinates if self.coordinates is not None else self.distances or ())

    def within(self, i: int, j: int, radius: Any, ord: float) -> bool:
        """Whether points i and j are at most ``radius`` apart, exactly (Euclidean distances are compared squared)."""
        if self.distances is not None:
            return bool(self.distances[i][j] <= radius)
        assert self.coordinates is not None
        gaps = [abs(a - b) for a, b in zip(self.coordinates[i], self.coordinates[j], strict=True)]
        if ord == math.inf:
            return all(gap <= radius for gap in gaps)
        if ord == 1:
            return bool(sum(gaps) <= radius)
        return bool(sum(gap * gap for gap in gaps) <= radius * radius)

    @property
    def everything(self) -> Points:
        return Points(self, frozenset(range(len(self))))

    @property
    def nothing(self) -> Points:
        return Points(self, frozenset())


@dataclass(frozen=True, slots=True, init=False)
class Points:
    """A set of points of a finite space, by index. Raises ``ValueError`` for an index outside the space."""

    space: FiniteSpace
    members: frozenset[int]

    def __init__(self, space: FiniteSpace, members: Iterable[int]) -> None:
        chosen = frozenset(members)
        if outside := [i for i in chosen if not 0 <= i < len(space)]:
            raise ValueError(f"point {outside[0]} is not in a space of {len(space)} points, numbered from 0")
        object.__setattr__(self, "space", space)
        object.__setattr__(self, "members", chosen)

    def __and__(self, other: Points) -> Points:
        return Points(self.space, self.members & self._members_of(other))

    def __or__(self, other: Points) -> Points:
        return Points(self.space, self.members | self._members_of(other))

    def __sub__(self, other: Points) -> Points:
        return Points(self.space, self.members - self._members_of(other))

    def __invert__(self) -> Points:
        return Points(self.space, frozenset(range(len(self.space))) - self.members)

    def __le__(self, other: Points) -> bool:
        return self.members <= self._members_of(other)

    @property
    def is_empty(self) -> bool:
        return not self.members

    def _members_of(self, other: Points) -> frozenset[int]:
        if not isinstance(other, Points):
            raise TypeError(f"points do not mix with {type(other).__name__}: single points are null sets there")
        if other.space != self.space:
            raise ValueError("events of two different finite spaces do not mix")
        return other.members

    def near(self, radius: Any, ord: float = math.inf) -> Points:
        """All points of the space within ``radius`` of a member."""
        space, radius = self.space, as_number(radius, "radius")
        if radius < 0:
            raise ValueError(f"radius {radius} is negative; a radius is at least 0")
        found = {i for i in range(len(space)) if any(space.within(i, j, radius, ord) for j in self.members)}
        return Points(space, found)

    def reached(self, ball: Any, domain: Any) -> Points:
        """The points from which the adversary can enter the set; it moves within the space."""
        if ball.leave_domain or domain != self.space:
            raise ValueError("the adversary of a finite space stays in it: leave_domain and other domains do not apply")
        return self.near(ball.radius, ball.ord)

    def __repr__(self) -> str:
        return f"Points({{{', '.join(map(str, sorted(self.members)))}}} of {len(self.space)})"

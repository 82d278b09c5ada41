"""The two programs of a conflict kernel, each enclosed by exact numbers: fractional and whole sets of points to keep.

    randomised:    max sum w_v q_v,  sum_{v in e} q_v <= 1 for every joint conflict e,  q >= 0
    deterministic: the same with q in {0, 1}, where conflicts in pairs say everything

HiGHS (through scipy) solves the linear programs in floating point; nothing it says is believed. Its dual solution is
rounded to rationals y >= 0, and  sum_e y_e + sum_v max(0, w_v - sum_{e: v in e} y_e)  is an exact upper bound whatever
y is. Its primal solution is rounded to whole numbers over a denominator and searched exactly for a violated conflict;
its weight is an exact lower bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.optimal.joint import TooMuchWork, heavy_sets
from theory.optimal.kernel import half_integral

if TYPE_CHECKING:
    from collections.abc import Mapping

    from theory.optimal.joint import JointConflicts

Conflict = tuple[int, ...]
Array = np.ndarray[Any, Any]

_TOLERANCE = 1e-7
_DENOMINATORS = (1, 2, 12, 2520, 10**6)
_SEARCH = 200_000  # steps of one search for violated conflicts
_EACH = 3  # conflicts taken from one search with the same first point


@dataclass(frozen=True, slots=True)
class Kernel:
    """Points, whom they conflict with, their classes and whole weights."""

    near: Mapping[int, frozenset[int]]
    labels: Mapping[int, int]
    weights: Mapping[int, int]

    def restricted(self, points: frozenset[int]) -> Kernel:
        """The kernel on some of its points."""
        return Kernel({v: self.near[v] & points for v in points}, self.labels, self.weights)

    def weigh(self, points: frozenset[int]) -> int:
        """What the points weigh together."""
        return sum(self.weights[v] for v in points)


@dataclass(slots=True)
class Effort:
    """What may still be spent, in entries of linear programs solved; the same on every machine."""

    left: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """``low <= max sum w q <= high``: ``q`` attains ``low``, the conflicts ``packing`` with amounts prove ``high``."""

    low: Fraction
    high: Fraction
    q: Mapping[int, Fraction]
    packing: Mapping[Conflict, Fraction]
    pool: frozenset[Conflict]
    """Conflicts of three and more met on the way."""
    guess: Mapping[int, float]
    """The last unrounded solution, for branching."""


def fractional(
    kernel: Kernel,
    joint: JointConflicts | None,
    effort: Effort,
    pool: frozenset[Conflict] = frozenset(),
    *,
    attain: bool = True,
) -> Bounds:
    """Enclose the randomised program by cutting planes; ``joint`` ``None`` takes any pairwise conflict for a joint one.

    ``pool`` holds conflicts of three and more that are known already. Without ``attain`` only ``high`` is of interest.

    The search for violated conflicts runs half way between the last solution and one that violates nothing (Ben-Ameur
    and Neto, 2007): programs with many equal optima would otherwise wander among them.
    """
    program = _Program(kernel, joint, effort, pool)
    while program.improve():
        pass
    high, packing = program.exact_bound()
    low, q = program.attained(high) if attain else (Fraction(0), {})
    guess = dict(zip(program.points, program.guess.tolist(), strict=True))
    return Bounds(low, high, q, packing, frozenset(program.known), guess)


def integral(
    kernel: Kernel, effort: Effort, pool: frozenset[Conflict] = frozenset()
) -> tuple[int, int, frozenset[int]]:
    """(low, high, kept): the heaviest set without conflicts weighs from ``low`` to ``high``; ``kept`` weighs ``low``.

    Branch and bound over exact bounds of the linear programs; low == high unless the effort is spent.
    """
    low, high, kept = 0, 0, frozenset[int]()  # high: the largest bound of a branch given up
    everything = frozenset(kernel.near)
    stack = [(kernel.weigh(everything), frozenset[int](), everything)]
    first = True
    while stack:
        bound, chosen, rest = stack.pop()
        if bound <= low:
            continue
        if effort.left <= 0 and not first:
            high = max(high, bound)
            continue
        first = False
        part = kernel.restricted(rest)
        found = fractional(part, None, effort, pool, attain=False)
        pool |= found.pool
        better = chosen | _greedy(part, found.guess)
        if kernel.weigh(better) > low:
            low, kept = kernel.weigh(better), better
        bound = min(bound, kernel.weigh(chosen) + floor(found.high))
        if bound > low:
            # Branch where the program is undecided and much hangs on it; the branch that keeps the point comes first.
            branch = max(rest, key=lambda v: (min(found.guess[v], 1 - found.guess[v]), len(part.near[v]), -v))
            stack.append((bound, chosen, rest - {branch}))
            stack.append((bound, chosen | {branch}, rest - {branch} - part.near[branch]))
    return low, max(low, high), kept


def packing_bound(weights: Mapping[int, int], packing: Mapping[Conflict, Fraction]) -> Fraction:
    """The upper bound  sum_e y_e + sum_v max(0, w_v - sum_{e: v in e} y_e)  of the dual solution ``packing`` = y."""
    load: dict[int, Fraction] = {}
    for members, amount in packing.items():
        for v in members:
            load[v] = load.get(v, Fraction(0)) + amount
    spare = (w - load.get(v, 0) for v, w in weights.items())
    return sum(packing.values(), Fraction(0)) + sum((s for s in spare if s > 0), Fraction(0))


class _Program:
    """A randomised program in the course of its solution; arrays run over ``points`` in ascending order."""

    def __init__(
        self, kernel: Kernel, joint: JointConflicts | None, effort: Effort, pool: frozenset[Conflict]
    ) -> None:
        self.kernel, self.joint, self.effort = kernel, joint, effort
        self.points = sorted(kernel.near)
        self.place = {v: i for i, v in enumerate(self.points)}
        self.weights = [kernel.weights[v] for v in self.points]
        edges = [(self.place[u], self.place[v]) for u in self.points for v in kernel.near[u] if u < v]
        self.edges = np.array(edges, np.int64).reshape(-1, 2)
        self.known = {cut for cut in pool if all(v in kernel.near for v in cut)}
        # Conflicts of two alone are solved by a matching: its solution is the first guess, its edges the first program.
        half = half_integral(len(self.points), self.edges[:, 0], self.edges[:, 1], self.weights)
        self.guess: Array = 1 - half.doubled / 2
        # A solution that violates nothing: mostly a whole one, and a little of one that is positive everywhere.
        everywhere = 1 / max(2, len({kernel.labels[v] for v in self.points}))
        start = _greedy(kernel, dict(zip(self.points, self.guess.tolist(), strict=True)))
        self.inside: Array = 0.1 * everywhere + 0.9 * np.array([float(v in start) for v in self.points])
        self.purged = float("inf")  # the value when conflicts last left the program
        self.rows: list[Conflict] = []
        self.duals: list[Fraction] | list[float] = []
        dual: dict[Conflict, Fraction] = {}
        for i, j, amount in zip(half.tails.tolist(), half.heads.tolist(), half.doubled_amounts, strict=True):
            pair = self.points[min(i, j)], self.points[max(i, j)]
            dual[pair] = dual.get(pair, Fraction(0)) + Fraction(amount, 2)
        self.rows, self.duals = list(dual), list(dual.values())

    def improve(self) -> bool:
        """Add violated conflicts and solve again; False when there are none or the effort is spent."""
        try:
            new = self.violated(self.guess)
            if not new:
                self.inside = self.guess
            if not new or self.effort.left <= 0:
                return False
            for _ in range(4):
                middle = (self.guess + self.inside) / 2
                if deep := self.violated(middle):
                    new = deep
                    break
                self.inside = middle
        except TooMuchWork:
            return False
        rows = self.rows
        value = float(self.guess @ np.array(self.weights, float))
        if len(rows) > 4 * len(self.points) and value < self.purged * (1 - 1e-9):
            # Conflicts that are not tight may leave; only after progress, or the programs could go round in circles.
            rows = [row for row in rows if sum(self.guess[self.place[v]] for v in row) > 1 - 1e-6]
            self.purged = value
        return self.solve(sorted({*rows, *new}))

    def solve(self, rows: list[Conflict]) -> bool:
        """Solve the program of some conflicts in floating point; False if HiGHS gives no answer."""
        from scipy.optimize import linprog
        from scipy.sparse import csr_array

        columns = [self.place[v] for row in rows for v in row]
        bounds = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
        matrix = csr_array((np.ones(len(columns)), columns, bounds), shape=(len(rows), len(self.points)))
        scale = float(max(self.weights)) or 1.0
        costs = np.array([-w / scale for w in self.weights])
        answer: Any = linprog(costs, A_ub=matrix, b_ub=np.ones(len(rows)), bounds=(0, 1), method="highs")
        self.effort.left -= len(columns) + len(self.points)
        if answer.x is None:
            return False
        self.guess, self.rows = np.clip(answer.x, 0, 1), rows
        self.duals = (-answer.ineqlin.marginals * scale).tolist()
        return True

    def violated(self, q: Array, above: float = 1 + _TOLERANCE) -> set[Conflict]:
        """Some conflicts whose sum is above; none only if there is none. Pairs first, then the known, then a search."""
        excess = q[self.edges].sum(axis=1)
        worst = np.flatnonzero(excess > above)
        worst = worst[np.argsort(-excess[worst], kind="stable")[: 2 * len(self.points)]]
        new: set[Conflict] = {(self.points[i], self.points[j]) for i, j in self.edges[worst].tolist()}
        new |= {cut for cut in self.known if sum(q[self.place[v]] for v in cut) > above}
        if new:
            return new
        values = dict(zip(self.points, q.tolist(), strict=True))
        try:
            for members in heavy_sets(
                self.kernel.near, self.kernel.labels, values, self.joint, above, limit=_SEARCH, each=_EACH
            ):
                new.add(members)
        except TooMuchWork:
            if not new:
                raise
        self.known |= new
        return new

    def exact_bound(self) -> tuple[Fraction, dict[Conflict, Fraction]]:
        """The best exact upper bound among a few roundings of the dual solution, and that solution."""
        own = dict(zip(self.points, self.weights, strict=True))
        best: tuple[Fraction, dict[Conflict, Fraction]] = Fraction(sum(self.weights)), {}
        for denominator in _DENOMINATORS:
            amounts = [Fraction(y).limit_denominator(denominator) for y in self.duals]
            packing = {row: y for row, y in zip(self.rows, amounts, strict=True) if y > 0}
            best = min(best, (packing_bound(own, packing), packing), key=lambda entry: entry[0])
        return best

    def attained(self, high: Fraction) -> tuple[Fraction, dict[int, Fraction]]:
        """The best weight of a few rational solutions that violate nothing, and that solution."""
        best: tuple[Fraction, dict[int, Fraction]] = Fraction(0), dict.fromkeys(self.points, Fraction(0))
        # The guess at any denominator; then, rounded down, the solution inside, wrong at most by rounding.
        trials = [(np.rint(self.guess * d).astype(np.int64), d) for d in _DENOMINATORS]
        trials.append((np.floor(self.inside * (10**6 - 2)).astype(np.int64), 10**6))
        for whole, d in trials:
            weight = Fraction(sum(w * x for w, x in zip(self.weights, whole.tolist(), strict=True)), d)
            try:
                if weight > best[0] and not self.violated(whole, d):
                    best = weight, {v: Fraction(x, d) for v, x in zip(self.points, whole.tolist(), strict=True)}
            except TooMuchWork:
                break
            if best[0] == high:
                break
        return best


def _greedy(kernel: Kernel, guess: Mapping[int, float]) -> frozenset[int]:
    """A set without conflicts: points in order of ``guess``, each unless it conflicts with one before."""
    kept: set[int] = set()
    for v in sorted(kernel.near, key=lambda v: (-round(guess[v], 6), len(kernel.near[v]), v)):
        if not kernel.near[v] & kept:
            kept.add(v)
    return frozenset(kept)

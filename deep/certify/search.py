"""The least margin over a box, exactly: for networks with a few dozen ReLUs, and for linear ones of any size.

The truth between an attack and a certificate. A mixed-integer program finds where the margin is least; the network
evaluated there in rationals is an upper bound of the least margin. Branch and bound over the phases of the ReLUs gives
the lower bound: whatever multipliers y >= 0 a solver returns for the relaxation min c.v, G v <= h, v in a box, weak
duality

    c.v >= -y.h + sum_j min over v_j of (c + G^T y)_j v_j

holds for them, and is evaluated in rationals. No tolerance of a solver enters either end.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import torch

from deep.certify.bounds import checked, output_count
from deep.certify.evaluated import check_reading
from deep.certify.layers import Relu
from deep.certify.network import Network, network
from deep.certify.program import ONE, ZERO, Problem
from deep.certify.rational import Form, combine
from deep.certify.region import region
from theory.enclosure import Enclosure
from theory.numbers import Exact, as_fraction

if TYPE_CHECKING:
    from torch import Tensor, nn

    from deep.certify.region import Region, Threat

Phase = bool  # True: the unit is active, a = z >= 0; False: a = 0 >= z


@dataclass(frozen=True, slots=True)
class LeastMargin:
    """The least margin over ball and box, a point where its upper end is taken, and the nodes of the search."""

    margin: Enclosure
    point: tuple[Fraction, ...]
    nodes: int


@torch.no_grad()
def exact(
    model: nn.Module | Network,
    x: Tensor,
    y: Tensor,
    threat: Threat,
    *,
    gap: Exact = Fraction(1, 10**6),
    nodes: int = 2000,
) -> tuple[LeastMargin, ...]:
    """min of margin(f(x'), y) over ball and box around each x (`deep.certify.region.region`), f in real arithmetic.

    Linear, Conv2d, ReLU, AvgPool2d, Flatten, sums and arithmetic with constants; l-infinity, or any norm for a network
    without ReLUs. The search ends once the enclosure is narrower than ``gap`` or after ``nodes`` relaxations per class,
    with ends that hold in any case.

    >>> from deep.attack.threat import Threat
    >>> model = torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
    >>> for p, v in zip(model.parameters(), ([[1.0], [-1.0]], [-0.25, 0.125], [[1.0, 1.0]], [-0.0625]), strict=True):
    ...     p.data = torch.tensor(v)
    >>> found = exact(model, torch.tensor([[0.5]]), torch.tensor([1]), Threat(0.5))[0]  # |x - .1875| - .0625 at most
    >>> found.margin.contains("-1/16"), found.margin.width <= Fraction(1, 10**6)
    (True, True)

    Raises ``TypeError`` for other layers, ``ValueError`` for an l2 ball around a network with ReLUs.
    """
    net, where = network(model), region(x, threat)
    count = output_count(net, x)
    checked(y, x, count)
    if not isinstance(model, Network):
        check_reading(model, net, x[:1])
    if where.radius is not None and any(isinstance(node.layer, Relu) for node in net.nodes):
        raise ValueError("an l2 ball around a network with ReLUs has no exact minimum here; allowed is ord inf")
    width = as_fraction(gap, "gap")
    return tuple(_least(net, where.rows(i, i + 1), int(y[i]), count, width, nodes) for i in range(len(x)))


def _least(net: Network, where: Region, label: int, count: int, gap: Fraction, nodes: int) -> LeastMargin:
    problem = Problem.of(net, where)
    targets = _targets(problem.outputs, label, count)
    if where.radius is not None:
        return _linear_l2(problem, targets, where)
    best: tuple[Fraction, tuple[Fraction, ...]] | None = None
    lower, used = None, 0
    for target in targets:
        value, point = problem.incumbent(target)
        search = _Search(problem, target, gap, value, point)
        search.run(nodes)
        used += search.used
        lower = search.lower if lower is None else min(lower, search.lower)
        if best is None or search.value < best[0]:
            best = (search.value, search.point)
    assert best is not None
    assert lower is not None
    how = ("network in rationals at the incumbent", "branch and bound with dual bounds in rationals")
    return LeastMargin(Enclosure(lower, best[0], how if problem.units else "closed form in rationals"), best[1], used)


def _targets(forms: list[Form], label: int, count: int) -> list[Form]:
    if count == 1:
        return [forms[0] if label else Form({}, ZERO) - forms[0]]
    return [forms[label] - forms[k] for k in range(count) if k != label]


@dataclass(slots=True)
class _Search:
    """Branch and bound for one target: ``lower`` <= min <= ``value`` at every moment, both exact."""

    problem: Problem
    target: Form
    gap: Fraction
    value: Fraction
    point: tuple[Fraction, ...]
    lower: Fraction = ZERO
    used: int = 0
    closed: list[Fraction] = field(default_factory=list)

    def run(self, nodes: int) -> None:
        start, v = self.bound({})
        assert start is not None
        queue: list[tuple[Fraction, int, dict[int, Phase], list[float] | None]] = [(start, 0, {}, v)]
        while queue and queue[0][0] < self.value - self.gap and self.used < nodes:
            bound, _, phases, v = heapq.heappop(queue)
            k = self.branch(phases, v)
            if k is None:
                self.closed.append(bound)
                continue
            for phase in (True, False):
                child = {**phases, k: phase}
                tighter, w = self.bound(child)
                if tighter is not None:
                    heapq.heappush(queue, (max(bound, tighter), self.used, child, w))
        ends = [*self.closed, *(entry[0] for entry in queue), self.value]
        self.lower = min(ends)

    def branch(self, phases: dict[int, Phase], v: list[float] | None) -> int | None:
        """The undecided unit whose output is farthest from the ReLU of its input in the relaxation."""
        free = [k for k in range(len(self.problem.units)) if k not in phases]
        if not free or v is None:
            return free[0] if free else None

        def fault(k: int) -> float:
            unit = self.problem.units[k]
            z = float(unit.z.constant) + sum(float(c) * v[i] for i, c in unit.z.coefficients.items())
            return abs(v[unit.variable] - max(z, 0.0))

        return max(free, key=fault)

    def bound(self, phases: dict[int, Phase]) -> tuple[Fraction | None, list[float] | None]:
        """A lower bound of the target with these phases (None: no point has them), and the relaxation's optimum."""
        self.used += 1
        rows, box = self.relaxation(phases)
        solution = _solve(rows, box, self.target)
        if solution.status == 2:  # infeasible, says the solver; multipliers have to prove it
            proof = _solve_elastic(rows, box)
            if proof is not None and _dual(rows, box, Form({}, ZERO), proof) > 0:
                return None, None
            return self.trivial(box), None
        if solution.x is None:
            return self.trivial(box), None
        value, point = self.problem.value(self.target, solution.x.tolist())
        if value < self.value:
            self.value, self.point = value, point
        multipliers = [max(0.0, -float(m)) for m in solution.ineqlin.marginals] if rows else []
        return _dual(rows, box, self.target, multipliers), solution.x.tolist()

    def trivial(self, box: list[tuple[Fraction, Fraction]]) -> Fraction:
        return _dual([], box, self.target, [])

    def relaxation(self, phases: dict[int, Phase]) -> tuple[list[Form], list[tuple[Fraction, Fraction]]]:
        """Forms that are at most 0, and the box, of the points with these phases (the others' triangles)."""
        rows, box = [], list(self.problem.box)
        for k, unit in enumerate(self.problem.units):
            a = Form({unit.variable: ONE}, ZERO)
            phase = phases.get(k)
            if phase is None:
                chord = combine([(unit.high, unit.z)], -unit.high * unit.low)
                rows += [unit.z - a, combine([(unit.high - unit.low, a)], ZERO) - chord]
            elif phase:
                rows += [unit.z - a, a - unit.z]  # a >= 0 of the box says z >= 0
            else:
                box[unit.variable] = (ZERO, ZERO)
                rows.append(unit.z)
        return rows, box


def _dual(rows: list[Form], box: list[tuple[Fraction, Fraction]], target: Form, y: list[float]) -> Fraction:
    """Weak duality in rationals: the least value over the box of target + sum y_i row_i, y >= 0."""
    total, constant = dict(target.coefficients), target.constant
    for row, multiplier in zip(rows, y, strict=True):
        weight = Fraction(round(multiplier * 2**40), 2**40)  # any y >= 0 will do, so one with few digits
        if not weight:
            continue
        constant += weight * row.constant
        for i, c in row.coefficients.items():
            total[i] = total.get(i, ZERO) + weight * c
    for i, c in total.items():
        constant += c * box[i][0 if c > 0 else 1]
    return constant


def _solve(rows: list[Form], box: list[tuple[Fraction, Fraction]], target: Form) -> Any:
    import numpy as np
    from scipy.optimize import linprog

    cost = np.zeros(len(box))
    for i, c in target.coefficients.items():
        cost[i] = float(c)
    left, right = _floats(rows, len(box))
    ends = [(float(low), float(high)) for low, high in box]
    return linprog(cost, A_ub=left, b_ub=right, bounds=ends, method="highs")


def _solve_elastic(rows: list[Form], box: list[tuple[Fraction, Fraction]]) -> list[float] | None:
    """Multipliers of min t, rows <= t: they prove infeasibility if their dual value is above 0."""
    import numpy as np
    from scipy.optimize import linprog

    left, right = _floats(rows, len(box))
    if left is None:
        return None
    left = np.hstack([left, -np.ones((len(left), 1))])
    ends = [(float(low), float(high)) for low, high in box] + [(0.0, None)]
    solution = linprog(np.r_[np.zeros(len(box)), 1.0], A_ub=left, b_ub=right, bounds=ends, method="highs")
    return None if solution.x is None else [max(0.0, -float(m)) for m in solution.ineqlin.marginals]


def _floats(rows: list[Form], n: int) -> tuple[Any, Any]:
    import numpy as np

    if not rows:
        return None, None
    left = np.zeros((len(rows), n))
    for k, row in enumerate(rows):
        for i, c in row.coefficients.items():
            left[k, i] = float(c)
    return left, np.array([-float(row.constant) for row in rows])


def _linear_l2(problem: Problem, targets: list[Form], where: Region) -> LeastMargin:
    """For an affine target over the l2 ball cut with the box: at least f(x) - radius |w|_2, or the box's corner."""
    assert where.radius is not None
    radius = Fraction(float(where.radius[0]))
    center = [Fraction(v) for v in where.center.flatten().tolist()]
    lower: Fraction | None = None
    best: tuple[Fraction, tuple[Fraction, ...]] | None = None
    for target in targets:
        squares = sum((c * c for c in target.coefficients.values()), ZERO)
        length = _root_up(squares)
        corner = _dual([], problem.box, target, [])
        least = max(target.at(center) - radius * length, corner)
        lower = least if lower is None else min(lower, least)
        point = list(center)
        for i, c in target.coefficients.items():
            low, high = problem.box[i]
            point[i] = min(max(center[i] - radius * c / length, low), high)
        if best is None or target.at(point) < best[0]:
            best = (target.at(point), tuple(point))
    assert best is not None
    assert lower is not None
    return LeastMargin(Enclosure(lower, best[0], "closed form in rationals"), best[1], 0)


def _root_up(square: Fraction) -> Fraction:
    """A rational at least sqrt(square), within 2^-60 of it relatively."""
    if not square:
        return ONE
    shift = 2 ** (2 * max(0, 64 + square.denominator.bit_length() - square.numerator.bit_length()))
    return Fraction(math.isqrt(math.ceil(square * shift)) + 1, math.isqrt(shift))


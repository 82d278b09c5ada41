"""A small network over a box as a mixed-integer program with exact coefficients: one binary per undecided ReLU."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import torch

from deep.certify.crown import lower_bounds
from deep.certify.layers import Affine, Relu
from deep.certify.network import Network
from deep.certify.rational import Form, through
from deep.certify.sound import REAL, forward

if TYPE_CHECKING:
    from deep.certify.region import Region

ZERO, ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class Unit:
    """A ReLU whose input z, l <= z <= u, may have either sign; its output is variable ``variable``."""

    variable: int
    z: Form
    low: Fraction
    high: Fraction


@dataclass(frozen=True, slots=True)
class Problem:
    """The network as affine forms of its inputs and of its undecided units."""

    net: Network
    shape: tuple[int, ...]
    box: list[tuple[Fraction, Fraction]]  # of every variable: inputs first, then units
    units: list[Unit]
    outputs: list[Form]

    @staticmethod
    def of(net: Network, where: Region) -> Problem:
        low, high = where.lower.flatten().tolist(), where.upper.flatten().tolist()
        box = [(Fraction(a), Fraction(b)) for a, b in zip(low, high, strict=True)]
        limits = _limits(net, where)
        units: list[Unit] = []

        def unit(place: tuple[int, int], z: Form) -> Form:
            least, most = limits[place[0]][place[1]]
            if least >= 0:
                return z
            if most <= 0:
                return Form({}, ZERO)
            units.append(Unit(len(box), z, least, most))
            box.append((ZERO, most))
            return Form({units[-1].variable: ONE}, ZERO)

        start = [Form({i: ONE}, ZERO) for i in range(len(box))]
        shape = tuple(where.lower.shape[1:])
        forms = through(net, start, shape, unit, where.lower.device)[-1]
        return Problem(net, shape, box, units, forms)

    @property
    def inputs(self) -> int:
        return len(self.box) - len(self.units)

    def value(self, target: Form, v: list[float]) -> tuple[Fraction, tuple[Fraction, ...]]:
        """The target in exact arithmetic at the inputs of v, moved into the box."""
        point: list[Fraction] = []
        for value, (low, high) in zip(v[: self.inputs], self.box, strict=False):
            point.append(min(max(Fraction(value), low), high))
        inputs = tuple(point)
        for unit in self.units:
            point.append(max(unit.z.at(point), ZERO))
        return target.at(point), inputs

    def incumbent(self, target: Form) -> tuple[Fraction, tuple[Fraction, ...]]:
        """A point where the target is small: the mixed-integer program's, or the best corner without units."""
        if not self.units:
            signs = [target.coefficients.get(i, ZERO) >= 0 for i in range(len(self.box))]
            return self.value(target, [float(ends[not s]) for s, ends in zip(signs, self.box, strict=True)])
        solution = mixed_integer(self, target)
        v = [float((low + high) / 2) for low, high in self.box] if solution.x is None else solution.x.tolist()
        return self.value(target, v)


def _limits(net: Network, where: Region) -> dict[int, list[tuple[Fraction, Fraction]]]:
    """Sound bounds of every ReLU's inputs, by linear bounds."""
    seen = forward(net, where, REAL)
    found: dict[int, list[tuple[Fraction, Fraction]]] = {}
    for i, node in enumerate(net.nodes, 1):
        if not isinstance(node.layer, Relu):
            continue
        before = node.inputs[0]
        interval = seen.values[before]
        lower, upper = interval.lower, interval.upper
        if before and isinstance(net.nodes[before - 1].layer, Affine):
            n = lower.numel()
            eye = torch.eye(n, dtype=torch.float64, device=lower.device).reshape(n, *lower.shape[1:])
            ends = lower_bounds(Network(net.nodes[:before]), where, torch.cat([eye, -eye])[None], REAL, full=True)
            lower = torch.maximum(lower.flatten(), ends[0, :n])
            upper = torch.minimum(upper.flatten(), -ends[0, n:])
        pairs = zip(lower.flatten().tolist(), upper.flatten().tolist(), strict=True)
        found[i] = []
        for low, high in pairs:
            if not (math.isfinite(low) and math.isfinite(high)):
                raise ValueError("a unit has no finite bounds; the parameters are too large for an exact minimum")
            found[i].append((Fraction(low), Fraction(high)))
    return found


def mixed_integer(problem: Problem, target: Form) -> Any:
    """scipy's HiGHS on min target with one binary per undecided unit: a >= z, a <= u d, a <= z - l (1 - d)."""
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint, milp

    n, m = len(problem.box), len(problem.units)
    rows, limits = [], []
    for k, unit in enumerate(problem.units):
        z = np.zeros(n + m)
        for i, c in unit.z.coefficients.items():
            z[i] = float(c)
        a, d, constant = np.eye(n + m)[unit.variable], np.eye(n + m)[n + k], float(unit.z.constant)
        low, high = float(unit.low), float(unit.high)
        rows += [z - a, a - high * d, a - z - low * d]
        limits += [-constant, 0.0, constant - low]
    cost = np.zeros(n + m)
    for i, c in target.coefficients.items():
        cost[i] = float(c)
    ends = np.array([[float(low), float(high)] for low, high in problem.box] + [[0.0, 1.0]] * m)
    return milp(
        cost,
        constraints=LinearConstraint(np.array(rows), -np.inf, np.array(limits)),
        bounds=Bounds(ends[:, 0], ends[:, 1]),
        integrality=np.r_[np.zeros(n), np.ones(m)],
    )

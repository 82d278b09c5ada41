"""Intervals and inner products that no rounding can break.

Everything here is computed in float64, to nearest, and moved outwards by more than the rounding could have done.

**Lemma.** Let y = W x + b be an inner product of n terms, |x - c| <= r, and let m = fl(W c + b),
s = fl(r + e (|c| + r)), R = fl(|W| s + e |b|) with e >= g = 2 (n + 8) u and u = 2^-53, n u < 2^-12. Then
|y - m| <= R (1 + 2g) + tiny, where tiny = 2^-800 outweighs every underflow.

*Proof.* In any order of summation, with or without fused multiply-add, blocked or not,
|m - (W c + b)| <= gamma (|W| |c| + |b|), gamma = (n + 1) u / (1 - (n + 1) u) <= g (Higham, Accuracy and Stability of
Numerical Algorithms, Section 3.1, whose bound holds for every tree of additions). So
|y - m| <= |W| r + gamma (|W| |c| + |b|). The terms of R are non-negative, so no computed term is smaller than
(1 - u)^5 times the exact one and R >= (1 - gamma)(1 - u)^5 (|W| r + e |W| |c| + e |b|); and
(1 + 2g)(1 - u)(1 - gamma)(1 - u)^5 >= 1, since 2g >= 4 (n + 8) u. QED. The step by `torch.nextafter` covers the last
additions, m - R' and m + R'.

**What is enclosed.** With e = g: the function of real arithmetic with the network's stored parameters. For the network
as evaluated in its own arithmetic of unit roundoff v (2^-24 for float32), each layer's computed value differs from
W x + b, x its computed input, by at most v' (|W| |x| + |b|), v' = (n + 2) v / (1 - (n + 2) v): the same lemma with
e = g + v' covers it (and the few underflows, added apart). That presumes inner products as such: not Winograd or
Fourier convolutions (`deep.certify.bounds` asks torch for none), nor TF32 or bfloat16.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from deep.certify.layers import Add, Affine, BatchNorm, Constant, MaxPool, Relu, Reshape

if TYPE_CHECKING:
    from torch import Tensor

    from deep.certify.network import Network
    from deep.certify.region import Region

UNIT = 2.0**-53
TINY = 2.0**-800


@dataclass(frozen=True, slots=True)
class Interval:
    """lower <= value <= upper, float64 [B, ...]; infinite where nothing is known."""

    lower: Tensor
    upper: Tensor

    def center_radius(self) -> tuple[Tensor, Tensor]:
        """c, r with [lower, upper] inside [c - r, c + r]."""
        c = (self.lower + self.upper) / 2
        return c, torch.maximum(up(c - self.lower), up(self.upper - c))

    @property
    def size(self) -> Tensor:
        """The largest magnitude."""
        return torch.maximum(self.lower.abs(), self.upper.abs())


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Which evaluation is enclosed: unit roundoff 0 stands for real arithmetic."""

    unit: float = 0.0
    underflow: float = 0.0

    @staticmethod
    def of(dtype: torch.dtype) -> Arithmetic:
        """That of a floating point type: float32 or float64."""
        if dtype not in (torch.float32, torch.float64):
            raise ValueError(f"{dtype} evaluation has no certificate; allowed are torch.float32 and torch.float64")
        info = torch.finfo(dtype)
        return Arithmetic(info.eps / 2, float(info.smallest_normal))

    def error(self, terms: int) -> float:
        """The relative error of an inner product of so many terms and a bias: 0 for real arithmetic."""
        x = (terms + 2) * self.unit
        if x >= 0.5:
            raise ValueError(f"inner products of {terms} terms are too long for unit roundoff {self.unit}")
        return x / (1 - x) * (1 + 4 * UNIT)


REAL = Arithmetic()


def up(x: Tensor) -> Tensor:
    """The next float above: not below the real result of the one operation that gave x."""
    return torch.nextafter(x, torch.full_like(x, math.inf))


def down(x: Tensor) -> Tensor:
    """The next float below."""
    return torch.nextafter(x, torch.full_like(x, -math.inf))


def growth(terms: int) -> float:
    """g = 2 (n + 8) u of the lemma."""
    if terms > 2**40:
        raise ValueError(f"inner products of {terms} terms are beyond the error bound; allowed are 2^40")
    return 2 * (terms + 8) * UNIT


def outwards(m: Tensor, radius: Tensor, terms: int, extra: float = 0.0) -> Interval:
    """[m - R', m + R'] of the lemma; everything is allowed where a number overflowed."""
    radius = up(radius * (1 + 2 * growth(terms)) + (TINY + extra))
    known = m.isfinite() & radius.isfinite()
    lower = torch.where(known, down(m - radius), -math.inf)
    return Interval(lower, torch.where(known, up(m + radius), math.inf))


def inner(a: Tensor, v: Interval) -> Tensor:
    """A lower bound of sum_i a_i v_i over v in the interval: [B, S, ...], [B, ...] -> [B, S], -inf where unknown."""
    batch, rows = a.shape[:2]
    a = a.reshape(batch, rows, -1)
    c, r = (t.reshape(batch, -1, 1) for t in v.center_radius())
    g = growth(a.shape[2])
    return outwards((a @ c)[..., 0], (a.abs() @ (r + g * (c.abs() + r)))[..., 0], a.shape[2]).lower


@dataclass(frozen=True, slots=True)
class Forward:
    """The intervals of all values of a network, and of each affine one the mass |W| |x| + |b|, rounded up."""

    values: tuple[Interval, ...]
    mass: tuple[Tensor | None, ...]


def forward(net: Network, where: Region, arithmetic: Arithmetic, *, masses: bool = False) -> Forward:
    """Interval bound propagation, sound under floating point; with the masses of the affine values if asked."""
    values, mass = [Interval(where.lower, where.upper)], [torch.zeros_like(where.lower) if masses else None]
    # the values that are still a diagonal map of the input, where an l2 ball is tighter than its box
    diagonal = {0: _Diagonal.start(where)} if where.radius is not None else {}
    for i, node in enumerate(net.nodes, 1):
        layer, x = node.layer, values[node.inputs[0]]
        before = diagonal.get(node.inputs[0])
        total = None
        if isinstance(layer, Affine):
            y, total = affine(layer, x, arithmetic, mass=masses or before is not None)
            if before is not None and total is not None:
                after = before.through(layer, total, arithmetic)
                y = after.intersect(y)
                if isinstance(layer, BatchNorm | Constant):
                    diagonal[i] = after
        elif isinstance(layer, Add):
            y, total = add(x, values[node.inputs[1]], arithmetic)
        elif isinstance(layer, Relu | MaxPool | Reshape):
            y = Interval(layer.value(x.lower), layer.value(x.upper))  # monotone, and exact
            if isinstance(layer, Reshape) and before is not None:
                diagonal[i] = before.reshaped(layer)
        else:
            raise TypeError(f"{type(layer).__name__} has no interval bound")
        values.append(y)
        mass.append(total)
    return Forward(tuple(values), tuple(mass))


def affine(
    layer: Affine, x: Interval, arithmetic: Arithmetic, *, mass: bool = False
) -> tuple[Interval, Tensor | None]:
    """The lemma for one layer: an interval of W x + b as evaluated, and |W| |x| + |b| rounded up if asked."""
    c, r = x.center_radius()
    n = layer.terms(c.shape[1:])
    e = growth(n) + arithmetic.error(n)
    m = layer.product(c, classical=True)
    radius = layer.product(r + e * (c.abs() + r), torch.abs, classical=True)
    b, size = layer.bias(c), layer.bias_mass(c)
    if b is not None and size is not None:
        m, radius = m + b, radius + e * size
    y = outwards(m, radius, n, 2 * (n + 2) * arithmetic.underflow)
    if not mass:
        return y, None
    total = layer.product(c.abs() + r, torch.abs, classical=True)
    return y, up((total if size is None else total + size) * (1 + 2 * growth(n)) + TINY)


def add(x: Interval, y: Interval, arithmetic: Arithmetic) -> tuple[Interval, Tensor]:
    """The sum of two values as evaluated, and the sum of their magnitudes."""
    mass = up(x.size + y.size)
    error = up(arithmetic.error(0) * mass)
    lower, upper = down(down(x.lower + y.lower) - error), up(up(x.upper + y.upper) + error)
    return Interval(lower.nan_to_num(-math.inf, math.inf), upper.nan_to_num(math.inf, math.inf, -math.inf)), mass


@dataclass(frozen=True, slots=True)
class _Diagonal:
    """A value D x + k of an l2 ball's points x, D a diagonal matrix.

    By Cauchy and Schwarz, a layer of it with rows w_i moves by at most radius |w_i D|_2 from its value at the centre.
    """

    scale: Tensor  # [B, ...], at least |D|
    point: Interval  # the value at the centre, in real arithmetic
    error: Tensor  # how far the evaluated value may be from the real one
    radius: Tensor  # [B]
    spread: Tensor | None = None

    @staticmethod
    def start(where: Region) -> _Diagonal:
        assert where.radius is not None
        zero = torch.zeros_like(where.center)
        return _Diagonal(zero + 1, Interval(where.center, where.center), zero, where.radius)

    def through(self, layer: Affine, mass: Tensor, arithmetic: Arithmetic) -> _Diagonal:
        n = layer.terms(self.scale.shape[1:])
        grow = 1 + 4 * growth(n)
        size = layer.product(self.scale.square(), torch.square, classical=True).sqrt() * grow + 2.0**-400
        error = layer.product(self.error, torch.abs, classical=True) * grow + arithmetic.error(n) * mass * grow
        error = error + 2 * (n + 2) * arithmetic.underflow
        point = affine(layer, self.point, REAL)[0]
        spread = size * self.radius.reshape(-1, *[1] * (size.dim() - 1)) * grow
        return _Diagonal(size, point, error, self.radius, spread + error * grow)

    def reshaped(self, layer: Reshape) -> _Diagonal:
        point = Interval(layer.value(self.point.lower), layer.value(self.point.upper))
        return _Diagonal(layer.value(self.scale), point, layer.value(self.error), self.radius)

    def intersect(self, y: Interval) -> Interval:
        assert self.spread is not None
        lower = down(self.point.lower - up(self.spread)).nan_to_num(-math.inf, math.inf)
        upper = up(self.point.upper + up(self.spread)).nan_to_num(math.inf, math.inf, -math.inf)
        return Interval(torch.maximum(y.lower, lower), torch.minimum(y.upper, upper))

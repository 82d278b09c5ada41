"""Linear lower bounds, carried backwards from the outputs to the input (CROWN), sound under floating point.

A row a of a specification asks for a lower bound of a . z. Through the layers, from the last to the first, it becomes
a' . x + d <= a . z for every x the intervals allow. What rounding does to a' is paid for in d:

* y = W x + b: a' = fl(W^T a) misses W^T a by at most gamma |W|^T |a|, so a . y >= a' . x + a . b - gamma |a| . |W| |x|:
  the *mass* |W| |x| + |b| of the forward pass prices it, and the evaluation error of another arithmetic too.
* y = max(x, 0), x in [l, u]: for any slope a', a y - a' x is linear on both sides of 0, so
  d = min over x in {l, 0, u} (0 if it lies between) of a y - a' x. The slopes are the usual ones: for a < 0 the chord
  u / (u - l), for a >= 0 the nearer of 0 and 1.
* y = max of a window: y >= x_j for the entry j of the largest lower end; y = x_j if that beats all the other upper
  ends, else y <= the largest upper end, a constant.

The row meets the intervals at every layer that is not affine and at the input; the best of these bounds counts, so the
result is never worse than interval propagation with the last affine layers merged into the specification.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from deep.certify.layers import Add, Affine, MaxPool, Relu, Reshape
from deep.certify.sound import TINY, Interval, down, forward, growth, inner, up

if TYPE_CHECKING:
    from torch import Tensor

    from deep.certify.network import Network
    from deep.certify.region import Region
    from deep.certify.sound import Arithmetic, Forward


def lower_bounds(net: Network, where: Region, rows: Tensor, arithmetic: Arithmetic, *, full: bool) -> Tensor:
    """Lower bounds of rows . outputs, [B, S, K] -> float64 [B, S]; -inf where nothing is known.

    With ``full`` down to the input (CROWN with interval bounds inside), else only through the last affine layers.
    """
    return _Backward(net, where, forward(net, where, arithmetic, masses=True), arithmetic).run(rows, full=full)


class _Backward:
    """The rows at every value they have reached, and the constant d, rounded down."""

    def __init__(self, net: Network, where: Region, seen: Forward, arithmetic: Arithmetic) -> None:
        self.net, self.where, self.seen, self.arithmetic = net, where, seen, arithmetic
        self.rows: dict[int, Tensor] = {}

    def run(self, rows: Tensor, *, full: bool) -> Tensor:
        rows = rows.double()
        self.d = rows.new_zeros(rows.shape[:2])
        self.rows = {self.net.output: rows}
        best = self.meet()
        for i in range(self.net.output, 0, -1):
            a = self.rows.pop(i, None)
            if a is None:
                continue
            node = self.net.nodes[i - 1]
            layer = node.layer
            if isinstance(layer, Relu | MaxPool):
                self.rows[i] = a
                best = torch.maximum(best, self.meet())
                if not full:
                    return best
                del self.rows[i]
            self.through(i, layer, node.inputs, a)
        return torch.maximum(best, self.meet())

    def meet(self) -> Tensor:
        """The bound that the intervals of the values reached so far give."""
        bound = self.d
        for i, a in self.rows.items():
            lowest = inner(a, self.seen.values[i])
            if i == 0 and self.where.radius is not None:
                lowest = torch.maximum(lowest, self.ball(a))
            bound = down(bound + lowest)
        return torch.where(bound.isfinite(), bound, -math.inf)

    def ball(self, a: Tensor) -> Tensor:
        """a . x over the l2 ball alone: at its centre, less the radius times |a|_2."""
        assert self.where.radius is not None
        flat = a.flatten(2)
        grow = 1 + 4 * growth(flat.shape[2])
        # scaled by the largest entry, no square overflows, and what underflows is far below the growth
        top = flat.abs().amax(2).clamp(min=TINY)
        length = (flat / top[..., None]).square().sum(2).sqrt() * grow * top
        at = inner(a, Interval(self.where.center, self.where.center))
        return down(at - up(length * self.where.radius[:, None] * grow))

    def spend(self, t: Tensor) -> None:
        """d += t [B, S], rounded down."""
        self.d = down(self.d + t)

    def sum_down(self, t: Tensor) -> Tensor:
        """A lower bound of the sums of t [B, S, ...] over all but the first two dimensions."""
        flat = t.flatten(2)
        return down(flat.sum(2) - up(2 * growth(flat.shape[2]) * flat.abs().sum(2) + TINY))

    def put(self, i: int, a: Tensor) -> None:
        """Rows arriving at a value; where two branches meet, they add up."""
        if i in self.rows:
            a = self.rows[i] + a
            wide = up(self.seen.values[i].size * growth(1))
            self.spend(inner(a, Interval(-wide, wide)))
        self.rows[i] = a

    def through(self, i: int, layer: object, inputs: tuple[int, ...], a: Tensor) -> None:
        x = self.seen.values[inputs[0]]
        shape = x.lower.shape[1:]
        if isinstance(layer, Affine):
            self.spend(inner(a, self.shift(i, layer, shape, a.shape[2:])))
            self.put(inputs[0], layer.transposed(a.flatten(0, 1), shape).reshape(*a.shape[:2], *shape))
        elif isinstance(layer, Add):
            mass = self.seen.mass[i]
            assert mass is not None
            if self.arithmetic.unit:
                error = up(self.arithmetic.error(0) * mass)
                self.spend(inner(a, Interval(-error, error)))
            self.put(inputs[0], a)
            self.put(inputs[1], a)
        elif isinstance(layer, Reshape):
            self.put(inputs[0], a.reshape(*a.shape[:2], *shape))
        elif isinstance(layer, Relu):
            self.relu(inputs[0], x, a)
        elif isinstance(layer, MaxPool):
            self.max_pool(inputs[0], x, layer, a)
        else:
            raise TypeError(f"{type(layer).__name__} has no linear bound")

    def shift(self, i: int, layer: Affine, shape: torch.Size, out: torch.Size) -> Interval:
        """b, with the errors of W^T a and of the evaluation as multiples of the mass."""
        mass = self.seen.mass[i]
        assert mass is not None
        forth, back = layer.terms(shape), layer.back_terms(shape, out)
        extra = 2 * (forth + 2) * self.arithmetic.underflow + TINY
        error = up((growth(forth) + growth(back) + self.arithmetic.error(forth)) * (1 + growth(4)) * mass + extra)
        b = layer.bias(mass)
        b = torch.zeros_like(mass) if b is None else b
        return Interval(down(b - error), up(b + error))

    def relu(self, i: int, x: Interval, a: Tensor) -> None:
        low, high = x.lower[:, None], x.upper[:, None]
        chord = (high / (high - low)).clamp(0, 1)
        nearer = (high > -low).to(a)
        slope = torch.where(a < 0, chord, nearer)
        slope = torch.where(low >= 0, 1.0, torch.where(high <= 0, 0.0, slope))
        new = torch.where(slope == 1, a, torch.where(slope == 0, 0.0, a * slope))
        at_low, at_high = down(-new * low), down(down(a - new) * high)
        least = torch.minimum(torch.minimum(at_low, at_high), torch.zeros_like(a))
        stable = (low >= 0) | (high <= 0)
        self.spend(self.sum_down(torch.where(stable, 0.0, least)))
        self.put(i, new)

    def max_pool(self, i: int, x: Interval, layer: MaxPool, a: Tensor) -> None:
        shape = x.lower.shape[1:]
        chosen = layer.indices(x.lower)  # [B, C, H', W']
        # the largest upper end of the other entries of the window
        windows = _windows(x.upper, layer, chosen.shape[2:])
        numbers = torch.arange(shape[1] * shape[2]).to(x.upper).reshape(1, 1, *shape[1:])
        places = _windows(numbers, layer, chosen.shape[2:])
        same = places == chosen.flatten(2)[:, :, None]
        rival = windows.masked_fill(same, -math.inf).amax(2).reshape(chosen.shape)
        ceiling = layer.value(x.upper)
        decided = x.lower.flatten(2).gather(2, chosen.flatten(2)).reshape(chosen.shape) >= rival
        follow = (a >= 0) | decided[:, None]
        constant = torch.where(follow, 0.0, a)
        self.spend(inner(constant, Interval(ceiling, ceiling)))
        moved = torch.where(follow, a, 0.0).flatten(3)
        new = torch.zeros(*a.shape[:3], shape[1] * shape[2], dtype=a.dtype, device=a.device)
        new = new.scatter_add(3, chosen.flatten(2)[:, None].expand_as(moved), moved)
        # rows that add up where windows overlap: at most kernel-size of them
        terms = layer.kernel[0] * layer.kernel[1]
        gathered = up(ceiling.abs().maximum(layer.value(-x.lower).abs()) * growth(terms))
        self.spend(inner(torch.where(follow, a, 0.0), Interval(-gathered, gathered)))
        self.put(i, new.reshape(*a.shape[:2], *shape))


def _windows(x: Tensor, layer: MaxPool, size: torch.Size) -> Tensor:
    """The entries of every window, [B, C, kh kw, H' W'], -inf in the padding."""
    kernel, stride, padding, dilation = layer.kernel, layer.stride, layer.padding, layer.dilation
    need = [(size[k] - 1) * stride[k] + dilation[k] * (kernel[k] - 1) + 1 for k in (0, 1)]
    extra = [max(0, need[k] - x.shape[2 + k] - 2 * padding[k]) for k in (0, 1)]
    pad = (padding[1], padding[1] + extra[1], padding[0], padding[0] + extra[0])
    padded = F.pad(x, pad, value=-math.inf)
    columns = F.unfold(padded.flatten(0, 1)[:, None], kernel, dilation, 0, stride)
    return columns.reshape(*x.shape[:2], kernel[0] * kernel[1], -1)

"""The set of inputs a certificate speaks of: every point an attack may return, and every real point of ball and box."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch

if TYPE_CHECKING:
    from torch import Tensor


class Threat(Protocol):
    """What is read of a threat (`deep.attack.threat.Threat`): radius (a number or [B]), norm, and the box."""

    @property
    def eps(self) -> float | Tensor: ...
    @property
    def ord(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Region:
    """The points of the box [lower, upper] within the l2 distance ``radius`` of ``center`` (None: the whole box).

    Tensors are float64: [B, ...] for the box and the centre, [B] for the radius.
    """

    lower: Tensor
    upper: Tensor
    center: Tensor
    radius: Tensor | None

    def rows(self, start: int, stop: int) -> Region:
        """Some of the samples."""
        radius = None if self.radius is None else self.radius[start:stop]
        return Region(self.lower[start:stop], self.upper[start:stop], self.center[start:stop], radius)


def region(x: Tensor, threat: Threat) -> Region:
    """Ball and box around x [B, ...], rounded outwards to x's number type.

    With r the smallest number of x's type that is at least eps, the ends are x - r rounded down and x + r rounded up,
    each cut by low rounded down and high rounded up. They enclose the real ball and box; and since rounding is
    monotone, fl(x - fl(eps)) >= down(x - r): they hold every point that a projection in x's own arithmetic returns.
    For l2 the radius grows likewise: by d + 4 roundings of a norm of d squares, and half a unit in the last place of
    every coordinate.

    >>> from deep.attack.threat import Threat
    >>> r = region(torch.tensor([[0.05, 0.5]]), Threat(0.1))
    >>> r.lower.tolist(), r.upper.tolist()
    ([[0.0, 0.3999999761581421]], [[0.15000000596046448, 0.6000000238418579]])

    Raises ``ValueError`` for x that are not floating point, not finite or outside the box, and for a radius below 0.
    """
    if not x.is_floating_point():
        raise ValueError(f"x is {x.dtype}; allowed are floating point images")
    low, high = _down(_float64(threat.low), x.dtype), _up(_float64(threat.high), x.dtype)
    center = x.detach().double()
    bad = ~((center >= low) & (center <= high))
    if bad.any():
        raise ValueError(f"x holds {float(center[bad][0])}; allowed are numbers from {threat.low} to {threat.high}")
    eps = _float64(threat.eps).to(x.device)
    if not bool((eps >= 0).all()):
        raise ValueError(f"eps {float(eps.min())} is out of range; allowed are numbers from 0")
    r = _up(eps, x.dtype)
    r = r.reshape(-1, *[1] * (x.dim() - 1)) if r.dim() else r
    lower = torch.maximum(_down(-_sum_up(r, -center), x.dtype), low.to(x.device))
    upper = torch.minimum(_up(_sum_up(r, center), x.dtype), high.to(x.device))
    if threat.ord == math.inf:
        return Region(lower, upper, center, None)
    if threat.ord != 2:
        raise ValueError(f"ord {threat.ord!r} has no certificate; allowed are 2 and inf")
    d, unit = center[0].numel(), torch.finfo(x.dtype).eps / 2
    eps = eps.clamp(max=2 * math.sqrt(d) * max(abs(threat.low), abs(threat.high), 1.0))  # beyond, it is the whole box
    size = max(abs(threat.low), abs(threat.high)) + float(eps.max() if eps.numel() else 0)
    radius = eps * (1 + (d + 4) * 2 * unit) + 2 * math.sqrt(d) * unit * size
    return Region(lower, upper, center, radius.expand(len(x)))


def _down(value: Tensor, dtype: torch.dtype) -> Tensor:
    """The largest number of the type that is at most value (or one below it), as float64."""
    near = value.to(dtype)
    below = torch.nextafter(near, torch.full_like(near, -math.inf))
    return torch.where(near.double() <= value.double(), near, below).double()


def _up(value: Tensor, dtype: torch.dtype) -> Tensor:
    return -_down(-value, dtype)


def _sum_up(a: Tensor, b: Tensor) -> Tensor:
    """a + b rounded up, exact where it can be (Knuth's two-sum gives the error of the sum)."""
    total = a + b
    part = total - a
    error = (a - (total - part)) + (b - part)
    return torch.where(error > 0, torch.nextafter(total, torch.full_like(total, math.inf)), total)


def _float64(value: float | Tensor) -> Tensor:
    """A number as it stands: torch would round a Python float to float32."""
    return torch.as_tensor(value, dtype=None if torch.is_tensor(value) else torch.float64).detach().double()

"""What the adversary may do: a ball around each sample, within a box."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from deep.stream import Stream


@dataclass(frozen=True, slots=True, eq=False)
class Threat:
    """The closed ball of radius ``eps`` (one number, or one a sample, shape [B]) in the norm ``ord``, 2 or infinity,
    cut with the box [low, high]. A ball of infinite radius leaves the box alone.

    Raises ``ValueError`` for a radius that is negative, NaN or of another shape, another norm, and an empty box.
    """

    eps: float | Tensor
    ord: float = math.inf
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not torch.is_tensor(self.eps):
            object.__setattr__(self, "eps", float(self.eps))  # a Fraction, too
        eps = torch.as_tensor(self.eps)
        bad = eps[~(eps >= 0)]
        if len(bad):
            raise ValueError(f"eps {float(bad[0])} is out of range; allowed are numbers from 0")
        if eps.dim() > 1:
            raise ValueError(f"eps has the shape {tuple(eps.shape)}; allowed are one number and one a sample, (B,)")
        if self.ord not in (2, math.inf):
            raise ValueError(f"ord {self.ord!r} is unknown; allowed are 2 and inf")
        if not self.low <= self.high:
            raise ValueError(f"the box [{self.low}, {self.high}] is empty; low must be at most high")

    def radius(self, x: Tensor) -> Tensor:
        """The radii as a tensor that broadcasts over ``x``."""
        if not torch.is_tensor(self.eps):
            return x.new_full((), self.eps)  # on the device at once: no copy that a CUDA graph could not capture
        eps = self.eps.to(x)
        return eps.reshape(-1, *[1] * (x.dim() - 1)) if eps.dim() else eps

    def rows(self, keep: Tensor) -> Threat:
        """The threat to some of the samples, by index or mask."""
        if not torch.is_tensor(self.eps) or self.eps.dim() == 0:
            return self
        return Threat(self.eps[keep.to(self.eps.device)], self.ord, self.low, self.high)

    def project(self, moved: Tensor, x: Tensor) -> Tensor:
        """The points ``moved``, brought into the ball around ``x`` and the box (in place where that is possible).

        For l-infinity the nearest point, coordinate by coordinate: between fl(x - eps) and fl(x + eps), so the ball is
        met to half a unit in the last place. For l2 the offset is shortened to eps, then cut by the box, which lies in
        both sets though it need not be the nearest such point.
        """
        radius = self.radius(x)
        if self.ord == math.inf:
            return _clamp(moved, (x - radius).clamp_(min=self.low), (x + radius).clamp_(max=self.high))
        offset = moved - x
        length = torch.linalg.vector_norm(offset.flatten(1), dim=1).reshape(-1, *[1] * (x.dim() - 1))
        scale = torch.where(length > radius, radius / length.clamp(min=torch.finfo(x.dtype).tiny), 1.0)
        return (x + offset * scale).clamp_(self.low, self.high)

    def start(self, x: Tensor, stream: Stream, index: Tensor) -> Tensor:
        """A random point of the ball, uniform in it before it is cut by the box."""
        shape = x.shape[1:]
        if self.ord == math.inf:
            return self.project(x + (2 * stream.uniform(index, shape).to(x) - 1) * self.radius(x), x)
        direction = unit(stream.child("direction").normal(index, shape).to(x))
        depth = stream.child("depth").uniform(index, (1,)).to(x) ** (1 / max(shape.numel(), 1))
        return self.project(x + direction * depth.reshape(-1, *[1] * (x.dim() - 1)) * self.radius(x), x)

    def distance(self, moved: Tensor, x: Tensor) -> Tensor:
        """How far each sample was moved, [B], in the norm ``ord``."""
        length: Tensor = torch.linalg.vector_norm((moved - x).flatten(1), self.ord, dim=1)
        return length

    def step(self, gradient: Tensor) -> Tensor:
        """The direction of steepest ascent of length 1 in the norm: the sign, or the normalised gradient."""
        return gradient.sign() if self.ord == math.inf else unit(gradient)


def unit(v: Tensor) -> Tensor:
    """Each sample divided by its l2 norm; a zero stays zero."""
    length: Tensor = torch.linalg.vector_norm(v.flatten(1), dim=1).clamp(min=torch.finfo(v.dtype).tiny)
    return v / length.reshape(-1, *[1] * (v.dim() - 1))


def _clamp(moved: Tensor, low: Tensor, high: Tensor) -> Tensor:
    # x itself may lie outside of the box by a rounding; then low > high, and high wins in torch.clamp: still the ball
    clamped: Tensor = torch.clamp(moved, low, high)
    return clamped

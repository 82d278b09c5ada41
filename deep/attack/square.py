"""Square: random search without gradients, the check on attacks that gradients mislead."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from deep.attack.engine import Found
from deep.attack.losses import MARGIN, targeted
from deep.attack.steps import needs_radius

if TYPE_CHECKING:
    from torch import Tensor, nn

    from deep.attack.engine import Target
    from deep.attack.losses import AttackLoss
    from deep.attack.threat import Threat
    from deep.stream import Stream


@dataclass(frozen=True, slots=True)
class Square:
    """Square attack for l-infinity (Andriushchenko et al., 2020): starts from stripes of +-eps, then tries +-eps a
    channel on a random square, and keeps what lowers the margin. The share ``p`` of changed pixels falls as in the
    paper. Inputs that are no images count as images of one row. Raises ``ValueError`` for l2.
    """

    steps: int = 1000
    p: float = 0.8
    name: str = "Square"

    def __post_init__(self) -> None:
        if self.steps < 1 or not 0 < self.p <= 1:
            raise ValueError(f"{self.steps} steps, p = {self.p} are no search; allowed are steps from 1, p in (0, 1]")

    def find(
        self, net: nn.Module, x: Tensor, target: Target, threat: Threat, stream: Stream, index: Tensor
    ) -> Found:
        needs_radius(threat, self.name)
        if threat.ord != math.inf:
            raise ValueError(f"Square is built for ord inf here, not {threat.ord}; use APGD for l2")
        loss = targeted(MARGIN) if target.towards else MARGIN
        shape = x.shape
        images = x.reshape(len(x), 1, 1, -1) if x.dim() != 4 else x
        _, channels, height, width = images.shape
        radius = threat.radius(images)
        stripes = 2 * (stream.child("stripes").uniform(index, (channels, 1, width)).to(x) > 0.5).to(x) - 1
        best = threat.project((images + radius * stripes).reshape(shape), x)
        value, reached = self._look(net, best, target, loss)
        queries = torch.ones_like(target.y)
        for k in range(self.steps):
            rows = (~reached).nonzero()[:, 0]
            if not len(rows):
                break
            side = max(1, round(math.sqrt(self.p * _share(k, self.steps) * height * width)))
            drawn = stream.child("square", k)
            own = index[rows]
            high, wide = min(side, height), min(side if height > 1 else side * side, width)
            top = drawn.child("top").integers(own, height - high + 1)
            left = drawn.child("left").integers(own, width - wide + 1)
            sign = 2 * (drawn.child("sign").uniform(own, (channels, 1, 1)).to(x) > 0.5).to(x) - 1
            inside = _window(top, high, height)[:, None, :, None] & _window(left, wide, width)[:, None, None, :]
            eps = radius[rows] if radius.dim() else radius
            moved = torch.where(inside, images[rows] + sign * eps, best[rows].reshape(-1, channels, height, width))
            tried = threat.rows(rows).project(moved.reshape(-1, *shape[1:]), x[rows])
            now, there = self._look(net, tried, target.rows(rows), loss)
            queries[rows] += 1
            better = (now > value[rows]) | there
            best[rows[better]], value[rows[better]] = tried[better], now[better]
            reached[rows] |= there
        return Found(best, queries, torch.zeros_like(reached))

    @staticmethod
    def _look(net: nn.Module, x: Tensor, target: Target, loss: AttackLoss) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            z = net(x)
        return loss.value(z, target.y, target.z0), target.reached(z)


def _window(start: Tensor, length: int, size: int) -> Tensor:
    """[B] -> bool [B, size]: the places start, ..., start + length - 1."""
    places = torch.arange(size, device=start.device)
    return (places >= start[:, None]) & (places < start[:, None] + length)


_FALLS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)


def _share(k: int, steps: int) -> float:
    """The share of p in use at step k of so many: halved at 10, 50, 200, ... of 10,000.

    >>> [_share(k, 1000) for k in (0, 2, 30, 999)]
    [1.0, 0.5, 0.125, 0.001953125]
    """
    scaled = k * 10_000 // steps
    return float(0.5 ** sum(scaled > fall for fall in _FALLS))

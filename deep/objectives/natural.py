"""Training without an adversary, and with one on the label: the two ends of the trade-off."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deep.attack.losses import CrossEntropy
from deep.objectives.method import Batch, Stateless, Statistics, adversary, check_attack
from deep.scores import cross_entropy

if TYPE_CHECKING:
    from torch import Tensor, nn

    from deep.stream import Stream


@dataclass(frozen=True, slots=True)
class Natural:
    """min E CE(f(X), Y): the natural risk's surrogate."""

    name: str = "natural"

    def prepare(self, model: nn.Module, images: Any, stream: Stream) -> Stateless:  # noqa: ARG002
        return Stateless()

    def loss(self, model: nn.Module, batch: Batch, state: Stateless) -> tuple[Tensor, Statistics]:  # noqa: ARG002
        loss = cross_entropy(model(batch.x), batch.y).mean()
        return loss, {"loss": loss.detach()}


@dataclass(frozen=True, slots=True)
class PGDAT:
    """min E max CE(f(x'), Y) over the ball: adversarial training by projected gradients (Madry et al., 2018)."""

    eps: float
    steps: int = 10
    step_size: float = 0.0
    ord: float = math.inf
    name: str = "pgd-at"

    def __post_init__(self) -> None:
        object.__setattr__(self, "step_size", self.step_size or default_step(self.eps, self.steps))
        check_attack(self.eps, self.steps, self.step_size)

    def prepare(self, model: nn.Module, images: Any, stream: Stream) -> Stateless:  # noqa: ARG002
        return Stateless()

    def loss(self, model: nn.Module, batch: Batch, state: Stateless) -> tuple[Tensor, Statistics]:  # noqa: ARG002
        threat = batch.threat(self.eps, self.ord)
        unused = batch.x.new_zeros(len(batch.x), 1)  # the loss does not look at the outputs at the clean points
        moved = adversary(model, batch, CrossEntropy(), threat, steps=self.steps, step_size=self.step_size, z0=unused)
        loss = cross_entropy(model(moved), batch.y).mean()
        return loss, {"loss": loss.detach()}


def default_step(eps: float, steps: int) -> float:
    """2.5 eps / steps: far enough to cross the ball, and to come back (Madry et al., 2018)."""
    return 2.5 * eps / max(steps, 1) if eps > 0 else 1.0

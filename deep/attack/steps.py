"""The attacks that take gradient steps of a set size in the ball: FGSM, PGD, MI-FGSM, and C&W's loss under PGD."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from deep.attack.engine import Found
from deep.attack.gradient import ascend
from deep.attack.losses import AttackLoss, loss_of, targeted

if TYPE_CHECKING:
    from torch import Tensor, nn

    from deep.attack.engine import Target
    from deep.attack.gradient import Start
    from deep.attack.threat import Threat
    from deep.stream import Stream


@dataclass(frozen=True, slots=True)
class PGD:
    """Projected gradient ascent of a loss from ``restarts`` starts (Madry et al., 2018).

    Steps have the size ``step_size``, or, if that is None, ``reach`` * eps / steps of each sample's own eps. With
    ``stop`` a sample is left as soon as it is fooled, and later starts look at the others only. Else the point of
    largest loss over all steps and starts is kept, or, without ``best``, the last one of the last start. ``momentum``
    makes it MI-FGSM.
    """

    steps: int = 40
    step_size: float | None = None
    reach: float = 2.5
    restarts: int = 1
    loss: str | AttackLoss = "ce"
    start: Start = "uniform"
    best: bool = True
    stop: bool = True
    momentum: float = 0.0
    name: str = "PGD"

    def __post_init__(self) -> None:
        if self.steps < 1 or self.restarts < 1:
            raise ValueError(f"{self.steps} steps and {self.restarts} restarts are no attack; allowed is 1 or more")
        if self.step_size is not None and not self.step_size > 0:
            raise ValueError(f"step_size {self.step_size} is out of range; allowed are numbers above 0")
        loss_of(self.loss)

    def find(
        self, net: nn.Module, x: Tensor, target: Target, threat: Threat, stream: Stream, index: Tensor
    ) -> Found:
        needs_radius(threat, self.name)
        loss = loss_of(self.loss)
        loss = targeted(loss) if target.towards else loss
        size: Tensor = self.reach * torch.as_tensor(threat.eps, dtype=x.dtype, device=x.device) / self.steps
        if self.step_size is not None:
            size = torch.full_like(size, self.step_size)
        answer, value = x.clone(), x.new_full((len(x),), -torch.inf)
        queries, dead = torch.zeros_like(target.y), torch.zeros_like(target.y, dtype=torch.bool)
        rows = torch.arange(len(x), device=x.device)  # the samples that are not fooled yet
        for restart in range(self.restarts):
            own = target.rows(rows)
            found = ascend(
                net, x[rows], own.y, loss, threat.rows(rows), steps=self.steps,
                step_size=size[rows] if size.dim() else size, z0=own.z0, start=self.start,
                stream=stream.child("restart", restart), index=index[rows], best=self.best, momentum=self.momentum,
                stop=(lambda z, y, _: target.reached(z, y)) if self.stop else None,
            )  # fmt: skip
            with torch.no_grad():
                z = net(found.x)
            reached = own.reached(z) if self.stop else torch.zeros_like(dead[rows])
            now = loss.value(z, own.y, own.z0)
            better = reached | (now > value[rows]) | (not self.best)
            answer[rows[better]], value[rows[better]] = found.x[better], now[better]
            queries[rows] += found.queries
            dead[rows] |= found.dead
            rows = rows[~reached]
            if not len(rows):
                break
        return Found(answer, queries, dead)


def needs_radius(threat: Threat, name: str) -> None:
    """Raises ``ValueError`` for an attack within a ball without the ball."""
    if not bool(torch.as_tensor(threat.eps).isfinite().all()):
        raise ValueError(f"{name} needs a radius eps; only attacks for the nearest point go without")


def FGSM(loss: str | AttackLoss = "ce") -> PGD:  # noqa: N802
    """One step of size eps from the point itself (Goodfellow et al., 2015)."""
    return PGD(steps=1, reach=1.0, loss=loss, start="point", name="FGSM")


def MIFGSM(steps: int = 10, decay: float = 1.0, loss: str | AttackLoss = "ce") -> PGD:  # noqa: N802
    """Steps of eps / steps along the sum of l1-normalised gradients, decayed by ``decay`` (Dong et al., 2018)."""
    return PGD(
        steps=steps, reach=1.0, momentum=decay, loss=loss, start="point", best=False, stop=False, name="MI-FGSM"
    )


def CWInf(steps: int = 40, restarts: int = 1) -> PGD:  # noqa: N802
    """PGD on the margin of Carlini and Wagner (2017), the usual "CW" attack for l-infinity."""
    return PGD(steps=steps, restarts=restarts, loss="margin", name="CW-inf")

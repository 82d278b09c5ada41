"""Auto-PGD: projected gradients with momentum, whose step size is halved where it brings nothing more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from deep.attack.engine import Found
from deep.attack.gradient import says_nothing
from deep.attack.losses import AttackLoss, loss_of, targeted
from deep.attack.steps import needs_radius

if TYPE_CHECKING:
    from torch import Tensor, nn

    from deep.attack.engine import Target
    from deep.attack.threat import Threat
    from deep.stream import Stream


@dataclass(frozen=True, slots=True)
class APGD:
    """Auto-PGD (Croce and Hein, 2020), Algorithm 1: x <- z + a (z - x) + (1 - a) (x - x_before) with z the plain step
    and a = 3/4. At checkpoints a sample whose loss rose in fewer than ``rho`` of the steps, or whose best value and
    step size have not changed since the last checkpoint, goes back to its best point with half the step size.

    ``loss`` may be "dlr" for three classes or more; "margin" is the one for two.
    """

    steps: int = 100
    restarts: int = 1
    loss: str | AttackLoss = "ce"
    rho: float = 0.75
    name: str = "APGD"

    def __post_init__(self) -> None:
        if self.steps < 1 or self.restarts < 1:
            raise ValueError(f"{self.steps} steps and {self.restarts} restarts are no attack; allowed is 1 or more")
        loss_of(self.loss)

    def find(
        self, net: nn.Module, x: Tensor, target: Target, threat: Threat, stream: Stream, index: Tensor
    ) -> Found:
        needs_radius(threat, self.name)
        answer, queries = x.clone(), torch.zeros_like(target.y)
        dead = torch.zeros_like(target.y, dtype=torch.bool)
        rows = torch.arange(len(x), device=x.device)
        for restart in range(self.restarts):
            start = threat.rows(rows).start(x[rows], stream.child("restart", restart), index[rows])
            run = _Run(net, x[rows], target.rows(rows), threat.rows(rows), loss_of(self.loss), start)
            run.go(self.steps, self.rho)
            answer[rows] = run.best
            queries[rows] += run.queries
            dead[rows] |= run.dead
            rows = rows[~run.reached]
            if not len(rows):
                break
        return Found(answer, queries, dead)


def checkpoints(steps: int) -> list[int]:
    """The steps at which the step size is looked at: at shares 0, 0.22, and on by 0.03 less each, at least 0.06.

    >>> checkpoints(100)[:6]
    [0, 22, 41, 57, 70, 80]
    """
    shares = [0.0, 0.22]
    while shares[-1] < 1:
        shares.append(shares[-1] + max(shares[-1] - shares[-2] - 0.03, 0.06))
    return [-(-round(share * steps * 1e6) // 1_000_000) for share in shares if share <= 1]


class _Run:
    """One start: points, values and step sizes of all samples; fooled ones are held, not computed on."""

    def __init__(
        self, net: nn.Module, x: Tensor, target: Target, threat: Threat, loss: AttackLoss, start: Tensor
    ) -> None:
        self.net, self.x, self.target, self.threat = net, x, target, threat
        self.loss = targeted(loss) if target.towards else loss
        self.best, self.queries = start.clone(), torch.zeros_like(target.y)
        self.reached = torch.zeros_like(target.y, dtype=torch.bool)
        self.dead = self.reached.clone()

    def look(self, points: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Value, gradient, and whether the target is reached, at some samples' points."""
        own = self.target.rows(rows)
        points = points.detach().requires_grad_(True)
        z = self.net(points)
        seen = z.detach()
        value = self.loss.value(seen, own.y, own.z0)
        (gradient,) = torch.autograd.grad(z, points, self.loss.seed(seen, own.y, own.z0))
        self.queries[rows] += 1
        reached = own.reached(seen)
        dead = says_nothing(gradient)
        self.dead[rows] |= dead & ~reached
        return value, gradient.masked_fill(dead.reshape(-1, *[1] * (points.dim() - 1)), 0), reached

    def go(self, steps: int, rho: float) -> None:
        rows = torch.arange(len(self.x), device=self.x.device)
        eta = 2 * torch.as_tensor(self.threat.eps, dtype=self.x.dtype, device=self.x.device).expand(len(rows)).clone()
        now, before = self.best.clone(), self.best.clone()
        value, gradient, reached = self.look(now, rows)
        top, top_gradient = value.clone(), gradient.clone()
        marks, last, rises = set(checkpoints(steps)[1:]), 0, torch.zeros_like(value)
        top_then, eta_then = top.clone(), eta.clone()
        self.reached |= reached
        for k in range(1, steps + 1):
            keep = ~self.reached[rows]
            if not bool(keep.any()):
                return
            if not bool(keep.all()) and self.x.device.type == "cpu":
                rows, eta, now, before = rows[keep], eta[keep], now[keep], before[keep]
                value, gradient, top, top_gradient = value[keep], gradient[keep], top[keep], top_gradient[keep]
                rises, top_then, eta_then = rises[keep], top_then[keep], eta_then[keep]
            threat, x = self.threat.rows(rows), self.x[rows]
            wide = eta.reshape(-1, *[1] * (x.dim() - 1))
            ahead = threat.project(now + wide * threat.step(gradient), x)
            if k > 1:
                ahead = threat.project(now + 0.75 * (ahead - now) + 0.25 * (now - before), x)
            before, now = now, ahead
            previous = value
            value, gradient, reached = self.look(now, rows)
            rises += value > previous
            better = (value > top) | reached
            held = better & ~self.reached[rows]
            top = torch.where(better, value, top)
            pick = better.reshape(-1, *[1] * (x.dim() - 1))
            top_gradient = torch.where(pick, gradient, top_gradient)
            self.best[rows[held]] = now[held]
            self.reached[rows] |= reached
            if k in marks:
                stuck = (rises < rho * (k - last)) | ((eta == eta_then) & (top == top_then))
                eta_then, top_then = eta.clone(), top.clone()
                back = stuck.reshape(-1, *[1] * (x.dim() - 1))
                eta = torch.where(stuck, eta / 2, eta)
                best = self.best[rows]
                now, before = torch.where(back, best, now), torch.where(back, best, before)
                gradient = torch.where(back, top_gradient, gradient)
                value = torch.where(stuck, top, value)
                last, rises = k, torch.zeros_like(rises)

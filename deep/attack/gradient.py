"""Projected gradient ascent: the one inner loop of training and of evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from deep.attack.losses import AttackLoss
    from deep.attack.threat import Threat
    from deep.stream import Stream

    Stop = Callable[[Tensor, Tensor, Tensor], Tensor]

Start = Literal["uniform", "normal", "point"]

NEAR = 1e-3
"""The standard deviation of the "normal" start, that of the public TRADES code."""


@dataclass(frozen=True, slots=True, eq=False)
class Ascent:
    """Where an ascent ended: the points ``x``, how many gradients each sample took, and whether it met a dead zone.

    ``dead`` [B] marks samples whose gradient was exactly 0, or NaN, at some step, ``stopped`` [B] those that
    ``stop`` marked.
    With ``best``, or with a ``stop``, ``value`` [B] is the loss at ``x``; else None: the last point is not looked at.
    """

    x: Tensor
    queries: Tensor
    dead: Tensor
    stopped: Tensor
    value: Tensor | None = None


def ascend(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    loss: AttackLoss,
    threat: Threat,
    *,
    steps: int,
    step_size: float | Tensor,
    z0: Tensor | None = None,
    start: Start | Tensor = "uniform",
    stream: Stream | None = None,
    index: Tensor | None = None,
    best: bool = False,
    stop: Stop | None = None,
    revert: bool = False,
    momentum: float = 0.0,
) -> Ascent:
    """x <- project(x + step_size * steepest ascent direction), ``steps`` times, from a random point of the ball.

    ``model`` is looked at as it is; wrap the call in `deep.purity.untouched`. ``z0`` are its outputs at ``x``, computed
    here if they are not given. ``start`` is "uniform" in the ball, "normal" near the point (then ``stream`` and the
    sample numbers ``index`` are needed), the "point" itself, or points. ``step_size`` is one number or one a sample.

    With ``best`` the answer is the best of all points seen. ``stop(z, y, value)`` marks samples to be left where they
    are, or, with ``revert``, at the point before. ``momentum`` is that of MI-FGSM: gradients are divided by their l1
    norm and summed with this decay before the direction is taken.

    Without momentum a sample whose gradient is exactly 0 is at a fixed point: on the CPU it leaves the batch, so that
    a loss that is flat for most samples costs little. The iterates are those of the full batch, up to rounding.
    """
    if z0 is None:
        with torch.no_grad():
            z0 = model(x)
    moved = _started(x, start, threat, stream, index)
    run = _Run(x, y, z0, threat, step_size.to(x) if torch.is_tensor(step_size) else x.new_full((), step_size), moved)
    answer, n = moved.clone(), len(x)
    queries, dead = x.new_zeros(n, dtype=torch.long), x.new_zeros(n, dtype=torch.bool)
    stopped = torch.zeros_like(dead)
    value = x.new_full((n,), -torch.inf) if best or stop is not None else None
    rows = torch.arange(n, device=x.device)  # the samples that are still in the run
    velocity = torch.zeros_like(x) if momentum else None
    before, gone = moved, torch.zeros_like(dead)
    # On a GPU looking would cost more than it saves; a stack of networks needs its blocks of rows whole.
    shrinks = x.device.type == "cpu" and not getattr(model, "fixed_blocks", False)
    for k in range(steps + (value is not None)):
        last = k == steps
        with torch.set_grad_enabled(not last):
            moved = run.moved.detach().requires_grad_(not last)
            z = model(moved)
        seen, here = z.detach(), moved.detach()
        if value is not None:
            now = loss.value(seen, run.y, run.z0)
            kept = torch.zeros_like(gone)
            if stop is not None:
                stops = stop(seen, run.y, now) & ~gone
                stopped[rows] |= stops
                kept, gone = stops & (revert and k > 0), gone | stops
                here = torch.where(_like(kept, here), before, here)
            better = ~kept & ((now > value[rows]) if best else torch.ones_like(kept))
            value[rows] = torch.where(better, now, value[rows])
            answer[rows] = torch.where(_like(better, here), here, answer[rows])
        if last:
            break
        seed = loss.seed(seen, run.y, run.z0)
        (gradient,) = torch.autograd.grad(z, moved, seed)
        queries[rows] += 1
        zero = says_nothing(gradient)
        dead[rows] |= zero
        if velocity is not None:
            gradient = gradient.masked_fill(_like(zero, gradient), 0)
            scale = gradient.flatten(1).abs().sum(1).clamp(min=torch.finfo(x.dtype).tiny)
            velocity = momentum * velocity + gradient / scale.reshape(-1, *[1] * (x.dim() - 1))
            gradient = velocity
        else:
            gone = gone | zero
        before = here
        step = run.step * run.threat.step(gradient)
        run.moved = run.threat.project(here + step.masked_fill_(_like(gone, step), 0), run.x)
        if value is None:
            answer[rows] = run.moved
        if shrinks and bool(gone.any()):
            stay = (~gone).nonzero()[:, 0]
            if not len(stay):
                break
            rows, before, gone = rows[stay], before[stay], gone[stay]
            velocity = None if velocity is None else velocity[stay]
            run.keep(stay)
    return Ascent(answer, queries, dead, stopped, value)


def says_nothing(gradient: Tensor) -> Tensor:
    """[B, ...] -> bool [B]: whether a gradient is exactly 0, or NaN somewhere."""
    return ~(gradient.flatten(1).abs().sum(1) > 0)


class _Run:
    """What an ascent carries for each sample that is still in it."""

    def __init__(self, x: Tensor, y: Tensor, z0: Tensor, threat: Threat, step: Tensor, moved: Tensor) -> None:
        self.x, self.y, self.z0, self.threat, self.moved = x, y, z0, threat, moved
        self.step = step.reshape(-1, *[1] * (x.dim() - 1)) if step.dim() else step

    def keep(self, stay: Tensor) -> None:
        self.x, self.y, self.z0, self.moved = self.x[stay], self.y[stay], self.z0[stay], self.moved[stay]
        self.threat = self.threat.rows(stay)
        self.step = self.step[stay] if self.step.dim() else self.step


def _started(x: Tensor, start: Start | Tensor, threat: Threat, stream: Stream | None, index: Tensor | None) -> Tensor:
    if torch.is_tensor(start):
        return threat.project(start.to(x), x)
    if start == "point":
        return x.clone()
    if start not in ("uniform", "normal"):
        raise ValueError(f"start {start!r} is unknown; allowed are 'uniform', 'normal', 'point' and points")
    if stream is None or index is None:
        raise ValueError(f"start {start!r} is random; give a stream and the numbers of the samples")
    if start == "uniform":
        return threat.start(x, stream, index)
    return threat.project(x + NEAR * stream.normal(index, x.shape[1:]).to(x), x)


def _like(mask: Tensor, x: Tensor) -> Tensor:
    return mask.reshape(-1, *[1] * (x.dim() - 1))

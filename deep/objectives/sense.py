"""SENSE: the adversary goes no further than the reference model still trusts the label (SENSE, Section 4).

With the cross-entropy, "loss at most log(1/c)" says that the reference gives the true label a probability of at least
c. Each sample is in one of three stages (SENSE, before eq (5)): natural (the reference errs, or no step is allowed:
the point itself), reversed (the last point before a step too far) or full (all K steps). If the reference is the model
itself, c >= 1/2 and the maximum is exact, the loss of a sample is max(l(x), min(l(x_PGD), log(1/c))), which is eq (5).
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from deep.attack.gradient import ascend
from deep.attack.losses import CrossEntropy
from deep.attack.threat import Threat
from deep.objectives.method import Batch, Stateless, Statistics, check_attack
from deep.purity import inner, untouched
from deep.scores import cross_entropy, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from deep.stream import Stream

REFERENCES = ("current", "start")
REVERSIONS = ("break", "noise")


@dataclass(frozen=True, slots=True, eq=False)
class Sensible:
    """The sensible adversary's points ``x``, and in which stage each sample is: [B] masks of which one holds."""

    x: Tensor
    natural: Tensor
    reversed: Tensor
    full: Tensor


@dataclass(frozen=True, slots=True)
class SENSE:
    """min E CE(f(X_s), Y) with X_s the sensible adversary's point (SENSE, Definition 3, Algorithms 1 to 3).

    ``c`` in [0, 1] is one number, or one a sample, shape [B]: 1 is natural training, 0 attacks every sample that the
    reference has right. ``reference`` is the "current" model or the one at the "start" of the run, which stays as it
    was (naturally trained, as in Section 4; see Appendix H). ``reversion`` says what follows a step too far: "break"
    (Algorithm 1, for l2 Algorithm 2) or "noise" in the place of the next step (Algorithm 3, whose first step, not
    printed, is the gradient's). There is no random start. Steps have the length 2 eps / steps, SENSE's for CIFAR.

    Algorithm 1 as printed asks of x itself only that f(x) = y, and lets a sample of lower probability than c move if
    its first step gets it to c; with ``tests_start`` (Definition 3 with S = {x}, and eq (5)) such a sample stays.
    """

    eps: float
    c: float | Tensor = 0.5
    steps: int = 10
    step_size: float = 0.0
    ord: float = math.inf
    reference: str = "current"
    reversion: str = "break"
    tests_start: bool = False
    name: str = "sense"

    def __post_init__(self) -> None:
        object.__setattr__(self, "step_size", self.step_size or (2 * self.eps / max(self.steps, 1) or 1.0))
        check_attack(self.eps, self.steps, self.step_size)
        Threat(self.eps, self.ord)
        c = torch.as_tensor(self.c).flatten()
        bad = c[~((c >= 0) & (c <= 1))]
        if len(bad):
            raise ValueError(f"c {float(bad[0])} is out of range; allowed are probabilities, from 0 to 1")
        if self.reference not in REFERENCES:
            raise ValueError(f"reference {self.reference!r} is unknown; allowed are {' and '.join(REFERENCES)}")
        if self.reversion not in REVERSIONS:
            raise ValueError(f"reversion {self.reversion!r} is unknown; allowed are {' and '.join(REVERSIONS)}")

    def prepare(self, model: nn.Module, images: Any, stream: Stream) -> Stateless | Reference:  # noqa: ARG002
        return Reference(copy.deepcopy(inner(model))) if self.reference == "start" else Stateless()

    def loss(self, model: nn.Module, batch: Batch, state: Stateless | Reference) -> tuple[Tensor, Statistics]:
        found = self.find(model, batch, state.model if isinstance(state, Reference) else None)
        loss = cross_entropy(model(found.x), batch.y).mean()
        stages = {"natural": found.natural, "reversed": found.reversed, "full": found.full}
        return loss, {"loss": loss.detach(), **{name: stage.float().mean() for name, stage in stages.items()}}

    def find(self, model: nn.Module, batch: Batch, reference: nn.Module | None = None) -> Sensible:
        """The adversary's points for a batch; ``reference`` is the model itself if None."""
        if not torch.is_tensor(self.c) and self.c == 1:  # S is {x} but for rounding: no network is looked at
            none = torch.zeros_like(batch.y, dtype=torch.bool)
            return Sensible(batch.x, ~none, none, none)
        with untouched(inner(model)) as net:
            pair = net if reference is None else _Pair(net, reference)
            search = self._broken if self.reversion == "break" else self._noisy
            x, stopped = search(pair, batch, reference is not None)
        moved = (x != batch.x).flatten(1).any(1)
        return Sensible(x, stopped & ~moved, stopped & moved, ~stopped)

    def _limit(self, batch: Batch) -> Tensor:
        """log(1/c), [B]; for c = 1 below every loss."""
        c = torch.as_tensor(self.c, dtype=batch.x.dtype, device=batch.x.device).expand(len(batch.x))
        return torch.where(c == 1, -1.0, -c.log())

    def _broken(self, pair: nn.Module, batch: Batch, other: bool) -> tuple[Tensor, Tensor]:
        """Algorithms 1 and 2. The first look at the network also says whom it has right."""
        looks = 0

        def stop(z: Tensor, y: Tensor, excess: Tensor) -> Tensor:
            nonlocal looks
            looks += 1
            if looks > 1:
                return excess > 0
            errs = wrong(_judge(z, other), y)
            return errs | (excess > 0) if self.tests_start else errs

        found = ascend(
            pair, batch.x, batch.y, _Excess(other), batch.threat(self.eps, self.ord), steps=self.steps,
            step_size=self.step_size, z0=self._limit(batch)[:, None], start="point", stop=stop, revert=True,
        )  # fmt: skip
        return found.x, found.stopped

    def _noisy(self, pair: nn.Module, batch: Batch, other: bool) -> tuple[Tensor, Tensor]:
        """Algorithm 3: a step too far is taken back, and the next one is random, of at most the same length."""
        threat, limit, loss = batch.threat(self.eps, self.ord), self._limit(batch), _Excess(other)
        jump = Threat(self.step_size, self.ord, -math.inf, math.inf)
        here, origin = batch.x, torch.zeros_like(batch.x)
        step, allowed = origin, torch.zeros_like(batch.y, dtype=torch.bool)
        stopped = torch.zeros_like(allowed)
        for k in range(self.steps + 1):
            tried = threat.project(here + step, batch.x) if k else here
            tried = tried.detach().requires_grad_(k < self.steps)
            z = pair(tried)
            seen, tried = z.detach(), tried if k < self.steps else tried.detach()
            excess = loss.value(seen, batch.y, limit[:, None])
            if k == 0:
                allowed = ~wrong(_judge(seen, other), batch.y)
                allowed &= ~(excess > 0) | (not self.tests_start)
                stopped, taken = ~allowed, torch.ones_like(allowed)
            else:
                taken = allowed & ~(excess > 0)
                stopped |= ~taken
            here = torch.where(_like(taken, here), tried.detach(), here)
            if k < self.steps:
                (gradient,) = torch.autograd.grad(z, tried, loss.seed(seen, batch.y, limit[:, None]))
                noise = jump.start(origin, batch.stream.child("reversion", k), batch.index)
                step = torch.where(_like(taken, here), self.step_size * threat.step(gradient), noise)
        return here, stopped


class Reference:
    """A model that judges and is not trained; its weights are saved with the run."""

    per_sample: frozenset[str] = frozenset()

    def __init__(self, model: nn.Module) -> None:
        self.model = model.eval().requires_grad_(False)

    def tensors(self) -> Mapping[str, Tensor]:
        return self.model.state_dict()

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        self.model.load_state_dict(dict(tensors))


class _Pair(nn.Module):
    """The outputs of a network and, without gradients, those of its reference, side by side."""

    def __init__(self, net: nn.Module, reference: nn.Module) -> None:
        super().__init__()
        self.net, self.reference = net, reference
        self.fixed_blocks = getattr(net, "fixed_blocks", False)

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            judged = self.reference(x)
        return torch.cat([self.net(x), judged], 1)


@dataclass(frozen=True, slots=True)
class _Excess:
    """The reference's loss less log(1/c), which is given as ``z0`` [B, 1]; the seed is that of the model's loss."""

    other: bool

    def value(self, z: Tensor, y: Tensor, z0: Tensor) -> Tensor:
        return cross_entropy(_judge(z, self.other), y) - z0[:, 0]

    def seed(self, z: Tensor, y: Tensor, z0: Tensor) -> Tensor:
        if not self.other:
            return CrossEntropy().seed(z, y, z0)
        own = z[:, : z.shape[1] // 2]
        return torch.cat([CrossEntropy().seed(own, y, z0), torch.zeros_like(own)], 1)


def _judge(z: Tensor, other: bool) -> Tensor:
    """The outputs that count for the limit: those of the reference, where it is another network."""
    return z[:, z.shape[1] // 2 :] if other else z


def _like(mask: Tensor, x: Tensor) -> Tensor:
    return mask.reshape(-1, *[1] * (x.dim() - 1))


def clamped(natural: Tensor, attacked: Tensor, c: float) -> Tensor:
    """max(l(x), min(l(x_PGD), log(1/c))), the sensible loss by eq (5) for c >= 1/2 and exact maxima."""
    return torch.maximum(natural, attacked.clamp(max=math.inf if c == 0 else -math.log(c)))


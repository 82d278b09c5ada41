"""IAAT: a radius for every sample, its memory, which follows what an attack can still do (IAAT, Algorithms 1 and 2).

The rule is that of `theory.iaat`: with m the memory and "survives(eps)" for "the attack at eps leaves the prediction
right", the memory goes up by beta gamma if survives(m + gamma), stays if survives(m), and goes down by beta gamma
else. The printed (1 - beta) m + beta (m +- gamma) is that step. A radius below 0 is attacked at 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from deep.attack.gradient import ascend
from deep.attack.losses import CrossEntropy, targeted
from deep.attack.threat import Threat
from deep.objectives.method import Batch, Statistics, check_attack
from deep.purity import inner, untouched
from deep.scores import cross_entropy, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from deep.stream import Stream

SEARCHES = ("step", "line")


@dataclass(frozen=True, slots=True)
class IAAT:
    """min E CE(f(x_i + delta_i), y_i) with |delta_i| <= eps_i, eps_i a sample's own (IAAT, eq (2)).

    For ``warm_up`` epochs every radius is ``eps``, which also is the first memory, unless ``first`` is given. Then the
    memory makes a step by ``gamma`` (if not given 1.9/8 eps, as in Table 10) and ``beta``, and never falls below
    ``lower`` (0; None as printed; 4/255 on Imagenet), with attacks of ``selection_steps`` steps (if not given, those of
    training). With ``search`` "line" it is instead the greatest multiple of ``eta`` up to ``largest`` that survives
    (Section 5.2; 0 if none does; gamma and 2 eps, if not given). A sample that is wrong as it is survives nothing.

    With ``split`` samples that the model has wrong are trained on as they are (Algorithm 1, S-). ``targeted`` attacks
    aim at a random other label, as on Imagenet.

    Attacks start at random and take steps of 2.5 eps_i / steps, so that they can reach the radius that they test; the
    paper's fixed ``step_size`` of 2/255 reaches 20/255 in ten steps. A selecting attack stops where it succeeds.

    Raises ``ValueError`` for numbers out of range.
    """

    eps: float
    gamma: float | None = None
    beta: float = 0.1
    warm_up: int = 5
    lower: float | None = 0.0
    first: float | None = None
    steps: int = 10
    step_size: float = 0.0
    selection_steps: int | None = None
    search: str = "step"
    eta: float | None = None
    largest: float | None = None
    split: bool = True
    targeted: bool = False
    ord: float = math.inf
    name: str = "iaat"

    def __post_init__(self) -> None:
        check_attack(self.eps, self.steps, self.step_size or 1.0)
        check_attack(self.eps, self.steps if self.selection_steps is None else self.selection_steps, 1.0)
        Threat(self.eps, self.ord)
        for name, width in (("gamma", self._gamma), ("eta", self._eta), ("largest", self._largest)):
            if not 0 < width < math.inf:
                raise ValueError(f"{name} {width} is out of range; allowed are finite numbers above 0")
        if not 0 < self.beta <= 1:
            raise ValueError(f"beta {self.beta} is out of range; allowed are numbers above 0, up to 1")
        if self.warm_up < 0:
            raise ValueError(f"warm_up {self.warm_up} is out of range; allowed are numbers of epochs from 0")
        for name, value in (("lower", self.lower), ("first", self.first)):
            if value is not None and not 0 <= value < math.inf:
                raise ValueError(f"{name} {value} is out of range; allowed are finite numbers from 0, and None")
        if self.search not in SEARCHES:
            raise ValueError(f"search {self.search!r} is unknown; allowed are {' and '.join(SEARCHES)}")

    @property
    def _gamma(self) -> float:
        return 1.9 / 8 * self.eps if self.gamma is None else self.gamma

    @property
    def _eta(self) -> float:
        return self._gamma if self.eta is None else self.eta

    @property
    def _largest(self) -> float:
        return 2 * self.eps if self.largest is None else self.largest

    def prepare(self, model: nn.Module, images: Any, stream: Stream) -> Memory:  # noqa: ARG002
        first = self.eps if self.first is None else self.first
        return Memory(torch.full((len(images),), first, dtype=torch.float64, device=images.y.device), images.digest)

    def loss(self, model: nn.Module, batch: Batch, state: Memory) -> tuple[Tensor, Statistics]:
        with untouched(inner(model)) as net:
            with torch.no_grad():
                right = ~wrong(net(batch.x), batch.y)
            if batch.epoch < self.warm_up:
                radius = torch.full_like(state.eps[batch.index], self.eps)
                attacks = torch.zeros_like(radius)
            else:
                radius, attacks = self.select(net, batch, state.eps[batch.index], right)
                state.eps[batch.index] = radius
            rows = (right if self.split else torch.ones_like(right)).nonzero()[:, 0]
            moved = batch.x.clone()
            moved[rows] = self._attack(net, batch, rows, radius[rows], self.steps, "train", stop=False)
        loss = cross_entropy(model(moved), batch.y).mean()
        return loss, {
            "loss": loss.detach(), "eps": radius.mean(), "eps_deviation": radius.std(correction=0),
            "attacks": attacks.mean(), "right": right.double().mean(),
        }  # fmt: skip

    def select(self, net: nn.Module, batch: Batch, memory: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """The new radii of a batch and how many attacks each took (IAAT, Algorithm 2): [B], [B]. ``net`` is looked at
        as it is, ``right`` says what it has right without any attack.
        """
        rows = right.nonzero()[:, 0]
        attacks = torch.zeros_like(memory)
        if self.search == "line":
            radius = self._line(net, batch, rows, attacks)
        else:
            goes, stays = torch.zeros_like(right), torch.zeros_like(right)
            goes[rows] = self._survives(net, batch, rows, memory[rows] + self._gamma, "up")
            left = (right & ~goes).nonzero()[:, 0]
            stays[left] = self._survives(net, batch, left, memory[left], "stay")
            attacks[rows] += 1
            attacks[left] += 1
            step = goes.to(memory) - (~(goes | stays)).to(memory)
            radius = memory + step * (self.beta * self._gamma)
        return radius if self.lower is None else radius.clamp(min=self.lower), attacks

    def _line(self, net: nn.Module, batch: Batch, rows: Tensor, attacks: Tensor) -> Tensor:
        """The greatest multiple that survives, from the top down; smaller ones need no attack then."""
        found = torch.zeros_like(attacks)
        for i in range(int(self._largest / self._eta + 1e-9), 0, -1):
            if not len(rows):
                break
            radius = torch.full_like(found[rows], i * self._eta)
            survives = self._survives(net, batch, rows, radius, f"line {i}")
            attacks[rows] += 1
            found[rows[survives]] = i * self._eta
            rows = rows[~survives]
        return found

    def _survives(self, net: nn.Module, batch: Batch, rows: Tensor, radius: Tensor, which: str) -> Tensor:
        """Whether the attack at the radius leaves the prediction right."""
        if not len(rows):
            return torch.zeros(0, dtype=torch.bool, device=rows.device)
        steps = self.steps if self.selection_steps is None else self.selection_steps
        moved = self._attack(net, batch, rows, radius, steps, which, stop=not self.targeted)
        with torch.no_grad():
            return ~wrong(net(moved), batch.y[rows])

    def _attack(
        self, net: nn.Module, batch: Batch, rows: Tensor, radius: Tensor, steps: int, which: str, *, stop: bool
    ) -> Tensor:
        x, y, index = batch.x[rows], batch.y[rows], batch.index[rows]
        if not len(rows):
            return x
        eps = radius.clamp(min=0).to(x)
        loss = CrossEntropy()
        size = torch.full_like(eps, self.step_size) if self.step_size else 2.5 * eps / steps
        stream = batch.stream.child(which)
        ends = (lambda z, y, _: wrong(z, y)) if stop else None
        goal = self._goal(net, x, y, index, stream) if self.targeted else y
        # z0 is not asked for by the cross-entropy, and costs a pass if it is not given
        found = ascend(
            net, x, goal, targeted(loss) if self.targeted else loss, batch.threat(eps, self.ord), steps=steps,
            step_size=size, z0=x.new_zeros(len(x), 1), stream=stream, index=index, stop=ends,
        )  # fmt: skip
        return found.x

    def _goal(self, net: nn.Module, x: Tensor, y: Tensor, index: Tensor, stream: Stream) -> Tensor:
        """A random label other than y."""
        with torch.no_grad():
            classes = max(int(net(x[:1]).shape[1]), 2)
        goal: Tensor = (y + 1 + stream.child("label").integers(index, classes - 1)) % classes
        return goal


class Memory:
    """The radius of every sample, float64 [N], and the digest of the data set that they are of."""

    per_sample: frozenset[str] = frozenset({"eps"})

    def __init__(self, eps: Tensor, digest: str) -> None:
        self.eps = eps
        self.digest = torch.tensor(list(bytes.fromhex(digest)), dtype=torch.uint8)

    def tensors(self) -> Mapping[str, Tensor]:
        return {"eps": self.eps, "digest": self.digest}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take a memory over. Raises ``ValueError`` for one of another data set."""
        eps, digest = tensors["eps"], tensors["digest"].cpu()
        if len(eps) != len(self.eps) or not torch.equal(digest, self.digest):
            there, here = (bytes(d.tolist()).hex()[:12] for d in (digest, self.digest))
            raise ValueError(
                f"the memory holds radii of {len(eps)} samples of the data set {there}..., but this is {here}... with "
                f"{len(self.eps)}; train on the data that it was made with"
            )
        self.eps.copy_(eps)

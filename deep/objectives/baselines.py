"""The objectives that the papers compare with, and the regularisers of TRADES' Table 5.

Free adversarial training (Shafahi et al., 2019) is missing: it takes several steps of the optimizer on one batch, which
no objective can.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import torch

from deep.attack.losses import CrossEntropy
from deep.attack.threat import Threat
from deep.objectives.method import Batch, Stateless, Statistics, adversary, both, check_alone, check_attack
from deep.objectives.natural import default_step
from deep.objectives.trades import check_lam, kl
from deep.scores import cross_entropy

if TYPE_CHECKING:
    from torch import Tensor, nn

    from deep.attack.gradient import Start
    from deep.stream import Stream


class _Attacking(Protocol):
    @property
    def eps(self) -> float: ...
    @property
    def steps(self) -> int: ...
    @property
    def step_size(self) -> float: ...
    @property
    def ord(self) -> float: ...


@dataclass(frozen=True, slots=True)
class FGM:
    """min E CE(f(x'), Y) with x' one step of length ``reach`` eps from x, in l2 along the gradient over its length
    (PGN, Section 3.2; Goodfellow et al., 2015, with the sign in l-infinity). With the ``start`` "uniform" in the ball
    and a reach of 1.25 in l-infinity it is fast adversarial training (Wong et al., 2020).
    """

    eps: float
    ord: float = 2
    reach: float = 1.0
    start: Start = "point"
    name: str = "fgm-at"

    def __post_init__(self) -> None:
        check_attack(self.eps, 1, self.reach)
        Threat(self.eps, self.ord)

    @property
    def steps(self) -> int:
        return 1

    @property
    def step_size(self) -> float:
        return self.reach * self.eps or 1.0

    def prepare(self, model: nn.Module, images: Any, stream: Stream) -> Stateless:  # noqa: ARG002
        return Stateless()

    def loss(self, model: nn.Module, batch: Batch, state: Stateless) -> tuple[Tensor, Statistics]:  # noqa: ARG002
        loss = cross_entropy(model(_attacked(self, model, batch, self.start)), batch.y).mean()
        return loss, {"loss": loss.detach()}


@dataclass(frozen=True, slots=True)
class Mixture:
    """Of every batch a random part C is attacked, the rest A is not, and the loss is (SENSE, eq (12))

        [sum over A of CE(f(x), y) + weight sum over C of CE(f(x'), y)] / (|A| + weight |C|).

    With ``share`` 1/2 and ``weight`` 1 it is ODDS' half-half training (ODDS, Appendix B), with 0.3 the mixture of
    Kurakin et al. (2017). |C| is the nearest whole number to share B; several processes split their own rows.
    """

    eps: float
    share: float = 0.5
    weight: float = 1.0
    steps: int = 10
    step_size: float = 0.0
    ord: float = math.inf
    name: str = "half-half"

    def __post_init__(self) -> None:
        _settle(self)
        if not 0 <= self.share <= 1:
            raise ValueError(f"share {self.share} is out of range; allowed are parts of a batch, from 0 to 1")
        if not 0 < self.weight < math.inf:
            raise ValueError(f"weight {self.weight} is out of range; allowed are finite numbers above 0")

    def prepare(self, model: nn.Module, images: Any, stream: Stream) -> Stateless:  # noqa: ARG002
        check_alone(model, self.name)
        return Stateless()

    def loss(self, model: nn.Module, batch: Batch, state: Stateless) -> tuple[Tensor, Statistics]:  # noqa: ARG002
        rows = _shuffled(batch, "part")[: math.floor(self.share * len(batch.x) + 0.5)]
        x, weights = batch.x.clone(), torch.ones_like(batch.y, dtype=batch.x.dtype)
        if len(rows):
            part = replace(batch, x=batch.x[rows], y=batch.y[rows], index=batch.index[rows])
            x[rows], weights[rows] = _attacked(self, model, part), self.weight
        loss = (weights * cross_entropy(model(x), batch.y)).sum() / weights.sum()
        return loss, {"loss": loss.detach()}


@dataclass(frozen=True, slots=True)
class MixupAT:
    """Half the mixup loss of clean, half that of attacked samples (Lamb et al., 2019; IAAT, Appendix A.1).

    Sample i is mixed with a random other one j of the batch, t x_i + (1 - t) x_j with t uniform in (0, 1), one t a
    sample, and its loss is t CE(., y_i) + (1 - t) CE(., y_j).
    """

    eps: float
    steps: int = 10
    step_size: float = 0.0
    ord: float = math.inf
    name: str = "mixup-at"

    def __post_init__(self) -> None:
        _settle(self)

    def prepare(self, model: nn.Module, images: Any, stream: Stream) -> Stateless:  # noqa: ARG002
        check_alone(model, self.name)
        return Stateless()

    def loss(self, model: nn.Module, batch: Batch, state: Stateless) -> tuple[Tensor, Statistics]:  # noqa: ARG002
        order = _shuffled(batch, "partner")
        other = torch.empty_like(order)
        other[order] = order.roll(1)
        t = batch.stream.child("share").uniform(batch.index, ()).to(batch.x)
        column = t.reshape(-1, *[1] * (batch.x.dim() - 1))
        clean, moved = batch.x, _attacked(self, model, batch)
        mixed = [column * x + (1 - column) * x[other] for x in (clean, moved)]
        losses = [
            (t * cross_entropy(z, batch.y) + (1 - t) * cross_entropy(z, batch.y[other])).mean()
            for z in both(model, *mixed)
        ]
        loss = (losses[0] + losses[1]) / 2
        return loss, {"loss": loss.detach(), "natural": losses[0].detach(), "adversarial": losses[1].detach()}


@dataclass(frozen=True, slots=True)
class LabelRegularised:
    """CE(f(X), Y) + CE(f(x'), Y) / lam: the regulariser of [KGB17] in TRADES' Table 5, with x' by PGD as there."""

    eps: float
    lam: float | Tensor = 1.0
    steps: int = 10
    step_size: float = 0.0
    ord: float = math.inf
    name: str = "label-regularised"

    def __post_init__(self) -> None:
        _settle(self)
        check_lam(self.lam)

    def prepare(self, model: nn.Module, images: Any, stream: Stream) -> Stateless:  # noqa: ARG002
        return Stateless()

    def loss(self, model: nn.Module, batch: Batch, state: Stateless) -> tuple[Tensor, Statistics]:  # noqa: ARG002
        z, z_moved = both(model, batch.x, _attacked(self, model, batch))
        return _sum(cross_entropy(z, batch.y), cross_entropy(z_moved, batch.y) / self.lam)


@dataclass(frozen=True, slots=True)
class GradientRegularised:
    """CE(f(X), Y) + |grad_x CE(f(X), Y)|_2^2 / lam: the regulariser of [RDV17] in TRADES' Table 5 (Ross and
    Doshi-Velez, 2017). It needs no adversary.
    """

    lam: float | Tensor = 1.0
    name: str = "gradient-regularised"

    def __post_init__(self) -> None:
        check_lam(self.lam)

    def prepare(self, model: nn.Module, images: Any, stream: Stream) -> Stateless:  # noqa: ARG002
        return Stateless()

    def loss(self, model: nn.Module, batch: Batch, state: Stateless) -> tuple[Tensor, Statistics]:  # noqa: ARG002
        x = batch.x.detach().requires_grad_(True)
        natural = cross_entropy(model(x), batch.y)
        (gradient,) = torch.autograd.grad(natural.sum(), x, create_graph=True)
        return _sum(natural, gradient.flatten(1).square().sum(1) / self.lam)


@dataclass(frozen=True, slots=True)
class NoiseRegularised:
    """CE(f(X), Y) + KL(f(X) || f(X + noise)) / lam with normal noise of deviation ``sigma``: the stability training of
    [ZSLG16] in TRADES' Table 5 (Zheng et al., 2016). Noise that leaves the box is cut.
    """

    sigma: float
    lam: float | Tensor = 1.0
    name: str = "noise-regularised"

    def __post_init__(self) -> None:
        check_lam(self.lam)
        if not 0 <= self.sigma < math.inf:
            raise ValueError(f"sigma {self.sigma} is out of range; allowed are finite numbers from 0")

    def prepare(self, model: nn.Module, images: Any, stream: Stream) -> Stateless:  # noqa: ARG002
        return Stateless()

    def loss(self, model: nn.Module, batch: Batch, state: Stateless) -> tuple[Tensor, Statistics]:  # noqa: ARG002
        noise = batch.stream.child("noise").normal(batch.index, batch.x.shape[1:]).to(batch.x)
        z, z_moved = both(model, batch.x, (batch.x + self.sigma * noise).clamp(batch.low, batch.high))
        return _sum(cross_entropy(z, batch.y), kl(z, z_moved) / self.lam)


@dataclass(frozen=True, slots=True)
class ALP:
    """alpha CE(f(x'), Y) + (1 - alpha) CE(f(X), Y) + |f(X) - f(x')|_2^2 / lam: adversarial logit pairing (Kannan et
    al., 2018), as TRADES has it, whose norm without a square is read as a square (TRADES, Section 4).
    """

    eps: float
    lam: float | Tensor = 1.0
    alpha: float = 0.5
    steps: int = 10
    step_size: float = 0.0
    ord: float = math.inf
    name: str = "alp"

    def __post_init__(self) -> None:
        _settle(self)
        check_lam(self.lam)
        if not 0 <= self.alpha <= 1:
            raise ValueError(f"alpha {self.alpha} is out of range; allowed are numbers from 0 to 1")

    def prepare(self, model: nn.Module, images: Any, stream: Stream) -> Stateless:  # noqa: ARG002
        return Stateless()

    def loss(self, model: nn.Module, batch: Batch, state: Stateless) -> tuple[Tensor, Statistics]:  # noqa: ARG002
        z, z_moved = both(model, batch.x, _attacked(self, model, batch))
        natural = (1 - self.alpha) * cross_entropy(z, batch.y)
        robust = self.alpha * cross_entropy(z_moved, batch.y)
        return _sum(natural, robust + (z - z_moved).square().sum(1) / self.lam)


def _settle(method: _Attacking) -> None:
    """The step size, if none is given; then the checks of an attack."""
    object.__setattr__(method, "step_size", method.step_size or default_step(method.eps, method.steps))
    check_attack(method.eps, method.steps, method.step_size)
    Threat(method.eps, method.ord)


def _attacked(method: _Attacking, model: nn.Module, batch: Batch, start: Start = "uniform") -> Tensor:
    """PGD's points on the label. The cross-entropy asks for no outputs at the clean points, so none are computed."""
    return adversary(
        model, batch, CrossEntropy(), batch.threat(method.eps, method.ord), steps=method.steps,
        step_size=method.step_size, start=start, z0=batch.x.new_zeros(len(batch.x), 1),
    )  # fmt: skip


def _shuffled(batch: Batch, name: str) -> Tensor:
    """The rows of a batch in a random order."""
    return batch.stream.child(name).uniform(batch.index, ()).argsort(stable=True)


def _sum(natural: Tensor, other: Tensor) -> tuple[Tensor, Statistics]:
    loss = (natural + other).mean()
    return loss, {"loss": loss.detach(), "natural": natural.detach().mean(), "adversarial": other.detach().mean()}

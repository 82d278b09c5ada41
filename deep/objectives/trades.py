"""TRADES: the natural loss plus the price of answers that change within the ball (TRADES, eqs (3) and (5)).

`TRADES` is eq (5) for several classes. `BinaryTRADES` is eq (3) for one score, in which lam stands inside of phi, and
`CertifiedTRADES` puts a certificate in the place of its attack. For the hinge the gradient of phi(f(x') f(x) / lam) is
exactly 0 wherever f(x') f(x) > lam: there the printed attack never leaves its start. Every non-increasing phi has the
same maximiser, the x' of least f(x') sign f(x), and ``adversary="margin"`` looks for that one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from deep.attack.losses import KL, MARGIN_TO_SELF, AttackLoss, Surrogate
from deep.objectives.method import (
    Batch,
    Stateless,
    Statistics,
    adversary,
    both,
    check_attack,
    evaluated,
    outputs,
    same_in_training,
)
from deep.objectives.natural import default_step
from deep.purity import inner
from deep.scores import cross_entropy, signs, two_class
from deep.surrogates import phi

if TYPE_CHECKING:
    from torch import Tensor, nn

    from deep.stream import Stream


def kl(z0: Tensor, z: Tensor) -> Tensor:
    """[B, K], [B, K] -> [B]: KL(softmax(z0) || softmax(z)) with finite gradients in both, where a softmax entry
    underflows too. (By way of log(p0 / p) the gradient in p0 is NaN there.)
    """
    log_p, log_q = two_class(z0).log_softmax(1), two_class(z).log_softmax(1)
    return (log_p.exp() * (log_p - log_q)).sum(1)


def soft_cross_entropy(z0: Tensor, z: Tensor) -> Tensor:
    """[B, K], [B, K] -> [B]: -sum_k softmax(z0)_k log softmax(z)_k = kl + the entropy at z0."""
    return -(two_class(z0).softmax(1) * two_class(z).log_softmax(1)).sum(1)


DIVERGENCES = {"kl": kl, "ce": soft_cross_entropy}


@dataclass(frozen=True, slots=True)
class TRADES:
    """min E CE(f(X), Y) + max L(f(X), f(x')) / lam over the ball (TRADES, eq (5)); the public code's beta is 1 / lam.

    L is KL(f(X) || f(x')) as in the public code ("kl"), or the printed cross-entropy ("ce"), which differs by the
    entropy of f(X): the same attack, another gradient. ``lam`` is a number, or one a sample, shape [B].
    """

    eps: float
    lam: float | Tensor = 1.0
    steps: int = 10
    step_size: float = 0.0
    ord: float = math.inf
    divergence: str = "kl"
    name: str = "trades"

    def __post_init__(self) -> None:
        object.__setattr__(self, "step_size", self.step_size or default_step(self.eps, self.steps))
        check_attack(self.eps, self.steps, self.step_size)
        check_lam(self.lam)
        if self.divergence not in DIVERGENCES:
            raise ValueError(f"divergence {self.divergence!r} is unknown; allowed are {', '.join(DIVERGENCES)}")

    def prepare(self, model: nn.Module, images: Any, stream: Stream) -> Stateless:  # noqa: ARG002
        return Stateless()

    def loss(self, model: nn.Module, batch: Batch, state: Stateless) -> tuple[Tensor, Statistics]:  # noqa: ARG002
        z = model(batch.x) if same_in_training(model) else None
        z0 = outputs(model, batch.x) if z is None else z.detach()
        moved = adversary(
            model, batch, KL(), batch.threat(self.eps, self.ord), steps=self.steps, step_size=self.step_size,
            start="normal", z0=z0,
        )  # fmt: skip
        z, z_moved = both(model, batch.x, moved) if z is None else (z, model(moved))
        natural = cross_entropy(z, batch.y)
        robust = DIVERGENCES[self.divergence](z, z_moved) / self.lam
        return _sum(natural, robust)


@dataclass(frozen=True, slots=True)
class BinaryTRADES:
    """min E phi(f(X) Y) + max phi(f(X) f(x') / lam) over the ball, for one score (TRADES, eq (3)).

    ``adversary`` is "phi", the printed one, which ascends phi and may stand in a dead zone, or "margin", which needs
    neither phi nor lam. ``lam`` is a number, or one a sample, shape [B].
    """

    eps: float
    lam: float | Tensor = 1.0
    steps: int = 20
    step_size: float = 0.0
    ord: float = math.inf
    surrogate: str = "hinge"
    adversary: str = "phi"
    name: str = "binary-trades"

    def __post_init__(self) -> None:
        object.__setattr__(self, "step_size", self.step_size or default_step(self.eps, self.steps))
        check_attack(self.eps, self.steps, self.step_size)
        check_lam(self.lam)
        phi(self.surrogate)
        if self.adversary not in ("phi", "margin"):
            raise ValueError(f"adversary {self.adversary!r} is unknown; allowed are 'phi' and 'margin'")

    def prepare(self, model: nn.Module, images: Any, stream: Stream) -> Stateless:  # noqa: ARG002
        return Stateless()

    def loss(self, model: nn.Module, batch: Batch, state: Stateless) -> tuple[Tensor, Statistics]:  # noqa: ARG002
        price = phi(self.surrogate)
        z = model(batch.x) if same_in_training(model) else None
        z0 = outputs(model, batch.x) if z is None else z.detach()
        check_one_score(z0)
        # phi(f(x') f(x) / lam): the attack is given f(x) / lam as the outputs at the clean points
        ascended: AttackLoss = Surrogate(price) if self.adversary == "phi" else MARGIN_TO_SELF
        seen = z0 / _column(self.lam) if self.adversary == "phi" else z0
        moved = adversary(
            model, batch, ascended, batch.threat(self.eps, self.ord), steps=self.steps, step_size=self.step_size,
            start="normal", z0=seen,
        )  # fmt: skip
        z, z_moved = both(model, batch.x, moved) if z is None else (z, model(moved))
        natural = price(z[:, 0] * signs(batch.y))
        robust = price(z[:, 0] * z_moved[:, 0] / self.lam)
        return _sum(natural, robust)


@dataclass(frozen=True, slots=True)
class CertifiedTRADES:
    """min E phi(f(X) Y) + phi(|f(X)| l(X) / lam), with l <= sign f(X) f(x') on the ball by interval bounds.

    Since phi does not increase, the second term is at least the maximum that an attack looks for. Over the first
    ``ramp`` of the run the radius grows from 0 to eps, and the weight of the second term from 0 to 1: at a radius near
    0 the term asks for |f| >= sqrt(lam) whatever the label, and a constant score grants it. The bound is of the network
    as it is evaluated, so both terms are: there is no dropout.
    """

    eps: float
    lam: float | Tensor = 1.0
    surrogate: str = "hinge"
    ramp: float = 0.5
    name: str = "certified-trades"

    def __post_init__(self) -> None:
        check_attack(self.eps, 1, 1.0)
        check_lam(self.lam)
        phi(self.surrogate)
        if not 0 <= self.ramp <= 1:
            raise ValueError(f"ramp {self.ramp} is out of range; allowed are shares of the run, from 0 to 1")

    def prepare(self, model: nn.Module, images: Any, stream: Stream) -> Stateless:  # noqa: ARG002
        return Stateless()

    def loss(self, model: nn.Module, batch: Batch, state: Stateless) -> tuple[Tensor, Statistics]:  # noqa: ARG002
        from deep.certify import ibp

        price = phi(self.surrogate)
        share = min(1.0, batch.progress / self.ramp) if self.ramp else 1.0
        z = evaluated(model, batch.x)
        check_one_score(z)
        lower, upper = ibp(inner(model), batch.x, share * self.eps, batch.low, batch.high)
        f, least = z[:, 0], torch.where(z > 0, lower, -upper)[:, 0]
        natural = price(f * signs(batch.y))
        robust = share * price(least * f.abs() / self.lam)
        return _sum(natural, robust)


def check_lam(lam: float | Tensor) -> None:
    """Raises ``ValueError`` unless every lam is positive."""
    values = torch.as_tensor(lam)
    if not bool((values > 0).all()):
        raise ValueError(f"lam {lam} is out of range; allowed are numbers above 0")


def check_one_score(z: Tensor) -> None:
    """Raises ``ValueError`` for a network with several outputs, where the objective is of one score."""
    if z.shape[1] != 1:
        raise ValueError(f"the network has {z.shape[1]} outputs; the binary objective is of one score f(x)")


def _column(lam: float | Tensor) -> float | Tensor:
    return lam[:, None] if torch.is_tensor(lam) and lam.dim() else lam


def _sum(natural: Tensor, robust: Tensor) -> tuple[Tensor, Statistics]:
    loss = (natural + robust).mean()
    return loss, {"loss": loss.detach(), "natural": natural.detach().mean(), "adversarial": robust.detach().mean()}

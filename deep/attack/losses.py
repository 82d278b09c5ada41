"""What attacks ascend: a value per sample of the outputs, and its gradient in the outputs.

``value(z, y, z0)`` is [B] for outputs ``z`` [B, K] at the moved points, labels ``y`` [B] and outputs ``z0`` at the
clean points; ``seed`` is its gradient in z, [B, K]. One backward pass through the network from the seed is all that an
attack step costs, and a sample whose seed is exactly 0 stays where it is under any gradient method: a fixed point.

Every loss takes networks of one output (a binary score) and of many, two included, except that DLR needs three.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import torch
import torch.nn.functional as F

from deep.scores import cross_entropy, margin, predicted, two_class
from deep.surrogates import phi
from theory.loss import LOSSES as SURROGATES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor


class AttackLoss(Protocol):
    """A loss to ascend."""

    def value(self, z: Tensor, y: Tensor, z0: Tensor) -> Tensor: ...

    def seed(self, z: Tensor, y: Tensor, z0: Tensor) -> Tensor: ...


@dataclass(frozen=True, slots=True)
class OfOutputs:
    """Any loss by a formula in the outputs; the seed is autograd's, through the formula alone."""

    name: str
    formula: Callable[[Tensor, Tensor, Tensor], Tensor]

    def value(self, z: Tensor, y: Tensor, z0: Tensor) -> Tensor:
        return self.formula(z, y, z0)

    def seed(self, z: Tensor, y: Tensor, z0: Tensor) -> Tensor:
        with torch.enable_grad():
            z = z.detach().requires_grad_(True)
            (seed,) = torch.autograd.grad(self.formula(z, y, z0).sum(), z, allow_unused=True)
        return torch.zeros_like(z) if seed is None else seed


@dataclass(frozen=True, slots=True)
class CrossEntropy:
    """-log softmax(z)_y; its seed softmax(z) - onehot(y)."""

    name: str = "ce"

    def value(self, z: Tensor, y: Tensor, z0: Tensor) -> Tensor:  # noqa: ARG002
        return cross_entropy(z, y)

    def seed(self, z: Tensor, y: Tensor, z0: Tensor) -> Tensor:  # noqa: ARG002
        p = two_class(z).softmax(1)
        return _one_output(p - F.one_hot(y, p.shape[1]), z)


@dataclass(frozen=True, slots=True)
class KL:
    """KL(softmax(z0) || softmax(z)); its seed softmax(z) - softmax(z0). Finite where a probability underflows, too."""

    name: str = "kl"

    def value(self, z: Tensor, y: Tensor, z0: Tensor) -> Tensor:  # noqa: ARG002
        log_p, log_q = two_class(z0).log_softmax(1), two_class(z).log_softmax(1)
        return (log_p.exp() * (log_p - log_q)).sum(1)

    def seed(self, z: Tensor, y: Tensor, z0: Tensor) -> Tensor:  # noqa: ARG002
        return _one_output(two_class(z).softmax(1) - two_class(z0).softmax(1), z)


def _one_output(seed: Tensor, z: Tensor) -> Tensor:
    """Of the two logits (0, f) only f moves."""
    return seed[:, 1:] if z.shape[1] == 1 else seed


@dataclass(frozen=True, slots=True)
class Surrogate:
    """phi(f(x') f(x) / lam) of one output, as TRADES' objective (3) has it, with f(x) / lam given as ``z0``.

    For a non-increasing phi its maximiser is that of `MARGIN_TO_SELF`, but a phi that is flat beyond some margin has a
    zero seed there: a dead zone, in which no gradient attack moves.
    """

    phi: Callable[[Tensor], Tensor]
    name: str = "surrogate"

    def value(self, z: Tensor, y: Tensor, z0: Tensor) -> Tensor:  # noqa: ARG002
        _one_score(z, self.name)
        return self.phi(z[:, 0] * z0[:, 0])

    def seed(self, z: Tensor, y: Tensor, z0: Tensor) -> Tensor:
        return OfOutputs(self.name, self.value).seed(z, y, z0)


def _one_score(z: Tensor, name: str) -> None:
    if z.shape[1] != 1:
        raise ValueError(f"the loss {name!r} is of one score f(x), but the network has {z.shape[1]} outputs")


def _dlr(z: Tensor, y: Tensor, z0: Tensor) -> Tensor:  # noqa: ARG001
    """-(z_y - max of the others) / (z_(1) - z_(3)) (Croce and Hein, 2020)."""
    if z.shape[1] < 3:
        raise ValueError(f"the loss 'dlr' needs three classes or more, not two ({z.shape[1]} outputs); use 'margin'")
    top = z.topk(3, dim=1).values
    return -margin(z, y) / (top[:, 0] - top[:, 2]).clamp(min=1e-12)


def _towards_other(z: Tensor, y: Tensor, z0: Tensor) -> Tensor:  # noqa: ARG001
    own = predicted(z0)
    return -margin(z, own)


MARGIN = OfOutputs("margin", lambda z, y, z0: -margin(z, y))
"""Minus the margin on the true label: max of the others minus z_y, the loss of Carlini and Wagner without its hinge."""

MARGIN_TO_SELF = OfOutputs("margin-to-self", _towards_other)
"""Minus the margin on the label that the network gives the clean point: of one output -sign(f(x)) f(x'), the maximiser
of phi(f(x') f(x) / lam) for every non-increasing phi and lam at once, without a dead zone (TRADES, eq (3))."""

LOSSES: Mapping[str, AttackLoss] = MappingProxyType(
    {
        "ce": CrossEntropy(),
        "kl": KL(),
        "margin": MARGIN,
        "margin-to-self": MARGIN_TO_SELF,
        "cw": OfOutputs("cw", lambda z, y, z0: -margin(z, y).clamp(min=0)),
        "dlr": OfOutputs("dlr", _dlr),
        "hinge": OfOutputs("hinge", lambda z, y, z0: (1 - margin(z, y)).clamp(min=0)),
        "logistic": OfOutputs("logistic", lambda z, y, z0: F.softplus(-margin(z, y))),
    }
)
"""The losses by name. "hinge" and "cw" are flat where the margin is beyond 1, and below 0: dead zones on purpose."""


def loss_of(loss: str | AttackLoss) -> AttackLoss:
    """A loss by name, or itself. The margin losses phi of `theory.loss` are known too, as phi(margin).

    Raises ``ValueError`` for an unknown name.

    >>> loss_of("exponential").value(torch.tensor([[-1.0]]), torch.tensor([1]), torch.zeros(1, 1)).round(decimals=4)
    tensor([2.7183])
    """
    if not isinstance(loss, str):
        return loss
    if loss in LOSSES:
        return LOSSES[loss]
    if loss not in SURROGATES:
        known = ", ".join(dict.fromkeys([*LOSSES, *SURROGATES]))
        raise ValueError(f"attack loss {loss!r} is unknown; allowed are {known}")
    price = phi(loss)
    return OfOutputs(loss, lambda z, y, z0: price(margin(z, y)))


def targeted(loss: AttackLoss) -> AttackLoss:
    """The loss of an attack towards the labels given as y: minus the loss on them."""
    return _Targeted(loss)


@dataclass(frozen=True, slots=True)
class _Targeted:
    loss: AttackLoss

    def value(self, z: Tensor, y: Tensor, z0: Tensor) -> Tensor:
        return -self.loss.value(z, y, z0)

    def seed(self, z: Tensor, y: Tensor, z0: Tensor) -> Tensor:
        return -self.loss.seed(z, y, z0)


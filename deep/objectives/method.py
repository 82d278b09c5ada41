"""What a method is to the training loop: a loss of a batch, and a state that is saved with the network."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import nn

from deep.attack.gradient import ascend
from deep.attack.threat import Threat
from deep.purity import evaluation_mode, inner, untouched

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from deep.attack.gradient import Start
    from deep.attack.losses import AttackLoss
    from deep.stream import Stream

Statistics = dict[str, "Tensor"]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Some samples: ``x`` in the box [``low``, ``high``], labels ``y``, their numbers ``index`` in the data set, where
    the run is (``epoch`` from 0, ``progress`` in [0, 1) of all steps), and the ``stream`` of this step.
    """

    x: Tensor
    y: Tensor
    index: Tensor
    epoch: int
    progress: float
    stream: Stream
    low: float = 0.0
    high: float = 1.0

    def threat(self, eps: float | Tensor, ord: float = math.inf) -> Threat:
        """The ball of that radius around the samples, within their box."""
        return Threat(eps, ord, self.low, self.high)


class State(Protocol):
    """What a method remembers between steps, as tensors to be saved; those named in ``per_sample`` have shape [N, ...]
    and belong, sample by sample, to the process that trains on the sample.

    A state that talks to the other processes in every step has a method ``idle()``, too: it is called in the place of
    the loss where a process has no sample of a batch.
    """

    per_sample: frozenset[str]

    def tensors(self) -> Mapping[str, Tensor]: ...

    def load(self, tensors: Mapping[str, Tensor]) -> None: ...


class Stateless:
    """Nothing to remember."""

    per_sample: frozenset[str] = frozenset()

    def tensors(self) -> Mapping[str, Tensor]:
        return {}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        if tensors:
            raise ValueError(f"the checkpoint holds a state ({', '.join(tensors)}), but this method has none")


class Method(Protocol):
    """An objective: a frozen choice with a name, a state for a run, and the loss of a batch.

    ``loss`` answers the mean over the batch, to be differentiated, and statistics (scalars, detached) for the log. It
    may change the state. ``model`` may be a wrapper of distributed training: attacks look at ``inner(model)``, and the
    wrapper is called once.
    """

    @property
    def name(self) -> str: ...

    def prepare(self, model: nn.Module, images: Any, stream: Stream) -> State: ...

    def loss(self, model: nn.Module, batch: Batch, state: Any) -> tuple[Tensor, Statistics]: ...


def adversary(
    model: nn.Module,
    batch: Batch,
    loss: AttackLoss,
    threat: Threat,
    *,
    steps: int,
    step_size: float | Tensor,
    start: Start | Tensor = "uniform",
    z0: Tensor | None = None,
    y: Tensor | None = None,
) -> Tensor:
    """The adversary's points for a batch: `ascend` on the network as it is evaluated, which is left untouched."""
    with untouched(inner(model)) as net:
        found = ascend(
            net, batch.x, batch.y if y is None else y, loss, threat, steps=steps, step_size=step_size, start=start,
            stream=batch.stream.child("start"), index=batch.index, z0=z0,
        )  # fmt: skip
    return found.x


def outputs(model: nn.Module, x: Tensor) -> Tensor:
    """What the network answers in evaluation, without gradients: [B, K]."""
    with untouched(inner(model)) as net, torch.no_grad():
        answer: Tensor = net(x)
    return answer


def evaluated(model: nn.Module, x: Tensor) -> Tensor:
    """The outputs of the network as it is evaluated (no dropout, running statistics), with gradients."""
    with evaluation_mode(model):
        answer: Tensor = model(x)
    return answer


def both(model: nn.Module, x: Tensor, moved: Tensor) -> tuple[Tensor, Tensor]:
    """The outputs at clean and at moved points, with gradients.

    Two passes, as the public codes do (each has batch statistics of its own); one pass over both where the network is
    wrapped for distributed training, which allows one call a step.
    """
    if inner(model) is model:
        return model(x), model(moved)
    z: Tensor = model(torch.cat([x, moved]))
    return z[: len(x)], z[len(x) :]


def same_in_training(model: nn.Module) -> bool:
    """Whether training and evaluation mode answer alike, so that one pass serves the loss and the attack."""
    moody = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.modules.batchnorm._BatchNorm)
    return inner(model) is model and not any(isinstance(module, moody) for module in model.modules())


def check_alone(model: nn.Module, name: str) -> None:
    """Raises ``ValueError`` for a stack of networks, where a method looks at a batch as one whole."""
    if getattr(inner(model), "runs", 1) > 1:
        raise ValueError(f"{name} looks at each batch as a whole, which a stack cannot; train the networks one by one")


def check_attack(eps: float, steps: int, step_size: float) -> None:
    """Raises ``ValueError`` for a radius, a number of steps or a step size that makes no attack."""
    if not 0 <= eps < float("inf"):
        raise ValueError(f"eps {eps} is out of range; allowed are finite numbers from 0")
    if steps < 1:
        raise ValueError(f"steps {steps} is out of range; an attack takes at least one step")
    if not 0 < step_size < float("inf"):
        raise ValueError(f"step_size {step_size} is out of range; allowed are finite numbers above 0")

"""PGN: the classifier against a network that makes perturbations (PGN, Section 3).

Classifier F and generator G play min over F, max over G of E[CE(F(x_adv), y) - c |x_adv - x|^2], in steps that take
turns: the gradient image, a step of G with its own Adam, a step of F on the examples of the new G. The cost is that of
the perturbation (PGN, Appendix A), not of G's output as eq (4) prints: with the box of eq (5) the two differ, and
``penalty="output"`` is the printed one.

The box is eq (5): x_adv = (tanh(artanh(2x - 1) + G) + 1)/2 in [0, 1], with 2x - 1 kept 1e-6 away from -1 and 1, where
artanh ends; over all of R^d it is x + G.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F

from deep import distributed
from deep.architectures import generator
from deep.attack.engine import Found
from deep.objectives.method import Batch, Statistics, check_alone
from deep.purity import inner, untouched
from deep.scores import cross_entropy, two_class

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from deep.attack.engine import Target
    from deep.attack.threat import Threat
    from deep.stream import Stream

EDGE = 1e-6
"""How near to the ends 2x - 1 may be before artanh, as in the code of Carlini and Wagner."""

PENALTIES = ("perturbation", "output")
CLASSIFIERS = ("trained", "fixed")


@dataclass(frozen=True, slots=True)
class PGN:
    """min over F, max over G of E[CE(F(x + G(grad, x, y)), y) - c |perturbation|_2^2] (PGN, eq (4), repaired).

    ``cost`` is c_L. ``gradient``, ``image`` and ``label`` switch the generator's inputs (PGN, Appendix D): one that is
    off is 0. The gradient image is that of the probability of the true label. ``rate`` is the rate of G's Adam,
    ``width`` and ``hidden`` its size (`deep.architectures.generator`; None: the paper's for images, 64 for points).
    With ``classifier`` "fixed" only G learns, an attack on the network as it is: `GeneratorAttack`.

    The moving average of F's weights, 0.998 in the paper, is the recipe's.
    """

    cost: float = 50.0
    rate: float = 5e-4
    gradient: bool = True
    image: bool = True
    label: bool = True
    penalty: str = "perturbation"
    classifier: str = "trained"
    width: int = 128
    hidden: int | None = None
    name: str = "pgn"

    def __post_init__(self) -> None:
        if not 0 < self.cost < math.inf:
            raise ValueError(f"cost {self.cost} is out of range; allowed are finite numbers above 0")
        if not 0 < self.rate < math.inf:
            raise ValueError(f"rate {self.rate} is out of range; allowed are finite numbers above 0")
        if self.penalty not in PENALTIES:
            raise ValueError(f"penalty {self.penalty!r} is unknown; allowed are {' and '.join(PENALTIES)}")
        if self.classifier not in CLASSIFIERS:
            raise ValueError(f"classifier {self.classifier!r} is unknown; allowed are {' and '.join(CLASSIFIERS)}")

    def prepare(self, model: nn.Module, images: Any, stream: Stream) -> Generator:
        check_alone(model, self.name)
        with torch.random.fork_rng([]), torch.device("cpu"):
            torch.default_generator.manual_seed(stream.child("generator").seed)
            hidden = self.hidden or (1024 if len(images.shape) == 3 else 64)
            network = generator(images.shape, images.classes, width=self.width, hidden=hidden)
        network.to(next(inner(model).parameters()).device)
        distributed.world().alike(network)
        inputs = (self.gradient, self.image, self.label)
        return Generator(network, inputs, images.classes, self.rate, images.low, images.high)

    def loss(self, model: nn.Module, batch: Batch, state: Generator) -> tuple[Tensor, Statistics]:
        _ = batch.epoch  # G's Adam counts its steps outside of a CUDA graph: a captured step is refused here
        with untouched(inner(model)) as net:
            inputs = state.inputs_of(net, batch.x, batch.y)
            output = state.network(*inputs)
            moved = state.box(batch.x, output)
            gain = cross_entropy(net(moved), batch.y)
            cost = _squared(output if self.penalty == "output" else moved - batch.x)
            value = (gain - self.cost * cost).mean()
            state.step(-value, len(batch.x))
            with torch.no_grad():
                after = state.box(batch.x, state.network(*inputs))
        found = {"game": value.detach(), "l2": (after - batch.x).flatten(1).norm(dim=1).mean()}
        if self.classifier == "fixed":
            nothing = sum((p.flatten()[:1].sum() * 0 for p in inner(model).parameters()), start=batch.x.new_zeros(()))
            return nothing, {"loss": nothing.detach(), **found}
        loss = cross_entropy(model(after), batch.y).mean()
        return loss, {"loss": loss.detach(), **found}


class Generator:
    """A generator, which of its inputs it sees, its box and its Adam; saved and resumed with the run."""

    per_sample: frozenset[str] = frozenset()

    def __init__(
        self, network: nn.Module, seen: tuple[bool, bool, bool], classes: int, rate: float, low: float, high: float
    ) -> None:
        self.network, self.seen, self.classes, self.low, self.high = network, seen, classes, low, high
        self.optimizer = torch.optim.Adam(network.parameters(), lr=rate)

    def inputs_of(self, net: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The gradient image, the image and the label in one-hot, zero where they are switched off."""
        gradient = gradient_image(net, x, y) if self.seen[0] else torch.zeros_like(x)
        label = F.one_hot(y, self.classes).to(x)
        return gradient, x * self.seen[1], label * self.seen[2]

    def box(self, x: Tensor, output: Tensor) -> Tensor:
        """x_adv (PGN, eq (5)): in the box for every output, and x itself, but for ``EDGE``, for 0."""
        if not math.isfinite(self.low) or not math.isfinite(self.high):
            return x + output
        size = self.high - self.low
        share = ((x - self.low) / size).clamp(EDGE / 2, 1 - EDGE / 2)
        return (self.low + size * torch.sigmoid(share.logit() + 2 * output)).clamp(self.low, self.high)

    def __call__(self, net: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        """The generator's examples; ``net`` is looked at as it is."""
        inputs = self.inputs_of(net, x, y)
        with torch.no_grad():
            return self.box(x, self.network(*inputs))

    def step(self, loss: Tensor, rows: int) -> None:
        """A step of Adam down the loss, a mean over so many rows, on all processes' rows together."""
        self.optimizer.zero_grad(set_to_none=True)
        parameters = list(self.network.parameters())
        for parameter, grad in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = grad
        self._together(rows)

    def idle(self) -> None:
        """The step of a process that has no sample of a batch."""
        for parameter in self.network.parameters():
            parameter.grad = torch.zeros_like(parameter)
        self._together(0)

    def _together(self, rows: int) -> None:
        world, parameters = distributed.world(), list(self.network.parameters())
        if world.size > 1:
            count = world.average(parameters, torch.ones(()), rows)
            for parameter in parameters:
                parameter.grad = parameter.grad / count if parameter.grad is not None else None
        self.optimizer.step()

    def tensors(self) -> Mapping[str, Tensor]:
        found = {f"network/{name}": value for name, value in self.network.state_dict().items()}
        for k, entry in self.optimizer.state_dict()["state"].items():
            found |= {f"adam/{k}/{name}": value for name, value in entry.items()}
        return found

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take a generator over. Raises ``ValueError`` for one of another shape."""
        parts: dict[str, dict[str, Tensor]] = {"network": {}, "adam": {}}
        for key, value in tensors.items():
            kind, _, name = key.partition("/")
            parts[kind][name] = value
        here = self.network.state_dict()
        for name in here.keys() | parts["network"].keys():
            shapes = [tuple(part[name].shape) if name in part else None for part in (parts["network"], here)]
            if shapes[0] != shapes[1]:
                raise ValueError(
                    f"the generator's {name} has the shape {shapes[0]} there and {shapes[1]} here; build it for the "
                    "same images, with the same width and hidden"
                )
        self.network.load_state_dict(parts["network"])
        parameters = list(self.network.parameters())
        self.optimizer.state.clear()
        for key, value in parts["adam"].items():
            k, _, name = key.partition("/")
            self.optimizer.state[parameters[int(k)]][name] = value.cpu() if name == "step" else value.clone()


@dataclass(frozen=True, slots=True, eq=False)
class GeneratorAttack:
    """A trained generator as an attack for `deep.attack.attack`: one gradient image and one pass of the generator.

    It has no radius of its own; given one, its point is brought into the ball. ``scale`` multiplies the perturbation,
    so that the accuracy can be drawn over the norm (PGN, Figure 3). Untargeted only.
    """

    generator: Generator
    scale: float = 1.0
    name: str = "PGN"

    def find(
        self, net: nn.Module, x: Tensor, target: Target, threat: Threat | None, stream: Stream, index: Tensor
    ) -> Found:
        del threat, stream, index
        if target.towards:
            raise ValueError("PGN's generator perturbs away from a label; give no targets")
        own = self.generator
        moved = own(net, x, target.y)
        moved = moved if self.scale == 1 else (x + self.scale * (moved - x)).clamp(own.low, own.high)
        return Found(moved, torch.ones_like(target.y), torch.zeros_like(target.y, dtype=torch.bool))


def gradient_image(net: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """The gradient in x of F(x)_y, the probability of the label y (PGN, Section 3.1); the same shape as ``x``."""
    with torch.enable_grad():
        x = x.detach().requires_grad_(True)
        probability = two_class(net(x)).softmax(1).gather(1, y[:, None])
        (gradient,) = torch.autograd.grad(probability.sum(), x)
    return gradient


def _squared(v: Tensor) -> Tensor:
    return v.flatten(1).square().sum(1)

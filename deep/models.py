"""Networks by name: the small ones of the TRADES code, a linear model, multi-layer perceptrons, and those of
`deep.architectures`.

Every network is a chain of layers, here standard ones that certificates can walk through; it maps [B, *shape] to
[B, outputs].
One output is a real score of a binary problem, K >= 2 are logits. Images come in [0, 1]: normalisation is the network's
first layer.

>>> model = build("net", shape=(1, 28, 28), outputs=10, seed=0)
>>> parameter_count(model), tuple(model(torch.zeros(2, 1, 28, 28)).shape)
(21840, (2, 10))
"""

from __future__ import annotations

import contextlib
import math
from collections import OrderedDict
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from deep import architectures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Tensor

    Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network but for its weights: what a checkpoint says of it in JSON.

    ``normalise`` is None or (means, deviations), a number each or one a channel. ``options`` are the builder's own.
    """

    name: str
    shape: Shape
    outputs: int
    options: dict[str, Any] = field(default_factory=dict)
    normalise: tuple[Any, Any] | None = None

    def build(self, seed: int = 0) -> Model:
        """The network with its first weights, a function of the seed; torch's global random state is left alone.

        Raises ``ValueError`` for an unknown name or option, and a shape or a number of outputs that does not suit.
        """
        builder = BUILDERS.get(self.name)
        if builder is None:
            raise ValueError(f"model {self.name!r} is unknown; allowed are {', '.join(BUILDERS)}")
        if self.outputs < 1 or not self.shape or min(self.shape) < 1:
            raise ValueError(f"a model from {self.shape} to {self.outputs} outputs is none; allowed are numbers from 1")
        with _seeded(seed):
            try:
                layers = builder(self.shape, self.outputs, **self.options)
            except TypeError as error:
                if "unexpected keyword" not in str(error):
                    raise
                raise ValueError(f"model {self.name!r} has no such option: {error}") from None
        first = [("normalise", Normalise(*self.normalise))] if self.normalise else []
        model = Model(OrderedDict([*first, *layers]))
        model.architecture = self
        return model

    def to_json(self) -> dict[str, Any]:
        """Its fields as JSON values."""
        normalise = None if self.normalise is None else [_numbers(part) for part in self.normalise]
        return {**asdict(self), "shape": list(self.shape), "normalise": normalise}

    @staticmethod
    def from_json(fields: Mapping[str, Any]) -> Architecture:
        """The architecture of which these are the fields."""
        normalise = fields["normalise"] and tuple(fields["normalise"])
        return Architecture(**{**fields, "shape": tuple(fields["shape"]), "normalise": normalise})


class Model(nn.Sequential):
    """A chain of layers that knows what it is."""

    architecture: Architecture


def build(
    name: str, *, shape: Sequence[int], outputs: int, seed: int = 0, normalise: tuple[Any, Any] | None = None,
    **options: Any,
) -> Model:  # fmt: skip
    """The network of `Architecture`, built.

    >>> parameter_count(build("linear", shape=(2,), outputs=1))
    3
    """
    return Architecture(name, tuple(shape), outputs, options, normalise).build(seed)


def parameter_count(model: nn.Module) -> int:
    """How many numbers are trained."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


class Normalise(nn.Module):
    """x -> (x - mean) / deviation, channel by channel where these are sequences; constants, not trained."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, mean: float | Sequence[float], deviation: float | Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("mean", _per_channel(mean))
        self.register_buffer("deviation", _per_channel(deviation))
        if not bool((self.deviation > 0).all()):
            raise ValueError(f"deviation {deviation} is out of range; allowed are numbers above 0")

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.deviation


def _per_channel(values: float | Sequence[float]) -> Tensor:
    tensor = torch.as_tensor(values, dtype=torch.float32)
    return tensor.reshape(-1, 1, 1) if tensor.dim() else tensor


def _numbers(values: Any) -> Any:
    return list(values) if isinstance(values, list | tuple) else values


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """The CPU's global generator seeded, and put back afterwards."""
    generator = torch.default_generator
    state = generator.get_state()
    generator.manual_seed(seed)
    try:
        with torch.device("cpu"):
            yield
    finally:
        generator.set_state(state)


# ---- the networks ----


def _net(shape: Shape, outputs: int) -> list[tuple[str, nn.Module]]:
    """`Net` of the TRADES code, `Net_binary` with one output: two convolutions, two dense layers, dropout.

    Images below 16 pixels a side, such as the 8 x 8 digits, are too small for its 5 x 5 kernels without padding; they
    get 3 x 3 kernels with padding 1.
    """
    channels, height, width = _image(shape, "net")
    small = min(height, width) < 16
    kernel, padding = (3, 1) if small else (5, 0)
    side = [_pooled(_pooled(n, kernel, padding), kernel, padding) for n in (height, width)]
    return [
        ("conv1", nn.Conv2d(channels, 10, kernel, padding=padding)), ("pool1", nn.MaxPool2d(2)), ("relu1", nn.ReLU()),
        ("conv2", nn.Conv2d(10, 20, kernel, padding=padding)), ("drop1", nn.Dropout2d(0.5)),
        ("pool2", nn.MaxPool2d(2)), ("relu2", nn.ReLU()), ("flatten", nn.Flatten()),
        ("fc1", nn.Linear(20 * math.prod(side), 50)), ("relu3", nn.ReLU()), ("drop2", nn.Dropout(0.5)),
        ("fc2", nn.Linear(50, outputs)),
    ]  # fmt: skip


def _small_cnn(shape: Shape, outputs: int, dropout: float = 0.5) -> list[tuple[str, nn.Module]]:
    """`SmallCNN` of the TRADES code: four 3 x 3 convolutions, three dense layers; the last starts at zero.

    Images below 16 pixels a side get padding 1.
    """
    channels, height, width = _image(shape, "small-cnn")
    padding = 1 if min(height, width) < 16 else 0
    # The first convolution of a pair takes 2 - 2 padding pixels; the second is followed by the pooling.
    side = [height, width]
    for _ in range(2):
        side = [_pooled(n - 2 + 2 * padding, 3, padding) for n in side]
    layers: list[tuple[str, nn.Module]] = [
        ("conv1", nn.Conv2d(channels, 32, 3, padding=padding)), ("relu1", nn.ReLU()),
        ("conv2", nn.Conv2d(32, 32, 3, padding=padding)), ("relu2", nn.ReLU()), ("pool1", nn.MaxPool2d(2)),
        ("conv3", nn.Conv2d(32, 64, 3, padding=padding)), ("relu3", nn.ReLU()),
        ("conv4", nn.Conv2d(64, 64, 3, padding=padding)), ("relu4", nn.ReLU()), ("pool2", nn.MaxPool2d(2)),
        ("flatten", nn.Flatten()), ("fc1", nn.Linear(64 * math.prod(side), 200)), ("relu5", nn.ReLU()),
        ("drop", nn.Dropout(dropout)), ("fc2", nn.Linear(200, 200)), ("relu6", nn.ReLU()),
    ]  # fmt: skip
    for _, layer in layers:
        if isinstance(layer, nn.Conv2d) and layer.bias is not None:
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    last = nn.Linear(200, outputs)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return [*layers, ("fc3", last)]


def _mlp(shape: Shape, outputs: int, width: int = 64, depth: int = 2) -> list[tuple[str, nn.Module]]:
    """``depth`` hidden layers of ``width`` rectified units; inputs of any shape are flattened."""
    if width < 1 or depth < 0:
        raise ValueError(f"width {width} and depth {depth} are out of range; allowed are from 1, and from 0, up")
    layers: list[tuple[str, nn.Module]] = [("flatten", nn.Flatten())]
    size = math.prod(shape)
    for k in range(1, depth + 1):
        layers += [(f"fc{k}", nn.Linear(size, width)), (f"relu{k}", nn.ReLU())]
        size = width
    return [*layers, (f"fc{depth + 1}", nn.Linear(size, outputs))]


def _linear(shape: Shape, outputs: int) -> list[tuple[str, nn.Module]]:
    """w . x + b, for inputs of any shape."""
    return _mlp(shape, outputs, depth=0)


def _image(shape: Shape, name: str) -> tuple[int, int, int]:
    if len(shape) != 3 or min(shape[1:]) < 4:
        raise ValueError(f"model {name!r} takes images (C, H, W) from 4 x 4 pixels, not {shape}; mlp and linear do")
    return shape[0], shape[1], shape[2]


def _pooled(n: int, kernel: int, padding: int) -> int:
    """The side of an image after a convolution and 2 x 2 pooling."""
    return (n + 2 * padding - kernel + 1) // 2


BUILDERS: dict[str, Callable[..., list[tuple[str, nn.Module]]]] = {
    "net": _net,
    "small-cnn": _small_cnn,
    "mlp": _mlp,
    "linear": _linear,
    **architectures.BUILDERS,
}
"""Builders of layers by the name of the network: (shape, outputs, **options) -> named layers."""

"""A trained network as the exact function of its weights: what the theory's engine takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from theory.relu import ReluNetwork

if TYPE_CHECKING:
    from collections.abc import Iterator

_IDENTITY = (nn.Flatten, nn.Identity, nn.Dropout)


def relu_network(model: nn.Module, inputs: int | None = None) -> ReluNetwork:
    """The network of fully connected layers and ReLU with one output, its float32 weights taken as they are.

    Training and attacks run it in float32; its risks are those of the same weights in real arithmetic.

    >>> from deep.models import build
    >>> relu_network(build("mlp", shape=(2,), outputs=1, width=3, depth=2))
    ReluNetwork(2-3-3-1)

    Raises ``ValueError`` for a layer of another kind (which it names), layers in another order, several outputs,
    weights that are not finite, and where ``inputs``, the dimension of the law, is not the network's.
    """
    layers: list[tuple[object, object]] = []
    open_ = True  # whether a linear layer may follow
    for module in _chain(model):
        if isinstance(module, nn.Linear) and open_:
            weight = module.weight.detach().cpu()
            bias = weight.new_zeros(len(weight)) if module.bias is None else module.bias.detach().cpu()
            layers.append((weight.numpy(), bias.numpy()))
            open_ = False
        elif isinstance(module, nn.ReLU) and not open_:
            open_ = True
        elif not isinstance(module, _IDENTITY):
            raise ValueError(
                f"layer {module} is not supported here; exact risks are those of Linear layers with ReLU between them"
            )
    if open_ and layers:
        raise ValueError("the network ends with a ReLU, so its score has one sign; the last layer must be Linear")
    network = ReluNetwork(layers)  # type: ignore[arg-type]
    if inputs is not None and network.dim != inputs:
        raise ValueError(f"the network has {network.dim} inputs, but the law lives in dimension {inputs}")
    return network


def _chain(model: nn.Module) -> Iterator[nn.Module]:
    if isinstance(model, nn.Sequential):
        for module in model:
            yield from _chain(module)
    else:
        yield model

"""A network as a list of the operations a certificate understands.

A model is traced symbolically (torch.fx), so it may be an ``nn.Sequential``, a module with a ``forward`` of its own,
residual sums ``x + body(x)`` and arithmetic with constants (a normalisation) among them. What has no rule here is
named in a sentence. Parameters are looked up at every use: one `Network` serves a whole training run.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import fx, nn

from deep.certify.layers import Add, AveragePool, BatchNorm, Constant, Conv, Dense, Layer, MaxPool, Relu, Reshape
from deep.purity import evaluation_mode, inner

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

KNOWN = (
    "Linear, Conv2d, ReLU, MaxPool2d, AvgPool2d, AdaptiveAvgPool2d, BatchNorm1d, BatchNorm2d, Flatten, Dropout, "
    "Identity, sums of two branches, and + - * / with a constant"
)
_IDENTITY = (nn.Dropout, nn.Dropout2d, nn.Identity)
_LEAVES = (
    nn.Linear, nn.Conv2d, nn.ReLU, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.BatchNorm1d, nn.BatchNorm2d,
    nn.Flatten, *_IDENTITY,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Node:
    """One operation, applied to the values of earlier nodes (number 0 is the input)."""

    layer: Layer
    inputs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """The operations of a model in the order of evaluation; value 0 is the input, value i + 1 that of node i."""

    nodes: tuple[Node, ...]

    @property
    def output(self) -> int:
        return len(self.nodes)


def network(model: nn.Module | Network) -> Network:
    """The operations of a model, of its evaluation mode (dropout is the identity, statistics are the running ones).

    >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> [type(node.layer).__name__ for node in network(model).nodes]
    ['Dense', 'Relu', 'Dense']

    Raises ``TypeError`` for an operation without a rule.
    """
    if isinstance(model, Network):
        return model
    root = nn.Sequential(inner(model))
    if (chain := _chain(root)) is not None:
        reader = _Reader(root)
        for module in chain:
            reader.module(module, len(reader.nodes))
        return Network(tuple(reader.nodes))
    try:
        with evaluation_mode(root):
            graph = _Tracer().trace(root)
    except Exception as error:  # whatever the model's own code raises when it meets a symbol
        raise TypeError(
            f"{type(model).__name__} cannot be read symbolically ({error}); a certificate needs a forward without "
            "branches on values"
        ) from error
    return _Reader(root).read(graph)


def _chain(model: nn.Module) -> list[nn.Module] | None:
    """The layers of nested chains of known ones, which need no tracing; None for anything else."""
    if _known(model):
        return [model]
    if type(model).forward is not nn.Sequential.forward:
        return None
    parts = [_chain(child) for child in model]  # type: ignore[attr-defined]
    return None if None in parts else [layer for part in parts if part for layer in part]


def _known(module: nn.Module) -> bool:
    """Whether it is one of the layers, and no kind of its own that computes something else."""
    return any(isinstance(module, kind) and type(module).forward is kind.forward for kind in _LEAVES)


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:  # noqa: ARG002
        return _known(m)


class _Reader:
    """Turns fx nodes into ours; ``place`` says which of our values (or which constant) an fx node is."""

    def __init__(self, root: nn.Module) -> None:
        self.root = root
        self.nodes: list[Node] = []
        self.place: dict[fx.Node, int] = {}
        self.constants: dict[fx.Node, tuple[nn.Module, str]] = {}

    def read(self, graph: fx.Graph) -> Network:
        for node in graph.nodes:
            if node.op == "placeholder":
                if self.place:
                    raise TypeError(f"the model takes a second input {node.name!r}; a certificate knows one")
                self.place[node] = 0
            elif node.op == "get_attr":
                owner, _, name = node.target.rpartition(".")
                self.constants[node] = (self.root.get_submodule(owner), name)
            elif node.op == "output":
                last = self.place.get(node.args[0])
                if last is None:
                    raise TypeError("the model does not return one tensor; a certificate needs outputs of shape [B, K]")
                if last != len(self.nodes):
                    self.add(Reshape(None), last)
            elif node.op == "call_module":
                self.place[node] = self.module(self.root.get_submodule(node.target), self.place[node.args[0]])
            else:
                self.place[node] = self.function(node)
        return Network(tuple(self.nodes))

    def add(self, layer: Layer, *inputs: int) -> int:
        self.nodes.append(Node(layer, inputs))
        return len(self.nodes)

    def module(self, module: nn.Module, x: int) -> int:
        if isinstance(module, _IDENTITY):
            return x
        if isinstance(module, nn.Flatten):
            if (module.start_dim, module.end_dim) != (1, -1):
                raise TypeError(f"{module} has no certificate; allowed is Flatten(1, -1)")
            return self.add(Reshape((-1,)), x)
        layers: dict[type[nn.Module], Callable[[Any], Layer]] = {
            nn.Linear: Dense, nn.Conv2d: Conv, nn.ReLU: lambda _: Relu(), nn.MaxPool2d: MaxPool.of,
            nn.AvgPool2d: AveragePool.of, nn.AdaptiveAvgPool2d: AveragePool.of,
            nn.BatchNorm1d: BatchNorm, nn.BatchNorm2d: BatchNorm,
        }  # fmt: skip
        return self.add(next(make for kind, make in layers.items() if isinstance(module, kind))(module), x)

    def function(self, node: fx.Node) -> int:
        name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
        target, args = node.target, node.args
        known = [self.place.get(a) if isinstance(a, fx.Node) else None for a in args]
        if target in (operator.add, operator.iadd, torch.add, "add", "add_"):
            if None not in known and len(known) == 2 and not node.kwargs:
                return self.add(Add(), *(k for k in known if k is not None))
            return self.arithmetic("add", node)
        signs = {operator.sub: "sub", torch.sub: "sub", operator.mul: "mul", torch.mul: "mul", operator.truediv: "div",
                 torch.div: "div"}  # fmt: skip
        if target in signs or target in ("sub", "mul", "div"):
            return self.arithmetic(target if isinstance(target, str) else signs[target], node)
        x = known[0] if known else None
        if x is not None:
            if target in (F.relu, torch.relu, "relu", "relu_"):
                return self.add(Relu(), x)
            if target == "contiguous" or (target is F.dropout and not node.kwargs["training"]):
                return x
            if target in (torch.flatten, "flatten") and [*args[1:], *node.kwargs.values()] in ([1], [1, -1]):
                return self.add(Reshape((-1,)), x)
            if target in ("view", "reshape", torch.reshape):
                shape = args[1:] if not isinstance(args[1], tuple | list) else tuple(args[1])
                if len(shape) == 2 and self.is_batch(shape[0]) and shape[1] == -1:
                    return self.add(Reshape((-1,)), x)
            pools: dict[Any, Any] = {F.max_pool2d: MaxPool, F.avg_pool2d: AveragePool,
                                     F.adaptive_avg_pool2d: AveragePool}  # fmt: skip
            if target in pools:
                return self.add(pools[target].call(target, args[1:], node.kwargs), x)
            if (target == "size" and tuple(args[1:]) == (0,)) or (target is getattr and args[1] == "shape"):
                return -1
        if target is operator.getitem and known[0] == -1 and args[1] == 0:
            return -1
        raise TypeError(f"{name} ({node.format_node()}) has no certificate; known are {KNOWN}")

    def is_batch(self, value: object) -> bool:
        return isinstance(value, fx.Node) and self.place.get(value) == -1

    def arithmetic(self, sign: str, node: fx.Node) -> int:
        """x op constant, or constant + x, constant * x, constant - x."""
        first, second = node.args[:2]
        swapped = not (isinstance(first, fx.Node) and first in self.place)
        x, other = (second, first) if swapped else (first, second)
        inner_value = self.place.get(x) if isinstance(x, fx.Node) else None
        constant: tuple[nn.Module, str] | float | None = None
        if isinstance(other, fx.Node):
            constant = self.constants.get(other)
        elif isinstance(other, int | float):
            constant = float(other)
        if inner_value is None or inner_value < 0 or constant is None or node.kwargs or (swapped and sign == "div"):
            raise TypeError(f"{node.format_node()} has no certificate; known are {KNOWN}")
        return self.add(Constant(sign, constant, swapped), inner_value)


def values(net: Network, x: Tensor) -> list[Tensor]:
    """The values of all nodes at the points x, in x's number type: what a sound bound must enclose."""
    found = [x]
    for node in net.nodes:
        found.append(node.layer.value(*(found[i] for i in node.inputs)))
    return found

"""A small network in exact arithmetic: its value at a point, and its outputs as affine forms of its units."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import torch

from deep.certify.layers import Add, Affine, AveragePool, BatchNorm, Constant, Relu, Reshape
from deep.certify.network import network

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor, nn

    from deep.certify.layers import Layer
    from deep.certify.network import Network


@dataclass(frozen=True, slots=True)
class Form:
    """The affine form constant + sum of coefficient times variable."""

    coefficients: dict[int, Fraction]
    constant: Fraction

    def __add__(self, other: Form) -> Form:
        return combine([(Fraction(1), self), (Fraction(1), other)], Fraction(0))

    def __sub__(self, other: Form) -> Form:
        return combine([(Fraction(1), self), (Fraction(-1), other)], Fraction(0))

    def at(self, point: Sequence[Fraction]) -> Fraction:
        """Its value where variable i is point[i]."""
        return sum((c * point[i] for i, c in self.coefficients.items()), self.constant)


def combine(parts: list[tuple[Fraction, Form]], constant: Fraction) -> Form:
    """The sum of weighted forms and a constant."""
    total: dict[int, Fraction] = {}
    for weight, form in parts:
        constant += weight * form.constant
        for i, c in form.coefficients.items():
            total[i] = total.get(i, Fraction(0)) + weight * c
    return Form({i: c for i, c in total.items() if c}, constant)


@torch.no_grad()
def outputs(model: nn.Module, point: Sequence[Fraction], shape: tuple[int, ...]) -> list[Fraction]:
    """f(point) in exact arithmetic with the stored parameters; the point is flat, ``shape`` that of one input.

    >>> layer = torch.nn.Linear(2, 1)
    >>> with torch.no_grad():
    ...     _ = layer.weight.copy_(torch.tensor([[0.5, -2.0]])), layer.bias.zero_()
    >>> outputs(layer, [Fraction(1, 3), Fraction(1, 5)], (2,))
    [Fraction(-7, 30)]

    Raises ``TypeError`` for a layer other than an affine one with rational parameters, ReLU, Flatten and sums.
    """
    start = [Form({}, p) for p in point]
    device = next((p.device for p in model.parameters()), None)
    relu = lambda _, form: Form({}, max(form.constant, Fraction(0)))  # noqa: E731
    forms = through(network(model), start, shape, relu, device)
    return [form.constant for form in forms[-1]]


def through(
    net: Network,
    start: list[Form],
    shape: tuple[int, ...],
    unit: Callable[[tuple[int, int], Form], Form],
    device: torch.device | None = None,
) -> list[list[Form]]:
    """All values of the network as forms; ``unit((node, entry), form)`` is what a ReLU makes of its input.

    ``device`` is where the network is.
    """
    values, shapes = [start], [torch.Size(shape)]
    for i, node in enumerate(net.nodes, 1):
        layer, x = node.layer, values[node.inputs[0]]
        before = shapes[node.inputs[0]]
        if isinstance(layer, Affine):
            rows, bias, after = matrix(layer, before, device)
            values.append([combine([(w, x[j]) for j, w in row], b) for row, b in zip(rows, bias, strict=True)])
            shapes.append(after)
            continue
        if isinstance(layer, Relu):
            values.append([unit((i, j), form) for j, form in enumerate(x)])
        elif isinstance(layer, Add):
            values.append([a + b for a, b in zip(x, values[node.inputs[1]], strict=True)])
        elif isinstance(layer, Reshape):
            values.append(x)
        else:
            raise TypeError(f"{type(layer).__name__} has no exact evaluation; {_KNOWN}")
        shapes.append(before if not isinstance(layer, Reshape) or layer.shape is None else torch.Size([before.numel()]))
    return values


_KNOWN = "known are Linear, Conv2d, ReLU, AvgPool2d, Flatten, sums, and arithmetic with constants"


@torch.no_grad()
def matrix(
    layer: Layer, shape: torch.Size, device: torch.device | None = None
) -> tuple[list[list[tuple[int, Fraction]]], list[Fraction], torch.Size]:
    """W by its non-zero entries in each row, b, and the shape of the outputs, exactly.

    W e_i in float64 has one product a row, so its entries are the stored parameters; where a layer divides, the entry
    is the reciprocal of a known number.
    """
    if not isinstance(layer, Affine) or isinstance(layer, BatchNorm):
        raise TypeError(f"{type(layer).__name__} has no exact evaluation; {_KNOWN}")
    n = shape.numel()
    unit: Tensor = torch.eye(n, dtype=torch.float64, device=device).reshape(n, *shape)
    out = layer.product(unit, classical=True)
    after = out.shape[1:]
    exact: Callable[[float, int], Fraction] = lambda w, _: Fraction(w)  # noqa: E731
    if isinstance(layer, AveragePool):
        exact = lambda w, _: Fraction(1, round(1 / w))  # noqa: E731
    elif isinstance(layer, Constant) and layer.sign == "div":
        divisor = layer.number(unit).expand(1, *after).flatten().tolist()
        exact = lambda _, row: 1 / Fraction(divisor[row])  # noqa: E731
    rows = [
        [(j, exact(w, i)) for j, w in enumerate(row) if w] for i, row in enumerate(out.reshape(n, -1).T.tolist())
    ]
    b = layer.bias(unit)
    bias = [Fraction(0)] * len(rows)
    if b is not None:
        bias = [Fraction(v) for v in b.expand(1, *after).flatten().tolist()]
    return rows, bias, after

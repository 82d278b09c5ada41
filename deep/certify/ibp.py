"""Interval bounds for training: fast, differentiable, and not rounded outwards.

A layer takes the centre c and radius r of its inputs to W c + b and |W| r: two passes in place of one. Claims rest on
`deep.certify.bounds`; these are the same bounds up to float32 rounding, for a gradient to act on.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Self

import torch

from deep.certify.layers import Add, Affine, BatchNorm, Constant, Dense, Layer, Reshape
from deep.certify.network import network
from deep.stack import Stack

if TYPE_CHECKING:
    from torch import Tensor, nn

    from deep.certify.network import Network

    State = tuple[Tensor, Tensor]


def ibp(
    model: nn.Module | Network,
    x: Tensor,
    radius: float | Tensor,
    low: float = 0.0,
    high: float = 1.0,
    *,
    ord: float = math.inf,
) -> State:
    """Lower and upper bounds [B, K] of the outputs over the ball around x [B, ...] cut with [low, high].

    ``model`` may be a `deep.stack.Stack` of several. ``radius`` is a number or one a sample, [B]. For ``ord`` 2 the
    first linear or convolutional layer moves by at most radius times the l2 norm of its rows (Cauchy-Schwarz); from
    there on intervals are propagated as ever.

    >>> from torch import nn
    >>> layer = nn.Linear(2, 1)
    >>> with torch.no_grad():
    ...     _ = layer.weight.copy_(torch.tensor([[1.0, -2.0]])), layer.bias.zero_()
    >>> [bound.item() for bound in ibp(layer, torch.tensor([[0.5, 0.5]]), 0.25)]
    [-1.25, 0.25]
    """
    if isinstance(model, Stack):
        radii = torch.as_tensor(radius, dtype=x.dtype, device=x.device).expand(len(x))
        found: State = model.map(lambda one, part, r: ibp(one, part, r, low, high, ord=ord), x, radii)
        return found
    net = network(model)
    return _ends(_states(net, x, radius, low, high, ord)[net.output])


def ibp_margins(
    model: nn.Module | Network,
    x: Tensor,
    y: Tensor,
    radius: float | Tensor,
    low: float = 0.0,
    high: float = 1.0,
    *,
    ord: float = math.inf,
) -> Tensor:
    """Lower bounds [B, K] of z_y - z_k over the ball, the last linear layer merged with the difference; 0 at k = y.

    With one output, [B, 1]: a lower bound of (2y - 1) f. Cross-entropy at the worst logits, which training minimises
    (Gowal et al., 2018), is ``cross_entropy(-ibp_margins(...), y)``.
    """
    if isinstance(model, Stack):
        radii = torch.as_tensor(radius, dtype=x.dtype, device=x.device).expand(len(x))
        found: Tensor = model.map(lambda one, xs, ys, r: ibp_margins(one, xs, ys, r, low, high, ord=ord), x, y, radii)
        return found
    net = network(model)
    states = _states(net, x, radius, low, high, ord)
    lower, upper = _ends(states[net.output])
    if lower.shape[1] == 1:
        return torch.where((y > 0)[:, None], lower, -upper)
    last = net.nodes[-1]
    if isinstance(last.layer, Dense):
        c, r = _center(states[last.inputs[0]])
        w = last.layer.module.weight
        # sum_j |w_yj - w_kj| r_j as one product over classes y, then the row of the label
        spread = torch.einsum("bj,ykj->byk", r, (w[:, None] - w).abs()) if len(w) <= 32 else None
        at = y[:, None, None].expand(-1, 1, len(w))
        radii = spread.gather(1, at)[:, 0] if spread is not None else ((w[y][:, None] - w).abs() @ r[..., None])[..., 0]
        z = last.layer.value(c)
        return z.gather(1, y[:, None]) - z - radii
    own = lower.gather(1, y[:, None]) - upper
    return own.scatter(1, y[:, None], 0.0)


_BOUNDS, _CENTER = True, False


def _states(net: Network, x: Tensor, radius: float | Tensor, low: float, high: float, order: float) -> list[_Value]:
    eps = torch.as_tensor(radius, dtype=x.dtype, device=x.device)
    eps = eps.reshape(-1, *[1] * (x.dim() - 1)) if eps.dim() else eps
    states = [_Value((x - eps).clamp(min=low), (x + eps).clamp(max=high), _BOUNDS)]
    diagonal: dict[int, State] = {0: (x, torch.ones_like(x))} if order == 2 else {}
    for i, node in enumerate(net.nodes, 1):
        layer, j = node.layer, node.inputs[0]
        if isinstance(layer, Add):
            parts = [_center(states[k]) for k in node.inputs]
            value = _Value(parts[0][0] + parts[1][0], parts[0][1] + parts[1][1], _CENTER)
        elif isinstance(layer, Affine):
            value = _affine(layer, states[j])
            if j in diagonal:
                value = _cut(layer, value, diagonal[j], eps)
                if isinstance(layer, BatchNorm | Constant):
                    point, scale = diagonal[j]
                    diagonal[i] = layer.value(point), layer.product(scale, torch.abs)
        elif isinstance(layer, Reshape):
            first, second, kind = states[j]
            value = _Value(layer.value(first), layer.value(second), kind)
            if j in diagonal:
                diagonal[i] = layer.value(diagonal[j][0]), layer.value(diagonal[j][1])
        else:
            value = _monotone(layer, states[j])
        states.append(value)
    return states


class _Value(tuple["Tensor", "Tensor", bool]):
    """Two tensors, either lower and upper ends or centre and radius: whichever the layer before made."""

    __slots__ = ()

    def __new__(cls, first: Tensor, second: Tensor, kind: bool) -> Self:
        return super().__new__(cls, (first, second, kind))


def _ends(value: _Value) -> State:
    first, second, kind = value
    return (first, second) if kind is _BOUNDS else (first - second, first + second)


def _center(value: _Value) -> State:
    first, second, kind = value
    return (first, second) if kind is _CENTER else ((first + second) / 2, (second - first) / 2)


def _affine(layer: Affine, value: _Value) -> _Value:
    c, r = _center(value)
    return _Value(layer.value(c), layer.product(r, torch.abs), _CENTER)


def _monotone(layer: Layer, value: _Value) -> _Value:
    lower, upper = _ends(value)
    return _Value(layer.value(lower), layer.value(upper), _BOUNDS)


def _cut(layer: Affine, value: _Value, diagonal: State, eps: Tensor) -> _Value:
    """The interval cut with that of the l2 ball alone."""
    point, scale = diagonal
    at = layer.value(point)
    squares = layer.product(scale.square(), torch.square)
    # the gradient of a root at 0 is infinite: a row of zeros does not move anyway
    size = torch.where(squares > 0, squares, 1.0).sqrt() * (squares > 0)
    spread = size * (eps.reshape(-1, *[1] * (at.dim() - 1)) if eps.dim() else eps)
    lower, upper = _ends(value)
    return _Value(torch.maximum(lower, at - spread), torch.minimum(upper, at + spread), _BOUNDS)

"""Sound bounds of a network's outputs and margins over a ball: what a claim about robustness may rest on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import torch

from deep.certify.crown import lower_bounds
from deep.certify.evaluated import check_inner_products, check_reading
from deep.certify.network import Network, network
from deep.certify.region import region
from deep.certify.sound import REAL, Arithmetic, forward
from deep.scores import check_labels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from deep.certify.region import Region, Threat

    Method = Literal["ibp", "crown-ibp"]
    Evaluation = Literal["real", "float"]

METHODS = ("ibp", "crown-ibp")
_BUDGET = 2**24
"""Numbers in the largest tensor of a backward pass: the batch is cut so that there are no more."""


@torch.no_grad()
def bounds(
    model: nn.Module | Network, x: Tensor, threat: Threat, method: Method = "ibp", *, evaluation: Evaluation = "real"
) -> tuple[Tensor, Tensor]:
    """lower <= z <= upper, float64 [B, K], for every output z at a point of ball and box around x [B, ...].

    ``method``: interval bound propagation, or linear bounds with intervals inside (CROWN-IBP, never looser, some K
    times the work). ``evaluation``: "real" encloses the function of real arithmetic with the stored parameters; "float"
    encloses the network as evaluated in x's number type too, by inner products in any order
    (`deep.certify.sound` has the proof). The points are those of `deep.certify.region.region`.

    >>> from deep.attack.threat import Threat
    >>> model = torch.nn.Linear(2, 1, bias=False)
    >>> with torch.no_grad():
    ...     _ = model.weight.copy_(torch.tensor([[1.0, -2.0]]))
    >>> lower, upper = bounds(model, torch.tensor([[0.5, 0.5]]), Threat(0.25))
    >>> round(lower.item(), 6), lower.item() <= -1.25, round(upper.item(), 6), upper.item() >= 0.25
    (-1.25, True, 0.25, True)

    Raises ``TypeError`` for a layer without a rule, and a model that computes something else than its layers (by a
    hook, say); ``ValueError`` for an unknown method, images outside the box, a negative radius, or parameters that are
    not finite; ``RuntimeError`` for "float" where torch may compute otherwise (`deep.certify.evaluated`).
    """
    net, where, arithmetic = _ready(model, x, threat, method, evaluation)
    found = []
    for part in _parts(net, x, where, 1):
        last = forward(net, part, arithmetic).values[-1]
        found.append((last.lower, last.upper))
    lower, upper = (torch.cat(ends) for ends in zip(*found, strict=True))
    if lower.dim() != 2:
        raise ValueError(f"the model returns {tuple(lower.shape)}; a certificate needs outputs of shape [B, K]")
    if method == "ibp":
        return lower, upper
    eye = torch.eye(lower.shape[1], dtype=torch.float64, device=lower.device)
    rows = torch.cat([eye, -eye]).expand(len(x), -1, -1)
    ends = _rows(net, x, where, rows, arithmetic, full=True)
    below, above = ends[:, : len(eye)], -ends[:, len(eye) :]
    return torch.maximum(lower, below), torch.minimum(upper, above)


@torch.no_grad()
def margin_bounds(
    model: nn.Module | Network,
    x: Tensor,
    y: Tensor,
    threat: Threat,
    method: Method = "crown-ibp",
    *,
    evaluation: Evaluation = "real",
) -> Tensor:
    """A lower bound, float64 [B], of margin(f(x'), y) (`deep.scores.margin`) over every x' of ball and box around x.

    Both methods merge the differences z_y - z_k with the last linear layer; the arguments are those of `bounds`. A
    bound above 0 certifies the sample.
    """
    return specification_bounds(model, x, y, threat, method, evaluation=evaluation).amin(1)


@torch.no_grad()
def specification_bounds(
    model: nn.Module | Network,
    x: Tensor,
    y: Tensor,
    threat: Threat,
    method: Method = "crown-ibp",
    *,
    evaluation: Evaluation = "real",
) -> Tensor:
    """Lower bounds, float64 [B, K - 1], of z_y - z_k, k != y in order; with one output of (2y - 1) f, [B, 1]."""
    net, where, arithmetic = _ready(model, x, threat, method, evaluation)
    outputs = output_count(net, x)
    checked(y, x, outputs)
    return _rows(net, x, where, margin_rows(y, outputs).to(x.device), arithmetic, full=method == "crown-ibp")


def checked(y: Tensor, x: Tensor, outputs: int) -> None:
    """Raises ``ValueError`` unless y holds a label the network knows for every sample of x."""
    if y.shape != x.shape[:1]:
        raise ValueError(f"labels of shape {tuple(y.shape)} do not fit {len(x)} samples; allowed is one a sample")
    check_labels(y, outputs)


def margin_rows(y: Tensor, outputs: int) -> Tensor:
    """The rows whose least product with the outputs is the margin: [B] -> float64 [B, S, K].

    >>> margin_rows(torch.tensor([1]), 3).tolist(), margin_rows(torch.tensor([0]), 1).tolist()
    ([[[-1.0, 1.0, 0.0], [0.0, 1.0, -1.0]]], [[[-1.0]]])
    """
    if outputs == 1:
        return (y.double() * 2 - 1)[:, None, None]
    eye = torch.eye(outputs, dtype=torch.float64, device=y.device)
    others = torch.arange(outputs - 1, device=y.device)[None] + 0 * y[:, None]
    others = others + (others >= y[:, None]).long()
    return eye[y][:, None] - eye[others]


def _ready(
    model: nn.Module | Network, x: Tensor, threat: Threat, method: str, evaluation: str
) -> tuple[Network, Region, Arithmetic]:
    if method not in METHODS:
        raise ValueError(f"method {method!r} is unknown; allowed are {', '.join(METHODS)}")
    if evaluation not in ("real", "float"):
        raise ValueError(f"evaluation {evaluation!r} is unknown; allowed are real and float")
    if not len(x):
        raise ValueError("x holds no samples; a certificate needs at least one")
    if not isinstance(model, Network):
        for name, p in [*model.named_parameters(), *model.named_buffers()]:
            if p.is_floating_point() and not bool(p.isfinite().all()):
                raise ValueError(f"parameter {name} is not finite; a certificate needs finite numbers")
    if torch.tensor(1e-40).double().item() == 0:
        raise RuntimeError("subnormal numbers are flushed to zero; call torch.set_flush_denormal(False) first")
    net, where = network(model), region(x, threat)
    if evaluation == "float":
        check_inner_products(net, x.device)
    if not isinstance(model, Network):
        check_reading(model, net, x[:1])
    return net, where, Arithmetic.of(x.dtype) if evaluation == "float" else REAL


def output_count(net: Network, x: Tensor) -> int:
    """K of the outputs [B, K]."""
    out = _sizes(net, x)[-1]
    if len(out) != 1:
        raise ValueError(f"the model returns {('B', *out)}; a certificate needs outputs of shape [B, K]")
    return out[0]


def _sizes(net: Network, x: Tensor) -> list[torch.Size]:
    found = [x[:1].detach()]
    for node in net.nodes:
        found.append(node.layer.value(*(found[i] for i in node.inputs)))
    return [v.shape[1:] for v in found]


def _rows(
    net: Network, x: Tensor, where: Region, rows: Tensor, arithmetic: Arithmetic, *, full: bool
) -> Tensor:
    found, start = [], 0
    for part in _parts(net, x, where, rows.shape[1] if full else 1):
        stop = start + len(part.lower)
        found.append(lower_bounds(net, part, rows[start:stop], arithmetic, full=full))
        start = stop
    return torch.cat(found)


def _parts(net: Network, x: Tensor, where: Region, rows: int) -> Iterator[Region]:
    """The samples in groups whose largest tensor (with the columns of a convolution) stays within the budget."""
    largest = max(math.prod(size) for size in _sizes(net, x)) * rows * 9
    step = max(1, _BUDGET // largest)
    for start in range(0, len(x), step):
        yield where.rows(start, min(start + step, len(x)))

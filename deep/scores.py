"""What a network's outputs say of labels: the one place where one output and many meet.

A network answers ``z`` of shape [B, K]. K >= 2 are logits of the labels 0, ..., K - 1. K = 1 is a real score f(x) of a
binary problem, whose labels 0 and 1 stand for -1 and +1. An error is a margin of at most 0 everywhere, so a score of 0
and a tie of logits err, as f(X) Y <= 0 does (TRADES, Section 2.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from torch import Tensor


def signs(y: Tensor) -> Tensor:
    """Labels 0 and 1 as the float32 numbers -1 and +1."""
    return y.to(torch.float32) * 2 - 1


def margin(z: Tensor, y: Tensor) -> Tensor:
    """[B, K], [B] -> [B]: y f(x) of one output, z_y - max of the others of many.

    >>> margin(torch.tensor([[2.0], [-3.0]]), torch.tensor([1, 1])).tolist()
    [2.0, -3.0]
    >>> margin(torch.tensor([[1.0, 4.0, 2.5]]), torch.tensor([1])).tolist()
    [1.5]
    """
    if z.shape[1] == 1:
        return signs(y) * z[:, 0]
    own = z.gather(1, y[:, None])
    others = z.masked_fill(F.one_hot(y, z.shape[1]).bool(), -torch.inf)
    return own[:, 0] - others.amax(1)


def wrong(z: Tensor, y: Tensor) -> Tensor:
    """[B, K], [B] -> bool [B]: whether the network errs; NaN errs too."""
    return ~(margin(z, y) > 0)


def predicted(z: Tensor) -> Tensor:
    """[B, K] -> int64 [B]: the label of the largest output (the first of equals), or the sign as 0 and 1."""
    if z.shape[1] == 1:
        return (z[:, 0] > 0).long()
    return z.argmax(1)


def two_class(z: Tensor) -> Tensor:
    """Logits in any case: (0, f) of a single score f, so that its softmax is the logistic model.

    >>> two_class(torch.tensor([[2.0]])).tolist()
    [[0.0, 2.0]]
    """
    return torch.cat([torch.zeros_like(z), z], dim=1) if z.shape[1] == 1 else z


def cross_entropy(z: Tensor, y: Tensor) -> Tensor:
    """[B, K], [B] -> [B]: -log softmax(z)_y, in nats."""
    return F.cross_entropy(two_class(z), y, reduction="none")


def check_labels(y: Tensor, outputs: int) -> None:
    """Raises ``ValueError`` for a label that a network with so many outputs does not have, another type or shape."""
    if y.dtype != torch.int64 or y.dim() != 1:
        raise ValueError(f"labels are {y.dtype} of shape {tuple(y.shape)}; allowed is torch.int64, one label a sample")
    high = max(outputs, 2)
    bad = y[(y < 0) | (y >= high)]
    if bad.numel():
        raise ValueError(f"label {int(bad[0])} is out of range; a network with {outputs} outputs knows 0 to {high - 1}")

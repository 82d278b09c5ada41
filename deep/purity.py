"""Looking at a network without touching it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterator


def inner(model: nn.Module) -> nn.Module:
    """The network itself, where one of torch's wrappers of parallel training holds it.

    A network of the user's that keeps another one as ``module`` is no wrapper: it may compute something else.
    """
    wrappers = (nn.DataParallel, nn.parallel.DistributedDataParallel)
    return model.module if isinstance(model, wrappers) else model


@contextlib.contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[nn.Module]:
    """The network in evaluation mode; the training flag of every submodule is put back, on exceptions too."""
    flags = [(module, module.training) for module in model.modules()]
    try:
        for module, _ in flags:
            module.training = False
        yield model
    finally:
        for module, flag in flags:
            module.training = flag


@contextlib.contextmanager
def untouched(model: nn.Module) -> Iterator[nn.Module]:
    """The network in evaluation mode, with gradients on; what the block changes is put back, on exceptions too.

    Put back are the training flag of every submodule, buffers (in place, and those replaced by another tensor),
    ``.grad`` and ``requires_grad`` of every parameter, the grad mode, and torch's global random state. The parameters
    do not ask for gradients inside.
    """
    buffers = [
        (module._buffers, name, buffer, buffer.clone())
        for module in model.modules()
        for name, buffer in module._buffers.items()
        if buffer is not None
    ]
    parameters = [(p, p.requires_grad, p.grad) for p in model.parameters()]
    devices = {p.device for p, _, _ in parameters if p.device.type == "cuda"}
    with (
        torch.random.fork_rng(sorted(d.index or 0 for d in devices)),
        torch.inference_mode(False),
        torch.enable_grad(),
        evaluation_mode(model),
    ):
        try:
            for p, _, _ in parameters:
                p.requires_grad_(False)
            yield model
        finally:
            with torch.no_grad():
                for home, name, buffer, saved in buffers:
                    if not torch.equal(buffer, saved):
                        buffer.copy_(saved)
                    home[name] = buffer
            for p, asked, grad in parameters:
                p.requires_grad_(asked)
                p.grad = grad

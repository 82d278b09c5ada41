"""Looking at a network without touching it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterator


def inner(model: nn.Module) -> nn.Module:
    """The network itself, where a wrapper of distributed training holds it."""
    wrapped = getattr(model, "module", None)
    return wrapped if isinstance(wrapped, nn.Module) else model


@contextlib.contextmanager
def untouched(model: nn.Module) -> Iterator[nn.Module]:
    """The network in evaluation mode, with gradients on; what the block changes is put back, on exceptions too.

    Put back are the training flag of every submodule, buffers (in place), ``.grad`` and ``requires_grad`` of every
    parameter, the grad mode, and torch's global random state. The parameters do not ask for gradients inside.
    """
    modules = list(model.modules())
    flags = [module.training for module in modules]
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    parameters = [(p, p.requires_grad, p.grad) for p in model.parameters()]
    devices = {p.device for p, _, _ in parameters if p.device.type == "cuda"}
    # A CUDA graph that is being captured admits no look at values or random states; who captures keeps both himself.
    captured = bool(devices) and torch.cuda.is_current_stream_capturing()
    forked = torch.random.fork_rng(sorted(d.index or 0 for d in devices), enabled=not captured)
    with forked, torch.inference_mode(False), torch.enable_grad():
        try:
            for module in modules:
                module.training = False
            for p, _, _ in parameters:
                p.requires_grad_(False)
            yield model
        finally:
            for module, flag in zip(modules, flags, strict=True):
                module.training = flag
            with torch.no_grad():
                for buffer, saved in buffers:
                    if captured or not torch.equal(buffer, saved):
                        buffer.copy_(saved)
            for p, asked, grad in parameters:
                p.requires_grad_(asked)
                p.grad = grad

"""Training on several processes, each with a share of every batch: ``torchrun --nproc-per-node 4 -m deep.train ...``.

Every process has the whole network. Of each batch of the single-process run it takes the samples whose number is its
rank modulo the number of processes, and gradients are summed with their shares as weights: one all-reduce of one flat
buffer after the backward pass. So a run on several processes is the single-process run up to rounding, and what a
method remembers of a sample lives where the sample is trained on. ``DistributedDataParallel`` is not used: it wants
exactly one forward pass through its wrapper for every backward pass, while the methods here make several, and the
overlap of sending and computing that it buys is nothing for networks of this size.

Batch statistics are those of each share, and a checkpoint keeps those of process 0.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as dist

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class World:
    """Process ``rank`` of ``size``; with one process everything here does nothing.

    >>> World(1, 4).share(torch.tensor([8, 9, 3, 5])).tolist()
    [9, 5]
    """

    rank: int = 0
    size: int = 1

    def owns(self, index: Tensor) -> Tensor:
        """Which of these samples are this process's, as a mask."""
        return index % self.size == self.rank

    def share(self, index: Tensor) -> Tensor:
        """Those of the sample numbers that are this process's, in their order."""
        return index if self.size == 1 else index[self.owns(index)]

    def alike(self, model: nn.Module) -> None:
        """Give every process the weights and buffers of process 0."""
        if self.size > 1:
            for tensor in (*model.parameters(), *model.buffers()):
                dist.broadcast(tensor.detach(), 0)

    def average(self, parameters: Iterable[Tensor], loss: Tensor, weight: float) -> Tensor:
        """Replace every gradient by sum over processes of weight * gradient (weights sum to 1); the loss alike."""
        if self.size == 1:
            return loss
        asked = [p for p in parameters if p.requires_grad]
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in asked]
        flat = torch.cat([g.reshape(-1) for g in grads] + [loss.detach().reshape(1).to(grads[0])]) * weight
        dist.all_reduce(flat)
        at = 0
        for p, g in zip(asked, grads, strict=True):
            p.grad = flat[at : at + g.numel()].view(g.shape).clone(memory_format=torch.preserve_format)
            at += g.numel()
        return flat[-1]

    def sum(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The sums over all processes, as new tensors of equal shapes; a process that lacks one has zeros."""
        if self.size == 1:
            return dict(tensors)
        shapes: list[Any] = [None] * self.size
        dist.all_gather_object(shapes, {name: (t.shape, t.dtype, t.device.type) for name, t in tensors.items()})
        sums = {}
        for name, (shape, dtype, kind) in sorted({k: v for here in shapes for k, v in here.items()}.items()):
            here = tensors.get(name)
            sums[name] = torch.zeros(shape, dtype=dtype, device=kind) if here is None else here.clone()
            dist.all_reduce(sums[name])
        return sums

    def gather(self, tensors: Mapping[str, Tensor], per_sample: Collection[str]) -> dict[str, Tensor]:
        """A method's state: row i of a tensor named in ``per_sample`` comes from the process that owns sample i."""
        if self.size == 1:
            return dict(tensors)
        rows = {name: t for name, t in tensors.items() if name in per_sample}
        owned = {name: self.owns(torch.arange(len(t), device=t.device)) for name, t in rows.items()}
        masked = {name: t.masked_fill(~owned[name].reshape(-1, *[1] * (t.dim() - 1)), 0) for name, t in rows.items()}
        return {**tensors, **self.sum(masked)}

    def agrees(self, answer: bool, step: int, device: torch.device) -> bool:
        """What process 0 answers; of several processes it is asked at every eighth step, no elsewhere."""
        if self.size == 1:
            return answer
        if step % 8:
            return False
        flag = torch.tensor([float(answer)], device=device)
        dist.broadcast(flag, 0)
        return bool(flag.item())


def world() -> World:
    """The processes that were started together; one if there are no others."""
    if dist.is_available() and dist.is_initialized():
        return World(dist.get_rank(), dist.get_world_size())
    return World()


@contextlib.contextmanager
def joined(device: str = "cpu") -> Iterator[str]:
    """Join the processes that ``torchrun`` started (none: do nothing), and leave them at the end.

    Yields the device of this process: "cuda" becomes its own GPU, by its number on the machine.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield device
        return
    if device == "cuda":
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield device
    finally:
        dist.destroy_process_group()

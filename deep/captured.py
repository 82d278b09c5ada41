"""A whole training step (attack, loss, backward pass, optimizer) as one CUDA graph, for nets too small to fill a GPU.

A small network's step is hundreds of kernels of microseconds; launching them one by one costs more than running them.
A graph is launched once. It sees only what lies at fixed addresses, so the batch is copied into buffers, the random
bits that the method asks of its stream are drawn outside and copied too (they are those of an uncaptured step), and the
learning rate is a tensor. What a method reads as a Python number, such as the progress of the run, would be frozen:
a method that looks at it is refused.

What was tested and where: the buffers, the feeding of random bits, the put-back after warm-up and the equality with
plain steps are tested on the CPU with a stand-in that runs the step anew instead of replaying it. The capture itself
(`cuda_graph`) and its speed have NOT been run on a GPU yet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import torch

from deep.attack.threat import Threat
from deep.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from deep.objectives import Method

    Replay = Callable[[], object]

_FROZEN = "the method looks at the progress of the run, which a graph would freeze; train it without graph"
WARM_UP = 3
"""Steps on a side stream before a capture, in which libraries choose algorithms and allocate."""


def cuda_graph(step: Callable[[], None]) -> Replay:
    """Run ``step`` a few times, capture it, and answer what replays it."""
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM_UP):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def check_device(device: torch.device) -> None:
    """Raises ``ValueError`` unless it is a GPU."""
    if device.type != "cuda":
        raise ValueError(f"a CUDA graph needs a GPU, but the network is on {device}; leave graph out")


@dataclass(frozen=True, slots=True)
class Fed(Stream):
    """A stream whose bits lie in buffers, filled by `feed` from the stream of the step before it is replayed."""

    index: Tensor = field(default_factory=lambda: torch.empty(0))
    path: tuple[tuple[int | str, ...], ...] = ()
    wanted: dict[tuple[Any, int], Tensor] = field(default_factory=dict)

    def child(self, *names: int | str) -> Fed:
        return Fed(self.key, self.index, (*self.path, names), self.wanted)

    @property
    def seed(self) -> int:
        raise ValueError("the method seeds a generator of its own, which a graph would freeze; train it without graph")

    def bits(self, index: Tensor, count: int) -> Tensor:
        if index is not self.index:
            raise ValueError("the method draws for other samples than its batch, which a graph cannot; leave graph out")
        if (self.path, count) not in self.wanted:
            self.wanted[self.path, count] = torch.zeros(len(index), count, dtype=torch.int64, device=index.device)
        return self.wanted[self.path, count]

    def feed(self, stream: Stream) -> None:
        """Fill every buffer with what ``stream`` gives at its place."""
        for (path, count), buffer in self.wanted.items():
            source = stream
            for names in path:
                source = source.child(*names)
            buffer.copy_(source.bits(self.index, count))


@dataclass(frozen=True, slots=True, eq=False)
class StaticBatch:
    """A `deep.objectives.Batch` at fixed addresses, which does not know where the run is."""

    x: Tensor
    y: Tensor
    index: Tensor
    stream: Fed
    low: float = 0.0
    high: float = 1.0

    def threat(self, eps: float | Tensor, ord: float = math.inf) -> Threat:
        return Threat(eps, ord, self.low, self.high)

    @property
    def epoch(self) -> NoReturn:
        raise ValueError(_FROZEN)

    @property
    def progress(self) -> NoReturn:
        raise ValueError(_FROZEN)


class CapturedStep:
    """One step of ``method`` on batches of one size, captured at the first call.

    The optimizer must be fit for capture (learning rate a tensor, fused). The warm-up's steps are undone: weights,
    buffers, optimizer and method state are as before, so a captured run is the plain run. Raises ``ValueError`` for a
    device that is no GPU, and for a method that needs what a graph would freeze.
    """

    def __init__(
        self, model: nn.Module, method: Method, optimizer: torch.optim.Optimizer, state: Any, runs: int = 1,
        box: tuple[float, float] = (0.0, 1.0),
        capture: Callable[[Callable[[], None]], Replay] | None = None,
    ) -> None:  # fmt: skip
        if capture is None:
            check_device(next(model.parameters()).device)
        self.model, self.method, self.optimizer, self.state, self.runs = model, method, optimizer, state, runs
        self.box = box
        self.capture = capture or cuda_graph
        self.batch: StaticBatch | None = None
        self.replay: Replay | None = None
        self.loss: Tensor | None = None
        self.statistics: dict[str, Tensor] = {}

    def __call__(self, x: Tensor, y: Tensor, index: Tensor, stream: Stream) -> tuple[Tensor, dict[str, Tensor]]:
        """Take the step; the answers are overwritten by the next one."""
        if self.batch is None:
            index = index.clone()
            self.batch = StaticBatch(x.clone(), y.clone(), index, Fed(0, index), *self.box)
        self.batch.x.copy_(x)
        self.batch.y.copy_(y)
        self.batch.index.copy_(index)
        if self.replay is None:
            undo = self._memory()
            with torch.random.fork_rng([x.device] if x.device.type == "cuda" else []):  # dropout's draws, too
                self.replay = self.capture(self._step)
            undo()
        self.batch.stream.feed(stream)
        self.replay()
        assert self.loss is not None
        return self.loss, self.statistics

    def _step(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        loss, self.statistics = self.method.loss(self.model, self.batch, self.state)  # type: ignore[arg-type]
        (loss * self.runs if self.runs > 1 else loss).backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.loss = loss.detach()

    def _memory(self) -> Callable[[], None]:
        """What puts everything back that a step changes; the optimizer's new numbers start at 0."""
        kept = [(t, t.detach().clone()) for t in (*self.model.parameters(), *self.model.buffers())]
        kept += [(t, t.clone()) for t in self.state.tensors().values()]
        moments = {
            (parameter, name): value.clone()
            for parameter, entry in self.optimizer.state.items()
            for name, value in entry.items()
            if torch.is_tensor(value)
        }

        def undo() -> None:
            with torch.no_grad():
                for tensor, before in kept:
                    tensor.copy_(before)
                for parameter, entry in self.optimizer.state.items():
                    for name, value in entry.items():
                        if torch.is_tensor(value):
                            value.copy_(moments.get((parameter, name), torch.zeros_like(value)))

        return undo

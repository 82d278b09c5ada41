"""Several small runs in one: R networks of one shape as a single module on R blocks of a batch.

The runs may differ in their first weights, in their seeds and in numbers of the method such as lam; attacks, objectives
and elementwise optimizers work on all of them at once, which costs less than R runs where each is too small to fill
the machine. Run r has the rows r B, ..., (r + 1) B - 1 of every batch.

>>> from deep.models import build
>>> stack = Stack([build("linear", shape=(2,), outputs=1, seed=seed) for seed in range(3)])
>>> tuple(stack(torch.zeros(3 * 4, 2)).shape), len(stack.split())
((12, 1), 3)
"""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.func import functional_call, stack_module_state

from deep.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from deep.objectives import Batch, Method


class Stack(nn.Module):
    """R networks of one architecture: [R B, ...] -> [R B, K], block r through network r.

    Its parameters are those of the networks, stacked: [R, ...]. Dropout draws a mask for every run, other than those
    of a run alone. Raises ``ValueError`` for networks that differ in more than their weights.
    """

    fixed_blocks = True
    """Rows must stay where they are: an attack may not drop those it is done with."""

    def __init__(self, models: Sequence[nn.Module]) -> None:
        super().__init__()
        shapes = [[(name, t.shape) for name, t in model.state_dict().items()] for model in models]
        if not models or any(shape != shapes[0] for shape in shapes) or len({repr(model) for model in models}) > 1:
            raise ValueError("the networks of a stack differ in more than their weights; allowed are equal ones")
        self.runs = len(models)
        parameters, buffers = stack_module_state(list(models))
        self.one = copy.deepcopy(models[0])
        for module in self.one.modules():  # the template has no weights of its own: they come with every call
            for name in module._parameters:
                module._parameters[name] = None
            for name in module._buffers:
                module._buffers[name] = None
        self._names = {name.replace(".", "__"): name for name in (*parameters, *buffers)}
        for name, tensor in parameters.items():
            self.register_parameter(name.replace(".", "__"), nn.Parameter(tensor.detach().clone()))
        for name, tensor in buffers.items():
            self.register_buffer(name.replace(".", "__"), tensor.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.map(lambda model, block: model(block), x)
        return answer

    def map(self, function: Callable[..., Any], *blocks: Tensor) -> Any:
        """``function(model, *blocks)`` of every run in one sweep: each tensor [R B, ...] is split into the runs'
        blocks, and the answer (a tensor [B, ...] or a tuple of such) joined to [R B, ...].
        """
        if len(blocks[0]) % self.runs:
            raise ValueError(f"{len(blocks[0])} rows are no {self.runs} blocks of equal length, one for each network")
        tensors = {name: getattr(self, own) for own, name in self._names.items()}
        split = [block.reshape(self.runs, -1, *block.shape[1:]) for block in blocks]

        def one(state: dict[str, Tensor], *parts: Tensor) -> Any:
            return functional_call(_Applied(self.one, function), {f"model.{k}": v for k, v in state.items()}, parts)

        answers = torch.vmap(one, randomness="different")(tensors, *split)
        return tuple(a.flatten(0, 1) for a in answers) if isinstance(answers, tuple) else answers.flatten(0, 1)

    def split(self) -> list[nn.Module]:
        """The networks one by one, as copies."""
        models = []
        for r in range(self.runs):
            model = copy.deepcopy(self.one)
            for own, name in self._names.items():
                home, _, leaf = name.rpartition(".")
                module, tensor = model.get_submodule(home), getattr(self, own)[r].detach().clone()
                if leaf in module._parameters:
                    module._parameters[leaf] = nn.Parameter(tensor)
                else:
                    module._buffers[leaf] = tensor
            models.append(model)
        return models


class _Applied(nn.Module):
    """A function of a network as a module, so that `functional_call` can give the network its weights."""

    def __init__(self, model: nn.Module, function: Callable[..., Any]) -> None:
        super().__init__()
        self.model, self.function = model, function
        self.training = model.training

    def forward(self, *blocks: Tensor) -> Any:
        return self.function(self.model, *blocks)


@dataclass(frozen=True, slots=True)
class Streams(Stream):
    """The streams of R runs as one: block r of the sample numbers draws from stream r."""

    runs: tuple[Stream, ...] = ()

    @staticmethod
    def of(runs: Sequence[Stream]) -> Streams:
        """The runs' streams together."""
        return Streams(Stream(runs[0].key).child("runs", *(run.key for run in runs)).key, tuple(runs))

    def child(self, *names: int | str) -> Streams:
        return Streams.of([run.child(*names) for run in self.runs])

    def bits(self, index: Tensor, count: int) -> Tensor:
        if len(set(self.runs)) == 1:
            return self.runs[0].bits(index, count)
        blocks = index.reshape(len(self.runs), -1)
        return torch.cat([run.bits(block, count) for run, block in zip(self.runs, blocks, strict=True)])


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """One method for each run of a stack: methods of one kind that differ only in numbers which the kind also takes one
    a sample, such as lam. Statistics are means over all runs.

    Raises ``ValueError`` for other methods.
    """

    methods: tuple[Method, ...]
    _made: dict[tuple[int, torch.device], Method] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        first = self.methods[0]
        if any(type(method) is not type(first) for method in self.methods):
            names = [method.name for method in self.methods]
            raise ValueError(f"methods {names} are of several kinds; allowed is one kind")
        try:
            self._for(1, torch.device("cpu"))
        except (TypeError, RuntimeError):
            differing = ", ".join(self._differing())
            raise ValueError(
                f"{first.name} takes one {differing} for all samples; the runs may not differ in it"
            ) from None

    @property
    def name(self) -> str:
        return self.methods[0].name

    def to_json(self) -> Any:
        """The methods' fields."""
        return [asdict(method) for method in self.methods]  # type: ignore[call-overload]

    def prepare(self, model: nn.Module, images: Any, stream: Stream) -> Any:
        return self.methods[0].prepare(model, images, stream)

    def loss(self, model: nn.Module, batch: Batch, state: Any) -> tuple[Tensor, dict[str, Tensor]]:
        return self._for(len(batch.y) // len(self.methods), batch.y.device).loss(model, batch, state)

    def _differing(self) -> dict[str, list[Any]]:
        names = [f.name for f in fields(self.methods[0])]  # type: ignore[arg-type]
        table = {name: [getattr(method, name) for method in self.methods] for name in names}
        return {name: values for name, values in table.items() if any(value != values[0] for value in values)}

    def _for(self, rows: int, device: torch.device) -> Method:
        """The method that has every run's numbers on the run's rows; made once for each number of rows."""
        key = (rows, device)
        if key not in self._made:
            columns = {
                name: torch.tensor(values, dtype=torch.float32, device=device).repeat_interleave(rows)
                for name, values in self._differing().items()
            }
            self._made[key] = replace(self.methods[0], **columns)  # type: ignore[type-var]
        return self._made[key]

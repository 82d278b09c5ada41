"""The one training loop: any method, any network, resumed to the bit after a kill at any moment.

Nothing random has a state: the order of epoch e, the noise of sample i in it and the dropout of step s are functions of
the seed and of these numbers. So a run is its checkpoint and its recipe, and on the CPU a resumed run ends in the very
bytes of one that was never stopped.

>>> from deep.images import load
>>> from deep.models import build
>>> from deep.objectives import Natural
>>> images = load("digits")
>>> done = fit(build("linear", shape=images.shape, outputs=10), Natural(), images, Recipe(epochs=2, lr=0.1))
>>> [round(row["loss"], 2) for row in done.history]
[2.11, 1.28]
"""

from __future__ import annotations

import contextlib
import copy
import csv
import io
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from deep import distributed
from deep.checkpoint import Checkpoint, check_finite
from deep.objectives import Batch
from deep.purity import untouched
from deep.schedules import Constant, Schedule
from deep.scores import check_labels
from deep.stream import Stream
from theory import cli
from theory.record import writing

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from torch import Tensor, nn

    from deep.captured import CapturedStep
    from deep.images import Images
    from deep.objectives import Method

    Row = dict[str, Any]
    OnEpoch = Callable[[int, nn.Module], dict[str, float] | None]

CHECKPOINT, LOG = "checkpoint.safetensors", "log.csv"


class DivergedError(ValueError):
    """The loss or a weight became NaN or infinite."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to descend: ``optimizer`` is "sgd" with momentum, or "adam" (``momentum`` is its first beta).

    ``schedule`` multiplies ``lr``; ``ema`` is the decay of a moving average of the weights; ``precision`` "bf16" runs
    the network (not the losses) under bfloat16 autocast; ``channels_last`` is a memory format, faster for convolutions.
    ``graph`` takes each whole step as one CUDA graph (`deep.captured`), for small networks on a GPU.
    ``seed`` orders the samples and draws the noise: one number, or one for each network of a `deep.stack.Stack`.

    Raises ``ValueError`` for a number out of range and an unknown name.
    """

    epochs: int
    batch: int = 128
    lr: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 0.0
    optimizer: str = "sgd"
    schedule: Schedule = field(default_factory=Constant)
    ema: float | None = None
    seed: int | tuple[int, ...] = 0
    precision: str = "float32"
    channels_last: bool = False
    graph: bool = False

    def __post_init__(self) -> None:
        allowed = {
            "epochs": (self.epochs >= 1, "whole numbers from 1"),
            "batch": (self.batch >= 1, "whole numbers from 1"),
            "lr": (0 < self.lr < math.inf, "numbers above 0"),
            "momentum": (0 <= self.momentum < 1, "numbers in [0, 1)"),
            "weight_decay": (0 <= self.weight_decay < math.inf, "numbers from 0"),
            "optimizer": (self.optimizer in ("sgd", "adam"), "'sgd' and 'adam'"),
            "ema": (self.ema is None or 0 <= self.ema < 1, "numbers in [0, 1) and None"),
            "precision": (self.precision in ("float32", "bf16"), "'float32' and 'bf16'"),
        }
        for name, (holds, values) in allowed.items():
            if not holds:
                raise ValueError(f"{name} {getattr(self, name)!r} is out of range; allowed are {values}")


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A finished run: the network in evaluation mode (``ema`` its moving average, or None), one row of ``history`` for
    each epoch, the method's state, and how many steps and ``seconds`` this call took (0 if nothing was left to do).
    """

    model: nn.Module
    ema: nn.Module | None
    history: tuple[Row, ...]
    state: Any
    steps: int
    seconds: float


def fit(
    model: nn.Module,
    method: Method,
    images: Images,
    recipe: Recipe,
    *,
    folder: str | os.PathLike[str] | None = None,
    every: float | None = 60.0,
    resume: bool = True,
    progress: bool = True,
    on_epoch: OnEpoch | None = None,
) -> Fit:
    """Train ``model`` in place, on the device where it is.

    With a ``folder`` the run leaves there, after each epoch and ``every`` so many seconds within one, a checkpoint, and
    a log in CSV. If the folder holds a checkpoint of this run it goes on from there, or, without ``resume``, refuses.
    ``on_epoch(epoch, model)`` is called after each epoch, the network in evaluation mode and put back afterwards; what
    it answers joins the row of the history. ``progress`` is a bar on stderr, if that is a terminal.

    Raises `DivergedError` when the loss or a weight is no longer finite (the last checkpoint stays), `CheckpointError`
    for a checkpoint that is damaged or of another run, ``ValueError`` for labels that the network does not know and
    weights that are not finite, ``FileExistsError`` and other ``OSError``.
    """
    run = _Run(model, method, images, recipe)
    if folder is not None:
        run.settle(Path(folder), resume)
    start, before = time.monotonic(), run.done
    with _precision(model, recipe.precision), cli.steps("training") as show:
        while run.epoch < recipe.epochs:
            saved = time.monotonic()
            for _ in run.one_epoch():
                if progress and show and run.world.rank == 0:
                    show(run.done, recipe.epochs * run.length)
                late = every is not None and time.monotonic() - saved >= every
                if folder is not None and run.step < run.length and run.world.agrees(late, run.step, run.device):
                    run.save()
                    saved = time.monotonic()
            run.close_epoch(on_epoch)
            if folder is not None:
                run.save()
    model.eval()
    ema = None if run.ema is None else run.averaged()
    return Fit(model, ema, tuple(run.history), run.state, run.done - before, time.monotonic() - start)


class _Run:
    """A run between two steps, and what changes it."""

    def __init__(self, model: nn.Module, method: Method, images: Images, recipe: Recipe) -> None:
        if not any(p.requires_grad for p in model.parameters()):
            raise ValueError("the network has no parameter that asks for a gradient; there is nothing to train")
        self.model, self.method, self.recipe, self.world = model, method, recipe, distributed.world()
        self.device = next(model.parameters()).device
        self.images = images.to(self.device)
        self.runs = int(getattr(model, "runs", 1))
        seeds = (recipe.seed,) * self.runs if isinstance(recipe.seed, int) else recipe.seed
        if len(seeds) != self.runs:
            raise ValueError(f"seeds {recipe.seed} are given for {self.runs} networks; allowed is one for each")
        if self.runs > 1 and self.world.size > 1:
            raise ValueError("a stack of networks trains in one process; start it without torchrun")
        check_finite(model, "the network")
        last = recipe.channels_last and len(images.shape) == 3
        self.layout = torch.channels_last if last else torch.contiguous_format
        if last:
            model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._check_outputs()
        self.world.alike(model)
        self.streams = [Stream(seed) for seed in seeds]
        self.stream = self._together([stream.child("train") for stream in self.streams])
        self.optimizer = _optimizer(model, recipe)
        self.state: Any = method.prepare(model, self.images, self.stream.child("prepare"))
        self.captured = self._captured() if recipe.graph else None
        if self.runs > 1 and self.state.per_sample:
            raise ValueError(f"{method.name} remembers samples, which a stack cannot; train the networks one by one")
        self.ema = None if recipe.ema is None else {k: v.detach().clone() for k, v in model.state_dict().items()}
        self.config = _config(model, method, images, recipe)
        self.length = math.ceil(len(images) / recipe.batch)
        self.epoch, self.step, self.seen, self.rate = 0, 0, 0, recipe.lr
        self.sums: dict[str, Tensor] = {}
        self.history: list[Row] = []
        self.folder: Path | None = None

    @property
    def done(self) -> int:
        """How many steps the run is old."""
        return self.epoch * self.length + self.step

    def one_epoch(self) -> Iterator[None]:
        """The steps that are left of this epoch."""
        orders = torch.stack([s.child("order", self.epoch).permutation(len(self.images)) for s in self.streams])
        orders = orders.to(self.device)
        noise = self.stream.child("noise", self.epoch)
        for at in range(self.step, self.length):
            whole = orders[:, at * self.recipe.batch : (at + 1) * self.recipe.batch].reshape(-1)
            self._one_step(self.world.share(whole), len(whole), noise)
            self.step = at + 1
            yield

    def _one_step(self, index: Tensor, whole: int, noise: Stream) -> None:
        x = self.images.batch(index).contiguous(memory_format=self.layout)
        progress = self.done / (self.recipe.epochs * self.length)
        box = self.images.low, self.images.high
        batch = Batch(x, self.images.y[index], index, self.epoch, progress, noise, *box)
        self._set_rate(self.recipe.lr * self.recipe.schedule(progress))
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        share = len(index) / whole
        # Dropout draws from torch's global state, which is seeded for the step and put back.
        cuda = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(cuda):
            _seed(self.stream.child("dropout", self.epoch, self.step, self.world.rank).seed, self.device)
            if self.captured is not None and whole == self.recipe.batch * self.runs:
                loss, statistics = self.captured(x, batch.y, index, noise)
            elif len(index):
                loss, statistics = self.method.loss(self.model, batch, self.state)
                # The mean over the rows of R networks is 1 / R of what each of them is to descend.
                (loss * self.runs if self.runs > 1 else loss).backward()  # type: ignore[no-untyped-call]
            else:
                getattr(self.state, "idle", lambda: None)()
                loss, statistics = x.new_zeros(()), {}
        # On a GPU looking at the loss would wait for it; there its sum is looked at before each checkpoint.
        if self.captured is None or whole < self.recipe.batch * self.runs:
            loss = self.world.average(self.model.parameters(), loss.detach(), share)
            if self.device.type == "cpu" and not math.isfinite(float(loss)):
                self._diverged()
            self.optimizer.step()
        if self.ema is not None:
            self._follow()
        self.seen += len(index)
        for name, value in {**statistics, "loss": loss}.items():
            weight = whole / self.world.size if name == "loss" else len(index)  # the loss is everyone's by now
            self.sums[name] = self.sums.get(name, 0) + value.detach().double() * weight

    @torch.no_grad()
    def _follow(self) -> None:
        for name, value in self.model.state_dict().items():
            average = self.ema[name]  # type: ignore[index]
            if value.dtype.is_floating_point:
                average.lerp_(value, 1 - float(self.recipe.ema or 0))
            else:
                average.copy_(value)

    def averaged(self) -> nn.Module:
        """A copy of the network with the moving average as its weights, in evaluation mode."""
        model = copy.deepcopy(self.model)
        model.load_state_dict(self.ema or {})
        return model.eval()

    def close_epoch(self, on_epoch: OnEpoch | None) -> None:
        """Write the epoch's row of the history and turn to the next epoch."""
        self._check()
        sums, seen = self._totals()
        row: Row = {"epoch": self.epoch + 1, "lr": self.rate}
        row |= {name: _finite(float(sums[name]) / seen) for name in sorted(sums)}
        if on_epoch is not None:
            with untouched(self.model):
                row |= {name: _finite(float(value)) for name, value in (on_epoch(self.epoch, self.model) or {}).items()}
        self.history.append(row)
        self.epoch, self.step, self.seen, self.sums = self.epoch + 1, 0, 0, {}

    def _totals(self) -> tuple[dict[str, Tensor], int]:
        seen = torch.tensor(self.seen, device=self.device)
        return self.world.sum(self.sums), int(self.world.sum({"seen": seen})["seen"])

    def _set_rate(self, rate: float) -> None:
        self.rate = rate
        for group in self.optimizer.param_groups:
            if torch.is_tensor(group["lr"]):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate

    def _captured(self) -> CapturedStep:
        from deep.captured import CapturedStep, check_device

        check_device(self.device)
        if self.world.size > 1:
            raise ValueError("a step of several processes is no CUDA graph; leave graph out, or start one process")
        box = self.images.low, self.images.high
        return CapturedStep(self.model, self.method, self.optimizer, self.state, self.runs, box)

    # ---- in a folder ----

    def settle(self, folder: Path, resume: bool) -> None:
        """Take the run up where the folder's checkpoint left it, if there is one."""
        self.folder = folder
        path = folder / CHECKPOINT
        if path.exists():
            if not resume:
                raise FileExistsError(f"{folder} holds a checkpoint; resume that run, or name another folder")
            self._load(Checkpoint.read(path, self.config))
        if self.world.rank == 0:
            folder.mkdir(parents=True, exist_ok=True)
            for name in (CHECKPOINT, LOG):
                for left in folder.glob(f".{Path(name).stem}.*"):  # by a process that was killed while writing
                    left.unlink(missing_ok=True)
            self._log()

    def save(self) -> None:
        """Write the checkpoint, then the log. Nothing is written of a run that has diverged."""
        self._check()
        sums, seen = self._totals()
        tensors = {f"model/{k}": v for k, v in self.model.state_dict().items()}
        for k, entry in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{k}/{name}": value for name, value in entry.items() if torch.is_tensor(value)}
        tensors |= {f"ema/{k}": v for k, v in (self.ema or {}).items()}
        tensors |= {f"sums/{k}": v for k, v in sums.items()}
        tensors |= {f"state/{k}": v for k, v in self.world.gather(self.state.tensors(), self.state.per_sample).items()}
        if self.world.rank == 0 and self.folder is not None:
            found = Checkpoint(self.config, self.epoch, self.step, seen, self.history, tensors)
            found.write(self.folder / CHECKPOINT)
            if self.step == 0:
                self._log()

    def _load(self, found: Checkpoint) -> None:
        self.model.load_state_dict(found.part("model"))
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        for key, value in found.part("optimizer").items():
            k, _, name = key.partition("/")
            parameter = parameters[int(k)]
            here = torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value
            here = here.to(self.device) if self.recipe.graph else here  # Adam's count of steps, else on the CPU
            self.optimizer.state[parameter][name] = here
        if self.ema is not None:
            for name, value in found.part("ema").items():
                self.ema[name].copy_(value)
        self.state.load({name: value.to(self.device) for name, value in found.part("state").items()})
        self.epoch, self.step, self.history = found.epoch, found.step, found.history
        if self.world.rank == 0:  # sums over all processes: one of them has them from here on
            self.seen = found.seen
            self.sums = {name: value.to(self.device) for name, value in found.part("sums").items()}

    def _log(self) -> None:
        if self.folder is None or not self.history:
            return
        first = ("epoch", "lr", "loss")
        names = [*first, *sorted({name for row in self.history for name in row}.difference(first))]
        text = io.StringIO()
        writer = csv.DictWriter(text, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.history)
        with writing(self.folder / LOG) as temporary:
            temporary.write_text(text.getvalue(), encoding="utf-8")

    # ---- checks ----

    def _check_outputs(self) -> None:
        with untouched(self.model) as net, torch.no_grad():
            x = self.images.batch(torch.zeros(self.runs, dtype=torch.int64)).contiguous(memory_format=self.layout)
            outputs = net(x)
        if outputs.dim() != 2:
            raise ValueError(f"the network answers the shape {tuple(outputs.shape)}; allowed is [B, K], a row a sample")
        check_labels(self.images.y, outputs.shape[1])

    def _check(self) -> None:
        total = self.sums.get("loss")
        if total is not None and not bool(torch.isfinite(total)):
            self._diverged()
        try:
            check_finite(self.model, "the network")
        except ValueError as error:
            self._diverged(str(error))

    def _diverged(self, why: str = "the loss is not finite") -> None:
        kept = "" if self.folder is None else f"; the last checkpoint in {self.folder} is as it was"
        raise DivergedError(
            f"training diverged in epoch {self.epoch + 1}, step {self.step + 1}: {why}; "
            f"a smaller learning rate may help{kept}"
        )

    def _together(self, streams: list[Stream]) -> Stream:
        if self.runs == 1:
            return streams[0]
        from deep.stack import Streams

        return Streams.of(streams)


def _optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    parameters, rate = list(model.parameters()), recipe.lr
    options: dict[str, Any] = {"weight_decay": recipe.weight_decay}
    on_gpu = recipe.graph and parameters[0].device.type == "cuda"
    if on_gpu:  # a graph reads the rate where it lies, and fused kernels alone take it so
        options |= {"fused": True, "lr": torch.tensor(rate, device=parameters[0].device)}
    else:
        options["lr"] = rate
    if recipe.optimizer == "adam":
        return torch.optim.Adam(parameters, betas=(recipe.momentum, 0.999), capturable=on_gpu, **options)
    return torch.optim.SGD(parameters, momentum=recipe.momentum, **options)


def _seed(seed: int, device: torch.device) -> None:
    """Seed the global generators of the CPU and of this device alone."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)


@contextlib.contextmanager
def _precision(model: nn.Module, precision: str) -> Iterator[None]:
    """The network under bfloat16 autocast, its outputs float32. Casts are not cached between calls: a cast made without
    gradients would be taken for one with.
    """
    if precision == "float32":
        yield
        return
    device = next(model.parameters()).device.type
    open_: list[torch.autocast] = []

    def before(module: nn.Module, inputs: Any) -> None:  # noqa: ARG001
        open_.append(torch.autocast(device, torch.bfloat16, cache_enabled=False))
        open_[-1].__enter__()  # type: ignore[no-untyped-call]

    def after(module: nn.Module, inputs: Any, answer: Any) -> Any:  # noqa: ARG001
        open_.pop().__exit__(None, None, None)
        return answer.float() if torch.is_tensor(answer) else answer

    hooks = [model.register_forward_pre_hook(before), model.register_forward_hook(after, always_call=True)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _config(model: nn.Module, method: Any, images: Images, recipe: Recipe) -> dict[str, Any]:
    """What makes the run this run, as JSON values."""
    architecture = getattr(model, "architecture", None)
    described: dict[str, Any] = {"class": type(model).__name__}
    if architecture is not None:
        described["architecture"] = architecture.to_json()
    described["weights"] = {name: list(value.shape) for name, value in model.state_dict().items()}
    chosen: Any = {}
    if hasattr(method, "to_json"):
        chosen = method.to_json()
    elif is_dataclass(method) and not isinstance(method, type):
        chosen = asdict(method)
    config = {
        "model": described,
        "method": {"class": type(method).__name__, "name": method.name, "options": chosen},
        "images": {
            "name": images.name, "sha256": images.digest, "count": len(images), "box": [images.low, images.high],
        },
        "recipe": {**asdict(recipe), "schedule": repr(recipe.schedule)},
    }  # fmt: skip
    found: dict[str, Any] = json.loads(json.dumps(_plain(config)))
    return found


def _plain(value: Any) -> Any:
    """JSON values; infinite numbers and what JSON has no word for as text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if torch.is_tensor(value):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, str | bool | int | float) else repr(value)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None

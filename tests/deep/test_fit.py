"""The training loop: plain descent re-done by hand, and runs that are stopped anywhere and end in the same bytes."""

from __future__ import annotations

import contextlib
import csv
import math
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn

from deep.checkpoint import Checkpoint, CheckpointError
from deep.fit import CHECKPOINT, LOG, DivergedError, Recipe, fit
from deep.images import Images, digits
from deep.models import build
from deep.objectives import PGDAT, TRADES, Batch, Natural, Stateless
from deep.schedules import Cyclic, Steps, schedule
from deep.scores import cross_entropy
from deep.stream import Stream

if TYPE_CHECKING:
    from torch import Tensor

ROOT = Path(__file__).parents[2]
IMAGES = digits("train").only(1, 3)
FEW = IMAGES.first(40)


def linear(seed: int = 0, outputs: int = 2) -> nn.Module:
    return build("linear", shape=IMAGES.shape, outputs=outputs, seed=seed)


def weights(model: nn.Module) -> Tensor:
    return torch.cat([value.flatten().double() for value in model.state_dict().values()])


class StoppedError(Exception):
    pass


@dataclass(frozen=True)
class Remembering:
    """Natural training that counts how often it saw each sample, and can be stopped before a step."""

    name: str = "remembering"
    stop_at: list[int] = field(default_factory=list, compare=False)

    def to_json(self) -> dict[str, Any]:
        return {}

    @dataclass
    class State:
        visits: Tensor
        per_sample: frozenset[str] = frozenset({"visits"})

        def tensors(self) -> dict[str, Tensor]:
            return {"visits": self.visits}

        def load(self, tensors: dict[str, Tensor]) -> None:
            self.visits.copy_(tensors["visits"])

    def prepare(self, model: nn.Module, images: Images, stream: Stream) -> State:
        return self.State(torch.zeros(len(images)))

    def loss(self, model: nn.Module, batch: Batch, state: State) -> tuple[Tensor, dict[str, Tensor]]:
        if self.stop_at and self.stop_at[0] == 0:
            raise StoppedError
        if self.stop_at:
            self.stop_at[0] -= 1
        state.visits[batch.index] += 1
        loss = cross_entropy(model(batch.x), batch.y).mean()
        return loss, {"noise": batch.stream.uniform(batch.index, ()).mean()}


# ---- what a step is ----


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("rate", ["constant", "steps:0.5", "cyclic:0.3"])
def test_a_run_is_the_descent_written_by_hand(optimizer: str, rate: str) -> None:
    recipe = Recipe(3, 16, 0.1, 0.8, 0.01, optimizer, schedule(rate), 0.9, seed=5)
    done = fit(linear(), Natural(), FEW, recipe)
    w, b = (p.detach().clone().requires_grad_() for p in linear().parameters())
    descent: torch.optim.Optimizer = torch.optim.SGD([w, b], 0.1, 0.8, weight_decay=0.01)
    if optimizer == "adam":
        descent = torch.optim.Adam([w, b], 0.1, (0.8, 0.999), weight_decay=0.01)
    average, losses, step = w.detach().clone(), [], 0
    for epoch in range(3):
        order = Stream(5).child("order", epoch).permutation(40)
        total = 0.0
        for rows in order.split(16):
            descent.param_groups[0]["lr"] = (
                0.1
                * {
                    "constant": 1,
                    "steps:0.5": 0.1 if step / 9 >= 0.5 else 1,
                    "cyclic:0.3": min(step / 9 / 0.3, (1 - step / 9) / 0.7),
                }[rate]
            )
            x = FEW.x[rows].flatten(1).float() / 16
            loss = nn.functional.cross_entropy(x @ w.T + b, FEW.y[rows])
            descent.zero_grad()
            loss.backward()
            descent.step()
            average = 0.9 * average + 0.1 * w.detach()
            total, step = total + loss.item() * len(rows), step + 1
        losses.append(total / 40)
    assert torch.allclose(done.model.get_parameter("fc1.weight"), w, atol=1e-6)
    assert done.ema is not None
    assert torch.allclose(done.ema.get_parameter("fc1.weight"), average, atol=1e-6)
    assert [row["loss"] for row in done.history] == pytest.approx(losses, abs=1e-6)
    assert [row["epoch"] for row in done.history] == [1, 2, 3]
    assert (done.steps, done.model.training) == (9, False)


def test_schedules_are_checked() -> None:
    for text in ("step", "steps:", "steps:a", "cyclic:0.1,0.2", "constant:1"):
        with pytest.raises(ValueError, match=r"schedule .* is unknown"):
            schedule(text)
    with pytest.raises(ValueError, match="out of range"):
        Steps((1.5,))
    with pytest.raises(ValueError, match="peak 0 is out of range"):
        Cyclic(0)


def test_training_leaves_the_global_random_state_alone_and_is_a_function_of_the_seed() -> None:
    runs = []
    for seed in (0, 0, 1):
        torch.manual_seed(len(runs))
        before = torch.get_rng_state()
        model = build("net", shape=IMAGES.shape, outputs=2)  # dropout draws from the global state
        runs.append(weights(fit(model, PGDAT(0.1, 2), FEW, Recipe(2, 16, seed=seed)).model))
        assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


def test_dropout_differs_from_step_to_step() -> None:
    seen: list[Tensor] = []

    class Spy(nn.Dropout):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(super().forward(torch.ones_like(x)))
            return x

    model = nn.Sequential(nn.Flatten(), Spy(), nn.Linear(64, 2))
    fit(model, Natural(), FEW, Recipe(1, 20))
    training = seen[-2:]
    assert not torch.equal(*training)


def test_channels_last_changes_the_layout_only() -> None:
    recipe = Recipe(2, 16, 0.05)
    plain, other = (
        fit(build("small-cnn", shape=IMAGES.shape, outputs=2, dropout=0.0), TRADES(0.1, steps=2), FEW, r).model
        for r in (recipe, replace(recipe, channels_last=True))
    )
    assert other.get_parameter("conv2.weight").is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(weights(plain), weights(other), atol=1e-4)


def test_bf16_runs_the_network_in_half_precision_and_nothing_else() -> None:
    kinds = set()

    class Spy(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            kinds.add(x.dtype)
            return x

    @dataclass(frozen=True)
    class Looking(TRADES):
        def loss(self, model: nn.Module, batch: Batch, state: Stateless) -> tuple[Tensor, dict[str, Tensor]]:
            assert model(batch.x).dtype == torch.float32
            return super().loss(model, batch, state)

    def model() -> nn.Module:
        return nn.Sequential(build("mlp", shape=IMAGES.shape, outputs=2, seed=1), Spy())

    recipe = Recipe(4, 16, 0.05, precision="bf16")
    half = fit(model(), Looking(0.1, steps=2), FEW, recipe)
    assert torch.bfloat16 in kinds
    assert all(p.dtype == torch.float32 for p in half.model.parameters())
    kinds.clear()
    half.model(FEW.batch(slice(0, 3)))
    assert kinds == {torch.float32}  # the autocast ended with the run
    full = fit(model(), TRADES(0.1, steps=2), FEW, replace(recipe, precision="float32"))
    assert half.history[-1]["loss"] == pytest.approx(full.history[-1]["loss"], abs=0.02)
    assert not torch.equal(weights(half.model), weights(full.model))


def test_what_the_callback_answers_joins_the_history(tmp_path: Path) -> None:
    def look(epoch: int, model: nn.Module) -> dict[str, float]:
        assert not model.training
        return {"twice": 2.0 * epoch, "nothing": math.nan}

    done = fit(linear(), Natural(), FEW, Recipe(2, 16), folder=tmp_path, on_epoch=look)
    assert [(row["twice"], row["nothing"]) for row in done.history] == [(0.0, None), (2.0, None)]
    with (tmp_path / LOG).open() as file:
        rows = list(csv.DictReader(file))
    assert [row["twice"] for row in rows] == ["0.0", "2.0"]
    assert [float(row["loss"]) for row in rows] == [row["loss"] for row in done.history]


# ---- stopping and going on ----


def run(folder: Path, stop_at: int | None = None) -> Any:
    model = build("net", shape=IMAGES.shape, outputs=2)
    recipe = Recipe(2, 8, 0.05, ema=0.9, optimizer="adam")
    method = Remembering(stop_at=[] if stop_at is None else [stop_at])
    return fit(model, method, FEW, recipe, folder=folder, every=0, on_epoch=lambda epoch, _: {"double": 2 * epoch})


def test_a_run_stopped_before_any_step_ends_in_the_same_bytes(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole")
    assert whole.state.visits.tolist() == [2.0] * 40
    for step in range(10):
        folder = tmp_path / str(step)
        with pytest.raises(StoppedError):
            run(folder, stop_at=step)
        assert run(folder).steps == 10 - step
        for name in (CHECKPOINT, LOG):
            assert (folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), (step, name)


def test_what_a_killed_process_left_half_written_is_removed(tmp_path: Path) -> None:
    for name in (CHECKPOINT, LOG):
        stem, _, suffix = name.partition(".")
        (tmp_path / f".{stem}.0123456789ab.{suffix}").write_bytes(b"half")
    run(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {CHECKPOINT, LOG}


def test_a_finished_run_is_given_back(tmp_path: Path) -> None:
    whole, again = run(tmp_path), run(tmp_path)
    assert again.steps == 0
    assert again.history == whole.history
    assert torch.equal(weights(again.model), weights(whole.model))
    assert torch.equal(weights(again.ema), weights(whole.ema))


SERVER = """
import os, sys
from pathlib import Path
import torch
from deep.fit import Recipe, fit
from deep.images import digits
from deep.models import build
from deep.objectives import PGDAT

images = digits("train").only(1, 3)
# The first run imports a thousand modules: once for all attempts.
torch.set_num_threads(1)
fit(build("net", shape=images.shape, outputs=2), PGDAT(0.1, 2), images.first(2), Recipe(1))
print("ready", flush=True)
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        model = build("net", shape=images.shape, outputs=2)
        fit(model, PGDAT(0.1, 2), images, Recipe(3, 16, ema=0.9), folder=Path(line.strip()), every=0)
        os._exit(0)
    print(pid, flush=True)
    print(os.waitpid(pid, 0)[1], flush=True)
"""


def test_a_run_killed_at_random_moments_ends_in_the_same_bytes(tmp_path: Path) -> None:
    # One process that has loaded torch forks a process for every attempt: the attempts are killed, not it.
    moments, kills = random.Random(7), 0
    file = tmp_path / "killed" / CHECKPOINT
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        talk, listen = server.stdin, server.stdout
        assert talk is not None
        assert listen is not None
        assert listen.readline() == "ready\n"

        def attempt(name: str, checkpoints: int | None) -> int:
            """The status of a run in this folder, killed a moment after it wrote so many checkpoints."""
            print(tmp_path / name, file=talk, flush=True)
            pid, written, last = int(listen.readline()), 0, inode()
            while checkpoints is not None and written < checkpoints and alive(pid):
                now = inode()
                written, last = written + (now != last), now
                time.sleep(0.0005)
            if checkpoints is not None:
                time.sleep(moments.uniform(0, 0.02))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return int(listen.readline())

        def alive(pid: int) -> bool:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return False
            return True

        def inode() -> int | None:
            try:
                return file.stat().st_ino
            except FileNotFoundError:
                return None

        while attempt("killed", moments.choice([0, 1, 3, 5, 7])) == signal.SIGKILL:
            kills += 1
        assert attempt("whole", None) == 0
        talk.close()
    assert kills >= 5
    for name in (CHECKPOINT, LOG):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert {path.name for path in (tmp_path / "killed").iterdir()} == {CHECKPOINT, LOG}


def test_another_recipe_method_or_data_set_is_another_run(tmp_path: Path) -> None:
    recipe = Recipe(1, 16)
    fit(linear(), PGDAT(0.1, 1), FEW, recipe, folder=tmp_path)
    before = (tmp_path / CHECKPOINT).read_bytes()
    others: list[tuple[nn.Module, Any, Images, Recipe, str]] = [
        (linear(), PGDAT(0.1, 1), FEW, replace(recipe, lr=0.02), "recipe.lr is 0.01 there and 0.02 here"),
        (linear(), PGDAT(0.2, 1), FEW, recipe, "method.options.eps is 0.1 there and 0.2 here"),
        (linear(), PGDAT(0.1, 1), IMAGES.first(41), recipe, "images.count is 40 there and 41 here"),
        (linear(), PGDAT(0.1, 1), replace(FEW, high=2.0), recipe, r"images.box is \[0.0, 1.0\] there and \[0.0, 2.0\]"),
        (linear(outputs=3), PGDAT(0.1, 1), FEW, recipe, "model.architecture.outputs is 2 there and 3 here"),
    ]
    for model, method, images, other, sentence in others:
        with pytest.raises(CheckpointError, match=f"belongs to another run: {sentence}"):
            fit(model, method, images, other, folder=tmp_path)
    with pytest.raises(FileExistsError, match="holds a checkpoint; resume that run, or name another folder"):
        fit(linear(), PGDAT(0.1, 1), FEW, recipe, folder=tmp_path, resume=False)
    assert (tmp_path / CHECKPOINT).read_bytes() == before


# ---- what goes wrong ----


@dataclass(frozen=True)
class Breaking:
    """Natural training that breaks in the second epoch: in the loss, or only in its gradient."""

    where: str
    name: str = "breaking"

    def prepare(self, model: nn.Module, images: Images, stream: Stream) -> Stateless:
        return Stateless()

    def loss(self, model: nn.Module, batch: Batch, state: Stateless) -> tuple[Tensor, dict[str, Tensor]]:
        loss = cross_entropy(model(batch.x), batch.y).mean()
        if batch.epoch == 1:
            zero = next(model.parameters()).sum() * 0
            loss = loss * math.nan if self.where == "loss" else loss + zero.sqrt()
        return loss, {}


@pytest.mark.parametrize("where", ["loss", "weights"])
@pytest.mark.filterwarnings("ignore:Anomaly")
def test_a_run_that_diverges_stops_and_keeps_its_last_checkpoint(tmp_path: Path, where: str) -> None:
    reason = "the loss is not finite" if where == "loss" else r".*(not finite)"
    with pytest.raises(DivergedError, match=rf"diverged in epoch 2, step \d: {reason}; a smaller learning rate"):
        fit(linear(), Breaking(where), FEW, Recipe(3, 16), folder=tmp_path, every=0)
    found = Checkpoint.read(tmp_path / CHECKPOINT)
    assert (found.epoch, found.step) == (1, 0)
    assert all(torch.isfinite(value).all() for value in found.part("model").values())


def test_bad_weights_labels_and_networks_are_refused() -> None:
    model = linear()
    model.get_parameter("fc1.bias").data.fill_(math.nan)
    with pytest.raises(ValueError, match=r"the network: fc1.bias holds numbers that are not finite"):
        fit(model, Natural(), FEW, Recipe(1))
    with pytest.raises(ValueError, match="label 2 is out of range; a network with 2 outputs knows 0 to 1"):
        fit(linear(), Natural(), digits("train").only(0, 1, 2), Recipe(1))
    with pytest.raises(ValueError, match="no parameter that asks for a gradient"):
        fit(linear().requires_grad_(False), Natural(), FEW, Recipe(1))
    with pytest.raises(ValueError, match=r"the network answers the shape \(1, 1, 8, 8\)"):
        fit(nn.Conv2d(1, 1, 1), Natural(), FEW, Recipe(1))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("batch", 0),
        ("lr", 0.0),
        ("lr", math.nan),
        ("momentum", 1.0),
        ("weight_decay", -1.0),
        ("optimizer", "lbfgs"),
        ("ema", 1.0),
        ("precision", "fp8"),
    ],
)
def test_recipes_are_checked(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name} {value!r} is out of range; allowed are "):
        Recipe(**{"epochs": 1, name: value})


def test_a_damaged_checkpoint_stops_the_run(tmp_path: Path) -> None:
    fit(linear(), Natural(), FEW, Recipe(1, 16), folder=tmp_path)
    content = (tmp_path / CHECKPOINT).read_bytes()
    (tmp_path / CHECKPOINT).write_bytes(content[:-7])
    with pytest.raises(CheckpointError, match="is truncated"):
        fit(linear(), Natural(), FEW, Recipe(1, 16), folder=tmp_path)


def test_learning_works() -> None:
    done = fit(linear(), Natural(), IMAGES, Recipe(10, 32, 0.1))
    z = done.model(IMAGES.batch(slice(None)))
    assert int((z.argmax(1) != IMAGES.y).sum()) <= 2

"""Training and attacks in units of the least they could cost: ratios in one run, on one thread.

    python tests/benchmarks/bench_deep.py [--json] [--rounds 5] [--only WORD] [--device cpu] [--official FOLDER]

Each row is a task beside its yardstick, in turns; the least seconds of each over the rounds are compared. K + 1 plain
steps is what an attack of K gradients and one descent cost if an input gradient cost as much as a step. A row is a
function that makes (task, yardstick), by its name in ``ROWS``; add yours. Exit code 1 if a goal is missed.

With ``--official`` two more rows compare our steps with those of the public TRADES code (github.com/yaodongyu/TRADES),
checked out in FOLDER: its own functions, as they are but for the device.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
import tempfile
import time
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from deep.attack import PGD, attack  # noqa: E402 - after the path to the checkout is set
from deep.checkpoint import Checkpoint  # noqa: E402
from deep.fit import Recipe, fit  # noqa: E402
from deep.images import Images  # noqa: E402
from deep.models import build  # noqa: E402
from deep.objectives import TRADES, BinaryTRADES, CertifiedTRADES, Natural  # noqa: E402
from deep.scores import predicted  # noqa: E402
from deep.stack import Stack, Together  # noqa: E402
from theory.record import Record  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    Task = Callable[[], object]

BATCH = 128
GENERATOR = torch.Generator().manual_seed(0)


def pictures(batches: int, classes: int = 10) -> Images:
    """Noise of MNIST's shape: times do not depend on the pixels, except where an attack stops early."""
    x = torch.randint(0, 256, (BATCH * batches, 1, 28, 28), generator=GENERATOR)
    return Images.new(x, torch.arange(BATCH * batches) % classes, scale=255, classes=classes)


def trainer(model: torch.nn.Module, method: Any, images: Images, device: str, **options: Any) -> Task:
    """One epoch, from wherever the network is."""
    model.to(device)
    moved = images.to(device)

    def task() -> None:
        fit(model, method, moved, Recipe(1, BATCH, 1e-4, **options), progress=False)

    return task


def small_cnn(device: str) -> tuple[Task, Task]:
    """TRADES, K = 10, in channels_last, against 11 plain steps."""
    images, plain = pictures(1), pictures(11)
    model = build("small-cnn", shape=images.shape, outputs=10)
    # It starts at zero, where every gradient is zero and the attack has nothing to do.
    torch.nn.init.normal_(model.get_parameter("fc3.weight"), std=0.05)
    ours = trainer(model, TRADES(0.3, steps=10), images, device, channels_last=True)
    return ours, trainer(build("small-cnn", shape=images.shape, outputs=10), Natural(), plain, device)


def binary_hinge(device: str) -> tuple[Task, Task]:
    """TRADES of one score with the hinge, K = 20, against 21 plain steps, late in training: the network is trained
    first, and lam such that f(x)^2 > lam at 93 of 100 samples, where the hinge's gradient is exactly 0.
    """
    images, plain = bars(2), pictures(42, 2)
    model = build("net", shape=images.shape, outputs=1)
    fit(model, Natural(), bars(8), Recipe(10, BATCH, 0.05), progress=False)
    with torch.no_grad():
        lam = float(model.eval()(images.batch(slice(None))).square().quantile(0.07))
    ours = trainer(model, BinaryTRADES(0.1, lam, 20, 0.01), images, device)
    return ours, trainer(build("net", shape=images.shape, outputs=1), Natural(), plain, device)


def interval_bounds(device: str) -> tuple[Task, Task]:
    """Certified TRADES against plain steps."""
    images = pictures(4, 2)
    ours = trainer(build("net", shape=images.shape, outputs=1), CertifiedTRADES(0.1), images, device)
    return ours, trainer(build("net", shape=images.shape, outputs=1), Natural(), images, device)


def eight_runs(device: str) -> tuple[Task, Task]:
    """Eight runs of a small network with lambdas of their own, as one stack, against one of them."""
    images = pictures(2)
    lams = [0.2 * 2**k for k in range(8)]
    stack = Stack([build("mlp", shape=images.shape, outputs=10, seed=seed, width=32) for seed in range(8)])
    together = Together(tuple(TRADES(0.1, lam, 10) for lam in lams))
    ours = trainer(stack, together, images, device, seed=tuple(range(8)))
    one = build("mlp", shape=images.shape, outputs=10, width=32)
    return ours, trainer(one, TRADES(0.1, 1.0, 10), images, device)


def eight_nets(device: str) -> tuple[Task, Task]:
    """The same with the network of the TRADES code."""
    images = pictures(1)
    stack = Stack([build("net", shape=images.shape, outputs=10, seed=seed) for seed in range(8)])
    ours = trainer(stack, Natural(), images, device, seed=tuple(range(8)))
    return ours, trainer(build("net", shape=images.shape, outputs=10), Natural(), images, device)


def checkpoint(device: str) -> tuple[Task, Task]:
    """Writing and reading a checkpoint of 10 million numbers against copying them once (memory to memory)."""
    tensors = {f"model/{k}": torch.rand(1000, 1000, generator=GENERATOR, device="cpu") for k in range(10)}
    folder = tempfile.TemporaryDirectory()  # removed with the task that holds it
    made = Checkpoint({"device": device}, 0, 0, 0, [], tensors)

    def ours() -> None:
        made.write(Path(folder.name) / "a")
        Checkpoint.read(Path(folder.name) / "a")

    return ours, lambda: [t.clone() for t in tensors.values()]


def bars(batches: int) -> Images:
    """Two classes that a network tells apart at once: a bright left or right half, and noise."""
    x, y = torch.randint(0, 100, (BATCH * batches, 1, 28, 28), generator=GENERATOR), torch.arange(BATCH * batches) % 2
    x[..., :14] += 150 * (1 - y[:, None, None, None])
    x[..., 14:] += 150 * y[:, None, None, None]
    return Images.new(x, y, scale=255, classes=2)


def pgd40(device: str) -> tuple[Task, Task]:
    """PGD-40 on 1,000 images, none of which it fools, against one second: the goal is in seconds."""
    images = pictures(8)
    x, y = images.batch(slice(0, 1000)).to(device), images.y[:1000].to(device)
    model = build("net", shape=images.shape, outputs=10).to(device).eval()
    y = predicted(model(x))  # labels that it agrees with, and a radius at which it keeps them

    def task() -> None:
        attack(model, x, y, PGD(40, stop=False), eps=1e-4, batch=500)

    return task, lambda: None


def official(folder: str, name: str, function: str, scope: dict[str, Any]) -> Any:
    """A function of the public code, on the CPU: its source without ``.cuda()``."""
    source = (Path(folder) / name).read_text(encoding="utf-8").replace(".cuda()", "")
    found = next(n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef) and n.name == function)
    exec(ast.get_source_segment(source, found) or "", scope)
    return scope[function]


def official_trades(folder: str) -> Callable[[str], tuple[Task, Task]]:
    """Our multi-class step, K = 10, against the public one."""

    def make(device: str) -> tuple[Task, Task]:
        images = pictures(1)
        ours = small_cnn(device)[0]
        model = build("small-cnn", shape=images.shape, outputs=10)
        torch.nn.init.normal_(model.get_parameter("fc3.weight"), std=0.05)
        scope = {"torch": torch, "nn": torch.nn, "F": torch.nn.functional, "Variable": torch.autograd.Variable}
        trades_loss = official(folder, "trades.py", "trades_loss", scope)
        optimizer = torch.optim.SGD(model.parameters(), 1e-4, 0.9)
        x, y = images.batch(slice(None)), images.y

        def theirs() -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                trades_loss(model, x, y, optimizer, 0.075, 0.3, 10).backward()
            optimizer.step()

        return ours, theirs

    return make


def official_binary(folder: str) -> Callable[[str], tuple[Task, Task]]:
    """Our step of one score with the hinge, K = 20, late in training, against the public one."""

    def make(device: str) -> tuple[Task, Task]:
        images = bars(2)
        ours, _ = binary_hinge(device)
        model = build("net", shape=images.shape, outputs=1)
        fit(model, Natural(), bars(8), Recipe(10, BATCH, 0.05), progress=False)
        with torch.no_grad():
            lam = float(model.eval()(images.batch(slice(None))).square().quantile(0.07))
        args = argparse.Namespace(num_steps=20, step_size=0.01, epsilon=0.1, beta=lam)
        perturb = official(folder, "train_trades_mnist_binary.py", "perturb_hinge", {"torch": torch, "args": args})
        optimizer = torch.optim.SGD(model.parameters(), 1e-4, 0.9)

        def theirs() -> None:  # the loop of the script's ``train``
            for rows in (slice(0, BATCH), slice(BATCH, 2 * BATCH)):
                x, y = images.batch(rows), 2.0 * images.y[rows] - 1
                x_adv = perturb(model, x)
                optimizer.zero_grad()
                loss = torch.clamp(1 - model(x).squeeze(1) * y, min=0).mean()
                loss = loss + torch.clamp(1 - model(x_adv).squeeze(1) * (model(x).squeeze(1) / lam), min=0).mean()
                loss.backward()
                optimizer.step()

        return ours, theirs

    return make


# name -> (what makes the row, its goal on the CPU and on a GPU; None: shown only)
ROWS: dict[str, tuple[Callable[[str], tuple[Task, Task]], float | None, float | None]] = {
    "SmallCNN TRADES K=10 / 11 plain steps": (small_cnn, 0.85, None),
    "Net binary hinge K=20 / 21 plain steps": (binary_hinge, 0.45, None),
    "Net certified TRADES / plain step": (interval_bounds, 4.0, None),
    "8 runs of an MLP, TRADES K=10 / 1 run": (eight_runs, None, 2.5),
    "8 runs of Net, natural / 1 run": (eight_nets, None, 2.5),
    "checkpoint of 10^7 numbers / copy": (checkpoint, None, None),
    "PGD-40 on 1,000 images, in seconds": (pgd40, 10.0, None),
}
OFFICIAL: dict[str, tuple[Callable[[str], Callable[[str], tuple[Task, Task]]], float]] = {
    "SmallCNN TRADES K=10 / public code": (official_trades, 0.60),
    "Net binary hinge K=20 / public code": (official_binary, 0.25),
}


def seconds(task: Task, device: str) -> float:
    if device != "cpu":
        torch.cuda.synchronize()
    start = time.perf_counter() if device != "cpu" else time.process_time()
    task()
    if device != "cpu":
        torch.cuda.synchronize()
    return (time.perf_counter() if device != "cpu" else time.process_time()) - start


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure training and attacks.")
    parser.add_argument("--json", action="store_true", help="print a record in JSON instead of the table")
    parser.add_argument("--rounds", type=int, default=5, help="turns of every task and its yardstick (default 5)")
    parser.add_argument("--only", default="", metavar="WORD", help="the rows with this word in their names")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--official", metavar="FOLDER", help="a checkout of the public TRADES code (CPU only)")
    arguments = parser.parse_args()
    table = dict(ROWS)
    if arguments.official:
        table |= {name: (make(arguments.official), goal, None) for name, (make, goal) in OFFICIAL.items()}
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    for name, (make, on_cpu, on_gpu) in table.items():
        if arguments.only.lower() not in name.lower():
            continue
        task, yardstick = make(arguments.device)
        task(), yardstick()  # the first runs allocate, and import
        pairs = [[seconds(t, arguments.device) for t in (task, yardstick)] for _ in range(max(1, arguments.rounds))]
        ours, other = (min(times) for times in zip(*pairs, strict=True))
        other = 1.0 if "in seconds" in name else other
        goal = on_cpu if arguments.device == "cpu" else on_gpu
        ratio = ours / other
        rows.append({"what": name, "seconds": ours, "yardstick": other, "ratio": ratio, "goal": goal,
                     "met": goal is None or ratio <= goal})  # fmt: skip
        if not arguments.json:
            verdict = "" if goal is None else f"  goal {goal:g} {'met' if rows[-1]['met'] else 'MISSED'}"
            print(f"{name:<42} {ours:8.4f} s {other:8.4f} s {ratio:7.2f}{verdict}", flush=True)
    if arguments.json:
        record = Record.new("tightrope.bench.deep/1", rows, command="tests/benchmarks/bench_deep.py")
        print(json.dumps({**asdict(record), "sha256": record.sha256}, indent=1))
    return 0 if all(row["met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())

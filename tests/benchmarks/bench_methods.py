"""What SENSE, IAAT and PGN cost a step, in units of adversarial training by PGD-10. One thread.

    python tests/benchmarks/bench_methods.py [--json] [--data digits|FOLDER] [--model net] [--epochs 12] [--shrink 4]
                                             [--batch 32] [--device cpu] [--only iaat sense pgn]

IAAT and SENSE are trained; at the first epoch, in the middle and at the end some batches are taken through the method
and through PGD-AT, from the same weights and in turns, and the least seconds of the rounds are compared. SENSE begins
with a naturally trained network, and its shares of the three stages are printed. PGN and PGD-10 in l2 are compared on
PGN's networks with 1/``shrink`` of the filters; FGM is there, too. Exit code 1 if IAAT misses its goal.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from deep.fit import Recipe, fit  # noqa: E402 - after the path to the checkout is set
from deep.images import Images, load  # noqa: E402
from deep.models import build  # noqa: E402
from deep.objectives import FGM, IAAT, PGDAT, PGN, SENSE, Batch, Natural  # noqa: E402
from deep.stream import Stream  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    Row = dict[str, Any]

GOAL = 3.2
"""IAAT's, in units of PGD-AT."""


def batches(images: Images, size: int, count: int, epoch: int) -> list[Batch]:
    """The first ``count`` batches of an epoch."""
    order = Stream(0).child("order", epoch).permutation(len(images)).to(images.y.device)
    stream = Stream(0).child("noise", epoch)
    return [
        Batch(images.batch(rows), images.y[rows], rows, epoch, 0.5, stream, images.low, images.high)
        for rows in order.split(size)[:count]
    ]


def passes(model: torch.nn.Module, method: Any, state: Any, some: list[Batch]) -> Callable[[], None]:
    """The steps of a method on some batches, without the optimizer's; the network and the state stay as they are."""

    def run() -> None:
        kept = {name: tensor.clone() for name, tensor in state.tensors().items()}
        model.train()
        for batch in some:
            model.zero_grad(set_to_none=True)
            method.loss(model, batch, state)[0].backward()
        if batch.x.is_cuda:
            torch.cuda.synchronize()
        state.load(kept)

    return run


def shortest(runs: list[Callable[[], None]], args: argparse.Namespace) -> list[float]:
    """The least seconds of each (on the CPU those of the process alone), in turns, after a round to warm up."""
    clock = time.process_time if args.device == "cpu" else time.perf_counter
    for run in runs:
        run()
    found = []
    for _ in range(args.rounds):
        times = []
        for run in runs:
            start = clock()
            run()
            times.append(clock() - start)
        found.append(times)
    return [min(times) for times in zip(*found, strict=True)]


def along(args: argparse.Namespace, method: Any, natural: int) -> list[Row]:
    """A method's steps against those of PGD-AT at the first epoch, in the middle and at the end of a run."""
    images = load(args.data).to(args.device)
    model = build(args.model, shape=images.shape, outputs=images.classes).to(args.device)
    if natural:
        fit(model, Natural(), images, Recipe(natural, 64, args.lr), progress=False)
    marks = {0: "first", args.epochs // 2: "middle", args.epochs - 1: "last"}
    rows: list[Row] = []
    seen: dict[int, torch.nn.Module] = {0: copy.deepcopy(model)}
    states: dict[int, dict[str, torch.Tensor]] = {}

    class Watched:
        """The method, whose state is looked at."""

        name = method.name
        loss = staticmethod(method.loss)

        @staticmethod
        def to_json() -> object:
            return {}

        @staticmethod
        def prepare(*given: Any) -> Any:
            Watched.state = method.prepare(*given)
            states[0] = {k: v.clone() for k, v in Watched.state.tensors().items()}
            return Watched.state

    def keep(epoch: int, net: torch.nn.Module) -> None:
        if epoch + 1 in marks:
            seen[epoch + 1] = copy.deepcopy(net).requires_grad_(True)
            states[epoch + 1] = {k: v.clone() for k, v in Watched.state.tensors().items()}

    done = fit(model, Watched, images, Recipe(args.epochs, 64, args.lr), progress=False, on_epoch=keep)
    plain = PGDAT(args.eps, 10)
    for epoch, where in marks.items():
        net, some = seen[epoch], batches(images, 64, args.count, max(epoch, getattr(method, "warm_up", 0)))
        state = method.prepare(net, images, Stream(0))
        state.load(states[epoch])
        ours, theirs = shortest(
            [passes(net, method, state, some), passes(net, plain, plain.prepare(net, images, Stream(0)), some)],
            args,
        )
        history = done.history[epoch]
        names = ("natural", "reversed", "full", "attacks", "eps", "right")
        rows.append({"method": method.name, "epoch": where, "milliseconds": round(1000 * ours / len(some), 1),
                     "pgd-at": round(1000 * theirs / len(some), 1), "ratio": round(ours / theirs, 2),
                     **{k: round(history[k], 4) for k in names if k in history}})  # fmt: skip
    return rows


def generator(args: argparse.Namespace) -> list[Row]:
    """PGN, FGM and PGD-10 in l2 on PGN's networks."""
    draw = torch.Generator().manual_seed(0)
    x = torch.randint(0, 256, (args.batch, 3, 32, 32), generator=draw)
    images = Images.new(x, torch.arange(args.batch) % 10, scale=255).to(args.device)
    net = build("conv-pool-cnn", shape=images.shape, outputs=10, width=64 // args.shrink).to(args.device)
    made = PGN(width=128 // args.shrink, hidden=1024 // args.shrink)
    methods = [made, PGDAT(0.1, 10, ord=2), FGM(0.1), Natural()]
    some = batches(images, args.batch, 1, 0)
    runs = [passes(net, method, method.prepare(net, images, Stream(0)), some) for method in methods]
    ours, pgd, fgm, plain = shortest(runs, args)
    return [{"method": "pgn", "shrink": args.shrink, "batch": args.batch, "milliseconds": round(1000 * ours, 1),
             "pgd-10/pgn": round(pgd / ours, 2), "pgn/fgm": round(ours / fgm, 2), "pgn/plain": round(ours / plain, 2),
             "pgd-10/plain": round(pgd / plain, 2)}]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", default="digits")
    parser.add_argument("--model", default="net")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--eps", type=float, default=0.1)
    parser.add_argument("--lr", type=float, default=0.05)
    parser.add_argument("--count", type=int, default=6, help="batches of 64 that are timed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--c", nargs="+", type=float, default=[0.5, 0.7])
    parser.add_argument("--shrink", type=int, default=4)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--only", nargs="+", choices=("iaat", "sense", "pgn"), default=["iaat", "sense", "pgn"])
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[Row] = []
    if "iaat" in args.only:
        rows += along(args, IAAT(args.eps, warm_up=args.epochs // 4), 0)
    if "sense" in args.only:
        for c in args.c:
            rows += [{**row, "c": c} for row in along(args, SENSE(args.eps, c), args.epochs)]
    if "pgn" in args.only:
        rows += generator(args)
    for row in rows:
        print(json.dumps(row) if args.json else "  ".join(f"{key} {value}" for key, value in row.items()))
    return int(any(row["method"] == "iaat" and row["ratio"] > GOAL for row in rows))


if __name__ == "__main__":
    sys.exit(main())

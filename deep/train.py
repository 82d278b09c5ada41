"""Train a network by any method, on any data set, with an exact resume.

    python -m deep.train --data digits --method trades --eps 0.1 --lam 0.5 --epochs 3 --out FOLDER
    torchrun --nproc-per-node 4 -m deep.train ... --device cuda

The folder gets ``checkpoint.safetensors``, ``log.csv`` and, at the end, ``record.json``, which says what was run, on
what, and what came out: errors on clean samples as counts.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from deep import distributed
from deep.checkpoint import Checkpoint
from deep.fit import CHECKPOINT, Fit, Recipe, fit
from deep.images import Images, load
from deep.models import BUILDERS, build, parameter_count
from deep.objectives import METHODS, has_option, method
from deep.purity import untouched
from deep.schedules import schedule
from deep.scores import wrong
from theory import cli
from theory.record import Record
from theory.table import Table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from torch import Tensor, nn

SCHEMA = "tightrope.train/1"
_OPTIONS = (
    "eps", "lam", "steps", "step_size", "ord", "surrogate", "adversary", "divergence", "ramp", "c", "reference",
    "reversion", "gamma", "beta", "warm_up", "lower", "first", "selection_steps", "search", "eta", "largest", "split",
    "targeted", "cost", "rate", "penalty", "gradient", "image", "label", "width", "hidden", "share", "alpha", "sigma",
)  # fmt: skip
_COLUMNS = ("data", "method", "model", "parameters", "epochs", "train_errors", "train", "test_errors", "test")


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m deep.train``."""
    example = "--data digits --method trades --eps 0.1 --out trained"
    parser = cli.parser("deep.train", "Train a network; what is random is a function of --seed.", example)
    parser.add_argument("--data", default="digits", metavar="digits|FOLDER", help="images (default digits, embedded)")
    parser.add_argument(
        "--classes", nargs="+", type=cli.count_type("classes", 0), help="these labels only, in this order"
    )
    parser.add_argument(
        "--limit",
        type=cli.count_type("limit"),
        metavar="N",
        help="train on N images only, chosen at random once and for all",
    )
    parser.add_argument("--cache", type=Path, metavar="FILE", help="keep decoded pictures in this .npz file")
    parser.add_argument("--model", choices=BUILDERS, default="net", help="the network (default net)")
    parser.add_argument(
        "--outputs", type=cli.count_type("outputs"), help="1 for a score (default for two classes), or K"
    )
    parser.add_argument("--start", type=Path, metavar="CHECKPOINT", help="begin with the weights of that run")
    parser.add_argument("--method", choices=METHODS, default="natural", help="the objective (default natural)")
    parser.add_argument("--eps", type=cli.radius_type("eps"), help="the radius, such as 8/255 (default 0.1)")
    parser.add_argument("--lam", type=cli.fraction_type("lam", "(0, inf)"), help="TRADES' lambda")
    parser.add_argument("--steps", type=cli.count_type("steps"), help="steps of the attack")
    parser.add_argument("--step-size", type=cli.fraction_type("step-size", "(0, inf)"), help="length of a step")
    parser.add_argument("--ord", choices=("2", "inf"), help="the adversary's norm (default inf)")
    parser.add_argument("--surrogate", metavar="LOSS", help="the margin loss of the binary methods (default hinge)")
    parser.add_argument("--adversary", choices=("phi", "margin"), help="what the binary attack ascends (default phi)")
    parser.add_argument("--divergence", choices=("kl", "ce"), help="TRADES' second term (default kl)")
    parser.add_argument("--ramp", type=cli.probability_type("ramp"), help="share of the run over which eps grows")
    _add_method_options(parser)
    parser.add_argument("--epochs", type=cli.count_type("epochs"), default=20, help="default 20")
    parser.add_argument("--batch", type=cli.count_type("batch"), default=64, help="default 64")
    parser.add_argument("--lr", type=cli.fraction_type("lr", "(0, inf)"), default="1/20", help="default 0.05")
    parser.add_argument("--momentum", type=cli.fraction_type("momentum", "[0, 1)"), default="9/10", help="default 0.9")
    parser.add_argument("--weight-decay", type=cli.fraction_type("weight-decay", "[0, inf)"), default="0")
    parser.add_argument("--optimizer", choices=("sgd", "adam"), default="sgd")
    parser.add_argument("--schedule", default="constant", help="constant, steps:0.75,0.9 or cyclic:0.4")
    parser.add_argument(
        "--ema", type=cli.fraction_type("ema", "[0, 1)"), help="decay of a moving average of the weights"
    )
    parser.add_argument("--precision", choices=("float32", "bf16"), default="float32")
    parser.add_argument("--channels-last", action="store_true", help="a memory format, faster for convolutions")
    parser.add_argument("--seed", type=cli.count_type("seed", 0), default=0, help="default 0")
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda, cuda:1 ...")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="where the run leaves its files (default trained-METHOD)"
    )
    parser.add_argument("--every", type=cli.fraction_type("every", "[0, inf)"), default="60", metavar="SECONDS",
                        help="a checkpoint at least so often (default 60), and after each epoch")  # fmt: skip
    parser.add_argument("--resume", action="store_true", help="go on from the folder's checkpoint")
    cli.add_output_options(parser)
    return cli.run(parser, _train, argv)


def _add_method_options(parser: argparse.ArgumentParser) -> None:
    """What one method only takes; None is the method's own default."""
    positive, factor = "(0, inf)", cli.fraction_type
    sense = parser.add_argument_group("SENSE")
    sense.add_argument("--c", type=cli.probability_type("c"), help="least probability of the label (default 1/2)")
    sense.add_argument("--reference", choices=("current", "start"), help="who judges (default current)")
    sense.add_argument("--reversion", choices=("break", "noise"), help="after a step too far (default break)")
    iaat = parser.add_argument_group("IAAT")
    iaat.add_argument("--gamma", type=factor("gamma", positive), help="width of a step (default 1.9/8 eps)")
    iaat.add_argument("--beta", type=factor("beta", "(0, 1]"), help="smoothing (default 1/10)")
    iaat.add_argument("--warm-up", type=cli.count_type("warm-up", 0), help="epochs at eps (default 5)")
    iaat.add_argument("--lower", type=cli.radius_type("lower"), help="least radius (default 0)")
    iaat.add_argument("--first", type=cli.radius_type("first"), help="first radius (default eps)")
    iaat.add_argument("--selection-steps", type=cli.count_type("selection-steps"), help="default those of training")
    iaat.add_argument("--search", choices=("step", "line"), help="Algorithm 2 (default) or a line search")
    iaat.add_argument("--eta", type=factor("eta", positive), help="grid of the line search (default gamma)")
    iaat.add_argument("--largest", type=factor("largest", positive), help="end of the line search (default 2 eps)")
    iaat.add_argument("--no-split", dest="split", action="store_const", const=False, help="attack wrong samples, too")
    iaat.add_argument("--targeted", action="store_const", const=True, help="attacks aim at random other labels")
    pgn = parser.add_argument_group("PGN")
    pgn.add_argument("--cost", type=factor("cost", positive), help="c_L (default 50)")
    pgn.add_argument("--rate", type=factor("rate", positive), help="the generator's learning rate (default 5e-4)")
    pgn.add_argument("--penalty", choices=("perturbation", "output"), help="what c_L punishes (default perturbation)")
    for name in ("gradient", "image", "label"):
        pgn.add_argument(f"--no-{name}", dest=name, action="store_const", const=False, help=f"hide the {name} from it")
    pgn.add_argument("--width", type=cli.count_type("width"), help="channels of the generator (default 128)")
    pgn.add_argument("--hidden", type=cli.count_type("hidden"), help="its dense units (default 1024, of points 64)")
    others = parser.add_argument_group("baselines")
    others.add_argument("--share", type=cli.probability_type("share"), help="attacked part of a batch (default 1/2)")
    others.add_argument("--alpha", type=cli.probability_type("alpha"), help="weight of attacked samples (default 1/2)")
    others.add_argument("--sigma", type=cli.radius_type("sigma"), help="deviation of the noise")


def _train(args: argparse.Namespace) -> None:
    if args.eps is None and has_option(args.method, "eps"):
        args.eps = Fraction(1, 10)
    args.out = args.out or Path(f"trained-{args.method}")
    objective = method(args.method, **{name: _number(getattr(args, name)) for name in _OPTIONS})
    recipe = Recipe(
        args.epochs, args.batch, float(args.lr), float(args.momentum), float(args.weight_decay), args.optimizer,
        schedule(args.schedule), _number(args.ema), args.seed, args.precision, args.channels_last,
    )  # fmt: skip
    _check_device(args.device)
    images, held_out = (_images(args, part) for part in ("train", "test"))
    images = images if args.limit is None else images.some(args.limit)
    outputs = args.outputs or (1 if images.classes == 2 else images.classes)
    with distributed.joined(args.device) as device:
        model = build(args.model, shape=images.shape, outputs=outputs, seed=args.seed).to(device)
        if args.start is not None:
            _start(model, args.start)
        done = fit(model, objective, images, recipe, folder=args.out, every=float(args.every), resume=args.resume)
        if distributed.world().rank == 0:
            _report(args, done, images, held_out, dataclasses.asdict(recipe))


def _report(args: argparse.Namespace, done: Fit, images: Images, held_out: Images, recipe: dict[str, Any]) -> None:
    row = {
        "data": images.name, "method": args.method, "model": args.model, "parameters": parameter_count(done.model),
        "epochs": args.epochs, "train_errors": errors(done.model, images), "train": len(images),
        "test_errors": errors(done.model, held_out), "test": len(held_out),
    }  # fmt: skip
    if done.ema is not None:
        row["ema_test_errors"] = errors(done.ema, held_out)
    data = {
        "row": row,
        "options": {name: _written(getattr(args, name)) for name in _OPTIONS},
        "start": None if args.start is None else str(args.start),
        "recipe": {**recipe, "schedule": args.schedule},
        "images": {"train": images.digest, "test": held_out.digest},
        "history": list(done.history),
        "steps": done.steps,
        "seconds": round(done.seconds, 3),
        "device": str(next(done.model.parameters()).device),
        "processes": distributed.world().size,
        "checkpoint": CHECKPOINT,
    }
    Record.new(SCHEMA, data, command=cli.command(args), seeds={"train": args.seed}).write(args.out / "record.json")
    cli.emit(Table([*_COLUMNS, *(["ema_test_errors"] if done.ema is not None else [])], [row]), args, schema=SCHEMA)


def errors(model: nn.Module, images: Images, batch: int = 1000) -> int:
    """How many samples the network gets wrong (a score of 0 and a tie are wrong); the network is left untouched."""
    device = next(model.parameters()).device
    count = 0
    with untouched(model) as net, torch.no_grad():
        for at in range(0, len(images), batch):
            rows = slice(at, at + batch)
            z: Tensor = net(images.batch(rows).to(device))
            count += int(wrong(z, images.y[rows].to(device)).sum())
    return count


def _start(model: nn.Module, path: Path) -> None:
    """Give the network the weights of a checkpoint."""
    weights = Checkpoint.read(path).part("model")
    if {k: v.shape for k, v in weights.items()} != {k: v.shape for k, v in model.state_dict().items()}:
        raise ValueError(f"{path} holds another network; give --model, --classes and --outputs as in that run")
    model.load_state_dict(weights)


def _images(args: argparse.Namespace, part: str) -> Images:
    cache = args.cache and args.cache.with_name(f"{args.cache.stem}-{part}{args.cache.suffix or '.npz'}")
    images = load(args.data, part, cache=cache)
    return images.only(*args.classes) if args.classes else images


def _check_device(device: str) -> None:
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"device {device!r} cannot be used ({reason}); cpu always can") from None


def _number(value: Fraction | str | None) -> Any:
    """What a method takes: floats, and words as they are."""
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, str):
        return {"2": 2.0, "inf": math.inf}.get(value, value)
    return float(value)


def _written(value: Fraction | str | int | None) -> str | int | None:
    return value if value is None or isinstance(value, str | int) else str(value)


if __name__ == "__main__":
    sys.exit(main())

"""Judge trained networks: what attacks fool, what a certificate proves, and what that says of new data.

    python -m deep.evaluate trained/checkpoint.safetensors --data digits --eps 0.05 0.1

For every network and radius: the errors of each attack, the robust risk between attack and certificate, and its
confidence limits; of several networks (seeds), their spread apart from those limits.
"""

from __future__ import annotations

import math
import sys
import warnings
from contextlib import contextmanager
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deep.attack import PGD, AttackWarning, health, transfer
from deep.certify.bounds import METHODS
from deep.checkpoint import Checkpoint, load_model
from deep.fit import CHECKPOINT
from deep.images import Images, load
from deep.stream import Stream
from deep.studies import ATTACKS, nearest, sweep
from deep.studies.judge import check_shape
from theory import cli
from theory.confidence import clopper_pearson
from theory.enclosure import Enclosure
from theory.record import Record
from theory.table import Table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    from matplotlib.figure import Figure
    from torch import nn

    from deep.certify.bounds import Method
    from deep.studies import Evaluation

SCHEMA = "tightrope.evaluation/1"
COLUMNS = ("network", "eps", "by", "errors", "at_most", "n", "risk", "limits", "remark")
DEFAULT = ("pgd", "apgd", "cw", "deepfool")
_NEAREST = ("cw", "deepfool", "lbfgs")
_SWEEP = 8


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m deep.evaluate``."""
    parser = cli.parser("deep.evaluate", __doc__ or "", "trained --data digits --eps 0.05 0.1")
    parser.add_argument("checkpoints", nargs="*", type=Path, metavar="CHECKPOINT",
                        help="files that deep.train left, or their folders")  # fmt: skip
    parser.add_argument("--data", default="digits", metavar="digits|FOLDER", help="images (default digits, embedded)")
    parser.add_argument("--part", choices=("train", "test"), default="test", help="default test")
    parser.add_argument("--classes", nargs="+", type=cli.count_type("classes", 0), metavar="K",
                        help="these labels only, in the order of the training")  # fmt: skip
    parser.add_argument("--limit", type=cli.count_type("limit"), metavar="N", help="the first N images only")
    parser.add_argument("--cache", type=Path, metavar="FILE", help="keep decoded pictures in this .npz file")
    parser.add_argument("--ema", action="store_true", help="the moving averages of the weights")
    parser.add_argument("--eps", nargs="+", type=cli.radius_type("eps"), default=[Fraction(1, 10)],
                        help="radii, such as 0.1 or 8/255 (default 0.1)")  # fmt: skip
    parser.add_argument("--ord", choices=("2", "inf"), default="inf", help="the adversary's norm (default inf)")
    parser.add_argument("--attacks", nargs="+", choices=tuple(ATTACKS), default=list(DEFAULT), metavar="ATTACK",
                        help=f"of {', '.join(ATTACKS)} (default {' '.join(DEFAULT)})")  # fmt: skip
    parser.add_argument("--steps", type=cli.count_type("steps"), default=40, help="of each attack (default 40)")
    parser.add_argument("--restarts", type=cli.count_type("restarts"), default=1, help="default 1")
    parser.add_argument("--certificate", choices=(*METHODS, "none"),
                        help="default crown-ibp, or none for networks that have no certificate")  # fmt: skip
    parser.add_argument("--sweep", action="store_true", help=f"also at {_SWEEP} radii up to the double of the largest")
    parser.add_argument("--transfer", action="store_true", help="points made against each network, shown to each")
    parser.add_argument("--nearest", choices=_NEAREST, help="mean l2 distances of the nearest errors, by this attack")
    parser.add_argument("--health", action="store_true", help="ask whether the attacks can be believed; 1 if not")
    parser.add_argument("--seed", type=cli.count_type("seed", 0), default=0, help="of the attacks (default 0)")
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda, cuda:1 ...")
    parser.add_argument("--plot", type=cli.figure_type("plot"), metavar="FILE",
                        help="draw the risk over eps, or with --transfer or --nearest that")  # fmt: skip
    parser.add_argument("--save", type=cli.output_type("save", (".json",)), metavar="FILE", help="write the record")
    parser.add_argument("--from", dest="record", type=Path, metavar="RECORD", help="print this record; nothing is run")
    cli.add_output_options(parser)
    return cli.run(parser, _report, argv)


def _report(args: argparse.Namespace) -> int:
    if bool(args.checkpoints) == bool(args.record):
        raise ValueError("give checkpoints to evaluate, or a record to print with --from, and not both")
    record = Record.read(args.record, SCHEMA) if args.record else _measured(args)
    data = record.data
    if args.plot:
        cli.save_figure(figure(data), args.plot)
    if args.save:
        record.write(args.save)
    if args.format == "text":
        sys.stdout.write("\n\n".join(str(part) for part in tables(data)) + "\n")
    else:
        cli.emit(table(data), args, schema=SCHEMA)
    return 0 if all(check["passed"] for check in data["health"]) else 1


# ---- what is measured ----


def _measured(args: argparse.Namespace) -> Record:
    from deep.train import _check_device

    _check_device(args.device)
    files = [_file(path) for path in args.checkpoints]
    names = _names(files)
    images = _images(args)
    models, networks = {}, []
    for name, path in zip(names, files, strict=True):
        model, described = _network(path, args.ema, images)
        models[name] = model.to(args.device)
        networks.append({"name": name, **described})
    if args.transfer and len(models) < 2:
        raise ValueError("--transfer needs two or more checkpoints: points made against one are shown to the others")
    with _heard() as remarks:
        found = _judged(args, models, images)
        data = {
            "settings": {
                "eps": [str(eps) for eps in args.eps], "ord": args.ord, "attacks": args.attacks, "steps": args.steps,
                "restarts": args.restarts, "ema": args.ema, "device": args.device, "seed": args.seed,
            },
            "images": {"name": images.name, "n": len(images), "classes": images.classes, "digest": images.digest},
            "networks": networks,
            **found,
        }  # fmt: skip
    for remark in remarks:
        sys.stderr.write(f"deep.evaluate: warning: {remark}\n")
    command = cli.command(args, ("save", "plot", "cache"))
    return Record.new(SCHEMA, {**data, "warnings": remarks}, command=command, seeds={"attacks": args.seed})


def _judged(args: argparse.Namespace, models: dict[str, nn.Module], images: Images) -> dict[str, Any]:
    ord_, stream = math.inf if args.ord == "inf" else 2.0, Stream(args.seed).child("evaluate")
    hows = [ATTACKS[name](ord_, args.steps, args.restarts) for name in dict.fromkeys(args.attacks)]
    radii = sorted({*args.eps, *(_radii(max(args.eps)) if args.sweep else ())})
    rows, moves, distances, checks = [], [], [], []
    total = len(models) * sum(len(hows) if eps else 0 for eps in radii) * len(images)
    x, y = images.batch(slice(None)).to(args.device), images.y.to(args.device)
    with _progress(total) as show:
        for name, model in models.items():
            method = _method(args.certificate, model, images, ord_)
            found = sweep(model, images, radii, ord=ord_, attacks=hows, certificate=method, stream=stream, show=show)
            rows += [_row(name, one, one.eps in args.eps) for one in found]
            if args.nearest:
                # C&W's own attack is the l2 one, whatever the norm of the balls
                away = nearest(model, images, ATTACKS[args.nearest](2.0, args.steps, 1))
                distances.append({"network": name, "by": away.by, "right": away.right, "n": away.n, "rho": away.rho,
                                  "failures": away.failures, "area": _product(away.benign, away.rho)})  # fmt: skip
            if args.health and max(args.eps) > 0:
                if ord_ != math.inf:
                    raise ValueError("--health asks questions in the norm inf; leave out --ord 2")
                for check in health(model, x, y, eps=float(max(args.eps)), stream=stream):
                    checks.append({"network": name, **asdict(check)})
    if args.transfer:
        for eps in (eps for eps in args.eps if eps):
            how = PGD(args.steps, restarts=args.restarts)
            box = {"low": images.low, "high": images.high}
            made = transfer(models, x, y, how, eps=float(eps), ord=ord_, stream=stream, **box)
            moves += [{"eps": eps, **asdict(move)} for move in made]
    return {"rows": rows, "transfer": moves, "nearest": distances, "health": checks}


def _row(name: str, found: Evaluation, asked: bool) -> dict[str, Any]:
    return {
        "network": name, "eps": found.eps, "asked": asked, "n": found.n, "natural": int(found.natural.sum()),
        "attacks": [{**asdict(one), "seconds": round(one.seconds, 3)} for one in found.attacks],
        "errors": found.errors, "at_most": found.at_most, "method": found.method, "vacuous": found.vacuous,
    }  # fmt: skip


def _method(asked: str | None, model: nn.Module, images: Images, ord: float) -> Method | None:
    """The certificate to compute, None with a warning if there is none; one asked for by name is never left out."""
    if asked is not None:
        return None if asked == "none" else asked  # type: ignore[return-value]
    try:
        sweep(model, images.first(1), [Fraction(1, 1000)], ord=ord, certificate="crown-ibp")
    except TypeError as error:
        warnings.warn(f"nothing is certified: {error}", AttackWarning, stacklevel=2)
        return None
    return "crown-ibp"


def _radii(largest: Fraction) -> list[Fraction]:
    return [2 * largest * k / _SWEEP for k in range(_SWEEP + 1)]


def _product(benign: Fraction, rho: float | None) -> float | None:
    return None if rho is None else float(benign) * rho


def _network(path: Path, ema: bool, images: Images) -> tuple[nn.Module, dict[str, Any]]:
    """The network of a checkpoint and what the record says of it."""
    found = Checkpoint.read(path)
    model = load_model(path, ema=ema)
    try:
        check_shape(model, images)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    config = found.config
    return model, {
        "file": str(path), "epochs": found.epoch, "model": config["model"]["architecture"], "method": config["method"],
        "trained_on": config["images"], "seed": config["recipe"]["seed"],
    }  # fmt: skip


def _file(path: Path) -> Path:
    return path / CHECKPOINT if path.is_dir() else path


def _names(files: Sequence[Path]) -> list[str]:
    """What the rows call the networks: folder or file, as far as that tells them apart."""
    if len(set(files)) != len(files):
        raise ValueError("a checkpoint is named twice; name each once")
    names = [path.resolve().parent.name if path.name == CHECKPOINT else path.stem for path in files]
    return names if len(set(names)) == len(names) else [str(path) for path in files]


def _images(args: argparse.Namespace) -> Images:
    cache = args.cache and args.cache.with_name(f"{args.cache.stem}-{args.part}{args.cache.suffix or '.npz'}")
    images = load(args.data, args.part, cache=cache)
    images = images.only(*args.classes) if args.classes else images
    return images if args.limit is None else images.first(args.limit)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None] | None]:
    with cli.steps("attacked") as steps:
        if steps is None:
            yield None
            return
        done = 0

        def show(count: int) -> None:
            nonlocal done
            done += count
            steps(min(done, total), total)

        yield show


@contextmanager
def _heard() -> Iterator[list[str]]:
    """What attacks warned of inside, each sentence once; other warnings go their way."""
    heard: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield heard
    for one in caught:
        if not issubclass(one.category, AttackWarning):
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
        elif str(one.message) not in heard:
            heard.append(str(one.message))


# ---- what is printed ----


def table(data: dict[str, Any]) -> Table:
    """For each network and radius the natural errors, those of every attack, and the robust risk from both ends."""
    rows: list[dict[str, Any]] = []
    for row in data["rows"]:
        if not row["asked"]:
            continue
        n, eps, place = row["n"], Fraction(row["eps"]), {"network": row["network"], "n": row["n"]}
        if not rows or rows[-1]["network"] != row["network"]:
            rows.append({**place, "eps": Fraction(0), "by": "natural", "errors": row["natural"],
                         "at_most": row["natural"], "risk": Fraction(row["natural"], n),
                         "limits": clopper_pearson(row["natural"], n)})  # fmt: skip
        for one in row["attacks"]:
            rows.append({**place, "eps": eps, "by": one["name"], "errors": one["errors"],
                         "remark": f"{one['dead']} met zero gradients" if one["dead"] else None})  # fmt: skip
        rows.append({**place, "eps": eps, "by": "robust", "errors": row["errors"], "at_most": row["at_most"],
                     "risk": _risk(row), "limits": _limits([row]), "remark": _remark(row)})  # fmt: skip
    images = data["images"]
    title = f"{images['name']} ({images['n']} images), ord {data['settings']['ord']}"
    return Table(COLUMNS, rows, title)


def tables(data: dict[str, Any]) -> list[Table]:
    """All that a record says: rows, spread over networks, sweep, transfer, distances, health."""
    found = [table(data)]
    names, asked = [net["name"] for net in data["networks"]], [row for row in data["rows"] if row["asked"]]
    if len(names) > 1:
        found.append(spread(data))
    if len(asked) < len(data["rows"]):
        lines = [{"network": row["network"], "eps": Fraction(row["eps"]), "errors": row["errors"],
                  "at_most": row["at_most"], "remark": _remark(row)} for row in data["rows"]]  # fmt: skip
        found.append(Table(("network", "eps", "errors", "at_most", "remark"), lines, "sweep"))
    if data["transfer"]:
        rows = [{**move, "eps": Fraction(move["eps"]), "mean_loss": f"{move['mean_loss']:.4f}"}
                for move in data["transfer"]]  # fmt: skip
        found.append(Table(("eps", "source", "target", "fooled", "samples", "mean_loss"), rows, "transfer"))
    if data["nearest"]:
        rows = [{"network": row["network"], "by": row["by"], "right": row["right"], "n": row["n"],
                 "rho": None if row["rho"] is None else f"{row['rho']:.4f}", "not_fooled": len(row["failures"]),
                 "area": None if row["area"] is None or row["failures"] else f"{row['area']:.4f}"}
                for row in data["nearest"]]  # fmt: skip
        notes = "rho: mean l2 distance of those right and fooled; area: rho times benign accuracy (PGN, eq (6))"
        found.append(Table(tuple(rows[0]), rows, "nearest errors found", notes))
    if data["health"]:
        found.append(Table(("network", "question", "passed", "answer"), data["health"], "can the attacks be believed"))
    return found


def spread(data: dict[str, Any]) -> Table:
    """For each radius the least and the greatest of the networks, and apart from that the limits of the sample."""
    rows = []
    for eps in dict.fromkeys(row["eps"] for row in data["rows"] if row["asked"]):
        mine = [row for row in data["rows"] if row["eps"] == eps]
        low, high = [row["errors"] for row in mine], [row["at_most"] for row in mine]
        natural = [row["natural"] for row in mine]
        rows.append({
            "eps": Fraction(eps), "networks": len(mine), "natural": f"{min(natural)} to {max(natural)}",
            "errors": f"{min(low)} to {max(low)}", "at_most": f"{min(high)} to {max(high)}", "n": mine[0]["n"],
            "risk": Enclosure(min(_risk(row).lo for row in mine), max(_risk(row).hi for row in mine)),
            "limits": _limits(mine),
        })  # fmt: skip
    notes = "limits: the sample's chance added to the networks' spread"
    return Table(tuple(rows[0]), rows, "over the networks", notes)


def _risk(row: dict[str, Any]) -> Enclosure:
    how = ("attack", f"{row['method']} certificate" if row["method"] else "no certificate")
    return Enclosure(Fraction(row["errors"], row["n"]), Fraction(row["at_most"], row["n"]), how)


def _limits(rows: Sequence[dict[str, Any]]) -> Enclosure:
    n = rows[0]["n"]
    low = clopper_pearson(min(row["errors"] for row in rows), n)
    high = clopper_pearson(max(row["at_most"] for row in rows), n)
    return Enclosure(low.lo, high.hi, "Clopper-Pearson", low.alpha)


def _remark(row: dict[str, Any]) -> str:
    if row["vacuous"]:
        return f"{row['method']}: vacuous"
    return row["method"] or "no certificate"


def figure(data: dict[str, Any]) -> Figure:
    """The robust risk over eps; with a transfer matrix or distances that instead."""
    from deep.studies.distances import CurvePoint
    from deep.studies.figures import curve_figure, risk_figure, transfer_figure

    if data["transfer"]:
        names = [net["name"] for net in data["networks"]]
        moves = [move for move in data["transfer"] if move["eps"] == data["transfer"][-1]["eps"]]
        cells = {(move["source"], move["target"]): move["fooled"] for move in moves}
        return transfer_figure(names, [[cells[a, b] for b in names] for a in names], moves[0]["samples"])
    if data["nearest"]:
        curves: dict[str, list[CurvePoint]] = {}
        for net, row in zip(data["networks"], data["nearest"], strict=True):
            if row["rho"] is not None:
                point = CurvePoint(net["name"], Fraction(row["right"], row["n"]), row["rho"], len(row["failures"]))
                curves.setdefault(net["method"]["name"], []).append(point)
        return curve_figure(curves)
    lines: dict[str, list[tuple[float, float, float, bool]]] = {}
    for row in data["rows"]:
        line = lines.setdefault(row["network"], [(0.0, row["natural"] / row["n"], row["natural"] / row["n"], False)])
        if Fraction(row["eps"]):
            n = row["n"]
            line.append((float(Fraction(row["eps"])), row["errors"] / n, row["at_most"] / n,
                         row["vacuous"] or not row["method"]))  # fmt: skip
    return risk_figure(lines)


if __name__ == "__main__":
    raise SystemExit(main())

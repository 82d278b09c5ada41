"""Train networks on samples of a law that is known exactly, and say what they truly do.

The law: cheese (the learner sees the nine holes, the risks are those of the whole square), halves, stripes, gaussian,
or a file as `toy.law` takes them. Each row has the four risks of one network under the true law, exact or enclosed, the
least robust risk of any classifier, and the terms of TRADES' Theorem 3.1 for the network's score. Below them stand the
classifiers that the theory names.

    python -m deep.bridge --law cheese --methods natural pgd-at trades --n 1000 --plot bridge.png
    python -m deep.bridge --law gaussian --model sum --methods natural pgd-at --eps 3/5
    python -m deep.bridge --from cheese-n --plot bridge.png            print and draw a record that is there already
"""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from deep.objectives import METHODS
from theory import cli
from theory.record import Record
from theory.table import Table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from deep.bridge.laws import Setting

SCHEMA = "tightrope.bridge/1"
_GAUSSIAN = ("reliability", "eta", "d", "model")
_HEAD = ("method", "n", "seed", "eps", "width", "steps")


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m deep.bridge``."""
    from deep.bridge.cells import MAX_DEPTH
    from deep.bridge.prices import DEPTH
    from deep.bridge.records import names

    example = "--law cheese --methods natural pgd-at --n 200 --steps 200"
    parser = cli.parser("deep.bridge", __doc__ or "", example)
    count, radius = cli.count_type, cli.radius_type("eps")
    parser.add_argument("--law", default="cheese", metavar="LAW", help="cheese, halves, stripes, gaussian or FILE")
    parser.add_argument(
        "--methods", nargs="+", choices=METHODS, default=["natural", "pgd-at", "trades"], metavar="METHOD",
        help=f"of {', '.join(METHODS)}",
    )  # fmt: skip
    parser.add_argument("--n", nargs="+", type=count("n"), default=[1000], help="sizes of the sample (default 1000)")
    parser.add_argument("--seeds", type=count("seeds"), default=1, metavar="K", help="runs of each kind (default 1)")
    parser.add_argument("--eps", nargs="+", type=radius, help="radii (default 1/10; of the stripes 1/4)")
    parser.add_argument("--width", nargs="+", type=count("width"), default=[32], help="of the hidden layers (32)")
    parser.add_argument("--depth", type=count("depth", 0), default=2, help="number of hidden layers (default 2)")
    parser.add_argument(
        "--steps", nargs="+", type=count("steps"), default=[1000], help="look after so many steps (default 1000)"
    )
    parser.add_argument("--batch", type=count("batch"), default=128, help="default 128")
    parser.add_argument("--lr", type=cli.fraction_type("lr", "(0, inf)"), default="1/100", help="of Adam (1/100)")
    parser.add_argument("--attack-steps", type=count("attack-steps"), default=10, help="of attacks in training (10)")
    parser.add_argument("--lam", type=cli.fraction_type("lam", "(0, inf)"), default="1", help="TRADES' lambda, in both")
    parser.add_argument(
        "--loss", nargs="*", default=["hinge"], metavar="LOSS", help="of the bound (default hinge); none for none"
    )
    parser.add_argument("--grid", type=count("grid"), default=DEPTH, help=f"2^GRID cells a side, up to {MAX_DEPTH}")
    parser.add_argument("--simulate", type=count("simulate"), default=0, metavar="N", help="check by N draws each")
    fraction = cli.fraction_type
    parser.add_argument("--reliability", type=fraction("reliability", "[1/2, 1)"), help="of the gaussian law (19/20)")
    parser.add_argument("--eta", type=fraction("eta", "(0, inf)"), help="of the gaussian law (3/10)")
    parser.add_argument("--d", type=count("d"), help="weak features of the gaussian law (100)")
    parser.add_argument("--model", choices=("mlp", "linear", "sum"), help="network on the gaussian law (linear)")
    parser.add_argument("--device", default="cpu", help="where to train: cpu (default), cuda ...")
    help_ = f"print a record again, without training: a file, or one that comes with the package, {', '.join(names())}"
    parser.add_argument("--from", dest="source", metavar="RECORD", help=help_)
    parser.add_argument("--save", type=cli.output_type("save", (".json",)), metavar="FILE", help="write a record")
    parser.add_argument("--plot", type=cli.figure_type("plot"), metavar="FILE", help="draw to a png, pdf or svg file")
    parser.add_argument("--columns", nargs="+", metavar="NAME", help="print these columns only")
    cli.add_output_options(parser)
    return cli.run(parser, _report, argv)


def _report(args: argparse.Namespace) -> int:
    from deep.bridge.experiment import misses
    from deep.bridge.records import read_rows, shipped

    if args.source is not None:
        if args.save:
            raise ValueError("--from reads a record and --save writes one; give one of them")
        data = Record.read(shipped(args.source), SCHEMA).data
    else:
        data = _run(args)
    rows = read_rows(data["rows"], data["how"])
    if args.plot:
        from deep.bridge.figure import figure

        cli.save_figure(figure(data["law"], rows, data["networks"]), args.plot)
    if args.save:
        seeds = {"networks": int(data["plan"]["seeds"])}
        Record.new(SCHEMA, data, command=cli.command(args, ("save", "plot")), seeds=seeds).write(args.save)
    columns = [*_HEAD, *dict.fromkeys(key for row in rows for key in row if key not in _HEAD)]
    used = [name for name in columns if any(row.get(name) is not None for row in rows)]
    chosen = args.columns or used
    for name in chosen:
        if name not in columns:
            raise ValueError(f"column {name!r} is unknown; allowed are {', '.join(columns)}")
    shown = [{name: row.get(name) for name in chosen} for row in rows]
    cli.emit(Table(chosen, shown, title=data["title"], notes=data["notes"]), args, SCHEMA)
    failed = misses(rows)
    for sentence in failed:
        sys.stderr.write(sentence + "\n")
    return int(bool(failed))


def _run(args: argparse.Namespace) -> dict[str, Any]:
    from deep.bridge.cells import cell_counts
    from deep.bridge.experiment import Plan, experiment
    from deep.bridge.laws import DEFAULT_EPS, check_losses
    from deep.bridge.networks import relu_network
    from deep.bridge.records import to_text, written_rows

    check_losses(args.loss)
    cell_counts(False, args.grid)
    _check_device(args.device)
    radii = args.eps or [DEFAULT_EPS.get(args.law, Fraction(1, 10))]
    options = {"lam": float(args.lam), "steps": args.attack_steps}
    plan = Plan(
        tuple(args.methods), tuple(args.n), tuple(radii), tuple(args.width), tuple(args.steps), args.seeds, args.depth,
        args.batch, float(args.lr), options, tuple(args.loss), args.lam, args.grid, args.simulate, args.device,
    )  # fmt: skip
    settings = {eps: _setting(args, eps) for eps in radii}
    total = len(plan.methods) * len(plan.n) * len(radii) * len(plan.width) * len(plan.steps) * plan.seeds
    found = list(cli.progress(experiment(plan, settings.__getitem__), "networks", total))
    rows = [row for network in found for row in network.rows]
    kept = []
    for network in found:  # enough to draw, and to check the record: the first seed's after the last step
        head = {key: network.rows[0][key] for key in _HEAD}
        if args.law == "gaussian":
            continue
        if head["seed"] == 0 and head["steps"] == max(row["steps"] for row in rows if row["n"] == head["n"]):
            kept.append({**head, "eps": str(head["eps"]), "layers": to_text(relu_network(network.model))})
    rows += [row for setting in settings.values() for row in setting.named_rows()]
    notes = [f"runs of each kind: {plan.seeds}, each on a sample of its own; a step takes at most {plan.batch} of it"]
    if next(iter(settings.values())).is_restricted:
        notes.append("networks see the restricted law (seen_...); all other risks are those of the true law")
    texts, hows = written_rows(rows)
    return {
        "law": args.law,
        "title": f"networks on {args.law}, {args.depth} hidden layers",
        "plan": {
            "seeds": plan.seeds, "depth": plan.depth, "batch": plan.batch, "lr": str(args.lr),
            "attack_steps": args.attack_steps, "lam": str(args.lam), "grid": plan.grid, "simulate": plan.simulate,
        },
        "rows": texts,
        "how": hows,
        "networks": kept,
        "notes": notes,
    }  # fmt: skip


def _setting(args: argparse.Namespace, eps: Fraction) -> Setting:
    given = {name: getattr(args, name) for name in _GAUSSIAN if getattr(args, name) is not None}
    if args.law != "gaussian":
        if given:
            raise ValueError(f"--{next(iter(given))} goes with --law gaussian")
        from deep.bridge.laws import box_setting

        return box_setting(args.law, eps)
    if args.plot:
        raise ValueError("--plot draws networks on the line and in the plane; leave it out with --law gaussian")
    from deep.bridge.gaussian import DRAWS, GaussianSetting
    from theory.odds.signgaussian import SignGaussian

    chosen = {"reliability": "19/20", "eta": "3/10", "d": 100, "model": "linear", **given}
    law = SignGaussian(chosen["reliability"], chosen["eta"], chosen["d"])
    return GaussianSetting(law, eps, chosen["model"], args.simulate or DRAWS)


def _check_device(device: str) -> None:
    import torch

    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"device {device!r} cannot be used ({reason}); cpu always can") from None


if __name__ == "__main__":
    sys.exit(main())

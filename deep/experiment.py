"""The experiments behind the papers' claims on trained networks, in small: trained, measured, written as records.

    python -m deep.experiment list
    python -m deep.experiment iaat-table1 --save iaat-table1.json
    python -m deep.experiment run sense-figure2 sense-stable --seeds 5 --keep FOLDER --save FOLDER
    python -m proofs_check report iaat-table1.json --markdown

A key alone is run. It is that of a claim of `proofs_check`, which reads the record by a rule that was fixed before.
"paper" is the setting of the paper, whose cost is named and which is not run; "reduced" is the one that runs: digits of
8 x 8 pixels unless --data names other images, small networks, minutes on a CPU. So no verdict here is more than
DIRECTION HELD. Networks that several experiments need are trained once; three seeds, kept apart in the record, are
averaged.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theory import cli
from theory.record import Record, check_writable
from theory.table import Table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m deep.experiment``."""
    parser = cli.parser("deep.experiment", __doc__ or "", "run iaat-table1 --seeds 1 --epochs 2")
    commands = parser.add_subparsers(dest="task", required=True, metavar="COMMAND")
    listing = commands.add_parser("list", help="the experiments, what they train and what the papers' settings cost")
    cli.add_output_options(listing)
    listing.set_defaults(body=_list)
    run = commands.add_parser("run", help="train the reduced setting's networks and write the records")
    run.add_argument("keys", nargs="+", metavar="KEY", help="keys of experiments, as list prints them")
    run.add_argument("--data", default="digits", metavar="digits|FOLDER", help="images (default digits, embedded)")
    run.add_argument("--limit", type=cli.count_type("limit"), metavar="N", help="only the first N images of each part")
    run.add_argument("--seeds", type=cli.count_type("seeds"), default=3, help="networks of each kind (default 3)")
    run.add_argument("--epochs", type=cli.count_type("epochs"), help="other than the recipe's")
    run.add_argument("--jobs", type=cli.count_type("jobs"), default=min(2, os.cpu_count() or 1), metavar="N",
                     help="processes that share the networks (default 2)")  # fmt: skip
    run.add_argument("--keep", type=Path, metavar="FOLDER", help="keep checkpoints there, and go on from them")
    run.add_argument("--save", type=Path, metavar="FILE|FOLDER", help="write the record, or KEY.json into a folder")
    cli.add_output_options(run)
    run.set_defaults(body=_run)
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] not in ("list", "run") and not words[0].startswith("-"):  # the claims name a key alone
        words.insert(0, "run")
    return cli.run(parser, lambda args: args.body(args), words)


def _list(args: argparse.Namespace) -> None:
    from deep.experiments import experiments, radii
    from deep.experiments.runner import members
    from deep.images import load

    scale, rows = radii(load("digits", "test")), []
    for one in experiments().values():
        why = f"; not in small: {one.without}" if one.without else ""
        rows.append({"key": one.key, "setting": "paper", "schema": one.schema, "what": one.paper + why})
        if one.family is None:
            continue
        count = len(members(one, scale))
        data = "images of 28 x 28" if one.wide else "digits"
        what = f"{count} network{'s' if count > 1 else ''} of {one.family.name}, {data}"
        rows.append({"key": one.key, "setting": "reduced", "schema": one.schema, "what": what})
    cli.emit(Table(["key", "setting", "schema", "what"], rows), args, schema="tightrope.experiments/1")


def _run(args: argparse.Namespace) -> None:
    from deep.experiments import find, run
    from deep.experiments.runner import written
    from deep.images import load

    chosen = [find(key) for key in dict.fromkeys(args.keys)]
    paths = _paths(args.save, [one.key for one in chosen])
    train, test = (load(args.data, part) for part in ("train", "test"))
    if args.limit is not None:
        train, test = train.first(args.limit), test.first(args.limit)
    with cli.steps("networks") as show:
        found = run(
            chosen, train, test, seeds=args.seeds, epochs=args.epochs, jobs=args.jobs, keep=args.keep, show=show
        )
    rows: list[dict[str, Any]] = []
    for one in chosen:
        data = written(found[one.key])
        record = Record.new(one.schema, data, command=_again(args, one.key), seeds={"first": 0, "count": args.seeds})
        if one.key in paths:
            record.write(paths[one.key])
        rows += [{"key": one.key, "cells": ", ".join(f"{k} {v}" for k, v in row.items())} for row in data["rows"]]
    cli.emit(Table(["key", "cells"], rows), args, schema="tightrope.experiment/1")
    if args.save:
        sys.stderr.write(f"deep.experiment: {len(paths)} record(s) written to {args.save}\n")


def _paths(save: Path | None, keys: Sequence[str]) -> dict[str, Path]:
    """Where each record goes, found to be writable before anything is trained."""
    if save is None:
        return {}
    if not save.is_dir() and len(keys) > 1:
        raise ValueError(f"--save {str(save)!r} is no folder; {len(keys)} records need one, one record a file")
    paths = {key: save / f"{key}.json" if save.is_dir() else save for key in keys}
    for path in paths.values():
        check_writable(path, (".json",))
    return paths


def _again(args: argparse.Namespace, key: str) -> str:
    """The command that makes this one record again, but for the folders."""
    import shlex

    options = ["--data", args.data, "--seeds", str(args.seeds)]
    for name in ("limit", "epochs"):
        if getattr(args, name) is not None:
            options += [f"--{name}", str(getattr(args, name))]
    return shlex.join(["python", "-m", "deep.experiment", "run", key, *options])


if __name__ == "__main__":
    raise SystemExit(main())

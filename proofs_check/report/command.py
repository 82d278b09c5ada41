"""``python -m proofs_check report``: read records, reach the verdicts or read those reached before, and write."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proofs_check.discovery import registry
from proofs_check.results import commit, read_rows
from proofs_check.running import add_effort, results
from theory import cli
from theory.record import Record

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from proofs_check.core import Claim
    from proofs_check.report.entries import Entry
    from proofs_check.results import Row

PINNED = "The verdicts that the source pins; `python -m proofs_check run` reaches them anew."


def add_command(commands: Any) -> None:
    """``python -m proofs_check report``."""
    report = commands.add_parser("report", help="which printed claims hold: a page for a browser, or one table")
    report.add_argument("records", nargs="*", metavar="RECORD", help="records of trained networks, as deep writes them")
    report.add_argument("--html", type=cli.output_type("html", (".html", ".htm")), metavar="FILE", help="the page")
    report.add_argument(
        "--markdown",
        nargs="?",
        const="-",
        type=_markdown_type,
        metavar="FILE.md",
        help="Markdown, printed or in a file",
    )
    report.add_argument("--latex", action="store_true", help="a LaTeX tabular (booktabs), printed")
    report.add_argument("--json", action="store_true", help="all that the page says, as JSON, printed")
    source = report.add_mutually_exclusive_group()
    source.add_argument("--pinned", action="store_true", help="run nothing: the verdicts that the source pins")
    source.add_argument("--verdicts", metavar="FILE.jsonl", help="run nothing: the verdicts that run --out has written")
    add_effort(report)
    report.set_defaults(body=_report)


def _markdown_type(text: str) -> str:
    return text if text == "-" else str(cli.output_type("markdown", (".md",))(text))


def _report(args: argparse.Namespace) -> int:
    from proofs_check.report import tables
    from proofs_check.report.entries import in_order, pinned
    from proofs_check.report.page import page

    printed = (args.markdown == "-") + args.latex + args.json
    if not (args.html or args.markdown or printed):
        raise ValueError("report writes nothing without --html FILE, --markdown, --latex or --json; give one of them")
    if printed > 1:
        raise ValueError("only one of --markdown (without a file), --latex and --json can be printed; give one of them")
    records = read_records(args.records)
    items = list(registry().values())
    if args.pinned:
        if records:
            raise ValueError("--pinned shows what the source pins, which no record changes; leave out one of the two")
        entries, how = (
            pinned(items),
            "The verdicts that the source pins; `python -m proofs_check run` reaches them anew.",
        )
    else:
        rows, how = _rows(items, args, records)
        entries = in_order(items, rows)
    made = commit()
    if args.html:
        _write(args.html, page(entries, how, made))
    if args.markdown and args.markdown != "-":
        _write(Path(args.markdown), tables.markdown(entries, how))
    if args.markdown == "-":
        sys.stdout.write(tables.markdown(entries, how))
    elif args.latex:
        sys.stdout.write(tables.latex(entries))
    elif args.json:
        sys.stdout.write(tables.as_json(entries, made, cli.command(args)))
    return _faults(entries)


def _faults(entries: Sequence[Entry]) -> int:
    wrong = [entry for entry in entries if entry.row["fault"]]
    for entry in wrong:
        sys.stderr.write(f"proofs_check: {entry.claim.key} {entry.row['fault']}\n")
    return int(bool(wrong))


def _rows(
    items: Sequence[Claim], args: argparse.Namespace, records: Mapping[str, Record]
) -> tuple[dict[str, Row], str]:
    bound = [item for item in items if item.reads]
    if args.verdicts:
        if not Path(args.verdicts).exists():
            raise FileNotFoundError(f"--verdicts {args.verdicts!r} does not exist; `run --out` writes such a file")
        found = {line.get("key", ""): line for line in read_rows(args.verdicts)}
        missing = [item.key for item in items if item.key not in found and not item.reads]
        if missing:
            raise ValueError(
                f"{args.verdicts} lacks the verdict on {missing[0]} ({len(missing)} are missing); finish it with "
                f"`python -m proofs_check run --out {args.verdicts} --resume`"
            )
        first = next(iter(found.values()))
        how = _how(first.get("budget"), first.get("seed"), first.get("commit"))
    else:
        found = {}
        how = _how(args.budget, args.seed, commit())
    todo = bound if args.verdicts else items
    lines = cli.progress(results(todo, args.budget, args.seed, args.jobs, records), "claims", len(todo))
    found |= {line["key"]: line for line in lines}
    return found, how


def _how(budget: object, seed: object, made: object) -> str:
    return f"Verdicts reached at commit {made} with a budget of {budget} random cases and the seed {seed}."


def read_records(paths: Sequence[str]) -> dict[str, Record]:
    """The records in the files, by name; one of tightrope's own that no claim reads (networks on a known law, say) is
    left out, and stderr says so. Raises ``ValueError`` for one that was edited, and for any other schema.
    """
    known = sorted({item.reads for item in registry().values() if item.reads})
    found = {}
    for path in paths:
        record = Record.read(path)
        if record.schema not in known and record.schema.startswith("tightrope."):
            sys.stderr.write(f"proofs_check: {path} is left out, for no claim reads the schema {record.schema!r}\n")
            continue
        if record.schema not in known:
            allowed = ", ".join(known) or "none yet"
            raise ValueError(f"{path} has the schema {record.schema!r}, which no claim reads; allowed are {allowed}")
        found[path] = record
    return found


def _write(path: Path, text: str) -> None:
    with cli.writing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")

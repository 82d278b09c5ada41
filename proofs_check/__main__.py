"""``python -m proofs_check``: verdicts on printed claims, a search for counterexamples, and checks of certificates.

    python -m proofs_check list
    python -m proofs_check run trades-eq1 trades-table1-optimal
    python -m proofs_check run --jobs 2 --out verdicts.jsonl [--resume]
    python -m proofs_check show trades-theorem-3.1-second
    python -m proofs_check search --margin conjectures:margin --cases finite
    python -m proofs_check campaign trades-eq1 --n 1000000 --jobs 2 --out campaign.jsonl [--resume]
    python -m proofs_check report [RECORD.json ...] --html report.html
    python -m proofs_check verify certificate.json [--data FOLDER]

``search`` calls the function ``margin`` of ``conjectures.py`` on random cases and looks for a negative answer;
``campaign`` does so for as long as one likes, for a conjecture or for a claim, and keeps each batch in a file. ``run``
and ``report`` exit with 1 if a verdict is not the one that the source pins, the hunts if they find a counterexample.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from proofs_check import campaign
from proofs_check.core import PAPERS, Budget
from proofs_check.discovery import BUDGET, check, find, registry
from proofs_check.report import command as report
from proofs_check.results import FIELDS, ResultFile, commit, row
from proofs_check.running import add_effort, interruptible, results
from proofs_check.search import CASES, Counterexample, refute
from proofs_check.verify import CertificateError, verify_boxes, verify_sample
from theory import cli
from theory.record import Record
from theory.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from proofs_check.core import Claim
    from proofs_check.results import Row

SCHEMA = "tightrope.certificate/1"


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m proofs_check``."""
    parser = cli.parser("proofs_check", __doc__ or "", "verify certificate.json")
    commands = parser.add_subparsers(dest="task", required=True, metavar="COMMAND")
    _add_list(commands)
    _add_run(commands)
    _add_show(commands)
    _add_search(commands)
    campaign.add_command(commands)
    report.add_command(commands)
    verify = commands.add_parser("verify", help="check the certificate of a least robust risk, by code of its own")
    verify.add_argument("file", help="a certificate, as theory.optimal writes it")
    verify.add_argument("--data", metavar="FOLDER", help="the sample's data, if not where the certificate says")
    cli.add_output_options(verify)
    verify.set_defaults(body=_verify)
    with interruptible():
        return cli.run(parser, lambda args: args.body(args), argv)


def _add_list(commands: Any) -> None:
    listing = commands.add_parser("list", help="the claims and the verdicts that the source pins")
    listing.add_argument("--paper", choices=sorted(PAPERS), help="only this paper's")
    cli.add_output_options(listing)
    listing.set_defaults(body=_list)


def _add_run(commands: Any) -> None:
    run = commands.add_parser("run", help="reach the verdicts anew (of all claims, if none is named)")
    run.add_argument("keys", nargs="*", metavar="KEY", help="keys of claims, as list prints them")
    run.add_argument("--paper", choices=sorted(PAPERS), help="only this paper's")
    add_effort(run)
    run.add_argument("--out", type=cli.output_type("out"), metavar="FILE", help="a file that gets each verdict at once")
    run.add_argument("--resume", action="store_true", help="skip the claims whose verdicts are in the file")
    cli.add_output_options(run)
    run.set_defaults(body=_run)


def _add_show(commands: Any) -> None:
    show = commands.add_parser("show", help="one claim with its reading, its argument and its witness or repair")
    show.add_argument("key", metavar="KEY", help="the key of a claim")
    show.add_argument("--budget", type=cli.count_type("budget"), default=BUDGET, help="random cases it may spend")
    cli.add_output_options(show)
    show.set_defaults(body=_show)


def _add_search(commands: Any) -> None:
    search = commands.add_parser("search", help="hunt a counterexample to margin(case) >= 0, and shrink it")
    search.add_argument("--margin", required=True, metavar="MODULE:FUNCTION", help="a function of one case")
    search.add_argument("--cases", default="finite", metavar="FAMILY", help="a family of proofs_check.families")
    search.add_argument("--n", type=cli.count_type("n"), default=CASES, help="how many cases to try")
    search.add_argument("--seed", type=cli.count_type("seed", 0), default=0, help="the seed of the search")
    cli.add_output_options(search)
    search.set_defaults(body=_search)


# ---- claims ----


def _list(args: argparse.Namespace) -> None:
    rows = [
        {"key": item.key, "paper": item.paper, "label": item.label, "kind": item.kind, "pinned": item.expected}
        for item in _chosen([], args.paper)
    ]
    cli.emit(Table(["key", "paper", "label", "kind", "pinned"], rows), args, schema="tightrope.claims/1")


def _run(args: argparse.Namespace) -> int:
    items, file, rows = _chosen(args.keys, args.paper), None, []
    order = {item.key: number for number, item in enumerate(items)}
    if args.out:
        setting = {"schema": "tightrope.verdict/1", "budget": args.budget, "seed": args.seed, "commit": commit()}
        file = ResultFile(args.out, setting, resume=args.resume)
        asked = {item.key for item in items}
        rows = list({row["key"]: row for row in file.finished() if row["key"] in asked}.values())
        items = [item for item in items if item.key not in {row["key"] for row in rows}]
    elif args.resume:
        raise ValueError("--resume goes on with the file that --out names; name one")
    code = 0
    try:
        for found in cli.progress(results(items, args.budget, args.seed, args.jobs), "claims", len(items)):
            rows.append(found)
            if file:
                file.append([found])
            if found["fault"]:
                sys.stderr.write(f"proofs_check: {found['key']} {found['fault']}\n")
    except KeyboardInterrupt:
        sys.stderr.write(f"proofs_check: interrupted with {len(rows)} of the verdicts finished\n")
        code = 130
    _emit(sorted(rows, key=lambda row: order[row["key"]]), args)
    return code or int(any(row["fault"] for row in rows))


def _emit(rows: Sequence[Row], args: argparse.Namespace) -> None:
    for_people = args.format in ("text", "markdown", "latex")  # the columns that fit
    columns = ["key", "verdict", "cases", "evidence"] if for_people else list(FIELDS)
    table = Table(columns, [{name: row[name] for name in columns} for row in rows])
    cli.emit(table, args, schema="tightrope.verdicts/1")


def _show(args: argparse.Namespace) -> int:
    item = find(args.key)
    verdict = check(item, Budget(args.budget))
    if args.format != "text":
        made = row(item, verdict)
        table = Table(list(FIELDS), [{name: made[name] for name in FIELDS}])
        cli.emit(table, args, schema="tightrope.verdicts/1")
        return 0 if verdict.as_expected else 1
    lines = [f"{item.key}: {item.paper}, {item.label} ({item.place})", "", item.statement]
    lines += [f"read:      {item.reading}"] if item.reading else []
    lines += [f"premise:   {premise}" for premise in item.premises]
    lines += ["", f"verdict:   {verdict}", f"evidence:  {verdict.evidence}", f"covers:    {verdict.covers}"]
    lines += [f"searched:  {item.searched}"] if item.searched else []
    lines += [f"reads:     records of schema {item.reads}"] if item.reads else []
    if item.lift:
        lines += ["", "argument:", item.lift]
    if verdict.witness is not None:
        lines += ["", "witness:", str(verdict.witness)]
    for premise, found in verdict.breakages:
        lines += ["", f"without {premise!r}: {found.kind}, {found.how}", str(found.witness or "")]
    if item.amendment:
        repaired = find(item.amendment)
        lines += ["", f"repaired, as {repaired.key}:", repaired.statement, f"covers:    {repaired.covers}"]
    if item.repairs:
        lines += ["", f"repairs:   {item.repairs}"]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if verdict.as_expected else 1


def _chosen(keys: Sequence[str], paper: str | None) -> list[Claim]:
    claims = registry()
    named = [find(key, claims) for key in keys] or list(claims.values())
    return [item for item in named if paper in (None, item.paper)]


# ---- search ----


def _search(args: argparse.Namespace) -> int:
    found = refute(campaign.load_margin(args.margin), args.cases, args.n, args.seed)
    if args.format == "text":
        sys.stdout.write(f"{found}\n")
    else:
        refuted = found if isinstance(found, Counterexample) else None
        row: dict[str, Any] = {
            "margin": args.margin,
            "cases": args.cases,
            "verdict": "REFUTED" if refuted else "SUPPORTED",
            "n": refuted.cases if refuted else getattr(found, "n", 0),
            "value": refuted.margin if refuted else None,
            "witness": refuted.snippet if refuted else None,
        }
        cli.emit(Table(list(row), [row]), args, schema="tightrope.search/1")
    return 1 if isinstance(found, Counterexample) else 0


# ---- certificates ----


def _verify(args: argparse.Namespace) -> int:
    data: dict[str, Any] = Record.read(args.file, schema=SCHEMA).data
    try:
        value = _checked(data, args.data)
    except (CertificateError, KeyError, IndexError, ArithmeticError) as error:
        fault = str(error) if isinstance(error, CertificateError) else f"it is not complete ({error!r})"
        sys.stderr.write(f"proofs_check: {args.file} proves nothing: {fault}\n")
        return 1
    row = {"certificate": args.file, "kind": data["kind"], "eps": data["eps"], "value": value, "verdict": "PROVED"}
    cli.emit(Table(list(row), [row]), args, schema="tightrope.verify/1")
    return 0


def _checked(data: dict[str, Any], folder: str | None) -> Fraction:
    if data["kind"] == "boxes":
        return verify_boxes(data)
    from theory.samples import load_sample

    sample = load_sample(folder or data["source"])
    labels = {str(label): label for label in sample.classes}
    if not set(data["classes"]) <= set(labels):
        raise CertificateError(f"the data have no classes {data['classes']}")
    chosen = sample.only(*(labels[label] for label in data["classes"]))
    if chosen.digest() != data["digest"]:
        raise CertificateError("the data are not those that the certificate speaks of: their digest differs")
    return verify_sample(data, chosen.x, chosen.y, chosen.scale)


if __name__ == "__main__":
    sys.exit(main())

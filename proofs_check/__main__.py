"""``python -m proofs_check``: verdicts on printed claims, a search for counterexamples, and checks of certificates.

    python -m proofs_check list
    python -m proofs_check run trades-eq1 trades-table1-optimal
    python -m proofs_check show trades-theorem-3.1-second
    python -m proofs_check search --margin conjectures:margin --cases finite
    python -m proofs_check verify certificate.json [--data FOLDER]

``search`` calls the function ``margin`` of ``conjectures.py`` on random cases and looks for a negative answer. ``run``
exits with 1 if a verdict is not the one that the source pins, ``search`` if it finds a counterexample.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from proofs_check.core import PAPERS
from proofs_check.discovery import BUDGET, check, check_all, find, registry
from proofs_check.search import CASES, Counterexample, refute
from proofs_check.verify import CertificateError, verify_boxes, verify_sample
from theory import cli
from theory.record import Record
from theory.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from fractions import Fraction

    from proofs_check.core import Claim, Verdict

SCHEMA = "tightrope.certificate/1"
FIELDS = ("key", "paper", "label", "verdict", "evidence", "covers", "cases", "witness", "amendment")


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m proofs_check``."""
    parser = cli.parser("proofs_check", __doc__ or "", "verify certificate.json")
    commands = parser.add_subparsers(dest="task", required=True, metavar="COMMAND")
    _add_list(commands)
    _add_run(commands)
    _add_show(commands)
    _add_search(commands)
    verify = commands.add_parser("verify", help="check the certificate of a least robust risk, by code of its own")
    verify.add_argument("file", help="a certificate, as theory.optimal writes it")
    verify.add_argument("--data", metavar="FOLDER", help="the sample's data, if not where the certificate says")
    cli.add_output_options(verify)
    verify.set_defaults(body=_verify)
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
    run.add_argument("--budget", type=cli.count_type("budget"), default=BUDGET, help="random cases a claim may spend")
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
    items, verdicts = _chosen(args.keys, args.paper), []
    for item, verdict in zip(cli.progress(items, "claims"), check_all(items, args.budget), strict=True):
        verdicts.append((item, verdict))
        if not verdict.as_expected:
            sys.stderr.write(f"proofs_check: {item.key} {verdict.fault}\n")
    rows = [_row(item, verdict) for item, verdict in verdicts]
    if args.format in ("text", "markdown", "latex"):  # for people: the columns that fit
        columns = ["key", "verdict", "cases", "evidence"]
        rows = [{name: row[name] for name in columns} for row in rows]
    else:
        columns = list(FIELDS)
    cli.emit(Table(columns, rows), args, schema="tightrope.verdicts/1")
    return 0 if all(verdict.as_expected for _, verdict in verdicts) else 1


def _show(args: argparse.Namespace) -> int:
    item = find(args.key)
    verdict = check(item, args.budget)
    row = _row(item, verdict)
    if args.format != "text":
        cli.emit(Table(list(FIELDS), [row]), args, schema="tightrope.verdicts/1")
        return 0 if verdict.as_expected else 1
    lines = [f"{item.key}: {item.paper}, {item.label} ({item.place})", "", item.statement]
    lines += [f"read:      {item.reading}"] if item.reading else []
    lines += [f"premise:   {premise}" for premise in item.premises]
    lines += ["", f"verdict:   {verdict}", f"evidence:  {verdict.evidence}", f"covers:    {verdict.covers}"]
    if item.lift:
        lines += ["", "argument:", item.lift]
    if verdict.witness is not None:
        lines += ["", "witness:", str(verdict.witness)]
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


def _row(item: Claim, verdict: Verdict) -> dict[str, Any]:
    return {
        "key": item.key,
        "paper": item.paper,
        "label": item.label,
        "verdict": verdict.kind,
        "evidence": verdict.evidence,
        "covers": verdict.covers,
        "cases": verdict.cases,
        "witness": verdict.witness.snippet if verdict.witness else None,
        "amendment": item.amendment or None,
    }


# ---- search ----


def _search(args: argparse.Namespace) -> int:
    found = refute(_loaded(args.margin), args.cases, args.n, args.seed)
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


def _loaded(name: str) -> Callable[[Any], Any]:
    """The function MODULE:FUNCTION, looked for in the working directory too."""
    from importlib import import_module

    module, colon, function = name.partition(":")
    if not (module and colon and function):
        raise ValueError(f"--margin {name!r} is not of the form MODULE:FUNCTION, say conjectures:margin")
    try:
        loaded = import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name):
            raise  # the module is there, but lacks one of its own
        raise ValueError(f"--margin module {module!r} is not found; it must be importable from here") from None
    found: Any = getattr(loaded, function, None)
    if not callable(found):
        raise ValueError(f"--margin module {module!r} has no function {function!r}")
    margin: Callable[[Any], Any] = found
    return margin


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

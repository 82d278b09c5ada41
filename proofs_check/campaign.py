"""A campaign: as many random cases as one likes against one claim or conjecture, batch by batch, in the background.

Each batch is a search of its own, whose seed follows from that of the campaign, and one line of a file, appended as
soon as it is done: a campaign that is stopped goes on where it was. Memory does not grow with the number of cases.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from proofs_check.core import Budget
from proofs_check.discovery import find
from proofs_check.families import family
from proofs_check.results import ResultFile, Row, witness
from proofs_check.running import add_jobs, in_parallel
from proofs_check.search import Counterexample, MarginError, refute
from theory import cli
from theory.table import Table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

BATCH = 5000
_NONE: Mapping[int, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Target:
    """What is hunted: the claim with the key, or MODULE:FUNCTION on the cases of a family."""

    key: str = ""
    margin: str = ""
    cases: str = ""

    def setting(self, seed: int, batch: int) -> Row:
        """What all lines of the campaign's file share."""
        named = {"claim": self.key} if self.key else {"conjecture": self.margin, "cases": self.cases}
        return {"schema": "tightrope.campaign/1", **named, "campaign_seed": seed, "batch_size": batch}


def batches(
    target: Target, n: int, seed: int = 0, batch: int = BATCH, jobs: int | None = None, done: Mapping[int, int] = _NONE
) -> Iterator[Row]:
    """The rows of the batches that make up ``n`` cases, in order, without those ``done`` (number -> cases asked for).

    A row says batch, seed, asked and tried (the cases asked for, and those decided: a family may have fewer, and a
    claim may spend only a part of its budget on a search), verdict, slack (the smallest margin), and of a refutation
    the witness, its margin and its table. Raises ``ValueError`` for a claim that searches no random cases, and for what
    `MarginError` is about, in its words.

    >>> [(row["asked"], row["verdict"]) for row in batches(Target("trades-eq1"), 30, batch=20)]
    [(20, 'SUPPORTED'), (10, 'SUPPORTED')]
    """
    planned = ((k, min(batch, n - start)) for k, start in enumerate(range(0, n, batch)))
    tasks = ((target, k, asked, _seed(seed, k)) for k, asked in planned if done.get(k, 0) < asked)
    for row in in_parallel(_batch, tasks, jobs, ordered=True):
        if "error" in row:
            raise ValueError(row["error"])
        yield row


def _seed(seed: int, batch: int) -> int:
    """A seed for each batch: far apart, and none in two campaigns by accident."""
    import hashlib

    return int.from_bytes(hashlib.sha256(f"{seed}/{batch}".encode()).digest()[:6], "big")


def _batch(target: Target, number: int, n: int, seed: int) -> Row:
    import time

    start = time.process_time()
    try:
        found = _of_claim(target.key, n, seed) if target.key else _of_margin(target, n, seed)
    except MarginError as error:  # a mistake in someone's margin, to be told in one sentence by whoever asked
        return {"error": str(error)}
    if "error" in found:
        return found
    return {"batch": number, "seed": seed, "asked": n, **found, "seconds": round(time.process_time() - start, 3)}


def _of_claim(key: str, n: int, seed: int) -> Row:
    item = find(key)
    if item.prove is None or item.reads:
        return {"error": f"claim {key!r} is not decided by a computation, so there is nothing to try cases on"}
    found = item.prove(Budget(n, seed))
    if not found.tried:
        return {
            "error": f"claim {key!r} searches no random cases ({found.how}), so a campaign adds nothing to it; "
            "name one that run shows as SUPPORTED"
        }
    verdict = "REFUTED" if found.witness else "SUPPORTED"
    slack = None if found.slack is None else str(found.slack)
    return {"tried": found.tried, "verdict": verdict, "slack": slack, **witness(found.witness)}


def _of_margin(target: Target, n: int, seed: int) -> Row:
    try:
        margin = load_margin(target.margin)
    except ValueError as error:  # this process sees other folders than the one that was asked
        return {"error": str(error)}
    found = refute(margin, target.cases, n, seed)
    if isinstance(found, Counterexample):
        return {"tried": found.cases, "verdict": "REFUTED", "slack": None, **witness(found)}
    verdict, slack = "SUPPORTED" if found.n else "UNDECIDED", None if found.slack is None else str(found.slack)
    return {"tried": found.n, "verdict": verdict, "slack": slack, **witness(None)}


def load_margin(name: str) -> Callable[[Any], Any]:
    """The function MODULE:FUNCTION, looked for in the working directory too. Raises ``ValueError``."""
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


# ---- the command ----


def add_command(commands: Any) -> None:
    """``python -m proofs_check campaign``."""
    campaign = commands.add_parser("campaign", help="try as many cases as one likes, batch by batch, and keep them all")
    campaign.add_argument("key", nargs="?", metavar="KEY", help="the key of a claim that searches random cases")
    campaign.add_argument("--margin", metavar="MODULE:FUNCTION", help="or a function of one case, as for search")
    campaign.add_argument("--cases", default="finite", metavar="FAMILY", help="its family of cases")
    campaign.add_argument("--n", type=cli.count_type("n"), default=1_000_000, help="how many cases to try")
    campaign.add_argument("--batch", type=cli.count_type("batch"), default=BATCH, help="how many at a time")
    campaign.add_argument("--seed", type=cli.count_type("seed", 0), default=0, help="the seed of the campaign")
    add_jobs(campaign)
    campaign.add_argument("--out", type=cli.output_type("out"), required=True, metavar="FILE", help="the batches' file")
    campaign.add_argument("--resume", action="store_true", help="skip the batches that are in the file")
    cli.add_output_options(campaign)
    campaign.set_defaults(body=_campaign)


def _campaign(args: argparse.Namespace) -> int:
    if bool(args.key) == bool(args.margin):
        raise ValueError("campaign takes the key of a claim, or --margin; give one of the two")
    if args.key:
        target = Target(find(args.key).key)
    else:
        load_margin(args.margin)
        family(args.cases)
        target = Target(margin=args.margin, cases=args.cases)
    file = ResultFile(args.out, target.setting(args.seed, args.batch), resume=args.resume)
    total, code = _Total(), 0
    for line in file.finished():
        total.add(line)
    try:
        found = batches(target, args.n, args.seed, args.batch, args.jobs, total.done) if not total.witness else ()
        for line in cli.progress(found, "batches", max(0, -(-args.n // args.batch) - len(total.done))):
            file.append([line])
            total.add(line)
            if total.witness:
                break
    except KeyboardInterrupt:
        sys.stderr.write(f"proofs_check: interrupted; {args.out} holds {len(file.finished())} batches for --resume\n")
        code = 130
    line = {"target": args.key or args.margin, **total.line(), "file": str(args.out)}
    notes = [total.witness] if total.witness else []
    cli.emit(Table(list(line), [line], notes=notes), args, schema="tightrope.campaign/1")
    return code or int(bool(total.witness))


class _Total:
    """What the batches of a campaign add up to: a few numbers for each."""

    def __init__(self) -> None:
        self.done: dict[int, int] = {}
        self.tried: dict[int, int] = {}
        self.witness = ""
        self.slack: Fraction | None = None

    def add(self, line: Row) -> None:
        self.done[line["batch"]] = line["asked"]  # a batch is done again if it is to be a larger one
        self.tried[line["batch"]] = line["tried"]
        if line["slack"] is not None and (self.slack is None or Fraction(line["slack"]) < self.slack):
            self.slack = Fraction(line["slack"])
        self.witness = self.witness or line["witness"] or ""

    def line(self) -> Row:
        tried = sum(self.tried.values())
        verdict = "REFUTED" if self.witness else "SUPPORTED" if tried else "UNDECIDED"
        return {"verdict": verdict, "batches": len(self.done), "cases": tried, "slack": self.slack}

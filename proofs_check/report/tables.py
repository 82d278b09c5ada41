"""The report as one table: Markdown, LaTeX and JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from proofs_check.core import PAPERS
from proofs_check.report.entries import Entry, share, summary
from theory.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMNS = ("label", "key", "verdict", "covers")


def overview(entries: Sequence[Entry]) -> Table:
    """Verdicts by group and paper."""
    return Table(("group", "verdict", *PAPERS, "all"), summary(entries))


def table(entries: Sequence[Entry], paper: str | None = None) -> Table:
    """One line a claim: label, key, verdict, and what it covers."""
    lines = []
    for entry in entries:
        item = entry.claim
        if paper in (None, item.paper):
            verdict = f"{entry.shown} by {item.amendment}" if item.amendment else entry.shown
            lines.append({"label": item.label, "key": item.key, "verdict": verdict, "covers": entry.row["covers"]})
    return Table(COLUMNS, lines)


def markdown(entries: Sequence[Entry], how: str) -> str:
    """A page of Markdown; ``how`` says where the verdicts come from."""
    lines = ["# Verdicts", "", how, "", overview(entries).to_markdown(), "", proved(entries)]
    for paper, title in PAPERS.items():
        if any(entry.claim.paper == paper for entry in entries):
            lines += ["", f"## {paper}: {title}", "", table(entries, paper).to_markdown()]
    return "\n".join(lines) + "\n"


def latex(entries: Sequence[Entry]) -> str:
    """A ``tabular`` of all claims."""
    return table(entries).to_latex() + "\n"


def proved(entries: Sequence[Entry]) -> str:
    """The sentence on how much is proved."""
    each = [f"{paper} {share(entries, paper)}" for paper in PAPERS if share(entries, paper).holding]
    return (
        f"Of the printed labels with a mathematical claim that holds, {share(entries)} are proved"
        f"{': ' if each else ''}{', '.join(each)}."
    )


def as_json(entries: Sequence[Entry], commit: str | None, command: str) -> str:
    """All that the page says, as one JSON object."""
    total = share(entries)
    content: dict[str, Any] = {
        "schema": "tightrope.report/1",
        "command": command,
        "commit": commit,
        "proved_labels": total.proved,
        "holding_labels": total.holding,
        "summary": overview(entries).to_json_rows(),
        "rows": [_row(entry) for entry in entries],
    }
    return json.dumps(content, indent=2) + "\n"


def _row(entry: Entry) -> dict[str, Any]:
    item = entry.claim
    texts = ("place", "kind", "group", "statement", "reading", "searched", "repairs", "reads")
    return {
        **entry.row,
        **{name: getattr(item, name) for name in texts},
        "premises": list(item.premises),
        "argument": item.lift,
    }

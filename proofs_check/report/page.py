"""The report as one page of HTML that needs no network: style, script, figures and formulas are in it.

Without scripts it is a plain page whose entries open and close; the script adds a filter and a search. End tags that
HTML lets one leave out are left out, for the page is long.
"""

from __future__ import annotations

import json
import re
from html import escape
from importlib import resources
from typing import TYPE_CHECKING

from proofs_check.core import PAPERS, VERDICTS
from proofs_check.report import figures, mathml
from proofs_check.report.entries import Entry, summary
from proofs_check.report.formulas import SPELLED
from proofs_check.report.tables import proved

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from proofs_check.core import Claim
    from proofs_check.results import Row

_FOOT = 'A verdict covers exactly the quantifiers that its entry names. The word "proved" is never used of samples.'
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def page(entries: Sequence[Entry], how: str, commit: str | None) -> str:
    """The page; ``how`` says where the verdicts come from."""
    title = "Printed claims on the robustness-accuracy trade-off, and their verdicts"
    papers = [paper for paper in PAPERS if any(entry.claim.paper == paper for entry in entries)]
    parts = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        f"<title>{title}</title>",
        f"<style>\n{_file('page.css')}</style>",
        "</head>",
        "<body>",
        '<a class="skip" href="#claims">Skip to the claims</a>',
        "<header>",
        f"<h1>{title}</h1>",
        f"<p>{_marked(how)}</p>",
        f"<p>{escape(proved(entries))}</p>",
        f'<p class="quiet">Commit {escape(commit or "unknown: not a checkout")}.</p>',
        "</header>",
        "<main>",
        _summary(entries),
        _legend(entries),
        '<section id="claims" tabindex="-1" aria-labelledby="claims-title">',
        '<h2 id="claims-title">Claims</h2>',
        _filter(entries, papers),
        *(_paper(paper, [entry for entry in entries if entry.claim.paper == paper]) for paper in papers),
        "</section>",
        "</main>",
        f"<footer><p>{_FOOT}</p></footer>",
        f'<script type="application/json" id="signs">{json.dumps(SPELLED)}</script>',
        f"<script>\n{_file('page.js')}</script>",
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _marked(text: str) -> str:
    """Text with `code` in it."""
    return re.sub(r"`(.*?)`", r"<code>\1</code>", escape(text))


def _file(name: str) -> str:
    return resources.files("proofs_check.report").joinpath(name).read_text(encoding="utf-8")


def bibtex(paper: str) -> str:
    """The BibTeX entry of a paper.

    >>> bibtex("ODDS").splitlines()[0]
    '@inproceedings{ODDS,'
    """
    return next(entry for entry in _file("papers.bib").split("\n\n") if f"{{{paper}," in entry).strip()


# ---- above the claims -----------------------------------------------------------------------------------------------


def _summary(entries: Sequence[Entry]) -> str:
    lines = summary(entries)
    heads = "".join(f'<th scope="col">{name}</th>' for name in (*PAPERS, "all"))
    body, group = [], None
    for line in lines:
        if line["group"] != group:
            group = line["group"]
            body.append(f'<tr><th scope="rowgroup" colspan="{len(PAPERS) + 2}">{group}</th></tr>')
        counts = "".join(f"<td>{line[name] or ''}</td>" for name in (*PAPERS, "all"))
        body.append(f'<tr><th scope="row">{_badge(str(line["verdict"]))}</th>{counts}</tr>')
    return "\n".join(
        [
            '<section aria-labelledby="summary-title">',
            '<h2 id="summary-title">Summary</h2>',
            '<table class="counts">',
            "<caption>Entries by group, verdict and paper</caption>",
            f'<thead><tr><th scope="col">verdict</th>{heads}</tr></thead>',
            "<tbody>",
            *body,
            "</tbody></table>",
            "</section>",
        ]
    )


def _legend(entries: Sequence[Entry]) -> str:
    used = {entry.verdict for entry in entries}
    lines = [f"<dt>{_badge(kind)}</dt><dd>{what}</dd>" for kind, what in VERDICTS.items() if kind in used]
    return f"<details><summary>What the verdicts mean</summary><dl>{''.join(lines)}</dl></details>"


def _filter(entries: Sequence[Entry], papers: Sequence[str]) -> str:
    verdicts = [kind for kind in (*VERDICTS, "definition") if any(entry.verdict == kind for entry in entries)]
    groups = list(dict.fromkeys(str(line["group"]) for line in summary(entries)))
    return "\n".join(
        [
            '<form id="filter" class="filter" role="search" aria-label="Claims" hidden>',
            '<div class="wide"><label for="search">Search in all texts</label>',
            '<input id="search" name="search" type="search" autocomplete="off"></div>',
            _select("paper", "Paper", papers),
            _select("verdict", "Verdict", verdicts),
            _select("group", "Group", groups),
            '<div><button type="button" id="open">Open or close all</button></div>',
            '<div><button type="reset">Show all again</button></div>',
            '<p class="wide quiet"><output id="count" aria-live="polite"></output></p>',
            "</form>",
        ]
    )


def _select(name: str, label: str, values: Iterable[str]) -> str:
    options = "".join(f'<option value="{value}">{value}</option>' for value in values)
    return (
        f'<div><label for="{name}">{label}</label><select id="{name}" name="{name}"><option value="">all</option>'
        f"{options}</select></div>"
    )


# ---- claims ---------------------------------------------------------------------------------------------------------


def _paper(paper: str, entries: Sequence[Entry]) -> str:
    return "\n".join(
        [
            f'<section class="paper" data-paper="{paper}" aria-labelledby="paper-{paper}">',
            f'<h2 id="paper-{paper}">{paper}: {escape(PAPERS[paper])}</h2>',
            f"<details><summary>BibTeX of {paper}</summary><pre>{escape(bibtex(paper))}</pre></details>",
            *map(_claim, entries),
            "</section>",
        ]
    )


def _claim(entry: Entry) -> str:
    item, row = entry.claim, entry.row
    head = f'<span class="label">{escape(item.label)}</span>{_badge(entry.verdict, entry.shown)}'
    statement, drawn = mathml.html(item.statement), figures.svg(item)
    marks = f"data-verdict='{entry.verdict}' data-group={item.group}"
    return "\n".join(
        [
            f'<details class="claim" id="{item.key}" {marks}>',
            f'<summary>{head}<span class="statement">{statement}</span></summary>',
            "<div>",
            f'<p class="fault">{escape(item.key)} {escape(row["fault"])}.</p>' if row["fault"] else "",
            "<dl>",
            _term("Place", f"{item.paper}, {escape(item.place)}; {item.kind}"),
            _term("Read", mathml.html(item.reading, light=True)),
            _term("Premises", _premises(item, row)),
            _term("Covers", mathml.html(row["covers"], light=True)),
            _term("Evidence", mathml.html(row["evidence"], light=True)),
            _term("Rests on", _record(row)),
            _term("Searched", mathml.html(item.searched, light=True)),
            _term("Repaired by", _link(item.amendment)),
            _term("Repairs", _link(item.repairs)),
            _term("Argument", "".join(f"<p>{_paragraph(text)}</p>" for text in item.lift.split("\n\n") if text)),
            _term("Witness", _witness(row)),
            _term("Figure", f"<figure>{drawn}</figure>" if drawn else ""),
            _term("Run again, and cite", _again(item)),
            "</dl>",
            "</div>",
            "</details>",
        ]
    )


def _again(item: Claim) -> str:
    cite = f"\\cite[{escape(item.label)}]{{{item.paper}}}"
    return f"<code>python -m proofs_check show {item.key}<br>{cite}</code>"


def _badge(verdict: str, shown: str = "") -> str:
    return f'<span class="verdict {verdict.split(maxsplit=1)[0]}">{escape(shown or verdict)}</span>'


def _term(name: str, content: str) -> str:
    return f"<dt>{name}<dd>{content}" if content else ""


def _link(key: str) -> str:
    return f'<a href="#{key}">{key}</a>' if key else ""


def _paragraph(text: str) -> str:
    return mathml.html(" ".join(text.split()), light=True)


def _premises(item: Claim, row: Row) -> str:
    broken = {found["premise"]: found for found in row["breakages"]}
    lines = []
    for premise in item.premises:
        found = broken.get(premise)
        inside = (
            f"<p>Without it: {_badge(found['verdict'])} {mathml.html(found['evidence'], light=True)}</p>"
            if found
            else ""
        )
        lines.append(f"<li>{mathml.html(premise)}{inside}{_witness(found) if found else ''}")
    return f"<ul>{''.join(lines)}</ul>" if lines else ""


def _record(row: Row) -> str:
    return f"record {escape(row['record'])}, SHA-256 <code>{row['sha256']}</code>" if row["record"] else ""


def _witness(row: Row) -> str:
    """The table that is checked by hand, and Python that makes the case again."""
    if not row["witness"]:
        return ""
    cells = [*row["table"], ["margin", "right minus left side", row["margin"]]]
    lines = "".join(
        f"<tr><th scope=row>{escape(part)}<td>{escape(name)}<td>{escape(cell)}" for part, name, cell in cells
    )
    table = f"<table>{lines}</table>"
    return f"{table}<pre>{escape(row['witness'])}</pre>"

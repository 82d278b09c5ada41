"""What the report says of each claim, and what it adds up to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from proofs_check.core import HOLDS, PAPERS, VERDICTS, Claim
from proofs_check.results import Row, row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from theory.table import Cell

GROUPS = ("mathematics", "repairs", "procedures", "networks", "arithmetic", "definitions")


@dataclass(frozen=True, slots=True)
class Entry:
    """A claim and the row of its verdict (`proofs_check.results.row`)."""

    claim: Claim
    row: Row

    @property
    def verdict(self) -> str:
        """The verdict, or "definition"."""
        return self.row["verdict"] or "definition"

    @property
    def shown(self) -> str:
        """The verdict for people, with the number of cases where it is one of so many."""
        return f"SUPPORTED({self.row['cases']})" if self.verdict == "SUPPORTED" and self.row["cases"] else self.verdict


def pinned(items: Iterable[Claim]) -> list[Entry]:
    """The entries with the verdicts that the source pins; nothing is run."""
    from proofs_check.core import Verdict

    return [
        Entry(item, row(item, Verdict(item.key, item.expected, "", item.covers, 0, None, item.expected)))
        for item in sorted(items, key=_place)
    ]


def in_order(items: Sequence[Claim], rows: Mapping[str, Row]) -> list[Entry]:
    """The entries of those claims that have a row."""
    return [Entry(item, rows[item.key]) for item in sorted(items, key=_place) if item.key in rows]


def _place(item: Claim) -> tuple[int, bool, str]:
    """Where it is in the paper, by its first section: those by number come before those by letter."""
    found = re.search(r"(Section|Sections|Appendix) ([A-Z\d]+(?:\.\d+)*)", item.place)
    return list(PAPERS).index(item.paper), bool(found and found[1] == "Appendix"), found[2] if found else ""


def summary(entries: Sequence[Entry]) -> list[dict[str, Cell]]:
    """How many there are of each verdict, group by group and paper by paper; what there is none of is left out."""
    lines: list[dict[str, Cell]] = []
    for group in GROUPS:
        for verdict in (*VERDICTS, "definition"):
            these = [entry for entry in entries if entry.claim.group == group and entry.verdict == verdict]
            if these:
                counts = {paper: sum(entry.claim.paper == paper for entry in these) for paper in PAPERS}
                lines.append({"group": group, "verdict": verdict, **counts, "all": len(these)})
    return lines


_NUMBERED = re.compile(
    r"(Theorem|Lemma|Corollary|Assumption|Definition|Remark|Algorithm|Table|Figure|Footnote|eq) \(?[\w.]+\)?"
)


def printed_label(label: str) -> str:
    """The label under which something is printed: the parts of a numbered one are one, a place in the text is its own.

    >>> printed_label("Theorem 1, uniqueness"), printed_label("Section 2, trade-off")
    ('Theorem 1', 'Section 2, trade-off')
    """
    numbered = _NUMBERED.match(label)
    return numbered.group() if numbered else label


@dataclass(frozen=True, slots=True)
class Share:
    """Of the printed labels with a mathematical claim that holds, those of which all that holds is PROVED."""

    proved: int
    holding: int

    @property
    def value(self) -> Fraction:
        """The share itself, 0 where nothing holds."""
        return Fraction(self.proved, self.holding) if self.holding else Fraction(0)

    def __str__(self) -> str:
        return f"{self.proved} of {self.holding} ({round(100 * self.value)} %)" if self.holding else "none"


def share(entries: Iterable[Entry], paper: str | None = None) -> Share:
    """The share PROVED among the mathematical statements that hold, counted once a printed label.

    Repairs, which are ours, definitions, procedures, networks and the arithmetic of tables do not count.
    """
    labels: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        item = entry.claim
        if item.group == "mathematics" and paper in (None, item.paper) and entry.verdict in HOLDS:
            labels.setdefault((item.paper, printed_label(item.label)), []).append(entry.verdict)
    proved = sum(set(verdicts) == {"PROVED"} for verdicts in labels.values())
    return Share(proved, len(labels))

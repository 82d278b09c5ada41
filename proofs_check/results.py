"""Verdicts as rows of JSON: what ``run`` prints, what a file of finished verdicts holds, and what the report reads.

A file of rows has one JSON object a line and only grows, so that a run that is interrupted loses nothing finished.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theory.enclosure import Enclosure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from proofs_check.core import Claim, Verdict
    from proofs_check.search import Counterexample

FIELDS = ("key", "paper", "label", "verdict", "evidence", "covers", "cases", "witness", "amendment")
"""What every row of a verdict says; `row` adds what the report needs."""

Row = dict[str, Any]


def row(item: Claim, verdict: Verdict) -> Row:
    """A verdict as JSON values: the fields of `FIELDS`, and expected, fault, margin and table of the witness,
    breakages (rows of premise, verdict, evidence, witness, margin, table), record and sha256.

    >>> from proofs_check import check, registry
    >>> made = row(registry()["odds-theorem-2.1"], check("odds-theorem-2.1"))
    >>> made["verdict"], made["witness"], made["fault"]
    ('PROVED', None, '')
    """
    return {
        "key": item.key,
        "paper": item.paper,
        "label": item.label,
        "verdict": verdict.kind,
        "evidence": verdict.evidence,
        "covers": verdict.covers,
        "cases": verdict.cases,
        **witness(verdict.witness),
        "amendment": item.amendment or None,
        "expected": verdict.expected,
        "fault": verdict.fault,
        "breakages": [
            {"premise": premise, "verdict": found.kind, "evidence": found.how, **witness(found.witness)}
            for premise, found in verdict.breakages
        ],
        "record": verdict.record or None,
        "sha256": verdict.sha256 or None,
    }


def witness(found: Counterexample | None) -> Row:
    """A counterexample as its snippet, its margin, and the lines of its table; None for each if there is none."""
    if found is None:
        return {"witness": None, "margin": None, "table": None}
    cells = [[str(cell) for cell in line] for line in found.table.cells[:-1]]  # the last line is the margin
    margin = format(found.margin, ".6f") if isinstance(found.margin, Enclosure) else str(found.margin)
    return {"witness": found.snippet, "margin": margin, "table": cells}


def commit() -> str | None:
    """The commit of this checkout, "-dirty" behind it when files differ; None outside a checkout."""
    from theory.record import Record

    found: str | None = Record.new("", {}, command="").provenance["commit"]
    return found


class ResultFile:
    """A file of rows that only grows.

    A last line that was only half written is dropped, which is said on stderr. ``setting`` is what every row of the
    file must share, seed and so on: it is written into each one. Raises ``ValueError`` for a file that is not empty
    unless one wants to ``resume``, and as `check_writable` does.
    """

    def __init__(self, path: str | Path, setting: Mapping[str, Any], *, resume: bool) -> None:
        from theory.record import check_writable

        check_writable(path)
        self.path, self.setting = Path(path), dict(setting)
        if not resume and self.path.exists() and self.path.stat().st_size:
            raise ValueError(f"{self.path} is not empty; go on with what it holds (--resume), or name another file")

    def finished(self) -> list[Row]:
        """The rows that are there. Raises ``ValueError`` unless they are rows, and of this setting."""
        found = []
        for number, line in enumerate(read_rows(self.path), 1):
            for name, value in self.setting.items():
                if line.get(name) != value:
                    raise ValueError(
                        f"{self.path} holds results of {name} {line.get(name)!r} in line {number}, and this is {name} "
                        f"{value!r}; give the same, or name another file"
                    )
            found.append(line)
        return found

    def append(self, rows: Sequence[Row]) -> None:
        """Add rows, and see to it that they are on the disk."""
        import os

        text = "".join(json.dumps({**line, **self.setting}) + "\n" for line in rows)
        self._mend()
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    def _mend(self) -> None:
        """Cut off half a line at the end."""
        if not self.path.exists() or not self.path.stat().st_size:
            return
        with self.path.open("rb+") as file:
            file.seek(-1, 2)
            if file.read(1) == b"\n":
                return
            end = file.seek(0, 2)
            kept = 0
            while end and not kept:  # look back for the last whole line
                start = max(0, end - 65536)
                file.seek(start)
                kept = start + file.read(end - start).rfind(b"\n") + 1
                end = start
                if kept == start:
                    kept = 0
            file.truncate(kept)


def read_rows(path: str | Path) -> list[Row]:
    """The rows of a file, without half a line at its end, which is said on stderr; none if there is no file.

    Raises ``ValueError`` for a line that is no JSON object.
    """
    if not Path(path).exists():
        return []
    *lines, rest = Path(path).read_text(encoding="utf-8").split("\n")
    if rest:
        sys.stderr.write(f"proofs_check: {path} ends in half a line, which is left out\n")
    found = []
    for number, line in enumerate(lines, 1):
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise ValueError(f"line {number} of {path} is no JSON object; allowed is a file that --out has written")
        found.append(value)
    return found

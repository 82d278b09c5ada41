"""A table of exact numbers, and the six ways it is printed.

>>> table = Table(["classifier", "eps", "robust_risk"], [
...     {"classifier": "bayes", "eps": Fraction(1, 10), "robust_risk": Fraction(9, 40)},
...     {"classifier": "worst_natural", "eps": Fraction(8, 255), "robust_risk": Enclosure("0.2", "1/3", "attack")},
... ])
>>> print(table)
classifier     eps                  robust_risk
-------------  -------------------  ----------------------
bayes                  0.1          9/40 = 0.225
worst_natural  8/255 = 0.031372...         [0.2, 0.333334]
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from theory.enclosure import Enclosure

Cell = str | int | Fraction | Enclosure | bool | None

_LONGEST_FRACTION = 12
_LATEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", **{c: "\\" + c for c in "&%$#_{}"}, **{c: f"{{{c}}}" for c in "[*"},
}  # fmt: skip


@dataclass(frozen=True, slots=True, init=False, eq=False)
class Table:
    """Named columns and rows of cells; a cell is a str, int, Fraction, `Enclosure`, bool or None ("nothing to say").

    ``rows`` are mappings from column to cell; a column that a row leaves out is None there. In print, an exact number
    is its decimal, preceded by its fraction where that is shorter or the decimal goes on ("..." after digits that
    are right but not all); an enclosure is "[lo rounded down, hi rounded up]", followed by its confidence when it has
    an alpha. JSON and CSV hold the exact values.

    Raises ``ValueError`` for a column named twice or a row's key that is no column, ``TypeError`` for any other cell;
    a float is refused, since it says neither that it is exact nor how far it is off.
    """

    columns: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]
    title: str
    notes: tuple[str, ...]

    def __init__(
        self, columns: Sequence[str], rows: Iterable[Mapping[str, Cell]], title: str = "", notes: Iterable[str] = ()
    ) -> None:
        columns = tuple(columns)
        for name in columns:
            if columns.count(name) > 1:
                raise ValueError(f"column {name!r} is named twice; the names of columns must differ")
        cells = []
        for row in rows:
            for name in row:
                if name not in columns:
                    raise ValueError(f"a row has the key {name!r}, which is no column; the columns are {columns}")
            cells.append(tuple(_checked(row.get(name), name) for name in columns))
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "cells", tuple(cells))
        object.__setattr__(self, "title", title)
        object.__setattr__(self, "notes", (notes,) if isinstance(notes, str) else tuple(notes))

    @property
    def rows(self) -> list[dict[str, Cell]]:
        """The rows as dictionaries, fresh ones each time: ``pandas.DataFrame(table.rows)``."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.cells]

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Table) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        # Two enclosures are the same cell when they are the same statement: == would ask for the numbers.
        def key(x: Cell) -> object:
            return (x.lo, x.hi, x.how, x.alpha) if isinstance(x, Enclosure) else (type(x), x)

        return self.columns, tuple(tuple(map(key, row)) for row in self.cells), self.title, self.notes

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self) -> str:
        """Aligned plain text: title, heading, rows, notes."""
        columns = []
        for j, name in enumerate(self.columns):
            pairs = [_pair(row[j]) for row in self.cells]
            head = max((len(first) for first, _ in pairs), default=0)
            # Fractions end, and decimals begin, at the same place; counts end at the same place.
            entries = [first.rjust(head) + second for first, second in pairs]
            if all(type(row[j]) in (int, type(None)) for row in self.cells):
                width = max(map(len, [name, *entries]))
                entries = [entry.rjust(width) for entry in entries]
            width = max(map(len, [name, *entries]))
            columns.append([entry.ljust(width) for entry in (name, "-" * width, *entries)])
        lines = ["  ".join(line).rstrip() for line in zip(*columns, strict=True)]
        above, below = [self.title, ""] * bool(self.title), ["", *self.notes] * bool(self.notes)
        return "\n".join(above + lines + below)

    def to_json_rows(self) -> list[dict[str, object]]:
        """The rows as JSON values: an exact number is a string like "9/40", an enclosure an object with lo, hi, how
        and alpha (see `Enclosure.to_json`); counts, texts, truth values and None stay what they are.
        """
        return [{name: _json(cell) for name, cell in row.items()} for row in self.rows]

    def to_csv(self) -> str:
        r"""Comma-separated values, one heading line, lines ended by "\n": exact numbers like 9/40, an enclosure as the
        JSON text of its object, None as nothing, truth values as true and false.
        """
        import csv
        import io
        import json

        def field(cell: Cell) -> object:
            value = _json(cell)
            return json.dumps(value) if isinstance(value, dict | bool) else value

        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([field(cell) for cell in row] for row in self.cells)
        return stream.getvalue().removesuffix("\n")

    def to_markdown(self) -> str:
        """A pipe table, with the title above and the notes below."""

        def escape(text: str) -> str:
            for mark in "\\|`*<":
                text = text.replace(mark, "\\" + mark)
            return text

        heading, *body = self._escaped(escape)
        lines = ["| " + " | ".join(row) + " |" for row in (heading, ["---"] * len(heading), *body)]
        above = [escape(self.title), ""] * bool(self.title)
        below = [line for note in self.notes for line in ("", escape(note))]
        return "\n".join(above + lines + below)

    def to_latex(self) -> str:
        r"""A ``tabular`` with the rules of the booktabs package, to be ``\input``; title and notes are comments."""

        def escape(text: str) -> str:
            return "".join(_LATEX.get(c, c) for c in text)

        heading, *body = self._escaped(escape, number=_latex_number)
        lines = [" & ".join(row) + r" \\" for row in (heading, *body)]
        comments = [f"% {line}" for text in (self.title, *self.notes) for line in text.splitlines()]
        begin = rf"\begin{{tabular}}{{{'l' * len(self.columns)}}}"
        rows = [begin, r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule", r"\end{tabular}"]
        return "\n".join(comments + rows)

    def to_html(self) -> str:
        """A ``<table>``: the title is its caption, the notes are its foot."""
        from html import escape

        def row(tag: str, entries: Iterable[str]) -> str:
            return "<tr>" + "".join(f"<{tag}>{entry}</{tag}>" for entry in entries) + "</tr>"

        heading, *body = self._escaped(escape)
        lines = ["<table>", f"<caption>{escape(self.title)}</caption>", "<thead>", row("th", heading), "</thead>"]
        lines += ["<tbody>", *(row("td", entries) for entries in body), "</tbody>"]
        if self.notes:
            foot = "<br>".join(map(escape, self.notes))
            lines += [f'<tfoot><tr><td colspan="{len(self.columns)}">{foot}</td></tr></tfoot>']
        return "\n".join(line for line in [*lines, "</table>"] if line != "<caption></caption>")

    def _repr_html_(self) -> str:
        return self.to_html()

    def _escaped(self, escape: Callable[[str], str], number: Callable[[Cell], str] | None = None) -> list[list[str]]:
        """Heading and rows as escaped texts; numbers go to ``number`` if given."""

        def entry(cell: Cell) -> str:
            return number(cell) if number and isinstance(cell, Fraction | Enclosure) else escape("".join(_pair(cell)))

        return [[escape(name) for name in self.columns], *([entry(cell) for cell in row] for row in self.cells)]


def _checked(cell: Any, column: str) -> Cell:
    if cell is None or isinstance(cell, str | bool | Fraction | Enclosure):
        return cell
    if isinstance(cell, numbers.Integral):
        return int(cell)
    raise TypeError(
        f"{column} {cell!r} is a {type(cell).__name__}, which no cell may be; "
        "allowed are str, int, Fraction, Enclosure, bool and None"
    )


def _json(cell: Cell) -> object:
    if isinstance(cell, Enclosure):
        return cell.to_json()
    return str(cell) if isinstance(cell, Fraction) else cell


def _pair(cell: Cell) -> tuple[str, str]:
    """What is printed for a cell, cut where an exact number's decimal begins: ("9/40 = ", "0.225")."""
    if isinstance(cell, Enclosure):
        return _pair(cell.fraction) if cell.is_exact else ("", _interval(cell))
    if isinstance(cell, Fraction):
        return _number(cell)
    if cell is None:
        return "", "-"
    if isinstance(cell, bool):
        return "", "yes" if cell else "no"
    return "", " ".join(str(cell).splitlines())


def _number(x: Fraction) -> tuple[str, str]:
    if x.denominator == 1:
        return "", str(x)
    decimal = format(Enclosure.exact(x), _spec(abs(x)))
    fraction, known = str(x), "..." not in decimal
    decimal = _trim(decimal)
    longest = len(decimal) - 1 if known else _LONGEST_FRACTION
    return (f"{fraction} = " if len(fraction) <= longest else ""), decimal


def _interval(x: Enclosure) -> str:
    sizes = [abs(end) for end in (x.lo, x.hi) if isinstance(end, Fraction)]
    text = format(x, _spec(max(sizes, default=Fraction(0))))
    text = f"[{', '.join(map(_trim, text[1:-1].split(', ')))}]"
    return f"{text} ({_pair(100 * (1 - x.alpha))[1]}%)" if x.alpha else text


def _trim(decimal: str) -> str:
    """The decimal without the zeros at its end that say nothing."""
    digits, e, power = decimal.partition("e")
    return (digits.rstrip("0").removesuffix(".") if "." in digits and "..." not in digits else digits) + e + power


def _spec(size: Fraction) -> str:
    return ".5e" if 0 < size < Fraction(1, 1000) else ".6f"


def _latex_number(cell: Cell) -> str:
    import re

    text, sep, confidence = "".join(_pair(cell)).partition(" (")
    text = text.replace("...", r"\ldots").replace("inf", r"\infty")
    text = re.sub(r"e([+-]\d+)", lambda power: rf" \cdot 10^{{{int(power[1])}}}", text)
    return f"${text}$" + (sep + confidence).replace("%", r"\%").replace("...", r"\ldots{}")

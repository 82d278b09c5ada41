"""Tables say the same thing in every format, and nothing that is not so."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from theory.enclosure import Enclosure
from theory.table import Table

ROOT = Path(__file__).parents[2]
FRACTIONS = st.fractions() | st.builds(Fraction, st.integers(-9, 9), st.integers(1, 99))
POSITIVE = st.fractions(min_value=0)
ENCLOSURES = st.builds(
    lambda lo, width, alpha: Enclosure(lo, lo + width, "test", alpha),
    FRACTIONS, POSITIVE, st.sampled_from([Fraction(0), Fraction(1, 20), Fraction(1, 7)]),
)  # fmt: skip
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Cs"]))
CELLS = st.none() | st.booleans() | st.integers() | FRACTIONS | ENCLOSURES | TEXTS
NAMES = st.lists(st.text("abcxyz_", min_size=1, max_size=8), min_size=1, max_size=4, unique=True)


@st.composite
def tables(draw: st.DrawFn, cells: st.SearchStrategy[object] = CELLS) -> Table:
    columns = draw(NAMES)
    rows = draw(st.lists(st.fixed_dictionaries(dict.fromkeys(columns, cells)), max_size=4))
    return Table(columns, rows, title=draw(TEXTS), notes=draw(st.lists(TEXTS, max_size=2)))


def shown(cell: object) -> str:
    """A cell as the text table prints it."""
    return Table(["x"], [{"x": cell}]).to_text().splitlines()[2].strip()


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (Fraction(9, 40), "9/40 = 0.225"),
        (Enclosure.exact("9/40"), "9/40 = 0.225"),
        (Fraction(1, 10), "0.1"),  # the decimal is exact and shorter than 1/10
        (Fraction(11, 20), "0.55"),
        (Fraction(1, 32), "1/32 = 0.03125"),
        (Fraction(8, 255), "8/255 = 0.031372..."),
        (Fraction(-2, 3), "-2/3 = -0.666666..."),
        (Fraction(1234567, 7654321), "0.161290..."),  # the fraction has more than twelve characters
        (Fraction(1, 9999999999), "1/9999999999 = 1.00000...e-10"),  # twelve characters
        (Fraction(1, 99999999999), "1.00000...e-11"),
        (Fraction(1, 10**9), "1e-09"),
        (Fraction(1, 3 * 10**9), "1/3000000000 = 3.33333...e-10"),
        (Fraction(7), "7"),
        (Fraction(0), "0"),
        (12, "12"),
        (True, "yes"),
        (False, "no"),
        (None, "-"),
        ("two\nlines", "two lines"),
        (Enclosure("1/3", "2/3", "attack"), "[0.333333, 0.666667]"),
        (Enclosure("-2/3", "1/2", "attack"), "[-0.666667, 0.5]"),
        (Enclosure("1/4", "3/4", "sample", alpha="1/1000"), "[0.25, 0.75] (99.9%)"),
        (Enclosure("1/4", "1/4", "sample", alpha="1/20"), "[0.25, 0.25] (95%)"),
        (Enclosure(-float("inf"), "1/3"), "[-inf, 0.333334]"),
        (Enclosure("1/300000", "1/200000"), "[3.33333e-06, 5e-06]"),
    ],
)
def test_a_cell_is_printed_as_a_paper_would(cell: object, text: str) -> None:
    assert shown(cell) == text


@given(FRACTIONS)
def test_the_digits_of_an_exact_number_are_right(x: Fraction) -> None:
    text = shown(x)
    *fraction, decimal = text.split(" = ")
    assert [Fraction(part) for part in fraction] == [x] * len(fraction)
    cut = decimal.replace("...", "")
    below = abs(x) - abs(Fraction(cut))
    if cut == decimal:
        assert below == 0
    else:
        assert 0 < below < Fraction(Decimal((0, (1,), int(Decimal(cut).as_tuple().exponent))))


@given(ENCLOSURES.filter(lambda x: not x.is_exact))
@example(Enclosure("1/3", "1/3", alpha="1/2"))
def test_a_printed_enclosure_holds_the_enclosure(x: Enclosure) -> None:
    lo, hi = re.fullmatch(r"\[(\S+), (\S+)\]( \(\S+%\))?", shown(x)).groups()[:2]
    assert Fraction(lo) <= x.lo <= x.hi <= Fraction(hi)


def test_text_lines_up_decimals_and_counts() -> None:
    rows = [{"x": Fraction(9, 40), "n": 5}, {"x": Fraction(1, 2), "n": 300}, {"x": None, "n": None}]
    assert Table(["n", "x"], rows, title="T", notes=["N"]).to_text() == (
        "T\n\n"
        "n    x\n"
        "---  ------------\n"
        "  5  9/40 = 0.225\n"
        "300         0.5\n"
        "  -         -\n"
        "\nN"
    )


@given(tables())
def test_every_row_is_a_line_of_the_text(table: Table) -> None:
    extra = 2 * bool(table.title) + (1 + len(table.notes)) * bool(table.notes)
    assert len(table.to_text().split("\n")) == 2 + len(table.cells) + extra
    assert str(table) == table.to_text()


def expected_json(cell: object) -> object:
    if isinstance(cell, Enclosure):
        return cell.to_json()
    return f"{cell.numerator}/{cell.denominator}".removesuffix("/1") if isinstance(cell, Fraction) else cell


@given(tables())
def test_json_holds_exact_values(table: Table) -> None:
    back = json.loads(json.dumps(table.to_json_rows()))
    assert back == [{name: expected_json(cell) for name, cell in row.items()} for row in table.rows]


@given(tables(st.booleans() | st.integers() | FRACTIONS | ENCLOSURES | TEXTS.filter(bool)))
def test_csv_holds_exact_values(table: Table) -> None:
    heading, *body = csv.reader(io.StringIO(table.to_csv()), strict=True)
    assert tuple(heading) == table.columns
    for fields, cells in zip(body, table.cells, strict=True):
        for field, cell in zip(fields, cells, strict=True):
            if isinstance(cell, str):
                assert field == cell
            elif isinstance(cell, bool):
                assert field == ("true" if cell else "false")
            elif isinstance(cell, Enclosure) and not cell.is_exact:
                assert Enclosure.from_json(json.loads(field)).contains(cell)
            else:
                assert Fraction(field) == (cell.fraction if isinstance(cell, Enclosure) else cell)


def test_csv_has_nothing_for_none() -> None:
    assert Table(["a", "b"], [{"a": 1}]).to_csv() == "a,b\n1,"


class Cells(HTMLParser):
    """The texts in the heading and body cells; raises when a tag is not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: dict[str, list[str]] = {"th": [], "td": [], "caption": []}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "br":
            self.open.append(tag)
        if tag in self.texts:
            self.texts[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.texts:
            self.texts[self.open[-1]][-1] += data


@given(tables())
@example(Table(["a_b"], [{"a_b": "<b>&amp;</td>"}], title="<i>", notes=["</table>"]))
def test_html_parses_to_the_same_cells(table: Table) -> None:
    parser = Cells()
    parser.feed(table.to_html())
    parser.close()
    assert parser.open == []
    assert parser.texts["th"] == list(table.columns)
    expected = [shown_inline(cell) for row in table.cells for cell in row]
    assert parser.texts["td"][: len(expected)] == expected
    assert parser.texts["caption"] == [table.title] * bool(table.title)
    assert table._repr_html_() == table.to_html()


def shown_inline(cell: object) -> str:
    return " ".join(cell.splitlines()) if isinstance(cell, str) else shown(cell)


def markdown_fields(line: str) -> list[str]:
    """The fields of a pipe table's line, unescaped."""
    parts = re.findall(r"(?:\\.|[^|\\])+", line)
    return [re.sub(r"\\(.)", r"\1", part)[1:-1] for part in parts]


@given(tables())
@example(Table(["a|b"], [{"a|b": "\\|`x*<b>"}]))
def test_markdown_splits_into_the_same_cells(table: Table) -> None:
    bare = Table(table.columns, table.rows)
    heading, rule, *body = bare.to_markdown().split("\n")
    assert markdown_fields(heading) == list(table.columns)
    assert re.fullmatch(r"\|( --- \|)+", rule)
    assert [markdown_fields(line) for line in body] == [[shown_inline(cell) for cell in row] for row in table.cells]
    assert table.to_markdown().count(bare.to_markdown()) == 1


LATEX_WORDS = {"textbackslash": "\\", "textasciitilde": "~", "textasciicircum": "^", "textless": "<",
               "textgreater": ">", "textbar": "|"}  # fmt: skip


def latex_cell(source: str) -> str:
    """What LaTeX would typeset for an escaped text; fails on anything that is special and not escaped."""
    out = ""
    while source:
        word = re.match(r"\\([a-z]+)\{\}|\\([&%$#_{}])|\{([\[*])\}|([^\\&%$#_{}~^<>|])", source)
        assert word, source
        out += LATEX_WORDS[word[1]] if word[1] else word[2] or word[3] or word[4]
        source = source[word.end() :]
    return out


@given(tables(TEXTS))
@example(Table(["a_b"], [{"a_b": "100% & $5 \\ {x}^~#"}, {"a_b": "[x]"}, {"a_b": "*"}], title="50%\nof"))
def test_latex_is_balanced_and_escaped(table: Table) -> None:
    lines = [line for line in table.to_latex().split("\n") if not line.startswith("%")]
    begin, top, heading, mid, *body, bottom, end = lines
    assert begin == rf"\begin{{tabular}}{{{'l' * len(table.columns)}}}"
    assert (top, mid, bottom, end) == (r"\toprule", r"\midrule", r"\bottomrule", r"\end{tabular}")
    rows = [line.removesuffix(r" \\") for line in (heading, *body)]
    assert all(row != line for row, line in zip(rows, (heading, *body), strict=True))
    # A row may not start with [ or *, which the \\ before it would take for its own.
    assert not any(row.startswith(("[", "*")) for row in rows)
    fields = [[latex_cell(field) for field in re.split(r"(?<!\\) ?& ?", row)] for row in rows]
    expected = [list(table.columns), *([" ".join(cell.splitlines()) for cell in row] for row in table.cells)]
    assert [[f.strip() for f in row] for row in fields] == [[e.strip() for e in row] for row in expected]


@pytest.mark.parametrize(
    ("cell", "latex"),
    [
        (Fraction(9, 40), "$9/40 = 0.225$"),
        (Fraction(8, 255), r"$8/255 = 0.031372\ldots$"),
        (Fraction(1, 3 * 10**9), r"$1/3000000000 = 3.33333\ldots \cdot 10^{-10}$"),
        (Enclosure("1/4", "3/4", alpha="1/20"), r"$[0.25, 0.75]$ (95\%)"),
        (Enclosure("1/4", "3/4", alpha="1/7"), r"$[0.25, 0.75]$ (85.714285\ldots{}\%)"),
        (Enclosure(-float("inf"), float("inf")), r"$[-\infty, \infty]$"),
        (None, "-"),
    ],
)
def test_latex_numbers_are_formulas(cell: object, latex: str) -> None:
    assert Table(["x"], [{"x": cell}]).to_latex().split("\n")[4] == latex + r" \\"


def test_rows_make_a_data_frame_and_cannot_change_the_table() -> None:
    table = Table(["a", "b"], [{"a": 1}])
    table.rows[0]["a"] = 2
    assert table.rows == [{"a": 1, "b": None}]
    with pytest.raises(AttributeError):
        table.title = "x"  # type: ignore[misc]


@given(tables())
def test_equal_tables_are_equal_and_others_are_not(table: Table) -> None:
    again = Table(table.columns, table.rows, table.title, table.notes)
    assert again == table
    assert hash(again) == hash(table)
    assert Table(table.columns, [*table.rows, {}], table.title, table.notes) != table
    assert table != "a table"


def test_equality_looks_at_the_statement_and_the_type() -> None:
    def one(cell: object) -> Table:
        return Table(["x"], [{"x": cell}])

    assert one(Enclosure(0, 1, "attack")) == one(Enclosure(0, 1, "attack"))
    assert one(Enclosure(0, 1, "attack")) != one(Enclosure(0, 1, "certificate"))
    assert one(1) != one(True)


def test_bad_tables_are_refused() -> None:
    with pytest.raises(ValueError, match="column 'a' is named twice"):
        Table(["a", "a"], [])
    with pytest.raises(ValueError, match="the key 'robust_rsk', which is no column"):
        Table(["robust_risk"], [{"robust_rsk": 1}])
    with pytest.raises(TypeError, match=r"risk 0\.225 is a float, which no cell may be; allowed are"):
        Table(["risk"], [{"risk": 0.225}])


def test_integers_of_other_libraries_become_ints() -> None:
    table = Table(["n"], [{"n": np.int64(3)}])
    assert type(table.cells[0][0]) is int
    assert json.dumps(table.to_json_rows()) == '[{"n": 3}]'


def test_text_needs_no_heavy_import() -> None:
    code = (
        "import sys; from theory.table import Table; print(Table(['a'], [{'a': 1}]));"
        "print(sorted({'csv', 'html', 'json', 'tabulate', 'flint'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "a\n-\n1\n[]\n"

"""The commands as a user types them: what they print, how they fail, what they leave behind."""

from __future__ import annotations

import csv
import importlib
import io
import json
import os
import shlex
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from toy.__main__ import examples

ROOT = Path(__file__).parents[2]
SURROUNDINGS = {
    **{key: value for key, value in os.environ.items() if not key.startswith("PYTHON")},
    "PYTHONPATH": str(ROOT),
    "PYTHONWARNINGS": "error",
}
LAW = {
    "schema": "tightrope.law/1",
    "domain": [[0, 2]],
    "boxes": [{"box": [[0, 1]], "mass": {"-1": "1/3"}}, {"box": [[1, 2]], "mass": {"+1": "2/3"}}],
    "classifiers": {"early": {"boxes": [[["4/5", None]]]}, "always": {"constant": "+1"}},
}
MINE = ("toy.cheese", "toy.halves", "toy.stripes", "toy.law")
RISKS = ("standard_risk", "boundary_risk", "robust_risk", "sensible_risk")


@pytest.fixture(autouse=True)
def in_a_folder_with_a_law(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "law.json").write_text(json.dumps(LAW))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """Run a bash line in which PYTHON is this interpreter; the exit code is that of the line's first command."""
    line = line.replace("PYTHON", shlex.quote(sys.executable)) + '; exit "${PIPESTATUS[0]}"'
    return subprocess.run(["bash", "-c", line], env=SURROUNDINGS, capture_output=True, text=True, check=False)


def call(capsys: pytest.CaptureFixture[str], line: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of ``python -m LINE`` run in this process."""
    name, *argv = shlex.split(line)
    code = importlib.import_module(name).main(argv)
    return code, *capsys.readouterr()


def arguments(name: str) -> str:
    return f"{name} law.json" if name == "toy.law" else name


@pytest.mark.parametrize("name", MINE)
def test_a_command_without_options_prints_the_table_and_nothing_else(name: str) -> None:
    done = shell(f"PYTHON -m {arguments(name)}")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].split() == ["classifier", "law", "eps", *RISKS]


def test_the_first_command_of_the_readme_prints_these_risks() -> None:
    done = shell("PYTHON -m toy.cheese --eps 0.1")
    rows = {tuple(line.split()[:2]): line for line in done.stdout.splitlines()[2:]}
    assert set(rows) == {
        (name, law)
        for name in ("bayes", "worst_natural", "worst_robust", "worst_sensible", "robust_optimum")
        for law in ("true", "restricted")
    }
    assert " ".join(rows["worst_robust", "true"].split()) == (
        "worst_robust true 0.1 0.135 0.09 9/40 = 0.225 9/40 = 0.225"
    )


@pytest.mark.parametrize("name", MINE)
def test_json_names_its_schema_its_command_and_exact_rows(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    line = f"{arguments(name)} --eps 1/20 3/10 --json"
    code, out, err = call(capsys, line)
    content = json.loads(out)
    assert (code, err, list(content)) == (0, "", ["schema", "command", "rows"])
    assert content["schema"] == "tightrope.toy/1"
    assert content["command"] == f"python -m {line}"
    assert {row["eps"] for row in content["rows"]} == {"1/20", "3/10"}
    for row in content["rows"]:
        assert set(row) == {"classifier", "law", "eps", *RISKS}
        values = [Fraction(row[risk]) for risk in RISKS]
        assert values[0] + values[1] == values[2] >= values[3] >= values[0]
    assert call(capsys, content["command"].removeprefix("python -m ")) == (0, out, "")


@pytest.mark.parametrize("name", MINE)
def test_curves_as_json_cover_the_range_without_gaps(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, f"{arguments(name)} --curve --from 1/4 --to 1/3 --json")
    content = json.loads(out)
    assert (code, content["schema"]) == (0, "tightrope.toy.curve/1")
    curves: dict[tuple[str, ...], list[tuple[Fraction, Fraction]]] = {}
    for row in content["rows"]:
        assert set(row) == {"classifier", "law", "risk", "lo", "hi", "polynomial"}
        key = (row["classifier"], row["law"], row["risk"])
        curves.setdefault(key, []).append((Fraction(row["lo"]), Fraction(row["hi"])))
    for pieces in curves.values():
        assert (pieces[0][0], pieces[-1][1]) == (Fraction(1, 4), Fraction(1, 3))
        assert all(a[1] == b[0] for a, b in pairwise(pieces))


def test_the_other_formats(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = call(capsys, "toy.halves --eps 1/10 --csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert rows[0] == {"classifier": "bayes", "law": "true", "eps": "1/10", "standard_risk": "0",
                       "boundary_risk": "1/5", "robust_risk": "1/5", "sensible_risk": "0"}  # fmt: skip
    _, out, _ = call(capsys, "toy.halves --eps 1/10 --markdown")
    assert out.splitlines()[1] == "| --- | --- | --- | --- | --- | --- | --- |"
    assert "| all_one | true | 0.1 | 0.45 | 0 | 0.45 | 0.45 |" in out
    _, out, _ = call(capsys, "toy.halves --eps 1/10 --latex")
    assert out.startswith(r"\begin{tabular}{lllllll}")
    assert r"all\_one & true & $0.1$ & $0.45$ & $0$ & $0.45$ & $0.45$ \\" in out


@pytest.mark.parametrize(
    ("line", "schema", "keys"),
    [
        ("toy.cheese --as-printed", "tightrope.toy.other/1", {"eps", "quantity", "printed", "exact", "difference"}),
        ("toy.stripes --as-printed", "tightrope.toy.other/1",
         {"classifier", "risk", "eps", "printed", "exact", "difference"}),
        ("toy.halves --optimum", "tightrope.toy.other/1",
         {"eps", "optimum", "thresholds", "least_cost", "greatest_cost", "free"}),
    ],
)  # fmt: skip
def test_other_tables_have_a_schema_too(
    line: str, schema: str, keys: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.loads(call(capsys, f"{line} --json")[1])
    assert content["schema"] == schema
    assert all(set(row) == keys for row in content["rows"])


def test_a_simulation_stands_beside_the_exact_risks_and_repeats_itself(capsys: pytest.CaptureFixture[str]) -> None:
    line = "toy.stripes --eps 3/10 --simulate 400 --seed 5 --json"
    out = call(capsys, line)[1]
    for row in json.loads(out)["rows"]:
        for risk in ("standard_risk", "robust_risk"):
            seen = row[f"simulated_{risk}"]
            assert set(seen) == {"lo", "hi", "how", "alpha"}
            assert seen["alpha"] == 0.05
            assert 0 <= Fraction(seen["lo"]) <= Fraction(seen["hi"]) <= 1
    assert call(capsys, line)[1] == out


BAD = [
    ("toy.cheese --eps -1/10", "--eps -1/10 is outside (0, 1/2]; beyond 1/2 a ball covers either class"),
    ("toy.cheese --eps 0", "--eps 0 is outside (0, 1/2]; beyond 1/2 a ball covers either class"),
    ("toy.cheese --eps 0.6", "--eps 0.6 is outside (0, 1/2]; beyond 1/2 a ball covers either class"),
    ("toy.cheese --eps much", "--eps 'much' is not a number; write it like 0.1, 8/255 or 1e-3"),
    ("toy.cheese --eps nan", "--eps 'nan' is not a number; write it like 0.1, 8/255 or 1e-3"),
    ("toy.cheese --eps 1/0", "--eps '1/0' is not a number; write it like 0.1, 8/255 or 1e-3"),
    ("toy.cheese --eps", "--eps needs a value"),
    ("toy.cheese --prior 1/2",
     "--prior 1/2 is outside (1/2, 1); the example of SENSE, section 2 has a majority class +1"),
    ("toy.cheese --prior 1", "--prior 1 is outside (1/2, 1); the example of SENSE, section 2 has a majority class +1"),
    ("toy.cheese --esp 0.1", "--esp is no option; did you mean --eps?"),
    ("toy.cheese 0.1", "'0.1' belongs to no option; a value follows the name of its option"),
    ("toy.cheese --json --csv", "--csv and --json exclude each other; give one of them"),
    ("toy.cheese --simulate 0", "--simulate 0 is no whole number from 1 up"),
    ("toy.cheese --simulate 9 --curve", "--simulate adds columns to the table of risks and goes with no other table"),
    ("toy.cheese --from 1/8",
     "--from and --to are the ends of --curve; without it give the radii themselves, as --eps"),
    ("toy.cheese --curve --from 1/4 --to 1/8",
     "the range from 1/4 to 1/8 is empty or leaves (0, 1/2], the range of eps here"),
    ("toy.cheese --curve --to 1", "the range from 0 to 1 is empty or leaves (0, 1/2], the range of eps here"),
    ("toy.cheese --as-printed --leave-domain",
     "--as-printed and --leave-domain exclude each other: the print keeps the adversary inside"),
    ("toy.cheese --plot nowhere/x.png", "--plot 'nowhere/x.png' cannot be written, for there is no folder "),
    ("toy.cheese --plot x.gif", "--plot 'x.gif' does not say the format by its suffix; allowed are .png, .pdf, .svg"),
    ("toy.halves --prior 0", "--prior 0 is outside (0, 1); a law with one class has nothing to decide"),
    ("toy.halves --eps -1", "--eps -1 is negative; a radius is at least 0"),
    ("toy.halves --threshold here", "--threshold 'here' is not a number; write it like 0.1, 8/255 or 1e-3"),
    ("toy.stripes --eps 1", "--eps 1 is outside (0, 1); at 1 and beyond there is one stripe, hence one class"),
    ("toy.stripes --curve --from 0", "curves cannot start at 0; allowed is (0, 1), since breakpoints gather at 0"),
    ("toy.law", "FILE must be given"),
    ("toy.law none.json", "'none.json' cannot be used: No such file or directory"),
    ("toy.law .", "'.' cannot be used: Is a directory"),
    ("toy.law law.json --classifier erly", "classifier 'erly' is unknown; did you mean 'early'?"),
    ("toy.law law.json --ord 3", "--ord '3' is unknown; allowed are 1, 2, inf"),
    ("toy.law law.json --curve --from 2 --to 1",
     "curves cannot run from 2 to 1; allowed are radii, the first the smaller"),
    ("toy.law law.json --eps -1", "--eps -1 is negative; a radius is at least 0"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "sentence"), BAD, ids=[line for line, _ in BAD])
def test_bad_usage_is_one_sentence_and_exit_code_2(
    line: str, sentence: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, err = call(capsys, line)
    name = line.partition(" ")[0]
    assert (code, out) == (2, "")
    assert err.startswith(f"{name}: {sentence}")
    assert err.count("\n") == 1
    assert len(err) < 250
    assert [path.name for path in tmp_path.iterdir()] == ["law.json"]


def test_bad_usage_in_a_process_leaves_no_traceback() -> None:
    done = shell("PYTHON -m toy.cheese --eps 0.1 --prior 0.3")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "toy.cheese: --prior 0.3 is outside (1/2, 1); the example of SENSE, section 2 has a majority class +1\n"
    )


def test_a_bad_file_in_a_process_leaves_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text(json.dumps({**LAW, "domain": [[0, 1]]}))
    done = shell("PYTHON -m toy.law bad.json --plot x.png")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "toy.law: boxes: label 1 has mass outside the domain Boxes([(0, 1)], dim=1)\n"
    assert not (tmp_path / "x.png").exists()


def test_the_reader_of_the_table_may_leave() -> None:
    done = shell("PYTHON -m toy.halves | head -n 1")
    assert (done.returncode, done.stdout[:10], done.stderr) == (0, "classifier", "")  # it was short enough for the pipe
    done = shell("PYTHON -m toy.halves | true")
    assert (done.returncode, done.stdout, done.stderr) == (141, "", "")


def test_a_closed_stdout_is_told_in_one_sentence() -> None:
    done = shell("PYTHON -m toy.halves >&-")
    assert done.returncode == 2
    assert done.stderr.startswith("toy.halves: stdout is closed, so there is nowhere to print to")
    assert done.stderr.count("\n") == 1


def test_a_full_disk_is_told_in_one_sentence() -> None:
    done = shell("PYTHON -m toy.halves > /dev/full")
    assert done.returncode == 2
    assert done.stderr.startswith("toy.halves: stdout cannot be written (No space left on device)")
    assert done.stderr.count("\n") == 1


def test_a_law_is_read_from_stdin() -> None:
    from_file, from_stdin = shell("PYTHON -m toy.law law.json"), shell("PYTHON -m toy.law - < law.json")
    assert from_stdin.stdout == from_file.stdout
    assert (from_stdin.returncode, from_stdin.stderr) == (0, "")


@pytest.mark.parametrize("line", [*map(arguments, MINE[1:]), "toy.law law.json --ord 2"])  # the README draws the cheese
def test_a_plot_is_one_whole_file_beside_the_table(
    line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = call(capsys, line)[1]
    for suffix, start in ((".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")):
        if suffix != ".png" and not line.startswith("toy.halves"):
            continue  # one command tries the other formats
        code, out, err = call(capsys, f"{line} --plot figure{suffix}")
        assert (code, out, err) == (0, plain, "")
        assert (tmp_path / f"figure{suffix}").read_bytes().startswith(start)
    assert {path.suffix for path in tmp_path.iterdir()} <= {".json", ".png", ".svg", ".pdf"}


def test_when_a_figure_fails_the_old_file_stays_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib.figure import Figure

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "figure.png").write_bytes(b"old")
    monkeypatch.setattr(Figure, "savefig", fail)
    code, out, err = call(capsys, "toy.halves --plot figure.png")
    assert (code, out, err) == (2, "", "toy.halves: No space left on device\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figure.png", "law.json"]
    assert (tmp_path / "figure.png").read_bytes() == b"old"


def test_the_package_lists_every_example_and_its_first_line() -> None:
    done = shell("PYTHON -m toy --json")
    assert (done.returncode, done.stderr) == (0, "")
    content = json.loads(done.stdout)
    listed = {row["command"]: row["about"] for row in content["rows"]}
    assert content["schema"] == "tightrope.toy.list/1"
    runs = {path.stem for path in (ROOT / "toy").glob("*.py") if "\ndef main(" in path.read_text()} - {"__main__"}
    assert set(listed) == {f"python -m toy.{name}" for name in runs}
    assert {f"python -m {name}" for name in MINE} <= set(listed)
    for command, about in listed.items():
        assert about == (importlib.import_module(command.split()[-1]).__doc__ or "").splitlines()[0]
        assert about.endswith(".")


@pytest.mark.parametrize("name", sorted(examples()))
def test_every_example_has_help_with_an_example(name: str) -> None:
    done = shell(f"PYTHON -m {name} --help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"example: python -m {name} " in done.stdout


def test_the_examples_start_without_heavy_libraries() -> None:
    heavy = "torch matplotlib sympy cvxpy sklearn z3 scipy flint hypothesis"
    for module, argv in (("toy", []), ("toy.cheese", ["--eps", "0.1"]), ("toy.law", ["law.json"])):
        code = (
            f"import runpy, sys; sys.argv = [{module!r}, *{argv!r}]\n"
            f"try: runpy.run_module({module!r}, run_name='__main__', alter_sys=True)\nexcept SystemExit: pass\n"
            f"print(sorted(set({heavy!r}.split()) & set(sys.modules)), file=sys.stderr)"
        )
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=SURROUNDINGS, capture_output=True, text=True, check=True)
        assert done.stderr == "[]\n"

"""The contract of the command lines, on a small command of its own (DUMMY), run as a user runs it."""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import pty
import shlex
import signal
import subprocess
import sys
import termios
from fractions import Fraction
from pathlib import Path

import pytest

from theory import cli
from theory.record import Record
from theory.table import Table

ROOT = Path(__file__).parents[2]

DUMMY = '''
import sys, time
from fractions import Fraction
from theory.table import Table
from theory import cli

def body(args):
    if args.fault == "bug":
        int("no number")
    if args.fault == "assertion":
        assert False, "a bug"
    if args.fault == "operator":
        None + 1
    if args.fault == "value":
        raise ValueError("prior 1/3 is outside (1/2, 1);\\n the class line needs a majority")
    if args.fault == "type":
        raise TypeError("eps 0.1 is a float; write the string '0.1'")
    if args.fault == "file":
        open("/no/such/file")
    if args.fault == "interrupt":
        print("ready", file=sys.stderr, flush=True)
        time.sleep(60)
    if args.fault == "check":
        return 1
    items = list(cli.progress(range(args.n), "working"))
    if args.plot:
        from matplotlib.figure import Figure
        figure = Figure()
        figure.subplots().plot([0, 1], [0, 1], label="line")
        cli.save_figure(figure, args.plot)
    rows = [{"eps": eps, "n": k} for eps in args.eps for k in items]
    cli.emit(Table(["eps", "n"], rows), args, schema="tightrope.dummy/1")

def main(argv=None):
    parser = cli.parser("toy.dummy", "A dummy.", "--eps 0.1")
    parser.add_argument("--eps", nargs="+", required=True, type=cli.radius_type(), help="radii")
    parser.add_argument("--prior", type=cli.fraction_type("prior", "(1/2, 1)", "the class line needs a majority"))
    parser.add_argument("--alpha", type=cli.probability_type("alpha"))
    parser.add_argument("--n", type=cli.count_type("n"), default=1)
    faults = ["bug", "assertion", "operator", "value", "type", "file", "interrupt", "check"]
    parser.add_argument("--fault", choices=faults)
    parser.add_argument("--plot", type=cli.figure_type("plot"), metavar="FILE")
    cli.add_output_options(parser)
    return cli.run(parser, body, argv)

if __name__ == "__main__":
    sys.exit(main())
'''


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dummy") / "dummy.py"
    path.write_text(DUMMY)
    return path


@pytest.fixture(scope="module")
def dummy(script: Path) -> dict[str, object]:
    """The dummy's names, as if it were one of our own modules."""
    names: dict[str, object] = {"__name__": "toy.dummy"}
    exec(compile(DUMMY, str(script), "exec"), names)
    return names


SURROUNDINGS = {
    **{key: value for key, value in os.environ.items() if not key.startswith("PYTHON")},
    "PYTHONPATH": str(ROOT),
    "PYTHONWARNINGS": "error",
}


def shell(script: Path, line: str) -> subprocess.CompletedProcess[str]:
    """Run a bash line in which DUMMY stands for the command; the exit code is the command's own."""
    command = line.replace("DUMMY", shlex.join([sys.executable, str(script)])) + '; exit "${PIPESTATUS[0]}"'
    return subprocess.run(["bash", "-c", command], env=SURROUNDINGS, capture_output=True, text=True, check=False)


def call(dummy: dict[str, object], capsys: pytest.CaptureFixture[str], line: str) -> tuple[int, str, str]:
    """The dummy's exit code, stdout and stderr, in this process."""
    code = dummy["main"](shlex.split(line))  # type: ignore[operator]
    return code, *capsys.readouterr()


def test_text_is_the_default(dummy: dict[str, object], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(dummy, capsys, "--eps 0.1 8/255") == (
        0,
        "eps                  n\n-------------------  -\n        0.1          0\n8/255 = 0.031372...  0\n",
        "",
    )


def test_json_has_schema_command_and_exact_rows(dummy: dict[str, object], capsys: pytest.CaptureFixture[str]) -> None:
    line = "--eps 0.1 --n 2 --json"
    code, out, err = call(dummy, capsys, line)
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "schema": "tightrope.dummy/1",
        "command": f"python -m toy.dummy {line}",
        "rows": [{"eps": "1/10", "n": 0}, {"eps": "1/10", "n": 1}],
    }


def test_the_command_can_be_pasted_into_a_shell() -> None:
    args = argparse.Namespace(prog="toy.law", argv=["my law.json", "--eps", "1/10"])
    assert shlex.split(cli.command(args)) == ["python", "-m", "toy.law", "my law.json", "--eps", "1/10"]


def test_the_other_formats_are_the_tables_own(dummy: dict[str, object], capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(["eps", "n"], [{"eps": Fraction(1, 3), "n": 0}])
    assert call(dummy, capsys, "--eps 1/3 --latex") == (0, table.to_latex() + "\n", "")
    assert call(dummy, capsys, "--eps 1/3 --markdown") == (0, table.to_markdown() + "\n", "")
    assert call(dummy, capsys, "--eps 1/3 --csv") == (0, table.to_csv() + "\n", "")
    assert list(csv.reader(io.StringIO(table.to_csv()))) == [["eps", "n"], ["1/3", "0"]]


OPTIONS = "--help, --eps, --prior, --alpha, --n, --fault, --plot, --json, --latex, --markdown, --csv"
FAULTS = "bug, assertion, operator, value, type, file, interrupt, check"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("--eps -1", "--eps -1 is negative; a radius is at least 0"),
        ("--eps -0.1", "--eps -0.1 is negative; a radius is at least 0"),
        ("--eps -.1", "--eps -.1 is negative; a radius is at least 0"),
        ("--eps -1/10", "--eps -1/10 is negative; a radius is at least 0"),
        ("--eps=-1/10", "--eps -1/10 is negative; a radius is at least 0"),
        ("--eps 0.1 -1e-3", "--eps -1e-3 is negative; a radius is at least 0"),
        ("--eps -inf", "--eps '-inf' is not a number; write it like 0.1, 8/255 or 1e-3"),
        ("--eps nan", "--eps 'nan' is not a number; write it like 0.1, 8/255 or 1e-3"),
        ("--eps ''", "--eps '' is not a number; write it like 0.1, 8/255 or 1e-3"),
        ("--eps 1/0", "--eps '1/0' is not a number; write it like 0.1, 8/255 or 1e-3"),
        ("--eps", "--eps needs a value"),
        ("--eps 0 --prior", "--prior needs a value"),
        ("--eps 0 --prior 1/2", "--prior 1/2 is outside (1/2, 1); the class line needs a majority"),
        ("--eps 0 --prior 1", "--prior 1 is outside (1/2, 1); the class line needs a majority"),
        ("--eps 0 --alpha 1.01", "--alpha 1.01 is outside [0, 1]; a probability lies between 0 and 1"),
        ("--eps 0 --n 0", "--n 0 is no whole number from 1 up"),
        ("--eps 0 --n 2.5", "--n 2.5 is no whole number from 1 up"),
        ("--eps 0 --n many", "--n many is no whole number from 1 up"),
        ("", "--eps must be given"),
        ("--esp 0.1", "--esp is no option; did you mean --eps?"),
        ("-eps 0.1", "-eps is no option; did you mean --eps?"),
        ("--epsilon=0.1", "--epsilon is no option; did you mean --eps?"),
        ("--eps 0 --jsn", "--jsn is no option; did you mean --json?"),
        ("--eps 0 --pri 3/4", "--pri is no option; did you mean --prior?"),  # no abbreviations
        ("--eps 0 --zzz", f"--zzz is no option; allowed are {OPTIONS}"),
        ("0.1 --eps 0", "'0.1' belongs to no option; a value follows the name of its option"),
        ("--eps 0 --json --csv", "--csv and --json exclude each other; give one of them"),
        ("--eps 0 --json=yes", "--json takes no value, but 'yes' was given"),
        ("--eps 0 --fault valeu", f"--fault 'valeu' is unknown; allowed are {FAULTS}; did you mean value?"),
        ("--eps 0 --plot /no/a.png", "--plot '/no/a.png' cannot be written, for there is no folder '/no'"),
        ("--eps 0 --plot a.txt", "--plot 'a.txt' does not say the format by its suffix; allowed are .png, .pdf, .svg"),
        ("--eps 0 --fault value", "prior 1/3 is outside (1/2, 1); the class line needs a majority"),
        ("--eps 0 --fault type", "eps 0.1 is a float; write the string '0.1'"),
        ("--eps 0 --fault file", "'/no/such/file' cannot be used: No such file or directory"),
    ],
)
def test_an_error_is_one_sentence_on_stderr(
    dummy: dict[str, object], capsys: pytest.CaptureFixture[str], line: str, sentence: str
) -> None:
    assert call(dummy, capsys, line) == (2, "", f"toy.dummy: {sentence}\n")


def test_values_that_are_allowed_pass(dummy: dict[str, object], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(dummy, capsys, "--eps 0 1e-3 --prior 0.51 --alpha 1 --n 1 --csv")
    assert (code, out) == (0, "eps,n\n0,0\n1/1000,0\n")


def test_a_failed_check_is_exit_code_1(dummy: dict[str, object], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(dummy, capsys, "--eps 0 --fault check") == (1, "", "")


def test_help_shows_an_example_and_is_no_error(dummy: dict[str, object], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(dummy, capsys, "--help")
    assert (code, err) == (0, "")
    assert "example: python -m toy.dummy --eps 0.1" in out


BUGS = {"bug": ValueError, "operator": TypeError, "assertion": AssertionError}


@pytest.mark.parametrize(("fault", "kind"), BUGS.items())
def test_a_bug_keeps_its_traceback(dummy: dict[str, object], fault: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        dummy["main"](["--eps", "0", "--fault", fault])  # type: ignore[operator]


def test_an_error_that_a_library_raises_is_a_bug(dummy: dict[str, object]) -> None:
    foreign: dict[str, object] = {"__name__": "library.module"}
    exec("def f(args): raise ValueError('from within')", foreign)
    parser = cli.parser("toy.other", "", "")
    with pytest.raises(ValueError, match="from within"):
        cli.run(parser, foreign["f"], [])  # type: ignore[arg-type]
    ours: dict[str, object] = {"__name__": "theory.module"}
    exec("def f(args): raise ValueError('from within')", ours)
    assert cli.run(parser, ours["f"], []) == 2  # type: ignore[arg-type]


def test_a_subcommand_has_errors_of_the_same_kind(capsys: pytest.CaptureFixture[str]) -> None:
    parser = cli.parser("proofs_check", "", "run")
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("run").add_argument("--json", action="store_true")
    commands.add_parser("report").add_argument("--html", metavar="FILE")
    assert cli.run(parser, lambda args: None, ["run", "--json"]) == 0
    for argv, sentence in {
        ("run", "--jsno"): "proofs_check run: --jsno is no option; did you mean --json?",
        ("rnu",): "proofs_check: what 'rnu' is unknown; allowed are run, report; did you mean run?",
        (): "proofs_check: what must be given",
    }.items():
        assert cli.run(parser, lambda args: None, argv) == 2
        assert capsys.readouterr() == ("", sentence + "\n")


def test_options_are_not_abbreviated_before_a_subcommand_either(capsys: pytest.CaptureFixture[str]) -> None:
    parser = cli.parser("proofs_check", "", "run")
    parser.add_argument("--verbose", action="store_true")
    parser.add_subparsers().add_parser("run")
    assert cli.run(parser, lambda args: None, ["--verb", "run"]) == 2
    assert "--verb" in capsys.readouterr().err


def test_a_short_option_may_touch_its_value() -> None:
    parser = cli.parser("toy.other", "", "-n5")
    parser.add_argument("-n", type=cli.count_type("n"))
    assert cli.run(parser, lambda args: args.n - 4, ["-n5"]) == 1


# ---- as a process: exit codes, pipes, signals ----


def test_a_process_prints_data_and_exits_with_0(script: Path) -> None:
    done = shell(script, "DUMMY --eps 0.1 --csv")
    assert (done.returncode, done.stdout, done.stderr) == (0, "eps,n\n1/10,0\n", "")


def test_a_process_prints_a_sentence_and_exits_with_2(script: Path) -> None:
    done = shell(script, "DUMMY --eps -1/10")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "toy.dummy: --eps -1/10 is negative; a radius is at least 0\n"


@pytest.mark.parametrize("fault", BUGS)
def test_a_process_shows_the_traceback_of_a_bug(script: Path, fault: str) -> None:
    done = shell(script, f"DUMMY --eps 0 --fault {fault}")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Traceback (most recent call last):")


@pytest.mark.parametrize("count", [1, 20_000])  # less and more than stdout and the pipe hold
@pytest.mark.parametrize("reader", ["head -1", "true"])
def test_a_reader_that_leaves_hears_nothing(script: Path, count: int, reader: str) -> None:
    done = shell(script, f"{{ sleep 0.1; DUMMY --eps 0 --csv --n {count}; }} | {reader}")
    assert done.stderr == ""
    assert done.stdout == ("eps,n\n" if reader == "head -1" else "")
    # head may still be there to take the few bytes of a small table.
    assert done.returncode == (0 if (reader, count) == ("head -1", 1) else 141)


@pytest.mark.parametrize("reader", ["head -1", "true"])
def test_without_a_buffer_too_it_hears_nothing(script: Path, reader: str) -> None:
    done = shell(script, f"{{ sleep 0.1; PYTHONUNBUFFERED=1 DUMMY --eps 0 --csv --n 20000; }} | {reader}")
    assert done.stderr == ""


def test_help_into_a_closed_pipe_is_silent(script: Path) -> None:
    done = shell(script, "{ sleep 0.1; DUMMY --help; } | true")
    assert (done.returncode, done.stderr) == (141, "")


def test_a_closed_stdout_is_said_before_any_work(script: Path, tmp_path: Path) -> None:
    done = shell(script, f"DUMMY --eps 0 --plot {tmp_path}/a.png >&-")
    assert done.returncode == 2
    assert done.stderr.startswith("toy.dummy: stdout is closed, ")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("count", [1, 20_000])
def test_a_full_disk_is_one_sentence(script: Path, count: int) -> None:
    done = shell(script, f"DUMMY --eps 0 --n {count} >/dev/full")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "No space left on device" in done.stderr


def test_a_closed_stderr_does_not_send_talk_to_stdout(script: Path) -> None:
    for line in ("DUMMY --eps -1 2>&-", "DUMMY --eps 0 --fault value 2>&-"):
        done = shell(script, line)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


def test_an_interrupt_is_quiet(script: Path) -> None:
    command = [sys.executable, str(script), "--eps", "0", "--fault", "interrupt"]
    with subprocess.Popen(command, env=SURROUNDINGS, stdout=-1, stderr=-1, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "")


def test_progress_is_shown_on_a_terminal_only(script: Path) -> None:
    assert shell(script, "DUMMY --eps 0 --csv --n 3").stderr == ""
    main, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    os.set_blocking(main, False)
    command = [sys.executable, str(script), "--eps", "0", "--csv", "--n", "3"]
    done = subprocess.run(command, env=SURROUNDINGS, stdout=subprocess.PIPE, stderr=terminal, text=True, check=True)
    shown = os.read(main, 100_000).decode()
    os.close(terminal)
    os.close(main)
    assert "working" in shown
    assert "0/3" in shown
    assert done.stdout == "eps,n\n0,0\n0,1\n0,2\n"


def test_the_command_line_is_light(tmp_path: Path) -> None:
    path = tmp_path / "light.py"
    # theory itself brings numpy, and with it json; what is looked at is what the command line could have loaded.
    path.write_text(
        "import sys, theory\nbefore = set(sys.modules)\n"
        + DUMMY.replace("sys.exit(main())", "main(); print(*sorted(sys.modules.keys() - before))")
    )
    loaded = shell(path, "DUMMY --eps 0.1").stdout.splitlines()[-1].split()
    assert "theory.cli" in loaded
    assert not {"tqdm", "matplotlib", "json", "difflib", "tabulate", "shlex", "importlib.metadata"} & set(loaded)


# ---- figures ----


STARTS = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml", ".PNG": b"\x89PNG"}


def test_a_figure_is_written_in_the_format_of_its_suffix_and_twice_the_same(script: Path, tmp_path: Path) -> None:
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        calls = [f"main(['--eps', '0', '--csv', '--plot', {str(folder / f'x{suffix}')!r}])" for suffix in STARTS]
        code = f"import sys; sys.path.insert(0, {str(script.parent)!r}); from dummy import main; {'; '.join(calls)}"
        done = shell(script, f"{sys.executable} -c {shlex.quote(code)}")
        assert (done.stdout, done.stderr) == ("eps,n\n0,0\n" * 4, "")
        assert sorted(p.name for p in folder.iterdir()) == sorted(f"x{suffix}" for suffix in STARTS)
    for suffix, start in STARTS.items():
        content = (tmp_path / "a" / f"x{suffix}").read_bytes()
        assert content.startswith(start)
        assert content == (tmp_path / "b" / f"x{suffix}").read_bytes()


def test_a_figure_that_cannot_be_drawn_leaves_no_file(tmp_path: Path) -> None:
    class Broken:
        def savefig(self, path: Path, **_: object) -> None:
            path.write_text("half")
            raise RuntimeError("cannot be drawn")

    with pytest.raises(RuntimeError):
        cli.save_figure(Broken(), tmp_path / "a.png")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_usage_error_leaves_no_figure(script: Path, tmp_path: Path) -> None:
    assert shell(script, f"DUMMY --plot {tmp_path}/a.png --eps -1").returncode == 2
    assert shell(script, f"DUMMY --plot {tmp_path}/a.png --eps 0 --fault value").returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_a_record_holds_the_command(tmp_path: Path) -> None:
    args = argparse.Namespace(prog="toy.cheese", argv=["--eps", "0.1"])
    Record.new("test/1", None, command=cli.command(args)).write(tmp_path / "r.json")
    assert Record.read(tmp_path / "r.json").command == "python -m toy.cheese --eps 0.1"

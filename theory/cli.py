"""What the command lines share: options that explain themselves, output in five formats, one-sentence errors.

Data go to stdout, talk and progress to stderr. Exit codes: 0 done; 1 a check failed; 2 bad usage, after one sentence
that names the bad value and what is allowed, with nothing on stdout; 130 interrupted; 141 the reader of stdout went
away (``| head``), as for a program that SIGPIPE ends, and silently. A whole command:

    def main(argv: Sequence[str] | None = None) -> int:
        parser = cli.parser("toy.halves", "The half-square example, exactly.", "--eps 0.1 8/255")
        parser.add_argument("--eps", nargs="+", required=True, type=cli.radius_type("eps"), help="radii of the ball")
        parser.add_argument("--plot", type=cli.figure_type("plot"), metavar="FILE", help="draw the curves")
        cli.add_output_options(parser)
        return cli.run(parser, _report, argv)

    def _report(args: argparse.Namespace) -> None:
        table = Table(...)
        if args.plot:
            cli.save_figure(_figure(...), args.plot)  # what can fail comes before what prints
        cli.emit(table, args, schema="tightrope.toy/1")
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from theory.numbers import as_fraction
from theory.record import check_writable, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from fractions import Fraction

    from matplotlib.figure import Figure

    from theory.table import Table

__all__ = [
    "FIGURE_SUFFIXES", "Parser", "add_output_options", "check_writable", "command", "count_type", "emit", "figure_type",
    "fraction_type", "output_type", "parser", "probability_type", "progress", "radius_type", "run", "save_figure",
    "steps", "writing",
]  # fmt: skip

FIGURE_SUFFIXES = (".png", ".pdf", ".svg")
_PACKAGES = ("theory", "toy", "deep", "proofs_check", "__main__")
_FORMATS = {"json": "exact values as JSON", "latex": "a LaTeX tabular (booktabs)", "markdown": "a Markdown table",
            "csv": "exact values as CSV"}  # fmt: skip

T = TypeVar("T")


def parser(prog: str, description: str, example: str) -> Parser:
    """A parser for ``python -m PROG``; ``example`` is a line of arguments that works."""
    return Parser(
        prog=prog,
        description=description,
        epilog=f"example: python -m {prog} {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


class Parser(argparse.ArgumentParser):
    """An ``ArgumentParser`` whose errors are one sentence and exit code 2, without a dump of the usage.

    An unknown option is answered with the nearest one there is. A word that starts like a negative number is a value,
    also in forms such as -1/10 or -inf, so the option's type can say what is wrong with it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})
        self._negative_number_matcher = re.compile(r"-(\.?\d|(inf|infinity|nan)$)", re.IGNORECASE)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        args = sys.argv[1:] if args is None else list(args)
        # Unknown options are looked for first: "--esp 0.1" is a misspelling rather than a missing --eps.
        nested = any(isinstance(action, argparse._SubParsersAction) for action in self._actions)
        for word in () if nested else args[: args.index("--")] if "--" in args else args:
            option = word.partition("=")[0]
            is_value = not re.match(r"--?[^\W\d]", word) or self._negative_number_matcher.match(word)
            if not is_value and not {option, word[:2]} & self._option_string_actions.keys():
                self.error(f"{option} is no option; {self._nearest(option)}")
        return super().parse_known_args(args, namespace)

    def _nearest(self, option: str) -> str:
        import difflib

        known = [name for name in self._option_string_actions if name.startswith("--")]
        near = difflib.get_close_matches("--" + option.lstrip("-"), known, 1)
        return f"did you mean {near[0]}?" if near else f"allowed are {', '.join(known)}"

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            import difflib

            known = [str(choice) for choice in action.choices]
            near = difflib.get_close_matches(str(value), known, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise argparse.ArgumentError(action, f"{value!r} is unknown; allowed are {', '.join(known)}{hint}")

    def error(self, message: str) -> NoReturn:
        """Say in one sentence what is wrong and exit with code 2."""
        for pattern, sentence in _SENTENCES:
            message = re.sub(pattern, sentence, message, count=1, flags=re.DOTALL)
        self.exit(2, f"{self.prog}: {message}\n")


_SENTENCES = (
    (r"^argument (\S+): (expected (?:one|at least one) argument)$", r"\1 needs a value"),
    (r"^argument (\S+): expected (\d+) arguments$", r"\1 needs \2 values"),
    (r"^argument (\S+): not allowed with argument (\S+)$", r"\1 and \2 exclude each other; give one of them"),
    (r"^argument (\S+): ignored explicit argument (.*)$", r"\1 takes no value, but \2 was given"),
    (r"^argument (\S+): (?=\1 )", r""),
    (r"^argument (\S+): ", r"\1 "),
    (r"^the following arguments are required: (.*)$", r"\1 must be given"),
    (r"^unrecognized arguments: (.*)$", r"'\1' belongs to no option; a value follows the name of its option"),
)


def fraction_type(name: str, allowed: str = "(-inf, inf)", why: str = "") -> Callable[[str], Fraction]:
    """The argument type of an exact number of option --``name``, in the interval ``allowed``; ``why`` gives the reason.

    >>> fraction_type("prior", "(1/2, 1)", "the class line needs a majority")("1/3")
    Traceback (most recent call last):
    argparse.ArgumentTypeError: --prior 1/3 is outside (1/2, 1); the class line needs a majority
    """
    left, (lo, hi), right = allowed[0], allowed[1:-1].split(", "), allowed[-1]
    low = None if lo == "-inf" else as_fraction(lo)
    high = None if hi == "inf" else as_fraction(hi)

    def convert(text: str) -> Fraction:
        try:
            value = as_fraction(text, f"--{name}")
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        below = low is not None and (value < low or (left == "(" and value == low))
        above = high is not None and (value > high or (right == ")" and value == high))
        if below or above:
            fault = "is negative" if allowed == "[0, inf)" else f"is outside {allowed}"
            raise argparse.ArgumentTypeError(f"--{name} {text} {fault}" + (f"; {why}" if why else ""))
        return value

    return convert


def radius_type(name: str = "eps") -> Callable[[str], Fraction]:
    """The argument type of a radius: an exact number, at least 0."""
    return fraction_type(name, "[0, inf)", "a radius is at least 0")


def probability_type(name: str) -> Callable[[str], Fraction]:
    """The argument type of a probability: an exact number from 0 to 1."""
    return fraction_type(name, "[0, 1]", "a probability lies between 0 and 1")


def count_type(name: str, at_least: int = 1) -> Callable[[str], int]:
    """The argument type of a whole number."""

    def convert(text: str) -> int:
        try:
            value = as_fraction(text)
        except ValueError:
            value = as_fraction("1/2")
        if value.denominator != 1 or value < at_least:
            raise argparse.ArgumentTypeError(f"--{name} {text} is no whole number from {at_least} up")
        return int(value)

    return convert


def figure_type(name: str) -> Callable[[str], Path]:
    """The argument type of a file to draw to; it is made sure, before any work, that it can be written."""
    return output_type(name, FIGURE_SUFFIXES)


def output_type(name: str, suffixes: Sequence[str] = ()) -> Callable[[str], Path]:
    """The argument type of a file to write, of any suffix unless some are named; checked before any work."""

    def convert(text: str) -> Path:
        try:
            check_writable(text, suffixes)
        except (ValueError, OSError) as error:
            raise argparse.ArgumentTypeError(f"--{name} {_sentence(error)}") from None
        return Path(text)

    return convert


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """The options --json, --latex, --markdown and --csv, of which at most one may be given."""
    group = parser.add_mutually_exclusive_group()
    for name, help_ in _FORMATS.items():
        group.add_argument(f"--{name}", dest="format", action="store_const", const=name, default="text", help=help_)


def emit(table: Table, args: argparse.Namespace, schema: str) -> None:
    """Print a table in the format that was asked for, in one piece.

    JSON is ``{"schema": ..., "command": ..., "rows": [...]}``, where the command is the one that prints it again, and
    ``"notes"`` where the table has some.
    """
    if args.format == "json":
        import json

        notes = {"notes": list(table.notes)} if table.notes else {}
        text = json.dumps({"schema": schema, "command": command(args), "rows": table.to_json_rows(), **notes}, indent=2)
    else:
        text = getattr(table, f"to_{args.format}")()
    sys.stdout.write(text + "\n")


def command(args: argparse.Namespace, without: Collection[str] = ()) -> str:
    """The command line that `run` parsed, to be pasted into a shell; ``without`` names options of one value to leave
    out, such as the file that a record was written to, which says nothing of what is in it.

    >>> args = argparse.Namespace(prog="deep.table3", argv=["--lam", "2", "--save", "a.json", "--keep=b", "--json"])
    >>> command(args, without=("save", "keep"))
    'python -m deep.table3 --lam 2 --json'
    """
    import shlex

    words, dropped = [], False
    for word in args.argv:
        value, dropped = dropped, False
        option, equals, _ = word.partition("=")
        if option.startswith("--") and option[2:] in without:
            dropped = not equals
        elif not value:
            words.append(word)
    return shlex.join(["python", "-m", args.prog, *words])


def run(
    parser: argparse.ArgumentParser, body: Callable[[argparse.Namespace], int | None], argv: Sequence[str] | None = None
) -> int:
    """Parse ``argv`` (None: the process's own), call ``body`` with the result, and return the exit code.

    ``body`` returns 1 when a check failed, else 0 or None. A ``ValueError`` or ``TypeError`` that our packages raise,
    and any ``OSError``, is printed as one sentence, with exit code 2. The same errors raised by Python or a library in
    the middle of a computation are bugs, and keep their traceback, as do all others.
    """
    argv = sys.argv[1:] if argv is None else list(argv)
    if sys.stdout is None:
        return _fail(parser, "stdout is closed, so there is nowhere to print to; leave it open or send it to a file")
    try:
        try:
            args = parser.parse_args(argv, argparse.Namespace(prog=parser.prog, argv=argv))
        except SystemExit as stop:  # --help, or a usage error that is explained already
            code = int(stop.code or 0)
        else:
            code = body(args) or 0
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        code = 141
    except (ValueError, TypeError, OSError) as error:
        if not isinstance(error, OSError) and not _on_purpose(error):
            raise
        code = _fail(parser, _sentence(error))
    try:
        sys.stdout.flush()
    except OSError as error:
        _abandon_stdout()
        if isinstance(error, BrokenPipeError):
            return 141
        code = _fail(parser, f"stdout cannot be written ({_sentence(error)}); send it where there is room")
    return code


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure in the format that the suffix names, whole or not at all; equal figures make equal files.

    Raises as `theory.record.check_writable` does.
    """
    check_writable(path, FIGURE_SUFFIXES)
    import matplotlib as mpl

    with writing(path) as temporary, mpl.rc_context({"svg.hashsalt": "tightrope"}):
        kind = temporary.suffix.lower().removeprefix(".")
        date = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(kind)
        figure.savefig(temporary, format=kind, metadata=date)


def progress(items: Iterable[T], description: str = "", total: int | None = None) -> Iterable[T]:
    """``items``, with a progress bar on stderr if that is a terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        return items
    from tqdm import tqdm

    bar: Iterable[T] = tqdm(items, desc=description, total=total, file=sys.stderr, leave=False)
    return bar


@contextmanager
def steps(description: str) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on stderr, if that is a terminal, as a function of (done, total); None otherwise."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    with tqdm(desc=description, file=sys.stderr, leave=False) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show


def _fail(parser: argparse.ArgumentParser, sentence: str) -> int:
    if sys.stderr is not None:
        sys.stderr.write(f"{parser.prog}: {sentence}\n")
    return 2


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename!r} cannot be used: {error.strerror}"
    text = str(getattr(error, "strerror", None) or error)
    return " ".join(text.split()) or type(error).__name__


def _on_purpose(error: Exception) -> bool:
    """Whether the error comes from a raise statement of our own packages."""
    from opcode import opmap

    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    frame = trace.tb_frame
    ours = frame.f_globals.get("__name__", "").partition(".")[0] in _PACKAGES
    return ours and frame.f_code.co_code[trace.tb_lasti] == opmap["RAISE_VARARGS"]


def _abandon_stdout() -> None:
    """Let the interpreter's last flush of stdout go nowhere, so that it has nothing to complain about."""
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
    except (OSError, io.UnsupportedOperation):
        sys.stdout = io.StringIO()

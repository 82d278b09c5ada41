"""The README is a test: its Python is a doctest, its commands run, and what it shows is what they print."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def commands() -> list[tuple[str, str]]:
    """Each command of the console blocks, with the output that is shown for it."""
    found = []
    for kind, _, block in BLOCKS:
        if kind == "console":
            assert block.startswith("$ ")
            for part in block.removeprefix("$ ").split("\n$ "):
                command, _, output = part.partition("\n")
                found.append((command, output.removesuffix("\n")))
    return found


def test_the_first_screen_holds_exactly_the_two_set_up_commands() -> None:
    screen = TEXT.splitlines()[:24]
    assert [line.strip() for line in screen if line.startswith("    ")] == [
        "pip install . && python -m toy.cheese --eps 0.1",
        "pip install '.[test]' && pytest",
    ]
    assert TEXT.count("pip install") == 2


def test_every_block_is_of_a_kind_that_is_tested() -> None:
    assert {kind for kind, _, _ in BLOCKS} == {"console", "json", "python"}
    assert len(BLOCKS) == TEXT.count("```") / 2
    assert len(commands()) == sum(line.startswith("$ ") for line in TEXT.splitlines())


def test_the_python_examples_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = "\n".join(block for kind, _, block in BLOCKS if kind == "python")
    options = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    test = doctest.DocTestParser().get_doctest(source, {}, "README.md", "README.md", 0)
    assert len(test.examples) > 10
    result = doctest.DocTestRunner(optionflags=options).run(test)
    assert result.failed == 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the README writes."""
    made = tmp_path_factory.mktemp("readme")
    for kind, name, block in BLOCKS:
        if kind == "json":
            assert name
            (made / name).write_text(block, encoding="utf-8")
    python = made / "python"  # what the README calls python is this interpreter
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    return made


@pytest.mark.parametrize(("command", "shown"), commands(), ids=[command for command, _ in commands()])
def test_a_command_prints_what_is_shown(command: str, shown: str, folder: Path) -> None:
    surroundings = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    surroundings |= {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", "PATH": path}
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env=surroundings,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.removesuffix("\n") == shown
    for name in re.findall(r"(?:>|--plot) (\S+)", command):
        assert (folder / name).stat().st_size > 100

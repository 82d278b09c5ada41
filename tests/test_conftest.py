"""A skipped test is loud, and in CI a failure; real data are found where they are said to be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

CONFTEST = Path(__file__).with_name("conftest.py")
SKIPS = {
    "function": "import pytest\ndef test_a(): pytest.skip('no data')",
    "mark": "import pytest\n@pytest.mark.skipif(True, reason='no data')\ndef test_a(): pass",
    "module": "import pytest\npytest.skip('no data', allow_module_level=True)",
    "import": "import pytest\npytest.importorskip('no_such_library')",
    "fixture": "import pytest\n@pytest.fixture\ndef f(): pytest.skip('no data')\ndef test_a(f): pass",
}


def session(folder: Path, sources: dict[str, str], *words: str, **variables: str) -> tuple[int, str]:
    """The exit code and output of pytest on files test_NAME.py beside a copy of our conftest."""
    shutil.copy(CONFTEST, folder / "conftest.py")
    (folder / "pytest.ini").write_text("[pytest]\n")
    for name, source in sources.items():
        (folder / f"test_{name}.py").write_text(source)
    surroundings = {k: v for k, v in os.environ.items() if k not in ("CI", "TIGHTROPE_DATA") and "PYTEST" not in k}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words]
    done = subprocess.run(
        command, cwd=folder, env={**surroundings, **variables}, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_a_skip_of_any_kind_fails_in_ci(tmp_path: Path) -> None:
    code, output = session(tmp_path, SKIPS, CI="true")
    assert code == 1
    assert "5 TESTS DID NOT RUN" in output
    for kind in SKIPS:
        assert f"FAILED, because skipped in CI: test_{kind}.py" in output


def test_one_skip_among_tests_that_pass_fails_in_ci_and_elsewhere_is_only_loud(tmp_path: Path) -> None:
    sources = {"a": SKIPS["function"] + "\ndef test_b(): pass"}
    for variables, expected in (({"CI": "true"}, 1), ({"CI": "false"}, 0), ({}, 0)):
        code, output = session(tmp_path, sources, **variables)
        assert code == expected
        assert "1 TESTS DID NOT RUN" in output
        assert f"{'FAILED, because skipped in CI' if expected else 'skipped'}: test_a.py::test_a: no data" in output


def test_an_optional_oracle_and_an_expected_failure_pass_in_ci(tmp_path: Path) -> None:
    sources = {
        "oracle": "import pytest\ndef test_a(): pytest.skip('optional oracle: foolbox is not installed')",
        "expected": "import pytest\n@pytest.mark.xfail\ndef test_a(): assert False",
        "plain": "def test_a(): pass",
    }
    code, output = session(tmp_path, sources, CI="true")
    assert code == 0, output
    assert "1 TESTS DID NOT RUN" in output
    assert "skipped: test_oracle.py::test_a: optional oracle: foolbox is not installed" in output


def test_a_broken_session_stays_broken(tmp_path: Path) -> None:
    assert session(tmp_path, {"a": SKIPS["function"], "b": "syntax error"}, CI="true")[0] == 2


def test_the_data_folder_is_an_option_or_a_variable_or_none(tmp_path: Path) -> None:
    source = {"data": "def test_a(data_folder):\n    print('found', data_folder)"}
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    assert "found None" in session(tmp_path, source, "-s")[1]
    assert f"found {one}\n" in session(tmp_path, source, "-s", TIGHTROPE_DATA=str(one))[1]
    assert f"found {two}\n" in session(tmp_path, source, "-s", "--data", str(two), TIGHTROPE_DATA=str(one))[1]
    code, output = session(tmp_path, source, "--data", "nowhere")
    assert code != 0
    assert "the data folder 'nowhere' does not exist; name a folder in --data or TIGHTROPE_DATA" in output

"""Records keep what was computed, notice edits, and appear whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.enclosure import Enclosure
from theory.record import Record, RecordError, as_json, check_writable, writing

ROOT = Path(__file__).parents[2]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def new(data: object = None) -> Record:
    return Record.new("test/1", data, command="python -m toy.cheese --eps 0.1", seeds={"data": 7})


@given(data=JSON)
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, data: object) -> None:
    path = tmp_path_factory.mktemp("records") / "record.json"
    record = new(data)
    record.write(path)
    assert Record.read(path) == record
    assert Record.read(path, schema="test/1").data == data
    assert os.listdir(path.parent) == ["record.json"]  # noqa: PTH208 - hidden files count


def test_exact_values_and_enclosures_are_written_as_the_command_lines_print_them() -> None:
    enclosure = Enclosure("1/3", "1/2", "attack", alpha="1/20")
    data = {"exact": [Fraction(9, 40), Enclosure.exact("9/40")], "enclosed": (enclosure,)}
    assert new(data).data == {"exact": ["9/40", "9/40"], "enclosed": [enclosure.to_json()]}
    assert Enclosure.from_json(as_json(enclosure)).contains(enclosure)


def test_arrays_and_scalars_become_lists_and_numbers() -> None:
    data = {"a": np.array([[1, 2]]), "b": np.float64(0.5), "c": np.int64(3), "d": np.bool_(True), "e": np.float32(0.5)}
    value = as_json(data)
    assert value == {"a": [[1, 2]], "b": 0.5, "c": 3, "d": True, "e": 0.5}
    assert json.loads(json.dumps(value)) == value
    assert type(value["b"]) is float


@pytest.mark.parametrize(
    ("data", "kind", "sentence"),
    [
        ({"loss": [1.0, float("nan")]}, ValueError, r"data\.loss\[1\] is nan, which JSON cannot hold; allowed are"),
        ({"loss": float("-inf")}, ValueError, r"data\.loss is -inf, which"),
        (np.array([np.inf]), ValueError, r"data\[0\] is inf"),
        ({"by_seed": {3: 1}}, TypeError, r"data\.by_seed has the key 3; the keys of a record are strings"),
        ({"when": datetime.now(UTC)}, TypeError, r"data\.when is a datetime, which a record cannot hold; allowed are"),
    ],
)
def test_data_that_json_cannot_hold_are_refused(data: object, kind: type[Exception], sentence: str) -> None:
    with pytest.raises(kind, match=sentence):
        new(data)


def test_the_hash_is_of_the_canonical_json(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    new({"b": 1, "a": "\u03b5"}).write(path)
    content = json.loads(path.read_text())
    stated = content.pop("sha256")

    def canonical(value: object) -> str:  # written out again, without json's own options
        if isinstance(value, dict):
            return "{" + ",".join(f"{json.dumps(k)}:{canonical(value[k])}" for k in sorted(value)) + "}"
        return json.dumps(value)

    assert stated == hashlib.sha256(canonical(content).encode("ascii")).hexdigest()


@pytest.mark.parametrize("key", ["schema", "command", "created", "provenance", "data", "sha256"])
def test_an_edit_of_any_field_is_noticed(tmp_path: Path, key: str) -> None:
    path = tmp_path / "record.json"
    new({"risk": "9/40"}).write(path)
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, key: "edited"}))
    with pytest.raises(RecordError, match="was edited by hand or damaged: its content has the hash"):
        Record.read(path)


def test_layout_is_not_an_edit(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    new({"risk": "9/40", "n": 3}).write(path)
    before = Record.read(path)
    path.write_text(json.dumps(dict(reversed(json.loads(path.read_text()).items())), indent=7))
    assert Record.read(path) == before


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', '{"schema": "test/1"}', '{"data": NaN}', "\xff"])
def test_other_files_are_no_records(tmp_path: Path, text: str) -> None:
    path = tmp_path / "record.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RecordError, match="is no record"):
        Record.read(path)


def test_a_number_that_json_does_not_have_is_no_record(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    new({"loss": 0.25}).write(path)
    path.write_text(path.read_text().replace("0.25", "NaN"))
    with pytest.raises(RecordError, match="is no record: it is not JSON"):
        Record.read(path)


def test_a_key_too_many_is_no_record_even_with_a_right_hash(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    new().write(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "note": "mine"}))
    with pytest.raises(RecordError, match="exactly the keys"):
        Record.read(path)


def test_another_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    new().write(path)
    with pytest.raises(RecordError, match="has the schema 'test/1'; allowed here is 'other/1'"):
        Record.read(path, schema="other/1")


def test_provenance_says_when_and_with_what(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        record = new()
    time.tzset()
    created = datetime.strptime(record.created, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(seconds=-2) < datetime.now(UTC) - created < timedelta(minutes=1)
    assert record.command == "python -m toy.cheese --eps 0.1"
    assert record.provenance["python"] == ".".join(map(str, sys.version_info[:3]))
    assert record.provenance["numpy"] == np.__version__
    assert record.provenance["seeds"] == {"data": 7}
    assert record.provenance.keys() == {"tightrope", "commit", "python", "numpy", "torch", "platform", "seeds"}


def provenance(folder: Path) -> dict[str, object]:
    """What a record says that is made by the copy of the theory package in ``folder``."""
    code = (
        "import json; from theory.record import Record, __file__ as f;"
        "print(json.dumps([f, Record.new('t/1', 0, command='x').provenance]))"
    )
    surroundings = {**os.environ, "GIT_DIR": str(ROOT / ".git")}  # as inside a git hook; must not mislead
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=surroundings, capture_output=True, text=True, check=True
    )
    file, result = json.loads(done.stdout)
    assert Path(file).is_relative_to(folder)
    return dict(result)


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    command = ["git", "-C", str(folder), *identity, *words]
    surroundings = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=surroundings).stdout.strip()


def test_provenance_names_the_commit_of_a_checkout_only(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "theory", tmp_path / "theory", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / ".gitignore").write_text("__pycache__/\n")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "tightrope"\nversion = "7.8.9"\n')
    assert provenance(tmp_path)["commit"] is None
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "x")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert provenance(tmp_path)["commit"] == commit
    assert provenance(tmp_path)["tightrope"] == "7.8.9"
    with (tmp_path / "theory" / "record.py").open("a") as file:
        file.write("\n")
    assert provenance(tmp_path)["commit"] == f"{commit}-dirty"
    # Installed somewhere inside the same repository, the package is not that repository's commit.
    shutil.copytree(tmp_path / "theory", tmp_path / "venv" / "theory")
    assert provenance(tmp_path / "venv")["commit"] is None


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "figure.png"
    path.write_text("old")

    def interrupted() -> None:
        with writing(path) as temporary:
            temporary.write_text("half of the new")
            assert (temporary.suffix, temporary.parent) == (".png", tmp_path)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"figure.png": "old"}


def test_a_written_file_has_the_usual_permissions_and_a_link_stays_a_link(tmp_path: Path) -> None:
    plain, target, link = tmp_path / "plain", tmp_path / "target", tmp_path / "link"
    plain.touch()
    target.write_text("old")
    link.symlink_to(target)
    with writing(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


@pytest.mark.parametrize(
    ("name", "kind", "sentence"),
    [
        ("missing/figure.png", FileNotFoundError, "missing/figure.png' cannot be written, for there is no folder"),
        ("folder.png", OSError, "folder.png' cannot be written, for it is a folder; name a file"),
        ("/dev/null", OSError, "'/dev/null' cannot be written, for it is a device; name a file"),
    ],
)
def test_an_impossible_path_is_refused_before_anything_is_written(
    tmp_path: Path, name: str, kind: type[Exception], sentence: str
) -> None:
    (tmp_path / "folder.png").mkdir()
    for attempt in (check_writable, new().write):
        with pytest.raises(kind, match=sentence):
            attempt(tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["folder.png"]


@pytest.mark.parametrize("forbidden", ["folder", "file"])
def test_a_forbidden_path_is_refused(tmp_path: Path, forbidden: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "record.json"
    path.touch()
    locked = {"folder": path.parent, "file": path}[forbidden]
    # The superuser may write anywhere, so the system's answer is put in its place.
    monkeypatch.setattr(os, "access", lambda place, mode: Path(place) != locked)
    with pytest.raises(PermissionError, match="cannot be written, for you lack the permission"):
        check_writable(path)


def test_the_suffix_is_looked_at_before_the_folder(tmp_path: Path) -> None:
    check_writable(tmp_path / "figure.PNG", [".png", ".pdf"])
    assert list(tmp_path.iterdir()) == []
    for name in ("figure.txt", "figure", ""):
        with pytest.raises(ValueError, match=r"does not say the format by its suffix; allowed are \.png, \.pdf"):
            check_writable(name, [".png", ".pdf"])

"""A record of a computation: what was run, when, with what, what came out, and a hash that tells edits.

>>> record = Record.new("example/1", {"robust_risk": Fraction(9, 40)}, command="toy.cheese", seeds={"data": 7})
>>> record.data, record.provenance["seeds"]
({'robust_risk': '9/40'}, {'data': 7})
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theory.enclosure import Enclosure

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


class RecordError(ValueError):
    """A file is not the record it should be."""


@dataclass(frozen=True, slots=True)
class Record:
    """The data of one computation and where they come from; make one with `Record.new`.

    ``schema`` names what ``data`` looks like ("tightrope.table3/1"); ``created`` is UTC, to the second; ``provenance``
    holds the versions of tightrope (and its git commit, in a checkout), Python, numpy and torch (None where they were
    not loaded), the platform and the seeds.
    """

    schema: str
    command: str
    created: str
    provenance: dict[str, Any]
    data: Any

    @staticmethod
    def new(schema: str, data: object, *, command: str, seeds: Mapping[str, int] | None = None) -> Record:
        """A record made now, of ``data`` turned into JSON values by `as_json`; raises as that does."""
        from datetime import UTC, datetime

        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Record(schema, command, now, _provenance(dict(seeds or {})), as_json(data))

    @property
    def sha256(self) -> str:
        """The SHA-256 hash of the canonical JSON of all five fields (keys sorted, no spaces, ASCII)."""
        import hashlib
        import json

        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the record as a JSON file, whole or not at all; raises as `writing` does."""
        import json

        with writing(path) as temporary:
            text = json.dumps({**asdict(self), "sha256": self.sha256}, indent=1, allow_nan=False)
            temporary.write_text(text + "\n", encoding="utf-8")

    @staticmethod
    def read(path: str | os.PathLike[str], schema: str | None = None) -> Record:
        """The record in a file.

        Raises `RecordError` when the file is no record, when its hash is not that of its content (it was edited by
        hand, or damaged), or when its schema is not ``schema``; ``OSError`` when it cannot be read.
        """
        import json

        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"), parse_constant=_refuse)
        except ValueError as error:
            raise RecordError(f"{path} is no record: it is not JSON ({error})") from None
        names = {*Record.__slots__, "sha256"}
        if not isinstance(content, dict) or content.keys() != names:
            raise RecordError(f"{path} is no record: a record is an object with exactly the keys {sorted(names)}")
        stated = content.pop("sha256")
        record = Record(**content)
        if record.sha256 != stated:
            raise RecordError(
                f"{path} was edited by hand or damaged: its content has the hash {record.sha256}, but it says {stated}"
            )
        if schema not in (None, record.schema):
            raise RecordError(f"{path} has the schema {record.schema!r}; allowed here is {schema!r}")
        return record


def as_json(value: object, name: str = "data") -> Any:
    """``value`` as JSON values: a Fraction is "9/40", an `Enclosure` its `to_json`, a tuple or array a list.

    Raises ``ValueError`` for NaN and infinite floats (write None, or a word), ``TypeError`` for a key that is no string
    and for any other type; ``name`` says in the message where it stands.

    >>> as_json({"risk": Fraction(1, 3), "loss": (0.5, None)})
    {'risk': '1/3', 'loss': [0.5, None]}
    """
    if isinstance(value, Enclosure):
        return value.to_json()
    if isinstance(value, Fraction):
        return str(value)
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{name} is {value}, which JSON cannot hold; allowed are finite numbers, None and texts")
        return float(value)
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"{name} has the key {key!r}; the keys of a record are strings")
        return {key: as_json(item, f"{name}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item, f"{name}[{k}]") for k, item in enumerate(value)]
    if hasattr(value, "tolist"):  # numpy's and torch's arrays and scalars
        return as_json(value.tolist(), name)
    raise TypeError(
        f"{name} is a {type(value).__name__}, which a record cannot hold; "
        "allowed are dict, list, tuple, str, int, float, bool, None, Fraction, Enclosure and arrays"
    )


def check_writable(path: str | os.PathLike[str], suffixes: Collection[str] = ()) -> None:
    """Find out, before any work is done, that a file can be written to ``path``; nothing is created.

    Raises ``ValueError`` for a suffix that is not among ``suffixes`` (if there are any), ``FileNotFoundError`` when the
    folder does not exist, ``OSError`` when something other than a file stands there, and ``PermissionError``.
    """
    name, suffix, target = repr(os.fspath(path)), Path(path).suffix, Path(path).resolve()
    if suffixes and suffix.lower() not in suffixes:
        raise ValueError(f"{name} does not say the format by its suffix; allowed are {', '.join(suffixes)}")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{name} cannot be written, for there is no folder {str(target.parent)!r}")
    if target.exists() and not target.is_file():
        raise OSError(f"{name} cannot be written, for it is a {'folder' if target.is_dir() else 'device'}; name a file")
    if not os.access(target.parent, os.W_OK | os.X_OK) or (target.exists() and not os.access(target, os.W_OK)):
        raise PermissionError(f"{name} cannot be written, for you lack the permission; name a file you may write")


@contextlib.contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary file beside ``path``, with its suffix, which becomes ``path`` when the block ends well.

    When the block fails the temporary file is removed, and whatever stood at ``path`` still stands there. Raises as
    `check_writable` does.
    """
    check_writable(path)
    target = Path(path).resolve()  # a link stays a link: the file it leads to is replaced
    temporary = target.with_name(f".{target.stem}.{os.urandom(6).hex()}{target.suffix}")
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def _provenance(seeds: dict[str, int]) -> dict[str, Any]:
    import platform

    root = Path(__file__).resolve().parents[1]
    loaded = {name: getattr(sys.modules.get(name), "__version__", None) for name in ("numpy", "torch")}
    return {
        "tightrope": _version(root),
        "commit": _commit(root),
        "python": platform.python_version(),
        **{name: version and str(version) for name, version in loaded.items()},
        "platform": platform.platform(),
        "seeds": seeds,
    }


def _version(root: Path) -> str | None:
    """The version of the package in ``root``: a checkout states its own, whatever else may be installed."""
    if (root / "pyproject.toml").is_file():
        import tomllib

        return str(tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
    from importlib import metadata

    try:
        return metadata.version("tightrope")
    except metadata.PackageNotFoundError:
        return None


def _commit(root: Path) -> str | None:
    """The git commit of the checkout in ``root``, "-dirty" behind it when files differ; None outside a checkout."""
    if not (root / ".git").exists():  # an installation inside someone else's repository is not that repository's commit
        return None
    import subprocess

    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20, env=surroundings)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()

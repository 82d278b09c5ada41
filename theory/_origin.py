"""The packages of tightrope have generic names; notice when two of them do not come from the same place."""

from __future__ import annotations

from pathlib import Path


def check(package_file: str, package_name: str) -> None:
    """Make sure that the package in ``package_file`` (its ``__init__.py``) lies in the folder that holds theory.

    This costs microseconds; only a mismatch asks who installed what. Raises ``ImportError``, in one sentence.
    """
    here, there = Path(__file__).parents[1], Path(package_file).parents[1]
    if here != there and here.resolve() != there.resolve():
        raise ImportError(
            f"{package_name} comes from {there} ({_owner(package_file)}) but theory comes from {here} "
            f"({_owner(__file__)}), and tightrope's packages work only together; install tightrope in a virtual "
            "environment of its own, and start it outside folders that hold such packages",
            name=package_name,
        )


def _owner(module_file: str) -> str:
    from importlib import metadata

    path = Path(module_file).resolve()
    for distribution in metadata.distributions():
        for file in distribution.files or ():
            if file.name == path.name and Path(str(distribution.locate_file(file))).resolve() == path:
                return f"installed by {distribution.metadata['Name']} {distribution.version}"
    return "not installed by any distribution"

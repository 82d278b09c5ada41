"""The examples that can be run: ``python -m toy`` lists them, ``python -m toy.cheese --help`` tells about one."""

from __future__ import annotations

import ast
import importlib.util
import pkgutil
import sys
from typing import TYPE_CHECKING

import toy
from theory import cli
from theory.table import Table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def examples() -> dict[str, str]:
    """The modules of this package that have a ``main``, with the first line of their docstrings; none is imported."""
    found = {}
    for module in pkgutil.iter_modules(toy.__path__, "toy."):
        spec = importlib.util.find_spec(module.name)
        get_source = getattr(spec and spec.loader, "get_source", lambda _: "")
        tree = ast.parse(get_source(module.name) or "")
        runs = any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body)
        if runs and module.name != "toy.__main__":
            found[module.name] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m toy``."""
    parser = cli.parser("toy", "The examples; each has --help, and prints its exact risks with no options at all.", "")
    parser.epilog = "example: python -m toy.cheese --eps 0.1"
    cli.add_output_options(parser)
    return cli.run(parser, _report, argv)


def _report(args: argparse.Namespace) -> None:
    rows = [{"command": f"python -m {name}", "about": about} for name, about in examples().items()]
    cli.emit(Table(["command", "about"], rows), args, schema="tightrope.toy.list/1")


if __name__ == "__main__":
    sys.exit(main())

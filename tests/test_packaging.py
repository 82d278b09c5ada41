"""The tower: fractions, numpy <- theory <- toy <- deep <- proofs_check; what loads what; what is in the wheel."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
FLOORS = ("theory", "toy", "deep", "proofs_check")
HEAVY = {"torch", "matplotlib", "sympy", "cvxpy", "sklearn", "z3", "scipy", "tabulate", "flint", "hypothesis", "tqdm",
         "joblib", "PIL", "safetensors", "pytest"}  # fmt: skip
# Modules that plug into a heavy library: they import it at their top, and no other module of theory imports them.
PLUGS = {"theory.strategies": "hypothesis", "theory.optimal.estimator": "sklearn"}


# ---- the tower, read off the source ----


def imports(tree: ast.Module, module: str, *, is_package: bool) -> Iterator[tuple[str, bool]]:
    """Every module that a source imports, and whether only inside a function."""

    def visit(node: ast.AST, inside: bool) -> Iterator[tuple[str, bool]]:
        match node:
            case ast.Import(names=names):
                yield from ((alias.name, inside) for alias in names)
            case ast.ImportFrom(module=name, names=names, level=level):
                above = module.split(".")[: len(module.split(".")) - level + is_package] if level else []
                base = ".".join([*above, *([name] if name else [])])
                yield from ((f"{base}.{alias.name}", inside) for alias in names)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[ast.Constant(value=str(text)), *_]):
                if name in ("import_module", "__import__"):
                    yield text, inside
        inside = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, inside)

    yield from visit(tree, False)


def breaches(source: str, module: str, *, is_package: bool = False) -> list[str]:
    """What a source does against the laws of the tower."""
    tree = ast.parse(source)
    floor = module.partition(".")[0]
    found = []
    for name, inside in imports(tree, module, is_package=is_package):
        top = name.partition(".")[0]
        if top in FLOORS and FLOORS.index(top) > FLOORS.index(floor):
            found.append(f"{module} imports {name}, which is on a higher floor")
        if floor == "proofs_check" and top == "deep" and not inside:
            found.append(f"{module} imports {name} outside a function")
        if floor in ("theory", "toy") and top == "torch":
            found.append(f"{module} imports {name}")
        if floor == "theory" and top == "hypothesis" and module != "theory.strategies":
            found.append(f"{module} imports {name}, which only theory.strategies does")
        for plug in PLUGS:
            if floor == "theory" and (name + ".").startswith(plug + ".") and module != plug:
                found.append(f"{module} imports {name}, which nothing in theory does")
        if floor != "deep" and top in HEAVY and not inside and PLUGS.get(module) != top:
            found.append(f"{module} imports {name} outside a function, though it is heavy")
        if top in ("tests", "setuptools"):
            found.append(f"{module} imports {name}")
    return found


def without_type_checking(source: str) -> str:
    """The source without its ``if TYPE_CHECKING:`` blocks, which never run."""

    class Drop(ast.NodeTransformer):
        def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
            self.generic_visit(node)
            return node.orelse or ast.Pass() if ast.unparse(node.test).endswith("TYPE_CHECKING") else node

    return ast.unparse(ast.fix_missing_locations(Drop().visit(ast.parse(source))))


SOURCES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_floor_imports_only_what_is_below(path: Path) -> None:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    source = without_type_checking(path.read_text(encoding="utf-8"))
    assert breaches(source, module, is_package=path.name == "__init__.py") == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("theory.risk", "import toy.cheese"),
        ("theory.risk", "def f():\n    from proofs_check import claim"),
        ("toy.cheese", "from deep import models"),
        ("deep.train", "import proofs_check"),
        ("proofs_check.claims.trades", "import deep.train"),
        ("proofs_check.claims.trades", "class A:\n    from deep import train"),
        ("proofs_check.claims.trades", "try:\n    from deep import train\nexcept ImportError: pass"),
        ("toy.linear", "def f():\n    import torch"),
        ("theory.risk", "def f():\n    import importlib\n    importlib.import_module('torch.nn')"),
        ("theory.risk", "def f():\n    __import__('torch')"),
        ("theory.risk", "def f():\n    from hypothesis import given"),
        ("theory.risk", "def f():\n    from theory import strategies"),
        ("theory.risk", "def f():\n    from theory.strategies import boxes"),
        ("theory.risk", "from . import strategies"),
        ("theory", "from .strategies import boxes"),
        ("theory.optimal.flow", "from ..strategies import boxes"),
        ("theory.risk", "import scipy.special"),
        ("theory.strategies", "import scipy"),
        ("theory.optimal", "def f():\n    from theory.optimal.estimator import OptimalRobustClassifier"),
        ("theory.optimal.estimator", "from hypothesis import given"),
        ("theory.cli", "from tqdm import tqdm"),
        ("proofs_check.claim", "import z3"),
        ("theory.risk", "from tests import conftest"),
    ],
)
def test_a_breach_is_found(module: str, source: str) -> None:
    assert breaches(without_type_checking(source), module, is_package=module == "theory")


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("toy.cheese", "from theory import strategies"),
        ("proofs_check.claims.trades", "def f():\n    from deep import train"),
        ("theory.strategies", "from hypothesis import strategies"),
        ("theory.optimal.estimator", "from sklearn.base import BaseEstimator"),
        ("theory.risk", "def f():\n    import scipy.special"),
        ("theory.risk", "import typing\nif typing.TYPE_CHECKING:\n    from matplotlib.figure import Figure"),
        ("theory.optimal.flow", "from .strategies import Strategy"),  # theory.optimal.strategies is another module
        ("deep.train", "import torch"),
    ],
)
def test_what_is_allowed_is_no_breach(module: str, source: str) -> None:
    assert breaches(without_type_checking(source), module) == []


# ---- the tower, as an interpreter sees it ----


def loaded(statement: str) -> set[str]:
    """The top-level modules in a fresh interpreter after ``statement``."""
    code = f"{statement}; import sys; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("modules", ["theory, toy", "toy.cheese", "theory, toy, deep, proofs_check"])
def test_importing_loads_nothing_heavy(modules: str) -> None:
    assert loaded(f"import {modules}") & HEAVY == set()


def test_the_probe_sees_what_is_loaded() -> None:
    assert {"numpy", "fractions"} <= loaded("import numpy, fractions")


def test_everything_imports_without_torch() -> None:
    code = """
import importlib, sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name=name)

sys.meta_path.insert(0, NoTorch())
for name in sys.argv[1:]:
    importlib.import_module(name)
"""
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in SOURCES
        if path.relative_to(ROOT).parts[0] != "deep" and path.name != "__main__.py"
    ]
    def importing(*modules: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, *modules]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    done = importing("deep", *names)
    assert done.returncode == 0, done.stderr
    assert importing("torch").returncode == 1


# ---- one place for all packages ----


def run(code: str, *path: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter that looks for packages in the folders ``path`` first."""
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, done
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize("package", FLOORS[1:])
def test_packages_from_two_places_are_noticed(tmp_path: Path, package: str) -> None:
    shutil.copytree(ROOT / package, tmp_path / package)
    sentence = last_line(run(f"import {package}", tmp_path, ROOT))
    there, here = f"{tmp_path} (not installed by any distribution)", f"{ROOT} ("
    assert sentence.startswith(f"ImportError: {package} comes from {there} but theory comes from {here}")
    assert sentence.endswith("outside folders that hold such packages")


def test_the_distribution_that_owns_the_other_package_is_named(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "toy", tmp_path / "toy")
    info = tmp_path / "wooden_toys-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: wooden-toys\nVersion: 1.2\n")
    (info / "RECORD").write_text("other/__init__.py,,\ntoy/__init__.py,,\n")
    assert f"toy comes from {tmp_path} (installed by wooden-toys 1.2)" in last_line(run("import toy", tmp_path, ROOT))


@pytest.mark.parametrize("package", FLOORS[1:])
@pytest.mark.parametrize("foreign", ["theory.py", "theory/__init__.py"])
def test_a_foreign_theory_is_noticed(tmp_path: Path, package: str, foreign: str) -> None:
    (tmp_path / foreign).parent.mkdir(exist_ok=True)
    (tmp_path / foreign).touch()
    sentence = last_line(run(f"import {package}", tmp_path, ROOT))
    assert sentence.startswith(f"ImportError: {package} needs tightrope's own package theory beside it: ")
    assert str(tmp_path / foreign) in sentence


def test_one_place_under_two_names_is_one_place(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(ROOT)
    (tmp_path / "toy").symlink_to(ROOT / "toy")
    assert run("import toy, deep, proofs_check", tmp_path / "link").returncode == 0
    assert last_line(run("import toy", tmp_path, ROOT)).startswith("ImportError: toy comes from")


def test_a_match_asks_no_metadata() -> None:
    assert "importlib.metadata" not in run(
        "import sys, theory; before = set(sys.modules); import toy, deep, proofs_check;"
        "print(*sorted(set(sys.modules) - before))",
        ROOT,
    ).stdout.split()


# ---- what pyproject promises ----


def test_the_wheel_holds_the_four_packages_and_no_tests() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert tuple(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == FLOORS
    assert all((ROOT / floor / "__init__.py").is_file() for floor in FLOORS)
    assert all((ROOT / floor / "py.typed").is_file() for floor in FLOORS)


def test_every_library_that_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [*project["dependencies"], *project["optional-dependencies"]["deep"]]
    named = {re.split(r"[<>=!~\[ ]", requirement)[0].lower() for requirement in declared}
    module_of = {"scikit-learn": "sklearn", "python-flint": "flint", "z3-solver": "z3", "pillow": "PIL"}
    known = {module_of.get(name, name) for name in named} | set(FLOORS) | set(sys.stdlib_module_names)
    for path in SOURCES:
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        used = {name.partition(".")[0] for name, _ in imports(tree, module, is_package=path.name == "__init__.py")}
        assert used - known == set(), path

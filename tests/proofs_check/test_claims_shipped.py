"""The claims on training code notice code that differs from the algorithms, and code that is absent."""

from __future__ import annotations

import dataclasses
import importlib.util

import pytest
import torch

from deep.objectives import IAAT, SENSE, iaat, pgn, sense
from proofs_check import check
from proofs_check.claims import iaat_radii, pgn_measures, sense_algorithms, shipped
from proofs_check.core import Verdict
from proofs_check.discovery import registry

CLAIMS = registry(
    *[
        __import__(f"proofs_check.claims.{name}", fromlist=["x"])
        for name in ("iaat", "iaat_attacks", "iaat_radii", "iaat_tables", "iaat_networks")
    ]
)


@pytest.fixture(autouse=True)
def fresh():
    shipped._played.cache_clear()
    yield
    shipped._played.cache_clear()


def test_the_training_code_is_that_of_the_papers():
    assert iaat_radii.code.prove(300).kind == "SUPPORTED"
    assert pgn_measures.code.prove(1).kind == "SUPPORTED"
    assert sense_algorithms.algorithms_shipped.prove(300).kind == "SUPPORTED"
    assert check("iaat-code", 100, CLAIMS).as_expected


@pytest.mark.parametrize(
    ("owner", "name", "planted"),
    [
        (IAAT, "_gamma", property(lambda self: 1.01 * self.gamma)),
        (IAAT, "select", lambda self, net, rows, memory, right: (memory, torch.zeros_like(memory))),
        (iaat, "wrong", lambda z, y: torch.zeros_like(y, dtype=torch.bool)),
    ],
    ids=["another gamma", "no selection", "every example is right"],
)
def test_another_iaat_is_noticed(monkeypatch, owner, name, planted):
    monkeypatch.setattr(owner, name, planted)
    assert iaat_radii.code.prove(600).kind == "REFUTED"


@pytest.mark.parametrize(
    ("owner", "name", "planted"),
    [
        (pgn.Generator, "step", lambda self, loss, rows: None),
        (pgn.Generator, "__call__", lambda self, net, x, y: x),
        (pgn, "_squared", lambda v: v.flatten(1).abs().sum(1)),
    ],
    ids=["G does not learn", "no perturbation", "another cost"],
)
def test_another_pgn_is_noticed(monkeypatch, owner, name, planted):
    monkeypatch.setattr(owner, name, planted)
    assert pgn_measures.code.prove(1).kind == "REFUTED"


@pytest.mark.parametrize(
    ("owner", "name", "planted"),
    [
        (SENSE, "_limit", lambda self, rows: torch.full((len(rows.x),), 0.5, dtype=rows.x.dtype)),
        (sense, "wrong", lambda z, y: torch.zeros_like(y, dtype=torch.bool)),
        (SENSE, "_noisy", SENSE._broken),
    ],
    ids=["another limit", "wrong ones move", "no noise"],
)
def test_another_sense_is_noticed(monkeypatch, owner, name, planted):
    monkeypatch.setattr(owner, name, planted)
    assert sense_algorithms.algorithms_shipped.prove(3000).kind == "REFUTED"


def test_without_torch_nothing_is_run(monkeypatch):
    known = importlib.util.find_spec
    for module in (shipped, __import__("proofs_check.core", fromlist=["x"])):
        monkeypatch.setattr(module, "find_spec", lambda name: None if name == "torch" else known(name))
    for claim in (iaat_radii.code, pgn_measures.code, sense_algorithms.algorithms_shipped):
        found = claim.prove(100)
        assert (found.kind, found.how) == ("NOT RUN", "torch is not installed")
    assert check("iaat-code", 100, CLAIMS).as_expected


def test_with_torch_a_claim_that_is_not_run_is_a_fault():
    verdict = Verdict("key", "NOT RUN", "", "", 0, None, "SUPPORTED")
    assert verdict.fault == "is NOT RUN, but the source pins SUPPORTED"
    assert dataclasses.replace(verdict, kind="SUPPORTED").as_expected


def test_the_margins_are_exact_where_the_numbers_are():
    case = shipped.Trained(*map(shipped.Fraction, ("1/2", "1/193", "1/4", "1/2")), True)
    assert shipped.iaat_margin(case) == 0
    assert shipped.iaat_margin(dataclasses.replace(case, radius=shipped.Fraction(-1, 7))) == 0

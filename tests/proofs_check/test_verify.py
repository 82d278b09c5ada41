"""Certificates prove what they say, and stop proving it when spoiled in one number."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from proofs_check.verify import CertificateError, verify_boxes, verify_sample
from theory import Ball, BoxDistribution
from theory.optimal.boxes import optimal_box_risk
from theory.optimal.certificate import box_certificate, sample_certificate
from theory.optimal.sample import optimal_sample_risk
from theory.samples import LabelledSample, digits
from toy import cheese, halves, stripes

LAWS: list[tuple[BoxDistribution, str]] = [
    (cheese.distribution(restricted=True), "1/10"),
    (halves.distribution(), "1/20"),
    (stripes.distribution("3/17"), "3/17"),
]


def certificate(law: BoxDistribution, eps: str) -> dict[str, Any]:
    return json.loads(json.dumps(box_certificate(law, Ball(eps))))  # type: ignore[no-any-return]


@pytest.mark.parametrize(("law", "eps"), LAWS)
def test_a_box_certificate_proves_the_optimum(law: BoxDistribution, eps: str) -> None:
    assert verify_boxes(certificate(law, eps)) == optimal_box_risk(law, Ball(eps)).value.fraction


def spoiled(data: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """One certificate for each number that a proof rests on, with that number changed for the worse."""
    found = []

    def add(name: str) -> dict[str, Any]:
        found.append((name, copy.deepcopy(data)))
        return found[-1][1]

    add("value")["value"] = str(Fraction(data["value"]) - Fraction(1, 1000))
    add("value up")["value"] = str(Fraction(data["value"]) + Fraction(1, 1000))
    if data["flow"]:
        flow = add("flow up")["flow"]
        flow[0][2] = str(Fraction(flow[0][2]) * 2)
        add("negative flow")["flow"][0][2] = "-1/1000"
        add("no such cell")["flow"][0][0] = -1
        add("flow dropped")["flow"].pop()
    for y in ("-1", "1"):
        if data["kept"][y]:
            add(f"kept {y} dropped")["kept"][y].pop()
            add(f"kept {y} denser")["kept"][y][0]["density"] = "7"
            side = add(f"kept {y} wider")["kept"][y][0]["box"][0]
            side[1] = str(Fraction(side[1]) + Fraction(1, 97))
        law = add(f"law {y}")["law"][y][0]
        law["density"] = str(Fraction(law["density"]) * 2)
        if data["cells"][y]:
            add(f"cells {y} twice")["cells"][y].append(data["cells"][y][0])
    return found


@pytest.mark.parametrize(("law", "eps"), LAWS)
def test_a_box_certificate_spoiled_in_one_number_proves_nothing(law: BoxDistribution, eps: str) -> None:
    for name, bad in spoiled(certificate(law, eps)):
        with pytest.raises(CertificateError):
            pytest.fail(f"{name} went unnoticed: {verify_boxes(bad)}")


@pytest.mark.parametrize("ord", [1, 2, float("inf")])
def test_a_sample_certificate_proves_the_optimum_and_no_spoiled_one_does(ord: float) -> None:
    rng = np.random.default_rng(3)
    x = rng.integers(0, 12, size=(40, 3)).astype(np.uint8)
    x = np.unique(x, axis=0)
    sample = LabelledSample(x, np.arange(len(x)) % 2, scale=1)
    best = optimal_sample_risk(sample, "3/2", ord)
    data = json.loads(json.dumps(sample_certificate(best, "here")))
    assert verify_sample(data, sample.x, sample.y, 1) == best.value
    assert data["flow"]
    for spoil in ("value", "amount", "pair", "wrong", "radius"):
        bad = copy.deepcopy(data)
        if spoil == "value":
            bad["value"] = str(Fraction(data["value"]) / 2)
        elif spoil == "amount":
            bad["flow"][0][2] *= 2
        elif spoil == "pair":
            bad["flow"][0][1] = bad["flow"][0][0]
        elif spoil == "wrong":
            bad["wrong"].pop()
        else:
            bad["eps"] = "1/1000"
        with pytest.raises(CertificateError):
            pytest.fail(f"{spoil} went unnoticed: {verify_sample(bad, sample.x, sample.y, 1)}")


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False, timeout=120)


def test_the_command_line_writes_certificates_and_checks_them(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    found = run("theory.optimal", "--classes", "3", "7", "--eps", "1", "--json", "--certificate", str(path))
    assert found.returncode == 0, found.stderr
    value = json.loads(found.stdout)["rows"][0]["optimum"]
    proved = run("proofs_check", "verify", str(path), "--json")
    assert json.loads(proved.stdout)["rows"][0]["value"] == value
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(f'"value": "{value}"', '"value": "1/362"'), encoding="utf-8")
    edited = run("proofs_check", "verify", str(path))
    assert edited.returncode != 0
    assert edited.stdout == ""
    assert edited.stderr.count("\n") == 1


def test_a_toy_writes_the_certificate_of_its_law(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    assert run("toy.cheese", "--eps", "1/10", "--certificate", str(path)).returncode == 0
    proved = run("proofs_check", "verify", str(path), "--json")
    assert json.loads(proved.stdout)["rows"][0]["value"] == "3/20"


def test_the_verifier_imports_nothing_of_the_solver_and_is_short() -> None:
    import proofs_check.verify

    source = Path(str(proofs_check.verify.__file__)).read_text(encoding="utf-8")
    assert "theory" not in source.replace("certificate", "")
    assert len(source.splitlines()) < 200


def test_digits_are_tied_to_the_certificate_by_their_digest() -> None:
    sample = digits().only(3, 7)
    best = optimal_sample_risk(sample, 1, 2)
    data = sample_certificate(best, "digits")
    assert data["digest"] == sample.digest()
    assert verify_sample(data, sample.x, sample.y, sample.scale) == best.value
    with pytest.raises(CertificateError):
        verify_sample(data, sample.x[::-1], sample.y[::-1], sample.scale)

"""python -m deep.evaluate: what it prints and records, and what it says of bad input."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from deep import evaluate
from deep.checkpoint import Checkpoint, load_model
from deep.fit import CHECKPOINT, Recipe, fit
from deep.images import digits
from deep.models import build
from deep.objectives import Natural
from deep.scores import wrong
from deep.studies import ATTACKS
from deep.studies.judge import evaluate as judged
from theory.confidence import clopper_pearson
from theory.enclosure import Enclosure
from theory.record import Record

if TYPE_CHECKING:
    from pathlib import Path

QUICK = ["--attacks", "fgsm", "--steps", "5"]
PAIR = ["--classes", "1", "3"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two score networks for digits 1 and 3, one of ten classes, one whose layers have no certificate."""
    made = tmp_path_factory.mktemp("networks")
    for name, images, outputs, seed in (
        ("a", digits().only(1, 3), 1, 0), ("b", digits().only(1, 3), 1, 1), ("ten", digits(), 10, 0),
    ):  # fmt: skip
        model = build("mlp", shape=images.shape, outputs=outputs, seed=seed, width=16, depth=1)
        fit(model, Natural(), images, Recipe(2, 64, 0.05, seed=seed), folder=made / name, progress=False)
    return made


def run(*options: object) -> int:
    return evaluate.main([str(option) for option in options])


def test_rows_are_counts_of_the_test_images(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder / "a", *PAIR, "--eps", "0", "1/20", *QUICK, "--json") == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (err, found["schema"]) == ("", "tightrope.evaluation/1")
    images, model = digits("test").only(1, 3), load_model(folder / "a" / CHECKPOINT)
    with torch.no_grad():
        natural = int(wrong(model(images.batch(slice(None))), images.y).sum())
    natural_row, zero, fgsm, robust = found["rows"]
    limits = clopper_pearson(natural, 117)
    assert natural_row == {"network": "a", "eps": "0", "by": "natural", "errors": natural, "at_most": natural, "n": 117,
                           "risk": str(Fraction(natural, 117)), "limits": limits.to_json(), "remark": None}  # fmt: skip
    assert (zero["errors"], zero["at_most"], zero["eps"]) == (natural, natural, "0")
    one = judged(model, images, Fraction(1, 20), attacks=[ATTACKS["fgsm"](float("inf"), 5, 1)], certificate="crown-ibp")
    assert (fgsm["by"], fgsm["errors"]) == ("FGSM", one.errors)
    assert (robust["by"], robust["errors"], robust["at_most"]) == ("robust", one.errors, one.at_most)
    assert natural < one.errors < one.at_most < 117
    assert robust["risk"] == Enclosure(Fraction(one.errors, 117), Fraction(one.at_most, 117), one.risk.how).to_json()
    assert robust["limits"]["lo"] == clopper_pearson(one.errors, 117).to_json()["lo"]
    assert robust["limits"]["hi"] == clopper_pearson(one.at_most, 117).to_json()["hi"]


def test_the_default_is_quick_and_two_sided(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder / "ten") == 0
    out, _ = capsys.readouterr()
    assert "digits test (599 images), ord inf" in out
    for name in ("PGD", "APGD-CE", "CW-inf", "DeepFool", "robust"):
        assert f"  {name}  " in out
    assert "crown-ibp" in out


def test_a_record_prints_again_without_the_networks(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [*PAIR, *QUICK, "--eps", "0.05", "--sweep", "--transfer", "--nearest", "deepfool", "--health"]
    code = run(folder / "a", folder / "b", *options, "--save", tmp_path / "r.json", "--plot", tmp_path / "x.png")
    out, _ = capsys.readouterr()
    assert run("--from", tmp_path / "r.json", "--plot", tmp_path / "y.png") == code
    assert capsys.readouterr() == (out, "")
    assert (tmp_path / "x.png").read_bytes() == (tmp_path / "y.png").read_bytes()
    data = Record.read(tmp_path / "r.json", evaluate.SCHEMA).data
    assert code == (0 if all(check["passed"] for check in data["health"]) else 1)
    assert [net["name"] for net in data["networks"]] == ["a", "b"]
    assert [net["seed"] for net in data["networks"]] == [0, 1]
    assert data["networks"][0]["trained_on"]["sha256"] == digits().only(1, 3).digest
    assert data["images"]["digest"] == digits("test").only(1, 3).digest
    rows = [row for row in data["rows"] if row["network"] == "a"]
    assert [Fraction(row["eps"]) for row in rows] == [Fraction(k, 80) for k in range(9)]
    for key in ("errors", "at_most"):
        assert sorted(row[key] for row in rows) == [row[key] for row in rows]
    assert [row["asked"] for row in rows] == [k == 4 for k in range(9)]
    cells = {(m["source"], m["target"]): m["fooled"] for m in data["transfer"]}
    assert cells["a", "a"] > cells["b", "a"] >= rows[0]["natural"]
    (far, _) = data["nearest"]
    assert far["right"] == 117 - rows[0]["natural"]
    assert far["area"] == pytest.approx(far["rho"] * far["right"] / 117)
    assert len(data["health"]) == 10
    for title in ("over the networks", "sweep", "transfer", "nearest errors found", "can the attacks be believed"):
        assert f"\n{title}\n" in out


def test_the_spread_over_networks_is_apart_from_the_limits() -> None:
    same = {"eps": "1/10", "asked": True, "n": 100, "attacks": [], "method": "ibp", "vacuous": False}
    rows = [{**same, "network": name, "natural": k, "errors": 10 + k, "at_most": 30 + k}
            for name, k in (("a", 3), ("b", 7))]  # fmt: skip
    (row,) = evaluate.spread({"rows": rows}).rows
    assert (row["natural"], row["errors"], row["at_most"]) == ("3 to 7", "13 to 17", "33 to 37")
    assert (row["risk"].lo, row["risk"].hi) == (Fraction(13, 100), Fraction(37, 100))
    assert (row["limits"].lo, row["limits"].hi) == (clopper_pearson(13, 100).lo, clopper_pearson(37, 100).hi)


def test_what_has_no_certificate_says_why(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from deep import models

    odd = {**models.BUILDERS, "odd": lambda shape, outputs: [("flat", nn.Flatten()), ("act", nn.GELU()),
                                                             ("fc", nn.Linear(64, outputs))]}  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "BUILDERS", odd)
        images = digits().only(1, 3)
        model = models.build("odd", shape=images.shape, outputs=1)
        fit(model, Natural(), images, Recipe(1), folder=tmp_path, progress=False)
        assert run(tmp_path, *PAIR, *QUICK, "--json") == 0
        out, err = capsys.readouterr()
        row = json.loads(out)["rows"][-1]
        assert (row["at_most"], row["n"], row["remark"]) == (117, 117, "no certificate")
        assert err.startswith("deep.evaluate: warning: nothing is certified: gelu (")
        assert err.count("\n") == 1
        assert run(tmp_path, *PAIR, *QUICK, "--certificate", "ibp") == 2  # asked for by name: not left out in silence
        out, err = capsys.readouterr()
    assert out == ""
    assert "has no certificate; known are" in err


def test_a_vacuous_certificate_is_called_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder / "a", *PAIR, *QUICK, "--eps", "1/2", "--certificate", "ibp") == 0
    assert "ibp: vacuous" in capsys.readouterr().out


def test_bad_health_is_exit_code_1(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import warnings

    from deep.attack import AttackWarning
    from deep.attack.studies import Check

    def ill(model, x, y, *, eps, stream):
        warnings.warn("attacks may be too weak: a question? an answer", AttackWarning, stacklevel=2)
        return [Check("a question", passed=False, answer="an answer")]

    monkeypatch.setattr(evaluate, "health", ill)
    assert run(folder / "a", folder / "b", *PAIR, *QUICK, "--health") == 1
    out, err = capsys.readouterr()
    assert err == "deep.evaluate: warning: attacks may be too weak: a question? an answer\n"
    assert "a question  no" in out


def test_interrupted_is_quiet(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluate, "sweep", stop)
    assert run(folder / "a", *PAIR) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["{a}"], "safetensors: label 3 is out of range; a network with 1 outputs knows 0 to 1"),
        (["{a}", "--data", "nowhere"], "data folder 'nowhere' does not exist; allowed are 'digits', which needs no"),
        (["{a}", "--classes", "3", "12"], "class 12 has no samples in digits test"),
        (["{missing}"], "missing' cannot be used: No such file or directory"),
        (["{cut}"], "cut.safetensors is truncated, damaged or no safetensors file"),
        (["{foreign}"], "foreign.safetensors is no checkpoint of a training run: its schema is None"),
        (["{own}"], "own.safetensors holds a network of your own"),
        (["{nan}"], "nan.safetensors: fc2.bias holds numbers that are not finite"),
        (["{wide}", *PAIR], "wide.safetensors: the network takes samples of shape (1, 9, 9), but those of digits test"),
        (["{a}", "{a}", *PAIR], "a checkpoint is named twice; name each once"),
        (["{a}", *PAIR, "--ema"], "holds no moving average of the weights"),
        (["{a}", *PAIR, "--transfer"], "--transfer needs two or more checkpoints"),
        (["{a}", *PAIR, "--attacks", "apgd-dlr"], "the loss 'dlr' needs three classes or more"),
        (["{a}", *PAIR, "--attacks", "square", "--ord", "2"], "Square is built for ord inf here"),
        (["{a}", *PAIR, "--health", "--ord", "2"], "--health asks questions in the norm inf"),
        (["{a}", "--attacks", "pdg"], "'pdg' is unknown; allowed are fgsm, pgd, "),
        (["{a}", "--eps", "-0.1"], "--eps -0.1 is negative"),
        (["{a}", "--device", "nonsense"], "device 'nonsense' cannot be used"),
        (["{a}", "--plot", "x.gif"], "does not say the format by its suffix"),
        ([], "give checkpoints to evaluate, or a record to print with --from, and not both"),
        (["{a}", "--from", "{a}/log.csv"], "give checkpoints to evaluate, or a record to print with --from, and not"),
        (["--from", "{a}/log.csv"], "log.csv is no record: it is not JSON"),
        (["--from", "{other}"], "other.json has the schema 'example/1'; allowed here is 'tightrope.evaluation/1'"),
    ],
)
def test_bad_usage_is_one_sentence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], sentence: str
) -> None:
    from safetensors.torch import save_file

    found = Checkpoint.read(folder / "a" / CHECKPOINT)
    names = {name: str(tmp_path / f"{name}.safetensors") for name in ("cut", "foreign", "own", "nan", "wide")}
    names |= {"a": str(folder / "a"), "missing": str(tmp_path / "missing"), "other": str(tmp_path / "other.json")}
    (tmp_path / "cut.safetensors").write_bytes((folder / "a" / CHECKPOINT).read_bytes()[:-10])
    save_file({"w": torch.zeros(2)}, names["foreign"])
    Record.new("example/1", {}, command="x").write(names["other"])
    config = found.config

    def write(name: str, model: dict[str, object], tensors: dict[str, torch.Tensor]) -> None:
        changed = {**config, "model": model}
        Checkpoint(changed, found.epoch, 0, 0, found.history, tensors).write(names[name])

    write("own", {"class": "Mine"}, found.tensors)
    write("nan", config["model"], {**found.tensors, "model/fc2.bias": torch.tensor([float("nan")])})
    wide = build("mlp", shape=(1, 9, 9), outputs=1, width=16, depth=1)
    architecture = wide.architecture.to_json()
    write("wide", {**config["model"], "architecture": architecture},
          {f"model/{name}": value for name, value in wide.state_dict().items()})  # fmt: skip
    assert run(*[option.format(**names) for option in options], *([] if "--attacks" in options else QUICK)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("deep.evaluate: ")
    assert sentence in err
    assert err.count("\n") == 1

"""python -m deep.train: what it leaves in its folder, how it goes on, and what it says of bad input."""

from __future__ import annotations

import csv
import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

from deep import train
from deep.checkpoint import load_model
from deep.images import digits
from deep.scores import predicted
from theory.record import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

SHORT = ["--classes", "1", "3", "--epochs", "2", "--batch", "32", "--model", "mlp"]


def run(folder: Path, *options: str, start: Sequence[str] = SHORT) -> int:
    return train.main([*start, *options, "--out", str(folder)])


METHODS = [
    ["natural"],
    ["pgd-at", "--eps", "0.1", "--steps", "2"],
    ["trades", "--eps", "8/255", "--lam", "1/2", "--steps", "2", "--outputs", "2", "--divergence", "ce"],
    ["binary-trades", "--eps", "0.1", "--lam", "4", "--steps", "2", "--surrogate", "logistic"],
    ["margin-trades", "--eps", "0.1", "--lam", "4", "--steps", "2", "--ord", "2"],
    ["certified-trades", "--eps", "0.05", "--lam", "4", "--ramp", "1/2"],
]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method[0])
def test_a_run_leaves_a_checkpoint_a_log_and_a_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], method: list[str]
) -> None:
    assert run(tmp_path / "new/folder", "--method", *method, "--json", "--ema", "1/2") == 0
    out, err = capsys.readouterr()
    folder = tmp_path / "new/folder"
    assert err == ""
    assert sorted(path.name for path in folder.iterdir()) == ["checkpoint.safetensors", "log.csv", "record.json"]
    record = Record.read(folder / "record.json", train.SCHEMA)
    (row,) = json.loads(out)["rows"]
    assert record.data["row"] == row
    assert row["method"] == method[0]
    images, model = digits("test").only(1, 3), load_model(folder / "checkpoint.safetensors")
    with torch.no_grad():
        wrong = int((predicted(model(images.batch(slice(None)))) != images.y).sum())
    assert (row["test_errors"], row["test"]) == (wrong, len(images))
    with (folder / "log.csv").open() as file:
        assert [float(r["loss"]) for r in csv.DictReader(file)] == [r["loss"] for r in record.data["history"]]
    assert record.data["images"]["test"] == images.digest
    assert "ema_test_errors" in row


def test_the_options_reach_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def spy(model: Any, method: Any, images: Any, recipe: Any, **options: Any) -> Any:
        seen.update(model=model, method=method, images=images, recipe=recipe, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "fit", spy)
    options = shlex.split("""
        --method pgd-at --eps 8/255 --steps 3 --step-size 1/100 --ord 2 --epochs 5 --batch 7 --lr 0.2
        --momentum 0.5 --weight-decay 1/1000 --optimizer adam --schedule cyclic:0.25 --ema 0.99 --precision bf16
        --channels-last --seed 4 --every 5 --resume --limit 30 --classes 3 7 --outputs 2 --model small-cnn""")
    assert run(tmp_path, *options, start=[]) == 130
    method, recipe = seen["method"], seen["recipe"]
    assert (method.eps, method.steps, method.step_size, method.ord) == (8 / 255, 3, 0.01, 2)
    assert (recipe.epochs, recipe.batch, recipe.lr, recipe.momentum, recipe.weight_decay) == (5, 7, 0.2, 0.5, 0.001)
    assert (recipe.optimizer, recipe.schedule.peak, recipe.ema, recipe.seed) == ("adam", 0.25, 0.99, 4)
    assert (recipe.precision, recipe.channels_last, seen["every"], seen["resume"]) == ("bf16", True, 5, True)
    assert (len(seen["images"]), seen["images"].name) == (30, "digits train 3,7 some 30")
    assert seen["model"].architecture.name == "small-cnn"


def test_the_seed_makes_the_run(tmp_path: Path) -> None:
    def weights(name: str, seed: str) -> torch.Tensor:
        assert run(tmp_path / name, "--seed", seed) == 0
        return load_model(tmp_path / name / "checkpoint.safetensors").get_parameter("fc1.weight")

    first, again, other = weights("a", "1"), weights("b", "1"), weights("c", "2")
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_folder_is_gone_on_with_only_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path) == 0
    before, shown = (tmp_path / "checkpoint.safetensors").read_bytes(), capsys.readouterr().out
    assert run(tmp_path) == 2
    assert capsys.readouterr() == (
        "",
        f"deep.train: {tmp_path} holds a checkpoint; resume that run, or name another folder\n",
    )
    assert run(tmp_path, "--resume") == 0
    assert capsys.readouterr().out == shown
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before
    assert run(tmp_path, "--resume", "--lr", "0.02") == 2
    assert "belongs to another run: recipe.lr is 0.05 there and 0.02 here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--data", "nowhere"], "data folder 'nowhere' does not exist; allowed are 'digits', which needs no download"),
        (["--method", "trades", "--lam", "0"], "--lam 0 is outside (0, inf)"),
        (["--eps", "0.1"], "method 'natural' has no option 'eps'"),
        (["--method", "pgd-at", "--eps", "-1"], "--eps -1 is negative"),
        (["--method", "pgd"], "'pgd' is unknown; allowed are natural, pgd-at, "),
        (["--classes", "3", "12"], "class 12 has no samples in digits train"),
        (["--classes", "3"], "classes [3] are not two or more different ones"),
        (
            ["--schedule", "linear"],
            "schedule 'linear' is unknown; allowed are constant, steps:SHARE,... and cyclic[:PEAK]",
        ),
        (["--device", "nonsense"], "device 'nonsense' cannot be used"),
        (["--method", "certified-trades", "--eps", "0.1", "--outputs", "2"], "the network has 2 outputs"),
        (["--lr", "100000000000"], "training diverged in epoch 1, step "),
        (["--epochs", "0"], "--epochs 0 is no whole number from 1 up"),
    ],
)
def test_bad_usage_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], sentence: str
) -> None:
    start = [] if "--classes" in options else SHORT[:3]
    assert run(tmp_path / "out", *options, start=[*start, "--model", "mlp"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("deep.train: ")
    assert sentence in err
    assert err.count("\n") == 1


def test_a_file_in_the_way_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").write_text("in the way")
    assert run(tmp_path / "out") == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_errors_are_counted_in_batches_of_any_size() -> None:
    images = digits("test").only(1, 3)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 1))
    counts = {train.errors(model, images, batch) for batch in (1, 7, 1000)}
    with torch.no_grad():
        z = model(images.batch(slice(None)))[:, 0]
    assert counts == {int(((2 * images.y - 1) * z <= 0).sum())}
    with torch.no_grad():
        for p in model.parameters():
            p.zero_()
    assert train.errors(model, images) == len(images)  # a score of 0 is an error


def test_radius_and_folder_have_defaults(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    options = ["--method", "half-half", "--epochs", "1", "--limit", "40", "--model", "mlp"]
    assert train.main(options) == 0
    assert Record.read(tmp_path / "trained-half-half" / "record.json").data["options"]["eps"] == "1/10"
    first = capsys.readouterr().out
    assert train.main([*options, "--resume"]) == 0
    assert capsys.readouterr().out == first
    assert train.main(options) == 2  # what stands there is not run over
    assert "trained-half-half" in capsys.readouterr().err

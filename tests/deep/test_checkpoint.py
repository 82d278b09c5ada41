"""Checkpoints: what is written is read, damage and strangers are told, and a failed write leaves the old file."""

from __future__ import annotations

import contextlib
import resource
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import save_file

from deep.checkpoint import Checkpoint, CheckpointError, check_finite, first_difference, load_model
from deep.models import build

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = build("mlp", shape=(2,), outputs=1, seed=3, width=4)


def example() -> Checkpoint:
    config = {"model": {"architecture": MODEL.architecture.to_json()}, "recipe": {"lr": 0.1}}
    tensors = {f"model/{name}": value for name, value in MODEL.state_dict().items()}
    tensors |= {"sums/loss": torch.tensor(1.5, dtype=torch.float64), "state/table": torch.arange(6).reshape(2, 3).T}
    return Checkpoint(config, 2, 3, 17, [{"epoch": 1, "loss": 0.1}], tensors)


@contextlib.contextmanager
def full_disk(limit: int) -> Iterator[None]:
    """No file may grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    made = example()
    made.write(tmp_path / "a.safetensors")
    found = Checkpoint.read(tmp_path / "a.safetensors", made.config)
    assert (found.config, found.epoch, found.step, found.seen, found.history) == (
        made.config, made.epoch, made.step, made.seen, made.history,
    )  # fmt: skip
    assert found.tensors.keys() == made.tensors.keys()
    assert all(torch.equal(found.tensors[k], v) and found.tensors[k].dtype == v.dtype for k, v in made.tensors.items())
    assert found.part("sums") == {"loss": torch.tensor(1.5, dtype=torch.float64)}
    assert list(tmp_path.iterdir()) == [tmp_path / "a.safetensors"]


def test_equal_states_make_equal_files(tmp_path: Path) -> None:
    for name in "ab":
        example().write(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_every_truncation_and_every_changed_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    example().write(path)
    content = path.read_bytes()
    for length in range(0, len(content), 41):
        path.write_bytes(content[:length])
        with pytest.raises(CheckpointError, match=r"a is (truncated|no checkpoint)"):
            Checkpoint.read(path)
    for place in range(0, len(content), 37):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x11]) + content[place + 1 :])
        with pytest.raises(CheckpointError, match=r"a is (truncated|damaged|no checkpoint)"):
            Checkpoint.read(path)


def test_foreign_files_are_no_checkpoints(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(2)}, tmp_path / "weights")
    with pytest.raises(CheckpointError, match="weights is no checkpoint of a training run: its schema is None"):
        Checkpoint.read(tmp_path / "weights")
    save_file({"a": torch.zeros(2)}, tmp_path / "other", {"tightrope": '{"schema": "other/1"}'})
    with pytest.raises(CheckpointError, match="its schema is 'other/1'"):
        Checkpoint.read(tmp_path / "other")
    (tmp_path / "text").write_text("no checkpoint at all")
    with pytest.raises(CheckpointError, match="no safetensors file"):
        Checkpoint.read(tmp_path / "text")
    with pytest.raises(FileNotFoundError):
        Checkpoint.read(tmp_path / "missing")


def test_another_run_is_named_by_the_first_difference(tmp_path: Path) -> None:
    made = example()
    made.write(tmp_path / "a")
    with pytest.raises(CheckpointError, match=r"belongs to another run: recipe.lr is 0.1 there and 0.2 here; name"):
        Checkpoint.read(tmp_path / "a", {**made.config, "recipe": {"lr": 0.2}})
    assert first_difference({"a": 1}, {"a": 1, "b": 2}) == "b is None there and 2 here"
    assert first_difference({"a": [1, 2]}, {"a": [1, 2]}) is None


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "a"
    example().write(path)
    before = path.read_bytes()
    with full_disk(len(before) // 2), pytest.raises(OSError, match="File too large"):
        replace(example(), step=4).write(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    replace(example(), step=4).write(path)
    assert Checkpoint.read(path).step == 4


def test_a_network_is_loaded_with_its_weights(tmp_path: Path) -> None:
    example().write(tmp_path / "a")
    model = load_model(tmp_path / "a")
    x = torch.rand(3, 2)
    assert torch.equal(model(x), MODEL(x))
    assert not model.training
    with pytest.raises(CheckpointError, match="holds no moving average"):
        load_model(tmp_path / "a", ema=True)
    averaged = {f"ema/{name}": value + 1 for name, value in MODEL.state_dict().items()}
    replace(example(), tensors={**example().tensors, **averaged}).write(tmp_path / "b")
    assert torch.equal(
        load_model(tmp_path / "b", ema=True).state_dict()["fc1.bias"], MODEL.state_dict()["fc1.bias"] + 1
    )
    replace(example(), config={"model": {"class": "Mine"}}).write(tmp_path / "c")
    with pytest.raises(CheckpointError, match="a network of your own"):
        load_model(tmp_path / "c")


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    bad = {**example().tensors, "model/fc2.bias": torch.full((4,), float("nan"))}
    replace(example(), tensors=bad).write(tmp_path / "a")
    with pytest.raises(ValueError, match=r"a: fc2.bias holds numbers that are not finite"):
        load_model(tmp_path / "a")
    check_finite(MODEL, "fine")

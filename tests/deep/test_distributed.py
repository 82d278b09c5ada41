"""Two processes train what one trains, and agree to the bit; what belongs to a sample comes from where it lives."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from deep.checkpoint import Checkpoint
from deep.distributed import World, world

ROOT = Path(__file__).parents[2]

WORKER = """
from dataclasses import dataclass
from pathlib import Path
import torch
from safetensors.torch import save_file
from deep.distributed import joined, world
from deep.fit import Recipe, fit
from deep.images import digits
from deep.models import build
from deep.objectives import PGDAT
from deep.stack import Stack

torch.set_num_threads(1)

@dataclass
class State:
    last: torch.Tensor
    per_sample: frozenset = frozenset({"last"})
    def tensors(self): return {"last": self.last}
    def load(self, tensors): self.last.copy_(tensors["last"])

@dataclass(frozen=True)
class Remembering(PGDAT):
    def prepare(self, model, images, stream): return State(torch.zeros(len(images)))
    def loss(self, model, batch, state):
        loss, statistics = super().loss(model, batch, state)
        state.last[batch.index] = batch.stream.uniform(batch.index, ())
        return loss, statistics

def stop(epoch, model):
    if epoch == 1:
        raise InterruptedError

folder = Path(FOLDER)
# Batches of 5: some have no sample of process 0, or of process 1.
images, recipe = digits("train").only(1, 3).first(23), Recipe(2, 5, 0.05, ema=0.9)
with joined():
    rank = world().rank
    def run(name, **options):
        model = build("mlp", shape=images.shape, outputs=2, seed=rank)  # process 0 gives its weights to the others
        return fit(model, Remembering(0.1, 2), images, recipe, folder=folder / name, every=0, **options)
    done = run("whole")
    save_file(done.model.state_dict(), folder / f"rank{rank}")
    try:
        run("cut", on_epoch=stop)
    except InterruptedError:
        run("cut")
    if world().size > 1:
        try:
            fit(Stack([build("linear", shape=images.shape, outputs=2)] * 2), Remembering(0.1), images, recipe)
        except ValueError as error:
            (folder / f"said{rank}").write_text(str(error))
"""


def launch(folder: Path, size: int) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(size), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", f"FOLDER = {str(folder)!r}\n{WORKER}"]
    started = [
        subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **common, "RANK": str(rank)}, stderr=subprocess.PIPE, text=True
        )
        for rank in range(size)
    ]
    for process in started:
        said = process.communicate(timeout=120)[1]
        assert process.returncode == 0, said


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("distributed")
    for name in ("one", "two"):
        (home / name).mkdir()
    launch(home / "two", 2)
    threads = torch.get_num_threads()
    exec(compile(WORKER, "worker", "exec", dont_inherit=True), {"FOLDER": home / "one", "__name__": "worker"})
    torch.set_num_threads(threads)
    return home


def test_two_processes_end_in_equal_weights_close_to_those_of_one(folder: Path) -> None:
    first, second, alone = (load_file(folder / name) for name in ("two/rank0", "two/rank1", "one/rank0"))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert all(torch.allclose(first[name], alone[name], atol=1e-5) for name in first)


def test_the_checkpoint_of_two_processes_is_that_of_one(folder: Path) -> None:
    two, one = (Checkpoint.read(folder / name / "whole/checkpoint.safetensors") for name in ("two", "one"))
    assert two.config == one.config
    assert two.tensors.keys() == one.tensors.keys()
    assert torch.equal(two.tensors["state/last"], one.tensors["state/last"])
    assert len(one.tensors["state/last"].unique()) == 23
    for a, b in zip(two.history, one.history, strict=True):
        assert a == pytest.approx(b, abs=1e-5)


def test_two_processes_resume_to_the_same_bytes(folder: Path) -> None:
    for name in ("checkpoint.safetensors", "log.csv"):
        assert (folder / "two/cut" / name).read_bytes() == (folder / "two/whole" / name).read_bytes()


def test_a_stack_wants_one_process(folder: Path) -> None:
    for rank in range(2):
        assert (folder / f"two/said{rank}").read_text().startswith("a stack of networks trains in one process")


def test_the_shares_of_a_batch_are_the_batch() -> None:
    index = torch.tensor([7, 3, 12, 5, 4])
    shares = [World(rank, 3).share(index) for rank in range(3)]
    assert sorted(torch.cat(shares).tolist()) == sorted(index.tolist())
    assert world() == World(0, 1)
    assert World().share(index) is index

"""A checkpoint: one safetensors file of tensors, with what they belong to as JSON in its header; no pickle.

It is written whole or not at all: a process killed, or a disk full, in the middle leaves the previous one in place. (A
loss of power is not covered: the disk is not waited for.) A hash of everything tells damage, and equal states of equal
runs make equal files.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from deep.models import Architecture
from theory.record import writing

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from torch import Tensor, nn

    Target = str | os.PathLike[str]

SCHEMA = "tightrope.checkpoint/1"
# One key only: the order of several in the file's header would be random.
_KEY = "tightrope"


class CheckpointError(ValueError):
    """A file is not the checkpoint it should be."""


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A training run after ``epoch`` whole epochs and ``step`` steps of the next one.

    ``config`` (JSON) says which run it is, ``history`` (JSON) has a row for each whole epoch, ``seen`` counts the
    samples of the unfinished epoch, ``tensors`` hold the rest by names such as "model/fc1.weight".
    """

    config: dict[str, Any]
    epoch: int
    step: int
    seen: int
    history: list[dict[str, Any]]
    tensors: dict[str, Tensor]

    def write(self, path: Target) -> None:
        """Write the file. Raises ``OSError``; whatever stood at ``path`` then still stands there."""
        from safetensors.torch import save

        # Copies in the plain layout: the format holds neither other layouts nor tensors that share their memory.
        tensors = {name: torch.empty(t.shape, dtype=t.dtype).copy_(t.detach()) for name, t in self.tensors.items()}
        head = {"schema": SCHEMA, "config": self.config, "epoch": self.epoch, "step": self.step, "seen": self.seen,
                "history": self.history}  # fmt: skip
        content = save(tensors, {_KEY: _canonical({**head, "sha256": _hash(head, tensors)})})
        with writing(path) as temporary:
            temporary.write_bytes(content)

    @staticmethod
    def read(path: Target, config: Mapping[str, Any] | None = None) -> Checkpoint:
        """The checkpoint in a file, its tensors on the CPU.

        Raises `CheckpointError` for a file that is truncated, damaged or no checkpoint, and for one of another run than
        that with ``config``, naming the first difference; ``OSError`` when it cannot be read.
        """
        from safetensors import SafetensorError, safe_open

        Path(path).open("rb").close()  # a file that cannot be opened is an OSError that names it
        try:
            with safe_open(path, framework="pt") as file:
                head = json.loads((file.metadata() or {}).get(_KEY, "null"))
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, ValueError) as error:
            raise CheckpointError(f"{path} is truncated, damaged or no safetensors file ({error})") from None
        if not isinstance(head, dict) or head.get("schema") != SCHEMA:
            found = head.get("schema") if isinstance(head, dict) else None
            raise CheckpointError(f"{path} is no checkpoint of a training run: its schema is {found!r}, not {SCHEMA!r}")
        stated = head.pop("sha256", None)
        if _hash(head, tensors) != stated:
            raise CheckpointError(f"{path} is damaged: its content does not have the hash that it states")
        if config is not None:
            difference = first_difference(head["config"], json.loads(_canonical(config)))
            if difference:
                raise CheckpointError(f"{path} belongs to another run: {difference}; name another folder")
        del head["schema"]
        return Checkpoint(**head, tensors=tensors)

    def part(self, kind: str) -> dict[str, Tensor]:
        """The tensors named "kind/...", by the rest of their names."""
        return {name.removeprefix(f"{kind}/"): t for name, t in self.tensors.items() if name.startswith(f"{kind}/")}


def load_model(path: Target, *, ema: bool = False) -> nn.Module:
    """The network of a checkpoint (with ``ema`` its moving average), in evaluation mode, on the CPU.

    Raises `CheckpointError` as `Checkpoint.read`, for a network that `deep.models.build` does not know, and when there
    is no moving average; ``ValueError`` for weights that are not finite.
    """
    found = Checkpoint.read(path)
    if "architecture" not in found.config["model"]:
        raise CheckpointError(
            f"{path} holds a network of your own; build it and give it Checkpoint.read(PATH).part('model')"
        )
    weights = found.part("ema" if ema else "model")
    if not weights:
        raise CheckpointError(f"{path} holds no moving average of the weights; train with one, or leave it out")
    model = Architecture.from_json(found.config["model"]["architecture"]).build()
    model.load_state_dict(weights)
    check_finite(model, str(path))
    return model.eval()


def check_finite(model: nn.Module, what: str) -> None:
    """Raises ``ValueError`` when a weight or a buffer is NaN or infinite, naming the first."""
    for name, tensor in model.state_dict().items():
        if tensor.dtype.is_floating_point and not bool(torch.isfinite(tensor).all()):
            raise ValueError(f"{what}: {name} holds numbers that are not finite")


def first_difference(there: Any, here: Any, name: str = "") -> str | None:
    """Where two JSON values first differ, as a phrase; None if they are equal.

    >>> first_difference({"recipe": {"lr": 0.1}}, {"recipe": {"lr": 0.2}})
    'recipe.lr is 0.1 there and 0.2 here'
    """
    if isinstance(there, dict) and isinstance(here, dict):
        for key in [*there, *(key for key in here if key not in there)]:
            found = first_difference(there.get(key), here.get(key), f"{name}.{key}" if name else key)
            if found:
                return found
        return None
    return None if there == here else f"{name} is {there!r} there and {here!r} here"


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _hash(head: dict[str, Any], tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(_canonical(head).encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()

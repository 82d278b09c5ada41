"""The one runner of all experiments: train each network once, look at it, and make the rows that the claims read.

Seeds stay apart in the record; the rows are means over them. Every network is trained on one thread from its own seed,
so the answer does not depend on how many processes share the work, nor on kills in between.
"""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass, is_dataclass, replace
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

import torch

from deep.attack import AttackWarning
from deep.experiments.design import Family, Network, Place, Radii, Trained, radii
from deep.fit import Recipe, fit
from deep.models import build
from deep.stream import Stream
from theory.confidence import clopper_pearson
from theory.record import as_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from torch import nn

    from deep.experiments.design import Experiment, Row, Rows
    from deep.images import Images


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """One network to train and to look at."""

    family: Family
    network: Network
    seed: int
    looks: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Done:
    """What came of a task."""

    row: Row
    model: nn.Module
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class _Data:
    """What all tasks share."""

    train: Images
    test: Images
    radii: Radii
    epochs: int | None
    keep: Path | None

    def recipe(self, family: Family, seed: int) -> Recipe:
        epochs = {} if self.epochs is None else {"epochs": self.epochs}
        return Recipe(**{**family.recipe, **epochs, "seed": seed})


def run(
    chosen: Sequence[Experiment], train: Images, test: Images, *, seeds: int = 3, epochs: int | None = None,
    jobs: int = 1, keep: Path | None = None, show: Callable[[int, int], None] | None = None,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """The data of a record for each experiment, by key; networks that several of them need are trained once.

    In the folder ``keep`` each network has a checkpoint, from which an interrupted call goes on. Raises ``ValueError``
    for an experiment without a reduced setting, or on images of another size than it needs.
    """
    for experiment in chosen:
        if experiment.family is None:
            raise ValueError(f"{experiment.key} has no reduced setting: {experiment.without}")
        if experiment.wide and train.shape[1:] != (28, 28):
            raise ValueError(f"{experiment.key} needs images of 28 x 28 pixels, not {train.name}; name MNIST's --data")
    data = _Data(train, test, radii(train), epochs, keep)
    found = _found(_tasks(chosen, data, range(seeds)), data, jobs, show)
    return {experiment.key: _record(experiment, found, data, range(seeds)) for experiment in chosen}


def _tasks(chosen: Sequence[Experiment], data: _Data, seeds: Sequence[int]) -> list[_Task]:
    """Every network that is needed, each once, with all that is to be looked at."""
    looks: dict[tuple[str, str], dict[str, None]] = {}
    for experiment in chosen:
        for network in members(experiment, data.radii):
            looks.setdefault((_family(experiment).name, network.name), {}).update(dict.fromkeys(experiment.looks))
    tasks = []
    for family in {_family(experiment).name: _family(experiment) for experiment in chosen}.values():
        networks = {network.name: network for network in family.networks(data.radii)}
        needed = [name for name in networks if (family.name, name) in looks]
        roots = [networks[name].after for name in needed if networks[name].after]
        for name in dict.fromkeys([*roots, *needed]):
            own = tuple(looks.get((family.name, name), ()))
            tasks += [_Task(family, networks[name], seed, own) for seed in seeds]
    return tasks


def members(experiment: Experiment, scale: Radii) -> list[Network]:
    """The networks whose rows an experiment makes."""
    return [network for network in _family(experiment).networks(scale) if experiment.chosen(network)]


def _family(experiment: Experiment) -> Family:
    if experiment.family is None:
        raise ValueError(f"{experiment.key} has no reduced setting")
    return experiment.family


def _found(
    tasks: Sequence[_Task], data: _Data, jobs: int, show: Callable[[int, int], None] | None
) -> dict[tuple[str, str, int], _Done]:
    """Train and look: first the networks that begin with weights of their own, then those that go on from these."""
    from joblib import Parallel, delayed

    found: dict[tuple[str, str, int], _Done] = {}
    for later in (False, True):
        now = [task for task in tasks if bool(task.network.after) == later]
        before = [found[task.family.name, task.network.after, task.seed].model if later else None for task in now]
        work = (delayed(_one)(task, model, data) for task, model in zip(now, before, strict=True))
        for task, done in zip(now, Parallel(n_jobs=jobs, return_as="generator")(work), strict=True):
            found[task.family.name, task.network.name, task.seed] = done
            if show is not None:
                show(len(found), len(tasks))
    return found


def _one(task: _Task, before: nn.Module | None, data: _Data) -> _Done:
    network, seed, threads = task.network, task.seed, torch.get_num_threads()
    train = data.train if network.samples is None else data.train.first(network.samples)
    folder = None if data.keep is None else data.keep / task.family.name / network.name / str(seed)
    torch.set_num_threads(1)
    try:
        model = build(network.model, shape=train.shape, outputs=train.classes, seed=seed, **_size(network))
        if before is not None:
            model.load_state_dict(before.state_dict())
        recipe = data.recipe(task.family, seed)
        done = fit(model, network.method, train, recipe, folder=folder, progress=False)
        stream = Stream(seed).child("experiment", task.family.name)
        trained = Trained(network, done.model, done.state, done.history, train, data.test, data.radii, stream)
        row: Row = {"name": network.name, "seed": seed, **network.labels, "counts": {}, "n": len(data.test)}
        with warnings.catch_warnings():  # gradients of exactly 0 are counted in the row instead
            warnings.simplefilter("ignore", AttackWarning)
            for name in task.looks:
                seen = task.family.looks[name](trained)
                row["counts"] |= seen.pop("counts", {})
                row |= seen
    finally:
        torch.set_num_threads(threads)
    return _Done(row, done.model, done.seconds)


def _size(network: Network) -> dict[str, Any]:
    return {} if network.width is None else {"width": network.width}


# ---- records ----


def _record(
    experiment: Experiment, found: Mapping[tuple[str, str, int], _Done], data: _Data, seeds: Sequence[int]
) -> dict[str, Any]:
    family = _family(experiment)
    networks = members(experiment, data.radii)
    by_seed, seen = [], []
    for seed in seeds:
        done = {network.name: found[family.name, network.name, seed] for network in networks}
        # copies: what one experiment does to its rows is not seen by others
        rows = [{**one.row, "counts": dict(one.row["counts"])} for one in done.values()]
        place = Place(data.train, data.test, data.radii, Stream(seed).child("experiment", experiment.key))
        assert experiment.rows is not None
        by_seed.append(experiment.rows(rows, {name: one.model for name, one in done.items()}, place))
        seen += [_summary(one) for one in done.values()]
    rows = pooled(by_seed)
    recipe = asdict(replace(data.recipe(family, 0), seed=tuple(seeds)))
    return {
        "claim": experiment.key,
        "setting": "reduced",
        "dataset": data.train.name.removesuffix(" train"),
        "full": False,
        "rows": rows if experiment.pick is None else experiment.pick(rows),
        "by_seed": [{"seed": seed, "rows": pooled([rows])} for seed, rows in zip(seeds, by_seed, strict=True)],
        "networks": seen,
        "methods": {network.name: _described(network) for network in networks},
        "recipe": {**recipe, "schedule": repr(data.recipe(family, 0).schedule)},
        "radii": asdict(data.radii),
        "train": {"name": data.train.name, "n": len(data.train), "digest": data.train.digest},
        "test": {"name": data.test.name, "n": len(data.test), "digest": data.test.digest},
        "note": experiment.note,
    }


def pooled(by_seed: Sequence[Rows]) -> Rows:
    """Row by row the means over seeds of what was measured (fractions and floats), as decimals; labels stay.

    >>> pooled([[{"c": "0.5", "natural": Fraction(99)}], [{"c": "0.5", "natural": Fraction(98)}]])
    [{'c': '0.5', 'natural': 98.5}]
    """
    rows = []
    for same in zip(*by_seed, strict=True):
        row: Row = {}
        for name, value in same[0].items():
            values = [other[name] for other in same]
            if isinstance(value, float | Fraction):
                row[name] = round(float(sum(map(Fraction, values)) / len(values)), 6)
            elif any(other != value for other in values):
                raise ValueError(f"the label {name} differs between seeds: {values}")
            else:
                row[name] = value
        rows.append(row)
    return rows


def _summary(one: _Done) -> Row:
    """A network's name and seed, its counts of errors and their confidence limits, and what it took."""
    row = one.row
    return {
        "name": row["name"], "seed": row["seed"], "counts": row["counts"],
        "limits": {name: _limits(count, row["n"]) for name, count in row["counts"].items()},
        "seconds": round(one.seconds, 1), **{k: row[k] for k in ("dead", "failures") if k in row},
    }  # fmt: skip


@cache
def _limits(count: int, n: int) -> str:
    """Clopper and Pearson's 95 % limits of an error rate, rounded outwards."""
    return format(clopper_pearson(count, n), ".4f")


def _described(network: Network) -> dict[str, Any]:
    method: Any = network.method
    options = asdict(method) if is_dataclass(method) and not isinstance(method, type) else {}
    return {
        "model": network.model, **_size(network), "after": network.after, "samples": network.samples,
        "method": _finite(options),
    }  # fmt: skip


def _finite(value: Any) -> Any:
    """With the word "inf" for an infinite number, which JSON has none for."""
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    return "inf" if value == float("inf") else value


def written(data: dict[str, Any]) -> dict[str, Any]:
    """A record's data as JSON values."""
    found: dict[str, Any] = as_json(data)
    return found

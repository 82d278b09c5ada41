"""SENSE's second experiment in small: capacities 1 to 5, some c, PGD training and natural training (SENSE, 5.2 and E).

All networks go on from the naturally trained one of their capacity (SENSE, H.1), with the radius that stands for
MNIST's 0.3; "PGD" is Madry's training with the hyper-parameters of SENSE.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import torch

from deep.experiments.design import (
    Experiment,
    Family,
    Network,
    Radii,
    Trained,
    accuracy,
    cells,
    errors_at,
    natural_errors,
)
from deep.objectives import PGDAT, SENSE, Natural
from deep.objectives.method import check_alone
from deep.scores import cross_entropy
from deep.studies import margins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from deep.experiments.design import Models, Place, Row, Rows
    from deep.objectives import Batch
    from deep.stream import Stream

SCHEMA = "tightrope.sense/1"
CAPACITIES = (1, 2, 3, 4, 5)
LIMITS = ("0.1", "0.5", "0.9")
STEPS = 5
HIGH = ("0.5", "0.9", "pgd")
WATCHED = 3
"""The capacity whose examples' losses are watched from epoch to epoch."""


@dataclass(frozen=True, slots=True)
class Watched:
    """SENSE that remembers each example's training loss of the epoch before, and the largest rise there was."""

    sense: SENSE
    name: str = "sense"

    def prepare(self, model: nn.Module, images: Any, stream: Stream) -> Losses:  # noqa: ARG002
        check_alone(model, "watching")
        return Losses(len(images))

    def loss(self, model: nn.Module, batch: Batch, state: Losses) -> tuple[Tensor, dict[str, Tensor]]:
        found = self.sense.find(model, batch)
        each = cross_entropy(model(found.x), batch.y)
        state.see(batch.index, each.detach())
        return each.mean(), {"loss": each.detach().mean(), "full": found.full.float().mean()}


class Losses:
    """The last loss of every example [N], infinite before the first, and the largest rise; saved with the run."""

    per_sample: frozenset[str] = frozenset()

    def __init__(self, n: int) -> None:
        self.last, self.rise = torch.full((n,), torch.inf), torch.zeros(())

    def see(self, index: Tensor, losses: Tensor) -> None:
        self.rise = torch.maximum(self.rise, (losses - self.last[index]).max())
        self.last[index] = losses

    def tensors(self) -> Mapping[str, Tensor]:
        return {"last": self.last, "rise": self.rise}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        self.last, self.rise = tensors["last"].clone(), tensors["rise"].clone()


def networks(scale: Radii) -> tuple[Network, ...]:
    """Five capacities, each trained naturally, then by PGD and for every c; two watched ones."""
    eps, found = float(scale.large), []
    for q in CAPACITIES:
        size, root = f"sense-{q}", f"q{q}-natural"
        found.append(Network(root, Natural(), size, {"method": "natural", "capacity": q}))
        pgd = PGDAT(eps, STEPS, 2 * eps / STEPS)
        found.append(Network(f"q{q}-pgd", pgd, size, {"method": "pgd", "capacity": q, "c": "pgd"}, root))
        for c in LIMITS:
            labels = {"method": "sense", "capacity": q, "c": c}
            found.append(Network(f"q{q}-c{c}", SENSE(eps, float(c), STEPS), size, labels, root))
    for c in ("0", "0.5"):
        labels = {"method": "watched", "capacity": WATCHED, "c": c}
        method = Watched(SENSE(eps, float(c), STEPS))
        found.append(Network(f"watched-c{c}", method, f"sense-{WATCHED}", labels, f"q{WATCHED}-natural"))
    return tuple(found)


def margins_of(found: Trained) -> Row:
    """Medians of the natural and the adversarial margins on the training set (logits), and the share below 0."""
    natural = margins(found.model, found.train)
    attacked = margins(found.model, found.train, eps=float(found.radii.large), stream=found.stream.child("margins"))
    negative = Fraction(int((attacked.values < 0).sum()), attacked.n)
    return {
        "natural_margin": natural.quantile("1/2"), "adversarial_margin": attacked.quantile("1/2"),
        "negative_share": 100 * negative,
    }  # fmt: skip


def stages(found: Trained) -> Row:
    """The largest rise of an example's loss between two epochs, and the share of full PGD examples in per cent."""
    first, last = found.history[0]["full"], found.history[-1]["full"]
    return {"largest_rise": float(found.state.rise), "full_start": 100 * first, "full_end": 100 * last}


FAMILY = Family(
    "sense-capacity",
    networks,
    {"epochs": 30, "batch": 128, "lr": 0.003, "optimizer": "adam"},
    {"errors": errors_at(lambda scale: scale.large), "margins": margins_of, "stages": stages},
)


def _sensible(network: Network) -> bool:
    return bool(network.labels["method"] == "sense")


def _by_model(found: Rows, models: Models, place: Place) -> Rows:
    """Margins under the names that the claim has for its models."""
    del models, place
    names = ("natural_margin", "adversarial_margin", "negative_share")
    return [
        {"model": row["method"] + (f" {row['c']}" if row["method"] == "sense" else ""), **{k: row[k] for k in names}}
        for row in found
    ]


def _shares(found: Rows, models: Models, place: Place) -> Rows:
    del models, place
    return [
        {"model": row["name"], "negative_share": row["negative_share"], "robust": accuracy(row, "robust")}
        for row in found
    ]


MNIST = "MNIST, eps 0.3, 500 epochs of 60,000 images, K = 10, by capacity 1 to 5"
WIDE = Family(
    "sense-natural",
    lambda scale: tuple(network for network in networks(scale) if network.labels["method"] == "natural"),
    {"epochs": 5, "batch": 128, "lr": 0.001, "optimizer": "adam"},
    {"errors": natural_errors},
)

EXPERIMENTS = (
    Experiment(
        "sense-figure2", SCHEMA, f"50 networks: {MNIST} and 10 values of c", FAMILY,
        cells("natural", "pgd40", labels=("capacity", "c")), chosen=_sensible,
        note="the values of c are 0.1, 0.5 and 0.9",
    ),
    Experiment(
        "sense-no-collapse", SCHEMA, f"55 networks: {MNIST}, 10 values of c and PGD training", FAMILY,
        cells("natural", labels=("method", "capacity", "c")),
        chosen=lambda network: network.labels["method"] in ("sense", "pgd"),
    ),
    Experiment(
        "sense-figure7-capacity", SCHEMA, f"30 networks: {MNIST}, 5 values of c and PGD training", FAMILY,
        cells("pgd40", labels=("capacity", "c")),
        chosen=lambda network: network.labels["method"] in ("sense", "pgd") and network.labels["c"] in HIGH,
    ),
    Experiment(
        "sense-figure3", SCHEMA, "3 networks: MNIST, capacity 5, 500 epochs of 60,000 images, K = 10", FAMILY,
        _by_model, looks=("margins",), chosen=lambda network: network.name in ("q5-pgd", "q5-c0.5", "q5-c0.9"),
        note="margins of logits on the training set, the adversarial ones by PGD-40 on the margin",
    ),
    Experiment(
        "sense-figure3-negative", SCHEMA, f"at least 10 networks: {MNIST}", FAMILY, _shares,
        looks=("errors", "margins"),
        chosen=lambda network: network.labels["method"] in ("sense", "pgd"),
        note="20 models: PGD training and 3 values of c at 5 capacities; robust accuracy of the test set",
    ),
    Experiment(
        "sense-stable", SCHEMA, "2 networks: MNIST, 500 epochs of 60,000 images, K = 10", FAMILY,
        cells(labels=("c",), largest_rise="largest_rise", full_start="full_start", full_end="full_end"),
        looks=("stages",), chosen=lambda network: network.labels["method"] == "watched",
        note=f"losses of the sensible examples as they are trained on, capacity {WATCHED}",
    ),
    Experiment(
        "sense-natural-capacity", SCHEMA, "5 networks: MNIST, natural training of capacities 1 to 5", WIDE,
        cells("natural", labels=("capacity",)), wide=True,
        note="accuracies of MNIST are stated, so only MNIST can show them",
    ),
    Experiment(
        "sense-c0-free", SCHEMA, "2 networks: MNIST, capacities 1 and 2 at c = 0, 500 epochs of 60,000 images, K = 10",
        without="the rule names accuracies of MNIST at eps 0.3, which smaller data cannot show, and training there "
        "takes 500 epochs",
    ),
)  # fmt: skip

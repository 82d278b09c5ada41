"""ODDS' networks in small: robust and half-half training in both norms, and the size of the sample (ODDS, B and G).

Networks are perceptrons with two hidden layers of 64 units.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from deep.attack import PGD
from deep.experiments.design import Experiment, Family, Network, Radii, Trained, accuracy, natural_errors
from deep.objectives import PGDAT, Mixture, Natural
from deep.studies import evaluate

if TYPE_CHECKING:
    from deep.experiments.design import Models, Place, Row, Rows

STEPS = 5
NORMS = {"inf": math.inf, "2": 2.0}
SIZES = (100, 300, None)
"""Training images; None are all."""
SHARES = (Fraction(1, 3), Fraction(2, 3), Fraction(1))
"""Radii of training over the larger one: 0.1, 0.2 and 0.3 of MNIST's 0.3."""


def _radius(scale: Radii, norm: str) -> Fraction:
    return scale.large if norm == "inf" else scale.euclidean


def networks(scale: Radii) -> tuple[Network, ...]:
    """Standard, half-half and robust training in both norms, and PGD training on samples of three sizes."""
    size = "mlp"
    found = [Network("standard", Natural(), size, {"training": "standard"})]
    for norm, ord in NORMS.items():
        eps = float(_radius(scale, norm))
        for training, method in (
            ("half", Mixture(eps, steps=STEPS, ord=ord)),
            ("robust", PGDAT(eps, STEPS, ord=ord)),
        ):
            found.append(Network(f"{training}-{norm}", method, size, {"training": training, "norm": norm}))
    for samples in SIZES:
        for share in (Fraction(0), *SHARES):
            eps = float(share * scale.large)
            trained = PGDAT(eps, STEPS) if eps else Natural()
            labels = {"size": samples, "eps_train": str(share * scale.large)}
            name = f"n{samples or 'all'}-{share.numerator}of{share.denominator}"
            found.append(Network(name, trained, size, labels, samples=samples))
    return tuple(found)


def both_norms(found: Trained) -> Row:
    """Errors naturally and, in each norm, under the worst of PGD-40 on both losses."""
    how = (PGD(40), PGD(40, loss="margin"))
    counts: dict[str, int] = {}
    for norm, ord in NORMS.items():
        eps = _radius(found.radii, norm)
        seen = evaluate(found.model, found.test, eps, ord=ord, attacks=how, stream=found.stream.child(norm))
        counts |= {"natural": int(seen.natural.sum()), f"robust {norm}": seen.errors}
    return {"counts": counts, "n": len(found.test)}


def _table_4(found: Rows, models: Models, place: Place) -> Rows:
    """Standard training stands in both norms' rows."""
    del models
    return [
        {"norm": norm, "eps": str(_radius(place.radii, norm)), "training": row["training"],
         "standard_accuracy": accuracy(row, "natural"), "robust_accuracy": accuracy(row, f"robust {norm}")}
        for norm in NORMS
        for row in found
        if row.get("norm", norm) == norm
    ]  # fmt: skip


def _figure_1(found: Rows, models: Models, place: Place) -> Rows:
    del models
    whole = len(place.train)
    return [
        {"samples": row["size"] or whole, "eps_train": row["eps_train"], "standard_accuracy": accuracy(row, "natural")}
        for row in found
    ]


FAMILY = Family(
    "odds",
    networks,
    {"epochs": 30, "batch": 128, "lr": 0.003, "optimizer": "adam"},
    {"errors": both_norms, "natural": natural_errors},
)

EXPERIMENTS = (
    Experiment(
        "odds-table-4-networks", "tightrope.odds.table4/1",
        "standard, half-half and robust training at several radii in both norms: a CNN on MNIST, a ResNet on CIFAR-10",
        FAMILY, _table_4,
        chosen=lambda network: "training" in network.labels,
    ),
    Experiment(
        "odds-figure-1", "tightrope.odds.samples/1",
        "a network for each size and radius: a CNN on MNIST, a ResNet on CIFAR-10, ResNet-50 on Restricted ImageNet",
        FAMILY, _figure_1,
        looks=("natural",), chosen=lambda network: "size" in network.labels,
        note="as many epochs on each size; the help on few samples is asked of MNIST only",
    ),
)  # fmt: skip

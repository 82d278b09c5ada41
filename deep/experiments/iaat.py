"""IAAT in small: adversarial training at several radii, IAAT with and without its warm-up, line search, mixup.

Networks are perceptrons with two hidden layers of 64 units. Radii are counted in eighths of the radius that stands for
CIFAR's 8/255, as IAAT counts in 255ths: the networks' "eps = 8" is that radius, gamma is 1.9 and beta 0.1 (IAAT, Table
10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deep.attack import MIFGSM, PGD, CWInf, DeepFool
from deep.experiments.design import Experiment, Family, Network, Radii, Trained, accuracy, cells, errors_at
from deep.objectives import IAAT, PGDAT, MixupAT
from deep.studies import corrupted, evaluate, sweep

if TYPE_CHECKING:
    from collections.abc import Callable

    from deep.experiments.design import Models, Place, Row, Rows
    from deep.objectives import Method

SCHEMA = "tightrope.iaat/1"
STEPS = 5
TRAINED = (1, 2, 4, 6, 8)
TESTED = (1, 2, 4, 8, 12)
WARM_UP = 3
"""Epochs; the paper's 10 of 110 are as large a share."""


def networks(scale: Radii) -> tuple[Network, ...]:
    """Adversarial training at five radii, and the methods of IAAT at the largest."""
    eps, size = float(scale.small), "mlp"
    found = [
        Network(f"adversarial-{k}", PGDAT(k * eps / 8, STEPS), size, {"method": "adversarial", "eps_train": k})
        for k in TRAINED
    ]
    others: dict[str, Method] = {
        "iaat": IAAT(eps, warm_up=WARM_UP, steps=STEPS),
        "iaat_cold": IAAT(eps, warm_up=0, steps=STEPS),
        "line_search": IAAT(eps, warm_up=WARM_UP, steps=STEPS, search="line"),
        "mixup": MixupAT(eps, STEPS),
    }
    found += [Network(name, method, size, {"method": name}) for name, method in others.items()]
    return tuple(found)


def three_attacks(found: Trained) -> Row:
    """Errors naturally and under the worst of DeepFool, MI-FGSM and C&W-40."""
    how = (DeepFool(40), MIFGSM(40), CWInf(40))
    stream = found.stream.child("three")
    seen = evaluate(found.model, found.test, found.radii.small, attacks=how, stream=stream)
    return {"counts": {"natural": int(seen.natural.sum()), "three attacks": seen.errors}, "n": seen.n}


def over_radii(found: Trained) -> Row:
    """Errors at every tested radius: the worst of PGD-40 on both losses, there and at smaller ones."""
    how = (PGD(40), PGD(40, loss="margin"))
    points = [k * found.radii.small / 8 for k in TESTED]
    seen = sweep(found.model, found.test, points, attacks=how, stream=found.stream.child("radii"))
    return {
        "counts": {f"robust at {k}": one.errors for k, one in zip(TESTED, seen, strict=True)}, "n": len(found.test)
    }  # fmt: skip


def corruptions(found: Trained) -> Row:
    """The mean accuracy over the corruptions of `deep.studies.corruptions`, in per cent."""
    return {"corruption": 100 * corrupted(found.model, found.test, stream=found.stream.child("noise")).accuracy}


def history(found: Trained) -> Row:
    """Mean and deviation of the radii in every epoch, in eighths of the radius."""
    unit = float(found.radii.small) / 8
    rows = [{"epoch": row["epoch"], "mean": row["eps"] / unit, "deviation": row["eps_deviation"] / unit}
            for row in found.history]  # fmt: skip
    return {"epochs": rows}


def _radii(found: Rows, models: Models, place: Place) -> Rows:
    del models, place
    return [
        {"method": row["method"], **({"eps_train": row["eps_train"]} if "eps_train" in row else {}), "eps": k,
         "robust": accuracy(row, f"robust at {k}")}
        for row in found
        for k in TESTED
    ]  # fmt: skip


def _epochs(found: Rows, models: Models, place: Place) -> Rows:
    del models, place
    (row,) = found
    rows: Rows = row["epochs"]
    return rows


FAMILY = Family(
    "iaat",
    networks,
    {"epochs": 30, "batch": 128, "lr": 0.003, "optimizer": "adam"},
    {"errors": errors_at(lambda scale: scale.small), "three": three_attacks, "radii": over_radii,
     "corruptions": corruptions, "history": history},
)  # fmt: skip


def _named(*names: str) -> Callable[[Network], bool]:
    return lambda network: network.name in names


def _radius_of_each(network: Network) -> bool:
    return network.labels["method"] in ("adversarial", "iaat")


BOTH = cells("natural", "robust", labels=("method",))
CIFAR = "ResNet-18 and WRN-32-10, CIFAR-10, 200 and 110 epochs of 50,000 images, K = 10"

EXPERIMENTS = (
    Experiment(
        "iaat-figure3", SCHEMA, f"10 networks: {CIFAR}", FAMILY,
        cells("natural", "robust", labels=("method", "eps_train")),
        chosen=lambda network: network.labels["method"] in ("adversarial", "iaat", "iaat_cold"),
        note="adversarial training at 1, 2, 4, 6 and 8 eighths of the radius",
    ),
    Experiment(
        "iaat-table1", SCHEMA, f"4 networks: {CIFAR}; PGD-1000", FAMILY, BOTH, chosen=_named("iaat", "adversarial-8")
    ),
    Experiment(
        "iaat-table2", SCHEMA, "4 networks: as iaat-table1, on CIFAR-100",
        without="it would be that of iaat-table1 once more: no small data set has 100 classes",
    ),
    Experiment(
        "iaat-table3", SCHEMA, f"4 networks: {CIFAR}", FAMILY,
        cells("natural", labels=("method",), robust="three attacks"), looks=("three",),
        chosen=_named("iaat", "adversarial-8"),
    ),
    Experiment(
        "iaat-figure4", SCHEMA, f"9 networks: {CIFAR}", FAMILY, _radii, looks=("radii",), chosen=_radius_of_each,
        note="eps in eighths of the radius",
    ),
    Experiment(
        "iaat-figure7", SCHEMA, f"1 network: {CIFAR}", FAMILY, _epochs, looks=("history",), chosen=_named("iaat"),
        note="radii in eighths of the radius, as they are trained on; the rule's range is of CIFAR-10",
    ),
    Experiment(
        "iaat-warm-up-networks", SCHEMA, f"4 networks: {CIFAR}", FAMILY, BOTH, chosen=_named("iaat", "iaat_cold")
    ),
    Experiment(
        "iaat-line-search-networks", SCHEMA, f"4 networks: {CIFAR}", FAMILY, BOTH,
        chosen=_named("iaat", "line_search"),
    ),
    Experiment(
        "iaat-mixup-networks", SCHEMA, f"4 networks: {CIFAR}; PGD-1000", FAMILY, BOTH, chosen=_named("iaat", "mixup")
    ),
    Experiment(
        "iaat-corruptions-networks", SCHEMA, f"4 networks: {CIFAR}, and CIFAR-10-C", FAMILY,
        cells(labels=("method",), corruption="corruption"), looks=("corruptions",),
        chosen=_named("iaat", "adversarial-8"), note="six corruptions in five severities",
    ),
)  # fmt: skip

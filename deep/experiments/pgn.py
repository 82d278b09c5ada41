"""PGN in small: robustness curves of FGM, PGD and PGN training in l2, its switches, and the generator as an attack.

Classifiers are perceptrons with two hidden layers of 64 units. Both of PGN's networks have Adam with one rate. rho is
the mean distance of the examples that Carlini and Wagner's l2 attack finds (PGN, eq (6)), over the first images of the
test set; accuracies are shares, not per cent, as printed.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

from deep.attack import CW, FGSM, PGD, attack
from deep.experiments.design import Experiment, Family, Network, Radii, Trained, accuracy, natural_errors
from deep.objectives import FGM, PGDAT, PGN, GeneratorAttack, Natural
from deep.objectives.method import outputs
from deep.scores import wrong
from deep.studies import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from deep.experiments.design import Models, Place, Row, Rows

SCHEMA = "tightrope.pgn/1"
STEPS, RATE = 5, 0.003
SHARES = (Fraction(1, 4), Fraction(1, 2), Fraction(1))
"""Radii of training over the l2 radius of the data."""
NORMS = (Fraction(1, 2), Fraction(1), Fraction(2))
"""Mean norms of the generator's examples, over the same."""
COSTS = (2.0, 10.0, 50.0)
COST = 10.0
WIDTHS = (32, 64, 128)
WIDTH = 64
SHOWN = 200
SWITCHES: dict[str, dict[str, Any]] = {
    "no_gradient": {"gradient": False}, "no_image": {"image": False}, "no_label": {"label": False}
}  # fmt: skip


def networks(scale: Radii) -> tuple[Network, ...]:
    """Three radii of FGM and of PGD, three costs of PGN, one input off, other capacities, and a generator alone."""
    size, radius = "mlp", float(scale.euclidean)
    small: dict[str, Any] = {"rate": RATE, "width": 16, "hidden": 64}
    found = [Network("natural", Natural(), size, {"method": "natural"})]
    for share in SHARES:
        eps = float(share) * radius
        labels, name = {"eps": str(share * scale.euclidean)}, f"{share.numerator}of{share.denominator}"
        found.append(Network(f"fgm-{name}", FGM(eps), size, {"method": "fgm", **labels}))
        found.append(Network(f"pgd-{name}", PGDAT(eps, STEPS, ord=2), size, {"method": "pgd", **labels}))
    for cost in COSTS:
        cells = {"method": "pgn", "cost": str(cost), "filters": WIDTH}
        found.append(Network(f"pgn-{cost:g}", PGN(cost, **small), size, cells))
    for name, off in SWITCHES.items():
        found.append(Network(name, PGN(COST, **small, **off), size, {"method": name}))
    for width in sorted({*WIDTHS} - {WIDTH}):
        cells = {"method": "capacity", "cost": str(COST), "filters": width}
        found.append(Network(f"width-{width}", PGN(COST, **small), size, cells, width=width))
    alone = PGN(min(COSTS), classifier="fixed", **small)
    found.append(Network("generator", alone, size, {"method": "generator"}, "natural"))
    return tuple(found)


def distances(found: Trained) -> Row:
    """rho (0 where nothing right is fooled, as for a constant answer), and how many more images FGM leaves right than
    C&W does at the data's l2 radius, as a share.
    """
    images, eps = found.test.first(SHOWN), found.radii.euclidean
    seen = nearest(found.model, images, CW(100, 5))
    x, y = images.batch(slice(None)), images.y
    fgm = attack(found.model, x, y, FGSM(), eps=float(eps), ord=2, low=images.low, high=images.high)
    gap = 1 - Fraction(fgm.count, len(images)) - seen.accuracy(eps)
    return {**natural_errors(found), "rho": seen.rho or 0.0, "gap": gap, "failures": len(seen.failures)}


def at_equal_norms(found: Trained) -> Row:
    """What FGM, PGD and the generator leave right when each moves the images by the same mean norm."""
    images = found.test
    x, y = images.batch(slice(None)), images.y
    natural, stream = wrong(outputs(found.model, x), y), found.stream.child("norms")
    box = {"low": images.low, "high": images.high, "skip": False, "stream": stream, "ord": 2}

    def moved(name: str, size: float) -> Tensor:
        if name == "pgn":
            return attack(found.model, x, y, GeneratorAttack(found.state, size), **box).x  # type: ignore[arg-type]
        how = FGSM() if name == "fgm" else PGD(10, stop=False)
        return attack(found.model, x, y, how, eps=size, **box).x  # type: ignore[arg-type]

    rows = []
    for share in NORMS:
        norm = share * found.radii.euclidean
        for name in ("pgn", "fgm", "pgd"):
            points = at_norm(x, float(norm), partial(moved, name))
            errors = int((natural | wrong(outputs(found.model, points), y)).sum())
            reached = float((points - x).flatten(1).norm(dim=1).mean())
            rows.append({"method": name, "norm": str(norm), "reached": reached, "errors": errors})
    return {"curve": rows}


def at_norm(x: Tensor, norm: float, moved: Callable[[float], Tensor]) -> Tensor:
    """The points of the size at which the mean norm of ``moved(size) - x`` is this, by bisection; the largest tried if
    none is so long.
    """
    low, high = 0.0, norm
    while (points := moved(high)).sub(x).flatten(1).norm(dim=1).mean() < norm and high < 1e3 * norm:
        low, high = high, 2 * high
    for _ in range(12):
        middle = (low + high) / 2
        tried = moved(middle)
        if tried.sub(x).flatten(1).norm(dim=1).mean() < norm:
            low = middle
        else:
            high, points = middle, tried
    return points


def _shares(*columns: str) -> Callable[[Rows, Models, Place], Rows]:
    """Rows of all labels, benign accuracy as a share, and these columns."""

    def rows(found: Rows, models: Models, place: Place) -> Rows:
        del models, place
        labels = ("method", "eps", "cost", "filters")
        return [
            {**{k: row[k] for k in labels if k in row}, "natural": accuracy(row, "natural") / 100,
             **{k: row[k] for k in columns}}
            for row in found
        ]  # fmt: skip

    return rows


def balanced(rows: Rows) -> Rows:
    """PGN at the middle cost, and of FGM and PGD training the radius whose benign accuracy is nearest to its."""
    (ours,) = [row for row in rows if row["method"] == "pgn"]
    others = [
        min((row for row in rows if row["method"] == name), key=lambda row: abs(row["natural"] - ours["natural"]))
        for name in ("fgm", "pgd")
    ]
    return [ours, *others]


def _curve(found: Rows, models: Models, place: Place) -> Rows:
    del models
    (row,) = found
    n = len(place.test)
    return [
        {"method": point["method"], "norm": point["norm"], "reached": point["reached"],
         "robust": 1 - Fraction(point["errors"], n)}
        for point in row["curve"]
    ]  # fmt: skip


FAMILY = Family(
    "pgn",
    networks,
    {"epochs": 30, "batch": 128, "lr": RATE, "optimizer": "adam"},
    {"distances": distances, "norms": at_equal_norms},
)


def _method(*names: str) -> Callable[[Network], bool]:
    return lambda network: network.labels["method"] in names


def _of_cost(network: Network) -> bool:
    return network.labels.get("cost") == str(COST)


CIFAR = "ConvPool-CNN, CIFAR-10 and CIFAR-100, 200 epochs of 50,000 images"
RHO = f"rho over the first {SHOWN} test images"

EXPERIMENTS = (
    Experiment(
        "pgn-table2-networks", SCHEMA, f"8 networks: {CIFAR}", FAMILY, _shares("rho"), looks=("distances",),
        chosen=lambda network: network.labels["method"] in ("fgm", "pgd") or network.name == f"pgn-{COST:g}",
        pick=balanced,
        note=f"{RHO}; FGM and PGD training at the radius of nearest benign accuracy to PGN's at c_L = {COST:g}",
    ),
    Experiment(
        "pgn-figure2", SCHEMA, f"FGM training at several radii: {CIFAR}", FAMILY, _shares("rho"), looks=("distances",),
        chosen=_method("fgm"), note=RHO,
    ),
    Experiment(
        "pgn-figure3", SCHEMA, "a ConvPool-CNN and generators, CIFAR-100, 200 epochs of 50,000 images", FAMILY, _curve,
        looks=("norms",), chosen=_method("generator"),
        note=f"one generator, c_L = {min(COSTS):g}, whose perturbations are scaled",
    ),
    Experiment(
        "pgn-figure5", SCHEMA, f"FGM, PGD and PGN training at several radii and c_L: {CIFAR}", FAMILY,
        _shares("rho"), looks=("distances",), chosen=_method("fgm", "pgd", "pgn"), note=RHO,
    ),
    Experiment(
        "pgn-cost-networks", SCHEMA, f"several c_L: {CIFAR}", FAMILY, _shares("rho"), looks=("distances",),
        chosen=_method("pgn"), note=RHO,
    ),
    Experiment(
        "pgn-capacity-networks", SCHEMA, f"several widths: {CIFAR}", FAMILY, _shares("rho"), looks=("distances",),
        chosen=_of_cost, note=f"{RHO}; two layers of {WIDTHS} units",
    ),
    Experiment(
        "pgn-figure8", SCHEMA, f"several c_L for each of three switches: {CIFAR}", FAMILY, _shares("rho"),
        looks=("distances",), chosen=_method(*SWITCHES), note=RHO,
    ),
    Experiment(
        "pgn-overfitting", SCHEMA, f"several radii: {CIFAR}", FAMILY, _shares("gap"), looks=("distances",),
        chosen=lambda network: network.name in ("fgm-1of2", f"pgn-{COST:g}"),
        note=f"accuracies over the first {SHOWN} test images at the data's l2 radius",
    ),
    Experiment(
        "pgn-table1", SCHEMA, "hyper-parameters: ConvPool-CNN and generator, Adam 5e-4, batch 128, 200 epochs",
        without="it is a definition; deep.models and deep.architectures hold its networks",
    ),
)  # fmt: skip

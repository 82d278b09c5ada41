"""SENSE's first experiment in small: SENSE against TRADES, and c on the larger problem (SENSE, Sections 5.1, 5.2, H).

Networks are perceptrons with two hidden layers of 128 units, small ones of 8; those of SENSE go on from a naturally
trained one (SENSE, H.1). The radius is that for CIFAR's 8/255, and for MNIST's 0.3 where MNIST is spoken of. TRADES has
1/lambda = 6, c is 0.7 and 0.5, as there.
"""

from __future__ import annotations

import statistics
from fractions import Fraction
from typing import TYPE_CHECKING

from deep.attack import MIFGSM, PGD, attack, transfer
from deep.experiments.design import Experiment, Family, Network, Radii, Trained, accuracy, cells
from deep.objectives import SENSE, TRADES, Natural
from deep.objectives.method import outputs
from deep.scores import wrong
from deep.studies import convergence, evaluate, margins, sweep

if TYPE_CHECKING:
    from collections.abc import Callable

    from deep.experiments.design import Models, Place, Row, Rows

SCHEMA = "tightrope.sense/1"
LIMITS = ("0", "0.3", "0.5", "0.6", "0.7", "0.8")
SMALL = ("0.1", "0.5", "0.9")
WIDER = (Fraction(1), Fraction(3, 2), Fraction(2), Fraction(5, 2))
"""Radii of the attack over that of training."""
STEPS = 5
WIDTH, NARROW = 128, 8
SHOWN = 200
"""Images of the convergence check; the paper's has 100."""


def networks(scale: Radii) -> tuple[Network, ...]:
    """SENSE for several c and TRADES at both radii, and the naturally trained network before them."""
    small, large, size = float(scale.small), float(scale.large), "mlp"
    found = [
        Network("natural", Natural(), size, {"method": "natural"}, width=WIDTH),
        Network("small-natural", Natural(), size, {"method": "natural"}, width=NARROW),
        Network("trades", TRADES(small, 1 / 6, STEPS), size, {"method": "trades"}, width=WIDTH),
        Network("large-trades", TRADES(large, 1 / 6, STEPS), size, {"method": "trades"}, width=WIDTH),
        Network("large-sense", SENSE(large, 0.5, STEPS), size, {"method": "sense", "c": "0.5"}, "natural", width=WIDTH),
    ]
    for c in LIMITS:
        labels = {"method": "sense", "c": c}
        found.append(Network(f"c{c}", SENSE(small, float(c), STEPS), size, labels, "natural", width=WIDTH))
    for c in SMALL:
        labels = {"method": "sense", "c": c}
        method = SENSE(small, float(c), STEPS)
        found.append(Network(f"small-c{c}", method, size, labels, "small-natural", width=NARROW))
    return tuple(found)


def errors(found: Trained) -> Row:
    """Errors at the smaller radius: naturally, under PGD-40, PGD-100 with 2 restarts, and the worst with the margin."""
    how = (PGD(40), PGD(100, restarts=2), PGD(40, loss="margin"))
    stream = found.stream.child("errors")
    seen = evaluate(found.model, found.test, found.radii.small, attacks=how, stream=stream)
    names = ("pgd40", "pgd100", "margin")
    counts = {name: one.errors for name, one in zip(names, seen.attacks, strict=True)}
    return {"counts": {"natural": int(seen.natural.sum()), **counts, "robust": seen.errors}, "n": seen.n}


def large_errors(found: Trained) -> Row:
    """Errors at the larger radius: naturally, under PGD-500 and under PGD-40 on the margin of Carlini and Wagner."""
    how = (PGD(500), PGD(40, loss="margin"))
    stream = found.stream.child("large")
    seen = evaluate(found.model, found.test, found.radii.large, attacks=how, stream=stream)
    counts = {"pgd500": seen.attacks[0].errors, "cw40": seen.attacks[1].errors, "robust": seen.errors}
    return {"counts": {"natural": int(seen.natural.sum()), **counts}, "n": seen.n}


def wider(found: Trained) -> Row:
    """Errors at radii from that of training up: the worst of PGD-40 on both losses, there and at smaller ones."""
    how = (PGD(40), PGD(40, loss="margin"))
    points = [scale * found.radii.small for scale in WIDER]
    seen = sweep(found.model, found.test, points, attacks=how, stream=found.stream.child("wider"))
    counts = {f"robust at {scale}": one.errors for scale, one in zip(WIDER, seen, strict=True)}
    return {"counts": counts, "n": len(found.test)}


def margins_of(found: Trained) -> Row:
    """Margins on the test set (logits): the median natural one, the median of the positive adversarial ones, and the
    deviation of the adversarial ones.
    """
    stream = found.stream.child("margins")
    attacked = margins(found.model, found.test, eps=float(found.radii.small), stream=stream).values.tolist()
    positive = [value for value in attacked if value > 0]
    return {
        "natural_margin": margins(found.model, found.test).quantile("1/2"),
        "positive_margin": statistics.median(positive) if positive else 0.0,
        "deviation": statistics.pstdev(attacked),
    }


def _transferred(found: Rows, models: Models, place: Place) -> Rows:
    """Each defence against the examples of each network: by PGD-40, and those of MI-FGSM that fool their own."""
    x, y = place.test.batch(slice(None)), place.test.y
    named = {row["method"]: models[row["name"]] for row in found}
    eps, n = float(place.radii.small), len(y)
    rows = [
        {"defence": one.target, "source": one.source, "attack": "pgd",
         "accuracy": 100 * (1 - Fraction(one.fooled, n))}
        for one in transfer(named, x, y, PGD(40), eps=eps, stream=place.stream)
    ]  # fmt: skip
    for source, model in named.items():
        made = attack(model, x, y, MIFGSM(40), eps=eps, stream=place.stream, skip=False)
        for defence, judge in named.items():
            if defence != source:
                errs = wrong(outputs(judge, made.x[made.success]), y[made.success])
                left = 100 * (1 - Fraction(int(errs.sum()), max(len(errs), 1)))
                rows.append({"defence": defence, "source": source, "attack": "mifgsm", "accuracy": left})
    return rows


def _radii(found: Rows, models: Models, place: Place) -> Rows:
    del models, place
    return [
        {"method": row["method"], "eps": str(scale), "robust": accuracy(row, f"robust at {scale}")}
        for row in found
        for scale in WIDER
    ]


def _converged(found: Rows, models: Models, place: Place) -> Rows:
    """SENSE at both radii, with the steps that the paper finds enough and twice as many."""
    names = {
        "c0.7": ("at CIFAR's radius", place.radii.small, 100, 10),
        "large-sense": ("at MNIST's radius", place.radii.large, 500, 30),
    }
    rows, images = [], place.test.first(SHOWN)
    for row in found:
        dataset, eps, steps, share = names[row["name"]]
        seen = convergence(
            models[row["name"]], images, eps=float(eps), steps=(steps, 2 * steps), step_size=float(eps) / share,
            restarts=2, stream=place.stream,
        )  # fmt: skip
        ends = {"accuracy": seen.worst[-1][1], "accuracy_twice": seen.worst[-1][2]}
        rows.append({"dataset": dataset, "steps": steps,
                     **{name: 100 * (1 - Fraction(count, len(images))) for name, count in ends.items()}})  # fmt: skip
    return rows


FAMILY = Family(
    "sense-trades",
    networks,
    {"epochs": 30, "batch": 128, "lr": 0.003, "optimizer": "adam"},
    {"errors": errors, "large": large_errors, "wider": wider, "margins": margins_of},
)


def _named(*names: str) -> Callable[[Network], bool]:
    return lambda network: network.name in names


CIFAR = "WRN-34-10, CIFAR-10, 300 epochs of 50,000 images, K = 10"

EXPERIMENTS = (
    Experiment(
        "sense-table1-networks", SCHEMA, f"2 networks: {CIFAR}; PGD-100 with 20 restarts", FAMILY,
        cells("natural", "pgd100", labels=("method",)), chosen=_named("c0.7", "trades"), note="2 restarts",
    ),
    Experiment(
        "sense-table2-networks", SCHEMA, f"4 networks: {CIFAR}, and MNIST's", FAMILY, _transferred, looks=(),
        chosen=_named("c0.7", "trades"),
    ),
    Experiment(
        "sense-table3-networks", SCHEMA, "2 networks: TRADES' CNN, MNIST, 500 epochs of 60,000 images, K = 10 and 40",
        FAMILY, cells("natural", "pgd500", "cw40", labels=("method",)), looks=("large",),
        chosen=_named("large-sense", "large-trades"),
    ),
    Experiment(
        "sense-table4-networks", SCHEMA, f"6 networks: {CIFAR}", FAMILY, cells("natural", "pgd100", labels=("c",)),
        chosen=_named(*(f"c{c}" for c in LIMITS)), note="2 restarts",
    ),
    Experiment(
        "sense-table5-networks", SCHEMA, "4 networks: MNIST's CNN on CIFAR-10, K = 10", FAMILY,
        cells("natural", "pgd40", labels=("method", "c")),
        chosen=_named("small-natural", *(f"small-c{c}" for c in SMALL)),
        note=f"two layers of {NARROW} units for the small CNN",
    ),
    Experiment(
        "sense-tables6-7-networks", SCHEMA, f"4 networks: {CIFAR}, and MNIST's", FAMILY, _radii, looks=("wider",),
        chosen=_named("c0.7", "trades"), note="eps as multiples of the radius of training",
    ),
    Experiment(
        "sense-figure8", SCHEMA, f"2 networks: {CIFAR}", FAMILY,
        cells(labels=("method",), natural_margin="natural_margin", positive_margin="positive_margin",
              deviation="deviation"),
        looks=("margins",), chosen=_named("c0.7", "trades"), note="margins of logits on the test set",
    ),
    Experiment(
        "sense-figure10", SCHEMA, f"2 networks: {CIFAR}, and MNIST's; PGD-1000 with restarts", FAMILY, _converged,
        looks=(), chosen=_named("c0.7", "large-sense"), note=f"the first {SHOWN} test images, 2 restarts",
    ),
)  # fmt: skip

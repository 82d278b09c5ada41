"""What an experiment is: networks to train, what to look at, and the rows that a claim reads."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from deep.attack import PGD
from deep.studies import evaluate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import nn

    from deep.images import Images
    from deep.objectives import Method
    from deep.stream import Stream

    Row = dict[str, Any]
    Rows = list[Row]
    Look = Callable[["Trained"], Row]
    Models = Mapping[str, nn.Module]


@dataclass(frozen=True, slots=True)
class Radii:
    """The reduced setting's radii: in the place of CIFAR's 8/255 and of MNIST's 0.3 in l-infinity, and in l2."""

    small: Fraction
    large: Fraction
    euclidean: Fraction


def radii(images: Images) -> Radii:
    """The radii for data of this shape; the papers' own for theirs.

    Digits of 8 x 8 pixels have 1/16 and 3/16, whole grey levels near the papers' radii times 7/16 (the least distance
    between test and training digits of different classes) over the same distances 0.812 of MNIST and 0.220 of CIFAR-10
    (Yang et al., 2020, Table 1). In l2 they have 3/7, MNIST's 3/2 (ODDS, Table 2) times the root of 64 pixels over 784.

    >>> from deep.images import load
    >>> radii(load("digits", "test"))
    Radii(small=Fraction(1, 16), large=Fraction(3, 16), euclidean=Fraction(3, 7))
    """
    if images.shape == (1, 8, 8):
        return Radii(Fraction(1, 16), Fraction(3, 16), Fraction(3, 7))
    if images.shape == (1, 28, 28):
        return Radii(Fraction(1, 10), Fraction(3, 10), Fraction(3, 2))
    if images.shape == (3, 32, 32):
        return Radii(Fraction(8, 255), Fraction(8, 255), Fraction(1, 2))
    raise ValueError(
        f"{images.name} has the shape {images.shape}; experiments know (1, 8, 8), (1, 28, 28) and (3, 32, 32)"
    )


@dataclass(frozen=True, slots=True)
class Network:
    """One network of a family: what is minimised, from which first weights, on how many samples.

    ``labels`` are the cells that tell its row from others. ``after`` names the network with whose weights it starts
    (with weights of its own, if empty); that one may not have an ``after``. ``samples`` are the first of the training
    set, all if None. ``width`` is that of a multi-layer perceptron.
    """

    name: str
    method: Method
    model: str
    labels: Mapping[str, Any]
    after: str = ""
    samples: int | None = None
    width: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A network after training, and what it can be looked at with; ``state`` is its method's."""

    network: Network
    model: nn.Module
    state: Any
    history: tuple[Row, ...]
    train: Images
    test: Images
    radii: Radii
    stream: Stream


@dataclass(frozen=True, slots=True)
class Family:
    """Networks that one sweep trains with one ``recipe`` (the fields of `deep.fit.Recipe`).

    ``looks`` measure a trained network, by name: each answers cells, with ``counts`` of errors among the ``n`` samples
    of the test set apart, whose confidence limits the record states.
    """

    name: str
    networks: Callable[[Radii], tuple[Network, ...]]
    recipe: Mapping[str, Any]
    looks: Mapping[str, Look]


def everyone(network: Network) -> bool:
    """The choice of all networks of a family."""
    return bool(network)


@dataclass(frozen=True, slots=True)
class Experiment:
    """What the claim ``key`` reads: a record of ``schema``.

    ``paper`` says what its own setting would train, which is not run here. The reduced setting trains those of the
    ``family`` that are ``chosen`` and looks at them by ``looks``; ``rows`` makes one seed's rows of what was found (a
    row of labels, cells and ``counts`` for each network) and of the networks themselves. Rows of several seeds are
    averaged cell by cell, then ``pick`` may choose among them. ``without`` is why there is no reduced setting. ``wide``
    asks for images of 28 x 28 pixels.
    """

    key: str
    schema: str
    paper: str
    family: Family | None = None
    rows: Callable[[Rows, Models, Place], Rows] | None = None
    looks: tuple[str, ...] = ("errors",)
    chosen: Callable[[Network], bool] = everyone
    pick: Callable[[Rows], Rows] | None = None
    note: str = ""
    without: str = ""
    wide: bool = False

    @property
    def settings(self) -> tuple[str, ...]:
        """The settings that there are."""
        return ("paper", "reduced") if self.family else ("paper",)


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """The data and randomness of one seed, for rows that look at several networks together."""

    train: Images
    test: Images
    radii: Radii
    stream: Stream


# ---- looks and cells that several families share ----


def errors_at(radius: Callable[[Radii], Fraction], *, ord: float = float("inf"), steps: int = 40) -> Look:
    """Errors naturally, under PGD on the cross-entropy (a natural error counts), and under the worst of it and of PGD
    on the margin.
    """

    def look(found: Trained) -> Row:
        how = (PGD(steps), PGD(steps, loss="margin"))
        seen = evaluate(
            found.model, found.test, radius(found.radii), ord=ord, attacks=how, stream=found.stream.child("errors")
        )
        counts = {"natural": int(seen.natural.sum()), f"pgd{steps}": seen.attacks[0].errors, "robust": seen.errors}
        return {"counts": counts, "n": seen.n, "dead": max(attacked.dead for attacked in seen.attacks)}

    return look


def natural_errors(found: Trained) -> Row:
    """Natural errors alone."""
    seen = evaluate(found.model, found.test, Fraction(0))
    return {"counts": {"natural": seen.errors}, "n": seen.n}


def accuracy(row: Row, name: str) -> Fraction:
    """The accuracy in per cent of a count of errors."""
    return 100 * (1 - Fraction(row["counts"][name], row["n"]))


def cells(*accuracies: str, labels: tuple[str, ...] = (), **also: str) -> Callable[[Rows, Models, Place], Rows]:
    """Rows of these labels, of accuracies under their own names, and of cells under other names."""

    def rows(found: Rows, models: Models, place: Place) -> Rows:
        del models, place
        return [
            {**{k: row[k] for k in labels if k in row}, **{k: accuracy(row, k) for k in accuracies},
             **{k: accuracy(row, name) if name in row["counts"] else row[name] for k, name in also.items()}}
            for row in found
        ]  # fmt: skip

    return rows

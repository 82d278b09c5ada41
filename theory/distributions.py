"""Laws of (X, Y): piecewise-constant densities on boxes, and atoms of a finite metric space.

A law answers four questions: its ``labels``, its ``domain`` (where the adversary may move), ``mass(event, label)`` =
P(X in event, Y = label), and ``densities`` for Bayes' rule. All masses are exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np

from theory.between import Between, mass_between
from theory.boxes import Boxes, Number, box_volume
from theory.density import StepDensity, common_values
from theory.germ import as_number
from theory.points import FiniteSpace, Points


@dataclass(frozen=True, slots=True)
class BoxDistribution:
    """A law with density ``densities[y]`` for label y, piecewise constant on boxes, on a ``domain`` of boxes.

    ``restricts`` is the law this one is the restriction of, if any: its Bayes rule is that of the true law, because
    balls reach outside the support. Build one with ``of_masses``, ``of_densities`` or ``restrict``.

    >>> law = BoxDistribution.of_masses({-1: [([("0", "1/2")], "2/5")], +1: [([("1/2", "1")], "3/5")]})
    >>> law.mass(Boxes([(("1/4", "3/4"),)]), -1), law.prior(+1)
    (Fraction(1, 5), Fraction(3, 5))
    """

    densities: Mapping[int, StepDensity]
    domain: Boxes
    restricts: BoxDistribution | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if len(self.densities) < 2:
            raise ValueError(f"labels {sorted(self.densities)} are too few; a law needs at least two")
        total: Number = Fraction(0)
        for label, density in self.densities.items():
            if any(value < 0 for value in density.values):
                raise ValueError(f"label {label} has a negative density; a density is at least 0")
            if not density.support <= self.domain:
                raise ValueError(f"label {label} has mass outside the domain {self.domain!r}")
            total = total + density.integral()
        if total != 1:
            raise ValueError(f"the masses of all labels sum to {total}; they must sum to 1")

    @classmethod
    def of_masses(
        cls, boxes: Mapping[int, Sequence[tuple[Sequence[Sequence[Any]], Any]]], domain: Sequence[Any] | None = None
    ) -> BoxDistribution:
        """The law with, for each label, mass spread evenly on each of its disjoint boxes: ``{label: [(box, mass)]}``.

        ``domain`` is one box; None means all of space. Raises ``ValueError`` for overlapping or empty boxes, negative
        masses, masses that do not sum to one, and mass outside the domain.
        """
        weighted = {
            label: [(box, as_number(mass, "mass") / box_volume(box)) for box, mass in pairs]
            for label, pairs in boxes.items()
        }
        return cls.of_densities(weighted, domain)

    @classmethod
    def of_densities(
        cls, boxes: Mapping[int, Sequence[tuple[Sequence[Sequence[Any]], Any]]], domain: Sequence[Any] | None = None
    ) -> BoxDistribution:
        """The law with, for each label, a constant density on each of its boxes: ``{label: [(box, density)]}``.

        A label without boxes has mass 0.
        """
        dim = next((len(box) for pairs in boxes.values() for box, _ in pairs), None)
        densities = {
            label: StepDensity.of_boxes(pairs, None if pairs else dim) for label, pairs in sorted(boxes.items())
        }
        dims = {density.dim for density in densities.values()}
        if len(dims) != 1:
            raise ValueError(f"boxes of dimensions {sorted(dims)} do not make one law")
        return cls(densities, Boxes.everything(dims.pop()) if domain is None else Boxes([domain]))

    @property
    def labels(self) -> tuple[int, ...]:
        return tuple(self.densities)

    @property
    def dim(self) -> int:
        return self.domain.dim

    @property
    def everything(self) -> Boxes:
        return Boxes.everything(self.dim)

    @property
    def nothing(self) -> Boxes:
        return Boxes.nothing(self.dim)

    @property
    def support(self) -> Boxes:
        """Where some label has positive density."""
        support = self.nothing
        for density in self.densities.values():
            support = support | density.support
        return support

    def mass(self, event: Any, label: int) -> Any:
        """P(X in event, Y = label): exact for boxes, an ``Enclosure`` for an event enclosed between boxes."""
        if isinstance(event, Boxes):
            return _of_label(label, self.densities).integral(event)
        if isinstance(event, Between):
            return mass_between(lambda boxes: self.mass(boxes, label), event)
        if isinstance(event, Points):
            raise TypeError("single points are null sets of a box law; put atoms into a FiniteDistribution")
        return event.integral(_of_label(label, self.densities))

    def event(self, event: Any) -> Any:
        """The event in the form this law measures: as it is."""
        return event

    def prior(self, label: int) -> Number:
        """P(Y = label)."""
        return _of_label(label, self.densities).integral()

    def most_likely(self, ties: int | None = None) -> tuple[dict[int, Boxes], Boxes]:
        """For each label the event on which it is predicted, and the part of the domain where labels tie.

        Without ``ties`` a label is predicted where it alone is most likely; with it, tied parts are assigned as well:
        to ``ties`` if it is among the most likely labels, else to the first of them.
        """
        edges, values, places = common_values([self.densities[label] for label in self.labels])
        chosen, tied = _choices(values, None if ties not in self.labels else self.labels.index(ties))

        def where(holds: list[bool]) -> Boxes:
            return Boxes.on_grid(edges, np.array(holds)[places]) & self.domain

        return {label: where([k == c for c in chosen]) for k, label in enumerate(self.labels)}, where(tied)

    def restrict(self, event: Boxes) -> BoxDistribution:
        """The law given that X lies in ``event`` (SENSE, section 2): same domain, and the Bayes rule of this law."""
        total = sum((self.mass(event, label) for label in self.labels), Fraction(0))
        if total == 0:
            raise ValueError(f"{event!r} has mass 0, so the law cannot be restricted to it")
        kept = {label: density.restrict(event).scale(1 / total) for label, density in self.densities.items()}
        return BoxDistribution(kept, self.domain, restricts=self)

    def relabel(self, labels: Mapping[int, int]) -> BoxDistribution:
        """The law with labels renamed; used for reflections."""
        renamed = {labels[label]: density for label, density in self.densities.items()}
        whole = None if self.restricts is None else self.restricts.relabel(labels)
        return replace(self, densities=dict(sorted(renamed.items())), restricts=whole)

    def sample(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """n independent draws: points (n, d) as floats and labels (n,). Cells by their mass, uniform within a cell."""
        lows, highs, masses, labels = [], [], [], []
        for label, density in self.densities.items():
            for k, value in enumerate(density.values):
                for cell in Boxes.on_grid(density.edges, density.index == k).cells() if value else ():
                    sides = [(float(lo), float(hi)) for lo, hi in cell if lo is not None and hi is not None]
                    lows.append([lo for lo, _ in sides])
                    highs.append([hi for _, hi in sides])
                    masses.append(float(value) * float(np.prod([hi - lo for lo, hi in sides])))
                    labels.append(label)
        chosen = rng.choice(len(masses), size=n, p=np.array(masses) / sum(masses))
        low, high = np.array(lows)[chosen], np.array(highs)[chosen]
        return low + (high - low) * rng.random((n, self.dim)), np.array(labels)[chosen]


@dataclass(frozen=True, slots=True)
class FiniteDistribution:
    """Atoms on a finite metric space: ``masses[y][i]`` = P(X = point i, Y = y). The adversary moves within the space.

    >>> law = FiniteDistribution.of_points([("0",), ("1",)], {-1: ["1/2", 0], +1: [0, "1/2"]})
    >>> law.mass(Points(law.space, {1}), +1)
    Fraction(1, 2)
    """

    space: FiniteSpace
    masses: Mapping[int, tuple[Number, ...]]

    def __post_init__(self) -> None:
        if len(self.masses) < 2:
            raise ValueError(f"labels {sorted(self.masses)} are too few; a law needs at least two")
        for label, row in self.masses.items():
            if len(row) != len(self.space):
                raise ValueError(f"label {label} has {len(row)} masses for {len(self.space)} points")
            if any(m < 0 for m in row):
                raise ValueError(f"label {label} has the negative mass {min(row)}; masses are at least 0")
        total = sum((m for row in self.masses.values() for m in row), Fraction(0))
        if total != 1:
            raise ValueError(f"the masses of all labels sum to {total}; they must sum to 1")

    @classmethod
    def of_points(cls, points: Sequence[Sequence[Any]], masses: Mapping[int, Sequence[Any]]) -> FiniteDistribution:
        """Atoms at points of R^d; ``masses`` lists P(X = point, Y = label) for each label, point by point."""
        return cls.on(FiniteSpace.of_points(points), masses)

    @classmethod
    def on(cls, space: FiniteSpace, masses: Mapping[int, Sequence[Any]]) -> FiniteDistribution:
        """Atoms on a given space."""
        return cls(space, {y: tuple(as_number(m, "mass") for m in row) for y, row in sorted(masses.items())})

    @property
    def labels(self) -> tuple[int, ...]:
        return tuple(self.masses)

    @property
    def domain(self) -> FiniteSpace:
        return self.space

    @property
    def everything(self) -> Points:
        return self.space.everything

    @property
    def nothing(self) -> Points:
        return self.space.nothing

    @property
    def support(self) -> Points:
        """The points of positive mass."""
        return Points(self.space, (i for i, row in enumerate(zip(*self.masses.values(), strict=True)) if any(row)))

    @property
    def restricts(self) -> None:
        return None

    def event(self, event: Any) -> Points:
        """The event as a set of points; raises ``TypeError`` for boxes, which do not tell where an atom lies."""
        if isinstance(event, Points):
            if event.space != self.space:
                raise ValueError("the event is a set of points of another space than the law's")
            return event
        if isinstance(event, Boxes | Between):
            raise TypeError("boxes hold up to null sets and cannot place an atom; describe regions as Points")
        if self.space.coordinates is None:
            raise TypeError(f"{type(event).__name__} needs points with coordinates; this space only has distances")
        return Points(self.space, (i for i, x in enumerate(self.space.coordinates) if event.contains(x)))

    def mass(self, event: Any, label: int) -> Number:
        """P(X in event, Y = label)."""
        row = _of_label(label, self.masses)
        return sum((row[i] for i in self.event(event).members), Fraction(0))

    def prior(self, label: int) -> Number:
        """P(Y = label)."""
        return sum(_of_label(label, self.masses), Fraction(0))

    def most_likely(self, ties: int | None = None) -> tuple[dict[int, Points], Points]:
        """For each label the points at which it is predicted, and those where labels tie; ``ties`` as for box laws."""
        rows = list(zip(*self.masses.values(), strict=True))
        chosen, tied = _choices(rows, None if ties not in self.labels else self.labels.index(ties))

        def where(holds: list[bool]) -> Points:
            return Points(self.space, (i for i, yes in enumerate(holds) if yes))

        return {label: where([k == c for c in chosen]) for k, label in enumerate(self.labels)}, where(tied)

    def sample(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """n independent draws: indices of points (n,) and labels (n,)."""
        flat = np.array([[float(m) for m in row] for row in self.masses.values()])
        chosen = rng.choice(flat.size, size=n, p=flat.ravel() / flat.sum())
        return chosen % len(self.space), np.array(self.labels)[chosen // len(self.space)]


def _of_label(label: int, table: Mapping[int, Any]) -> Any:
    if label not in table:
        raise ValueError(f"label {label} does not occur in the law; its labels are {list(table)}")
    return table[label]


def _choices(rows: Sequence[tuple[Any, ...]], preferred: int | None) -> tuple[list[int | None], list[bool]]:
    """For each row the place of its largest value, and whether there are several such places.

    Of several the ``preferred`` one is chosen, or the first if it is not among them; with None preferred, none is.
    """
    chosen: list[int | None] = []
    tied = []
    for row in rows:
        best = _largest(row)
        tied.append(len(best) > 1)
        if len(best) == 1 or (preferred is not None and preferred not in best):
            chosen.append(best[0])
        else:
            chosen.append(preferred)
    return chosen, tied


def _largest(values: tuple[Any, ...]) -> list[int]:
    """The places of the largest value."""
    best = [0]
    for k, value in enumerate(values[1:], 1):
        if value > values[best[0]]:
            best = [k]
        elif value == values[best[0]]:
            best.append(k)
    return best

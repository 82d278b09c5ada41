"""Hypothesis strategies for laws, classifiers and adversaries: random exact problems on which claims are tested.

Every strategy builds what it promises (masses that sum to one, true metrics, regions that partition) instead of drawing
and throwing away, so a test with them never stalls, and a failure shrinks to a small readable case. Sizes are small on
purpose: counterexamples to statements about balls and regions, where they exist, mostly have few cells. Coordinates
come from short lists, so shared faces, ties between labels, radii that just touch and empty regions are common.

>>> from hypothesis import find
>>> find(rationals(lo=0, hi=1), lambda x: x > 0)
Fraction(1, 1)
>>> find(finite_spaces(metric="distances"), lambda space: len(space) == 2)
FiniteSpace(coordinates=None, distances=((Fraction(0, 1), Fraction(1, 1)), (Fraction(1, 1), Fraction(0, 1))))
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, combinations, pairwise, product
from typing import Any, TypeVar

from hypothesis import strategies as st

from theory.ball import Ball
from theory.boxes import Boxes, Side, box_volume
from theory.classifiers import RegionClassifier
from theory.density import common_values
from theory.distributions import BoxDistribution, FiniteDistribution
from theory.numbers import Exact, as_fraction
from theory.points import FiniteSpace, Points

Law = BoxDistribution | FiniteDistribution
Item = TypeVar("Item")

DENOMINATORS = (1, 2, 3, 4, 5, 6)


@dataclass(frozen=True, slots=True)
class Problem:
    """A law, a classifier and an adversary: what a risk is a function of."""

    law: Law
    classifier: RegionClassifier
    ball: Ball


@dataclass(frozen=True, slots=True)
class Score:
    """A real-valued function on a finite space, one value a point, and the classifier sign f that it makes.

    Points of score 0 lie in no region of ``classifier``: there f(x) y <= 0 whatever the label y.
    """

    values: tuple[Fraction, ...]
    classifier: RegionClassifier


# ---- numbers and balls ----------------------------------------------------------------------------------------------


def rationals(
    *,
    lo: Exact = 0,
    hi: Exact = 1,
    denominators: Sequence[int] = DENOMINATORS,
    exclude_lo: bool = False,
    exclude_hi: bool = False,
) -> st.SearchStrategy[Fraction]:
    """Fractions from ``lo`` to ``hi`` that are whole multiples of 1/d for some d of ``denominators``.

    Raises ``ValueError`` where there is no such number.
    """
    low, high = as_fraction(lo, "lo"), as_fraction(hi, "hi")
    _check_denominators(denominators)
    numerators = []
    for d in denominators:
        first = math.floor(low * d) + 1 if exclude_lo else math.ceil(low * d)
        last = math.ceil(high * d) - 1 if exclude_hi else math.floor(high * d)
        if first <= last:
            numerators.append((first, last, d))
    if not numerators:
        raise ValueError(f"no fraction from {low} to {high} has one of the denominators {list(denominators)}")
    if sum(last - first for first, last, _ in numerators) < 1000:  # few enough to draw each with the same ease
        values = {Fraction(n, d) for first, last, d in numerators for n in range(first, last + 1)}
        return st.sampled_from(sorted(values, key=lambda x: (x.denominator, abs(x), x < 0)))
    return st.one_of(
        [st.integers(first, last).map(lambda n, d=d: Fraction(n, d)) for first, last, d in numerators]  # type: ignore[misc]
    )


def radii(
    *, max_radius: Exact = 1, denominators: Sequence[int] = DENOMINATORS, zero: bool = True
) -> st.SearchStrategy[Fraction]:
    """Radii from 0 to ``max_radius``; without 0 if ``zero`` is False."""
    if zero and as_fraction(max_radius, "max_radius") == 0:
        return st.just(Fraction(0))
    positive = rationals(lo=0, hi=max_radius, denominators=denominators, exclude_lo=True)
    # Without an adversary little can happen: one draw in ten is enough.
    return st.integers(0, 9).flatmap(lambda k: st.just(Fraction(0)) if k == 9 else positive) if zero else positive


def balls(
    *,
    ords: Sequence[float] = (math.inf,),
    max_radius: Exact = 1,
    denominators: Sequence[int] = DENOMINATORS,
    zero: bool = True,
    leave_domain: bool | None = False,
) -> st.SearchStrategy[Ball]:
    """Balls in one of the norms ``ords``; ``leave_domain=None`` means either kind."""
    if not set(ords) <= {1, 2, math.inf} or not ords:
        raise ValueError(f"norms {list(ords)} are not supported; allowed are 1, 2 and inf, at least one of them")
    return st.builds(
        Ball,
        radii(max_radius=max_radius, denominators=denominators, zero=zero),
        st.sampled_from(ords),
        leave_domain=_one_of(leave_domain),
    )


# ---- unions of boxes ------------------------------------------------------------------------------------------------


def box_lists(
    *,
    dim: int = 2,
    lo: Exact = 0,
    hi: Exact = 1,
    min_boxes: int = 0,
    max_boxes: int = 4,
    denominators: Sequence[int] = DENOMINATORS,
    unbounded: bool = False,
) -> st.SearchStrategy[list[tuple[Side, ...]]]:
    """Lists of non-empty boxes between ``lo`` and ``hi``, as ``Boxes`` takes them; they may overlap and share faces.

    Faces are ``lo``, ``hi`` and fractions of the ``denominators`` between them. With ``unbounded`` a side may also
    reach to infinity. Raises ``ValueError`` for a dimension below 1.
    """
    if dim < 1:
        raise ValueError(f"dimension {dim} is not positive; boxes have at least one axis")
    if not 0 <= min_boxes <= max_boxes:
        raise ValueError(f"from {min_boxes} to {max_boxes} boxes is no range of sizes")
    # Zero boxes come last: the empty set is one of many cases, not the first that comes to mind.
    sizes = [*range(max(min_boxes, 1), max_boxes + 1), *([0] if min_boxes == 0 else [])]
    return _box_list(dim, sizes, unbounded, _cuts(lo, hi, denominators))


@st.composite
def _box_list(
    draw: st.DrawFn, dim: int, sizes: list[int], unbounded: bool, cuts: st.SearchStrategy[tuple[Fraction, ...]]
) -> list[tuple[Side, ...]]:
    size = draw(st.sampled_from(sizes))
    sides = [_sides(draw(cuts), unbounded=unbounded) for _ in range(dim)]
    return [tuple(draw(side) for side in sides) for _ in range(size)]


def boxes(*, dim: int = 2, **options: Any) -> st.SearchStrategy[Boxes]:
    """Unions of the lists of ``box_lists``, which says what ``options`` there are; the empty set is one of them."""
    return box_lists(dim=dim, **options).map(lambda drawn: Boxes(drawn, dim))


def _cuts(
    lo: Exact, hi: Exact, denominators: Sequence[int], least: int = 0, most: int = 3
) -> st.SearchStrategy[tuple[Fraction, ...]]:
    """A few increasing coordinates from ``lo`` to ``hi``, both ends included and at most ``most`` more."""
    low, high = as_fraction(lo, "lo"), as_fraction(hi, "hi")
    if not low < high:
        raise ValueError(f"boxes from {low} to {high} are empty; the low end must lie below the high end")
    _check_denominators(denominators)
    if all(math.floor(low * d) + 1 >= high * d for d in denominators):  # no number lies between: take the whole side
        return st.just((low, high))
    inner = rationals(lo=low, hi=high, denominators=denominators, exclude_lo=True, exclude_hi=True)
    return st.lists(inner, min_size=least, max_size=most).map(lambda cuts: tuple(sorted({low, high, *cuts})))


def _sides(axis: Sequence[Fraction], *, unbounded: bool) -> st.SearchStrategy[Side]:
    pairs: list[Side] = [(a, b) for i, a in enumerate(axis) for b in axis[i + 1 :]]
    if unbounded:
        pairs += [(None, b) for b in axis] + [(a, None) for a in axis] + [(None, None)]
    return st.sampled_from(pairs)


# ---- laws -----------------------------------------------------------------------------------------------------------


def box_laws(
    *,
    dims: Sequence[int] = (1, 2),
    labels: Sequence[int] = (-1, +1),
    noisy: bool | None = None,
    restricted: bool | None = None,
    domain: bool | None = None,
    denominators: Sequence[int] = DENOMINATORS,
) -> st.SearchStrategy[BoxDistribution]:
    """Laws on the unit cube with a constant density for each label on every cell of a small grid; 0 is one of them.

    ``noisy`` laws let labels share cells (ties between densities are common); the others put one label a cell.
    ``restricted`` laws are the restriction of such a law to some boxes of positive mass. With ``domain`` the adversary
    is kept in the unit cube, otherwise the domain is all of space. None means either.

    ``denominators=[n]`` puts every face at a multiple of 1/n. Dimensions are 1 to 3.
    """
    _check_labels(labels)
    if not dims or not set(dims) <= {1, 2, 3}:
        raise ValueError(f"dimensions {list(dims)} are not supported; allowed are 1, 2 and 3, at least one of them")
    cuts = {dim: _cuts(0, 1, denominators, least=1, most=(4, 3, 2)[dim - 1]) for dim in dims}
    kept = {dim: box_lists(dim=dim, max_boxes=2, denominators=denominators) for dim in dims}
    return _box_law(list(dims), tuple(labels), noisy, restricted, domain, cuts, kept)


@st.composite
def _box_law(
    draw: st.DrawFn,
    dims: list[int],
    labels: tuple[int, ...],
    noisy: bool | None,
    restricted: bool | None,
    domain: bool | None,
    cuts: dict[int, st.SearchStrategy[tuple[Fraction, ...]]],
    kept: dict[int, st.SearchStrategy[list[tuple[Side, ...]]]],
) -> BoxDistribution:
    dim = draw(st.sampled_from(dims))
    axes = [draw(cuts[dim]) for _ in range(dim)]
    cells: list[tuple[Side, ...]] = list(product(*(list(pairwise(axis)) for axis in axes)))
    weights = draw(_weights(len(cells), len(labels), noisy))
    total = sum((sum(row) * box_volume(cell) for cell, row in zip(cells, weights, strict=True)), Fraction(0))
    densities = {
        label: [(cell, Fraction(row[k]) / total) for cell, row in zip(cells, weights, strict=True)]
        for k, label in enumerate(labels)
    }
    law = BoxDistribution.of_densities(densities, [(0, 1)] * dim if draw(_one_of(domain)) else None)
    if not draw(_one_of(restricted)):
        return law
    heavy = draw(st.sampled_from([cell for cell, row in zip(cells, weights, strict=True) if any(row)]))
    return law.restrict(Boxes([heavy, *draw(kept[dim])]))


def finite_spaces(
    *, min_points: int = 1, max_points: int = 5, metric: str | None = None, denominators: Sequence[int] = (1, 2)
) -> st.SearchStrategy[FiniteSpace]:
    """Finite metric spaces.

    ``metric`` is "coordinates" for distinct points of R^1 or R^2 (on a lattice, so equal distances are common),
    "distances" for random metrics (shortest paths in a graph with random lengths: they embed in no R^d in general), or
    None for either.
    """
    if not 1 <= min_points <= max_points:
        raise ValueError(f"from {min_points} to {max_points} points is no range of sizes; a space has at least one")
    if metric not in ("coordinates", "distances", None):
        raise ValueError(f"metric {metric!r} is unknown; allowed are 'coordinates', 'distances' and None")
    _check_denominators(denominators)
    return _finite_space(min_points, max_points, metric, list(denominators))


@st.composite
def _finite_space(
    draw: st.DrawFn, min_points: int, max_points: int, metric: str | None, denominators: list[int]
) -> FiniteSpace:
    n = draw(st.integers(min_points, max_points))
    unit = Fraction(1, draw(st.sampled_from(denominators)))
    if draw(st.sampled_from([metric] if metric else ["coordinates", "distances"])) == "coordinates":
        dim = draw(st.integers(1, 2))
        # distinct numbers by positive steps, read as places of a lattice three wide
        codes = list(accumulate(draw(_row(st.integers(1, 3), n, max_points))))
        return FiniteSpace.of_points([(unit * c,) if dim == 1 else (unit * (c % 3), unit * (c // 3)) for c in codes])
    length = {pair: unit * draw(st.integers(1, 5)) for pair in combinations(range(max_points), 2)}
    matrix = [[length.get((min(i, j), max(i, j)), Fraction(0)) for j in range(n)] for i in range(n)]
    for k, i, j in product(range(n), repeat=3):
        matrix[i][j] = min(matrix[i][j], matrix[i][k] + matrix[k][j])
    return FiniteSpace.of_distances(matrix)


def finite_laws(
    *,
    labels: Sequence[int] = (-1, +1),
    noisy: bool | None = None,
    space: FiniteSpace | None = None,
    **options: Any,
) -> st.SearchStrategy[FiniteDistribution]:
    """Laws on finite metric spaces, with points of mass 0 and ties between labels; ``noisy`` as in ``box_laws``.

    On the given ``space``, or on one of ``finite_spaces``, which says what other ``options`` there are.
    """
    _check_labels(labels)
    if space is not None and options:
        raise ValueError(f"the space is given, so {sorted(options)} have no say in it; leave out one or the other")
    spaces = finite_spaces(**options) if space is None else st.just(space)
    return _finite_law(spaces, tuple(labels), noisy)


@st.composite
def _finite_law(
    draw: st.DrawFn, spaces: st.SearchStrategy[FiniteSpace], labels: tuple[int, ...], noisy: bool | None
) -> FiniteDistribution:
    space = draw(spaces)
    weights = draw(_weights(len(space), len(labels), noisy))
    total = sum(map(sum, weights))
    masses = {label: [Fraction(row[k], total) for row in weights] for k, label in enumerate(labels)}
    return FiniteDistribution.on(space, masses)


@st.composite
def _weights(draw: st.DrawFn, places: int, labels: int, noisy: bool | None) -> list[list[int]]:
    """For each place a weight from 0 to 3 for each label, not all zero; one label a place unless ``noisy``."""
    mixed = draw(_one_of(noisy))
    weights = [list(row) for row in draw(_row(st.tuples(*[st.integers(0, 3)] * labels), places))]
    if not mixed:
        owners = draw(_row(st.integers(0, labels - 1), places))
        weights = [
            [row[owner] * (k == owner) for k in range(labels)] for row, owner in zip(weights, owners, strict=True)
        ]
    # As a rule every label gets some mass, in places of their own while there are enough; seldom one label has it all.
    seeded = draw(st.permutations(range(labels)))[: draw(st.sampled_from([1, labels, labels, labels, labels]))]
    first = draw(st.integers(0, places - 1))
    for step, label in enumerate(seeded if mixed else seeded[:places]):
        row = weights[(first + step) % places]
        weight = max(1, row[label] if mixed else sum(row))
        if not mixed:
            row[:] = [0] * labels
        row[label] = weight
    return weights


# ---- classifiers ----------------------------------------------------------------------------------------------------


def region_classifiers(
    law: Law,
    *,
    uncovered: bool = False,
    denominators: Sequence[int] = DENOMINATORS,
) -> st.SearchStrategy[RegionClassifier]:
    """Classifiers for ``law``: a label for every point, or every cell of a grid over all of space.

    The grid mixes the faces of the law with its own. With ``uncovered`` some points or cells may belong to no region,
    so that every label errs there. Raises ``TypeError`` for anything but a box law or a finite law.
    """
    if not isinstance(law, FiniteDistribution | BoxDistribution):
        raise TypeError(f"classifiers for {type(law).__name__} are not known; allowed are box laws and finite laws")
    choices: list[int | None] = [*law.labels, None] if uncovered else [*law.labels]
    if isinstance(law, FiniteDistribution):
        return _row(st.sampled_from(choices), len(law.space)).map(lambda row: _on_points(law, row))
    return _box_classifier(law, choices, _cuts(0, 1, denominators, most=2))


@st.composite
def _box_classifier(
    draw: st.DrawFn,
    law: BoxDistribution,
    choices: list[int | None],
    own: st.SearchStrategy[tuple[Fraction, ...]],
) -> RegionClassifier:
    axes: list[list[Side]] = []
    for faces in common_values([law.densities[label] for label in law.labels])[0]:
        shared = draw(st.lists(st.sampled_from(faces), min_size=1, max_size=2)) if faces else []
        axes.append(list(pairwise((None, *sorted({*shared, *draw(own)[1:-1]}), None))))
    cells = list(product(*axes))
    chosen = draw(st.lists(st.sampled_from(choices), min_size=len(cells), max_size=len(cells)))
    return RegionClassifier(
        {
            label: Boxes([cell for cell, its in zip(cells, chosen, strict=True) if its == label], law.dim)
            for label in law.labels
        }
    )


def scores(law: FiniteDistribution) -> st.SearchStrategy[Score]:
    """Real-valued functions on the space of a binary finite law, zeros included, with the classifier they make.

    Raises ``TypeError`` for a box law, whose single points are null sets, ``ValueError`` for labels other than -1, +1.
    """
    if not isinstance(law, FiniteDistribution):
        raise TypeError(f"scores are drawn point by point, which {type(law).__name__} has not; give a finite law")
    if law.labels != (-1, +1):
        raise ValueError(f"a score tells -1 from +1; the labels of this law are {list(law.labels)}")
    values = _row(rationals(lo=-2, hi=2, denominators=(1, 2)), len(law.space))

    def score(drawn: list[Fraction]) -> Score:
        return Score(tuple(drawn), _on_points(law, [(v > 0) - (v < 0) or None for v in drawn]))

    return values.map(score)


def _on_points(law: FiniteDistribution, row: Sequence[int | None]) -> RegionClassifier:
    return RegionClassifier(
        {label: Points(law.space, (i for i, its in enumerate(row) if its == label)) for label in law.labels}
    )


# ---- whole problems -------------------------------------------------------------------------------------------------


def problems(
    *,
    kinds: Sequence[str] = ("boxes", "finite"),
    dims: Sequence[int] = (1, 2),
    labels: Sequence[int] = (-1, +1),
    uncovered: bool = False,
    noisy: bool | None = None,
    restricted: bool | None = None,
    leave_domain: bool | None = None,
    max_radius: Exact = "1/2",
    denominators: Sequence[int] = DENOMINATORS,
) -> st.SearchStrategy[Problem]:
    """A law, a classifier for it and a ball: l-infinity balls for box laws, balls of any norm for finite ones.

    ``leave_domain`` and ``restricted`` concern box laws, and asking for them raises where only finite ones are drawn;
    the other arguments are those of ``box_laws``, ``finite_laws``, ``region_classifiers`` and ``balls``.
    """
    if not kinds or not set(kinds) <= {"boxes", "finite"}:
        raise ValueError(f"kinds {list(kinds)} are unknown; allowed are 'boxes' and 'finite', at least one of them")
    if "boxes" not in kinds and (restricted or leave_domain):
        raise ValueError("a finite law is no restriction and its adversary stays in the space; ask for box problems")
    box_law = box_laws(dims=dims, labels=labels, noisy=noisy, restricted=restricted, denominators=denominators)
    box_ball = balls(max_radius=max_radius, leave_domain=leave_domain, denominators=denominators)
    finite_law = finite_laws(labels=labels, noisy=noisy)
    finite_ball = balls(ords=(math.inf, 2, 1), max_radius=2, denominators=(1, 2))
    pairs: dict[str, tuple[st.SearchStrategy[Any], st.SearchStrategy[Ball]]] = {
        "boxes": (box_law, box_ball),
        "finite": (finite_law, finite_ball),
    }
    return _problem([pairs[kind] for kind in kinds], uncovered, denominators)


@st.composite
def _problem(
    draw: st.DrawFn,
    pairs: list[tuple[st.SearchStrategy[Any], st.SearchStrategy[Ball]]],
    uncovered: bool,
    denominators: Sequence[int],
) -> Problem:
    laws, balls_ = draw(st.sampled_from(pairs))
    law = draw(laws)
    return Problem(law, draw(region_classifiers(law, uncovered=uncovered, denominators=denominators)), draw(balls_))


def _row(item: st.SearchStrategy[Item], n: int, at_least: int = 5) -> st.SearchStrategy[list[Item]]:
    """n items. A few more are drawn and dropped, so that a failure shrinks to fewer points without drawing anew."""
    size = max(n, at_least)
    return st.lists(item, min_size=size, max_size=size).map(lambda drawn: drawn[:n])


def _one_of(choice: bool | None) -> st.SearchStrategy[bool]:
    return st.booleans() if choice is None else st.just(choice)


def _check_denominators(denominators: Sequence[int]) -> None:
    if min(denominators, default=0) < 1:
        raise ValueError(f"denominators {list(denominators)} are not positive numbers, at least one of them")


def _check_labels(labels: Sequence[int]) -> None:
    if len(labels) < 2 or list(labels) != sorted(set(labels)):
        raise ValueError(f"labels {list(labels)} are not two or more different ones in increasing order")

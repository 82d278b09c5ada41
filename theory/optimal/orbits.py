"""The conflicts of a two-class box law under l-infinity as a finite network: the orbit grid.

**Orbit grid.** On every axis take the faces of both densities and close them under translation by +-2 eps. Join a
cell I of class -1 to a cell J of class +1 if on every axis their gap is below 2 eps. *The minimum cut of this finite
network is the exact infimum over all measurable classifiers.*

Proof. Let I = (a, b) and J = (c, d) be joined on some axis, J to the right. The lines a + 2 eps and b + 2 eps cannot
lie inside J, nor c - 2 eps and d - 2 eps inside I, since those would be grid lines. So either d - a <= 2 eps, and
every point of I conflicts with every point of J on this axis, or J = I + 2 eps, and the translation by 2 eps couples
the two. A flow on the network is spread evenly over its cells and coupled axis by axis, by the translation in the
second case and independently in the first: a coupling of conflicting mass, so no classifier has less risk than the
flow's value. Conversely cells that are not joined are at least 2 eps apart on some axis, equality only on a null set,
so labelling the eps-neighbourhoods of the cells kept by the minimum cut attains it. The two are equal by max-flow
min-cut. []

**Pruning.** Only mass within 2 eps of the other class can conflict, and the closure is needed only where such mass
projects to: a line outside that projection bounds no cell of the network.

**Product lemma.** An axis on which both densities share one factor drops out: classifiers may ignore it, and coupling
equal coordinates on it costs nothing.

**Atoms.** An atom is one more node. Its coordinates and these +-2 eps are lines as well, so that it is in no cell, and
every cell either lies within 2 eps of it or is apart from it.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.boxes import Boxes, Number, Side, sorted_unique
from theory.density import StepDensity, common_values
from theory.germ import Germ, as_number

if TYPE_CHECKING:
    from theory.ball import Ball
    from theory.distributions import BoxDistribution

Interval = tuple[Number, Number]
Cell = tuple[Interval, ...]
Atom = tuple[tuple[Number, ...], Number]  # point and mass
Atoms = Mapping[int, Sequence[tuple[Sequence[Any], Any]]]
MAX_CELLS = 20_000
MAX_LINES = 4_000


@dataclass(frozen=True, slots=True)
class OrbitGrid:
    """Source 0, sink 1, a node for each cell of either class (class y from ``first[y]`` on), then middle nodes.

    Edges from the source carry the masses of class -1, edges to the sink those of class +1; the others are infinite.
    ``axes`` are the axes of the cells: those of the law that did not drop out. ``atoms[y]`` are nodes from
    ``first_atom[y]`` on; ``continuous`` is the mass that is left for the law on boxes.
    """

    axes: tuple[int, ...]
    cells: Mapping[int, tuple[Cell, ...]]
    first: Mapping[int, int]
    n: int
    edges: tuple[tuple[int, int, Number | None], ...]
    atoms: Mapping[int, tuple[Atom, ...]]
    first_atom: Mapping[int, int]
    continuous: Number


def orbit_grid(
    law: BoxDistribution,
    ball: Ball,
    atoms: Atoms | None = None,
    *,
    reduce: bool = True,
    lines: Sequence[Sequence[Number]] = (),
) -> OrbitGrid:
    """The orbit-grid network of a law, not yet solved; without ``reduce`` no axis drops out.

    ``lines`` are coordinates, axis by axis, at which to refine the grid: finer grids have more minimum cuts.
    Raises as ``optimal_box_risk``.
    """
    if law.labels != (-1, 1):
        raise ValueError(f"labels {list(law.labels)} are not -1 and +1; this optimum is for two classes")
    if ball.ord != math.inf and law.dim > 1:
        raise ValueError(f"norm {ball.ord:g} has no exact optimum on boxes; use ord=inf")
    if sum(1 for _ in law.domain.cells()) != 1:
        raise ValueError("a domain of several boxes is not convex, so distances do not tell which balls meet")
    reach = 2 * ball.radius
    points = _checked_atoms(law, atoms)
    continuous = 1 - sum((mass for y in (-1, +1) for _, mass in points[y]), Fraction(0))
    if continuous < 0:
        raise ValueError(f"atoms have mass {1 - continuous}; at most 1 is left for them")
    axes, densities = _essential_axes(law, reduce=reduce and not (points[-1] or points[+1]))
    zones = {}
    for y in (-1, +1):
        cubes = Boxes([cube(point, reach) for point, _ in points[-y]] if reach > 0 else [], len(axes))
        zones[y] = densities[y].restrict(densities[-y].support.dilate(reach) | cubes)
    seeds = [[point[a] for y in (-1, +1) for point, _ in points[y]] for a in range(len(axes))]
    if lines:
        seeds = [[*places, *lines[a]] for places, a in zip(seeds, axes, strict=True)]
    grid = [_axis_cells([zones[-1], zones[+1]], a, reach, seeds[a]) for a in range(len(axes))]
    cells: dict[int, tuple[Cell, ...]] = {}
    masses: dict[int, list[Number]] = {}
    index: dict[int, dict[tuple[int, ...], int]] = {}
    first = {-1: 2, +1: 2}
    for y in (-1, +1):
        values = _cell_values(zones[y], grid)
        places = sorted(values)
        if len(places) > MAX_CELLS:
            count = f"{len(places):,} cells of one class"
            raise ValueError(f"{_radius(reach)} needs {count}; at most {MAX_CELLS:,} are handled")
        cells[y] = tuple(tuple(grid[a][i] for a, i in enumerate(place)) for place in places)
        masses[y] = [
            math.prod((hi - lo for lo, hi in cell), start=values[place] * continuous)
            for place, cell in zip(places, cells[y], strict=True)
        ]
        index[y] = {place: k for k, place in enumerate(places)}
    first[+1] = 2 + len(cells[-1])
    n = first[+1] + len(cells[+1])
    edges: list[tuple[int, int, Number | None]] = [(0, first[-1] + k, m) for k, m in enumerate(masses[-1])]
    edges += [(first[+1] + k, 1, m) for k, m in enumerate(masses[+1])]
    joins = [_joined(axis, reach) for axis in grid]
    n, conflicts = _conflict_edges(index, first, joins, n)
    first_atom = {-1: n, +1: n + len(points[-1])}
    edges += [(0, first_atom[-1] + k, mass) for k, (_, mass) in enumerate(points[-1])]
    edges += [(first_atom[+1] + k, 1, mass) for k, (_, mass) in enumerate(points[+1])]
    n += len(points[-1]) + len(points[+1])
    conflicts += _atom_edges(points, cells, first, first_atom, reach)
    return OrbitGrid(axes, cells, first, n, tuple(edges + conflicts), points, first_atom, continuous)


def _checked_atoms(law: BoxDistribution, atoms: Atoms | None) -> dict[int, tuple[Atom, ...]]:
    checked: dict[int, tuple[Atom, ...]] = {-1: (), +1: ()}
    for y, listed in (atoms or {}).items():
        if y not in checked:
            raise ValueError(f"label {y} of an atom is not -1 or +1")
        pairs = [(tuple(as_number(x, "coordinate") for x in at), as_number(mass, "mass")) for at, mass in listed]
        for point, mass in pairs:
            if len(point) != law.dim or mass < 0:
                raise ValueError(f"atom {point} of mass {mass} does not fit a law of dimension {law.dim}")
        checked[y] = tuple(pairs)
    return checked


def cube(point: tuple[Number, ...], radius: Number) -> list[Side]:
    """The ball around a point, as a box."""
    return [(x - radius, x + radius) for x in point]


def _atom_edges(
    atoms: Mapping[int, tuple[Atom, ...]],
    cells: Mapping[int, tuple[Cell, ...]],
    first: Mapping[int, int],
    first_atom: Mapping[int, int],
    reach: Number,
) -> list[tuple[int, int, None]]:
    """Conflicts of atoms: with cells at a gap below ``reach`` (such cells lie within it), with atoms at most so far."""
    edges: list[tuple[int, int, None]] = []
    for y in (-1, +1):
        for k, (point, _) in enumerate(atoms[y], first_atom[y]):
            for j, cell in enumerate(cells[-y], first[-y]):
                if all(x - hi < reach and lo - x < reach for x, (lo, hi) in zip(point, cell, strict=True)):
                    edges.append((k, j, None) if y < 0 else (j, k, None))
    for k, (a, _) in enumerate(atoms[-1], first_atom[-1]):
        for j, (b, _) in enumerate(atoms[+1], first_atom[+1]):
            if all(abs(x - z) <= reach for x, z in zip(a, b, strict=True)):
                edges.append((k, j, None))
    return edges


def _conflict_edges(
    index: dict[int, dict[tuple[int, ...], int]], first: dict[int, int], joins: list[list[range]], n: int
) -> tuple[int, list[tuple[int, int, None]]]:
    """Infinite edges from class -1 to class +1, one axis at a time through middle nodes.

    A node at place (j_1, .., j_k, i_{k+1}, .., i_d) has moved along its first k axes; this keeps the number of edges a
    sum over the axes, not a product. Middle nodes that cannot reach a cell of class +1 are left out.
    """
    dim = len(joins)
    goals = [{place[: a + 1] for place in index[+1]} for a in range(dim)]
    nodes = {place: first[-1] + k for place, k in index[-1].items()}
    edges: list[tuple[int, int, None]] = []
    for a in range(dim):
        following: dict[tuple[int, ...], int] = {}
        for place, node in nodes.items():
            for j in joins[a][place[a]]:
                goal = (*place[:a], j, *place[a + 1 :])
                if goal[: a + 1] not in goals[a]:
                    continue
                if goal not in following:
                    if a == dim - 1:
                        following[goal] = first[+1] + index[+1][goal]
                    else:
                        following[goal] = n
                        n += 1
                edges.append((node, following[goal], None))
        nodes = following
    return n, edges


def _axis_cells(zones: list[StepDensity], axis: int, reach: Number, seeds: list[Number]) -> list[Interval]:
    """The cells of the orbit grid on one axis, where mass that can conflict projects to; ``seeds``: further lines."""
    spans = [_projection(zone, axis) for zone in zones]
    shadow = spans[0] | spans[1]
    pieces = [(lo, hi) for ((lo, hi),) in shadow.cells()]
    inside = [x for x in seeds if any(lo < x < hi for lo, hi in pieces)]
    lines = list(sorted_unique([x for zone in zones for x in _faces(zone, axis)] + inside))
    queue = [*lines, *seeds] if reach > 0 else []
    while queue:
        x = queue.pop()
        for y in (x - reach, x + reach):
            if len(lines) > MAX_LINES:
                raise ValueError(f"{_radius(reach)} is too small: over {MAX_LINES:,} grid lines on axis {axis}")
            k = bisect_left(lines, y)
            if not (k < len(lines) and lines[k] == y) and any(lo < y < hi for lo, hi in pieces):
                lines.insert(k, y)
                queue.append(y)
    cells = []
    for lo, hi in pieces:
        cells += list(pairwise(lines[bisect_left(lines, lo) : bisect_left(lines, hi) + 1]))
    return cells


def _projection(zone: StepDensity, axis: int) -> Boxes:
    others = tuple(a for a in range(zone.dim) if a != axis)
    support = zone.support
    return Boxes.on_grid((support.edges[axis],), np.asarray(support.mask.any(axis=others)))


def _faces(zone: StepDensity, axis: int) -> list[Number]:
    """The coordinates on one axis where the density changes."""
    moved = np.moveaxis(zone.index, axis, 0)
    changes = (moved[1:] != moved[:-1]).reshape(len(zone.edges[axis]), -1).any(axis=1)
    return [x for x, change in zip(zone.edges[axis], changes, strict=True) if change]


def _cell_values(zone: StepDensity, grid: list[list[Interval]]) -> dict[tuple[int, ...], Number]:
    """The positive density values by grid place; a cell lies within one cell of the density, told by its low corner."""
    positive = [value > 0 for value in zone.values]
    axes = zip(zone.edges, grid, strict=True)
    slabs = [[sum(1 for x in edges if x <= lo) for lo, _ in cells] for edges, cells in axes]
    table = zone.index[np.ix_(*slabs)]
    return {
        place: zone.values[table[place]]
        for place in product(*(range(len(cells)) for cells in grid))
        if positive[table[place]]
    }


def _joined(cells: list[Interval], reach: Number) -> list[range]:
    """For each cell of an axis the range of cells at a gap below ``reach``: two monotone pointers."""
    ranges, start, stop = [], 0, 0
    for a, b in cells:
        while not a - cells[start][1] < reach:
            start += 1
        stop = max(stop, start)
        while stop < len(cells) and cells[stop][0] - b < reach:
            stop += 1
        ranges.append(range(start, stop))
    return ranges


def _essential_axes(law: BoxDistribution, *, reduce: bool) -> tuple[tuple[int, ...], dict[int, StepDensity]]:
    """The axes that matter, and the densities on them: an axis with one factor common to both classes drops out."""
    axes = list(range(law.dim))
    densities = {y: law.densities[y] for y in (-1, +1)}
    for axis in reversed(range(law.dim)):
        if reduce and len(axes) > 1 and _common_factor(densities[-1], densities[+1], axis):
            densities = {y: density.marginal(axis) for y, density in densities.items()}
            axes.remove(axis)
    return tuple(axes), densities


def _common_factor(a: StepDensity, b: StepDensity, axis: int) -> bool:
    """Whether both densities are one function of this axis's coordinate times something that does not depend on it."""
    _, values, places = common_values((a, b))
    slabs = np.moveaxis(places, axis, 0).reshape(places.shape[axis], -1)
    nonzero = [any(value) for value in values]
    rows = [row for row in dict.fromkeys(map(tuple, slabs.tolist())) if any(nonzero[k] for k in row)]
    base = rows[0]
    where, entry = next((k, int(values[p][1] != 0)) for k, p in enumerate(base) if nonzero[p])
    scale = values[base[where]][entry]
    return all(
        u * scale == v * values[row[where]][entry]
        for row in rows[1:]
        for p, q in set(zip(row, base, strict=True))
        for u, v in zip(values[p], values[q], strict=True)
    )


def _radius(reach: Number) -> str:
    return f"eps just right of {reach.log.at}" if isinstance(reach, Germ) else f"eps {reach / 2}"

"""The least robust risk over all classifiers for a two-class box law under l-infinity, as a minimum cut.

A classifier that is robustly right at a point x of class -1 and at x' of class +1 must keep their closed balls apart,
so x and x' conflict exactly when they are at most 2 eps apart (the domain is convex: the midpoint lies in it). The
least robust risk is therefore the least mass to give up so that no conflict is left: a minimum vertex cover of a
bipartite conflict relation on a continuum, which ``theory.optimal.orbits`` makes finite.

**All minimisers.** In the lattice of minimum cuts the smallest source side keeps the least of class -1, the largest
keeps the least of class +1. What these keep is kept by every minimiser (complementary slackness: a minimiser gives up
only saturated mass, and just one end of every pair that the flow couples), hence the label on its eps-neighbourhood is
forced. The cuts in between are not *all* minimisers: where tied cells are joined by the translation alone, a part of
the one may be kept with the complementary part of the other, and the grid only knows parts that its lines cut out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.boxes import Boxes, Number, Side
from theory.classifiers import RegionClassifier
from theory.enclosure import Enclosure
from theory.flow import Flow, max_flow, residual_order
from theory.germ import Germ
from theory.optimal.orbits import Atom, Atoms, Cell, OrbitGrid, cube, orbit_grid
from theory.risks import robust_risk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from theory.ball import Ball
    from theory.distributions import BoxDistribution


@dataclass(frozen=True, slots=True)
class Minimiser:
    """What one minimum cut determines: the part of each class kept robustly right, and the labels that this forces."""

    kept: Mapping[int, Boxes]
    forced: Mapping[int, Boxes]
    lost_atoms: Mapping[int, tuple[Atom, ...]]

    @property
    def classifier(self) -> RegionClassifier:
        """One classifier that attains the optimum: -1 where that is forced, +1 elsewhere."""
        return RegionClassifier.binary(~self.forced[-1])


@dataclass(frozen=True, slots=True)
class BoxOptimum:
    """The least robust risk of a box law, with everything that proves it and everything that attains it.

    ``forced[y]`` is where *every* minimiser predicts y; on ``free`` minimisers differ or may do as they like.
    ``classifier`` is one minimiser. ``verified`` says that its robust risk, computed by the event algebra, equals the
    flow's value (which the flow has already compared with its cuts), and that it is right around the atoms it keeps.
    """

    value: Any
    classifier: RegionClassifier
    forced: Mapping[int, Boxes]
    free: Boxes
    verified: bool
    network: Network


def optimal_box_risk(law: BoxDistribution, ball: Ball, atoms: Atoms | None = None) -> BoxOptimum:
    """inf over all measurable f of R_rob(f), exactly, for a law on boxes with labels -1 and +1 under l-infinity.

    ``atoms`` = {y: [(point, mass)]} mixes point masses in: the law on boxes then has the rest of the mass. Runs on
    germs too, so that ``theory.curves.curve`` gives the optimum as a function of eps. Raises ``ValueError`` for other
    labels, another norm, a domain that is not one box, atoms of mass above 1, or a network above 20,000 cells.

    >>> from theory import Ball, BoxDistribution
    >>> halves = BoxDistribution.of_masses(
    ...     {-1: [([("0", "1/2"), ("0", "1")], "9/20")], +1: [([("1/2", "1"), ("0", "1")], "11/20")]}, [("0", "1")] * 2)
    >>> best = optimal_box_risk(halves, Ball("1/10"))
    >>> best.value.fraction, best.verified, best.free.is_empty
    (Fraction(9, 50), True, True)
    """
    network = conflict_network(law, ball, atoms)
    value = network.flow.value
    value = value if isinstance(value, Germ) else Enclosure.exact(value)
    best = network.least(-1)
    classifier, forced = best.classifier, {-1: best.forced[-1], +1: network.least(+1).forced[+1]}
    lost = sum((mass for y in (-1, +1) for _, mass in best.lost_atoms[y]), Fraction(0))
    kept = [(y, atom) for y in (-1, +1) for atom in network.graph.atoms[y] if atom not in best.lost_atoms[y]]
    robust = ball.radius == 0 or all(Boxes([cube(at, ball.radius)]) <= classifier.regions[y] for y, (at, _) in kept)
    verified = robust and bool(robust_risk(classifier, law, ball) * network.graph.continuous + lost == value)
    return BoxOptimum(value, classifier, forced, law.domain - forced[-1] - forced[+1], verified, network)


@dataclass(frozen=True, slots=True)
class Network:
    """A conflict graph with its maximum flow, whose minimum cuts are the minimisers."""

    law: BoxDistribution
    ball: Ball
    graph: OrbitGrid
    flow: Flow

    def minimiser(self, side: frozenset[int]) -> Minimiser:
        """The kept parts and forced labels of the minimum cut with this source side."""
        graph, domain, radius = self.graph, self.law.domain, self.ball.radius
        kept: dict[int, Boxes] = {}
        forced: dict[int, Boxes] = {}
        lost_atoms: dict[int, tuple[Atom, ...]] = {}
        for y in (-1, +1):
            lost = [c for k, c in enumerate(graph.cells[y], graph.first[y]) if (k in side) == (y > 0)]
            kept[y] = self.law.densities[y].support - self._lift(lost)
            forced[y] = self.ball.reach(kept[y], domain)
            numbered = list(enumerate(graph.atoms[y], graph.first_atom[y]))
            lost_atoms[y] = tuple(atom for k, atom in numbered if (k in side) == (y > 0))
            cubes = [cube(point, radius) for k, (point, _) in numbered if (k in side) == (y < 0)]
            forced[y] = forced[y] | Boxes(cubes if radius > 0 else [], self.law.dim)
        return Minimiser(kept, forced, lost_atoms)

    def minimisers(self, limit: int = 10_000) -> Iterator[Minimiser]:
        """One entry a minimum cut, least of class -1 kept first. Raises ``ValueError`` beyond ``limit`` of them."""
        parts = {head for tail, head, _ in self.graph.edges if tail == 0}
        parts |= {tail for tail, head, _ in self.graph.edges if head == 1}
        return (self.minimiser(side) for side in residual_order(self.flow).minimum_cuts(limit, parts))

    def least(self, label: int) -> Minimiser:
        """The minimiser that keeps the least of one class."""
        return self.minimiser(self.flow.source_side_min if label < 0 else self.flow.source_side_max)

    @property
    def is_tied(self) -> bool:
        """Whether there are several minimum cuts."""
        return self.flow.source_side_min != self.flow.source_side_max

    def _lift(self, cells: list[Cell]) -> Boxes:
        """Cells of the axes that did not drop out, as cylinders in the whole space."""
        boxes: list[list[Side]] = [[(None, None)] * self.law.dim for _ in cells]
        for box, cell in zip(boxes, cells, strict=True):
            for axis, side in zip(self.graph.axes, cell, strict=True):
                box[axis] = side
        return Boxes(boxes, self.law.dim)


def conflict_network(
    law: BoxDistribution, ball: Ball, atoms: Atoms | None = None, *, lines: Sequence[Sequence[Number]] = ()
) -> Network:
    """The orbit-grid network of a law and its maximum flow; ``lines`` as for ``orbit_grid``.

    Raises as ``optimal_box_risk``.
    """
    graph = orbit_grid(law, ball, atoms, lines=lines)
    return Network(law, ball, graph, max_flow(graph.n, graph.edges, 0, 1))

"""The engine against brute force that shares nothing with it but Fraction.

Pixels: every face and every radius is a whole number of pixels, so inside a pixel nothing changes, and the adversary
at a pixel reaches just the pixels at most ``radius`` away on each axis. Laws, classifiers and domains are arrays of
integers; the four risks are loops over offsets.

Spaces of points: every sum over points, labels and attacks written out.

A problem is a plain description (integers in lists), from which the oracle paints its arrays and the engine builds its
boxes.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import (
    Ball,
    BoxDistribution,
    Boxes,
    FiniteDistribution,
    FiniteSpace,
    Points,
    RegionClassifier,
    bayes_rule,
    boundary_risk,
    robust_risk,
    sensible_risk,
    standard_risk,
)

NOWHERE = 9  # the "label" of a pixel in no region
SIZE = {1: 12, 2: 7, 3: 4}  # pixels along the unit cube
REACH = {1: 7, 2: 4, 3: 2}  # the largest radius in pixels


@dataclass(frozen=True)
class Pixels:
    """Integer boxes: ``cells`` (box, {label: weight}), ``patches`` (box, label) painted over each other in order."""

    dim: int
    labels: tuple[int, ...]
    cells: list
    patches: list
    reference: list
    kept: list | None  # boxes the law is restricted to
    domain: tuple | None
    radius: int
    leave_domain: bool
    tie: int

    @property
    def n(self):
        return SIZE[self.dim]

    # ---- arrays: one pixel of the cube plus as many around it as the adversary reaches ----

    def blank(self, value=0):
        return np.full((self.n + 2 * self.radius,) * self.dim, value)

    def paint(self, array, box, value):
        array[tuple(slice(max(lo + self.radius, 0), max(hi + self.radius, 0)) for lo, hi in box)] = value

    def painted(self, patches, base):
        array = self.blank(base)
        for box, label in patches:
            self.paint(array, box, label)
        return array

    def weights(self):
        """The restricted weight of each label, and that of the true law."""
        true = {label: self.blank() for label in self.labels}
        for box, weight in self.cells:
            for label, w in weight.items():
                self.paint(true[label], box, w)
        if self.kept is None:
            return true, true
        inside = self.painted([(box, 1) for box in self.kept], 0)
        return {label: w * inside for label, w in true.items()}, true

    def bayes(self):
        _, true = self.weights()
        rule = self.blank(self.tie)
        for index in np.ndindex(rule.shape):
            best = max(true[label][index] for label in self.labels)
            winners = [label for label in self.labels if true[label][index] == best]
            rule[index] = self.tie if self.tie in winners else winners[0]
        return rule

    def reached(self, bad):
        """Pixels with a bad pixel at most ``radius`` away along every axis, by trying every offset."""
        found = np.zeros_like(bad)
        size = bad.shape[0]
        for offset in itertools.product(range(-self.radius, self.radius + 1), repeat=self.dim):
            here = tuple(slice(max(0, -k), min(size, size - k)) for k in offset)
            there = tuple(slice(max(0, k), min(size, size + k)) for k in offset)
            found[here] |= bad[there]
        return found

    def risks(self, reference):
        weights, _ = self.weights()
        guess = self.painted(self.patches, self.labels[0])
        allowed = self.blank(True).astype(bool)
        if self.domain is not None and not self.leave_domain:
            allowed = self.painted([(self.domain, 1)], 0).astype(bool)
        total = sum(int(w.sum()) for w in weights.values())
        sums = dict.fromkeys(("standard", "robust", "boundary", "sensible", "whole"), 0)
        for label in self.labels:
            wrong, doubt = guess != label, reference != label
            attacked = self.reached(wrong & allowed)
            steered = self.reached(wrong & ~doubt & allowed)
            events = {
                "standard": wrong,
                "robust": attacked,
                "boundary": attacked & ~wrong,
                "sensible": np.where(doubt, wrong, steered),
                "whole": np.where(doubt, wrong, attacked),
            }
            for name, event in events.items():
                sums[name] += int((weights[label] * event).sum())
        return {name: Fraction(value, total) for name, value in sums.items()}

    # ---- the same problem for the engine ----

    def scaled(self, box):
        return [(Fraction(lo, self.n), Fraction(hi, self.n)) for lo, hi in box]

    def law(self):
        total = sum(sum(w.values()) * math.prod(hi - lo for lo, hi in box) for box, w in self.cells)
        masses = {
            label: [
                (self.scaled(box), Fraction(w[label] * math.prod(hi - lo for lo, hi in box), total))
                for box, w in self.cells
            ]
            for label in self.labels
        }
        law = BoxDistribution.of_masses(masses, None if self.domain is None else self.scaled(self.domain))
        return law if self.kept is None else law.restrict(Boxes([self.scaled(box) for box in self.kept], self.dim))

    def regions(self, patches, base):
        regions = {label: Boxes.nothing(self.dim) for label in self.labels}
        regions[base] = Boxes.everything(self.dim)
        for box, label in patches:
            patch = Boxes([self.scaled(box)])
            regions = {y: region - patch for y, region in regions.items()}
            if label != NOWHERE:
                regions[label] = regions[label] | patch
        return RegionClassifier(regions)

    def ball(self):
        return Ball(Fraction(self.radius, self.n), leave_domain=self.leave_domain)


@st.composite
def pixel_boxes(draw, n, dim, over=0):
    """A box of pixels; ``over`` lets it stick out of the cube by so many."""
    sides = []
    for _ in range(dim):
        lo = draw(st.integers(-over, n + over - 1))
        sides.append((lo, draw(st.integers(lo + 1, n + over))))
    return tuple(sides)


@st.composite
def split_cells(draw, n, dim):
    """The cube cut in two again and again: disjoint boxes of uneven sizes, with faces that meet in T-shapes."""
    boxes = [((0, n),) * dim]
    for _ in range(draw(st.integers(0, 6))):
        k, axis = draw(st.integers(0, len(boxes) - 1)), draw(st.integers(0, dim - 1))
        lo, hi = boxes[k][axis]
        if hi - lo > 1:
            cut = draw(st.integers(lo + 1, hi - 1))
            box = boxes.pop(k)
            boxes += [(*box[:axis], part, *box[axis + 1 :]) for part in ((lo, cut), (cut, hi))]
    return boxes


@st.composite
def pixel_problems(draw, dim, labels=(-1, +1)):
    n = SIZE[dim]
    cells = [(box, {label: draw(st.integers(0, 3)) for label in labels}) for box in draw(split_cells(n, dim))]
    heavy = draw(st.integers(0, len(cells) - 1))
    if not any(cells[heavy][1].values()):
        cells[heavy][1][draw(st.sampled_from(labels))] = 1
    patch = st.tuples(pixel_boxes(n, dim, over=2), st.sampled_from([*labels, NOWHERE]))
    kept = [cells[heavy][0], draw(pixel_boxes(n, dim))] if draw(st.booleans()) else None
    domain = draw(st.sampled_from([None, ((0, n),) * dim, ((-1, n + 1),) * dim]))
    return Pixels(
        dim=dim,
        labels=labels,
        cells=cells,
        patches=draw(st.lists(patch, min_size=1, max_size=4)),
        reference=draw(st.lists(patch, max_size=2)),
        kept=kept,
        domain=domain,
        radius=draw(st.integers(0, REACH[dim])),
        leave_domain=draw(st.booleans()),
        tie=draw(st.sampled_from(labels)),
    )


def agree(problem):
    law, ball = problem.law(), problem.ball()
    f = problem.regions(problem.patches, problem.labels[0])
    own = problem.regions(problem.reference, problem.labels[-1])
    rule = bayes_rule(law, ties=problem.tie)
    by_bayes = problem.risks(problem.bayes())
    by_own = problem.risks(problem.painted(problem.reference, problem.labels[-1]))
    assert standard_risk(f, law) == by_bayes["standard"]
    assert robust_risk(f, law, ball) == by_bayes["robust"]
    assert boundary_risk(f, law, ball) == by_bayes["boundary"]
    assert sensible_risk(f, law, ball, rule) == by_bayes["sensible"]
    assert sensible_risk(f, law, ball, own) == by_own["sensible"]
    assert sensible_risk(f, law, ball, own, threshold="1/3") == by_own["whole"]
    return by_own


@pytest.mark.parametrize("dim", [1, 2, 3])
@settings(max_examples=50)
@given(data=st.data())
def test_the_four_risks_equal_those_counted_on_pixels(dim, data):
    agree(data.draw(pixel_problems(dim)))


@settings(max_examples=25)
@given(pixel_problems(2, labels=(0, 1, 2)))
def test_the_four_risks_of_three_classes_equal_those_counted_on_pixels(problem):
    agree(problem)


def test_a_pixel_problem_counted_by_hand():
    """Twelve pixels; -1 on the left half, +1 on the right; the classifier errs on pixels 4 and 5; radius 1."""
    halves = [(((0, 6),), {-1: 1, +1: 0}), (((6, 12),), {-1: 0, +1: 1})]
    problem = Pixels(1, (-1, +1), halves, [(((4, 12),), +1)], [(((0, 6),), -1)], None, ((0, 12),), 1, False, -1)
    assert agree(problem) == {
        "standard": Fraction(2, 12),  # pixels 4, 5
        "robust": Fraction(3, 12),  # and 3, a neighbour of 4; every +1 pixel is at least 2 from a wrong one
        "boundary": Fraction(1, 12),
        "sensible": Fraction(3, 12),  # the reference is right everywhere, so pixel 3 may be moved to 4
        "whole": Fraction(3, 12),
    }


# ---- finite spaces --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Graph:
    """n points, their distances (or coordinates and a norm), a weight for each label, a guess and a reference each."""

    coordinates: list | None
    distances: list | None
    ord: float
    labels: tuple[int, ...]
    weights: list
    guess: list
    reference: list
    radius: Fraction

    def near(self, i, j):
        if self.distances is not None:
            return self.distances[i][j] <= self.radius
        gaps = [abs(a - b) for a, b in zip(self.coordinates[i], self.coordinates[j], strict=True)]
        if self.ord == 1:
            return sum(gaps) <= self.radius
        if self.ord == 2:
            return sum(gap**2 for gap in gaps) <= self.radius**2
        return max(gaps) <= self.radius

    def risks(self):
        n = len(self.weights)
        total = sum(map(sum, self.weights))
        sums = dict.fromkeys(("standard", "robust", "boundary", "sensible"), Fraction(0))
        for i in range(n):
            for label, weight in zip(self.labels, self.weights[i], strict=True):
                mass = Fraction(weight, total)
                wrong = self.guess[i] != label
                attacked = any(self.guess[j] != label for j in range(n) if self.near(i, j))
                steered = any(
                    self.guess[j] != label and self.reference[j] == label for j in range(n) if self.near(i, j)
                )
                sums["standard"] += mass * wrong
                sums["robust"] += mass * attacked
                sums["boundary"] += mass * (attacked and not wrong)
                sums["sensible"] += mass * (steered if self.reference[i] == label else wrong)
        return sums

    def agree(self):
        space = (
            FiniteSpace.of_points(self.coordinates) if self.coordinates else FiniteSpace.of_distances(self.distances)
        )
        total = sum(map(sum, self.weights))
        masses = {y: [Fraction(row[k], total) for row in self.weights] for k, y in enumerate(self.labels)}
        law, ball = FiniteDistribution.on(space, masses), Ball(self.radius, self.ord)
        f, own = (
            RegionClassifier({y: Points(space, [i for i, its in enumerate(row) if its == y]) for y in self.labels})
            for row in (self.guess, self.reference)
        )
        assert {
            "standard": standard_risk(f, law).fraction,
            "robust": robust_risk(f, law, ball).fraction,
            "boundary": boundary_risk(f, law, ball).fraction,
            "sensible": sensible_risk(f, law, ball, own).fraction,
        } == self.risks()


@st.composite
def graphs(draw):
    n = draw(st.integers(1, 6))
    labels = draw(st.sampled_from([(-1, +1), (0, 1, 2)]))
    weights = [[draw(st.integers(0, 3)) for _ in labels] for _ in range(n)]
    weights[0][0] += 1
    some = st.lists(st.sampled_from([*labels, NOWHERE]), min_size=n, max_size=n)
    coordinates = distances = None
    if draw(st.booleans()):
        places = draw(st.permutations(list(itertools.product(range(3), repeat=2))))[:n]
        coordinates = [(Fraction(a, 2), Fraction(b, 2)) for a, b in places]
    else:
        # two kinds of distance, s and t with s <= t <= 2s, always satisfy the triangle inequality
        short = draw(st.integers(1, 4))
        pair = {p: short + draw(st.integers(0, short)) for p in itertools.combinations(range(n), 2)}
        distances = [[pair.get((min(i, j), max(i, j)), 0) for j in range(n)] for i in range(n)]
    return Graph(
        coordinates,
        distances,
        draw(st.sampled_from([1, 2, math.inf])),
        labels,
        weights,
        draw(some),
        draw(some),
        Fraction(draw(st.integers(0, 4)), 2) if coordinates else Fraction(draw(st.integers(0, 8))),
    )


@settings(max_examples=80)
@given(graphs())
def test_the_four_risks_on_a_finite_space_equal_those_summed_point_by_point(graph):
    graph.agree()


def test_the_euclidean_ball_tells_a_diagonal_from_a_side():
    """(0,0), (1,0), (1,1) with label -1 on the first and an error only on the last, at distance sqrt(2)."""
    corners = [(Fraction(0), Fraction(0)), (Fraction(1), Fraction(0)), (Fraction(1), Fraction(1))]
    for radius, hit in ((Fraction(7, 5), 0), (Fraction(71, 50), 1)):
        graph = Graph(corners, None, 2, (-1, +1), [[1, 0], [0, 0], [0, 0]], [-1, -1, +1], [-1, -1, -1], radius)
        graph.agree()
        assert graph.risks()["robust"] == hit

"""Cases for the claims of SENSE: a finite law, a reference, a classifier, a ball and a threshold.

Points of mass 0 are what a restricted law does not show.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

from theory.ball import Ball
from theory.classifiers import RegionClassifier
from theory.distributions import FiniteDistribution
from theory.points import FiniteSpace, Points
from theory.risks import sensible_risk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

Labels = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SensibleCase:
    """A binary finite law, the labels of the reference and of a classifier point by point, a ball and a threshold c."""

    law: FiniteDistribution
    reference: Labels
    labels: Labels
    ball: Ball
    threshold: Fraction = Fraction(1)


def sensible_cases(*, ties: bool = True, thresholds: tuple[str, ...] = ("1",)) -> SearchStrategy[SensibleCase]:
    """Laws on up to 4 points; the reference is a Bayes rule on the support and anything elsewhere.

    Without ``ties`` no point of the support has both labels equally likely.
    """
    from hypothesis import strategies as st

    from theory.strategies import balls, finite_laws

    @st.composite
    def draw_case(draw: st.DrawFn) -> SensibleCase:
        law = draw(finite_laws(max_points=4))
        while not ties and any(a == b > 0 for a, b in zip(law.masses[-1], law.masses[+1], strict=True)):
            law = _untied(law)
        row = st.lists(st.sampled_from((-1, +1)), min_size=4, max_size=4)
        free, labels = draw(row), draw(row)
        pairs = zip(law.masses[-1], law.masses[+1], free, strict=False)
        reference = tuple(y if a == b else 1 if b > a else -1 for a, b, y in pairs)
        ball = draw(balls(max_radius=2, denominators=(1, 2)))
        n = len(law.space)
        return SensibleCase(law, reference, tuple(labels[:n]), ball, Fraction(draw(st.sampled_from(thresholds))))

    return draw_case()


def _untied(law: FiniteDistribution) -> FiniteDistribution:
    """The law with all of a tied point's mass of label -1 halved, and the rest scaled to 1."""
    pairs = list(zip(law.masses[-1], law.masses[+1], strict=True))
    minus = [a / 2 if a == b else a for a, b in pairs]
    total = sum(minus) + sum(law.masses[+1])
    return FiniteDistribution.on(law.space, {-1: [a / total for a in minus], +1: [b / total for _, b in pairs]})


def rule(space: FiniteSpace, labels: Labels) -> RegionClassifier:
    """The classifier with these labels at the points."""
    return RegionClassifier({y: Points(space, (i for i, its in enumerate(labels) if its == y)) for y in (-1, +1)})


def risk_of(case: SensibleCase, labels: Labels) -> Fraction:
    """The sensible risk of the classifier with these labels, in the setting of the case."""
    space = case.law.space
    f, reference = rule(space, labels), rule(space, case.reference)
    found: Fraction = sensible_risk(f, case.law, case.ball, reference, case.threshold).fraction
    return found


def all_labels(case: SensibleCase) -> Iterator[Labels]:
    """All classifiers on the points of the case."""
    return product((-1, +1), repeat=len(case.law.space))


def near_points(case: SensibleCase) -> list[list[int]]:
    """For each point the points of its ball."""
    space, ball = case.law.space, case.ball
    n = len(space)
    return [[j for j in range(n) if space.within(i, j, ball.radius, ball.ord)] for i in range(n)]


def mass_at(case: SensibleCase, i: int) -> Fraction:
    """P(X = the point i)."""
    return Fraction(case.law.masses[-1][i] + case.law.masses[+1][i])


def few(budget: int) -> int:
    """The random cases to try beside a proof, of a budget: a twentieth, but a dozen if there are so many."""
    return budget // min(20, max(1, budget // 12))


def distance(space: FiniteSpace, i: int, j: int, ord: float) -> Fraction:
    """The distance of two points of a space, given or in ord inf."""
    if space.distances is not None:
        return Fraction(space.distances[i][j])
    if ord != float("inf") or space.coordinates is None:
        raise ValueError(f"distances of points are taken in ord inf here, not {ord}")
    gaps = zip(space.coordinates[i], space.coordinates[j], strict=True)
    return max(abs(Fraction(a) - Fraction(b)) for a, b in gaps)

"""Scores by their level sets: real-valued classifiers whose surrogate risks are finite sums, or between two of them.

``levels`` = ((value, event), ...), ascending, the events a partition of the domain. A value is a Fraction, or an
`Enclosure` where the score varies over the event or is irrational; such a level lies on one side of 0, which it may
touch in a null set. The sign of the score is the classifier; score 0 errs for both labels in the paper's convention
(errors are f(X)Y <= 0), and is +1 in the sign convention (errors are sign f(X) != Y, sign 0 = +1). The two differ on
{f = 0} only, and theorems hold in one or the other.

Three natural scores of a classifier or a law: `Score.indicator`, `signed_distance` and `logit`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from operator import or_
from typing import Any

import numpy as np

from theory.ball import Ball
from theory.boxes import Boxes
from theory.classifiers import RegionClassifier
from theory.density import common_values
from theory.distributions import BoxDistribution, FiniteDistribution
from theory.elementary import plain
from theory.enclosure import Enclosure
from theory.numbers import Exact, as_fraction
from theory.points import FiniteSpace, Points

CONVENTIONS = ("paper", "sign")
Value = Fraction | Enclosure


@dataclass(frozen=True, slots=True, init=False)
class Score:
    """f: domain -> R, with the value of each level on its event; equal numbers are one level.

    Raises ``ValueError`` without levels and for an enclosure that holds 0 inside.

    >>> f = Score([(-1, Boxes([((None, "1/2"),)])), (1, Boxes([(("1/2", None),)]))])
    >>> f.classifier().regions[+1]
    Boxes([(1/2, inf)], dim=1)
    """

    levels: tuple[tuple[Value, Any], ...]

    def __init__(self, levels: Sequence[tuple[Exact | Enclosure, Any]]) -> None:
        made: list[tuple[Value, Any]] = []
        for value, event in sorted(((_value(v), event) for v, event in levels), key=lambda level: _ends(level[0])):
            if made and isinstance(value, Fraction) and isinstance(made[-1][0], Fraction) and value == made[-1][0]:
                made[-1] = (value, made[-1][1] | event)
            else:
                made.append((value, event))
        if not made:
            raise ValueError("a score needs at least one level")
        object.__setattr__(self, "levels", tuple(made))

    @classmethod
    def of_values(cls, space: FiniteSpace, values: Sequence[Exact]) -> Score:
        """The score with one value a point of a finite space."""
        if len(values) != len(space):
            raise ValueError(f"{len(values)} scores were given for {len(space)} points")
        places: dict[Fraction, set[int]] = {}
        for i, value in enumerate(values):
            places.setdefault(as_fraction(value, "score"), set()).add(i)
        return cls([(value, Points(space, members)) for value, members in places.items()])

    @classmethod
    def indicator(cls, classifier: RegionClassifier) -> Score:
        """The signed indicator of a binary classifier: its label, and 0 where it has none."""
        if set(classifier.regions) != {-1, 1}:
            raise ValueError(f"labels {sorted(classifier.regions)} have no sign; a score needs -1 and +1")
        undecided = ~(classifier.regions[-1] | classifier.regions[+1])
        levels: list[tuple[Exact, Any]] = [(y, classifier.regions[y]) for y in (-1, +1)]
        return cls(levels if _empty(undecided) else [*levels, (0, undecided)])

    def where(self, sign: int) -> Any:
        """The event that the score has this sign, -1, 0 or +1."""
        events = [event for value, event in self.levels if sign_of(value) == sign]
        return reduce(or_, events) if events else self.levels[0][1] - self.levels[0][1]

    def classifier(self, convention: str = "paper") -> RegionClassifier:
        """The sign of the score as regions. Raises ``ValueError`` for an unknown convention."""
        if convention not in CONVENTIONS:
            raise ValueError(f"convention {convention!r} is unknown; allowed are {', '.join(CONVENTIONS)}")
        positive = self.where(+1)
        if convention == "sign":
            positive = positive | self.where(0)
        return RegionClassifier({-1: self.where(-1), +1: positive})

    def boundary(self, ball: Ball, law: Any, convention: str = "paper") -> Any:
        """B(DB(f), eps) = {x : f(x) f(x') <= 0 for some x' in the ball} (TRADES, section 2.1).

        In the sign convention: {x : sign f(x') != sign f(x) for some x'}. Never "near {f = 0}": a score that jumps over
        0 has a boundary there too.
        """
        regions = self.classifier(convention).regions
        far = {y: ball.reach(law.event(~regions[y]), law.domain) for y in (-1, +1)}
        undecided = ~(law.event(regions[-1]) | law.event(regions[+1]))
        return (law.event(regions[+1]) & far[+1]) | (law.event(regions[-1]) & far[-1]) | undecided


def sign_of(value: Value) -> int:
    """The sign of a level: that of its number, or the side of 0 on which its enclosure lies."""
    if isinstance(value, Fraction):
        return (value > 0) - (value < 0)
    return 1 if value.lo >= 0 else -1


def _value(value: Exact | Enclosure) -> Value:
    if not isinstance(value, Enclosure):
        return as_fraction(value, "score")
    if value.lo < 0 < value.hi:
        raise ValueError(f"score {value} has no sign; split its level at 0")
    exact: Value = plain(value)
    return exact


def _ends(value: Value) -> tuple[Any, Any]:
    return (value, value) if isinstance(value, Fraction) else (value.lo, value.hi)


def _empty(event: Any) -> bool:
    return bool(getattr(event, "is_empty", False))


def score_of(f: Score | RegionClassifier | Mapping[int, Any]) -> Score:
    """A score as it is; a classifier as its signed indicator."""
    if isinstance(f, Score):
        return f
    if isinstance(f, RegionClassifier):
        return Score.indicator(f)
    raise TypeError(f"{type(f).__name__} is no score; allowed are Score and RegionClassifier")


# ---- natural scores ----


def signed_distance(f: RegionClassifier, dist: Any, ball: Ball, *, cap: Exact = 1, levels: int = 32) -> Score:
    """The distance to where f says otherwise, with the sign of f, and at most ``cap`` in size.

    Distances are those of the ball's norm, within the domain; where f never says otherwise they are infinite, so the
    cap is reached. On boxes the score is enclosed between ``levels`` values on either side, on finite spaces exact
    (square roots enclosed). Raises ``ValueError`` for a cap that is not positive, no level, other labels than -1 and
    +1, and for boxes under a round ball in two dimensions and more.

    >>> law = BoxDistribution.of_masses({-1: [([(0, "1/2")], "1/2")], +1: [([("1/2", 1)], "1/2")]}, [(0, 1)])
    >>> f = RegionClassifier.binary(Boxes([(("1/2", None),)]))
    >>> [str(value) for value, _ in signed_distance(f, law, Ball(0), cap="1/2", levels=2).levels]
    ['[-1/2, -1/4]', '[-1/4, 0]', '[0, 1/4]', '[1/4, 1/2]']
    """
    top = as_fraction(cap, "cap")
    if top <= 0 or levels < 1:
        raise ValueError(f"cap {cap} and levels {levels} must be positive")
    if set(f.regions) != {-1, 1}:
        raise ValueError(f"labels {sorted(f.regions)} have no sign; a score needs -1 and +1")
    if isinstance(dist, FiniteDistribution):
        return _point_distances(f, dist, ball, top)
    domain, step = dist.everything if ball.leave_domain else dist.domain, top / levels
    made: list[tuple[Any, Any]] = []
    for y in (-1, +1):
        mine = dist.event(f.regions[y]) & domain
        other = domain - mine
        inside = mine & ~mine
        for k in range(1, levels + 1):
            reach = Ball(k * step, ball.ord, leave_domain=ball.leave_domain).reach(other, domain)
            if not isinstance(reach, Boxes):
                raise ValueError(f"the signed distance under ord {ball.ord} is no union of boxes; allowed is ord inf")
            event = (mine & reach) - inside
            if not event.is_empty:
                ends = sorted((y * (k - 1) * step, y * k * step))
                made.append((Enclosure(ends[0], ends[1], "signed distance by levels"), event))
            inside = reach
        if not (rest := mine - inside).is_empty:
            made.append((y * top, rest))
    undecided = domain - (dist.event(f.regions[-1]) | dist.event(f.regions[+1]))
    return Score(made if undecided.is_empty else [*made, (0, undecided)])


def _point_distances(f: RegionClassifier, dist: FiniteDistribution, ball: Ball, top: Fraction) -> Score:
    space = dist.space
    power = 2 if ball.ord == 2 and space.distances is None else 1  # Euclidean distances are compared squared
    places = {y: dist.event(f.regions[y]).members for y in (-1, +1)}
    levels: dict[tuple[int, Fraction], list[int]] = {}
    for i in range(len(space)):
        label = next((y for y in (-1, +1) if i in places[y]), 0)
        others = (_length(space, i, j, ball.ord) for j in range(len(space)) if label and j not in places[label])
        nearest = min(others, default=top**power) if label else Fraction(0)
        levels.setdefault((label, min(nearest, top**power)), []).append(i)
    return Score([(y * _root(length, power), Points(space, where)) for (y, length), where in levels.items()])


def _length(space: FiniteSpace, i: int, j: int, ord: float) -> Fraction:
    """The distance of two points, squared if Euclidean."""
    if space.distances is not None:
        return Fraction(space.distances[i][j])
    assert space.coordinates is not None
    gaps = [abs(a - b) for a, b in zip(space.coordinates[i], space.coordinates[j], strict=True)]
    return Fraction(max(gaps) if ord == np.inf else sum(gap if ord == 1 else gap * gap for gap in gaps))


def _root(length: Fraction, power: int) -> Value:
    from theory.special import sqrt

    root: Value = plain(sqrt(length)) if power == 2 else length
    return root


def logit(dist: Any) -> Score:
    """log(eta / (1 - eta)) with eta = Pr[Y = +1 | X]: the score whose sign is the Bayes rule; 0 off the support.

    Raises ``ValueError`` where eta is 0 or 1 on the support, since the logit is infinite there.

    >>> law = FiniteDistribution.of_points([(0,), (1,)], {-1: ["1/8", "1/4"], +1: ["3/8", "1/4"]})
    >>> [f"{Enclosure.exact(v) if isinstance(v, Fraction) else v:.5f}" for v, _ in logit(law).levels]
    ['0.00000', '[1.09861, 1.09862]']
    """
    from theory.special import log

    levels: dict[Fraction, list[Any]] = {}
    for eta, event in eta_levels(dist):
        if eta in (0, 1):
            raise ValueError(f"the logit is infinite where eta = {eta}; where labels are certain take another score")
        levels.setdefault(Fraction(1) if eta is None else eta / (1 - eta), []).append(event)
    return Score([(log(odds) if odds != 1 else 0, reduce(or_, events)) for odds, events in levels.items()])


def eta_levels(dist: Any) -> list[tuple[Fraction | None, Any]]:
    """The events {eta(X) = value} by value, ascending; with value None, at the end, where there is no mass at all.

    For finite and box laws with the labels -1 and +1; raises ``ValueError`` for other labels, ``TypeError`` for other
    laws.
    """
    if not isinstance(dist, FiniteDistribution | BoxDistribution):
        raise TypeError(f"{type(dist).__name__} has no finite law of eta; allowed are finite and box laws")
    if dist.labels != (-1, 1):
        raise ValueError(f"labels {list(dist.labels)} are not -1 and +1, which margin losses need")
    if isinstance(dist, FiniteDistribution):
        places: dict[Fraction | None, list[int]] = {}
        for i, pair in enumerate(zip(dist.masses[-1], dist.masses[+1], strict=True)):
            places.setdefault(_eta(*pair), []).append(i)
        found: list[tuple[Fraction | None, Any]] = [(eta, Points(dist.space, where)) for eta, where in places.items()]
    else:
        edges, values, index = common_values([dist.densities[-1], dist.densities[+1]])
        etas = [_eta(*pair) for pair in values]
        found = [
            (eta, Boxes.on_grid(edges, np.isin(index, [k for k, other in enumerate(etas) if other == eta])))
            for eta in dict.fromkeys(etas)
        ]
    return sorted(found, key=lambda level: (level[0] is None, level[0]))


def _eta(minus: Fraction, plus: Fraction) -> Fraction | None:
    total = minus + plus
    return plus / total if total > 0 else None


"""Scores with finitely many values: real-valued classifiers whose surrogate risks are finite sums.

A score is its level sets: ``levels`` = ((value, event), ...), ascending, the events a partition of the domain. Its sign
is the classifier; score 0 errs for both labels in the paper's convention (errors are f(X)Y <= 0), and is +1 in the sign
convention (errors are sign f(X) != Y, sign 0 = +1). The two differ on {f = 0} only, and theorems hold in one or the
other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from operator import or_
from typing import Any

from theory.ball import Ball
from theory.classifiers import RegionClassifier
from theory.numbers import Exact, as_fraction
from theory.points import FiniteSpace, Points

CONVENTIONS = ("paper", "sign")


@dataclass(frozen=True, slots=True, init=False)
class Score:
    """f: domain -> R with f = value on each event. Raises ``ValueError`` without levels or for a value given twice.

    >>> from theory import Boxes
    >>> f = Score([(-1, Boxes([((None, "1/2"),)])), (1, Boxes([(("1/2", None),)]))])
    >>> f.classifier().regions[+1]
    Boxes([(1/2, inf)], dim=1)
    """

    levels: tuple[tuple[Fraction, Any], ...]

    def __init__(self, levels: Sequence[tuple[Exact, Any]]) -> None:
        made = sorted(((as_fraction(v, "score"), event) for v, event in levels), key=lambda level: level[0])
        if not made:
            raise ValueError("a score needs at least one level")
        for (v, _), (w, _) in pairwise(made):
            if v == w:
                raise ValueError(f"score {v} has two events; join them")
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

    def where(self, condition: Any) -> Any:
        """The event {condition(f)}, or None if no value meets it."""
        events = [event for value, event in self.levels if condition(value)]
        return reduce(or_, events) if events else None

    def classifier(self, convention: str = "paper") -> RegionClassifier:
        """The sign of the score as regions. Raises ``ValueError`` for an unknown convention."""
        if convention not in CONVENTIONS:
            raise ValueError(f"convention {convention!r} is unknown; allowed are {', '.join(CONVENTIONS)}")
        nothing = self.levels[0][1] & ~self.levels[0][1]
        positive = self.where((lambda v: v >= 0) if convention == "sign" else (lambda v: v > 0))
        negative = self.where(lambda v: v < 0)
        regions = {-1: nothing if negative is None else negative, +1: nothing if positive is None else positive}
        return RegionClassifier(regions)

    def boundary(self, ball: Ball, law: Any, convention: str = "paper") -> Any:
        """B(DB(f), eps) = {x : f(x) f(x') <= 0 for some x' in the ball} (TRADES, section 2.1).

        In the sign convention: {x : sign f(x') != sign f(x) for some x'}. Never "near {f = 0}": a score that jumps over
        0 has a boundary there too.
        """
        regions = self.classifier(convention).regions
        far = {y: ball.reach(law.event(~regions[y]), law.domain) for y in (-1, +1)}
        undecided = ~(law.event(regions[-1]) | law.event(regions[+1]))
        return (law.event(regions[+1]) & far[+1]) | (law.event(regions[-1]) & far[-1]) | undecided


def _empty(event: Any) -> bool:
    return bool(getattr(event, "is_empty", False))


def score_of(f: Score | RegionClassifier | Mapping[int, Any]) -> Score:
    """A score as it is; a classifier as its signed indicator."""
    if isinstance(f, Score):
        return f
    if isinstance(f, RegionClassifier):
        return Score.indicator(f)
    raise TypeError(f"{type(f).__name__} is no score; allowed are Score and RegionClassifier")

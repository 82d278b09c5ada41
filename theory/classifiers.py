"""Classifiers as decision regions.

All that a risk needs to know of a classifier is, for each label y, the event ``wrong(y)`` on which it errs when the
truth is y. A label-valued classifier covers its domain with one region a label; a real-valued score leaves {score = 0}
in no region, so that score 0 errs for every label (TRADES, section 2.2: an error is f(X)Y <= 0).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.boxes import Boxes
from theory.law import Event


@dataclass(frozen=True, slots=True)
class RegionClassifier:
    """The classifier that predicts y on ``regions[y]``; regions are disjoint, what none covers errs for every label.

    >>> right = Boxes([(("1/2", None),)])
    >>> f = RegionClassifier.binary(right)
    >>> f.wrong(+1) == f.regions[-1] == ~right
    True
    """

    regions: Mapping[int, Any]

    @classmethod
    def binary(cls, positive: Event, negative: Event | None = None) -> RegionClassifier:
        """+1 on ``positive`` and -1 on ``negative``, by default everywhere else."""
        return cls({-1: ~positive if negative is None else negative, +1: positive})

    def wrong(self, label: int) -> Any:
        """Where the classifier errs if the truth is ``label``."""
        if label not in self.regions:
            raise ValueError(f"label {label} is unknown to this classifier; it knows {sorted(self.regions)}")
        return ~self.regions[label]

    def predict(self, points: np.ndarray) -> np.ndarray:
        """Labels (n,) for points (n, d) of floats, 0 where no region covers a point; for simulation and drawing."""
        labels = np.zeros(len(points), dtype=int)
        for label, region in self.regions.items():
            labels[contains(region, points)] = label
        return labels


def contains(region: Any, points: np.ndarray) -> np.ndarray:
    """Which of the float points (n, d) lie in a region, (n,) booleans; grid lines are null sets."""
    if isinstance(region, Boxes):
        axes = zip(region.edges, points.T, strict=True)
        cells = [np.searchsorted(np.array([float(x) for x in edges]), x, side="right") for edges, x in axes]
        return np.asarray(region.mask[tuple(cells)])
    return np.array([region.contains(point) for point in points], dtype=bool)


def constant(label: int, law: Any) -> RegionClassifier:
    """The classifier that always predicts ``label``."""
    if label not in law.labels:
        raise ValueError(f"label {label} does not occur in the law; its labels are {list(law.labels)}")
    return RegionClassifier({y: law.everything if y == label else law.nothing for y in law.labels})


def bayes_rule(law: Any, *, ties: int | None = None) -> RegionClassifier:
    """argmax_y P(Y = y | X = x): the rule of least standard risk; for a restricted law that of the law it restricts.

    Where labels tie (off the support too) the rule is not determined, and a reference classifier's choice there matters
    to a sensible adversary: ``ties`` names the label to predict there. Where only other labels tie for the maximum
    (which takes three labels) the first of those is predicted, so that the rule stays one of least standard risk.

    Without ``ties`` the rule is defined on the domain alone: an adversary that leaves it finds errors everywhere.

    Raises ``ValueError`` if some part of the domain is tied and ``ties`` is None, ``TypeError`` for a law that does not
    know where which label is most likely.

    >>> from theory import BoxDistribution
    >>> law = BoxDistribution.of_masses({-1: [([("0", "1/2")], "1/2")], +1: [([("1/2", "1")], "1/2")]}, [("0", "1")])
    >>> bayes_rule(law).regions[+1]
    Boxes([(1/2, 1)], dim=1)
    """
    if getattr(law, "restricts", None) is not None:
        return bayes_rule(law.restricts, ties=ties)
    best, tied = _most_likely(law)(ties)
    if not tied.is_empty and ties is None:
        raise ValueError(
            f"labels tie on {tied!r}, so the Bayes rule is not unique there; "
            f"say which label to predict with ties=, one of {list(law.labels)}"
        )
    if ties is not None:
        if ties not in law.labels:
            raise ValueError(f"ties={ties} is not a label of the law; its labels are {list(law.labels)}")
        # outside the domain nothing is known, and the tie label is as good as any
        best[ties] = law.everything
        for label in law.labels:
            if label != ties:
                best[ties] = best[ties] - best[label]
    return RegionClassifier(best)


def tied_region(law: Any) -> Any:
    """Where the Bayes rule is not unique (off the support included)."""
    tied: Any = _most_likely(law)()[1]
    return tied


def bayes_risk(law: Any) -> Any:
    """R*: the least standard risk, 1 - E max_y P(Y = y | X)."""
    best, _ = _most_likely(law)(law.labels[0])
    return 1 - sum(law.mass(region, label) for label, region in best.items())


def _most_likely(law: Any) -> Callable[..., tuple[dict[int, Any], Any]]:
    if not hasattr(law, "most_likely"):
        raise TypeError(
            f"{type(law).__name__} does not know its Bayes rule (it has no most_likely); give the rule itself, as "
            "reference= where a risk asks for one"
        )
    found: Callable[..., tuple[dict[int, Any], Any]] = law.most_likely
    return found

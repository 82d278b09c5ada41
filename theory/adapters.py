"""Linear scores, and fitted scikit-learn trees and linear models, as exact decision regions.

A fitted tree becomes the very function that scikit-learn evaluates, its cast to float32 included. A fitted linear model
becomes the half-space of its coefficients, which scikit-learn evaluates with rounding errors: within a box the strip
around the boundary where the two may differ can be asked for, and then every risk encloses that of what is evaluated.

>>> import numpy as np
>>> from sklearn.tree import DecisionTreeClassifier
>>> tree = DecisionTreeClassifier().fit(np.array([[0.1], [0.2]]), [-1, 1])
>>> f = from_tree(tree)
>>> f.regions[+1], f.regions[+1].edges[0][0] < Fraction(tree.tree_.threshold[0])
(Boxes([(20132659/134217728, inf)], dim=1), True)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from theory.between import Between
from theory.boxes import Boxes
from theory.classifiers import RegionClassifier
from theory.halfspace import HalfSpace
from theory.numbers import as_fraction

UNIT_ROUNDOFF = Fraction(1, 2**53)
SMALLEST = Fraction(1, 2**1074)  # the least positive float64


def linear_score(weights: Iterable[Any], offset: Any = 0, *, exact_float: bool = False) -> RegionClassifier:
    """The score w.x + b, for which a score of 0 is an error whatever the label (TRADES, section 2.2: f(X)Y <= 0).

    ``RegionClassifier.binary(HalfSpace(w, b))`` is the label-valued classifier instead, which says -1 at score 0; on
    laws with a density the two have the same risks.

    >>> f = linear_score([1, 1], -1)
    >>> [f.wrong(y).contains(("1/2", "1/2")) for y in (-1, +1)]
    [True, True]
    """
    positive = HalfSpace(weights, offset, exact_float=exact_float)
    return RegionClassifier({-1: HalfSpace([-w for w in positive.weights], -positive.offset), +1: positive})


def from_tree(estimator: Any, *, labels: Mapping[Any, int] | None = None) -> RegionClassifier:
    """The function that a fitted ``DecisionTreeClassifier`` or ``ExtraTreeClassifier`` evaluates, region by region.

    scikit-learn rounds x to float32 (ties to even) before it asks x <= threshold, so the cut for a real x lies half-way
    between the last float32 number that passes and the next one. Up to null sets, like all boxes.

    ``labels`` renames classes; two classes have to become -1 and +1, more may stay the integers they are. Several
    classes may share a label.

    Raises ``TypeError`` for anything but a fitted tree classifier, ``ValueError`` for several outputs and for classes
    without a label.
    """
    if not hasattr(estimator, "tree_") or not hasattr(estimator, "classes_"):
        raise TypeError(f"{_name(estimator)} is no fitted decision tree classifier; fit a DecisionTreeClassifier first")
    if getattr(estimator, "n_outputs_", 1) != 1:
        raise ValueError(f"a tree with {estimator.n_outputs_} outputs is no classifier of one label; fit one tree each")
    names = _labels(estimator.classes_.tolist(), labels)
    tree, dim = estimator.tree_, int(estimator.n_features_in_)
    boxes: dict[int, list[Any]] = {label: [] for label in names}
    stack: list[tuple[int, tuple[Any, ...]]] = [(0, ((None, None),) * dim)]
    while stack:
        node, box = stack.pop()
        if tree.children_left[node] == tree.children_right[node]:
            boxes[names[int(np.argmax(tree.value[node, 0]))]].append(box)
            continue
        axis, cut = int(tree.feature[node]), float32_cut(float(tree.threshold[node]))
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if cut is None:
            stack.append((left, box))
            continue
        lo, hi = box[axis]
        below, above = (lo, cut if hi is None else min(hi, cut)), (cut if lo is None else max(lo, cut), hi)
        for child, side in ((left, below), (right, above)):
            if None in side or side[0] < side[1]:  # two thresholds between neighbouring float32 numbers make one cut
                stack.append((child, (*box[:axis], side, *box[axis + 1 :])))
    return RegionClassifier({label: Boxes(found, dim) for label, found in boxes.items()})


def float32_cut(threshold: float) -> Fraction | None:
    """The number c such that a real x below c rounds to a float32 <= threshold and one above c does not.

    None if every real number does (scikit-learn splits off missing values with an infinite threshold).

    >>> float32_cut(0.5) - Fraction(1, 2) == Fraction(1, 2**25)
    True
    """
    largest = float(np.finfo(np.float32).max)
    if threshold >= largest:
        return None
    if not threshold >= -largest:
        raise ValueError(f"threshold {threshold} lies outside the range of float32")
    last = np.float32(threshold)
    if float(last) > threshold:
        last = np.nextafter(last, np.float32(-np.inf))
    following = np.nextafter(last, np.float32(np.inf))
    return (Fraction(float(last)) + Fraction(float(following))) / 2


def from_linear(
    estimator: Any, *, labels: Mapping[Any, int] | None = None, rounding_on: Sequence[Sequence[Any]] | None = None
) -> RegionClassifier:
    """The linear rule coef_.x + intercept_ > 0 of a fitted binary linear classifier, its coefficients taken exactly.

    This is the rule the model stands for, not bit by bit the function scikit-learn evaluates: that sums in float64
    and may take the other sign close to the boundary. With ``rounding_on``, a bounded box, the regions are ``Between``
    two half-spaces, and what scikit-learn predicts for a real x of that box, rounded to a float64 array, lies between
    them, whatever the order of summation: with d axes and |x_i| <= X_i on the box, the computed score is off by at most

        g (sum |w_i| X_i + |b|) + 2^-1073 (d + sum |w_i|),   g = (d + 2) u / (1 - (d + 2) u),   u = 2^-53

    (d + 2 roundings a term: of x, of the product, of the sums; Higham, 2002, section 3.1; the rest is underflow).

    Taken are models that inherit their ``predict`` from scikit-learn's linear classifiers: LogisticRegression,
    LinearSVC, Perceptron, SGDClassifier, RidgeClassifier, LinearDiscriminantAnalysis and their like.

    Raises ``TypeError`` for any other estimator or an unfitted one, ``ValueError`` for more than two classes, classes
    that are not -1 and +1 where ``labels`` does not map them, or an unbounded box.

    >>> import numpy as np
    >>> from sklearn.linear_model import RidgeClassifier
    >>> model = RidgeClassifier(alpha=1.0).fit(np.array([[0.0], [1.0]]), [-1, 1])
    >>> from_linear(model).regions[+1].to_boxes()
    Boxes([(1/2, inf)], dim=1)
    """
    if not any(base.__name__ == "LinearClassifierMixin" for base in type(estimator).__mro__):
        raise TypeError(f"{_name(estimator)} is no linear classifier of scikit-learn; give one like LogisticRegression")
    if not hasattr(estimator, "coef_"):
        raise TypeError(f"{_name(estimator)} is not fitted; call its fit first")
    classes = np.asarray(estimator.classes_).tolist()
    coefficients = estimator.coef_.toarray() if hasattr(estimator.coef_, "toarray") else estimator.coef_
    coefficients = np.atleast_2d(np.asarray(coefficients))
    if len(classes) != 2 or coefficients.shape[0] != 1:
        raise ValueError(f"{_name(estimator)} has {len(classes)} classes; a half-space separates exactly two")
    negative, positive = _labels(classes, labels)
    if negative == positive:
        raise ValueError(f"both classes have the label {positive}; two different ones are needed")
    weights = [float(w) for w in coefficients[0]]
    offset = float(np.ravel(estimator.intercept_)[0])
    if not all(map(math.isfinite, (*weights, offset))):
        raise ValueError(f"{_name(estimator)} has coefficients that are not finite numbers")
    region: Any = HalfSpace(weights, offset, exact_float=True)
    if rounding_on is not None:
        error = _rounding_error(weights, offset, rounding_on)
        exact = [Fraction(w) for w in weights]
        inner: Any = HalfSpace(exact, Fraction(offset) - error)
        outer: Any = HalfSpace(exact, Fraction(offset) + error)
        region = Between(inner, outer)
    return RegionClassifier({negative: ~region, positive: region})


def _rounding_error(weights: list[float], offset: float, box: Sequence[Sequence[Any]]) -> Fraction:
    """How far a score computed in float64 at a point of the box can be from the exact one."""
    if len(box) != len(weights) or any(len(side) != 2 or None in side for side in box):
        raise ValueError(f"rounding_on {box!r} is no bounded box of {len(weights)} sides (low, high)")
    sizes = [abs(Fraction(w)) for w in weights]
    reach = [max(abs(as_fraction(end, "side")) for end in side) for side in box]
    roundings = len(weights) + 2
    growth = roundings * UNIT_ROUNDOFF / (1 - roundings * UNIT_ROUNDOFF)
    magnitude = sum((w * x for w, x in zip(sizes, reach, strict=True)), abs(Fraction(offset)))
    return growth * magnitude + 2 * SMALLEST * (len(weights) + sum(sizes))


def _labels(classes: list[Any], labels: Mapping[Any, int] | None) -> list[int]:
    """The label of each class, in the order of the classes."""
    if labels is not None:
        if missing := [c for c in classes if c not in labels]:
            raise ValueError(f"labels= does not map class {missing[0]!r}; the classes are {classes}")
        return [int(labels[c]) for c in classes]
    if all(isinstance(c, int | float) and not isinstance(c, bool) and c == int(c) for c in classes):
        whole = [int(c) for c in classes]
        if len(classes) > 2 or set(whole) <= {-1, 1}:
            return whole
    known = dict(zip(classes, (-1, 1), strict=True)) if len(classes) == 2 else "{class: label}"
    raise ValueError(f"classes {classes} are not the labels -1 and +1; map them, for example with labels={known}")


def _name(estimator: Any) -> str:
    return type(estimator).__name__

"""The sensible risk on the sign-and-Gaussians law, exact for every classifier that reads x only through (x_1, z).

The sensible adversary (SENSE, Definitions 1 and 2) leaves a point alone where the reference errs, and else moves it
only to points where the reference is still right. The reference is the Bayes rule L x_1 + 2 eta sum_i x_i > 0. Given
y = +1 (the other label is the mirror image) and x_1, the errors are

    {z : the classifier errs at (x_1, z)}  or  {z : the reference is right at (x_1, z), and z is within r of Q},
    Q = {z' : for some x_1' within eps of x_1 the reference is right and the classifier errs at (x_1', z')}.

For linear rules Q is the projection of a polygon with two slanted sides, an interval with ends in closed form, so the
risk is a sum of normal probabilities.

>>> from theory.odds.signgaussian import bayes_classifier, mean_classifier, robust_risk, standard_risk
>>> law = SignGaussian("0.95", "0.03", 10_000)
>>> print(f"{sensible_risk(mean_classifier(), law, '0.06'):.9f} {robust_risk(mean_classifier(), law, '0.06'):.9f}")
[0.948785091, 0.948785092] [0.998650101, 0.998650102]
>>> bayes = bayes_classifier(law)
>>> sensible_risk(bayes, law, "0.06").same_as(standard_risk(bayes, law))  # (SENSE, Theorem 1)
True
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations
from typing import Any, cast

from theory.arbs import cdf, enclose, to_arb, working_precision
from theory.enclosure import Enclosure, Undecided, hull
from theory.numbers import Exact
from theory.odds.signgaussian import (
    Classifier,
    LinearClassifier,
    MixedClassifier,
    SignGaussian,
    ThresholdClassifier,
    bayes_classifier,
    logit_arb,
    radius,
    reach_arb,
    robust_risk,
    signal_arb,
    standard_risk,
)

Interval = tuple[Any, Any]
"""An interval of z, its ends arbs or infinite floats; whether the ends belong to it changes no probability."""


def sensible_risk(classifier: Classifier, law: SignGaussian, eps: Exact) -> Enclosure:
    """R_rob^s of (SENSE, Definition 2) with the Bayes rule as reference, under the full adversary of radius eps.

    For a linear classifier whose weak weights differ, only standard risk <= sensible risk <= robust risk is returned.
    """
    eps = radius(eps)
    if eps == 0:
        return standard_risk(classifier, law)
    if isinstance(classifier, MixedClassifier):
        first, second = (sensible_risk(part, law, eps) for part in (classifier.first, classifier.second))
        return second + classifier.weight * (first - second)
    if isinstance(classifier, LinearClassifier):
        if _is_bayes(classifier, law):
            return standard_risk(classifier, law)
        if classifier.reads_feature_one_only and standard_risk(classifier, law) == robust_risk(classifier, law, eps):
            return standard_risk(classifier, law)  # exact, and the sensible risk lies between the two
        if not isinstance(classifier.weak, Fraction | Enclosure):
            bounds = hull(standard_risk(classifier, law), robust_risk(classifier, law, eps))
            return Enclosure(bounds.lo, bounds.hi, (*bounds.how, "standard risk <= sensible risk <= robust risk"))
    labels = (1, -1) if isinstance(classifier, LinearClassifier) else (1,)
    with working_precision():
        total = to_arb(0)
        for label in labels:
            for side, share in ((1, law.reliability), (-1, 1 - law.reliability)):
                total += to_arb(share / len(labels)) * _error(classifier, law, eps, side, label)
        return enclose(total, 0, 1)


def _error(
    classifier: LinearClassifier | ThresholdClassifier, law: SignGaussian, eps: Fraction, side: int, label: int
) -> Any:
    """The probability of the error set given x_1 = side and y = +1, for the label-flipped classifier if label is -1."""
    near = (side - eps, side + eps)
    if isinstance(classifier, ThresholdClassifier):
        plain, targets = _threshold_sets(classifier, law, side, near)
    elif classifier.weak == 0 if isinstance(classifier.weak, Fraction) else False:
        plain, targets = _feature_one_sets(classifier, law, side, near, label)
    else:
        plain, targets = _linear_sets(classifier, law, side, near, label)
    reach, trusted = reach_arb(law, eps), _reference(law, Fraction(side))
    attacked = [(trusted.max(lo - reach), hi if hi == math.inf else hi + reach) for lo, hi in targets]
    return _mass([*plain, *attacked], signal_arb(law))


def _linear_sets(
    classifier: LinearClassifier, law: SignGaussian, side: int, near: tuple[Fraction, Fraction], label: int
) -> tuple[list[Interval], list[Interval]]:
    a, b = to_arb(classifier.strong), to_arb(cast("Fraction", classifier.weak)) * to_arb(law.d).sqrt()
    c = label * to_arb(classifier.bias)

    def border(x: Any) -> Any:  # where a x + b z + c = 0
        return -(a * x + c) / b

    left, right = map(to_arb, near)
    tilt = _reference(law, Fraction(-1)) - a / b  # slope in x_1 of the gap between the classifier's border and Bayes'
    if _sign(b) < 0:
        # Errors lie above both borders; the lowest such z is at an end or where the borders cross.
        places = [left, right]
        if not tilt.is_zero():
            if _sign(tilt) == 0:
                raise Undecided("the classifier is too nearly minus the Bayes rule to tell their borders apart")
            places.append((c / (b * tilt)).max(left).min(right))
        lowest = [border(x).max(_reference(law, x)) for x in places]
        low = lowest[0]
        for value in lowest[1:]:
            low = low.min(value)
        return [(border(to_arb(side)), math.inf)], [(low, math.inf)]
    plain = [(-math.inf, border(to_arb(side)))]
    if _sign(tilt) == 0 and not tilt.is_zero():
        raise Undecided("the classifier is too nearly the Bayes rule to tell their borders apart")
    ends = None
    if _sign(tilt) >= 0 and _has_target(classifier, law, near[1], label, tilt * right - c / b):
        ends = (left if tilt.is_zero() else (c / (b * tilt)).max(left), right)
    elif _sign(tilt) < 0 and _has_target(classifier, law, near[0], label, tilt * left - c / b):
        ends = (left, (c / (b * tilt)).min(right))
    if ends is None:
        return plain, []
    bottom = _reference(law, ends[0]).min(_reference(law, ends[1]))
    return plain, [(bottom, border(ends[0]).max(border(ends[1])))]


def _has_target(classifier: LinearClassifier, law: SignGaussian, x: Fraction, label: int, gap: Any) -> bool:
    """Whether the classifier's border lies above the reference's at that x_1, for a positive weak weight.

    The risk jumps where the borders meet exactly, so this is decided exactly. With rational weights they can meet only
    if L x_1 = 0: otherwise L x_1 / 2 eta is transcendental (Lindemann), and ball arithmetic tells.
    """
    a, w, c = classifier.strong, classifier.weak, classifier.bias
    rational = isinstance(a, Fraction) and isinstance(w, Fraction) and isinstance(c, Fraction)
    if rational and (x == 0 or law.reliability == Fraction(1, 2)):
        return bool(cast("Any", a) * x + label * cast("Any", c) < 0)
    return _positive(gap)


def _feature_one_sets(
    classifier: LinearClassifier, law: SignGaussian, side: int, near: tuple[Fraction, Fraction], label: int
) -> tuple[list[Interval], list[Interval]]:
    """The sets of a classifier without weak weights: it errs for all z, or for none."""
    a, c = cast("Any", classifier.strong), cast("Any", label * classifier.bias)
    tie_is_right = classifier.sign_of_zero == label

    def errs(score: Any) -> bool:
        return bool(score < 0 or (score == 0 and not tie_is_right))

    plain = [(-math.inf, math.inf)] if errs(a * side + c) else []
    left, right = near
    if not errs(min(a * left, a * right) + c):
        return plain, []
    # Where the classifier errs, the reference accepts the lowest z at the largest x_1, since L >= 0.
    farthest = to_arb(right)
    if a > 0:
        farthest = farthest.min(-to_arb(c) / to_arb(a))
    return plain, [(_reference(law, farthest), math.inf)]


def _threshold_sets(
    classifier: ThresholdClassifier, law: SignGaussian, side: int, near: tuple[Fraction, Fraction]
) -> tuple[list[Interval], list[Interval]]:
    t = to_arb(classifier.threshold)
    left, right = near
    targets = []
    if right > 0 and _positive(t - _reference(law, right)):
        targets.append((_reference(law, right), t))
    if left < 0 and _positive(-t - _reference(law, min(right, Fraction(0)))):
        targets.append((_reference(law, min(right, Fraction(0))), -t))
    return [(-math.inf, side * t)], targets


def _reference(law: SignGaussian, x: Any) -> Any:
    """The z above which the Bayes rule says +1 at that x_1: -L x_1 / 2s."""
    x = to_arb(x) if isinstance(x, Fraction) else x
    return -logit_arb(law) * x / (2 * signal_arb(law))


def _mass(intervals: list[Interval], mean: Any) -> Any:
    """P(z in the union) for z ~ N(mean, 1), by inclusion and exclusion; crossed ends are the empty set."""
    total = to_arb(0)
    for size in range(1, len(intervals) + 1):
        for chosen in combinations(intervals, size):
            lo, hi = chosen[0]
            for other_lo, other_hi in chosen[1:]:
                lo = other_lo if lo == -math.inf else lo if other_lo == -math.inf else lo.max(other_lo)
                hi = other_hi if hi == math.inf else hi if other_hi == math.inf else hi.min(other_hi)
            above = to_arb(0) if lo == -math.inf else cdf(lo - mean)
            below = to_arb(1) if hi == math.inf else cdf(hi - mean)
            total -= (-1) ** size * (below - above).max(to_arb(0))
    return total


def _is_bayes(classifier: LinearClassifier, law: SignGaussian) -> bool:
    """Whether the classifier is the one that `bayes_classifier` makes, up to nothing but its tie rule."""
    bayes = bayes_classifier(law)
    if not isinstance(classifier.weak, Fraction) or classifier.weak != bayes.weak or classifier.bias != 0:
        return False
    if isinstance(bayes.strong, Enclosure):
        return bayes.strong.same_as(classifier.strong)
    return not isinstance(classifier.strong, Enclosure) and classifier.strong == bayes.strong


def _sign(x: Any) -> int:
    return 1 if x > 0 else -1 if x < 0 else 0


def _positive(x: Any) -> bool:
    if x > 0:
        return True
    if x <= 0:
        return False
    raise Undecided(f"cannot tell the sign of {x}, on which it depends whether the adversary has any target")

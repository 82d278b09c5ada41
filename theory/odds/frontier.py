"""The exact frontier of standard and robust accuracy on the sign-and-Gaussians law, over **all** classifiers.

Write p for the reliability, L = log(p/(1-p)), s = eta sqrt(d), r = eps sqrt(d), u = s - r, and F(t) for the pair

    standard accuracy  p Phi(s - t) + (1-p) Phi(s + t)
    robust accuracy    p Phi(u - t) + (1-p) Phi(u + t)

of the threshold rule sign(z - t sign(x_1)) when eps < 1; t = -infinity is sign(x_1), with F = (p, p).

**Theorem.** For eps < 1 and the full l-infinity adversary, the pairs (standard, robust accuracy) of all measurable
classifiers, deterministic or randomised, lie below the concave hull of {F(t) : -infinity <= t <= infinity}, and every
point of that hull is attained by a threshold rule or a coin tossed between two.

*Proof.* (1) Weaken the adversary to common shifts x_i -> x_i + c, |c| <= eps, of the weak features. They move z by at
most r and leave x_1 and the residual of (x_2, ...) given z alone; the residual is independent of (y, x_1, z). So both
accuracies are averages, over the residual and over x_1, of those of functions phi(z) = P(predict +1), with

    p (E_s phi, E_s min phi) + (1-p) (E_{-s} (1 - phi), E_{-s} (1 - max phi))        for x_1 = +1

(E_m: z ~ N(m, 1); min and max over the window [z - r, z + r]) and its mirror image for x_1 = -1. (2) phi is the average
over tau in (0, 1) of the indicators of its level sets A = {phi > tau}, and so are its window minima and maxima: both
accuracies are averages of those of sets A. (3) Let H be the half-line (t, infinity) with the same N(-s, 1) mass as A.
Then N(s, 1) gives H at least the mass of A (Neyman and Pearson: the likelihood ratio increases in z). Dilated by r, H
has at most the N(-s, 1) mass of A dilated (Gaussian isoperimetry: Borell; Sudakov and Tsirelson). Eroded by r, H has at
least the N(s, 1) mass of A eroded (isoperimetry for the complement, and H is the larger under N(s, 1)). So H beats A in
all four terms. (4) On half-lines the weakened adversary is as strong as the full one, since eps < 1 leaves sign(x_1)
alone and z moves by at most r. QED. For eps = 2 eta this contains (ODDS, Theorem 2.1).

**Shape.** dF_2/dF_1 = exp((s^2 - u^2)/2) sinh(ut + L/2) / sinh(st + L/2). From the Bayes point t = -L/2s, which
nobody's standard accuracy exceeds, the frontier follows F(t) as t falls, with a slope that rises from -infinity:

* eps < eta: down to t = -L/2u, where the slope is 0 and the robust accuracy the best there is;
* eta <= eps <= 2 eta: down to t = -infinity, the point (p, p). The slope rises all the way because x coth x increases;
  it ends at 0, or at -p/(1-p) when eps = 2 eta: the line of Theorem 2.1 is the tangent of the frontier at (p, p);
* eps > 2 eta: down to the one t at which the tangent passes through (p, p), and then along that tangent: a coin tossed
  between that rule and sign(x_1). The logarithmic derivative of the slope in t changes sign once, since
  sinh(|u|x)/|u| >= sinh(sx)/s for |u| >= s. (For p = 1/2 the tangent starts at the Bayes point itself.)

`theory.odds.frontier_lp` encloses the same numbers by linear programming, without any of this.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

from theory.arbs import cdf, enclose, to_arb, to_float, working_precision
from theory.enclosure import Enclosure, Undecided, hull
from theory.numbers import Exact, as_fraction
from theory.odds.signgaussian import (
    Classifier,
    MixedClassifier,
    SignGaussian,
    ThresholdClassifier,
    bayes_classifier,
    constant_classifier,
    logit_arb,
    mean_classifier,
    radius,
    reach_arb,
    robust_accuracy,
    sign_classifier,
    signal_arb,
    standard_accuracy,
)

if TYPE_CHECKING:
    from theory.odds.signgaussian import LinearClassifier


@dataclass(frozen=True, slots=True)
class FrontierPoint:
    """A pair of accuracies that no classifier beats in both, and a classifier that attains it."""

    standard_accuracy: Enclosure
    robust_accuracy: Enclosure
    classifier: Classifier

    @property
    def delta(self) -> Enclosure:
        """1 - standard accuracy, the delta of (ODDS, Theorem 2.1)."""
        return 1 - self.standard_accuracy


@dataclass(frozen=True, slots=True)
class Frontier:
    """Points from the Bayes rule (first) to the most robust classifier (last).

    ``tangent`` is the threshold where the straight part begins, None when there is none (eps <= 2 eta); it then ends at
    sign(x_1).
    """

    law: SignGaussian
    eps: Fraction
    points: tuple[FrontierPoint, ...]
    tangent: Enclosure | None


# ---- the best robust accuracy ----


def robust_optimum(law: SignGaussian, eps: Exact) -> Classifier:
    """A classifier whose robust accuracy no classifier exceeds (see `best_robust_accuracy`)."""
    eps = radius(eps)
    if eps >= 1:
        return mean_classifier() if eps < law.eta else constant_classifier(1)
    if eps >= law.eta:
        return sign_classifier()
    return ThresholdClassifier(_robust_threshold(law, eps))


def best_robust_accuracy(law: SignGaussian, eps: Exact) -> Enclosure:
    """The largest robust accuracy of any classifier, deterministic or randomised, for any eps >= 0. With u as above:

        eps < 1:   p when eps >= eta, else p Phi(u + L/2u) + (1-p) Phi(u - L/2u);
        eps >= 1:  1/2 when eps >= eta, else Phi(u).

    *Proof.* Fix the adversary that moves x_i by -y min(eps, eta) for i >= 2 and, if eps >= 1, sets x_1 = 0. What it
    produces is a law of the same kind with eta - min(eps, eta) for eta (and without feature 1). A classifier's robust
    accuracy is at most its accuracy on that law, so at most the accuracy of that law's Bayes rule: the values above.
    `robust_optimum` attains them against every adversary: for eps < 1 it rounds x_1 to its sign, which cannot be
    changed, and z moves by at most r; for eps >= 1 it does not look at x_1. QED.

    So p is a ceiling from eps = eta on, not only from 2 eta, and at eps = 1 the closed ball already costs feature 1.

    >>> law = SignGaussian("0.95", "0.4", 100)
    >>> for eps in ("0.2", "0.3", "0.4", 1): print(f"{best_robust_accuracy(law, eps):.10f}")
    [0.9918901758, 0.9918901759]
    [0.9595410935, 0.9595410936]
    0.9500000000
    0.5000000000
    """
    eps = radius(eps)
    return robust_accuracy(robust_optimum(law, eps), law, eps)


# ---- the frontier ----


def frontier(law: SignGaussian, eps: Exact, n: int = 101) -> Frontier:
    """n points of the frontier against the full adversary of radius eps < 1, from the Bayes rule to the robust optimum.

    The thresholds are evenly spaced where they are bounded, else evenly in standard accuracy. They are chosen in
    floating point, and the accuracies of the chosen ones enclosed. Where one classifier is best in both, there is one
    point. Raises ``ValueError`` for eps >= 1 or n < 2.

    >>> for point in frontier(SignGaussian("0.95", "0.03", 10_000), "0.06", n=3).points:
    ...     print(f"{point.standard_accuracy:.6f} {point.robust_accuracy:.6f}")
    [0.999468, 0.999469] [0.005758, 0.005759]
    [0.974734, 0.974735] [0.480046, 0.480047]
    0.950000 0.950000
    """
    eps = _below_one(eps)
    if n < 2:
        raise ValueError(f"n {n} points are no curve; allowed are 2, 3, ...")
    first, tangent = bayes_threshold(law), tangent_threshold(law, eps)
    thresholds: list[Fraction | Enclosure]
    if eps == 0 or (law.reliability == Fraction(1, 2) and eps <= law.eta):
        return Frontier(law, eps, (_threshold_point(law, eps, first),), None)
    if eps < law.eta:
        last = _robust_threshold(law, eps)
        thresholds = [first, *_evenly(first, last, n - 2), last]
        return Frontier(law, eps, tuple(_threshold_point(law, eps, t) for t in thresholds), None)
    end = _sign_point(law)
    if tangent is None:
        thresholds = [first, *evenly_in_accuracy(law, first, n - 2)]
        return Frontier(law, eps, (*(_threshold_point(law, eps, t) for t in thresholds), end), None)
    # For p = 1/2 the tangent leaves from the Bayes point; else curve and tangent get points by their extent.
    curved = 1
    if law.reliability > Fraction(1, 2) and n > 2:
        top, touch = (to_float(_threshold_point(law, eps, t).standard_accuracy) for t in (first, tangent))
        curved = 2 + round((n - 3) * (top - touch) / (top - float(law.reliability)))
    thresholds = [first] if curved == 1 else [first, *_evenly(first, tangent, curved - 2), tangent]
    points = [_threshold_point(law, eps, t) for t in thresholds]
    straight = n - curved if law.reliability == Fraction(1, 2) or curved > 1 else 1
    points += [_mixed_point(points[-1], end, Fraction(k, straight)) for k in range(straight - 1, 0, -1)]
    return Frontier(law, eps, (*points, end), tangent)


def frontier_at(law: SignGaussian, eps: Exact, delta: Exact) -> FrontierPoint:
    """The best robust accuracy of any classifier of standard accuracy at least 1 - delta, and one that has it; eps < 1.

    Raises ``ValueError`` when no classifier is that accurate, or for eps >= 1 or delta > 1.

    >>> law = SignGaussian("0.95", "0.03", 10_000)
    >>> print(f"{frontier_at(law, '0.06', '0.01').robust_accuracy:.10f}")
    [0.1899977580, 0.1899977581]
    >>> print(f"{frontier_at(law, '0.09', '0.01').robust_accuracy:.10f}")
    [0.1818381207, 0.1818381208]
    """
    eps, delta = _below_one(eps), as_fraction(delta, "delta")
    best = standard_accuracy(bayes_classifier(law), law)
    if delta > 1 or 1 - delta > best:
        raise ValueError(
            f"delta {delta} asks for a standard accuracy of {_decimal(1 - delta)}; allowed is any up to "
            f"the Bayes accuracy {best:.12f}, which no classifier exceeds, and from 0"
        )
    # The parts of the frontier meet where their standard accuracies do; too near to tell, both answers are enclosed.
    found: list[FrontierPoint] = []
    last = _point(law, eps, robust_optimum(law, eps))
    if last.standard_accuracy.hi >= 1 - delta:
        found.append(last)
    tangent = tangent_threshold(law, eps)
    if tangent is not None and not (found and last.standard_accuracy.lo >= 1 - delta):
        touch, end = _threshold_point(law, eps, tangent), _sign_point(law)
        if touch.standard_accuracy.hi >= 1 - delta:
            coin = (1 - delta - law.reliability) / (touch.standard_accuracy - law.reliability)
            found.append(_mixed_point(touch, end, coin.intersect(Enclosure(0, 1))))
        last = touch
    if not (found and last.standard_accuracy.lo >= 1 - delta):
        found.append(_threshold_point(law, eps, _threshold_of(law, delta)))
    return FrontierPoint(found[0].standard_accuracy, hull(*(q.robust_accuracy for q in found)), found[0].classifier)


# ---- the thresholds with a name ----


def bayes_threshold(law: SignGaussian) -> Enclosure:
    """-L/2s: the threshold of the Bayes rule."""
    with working_precision():
        return enclose(-logit_arb(law) / (2 * signal_arb(law)))


def tangent_threshold(law: SignGaussian, eps: Exact) -> Enclosure | None:
    """For eps > 2 eta, the threshold t at which the tangent of the frontier passes through (p, p); else None.

    With tau = -t, the tangent at F(t) meets {standard accuracy = p} at p + T, where T falls from +infinity at the Bayes
    point until the curve stops being concave, and rises to 0 from below after: it has one zero, which is bracketed.
    """
    eps = _below_one(eps)
    if eps <= 2 * law.eta:
        return None
    if law.reliability == Fraction(1, 2):
        return Enclosure.exact(0)
    with working_precision():
        s, half, p = signal_arb(law), logit_arb(law) / 2, to_arb(law.reliability)
        u = s - reach_arb(law, eps)

        def excess(t: Fraction) -> Any:
            x = to_arb(t)
            standard = (1 - p) * cdf(s + x) - p * cdf(x - s)  # minus p, without cancellation
            robust = (1 - p) * cdf(u + x) - p * cdf(x - u)
            # T times -sinh(st + L/2) > 0, which keeps it finite at the Bayes point
            slope = ((s * s - u * u) / 2).exp() * (u * x + half).sinh()
            return standard * slope - robust * (s * x + half).sinh()

        # At large eps the zero is very near the Bayes point. Just above it too the expression is positive, as long as
        # the standard accuracy exceeds p: both of its terms are.
        top, step = Fraction(bayes_threshold(law).hi), Fraction(1, 2**20)
        while not (1 - p) * cdf(s + to_arb(top + step)) > p * cdf(to_arb(top + step) - s) or top + step >= 0:
            step /= 2
        return _falling_root(excess, top + step)


# ---- machinery ----


def _below_one(eps: Exact) -> Fraction:
    value = radius(eps)
    if value >= 1:
        raise ValueError(
            f"eps {value} is 1 or more, where the adversary overturns x_1 and no closed form is known; allowed is "
            "eps < 1 (theory.odds.frontier_lp encloses the frontier for any eps)"
        )
    return value


def _robust_threshold(law: SignGaussian, eps: Fraction) -> Enclosure:
    """-L/2u for eps < eta."""
    with working_precision():
        return enclose(-logit_arb(law) / (2 * (signal_arb(law) - reach_arb(law, eps))))


def _threshold_of(law: SignGaussian, delta: Fraction) -> Enclosure:
    """The threshold below the Bayes rule's with standard accuracy 1 - delta."""
    with working_precision():
        s, p = signal_arb(law), to_arb(law.reliability)

        def excess(t: Fraction) -> Any:
            x = to_arb(t)
            return p * cdf(x - s) + (1 - p) * cdf(-s - x) - to_arb(delta)

        return _falling_root(excess, Fraction(bayes_threshold(law).lo))


def _point(law: SignGaussian, eps: Fraction, classifier: Classifier) -> FrontierPoint:
    return FrontierPoint(standard_accuracy(classifier, law), robust_accuracy(classifier, law, eps), classifier)


def _threshold_point(law: SignGaussian, eps: Fraction, threshold: Fraction | Enclosure) -> FrontierPoint:
    return _point(law, eps, ThresholdClassifier(threshold))


def _sign_point(law: SignGaussian) -> FrontierPoint:
    p = Enclosure.exact(law.reliability)
    return FrontierPoint(p, p, sign_classifier())


def _mixed_point(first: FrontierPoint, second: FrontierPoint, coin: Fraction | Enclosure) -> FrontierPoint:
    """The coin that plays the first with that probability."""
    standard = second.standard_accuracy + coin * (first.standard_accuracy - second.standard_accuracy)
    robust = second.robust_accuracy + coin * (first.robust_accuracy - second.robust_accuracy)
    pure = [cast("ThresholdClassifier | LinearClassifier", point.classifier) for point in (first, second)]
    return FrontierPoint(standard, robust, MixedClassifier(pure[0], pure[1], coin))


def _evenly(first: Enclosure, last: Enclosure, n: int) -> list[Fraction]:
    """n thresholds strictly between two, evenly spaced, as exact numbers."""
    start, stop = Fraction(to_float(first)), Fraction(to_float(last))
    return [start + (stop - start) * Fraction(k, n + 1) for k in range(1, n + 1)]


def evenly_in_accuracy(law: SignGaussian, first: Enclosure, n: int) -> list[Fraction]:
    """n thresholds below the first whose standard accuracies are about evenly spaced down to p: bisection in floats."""
    import numpy as np
    from scipy.special import ndtr

    s, p, top = to_float(law.signal), float(law.reliability), to_float(first)

    def above_p(t: Any) -> Any:
        return (1 - p) * ndtr(s + t) - p * ndtr(t - s)

    goal = above_p(top) * (1 - np.arange(1, n + 1) / (n + 1))
    low, high = np.full(n, top - s - 40.0), np.full(n, top)
    for _ in range(60):
        middle = (low + high) / 2
        too_accurate = above_p(middle) > goal
        high, low = np.where(too_accurate, middle, high), np.where(too_accurate, low, middle)
    return [Fraction(t) for t in low.tolist()]


def _falling_root(excess: Any, high: Fraction) -> Enclosure:
    """The t below ``high`` where ``excess`` changes sign, by bisection: the ends carry different and proved signs."""
    if not (at_high := _sign(excess(high))):
        raise Undecided(f"the solution is too near the threshold {float(high)} to be told from it; change delta")
    low, step = high, Fraction(1, 4)
    while _sign(excess(low)) != -at_high:
        low, step = low - step, 2 * step
    while high - low > Fraction(1, 2**150):
        middle = (low + high) / 2
        sign = _sign(excess(middle))
        if not sign:
            break
        low, high = (low, middle) if sign == at_high else (middle, high)
    return Enclosure(low, high, "bisection in ball arithmetic")


def _sign(x: Any) -> int:
    return 1 if x > 0 else -1 if x < 0 else 0


def _decimal(x: Fraction) -> str:
    return f"{Enclosure.exact(x):.12f}"

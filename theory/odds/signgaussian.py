"""The sign-and-Gaussians law (ODDS, equation 3), and what linear and threshold classifiers do on it.

One reliable feature and d weak ones: y is +1 or -1 with equal probability, x_1 = y with probability ``reliability``
(else -y), and x_2, ..., x_{d+1} are independent N(eta y, 1). The weak features matter through z = sum_i x_i / sqrt(d),
which is N(y s, 1) with s = eta sqrt(d), and an l-infinity adversary of radius eps moves z by at most r = eps sqrt(d).
So nothing below costs more for d = 10^6 than for d = 1.

Every probability is an `Enclosure` from ball arithmetic, more than 30 digits narrow. Two adversaries are named:

* the **full** one moves each of the d + 1 coordinates by at most eps (`robust_risk`, `boundary_risk`);
* the **shift** of the paper's proofs moves x_i to x_i - y eps for i >= 2, whatever the classifier (`shifted_risk`).

>>> law = SignGaussian("0.95", "0.03", 10_000)
>>> print(f"{standard_accuracy(mean_classifier(), law):.12f} {robust_accuracy(mean_classifier(), law, '0.06'):.12f}")
[0.998650101968, 0.998650101969] [0.001349898031, 0.001349898032]
>>> print(robust_risk(sign_classifier(), law, "0.06"), robust_risk(sign_classifier(), law, 1))
1/20 1
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, cast

from theory.arbs import HOW, cdf, enclose, integers, to_arb, to_float, working_precision
from theory.enclosure import Enclosure, Undecided
from theory.numbers import Exact, as_fraction

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

Attack = Literal["none", "full", "shift"]
Part = tuple[Fraction, Any, Any]
"""A normal component of a margin: its probability, and its mean and standard deviation as arbs."""


@dataclass(frozen=True, slots=True)
class SignGaussian:
    """The law of (ODDS, equation 3): P(x_1 = y) = ``reliability``, and ``d`` weak features N(eta y, 1).

    ``reliability`` (the paper's p) lies in [1/2, 1), ``eta`` is positive, ``d`` a positive integer; a point has
    ``dimension`` d + 1 coordinates. Numbers are exact: strings such as "0.95", ints and Fractions.

    Raises ``ValueError`` outside these ranges, ``TypeError`` for floats.

    >>> SignGaussian("0.95", "3/100", 10_000)
    SignGaussian(reliability=Fraction(19, 20), eta=Fraction(3, 100), d=10000)
    """

    reliability: Fraction
    eta: Fraction
    d: int

    def __init__(self, reliability: Exact, eta: Exact, d: int) -> None:
        reliability, eta, size = as_fraction(reliability, "reliability"), as_fraction(eta, "eta"), as_fraction(d, "d")
        if not Fraction(1, 2) <= reliability < 1:
            raise ValueError(f"reliability {reliability} is outside [1/2, 1), the allowed range")
        if eta <= 0:
            raise ValueError(f"eta {eta} is not positive; allowed are numbers above 0")
        if size.denominator != 1 or size < 1:
            raise ValueError(f"d {size} is not a positive integer; allowed are 1, 2, 3, ...")
        object.__setattr__(self, "reliability", reliability)
        object.__setattr__(self, "eta", eta)
        object.__setattr__(self, "d", int(size))

    @property
    def dimension(self) -> int:
        """The number of coordinates of a point, d + 1."""
        return self.d + 1

    @property
    def signal(self) -> Enclosure:
        """s = eta sqrt(d), the mean of z given y = +1; exact where sqrt(d) is a whole number."""
        from theory.special import sqrt

        return self.eta * sqrt(self.d, 40)

    def sample(self, n: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """n labelled points: x of shape (n, d + 1) and y in {-1, +1} of shape (n,)."""
        return _draw(self, float(self.eta), self.d, n, rng)

    def sample_statistic(self, n: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """n labelled values of the sufficient statistic: (x_1, z) of shape (n, 2) and y of shape (n,); no cost in d."""
        return _draw(self, float(self.eta) * math.sqrt(self.d), 1, n, rng)


# ---- classifiers ----


@dataclass(frozen=True, slots=True, eq=False, init=False)
class LinearClassifier:
    """The sign of strong x_1 + sum_i weak_i x_i + bias.

    ``weak`` is one weight that all weak features share, or d of them (floats count as the dyadic numbers they are).
    ``strong``, ``bias`` and a shared ``weak`` are exact numbers, or enclosures of irrational ones. ``sign_of_zero`` is
    the tie rule: 0 calls a score of 0 an error whatever the label (TRADES' f(x) y <= 0), +1 or -1 predicts that label
    there. It matters only where the score has no density, that is when all weak weights are zero.
    """

    strong: Fraction | Enclosure
    weak: Fraction | Enclosure | tuple[Fraction, ...] | NDArray[np.float64]
    bias: Fraction | Enclosure
    sign_of_zero: int

    def __init__(
        self,
        strong: Exact | Enclosure,
        weak: Exact | Enclosure | Sequence[Exact] | NDArray[np.float64],
        bias: Exact | Enclosure = Fraction(0),
        sign_of_zero: int = 0,
    ) -> None:
        if sign_of_zero not in (-1, 0, 1):
            raise ValueError(f"sign_of_zero {sign_of_zero} is no tie rule; allowed are -1, 0 (an error) and 1")
        object.__setattr__(self, "strong", _number(strong, "strong weight"))
        object.__setattr__(self, "weak", _weights(weak))
        object.__setattr__(self, "bias", _number(bias, "bias"))
        object.__setattr__(self, "sign_of_zero", sign_of_zero)

    def score(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The scores of points x of shape (n, d + 1), in floating point; shape (n,)."""
        import numpy as np

        weak = self.weak
        if isinstance(weak, Fraction | Enclosure):
            total = to_float(weak) * x[:, 1:].sum(axis=1)
        else:
            total = x[:, 1:] @ np.array([float(w) for w in weak])
        scores: NDArray[np.float64] = to_float(self.strong) * x[:, 0] + total + to_float(self.bias)
        return scores

    @property
    def reads_feature_one_only(self) -> bool:
        """Whether every weak weight is zero: then all risks are exact, and ties matter."""
        if isinstance(self.weak, Enclosure):
            return False  # an exact enclosure was turned into a Fraction
        return self.weak == 0 if isinstance(self.weak, Fraction) else not any(self.weak)

    def margins(self, law: SignGaussian, eps: Fraction, attack: Attack) -> list[Part]:
        """The normal components of the margin y score under an attack (see `margin_law`), at the working precision."""
        total, absolute, norm = self.weak_sums(law)
        strong, bias = to_arb(self.strong), to_arb(self.bias)
        lost = {"none": 0, "full": to_arb(eps) * (abs(strong) + absolute), "shift": to_arb(eps) * total}[attack]
        base = to_arb(law.eta) * total - lost
        labels = [0] if bias.is_zero() else [1, -1]
        return [
            (share / len(labels), base + side * strong + label * bias, norm)
            for label in labels
            for side, share in ((1, law.reliability), (-1, 1 - law.reliability))
        ]

    def weak_sums(self, law: SignGaussian) -> tuple[Any, Any, Any]:
        """sum w_i, sum |w_i| and sqrt(sum w_i^2) over the weak weights, as arbs; a shared weight costs no sum."""
        weak = self.weak
        if isinstance(weak, Fraction | Enclosure):
            w = to_arb(weak)
            if w.contains(0) and not w.is_zero():
                raise Undecided(f"weak weight {weak!r} may be zero or not; give it to more digits")
            return w * law.d, abs(w) * law.d, abs(w) * to_arb(law.d).sqrt()
        if len(weak) != law.d:
            raise ValueError(f"{len(weak)} weak weights do not fit d = {law.d} weak features; give one or {law.d}")
        whole, unit = integers(weak)
        total, absolute, squares = sum(whole), sum(map(abs, whole)), sum(w * w for w in whole)
        return to_arb(total * unit), to_arb(absolute * unit), to_arb(squares * unit**2).sqrt()

    def accuracy_on_feature_one(self, law: SignGaussian, eps: Fraction) -> Fraction:
        """The exact accuracy under the full adversary of a classifier whose weak weights are all zero."""
        accuracy, strong = Fraction(0), cast("Any", self.strong)
        for label in (1, -1):
            for side, share in ((1, law.reliability), (-1, 1 - law.reliability)):
                margin = side * strong - eps * abs(strong) + label * self.bias
                if margin > 0 or (margin == 0 and self.sign_of_zero == label):
                    accuracy += share / 2
        return accuracy


@dataclass(frozen=True, slots=True, eq=False, init=False)
class ThresholdClassifier:
    """The sign of z - threshold sign(x_1): +1 above the threshold if x_1 > 0, above minus the threshold if x_1 < 0.

    Because it rounds x_1 first, no attack of radius below 1 changes what it reads there. With the threshold -L/2s,
    where L = log(reliability / (1 - reliability)), it is the Bayes rule on the law's support; with -infinity it would
    be sign(x_1). At x_1 = 0, reached by attacks of radius 1, it is the sign of z.
    """

    threshold: Fraction | Enclosure

    def __init__(self, threshold: Exact | Enclosure) -> None:
        object.__setattr__(self, "threshold", _number(threshold, "threshold"))

    def score(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The scores of points x of shape (n, d + 1), in floating point; shape (n,)."""
        import numpy as np

        z = x[:, 1:].sum(axis=1) / math.sqrt(x.shape[1] - 1)
        scores: NDArray[np.float64] = z - to_float(self.threshold) * np.sign(x[:, 0])
        return scores

    def margins(self, law: SignGaussian, eps: Fraction, attack: Attack) -> list[Part]:
        """The normal components of y z minus the threshold that applies, the worst one the adversary can choose."""
        from flint import arb

        t, base = to_arb(self.threshold), signal_arb(law)
        if attack != "none":
            base = base - reach_arb(law, eps)
        agrees, differs = t, -t
        if attack == "full" and eps == 1:
            agrees, differs = t.max(arb(0)), (-t).max(arb(0))
        elif attack == "full" and eps > 1:
            agrees = differs = abs(t)
        return [(law.reliability, base - agrees, arb(1)), (1 - law.reliability, base - differs, arb(1))]


@dataclass(frozen=True, slots=True, eq=False)
class MixedClassifier:
    """Tosses a coin for every point: ``first`` with probability ``weight``, else ``second``. Its risks are averages.

    For two nested threshold rules (sign(x_1) is the one with threshold -infinity) it makes no difference to the robust
    risk whether the adversary sees the coin: the least probability of a correct label over a window of z is the mean
    of the two rules' indicators.
    """

    first: LinearClassifier | ThresholdClassifier
    second: LinearClassifier | ThresholdClassifier
    weight: Fraction | Enclosure


Classifier = LinearClassifier | ThresholdClassifier | MixedClassifier


def mean_classifier() -> LinearClassifier:
    """f_avg of (ODDS, equation 4): the sign of the mean of the weak features."""
    return LinearClassifier(0, 1)


def sign_classifier(sign_of_zero: int = 0) -> LinearClassifier:
    """sign(x_1). At eps = 1 the adversary reaches x_1 = 0, where ``sign_of_zero`` decides (see `LinearClassifier`)."""
    return LinearClassifier(1, 0, sign_of_zero=sign_of_zero)


def constant_classifier(label: int) -> LinearClassifier:
    """The classifier that says ``label`` (-1 or +1) everywhere."""
    if label not in (-1, 1):
        raise ValueError(f"label {label} is not one of -1 and 1")
    return LinearClassifier(0, 0, bias=label)


def bayes_classifier(law: SignGaussian) -> LinearClassifier:
    """The sign of the log-odds L x_1 + 2 eta sum_i x_i, L = log(reliability / (1 - reliability)).

    Nobody is more accurate: standard accuracy p Phi(s + L/2s) + (1-p) Phi(s - L/2s).

    >>> law = SignGaussian("0.95", 3, 1)
    >>> bayes = bayes_classifier(law)
    >>> print(f"{standard_accuracy(bayes, law):.10f} {shifted_accuracy(bayes, law, 6):.10f}")
    [0.9994687387, 0.9994687388] [0.0057587982, 0.0057587983]
    """
    if law.reliability == Fraction(1, 2):
        return LinearClassifier(0, 2 * law.eta)
    with working_precision():
        return LinearClassifier(enclose(logit_arb(law)), 2 * law.eta)


# ---- risks and accuracies ----


def standard_risk(classifier: Classifier, law: SignGaussian) -> Enclosure:
    """P(error). For weights w: sum over x_1 = +-y of its probability times Phi(-(mean of y w.x) / ||weak||_2)."""
    return _probability(classifier, law, Fraction(0), "none", correct=False)


def robust_risk(classifier: Classifier, law: SignGaussian, eps: Exact) -> Enclosure:
    """P(some point of the closed l-infinity ball of radius eps is misclassified): the full adversary.

    For linear weights the margin y w.x drops by exactly eps ||w||_1. Raises ``ValueError`` for a negative eps.
    """
    return _probability(classifier, law, radius(eps), "full", correct=False)


def shifted_risk(classifier: Classifier, law: SignGaussian, eps: Exact) -> Enclosure:
    """P(error after x_i -> x_i - y eps for every weak i): the adversary of the paper's proofs (ODDS, appendix C).

    It ignores the classifier, so a linear margin drops by eps sum_i weak_i: less than what the full adversary takes
    when weak weights differ in sign or x_1 carries weight.
    """
    return _probability(classifier, law, radius(eps), "shift", correct=False)


def boundary_risk(classifier: Classifier, law: SignGaussian, eps: Exact) -> Enclosure:
    """P(correct, but some point of the ball is not): robust risk minus standard risk."""
    eps = radius(eps)
    if isinstance(classifier, MixedClassifier):
        return _mix(classifier, lambda part: boundary_risk(part, law, eps))
    if isinstance(classifier, LinearClassifier) and classifier.reads_feature_one_only:
        return robust_risk(classifier, law, eps) - standard_risk(classifier, law)
    with working_precision():
        attacked, plain = classifier.margins(law, eps, "full"), classifier.margins(law, Fraction(0), "none")
        gains = [
            to_arb(share) * (cdf(-low / sd) - cdf(-high / sd))
            for (share, low, sd), (_, high, _) in zip(attacked, plain, strict=True)
        ]
        return enclose(sum(gains), 0, 1)


def standard_accuracy(classifier: Classifier, law: SignGaussian) -> Enclosure:
    """1 - `standard_risk`, evaluated without cancellation."""
    return _probability(classifier, law, Fraction(0), "none", correct=True)


def robust_accuracy(classifier: Classifier, law: SignGaussian, eps: Exact) -> Enclosure:
    """1 - `robust_risk`: the accuracy under the full adversary, evaluated without cancellation."""
    return _probability(classifier, law, radius(eps), "full", correct=True)


def shifted_accuracy(classifier: Classifier, law: SignGaussian, eps: Exact) -> Enclosure:
    """1 - `shifted_risk`: the accuracy under the paper's fixed shift, evaluated without cancellation."""
    return _probability(classifier, law, radius(eps), "shift", correct=True)


def margin_law(
    classifier: LinearClassifier, law: SignGaussian, eps: Exact = Fraction(0), attack: Attack = "full"
) -> tuple[tuple[Fraction, Enclosure, Enclosure], ...]:
    """The law of the margin y score(x) under an attack: normal components (weight, mean, standard deviation).

    >>> law = SignGaussian("0.75", 3, 1)
    >>> [tuple(map(str, component)) for component in margin_law(LinearClassifier(1, 2), law)]
    [('3/4', '7', '2'), ('1/4', '5', '2')]
    """
    with working_precision():
        parts = classifier.margins(law, radius(eps), attack)
        return tuple((share, enclose(mean), enclose(sd)) for share, mean, sd in parts)


# ---- the law's constants as arbs, shared with the modules on this law ----


def signal_arb(law: SignGaussian) -> Any:
    """s = eta sqrt(d)."""
    return to_arb(law.eta**2 * law.d).sqrt()


def reach_arb(law: SignGaussian, eps: Fraction) -> Any:
    """r = eps sqrt(d), how far the adversary moves z."""
    return to_arb(eps**2 * law.d).sqrt()


def logit_arb(law: SignGaussian) -> Any:
    """L = log(reliability / (1 - reliability))."""
    return to_arb(law.reliability / (1 - law.reliability)).log()


def radius(eps: Exact) -> Fraction:
    """eps as an exact number. Raises ``ValueError`` when it is negative."""
    value = as_fraction(eps, "eps")
    if value < 0:
        raise ValueError(f"eps {value} is negative; allowed are numbers from 0 up")
    return value


# ---- machinery ----


def _probability(
    classifier: Classifier, law: SignGaussian, eps: Fraction, attack: Attack, *, correct: bool
) -> Enclosure:
    if isinstance(classifier, MixedClassifier):
        return _mix(classifier, lambda part: _probability(part, law, eps, attack, correct=correct))
    if isinstance(classifier, LinearClassifier) and classifier.reads_feature_one_only:
        accuracy = classifier.accuracy_on_feature_one(law, eps if attack == "full" else Fraction(0))
        return Enclosure.exact(accuracy if correct else 1 - accuracy)
    sign = 1 if correct else -1
    with working_precision():
        parts = classifier.margins(law, eps, attack)
        return enclose(sum(to_arb(share) * cdf(sign * mean / sd) for share, mean, sd in parts), 0, 1)


def _mix(classifier: MixedClassifier, risk: Any) -> Enclosure:
    first, second = risk(classifier.first), risk(classifier.second)
    mixed: Enclosure = second + classifier.weight * (first - second)
    return mixed.intersect(Enclosure(0, 1, HOW))


def _number(x: Exact | Enclosure, name: str) -> Fraction | Enclosure:
    if isinstance(x, Enclosure):
        return x.fraction if x.is_exact else x
    return as_fraction(x, name)


def _weights(weak: Any) -> Fraction | Enclosure | tuple[Fraction, ...] | NDArray[np.float64]:
    import numpy as np

    if isinstance(weak, np.ndarray):
        if weak.ndim != 1 or not weak.size or not np.isfinite(weak.astype(np.float64)).all():
            raise ValueError(f"weak weights of shape {weak.shape} are no list of finite numbers; allowed is shape (d,)")
        array: NDArray[np.float64] = weak.astype(np.float64)
        array.setflags(write=False)
        return array
    if isinstance(weak, list | tuple):
        if not weak:
            raise ValueError("weak weights [] are none; allowed is one shared weight or d of them")
        return tuple(as_fraction(w, "weak weight") for w in weak)
    return _number(weak, "weak weight")


def _draw(
    law: SignGaussian, mean: float, columns: int, n: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    import numpy as np

    y = 2 * rng.integers(0, 2, n) - 1
    x = rng.standard_normal((n, 1 + columns))
    x += mean * y[:, None]
    x[:, 0] = np.where(rng.random(n) < float(law.reliability), y, -y)
    return x, y

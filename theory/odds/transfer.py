"""Transferability (ODDS, section 2.2): adversarial examples of one classifier, shown to another, exactly.

"Adversarial examples that are created by perturbing each feature in the direction of -y will transfer across
classifiers trained on independent samples": on the sign-and-Gaussians law this is a statement about two linear scores,
jointly normal given y and x_1. `shift_transfer` gives the probability that the paper's fixed shift fools the first, and
both; `transferred_risk` the risk of one classifier on the worst-case examples of another.

>>> import numpy as np
>>> law, rng = SignGaussian("0.95", "0.03", 10_000), np.random.default_rng(0)
>>> first, second = train_mean(law, 1000, rng), train_mean(law, 1000, rng)
>>> found = shift_transfer(first, second, law, "0.06")
>>> print(f"{found.fooled:.6f} {found.rate:.6f}")
[0.957781, 0.957782] [0.974120, 0.974121]
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.arbs import cdf, enclose, integers, to_arb, working_precision
from theory.enclosure import Enclosure, Undecided
from theory.numbers import Exact
from theory.odds.signgaussian import LinearClassifier, SignGaussian, radius

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class ShiftTransfer:
    """Probabilities under the shift of every weak feature by -y eps.

    ``fooled``: the first classifier is right before the shift and wrong after; ``both``: and the second is wrong after.
    """

    fooled: Enclosure
    both: Enclosure

    @property
    def rate(self) -> Enclosure:
        """P(the second classifier errs on an example that fools the first). Undecided when none may fool it."""
        return (self.both / self.fooled).intersect(Enclosure(0, 1))


def train_mean(law: SignGaussian, n: int, rng: np.random.Generator) -> LinearClassifier:
    """The mean of y x over n fresh points, drawn as what it is: x_1 a binomial share, x_i ~ N(eta, 1/n) independent."""
    import numpy as np

    if n < 1:
        raise ValueError(f"n {n} points train nothing; allowed are 1, 2, 3, ...")
    agreeing = int(rng.binomial(n, float(law.reliability)))
    weak = float(law.eta) + rng.standard_normal(law.d) / np.sqrt(n)
    return LinearClassifier(Fraction(2 * agreeing - n, n), weak)


def transferred_risk(target: LinearClassifier, source: LinearClassifier, law: SignGaussian, eps: Exact) -> Enclosure:
    """The target's risk on the source's worst-case examples x - y eps sign(w_source).

    The target's margin drops by eps sum_j w_target,j sign(w_source,j); with target = source this is the robust risk.
    """
    radius_ = radius(eps)
    with working_precision():
        mean, sd, _ = _margin(target, law)
        lost = to_arb(radius_) * (_signed(source.strong) * to_arb(target.strong) + _signed_sum(target, source, law))
        total = to_arb(0)
        for share, side, label in _cases(law, target):
            centre = mean + side * to_arb(target.strong) + label * to_arb(target.bias) - lost
            total += to_arb(share) * (_below(centre) if sd.is_zero() else cdf(-centre / sd))
        return enclose(total, 0, 1)


def shift_transfer(first: LinearClassifier, second: LinearClassifier, law: SignGaussian, eps: Exact) -> ShiftTransfer:
    """What the shift x_i -> x_i - y eps (i >= 2) does to two classifiers at once: bivariate normal probabilities."""
    radius_ = radius(eps)
    with working_precision():
        (mean1, sd1, total1), (mean2, sd2, total2) = _margin(first, law), _margin(second, law)
        lost1, lost2 = to_arb(radius_) * total1, to_arb(radius_) * total2
        fooled = both = to_arb(0)
        if not sd1.is_zero() and not lost1 <= 0:
            rho = _correlation(first, second, law)
            for share, side, label in _cases(law, first, second):
                centre1 = mean1 + side * to_arb(first.strong) + label * to_arb(first.bias)
                centre2 = mean2 + side * to_arb(second.strong) + label * to_arb(second.bias) - lost2
                top, bottom = (lost1 - centre1) / sd1, -centre1 / sd1
                fooled += to_arb(share) * (cdf(top) - cdf(bottom))
                if sd2.is_zero():
                    both += to_arb(share) * (cdf(top) - cdf(bottom)) * _below(centre2)
                else:
                    limit = -centre2 / sd2
                    both += to_arb(share) * (bivariate_cdf(top, limit, rho) - bivariate_cdf(bottom, limit, rho))
        return ShiftTransfer(enclose(fooled, 0, 1), enclose(both, 0, 1))


def bivariate_cdf(h: Any, k: Any, rho: Any) -> Any:
    """P(X <= h, Y <= k) for standard normal X, Y of correlation rho, arbs: the integral of phi(x) Phi((k - rho x)/c).

    Here c = sqrt(1 - rho^2). The integral is enclosed by flint's adaptive quadrature from -20 on; what lies beyond is
    less than Phi(-20) < 10^-88 and added as uncertainty. For rho = 1 and -1 there are closed forms.
    """
    from flint import acb, arb

    if rho == 1:
        return cdf(h.min(k))
    if rho == -1:
        return (cdf(h) + cdf(k) - 1).max(arb(0))
    end = h.min(arb(20))
    outside = arb(0).union(cdf(arb(-20))) * 2
    if not end > -20:
        return arb(0).union(cdf(h))
    c, root = (1 - rho * rho).sqrt(), arb(2).sqrt()

    def density(x: Any, _: bool) -> Any:
        return (-x * x / 2).exp() * (-(k - rho * x) / (c * root)).erfc()

    integral = acb.integral(density, acb(-20), acb(end)).real / (2 * (2 * arb.pi()).sqrt())
    return integral + outside


# ---- machinery ----


def _margin(classifier: LinearClassifier, law: SignGaussian) -> tuple[Any, Any, Any]:
    """The weak part of the margin: mean and standard deviation, and the sum of the weak weights."""
    total, _, norm = classifier.weak_sums(law)
    return to_arb(law.eta) * total, norm, total


def _cases(law: SignGaussian, *classifiers: LinearClassifier) -> list[tuple[Fraction, int, int]]:
    """(probability, x_1 y, y); y matters only with a bias."""
    unbiased = all(isinstance(c.bias, Fraction) and c.bias == 0 for c in classifiers)
    labels = (1,) if unbiased else (1, -1)
    sides = ((1, law.reliability), (-1, 1 - law.reliability))
    return [(share / len(labels), side, label) for label in labels for side, share in sides]


def _below(margin: Any) -> Any:
    """The probability 0 or 1 that a constant margin is an error (0 is one)."""
    if not (margin <= 0 or margin > 0):
        raise Undecided(f"cannot tell whether the margin {margin} is positive; use weights that are exact numbers")
    return to_arb(int(bool(margin <= 0)))


def _signed(x: Any) -> int:
    return 1 if x > 0 else -1 if x < 0 else 0


def _signed_sum(target: LinearClassifier, source: LinearClassifier, law: SignGaussian) -> Any:
    """sum_i w_target,i sign(w_source,i) over the weak features."""
    if isinstance(source.weak, Fraction | Enclosure):
        return _signed(source.weak) * target.weak_sums(law)[0]
    signs = [_signed(w) for w in source.weak]
    source.weak_sums(law)  # refuses a source of another length
    if isinstance(target.weak, Fraction | Enclosure):
        return to_arb(target.weak) * sum(signs)
    target.weak_sums(law)
    whole, unit = integers(target.weak)
    return to_arb(sum(w * sign for w, sign in zip(whole, signs, strict=True)) * unit)


def _correlation(first: LinearClassifier, second: LinearClassifier, law: SignGaussian) -> Any:
    """The correlation of the two scores given y and x_1, the cosine of the weak weights; exactly +-1 if parallel."""
    one, two = first.weak, second.weak
    if isinstance(one, Fraction | Enclosure) and isinstance(two, Fraction | Enclosure):
        return to_arb(_signed(one) * _signed(two))
    if isinstance(one, Fraction | Enclosure) or isinstance(two, Fraction | Enclosure):
        shared, other = (one, second) if isinstance(one, Fraction | Enclosure) else (two, first)
        total, _, norm = other.weak_sums(law)
        return _signed(shared) * total / (norm * to_arb(law.d).sqrt())
    (a, _), (b, _) = integers(one), integers(two)
    dot, size = sum(x * y for x, y in zip(a, b, strict=True)), sum(x * x for x in a) * sum(y * y for y in b)
    if dot * dot == size:
        return to_arb(_signed(dot))
    return to_arb(dot) / to_arb(size).sqrt()

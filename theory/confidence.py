"""Confidence limits from independent samples, never narrower than they promise.

>>> print(f"{clopper_pearson(9, 10):.6f}")
[0.554983, 0.997472]
"""

from __future__ import annotations

from fractions import Fraction

from theory.enclosure import Enclosure, as_enclosure
from theory.numbers import Exact, exact_number, whole_number
from theory.special import Real, beta_quantile, log, sqrt


def clopper_pearson(successes: int, n: int, alpha: Exact = "1/20", side: str = "two", digits: int = 15) -> Enclosure:
    """Confidence limits for a probability from independent trials; they fail with probability at most ``alpha``.

    The lower limit p solves P(X >= successes) = alpha/2, the upper one P(X <= successes) = alpha/2 (Clopper and
    Pearson, 1934); the ends at 0 and n successes are 0 and 1. ``side`` "lower" or "upper" spends the whole alpha on
    one limit. Limits are rounded outwards, so the coverage is never less than promised. The trials must be the whole
    sample, its size fixed beforehand.

    >>> clopper_pearson(0, 10, side="upper").lo
    Fraction(0, 1)
    """
    k, n = whole_number(successes, "successes"), whole_number(n, "n")
    if n < 1:
        raise ValueError(f"n {n} is no sample; allowed are 1, 2, 3, ... trials")
    if not 0 <= k <= n:
        raise ValueError(f"successes {k} of {n} trials is impossible; allowed are 0 to {n}")
    each, alpha = _split(alpha, side)
    lo = beta_quantile(each, k, n - k + 1, digits).lo if k > 0 and side != "upper" else Fraction(0)
    hi = beta_quantile(1 - each, k + 1, n - k, digits).hi if k < n and side != "lower" else Fraction(1)
    return Enclosure(lo, hi, "Clopper-Pearson", alpha)


def hoeffding(
    mean: Real,
    n: int,
    alpha: Exact = "1/20",
    support: tuple[Exact, Exact] = (0, 1),
    side: str = "two",
    digits: int = 15,
) -> Enclosure:
    """Confidence limits for an expectation from the mean of n independent values in ``support`` = (a, b).

    The margin is (b - a) sqrt(log(m / alpha) / (2 n)) with m = 2 limits, or 1 when ``side`` asks for one (Hoeffding,
    1963, Theorem 2); an enclosed mean is widened further. The limits are cut to the support.

    >>> print(f"{hoeffding('1/2', 10_000):.6f}")
    [0.486418, 0.513582]
    """
    n = whole_number(n, "n")
    if n < 1:
        raise ValueError(f"n {n} is no sample; allowed are 1, 2, 3, ... values")
    a, b = exact_number(support[0], "support"), exact_number(support[1], "support")
    mean = as_enclosure(mean)
    if not a <= mean.lo <= mean.hi <= b:
        raise ValueError(f"mean {mean} lies outside the support [{a}, {b}]; give the support of the single values")
    each, alpha = _split(alpha, side)
    margin = (b - a) * sqrt(-log(each, digits + 2) / (2 * n), digits + 2).hi
    lo = a if side == "upper" else max(a, mean.lo - margin)
    hi = b if side == "lower" else min(b, mean.hi + margin)
    return Enclosure(lo, hi, (*mean.how, "Hoeffding"), min(Fraction(1), alpha + mean.alpha))


def _split(alpha: Exact, side: str) -> tuple[Fraction, Fraction]:
    """What one limit may spend, and the whole alpha."""
    alpha = exact_number(alpha, "alpha")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha {alpha} is not allowed; it must lie strictly between 0 and 1")
    if side not in ("two", "lower", "upper"):
        raise ValueError(f"side {side!r} is unknown; allowed are 'two', 'lower' and 'upper'")
    return (alpha / 2 if side == "two" else alpha), alpha

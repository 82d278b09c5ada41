"""Products of exponential-power densities, and the densities of their one-dimensional projections.

Each coordinate has the density exp(-(2 Gamma(1 + 1/p) |x|)^p), which is even and 1 at its peak: p = 1 is Laplace
exp(-2|x|), p = 2 the normal law of variance 1/(2 pi), p = infinity the uniform law on [-1/2, 1/2].

>>> projection_density([1, 1, 1], 0, ExponentialPower(math.inf, 3))
Enclosure[3/4]
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory import special
from theory.arbs import enclose, to_arb, working_precision
from theory.enclosure import Enclosure, as_enclosure
from theory.numbers import Exact, as_fraction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_CUT, _BITS = 60, 96
"""Quadratures leave out 2^-60 next to a point where |x|^p is not analytic, bound that, and use 96 bits."""


@dataclass(frozen=True, slots=True)
class ExponentialPower:
    """``dim`` independent coordinates of density exp(-(2 Gamma(1 + 1/shape) |x|)^shape); ``math.inf`` is uniform.

    Raises ``ValueError`` for a shape below 1, where the density is not log-concave, or a dimension below 1.

    >>> print(f"{ExponentialPower(2, 1).density('1/2'):.12f}")  # exp(-pi/4)
    [0.455938127765, 0.455938127766]
    """

    shape: Fraction | float
    dim: int

    def __init__(self, shape: Exact | float, dim: int) -> None:
        made = math.inf if shape in (math.inf, "inf") else as_fraction(shape, "shape")
        if made < 1:
            raise ValueError(f"shape {shape} is below 1, where the density is not log-concave; allowed are 1 to inf")
        if dim < 1:
            raise ValueError(f"dim {dim} is not positive; a law has at least one coordinate")
        object.__setattr__(self, "shape", made)
        object.__setattr__(self, "dim", dim)

    @property
    def sqrt_convex(self) -> bool:
        """Whether sqrt(M) is convex, the premise of (TRADES, Theorem C.1): shape >= 2."""
        return self.shape >= 2

    def density(self, x: Exact | Enclosure) -> Enclosure:
        """The density of one coordinate at x; halfway down where it jumps.

        Raises ``Undecided`` if an enclosed x may lie on either side of a jump.
        """
        x = abs(as_enclosure(x))
        if math.isinf(self.shape):
            half = Fraction(1, 2)
            if x.is_exact and x.lo == half:
                return Enclosure.exact(half)
            return Enclosure.exact(int(x < half))
        if x.is_exact and x.lo == 0:
            return Enclosure.exact(1)
        with working_precision():
            return enclose(_density(to_arb(x), self.shape), 0, 1)

    def inside(self, radius: Exact) -> Enclosure:
        """P(|x| <= radius) for one coordinate."""
        r = as_fraction(radius, "radius")
        if math.isinf(self.shape):
            return Enclosure.exact(min(max(2 * r, Fraction(0)), Fraction(1)))
        if r <= 0:
            return Enclosure.exact(0)
        with working_precision():
            s = to_arb(1) / to_arb(self.finite)
            return enclose(1 - ((peak_scale(self.finite) * to_arb(r)) ** to_arb(self.finite)).gamma_upper(s, 1), 0, 1)

    def between(self, lo: Fraction | None, hi: Fraction | None) -> Enclosure:
        """P(lo < x < hi) for one coordinate; None is an infinite end."""

        def cdf(x: Fraction) -> Enclosure:
            return (1 + (self.inside(x) if x >= 0 else -self.inside(-x))) / 2

        upper = Enclosure.exact(1) if hi is None else cdf(hi)
        return upper if lo is None else upper - cdf(lo)

    @property
    def finite(self) -> Fraction:
        """The shape as a Fraction; raises ``ValueError`` if it is infinite."""
        return as_fraction(self.shape)


def projection_density(normal: Sequence[Exact], threshold: Exact | Enclosure, law: ExponentialPower) -> Enclosure:
    """The density of n.X at the threshold (the mean of both sides where it jumps), n = ``normal`` of any length.

    In closed form for one coordinate and for the shapes 1 (partial fractions), 2 and inf (splines); for others in two
    coordinates, by 1 / |n|_p at 0 and by quadrature elsewhere, and in three coordinates at 0, by quadrature.

    Raises ``ValueError`` for n = 0 or other shapes in more coordinates.

    >>> projection_density([1, 2], 0, ExponentialPower(1, 2))
    Enclosure[1/3]
    >>> print(f"{projection_density([1, 2], '1/4', ExponentialPower('3/2', 2)):.12f}")
    [0.391578584690, 0.391578584691]
    """
    n = sorted(abs(x) for x in (as_fraction(x, "normal") for x in normal) if x)
    t = abs(as_enclosure(threshold))
    if not n:
        raise ValueError(f"normal {list(normal)} is zero; a hyperplane needs a direction")
    if len(n) == 1:
        return law.density(t / n[0]) / n[0]
    if law.shape == 1:
        return _laplace_density(n, t)
    with working_precision():
        if law.shape == 2:
            square = sum(x * x for x in n)
            return enclose((-to_arb(t).pi() * to_arb(t) ** 2 / to_arb(square)).exp()) / special.sqrt(square)
        if math.isinf(law.shape):
            return _spline_density(n, t)
        if len(n) == 2:
            return _planar_density(n, t, law.finite)
        if len(n) == 3 and t.hi == 0:
            return enclose(_triple_at_zero(n, law.finite), 0)
    raise ValueError(
        f"shape {law.shape} in {len(n)} coordinates is not implemented at {t}; allowed are the shapes 1, 2 and inf, "
        "two coordinates, or three at threshold 0"
    )


def peak_scale(p: Fraction) -> Any:
    """2 Gamma(1 + 1/p), which makes the density 1 at 0."""
    return 2 * to_arb(1 + 1 / p).gamma()


def ball_power(x: Any, p: Fraction) -> Any:
    """x^p for a ball of numbers >= 0; a ball that reaches 0 is enclosed by its ends."""
    if x > 0:
        return x ** to_arb(p)
    top = x.upper()
    return to_arb(0) if top <= 0 else to_arb(0).union(top ** to_arb(p))


def _density(x: Any, p: Fraction | float) -> Any:
    return (-ball_power(peak_scale(as_fraction(p)) * x, as_fraction(p))).exp()


def _norm(n: Sequence[Fraction], p: Fraction) -> Enclosure:
    total = Enclosure.exact(0)
    for x in n:
        total = total + special.power(abs(x), p)
    return special.power(total, 1 / p)


def _laplace_density(n: Sequence[Fraction], t: Enclosure) -> Enclosure:
    """The sum of Laplace variables of scales b = n/2: its transform is the product of 1 / (1 + b^2 s^2).

    With y = 1 + b^2 s^2 the other factors are 1 / (u + v y), u = 1 - (b'/b)^2; their Taylor coefficients in y are those
    of the partial fractions, and 1 / (1 + b^2 s^2)^k is the transform of e^-x / (b 2^(2k-1) (k-1)!) times the sum over
    r < k of (2k-2-r)! (2x)^r / (r! (k-1-r)!), where x = |t|/b.
    """
    scales = {x / 2: n.count(x) for x in n}
    total = Enclosure.exact(0)
    for b, m in scales.items():
        taylor = [Fraction(1)] + [Fraction(0)] * (m - 1)
        for other, times in scales.items():
            if other != b:
                u, v = 1 - (other / b) ** 2, (other / b) ** 2
                for _ in range(times):  # divide the series by u + v y
                    for i in range(m):
                        taylor[i] = (taylor[i] - (v * taylor[i - 1] if i else 0)) / u
        x = t / b
        part = Enclosure.exact(0)
        for k in range(1, m + 1):
            weight = taylor[m - k] / (b * 2 ** (2 * k - 1) * math.factorial(k - 1))
            for r in range(k):
                count = Fraction(math.factorial(2 * k - 2 - r), math.factorial(r) * math.factorial(k - 1 - r))
                part = part + weight * count * (2 * x) ** r
        total = total + (part if t.is_exact and t.lo == 0 else part * special.exp(-x))
    return total


def _spline_density(n: Sequence[Fraction], t: Enclosure) -> Enclosure:
    """The sum of k uniform variables on [-n_i/2, n_i/2].

    It is the sum over signs s of s_1 ... s_k (t + s.n/2)_+^(k-1), divided by (k-1)! n_1 ... n_k.
    """
    terms = {Fraction(0): 1}
    for x in n:
        moved: dict[Fraction, int] = {}
        for shift, count in terms.items():
            for sign in (1, -1):
                moved[shift + sign * x / 2] = moved.get(shift + sign * x / 2, 0) + sign * count
        terms = moved
    total = Enclosure.exact(0)
    for shift, count in terms.items():
        base = t + shift
        positive = Enclosure(max(base.lo, Fraction(0)), max(base.hi, Fraction(0)), base.how, base.alpha)
        total = total + count * positive ** (len(n) - 1)
    return total / (math.factorial(len(n) - 1) * math.prod(n))


def integral(function: Callable[[Any], Any], lo: Any, hi: Any) -> Any:
    """The integral of a function of acb that is analytic around the open interval (lo, hi)."""
    from flint import acb

    with working_precision(_BITS):
        return acb.integral(lambda z, _: function(z), acb(lo), acb(hi)).real


def edge() -> Any:
    return to_arb(Fraction(1, 2**_CUT))


def complex_power(z: Any, p: Fraction) -> Any:
    """z^p off the negative axis: nan on a ball that meets it, so the quadrature bisects."""
    from flint import acb

    return z ** acb(to_arb(p)) if z.real > 0 else acb("nan")


def _planar_density(n: Sequence[Fraction], t: Enclosure, p: Fraction) -> Enclosure:
    """The density at t >= 0 falls in t, as the convolution of two even densities that fall on both sides of 0 does."""

    def at(x: Fraction) -> Enclosure:
        if x == 0:
            return 1 / _norm(n, p)
        return enclose(_convolution(n, to_arb(x), p), 0)

    low, high = as_fraction(t.lo), as_fraction(t.hi)
    least = Fraction(4, 2**_CUT)  # the quadrature needs room between its cuts
    if high == 0 or (t.is_exact and low >= least):
        return at(high)
    below, above = at(max(high, least)), at(low if low >= least else Fraction(0))
    return Enclosure(below.lo, above.hi, (*t.how, "monotone", *below.how), t.alpha)


def _convolution(n: Sequence[Fraction], t: Any, p: Fraction) -> Any:
    """The density at t > 0 of a X + b Y: integral of rho(x/a) rho((t-x)/b) dx / (ab), cut at 0 and t.

    Both factors are at most 1. Beyond the distance R, where (c R/a)^p = 100, the integrand is at most
    exp(-(c x/a)^p), whose integral is a tail of the incomplete gamma function.
    """
    from flint import arb

    a, b = to_arb(n[0]), to_arb(n[1])
    c, cut = peak_scale(p), edge()

    def term(u: Any, v: Any) -> Any:
        return (-complex_power(c / a * u, p) - complex_power(c / b * v, p)).exp()

    far_a = a / c * arb(100) ** (1 / to_arb(p))
    far_b = b / c * arb(100) ** (1 / to_arb(p))
    total = integral(lambda u: term(u, u + t), cut, far_a)  # x = -u
    total += integral(lambda u: term(u, t - u), cut, t - cut)
    total += integral(lambda v: term(v + t, v), cut, far_b)  # x = t + v
    tail = arb(100).gamma_upper(1 / to_arb(p), 1) / 2
    return (total + arb(0).union(4 * cut + (a + b) * tail)) / (a * b)


def _triple_at_zero(n: Sequence[Fraction], p: Fraction) -> Any:
    """The density at 0 of a X + b Y + c Z, in polar form: the exponent is homogeneous, the radial integral explicit.

    The integral of r exp(-k^p r^p g) dr is Gamma(2/p) / (p k^2 g^(2/p)); directions are (1, u) and (u, 1), |u| < 1.
    """
    from flint import arb

    p_ = to_arb(p)
    a, b, c = (to_arb(x) for x in n)
    cut = edge()
    total = arb(0)
    for first, second in ((a, b), (b, a)):
        for sign in (1, -1):

            def sphere(u: Any, first: Any = first, second: Any = second, sign: int = sign) -> Any:
                g = (1 / first) ** p_ + complex_power(u / second, p) + complex_power((1 + sign * u) / c, p)
                return (-(g.log() * 2 / p_)).exp()

            # at the two ends |u|^p and |1 - u|^p are not analytic; there g >= (1/first)^p, so g^(-2/p) <= first^2
            total += integral(sphere, cut, 1 - cut) + arb(0).union(2 * cut * first * first)
    return 2 * total * (2 / p_).gamma() / (p_ * peak_scale(p) ** 2 * a * b * c)

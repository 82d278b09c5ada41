"""Special functions whose errors are bounded, not estimated.

Each function takes exact numbers (ints, Fractions, strings such as "0.1") or enclosures and returns an `Enclosure` that
contains the true value, computed in ball arithmetic (python-flint's ``arb``). For an exact argument the precision is
raised until the enclosure is narrower than ``10**-digits`` times the value; for an enclosure the ends are evaluated
and the result is as wide as the argument makes it. An end of an argument that lies on the border of a function's domain
stands for the limit there, so ``log(Enclosure(0, 1))`` is unbounded below. Values nearer to 0 than 2^-20000 are only
enclosed together with 0 (see `Enclosure.from_arb`).

>>> print(f"{normal_cdf(1):.20f}")
[0.84134474606854294858, 0.84134474606854294859]
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.enclosure import Enclosure, Undecided, as_enclosure
from theory.numbers import End, Exact, exact_number, whole_number

if TYPE_CHECKING:
    from collections.abc import Callable

    Point = Callable[[Fraction, int], tuple[End, End]]

HOW = "ball arithmetic"
Real = Enclosure | Exact

_INF = math.inf
_DOUBLINGS = 12
"""Precision is doubled at most so often: 30 digits start at 120 bits and end at half a million."""


# ---- elementary functions ----


def exp(x: Real, digits: int = 30) -> Enclosure:
    """e**x."""
    return _monotone("exp", x, _ball(lambda t: t.exp()), digits, limits=(0, _INF))


def log(x: Real, digits: int = 30) -> Enclosure:
    """The natural logarithm, for x > 0."""
    return _monotone("log", x, _ball(lambda t: t.log()), digits, domain=(0, _INF), limits=(-_INF, _INF))


def log2(x: Real, digits: int = 30) -> Enclosure:
    """The logarithm to base 2, for x > 0; exact at powers of two.

    >>> log2("1/8").fraction
    Fraction(-3, 1)
    """
    return _monotone("log2", x, _ball(lambda t: t.log_base(2)), digits, domain=(0, _INF), limits=(-_INF, _INF))


def sqrt(x: Real, digits: int = 30) -> Enclosure:
    """The square root, for x >= 0; exact at squares of rational numbers.

    >>> sqrt("9/16").fraction
    Fraction(3, 4)
    """
    return power(x, Fraction(1, 2), digits)


def power(x: Real, exponent: Exact, digits: int = 30) -> Enclosure:
    """x**exponent for a rational exponent and x >= 0 (x > 0 when the exponent is negative); exact where it is rational.

    >>> power("8/27", "-2/3").fraction
    Fraction(9, 4)
    """
    r = exact_number(exponent, "exponent")
    if r == 0:
        return Enclosure.exact(1)

    def point(t: Fraction, digits: int) -> tuple[End, End]:
        # A rational value is returned exactly, unless it fills pages.
        size = max(t.numerator.bit_length(), t.denominator.bit_length())
        if size * abs(r) < 100_000 and (root := _rational_root(t, r.denominator)) is not None:
            return root**r.numerator, root**r.numerator
        return _ball(lambda u: (u.log() * _arb(r)).exp())(t, digits)

    limits: tuple[End, End] = (0, _INF) if r > 0 else (_INF, 0)
    return _monotone(f"power {r}", x, point, digits, domain=(0, _INF), limits=limits)


def tanh(x: Real, digits: int = 30) -> Enclosure:
    """The hyperbolic tangent."""
    return _monotone("tanh", x, _ball(lambda t: t.tanh()), digits, limits=(-1, 1))


def gamma(x: Real, digits: int = 30) -> Enclosure:
    """Euler's Gamma function, for x > 0. It falls up to 1.46... and rises after; where an enclosure meets [7/5, 3/2],
    the lower end is valid but not tight.

    >>> print(f"{gamma('1/2'):.12f}")
    [1.772453850905, 1.772453850906]
    """
    x = as_enclosure(x)
    point = _ball(lambda t: t.gamma())
    falls, rises = Fraction(7, 5), Fraction(3, 2)
    if x.is_exact or x.lo >= rises:
        return _monotone("gamma", x, point, digits, domain=(0, _INF), limits=(_INF, _INF), within=(0, _INF))
    if x.hi <= falls:
        return _monotone("gamma", x, point, digits, domain=(0, _INF), limits=(_INF, 0), within=(0, _INF))
    _check_domain("gamma", x, 0, _INF)
    with _precision(_ladder(digits)[0]):
        turn = _arb(Fraction(max(x.lo, falls))).union(_arb(Fraction(min(x.hi, rises)))).gamma()
    parts = [Enclosure.from_arb(turn)]
    if x.lo < falls:
        parts.append(gamma(Enclosure(x.lo, falls), digits))
    if x.hi > rises:
        parts.append(gamma(Enclosure(rises, x.hi), digits))
    return Enclosure(min(part.lo for part in parts), max(part.hi for part in parts), (*x.how, HOW), x.alpha)


def gamma_upper(s: Exact, x: Real, digits: int = 30) -> Enclosure:
    """The regularised incomplete gamma function Q(s, x) = Gamma(s, x) / Gamma(s), for s > 0; it falls in x >= 0.

    >>> print(f"{gamma_upper('1/2', 2):.12f}")
    [0.045500263896, 0.045500263897]
    """
    shape = exact_number(s, "s")
    if shape <= 0:
        raise ValueError(f"s {shape} is no shape of a gamma law; it must be positive")
    point = _ball(lambda t: t.gamma_upper(_arb(shape), regularized=True))
    return _monotone("gamma_upper", x, point, digits, domain=(0, _INF), limits=(1, 0))


# ---- the normal law ----


def erf(x: Real, digits: int = 30) -> Enclosure:
    """The error function 2/sqrt(pi) * integral of exp(-t^2) over [0, x]."""
    return _monotone("erf", x, _ball(lambda t: t.erf()), digits, limits=(-1, 1))


def normal_cdf(x: Real, digits: int = 30) -> Enclosure:
    """The standard normal distribution function, erfc(-x / sqrt 2) / 2; relatively accurate in the left tail too."""
    return _monotone("normal_cdf", x, _ball(lambda t: (-t / _arb(2).sqrt()).erfc() / 2), digits, limits=(0, 1))


def normal_pdf(x: Real, digits: int = 30) -> Enclosure:
    """The standard normal density exp(-x^2/2) / sqrt(2 pi)."""

    def density(t: Any) -> Any:
        return (-t * t / 2).exp() / (2 * t.pi()).sqrt()

    distance = abs(as_enclosure(x))  # the density falls with the distance from 0
    return _monotone("normal_pdf", distance, _ball(density), digits, limits=(None, 0), within=(0, 1))


def normal_quantile(q: Real, digits: int = 30) -> Enclosure:
    """The inverse of `normal_cdf`, for 0 < q < 1.

    >>> print(f"{normal_quantile('39/40'):.12f}")
    [1.959963984540, 1.959963984541]
    """

    def point(t: Fraction, digits: int) -> tuple[End, End]:
        if t > Fraction(1, 2):  # the side where the inverse keeps its digits
            lo, hi = point(1 - t, digits)
            return -hi, -lo
        return _ball(lambda u: -_arb(2).sqrt() * (2 * u).erfcinv())(t, digits)

    return _monotone("normal_quantile", q, point, digits, domain=(0, 1), limits=(-_INF, _INF))


# ---- beta and binomial laws ----


def beta_cdf(x: Real, a: Exact, b: Exact, digits: int = 30) -> Enclosure:
    """The distribution function of the Beta(a, b) law (the regularised incomplete beta function), for 0 <= x <= 1."""
    return _monotone("beta_cdf", x, _ball(_beta_cdf(*_shape(a, b))), digits, domain=(0, 1), limits=(0, 1))


def beta_quantile(q: Real, a: Exact, b: Exact, digits: int = 30) -> Enclosure:
    """The inverse of `beta_cdf` in x, for 0 <= q <= 1: ends between which the distribution function provably passes q.

    >>> print(f"{beta_quantile('1/4', 1, 2):.12f}")  # 1 - sqrt(3)/2
    [0.133974596215, 0.133974596216]
    """
    a, b = _shape(a, b)
    lower, upper, density = _beta_cdf(a, b), _beta_cdf(b, a), _beta_density(a, b)

    def point(t: Fraction, digits: int) -> tuple[End, End]:
        from scipy.special import betainccinv, betaincinv

        # The smaller of the two tails keeps its digits.
        if t <= Fraction(1, 2):
            guess = betaincinv(float(a), float(b), float(t))
            return _invert(lambda x: lower(x) - _arb(t), density, float(guess), digits)
        guess = betainccinv(float(a), float(b), float(1 - t))
        return _invert(lambda x: _arb(1 - t) - upper(1 - x), density, float(guess), digits)

    return _monotone("beta_quantile", q, point, digits, domain=(0, 1), limits=(0, 1))


def binomial_tail(k: int, n: int, p: Real, digits: int = 30) -> Enclosure:
    """P(X >= k) for X binomial with n trials of success probability p; it equals `beta_cdf` of p at (k, n - k + 1).

    >>> print(f"{binomial_tail(9, 10, '1/2'):.12f}")  # 11/1024
    [0.010742187499, 0.010742187501]
    """
    k, n = whole_number(k, "k"), whole_number(n, "n")
    if n < 0:
        raise ValueError(f"n {n} is negative; allowed are 0, 1, 2, ... trials")
    _check_domain("binomial_tail", as_enclosure(p), 0, 1)
    if k <= 0 or k > n:
        return Enclosure.exact(int(k <= 0))
    return beta_cdf(p, k, n - k + 1, digits)


# ---- machinery ----


def _precision(bits: int) -> Any:
    """A ``with`` block at that working precision.

    flint keeps one precision for the whole process: set and left, it would silently change everybody else's digits, so
    it is restored on the way out, exceptions included. Another thread that changes it meanwhile costs tightness, never
    validity.
    """
    from flint import ctx

    return ctx.workprec(bits)


def _arb(x: Fraction | int) -> Any:
    """A ball of one rounding error around x."""
    from flint import arb, fmpq

    x = Fraction(x)
    return arb(fmpq(x.numerator, x.denominator))


def _ladder(digits: int) -> list[int]:
    """Working precisions in bits, each twice the one before."""
    if isinstance(digits, bool) or not isinstance(digits, int) or not 1 <= digits <= 10_000:
        raise ValueError(f"digits {digits!r} is not allowed; choose from 1 to 10000")
    first = math.ceil(digits * math.log2(10)) + 20
    return [first << i for i in range(_DOUBLINGS + 1)]


def _ball(function: Callable[[Any], Any]) -> Point:
    """The ends of function(x) for an exact x, at the first precision that gives the digits asked for."""

    def point(x: Fraction, digits: int) -> tuple[End, End]:
        for bits in (ladder := _ladder(digits)):
            with _precision(bits):
                value = function(_arb(x))
                if value.is_finite() and (bits == ladder[-1] or value.rel_accuracy_bits() > digits * math.log2(10) + 2):
                    ball = Enclosure.from_arb(value)
                    return ball.lo, ball.hi
        raise Undecided(f"no finite enclosure at {x} within {ladder[-1]} bits")

    return point


def _monotone(
    name: str,
    x: Real,
    point: Point,
    digits: int,
    *,
    domain: tuple[End, End] = (-_INF, _INF),
    limits: tuple[End | None, End],
    within: tuple[End, End] | None = None,
) -> Enclosure:
    """A monotone function of an enclosure, from its values at the ends and its limits at the borders of the domain.

    A limit of None means that the border is evaluated like any other point. Every value lies ``within`` the limits.
    """
    x = as_enclosure(x)
    _ladder(digits)
    _check_domain(name, x, *domain)
    values: list[End] = []
    for end in (x.lo,) if x.is_exact else (x.lo, x.hi):
        limit = limits[0] if end == domain[0] else limits[1] if end == domain[1] else None
        if limit is None:
            values += point(Fraction(end), digits)
        elif x.is_exact and isinstance(limit, float):
            raise ValueError(f"{name} of {end} is infinite; the argument must lie strictly inside the domain")
        else:
            values.append(limit)
    known = [limit for limit in limits if limit is not None]
    floor, ceiling = within or (min(known), max(known))
    return Enclosure(max(min(values), floor), min(max(values), ceiling), (*x.how, HOW), x.alpha)


def _check_domain(name: str, x: Enclosure, lo: End, hi: End) -> None:
    if x.hi < lo or x.lo > hi:
        raise ValueError(f"{name} of {x} does not exist; the argument must lie in [{lo}, {hi}]")
    if x.lo < lo or x.hi > hi:
        raise Undecided(f"{name} of {x} may not exist; the argument must be known to lie in [{lo}, {hi}]")


def _invert(
    difference: Callable[[Any], Any], slope: Callable[[Any], Any], guess: float | Fraction, digits: int
) -> tuple[Fraction, Fraction]:
    """Ends 0 <= lo < hi <= 1 between which a difference that rises on (0, 1) from negative to positive changes sign.

    Newton's method proposes, ball arithmetic at both ends decides: neither the guess nor the slope is trusted.
    """
    for coarse in (False, True):
        if coarse:  # the guess led nowhere: find the neighbourhood by bisection first
            lo, hi = _bisect(difference, 2)
            guess = (lo + hi) / 2
        if 0 < guess < 1 and (found := _newton(difference, slope, Fraction(guess), digits)):
            return found
    return _bisect(difference, digits)


def _newton(
    difference: Callable[[Any], Any], slope: Callable[[Any], Any], x: Fraction, digits: int
) -> tuple[Fraction, Fraction] | None:
    """Proved ends around the point that Newton's method reaches from x; None when it leaves (0, 1) or fails."""
    for bits in _ladder(digits + 3)[:4]:
        with _precision(bits):
            for _ in range(8):
                step = difference(_arb(x)) / slope(_arb(x))
                moved = x - Fraction(Enclosure.from_arb(step.mid()).lo) if step.is_finite() else Fraction(0)
                if not 0 < moved < 1:
                    break
                x, last = moved, x
                if abs(x - last) * 10 ** (digits + 2) < x:
                    break
            reach = x / (4 * 10**digits)
            lo, hi = x - reach, min(x + reach, Fraction(1))
            if _sign(difference, lo) < 0 and (hi == 1 or _sign(difference, hi) > 0):
                return lo, hi
    return None


def _bisect(difference: Callable[[Any], Any], digits: int) -> tuple[Fraction, Fraction]:
    """The same ends by bisection, for the corners where Newton's method fails; slow and sure."""
    lo, hi = Fraction(0), Fraction(1)
    while (hi - lo) * 10**digits >= lo and hi > Fraction(1, 2**20_000):
        for share in (Fraction(1, 2), Fraction(3, 8)):  # the root itself may sit in one of them
            middle = lo + (hi - lo) * share
            if sign := _proved_sign(difference, middle, digits):
                lo, hi = (middle, hi) if sign < 0 else (lo, middle)
                break
        else:
            raise Undecided(f"cannot tell on which side of {float(middle)} the solution lies")
    return lo, hi


def _proved_sign(difference: Callable[[Any], Any], x: Fraction, digits: int) -> int:
    for bits in _ladder(digits + 3)[:6]:
        with _precision(bits):
            if sign := _sign(difference, x):
                return sign
    return 0


def _sign(difference: Callable[[Any], Any], x: Fraction) -> int:
    """The proved sign of the difference at x; 0 when this precision does not prove one."""
    value = difference(_arb(x))
    return 1 if value > 0 else -1 if value < 0 else 0


def _beta_cdf(a: Fraction, b: Fraction) -> Callable[[Any], Any]:
    return lambda x: x.beta_lower(_arb(a), _arb(b), True)


def _beta_density(a: Fraction, b: Fraction) -> Callable[[Any], Any]:
    def density(x: Any) -> Any:
        scale = (_arb(a + b).lgamma() - _arb(a).lgamma() - _arb(b).lgamma()).exp()
        return scale * x ** _arb(a - 1) * (1 - x) ** _arb(b - 1)

    return density


def _shape(a: Exact, b: Exact) -> tuple[Fraction, Fraction]:
    shape = exact_number(a, "a"), exact_number(b, "b")
    for value, name in zip(shape, "ab", strict=True):
        if value <= 0:
            raise ValueError(f"{name} {value} is no shape of a beta law; it must be positive")
    return shape


def _rational_root(x: Fraction, n: int) -> Fraction | None:
    """The n-th root of x >= 0 when it is rational."""
    from flint import fmpz

    root = Fraction(int(fmpz(x.numerator).root(n)), int(fmpz(x.denominator).root(n)))
    return root if root**n == x else None

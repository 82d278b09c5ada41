"""What a perturbation generator should find: the objective of PGN on models where its maximiser is known.

PGN trains a classifier F and a generator against each other on (PGN, eq (4) and (9))

    max over delta of  J(delta) = Loss(x + delta, y) - c |delta|_2^2,    Loss = -log F_y,  c = c_L = 1/(2 sigma^2).

**Linear score.** With margin m (y times the score at x) and n = |w|_2, the best delta points against the score. With
u = n t - m for its length t, and a = 2c/n^2,

    J = log(1 + e^u) - (a/2)(u + m)^2 =: J_m(u),    J_m'(u) = sigma(u) - a (u + m).

J_m(u) - J_m(-u) = (1 - 2am) u, so **the maximiser crosses the boundary (u > 0) exactly if m < n^2/(4c)**, that is,
if the point is nearer to the boundary than n/(4c). On u > 0, J' is strictly concave, positive (or, at m = n^2/(4c), 0)
at 0 and negative in the end, so it has one zero there; the other side is its mirror image, J_m(-v) = J_{1/a-m}(v) +
const. At m = n^2/(4c) itself there are two maximisers if n^2 > 8c, else the single u = 0.

**Two points** with opposite labels at distance D, any F with two classes: J <= M at both points for all delta means
F_k(z) >= exp(-M - c|z - x_k|^2), which is possible for two probabilities exactly if M is at least

    M* = log max_z (exp(-c|z - x_1|^2) + exp(-c|z - x_2|^2)) > 0.

With kappa = c D^2 and z at (1 +- w)/2 of the way, w = tanh(kappa w/2): M* = log 2 - kappa/4 for kappa <= 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.arbs import enclose, to_arb, working_precision
from theory.enclosure import Enclosure, Undecided
from theory.numbers import Exact, as_fraction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BITS = 320
WIDTH = Fraction(1, 10**30)


@dataclass(frozen=True, slots=True)
class GeneratorAttack:
    """The best perturbation: its ``lengths`` (two where there is a tie, shorter first) and the objective's ``value``.

    ``crosses`` says whether it leaves the point on the wrong side; None if one maximiser does not and the other does,
    or if it stops on the boundary.
    """

    lengths: tuple[Enclosure, ...]
    value: Enclosure
    crosses: bool | None


def best_linear_attack(margin: Exact, norm: Exact, cost: Exact) -> GeneratorAttack:
    """max over t of log(1 + exp(norm t - margin)) - cost t^2 (PGN, eq (4), for a linear score), all maximisers.

    Raises ``ValueError`` unless norm and cost are positive.

    >>> near, far = best_linear_attack(4, 3, "1/2"), best_linear_attack(2, 1, "1/2")
    >>> print(f"{near.lengths[0]:.8f} {near.value:.8f}", near.crosses)
    [2.97859959, 2.97859960] [0.50693004, 0.50693005] True
    >>> print(f"{far.lengths[0]:.8f} {far.value:.8f}", far.crosses)
    [0.13400592, 0.13400593] [0.13489841, 0.13489842] False
    """
    m, n, c = as_fraction(margin, "margin"), _positive(norm, "norm"), _positive(cost, "cost")
    a = 2 * c / n**2
    tie = 1 / (2 * a)
    with working_precision(BITS):
        if m == tie and a >= Fraction(1, 4):
            ends = [(Fraction(0), Fraction(0))]
        else:
            lo, hi = _crossing(a, min(m, 2 * tie - m))
            ends = [(-hi, -lo)] if m > tie else [(lo, hi)] if m < tie else [(-hi, -lo), (lo, hi)]
        lengths = tuple(Enclosure((lo + m) / n, (hi + m) / n, () if lo == hi else "bisection") for lo, hi in ends)
        u = to_arb(Enclosure(*ends[-1]))
        value = enclose((1 + u.exp()).log() - to_arb(a / 2) * (u + to_arb(m)) ** 2)
    return GeneratorAttack(lengths, value, None if m == tie else m < tie)


def linearised_attack(gradient: Sequence[Exact], cost: Exact) -> tuple[tuple[Fraction, ...], Fraction]:
    """g/(2c) and |g|_2^2/(4c): the best perturbation and its gain where the loss is linear with gradient g.

    So PGN is a gradient penalty to first order.

    >>> linearised_attack([3, 4], 50)
    ((Fraction(3, 100), Fraction(1, 25)), Fraction(1, 8))
    """
    c = _positive(cost, "cost")
    g = [as_fraction(value, "gradient") for value in gradient]
    return tuple(value / (2 * c) for value in g), sum((value**2 for value in g), Fraction(0)) / (4 * c)


def two_point_optimum(cost: Exact, squared_distance: Exact) -> Enclosure:
    """M*, the least value of PGN's game on two oppositely labelled points, over all two-class F and all delta.

    It is both the least maximum over the two points and, they being alike, the least mean: log p_1 + log p_2 is
    concave on the convex symmetric set of pairs p_k = exp(-M_k) that are possible, so the best pair has p_1 = p_2.

    >>> [f"{two_point_optimum(50, d):.6f}" for d in (0, "1/25", "1/4")]
    ['[0.693147, 0.693148]', '[0.193147, 0.193148]', '[0.000003, 0.000004]']
    """
    kappa = _positive(cost, "cost") * as_fraction(squared_distance, "squared_distance")
    if kappa < 0:
        raise ValueError(f"squared_distance {squared_distance} is negative")
    with working_precision(BITS):
        if kappa <= 2:
            return enclose(to_arb(2).log() - to_arb(kappa / 4))
        half = to_arb(kappa / 2)
        w = to_arb(Enclosure(*_falling(lambda w: (half * to_arb(w)).tanh() - to_arb(w), Fraction(1))))
        near, far = (1 - w) / 2, (1 + w) / 2
        return enclose(((-2 * half * near**2).exp() + (-2 * half * far**2).exp()).log())


def target_peak(cost: Exact) -> Enclosure:
    """sqrt(c/pi), the density of N(0, 1/(2c)) at 0, which PGN's appendix wants a probability to equal.

    >>> print(f"{target_peak(50):.6f}")
    [3.989422, 3.989423]
    """
    from flint import arb

    with working_precision(BITS):
        return enclose((to_arb(_positive(cost, "cost")) / arb.pi()).sqrt())


def boxed_pixel(x: Exact, factor: Exact) -> Fraction:
    """x q/(1 - x + x q): PGN's eq (5), (tanh(artanh(2x - 1) + G) + 1)/2, with the factor q = e^(2G) > 0.

    G is added to half the log-odds of x. The formula extends eq (5) to x = 0 and x = 1, which no G can change.

    >>> boxed_pixel("1/2", 3), boxed_pixel(0, 3)
    (Fraction(3, 4), Fraction(0, 1))
    """
    x, q = as_fraction(x, "x"), _positive(factor, "factor")
    if not 0 <= x <= 1:
        raise ValueError(f"x {x} is no pixel; allowed are 0 to 1")
    return x * q / (1 - x + x * q)


def _crossing(a: Fraction, m: Fraction) -> tuple[Fraction, Fraction]:
    """The one zero u > 0 of sigma(u) - a(u + m), for m <= 1/(2a); sigma < 1 puts it below 1/a - m."""
    rise, start = to_arb(a), to_arb(m)

    def slope(u: Fraction) -> Any:
        ball = to_arb(u)
        return 1 / (1 + (-ball).exp()) - rise * (ball + start)

    return _falling(slope, 1 / a - m)


def _falling(function: Callable[[Fraction], Any], hi: Fraction) -> tuple[Fraction, Fraction]:
    """Ends around the one zero on (0, hi) of a function that is positive left of it and negative right of it.

    At a positive rational the functions here are not 0: e to such a power is no rational number.
    """
    lo = hi / 2
    while not _is_positive(function(lo)):
        lo, hi = lo / 2, lo
    while hi - lo > WIDTH * min(lo, Fraction(1)):
        middle = (lo + hi) / 2
        lo, hi = (middle, hi) if _is_positive(function(middle)) else (lo, middle)
    return lo, hi


def _is_positive(value: Any) -> bool:
    if value > 0:
        return True
    if value < 0:
        return False
    raise Undecided(f"{value} has no sign at {BITS} bits; the case is too near to a tie")


def _positive(value: Exact, name: str) -> Fraction:
    number = as_fraction(value, name)
    if number <= 0:
        raise ValueError(f"{name} {number} is not positive")
    return number

r"""Margins of linear separators: a bound with an explicit constant, for all margins at once (TRADES, appendix C.2).

**Theorem C.5, with C = 2.** Let |x|_2 <= b under D, 0 < delta < 1 and n >= 2. With probability at least 1 - delta over
n samples, for all gamma > 0 and |w|_2 = 1 at once, with u = b / gamma and L = ln(1/delta),

    R_rob(w) <= 1/n #{i : y_i w.x_i <= 2 gamma + eps} + sqrt(C/n (u^2 ln n + L)),    R_rob(w) = P(y w.x <= eps).

The adversary moves in all of R^d: then "some x' within eps has y w.x' <= 0" is y w.x <= eps.

*Proof.* (1) If u <= 2, then y w.x <= b <= 2 gamma always: the average is 1. So let u > 2, and let i >= 1 have
g := b 2^-(i+1) <= gamma < 2 g = b 2^-i; then gamma < 2 g, b/g < 2 u and i ln 2 < ln u.
(2) Fix i. The ramp h(z), 1 up to eps, 0 from eps + 2 g on and linear between, has slope 1/(2 g). With probability at
least 1 - delta_i, E h(y w.x) <= mean h(y_i w.x_i) + 2 R + sqrt(ln(1/delta_i) / (2 n)) for all w (symmetrisation and
bounded differences; Bartlett and Mendelson, 2002), where by contraction R <= 1/(2 g) E sup_w |w.S|/n = E|S| / (2 g n)
for S = sum of random signs times x_i, and E|S| <= sqrt(sum |x_i|^2) <= b sqrt n. So 2 R <= b / (g sqrt n) < 2 u / sqrt
n. (3) P(y w.x <= eps) <= E h, and h(z) <= 1(z <= eps + 2 g) <= 1(z <= eps + 2 gamma). Take delta_i = 2^-i delta, which
sum to delta: for all w and gamma < b/2 at once,

    R_rob(w) <= 1/n #{...} + 2 u / sqrt n + sqrt((L + ln u) / (2 n)).                                (`direct_penalty`)

(4) (x + y)^2 <= 4/3 x^2 + 4 y^2, so n times the square of the last two terms is at most
16/3 u^2 + 2 ln u + 2 L <= 5.68 u^2 + 2 L, since ln(u)/u^2 falls beyond sqrt(e) < 2 and is at most 0.1733 at u = 2.
(5) If C = 2 and the bound's root is below 1 then n > 2 u^2 ln n > 8 ln n, and n >= 27 (for n = 2, ..., 26 the opposite
holds), so 2 u^2 ln n >= 6.59 u^2 and the root is at least the two terms. If it is not below 1, nothing is claimed. QED

No constant below 1/(4 ln 2) = 0.3606... will do (`least_constant`), and **none at all for n = 1**, where ln n = 0
(`one_sample_counterexample`): the theorem needs n >= 2, or ln(n + 1).

**By the paper's lemmas** C = 6912 comes out, and no less. Lemma C.3 ("for all eta" reads "for all delta"; its gamma_i
must tend to 0, and f_2 is the supremum over |g - h| <= 2 gamma, closed) and Lemma C.4 with the factor n that its print
lost give, at gamma_i = b/v <= gamma < 2 gamma_i, v = 2^i >= 4 (again gamma < b/2), the square

    32/n (ln 4 + 36 v^2 ln((8 v + 4) n + 1) + ln v + L).

Let C/n u^2 ln n < 1; as u > v/2, v^2 < 4 n / (C ln n), and n > 4 C ln n > 3.4e5, ln n > 12. Now (8 v + 4) n + 1 <= 9.1
v n, so ln(...) <= 3/2 ln n + ln 9.1 - ln(C ln n / 4)/2 <= 3/2 ln n - 2.7, and 36 * 2.7 v^2 >= ln 4 + ln v. So the
square is at most 32/n (54 v^2 ln n + L) <= 6912/n (u^2 ln n + L). For v and n growing together along C v^2 ln n = 4 n
the ratio of the two tends to 1: no smaller constant follows for all gamma.

>>> first_informative(2, "1/20"), first_informative(2, "1/20", constant=6912), first_informative_direct(2, "1/20")
(35, 375605, 29)
"""

from __future__ import annotations

import math
from fractions import Fraction

from theory import special
from theory.enclosure import Enclosure, Undecided
from theory.numbers import Exact, as_fraction

CONSTANT = Fraction(2)
"""A constant for which (TRADES, Theorem C.5) is proved above."""

LEMMA_CONSTANT = Fraction(6912)
"""The least constant that (TRADES, Lemmas C.3 and C.4) give by the paper's proof."""


# ---- the bound ----


def penalty(n: int, ratio: Exact, delta: Exact, constant: Exact = CONSTANT) -> Enclosure:
    """sqrt(C/n (u^2 ln n + ln(1/delta))), ``ratio`` u = b / gamma (TRADES, Theorem C.5).

    Raises ``ValueError`` for n < 2, ratio <= 0, delta outside (0, 1) or constant <= 0.

    >>> print(f"{penalty(10_000, 10, '1/20'):.6f}")
    [0.429890, 0.429891]
    """
    return special.sqrt(_square(n, *_checked(n, ratio, delta), positive(constant, "constant")))


def direct_penalty(n: int, ratio: Exact, delta: Exact) -> Enclosure:
    """2 u / sqrt n + sqrt((ln(1/delta) + ln u) / (2 n)): sharper than `penalty`, without ln n (for u <= 1, ln u reads
    0).

    >>> print(f"{direct_penalty(10_000, 10, '1/20'):.6f}")
    [0.216276, 0.216277]
    """
    u, level = _checked(n, ratio, delta)
    spread = level + (special.log(u) if u > 1 else 0)
    return 2 * u / special.sqrt(n) + special.sqrt(spread / (2 * n))


def first_informative(ratio: Exact, delta: Exact, constant: Exact = CONSTANT) -> int:
    """The least N >= 2 such that `penalty` is below 1 for all n >= N; a bound of 1 or more says nothing.

    n - C (u^2 ln n + L) is convex, with its minimum at C u^2. Below a ratio of 2 all samples lie within the margin.

    >>> [first_informative(u, "1/20") for u in (2, 10, 100)]
    [35, 1464, 248468]
    """
    u, level = _checked(2, ratio, delta)
    c = positive(constant, "constant")

    def informative(n: int) -> bool:
        return _square(n, u, level, c) < 1

    lo = max(2, math.floor(c * u * u))
    if informative(lo) and informative(lo + 1):  # the minimum over whole numbers is at one of the two
        return 2
    hi = lo + 1
    while not informative(hi):
        lo, hi = hi, 2 * hi
    while hi - lo > 1:
        middle = (lo + hi) // 2
        lo, hi = (lo, middle) if informative(middle) else (middle, hi)
    return hi


def first_informative_direct(ratio: Exact, delta: Exact) -> int:
    """The least n >= 2 such that `direct_penalty` is below 1; it falls in n."""
    u, level = _checked(2, ratio, delta)
    root = 2 * u + special.sqrt((level + (special.log(u) if u > 1 else 0)) / 2)
    square = root * root
    n = math.floor(square.lo) + 1
    if not square < n:
        raise Undecided(f"cannot tell whether {square} is below {n}")
    return max(2, n)


def least_constant() -> Enclosure:
    """An enclosure of the least constant with which (TRADES, Theorem C.5) holds for all n >= 2.

    Above: 2, by the proof. Below: X uniform on N orthonormal vectors, Y = 1, eps = 0. Two samples differ with
    probability 1 - 1/N; then w = (x_1 + x_2)/sqrt 2 has margin 1/sqrt 2 on both, so no error for 2 gamma < 1/sqrt 2
    (u > 2 sqrt 2), but R_rob = 1 - 2/N, as a score of 0 is an error. As N grows and delta tends to 1, 1 <= C/2 * 8 ln
    2.

    >>> print(f"{least_constant():.6f}")
    [0.360673, 2.000000]
    """
    return Enclosure((1 / (4 * special.log(2))).lo, CONSTANT, ("orthonormal law", "symmetrisation"))


def one_sample_counterexample(delta: Exact, constant: Exact = CONSTANT) -> tuple[Fraction, Enclosure]:
    """Both sides of (TRADES, Theorem C.5) at n = 1: x = e_1, Y = +-1 fair, eps = 0, w = y_1 e_1, gamma < 1/2.

    Always R_rob(w) = 1/2 and no sample within the margin, so the right side is sqrt(C ln(1/delta)): too small, with
    probability 1 instead of at most delta, for every delta > exp(-1/(4 C)).

    >>> left, right = one_sample_counterexample("19/20")
    >>> print(left, f"{right:.6f}", right < left)
    1/2 [0.320291, 0.320292] True
    """
    _, level = _checked(2, 1, delta)
    return Fraction(1, 2), special.sqrt(positive(constant, "constant") * level)


def covering_bound(gamma: Exact, a: Exact, b: Exact, n: int | None = None) -> Enclosure:
    """log2 of the covering number in (TRADES, Lemma C.4) at p = 2: 36 (ab/gamma)^2 log2(2 ceil(4ab/gamma + 2) n + 1).

    The printed statement has no factor n; ``n=None`` leaves it out.

    >>> print(f"{covering_bound('2/5', 1, 1):.3f} {covering_bound('2/5', 1, 1, n=1000):.3f}")
    [1044.867, 1044.868] [3273.931, 3273.932]
    """
    ratio = positive(a, "a") * positive(b, "b") / positive(gamma, "gamma")
    return 36 * ratio**2 * special.log2(2 * math.ceil(4 * ratio + 2) * (1 if n is None else n) + 1)


def covering_counterexample(gamma: Exact = "2/5") -> int:
    """The least k for which n = 2^k samples refute the printed (TRADES, Lemma C.4) with a = b = 1.

    Orthonormal samples, w = +-e_i: the 2 n value vectors +-e_i are 1 or more apart in the sup norm, so for gamma < 1/2
    no ball of radius gamma holds two, and log2 N >= k + 1, while the printed right side does not depend on n.

    >>> covering_counterexample()
    1044
    """
    if not 0 < as_fraction(gamma, "gamma") < Fraction(1, 2):
        raise ValueError(f"gamma {gamma} is outside (0, 1/2); the vectors are only 1 apart")
    printed = covering_bound(gamma, 1, 1)
    k = math.floor(printed.lo)  # the least k with k + 1 > printed
    if not printed < k + 1:
        raise Undecided(f"cannot tell whether {printed} is below {k + 1}")
    return k


# ---- machinery ----


def _square(n: int, u: Fraction, level: Enclosure, c: Fraction) -> Enclosure:
    return c / Fraction(n) * (u * u * special.log(n) + level)


def _checked(n: int, ratio: Exact, delta: Exact) -> tuple[Fraction, Enclosure]:
    if isinstance(n, bool) or not isinstance(n, int) or n < 2:
        raise ValueError(f"n {n!r} is too few samples; the bound holds for 2 or more, and fails for 1")
    share = as_fraction(delta, "delta")
    if not 0 < share < 1:
        raise ValueError(f"delta {delta} is outside (0, 1); it is the probability that the bound fails")
    return positive(ratio, "ratio"), -special.log(share)


def positive(value: Exact, name: str) -> Fraction:
    """The number, if it is above 0."""
    number = as_fraction(value, name)
    if number <= 0:
        raise ValueError(f"{name} {value} is not positive; allowed are numbers above 0")
    return number

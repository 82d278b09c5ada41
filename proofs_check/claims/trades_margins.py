"""Claims of TRADES' appendix C.2: margins of linear separators, covering numbers, and Algorithm 2."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from proofs_check.claims.trades import rounded_up
from proofs_check.core import Evidence, claim
from proofs_check.provers import confirmed, given_case, sampled, solve

if TYPE_CHECKING:
    from hypothesis import strategies as st

Vector = tuple[Fraction, ...]

# ---- C.2: separators and margins ------------------------------------------------------------------------------------


@claim(
    "trades-gamma-separator",
    paper="TRADES",
    label="gamma-separators exist",
    place="Appendix C.2",
    kind="remark",
    statement="f2(h) = sup of f1 within 2 gamma of h and f3(h) = sup of f1 within gamma of h make f3 a gamma-separator "
    "of f1 and f2: |h1 - h2| <= gamma implies f1(h1) <= f3(h2) <= f2(h1).",
    expected="PROVED",
    covers="every bounded f1: R -> R and gamma > 0",
)
def gamma_separator(_budget: int) -> Evidence:
    """h1 is within gamma of h2, so f1(h1) <= f3(h2). Every h within gamma of h2 is within 2 gamma of h1 (core), so
    f3(h2) is a supremum over fewer places than f2(h1).
    """
    from z3 import And, Implies, Reals

    h, h1, h2, gamma = Reals("h h1 h2 gamma")
    near = [h1 - h2 <= gamma, h2 - h1 <= gamma]
    within = And(h - h2 <= gamma, h2 - h <= gamma)
    return solve([*near, gamma > 0], {"nested": Implies(within, And(h - h1 <= 2 * gamma, h1 - h <= 2 * gamma))})


@claim(
    "trades-lemma-c.3",
    paper="TRADES",
    label="Lemma C.3",
    place="Appendix C.2",
    kind="lemma",
    statement="For f1 <= f2^gamma with gamma-separators, gamma_i falling and sum p_i = 1: for all eta > 0, with "
    "probability at least 1 - delta, E f1(L(w)) <= mean f2^gamma(L(w)) + sqrt(32/n (ln 4 N_inf(L, gamma_i, x_1:n) + ln "
    "1/(p_i delta))) for all w and gamma, with the first gamma_i <= gamma.",
    expected="UNDECIDED",
    covers="nothing: the lemma is cited without proof (Zha02, Corollary 1); Theorem C.5, repaired, does not rest on it",
    reading="eta and delta are one symbol; gamma_i must tend to 0 for a gamma_i <= gamma to exist.",
)
def lemma_c3(_budget: int) -> Evidence:
    return Evidence("UNDECIDED", "cited without a proof; neither proved nor refuted here")


@dataclass(frozen=True, slots=True)
class Covering:
    """gamma, and log2 of the number n of orthonormal samples, of norm 1, for separators of norm 1."""

    gamma: Fraction
    log2_samples: int


def covering_margin(case: Covering) -> Fraction:
    """The printed bound on log2 N minus log2(2 n), for gamma < 1/2: any two w = +-e_i are 1 apart on a sample."""
    from theory.trades.margin import covering_bound

    if not case.gamma < Fraction(1, 2):
        raise ValueError(f"gamma {case.gamma} is not below 1/2; the vectors are only 1 apart")
    return rounded_up(covering_bound(case.gamma, 1, 1) - (case.log2_samples + 1))


@claim(
    "trades-lemma-c.4",
    paper="TRADES",
    label="Lemma C.4",
    place="Appendix C.2",
    kind="lemma",
    statement="log2 N_inf(L, gamma, n) <= 36 (p-1) a^2 b^2/gamma^2 log2(2 ceil(4ab/gamma + 2) + 1) for |x|_p <= b and "
    "|w|_q <= a, 1/p + 1/q = 1, 2 <= p < infinity.",
    expected="AMENDED",
    covers="false for p = 2, a = b = 1, gamma = 2/5 and n = 2^1044 orthonormal samples: w = +-e_i are 2n functions, "
    "each two 1 apart, and the right side, 1044.87, does not grow with n",
    amendment="trades-lemma-c.4-repaired",
    searched="C.2: the proof of Theorem C.5 gets its ln n from this lemma, so a factor n is lost inside the logarithm",
)
def lemma_c4(_budget: int) -> Evidence:
    return given_case(covering_margin, Covering(Fraction(2, 5), 1044))


@dataclass(frozen=True, slots=True)
class Walk:
    """Samples, a separator w and gamma."""

    samples: tuple[Vector, ...]
    w: Vector
    gamma: Fraction


def _dot(x: Vector, y: Vector) -> Fraction:
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))


def walk_margin(case: Walk) -> Fraction:
    """a^2 b^2/gamma^2 minus the steps that v needs from 0 until |v.x_i - w.x_i| <= gamma for all i, as in the proof."""
    square = max(_dot(x, x) for x in case.samples)
    v: Vector = tuple(Fraction(0) for _ in case.w)
    steps = 0
    while True:
        gaps = [(_dot(case.w, x) - _dot(v, x), x) for x in case.samples]
        gap, x = max(gaps, key=lambda item: abs(item[0]))
        if abs(gap) <= case.gamma:
            return _dot(case.w, case.w) * square / case.gamma**2 - steps
        move = case.gamma / square * (1 if gap > 0 else -1)
        v = tuple(a + move * b for a, b in zip(v, x, strict=True))
        steps += 1


def walks() -> st.SearchStrategy[Walk]:
    """Up to four samples in the plane."""
    from hypothesis import strategies as st

    from theory.strategies import rationals

    number = rationals(lo=-2, hi=2, denominators=(1, 2))
    point = st.tuples(number, number)
    samples = st.lists(point, min_size=1, max_size=4).map(tuple)
    return st.builds(Walk, samples, point, rationals(lo="1/4", hi=1, denominators=(2, 4)))


@claim(
    "trades-lemma-c.4-repaired",
    paper="TRADES",
    label="Lemma C.4, repaired",
    place="Appendix C.2",
    kind="repair",
    statement="The lemma with 2 ceil(4ab/gamma + 2) n + 1 in the logarithm; at p = 2 even log2 N_inf(L, gamma, n) <= "
    "a^2 b^2/gamma^2 log2(2n + 1), or with 4 a^2 b^2/gamma^2 if the centres must be separators of the family.",
    expected="PROVED",
    covers="p = 2, which Theorem C.5 uses, all a, b, gamma > 0 and n (for p > 2 the same walk, with the "
    "(p-1)-smoothness of |.|_p^2/2 in the place of the square)",
    repairs="trades-lemma-c.4",
)
def lemma_c4_repaired(budget: int) -> Evidence:
    """Given w, start at v = 0, and while some sample has r = s (w - v).x_i > gamma for a sign s, add s (gamma/b^2) x_i
    to v. Then |w - v|^2 falls by more than gamma^2/b^2 (core), from at most a^2, so there are fewer than a^2
    b^2/gamma^2 steps, and in the end |v.x_i - w.x_i| <= gamma for all i. Each step is one of 2n; with the empty step, v
    is one of at most (2n + 1)^m vectors, m = floor(a^2 b^2/gamma^2), and these cover. Centres within the family cost a
    factor 2 in gamma. Both are below the lemma's bound, as ceil(...) >= 3. Beside it the walk is carried out in
    rationals.
    """
    from z3 import Reals

    r, square, before, after, gamma, b2 = Reals("r |x|^2 before after gamma b^2")
    step = gamma / b2
    proof = solve(
        [
            gamma > 0,
            b2 > 0,
            square >= 0,
            square <= b2,
            r > gamma,
            after == before - 2 * step * r + step * step * square,
        ],
        {"the distance falls": after * b2 < before * b2 - gamma * gamma},
    )
    return confirmed(proof, sampled(walk_margin, walks(), max(1, budget // 5)))


@dataclass(frozen=True, slots=True)
class OneSample:
    """delta and a constant C for Theorem C.5 at n = 1."""

    delta: Fraction
    constant: Fraction


def one_sample_margin(case: OneSample) -> Fraction:
    """Right minus left side for x = e_1, Y = +-1 fair, eps = 0, w = y_1 e_1, gamma < 1/2, whichever y_1."""
    from theory.trades.margin import one_sample_counterexample

    left, right = one_sample_counterexample(case.delta, case.constant)
    return rounded_up(right - left)


@claim(
    "trades-theorem-c.5",
    paper="TRADES",
    label="Theorem C.5",
    place="Appendix C.2",
    kind="theorem",
    statement="For |x|_2 <= b, |w|_2 = 1: with probability at least 1 - delta over n samples, for all gamma > 0 and w, "
    "R_rob(w) <= 1/n #{i: y_i w.x' <= 2 gamma for some x' within eps of x_i} + sqrt(C/n (b^2/gamma^2 ln n + ln "
    "1/delta)).",
    expected="AMENDED",
    covers="false at n = 1, where ln n = 0: 1/2 <= sqrt(C ln(1/delta)) fails surely for delta > exp(-1/(4C)); shown "
    "for C = 2 and delta = 19/20",
    reading="C is an absolute constant, not named; the adversary moves in all of R^d.",
    amendment="trades-theorem-c.5-repaired",
    searched="C.2 for a lower bound on n: none; Lemma C.4 as printed would give no ln n at all",
)
def theorem_c5(_budget: int) -> Evidence:
    return given_case(one_sample_margin, OneSample(Fraction(19, 20), Fraction(2)))


@claim(
    "trades-theorem-c.5-repaired",
    paper="TRADES",
    label="Theorem C.5, repaired",
    place="Appendix C.2",
    kind="repair",
    statement="Theorem C.5 for n >= 2, with C = 2.",
    expected="PROVED",
    covers="every law on |x|_2 <= b, eps >= 0, 0 < delta < 1 and n >= 2, for all gamma > 0 and |w|_2 = 1 at once",
    premises=("n >= 2",),
    repairs="trades-theorem-c.5",
    without={"n >= 2": lambda _budget: given_case(one_sample_margin, OneSample(Fraction(19, 20), Fraction(2)))},
)
def theorem_c5_repaired(_budget: int) -> Evidence:
    """With u = b/gamma and L = ln(1/delta). (1) If u <= 2, then y w.x <= b <= 2 gamma: the average is 1. Let u > 2, and
    let i >= 1 have g = b 2^-(i+1) <= gamma < 2g; then b/g < 2u and i ln 2 < ln u. (2) The ramp h, 1 up to eps, 0 from
    eps + 2g on, has slope 1/(2g). By symmetrisation, contraction and bounded differences, with probability at least 1 -
    2^-i delta, E h <= mean h + 2u/sqrt n + sqrt((L + ln u)/(2n)) for all w. (3) R_rob(w) = P(y w.x <= eps) <= E h and
    h(z) <= 1(z <= eps + 2 gamma); the probabilities 2^-i delta sum to delta. (4) (x + y)^2 <= 4/3 x^2 + 4 y^2 (core:
    the difference is (x - 3y)^2/3), so n times the square of the last two terms is at most 16/3 u^2 + 2 ln u + 2L <=
    5.68 u^2 + 2L, as ln(u)/u^2 falls beyond sqrt e < 2 and is at most 0.1733 at 2 (core). (5) If 2/n (u^2 ln n + L) <
    1, then n > 2 u^2 ln n > 8 ln n, so n >= 27, as n <= 8 ln n for n = 2, ..., 26 (core); and 2 ln n >= 6.59 (core), so
    the root is at least the two terms. If it is not below 1, nothing is claimed.
    """
    from z3 import Reals

    from theory import special

    x, y = Reals("x y")
    proof = solve([], {"the square": 4 * x * x / 3 + 4 * y * y - (x + y) * (x + y) >= 0})
    numbers = [
        special.log(2) / 4 <= Fraction(1733, 10_000),
        Fraction(16, 3) + 2 * Fraction(1733, 10_000) <= Fraction(568, 100),
        2 * special.log(27) >= Fraction(659, 100),
        *(8 * special.log(n) >= n for n in range(2, 27)),
    ]
    if not all(numbers):
        return Evidence("UNDECIDED", "a numerical step fails", len(numbers))
    how = f"{proof.how}; {len(numbers)} numerical steps in ball arithmetic"
    return Evidence(proof.kind, how, proof.cases + len(numbers), core=True)


@dataclass(frozen=True, slots=True)
class Margin:
    """A margin h and gamma."""

    h: Fraction
    gamma: Fraction


def open_supremum_margin(case: Margin) -> int:
    """-abs(sup of 1(g <= 0) over |g - h| < 2 gamma - 1(h <= 2 gamma)): a g <= 0 is there if h - 2 gamma < 0."""
    return -abs(int(case.h - 2 * case.gamma < 0) - int(case.h <= 2 * case.gamma))


@claim(
    "trades-theorem-c.5-proof",
    paper="TRADES",
    label="f_2 in the proof of Theorem C.5",
    place="Appendix C.2",
    kind="formula",
    statement="f_2(h) = sup over |g - h| < 2 gamma of 1(g <= 0) = 1(h <= 2 gamma).",
    expected="AMENDED",
    covers="false at h = 2 gamma, where the supremum over g > 0 is 0",
    amendment="trades-theorem-c.5-proof-repaired",
)
def theorem_c5_proof(_budget: int) -> Evidence:
    return given_case(open_supremum_margin, Margin(Fraction(2), Fraction(1)))


@claim(
    "trades-theorem-c.5-proof-repaired",
    paper="TRADES",
    label="f_2 in the proof of Theorem C.5, repaired",
    place="Appendix C.2",
    kind="repair",
    statement="The supremum over |g - h| <= 2 gamma of 1(g <= 0) is 1(h <= 2 gamma).",
    expected="PROVED",
    covers="every h and gamma > 0",
    repairs="trades-theorem-c.5-proof",
)
def theorem_c5_proof_repaired(_budget: int) -> Evidence:
    """If some g <= 0 has g >= h - 2 gamma, then h <= 2 gamma; and if so, g = h - 2 gamma is one (core)."""
    from z3 import And, Implies, Reals

    g, h, gamma = Reals("g h gamma")
    return solve(
        [gamma > 0],
        {
            "only if": Implies(And(g <= 0, g >= h - 2 * gamma), h <= 2 * gamma),
            "if": Implies(h <= 2 * gamma, h - 2 * gamma <= 0),
        },
    )


@claim(
    "trades-robust-margin",
    paper="TRADES",
    label="1(y w.x' <= 2 gamma for some x') = 1(y w.x <= 2 gamma + eps)",
    place="Appendix C.2, after Theorem C.5",
    kind="formula",
    statement="For |w|_2 = 1 some x' within eps of x has y w.x' <= 2 gamma exactly if y w.x <= 2 gamma + eps.",
    expected="PROVED",
    covers="every x, w, label, gamma and eps >= 0, in any dimension",
    reading="The adversary moves in all of R^d, as the print has it there; within X = {|x| <= b} only 'if' may fail.",
)
def robust_margin(_budget: int) -> Evidence:
    """Let d = x' - x and t = y w.d. 0 <= |d - (w.d) w|^2 = |d|^2 - t^2, so t >= -eps (core), and d = -eps y w has t =
    -eps. So the least y w.x' is y w.x - eps, attained.
    """
    from z3 import Reals

    t, square, eps, score, level = Reals("t |d|^2 eps y*w.x 2gamma")
    return solve(
        [eps >= 0, square - t * t >= 0, square <= eps * eps],
        {"t >= -eps": t >= -eps, "the two events": (score - eps <= level) == (score <= level + eps)},
    )


# ---- Algorithm 2 ----------------------------------------------------------------------------------------------------


@claim(
    "trades-algorithm-2-minimum",
    paper="TRADES",
    label="Algorithm 2, step 2",
    place="Appendix C.2",
    kind="procedure",
    statement="The minimax problem is min over |w|_2 = 1 of 1/n #{i: y_i w.x_i <= 2 gamma_k + eps}.",
    expected="PROVED",
    covers="every sample, gamma_k > 0 and eps >= 0: the minimum exists, and the sphere may be replaced by the unit "
    "ball",
)
def algorithm_2_minimum(_budget: int) -> Evidence:
    """The maxima are the indicators of trades-robust-margin. The average takes n + 1 values at most, so its infimum is
    a minimum. With c = 2 gamma + eps >= 0, a vector w of norm r in (0, 1] with y w.x > c has y (w/r).x > c (core), and
    w = 0 is right nowhere; so the ball allows no fewer errors than the sphere.
    """
    from z3 import Reals

    t, r, c = Reals("t r c")
    return solve([c >= 0, r > 0, r <= 1, t > c], {"a longer w does as well": t / r > c})


@dataclass(frozen=True, slots=True)
class Sample:
    """Points of the plane times their labels, and the threshold 2 gamma + eps."""

    points: tuple[Vector, ...]
    threshold: Fraction


def routes_margin(case: Sample) -> int:
    """Minus the difference of the least errors by a sweep over arcs and by branching over conflicts."""
    from theory.trades.separators import best_separator

    ones = [1] * len(case.points)
    found = [best_separator(case.points, ones, case.threshold, method).errors for method in ("sweep", "branch")]
    return -abs(found[0] - found[1])


def plane_samples() -> st.SearchStrategy[Sample]:
    """Up to five points."""
    from hypothesis import strategies as st

    from theory.strategies import rationals

    number = rationals(lo=-2, hi=2, denominators=(1, 2))
    points = st.lists(st.tuples(number, number), min_size=1, max_size=5).map(tuple)
    return st.builds(Sample, points, rationals(hi=2, denominators=(1, 2)))


@claim(
    "trades-algorithm-2",
    paper="TRADES",
    label="Algorithm 2",
    place="Appendix C.2",
    kind="procedure",
    statement="For each gamma_k find w_k of least error at margin 2 gamma_k + eps; return the one of least error plus "
    "sqrt(C/n (b^2/gamma_k^2 ln n + ln 1/delta)).",
    expected="SUPPORTED",
    covers="step 2 as theory.trades.separators solves it: a sweep over arcs and a search over conflicts agree on "
    "random samples in the plane",
    reading="Step 4 needs C, which the paper does not name; with the 6912 of its lemmas the penalty exceeds 1 below "
    "3.5e5 samples, so the largest gamma is always chosen there.",
)
def algorithm_2(budget: int) -> Evidence:
    return sampled(routes_margin, plane_samples(), max(1, budget // 10))

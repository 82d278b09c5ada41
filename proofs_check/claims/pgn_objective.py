"""Claims of PGN's Appendix A, eq (7) to (9): the objective, its maximiser and what its optimum can be.

J(delta) = Loss(x + delta, y) - c |delta|^2 with Loss = -log F_y and c = 1/(2 sigma^2); p_n is the density of
N(0, sigma^2), and C = log(sqrt(2 pi) sigma).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

from proofs_check.claims.pgn import (
    OPPOSED,
    Linear,
    games,
    linears,
    max_exchange_margin,
    max_order_margin,
    mean_core,
    min_exchange_margin,
    min_order_margin,
)
from proofs_check.core import Evidence, claim
from proofs_check.provers import confirmed, given_case, identity, sampled, solve
from theory.arbs import enclose, to_arb, working_precision
from theory.pgn import best_linear_attack, two_point_optimum

if TYPE_CHECKING:
    from theory.enclosure import Enclosure

pgn = partial(claim, paper="PGN", place="Appendix A")

# ---- eq (7) ---------------------------------------------------------------------------------------------------------


@pgn(
    "pgn-eq7",
    label="eq (7)",
    kind="formula",
    statement="E max of Loss(x + delta, y) = E max of log(1/F(x + delta)_y) over delta in S.",
    expected="PROVED",
    covers="the cross-entropy, every F with positive probabilities",
    reading="The scan lost the fraction bar.",
)
def eq_7(_budget: int) -> Evidence:
    """Loss = -log F_y, and -log F = log(1/F) for F > 0 (identity)."""
    from sympy import expand_log, log, symbols

    f = symbols("F", positive=True)
    return identity({"-log F = log(1/F)": -log(f) - expand_log(log(1 / f))})


@dataclass(frozen=True, slots=True)
class Odds:
    """The odds e^gap of the true class in a two-class softmax with finite logits."""

    odds: Fraction


def certain_margin(case: Odds) -> Fraction:
    """F_y - 1."""
    return case.odds / (1 + case.odds) - 1


@pgn(
    "pgn-eq7-feasible",
    label="eq (7), feasibility",
    kind="remark",
    statement="F(x + delta)_y = 1 for all delta in S is feasible only when S is a very small norm ball.",
    expected="AMENDED",
    covers="false: it is never feasible by softmax, odds of 9 to 1 have F_y = 9/10; and as a limit S need not be very "
    "small",
    amendment="pgn-eq7-feasible-repaired",
    searched="eq (2), which makes F a softmax",
)
def eq_7_feasible(_budget: int) -> Evidence:
    return given_case(certain_margin, Odds(Fraction(9)))


@pgn(
    "pgn-eq7-feasible-repaired",
    label="eq (7), feasibility, repaired",
    kind="repair",
    statement="The least worst-case loss over all F is 0 if balls around examples of different labels are disjoint, "
    "and at least log 2 if two meet.",
    expected="PROVED",
    covers="every finite sample and closed balls; 0 is an infimum",
    repairs="pgn-eq7-feasible",
)
def eq_7_feasible_repaired(_budget: int) -> Evidence:
    """Disjoint: let F be 1 - e for the label of the ball. A common point z has F_1(z) + F_2(z) <= 1, so one of them is
    at most 1/2 (core), and its example has a loss of at least log 2 there.
    """
    from z3 import Or, Reals

    p, q = Reals("F_1 F_2")
    half = Fraction(1, 2)
    return solve([p >= 0, q >= 0, p + q <= 1], {"one is at most 1/2": Or(p <= half, q <= half)})


@pgn(
    "pgn-eq7-unbounded",
    label="eq (7) without a set S",
    kind="remark",
    statement="Without a cost or a set S only perturbations of extremely high power are generated.",
    expected="PROVED",
    covers="linear scores: the loss grows with the length beyond any bound",
)
def eq_7_unbounded(_budget: int) -> Evidence:
    """The loss at length t is log(1 + exp(n t - m)) >= n t - m, since 1 + e^u >= e^u, and for each length a longer one
    is better: n > 0 makes n t - m grow, and exceed b at t = (b + m)/n (core).
    """
    from z3 import Implies, Reals

    t, longer, n, m, bound = Reals("t s n m b")
    return solve(
        [n > 0],
        {
            "grows": Implies(longer > t, n * longer - m > n * t - m),
            "any bound": Implies(n * t > bound + m, n * t - m > bound),
        },
    )


# ---- the target and eq (8) ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cost:
    """The hyper-parameter c_L."""

    c: Fraction


def target_margin(case: Cost) -> Fraction:
    """1 - 7c/22, which is at least 1 - p_n(0)^2 = 1 - c/pi, for pi < 22/7."""
    return 1 - case.c * Fraction(7, 22)


PRINTED = Cost(Fraction(50))
"""c_L = 50 (Tables 2 and 3), sigma = 1/10: p_n(0) = 3.989..."""


@pgn(
    "pgn-target",
    label="Appendix A, target",
    kind="formula",
    statement="F is to satisfy F(x + delta)_y = p_n(|delta|_2), the density of N(0, sigma^2).",
    expected="AMENDED",
    covers="false as a target: at c = 50 p_n(0) = 3.989..., and F_y is a probability",
    amendment="pgn-target-repaired",
    searched="eq (2) and (8), Figure 6: p_n is called the Gaussian distribution function, and eq (8) has its density",
)
def target(_budget: int) -> Evidence:
    return given_case(target_margin, PRINTED)


@pgn(
    "pgn-target-repaired",
    label="Appendix A, target, repaired",
    kind="repair",
    statement="p_n is at most 1 exactly if c <= pi, that is sigma^2 >= 1/(2 pi); exp(-c |delta|^2) always is, and has "
    "the same minimisers theta.",
    expected="PROVED",
    covers="every c > 0",
    repairs="pgn-target",
)
def target_repaired(_budget: int) -> Evidence:
    """The largest value of p_n is p_n(0), with square 1/(2 pi sigma^2) = c/pi (core). exp of a number that is not
    positive is at most 1, and log of it differs from log p_n by the constant C, which moves no minimiser.
    """
    from z3 import Reals

    c, pi, squared, peak2 = Reals("c pi sigma^2 p_n(0)^2")
    known = [c > 0, pi > 3, squared > 0, 2 * c * squared == 1, peak2 * 2 * pi * squared == 1]
    return solve(known, {"at most 1": (peak2 <= 1) == (c <= pi), "sigma": (c <= pi) == (2 * pi * squared >= 1)})


@pgn(
    "pgn-eq8",
    label="eq (8)",
    kind="formula",
    statement="log(p_n(|delta|)/F_y) = Loss - c_L |delta|^2 - C with c_L = 1/(2 sigma^2) and C = log(sqrt(2 pi) "
    "sigma).",
    expected="PROVED",
    covers="every sigma > 0, delta and F_y > 0",
    reading="The scan spoilt signs and fractions; c_L is said after eq (9), C is what remains.",
)
def eq_8(_budget: int) -> Evidence:
    """Each step of eq (8) takes logarithms of products of positive numbers (identity)."""
    from sympy import exp, expand_log, log, pi, sqrt, symbols

    f, sigma = symbols("F sigma", positive=True)
    t = symbols("t", real=True)
    density = exp(-(t**2) / (2 * sigma**2)) / (sqrt(2 * pi) * sigma)
    left = expand_log(log(density), force=True) - log(f)
    right = -log(f) - t**2 / (2 * sigma**2) - expand_log(log(sqrt(2 * pi) * sigma), force=True)
    return identity({"eq (8)": left - right})


@pgn(
    "pgn-constant",
    label="eq (9), constant C",
    kind="remark",
    statement="C can be ignored to find theta.",
    expected="PROVED",
    covers="every objective: all values of the game move by C",
)
def constant(_budget: int) -> Evidence:
    """max and E move by the constant that is subtracted, so the order of any two theta stays (core)."""
    from z3 import Reals

    first, second, c = Reals("P(theta_1) P(theta_2) C")
    return solve([first <= second], {"the order stays": first - c <= second - c})


# ---- the maximiser delta* -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bent:
    """A loss that is at least bend * |delta|^2, as log(1 + exp(bend |delta|^2)) is, and the cost."""

    bend: Fraction
    cost: Fraction


def bounded_margin(case: Bent) -> Fraction:
    """cost - bend: J >= (bend - cost) |delta|^2 has no upper bound if it is negative."""
    return case.cost - case.bend


@pgn(
    "pgn-supremum",
    label="eq (8), maximum",
    kind="formula",
    statement="max over all delta of Loss(x + delta) - c |delta|^2 exists.",
    expected="AMENDED",
    covers="false for logits that fall like 51 |delta|^2, at c = 50",
    reading="eq (8) writes S below max, where the text extends S to all perturbations.",
    amendment="pgn-supremum-repaired",
    searched="Appendix A; no premise on the growth of the loss is printed",
)
def supremum(_budget: int) -> Evidence:
    return given_case(bounded_margin, Bent(Fraction(51), Fraction(50)))


@pgn(
    "pgn-supremum-repaired",
    label="eq (8), maximum, repaired",
    kind="repair",
    statement="It exists if Loss <= A + B |delta| and Loss is continuous, as for networks of piecewise linear logits, "
    "and is at most A + B^2/(4c).",
    expected="PROVED",
    covers="every such loss and c > 0",
    repairs="pgn-supremum",
)
def supremum_repaired(_budget: int) -> Evidence:
    """A + B t - c t^2 <= A + B^2/(4c) (core). As J -> -infinity for long delta, it attains its maximum on a compact
    ball. A softmax of finitely many linear pieces has log-probabilities of at most linear growth.
    """
    from z3 import Reals

    loss, t, a, b, c = Reals("Loss t A B c")
    known = [c > 0, t >= 0, loss <= a + b * t]
    return solve(known, {"bound": (loss - c * t * t) * 4 * c <= 4 * a * c + b * b})


def unique_margin(case: Linear) -> int:
    """1 less the number of best lengths."""
    return 1 - len(best_linear_attack(case.margin, case.norm, case.cost).lengths)


def beats_margin(case: Linear) -> Enclosure:
    """The value of the best attack less J at ``case.length``, on either side of the boundary."""
    with working_precision():
        u = to_arb(case.norm * case.length - case.margin)
        here = enclose((1 + u.exp()).log() - to_arb(case.cost * case.length**2))
    return best_linear_attack(case.margin, case.norm, case.cost).value - here


TIE = Linear(Fraction(9, 2), Fraction(3), Fraction(1, 2))
"""m = n^2/(4c) and n^2 > 8c: lengths 0.0367... and 2.963... are equally good."""


def draw_objective(axes: Any) -> None:
    """J over the length, for margins below, at and above n^2/(4c) = 4.5."""
    import math

    for margin in (4, 4.5, 5):
        lengths = [k / 100 for k in range(400)]
        axes.plot(lengths, [math.log1p(math.exp(3 * t - margin)) - t**2 / 2 for t in lengths], label=f"m = {margin}")
    axes.set_xlabel("length of the perturbation")
    axes.set_ylabel("J at n = 3, c = 1/2")
    axes.legend()


@pgn(
    "pgn-maximiser",
    label="eq (9), delta*",
    kind="formula",
    statement="delta*(F, x, y) = argmax of J is one perturbation.",
    expected="AMENDED",
    covers="false: a linear score with m = 9/2, n = 3, c = 1/2 has two best lengths",
    amendment="pgn-maximiser-repaired",
    figure=draw_objective,
    searched="Appendix A; no premise that the argmax is one point is printed",
)
def maximiser(_budget: int) -> Evidence:
    return given_case(unique_margin, TIE)


@pgn(
    "pgn-maximiser-repaired",
    label="eq (9), delta*, repaired",
    kind="repair",
    statement="On a linear score the best perturbation crosses the boundary if m < n^2/(4c), not if m > n^2/(4c), and "
    "is unique unless m = n^2/(4c) and n^2 > 8c.",
    expected="PROVED",
    covers="every margin, n > 0 and c > 0; the direction is against the gradient",
    repairs="pgn-maximiser",
    searched="nothing in the paper or in the works it cites on the maximiser of (4); the threshold is ours",
)
def maximiser_repaired(budget: int) -> Evidence:
    """With u = n t - m and a = 2c/n^2, J = log(1 + e^u) - (a/2)(u + m)^2, and log(1 + e^u) - log(1 + e^-u) = u
    (identity), so J(u) - J(-u) = (1 - 2am) u (identity): for 2am < 1, that is m < n^2/(4c), each u < 0 is worse than
    -u, and for 2am > 1 each u > 0 is. On u > 0 J' = sigma(u) - a(u + m) is strictly concave, as sigma is there, at
    least 0 at 0 if 2am <= 1, and negative in the end: it has at most one zero there, so one maximiser. The other side
    is its mirror image (2am becomes 2 - 2am). At 2am = 1 the slope of J' at 0 is 1/4 - a: if a >= 1/4 concavity leaves
    u = 0 alone, else there is a zero on each side. The zeros have t > 0, since sigma > 0 there.
    """
    from sympy import exp, symbols

    u, m, a = symbols("u m a", real=True)
    e = exp(u)
    proof = identity(
        {
            "log(1 + e^u) - log(1 + e^-u) = u": (1 + e) / (1 + 1 / e) - e,
            "J(u) - J(-u) = (1 - 2am) u": u - a / 2 * ((u + m) ** 2 - (-u + m) ** 2) - (1 - 2 * a * m) * u,
        }
    )
    return confirmed(proof, sampled(beats_margin, linears(), max(1, budget // 10)))


# ---- eq (9) ---------------------------------------------------------------------------------------------------------


@pgn(
    "pgn-eq9-exchange",
    label="eq (9), first line",
    kind="formula",
    statement="min over theta of E [Loss at delta* - c |delta*|^2 - C] = E min over theta of the same.",
    expected="AMENDED",
    covers="false: two examples, each suited by another theta: 1/2 and 0",
    amendment="pgn-eq9-exchange-repaired",
    searched="as for eq (4)",
)
def eq_9_exchange(_budget: int) -> Evidence:
    return given_case(min_exchange_margin, OPPOSED)


@pgn(
    "pgn-eq9-exchange-repaired",
    label="eq (9), first line, repaired",
    kind="repair",
    statement="The right side is at most the left; they agree if one theta is best for every example.",
    expected="PROVED",
    covers="every objective and law",
    repairs="pgn-eq9-exchange",
)
def eq_9_exchange_repaired(budget: int) -> Evidence:
    """As eq (4): example by example the least value is at most that of theta (core). If one theta attains all of the
    least values, its mean is the mean of these.
    """
    return confirmed(mean_core(), sampled(min_order_margin, games(), max(1, budget // 4)))


@pgn(
    "pgn-eq9",
    label="eq (9), second line; abstract, equivalence",
    kind="formula",
    statement="The game of the two networks is equivalent to minimising the adversarial loss, E max over delta.",
    expected="AMENDED",
    covers="false for a generator that cannot give each example its own delta: 1/2 and 1",
    reading="The abstract says equivalent and proved, eq (9) has an approximate sign.",
    amendment="pgn-eq9-repaired",
    searched="eq (8) and (9), the abstract, and eq (1) from (Madry et al., 2018), whose maximum is taken for each "
    "example",
)
def eq_9(_budget: int) -> Evidence:
    return given_case(max_exchange_margin, OPPOSED)


@pgn(
    "pgn-eq9-repaired",
    label="eq (9), second line, repaired",
    kind="repair",
    statement="For each theta the game's value max over phi of E is at most E max over delta, equal if some G attains "
    "delta* on almost every example; so the game minimises a lower bound of the adversarial loss.",
    expected="PROVED",
    covers="every loss, law and set of generators",
    repairs="pgn-eq9",
)
def eq_9_repaired(budget: int) -> Evidence:
    """G's value on an example is at most the maximum there (core), so its mean is at most E max; then the largest over
    phi. A G that attains the maxima has their mean.
    """
    return confirmed(mean_core(), sampled(max_order_margin, games(), max(1, budget // 4)))


def same_gradient_margin(case: Linear) -> int:
    """-1 if scores with margins m and -m, whose probabilities have the same gradient, have other best lengths."""
    lengths = [best_linear_attack(m, case.norm, case.cost).lengths[0] for m in (case.margin, -case.margin)]
    return -1 if lengths[0].hi < lengths[1].lo or lengths[1].hi < lengths[0].lo else 0


@pgn(
    "pgn-eq9-information",
    label="eq (9), grad F as information",
    kind="remark",
    statement="The gradient of F_y, with x and y, tells G enough of F to give delta*.",
    expected="AMENDED",
    covers="false: linear scores with m = 2 and m = -2 at x have the same gradient of F_y, sigma(m) sigma(-m) w, but "
    "best lengths 0.134... and 0.95...",
    reading="The paper assumes it ('provides enough information'); without it G must be trained anew for each F.",
    amendment="pgn-eq9-information-repaired",
)
def eq_9_information(_budget: int) -> Evidence:
    return given_case(same_gradient_margin, Linear(Fraction(2), Fraction(1), Fraction(1, 2)))


@pgn(
    "pgn-eq9-information-repaired",
    label="eq (9), grad F as information, repaired",
    kind="repair",
    statement="On a linear score the gradient of F_y and F_y itself tell it: w = grad F_y/(F_y (1 - F_y)) and m = "
    "logit F_y.",
    expected="PROVED",
    covers="linear binary scores",
    repairs="pgn-eq9-information",
)
def eq_9_information_repaired(_budget: int) -> Evidence:
    """F_y = sigma(m(x)) with grad m = w, and sigma' = sigma (1 - sigma) (identity); m and n = |w| determine the best
    perturbations.
    """
    from sympy import diff, exp, symbols

    m = symbols("m", real=True)
    sigma = 1 / (1 + exp(-m))
    return identity({"sigma' = sigma (1 - sigma)": diff(sigma, m) - sigma * (1 - sigma)})


# ---- what an optimum is ---------------------------------------------------------------------------------------------


@pgn(
    "pgn-optimum",
    label="Appendix A, optimal point",
    kind="remark",
    statement="At the optimum Loss(x + delta) <= c |delta|^2 + C for all data and delta.",
    expected="AMENDED",
    covers="false at c = 50: C = -1.38..., so delta = 0 asks for a negative loss",
    amendment="pgn-optimum-repaired",
    searched="eq (8) and (9) and the sentence after; c_L = 50 in Tables 2 and 3",
)
def optimum(_budget: int) -> Evidence:
    return given_case(target_margin, PRINTED)


@dataclass(frozen=True, slots=True)
class Place:
    """kappa = c D^2 of two points, and a place on the line through them, in units of D."""

    kappa: Fraction
    place: Fraction


def two_point_margin(case: Place) -> Enclosure:
    """M* less log(exp(-kappa z^2) + exp(-kappa (1 - z)^2)); M* if kappa is 0."""
    if not case.kappa:
        return two_point_optimum(1, 0)
    with working_precision():
        near, far = (-to_arb(case.kappa * d**2) for d in (case.place, 1 - case.place))
        here = enclose((near.exp() + far.exp()).log())
    return two_point_optimum(case.kappa, 1) - here


@pgn(
    "pgn-optimum-repaired",
    label="Appendix A, optimal point, repaired",
    kind="repair",
    statement="For two oppositely labelled points at distance D the least M with Loss <= c |delta|^2 + M is M* = log "
    "max_z sum_k exp(-c |z - x_k|^2) > 0, which is log 2 - c D^2/4 for c D^2 <= 2.",
    expected="PROVED",
    covers="all two-class F and all delta; so M = 0 is never attained, but M* <= log 2, and it falls fast in c D^2",
    repairs="pgn-optimum",
    searched="nothing in the paper or in the works it cites; the value is ours",
)
def optimum_repaired(budget: int) -> Evidence:
    """The bound at x_k says F_k(z) >= exp(-M - c |z - x_k|^2) =: e^-M e_k for all z, and F_1 + F_2 = 1: it needs e^-M
    (e_1 + e_2) <= 1 everywhere, and then F_1 = e_1/(e_1 + e_2) does it (core). At z = x_1 the sum exceeds 1, so M* > 0.
    z is best on the segment (projecting on it shortens both distances); at (1 +- w)/2 of the way a best point has w =
    tanh(kappa w/2), kappa = c D^2, and as tanh v < v for v > 0, kappa <= 2 leaves w = 0: 2 exp(-kappa/4).
    """
    from hypothesis import strategies as st
    from z3 import And, Implies, Reals

    from theory.strategies import rationals

    first, second, p, f = Reals("e_1 e_2 e^-M F_1")
    known = [first > 0, second > 0, p > 0]
    proof = solve(
        known,
        {
            "needed": Implies(And(f >= p * first, 1 - f >= p * second), p * (first + second) <= 1),
            "enough": Implies(
                And(p * (first + second) <= 1, f * (first + second) == first),
                And(f >= p * first, 1 - f >= p * second),
            ),
        },
    )
    number = rationals(hi=6, denominators=(1, 2))
    cases = st.builds(Place, number, rationals(lo=-1, hi=2, denominators=(1, 4, 10)))
    return confirmed(proof, sampled(two_point_margin, cases, max(1, budget // 10)))


@dataclass(frozen=True, slots=True)
class Target:
    """A class probability at some perturbation, and the target there."""

    probability: Fraction
    target: Fraction


def converges_margin(case: Target) -> Fraction:
    """-abs(probability - target) where the objective log(target/probability) is at most 0, else 0."""
    return -abs(case.probability - case.target) if case.probability >= case.target else Fraction(0)


@pgn(
    "pgn-figure6",
    label="Figure 6",
    kind="remark",
    statement="As training progresses the class probability converges to the target function.",
    expected="AMENDED",
    covers="false: F_y = 9/10 where the target is 1/2 has the smaller objective, and nothing pulls it down",
    amendment="pgn-figure6-repaired",
    searched="Appendix A and the caption; eq (8) has no term that grows with F",
)
def figure_6(_budget: int) -> Evidence:
    return given_case(converges_margin, Target(Fraction(9, 10), Fraction(1, 2)))


@pgn(
    "pgn-figure6-repaired",
    label="Figure 6, repaired",
    kind="repair",
    statement="The objective is at most 0 exactly if F_y is at least the target everywhere: the target is a lower "
    "envelope.",
    expected="PROVED",
    covers="every F and every positive target",
    repairs="pgn-figure6",
)
def figure_6_repaired(_budget: int) -> Evidence:
    """log(p/F) <= 0 if and only if p/F <= 1, that is F >= p (core), at each delta; so too for the maximum."""
    from z3 import Reals

    f, p = Reals("F p")
    return replace(solve([f > 0, p > 0], {"envelope": (p / f <= 1) == (f >= p)}), core=True)

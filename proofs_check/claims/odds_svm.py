"""Claims of ODDS, Section 2.2 and Appendix D: Theorem 2.2 with its lemmas, and what is said of training.

Notation as in ``odds``. The score is w x_1 + v z; h(m, t) = E max(0, N(m, t^2)) = m Phi(m/t) + t phi(m/t), which rises
in m and in t, and G(u) = h(-u, 1). The margin term of eq (5) is p h(1 - w - sv, v) + (1-p) h(1 + w - sv, v) for v > 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from proofs_check.bounding import branch_and_bound
from proofs_check.claims.odds import HALF, LEVEL, Attacked, all_of, core, defined, law, odds
from proofs_check.core import Evidence
from proofs_check.provers import confirmed, equality, every_case, given_case, identity, sampled, solve

if TYPE_CHECKING:
    from theory.enclosure import Enclosure

MOST = Fraction(975, 1000)
P_MOST, SIGNAL_4, REACH = "1/2 <= p <= .975", "eta >= 4/sqrt(d)", "eps >= 2 eta"


def svm_cases() -> Any:
    """Laws with p up to .975 and s from 4 on, d = 10^4, with the radius 2 eta."""
    from hypothesis import strategies as st

    from theory.strategies import rationals

    p = rationals(lo=HALF, hi=MOST, denominators=(2, 4, 8, 40))
    s = rationals(lo=4, hi=12, denominators=(1, 2, 4))
    return st.builds(law, p, s).map(lambda made: Attacked(made, 2 * made.eta))


def _svm(case: Attacked) -> Any:
    from theory.odds.svm import train_svm

    return train_svm(case.law)


def balance(case: Attacked) -> Enclosure:
    """v - 1/sqrt(2) for the SVM of unit norm."""
    from theory.special import sqrt

    margin: Enclosure = _svm(case).weak - sqrt(HALF, 40)
    return margin


def accurate(case: Attacked) -> Enclosure:
    """Its standard accuracy - 99%."""
    from theory.odds.signgaussian import standard_accuracy

    return standard_accuracy(_svm(case).classifier, case.law) - LEVEL


def fragile(case: Attacked) -> Enclosure:
    """1% - its robust accuracy at eps."""
    from theory.odds.signgaussian import robust_accuracy

    return 1 - LEVEL - robust_accuracy(_svm(case).classifier, case.law, case.eps)


EQ_5 = defined(
    "odds-eq5",
    label="eq (5)",
    place="Appendix D",
    statement="The soft-margin SVM minimises E max(0, 1 - y w.x) + lambda ||w||^2 / 2, with lambda such that ||w*|| = "
    "1.",
    covers="theory.odds.svm.train_svm, svm_objective",
)


def mills() -> Evidence:
    """Gordon's inequality Phi(-x) > x phi(x)/(1 + x^2) for x > 0: the difference falls, and tends to 0."""
    from sympy import diff, exp, limit, oo, pi, sqrt, symbols

    x = symbols("x", positive=True)
    density = exp(-(x**2) / 2) / sqrt(2 * pi)
    ratio = x * density / (1 + x**2)
    falls = -density - diff(ratio, x) + 2 * density / (1 + x**2) ** 2
    return identity({"derivative of Phi(-x) - x phi(x)/(1 + x^2)": falls, "its limit": limit(ratio, x, oo)})


@odds(
    "odds-unit-norm",
    label="Appendix D, unit norm",
    place="Appendix D",
    kind="remark",
    statement="Some lambda makes the optimal solution of eq (5) have norm 1.",
    expected="PROVED",
    covers="every d, p in [1/2, .975], s >= 4; that lambda is positive",
    premises=(P_MOST, SIGNAL_4),
    without={SIGNAL_4: lambda _: given_case(unit_norm_margin, Attacked(law(HALF, HALF), Fraction(0)))},
)
def unit_norm(budget: int) -> Evidence:
    """Let (w, v) minimise the margin term on the circle of norm 1; by Lemma D.2, 0 <= w <= 1/sqrt(2) <= v. There the
    gradient is a multiple of (w, v), and its product with (w, v) is -E[m; m < 1] for the margin m = y (w x_1 + v z).
    Given the side of x_1, m is N(1 + uv, v^2) with u >= s - (1 + w)/v >= s - 1 - sqrt(2) > 1, and E[m; m < 1] =
    Phi(-u) - v G(u) >= (1 + u) Phi(-u) - phi(u) > phi(u) (u - 1)/(1 + u^2) > 0 (core, with Gordon's inequality). So
    the gradient is -lambda (w, v) with lambda > 0: by convexity (w, v) solves eq (5) for that lambda.
    """
    from z3 import Reals

    s, root, u = Reals("s sqrt(2) u")
    core_ = solve(
        [root > 0, root * root == 2, s >= 4, u >= s - 1 - root],
        {"u > 1": u > 1, "the bound": (1 + u) * u - (1 + u * u) == u - 1},
    )
    return confirmed(all_of(mills(), core_), sampled(unit_norm_margin, svm_cases(), budget // 40 + 1))


def unit_norm_margin(case: Attacked) -> Enclosure | int:
    """The lambda of norm 1, or -1 if there is none that is not negative."""
    try:
        found: Enclosure = _svm(case).lam
    except ValueError:
        return -1
    return found


# ---- Lemma D.1 and the two weights ----------------------------------------------------------------------------------


@odds(
    "odds-lemma-d1",
    label="Lemma D.1",
    place="Appendix D",
    kind="lemma",
    statement="An optimal solution of eq (5) has equal weights w_i = w_j for all i, j >= 2.",
    expected="PROVED",
    covers="every law of eq (3), d and lambda >= 0 (the printed proof needs lambda > 0)",
)
def lemma_d1(_budget: int) -> Evidence:
    """Exchanging w_i and w_j changes neither term, since x_i and x_j have the same law and are independent of the rest.
    The margin term is convex, so the mean of both solutions has no larger one; its squared norm is smaller unless
    w_i = w_j (first core), which for lambda > 0 contradicts optimality. For lambda = 0: given x_1 the margin y w.x is
    normal; averaging keeps its mean (it depends on the sum of the weak weights) and lowers its variance, and h rises
    strictly in the deviation t > 0, as its derivative is phi(m/t) (second core): the margin term itself falls.
    """
    from sympy import diff, erf, exp, pi, sqrt, symbols
    from z3 import Reals

    a, b = Reals("w_i w_j")
    mean = (a + b) / 2
    m, t = symbols("m", real=True), symbols("t", positive=True)
    density = exp(-((m / t) ** 2) / 2) / sqrt(2 * pi)
    mean_hinge = m * (1 + erf(m / t / sqrt(2))) / 2 + t * density
    return all_of(
        solve([a != b], {"the mean is shorter": 2 * mean * mean < a * a + b * b}),
        identity({"dh/dt = phi(m/t)": diff(mean_hinge, t) - density}),
    )


@odds(
    "odds-z-law",
    label="Appendix D, z",
    place="Appendix D",
    kind="formula",
    statement="z = sum_{i >= 2} x_i / sqrt(d) is distributed as N(y eta sqrt(d), 1).",
    expected="PROVED",
    covers="every eta, d and y",
)
def z_law(_budget: int) -> Evidence:
    """Logarithms of characteristic functions of independent summands add: d times that of x_i/sqrt(d) (core)."""
    from sympy import I, sqrt, symbols

    eta, d, t = symbols("eta d t", positive=True)
    y = symbols("y", real=True)
    one = I * (eta * y) * t / sqrt(d) - (t / sqrt(d)) ** 2 / 2
    return identity({"log characteristic function": d * one - (I * y * eta * sqrt(d) * t - t**2 / 2)})


@odds(
    "odds-two-weights",
    label="Appendix D, two weights",
    place="Appendix D",
    kind="formula",
    statement="With one weight v for z, w.x = w_1 x_1 + v z, and the regularisation term is lambda (w_1^2 + v^2) / 2.",
    expected="PROVED",
    covers="every d: each weak feature has the weight v/sqrt(d)",
)
def two_weights(_budget: int) -> Evidence:
    """d equal weights v/sqrt(d) on features with the sum sqrt(d) z: the score v z and the squared norm v^2 (core)."""
    from sympy import sqrt, symbols

    v, z = symbols("v z", real=True)
    d = symbols("d", positive=True)
    return identity({"score": v / sqrt(d) * (sqrt(d) * z) - v * z, "norm": d * (v / sqrt(d)) ** 2 - v**2})


@odds(
    "odds-vz-law",
    label="Appendix D, vz",
    place="Appendix D",
    kind="formula",
    statement="vz is normal with mean 4yv and variance v^2, and larger than v (times y) with large probability.",
    expected="PROVED",
    covers="eta = 4/sqrt(d) (for larger eta the mean is larger): for v > 0 Pr[y v z > v] = Phi(3) > 99.8%",
    reading="'Our chosen value of eta is 4/sqrt(d)', where Theorem 2.2 has eta >= 4/sqrt(d). Larger than v: towards y.",
    premises=(SIGNAL_4,),
    without={SIGNAL_4: lambda _: given_case(vz_margin, Attacked(law(HALF, 2), Fraction(0)))},
)
def vz_law(_budget: int) -> Evidence:
    """v z with z ~ N(ys, 1) has mean y s v and variance v^2, and s = eta sqrt(d) = 4. For v > 0, y v z > v says that
    y z > 1, of probability Phi(s - 1) (core), which rises in s.
    """
    return core(every_case(vz_margin, [Attacked(law(HALF, 4), Fraction(0))], "s = 4, the least"))


def vz_margin(case: Attacked) -> Enclosure:
    """Phi(s - 1) - 99.8%."""
    from theory.special import normal_cdf

    return normal_cdf(case.law.signal - 1) - Fraction(998, 1000)


# ---- Lemma D.2 ------------------------------------------------------------------------------------------------------


def d2_losses(case: Attacked) -> Enclosure:
    """(1-p) G(s-1-sqrt 2)/sqrt 2 - G(s-1): the margin term where v <= 1/sqrt(2), at least, minus that of v = 1."""
    from theory.odds.theorem22 import lemma_d2_losses

    kept, reached = lemma_d2_losses(case.law.signal.fraction)
    return (1 - case.law.reliability) * kept - reached


def _least_at_balance() -> Evidence:
    """The core of the second step of the first display."""
    from z3 import Reals

    s, root, x0 = Reals("s sqrt(2) x_0")
    slope = solve(
        [root > 0, root * root == 2, s >= 4, x0 == s - 1 - root],
        {"x_0 > 0": x0 > 0, "x_0 + 1/x_0 < s": x0 * x0 + 1 < s * x0},
    )
    return all_of(mills(), slope)


@odds(
    "odds-d2-first-display",
    label="Lemma D.2, first display",
    place="Appendix D",
    kind="formula",
    statement="For w of norm 1 with v < 1/sqrt(2), E max(0, 1 - y w.x) >= (1-p) E max(0, 1 + w_1 - N(4v, v^2)) >= "
    "(1-p) E max(0, 1 + 1/sqrt(2) - N(4/sqrt(2), 1/2)) > .016 (1-p).",
    expected="PROVED",
    covers="every p < 1 and d; the first two steps for every s >= 4 in the place of 4",
    reading="w_1 >= 0, as for the optimum; a negative v only makes the left side larger.",
    premises=("v < 1/sqrt(2)",),
    without={"v < 1/sqrt(2)": lambda _: given_case(weak_alone, Attacked(law("95/100", 4), Fraction(0)))},
)
def d2_first_display(_budget: int) -> Evidence:
    """The first step drops the term of x_1 = y, which is not negative. The second: let K(v) = h(1 + sqrt(1 - v^2) -
    sv, v) for 0 < v <= 1/sqrt(2), and x = (1 + sqrt(1 - v^2))/v - s, which falls in v to x = -x_0 = 1 + sqrt(2) - s at
    1/sqrt(2). K'(v) = -(s + v/sqrt(1 - v^2)) Phi(x) + phi(x). Where x >= -x_0, phi(x)/Phi(x) <= phi(x_0)/Phi(-x_0) (it
    falls in x) < x_0 + 1/x_0 (Gordon) < s (core): K falls, and is least at
    1/sqrt(2). For v <= 0 the mean 1 + w_1 - sv is at least 1, so the left side is at least 1 - p. The third step is an
    enclosure, at s = 4.
    """

    def constant(s: int) -> Enclosure:
        from theory.odds.theorem22 import lemma_d2_losses

        return lemma_d2_losses(s)[0] - Fraction(16, 1000)

    return all_of(_least_at_balance(), every_case(constant, [4], "the loss .01699... above .016"))


def weak_alone(case: Attacked) -> Enclosure:
    """The margin term of w = (0, 1) minus .016 (1-p)."""
    from theory.odds.svm import svm_objective

    return svm_objective(case.law, 0, 1, 0, 0) - Fraction(16, 1000) * (1 - case.law.reliability)


@odds(
    "odds-d2-second-display",
    label="Lemma D.2, second display",
    place="Appendix D",
    kind="formula",
    statement="With v = 1 and w_1 = 0, E max(0, 1 - y w.x) = E max(0, 1 - N(4, 1)) < .0004.",
    expected="PROVED",
    covers="every p and d; the value is 0.00038215431...",
)
def d2_second_display(_budget: int) -> Evidence:
    def margin(s: int) -> Enclosure:
        from theory.odds.theorem22 import lemma_d2_losses

        return Fraction(4, 10_000) - lemma_d2_losses(s)[1]

    return every_case(margin, [4], "the one number")


@odds(
    "odds-d2-0975",
    label="Lemma D.2, p <= .975",
    place="Appendix D",
    kind="formula",
    statement="As long as p <= .975, the loss .0004 is below .016 (1-p), the bound on the loss where v < 1/sqrt(2).",
    expected="PROVED",
    covers="p in [1/2, .975]; with equality at .975, where the strict inequalities before it decide",
    reading="At most: .016 (1 - .975) is .0004, and both losses are strictly on their sides.",
    premises=("p <= .975",),
    without={"p <= .975": lambda _: given_case(rounded_gain, MOST + Fraction(5, 1000))},
)
def d2_0975(_budget: int) -> Evidence:
    """Linear in p, decided."""
    from z3 import Q, Real

    p = Real("p")
    return solve([2 * p >= 1, p <= Q(975, 1000)], {"loss": Q(4, 10_000) <= Q(16, 1000) * (1 - p)})


def rounded_gain(p: Fraction) -> Fraction:
    """.016 (1-p) - .0004."""
    return Fraction(16, 1000) * (1 - p) - Fraction(4, 10_000)


def _gain_persists() -> Evidence:
    """(1-p) G(s-1-sqrt 2)/sqrt 2 - G(s-1) over phi(s-1) at p = .975, on a range of s."""

    def over_density(u: Any) -> Any:  # G(u)/phi(u) = 1 - u Phi(-u)/phi(u), which falls for u > 0
        from theory.arbs import cdf, pdf

        ends = [1 - x * cdf(-x) / pdf(x) for x in (u.lower(), u.upper())]
        return ends[0].union(ends[1])

    def margin(s: Any) -> Any:
        from flint import arb

        root = arb(2).sqrt()
        lighter = (root * (s - 1) - 1).exp()  # phi(s-1-sqrt 2)/phi(s-1)
        return over_density(s - 1 - root) * lighter / (40 * root) - over_density(s - 1)

    return branch_and_bound(margin, {"s": (4, 12)})


@odds(
    "odds-lemma-d2",
    label="Lemma D.2",
    place="Appendix D",
    kind="lemma",
    statement="The optimal solution of norm 1 of eq (5) has v* >= 1/sqrt(2).",
    expected="PROVED",
    covers="eta >= 4/sqrt(d) (printed proof: eta = 4/sqrt(d)), p in [1/2, .975], every d; with exact constants the "
    "argument reaches p = .97751 at s = 4, and s = 3.91039 at p = .975; the truth at s = 4 is p = .99917",
    premises=(P_MOST, SIGNAL_4),
    without={
        P_MOST: lambda _: given_case(balance, Attacked(law("9995/10000", 4), Fraction(0))),
        SIGNAL_4: lambda _: given_case(balance, Attacked(law(MOST, 2), Fraction(0))),
    },
)
def lemma_d2(budget: int) -> Evidence:
    """The minimiser of norm 1 is one of the margin term among all (w, v) of norm 1. One may take w, v >= 0: exchanging
    the sign of w exchanges which of p >= 1 - p goes with the larger h; exchanging that of v < 0 lowers both means.
    Where v < 1/sqrt(2), the margin term is at least (1-p) K(1/sqrt(2)) = (1-p) G(s-1-sqrt 2)/sqrt 2 (see the first
    display; its core again), but (0, 1) has G(s-1), which is smaller at s = 4 and p = .975, and on a range of s > 4
    (cores), so for smaller p. For all s > 4: G is log-concave, as the convolution of the log-concave max(0, .) and phi
    (Prekopa), so G(s-1)/G(s-1-sqrt 2) falls in s.
    """
    worst = Attacked(law(MOST, 4), Fraction(0))
    proof = all_of(_least_at_balance(), every_case(d2_losses, [worst], "s = 4, p = .975"), _gain_persists())
    return confirmed(proof, sampled(balance, svm_cases(), budget // 16 + 1))


@odds(
    "odds-v-over-w1",
    label="Appendix D, v against w_1",
    place="Appendix D",
    kind="remark",
    statement="The learned classifier assigns at least as much weight to v as to w_1: standard training relies on "
    "features that are weakly correlated with the label.",
    expected="PROVED",
    covers="as Lemma D.2; equality only for v = w_1 = 1/sqrt(2)",
    reading="Printed once as 'at least as much' and once as 'more'.",
    premises=("v* >= 1/sqrt(2)",),
    without={
        "v* >= 1/sqrt(2)": lambda _: given_case(excess_of_v, (Fraction(4, 5), Fraction(3, 5)), "a 3-4-5 triangle")
    },
)
def v_over_w1(_budget: int) -> Evidence:
    """v^2 >= 1/2 in a vector of norm 1 leaves w_1^2 <= 1/2 (core)."""
    from z3 import Or, Reals

    w, v = Reals("w_1 v")
    premises = [w * w + v * v == 1, v > 0, 2 * v * v >= 1]
    return solve(premises, {"w_1 <= v": w <= v, "equal only at 1/sqrt(2)": Or(w < v, 2 * v * v == 1)})


def excess_of_v(weights: tuple[Fraction, Fraction]) -> Fraction:
    """v - w_1."""
    return weights[1] - weights[0]


# ---- Lemmas D.3 and D.4, Theorem 2.2, first half --------------------------------------------------------------------


def d3_margin(s: int) -> Enclosure:
    """Phi(s - 1) - 99%."""
    from theory.special import normal_cdf

    return normal_cdf(s - 1) - LEVEL


@odds(
    "odds-lemma-d3",
    label="Lemma D.3",
    place="Appendix D",
    kind="lemma",
    statement="The standard accuracy of the soft-margin SVM of norm 1 is at least 99%.",
    expected="PROVED",
    covers="eta >= 4/sqrt(d), p in [1/2, .975], every d; it is at least Phi(3) > 99.86%",
    premises=(P_MOST, SIGNAL_4),
    without={SIGNAL_4: lambda _: given_case(accurate, Attacked(law(HALF, 2), Fraction(0)))},
)
def lemma_d3(budget: int) -> Evidence:
    """By Lemma D.2, v >= 1/sqrt(2) >= abs(w_1). With probability Phi(s-1) >= Phi(3) (core) y z > 1; then y v z > v >=
    abs(w_1), and the sign of w_1 x_1 + v z is y whatever x_1.
    """
    proof = core(every_case(d3_margin, [4], "s = 4, the least"))
    return confirmed(proof, sampled(accurate, svm_cases(), budget // 16 + 1))


@odds(
    "odds-lemma-d4",
    label="Lemma D.4",
    place="Appendix D",
    kind="lemma",
    statement="The adversarial accuracy of the soft-margin SVM of norm 1 is at most 1% for eps = 2 eta.",
    expected="PROVED",
    covers="eta >= 4/sqrt(d), p in [1/2, .975], every d and eps >= 2 eta; it is at most 1 - Phi(3) < 0.14%",
    premises=(P_MOST, SIGNAL_4, REACH),
    without={
        P_MOST: lambda _: given_case(fragile, Attacked(law("99999/100000", 4), Fraction(8, 100))),
        SIGNAL_4: lambda _: given_case(fragile, Attacked(law(MOST, 2), Fraction(4, 100))),
        REACH: lambda _: given_case(fragile, Attacked(law("95/100", 4), Fraction(4, 100))),
    },
)
def lemma_d4(budget: int) -> Evidence:
    """After the shift by -2 eta y, z is N(-ys, 1), so y z < -1 with probability Phi(s-1) >= Phi(3) (core); then y v z
    < -v <= -abs(w_1) by Lemma D.2, and the sign of w_1 x_1 + v z is -y whatever x_1. More adversaries only lower the
    accuracy.
    """
    proof = core(every_case(d3_margin, [4], "s = 4, the least"))
    return confirmed(proof, sampled(fragile, svm_cases(), budget // 16 + 1))


@dataclass(frozen=True, slots=True)
class Moved:
    """The mean y s of z, and a shift of every weak feature by ``towards`` (1: towards y, -1: towards -y) times 2
    eta."""

    y: Fraction
    s: Fraction
    towards: Fraction


def moved_margin(case: Moved) -> Fraction:
    """-abs(the mean of z after the shift + y s)."""
    after = case.y * case.s + case.towards * case.y * 2 * case.s
    return Fraction(equality(after, -case.y * case.s))


@odds(
    "odds-d4-proof",
    label="Lemma D.4, proof",
    place="Appendix D",
    kind="formula",
    statement="Shifting each x_i towards y by 2 eta makes z_adv ~ N(-y eta sqrt(d), 1), so with probability at least "
    "99% v y z < -y <= -w_1 and the predicted class is -y.",
    expected="AMENDED",
    covers="false: towards y the mean becomes 3 y eta sqrt(d); and v y z < -y is no bound for y = -1",
    amendment="odds-d4-proof-repaired",
    searched="Appendices C and D: Section 2.1 and Appendix C shift towards -y. '-y' may be a misread '-v'.",
)
def d4_proof(_budget: int) -> Evidence:
    return given_case(moved_margin, Moved(Fraction(1), Fraction(4), Fraction(1)))


@odds(
    "odds-d4-proof-repaired",
    label="Lemma D.4, proof, repaired",
    place="Appendix D",
    kind="repair",
    statement="Shifting each x_i towards -y by 2 eta makes z_adv ~ N(-y eta sqrt(d), 1), so with probability at least "
    "99% v y z < -v <= -w_1 and the predicted class is -y.",
    expected="PROVED",
    covers="eta >= 4/sqrt(d), v >= 1/sqrt(2), w_1^2 + v^2 = 1",
    repairs="odds-d4-proof",
)
def d4_proof_repaired(_budget: int) -> Evidence:
    """The shift keeps the variance; mean and last step are the core, the probability is Phi(s-1) >= Phi(3)."""
    from z3 import And, Or, Reals

    y, s, w, v, z, x1 = Reals("y s w_1 v z x_1")
    premises = [Or(y == 1, y == -1), Or(x1 == 1, x1 == -1), w * w + v * v == 1, v > 0, 2 * v * v >= 1, y * z < -1]
    statements = {
        "the mean": y * s - 2 * y * s == -y * s,
        "the chain": And(v * y * z < -v, -v <= -w),
        "the class": y * (w * x1 + v * z) < 0,
    }
    return all_of(solve(premises, statements), every_case(d3_margin, [4], "s = 4, the least"))


@odds(
    "odds-theorem-2.2-standard",
    label="Theorem 2.2, standard training",
    place="Section 2.2",
    kind="theorem",
    statement="For eta >= 4/sqrt(d) and p <= .975, a soft-margin SVM of norm 1 that minimises the distributional loss "
    "has standard accuracy above 99% and adversarial accuracy below 1% for eps >= 2 eta.",
    expected="PROVED",
    covers="every d, p in [1/2, .975], s >= 4, eps >= 2 eta; in truth, at p = .975 and for the shift, from s = "
    "2.97576 on",
    premises=(P_MOST, SIGNAL_4, REACH),
    without={
        P_MOST: lambda _: given_case(fragile, Attacked(law("99999/100000", 4), Fraction(8, 100))),
        SIGNAL_4: lambda _: given_case(accurate, Attacked(law(HALF, 2), Fraction(4, 100))),
        REACH: lambda _: given_case(fragile, Attacked(law("95/100", 4), Fraction(4, 100))),
    },
)
def theorem_2_2_standard(budget: int) -> Evidence:
    """Lemmas D.1 to D.4: v >= 1/sqrt(2) (the cores of Lemma D.2, again), and then x_1 does not matter unless y z <= 1
    before or y z >= -1 after the shift, each of probability 1 - Phi(s-1) <= 1 - Phi(3) < 1% (core).
    """
    worst = Attacked(law(MOST, 4), Fraction(0))
    proof = all_of(
        _least_at_balance(),
        every_case(d2_losses, [worst], "s = 4, p = .975"),
        _gain_persists(),
        every_case(d3_margin, [4], "s = 4, the least"),
    )

    def both(case: Attacked) -> Enclosure:
        from theory.enclosure import minimum

        return minimum(accurate(case), fragile(case))

    return confirmed(proof, sampled(both, svm_cases(), budget // 40 + 1))

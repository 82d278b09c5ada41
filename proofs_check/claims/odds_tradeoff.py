"""Claims of ODDS, Section 2.1 and Appendix C: Theorem 2.1, what is said around it, and its proof.

Notation as in ``odds``; S and A are the accuracies before and after the shift of every weak feature by -2 eta y.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from proofs_check.claims.odds import (
    LEVEL,
    Attacked,
    above_level,
    below_level,
    core,
    defined,
    favg_accuracy,
    law,
    odds,
    rounded_up,
)
from proofs_check.core import Evidence
from proofs_check.provers import confirmed, decided, every_case, given_case, identity, sampled, solve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from theory.enclosure import Enclosure
    from theory.odds.frontier import FrontierPoint


@dataclass(frozen=True, slots=True)
class Answers:
    """p, and Appendix C's p_ij: the probability of the answer +1 for x_1 of sign i and weak features of mean j eta."""

    p: Fraction
    pp: Fraction
    pm: Fraction
    mp: Fraction
    mm: Fraction


def four_numbers() -> tuple[Any, list[Any], Any, Any]:
    """For z3: p, that the p_ij are probabilities, the standard accuracy, and the accuracy after the shift by 2 eta."""
    from z3 import And, Real

    p, pp, pm, mp, mm = (Real(name) for name in ("p", "p_++", "p_+-", "p_-+", "p_--"))
    standard = (p * pp + (1 - p) * mp + p * (1 - mm) + (1 - p) * (1 - pm)) / 2
    shifted = (p * pm + (1 - p) * mm + p * (1 - mp) + (1 - p) * (1 - pp)) / 2
    return p, [And(x >= 0, x <= 1) for x in (pp, pm, mp, mm)], standard, shifted


# ---- Theorem 2.1 and what is said around it -------------------------------------------------------------------------


def accuracies(case: Answers) -> tuple[Fraction, Fraction]:
    """S and A, before and after the shift by 2 eta."""
    p, q = case.p, 1 - case.p
    standard = (p * case.pp + q * case.mp + p * (1 - case.mm) + q * (1 - case.pm)) / 2
    shifted = (p * case.pm + q * case.mm + p * (1 - case.mp) + q * (1 - case.pp)) / 2
    return standard, shifted


def theorem_margin(case: Answers) -> Fraction:
    """p (1 - S) - (1-p) A."""
    standard, shifted = accuracies(case)
    return case.p * (1 - standard) - (1 - case.p) * shifted


def line_19(case: Answers) -> Fraction:
    """19 (1 - S) - A."""
    standard, shifted = accuracies(case)
    return 19 * (1 - standard) - shifted


def favg_line_margin(case: Attacked) -> Enclosure:
    """p/(1-p) (1 - S) - R for the standard and the robust accuracy S and R of f_avg."""
    p = case.law.reliability
    return p / (1 - p) * (1 - favg_accuracy(Attacked(case.law, Fraction(0)))) - favg_accuracy(case)


def threshold_line_margin(case: Any) -> Enclosure:
    """The same for the rule sign(z - t sign(x_1)) with t = 6 delta - 4, at eps = 2 eta."""
    from theory.odds.signgaussian import ThresholdClassifier, robust_accuracy, standard_accuracy

    rule, p = ThresholdClassifier(6 * case.delta - 4), case.law.reliability
    robust = robust_accuracy(rule, case.law, 2 * case.law.eta)
    margin: Enclosure = p / (1 - p) * (1 - standard_accuracy(rule, case.law)) - robust
    return margin


def draw_frontier(axes: Any) -> None:
    """The line of the theorem and the exact frontiers for p = 3/4 and s = 1, 3/2, 5/2, eps = 2 eta."""
    from theory.arbs import to_float
    from theory.odds.frontier import frontier

    axes.plot([0, 0.25], [0, 0.75], "--", color="0.4", label="Theorem 2.1: 3 delta")
    for s in (Fraction(1), Fraction(3, 2), Fraction(5, 2)):
        points = frontier(law("3/4", s), 2 * s / 100, 41).points
        x, y = ([to_float(value) for value in values] for values in zip(*map(_pair, points), strict=True))
        axes.plot(x, y, label=f"best of all classifiers, s = {float(s)}")
    axes.set_xlabel("delta = 1 - standard accuracy")
    axes.set_ylabel("robust accuracy")
    axes.set_title("p = 3/4, eps = 2 eta < 1")
    axes.legend()


def _pair(point: FrontierPoint) -> tuple[Enclosure, Enclosure]:
    return point.delta, point.robust_accuracy


X1_AT_ONE = Answers(Fraction(1), Fraction(1), Fraction(1), Fraction(0), Fraction(0))
X1_AT_975 = Answers(Fraction(975, 1000), Fraction(1), Fraction(1), Fraction(0), Fraction(0))
NOT_HALF = Answers(Fraction(1, 4), Fraction(0), Fraction(0), Fraction(1), Fraction(1))


@odds(
    "odds-theorem-2.1",
    label="Theorem 2.1",
    place="Section 2.1",
    kind="theorem",
    statement="In the model of eq (3), standard accuracy of at least 1 - delta leaves robust accuracy of at most "
    "p/(1-p) delta against an l-infinity adversary with eps >= 2 eta.",
    expected="PROVED",
    covers="every classifier, randomised ones included, every dimension, eta > 0, p in [1/2, 1), delta, eps >= 2 eta",
    premises=("1/2 <= p < 1", "eps >= 2 eta"),
    without={
        "1/2 <= p < 1": lambda _: given_case(theorem_margin, NOT_HALF, "-sign(x_1) at p = 1/4"),
        "eps >= 2 eta": lambda _: given_case(favg_line_margin, Attacked(law("95/100", 3), Fraction(3, 100))),
    },
    figure=draw_frontier,
)
def theorem_2_1(budget: int) -> Evidence:
    """The adversary may move every weak feature x_i to x_i - 2 eta y and leave x_1, so robust accuracy is at most the
    accuracy A after that shift. Given y and x_1 the weak features have mean y eta before the shift and -y eta after it,
    with the same law else. So standard accuracy S and A depend on the classifier through four numbers, the
    probabilities of the answer +1 given the sign of x_1 and the sign of that mean, each in [0, 1], with the
    probabilities p and 1 - p of x_1 = y and x_1 = -y. For these the inequality (1-p) A <= p (1 - S) is decided over the
    reals; with S >= 1 - delta it is the theorem.
    """
    from proofs_check.families import family
    from theory.odds.theorem21 import theorem_core

    answers = theorem_core()
    proof = decided({name: answers[name] for name in ("identities", "bound", "gap")})
    return confirmed(proof, sampled(threshold_line_margin, family("gaussian"), budget // 8 + 1))


@odds(
    "odds-theorem-2.1-limit",
    label="Section 2.1, delta to 0",
    place="Section 2.1",
    kind="remark",
    statement="If p < 1, adversarial accuracy falls to 0% as standard accuracy approaches 100%; so for any p < 1.",
    expected="PROVED",
    covers="every classifier, p in [1/2, 1), eps >= 2 eta: for each a > 0 a delta of (1-p) a / p does",
    premises=("p < 1", "eps >= 2 eta"),
    without={
        "p < 1": lambda _: given_case(all_right, X1_AT_ONE, "sign(x_1) at p = 1"),
        "eps >= 2 eta": lambda _: given_case(favg_line_margin, Attacked(law("95/100", 3), Fraction(3, 100))),
    },
)
def theorem_2_1_limit(_budget: int) -> Evidence:
    """As for the theorem, robust accuracy is at most A, and A and S are those of the core: S >= 1 - (1-p) a / p leaves
    A <= a, for every a > 0. (That any classifier has so large an S needs s large as well.)
    """
    from z3 import Real

    p, probabilities, standard, shifted = four_numbers()
    a = Real("a")
    premises = [2 * p >= 1, p < 1, a > 0, p * (1 - standard) <= (1 - p) * a, *probabilities]
    return solve(premises, {"A at most a": shifted <= a})


def all_right(case: Answers) -> Fraction:
    """1/2 - A for a classifier with S = 1: that A stays below a half."""
    return Fraction(1, 2) - accuracies(case)[1]


@odds(
    "odds-19-delta",
    label="Section 2.1, 19 delta",
    place="Section 2.1",
    kind="formula",
    statement="For p = .95, standard accuracy above 1 - delta leaves robust accuracy of at most 19 delta.",
    expected="PROVED",
    covers="every classifier, eps >= 2 eta; 1 - delta above the Bayes accuracy is met by no classifier",
    premises=("p = .95", "eps >= 2 eta"),
    without={
        "p = .95": lambda _: given_case(line_19, X1_AT_975, "sign(x_1) at p = .975"),
        "eps >= 2 eta": lambda _: given_case(favg_line_margin, Attacked(law("95/100", 3), Fraction(3, 100))),
    },
)
def nineteen_delta(_budget: int) -> Evidence:
    """As for the theorem, robust accuracy is at most A, and A and S are those of the core."""
    from z3 import Q, Real

    p, probabilities, standard, shifted = four_numbers()
    delta = Real("delta")
    return solve([p == Q(95, 100), standard > 1 - delta, *probabilities], {"A at most 19 delta": shifted <= 19 * delta})


@odds(
    "odds-footnote-1",
    label="Footnote 1",
    place="Section 2.1",
    kind="formula",
    statement="For p = .95, standard accuracy of at least 99% leaves robust accuracy of at most 19%; 96% leaves 76%.",
    expected="PROVED",
    covers="every classifier, eps >= 2 eta; the best at s = 3, eps = 2 eta has 18.99977% and just below 76%",
)
def footnote_1(_budget: int) -> Evidence:
    """As for the theorem, robust accuracy is at most A, and A and S are those of the core."""
    from z3 import Implies, Q

    p, probabilities, standard, shifted = four_numbers()
    statements = {
        f"{level}% leaves {rest}%": Implies(standard >= Q(level, 100), shifted <= Q(rest, 100))
        for level, rest in ((99, 19), (96, 76))
    }
    return solve([p == Q(95, 100), *probabilities], statements)


def bounded_by_p(case: Attacked) -> Fraction:
    """p - the standard accuracy of f_avg, if that is at least p = 1 - delta, else 0; rounded up."""
    rest = case.law.reliability - favg_accuracy(Attacked(case.law, Fraction(0)))
    return rounded_up(rest) if rest <= 0 else Fraction(0)


@odds(
    "odds-theorem-2.1-tight",
    label="Section 2.1, tightness",
    place="Section 2.1",
    kind="remark",
    statement="The theorem is tight: if delta = 1 - p, standard and adversarial accuracy are both bounded by p, "
    "which is attained by the classifier that relies on x_1 alone.",
    expected="AMENDED",
    covers="false for the standard accuracy: f_avg has Phi(3) > 99.8% at p = 95%, s = 3, which is at least 1 - delta",
    reading="Bounded by p: at most p, for every classifier whose standard accuracy is at least 1 - delta = p.",
    amendment="odds-theorem-2.1-tight-repaired",
    searched="Section 2.1 and Appendix C; nothing there bounds the standard accuracy from above.",
)
def theorem_2_1_tight(_budget: int) -> Evidence:
    return given_case(bounded_by_p, Attacked(law("95/100", 3), Fraction(6, 100)))


@odds(
    "odds-theorem-2.1-tight-repaired",
    label="Section 2.1, tightness, repaired",
    place="Section 2.1",
    kind="repair",
    statement="If standard accuracy is at least p, adversarial accuracy is at most p; sign(x_1) has both equal to p if "
    "2 eta <= eps < 1. Elsewhere the bound is not attained: for p > 1/2 equality p (1 - S) = (1-p) A needs "
    "Pr[+1 | x_1 = +1, G+] = 1 and Pr[+1 | x_1 = -1, G-] = 0.",
    expected="PROVED",
    covers="every classifier, p in [1/2, 1), eps >= 2 eta; those two probabilities are 1 and 0 only if the classifier "
    "is sign(x_1) almost surely, so the point (p, p) is the only one where the line is met",
    premises=("eps < 1",),
    without={"eps < 1": lambda _: given_case(x1_at_least_p, Attacked(law("95/100", 3), Fraction(1)))},
    repairs="odds-theorem-2.1-tight",
)
def theorem_2_1_tight_repaired(_budget: int) -> Evidence:
    """As for the theorem, robust accuracy is at most A, and A and S are those of the core. sign(x_1) has S = p, and
    R = p because eps < 1 cannot change the sign of a number -1 or +1. G+ and G- have positive densities, so an answer
    that is certain under G+ given x_1 = +1 is certain for almost all values of the weak features, likewise for
    x_1 = -1: the classifier is sign(x_1).
    """
    from z3 import And, Implies, Real

    p, probabilities, standard, shifted = four_numbers()
    x1 = {"p_++": 1, "p_+-": 1, "p_-+": 0, "p_--": 0}
    reads_x1 = [Real(name) == value for name, value in x1.items()]
    statements = {
        "at most p": Implies(standard >= p, shifted <= p),
        "attained": Implies(And(reads_x1), And(standard == p, shifted == p)),
        "nowhere else": Implies(
            And(2 * p > 1, p * (1 - standard) == (1 - p) * shifted), And(Real("p_++") == 1, Real("p_--") == 0)
        ),
    }
    return solve([2 * p >= 1, p < 1, *probabilities], statements)


def x1_at_least_p(case: Attacked) -> Enclosure:
    """The robust accuracy of sign(x_1) minus p."""
    from theory.odds.signgaussian import robust_accuracy, sign_classifier

    return robust_accuracy(sign_classifier(), case.law, case.eps) - case.law.reliability


@odds(
    "odds-small-eps",
    label="Section 2.1, eps = O(eta)",
    place="Section 2.1",
    kind="remark",
    statement="The eps required to manipulate the standard classifier is O(eta), eta = O(1/sqrt(d)): very small beside "
    "the scale 1 of the features.",
    expected="PROVED",
    covers="every d: at eta = 3/sqrt(d), eps = 2 eta = 6/sqrt(d) takes f_avg from above 99% to below 1%; eta, to 50%",
)
def small_eps(_budget: int) -> Evidence:
    """Both accuracies of f_avg depend on s and r only, so one d decides for all: s = 3, r = 6, eps = r/sqrt(d).
    At eps = eta the accuracy is Phi(0).
    """

    def margin(case: Attacked) -> Enclosure:
        from theory.enclosure import minimum

        return minimum(above_level(Attacked(case.law, Fraction(0))), below_level(case))

    return core(every_case(margin, [Attacked(law("1/2", 3), Fraction(6, 100))], "s = 3, r = 6"))


@odds(
    "odds-no-accurate-robust",
    label="Section 2.1, no accurate and robust classifier",
    place="Section 2.1",
    kind="remark",
    statement="No classifier is both robust and very accurate (above 99% in both): any very accurate one, the Bayes "
    "classifier included, is non-robust, however much data there is.",
    expected="PROVED",
    covers="every classifier, p in [1/2, 99/100], eps >= 2 eta",
    premises=("p <= 99/100", "eps >= 2 eta"),
    without={
        "p <= 99/100": lambda _: given_case(x1_not_both, Attacked(law("995/1000", 3), Fraction(6, 100))),
        "eps >= 2 eta": lambda _: given_case(favg_not_both, Attacked(law("95/100", 3), Fraction(1, 1000))),
    },
)
def no_accurate_robust(_budget: int) -> Evidence:
    """As for the theorem, robust accuracy is at most A, and A and S are those of the core. Training is not spoken of,
    so data do not help; the Bayes classifier is one of all classifiers.
    """
    from z3 import Not, Q

    p, probabilities, standard, shifted = four_numbers()
    statement = {"not both above 99%": Not(shifted > Q(99, 100))}
    return solve([2 * p >= 1, p <= Q(99, 100), standard > Q(99, 100), *probabilities], statement)


def x1_not_both(case: Attacked) -> Enclosure:
    """99% minus the robust accuracy of sign(x_1), which is its standard one too for eps < 1."""
    from theory.odds.signgaussian import robust_accuracy, sign_classifier

    return LEVEL - robust_accuracy(sign_classifier(), case.law, case.eps)


def favg_not_both(case: Attacked) -> Enclosure:
    """99% minus the robust accuracy of f_avg, which is at most its standard one."""
    return LEVEL - favg_accuracy(case)


@odds(
    "odds-bayes-non-robust",
    label="Section 2.1, the Bayes classifier",
    place="Section 2.1",
    kind="remark",
    statement="The Bayes classifier is very accurate and necessarily non-robust.",
    expected="PROVED",
    covers="p in [1/2, 19/20], eta >= 3/sqrt(d), eps >= 2 eta: standard accuracy above 99%, robust accuracy below 1%",
)
def bayes_non_robust(_budget: int) -> Evidence:
    """It is the sign of L x_1 + 2sz, L = log(p/(1-p)), with standard accuracy at least that of f_avg, Phi(s) >= Phi(3).
    After the shift by 2 eta it is right with probability p Phi(-s + L/2s) + (1-p) Phi(-s - L/2s) <= Phi(-s + L/2s),
    which falls in s and rises in p: s = 3 and p = 19/20 are the worst case, where the mixture itself is below 0.6% and
    Phi(-s + L/2s) below 1% (core).
    """

    def margin(case: Attacked) -> Enclosure:
        from theory.enclosure import minimum
        from theory.special import log, normal_cdf

        s = case.law.signal
        odds_ = case.law.reliability / (1 - case.law.reliability)
        return minimum(normal_cdf(s) - LEVEL, 1 - LEVEL - normal_cdf(log(odds_) / (2 * s) - s))

    return core(every_case(margin, [Attacked(law("95/100", 3), Fraction(6, 100))], "s = 3, p = 19/20"))


# ---- Appendix C -----------------------------------------------------------------------------------------------------

P_IJ = defined(
    "odds-p-ij",
    label="Appendix C, p_ij",
    place="Appendix C",
    statement="p_ij is the probability that f(x) = +1 when x_1 has sign i and x_2, ..., x_{d+1} follow G_j, the law "
    "that they have for y = j.",
    covers="theory.odds.theorem21.theorem_core",
)


def _names() -> dict[tuple[int, int], Any]:
    from sympy import symbols

    return dict(zip(((1, 1), (1, -1), (-1, 1), (-1, -1)), symbols("p_pp p_pm p_mp p_mm"), strict=True))


def _right(after: int) -> Any:
    """The chance of a right answer, case by case: y, x_1 = +-y, and weak features of mean after * y * eta."""
    from sympy import Rational, symbols

    p, total, says = symbols("p"), Rational(0), _names()
    for y, side in _sides():
        plus = says[side * y, after * y]
        total += Rational(1, 2) * (p if side == 1 else 1 - p) * (plus if y == 1 else 1 - plus)
    return total


def _sides() -> Iterator[tuple[int, int]]:
    return ((y, side) for y in (1, -1) for side in (1, -1))


@odds(
    "odds-c-standard",
    label="Appendix C, standard accuracy",
    place="Appendix C",
    kind="formula",
    statement="Pr(f(x) = y) = (p (1 + p_++ - p_--) + (1-p) (1 + p_-+ - p_+-))/2 = 1 - (p a + (1-p) b)/2, with "
    "a = 1 - p_++ + p_-- and b = 1 - p_-+ + p_+-.",
    expected="PROVED",
    covers="every classifier, randomised ones included",
)
def c_standard(_budget: int) -> Evidence:
    """The law of total probability over y and over x_1 = y or -y, summed case by case, is the printed expression."""
    from sympy import symbols

    p, says = symbols("p"), _names()
    printed = (p * (1 + says[1, 1] - says[-1, -1]) + (1 - p) * (1 + says[-1, 1] - says[1, -1])) / 2
    a, b = 1 - says[1, 1] + says[-1, -1], 1 - says[-1, 1] + says[1, -1]
    return identity({"the sum": _right(+1) - printed, "with a and b": printed - (1 - (p * a + (1 - p) * b) / 2)})


@odds(
    "odds-c-adversarial",
    label="Appendix C, adversarial accuracy",
    place="Appendix C",
    kind="formula",
    statement="After the shift, Pr(f(x_adv) = y) = (p (1 + p_+- - p_-+) + (1-p) (1 + p_-- - p_++))/2 = "
    "((1-p) a + p b)/2.",
    expected="PROVED",
    covers="every classifier, randomised ones included, eps = 2 eta",
    reading="An upper bound of the accuracy under the best attack; the paper fixes this adversary.",
)
def c_adversarial(_budget: int) -> Evidence:
    """The same sum with G+ and G- exchanged."""
    from sympy import symbols

    p, says = symbols("p"), _names()
    printed = (p * (1 + says[1, -1] - says[-1, 1]) + (1 - p) * (1 + says[-1, -1] - says[1, 1])) / 2
    a, b = 1 - says[1, 1] + says[-1, -1], 1 - says[-1, 1] + says[1, -1]
    return identity({"the sum": _right(-1) - printed, "with a and b": printed - ((1 - p) * a + p * b) / 2})


@odds(
    "odds-c-chain",
    label="Appendix C, the chain",
    place="Appendix C",
    kind="formula",
    statement="p a + (1-p) b <= 2 delta, a >= 0 and p/(1-p) >= 1 give ((1-p) a + p b)/2 <= "
    "((1-p) (p/(1-p))^2 a + p b)/2 = p/(2(1-p)) (p a + (1-p) b) <= p/(1-p) delta.",
    expected="PROVED",
    covers="all real a, b, delta and p in [1/2, 1) that meet the premises",
    premises=("a >= 0", "p >= 1/2"),
    without={
        "a >= 0": lambda _: given_case(chain_margin, Chain(Fraction(3, 4), Fraction(-1), Fraction(3), Fraction(0))),
        "p >= 1/2": lambda _: given_case(chain_margin, Chain(Fraction(1, 4), Fraction(2), Fraction(0), Fraction(1, 4))),
    },
)
def c_chain(_budget: int) -> Evidence:
    """Decided step by step, with q for p/(1-p)."""
    from z3 import Reals

    p, a, b, delta, q = Reals("p a b delta p/(1-p)")
    first, second = ((1 - p) * a + p * b) / 2, ((1 - p) * q * q * a + p * b) / 2
    third = q * (p * a + (1 - p) * b) / 2
    return solve(
        [2 * p >= 1, p < 1, q * (1 - p) == p, a >= 0, p * a + (1 - p) * b <= 2 * delta],
        {"first step": first <= second, "second step": second == third, "third step": third <= q * delta},
    )


@dataclass(frozen=True, slots=True)
class Chain:
    """Numbers with p a + (1-p) b = 2 delta."""

    p: Fraction
    a: Fraction
    b: Fraction
    delta: Fraction


def chain_margin(case: Chain) -> Fraction:
    """p/(1-p) delta - ((1-p) a + p b)/2, if p a + (1-p) b <= 2 delta, else 0."""
    p, q = case.p, 1 - case.p
    if p * case.a + q * case.b > 2 * case.delta:
        return Fraction(0)
    return p / q * case.delta - (q * case.a + p * case.b) / 2

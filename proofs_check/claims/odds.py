"""Claims of ODDS (Robustness May Be at Odds with Accuracy), Sections 2 and 2.1: the model, its features, and f_avg.

Write p for P(x_1 = y), s = eta sqrt(d), r = eps sqrt(d), z = sum_{i >= 2} x_i / sqrt(d), which is N(ys, 1), and f_avg
for the sign of the weak features' mean. All accuracies depend on eta and d through s and r alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

from proofs_check.core import Evidence, claim, definition
from proofs_check.provers import confirmed, equality, every_case, given_case, identity, sampled, solve

if TYPE_CHECKING:
    from theory.enclosure import Enclosure
    from theory.numbers import Exact
    from theory.odds.signgaussian import SignGaussian

odds, defined = partial(claim, paper="ODDS"), partial(definition, paper="ODDS")
LEVEL, HALF = Fraction(99, 100), Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Attacked:
    """A law of eq (3) and a radius."""

    law: SignGaussian
    eps: Fraction


def law(p: Exact, s: Exact) -> SignGaussian:
    """The law with d = 10^4 and eta = s/100."""
    from theory.odds.signgaussian import SignGaussian

    return SignGaussian(p, Fraction(s) / 100, 10_000)


def all_of(*parts: Evidence) -> Evidence:
    """A proof whose core has several parts, each of another prover; else the first part that is no proof."""
    for part in parts:
        if part.kind != "PROVED":
            return part
    return Evidence("PROVED", "; ".join(part.how for part in parts), sum(part.cases for part in parts), core=True)


def core(found: Evidence) -> Evidence:
    """Evidence that proves a core only; the rest is written in the claim's docstring."""
    return replace(found, core=True)


def rounded_up(x: Enclosure) -> Fraction:
    """A number that is certainly not below x, to twelve digits, so that a witness has one exact margin."""
    return Fraction(math.ceil(x.hi * 10**12), 10**12)


# ---- Section 2: what is defined -------------------------------------------------------------------------------------

EQ_1 = defined(
    "odds-eq1",
    label="eq (1)",
    place="Section 2",
    statement="The population risk is the expected loss E L(x, y; theta).",
    covers="theory.odds.signgaussian.standard_risk for the 0-1 loss, svm_objective at eps_train = 0 for the hinge",
)
PERTURBATIONS = defined(
    "odds-perturbation-set",
    label="Section 2, the set Delta",
    place="Section 2",
    statement="The adversary may add any delta with ||delta||_p <= eps.",
    covers="theory.ball.Ball; theory.odds speaks of the l-infinity norm",
)
EQ_2 = defined(
    "odds-eq2",
    label="eq (2)",
    place="Section 2",
    statement="The adversarial risk is E max over delta in Delta of L(x + delta, y; theta).",
    covers="theory.odds.signgaussian.robust_risk for the 0-1 loss, svm_objective for the hinge",
)
ADVERSARIAL_ERM = defined(
    "odds-adversarial-erm",
    label="Section 2, adversarial empirical risk",
    place="Section 2",
    statement="Adversarial training solves min over theta of the mean of max over delta of L(x + delta, y; theta).",
    covers="theory.odds.svm.train_svm on the law, theory.odds.robust_logistic.train on samples",
)


@odds(
    "odds-adversarial-training-step",
    label="Section 2, adversarial training",
    place="Section 2",
    kind="procedure",
    statement="Finding the worst-case delta and then updating theta on the perturbed input descends on eq (2).",
    expected="PROVED",
    covers="every loss convex in theta, every set of perturbations in which a worst one is found",
    reading="Descends: the gradient at the worst delta is a subgradient of the adversarial loss.",
    premises=("L is convex in theta", "delta is a worst one"),
    without={
        "L is convex in theta": lambda _: given_case(concave_margin, Fraction(1)),
        "delta is a worst one": lambda _: given_case(
            subgradient_margin, Step(Fraction(1), HALF, Fraction(0), Fraction(0))
        ),
    },
)
def adversarial_training_step(_budget: int) -> Evidence:
    """Let F(theta) = max over delta of L(theta, delta), attained at delta* for theta, and g a gradient of L(., delta*)
    there. For any theta', F(theta') >= L(theta', delta*) (a maximum), which is >= L(theta, delta*) + g.(theta' - theta)
    (convexity) = F(theta) + g.(theta' - theta): so g is a subgradient of F at theta.
    """
    from z3 import Reals

    here, there, worst_here, fixed_there, step = Reals("F(theta) F(theta') L(theta,delta*) L(theta',delta*) g.step")
    premises = [worst_here == here, there >= fixed_there, fixed_there >= worst_here + step]
    return solve(premises, {"g is a subgradient of F": there >= here + step})


@dataclass(frozen=True, slots=True)
class Step:
    """For the loss max(0, 1 - w (x + delta)) and eps = 1: a weight, x, the delta that is used, and another weight."""

    weight: Fraction
    x: Fraction
    delta: Fraction
    other: Fraction


def concave_margin(other: Fraction) -> Fraction:
    """F(w') - F(0) - g w' for the loss -w^2, whose slope g at 0 is 0."""
    return -(other**2)


def subgradient_margin(case: Step) -> Fraction:
    """F(w') - F(w) - g (w' - w) with F(w) = max(0, 1 - w x + abs(w)) and g the slope of the loss at delta."""

    def worst(w: Fraction) -> Fraction:
        return max(Fraction(0), 1 - w * case.x + abs(w))

    seen = case.x + case.delta
    slope = -seen if case.weight * seen < 1 else Fraction(0)
    return worst(case.other) - worst(case.weight) - slope * (case.other - case.weight)


# ---- Section 2.1: the model and f_avg -------------------------------------------------------------------------------

EQ_3 = defined(
    "odds-eq3",
    label="eq (3)",
    place="Section 2.1",
    statement="y is -1 or +1 with equal probability, x_1 = y with probability p >= 1/2 and else -y, and x_2, ..., "
    "x_{d+1} are independent N(eta y, 1).",
    covers="theory.odds.signgaussian.SignGaussian",
)
EQ_4 = defined(
    "odds-eq4",
    label="eq (4)",
    place="Section 2.1",
    statement="f_avg(x) = sign(w_unif.x) with w_unif = (0, 1/d, ..., 1/d).",
    covers="theory.odds.signgaussian.mean_classifier",
)


def favg_accuracy(case: Attacked) -> Enclosure:
    from theory.odds.signgaussian import mean_classifier, robust_accuracy

    return robust_accuracy(mean_classifier(), case.law, case.eps)


def above_level(case: Attacked) -> Enclosure:
    """Accuracy of f_avg - 99%."""
    return favg_accuracy(case) - LEVEL


def below_level(case: Attacked) -> Enclosure:
    """1% - accuracy of f_avg under the adversary."""
    return 1 - LEVEL - favg_accuracy(case)


@odds(
    "odds-favg-display",
    label="Section 2.1, display after eq (4)",
    place="Section 2.1",
    kind="formula",
    statement="Pr[f_avg(x) = y] = Pr[(y/d) sum_{i >= 2} N(eta y, 1) > 0] = Pr[N(eta, 1/d) > 0].",
    expected="PROVED",
    covers="every eta, d and y; the value is Phi(eta sqrt(d))",
)
def favg_display(_budget: int) -> Evidence:
    """f_avg(x) = y says that y w_unif.x > 0. A law is known by its characteristic function, and those of independent
    summands multiply. The logarithm of that of (y/d) x_i at t is i y (eta y) t/d - t^2 y^2/(2 d^2); d times it is that
    of N(eta, 1/d) (core, for y = -1 and +1), whose chance of being positive is Phi(eta sqrt(d)).
    """
    from sympy import I, symbols

    eta, d, t = symbols("eta d t", positive=True)
    logs = {y: d * (I * y * (eta * y) * t / d - (y * t / d) ** 2 / 2) for y in (-1, 1)}
    return identity({f"the mean for y = {y}": value - (I * eta * t - t**2 / (2 * d)) for y, value in logs.items()})


@odds(
    "odds-eta-99",
    label="Section 2.1, eta >= 3/sqrt(d)",
    place="Section 2.1",
    kind="formula",
    statement="f_avg has standard accuracy above 99% when eta >= 3/sqrt(d); so eta = Theta(1/sqrt(d)) suffices.",
    expected="PROVED",
    covers="every d and every eta >= 3/sqrt(d); the least constant is 2.3263478740, where Phi is 99%",
    premises=("eta >= 3/sqrt(d)",),
    without={"eta >= 3/sqrt(d)": lambda _: given_case(above_level, Attacked(law("1/2", 2), Fraction(0)))},
)
def eta_99(_budget: int) -> Evidence:
    """The accuracy Phi(s) rises with s = eta sqrt(d), and depends on nothing else, so s = 3 is the worst case."""
    return core(every_case(above_level, [Attacked(law("1/2", 3), Fraction(0))], "the least s, 3"))


@odds(
    "odds-favg-limit",
    label="Section 2.1, accuracy close to 100%",
    place="Section 2.1",
    kind="remark",
    statement="f_avg achieves standard accuracy arbitrarily close to 100% for d large enough.",
    expected="PROVED",
    covers="every eta > 0 that d does not shrink",
    reading="With eta fixed. For eta = 3/sqrt(d), the other case of the text, the accuracy does not depend on d.",
    premises=("eta does not shrink with d",),
    without={"eta does not shrink with d": lambda _: given_case(above_999, Attacked(law("1/2", 3), Fraction(0)))},
)
def favg_limit(_budget: int) -> Evidence:
    """The accuracy is Phi(eta sqrt(d)) = (1 + erf(eta sqrt(d/2)))/2, whose limit is 1 (core)."""
    from sympy import erf, limit, oo, sqrt, symbols

    eta, d = symbols("eta d", positive=True)
    return identity({"the limit for large d": limit((1 + erf(eta * sqrt(d / 2))) / 2, d, oo) - 1})


def above_999(case: Attacked) -> Enclosure:
    """Accuracy of f_avg - 99.9%; at eta = 3/sqrt(d) it is Phi(3) - 99.9% for every d."""
    return favg_accuracy(case) - Fraction(999, 1000)


@odds(
    "odds-weak-features",
    label="Section 2.1, weak features one by one",
    place="Section 2.1",
    kind="remark",
    statement="Each weak feature alone is hardly predictive of the label.",
    expected="PROVED",
    covers="every eta > 0: sign(x_i) has accuracy at most 1/2 + eta/sqrt(2 pi), so 1/2 + O(1/sqrt(d)) for eta = "
    "O(1/sqrt(d)), and no rule that reads x_i alone has more",
    reading="Hardly predictive: its accuracy exceeds 1/2 by no more than a multiple of eta.",
)
def weak_features(_budget: int) -> Evidence:
    """By Neyman and Pearson sign(x_i) is the best rule that reads x_i alone; its accuracy is Phi(eta). The difference
    1/2 + eta/sqrt(2 pi) - Phi(eta) is 0 at eta = 0, and has the derivative (1 - exp(-eta^2/2))/sqrt(2 pi) >= 0 (core).
    """
    from sympy import diff, erf, exp, pi, sqrt, symbols

    eta = symbols("eta", positive=True)
    rest = eta / sqrt(2 * pi) - erf(eta / sqrt(2)) / 2
    slope = (1 - exp(-(eta**2) / 2)) / sqrt(2 * pi)
    return identity({"the value at 0": rest.subs(eta, 0), "the derivative": diff(rest, eta) - slope})


@odds(
    "odds-shifted-law",
    label="Section 2.1, simulating the wrong class",
    place="Section 2.1",
    kind="formula",
    statement="For eps = 2 eta the adversary can make the weak features i.i.d. N(-eta y, 1), and likewise for every "
    "eps >= 2 eta: it simulates the wrong class.",
    expected="PROVED",
    covers="every eta, d; the classes G+ and G- of Appendix C change places",
    premises=("eps >= 2 eta",),
    without={"eps >= 2 eta": lambda _: given_case(reach_margin, Attacked(law("1/2", 3), Fraction(3, 100)))},
)
def shifted_law(_budget: int) -> Evidence:
    """The shift of x_i ~ N(eta y, 1) by -2 eta y, of size 2 eta <= eps, has the mean -eta y (core) and leaves variance
    and independence as they are. A smaller eps cannot: every point of the ball of x_i keeps a mean beyond
    eta - eps > -eta towards y.
    """
    from z3 import And, If, Or, Reals

    eta, eps, y = Reals("eta eps y")
    size = If(y > 0, 2 * eta * y, -2 * eta * y)
    statements = {"the mean": eta * y - 2 * eta * y == -eta * y, "within the ball": size <= eps}
    return solve([eta > 0, eps >= 2 * eta, Or(y == 1, y == -1), And(eps > 0)], statements)


def reach_margin(case: Attacked) -> Fraction:
    """How far below -eta the adversary can take the mean of y x_i: -eta - (eta - eps)."""
    return case.eps - 2 * case.law.eta


# ---- Section 2.1: f_avg under attack --------------------------------------------------------------------------------


def printed_margin(case: Attacked) -> Fraction:
    """-abs(Pr[N(eta, 1) - eps > 0] - robust accuracy of f_avg), rounded up."""
    from theory.special import normal_cdf

    return rounded_up(-abs(normal_cdf(case.law.eta - case.eps) - favg_accuracy(case)))


@odds(
    "odds-favg-robust-display",
    label="Section 2.1, display of the attack",
    place="Section 2.1",
    kind="formula",
    statement="For eps = 2 eta, min over ||delta||_inf <= eps of Pr[sign(x + delta) = y] = Pr[N(eta, 1) - eps > 0] = "
    "Pr[N(-eta, 1) > 0].",
    expected="AMENDED",
    covers="false unless d = 1: at eta = 3/100, d = 10^4 the printed value is Phi(-3/100) = .488, the accuracy Phi(-3)",
    reading="sign(x + delta) is f_avg(x + delta), and the adversary sees x and y, as in eq (2). Should the scan have "
    "lost a denominator d, the print is the repaired statement.",
    amendment="odds-favg-robust-display-repaired",
    searched="Section 2.1 and Appendix C; the display before it has the variance 1/d.",
)
def favg_robust_display(_budget: int) -> Evidence:
    return given_case(printed_margin, Attacked(law("95/100", 3), Fraction(6, 100)))


@odds(
    "odds-favg-robust-display-repaired",
    label="Section 2.1, display of the attack, repaired",
    place="Section 2.1",
    kind="repair",
    statement="Pr[f_avg(x + delta) = y for all ||delta||_inf <= eps] = Pr[N(eta, 1/d) - eps > 0] = "
    "Phi((eta - eps) sqrt(d)), which for eps = 2 eta is Pr[N(-eta, 1/d) > 0].",
    expected="PROVED",
    covers="every eta, d and eps >= 0",
    repairs="odds-favg-robust-display",
)
def favg_robust_display_repaired(budget: int) -> Evidence:
    """The mean of y x_i + y delta_i over i is least at delta_i = -y eps, by one term (core): it is lower by eps. So
    f_avg is right on the whole ball exactly if the mean of the y x_i, which is N(eta, 1/d), exceeds eps.
    """
    from z3 import Or, Reals

    y, delta, eps = Reals("y delta eps")
    proof = solve(
        [Or(y == 1, y == -1), delta >= -eps, delta <= eps, eps >= 0],
        {"no shift does worse": y * delta >= -eps, "one does as badly": y * (-y * eps) == -eps},
    )
    return confirmed(proof, sampled(shift_formula, attacked_cases(), budget // 4))


def attacked_cases() -> Any:
    """Laws of the family "gaussian" with a radius."""
    from proofs_check.families import family

    return family("gaussian").map(lambda case: Attacked(case.law, case.eps))


def shift_formula(case: Attacked) -> int:
    """-1 if Phi((eta - eps) sqrt(d)), from the special functions, and the accuracy cannot be the same number."""
    from theory.special import normal_cdf, sqrt

    value = normal_cdf((case.law.eta - case.eps) * sqrt(case.law.d, 40))
    return 0 if value.overlaps(favg_accuracy(case)) else -1


@odds(
    "odds-favg-1-percent",
    label="Section 2.1, at most 1%",
    place="Section 2.1",
    kind="formula",
    statement="f_avg cannot get adversarial accuracy better than 1% for eps >= 2 eta.",
    expected="PROVED",
    covers="every d, eta >= 3/sqrt(d), eps >= 2 eta",
    premises=("eta >= 3/sqrt(d)", "eps >= 2 eta"),
    without={
        "eta >= 3/sqrt(d)": lambda _: given_case(below_level, Attacked(law("1/2", 2), Fraction(4, 100))),
        "eps >= 2 eta": lambda _: given_case(below_level, Attacked(law("1/2", 3), Fraction(3, 100))),
    },
)
def favg_1_percent(_budget: int) -> Evidence:
    """The accuracy Phi(s - r) is at most Phi(-s) for r >= 2s, which falls in s: s = 3, r = 6 is the worst case."""
    return core(every_case(below_level, [Attacked(law("1/2", 3), Fraction(6, 100))], "s = 3, r = 6"))


@odds(
    "odds-robust-features",
    label="Section 2.1, robust and non-robust features",
    place="Section 2.1",
    kind="remark",
    statement="The meta-feature is far more predictive of the label than x_1, which provides 95% accuracy only, but "
    "extremely unreliable under attack.",
    expected="PROVED",
    covers="p = 95%, eta >= 3/sqrt(d), 2 eta <= eps < 1: standard accuracies above 99.8% and 95%, robust ones below "
    "0.2% and 95%",
)
def robust_features(_budget: int) -> Evidence:
    """Phi(s) rises and Phi(s - r) <= Phi(-s) falls in s, so s = 3 is the worst case; the accuracies of sign(x_1) are
    exact, and the same for every eps < 1, where the adversary cannot change the sign of x_1 = -1 or +1.
    """

    def margin(s: int) -> Enclosure:
        from theory.enclosure import minimum
        from theory.odds.signgaussian import robust_accuracy, sign_classifier, standard_accuracy

        model, x1 = law("95/100", s), sign_classifier()
        plain, attacked = favg_accuracy(Attacked(model, Fraction(0))), favg_accuracy(Attacked(model, 2 * model.eta))
        alone = [standard_accuracy(x1, model), robust_accuracy(x1, model, Fraction(999, 1000))]
        exact = [equality(value, model.reliability) for value in alone]
        return minimum(plain - Fraction(998, 1000), Fraction(2, 1000) - attacked, *exact)

    return core(every_case(margin, [3], "the least s, 3"))


@odds(
    "odds-x1-only",
    label="Section 2.1, 'the robust feature provides only 95%'",
    place="Section 2.1",
    kind="remark",
    statement="A classifier with standard accuracy above 99% has to use the weak features when p = 95%.",
    expected="PROVED",
    covers="every p in [1/2, 1): a rule that reads x_1 alone, randomised or not, has standard accuracy at most p",
    premises=("p is at most the accuracy aimed at",),
    without={"p is at most the accuracy aimed at": lambda _: given_case(x1_alone_99, Fraction(995, 1000))},
)
def x1_only(_budget: int) -> Evidence:
    """A rule that reads x_1 alone says +1 with probabilities a and b for x_1 = +1 and -1; the core has its accuracy."""
    from z3 import Reals

    p, a, b = Reals("p a b")
    accuracy = (p * a + (1 - p) * b + p * (1 - b) + (1 - p) * (1 - a)) / 2
    return solve([2 * p >= 1, p < 1, a >= 0, a <= 1, b >= 0, b <= 1], {"accuracy at most p": accuracy <= p})


def x1_alone_99(p: Fraction) -> Fraction:
    """99% - the accuracy p of sign(x_1)."""
    return LEVEL - p

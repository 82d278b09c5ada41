"""Claims of ODDS, Section 2.2 and Appendix D: adversarial training, other losses, transfer.

Notation as in ``odds`` and ``odds_svm``. The adversarial loss of eq (5) takes eps ||w||_1 off every margin; with
v = 0 it is p max(0, 1 - (1-eps) w) + (1-p) max(0, 1 + (1+eps) w) + lambda w^2/2 for w = w_1 >= 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

from proofs_check.bounding import branch_and_bound
from proofs_check.claims.odds import LEVEL, Attacked, all_of, law, odds
from proofs_check.claims.odds_svm import P_MOST, REACH, SIGNAL_4
from proofs_check.claims.odds_tradeoff import four_numbers, x1_at_least_p
from proofs_check.core import Evidence
from proofs_check.provers import confirmed, equality, every_case, given_case, identity, sampled, solve

if TYPE_CHECKING:
    from theory.enclosure import Enclosure
    from theory.odds.signgaussian import SignGaussian

TRAINS = "eta <= eps_train"
BELOW = "eps_train < 2p - 1"
EPS_1 = "eps < 1"


@dataclass(frozen=True, slots=True)
class Trained:
    """A law, the radius and the lambda of adversarial training, and the radius of the attack on what it returns."""

    law: SignGaussian
    eps_train: Fraction
    lam: Fraction
    eps: Fraction


def accuracy_p(case: Trained) -> Enclosure:
    """-abs(robust accuracy at eps of what adversarial training returns - p)."""
    from theory.odds.signgaussian import robust_accuracy
    from theory.odds.svm import train_svm

    found = train_svm(case.law, case.eps_train, case.lam).classifier
    margin: Enclosure = equality(robust_accuracy(found, case.law, case.eps), case.law.reliability)
    return margin


def weakless(case: Trained) -> Enclosure:
    """-abs(weight of z)."""
    from theory.odds.svm import train_svm

    margin: Enclosure = -abs(train_svm(case.law, case.eps_train, case.lam).weak)
    return margin


def trained_cases() -> Any:
    """Laws with 2p - 1 > eta, d = 100, eps_train from eta to below 2p - 1, lambda from 0 to 2, eps below 1."""
    from hypothesis import strategies as st

    from theory.odds.signgaussian import SignGaussian
    from theory.strategies import rationals

    @st.composite
    def draw_case(draw: st.DrawFn) -> Trained:
        p = draw(rationals(lo="3/5", hi="19/20", denominators=(5, 10, 20)))
        share = draw(rationals(lo="1/10", hi="9/10", denominators=(10,)))
        eta = (2 * p - 1) * share
        step = draw(rationals(hi=1, denominators=(2, 3, 7)))
        eps_train = eta + (2 * p - 1 - eta) * step * Fraction(6, 7)
        lam, eps = draw(rationals(hi=2, denominators=(1, 4, 10))), draw(rationals(hi=1, denominators=(4, 9)))
        return Trained(SignGaussian(p, eta, 100), eps_train, lam, eps * Fraction(99, 100))

    return draw_case()


# ---- Theorem 2.2, second half ---------------------------------------------------------------------------------------


def draw_training(axes: Any) -> None:
    """Accuracies of what adversarial training returns at p = 3/4, s = 4, d = 100, lambda = 1/20, over eps_train."""
    from theory.arbs import to_float
    from theory.odds.signgaussian import SignGaussian, robust_accuracy, standard_accuracy
    from theory.odds.svm import train_svm

    model = SignGaussian("3/4", "4/10", 100)
    radii = [Fraction(k, 50) for k in range(50)]
    found = [train_svm(model, eps, Fraction(1, 20)).classifier for eps in radii]
    x = [float(eps) for eps in radii]
    axes.plot(x, [to_float(standard_accuracy(f, model)) for f in found], label="standard accuracy")
    axes.plot(x, [to_float(robust_accuracy(f, model, Fraction(4, 5))) for f in found], "--", label="robust, eps = .8")
    for place, name in ((0.4, "eta"), (0.5, "2p - 1"), (0.8, "2 eta")):
        axes.axvline(place, color="0.7", linestyle=":")
        axes.annotate(name, (place, 1.02), xycoords=("data", "axes fraction"), ha="center", fontsize=8)
    axes.set_xlabel("eps_train")
    axes.set_ylabel("accuracy")
    axes.legend()


@odds(
    "odds-theorem-2.2-robust",
    label="Theorem 2.2, adversarial training",
    place="Section 2.2",
    kind="theorem",
    statement="Minimising the distributional adversarial loss leads to a robust classifier that has standard and "
    "adversarial accuracy of p against any eps < 1.",
    expected="AMENDED",
    covers="false for eps_train >= 2p - 1, where the minimiser is the zero classifier for every lambda > 0 (so none "
    "has norm 1): p = 3/4, d = 100, eta = 4/10, eps_train = 8/10 = 2 eta",
    reading="eps_train is not said; the text before Lemma D.5 has eps > 2 eta, taken as eps >= 2 eta. A score 0 is an "
    "error.",
    amendment="odds-theorem-2.2-robust-repaired",
    searched="Section 2.2 and Appendix D, word for word: no upper bound of the training radius, and p = 1/2 is "
    "allowed. The works that the paper cites were not looked at.",
    figure=draw_training,
)
def theorem_2_2_robust(_budget: int) -> Evidence:
    from theory.odds.signgaussian import SignGaussian

    case = Trained(SignGaussian("3/4", "4/10", 100), Fraction(4, 5), Fraction(1, 20), Fraction(1, 2))
    return given_case(accuracy_p, case)


def _feature_one() -> Evidence:
    """What the adversarial loss with v = 0 is for small weights, against 1, its value at 0."""
    from z3 import And, If, Implies, Real

    w, p, e, lam = Real("w"), Real("p"), Real("eps_train"), Real("lambda")

    def hinge(x: Any) -> Any:
        return If(x > 0, x, 0)

    def loss(side: int) -> Any:  # w has that sign, and size w
        agrees, differs = 1 - side * w + e * w, 1 + side * w + e * w
        return p * hinge(agrees) + (1 - p) * hinge(differs) + lam * w * w / 2

    gain = 2 * p - 1 - e
    return solve(
        [2 * p >= 1, p < 1, e >= 0, e < 1, lam >= 0, w > 0],
        {
            "small positive weights gain": Implies(And(gain > 0, w * (1 - e) <= 1, lam * w < 2 * gain), loss(1) < 1),
            "negative ones do not": loss(-1) >= 1,
            "none gains if eps_train >= 2p - 1": Implies(gain <= 0, loss(1) >= 1),
        },
    )


@odds(
    "odds-theorem-2.2-robust-repaired",
    label="Theorem 2.2, adversarial training, repaired",
    place="Section 2.2",
    kind="repair",
    statement="If eta <= eps_train < 2p - 1, minimising the distributional adversarial loss gives w = (w_1, 0, ..., "
    "0) with w_1 > 0, so standard and adversarial accuracy p against any eps < 1.",
    expected="PROVED",
    covers="every law with p < 1 and lambda >= 0; norm 1 is reached at lambda = 2p - 1 - eps_train",
    premises=(TRAINS, BELOW, EPS_1),
    without={
        TRAINS: lambda _: given_case(accuracy_p, _case("95/100", "2/10", "9/10")),
        BELOW: lambda _: given_case(accuracy_p, _case("3/4", "8/10", "1/2")),
        EPS_1: lambda _: given_case(accuracy_p, _case("95/100", "1/2", "1")),
    },
    repairs="odds-theorem-2.2-robust",
)
def theorem_2_2_robust_repaired(budget: int) -> Evidence:
    """By Lemma D.5 only w_1 is left. The loss at w_1 = 0 is 1; every w_1 < 0 has at least that, and small w_1 > 0 less
    (core). The loss is convex and tends to infinity with w_1, so it has a minimiser, and it is positive. A positive
    multiple of x_1 predicts its sign, which eps < 1 cannot change, and which is y with probability p.
    """
    return confirmed(_feature_one(), sampled(accuracy_p, trained_cases(), budget // 8 + 1))


def _case(p: str, eps_train: str, eps: str) -> Trained:
    """d = 100, eta = 4/10, lambda = 1/20."""
    from theory.odds.signgaussian import SignGaussian

    return Trained(SignGaussian(p, "4/10", 100), Fraction(eps_train), Fraction(1, 20), Fraction(eps))


@odds(
    "odds-x1-classifier",
    label="Appendix D, after Lemma D.5",
    place="Appendix D",
    kind="remark",
    statement="A classifier that assigns weight 0 to the features x_i, i >= 2, has standard and adversarial accuracy p "
    "against any eps < 1.",
    expected="AMENDED",
    covers="false for w_1 = 0, the minimiser for eps_train >= 2p - 1, and for w_1 < 0",
    amendment="odds-x1-classifier-repaired",
    searched="Appendix D: nothing there shows w_1 > 0.",
)
def x1_classifier(_budget: int) -> Evidence:
    return given_case(x1_margin, Weighted(law("3/4", 4), Fraction(0), Fraction(1, 2)))


@dataclass(frozen=True, slots=True)
class Weighted:
    """A law, the weight of x_1 (the others are 0), and a radius."""

    law: SignGaussian
    weight: Fraction
    eps: Fraction


def x1_margin(case: Weighted) -> Enclosure:
    """The least of -abs(accuracy - p), before and under the attack."""
    from theory.enclosure import minimum
    from theory.odds.signgaussian import LinearClassifier, robust_accuracy, standard_accuracy

    rule, p = LinearClassifier(case.weight, 0), case.law.reliability
    found = standard_accuracy(rule, case.law), robust_accuracy(rule, case.law, case.eps)
    return minimum(*(equality(accuracy, p) for accuracy in found))


@odds(
    "odds-x1-classifier-repaired",
    label="Appendix D, after Lemma D.5, repaired",
    place="Appendix D",
    kind="repair",
    statement="A classifier sign(w_1 x_1) with w_1 > 0 has standard and adversarial accuracy p against any eps < 1.",
    expected="PROVED",
    covers="every law of eq (3); at eps = 1 the score 0 is reached",
    premises=("w_1 > 0", EPS_1),
    without={
        "w_1 > 0": lambda _: given_case(x1_margin, Weighted(law("3/4", 4), Fraction(-1), Fraction(1, 2))),
        EPS_1: lambda _: given_case(x1_margin, Weighted(law("3/4", 4), Fraction(1), Fraction(1))),
    },
    repairs="odds-x1-classifier",
)
def x1_classifier_repaired(_budget: int) -> Evidence:
    """Within eps < 1 of x_1 = -1 or +1 the score w_1 x' has the sign of x_1 (core), which is y with probability p."""
    from z3 import And, Or, Reals

    w, x, moved, eps = Reals("w_1 x_1 x' eps")
    premises = [w > 0, Or(x == 1, x == -1), eps < 1, moved - x <= eps, x - moved <= eps]
    return solve(premises, {"the sign stays": And(x * (w * moved) > 0)})


@odds(
    "odds-reasonable-classifier",
    label="Section 2.2, a reasonable classifier exists",
    place="Section 2.2",
    kind="remark",
    statement="A classifier of very high standard accuracy has near-zero adversarial accuracy even when a classifier "
    "with reasonable standard and robust accuracy exists.",
    expected="PROVED",
    covers="p in [1/2, 1): sign(x_1) has both equal to p for eps < 1; standard accuracy 1 - delta leaves p/(1-p) delta",
    premises=("2 eta <= eps < 1",),
    without={
        "2 eta <= eps < 1": lambda _: given_case(x1_at_least_p, Attacked(law("95/100", 3), Fraction(1)), "at eps = 1")
    },
)
def reasonable_classifier(_budget: int) -> Evidence:
    """The first half is Theorem 2.1 (its core again: robust accuracy is at most A); the second is that x_1 of size 1
    keeps its sign for eps < 1, so that sign(x_1) is right with probability p under any attack (core).
    """
    from z3 import Real, Reals

    p, probabilities, standard, shifted = four_numbers()
    x, moved = Reals("x_1 x'")
    delta = Real("delta")
    premises = [2 * p >= 1, p < 1, standard >= 1 - delta, *probabilities]
    return all_of(
        solve(premises, {"near-zero": (1 - p) * shifted <= p * delta}),
        solve([x == 1, moved - x < 1, x - moved < 1], {"sign": moved > 0}),
    )


# ---- Lemma D.5 ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FeatureOne:
    """p, a weight of x_1 alone, and a radius."""

    p: Fraction
    weight: Fraction
    eps: Fraction


def one_delta_margin(case: FeatureOne) -> Fraction:
    """-abs(max over one delta of E max(0, 1 - y w (x_1 + delta)) - E max(0, 1 - y w x_1 + eps abs(w)))."""

    def mean(loss: Any) -> Fraction:
        sides = product((1, -1), ((1, case.p), (-1, 1 - case.p)))
        return sum((share / 2 * max(Fraction(0), loss(y, side * y)) for y, (side, share) in sides), Fraction(0))

    w, eps = case.weight, case.eps
    fixed = [mean(lambda y, x, d=d: 1 - y * w * (x + d)) for d in (-eps, eps)]  # convex in delta: largest at an end
    return Fraction(equality(max(fixed), mean(lambda y, x: 1 - y * w * x + eps * abs(w))))


@odds(
    "odds-d5-problem",
    label="Lemma D.5, the two problems",
    place="Appendix D",
    kind="formula",
    statement="min_w max_delta E max(0, 1 - y w.(x + delta)) + lambda ||w||^2/2 is equivalent to min_w E max(0, 1 - y "
    "w.x + eps ||w||_1) + lambda ||w||^2/2.",
    expected="AMENDED",
    covers="false with the maximum before the expectation, as printed: at p = 3/4, w = (1/4, 0), eps = 1/2 the terms "
    "are 7/8 and 1",
    reading="As printed, one delta for all points.",
    amendment="odds-d5-problem-repaired",
    searched="Eq (2) and Section 2: there the maximum is inside the expectation.",
)
def d5_problem(_budget: int) -> Evidence:
    return given_case(one_delta_margin, FeatureOne(Fraction(3, 4), Fraction(1, 4), Fraction(1, 2)))


@odds(
    "odds-d5-problem-repaired",
    label="Lemma D.5, the two problems, repaired",
    place="Appendix D",
    kind="repair",
    statement="E max over ||delta||_inf <= eps of max(0, 1 - y w.(x + delta)) = E max(0, 1 - y w.x + eps ||w||_1).",
    expected="PROVED",
    covers="every law, w and eps >= 0",
    repairs="odds-d5-problem",
)
def d5_problem_repaired(_budget: int) -> Evidence:
    """Each term -y w_i delta_i is at most eps abs(w_i), with equality for delta_i = -y eps sign(w_i) (core); the
    delta_i are free of each other, and max(0, .) rises.
    """
    from z3 import And, If, Or, Reals

    y, w, delta, eps = Reals("y w_i delta_i eps")
    size = eps * If(w >= 0, w, -w)
    worst = -y * eps * If(w > 0, 1, If(w < 0, -1, 0))
    premises = [Or(y == 1, y == -1), And(delta >= -eps, delta <= eps), eps >= 0]
    return solve(premises, {"no more": -y * w * delta <= size, "attained": -y * w * worst == size})


@odds(
    "odds-lemma-d5",
    label="Lemma D.5",
    place="Appendix D",
    kind="lemma",
    statement="Minimising the adversarial variant of eq (5) gives weight 0 to the features x_i, i >= 2.",
    expected="PROVED",
    covers="every p, d, lambda >= 0 and eps >= eta (printed before it: eps > 2 eta); at norm 1, eta is the exact "
    "threshold",
    premises=("eps >= eta",),
    without={"eps >= eta": lambda _: given_case(weakless, _case("95/100", "2/10", "0"))},
)
def lemma_d5(budget: int) -> Evidence:
    """Take out one w_i != 0: in 1 - y w.x + eps ||w||_1 it contributes -w_i y x_i + eps abs(w_i), a normal variable of
    deviation abs(w_i), independent of the rest A, with mean m = abs(w_i) (eps -+ eta) >= 0 (core). By Jensen, given A,
    E max(0, A + m + w_i N) > max(0, A + m) >= max(0, A), strictly as N is unbounded. So the margin term falls strictly
    when w_i is set to 0, and the penalty does not rise.
    """
    return confirmed(_mean_contribution(), sampled(weakless, trained_cases(), budget // 8 + 1))


def _mean_contribution() -> Evidence:
    from z3 import And, If, Or, Reals

    w, eta, eps, y = Reals("w_i eta eps y")
    mean = -w * y * (eta * y) + eps * If(w > 0, w, -w)
    printed = If(w > 0, w * (eps - eta), -w * (eps + eta))
    return solve(
        [eta > 0, eps >= eta, Or(y == 1, y == -1)],
        {"the mean": mean == printed, "not negative": And(mean >= 0)},
    )


@dataclass(frozen=True, slots=True)
class Contribution:
    """Of one weak feature to 1 - y w.x + eps ||w||_1."""

    weight: Fraction
    eta: Fraction
    eps: Fraction


def contribution_margin(case: Contribution) -> Fraction:
    """-abs((2 eta - eps) - the mean w_i (eps - eta)), for w_i > 0."""
    return Fraction(equality(2 * case.eta - case.eps, case.weight * (case.eps - case.eta)))


@dataclass(frozen=True, slots=True)
class Added:
    """A constant, and a variable that is mean +- spread with equal probability."""

    constant: Fraction
    mean: Fraction
    spread: Fraction


def added_margin(case: Added) -> Fraction:
    """E max(0, A + X) - max(0, A): that taking X out does not raise the hinge."""
    ends = [max(Fraction(0), case.constant + case.mean + sign * case.spread) for sign in (1, -1)]
    return (ends[0] + ends[1]) / 2 - max(Fraction(0), case.constant)


@odds(
    "odds-d5-proof",
    label="Lemma D.5, proof",
    place="Appendix D",
    kind="formula",
    statement="For w_i > 0 the contribution to 1 - y w.x + eps ||w||_1 is normal with mean 2 eta - eps <= 0; since "
    "the mean is non-positive, setting w_i to 0 can only decrease the margin term.",
    expected="AMENDED",
    covers="false: the mean is w_i (eps - eta); and a negative mean would lower the margin term, so that setting w_i "
    "to 0 could raise it",
    amendment="odds-d5-proof-repaired",
    searched="Appendix D, word for word.",
)
def d5_proof(_budget: int) -> Evidence:
    return given_case(contribution_margin, Contribution(Fraction(1), Fraction(1, 10), Fraction(3, 10)))


@odds(
    "odds-d5-proof-repaired",
    label="Lemma D.5, proof, repaired",
    place="Appendix D",
    kind="repair",
    statement="The contribution is normal with mean w_i (eps - eta) for w_i > 0 and abs(w_i) (eps + eta) for w_i < 0; "
    "if the mean is non-negative, setting w_i to 0 can only decrease the margin term.",
    expected="PROVED",
    covers="every eta, and eps >= eta, where the mean is non-negative",
    premises=("the mean is non-negative",),
    without={
        "the mean is non-negative": lambda _: given_case(
            added_margin, Added(Fraction(1), Fraction(-1), Fraction(1, 2)), "A = 1, X = -1/2 or -3/2: 1/4 - 1"
        )
    },
    repairs="odds-d5-proof",
)
def d5_proof_repaired(_budget: int) -> Evidence:
    """The mean is the first core. The tangent bound E max(0, A + X) >= max(0, A + E X) is Jensen's inequality, and
    max(0, A + m) >= max(0, A) for m >= 0 is the second.
    """
    from z3 import If, Reals

    a, m = Reals("A m")
    hinges = [If(x > 0, x, 0) for x in (a + m, a)]
    return all_of(_mean_contribution(), solve([m >= 0], {"a larger mean": hinges[0] >= hinges[1]}))


# ---- other losses, other lambdas, transfer --------------------------------------------------------------------------


@odds(
    "odds-general-lambda",
    label="Appendix D, general lambda",
    place="Appendix D",
    kind="remark",
    statement="The proofs can be adapted to general lambda: the SVM has standard accuracy above 99% and adversarial "
    "accuracy below 1% for eps >= 2 eta.",
    expected="PROVED",
    covers="every lambda >= 0 and d, p in [1/2, .975], s >= 4, eps >= 2 eta: w_1 < v, so accuracies above Phi(3) and "
    "below 1 - Phi(3); at norm 1 this is Lemma D.2 again",
    premises=(P_MOST, SIGNAL_4, REACH),
    without={
        P_MOST: lambda _: given_case(first_half, _standard("99999/100000", 4, "7/100000", "8/100")),
        SIGNAL_4: lambda _: given_case(first_half, _standard("1/2", 2, "1/10", "4/100")),
        REACH: lambda _: given_case(first_half, _standard("95/100", 4, "1/10", "4/100")),
    },
)
def general_lambda(budget: int) -> Evidence:
    """The minimiser has w >= 0 (as in Lemma D.2) and v > 0, as the slope in v at 0 is negative: at most p G(s) - (1-p)
    s. Suppose w >= v. With A = (1-w)/v - s and B = (1+w)/v - s, stationarity in w and v gives lambda (v - w) = (1-p)
    g(B) - p k(A), where g(B) = (s+1) Phi(B) - phi(B) and k(A) = phi(A) - (s-1) Phi(A), so (1-p) g(B) <= p k(A). But A
    <= B - 2 and B >= 1 - s. g rises above -s - 1, k rises up to 1 - s, where it is G(s-1), and falls after. So either
    B >= 3 - s and (1-p) g(B) - p k(A) >= (1-p) g(3-s) - p G(s-1), or, with b = -B in [s-3, s-1], it is at least (1-p)
    g(-b) - p k(-b-2). Both are positive: for b <= 2, so s <= 5 (in the first case b = s - 3), on a box at the worst p
    = .975 (cores). For b >= 2, k(A) <= phi(b+2) = phi(b) exp(-2b-2) in both cases, g(-b) >= phi(b) ((b+2) b/(1+b^2) -
    1) by Gordon's inequality as s + 1 >= b + 2, and exp(2b+2) is at least five terms of its series (core). So w < v,
    and then v y z > v > abs(w) with probability Phi(s-1) before, and v y z < -v after the shift, as for Lemmas D.3 and
    D.4 (core).
    """
    from hypothesis import strategies as st
    from z3 import Real

    from proofs_check.claims.odds_svm import d3_margin, mills, svm_cases
    from theory.strategies import rationals

    b = Real("b")
    x = 2 * b + 2
    series = 1 + x + x * x / 2 + x * x * x / 6 + x * x * x * x / 24
    proof = all_of(
        mills(),
        branch_and_bound(_beyond, {"s": (4, 5)}),
        branch_and_bound(_between, {"b": (1, 2), "s": (4, 5)}),
        solve([b >= 2], {"b >= 2": (2 * b - 1) * series > 39 * (1 + b * b)}),
        every_case(d3_margin, [4], "s = 4, the least"),
    )
    lam = rationals(lo="1/100", hi=100, denominators=(1, 100))
    cases = st.builds(lambda case, lam: Trained(case.law, Fraction(0), lam, case.eps), svm_cases(), lam)
    return confirmed(proof, sampled(first_half, cases, budget // 50 + 1))


def _beyond(s: Any) -> Any:
    """g(3-s) - 39 G(s-1), as an arb; 39 is p/(1-p) at p = .975."""
    from theory.arbs import cdf, pdf

    return (s + 1) * cdf(3 - s) - pdf(s - 3) - 39 * (pdf(s - 1) - (s - 1) * cdf(1 - s))


def _between(b: Any, s: Any) -> Any:
    """g(-b) - 39 k(-b-2), as an arb."""
    from theory.arbs import cdf, pdf

    return (s + 1) * cdf(-b) - pdf(b) - 39 * (pdf(b + 2) - (s - 1) * cdf(-b - 2))


def _standard(p: str, s: int, lam: str, eps: str) -> Trained:
    return Trained(law(p, s), Fraction(0), Fraction(lam), Fraction(eps))


def first_half(case: Trained) -> Enclosure:
    """The least of standard accuracy - 99% and 1% - robust accuracy."""
    from theory.enclosure import minimum
    from theory.odds.signgaussian import robust_accuracy, standard_accuracy
    from theory.odds.svm import train_svm

    found = train_svm(case.law, case.eps_train, case.lam).classifier
    robust = robust_accuracy(found, case.law, case.eps)
    return minimum(standard_accuracy(found, case.law) - LEVEL, 1 - LEVEL - robust)


@odds(
    "odds-logistic",
    label="Section 2.2, logistic regression",
    place="Section 2.2",
    kind="remark",
    statement="The proofs can be adapted to logistic regression: standard training has standard accuracy above 99% and "
    "adversarial accuracy below 1%, adversarial training leaves x_1 alone.",
    expected="PROVED",
    covers="no penalty, every d, eta >= 4/sqrt(d), p in [1/2, .975], eps >= 2 eta, and eta <= eps_train < 2p - 1 (for "
    "eps_train >= 2p - 1 all weights are 0)",
)
def logistic(_budget: int) -> Evidence:
    """The log-odds of y given x is L x_1 + 2 eta sum x_i, L = log(p/(1-p)) (first core): linear, so the model holds the
    law, and the expected log-loss is least there and nowhere else (Gibbs). The classifier is Bayes' rule, at least as
    accurate as f_avg, Phi(s) >= Phi(4) (second core). After the shift it is right with probability p Phi(-s + L/2s) +
    (1-p) Phi(-s - L/2s), below 1% on a box (third core); s > 10 only lowers Phi(-s + L/2s), a bound of it. With
    eps_train >= eta the weak weights vanish as in Lemma D.5 (Jensen, for any convex decreasing loss). For w_1 = w the
    loss p l((1-e) w) + (1-p) l(-(1+e) w) is convex with the slope -(2p-1-e)/2 at 0+ (fourth core), so w > 0 if e < 2p
    - 1; for w < 0 the slope is at most -(2p-1+e)/2 <= 0, so no w < 0 is better than 0.
    """
    from sympy import diff, exp, expand_log, log, symbols

    p, eta, x, w, e = symbols("p eta x w e", positive=True)

    def loss(margin: Any) -> Any:
        return log(1 + exp(-margin))

    weak = expand_log(-((x - eta) ** 2) / 2 + (x + eta) ** 2 / 2)
    slope = diff(p * loss((1 - e) * w) + (1 - p) * loss(-(1 + e) * w), w).subs(w, 0)
    other = diff(p * loss(-(1 + e) * w) + (1 - p) * loss((1 - e) * w), w).subs(w, 0)
    return all_of(
        identity({"log-odds of one weak feature": weak - 2 * eta * x}),
        every_case(_phi_level, [4], "s = 4, the least"),
        branch_and_bound(_bayes_fails, {"p": (Fraction(1, 2), Fraction(975, 1000)), "s": (4, 10)}),
        identity({"slope at 0+": slope + (2 * p - 1 - e) / 2, "slope towards w < 0": other - (2 * p - 1 + e) / 2}),
    )


def _phi_level(s: int) -> Enclosure:
    from theory.special import normal_cdf

    return normal_cdf(s) - LEVEL


def _bayes_fails(p: Any, s: Any) -> Any:
    """1% minus the shifted accuracy of Bayes' rule, and minus its bound Phi(-s + L/2s), whichever is less, as arbs."""
    from theory.arbs import cdf, to_arb

    half = (p / (1 - p)).log() / (2 * s)
    mixed = p * cdf(half - s) + (1 - p) * cdf(-half - s)
    return (to_arb(1 - LEVEL) - mixed).min(to_arb(1 - LEVEL) - cdf(half - s))


@odds(
    "odds-transfer",
    label="Section 2.2, transferability",
    place="Section 2.2",
    kind="remark",
    statement="Adversarial examples made by perturbing each feature towards -y transfer across classifiers trained on "
    "independent samples from the distribution.",
    expected="PROVED",
    covers="any two classifiers, however trained, of standard accuracy at least 1 - delta, eps >= 2 eta: one and the "
    "same shift makes both wrong with probability at least 1 - 2 p/(1-p) delta, so 62% for delta = 1%, p = 95%",
    reading="The shift by 2 eta of the weak features, which does not look at any classifier.",
    premises=("both classifiers have standard accuracy at least 1 - delta",),
    without={
        "both classifiers have standard accuracy at least 1 - delta": lambda _: given_case(
            x1_transfer, Attacked(law("95/100", 3), Fraction(6, 100)), "sign(x_1), which the shift never changes"
        )
    },
)
def transfer(_budget: int) -> Evidence:
    """By Theorem 2.1 each classifier is right after the shift with probability at most p/(1-p) delta, as its accuracy A
    there is the one of the core; both are wrong unless one of them is right (union bound).
    """
    from z3 import And, Implies, Real

    p, probabilities, standard, shifted = four_numbers()
    delta, first, second, both_wrong = (Real(name) for name in ("delta", "A_1", "A_2", "both wrong"))
    bounds = And((1 - p) * first <= p * delta, (1 - p) * second <= p * delta, both_wrong >= 1 - first - second)
    statements = {
        "each": Implies(standard >= 1 - delta, (1 - p) * shifted <= p * delta),
        "both": Implies(bounds, (1 - p) * both_wrong >= (1 - p) - 2 * p * delta),
    }
    return solve([2 * p >= 1, p < 1, delta >= 0, *probabilities], statements)


def x1_transfer(case: Attacked) -> Enclosure:
    """The error of sign(x_1) after the shift - (1 - p/(1-p) delta), with delta = 1%."""
    from theory.odds.signgaussian import shifted_risk, sign_classifier

    p = case.law.reliability
    return shifted_risk(sign_classifier(), case.law, case.eps) - (1 - p / (1 - p) / 100)

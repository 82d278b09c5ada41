"""Claims of TRADES about problems (3) to (6), Section 4."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from proofs_check.claims.trades import rounded_up
from proofs_check.core import Evidence, claim, definition
from proofs_check.families import ScoreCase, score_cases
from proofs_check.provers import confirmed, equality, given_case, identity, sampled, solve
from theory.ball import Ball
from theory.bounds import adversarial_surrogate, excess_robust_risk_bound
from theory.distributions import FiniteDistribution
from theory.risks import robust_risk
from theory.scores import Score
from theory.trades.objectives import adversarial_objective

if TYPE_CHECKING:
    pass

PROBLEM_3 = definition(
    "trades-problem-3",
    paper="TRADES",
    label="problem (3)",
    place="Section 4",
    statement="min over f of E[phi(f(X) Y) + max over X' in B(X, eps) of phi(f(X) f(X')/lambda)].",
    covers="theory.trades.objectives.trades_objective",
)
PROBLEM_4 = definition(
    "trades-problem-4",
    paper="TRADES",
    label="problems (4) and (6)",
    place="Section 4 and Appendix A",
    statement="min over f of E max over X' in B(X, eps) of phi(f(X') Y), robust optimisation.",
    covers="theory.trades.objectives.adversarial_objective",
)
PROBLEM_5 = definition(
    "trades-problem-5",
    paper="TRADES",
    label="problem (5)",
    place="Section 4",
    statement="min over f of E[L(f(X), Y) + max over X' in B(X, eps) of L(f(X), f(X'))/lambda], L a multi-class "
    "calibrated loss such as the cross-entropy, f(X) the output of a softmax.",
    covers="theory.trades.objectives.softmax_objective, for two classes; deep.objectives for more",
)
PAIRING = definition(
    "trades-logit-pairing",
    paper="TRADES",
    label="adversarial logit pairing",
    place="Section 4",
    statement="Make X' by maximising phi(f(X') Y), then minimise E[a phi(f(X') Y) + (1-a) phi(f(X) Y) + |f(X) - "
    "f(X')|_2/lambda], 0 <= a <= 1, in turn.",
    covers="nothing in the code: it is named for comparison",
)

# ---- problems (3) and (4) as bounds ---------------------------------------------------------------------------------


def problem_3_margin(case: ScoreCase, loss: str = "exponential") -> Any:
    """R_phi - R*_phi + E max phi - (R_rob - R*)."""
    found = excess_robust_risk_bound(case.score, case.law, case.ball, loss, case.lam)
    return found.terms["excess"] + found.terms["adversarial"] - found.lhs


def problem_3_upper_margin(case: ScoreCase) -> Fraction:
    """The same, for the exponential loss, rounded up."""
    return rounded_up(problem_3_margin(case))


def problem_3_hinge_margin(case: ScoreCase) -> Any:
    """The same for the hinge."""
    return problem_3_margin(case, "hinge")


NOISY_LAW = FiniteDistribution.of_points([(0,)], {-1: ["1/5"], +1: ["4/5"]})
NOISY = ScoreCase(NOISY_LAW, Score.of_values(NOISY_LAW.space, ["-1/100"]), Ball(0), Fraction(1, 100_000))
"""One point, eta = 4/5, score -1/100: R_rob - R* = 3/5, but C(-1/100) - H(4/5) is about 1/5, and E = exp(-10)."""


@claim(
    "trades-problem-3-bound",
    paper="TRADES",
    label="problem (3) minimises the upper bound",
    place="Section 1.1 and Section 4",
    kind="remark",
    statement="The differentiable upper bound on R_rob(f) - R*_nat is minimised, in the form of problem (3): R_phi(f) "
    "- R*_phi + E max phi(f(X) f(X')/lambda).",
    expected="AMENDED",
    covers="false for the exponential loss: one point, eta = 4/5, f = -1/100, lambda = 10^-5: 3/5 against 0.206",
    reading="The objective of (3), which leaves out psi^-1 (footnote 2 says so), is itself an upper bound.",
    amendment="trades-problem-3-bound-repaired",
)
def problem_3_bound(_budget: int) -> Evidence:
    return given_case(problem_3_upper_margin, NOISY)


@claim(
    "trades-problem-3-bound-repaired",
    paper="TRADES",
    label="problem (3) minimises the upper bound, repaired",
    place="Section 4",
    kind="repair",
    statement="R_rob(f) - R*_nat <= R_phi(f) - R*_phi + E max phi(f(X) f(X')/lambda) for phi >= 0 with phi >= 1 on u "
    "<= 0 and psi(theta) = theta, as the hinge and the sigmoid have.",
    expected="PROVED",
    covers="every such loss (psi(theta) >= theta is enough), measurable score, law, metric, eps >= 0 and lambda > 0",
    premises=("psi(theta) >= theta",),
    repairs="trades-problem-3-bound",
    without={"psi(theta) >= theta": lambda _budget: given_case(problem_3_upper_margin, NOISY)},
)
def problem_3_bound_repaired(budget: int) -> Evidence:
    """Theorem 3.1, repaired, with psi^-1(e) <= e: a theta with psi(theta) <= e has theta <= psi(theta) <= e (core)."""
    from z3 import Reals

    theta, psi_value, e = Reals("theta psi e")
    proof = solve([psi_value >= theta, psi_value <= e], {"psi^-1(e) <= e": theta <= e})
    return confirmed(proof, sampled(problem_3_hinge_margin, score_cases(), max(1, budget // 5)))


def problem_4_margin(case: ScoreCase) -> Any:
    """E max phi(f(X') Y) - R_rob(f) for the dipping hinge."""
    return adversarial_objective(case.score, case.law, case.ball, "dipping_hinge") - _robust(case)


def problem_4_hinge_margin(case: ScoreCase) -> Any:
    """The same for the hinge."""
    return adversarial_objective(case.score, case.law, case.ball, "hinge") - _robust(case)


def _robust(case: ScoreCase) -> Any:
    return robust_risk(case.score.classifier(), case.law, case.ball)


WRONG_LAW = FiniteDistribution.of_points([(0,)], {-1: [0], +1: [1]})
WRONG = ScoreCase(WRONG_LAW, Score.of_values(WRONG_LAW.space, [-1]), Ball(0), Fraction(1))
"""One point of label +1 and score -1."""


@claim(
    "trades-problem-4-bound",
    paper="TRADES",
    label="(4) is an upper bound of R_rob",
    place="Section 4",
    kind="remark",
    statement="R_rob(f) <= E max over X' in B(X, eps) of phi(f(X') Y).",
    expected="AMENDED",
    covers="false for a loss with phi(-1) = 1/2 (see Theorem 3.1, second inequality): one point, label +1, score -1: "
    "1 <= 1/2",
    reading="For the losses of Theorem 3.1: calibrated, phi >= 0, phi(0) >= 1.",
    amendment="trades-problem-4-bound-repaired",
)
def problem_4_bound(_budget: int) -> Evidence:
    return given_case(problem_4_margin, WRONG)


@claim(
    "trades-problem-4-bound-repaired",
    paper="TRADES",
    label="(4) is an upper bound of R_rob, repaired",
    place="Section 4",
    kind="repair",
    statement="R_rob(f) <= E max phi(f(X') Y) for phi >= 0 with phi(u) >= 1 for all u <= 0.",
    expected="PROVED",
    covers="every such phi, measurable score, law, metric and eps >= 0",
    premises=("phi(u) >= 1 for u <= 0",),
    repairs="trades-problem-4-bound",
    without={"phi(u) >= 1 for u <= 0": lambda _budget: given_case(problem_4_margin, WRONG)},
)
def problem_4_bound_repaired(budget: int) -> Evidence:
    """Pointwise: if some x' in the ball has f(x') y <= 0, then phi(f(x') y) >= 1; else the supremum is at least 0
    (core).
    """
    from z3 import Function, If, Implies, Real, RealSort

    phi, u = Function("phi", RealSort(), RealSort()), Real("f(x')y")
    proof = solve([Implies(u <= 0, phi(u) >= 1), phi(u) >= 0], {"the indicator": If(u <= 0, 1, 0) <= phi(u)})
    return confirmed(proof, sampled(problem_4_hinge_margin, score_cases(), max(1, budget // 5)))


@claim(
    "trades-problem-4-loose",
    paper="TRADES",
    label="(4) might not be tight",
    place="Section 4",
    kind="remark",
    statement="The objective of (4) might not be tight as an upper bound of the robust error.",
    expected="PROVED",
    covers="the hinge: a law where R_rob can be 1/2 and (4) is at least 1 for every score",
)
def problem_4_loose(_budget: int) -> Evidence:
    """Two points within eps of each other, of mass 1/2 and of labels -1 and +1: with scores a and b, both labels meet
    both scores, so (4) is half of max(phi(-a), phi(-b)) + max(phi(a), phi(b)) >= (phi(-a) + phi(a))/2 >= 1 (core).
    Constant scores have R_rob = 1/2.
    """
    from z3 import If, Reals

    a, b = Reals("a b")

    def hinge(u: Any) -> Any:
        return If(u < 1, 1 - u, 0)

    def larger(x: Any, y: Any) -> Any:
        return If(x > y, x, y)

    price = (larger(hinge(-a), hinge(-b)) + larger(hinge(a), hinge(b))) / 2
    return solve([], {"(4) is at least 1": price >= 1})


# ---- problem (5) ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TwoLambdas:
    """A product u of scores, and two values of lambda."""

    u: Fraction
    first: Fraction
    second: Fraction


def extension_margin(case: TwoLambdas) -> Fraction:
    """-abs(lambda phi(u/lambda) - mu phi(u/mu)) for the hinge: 0 if phi(u/lambda) is L(u)/lambda for one L."""

    def hinge(v: Fraction) -> Fraction:
        return max(Fraction(0), 1 - v)

    return Fraction(equality(case.first * hinge(case.u / case.first), case.second * hinge(case.u / case.second)))


@claim(
    "trades-problem-5-extends",
    paper="TRADES",
    label="(5) extends (3)",
    place="Section 4",
    kind="remark",
    statement="Problem (3) is extended to multi-class classification, as (5), by replacing phi with L.",
    expected="AMENDED",
    covers="false for the hinge: L(u)/lambda = phi(u/lambda) at u = 1 asks for L = 0 (lambda = 1) and L = 1 (lambda = "
    "2)",
    reading="For two classes some L, as a function of f(X) f(X'), makes (5) the same problem as (3) for all lambda.",
    amendment="trades-problem-5-extends-repaired",
)
def problem_5_extends(_budget: int) -> Evidence:
    return given_case(extension_margin, TwoLambdas(Fraction(1), Fraction(1), Fraction(2)))


@claim(
    "trades-problem-5-extends-repaired",
    paper="TRADES",
    label="(5) extends (3), repaired",
    place="Section 4",
    kind="repair",
    statement="For two classes and L(s, t) = phi(s t), (5) weighs the regulariser by 1/lambda where (3) divides its "
    "argument; the two are the same problem at lambda = 1.",
    expected="PROVED",
    covers="every phi and law",
    premises=("lambda = 1",),
    repairs="trades-problem-5-extends",
    without={
        "lambda = 1": lambda _budget: given_case(extension_margin, TwoLambdas(Fraction(1), Fraction(1), Fraction(2)))
    },
)
def problem_5_extends_repaired(_budget: int) -> Evidence:
    """phi(u/1) = phi(u)/1 pointwise (core), so the suprema over the ball and the expectations agree."""
    from z3 import Function, Real, RealSort

    phi, u = Function("phi", RealSort(), RealSort()), Real("u")
    return solve([], {"at lambda = 1": phi(u / 1) == phi(u) / 1})


@claim(
    "trades-cross-entropy-calibrated",
    paper="TRADES",
    label="the cross-entropy is a multi-class calibrated loss",
    place="Section 4",
    kind="remark",
    statement="Minimisers of the cross-entropy risk are minimisers of the 0-1 risk.",
    expected="PROVED",
    covers="any number of classes and every law of the label; near-minimisers too",
)
def cross_entropy_calibrated(_budget: int) -> Evidence:
    """Given the probabilities p of the classes, an output q costs -sum p_k ln q_k, which exceeds that of q = p by sum
    p_k g(q_k/p_k) with g(t) = t - 1 - ln t, as the q_k sum to 1 (over p_k > 0, to at most 1). g(1) = 0 and g'(t) =
    (t-1)/t (core), so g >= 0, with equality at 1 only: the minimiser is q = p, whose largest class is a most likely
    one. If the excess tends to 0, so does q - p.
    """
    from sympy import diff, log, symbols

    t = symbols("t", positive=True)
    g = t - 1 - log(t)
    return identity({"g(1)": g.subs(t, 1), "g'": diff(g, t) - (t - 1) / t})


@claim(
    "trades-zero-gradient",
    paper="TRADES",
    label="x_i is a global minimiser with zero gradient of the inner problem",
    place="Section 4",
    kind="remark",
    statement="x_i is a global minimiser with zero gradient of g(x') = L(f(x_i), f(x')), so the attack starts beside "
    "it.",
    expected="PROVED",
    covers="the cross-entropy (and the Kullback-Leibler divergence), any number of classes, f differentiable at x_i; "
    "not problem (3), where phi(f(x_i) f(x')/lambda) falls further as f(x') grows",
)
def zero_gradient(_budget: int) -> Evidence:
    """g(x') = -sum p_k ln q_k with p = f(x_i), q = f(x'), is least at q = p (see the calibration of the cross-entropy),
    which x' = x_i attains. Its derivative by the logits of q is q - p (core, for three classes; the same for all), 0 at
    q = p, and the chain rule gives a zero gradient at x_i. So sign(0) = 0 and a step from x_i itself does not move.
    """
    from sympy import diff, exp, log, symbols

    z = symbols("z1:4", real=True)
    p = symbols("p1:3", positive=True)
    p3 = (*p, 1 - p[0] - p[1])
    total = sum(exp(v) for v in z)
    g = -sum(share * log(exp(v) / total) for share, v in zip(p3, z, strict=True))
    return identity(
        {f"derivative {k + 1}": diff(g, v) - (exp(v) / total - p3[k]) for k, v in enumerate(z)},
    )


@dataclass(frozen=True, slots=True)
class Outputs:
    """The probability of the first of two classes at x and at x'."""

    at_x: Fraction
    at_other: Fraction


def exchanged_margin(case: Outputs) -> Fraction:
    """L(f(x'), f(x)) - L(f(x), f(x)) for the cross-entropy, rounded up: negative if x is no minimiser."""
    from theory.special import log

    def cross(p: Fraction, q: Fraction) -> Any:
        return -p * log(q) - (1 - p) * log(1 - q)

    return rounded_up(cross(case.at_other, case.at_x) - cross(case.at_x, case.at_x))


@claim(
    "trades-exchange",
    paper="TRADES",
    label="one can also exchange f(X) and f(X') in (5)",
    place="Section 4",
    kind="remark",
    statement="One can also exchange f(X) and f(X') in the second term of (5), so that x_i is a global minimiser with "
    "zero gradient of g(x') = L(f(x'), f(x_i)).",
    expected="AMENDED",
    covers="false for the cross-entropy, which is linear in f(x'): from (3/4, 1/4) to (7/8, 1/8) it falls by 0.137",
    reading="What the text says of the inner problem holds after the exchange as well.",
    amendment="trades-exchange-repaired",
)
def exchange(_budget: int) -> Evidence:
    return given_case(exchanged_margin, Outputs(Fraction(3, 4), Fraction(7, 8)))


@claim(
    "trades-exchange-repaired",
    paper="TRADES",
    label="one can also exchange f(X) and f(X') in (5), repaired",
    place="Section 4",
    kind="repair",
    statement="With the Kullback-Leibler divergence for L, x_i is a global minimiser of the inner problem in both "
    "orders.",
    expected="PROVED",
    covers="any number of classes",
    repairs="trades-exchange",
)
def exchange_repaired(_budget: int) -> Evidence:
    """sum q_k ln(q_k/p_k) = sum q_k g(p_k/q_k) with g(t) = t - 1 - ln t >= 0 (core), as both sum to 1; it is 0 at q =
    p.
    """
    from sympy import diff, log, symbols

    t = symbols("t", positive=True)
    g = t - 1 - log(t)
    return identity({"g(1)": g.subs(t, 1), "g'": diff(g, t) - (t - 1) / t})


def relabelled_margin(case: ScoreCase) -> Any:
    """-abs of the change of E max phi(f(X) f(X')/lambda) when all labels become +1."""
    law = case.law
    masses = [a + b for a, b in zip(law.masses[-1], law.masses[+1], strict=True)]
    other = FiniteDistribution.on(law.space, {-1: [0] * len(masses), +1: masses})
    old, new = (adversarial_surrogate(case.score, some, case.ball, "hinge", case.lam) for some in (law, other))
    return equality(old, new)


@claim(
    "trades-semi-supervised",
    paper="TRADES",
    label="the second term of (5) does not depend on Y",
    place="Section 4",
    kind="remark",
    statement="The second term of problem (5), and of (3), does not depend on the label Y.",
    expected="PROVED",
    covers="every law, score, loss and lambda",
)
def semi_supervised(budget: int) -> Evidence:
    """At a point x the term is a number v(x), made of f on the ball, whatever y is; its share of the expectation is
    v(x) Pr[Y = -1, x] + v(x) Pr[Y = +1, x] = v(x) Pr[x] (core).
    """
    from z3 import Reals

    v, minus, plus = Reals("v minus plus")
    proof = solve([minus >= 0, plus >= 0], {"only the mass counts": v * minus + v * plus == v * (minus + plus)})
    return confirmed(proof, sampled(relabelled_margin, score_cases(), max(1, budget // 5)))

"""Claims of TRADES about problems (3) to (6), Algorithm 1 and the attacks of Section 4 and Appendix A.

What needs a network is in ``trades_experiments``; here the steps are followed in rationals on the line.
"""

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
    from hypothesis import strategies as st

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
    return confirmed(proof, sampled(problem_3_hinge_margin, score_cases(), budget))


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
    return confirmed(proof, sampled(problem_4_hinge_margin, score_cases(), budget))


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
    return confirmed(proof, sampled(relabelled_margin, score_cases(), budget))


# ---- Algorithm 1 ----------------------------------------------------------------------------------------------------


@claim(
    "trades-algorithm-1-lines",
    paper="TRADES",
    label="Algorithm 1, steps named in the text",
    place="Section 4",
    kind="arithmetic",
    statement="Projected gradient descent is Step 7 of Algorithm 1, the random start Step 5.",
    expected="IMPOSSIBLE",
    covers="the printed listing, where they are lines 9 and 7; line 5 reads a mini-batch",
)
def algorithm_1_lines(_budget: int) -> Evidence:
    printed = {5: "read a mini-batch", 7: "random start", 9: "projected step"}
    named = {7: "projected step", 5: "random start"}
    wrong = [f"Step {k} is said to be the {what}, but line {k} is: {printed[k]}" for k, what in named.items()]
    assert all(printed[k] != what for k, what in named.items())
    return Evidence("IMPOSSIBLE", "; ".join(wrong), len(named))


@claim(
    "trades-algorithm-1-ball",
    paper="TRADES",
    label="Algorithm 1, line 9",
    place="Section 4",
    kind="procedure",
    statement="x' <- projection on B(x, eps) of x' + eta_1 sign(gradient): after every step x' is in B(x, eps).",
    expected="PROVED",
    covers="the l_infinity ball in any dimension, any gradient; the start x + 0.001 N(0, I) may lie outside, for K = 0",
)
def algorithm_1_ball(_budget: int) -> Evidence:
    """Coordinate by coordinate the projection is clipping to [x - eps, x + eps] (core); clipping to [0, 1] besides
    keeps both, as x is in [0, 1] (core).
    """
    from z3 import And, If, Implies, Reals

    v, x, eps, inner = Reals("v x eps inner")

    def clip(u: Any, lo: Any, hi: Any) -> Any:
        return If(u < lo, lo, If(u > hi, hi, u))

    ball = clip(v, x - eps, x + eps)
    zero, one = x - x, x - x + 1
    both = clip(inner, zero, one)
    inside = And(x - eps <= inner, inner <= x + eps)
    return solve(
        [eps >= 0],
        {
            "in the ball": And(x - eps <= ball, ball <= x + eps),
            "in the cube too": Implies(And(inside, x >= 0, x <= 1), And(x - eps <= both, both <= x + eps)),
        },
    )


@claim(
    "trades-algorithm-1-affine",
    paper="TRADES",
    label="Algorithm 1, inner maximisation",
    place="Section 4",
    kind="procedure",
    statement="The inner loop approximately solves the inner maximisation by projected gradient steps.",
    expected="PROVED",
    covers="exactly, where each partial derivative of the objective keeps its sign on the ball and is not 0: after K "
    ">= 2 eps/eta_1 steps of size eta_1 from anywhere in the ball; no more is claimed of networks",
)
def algorithm_1_affine(_budget: int) -> Evidence:
    """In each coordinate the objective rises in one direction, to the end of the interval; let d <= 2 eps be the
    distance to that end. A clipped step makes it max(d - eta_1, 0) (core), so it is 0 after 2 eps/eta_1 steps; the
    corner reached is the maximiser.
    """
    from z3 import If, Reals

    d, eta, eps = Reals("d eta_1 eps")
    place = eps - d  # the end is at eps
    moved = If(place + eta > eps, eps, place + eta)
    return solve([eta > 0, d >= 0, eps >= 0], {"distance to the end": eps - moved == If(d - eta > 0, d - eta, 0)})


@dataclass(frozen=True, slots=True)
class LineAttack:
    """The score f(x) = x on the line, attacked at x by ``steps`` of size eta within eps, hinge, lambda."""

    x: Fraction
    lam: Fraction
    eps: Fraction
    eta: Fraction
    steps: int


def saturation_margin(case: LineAttack) -> Fraction:
    """What projected sign-gradient steps on phi(f(x) f(x')/lambda) from x + 1/1000 reach, minus the maximum."""

    def price(at: Fraction) -> Fraction:
        return max(Fraction(0), 1 - at * case.x / case.lam)

    at = case.x + Fraction(1, 1000)
    for _ in range(case.steps):
        slope = -case.x / case.lam if price(at) > 0 else Fraction(0)
        at += case.eta * ((slope > 0) - (slope < 0))
        at = min(max(at, case.x - case.eps), case.x + case.eps)
    return price(at) - max(price(case.x - case.eps), price(case.x + case.eps))


def kept_margin(case: LineAttack) -> Fraction:
    """The same for steps that lower f(x') sign f(x) itself, with enough of them."""
    at, sign = case.x + Fraction(1, 1000), 1 if case.x >= 0 else -1
    for _ in range(int(3 * case.eps / case.eta) + 2):
        at = min(max(at - case.eta * sign, case.x - case.eps), case.x + case.eps)

    def price(place: Fraction) -> Fraction:
        return max(Fraction(0), 1 - place * case.x / case.lam)

    return price(at) - max(price(case.x - case.eps), price(case.x + case.eps))


def line_attacks() -> st.SearchStrategy[LineAttack]:
    """Attacks on the line."""
    from hypothesis import strategies as st

    from theory.strategies import rationals

    positive = rationals(lo="1/4", hi=2, denominators=(4,))
    x = rationals(lo=-3, hi=3, denominators=(2,))
    return st.builds(LineAttack, x, positive, positive, positive, st.just(20))


@claim(
    "trades-hinge-attack",
    paper="TRADES",
    label="FGSM^k on phi(f(X') f(X)/lambda) with the hinge",
    place="Section 5.1 and Section 4",
    kind="procedure",
    statement="The worst case X' of the second term is approximated by k steps of FGSM^k on problem (3) with the "
    "hinge.",
    expected="AMENDED",
    covers="false where f(x) f(x') > lambda at the start: the hinge is flat there, the sign of its gradient 0; f(x) = "
    "x = 2, lambda = 1, eps = 3: the attack finds 0, the maximum is 3",
    amendment="trades-hinge-attack-repaired",
)
def hinge_attack(_budget: int) -> Evidence:
    return given_case(saturation_margin, LineAttack(Fraction(2), Fraction(1), Fraction(3), Fraction(1, 2), 20))


@claim(
    "trades-hinge-attack-repaired",
    paper="TRADES",
    label="FGSM^k on phi(f(X') f(X)/lambda) with the hinge, repaired",
    place="Section 5.1",
    kind="repair",
    statement="For a loss that does not increase, lowering sign f(x) f(x') maximises phi(f(x) f(x')/lambda), without "
    "flat places of its own; on affine scores k >= 2 eps/eta steps attain the maximum.",
    expected="PROVED",
    covers="every loss that does not increase and lambda > 0; affine scores, l_infinity balls",
    repairs="trades-hinge-attack",
)
def hinge_attack_repaired(budget: int) -> Evidence:
    """If sign f(x) f(x') is smaller, so is f(x) f(x')/lambda, and phi no smaller (core for the order; phi does not
    increase). For affine f the gradient of f is constant, so trades-algorithm-1-affine applies; a zero component does
    not matter.
    """
    from z3 import Implies, Reals

    a, b, c, lam, u, v = Reals("f(x) f(x') f(x'') lambda u v")
    proof = solve(
        [lam > 0, u * lam == a * b, v * lam == a * c],
        {
            "positive score": Implies(a > 0, (b <= c) == (u <= v)),
            "negative score": Implies(a < 0, (b >= c) == (u <= v)),
        },
    )
    return confirmed(proof, sampled(kept_margin, line_attacks(), budget))


@claim(
    "trades-algorithm-1-outer",
    paper="TRADES",
    label="Algorithm 1, line 12",
    place="Section 4",
    kind="procedure",
    statement="theta <- theta - eta_2 sum of gradients of L(f(x_i), y_i) + L(f(x_i), f(x_i'))/lambda, over m: the "
    "procedure aims at minimising the empirical form of (5).",
    expected="NOT RUN",
    covers="nothing yet: it calls deep.objectives on a model whose empirical problem (5) is solved exactly",
)
def algorithm_1_outer(_budget: int) -> Evidence:
    return Evidence("NOT RUN", "needs deep.objectives.trades and one training step of deep")


# ---- Appendix A -----------------------------------------------------------------------------------------------------


@claim(
    "trades-fgsm",
    paper="TRADES",
    label="FGSM",
    place="Appendix A",
    kind="procedure",
    statement="x' = x + eps sign(gradient of phi(f(x) y)) solves the linear approximation of the maximisation over the "
    "ball.",
    expected="PROVED",
    covers="the l_infinity ball in any dimension",
)
def fgsm(_budget: int) -> Evidence:
    """The linear approximation is a constant plus the sum of g_i d_i over the coordinates, |d_i| <= eps. Each is at
    most eps |g_i| = g_i eps sign(g_i) (core).
    """
    from z3 import And, If, Reals

    g, d, eps = Reals("g d eps")
    best = eps * If(g > 0, 1, If(g < 0, -1, 0))
    return solve([eps >= 0, d <= eps, -d <= eps], {"no move gains more": And(g * d <= g * best)})


@dataclass(frozen=True, slots=True)
class BumpAttack:
    """The score (x' - peak)^2 on the line, label +1, hinge; FGSM^k from x with step eps, as printed."""

    peak: Fraction
    x: Fraction
    eps: Fraction
    steps: int

    def prices(self) -> list[Fraction]:
        """phi(f(x'_t) y) for t = 0, ..., steps."""

        def price(at: Fraction) -> Fraction:
            return max(Fraction(0), 1 - (at - self.peak) ** 2)

        at, found = self.x, [price(self.x)]
        for _ in range(self.steps):
            slope = -2 * (at - self.peak) if price(at) > 0 else Fraction(0)
            at += self.eps * ((slope > 0) - (slope < 0))
            at = min(max(at, self.x - self.eps), self.x + self.eps)
            found.append(price(at))
        return found


def multi_step_margin(case: BumpAttack) -> Fraction:
    """The price after k steps minus that after one."""
    prices = case.prices()
    return prices[-1] - prices[1]


def best_step_margin(case: BumpAttack) -> Fraction:
    """The same for the best of all places visited."""
    prices = case.prices()
    return max(prices) - prices[1]


def bump_attacks() -> st.SearchStrategy[BumpAttack]:
    """Attacks of one to four steps."""
    from hypothesis import strategies as st

    from theory.strategies import rationals

    number = rationals(lo=-1, hi=1, denominators=(2, 4))
    return st.builds(BumpAttack, number, number, rationals(hi=2, denominators=(2, 4)), st.integers(1, 4))


@claim(
    "trades-fgsm-k",
    paper="TRADES",
    label="FGSM^k",
    place="Appendix A",
    kind="procedure",
    statement="x_0 = x, x_{t+1} = projection of x_t + eps sign(gradient) on B(x, eps), k times, is more powerful than "
    "FGSM.",
    expected="AMENDED",
    covers="false as printed: the score (x' - 3/4)^2 at x = 0, eps = 1, label +1, hinge: one step reaches 15/16, the "
    "second goes back to x and 7/16",
    reading="More powerful: the loss at x_k is at least that at FGSM's x_1. The step size is eps in the print; "
    "Section 5 uses eta_1 < eps.",
    amendment="trades-fgsm-k-repaired",
)
def fgsm_k(_budget: int) -> Evidence:
    return given_case(multi_step_margin, BumpAttack(Fraction(3, 4), Fraction(0), Fraction(1), 2))


@claim(
    "trades-fgsm-k-repaired",
    paper="TRADES",
    label="FGSM^k, repaired",
    place="Appendix A",
    kind="repair",
    statement="The best of the points that FGSM^k visits has a loss of at least FGSM's.",
    expected="PROVED",
    covers="every loss, score and ball, as FGSM's point is the first one visited",
    repairs="trades-fgsm-k",
)
def fgsm_k_repaired(budget: int) -> Evidence:
    """x_1 is FGSM's point, x + eps sign(g) being in the ball, and a maximum is at least each entry (core)."""
    from z3 import If, Reals

    a, b = Reals("loss_1 loss_of_the_rest")
    proof = solve([], {"a maximum is no less": If(a > b, a, b) >= a})
    return confirmed(proof, sampled(best_step_margin, bump_attacks(), budget))

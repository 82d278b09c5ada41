"""Claims of TRADES about Algorithm 1 (Section 4) and the attacks of Appendix A, their steps followed in rationals.

What needs a network is in ``trades_experiments``.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from proofs_check.core import Evidence, claim
from proofs_check.provers import confirmed, given_case, sampled, solve

if TYPE_CHECKING:
    from hypothesis import strategies as st

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
    return confirmed(proof, sampled(kept_margin, line_attacks(), max(1, budget // 5)))


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
    """Attacks of two to four steps."""
    from hypothesis import strategies as st

    from theory.strategies import rationals

    number = rationals(lo=-1, hi=1, denominators=(2, 4))
    return st.builds(BumpAttack, number, number, rationals(hi=1, denominators=(4,)), st.integers(2, 4))


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
    return confirmed(proof, sampled(best_step_margin, bump_attacks(), max(1, budget // 5)))

"""Claims of PGN (Adversarial training with perturbation generator networks): Sections 2 to 4, the game.

J(delta) = Loss(x + delta, y) - c |delta|_2^2 is what the generator maximises. "Linear scores" are binary: margin m,
gradient of length n, loss log(1 + exp(-margin)); `theory.pgn` has their maximisers.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

from proofs_check.core import Evidence, claim, definition
from proofs_check.provers import confirmed, equality, every_case, given_case, sampled, solve
from theory.pgn import best_linear_attack

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

pgn, defined = partial(claim, paper="PGN"), partial(definition, paper="PGN")


@dataclass(frozen=True, slots=True)
class Game:
    """``values[i][k]`` is what choice k (of theta, or of a generator) yields on example i; examples weigh the same."""

    values: tuple[tuple[Fraction, ...], ...]


def _mean_of(pick: Any, case: Game) -> Fraction:
    return Fraction(sum((pick(row) for row in case.values), Fraction(0)), len(case.values))


def _pick_of_means(pick: Any, case: Game) -> Fraction:
    found: Fraction = pick([sum(column) / Fraction(len(column)) for column in zip(*case.values, strict=True)])
    return found


def min_exchange_margin(case: Game) -> Any:
    """-abs(E min over theta minus min over theta of E)."""
    return equality(_mean_of(min, case), _pick_of_means(min, case))


def min_order_margin(case: Game) -> Fraction:
    """min over theta of E, minus E min over theta."""
    return _pick_of_means(min, case) - _mean_of(min, case)


def max_exchange_margin(case: Game) -> Any:
    """-abs(E max over delta minus max over generators of E)."""
    return equality(_mean_of(max, case), _pick_of_means(max, case))


def max_order_margin(case: Game) -> Fraction:
    """E max over delta, minus max over generators of E."""
    return _mean_of(max, case) - _pick_of_means(max, case)


def games() -> SearchStrategy[Game]:
    """Up to four examples and four choices with values in [0, 4]."""
    from hypothesis import strategies as st

    from theory.strategies import rationals

    number = rationals(hi=4, denominators=(1, 2))
    sizes = st.tuples(st.integers(1, 4), st.integers(1, 4))
    rows = sizes.flatmap(lambda n: st.tuples(*[st.tuples(*[number] * n[1])] * n[0]))
    return st.builds(Game, rows)


OPPOSED = Game(((Fraction(0), Fraction(1)), (Fraction(1), Fraction(0))))
"""Two examples and two choices, each of which suits one of the examples."""


def mean_core() -> Evidence:
    """A mean of smaller numbers is smaller, one example added at a time."""
    from z3 import Reals

    a, b, upper_a, upper_b = Reals("a b A B")
    return solve([a <= upper_a, b <= upper_b], {"sums keep the order": a + b <= upper_a + upper_b})


# ---- Sections 2 and 3.1: what is defined ----------------------------------------------------------------------------

EQ_1 = defined(
    "pgn-eq1",
    label="eq (1)",
    place="Section 2",
    statement="min over theta of rho(theta) = E max over delta in S of L(theta, x + delta, y).",
    covers="the adversarial loss; 1 - theory.risks.robust_risk is its 0-1 case",
)
EQ_2 = defined(
    "pgn-eq2",
    label="eq (2)",
    place="Section 3.1",
    statement="F(x; theta) is the vector of K class probabilities, by softmax.",
    covers="softmax of a network's logits",
)
EQ_3 = defined(
    "pgn-eq3",
    label="eq (3)",
    place="Section 3.1",
    statement="G(grad_x F, x, y; phi) is an image, grad_x F the gradient of the true class' probability.",
    covers="a network with three inputs, deep.architectures.generator",
    reading="y is a number in eq (3) and one-hot in Figure 1 and Table 1.",
)
FGM = defined(
    "pgn-fgm",
    label="Section 3.2, FGM",
    place="Section 3.2",
    statement="FGM perturbs by the normalised gradient of the loss, times eps.",
    covers="the l2 norm here ('all L2-bounded'); a zero gradient gives no perturbation",
)
CURVE = defined(
    "pgn-robustness-curve",
    label="Section 4.2, robustness curve",
    place="Section 4.2",
    statement="The points (benign accuracy, rho_cw) of networks trained with different hyper-parameters, connected.",
    covers="an outer curve is better; theory.odds.frontier has such a curve exactly",
)

# ---- eq (4): the game -----------------------------------------------------------------------------------------------


@pgn(
    "pgn-eq4",
    label="eq (4)",
    place="Section 3.2",
    kind="formula",
    statement="F and G play E min over theta max over phi of [Loss(x + G) - c |G|^2].",
    expected="AMENDED",
    covers="false as the objective of one network: two examples, each suited by another theta, have E min = 0, min E "
    "= 1/2",
    reading="As printed theta and phi are chosen anew for each example; both networks are shared by all.",
    amendment="pgn-eq4-repaired",
    searched="eq (1), where the minimum stands before E, as in (Madry et al., 2018); GAN's game is min max E",
)
def eq_4(_budget: int) -> Evidence:
    return given_case(min_exchange_margin, OPPOSED)


@pgn(
    "pgn-eq4-repaired",
    label="eq (4), repaired",
    place="Section 3.2",
    kind="repair",
    statement="They play min over theta max over phi of E; what is printed is at most that: E min <= min E.",
    expected="PROVED",
    covers="every loss, law and set of parameters",
    repairs="pgn-eq4",
)
def eq_4_repaired(budget: int) -> Evidence:
    """For each theta the least value on an example is at most the value of theta there, so E min <= E of theta, by the
    core example by example; and the least over theta on the right. With h(theta, x) the maximum over phi this is
    eq (4): the maxima only make both sides what they are.
    """
    return confirmed(mean_core(), sampled(min_order_margin, games(), max(1, budget // 4)))


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear score's margin and gradient length, the cost c, and the length t of a perturbation."""

    margin: Fraction
    norm: Fraction
    cost: Fraction
    length: Fraction = Fraction(0)


def linears() -> SearchStrategy[Linear]:
    """Margins in [-2, 5], lengths in (0, 4]."""
    from hypothesis import strategies as st

    from theory.strategies import rationals

    positive = rationals(lo="1/4", hi=4, denominators=(1, 4))
    margin = rationals(lo=-2, hi=5, denominators=(1, 2))
    return st.builds(Linear, margin, positive, positive, rationals(hi=4, denominators=(1, 4)))


def large_margin(case: Linear) -> Fraction:
    """How far the best length is above n/(4c) and below n/(2c), where m < n^2/(4c)."""
    if case.margin >= case.norm**2 / (4 * case.cost):
        return Fraction(0)
    (length,) = best_linear_attack(case.margin, case.norm, case.cost).lengths
    return Fraction(min(length.lo - case.norm / (4 * case.cost), case.norm / (2 * case.cost) - length.hi))


@pgn(
    "pgn-cost-low",
    label="Section 3.2, low c_L",
    place="Section 3.2",
    kind="remark",
    statement="With c very low, the generator finds only solutions of extremely large power.",
    expected="PROVED",
    covers="linear scores: for c < n^2/(4m) the best length is between n/(4c) and n/(2c), so it grows like 1/c",
)
def cost_low(budget: int) -> Evidence:
    """A best length has J' = 0: 2 c t = n sigma(u), u = n t - m, with sigma < 1. For m < n^2/(4c) the maximiser has
    u > 0 (`pgn-maximiser-repaired`), so sigma > 1/2; the core has the two bounds.
    """
    from z3 import And, Reals

    t, c, n, sigma = Reals("t c n sigma")
    known = [c > 0, n > 0, sigma > Fraction(1, 2), sigma < 1, 2 * c * t == n * sigma]
    proof = solve(known, {"bounds": And(4 * c * t > n, 2 * c * t < n)})
    return confirmed(proof, sampled(large_margin, linears(), max(1, budget // 10)))


def zero_margin(case: Linear) -> Fraction:
    """Minus the best length, rounded down."""
    return -min(Fraction(length.lo) for length in best_linear_attack(case.margin, case.norm, case.cost).lengths)


def lipschitz_margin(case: Linear) -> Fraction:
    """n/c less the best length, and the best length: neither may be negative."""
    lengths = best_linear_attack(case.margin, case.norm, case.cost).lengths
    return Fraction(min(min(length.lo, case.norm / case.cost - length.hi) for length in lengths))


@pgn(
    "pgn-cost-high",
    label="Section 3.2, high c_L",
    place="Section 3.2",
    kind="remark",
    statement="With c very high, only zero perturbations are generated.",
    expected="AMENDED",
    covers="false at every c: a linear score with m = 2, n = 1 and c = 1000 has the best length 0.0000596...",
    reading="Of a generator that is trained to the end.",
    amendment="pgn-cost-high-repaired",
)
def cost_high(_budget: int) -> Evidence:
    return given_case(zero_margin, Linear(Fraction(2), Fraction(1), Fraction(1000)))


@pgn(
    "pgn-cost-high-repaired",
    label="Section 3.2, high c_L, repaired",
    place="Section 3.2",
    kind="repair",
    statement="If the loss is L-Lipschitz, best perturbations have length at most L/c; none is 0 where the loss has a "
    "gradient that is not 0.",
    expected="PROVED",
    covers="every loss with these properties and c > 0",
    repairs="pgn-cost-high",
)
def cost_high_repaired(budget: int) -> Evidence:
    """J(delta) - J(0) <= L t - c t^2, which is negative for t > L/c (core). With gradient g the gain along g is
    |g| t - o(t) - c t^2: for small t the remainder is below |g| t/2, and the rest is positive for t < |g|/(2c) (core).
    """
    from z3 import Implies, Reals

    t, c, slope = Reals("t c L")
    proof = solve(
        [t > 0, c > 0, slope > 0],
        {
            "too long": Implies(c * t > slope, slope * t - c * t * t < 0),
            "not 0": Implies(2 * c * t < slope, slope * t / 2 - c * t * t > 0),
        },
    )
    return confirmed(proof, sampled(lipschitz_margin, linears(), max(1, budget // 10)))


@dataclass(frozen=True, slots=True)
class Noise:
    """A classifier whose loss is the same everywhere near x, the cost, and the length of a noise."""

    cost: Fraction
    length: Fraction


def noise_margin(case: Noise) -> Fraction:
    """What the noise gains: J(noise) - J(0) = -c |noise|^2."""
    return -case.cost * case.length**2


@pgn(
    "pgn-complete",
    label="Section 3.2, end of the game",
    place="Section 3.2",
    kind="remark",
    statement="At the end the generator finds no vulnerability any more and produces only random noise.",
    expected="AMENDED",
    covers="false: with nothing to gain noise of length 1/10 costs 1/2 at c = 50, and 0 costs nothing",
    amendment="pgn-complete-repaired",
)
def complete(_budget: int) -> Evidence:
    return given_case(noise_margin, Noise(Fraction(50), Fraction(1, 10)))


@pgn(
    "pgn-complete-repaired",
    label="Section 3.2, end of the game, repaired",
    place="Section 3.2",
    kind="repair",
    statement="Where Loss(x + delta) < Loss(x) + c |delta|^2 for all delta but 0, the one best perturbation is 0.",
    expected="PROVED",
    covers="every loss; so of every flat one and c > 0",
    repairs="pgn-complete",
)
def complete_repaired(_budget: int) -> Evidence:
    """The premise is J(delta) < J(0) (core)."""
    from z3 import Reals

    moved, still, squared, c = Reals("Loss(x+delta) Loss(x) |delta|^2 c")
    return solve([c > 0, squared > 0, moved < still + c * squared], {"0 is better": moved - c * squared < still})


# ---- Section 3.2: how training overfits to FGM ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scored:
    """A score y f(t) on a line, by its coefficients from the constant up, an example at 0, eps and another point."""

    coefficients: tuple[Fraction, ...]
    eps: Fraction
    other: Fraction


def _score(case: Scored, t: Fraction) -> Fraction:
    return sum((a * t**k for k, a in enumerate(case.coefficients)), Fraction(0))


def fgm_blind_margin(case: Scored) -> int:
    """0 if 0 and FGM's point are right, but the other point, no farther than eps, is wrong; else -1."""
    slope = case.coefficients[1]
    fooled = -case.eps if slope > 0 else case.eps if slope < 0 else Fraction(0)
    right = _score(case, Fraction(0)) > 0 and _score(case, fooled) > 0
    return 0 if right and _score(case, case.other) <= 0 and abs(case.other) <= case.eps else -1


@pgn(
    "pgn-case1",
    label="Section 3.2, CASE 1",
    place="Section 3.2",
    kind="example",
    statement="Reducing the gradient at the data keeps FGM from finding adversarial examples; others remain.",
    expected="PROVED",
    covers="the score 1 - t^2 at 0 with eps = 2: no gradient at 0, an error at 1",
)
def case_1(_budget: int) -> Evidence:
    case = Scored(tuple(map(Fraction, (1, 0, -1))), Fraction(2), Fraction(1))
    return every_case(fgm_blind_margin, [case], "one score, computed")


@pgn(
    "pgn-case2",
    label="Section 3.2, CASE 2",
    place="Section 3.2",
    kind="example",
    statement="A network that is right on the surface of the eps-ball may be wrong inside it.",
    expected="PROVED",
    covers="the score (t - 1/4)(t - 3/4) at 0 with eps = 1: right at 0 and at FGM's point 1, wrong at 1/2",
)
def case_2(_budget: int) -> Evidence:
    case = Scored((Fraction(3, 16), Fraction(-1), Fraction(1)), Fraction(1), Fraction(1, 2))
    return every_case(fgm_blind_margin, [case], "one score, computed")


def as_far_margin(case: tuple[int, Fraction, Fraction]) -> Any:
    """For k steps of length s within eps: -abs(how far PGD gets on a linear score, minus eps, FGM's length)."""
    steps, step, eps = case
    reached = Fraction(0)
    for _ in range(steps):
        reached = min(eps, reached + step)
    return equality(reached, eps)


@pgn(
    "pgn-locally-linear",
    label="Section 4.4, PGD and FGM",
    place="Section 4.4",
    kind="remark",
    statement="Where the network is linear PGD and FGM generate the same examples.",
    expected="PROVED",
    covers="linear scores, l2 ball, k steps of length s from the image with k s >= eps",
    premises=("k s >= eps",),
    without={"k s >= eps": lambda _: given_case(as_far_margin, (3, Fraction(1, 4), Fraction(1)))},
)
def locally_linear(_budget: int) -> Evidence:
    """Both follow one direction, the normalised gradient, which is the same everywhere; PGD gets min(eps, k s) far, FGM
    eps, and these agree (core).
    """
    from z3 import If, Reals

    eps, total = Reals("eps k*s")
    return solve([eps > 0, total >= eps], {"as far": If(total <= eps, total, eps) == eps})

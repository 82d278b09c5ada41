"""Claims of SENSE about Algorithms 1, 2 and 3, run in exact arithmetic on models of one variable.

Only the sign of the gradient, the ball and the order of losses enter Algorithms 1 and 3. A model is p_y, the predicted
probability of the true label, as a piecewise linear function of one variable; the loss falls in p_y, so the attack goes
against the slope of p_y, and loss > log(1/c) is p_y < c. There are two labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from proofs_check.claims import shipped
from proofs_check.claims.sense_cases import few
from proofs_check.core import Evidence, claim
from proofs_check.provers import confirmed, equality, every_case, given_case, identity, sampled, solve

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy

sense = partial(claim, paper="SENSE")

TEXT = "Read in SENSE: Section 4, Algorithms 1 to 3 line by line, Appendices C to E. PGD is that of Madry et al. "


@dataclass(frozen=True, slots=True)
class Run:
    """p_y through the knots (place, value), constant beyond; an example at x, and what the algorithms are given."""

    knots: tuple[tuple[Fraction, Fraction], ...]
    x: Fraction
    eps: Fraction
    step: Fraction
    steps: int
    c: Fraction
    noise: tuple[Fraction, ...] = ()

    def p(self, at: Fraction) -> Fraction:
        """p_y at a place."""
        if at <= self.knots[0][0]:
            return self.knots[0][1]
        for (lo, a), (hi, b) in pairwise(self.knots):
            if at <= hi:
                return a + (b - a) * (at - lo) / (hi - lo)
        return self.knots[-1][1]

    def uphill(self, at: Fraction) -> int:
        """The sign of the loss's gradient: against the slope of p_y, the one to the right at a knot, 0 where flat."""
        for (lo, a), (hi, b) in pairwise(self.knots):
            if lo <= at < hi:
                return (a > b) - (a < b)
        return 0

    def clip(self, at: Fraction) -> Fraction:
        """The nearest point of the ball."""
        return min(max(at, self.x - self.eps), self.x + self.eps)

    @property
    def places(self) -> list[Fraction]:
        """The ends of the ball and the knots in it: p_y has its extremes on the ball there."""
        inner = [at for at, _ in self.knots if abs(at - self.x) < self.eps]
        return [self.x - self.eps, *inner, self.x + self.eps]

    @property
    def steepness(self) -> Fraction:
        """The largest slope of p_y in size."""
        return max(abs((b - a) / (hi - lo)) for (lo, a), (hi, b) in pairwise(self.knots))

    @property
    def right(self) -> bool:
        """f(x) = y."""
        return self.p(self.x) > Fraction(1, 2)

    @property
    def only_x(self) -> bool:
        """S = {x}: no other point of the ball has p_y >= c."""
        return self.p(self.x) <= self.c and all(at == self.x or self.p(at) < self.c for at in self.places)

    @property
    def whole_ball(self) -> bool:
        """p_y >= c on all of the ball."""
        return all(self.p(at) >= self.c for at in [*self.places, self.x])


def runs() -> SearchStrategy[Run]:
    """Runs on models with three or four knots."""
    from hypothesis import strategies as st

    from theory.strategies import rationals

    value, length = rationals(denominators=(10, 20)), rationals(lo="1/10", hi=1, denominators=(10,))
    knots = st.lists(st.tuples(length, value), min_size=3, max_size=4).map(_placed)
    noise = st.lists(rationals(lo=-1, hi=1, denominators=(10,)), min_size=5, max_size=5).map(tuple)
    c = st.sampled_from([Fraction(3, 10), Fraction(1, 2), Fraction(7, 10)])
    return st.builds(Run, knots, rationals(denominators=(10,)), length, length, st.integers(1, 5), c, noise)


def _placed(steps: list[tuple[Fraction, Fraction]]) -> tuple[tuple[Fraction, Fraction], ...]:
    at, knots = Fraction(0), []
    for length, value in steps:
        knots.append((at, value))
        at += length
    return tuple(knots)


def pgd(run: Run) -> Fraction:
    """The last of the K iterates of PGD from x."""
    at = run.x
    for _ in range(run.steps):
        at = run.clip(at + run.step * run.uphill(at))
    return at


def algorithm_1(run: Run) -> Fraction:
    """The point that Algorithm 1 trains on: lines 3 to 8, without lines 9 and 10."""
    at = run.x
    if not run.right:
        return at
    for _ in range(run.steps):
        following = run.clip(at + run.step * run.uphill(at))
        if run.p(following) < run.c:
            break
        at = following
    return at


def algorithm_3(run: Run) -> Fraction:
    """The same of Algorithm 3; its Step^(1), which is not defined, is the gradient step, its noise that of the run."""
    at = run.x
    if not run.right:
        return at
    step, noise = run.step * run.uphill(at), iter(run.noise)
    for _ in range(run.steps):
        following = run.clip(at + step)
        if run.p(following) >= run.c:
            at, step = following, run.step * run.uphill(following)
        else:
            step = next(noise, Fraction(0))
    return at


# ---- Algorithm 1 ----------------------------------------------------------------------------------------------------


def _kept() -> Evidence:
    """The core: one turn of the loop keeps "in the ball, and x or of loss at most log(1/c)"."""
    from z3 import And, Bool, If, Implies, Or, Reals

    at, following, x, eps, p_at, p_next, c = Reals("at next x eps p(at) p(next) c")
    moved = Bool("at_is_x")
    new, p_new = If(p_next < c, at, following), If(p_next < c, p_at, p_next)
    ball = [at >= x - eps, at <= x + eps, following >= x - eps, following <= x + eps]
    before, after = Or(moved, p_at >= c), Or(And(moved, p_next < c), p_new >= c)
    statement = And(new >= x - eps, new <= x + eps, Implies(before, after))
    return solve([*ball, eps >= 0], {"one turn keeps it": statement})


def allowed_margin(run: Run, algorithm: Callable[[Run], Fraction] = algorithm_1) -> Fraction:
    """The least of eps - distance from x, and of p_y - c where the point is not x; x where f errs."""
    at = algorithm(run)
    if at == run.x:
        return Fraction(0)
    return Fraction(min(run.eps - abs(at - run.x), run.p(at) - run.c)) if run.right else Fraction(-1)


@sense(
    "sense-algorithm-1",
    label="Algorithm 1",
    place="Section 4",
    kind="procedure",
    statement="Each example becomes a point of its ball with loss at most log(1/c), or stays; one that is classified "
    "wrong is not perturbed.",
    expected="PROVED",
    covers="lines 3 to 8, every model, dimension, K and step size; line 9 is one gradient step on these points",
    reading="The line with the update prints one step size of the two that are given (eta_1 for x, eta_2 for theta).",
)
def algorithm_1_keeps(budget: int) -> Evidence:
    """By induction over k: x^(0) = x; the next iterate is projected on the ball and kept only if its loss is at most
    log(1/c), otherwise the one before is returned: the core, for one turn. The loop runs over f(x) = y alone.
    """
    return confirmed(_kept(), sampled(allowed_margin, runs(), few(budget)))


def stage_margin(run: Run) -> Fraction:
    """-abs(point - x) on A, -abs(point - PGD) on C (f right, p_y >= c on the ball), 0 on B."""
    at = algorithm_1(run)
    if not run.right or run.only_x:
        return Fraction(equality(at, run.x))
    return Fraction(equality(at, pgd(run)) if run.whole_ball else 0)


@sense(
    "sense-algorithm-1-stages",
    label="Section 4, ways (1) and (3)",
    place="Section 4",
    kind="procedure",
    statement="The algorithm gives x for x in A and the full K-step PGD attack for x in C.",
    expected="PROVED",
    covers="every model, dimension, K and step size; A and C by f and S as in Section 4",
)
def algorithm_1_stages(budget: int) -> Evidence:
    """If f(x) != y nothing is done. If S = {x}, every other point has a loss above log(1/c), so a turn that starts at x
    ends there. If S is the ball, p_y >= c on all of it (at x too, as p_y is continuous), no turn reverts, and the loop
    is that of PGD. The core has one turn of either kind, the sample runs both algorithms.
    """
    from z3 import And, If, Implies, Or, Reals

    at, following, x, p_next, c = Reals("at next x p(next) c")
    new = If(p_next < c, at, following)
    stays = Implies(And(at == x, Or(following == x, p_next < c)), new == x)
    proof = solve([c > 0], {"x stays x": stays, "no reversion": Implies(p_next >= c, new == following)})
    return confirmed(proof, sampled(stage_margin, runs(), few(budget)))


def exact_p(run: Run) -> Fraction:
    """p_y at the sensible example of eq (4) with f_r = f: c once p_y passes it on the ball, as p_y is continuous."""
    x, least = run.p(run.x), min(run.p(at) for at in [*run.places, run.x])
    return x if not run.right or x < run.c else max(least, run.c)


def exact_margin(run: Run) -> Fraction:
    """p_y of the exact sensible example minus that of Algorithm 1's point: negative if a larger loss is allowed."""
    return exact_p(run) - run.p(algorithm_1(run))


COARSE = Run(
    ((Fraction(0), Fraction(1)), (Fraction(1), Fraction(0))),
    Fraction(0),
    Fraction(1),
    Fraction(1, 2),
    1,
    Fraction(7, 10),
)
"""p_y = 1 - x on [0, 1], x = 0, eps = 1, c = 7/10: the one step of 1/2 is reverted."""


@sense(
    "sense-algorithm-1-reversed",
    label="Section 4, way (2)",
    place="Section 4",
    kind="procedure",
    statement="For x in B the algorithm gives the sensible adversarial example, of loss approximately log(1/c).",
    expected="AMENDED",
    covers="false for a coarse step: p_y = 1 - x, x = 0, eps = 1, c = 7/10, one step of 1/2: reverted to loss 0",
    amendment="sense-algorithm-1-reversed-repaired",
    searched=TEXT + "Section 4 says that the implementation of eq (4) is straightforward; no step size is named there.",
)
def algorithm_1_reversed(_budget: int) -> Evidence:
    return given_case(exact_margin, COARSE)


def near_margin(run: Run) -> Fraction:
    """0, or (c + slope eta) - p_y of the point, where the algorithm reverted a step."""
    if not run.right or algorithm_1(run) == pgd(run):
        return Fraction(0)
    return run.c + run.steepness * run.step - run.p(algorithm_1(run))


@sense(
    "sense-algorithm-1-reversed-repaired",
    label="Section 4, way (2), repaired",
    place="Section 4",
    kind="repair",
    statement="Where a step of length eta is reverted, p_y at the point returned is below c + L eta if p_y changes by "
    "at most L per unit; so the loss is near log(1/c) for small steps.",
    expected="PROVED",
    covers="every dimension, K and norm of the step; p_y >= c there too unless the point is x",
    repairs="sense-algorithm-1-reversed",
)
def algorithm_1_reversed_repaired(budget: int) -> Evidence:
    """The reverted iterate has p_y < c, and the one returned is at most eta away (a projection on the ball does not
    make the step from a point of the ball longer): the core.
    """
    from z3 import Reals

    kept, reverted, c, slope, step = Reals("p(kept) p(reverted) c L eta")
    proof = solve([reverted < c, kept - reverted <= slope * step], {"near": kept < c + slope * step})
    return confirmed(proof, sampled(near_margin, runs(), few(budget)))


def moved_margin(run: Run) -> Fraction:
    """p_y(x) - c if Algorithm 1 moves x, else 0."""
    return run.p(run.x) - run.c if algorithm_1(run) != run.x else Fraction(0)


VALLEY = Run(
    ((Fraction(0), Fraction(3, 5)), (Fraction(1, 10), Fraction(11, 20)), (Fraction(1, 2), Fraction(9, 10))),
    Fraction(0), Fraction(1, 2), Fraction(1, 2), 1, Fraction(7, 10),
)  # fmt: skip
"""p_y falls from 3/5 to 11/20 at 1/10 and rises to 9/10 at 1/2, c = 7/10: one step of 1/2 passes over the valley."""


@sense(
    "sense-algorithm-1-prerequisite",
    label="Appendix E, prerequisite, in Algorithm 1",
    place="Appendix E",
    kind="procedure",
    statement="p_y(x) >= c is a prerequisite for adding any perturbation to x.",
    expected="AMENDED",
    covers="false for Algorithm 1, which tests no x: p_y(x) = 3/5 < c = 7/10, and a step over a valley ends at 9/10",
    amendment="sense-algorithm-1-prerequisite-repaired",
    searched=TEXT + "Only the iterates from x^(1) on are tested in Algorithms 1 to 3.",
)
def algorithm_1_prerequisite(_budget: int) -> Evidence:
    return given_case(moved_margin, VALLEY)


def no_worse_margin(run: Run) -> Fraction:
    """p_y at the point minus p_y(x) where p_y(x) < c."""
    return run.p(algorithm_1(run)) - run.p(run.x) if run.p(run.x) < run.c else Fraction(0)


DOWNHILL = Run(
    ((Fraction(0), Fraction(1)), (Fraction(1), Fraction(0))),
    Fraction(0),
    Fraction(1),
    Fraction(1, 5),
    1,
    Fraction(7, 10),
)


@sense(
    "sense-algorithm-1-prerequisite-repaired",
    label="Appendix E, prerequisite, in Algorithm 1, repaired",
    place="Appendix E",
    kind="repair",
    statement="Where p_y(x) < c, Algorithm 1 trains on x or on a point with p_y >= c, of a smaller loss than x.",
    expected="PROVED",
    covers="every model, dimension, K and step size",
    premises=("p_y(x) < c",),
    repairs="sense-algorithm-1-prerequisite",
    without={"p_y(x) < c": lambda _budget: given_case(lambda run: run.p(algorithm_1(run)) - run.p(run.x), DOWNHILL)},
)
def algorithm_1_prerequisite_repaired(budget: int) -> Evidence:
    """The point is x or has p_y >= c (Algorithm 1), and c > p_y(x): the core is that of the loop."""
    return confirmed(_kept(), sampled(no_worse_margin, runs(), few(budget)))


@sense(
    "sense-algorithm-1-cost",
    label="Section 4, cost",
    place="Section 4",
    kind="procedure",
    statement="The algorithm needs no forward or backward propagation in addition to those of PGD.",
    expected="PROVED",
    covers="each example, K from 1 to 200: points visited, each passed forward and backward at most once",
    reading="A pass keeps the gradient in theta, or a reversion at the last step costs one pass more.",
)
def algorithm_1_cost(budget: int) -> Evidence:
    """PGD passes x^(0), ..., x^(K-1) for the directions and x^(K) for the training step: K + 1 points. With a reversion
    at step k, Algorithm 1 passes x^(0), ..., x^(k), whose losses it tests, and trains on x^(k-1), passed before.
    """
    cases = [(steps, at) for steps in range(1, 201) for at in range(1, steps + 1)]
    proof = every_case(lambda case: (case[0] + 1) - (case[1] + 1), cases, "K from 1 to 200, every step of reversion")
    return confirmed(proof, sampled(lambda run: run.steps + 1 - passes(run), runs(), few(budget)))


def passes(run: Run) -> int:
    """The points that Algorithm 1 passes through the model, counted while it runs."""
    seen: list[Fraction] = []

    class Counted(Run):
        def p(self, at: Fraction) -> Fraction:
            seen.append(at)
            return Run.p(self, at)

    algorithm_1(Counted(run.knots, run.x, run.eps, run.step, run.steps, run.c))
    return len(seen)


# ---- Algorithm 2 ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Slope:
    """A gradient in two dimensions and a step size."""

    gradient: tuple[Fraction, Fraction]
    step: Fraction


def sign_step(case: Slope) -> tuple[Fraction, ...]:
    """Algorithm 1: eta sign(g)."""
    return tuple(case.step * ((g > 0) - (g < 0)) for g in case.gradient)


def max_step(case: Slope) -> tuple[Fraction, ...]:
    """Algorithm 2 at p = infinity: eta g/max abs g."""
    return tuple(case.step * g / max(map(abs, case.gradient)) for g in case.gradient)


def same_step_margin(case: Slope) -> Fraction:
    """Minus the largest difference of the two steps."""
    return -max(abs(a - b) for a, b in zip(sign_step(case), max_step(case), strict=True))


@sense(
    "sense-algorithm-2",
    label="Algorithm 2",
    place="Appendix C",
    kind="procedure",
    statement="Algorithm 2 extends Algorithm 1 from the l-infinity norm to the l_p norms.",
    expected="AMENDED",
    covers="false at p = infinity: at the gradient (1, 1/2) its step is eta (1, 1/2), not eta (1, 1)",
    reading="An extension to l_p is Algorithm 1 at p = infinity.",
    amendment="sense-algorithm-2-repaired",
    searched=TEXT + "Algorithm 2 divides the gradient by its l_p norm.",
)
def algorithm_2(_budget: int) -> Evidence:
    return given_case(same_step_margin, Slope((Fraction(1), Fraction(1, 2)), Fraction(1)))


@sense(
    "sense-algorithm-2-repaired",
    label="Algorithm 2, repaired",
    place="Appendix C",
    kind="repair",
    statement="Its steps have l_p length eta; they are those of Algorithm 1 in one dimension, for every p, and the "
    "steepest ascent of length eta for p = 2.",
    expected="PROVED",
    covers="non-zero gradients; dimension 2 in the core, any dimension by Lagrange's identity and homogeneity",
    premises=("one dimension",),
    repairs="sense-algorithm-2",
    without={
        "one dimension": lambda _budget: given_case(same_step_margin, Slope((Fraction(1), Fraction(1, 2)), Fraction(1)))
    },
)
def algorithm_2_repaired(_budget: int) -> Evidence:
    """A norm is homogeneous, so eta g/|g| has the length eta. In one dimension g/|g| = sign g. For p = 2 and any s of
    length eta, |g|^2 |s|^2 - (g s)^2 is the sum of (g_i s_j - g_j s_i)^2 over pairs (core), so g s <= |g| eta, which
    eta g/|g| attains.
    """
    from sympy import symbols

    g, h, s, t = symbols("g h s t", real=True)
    lagrange = (g**2 + h**2) * (s**2 + t**2) - (g * s + h * t) ** 2 - (g * t - h * s) ** 2
    return identity({"Lagrange": lagrange.expand()})


# ---- Algorithm 3 ----------------------------------------------------------------------------------------------------


@sense(
    "sense-algorithm-3",
    label="Algorithm 3",
    place="Appendix C",
    kind="procedure",
    statement="Algorithm 3 too reverses an example when its loss is above log(1/c), so each becomes a point of its "
    "ball with loss at most log(1/c), or stays.",
    expected="PROVED",
    covers="every model, dimension, K, step size and noise; its last point need not be the worst that it has accepted",
    reading="Step^(1) is not defined in the print; it is read as the gradient step at x.",
)
def algorithm_3_keeps(budget: int) -> Evidence:
    """By induction over k as for Algorithm 1: x_i is projected on the ball and accepted only if its loss is at most
    log(1/c), whatever the step was; otherwise the example stays. The core is one turn of the loop.
    """
    return confirmed(_kept(), sampled(lambda run: allowed_margin(run, algorithm_3), runs(), few(budget)))


def alike_margin(run: Run) -> Fraction:
    """-abs(difference of the points of Algorithms 1 and 3) with noise 0."""
    silent = Run(run.knots, run.x, run.eps, run.step, run.steps, run.c)
    return Fraction(equality(algorithm_3(silent), algorithm_1(silent)))


@sense(
    "sense-algorithm-3-difference",
    label="Algorithm 3, difference from Algorithm 1",
    place="Appendix C",
    kind="procedure",
    statement="The only difference is that after a reversion it takes random noise as the next step in the place of "
    "breaking off.",
    expected="PROVED",
    covers="every model, dimension, K and step size, with the reading of Step^(1)",
)
def algorithm_3_difference(budget: int) -> Evidence:
    """Both start at x with the same step. The core: a turn from the same point with the same step (any projection and
    any p_y) leaves both at the same point, and reverts both or neither; after a reversion Algorithm 1 breaks off, and
    Algorithm 3 goes on from that point with noise. With noise 0 it stays there, which the sample runs.
    """
    from z3 import And, Function, If, Implies, Reals, RealSort

    p, clip = Function("p", RealSort(), RealSort()), Function("clip", RealSort(), RealSort())
    first, third, step, step_3, c = Reals("at_1 at_3 step_1 step_3 c")

    def turn(at: Any, by: Any) -> Any:
        return If(p(clip(at + by)) < c, at, clip(at + by))

    same = Implies(And(first == third, step == step_3), turn(first, step) == turn(third, step_3))
    return confirmed(solve([c > 0], {"one turn": same}), sampled(alike_margin, runs(), few(budget)))


SEARCHING = Run(COARSE.knots, COARSE.x, COARSE.eps, COARSE.step, 2, COARSE.c, (Fraction(1, 4),))


@sense(
    "sense-algorithm-3-search",
    label="Algorithm 3, more effective search",
    place="Appendix C",
    kind="procedure",
    statement="The noise can lead to a more effective search for the maximiser of the loss on S.",
    expected="PROVED",
    covers="one run: p_y = 1 - x, x = 0, eps = 1, c = 7/10, two steps of 1/2, noise 1/4: p_y 3/4 against 1; it can "
    "also lead to a less effective one",
    reading="Appendix C cites definition 4, which does not exist; S is that of Definition 3.",
)
def algorithm_3_search(_budget: int) -> Evidence:
    def margin(run: Run) -> Fraction:
        return run.p(algorithm_1(run)) - run.p(algorithm_3(run)) - Fraction(1, 4)

    return every_case(margin, [SEARCHING], "the one run that 'can' asks for")


@sense(
    "sense-algorithms-shipped",
    label="Algorithms 1 to 3, the shipped code",
    place="Section 4 and Appendix C",
    kind="procedure",
    statement="The training code of this package makes the examples of Algorithms 1 to 3.",
    expected="SUPPORTED",
    covers="deep.objectives.SENSE on models of one variable: the points of algorithm_1, in l-infinity and in l2, and "
    "of algorithm_3, with c off every p_y",
    reading="Algorithm 1 as printed, which asks of x itself only that f(x) = y; the code can ask p_y(x) >= c, too.",
)
def algorithms_shipped(budget: int) -> Evidence:
    return shipped.run(lambda: sampled(shipped.sense_margin, shipped.sense_runs(), few(budget)))

"""Claims of IAAT on how radii are selected: the rule in the text, and Algorithm 2.

Radii are in units of 1/255. R is the largest radius at which an example's prediction stays right, and an *exact* attack
succeeds at eps exactly if eps > R; ``algorithm_2`` is the printed algorithm against it, written again here, beside
`theory.iaat`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

from proofs_check.claims import shipped
from proofs_check.core import Evidence, claim
from proofs_check.provers import confirmed, equality, given_case, sampled, solve
from theory.iaat import (
    RadiusRule,
    radius_limit,
    radius_path,
    select_radius,
    text_radius,
    within,
)

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

iaat = partial(claim, paper="IAAT")
CIFAR = RadiusRule("1.9", "0.1")
"""gamma and beta of Table 10."""


@dataclass(frozen=True, slots=True)
class Memory:
    """A memory m, the radius R of the example, and the gamma and beta of Algorithm 2."""

    memory: Fraction
    radius: Fraction
    gamma: Fraction = Fraction(19, 10)
    beta: Fraction = Fraction(1, 10)


def algorithm_2(case: Memory) -> Fraction:
    """The memory after one epoch against an exact attack, as printed."""
    eps_1, eps_2, eps_3 = case.memory + case.gamma, case.memory, case.memory - case.gamma
    if max(eps_1, Fraction(0)) <= case.radius:
        eps = eps_1
    elif max(eps_2, Fraction(0)) <= case.radius:
        eps = eps_2
    else:
        eps = eps_3
    return (1 - case.beta) * case.memory + case.beta * eps


def memories(lowest_radius: int = 0) -> SearchStrategy[Memory]:
    """Memories and radii up to 12, gamma up to 3 and beta up to 1."""
    from hypothesis import strategies as st

    from theory.strategies import rationals

    number = rationals(hi=12, denominators=(1, 2, 10))
    radius = rationals(lo=lowest_radius, hi=12, denominators=(1, 2, 10))
    gamma = rationals(lo="1/4", hi=3, denominators=(1, 4, 10))
    return st.builds(Memory, number, radius, gamma, rationals(lo="1/10", hi=1, denominators=(2, 5, 10)))


EIGHT = Memory(Fraction(8), Fraction(17, 2))
"""Warmed up to 8, with R = 8.5: the attack fails at 8 and succeeds at 9.9."""
JUMPY = Memory(Fraction(0), Fraction(3, 2), Fraction(1), Fraction(2))
"""beta = 2: 0, 2, 0, 2, ... jumps over the band (1/2, 3/2]."""
WRONG = Memory(Fraction(0), Fraction(-1))
"""An example that is misclassified without any attack."""


def z3_memory() -> tuple[Any, ...]:
    """For z3: m, R >= 0, gamma > 0, beta in (0, 1], the memory after an epoch, and what is known of them."""
    from z3 import If, Reals

    m, radius, gamma, beta = Reals("m R gamma beta")
    target = If(m + gamma <= radius, m + gamma, If(m <= radius, m, m - gamma))
    known = [radius >= 0, gamma > 0, beta > 0, beta <= 1]
    return m, radius, gamma, beta, (1 - beta) * m + beta * target, known


# ---- the rule in the text -------------------------------------------------------------------------------------------


def text_rule(case: Memory) -> Fraction:
    """eps + gamma if the attack at eps fails, eps - gamma if it succeeds."""
    return case.memory + case.gamma if max(case.memory, Fraction(0)) <= case.radius else case.memory - case.gamma


def text_rule_margin(case: Memory) -> Any:
    """-abs(the text's new radius minus Algorithm 2's)."""
    return equality(text_rule(case), algorithm_2(case))


@iaat(
    "iaat-text-rule",
    label="Section 3, update of eps_i",
    place="Section 3",
    kind="procedure",
    statement="If PGD succeeds at eps_i then eps_i <- eps_i - gamma, and if it fails eps_i <- eps_i + gamma: this is "
    "what Algorithm 2 does.",
    expected="AMENDED",
    covers="false: with R = 8.5 and gamma = 1.9 the text moves 8 to 9.9, Algorithm 2 leaves it",
    amendment="iaat-text-rule-repaired",
)
def text_rule_is_algorithm_2(_budget: int) -> Evidence:
    return given_case(text_rule_margin, EIGHT)


def same_way_margin(outcome: tuple[bool, bool]) -> Fraction:
    """Whether the label stays at mem + gamma and at mem: minus how far apart text and Algorithm 2 move, in steps."""
    survives = {Fraction(10): outcome[0], Fraction(8): outcome[1]}
    ours = select_radius(8, survives.__getitem__, RadiusRule(2, 1)).radius
    text = text_radius(8, survives.__getitem__, 2)
    return Fraction(0) if ours == 8 and outcome == (False, True) else -abs(ours - text) / 2


@iaat(
    "iaat-text-rule-repaired",
    label="Section 3, update of eps_i, repaired",
    place="Section 3",
    kind="repair",
    statement="Algorithm 2 moves by beta gamma instead of gamma, and stays where PGD fails at eps_i but succeeds at "
    "eps_i + gamma; elsewhere both move the same way.",
    expected="PROVED",
    covers="every attack that succeeds at eps_i + gamma if it does at eps_i, every m, gamma > 0 and beta in (0, 1]",
    premises=("an attack that succeeds at eps_i does at eps_i + gamma",),
    without={
        "an attack that succeeds at eps_i does at eps_i + gamma": lambda _: given_case(same_way_margin, (True, False))
    },
    repairs="iaat-text-rule",
)
def text_rule_repaired(_budget: int) -> Evidence:
    """The core runs over the outcomes of the two attacks, as truth values."""
    from z3 import And, Bools, If, Implies, Not, Reals

    m, gamma, beta = Reals("m gamma beta")
    right_at_1, right_at_2 = Bools("right_at_eps_1 right_at_eps_2")
    target = If(right_at_1, m + gamma, If(right_at_2, m, m - gamma))
    moved = (1 - beta) * m + beta * target - m
    text = If(right_at_2, gamma, -gamma)
    stays = And(right_at_2, Not(right_at_1))
    return solve(
        [gamma > 0, beta > 0, beta <= 1, Implies(right_at_1, right_at_2)],
        {"it stays": Implies(stays, moved == 0), "or moves alike": Implies(Not(stays), moved == beta * text)},
    )


def text_settles_margin(case: Memory) -> Any:
    """-abs of the change in a step of the text's rule, from a radius in (R - gamma, R + gamma]."""
    return equality(text_rule(case), case.memory)


@iaat(
    "iaat-text-rule-settles",
    label="Section 3, update of eps_i, limit",
    place="Section 3",
    kind="procedure",
    statement="The text's rule arrives at a radius for each example.",
    expected="AMENDED",
    covers="false: with R = 8.5 it goes 8, 9.9, 8, 9.9, ... for ever",
    reading="The text calls it a simple heuristic and says no more of its limit.",
    amendment="iaat-text-rule-settles-repaired",
)
def text_rule_settles(_budget: int) -> Evidence:
    return given_case(text_settles_margin, EIGHT)


@iaat(
    "iaat-text-rule-settles-repaired",
    label="Section 3, update of eps_i, limit, repaired",
    place="Section 3",
    kind="repair",
    statement="Against an exact attack and a constant R >= 0 the text's rule ends by alternating between two radii, "
    "one in (R - gamma, R] and that plus gamma.",
    expected="PROVED",
    covers="every start, R >= 0 and gamma > 0",
    repairs="iaat-text-rule-settles",
)
def text_rule_settles_repaired(_budget: int) -> Evidence:
    """Outside (R - gamma, R + gamma] each step moves gamma towards it and cannot jump over it (core), so it is entered
    after finitely many; inside, two steps lead back, and the smaller of the two radii is in (R - gamma, R] (core).
    """
    from z3 import And, If, Implies, Reals

    m, radius, gamma = Reals("m R gamma")

    def step(x: Any) -> Any:
        return If(x <= radius, x + gamma, x - gamma)

    once, inside = step(m), And(m > radius - gamma, m <= radius + gamma)
    return solve(
        [radius >= 0, gamma > 0],
        {
            "approach from below": Implies(m <= radius - gamma, And(once == m + gamma, once <= radius + gamma)),
            "approach from above": Implies(m > radius + gamma, And(once == m - gamma, once > radius - gamma)),
            "alternate": Implies(inside, And(step(once) == m, once != m)),
            "the smaller": Implies(inside, If(once < m, And(once > radius - gamma, once <= radius), m <= radius)),
        },
    )


@dataclass(frozen=True, slots=True)
class Shrinking:
    """A first memory, the epochs in which the example is wrong all the time, and what may be left."""

    memory: Fraction
    epochs: int
    left: Fraction


def shrink_margin(case: Shrinking) -> Fraction:
    """What may be left less what Algorithm 2 leaves, with Table 10's gamma and beta."""
    return case.left - radius_path(case.memory, within(-1), CIFAR, case.epochs)[-1]


@iaat(
    "iaat-shrink",
    label="Section 3, reason for the warm-up",
    place="Section 3",
    kind="procedure",
    statement="Without warm-up the random predictions of a new network make the radii shrink rapidly.",
    expected="AMENDED",
    covers="false of Algorithm 2: wrong in all of 10 epochs, a radius of 8 is still 6.1",
    reading="Rapidly: to a half within the usual 10 epochs of warm-up. By the text's rule 8 is gone in 5 epochs.",
    amendment="iaat-shrink-repaired",
)
def shrink(_budget: int) -> Evidence:
    return given_case(shrink_margin, Shrinking(Fraction(8), 10, Fraction(4)))


def falls_margin(case: Memory) -> Any:
    """For an example that is wrong: -abs(the fall in an epoch minus beta gamma)."""
    return equality(case.memory - algorithm_2(replace(case, radius=Fraction(-1))), case.beta * case.gamma)


@iaat(
    "iaat-shrink-repaired",
    label="Section 3, reason for the warm-up, repaired",
    place="Section 3",
    kind="repair",
    statement="An example that is wrong loses exactly beta gamma in an epoch, 0.19 by Table 10, and none loses more; "
    "from 8 it is 43 epochs to 0.",
    expected="PROVED",
    covers="every memory, gamma > 0 and beta in (0, 1]",
    repairs="iaat-shrink",
)
def shrink_repaired(budget: int) -> Evidence:
    """A wrong example survives no attack, so Algorithm 2 takes eps_3, and (1 - beta) m + beta (m - gamma) = m - beta
    gamma (core); by `iaat-algorithm-2-step` no radius moves by more. 42 * 0.19 < 8 <= 43 * 0.19.
    """
    from z3 import Reals

    m, gamma, beta = Reals("m gamma beta")
    fall = m - ((1 - beta) * m + beta * (m - gamma))
    proof = solve([gamma > 0, beta > 0], {"the fall": fall == beta * gamma})
    return confirmed(proof, sampled(falls_margin, memories(), max(1, budget // 10)))


# ---- Algorithm 2 ----------------------------------------------------------------------------------------------------


@iaat(
    "iaat-algorithm-2-step",
    label="Algorithm 2, line 11",
    place="Section 3",
    kind="procedure",
    statement="eps_i <- (1 - beta) mem + beta eps_i: a radius moves by beta gamma up, by nothing, or by beta gamma "
    "down.",
    expected="PROVED",
    covers="every attack, exact or not, every memory, gamma and beta",
    reading="With beta = 0.1 most weight stays on the memory: 0.19 an epoch at gamma = 1.9, 1.71 if beta were "
    "exchanged.",
)
def algorithm_2_step(budget: int) -> Evidence:
    """(1 - beta) m + beta (m + k gamma) - m = k beta gamma for k = -1, 0, 1 (core). So after J epochs a radius is at
    most its start plus J beta gamma, whatever the network does.
    """
    from z3 import Or, Reals

    m, gamma, beta, target = Reals("m gamma beta target")
    moved = (1 - beta) * m + beta * target - m
    proof = solve(
        [Or(target == m + gamma, target == m, target == m - gamma)],
        {"the step": Or(moved == beta * gamma, moved == 0, moved == -beta * gamma)},
    )
    return confirmed(proof, sampled(second_route_margin, memories(-2), budget))


def second_route_margin(case: Memory) -> Any:
    """-abs(algorithm_2 minus theory.iaat.select_radius)."""
    rule = RadiusRule(case.gamma, case.beta)
    return equality(algorithm_2(case), select_radius(case.memory, within(case.radius), rule).radius)


def finds_radius_margin(case: Memory) -> Any:
    """-abs(where the memory settles minus R)."""
    return equality(radius_limit(case.memory, case.radius, RadiusRule(case.gamma, case.beta)).radius, case.radius)


def settles_margin(case: Memory) -> Any:
    """0 if `algorithm_2` settles in (R - gamma, R] as the closed form says, else negative; gamma and beta as given."""
    path = [case]
    for _ in range(400):
        path.append(replace(case, memory=algorithm_2(path[-1])))
        if path[-1] == path[-2]:
            break
    last = path[-1].memory
    if path[-1] != path[-2] or not case.radius - case.gamma < last <= case.radius:
        return Fraction(-1)
    return equality(last, radius_limit(case.memory, case.radius, RadiusRule(case.gamma, case.beta)).radius)


@iaat(
    "iaat-algorithm-2",
    label="Algorithm 2",
    place="Section 3",
    kind="procedure",
    statement="Algorithm 2 finds the largest radius at which the example's label is kept.",
    expected="AMENDED",
    covers="false: from 8 with R = 8.5 and gamma = 1.9 it stays at 8",
    reading="Section 3: 'ideally, we would choose each eps_i to be as large as possible'; it calls this a heuristic.",
    amendment="iaat-algorithm-2-repaired",
)
def algorithm_2_finds(_budget: int) -> Evidence:
    return given_case(finds_radius_margin, EIGHT)


def draw_memories(axes: Any) -> None:
    """Paths from four starts into the band of R = 11."""
    for start in (0, 4, 8, 16):
        axes.plot([float(m) for m in radius_path(start, within(11), CIFAR, 60)], label=f"from {start}")
    axes.axhspan(11 - 1.9, 11, alpha=0.2, label="(R - gamma, R]")
    axes.set_xlabel("epoch")
    axes.set_ylabel("radius, in 1/255")
    axes.legend()


@iaat(
    "iaat-algorithm-2-repaired",
    label="Algorithm 2, repaired",
    place="Section 3",
    kind="repair",
    statement="Against an exact attack and a constant R >= 0 the memory settles after finitely many epochs in "
    "(R - gamma, R], and all of this band is fixed: from below it stops at most R - gamma + beta gamma, from above "
    "above R - beta gamma.",
    expected="PROVED",
    covers="every start, R >= 0, gamma > 0 and beta in (0, 1]",
    premises=("R >= 0", "0 < beta <= 1"),
    without={
        "R >= 0": lambda _: given_case(settles_margin, WRONG),
        "0 < beta <= 1": lambda _: given_case(settles_margin, JUMPY),
    },
    repairs="iaat-algorithm-2",
    figure=draw_memories,
    searched="no limit of the radii in the paper; Ding et al. (2018), cited for adaptive margins, is told apart in "
    "words",
)
def algorithm_2_repaired(budget: int) -> Evidence:
    """In the band the memory stays. Below it, it rises by beta gamma in each epoch, above it, it falls by beta gamma,
    and neither jumps over the band (core); since each step has the same positive length, the band is entered after
    finitely many, at a point as stated (core).
    """
    from z3 import And, Implies

    m, radius, gamma, beta, after, known = z3_memory()
    step = beta * gamma
    below, above = m <= radius - gamma, m > radius
    proof = solve(
        known,
        {
            "fixed": Implies(And(m > radius - gamma, m <= radius), after == m),
            "only there": Implies(after == m, And(m > radius - gamma, m <= radius)),
            "from below": Implies(below, And(after == m + step, after <= radius - gamma + step, after <= radius)),
            "from above": Implies(above, And(after == m - step, after > radius - step, after > radius - gamma)),
        },
    )
    return confirmed(proof, sampled(settles_margin, memories(), max(1, budget // 4)))


def radius_sign_margin(case: Memory) -> Fraction:
    """Algorithm 2's radius, which must not be negative."""
    return algorithm_2(case)


@iaat(
    "iaat-algorithm-2-radius",
    label="Algorithm 2, line 9",
    place="Section 3",
    kind="procedure",
    statement="Algorithm 2 returns a radius.",
    expected="AMENDED",
    covers="false: from 0 an example that is wrong without attack gets -0.19",
    reading="eps_3 = mem - gamma is never attacked and has no lower bound, except on Imagenet (Appendix E.2).",
    amendment="iaat-algorithm-2-radius-repaired",
)
def algorithm_2_radius(_budget: int) -> Evidence:
    return given_case(radius_sign_margin, WRONG)


@iaat(
    "iaat-algorithm-2-radius-repaired",
    label="Algorithm 2, line 9, repaired",
    place="Section 3",
    kind="repair",
    statement="With the memory clipped at 0 it stays a radius; an example that stays wrong gets 0 after "
    "ceil(mem/(beta gamma)) epochs, and one with constant R >= 0 still settles in (R - gamma, R].",
    expected="PROVED",
    covers="every attack for the first part; an exact one and constant R for the rest",
    repairs="iaat-algorithm-2-radius",
)
def algorithm_2_radius_repaired(budget: int) -> Evidence:
    """max(., 0) is no radius below 0. A wrong example falls by the same step until it is clipped. With R >= 0 clipping
    changes a step only if it falls below 0, which it does from above R (core); it then lands on 0, which is in
    (R - gamma, R] because m - beta gamma < 0 < m and m > R give R - gamma < 0 <= R (core).
    """
    from z3 import And, Implies

    m, radius, gamma, _, after, known = z3_memory()
    proof = solve(
        [*known, m >= 0, after < 0],
        {
            "it came from above": m > radius,
            "0 is in the band": Implies(m > radius, And(radius - gamma < 0, radius >= 0)),
        },
    )
    return confirmed(proof, sampled(clipped_margin, memories(-2), max(1, budget // 4)))


def clipped_margin(case: Memory) -> Any:
    """0 if the clipped memory is where it should be after 200 epochs, else negative."""
    rule = RadiusRule(case.gamma, case.beta, lower=0)
    settled = radius_limit(case.memory, case.radius, rule)
    path = radius_path(case.memory, within(case.radius), rule, settled.epochs + 1)
    inside = max(case.radius - case.gamma, Fraction(-1)) < path[-1] <= max(case.radius, Fraction(0))
    return min(path[-1], equality(path[-1], settled.radius), equality(path[-1], path[-2])) if inside else Fraction(-1)


@dataclass(frozen=True, slots=True)
class Starts:
    """Two first memories for one and the same example."""

    first: Memory
    second: Memory


def start_margin(case: Starts) -> Any:
    """-abs of the difference of where the two settle."""
    limits = [radius_limit(m.memory, m.radius, RadiusRule(m.gamma, m.beta)).radius for m in (case.first, case.second)]
    return equality(*limits)


@iaat(
    "iaat-algorithm-2-start",
    label="Algorithm 2, mem[0, i]",
    place="Section 3",
    kind="procedure",
    statement="Algorithm 2 determines the radii.",
    expected="AMENDED",
    covers="false: mem has no first value, and with R = 8.5 the starts 0 and 8 settle at 6.65 and 8",
    reading="Neither the memory during the warm-up nor that of the variant without warm-up is printed.",
    amendment="iaat-algorithm-2-start-repaired",
)
def algorithm_2_start(_budget: int) -> Evidence:
    return given_case(start_margin, Starts(replace(EIGHT, memory=Fraction(0)), EIGHT))


@iaat(
    "iaat-algorithm-2-start-repaired",
    label="Algorithm 2, mem[0, i], repaired",
    place="Section 3",
    kind="repair",
    statement="Given the first memory they are determined, and two starts settle less than gamma apart.",
    expected="PROVED",
    covers="exact attacks and constant R >= 0",
    repairs="iaat-algorithm-2-start",
)
def algorithm_2_start_repaired(_budget: int) -> Evidence:
    """Algorithm 2 is a function of the memory and the attack, and both limits lie in (R - gamma, R] by the repair of
    Algorithm 2; two points of it are less than gamma apart (core).
    """
    from z3 import And, Reals

    a, b, radius, gamma = Reals("a b R gamma")
    known = [gamma > 0, a > radius - gamma, a <= radius, b > radius - gamma, b <= radius]
    return solve(known, {"less than gamma apart": And(a - b < gamma, b - a < gamma)})


# ---- training code --------------------------------------------------------------------------------------------------


@iaat(
    "iaat-code",
    label="Algorithms 1 and 2, training code",
    place="Section 3",
    kind="procedure",
    statement="The training code shipped here follows Algorithms 1 and 2.",
    expected="SUPPORTED",
    covers="deep.objectives.IAAT on linear scores, where R is known: three memories against theory.iaat, and the loss "
    "of S+ and S-; the memory is clipped at 0, an example that is wrong as it is survives nothing, and attacks start "
    "at random and reach every radius they test",
)
def code(budget: int) -> Evidence:
    return shipped.run(lambda: sampled(shipped.iaat_margin, shipped.trained(), max(1, budget // 20)))

"""Claims of IAAT on the attacks that select a radius: what they can test, what they cost, and the line search.

Radii are in units of 1/255; R is the largest radius at which an example's prediction stays right.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

from proofs_check.core import Evidence, claim
from proofs_check.provers import confirmed, equality, every_case, given_case, sampled, solve
from theory.iaat import RadiusRule, line_search, select_radius, signed_reach, within

iaat = partial(claim, paper="IAAT")

# ---- what the attack can test ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attack:
    """PGD with so many steps of one size within eps, from ``start`` in the worst direction; a linear score with R."""

    steps: int
    step: Fraction
    eps: Fraction
    start: Fraction
    radius: Fraction


def attack_margin(case: Attack) -> Fraction:
    """0 if eps <= R; else how far the attack gets less R, negative if it misses the error in the ball."""
    if case.eps <= case.radius:
        return Fraction(0)
    return signed_reach(case.steps, case.step, case.eps, case.start) - case.radius


@iaat(
    "iaat-selection-attack",
    label="Appendix E.2, weaker attack for Algorithm 2",
    place="Section 3 and Appendix E.2",
    kind="procedure",
    statement="The attack at eps tells whether the ball of radius eps holds an error: PGD-10 with steps of 1/255 "
    "selects radii of 16/255 and more.",
    expected="AMENDED",
    covers="false: on a linear score with R = 15 ten steps of 1 from the image reach 10, and miss the error within 20",
    reading="The step size of the selecting attack is taken to be Table 11's; no random start is mentioned in "
    "training.",
    amendment="iaat-selection-attack-repaired",
)
def selection_attack(_budget: int) -> Evidence:
    return given_case(attack_margin, Attack(10, Fraction(1), Fraction(20), Fraction(0), Fraction(15)))


@iaat(
    "iaat-selection-attack-repaired",
    label="Appendix E.2, weaker attack, repaired",
    place="Section 3 and Appendix E.2",
    kind="repair",
    statement="k steps of size s test eps on a linear score if k s >= eps from the image itself, and from every random "
    "start exactly if k s >= 2 eps; Table 10's 10 steps of 2/255 test 20/255, or 10/255 from every start.",
    expected="PROVED",
    covers="linear scores and the l-infinity ball; coordinate by coordinate in the worst direction",
    repairs="iaat-selection-attack",
)
def selection_attack_repaired(_budget: int) -> Evidence:
    """On a linear score the sign of the gradient never changes, so each coordinate moves s a step in the worst
    direction until it is projected, to min(eps, start + k s), and start >= -eps (core).
    """
    from z3 import And, If, Implies, Real

    eps, total, start = Real("eps"), Real("k*s"), Real("start")
    reach = If(start + total <= eps, start + total, eps)
    return solve(
        [eps > 0, total >= 0, start >= -eps, start <= eps],
        {
            "from the image": Implies(And(start == 0, total >= eps), reach == eps),
            "from any start": Implies(total >= 2 * eps, reach == eps),
            "needed from the worst start": Implies(And(start == -eps, reach == eps), total >= 2 * eps),
        },
    )


# ---- Section 5.2 ----------------------------------------------------------------------------------------------------


def attacks_margin(outcome: tuple[bool, bool]) -> int:
    """2 less the number of attacks that Algorithm 2 needs to select, for the outcomes at mem + gamma and at mem."""
    survives = {Fraction(10): outcome[0], Fraction(8): outcome[1]}
    return 2 - select_radius(8, survives.__getitem__, RadiusRule(2, "1/10")).attacks


@iaat(
    "iaat-cost",
    label="Section 5.2, cost",
    place="Section 5.2",
    kind="procedure",
    statement="A line search needs eps_max/eta additional PGD computations, IAAT only 2.",
    expected="PROVED",
    covers="at most 2 for IAAT (1 where the first attack fails), all four outcomes",
    reading="Additional to the attack that is trained on: the smoothed radius is in general none of those tested.",
)
def cost(_budget: int) -> Evidence:
    return every_case(
        attacks_margin, product((False, True), repeat=2), "outcomes of the attacks at mem + gamma and mem"
    )


@dataclass(frozen=True, slots=True)
class Search:
    """A line search with step eta up to ``largest``, on an example with radius R."""

    eta: Fraction
    largest: Fraction
    radius: Fraction


def exact_search_margin(case: Search) -> Any:
    """-abs(the radius found minus R)."""
    return equality(line_search(within(case.radius), case.eta, case.largest), case.radius)


def grid_search_margin(case: Search) -> Any:
    """-abs(the radius found minus eta floor(min(R, eps_max)/eta))."""
    expected = case.eta * (min(case.radius, case.largest) // case.eta)
    return equality(line_search(within(case.radius), case.eta, case.largest), expected)


@iaat(
    "iaat-line-search",
    label="Section 5.2, exact estimate",
    place="Section 5.2",
    kind="procedure",
    statement="The line search obtains an exact estimate of the radius.",
    expected="AMENDED",
    covers="false: R = 8.5 with eta = 2 and eps_max = 16 gives 8",
    amendment="iaat-line-search-repaired",
)
def exact_search(_budget: int) -> Evidence:
    return given_case(exact_search_margin, Search(Fraction(2), Fraction(16), Fraction(17, 2)))


@iaat(
    "iaat-line-search-repaired",
    label="Section 5.2, exact estimate, repaired",
    place="Section 5.2",
    kind="repair",
    statement="Against an exact attack it obtains eta floor(min(R, eps_max)/eta), which is less than eta too small if "
    "R <= eps_max.",
    expected="PROVED",
    covers="every eta > 0, eps_max and R >= 0",
    repairs="iaat-line-search",
)
def line_search_repaired(budget: int) -> Evidence:
    """i eta survives exactly if i eta <= R, so the greatest i with i eta <= eps_max that survives is
    floor(min(R, eps_max)/eta); with k that floor, k eta <= R < (k + 1) eta gives 0 <= R - k eta < eta (core).
    """
    from hypothesis import strategies as st
    from z3 import And, Reals

    from theory.strategies import rationals

    found, eta, radius = Reals("k*eta eta R")
    proof = solve(
        [eta > 0, found <= radius, radius < found + eta], {"error": And(radius - found >= 0, radius - found < eta)}
    )
    number = rationals(hi=12, denominators=(1, 2, 10))
    cases = st.builds(Search, rationals(lo="1/4", hi=3, denominators=(4, 10)), number, number)
    return confirmed(proof, sampled(grid_search_margin, cases, max(1, budget // 4)))


def consistent_margin(outcomes: tuple[bool, ...]) -> int:
    """-1 if the attack found an error at a radius below the one chosen; outcome i is whether radius i survives."""
    chosen = line_search(lambda eps: outcomes[int(eps) - 1], 1, len(outcomes))
    return -1 if not all(outcomes[: int(chosen)]) else 0


def first_failure_margin(outcomes: tuple[bool, ...]) -> int:
    """The same for the search that stops at the first failure."""
    chosen = line_search(lambda eps: outcomes[int(eps) - 1], 1, len(outcomes), first_failure=True)
    return -1 if not all(outcomes[: int(chosen)]) else 0


@iaat(
    "iaat-line-search-consistent",
    label="Section 5.2, consistent predictions",
    place="Section 5.2",
    kind="procedure",
    statement="With the maximum radius whose attack leaves the label, predictions are consistent within the chosen "
    "ball.",
    expected="AMENDED",
    covers="false for an attack that finds an error at 1 and misses it at 2, as PGD may",
    amendment="iaat-line-search-consistent-repaired",
)
def consistent_search(_budget: int) -> Evidence:
    return given_case(consistent_margin, (False, True))


@iaat(
    "iaat-line-search-consistent-repaired",
    label="Section 5.2, consistent predictions, repaired",
    place="Section 5.2",
    kind="repair",
    statement="The greatest radius before the first failure is consistent with every attack that was made.",
    expected="PROVED",
    covers="all outcomes at up to 8 radii; that no attack was found is still no certificate",
    repairs="iaat-line-search-consistent",
)
def consistent_search_repaired(_budget: int) -> Evidence:
    outcomes = (found for n in range(1, 9) for found in product((False, True), repeat=n))
    return every_case(first_failure_margin, outcomes, "outcomes of the attacks at 1 to 8 radii")

"""Claims of TRADES: Section 1 (hardness) and Section 2.1 (the neighbourhood of a decision boundary)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, permutations, product
from typing import TYPE_CHECKING

from proofs_check.claims.trades import CROSSING, points_of, signs
from proofs_check.core import Evidence, claim
from proofs_check.families import ScoreCase
from proofs_check.provers import confirmed, every_case, given_case, sampled, solve

if TYPE_CHECKING:
    from hypothesis import strategies as st

# ---- Section 1 ------------------------------------------------------------------------------------------------------

Arcs = tuple[tuple[int, int], ...]


def separator_margin(arcs: Arcs) -> int:
    """-abs of (least errors of a linear separator on the points e_i - e_j) - (arcs to drop until there is no cycle)."""
    from theory.trades.separators import best_separator

    points = [[(k == i) - (k == j) for k in range(3)] for i, j in arcs]
    fewest = best_separator(points, [1] * len(arcs), 0, "branch").errors
    orders = [{node: place for place, node in enumerate(order)} for order in permutations(range(3))]
    return -abs(fewest - min(sum(place[i] > place[j] for i, j in arcs) for place in orders))


@claim(
    "trades-np-hard",
    paper="TRADES",
    label="NP-hardness of the 0-1 loss",
    place="Section 1 and Section 2.5, Definition",
    kind="remark",
    statement="Minimising the robust 0-1 loss is NP-hard in general, even for eps = 0.",
    expected="PROVED",
    covers="linear classifiers w.x through 0 on rational points, by reduction from the feedback arc set",
    reading="In general: for a family of classifiers. Over all measurable ones it is a minimum cut.",
)
def np_hard(_budget: int) -> Evidence:
    """Given a directed graph, take for each arc (i, j) the point e_i - e_j with the label +1. A separator w is right
    there exactly if w_i > w_j. Dropping the arcs where w errs leaves a graph without cycles, since w falls along its
    arcs; and the arcs that point forward in an order of the nodes are all right under falling weights. So the fewest
    errors are the fewest arcs whose removal breaks all cycles, which is NP-hard to find (Karp, 1972). The equality is
    checked on all graphs with three nodes by two routes: exact separators, and orders of the nodes.
    """
    pairs = list(permutations(range(3), 2))
    graphs = [tuple(a for a, kept in zip(pairs, row, strict=True) if kept) for row in product((0, 1), repeat=6)]
    return every_case(separator_margin, graphs[1:], "directed graphs with an arc on three nodes")


# ---- Section 2.1 -----------------------------------------------------------------------------------------------------


def neighbourhood_margin(case: ScoreCase) -> Fraction:
    """Minus the number of points in just one of B(DB(f), eps) and {x: f(x') = 0 for some x' in B(x, eps)}."""
    differ = [any(a * b <= 0 for b in near) != (0 in near) for _, a, near in points_of(case)]
    return Fraction(-sum(differ))


@dataclass(frozen=True, slots=True)
class PathCase:
    """A score on [0, 1], linear on each of the n pieces [k/n, (k+1)/n) with these values at their two ends (the last
    piece holds its right end too), a point x, and a radius."""

    ends: tuple[tuple[Fraction, Fraction], ...]
    x: Fraction
    radius: Fraction

    def signs(self, radius: Fraction) -> set[int]:
        """The signs of the score within ``radius`` of x."""
        n, found = len(self.ends), set[int]()
        for k, (a, b) in enumerate(self.ends):
            lo, hi = max(Fraction(k, n), self.x - radius), min(Fraction(k + 1, n), self.x + radius)
            if lo > hi or (lo == Fraction(k + 1, n) and k < n - 1):
                continue
            left, right = (a + (b - a) * (at * n - k) for at in (lo, hi))
            closed = hi < Fraction(k + 1, n) or k == n - 1
            found |= {_sign(left)} | ({_sign(right)} if closed else set())
            if lo < hi:
                found |= {_sign(left + right)} | ({-1, 0, 1} if left * right < 0 else set())
        return found


def _sign(x: Fraction) -> int:
    return (x > 0) - (x < 0)


def path_margin(case: PathCase) -> int:
    """0 if x is in B(DB(f), eps) exactly if a zero of f is within eps of x, else -1."""
    (here,) = case.signs(Fraction(0))
    seen = case.signs(case.radius)
    return -int(any(here * sign <= 0 for sign in seen) != (0 in seen))


def path_cases() -> st.SearchStrategy[PathCase]:
    """Continuous piecewise linear scores."""
    from hypothesis import strategies as st

    from theory.strategies import rationals

    number, unit = rationals(lo=-2, hi=2, denominators=(1, 2)), rationals(denominators=range(1, 9))
    knots = st.lists(number, min_size=2, max_size=5)
    return st.builds(lambda v, x, r: PathCase(tuple(pairwise(v)), x, r), knots, unit, unit)


JUMP = PathCase(((Fraction(-1), Fraction(-1)), (Fraction(1), Fraction(1))), Fraction(1, 4), Fraction(1, 2))
"""-1 left of 1/2 and 1 from there on: 1/4 is in B(DB(f), 1/2), and f has no zero."""


@claim(
    "trades-boundary-neighbourhood",
    paper="TRADES",
    label="B(DB(f), eps), the neighbourhood of DB(f)",
    place="Section 2.1",
    kind="remark",
    statement="B(DB(f), eps) = {x: f(x) f(x') <= 0 for some x' in B(x, eps)} is the neighbourhood of the decision "
    "boundary {f = 0}.",
    expected="AMENDED",
    covers="false for scores that jump over 0, as the Bayes rule of Section 2.4 does: {f = 0} is empty there",
    reading="The neighbourhood of a set: the points with a point of the set in their ball.",
    amendment="trades-boundary-neighbourhood-repaired",
)
def boundary_neighbourhood(_budget: int) -> Evidence:
    return given_case(neighbourhood_margin, CROSSING)


@claim(
    "trades-boundary-neighbourhood-repaired",
    paper="TRADES",
    label="B(DB(f), eps), the neighbourhood of DB(f), repaired",
    place="Section 2.1",
    kind="repair",
    statement="B(DB(f), eps) holds the points with a zero of f in their ball, if f is continuous and balls connected.",
    expected="PROVED",
    covers="every continuous f on any metric space whose balls are connected",
    premises=("f is continuous", "balls are connected"),
    repairs="trades-boundary-neighbourhood",
    without={
        "f is continuous": lambda _budget: given_case(path_margin, JUMP),
        "balls are connected": lambda _budget: given_case(neighbourhood_margin, CROSSING),
    },
)
def boundary_neighbourhood_repaired(budget: int) -> Evidence:
    """A zero x' in the ball gives f(x) f(x') = 0 (core). Conversely, if f(x) f(x') <= 0, then f is 0 at x, or at x', or
    has opposite signs at the two (core); in the last case it has a zero on the ball, by the intermediate value theorem.
    (Every function on a space of isolated points is continuous, so the two points of the other premise's witness, whose
    ball is not connected, show that continuity alone is not enough.)
    """
    from z3 import And, Implies, Or

    a, b, _, _ = signs()
    proof = solve(
        [],
        {
            "a zero is enough": Implies(b == 0, a * b <= 0),
            "a zero or two signs": Implies(a * b <= 0, Or(a == 0, b == 0, And(a < 0, b > 0), And(a > 0, b < 0))),
        },
    )
    return confirmed(proof, sampled(path_margin, path_cases(), max(1, budget // 5)))

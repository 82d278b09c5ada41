"""Claims of PGN on its images (eq (5)), its measure (eq (6)) and its cost."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Any

from proofs_check.claims import shipped
from proofs_check.core import Evidence, claim, definition
from proofs_check.provers import confirmed, equality, every_case, given_case, identity, sampled, solve
from theory.pgn import boxed_pixel

pgn, defined = partial(claim, paper="PGN"), partial(definition, paper="PGN")

# ---- eq (5): the box ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pixel:
    """A pixel x and the factor q = e^(2G) by which the generator changes its odds."""

    x: Fraction
    factor: Fraction = Fraction(3)


@pgn(
    "pgn-eq5",
    label="eq (5)",
    place="Section 4.1",
    kind="formula",
    statement="x_adv = (tanh(artanh(2x - 1) + G) + 1)/2 needs no clipping: it is a pixel again.",
    expected="PROVED",
    covers="0 < x < 1 and every real G",
    premises=("0 < x < 1",),
    without={"0 < x < 1": lambda _: given_case(domain_margin, BLACK)},
)
def eq_5(_budget: int) -> Evidence:
    """With tanh v = (e^(2v) - 1)/(e^(2v) + 1), e^(2 artanh(2x - 1)) = x/(1 - x) and q = e^(2G) > 0, eq (5) is
    x q/(1 - x + x q) (identity), which lies strictly between 0 and 1 (core).
    """
    from sympy import symbols
    from z3 import And, Reals

    s, r = symbols("x q", positive=True)
    odds = s / (1 - s) * r
    same = identity({"closed form": ((odds - 1) / (odds + 1) + 1) / 2 - s * r / (1 - s + s * r)})
    if same.kind != "PROVED":
        return same
    x, q, adv = Reals("x q x_adv")
    return solve([x > 0, x < 1, q > 0, adv * (1 - x + x * q) == x * q], {"a pixel": And(adv > 0, adv < 1)})


def domain_margin(case: Pixel) -> int:
    """-1 if artanh(2x - 1) does not exist, else 0."""
    return 0 if 0 < case.x < 1 else -1


BLACK: Pixel = Pixel(Fraction(0))
"""A black pixel."""


@pgn(
    "pgn-eq5-saturated",
    label="eq (5), black and white pixels",
    place="Section 4.1",
    kind="formula",
    statement="Eq (5) gives an adversarial image for every image in [0, 1].",
    expected="AMENDED",
    covers="false: artanh(2x - 1) does not exist for x = 0 and x = 1",
    amendment="pgn-eq5-saturated-repaired",
    searched="Carlini & Wagner (2017), cited for eq (5), choose their variable freely and start from clean images "
    "alike",
)
def eq_5_saturated(_budget: int) -> Evidence:
    return given_case(domain_margin, BLACK)


def frozen_margin(case: Pixel) -> Any:
    """-abs of how far a black or white pixel moves."""
    return equality(boxed_pixel(case.x, case.factor), case.x) if case.x in (0, 1) else Fraction(0)


@pgn(
    "pgn-eq5-saturated-repaired",
    label="eq (5), black and white pixels, repaired",
    place="Section 4.1",
    kind="repair",
    statement="It extends continuously by x q/(1 - x + x q), q = e^(2G), to x = 0 and x = 1, which no G changes.",
    expected="PROVED",
    covers="every real G; clipping 2x - 1 to +-(1 - h) instead lets such pixels move, by little",
    repairs="pgn-eq5-saturated",
)
def eq_5_saturated_repaired(_budget: int) -> Evidence:
    """The closed form of `pgn-eq5` is a quotient of polynomials in x whose denominator is positive on [0, 1] (core)."""
    from z3 import Implies, Reals

    x, q, adv = Reals("x q x_adv")
    known = [x >= 0, x <= 1, q > 0]
    return solve(
        [*known, adv * (1 - x + x * q) == x * q],
        {"denominator": 1 - x + x * q > 0, "black": Implies(x == 0, adv == 0), "white": Implies(x == 1, adv == 1)},
    )


@pgn(
    "pgn-no-restriction",
    label="Section 4.3, no restriction",
    place="Section 4.3",
    kind="remark",
    statement="PGN has no restriction on both direction and size of the perturbation.",
    expected="AMENDED",
    covers="false: a black pixel stays black",
    reading="With eq (5), by which all adversarial images are made.",
    amendment="pgn-no-restriction-repaired",
)
def no_restriction(_budget: int) -> Evidence:
    return given_case(moves_margin, BLACK)


def moves_margin(case: Pixel) -> int:
    """-1 if the pixel stays although the factor is not 1, else 0."""
    return -1 if case.factor != 1 and boxed_pixel(case.x, case.factor) == case.x else 0


@pgn(
    "pgn-no-restriction-repaired",
    label="Section 4.3, no restriction, repaired",
    place="Section 4.3",
    kind="repair",
    statement="A pixel strictly between 0 and 1 reaches every value strictly between 0 and 1, by one G.",
    expected="PROVED",
    covers="all such pixels",
    repairs="pgn-no-restriction",
)
def no_restriction_repaired(_budget: int) -> Evidence:
    """q = z (1 - x)/(x (1 - z)) is positive and gives z (core); q grows with G and the image with q, so G is unique."""
    from z3 import And, Reals

    x, z, q = Reals("x z q")
    known = [x > 0, x < 1, z > 0, z < 1, q * x * (1 - z) == z * (1 - x)]
    return solve(known, {"q works": And(q > 0, z * (1 - x + x * q) == x * q)})


def delta_is_g_margin(case: Pixel) -> Fraction:
    """For q >= 1: the change of the pixel less (q - 1)/(q + 1), which is at most G = log(q)/2."""
    return boxed_pixel(case.x, case.factor) - case.x - (case.factor - 1) / (case.factor + 1)


def half_margin(case: Pixel) -> Fraction:
    """(r - 1)/(r + 1) less abs(delta) for q = r^2 >= 1, r the ``factor``; the first is tanh(G/2), at most G/2."""
    bound = (case.factor - 1) / (case.factor + 1)
    return bound - abs(boxed_pixel(case.x, case.factor**2) - case.x)


@pgn(
    "pgn-eq5-delta",
    label="eq (3) to (5), G and delta",
    place="Sections 3.1 and 4.1",
    kind="formula",
    statement="G is the perturbation of the input, so |G|^2 in eq (4) is the |delta|^2 of appendix A.",
    expected="AMENDED",
    covers="false: x = 1/2 and G = log(3)/2 = 0.549... give x_adv = 3/4, delta = 1/4",
    reading="With eq (5), by which images are made; eq (4) and (9) add G to x.",
    amendment="pgn-eq5-delta-repaired",
)
def eq_5_delta(_budget: int) -> Evidence:
    return given_case(delta_is_g_margin, Pixel(Fraction(1, 2), Fraction(3)))


@pgn(
    "pgn-eq5-delta-repaired",
    label="eq (3) to (5), G and delta, repaired",
    place="Sections 3.1 and 4.1",
    kind="repair",
    statement="|delta| <= |G|/2 in every pixel: c |G|^2 costs at least 4c |delta|^2.",
    expected="PROVED",
    covers="every pixel in (0, 1) and real G; 4 is best possible as G -> 0 at x = 1/2",
    repairs="pgn-eq5-delta",
)
def eq_5_delta_repaired(budget: int) -> Evidence:
    """By the identity the derivative of x_adv in G is 2 x_adv (1 - x_adv), which is at most 1/2 (core), so the mean
    value theorem gives the bound; at x = 1/2, G = 0 the derivative is 1/2.
    """
    from hypothesis import strategies as st
    from sympy import diff, symbols
    from z3 import Real

    from theory.strategies import rationals

    x, q = symbols("x q", positive=True)
    adv = x * q / (1 - x + x * q)
    same = identity({"derivative": diff(adv, q) * 2 * q - 2 * adv * (1 - adv)})  # dq/dG = 2q
    if same.kind != "PROVED":
        return same
    a = Real("x_adv")
    proof = solve([a > 0, a < 1], {"at most 1/2": 2 * a * (1 - a) <= Fraction(1, 2)})
    cases = st.builds(Pixel, rationals(denominators=(2, 3, 10)), rationals(lo=1, hi=8, denominators=(1, 4)))
    return confirmed(proof, sampled(half_margin, cases, max(1, budget // 10)))


@pgn(
    "pgn-tanh",
    label="Section 4.1, hyperbolic tangent",
    place="Section 4.1",
    kind="remark",
    statement="With tanh as the generator's last activation the image must be clipped to [0, 1].",
    expected="PROVED",
    covers="x = 3/4 and tanh G = 1/2 give 5/4; so for every x > 0 some G leaves [0, 1], and for every x < 1",
    reading="x_adv = x + tanh G.",
)
def tanh(_budget: int) -> Evidence:
    """tanh takes every value between -1 and 1; with a value between 1 - x and 1, or -1 and -x, x + tanh G leaves [0, 1]
    (core).
    """
    from z3 import Implies, Reals

    x, shift = Reals("x tanh(G)")
    return solve(
        [x >= 0, x <= 1, shift > -1, shift < 1],
        {"above": Implies(shift > 1 - x, x + shift > 1), "below": Implies(shift < -x, x + shift < 0)},
    )


# ---- eq (6): the measure --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attacked:
    """The norms with which each example was fooled (0: wrong already), how many never were, and the curve's end."""

    norms: tuple[Fraction, ...]
    never: int = 0
    end: Fraction = Fraction(8)


def area(case: Attacked) -> Fraction:
    """Under the graph of accuracy against the norm allowed, from 0 to the end, jump by jump."""
    n = len(case.norms) + case.never
    total = Fraction(0)
    for left, right in pairwise(sorted({Fraction(0), case.end, *case.norms})):
        total += (right - left) * Fraction(sum(norm > left for norm in case.norms) + case.never, n)
    return total


def rho(case: Attacked) -> Fraction:
    """The mean norm over the examples that were right and were fooled."""
    fooled = [norm for norm in case.norms if norm > 0]
    return sum(fooled, Fraction(0)) / max(1, len(fooled))


def area_margin(case: Attacked) -> Any:
    """-abs(rho minus the area)."""
    return equality(rho(case), area(case))


def benign_margin(case: Attacked) -> Any:
    """-abs(benign accuracy times rho, minus the area)."""
    right = sum(norm > 0 for norm in case.norms) + case.never
    return equality(Fraction(right, len(case.norms) + case.never) * rho(case), area(case))


RHO = defined(
    "pgn-eq6",
    label="eq (6)",
    place="Section 4.2",
    statement="rho is the mean l2 norm of the perturbations over the set D of successful adversarial examples.",
    covers="the least norms are theory.halfspace distances for linear scores",
    reading="D holds examples that were right before: else rho could not rise as benign accuracy falls (Section 4.2).",
)


@pgn(
    "pgn-eq6-area",
    label="eq (6), area under the curve",
    place="Section 4.2",
    kind="formula",
    statement="rho is the area under the graph of accuracy against perturbation norm (Figure 2).",
    expected="AMENDED",
    covers="false: one example is wrong, one is fooled at norm 1: rho = 1, area 1/2",
    reading="If wrong examples count in D with norm 0 it is true, but then rho cannot rise as accuracy falls.",
    amendment="pgn-eq6-area-repaired",
)
def eq_6_area(_budget: int) -> Evidence:
    return given_case(area_margin, Attacked((Fraction(0), Fraction(1))))


@pgn(
    "pgn-eq6-area-repaired",
    label="eq (6), area under the curve, repaired",
    place="Section 4.2",
    kind="repair",
    statement="The area is benign accuracy times rho, if every example that is right is fooled in the end.",
    expected="PROVED",
    covers="every finite sample",
    premises=("every example that is right is fooled",),
    without={"every example that is right is fooled": lambda _: given_case(benign_margin, SURVIVOR)},
    repairs="pgn-eq6-area",
)
def eq_6_area_repaired(budget: int) -> Evidence:
    """Accuracy at t is the share of examples with norm above t, and the integral of 1{t < norm} is the norm: the area
    is the sum of all norms over N. With k examples right it is (k/N) (sum/k) (core).
    """
    from hypothesis import strategies as st
    from z3 import Reals

    from theory.strategies import rationals

    n, k, total = Reals("N k sum")
    proof = solve([n > 0, k > 0, k <= n], {"factors": (k / n) * (total / k) == total / n})
    norm = rationals(hi=4, denominators=(1, 2))
    cases = st.builds(Attacked, st.lists(norm, min_size=1, max_size=5).map(tuple))
    return confirmed(proof, sampled(benign_margin, cases, max(1, budget // 4)))


SURVIVOR: Attacked = Attacked((Fraction(1),), never=1, end=Fraction(2))
"""One example fooled at 1, one never up to the end 2: area 3/2, but rho = 1."""


@pgn(
    "pgn-rho-strongest",
    label="Section 4.2, most powerful attack",
    place="Section 4.2",
    kind="remark",
    statement="rho is best measured for the most powerful attack.",
    expected="PROVED",
    covers="of all attacks that fool every example that is right, one that finds the least norms has the least rho",
    reading="Best: nearest to the mean distance from the boundary, which no rho is below.",
    premises=("the attack fools every example that is right",),
    without={"the attack fools every example that is right": lambda _: given_case(weaker_margin, CHOOSY)},
)
def rho_strongest(_budget: int) -> Evidence:
    """Each norm is at least the least one, over the same examples; sums keep the order (core)."""
    from z3 import Reals

    a, b, least_a, least_b = Reals("a b d_a d_b")
    return solve([a >= least_a, b >= least_b], {"the mean": a + b >= least_a + least_b})


def weaker_margin(case: tuple[Attacked, Attacked]) -> Fraction:
    """rho of the first attack less that of the second, which finds the least norms."""
    return rho(case[0]) - rho(case[1])


CHOOSY: tuple[Attacked, Attacked] = (Attacked((Fraction(1),), never=1), Attacked((Fraction(1), Fraction(3))))
"""An attack that fools the nearer example alone has rho = 1; the distances 1 and 3 have the mean 2."""


@pgn(
    "pgn-one-class",
    label="Section 4.2, one class",
    place="Section 4.2",
    kind="example",
    statement="If almost all images are put into one class, benign accuracy goes to 1% (of 100 classes) but rho "
    "spikes.",
    expected="PROVED",
    covers="one example of each of 100 classes at 0, answer A below T and B above: accuracy 1/100 and rho = T for "
    "every T",
)
def one_class(_budget: int) -> Evidence:
    """Only the example of class A is right; it is fooled exactly by the moves to T or beyond, the least of which is T
    (core), so D is that example and rho = T.
    """
    from z3 import If, IntVal, Reals

    move, far = Reals("move T")
    answer = If(move >= far, IntVal(2), IntVal(1))
    return solve([far > 0], {"fooled exactly from T on": (answer != 1) == (move >= far)})


# ---- cost of training -----------------------------------------------------------------------------------------------


def passes_margin(steps: int) -> int:
    """Gradient passes of k-step PGD training, k + 1, less those of PGN with the generator's own step, 3."""
    return (steps + 1) - 3


@pgn(
    "pgn-speed",
    label="Section 4.4, training speed",
    place="Section 4.4",
    kind="procedure",
    statement="PGN is slower than FGM training, faster than PGD's, and the more so the more steps PGD takes.",
    expected="PROVED",
    covers="gradient passes through the classifier a batch: 2 for FGM, 3 for PGN, k + 1 for PGD with k = 3 to 100 "
    "steps",
    reading="PGN: the gradient image, the generator's step, the classifier's step. k = 10 in Table 1.",
)
def speed(_budget: int) -> Evidence:
    cases = range(3, 101)
    return every_case(lambda k: min(passes_margin(k) - 1, passes_margin(k + 1) - passes_margin(k) - 1), cases, "k")


@pgn(
    "pgn-code",
    label="Figure 1, training code",
    place="Sections 3 and 4.1",
    kind="procedure",
    statement="The training code shipped here plays the game of eq (4) as repaired, alternating steps of F and G.",
    expected="SUPPORTED",
    covers="deep.objectives.PGN on a linear score with n = 2 and c = 1: values of the trained G against theory.pgn's "
    "maxima, at most 1/100 below, and F's loss and gradient on the examples of the new G; the cost is that of the "
    "perturbation",
)
def code(_budget: int) -> Evidence:
    def prove() -> Evidence:
        cases = shipped.perturbed()
        values = sampled(shipped.pgn_margin, cases, len(cases))
        return values if values.kind != "SUPPORTED" else sampled(shipped.pgn_step_margin, cases, len(cases))

    return shipped.run(prove)

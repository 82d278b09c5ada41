"""Claims of SENSE about the cheese holes, continued: the holes, the strip A_eps, the classes of Appendix G.

Conventions as in ``sense_examples``: alpha = 1/6, E = 12 eps, q = 1 - p, l-infinity balls within the square, up to null
sets. A "worst" optimum is the one of largest true standard risk.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Any

from proofs_check.claims.sense_examples import (
    AFFINE,
    HALF,
    PRIORS,
    TEXT,
    Place,
    at_priors,
    between_breaks,
    first_break,
    last_break,
    laws,
    plain,
)
from proofs_check.core import Evidence, claim, definition
from proofs_check.provers import equality, every_case, given_case, on_curve, solve
from theory.ball import Ball
from theory.boxes import Boxes
from theory.classifiers import RegionClassifier
from theory.minimisers import natural_minimisers, robust_minimisers, sensible_minimisers
from theory.optimal.boxes import optimal_box_risk
from theory.risks import robust_risk, standard_risk

sense, sense_definition = partial(claim, paper="SENSE"), partial(definition, paper="SENSE")

ALPHA = Fraction(1, 6)
TWELFTH, QUARTER = Fraction(1, 12), Fraction(1, 4)
P = PRIORS[0]
"""The prior of Figure 9, 11/20."""


def left_of(x: Any) -> Boxes:
    """The half-plane x1 < x."""
    return Boxes([((None, x), (None, None))])


def wrong_on(f: RegionClassifier, rule: RegionClassifier) -> Boxes:
    """Where f differs from the rule."""
    region: Boxes = f.regions[+1] ^ rule.regions[+1]
    return region


def neighbourhood(law: Any, eps: Any) -> Boxes:
    """B(holes, eps), cut by the square."""
    reached: Boxes = Ball(eps).reach(law.support, law.domain) & law.domain
    return reached


def worst(name: str, eps: Any, p: Fraction, *, leave_domain: bool = False) -> RegionClassifier:
    """The worst optimum under the restricted law of the natural, sensible or robust risk."""
    (true, seen, rule), ball = laws(p), Ball(eps, leave_domain=leave_domain)
    if name == "natural":
        members = natural_minimisers(seen)
    else:
        members = sensible_minimisers(seen, ball, rule) if name == "sensible" else robust_minimisers(seen, ball)
    return members.worst(rule, true, ball)


def true_risks(name: str, eps: Any, p: Fraction) -> tuple[Any, Any]:
    """Its standard and robust risk under the true law."""
    f, true = worst(name, eps, p), laws(p)[0]
    return plain(standard_risk(f, true)), plain(robust_risk(f, true, Ball(eps)))


SAME = "0 < eps <= 1/2; the risks are affine in p and equal at p = 11/20 and 7/10, hence alike at every p in (1/2, 1)"


def _same_at_priors(*names: str) -> Evidence:
    """Proof that the risks of these worst optima are the same at both priors."""

    def differences(eps: Any) -> list[Any]:
        pairs = [(true_risks(name, eps, p) for p in PRIORS) for name in names]
        return [a - b + 0 * eps for one, other in pairs for a, b in zip(one, other, strict=True)]

    return on_curve(differences, 0, HALF, ends="(]", zero=True)


# ---- figures and the holes ------------------------------------------------------------------------------------------

FIGURE_1 = sense_definition(
    "sense-figure-1",
    label="Figure 1",
    place="Section 2",
    statement="The nine holes in the square, and the worst naturally, robustly and sensibly optimal models.",
    covers="toy.cheese.figure, panels (a) to (d)",
)


def hole(i: int) -> tuple[Fraction, Fraction]:
    """The i-th side as printed: (alpha/2, 3 alpha/2) + 2 alpha (i - 1)."""
    return ALPHA / 2 + 2 * ALPHA * (i - 1), ALPHA * 3 / 2 + 2 * ALPHA * (i - 1)


@sense(
    "sense-cheese-holes",
    label="Section 2, cheese holes",
    place="Section 2",
    kind="example",
    statement="The holes ((alpha/2, 3 alpha/2) + 2 alpha (i-1)) x ((alpha/2, 3 alpha/2) + 2 alpha (j-1)) with alpha = "
    "1/6 and i, j = 1, 2, 3 are nine squares in (0,1)^2, equally spaced by alpha, of area 1/4 in all.",
    expected="PROVED",
    covers="the nine holes; they are those of toy.cheese",
    reading="The scan shows the unions with the upper limit lost; i and j run to 3.",
)
def cheese_holes(_budget: int) -> Evidence:
    from toy import cheese

    holes = [(hole(i), hole(j)) for i in (1, 2, 3) for j in (1, 2, 3)]
    sides = [hole(i) for i in (1, 2, 3)]
    facts = [
        *(equality(hi - lo, ALPHA) for lo, hi in sides),
        *(equality(after[0] - before[1], ALPHA) for before, after in pairwise(sides)),
        min(sides[0][0], 1 - sides[-1][1]),
        equality(Boxes(holes).volume(), Fraction(1, 4)),
        -(Boxes(holes) ^ cheese.distribution(P, restricted=True).support).volume(),
    ]
    return every_case(lambda fact: fact, facts, "sides, gaps, borders, area, agreement with toy.cheese")


# ---- Section 2 ------------------------------------------------------------------------------------------------------


def strip_margin(case: Place) -> Fraction:
    """Minus the area of B(holes, eps) outside A_eps on which the worst robust optimum errs."""
    return Fraction(-(_errors_near(case.eps, case.p) - _strip(case.eps)).volume())


def _errors_near(eps: Any, p: Fraction) -> Boxes:
    _, seen, rule = laws(p)
    return wrong_on(worst("robust", eps, p), rule) & neighbourhood(seen, eps)


def _strip(eps: Any) -> Boxes:
    return Boxes([((HALF - eps, HALF), (None, None))])


@sense(
    "sense-cheese-strip",
    label="Section 2, cheese holes: the strip A_eps",
    place="Section 2",
    kind="example",
    statement="On B(holes, eps) the worst robust optimum is right except on A_eps, where 1/2 - eps <= x1 <= 1/2.",
    expected="AMENDED",
    covers="false at eps = 1/16, p = 11/20: 5/12 - eps < x1 < 1/2 - eps lies in B(holes, eps) and is free",
    amendment="sense-cheese-strip-repaired",
    searched=TEXT + "Figure 1 (c) shows the rule for one eps that is not named.",
)
def cheese_strip(_budget: int) -> Evidence:
    return given_case(strip_margin, Place(Fraction(1, 16), P))


@sense(
    "sense-cheese-strip-repaired",
    label="Section 2, cheese holes: the strip A_eps, repaired",
    place="Section 2",
    kind="repair",
    statement="For eps < alpha/4 and for 3 alpha/4 < eps < eps_1 (12 eps_1 = 1 + 1/(2q) if p < 2/3, else 5/2) it errs "
    "on B(holes, eps) exactly on A_eps.",
    expected="PROVED",
    covers="these open ranges at p = 11/20 and 7/10",
    premises=("not alpha/4 < eps < alpha/2", "eps < eps_1"),
    repairs="sense-cheese-strip",
    without={
        "not alpha/4 < eps < alpha/2": lambda _budget: given_case(strip_margin, Place(Fraction(1, 16), P)),
        "eps < eps_1": lambda _budget: given_case(strip_margin, Place(Fraction(2, 5), P)),
    },
)
def cheese_strip_repaired(_budget: int) -> Evidence:
    def margins(eps: Any, p: Fraction) -> list[Any]:
        near = neighbourhood(laws(p)[1], eps)
        return [(_errors_near(eps, p) ^ (_strip(eps) & near)).volume()]

    found = [at_priors(margins, 0, ALPHA / 4, ends="()")]
    found += [at_priors(margins, ALPHA * 3 / 4, first_break(p), ends="()", priors=(p,)) for p in PRIORS]
    return together(found)


def together(found: list[Evidence]) -> Evidence:
    """The first that is no proof, or one proof of all."""
    for evidence in found:
        if evidence.kind != "PROVED":
            return evidence
    pieces = sum(evidence.cases for evidence in found)
    return Evidence("PROVED", "; ".join(dict.fromkeys(evidence.how for evidence in found)), pieces)


def gain_margin(case: Place) -> Fraction:
    """R_rob of the worst natural optimum, minus that of f_B, minus 3/4."""
    return Fraction(_gain(case.eps, case.p) - Fraction(3, 4))


def _gain(eps: Any, p: Fraction) -> Any:
    true, _, rule = laws(p)
    return true_risks("natural", eps, p)[1] - plain(robust_risk(rule, true, Ball(eps)))


@sense(
    "sense-cheese-gain",
    label="Section 2, cheese holes: lowering the robust risk",
    place="Section 2",
    kind="example",
    statement="By removing the errors outside the holes the robust risk is lowered by 3/4.",
    expected="AMENDED",
    covers="false at eps = 1/4: from 1 to 1/2",
    reading="At least 3/4, from the worst natural optimum to f_B.",
    amendment="sense-cheese-gain-repaired",
    searched=TEXT + "The 3/4 is the standard risk that is removed; f_B then has the robust risk 2 eps.",
)
def cheese_gain(_budget: int) -> Evidence:
    return given_case(gain_margin, Place(QUARTER, P))


@sense(
    "sense-cheese-gain-repaired",
    label="Section 2, cheese holes: lowering the robust risk, repaired",
    place="Section 2",
    kind="repair",
    statement="It is lowered by at least 3/4 for eps <= 1/8 and by 1 - 2 eps beyond.",
    expected="PROVED",
    covers=SAME,
    premises=("eps <= 1/8",),
    repairs="sense-cheese-gain",
    without={"eps <= 1/8": lambda _budget: given_case(gain_margin, Place(Fraction(1, 7), P))},
)
def cheese_gain_repaired(_budget: int) -> Evidence:
    near = at_priors(lambda eps, p: [_gain(eps, p) - Fraction(3, 4)], 0, Fraction(1, 8), zero=False)
    far = at_priors(lambda eps, p: [_gain(eps, p) - 1 + 2 * eps], Fraction(1, 8), HALF)
    return together([near, far, _same_at_priors("natural")])


@sense(
    "sense-cheese-major",
    label="Section 2, cheese holes: the major part",
    place="Section 2",
    kind="example",
    statement="The major part of the robust risk of the worst natural optimum is its error outside the holes.",
    expected="PROVED",
    covers=f"at least three quarters of it; {SAME}",
)
def cheese_major(_budget: int) -> Evidence:
    def margins(eps: Any, p: Fraction) -> list[Any]:
        standard, robust = true_risks("natural", eps, p)
        return [standard - Fraction(3, 4) * robust]

    return together([at_priors(margins, 0, HALF, zero=False), _same_at_priors("natural")])


@sense(
    "sense-cheese-sensible-gain",
    label="Section 2, cheese holes: sensible robustness increases both",
    place="Section 2",
    kind="example",
    statement="Sensible robustness can increase both robustness and natural accuracy.",
    expected="PROVED",
    covers=f"the worst sensible optimum against the worst natural one; {SAME}",
    reading="Neither true risk is larger, and the standard one smaller, by at least min(eps, 1/4).",
)
def cheese_sensible_gain(_budget: int) -> Evidence:
    def margins(eps: Any, p: Fraction) -> list[Any]:
        natural, sensible = true_risks("natural", eps, p), true_risks("sensible", eps, p)
        quarter = min(eps, QUARTER)
        return [natural[0] - sensible[0] - quarter, natural[1] - sensible[1]]

    return together([at_priors(margins, 0, HALF, zero=False), _same_at_priors("natural", "sensible")])


@sense(
    "sense-cheese-sensible-line",
    label="Section 2, cheese holes: the sensible boundary",
    place="Section 2",
    kind="example",
    statement="The decision boundary of the worst sensible optimum does not deviate on B(holes, eps), whatever eps is.",
    expected="PROVED",
    covers="0 < eps <= 1/2 at p = 11/20 and 7/10 (the class does not depend on p)",
)
def cheese_sensible_line(_budget: int) -> Evidence:
    def margins(eps: Any, p: Fraction) -> list[Any]:
        _, seen, rule = laws(p)
        return [(wrong_on(worst("sensible", eps, p), rule) & neighbourhood(seen, eps)).volume()]

    return at_priors(margins, 0, HALF)


@dataclass(frozen=True, slots=True)
class Corner:
    """A point of the square, a norm (1 or 2) and a radius."""

    at: tuple[Fraction, Fraction]
    ord: int
    eps: Fraction


def cover_margin(case: Corner) -> Fraction:
    """eps^ord minus the ord-th power of the distance from the point to the nearest hole."""
    sides = [hole(i) for i in (1, 2, 3)]
    offsets = [min(max(lo - x, x - hi, Fraction(0)) for lo, hi in sides) for x in case.at]
    return Fraction(case.eps**case.ord - sum(offset**case.ord for offset in offsets))


@sense(
    "sense-cheese-sensible-norms",
    label="Section 2, cheese holes: covering, any norm",
    place="Section 2",
    kind="example",
    statement="For eps >= alpha/2, B(holes, eps) covers the square, so that f_B is the only sensible optimum.",
    expected="AMENDED",
    covers="true for l-infinity (see sense-cheese-sensible); false for l_2 balls: (1/3, 1/3) is sqrt(2)/12 away",
    reading="The neighbourhoods of Section 1.2 are in any l_p, and Section 2 names no norm.",
    amendment="sense-cheese-sensible-norms-repaired",
    searched=TEXT + "Figure 1 draws squares, which are l-infinity neighbourhoods.",
)
def cheese_sensible_norms(_budget: int) -> Evidence:
    return given_case(cover_margin, Corner((Fraction(1, 3), Fraction(1, 3)), 2, TWELFTH))


@sense(
    "sense-cheese-sensible-norms-repaired",
    label="Section 2, cheese holes: covering, any norm, repaired",
    place="Section 2",
    kind="repair",
    statement="Up to null sets B(holes, eps) covers the square, and f_B is the only sensible optimum, exactly for eps "
    ">= alpha/2 under l-infinity, alpha/sqrt(2) under l_2 and alpha under l_1.",
    expected="PROVED",
    covers="p in (1/2, 1), balls within the square",
    repairs="sense-cheese-sensible-norms",
)
def cheese_sensible_norms_repaired(_budget: int) -> Evidence:
    """Each coordinate of a point is at most alpha/2 from the nearest side of a hole, and the offsets (a, b) of the two
    coordinates are independent, so the nearest hole is at most the norm of (alpha/2, alpha/2) away, which is attained
    at (1/3, 1/3): the core. The nearest point of the holes has the same f_B: if its first coordinate differs from that
    of the point, the point's lies outside the sides of holes, hence on one side of 1/2 with all of the way to it. So
    for such eps every point, but those at the very distance eps of the open holes, is seen with its own label by
    Theorem 3's S; for smaller eps a neighbourhood of (1/3, 1/3) is not, and is free.
    """
    from z3 import And, If, Or, Q, Reals

    a, b, x = Reals("a b x")
    half = Q(1, 12)
    inside = [And(x >= Q(4 * i, 12), x <= Q(4 * i + 4, 12)) for i in range(3)]
    box = [a >= 0, a <= half, b >= 0, b <= half, x >= 0, x <= 1]
    proof = solve(
        box,
        {
            "a coordinate is within alpha/2 of a side": Or(*inside),
            "l-infinity": If(a > b, a, b) <= half,
            "l_2": a * a + b * b <= Q(1, 72),
            "l_1": a + b <= Q(1, 6),
        },
    )
    third, corner = Fraction(1, 3), {2: Fraction(1, 72), 1: ALPHA}
    sharp = [equality(cover_margin(Corner((third, third), ord, Fraction(0))), -far) for ord, far in corner.items()]
    return proof if all(margin == 0 for margin in sharp) else Evidence("UNDECIDED", "the corner is not as far")


# ---- Appendix G: the three classes ----------------------------------------------------------------------------------


@sense(
    "sense-appendix-g-natural-class",
    label="Appendix G, class 1",
    place="Appendix G",
    kind="lemma",
    statement="The natural optima of the restricted law are the f that equal sign(x1 - 1/2) on the holes.",
    expected="PROVED",
    covers="every p in (1/2, 1), up to null sets",
)
def natural_class(_budget: int) -> Evidence:
    """f_B has restricted standard risk 0, and the restricted law has, at each p, a positive density of the label of f_B
    on every hole: the margins are that risk and the area of the holes on which no label is forced. So f has risk 0, the
    least, exactly if it differs from f_B on no positive area of the holes.
    """

    def margins(eps: Any, p: Fraction) -> list[Any]:
        _, seen, rule = laws(p)
        (forced,) = natural_minimisers(seen).alternatives
        agreed = (forced[-1] & rule.regions[-1]) | (forced[+1] & rule.regions[+1])
        return [plain(standard_risk(rule, seen)), (agreed ^ seen.support).volume() + 0 * eps]

    return at_priors(margins, 0, HALF)


@sense(
    "sense-appendix-g-sensible-class",
    label="Appendix G, class 2",
    place="Appendix G",
    kind="lemma",
    statement="The sensible optima of the restricted law are the f that equal sign(x1 - 1/2) on B(holes, eps).",
    expected="PROVED",
    covers="0 < eps <= 1/2 at p = 11/20 and 7/10 (the class does not depend on p), up to null sets",
)
def sensible_class(_budget: int) -> Evidence:
    """By Theorem 3 (no ties) the optima equal f_B on what the holes' balls see with the same label, and do as they like
    elsewhere. The margin is the area between that region and B(holes, eps).
    """

    def margins(eps: Any, p: Fraction) -> list[Any]:
        true, seen, rule = laws(p)
        (forced,) = sensible_minimisers(seen, Ball(eps), rule).alternatives
        agreed = (forced[-1] & rule.regions[-1]) | (forced[+1] & rule.regions[+1])
        return [((agreed & true.domain) ^ neighbourhood(seen, eps)).volume()]

    return at_priors(margins, 0, HALF)


def class_margin(case: Place) -> Fraction:
    """Minus the area of B(holes, eps) on which robust optima may differ."""
    seen = laws(case.p)[1]
    return Fraction(-(optimal_box_risk(seen, Ball(case.eps)).free & neighbourhood(seen, case.eps)).volume())


@sense(
    "sense-appendix-g-robust-class",
    label="Appendix G, class 3",
    place="Appendix G",
    kind="lemma",
    statement="The robust optima of the restricted law for eps < alpha/2 are the f that equal the g of eq (14) on "
    "B(holes, eps).",
    expected="AMENDED",
    covers="false at eps = 1/16, p = 11/20, between alpha/4 and alpha/2: part of B(holes, eps) is free",
    reading="That g is not even an optimum for some larger eps is the claim about eq (14).",
    amendment="sense-appendix-g-robust-class-repaired",
    searched=TEXT + "No argument for the class is printed.",
)
def robust_class(_budget: int) -> Evidence:
    return given_case(class_margin, Place(Fraction(1, 16), P))


def class_lines(eps: Any, p: Fraction) -> tuple[Any, Any]:
    """(lo, hi): robust optima are -1 on B(holes, eps) left of lo and +1 right of hi, and free between."""
    if ALPHA / 4 < eps < ALPHA * 3 / 4:
        return QUARTER + eps, HALF - eps
    if first_break(p) < eps < last_break(p):
        return (QUARTER + eps, Fraction(3, 4) - eps) if eps < QUARTER else (Fraction(3, 4) - eps, Fraction(3, 4) - eps)
    return (0 if eps > last_break(p) else HALF - eps), HALF - eps


@sense(
    "sense-appendix-g-robust-class-repaired",
    label="Appendix G, class 3, repaired",
    place="Appendix G",
    kind="repair",
    statement="They are the f that on B(holes, eps) are -1 left of l and +1 right of r: l = r = 1/2 - eps for eps < "
    "alpha/4 and 3 alpha/4 < eps < eps_1; l = 1/4 + eps, r = 1/2 - eps for alpha/4 < eps < 3 alpha/4; for p < 2/3 then "
    "l = 1/4 + eps, r = 3/4 - eps to 1/4 and l = r = 3/4 - eps to eps_2; beyond eps_2 l = 0, r = 1/2 - eps.",
    expected="PROVED",
    covers="0 < eps < 1/2 but for the breaks, at p = 11/20 and 7/10, against all classifiers",
    repairs="sense-appendix-g-robust-class",
)
def robust_class_repaired(_budget: int) -> Evidence:
    """What both extreme minimum cuts force is forced on every optimum (see ``theory.optimal.boxes``); where the cut is
    unique, any completion of it is an optimum. The margins: the areas between the forced and the stated regions.
    """

    def margins(eps: Any, p: Fraction) -> list[Any]:
        seen = laws(p)[1]
        best, near = optimal_box_risk(seen, Ball(eps)), neighbourhood(seen, eps)
        lo, hi = class_lines(eps, p)
        stated = {-1: near & left_of(lo), +1: near - left_of(hi)}
        ties = 1 if best.network.is_tied else 0
        return [((best.forced[y] & seen.domain) ^ stated[y]).volume() for y in (-1, +1)] + [ties + 0 * eps]

    return between_breaks(margins)


@sense(
    "sense-appendix-g-natural-risk",
    label="Appendix G, worst risk of class 1",
    place="Appendix G",
    kind="formula",
    statement="Although p is not 1/2, the largest standard risk in class 1 is the area outside the holes.",
    expected="PROVED",
    covers=AFFINE.replace("every eps in the range; ", ""),
    reading="The scan shows p = 0.5 with a lost stroke.",
)
def natural_worst(_budget: int) -> Evidence:
    def margins(eps: Any, p: Fraction) -> list[Any]:
        return [true_risks("natural", eps, p)[0] - (1 - laws(p)[1].support.volume())]

    return at_priors(margins, 0, HALF)


@sense(
    "sense-appendix-g-sensible-risk",
    label="Appendix G, worst risk of class 2",
    place="Appendix G",
    kind="formula",
    statement="The largest standard risk in class 2 is the area outside B(holes, eps).",
    expected="PROVED",
    covers=f"0 < eps <= 1/2, where it is 1 - (1 + E)^2/4 up to E = 1 and then 0; {AFFINE}",
)
def sensible_worst(_budget: int) -> Evidence:
    def margins(eps: Any, p: Fraction) -> list[Any]:
        standard = true_risks("sensible", eps, p)[0]
        side = min(1 + 12 * eps, 2 + 0 * eps)
        return [standard - (1 - neighbourhood(laws(p)[1], eps).volume()), standard - (1 - side * side / 4)]

    return at_priors(margins, 0, HALF)


@sense(
    "sense-appendix-g-line",
    label="Appendix G, worst member between alpha/2 and 3 alpha/4",
    place="Appendix G, 3)",
    kind="formula",
    statement="For alpha/2 <= eps < 3 alpha/4 the worst robust optimum is sign(x1 - 1/2 + c) on the whole square for "
    "some c.",
    expected="PROVED",
    covers="alpha/2 < eps < 3 alpha/4 at p = 11/20 and 7/10, with c = 1/4 - eps",
    reading="The paper says that c is easy to find and does not print it.",
)
def worst_line(_budget: int) -> Evidence:
    def margins(eps: Any, p: Fraction) -> list[Any]:
        right = ~left_of(HALF - (QUARTER - eps))
        return [((worst("robust", eps, p).regions[+1] ^ right) & laws(p)[0].domain).volume()]

    return at_priors(margins, ALPHA / 2, ALPHA * 3 / 4, ends="()")

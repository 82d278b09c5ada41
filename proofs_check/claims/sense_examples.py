"""Claims of SENSE about its examples: the half-square and the cheese holes (Section 2, Appendix G).

The adversary stays in (0,1)^2, balls are l-infinity, q = 1 - p. Everything is exact in eps and up to null sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from proofs_check.core import Evidence, claim
from proofs_check.provers import given_case, on_curve, readings
from theory.ball import Ball
from theory.boxes import Boxes
from theory.classifiers import RegionClassifier
from theory.enclosure import Enclosure
from theory.minimisers import natural_minimisers, robust_minimisers, sensible_minimisers
from theory.optimal.boxes import conflict_network, optimal_box_risk
from theory.risks import boundary_risk, robust_risk, standard_risk

if TYPE_CHECKING:
    from collections.abc import Callable

PRIORS = (Fraction(11, 20), Fraction(7, 10))
"""The paper's own prior, below 2/3, and one above: the restricted-robust optimum differs. Risks of a fixed classifier
are affine in p, so an equality at both priors holds at every p where the classifier is the same."""
AFFINE = "every eps in the range; p = 11/20 and 7/10, hence every p in (1/2, 1), as the risks are affine in p"
HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Place:
    """A radius and a prior P(Y = +1)."""

    eps: Fraction
    p: Fraction


def plain(x: Any) -> Any:
    """An exact value as a number."""
    return x.fraction if isinstance(x, Enclosure) else x


def least(law: Any, eps: Any) -> Any:
    """The least robust risk of all classifiers."""
    return plain(conflict_network(law, Ball(eps)).flow.value)


def at_priors(
    margins: Callable[[Any, Fraction], list[Any]],
    lo: Any,
    hi: Any,
    *,
    ends: str = "(]",
    priors: Any = PRIORS,
    zero: bool = True,
) -> Evidence:
    """Proof that the margins are 0 (without ``zero``: not negative) for all eps of a range, at each of the priors."""
    return on_curve(lambda eps: [x + 0 * eps for p in priors for x in margins(eps, p)], lo, hi, ends=ends, zero=zero)


TEXT = "Read in SENSE: Section 2, Appendix G with Figure 9, and Section 1.2. No cited work treats this example. "

# ---- the half-square ------------------------------------------------------------------------------------------------


@claim(
    "sense-half-square-bayes",
    paper="SENSE",
    label="Section 2, half-square: Bayes rule",
    place="Section 2",
    kind="example",
    statement="f_B = sign(x1 - 1/2) has R_std = 0 and R_rob = 2 eps.",
    expected="PROVED",
    covers=f"0 <= eps <= 1/2; {AFFINE}",
)
def half_square_bayes(_budget: int) -> Evidence:
    from toy import halves

    def margins(eps: Any, p: Fraction) -> list[Any]:
        law, f = halves.distribution(p), halves.threshold(HALF)
        return [plain(standard_risk(f, law)), plain(robust_risk(f, law, Ball(eps))) - 2 * eps]

    return at_priors(margins, 0, HALF, ends="[]")


@claim(
    "sense-half-square-optimum",
    paper="SENSE",
    label="Section 2, half-square: robust classifier",
    place="Section 2",
    kind="example",
    statement="For p > 1/2, sign(x1 - (1/2 - eps)) has the least robust risk of all classifiers, and f_B a larger one.",
    expected="PROVED",
    covers="0 < eps <= 1/2 at p = 11/20 and 7/10; whether it is the only one is a claim of its own",
    reading="'The robust classifier' is read as: a minimiser.",
)
def half_square_optimum(_budget: int) -> Evidence:
    """The least robust risk of all classifiers is a minimum cut, exact in eps: q min(4 eps, 1). The Bayes rule has
    2 eps, larger by at least 2 eps - 4 q eps = 2 eps (2p - 1) > 0.
    """
    from toy import halves

    def margins(eps: Any, p: Fraction) -> list[Any]:
        law, f = halves.distribution(p), halves.threshold(HALF - eps)
        best = least(law, eps)
        four = 4 * eps
        return [best - (1 - p) * (min(1, four)), plain(robust_risk(f, law, Ball(eps))) - best]

    return at_priors(margins, 0, HALF)


@claim(
    "sense-half-square-cost",
    paper="SENSE",
    label="Section 2, half-square: cost of robustness",
    place="Section 2",
    kind="example",
    statement="R_std(f_rob) - R_std(f_B) is a multiple of eps (1 - p), with f_rob = sign(x1 - (1/2 - eps)).",
    expected="UNREADABLE",
    covers="0 < eps <= 1/2; the factor is 2, whatever was printed",
    reading="The scan shows (1 - p) with its factors lost: eps (1 - p) would be wrong, 2 eps (1 - p) is right.",
)
def half_square_cost(_budget: int) -> Evidence:
    from toy import halves

    def cost(eps: Any, p: Fraction) -> Any:
        law = halves.distribution(p)
        return plain(standard_risk(halves.threshold(HALF - eps), law))

    return readings(
        {
            f"{factor} eps (1 - p)": at_priors(
                lambda eps, p, factor=factor: [cost(eps, p) - factor * eps * (1 - p)],  # type: ignore[misc]
                0,
                HALF,
            )
            for factor in (1, 2)
        }
    )


def unique_margin(case: Place) -> Fraction:
    """Minus the area on which minimisers of the half-square's robust risk may differ."""
    from toy import halves

    return Fraction(-optimal_box_risk(halves.distribution(case.p), Ball(case.eps)).free.volume())


@claim(
    "sense-half-square-unique",
    paper="SENSE",
    label="Section 2, half-square: the robust classifier",
    place="Section 2",
    kind="example",
    statement="If p > 1/2, the robust classifier, the only one, is sign(x1 - (1/2 - eps)).",
    expected="AMENDED",
    covers="false for eps >= 1/4: at eps = 3/10, p = 11/20 the left 1/5 of the square is free; saying +1 everywhere is "
    "as robust",
    reading="Unique up to null sets.",
    amendment="sense-half-square-unique-repaired",
    searched=TEXT + "The sentence has no bound on eps.",
)
def half_square_unique(_budget: int) -> Evidence:
    return given_case(unique_margin, Place(Fraction(3, 10), PRIORS[0]))


@claim(
    "sense-half-square-unique-repaired",
    paper="SENSE",
    label="Section 2, half-square: the robust classifier, repaired",
    place="Section 2",
    kind="repair",
    statement="For p > 1/2 and eps < 1/4 it is the only minimiser, up to null sets.",
    expected="PROVED",
    covers="0 < eps < 1/4 at p = 11/20 and 7/10, against all classifiers",
    premises=("p > 1/2", "eps < 1/4"),
    repairs="sense-half-square-unique",
    without={
        "p > 1/2": lambda _budget: given_case(unique_margin, Place(Fraction(1, 10), HALF)),
        "eps < 1/4": lambda _budget: given_case(unique_margin, Place(Fraction(1, 4), PRIORS[0])),
    },
)
def half_square_unique_repaired(_budget: int) -> Evidence:
    """Every minimiser has the label y wherever a ball of mass that both extreme minimum cuts keep forces it (see
    ``theory.optimal.boxes``). The margins are the area that this leaves free, and that between the forced label +1 and
    the half-plane x1 > 1/2 - eps.
    """
    from toy import halves

    def margins(eps: Any, p: Fraction) -> list[Any]:
        law = halves.distribution(p)
        best, printed = optimal_box_risk(law, Ball(eps)), halves.threshold(HALF - eps).regions[+1]
        return [best.free.volume(), ((best.forced[+1] ^ printed) & law.domain).volume()]

    return at_priors(margins, 0, Fraction(1, 4), ends="()")


@claim(
    "sense-half-square-trade-off",
    paper="SENSE",
    label="Section 2, half-square: trade-off",
    place="Section 2",
    kind="example",
    statement="There is a trade-off wherever a ball can cross the border between classes: every robust minimiser of "
    "the half-square costs accuracy.",
    expected="PROVED",
    covers="0 < eps <= 1/2 at p = 11/20 and 7/10: every minimiser has R_std >= 2 eps (1 - p) > 0 = R_std(f_B)",
    reading="An example of it is claimed, with certain labels and p != 1/2. At p = 1/2 f_B is a robust minimiser too.",
)
def half_square_trade_off(_budget: int) -> Evidence:
    from toy import halves

    def margins(eps: Any, p: Fraction) -> list[Any]:
        law, rule, ball = halves.distribution(p), halves.threshold(HALF), Ball(eps)
        return [plain(standard_risk(robust_minimisers(law, ball).best(rule, law, ball), law)) - 2 * eps * (1 - p)]

    return at_priors(margins, 0, HALF)


@claim(
    "sense-half-square-strip",
    paper="SENSE",
    label="Section 2, half-square: the strip B_eps",
    place="Section 2",
    kind="example",
    statement="The strip 1/2 - eps < x1 < 1/2 + eps is the only area where f_B has its robust risk: R_rob(f_B) = "
    "P(X in the strip, f_B(X) = Y) = 2 eps.",
    expected="PROVED",
    covers=f"0 < eps <= 1/2; {AFFINE}",
)
def half_square_strip(_budget: int) -> Evidence:
    """The margins: the area between the strip and the points from which the ball reaches an error, and the mass of the
    strip where f_B is right, less 2 eps.
    """
    from toy import halves

    def margins(eps: Any, p: Fraction) -> list[Any]:
        law, f, ball = halves.distribution(p), halves.threshold(HALF), Ball(eps)
        strip = Boxes([((HALF - eps, HALF + eps), (None, None))]) & law.domain
        attacked = Boxes.nothing(2)
        for y in law.labels:
            attacked = attacked | (ball.reach(f.wrong(y), law.domain) & law.densities[y].support)
        right = sum(law.mass(strip - f.wrong(y), y) for y in law.labels)
        return [(attacked ^ strip).volume(), right - 2 * eps]

    return at_priors(margins, 0, HALF)


# ---- cheese holes: natural minimisers -------------------------------------------------------------------------------


def laws(p: Fraction) -> tuple[Any, Any, RegionClassifier]:
    """The true law, the restricted one and the Bayes rule of the true one."""
    from toy import cheese

    return cheese.distribution(p), cheese.distribution(p, restricted=True), cheese.bayes()


@claim(
    "sense-cheese-natural",
    paper="SENSE",
    label="Section 2, cheese holes: worst natural optimum",
    place="Section 2",
    kind="example",
    statement="The worst rule that agrees with f_B on the holes has true standard risk 3/4 and restricted risk 0.",
    expected="PROVED",
    covers="every p in (1/2, 1), as the risks are affine in p and checked at two p",
)
def cheese_natural(_budget: int) -> Evidence:
    def margins(eps: Any, p: Fraction) -> list[Any]:
        true, seen, rule = laws(p)
        f = natural_minimisers(seen).worst(rule, true, Ball(eps))
        return [plain(standard_risk(f, true)) - Fraction(3, 4), plain(standard_risk(f, seen))]

    return at_priors(margins, 0, HALF)


@claim(
    "sense-cheese-natural-robust",
    paper="SENSE",
    label="Section 2, cheese holes: robust risk of the worst natural optimum",
    place="Section 2",
    kind="formula",
    statement="R_rob of that rule is 3/4 plus the probability that it is right at X and X lies in its DB.",
    expected="PROVED",
    covers=f"0 < eps <= 1/2; {AFFINE}",
)
def cheese_natural_robust(_budget: int) -> Evidence:
    """DB(f, eps) is where some point of the ball has another label than x, so "right and in DB" is the boundary risk,
    which is computed by an event of its own.
    """

    def margins(eps: Any, p: Fraction) -> list[Any]:
        true, seen, rule = laws(p)
        f = natural_minimisers(seen).worst(rule, true, Ball(eps))
        crossing = plain(boundary_risk(f, true, Ball(eps)))
        return [plain(robust_risk(f, true, Ball(eps))) - crossing - Fraction(3, 4)]

    return at_priors(margins, 0, HALF)


# ---- cheese holes: sensible minimisers ------------------------------------------------------------------------------


@claim(
    "sense-cheese-sensible",
    paper="SENSE",
    label="Section 2, cheese holes: unique sensible optimum",
    place="Section 2 and Appendix G",
    kind="example",
    statement="For eps >= alpha/2 = 1/12 the sensible optimum of the restricted law is f_B alone, of true risk 0.",
    expected="PROVED",
    covers="1/12 <= eps <= 1/2, up to null sets, l-infinity balls, p = 11/20 and 7/10 (the class does not depend on p)",
    reading="Unique up to null sets: at eps = 1/12 the open holes' balls leave out the lines midway between holes.",
)
def cheese_sensible(_budget: int) -> Evidence:
    """The minimisers are the rules that agree with f_B on a region (SENSE, Theorem 3, which holds here: no ties). The
    margins are the volume of the square that this region leaves free, and the risk of the worst member.
    """

    def margins(eps: Any, p: Fraction) -> list[Any]:
        true, seen, rule = laws(p)
        members = sensible_minimisers(seen, Ball(eps), rule)
        (forced,) = members.alternatives
        free = true.domain - forced[-1] - forced[+1]
        return [free.volume() + 0 * eps, plain(standard_risk(members.worst(rule, true, Ball(eps)), true))]

    return at_priors(margins, Fraction(1, 12), HALF, ends="[]")


# ---- cheese holes: robust minimisers --------------------------------------------------------------------------------


def first_break(p: Fraction) -> Fraction:
    """eps_1: up to here the holes next to the line decide; (1 + 1/(2q))/12 for p < 2/3, else 5/24."""
    q = 1 - p
    return (1 + 1 / (2 * q)) / 12 if q > Fraction(1, 3) else Fraction(5, 24)


def last_break(p: Fraction) -> Fraction:
    """eps_2: from here the smaller class is given up; (9/2 - 1/(2q))/12 for p < 2/3, else 5/24."""
    q = 1 - p
    return (Fraction(9, 2) - 1 / (2 * q)) / 12 if q > Fraction(1, 3) else Fraction(5, 24)


def eq14_margin(case: Place) -> Fraction:
    """Least restricted robust risk minus that of the printed g at (eps, p): 0 if g is optimal."""
    from toy import cheese

    eps, p = case.eps, case.p
    seen = cheese.distribution(p, restricted=True)
    return Fraction(least(seen, eps) - robust_risk(cheese.printed_classifier(eps), seen, Ball(eps)).fraction)


@claim(
    "sense-eq14",
    paper="SENSE",
    label="eq (14)",
    place="Appendix G",
    kind="formula",
    statement="Under the restricted law the robust optima follow sign(x1 - 1/2 + eps) on B(holes, eps), except for "
    "alpha/2 <= eps < 3 alpha/4, where they are -1 left of 3 alpha/2 + eps and +1 right of 1/2 - eps.",
    expected="AMENDED",
    covers="false at eps = 1/4, p = 11/20 (the paper's p): its g has risk 9/20, the least one is 1/3",
    amendment="sense-eq14-repaired",
    searched=TEXT + "Eq (14) has two lines, and p = 0.55 is printed below Figure 9; that g is optimal is not argued.",
)
def eq14(_budget: int) -> Evidence:
    return given_case(eq14_margin, Place(Fraction(1, 4), PRIORS[0]))


def repaired_threshold(eps: Any, p: Fraction) -> Any:
    """A threshold t for which sign(x1 - t) has the least restricted robust risk."""
    if first_break(p) < eps <= Fraction(1, 4) and eps < last_break(p):
        return HALF
    if Fraction(1, 4) < eps < last_break(p):
        return Fraction(3, 4) - eps
    return HALF - eps


@claim(
    "sense-eq14-repaired",
    paper="SENSE",
    label="eq (14), repaired",
    place="Appendix G",
    kind="repair",
    statement="sign(x1 - t) has the least restricted robust risk for t = 1/2 - eps, except for p < 2/3 on "
    "(eps_1, eps_2): there t = 1/2 does up to eps = 1/4 and t = 3/4 - eps beyond, with 12 eps_1 = 1 + 1/(2q) and "
    "12 eps_2 = 9/2 - 1/(2q).",
    expected="PROVED",
    covers="0 < eps <= 1/2 at p = 11/20 and 7/10, against all classifiers (a minimum cut, exact in eps)",
    reading="One minimiser for every eps; the whole class is not claimed.",
    repairs="sense-eq14",
)
def eq14_repaired(_budget: int) -> Evidence:
    from toy import halves

    def margins(eps: Any, p: Fraction) -> list[Any]:
        _, seen, _ = laws(p)
        f = halves.threshold(repaired_threshold(eps, p))
        return [plain(robust_risk(f, seen, Ball(eps))) - least(seen, eps)]

    return at_priors(margins, 0, HALF)


def worst_robust(eps: Any, p: Fraction, *, leave_domain: bool = False) -> tuple[Any, Any]:
    """True standard and robust risk of the worst minimiser of the restricted robust risk."""
    (true, seen, rule), ball = laws(p), Ball(eps, leave_domain=leave_domain)
    f = robust_minimisers(seen, ball).worst(rule, true, ball)
    return plain(standard_risk(f, true)), plain(robust_risk(f, true, ball))


def printed_risk_margin(case: Place) -> Fraction:
    """Minus the distance of the printed worst standard risk from the exact one at (eps, p)."""
    from toy import cheese

    eps, p = case.eps, case.p
    return Fraction(-abs(cheese.printed_standard_risk(eps, p) - worst_robust(eps, p)[0]))


@claim(
    "sense-appendix-g-risk",
    paper="SENSE",
    label="Appendix G, worst standard risk of the robust optima",
    place="Appendix G, 3)",
    kind="formula",
    statement="On B(holes, eps) a robust optimum has risk 3 min(alpha + 2 eps, 2 alpha) (1 - p) min(2 eps, 1/2)/(1/2).",
    expected="AMENDED",
    covers="false at eps = 1/100, p = 11/20; the strip between 1/2 - eps and 1/2 is eps wide, not 2 eps",
    amendment="sense-appendix-g-risk-repaired",
    searched=TEXT + "Eq (14) puts the line at 1/2 - eps, so the printed factor contradicts it.",
)
def appendix_g_risk(_budget: int) -> Evidence:
    return given_case(printed_risk_margin, Place(Fraction(1, 100), PRIORS[0]))


def repaired_risk(eps: Any, p: Fraction) -> Any:
    """The worst standard risk between the breaks, with E = 12 eps and q = 1 - p."""
    q, E = 1 - p, 12 * eps
    if 2 * E < 1:
        return q * (1 - (3 + 2 * E) * (1 + E) / 12) + p * (1 - (1 + E) * (1 + E) / 4)
    if E < 1:
        return q * (1 - (1 + E) * (1 + E) / 6) + p * (1 - (1 + E) * (1 + E) / 4)
    if 2 * E < 3:
        return q * (3 - E) / 6
    if eps < first_break(p):
        return q * E / 6
    if eps < last_break(p):
        return (3 - E) / 6 if E < 3 else q * (E - 3) / 6
    return q


@claim(
    "sense-appendix-g-risk-repaired",
    paper="SENSE",
    label="Appendix G, worst standard risk of the robust optima, repaired",
    place="Appendix G, 3)",
    kind="repair",
    statement="With E = 12 eps the worst standard risk is q (1 - (3+2E)(1+E)/12) + p (1 - (1+E)^2/4) for E < 1/2; "
    "q (1 - (1+E)^2/6) + p (1 - (1+E)^2/4) to 1; q (3-E)/6 to 3/2; q E/6 to 12 eps_1; for p < 2/3 then (3-E)/6 to 3 "
    "and q (E-3)/6 to 12 eps_2; q beyond.",
    expected="PROVED",
    covers="the open intervals between these breaks in (0, 1/2), at p = 11/20 and 7/10; the breaks themselves, where "
    "minimum cuts tie, are left out",
    repairs="sense-appendix-g-risk",
)
def appendix_g_risk_repaired(_budget: int) -> Evidence:
    return between_breaks(lambda eps, p: [worst_robust(eps, p)[0] - repaired_risk(eps, p)])


def breaks(p: Fraction) -> list[Fraction]:
    """The radii in [0, 1/2] where the class of robust minimisers changes."""
    fixed = {Fraction(0), Fraction(1, 24), Fraction(1, 12), Fraction(1, 8), HALF}
    low = {Fraction(1, 4)} if first_break(p) < last_break(p) else set()
    return sorted(fixed | low | {first_break(p), last_break(p)})


def between_breaks(
    margins: Callable[[Any, Fraction], list[Any]], start: Fraction = Fraction(0), *, zero: bool = True, more: Any = ()
) -> Evidence:
    """Proof as `at_priors` on the open intervals from ``start`` between the breaks and, at each p, ``more(p)``."""
    pieces = 0
    for p in PRIORS:
        places = {*breaks(p), *(more(p) if more else ())}
        for lo, hi in pairwise(sorted(x for x in places if x >= start)):
            found = at_priors(margins, lo, hi, ends="()", priors=(p,), zero=zero)
            if found.kind != "PROVED":
                return found
            pieces += found.cases
    return Evidence("PROVED", f"exact curves of eps between the breaks, at p = 11/20 and 7/10, {pieces} pieces", pieces)


def constant_margin(case: Place) -> Fraction:
    """Minus the distance of the worst true robust risk from 1 - p at (eps, p)."""
    eps, p = case.eps, case.p
    return Fraction(-abs(worst_robust(eps, p)[1] - (1 - p)))


def leaving_margin(case: Place) -> Fraction:
    """The same for an adversary that may leave the square, where the classifier is free as well."""
    return Fraction(-abs(worst_robust(case.eps, case.p, leave_domain=True)[1] - (1 - case.p)))


STAYS = "the adversary stays in the square"


@claim(
    "sense-appendix-g-constant",
    paper="SENSE",
    label="Appendix G, constant robust risk",
    place="Appendix G",
    kind="remark",
    statement="For eps > 1/4 the robust optima predict +1 everywhere, so their true robust risk is constant, 1 - p.",
    expected="AMENDED",
    covers="false at eps = 13/50, p = 11/20 (the paper's p)",
    amendment="sense-appendix-g-constant-repaired",
    searched=TEXT + "The reason printed is that the robust optima say +1 everywhere.",
)
def appendix_g_constant(_budget: int) -> Evidence:
    return given_case(constant_margin, Place(Fraction(13, 50), PRIORS[0]))


@claim(
    "sense-appendix-g-constant-repaired",
    paper="SENSE",
    label="Appendix G, constant robust risk, repaired",
    place="Appendix G",
    kind="repair",
    statement="The worst true robust risk of the restricted-robust optima is 1 - p for eps > eps_2, where "
    "12 eps_2 = 9/2 - 1/(2q) for p < 2/3, and eps_2 = 5/24 for p >= 2/3.",
    expected="PROVED",
    covers="eps_2 < eps < 1/2 at p = 11/20 (eps_2 = 61/216 > 1/4) and 7/10 (5/24)",
    premises=(STAYS, "eps > eps_2"),
    repairs="sense-appendix-g-constant",
    without={
        STAYS: lambda _budget: given_case(leaving_margin, Place(Fraction(2, 5), PRIORS[0])),
        "eps > eps_2": lambda _budget: given_case(constant_margin, Place(Fraction(7, 25), PRIORS[0])),
    },
)
def appendix_g_constant_repaired(_budget: int) -> Evidence:
    pieces = 0
    for p in PRIORS:
        found = at_priors(
            lambda eps, p: [worst_robust(eps, p)[1] - (1 - p)], last_break(p), HALF, ends="()", priors=(p,)
        )
        if found.kind != "PROVED":
            return found
        pieces += found.cases
    return Evidence("PROVED", f"exact curves of eps from eps_2 to 1/2, {pieces} pieces", pieces)

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
from theory.classifiers import RegionClassifier
from theory.enclosure import Enclosure
from theory.minimisers import natural_minimisers, robust_minimisers, sensible_minimisers
from theory.optimal.boxes import conflict_network
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


def _plain(x: Any) -> Any:
    return x.fraction if isinstance(x, Enclosure) else x


def _least(law: Any, eps: Any) -> Any:
    return _plain(conflict_network(law, Ball(eps)).flow.value)


def _at_priors(
    margins: Callable[[Any, Fraction], list[Any]], lo: Any, hi: Any, *, ends: str = "(]", priors: Any = PRIORS
) -> Evidence:
    return on_curve(lambda eps: [x for p in priors for x in margins(eps, p)], lo, hi, ends=ends, zero=True)


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
        return [_plain(standard_risk(f, law)), _plain(robust_risk(f, law, Ball(eps))) - 2 * eps]

    return _at_priors(margins, 0, HALF, ends="[]")


@claim(
    "sense-half-square-optimum",
    paper="SENSE",
    label="Section 2, half-square: robust classifier",
    place="Section 2",
    kind="example",
    statement="For p > 1/2, sign(x1 - (1/2 - eps)) has the least robust risk of all classifiers, and f_B a larger one.",
    expected="PROVED",
    covers="0 < eps <= 1/2 at p = 11/20 and 7/10; that it is the only one is not claimed (for eps >= 1/4 it is not)",
    reading="'The robust classifier' is read as: a minimiser.",
)
def half_square_optimum(_budget: int) -> Evidence:
    """The least robust risk of all classifiers is a minimum cut, exact in eps: q min(4 eps, 1). The Bayes rule has
    2 eps, larger by at least 2 eps - 4 q eps = 2 eps (2p - 1) > 0.
    """
    from toy import halves

    def margins(eps: Any, p: Fraction) -> list[Any]:
        law, f = halves.distribution(p), halves.threshold(HALF - eps)
        best = _least(law, eps)
        four = 4 * eps
        return [best - (1 - p) * (min(1, four)), _plain(robust_risk(f, law, Ball(eps))) - best]

    return _at_priors(margins, 0, HALF)


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
        return _plain(standard_risk(halves.threshold(HALF - eps), law))

    return readings(
        {
            f"{factor} eps (1 - p)": _at_priors(
                lambda eps, p, factor=factor: [cost(eps, p) - factor * eps * (1 - p)],  # type: ignore[misc]
                0,
                HALF,
            )
            for factor in (1, 2)
        }
    )


# ---- cheese holes: natural minimisers -------------------------------------------------------------------------------


def _laws(p: Fraction) -> tuple[Any, Any, RegionClassifier]:
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
        true, seen, rule = _laws(p)
        f = natural_minimisers(seen).worst(rule, true, Ball(eps))
        return [_plain(standard_risk(f, true)) - Fraction(3, 4), _plain(standard_risk(f, seen))]

    return _at_priors(margins, 0, HALF)


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
        true, seen, rule = _laws(p)
        f = natural_minimisers(seen).worst(rule, true, Ball(eps))
        crossing = _plain(boundary_risk(f, true, Ball(eps)))
        return [_plain(robust_risk(f, true, Ball(eps))) - crossing - Fraction(3, 4)]

    return _at_priors(margins, 0, HALF)


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
        true, seen, rule = _laws(p)
        members = sensible_minimisers(seen, Ball(eps), rule)
        (forced,) = members.alternatives
        free = true.domain - forced[-1] - forced[+1]
        return [free.volume() + 0 * eps, _plain(standard_risk(members.worst(rule, true, Ball(eps)), true))]

    return _at_priors(margins, Fraction(1, 12), HALF, ends="[]")


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
    return Fraction(_least(seen, eps) - robust_risk(cheese.printed_classifier(eps), seen, Ball(eps)).fraction)


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
        _, seen, _ = _laws(p)
        f = halves.threshold(repaired_threshold(eps, p))
        return [_plain(robust_risk(f, seen, Ball(eps))) - _least(seen, eps)]

    return _at_priors(margins, 0, HALF)


def _worst_robust(eps: Any, p: Fraction) -> tuple[Any, Any]:
    """True standard and robust risk of the worst minimiser of the restricted robust risk."""
    true, seen, rule = _laws(p)
    f = robust_minimisers(seen, Ball(eps)).worst(rule, true, Ball(eps))
    return _plain(standard_risk(f, true)), _plain(robust_risk(f, true, Ball(eps)))


def printed_risk_margin(case: Place) -> Fraction:
    """Minus the distance of the printed worst standard risk from the exact one at (eps, p)."""
    from toy import cheese

    eps, p = case.eps, case.p
    return Fraction(-abs(cheese.printed_standard_risk(eps, p) - _worst_robust(eps, p)[0]))


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
    return _between_breaks(lambda eps, p: [_worst_robust(eps, p)[0] - repaired_risk(eps, p)], Fraction(0))


def _breaks(p: Fraction) -> list[Fraction]:
    fixed = {Fraction(0), Fraction(1, 24), Fraction(1, 12), Fraction(1, 8), HALF}
    low = {Fraction(1, 4)} if first_break(p) < last_break(p) else set()
    return sorted(fixed | low | {first_break(p), last_break(p)})


def _between_breaks(margins: Callable[[Any, Fraction], list[Any]], start: Fraction) -> Evidence:
    pieces = 0
    for p in PRIORS:
        breaks = [x for x in _breaks(p) if x >= start]
        for lo, hi in pairwise(breaks):
            found = _at_priors(margins, lo, hi, ends="()", priors=(p,))
            if found.kind != "PROVED":
                return found
            pieces += found.cases
    return Evidence("PROVED", f"exact curves of eps between the breaks, at p = 11/20 and 7/10, {pieces} pieces", pieces)


def constant_margin(case: Place) -> Fraction:
    """Minus the distance of the worst true robust risk from 1 - p at (eps, p)."""
    eps, p = case.eps, case.p
    return Fraction(-abs(_worst_robust(eps, p)[1] - (1 - p)))


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
    repairs="sense-appendix-g-constant",
)
def appendix_g_constant_repaired(_budget: int) -> Evidence:
    pieces = 0
    for p in PRIORS:
        found = _at_priors(
            lambda eps, p: [_worst_robust(eps, p)[1] - (1 - p)], last_break(p), HALF, ends="()", priors=(p,)
        )
        if found.kind != "PROVED":
            return found
        pieces += found.cases
    return Evidence("PROVED", f"exact curves of eps from eps_2 to 1/2, {pieces} pieces", pieces)

"""Claims of SENSE about Figure 9: the worst true risks of natural, robust and sensible optima as curves of eps.

Conventions as in ``sense_examples`` and ``sense_cheese``.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Any

from proofs_check.claims.sense_cheese import QUARTER, TWELFTH, P, together, true_risks, worst
from proofs_check.claims.sense_examples import (
    AFFINE,
    HALF,
    PRIORS,
    STAYS,
    TEXT,
    Place,
    at_priors,
    between_breaks,
    breaks,
    first_break,
    last_break,
    laws,
    repaired_risk,
    worst_robust,
)
from proofs_check.core import Evidence, claim, definition
from proofs_check.provers import every_case, given_case
from theory.ball import Ball
from theory.risks import robust_risk

sense, sense_definition = partial(claim, paper="SENSE"), partial(definition, paper="SENSE")

FIGURE_9 = sense_definition(
    "sense-figure-9",
    label="Figure 9",
    place="Appendix G",
    statement="Natural and robust risk of the worst optima (black: natural, blue: robust, red: sensible) for p = 0.55; "
    "the robust optimum for eps > 0.25 and the sensible one for eps > 1/12.",
    covers="toy.cheese.figure, panels (e) and (f), beside what is printed",
)


def _risk_of_worst(which: int, name: str, eps: Any) -> Any:
    return true_risks(name, eps, P)[which] + 0 * eps


def draw_figure_9(which: int, axes: Any) -> None:
    """The worst standard (0) or robust (1) risk of natural, robust and sensible optima at p = 11/20."""
    from theory.curves import curve
    from toy import draw

    for name, colour in (("natural", "#000000"), ("robust", "#0072B2"), ("sensible", "#D55E00")):
        found = curve(partial(_risk_of_worst, which, name), 0, HALF, ends="(]")
        draw.curve(axes, found, f"worst {name} optimum", colour)
    axes.set_xlabel("eps")
    axes.set_ylabel("robust risk" if which else "standard risk")
    axes.set_ylim(-0.03, 1.35)  # room for the legend above the curves
    axes.legend(fontsize=8, frameon=False, loc="upper right")


@sense(
    "sense-figure-9e-smaller",
    label="Figure 9 (e), below 3/4",
    place="Appendix G",
    kind="table",
    statement="The worst standard risk of the robust optima is always much smaller than that of the natural ones, so "
    "the pursuit of robustness leads to a more accurate classifier.",
    expected="PROVED",
    covers="0 < eps <= 1/2 at p = 11/20 and 7/10",
    reading="'Much' is given no number: it is smaller by at least min(4 eps, 1/5), which tends to 0 with eps.",
)
def always_smaller(_budget: int) -> Evidence:
    def margins(eps: Any, p: Fraction) -> list[Any]:
        return [Fraction(3, 4) - worst_robust(eps, p)[0] - min(4 * eps, Fraction(1, 5))]

    return at_priors(margins, 0, HALF, zero=False)


@dataclass(frozen=True, slots=True)
class Step:
    """Two radii lo < hi and a prior."""

    lo: Fraction
    hi: Fraction
    p: Fraction


def increase_margin(case: Step) -> Fraction:
    """The worst standard risk of robust optima at hi minus that at lo."""
    return Fraction(worst_robust(case.hi, case.p)[0] - worst_robust(case.lo, case.p)[0])


@sense(
    "sense-figure-9e-not-monotone",
    label="Figure 9 (e), not consistently decreasing",
    place="Appendix G",
    kind="table",
    statement="The worst standard risk of the robust optima does not consistently decrease as eps increases.",
    expected="PROVED",
    covers="one pair of radii at p = 11/20: it is larger at 1/6 than at 1/7",
)
def not_monotone(_budget: int) -> Evidence:
    step = Step(Fraction(1, 7), Fraction(1, 6), P)
    return every_case(lambda case: increase_margin(case) - Fraction(1, 1000), [step], "the one pair that is needed")


@sense(
    "sense-figure-9e-increases",
    label="Figure 9 (e), gradual increase",
    place="Appendix G",
    kind="table",
    statement="As eps increases from alpha/2, the worst standard risk of the robust optima gradually increases, "
    "whereas that of the sensible ones stays 0.",
    expected="AMENDED",
    covers="false at p = 11/20 (the paper's p): it decreases from eps = 1/10 to 1/9",
    reading="The upper end is printed as 1; beyond 1/2 nothing changes.",
    amendment="sense-figure-9e-increases-repaired",
    figure=partial(draw_figure_9, 0),
    searched=TEXT + "The paper's own form for alpha/2 <= eps < 3 alpha/4, sign(x1 - 1/2 + c), has a decreasing risk.",
)
def increases(_budget: int) -> Evidence:
    return given_case(increase_margin, Step(Fraction(1, 10), Fraction(1, 9), P))


@sense(
    "sense-figure-9e-increases-repaired",
    label="Figure 9 (e), gradual increase, repaired",
    place="Appendix G",
    kind="repair",
    statement="From alpha/2 on it decreases to eps = 1/8 and increases to eps_1; for p >= 2/3 it is q from there on; "
    "for p < 2/3 it decreases to 0 at 1/4, increases to eps_2 and is q beyond.",
    expected="PROVED",
    covers="the open intervals between the breaks in (1/12, 1/2) at p = 11/20 and 7/10; the sensible 0 is a claim of "
    "Section 2",
    repairs="sense-figure-9e-increases",
)
def increases_repaired(_budget: int) -> Evidence:
    """Between the breaks the risk is the formula of Appendix G repaired (margins 0 on exact curves), which from eps =
    1/12 on is linear on each interval; its sign of growth is read off two inner points.
    """
    found = between_breaks(lambda eps, p: [worst_robust(eps, p)[0] - repaired_risk(eps, p)], TWELFTH)
    stated = {PRIORS[0]: [-1, 1, -1, 1, 0], PRIORS[1]: [-1, 1, 0]}
    for p, signs in stated.items():
        places = [x for x in breaks(p) if x >= TWELFTH]
        for (lo, hi), sign in zip(pairwise(places), signs, strict=True):
            growth = repaired_risk(lo + (hi - lo) * 2 / 3, p) - repaired_risk(lo + (hi - lo) / 3, p)
            if (growth > 0) - (growth < 0) != sign:
                return Evidence("UNDECIDED", f"the growth on {lo}..{hi} at p = {p} is {growth}")
    return found


def _sensible_robust(eps: Any, p: Fraction) -> Any:
    return true_risks("sensible", eps, p)[1]


def sensible_step_margin(case: Step) -> Fraction:
    """The true robust risk of the worst sensible optimum at hi minus that at lo."""
    return Fraction(_sensible_robust(case.hi, case.p) - _sensible_robust(case.lo, case.p))


def sensible_leaving_margin(case: Place) -> Fraction:
    """Minus the distance of that risk from 2 eps if the adversary may leave the square, where f is free as well."""
    ball, true = Ball(case.eps, leave_domain=True), laws(case.p)[0]
    f = worst("sensible", case.eps, case.p, leave_domain=True)
    return Fraction(-abs(robust_risk(f, true, ball).fraction - 2 * case.eps))


@sense(
    "sense-figure-9f-sensible",
    label="Figure 9 (f), sensible curve",
    place="Appendix G",
    kind="table",
    statement="The robust risk of the worst sensible optimum increases to 1 as eps increases.",
    expected="AMENDED",
    covers="false: it falls from 43/52 at eps = 1/13 to 2/11 at eps = 1/11",
    amendment="sense-figure-9f-sensible-repaired",
    searched=TEXT + "The reason printed, examples that cross the border, is that of f_B, from alpha/2 on.",
)
def sensible_increases(_budget: int) -> Evidence:
    return given_case(sensible_step_margin, Step(Fraction(1, 13), Fraction(1, 11), P))


@sense(
    "sense-figure-9f-sensible-repaired",
    label="Figure 9 (f), sensible curve, repaired",
    place="Appendix G",
    kind="repair",
    statement="It is 3/4 + eps for eps < alpha/2 and 2 eps from there on, which increases to 1 at eps = 1/2.",
    expected="PROVED",
    covers=f"0 < eps <= 1/2; {AFFINE}",
    premises=(STAYS,),
    repairs="sense-figure-9f-sensible",
    without={STAYS: lambda _budget: given_case(sensible_leaving_margin, Place(Fraction(1, 10), P))},
)
def sensible_increases_repaired(_budget: int) -> Evidence:
    below = at_priors(lambda eps, p: [_sensible_robust(eps, p) - eps - Fraction(3, 4)], 0, TWELFTH, ends="()")
    return together([below, at_priors(lambda eps, p: [_sensible_robust(eps, p) - 2 * eps], TWELFTH, HALF, ends="[]")])


def order_margin(case: Place) -> Fraction:
    """True robust risk of the worst sensible optimum minus that of the worst robust one."""
    return Fraction(_order(case.eps, case.p))


def _order(eps: Any, p: Fraction) -> Any:
    return _sensible_robust(eps, p) - worst_robust(eps, p)[1]


@sense(
    "sense-figure-9f-order",
    label="Figure 9 (f), order of the curves",
    place="Appendix G",
    kind="table",
    statement="The sensible optima have a large robust risk, larger than that of the robust ones.",
    expected="AMENDED",
    covers="false at eps = 1/10, p = 11/20 (the paper's p): 1/5 against 9/40",
    reading="'Large' is read as compared with the robust optima, whose curve is set against it.",
    amendment="sense-figure-9f-order-repaired",
    figure=partial(draw_figure_9, 1),
    searched=TEXT + "The sentence compares the red curve with the blue one from eps = 1/4 on.",
)
def order(_budget: int) -> Evidence:
    return given_case(order_margin, Place(Fraction(1, 10), P))


def _crossings(p: Fraction) -> list[Fraction]:
    """Where 2 eps meets the worst robust optimum's q/2."""
    return [(1 - p) / 4]


@sense(
    "sense-figure-9f-order-repaired",
    label="Figure 9 (f), order of the curves, repaired",
    place="Appendix G",
    kind="repair",
    statement="The worst sensible optimum has a smaller true robust risk than the worst robust one for 1/12 < eps < "
    "q/4 and, if p < 2/3, for eps_1 < eps < 1/4; not elsewhere.",
    expected="PROVED",
    covers="0 < eps < 1/2 but for the breaks and q/4, at p = 11/20 (both ranges) and 7/10 (neither)",
    repairs="sense-figure-9f-order",
)
def order_repaired(_budget: int) -> Evidence:
    def margins(eps: Any, p: Fraction) -> list[Any]:
        smaller = TWELFTH < eps < (1 - p) / 4 or (first_break(p) < last_break(p) and first_break(p) < eps < QUARTER)
        return [-_order(eps, p) if smaller else _order(eps, p)]

    return between_breaks(margins, zero=False, more=_crossings)

"""Theorem 2.1 of ODDS beside the exact frontier: its line, how loose it is, and what holds where it says too much.

For eps >= 2 eta, robust accuracy is at most p/(1-p) delta when standard accuracy is at least 1 - delta (p is the
``reliability``). The line is the tangent at (p, p) of the exact frontier for eps = 2 eta (`theory.odds.frontier`);
beyond delta = 1 - p it rises above p, and soon above 1, and better bounds are at hand.

>>> from theory.odds.frontier import frontier_at
>>> law = SignGaussian("0.95", "0.03", 10_000)
>>> for delta in ("0.001", "0.01", "0.04", "0.06"):
...     exact = frontier_at(law, "0.06", delta).robust_accuracy
...     print(f"{theorem_line(law, delta)} {corrected_bound(law, '0.06', delta)} {exact:.8f}")
19/1000 19/1000 [0.01823305, 0.01823306]
19/100 19/100 [0.18999775, 0.18999776]
19/25 19/25 [0.75999999, 0.76000000]
57/50 19/20 0.95000000
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, cast

from theory.arbs import cdf, enclose, to_arb, working_precision
from theory.enclosure import Enclosure
from theory.numbers import Exact, as_fraction
from theory.odds.frontier import FrontierPoint, bayes_threshold, best_robust_accuracy, evenly_in_accuracy
from theory.odds.signgaussian import (
    LinearClassifier,
    SignGaussian,
    ThresholdClassifier,
    radius,
    shifted_accuracy,
    sign_classifier,
    signal_arb,
    standard_accuracy,
)


def theorem_line(law: SignGaussian, delta: Exact) -> Fraction:
    """p/(1-p) delta, the bound of (ODDS, Theorem 2.1) on the robust accuracy for eps >= 2 eta.

    >>> theorem_line(SignGaussian("0.95", "0.03", 10_000), "0.01")
    Fraction(19, 100)
    """
    return law.reliability / (1 - law.reliability) * as_fraction(delta, "delta")


def corrected_bound(law: SignGaussian, eps: Exact, delta: Exact) -> Enclosure:
    """min(p/(1-p) delta, best robust accuracy): the theorem's bound, made to hold its promise beyond delta = 1 - p.

    The printed line exceeds p there, and 1 from delta = (1-p)/p on; `best_robust_accuracy` (p for eta <= eps < 1) is a
    ceiling for every delta. Raises ``ValueError`` for eps < 2 eta, where the line is no bound.
    """
    eps = radius(eps)
    if eps < 2 * law.eta:
        raise ValueError(f"eps {eps} is below 2 eta = {2 * law.eta}, where the line of the theorem is no bound")
    line, ceiling = theorem_line(law, delta), best_robust_accuracy(law, eps)
    return Enclosure.exact(line) if ceiling >= line else ceiling


def shift_bound(law: SignGaussian, delta: Exact) -> Fraction:
    """The bound on the accuracy under the fixed shift by exactly 2 eta: min(p/(1-p) delta, 1 - (1-p)/p (1 - delta)).

    The shift turns the weak features of one label into those of the other, so standard and shifted accuracy play equal
    roles; exchanging them in the theorem gives the second bound, the smaller one for delta > 1 - p.

    >>> shift_bound(SignGaussian("0.95", "0.03", 10_000), "0.06")
    Fraction(903, 950)
    """
    delta = as_fraction(delta, "delta")
    return min(theorem_line(law, delta), 1 - (1 - law.reliability) / law.reliability * (1 - delta))


def shift_frontier(law: SignGaussian, n: int = 101) -> tuple[FrontierPoint, ...]:
    """The frontier against the fixed shift by exactly 2 eta alone, in 2n - 1 points: beyond (p, p) the roles exchange.

    For weights lam : 1 the best set {predict +1} given x_1 = +1 is {z : W > 0} with W = (lam p - (1-p)) g_s -
    (lam (1-p) - p) g_{-s}: a half-line above a threshold for lam > p/(1-p), everything between p/(1-p) and its inverse,
    and a half-line below a threshold for smaller lam, which has the accuracies of the first case exchanged.
    ``robust_accuracy`` is here the accuracy under the shift.
    """
    if n < 2:
        raise ValueError(f"n {n} points are no curve; allowed are 2, 3, ...")
    first = bayes_threshold(law)
    points = []
    thresholds: list[Fraction | Enclosure] = [first, *evenly_in_accuracy(law, first, n - 2)]
    for above in map(ThresholdClassifier, thresholds):
        points.append(FrontierPoint(standard_accuracy(above, law), shifted_accuracy(above, law, 2 * law.eta), above))
    mirrored = []
    with working_precision():
        for point in reversed(points):
            threshold = to_arb(cast("Any", point.classifier).threshold)
            below = LinearClassifier(enclose(-threshold * to_arb(law.d).sqrt()), -1)
            mirrored.append(FrontierPoint(point.robust_accuracy, point.standard_accuracy, below))
    p = Enclosure.exact(law.reliability)
    return (*points, FrontierPoint(p, p, sign_classifier()), *mirrored)


def looseness(law: SignGaussian, threshold: Exact | Enclosure) -> Enclosure:
    """How far the theorem's line lies above the frontier at eps = 2 eta: (2p-1)/(1-p) Phi(t - s), for the threshold t.

    It vanishes only as t -> -infinity, at (p, p). At the Bayes point the ratio of frontier to line tends to
    (p^2 + (1-p)^2) / (2 p^2) as s -> infinity.
    """
    p = law.reliability
    with working_precision():
        return enclose(to_arb((2 * p - 1) / (1 - p)) * cdf(to_arb(threshold) - signal_arb(law)))


def theorem_core() -> dict[str, str]:
    """The algebra of (ODDS, Theorem 2.1) decided by z3 for all parameters: "unsat" says that no counterexample exists.

    The variables are p in [1/2, 1) and the four probabilities p_ij in [0, 1] of predicting +1 when x_1 has sign i and
    the weak features have mean j eta; standard accuracy S and shifted accuracy A are the paper's expressions in them.
    With denominators cleared, the statements are

    * identities: S = 1 - (p a + (1-p) b)/2 and A = ((1-p) a + p b)/2, for a = 1 - p_++ + p_-- and b = 1 - p_-+ + p_+-;
    * bound: (1-p) A <= p (1 - S), so that S >= 1 - delta gives A <= p/(1-p) delta;
    * gap: p (1 - S) - (1-p) A = (2p-1) a / 2, the distance to the line;
    * exchanged: (1-p) S <= p (1 - A), the bound beyond delta = 1 - p;
    * at_p: S >= p implies A <= p. (At delta = 1 - p the paper calls both accuracies bounded by p; S >= p is a premise.)

    **Lift to the theorem.** Let f be any classifier, randomised ones included, and eps >= 2 eta. The adversary may move
    x_i to x_i - 2 eta y for i >= 2 and leave x_1, so the robust accuracy is at most the accuracy A after that shift.
    Given y and the sign of x_1 (which is x_1), the weak features have the mean y eta before and -y eta after it,
    whatever d and eta are. So S and A depend on f through four numbers P(f = +1 | sign of x_1, mean of the weak
    features) in [0, 1], with the probabilities p and 1 - p of x_1 = y and x_1 = -y: they are the expressions above.
    """
    from z3 import And, Context, Not, Real, Solver

    context = Context()  # of its own: the search, and its time, must not depend on what z3 was asked before
    p, pp, pm, mp, mm = (Real(name, context) for name in ("p", "p_pp", "p_pm", "p_mp", "p_mm"))
    premise = And(2 * p >= 1, p < 1, *(And(x >= 0, x <= 1) for x in (pp, pm, mp, mm)))
    standard2 = p * (1 + pp - mm) + (1 - p) * (1 + mp - pm)  # 2 S
    shifted2 = p * (1 + pm - mp) + (1 - p) * (1 + mm - pp)  # 2 A
    a, b = 1 - pp + mm, 1 - mp + pm
    statements = {
        "identities": And(standard2 == 2 - (p * a + (1 - p) * b), shifted2 == (1 - p) * a + p * b),
        "bound": (1 - p) * shifted2 <= p * (2 - standard2),
        "gap": p * (2 - standard2) - (1 - p) * shifted2 == (2 * p - 1) * a,
        "exchanged": (1 - p) * standard2 <= p * (2 - shifted2),
        "at_p": Not(And(standard2 >= 2 * p, shifted2 > 2 * p)),
    }
    results = {}
    for name, statement in statements.items():
        solver = Solver(ctx=context)
        solver.set("timeout", 60_000)
        solver.add(premise, Not(statement))
        results[name] = str(solver.check())
    return results

"""The power of ``refute``: ten false and ten true inequalities that are not from the papers, each under several seeds.

    python tests/benchmarks/bench_refute.py [--n 1000] [--seeds 5]

Prints one row an inequality: in how many searches a counterexample was found, after how many cases at most, how long a
search took on average (shrinking included), and the smallest counterexample's margin. The last rows are the hit rate
on the false ones, which should be 1, and on the true ones, which must be 0.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from proofs_check import Counterexample, refute
from theory import Ball, Enclosure, bayes_rule, boundary_risk, robust_risk, sensible_risk, standard_risk
from theory.bounds import adversarial_surrogate, surrogate_risk
from theory.calibration import psi
from theory.odds.signgaussian import mean_classifier, robust_accuracy, sign_classifier, standard_accuracy
from theory.optimal import optimal_robust_risk
from theory.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from theory.strategies import Problem


def _robust(p: Problem, radius: Any = None) -> Any:
    ball = p.ball if radius is None else Ball(radius, p.ball.ord, leave_domain=p.ball.leave_domain)
    return robust_risk(p.classifier, p.law, ball)


def _bayes(p: Problem) -> Any:
    return bayes_rule(p.law, ties=+1)


# ---- ten that are false ----


def doubling_the_radius_doubles_the_risk_at_most(p: Problem) -> Any:
    """R_rob(2 eps) <= 2 R_rob(eps): what a larger ball reaches may be new."""
    return 2 * _robust(p) - _robust(p, 2 * p.ball.radius)


def boundary_risk_is_at_most_twice_the_standard_risk(p: Problem) -> Any:
    return 2 * standard_risk(p.classifier, p.law) - boundary_risk(p.classifier, p.law, p.ball)


def bayes_is_most_robust(p: Problem) -> Any:
    return _robust(p) - robust_risk(_bayes(p), p.law, p.ball)


def robustness_never_costs_more_than_half(p: Problem) -> Any:
    return Fraction(1, 2) + standard_risk(p.classifier, p.law) - _robust(p)


def sensible_is_the_mean_of_standard_and_robust(p: Problem) -> Any:
    """R_sens <= (R_std + R_rob)/2."""
    law, ball = p.law, p.ball
    return (standard_risk(p.classifier, law) + _robust(p)) / 2 - sensible_risk(p.classifier, law, ball, _bayes(p))


def boundary_risk_grows_with_the_radius_by_a_tenth_at_most(p: Problem) -> Any:
    """R_bdy(eps) <= 1/10 + R_bdy(eps/2)."""
    half = Ball(p.ball.radius / 2, p.ball.ord, leave_domain=p.ball.leave_domain)
    smaller = boundary_risk(p.classifier, p.law, half)
    return Fraction(1, 10) + smaller - boundary_risk(p.classifier, p.law, p.ball)


def least_robust_risk_is_below_a_third(p: Problem) -> Any:
    return Fraction(1, 3) - optimal_robust_risk(p.law, p.ball).value


def hinge_regulariser_is_below_the_surrogate(case: Any) -> Any:
    """E max phi(f f') <= R_phi + 1/2 for the hinge."""
    penalty = adversarial_surrogate(case.score, case.law, case.ball, "hinge", case.lam)
    return surrogate_risk(case.score, case.law, "hinge") + Fraction(1, 2) - penalty


def every_psi_lies_above_a_parabola(case: Any) -> Any:
    """psi(theta) >= 3/4 theta^2, which the logistic loss breaks: psi is about 0.72 theta^2 near 0."""
    return psi(case.loss, case.theta) - Fraction(3, 4) * case.theta**2


def averaging_beats_the_sign_when_attacked(case: Any) -> Any:
    """The mean of the weak features is at least as accurate as sign(x_1) under attack."""
    law = case.law
    return robust_accuracy(mean_classifier(), law, case.eps) - robust_accuracy(sign_classifier(), law, case.eps)


# ---- ten that are true ----


def robust_risk_grows_with_the_radius(p: Problem) -> Any:
    return _robust(p, p.ball.radius * 3 / 2) - _robust(p)


def sensible_is_at_most_robust(p: Problem) -> Any:
    return _robust(p) - sensible_risk(p.classifier, p.law, p.ball, _bayes(p))


def sensible_is_at_least_standard(p: Problem) -> Any:
    return sensible_risk(p.classifier, p.law, p.ball, _bayes(p)) - standard_risk(p.classifier, p.law)


def boundary_is_at_most_accuracy(p: Problem) -> Any:
    return 1 - standard_risk(p.classifier, p.law) - boundary_risk(p.classifier, p.law, p.ball)


def no_classifier_beats_the_optimum(p: Problem) -> Any:
    return _robust(p) - optimal_robust_risk(p.law, p.ball).value


def the_optimum_is_at_most_a_constant_rule(p: Problem) -> Any:
    return min(p.law.prior(-1), p.law.prior(+1)) - optimal_robust_risk(p.law, p.ball).value


def the_optimum_is_convex_enough(p: Problem) -> Any:
    """The least robust risk is at most a half."""
    return Fraction(1, 2) - optimal_robust_risk(p.law, p.ball).value


def hinge_bounds_the_error(case: Any) -> Any:
    """Pr[f(X) Y <= 0] <= E max(0, 1 - f(X) Y)."""
    return surrogate_risk(case.score, case.law, "hinge") - standard_risk(case.score.classifier(), case.law)


def psi_lies_below_its_chord(case: Any) -> Any:
    """psi(theta) <= theta psi(1)."""
    return case.theta * psi(case.loss, Fraction(1)) - psi(case.loss, case.theta)


def attacks_cost_accuracy(case: Any) -> Any:
    """Robust accuracy is at most standard accuracy; both are enclosures, so ties stay undecided."""
    f = mean_classifier()
    room = Enclosure.exact(Fraction(1, 10**9))
    return standard_accuracy(f, case.law) - robust_accuracy(f, case.law, case.eps) + room


FALSE: dict[Callable[[Any], Any], str] = {
    doubling_the_radius_doubles_the_risk_at_most: "boxes",
    boundary_risk_is_at_most_twice_the_standard_risk: "problems",
    bayes_is_most_robust: "finite",
    robustness_never_costs_more_than_half: "problems",
    sensible_is_the_mean_of_standard_and_robust: "finite",
    boundary_risk_grows_with_the_radius_by_a_tenth_at_most: "boxes",
    least_robust_risk_is_below_a_third: "finite",
    hinge_regulariser_is_below_the_surrogate: "scores",
    every_psi_lies_above_a_parabola: "losses",
    averaging_beats_the_sign_when_attacked: "gaussian",
}
TRUE: dict[Callable[[Any], Any], str] = {
    robust_risk_grows_with_the_radius: "problems",
    sensible_is_at_most_robust: "finite",
    sensible_is_at_least_standard: "finite",
    boundary_is_at_most_accuracy: "problems",
    no_classifier_beats_the_optimum: "finite",
    the_optimum_is_at_most_a_constant_rule: "finite",
    the_optimum_is_convex_enough: "finite",
    hinge_bounds_the_error: "scores",
    psi_lies_below_its_chord: "losses",
    attacks_cost_accuracy: "gaussian",
}


def measure(margin: Callable[[Any], Any], cases: str, n: int, seeds: int) -> dict[str, Any]:
    """Hits, the most cases until a hit, the mean time of a search, and the margin of the last hit."""
    start, hits, most, last, undecided = time.perf_counter(), 0, 0, None, 0
    for seed in range(seeds):
        found = refute(margin, cases, n, seed)
        if isinstance(found, Counterexample):
            hits, most, last = hits + 1, max(most, found.cases), found.margin
        else:
            undecided = max(undecided, found.undecided)
    spent = round((time.perf_counter() - start) / seeds * 1000)
    return {"inequality": margin.__name__, "cases": cases, "hits": Fraction(hits, seeds), "cases until": most or None,
            "undecided": undecided, "ms": spent, "margin": last}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=1000, help="cases a search may try")
    parser.add_argument("--seeds", type=int, default=5, help="searches an inequality")
    args = parser.parse_args()
    rows, rates = [], []
    for group in (FALSE, TRUE):
        found = [measure(margin, cases, args.n, args.seeds) for margin, cases in group.items()]
        rows += found
        rates.append(sum(row["hits"] for row in found) / len(found))
    print(Table(list(rows[0]), rows, title=f"refute, n = {args.n}, {args.seeds} seeds each"))
    print(f"\nhit rate on the false ones: {rates[0]}; on the true ones: {rates[1]}")
    return 0 if math.isclose(rates[0], 1) and rates[1] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())

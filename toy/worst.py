"""The worst a learner may do that sees only a restricted law: members of three classes of minimisers, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from theory import robust_risk, standard_risk
from theory.minimisers import MinimiserClass, natural_minimisers, robust_minimisers, sensible_minimisers

if TYPE_CHECKING:
    from fractions import Fraction

    from theory import Ball, BoxDistribution, RegionClassifier

NAMES = ("worst_natural", "worst_robust", "worst_sensible")


def worst_members(
    true: BoxDistribution, seen: BoxDistribution, rule: RegionClassifier, ball: Ball
) -> dict[str, RegionClassifier]:
    """Of all minimisers of the natural, robust or sensible risk under the law ``seen``, that of largest standard risk
    (then robust risk) under ``true``, where ``rule`` never errs (SENSE, appendix G).
    """
    return {
        "worst_natural": natural_minimisers(seen).worst(rule, true, ball),
        "worst_robust": robust_minimisers(seen, ball).worst(rule, true, ball),
        "worst_sensible": sensible_minimisers(seen, ball, rule).worst(rule, true, ball),
    }


def tie_notes(true: BoxDistribution, seen: BoxDistribution, rule: RegionClassifier, ball: Ball) -> list[str]:
    """One sentence where minimum cuts tie and the worst robust risk is not that of ``worst_robust``."""
    tied = _robust_members(true, seen, rule, ball)
    if len(tied) == 1:
        return []
    risks = [_risks(f, true, ball) for f in tied]
    worst, most = max(risks), max(robust for _, robust in risks)
    if most == worst[1]:
        return []
    note = (
        f"eps = {ball.radius}: minimum cuts tie; worst_robust (largest standard risk: {worst[0]}) has robust risk "
        f"{worst[1]} under the true law, another robust minimiser has {most}"
    )
    return [note]


def _robust_members(
    true: BoxDistribution, seen: BoxDistribution, rule: RegionClassifier, ball: Ball
) -> list[RegionClassifier]:
    """For each minimum cut the robust minimiser that is wrong wherever it is free."""
    alternatives = robust_minimisers(seen, ball).alternatives
    return [MinimiserClass((forced,)).worst(rule, true, ball) for forced in alternatives]


def _risks(f: RegionClassifier, law: BoxDistribution, ball: Ball) -> tuple[Fraction, Fraction]:
    return standard_risk(f, law).fraction, robust_risk(f, law, ball).fraction

"""The sign-and-Gaussians law: how long its frontier, its accuracies and its SVM take, with ratios in one run.

    python tests/benchmarks/bench_frontier.py

Every line says what was measured, the goal, and whether it was met; exit code 1 if one was missed.
"""

from __future__ import annotations

import sys
import time
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.odds.frontier import frontier
from theory.odds.frontier_lp import frontier_by_lp
from theory.odds.signgaussian import LinearClassifier, SignGaussian, robust_accuracy
from theory.odds.svm import train_svm

if TYPE_CHECKING:
    from collections.abc import Callable

LAW = SignGaussian("0.95", "0.03", 10_000)


def timed(work: Callable[[], Any], repeat: int = 3) -> tuple[float, Any]:
    """The shortest of ``repeat`` runs, in seconds, and the last answer."""
    best, answer = float("inf"), None
    for _ in range(repeat):
        start = time.perf_counter()
        answer = work()
        best = min(best, time.perf_counter() - start)
    return best, answer


def main() -> int:
    missed = 0

    def say(what: str, value: float, goal: float, unit: str = "s") -> None:
        nonlocal missed
        met = value <= goal
        missed += not met
        print(f"{'ok  ' if met else 'MISS'}  {what}: {value:.3g} {unit} (goal {goal:g})")

    frontier(LAW, "0.06", 2)
    for eps in ("0.01", "0.045", "0.06", "0.09"):
        seconds, curve = timed(lambda eps=eps: frontier(LAW, eps, 1000))
        width = max(max(q.standard_accuracy.width, q.robust_accuracy.width) for q in curve.points)
        say(f"frontier of {len(curve.points)} points at eps {eps}", seconds, 2)
        say("    widest enclosure", float(width), 1e-12, "")
    f = LinearClassifier(3, 1)
    small, _ = timed(lambda: robust_accuracy(f, SignGaussian("0.95", "0.03", 1), "0.01"), 20)
    large, _ = timed(lambda: robust_accuracy(f, SignGaussian("0.95", "0.03", 10**6), "0.01"), 20)
    say("robust accuracy, one shared weight: d = 10^6 against d = 1", large / small, 2, "x")
    weights = np.random.default_rng(0).standard_normal(10**6)
    wide = SignGaussian("0.95", "0.03", 10**6)
    seconds, _ = timed(lambda: robust_accuracy(LinearClassifier(3, weights), wide, "0.01"))
    say("robust accuracy, 10^6 different weights, summed exactly", seconds, 2)
    seconds, solution = timed(lambda: train_svm(SignGaussian("0.95", 4, 1)))
    say("population SVM of unit norm", seconds, 0.2)
    say("    width of its weights", float(max(solution.strong.width, solution.weak.width)), 1e-30, "")
    closed, _ = timed(lambda: frontier(LAW, "0.09", 20))
    solved, bounds = timed(lambda: frontier_by_lp(LAW, "0.09", Fraction(1, 100), 400), 1)
    print(f"      one point by linear programming, 400 cells: {solved:.2f} s, width {float(bounds.width):.1e}; "
          f"the closed form: {closed / 20:.1e} s, width below 1e-40")  # fmt: skip
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())

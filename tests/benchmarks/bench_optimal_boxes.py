"""The exact optimum on box laws against its goals: one value, one curve, and a curve in the plane.

    PYTHONPATH=. python tests/benchmarks/bench_optimal_boxes.py [--repeat 5] [--json FILE]

Times are the best of several runs; the ratio is to one exact robust risk of a threshold on the same half squares.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from fractions import Fraction

from theory import Ball, BoxDistribution, robust_risk
from theory.optimal.boxes import optimal_box_risk
from theory.optimal.curve import optimal_box_curve
from theory.record import Record
from toy import cheese, halves

HALF = Fraction(1, 2)


def checkerboard() -> BoxDistribution:
    left, right = (0, HALF), (HALF, 1)
    boxes = {-1: [([left, left], 1), ([right, right], 1)], +1: [([left, right], 1), ([right, left], 1)]}
    return BoxDistribution.of_densities(boxes, [(0, 1)] * 2)


def best(run: Callable[[], object], repeat: int) -> float:
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    squares, seen, board = halves.distribution(), cheese.distribution(restricted=True), checkerboard()
    odd = Ball("70711/1000000")
    unit = best(lambda: robust_risk(halves.threshold("2/5"), squares, odd), args.repeat)
    lines: list[tuple[str, Callable[[], object], float | None]] = [
        ("half squares, eps 70711/10^6, exact value", lambda: optimal_box_risk(squares, odd), 0.05),
        ("cheese, curve on (0, 1/2]", lambda: optimal_box_curve(seen, 0, HALF), 0.2),
        ("checkerboard, eps 1/20, exact value", lambda: optimal_box_risk(board, Ball("1/20")), None),
        ("checkerboard, curve on [1/16, 1/2]", lambda: optimal_box_curve(board, "1/16", HALF), None),
    ]
    rows, missed = [], 0
    for name, run, goal in lines:
        seconds = best(run, args.repeat)
        met = goal is None or seconds <= goal
        missed += not met
        said = "" if goal is None else f"  goal {goal} s {'met' if met else 'MISSED'}"
        print(f"{name:45s} {seconds:8.4f} s {seconds / unit:8.1f} x{said}")
        rows.append({"what": name, "seconds": seconds, "ratio": seconds / unit, "goal": goal})
    if args.json:
        Record.new("tightrope.benchmark/1", rows, command="bench_optimal_boxes").write(args.json)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())

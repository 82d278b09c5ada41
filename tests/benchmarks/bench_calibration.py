"""psi-transforms: what a million values cost, what the naive formulas lose, how fast enclosures narrow.

python tests/benchmarks/bench_calibration.py
"""

from __future__ import annotations

import math
import time
from fractions import Fraction
from typing import Any

import numpy as np

from theory.calibration import psi, psi_inverse
from theory.envelope import transform
from theory.loss import LOSSES, Loss

NAIVE = {
    "exponential": lambda t: 1 - np.sqrt(1 - t**2),
    "logistic": lambda t: ((1 - t) * np.log2(1 - t) + (1 + t) * np.log2(1 + t)) / 2,
}
USER = {
    "exponential": Loss("mine", lambda u: math.exp(-u), non_increasing=True, convex=True, limit=0),
    "sigmoid": Loss("mine", lambda u: 1 - math.tanh(u), non_increasing=True, limit=0),
}


def seconds(run: Any) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    theta = np.linspace(0, 1, 1_000_001)
    print("a million floats, seconds: psi, psi_inverse")
    for name in ("sigmoid", "exponential", "logistic", "squared_hinge"):
        costs = [seconds(lambda verb=verb, name=name: verb(name, theta)) for verb in (psi, psi_inverse)]
        print(f"  {name:14} {costs[0]:.3f} {costs[1]:.3f}")
    few = theta[::100]
    print(f"ten thousand floats through exact fractions: {seconds(lambda: psi('capped_hinge', few)):.3f} s")
    print("relative error at theta = 1e-3, 1e-5, 1e-7: naive formula, ours")
    for name, formula in NAIVE.items():
        for t in (1e-3, 1e-5, 1e-7):
            true = psi(name, Fraction(t)).lo
            errors = [float(abs(Fraction(float(value)) / true - 1)) for value in (formula(t), psi(name, t))]
            print(f"  {name:14} {t:.0e} {errors[0]:.1e} {errors[1]:.1e}")
    print("a user loss from its values: cells, seconds, widest enclosure of psi")
    grid = [Fraction(k, 16) for k in range(17)]
    for name, loss in USER.items():
        for cells in (16, 64, 256, 1024):
            cost = seconds(lambda loss=loss, cells=cells: transform(loss, cells=cells))
            width = max(transform(loss, cells=cells).psi(t).width for t in grid)
            print(f"  {name:14} {cells:5} {cost:6.2f} {float(width):.1e}")
    assert set(USER) < set(LOSSES)


if __name__ == "__main__":
    main()

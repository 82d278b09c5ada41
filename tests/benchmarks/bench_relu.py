"""The true risks of planar networks against their goals: exact ones in 5 s, an enclosure of width 1e-3 in 30 s.

    OMP_NUM_THREADS=1 PYTHONPATH=. python tests/benchmarks/bench_relu.py [--eps 1/10] [--quick] [--json FILE]

Networks of He-normal weights with kinks in the unit square, and networks that scikit-learn trained on samples of the
cheese. Times are seconds of processor time, so that other programs do not count.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from itertools import pairwise

import numpy as np

from theory import Ball
from theory.record import Record
from theory.relu import ReluNetwork, network_risks
from toy import cheese


def random_network(widths: tuple[int, ...], seed: int) -> ReluNetwork:
    rng = np.random.default_rng(seed)
    layers = []
    for k, (i, o) in enumerate(pairwise(widths)):
        weight, bias = rng.normal(size=(o, i)) * np.sqrt(2 / i), rng.normal(size=o) * 0.3
        if k == 0:
            weight = 4 * weight
            bias = 2 * bias - weight @ np.full(i, 0.5)
        layers.append((weight.astype(np.float32), bias.astype(np.float32)))
    scores = ReluNetwork(layers).score(rng.random((2000, 2)))
    weight, bias = layers[-1]
    return ReluNetwork([*layers[:-1], (weight, (bias - np.median(scores)).astype(np.float32))])


def trained_network(widths: tuple[int, ...], seed: int, n: int = 3000) -> ReluNetwork:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    x, y = cheese.distribution().sample(n, np.random.default_rng(seed))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = MLPClassifier(widths[1:-1], learning_rate_init=0.01, max_iter=150, random_state=seed).fit(x, y)
    return ReluNetwork([(w.T, b) for w, b in zip(model.coefs_, model.intercepts_, strict=True)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--eps", default="1/10")
    parser.add_argument("--quick", action="store_true", help="leave out the largest networks")
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    law, ball = cheese.distribution(), Ball(args.eps)
    small, large, deep = (2, 32, 32, 1), (2, 128, 128, 1), (2, 256, 256, 256, 1)
    lines: list[tuple[str, tuple[int, ...], bool, bool, float | None]] = [
        ("random, exact", small, False, True, 5),
        ("trained, exact", small, True, True, 5),
        ("random, quadtree", small, False, False, None),
        ("trained, quadtree", small, True, False, None),
        ("random, exact", large, False, True, None),
        ("random, quadtree", large, False, False, 30),
    ]
    if not args.quick:
        lines += [
            ("trained, exact", large, True, True, None),
            ("trained, quadtree", large, True, False, 30),
            ("random, quadtree", deep, False, False, None),
        ]
    rows, missed = [], 0
    for name, widths, trained, exact, goal in lines:
        network = (trained_network if trained else random_network)(widths, 1)
        start = time.process_time()
        found = network_risks(network, law, ball, exact=exact)
        seconds = time.process_time() - start
        met = goal is None or (seconds <= goal and found.width <= 1e-3)
        missed += not met
        said = "" if goal is None else f"  goal {goal} s {'met' if met else 'MISSED'}"
        shape = "-".join(map(str, widths))
        values = f"standard {found.standard:.5f} robust {found.robust:.5f} sensible {found.sensible:.5f}"
        print(f"{name:18s} {shape:16s} {seconds:7.2f} s  width {float(found.width):.1e}  {values}{said}")
        rows.append({"what": name, "widths": shape, "seconds": seconds, "width": float(found.width), "goal": goal})
    if args.json:
        Record.new("tightrope.benchmark/1", rows, command="bench_relu").write(args.json)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())

"""How long it takes to train networks on a known law, and to enclose what they do.

    OMP_NUM_THREADS=1 PYTHONPATH=. python tests/benchmarks/bench_bridge.py [--seeds 4] [--json FILE]

Times are seconds of processor time. The bound of a network (its surrogate risk exact, the adversary's price on a grid)
is to take no longer than its exact risks may: 5 s for 2-32-32-1.
"""

from __future__ import annotations

import argparse
import sys
import time
from fractions import Fraction
from typing import TYPE_CHECKING

import torch

from deep.bridge.bound import surrogate_risk
from deep.bridge.laws import box_setting
from deep.bridge.networks import relu_network
from deep.bridge.prices import adversarial_surrogate, prices
from deep.bridge.training import chosen, train
from deep.fit import Recipe
from theory.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable

GOAL = 5.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    torch.set_num_threads(1)
    setting, rows, missed = box_setting("cheese", Fraction(1, 10)), [], 0
    samples = [setting.sample(1000, seed) for seed in range(args.seeds)]
    recipe = Recipe(1, 128, 0.01, optimizer="adam")

    def timed(name: str, goal: float | None, work: Callable[[], object]) -> object:
        nonlocal missed
        start = time.process_time()
        found = work()
        seconds = time.process_time() - start
        met = goal is None or seconds <= goal
        missed += not met
        said = "" if goal is None else f"  goal {goal} s {'met' if met else 'MISSED'}"
        print(f"{name:48s} {seconds:7.2f} s{said}")
        rows.append({"what": name, "seconds": seconds, "goal": goal})
        return found

    networks = {}
    for method in ("natural", "pgd-at", "certified-trades"):
        objective = chosen(method, eps=0.1, steps=10, lam=1.0)
        done = timed(
            f"{method}: 400 steps of {args.seeds} networks at once", None,
            lambda objective=objective: train(lambda s: setting.build(s, 32, 2), objective, samples,
                                              range(args.seeds), recipe, [400]),
        )  # fmt: skip
        networks[method] = relu_network(next(iter(done.values()))[0])
    timed("natural: 400 steps of one network", None, lambda: train(lambda s: setting.build(s, 32, 2), chosen("natural"),
                                                                  samples[:1], [0], recipe, [400]))  # fmt: skip
    for method, network in networks.items():
        for loss in ("hinge", "logistic"):
            timed(
                f"{method}: surrogate risk, {loss}", GOAL,
                lambda f=network, phi=loss: surrogate_risk(f, setting.true, phi),
            )  # fmt: skip
        for depth in (8, 9, 10):
            cells = timed(
                f"{method}: prices, 2^{depth} cells a side", GOAL if depth == 9 else None,
                lambda f=network, k=depth: prices(f, setting.true, setting.ball, k),
            )  # fmt: skip
            price = adversarial_surrogate(cells, "hinge")
            print(f"{'':50s}E max phi = {price:.4f}")
    if args.json:
        Record.new("tightrope.benchmark/1", rows, command="bench_bridge").write(args.json)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())

"""Certificates against their goal: a certified training step costs at most 4 plain ones. One thread.

    python tests/benchmarks/bench_certify.py [--json] [--repeat 15]

A plain step is forward, loss, backward and SGD; a certified one adds the interval bounds to the loss (certified
TRADES). Both run in turns in one process, and the shortest of the rounds counts, in seconds of the processor, which do
not count the neighbours. Then what evaluation costs: sound bounds of the evaluated network a sample, by intervals and
by linear bounds, and the exact minimum of small networks. Exit code 1 if the goal is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from deep.attack.threat import Threat  # noqa: E402 - after the path to the checkout is set
from deep.certify import exact, ibp, ibp_margins, margin_bounds  # noqa: E402
from deep.models import build  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

GOAL = 4.0


def seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def shortest(*runs: Callable[[], object], repeat: int) -> list[float]:
    """The shortest of some rounds of each, in turns, after one to warm up."""
    for run in runs:
        run()
    rounds = [[seconds(run) for run in runs] for _ in range(repeat)]
    return [min(times) for times in zip(*rounds, strict=True)]


def step(model: nn.Module, optimizer: torch.optim.Optimizer, loss: Callable[[], Tensor]) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss().backward()
    optimizer.step()


def training(name: str, shape: tuple[int, ...], outputs: int, repeat: int) -> dict[str, Any]:
    """The ratio of a certified to a plain step, batch 128."""
    model = build(name, shape=shape, outputs=outputs)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    x, y = torch.rand(128, *shape), torch.randint(0, max(outputs, 2), (128,))

    def plain() -> Tensor:
        z = model(x)
        return F.cross_entropy(z, y) if outputs > 1 else F.softplus(-z[:, 0] * (2 * y - 1)).mean()

    def certified() -> Tensor:
        z = model(x)
        if outputs > 1:
            return F.cross_entropy(z, y) + F.cross_entropy(-ibp_margins(model, x, z.argmax(1), 0.1), z.argmax(1))
        lower, upper = ibp(model, x, 0.1)
        f = z[:, 0]
        least = torch.where(f > 0, lower[:, 0], -upper[:, 0])
        return (F.relu(1 - f * (2 * y - 1)) + F.relu(1 - least * f.abs() / 2)).mean()

    short, long = shortest(
        lambda: step(model, optimizer, plain), lambda: step(model, optimizer, certified), repeat=repeat
    )
    return {"what": f"{name} K={outputs} {'x'.join(map(str, shape))}: certified step / plain step", "ms": long * 1e3,
            "yardstick_ms": short * 1e3, "ratio": long / short, "goal": GOAL}  # fmt: skip


def evaluation(name: str, shape: tuple[int, ...], outputs: int, method: str, count: int) -> dict[str, Any]:
    """Sound margins of the evaluated network, a sample."""
    model = build(name, shape=shape, outputs=outputs)
    torch.nn.init.normal_(list(model.children())[-1].weight, std=0.1)
    x, y = torch.rand(count, *shape), torch.zeros(count).long()
    took = seconds(lambda: margin_bounds(model, x, y, Threat(0.01), method, evaluation="float"))
    what = f"{name} K={outputs} {'x'.join(map(str, shape))}: {method} margin, a sample"
    return {"what": what, "ms": took / count * 1e3}


def truth(width: int) -> dict[str, Any]:
    """The exact minimum for a network with two hidden layers."""
    model = build("mlp", shape=(4,), outputs=1, width=width, seed=1)
    x = torch.rand(4, 4)
    start = time.process_time()
    found = exact(model, x, torch.ones(4).long(), Threat(0.2))
    took = time.process_time() - start
    return {"what": f"exact minimum, 4 inputs, two layers of {width}, a sample", "ms": took / 4 * 1e3,
            "nodes": sum(one.nodes for one in found) / 4}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--repeat", type=int, default=15)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    small, mnist = (1, 8, 8), (1, 28, 28)
    lines = [training("net", shape, outputs, args.repeat) for shape, outputs in ((mnist, 1), (mnist, 10), (small, 1))]
    lines.append(training("small-cnn", mnist, 10, max(3, args.repeat // 5)))
    lines += [evaluation("net", mnist, 1, "ibp", 200), evaluation("net", mnist, 1, "crown-ibp", 200)]
    lines += [evaluation("net", mnist, 10, "crown-ibp", 100), evaluation("small-cnn", mnist, 10, "crown-ibp", 4)]
    lines += [truth(8), truth(12)]
    if args.json:
        print(json.dumps(lines, indent=1))
    else:
        for line in lines:
            tail = f"{line['ratio']:6.2f} x  goal {line['goal']} x" if "goal" in line else ""
            print(f"{line['what']:62} {line['ms']:10.2f} ms {tail}")
    return int(any(line["ratio"] > line["goal"] for line in lines if "goal" in line))


if __name__ == "__main__":
    raise SystemExit(main())

"""All networks of one experiment: trained, enclosed, and set beside what the theory knows of the law."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from deep.bridge.simulation import simulate
from deep.bridge.training import chosen, train
from deep.fit import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import nn

    from deep.bridge.laws import Row, Setting
    from deep.images import Images

RISKS = ("standard_risk", "boundary_risk", "robust_risk", "sensible_risk")
VARIED = ("n", "eps", "width", "steps")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to train: every combination of ``methods``, ``n``, ``eps`` and ``width``, in ``seeds`` runs each, looked at
    after ``steps`` steps; ``depth`` hidden layers, ``options`` of the methods, the losses and lambda of the bound, the
    depth of its ``grid``, and how many draws are to ``simulate`` each network (0: none).
    """

    methods: tuple[str, ...]
    n: tuple[int, ...]
    eps: tuple[Fraction, ...]
    width: tuple[int, ...]
    steps: tuple[int, ...]
    seeds: int
    depth: int
    batch: int
    lr: float
    options: dict[str, Any]
    losses: tuple[str, ...]
    lam: Fraction
    grid: int
    simulate: int
    device: str = "cpu"


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A trained network and the row, or rows, that say what it does."""

    model: nn.Module
    rows: list[Row]


def experiment(plan: Plan, setting_of: Callable[[Fraction], Setting]) -> Iterator[Network]:
    """The networks one after the other. Those that do not depend on eps are trained once."""
    trained: dict[Any, dict[int, list[nn.Module]]] = {}
    for eps in plan.eps:
        setting = setting_of(eps)
        for n in plan.n:
            samples = [setting.sample(n, seed).to(plan.device) for seed in range(plan.seeds)]
            for width in plan.width:
                for name in plan.methods:
                    objective = chosen(name, eps=setting.radius, **plan.options)
                    key = (repr(objective), n, width, samples[0].digest)
                    if key not in trained:
                        trained[key] = _trained(plan, setting, objective, samples, width)
                    for steps, models in trained[key].items():
                        for seed, model in enumerate(models):
                            head = {"method": name, "n": n, "seed": seed, "eps": eps, "width": width, "steps": steps}
                            yield Network(model, _rows(plan, setting, model, head))


def _trained(
    plan: Plan, setting: Setting, objective: Any, samples: Sequence[Images], width: int
) -> dict[int, list[nn.Module]]:
    def make(seed: int) -> nn.Module:
        return setting.build(seed, width, plan.depth).to(plan.device)

    recipe = Recipe(1, min(plan.batch, len(samples[0])), plan.lr, optimizer="adam")
    return train(make, objective, samples, range(plan.seeds), recipe, plan.steps)


def _rows(plan: Plan, setting: Setting, model: nn.Module, head: Row) -> list[Row]:
    found = setting.evaluate(model.cpu(), plan.losses, plan.lam, plan.grid)
    seen: Row = {}
    if plan.simulate:
        limits = simulate(model, setting, plan.simulate, 10**6 + int(head["seed"]))
        seen = dict(zip(("simulated_standard_risk", "simulated_robust_risk"), limits, strict=True))
    return [{**head, **row, **seen} for row in found]


def misses(rows: Sequence[Row]) -> list[str]:
    """What cannot be: enclosures that do not meet their simulation's limits, and robust risks below the optimum."""
    wrong = []
    for row in rows:
        name = " ".join(f"{key} {row[key]}" for key in ("method", "n", "seed", "eps") if key in row)
        for risk in ("standard_risk", "robust_risk"):
            limits = row.get(f"simulated_{risk}")
            if limits is not None and not limits.overlaps(row[risk]):
                wrong.append(f"{name}: the {risk} {row[risk]} misses its simulation {limits}")
        if row["robust_risk"].hi < row["optimum"].lo:
            wrong.append(f"{name}: the robust risk {row['robust_risk']} is below the optimum {row['optimum']}")
    return wrong

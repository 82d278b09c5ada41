"""What several attacks say together: the worst case, the smallest radius, transfer, and whether to believe them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from deep.attack.engine import AttackResult, AttackWarning, attack, parts_of
from deep.attack.square import Square
from deep.attack.steps import PGD
from deep.purity import inner, untouched
from deep.scores import cross_entropy, wrong
from deep.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor, nn

    from deep.attack.engine import How


def worst_case(results: Sequence[AttackResult]) -> AttackResult:
    """For each sample the first result that fools it, else the first result; queries add up.

    Raises ``ValueError`` for no results, or results on different numbers of samples.
    """
    if not results or len({len(result) for result in results}) > 1:
        raise ValueError(f"{len(results)} results have no worst case; give one or more, all on the same samples")
    merged = results[0]
    for result in results[1:]:
        take = result.success & ~merged.success
        shape = take.reshape(-1, *[1] * (merged.x.dim() - 1))
        merged = AttackResult(
            f"{merged.name}, {result.name}",
            torch.where(shape, result.x, merged.x),
            merged.success | result.success,
            torch.where(take, result.distance, merged.distance),
            torch.where(take[:, None], result.outputs, merged.outputs),
            merged.queries + result.queries,
            merged.dead & result.dead,
        )
    return merged


def smallest_eps(
    model: nn.Module, x: Tensor, y: Tensor, how: How, *, high: float, halvings: int = 10, **options: object
) -> Tensor:
    """For each sample a radius [B] at which ``how`` fools the network, by bisection of [0, ``high``]; infinity if none.

    An upper bound of the distance to the nearest error, exact to high / 2^halvings only as far as the attack is. The
    distance of the point found is taken where it is smaller. ``options`` are those of `attack`.
    """
    if not high > 0:
        raise ValueError(f"high {high} is out of range; allowed are radii above 0")
    floor, ceiling = x.new_zeros(len(x)), x.new_full((len(x),), high)
    first = attack(model, x, y, how, eps=high, **options)  # type: ignore[arg-type]
    found = torch.where(first.success, first.distance, torch.inf)
    for _ in range(halvings):
        middle = (floor + torch.minimum(ceiling, found)) / 2
        result = attack(model, x, y, how, eps=middle, **options)  # type: ignore[arg-type]
        found = torch.where(result.success, torch.minimum(found, result.distance), found)
        ceiling = torch.where(result.success, middle, ceiling)
        floor = torch.where(result.success, floor, middle)
    return found


@dataclass(frozen=True, slots=True)
class Transfer:
    """How many points made against ``source`` fool ``target``, of how many, and the target's mean cross-entropy."""

    source: str
    target: str
    fooled: int
    samples: int
    mean_loss: float


def transfer(
    models: Mapping[str, nn.Module], x: Tensor, y: Tensor, how: How, *, eps: float, **options: object
) -> list[Transfer]:
    """The transfer matrix: points made against each network, shown to each network, the diagonal included.

    Off the diagonal a point that does not fool its own source is shown too. Points that a target errs on anyway count,
    and samples that the source errs on are attacked like all others.
    """
    rows = []
    # a transferred point must not stop at the source's border: the strongest point of the ball is sent
    strongest = replace(how, stop=False, best=True) if isinstance(how, PGD) else how
    for source, model in models.items():
        made = attack(model, x, y, strongest, eps=eps, skip=False, **options)  # type: ignore[arg-type]
        for target, judge in models.items():
            with untouched(inner(judge)) as net, torch.no_grad():
                z = torch.cat([net(made.x[rows]) for rows in parts_of(len(x), 256, x.device)])
            loss = float(cross_entropy(z, y).double().mean())
            rows.append(Transfer(source, target, int(wrong(z, y).sum()), len(x), loss))
    return rows


@dataclass(frozen=True, slots=True)
class Check:
    """One question to an attack, whether the answer is as it should be, and the numbers."""

    question: str
    passed: bool
    answer: str


def health(
    model: nn.Module, x: Tensor, y: Tensor, *, eps: float, stream: Stream | None = None, low: float = 0.0,
    high: float = 1.0,
) -> list[Check]:  # fmt: skip
    """Signs that attacks on this network are weaker than they look (Athalye et al., 2018); each failure also warns.

    More steps must fool no fewer, a larger radius too, the whole box everything (but one class). Of the samples that
    gradients of the cross-entropy and of the margin do not fool, search without gradients may fool one in twenty
    (ascents do end in local maxima, without a mask), and one in twenty may meet gradients of exactly 0.
    """
    box: dict[str, Any] = {"stream": Stream(0) if stream is None else stream, "low": low, "high": high}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AttackWarning)
        weak = attack(model, x, y, PGD(steps=1, reach=1.0), eps=eps, **box)
        strong, wide = (
            worst_case([attack(model, x, y, PGD(steps=40, restarts=2, loss=loss), eps=radius, **box)
                        for loss in ("ce", "margin")])
            for radius in (eps, 2 * eps)
        )  # fmt: skip
        whole = attack(model, x, y, PGD(steps=100, loss="margin"), eps=high - low, **box)
        blind = attack(model, x, y, Square(steps=200), eps=eps, **box)
    left = int((~strong.success).sum())
    lost = int((blind.success & ~strong.success).sum())
    dead = int(strong.dead.sum())
    n = len(x)
    checks = [
        Check("more steps fool no fewer", weak.count <= strong.count, f"{weak.count}, then {strong.count} of {n}"),
        Check("a larger ball fools no fewer", strong.count <= wide.count, f"{strong.count}, then {wide.count} of {n}"),
        Check("the whole box fools all", whole.count == n, f"{whole.count} of {n}"),
        Check("search without gradients finds few more", lost * 20 <= left, f"{lost} of {left} not fooled"),
        Check("gradients are seldom exactly 0", dead * 20 <= left, f"{dead} of {left} not fooled"),
    ]
    for check in checks:
        if not check.passed:
            warnings.warn(f"attacks may be too weak: {check.question}? {check.answer}", AttackWarning, stacklevel=2)
    return checks

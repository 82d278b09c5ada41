"""``attack``: one verb for all attacks, which looks at a network without touching it.

What an attack finds is a lower bound of the robust risk, nothing more. A point that is misclassified as it is counts as
found, at distance 0, so the natural error is never above the attacked one.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch

from deep.attack.threat import Threat
from deep.purity import inner, untouched
from deep.scores import check_labels, predicted, wrong
from deep.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

DEAD_SHARE = 0.05
"""An attack shouts when more than this share of the samples it could not fool met a gradient that is exactly 0."""


class AttackWarning(UserWarning):
    """An attack was weaker than it looks."""


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What an attack is after: labels ``y`` to leave, or, when ``towards``, labels to reach; with the clean outputs."""

    y: Tensor
    z0: Tensor
    towards: bool = False

    def reached(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """[B, K] -> bool [B]: whether the attack is there, for the samples of ``y`` (all, if not given)."""
        y = self.y if y is None else y
        return predicted(z) == y if self.towards else wrong(z, y)

    def rows(self, keep: Tensor) -> Target:
        """The part of the target that belongs to some samples."""
        return Target(self.y[keep], self.z0[keep], self.towards)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What one attack found: points, the gradients or outputs each took, and who met a gradient that says nothing."""

    x: Tensor
    queries: Tensor
    dead: Tensor


class How(Protocol):
    """An attack: a frozen choice that finds points for a batch; ``threat.eps`` is infinite where any distance does."""

    @property
    def name(self) -> str: ...

    def find(
        self, net: nn.Module, x: Tensor, target: Target, threat: Threat, stream: Stream, index: Tensor
    ) -> Found: ...


@dataclass(frozen=True, slots=True, eq=False)
class AttackResult:
    """The points ``x`` [B, ...], whether each fools the network, how far it was moved, and what it took.

    ``outputs`` are the network's at ``x``; ``dead`` marks samples that were not fooled and met a gradient that is
    exactly 0, or NaN. ``name`` is the attack's.
    """

    name: str
    x: Tensor
    success: Tensor
    distance: Tensor
    outputs: Tensor
    queries: Tensor
    dead: Tensor

    def __len__(self) -> int:
        return len(self.x)

    @property
    def count(self) -> int:
        """How many samples are fooled: with the number of samples, a lower bound of the robust risk."""
        return int(self.success.sum())


def attack(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    how: How,
    *,
    eps: float | Tensor | None = None,
    ord: float = math.inf,
    targets: Tensor | None = None,
    low: float = 0.0,
    high: float = 1.0,
    stream: Stream | None = None,
    index: Tensor | None = None,
    batch: int = 256,
    skip: bool = True,
    progress: Callable[[int], object] | None = None,
) -> AttackResult:
    """Points near ``x`` [B, ...] in the box that the network misclassifies, or takes for ``targets``.

    ``eps`` is one radius or one a sample; None, for attacks that look for the nearest point, allows any distance. The
    random numbers of a sample are those of its number in ``index`` (0, 1, ... if not given), so the answer does not
    depend on ``batch``, up to the rounding of the network. The network is attacked as it is evaluated; its flags,
    buffers, gradients and ``requires_grad``, and the global random state, are left as they were, on exceptions too.

    Samples that the network errs on as they are stay where they are; without ``skip`` they are attacked too, for points
    that other networks are to be shown, or for the least margin.

    Raises ``ValueError`` for images outside of the box, labels out of range, a bad radius, a network that answers with
    NaN or infinity, and a stack of networks; warns with `AttackWarning` where gradients of exactly 0, or NaN,
    stopped the attack.
    """
    check_images(x, low, high)
    if not len(x):
        raise ValueError("there are no images to attack")
    for what, each in (("labels", y), ("targets", targets), ("sample numbers", index), ("radii", eps)):
        if torch.is_tensor(each) and each.dim() and len(each) != len(x):
            raise ValueError(f"there are {len(x)} images but {len(each)} {what}; allowed are equal counts")
    if getattr(inner(model), "fixed_blocks", False):
        raise ValueError("an attack drops samples it is done with, which a stack cannot; attack its split() one by one")
    threat = Threat(math.inf if eps is None else eps, ord, low, high)
    stream = Stream(0) if stream is None else stream
    index = torch.arange(len(x), device=x.device) if index is None else index.to(x.device)
    goal = y if targets is None else targets
    parts = []
    with untouched(inner(model)) as net:
        for rows in parts_of(len(x), batch, x.device):
            own = threat.rows(rows)
            found = _batch(net, x[rows], y[rows], goal[rows], how, own, stream, index[rows], targets is None, skip)
            parts.append(found)
            if progress is not None:
                progress(len(rows))
    merged = [torch.cat([getattr(part, name) for part in parts]) for name in AttackResult.__slots__[1:]]
    answer = AttackResult(how.name, *merged)
    left = int((~answer.success).sum())
    if left and int(answer.dead.sum()) > DEAD_SHARE * left:
        share = float(answer.dead.sum()) / left
        warnings.warn(
            f"{how.name} met gradients of exactly 0, or NaN, on {share:.0%} of the samples that it missed: "
            "its loss is flat there, or the network hides its gradients; loss='margin' has no flat part",
            AttackWarning,
            stacklevel=2,
        )
    return answer


def _batch(
    net: nn.Module, x: Tensor, y: Tensor, goal: Tensor, how: How, threat: Threat, stream: Stream, index: Tensor,
    untargeted: bool, skip: bool,
) -> AttackResult:  # fmt: skip
    x = x.detach().clone()
    with torch.no_grad():
        z0 = net(x)
    check_outputs(z0)
    check_labels(y, z0.shape[1])
    check_labels(goal, z0.shape[1])
    target = Target(goal, z0, not untargeted)
    done = target.reached(z0)
    moved, z = x.clone(), z0.clone()
    queries, dead = torch.zeros_like(y), torch.zeros_like(done)
    todo = (~done if skip else torch.ones_like(done)).nonzero()[:, 0]
    if len(todo):
        own = threat.rows(todo)
        found = how.find(net, x[todo], target.rows(todo), own, stream, index[todo])
        points = own.project(found.x.detach(), x[todo])
        lost = ~points.flatten(1).isfinite().all(1)  # a network's NaN there would count as an error
        points[lost] = x[todo][lost]
        moved[todo], queries[todo] = points, found.queries
        with torch.no_grad():
            z[todo] = net(points)
        back = done & ~target.reached(z)  # only without skip: away from an error is not where an attack goes
        moved[back], z[back] = x[back], z0[back]
        success = target.reached(z)
        dead[todo] = (found.dead | lost) & ~success[todo]
    else:
        success = done
    return AttackResult(how.name, moved, success, threat.distance(moved, x), z, queries, dead)


def parts_of(n: int, size: int, device: torch.device) -> list[Tensor]:
    """0, ..., n - 1 in consecutive parts of at most ``size``."""
    return [torch.arange(i, min(i + size, n), device=device) for i in range(0, n, size)]


def check_images(x: Tensor, low: float = 0.0, high: float = 1.0) -> None:
    """Raises ``ValueError`` for an image that is not in the box, NaN included."""
    if not x.is_floating_point():
        raise ValueError(f"images have the type {x.dtype}; allowed are floating-point numbers in [{low}, {high}]")
    outside = ~((x >= low) & (x <= high))
    if bool(outside.any()):
        raise ValueError(f"an image has the entry {float(x[outside][0])}; allowed are numbers in [{low}, {high}]")


def check_outputs(z: Tensor) -> None:
    """Raises ``ValueError`` for outputs that are NaN or infinite: the weights are broken, and no verdict means much."""
    if z.dim() != 2:
        raise ValueError(f"the network answers with the shape {tuple(z.shape)}; allowed is (samples, outputs)")
    if not bool(z.isfinite().all()):
        bad = float(z[~z.isfinite()][0])
        raise ValueError(f"the network answers {bad}; its weights or its inputs are not finite, or its scale overflows")

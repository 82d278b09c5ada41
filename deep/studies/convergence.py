"""Whether an attack took enough steps and restarts: losses and errors along its way (SENSE, Figures 10 and 11)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import torch

from deep.attack import Threat, ascend
from deep.attack.engine import parts_of
from deep.attack.losses import loss_of
from deep.purity import inner, untouched
from deep.scores import wrong
from deep.stream import Stream
from deep.studies.judge import check_shape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor, nn

    from deep.attack.losses import AttackLoss
    from deep.images import Images


@dataclass(frozen=True, slots=True)
class Convergence:
    """Rows are restarts, columns the numbers of ``steps``: the mean loss and the errors at the point then reached, and
    in ``worst`` the samples with an error at one of the points looked at so far, in this restart and all before it.
    """

    steps: tuple[int, ...]
    samples: int
    losses: tuple[tuple[float, ...], ...]
    errors: tuple[tuple[int, ...], ...]
    worst: tuple[tuple[int, ...], ...]

    @property
    def gained_by_steps(self) -> int:
        """How many errors the last leg of the way added, after all restarts: 0 says that the steps were enough."""
        return self.worst[-1][-1] - self.worst[-1][-2] if len(self.steps) > 1 else 0

    @property
    def gained_by_restarts(self) -> int:
        """How many errors the last restart added."""
        return self.worst[-1][-1] - self.worst[-2][-1] if len(self.worst) > 1 else 0


def convergence(
    model: nn.Module,
    images: Images,
    *,
    eps: float,
    steps: Sequence[int],
    step_size: float,
    restarts: int = 1,
    loss: str | AttackLoss = "ce",
    ord: float = math.inf,
    stream: Stream | None = None,
    show: Callable[[int], object] | None = None,
) -> Convergence:
    """Projected gradient ascent from random points, looked at after 0 steps and after each number of ``steps``.

    The way of a sample is one ascent of fixed step size, so the columns are points of the same way. Raises
    ``ValueError`` for numbers of steps that do not grow from 1, and for a count of restarts below 1.
    """
    marks = (0, *steps)
    if len(marks) < 2 or any(a >= b for a, b in pairwise(marks)) or restarts < 1:
        raise ValueError(f"steps {list(steps)}, {restarts} restarts show nothing; allowed are growing numbers from 1")
    check_shape(model, images)
    stream, price = Stream(0) if stream is None else stream, loss_of(loss)
    device = next(model.parameters()).device
    losses = torch.zeros(restarts, len(marks), dtype=torch.float64)
    errors = torch.zeros(restarts, len(marks), dtype=torch.int64)
    worst = torch.zeros_like(errors)
    with untouched(inner(model)) as net:
        for rows in parts_of(len(images), 256, device):
            x, y = images.batch(rows).to(device), images.y.to(device)[rows]
            threat = Threat(eps, ord, images.low, images.high)
            with torch.no_grad():
                z0 = net(x)
            # [restarts, marks, B]: who errs at which point of which restart
            seen = torch.zeros(restarts, len(marks), len(x), dtype=torch.bool)
            for restart in range(restarts):
                moved: Tensor = threat.start(x, stream.child("restart", restart), rows)
                for k, mark in enumerate(marks):
                    if k:
                        moved = ascend(net, x, y, price, threat, steps=mark - marks[k - 1], step_size=step_size,
                                       z0=z0, start=moved).x  # fmt: skip
                    with torch.no_grad():
                        z = net(moved)
                    losses[restart, k] += float(price.value(z, y, z0).double().sum())
                    seen[restart, k] = wrong(z, y).cpu()
            errors += seen.sum(2)
            so_far = seen.long().cumsum(1).cumsum(0) > 0
            worst += so_far.sum(2)
            if show is not None:
                show(len(rows))
    return Convergence(marks, len(images), _rows(losses / len(images)), _rows(errors), _rows(worst))


def _rows(table: Tensor) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(row) for row in table.tolist())

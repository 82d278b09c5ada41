"""The distribution of margins over a sample, natural and attacked (SENSE, Figures 6 and 8)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import torch

from deep.attack import PGD, attack
from deep.attack.engine import parts_of
from deep.purity import inner, untouched
from deep.scores import margin
from deep.studies.judge import check_shape

if TYPE_CHECKING:
    from torch import Tensor, nn

    from deep.images import Images
    from deep.stream import Stream


@dataclass(frozen=True, slots=True, eq=False)
class Margins:
    """Margins float64 [N] in the order of the samples; an error is a margin of at most 0.

    >>> found = Margins(torch.tensor([2.0, -1.0, 0.0, 3.0]))
    >>> found.errors, found.at_most(2.0), found.quantile("1/2"), found.quantile(1)
    (2, 3, 0.0, 3.0)
    """

    values: Tensor

    @property
    def n(self) -> int:
        return len(self.values)

    @property
    def errors(self) -> int:
        return self.at_most(0.0)

    def at_most(self, value: float) -> int:
        """How many margins are at most this."""
        return int((self.values <= value).sum())

    def quantile(self, share: str | float | Fraction) -> float:
        """The least margin below or at which at least this share of the sample lies."""
        share = Fraction(share)
        if not 0 < share <= 1:
            raise ValueError(f"share {share} is out of range; allowed are numbers in (0, 1]")
        return float(self.values.sort().values[math.ceil(share * self.n) - 1])

    def steps(self) -> tuple[list[float], list[Fraction]]:
        """The distribution function: where it jumps, and its values there."""
        values, counts = torch.unique(self.values, return_counts=True)
        return values.tolist(), [Fraction(k, self.n) for k in counts.cumsum(0).tolist()]


def margins(
    model: nn.Module, images: Images, *, eps: float = 0.0, ord: float = math.inf, steps: int = 40, restarts: int = 1,
    stream: Stream | None = None,
) -> Margins:  # fmt: skip
    """The margins at the samples, or, with ``eps``, the least that ascending minus the margin finds in their balls: an
    upper bound of the least margin, never above the natural one.
    """
    check_shape(model, images)
    device = next(model.parameters()).device
    x, y = images.batch(slice(None)).to(device), images.y.to(device)
    with untouched(inner(model)) as net, torch.no_grad():
        found = torch.cat([margin(net(x[rows]), y[rows]) for rows in parts_of(len(x), 256, device)]).double()
    if eps > 0:
        how = PGD(steps, loss="margin", restarts=restarts, stop=False)
        there = attack(model, x, y, how, eps=eps, ord=ord, low=images.low, high=images.high, stream=stream, skip=False)
        found = torch.minimum(found, margin(there.outputs, y).double())
    return Margins(found.cpu())

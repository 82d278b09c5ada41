"""The radii that IAAT remembers, epoch by epoch: means, histograms, extremes (IAAT, Figures 2, 7 and 8)."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Radii:
    """A memory of radii [E, N]: after each of E epochs, of the same N samples. Make one with `Radii.of`."""

    values: Tensor

    @staticmethod
    def of(epochs: Iterable[Tensor]) -> Radii:
        """From the method's tensor [N] after every epoch, such as ``state.tensors()["radius"]`` at each, or
        ``Checkpoint.read(path).part("state")["radius"]``.

        Raises ``ValueError`` for no epoch, other shapes than the first's, and numbers that are not finite.

        >>> found = Radii.of([torch.tensor([8.0, 8.0, 8.0]), torch.tensor([8.2, 7.8, 8.2])])
        >>> [round(m, 6) for m in found.means], found.histogram(1, [7, 8, 9]), found.least(Fraction(1, 3))
        ([8.0, 8.066667], [0, 1, 2, 0], [1])
        """
        rows = [row.detach().double().cpu().clone() for row in epochs]
        if not rows or any(row.shape != rows[0].shape or row.dim() != 1 or not len(row) for row in rows):
            shapes = sorted({tuple(row.shape) for row in rows})
            raise ValueError(f"radii of shapes {shapes} are no history; allowed is one [N] for each epoch")
        values = torch.stack(rows)
        if not bool(values.isfinite().all()):
            raise ValueError(f"a radius is {float(values[~values.isfinite()][0])}; allowed are finite numbers")
        return Radii(values)

    @property
    def means(self) -> list[float]:
        """The mean radius after each epoch."""
        return [float(mean) for mean in self.values.mean(1)]

    @property
    def spreads(self) -> list[float]:
        """The standard deviation over the samples after each epoch."""
        return [float(spread) for spread in self.values.std(1, correction=0)]

    def histogram(self, epoch: int, edges: Sequence[float]) -> list[int]:
        """How many radii are below the first edge, in each [edge, next edge), and from the last edge up."""
        if any(a >= b for a, b in pairwise(edges)):
            raise ValueError(f"edges {list(edges)} do not grow")
        counts = [0] * (len(edges) + 1)
        for value in self.values[epoch].tolist():
            counts[bisect_right(edges, value)] += 1
        return counts

    def least(self, share: Fraction = Fraction(1, 100), epoch: int = -1) -> list[int]:
        """The numbers of this share of the samples (at least one), those of smallest radius, smallest first."""
        return self._ordered(epoch)[: max(1, int(share * self.values.shape[1]))]

    def greatest(self, share: Fraction = Fraction(1, 100), epoch: int = -1) -> list[int]:
        """The same from the other end, largest first."""
        return self._ordered(epoch)[::-1][: max(1, int(share * self.values.shape[1]))]

    def _ordered(self, epoch: int) -> list[int]:
        order: list[int] = torch.argsort(self.values[epoch], stable=True).tolist()
        return order

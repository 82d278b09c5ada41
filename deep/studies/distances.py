"""How far the errors are: PGN's rho, what it leaves out, and robustness curves at equal accuracy.

PGN's eq (6) is the mean distance of the adversarial examples that succeed,

    rho = 1/|D| sum over D of |x' - x|_2,    D the samples that are right and were fooled,

printed as "the area under the curve" of accuracy against distance. That area is the mean over *all* samples with wrong
ones at distance 0, that is, benign accuracy times rho if every right sample is fooled; a right sample that never is
adds the whole width of the curve to the area and nothing to rho (PGN, eq (6), as proofs_check repairs it). Hence
`Distances` holds every sample's distance, with who was not fooled, and both readings follow from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import torch

from deep.attack import CW, attack
from deep.studies.judge import check_shape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor, nn

    from deep.attack.engine import How
    from deep.images import Images


@dataclass(frozen=True, slots=True, eq=False)
class Distances:
    """The distance float64 [N] of the nearest misclassified point found: 0 if the sample itself is, inf if none was.

    >>> found = Distances(torch.tensor([0.0, 1.0, 3.0, torch.inf]), 2.0, "C&W-l2")
    >>> found.accuracy(Fraction(2)), found.benign, found.rho, found.failures
    (Fraction(1, 2), Fraction(3, 4), 2.0, (3,))
    >>> found.area(4.0) * 4 == 0 + 1 + 3 + 4
    True
    """

    values: Tensor
    ord: float
    by: str

    def __post_init__(self) -> None:
        if self.values.dim() != 1 or not len(self.values) or not bool((self.values >= 0).all()):
            raise ValueError("distances must be numbers from 0, one a sample, and there must be a sample")

    @property
    def n(self) -> int:
        return len(self.values)

    @property
    def right(self) -> int:
        """How many samples are classified right."""
        return int((self.values > 0).sum())

    @property
    def benign(self) -> Fraction:
        return Fraction(self.right, self.n)

    @property
    def failures(self) -> tuple[int, ...]:
        """The numbers of the samples that are right and that the attack did not fool at any distance."""
        return tuple(self.values.isinf().nonzero()[:, 0].tolist())

    @property
    def rho(self) -> float | None:
        """Eq (6): the mean over the right samples that were fooled; None if there are none."""
        fooled = self.values[(self.values > 0) & self.values.isfinite()]
        return float(fooled.double().mean()) if len(fooled) else None

    def accuracy(self, eps: Fraction | float) -> Fraction:
        """The share of samples without an error found up to the distance ``eps``: at least the robust accuracy."""
        return Fraction(int((self.values > float(eps)).sum()), self.n)

    def area(self, end: float) -> float:
        """Under `accuracy` from 0 to ``end``: the mean of min(distance, end), wrong samples counting 0."""
        if not 0 <= end < math.inf:
            raise ValueError(f"end {end} is out of range; allowed are finite numbers from 0")
        return float(self.values.double().clamp(max=end).mean())


def nearest(
    model: nn.Module, images: Images, how: How | None = None, *, ord: float = 2,
    show: Callable[[int], object] | None = None,
) -> Distances:  # fmt: skip
    """How far ``how`` (by default Carlini and Wagner's l2 attack) has to move each image to fool the network.

    Each distance is an upper bound of that to the nearest error, as good as the attack.
    """
    check_shape(model, images)
    how = CW() if how is None else how
    device = next(model.parameters()).device
    x, y = images.batch(slice(None)).to(device), images.y.to(device)
    found = attack(model, x, y, how, ord=ord, low=images.low, high=images.high, progress=show)
    away = (found.x.double() - x.double()).flatten(1)
    distance = torch.linalg.vector_norm(away, ord, dim=1).cpu()
    return Distances(torch.where(found.success.cpu(), distance, torch.inf), ord, how.name)


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A network on a robustness curve (PGN, Figure 5): its benign accuracy and rho, and how many samples rho omits."""

    label: str
    accuracy: Fraction
    rho: float
    failures: int = 0

    @staticmethod
    def of(label: str, found: Distances) -> CurvePoint:
        """Raises ``ValueError`` where rho is of nothing."""
        if found.rho is None:
            raise ValueError(f"{found.by} fooled none of the {found.right} right samples of {label}: there is no rho")
        return CurvePoint(label, found.benign, found.rho, len(found.failures))

    @property
    def area(self) -> float:
        """Accuracy times rho: the area under accuracy against distance, if there are no failures."""
        return float(self.accuracy) * self.rho


def at_equal_accuracy(points: Sequence[CurvePoint], accuracy: Fraction) -> float | None:
    """rho at this benign accuracy, on the line between the curve's two nearest points; None beyond its ends.

    rho may grow as accuracy falls, so only at equal accuracy can two curves be compared (PGN, Section 4.2). Of several
    points of one accuracy the largest rho counts: the outer curve.

    >>> curve = [CurvePoint("a", Fraction(9, 10), 0.4), CurvePoint("b", Fraction(8, 10), 0.6)]
    >>> round(at_equal_accuracy(curve, Fraction(17, 20)), 6), at_equal_accuracy(curve, Fraction(95, 100))
    (0.5, None)
    """
    best: dict[Fraction, float] = {}
    for point in points:
        best[point.accuracy] = max(point.rho, best.get(point.accuracy, 0.0))
    if accuracy in best:
        return best[accuracy]
    below = max((a for a in best if a < accuracy), default=None)
    above = min((a for a in best if a > accuracy), default=None)
    if below is None or above is None:
        return None
    share = float((accuracy - below) / (above - below))
    return (1 - share) * best[below] + share * best[above]

"""What the input gradients look like, and the way to an adversarial example (ODDS, Figures 2 to 4, as numbers).

ODDS shows pictures: gradients of robust networks look like the image, those of l-infinity training are sparse. Here
that is a correlation and two measures of sparsity for each sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from deep.attack.engine import parts_of
from deep.attack.losses import loss_of
from deep.purity import inner, untouched
from deep.scores import margin, predicted

if TYPE_CHECKING:
    from torch import Tensor, nn

    from deep.attack.losses import AttackLoss


def input_gradients(model: nn.Module, x: Tensor, y: Tensor, loss: str | AttackLoss = "ce") -> Tensor:
    """d loss(f(x), y) / dx, one a sample, in the shape of ``x``; the network is left untouched."""
    price, found = loss_of(loss), []
    with untouched(inner(model)) as net:
        for rows in parts_of(len(x), 256, x.device):
            points = x[rows].detach().clone().requires_grad_(True)
            z = net(points)
            seed = price.seed(z.detach(), y[rows], z.detach())
            found.append(torch.autograd.grad(z, points, seed)[0])
    return torch.cat(found)


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """For each sample with a gradient, float64: its ``correlation`` with the image, and how sparse it is.

    ``hoyer`` is (sqrt d - |g|_1 / |g|_2) / (sqrt d - 1): 0 if all entries have one size, 1 if only one is not 0
    (Hoyer, 2004); ``small`` is the share of entries of at most a hundredth of the largest. ``dead`` counts the samples
    whose gradient is exactly 0, ``flat`` those whose gradient or image is constant: they have no correlation (NaN).
    """

    correlation: Tensor
    hoyer: Tensor
    small: Tensor
    dead: int
    flat: int

    @property
    def mean(self) -> float | None:
        """The mean size of the correlation, whatever its sign; None if no sample has one."""
        known = self.correlation[~self.correlation.isnan()]
        return float(known.abs().mean()) if len(known) else None


def alignment(gradients: Tensor, x: Tensor) -> Alignment:
    """Pearson's correlation over the entries of each gradient [B, ...] and its image, and the gradient's sparsity.

    >>> x = torch.tensor([[0.0, 0.5, 1.0], [0.0, 0.5, 1.0], [0.2, 0.2, 0.2]])
    >>> found = alignment(torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]), x)
    >>> round(found.correlation[0].item(), 6), found.dead, found.flat, found.hoyer[1].item()
    (1.0, 1, 1, 1.0)

    Raises ``ValueError`` for shapes that differ, or samples of one entry.
    """
    if gradients.shape != x.shape or x[:1].numel() < 2:
        raise ValueError(f"gradients {tuple(gradients.shape)}, images {tuple(x.shape)} do not fit, or have one entry")
    g, image = gradients.detach().double().flatten(1).cpu(), x.detach().double().flatten(1).cpu()
    alive = g.any(1)
    g, image = g[alive], image[alive]
    # constancy is asked of the entries: the mean of equal numbers may differ from them by a rounding
    flat = (g == g[:, :1]).all(1) | (image == image[:, :1]).all(1)
    g0, image0 = g - g.mean(1, keepdim=True), image - image.mean(1, keepdim=True)
    correlation = (g0 * image0).sum(1) / (g0.norm(dim=1) * image0.norm(dim=1))
    correlation = torch.where(flat, torch.nan, correlation)
    root = g.shape[1] ** 0.5
    g = g / g.abs().amax(1, keepdim=True)
    hoyer = ((root - g.abs().sum(1) / g.norm(dim=1)) / (root - 1)).clamp(0, 1)
    small = (g.abs() <= 0.01).double().mean(1)
    return Alignment(correlation, hoyer, small, int((~alive).sum()), int(flat.sum()))


@dataclass(frozen=True, slots=True, eq=False)
class Interpolation:
    """Along the segments from samples to other points, at the ``shares`` [T] of the way: the points [T, B, ...], the
    network's labels int64 [T, B] and the margins [T, B] on the true label.
    """

    shares: Tensor
    points: Tensor
    labels: Tensor
    margins: Tensor

    @property
    def changes(self) -> Tensor:
        """int64 [B]: how often the label changes on the way; 1 is a single passage from class to class."""
        return (self.labels[1:] != self.labels[:-1]).sum(0)

    @property
    def first(self) -> Tensor:
        """float [B]: the first of the shares at which the margin is not positive; infinity if there is none."""
        bad = ~(self.margins > 0)
        return torch.where(bad, self.shares[:, None], torch.inf).amin(0)


def interpolate(model: nn.Module, x: Tensor, to: Tensor, y: Tensor, count: int = 11) -> Interpolation:
    """``count`` evenly spaced points from ``x`` to ``to``, both included, such as large-eps adversarial examples
    (ODDS, Figure 4). Raises ``ValueError`` for shapes that differ or fewer than two points.
    """
    if x.shape != to.shape or count < 2:
        raise ValueError(f"ends {tuple(x.shape)} and {tuple(to.shape)} with {count} points span nothing")
    shares = torch.linspace(0, 1, count, device=x.device, dtype=x.dtype)
    points = torch.stack([torch.lerp(x, to, share) for share in shares])
    labels, found = [], []
    with untouched(inner(model)) as net, torch.no_grad():
        for row in points:
            z = torch.cat([net(row[rows]) for rows in parts_of(len(row), 256, x.device)])
            labels.append(predicted(z))
            found.append(margin(z, y))
    return Interpolation(shares, points, torch.stack(labels), torch.stack(found))

"""What a simulation sees of a network that knows nothing of its exact risks: draws, attacks and certificates.

The network runs in float32 on draws of the law: an error that an attack finds in the ball counts towards the robust
risk from below, a ball that no certificate clears from above. Confidence limits are Clopper and Pearson's.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import torch

from deep.attack import PGD, AttackWarning, attack
from deep.attack.threat import Threat
from deep.certify import margin_bounds
from deep.purity import untouched
from deep.scores import wrong
from deep.stream import Stream
from theory.confidence import clopper_pearson
from theory.enclosure import Enclosure

if TYPE_CHECKING:
    from torch import Tensor, nn

    from deep.bridge.laws import Setting
    from theory.numbers import Exact

GRID = 9


def simulate(
    model: nn.Module, setting: Setting, n: int, seed: int, alpha: Exact = "1/1000000"
) -> tuple[Enclosure, Enclosure]:
    """Confidence limits of the true standard and robust risk from ``n`` draws of the true law.

    Each fails with probability at most ``alpha``. The attack tries a grid of the ball and projected gradients.
    """
    images = setting.draw(n, seed)
    x, y = images.batch(slice(None)), images.y
    eps = setting.radius
    with untouched(model) as net, torch.no_grad():
        errs = wrong(net(x), y)
        found = errs.clone()
        for step in _steps(x.shape[1], eps):
            found |= wrong(net((x + step).clamp(0, 1)), y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AttackWarning)  # a dead gradient is no loss: the grid was tried too
        found |= attack(model, x, y, PGD(steps=20, loss="margin"), eps=eps, stream=Stream(seed)).success
    try:
        held = margin_bounds(model, x, y, Threat(eps), "crown-ibp") > 0
    except TypeError:  # a layer without a rule: nothing is certified
        held = torch.zeros(len(x), dtype=torch.bool)
    standard = clopper_pearson(int(errs.sum()), n, alpha)
    low, high = clopper_pearson(int(found.sum()), n, alpha), clopper_pearson(int((~held).sum()), n, alpha)
    how = ("attack", "certificate", *low.how)
    return standard, Enclosure(low.lo, high.hi, how, low.alpha)


def _steps(dim: int, eps: float) -> Tensor:
    """A grid of the ball on the line or in the plane, drawn in by a hair so that float32 does not leave it."""
    if dim > 2:
        return torch.zeros(0, dim)
    axis = torch.linspace(-eps, eps, GRID) * (1 - 2.0**-20)
    return torch.cartesian_prod(*[axis] * dim).reshape(-1, dim)

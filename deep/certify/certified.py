"""How many samples a certificate leaves, and the robust risk between what was attacked and what was certified."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import torch

from deep.certify.bounds import checked, margin_bounds
from deep.certify.evaluated import inner_products
from deep.purity import untouched
from deep.scores import wrong
from theory.enclosure import Contradiction, Enclosure

if TYPE_CHECKING:
    from torch import Tensor, nn

    from deep.certify.bounds import Method
    from deep.certify.region import Threat


@dataclass(frozen=True, slots=True, eq=False)
class Certified:
    """What a certificate says of a sample: per image, whether the network errs on it and the least margin proved."""

    wrong: Tensor  # bool [N]
    margin: Tensor  # float64 [N], a lower bound of the margin over ball and box
    method: str

    @property
    def flags(self) -> Tensor:
        """bool [N]: right, and right on the whole ball."""
        return ~self.wrong & (self.margin > 0)

    @property
    def error(self) -> int:
        """How many samples are wrong or not certified."""
        return len(self.wrong) - int(self.flags.sum())

    @property
    def vacuous(self) -> bool:
        """Whether nothing is certified although something is right: the bound then says nothing of the network."""
        return not bool(self.flags.any()) and not bool(self.wrong.all())

    def robust_risk(self, attacked: Tensor | None = None) -> Enclosure:
        """The robust risk of the sample: at least what an attack fooled (or the natural errors), at most `error` / N.

        ``attacked`` are an attack's success flags, bool [N]. Raises ``Contradiction`` if one is certified.

        >>> found = Certified(torch.tensor([False, False, True]), torch.tensor([1.0, -0.5, -2.0]), "ibp")
        >>> found.robust_risk(torch.tensor([False, True, False]))
        Enclosure[2/3; attack; ibp certificate]
        >>> print(found)
        2 of 3 wrong or not certified (ibp), 1 of 3 wrong
        """
        fooled = self.wrong
        if attacked is not None:
            if attacked.shape != self.wrong.shape:
                raise ValueError(f"{tuple(attacked.shape)} success flags do not fit {len(self.wrong)} samples")
            fooled = self.wrong | attacked.to(self.wrong)
        both = (fooled & self.flags).nonzero()
        if len(both):
            raise Contradiction(f"sample {int(both[0])} is certified and was fooled: one of the two is wrong")
        n = len(self.wrong)
        lower = "natural errors" if attacked is None else "attack"
        return Enclosure(Fraction(int(fooled.sum()), n), Fraction(self.error, n), (lower, f"{self.method} certificate"))

    def __str__(self) -> str:
        n, wrong_count = len(self.wrong), int(self.wrong.sum())
        text = f"{self.error} of {n} wrong or not certified ({self.method}), {wrong_count} of {n} wrong"
        return text + (": vacuous" if self.vacuous else "")


def certified_error(
    model: nn.Module, x: Tensor, y: Tensor, threat: Threat, method: Method = "crown-ibp", *, batch: int = 500
) -> Certified:
    """Which samples x [N, ...], y [N] the network gets right, and provably so on the whole of ball and box.

    The network is the one evaluated, in evaluation mode and x's number type, by `inner_products`: its own rounding
    errors are enclosed too, so no attack run in that arithmetic can contradict a certificate.

    Raises what `deep.certify.bounds.margin_bounds` raises.
    """
    found, errs = [], []
    with untouched(model), torch.no_grad(), inner_products():
        for start in range(0, len(x), batch):
            part = slice(start, start + batch)
            z = model(x[part])
            checked(y[part], x[part], z.shape[1])
            errs.append(wrong(z, y[part]))
            ball = _part(threat, start, start + batch)
            found.append(margin_bounds(model, x[part], y[part], ball, method, evaluation="float"))
    if not found:
        raise ValueError("x holds no samples; a certificate needs at least one")
    return Certified(torch.cat(errs), torch.cat(found), method)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A threat to some of the samples."""

    eps: float | Tensor
    ord: float
    low: float
    high: float


def _part(threat: Threat, start: int, stop: int) -> Threat:
    eps = threat.eps
    if isinstance(eps, torch.Tensor) and eps.dim():
        eps = eps[start:stop]
    return _Part(eps, threat.ord, threat.low, threat.high)

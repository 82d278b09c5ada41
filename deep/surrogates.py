"""The margin losses of `theory.loss` on tensors, differentiable."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F

from theory.loss import as_loss
from theory.polyline import PiecewiseLinear

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from theory.loss import Loss


def phi(loss: str | Loss) -> Callable[[Tensor], Tensor]:
    """phi of a loss of theory (or its name), as a function of tensors of any shape, element by element.

    Piecewise linear losses are evaluated from their knots and slopes, the others from their symbolic face, logistic and
    sigmoid in a form that neither overflows nor loses digits. At a kink the derivative is the one to the right. Raises
    ``ValueError`` for an unknown name, ``TypeError`` for a loss without a symbolic face.

    >>> u = torch.tensor([-1.0, 0.25, 2.0])
    >>> phi("hinge")(u).tolist(), round(phi("logistic")(u[:1]).item(), 5)
    ([2.0, 0.75, 0.0], 1.89464)
    """
    known = as_loss(loss)
    if isinstance(known.formula, PiecewiseLinear):
        return _Polyline(known.formula)
    if known.name in _STABLE:
        return _STABLE[known.name]
    import sympy

    symbolic = known.symbolic
    (u,) = symbolic.free_symbols
    made: Callable[[Tensor], Tensor] = sympy.lambdify(u, symbolic, [_FUNCTIONS])
    return made


class _Polyline:
    """A piecewise linear phi: value and slope are looked up by interval, so that no rounding adds up."""

    def __init__(self, formula: PiecewiseLinear) -> None:
        knots, slopes = formula.knots, formula.slopes
        self.at = [float(knot.x) for knot in knots]
        self.steps = [float(knot.value) for knot in knots if not knot.left == knot.value == knot.right]
        # on interval k: a + b (u - c), with c the knot to its left, or the first knot
        self.base = [float(knots[0].left), *(float(knot.right) for knot in knots)]
        self.anchor = [float(knots[0].x), *self.at]
        self.slope = [float(slope) for slope in slopes]
        self.values = [float(knot.value) for knot in knots]

    def __call__(self, u: Tensor) -> Tensor:
        at, base, anchor, slope = (u.new_tensor(row) for row in (self.at, self.base, self.anchor, self.slope))
        k = torch.searchsorted(at, u.detach().contiguous(), right=True)
        value = base[k] + slope[k] * (u - anchor[k])
        if self.steps:  # at a jump the value is the middle one
            for x, middle in zip(self.at, self.values, strict=True):
                value = torch.where(u == x, middle, value)
        return value


_STABLE: dict[str, Callable[[Tensor], Tensor]] = {
    "logistic": lambda u: F.softplus(-u) / math.log(2),
    "sigmoid": lambda u: 2 * torch.sigmoid(-2 * u),
    "savage": lambda u: torch.sigmoid(-u) ** 2,
    "rescaled_savage": lambda u: 4 * torch.sigmoid(-u) ** 2,
}


def _extreme(pick: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Any]:
    """sympy's Max and Min of tensors and numbers."""

    def of(*terms: Any) -> Any:
        like = next(term for term in terms if torch.is_tensor(term))
        found = None
        for term in terms:
            tensor = torch.as_tensor(term, dtype=like.dtype, device=like.device)
            found = tensor if found is None else pick(found, tensor)
        return found

    return of


_FUNCTIONS = {
    "Max": _extreme(torch.maximum), "Min": _extreme(torch.minimum), "exp": torch.exp, "log": torch.log,
    "sqrt": torch.sqrt,
}  # fmt: skip

"""Networks on the sign-and-Gaussians law (ODDS, equation 3), whose inputs may be many.

What is exact depends on what the network reads: a linear score has normal margins, and a network of x_1 and the sum of
the weak features sees the law through them alone: both are enclosed in ball arithmetic. Any other network is sampled,
with confidence limits. In training points live in the unit cube, at x / 2^(k+1) + 1/2; the network's first layer goes
back to x, and the layers behind it are what is enclosed.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from deep.bridge.laws import _short
from deep.bridge.networks import relu_network
from deep.images import Images
from deep.models import Normalise, build
from theory.arbs import cdf, enclose, to_arb, working_precision
from theory.enclosure import Enclosure, hull
from theory.odds.frontier import best_robust_accuracy
from theory.odds.sensible import sensible_risk
from theory.odds.signgaussian import LinearClassifier, SignGaussian, boundary_risk, robust_risk, standard_risk
from theory.relu import ReluNetwork
from theory.relu.line import line_regions
from theory.relu.regions import exact_regions
from toy.bound import sides

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torch import Tensor

    from deep.bridge.laws import Row
    from theory.loss import Loss

MODELS = ("mlp", "linear", "sum")
FAR = 40  # standard deviations looked at
DRAWS = 10_000
ALPHA = Fraction(1, 1000)

Span = tuple[Fraction | None, Fraction | None]


class FirstAndSum(nn.Module):
    """[B, d + 1] -> [B, 2]: x_1, and the sum of the others."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x[:, :1], x[:, 1:].sum(1, keepdim=True)], dim=1)


@dataclass(frozen=True, slots=True, eq=False)
class GaussianSetting:
    """The law, the radius, what kind of network is trained ("mlp", "linear" or "sum"), and how many draws stand for a
    network that has no exact risks.
    """

    law: SignGaussian
    eps: Fraction
    model: str = "linear"
    draws: int = DRAWS
    name: str = "gaussian"
    is_restricted: bool = False

    @property
    def dim(self) -> int:
        return self.law.dimension

    @property
    def half(self) -> int:
        """A power of two; [-half, half] holds a coordinate of a draw, and its ball, but for a probability of 10^-15."""
        return 1 << math.ceil(math.log2(float(self.law.eta + self.eps) + 8))

    @property
    def radius(self) -> float:
        """The radius on the unit cube."""
        return float(self.eps / (2 * self.half))

    @property
    def optimum(self) -> Enclosure:
        return _short(1 - best_robust_accuracy(self.law, self.eps))

    def sample(self, n: int, seed: int) -> Images:
        """``n`` draws, on the unit cube."""
        points, labels = self.law.sample(n, np.random.default_rng(seed))
        x = np.clip((points / (2 * self.half) + 0.5).astype(np.float32), 0, 1)
        return Images.new(x, (labels > 0).astype(np.int64), name=f"gaussian, {n} draws, seed {seed}", classes=2)

    draw = sample

    def build(self, seed: int, width: int, depth: int) -> nn.Module:
        """A network with its first weights; the first layer goes back from the unit cube to the law's coordinates."""
        back = (0.5, 1 / (2 * self.half))
        if self.model == "sum":
            rest = build("mlp", shape=(2,), outputs=1, seed=seed, width=width, depth=depth)
            return nn.Sequential(OrderedDict([("back", Normalise(*back)), ("sum", FirstAndSum()), ("rest", rest)]))
        layers = 0 if self.model == "linear" else depth
        return build("mlp", shape=(self.dim,), outputs=1, seed=seed, width=width, depth=layers, normalise=back)

    def named_rows(self) -> list[Row]:
        """The risks of the classifiers that the toy names."""
        from toy.gaussian import classifiers, risks

        return [
            {"method": name, "eps": self.eps, **{k: _short(v) for k, v in risks(f, self.law, self.eps).items()},
             "optimum": self.optimum}
            for name, f in classifiers(self.eps, self.law).items()
        ]  # fmt: skip

    def evaluate(self, model: nn.Module, losses: Sequence[str | Loss], lam: Fraction, depth: int = 0) -> list[Row]:  # noqa: ARG002
        """The risks of a network: enclosed if it is linear or one of x_1 and the sum, else sampled, as ``how`` says.

        The terms of the bound are those of linear scores; for others there are none.
        """
        layers = [part for part in model.children() if not isinstance(part, nn.Flatten)]
        if not isinstance(layers[0], Normalise) or float(layers[0].mean) != 0.5:
            raise ValueError(f"the first layer is {layers[0]}; allowed is the one that goes back from the unit cube")
        if isinstance(layers[1], FirstAndSum):
            found = sum_network_risks(relu_network(nn.Sequential(*layers[2:]), 2), self.law, self.eps)
        elif len(layers) == 2:
            return self._linear(relu_network(layers[1], self.dim), losses, lam)
        else:
            found = self._sampled(model)
        return [{**{name: _short(value) for name, value in found.items()}, "optimum": self.optimum}]

    def _linear(self, network: ReluNetwork, losses: Sequence[str | Loss], lam: Fraction) -> list[Row]:
        from theory.odds.surrogate import linear_score_bound

        ((weight, bias),) = network.layers
        f = LinearClassifier(Fraction(float(weight[0, 0])), weight[0, 1:].copy(), Fraction(float(bias[0])))
        row: Row = {
            "standard_risk": _short(standard_risk(f, self.law)),
            "boundary_risk": _short(boundary_risk(f, self.law, self.eps)),
            "robust_risk": _short(robust_risk(f, self.law, self.eps)),
            "sensible_risk": _short(sensible_risk(f, self.law, self.eps)),
            "optimum": self.optimum,
        }
        reports = {str(loss): linear_score_bound(f, self.law, self.eps, loss, lam) for loss in losses}
        return [
            {**row, "loss": name, "lam": lam, **{key: _short(value) for key, value in sides(report).items()}}
            for name, report in reports.items()
        ] or [row]

    def _sampled(self, model: nn.Module) -> dict[str, Enclosure]:
        from deep.bridge.simulation import simulate

        standard, robust = simulate(model, self, self.draws, 10**7, ALPHA)
        low, high = Fraction(max(robust.lo - standard.hi, 0)), Fraction(max(robust.hi - standard.lo, 0))
        both = Enclosure(standard.lo, robust.hi, robust.how, standard.alpha + robust.alpha)
        boundary = Enclosure(low, high, robust.how, standard.alpha + robust.alpha)
        return {"standard_risk": standard, "boundary_risk": boundary, "robust_risk": robust, "sensible_risk": both}


# ---- networks of x_1 and the sum ----


def sum_network_risks(network: ReluNetwork, law: SignGaussian, eps: Fraction) -> dict[str, Enclosure]:
    """The risks of g(x_1, x_2 + ... + x_{d+1}) under the full adversary, who moves the sum by at most d eps.

    Given x_1 the sum is normal. The adversary errs wherever the sum is within d eps of the shadow that the errors of g
    on the strip |x_1' - x_1| <= eps throw on the axis of sums; it is the union of the shadows of their sides. Of the
    sensible risk only standard <= sensible <= robust is returned.

    >>> mean = ReluNetwork([([[0.0, 1.0]], [0.0])])
    >>> from theory.odds.signgaussian import mean_classifier
    >>> law, eps = SignGaussian("0.95", "0.3", 100), Fraction(1, 10)
    >>> sum_network_risks(mean, law, eps)["robust_risk"].overlaps(robust_risk(mean_classifier(), law, eps))
    True
    """
    with working_precision():
        standard, robust = to_arb(0), to_arb(0)
        for first in (-1, 1):
            at = _at_first(network, first)
            shadows = {y: _shadow(network, law, eps, first, y) for y in (-1, 1)}
            for y in (-1, 1):
                share = (law.reliability if first == y else 1 - law.reliability) / 2
                mean, deviation = to_arb(y * law.eta * law.d), to_arb(law.d).sqrt()
                errors = _complement([cell[0] for cell in at[y].cells()])
                standard += to_arb(share) * _mass(errors, mean, deviation)
                moved = errors if eps == 0 else _widened([*errors, *shadows[y]], law.d * eps)
                robust += to_arb(share) * _mass(moved, mean, deviation)
        tail = Enclosure.exact(0) if eps == 0 else enclose(4 * cdf(to_arb(-FAR)), 0, 1)
        found = {"standard_risk": enclose(standard, 0, 1), "robust_risk": enclose(robust, 0, 1)}
    widest = Enclosure(found["robust_risk"].lo, min(Fraction(1), found["robust_risk"].hi + tail.hi), "ball arithmetic")
    crossing = widest - found["standard_risk"]
    between = hull(found["standard_risk"], widest)
    return {
        "standard_risk": found["standard_risk"],
        "boundary_risk": Enclosure(max(crossing.lo, Fraction(0)), crossing.hi, crossing.how),
        "robust_risk": widest,
        "sensible_risk": Enclosure(between.lo, between.hi, ("standard risk <= sensible risk <= robust risk",)),
    }


def _at_first(network: ReluNetwork, first: int) -> dict[int, Any]:
    """Where the score at x_1 = +-1 is of either sign, as regions of the sum.

    The constant x_1 is the output of a neuron that is always 1, so that no weights have to be added in floats.
    """
    (weight, bias), *rest = network.layers
    before = (np.array([[1.0], [-1.0], [0.0]]), np.array([0.0, 0.0, 1.0]))
    here = (np.column_stack([weight[:, 1], -weight[:, 1], first * weight[:, 0]]), bias)
    negative, positive = line_regions(ReluNetwork([before, here, *rest]))
    return {-1: negative, 1: positive}


def _shadow(network: ReluNetwork, law: SignGaussian, eps: Fraction, first: int, y: int) -> list[Span]:
    if eps == 0:
        return []
    far = Fraction(math.ceil(law.d * (law.eta + eps) + FAR * Fraction(math.isqrt(law.d) + 1)))
    window = ((first - eps, first + eps), (-far, far))
    negative, positive = exact_regions(network, window)
    wrong = ~(positive if y > 0 else negative)
    heights = [sorted((Fraction(p[1], p[2]), Fraction(q[1], q[2]))) for _, p, q, _ in wrong.boundary]
    return [(low, high) for low, high in heights if low < high]


def _complement(spans: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    start: Fraction | None = None
    for lo, hi in sorted(spans, key=lambda span: -math.inf if span[0] is None else span[0]):
        if lo is not None and (start is None or start < lo):
            found.append((start, lo))
        if hi is None:
            return found
        start = hi
    return [*found, (start, None)]


def _widened(spans: Iterable[Span], by: Fraction) -> list[Span]:
    """The spans dilated, and joined where they meet."""
    wide = sorted(((None if lo is None else lo - by, None if hi is None else hi + by) for lo, hi in spans),
                  key=lambda span: -math.inf if span[0] is None else span[0])  # fmt: skip
    found: list[Span] = []
    for lo, hi in wide:
        if found and (found[-1][1] is None or lo is None or lo <= found[-1][1]):
            last = found[-1]
            found[-1] = (last[0], None if last[1] is None or hi is None else max(last[1], hi))
        else:
            found.append((lo, hi))
    return found


def _mass(spans: Iterable[Span], mean: Any, deviation: Any) -> Any:
    total = to_arb(0)
    for lo, hi in spans:
        below = to_arb(1) if hi is None else cdf((to_arb(hi) - mean) / deviation)
        total += below - (to_arb(0) if lo is None else cdf((to_arb(lo) - mean) / deviation))
    return total

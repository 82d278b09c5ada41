"""Attacks that look for the nearest misclassified point: DeepFool, Carlini and Wagner's l2, and L-BFGS.

They need no radius. Given one, what they find is brought into the ball and judged there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from deep.attack.engine import Found, Target
from deep.attack.gradient import says_nothing
from deep.scores import margin, two_class

if TYPE_CHECKING:
    from torch import Tensor, nn

    from deep.attack.threat import Threat
    from deep.stream import Stream


@dataclass(frozen=True, slots=True)
class DeepFool:
    """Steps to the nearest face of the linearised decision region until the label changes (Moosavi-Dezfooli et al.,
    2016): with w_k the gradient of z_k - z_y, the step is |z_k - z_y| / |w_k|_dual along w_k's dual direction, for the
    k that makes it shortest. The sum of steps is stretched by ``overshoot``. ``ord`` is 2 or infinity, ``classes``
    the number of largest outputs looked at. Untargeted only.
    """

    steps: int = 50
    overshoot: float = 0.02
    ord: float = 2
    classes: int = 10
    name: str = "DeepFool"

    def __post_init__(self) -> None:
        if self.ord not in (2, math.inf):
            raise ValueError(f"ord {self.ord!r} is unknown; DeepFool is for 2 and inf")
        if self.steps < 1 or self.classes < 2:
            raise ValueError(f"{self.steps} steps among {self.classes} classes find nothing; allowed are 1, and 2, up")

    def find(
        self, net: nn.Module, x: Tensor, target: Target, threat: Threat, stream: Stream, index: Tensor
    ) -> Found:
        del stream, index
        _untargeted(target, self.name)
        low, high = threat.low, threat.high
        rows = torch.arange(len(x), device=x.device)
        total, answer = torch.zeros_like(x), x.clone()
        queries, dead = torch.zeros_like(target.y), torch.zeros_like(target.y, dtype=torch.bool)
        outputs = two_class(target.z0).shape[1]
        order = two_class(target.z0).argsort(1, descending=True)[:, : min(self.classes, outputs)]
        for _ in range(self.steps):
            points = answer[rows].requires_grad_(True)
            z = two_class(net(points))
            own = target.y[rows]
            left = ~target.reached(_back(z, target.z0), own)
            if not bool(left.any()):
                break
            gaps, faces = [], []
            for k in range(order.shape[1]):
                label = order[rows, k]
                gap = z.gather(1, label[:, None])[:, 0] - z.gather(1, own[:, None])[:, 0]
                (w,) = torch.autograd.grad(gap.sum(), points, retain_graph=k < order.shape[1] - 1)
                gaps.append(gap.detach())
                faces.append(w)
            queries[rows[left]] += order.shape[1]
            dual = 1 if self.ord == math.inf else 2
            lengths = torch.stack([torch.linalg.vector_norm(w.flatten(1), dual, dim=1) for w in faces])
            distance = torch.stack(gaps).abs() / lengths
            distance = torch.where(lengths > 0, distance, torch.inf)
            shortest, pick = distance.min(0)
            stuck = shortest.isinf()
            dead[rows] |= stuck
            w = torch.stack(faces)[pick, torch.arange(len(rows), device=x.device)]
            length = lengths.gather(0, pick[None])[0].clamp(min=torch.finfo(x.dtype).tiny)
            unit = w.sign() if self.ord == math.inf else w / _like(length, w)
            step = _like((shortest + 1e-4).masked_fill(stuck, 0.0), w) * unit
            go = left & ~stuck
            total[rows[go]] += step[go]
            answer[rows[go]] = (x[rows[go]] + (1 + self.overshoot) * total[rows[go]]).clamp(low, high)
            rows = rows[go]
            if not len(rows):
                break
        return Found(answer, queries, dead)


@dataclass(frozen=True, slots=True)
class CW:
    """min |x' - x|_2^2 + c max(margin(x') + kappa, 0) over x' = (tanh w + 1) / 2 scaled to the box, by Adam, with c by
    bisection for each sample (Carlini and Wagner, 2017). ``margin`` is that on the true label; towards a label, minus
    the margin on it.
    """

    steps: int = 200
    searches: int = 6
    lr: float = 0.05
    c: float = 0.1
    kappa: float = 0.0
    name: str = "C&W-l2"

    def __post_init__(self) -> None:
        if self.steps < 1 or self.searches < 1 or not self.c > 0 or not self.lr > 0 or not self.kappa >= 0:
            raise ValueError(
                f"{self.steps} steps, {self.searches} searches, lr {self.lr}, c {self.c}, kappa {self.kappa}: allowed "
                "are counts from 1, lr and c above 0, kappa from 0"
            )

    def find(
        self, net: nn.Module, x: Tensor, target: Target, threat: Threat, stream: Stream, index: Tensor
    ) -> Found:
        del stream, index
        low, high = threat.low, threat.high
        shrunk = ((x - low) / (high - low) * 2 - 1) * (1 - 1e-6)
        w0 = torch.atanh(shrunk)
        c, floor = x.new_full((len(x),), self.c), x.new_zeros(len(x))
        ceiling = x.new_full((len(x),), torch.inf)
        answer, best = x.clone(), x.new_full((len(x),), torch.inf)
        queries, dead = torch.zeros_like(target.y), torch.zeros_like(target.y, dtype=torch.bool)
        for _ in range(self.searches):
            w, m, v = w0.clone(), torch.zeros_like(x), torch.zeros_like(x)
            hit = torch.zeros_like(dead)
            for k in range(1, self.steps + 1):
                w.requires_grad_(True)
                points = (torch.tanh(w) + 1) / 2 * (high - low) + low
                z = net(points)
                gap = self._gap(z, target)
                square = (points - x).flatten(1).square().sum(1)
                price = (gap + self.kappa).clamp(min=0)
                (g,) = torch.autograd.grad((square + c * price).sum(), w)
                w = w.detach()
                queries += 1
                dead |= says_nothing(g)
                there = target.reached(z.detach()) & (gap.detach() <= -self.kappa)
                closer = there & (square.detach() < best)
                hit |= there
                best = torch.where(closer, square.detach(), best)
                answer = torch.where(_like(closer, x), points.detach(), answer)
                m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
                w = w - self.lr * (m / (1 - 0.9**k)) / ((v / (1 - 0.999**k)).sqrt() + 1e-8)
            ceiling = torch.where(hit, torch.minimum(ceiling, c), ceiling)
            floor = torch.where(hit, floor, torch.maximum(floor, c))
            c = torch.where(ceiling.isinf(), c * 10, (floor + ceiling) / 2)
        return Found(answer, queries, dead)

    @staticmethod
    def _gap(z: Tensor, target: Target) -> Tensor:
        return -margin(z, target.y) if target.towards else margin(z, target.y)


@dataclass(frozen=True, slots=True)
class LBFGS:
    """min c |x' - x|_2^2 + loss over the box by L-BFGS-B, with the largest c that still fools, found by bisection
    (Szegedy et al., 2014). The loss is log(1 + e^m) with m the margin on the true label, or minus the
    margin on the label to reach. scipy minimises, one sample at a time in float64: slow, and meant to be.
    """

    iterations: int = 50
    searches: int = 8
    c: float = 1.0
    name: str = "L-BFGS"

    def __post_init__(self) -> None:
        if self.iterations < 1 or self.searches < 1 or not self.c > 0:
            raise ValueError(
                f"{self.iterations} iterations, {self.searches} searches, c {self.c}: allowed are counts from 1, "
                "c above 0"
            )

    def find(
        self, net: nn.Module, x: Tensor, target: Target, threat: Threat, stream: Stream, index: Tensor
    ) -> Found:
        del stream, index
        low, high = threat.low, threat.high
        answer, queries = x.clone(), torch.zeros_like(target.y)
        for i in range(len(x)):
            own = target.rows(torch.tensor([i], device=x.device))
            answer[i : i + 1], queries[i] = self._one(net, x[i : i + 1], own, low, high)
        return Found(answer, queries, torch.zeros_like(target.y, dtype=torch.bool))

    def _one(self, net: nn.Module, x: Tensor, target: Target, low: float, high: float) -> tuple[Tensor, int]:
        from scipy.optimize import minimize

        origin = x.double().cpu().numpy().ravel()
        calls, nearest, best = 0, x, np.inf

        def looked(flat: np.ndarray) -> tuple[Tensor, float, np.ndarray]:
            nonlocal calls
            calls += 1
            points = torch.as_tensor(flat, dtype=x.dtype, device=x.device).reshape(x.shape).requires_grad_(True)
            z = net(points)
            # a true label is left once the others' softmax mass is above its own: nothing is gained beyond
            gap = -margin(z, target.y) if target.towards else margin(z, target.y)
            price = torch.nn.functional.softplus(gap).sum()
            (g,) = torch.autograd.grad(price, points)
            return z.detach(), float(price.detach()), g.double().cpu().numpy().ravel()

        def objective(flat: np.ndarray, c: float) -> tuple[float, np.ndarray]:
            nonlocal nearest, best
            z, price, gradient = looked(flat)
            offset = flat - origin
            square = float(offset @ offset)
            if bool(target.reached(z)) and square < best:
                best, nearest = square, torch.as_tensor(flat, dtype=x.dtype, device=x.device).reshape(x.shape)
            return c * square + price, 2 * c * offset + gradient

        c, floor, ceiling, options = self.c, 0.0, np.inf, {"maxiter": self.iterations}
        for _ in range(self.searches):
            found = minimize(objective, origin, args=(c,), jac=True, method="L-BFGS-B", options=options,
                             bounds=[(low, high)] * len(origin))  # fmt: skip
            # judged at the minimiser: an overshoot on the way may be far outside
            hit = bool(target.reached(looked(found.x)[0]))
            floor, ceiling = (c, ceiling) if hit else (floor, c)
            c = c * 10 if ceiling == np.inf else c / 10 if floor == 0 else (floor * ceiling) ** 0.5
        return nearest, calls


def _back(z: Tensor, z0: Tensor) -> Tensor:
    """Two logits (0, f) as the one output they came from."""
    return z[:, 1:].detach() if z0.shape[1] == 1 else z.detach()


def _untargeted(target: Target, name: str) -> None:
    if target.towards:
        raise ValueError(f"{name} leaves labels and reaches for none; use it without targets")


def _like(v: Tensor, x: Tensor) -> Tensor:
    return v.reshape(-1, *[1] * (x.dim() - 1))

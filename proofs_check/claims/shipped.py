"""The training code of this package, run beside what `theory` and the claims say of the algorithms.

Everything of ``deep`` is imported in the functions; `absent` says whether that is possible.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from proofs_check.core import Evidence
from proofs_check.provers import equality
from theory.iaat import RadiusRule, radius_path, within
from theory.pgn import best_linear_attack

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy
    from torch import Tensor

    from proofs_check.claims.sense_algorithms import Run

NEAR = Fraction(1, 10**4)
"""How near the numbers of 32-bit training must come to the exact ones."""


def absent() -> Evidence | None:
    """NOT RUN where the training code cannot be imported; nothing is imported here."""
    missing = [name for name in ("torch", "safetensors", "deep") if find_spec(name) is None]
    return Evidence("NOT RUN", f"{missing[0]} is not installed") if missing else None


def run(prove: Callable[[], Evidence]) -> Evidence:
    """The evidence, or that the training code is not there."""
    return absent() or prove()


# ---- IAAT ----


@dataclass(frozen=True, slots=True)
class Trained:
    """A first memory, the radius R that an example survives, the rule, and whether wrong examples are kept clean."""

    memory: Fraction
    radius: Fraction
    gamma: Fraction
    beta: Fraction
    split: bool


def trained() -> SearchStrategy[Trained]:
    """Memories and radii up to 3. R has a denominator that no tested radius has: on the boundary rounding decides."""
    from hypothesis import strategies as st

    from theory.strategies import rationals

    off = rationals(lo=-1, hi=3, denominators=(1, 2, 10)).map(lambda radius: radius + Fraction(1, 193))
    gamma = rationals(lo="1/4", hi=1, denominators=(1, 4, 10))
    beta = rationals(lo="1/10", hi=1, denominators=(2, 5, 10))
    return st.builds(Trained, rationals(hi=3, denominators=(1, 2, 10)), off, gamma, beta, st.booleans())


def iaat_margin(case: Trained) -> Fraction:
    """-abs of the distance of the shipped memories, of three epochs, from `theory.iaat`'s, or how far the loss of the
    last one is from log(1 + exp(-(R - eps))), beyond `NEAR`.
    """
    import torch

    from deep.images import Images
    from deep.objectives import IAAT, Batch
    from deep.stream import Stream

    net = torch.nn.Linear(2, 1)
    with torch.no_grad():  # |w|_1 is 1, so the score is the radius
        net.weight.copy_(torch.tensor([[0.75, -0.25]]))
        net.bias.zero_()
    images = Images.new(torch.tensor([[1.0, -1.0]]) * float(case.radius), [1], low=-math.inf, high=math.inf)
    made = IAAT(
        1.0, float(case.gamma), float(case.beta), warm_up=0, first=float(case.memory), steps=4, split=case.split
    )
    state = made.prepare(net, images, Stream(0))
    path = radius_path(case.memory, within(case.radius), RadiusRule(case.gamma, case.beta, 0), 3)
    worst, loss = Fraction(0), 0.0
    for epoch in range(3):
        stream = Stream(0).child(epoch)
        rows = Batch(images.x, images.y, torch.tensor([0]), epoch, 0.0, stream, images.low, images.high)
        loss = float(made.loss(net, rows, state)[0].detach())
        found = Fraction(float(state.eps[0])).limit_denominator(10**5)
        worst = min(worst, equality(found, path[epoch + 1]))
    attacked = case.radius > 0 or not case.split
    expected = math.log1p(math.exp(-float(case.radius - (path[-1] if attacked else 0))))
    return min(worst, Fraction(0), NEAR - abs(Fraction(loss) - Fraction(expected)))


# ---- PGN ----

NORM, COST = Fraction(2), Fraction(1)


@dataclass(frozen=True, slots=True)
class Perturbed:
    """An example of a linear score with gradient length 2, by its number and its margin."""

    number: int
    margin: Fraction


def perturbed() -> list[Perturbed]:
    """Margins from -1/2 to 7/4, without that where two perturbations are equally good, 1."""
    margins = [Fraction(k, 8) for k in range(-4, 15) if k != 8]
    return [Perturbed(number, margin) for number, margin in enumerate(margins)]


@lru_cache(maxsize=1)
def _played() -> tuple[Any, Any, Any]:
    """A generator trained against a fixed linear score, with that score and the examples."""
    import torch

    from deep.fit import Recipe, fit
    from deep.images import Images
    from deep.objectives import PGN

    net = torch.nn.Linear(2, 1)
    with torch.no_grad():  # length 2
        net.weight.copy_(torch.tensor([[1.6, -1.2]]))
        net.bias.zero_()
        net.requires_grad_(True)
    x = torch.tensor([[0.4, -0.3]]) * torch.tensor([[float(case.margin)] for case in perturbed()])
    images = Images.new(x, [1] * len(x), classes=2, low=-math.inf, high=math.inf)
    made = PGN(float(COST), rate=0.01, classifier="fixed", hidden=32)
    return fit(net, made, images, Recipe(500, len(x), 0.1), progress=False).state, net, images


def pgn_margin(case: Perturbed) -> Fraction:
    """How far the shipped generator's value of the game is above the exact maximum, or more than 1/100 below it;
    0 if it is neither.
    """
    state, net, images = _played()
    moved: Tensor = state(net, images.x, images.y)
    shift = (moved - images.x)[case.number].double()
    score = Fraction(float((net.weight.detach().double() @ shift).item())) + case.margin
    squared = Fraction(float(shift.square().sum()))
    exact = best_linear_attack(case.margin, NORM, COST).value
    value = Fraction(math.log1p(math.exp(-float(score)))) - COST * squared
    return Fraction(min(0, exact.hi + NEAR - value, value - exact.lo + Fraction(1, 100)))


def pgn_step_margin(case: Perturbed) -> Fraction:
    """-abs, beyond `NEAR`, of how far a step's loss of F and its gradient are from those of the new G's examples:
    log(1 + exp(-f)) and -sigma(-f) x_adv at a score f.
    """
    import torch

    from deep.objectives import PGN, Batch
    from deep.stream import Stream

    _, net, images = _played()
    index = torch.tensor([case.number])
    rows = Batch(images.x[index], images.y[index], index, 0, 0.0, Stream(0), images.low, images.high)
    made = PGN(float(COST), rate=0.01, hidden=8)
    state = made.prepare(net, images, Stream(1))
    before = [p.detach().clone() for p in state.network.parameters()]
    net.zero_grad()
    loss, _ = made.loss(net, rows, state)
    loss.backward()  # type: ignore[no-untyped-call]
    if all(torch.equal(p, q) for p, q in zip(before, state.network.parameters(), strict=True)):
        return Fraction(-1)  # G took no step
    moved = state(net, rows.x, rows.y)
    f = net(moved).detach()[0, 0]
    expected = torch.cat([torch.nn.functional.softplus(-f)[None], -torch.sigmoid(-f) * moved[0]])
    found = torch.cat([loss.detach()[None], net.weight.grad[0]])
    return min(Fraction(0), NEAR - Fraction(float((found - expected).abs().max())))


# ---- SENSE ----


def sense_runs() -> SearchStrategy[Run]:
    """The runs of Algorithms 1 to 3 with a c that no p_y equals, and one noise for all turns, no longer than a step."""
    from hypothesis import strategies as st

    from proofs_check.claims.sense_algorithms import runs
    from theory.strategies import rationals

    def with_noise(case: Run, share: Fraction) -> Run:
        return replace(case, c=case.c + Fraction(1, 997), noise=(share * case.step,) * case.steps)

    return st.builds(with_noise, runs(), rationals(lo="-9/10", hi="9/10", denominators=(10,)))


def sense_margin(case: Run) -> Fraction:
    """-abs of the distances of the shipped points from those of Algorithms 1, 2 and 3; in one dimension a gradient over
    its l2 length is its sign.
    """
    import torch

    from deep.objectives import SENSE, Batch
    from proofs_check.claims.sense_algorithms import algorithm_1, algorithm_3

    net = _exactly(case)
    x = torch.tensor([[float(case.x)]], dtype=torch.float64)
    stream: Any = _Given(float(case.noise[0] / case.step + 1) / 2)
    rows = Batch(x, torch.tensor([1]), torch.tensor([0]), 0, 0.0, stream, -math.inf, math.inf)
    worst = Fraction(0)
    for reversion, ord, exact in (
        ("break", math.inf, algorithm_1(case)),
        ("break", 2.0, algorithm_1(case)),
        ("noise", math.inf, algorithm_3(case)),
    ):
        made = SENSE(float(case.eps), float(case.c), case.steps, float(case.step), ord, reversion=reversion)
        found = made.find(net, rows).x.item()
        worst = min(worst, equality(Fraction(found).limit_denominator(10**4), exact))
    return worst


@dataclass(frozen=True, slots=True)
class _Given:
    """A stream that always draws the same number."""

    number: float

    def child(self, *_: int | str) -> _Given:
        return self

    def uniform(self, index: Tensor, shape: tuple[int, ...]) -> Tensor:
        import torch

        return torch.full((len(index), *shape), self.number, dtype=torch.float64)


def _exactly(case: Run) -> Any:
    """The model of a run as a network: a score whose sign and order are those of exact arithmetic."""
    import torch

    class Score(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, x: Tensor) -> Tensor:
            places = [Fraction(value).limit_denominator(10**4) for value in x[:, 0].tolist()]
            odds = [min(max(float(case.p(at)), 1e-12), 1 - 1e-12) for at in places]
            context.slopes = x.new_tensor([[-float(case.uphill(at))] for at in places])
            return x.new_tensor([[math.log(p) - math.log1p(-p)] for p in odds])

        @staticmethod
        def backward(context: Any, seed: Tensor) -> Tensor:
            answer: Tensor = seed * context.slopes
            return answer

    class Net(torch.nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            answer: Tensor = Score.apply(x)  # type: ignore[no-untyped-call]
            return answer

    return Net()

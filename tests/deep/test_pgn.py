"""PGN against the exact maximiser on linear scores, its box against rational pixels, and its steps written by hand."""

from __future__ import annotations

import copy
import math
from fractions import Fraction

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from deep.attack import attack
from deep.fit import Recipe, fit
from deep.images import Images, digits
from deep.models import build
from deep.objectives import FGM, PGN, Batch, GeneratorAttack
from deep.objectives.pgn import Generator, gradient_image
from deep.scores import signs
from deep.stream import Stream
from theory.pgn import best_linear_attack, boxed_pixel

IMAGES = digits("train").only(1, 3).first(48)


def points(n: int = 48, seed: int = 0, box: float = math.inf) -> Images:
    draw = torch.Generator().manual_seed(seed)
    x = torch.rand(n, 2, generator=draw)
    y = (x[:, 0] > x[:, 1]).long()
    return Images.new(x, y, name="points", low=-box if box == math.inf else 0.0, high=box)


def linear(norm: float, bias: float = 0.0) -> nn.Module:
    """A score of gradient length ``norm``."""
    net = nn.Linear(2, 1)
    with torch.no_grad():
        net.weight.copy_(norm * torch.tensor([[0.8, -0.6]]))
        net.bias.fill_(bias)
    return net


def batch(images: Images) -> Batch:
    index = torch.arange(len(images))
    return Batch(images.batch(index), images.y, index, 0, 0.0, Stream(0), images.low, images.high)


def of_game(net: nn.Module, x: torch.Tensor, moved: torch.Tensor, y: torch.Tensor, cost: float) -> torch.Tensor:
    with torch.no_grad():
        gain = F.softplus(-net(moved)[:, 0] * signs(y))
        return gain - cost * (moved - x).square().sum(1)


# ---- the maximiser ----


@pytest.mark.parametrize(("norm", "cost"), [(2.0, 1.0), (4.0, 0.75)], ids=["concave", "with two maxima"])
def test_a_generator_finds_the_best_perturbation_of_a_linear_score(norm: float, cost: float) -> None:
    """The value is at most the exact maximum in every sample, and nearly it; the length is that of the maximiser."""
    images = points()
    net = linear(norm)
    made = PGN(cost, rate=0.01, classifier="fixed", hidden=32)
    done = fit(net, made, images, Recipe(400, 48, 0.1))
    rows = batch(images)
    margins = (net(rows.x)[:, 0] * signs(rows.y)).detach()
    moved = done.state(net, rows.x, rows.y)
    value = of_game(net, rows.x, moved, rows.y, cost)
    exact = [best_linear_attack(str(m), str(norm), str(cost)) for m in margins.tolist()]
    best = torch.tensor([float(e.value.lo) for e in exact])
    assert bool((value <= best + 1e-5).all())
    assert float((best - value).max()) < 0.01
    length = torch.tensor([float(e.lengths[0].lo) for e in exact])
    assert torch.allclose((moved - rows.x).norm(dim=1), length, atol=0.12)
    assert {e.crosses for e in exact} == ({True, False} if norm == 2 else {True})
    assert float((best - of_game(net, rows.x, rows.x, rows.y, cost)).max()) > 0.2  # doing nothing is much worse


# ---- what it is made of ----


def test_the_gradient_image_is_that_of_the_probability() -> None:
    images, net = points(), linear(3.0, 0.1)
    rows = batch(images)
    f = net(rows.x)[:, :1].detach()
    expected = torch.sigmoid(f) * torch.sigmoid(-f) * signs(rows.y)[:, None] * net.weight.detach()
    assert torch.allclose(gradient_image(net, rows.x, rows.y), expected, atol=1e-6)


def test_the_box_is_eq_5() -> None:
    state = PGN(hidden=4).prepare(linear(1.0), points(box=1.0), Stream(0))
    pixels = [Fraction(k, 10) for k in range(1, 10)]
    for factor in (Fraction(1, 9), Fraction(1, 2), Fraction(1), Fraction(3), Fraction(40)):
        x = torch.tensor([[float(pixel)] for pixel in pixels])
        found = state.box(x, torch.full_like(x, math.log(factor) / 2))
        exact = [[float(boxed_pixel(pixel, factor))] for pixel in pixels]
        assert torch.allclose(found, torch.tensor(exact), atol=2e-6)
        tanh = ((2 * x - 1).atanh() + math.log(factor) / 2).tanh() / 2 + 0.5
        assert torch.allclose(found, tanh, atol=2e-6)
    ends = torch.tensor([[0.0], [1.0]], requires_grad=True)
    boxed = state.box(ends, torch.zeros_like(ends))
    assert torch.allclose(boxed, ends, atol=1e-6)
    far = state.box(torch.rand(9, 2), 100 * torch.randn(9, 2))
    assert bool(((far >= 0) & (far <= 1)).all())
    whole = PGN(hidden=4).prepare(linear(1.0), points(), Stream(0))
    assert torch.equal(whole.box(ends.detach(), torch.tensor([[3.0], [-2.0]])), torch.tensor([[3.0], [-1.0]]))
    wide = Generator(nn.Linear(1, 1), (True,) * 3, 2, 0.1, -2.0, 6.0)
    assert torch.allclose(wide.box(torch.tensor([[0.0]]), torch.tensor([[math.log(3) / 2]])), torch.tensor([[2.0]]))


@pytest.mark.parametrize("seen", range(3))
def test_an_input_that_is_off_changes_nothing(seen: int) -> None:
    names = ("gradient", "image", "label")
    images, net = points(), linear(2.0)
    rows = batch(images)
    for name in names:
        options = {other: other == name for other in names}
        state = PGN(hidden=8, **options).prepare(net, images, Stream(0))
        inputs = state.inputs_of(net, rows.x, rows.y)
        assert [bool(part.any()) for part in inputs] == [other == name for other in names]
    full = PGN(hidden=8, **{names[seen]: False}).prepare(net, images, Stream(0))
    assert [bool(part.any()) for part in full.inputs_of(net, rows.x, rows.y)] == [k != seen for k in range(3)]


@pytest.mark.parametrize("penalty", ["perturbation", "output"])
@pytest.mark.parametrize("box", [1.0, math.inf])
def test_a_step_is_the_game_written_by_hand(penalty: str, box: float) -> None:
    """G ascends by Adam, then F descends on the examples of the new G."""
    images = points(box=box)
    rows = batch(images)
    net = build("mlp", shape=(2,), outputs=2, width=8, seed=3)
    state = PGN(0.5, 0.02, penalty=penalty, hidden=8).prepare(net, images, Stream(1))
    with torch.no_grad():
        state.network.fc3.weight.normal_(generator=torch.Generator().manual_seed(0))
    twin = copy.deepcopy(state.network)
    adam = torch.optim.Adam(twin.parameters(), 0.02)

    def examples(g: nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
        out = g(gradient, rows.x, F.one_hot(rows.y, 2).float())
        inside = (2 * rows.x - 1).clamp(-1 + 1e-6, 1 - 1e-6)
        return out, rows.x + out if box == math.inf else (torch.tanh(torch.atanh(inside) + out) + 1) / 2

    for _ in range(3):
        x = rows.x.clone().requires_grad_(True)
        probability = net(x).softmax(1)[torch.arange(len(x)), rows.y]
        (gradient,) = torch.autograd.grad(probability.sum(), x)
        adam.zero_grad()
        out, moved = examples(twin)
        punished = out if penalty == "output" else moved - rows.x
        objective = F.cross_entropy(net(moved), rows.y) - 0.5 * punished.square().sum() / len(x)
        (-objective).backward()
        adam.step()
        net.zero_grad()
        loss, statistics = PGN(0.5, 0.02, penalty=penalty, hidden=8).loss(net, rows, state)
        assert all(p.grad is None for p in net.parameters())  # nothing of G's step is left in F
        assert float(statistics["game"]) == pytest.approx(float(objective.detach()), abs=1e-5)
        for p, q in zip(twin.parameters(), state.network.parameters(), strict=True):
            assert torch.allclose(p, q, atol=1e-4)
        expected = F.cross_entropy(net(examples(twin)[1]), rows.y)
        assert float(loss.detach()) == pytest.approx(float(expected.detach()), abs=1e-4)
        loss.backward()
        with torch.no_grad():
            for p in net.parameters():
                p.sub_(0.1 * p.grad)


def test_the_first_perturbation_is_none() -> None:
    images = IMAGES
    net = build("mlp", shape=images.shape, outputs=2)
    state = PGN(width=4, hidden=8).prepare(net, images, Stream(0))
    x = images.batch(slice(None))
    assert torch.allclose(state(net, x, images.y), x, atol=1e-6)


def test_a_dear_perturbation_is_a_small_one() -> None:
    lengths = []
    for cost in (0.5, 5.0, 50.0):
        done = fit(linear(2.0), PGN(cost, 0.01, classifier="fixed", hidden=16), points(), Recipe(60, 48, 0.1))
        lengths.append(done.history[-1]["l2"])
    assert lengths[0] > 3 * lengths[1] > 9 * lengths[2] > 0


# ---- as an attack ----


def test_a_generator_attacks_a_fixed_network_and_leaves_it_as_it_is() -> None:
    net = build("mlp", shape=IMAGES.shape, outputs=2, seed=1)
    fit(net, FGM(0.1), IMAGES, Recipe(8, 16, 0.05))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    made = PGN(0.02, 0.01, classifier="fixed", width=8, hidden=16)
    done = fit(net, made, IMAGES, Recipe(40, 16, 0.5, weight_decay=0.0))
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    x, y = IMAGES.batch(slice(None)), IMAGES.y
    free = attack(net, x, y, GeneratorAttack(done.state), ord=2)
    assert free.count > 30
    held = attack(net, x, y, GeneratorAttack(done.state), eps=0.5, ord=2)
    assert float(held.distance.max()) <= 0.5 + 1e-5
    half = attack(net, x, y, GeneratorAttack(done.state, 0.25), ord=2)
    alive = ~(free.distance == 0)
    assert torch.allclose(half.distance[alive], free.distance[alive] / 4, rtol=0.02)
    assert held.count <= free.count
    assert half.count <= free.count
    with pytest.raises(ValueError, match="perturbs away from a label"):
        attack(net, x, y, GeneratorAttack(done.state), targets=1 - y)


def test_fgm_in_l2_on_a_linear_score_is_its_closed_form() -> None:
    images, net = points(), linear(3.0)
    rows = batch(images)
    m = (net(rows.x)[:, 0] * signs(rows.y)).detach()
    loss, _ = FGM(0.2).loss(net, rows, None)
    assert float(loss.detach()) == pytest.approx(float(F.softplus(0.2 * 3 - m).mean()), rel=1e-5)
    signed, _ = FGM(0.2, math.inf).loss(net, rows, None)
    assert float(signed.detach()) == pytest.approx(float(F.softplus(0.2 * 3 * 1.4 - m).mean()), rel=1e-5)


# ---- what is refused ----


def test_a_generator_of_another_shape_is_refused() -> None:
    net = build("mlp", shape=IMAGES.shape, outputs=2)
    state = PGN(width=4, hidden=8).prepare(net, IMAGES, Stream(0))
    kept = {name: value.clone() for name, value in state.tensors().items()}
    for other in (PGN(width=4, hidden=16), PGN(width=8, hidden=8)):
        with pytest.raises(ValueError, match=r"the generator's \S+ has the shape .* there and .* here; build it"):
            state.load(other.prepare(net, IMAGES, Stream(0)).tensors())
    with pytest.raises(ValueError, match=r"has the shape .* here; build it"):
        PGN(hidden=8).prepare(linear(1.0), points(), Stream(0)).load(kept)
    state.load(kept)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cost": 0.0}, "cost 0.0 is out of range"),
        ({"cost": math.inf}, "cost inf is out of range"),
        ({"rate": -1.0}, "rate -1.0 is out of range"),
        ({"penalty": "none"}, "penalty 'none' is unknown; allowed are perturbation and output"),
        ({"classifier": "free"}, "classifier 'free' is unknown; allowed are trained and fixed"),
    ],
)
def test_bad_input(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PGN(**options)


def test_a_generator_is_a_function_of_the_stream() -> None:
    net = linear(1.0)
    state = torch.get_rng_state()
    first, same, other = (PGN(hidden=8).prepare(net, points(), Stream(k)).tensors() for k in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)

"""IAAT on linear scores, where the largest radius of a sample is known: the memory is that of theory.iaat, exactly."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from deep.fit import Recipe, fit
from deep.images import Images
from deep.objectives import IAAT, Batch
from deep.objectives.iaat import Memory
from deep.purity import untouched
from deep.scores import signs, wrong
from deep.stream import Stream
from theory.iaat import RadiusRule, line_search, linear_radius, radius_limit, radius_path, within

WEIGHTS, OFFSET = (2.0, -1.0), 0.0
# The margins are odd multiples of 1/64 and |w|_1 is 3: no radius is a dyadic number, so no attack ends on the boundary.
N = 60


def linear() -> nn.Module:
    net = nn.Linear(2, 1)
    with torch.no_grad():
        net.weight.copy_(torch.tensor([WEIGHTS]))
        net.bias.fill_(OFFSET)
    return net


def points() -> Images:
    draw = torch.Generator().manual_seed(0)
    x = torch.randint(-128, 129, (N, 2), generator=draw) / 64
    x[:, 1] = (x[:, 1] * 32).round() / 32 + 1 / 64
    y = torch.where(torch.rand(N, generator=draw) < 0.85, (x @ torch.tensor(WEIGHTS) > 0).long(), 0)
    return Images.new(x, y, name="dyadic points", low=-math.inf, high=math.inf)


def batch(epoch: int = 0, seed: int = 0) -> Batch:
    images = points()
    stream = Stream(seed).child("noise", epoch)
    return Batch(images.x, images.y, torch.arange(N), epoch, 0.0, stream, images.low, images.high)


def radii() -> list[Fraction]:
    """y (w . x) / |w|_1 of every sample, negative where the score errs."""
    images = points()
    rows = [[Fraction(value) for value in row] for row in images.x.tolist()]
    labels = (2 * images.y - 1).tolist()
    weights = [Fraction(w) for w in WEIGHTS]
    return [linear_radius(weights, 0, x, label) for x, label in zip(rows, labels, strict=True)]


def remembered(made: IAAT, epochs: int, seed: int = 0) -> list[list[Fraction]]:
    """The memory after each epoch, the network as it is."""
    net, images = linear(), points()
    state = made.prepare(net, images, Stream(0))
    found = [[Fraction(value) for value in state.eps.tolist()]]
    for epoch in range(epochs):
        made.loss(net, batch(epoch, seed), state)
        found.append([Fraction(value) for value in state.eps.tolist()])
    return found


@pytest.mark.parametrize("lower", [0.0, None, 0.25])
def test_the_memory_is_that_of_theory(lower: float | None) -> None:
    gamma, beta, first, epochs = Fraction(1, 4), Fraction(1, 4), Fraction(1, 2), 14
    rule = RadiusRule(gamma, beta, None if lower is None else Fraction(lower))
    made = IAAT(0.5, float(gamma), float(beta), 0, lower, steps=4)
    found = remembered(made, epochs)
    moved = {"up": 0, "down": 0, "stayed": 0}
    for i, radius in enumerate(radii()):
        path = radius_path(first, within(radius), rule, epochs)
        assert [row[i] for row in found] == list(path), (i, radius)
        moved["up" if path[-1] > first else "down" if path[-1] < first else "stayed"] += 1
        if radius >= 0 or lower is not None:
            limit = radius_limit(first, radius, rule)
            assert limit.epochs > epochs or found[-1][i] == limit.radius
    assert min(moved.values()) >= 5
    assert (min(found[-1]) < 0) == (lower is None)


def test_two_seeds_find_the_same_radii() -> None:
    made = IAAT(0.5, 0.25, 0.25, 0, steps=5)
    assert remembered(made, 6, seed=1) == remembered(made, 6, seed=2)


def test_the_line_search_is_that_of_theory() -> None:
    made = IAAT(0.5, 0.25, 0.25, 0, search="line", eta=0.125, largest=1.0, steps=4)
    found = remembered(made, 1)[-1]
    expected = [line_search(within(radius), Fraction(1, 8), 1) for radius in radii()]
    assert found == expected
    assert len(set(expected)) > 5
    # a sample takes one attack for each multiple from the top down to its radius
    net, state = linear(), Memory(torch.zeros(N, dtype=torch.float64), points().digest)
    _, statistics = made.loss(net, batch(), state)
    attacks = [0 if r < 0 else 8 if e == 0 else 9 - e * 8 for r, e in zip(radii(), expected, strict=True)]
    assert float(statistics["attacks"]) == pytest.approx(float(sum(attacks, Fraction(0)) / N))


def test_the_memory_waits_for_the_end_of_the_warm_up() -> None:
    made = IAAT(0.5, 0.25, 0.25, 2, steps=4)
    found = remembered(made, 3)
    assert found[0] == found[1] == found[2] != found[3]
    net, first = linear(), made.prepare(linear(), points(), Stream(0))
    assert set(first.eps.tolist()) == {0.5}
    _, statistics = made.loss(net, batch(0), replace_memory(first, 0.125))
    assert (float(statistics["eps"]), float(statistics["attacks"])) == (0.5, 0)  # eps, whatever is remembered
    given = IAAT(0.5, 0.25, 0.25, 0, first=0.0).prepare(net, points(), Stream(0))
    assert set(given.eps.tolist()) == {0.0}


def replace_memory(state: Memory, value: float) -> Memory:
    state.eps.fill_(value)
    return state


def test_one_or_two_attacks_select_a_radius() -> None:
    made = IAAT(0.5, 0.25, 0.25, 0, steps=4)
    _, statistics = made.loss(linear(), batch(), made.prepare(linear(), points(), Stream(0)))
    tries = [0 if r < 0 else 1 if r > Fraction(3, 4) else 2 for r in radii()]
    assert float(statistics["attacks"]) == pytest.approx(sum(tries) / N)
    assert {0, 1, 2} <= set(tries)


@pytest.mark.parametrize("split", [True, False])
def test_samples_are_attacked_at_their_own_radius_and_wrong_ones_on_demand(split: bool) -> None:
    made = IAAT(0.5, 0.25, 0.25, 0, split=split, steps=4)
    net, rows = linear(), batch()
    state = made.prepare(net, points(), Stream(0))
    loss, statistics = made.loss(net, rows, state)
    radius = state.eps.clamp(min=0).float()
    m = (net(rows.x)[:, 0] * signs(rows.y)).detach()
    attacked = (m > 0) | (not split)
    moved = torch.where(attacked, m - 3 * radius, m)
    assert float(loss.detach()) == pytest.approx(float(F.softplus(-moved).mean()), rel=1e-5)
    assert float(statistics["right"]) == pytest.approx(float((m > 0).double().mean()))


def test_an_attack_that_cannot_reach_a_radius_lets_it_grow_beyond_the_truth() -> None:
    """Steps of a fixed size get steps * size away from a random start, and a radius beyond is not tested."""
    truth = [max(radius, Fraction(1, 2)) for radius in radii()]
    short = remembered(IAAT(0.5, 0.125, 0.5, 0, selection_steps=2, step_size=1 / 64), 12)[-1]
    long = remembered(IAAT(0.5, 0.125, 0.5, 0, selection_steps=2), 12)[-1]
    assert sum(m > r for m, r in zip(short, truth, strict=True)) >= 5
    assert all(m <= r for m, r in zip(long, truth, strict=True))


def test_targeted_attacks_on_two_classes_are_untargeted_ones() -> None:
    net = nn.Linear(2, 2)
    with torch.no_grad():
        net.weight.copy_(torch.tensor([[-1.0, 0.5], [1.0, -0.5]]))  # z_1 - z_0 is the score above
        net.bias.zero_()
    made = IAAT(0.5, 0.25, 0.25, 0, targeted=True, steps=6)
    state = made.prepare(net, points(), Stream(0))
    for epoch in range(4):
        made.loss(net, batch(epoch), state)
    rule = RadiusRule(Fraction(1, 4), Fraction(1, 4), 0)
    expected = [radius_path(Fraction(1, 2), within(radius), rule, 4)[-1] for radius in radii()]
    assert [Fraction(value) for value in state.eps.tolist()] == expected


def test_targets_are_other_labels_and_all_of_them() -> None:
    y, index = torch.arange(4).repeat(100), torch.arange(400)
    goal = IAAT(0.5)._goal(nn.Linear(2, 4), torch.zeros(400, 2), y, index, Stream(3))
    table = torch.zeros(4, 4)
    for a, b in zip(y.tolist(), goal.tolist(), strict=True):
        table[a, b] += 1
    assert not bool(table.diagonal().any())
    assert int(table[~torch.eye(4, dtype=torch.bool)].min()) > 15


def test_an_attack_at_the_radius_that_survived_leaves_the_network_untouched() -> None:
    net, rows = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 2)), batch()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    made = IAAT(0.5, 0.25, 0.25, 0, steps=3)
    state = made.prepare(net, points(), Stream(0))
    with untouched(net) as seen:
        right = ~wrong(seen(rows.x), rows.y)
        radius, attacks = made.select(seen, rows, state.eps, right)
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    assert radius.shape == attacks.shape == (N,)


def test_a_run_remembers_who_has_which_radius() -> None:
    images = points()
    net = nn.Linear(2, 2)
    done = fit(net, IAAT(0.25, warm_up=1, steps=3), images, Recipe(12, 16, 0.1))
    assert done.history[0]["eps"] == 0.25
    assert done.history[-1]["eps_deviation"] > 0.01
    assert done.history[-1]["eps"] != 0.25
    z = net(images.x)
    margin = (z[:, 1] - z[:, 0]) * signs(images.y)
    rank = torch.corrcoef(torch.stack([margin.detach().double(), done.state.eps]))[0, 1]
    assert float(rank) > 0.5  # large radii are those of samples far from the boundary


def test_a_memory_of_other_data_is_refused() -> None:
    images, made = points(), IAAT(0.5)
    state = made.prepare(linear(), images, Stream(0))
    other = Images.new(images.x, 1 - images.y, name="flipped", low=-math.inf, high=math.inf)
    with pytest.raises(ValueError, match=r"radii of 60 samples of the data set \w{12}\.\.\., but this is"):
        state.load(made.prepare(linear(), other, Stream(0)).tensors())
    with pytest.raises(ValueError, match="radii of 10 samples"):
        state.load(made.prepare(linear(), images.first(10), Stream(0)).tensors())
    kept = {name: value.clone() for name, value in state.tensors().items()}
    state.eps.zero_()
    state.load(kept)
    assert set(state.eps.tolist()) == {0.5}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gamma": 0.0}, "gamma 0.0 is out of range; allowed are finite numbers above 0"),
        ({"gamma": -1.0}, "gamma -1.0"),
        ({"gamma": math.nan}, "gamma nan"),
        ({"beta": 0.0}, "beta 0.0 is out of range"),
        ({"beta": 1.5}, "beta 1.5 is out of range; allowed are numbers above 0, up to 1"),
        ({"warm_up": -1}, "warm_up -1"),
        ({"lower": -0.5}, "lower -0.5"),
        ({"first": math.inf}, "first inf"),
        ({"eps": -0.5}, "eps -0.5"),
        ({"steps": 0}, "steps 0"),
        ({"selection_steps": 0}, "steps 0"),
        ({"search": "grid"}, "search 'grid' is unknown; allowed are step and line"),
        ({"eta": 0.0}, "eta 0.0"),
        ({"ord": 1}, "ord 1 is unknown"),
    ],
)
def test_bad_input(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        IAAT(**{"eps": 0.5, **options})
    with pytest.raises(ValueError, match=message):
        replace(IAAT(0.5), **options)

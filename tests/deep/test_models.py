"""Networks by name: those of the papers to the last parameter, and first weights that depend on the seed alone."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from deep import architectures
from deep.models import BUILDERS, Architecture, Normalise, build, parameter_count

IMAGE = (1, 28, 28)
SMALL = [name for name in BUILDERS if name not in architectures.BUILDERS]


@pytest.mark.parametrize(
    ("name", "shape", "outputs", "count"),
    [
        # 5x5 convolutions 1 -> 10 -> 20, dense 320 -> 50 -> 10
        ("net", IMAGE, 10, 25 * 10 + 10 + 250 * 20 + 20 + 320 * 50 + 50 + 50 * 10 + 10),
        ("net", IMAGE, 1, 25 * 10 + 10 + 250 * 20 + 20 + 320 * 50 + 50 + 50 + 1),
        ("net", (1, 8, 8), 10, 9 * 10 + 10 + 90 * 20 + 20 + 80 * 50 + 50 + 50 * 10 + 10),
        ("small-cnn", IMAGE, 10, 312_202),  # summed by hand from the layers of the TRADES code
        ("linear", IMAGE, 10, 7850),
        ("mlp", (2,), 1, 2 * 64 + 64 + 64 * 64 + 64 + 64 + 1),
    ],
)
def test_parameters_are_counted(name: str, shape: tuple[int, ...], outputs: int, count: int) -> None:
    assert parameter_count(build(name, shape=shape, outputs=outputs)) == count


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("shape", [IMAGE, (1, 8, 8), (3, 32, 32), (3, 20, 28)])
@pytest.mark.parametrize("outputs", [1, 2, 10])
def test_every_network_answers_a_row_a_sample(name: str, shape: tuple[int, ...], outputs: int) -> None:
    model = build(name, shape=shape, outputs=outputs).eval()
    x = torch.rand(3, *shape)
    assert model(x).shape == (3, outputs)
    assert torch.allclose(model(x[1:2]), model(x)[1:2], atol=1e-6)


def test_the_net_is_that_of_the_trades_code() -> None:
    model = build("net", shape=IMAGE, outputs=10, seed=3).eval()
    weights = model.state_dict()
    functional, x = nn.functional, torch.rand(2, *IMAGE)
    h = functional.relu(functional.max_pool2d(functional.conv2d(x, weights["conv1.weight"], weights["conv1.bias"]), 2))
    h = functional.relu(functional.max_pool2d(functional.conv2d(h, weights["conv2.weight"], weights["conv2.bias"]), 2))
    h = functional.relu(functional.linear(h.view(-1, 320), weights["fc1.weight"], weights["fc1.bias"]))
    assert torch.equal(model(x), functional.linear(h, weights["fc2.weight"], weights["fc2.bias"]))


def test_the_last_layer_of_the_small_cnn_starts_at_zero() -> None:
    model = build("small-cnn", shape=IMAGE, outputs=10)
    assert not model(torch.rand(2, *IMAGE)).any()
    assert model.state_dict()["conv4.weight"].std() > 0.05


@pytest.mark.parametrize("name", SMALL)
def test_first_weights_depend_on_the_seed_alone(name: str) -> None:
    torch.manual_seed(1)
    state = torch.get_rng_state()
    one, two, other = (build(name, shape=(1, 8, 8), outputs=3, seed=seed).state_dict() for seed in (5, 5, 6))
    assert torch.equal(state, torch.get_rng_state())
    torch.manual_seed(2)
    again = build(name, shape=(1, 8, 8), outputs=3, seed=5).state_dict()
    assert all(torch.equal(one[k], two[k]) and torch.equal(one[k], again[k]) for k in one)
    assert any(not torch.equal(one[k], other[k]) for k in one)


def test_normalisation_is_the_first_layer() -> None:
    x = torch.rand(4, 3, 8, 8)
    plain = build("net", shape=(3, 8, 8), outputs=2, seed=1).eval()
    mean, deviation = (0.1, 0.2, 0.3), (0.5, 0.6, 0.7)
    model = build("net", shape=(3, 8, 8), outputs=2, seed=1, normalise=(mean, deviation)).eval()
    by_hand = torch.stack([(x[:, c] - mean[c]) / deviation[c] for c in range(3)], dim=1)
    assert torch.allclose(model(x), plain(by_hand), atol=1e-6)
    assert parameter_count(model) == parameter_count(plain)
    point = build("linear", shape=(2,), outputs=1, normalise=(0.5, 0.25))
    assert torch.equal(point[0](torch.tensor([[1.0, 0.5]])), torch.tensor([[2.0, 0.0]]))
    with pytest.raises(ValueError, match="deviation 0 is out of range"):
        Normalise(0, 0)


def test_options_reach_the_builder() -> None:
    model = build("mlp", shape=(1, 8, 8), outputs=2, width=7, depth=3)
    assert [layer.out_features for layer in model if isinstance(layer, nn.Linear)] == [7, 7, 7, 2]


def test_an_architecture_survives_json() -> None:
    first = build("mlp", shape=(1, 8, 8), outputs=2, seed=4, width=5, normalise=((0.5,), (0.25,))).architecture
    again = Architecture.from_json(json.loads(json.dumps(first.to_json())))
    a, b = first.build(4).state_dict(), again.build(4).state_dict()
    assert a.keys() == b.keys()
    assert all(torch.equal(a[k], b[k]) for k in a)
    assert again.to_json() == first.to_json()


@pytest.mark.parametrize(
    ("name", "shape", "outputs", "options", "sentence"),
    [
        ("nett", IMAGE, 10, {}, "model 'nett' is unknown; allowed are net, small-cnn, mlp, linear"),
        ("net", (2,), 10, {}, r"model 'net' takes images \(C, H, W\)"),
        ("small-cnn", (1, 3, 3), 10, {}, "from 4 x 4 pixels"),
        ("net", IMAGE, 0, {}, "to 0 outputs is none"),
        ("mlp", (2,), 1, {"width": 0}, "width 0 and depth 2 are out of range"),
        ("mlp", (2,), 1, {"wdith": 3}, "model 'mlp' has no such option"),
    ],
)
def test_what_cannot_be_built_is_said(
    name: str, shape: tuple[int, ...], outputs: int, options: dict[str, int], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        build(name, shape=shape, outputs=outputs, **options)

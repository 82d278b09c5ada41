"""The papers' networks: parameters counted by hand and against published tables, shapes at the papers' input sizes."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import nn

from deep.architectures import BUILDERS, ImageGenerator, PointGenerator, generator
from deep.attack import Threat
from deep.certify import margin_bounds
from deep.models import build, parameter_count
from deep.scores import margin

MNIST, CIFAR, IMAGENET = (1, 28, 28), (3, 32, 32), (3, 224, 224)


def on_paper(name: str, shape: tuple[int, ...], outputs: int, **options: int) -> nn.Sequential:
    """The network without memory for its weights."""
    with torch.device("meta"):
        return nn.Sequential(*[layer for _, layer in BUILDERS[name](shape, outputs, **options)])


# ---- parameters, counted by hand ----


def conv(a: int, b: int, k: int, bias: bool = True) -> int:
    return a * b * k * k + bias * b


def dense(a: int, b: int) -> int:
    return a * b + b


def sense(q: int) -> int:
    """28 -> 24 -> 12 -> 8 -> 4."""
    a, b, c = 2 ** (q - 1), 2**q, 2 ** (q + 4)
    return conv(1, a, 5) + conv(a, b, 5) + dense(16 * b, c) + dense(c, 10)


def resnet(blocks: tuple[int, ...], bottleneck: bool, outputs: int, stem: int) -> int:
    """Convolutions without offsets, two numbers a channel of each normalisation."""
    total, now = conv(3, 64, stem, False) + 2 * 64, 64
    for group, count in enumerate(blocks):
        inner, after = 64 * 2**group, 64 * 2**group * (4 if bottleneck else 1)
        for k in range(count):
            if bottleneck:
                total += conv(now, inner, 1, False) + conv(inner, inner, 3, False) + conv(inner, after, 1, False)
                total += 2 * (2 * inner + after)
            else:
                total += conv(now, inner, 3, False) + conv(inner, inner, 3, False) + 4 * inner
            total += (conv(now, after, 1, False) + 2 * after) * (k == 0 and (now != after or group > 0))
            now = after
    return total + dense(now, outputs)


def pre_activated(widen: int, shortcuts: bool) -> int:
    """Five blocks in each of three groups; a block normalises its input and its middle."""
    total, now = conv(3, 16, 3, False), 16
    for group in range(3):
        filters = 16 * widen * 2**group
        for _ in range(5):
            total += conv(now, filters, 3, False) + conv(filters, filters, 3, False) + 2 * now + 2 * filters
            total += conv(now, filters, 1, False) * (shortcuts and now != filters)
            now = filters
    return total + 2 * now + dense(now, 10)


FILTERS = (3, 64, 128, 128, 256, 256, 512, 10)
COUNTS = [
    *[(f"sense-{q}", MNIST, 10, {}, sense(q)) for q in range(1, 6)],
    ("odds-cnn", MNIST, 10, {}, conv(1, 32, 5) + conv(32, 64, 5) + dense(7 * 7 * 64, 1024) + dense(1024, 10)),
    ("odds-resnet", CIFAR, 10, {}, pre_activated(1, False)),
    ("wrn-32-10", CIFAR, 10, {}, pre_activated(10, False)),
    ("wrn-34-10", CIFAR, 10, {}, pre_activated(10, True)),
    ("conv-pool-cnn", CIFAR, 10, {}, sum(conv(a, b, 3) for a, b in itertools.pairwise(FILTERS))),
    ("resnet-18", CIFAR, 10, {}, resnet((2, 2, 2, 2), False, 10, 3)),
    ("resnet-18", IMAGENET, 1000, {}, resnet((2, 2, 2, 2), False, 1000, 7)),
    ("resnet-50", IMAGENET, 1000, {}, resnet((3, 4, 6, 3), True, 1000, 7)),
    ("resnet-101", IMAGENET, 1000, {}, resnet((3, 4, 23, 3), True, 1000, 7)),
    ("resnet-152", IMAGENET, 1000, {}, resnet((3, 8, 36, 3), True, 1000, 7)),
]


@pytest.mark.parametrize(("name", "shape", "outputs", "options", "count"), COUNTS, ids=lambda value: str(value)[:18])
def test_parameters_are_counted(
    name: str, shape: tuple[int, ...], outputs: int, options: dict[str, int], count: int
) -> None:
    model = on_paper(name, shape, outputs, **options)
    assert parameter_count(model) == count
    assert model(torch.zeros(2, *shape, device="meta")).shape == (2, outputs)


def test_every_network_is_counted() -> None:
    assert {name for name, *_ in COUNTS} == set(BUILDERS)


@pytest.mark.parametrize(
    ("name", "published"),
    [("resnet-18", 11_689_512), ("resnet-50", 25_557_032), ("resnet-101", 44_549_160), ("resnet-152", 60_192_808)],
)
def test_residual_networks_have_the_parameters_of_the_public_ones(name: str, published: int) -> None:
    """Those of torchvision, as its documentation gives them."""
    assert parameter_count(on_paper(name, IMAGENET, 1000)) == published


def test_sense_and_odds_count_as_published() -> None:
    assert parameter_count(on_paper("odds-cnn", MNIST, 10)) == 3_274_634  # the TensorFlow tutorial's
    assert parameter_count(on_paper("wrn-34-10", CIFAR, 10)) == 46_160_474  # 46.16 million (Zagoruyko and Komodakis)


# ---- a forward pass ----


@pytest.mark.parametrize(
    ("name", "shape", "options"),
    [
        ("sense-1", MNIST, {}), ("sense-5", MNIST, {}), ("odds-cnn", MNIST, {}), ("odds-resnet", CIFAR, {}),
        ("conv-pool-cnn", CIFAR, {}), ("resnet-18", CIFAR, {}), ("wrn-34-10", CIFAR, {"widen": 1}),
        ("wrn-34-10", CIFAR, {"depth": 10, "widen": 10}), ("resnet-50", (3, 64, 64), {"width": 16}),
        ("sense-3", (1, 8, 8), {}), ("odds-cnn", (1, 14, 14), {}), ("resnet-18", (3, 8, 8), {"width": 8}),
        ("conv-pool-cnn", (1, 8, 8), {"width": 4}), ("odds-resnet", (1, 28, 28), {}),
    ],
)  # fmt: skip
def test_every_network_answers_a_row_a_sample(name: str, shape: tuple[int, ...], options: dict[str, int]) -> None:
    model = build(name, shape=shape, outputs=10, **options).eval()
    x = torch.rand(2, *shape)
    with torch.no_grad():
        z = model(x)
        assert torch.allclose(model(x[1:]), z[1:], atol=1e-4)
    assert z.shape == (2, 10)
    assert bool(z.isfinite().all())
    assert not torch.equal(z[0], z[1])


def test_the_names_stand_for_their_width() -> None:
    assert parameter_count(on_paper("odds-resnet", CIFAR, 10, widen=10)) == parameter_count(
        on_paper("wrn-32-10", CIFAR, 10)
    )


def test_images_are_standardised_before_odds_resnet() -> None:
    model = build("odds-resnet", shape=(3, 16, 16), outputs=2).eval()
    x = torch.rand(3, 3, 16, 16)
    with torch.no_grad():
        assert torch.allclose(model(x), model(0.3 * x + 0.2), atol=1e-4)
        assert bool(model(torch.full((1, 3, 16, 16), 0.7)).isfinite().all())
    standard = model[0](x)
    assert torch.allclose(standard.flatten(1).mean(1), torch.zeros(3), atol=1e-5)
    assert torch.allclose(standard.flatten(1).square().mean(1), torch.ones(3), atol=1e-4)


def test_shortcuts_pool_and_pad() -> None:
    model = build("odds-resnet", shape=(1, 8, 8), outputs=2)
    shortcut = dict(model.named_children())["group2_1"].shortcut
    x = torch.rand(1, 16, 8, 8)
    found = shortcut(x)
    assert found.shape == (1, 32, 4, 4)
    assert torch.allclose(found[:, 8:24], nn.functional.avg_pool2d(x, 2))
    assert not bool(found[:, :8].any())
    assert not bool(found[:, 24:].any())


def test_a_small_residual_network_can_be_certified() -> None:
    model = build("resnet-18", shape=(1, 8, 8), outputs=3, width=2).eval()
    x, y = torch.rand(2, 1, 8, 8), torch.tensor([0, 2])
    with torch.no_grad():
        exact = margin(model(x), y)
        assert bool((margin_bounds(model, x, y, Threat(1e-4), "ibp") <= exact).all())


# ---- the generator ----


@pytest.mark.parametrize("classes", [10, 100])
def test_the_generator_is_that_of_table_1(classes: int) -> None:
    with torch.device("meta"):
        made = generator(CIFAR, classes)
        inputs = torch.zeros(2, *CIFAR), torch.zeros(2, *CIFAR), torch.zeros(2, classes)
        assert made(*inputs).shape == (2, *CIFAR)
    up = [(128 + classes, 128), (128 + classes, 128), (128 + 6, 128), (128, 3)]
    count = dense(classes, 1024) + dense(1024 + classes, 8192) + sum(conv(a, b, 3) for a, b in up)
    assert parameter_count(made) == count


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 14, 14), (1, 8, 8), (2, 5, 7)])
def test_a_generator_answers_an_image(shape: tuple[int, ...]) -> None:
    made = ImageGenerator(shape, 3, width=4, hidden=8)
    x, label = torch.rand(2, *shape), torch.eye(3)[:2]
    assert torch.equal(made(x, x, label), torch.zeros(2, *shape))
    with torch.no_grad():
        made.up4.weight.normal_()
    whole = made(x, x, label)
    for other in (made(2 * x, x, label), made(x, 2 * x, label), made(x, x, label.flip(0))):
        assert not torch.equal(other, whole)


def test_a_generator_answers_a_point() -> None:
    made = PointGenerator((3,), 2, hidden=8)
    x, label = torch.rand(5, 3), torch.eye(2)[[0, 1, 1, 0, 1]]
    assert torch.equal(made(x, x, label), torch.zeros(5, 3))
    assert parameter_count(made) == dense(8, 8) + dense(8, 8) + dense(8, 3)


@pytest.mark.parametrize(
    ("name", "shape", "options", "message"),
    [
        ("sense-6", MNIST, {}, "model 'sense-6' is unknown; allowed are net"),
        ("sense-5", (2,), {}, r"model 'sense' takes images \(C, H, W\) from 8 x 8 pixels"),
        ("wrn-34-10", CIFAR, {"depth": 32}, "depth 32 is out of range; allowed are 10, 16"),
        ("resnet-18", CIFAR, {"width": 0}, "width 0 is out of range"),
        ("resnet-50", (3, 4, 4), {}, "takes images"),
        ("odds-resnet", CIFAR, {"units": 0}, "units 0 is out of range"),
        ("conv-pool-cnn", (1, 6, 6), {}, "from 8 x 8 pixels"),
        ("odds-cnn", MNIST, {"q": 3}, "has no such option"),
    ],
)
def test_bad_input(name: str, shape: tuple[int, ...], options: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(name, shape=shape, outputs=10, **options)
    with pytest.raises(ValueError, match="width 0 is out of range"):
        generator(CIFAR, 10, width=0)


def test_first_weights_depend_on_the_seed_alone() -> None:
    for name in ("odds-resnet", "resnet-18", "sense-2"):
        one, two, other = (build(name, shape=(1, 8, 8), outputs=3, seed=seed).state_dict() for seed in (5, 5, 6))
        assert all(torch.equal(one[k], two[k]) for k in one)
        assert any(not torch.equal(one[k], other[k]) for k in one)
        deviation = one["stem.weight" if "stem.weight" in one else "conv1.weight"].std()
        assert math.isfinite(float(deviation))

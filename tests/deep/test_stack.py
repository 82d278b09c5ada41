"""A stack of networks answers, and trains, as its networks do one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from deep.certify import ibp
from deep.fit import Recipe, fit
from deep.images import digits
from deep.models import build
from deep.objectives import PGDAT, TRADES, BinaryTRADES, Method, Natural
from deep.stack import Stack, Streams, Together
from deep.stream import Stream

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

IMAGES = digits("train").only(1, 3).first(50)
SHAPE = IMAGES.shape


def nets(name: str = "mlp", outputs: int = 2) -> list[nn.Module]:
    return [build(name, shape=SHAPE, outputs=outputs, seed=seed, normalise=(0.5, 0.25)) for seed in range(3)]


def weights(model: nn.Module) -> Tensor:
    return torch.cat([value.flatten() for value in model.state_dict().values()])


def normalised() -> list[nn.Module]:
    models = []
    for seed in range(3):
        torch.manual_seed(seed)
        models.append(nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 2)))
    return models


@pytest.mark.parametrize(
    ("kind", "training"),
    [("net", False), ("small-cnn", False), *[(k, t) for k in ("mlp", "linear", "batch-norm") for t in (False, True)]],
)
def test_outputs_and_gradients_are_those_of_the_networks(kind: str, training: bool) -> None:
    models = normalised() if kind == "batch-norm" else nets(kind)
    for model in models:
        if kind == "small-cnn":
            nn.init.normal_(model.get_parameter("fc3.weight"))
        model.train(training)
    stack = Stack(models).train(training)
    x = torch.rand(3 * 4, *SHAPE, requires_grad=True)
    z, parts = stack(x), torch.cat([model(block) for model, block in zip(models, x.chunk(3), strict=True)])
    assert torch.allclose(z, parts, atol=1e-5)
    pull = torch.rand_like(z)
    grads = torch.autograd.grad((z * pull).sum(), [x, *stack.parameters()])
    of_parts = torch.autograd.grad((parts * pull).sum(), [x, *(p for model in models for p in model.parameters())])
    assert torch.allclose(grads[0], of_parts[0], atol=1e-5)
    count = len(list(stack.parameters()))
    for k, grad in enumerate(grads[1:]):
        assert torch.allclose(grad, torch.stack(of_parts[1 + k :: count]), atol=1e-4), k
    for model, copy in zip(models, stack.split(), strict=True):  # running statistics too
        assert all(torch.allclose(v, copy.state_dict()[k]) for k, v in model.state_dict().items())
        assert copy.training == training


def test_a_stack_is_split_into_networks_of_their_own() -> None:
    models = nets("net")
    stack = Stack(models)
    before = weights(models[1])
    copies = stack.split()
    assert all(torch.equal(weights(a), weights(b)) for a, b in zip(models, copies, strict=True))
    assert copies[1].architecture == models[1].architecture
    with torch.no_grad():
        for p in stack.parameters():
            p.zero_()
    assert torch.equal(weights(models[1]), before)
    assert torch.equal(weights(copies[1]), before)


def test_dropout_draws_a_mask_for_every_network() -> None:
    stack = Stack([nn.Sequential(nn.Dropout(0.5), nn.Linear(8, 2)) for _ in range(2)]).train()
    same = torch.ones(2 * 30, 8)
    with torch.no_grad():
        for p in stack.parameters():
            p.fill_(1.0)
    first, second = stack(same).chunk(2)
    assert not torch.equal(first, second)
    assert any(isinstance(module, nn.Dropout) for module in stack.modules())


def test_other_functions_of_networks_work_on_all_of_them() -> None:
    models = [model.eval() for model in nets("net")]
    x = torch.rand(3 * 4, *SHAPE)
    lower, upper = Stack(models).eval().map(lambda model, block: ibp(model, block, 0.1), x)
    for model, block, low, high in zip(models, x.chunk(3), lower.chunk(3), upper.chunk(3), strict=True):
        expected = ibp(model, block, 0.1)
        assert torch.allclose(low, expected[0], atol=1e-4)
        assert torch.allclose(high, expected[1], atol=1e-4)


def test_streams_draw_for_each_run_what_its_own_stream_draws() -> None:
    seeds, index = (4, 9), torch.tensor([3, 1, 4, 1, 5, 9])
    together = Streams.of([Stream(seed) for seed in seeds]).child("noise", 2)
    blocks = [Stream(seed).child("noise", 2) for seed in seeds]
    for draw in ("uniform", "normal"):
        parts = [getattr(s, draw)(i, (2, 3)) for s, i in zip(blocks, index.chunk(2), strict=True)]
        assert torch.equal(getattr(together, draw)(index, (2, 3)), torch.cat(parts))
    alike = Streams.of([Stream(4), Stream(4)])
    assert torch.equal(alike.integers(index, 100), Stream(4).integers(index, 100))


METHODS: dict[str, list[Method]] = {
    "natural": [Natural()] * 3,
    "pgd-at": [PGDAT(0.1, 3)] * 3,
    "trades": [TRADES(0.1, lam, 3) for lam in (0.2, 1.0, 5.0)],
    "binary-trades": [BinaryTRADES(0.1, lam, 5) for lam in (2.0, 3.0, 8.0)],
    "margin-trades": [BinaryTRADES(0.1, lam, 5, adversary="margin") for lam in (2.0, 3.0, 8.0)],
}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_training_a_stack_is_training_its_networks(name: str, optimizer: str) -> None:
    methods, outputs = METHODS[name], 1 if "-trades" in name else 2
    # 50 images in batches of 16: the last batch is smaller.
    recipe = Recipe(2, 16, 0.05 if optimizer == "sgd" else 0.002, weight_decay=0.01, optimizer=optimizer, ema=0.9)
    stack = fit(Stack(nets(outputs=outputs)), Together(tuple(methods)), IMAGES, replace(recipe, seed=(0, 1, 2)))
    assert stack.ema is not None
    rows = []
    for seed, (model, method) in enumerate(zip(nets(outputs=outputs), methods, strict=True)):
        alone = fit(model, method, IMAGES, replace(recipe, seed=seed))
        assert alone.ema is not None
        moved = (weights(alone.model) - weights(nets(outputs=outputs)[seed])).abs().max()
        assert moved > 0.01
        assert torch.allclose(weights(stack.model.split()[seed]), weights(alone.model), atol=1e-3 * float(moved))
        assert torch.allclose(weights(stack.ema.split()[seed]), weights(alone.ema), atol=1e-3 * float(moved))
        rows.append(alone.history[-1]["loss"])
    assert stack.history[-1]["loss"] == pytest.approx(sum(rows) / 3, rel=1e-4)


def test_a_stack_resumes_to_the_same_bytes(tmp_path: Path) -> None:
    together = Together(tuple(METHODS["trades"]))
    recipe = Recipe(2, 16, seed=(0, 1, 2))

    def stop(epoch: int, model: nn.Module) -> None:
        if epoch == 1:
            raise InterruptedError

    fit(Stack(nets()), together, IMAGES, recipe, folder=tmp_path / "whole")
    with pytest.raises(InterruptedError):
        fit(Stack(nets()), together, IMAGES, recipe, folder=tmp_path / "cut", on_epoch=stop)
    assert fit(Stack(nets()), together, IMAGES, recipe, folder=tmp_path / "cut").steps == 4
    one, two = ((tmp_path / name / "checkpoint.safetensors").read_bytes() for name in ("whole", "cut"))
    assert one == two


def test_what_cannot_be_stacked_is_said() -> None:
    with pytest.raises(ValueError, match="differ in more than their weights"):
        Stack([build("mlp", shape=SHAPE, outputs=2, width=w) for w in (3, 4)])
    with pytest.raises(ValueError, match="differ in more than their weights"):
        Stack([nn.Sequential(nn.Linear(2, 2), nn.ReLU()), nn.Sequential(nn.Linear(2, 2), nn.Tanh())])
    with pytest.raises(ValueError, match="differ in more than their weights"):
        Stack([])
    with pytest.raises(ValueError, match="7 rows are no 3 blocks of equal length"):
        Stack(nets())(torch.rand(7, *SHAPE))
    with pytest.raises(ValueError, match=r"methods \['natural', 'pgd-at'\] are of several kinds"):
        Together((Natural(), PGDAT(0.1)))
    with pytest.raises(ValueError, match="trades takes one eps, step_size for all samples"):
        Together((TRADES(0.1), TRADES(0.2)))
    with pytest.raises(ValueError, match=r"seeds \(0, 1\) are given for 3 networks"):
        fit(Stack(nets()), Natural(), IMAGES, Recipe(1, seed=(0, 1)))

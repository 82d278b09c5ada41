"""Attacks against those of foolbox and ART, where the algorithms coincide: within one image of 200."""

from __future__ import annotations

import math
import warnings
from typing import Any

import pytest
import torch

from deep.attack import FGSM, MIFGSM, PGD, DeepFool, Threat, attack
from deep.fit import Recipe, fit
from deep.images import digits
from deep.models import build
from deep.objectives import Natural
from deep.scores import wrong
from deep.stream import Stream

EPS = 0.1


def optional(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name, reason=f"optional oracle: {name} is not installed")


@pytest.fixture(scope="module")
def foolbox():
    return optional("foolbox")


@pytest.fixture(scope="module")
def art():
    return optional("art.attacks.evasion")


@pytest.fixture(scope="module")
def judged():
    """A network, 200 test digits, and how many of them it errs on at given points."""
    train, test = digits(), digits("test").first(200)
    model = build("mlp", shape=train.shape, outputs=10, seed=0, width=32, depth=1)
    fit(model, Natural(), train, Recipe(5, 64, 0.05), progress=False)
    x, y = test.batch(slice(None)), test.y

    def errors(points):
        with torch.no_grad():
            return int((wrong(model(points), y) | wrong(model(x), y)).sum())

    return model, x, y, errors


def ours(judged, how, **options):
    model, x, y, _ = judged
    return attack(model, x, y, how, **{"eps": EPS, **options})


def foolbox_points(foolbox, judged, make, eps=EPS):
    model, x, y, _ = judged
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")
        torch.manual_seed(0)
        _, clipped, _ = make(foolbox.attacks)(net, x, y, epsilons=eps)
    return clipped


def test_fgsm_as_foolbox(foolbox, judged):
    points = foolbox_points(foolbox, judged, lambda attacks: attacks.FGSM(random_start=False))
    found = ours(judged, FGSM())
    assert abs(judged[3](points) - found.count) <= 1
    moved = found.distance > 0  # ours leaves errors, and points whose loss the step would lower
    assert int(moved.sum()) > 150
    assert torch.allclose(points[moved], found.x[moved], atol=1e-6)


@pytest.mark.parametrize("start", ["point", "uniform"])
def test_pgd_40_as_foolbox(foolbox, judged, start):
    def make(attacks):
        class Started(attacks.LinfPGD):
            def get_random_start(self, x0, epsilon):
                from eagerpy import astensor

                return astensor(Threat(epsilon).start(judged[1], Stream(0).child("restart", 0), torch.arange(200)))

        return Started(rel_stepsize=1 / 30, steps=40, random_start=start == "uniform")

    points = foolbox_points(foolbox, judged, make)
    # foolbox moves what the network errs on, too
    found = ours(judged, PGD(40, step_size=EPS / 30, best=False, stop=False, start=start), skip=False)
    assert abs(judged[3](points) - found.count) <= 1
    # step by step the same, but for gradients so near to 0 that their signs are a matter of rounding
    assert int(((points - found.x).abs() > 1e-5).flatten(1).any(1).sum()) <= 4


@pytest.mark.parametrize("ord", [2.0, math.inf])
def test_deepfool_as_foolbox(foolbox, judged, ord):
    name = "L2DeepFoolAttack" if ord == 2 else "LinfDeepFoolAttack"
    eps = 0.5 if ord == 2 else 0.1
    points = foolbox_points(
        foolbox, judged, lambda attacks: getattr(attacks, name)(steps=50, overshoot=0.02, candidates=10), eps=None
    )
    model, x, y, _ = judged
    found = attack(model, x, y, DeepFool(50, 0.02, ord=ord), ord=ord)
    away = torch.linalg.vector_norm((points - x).flatten(1), ord, dim=1)
    assert 20 < int((found.distance <= eps).sum()) < 180
    assert abs(int((away <= eps).sum()) - int((found.distance <= eps).sum())) <= 1


def test_pgd_l2_as_foolbox(foolbox, judged):
    points = foolbox_points(foolbox, judged, lambda attacks: attacks.L2PGD(rel_stepsize=1 / 20, steps=40), eps=0.5)
    found = ours(judged, PGD(40, step_size=0.5 / 20, best=False, stop=False), eps=0.5, ord=2)
    assert abs(judged[3](points) - found.count) <= 1


def art_points(art, judged, name, **options):
    from art.estimators.classification import PyTorchClassifier

    model, x, y, _ = judged
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loss = torch.nn.CrossEntropyLoss()
        shape: dict[str, Any] = {"input_shape": (1, 8, 8), "nb_classes": 10, "clip_values": (0, 1)}
        net = PyTorchClassifier(model, loss, device_type="cpu", **shape)
        made = getattr(art, name)(net, **options).generate(x.numpy(), y.numpy())
    return torch.from_numpy(made)


def test_mi_fgsm_as_art(art, judged):
    # foolbox's does not divide gradients by their l1 norm, as the paper does
    options = {"eps": EPS, "eps_step": EPS / 10, "decay": 1.0, "max_iter": 10, "verbose": False}
    points = art_points(art, judged, "MomentumIterativeMethod", **options)
    found = ours(judged, MIFGSM(10), skip=False)
    assert abs(judged[3](points) - found.count) <= 1

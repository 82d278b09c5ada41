"""Objectives: their formulas by another route, finite gradients, the dead zone and the adversary without one."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from deep.attack import Threat
from deep.attack.losses import KL, LOSSES, MARGIN_TO_SELF, Surrogate
from deep.images import Images
from deep.objectives import METHODS, Batch, BinaryTRADES, method
from deep.objectives.method import adversary, both, outputs
from deep.objectives.trades import kl, soft_cross_entropy
from deep.stream import Stream
from deep.surrogates import phi
from theory.loss import LOSSES as THEORY


def _batch(n=40, d=6, classes=2, seed=0):
    draw = torch.Generator().manual_seed(seed)
    x, y = torch.rand(n, d, generator=draw), torch.randint(0, classes, (n,), generator=draw)
    return Batch(x, y, torch.arange(n), 0, 0.5, Stream(seed))


def _network(outputs, d=6, seed=0, scale=1.0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = nn.Sequential(nn.Linear(d, 12), nn.ReLU(), nn.Linear(12, outputs))
    with torch.no_grad():
        net[2].weight *= scale
        net[2].bias *= scale
    return net


# ---- surrogates ----


@pytest.mark.parametrize("name", sorted(THEORY))
def test_phi_is_that_of_theory(name):
    u = np.concatenate([np.linspace(-3, 3, 49), [-60.0, -1e-9, 0.0, 1e-9, 60.0]])
    t = torch.tensor(u, dtype=torch.float64, requires_grad=True)
    value = phi(name)(t)
    exact = THEORY[name].phi(u)
    assert value.detach().numpy() == pytest.approx(exact, rel=1e-12, abs=1e-15)
    value.sum().backward()
    assert bool(torch.isfinite(t.grad).all())
    if THEORY[name].non_increasing:
        assert float(t.grad.max()) <= 0
    inner = (np.abs(u[:49] * 8 - np.round(u[:49] * 8)) < 1e-12) & (np.abs(u[:49] * 2 - np.round(u[:49] * 2)) > 1e-6)
    h = 1e-6
    slope = (THEORY[name].phi(u[:49] + h) - THEORY[name].phi(u[:49] - h)) / (2 * h)
    assert t.grad[:49].numpy()[inner] == pytest.approx(slope[inner], rel=1e-4, abs=1e-6)


def test_an_unknown_surrogate_names_the_known():
    with pytest.raises(ValueError, match="'hing' is unknown"):
        phi("hing")


# ---- divergences ----


def test_kl_is_torchs_and_the_cross_entropy_differs_by_the_entropy():
    draw = torch.Generator().manual_seed(0)
    z0, z = torch.randn(30, 5, generator=draw), torch.randn(30, 5, generator=draw)
    expected = F.kl_div(z.log_softmax(1), z0.log_softmax(1), log_target=True, reduction="none").sum(1)
    assert torch.allclose(kl(z0, z), expected, atol=1e-6)
    entropy = -(z0.softmax(1) * z0.log_softmax(1)).sum(1)
    assert torch.allclose(soft_cross_entropy(z0, z), kl(z0, z) + entropy, atol=1e-5)
    assert torch.allclose(kl(z, z), torch.zeros(30), atol=1e-6)


def test_gradients_are_finite_where_a_softmax_underflows():
    z0 = torch.tensor([[300.0, 0.0, 0.0]], requires_grad=True)
    z = torch.tensor([[-300.0, 0.0, 0.0]], requires_grad=True)
    kl(z0, z).sum().backward()
    assert bool(torch.isfinite(z0.grad).all() and torch.isfinite(z.grad).all())
    # by way of probabilities the gradient in z0 is NaN there: what this form is for
    bad = torch.tensor([[300.0, 0.0, 0.0]], requires_grad=True)
    F.kl_div(z.detach().log_softmax(1), bad.softmax(1), reduction="sum").backward()
    assert bool(torch.isnan(bad.grad).any())


@given(seed=st.integers(0, 1000), outputs=st.sampled_from([1, 2, 4]))
def test_seeds_are_gradients(seed, outputs):
    draw = torch.Generator().manual_seed(seed)
    z, z0 = (torch.randn(6, outputs, generator=draw, dtype=torch.float64) for _ in range(2))
    y = torch.randint(0, max(outputs, 2), (6,), generator=draw)
    losses = [LOSSES[name] for name in ("ce", "kl", "margin", "margin-to-self", "logistic")]
    losses += [Surrogate(phi("sigmoid"))] if outputs == 1 else []
    for loss in losses:
        seed_, h = loss.seed(z, y, z0), 1e-6
        for k in range(outputs):
            e = torch.zeros_like(z)
            e[:, k] = h
            slope = (loss.value(z + e, y, z0) - loss.value(z - e, y, z0)) / (2 * h)
            assert torch.allclose(seed_[:, k], slope, atol=1e-5)


# ---- objectives ----


def test_every_method_is_made_and_gives_a_gradient():
    free = {"natural": {}, "pgn": {}, "gradient-regularised": {}, "noise-regularised": {"sigma": 0.1}}
    for name in METHODS:
        known = free.get(name, {"eps": 0.1})
        made = method(name, **known)
        assert made.name == name
        binary = "binary" in name or "margin" in name or "certified" in name
        net, batch = _network(1 if binary else 3), _batch(classes=2 if binary else 3)
        images = Images.new(batch.x, batch.y)
        loss, statistics = made.loss(net, batch, made.prepare(net, images, Stream(0)))
        loss.backward()
        assert float(statistics["loss"]) == pytest.approx(float(loss.detach()))
        assert all(p.grad is not None and bool(torch.isfinite(p.grad).all()) for p in net.parameters())


def test_eps_zero_is_natural_training():
    net, batch = _network(3), _batch(classes=3)
    natural, _ = method("natural").loss(net, batch, None)
    for name in ("pgd-at", "trades"):
        loss, _ = method(name, eps=0.0).loss(net, batch, None)
        assert loss.item() == pytest.approx(natural.item(), abs=1e-6)


def test_trades_on_a_linear_score_is_its_closed_form():
    """For phi(f(x') f(x) / lam) and a linear f off the box, min sign(f) f(x') = |f(x)| - eps |w|_1."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        net = nn.Linear(6, 1)
    batch = _batch()
    batch = Batch(batch.x * 0.4 + 0.3, batch.y, batch.index, 0, 0.5, batch.stream)
    f = net(batch.x)[:, 0]
    least = f.abs() - 0.1 * net.weight.abs().sum()
    signs = 2 * batch.y - 1
    for lam in (0.5, 2.0):
        for surrogate in ("hinge", "logistic", "sigmoid", "exponential"):
            price = phi(surrogate)
            truth = (price(f * signs) + price(least * f.abs() / lam)).mean()
            made = method("margin-trades", eps=0.1, lam=lam, surrogate=surrogate, steps=20)
            loss, _ = made.loss(net, batch, None)
            assert float(loss.detach()) == pytest.approx(float(truth.detach()), rel=1e-5)


def test_the_hinge_has_a_dead_zone_and_the_margin_adversary_none():
    net, batch = _network(1, scale=8.0), _batch(n=200)
    f = outputs(net, batch.x)[:, 0]
    lam = float(f.square().median())  # half of the samples have f(x) f(x) > lam
    threat = Threat(0.1)
    start = batch.x + 1e-3 * batch.stream.child("start").normal(batch.index, (6,))
    options = {"steps": 20, "step_size": 0.0125, "start": "normal"}
    printed = adversary(net, batch, Surrogate(phi("hinge")), threat, z0=(f / lam)[:, None], **options)
    margin = adversary(net, batch, MARGIN_TO_SELF, threat, z0=f[:, None], **options)
    deep = f.square() > 1.5 * lam
    assert torch.allclose(printed[deep], start[deep].clamp(0, 1), atol=1e-6)  # it never left its start
    assert float((margin - batch.x).abs().amax(1)[deep].min()) > 0.09
    price = [phi("hinge")(outputs(net, x)[:, 0] * f / lam) for x in (printed, margin)]
    assert bool((price[1] >= price[0] - 1e-3).all())  # the same maximiser, found more often
    assert int(((price[0] == 0) & (price[1] > 0)).sum()) >= 10


def test_lam_may_be_one_a_sample():
    net, batch = _network(1), _batch()
    lam = torch.where(batch.index % 2 == 0, 0.5, 3.0)
    each = [BinaryTRADES(0.1, value, steps=5).loss(net, batch, None)[0].item() for value in (0.5, 3.0)]
    mixed = BinaryTRADES(0.1, lam, steps=5).loss(net, batch, None)[0].item()
    assert min(each) < mixed < max(each)


def test_certified_trades_bounds_what_an_attack_finds():
    net, batch = _network(1), _batch()
    batch = Batch(batch.x, batch.y, batch.index, 3, 0.9, batch.stream)  # after the ramp
    for surrogate in ("hinge", "logistic"):
        certified, _ = method("certified-trades", eps=0.1, lam=2.0, surrogate=surrogate).loss(net, batch, None)
        attacked, _ = method("margin-trades", eps=0.1, lam=2.0, surrogate=surrogate).loss(net, batch, None)
        assert certified.item() >= attacked.item() - 1e-6


def test_a_wrapped_network_is_called_once():
    class Wrapper(nn.DataParallel):
        calls = 0

        def forward(self, x):
            self.calls += 1
            return self.module(x)

    net, batch = _network(3), _batch(classes=3)
    wrapper = Wrapper(net)
    one, _ = method("trades", eps=0.1).loss(wrapper, batch, None)
    two, _ = method("trades", eps=0.1).loss(net, batch, None)
    assert wrapper.calls == 1
    assert one.item() == pytest.approx(two.item(), rel=1e-5)
    z, z_moved = both(wrapper, batch.x, batch.x)
    assert torch.allclose(z, z_moved)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: method("tardes", eps=0.1), "method 'tardes' is unknown; allowed are natural"),
        (lambda: method("natural", eps=0.1), "method 'natural' has no option 'eps'"),
        (lambda: method("trades"), "method 'trades' lacks an option"),
        (lambda: method("trades", eps=-1.0), "eps -1.0 is out of range"),
        (lambda: method("trades", eps=math.nan), "eps nan is out of range"),
        (lambda: method("trades", eps=0.1, lam=0.0), "lam 0.0 is out of range"),
        (lambda: method("trades", eps=0.1, steps=0), "steps 0 is out of range"),
        (lambda: method("trades", eps=0.1, divergence="l2"), "divergence 'l2' is unknown"),
        (lambda: method("binary-trades", eps=0.1, surrogate="none"), "loss 'none' is unknown"),
        (lambda: method("certified-trades", eps=0.1, ramp=2.0), "ramp 2.0 is out of range"),
        (lambda: method("binary-trades", eps=0.1).loss(_network(3), _batch(), None), "network has 3 outputs"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_the_kl_attack_is_that_of_the_cross_entropy():
    """They differ by the entropy of f(x), which no x' changes."""
    z0, z = torch.randn(5, 4), torch.randn(5, 4, requires_grad=True)
    (gradient,) = torch.autograd.grad(soft_cross_entropy(z0, z).sum(), z)
    assert torch.allclose(gradient, KL().seed(z.detach(), None, z0), atol=1e-6)

"""Looking at a network leaves no trace, whatever the network does and however the look ends."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from deep.purity import inner, untouched


class Meddler(nn.Module):
    """A layer that draws from the global random state and counts its calls in buffers, in evaluation mode too: one
    changed in place, one replaced.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("again", torch.zeros((), dtype=torch.int64))

    def forward(self, x):
        self.calls += 1
        self.again = self.again + 1
        return x + 0 * torch.rand(())


def _network():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), Meddler(), nn.Dropout(0.5), nn.Linear(6, 2))
    net[0].bias.requires_grad_(False)
    net[3].training = False  # a mixed state, to be kept as it is
    net(torch.rand(8, 4)).sum().backward()
    return net


def _look(net):
    return {
        "flags": [m.training for m in net.modules()],
        "buffers": [b.clone() for b in net.buffers()],
        "where": [id(b) for b in net.buffers()],
        "weights": [p.detach().clone() for p in net.parameters()],
        "asks": [p.requires_grad for p in net.parameters()],
        "grads": [None if p.grad is None else p.grad.clone() for p in net.parameters()],
        "random": torch.get_rng_state(),
        "mode": torch.is_grad_enabled(),
    }


def _same(a, b):
    if isinstance(a, dict):
        return all(_same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(_same, a, b))
    return torch.equal(a, b) if torch.is_tensor(a) else a == b


@pytest.mark.parametrize("context", [torch.enable_grad, torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_left_behind(context, fails):
    net = _network()
    before = copy.deepcopy(_look(net))
    with context():
        expected = torch.is_grad_enabled()
        try:
            with untouched(net) as seen:
                x = torch.rand(3, 4, requires_grad=True)
                (gradient,) = torch.autograd.grad(seen(x).sum(), x)
                assert gradient.shape == x.shape
                assert not any(m.training for m in seen.modules())
                if fails:
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            assert fails
        assert torch.is_grad_enabled() == expected
    assert _same(before, _look(net))


def test_wrappers_of_torch_are_seen_through_and_no_others():
    net = nn.Linear(1, 1)
    assert inner(nn.DataParallel(net)) is net
    assert inner(net) is net
    own = nn.Module()
    own.module = net
    assert inner(own) is own  # a network that holds another may do more than call it

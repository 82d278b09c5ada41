"""Attacks: the truth on linear networks, the contract of purity, the ball and the box, and what makes them shout."""

from __future__ import annotations

import copy
import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from deep.attack import (
    APGD,
    CW,
    FGSM,
    LBFGS,
    MIFGSM,
    PGD,
    AttackWarning,
    CWInf,
    DeepFool,
    Square,
    Threat,
    attack,
    health,
    smallest_eps,
    transfer,
    worst_case,
)
from deep.attack.gradient import ascend
from deep.attack.losses import LOSSES
from deep.purity import untouched
from deep.scores import margin, wrong
from deep.stack import Stack
from deep.stream import Stream

IN_BALL = [FGSM(), PGD(steps=8), PGD(steps=8, loss="margin", restarts=2, stop=False), MIFGSM(5), CWInf(8), APGD(10),
           APGD(10, loss="margin"), Square(30)]  # fmt: skip
NEAREST = [DeepFool(), CW(steps=20, searches=2), LBFGS(iterations=8, searches=2)]


def _data(n=24, d=6, classes=2, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.rand(n, d, generator=draw), torch.randint(0, classes, (n,), generator=draw), torch.arange(n)


def _network(outputs, d=6, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(d, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(0.5), nn.Linear(12, outputs))


def _linear(d=6, seed=1):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Linear(d, 1)


def _quietly(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AttackWarning)
        return attack(*args, **options)


# ---- the contract ----


@pytest.mark.parametrize("how", IN_BALL + NEAREST, ids=lambda how: f"{how.name}-{getattr(how, 'loss', '')}")
@pytest.mark.parametrize("outputs", [1, 2, 4])
def test_ball_box_purity_and_batches(how, outputs):
    net, (x, y, _) = _network(outputs), _data(classes=max(outputs, 2))
    net.train()
    net[0].bias.requires_grad_(False)
    net(x).sum().backward()
    flags = [m.training for m in net.modules()]
    state, grads = copy.deepcopy(net.state_dict()), [copy.deepcopy(p.grad) for p in net.parameters()]
    random, kept = torch.get_rng_state(), x.clone()
    eps = torch.linspace(0, 0.4, len(x))
    with torch.no_grad():
        whole = _quietly(net, x, y, how, eps=eps, stream=Stream(3))
    assert torch.equal(x, kept)
    assert torch.equal(random, torch.get_rng_state())
    assert flags == [m.training for m in net.modules()]
    assert all(torch.equal(state[key], value) for key, value in net.state_dict().items())
    assert [p.requires_grad for p in net.parameters()] == [True, False] + [True] * 4
    for grad, p in zip(grads, net.parameters(), strict=True):
        assert (grad is None and p.grad is None) or torch.equal(grad, p.grad)
    # the ball and the box, to one unit in the last place
    assert bool(((whole.x >= 0) & (whole.x <= 1)).all())
    over = (whole.x.double() - x.double()).abs().amax(1) - eps.double()
    assert float(over.max()) <= np.spacing(np.float32(1.0))
    # success is what the network says of the points
    net.eval()
    assert torch.equal(whole.success, wrong(net(whole.x), y))
    clean = wrong(net(x), y)
    assert bool((whole.success | ~clean).all())
    assert float(whole.distance[clean].max() if clean.any() else 0) == 0
    # and no matter of the batch
    for batch in (5,):
        parts = _quietly(net, x, y, how, eps=eps, stream=Stream(3), batch=batch)
        assert torch.equal(parts.success, whole.success)
        assert torch.allclose(parts.x, whole.x, atol=1e-4)


@pytest.mark.parametrize("how", [FGSM(), PGD(10), APGD(10)], ids=lambda how: how.name)
def test_the_l2_ball_is_kept(how):
    net, (x, y, _) = _network(3), _data(classes=3)
    found = _quietly(net, x, y, how, eps=0.3, ord=2)
    assert float((found.x.double() - x.double()).norm(dim=1).max()) <= 0.3 * (1 + 1e-6)
    assert bool(((found.x >= 0) & (found.x <= 1)).all())


def test_an_exception_in_the_network_leaves_it_as_it_was():
    class Broken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inside, self.calls = nn.Linear(6, 2), 0

        def forward(self, x):
            self.calls += 1
            if self.calls > 2:
                raise RuntimeError("out of order")
            return self.inside(x)

    net, (x, y, _) = Broken().train(), _data()
    with pytest.raises(RuntimeError, match="out of order"):
        attack(net, x, y, PGD(5), eps=0.1)
    assert net.training
    assert all(p.requires_grad and p.grad is None for p in net.parameters())


# ---- the truth on linear networks ----


def _least_margin(net, x, y, eps):
    """The exact minimum of y f over the ball within the box, in float64: each coordinate alone."""
    w, b = net.weight[0].double(), net.bias.double()
    s = (2 * y - 1).double()[:, None]
    worst = torch.where(s * w > 0, (x.double() - eps).clamp(min=0), (x.double() + eps).clamp(max=1))
    return (s * (worst * w).sum(1, keepdim=True) + s * b)[:, 0]


@pytest.mark.parametrize(
    "how",
    [FGSM("margin"), PGD(20, loss="margin", stop=False), APGD(60, loss="margin"), Square(400)],
    ids=lambda how: how.name,
)
def test_on_a_linear_network_attacks_reach_the_truth(how):
    net, (x, y, _) = _linear(), _data(n=60)
    truth = _least_margin(net, x, y, 0.1)
    found = attack(net, x, y, how, eps=0.1)
    assert bool((margin(found.outputs, y).double() >= truth - 1e-6).all())  # never below it
    decided = truth.abs() > 1e-5
    assert torch.equal(found.success[decided], (truth <= 0)[decided])  # and not above
    assert 0 < found.count < 60


def test_nearest_points_of_a_linear_network():
    net, (x, y, _) = _linear(), _data(n=12)
    x = x * 0.4 + 0.3  # so that the box does not interfere
    gap = margin(net(x), y).clamp(min=0).detach()
    l2, l1 = float(net.weight.detach().norm()), float(net.weight.detach().abs().sum())
    plain = attack(net, x, y, DeepFool(overshoot=0.001), ord=2)
    assert plain.success.all()
    assert plain.distance.tolist() == pytest.approx((gap / l2).tolist(), rel=5e-3, abs=5e-4)
    flat = attack(net, x, y, DeepFool(overshoot=0.001, ord=math.inf), ord=math.inf)
    assert flat.distance.tolist() == pytest.approx((gap / l1).tolist(), rel=5e-3, abs=5e-4)
    for how, slack in ((CW(steps=300, searches=9), 0.05), (LBFGS(searches=9), 0.05)):
        found = attack(net, x, y, how, ord=2)
        assert found.success.all()
        assert bool((found.distance >= gap / l2 - 1e-5).all())
        assert float(((found.distance - gap / l2) / (gap / l2).clamp(min=1e-9))[gap > 0.05].max()) < slack


def test_the_smallest_radius_of_a_linear_network():
    net, (x, y, _) = _linear(), _data(n=20)
    x = x * 0.2 + 0.4
    truth = margin(net(x), y).clamp(min=0).detach() / float(net.weight.detach().abs().sum())
    found = smallest_eps(net, x, y, PGD(10, loss="margin"), high=0.35, halvings=12)
    assert bool((found >= truth - 1e-6).all())
    assert float((found - truth)[truth < 0.35].max()) < 0.35 / 2**10
    assert bool(found[truth > 0.351].isinf().all())


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), eps=st.floats(0, 0.5), ord=st.sampled_from([2, math.inf]))
def test_projection_and_start_stay_in_ball_and_box(seed, eps, ord):
    x, _, index = _data(n=5, d=9, seed=seed)
    threat = Threat(eps, ord)
    moved = threat.project(x + 3 * (torch.rand(5, 9, generator=torch.Generator().manual_seed(seed)) - 0.5), x)
    start = threat.start(x, Stream(seed), index)
    for points in (moved, start):
        far = torch.linalg.vector_norm(points.double() - x.double(), ord, dim=1)
        assert float(far.max()) <= eps + 1e-6 * (ord == 2) + np.spacing(np.float32(1.0))
        assert float(points.min()) >= 0
        assert float(points.max()) <= 1


def test_a_radius_may_be_exact():
    assert Threat(Fraction(1, 8)).eps == 0.125


def test_a_random_start_fills_the_ball():
    x, index = torch.full((4000, 2), 0.5), torch.arange(4000)
    flat = Threat(0.1).start(x, Stream(0), index) - 0.5
    assert float(flat.abs().max()) == pytest.approx(0.1, rel=1e-2)
    round_ = (Threat(0.1, 2).start(x, Stream(0), index) - 0.5).norm(dim=1) / 0.1
    assert float(round_.square().mean()) == pytest.approx(0.5, abs=0.03)  # uniform in a disc


def test_apgd_halves_its_steps_until_it_stands_in_a_narrow_valley():
    net, centres = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1)), torch.linspace(0.33, 0.71, 12)
    for p, v in zip(net.parameters(), ([[1.0], [-1.0]], [-0.5, 0.5], [[1.0, 1.0]], [0.01]), strict=True):
        p.data = torch.tensor(v)  # f = |x - 1/2| + 1/100: nothing is fooled, and the least is found at 1/2 alone
    found = attack(net, centres[:, None], torch.ones(12, dtype=torch.int64), APGD(100, loss="margin"), eps=0.3)
    assert float(found.outputs.max()) < 0.011


# ---- the inner loop ----


def test_flat_samples_leave_the_loop_and_nothing_changes():
    net, (x, y, index) = _network(1).eval(), _data(n=40)
    with torch.no_grad():
        net[4].weight *= 6  # so that many margins are beyond the hinge's kink
    options = {"steps": 9, "step_size": 0.02, "stream": Stream(2), "index": index}
    with untouched(net):
        whole = ascend(net, x, y, LOSSES["hinge"], Threat(0.1), **options)
        alone = [ascend(net, x[i : i + 1], y[i : i + 1], LOSSES["hinge"], Threat(0.1), steps=9, step_size=0.02,
                        stream=Stream(2), index=index[i : i + 1]) for i in range(40)]  # fmt: skip
    assert torch.allclose(whole.x, torch.cat([a.x for a in alone]), atol=1e-5)
    assert 0 < int(whole.dead.sum()) < 40
    assert int(whole.queries[whole.dead].min()) < 9
    assert int(whole.queries[~whole.dead].min()) == 9


def test_best_is_at_least_every_iterate_and_revert_goes_back():
    net, (x, y, index) = _network(3).eval(), _data(classes=3)
    loss = LOSSES["ce"]
    with untouched(net):
        best = ascend(net, x, y, loss, Threat(0.2), steps=12, step_size=0.1, stream=Stream(1), index=index, best=True)
        for steps in range(1, 13):
            last = ascend(net, x, y, loss, Threat(0.2), steps=steps, step_size=0.1, stream=Stream(1), index=index)
            assert bool((best.value >= loss.value(net(last.x), y, net(x)) - 1e-5).all())
        bound = float(best.value.median())
        back = ascend(net, x, y, loss, Threat(0.2), steps=12, step_size=0.02, start="point",
                      stop=lambda z, y, value: value > bound, revert=True)  # fmt: skip
        over = loss.value(net(x), y, net(x)) > bound
        assert torch.equal(back.x[over], x[over])
        assert bool((loss.value(net(back.x), y, net(x))[~over] <= bound).all())


# ---- targets, transfer, the worst case ----


def test_targets_are_reached_for():
    net, (x, _, _) = _network(3).eval(), _data(classes=3)
    goal = (net(x).argmax(1) + 1) % 3
    found = attack(net, x, net(x).argmax(1), PGD(40, loss="margin"), eps=1.0, targets=goal)
    assert torch.equal(found.success, net(found.x).argmax(1) == goal)
    assert found.count > 12


def test_the_worst_case_and_transfer():
    net, other, (x, y, _) = _network(2).eval(), _network(2, seed=5).eval(), _data(n=40)
    weak, strong = _quietly(net, x, y, FGSM(), eps=0.1), _quietly(net, x, y, PGD(20), eps=0.1)
    both = worst_case([weak, strong])
    assert torch.equal(both.success, weak.success | strong.success)
    assert torch.equal(wrong(net(both.x), y), both.success)
    rows = transfer({"one": net, "other": other}, x, y, PGD(10), eps=0.1)
    names = ("one", "other")
    assert [(row.source, row.target) for row in rows] == [(a, b) for a in names for b in names]
    assert rows[0].fooled >= int(wrong(net(x), y).sum())
    assert rows[0].mean_loss > rows[2].mean_loss  # made against itself is worse
    with pytest.raises(ValueError, match="0 results have no worst case"):
        worst_case([])


def test_nearest_points_are_looked_for_in_the_box_of_the_data():
    net, (x, _, _) = _linear(), _data(n=12)
    with torch.no_grad():
        net.bias.fill_(-1.5)
    x = 6 * x - 3  # most of it is outside of [0, 1]
    y = (net(x)[:, 0] > 0).long()
    truth = (margin(net(x), y) / net.weight.norm()).detach()
    for how in (DeepFool(), CW(steps=200, searches=6), LBFGS(iterations=8, searches=5)):
        found = attack(net, x, y, how, ord=2, low=-9.0, high=9.0)
        assert found.success.all()
        assert float((found.distance / truth.clamp(min=1e-6))[truth > 0.1].max()) < 1.25


class Rooted(nn.Module):
    """A network with a NaN gradient at every point, and NaN answers at NaN points."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(6, 2)

    def forward(self, x):
        return self.last(torch.where(x > 0.5, (x - 0.5).sqrt(), x))


@pytest.mark.parametrize("ord", [2, math.inf])
@pytest.mark.parametrize("how", [*IN_BALL[:-1], *NEAREST[:-1]], ids=lambda how: how.name)
def test_gradients_that_are_no_numbers_fool_nobody_and_shout(how, ord):
    net, (x, _, _) = Rooted(), _data()
    x[:, 0] = 0.2
    y = net(x).argmax(1)
    with pytest.warns(AttackWarning, match="exactly 0, or NaN"):
        found = attack(net, x, y, how, eps=0.01, ord=ord)
    assert bool(found.x.isfinite().all())
    assert torch.equal(found.success, wrong(net(found.x), y))
    assert int(found.dead.sum()) >= 20


def test_surrogates_of_theory_are_losses():
    net, (x, y, _) = _linear(), _data()
    by_name = attack(net, x, y, PGD(5, loss="exponential", stop=False), eps=0.1)
    by_margin = attack(net, x, y, PGD(5, loss="margin", stop=False), eps=0.1)
    assert torch.allclose(by_name.x, by_margin.x)


def test_a_stack_is_refused_and_its_networks_are_not():
    (x, y, _), stack = _data(), Stack([_linear(seed=k) for k in range(2)])
    with pytest.raises(ValueError, match="which a stack cannot"):
        attack(stack, x, y, PGD(3), eps=0.1)
    assert all(len(attack(net, x, y, PGD(3), eps=0.1)) == 24 for net in stack.split())


# ---- shouting, and bad input ----


def test_a_dead_zone_shouts():
    net, (x, y, _) = _linear(), _data(n=40)
    with torch.no_grad():
        net.weight *= 100
        net.bias *= 100
    y = (net(x)[:, 0] > 0).long()
    with pytest.warns(AttackWarning, match=r"gradients of exactly 0, or NaN, on \d+%"):
        attack(net, x, y, PGD(10, loss="hinge"), eps=0.01)


def test_health_of_a_network_that_hides_its_gradients():
    class Rounded(nn.Module):
        def __init__(self, net) -> None:
            super().__init__()
            self.net = net

        def forward(self, x):
            return torch.round(self.net(x) * 50).detach() / 50 + 0 * x.sum(1, keepdim=True)

    net, (x, y, _) = _linear(), _data(n=40)
    y = (net(x)[:, 0] > 0).long()
    assert all(check.passed for check in health(net, x, y, eps=0.1))
    twice = nn.Linear(6, 1)
    with torch.no_grad():
        twice.weight.copy_(net.weight / 4)
        twice.bias.copy_(net.bias + net.weight.sum(1) / 2)
    assert all(check.passed for check in health(twice, 4 * x - 2, y, eps=0.4, low=-2.0, high=2.0))
    with pytest.warns(AttackWarning, match="attacks may be too weak"):
        checks = health(Rounded(net), x, y, eps=0.1)
    assert {check.question for check in checks if not check.passed} >= {
        "the whole box fools all", "search without gradients finds few more", "gradients are seldom exactly 0",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"eps": -0.1}, r"eps -0.1\d* is out of range"),
        ({"eps": math.nan}, "eps nan is out of range"),
        ({"eps": torch.full((3,), 0.1)}, "24 images but 3 radii"),
        ({"eps": None}, "PGD needs a radius"),
        ({"ord": 1}, "ord 1 is unknown"),
        ({"x": 2.0}, "entry 2.0"),
        ({"x": math.nan}, "entry nan"),
        ({"y": 5}, "label 5 is out of range"),
        ({"y": torch.int32}, r"labels are torch.int32 of shape \(24,\); allowed is torch.int64"),
        ({"y": torch.float32}, "labels are torch.float32"),
        ({"targets": torch.zeros(3, dtype=torch.int64)}, "24 images but 3 targets"),
        ({"index": torch.arange(3)}, "24 images but 3 sample numbers"),
        ({"eps": torch.full((24, 1), 0.1)}, r"eps has the shape \(24, 1\)"),
        ({"eps": math.inf}, "PGD needs a radius"),
        ({"weights": math.nan}, "network answers nan"),
        ({"how": APGD(loss="dlr")}, "'dlr' needs three classes or more, not two"),
        ({"how": Square(), "ord": 2}, "Square is built for ord inf"),
    ],
    ids=str,
)
def test_bad_input(change, message):
    net, (x, y, _) = _network(2).eval(), _data()
    options = {"eps": 0.1} | {k: v for k, v in change.items() if k in ("eps", "ord", "targets", "index")}
    if "x" in change:
        x[3, 2] = change["x"]
    if "y" in change:
        y = y.to(change["y"]) if isinstance(change["y"], torch.dtype) else y.index_fill(0, torch.arange(1), change["y"])
    if "weights" in change:
        with torch.no_grad():
            net[4].bias[0] = change["weights"]
    with pytest.raises(ValueError, match=message):
        attack(net, x, y, change.get("how", PGD(3)), **options)


@pytest.mark.parametrize(
    "make",
    [lambda: PGD(0), lambda: PGD(step_size=0.0), lambda: PGD(loss="nonsense"), lambda: APGD(0), lambda: Square(p=0),
     lambda: DeepFool(ord=1), lambda: CW(lr=-1), lambda: LBFGS(c=0), lambda: Threat(0.1, low=1, high=0)],
)  # fmt: skip
def test_choices_are_checked(make):
    with pytest.raises(ValueError, match=r"allowed|unknown|empty|for 2 and inf"):
        make()

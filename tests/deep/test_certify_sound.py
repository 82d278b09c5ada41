"""Interval and linear bounds against the network in exact arithmetic, by loops that share nothing with them."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from deep.attack.threat import Threat
from deep.certify import bounds, ibp, ibp_margins, margin_bounds, network, region
from deep.certify.rational import outputs
from deep.models import build
from deep.stack import Stack

METHODS = ("ibp", "crown-ibp")


# ---- the network by loops over Fractions ----


def exactly(model: nn.Module, x: list[Any]) -> list[Any]:
    """f(x) for nested lists of Fractions [C][H][W] or [d], layer by layer from the definitions."""
    for layer in model:
        x = _layer(layer, x)
    return x


def _layer(layer: nn.Module, x: list[Any]) -> list[Any]:
    if isinstance(layer, nn.Linear):
        w, b = layer.weight.tolist(), layer.bias.tolist()
        rows = zip(w, b, strict=True)
        return [sum((Fraction(v) * t for v, t in zip(row, x, strict=True)), Fraction(c)) for row, c in rows]
    if isinstance(layer, nn.Flatten):
        return [v for channel in x for row in channel for v in row]
    if isinstance(layer, nn.ReLU):
        return _each(x, lambda v: max(v, Fraction(0)))
    if isinstance(layer, nn.Conv2d):
        w, b, p, s = layer.weight.tolist(), layer.bias.tolist(), layer.padding[0], layer.stride[0]
        k, size = layer.kernel_size[0], (len(x[0]) + 2 * layer.padding[0] - layer.kernel_size[0]) // layer.stride[0] + 1

        def at(o: int, i: int, j: int) -> Fraction:
            total = Fraction(b[o])
            for c, u, v in product(range(len(x)), range(k), range(k)):
                row, column = i * s + u - p, j * s + v - p
                if 0 <= row < len(x[0]) and 0 <= column < len(x[0]):
                    total += Fraction(w[o][c][u][v]) * x[c][row][column]
            return total

        return [[[at(o, i, j) for j in range(size)] for i in range(size)] for o in range(len(w))]
    if isinstance(layer, nn.BatchNorm2d):
        scale = [_root(Fraction(v) + Fraction(layer.eps)) for v in layer.running_var.tolist()]
        parts = zip(x, layer.weight.tolist(), layer.bias.tolist(), layer.running_mean.tolist(), scale, strict=True)
        exact = [(c, Fraction(w) / s, Fraction(b), Fraction(m)) for c, w, b, m, s in parts]
        return [_each(c, lambda v, s=s, b=b, m=m: (v - m) * s + b) for c, s, b, m in exact]
    size, step = layer.kernel_size, layer.stride
    of = max if isinstance(layer, nn.MaxPool2d) else lambda window: sum(window) / len(window)
    count = range((len(x[0]) - size) // step + 1)
    window = list(product(range(size), range(size)))
    return [[[of([c[i * step + u][j * step + v] for u, v in window]) for j in count] for i in count] for c in x]


def _each(x: Any, change: Any) -> Any:
    return [_each(v, change) for v in x] if isinstance(x, list) else change(x)


def _root(v: Fraction) -> Fraction:
    """sqrt(v) to 150 digits: far below the width of any bound here."""
    return Fraction(math.isqrt(v.numerator * 10**300 // v.denominator), 10**150)


def fractions(x: torch.Tensor) -> list[Any]:
    return _each(x.tolist(), Fraction)


# ---- networks ----


class Sum(nn.Module):
    """x + body(x)."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x)


class Normalise(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.3]).reshape(1, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x - self.mean) / 0.25


def everything(seed: int, classes: int = 3) -> nn.Sequential:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2, 1), nn.Conv2d(2, 3, 2, stride=2),
        nn.ReLU(), nn.AvgPool2d(2, 1), nn.Flatten(), nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, classes),
    )  # fmt: skip
    with torch.no_grad():
        model(torch.rand(20, 1, 5, 5))
        model[1].weight.copy_(torch.tensor([1.5, -0.5]))
        model[1].running_mean.add_(0.25)
    return model.eval()


def with_sums(seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    body = nn.Sequential(nn.Conv2d(2, 2, 3, padding="same", groups=2), nn.ReLU(), nn.Conv2d(2, 2, 1))
    return nn.Sequential(
        Normalise(), nn.Conv2d(1, 2, 3, dilation=2, padding=1), nn.ReLU(), Sum(body), nn.ReLU(), nn.Dropout(0.5),
        nn.MaxPool2d(3, 2, padding=1, ceil_mode=True), Sum(nn.AdaptiveAvgPool2d(2)), nn.Flatten(), nn.Linear(8, 1),
    ).eval()  # fmt: skip


def corners(x: torch.Tensor, threat: Threat, count: int, seed: int) -> torch.Tensor:
    """Corners and inner points of ball and box, as an attack would return them: [count, ...] around one x."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.rand(count, *x.shape, generator=generator) * 2 - 1
    noise[::2] = noise[::2].sign()
    size = threat.eps if threat.ord == math.inf else 2 * threat.eps
    many = x.expand(count, *x.shape)
    return threat.project(many + noise * size, many)


# ---- soundness ----


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(4))
def test_bounds_hold_the_exact_value_at_every_point(method: str, seed: int) -> None:
    model, eps = everything(seed), (0.0, 0.02, 0.1, 0.4)[seed]
    x = torch.rand(2, 1, 5, 5)
    lower, upper = bounds(model, x, Threat(eps), method)
    for i in range(2):
        for point in corners(x[i], Threat(eps), 6, seed):
            for k, value in enumerate(exactly(model, fractions(point))):
                assert Fraction(lower[i, k].item()) <= value <= Fraction(upper[i, k].item())


@pytest.mark.parametrize("method", METHODS)
def test_at_radius_zero_bounds_are_as_narrow_as_float64_allows(method: str) -> None:
    lower, upper = bounds(everything(0), torch.rand(3, 1, 5, 5), Threat(0.0), method)
    assert ((upper - lower) < 1e-11).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("order", [2, math.inf])
@pytest.mark.parametrize("make", [everything, with_sums])
def test_float_bounds_hold_the_evaluated_network(make: Any, order: float, method: str) -> None:
    model, threat = make(5), Threat(0.05, order)
    x = torch.rand(2, 1, 5, 5)
    lower, upper = bounds(model, x, threat, method, evaluation="float")
    real_lower, real_upper = bounds(model, x, threat, method)
    assert (lower < real_lower).all()
    assert (upper > real_upper).all()
    double = make(5).double()
    for i in range(2):
        points = corners(x[i], threat, 400, i)
        z = model(points).double()
        assert ((lower[i] <= z) & (z <= upper[i])).all()
        z = double(points.double())  # not exact, but float64 errs by less than the bounds' own allowance
        assert ((real_lower[i] <= z) & (z <= real_upper[i])).all()


def cancelling(seed: int) -> nn.Sequential:
    """f(x) = x_1 - x_2 in exact arithmetic, as small differences of numbers up to 2^100 in random places."""
    rng = random.Random(seed)
    first, second = nn.Linear(2, 8), nn.Linear(8, 1)
    weights, last = [], []
    for k in range(2):
        huge = [2.0 ** rng.randint(40, 100) for _ in range(3)]
        # (h1 + h2 + 1) x - h1 x - h2 x, in units that a ReLU lets through
        weights += [[h if i == k else 0.0 for i in range(2)] for h in (huge[0], huge[0], 1.0, huge[1])]
        last += [1.0 - 2 * k, 2.0 * k - 1, 1.0 - 2 * k, 0.0]
    order = rng.sample(range(8), 8)
    with torch.no_grad():
        first.weight.copy_(torch.tensor([weights[i] for i in order]))
        second.weight.copy_(torch.tensor([[last[i] for i in order]]))
        first.bias.zero_()
        second.bias.zero_()
    return nn.Sequential(first, nn.ReLU(), second)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(8))
def test_cancellation_cannot_break_a_bound(seed: int, method: str) -> None:
    model, x = cancelling(seed), torch.tensor([[0.75, 0.25]])
    assert exactly(model, fractions(x[0])) == [Fraction(1, 2)]
    for evaluation in ("real", "float"):
        lower, upper = bounds(model, x, Threat(0.0), method, evaluation=evaluation)
        assert lower.item() <= 0.5 <= upper.item()
        if evaluation == "float":
            assert lower.item() <= model(x).item() <= upper.item()
    assert margin_bounds(model, x, torch.tensor([1]), Threat(0.0), method).item() <= 0.5


def test_without_outward_rounding_cancellation_does_break_bounds() -> None:
    naive = [ibp(cancelling(seed).double(), torch.tensor([[0.75, 0.25]]).double(), 0.0) for seed in range(8)]
    assert any(lower.item() > 0.5 or upper.item() < 0.5 for lower, upper in naive)


class Through(nn.Module):
    """x + 2^60 x - 2^60 x = x: three branches meet in the input."""

    def __init__(self) -> None:
        super().__init__()
        self.there, self.back = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
        nn.init.constant_(self.there.weight, 2.0**60)
        nn.init.constant_(self.back.weight, -(2.0**60))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.there(x) + self.back(x)


def overlapping() -> nn.Sequential:
    """The largest entry in three windows at once, with weights 2^60, 1 and -2^60."""
    last = nn.Linear(3, 1, bias=False)
    with torch.no_grad():
        last.weight.copy_(torch.tensor([[2.0**60, 1.0, -(2.0**60)]]))
    return nn.Sequential(nn.MaxPool2d((1, 3), 1), nn.Flatten(), last)


@pytest.mark.parametrize("method", METHODS)
def test_cancellation_where_rows_meet_cannot_break_a_bound(method: str) -> None:
    x = torch.tensor([[[[0.25, 0.125, 0.75, 0.25, 0.5]]]])
    for model, point in ((Through(), x[:, 0, 0, 2:3]), (overlapping(), x)):
        for eps in (0.0, 0.0625):
            lower, upper = bounds(model, point, Threat(eps), method)
            assert lower.item() <= 0.75 - eps
            assert 0.75 + eps <= upper.item()


def test_an_l2_bound_of_the_evaluated_network_pays_for_the_layers_before() -> None:
    class Far(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + 1024.0

    last = nn.Linear(2, 1)
    with torch.no_grad():
        last.weight.copy_(torch.tensor([[1.0, -1.0]]))
        last.bias.zero_()
    model, x = nn.Sequential(Far(), last), torch.rand(50, 2, generator=torch.Generator().manual_seed(0))
    lower, upper = bounds(model, x, Threat(0.0, 2), evaluation="float")
    z = model(x).double()
    assert ((lower <= z) & (z <= upper)).all()
    assert ((z - (x[:, :1].double() - x[:, 1:])).abs() > 1e-6).any()  # its errors are real


def triangle(a: float, b: float, centre: float) -> nn.Sequential:
    """f = a max(z, 0) + b z, z = x - centre: the second unit carries z + 1, which stays positive."""
    first, last = nn.Linear(1, 2), nn.Linear(2, 1)
    with torch.no_grad():
        first.weight.fill_(1.0)
        first.bias.copy_(torch.tensor([-centre, 1 - centre]))
        last.weight.copy_(torch.tensor([[a, b]]))
        last.bias.fill_(-b)
    return nn.Sequential(first, nn.ReLU(), last)


def test_an_undecided_unit_has_the_usual_lines() -> None:
    x, one = torch.tensor([[0.5]]), torch.tensor([1])
    # z in [-1/2, 1/2]: -max(z, 0) + z/2 lies above the chord -(z + 1/2)/2 + z/2 = -1/4, which is met at both ends
    assert margin_bounds(triangle(-1, 0.5, 0.5), x, one, Threat(0.5)).item() == pytest.approx(-0.25, abs=1e-12)
    # z in [-1/4, 3/4]: max(z, 0) >= z is the nearer line, so max(z, 0) - z/2 >= z/2 >= -1/8
    assert margin_bounds(triangle(1, -0.5, 0.25), x, one, Threat(0.5)).item() == pytest.approx(-0.125, abs=1e-12)
    # z in [-3/4, 1/4]: max(z, 0) >= 0 is, so max(z, 0) + z/2 >= -3/8, its minimum
    assert margin_bounds(triangle(1, 0.5, 0.75), x, one, Threat(0.5)).item() == pytest.approx(-0.375, abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_overflow_says_nothing_instead_of_something_false(method: str) -> None:
    layers: list[nn.Module] = []
    for _ in range(9):
        layer = nn.Linear(1, 1, bias=False)
        nn.init.constant_(layer.weight, 3e38)
        layers += [layer, nn.ReLU()]
    lower, upper = bounds(nn.Sequential(*layers), torch.tensor([[0.5]]), Threat(0.1), method)
    assert lower.item() <= 0  # the last ReLU's own lower end
    assert upper.item() == math.inf


def test_affine_networks_have_the_closed_form() -> None:
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 1))
    x, eps = torch.rand(6, 5), torch.tensor([0.0, 0.01, 0.1, 0.2, 0.5, 1.0])
    where = region(x, Threat(eps))
    w = (model[1].weight.double() @ model[0].weight.double())[0].detach()
    b = (model[1].weight.double() @ model[0].bias.double() + model[1].bias.double())[0].detach()
    least = torch.minimum(w * where.lower, w * where.upper).sum(1) + b
    assert torch.allclose(bounds(model, x, Threat(eps), "crown-ibp")[0][:, 0], least, rtol=0, atol=1e-12)
    assert torch.allclose(margin_bounds(model, x, torch.ones(6).long(), Threat(eps), "ibp"), least, rtol=0, atol=1e-12)
    ball = model(x).detach().double()[:, 0] - eps.double() * w.norm()
    found = bounds(model, x.clamp(0.4, 0.6), Threat(0.1, 2), "crown-ibp")[0][:, 0]
    ball = model.double()(x.clamp(0.4, 0.6).double()).detach()[:, 0] - 0.1 * w.norm()
    assert ((found <= ball) & (ball - found < 1e-5)).all()


@pytest.mark.parametrize("make", [everything, with_sums])
@pytest.mark.parametrize("order", [2, math.inf])
def test_linear_bounds_are_never_looser(make: Any, order: float) -> None:
    model, x = make(3), torch.rand(4, 1, 5, 5)
    y = torch.zeros(4).long()
    for eps in (0.01, 0.1, 0.5):
        (a, b), (c, d) = (bounds(model, x, Threat(eps, order), method) for method in METHODS)
        assert ((a <= c) & (d <= b)).all()
        weak, strong = (margin_bounds(model, x, y, Threat(eps, order), method) for method in METHODS)
        assert (weak <= strong).all()
        assert eps > 0.01 or (strong > weak + 1e-4).any()


def test_linear_bounds_are_exact_where_every_unit_is_decided() -> None:
    torch.manual_seed(2)
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2, 1), nn.Flatten(), nn.Linear(8, 3))
    x, y = torch.rand(3, 1, 5, 5), torch.tensor([0, 1, 2])
    with torch.no_grad():
        model[0].bias.copy_(torch.tensor([3.0, -3.0]))
    eps = 1e-6  # the maximum of each window is decided too
    where = region(x, Threat(eps))
    found = margin_bounds(model, x, y, Threat(eps))
    twin = nn.Sequential(*model).double()
    points = x.double().requires_grad_()
    z = twin(points)
    for i in range(3):
        values = []
        for k in set(range(3)) - {int(y[i])}:
            (g,) = torch.autograd.grad(z[i, y[i]] - z[i, k], points, retain_graph=True)
            low = torch.minimum(g[i] * (where.lower[i] - points[i]), g[i] * (where.upper[i] - points[i])).sum()
            values.append((z[i, y[i]] - z[i, k] + low).item())
        assert found[i].item() == pytest.approx(min(values), abs=1e-12)


# ---- the fast bounds ----


@pytest.mark.parametrize("make", [everything, with_sums])
@pytest.mark.parametrize("order", [2, math.inf])
def test_fast_bounds_are_the_sound_ones_up_to_rounding(make: Any, order: float) -> None:
    model, x = make(7), torch.rand(5, 1, 5, 5)
    eps = torch.tensor([0.0, 0.01, 0.05, 0.1, 0.3])
    fast, sound = ibp(model, x, eps, ord=order), bounds(model, x, Threat(eps, order), "ibp")
    for a, b in zip(fast, sound, strict=True):
        assert torch.allclose(a.double(), b, rtol=1e-4, atol=1e-4)
    y = torch.zeros(5).long()
    margins = ibp_margins(model, x, y, eps, ord=order)
    least = margins[:, 1:].amin(1) if margins.shape[1] > 1 else margins[:, 0]
    assert torch.allclose(least.double(), margin_bounds(model, x, y, Threat(eps, order), "ibp"), rtol=1e-4, atol=1e-4)


def test_fast_margins_merge_the_last_layer_for_many_classes_too() -> None:
    torch.manual_seed(4)
    x, y = torch.rand(6, 8), torch.randint(0, 40, (6,))
    model = nn.Sequential(nn.Linear(8, 12), nn.ReLU(), nn.Linear(12, 40))
    margins = ibp_margins(model, x, y, 0.1)
    assert (margins.gather(1, y[:, None]).abs() < 1e-6).all()
    others = margins.masked_fill(F.one_hot(y, 40).bool(), math.inf).amin(1)
    assert torch.allclose(others.double(), margin_bounds(model, x, y, Threat(0.1), "ibp"), atol=1e-4)


def test_fast_bounds_have_the_gradient_of_finite_differences() -> None:
    model = everything(8).double()
    for p in model.parameters():
        p.requires_grad_(True)
    net, x = network(model), torch.rand(2, 1, 5, 5).double()

    def loss() -> torch.Tensor:
        return ibp_margins(net, x, torch.tensor([0, 2]), 0.05).logsumexp(1).sum()

    w = model[0].weight
    (gradient,) = torch.autograd.grad(loss(), w)
    with torch.no_grad():
        for place in ((0, 0, 0, 0), (1, 0, 2, 1)):
            w[place] += 1e-6
            above = loss()
            w[place] -= 2e-6
            below = loss()
            w[place] += 1e-6
            assert ((above - below) / 2e-6).item() == pytest.approx(gradient[place].item(), rel=1e-4, abs=1e-6)


def test_fast_bounds_of_a_stack_are_those_of_its_networks() -> None:
    models = [build("net", shape=(1, 8, 8), outputs=3, normalise=(0.5, 0.25), seed=seed) for seed in range(2)]
    x, y, radius = torch.rand(6, 1, 8, 8), torch.randint(0, 3, (6,)), torch.rand(6) / 10
    stack = Stack(models)
    lower, upper = ibp(stack, x, radius)
    margins = ibp_margins(stack, x, y, radius)
    for r, model in enumerate(models):
        rows = slice(3 * r, 3 * r + 3)
        alone = (*ibp(model, x[rows], radius[rows]), ibp_margins(model, x[rows], y[rows], radius[rows]))
        for together, one in zip((lower, upper, margins), alone, strict=True):
            assert torch.allclose(together[rows], one, atol=1e-6)
    margins.sum().backward()
    assert all(p.grad is not None for p in stack.parameters())


def test_a_chain_is_read_like_a_traced_model() -> None:
    class Wrapped(nn.Module):
        def __init__(self, body: nn.Module) -> None:
            super().__init__()
            self.body = body

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.body(x)

    model, x = everything(1), torch.rand(2, 1, 5, 5)
    assert [type(n.layer) for n in network(model).nodes] == [type(n.layer) for n in network(Wrapped(model)).nodes]
    for a, b in zip(bounds(model, x, Threat(0.1)), bounds(Wrapped(model), x, Threat(0.1)), strict=True):
        assert torch.equal(a, b)


def test_functional_forwards_are_read() -> None:
    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.fc = nn.Conv2d(1, 2, 3), nn.Linear(8, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            h = F.max_pool2d(F.relu(self.conv(2 * x - 1)), 2) + F.avg_pool2d(self.conv(x), kernel_size=2)
            return self.fc(F.dropout(h, 0.5, self.training).view(x.size(0), -1)) * 0.5

    torch.manual_seed(6)
    model, x = Functional().eval(), torch.rand(2, 1, 6, 6)
    for method in METHODS:
        lower, upper = bounds(model, x, Threat(0.05), method, evaluation="float")
        for i in range(2):
            z = model(corners(x[i], Threat(0.05), 100, i)).double()
            assert ((lower[i] <= z) & (z <= upper[i])).all()


# ---- exact arithmetic, and refusals ----


def test_rational_outputs_are_those_of_the_loops() -> None:
    torch.manual_seed(0)
    first = nn.Conv2d(1, 2, 3, stride=2, padding=1)
    model = nn.Sequential(first, nn.ReLU(), nn.AvgPool2d(2, 1), nn.Flatten(), nn.Linear(8, 2))
    x = torch.rand(1, 5, 5)
    flat = [Fraction(v) for v in x.flatten().tolist()]
    assert outputs(model, flat, (1, 5, 5)) == exactly(model, fractions(x))


def test_what_has_no_rule_is_named() -> None:
    x = torch.rand(1, 2)
    for layer, name in ((nn.Sigmoid(), "Sigmoid|sigmoid"), (nn.Softmax(1), "softmax"), (nn.GELU(), "gelu")):
        with pytest.raises(TypeError, match=f"(?i){name}.* has no certificate"):
            bounds(nn.Sequential(nn.Linear(2, 2), layer), x, Threat(0.1))

    class Branch(nn.Module):
        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return z if z.sum() > 0 else -z

    with pytest.raises(TypeError, match="Branch cannot be read symbolically"):
        bounds(Branch(), x, Threat(0.1))


def test_bad_input_is_refused() -> None:
    model, x = nn.Linear(2, 3), torch.rand(2, 2)
    with pytest.raises(ValueError, match=r"x holds 1\.5; allowed are numbers from 0\.0 to 1\.0"):
        bounds(model, torch.tensor([[1.5, 0.0]]), Threat(0.1))
    with pytest.raises(ValueError, match="x holds nan"):
        bounds(model, torch.tensor([[math.nan, 0.0]]), Threat(0.1))
    with pytest.raises(ValueError, match="method 'crown' is unknown; allowed are ibp, crown-ibp"):
        bounds(model, x, Threat(0.1), "crown")
    with pytest.raises(ValueError, match="label 3 is out of range"):
        margin_bounds(model, x, torch.tensor([0, 3]), Threat(0.1))
    with pytest.raises(ValueError, match=r"labels of shape \(1, 2\) do not fit 2 samples"):
        margin_bounds(model, x, torch.zeros(1, 2).long(), Threat(0.1))
    with pytest.raises(ValueError, match="no samples"):
        bounds(model, x[:0], Threat(0.1))
    nn.init.constant_(model.weight, math.nan)
    with pytest.raises(ValueError, match="parameter weight is not finite"):
        bounds(model, x, Threat(0.1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_region_holds_the_real_ball_and_every_projected_point(dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(50, 20, generator=generator).to(dtype)
    x[0, 0], x[1, 0] = 0, 1
    for eps in (0.0, 0.1, 8 / 255, 0.3):
        where = region(x, Threat(eps))
        for i, j in ((0, 0), (1, 0), (2, 3), (7, 5)):
            centre = Fraction(x[i, j].item())
            assert Fraction(where.lower[i, j].item()) <= max(centre - Fraction(eps), 0)
            assert Fraction(where.upper[i, j].item()) >= min(centre + Fraction(eps), 1)
        tight = region(x.clamp(0.2, 0.7), Threat(eps, low=0.1, high=0.7 + 1e-9))
        least, most = (Fraction(x.clamp(0.2, 0.7).aminmax()[k].item()) for k in (0, 1))
        assert Fraction(tight.lower.min().item()) <= max(Fraction(0.1), least - Fraction(eps))
        assert Fraction(tight.upper.max().item()) >= min(Fraction(0.7 + 1e-9), most + Fraction(eps))
        for sign in (-1, 1):
            moved = Threat(eps).project(x + 2 * sign * eps, x).double()
            assert ((where.lower <= moved) & (moved <= where.upper)).all()
        width = (where.upper - where.lower).max().item() - 2 * eps
        assert width <= 4 * torch.finfo(dtype).eps
    ball = region(x, Threat(0.25, 2))
    assert ball.radius is not None
    moved = Threat(0.25, 2).project(x + torch.randn(50, 20, generator=generator).to(dtype), x).double()
    assert ((moved - x.double()).norm(dim=1) <= ball.radius).all()
    assert (ball.radius < 0.25 * 1.00001).all()

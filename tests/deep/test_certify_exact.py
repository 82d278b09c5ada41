"""attack <= truth <= certificate: the exact minimum against brute force, samples, and the bounds."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction
from typing import Any

import pytest
import torch
from torch import nn

from deep.attack import PGD, AttackWarning, attack
from deep.attack.threat import Threat
from deep.certify import certified_error, exact, margin_bounds, network, region
from deep.certify.certified import Certified
from deep.certify.program import Problem, mixed_integer
from deep.certify.rational import combine
from deep.scores import margin, predicted
from deep.stream import Stream
from theory.enclosure import Contradiction, Enclosure

GAP = Fraction(1, 10**6)


def tiny(seed: int) -> tuple[nn.Sequential, torch.Tensor, torch.Tensor]:
    """A net with 4 to 14 ReLUs, three points in [0, 1] and their labels."""
    torch.manual_seed(seed)
    outputs = (1, 2, 3)[seed % 3]
    if seed % 2:
        model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, outputs))
        x = torch.rand(2, 3)
    else:
        model = nn.Sequential(
            nn.Conv2d(1, 1, 2), nn.ReLU(), nn.AvgPool2d(2, 1), nn.Flatten(), nn.Linear(4, 4), nn.ReLU(),
            nn.Linear(4, outputs),
        )  # fmt: skip
        x = torch.rand(2, 1, 4, 4)
    with torch.no_grad():
        model[0].weight.mul_(3)
    return model, x, torch.randint(0, max(outputs, 2), (2,))


@pytest.mark.parametrize("seed", range(9))
def test_certificate_below_truth_below_every_point(seed: int) -> None:
    model, x, y = tiny(seed)
    threat = Threat((0.05, 0.2, 0.5)[seed // 3])
    weak, strong = (margin_bounds(model, x, y, threat, method) for method in ("ibp", "crown-ibp"))
    twin = nn.Sequential(*model)
    for i, found in enumerate(exact(model, x, y, threat)):
        truth = found.margin
        assert Fraction(weak[i].item()) <= Fraction(strong[i].item()) <= truth.lo <= truth.hi
        assert truth.width <= GAP
        generator = torch.Generator().manual_seed(seed)
        many = x[i].expand(4000, *x[i].shape)
        noise = torch.rand(many.shape, generator=generator) * 2 - 1
        noise[::2] = noise[::2].sign()
        points = threat.project(many + noise * threat.eps, many)
        z = twin.double()(points.double())
        least = margin(z, y[i].expand(4000)).min().item()
        assert float(truth.lo) <= least + 1e-12  # 1e-12 is the sample's own float64 error
        # the search found what sampling cannot beat, and where it says
        at = torch.tensor([float(p) for p in found.point], dtype=torch.float64).reshape(1, *x[i].shape)
        assert margin(twin(at), y[i : i + 1]).item() == pytest.approx(float(truth.hi), abs=1e-9)
        where = region(x[i : i + 1], threat)
        assert bool(((where.lower <= at) & (at <= where.upper)).all())
        twin.float()


@pytest.mark.parametrize("seed", range(6))
def test_no_attack_contradicts_truth_or_certificate(seed: int) -> None:
    model, _, _ = tiny(seed)
    shape = (40, 3) if seed % 2 else (40, 1, 4, 4)
    x = torch.rand(shape, generator=torch.Generator().manual_seed(seed))
    y = predicted(model(x).detach())  # every sample is right to begin with
    y[:4] = (y[:4] + 1) % max(2, model(x).shape[1])
    eps = 0.1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AttackWarning)  # its health checks speak of the attack, not of the bound
        found = attack(model, x, y, PGD(steps=30, restarts=2, stop=False), eps=eps, stream=Stream(seed))
    certified = certified_error(model, x, y, Threat(eps))
    risk = certified.robust_risk(found.success)  # raises where a certified sample was fooled
    assert 4 <= int(found.success.sum()) <= certified.error
    assert risk.lo <= risk.hi
    z = nn.Sequential(*model).double()(found.x.double())
    reached = margin(z, y)
    model.float()
    for i, truth in enumerate(exact(model, x[:8], y[:8], Threat(eps))):
        assert certified.margin[i].item() <= float(truth.margin.lo) <= reached[i].item() + 1e-12


def least_on_a_line(model: nn.Sequential, sign: int, low: Fraction, high: Fraction) -> Fraction:
    """min of sign f over [low, high] for one input: split where a unit's input crosses 0, then look at the ends."""

    def run(t: Fraction) -> tuple[list[Fraction], Fraction]:
        values, inputs = [t], []
        for layer in model:
            if isinstance(layer, nn.ReLU):
                inputs += values
                values = [max(v, Fraction(0)) for v in values]
            else:
                w, b = layer.weight.tolist(), layer.bias.tolist()
                values = [
                    sum((Fraction(c) * v for c, v in zip(row, values, strict=True)), Fraction(d))
                    for row, d in zip(w, b, strict=True)
                ]
        return inputs, sign * values[0]

    (left, f_left), (right, f_right) = run(low), run(high)
    crossing = [k for k in range(len(left)) if left[k] * right[k] < 0]
    if not crossing or high - low < Fraction(1, 10**9):
        return min(f_left, f_right)
    k = crossing[0]  # earlier layers first: the first unit to cross is linear in between
    middle = low + (high - low) * left[k] / (left[k] - right[k])
    return min(least_on_a_line(model, sign, low, middle), least_on_a_line(model, sign, middle, high))


@pytest.mark.parametrize("seed", range(6))
def test_on_a_line_the_minimum_is_that_of_the_pieces(seed: int) -> None:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(1, 6), nn.ReLU(), nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 1))
    with torch.no_grad():
        model[0].weight.mul_(4)
    x, y = torch.tensor([[0.5]]), torch.tensor([seed % 2])
    where = region(x, Threat(0.4))
    truth = least_on_a_line(model, 2 * (seed % 2) - 1, Fraction(where.lower.item()), Fraction(where.upper.item()))
    assert exact(model, x, y, Threat(0.4), gap="1e-9")[0].margin.contains(truth)


def test_a_search_cut_short_still_encloses() -> None:
    model, x, y = tiny(7)
    full, short = (exact(model, x, y, Threat(0.5), nodes=n)[0].margin for n in (2000, 1))
    assert short.contains(full.lo)
    assert short.width > GAP > full.width


def test_a_lying_solver_cannot_break_the_enclosure(monkeypatch: pytest.MonkeyPatch) -> None:
    model, x, y = tiny(7)
    truth = exact(model, x, y, Threat(0.5))[0].margin

    class Lie:
        status, x = 2, None  # "infeasible"

    monkeypatch.setattr("deep.certify.search._solve", lambda *_: Lie)
    fooled = exact(model, x, y, Threat(0.5), nodes=50)[0].margin
    assert fooled.lo <= truth.lo
    assert truth.hi <= fooled.hi + GAP


def test_the_programs_own_optimum_is_the_enclosed_one() -> None:
    for seed in (3, 9, 15):
        model, x, y = tiny(seed)
        threat = Threat(0.2)
        problem = Problem.of(network(model), region(x[:1], threat))
        sign = 2 * int(y[0]) - 1
        target = combine([(Fraction(sign), problem.outputs[0])], Fraction(0))
        assert problem.units
        solution = mixed_integer(problem, target)
        found = exact(model, x[:1], y[:1], threat)[0].margin
        assert solution.fun + float(target.constant) == pytest.approx(float(found.lo), abs=1e-5)


# ---- the linear closed form ----


def linear(seed: int, outputs: int) -> tuple[nn.Linear, torch.Tensor, torch.Tensor]:
    torch.manual_seed(seed)
    return nn.Linear(30, outputs), torch.rand(5, 30), torch.randint(0, max(2, outputs), (5,))


@pytest.mark.parametrize("outputs", [1, 4])
def test_a_linear_network_has_the_closed_form_cut_by_the_box(outputs: int) -> None:
    model, x, y = linear(3, outputs)
    where = region(x, Threat(0.3))
    for i, found in enumerate(exact(model, x, y, Threat(0.3))):
        w, b = model.weight.tolist(), model.bias.tolist()
        label = int(y[i])
        rivals = [k for k in range(outputs) if k != label] if outputs > 1 else [None]
        values = []
        for k in rivals:
            if k is None:
                sign = 2 * label - 1
                row, constant = [sign * Fraction(v) for v in w[0]], sign * Fraction(b[0])
            else:
                row = [Fraction(a) - Fraction(c) for a, c in zip(w[label], w[k], strict=True)]
                constant = Fraction(b[label]) - Fraction(b[k])
            ends = zip(row, where.lower[i].tolist(), where.upper[i].tolist(), strict=True)
            values.append(sum((min(c * Fraction(p), c * Fraction(q)) for c, p, q in ends), constant))
        assert found.margin.fraction == min(values)


def test_inside_the_box_it_is_the_score_less_eps_times_the_dual_norm() -> None:
    model, _, _ = linear(4, 1)
    x = torch.full((1, 30), 0.5)
    w, f = model.weight.detach().double(), model.double()(x.double()).item()
    model.float()
    for order, dual in ((math.inf, 1), (2, 2)):
        found = exact(model, x, torch.tensor([1]), Threat(0.125, order))[0].margin
        expected = f - 0.125 * float(torch.linalg.vector_norm(w, dual))
        assert float(found.lo) == pytest.approx(expected, abs=1e-5)
        assert float(found.lo) <= expected + 1e-12
        assert found.width < Fraction(1, 10**5)
        assert margin_bounds(model, x, torch.tensor([1]), Threat(0.125, order)).item() <= float(found.hi)


def test_exact_refusals() -> None:
    model, x, y = tiny(1)
    with pytest.raises(ValueError, match="an l2 ball around a network with ReLUs"):
        exact(model, x, y, Threat(0.1, 2))
    with pytest.raises(TypeError, match="MaxPool has no exact evaluation"):
        exact(nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4, 1)), torch.rand(1, 1, 4, 4), y[:1], Threat(0.1))


# ---- counts ----


def halves() -> nn.Linear:
    """f(x) = x - 1/2."""
    model = nn.Linear(1, 1)
    with torch.no_grad():
        model.weight.fill_(1.0)
        model.bias.fill_(-0.5)
    return model


def test_certified_error_counts_what_is_wrong_or_unproved() -> None:
    x = torch.tensor([[0.75], [0.625], [0.25], [0.5], [0.9]])
    y = torch.tensor([1, 1, 0, 1, 0])  # the fourth has score 0 and errs, the fifth is wrong
    found = certified_error(halves(), x, y, Threat(0.2), "ibp")
    assert found.flags.tolist() == [True, False, True, False, False]
    assert (found.error, int(found.wrong.sum()), found.vacuous) == (3, 2, False)
    attacked = torch.tensor([False, True, False, False, False])
    risk = found.robust_risk(attacked)
    assert (risk.lo, risk.hi, risk.alpha) == (Fraction(3, 5), Fraction(3, 5), 0)
    assert found.robust_risk().lo == Fraction(2, 5)
    eps = torch.tensor([0.3, 0.1, 0.2, 0.2, 0.2])
    assert certified_error(halves(), x, y, Threat(eps), batch=2).flags.tolist() == [False, True, True, False, False]


def test_a_bound_that_proves_nothing_says_vacuous() -> None:
    x, y = torch.tensor([[0.75], [0.25]]), torch.tensor([1, 0])
    assert str(certified_error(halves(), x, y, Threat(0.4), "ibp")).endswith(": vacuous")
    assert "vacuous" not in str(certified_error(halves(), x, y, Threat(0.2), "ibp"))
    assert "vacuous" not in str(certified_error(halves(), x, 1 - y, Threat(0.4), "ibp"))  # it is simply always wrong


def test_an_attack_on_a_certified_sample_is_a_contradiction() -> None:
    found = Certified(torch.tensor([False, False]), torch.tensor([1.0, -1.0]), "ibp")
    with pytest.raises(Contradiction, match="sample 0 is certified and was fooled"):
        found.robust_risk(torch.tensor([True, False]))
    with pytest.raises(ValueError, match="success flags do not fit"):
        found.robust_risk(torch.tensor([True]))
    assert isinstance(found.robust_risk(), Enclosure)
    assert Certified(torch.tensor([False]), torch.tensor([0.0]), "ibp").error == 1  # a margin of 0 may be an error


def test_certifying_leaves_the_network_as_it_was() -> None:
    model = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.ReLU(), nn.Linear(4, 3)).train()
    state: dict[str, Any] = {k: v.clone() for k, v in model.state_dict().items()}
    x, y = torch.rand(3, 2), torch.tensor([0, 1, 2])
    random = torch.random.get_rng_state()
    certified_error(model, x, y, Threat(0.1))
    margin_bounds(model, x, y, Threat(0.1))
    assert all(module.training for module in model.modules())
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert torch.equal(random, torch.random.get_rng_state())

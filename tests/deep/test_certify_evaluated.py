"""A certificate is of the function that is evaluated, or there is none."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations

from deep.attack.threat import Threat
from deep.certify import bounds, certified_error, exact, ibp, inner_products, margin_bounds


class Holder(nn.Module):
    """A network that keeps another one as ``module``, as torch's wrappers do, but computes something else."""

    def __init__(self) -> None:
        super().__init__()
        self.module = nn.Linear(6, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.module(0.5 - x)


class Doubled(nn.Linear):
    def __init__(self) -> None:
        super().__init__(6, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x * 2, self.weight, self.bias)


class Moody(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(x) + 5 if self.training else self.fc(x)


class AlwaysDropping(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.dropout(self.fc(x), 0.5)


class InPlace(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc, self.relu, self.last = nn.Linear(6, 6), nn.ReLU(inplace=True), nn.Linear(6, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.fc(x)
        return self.last(self.relu(h) + h)


def hooked() -> nn.Module:
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))
    model[0].register_forward_hook(lambda module, inputs, answer: answer + 1)
    return model


def patched() -> nn.Module:
    model = nn.Linear(6, 2)
    model.forward = lambda x: F.linear(x, model.weight)  # type: ignore[method-assign]
    return model


def spectral() -> nn.Module:
    return nn.Sequential(parametrizations.spectral_norm(nn.Linear(6, 8)), nn.ReLU(), nn.Linear(8, 2))


@pytest.mark.parametrize("make", [Holder, Doubled, Moody, AlwaysDropping, InPlace, hooked, patched, spectral])
def test_a_model_is_certified_as_it_is_evaluated_or_refused(make: Any) -> None:
    torch.manual_seed(0)
    model, x = make().train(), torch.rand(8, 6)
    try:
        lower, upper = bounds(model, x, Threat(1e-3))
    except TypeError:
        assert make in (Doubled, AlwaysDropping, InPlace, hooked, patched)
        return
    assert make in (Holder, Moody, spectral)
    z = model.eval()(x).double()
    assert ((lower <= z) & (z <= upper)).all()
    below, above = ibp(model, x, 1e-3)
    assert torch.allclose(below.double(), lower, atol=1e-5)
    assert torch.allclose(above.double(), upper, atol=1e-5)


def test_exact_minima_are_of_the_evaluated_network_too() -> None:
    torch.manual_seed(0)
    with pytest.raises(TypeError, match="computes something else than its layers"):
        exact(hooked(), torch.rand(2, 6), torch.tensor([0, 1]), Threat(0.1))


def _spots() -> tuple[nn.Module, torch.Tensor]:
    """Bright pixels far apart: a transform spreads their rounding errors over the dark ones between them."""
    torch.manual_seed(0)
    x = torch.rand(16, 2, 12, 12) * 1e-6
    x[:, :, ::6, ::6] = 0.97
    return nn.Sequential(nn.Conv2d(2, 2, 3, padding=1, bias=False), nn.Flatten()), x


def _broken(model: nn.Module, x: torch.Tensor) -> int:
    """How many of the evaluated outputs are outside of the bounds of an evaluation by inner products."""
    with torch.no_grad():
        z = model(x).double()
    with inner_products():
        lower, upper = bounds(model, x, Threat(0.0), evaluation="float")
    return int(((z < lower) | (z > upper)).sum())


@pytest.mark.filterwarnings("ignore:TF32 acceleration")
def test_transformed_convolutions_have_no_float_certificate() -> None:
    model, x = _spots()
    y = torch.zeros(len(x), dtype=torch.int64)
    assert _broken(model, x) == 0
    with torch.backends.mkldnn.flags(enabled=False):
        if torch.backends.nnpack.is_available():
            assert _broken(model, x) > 100  # so NNPACK's convolutions are none by inner products
            with pytest.raises(RuntimeError, match="NNPACK transforms convolutions, which the bounds"):
                margin_bounds(model, x, y, Threat(0.0), evaluation="float")
        margin_bounds(model, x, y, Threat(0.0))  # real arithmetic is as it was
        with inner_products():
            assert _broken(model, x) == 0
        certified_error(model, x, y, Threat(0.0), "ibp")


def test_rounded_products_have_no_float_certificate() -> None:
    model, x = nn.Linear(6, 2), torch.rand(4, 6)
    try:
        torch.set_float32_matmul_precision("high")
        with pytest.raises(RuntimeError, match="products have the precision 'high'"):
            bounds(model, x, Threat(0.1), evaluation="float")
        with inner_products():
            bounds(model, x, Threat(0.1), evaluation="float")
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")


@pytest.mark.parametrize("order", [2.0, float("inf")])
def test_an_infinite_ball_leaves_the_box(order: float) -> None:
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2)), torch.rand(4, 6)
    whole = bounds(model, x, Threat(1.0), "crown-ibp")
    infinite = bounds(model, x, Threat(float("inf"), order), "crown-ibp")
    assert all(torch.allclose(a, b) for a, b in zip(whole, infinite, strict=True))

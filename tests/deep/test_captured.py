"""A captured step but for the capture: buffers, random bits and put-back; the step is run anew, not replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from deep import captured
from deep.captured import CapturedStep, Fed
from deep.fit import Recipe, fit
from deep.images import Images, digits
from deep.models import build
from deep.objectives import PGDAT, TRADES, CertifiedTRADES, Method, Natural
from deep.stack import Stack, Together
from deep.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

IMAGES = digits("train").only(1, 3).first(50)


def weights(model: nn.Module) -> Tensor:
    return torch.cat([value.flatten() for value in model.state_dict().values()])


def run_anew(step: Callable[[], None]) -> Callable[[], None]:
    """In the place of a capture: warm up, and run the step at every call."""
    for _ in range(captured.WARM_UP):
        step()
    return step


@pytest.fixture
def without_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captured, "check_device", lambda device: None)
    monkeypatch.setattr(captured, "cuda_graph", run_anew)


@pytest.mark.usefixtures("without_gpu")
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("method", [Natural(), PGDAT(0.1, 2), PGDAT(0.5, 2, ord=2), TRADES(0.1, steps=2)])
def test_a_captured_run_is_the_plain_run(method: Method, optimizer: str) -> None:
    # 50 images in batches of 16: the last batch is smaller, and is no replay. Dropout is in the net.
    runs = []
    for graph in (False, True):
        model = build("net", shape=IMAGES.shape, outputs=2)
        done = fit(model, method, IMAGES, Recipe(3, 16, 0.01, optimizer=optimizer, graph=graph, ema=0.5))
        runs.append((weights(done.model), done.history))
    assert torch.allclose(runs[0][0], runs[1][0], atol=1e-6)
    assert list(runs[1][1]) == [pytest.approx(row, abs=1e-6) for row in runs[0][1]]


@pytest.mark.usefixtures("without_gpu")
def test_a_stack_can_be_captured() -> None:
    together = Together((TRADES(0.1, 0.5, 2), TRADES(0.1, 2.0, 2)))
    runs = []
    for graph in (False, True):
        stack = Stack([build("mlp", shape=IMAGES.shape, outputs=2, seed=seed) for seed in range(2)])
        runs.append(weights(fit(stack, together, IMAGES, Recipe(2, 16, seed=(0, 1), graph=graph)).model))
    assert torch.allclose(*runs, atol=1e-6)


def test_a_graph_needs_a_gpu() -> None:
    sentence = "a CUDA graph needs a GPU, but the network is on cpu; leave graph out"
    with pytest.raises(ValueError, match=sentence):
        fit(build("linear", shape=IMAGES.shape, outputs=2), Natural(), IMAGES, Recipe(1, graph=True))
    model: Any = build("linear", shape=IMAGES.shape, outputs=2)
    with pytest.raises(ValueError, match=sentence):
        CapturedStep(model, Natural(), torch.optim.SGD(model.parameters()), None)


@pytest.mark.usefixtures("without_gpu")
def test_what_a_graph_would_freeze_is_refused() -> None:
    with pytest.raises(ValueError, match="looks at the progress of the run, which a graph would freeze"):
        fit(build("mlp", shape=IMAGES.shape, outputs=1), CertifiedTRADES(0.1), IMAGES, Recipe(1, 16, graph=True))
    fed = Fed(0, torch.arange(3))
    with pytest.raises(ValueError, match="seeds a generator of its own"):
        _ = fed.child("a").seed
    with pytest.raises(ValueError, match="draws for other samples than its batch"):
        fed.bits(torch.arange(3), 2)


def test_fed_bits_are_those_of_the_stream() -> None:
    index = torch.tensor([4, 2])
    fed, stream = Fed(0, index), Stream(3).child("noise", 1)
    first = fed.child("start").uniform(index, (3,))
    assert not torch.equal(first, stream.child("start").uniform(index, (3,)))
    fed.feed(stream)
    assert torch.equal(fed.child("start").uniform(index, (3,)), stream.child("start").uniform(index, (3,)))
    index.copy_(torch.tensor([9, 5]))
    fed.feed(stream)
    assert torch.equal(fed.child("start").uniform(index, (3,)), stream.child("start").uniform(index, (3,)))


@pytest.mark.usefixtures("without_gpu")
def test_a_captured_step_knows_the_box_of_the_data() -> None:
    seen = []

    class Looking(Natural):
        def loss(self, model: nn.Module, batch: Any, state: Any) -> Any:
            seen.append(batch.threat(0.1).low)
            return super().loss(model, batch, state)

    images = Images.new([[-0.5, 0.5], [0.25, 1.0]] * 4, [0, 1] * 4, low=-1.0)
    for graph in (False, True):
        fit(build("linear", shape=(2,), outputs=2), Looking(), images, Recipe(1, 8, graph=graph))
    assert set(seen) == {-1.0}

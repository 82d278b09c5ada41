"""Outputs, labels and margins: one output and two logits are one convention."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from deep.scores import check_labels, cross_entropy, margin, predicted, signs, two_class, wrong


def test_one_score_is_two_logits():
    f = torch.randn(50, 1, generator=torch.Generator().manual_seed(0))
    y = (torch.arange(50) % 2).long()
    assert torch.allclose(margin(f, y), margin(two_class(f), y))
    assert torch.equal(predicted(f), predicted(two_class(f)))
    assert torch.allclose(cross_entropy(f, y), F.softplus(-signs(y) * f[:, 0]), atol=1e-6)


def test_a_score_of_zero_a_tie_and_a_nan_err():
    zero = torch.zeros(1, 1)
    assert bool(wrong(zero, torch.tensor([0])))
    assert bool(wrong(zero, torch.tensor([1])))
    tie = torch.tensor([[1.0, 1.0, 0.0]])
    assert [bool(wrong(tie, torch.tensor([k]))) for k in range(3)] == [True, True, True]
    assert bool(wrong(torch.tensor([[torch.nan]]), torch.tensor([1])))


def test_the_margin_is_that_of_a_loop():
    z = torch.randn(20, 5, generator=torch.Generator().manual_seed(1))
    y = torch.arange(20) % 5
    slow = [float(z[i, y[i]] - max(z[i, k] for k in range(5) if k != y[i])) for i in range(20)]
    assert margin(z, y).tolist() == pytest.approx(slow)
    assert torch.equal(wrong(z, y), predicted(z) != y)


@pytest.mark.parametrize(("label", "outputs", "high"), [(2, 1, 1), (2, 2, 1), (-1, 3, 2), (3, 3, 2)])
def test_labels_out_of_range(label, outputs, high):
    with pytest.raises(ValueError, match=f"label {label} is out of range; .* knows 0 to {high}"):
        check_labels(torch.tensor([0, label]), outputs)

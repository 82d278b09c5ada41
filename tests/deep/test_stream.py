"""Streams: numbers are a function of the sample, uniform, and differ where names do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from deep.stream import Stream


@given(key=st.integers(-(2**70), 2**70), n=st.integers(1, 40), cut=st.integers(0, 40), width=st.integers(1, 9))
def test_a_samples_numbers_do_not_depend_on_its_batch(key, n, cut, width):
    stream, index = Stream(key), torch.arange(n) * 7 - 3
    whole = [stream.uniform(index, (width,)), stream.normal(index, (width, 2)), stream.integers(index, 5)]
    for part in (slice(0, cut), slice(cut, n)):
        own = index[part]
        again = [stream.uniform(own, (width,)), stream.normal(own, (width, 2)), stream.integers(own, 5)]
        assert all(torch.equal(a[part], b) for a, b in zip(whole, again, strict=True))


def test_the_numbers_are_uniform_and_uncorrelated():
    u = Stream(3).child("test").uniform(torch.arange(500), (400,)).numpy()
    assert u.min() > 0
    assert u.max() < 1
    assert stats.kstest(u.ravel(), "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(u[:, 0], u[:, 1])[0, 1]) < 0.2
    assert abs(np.corrcoef(u[:-1].ravel(), u[1:].ravel())[0, 1]) < 0.02
    bits = np.unpackbits(Stream(3).bits(torch.arange(2000), 1).numpy().view(np.uint8))
    assert abs(bits.mean() - 0.5) < 0.01


def test_normals_are_normal():
    z = Stream(4).normal(torch.arange(400), (100,)).numpy().ravel()
    assert stats.kstest(z, "norm").pvalue > 1e-3


def test_other_names_give_other_numbers():
    index = torch.arange(64)
    names = [("a",), ("a", 0), ("a", 1), ("b",)]
    streams = [Stream(0), Stream(1), *(Stream(0).child(*name) for name in names)]
    drawn = {tuple(stream.uniform(index, (2,)).flatten().tolist()) for stream in streams}
    assert len(drawn) == len(streams)
    assert len({stream.seed for stream in streams}) == len(streams)
    assert all(0 <= stream.seed < 2**63 for stream in streams)


def test_a_name_may_be_a_number_of_numpy():
    assert Stream(0).child("a", np.int64(3)) == Stream(0).child("a", 3)


def test_orders_and_integers():
    order = Stream(5).permutation(1000)
    assert order.sort().values.tolist() == list(range(1000))
    assert abs(np.corrcoef(order.numpy(), np.arange(1000))[0, 1]) < 0.1
    drawn = Stream(5).integers(torch.arange(6000), 6)
    counts = torch.bincount(drawn, minlength=6)
    assert len(counts) == 6
    assert stats.chisquare(counts.numpy()).pvalue > 1e-3
    with pytest.raises(ValueError, match="high 0 is out of range"):
        Stream(5).integers(torch.arange(2), 0)

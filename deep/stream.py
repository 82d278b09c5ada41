"""Random numbers as a function of a key and a sample's number, with no state.

A generator with a state ties the numbers of a sample to those drawn before it: to the batch it came in, to the number
of steps of its neighbours' attacks. Here a `Stream` is a key, and sample i's numbers are a hash of (key, i, place). So
an attack's outcome does not depend on how the samples are split into batches or shards, and a training run resumes
exactly from the number of its step.

The hash is the finaliser of SplitMix64 (Steele, Lea and Flood, 2014) on 64-bit integers, the same on every device.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

_GOLDEN = -7046029254386353131  # 2^64 / golden ratio as a signed 64-bit integer
_MIX1, _MIX2 = -4658895280553007687, -7723592293110705685
_LOW = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Stream:
    """A source of random numbers for samples; `child` makes independent ones, by any names.

    >>> stream = Stream(7).child("attack", 0)
    >>> index = torch.tensor([5, 2, 9])
    >>> torch.equal(stream.uniform(index, (4,))[1:], stream.uniform(index[1:], (4,)))
    True
    >>> [round(x, 6) for x in stream.uniform(index, (2,))[0].tolist()]
    [0.253067, 0.508996]
    """

    key: int

    def child(self, *names: int | str) -> Stream:
        """The stream of these names under this one; other names give other numbers."""
        plain = tuple(name if isinstance(name, str) else int(name) for name in names)  # numpy writes its 1 otherwise
        digest = hashlib.sha256(repr((self.key, plain)).encode()).digest()
        return Stream(int.from_bytes(digest[:8], "little", signed=True))

    @property
    def seed(self) -> int:
        """A seed for a generator of torch's, from 0 to 2^63 - 1."""
        return self.child("seed").key & (2**63 - 1)

    def bits(self, index: Tensor, count: int) -> Tensor:
        """Sample numbers [B] -> random 64-bit integers [B, count]."""
        key = _signed(self.key)
        start = _mix(_mix(index.to(torch.int64) * _GOLDEN + key) ^ key)
        places = torch.arange(1, count + 1, device=index.device, dtype=torch.int64) * _GOLDEN
        return _mix(start[:, None] + places)

    def uniform(self, index: Tensor, shape: Sequence[int]) -> Tensor:
        """Sample numbers [B] -> float32 [B, *shape], uniform on the (2k + 1) / 2^24, so never 0 or 1."""
        count = math.prod(shape)
        words = self.bits(index, (count + 1) // 2)
        halves = torch.cat([words & _LOW, (words >> 32) & _LOW], dim=1)[:, :count]
        return ((halves >> 9).to(torch.float32) * 2 + 1).mul_(2.0**-24).reshape(-1, *shape)

    def normal(self, index: Tensor, shape: Sequence[int]) -> Tensor:
        """Sample numbers [B] -> float32 [B, *shape], standard normal by Box and Muller's transform."""
        count = math.prod(shape)
        u = self.uniform(index, (2, count))
        drawn = (-2 * u[:, 0].log()).sqrt_() * (2 * math.pi * u[:, 1]).cos_()
        return drawn.reshape(-1, *shape)

    def integers(self, index: Tensor, high: int) -> Tensor:
        """Sample numbers [B] -> integers [B] from 0 to high - 1 (with a bias of at most high / 2^32)."""
        if not 0 < high < 2**31:
            raise ValueError(f"high {high} is out of range; allowed are whole numbers from 1 to 2^31 - 1")
        return ((self.bits(index, 1)[:, 0] & _LOW) * high) >> 32

    def permutation(self, n: int) -> Tensor:
        """A random order of 0, ..., n - 1, int64 [n]."""
        return torch.argsort(self.bits(torch.arange(n), 1)[:, 0], stable=True)


def _signed(key: int) -> int:
    """The key modulo 2^64, as a signed 64-bit integer."""
    return (key + 2**63) % 2**64 - 2**63


def _mix(z: Tensor) -> Tensor:
    """SplitMix64's finaliser; >> of signed integers copies the sign, so it is masked off."""
    z = (z ^ ((z >> 30) & (2**34 - 1))) * _MIX1
    z = (z ^ ((z >> 27) & (2**37 - 1))) * _MIX2
    return z ^ ((z >> 31) & (2**33 - 1))

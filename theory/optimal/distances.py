"""Which pairs of points of two samples lie within a distance, decided exactly and in blocks.

Every pair has a *key*: its squared distance under l2, its distance under l1 and l-infinity, in units of the entries
of the arrays. Integer entries (images with their scale, or floats that are short dyadic numbers) have integer keys,
and the blocks below compute these without rounding. Other floats have keys known up to ``slack``, a proved bound on
the rounding error; a key closer to a threshold than that is computed again in integers (``exact_key``).

Why one float32 product is exact on 8-bit images: the terms of x.y are integers whose absolute values sum to at most
|x||y| (Cauchy-Schwarz), so if max|x| max|y| <= 2^24 every partial sum, in any order and with or without fused
multiply-add, is an integer that float32 represents. Subtracting |y|^2/2 gives a multiple of 1/2 between -|y|^2/2 and
|x|^2/2, which is represented when these are at most 2^23 (for whole numbers, 2^24). The same with 2^53 for float64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory.rounding import float_down, float_up

Array = NDArray[Any]

_UNIT_ROUNDOFF = 2.0**-53
_CHUNK = 1 << 22  # entries of a temporary array


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """The keys of all pairs of rows of ``x0`` and ``x1``; build with ``pairs``.

    A distance is ``key * unit`` (its square ``key * unit**2`` under l2). ``slack`` 0 says that keys are exact integers.
    """

    x0: Array
    x1: Array
    ord: float
    unit: Fraction
    slack: float
    spread: float
    """At least the largest difference of two coordinates."""
    square: _Product
    """The product that gives, or under l1 pre-filters, the keys."""

    @property
    def exact(self) -> bool:
        """Whether keys are exact integers."""
        return self.slack == 0

    def threshold(self, distance: Fraction) -> Fraction:
        """The key of a distance: two points are within ``distance`` iff their key is at most this."""
        entries = distance / self.unit
        return entries**2 if self.ord == 2 else entries

    def near(self, start: int, stop: int, limit: Fraction) -> tuple[Array, Array, Array]:
        """How many partners each row of ``x0[start:stop]`` has, their indices in ``x1`` row by row, and their keys.

        Partners are all pairs whose key is at most ``limit``; inexact keys may exceed it by up to twice the slack.
        """
        if self.ord == 2:
            return self.square.near(start, stop, limit, self.slack)
        if self.ord == 1:
            return self._near_l1(start, stop, limit)
        return self._near_linf(start, stop, limit)

    def exact_key(self, i: int, j: int) -> Fraction:
        """The key of one pair, computed in integers."""
        left, right = ([v.as_integer_ratio() for v in x.tolist()] for x in (self.x0[i], self.x1[j]))
        # Denominators are powers of two, so the largest is a common one.
        common = max(d for _, d in left + right)
        gaps = [a * (common // p) - b * (common // q) for (a, p), (b, q) in zip(left, right, strict=True)]
        if self.ord == 2:
            return Fraction(sum(g * g for g in gaps), common**2)
        return Fraction(sum(map(abs, gaps)) if self.ord == 1 else max(map(abs, gaps)), common)

    def at_most(self, i: Array, j: Array, keys: Array, limit: Fraction) -> NDArray[np.bool_]:
        """Whether each listed pair's key is at most ``limit``: by its key where that decides, else exactly."""
        if self.exact:
            return np.asarray(keys <= math.floor(limit))
        inside = keys <= float_down(limit - Fraction(self.slack))
        for e in np.flatnonzero(~inside & (keys <= float_up(limit + Fraction(self.slack)))):
            inside[e] = self.exact_key(int(i[e]), int(j[e])) <= limit
        return np.asarray(inside)

    def _near_l1(self, start: int, stop: int, limit: Fraction) -> tuple[Array, Array, Array]:
        # |z|_2 <= |z|_1 and |z|_2^2 <= |z|_1 max|z|: the product rules most pairs out before any sum of differences.
        square_limit = min(limit * limit, limit * Fraction(self.spread))
        counts, cols, _ = self.square.near(start, stop, square_limit, self.square.slack)
        rows = np.repeat(np.arange(start, stop), counts)
        keys = np.empty(len(cols), np.int64 if self.exact else np.float64)
        step = max(1, _CHUNK // self.x0.shape[1])
        for at in range(0, len(cols), step):
            part = slice(at, at + step)
            np.abs(self.x0[rows[part]] - self.x1[cols[part]]).sum(axis=1, out=keys[part])
        return self._keep(rows, cols, keys, start, stop, limit)

    def _near_linf(self, start: int, stop: int, limit: Fraction) -> tuple[Array, Array, Array]:
        # Coordinate by coordinate, the most telling first; dense while many pairs live, then a list.
        bound = math.floor(limit) if self.exact else float_up(limit + Fraction(self.slack))
        x0, x1 = self.x0[start:stop], self.x1
        sample = np.abs(x0[:: len(x0) // 16 + 1, None] - x1[None, :: len(x1) // 64 + 1]) > bound
        columns = np.argsort(-sample.mean(axis=(0, 1)), kind="stable")
        alive = np.ones((len(x0), len(x1)), np.bool_)
        done = 0
        for done, column in enumerate(columns[:64].tolist(), start=1):
            alive &= np.abs(x0[:, column, None] - x1[None, :, column]) <= bound
            if done % 4 == 0 and np.count_nonzero(alive) * 20 < alive.size:
                break
        rows, cols = np.nonzero(alive)
        keys = np.empty(len(rows), x0.dtype)
        step = max(1, _CHUNK // x0.shape[1])
        for at in range(0, len(rows), step):
            part = slice(at, at + step)
            keys[part] = np.abs(x0[rows[part]] - x1[cols[part]]).max(axis=1)
        return self._keep(rows + start, cols, keys, start, stop, limit)

    def _keep(
        self, rows: Array, cols: Array, keys: Array, start: int, stop: int, limit: Fraction
    ) -> tuple[Array, Array, Array]:
        kept = keys <= (math.floor(limit) if self.exact else float_up(limit + Fraction(self.slack)))
        counts = np.bincount(rows[kept] - start, minlength=stop - start)
        return counts, cols[kept].astype(np.int32), keys[kept]


@dataclass(frozen=True, slots=True, eq=False)
class _Product:
    """Squared l2 distances by one matrix product per block."""

    left: Array
    right: Array
    norm0: Array
    """|x|^2 of every row of x0."""
    half1: Array
    """|y|^2 / 2 of every row of x1, rounded down where ``odd`` is set."""
    odd: Array | None
    """What the rounding of |y|^2 left out."""
    slack: float

    def near(self, start: int, stop: int, limit: Fraction, slack: float) -> tuple[Array, Array, Array]:
        n1 = len(self.right)
        score = self.left[start:stop] @ self.right.T
        score -= self.half1  # x.y - |y|^2/2, large when the pair is close
        norm0 = self.norm0[start:stop]
        if slack == 0:
            # Keys never exceed their type. The least score is rounded down to a whole number, which its type represents
            # unless every score is far above it; what this lets in too much is filtered by key below.
            top = min(math.floor(limit), int(np.iinfo(norm0.dtype).max))
            least = (norm0 - top) // 2
        else:
            top = float_up(limit + Fraction(slack))  # type: ignore[assignment]
            least = (norm0 - float_up(limit + 2 * Fraction(slack))) / 2
        mask = score >= least.astype(score.dtype)[:, None]
        counts = np.count_nonzero(mask, axis=1)
        flat = np.flatnonzero(mask)
        rows = np.repeat(np.arange(stop - start), counts)
        cols = (flat - np.repeat(np.arange(0, (stop - start) * n1, n1), counts)).astype(np.int32)
        keys = norm0[rows] - (2 * score.ravel()[flat]).astype(norm0.dtype)  # doubled first: halves occur
        if self.odd is not None:
            keys += self.odd[cols]
        kept = keys <= top
        if not kept.all():
            rows, cols, keys = rows[kept], cols[kept], keys[kept]
            counts = np.bincount(rows, minlength=stop - start)
        return counts, cols, keys


def pairs(x0: Array, x1: Array, ord: float, scale: int | Fraction = 1) -> Pairs:
    """Prepare the pairs of two samples whose points are ``x0 / scale`` and ``x1 / scale``.

    Raises ``ValueError`` for an unknown norm, shapes that differ, an empty sample, entries that are not finite,
    integers beyond 2^53, or one array of integers and one of floats.
    """
    if ord not in (1, 2, math.inf):
        raise ValueError(f"ord {ord!r} is not a norm of this module; allowed are 1, 2 and inf")
    if x0.ndim != 2 or x1.ndim != 2 or x0.shape[1] != x1.shape[1]:
        raise ValueError(f"points of shapes {x0.shape} and {x1.shape} do not fit; allowed are (n0, d) and (n1, d)")
    if x0.size == 0 or x1.size == 0:
        raise ValueError(f"points of shapes {x0.shape} and {x1.shape}: a class is empty; both need at least one point")
    kinds = [np.issubdtype(x.dtype, np.integer) for x in (x0, x1)]
    if kinds[0] != kinds[1]:
        raise ValueError(f"points of types {x0.dtype} and {x1.dtype} mix integers and floats; give both in one kind")
    unit = 1 / Fraction(scale)
    if kinds[0]:
        if max(abs(int(v)) for x in (x0, x1) for v in (x.min(), x.max())) > 2**53:
            raise ValueError("integer entries beyond 2^53 are not supported; rescale the data")
        whole = True
    else:
        if not all(np.isfinite(x).all() for x in (x0, x1)):
            raise ValueError("points hold NaN or infinity; allowed are finite numbers")
        x0, x1 = x0.astype(np.float64), x1.astype(np.float64)
        shift = _dyadic_shift(x0, x1)
        whole = shift is not None
        if shift is not None:
            x0, x1 = (np.ldexp(x, shift).astype(np.int32) for x in (x0, x1))
            unit /= 2**shift
    top = np.maximum(x0.max(axis=0).astype(np.float64), x1.max(axis=0).astype(np.float64))
    low = np.minimum(x0.min(axis=0).astype(np.float64), x1.min(axis=0).astype(np.float64))
    ranges = top - low
    d = x0.shape[1]
    square = _product(x0, x1, whole=whole)
    # The integers here are below 2^26 in size (their squares sum to less than 2^52), so differences fit.
    exact = square.slack == 0
    small = exact and float(np.abs([top, low]).max()) < 2**14
    working = np.int16 if small else np.int64 if exact else np.float64
    if ord == 2:
        return Pairs(x0, x1, ord, unit, square.slack, 0.0, square)
    spread = float(ranges.max()) * (1 + 2 * _UNIT_ROUNDOFF)
    # Each difference is rounded once (relative 2^-53), a sum of d of them (d - 1) times more.
    reach = spread if ord == math.inf else float(ranges.sum())
    slack = 0.0 if exact else (d + 8) * _UNIT_ROUNDOFF * reach + 2.0**-1000
    return Pairs(x0.astype(working), x1.astype(working), ord, unit, slack, spread, square)


def _dyadic_shift(x0: Array, x1: Array) -> int | None:
    """The k for which all entries are small multiples of 2^-k, if there is one up to 20."""
    limit = 2.0**25
    if max(np.abs(x0).max(), np.abs(x1).max()) > limit:
        return None
    for k in (0, 1, 2, 3, 4, 6, 8, 10, 12, 16, 20):
        # Most arrays fail on the first rows already.
        for rows in (slice(0, 4), slice(None)):
            scaled = [np.ldexp(x[rows], k) for x in (x0, x1)]
            if not all(np.array_equal(z, np.rint(z)) and np.abs(z).max() <= limit for z in scaled):
                break
        else:
            return k
    return None


def _product(x0: Array, x1: Array, *, whole: bool) -> _Product:
    """Choose the number type in which the product is exact, or bound its rounding error."""
    # The dot product only needs columns in which both samples have a non-zero entry.
    shared = np.flatnonzero(x0.any(axis=0) & x1.any(axis=0))
    left, right = x0[:, shared], x1[:, shared]
    f0, f1 = (np.einsum("ij,ij->i", x, x, dtype=np.float64) for x in (x0, x1))
    largest = float(max(f0.max(), f1.max()))
    if whole and largest < 2.0**52 / (1 + 2.0**-20):
        norm0, norm1 = (np.einsum("ij,ij->i", x, x, dtype=np.int64) for x in (x0, x1))
        if largest < 2**29:  # no key exceeds (|x| + |y|)^2 <= 4 max|x|^2
            norm0, norm1 = norm0.astype(np.int32), norm1.astype(np.int32)
        dots = math.prod(
            math.isqrt(int(np.einsum("ij,ij->i", x, x, dtype=np.int64).max())) + 1 for x in (left, right)
        )
        dtype = np.float32 if dots <= 2**24 and largest <= 2**25 else np.float64
        odd = norm1 % 2 if dtype == np.float32 and largest > 2**24 else None
        half = norm1 / 2 if odd is None else norm1 // 2
        return _Product(left.astype(dtype), right.astype(dtype), norm0, half.astype(dtype), odd, 0.0)
    if not largest < 2.0**1000:
        raise ValueError(f"points of length about {math.sqrt(largest):.3g} are too long; rescale the data")
    # A sum of d products, in any order, is off by at most d u / (1 - d u) times the sum of absolute values, which for
    # x.y is at most (|x|^2 + |y|^2) / 2; with m = max|x|^2 + max|y|^2 the norms and twice the dot product are together
    # off by at most 2 d u m, and the two subtractions by 4 u m. The surplus covers second-order terms and underflow.
    m = float(f0.max() + f1.max())
    slack = (2 * x0.shape[1] + 16) * _UNIT_ROUNDOFF * m + 2.0**-1000
    return _Product(left.astype(np.float64), right.astype(np.float64), f0, f1 / 2, None, slack)

"""Laws whose classes are products of one-dimensional densities: normal, uniform, Laplace, generalised normal.

Masses of boxes are products of differences of distribution functions, enclosed in ball arithmetic.

>>> law = ProductDistribution({-1: ("1/2", (Normal(-1, 1),)), +1: ("1/2", (Normal(1, 1),))})
>>> print(f"{law.mass(Boxes([(('0', 'inf'),)]), -1):.9f}")
[0.079327626, 0.079327627]
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from theory import special
from theory.between import Between, mass_between
from theory.boxes import Boxes
from theory.enclosure import Enclosure, maximum, minimum
from theory.numbers import Exact, as_fraction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

DIGITS = 20


class Marginal(Protocol):
    """A density on the line that rises up to its mode and falls after it; hashable, since its cdf is remembered."""

    @property
    def mode(self) -> Fraction: ...

    def cdf(self, x: Fraction) -> Enclosure:
        """P(X <= x)."""

    def density(self, x: Fraction) -> Enclosure:
        """The density at x, from inside the support where it jumps."""

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n independent floats."""

    def __hash__(self) -> int: ...


@dataclass(frozen=True, slots=True, eq=False)
class Normal:
    """exp(-(x - mean)^2 / (2 sd^2)) / (sd sqrt(2 pi)); an irrational ``sd`` is given as an enclosure.

    Two of them are equal if they surely are one law: an enclosed ``sd`` is the same number in both if it is one object.
    """

    mean: Fraction
    sd: Fraction | Enclosure

    def __init__(self, mean: Exact, sd: Exact | Enclosure) -> None:
        object.__setattr__(self, "mean", as_fraction(mean, "mean"))
        object.__setattr__(self, "sd", sd if isinstance(sd, Enclosure) else _positive(sd, "sd"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Normal):
            return NotImplemented
        if isinstance(self.sd, Enclosure) or isinstance(other.sd, Enclosure):
            return self.mean == other.mean and self.sd is other.sd
        return self.mean == other.mean and self.sd == other.sd

    def __hash__(self) -> int:
        return hash((self.mean, self.sd))

    @property
    def mode(self) -> Fraction:
        return self.mean

    def cdf(self, x: Fraction) -> Enclosure:
        return special.normal_cdf(Enclosure.exact(x - self.mean) / self.sd, DIGITS)

    def density(self, x: Fraction) -> Enclosure:
        return special.normal_pdf(Enclosure.exact(x - self.mean) / self.sd, DIGITS) / self.sd

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return rng.normal(float(self.mean), _float(self.sd), n)


@dataclass(frozen=True, slots=True)
class Uniform:
    """1 / (high - low) on [low, high]."""

    low: Fraction
    high: Fraction

    def __init__(self, low: Exact, high: Exact) -> None:
        object.__setattr__(self, "low", as_fraction(low, "low"))
        object.__setattr__(self, "high", as_fraction(high, "high"))
        if not self.low < self.high:
            raise ValueError(f"low {low} is not below high {high}")

    @property
    def mode(self) -> Fraction:
        return (self.low + self.high) / 2

    def cdf(self, x: Fraction) -> Enclosure:
        return Enclosure.exact((min(max(x, self.low), self.high) - self.low) / (self.high - self.low))

    def density(self, x: Fraction) -> Enclosure:
        return Enclosure.exact(1 / (self.high - self.low) if self.low <= x <= self.high else 0)

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return rng.uniform(float(self.low), float(self.high), n)


@dataclass(frozen=True, slots=True)
class Laplace:
    """exp(-|x - mean| / scale) / (2 scale)."""

    mean: Fraction
    scale: Fraction

    def __init__(self, mean: Exact, scale: Exact) -> None:
        object.__setattr__(self, "mean", as_fraction(mean, "mean"))
        object.__setattr__(self, "scale", _positive(scale, "scale"))

    @property
    def mode(self) -> Fraction:
        return self.mean

    def cdf(self, x: Fraction) -> Enclosure:
        half = special.exp(-abs(x - self.mean) / self.scale, DIGITS) / 2
        return half if x < self.mean else 1 - half

    def density(self, x: Fraction) -> Enclosure:
        return special.exp(-abs(x - self.mean) / self.scale, DIGITS) / (2 * self.scale)

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return rng.laplace(float(self.mean), float(self.scale), n)


@dataclass(frozen=True, slots=True)
class GeneralisedNormal:
    """exp(-(|x - mean| / scale)^shape) shape / (2 scale Gamma(1/shape)); shape 1 is Laplace, 2 normal."""

    mean: Fraction
    scale: Fraction
    shape: Fraction

    def __init__(self, mean: Exact, scale: Exact, shape: Exact) -> None:
        object.__setattr__(self, "mean", as_fraction(mean, "mean"))
        object.__setattr__(self, "scale", _positive(scale, "scale"))
        object.__setattr__(self, "shape", _positive(shape, "shape"))

    @property
    def mode(self) -> Fraction:
        return self.mean

    def cdf(self, x: Fraction) -> Enclosure:
        if x == self.mean:
            return Enclosure.exact(Fraction(1, 2))
        upper = special.gamma_upper(1 / self.shape, self._power(x), DIGITS) / 2
        return upper if x < self.mean else 1 - upper

    def density(self, x: Fraction) -> Enclosure:
        peak = self.shape / (2 * self.scale) / special.gamma(1 / self.shape, DIGITS)
        return peak if x == self.mean else special.exp(-self._power(x), DIGITS) * peak

    def _power(self, x: Fraction) -> Enclosure:
        return special.power(abs(x - self.mean) / self.scale, self.shape, DIGITS)

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        size = rng.gamma(float(1 / self.shape), size=n) ** float(1 / self.shape)
        signed: np.ndarray = size * rng.choice([-1.0, 1.0], n)
        return float(self.mean) + float(self.scale) * signed


@dataclass(frozen=True, slots=True)
class ProductDistribution:
    """P(Y = y) = prior, and given y the coordinates of X are independent: ``{y: (prior, marginals)}``. Domain R^d."""

    parts: Mapping[int, tuple[Fraction, tuple[Marginal, ...]]]
    restricts: None = field(default=None, repr=False)

    def __init__(self, parts: Mapping[int, tuple[Exact, Sequence[Marginal]]]) -> None:
        made = {y: (as_fraction(prior, "prior"), tuple(axes)) for y, (prior, axes) in sorted(parts.items())}
        if len(made) < 2 or len({len(axes) for _, axes in made.values()}) != 1:
            raise ValueError("a product law needs two or more labels, each with one density an axis")
        if any(prior < 0 for prior, _ in made.values()) or sum(prior for prior, _ in made.values()) != 1:
            priors = ", ".join(str(prior) for prior, _ in made.values())
            raise ValueError(f"priors {priors} are not probabilities; they must be at least 0 and sum to 1")
        object.__setattr__(self, "parts", made)
        object.__setattr__(self, "restricts", None)

    @property
    def labels(self) -> tuple[int, ...]:
        return tuple(self.parts)

    @property
    def dim(self) -> int:
        return len(self.parts[self.labels[0]][1])

    @property
    def domain(self) -> Boxes:
        return Boxes.everything(self.dim)

    @property
    def everything(self) -> Boxes:
        return Boxes.everything(self.dim)

    @property
    def nothing(self) -> Boxes:
        return Boxes.nothing(self.dim)

    def event(self, event: Any) -> Any:
        return event

    def prior(self, label: int) -> Fraction:
        return self.parts[label][0]

    def mass(self, event: Any, label: int) -> Enclosure:
        """P(X in event, Y = label) for unions of boxes and events enclosed by them."""
        if isinstance(event, Between):
            return mass_between(lambda boxes: self.mass(boxes, label), event)
        if not isinstance(event, Boxes):
            raise TypeError(f"a product law measures boxes, not {type(event).__name__}; enclose the event in boxes")
        prior, axes = self.parts[label]
        total = Enclosure.exact(0)
        for cell in event.cells():
            factor = Enclosure.exact(prior)
            for axis, (lo, hi) in zip(axes, cell, strict=True):
                factor = factor * interval_mass(axis, lo, hi)
            total = total + factor
        return minimum(total, prior)

    def sample(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """n independent draws: points (n, d) as floats and labels (n,)."""
        import numpy as np

        priors = np.array([float(self.prior(y)) for y in self.labels])
        labels = np.array(self.labels)[rng.choice(len(self.labels), size=n, p=priors / priors.sum())]
        points = np.empty((n, self.dim))
        for y in self.labels:
            rows = np.nonzero(labels == y)[0]
            points[rows] = np.stack([axis.draw(len(rows), rng) for axis in self.parts[y][1]], axis=1)
        return points, labels


@lru_cache(maxsize=65536)
def _cdf(axis: Marginal, x: Fraction) -> Enclosure:
    return axis.cdf(x)


def interval_mass(axis: Marginal, lo: Fraction | None, hi: Fraction | None) -> Enclosure:
    """P(lo < X < hi) of a marginal; None is an infinite end."""
    upper = Enclosure.exact(1) if hi is None else _cdf(axis, hi)
    lower = Enclosure.exact(0) if lo is None else _cdf(axis, lo)
    return maximum(upper - lower, 0)


def _positive(value: Exact, name: str) -> Fraction:
    number = as_fraction(value, name)
    if number <= 0:
        raise ValueError(f"{name} {value} is not positive")
    return number


def _float(x: Fraction | Enclosure) -> float:
    return float(x) if isinstance(x, Fraction) else float((Fraction(x.lo) + Fraction(x.hi)) / 2)

"""Linear classifiers of two classes of images under the l-infinity adversary, trained to a certified optimum.

For the score w.x + b and labels y = -1, +1, the worst case over the ball is exact: with lo_i and hi_i the least and the
largest value that pixel i can be given (x_i -+ eps; for the *clipped* adversary cut to [0, 1]),

    robust margin  m = y b + sum_i (w_i > 0 ? lo_i w_i : hi_i w_i) for y = +1, mirrored for y = -1,

a concave function of w, so adversarial training with the logistic loss log(1 + exp(-m)) is a convex problem. Split into
w = u - v with u, v >= 0 it is smooth, m = P u + N v + y b for matrices P and N; its Fenchel dual is

    max over 0 <= q <= 1, sum y q = 0, of mean H(q) - |c+|^2 / (2 lam),    c = mean of q (P, N)

with H(q) = -q log q - (1-q) log(1-q); for lam = 0 it is mean H(q) subject to c <= 0. Any weights bound the least loss
from above and any feasible q from below. Here both are made of integers: pixels and eps over one denominator, w, b and
q multiples of a power of 1/2. So accuracies are exact counts, feasibility is decided in integers, and only logarithms
are enclosed. Nothing rests on the solver.

>>> import numpy as np
>>> pair = ImagePair(np.array([[0, 9], [1, 8], [9, 1], [8, 3], [4, 6], [6, 4]]), np.array([-1, -1, 1, 1, 1, -1]), 10)
>>> trained = train(pair, "1/5", "unclipped", lam="1/10")
>>> print(f"{trained.loss:.6f}", trained.model.accuracy(pair), trained.model.accuracy(pair, "1/5", "unclipped"))
[0.691936, 0.691937] 2/3 2/3
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from theory.arbs import enclose, to_arb, working_precision
from theory.enclosure import Enclosure, Undecided
from theory.numbers import Exact, as_fraction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from theory.samples import LabelledSample

Attack = Literal["none", "unclipped", "clipped"]
ATTACKS: tuple[Attack, ...] = ("none", "unclipped", "clipped")


@dataclass(frozen=True, slots=True, eq=False)
class ImagePair:
    """Images of two classes: ``x`` whole numbers of shape (n, d), ``y`` of -1 and +1.

    Pixel i of image k is the number x[k, i] / scale in [0, 1].
    """

    x: NDArray[Any]
    y: NDArray[Any]
    scale: int

    @staticmethod
    def of(sample: LabelledSample, negative: Any, positive: Any) -> ImagePair:
        """The images of two classes of a sample; the first becomes -1, the second +1.

        Raises ``ValueError`` for a class the sample lacks, equal classes, or pixels other than whole numbers 0..scale.
        """
        if negative == positive:
            raise ValueError(f"class {negative!r} cannot be told from itself; name two classes")
        if not np.issubdtype(sample.x.dtype, np.integer) or sample.x.min() < 0 or sample.x.max() > sample.scale:
            raise ValueError(f"pixels of {sample.name} are no whole numbers from 0 to {sample.scale}; give IDX files")
        chosen = sample.only(negative, positive)
        return ImagePair(chosen.x, np.where(chosen.y == positive, 1, -1), chosen.scale)

    def __len__(self) -> int:
        return len(self.y)

    def features(self, columns: Sequence[int]) -> ImagePair:
        """The same images seen through these pixels only."""
        return ImagePair(self.x[:, list(columns)], self.y, self.scale)

    def correlations(self) -> tuple[Fraction, ...]:
        """E[y x_i] of every pixel, exactly (ODDS, appendix E)."""
        sums = self.y.astype(np.int64) @ self.x.astype(np.int64)
        return tuple(Fraction(int(total), len(self) * self.scale) for total in sums)

    def attacked(self, eps: Fraction, attack: Attack) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
        """P and N of the margin P u + N v + y b in units of 1/S, and S."""
        unit = self.scale * eps.denominator
        middle, reach = self.x.astype(np.int64) * eps.denominator, eps.numerator * self.scale
        low, high = (middle, middle) if attack == "none" else (middle - reach, middle + reach)
        if attack == "clipped":
            low, high = np.maximum(low, 0), np.minimum(high, unit)
        positive = (self.y > 0)[:, None]
        return np.where(positive, low, -high), np.where(positive, -high, low), unit


@dataclass(frozen=True, slots=True, eq=False)
class LinearModel:
    """The score sum weights[i]/2^bits x_i + bias/2^bits, with whole numbers ``weights`` and ``bias``."""

    weights: NDArray[np.int64]
    bias: int
    bits: int

    @staticmethod
    def near(weights: NDArray[np.float64], bias: float, unit: int) -> LinearModel:
        """Floats rounded to a grid so fine, and no finer, that margins over the denominator ``unit`` fit 64 bits."""
        size = (float(np.abs(weights).sum()) + abs(bias) + 1) * unit
        bits = min(44, int(61 - math.log2(size)))
        return LinearModel(np.rint(weights * 2.0**bits).astype(np.int64), round(bias * 2.0**bits), bits)

    @property
    def norm(self) -> Fraction:
        """||w||_1, exactly."""
        return Fraction(int(np.abs(self.weights).sum()), 2**self.bits)

    @property
    def support(self) -> int:
        """How many pixels have a weight that is not zero."""
        return int(np.count_nonzero(self.weights))

    def margins(self, pair: ImagePair, eps: Exact = 0, attack: Attack = "none") -> tuple[NDArray[np.int64], int]:
        """The least margin of every image over its ball, as whole numbers over one denominator: exact."""
        used = np.flatnonzero(self.weights)
        part = ImagePair(pair.x[:, used], pair.y, pair.scale)
        up, down, unit = part.attacked(_radius(eps), attack)
        w = self.weights[used]
        margins = np.where(w > 0, up, down) @ np.abs(w) + pair.y.astype(np.int64) * self.bias * unit
        return margins, unit * 2**self.bits

    def accuracy(self, pair: ImagePair, eps: Exact = 0, attack: Attack = "none") -> Fraction:
        """The share of images classified rightly at every point of their ball (a score of 0 is an error): a count."""
        margins, _ = self.margins(pair, eps, attack)
        return Fraction(int((margins > 0).sum()), len(pair))

    def loss(self, pair: ImagePair, eps: Exact = 0, attack: Attack = "none") -> Enclosure:
        """The mean of log(1 + exp(-margin)), enclosed."""
        margins, unit = self.margins(pair, eps, attack)
        return _mean_loss(margins, unit)


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A model, and the certificate that it is (nearly) optimal: the least value of the training objective, enclosed.

    ``loss`` runs from the value of a dual point to the value of ``model``; its width is the duality gap. ``dual`` holds
    the q of the dual point: q_k is near the probability of error that the model gives to image k.
    """

    model: LinearModel
    loss: Enclosure
    dual: NDArray[np.float64]
    steps: int

    @property
    def gap(self) -> Fraction:
        """How far the model's objective can be from the least."""
        return Fraction(self.loss.hi) - Fraction(self.loss.lo)


def train(pair: ImagePair, eps: Exact = 0, attack: Attack = "none", lam: Exact = 0) -> Trained:
    """The minimiser of mean log(1 + exp(-m)) + lam/2 |w|_2^2, with m the robust margin; certified.

    Raises ``ValueError`` for a bad eps, attack or lam, and for lam = 0 when the images are separable with room for the
    adversary: then the loss tends to 0 and has no minimiser. Raises `Undecided` if no certificate could be found.
    """
    radius, weight = _radius(eps), as_fraction(lam, "lam")
    if attack not in ATTACKS:
        raise ValueError(f"attack {attack!r} is unknown; allowed are {', '.join(ATTACKS)}")
    if weight < 0:
        raise ValueError(f"lam {weight} is negative; allowed are numbers from 0 up")
    if not 0 < int((pair.y > 0).sum()) < len(pair):
        raise ValueError("the sample has one class only; training needs both")
    split = _Split.of(pair, radius, attack, float(weight))
    theta, bias, steps = split.solve()
    model = LinearModel.near(split.weights(theta), bias, pair.scale * radius.denominator)
    if weight == 0 and model.accuracy(pair, radius, attack) == 1:
        raise ValueError(
            f"the training images are separable (attack {attack}, eps {radius}), so the loss has no minimiser and "
            "tends to 0; give lam > 0"
        )
    upper = model.loss(pair, radius, attack)
    if weight:
        squares = sum(int(w) ** 2 for w in model.weights)
        upper += weight / 2 * Fraction(squares, 4**model.bits)
        q = split.dual(theta, bias)
        lower = _dual_value(pair, radius, attack, weight, q)
        return Trained(model, Enclosure(lower.lo, upper.hi, "duality"), q, steps)
    # Without a norm the dual point must satisfy c <= 0 exactly: that of a slightly weaker adversary does.
    for exponent in (28, 24, 20, 16):
        weaker = _Split.of(pair, radius * (1 - Fraction(1, 2**exponent)), attack, 0.0)
        other, shift, _ = weaker.solve(theta, bias)
        q = weaker.dual(other, shift)
        lower = _dual_value(pair, radius, attack, weight, q)
        if lower.lo > 0:
            return Trained(model, Enclosure(lower.lo, upper.hi, "duality"), q, steps)
    raise Undecided("no feasible dual point was found; a small lam > 0 makes every point feasible")


def gradient_descent(
    pair: ImagePair, steps: int = 100, rate: float = 0.5, eps: Exact = 0, attack: Attack = "none"
) -> LinearModel:
    """Full-batch gradient descent on the mean robust logistic loss, from zero (ODDS, appendix A.2); in floats."""
    *_, (w, bias) = descend(pair, steps, rate, eps, attack)
    return LinearModel.near(w, bias, pair.scale * _radius(eps).denominator)


def descend(
    pair: ImagePair, steps: int, rate: float, eps: Exact = 0, attack: Attack = "none"
) -> Iterator[tuple[NDArray[np.float64], float]]:
    """The weights and biases of gradient descent, from the zeros it starts with to those after ``steps`` steps."""
    d = pair.x.shape[1]
    split = _Split.of(pair, _radius(eps), attack, 0.0)
    w, bias = np.zeros(d), 0.0
    yield w, bias
    for _ in range(steps):
        theta = w if split.signed else np.concatenate([np.maximum(w, 0.0), np.maximum(-w, 0.0)])
        q = split.dual(theta, bias) / len(pair)
        pull = q @ split.matrix
        if not split.signed:
            # At w_i = 0 the middle of the two one-sided slopes.
            up, down = pull[:d], -pull[d:]
            pull = np.where(w > 0, up, np.where(w < 0, down, (up + down) / 2))
        w, bias = w + rate * pull, bias + rate * float(q @ split.y)
        yield w, bias


# ---- the solver: projected Newton on a growing set of coordinates; nothing rests on it ----


@dataclass(frozen=True, slots=True, eq=False)
class _Split:
    """The smooth problem in theta and a free b, with margins ``matrix`` theta + y b.

    theta is (u, v) >= 0, or w itself where there is no adversary (``signed``).
    """

    matrix: NDArray[np.float64]
    y: NDArray[np.float64]
    lam: float
    signed: bool = False

    @staticmethod
    def of(pair: ImagePair, eps: Fraction, attack: Attack, lam: float) -> _Split:
        if attack == "none":
            return _Split(pair.y[:, None] * (pair.x / pair.scale), pair.y.astype(np.float64), lam, signed=True)
        x, reach, one = pair.x / pair.scale, float(eps), (pair.y > 0)[:, None]
        low, high = x - reach, x + reach
        if attack == "clipped":
            low, high = np.maximum(low, 0.0), np.minimum(high, 1.0)
        matrix = np.concatenate([np.where(one, low, -high), np.where(one, -high, low)], axis=1)
        return _Split(matrix, pair.y.astype(np.float64), lam)

    def weights(self, theta: NDArray[np.float64]) -> NDArray[np.float64]:
        return theta if self.signed else theta[: len(theta) // 2] - theta[len(theta) // 2 :]

    def dual(self, theta: NDArray[np.float64], bias: float) -> NDArray[np.float64]:
        return _sigmoid(-(self.matrix @ theta + self.y * bias))

    def solve(
        self, start: NDArray[np.float64] | None = None, bias: float = 0.0, tolerance: float = 1e-13
    ) -> tuple[NDArray[np.float64], float, int]:
        n, size = self.matrix.shape
        theta = np.zeros(size) if start is None else start.copy()
        if start is None:  # the best constant
            bias = math.log((self.y > 0).sum() / (self.y < 0).sum())
        if self.signed:
            chosen = np.flatnonzero(self.matrix.any(axis=0))
            part = self.matrix[:, chosen]
            theta[chosen], bias, steps = _newton(part, self.y, theta[chosen], bias, self.lam, floor=-math.inf)
            return theta, bias, steps
        chosen = np.flatnonzero(theta)
        steps = 0
        for _ in range(200):
            q = self.dual(theta, bias) / n
            gradient = self.lam * theta - q @ self.matrix
            outside = np.setdiff1d(np.flatnonzero(gradient < -tolerance), chosen)
            if steps and not outside.size:
                break
            worst = outside[np.argsort(gradient[outside])][: max(20, len(chosen))]
            chosen = np.union1d(chosen, worst)
            part, bias, used = _newton(self.matrix[:, chosen], self.y, theta[chosen], bias, self.lam)
            theta[chosen] = part
            steps += used
            if np.abs(theta).sum() > 1e7:
                break
            chosen = chosen[theta[chosen] > 0]
        return theta, bias, steps


def _newton(
    matrix: NDArray[np.float64],
    y: NDArray[np.float64],
    theta: NDArray[np.float64],
    bias: float,
    lam: float,
    floor: float = 0.0,
) -> tuple[NDArray[np.float64], float, int]:
    """Projected Newton for theta >= floor and a free bias (the last coordinate)."""
    n, k = matrix.shape
    full = np.concatenate([matrix, y[:, None]], axis=1)
    point = np.append(theta, bias)
    weight = np.append(np.full(k, lam), 0.0)

    def value(at: NDArray[np.float64]) -> float:
        return float(np.logaddexp(0.0, -(full @ at)).mean() + 0.5 * weight @ (at * at))

    current, steps = value(point), 0
    while steps < 100:
        steps += 1
        q = _sigmoid(-(full @ point))
        gradient = weight * point - q @ full / n
        fixed = (point <= floor) & (gradient > 0)
        fixed[k] = False
        free = np.flatnonzero(~fixed)
        if np.abs(gradient[free]).max() < 1e-15:
            break
        active = full[:, free]
        hessian = (active * (q * (1 - q) / n)[:, None]).T @ active + np.diag(weight[free] + 1e-14)
        move = np.linalg.solve(hessian, -gradient[free])
        length, better = 1.0, False
        while length > 1e-10:
            tried = point.copy()
            tried[free] += length * move
            tried[:k] = np.maximum(tried[:k], floor)
            found = value(tried)
            if found < current:
                better = True
                break
            length /= 2
        if not better:
            # The objective no longer tells the two apart; the last Newton step is still worth taking.
            tried = point.copy()
            tried[free] += move
            tried[:k] = np.maximum(tried[:k], floor)
            if np.abs(move).max() < 1e-6:
                point = tried
            break
        point, current = tried, found
        if np.abs(point).sum() > 1e7:
            break
    return point[:k], float(point[k]), steps


def _sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    small = np.exp(-np.abs(x))
    values: NDArray[np.float64] = np.where(x >= 0, 1.0, small) / (1.0 + small)
    return values


# ---- certificates ----


def _mean_loss(margins: NDArray[np.int64], unit: int) -> Enclosure:
    with working_precision(100):
        total, scale = to_arb(0), to_arb(unit)
        for margin in margins.tolist():
            total += (-to_arb(margin) / scale).exp().log1p()
        return enclose(total / len(margins))


def _dual_value(pair: ImagePair, eps: Fraction, attack: Attack, lam: Fraction, near: NDArray[np.float64]) -> Enclosure:
    """The dual objective at a point made feasible in integers; -infinity (that is, no bound) where that fails."""
    up, down, unit = pair.attacked(eps, attack)
    bits = min(40, int(61 - math.log2(unit * len(pair))))
    q = np.clip(np.rint(near * 2.0**bits).astype(np.int64), 0, 2**bits)
    q = _balanced(q, pair.y)
    pulls = [int(c) for c in np.concatenate([q @ up, q @ down])]
    scale = len(pair) * unit * 2**bits
    excess = sum(max(c, 0) ** 2 for c in pulls)
    if excess and not lam:
        return Enclosure(-math.inf, 0)
    with working_precision(100):
        total, one = to_arb(0), to_arb(2**bits)
        for k in q.tolist():
            if 0 < k < 2**bits:
                share = to_arb(k) / one
                total -= share * share.log() + (1 - share) * (1 - share).log()
        entropy = enclose(total / len(pair))
    return entropy - (Fraction(excess, scale**2) / (2 * lam) if excess else 0)


def _balanced(q: NDArray[np.int64], y: NDArray[Any]) -> NDArray[np.int64]:
    """q with the same sum over both classes: the excess is taken off evenly."""
    excess = int((q * y).sum())
    side = np.flatnonzero(y == (1 if excess > 0 else -1))
    side = side[np.argsort(-q[side], kind="stable")]
    balanced = q.copy()
    rest = abs(excess)
    while rest:
        able = side[balanced[side] > 0]
        share, single = divmod(rest, len(able))
        taken = np.full(len(able), share, dtype=np.int64)
        taken[:single] += 1
        taken = np.minimum(taken, balanced[able])
        balanced[able] -= taken
        rest -= int(taken.sum())
    return balanced


def _radius(eps: Exact) -> Fraction:
    value = as_fraction(eps, "eps")
    if value < 0:
        raise ValueError(f"eps {value} is negative; allowed are numbers from 0 up")
    return value

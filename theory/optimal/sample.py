"""The least robust risk on a labelled two-class sample, over all classifiers, with its certificate.

    V(eps) = inf over f of sum_i w_i 1[some x' with |x' - x_i| <= eps has f(x') != y_i]

is the weight of a minimum vertex cover of the conflict graph: of two conflicting points every classifier errs on one,
and for every cover there is a classifier that errs only there. So the matching (or flow) proves that nothing does
better, and the cover says what attains it. Randomised classifiers do no better than deterministic ones: the program is
integral.

>>> from theory.samples import digits
>>> sample = digits().only(3, 8)
>>> best = optimal_sample_risk(sample, "1.1")
>>> best.risk, best.pairs, best.verify()
(Fraction(2, 7), 102, True)
>>> int((best.classifier(sample.x) != sample.y).sum())  # without an adversary it errs less often
49
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.enclosure import Enclosure
from theory.numbers import Exact, as_fraction
from theory.optimal.conflict import ConflictGraph, check_radii, conflict_graph, within
from theory.optimal.distances import Array
from theory.optimal.matching import Cover, Matcher, weighted_cover

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from theory.samples import LabelledSample


@dataclass(frozen=True, slots=True, eq=False)
class NearCentres:
    """The classifier that says ``labels[0]`` within ``eps`` of a centre and ``labels[1]`` elsewhere, decided exactly.

    Centres are ``centres / scale``; call it on rows of the same kind (integers of the same scale, or floats).
    """

    centres: Array
    eps: Fraction
    ord: float
    scale: int
    labels: tuple[Any, Any]

    def __call__(self, x: Array) -> Array:
        """The labels of the rows of ``x``, shape (n, d); images of any shape are flattened."""
        x = np.asarray(x)
        near = within(x.reshape(len(x), -1), self.centres, self.eps, ord=self.ord, scale=self.scale)
        labels = np.array(self.labels)
        return np.asarray(np.where(near, labels[0], labels[1]))


@dataclass(frozen=True, slots=True, eq=False)
class SampleOptimum:
    """The least robust risk of a two-class sample at one radius, who attains it, and why nothing does better.

    ``wrong`` marks the points (in the sample's order) on which ``classifier`` errs under attack; they weigh ``risk``.
    ``senders[e]`` and ``receivers[e]`` are conflicting points, of the smaller and of the larger label, and
    ``amounts[e] / denominator`` the weight matched between them: any classifier loses at least that much on the two,
    and the amounts sum to ``risk * denominator``. ``weights`` are the points' weights times ``denominator``.
    """

    risk: Fraction
    eps: Fraction
    ord: float
    sample: LabelledSample
    wrong: Array
    senders: Array
    receivers: Array
    amounts: tuple[int, ...]
    weights: tuple[int, ...]
    denominator: int
    conflicts: int
    """How many pairs of points conflict."""

    @property
    def value(self) -> Enclosure:
        """The least robust risk, as every optimum gives it: exact here."""
        return Enclosure.exact(self.risk)

    @property
    def verified(self) -> bool:
        """Whether the certificate holds against the points alone; see ``verify``."""
        return self.verify()

    @property
    def pairs(self) -> int:
        """How many pairs the matching or flow uses."""
        return len(self.amounts)

    @property
    def classifier(self) -> NearCentres:
        """An optimal classifier: the smaller label within eps of a point of that class that is not given up."""
        first, second = self.sample.classes
        centres = self.sample.x[(self.sample.y == first) & ~self.wrong]
        return NearCentres(centres, self.eps, self.ord, self.sample.scale, (first, second))

    def verify(self) -> bool:
        """Check the certificate against the points alone; ``ArithmeticError`` where it fails.

        Recomputes the distance of every matched pair, and that no two kept points of different classes conflict.
        """
        sample, total = self.sample, 2 * self.eps
        first, second = sample.classes
        if not ((sample.y[self.senders] == first).all() and (sample.y[self.receivers] == second).all()):
            raise ArithmeticError("a matched pair is not one of two classes")
        limit = total * sample.scale
        for a, b in zip(self.senders.tolist(), self.receivers.tolist(), strict=True):
            if not _closer(sample.x[a], sample.x[b], self.ord, limit):
                raise ArithmeticError(f"the matched points {a} and {b} do not conflict")
        carried = [0] * len(sample)
        for ends in (self.senders, self.receivers):
            for point, amount in zip(ends.tolist(), self.amounts, strict=True):
                carried[point] += amount
        if any(amount < 0 for amount in self.amounts) or any(
            c > w for c, w in zip(carried, self.weights, strict=True)
        ):
            raise ArithmeticError("the matching exceeds the weight of a point")
        kept0, kept1 = (sample.x[(sample.y == label) & ~self.wrong] for label in (first, second))
        if within(kept0, kept1, total, ord=self.ord, scale=sample.scale).any():
            raise ArithmeticError("two kept points of different classes conflict")
        lost = sum(w for w, bad in zip(self.weights, self.wrong.tolist(), strict=True) if bad)
        if not sum(self.amounts) == lost == self.risk * self.denominator:
            raise ArithmeticError(f"value {self.risk}, matching {sum(self.amounts)} and cover {lost} do not agree")
        return True


@dataclass(frozen=True, slots=True, eq=False)
class SampleCurve:
    """The least robust risk at an ascending grid of radii: a step function, known exactly on the grid."""

    optima: tuple[SampleOptimum, ...]

    @property
    def eps(self) -> tuple[Fraction, ...]:
        """The radii of the grid."""
        return tuple(optimum.eps for optimum in self.optima)

    @property
    def values(self) -> tuple[Fraction, ...]:
        """The least robust risk at each of them."""
        return tuple(optimum.risk for optimum in self.optima)

    def __call__(self, eps: Exact) -> Enclosure:
        """V at any radius from 0 to the largest of the grid: V grows with eps, so its neighbours enclose it.

        Raises ``ValueError`` outside that range.
        """
        radius = as_fraction(eps, "eps")
        if not 0 <= radius <= self.eps[-1]:
            raise ValueError(f"eps {radius} is outside the curve's range; allowed are 0 to {self.eps[-1]}")
        above = bisect_right(self.eps, radius)
        low = self.values[above - 1] if above else Fraction(0)
        if above and self.eps[above - 1] == radius:
            return Enclosure.exact(low)
        return Enclosure(low, self.values[above], "monotone in eps")


def optimal_sample_risk(sample: LabelledSample, eps: Exact, ord: float = 2, **options: Any) -> SampleOptimum:
    """The least robust risk of a two-class sample at radius ``eps`` under the closed balls of norm ``ord`` (1, 2, inf).

    Options and errors are those of ``optimal_sample_curve``.

    >>> from theory.samples import LabelledSample
    >>> line = LabelledSample([[0], [1], [2]], [0, 1, 0])
    >>> optimal_sample_risk(line, "1/2").risk, optimal_sample_risk(line, "1/2", prior="1/4").risk
    (Fraction(1, 3), Fraction(1, 4))
    """
    return optimal_sample_curve(sample, [eps], ord, **options).optima[0]


def optimal_sample_curve(
    sample: LabelledSample,
    eps: Sequence[Exact],
    ord: float = 2,
    *,
    prior: Exact | None = None,
    weights: Sequence[Exact] | None = None,
    max_bytes: int | None = None,
    n_jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> SampleCurve:
    """The least robust risk at every radius of ``eps``, in one pass over the pairs of points, each value certified.

    Every point weighs 1/N, unless ``prior`` gives the larger label's share (spread evenly in each class) or
    ``weights`` each point's own. ``max_bytes``, ``n_jobs`` and ``progress`` are those of
    ``theory.optimal.conflict.conflict_graph``.

    Raises ``ValueError`` for a sample without exactly two classes, a prior outside [0, 1], weights that are negative or
    do not sum to one, a negative radius, a graph too large, or points that mix integers and floats.
    """
    if len(sample.classes) != 2:
        raise ValueError(f"the sample has the classes {list(sample.classes)}; allowed are exactly two (see .only)")
    whole, denominator = integer_weights(sample, prior, weights)
    first, second = (np.flatnonzero(sample.y == label) for label in sample.classes)
    members = [_groups(sample.x, first), _groups(sample.x, second)]
    summed = [[sum(whole[i] for i in g) for g in side] for side in members]
    x0, x1 = (sample.x[[g[0] for g in side]] for side in members)
    graph = conflict_graph(
        x0,
        x1,
        check_radii(eps),
        ord=ord,
        scale=sample.scale,
        max_bytes=max_bytes,
        n_jobs=n_jobs,
        progress=progress,
    )
    matcher = Matcher(graph) if len(set(summed[0] + summed[1])) == 1 else None
    unit = 1 if matcher is None else summed[0][0]
    fixed = tuple(whole)
    single = all(len(g) == 1 for side in members for g in side)
    optima = []
    for k, radius in enumerate(graph.eps):
        cover = weighted_cover(graph, k, *summed) if matcher is None else matcher.cover(k)
        wrong = np.zeros(len(sample), np.bool_)
        for side, covered in zip(members, (cover.cover0, cover.cover1), strict=True):
            wrong[[i for g in np.flatnonzero(covered).tolist() for i in side[g]]] = True
        value = Fraction(cover.value * unit, denominator)
        if single:
            conflicts = graph.edges(k)
            flow = first[cover.rows], second[cover.cols], tuple((cover.amounts * unit).tolist())
        else:
            conflicts, flow = _count(graph, k, members), _split(cover, members, whole, unit)
        optima.append(
            SampleOptimum(value, radius, float(ord), sample, wrong, *flow, fixed, denominator, conflicts)
        )
    return SampleCurve(tuple(optima))


def population_lower_bound(optimum: SampleOptimum, delta: Exact) -> Enclosure:
    """What the optimum on an iid sample of size N says of the law it came from, with probability 1 - delta:

        V >= V_N - sqrt(ln(1/delta) / (2 N)).

    For V_N is at most the empirical risk of every classifier, so E V_N <= V; and one point changes V_N by at most
    1/N, so V_N exceeds its mean by t with probability at most exp(-2 N t^2) (McDiarmid, 1989). V_N *under*estimates
    V on average: the statement is one-sided, the upper end is 1.

    Raises ``ValueError`` unless the weights are equal and 0 < delta < 1.
    """
    delta = as_fraction(delta, "delta")
    if not 0 < delta < 1:
        raise ValueError(f"delta {delta} is not a probability strictly between 0 and 1")
    if len(set(optimum.weights)) != 1:
        raise ValueError("the population bound needs points of equal weight; leave prior and weights away")
    from flint import arb, fmpq

    n = len(optimum.sample)
    spread = (-arb(fmpq(delta.numerator, delta.denominator)).log() / (2 * n)).sqrt()
    low = optimum.risk - Enclosure.from_arb(spread)
    return Enclosure(max(low.lo, Fraction(0)), 1, "bounded differences", delta)


def integer_weights(
    sample: LabelledSample, prior: Exact | None = None, weights: Sequence[Exact] | None = None
) -> tuple[list[int], int]:
    """The points' weights as whole numbers over a common denominator. Raises as ``optimal_sample_curve``."""
    if weights is not None:
        if prior is not None:
            raise ValueError("prior and weights are both given; allowed is one of them")
        exact = [as_fraction(w, "weight") for w in weights]
        if len(exact) != len(sample):
            raise ValueError(f"{len(exact)} weights for {len(sample)} points; allowed is one weight per point")
        if min(exact) < 0:
            raise ValueError(f"weight {min(exact)} is negative; allowed are 0 and above")
        if sum(exact) != 1:
            raise ValueError(f"the weights sum to {sum(exact)}; allowed is a sum of exactly 1")
    elif prior is not None:
        share = as_fraction(prior, "prior")
        if not 0 <= share <= 1:
            raise ValueError(f"prior {share} is not a probability; allowed are 0 to 1")
        low, high = sample.classes
        each = {low: (1 - share) / sample.counts[low], high: share / sample.counts[high]}
        exact = [each[label] for label in sample.y.tolist()]
    else:
        return [1] * len(sample), len(sample)
    denominator = lcm(*{w.denominator for w in exact})
    return [int(w * denominator) for w in exact], denominator


def _closer(x: Array, y: Array, ord: float, limit: Fraction) -> bool:
    """Whether two points are within ``limit`` of each other: plain exact arithmetic, apart from the fast paths."""
    exact: Callable[[Any], Any] = int if np.issubdtype(x.dtype, np.integer) else Fraction
    gaps = [abs(exact(a) - exact(b)) for a, b in zip(x.tolist(), y.tolist(), strict=True) if a != b]
    if ord == 2:
        return bool(sum(g * g for g in gaps) <= limit**2)
    return bool((sum(gaps) if ord == 1 else max(gaps, default=0)) <= limit)


def _groups(x: Array, rows: Array) -> list[list[int]]:
    """The listed rows, equal ones put together when at least a tenth are repeats."""
    groups: dict[bytes, list[int]] = {}
    for i in rows.tolist():
        groups.setdefault(x[i].tobytes(), []).append(i)
    return list(groups.values()) if len(groups) <= 0.9 * len(rows) else [[i] for i in rows.tolist()]


def _count(graph: ConflictGraph, k: int, members: list[list[list[int]]]) -> int:
    """How many pairs of points conflict, equal points counted one by one."""
    sizes0, sizes1 = ([len(g) for g in side] for side in members)
    return sum(n * sum(sizes1[j] for j in graph.neighbours(i, k).tolist()) for i, n in enumerate(sizes0))


def _split(
    cover: Cover, members: list[list[list[int]]], whole: list[int], unit: int
) -> tuple[Array, Array, tuple[int, ...]]:
    """The flow between groups of equal points as a flow between the points: senders, receivers, amounts."""
    # The points of a group send and receive in turn, each until its weight is used up.
    waiting = [[[[i, whole[i]] for i in g if whole[i]] for g in side] for side in members]
    flow: list[tuple[int, int, int]] = []
    for i, j, amount in zip(cover.rows.tolist(), cover.cols.tolist(), cover.amounts.tolist(), strict=True):
        rest = amount * unit
        while rest:
            ends = waiting[0][i][-1], waiting[1][j][-1]
            sent = min(rest, ends[0][1], ends[1][1])
            flow.append((ends[0][0], ends[1][0], sent))
            rest -= sent
            for end, queue in zip(ends, (waiting[0][i], waiting[1][j]), strict=True):
                end[1] -= sent
                if end[1] == 0:
                    queue.pop()
    senders, receivers = (np.array([f[side] for f in flow], np.int64) for side in (0, 1))
    return senders, receivers, tuple(f[2] for f in flow)

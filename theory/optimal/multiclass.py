"""The least robust risk of a labelled sample with any number of classes, randomised and deterministic.

A classifier that may answer at random gives class c the probability p_c(z) at the point z; with q_v the least p of
v's class over v's ball, a set of points of different classes whose balls meet has sum q_v <= 1. So

    randomised optimum     1 - max sum w_v q_v,  sum_{v in e} q_v <= 1 for every such set e,  q >= 0
    deterministic optimum  the same with q in {0, 1}

and every such q is attained. For two classes the two agree; for more they need not: three points at the corners
of a small triangle cost 1/2 (each q = 1/2) or 2/3 if only pairs of balls meet, and 2/3 both ways if all three do.

Conflicts in pairs alone give the *pairwise* bound, half a matching of a bipartite graph. Its half-integral optimum
settles all points where it is 0 or 1, for both programs: let I be the points at q = 1 and N those at q = 0; the
dual carries all of N's weight along conflicts between N and I. Change any feasible q to 1 on I and to 0 on N: a joint
conflict with a point of I has its other points in N, so nothing is violated, and along the dual no weight is lost. What
remains, the kernel, is solved component by component (``theory.optimal.packing``).

>>> from theory.samples import LabelledSample
>>> corners = LabelledSample([[0, 0, 6], [0, 6, 0], [6, 0, 0]], [1, 2, 3])  # 6 sqrt 2 apart, enclosed by 2 sqrt 6
>>> best = optimal_multiclass_risk(corners, "4.5")
>>> best.randomised.fraction, best.deterministic.fraction, best.pairwise
(Fraction(1, 2), Fraction(2, 3), Fraction(1, 2))
>>> optimal_multiclass_risk(corners, "4.9").randomised.fraction  # 2 sqrt 6 = 4.898...: now all three balls meet
Fraction(2, 3)
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.enclosure import Enclosure
from theory.numbers import Exact
from theory.optimal.conflict import check_radii, conflict_graph, within
from theory.optimal.distances import Array
from theory.optimal.joint import JointConflicts, TooMuchWork, heavy_sets
from theory.optimal.kernel import half_integral
from theory.optimal.packing import Conflict, Effort, Kernel, fractional, integral, packing_bound
from theory.optimal.sample import integer_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from theory.samples import LabelledSample


@dataclass(frozen=True, slots=True, eq=False)
class MulticlassOptimum:
    """The two optima, enclosed (exact where the ends meet), who attains their upper ends, and what proves the lower.

    ``kept`` marks points of which no two of different classes conflict: a deterministic classifier is right on all of
    them under attack, and the others weigh the upper end of ``deterministic``. ``q[v]`` is the probability with which a
    randomised one is right on v. ``packing`` maps joint conflicts to amounts (of ``weights``, over ``denominator``);
    see ``theory.optimal.packing.packing_bound``. ``pairwise`` is the bound from conflicts in pairs alone.
    """

    randomised: Enclosure
    deterministic: Enclosure
    pairwise: Fraction
    eps: Fraction
    ord: float
    sample: LabelledSample
    kept: Array
    q: tuple[Fraction, ...]
    packing: dict[Conflict, Fraction]
    weights: tuple[int, ...]
    denominator: int
    conflicts: int
    kernel: int
    """How many points the pairwise bound leaves undecided."""

    @property
    def value(self) -> Enclosure:
        """The least robust risk over deterministic classifiers, as every optimum gives it."""
        return self.deterministic

    @property
    def verified(self) -> bool:
        """Whether both ends hold against the points alone; see ``verify``."""
        return self.verify()

    def classifier(self, x: Array) -> Array:
        """The labels of the rows of ``x``: that of a kept point within eps, or the first where there is none."""
        x = np.asarray(x)
        x = x.reshape(len(x), -1)
        answer = np.full(len(x), self.sample.classes[0])
        for label in self.sample.classes:
            near = within(x, self._points(self.kept, label), self.eps, ord=self.ord, scale=self.sample.scale)
            answer[near] = label
        return answer

    def probabilities(self, x: Array) -> list[list[Fraction]]:
        """For each row of ``x`` the probability of each class, in the order of ``sample.classes``."""
        x = np.asarray(x)
        x = x.reshape(len(x), -1)
        table = [[Fraction(0)] * len(self.sample.classes) for _ in range(len(x))]
        q = np.array(self.q, dtype=object)
        for k, label in enumerate(self.sample.classes):
            for value in sorted(set(self.q) - {0}):
                points = self._points(q == value, label)
                near = within(x, points, self.eps, ord=self.ord, scale=self.sample.scale)
                for i in np.flatnonzero(near).tolist():
                    table[i][k] = max(table[i][k], value)
        for row in table:
            row[0] += 1 - sum(row)
        return table

    def verify(self) -> bool:
        """Check both ends against the points alone; ``ArithmeticError`` where it fails."""
        sample, reach = self.sample, 2 * self.eps
        total = sum(self.weights)
        joint = JointConflicts(sample, self.eps, self.ord)
        for members, amount in self.packing.items():
            if amount < 0 or len({sample.y[v] for v in members}) < len(members):
                raise ArithmeticError(f"{members} with {amount} is no conflict of different classes")
            for u, v in combinations(members, 2):
                if not within(sample.x[[u]], sample.x[[v]], reach, ord=self.ord, scale=sample.scale)[0]:
                    raise ArithmeticError(f"points {u} and {v} do not conflict")
            for size in range(3, len(members) + 1):
                if not all(joint.extends(part) for part in combinations(sorted(members), size)):
                    raise ArithmeticError(f"the balls of {members} have no common point")
        least = 1 - packing_bound(dict(enumerate(self.weights)), self.packing) / self.denominator
        if least != self.randomised.lo or total != self.denominator:
            raise ArithmeticError(f"the packing proves {least}, not {self.randomised.lo}")
        lost = sum(w for w, keep in zip(self.weights, self.kept.tolist(), strict=True) if not keep)
        if Fraction(lost, self.denominator) != self.deterministic.hi:
            raise ArithmeticError(f"the points not kept weigh {lost}, not {self.deterministic.hi}")
        tails, heads = _conflicts(sample, self.eps, self.ord, {})
        if (self.kept[tails] & self.kept[heads]).any():
            raise ArithmeticError("two kept points of different classes conflict")
        right = sum((w * q for w, q in zip(self.weights, self.q, strict=True)), Fraction(0))
        if 1 - right / self.denominator != self.randomised.hi or min(self.q) < 0 or max(self.q) > 1:
            raise ArithmeticError(f"the probabilities lose {1 - right / self.denominator}, not {self.randomised.hi}")
        if any(self.q[u] + self.q[v] > 1 for u, v in zip(tails.tolist(), heads.tolist(), strict=True)):
            raise ArithmeticError("two conflicting points are right with more than probability one")
        near = _near({v for v, q in enumerate(self.q) if 0 < q < 1}, tails, heads)
        labels, q = _labels(sample), dict(enumerate(self.q))
        for part in _components(near):
            for members in heavy_sets({v: near[v] for v in part}, labels, q, _strict(joint), Fraction(1)):
                raise ArithmeticError(f"the conflicting points {members} are right with more than probability one")
        return True

    def _points(self, chosen: Array, label: Any) -> Array:
        points: Array = self.sample.x[chosen.astype(np.bool_) & (self.sample.y == label)]
        return points


def optimal_multiclass_risk(
    sample: LabelledSample,
    eps: Exact,
    ord: float = 2,
    *,
    weights: Sequence[Exact] | None = None,
    effort: int = 1_000_000,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> MulticlassOptimum:
    """Both optima at radius ``eps`` under the closed balls of norm ``ord`` (1, 2, inf), always enclosed.

    Every point weighs 1/N unless ``weights`` says otherwise. ``effort`` limits the work on the kernel (entries of
    linear programs solved; a million can take a minute or two); where it does not suffice, the enclosures stay wide.
    ``progress`` is called with (components solved, components); ``options`` are ``max_bytes`` and ``n_jobs`` of
    ``theory.optimal.conflict.conflict_graph``. Raises ``ValueError`` for fewer than two classes, and as
    ``theory.optimal.sample.optimal_sample_curve``.
    """
    if len(sample.classes) < 2:
        raise ValueError(f"the sample has the classes {list(sample.classes)}; allowed are two and more")
    radius = check_radii([eps])[0]
    whole, denominator = integer_weights(sample, None, weights)
    tails, heads = _conflicts(sample, radius, ord, options)
    half = half_integral(len(sample), tails, heads, whole)
    q = [Fraction(2 - int(c), 2) for c in half.doubled.tolist()]
    kept = half.doubled == 0
    packing: dict[Conflict, Fraction] = {}
    dual = zip(half.tails.tolist(), half.heads.tolist(), half.doubled_amounts, strict=True)
    for u, v, amount in dual:
        pair = (min(u, v), max(u, v))
        packing[pair] = packing.get(pair, Fraction(0)) + Fraction(amount, 2)
    pairwise = 1 - packing_bound(dict(enumerate(whole)), packing) / denominator
    undecided = frozenset(half.kernel.tolist())
    packing = {pair: amount for pair, amount in packing.items() if pair[0] not in undecided}

    # Of the kernel, each connected component by itself; ``unproved`` is what branch and bound left open.
    joint = JointConflicts(sample, radius, float(ord))
    near, labels = _near(undecided, tails, heads), _labels(sample)
    parts = list(_components(near))
    unproved = 0
    for done, part in enumerate(parts):
        kernel = Kernel({v: near[v] for v in part}, labels, {v: whole[v] for v in part})
        first, second = Effort(effort // 2), Effort(effort // 4)
        bounds = fractional(kernel, joint, first)
        low, high, chosen = integral(kernel, second, bounds.pool)
        effort -= min(effort, effort // 2 - first.left + effort // 4 - second.left)
        unproved += min(high, int(bounds.high)) - low
        packing |= bounds.packing
        some = bounds.q if bounds.low > low else {v: Fraction(v in chosen) for v in part}
        if not joint.exact_for(len(sample.classes)):
            some = _safe(kernel, some, low, chosen, Effort(effort // 2))
        for v in part:
            q[v], kept[v] = some[v], v in chosen
        if progress is not None:
            progress(done + 1, len(parts))

    lost = sum(w for w, keep in zip(whole, kept.tolist(), strict=True) if not keep)
    right = sum((w * x for w, x in zip(whole, q, strict=True)), Fraction(0))
    least = 1 - packing_bound(dict(enumerate(whole)), packing) / denominator
    worst = Fraction(lost, denominator)
    how = ("linear programs, rounded exactly",)
    return MulticlassOptimum(
        randomised=_enclose(least, 1 - right / denominator, how),
        deterministic=_enclose(worst - Fraction(unproved, denominator), worst, (*how, "branch and bound")),
        pairwise=pairwise,
        eps=radius,
        ord=float(ord),
        sample=sample,
        kept=kept,
        q=tuple(q),
        packing=packing,
        weights=tuple(whole),
        denominator=denominator,
        conflicts=len(tails),
        kernel=len(undecided),
    )


def _enclose(lo: Fraction, hi: Fraction, how: tuple[str, ...]) -> Enclosure:
    return Enclosure.exact(hi) if lo == hi else Enclosure(lo, hi, how)


def _conflicts(sample: LabelledSample, eps: Fraction, ord: float, options: dict[str, Any]) -> tuple[Array, Array]:
    """All pairs of points of different classes whose balls meet: indices into the sample."""
    tails, heads = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    sides = [np.flatnonzero(sample.y == label) for label in sample.classes]
    for low, high in combinations(sides, 2):
        graph = conflict_graph(sample.x[low], sample.x[high], [eps], ord=ord, scale=sample.scale, **options)
        tails.append(np.repeat(low, graph.ends[0] - graph.starts))
        heads.append(high[graph.indices])
    return np.concatenate(tails), np.concatenate(heads)


def _labels(sample: LabelledSample) -> dict[int, int]:
    """The class of every point, as the number of the label in ``sample.classes``."""
    return dict(enumerate(np.searchsorted(np.array(sample.classes), sample.y).tolist()))


def _near(points: Iterable[int], tails: Array, heads: Array) -> dict[int, frozenset[int]]:
    """With whom each of ``points`` conflicts, among themselves."""
    near: dict[int, set[int]] = {v: set() for v in sorted(points)}
    marked = np.zeros(int(max(tails.max(initial=0), heads.max(initial=0), max(near, default=0))) + 1, np.bool_)
    marked[list(near)] = True
    among = marked[tails] & marked[heads]
    for u, v in zip(tails[among].tolist(), heads[among].tolist(), strict=True):
        near[u].add(v)
        near[v].add(u)
    return {v: frozenset(others) for v, others in near.items()}


def _components(near: dict[int, frozenset[int]]) -> Iterable[list[int]]:
    left = set(near)
    while left:
        part, front = set[int](), {min(left)}
        while front:
            part |= front
            front = {u for v in front for u in near[v]} - part
        left -= part
        yield sorted(part)


def _strict(joint: JointConflicts) -> JointConflicts | None:
    """The test that certainly finds every joint conflict: pairs where no exact one is known."""
    return joint if joint.exact_for(len(joint.sample.classes)) else None


def _safe(kernel: Kernel, q: Any, low: int, chosen: frozenset[int], effort: Effort) -> Any:
    """``q`` if it satisfies every conflict that pairs allow; else the better of a stricter program and ``chosen``."""
    try:
        if not any(heavy_sets(kernel.near, kernel.labels, q, None, Fraction(1))):
            return q
    except TooMuchWork:
        pass
    strict = fractional(kernel, None, effort)
    return strict.q if strict.low > low else {v: Fraction(v in chosen) for v in kernel.near}

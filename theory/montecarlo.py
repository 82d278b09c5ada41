"""Monte Carlo estimates of the four risks, for exact classifiers and for any function that predicts labels.

Each draw (x, y) is judged by itself: it surely counts towards the risk, or it possibly does. Confidence limits come
from the sure count below and the possible count above (Clopper and Pearson, 1934). Regions are judged by distances in
float64, without the dilations of the exact engine (``theory.probe``); a function is searched for an error within the
ball, which can only show that there is one.

>>> from theory import Boxes, BoxDistribution, robust_risk
>>> law = BoxDistribution.of_masses({-1: [([("0", "1/2")], "2/5")], +1: [([("1/2", "1")], "3/5")]}, [("0", "1")])
>>> f, ball = RegionClassifier.binary(Boxes([(("2/5", None),)])), Ball("1/10")
>>> seen = estimate(robust_risk, f, law, ball, n=10_000, rng=0, alpha="1e-9")
>>> seen.contains(robust_risk(f, law, ball)), seen.width < Fraction(1, 20), seen.how
(True, True, ('10000 draws', 'Clopper-Pearson'))
>>> seen = estimate(robust_risk, f.predict, law, ball, n=10_000, rng=0, alpha="1e-9")
>>> seen.hi, seen.how
(Fraction(1, 1), ('10000 draws', 'Clopper-Pearson', 'search of the ball: a lower bound'))
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from theory.ball import Ball
from theory.classifiers import RegionClassifier, bayes_rule, contains
from theory.distributions import FiniteDistribution
from theory.enclosure import Enclosure
from theory.numbers import Exact, as_fraction
from theory.probe import Flags, Floats, Outcome, probe, wall_ends

RISKS = ("standard_risk", "robust_risk", "boundary_risk", "sensible_risk")
BLOCK = 1 << 14  # draws held at once
INSIDE = 1 - 2.0**-40  # a search keeps this much inside the ball, so that rounding does not carry it out

Judge = Callable[[Any, Any], Outcome]
Predict = Callable[[Any], Any]


def estimate(
    risk: str | Callable[..., Any],
    f: RegionClassifier | Predict,
    law: Any,
    ball: Ball | None = None,
    *,
    n: int,
    rng: int | np.random.Generator,
    alpha: Exact = Fraction(1, 20),
    reference: RegionClassifier | Predict | None = None,
    threshold: Exact = 1,
    adversary: Callable[[Any, Any], Any] | None = None,
    search: int = 64,
    progress: Callable[[int], Any] | None = None,
) -> Enclosure:
    """Confidence limits for a risk from ``n`` draws of the law; they fail with probability at most ``alpha``.

    ``risk`` is ``standard_risk``, ``robust_risk``, ``boundary_risk``, ``sensible_risk`` or the name of one. ``f`` is a
    ``RegionClassifier``, or a function from points (m, d) to labels (m,) (on a finite law without coordinates, from
    indices (m,)); label 0 errs whatever the truth. ``rng`` is a seed or a generator, ``progress`` is called with the
    number of draws after each block; the other options are those of ``judge``.

    Limits are two-sided for the standard risk, for region classifiers and on finite laws. The robust risk of a
    function is only bounded from below, by what a search of the ball finds: hi is 1, and ``how`` says so. Its boundary
    and sensible risk are bounded from above by what the draws themselves show. With an ``adversary`` who always finds
    an error where there is one, all limits are two-sided.

    Raises ``ValueError`` for an unknown risk, no draws, labels of a wrong shape, and an adversary who leaves the ball
    or the domain.
    """
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise ValueError(f"n {n!r} is no number of draws; allowed are 1, 2, 3, ...")
    from theory.confidence import clopper_pearson

    generator = np.random.default_rng(rng)
    decide = judge(
        risk, f, law, ball, reference=reference, threshold=threshold, adversary=adversary, search=search, rng=generator
    )
    sure = possible = 0
    for start in range(0, int(n), BLOCK):
        size = min(BLOCK, int(n) - start)
        least, most = decide(*law.sample(size, generator))
        sure, possible = sure + int(least.sum()), possible + int(most.sum())
        if progress is not None:
            progress(size)
    how, name = [f"{n} draws", "Clopper-Pearson"], _name(risk)
    if name != "standard_risk" and adversary is None and _is_searched(f, reference, law):
        if name == "robust_risk":  # nothing is known from above, so the whole alpha goes to the limit from below
            low = clopper_pearson(sure, int(n), alpha, side="lower")
            return Enclosure(low.lo, 1, [*how, "search of the ball: a lower bound"], low.alpha)
        how.append("search of the ball: wide from above")
    low = clopper_pearson(sure, int(n), alpha)
    high = low if possible == sure else clopper_pearson(possible, int(n), alpha)
    return Enclosure(low.lo, high.hi, how, low.alpha)


def judge(
    risk: str | Callable[..., Any],
    f: RegionClassifier | Predict,
    law: Any,
    ball: Ball | None = None,
    *,
    reference: RegionClassifier | Predict | None = None,
    threshold: Exact = 1,
    adversary: Callable[[Any, Any], Any] | None = None,
    search: int = 64,
    rng: int | np.random.Generator = 0,
) -> Judge:
    """The function that judges draws: points (m, d) and labels (m,) give two arrays (m,) of booleans.

    The first says which draws surely count towards the risk, the second which possibly do; they differ where a search
    decides, and for regions known only ``Between`` others. On a finite law points are indices (m,).

    ``reference`` and ``threshold`` are those of the sensible risk. A function is searched at the ends of the ball's
    axes, the corners of a cube (if there are no more than ``search``) and ``search`` random points. ``adversary(x, y)``
    returns the points (m, d) to move to from points and labels instead; who passes one vouches that it finds an error
    (for the sensible risk one where the reference is right) wherever there is one.

    >>> from theory import Boxes, BoxDistribution
    >>> law = BoxDistribution.of_masses({-1: [([("0", "1/2")], "2/5")], +1: [([("1/2", "1")], "3/5")]}, [("0", "1")])
    >>> decide = judge("robust_risk", RegionClassifier.binary(Boxes([(("2/5", None),)])), law, Ball("1/10"))
    >>> decide(np.array([[0.2], [0.35], [0.45]]), np.array([-1, -1, -1]))[0].tolist()
    [False, True, True]
    """
    name = _name(risk)
    if ball is None and name != "standard_risk":
        raise ValueError(f"{name} needs a ball; give one like Ball('1/10')")
    reach = Ball(0) if ball is None or name == "standard_risk" else ball
    trusted: Any = None
    if name == "sensible_risk":
        trusted = bayes_rule(law) if reference is None else reference
    free = name != "sensible_risk" or _is_free(threshold)
    if isinstance(law, FiniteDistribution):
        return _on_points(name, f, law, reach, trusted, free)
    domain = getattr(law, "domain", None)  # a law without one lives on all of R^d
    if adversary is None and not _is_searched(f, reference, law):
        return _by_regions(name, f, domain, reach, trusted, free)
    walls, predict, expert = None if reach.leave_domain else domain, _function(f), _function(trusted)
    if adversary is not None:

        def moves(x: Any, y: Any) -> Any:
            return [_checked(x, adversary(x, y), reach, walls)]

        return _by_moves(name, predict, expert, free, moves, sure=True)
    generator = np.random.default_rng(rng)
    return _by_moves(name, predict, expert, free, lambda x, _: _search(x, reach, walls, search, generator), sure=False)


def _name(risk: str | Callable[..., Any]) -> str:
    name = risk if isinstance(risk, str) else getattr(risk, "__name__", repr(risk))
    if name not in RISKS:
        raise ValueError(f"risk {name!r} is unknown; allowed are {', '.join(RISKS)}")
    return str(name)


def _is_searched(f: Any, reference: Any, law: Any) -> bool:
    """Whether draws are judged by trying points: where f or the reference is a mere function, on infinite laws."""
    mere = not all(isinstance(g, RegionClassifier) for g in (f, reference) if g is not None)
    return mere and not isinstance(law, FiniteDistribution)


def _is_free(threshold: Exact) -> bool:
    """Whether the sensible adversary may go anywhere: threshold <= 1/e (SENSE, Definition 3, with the 0-1 loss)."""
    from theory.special import exp

    c = as_fraction(threshold, "threshold")
    if not 0 < c <= 1:
        raise ValueError(f"threshold {threshold} is outside (0, 1]")
    return bool(exp(-1) >= c)


def _combine(name: str, wrong: Flags, reached: Flags, doubt: Flags) -> Flags:
    """The event of each risk; ``reached`` says whether the adversary finds an error that it may use."""
    if name == "standard_risk":
        return wrong
    if name == "boundary_risk":
        return reached & ~wrong
    return np.where(doubt, wrong, reached | wrong)


# -- finite laws: one table, exact ------------------------------------------------------------------------------------


def _on_points(name: str, f: Any, law: FiniteDistribution, ball: Ball, trusted: Any, free: bool) -> Judge:
    if ball.leave_domain:
        raise ValueError("the adversary of a finite space stays in it: leave_domain does not apply")
    space, indices = law.space, np.arange(len(law.space))
    near = np.array([[space.within(i, j, ball.radius, ball.ord) for j in range(len(space))] for i in range(len(space))])
    points = indices if space.coordinates is None else np.array(space.coordinates, dtype=float)

    def errors(classifier: Any, label: int) -> Flags:
        if isinstance(classifier, RegionClassifier):
            return np.isin(indices, list(law.event(classifier.wrong(label)).members))
        return np.asarray(_labels(classifier, points) != label)

    table = {}
    for label in law.labels:
        wrong = errors(f, label)
        doubt = np.zeros(len(indices), dtype=bool) if trusted is None else errors(trusted, label)
        reached = np.asarray((near & (wrong if free else wrong & ~doubt)).any(axis=1))
        table[label] = _combine(name, wrong, reached, doubt)

    def decide(x: Any, y: Any) -> Outcome:
        flags = np.array([table[label][i] for i, label in zip(x.tolist(), y.tolist(), strict=True)], dtype=bool)
        return flags, flags

    return decide


# -- regions: distances -----------------------------------------------------------------------------------------------


def _by_regions(name: str, f: Any, domain: Any, ball: Ball, trusted: Any, free: bool) -> Judge:
    def probes(label: int) -> tuple[Any, ...]:
        wrong, doubt = f.wrong(label), None if trusted is None else trusted.wrong(label)
        target = wrong if free else wrong - doubt
        pair = probe(wrong, still, None), probe(target, ball, domain)
        return (*pair, None if doubt is None else probe(doubt, still, None))

    still = Ball(0, leave_domain=True)
    known: dict[int, tuple[Any, ...]] = {}

    def decide(x: Any, y: Any) -> Outcome:
        sure, possible = np.zeros(len(x), dtype=bool), np.zeros(len(x), dtype=bool)
        for label in np.unique(y).tolist():
            if label not in known:
                known[label] = probes(label)
            mine = y == label
            never = (np.zeros(int(mine.sum()), dtype=bool),)
            wrongs, reaches, doubts = (never if test is None else test(x[mine]) for test in known[label])
            # some risks fall in what others rise in: try all that is possible and keep the extremes
            cases = [_combine(name, w, r, d) for w in wrongs for r in reaches for d in doubts]
            sure[mine], possible[mine] = np.logical_and.reduce(cases), np.logical_or.reduce(cases)
        return sure, possible

    return decide


# -- functions: moves -------------------------------------------------------------------------------------------------


def _by_moves(name: str, f: Predict, trusted: Predict, free: bool, moves: Any, *, sure: bool) -> Judge:
    """Judges by points that are tried; ``moves(x, y)`` yields (points, whether each may be tried) in turn."""

    def decide(x: Any, y: Any) -> Outcome:
        wrong = np.asarray(_labels(f, x) != y)
        doubt = np.zeros(len(x), dtype=bool) if trusted is None else np.asarray(_labels(trusted, x) != y)
        if name == "standard_risk":
            return wrong, wrong
        reached = wrong & ~doubt
        for z, allowed in moves(x, y):
            todo = np.flatnonzero(allowed & ~reached)
            if len(todo):
                found = _labels(f, z[todo]) != y[todo]
                reached[todo] = found if free else found & (_labels(trusted, z[todo]) == y[todo])
        found = _combine(name, wrong, reached, doubt)
        return found, found if sure else _combine(name, wrong, np.ones(len(x), dtype=bool), doubt)

    return decide


def _function(f: Any) -> Any:
    if not isinstance(f, RegionClassifier):
        return f

    def predict(x: Floats) -> Any:
        labels = np.zeros(len(x), dtype=int)
        for label, region in f.regions.items():
            labels[region.contains_points(x) if hasattr(region, "contains_points") else contains(region, x)] = label
        return labels

    return predict


def _labels(predict: Predict, x: Any) -> Any:
    labels = np.asarray(predict(x))
    if labels.shape != (len(x),):
        raise ValueError(f"predict returned labels of shape {labels.shape} for {len(x)} points; allowed is ({len(x)},)")
    return labels


def _search(
    x: Floats, ball: Ball, domain: Any, number: int, rng: np.random.Generator
) -> Iterator[tuple[Floats, Flags | bool]]:
    """The points x + step to try, step by step; moved into a domain that is a box, which takes none of them further.

    They stay off the faces of the box, where what lies outside it may begin.
    """
    one_box = domain is None or len(list(domain.cells())) == 1
    low, high = wall_ends(domain if one_box else None, x.shape[1])
    low, high = np.nextafter(low, np.inf), np.nextafter(high, -np.inf)
    for step in _steps(x.shape[1], ball, number, rng):
        z = np.clip(x + step * (float(ball.radius) * INSIDE), low, high)
        yield z, np.ones(len(z), dtype=bool) if one_box else contains(domain, z)


def _steps(dim: int, ball: Ball, number: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Points of the unit ball: the ends of its axes, corners of the cube, random ones, on the edge every other time."""
    yield from np.eye(dim)
    yield from -np.eye(dim)
    if ball.ord == math.inf and 2**dim <= number:
        yield from (np.array([1.0 if k >> a & 1 else -1.0 for a in range(dim)]) for k in range(2**dim))
    for k in range(number):
        if ball.ord == math.inf:
            step = rng.choice([-1.0, 1.0], size=dim)
        else:
            step = rng.laplace(size=dim) if ball.ord == 1 else rng.standard_normal(dim)
            step /= np.linalg.norm(step, ord=ball.ord)
        yield step if k % 2 == 0 else step * rng.random(dim if ball.ord == math.inf else 1)


def _checked(x: Floats, moved: Any, ball: Ball, domain: Any) -> tuple[Floats, Flags]:
    """The adversary's points, all allowed; raises ``ValueError`` if one is not."""
    z = np.asarray(moved, dtype=float)
    if z.shape != x.shape:
        raise ValueError(f"the adversary returned points of shape {z.shape}; allowed is {x.shape}")
    slack = 1e-12 * (float(np.abs(x).max(initial=1)) + float(ball.radius))
    if (far := float(np.linalg.norm(z - x, ord=ball.ord, axis=1).max(initial=0))) > float(ball.radius) + slack:
        raise ValueError(f"the adversary moved a point by {far:.6g}, out of the ball of radius {ball.radius}")
    if domain is not None and not probe(domain, Ball(slack, exact_float=True), domain)(z)[0].all():
        raise ValueError("the adversary moved a point out of the law's domain")
    return z, np.ones(len(z), dtype=bool)

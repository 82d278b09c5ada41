"""Risks as exact functions of eps.

``curve`` runs exact code on germs, reads off the polynomial and the interval on which it is proved, and restarts at
the end of that interval. Values at the breakpoints come from separate runs on plain Fractions, since worst-case curves
jump.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from theory.ball import Ball
from theory.enclosure import Enclosure
from theory.germ import Germ, Log
from theory.numbers import Exact, as_fraction
from theory.piecewise import PiecewisePoly
from theory.polynomial import Poly, Real, Root

MAX_PIECES = 10_000


def risk_curve(
    risk: Callable[..., Any],
    f: Any,
    dist: Any,
    lo: Exact,
    hi: Exact,
    *,
    ord: float = math.inf,
    leave_domain: bool = False,
    ends: str = "[]",
    **options: Any,
) -> PiecewisePoly:
    """eps -> risk(f, dist, Ball(eps)) on [lo, hi] as an exact piecewise polynomial.

    ``f``, ``dist`` and a ``reference`` in ``options`` may be functions of eps. ``ends`` says which ends belong to the
    range: "[]", "(]", "[)" or "()".

    Raises ``ValueError`` under l1 and l2 in more than one dimension, where a box's reach is no union of boxes.

    >>> from theory import Boxes, BoxDistribution, RegionClassifier, robust_risk
    >>> law = BoxDistribution.of_masses({-1: [([("0", "1/2")], "2/5")], +1: [([("1/2", "1")], "3/5")]}, [("0", "1")])
    >>> f = RegionClassifier.binary(Boxes([(("2/5", None),)]))
    >>> print(risk_curve(robust_risk, f, law, 0, 1))
    (0, 1/10): 2/25 + 4/5*eps
    (1/10, 2/5): -1/25 + 2*eps
    (2/5, 3/5): 7/25 + 6/5*eps
    (3/5, 1): 1
    """

    def value(eps: Any) -> Any:
        now = {name: option(eps) if callable(option) else option for name, option in options.items()}
        law, classifier = dist(eps) if callable(dist) else dist, f(eps) if callable(f) else f
        return risk(classifier, law, Ball(eps, ord, leave_domain=leave_domain), **now)

    return curve(value, lo, hi, ends=ends)


def curve(function: Callable[[Any], Any], lo: Exact, hi: Exact, *, ends: str = "[]") -> PiecewisePoly:
    """Any exact function of eps on [lo, hi], from its values on germs and on Fractions.

    ``function`` must use its argument by + - * / and comparisons alone, and return an exact ``Enclosure``, a Fraction
    or a germ. Raises ``ValueError`` for an empty range, a result that is not exact, or more than 10,000 pieces.
    """
    return curves(lambda eps: (function(eps),), lo, hi, ends=ends)[0]


def curves(
    function: Callable[[Any], Sequence[Any]], lo: Exact, hi: Exact, *, ends: str = "[]"
) -> tuple[PiecewisePoly, ...]:
    """Several exact functions of eps at once, as ``curve``: work they share (a minimum cut, say) is done once a piece.

    >>> ramp, square = curves(lambda eps: (min(2 * eps, 1), eps * eps), 0, 1)
    >>> print(ramp)
    (0, 1/2): 2*eps
    (1/2, 1): 1
    >>> square.pieces
    (Piece(lo=Fraction(0, 1), hi=Fraction(1, 1), poly=Poly(0, 0, 1)),)
    """
    start, stop = as_fraction(lo, "lo"), as_fraction(hi, "hi")
    if not start < stop:
        raise ValueError(f"the range from {start} to {stop} is empty; its low end must lie below its high end")
    if ends not in ("[]", "(]", "[)", "()"):
        raise ValueError(f"ends {ends!r} is unknown; allowed are '[]', '(]', '[)' and '()'")
    at: Real = start
    breakpoints: list[Real] = [start]
    pieces: list[tuple[Poly, ...]] = []
    while at < stop:
        polys, at = _piece(function, at, stop)
        pieces.append(polys)
        breakpoints.append(at)
        if len(pieces) > MAX_PIECES:
            raise ValueError(f"more than {MAX_PIECES} pieces from {start} to {float(at):.6g}: choose a shorter range")
    nothing = (None,) * len(pieces[0])
    values: list[Sequence[Poly | None]] = [nothing if ends[0] == "(" else _values(function, start)]
    values += [_values(function, x) if isinstance(x, Fraction) else nothing for x in breakpoints[1:-1]]
    values += [nothing if ends[1] == ")" else _values(function, stop)]
    points = tuple(breakpoints)
    columns = zip(zip(*pieces, strict=True), zip(*values, strict=True), strict=True)
    return tuple(PiecewisePoly(points, polys, at_points) for polys, at_points in columns)


def _piece(function: Callable[[Any], Sequence[Any]], at: Real, stop: Fraction) -> tuple[tuple[Poly, ...], Real]:
    """The polynomials just right of ``at`` and the end of the interval on which they are proved."""
    if isinstance(at, Fraction):
        log = Log(at, stop)
        return _values(function, log.germ()), log.next
    # Right of an irrational breakpoint: run at rational points ever closer until the proof reaches back to it.
    near: Root = at
    for _ in range(60):
        near = near.refine((near.hi - near.lo) / 16)
        if near.hi >= stop:
            continue
        log = Log(near.hi, stop, start=near.lo)
        polys = _values(function, log.germ())
        if log.prev <= at:
            return polys, log.next
    raise ValueError(f"breakpoints seem to accumulate right of {at}: choose another range")


def _values(function: Callable[[Any], Sequence[Any]], eps: Fraction | Germ) -> tuple[Poly, ...]:
    return tuple(_poly(result, eps) for result in function(eps))


def _poly(result: Any, eps: Fraction | Germ) -> Poly:
    if isinstance(result, Germ):
        if not isinstance(eps, Germ) or result.log is not eps.log:
            raise ValueError("the function returned what it kept from an earlier call; it must be computed anew")
        return result.poly
    value = result.lo if isinstance(result, Enclosure) and result.is_exact else result
    if not isinstance(value, Fraction | int):
        raise ValueError(f"a curve needs exact values, not {result!r}")
    return Poly(Fraction(value))

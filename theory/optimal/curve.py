"""The least robust risk of a box law as an exact function of eps, every piece proved by a cut and a flow.

Between the finitely many eps at which the lines of the orbit grid change order, the network is fixed and its
capacities are polynomials of degree at most dim. A cut's capacity is then a polynomial P(eps), an upper bound of the
optimum on the whole stretch. That no other cut is smaller on [a, b] is proved by flows in Bernstein form: write every
capacity as sum_i B_i(eps) c_i over the Bernstein basis of [a, b]. If for each i the network with the capacities
c_i >= 0 carries a flow F_i of value P_i, the i-th Bernstein coefficient of P, then sum_i B_i(eps) F_i is a feasible
flow of value P(eps) at every eps of [a, b], because every B_i is non-negative there. dim + 1 maximum flows in plain
rationals prove a piece.

Where the optimum passes from one cut to another inside a stretch, the break is a root of the difference of two such
polynomials, rational or not; up to an irrational one the last bit is proved by a flow that is a polynomial itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import comb
from typing import TYPE_CHECKING, Any

from theory.ball import Ball
from theory.flow import max_flow, verify_flow
from theory.germ import Germ, Log
from theory.numbers import Exact, as_fraction
from theory.optimal.orbits import OrbitGrid, orbit_grid
from theory.piecewise import PiecewisePoly
from theory.polynomial import Poly, Real, Root, real_roots

if TYPE_CHECKING:
    from collections.abc import Callable

    from theory.distributions import BoxDistribution

MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A network whose capacities are polynomials on (lo, hi)."""

    lo: Fraction
    hi: Fraction
    graph: OrbitGrid
    capacities: tuple[Poly | None, ...]

    def flow(self, capacities: list[Any]) -> Any:
        edges = [(tail, head, c) for (tail, head, _), c in zip(self.graph.edges, capacities, strict=True)]
        return max_flow(self.graph.n, edges, 0, 1)

    def cut_at(self, x: Fraction) -> Poly:
        """The capacity, as a polynomial, of a cut that is minimal at x."""
        side = self.flow([None if c is None else c(x) for c in self.capacities]).source_side_min
        edges = zip(self.graph.edges, self.capacities, strict=True)
        crossing = (c for (tail, head, _), c in edges if tail in side and head not in side)
        return sum((c for c in crossing if c is not None), Poly())

    def proves(self, p: Poly, lo: Fraction, hi: Fraction) -> bool:
        """Whether flows in Bernstein form show that no cut is below ``p`` on [lo, hi]."""
        degree = max((c.degree for c in self.capacities if c is not None), default=0)
        degree = max(degree, p.degree, 0)
        controls = [None if c is None else bernstein(c, degree, lo, hi) for c in self.capacities]
        for i, goal in enumerate(bernstein(p, degree, lo, hi)):
            at = [None if c is None else c[i] for c in controls]
            if any(c is not None and c < 0 for c in at) or self.flow(at).value != goal:
                return False
        return True


def optimal_box_curve(
    law: BoxDistribution | Callable[[Any], BoxDistribution], lo: Exact, hi: Exact, *, ends: str = "[]"
) -> PiecewisePoly:
    """eps -> least robust risk over all classifiers, exactly, on [lo, hi]; ``law`` may be a function of eps.

    Raises ``ValueError`` where grids do not end: lo = 0 is possible only if all but one axis drop out and the classes
    have no part of their supports in common.

    >>> from theory import BoxDistribution
    >>> square = {y: [([(a, b), (0, 1)], mass)] for y, a, b, mass in [(-1, 0, "1/2", "9/20"), (+1, "1/2", 1, "11/20")]}
    >>> print(optimal_box_curve(BoxDistribution.of_masses(square), 0, "1/2"))
    (0, 1/4): 9/5*eps
    (1/4, 1/2): 9/20
    """
    start, stop = as_fraction(lo, "lo"), as_fraction(hi, "hi")
    if not 0 <= start < stop:
        raise ValueError(f"the range from {start} to {stop} is not one of radii; 0 <= lo < hi is needed")
    if ends not in ("[]", "(]", "[)", "()"):
        raise ValueError(f"ends {ends!r} is unknown; allowed are '[]', '(]', '[)' and '()'")
    breakpoints: list[Real] = [start]
    polys: list[Poly] = []
    values: list[Poly | None] = []
    at = start
    while at < stop:
        stretch = _stretch(law, at, stop)
        values.append(_value(law, at) if at > start or ends[0] == "[" else None)
        for p, end in _pieces(stretch):
            polys.append(p)
            breakpoints.append(end)
            values.append(p)  # within a stretch the optimum is continuous
        values.pop()
        at = stretch.hi
    values.append(_value(law, stop) if ends[1] == "]" else None)
    return PiecewisePoly(tuple(breakpoints), tuple(polys), tuple(values))


def _at(law: Any, eps: Any) -> Any:
    return law(eps) if callable(law) else law


def _value(law: Any, eps: Fraction) -> Poly:
    graph = orbit_grid(_at(law, eps), Ball(eps))
    return Poly(max_flow(graph.n, graph.edges, 0, 1).value)


def _stretch(law: Any, at: Fraction, stop: Fraction) -> _Stretch:
    """The network just right of ``at``, and how far its grid keeps its order: only the grid is built on germs."""
    log = Log(at, stop)
    eps = log.germ()
    graph = orbit_grid(_at(law, eps), Ball(eps))
    end = log.next
    if isinstance(end, Root):
        raise ValueError(f"the law's grid changes its order at the irrational eps {end}: choose another range")
    return _Stretch(at, end, graph, tuple(None if c is None else _poly(c) for _, _, c in graph.edges))


def _poly(c: Any) -> Poly:
    return c.poly if isinstance(c, Germ) else Poly(Fraction(c))


def _pieces(stretch: _Stretch) -> list[tuple[Poly, Real]]:
    """The optimum on a stretch: polynomials with the right ends of their intervals."""
    pieces: list[tuple[Poly, Real]] = []
    at: Real = stretch.lo
    while at < stretch.hi:
        p, end = _next_piece(stretch, at)
        pieces.append((p, end))
        at = end
    return pieces


def _next_piece(stretch: _Stretch, at: Real) -> tuple[Poly, Real]:
    """The optimum just right of ``at``, and the end of the piece; each is proved before it is returned."""
    p, sure = _local(stretch, at)
    start = at if isinstance(at, Fraction) else _inside(at, sure)
    end: Real = stretch.hi
    for _ in range(60):
        if not isinstance(end, Fraction):
            near = end.refine(Fraction(1, 2**40)).lo
            if near <= start or _extends(stretch, p, start, near):
                return p, _reach(stretch, p, max(near, start))
        elif _extends(stretch, p, start, end):
            return p, end
        better = _better_cut(stretch, p, start, end)
        if better is None:
            break
        end = better
    return p, sure


def _extends(stretch: _Stretch, p: Poly, lo: Fraction, hi: Fraction, depth: int = 0) -> bool:
    """Prove p on [lo, hi], halving the interval where the control values are not tight enough."""
    if stretch.proves(p, lo, hi):
        return True
    middle = (lo + hi) / 2
    if depth == MAX_DEPTH or stretch.cut_at(middle)(middle) < p(middle):
        return False
    return _extends(stretch, p, lo, middle, depth + 1) and _extends(stretch, p, middle, hi, depth + 1)


def _better_cut(stretch: _Stretch, p: Poly, lo: Fraction, hi: Real) -> Real | None:
    """The first point where some cut, found by sampling, passes below p; None if no sample shows one."""
    top = hi if isinstance(hi, Fraction) else hi.lo
    first: Real | None = None
    for k in range(1, 17):
        x = lo + (top - lo) * Fraction(k, 16)
        q = stretch.cut_at(x)
        if q(x) < p(x):
            roots = [root for root in real_roots(p - q, lo, x) if root > lo]
            if roots and (first is None or roots[-1] < first):
                first = roots[-1]
            break
    return first


def _local(stretch: _Stretch, at: Real) -> tuple[Poly, Real]:
    """The optimum just right of ``at`` with a polynomial flow that proves it up to the returned point."""
    if isinstance(at, Fraction):
        return _polynomial_flow(stretch, Log(at, stretch.hi))
    near = at
    for _ in range(60):
        near = near.refine((near.hi - near.lo) / 16)
        if near.hi >= stretch.hi:
            continue
        log = Log(near.hi, stretch.hi, start=near.lo)
        p, end = _polynomial_flow(stretch, log)
        if log.prev <= at:
            return p, end
    raise ValueError(f"breakpoints seem to accumulate right of {at}: choose another range")


def _reach(stretch: _Stretch, p: Poly, near: Fraction) -> Real:
    """How far a polynomial flow proves p right of ``near``: normally up to the irrational break that lies there."""
    q, sure = _polynomial_flow(stretch, Log(near, stretch.hi))
    return sure if q == p else near


def _polynomial_flow(stretch: _Stretch, log: Log) -> tuple[Poly, Real]:
    """A maximum flow just right of the log's point whose amounts are polynomials; how far it stays feasible is logged.

    The search compares quietly: only the flow it ends with has to hold, and verifying that is what logs.
    """
    eps = log.germ()
    with log.quietly():
        flow = stretch.flow([None if c is None else c(eps) for c in stretch.capacities])
    verify_flow(flow)
    return _poly(flow.value), log.next


def _inside(at: Root, sure: Real) -> Fraction:
    """A rational point right of ``at`` and not beyond ``sure``."""
    root = at
    while not root.hi <= sure:
        root = root.refine((root.hi - root.lo) / 4)
    return root.hi


def bernstein(p: Poly, degree: int, lo: Fraction, hi: Fraction) -> list[Fraction]:
    """The Bernstein coefficients of ``p`` on [lo, hi]: p(x) = sum_i b_i C(n, i) t^i (1-t)^(n-i), t = (x-lo)/(hi-lo).

    >>> bernstein(Poly(0, 0, 1), 2, Fraction(0), Fraction(1))
    [Fraction(0, 1), Fraction(0, 1), Fraction(1, 1)]
    """
    shifted = p(Poly(lo, hi - lo)) if p.coeffs else p
    a = (*shifted.coeffs, *[Fraction(0)] * (degree + 1 - len(shifted.coeffs)))
    n = degree
    return [sum((a[j] * Fraction(comb(i, j), comb(n, j)) for j in range(i + 1)), Fraction(0)) for i in range(n + 1)]

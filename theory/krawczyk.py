"""Verified zeros of small smooth systems: a box that provably holds exactly one zero.

A system is a function of numbers that it combines with + - * / and the functions below; run on `Jet` it returns values
with their gradients, each an arb. Newton's method in midpoints finds a candidate m; then for the box X around it the
Krawczyk operator K(X) = m - Y f(m) + (I - Y f'(X)) (X - m), with Y about the inverse of f'(m), is evaluated in balls.
If K(X) lies in the interior of X, then f has exactly one zero in X, and it lies in K(X) (Krawczyk; Moore).

>>> def circle_meets_line(x, y):
...     return [x * x + y * y - 1, x - y]
>>> x, y = verified_zero(circle_meets_line, [0.7, 0.7])
>>> print(f"{x:.20f}")
[0.70710678118654752440, 0.70710678118654752441]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from theory.arbs import cdf, enclose, pdf, to_arb, working_precision
from theory.enclosure import Enclosure, Undecided

System = Callable[..., Sequence["Jet"]]


@dataclass(frozen=True, slots=True)
class Jet:
    """A number and its gradient in the unknowns, as arbs. Combines with Jets, arbs and ints."""

    value: Any
    gradient: tuple[Any, ...]

    def __add__(self, other: Any) -> Jet:
        y = self._with(other)
        return Jet(self.value + y.value, tuple(a + b for a, b in zip(self.gradient, y.gradient, strict=True)))

    def __neg__(self) -> Jet:
        return Jet(-self.value, tuple(-a for a in self.gradient))

    def __mul__(self, other: Any) -> Jet:
        y = self._with(other)
        pairs = zip(self.gradient, y.gradient, strict=True)
        return Jet(self.value * y.value, tuple(a * y.value + self.value * b for a, b in pairs))

    def __truediv__(self, other: Any) -> Jet:
        y = self._with(other)
        return self * Jet(1 / y.value, tuple(-b / (y.value * y.value) for b in y.gradient))

    def __sub__(self, other: Any) -> Jet:
        return self + -self._with(other)

    def __rsub__(self, other: Any) -> Jet:
        return self._with(other) - self

    def __rtruediv__(self, other: Any) -> Jet:
        return self._with(other) / self

    __radd__ = __add__
    __rmul__ = __mul__

    def chain(self, value: Any, slope: Any) -> Jet:
        """A function of this number, from its value and derivative."""
        return Jet(value, tuple(slope * a for a in self.gradient))

    def _with(self, other: Any) -> Jet:
        return other if isinstance(other, Jet) else Jet(other, (0 * self.value,) * len(self.gradient))


def normal_cdf(x: Jet) -> Jet:
    """Phi(x)."""
    return x.chain(cdf(x.value), pdf(x.value))


def normal_pdf(x: Jet) -> Jet:
    """phi(x), whose derivative is -x phi(x)."""
    density = pdf(x.value)
    return x.chain(density, -x.value * density)


def verified_zero(system: System, start: Sequence[float], digits: int = 40) -> tuple[Enclosure, ...]:
    """The zero of a system of n equations in n unknowns near ``start``, enclosed, existence and uniqueness proved.

    The box has a radius of about 10^-digits relative to each unknown's size. Raises `Undecided` where the proof fails:
    start too far off, or a singular Jacobian.
    """
    for bits in (int(digits * 7), int(digits * 14)):
        with working_precision(bits):
            point = _newton(system, [to_arb(Fraction(x)) for x in start], bits)
            if point is None:
                continue
            for floor in (0, to_arb(10) ** (-2 * digits)):  # the second for unknowns that are zero
                found = _krawczyk(system, point, digits, floor)
                if found is not None:
                    return tuple(enclose(x) for x in found)
    raise Undecided(f"no zero could be verified near {[float(x) for x in start]}; start nearer to one")


def residual(system: System, zero: Sequence[Enclosure]) -> tuple[Enclosure, ...]:
    """The values of the system on a box: each encloses 0, and its width says how well the equations are satisfied."""
    with working_precision(300):
        return tuple(enclose(jet.value) for jet in _evaluate(system, [to_arb(x) for x in zero]))


def _newton(system: System, point: list[Any], bits: int) -> list[Any] | None:
    from flint import arb_mat

    tiny = to_arb(2) ** -(bits - 40)
    for _ in range(60):
        jets = _evaluate(system, point)
        matrix = arb_mat([[entry.mid() for entry in jet.gradient] for jet in jets])
        try:
            step = matrix.solve(arb_mat([[jet.value.mid()] for jet in jets]))
        except ZeroDivisionError:
            return None
        moved = [(x - step[i, 0]).mid() for i, x in enumerate(point)]
        if not all(x.is_finite() for x in moved):
            return None
        pairs, point = list(zip(moved, point, strict=True)), moved
        if all(abs(new - old) <= (abs(new) + tiny) * tiny for new, old in pairs):
            break
    return point


def _krawczyk(system: System, point: list[Any], digits: int, floor: Any) -> list[Any] | None:
    from flint import arb, arb_mat

    n = len(point)
    radii = [abs(x) * arb(10) ** -digits + floor for x in point]
    box = [arb(x.mid(), r.abs_upper()) for x, r in zip(point, radii, strict=True)]
    at_point, on_box = _evaluate(system, point), _evaluate(system, box)
    try:
        inverse = arb_mat([[entry.mid() for entry in jet.gradient] for jet in at_point]).inv()
    except ZeroDivisionError:
        return None
    inverse = arb_mat([[inverse[i, j].mid() for j in range(n)] for i in range(n)])
    correction = inverse * arb_mat([[jet.value] for jet in at_point])
    spread = arb_mat([[arb(int(i == j)) for j in range(n)] for i in range(n)])
    spread -= inverse * arb_mat([list(jet.gradient) for jet in on_box])
    spread = spread * arb_mat([[x - m] for x, m in zip(box, point, strict=True)])
    image = [point[i] - correction[i, 0] + spread[i, 0] for i in range(n)]
    return image if all(x.contains_interior(y) for x, y in zip(box, image, strict=True)) else None


def _evaluate(system: System, point: Sequence[Any]) -> Sequence[Jet]:
    n, one, zero = len(point), to_arb(1), to_arb(0)
    jets = (Jet(x, tuple(one if i == j else zero for j in range(n))) for i, x in enumerate(point))
    return system(*jets)

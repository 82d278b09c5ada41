"""Elementary functions on any kind of number, so that one formula has a numeric, an exact and a symbolic face.

>>> def square_root_of_square(u):
...     return on(u).sqrt(u * u)
>>> square_root_of_square(-3.0), square_root_of_square(Fraction(-3)).fraction
(np.float64(3.0), Fraction(3, 1))
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from theory.enclosure import Enclosure, as_enclosure, maximum, minimum
from theory.numbers import as_fraction


def on(u: Any) -> Any:
    """The functions exp, sqrt, pos (the positive part), minimum and log2_1p_exp (log2(1 + e^u)), and ``number`` for
    constants, fit for u: floats and arrays by numpy, exact numbers by ball arithmetic, anything else by sympy.

    >>> on(0.0).log2_1p_exp(0.0), on(Fraction(0)).log2_1p_exp(Fraction(0))
    (np.float64(1.0), Enclosure[1; ball arithmetic])
    """
    if isinstance(u, float | np.ndarray):
        return _Floats
    return _Exact if isinstance(u, int | Fraction | Enclosure) else _Symbols


def as_floats(x: Any) -> np.ndarray | None:
    """x as an array of floats (of dimension 0 for one float) when it is made of floats; None for an exact number.

    >>> as_floats([0.25, 1]), as_floats(Fraction(1, 4))
    (array([0.25, 1.  ]), None)
    """
    return np.asarray(x, dtype=float) if isinstance(x, float | np.ndarray | list | tuple) else None


def plain(x: Any) -> Any:
    """The Fraction where a number is known exactly, else its enclosure."""
    if isinstance(x, Enclosure):
        return x.fraction if x.is_exact else x
    return as_fraction(x)


class _Floats:
    exp, sqrt, number = np.exp, np.sqrt, float

    @staticmethod
    def pos(x: Any) -> Any:
        return np.maximum(x, 0.0)

    @staticmethod
    def minimum(x: Any, y: Any) -> Any:
        return np.minimum(x, float(y) if isinstance(y, int | Fraction) else y)

    @staticmethod
    def log2_1p_exp(x: Any) -> Any:
        return (np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))) / math.log(2)


class _Exact:
    number = Fraction

    @staticmethod
    def exp(x: Any) -> Any:
        from theory.special import exp

        return exp(x)

    @staticmethod
    def sqrt(x: Any) -> Any:
        from theory.special import sqrt

        root = sqrt(x)
        # Close to 1 the distance to 1 is what callers look at, so it is what gets the digits.
        near = isinstance(x, Fraction) and Fraction(1, 2) < x < 1 and not root.is_exact
        return 1 - (1 - x) / (1 + root) if near else root

    @staticmethod
    def pos(x: Any) -> Any:
        return plain(maximum(x, 0))

    @staticmethod
    def minimum(x: Any, y: Any) -> Any:
        return plain(minimum(x, y))

    @staticmethod
    def log2_1p_exp(x: Any) -> Any:
        from theory.special import exp, log, log2

        if as_enclosure(x).lo > 0:  # keeps e^x small
            return x / log(2) + _Exact.log2_1p_exp(-x)
        return log2(1 + exp(x))


class _Symbols:
    @staticmethod
    def number(x: Fraction | int) -> Any:
        import sympy

        return sympy.Rational(x.numerator, x.denominator)

    @staticmethod
    def exp(x: Any) -> Any:
        import sympy

        return sympy.exp(x)

    @staticmethod
    def sqrt(x: Any) -> Any:
        import sympy

        return sympy.sqrt(x)

    @staticmethod
    def pos(x: Any) -> Any:
        import sympy

        return sympy.Max(x, 0)

    @staticmethod
    def minimum(x: Any, y: Any) -> Any:
        import sympy

        return sympy.Min(x, y)

    @staticmethod
    def log2_1p_exp(x: Any) -> Any:
        import sympy

        return sympy.log(1 + sympy.exp(x)) / sympy.log(2)

"""What the risks ask of a law, a classifier and an event: the whole protocol, for laws of your own.

A law of labelled points (X, Y) offers:

==============  =====================================================================================================
``labels``      the values of Y
``domain``      where the adversary may move: a ``Boxes``, or a ``FiniteSpace``
``event(A)``    A in the form that the law measures; for a law on R^d, A itself
``mass(A, y)``  P(X in A, Y = y): a Fraction, an ``Enclosure``, or a germ where A depends on eps
==============  =====================================================================================================

``theory.between.mass_between`` gives the mass of an event known only between boxes from those of the boxes. Some
functions ask for more: ``bayes_rule`` (the default reference of ``sensible_risk``) for ``most_likely(ties)`` and
``restricts``, ``constant`` for ``everything`` and ``nothing``, a simulation for ``sample(n, rng)``. What is added,
multiplied and compared alone, without floats or rounding, runs on germs too, and has exact curves:

>>> from fractions import Fraction
>>> from theory import Ball, Boxes, RegionClassifier, risk_curve, robust_risk
>>> class Triangles:
...     '''P(Y = y) = 1/2 and X given y has the density 1 - |x - y| around y: two triangles that touch at 0.'''
...     labels, domain = (-1, 1), Boxes.everything(1)
...
...     def event(self, event):
...         return event
...
...     def mass(self, event, label):
...         below = lambda x: cdf(min(max(x - label, -1), 1))
...         return sum(((1 if hi is None else below(hi)) - (0 if lo is None else below(lo))) / 2
...                    for ((lo, hi),) in event.cells())
>>> def cdf(t):  # of the triangle on [-1, 1]
...     return (1 + t) * (1 + t) / Fraction(2) if t <= 0 else 1 - (1 - t) * (1 - t) / Fraction(2)
>>> f = RegionClassifier.binary(Boxes([((0, None),)]))
>>> robust_risk(f, Triangles(), Ball("1/10"))
Enclosure[1/200]
>>> print(risk_curve(robust_risk, f, Triangles(), 0, 2))
(0, 1): 1/2*eps^2
(1, 2): -1 + 2*eps - 1/2*eps^2

A risk of your own is ``theory.risks.probability`` of an event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from theory.ball import Ball


class Event(Protocol):
    """A set of points, closed under and, or, minus and not; ``Boxes``, ``Between`` and ``Points`` are events.

    Further kinds tell the adversary how to reach them, by ``reached(ball, domain)``, and a box law their integral over
    a ``StepDensity``, by ``integral(density)``; ``HalfSpace`` is one.
    """

    def __and__(self, other: Any, /) -> Any: ...

    def __or__(self, other: Any, /) -> Any: ...

    def __sub__(self, other: Any, /) -> Any: ...

    def __invert__(self) -> Any: ...


class Law(Protocol):
    """A law of (X, Y), as far as the risks need it."""

    @property
    def labels(self) -> tuple[int, ...]: ...

    @property
    def domain(self) -> Any: ...

    def event(self, event: Any) -> Any: ...

    def mass(self, event: Any, label: int) -> Any: ...


class Classifier(Protocol):
    """All that a risk needs to know of a classifier: for each label the event on which it errs if that is the truth."""

    def wrong(self, label: int) -> Event: ...


def error_event(f: Classifier, law: Law, label: int) -> Any:
    """Where ``f`` errs if the truth is ``label``, as an event of the law; ``TypeError`` if it is no classifier."""
    if not hasattr(f, "wrong"):
        raise TypeError(f"{f!r} is no classifier; make one of decision regions, as RegionClassifier.binary(event)")
    return law.event(f.wrong(label))


def reach_of(event: Any, law: Law, ball: Ball) -> Any:
    """The points from which the adversary can enter the event; ``TypeError`` for a radius in place of a ball."""
    if not hasattr(ball, "reach"):
        raise TypeError(f"{ball!r} is no ball; write Ball({str(ball)!r}) for the one of that radius")
    return ball.reach(event, law.domain)

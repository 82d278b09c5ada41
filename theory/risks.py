"""The four risks, each one line of the event algebra.

With wrong(y) the event on which the classifier errs when the truth is y, and reach(A) the points from which the
adversary can enter A:

    standard    P(X in wrong(Y))
    robust      P(X in reach(wrong(Y)))
    boundary    P(X in reach(wrong(Y)) and not wrong(Y))
    sensible    P(X in reach(wrong(Y) and not doubt(Y)) where the reference is right, else X in wrong(Y))

doubt(y) is where the reference errs when the truth is y: the sensible adversary never goes there. Because x is in its
own ball, robust = standard + boundary exactly (TRADES, eq (1)).

>>> from theory import Boxes, BoxDistribution, RegionClassifier
>>> law = BoxDistribution.of_masses({-1: [([("0", "1/2")], "2/5")], +1: [([("1/2", "1")], "3/5")]}, [("0", "1")])
>>> f = RegionClassifier.binary(Boxes([(("2/5", None),)]))
>>> ball = Ball("1/10")
>>> [risk(f, law, ball).fraction for risk in (standard_risk, boundary_risk, robust_risk, sensible_risk)]
[Fraction(2, 25), Fraction(2, 25), Fraction(4, 25), Fraction(4, 25)]
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from theory.ball import Ball
from theory.classifiers import bayes_rule
from theory.enclosure import Enclosure
from theory.germ import Germ
from theory.law import Classifier, Law, error_event, reach_of
from theory.numbers import as_fraction

Risk = Callable[..., Any]


def standard_risk(f: Classifier, dist: Law, ball: Ball | None = None) -> Any:  # noqa: ARG001
    """R_std(f) = P(f errs at X). A ball is accepted and not used, so that the four risks share one signature.

    (SENSE, section 1.2; TRADES, section 2.2)
    """
    return probability(dist, lambda y: error_event(f, dist, y))


def robust_risk(f: Classifier, dist: Law, ball: Ball) -> Any:
    """R_rob(f) = P(f errs at some point of the ball around X).

    (SENSE, eq (1) with the 0-1 loss; TRADES, section 2.2)
    """
    return probability(dist, lambda y: reach_of(error_event(f, dist, y), dist, ball))


def boundary_risk(f: Classifier, dist: Law, ball: Ball) -> Any:
    """R_bdy(f) = P(f is right at X, but errs at some point of the ball around X).  (TRADES, section 2.3)"""

    def event(y: int) -> Any:
        wrong = error_event(f, dist, y)
        return reach_of(wrong, dist, ball) - wrong

    return probability(dist, event)


def sensible_risk(
    f: Classifier,
    dist: Law,
    ball: Ball,
    reference: Classifier | None = None,
    threshold: object = 1,
) -> Any:
    """R_rob^s(f): the adversary perturbs x only where the reference is right, and stays where it remains right.

    ``reference`` defaults to the Bayes rule of the law, of the true law for a restricted one (SENSE, Definition 2; any
    other reference: Definition 3). ``threshold`` is the c of Definition 3, in (0, 1]: with the 0-1 loss the adversary
    may visit points where loss <= log(1/c), which for c <= 1/e is the whole ball.

    Raises ``ValueError`` for a threshold outside (0, 1], and where the Bayes rule is not unique and none is given.
    """
    trusted = bayes_rule(dist) if reference is None else reference
    c = as_fraction(threshold, "threshold")
    if not 0 < c <= 1:
        raise ValueError(f"threshold {threshold} is outside (0, 1]")
    anywhere = _at_most_one_over_e(c)

    def event(y: int) -> Any:
        wrong, doubt = error_event(f, dist, y), error_event(trusted, dist, y)
        target = wrong if anywhere else wrong - doubt
        return (reach_of(target, dist, ball) - doubt) | (wrong & doubt)

    return probability(dist, event)


def probability(dist: Law, event: Callable[[int], Any]) -> Any:
    """P(X in event(Y)): an ``Enclosure``, or a germ if the law or the event is made of germs.

    Every risk is one such line. An adversary with a radius for each class, say:

    >>> from theory import Boxes, BoxDistribution, RegionClassifier
    >>> law = BoxDistribution.of_masses({-1: [([("0", "1/2")], "2/5")], +1: [([("1/2", "1")], "3/5")]}, [("0", "1")])
    >>> f, balls = RegionClassifier.binary(Boxes([(("1/2", None),)])), {-1: Ball("1/10"), +1: Ball("1/5")}
    >>> probability(law, lambda y: balls[y].reach(f.wrong(y), law.domain))
    Enclosure[8/25]
    """
    if not hasattr(dist, "mass"):
        raise TypeError(f"{dist!r} is no law of labelled points; help(theory.law) says what a law offers")
    total: Any = Fraction(0)
    for label in dist.labels:
        total = total + dist.mass(event(label), label)
    return total if isinstance(total, Enclosure | Germ) else Enclosure.exact(total)


def _at_most_one_over_e(c: Fraction) -> bool:
    """c <= 1/e, decided by partial sums of the series of e: s_n < e < s_n + 1/(n n!)."""
    term, partial, n = Fraction(1), Fraction(1), 0
    while True:
        n += 1
        term /= n
        partial += term
        if c * partial > 1:
            return False
        if c * (partial + term / n) <= 1:
            return True

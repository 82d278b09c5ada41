"""The least robust risk over all classifiers, with certificates.

``optimal_robust_risk`` is the one door: it hands a law or a labelled sample to the solver that fits. Whatever the
solver, the answer has a ``value`` (an ``Enclosure``) and a ``classifier`` that attains it, or its upper end.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.distributions import BoxDistribution, FiniteDistribution
from theory.optimal.boxes import BoxOptimum as BoxOptimum
from theory.optimal.boxes import optimal_box_risk as optimal_box_risk

if TYPE_CHECKING:
    from theory.ball import Ball


def optimal_robust_risk(dist_or_sample: Any, ball: Ball, **options: Any) -> Any:
    """inf over all measurable classifiers of the robust risk, exactly or enclosed.

    ==========================  ======================  =====================================================
    law or sample               norms                   answer
    ==========================  ======================  =====================================================
    ``BoxDistribution``         inf (on the line: all)  exact: ``theory.optimal.boxes`` (option ``atoms``)
    ``BoxDistribution``         1, 2                    enclosed: ``theory.optimal.enclosed`` (option ``h``)
    ``ProductDistribution``     inf                     enclosed: ``theory.optimal.enclosed`` (option ``steps``)
    ``FiniteDistribution``      1, 2, inf               exact: ``theory.optimal.finite``
    ``LabelledSample``, two     1, 2, inf               exact: ``theory.optimal.sample``
    ``LabelledSample``, more    1, 2, inf               enclosed, randomised too: ``theory.optimal.multiclass``
    ==========================  ======================  =====================================================

    Balls of a law meet in its domain, those of a sample in R^d. Raises ``ValueError`` for fewer than two classes and
    whatever the solver refuses.

    >>> from theory import Ball, FiniteDistribution
    >>> law = FiniteDistribution.of_points([("0",), ("1",)], {-1: ["1/2", 0], +1: [0, "1/2"]})
    >>> optimal_robust_risk(law, Ball("1/2")).value.fraction, optimal_robust_risk(law, Ball(1)).value.fraction
    (Fraction(0, 1), Fraction(1, 2))
    """
    if isinstance(dist_or_sample, BoxDistribution):
        if ball.ord == math.inf or dist_or_sample.dim == 1:
            return optimal_box_risk(dist_or_sample, ball, **options)
        from theory.optimal.enclosed import optimal_round_risk

        return optimal_round_risk(dist_or_sample, ball, **{"h": _step(ball), **options})
    if isinstance(dist_or_sample, FiniteDistribution):
        from theory.optimal.finite import optimal_finite_risk

        return optimal_finite_risk(dist_or_sample, ball, **options)
    from theory.samples import LabelledSample

    if isinstance(dist_or_sample, LabelledSample):
        if len(dist_or_sample.classes) > 2:
            from theory.optimal.multiclass import optimal_multiclass_risk

            return optimal_multiclass_risk(dist_or_sample, ball.radius, ball.ord, **options)
        from theory.optimal.sample import optimal_sample_risk

        return optimal_sample_risk(dist_or_sample, ball.radius, ball.ord, **options)
    from theory.products import ProductDistribution

    if isinstance(dist_or_sample, ProductDistribution):
        from theory.optimal.enclosed import optimal_product_risk

        return optimal_product_risk(dist_or_sample, ball, **options)
    raise TypeError(
        f"no way is known to the optimum of a {type(dist_or_sample).__name__}; allowed are BoxDistribution, "
        "FiniteDistribution, ProductDistribution and LabelledSample"
    )


def _step(ball: Ball) -> Fraction:
    """Cells of half a radius; at radius 0 none are needed."""
    return Fraction(ball.radius) / 2 if ball.radius > 0 else Fraction(1)

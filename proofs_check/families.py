"""Ready-made families of cases for ``refute``, by name: random exact problems of every kind the theory speaks of.

Each case is a dataclass whose fields a margin reads: ``case.law``, ``case.classifier``, ``case.ball`` and so on.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from theory.ball import Ball
from theory.distributions import FiniteDistribution
from theory.loss import LOSSES, Loss, piecewise_linear
from theory.scores import Score

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy

    from theory import SignGaussian


@dataclass(frozen=True, slots=True)
class ScoreCase:
    """A binary law on a finite metric space, a real-valued score on it (zeros included), a ball and lambda > 0."""

    law: FiniteDistribution
    score: Score
    ball: Ball
    lam: Fraction


@dataclass(frozen=True, slots=True)
class LossCase:
    """A loss and two rational numbers in [0, 1], say eta and theta."""

    loss: Loss
    eta: Fraction
    theta: Fraction


@dataclass(frozen=True, slots=True)
class GaussianCase:
    """The law of ODDS, a radius and the delta of its theorem."""

    law: SignGaussian
    eps: Fraction
    delta: Fraction


def family(name: str) -> SearchStrategy[Any]:
    """The strategy of a family. Raises ``ValueError`` with the nearest and all names.

    >>> family("finte")
    Traceback (most recent call last):
    ValueError: family 'finte' is unknown (nearest: 'finite'); the families are boxes, finite, gaussian, losses, \
multiclass, numbers, problems, scores
    """
    if name not in FAMILIES:
        near = difflib.get_close_matches(name, FAMILIES, 1)
        hint = f" (nearest: {near[0]!r})" if near else ""
        raise ValueError(f"family {name!r} is unknown{hint}; the families are {', '.join(sorted(FAMILIES))}")
    return FAMILIES[name]()


def _problems(**options: Any) -> Callable[[], SearchStrategy[Any]]:
    def make() -> SearchStrategy[Any]:
        from theory.strategies import problems

        return problems(**options)

    return make


def _numbers() -> SearchStrategy[Any]:
    """Three rational numbers in [0, 1]."""
    from hypothesis import strategies as st

    from theory.strategies import rationals

    return st.tuples(*[rationals(denominators=range(1, 13))] * 3)


def score_cases(**options: Any) -> SearchStrategy[ScoreCase]:
    """Score problems; ``options`` are those of ``theory.strategies.finite_laws``."""
    from hypothesis import strategies as st

    from theory.strategies import balls, finite_laws, rationals, scores

    @st.composite
    def draw_case(draw: st.DrawFn) -> ScoreCase:
        law = draw(finite_laws(**options))
        score = Score.of_values(law.space, draw(scores(law)).values)
        ball = draw(balls(max_radius=2, denominators=(1, 2)))
        return ScoreCase(law, score, ball, draw(rationals(hi=4, exclude_lo=True, denominators=(1, 2))))

    return draw_case()


def _losses() -> SearchStrategy[Any]:
    """The losses by name, and random piecewise linear ones with phi(0) = 1, non-increasing, non-negative."""
    from hypothesis import strategies as st

    from theory.strategies import rationals

    number = rationals(denominators=(1, 2, 3, 4))

    @st.composite
    def drawn_loss(draw: st.DrawFn) -> Loss:
        end, middle = draw(rationals(lo="1/2", hi=3, denominators=(1, 2))), draw(number)
        left = draw(rationals(hi=3, denominators=(1, 2)))
        return piecewise_linear("drawn", [(0, 1), (end / 2, middle), (end, 0)], left_slope=-left)

    named = st.sampled_from([LOSSES[name] for name in ("hinge", "exponential", "logistic", "squared_hinge", "ramp")])
    return st.builds(LossCase, st.one_of(named, drawn_loss()), number, number)


def _gaussian() -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    from theory import SignGaussian
    from theory.strategies import rationals

    law = st.builds(
        SignGaussian,
        rationals(lo="1/2", hi="19/20", denominators=(2, 4, 10, 20)),
        rationals(lo="1/20", hi=1, denominators=(2, 4, 20)),
        st.sampled_from([2, 3, 10, 100]),
    )
    number = rationals(denominators=(1, 2, 4, 20))
    return st.builds(GaussianCase, law, number, number)


FAMILIES = MappingProxyType(
    {
        "finite": _problems(kinds=["finite"]),
        "boxes": _problems(kinds=["boxes"]),
        "problems": _problems(),
        "multiclass": _problems(labels=(0, 1, 2)),
        "scores": score_cases,
        "losses": _losses,
        "gaussian": _gaussian,
        "numbers": _numbers,
    }
)
"""Families by name. "finite" and "boxes" are classification problems with two labels (``Problem``: law, classifier,
ball), "problems" both, "multiclass" both with three labels; "scores" ``ScoreCase``, "losses" ``LossCase``, "gaussian"
``GaussianCase``; "numbers" triples of rationals in [0, 1]."""

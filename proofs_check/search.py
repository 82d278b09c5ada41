"""The hunt for counterexamples: random exact cases, and the smallest one on which a margin is negative.

    refute(margin, cases="finite")                 # Counterexample or Support
    assert_holds(margin, cases="boxes", n=200)     # for a test

A margin is a function of one case, the right minus the left side of a conjectured inequality; it returns an int, a
Fraction or an `Enclosure`. A search proves nothing: it finds a counterexample, or it does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from proofs_check import show
from theory.enclosure import Enclosure, Undecided

if TYPE_CHECKING:
    from theory.table import Table

CASES = 1000
Margin = Callable[[Any], Any]


class MarginError(ValueError):
    """A margin that raises, is not a number, or is not exact; the sentence shows the case."""


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A case on which the margin is certainly negative, found after so many ``cases`` (0: given, not searched)."""

    case: Any
    margin: Fraction | Enclosure
    table: Table
    snippet: str
    cases: int = 0

    def __str__(self) -> str:
        return f"{self.table}\n\n{self.snippet}"


@dataclass(frozen=True, slots=True)
class Support:
    """No counterexample among ``n`` cases decided; on ``undecided`` more the enclosure of the margin held 0 inside.

    ``slack`` is the smallest margin of a decided case, or what an enclosure says that it is at least.
    """

    n: int
    undecided: int = 0
    slack: Fraction | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        more = f", {self.undecided} undecided" if self.undecided else ""
        return f"no counterexample in {self.n} cases{more}"


def refute(margin: Margin, cases: Any = "finite", n: int = CASES, seed: int = 0) -> Counterexample | Support:
    """A smallest case with margin(case) < 0, or the number of cases tried in vain.

    ``cases`` is a Hypothesis strategy, the name of one of ``proofs_check.families``, or a sequence, of which the first
    ``n`` are tried in order. Equal arguments give equal answers; nothing is written to disk.

    Raises ``MarginError`` (a ``ValueError``) for a margin that raises, is NaN, a float or a truth value, and for one
    that answers differently when asked again; ``ValueError`` for n < 1 and for an unknown family.

    >>> from theory.strategies import rationals
    >>> found = refute(lambda x: x * x - x + Fraction(1, 5), rationals())        # 1/5 is too little, 1/4 would do
    >>> found.case, found.margin
    (Fraction(1, 2), Fraction(-1, 20))
    >>> refute(lambda x: x * x - x + Fraction(1, 4), [Fraction(k, 100) for k in range(100)])
    Support(n=100, undecided=0)
    """
    if n < 1:
        raise ValueError(f"n {n} is not positive; a search tries at least one case")
    tried = _Tried(margin)
    if isinstance(cases, Sequence) and not isinstance(cases, str):
        found = next((case for case in cases[:n] if tried.fails(case)), _NOTHING)
    else:
        found = _smallest(tried, cases, n, seed)
    if found is _NOTHING:
        return Support(tried.decided, tried.undecided, tried.slack)
    return counterexample(margin, found, tried.cases)


def counterexample(margin: Margin, case: Any, cases: int = 0) -> Counterexample:
    """A case that is known to be one. Raises ``ValueError`` if its margin is not certainly negative.

    >>> counterexample(lambda x: x - 1, Fraction(1, 2)).margin
    Fraction(-1, 2)
    """
    value = evaluate(margin, case)
    if not _is_negative(value):
        raise ValueError(f"this is no counterexample: the margin is {value}, which is not certainly negative")
    exact = value if isinstance(value, Enclosure) and not value.is_exact else _fraction(value)
    return Counterexample(case, exact, show.table(case, exact), show.snippet(case, margin), cases)


def assert_holds(margin: Margin, cases: Any = "finite", n: int = CASES, seed: int = 0) -> None:
    """Raise ``AssertionError`` with the smallest counterexample found; as ``refute``. For tests.

    Also if not one case could be decided: such a test could never fail.
    """
    found = refute(margin, cases, n, seed)
    if isinstance(found, Counterexample):
        raise AssertionError(f"the margin is {found.margin} on this case:\n{found}")
    if not found.n:
        raise AssertionError(f"not one of {found.undecided} cases could be decided; the margin is too wide")


def evaluate(margin: Margin, case: Any) -> Fraction | int | Enclosure:
    """margin(case), if it is an int, a Fraction or an enclosure. Raises ``MarginError`` with the case otherwise."""
    try:
        value = margin(case)
    except Undecided:
        raise
    except Exception as error:
        raise MarginError(f"the margin raised {type(error).__name__} ({error}) on the case {_brief(case)}") from error
    if isinstance(value, float) and math.isnan(value):
        raise MarginError(f"the margin is NaN on the case {_brief(case)}")
    if isinstance(value, bool) or not isinstance(value, int | Fraction | Enclosure):
        raise MarginError(
            f"the margin is {value!r} of type {type(value).__name__} on the case {_brief(case)}; "
            "allowed are int, Fraction and Enclosure"
        )
    return value


_NOTHING = object()


class _Tried:
    """Counts what one search has asked of its margin."""

    def __init__(self, margin: Margin) -> None:
        self.margin, self.decided, self.undecided, self.stopped = margin, 0, 0, False
        self.cases = 0  # until the first counterexample; what follows is shrinking
        self.slack: Fraction | None = None

    def fails(self, case: Any) -> bool:
        self.cases += not self.stopped
        try:
            value = evaluate(self.margin, case)
            negative = _is_negative(value)
        except Undecided:
            self.undecided += 1
            return False
        self.decided += 1
        least = value.lo if isinstance(value, Enclosure) else value
        if self.slack is None or least < self.slack:
            self.slack = Fraction(least)
        self.stopped = self.stopped or negative
        return negative


def _is_negative(value: Fraction | int | Enclosure) -> bool:
    """Certainly negative; raises `Undecided` where an enclosure does not say."""
    return bool(value < 0)


def _fraction(value: Fraction | int | Enclosure) -> Fraction:
    return value.fraction if isinstance(value, Enclosure) else Fraction(value)


def _smallest(tried: _Tried, cases: Any, n: int, seed: int) -> Any:
    import warnings

    import hypothesis
    from hypothesis import HealthCheck, Phase, settings
    from hypothesis import strategies as st
    from hypothesis.errors import Flaky, NonInteractiveExampleWarning

    from proofs_check.families import family

    strategy = family(cases) if isinstance(cases, str) else cases
    if not isinstance(strategy, st.SearchStrategy):
        raise TypeError(f"cases {cases!r} are neither a strategy nor a family nor a sequence")
    last: list[Any] = [_NOTHING]

    class Found(Exception):  # noqa: N818 - a way out, not a fault
        pass

    @hypothesis.seed(seed)
    @settings(
        max_examples=n, database=None, deadline=None, phases=[Phase.generate, Phase.shrink], derandomize=False,
        suppress_health_check=list(HealthCheck), report_multiple_bugs=False, print_blob=False,
        verbosity=hypothesis.Verbosity.quiet,
    )  # fmt: skip
    @hypothesis.given(strategy)
    def hunt(case: Any) -> None:
        if tried.fails(case):
            last[0] = case  # Hypothesis ends by running the smallest case once more
            raise Found

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NonInteractiveExampleWarning)
            hunt()
    except Found:
        return last[0]
    except Flaky:
        raise MarginError(f"the margin answers differently when asked again about the case {_brief(last[0])}") from None
    return _NOTHING


def _brief(case: Any) -> str:
    text = show.Source().of(case)
    return text if len(text) <= 2000 else text[:2000] + " ..."

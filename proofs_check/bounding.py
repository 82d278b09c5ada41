"""Interval branch-and-bound: a function of a few real numbers is positive on a box, proved in ball arithmetic.

The function takes arbs and returns an arb. On a box its value is enclosed; where the enclosure is positive the box is
done, where the value at the middle is negative the statement is refuted, else the widest side is halved. What touches 0
cannot be proved so: state the equality set, and divide it out or reparametrise before.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from proofs_check.core import Evidence
from proofs_check.search import counterexample
from theory.arbs import enclose, to_arb, working_precision
from theory.numbers import as_fraction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from theory.enclosure import Enclosure
    from theory.numbers import Exact

BITS = 80


def branch_and_bound(
    function: Callable[..., Any], box: Mapping[str, tuple[Exact, Exact]], cap: int = 5000, bits: int = BITS
) -> Evidence:
    """Proof that ``function`` is positive on the closed ``box``, whose sides are named and have exact ends.

    UNDECIDED after ``cap`` boxes; REFUTED with the middle of a box where the value is certainly negative.
    Raises ``ValueError`` for an empty box or a side that runs backwards.

    >>> proved = branch_and_bound(lambda x, y: x * x - x * y + y * y + 1, {"x": (-2, 2), "y": (-2, 2)})
    >>> proved.kind, branch_and_bound(lambda x: x * x - 2, {"x": (1, 3)}).witness.case
    ('PROVED', (Fraction(5, 4),))
    >>> branch_and_bound(lambda x: x * x, {"x": (-1, 1)}).kind    # 0 is touched at x = 0
    'UNDECIDED'
    """
    sides = [(as_fraction(lo, name), as_fraction(hi, name)) for name, (lo, hi) in box.items()]
    if not sides:
        raise ValueError("the box has no sides; name at least one")
    for name, (lo, hi) in zip(box, sides, strict=True):
        if lo > hi:
            raise ValueError(f"side {name} runs from {lo} down to {hi}; the lower end comes first")
    sizes = [hi - lo for lo, hi in sides]
    where = ", ".join(f"{name} in [{lo}, {hi}]" for name, (lo, hi) in zip(box, sides, strict=True))
    waiting, seen = [sides], 0
    with working_precision(bits):
        while waiting:
            if seen >= cap:
                return Evidence("UNDECIDED", f"branch-and-bound on {where} is not done after {cap} boxes", seen)
            here = waiting.pop()
            seen += 1
            if function(*(to_arb(lo).union(to_arb(hi)) for lo, hi in here)) > 0:
                continue
            middle = tuple((lo + hi) / 2 for lo, hi in here)
            if function(*map(to_arb, middle)) < 0:
                how = f"branch-and-bound on {where}"
                return Evidence("REFUTED", how, seen, counterexample(_at(function, bits), middle))
            # relative to the first box; a side of length 0 is never cut
            widths = [(hi - lo) / size if size else Fraction(0) for (lo, hi), size in zip(here, sizes, strict=True)]
            if not any(widths):
                return Evidence("UNDECIDED", f"the value at one point of {where} is not decided", seen)
            k = widths.index(max(widths))
            lo, hi = here[k]
            waiting += [[*here[:k], half, *here[k + 1 :]] for half in ((lo, middle[k]), (middle[k], hi))]
    return Evidence("PROVED", f"branch-and-bound in ball arithmetic on {where}, {seen} boxes", seen)


def _at(function: Callable[..., Any], bits: int) -> Callable[[tuple[Fraction, ...]], Enclosure]:
    def margin(case: tuple[Fraction, ...]) -> Enclosure:
        with working_precision(bits):
            return enclose(function(*map(to_arb, case)))

    return margin

"""Claims on trained networks: a rule, fixed beforehand, that reads the rows of a record and names what is against it.

A record names the ``claim`` it speaks of, the ``setting`` ("paper" or "reduced") and the ``rows``, dictionaries with
the cells that the rule reads, accuracies in per cent. `deep.experiment` writes such records.
"""

from __future__ import annotations

import functools
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING, Any

from proofs_check.core import Evidence, claim

if TYPE_CHECKING:
    from collections.abc import Callable

    from proofs_check.core import Claim

Rows = list[dict[str, Any]]


def network(key: str, *, reads: str, **fields: Any) -> Callable[[Callable[[Rows], str]], Claim]:
    """A decorator that makes a claim of a rule: rows -> what is against the claim, "" if nothing is.

    Without a record of the schema ``reads`` the claim is NOT RUN, which is what it pins; ``fields`` go to `claim`.
    """

    def make(rule: Callable[[Rows], str]) -> Claim:
        @functools.wraps(rule)
        def judge(record: Any) -> Evidence:
            return by_rule(record, key, rule)

        return claim(key, kind="network", expected="NOT RUN", reads=reads, **fields)(judge)

    return make


def by_rule(record: Any, key: str, rule: Callable[[Rows], str]) -> Evidence:
    """REPRODUCED in the paper's setting or DIRECTION HELD in another if the rule finds no fault, else FAILED.

    NOT RUN where the record is about another claim.
    """
    if record.data["claim"] != key:
        return Evidence("NOT RUN", f"the record is about {record.data['claim']}")
    rows: Rows = record.data["rows"]
    if found := rule(rows):
        return Evidence("FAILED", found, len(rows))
    return Evidence("REPRODUCED" if record.data["setting"] == "paper" else "DIRECTION HELD", "by its rule", len(rows))


def number(row: dict[str, Any], column: str) -> Fraction:
    """A cell as the decimal that it shows."""
    return Fraction(str(row[column]))


def the(rows: Rows, **where: Any) -> dict[str, Any]:
    """The one row with these cells."""
    (row,) = [row for row in rows if all(row[name] == value for name, value in where.items())]
    return row


def sorted_by(rows: Rows, column: str, **where: Any) -> Rows:
    """The rows with these cells, in the order of a column."""
    return sorted([r for r in rows if all(r[k] == v for k, v in where.items())], key=lambda r: number(r, column))


def below_frontier(point: dict[str, Any], others: Rows) -> bool:
    """Whether some mixture of two of the other rows is as good in natural and in robust accuracy."""
    x, y = number(point, "natural"), number(point, "robust")
    for a, b in combinations([*others, *others[:1]], 2):
        lo, hi = Fraction(0), Fraction(1)
        for column, least in (("natural", x), ("robust", y)):
            start, slope = number(a, column), number(b, column) - number(a, column)
            if slope > 0:
                lo = max(lo, (least - start) / slope)
            elif slope < 0:
                hi = min(hi, (least - start) / slope)
            elif start < least:
                hi = Fraction(-1)
        if lo <= hi:
            return True
    return False


def ahead(first: str, second: str, column: str) -> Callable[[Rows], str]:
    """The rule that one method is ahead of another in a column."""

    def fault(rows: Rows) -> str:
        a, b = the(rows, method=first), the(rows, method=second)
        return "" if number(a, column) > number(b, column) else f"{first} has {a[column]}, {second} {b[column]}"

    return fault


def all_of(*rules: Callable[[Rows], str]) -> Callable[[Rows], str]:
    """The first fault that a rule finds."""
    return lambda rows: next((fault for rule in rules if (fault := rule(rows))), "")


def rising(column: str, parameter: str, *, falls: bool = False) -> Callable[[Rows], str]:
    """The rule that a column grows (or falls) from the least to the greatest value of a parameter."""

    def fault(rows: Rows) -> str:
        first, last = (pick(rows, key=lambda row: number(row, parameter)) for pick in (min, max))
        change = number(last, column) - number(first, column)
        return "" if (-change if falls else change) > 0 else f"{column} goes from {first[column]} to {last[column]}"

    return fault

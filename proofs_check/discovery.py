"""The registry, read off the modules of ``proofs_check.claims``, and the verdict on a claim.

There is no list to keep: a claim is registered by being bound to a name in one of these modules.
"""

from __future__ import annotations

import difflib
import pkgutil
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from proofs_check.core import HOLDS, Claim, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import ModuleType

    from theory.record import Record

BUDGET = 1000


def registry(*modules: ModuleType) -> Mapping[str, Claim]:
    """All claims by key: those of the papers, or those of the modules given.

    Raises ``ValueError`` for a key given twice, and for an amendment or a repaired claim that is not there.

    >>> registry()["trades-eq1"].label
    'eq (1)'
    """
    found: dict[str, Claim] = {}
    for module in modules or _shipped():
        for value in vars(module).values():
            if isinstance(value, Claim):
                if found.get(value.key, value) is not value:
                    raise ValueError(f"two claims have the key {value.key!r}; keys must differ")
                found[value.key] = value
    for item in found.values():
        for other, back in ((item.amendment, "repairs"), (item.repairs, "amendment")):
            if other and (other not in found or getattr(found[other], back) != item.key):
                raise ValueError(f"claims {item.key!r} and {other!r} do not name each other as printed and repaired")
    return MappingProxyType(found)


def _shipped() -> list[ModuleType]:
    package = import_module("proofs_check.claims")
    return [import_module(f"proofs_check.claims.{info.name}") for info in pkgutil.iter_modules(package.__path__)]


def find(key: str, claims: Mapping[str, Claim] | None = None) -> Claim:
    """The claim of that key. Raises ``ValueError`` that names the nearest keys."""
    known = registry() if claims is None else claims
    if key in known:
        return known[key]
    near = difflib.get_close_matches(key.lower(), known, 3, 0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else "`python -m proofs_check list` names all"
    raise ValueError(f"claim {key!r} is unknown; {hint}")


def check(
    key: str | Claim,
    budget: int = BUDGET,
    claims: Mapping[str, Claim] | None = None,
    records: Mapping[str, Record] | None = None,
) -> Verdict:
    """The verdict on a claim, reached anew; ``budget`` bounds the random cases a search may spend.

    A false claim is AMENDED if the claim that repairs it is PROVED or SUPPORTED by this same check, else REFUTED. A
    claim that reads records is NOT RUN unless one of ``records``, by file name, speaks of it.
    Raises ``ValueError`` for an unknown key, a budget below 1, and a decided core without a written lift.

    >>> print(check("odds-theorem-2.1"))
    PROVED
    """
    (verdict,) = check_all([find(key, claims) if isinstance(key, str) else key], budget, claims, records)
    return verdict


def check_all(
    items: Iterable[Claim],
    budget: int = BUDGET,
    claims: Mapping[str, Claim] | None = None,
    records: Mapping[str, Record] | None = None,
) -> Iterator[Verdict]:
    """The verdicts on several claims, one by one; a repair that is listed too is checked once. As `check`."""
    if budget < 1:
        raise ValueError(f"budget {budget} is not positive; a check may spend at least one case")
    checks = _Checks(budget, claims, records or {})
    for item in items:
        yield checks.verdict(item)


class _Checks:
    """The verdicts reached so far."""

    def __init__(self, budget: int, claims: Mapping[str, Claim] | None, records: Mapping[str, Record]) -> None:
        self.budget, self.claims, self.records = budget, claims, records
        self.reached: dict[str, Verdict] = {}

    def verdict(self, item: Claim) -> Verdict:
        if item.key not in self.reached:
            self.reached[item.key] = self._reach(item)
        return self.reached[item.key]

    def _reach(self, item: Claim) -> Verdict:
        if item.prove is None:
            return Verdict(item.key, None, "a definition: nothing to check", item.covers, 0, None, None)
        if item.reads:
            return _by_record(item, self.records)
        found = item.prove(self.budget)
        if found.core and not item.lift:
            raise ValueError(f"claim {item.key!r} rests on a core without a written lift; write it as the docstring")
        kind, how = found.kind, found.how
        if kind == "REFUTED" and item.amendment:
            repaired = self.verdict(find(item.amendment, self.claims))
            if repaired.kind in HOLDS:
                kind, how = "AMENDED", f"{how}; {item.amendment} is {repaired}"
        broken = tuple((premise, prove(self.budget)) for premise, prove in item.without.items())
        return Verdict(item.key, kind, how, item.covers, found.cases, found.witness, item.expected, broken)


def _by_record(item: Claim, records: Mapping[str, Record]) -> Verdict:
    """What the rule of the claim says of the one record that speaks of it."""
    assert item.prove is not None
    verdict = None
    for name, record in records.items():
        if record.schema != item.reads:
            continue
        try:
            found = item.prove(record)
        except (KeyError, IndexError, TypeError) as error:
            raise ValueError(f"{name} lacks what claim {item.key!r} reads in a record ({error!r})") from error
        if found.kind == "NOT RUN":  # this record is about something else
            continue
        if verdict is not None:
            raise ValueError(f"{verdict.record} and {name} both speak of claim {item.key!r}; give one of them")
        covers = item.covers if not item.covers.startswith("NOT RUN") else f"the networks of `{record.command}`"
        verdict = Verdict(
            item.key, found.kind, found.how, covers, found.cases, found.witness, item.expected,
            record=name, sha256=record.sha256,
        )  # fmt: skip
    nothing = f"no record of schema {item.reads} speaks of it"
    return verdict or Verdict(item.key, "NOT RUN", nothing, item.covers, 0, None, item.expected)

"""The registry, read off the modules of ``proofs_check.claims``, and the verdict on a claim.

There is no list to keep: a claim is registered by being bound to a name in one of these modules.
"""

from __future__ import annotations

import difflib
import pkgutil
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from proofs_check.core import Claim, Evidence, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import ModuleType

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


def check(key: str | Claim, budget: int = BUDGET, claims: Mapping[str, Claim] | None = None) -> Verdict:
    """The verdict on a claim, reached anew; ``budget`` bounds the random cases a search may spend.

    A false claim is AMENDED if the claim that repairs it is PROVED or SUPPORTED by this same check, else REFUTED.
    Raises ``ValueError`` for an unknown key, a budget below 1, and a decided core without a written lift.

    >>> print(check("odds-theorem-2.1"))
    PROVED
    """
    (verdict,) = check_all([find(key, claims) if isinstance(key, str) else key], budget, claims)
    return verdict


def check_all(
    items: Iterable[Claim], budget: int = BUDGET, claims: Mapping[str, Claim] | None = None
) -> Iterator[Verdict]:
    """The verdicts on several claims, one by one; a repair that is listed too is checked once. As `check`."""
    if budget < 1:
        raise ValueError(f"budget {budget} is not positive; a check may spend at least one case")
    reached: dict[str, Verdict] = {}
    for item in items:
        yield _verdict(item, budget, claims, reached)


def _verdict(item: Claim, budget: int, claims: Mapping[str, Claim] | None, reached: dict[str, Verdict]) -> Verdict:
    if item.key not in reached:
        reached[item.key] = _reach(item, budget, claims, reached)
    return reached[item.key]


def _reach(item: Claim, budget: int, claims: Mapping[str, Claim] | None, reached: dict[str, Verdict]) -> Verdict:
    if item.prove is None:
        return Verdict(item.key, None, "a definition: nothing to check", item.covers, 0, None, None)
    found: Evidence = item.prove(budget)
    if found.core and not item.lift:
        raise ValueError(f"claim {item.key!r} rests on a core without a written lift; write it as the docstring")
    kind, how = found.kind, found.how
    if kind == "REFUTED" and item.amendment:
        repaired = _verdict(find(item.amendment, claims), budget, claims, reached)
        if repaired.kind in ("PROVED", "SUPPORTED"):
            kind, how = "AMENDED", f"{how}; {item.amendment} is {repaired}"
    return Verdict(item.key, kind, how, item.covers, found.cases, found.witness, item.expected)

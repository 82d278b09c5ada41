"""What training minimises: each method is an objective with its own state, none has a loop of its own."""

from __future__ import annotations

from dataclasses import fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from deep.objectives.method import Batch, Method, Stateless
from deep.objectives.natural import PGDAT, Natural
from deep.objectives.trades import TRADES, BinaryTRADES, CertifiedTRADES

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "METHODS", "PGDAT", "TRADES", "Batch", "BinaryTRADES", "CertifiedTRADES", "Method", "Natural", "Stateless",
    "method",
]  # fmt: skip

METHODS: Mapping[str, tuple[Any, Mapping[str, Any]]] = MappingProxyType(
    {
        "natural": (Natural, {}),
        "pgd-at": (PGDAT, {}),
        "trades": (TRADES, {}),
        "binary-trades": (BinaryTRADES, {}),
        "margin-trades": (BinaryTRADES, {"adversary": "margin", "name": "margin-trades"}),
        "certified-trades": (CertifiedTRADES, {}),
    }
)
"""The methods by name: the class of the choice, and the options that the name fixes."""


def method(name: str, **options: Any) -> Method:
    """The method of that name with these options; an option that is None is left to the method.

    Raises ``ValueError`` for an unknown name, and for an option that the method does not have, lacks, or refuses.

    >>> method("pgd-at", eps=0.3, steps=5, lam=None)
    PGDAT(eps=0.3, steps=5, step_size=0.15, ord=inf, name='pgd-at')
    """
    if name not in METHODS:
        raise ValueError(f"method {name!r} is unknown; allowed are {', '.join(METHODS)}")
    kind, fixed = METHODS[name]
    given = {key: value for key, value in options.items() if value is not None}
    known = [field.name for field in fields(kind) if field.name not in {"name", *fixed}]
    for key in given:
        if key not in known:
            raise ValueError(f"method {name!r} has no option {key!r}; its options are {', '.join(known) or 'none'}")
    try:
        made: Method = kind(**given, **fixed)
    except TypeError:
        raise ValueError(f"method {name!r} lacks an option among {', '.join(known)}; it always needs eps") from None
    return made

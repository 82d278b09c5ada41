"""What training minimises: each method is an objective with its own state, none has a loop of its own."""

from __future__ import annotations

import math
from dataclasses import MISSING, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from deep.objectives.baselines import (
    ALP,
    FGM,
    GradientRegularised,
    LabelRegularised,
    Mixture,
    MixupAT,
    NoiseRegularised,
)
from deep.objectives.iaat import IAAT
from deep.objectives.method import Batch, Method, Stateless
from deep.objectives.natural import PGDAT, Natural
from deep.objectives.pgn import PGN, GeneratorAttack
from deep.objectives.sense import SENSE
from deep.objectives.trades import TRADES, BinaryTRADES, CertifiedTRADES

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ALP", "FGM", "IAAT", "METHODS", "PGDAT", "PGN", "SENSE", "TRADES", "Batch", "BinaryTRADES", "CertifiedTRADES",
    "GeneratorAttack", "GradientRegularised", "LabelRegularised", "Method", "Mixture", "MixupAT", "Natural",
    "NoiseRegularised", "Stateless", "has_option", "method",
]  # fmt: skip

METHODS: Mapping[str, tuple[Any, Mapping[str, Any]]] = MappingProxyType(
    {
        "natural": (Natural, {}),
        "pgd-at": (PGDAT, {}),
        "trades": (TRADES, {}),
        "binary-trades": (BinaryTRADES, {}),
        "margin-trades": (BinaryTRADES, {"adversary": "margin", "name": "margin-trades"}),
        "certified-trades": (CertifiedTRADES, {}),
        "sense": (SENSE, {}),
        "iaat": (IAAT, {}),
        "pgn": (PGN, {}),
        "fgm-at": (FGM, {}),
        "fast-at": (FGM, {"reach": 1.25, "start": "uniform", "ord": math.inf, "name": "fast-at"}),
        "half-half": (Mixture, {"weight": 1.0}),
        "kurakin": (Mixture, {"weight": 0.3, "name": "kurakin"}),
        "mixup-at": (MixupAT, {}),
        "label-regularised": (LabelRegularised, {}),
        "gradient-regularised": (GradientRegularised, {}),
        "noise-regularised": (NoiseRegularised, {}),
        "alp": (ALP, {}),
    }
)
"""The methods by name: the class of the choice, and the options that the name fixes."""


def has_option(name: str, option: str) -> bool:
    """Whether the method of that name leaves this option to be chosen.

    >>> has_option("trades", "eps"), has_option("natural", "eps")
    (True, False)
    """
    kind, fixed = METHODS[name]
    return option in {field.name for field in fields(kind)} - fixed.keys()


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
        needed = [f.name for f in fields(kind) if f.default is MISSING and f.name not in fixed]
        raise ValueError(
            f"method {name!r} lacks an option among {', '.join(known)}; it always needs {', '.join(needed)}"
        ) from None
    return made

"""All experiments by the key of the claim that reads them."""

from __future__ import annotations

import difflib
from types import MappingProxyType
from typing import TYPE_CHECKING

from deep.experiments import iaat, odds, pgn, sense_capacity, sense_trades

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deep.experiments.design import Experiment


def experiments() -> Mapping[str, Experiment]:
    """The experiments by key, paper by paper.

    >>> experiments()["iaat-table1"].settings
    ('paper', 'reduced')
    """
    rooms = (sense_trades, sense_capacity, iaat, pgn, odds)
    return MappingProxyType({one.key: one for room in rooms for one in room.EXPERIMENTS})


def find(key: str) -> Experiment:
    """The experiment of that key. Raises ``ValueError`` that names the nearest keys."""
    known = experiments()
    if key in known:
        return known[key]
    near = difflib.get_close_matches(key.lower(), known, 3, 0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else "`python -m deep.experiment list` names all"
    raise ValueError(f"experiment {key!r} is unknown; {hint}")

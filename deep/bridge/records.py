"""Rows and networks as short texts, and back: what a record of hundreds of enclosures holds."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from theory.enclosure import Enclosure
from theory.relu import ReluNetwork

_FRACTIONS = ("eps", "lam")
_SHIPPED = Path(__file__).parents[1] / "records"


def names() -> list[str]:
    """The records that come with the package."""
    return sorted(path.stem.removeprefix("bridge-") for path in _SHIPPED.glob("bridge-*.json"))


def shipped(name: str) -> Path:
    """The file of a record: the one of that name that comes with the package, or any other."""
    return _SHIPPED / f"bridge-{name}.json" if name in names() else Path(name)


def written_rows(rows: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[list[str]]]:
    """The rows with numbers as texts, "9/40" or "lo hi k alpha", and the list in which the k-th entry says by what.

    >>> written_rows([{"method": "bayes", "n": 5, "risk": Enclosure("0.1", "0.2", "grid"), "optimum": Fraction(1, 3)}])
    ([{'method': 'bayes', 'n': 5, 'risk': '0.1 1/5 0 0', 'optimum': '1/3'}], [['grid']])
    """
    hows: list[list[str]] = []

    def text(value: Any) -> Any:
        if not isinstance(value, Enclosure):
            return str(value) if isinstance(value, Fraction) else value
        if value.is_exact and not value.alpha:
            return str(value.fraction)
        how = list(value.how)
        if how not in hows:
            hows.append(how)
        return f"{_decimal(value.lo)} {_decimal(value.hi)} {hows.index(how)} {value.alpha}"

    made = [{key: text(value) for key, value in row.items() if value is not None} for row in rows]
    return made, hows


def read_rows(rows: Sequence[dict[str, Any]], hows: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """The rows that `written_rows` wrote, with their numbers: eps and lam as Fractions, the others as enclosures."""

    def value(key: str, text: Any) -> Any:
        if key in ("method", "loss") or not isinstance(text, str):
            return text
        if key in _FRACTIONS:
            return Fraction(text)
        parts = text.split(" ")
        if len(parts) == 1:
            return Enclosure.exact(text)
        lo, hi, k, alpha = parts
        return Enclosure(lo, hi, hows[int(k)], alpha)

    return [{key: value(key, text) for key, text in row.items()} for row in rows]


def _decimal(x: Any) -> str:
    """A short decimal where there is one, so that the text says the same number."""
    from theory.rounding import decimal_down

    text = decimal_down(x, 30).rstrip("0").rstrip(".")
    return text if Fraction(text) == x and len(text) < len(str(x)) else str(x)


def to_text(network: ReluNetwork) -> list[list[Any]]:
    """The layers of float32 weights as [outputs, inputs, base64 of weights and biases], to be kept in JSON."""
    made: list[list[Any]] = []
    for weight, bias in network.layers:
        numbers = np.concatenate([weight.ravel(), bias]).astype("<f4")
        if not np.array_equal(numbers, np.concatenate([weight.ravel(), bias])):
            raise ValueError("the weights are no float32 numbers, which records hold")
        made.append([*weight.shape, base64.b64encode(numbers.tobytes()).decode()])
    return made


def from_text(layers: Sequence[Sequence[Any]]) -> ReluNetwork:
    """The network that `to_text` wrote, with the same weights.

    >>> tent = ReluNetwork([([[1.0], [-1.0]], [0.0, 0.0]), ([[1.0, 1.0]], [-0.5])])
    >>> from_text(to_text(tent)).exact_score(["1/3"])
    Fraction(-1, 6)
    """
    made = []
    for outputs, inputs, text in layers:
        numbers = np.frombuffer(base64.b64decode(text), "<f4")
        if len(numbers) != outputs * (inputs + 1):
            raise ValueError(f"a layer of {outputs} x {inputs} weights does not have {len(numbers)} numbers")
        made.append((numbers[: outputs * inputs].reshape(outputs, inputs), numbers[outputs * inputs :]))
    return ReluNetwork(made)

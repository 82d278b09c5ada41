"""Fully connected ReLU networks with one real output, as the exact functions that their weights define.

A float is a dyadic rational, so a network with float weights is an exact piecewise linear function; its score is that
function in real arithmetic. A program that runs it in float32 or float64 rounds, and may differ where the score is
within rounding of 0.

>>> tent = ReluNetwork([([[1.0], [-1.0]], [0.0, 0.0]), ([[1.0, 1.0]], [-0.5])])  # |x| - 1/2
>>> tent.score([[0.25], [1.0]]), tent.exact_score(["1/3"])
(array([-0.25,  0.5 ]), Fraction(-1, 6))
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.numbers import as_fraction

Floats = NDArray[np.float64]

# For bounds of rounding errors in float64:
TINY = 1e-290  # covers underflow: products are off by less than 2^-1074 by it, of which no more than millions add up
GROW = 1 + 2.0**-40  # makes up, and more, for the rounding of a sum of error bounds themselves


@dataclass(frozen=True, slots=True, eq=False)
class ReluNetwork:
    """x -> W_L relu(... relu(W_1 x + b_1) ...) + b_L with ``layers`` = ((W_1, b_1), ..., (W_L, b_L)), one output.

    W has the shape (outputs, inputs) and b (outputs,), as torch's ``Linear`` keeps them; float16, float32 and float64
    are taken as the dyadic numbers they hold. As a classifier the network is the sign of its score: +1 where it is
    positive, -1 where it is negative; a score of 0 errs for both labels (TRADES, section 2.2: an error is f(X)Y <= 0).

    Raises ``ValueError`` for no layers, shapes that do not fit, several outputs and weights that are not finite,
    ``TypeError`` for what is no array of floats.
    """

    layers: tuple[tuple[Floats, Floats], ...]

    def __init__(self, layers: Iterable[tuple[ArrayLike, ArrayLike]]) -> None:
        made: list[tuple[Floats, Floats]] = []
        for k, layer in enumerate(layers):
            if not isinstance(layer, tuple | list) or len(layer) != 2:
                raise TypeError(f"layer {k} is {type(layer).__name__}, not supported; a layer is (weight, bias)")
            weight, bias = (_floats(x, f"layer {k} {name}") for x, name in zip(layer, ("weight", "bias"), strict=True))
            if weight.ndim != 2 or bias.shape != weight.shape[:1] or not weight.size:
                raise ValueError(
                    f"layer {k} has weights of shape {weight.shape} and biases of shape {bias.shape}; allowed are "
                    "(outputs, inputs) and (outputs,), that is fully connected layers"
                )
            if made and made[-1][0].shape[0] != weight.shape[1]:
                raise ValueError(f"layer {k} takes {weight.shape[1]} inputs, but gets {made[-1][0].shape[0]}")
            made.append((weight, bias))
        if not made:
            raise ValueError("a network needs at least one layer")
        if made[-1][0].shape[0] != 1:
            raise ValueError(
                f"the network has {made[-1][0].shape[0]} outputs; allowed is one score, for two logits their difference"
            )
        object.__setattr__(self, "layers", tuple(made))

    @property
    def dim(self) -> int:
        """The number of inputs."""
        return int(self.layers[0][0].shape[1])

    @property
    def widths(self) -> tuple[int, ...]:
        """Inputs, neurons of each hidden layer, and 1."""
        return (self.dim, *(int(weight.shape[0]) for weight, _ in self.layers))

    def score(self, points: ArrayLike) -> Floats:
        """Scores (n,) of points (n, d) in float64, rounded as float64 rounds."""
        values = np.asarray(points, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] != self.dim:
            raise ValueError(f"points of shape {values.shape} do not fit; allowed is (n, {self.dim})")
        for weight, bias in self.layers[:-1]:
            values = np.maximum(values @ weight.T + bias, 0)
        weight, bias = self.layers[-1]
        return np.asarray((values @ weight.T + bias)[:, 0])

    def exact_score(self, point: Sequence[Any]) -> Fraction:
        """The score at one point of exact coordinates."""
        values = [as_fraction(x, "coordinate") for x in point]
        if len(values) != self.dim:
            raise ValueError(f"point {point!r} has {len(values)} coordinates; allowed are {self.dim}")
        for k, (weight, bias) in enumerate(self.layers):
            values = [
                sum((Fraction(w) * x for w, x in zip(row, values, strict=True) if w), Fraction(b))
                for row, b in zip(weight.tolist(), bias.tolist(), strict=True)
            ]
            if k + 1 < len(self.layers):
                values = [max(x, Fraction(0)) for x in values]
        return values[0]

    def __repr__(self) -> str:
        return f"ReluNetwork({'-'.join(map(str, self.widths))})"


def _floats(values: ArrayLike, name: str) -> Floats:
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} is ragged; allowed is a rectangular array of floats") from error
    if array.dtype.kind != "f" or array.dtype.itemsize > 8:
        raise TypeError(f"{name} holds {array.dtype}; allowed are float16, float32 and float64")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds {array[~np.isfinite(array)][0]}; weights must be finite")
    array = array.astype(np.float64)  # exact
    array.setflags(write=False)
    return array


def integer_layers(network: ReluNetwork) -> list[tuple[list[list[int]], int]]:
    """Each layer as whole numbers: rows (weights..., bias) times 2^shift, and the shift.

    >>> integer_layers(ReluNetwork([([[0.5, 3.0]], [0.25])]))
    [([[2, 12, 1]], 2)]
    """
    made = []
    for weight, bias in network.layers:
        pairs = zip(weight.tolist(), bias.tolist(), strict=True)
        rows = [[x.as_integer_ratio() for x in (*row, b)] for row, b in pairs]
        shift = max(q.bit_length() - 1 for row in rows for _, q in row)
        made.append(([[p << (shift - q.bit_length() + 1) for p, q in row] for row in rows], shift))
    return made

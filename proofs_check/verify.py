"""Check a certificate of a least robust risk, using nothing of the code that found it.

Two bounds are recomputed from the numbers in the file and must meet at its value:

- *above*: kept parts of the two classes that do not conflict; some classifier is robustly right on them;
- *below*: a coupling of conflicting parts of the two classes; every classifier loses that much.

Box laws are checked in exact rational arithmetic on the boxes themselves, labelled samples in integers on the data set.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

Box = list[tuple[Fraction, Fraction]]


class CertificateError(ValueError):
    """A certificate that does not prove its value; the sentence says where it fails."""


def verify_boxes(data: dict[str, Any]) -> Fraction:
    """The value that a certificate for a box law proves. Raises ``CertificateError`` if it proves none.

    >>> half = {"box": [["0", "1/2"]], "density": "1"}, {"box": [["1/2", "1"]], "density": "1"}
    >>> kept = {"-1": [{"box": [["0", "2/5"]], "density": "1"}], "1": [{"box": [["3/5", "1"]], "density": "1"}]}
    >>> verify_boxes({"eps": "1/10", "value": "1/5", "law": {"-1": [half[0]], "1": [half[1]]}, "kept": kept,
    ...               "cells": {"-1": [[["2/5", "1/2"]]], "1": [[["1/2", "3/5"]]]}, "flow": [[0, 0, "1/10"]]})
    Traceback (most recent call last):
    proofs_check.verify.CertificateError: the coupling carries 1/10, which is not the value 1/5
    """
    reach, value = 2 * _radius(data), Fraction(data["value"])
    law = {y: [_weighted(part) for part in data["law"][y]] for y in ("-1", "1")}
    kept = {y: [_weighted(part) for part in data["kept"][y]] for y in ("-1", "1")}
    cells = {y: [_box(cell) for cell in data["cells"][y]] for y in ("-1", "1")}
    total = Fraction(0)
    for y in ("-1", "1"):
        _disjoint([box for box, _ in law[y]], f"boxes of the law, class {y},")
        total += sum((density * _volume(box) for box, density in law[y]), Fraction(0))
    if total != 1:
        raise CertificateError(f"the masses of the law sum to {total}, not to 1")
    mass = Fraction(0)
    for y in ("-1", "1"):
        _disjoint([box for box, _ in kept[y]], f"kept boxes of class {y}")
        for box, density in kept[y]:
            if density != _density(box, law[y]):
                raise CertificateError(f"kept box {_show(box)} of class {y} does not have the law's density")
            mass += density * _volume(box)
    for a, _ in kept["-1"]:
        for b, _ in kept["1"]:
            if all(q[0] - p[1] < reach and p[0] - q[1] < reach for p, q in zip(a, b, strict=True)):
                raise CertificateError(f"kept boxes {_show(a)} and {_show(b)} conflict")
    if 1 - mass != value:
        raise CertificateError(f"the kept boxes lose {1 - mass}, which is not the value {value}")
    room = {}
    for y in ("-1", "1"):
        _disjoint(cells[y], f"cells of class {y}")
        room[y] = [_density(cell, law[y]) * _volume(cell) for cell in cells[y]]
    carried = Fraction(0)
    for i, j, text in data["flow"]:
        amount = Fraction(text)
        if not (0 <= i < len(cells["-1"]) and 0 <= j < len(cells["1"])):
            raise CertificateError(f"the coupling names cells {i} and {j}, which are not listed")
        for p, q in zip(cells["-1"][i], cells["1"][j], strict=True):
            whole = max(q[1] - p[0], p[1] - q[0]) <= reach
            moved = (q[0] - p[0], q[1] - p[1]) in ((reach, reach), (-reach, -reach))
            if not (whole or moved):
                raise CertificateError(f"cells {_show(cells['-1'][i])} and {_show(cells['1'][j])} need not conflict")
        room["-1"][i] -= amount
        room["1"][j] -= amount
        carried += amount
        if amount < 0 or room["-1"][i] < 0 or room["1"][j] < 0:
            raise CertificateError(f"the coupling of cells {i} and {j} exceeds their mass")
    if carried != value:
        raise CertificateError(f"the coupling carries {carried}, which is not the value {value}")
    return value


def _radius(data: dict[str, Any]) -> Fraction:
    radius = Fraction(data["eps"])
    if radius < 0:
        raise CertificateError(f"eps {radius} is negative; a radius is at least 0")
    return radius


def _box(sides: list[list[str]]) -> Box:
    box = [(Fraction(lo), Fraction(hi)) for lo, hi in sides]
    if any(lo >= hi for lo, hi in box):
        raise CertificateError(f"box {_show(box)} is empty")
    return box


def _weighted(part: dict[str, Any]) -> tuple[Box, Fraction]:
    density = Fraction(part["density"])
    if density < 0:
        raise CertificateError(f"density {density} is negative")
    return _box(part["box"]), density


def _volume(box: Box) -> Fraction:
    volume = Fraction(1)
    for lo, hi in box:
        volume *= hi - lo
    return volume


def _density(box: Box, law: list[tuple[Box, Fraction]]) -> Fraction:
    """The law's density on a box that lies within one of its boxes."""
    for outer, density in law:
        if all(o[0] <= b[0] and b[1] <= o[1] for o, b in zip(outer, box, strict=True)):
            return density
    raise CertificateError(f"box {_show(box)} does not lie within one box of the law")


def _disjoint(boxes: list[Box], what: str) -> None:
    """A sweep along the first axis: boxes whose first sides overlap must be apart on another."""
    active: list[Box] = []
    for box in sorted(boxes):
        active = [other for other in active if other[0][1] > box[0][0]]
        for other in active:
            if all(p[0] < q[1] and q[0] < p[1] for p, q in zip(other, box, strict=True)):
                raise CertificateError(f"{what} {_show(other)} and {_show(box)} overlap")
        active.append(box)


def _show(box: Box) -> str:
    return "x".join(f"({lo}, {hi})" for lo, hi in box)


def verify_sample(data: dict[str, Any], x: Any, y: Any, scale: int) -> Fraction:
    """The value that a certificate for a two-class sample proves on integer points x / scale, (n, d), labels y.

    Kept points of different classes must be more than 2 eps apart; matched points at most 2 eps. Distances are compared
    as integers (l2 squared), in blocks; a float64 product of integers is exact below 2^53, which is checked.
    """
    import numpy as np

    first, second = data["classes"]
    limit = 2 * _radius(data) * scale
    if data["ord"] not in (1, 2, "inf"):
        raise CertificateError(f"norm {data['ord']!r} is unknown; allowed are 1, 2 and 'inf'")
    labels = np.array([str(label) for label in y])
    points = np.asarray(x).reshape(len(labels), -1)
    if points.dtype.kind not in "iu":
        raise CertificateError(f"points of type {points.dtype} are not integers; only integer data can be checked")
    points = points.astype(np.int64)
    weights = [w for w, count in data["weights"] for _ in range(count)]
    value, denominator = Fraction(data["value"]), data["denominator"]
    if len(weights) != len(points) or sum(weights) != denominator or min(weights) < 0:
        raise CertificateError(f"the weights are not {len(points)} shares of {denominator}")
    room, carried = list(weights), 0
    for i, j, amount in data["flow"]:
        if not (0 <= i < len(points) and 0 <= j < len(points) and labels[i] == first and labels[j] == second):
            raise CertificateError(f"points {i} and {j} are not one of either class")
        if not _near(points[i] - points[j], data["ord"], limit):
            raise CertificateError(f"points {i} and {j} do not conflict")
        room[i], room[j], carried = room[i] - amount, room[j] - amount, carried + amount
        if amount < 0 or room[i] < 0 or room[j] < 0:
            raise CertificateError(f"the coupling of points {i} and {j} exceeds their weight")
    lost = sum(weights[i] for i in set(data["wrong"]))
    kept = np.ones(len(points), dtype=bool)
    kept[data["wrong"]] = False
    _apart(points[kept & (labels == first)], points[kept & (labels == second)], data["ord"], limit)
    for what, weight in (("coupling carries", carried), ("points given up weigh", lost)):
        if Fraction(weight, denominator) != value:
            raise CertificateError(f"the {what} {Fraction(weight, denominator)}, which is not the value {value}")
    return value


def _near(difference: Any, ord: object, limit: Fraction) -> bool:
    gaps = [abs(int(g)) for g in difference]
    if ord == 2:
        return sum(g * g for g in gaps) <= limit * limit
    return (max(gaps) if ord == "inf" else sum(gaps)) <= limit


def _apart(a: Any, b: Any, ord: object, limit: Fraction) -> None:
    import numpy as np

    if ord == 2:
        squares = [(points.astype(float) ** 2).sum(axis=1) for points in (a, b)]
        if sum(s.max(initial=0) for s in squares) * 2 >= 2**53:
            raise CertificateError("the points are too large for exact products")
    floor = math.floor(limit * limit if ord == 2 else limit)  # distances are integers
    for start in range(0, len(a), 256):
        rows = a[start : start + 256]
        if ord == 2:
            far = squares[0][start : start + 256, None] + squares[1] - 2 * (rows.astype(float) @ b.T.astype(float))
        else:
            size = np.abs(rows[:, None, :] - b[None, :, :])
            far = size.max(axis=2) if ord == "inf" else size.sum(axis=2)
        if (far <= floor).any():
            raise CertificateError("two kept points of different classes conflict")

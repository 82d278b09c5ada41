"""Certificates of an optimum that leave the program: plain numbers that a reader's own short program can check.

A certificate for a box law states the law, the value, and two lists. ``kept``: boxes of either class, kept robustly
right; boxes of different classes are at least 2 eps apart on some axis, so a classifier is right on their
eps-neighbourhoods, and its robust risk is at most 1 minus their mass. ``flow``: amounts coupled between cells of the
two classes; on every axis either all points of the two cells conflict, or one cell is the other translated by 2 eps. A
coupling of that much conflicting mass is lost by every classifier. When the two agree, the value is proved.

A certificate for a labelled sample lists the points given up and conflicting pairs of points with amounts, likewise.
``proofs_check.verify`` checks such a file without any of the code that made it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.boxes import Boxes
from theory.distributions import BoxDistribution
from theory.flow import max_flow
from theory.optimal.boxes import Network
from theory.optimal.orbits import orbit_grid

if TYPE_CHECKING:
    from theory.ball import Ball
    from theory.optimal.sample import SampleOptimum

SCHEMA = "tightrope.certificate/1"


def box_certificate(law: BoxDistribution, ball: Ball) -> dict[str, Any]:
    """The certificate of ``optimal_box_risk(law, ball)`` as JSON data, without dropping axes.

    Raises as ``optimal_box_risk``; a small eps in several dimensions needs too many cells.
    """
    if not isinstance(law, BoxDistribution):
        raise TypeError(f"a {type(law).__name__} has no certificate; they are written for box laws and samples")
    graph = orbit_grid(law, ball, reduce=False)
    flow = max_flow(graph.n, graph.edges, 0, 1)
    best = Network(law, ball, graph, flow).minimiser(flow.source_side_min)
    return {
        "kind": "boxes",
        "eps": str(ball.radius),
        "law": {str(y): _weighted(law, y, law.densities[y].support) for y in law.labels},
        "value": str(flow.value),
        "kept": {str(y): _weighted(law, y, best.kept[y]) for y in law.labels},
        "cells": {str(y): [_sides(cell) for cell in graph.cells[y]] for y in law.labels},
        "flow": [[i - graph.first[-1], j - graph.first[+1], str(amount)] for i, j, amount in _paths(flow)],
    }


def _weighted(law: BoxDistribution, label: int, event: Boxes) -> list[dict[str, Any]]:
    """The event as disjoint boxes, each with the density of the law on it."""
    density = law.densities[label]
    return [
        {"box": _sides(cell), "density": str(value)}
        for k, value in enumerate(density.values)
        if value > 0
        for cell in (Boxes.on_grid(density.edges, np.equal(density.index, k)) & event).cells()
    ]


def _sides(cell: Any) -> list[list[str]]:
    return [[str(lo), str(hi)] for lo, hi in cell]


def _paths(flow: Any) -> list[tuple[int, int, Any]]:
    """The flow from cells of class -1 to cells of class +1, taken apart into paths through the middle nodes."""
    left: dict[int, list[list[Any]]] = defaultdict(list)
    for (tail, head, _), amount in zip(flow.edges, flow.flows, strict=True):
        if amount > 0:
            left[tail].append([head, amount])
    paths: dict[tuple[int, int], Any] = {}
    for arc in left[0]:
        while arc[1] > 0:
            route = [arc]
            while route[-1][0] != 1:
                route.append(next(step for step in left[route[-1][0]] if step[1] > 0))
            amount = min(step[1] for step in route)
            for step in route:
                step[1] = step[1] - amount
            ends = route[0][0], route[-2][0]
            paths[ends] = paths.get(ends, 0) + amount
    return [(i, j, amount) for (i, j), amount in sorted(paths.items())]


def sample_certificate(optimum: SampleOptimum, source: str) -> dict[str, Any]:
    """The certificate of a two-class sample's optimum: points given up, and conflicting pairs with amounts.

    ``source`` says where the data come from, as ``theory.samples.load_sample`` understands it; a digest of points and
    labels ties the certificate to them.
    """
    sample = optimum.sample
    pairs = zip(optimum.senders.tolist(), optimum.receivers.tolist(), optimum.amounts, strict=True)
    return {
        "kind": "sample",
        "source": source,
        "digest": sample.digest(),
        "classes": [str(label) for label in sample.classes],
        "eps": str(optimum.eps),
        "ord": "inf" if math.isinf(optimum.ord) else int(optimum.ord),
        "value": str(optimum.risk),
        "denominator": optimum.denominator,
        "weights": _runs(optimum.weights),
        "wrong": np.flatnonzero(optimum.wrong).tolist(),
        "flow": [list(pair) for pair in pairs],
    }


def _runs(weights: tuple[int, ...]) -> list[list[int]]:
    """Run-length code: [[weight, how many points in a row], ...]."""
    return [[weight, len(list(group))] for weight, group in groupby(weights)]

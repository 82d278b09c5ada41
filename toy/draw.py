"""Drawing exact things: decision regions as boxes, and curves piece by piece with their jumps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from theory import Boxes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from theory import FiniteDistribution, PiecewisePoly, RegionClassifier

# Okabe and Ito's colours, told apart by every reader
REGIONS = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#0072B2", "#D55E00", "#999999")
LINES = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999")
ALPHA = 0.75
Window = tuple[tuple[float, float], ...]


def figure(rows: int, columns: int, width: float = 4.0, height: float = 3.4) -> tuple[Figure, list[Axes]]:
    """An empty figure and its axes, row by row, without touching a display."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(width * columns, height * rows), layout="constrained")
    axes = made.subplots(rows, columns, squeeze=False)
    return made, list(axes.ravel())


def regions(ax: Axes, classifier: RegionClassifier, window: Window, support: Boxes | None = None) -> None:
    """The decision regions inside a window of the line or the plane, the support of the law outlined."""
    flat = len(window) == 1
    plane: Window = (*window, (0.0, 1.0)) if flat else window
    for label, colour in _colours(classifier).items():
        region = classifier.regions[label]
        if isinstance(region, Boxes):
            for (x, w), (y, h) in _rectangles(region, plane):
                ax.add_patch(_rectangle(x, y, w, h, facecolor=colour, edgecolor="none", alpha=ALPHA))
        else:
            _pixels(ax, region, plane, colour)
    if support is not None:
        for (x, w), (y, h) in _rectangles(support, plane):
            ax.add_patch(_rectangle(x, y, w, h, facecolor="none", edgecolor="black", linewidth=0.8))
    ax.set_xlim(*plane[0])
    ax.set_ylim(*plane[1])
    ax.set_aspect("auto" if flat else "equal")
    ax.set_xlabel("$x_1$")
    if flat:
        ax.set_yticks([])
    else:
        ax.set_ylabel("$x_2$")


def atoms(ax: Axes, classifier: RegionClassifier, law: FiniteDistribution) -> None:
    """The points of a finite law on the line or in the plane, coloured by prediction; grey where no region covers one.

    Beside each stands its most likely label, if there is one.
    """
    assert law.space.coordinates is not None
    colours = _colours(classifier)
    for k, point in enumerate(law.space.coordinates):
        x, y = (*map(float, point), 0.0)[:2]
        predicted = [label for label in colours if k in law.event(classifier.regions[label]).members]
        colour = colours[predicted[0]] if predicted else "#DDDDDD"
        ax.plot([x], [y], "o", color=colour, mec="black", ms=9)
        most = max(law.masses[label][k] for label in law.labels)
        likely = [label for label in law.labels if law.masses[label][k] == most]
        if len(likely) == 1:
            ax.annotate(_name(likely[0], law.labels), (x, y), (6, 4), textcoords="offset points")
    ax.margins(0.15)
    ax.set_xlabel("$x_1$")
    ax.set_ylabel("$x_2$" if len(law.space.coordinates[0]) > 1 else "")


def key(figure: Figure, classifier: RegionClassifier) -> None:
    """What the colours of decision regions mean, above the figure."""
    from matplotlib.patches import Patch

    labels = sorted(classifier.regions)
    colours = _colours(classifier).items()
    handles = [Patch(color=c, alpha=ALPHA, label=f"predicts {_name(y, labels)}") for y, c in colours]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), fontsize=8, frameon=False)


def _name(label: int, labels: Sequence[int]) -> str:
    return f"{label:+d}" if min(labels) < 0 else str(label)


def _colours(classifier: RegionClassifier) -> dict[int, str]:
    labels = sorted(classifier.regions)
    return {label: REGIONS[k % len(REGIONS)] for k, label in enumerate(labels)}


def _pixels(ax: Axes, region: Any, window: Window, colour: str, n: int = 600) -> None:
    """A region that is no union of boxes, on n x n pixels."""
    import numpy as np
    from matplotlib.colors import ListedColormap

    (left, right), (low, high) = window
    x, y = ((np.arange(n) + 0.5) / n * (b - a) + a for a, b in window)
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    inside = np.ma.masked_equal(region.contains_points(points).reshape(n, n), False)
    extent, colours = (left, right, low, high), ListedColormap([colour])
    ax.imshow(inside, colours, origin="lower", interpolation="none", aspect="auto", extent=extent, alpha=ALPHA)


def _rectangles(region: Boxes, window: Window) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    found = []
    for cell in region.cells():
        sides = []
        for axis, (low, high) in enumerate(window):
            lo, hi = cell[axis] if axis < len(cell) else (None, None)
            start = low if lo is None else max(low, float(lo))
            stop = high if hi is None else min(high, float(hi))
            sides.append((start, stop - start))
        if all(size > 0 for _, size in sides):
            found.append((sides[0], sides[1]))
    return found


def _rectangle(x: float, y: float, width: float, height: float, **style: Any) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, height, **style)


def curve(ax: Axes, exact: PiecewisePoly, label: str, colour: str, style: str = "-", width: float = 1.6) -> None:
    """A curve piece by piece; where it jumps, open circles end the pieces and a dot is the value."""
    import numpy as np

    for k, piece in enumerate(exact.pieces):
        x = np.linspace(float(piece.lo), float(piece.hi), 60 if piece.poly.degree > 1 else 2)
        y = np.polynomial.polynomial.polyval(x, [float(c) for c in piece.poly.coeffs] or [0.0])
        ax.plot(x, y, style, color=colour, linewidth=width, label=label if k == 0 else None)
    for jump in exact.jumps():
        for side in (jump.left, jump.right):
            if side is not None and jump.value is not None and side.fraction != jump.value.fraction:
                ax.plot([float(jump.at)], [float(side.fraction)], "o", color=colour, mfc="white", ms=4)
        if jump.value is not None:
            ax.plot([float(jump.at)], [float(jump.value.fraction)], "o", color=colour, ms=3.5)


def breakpoints(ax: Axes, points: Sequence[Any], labels: Sequence[str] | None = None) -> None:
    """Thin vertical lines, named at the bottom."""
    for k, x in enumerate(points):
        ax.axvline(float(x), color="0.75", linewidth=0.7, zorder=0)
        if labels:
            ax.annotate(
                labels[k], (float(x), 0), xycoords=("data", "axes fraction"), xytext=(1, 2), rotation=90,
                textcoords="offset points", ha="left", va="bottom", fontsize=6, color="0.35",
            )  # fmt: skip

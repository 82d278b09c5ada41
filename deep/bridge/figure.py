"""What networks do, drawn: their decision regions over the exact ones, and their true risks against what was varied."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from deep.bridge.experiment import VARIED
from deep.bridge.laws import box_setting
from deep.bridge.records import from_text
from theory.classifiers import contains
from toy.draw import LINES, REGIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from deep.bridge.laws import BoxSetting, Row
    from theory.relu import ReluNetwork

PIXELS = 400
BORDERS = {"bayes": ("Bayes rule", "black", "-"), "robust_optimum": ("least robust risk", "#D55E00", "--"),
           "seen_optimum": ("least robust risk on what is seen", "#CC79A7", ":")}  # fmt: skip
PANELS = ("standard_risk", "robust_risk", "sensible_risk", "delta_rhs")
TITLES = {"delta_rhs": "right side of Theorem 3.1", "standard_risk": "standard risk", "robust_risk": "robust risk",
          "sensible_risk": "sensible risk"}  # fmt: skip
WORDS = {"n": "samples n", "eps": "eps", "width": "width", "steps": "steps of training"}
REFERENCES = {"bayes": "-", "worst_robust": "-.", "worst_sensible": ":"}


def figure(law: str, rows: Sequence[Row], networks: Sequence[Mapping[str, Any]]) -> Figure:
    """The regions of the networks that a record holds, above the risks of all of them; one colour a method.

    Against the quantity that was varied (n, eps, width or steps, the first of them that was), each dot is a network and
    the line goes through the means; grey lines are classifiers that the theory names, the dashed black one the optimum.
    """
    from matplotlib.figure import Figure

    trained = [row for row in rows if "seed" in row]
    shown = _drawn(networks, _varied(trained))
    columns = _columns(shown, _varied(trained))
    high = -(-len(shown) // columns)
    risks = [name for name in PANELS if name in trained[0]]
    width = max(1.9 * columns, 2.6 * len(risks))
    tall = high * (width / columns + 0.35) + 0.3
    made = Figure(figsize=(width, tall + 2.9), layout="constrained")
    grid = made.add_gridspec(2, 1, height_ratios=[tall, 2.9])
    above, below = made.add_subfigure(grid[0]), made.add_subfigure(grid[1])
    _regions(above, law, shown, columns)
    axes = below.subplots(1, len(risks), squeeze=False)[0]
    for ax, risk in zip(axes, risks, strict=True):
        _curves(ax, rows, trained, risk)
    handles = {label: handle for ax in axes for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    below.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=6, fontsize=7, frameon=False)
    return made


def _varied(trained: Sequence[Row]) -> str:
    """The first quantity that takes several values."""
    return next((key for key in VARIED if len({row[key] for row in trained}) > 1), "n")


def _drawn(networks: Sequence[Mapping[str, Any]], varied: str) -> list[Mapping[str, Any]]:
    """Method by value or value by method, the longer of the two across."""
    methods = list(dict.fromkeys(network["method"] for network in networks))
    across = len({network[varied] for network in networks}) > len(methods)

    def place(network: Mapping[str, Any]) -> tuple[Any, ...]:
        pair = (Fraction(network[varied]), methods.index(network["method"]))
        return pair[::-1] if across else pair

    return sorted(networks, key=place)


def _columns(shown: Sequence[Mapping[str, Any]], varied: str) -> int:
    """One a method or a value, up to eight; at least three."""
    return min(8, max(3, *(len({network[key] for network in shown}) for key in ("method", varied))))


def _regions(part: SubFigure, law: str, shown: Sequence[Mapping[str, Any]], columns: int) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    axes = part.subplots(-(-len(shown) // columns), columns, squeeze=False).ravel()
    settings: dict[Fraction, BoxSetting] = {}
    for ax, network in zip(axes, shown, strict=False):
        eps = Fraction(network["eps"])
        settings.setdefault(eps, box_setting(law, eps))
        _panel(ax, settings[eps], from_text(network["layers"]))
        ax.set_title(_title(network, shown), fontsize=7)
    for ax in axes[len(shown) :]:
        ax.remove()
    handles: list[Any] = [Patch(color=REGIONS[k], alpha=0.6, label=f"predicts {y:+d}") for k, y in enumerate((-1, 1))]
    known = {name for setting in settings.values() for name in setting.named}
    handles += [
        Line2D([], [], color=colour, linewidth=1.2, linestyle=style, label=label)
        for name, (label, colour, style) in BORDERS.items()
        if name in known
    ]
    if any(setting.is_restricted for setting in settings.values()):
        handles.append(Patch(facecolor="none", edgecolor="0.3", label="seen in training"))
    part.legend(handles=handles, loc="outside upper center", ncols=len(handles), fontsize=7, frameon=False)


def _title(network: Mapping[str, Any], shown: Sequence[Mapping[str, Any]]) -> str:
    """The method, and what differs between the networks."""
    several = [key for key in ("n", "eps", "width") if len({other[key] for other in shown}) > 1]
    return "\n".join([network["method"], *(f"{key} = {network[key]}" for key in several)])


def _panel(ax: Axes, setting: BoxSetting, network: ReluNetwork) -> None:
    """The sign of the score, with the borders of the Bayes rule and of a classifier of least robust risk."""
    from matplotlib.colors import ListedColormap

    flat = setting.dim == 1
    middle = (np.arange(PIXELS) + 0.5) / PIXELS
    points = middle[:, None] if flat else np.stack(np.meshgrid(middle, middle), axis=-1).reshape(-1, 2)
    shape = (1, PIXELS) if flat else (PIXELS, PIXELS)
    sign = np.where(network.score(points).reshape(shape) > 0, 1, 0)
    picture = ListedColormap(list(REGIONS[:2]))
    ax.imshow(sign, picture, vmin=0, vmax=1, origin="lower", extent=(0, 1, 0, 1), alpha=0.6, interpolation="none",
              aspect="auto" if flat else "equal")  # fmt: skip
    for name, (_, colour, style) in BORDERS.items():
        if name not in setting.named:
            continue
        inside = contains(setting.named[name].regions[1], points).reshape(shape)
        positive = inside.repeat(2 if flat else 1, axis=0).astype(float)
        if positive.min() < positive.max():
            rows = np.array([0.0, 1.0]) if flat else middle
            ax.contour(middle, rows, positive, levels=[0.5], colors=colour, linestyles=style, linewidths=1.2)
    if setting.is_restricted:
        for cell in setting.seen.support.cells():
            (x0, x1), *rest = [(float(lo or 0), float(1 if hi is None else hi)) for lo, hi in cell]
            y0, y1 = rest[0] if rest else (0.0, 1.0)
            ax.plot([x0, x1, x1, x0, x0], [y0, y0, y1, y1, y0], color="0.3", linewidth=0.7)
    ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[])


def _curves(ax: Axes, rows: Sequence[Row], trained: Sequence[Row], risk: str) -> None:
    """One risk of every network against what was varied, with the theory's classifiers."""
    varied = _varied(trained)
    values = sorted({row[varied] for row in trained})
    for k, method in enumerate(dict.fromkeys(row["method"] for row in trained)):
        own = [row for row in trained if row["method"] == method]
        xs, ys = [float(row[varied]) for row in own], [_middle(row[risk]) for row in own]
        colour = LINES[1:][k % (len(LINES) - 1)]
        ax.plot(xs, ys, "o", color=colour, markersize=2.5, alpha=0.6)
        means = [np.mean([y for x, y in zip(xs, ys, strict=True) if x == float(value)]) for value in values]
        ax.plot([float(value) for value in values], means, color=colour, linewidth=1.2, label=method)
    if risk != "delta_rhs":
        _references(ax, rows, trained, varied, risk)
    else:
        ax.axhline(1, color="0.8", linewidth=0.8, zorder=0)  # above it a bound says nothing
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter("")
    if varied != "eps":
        ax.set_xscale("log")
        ax.set_xticks([float(v) for v in values], [str(v) for v in values])
        ax.minorticks_off()
    ax.set_xlabel(WORDS[varied], fontsize=8)
    ax.set_title(TITLES[risk], fontsize=8)
    ax.tick_params(labelsize=7)


def _references(ax: Axes, rows: Sequence[Row], trained: Sequence[Row], varied: str, risk: str) -> None:
    """Lines of the named classifiers at every radius, and of the optimum."""
    radii = sorted({row["eps"] for row in trained})
    ends = [float(f([row[varied] for row in trained])) for f in (min, max)]
    ends = ends if ends[0] < ends[1] else [ends[0] * 0.9, ends[1] * 1.1]

    def line(found: list[float], label: str, colour: str, style: str) -> None:
        xs, ys = ([float(eps) for eps in radii], found) if varied == "eps" else (ends, found[:1] * 2)
        ax.plot(xs, ys, style, color=colour, linewidth=1, label=label, zorder=0)

    for name, style in REFERENCES.items():
        own = {row["eps"]: _middle(row[risk]) for row in rows if row["method"] == name and "seed" not in row}
        if own:
            line([own[eps] for eps in radii], name, "0.5", style)
    if risk == "robust_risk":
        best = {row["eps"]: _middle(row["optimum"]) for row in trained}
        line([best[eps] for eps in radii], "least of all classifiers", "black", "--")


def _middle(x: Any) -> float:
    return float(Fraction(x.lo + x.hi) / 2)

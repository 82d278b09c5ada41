"""Figures of the studies: curves from plain numbers, so that a record draws as well as a network at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from torch import Tensor

    from deep.studies.convergence import Convergence
    from deep.studies.distances import CurvePoint
    from deep.studies.gradients import Interpolation
    from deep.studies.margins import Margins
    from deep.studies.radii import Radii


def _figure(panels: int = 1, width: float = 4.6, height: float = 3.6) -> tuple[Figure, list[Any]]:
    from matplotlib.figure import Figure

    made = Figure(figsize=(width * panels, height), layout="constrained")
    return made, list(made.subplots(1, panels, squeeze=False)[0])


def risk_figure(lines: Mapping[str, Sequence[tuple[float, float, float, bool]]]) -> Figure:
    """The robust risk over eps: for each network (eps, attacked, at most, vacuous), a line, and a band up to what is
    certified. A vacuous certificate draws no band.
    """
    made, (panel,) = _figure(width=5.6)
    for k, (name, unordered) in enumerate(lines.items()):
        rows = sorted(unordered)
        eps, low = [row[0] for row in rows], [row[1] for row in rows]
        panel.plot(eps, low, "o-", color=f"C{k % 10}", markersize=3.5, label=name)
        high = [float("nan") if row[3] else row[2] for row in rows]
        panel.plot(eps, high, ":", color=f"C{k % 10}", linewidth=1)
        panel.fill_between(eps, low, high, color=f"C{k % 10}", alpha=0.15, linewidth=0)
    panel.set_xlabel("eps")
    panel.set_ylabel("robust risk of the sample")
    panel.set_ylim(0, 1.02)
    panel.set_xlim(left=0)
    panel.set_title("lines: attacked; bands: up to what is certified, where that is not vacuous", fontsize=10)
    panel.legend(frameon=False, fontsize=8)
    return made


def transfer_figure(names: Sequence[str], fooled: Sequence[Sequence[int]], samples: int) -> Figure:
    """The transfer matrix as counts: a row for each source of points, a column for each network shown them."""
    side = 1.6 + 0.8 * len(names)
    made, (panel,) = _figure(width=side + 0.8, height=side)
    panel.imshow(fooled, vmin=0, vmax=samples, cmap="Blues")
    for i, row in enumerate(fooled):
        for j, count in enumerate(row):
            panel.text(j, i, str(count), ha="center", va="center", color="white" if 2 * count > samples else "black")
    panel.set_xticks(range(len(names)), names, rotation=30, ha="right", fontsize=8)
    panel.set_yticks(range(len(names)), names, fontsize=8)
    panel.set_xlabel("shown to")
    panel.set_ylabel("made against")
    panel.set_title(f"errors of {samples}", fontsize=10)
    return made


def curve_figure(curves: Mapping[str, Sequence[CurvePoint]]) -> Figure:
    """Robustness curves: rho against benign accuracy (PGN, Figure 5). A hollow point leaves out right samples that no
    attack fooled.
    """
    made, (panel,) = _figure()
    for k, (name, unordered) in enumerate(curves.items()):
        points = sorted(unordered, key=lambda point: point.accuracy)
        panel.plot([p.rho for p in points], [float(p.accuracy) for p in points], "-", color=f"C{k % 10}", label=name)
        for p in points:
            face = "white" if p.failures else f"C{k % 10}"
            panel.plot([p.rho], [float(p.accuracy)], "o", color=f"C{k % 10}", markerfacecolor=face, markersize=5)
            panel.annotate(p.label, (p.rho, float(p.accuracy)), (4, 4), textcoords="offset points", fontsize=7)
    panel.set_xlabel("rho, the mean distance of those fooled")
    panel.set_ylabel("benign accuracy")
    panel.margins(x=0.25, y=0.1)
    panel.legend(frameon=False, fontsize=8)
    return made


def convergence_figure(found: Convergence) -> Figure:
    """Mean losses and accuracies of the restarts over steps, and the accuracy left after all restarts (SENSE, Figures
    10 and 11).
    """
    made, (left, right) = _figure(2)
    for losses, errors in zip(found.losses, found.errors, strict=True):
        left.plot(found.steps, losses, color="C0", alpha=0.5, linewidth=1)
        right.plot(found.steps, [1 - k / found.samples for k in errors], color="C0", alpha=0.5, linewidth=1)
    left.set_ylabel("mean loss, a line for each restart")
    worst = [1 - k / found.samples for k in found.worst[-1]]
    right.plot(found.steps, worst, "o-", color="C1", markersize=3.5, label="worst case so far, all restarts")
    right.set_ylabel("accuracy")
    right.legend(frameon=False, fontsize=8)
    for panel in (left, right):
        panel.set_xlabel("steps")
        panel.set_xlim(left=0)
    return made


def margin_figure(found: Mapping[str, Margins]) -> Figure:
    """Distribution functions of margins; the height at 0 is the error."""
    made, (panel,) = _figure()
    for k, (name, margins) in enumerate(found.items()):
        values, shares = margins.steps()
        panel.step(values, [float(share) for share in shares], where="post", color=f"C{k % 10}", label=name)
    panel.axvline(0, color="black", linewidth=0.8)
    panel.set_xlabel("margin")
    panel.set_ylabel("share of samples at or below")
    panel.set_ylim(0, 1.02)
    panel.legend(frameon=False, fontsize=8)
    return made


def radii_figure(found: Radii, unit: float = 255, bins: int = 30, samples: int = 3) -> Figure:
    """Means and a few samples' radii over epochs, and histograms at the first, middle and last (IAAT, Figures 7, 8).

    ``unit`` is what 1 is worth on the axes: 255 for radii of images in [0, 1].
    """
    made, (left, right) = _figure(2)
    values = found.values * unit
    epochs = list(range(1, len(values) + 1))
    means, spreads = values.mean(1), values.std(1, correction=0)
    low, high = (means - spreads).tolist(), (means + spreads).tolist()
    left.fill_between(epochs, low, high, color="C0", alpha=0.2, linewidth=0)
    left.plot(epochs, means.tolist(), color="C0", linewidth=2, label="mean and deviation")
    order = values[-1].argsort()
    for k in range(min(samples, len(order))):  # one of the least, one of the middle, one of the greatest
        i = order[(len(order) - 1) * k // max(1, samples - 1)]
        left.plot(epochs, values[:, i].tolist(), color=f"C{k + 1}", linewidth=1, label=f"sample {int(i)}")
    left.set_xlabel("epoch")
    left.set_ylabel(f"radius, in 1/{unit:g}")
    left.legend(frameon=False, fontsize=8)
    first, last = float(values.min()), float(values.max())
    edges = [first + (last - first or 1) * k / bins for k in range(bins + 1)]
    for k, epoch in enumerate(sorted({0, (len(values) - 1) // 2, len(values) - 1})):
        right.hist(values[epoch].tolist(), edges, histtype="step", color=f"C{k}", label=f"epoch {epoch + 1}")
    right.set_xlabel(f"radius, in 1/{unit:g}")
    right.set_ylabel("samples")
    right.legend(frameon=False, fontsize=8)
    return made


def gradient_figure(images: Tensor, gradients: Mapping[str, Tensor]) -> Figure:
    """Images [B, C, H, W] above their gradients for each network, blue negative and red positive, each scaled by its
    largest entry (ODDS, Figure 2).
    """
    return _grid([("image", images, "gray")] + [(name, g, "bwr") for name, g in gradients.items()])


def interpolation_figure(found: Interpolation) -> Figure:
    """A row for each sample: its way to the other point, the network's label above each picture (ODDS, Figure 4)."""
    rows = [("", found.points[:, i], "gray") for i in range(found.points.shape[1])]
    return _grid(rows, [[str(int(k)) for k in found.labels[:, i]] for i in range(found.labels.shape[1])])


def _grid(rows: Sequence[tuple[str, Tensor, str]], titles: Sequence[Sequence[str]] | None = None) -> Figure:
    from matplotlib.figure import Figure

    made = Figure(figsize=(0.9 * len(rows[0][1]) + 0.4, 1.05 * len(rows)), layout="constrained")
    panels = made.subplots(len(rows), len(rows[0][1]), squeeze=False)
    for i, (name, pictures, cmap) in enumerate(rows):
        for j, picture in enumerate(pictures.detach().cpu().float().numpy()):
            panel = panels[i][j]
            panel.set(xticks=[], yticks=[])
            largest = float(abs(picture).max()) or 1.0
            if cmap == "bwr":  # a colour per pixel: of several channels the sum
                panel.imshow(picture.sum(0) / largest, cmap=cmap, vmin=-1, vmax=1)
            elif len(picture) == 3:
                panel.imshow(picture.transpose(1, 2, 0).clip(0, 1))
            else:
                panel.imshow(picture[0], cmap=cmap, vmin=0, vmax=1)
            if titles is not None:
                panel.set_title(titles[i][j], fontsize=8)
        panels[i][0].set_ylabel(name, fontsize=8)
    return made

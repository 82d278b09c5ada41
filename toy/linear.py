"""Linear classifiers of two digits, trained with and without an adversary (ODDS, appendix E), certified and counted.

Four classifiers: `standard_100_steps` (gradient descent as in the paper, stopped after --steps), `standard` (the
optimum of the logistic loss with a ridge --lam), `adversarial` and `adversarial_clipped` (the optima of the robust
logistic loss for the adversary that may leave [0, 1] and for the one that may not; the paper does not say which it
used). Each optimum comes with a duality gap, each accuracy is an exact count of images.

    python -m toy.linear                                            scikit-learn's digits, 5 against 7
    python -m toy.linear --classes 5 7 --data FOLDER                IDX files such as MNIST's
    python -m toy.linear --table5 --data FOLDER                     Table 5, and which printed numbers can be
    python -m toy.linear --features 1 2 4 8 16 32 64                Figure 5(c): the most correlated pixels only
    python -m toy.linear --pixels 12                                Figure 5(a, b): correlation and weights of pixels
    python -m toy.linear --plot figure5.png
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory import cli
from theory.enclosure import Enclosure
from theory.numbers import Exact, as_fraction
from theory.odds.robust_logistic import Attack, ImagePair, LinearModel, Trained, gradient_descent, train
from theory.samples import digits, load_mnist
from theory.table import Table
from toy.example import OTHER_SCHEMA, RISKS, SCHEMA
from toy.linear_table5 import ADVERSARIES, RATE, STEPS, decimal, percent, table5

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

EPS, LAM = Fraction(1, 5), Fraction(1, 1000)


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """Training and test images of two classes, and the shape in which a pixel vector is an image."""

    train: ImagePair
    test: ImagePair
    name: str
    side: int


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A trained classifier; ``certificate`` is None for one that was only descended to."""

    model: LinearModel
    certificate: Trained | None
    attack: Attack


def distribution(source: str | Path = "digits", negative: int = 5, positive: int = 7) -> Data:
    """The images of two classes. Every third of scikit-learn's digits is for testing; IDX folders have a test part.

    Raises ``ValueError`` for classes the data lack, ``OSError`` for files that cannot be read.

    >>> data = distribution()
    >>> len(data.train), len(data.test), data.train.scale
    (240, 121, 16)
    """
    if str(source) == "digits":
        sample = digits()
        whole = ImagePair.of(sample, negative, positive)
        tested = slice(None, None, 3)
        keep = [k for k in range(len(whole)) if k % 3]
        train_part = ImagePair(whole.x[keep], whole.y[keep], whole.scale)
        return Data(train_part, ImagePair(whole.x[tested], whole.y[tested], whole.scale), sample.name, 8)
    parts = [load_mnist(source, part) for part in ("train", "t10k")]
    pairs = [ImagePair.of(part, negative, positive) for part in parts]
    side = round(pairs[0].x.shape[1] ** 0.5)
    return Data(pairs[0], pairs[1], f"{parts[0].name}; {parts[1].name}", side)


def classifiers(data: Data, eps: Exact = EPS, lam: Exact | None = None, steps: int = STEPS) -> dict[str, Fitted]:
    """The four classifiers by name. ``lam`` is the ridge of the three optima, by default 1/1000 for `standard`, else 0.

    Standard training needs one: the images are separable, so without it the loss has no minimiser.
    """
    ridge = LAM if lam is None else as_fraction(lam, "lam")
    bare = Fraction(0) if lam is None else ridge
    eps = as_fraction(eps, "eps")
    fitted = {f"standard_{steps}_steps": Fitted(gradient_descent(data.train, steps, RATE), None, "none")}
    for name, attack, weight in (
        ("standard", "none", ridge),
        ("adversarial", "unclipped", bare),
        ("adversarial_clipped", "clipped", bare),
    ):
        found = train(data.train, 0 if attack == "none" else eps, attack, weight)  # type: ignore[arg-type]
        fitted[name] = Fitted(found.model, found, attack)  # type: ignore[arg-type]
    return fitted


# ---- tables ----


def risk_table(data: Data, fitted: dict[str, Fitted], eps: Fraction) -> Table:
    """One row a classifier, part of the data ("train", "test") and adversary; risks are shares of images."""
    rows: list[dict[str, Any]] = []
    for name, f in fitted.items():
        for law, pair in (("train", data.train), ("test", data.test)):
            standard = 1 - f.model.accuracy(pair)
            for attack in ADVERSARIES:
                robust = 1 - f.model.accuracy(pair, eps, attack)
                rows.append(
                    {"classifier": name, "law": law, "eps": eps, "attack": attack, "standard_risk": standard,
                     "boundary_risk": robust - standard, "robust_risk": robust, "sensible_risk": None,
                     "norm": f.model.norm, "pixels": f.model.support}
                )  # fmt: skip
    columns = ["classifier", "law", "eps", "attack", *RISKS, "norm", "pixels"]
    notes = [*certificates(fitted), "norm: ||w||_1; pixels: weights that are not zero"]
    return Table(columns, rows, title=data.name, notes=notes)


def certificates(fitted: dict[str, Fitted]) -> list[str]:
    """One sentence for each classifier: how near its training loss is to the least possible."""
    said = []
    for name, f in fitted.items():
        if f.certificate is None:
            said.append(f"{name}: gradient descent, stopped; no optimum")
        else:
            gap = Enclosure.exact(f.certificate.gap)
            said.append(f"{name}: least training loss in {f.certificate.loss:.10f}, duality gap {_up(gap)}")
    return said


def feature_table(data: Data, counts: Sequence[int], eps: Fraction, steps: int) -> Table:
    """Figure 5(c): standard training on the k pixels of largest |E[y x_i]| alone, accuracies in percent."""
    order, correlations = ranking(data.train), data.train.correlations()
    rows: list[dict[str, Any]] = []
    for k in counts:
        if k > len(order):
            raise ValueError(f"features {k} are more than the {len(order)} pixels there are")
        seen = [(law, pair.features(order[:k])) for law, pair in (("train", data.train), ("test", data.test))]
        model = gradient_descent(seen[0][1], steps, RATE)
        row: dict[str, Any] = {"features": k, "least_correlation": abs(correlations[order[k - 1]])}
        for law, pair in seen:
            row[f"standard_{law}"] = percent(model.accuracy(pair))
            for attack in ADVERSARIES:
                row[f"{attack}_{law}"] = percent(model.accuracy(pair, eps, attack))
        rows.append({**row, "norm": decimal(model.norm)})
    columns = ["features", "least_correlation"]
    columns += [f"{kind}_{law}" for kind in ("standard", *ADVERSARIES) for law in ("train", "test")]
    return Table([*columns, "norm"], rows, title=f"{data.name}, eps {eps}, {steps} steps of gradient descent")


def pixel_table(data: Data, fitted: dict[str, Fitted], count: int) -> Table:
    """Figure 5(a, b): the pixels that adversarial training uses first, then the most correlated of the others.

    ``weighted`` is |sum q y x_i| / sum q with the dual q of adversarial training: eps where the (unclipped) optimum
    uses a pixel, at most eps elsewhere. The raw correlation |E[y x_i]| decides neither (cf. ODDS, appendix E).
    """
    robust = fitted["adversarial"]
    order, correlations = ranking(data.train), data.train.correlations()
    weighted = weighted_correlations(data.train, robust)
    used = [i for i in order if robust.model.weights[i]]
    shown = [*used, *(i for i in order if not robust.model.weights[i])][: max(count, 1)]
    rows: list[dict[str, Any]] = []
    for i in shown:
        row: dict[str, Any] = {"pixel": f"({i // data.side}, {i % data.side})", "correlation": correlations[i]}
        row["weighted"] = f"{weighted[i]:.6f}"
        for name, f in fitted.items():
            row[name] = f"{int(f.model.weights[i]) / 2**f.model.bits:.4f}"
        rows.append(row)
    notes = [f"adversarial uses {len(used)} of {len(order)} pixels"]
    return Table(["pixel", "correlation", "weighted", *fitted], rows, title=data.name, notes=notes)


def ranking(pair: ImagePair) -> list[int]:
    """Pixels by falling |E[y x_i]|, ties by index."""
    correlations = pair.correlations()
    return sorted(range(len(correlations)), key=lambda i: (-abs(correlations[i]), i))


def weighted_correlations(pair: ImagePair, fitted: Fitted) -> Any:
    """|sum q y x_i| / sum q with the dual q of a certified classifier, in floating point; shape (d,)."""
    import numpy as np

    assert fitted.certificate is not None
    q = fitted.certificate.dual
    return np.abs((q * pair.y) @ (pair.x / pair.scale)) / q.sum()


# ---- figure ----


def figure(data: Data, fitted: dict[str, Fitted], eps: Fraction, steps: int) -> Figure:
    """(ODDS, Figure 5): (a) the weights as images, (b) correlation against weight, (c) accuracy with few features."""
    import numpy as np
    from matplotlib.figure import Figure as MatplotlibFigure

    from toy import draw

    made = MatplotlibFigure(figsize=(12.5, 6.6), layout="constrained")
    parts: Any = made.subfigures(2, 1, height_ratios=[1, 1.35])
    upper, lower = parts
    for ax, (name, f) in zip(upper.subplots(1, len(fitted)), fitted.items(), strict=True):
        image = (f.model.weights / 2.0**f.model.bits).reshape(data.side, -1)
        size = float(np.abs(image).max()) or 1.0
        shown = ax.imshow(image, cmap="RdBu", vmin=-size, vmax=size)
        ax.set_title(f"(a) {name}", fontsize=8)
        ax.set_xticks([])
        ax.set_yticks([])
        upper.colorbar(shown, ax=ax, shrink=0.7).ax.tick_params(labelsize=6)
    left, right = lower.subplots(1, 2)
    correlations = np.array([abs(float(c)) for c in data.train.correlations()])
    for k, (name, f) in enumerate(fitted.items()):
        weights = np.abs(f.model.weights) / 2.0**f.model.bits
        used = weights > 0
        sizes = weights[used] / weights.max()
        left.semilogy(correlations[used], sizes, ".", color=draw.LINES[k], label=name, markersize=5)
    left.axvline(float(eps), color="0.5", linestyle=":", label="eps")
    left.set_xlabel("|E[y x]| of the pixel")
    left.set_ylabel("|weight| / largest, where not zero")
    left.set_title("(b) correlation and weight", fontsize=9)
    left.legend(fontsize=7)
    _draw_features(right, data, fitted, eps, steps)
    return made


def _draw_features(ax: Any, data: Data, fitted: dict[str, Fitted], eps: Fraction, steps: int) -> None:
    from toy import draw

    order, correlations = ranking(data.train), data.train.correlations()
    positive = sum(1 for i in order if correlations[i])
    counts = sorted({min(positive, round(positive ** (k / 11))) for k in range(12)})
    curves: dict[str, list[float]] = {"standard": [], **{attack: [] for attack in ADVERSARIES}}
    for k in counts:
        model, tested = gradient_descent(data.train.features(order[:k]), steps, RATE), data.test.features(order[:k])
        curves["standard"].append(100 * float(model.accuracy(tested)))
        for attack in ADVERSARIES:
            curves[attack].append(100 * float(model.accuracy(tested, eps, attack)))
    for k, (name, values) in enumerate(curves.items()):
        label = "standard accuracy" if name == "standard" else f"adversarial accuracy ({name})"
        ax.semilogx(counts, values, "o-", color=draw.LINES[k], label=label, markersize=3)
    for k, (attack, name) in enumerate(zip(ADVERSARIES, ("adversarial", "adversarial_clipped"), strict=True)):
        value = 100 * float(fitted[name].model.accuracy(data.test, eps, attack))
        label = f"adversarial training ({attack})"
        ax.axhline(value, color=draw.LINES[k + 1], linestyle=("--", ":")[k], linewidth=1.2, label=label)
    ax.set_xticks(counts, [str(k) for k in counts])
    ax.minorticks_off()
    ax.set_xlabel("number of features chosen, most correlated first")
    ax.set_ylabel("test accuracy (%)")
    ax.set_title(f"(c) standard training, {steps} steps, on few features", fontsize=9)
    ax.legend(fontsize=7)


# ---- command line ----


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m toy.linear``."""
    parser = cli.parser("toy.linear", __doc__ or "", "--classes 5 7 --eps 0.2")
    parser.add_argument("--data", default="digits", metavar="FOLDER", help="digits (default) or a folder of IDX files")
    parser.add_argument(
        "--classes", nargs=2, type=cli.count_type("classes", 0), default=[5, 7], metavar=("A", "B"),
        help="labelled -1 and +1 (default 5 7)",
    )  # fmt: skip
    parser.add_argument("--eps", type=cli.radius_type("eps"), default=EPS, help="radius (default 1/5)")
    ridge = "ridge of every optimum (default 1/1000 for standard training, else 0)"
    parser.add_argument("--lam", type=cli.radius_type("lam"), help=ridge)
    parser.add_argument("--steps", type=cli.count_type("steps"), default=STEPS, help="of descent (default 100)")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--table5", action="store_true", help="the paper's Table 5, and which of its numbers can be")
    other.add_argument("--features", nargs="+", type=cli.count_type("features"), metavar="K", help="train on K pixels")
    other.add_argument("--pixels", type=cli.count_type("pixels"), metavar="N", help="weights of N pixels")
    parser.add_argument("--plot", type=cli.figure_type("plot"), metavar="FILE", help="draw Figure 5 (png, pdf or svg)")
    cli.add_output_options(parser)
    return cli.run(parser, _report, argv)


def _report(args: argparse.Namespace) -> None:
    data = distribution(args.data, *args.classes)
    fitted = {} if args.features and not args.plot else classifiers(data, args.eps, args.lam, args.steps)
    schema = OTHER_SCHEMA
    if args.table5:
        table = table5(data, fitted, args.eps, certificates(fitted))
    elif args.features:
        table = feature_table(data, args.features, args.eps, args.steps)
    elif args.pixels:
        table = pixel_table(data, fitted, args.pixels)
    else:
        table, schema = risk_table(data, fitted, args.eps), SCHEMA
    if args.plot:
        cli.save_figure(figure(data, fitted, args.eps, args.steps), args.plot)
    cli.emit(table, args, schema=schema)


def _up(x: Enclosure) -> str:
    """One digit, rounded up."""
    return "at most " + f"{Enclosure(0, x.hi):.0e}".split(", ")[1].rstrip("]")


if __name__ == "__main__":
    sys.exit(main())

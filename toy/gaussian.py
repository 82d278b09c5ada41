"""One reliable feature against many weak ones (ODDS, sections 2.1 and 2.2), with every number enclosed.

y is +1 or -1, x_1 = y with probability --reliability, and x_2, ..., x_{d+1} ~ N(eta y, 1). The classifiers: `mean` (the
sign of the weak features' mean), `sign` (of x_1), `bayes`, and `robust_optimum`, which no classifier at all beats in
robust accuracy. The adversary moves every coordinate by at most --eps; `shifted_risk` is the risk under the paper's
fixed shift of the weak features. The sensible adversary's reference is the Bayes rule.

    python -m toy.gaussian --eta 0.03 --d 10000 --reliability 0.95 --eps 0.06
    python -m toy.gaussian --frontier --plot frontier.png     the exact frontier over all classifiers (Theorem 2.1)
    python -m toy.gaussian --delta 0.01 0.04 --lp 400         its height at some standard accuracies, and by an LP
    python -m toy.gaussian --eta 4 --d 1 --svm                the soft-margin SVM on the law itself (Theorem 2.2)
    python -m toy.gaussian --bound hinge --lam 1/1000       both sides of TRADES' Theorem 3.1
    python -m toy.gaussian --transfer 1000                    how the shift transfers between trained classifiers
"""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory import cli
from theory.enclosure import Enclosure, Undecided
from theory.numbers import Exact, as_fraction
from theory.odds.frontier import best_robust_accuracy, frontier, frontier_at, robust_optimum
from theory.odds.sensible import sensible_risk
from theory.odds.signgaussian import (
    Classifier,
    MixedClassifier,
    SignGaussian,
    ThresholdClassifier,
    bayes_classifier,
    boundary_risk,
    mean_classifier,
    robust_accuracy,
    robust_risk,
    shifted_accuracy,
    shifted_risk,
    sign_classifier,
    standard_accuracy,
    standard_risk,
)
from theory.odds.theorem21 import corrected_bound, theorem_line
from theory.table import Table
from toy.bound import SCHEMA as BOUND_SCHEMA
from toy.example import OTHER_SCHEMA, RISKS, SCHEMA
from toy.gaussian_bound import SCORES, bound_figure, bound_table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from matplotlib.figure import Figure

RELIABILITY, ETA, D = Fraction(19, 20), Fraction(3, 100), 10_000


def distribution(reliability: Exact = RELIABILITY, eta: Exact = ETA, d: int = D) -> SignGaussian:
    """The law of (ODDS, equation 3); the defaults are the paper's example, eta = 3 / sqrt(d)."""
    return SignGaussian(reliability, eta, d)


def classifiers(eps: Exact, law: SignGaussian | None = None) -> dict[str, Classifier]:
    """``mean``, ``sign``, ``bayes`` and ``robust_optimum`` (which depends on eps)."""
    law = law or distribution()
    return {
        "mean": mean_classifier(),
        "sign": sign_classifier(),
        "bayes": bayes_classifier(law),
        "robust_optimum": robust_optimum(law, eps),
    }


def risks(classifier: Classifier, law: SignGaussian, eps: Exact) -> dict[str, Enclosure]:
    """The four risks that every toy prints.

    >>> found = risks(sign_classifier(), distribution(), "0.06")
    >>> print({name: str(value) for name, value in found.items()})
    {'standard_risk': '1/20', 'boundary_risk': '0', 'robust_risk': '1/20', 'sensible_risk': '1/20'}
    """
    return {
        "standard_risk": standard_risk(classifier, law),
        "boundary_risk": boundary_risk(classifier, law, eps),
        "robust_risk": robust_risk(classifier, law, eps),
        "sensible_risk": sensible_risk(classifier, law, eps),
    }


# ---- tables ----


def risk_table(law: SignGaussian, radii: Sequence[Fraction], simulate: int | None = None, seed: int = 0) -> Table:
    """One row a classifier and eps; with ``simulate``, Monte Carlo limits of the standard and the robust risk."""
    import numpy as np

    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for eps in radii:
        for name, f in classifiers(eps, law).items():
            row = {"classifier": name, "law": "true", "eps": eps, **risks(f, law, eps)}
            row["shifted_risk"] = shifted_risk(f, law, eps)
            if simulate:
                row |= simulated(f, law, eps, simulate, rng)
            rows.append(row)
    columns = ["classifier", "law", "eps", *RISKS, "shifted_risk"]
    notes = []
    if simulate:
        columns += ["simulated_standard_risk", "simulated_robust_risk"]
        notes = [f"{simulate} samples of (x_1, z), seed {seed}, 95 % limits each"]
    return Table(columns, rows, title=_title(law), notes=notes)


def simulated(classifier: Classifier, law: SignGaussian, eps: Fraction, n: int, rng: Any) -> dict[str, Enclosure]:
    """Monte Carlo limits from n samples of the sufficient statistic, every attack on it tried at its extreme points."""
    import numpy as np

    from theory.confidence import clopper_pearson

    x, y = law.sample_statistic(n, rng)
    reach = float(eps) * law.d**0.5
    moved = np.full(n, np.inf)
    for step in (-1, 0, 1):
        for lift in (-1, 1):
            attacked = x + np.array([step * float(eps), lift * reach])
            moved = np.minimum(moved, y * _statistic_score(classifier, law, attacked))
    plain = y * _statistic_score(classifier, law, x)
    return {
        "simulated_standard_risk": clopper_pearson(int((plain <= 0).sum()), n),
        "simulated_robust_risk": clopper_pearson(int((moved <= 0).sum()), n),
    }


def frontier_table(law: SignGaussian, radii: Sequence[Fraction], n: int) -> Table:
    """n points of each frontier, with the classifier on each, and the line of Theorem 2.1 where it applies."""
    rows: list[dict[str, Any]] = []
    for eps in radii:
        for point in frontier(law, eps, n).points:
            f, row = point.classifier, {"law": "true", "eps": eps}
            mixed = isinstance(f, MixedClassifier)
            rule = f.first if isinstance(f, MixedClassifier) else f
            row |= {
                "classifier": "mixture" if mixed else "threshold" if isinstance(rule, ThresholdClassifier) else "sign",
                "threshold": rule.threshold if isinstance(rule, ThresholdClassifier) else None,
                "coin": f.weight if isinstance(f, MixedClassifier) else None,
                "standard_accuracy": point.standard_accuracy,
                "robust_accuracy": point.robust_accuracy,
            }
            if eps >= 2 * law.eta:
                row["line"] = law.reliability / (1 - law.reliability) * point.delta
            rows.append(row | risks(f, law, eps))
    columns = ["classifier", "threshold", "coin", "law", "eps", "standard_accuracy", "robust_accuracy", "line", *RISKS]
    notes = [
        "no classifier, deterministic or randomised, has a point above this frontier (proof: theory.odds.frontier)",
        "threshold t: sign(z - t sign(x_1)) with z = sum of the weak features / sqrt(d)",
        "mixture: with probability coin the threshold rule, else sign(x_1)",
    ]
    return Table(columns, rows, title=_title(law), notes=notes)


def delta_table(law: SignGaussian, radii: Sequence[Fraction], deltas: Sequence[Fraction], cells: int | None) -> Table:
    """The best robust accuracy at standard accuracy at least 1 - delta; the paper's bound; a linear programme's."""
    rows: list[dict[str, Any]] = []
    for eps in radii:
        for delta in deltas:
            row: dict[str, Any] = {"eps": eps, "delta": delta}
            if eps < 1 or cells is None:
                row["robust_accuracy"] = frontier_at(law, eps, delta).robust_accuracy
            if eps >= 2 * law.eta:
                row |= {"line": theorem_line(law, delta), "corrected_bound": corrected_bound(law, eps, delta)}
            if cells is not None:
                from theory.odds.frontier_lp import frontier_by_lp

                row["linear_programme"] = frontier_by_lp(law, eps, delta, cells)
            rows.append(row)
    columns = ["eps", "delta", "robust_accuracy", "line", "corrected_bound"]
    return Table([*columns, "linear_programme"] if cells else columns, rows, title=_title(law))


def svm_table(law: SignGaussian, radii: Sequence[Fraction], lam: Fraction | None) -> Table:
    """The population SVM after standard training and after adversarial training with each radius."""
    from theory.odds.svm import train_svm

    rows: list[dict[str, Any]] = []
    notes = []
    for eps_train in dict.fromkeys([Fraction(0), *radii]):
        try:
            solution = train_svm(law, eps_train, lam)
        except (ValueError, Undecided) as error:
            notes.append(f"eps_train {eps_train}: {error}")
            continue
        f = solution.classifier
        for eps in radii:
            rows.append(
                {"eps_train": eps_train, "lam": solution.lam, "strong": solution.strong, "weak": solution.weak,
                 "eps": eps, "standard_accuracy": standard_accuracy(f, law),
                 "robust_accuracy": robust_accuracy(f, law, eps), "shifted_accuracy": shifted_accuracy(f, law, eps),
                 "kkt_residual": max((abs(x) for x in solution.kkt_residual), key=lambda x: x.hi)}
            )  # fmt: skip
    columns = ["eps_train", "lam", "strong", "weak", "eps"]
    columns += ["standard_accuracy", "robust_accuracy", "shifted_accuracy", "kkt_residual"]
    notes.append("strong: weight of x_1; weak: weight of z = sum of the weak features / sqrt(d)")
    return Table(columns, rows, title=_title(law), notes=notes)


def transfer_table(law: SignGaussian, radii: Sequence[Fraction], n: int, seed: int) -> Table:
    """Two classifiers trained on n samples each: the shift that fools one fools the other (ODDS, section 2.2)."""
    import numpy as np

    from theory.odds.transfer import shift_transfer, train_mean, transferred_risk

    rng = np.random.default_rng(seed)
    first, second = train_mean(law, n, rng), train_mean(law, n, rng)
    rows: list[dict[str, Any]] = []
    for eps in radii:
        found = shift_transfer(first, second, law, eps)
        rows.append(
            {"eps": eps, "standard_risk": standard_risk(first, law), "fooled": found.fooled, "both": found.both,
             "rate": found.rate if found.fooled.lo > 0 else None, "robust_risk": robust_risk(second, law, eps),
             "transferred_risk": transferred_risk(second, first, law, eps)}
        )  # fmt: skip
    columns = ["eps", "standard_risk", "fooled", "both", "rate", "robust_risk", "transferred_risk"]
    notes = [
        f"two classifiers, each the mean of y x over {n} samples of its own (seed {seed})",
        "fooled: the first is right before the fixed shift and wrong after; both: and the second is wrong after",
        "rate: both / fooled, the share of what fools the first that fools the second too",
        "robust_risk of the second; transferred_risk: its risk on the worst-case examples of the first",
    ]
    return Table(columns, rows, title=_title(law), notes=notes)


# ---- figure ----


def figure(law: SignGaussian, radii: Sequence[Fraction]) -> Figure:
    """Left: the frontiers and the line of Theorem 2.1; right: robust accuracy against eps, with the best there is."""
    from toy import draw

    drawn, (left, right) = draw.figure(1, 2, width=5.2, height=4.2)
    _draw_frontiers(left, law, [eps for eps in radii if eps < 1])
    _draw_accuracies(right, law, max([*radii, 2 * law.eta]))
    return drawn


def _draw_frontiers(ax: Any, law: SignGaussian, radii: Sequence[Fraction]) -> None:
    from toy import draw

    bayes = _middle(standard_accuracy(bayes_classifier(law), law))
    p = float(law.reliability)
    for k, eps in enumerate(radii):
        colour = draw.LINES[k % len(draw.LINES)]
        points = frontier(law, eps, 201).points
        xs, ys = ([_middle(getattr(q, name)) for q in points] for name in ("standard_accuracy", "robust_accuracy"))
        ax.plot(xs, ys, "-" if len(xs) > 1 else "o", color=colour, label=f"frontier, eps = {_short(eps)}")
        for (name, f), marker in zip(classifiers(eps, law).items(), "osD^", strict=True):
            ax.plot(
                _middle(standard_accuracy(f, law)), _middle(robust_accuracy(f, law, eps)), marker, color=colour,
                label=name if k == 0 else None, markersize=6, markerfacecolor="none", linestyle="none", clip_on=False,
            )  # fmt: skip
    if any(eps >= 2 * law.eta for eps in radii):
        ends = [p, 1.0]
        ax.plot(ends, [p / (1 - p) * (1 - x) for x in ends], ":", color="0.4", label="line of Theorem 2.1")
    ax.axvline(bayes, color="0.7", linewidth=0.8, label="Bayes accuracy")
    ax.set_xlabel("standard accuracy")
    ax.set_ylabel("robust accuracy")
    ax.set_title("best pairs over all classifiers", fontsize=10)
    ax.legend(fontsize=7)


def _draw_accuracies(ax: Any, law: SignGaussian, largest: Fraction) -> None:
    from toy import draw

    grid = [largest * Fraction(k, 120) for k in range(121)]
    fixed = {name: f for name, f in classifiers(0, law).items() if name != "robust_optimum"}
    for k, (name, f) in enumerate(fixed.items()):
        ys = [_middle(robust_accuracy(f, law, eps)) for eps in grid]
        ax.plot([float(eps) for eps in grid], ys, color=draw.LINES[k + 1], label=name)
    best = [_middle(best_robust_accuracy(law, eps)) for eps in grid]
    ax.plot([float(eps) for eps in grid], best, "--", color="black", label="best of all classifiers")
    for multiple, label in ((1, "eta"), (2, "2 eta")):
        if multiple * law.eta <= largest:
            ax.axvline(float(multiple * law.eta), color="0.8", linewidth=0.8)
            place = (float(multiple * law.eta), 0.6)
            ax.annotate(label, place, xycoords=("data", "axes fraction"), fontsize=7, rotation=90, ha="right")
    ax.set_xlabel("eps")
    ax.set_ylabel("robust accuracy")
    ax.set_title("full l-infinity adversary", fontsize=10)
    ax.legend(fontsize=7)


# ---- command line ----


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m toy.gaussian``."""
    parser = cli.parser("toy.gaussian", __doc__ or "", "--eta 0.03 --d 10000 --reliability 0.95 --eps 0.06")
    reliable = cli.fraction_type("reliability", "[1/2, 1)", "feature 1 helps but can fail")
    parser.add_argument("--reliability", type=reliable, default=RELIABILITY, help="P(x_1 = y) (default 19/20)")
    parser.add_argument(
        "--eta", type=cli.fraction_type("eta", "(0, inf)"), default=ETA, help="mean of a weak feature (default 3/100)"
    )
    parser.add_argument("--d", type=cli.count_type("d"), default=D, help="number of weak features (default 10000)")
    parser.add_argument("--eps", nargs="+", type=cli.radius_type("eps"), metavar="EPS", help="radii (default 2 eta)")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--frontier", action="store_true", help="points of the exact frontier over all classifiers")
    other.add_argument(
        "--delta", nargs="+", type=cli.probability_type("delta"), help="best robust accuracy at accuracy 1 - DELTA"
    )
    other.add_argument("--bound", metavar="LOSS", help="both sides of TRADES, Theorem 3.1, for a built-in loss")
    other.add_argument("--svm", action="store_true", help="the population SVM, trained with eps 0 and each --eps")
    other.add_argument(
        "--transfer", type=cli.count_type("transfer"), metavar="N", help="between two classifiers of N samples each"
    )
    parser.add_argument("--points", type=cli.count_type("points", 2), default=11, help="of the frontier (default 11)")
    parser.add_argument("--lp", type=cli.count_type("lp", 20), metavar="CELLS", help="check --delta by an LP of CELLS")
    parser.add_argument(
        "--lam", type=cli.radius_type("lam"), help="of the SVM (default: the one that gives unit norm) or --bound (1)"
    )
    parser.add_argument("--score", choices=SCORES, help="of --bound: the classifiers' score (default indicator)")
    parser.add_argument("--simulate", type=cli.count_type("simulate"), metavar="N", help="add a Monte Carlo estimate")
    parser.add_argument("--seed", type=cli.count_type("seed", 0), default=0, help="of what is drawn (default 0)")
    parser.add_argument("--plot", type=cli.figure_type("plot"), metavar="FILE", help="draw to a png, pdf or svg file")
    cli.add_output_options(parser)
    return cli.run(parser, _report, argv)


def _report(args: argparse.Namespace) -> None:
    law = distribution(args.reliability, args.eta, args.d)
    radii = args.eps or [2 * law.eta]
    table, schema = _table(args, law, radii), OTHER_SCHEMA
    if not (args.delta or args.svm or args.transfer):
        schema = BOUND_SCHEMA if args.bound else SCHEMA
    if args.plot and args.bound:
        cli.save_figure(bound_figure(law, radii[0], args.bound, _scale(args), args.score or "indicator"), args.plot)
    elif args.plot:
        cli.save_figure(figure(law, radii), args.plot)
    cli.emit(table, args, schema=schema)


def _table(args: argparse.Namespace, law: SignGaussian, radii: Sequence[Fraction]) -> Table:
    if args.simulate and (args.frontier or args.delta or args.svm or args.transfer or args.bound):
        raise ValueError("--simulate adds columns to the table of risks and goes with no other table")
    if args.lp and not args.delta:
        raise ValueError("--lp checks the frontier at given standard accuracies; give them with --delta")
    if args.lam is not None and not (args.svm or args.bound):
        raise ValueError("--lam is the weight of the SVM's norm or TRADES' lambda; it goes with --svm or --bound")
    if args.score and not args.bound:
        raise ValueError("--score goes with --bound LOSS, both sides of TRADES, Theorem 3.1")
    if args.bound:
        return bound_table(law, radii, args.bound, _scale(args), args.score or "indicator")
    if args.frontier:
        return frontier_table(law, radii, args.points)
    if args.delta:
        return delta_table(law, radii, args.delta, args.lp)
    if args.svm:
        return svm_table(law, radii, args.lam)
    if args.transfer:
        return transfer_table(law, radii, args.transfer, args.seed)
    return risk_table(law, radii, args.simulate, args.seed)


def _scale(args: argparse.Namespace) -> Fraction:
    return Fraction(1) if args.lam is None else Fraction(args.lam)


def _title(law: SignGaussian) -> str:
    return f"reliability {_short(law.reliability)}, eta {_short(law.eta)}, d {law.d}: eta sqrt(d) = {law.signal:.6f}"


def _short(x: Fraction) -> str:
    decimal = f"{float(x):.6g}"
    return decimal if as_fraction(decimal) == x else str(x)


def _middle(x: Enclosure) -> float:
    return float(Fraction(x.lo + x.hi) / 2)


def _statistic_score(classifier: Classifier, law: SignGaussian, x: Any) -> Any:
    """The classifier's score on (x_1, z), in floating point."""
    import numpy as np

    from theory.arbs import to_float

    if isinstance(classifier, ThresholdClassifier):
        return x[:, 1] - to_float(classifier.threshold) * np.sign(x[:, 0])
    rule: Any = classifier
    return to_float(rule.strong) * x[:, 0] + to_float(rule.weak) * law.d**0.5 * x[:, 1] + to_float(rule.bias)


if __name__ == "__main__":
    sys.exit(main())

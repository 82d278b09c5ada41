"""The half-square example (SENSE, section 2): robustness costs accuracy wherever a ball crosses the class line.

X lives on (0,1)^2, class -1 uniform on the left half, class +1 on the right half. The Bayes rule sign(x1 - 1/2) never
errs, but its robust risk is 2 eps; moving the line towards the smaller class is more robust and less accurate.

    python -m toy.halves --eps 0.1 --threshold 2/5 1/2
"""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory import (
    Ball,
    BoxDistribution,
    Boxes,
    RegionClassifier,
    as_fraction,
    boundary_risk,
    cli,
    constant,
    robust_risk,
    sensible_risk,
    standard_risk,
)
from theory.curves import curves
from theory.germ import as_number
from theory.minimisers import robust_minimisers
from theory.optimal.boxes import optimal_box_risk
from theory.polynomial import Poly
from theory.table import Table
from toy.example import RISKS, Example, add_options, report

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from theory import PiecewisePoly
    from theory.numbers import Exact

PRIOR = Fraction(11, 20)
HALF = Fraction(1, 2)


def distribution(prior: Exact = PRIOR) -> BoxDistribution:
    """The law with P(Y = +1) = ``prior`` in (0, 1), on the open unit square.

    >>> distribution("7/10").mass(Boxes([((0, "1/4"), (0, 1))]), -1)
    Fraction(3, 20)
    """
    prior = as_fraction(prior, "prior")
    if not 0 < prior < 1:
        raise ValueError(f"prior {prior} is outside (0, 1), and a law with one class has nothing to decide")
    left, right = [(0, HALF), (0, 1)], [(HALF, 1), (0, 1)]
    return BoxDistribution.of_masses({-1: [(left, 1 - prior)], +1: [(right, prior)]}, [(0, 1), (0, 1)])


def threshold(t: Any) -> RegionClassifier:
    """f_t = sign(x1 - t)."""
    return RegionClassifier.binary(Boxes([((as_number(t, "threshold"), None), (None, None))]))


def classifiers(eps: Any, prior: Exact = PRIOR, *, thresholds: Sequence[Exact] = ()) -> dict[str, RegionClassifier]:
    """``bayes`` = f_{1/2}, ``all_one``, ``all_minus_one``, ``robust_optimum``, and ``threshold_T`` for each T given."""
    law, ball = distribution(prior), Ball(eps)
    named = {
        "bayes": threshold(HALF),
        "all_one": constant(+1, law),
        "all_minus_one": constant(-1, law),
        "robust_optimum": optimal_box_risk(law, ball).classifier,
    }
    return named | {f"threshold_{t}": threshold(t) for t in thresholds}


def optimum(radii: Sequence[Exact], prior: Exact = PRIOR) -> Table:
    """The least robust risk, what it costs in accuracy, and which thresholds and which regions leave a choice.

    The cost R_std(f_rob) - R_std(f_B) lies between ``least_cost`` and ``greatest_cost`` over all minimisers f_rob;
    ``thresholds`` are all t for which f_t attains the least robust risk; ``free`` is the area on which minimisers
    differ.

    >>> row = optimum(["1/10"]).rows[0]
    >>> row["thresholds"], row["least_cost"]
    ('2/5', Fraction(9, 100))
    """
    law, rule = distribution(prior), threshold(HALF)
    rows: list[dict[str, Any]] = []
    for eps in radii:
        ball = Ball(eps)
        best, members, found = optimal_box_risk(law, ball), robust_minimisers(law, ball), threshold_curves(eps, prior)
        value, standard = best.value.fraction, found["standard_risk"]
        spans = _where(found["robust_risk"], value)
        costs = [standard_risk(pick(rule, law, ball), law).fraction for pick in (members.best, members.worst)]
        # at prior 1/2 thresholds tie on an interval, and minimum cuts are but its ends; standard risk is least at 1/2
        costs += [standard(min(max(lo, HALF), hi)) for lo, hi in spans]
        rows.append(
            {"eps": as_fraction(eps), "optimum": value, "thresholds": " ".join(map(_span, spans)),
             "least_cost": min(costs), "greatest_cost": max(costs), "free": best.free.volume()}
        )  # fmt: skip
    columns = ["eps", "optimum", "thresholds", "least_cost", "greatest_cost", "free"]
    return Table(columns, rows, title="least robust risk")


def _where(found: PiecewisePoly, value: Fraction) -> list[tuple[Any, Any]]:
    """The intervals, perhaps single points, on which a piecewise linear curve has its least value."""
    spans: list[tuple[Any, Any]] = []
    for k, x in enumerate(found.breakpoints):
        if found.values[k] == Poly(value):
            level = k > 0 and found.polys[k - 1] == Poly(value)
            spans[-1:] = [(spans[-1][0], x)] if level else [*spans[-1:], (x, x)]
    return spans


def _span(span: tuple[Any, Any]) -> str:
    lo, hi = span
    return str(lo) if lo == hi else f"[{lo}, {hi}]"


def threshold_curves(eps: Exact, prior: Exact = PRIOR) -> dict[str, PiecewisePoly]:
    """The four risks of f_t as exact functions of t in [0, 1], at a fixed eps: the same germs, another variable."""
    law, ball, rule = distribution(prior), Ball(eps), threshold(HALF)

    def values(t: Any) -> list[Any]:
        f = threshold(t)
        plain = [risk(f, law, ball) for risk in (standard_risk, boundary_risk, robust_risk)]
        return [*plain, sensible_risk(f, law, ball, rule)]

    return dict(zip(RISKS, curves(values, 0, 1), strict=True))


def example(prior: Exact = PRIOR, thresholds: Sequence[Exact] = ()) -> Example:
    """The example as tables and curves need it."""
    law, rule = distribution(prior), threshold(HALF)
    return Example(
        laws={"true": lambda eps: law},
        classifiers=lambda name, eps: classifiers(eps, prior, thresholds=thresholds),
        reference=lambda eps: rule,
        lo=Fraction(0),
        hi=Fraction(1),
        ends="[]",
    )


def figure(radii: Sequence[Fraction], prior: Exact = PRIOR) -> Figure:
    """The risks of every threshold, one panel a radius."""
    from toy import draw

    drawn, axes = draw.figure(1, len(radii))
    for ax, eps in zip(axes, radii, strict=True):
        for k, (name, found) in enumerate(threshold_curves(eps, prior).items()):
            draw.curve(ax, found, name, draw.LINES[k])
        best = optimal_box_risk(distribution(prior), Ball(eps)).value.fraction
        ax.axhline(float(best), color="0.5", linestyle=":", label="least robust risk")
        ax.set_title(f"eps = {eps}, prior = {prior}", fontsize=9)
        ax.set_xlabel("threshold t")
    drawn.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    return drawn


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m toy.halves``."""
    parser = cli.parser("toy.halves", __doc__ or "", "--eps 0.1 0.3 --threshold 2/5")
    add_options(parser, cli.radius_type("eps"))
    prior = cli.fraction_type("prior", "(0, 1)", "a law with one class has nothing to decide")
    parser.add_argument("--prior", type=prior, default=PRIOR, help="P(Y = +1)")
    parser.add_argument(
        "--threshold", nargs="+", type=cli.fraction_type("threshold"), default=[], metavar="T", help="also sign(x1 - T)"
    )
    parser.add_argument("--optimum", action="store_true", help="the least robust risk, its cost and its ties instead")
    return cli.run(parser, _report, argv)


def _report(args: argparse.Namespace) -> None:
    other = optimum(args.eps, args.prior) if args.optimum else None
    report(args, example(args.prior, args.threshold), lambda: figure(args.eps, args.prior), other)


if __name__ == "__main__":
    sys.exit(main())

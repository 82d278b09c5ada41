"""The stripes of TRADES, eq (2) and Table 1, for any eps: the Bayes rule errs nowhere, and everywhere under attack.

X is uniform on [0, 1]; the label is -1 on [2k eps, (2k+1) eps) and +1 on ((2k+1) eps, (2k+2) eps], so the stripes are
exactly as wide as the adversary's radius. Where 1/(2 eps) is no whole number the last stripes are cut, and Table 1's
"1/2 (optimal)" no longer holds.

    python -m toy.stripes --eps 3/10
    python -m toy.stripes --eps 1/8 3/17 --as-printed
    python -m toy.stripes --eps 1/4 --problem3 1 inf --lam 1/4 1 2 3      what TRADES' problem (3) tends to
"""

from __future__ import annotations

import math
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory import Ball, BoxDistribution, Enclosure, RegionClassifier, as_fraction, cli, constant
from theory.germ import as_number
from theory.optimal.boxes import conflict_network
from theory.scores import Score
from theory.table import Table
from theory.trades.objectives import StripesOptimum, stripes_optimum, trades_objective
from toy.example import Example, add_options, report

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from theory.numbers import Exact

NAMES = ("bayes", "all_one", "all_minus_one", "robust_optimum")
SMALLEST = Fraction(1, 16)


def distribution(eps: Any) -> BoxDistribution:
    """The law for stripes of width ``eps`` in (0, 1); the domain is [0, 1] (TRADES, eq (2)).

    Raises ``ValueError`` outside (0, 1): at 1 and beyond there is one stripe and one class.

    >>> law = distribution("3/10")
    >>> law.prior(-1), law.densities[+1].support
    (Fraction(3, 5), Boxes([(3/10, 3/5), (9/10, 1)], dim=1))
    """
    width = as_number(eps, "eps")
    if not 0 < width < 1:
        raise ValueError(f"eps {eps} is outside (0, 1): at 1 and beyond there is one stripe, hence one class")
    stripes: dict[int, list[Any]] = {-1: [], +1: []}
    start, label = 0 * width, -1
    while start < 1:
        stop = start + width
        stripes[label].append(([(start, stop if stop < 1 else Fraction(1))], 1))
        start, label = stop, -label
    return BoxDistribution.of_densities(stripes, [(0, 1)])


def classifiers(eps: Any) -> dict[str, RegionClassifier]:
    """``bayes`` (the true label), ``all_one``, ``all_minus_one`` and ``robust_optimum`` (one of least robust risk)."""
    law = distribution(eps)
    return {
        "bayes": _bayes(law),
        "all_one": constant(+1, law),
        "all_minus_one": constant(-1, law),
        "robust_optimum": conflict_network(law, Ball(eps)).least(-1).classifier,
    }


def _bayes(law: BoxDistribution) -> RegionClassifier:
    return RegionClassifier({y: law.densities[y].support for y in law.labels})


def example(lo: Exact = SMALLEST) -> Example:
    """The example as tables and curves need it; curves start at ``lo`` in (0, 1), since breakpoints gather at 0."""
    start = as_fraction(lo, "lo")
    if not 0 < start < 1:
        raise ValueError(f"curves cannot start at {start}; allowed is (0, 1), since breakpoints gather at 0")
    return Example(
        laws={"true": distribution},
        classifiers=lambda law, eps: classifiers(eps),
        reference=lambda eps: _bayes(distribution(eps)),
        lo=start,
        hi=Fraction(1),
        ends="[)",
    )


PRINTED = {
    ("bayes", "standard_risk"): Fraction(0),
    ("bayes", "boundary_risk"): Fraction(1),
    ("bayes", "robust_risk"): Fraction(1),
    ("all_one", "standard_risk"): Fraction(1, 2),
    ("all_one", "boundary_risk"): Fraction(0),
    ("all_one", "robust_risk"): Fraction(1, 2),
    ("robust_optimum", "robust_risk"): Fraction(1, 2),
}


def as_printed(radii: Sequence[Fraction]) -> Table:
    """TRADES, Table 1 as printed ("optimal" robust error 1/2 included), beside the exact values."""
    rows: list[dict[str, Any]] = []
    for eps in radii:
        exact = example().risks("true", eps)
        for (name, risk), printed in PRINTED.items():
            value: Enclosure = exact[name][risk]
            rows.append(
                {"classifier": name, "risk": risk, "eps": eps, "printed": printed, "exact": value.fraction,
                 "difference": value.fraction - printed}
            )  # fmt: skip
    return Table(["classifier", "risk", "eps", "printed", "exact", "difference"], rows, title="TRADES, Table 1")


def figure(radii: Sequence[Fraction]) -> Figure:
    """Robust risks against eps, and the stripes at the first radius."""
    from toy import draw

    drawn, (left, right) = draw.figure(1, 2)
    found = example().curves("true")
    for k, name in enumerate(NAMES):
        style = "--" if name == "robust_optimum" else "-"
        draw.curve(left, found[name, "robust_risk"], name, draw.LINES[k], style)
    left.set_xlabel("eps")
    left.set_ylabel("robust risk")
    left.legend(fontsize=7)
    draw.breakpoints(left, [Fraction(1, 2 * n) for n in range(1, 9)])
    law = distribution(radii[0])
    draw.key(drawn, _bayes(law))
    draw.regions(right, _bayes(law), ((0.0, 1.0),))
    right.set_title(f"Bayes rule at eps = {radii[0]}", fontsize=9)
    return drawn


def problem3(
    radii: Sequence[Fraction], bounds: Sequence[Fraction | float], lams: Sequence[Fraction] = (Fraction(1),)
) -> Table:
    """TRADES' problem (3) with the hinge over all scores |f| <= bound, for eps = 1/(2n); the bound may be infinite.

    One row a radius, bound, lambda and kind of sign: the ``infimum`` over Bayes-signed scores and over those of one
    sign (proof: `theory.trades.objectives`), whether it is the ``least`` of all scores, and the ``objective``, computed
    from the law, of the score that is ``negative`` on the -1 stripes and ``positive`` on the others. Where one sign is
    approached only, by ever larger scores, the rows are a sequence of them. Raises ``ValueError`` where 1/(2 eps) is
    not whole: the last stripes have no partners then.

    >>> for row in problem3([Fraction(1, 4)], [Fraction(1)], [Fraction(1), Fraction(3)]).rows:
    ...     print(row["lam"], row["sign"], row["infimum"], row["least"])
    1 bayes 3/2 False
    1 constant 1 True
    3 bayes 4/3 True
    3 constant 3/2 False
    """
    rows: list[dict[str, Any]] = []
    for eps in radii:
        if (1 / (2 * eps)).denominator != 1:
            raise ValueError(f"--problem3 pairs stripes, so 1/(2 eps) must be whole; eps {eps} gives {1 / (2 * eps)}")
        law = distribution(eps)
        for bound in bounds:
            for lam in lams:
                sides = stripes_optimum(lam, bound)
                lowest = min(side.value.lo for side in sides)
                for side in sides:
                    row: dict[str, Any] = {"eps": eps, "bound": str(bound), "lam": lam, "sign": side.sign}
                    row |= {"infimum": side.value, "least": side.value.lo == lowest}
                    for a, b in _scores(side, lam):
                        f = Score([(a, law.densities[-1].support), (b, law.densities[+1].support)])
                        value = trades_objective(f, law, Ball(eps), "hinge", lam)
                        rows.append({**row, "negative": a, "positive": b, "objective": value})
    columns = ["eps", "bound", "lam", "sign", "infimum", "least", "negative", "positive", "objective"]
    notes = ["an infimum at a score 0 is approached by scores of that sign tending to 0"]
    return Table(columns, rows, title="TRADES, problem (3), hinge loss, |f| <= bound", notes=notes)


def _scores(side: StripesOptimum, lam: Fraction) -> list[tuple[Any, Any]]:
    if side.positive is not None:
        return [(side.negative, side.positive)]
    return [(Fraction(1, k), 2 * max(Fraction(1), lam) * k) for k in (1, 10, 100, 1000)]


def problem3_figure(bounds: Sequence[Fraction | float]) -> Figure:
    """The least objective (3) against lambda, with the sign of Bayes and with one sign; one panel a bound."""
    from toy import draw

    drawn, axes = draw.figure(1, len(bounds))
    lams = [Fraction(k, 24) for k in range(1, 24 * 6 + 1)]
    for ax, bound in zip(axes, bounds, strict=True):
        sides = [stripes_optimum(lam, bound) for lam in lams]
        for k, (colour, style) in enumerate(((draw.LINES[1], "-"), (draw.LINES[2], "--"))):
            values = [float(Fraction(pair[k].value.lo)) for pair in sides]
            ax.plot([float(lam) for lam in lams], values, style, color=colour, label=f"{sides[0][k].sign} sign")
        ax.set_title(f"|f| <= {bound}", fontsize=9)
        ax.set_xlabel("lam")
        ax.set_ylabel("least objective of (3), hinge")
        ax.legend(fontsize=7)
    return drawn


def _bound(text: str) -> Fraction | float:
    return math.inf if text == "inf" else cli.fraction_type("problem3", "(0, inf)", "write inf for no bound")(text)


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m toy.stripes``."""
    parser = cli.parser("toy.stripes", __doc__ or "", "--eps 3/10 1/8")
    why = "at 1 and beyond there is one stripe, hence one class"
    add_options(parser, cli.fraction_type("eps", "(0, 1)", why))
    parser.add_argument("--as-printed", action="store_true", help="Table 1 as printed, beside the exact values")
    parser.add_argument(
        "--problem3", nargs="+", type=_bound, metavar="BOUND", help="TRADES, problem (3) over |f| <= BOUND, or inf"
    )
    return cli.run(parser, _report, argv)


def _report(args: argparse.Namespace) -> None:
    shown = example(SMALLEST if args.start is None else args.start)
    if args.problem3:
        if args.as_printed or args.curve:
            raise ValueError("--problem3 is a table of its own and goes without --curve and --as-printed")
        solved = problem3(args.eps, args.problem3, args.lam or [Fraction(1)])
        report(args, shown, lambda: problem3_figure(args.problem3), solved)
        return
    report(args, shown, lambda: figure(args.eps), as_printed(args.eps) if args.as_printed else None)


if __name__ == "__main__":
    sys.exit(main())

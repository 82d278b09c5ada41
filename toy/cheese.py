"""The cheese-hole example (SENSE, section 2 and appendix G): what a learner that sees only nine holes may do elsewhere.

X lives on (0,1)^2; class -1 is uniform left of the line x1 = 1/2, class +1 right of it. The true law covers the square,
the restricted law only nine holes of side 1/6. Every number is exact.

    python -m toy.cheese --eps 0.1
    python -m toy.cheese --curve --plot figure9.png
"""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory import (
    Ball,
    BoxDistribution,
    Boxes,
    PiecewisePoly,
    RegionClassifier,
    as_fraction,
    cli,
    curve,
    robust_risk,
    standard_risk,
)
from theory.optimal.boxes import conflict_network
from theory.table import Table
from toy.example import Example, add_options, report
from toy.worst import tie_notes, worst_members

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from theory.numbers import Exact

ALPHA = Fraction(1, 6)
COLUMNS = tuple((ALPHA / 2 + 2 * ALPHA * i, ALPHA * 3 / 2 + 2 * ALPHA * i) for i in range(3))
LINE = Fraction(1, 2)
NAMES = ("bayes", "worst_natural", "worst_robust", "worst_sensible", "robust_optimum")
PRIOR = Fraction(11, 20)


def distribution(
    prior: Exact = PRIOR,
    *,
    restricted: bool = False,
    line: Exact = LINE,
    columns: Sequence[tuple[Exact, Exact]] = COLUMNS,
    rows: Sequence[tuple[Exact, Exact]] = COLUMNS,
) -> BoxDistribution:
    """The true law, or its restriction to the holes columns x rows; ``prior`` is P(Y = +1), in (1/2, 1).

    Raises ``ValueError`` for a prior outside (1/2, 1): below 1/2 the classes change roles, at 1/2 they tie everywhere.

    >>> distribution("7/10").prior(+1), distribution(restricted=True).support.volume()
    (Fraction(7, 10), Fraction(1, 4))
    """
    prior, line = as_fraction(prior, "prior"), as_fraction(line, "line")
    if not Fraction(1, 2) < prior < 1:
        raise ValueError(f"prior {prior} is outside (1/2, 1), where the example of SENSE, section 2 lives")
    square = [(0, 1), (0, 1)]
    left, right = [(0, line), (0, 1)], [(line, 1), (0, 1)]
    true = BoxDistribution.of_masses({-1: [(left, 1 - prior)], +1: [(right, prior)]}, square)
    return true.restrict(Boxes([(x, y) for x in columns for y in rows])) if restricted else true


def bayes(line: Exact = LINE) -> RegionClassifier:
    """The Bayes rule of the true law, sign(x1 - line), on the whole plane."""
    return RegionClassifier.binary(Boxes([((line, None), (None, None))]))


def classifiers(
    eps: Any, prior: Exact = PRIOR, *, law: str = "true", leave_domain: bool = False, **shape: Any
) -> dict[str, RegionClassifier]:
    """The five named classifiers at radius ``eps`` in (0, 1/2].

    ``bayes``; ``worst_natural``, ``worst_robust`` and ``worst_sensible``: the worst members, under the true law, of the
    classes of minimisers of the natural, robust and sensible risk under the restricted law; ``robust_optimum``: least
    robust risk among all classifiers, for ``law`` ("true" or "restricted").

    >>> f = classifiers("1/10")["robust_optimum"]
    >>> f.regions[+1] & distribution().domain
    Boxes([(2/5, 1)x(0, 1)], dim=2)
    """
    if law not in ("true", "restricted"):
        raise ValueError(f"law {law!r} is unknown; allowed are 'true' and 'restricted'")
    return dict(example(prior, leave_domain=leave_domain, **shape).classifiers(law, eps))


def example(prior: Exact = PRIOR, *, leave_domain: bool = False, **shape: Any) -> Example:
    """The example as tables and curves need it."""
    true, seen = distribution(prior, **shape), distribution(prior, restricted=True, **shape)
    laws, rule = {"true": true, "restricted": seen}, bayes(shape.get("line", LINE))

    def named(law: str, eps: Any) -> dict[str, RegionClassifier]:
        ball = Ball(eps, leave_domain=leave_domain)
        if not 0 < ball.radius <= Fraction(1, 2):
            raise ValueError(f"eps {ball.radius} is outside (0, 1/2]: beyond 1/2 a ball covers either class")
        optimum = conflict_network(laws[law], ball).least(-1).classifier
        return {"bayes": rule, **worst_members(true, seen, rule, ball), "robust_optimum": optimum}

    return Example(
        laws={"true": lambda eps: true, "restricted": lambda eps: seen},
        classifiers=named,
        reference=lambda eps: rule,
        lo=Fraction(0),
        hi=Fraction(1, 2),
        leave_domain=leave_domain,
        notes=lambda eps: tie_notes(true, seen, rule, Ball(eps, leave_domain=leave_domain)),
    )


def printed_classifier(eps: Any) -> RegionClassifier:
    """g of SENSE, eq (14), as printed, +1 where the paper leaves it free."""
    if eps >= ALPHA / 2 and eps < ALPHA * 3 / 4:
        return RegionClassifier.binary(Boxes([((ALPHA * 3 / 2 + eps, None), (None, None))]))
    return RegionClassifier.binary(Boxes([((LINE - eps, None), (None, None))]))


def printed_standard_risk(eps: Any, prior: Exact = PRIOR) -> Any:
    """The worst standard risk over robust minimisers, as appendix G of SENSE prints it.

    With q = 1 - prior: the mass outside B(holes, eps) plus 3 min(alpha + 2 eps, 2 alpha) q min(2 eps, 1/2) / (1/2),
    and for alpha/2 <= eps < 3 alpha/4 the risk of sign(x1 - 1/2 + c) with the c that eq (14) leaves.
    """
    q = 1 - as_fraction(prior)
    if eps >= ALPHA / 2 and eps < ALPHA * 3 / 4:
        return 2 * q * (LINE - ALPHA * 3 / 2 - eps)
    rows = 3 * min(ALPHA + 2 * eps, 2 * ALPHA)
    return 1 - rows * rows + rows * q * min(2 * eps, Fraction(1, 2)) / Fraction(1, 2)


def as_printed(radii: Sequence[Fraction], prior: Exact = PRIOR) -> Table:
    """What SENSE prints about the robust minimisers, beside the exact values at these radii.

    "restricted robust risk": that of eq (14)'s g, which should be the least one. "worst standard risk": appendix G's
    formula. "worst robust risk": constant for eps > 1/4, by appendix G, because all minimisers predict +1.

    >>> [row["difference"] for row in as_printed([Fraction(1, 100), Fraction(1, 4)]).rows]
    [Fraction(0, 1), Fraction(63, 12500), Fraction(7, 60), Fraction(9, 20)]
    """
    shown = example(prior)
    true, seen = shown.laws["true"](0), shown.laws["restricted"](0)
    rows: list[dict[str, Any]] = []
    for eps in radii:
        ball = shown.ball(eps)
        worst = shown.classifiers("true", eps)["worst_robust"]
        printed = robust_risk(printed_classifier(eps), seen, ball).fraction
        pairs = [
            ("restricted robust risk", printed, conflict_network(seen, ball).flow.value),
            ("worst standard risk", printed_standard_risk(eps, prior), standard_risk(worst, true).fraction),
        ]
        if eps > Fraction(1, 4):
            pairs.append(("worst robust risk", 1 - as_fraction(prior), robust_risk(worst, true, ball).fraction))
        for name, claim, exact in pairs:
            rows.append({"eps": eps, "quantity": name, "printed": claim, "exact": exact, "difference": claim - exact})
    columns = ["eps", "quantity", "printed", "exact", "difference"]
    return Table(columns, rows, title="SENSE, eq (14) and appendix G, as printed")


def figure(eps: Fraction, prior: Exact = PRIOR, *, leave_domain: bool = False) -> Figure:
    """SENSE, Figure 1 at one radius above Figure 9 (e) and (f) for all of them; the printed claim where it differs."""
    from toy import draw

    shown = example(prior, leave_domain=leave_domain)
    named, window = shown.classifiers("true", eps), ((0.0, 1.0), (0.0, 1.0))
    drawn, axes = draw.figure(2, 4, width=3.1, height=3.1)
    top = {"a": "bayes", "b": "worst_natural", "c": "worst_robust", "d": "worst_sensible"}
    for ax, (letter, name) in zip(axes, top.items(), strict=False):
        draw.regions(ax, named[name], window, shown.laws["restricted"](eps).support)
        ax.set_title(f"({letter}) {name}, eps = {eps}", fontsize=9)
    draw.key(drawn, named["bayes"])
    found = shown.curves("true")
    grid = axes[4].get_gridspec()
    assert grid is not None
    for ax in axes[4:]:
        ax.remove()
    printed = {
        "standard_risk": curve(lambda e: printed_standard_risk(e, prior), 0, "1/2", ends="(]"),
        "robust_risk": PiecewisePoly.constant(1 - as_fraction(prior), Fraction(1, 4), Fraction(1, 2)),
    }
    for k, (letter, risk) in enumerate((("e", "standard_risk"), ("f", "robust_risk"))):
        ax = drawn.add_subplot(grid[1, 2 * k : 2 * k + 2])
        for name, colour in zip(NAMES[1:4], draw.LINES, strict=False):
            draw.curve(ax, found[name, risk], name, colour)
        if not leave_domain:
            draw.curve(ax, printed[risk], "worst_robust as printed (appendix G)", draw.LINES[1], style=":")
        points = found["worst_robust", risk].breakpoints[1:-1]
        draw.breakpoints(ax, points, [str(x) for x in points])
        ax.set_title(f"({letter}) {risk}, prior = {prior}", fontsize=9)
        ax.set_xlabel("eps")
        ax.set_ylim(-0.2, 1.05)  # room for the breakpoints' names below the curves
    handles, names = ax.get_legend_handles_labels()
    drawn.legend(handles, names, loc="outside lower center", ncols=len(names), fontsize=8, frameon=False)
    return drawn


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m toy.cheese``."""
    parser = cli.parser("toy.cheese", __doc__ or "", "--eps 0.1 8/255 --prior 7/10")
    add_options(parser, cli.fraction_type("eps", "(0, 1/2]", "beyond 1/2 a ball covers either class"))
    why = "the example of SENSE, section 2 has a majority class +1"
    parser.add_argument("--prior", type=cli.fraction_type("prior", "(1/2, 1)", why), default=PRIOR, help="P(Y = +1)")
    parser.add_argument("--leave-domain", action="store_true", help="let the adversary leave the unit square")
    parser.add_argument("--as-printed", action="store_true", help="eq (14) and appendix G as printed, beside the truth")
    return cli.run(parser, _report, argv)


def _report(args: argparse.Namespace) -> None:
    if args.as_printed and args.leave_domain:
        raise ValueError("--as-printed and --leave-domain exclude each other: the print keeps the adversary inside")
    other = as_printed(args.eps, args.prior) if args.as_printed else None
    shown = example(args.prior, leave_domain=args.leave_domain)
    report(args, shown, lambda: figure(args.eps[0], args.prior, leave_domain=args.leave_domain), other)


if __name__ == "__main__":
    sys.exit(main())

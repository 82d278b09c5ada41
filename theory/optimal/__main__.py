"""``python -m theory.optimal``: the least robust risk of a data set, with certificates.

    python -m theory.optimal --classes 3 7 --eps 2 3 4
    python -m theory.optimal --data FOLDER --classes 3 7 --ord 2 --eps 3 4 5 --certificate certificate.json

Points are images in [0, 1]^d, every one of weight 1/N; no classifier on R^d has less robust risk on these very points.
For two classes the value is exact; for more, the deterministic and the randomised optimum differ and are enclosed.
"""

from __future__ import annotations

import argparse
import math
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory import cli
from theory.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from theory.optimal.sample import SampleCurve
    from theory.samples import LabelledSample

SCHEMA = "tightrope.optimal/1"
CURVE_SCHEMA = "tightrope.optimal.curve/1"
MULTICLASS_SCHEMA = "tightrope.optimal.multiclass/1"
NORMS = {"1": 1.0, "2": 2.0, "inf": math.inf}


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, solve, print."""
    parser = cli.parser("theory.optimal", __doc__ or "", "--classes 3 7 --ord 2 --eps 1/2 1")
    parser.add_argument("--data", default="digits", metavar="FOLDER", help="a folder of IDX files, or digits (default)")
    add = parser.add_argument
    add("--classes", nargs="+", default=["3", "7"], metavar="LABEL", help="two labels or more (default 3 7)")
    add("--ord", choices=sorted(NORMS), default="2", help="norm of the ball (default 2)")
    add("--eps", nargs="+", type=cli.radius_type("eps"), default=[Fraction(1)], metavar="EPS", help="radii")
    add("--prior", type=cli.probability_type("prior"), help="weight of the larger label (default: by counts)")
    add("--delta", type=cli.probability_type("delta"), help="bound the population's optimum with confidence 1 - delta")
    add("--curve", action="store_true", help="every jump of the optimum up to the largest eps")
    add("--certificate", type=cli.output_type("certificate"), metavar="FILE", help="write that of the largest eps")
    add("--plot", type=cli.figure_type("plot"), metavar="FILE", help="draw to a png, pdf or svg file")
    cli.add_output_options(parser)
    return cli.run(parser, _report, argv)


def _report(args: argparse.Namespace) -> None:
    from theory.optimal.sample import optimal_sample_curve, population_lower_bound
    from theory.samples import load_sample

    sample = load_sample(args.data)
    known = {str(label): label for label in sample.classes}
    for label in args.classes:
        if label not in known:
            raise ValueError(f"class {label} does not occur in {sample.name}; its classes are {', '.join(known)}")
    chosen = sample.only(*(known[label] for label in args.classes))
    title = f"{sample.name}: {' v '.join(args.classes)}"
    if len(chosen.classes) > 2:
        cli.emit(_multiclass(chosen, args, title), args, schema=MULTICLASS_SCHEMA)
        return
    if args.curve:
        cli.emit(_jumps(chosen, args, title), args, schema=CURVE_SCHEMA)
        return
    with cli.steps("pairs of points") as step:
        found = optimal_sample_curve(chosen, sorted(set(args.eps)), NORMS[args.ord], prior=args.prior, progress=step)
    rows: list[dict[str, Any]] = []
    for best in found.optima:
        row: dict[str, Any] = {
            "eps": best.eps, "ord": args.ord, "points": len(chosen), "conflicts": best.conflicts,
            "optimum": best.risk, "matched": best.pairs,
        }  # fmt: skip
        if args.delta is not None:
            row["population"] = population_lower_bound(best, args.delta)
        rows.append(row)
    if args.certificate:
        from theory.optimal.certificate import SCHEMA as CERTIFICATE
        from theory.optimal.certificate import sample_certificate
        from theory.record import Record

        data = sample_certificate(found.optima[-1], args.data)
        Record.new(CERTIFICATE, data, command=cli.command(args)).write(args.certificate)
    if args.plot:
        cli.save_figure(_figure(found, title), args.plot)
    cli.emit(Table(list(rows[0]), rows, title=title), args, schema=SCHEMA)


def _multiclass(sample: LabelledSample, args: argparse.Namespace, title: str) -> Table:
    from theory.optimal.multiclass import optimal_multiclass_risk

    for option in ("curve", "certificate", "plot", "prior", "delta"):
        if getattr(args, option):
            raise ValueError(f"--{option} is for two classes; {len(sample.classes)} are given")
    rows: list[dict[str, Any]] = []
    for eps in sorted(set(args.eps)):
        best = optimal_multiclass_risk(sample, eps, NORMS[args.ord])
        rows.append(
            {"eps": eps, "ord": args.ord, "points": len(sample), "conflicts": best.conflicts, "pairwise": best.pairwise,
             "randomised": best.randomised, "deterministic": best.deterministic}
        )  # fmt: skip
    return Table(list(rows[0]), rows, title=title)


def _jumps(sample: LabelledSample, args: argparse.Namespace, title: str) -> Table:
    from theory.optimal.jumps import sample_jumps

    with cli.steps("pairs of points") as step:
        jumps = sample_jumps(sample, max(args.eps), NORMS[args.ord], prior=args.prior, progress=step)
    rows: list[dict[str, Any]] = [
        {"eps_squared": jump.eps_squared, "eps": jump.eps, "optimum": jump.value} for jump in jumps
    ]
    return Table(["eps_squared", "eps", "optimum"], rows, title=f"{title}, every jump")


def _figure(found: SampleCurve, title: str) -> Figure:
    """The optimum as a step function between its known values."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 3.4), layout="constrained")
    ax = figure.subplots()
    x, y = [float(e) for e in found.eps], [float(v) for v in found.values]
    ax.fill_between(x, y, [*y[1:], y[-1]], step="post", alpha=0.25, label="between computed radii")
    ax.plot(x, y, "o-", ms=3, label="computed, exact")
    ax.set_xlabel("eps")
    ax.set_ylabel("least robust risk")
    ax.set_title(title, fontsize=9)
    ax.legend(fontsize=7)
    return figure


if __name__ == "__main__":
    sys.exit(main())

"""What the toys share: an ``Example`` is laws and classifiers as functions of eps; from it come tables and curves."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory import Ball, Enclosure, boundary_risk, cli, robust_risk, sensible_risk, standard_risk
from theory.curves import curves
from theory.table import Table
from toy import bound

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.figure import Figure

    from theory import PiecewisePoly, RegionClassifier
    from theory.scores import Score

RISKS = ("standard_risk", "boundary_risk", "robust_risk", "sensible_risk")
SCHEMA = "tightrope.toy/1"
CURVE_SCHEMA = "tightrope.toy.curve/1"
OTHER_SCHEMA = "tightrope.toy.other/1"


@dataclass(frozen=True, slots=True)
class Example:
    """Laws by name, each a function of eps; for a law's name and eps the named classifiers; and the Bayes rule.

    ``lo``, ``hi`` and ``ends`` are the range of eps over which curves are drawn. ``sensible`` computes the sensible
    risk, or None where there is nothing to say; ``notes`` are remarks on this eps, for tables and for curves that break
    there. ``scores`` are real-valued classifiers that are given beside the others, for bounds. ``parts`` are examples
    with some of the classifiers each, where curves are cheaper one part after the other: a breakpoint of one classifier
    makes all be computed anew.
    """

    laws: Mapping[str, Callable[[Any], Any]]
    classifiers: Callable[[str, Any], Mapping[str, RegionClassifier]]
    reference: Callable[[Any], RegionClassifier | None]
    lo: Fraction
    hi: Fraction
    ends: str = "(]"
    ord: float = math.inf
    leave_domain: bool = False
    sensible: Callable[..., Any] = sensible_risk
    notes: Callable[[Fraction], Sequence[str]] = lambda _: ()
    scores: Mapping[str, Score] = field(default_factory=dict)
    parts: Sequence[Example] = ()

    def ball(self, eps: Any) -> Ball:
        return Ball(eps, self.ord, leave_domain=self.leave_domain)

    def risks(self, law: str, eps: Any) -> dict[str, dict[str, Any]]:
        """The four risks of every classifier under one law: {classifier: {risk: value}}."""
        dist, ball, reference = self.laws[law](eps), self.ball(eps), self.reference(eps)
        answer = {}
        for name, f in self.classifiers(law, eps).items():
            standard, robust = standard_risk(f, dist), robust_risk(f, dist, ball)
            answer[name] = {
                "standard_risk": standard,
                "boundary_risk": boundary_risk(f, dist, ball),
                "robust_risk": robust,
                "sensible_risk": self.sensible(f, dist, ball, reference),
            }
        return answer

    def table(self, radii: Sequence[Fraction], title: str = "") -> Table:
        """One row a classifier, law and eps, in the columns that every toy shares."""
        rows: list[dict[str, Any]] = [
            {"classifier": name, "law": law, "eps": eps, **values}
            for eps in radii
            for law in self.laws
            for name, values in self.risks(law, eps).items()
        ]
        notes = dict.fromkeys(note for eps in radii for note in self.notes(eps))
        return Table(["classifier", "law", "eps", *RISKS], rows, title=title, notes=notes)

    def curves(
        self, law: str, lo: Fraction | None = None, hi: Fraction | None = None
    ) -> dict[tuple[str, str], PiecewisePoly]:
        """Every risk of every classifier as an exact function of eps: {(classifier, risk): curve}.

        Raises ``ValueError`` for a range of eps that is empty or leaves the example's own.
        """
        if self.parts:
            return {key: found for part in self.parts for key, found in part.curves(law, lo, hi).items()}
        start, stop = self.lo if lo is None else lo, self.hi if hi is None else hi
        if not self.lo <= start < stop <= self.hi:
            own = f"{self.ends[0]}{self.lo}, {self.hi}{self.ends[1]}"
            raise ValueError(f"the range from {start} to {stop} is empty or leaves {own}, the range of eps here")
        ends = ("[" if start > self.lo else self.ends[0]) + ("]" if stop < self.hi else self.ends[1])
        names: list[tuple[str, str]] = []

        def values(eps: Any) -> list[Any]:
            table = self.risks(law, eps)
            found = {(name, risk): v for name, row in table.items() for risk, v in row.items() if v is not None}
            names[:] = found
            return list(found.values())

        found = curves(values, start, stop, ends=ends)
        return dict(zip(names, found, strict=True))

    def curve_table(self, title: str = "", lo: Fraction | None = None, hi: Fraction | None = None) -> Table:
        """All curves, one row a piece; where a curve jumps, its value there has a row with lo = hi.

        The value at an irrational breakpoint is not computed; pieces that continue each other there are one row.
        """
        rows: list[dict[str, Any]] = []
        notable: set[Fraction] = set()
        irrational = False
        for law in self.laws:
            for (name, risk), found in self.curves(law, lo, hi).items():
                notable |= {x for x in found.breakpoints[1:-1] if isinstance(x, Fraction)}
                irrational |= any(not isinstance(x, Fraction) for x in found.breakpoints)
                points = [(j.at, j.at, str(j.value.fraction)) for j in found.jumps() if j.value is not None]
                head = {"classifier": name, "law": law, "risk": risk}
                for start, stop, text in sorted([*_joined(found), *points], key=lambda line: (line[0], line[1])):
                    rows.append({**head, "lo": _end(start), "hi": _end(stop), "polynomial": text})
        notes = dict.fromkeys(note for eps in sorted(notable) for note in self.notes(eps))
        if irrational:
            notes["irrational breakpoints are enclosed; the values at these single points are not computed"] = None
        return Table(["classifier", "law", "risk", "lo", "hi", "polynomial"], rows, title=title, notes=notes)

    def simulate(self, table: Table, n: int, seed: int, alpha: Fraction = Fraction(1, 20)) -> Table:
        """The table with a Monte Carlo estimate beside each standard and robust risk, with its confidence limits."""
        import numpy as np

        from theory.montecarlo import estimate

        rng = np.random.default_rng(seed)
        added = []
        for row in table.rows:
            eps, law, name = row["eps"], str(row["law"]), str(row["classifier"])
            dist, f = self.laws[law](eps), self.classifiers(law, eps)[name]
            seen: dict[str, Enclosure] = {
                f"simulated_{risk}": estimate(risk, f, dist, self.ball(eps), n=n, rng=rng, alpha=alpha)
                for risk in ("standard_risk", "robust_risk")
            }
            added.append({**row, **seen})
        columns = [*table.columns, "simulated_standard_risk", "simulated_robust_risk"]
        return Table(columns, added, title=table.title, notes=[*table.notes, f"{n} samples, seed {seed}"])


def add_options(parser: argparse.ArgumentParser, radius: Callable[[str], Fraction], default: str = "1/10") -> None:
    """The options that every toy shares."""
    parser.add_argument(
        "--eps", nargs="+", type=radius, default=[Fraction(default)], metavar="EPS", help=f"radii (default {default})"
    )
    parser.add_argument("--curve", action="store_true", help="the exact piecewise polynomials in eps, not a table")
    for name, end in (("from", "start"), ("to", "stop")):
        help_ = f"where the curves {end}"
        parser.add_argument(f"--{name}", dest=end, type=cli.fraction_type(name), metavar="EPS", help=help_)
    parser.add_argument("--simulate", type=cli.count_type("simulate"), metavar="N", help="add a Monte Carlo estimate")
    parser.add_argument("--seed", type=cli.count_type("seed", 0), default=0, help="seed of the simulation (default 0)")
    bound.add_options(parser)
    help_ = "write the certificate of the least robust risk, under the last law at the first radius"
    parser.add_argument("--certificate", type=cli.output_type("certificate"), metavar="FILE", help=help_)
    parser.add_argument("--plot", type=cli.figure_type("plot"), metavar="FILE", help="draw to a png, pdf or svg file")
    cli.add_output_options(parser)


def report(
    args: argparse.Namespace,
    example: Example,
    figure: Callable[[], Figure] | None = None,
    other: Table | None = None,
    title: str = "",
) -> None:
    """Print the table, the curves or the ``other`` table that was asked for, and draw the figure first: it may fail."""
    if args.simulate and (args.curve or other is not None):
        raise ValueError("--simulate adds columns to the table of risks and goes with no other table")
    if not args.curve and (args.start, args.stop) != (None, None):
        raise ValueError("--from and --to are the ends of --curve; without it give the radii themselves, as --eps")
    bound.check(args)
    if args.bound:
        if other is not None:
            raise ValueError("--bound is a table of its own and goes with no other one")
        options = (args.bound, args.lam or [Fraction(1)], args.score or "indicator")
        levels = args.levels or bound.LEVELS
        table, schema = bound.table(example, args.eps, *options, levels=levels), bound.SCHEMA
        lam = options[1][0]
        figure = lambda: bound.figure(example, args.eps[0], args.bound, lam, options[2], levels=levels)  # noqa: E731
    elif other is not None:
        table, schema = other, OTHER_SCHEMA
    elif args.curve:
        table, schema = example.curve_table(title, args.start, args.stop), CURVE_SCHEMA
    else:
        table, schema = example.table(args.eps, title), SCHEMA
        if args.simulate:
            table = example.simulate(table, args.simulate, args.seed)
    if args.certificate:
        _certify(example, args)
    if args.plot and figure is not None:
        cli.save_figure(figure(), args.plot)
    cli.emit(table, args, schema=schema)


def _certify(example: Example, args: argparse.Namespace) -> None:
    from theory.optimal.certificate import SCHEMA as CERTIFICATE
    from theory.optimal.certificate import box_certificate
    from theory.record import Record

    *_, law = example.laws.values()
    data = box_certificate(law(args.eps[0]), example.ball(args.eps[0]))
    Record.new(CERTIFICATE, data, command=cli.command(args)).write(args.certificate)


def _joined(found: PiecewisePoly) -> list[tuple[Any, Any, str]]:
    """The pieces of a curve, those that only an irrational breakpoint without a value separates put together."""
    rows: list[tuple[Any, Any, str]] = []
    for piece in found.pieces:
        text = str(piece.poly)
        if rows and rows[-1][2] == text and not isinstance(piece.lo, Fraction):
            rows[-1] = (rows[-1][0], piece.hi, text)
        else:
            rows.append((piece.lo, piece.hi, text))
    return rows


def _end(x: Any) -> Fraction | Enclosure:
    if isinstance(x, Fraction):
        return x
    narrow = x.refine(Fraction(1, 2**60))
    return Enclosure(narrow.lo, narrow.hi, how=("isolating interval",))

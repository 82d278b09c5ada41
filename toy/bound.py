"""Both sides of TRADES' Theorem 3.1 on the toys' laws, where nothing is estimated: the question of its Table 3.

For a score of each named classifier: the surrogate risk R_phi, the least one R*_phi, their difference e, psi^-1(e), the
probability s = Pr[X in B(DB(f), eps)], the regulariser E max phi(f(X')f(X)/lam), and

    delta_lhs = R_rob - R*,   delta_rhs = psi^-1(e) + E max phi,   delta = delta_rhs - delta_lhs,
    sharper = s + (1 - s) psi^-1(e / (1 - s)),

exact, or enclosed where phi or the score is. The scores: `indicator` (the signed indicator), `distance` (the signed
distance to where the classifier says otherwise, at most 1 in size, enclosed by levels) and `logit` (of the Bayes rule,
where labels are uncertain).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory import Enclosure, cli
from theory.bounds import BoundReport, broken_premises, excess_robust_risk_bound
from theory.loss import LOSSES, Loss, as_loss
from theory.scores import Score, logit, signed_distance
from theory.table import Table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from theory import Ball
    from toy.example import Example

SCHEMA = "tightrope.toy.bound/1"
SCORES = ("indicator", "distance", "logit", "given")
LEVELS = 16
TERMS = ("surrogate_risk", "optimal_surrogate_risk", "excess", "psi_inverse", "boundary_probability", "adversarial")
COLUMNS = ("classifier", "law", "eps", "lam", *TERMS, "delta_lhs", "delta_rhs", "delta", "sharper")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the bound; whether they go together is checked by `check`."""
    parser.add_argument(
        "--bound", metavar="LOSS", help=f"both sides of TRADES, Theorem 3.1; a loss of {', '.join(sorted(LOSSES))}"
    )
    lam = cli.fraction_type("lam", "(0, inf)", "lambda scales a product of scores")
    parser.add_argument("--lam", nargs="+", type=lam, metavar="L", help="lambda of the bound (default 1)")
    parser.add_argument("--score", choices=SCORES, help="the classifiers' score in the bound (default indicator)")
    parser.add_argument(
        "--levels", type=cli.count_type("levels"), metavar="N", help=f"of --score distance (default {LEVELS})"
    )


def check(args: argparse.Namespace) -> None:
    """Raises ``ValueError`` for options that go with --bound alone, and for a --bound beside another table."""
    if not args.bound:
        for name in ("lam", "score", "levels"):
            shared = name == "lam" and getattr(args, "problem3", None)
            if getattr(args, name) is not None and not shared:
                raise ValueError(f"--{name} goes with --bound LOSS, both sides of TRADES, Theorem 3.1")
    elif args.curve or args.simulate:
        raise ValueError(f"--bound is a table of its own and goes without --{'curve' if args.curve else 'simulate'}")
    if args.levels is not None and args.score != "distance":
        raise ValueError("--levels encloses the signed distance and goes with --score distance")


def table(
    example: Example,
    radii: Sequence[Fraction],
    loss: str | Loss,
    lams: Sequence[Fraction] = (Fraction(1),),
    score: str = "indicator",
    *,
    levels: int = LEVELS,
) -> Table:
    """One row a classifier, law, eps and lambda.

    Raises ``ValueError`` where a premise of the theorem fails: a loss that is negative somewhere, not calibrated or
    below 1 at 0, or a score that is 0 with positive probability. phi < 1 somewhere on u < 0, under which the second
    inequality may fail, is a note.

    >>> from toy.halves import example
    >>> row = table(example(), [Fraction(1, 10)], "hinge", [Fraction(2)]).rows[0]
    >>> [row[name].fraction for name in ("excess", "boundary_probability", "delta_lhs", "delta_rhs", "sharper")]
    [Fraction(0, 1), Fraction(1, 5), Fraction(1, 5), Fraction(7, 10), Fraction(1, 5)]
    """
    phi = as_loss(loss)
    check_loss(phi)
    rows: list[dict[str, Any]] = []
    notes: dict[str, None] = {}
    for eps in radii:
        for law in example.laws:
            for name, lam, report in _reports(example, law, eps, phi, lams, score, levels):
                rows.append({"classifier": name, "law": law, "eps": eps, "lam": lam, **sides(report)})
        notes |= dict.fromkeys(example.notes(eps))
    if not phi.at_least_one_left:
        notes[f"{phi.name} is below 1 somewhere on u < 0, where the theorem needs 1: delta may be negative"] = None
    kinds = {"indicator": "signed indicator", "distance": f"signed distance, {levels} levels", "given": "given scores"}
    title = f"TRADES, Theorem 3.1, {phi.name} loss, {kinds.get(score, score)}"
    return Table(COLUMNS, rows, title=title, notes=notes)


def sides(report: BoundReport) -> dict[str, Enclosure]:
    """The columns of a row that come from a report."""
    deltas = {"delta_lhs": report.lhs, "delta_rhs": report.rhs, "delta": report.gap}
    return {**{term: report.terms[term] for term in TERMS}, **deltas, "sharper": report.terms["sharper"]}


def check_loss(phi: Loss) -> None:
    """Raises ``ValueError`` for a loss that does not meet the printed premises of the theorem."""
    if phi.non_negative is not True or phi.calibrated is not True:
        premise = "non-negative" if phi.non_negative is not True else "classification-calibrated"
        raise ValueError(f"loss {phi.name!r} is not {premise}, a premise of TRADES, Theorem 3.1")
    if phi.at_zero is not None and phi.at_zero < 1:
        raise ValueError(f"loss {phi.name!r} is {phi.at_zero} at 0, but TRADES, Theorem 3.1 needs phi(0) >= 1")


def _reports(
    example: Example, law: str, eps: Fraction, phi: Loss, lams: Sequence[Fraction], score: str, levels: int
) -> Iterator[tuple[str, Fraction, BoundReport]]:
    dist, ball = example.laws[law](eps), example.ball(eps)
    for name, f in _scores(example, law, eps, dist, ball, score, levels):
        if zeros := [s for s in broken_premises(f, dist, phi) if s.startswith("Pr[f(X) = 0]")]:
            raise ValueError(f"{zeros[0]}, so TRADES, Theorem 3.1 does not hold for the score of {name!r}")
        for lam in lams:
            yield name, lam, excess_robust_risk_bound(f, dist, ball, phi, lam)


def _scores(
    example: Example, law: str, eps: Fraction, dist: Any, ball: Ball, score: str, levels: int
) -> Iterator[tuple[str, Score]]:
    if score == "logit":
        yield "logit", logit(dist)
        return
    if score == "given":
        if not example.scores:
            raise ValueError("no score is given; write it under the key scores of a law file, see toy.lawfile")
        yield from example.scores.items()
        return
    for name, f in example.classifiers(law, eps).items():
        yield name, Score.indicator(f) if score == "indicator" else signed_distance(f, dist, ball, levels=levels)


# ---- the figure ----

POINTS = 24
TOP = 4  # of the figure: the exponential loss grows without bound for lambda -> 0
LAMS = tuple(Fraction(base, 2) * Fraction(2) ** k for k in range(-3, 5) for base in (2, 3))
LINES = (
    ("robust excess risk", "#000000", "-"), ("Theorem 3.1", "#D55E00", "--"), ("its first inequality", "#E69F00", ":"),
    ("sharper bound", "#0072B2", "-."),
)  # fmt: skip


def figure(
    example: Example, eps: Fraction, loss: str | Loss, lam: Fraction, score: str = "indicator", *, levels: int = LEVELS
) -> Figure:
    """The sides of the theorem and the sharper bound, one column a classifier: above against eps, below against lambda.

    Bands are enclosures. Two rows a law.
    """
    from toy import draw

    phi = as_loss(loss)
    check_loss(phi)
    start = max(example.lo, example.hi / POINTS)
    radii = [start + (example.hi - start) * Fraction(k, POINTS) for k in range(POINTS)]
    named = [name for name, _, _ in _reports(example, next(iter(example.laws)), eps, phi, [lam], score, levels)]
    drawn, axes = draw.figure(2 * len(example.laws), len(named), width=3.0, height=2.6)
    for k, law in enumerate(example.laws):
        by_eps: dict[str, list[tuple[Fraction, BoundReport]]] = {}
        for radius in radii:
            for name, _, report in _reports(example, law, radius, phi, [lam], score, levels):
                by_eps.setdefault(name, []).append((radius, report))
        by_lam: dict[str, list[tuple[Fraction, BoundReport]]] = {}
        for name, other, report in _reports(example, law, eps, phi, LAMS, score, levels):
            by_lam.setdefault(name, []).append((other, report))
        for j, name in enumerate(named):
            above, below = axes[2 * k * len(named) + j], axes[(2 * k + 1) * len(named) + j]
            draw_pair((above, below), f"{name}, {law} law", (eps, lam), by_eps[name], by_lam[name])
    legend(drawn, axes[0])
    return drawn


def draw_pair(
    panels: tuple[Axes, Axes],
    name: str,
    at: tuple[Fraction, Fraction],
    by_eps: Sequence[tuple[Fraction, BoundReport]],
    by_lam: Sequence[tuple[Fraction, BoundReport]],
) -> None:
    """Two panels of one classifier: against eps with lambda fixed above, against lambda with eps fixed below."""
    (above, below), (eps, lam) = panels, at
    draw_sides(above, by_eps)
    draw_sides(below, by_lam)
    above.set_title(f"{name}, lam = {lam}", fontsize=8)
    above.set_xlabel("eps", fontsize=8)
    below.set_title(f"{name}, eps = {eps}", fontsize=8)
    below.set_xlabel("lam", fontsize=8)
    below.set_xscale("log", base=2)


def legend(drawn: Figure, ax: Axes) -> None:
    """One legend below all panels, which share their lines."""
    drawn.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8, frameon=False)


def draw_sides(ax: Any, points: Sequence[tuple[Fraction, BoundReport]]) -> None:
    """The two sides, the first inequality's and the sharper bound against eps or lambda."""
    xs = [float(x) for x, _ in points]
    curves = ([r.lhs, r.rhs, r.terms["first"], r.terms["sharper"]] for _, r in points)
    for values, (label, colour, style) in zip(zip(*curves, strict=True), LINES, strict=True):
        low, high = ([float(Fraction(end)) for end in ends] for ends in zip(*map(_ends, values), strict=True))
        middle = [(a + b) / 2 for a, b in zip(low, high, strict=True)]
        ax.plot(xs, middle, style, color=colour, label=label, linewidth=1.4)
        if max(b - a for a, b in zip(low, high, strict=True)) > 1e-6:
            ax.fill_between(xs, low, high, color=colour, alpha=0.25, linewidth=0)
    ax.axhline(1, color="0.8", linewidth=0.8, zorder=0)  # above it a bound says nothing
    ax.set_ylim(0, min(TOP, ax.get_ylim()[1]))
    ax.tick_params(labelsize=7)


def _ends(x: Enclosure) -> tuple[Any, Any]:
    return x.lo, x.hi

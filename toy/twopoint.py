"""The construction behind TRADES' Theorem 3.2: a law on two points on which the upper bound is nearly attained.

For a calibrated loss, a robust excess risk --theta and a slack --xi: points, labels, a score and lambda such that
R_rob(f) - R* = theta and psi(theta - E) <= R_phi(f) - R*_phi <= psi(theta - E) + xi, E = E max phi(f(X')f(X)/lam).
One point carries all mass where psi = psi_tilde; elsewhere both are needed.

    python -m toy.twopoint --loss exponential --theta 1/2 --xi 1/100
    python -m toy.twopoint --loss asymmetric_hinge capped_hinge --theta 0 1/4 1
"""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory import (
    Enclosure,
    RegionClassifier,
    bayes_rule,
    boundary_risk,
    cli,
    robust_risk,
    sensible_risk,
    standard_risk,
)
from theory.calibration import psi, psi_tilde
from theory.loss import LOSSES, as_loss
from theory.table import Table
from theory.trades.witness import Witness, tightness_witness
from toy.example import RISKS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from theory import FiniteDistribution
    from theory.loss import Loss
    from theory.numbers import Exact

SCHEMA = "tightrope.toy.twopoint/1"
THETA, XI, EPS = Fraction(1, 2), Fraction(1, 100), Fraction(1, 10)
SIDES = ("excess_robust_risk", "adversarial", "lower", "excess", "upper")


def distribution(loss: str | Loss = "exponential", theta: Exact = THETA, xi: Exact = XI) -> FiniteDistribution:
    """The law on the points 0 and 1.

    >>> distribution("capped_hinge", "1/4").masses
    {-1: (Fraction(3, 8), Fraction(0, 1)), 1: (Fraction(3, 8), Fraction(1, 4))}
    """
    return tightness_witness(loss, theta, xi).law


def classifiers(loss: str | Loss = "exponential", theta: Exact = THETA, xi: Exact = XI) -> dict[str, RegionClassifier]:
    """``witness``, the sign of the theorem's score (-1 on both points), and ``bayes`` (+1, also where labels tie)."""
    return _classifiers(tightness_witness(loss, theta, xi))


def _classifiers(found: Witness) -> dict[str, RegionClassifier]:
    return {"witness": found.score.classifier(), "bayes": bayes_rule(found.law, ties=+1)}


def table(
    losses: Sequence[str | Loss], thetas: Sequence[Exact], xi: Exact = XI, radii: Sequence[Exact] = (EPS,)
) -> Table:
    """One row a classifier, loss, theta and eps: the risks that every toy prints; for the witness the theorem's sides.

    >>> row = table(["hinge"], ["1/2"]).rows[0]
    >>> row["robust_risk"].fraction, row["excess_robust_risk"], row["excess"].fraction
    (Fraction(3, 4), Fraction(1, 2), Fraction(257, 512))
    """
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    for eps in radii:
        for loss in map(as_loss, losses):
            for theta in thetas:
                found = tightness_witness(loss, theta, xi, eps=eps)
                rows += _rows(found)
                notes.append(f"{loss.name}, theta {found.theta}: {_describe(found)}")
    notes.append("lower = psi(theta - E), excess = R_phi - R*_phi, upper = lower + xi; psi is 0 at negative numbers")
    columns = ["classifier", "law", "loss", "theta", "eps", *RISKS, "lam", *SIDES]
    return Table(columns, rows, title=f"TRADES, Theorem 3.2, xi = {xi}", notes=dict.fromkeys(notes))


def _rows(found: Witness) -> list[dict[str, Any]]:
    named, law, ball = _classifiers(found), found.law, found.ball
    rows: list[dict[str, Any]] = []
    for name, f in named.items():
        row = {"classifier": name, "law": "true", "loss": found.loss.name, "theta": found.theta, "eps": ball.radius}
        for risk in (standard_risk, boundary_risk, robust_risk):
            row[risk.__name__] = risk(f, law, ball)
        row["sensible_risk"] = sensible_risk(f, law, ball, named["bayes"])
        if name == "witness":
            row |= {"lam": found.lam, **{side: getattr(found, side) for side in SIDES}}
        rows.append(row)
    return rows


def _describe(found: Witness) -> str:
    values = {i: value for value, event in found.score.levels for i in event.members}
    points = enumerate(found.contacts)
    return " and ".join(f"mass {mass} with eta {(1 + alpha) / 2} and score {values[i]}" for i, (alpha, mass) in points)


def figure(losses: Sequence[str | Loss], xi: Exact = XI, steps: int = 20) -> Figure:
    """psi and, at theta = 0, 1/steps, ..., 1, the excess surrogate risk of the witnesses in their band of width xi."""
    import numpy as np

    from toy import draw

    fine = np.linspace(0, 1, 401)
    drawn, axes = draw.figure(1, len(losses))
    for ax, loss in zip(axes, map(as_loss, losses), strict=True):
        thetas = [Fraction(k, steps) for k in range(steps + 1)]
        ax.plot(fine, psi(loss, fine), color=draw.LINES[0], label=r"$\psi(\theta)$")
        ax.plot(fine, psi_tilde(loss, fine), "--", color="0.6", label=r"$\tilde\psi(\theta)$", zorder=1)
        for colour, wanted in zip(draw.LINES[1:], (1, 2), strict=False):
            found = [tightness_witness(loss, theta, xi) for theta in thetas]
            chosen = [w for w in found if len(w.contacts) == wanted]
            if chosen:
                xs, ys = [float(w.theta) for w in chosen], [_middle(w.excess) for w in chosen]
                low = [y - _middle(w.lower) for y, w in zip(ys, chosen, strict=True)]
                high = [_middle(w.upper) - y for y, w in zip(ys, chosen, strict=True)]
                name = f"excess of the witness, {'one point' if wanted == 1 else 'two points'}"
                ax.errorbar(xs, ys, yerr=(low, high), fmt="o", ms=3, capsize=2, color=colour, label=name)
        ax.set_title(f"{loss.name}, xi = {xi}", fontsize=9)
        ax.set_xlabel(r"$\theta$ = robust excess risk")
        ax.legend(fontsize=7)
    return drawn


def _middle(y: Fraction | Enclosure) -> float:
    return float(y) if isinstance(y, Fraction) else float(Fraction(y.lo + y.hi) / 2)


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m toy.twopoint``."""
    parser = cli.parser("toy.twopoint", __doc__ or "", "--loss exponential --theta 1/2 --xi 1/100")
    parser.add_argument(
        "--loss", nargs="+", default=["exponential"], metavar="LOSS", help=f"of {', '.join(sorted(LOSSES))}"
    )
    why = "it is a difference of two risks"
    parser.add_argument("--theta", nargs="+", type=cli.fraction_type("theta", "[0, 1]", why), default=[THETA],
                        help="robust excess risk (default 1/2)")  # fmt: skip
    parser.add_argument("--xi", type=cli.fraction_type("xi", "(0, inf)", "the bound is approached, not attained"),
                        default=XI, help="slack (default 1/100)")  # fmt: skip
    parser.add_argument("--eps", nargs="+", type=cli.radius_type("eps"), default=[EPS], help="radii (default 1/10)")
    parser.add_argument("--plot", type=cli.figure_type("plot"), metavar="FILE", help="draw to a png, pdf or svg file")
    cli.add_output_options(parser)
    return cli.run(parser, _report, argv)


def _report(args: argparse.Namespace) -> None:
    made = table(args.loss, args.theta, args.xi, args.eps)
    if args.plot:
        cli.save_figure(figure(args.loss, args.xi), args.plot)
    cli.emit(made, args, schema=SCHEMA)


if __name__ == "__main__":
    sys.exit(main())

"""Both sides of TRADES' Theorem 3.1 on the ODDS law, for natural scores of its classifiers: see `toy.bound`.

The scores: `indicator` (the signed indicator, of every classifier), `distance` (the signed l-infinity distance to the
decision boundary, of the linear ones) and `logit` (the log-odds, whose sign is the Bayes rule).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.loss import Loss, as_loss
from theory.odds.frontier import robust_optimum
from theory.odds.signgaussian import (
    LinearClassifier,
    SignGaussian,
    ThresholdClassifier,
    bayes_classifier,
    mean_classifier,
    sign_classifier,
)
from theory.odds.surrogate import indicator_bound, linear_score_bound, scaled_to_distance
from theory.table import Table
from toy.bound import COLUMNS, LAMS, check_loss, draw_pair, legend, sides

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.figure import Figure

    from theory.bounds import BoundReport
    from theory.numbers import Exact

SCORES = ("indicator", "distance", "logit")
POINTS = 12


def bound_table(
    law: SignGaussian, radii: Sequence[Fraction], loss: str | Loss, lam: Exact = 1, score: str = "indicator"
) -> Table:
    """One row a classifier and eps, in the columns of `toy.bound`.

    >>> row = bound_table(SignGaussian("3/4", 1, 4), [Fraction(1, 10)], "hinge", 1, "logit").rows[0]
    >>> row["classifier"], f"{row['delta_lhs']:.4f} {row['delta_rhs']:.4f}"
    ('bayes', '[0.0128, 0.0129] [0.0497, 0.0498]')
    """
    phi = as_loss(loss)
    check_loss(phi)
    scale = Fraction(lam)
    rows: list[dict[str, Any]] = []
    for eps in radii:
        for name, report in _reports(law, eps, phi, scale, score):
            rows.append({"classifier": name, "law": "true", "eps": eps, "lam": scale, **sides(report)})
    kind = {"indicator": "signed indicator", "distance": "signed distance"}.get(score, score)
    return Table(COLUMNS, rows, title=f"TRADES, Theorem 3.1, {phi.name} loss, {kind}")


def _reports(
    law: SignGaussian, eps: Fraction, phi: Loss, lam: Fraction, score: str
) -> Iterator[tuple[str, BoundReport]]:
    linear: dict[str, LinearClassifier] = {
        "mean": mean_classifier(), "sign": sign_classifier(), "bayes": bayes_classifier(law)
    }  # fmt: skip
    if score == "logit":
        yield "bayes", linear_score_bound(linear["bayes"], law, eps, phi, lam)
    elif score == "distance":
        for name, f in linear.items():
            yield name, linear_score_bound(scaled_to_distance(f, law), law, eps, phi, lam)
    else:
        for name, f in linear.items():
            yield name, indicator_bound(f, law, eps, phi, lam)
        best = robust_optimum(law, eps)
        if isinstance(best, LinearClassifier) or (isinstance(best, ThresholdClassifier) and eps < 1):
            yield "robust_optimum", indicator_bound(best, law, eps, phi, lam)


def bound_figure(law: SignGaussian, eps: Fraction, loss: str | Loss, lam: Exact, score: str = "indicator") -> Figure:
    """The sides against eps, up to twice the given one, above those against lambda; one column a classifier."""
    from toy import draw

    phi, scale = as_loss(loss), Fraction(lam)
    check_loss(phi)
    by_eps: dict[str, list[tuple[Fraction, BoundReport]]] = {}
    by_lam: dict[str, list[tuple[Fraction, BoundReport]]] = {}
    for k in range(POINTS + 1):
        other = 2 * eps * Fraction(k, POINTS)
        for name, report in _reports(law, other, phi, scale, score):
            by_eps.setdefault(name, []).append((other, report))
    for factor in LAMS:
        for name, report in _reports(law, eps, phi, scale * factor, score):
            by_lam.setdefault(name, []).append((scale * factor, report))
    drawn, axes = draw.figure(2, len(by_lam), width=3.0, height=2.6)
    for j, name in enumerate(by_lam):
        draw_pair((axes[j], axes[len(by_lam) + j]), name, (eps, scale), by_eps[name], by_lam[name])
    legend(drawn, axes[0])
    return drawn

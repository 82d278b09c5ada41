"""Both sides of TRADES' Theorem 3.1 for linear scores on the ODDS law, by integration with error bounds.

The score w.x + b is judged by its margin u = y (w.x + b), a mixture of normals N(mu, sd^2), and the full adversary of
radius eps moves it by at most R = eps ||w||_1. So, for a non-increasing phi,

    R_phi = E phi(u),   Pr[X in B(DB(f), eps)] = Pr[|u| <= R],   E max phi(f(X')f(X)/lam) = E phi((u^2 - R |u|)/lam),

and R*_phi = E H(1/(1 + e^-v)) with v the margin of the log-odds. Each is a normal integral, in one dimension, of a
function that is analytic between finitely many breaks: flint integrates it between them with a proven error; the tails
beyond 40 standard deviations, and slivers around irrational breaks, are bounded. E e^-u is a closed form.

>>> from theory.odds.signgaussian import bayes_classifier
>>> law = SignGaussian("0.75", 1, 1)
>>> report = linear_score_bound(bayes_classifier(law), law, "1/10", "logistic")   # the log-odds are the best score
>>> bool(report.terms["excess"].hi < Fraction(1, 10**20)), f"{report.lhs:.6f}"
(True, '[0.030111, 0.030112]')
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from theory.arbs import cdf, enclose, pdf, to_arb, working_precision
from theory.bounds import BoundReport, positive
from theory.calibration import psi_inverse
from theory.elementary import plain
from theory.enclosure import Enclosure, as_enclosure, maximum
from theory.envelope import transform
from theory.loss import LOSSES, Loss, as_loss
from theory.numbers import Exact
from theory.odds.signgaussian import (
    LinearClassifier,
    SignGaussian,
    ThresholdClassifier,
    bayes_classifier,
    radius,
    reach_arb,
    standard_risk,
)
from theory.polyline import PiecewiseLinear
from theory.trades.sharper import sharper_bound

Function = Callable[[Any, bool], Any]
Piece = tuple[Fraction | None, Fraction | None, Function]
"""Between two ends (None: unbounded), a function of an acb; the flag asks whether it is analytic there."""

_REACH = 40  # standard deviations integrated over


def linear_score_bound(
    classifier: LinearClassifier, law: SignGaussian, eps: Exact, loss: str | Loss, lam: Exact = 1
) -> BoundReport:
    """Both sides of TRADES, Theorem 3.1 for the score w.x + b itself; terms as `theory.bounds` names them.

    Raises ``ValueError`` for lam <= 0, a negative eps, and a loss that is not built in or not non-increasing.
    """
    phi, scale, eps = as_loss(loss), positive(lam), radius(eps)
    pieces = _pieces(phi)
    with working_precision():
        parts, move = _margins(classifier, law, eps)
        risk = _surrogate(phi, pieces, parts)
        if all(sd.is_zero() for _, _, sd in parts):
            worst = [(share, (u * u - move * abs(u)) / to_arb(scale)) for share, u, _ in parts]
            price = _average((share, phi.enclose(enclose(v))) for share, v in worst)
        else:
            price = _expectation(_inner(pieces, move, scale), parts, _top(phi, move, scale))
        return _report(phi, law, parts, move, standard_risk(classifier, law), risk, price)


def indicator_bound(
    classifier: LinearClassifier | ThresholdClassifier, law: SignGaussian, eps: Exact, loss: str | Loss, lam: Exact = 1
) -> BoundReport:
    """The same for the signed indicator of a classifier, whose score is its label.

    Raises ``ValueError`` also for a threshold rule and eps >= 1, where the adversary turns x_1.
    """
    phi, scale, eps = as_loss(loss), positive(lam), radius(eps)
    with working_precision():
        parts, move = _margins(classifier, law, eps)
        wrong, near = standard_risk(classifier, law), _near(parts, move)
        risk = phi.enclose(1) * (1 - wrong) + phi.enclose(-1) * wrong
        price = phi.enclose(1 / scale) * (1 - near) + phi.enclose(-1 / scale) * near
        return _report(phi, law, parts, move, wrong, risk, price)


def surrogate_risk(classifier: LinearClassifier, law: SignGaussian, loss: str | Loss) -> Enclosure:
    """R_phi of the score w.x + b.

    >>> law = SignGaussian("3/4", 1, 4)
    >>> print(f"{surrogate_risk(LinearClassifier(0, '1/4'), law, 'squared_hinge'):.12f}")    # u is N(1, 1/4)
    [0.124999999999, 0.125000000001]
    """
    phi = as_loss(loss)
    pieces = _pieces(phi)
    with working_precision():
        parts, _ = _margins(classifier, law, Fraction(0))
        return _surrogate(phi, pieces, parts)


def optimal_surrogate_risk(law: SignGaussian, loss: str | Loss) -> Enclosure:
    """R*_phi = E H(eta(X)).

    >>> law = SignGaussian("0.75", 1, 1)
    >>> print(f"{optimal_surrogate_risk(law, 'hinge') / 2:.12f} {standard_risk(bayes_classifier(law), law):.12f}")
    [0.127016830205, 0.127016830206] [0.127016830205, 0.127016830206]
    """
    phi = as_loss(loss)
    with working_precision():
        parts, _ = _margins(bayes_classifier(law), law, Fraction(0))
        return _expectation(_least(phi), parts, Fraction(phi.enclose(0).hi))  # H <= C(eta, 0) = phi(0)


def _top(phi: Loss, move: Any, scale: Fraction) -> Fraction:
    """The largest phi((u^2 - move |u|)/scale), at |u| = move/2."""
    top = phi.enclose(-(enclose(move) ** 2) / (4 * scale)).hi
    if isinstance(top, float):
        raise ValueError(f"lam {scale} is so small that phi reaches more than 2^20000 in a ball; take a larger one")
    return top


def _report(
    phi: Loss, law: SignGaussian, parts: Sequence[Any], move: Any, wrong: Enclosure, risk: Enclosure, price: Enclosure
) -> BoundReport:
    best = optimal_surrogate_risk(law, phi)
    excess = maximum(risk - best, 0)
    inverse = as_enclosure(psi_inverse(phi, excess))
    robust = _average((share, _below(mean, sd, move)) for share, mean, sd in parts)
    least, near = standard_risk(bayes_classifier(law), law), _near(parts, move)
    crossing = robust - wrong
    lhs, rhs = robust - least, inverse + price
    terms = {
        "surrogate_risk": risk, "optimal_surrogate_risk": best, "excess": excess, "psi_inverse": inverse,
        "standard_risk": wrong, "robust_risk": robust, "bayes_risk": least, "boundary_risk": crossing,
        "boundary_probability": near, "adversarial": price, "first": inverse + crossing,
        "sharper": sharper_bound(phi, excess, near),
    }  # fmt: skip
    return BoundReport(lhs, rhs, rhs - lhs, terms)


# ---- margins ----


def _margins(
    classifier: LinearClassifier | ThresholdClassifier, law: SignGaussian, eps: Fraction
) -> tuple[list[tuple[Fraction, Any, Any]], Any]:
    """The normal parts (share, mean, sd) of the margin, and how far the adversary moves it."""
    parts = classifier.margins(law, Fraction(0), "none")
    if isinstance(classifier, ThresholdClassifier):
        if eps >= 1:
            raise ValueError(f"eps {eps} turns x_1, where a threshold rule has no margin; allowed are radii below 1")
        return parts, reach_arb(law, eps)
    _, absolute, _ = classifier.weak_sums(law)
    return parts, to_arb(eps) * (abs(to_arb(classifier.strong)) + absolute)


def _below(mean: Any, sd: Any, x: Any) -> Enclosure:
    """Pr[u <= x]."""
    if not sd.is_zero():
        return enclose(cdf((x - mean) / sd), 0, 1)
    return Enclosure(int(mean <= x), int(not mean > x))


def _near(parts: Sequence[Any], move: Any) -> Enclosure:
    """Pr[|u| <= move]."""

    def share_near(mean: Any, sd: Any) -> Enclosure:
        if sd.is_zero():
            return Enclosure(int(abs(mean) <= move), int(not abs(mean) > move))
        return enclose(cdf((move - mean) / sd) - cdf((-move - mean) / sd), 0, 1)

    return _average((share, share_near(mean, sd)) for share, mean, sd in parts)


def _average(values: Any) -> Enclosure:
    return sum((share * value for share, value in values), Enclosure.exact(0))


# ---- phi, H and the inner maximum as analytic pieces ----


def _exp_pieces(function: Function) -> list[Piece]:
    return [(None, None, function)]


def _log(z: Any, analytic: bool) -> Any:
    return z.log(analytic=analytic)


_ANALYTIC: dict[str, list[Piece]] = {
    "exponential": _exp_pieces(lambda z, _: (-z).exp()),
    "logistic": _exp_pieces(lambda z, an: _log(1 + (-z).exp(), an) / _log(0 * z + 2, False)),
    "sigmoid": _exp_pieces(lambda z, _: 2 / (1 + (2 * z).exp())),
    "savage": _exp_pieces(lambda z, _: 1 / (1 + z.exp()) ** 2),
    "rescaled_savage": _exp_pieces(lambda z, _: 4 / (1 + z.exp()) ** 2),
    "squared_hinge": [(None, Fraction(1), lambda z, _: (1 - z) ** 2), (Fraction(1), None, lambda z, _: 0 * z)],
    "modified_huber": [
        (None, Fraction(-1), lambda z, _: -4 * z),
        (Fraction(-1), Fraction(1), lambda z, _: (1 - z) ** 2),
        (Fraction(1), None, lambda z, _: 0 * z),
    ],
}


def _pieces(phi: Loss) -> list[Piece]:
    if not phi.non_increasing:
        raise ValueError(f"loss {phi.name!r} is not non-increasing, so its largest value in a ball is not at an end")
    if isinstance(phi.formula, PiecewiseLinear) and phi.radius is None:
        return _linear_pieces(phi.formula)
    if LOSSES.get(phi.name) != phi or phi.name not in _ANALYTIC:
        raise ValueError(f"loss {phi.name!r} has no analytic pieces here; allowed are the built-in losses")
    return _ANALYTIC[phi.name]


def _linear_pieces(line: PiecewiseLinear) -> list[Piece]:
    xs = [knot.x for knot in line.knots]
    anchors = [(line.knots[0].x, line.knots[0].left), *((knot.x, knot.right) for knot in line.knots)]

    def piece(anchor: tuple[Fraction, Fraction], slope: Fraction) -> Function:
        return lambda z, _: to_arb(anchor[1]) + to_arb(slope) * (z - to_arb(anchor[0]))

    ends = [None, *xs, None]
    return [
        (lo, hi, piece(anchor, slope))
        for lo, hi, anchor, slope in zip(ends[:-1], ends[1:], anchors, line.slopes, strict=True)
    ]


def _least(phi: Loss) -> list[tuple[Any, Any, Function]]:
    """H(1/(1 + e^-v)) as a function of v, even."""

    def small(z: Any) -> Any:  # q = 1 - eta
        return 1 / (1 + z.exp())

    forms: dict[str, Function] = {
        "exponential": lambda z, _: 2 / ((z / 2).exp() + (-z / 2).exp()),
        "sigmoid": lambda z, _: 2 * small(z),
        "logistic": lambda z, an: (z * small(z) + _log(1 + (-z).exp(), an)) / _log(0 * z + 2, False),
        "savage": lambda z, _: small(z) * (1 - small(z)),
        **dict.fromkeys(
            ("rescaled_savage", "squared_hinge", "modified_huber"), lambda z, _: 4 * small(z) * (1 - small(z))
        ),
    }
    _pieces(phi)  # refuses what has none
    if not isinstance(phi.formula, PiecewiseLinear):
        return _even([(None, None, forms[phi.name])])
    found: list[tuple[Any, Any, Function]] = []
    for lo, hi, line in _linear_pieces(transform(phi).G_lo):  # H = G for eta >= 1/2, and eta = 1 - q
        start, stop = max(lo or Fraction(0), Fraction(1, 2)), min(Fraction(1) if hi is None else hi, Fraction(1))
        if start < stop:
            ends = [None if eta == 1 else enclose(to_arb(eta / (1 - eta)).log()) for eta in (start, stop)]
            found.append((ends[0], ends[1], _after(line, lambda z: 1 - small(z))))
    return _even(found)


def _inner(pieces: Sequence[Piece], move: Any, scale: Fraction) -> list[tuple[Any, Any, Function]]:
    """phi((u^2 - move |u|)/scale) as a function of u, even: the breaks of phi pulled back on both branches."""
    from flint import arb

    lam = to_arb(scale)

    def level(u: Any) -> Any:
        return u * (u - move) / lam

    breaks: list[Any] = []
    for lo, _, _ in pieces:
        if lo is not None and (square := move * move + 4 * lam * to_arb(lo)) >= 0:
            breaks += [enclose((move + side * square.sqrt()) / 2) for side in (-1, 1)]
        elif lo is not None and not square < 0:  # two roots, or one, or none: all within this ball
            breaks.append(enclose((move + arb(0, square.abs_upper().sqrt())) / 2))
    inside = sorted((x for x in breaks if x.hi > 0), key=lambda x: x.lo)
    found: list[tuple[Any, Any, Function]] = []
    for one, two in zip([None, *inside], [*inside, None], strict=True):
        left = Fraction(0) if one is None else max(Fraction(one.hi), Fraction(0))
        right = left + 2 if two is None else Fraction(two.lo)
        if left >= right:
            continue
        middle = enclose(level(to_arb((left + right) / 2)))
        for lo, hi, g in pieces:
            if (lo is None or middle.lo >= lo) and (hi is None or middle.hi <= hi):
                found.append((one, two, _after(g, level)))
                break
    return _even(found)


def _after(g: Function, inner: Callable[[Any], Any]) -> Function:
    return lambda u, analytic: g(inner(u), analytic)


def _even(right: list[tuple[Any, Any, Function]]) -> list[tuple[Any, Any, Function]]:
    """The pieces right of 0 and their mirror images; an end None on the left is 0 there."""
    full = [(Fraction(0) if lo is None else lo, hi, g) for lo, hi, g in right]
    mirrored = [(None if hi is None else -hi, -lo, _after(g, lambda u: -u)) for lo, hi, g in reversed(full)]
    return [*mirrored, *full]


# ---- integration ----


def _surrogate(phi: Loss, pieces: Sequence[Piece], parts: Sequence[Any]) -> Enclosure:
    if all(sd.is_zero() for _, _, sd in parts):
        return _average((share, phi.enclose(enclose(u))) for share, u, _ in parts)
    if phi.name == "exponential":
        return _average((share, enclose((sd * sd / 2 - mean).exp())) for share, mean, sd in parts)
    if isinstance(phi.formula, PiecewiseLinear):
        slope = max(abs(s) for s in phi.formula.slopes)
        places = [(abs(k.x), abs(v)) for k in phi.formula.knots for v in k[1:]]
        grows = max(v for _, v in places) + slope * (1 + max(x for x, _ in places))
    else:
        grows = Fraction(4)  # each of the others is at most 4 (1 + u^2)
    return _expectation(pieces, parts, grows)


def _expectation(pieces: Sequence[tuple[Any, Any, Function]], parts: Sequence[Any], grows: Fraction) -> Enclosure:
    """E g(u) for a mixture of normals, where 0 <= g(u) <= grows (1 + u^2)."""
    return _average((share, _normal_mean(pieces, mean, sd, grows)) for share, mean, sd in parts)


def _normal_mean(pieces: Sequence[tuple[Any, Any, Function]], mean: Any, sd: Any, grows: Fraction) -> Enclosure:
    from flint import acb, arb

    low = Fraction(math.floor(enclose(mean - _REACH * sd).lo))
    high = Fraction(math.ceil(enclose(mean + _REACH * sd).hi))
    root = (2 * arb.pi()).sqrt() * sd
    total, covered = Enclosure.exact(0), Fraction(0)
    for start, stop, g in pieces:
        left = low if start is None else max(low, Fraction(as_enclosure(start).hi))
        right = high if stop is None else min(high, Fraction(as_enclosure(stop).lo))
        if left >= right:
            continue

        def integrand(z: Any, analytic: bool, g: Function = g) -> Any:
            t = (z - mean) / sd
            return g(z, analytic) * (-t * t / 2).exp() / root

        value = acb.integral(integrand, acb(to_arb(left)), acb(to_arb(right)))
        total, covered = total + enclose(value.real), covered + (right - left)
    # beyond the window: 1 + u^2 <= 1 + 2 mean^2 + 2 sd^2 t^2, and E[t^2; t > T] = T pdf(T) + Pr[t > T]
    edge = to_arb(_REACH)
    tail = 2 * (1 + 2 * mean * mean) * cdf(-edge) + 4 * sd * sd * (edge * pdf(edge) + cdf(-edge))
    # slivers around breaks: their length times the largest density times the largest value in the window
    reach = max(abs(low), abs(high))
    sliver = to_arb(high - low - covered) / root * to_arb(1 + reach * reach)
    slack = enclose(to_arb(grows) * (tail + sliver)).hi
    return total + Enclosure(0, max(Fraction(slack), Fraction(0)), "normal integral with bounded tails")


def scaled_to_distance(classifier: LinearClassifier, law: SignGaussian) -> LinearClassifier:
    """The same rule with its weights divided by ||w||_1: the score is then the signed l-infinity distance.

    Raises ``ValueError`` without a shared weak weight and for weights that are all zero.
    """
    weak: Any = classifier.weak
    if not isinstance(weak, Fraction | Enclosure):
        raise ValueError("the signed distance is offered for weak features that share one weight")
    strong: Any = classifier.strong
    norm = plain(abs(as_enclosure(strong)) + law.d * abs(as_enclosure(weak)))
    if norm == 0:
        raise ValueError("the weights are all 0: a constant has no decision boundary")
    return LinearClassifier(strong / norm, weak / norm, classifier.bias / norm, classifier.sign_of_zero)

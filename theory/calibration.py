"""Conditional risks and psi-transforms of margin losses: in closed form, exactly, or between rigorous bounds.

With eta = Pr[Y = 1 | x], predicting the score alpha costs C(eta, alpha) = eta phi(alpha) + (1 - eta) phi(-alpha); H is
its infimum over all scores, H_minus over the scores of the wrong sign, psi_tilde(theta) = (H_minus - H)((1 + theta)/2),
and psi is the largest convex function below psi_tilde on [0, 1] (TRADES, Section 2.5; Bartlett, Jordan and McAuliffe,
2006). All of them follow from the risk over non-negative scores, G(eta) = inf over alpha >= 0 of C(eta, alpha):

    H(eta) = min(G(eta), G(1 - eta)),  H_minus(eta) = G(min(eta, 1 - eta)),
    psi_tilde(theta) = max(0, G((1 - theta)/2) - G((1 + theta)/2)).

G is the lower envelope of the lines eta phi(alpha) + (1 - eta) phi(-alpha). A piecewise linear loss needs finitely many
of them, so everything is exact; any other loss is enclosed between two such envelopes.

A ``loss`` is a name or a `theory.loss.Loss`. Floats (arrays of any shape included) give floats, exact numbers give
Fractions where the value is known to be rational and an `Enclosure` else; a loss with neither a closed form nor linear
pieces always gives an `Enclosure`, which narrows as ``cells`` grows.

>>> psi("logistic", 1e-8), psi_inverse("exponential", 0.2), psi("exponential", Fraction(3, 5))
(7.213475204444818e-17, 0.6000000000000001, Fraction(1, 5))
>>> psi("capped_hinge", Fraction(1, 2)), psi_tilde("capped_hinge", Fraction(1, 2))
(Fraction(3, 4), Fraction(1, 1))
>>> from theory.loss import Loss
>>> cubic = Loss("cubic", lambda u: max(1 - u, 0) ** 3, non_increasing=True, convex=True, limit=0)
>>> print(f"{psi(cubic, Fraction(1, 2)):.4f}")
[0.1961, 0.1962]
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.closed_forms import closed_form
from theory.elementary import as_floats, plain
from theory.enclosure import Enclosure, Undecided, as_enclosure
from theory.envelope import CELLS, transform
from theory.loss import LOSSES, Loss, as_loss
from theory.numbers import as_fraction
from theory.rounding import float_down, float_up

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# ---- the verbs ----


def conditional_risk(loss: str | Loss, eta: Any, alpha: Any) -> Any:
    """C(eta, alpha) = eta phi(alpha) + (1 - eta) phi(-alpha) (TRADES, Section 2.5).

    >>> conditional_risk("hinge", Fraction(3, 4), Fraction(1, 2)), conditional_risk("exponential", 0.5, 0.0)
    (Fraction(3, 4), 1.0)
    """
    loss = as_loss(loss)
    if as_floats(eta) is None and as_floats(alpha) is None:
        eta = eta if isinstance(eta, Enclosure) else _inside(eta, "eta", 1)
        return plain(eta * loss.enclose(alpha) + (1 - eta) * loss.enclose(-alpha))
    eta, alpha = _inside(np.asarray(eta, dtype=float), "eta", 1), np.asarray(alpha, dtype=float)
    right, wrong = loss.phi(alpha), loss.phi(-alpha)
    with np.errstate(invalid="ignore"):  # a label that never comes costs nothing, even at an infinite loss
        risk = np.where(eta == 0, 0, eta * right) + np.where(eta == 1, 0, (1 - eta) * wrong)
    return risk if risk.ndim else float(risk)


def H(loss: str | Loss, eta: Any, *, cells: int = CELLS) -> Any:  # noqa: N802 - the formula's name
    """The least conditional risk, inf over alpha of C(eta, alpha) (TRADES, Section 2.5). Also takes an enclosed eta.

    >>> H("exponential", Fraction(1, 5)), H("sigmoid", 0.25)
    (Fraction(4, 5), 0.5)
    """
    return _answer("H", loss, eta, cells)


def H_minus(loss: str | Loss, eta: Any, *, cells: int = CELLS) -> Any:  # noqa: N802
    """The least conditional risk of a wrong sign, inf of C over alpha (2 eta - 1) <= 0 (TRADES, Section 2.5).

    >>> H_minus("asymmetric_hinge", Fraction(3, 4))
    Fraction(15, 16)
    """
    return _answer("H_minus", loss, eta, cells)


def psi_tilde(loss: str | Loss, theta: Any, *, cells: int = CELLS) -> Any:
    """(H_minus - H)((1 + theta)/2), what a wrong sign costs when the labels differ by theta in probability.

    >>> psi_tilde("asymmetric_hinge", Fraction(3, 5)), psi("asymmetric_hinge", Fraction(3, 5))
    (Fraction(3, 4), Fraction(3, 5))
    """
    return _answer("psi_tilde", loss, theta, cells)


def psi(loss: str | Loss, theta: Any, *, cells: int = CELLS) -> Any:
    """The psi-transform at theta in [0, 1]: the largest convex function below psi_tilde (TRADES, Section 2.5, Table 2).

    The biconjugate is taken with psi_tilde = +infinity outside [0, 1]. Also takes an enclosed theta. Raises
    ``ValueError`` for theta outside [0, 1], for a loss that is negative somewhere and for a false declared trait.

    >>> psi("logistic", 0.5), psi("hinge", Fraction(1, 3))
    (0.1887218755408672, Fraction(1, 3))
    """
    return _answer("psi", loss, theta, cells)


def psi_inverse(loss: str | Loss, excess: Any, *, cells: int = CELLS) -> Any:
    """The generalised inverse sup {theta in [0, 1]: psi(theta) <= excess}, which is 1 from psi(1) on.

    Excess surrogate risks beyond psi(1) exist, so (TRADES, Theorem 3.1) needs it. Also takes an enclosed excess, and
    infinity. Raises ``ValueError`` for a negative excess.

    >>> psi_inverse("squared_hinge", Fraction(1, 4)), psi_inverse("hinge", 7.0)
    (Fraction(1, 2), 1.0)
    """
    return _answer("psi_inverse", loss, excess, cells)


def is_calibrated(loss: str | Loss, *, cells: int = CELLS) -> bool:
    """Whether H_minus(eta) > H(eta) for all eta other than 1/2 (TRADES, Assumption 1), that is psi > 0 on (0, 1].

    Decided by psi where it is known well enough, else by the declared trait; raises `Undecided` without one.

    >>> is_calibrated("step"), is_calibrated("kinked_hinge")
    (True, False)
    """
    loss = as_loss(loss)
    if closed_form(loss):
        return True  # each of the formulas is positive on (0, 1]
    model = transform(loss, cells=cells)
    if not model.psi_lo.last_at_most(Fraction(0), stop=Fraction(1)):
        return True
    if model.psi_hi.last_at_most(Fraction(0), stop=Fraction(1)):
        return False
    if loss.calibrated is None:
        raise Undecided(f"whether loss {loss.name!r} is calibrated is not decided; declare calibrated or raise cells")
    return loss.calibrated


# ---- one answer for every kind of number ----

_RANGE = MappingProxyType(
    {
        "H": ("eta", 1),
        "H_minus": ("eta", 1),
        "psi_tilde": ("theta", 1),
        "psi": ("theta", 1),
        "psi_inverse": ("excess", math.inf),
    }
)
"""The argument of each verb and its largest value; the least is 0."""


def _answer(verb: str, loss: str | Loss, x: Any, cells: int) -> Any:
    loss = as_loss(loss)
    closed = closed_form(loss)
    name, top = _RANGE[verb]
    if isinstance(x, Enclosure):
        if not x.is_exact:
            return _over_range(verb, loss, x, cells)
        x = x.fraction
    floats = as_floats(x)
    x = _inside(x if floats is None else floats, name, top)
    if closed:
        y = getattr(closed, verb)(x)
        return plain(y) if floats is None else y if np.ndim(y) else float(y)
    model = transform(loss, cells=cells)
    exact = getattr(model, verb)
    if floats is None:
        return exact(x)
    values = [exact(Fraction(min(v, sys.float_info.max))) for v in floats.flat]
    y = np.array(values, dtype=object if model.how else float).reshape(floats.shape)
    return y if y.ndim else y.item()


def _over_range(verb: str, loss: Loss, x: Enclosure, cells: int) -> Enclosure:
    """The answer for an enclosed argument, by monotonicity: psi and its inverse rise, H rises up to 1/2."""
    name, top = _RANGE[verb]
    if x.hi < 0 or x.lo > top:
        raise ValueError(f"{name} {x} is out of range; it must lie between 0 and {top}")
    lo, hi = max(x.lo, Fraction(0)), min(x.hi, top)
    if verb == "H":
        middle = lo <= Fraction(1, 2) <= hi
        lo, hi = min(lo, 1 - hi), Fraction(1, 2) if middle else max(min(lo, 1 - lo), min(hi, 1 - hi))
    elif verb not in ("psi", "psi_inverse"):
        raise TypeError(f"{verb} of an enclosed {name} is not offered, since it need not be monotone; give a number")
    ends = [as_enclosure(1 if end == math.inf else _answer(verb, loss, end, cells)) for end in (lo, hi)]
    return Enclosure(ends[0].lo, ends[1].hi, (*x.how, *ends[0].how, *ends[1].how), x.alpha)


def _inside(x: Any, name: str, top: float) -> Any:
    """x as an array of floats or as a Fraction, all between 0 and top."""
    if isinstance(x, np.ndarray):
        bad = x[~((x >= 0) & (x <= top))]
        if bad.size:
            raise ValueError(f"{name} {bad.flat[0]} is out of range; it must lie between 0 and {top}")
        return x
    value = as_fraction(x, name)
    if not 0 <= value <= top:
        raise ValueError(f"{name} {value} is out of range; it must lie between 0 and {top}")
    return value


# ---- the picture ----


def figure(losses: Iterable[str | Loss] | None = None, *, cells: int = CELLS) -> Figure:
    """All psi-transforms in one picture: losses with one psi share a line, psi_tilde is dashed where it differs, a loss
    known between bounds is a band. Save it with ``figure().savefig("psi.png")``.

    >>> [line.get_label() for line in figure(["hinge", "ramp", "logistic"]).axes[0].get_lines()]
    ['hinge, ramp', 'logistic']
    """
    from matplotlib.figure import Figure

    picture = Figure(figsize=(9, 5), layout="constrained")
    axes = picture.subplots()
    theta = np.linspace(0, 1, 201)
    groups: dict[tuple[float, ...], list[Loss]] = {}
    for loss in dict.fromkeys(map(as_loss, LOSSES.values() if losses is None else losses)):
        curve = psi(loss, theta, cells=cells)
        if curve.dtype == object:
            lo, hi = [float_down(y.lo) for y in curve], [float_up(y.hi) for y in curve]
            color = f"C{len(axes.collections) + 5}"
            axes.fill_between(theta, lo, hi, color=color, lw=1, label=f"{loss.name} (enclosure)")
        else:
            groups.setdefault(tuple(curve.round(12)), []).append(loss)
    for curve, group in groups.items():
        (line,) = axes.plot(theta, curve, label=", ".join(loss.name for loss in group))
        for loss in group:
            if not np.allclose(tilde := psi_tilde(loss, theta), curve, rtol=0, atol=1e-12):
                axes.plot(theta, tilde, "--", color=line.get_color(), label=rf"$\tilde\psi$ of {loss.name}")
    axes.set(xlabel=r"$\theta$", ylabel=r"$\psi(\theta)$", xlim=(0, 1), ylim=(0, None))
    picture.legend(loc="outside right upper", fontsize="small")
    return picture

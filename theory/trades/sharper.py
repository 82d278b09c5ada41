"""A bound on the excess robust risk that is sharper than TRADES' Theorem 3.1, with its proof.

With e = R_phi(f) - R*_phi, s = Pr[X in B(DB(f), eps)] and psi the transform of a non-negative loss phi:

    R_rob(f) - R*  <=  s + (1 - s) psi^-1(min(psi(1), e / (1 - s))).

Proof. Where X is not in B(DB(f), eps), f has one sign on the ball and errs under attack only if it errs at X, so
(TRADES, Lemma C.6) R_rob - R* <= s + E 1[X not in B] Z with Z = 1[f(X)(2 eta - 1) <= 0] |2 eta - 1|. The conditional
excess surrogate risk at x is at least psi(Z), so by Jensen psi(E[Z | X not in B]) <= E[psi(Z) | X not in B] <=
e / (1 - s). []

It needs neither phi >= 1 on u <= 0 nor Pr[f(X) = 0] = 0, and it is never above psi^-1(e) + s, through which the proof
of Theorem 3.1 passes: with z = psi^-1(min(psi(1), e/(1 - s))), convexity and psi(0) = 0 give psi((1 - s) z) <= (1 - s)
psi(z) <= e, so (1 - s) z <= psi^-1(e); strictly, if psi is strictly convex, 0 < s < 1 and e > 0. So it is below the
theorem's right side wherever E max phi >= s. (The middle term psi^-1(e) + R_bdy may be smaller: R_bdy <= s.)

It is attained in the limit by boundary points with |2 eta - 1| = 1, right by far, whose neighbours' scores tend to 0
from the wrong side, and Theorem 3.2's points elsewhere.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.calibration import psi, psi_inverse
from theory.enclosure import Enclosure, as_enclosure, minimum
from theory.loss import Loss, as_loss

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from theory.numbers import Exact


def sharper_bound(loss: str | Loss, excess: Enclosure | Exact, probability: Enclosure | Exact) -> Enclosure:
    """s + (1 - s) psi^-1(min(psi(1), e / (1 - s))), increasing in e and in s; 1 at s = 1.

    >>> f"{sharper_bound('exponential', Fraction(1, 5), Fraction(1, 2)):.6f}"   # psi^-1(e) + s would be 1.1
    '0.900000'
    """
    phi = as_loss(loss)
    e, s = as_enclosure(excess), as_enclosure(probability)
    top = as_enclosure(psi(phi, Fraction(1)))

    def at(excess_end: Any, share: Any) -> Enclosure:
        if share >= 1:
            return Enclosure.exact(1)
        inner = minimum(top, as_enclosure(Fraction(excess_end) / (1 - Fraction(share))))
        bound: Enclosure = share + (1 - share) * as_enclosure(psi_inverse(phi, inner))
        return bound

    if e.is_exact and s.is_exact:
        return at(e.lo, s.lo)
    low, high = at(max(e.lo, Fraction(0)), max(s.lo, Fraction(0))), at(e.hi, min(s.hi, Fraction(1)))
    return Enclosure(low.lo, high.hi, (*e.how, *high.how), min(Fraction(1), e.alpha + s.alpha))


def figure(losses: tuple[str | Loss, ...] = ("hinge", "exponential", "logistic", "squared_hinge")) -> Figure:
    """psi^-1(e) + s (dashed) and the sharper bound (solid) against e, one colour an s, one panel a loss.

    >>> [ax.get_title() for ax in figure(("exponential",)).axes]
    ['exponential']
    """
    from matplotlib.figure import Figure

    shares = (Fraction(0), Fraction(1, 10), Fraction(3, 10), Fraction(6, 10))
    excesses = [Fraction(k, 60) for k in range(61)]
    picture = Figure(figsize=(3.2 * len(losses), 3.4), layout="constrained")
    axes = picture.subplots(1, len(losses), squeeze=False, sharey=True)[0]
    for ax, loss in zip(axes, map(as_loss, losses), strict=True):
        for k, s in enumerate(shares):
            old = [_middle(as_enclosure(psi_inverse(loss, e)) + s) for e in excesses]
            new = [_middle(sharper_bound(loss, e, s)) for e in excesses]
            ax.plot([float(e) for e in excesses], old, "--", color=f"C{k}", linewidth=1)
            ax.plot([float(e) for e in excesses], new, color=f"C{k}", label=f"s = {float(s):g}")
        ax.axhline(1, color="0.8", linewidth=0.8, zorder=0)  # above it a bound says nothing
        ax.set(title=loss.name, xlabel="e, the excess surrogate risk", ylim=(0, None))
    axes[0].set_ylabel("bound on the excess robust risk")
    axes[0].legend(fontsize="small")
    return picture


def _middle(x: Enclosure) -> float:
    return float(Fraction(x.lo + x.hi) / 2)

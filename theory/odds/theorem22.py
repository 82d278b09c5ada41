"""Theorem 2.2 and Lemmas D.2 to D.5 of ODDS: the constants enclosed and sharpened, and the thresholds that are true.

With G(u) = E max(0, N(-u, 1)) = phi(u) - u Phi(-u) and s = eta sqrt(d), the proof of Lemma D.2 compares two losses of
unit-norm SVMs: (1-p) G(s-1-sqrt 2)/sqrt 2, a lower bound when v < 1/sqrt 2, and G(s-1), attained by the weak features
alone. At s = 4 the paper rounds them to .016 (1-p) and .0004, which closes at p = .975 with equality.

>>> lower, upper = lemma_d2_losses(4)
>>> print(f"{lower:.16f} {upper:.18f}")
[0.0169932967624700, 0.0169932967624701] [0.000382154317047723, 0.000382154317047724]
>>> print(f"{lemma_d2_reliability(4):.12f} {lemma_d2_signal('0.975'):.8f}")
[0.977511466880, 0.977511466881] [3.91038665, 3.91038666]

What is true is read off the solution itself (`theory.odds.svm`): v >= 1/sqrt 2 for reliabilities up to

>>> print(f"{balanced_reliability(4):.7f}")
[0.9991706, 0.9991707]

and the theorem's first half (accuracy above 99%, under the shift by 2 eta below 1%) from s = 3 on rather than 4:

>>> print(f"{level_signal('0.975'):.6f} {level_reliability(3):.7f}")
[2.975753, 2.975754] [0.9782550, 0.9782551]
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from theory.arbs import cdf, enclose, pdf, to_arb, working_precision
from theory.enclosure import Enclosure
from theory.krawczyk import Jet, normal_cdf, normal_pdf, verified_zero
from theory.numbers import Exact, as_fraction
from theory.odds.signgaussian import SignGaussian, shifted_accuracy, standard_accuracy
from theory.odds.svm import kkt_gradient, train_svm


def lemma_d2_losses(signal: Exact) -> tuple[Enclosure, Enclosure]:
    """The two losses of the proof of Lemma D.2 at s = eta sqrt(d): G(s-1-sqrt 2)/sqrt 2 and G(s-1).

    The first is E max(0, 1 + 1/sqrt 2 - N(s/sqrt 2, 1/2)), which the paper bounds by .016 from below at s = 4; the
    second is E max(0, 1 - N(s, 1)), which it bounds by .0004 from above.
    """
    with working_precision():
        s, root = to_arb(_signal(signal)), to_arb(2).sqrt()
        return enclose(_tail_mean(s - 1 - root) / root), enclose(_tail_mean(s - 1))


def lemma_d2_reliability(signal: Exact) -> Enclosure:
    """The largest reliability the proof of Lemma D.2 reaches with exact constants: 1 - sqrt 2 G(s-1) / G(s-1-sqrt 2).

    It increases with s (and the theorem speaks of s >= 4, the proof of s = 4): G(s-1)/G(s-1-sqrt 2) decreases, because
    -G'/G = Phi(-u)/G(u) increases in u, G being log-concave.
    """
    lower, upper = lemma_d2_losses(signal)
    return 1 - upper / lower


def lemma_d2_signal(reliability: Exact) -> Enclosure:
    """The s = eta sqrt(d) from which on the proof of Lemma D.2 works for that reliability.

    Raises ``ValueError`` for a reliability outside [1/2, 1).
    """
    p = SignGaussian(reliability, 1, 1).reliability

    def system(s: Jet) -> list[Jet]:
        root = to_arb(2).sqrt()
        return [to_arb(1 - p) * _tail_mean_jet(s - 1 - root) - root * _tail_mean_jet(s - 1)]

    start = _bisect(lambda s: float(lemma_d2_reliability(Fraction(s)).lo) - float(p), 1.5, 40)
    return verified_zero(system, [start])[0]


def balanced_reliability(signal: Exact) -> Enclosure:
    """The reliability at which the unit-norm SVM weighs both features equally, v = w = 1/sqrt 2.

    There the two KKT equations (`theory.odds.svm`) are linear in p: with a = sqrt 2 - 1 - s and b = sqrt 2 + 1 - s,
    p N_1 = (1-p) N_2 for N_1 = Phi(a)(1 - s) + phi(a) and N_2 = Phi(b)(1 + s) - phi(b).
    """
    with working_precision():
        s, root = to_arb(_signal(signal)), to_arb(2).sqrt()
        a, b = root - 1 - s, root + 1 - s
        first, second = cdf(a) * (1 - s) + pdf(a), cdf(b) * (1 + s) - pdf(b)
        return enclose(second / (first + second))


def level_reliability(signal: Exact, level: Exact = "0.01") -> Enclosure:
    """The reliability at which the unit-norm SVM's accuracy under the fixed shift by 2 eta is ``level``; at a given s.

    Solved with the KKT equations, as one system in (w, v, lam, p).
    """
    s, goal = _signal(signal), as_fraction(level, "level")

    def system(w: Jet, v: Jet, lam: Jet, p: Jet) -> list[Jet]:
        u = to_arb(s)
        return [*_unit_norm(u, p, w, v, lam), _shifted(u, p, w, v) - to_arb(goal)]

    p = _bisect(lambda x: _level(SignGaussian(Fraction(x), s, 1)) - float(goal), 0.5, 1 - 1e-6)
    return verified_zero(system, [*_known(SignGaussian(Fraction(p), s, 1)), p])[3]


def level_signal(reliability: Exact, level: Exact = "0.01") -> Enclosure:
    """The s at which the unit-norm SVM's accuracy under the fixed shift by 2 eta is ``level``; at a given reliability.

    For reliability 1/2 feature 1 gets no weight and the accuracy is Phi(-s).
    """
    p, goal = SignGaussian(reliability, 1, 1).reliability, as_fraction(level, "level")
    if p == Fraction(1, 2):
        from theory.special import normal_quantile

        return -normal_quantile(goal)

    def system(w: Jet, v: Jet, lam: Jet, s: Jet) -> list[Jet]:
        q = to_arb(p)
        return [*_unit_norm(s, q, w, v, lam), _shifted(s, q, w, v) - to_arb(goal)]

    s = _bisect(lambda x: float(goal) - _level(SignGaussian(p, Fraction(x), 1)), 1.5, 12)
    return verified_zero(system, [*_known(SignGaussian(p, Fraction(s), 1)), s])[3]


def first_half_holds(law: SignGaussian) -> bool:
    """Whether the unit-norm SVM has standard accuracy above 99% and shifted accuracy (by 2 eta) below 1%, decided."""
    classifier = train_svm(law).classifier
    return standard_accuracy(classifier, law) > Fraction(99, 100) and shifted_accuracy(
        classifier, law, 2 * law.eta
    ) < Fraction(1, 100)


# ---- machinery ----


def _signal(signal: Exact) -> Fraction:
    s = as_fraction(signal, "signal")
    if s <= 0:
        raise ValueError(f"signal {s} is not positive; it is eta sqrt(d)")
    return s


def _tail_mean(u: Any) -> Any:
    """G(u)."""
    return pdf(u) - u * cdf(-u)


def _tail_mean_jet(u: Jet) -> Jet:
    return normal_pdf(u) - u * normal_cdf(-u)


def _unit_norm(u: Any, p: Any, w: Jet, v: Jet, lam: Jet) -> list[Jet]:
    return [*kkt_gradient(u, p, 0, w, v, lam), w * w + v * v - 1]


def _shifted(s: Any, p: Any, w: Jet, v: Jet) -> Jet:
    """The accuracy of w x_1 + v z after the shift by 2 eta, which turns the mean of z into -s."""
    accuracy: Jet = p * normal_cdf(w / v - s) + (1 - p) * normal_cdf(-(w / v) - s)
    return accuracy


def _level(law: SignGaussian) -> float:
    return float(shifted_accuracy(train_svm(law).classifier, law, 2 * law.eta).lo)


def _known(law: SignGaussian) -> list[float]:
    solution = train_svm(law)
    return [float(x.lo) for x in (solution.strong, solution.weak, solution.lam)]


def _bisect(rising: Any, low: float, high: float) -> float:
    """Near where a function of a float changes sign from - to +; only a starting point."""
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return (low + high) / 2

"""The soft-margin SVM of (ODDS, equation 5) on the law itself, not on samples: solved, enclosed, proved optimal.

By Lemma D.1 the weak features share one weight; with z = sum_i x_i / sqrt(d) ~ N(y s, 1), the score is w x_1 + v z.
Standard training minimises, and adversarial training of radius eps minimises with the exact inner maximum,

    H(w, v) = p h(1 - (1-eps) w - u v, v) + (1-p) h(1 + (1+eps) w - u v, v) + lam/2 (w^2 + v^2)     (w, v >= 0)

with h(m, t) = E max(0, N(m, t^2)) = m Phi(m/t) + t phi(m/t), u = s - r, r = eps sqrt(d) and p the reliability.
(Negative weights only lose: the mirror image has the same norm and larger margins.) H is convex, so its stationary
points are its minimisers; with A = (1 - (1-eps) w)/v - u and B = (1 + (1+eps) w)/v - u they solve, inside the quadrant,

    -p (1-eps) Phi(A) + (1-p)(1+eps) Phi(B) + lam w = 0
    p (phi(A) - u Phi(A)) + (1-p)(phi(B) - u Phi(B)) + lam v = 0.

The solution is enclosed by a Krawczyk operator (`theory.krawczyk`), so it exists, is unique nearby, and is known to
30 digits. On the edges of the quadrant:

* v = 0 when eps >= eta (Lemma D.5 with its true condition: the mean of w_i N(eps - eta, 1) is then non-negative, and
  by Jensen the noise cannot help). Then H = 1 - (2p-1-eps) w + lam w^2/2 up to w = 1/(1-eps), where the hinge of the
  majority closes: w = min((2p-1-eps)/lam, 1/(1-eps)), and **w = 0 when eps >= 2p - 1**, a case Theorem 2.2 forgets.
* v = 0 for some eps < eta too, when w sits at that kink (lam < (2p-1-eps)(1-eps)): exactly when no slope c makes H fall
  along w = 1/(1-eps) + c v, that is when u <= p phi(x) / (1 - p + p q), where
  Phi(x) = q = [(1-p)(1+eps) + lam/(1-eps)] / (p (1-eps)).
* w = 0 when eps >= 2p - 1: the right derivative of H there is Phi(A) (eps - (2p-1)).

"Unit norm" (Theorem 2.2) means the lam for which w^2 + v^2 = 1, one more unknown.

>>> solution = train_svm(SignGaussian("0.95", 4, 1))
>>> print(f"{solution.strong:.12f} {solution.lam:.4e}")
[0.351223528531, 0.351223528532] [5.2311e-04, 5.2312e-04]
>>> print(train_svm(SignGaussian("0.75", "0.4", 100), eps_train="0.6", lam="0.05").strong)
0
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from theory.arbs import cdf, enclose, pdf, to_arb, to_float, working_precision
from theory.enclosure import Enclosure, Undecided
from theory.krawczyk import Jet, normal_cdf, normal_pdf, residual, verified_zero
from theory.numbers import Exact, as_fraction
from theory.odds.signgaussian import LinearClassifier, SignGaussian, radius, reach_arb, signal_arb

_KKT = "KKT point verified by a Krawczyk operator"
_EDGE = "closed form on the edge"


@dataclass(frozen=True, slots=True)
class SVMSolution:
    """The minimiser of H: ``strong`` is w, ``weak`` is v, the weight of z (each weak feature's is v / sqrt(d)).

    ``kkt_residual`` holds the gradient of H evaluated on the enclosures: intervals around 0 as wide as what is not
    known. On an edge the one-sided conditions were checked exactly, and the residual of the edge's equation is left.
    """

    law: SignGaussian
    eps_train: Fraction
    lam: Enclosure
    strong: Enclosure
    weak: Enclosure
    kkt_residual: tuple[Enclosure, ...]

    @property
    def classifier(self) -> LinearClassifier:
        """The solution as a classifier of points (x_1, ..., x_{d+1}); all accuracies apply to it."""
        if self.weak.is_exact and self.weak == 0:
            return LinearClassifier(self.strong, 0)
        with working_precision():
            return LinearClassifier(self.strong, enclose(to_arb(self.weak) / to_arb(self.law.d).sqrt()))

    @property
    def objective(self) -> Enclosure:
        """The least value of H."""
        return svm_objective(self.law, self.strong, self.weak, self.eps_train, self.lam)


def svm_objective(
    law: SignGaussian, strong: Exact | Enclosure, weak: Exact | Enclosure, eps_train: Exact, lam: Exact | Enclosure
) -> Enclosure:
    """H(w, v) as above, for w, v >= 0.

    >>> print(f"{svm_objective(SignGaussian('0.95', 4, 1), 0, 1, 0, 0):.18f}")
    [0.000382154317047723, 0.000382154317047724]
    """
    eps = radius(eps_train)
    with working_precision():
        w, v, p = to_arb(strong), to_arb(weak), to_arb(law.reliability)
        pull = signal_arb(law) - reach_arb(law, eps)
        agrees, differs = 1 - (1 - to_arb(eps)) * w - pull * v, 1 + (1 + to_arb(eps)) * w - pull * v
        hinge = p * _hinge_mean(agrees, v) + (1 - p) * _hinge_mean(differs, v)
        return enclose(hinge + to_arb(lam) * (w * w + v * v) / 2)


def train_svm(law: SignGaussian, eps_train: Exact = 0, lam: Exact | None = None) -> SVMSolution:
    """The minimiser of H: standard training for eps_train = 0, else adversarial; lam = None asks for unit norm.

    Raises ``ValueError`` for a negative eps_train or lam, or when no lam >= 0 gives a minimiser of unit norm, as in
    adversarial training with eps_train >= max(eta, 2p - 1), whose minimiser is zero; and for u > 35 with unit norm or
    lam = 0, where the losses, and the lam of unit norm, are below 10^-250.
    """
    eps, weight = radius(eps_train), None if lam is None else as_fraction(lam, "lam")
    if weight is not None and weight < 0:
        raise ValueError(f"lam {weight} is negative; allowed are numbers from 0 up, or None for unit norm")
    edge = 2 * law.reliability - 1 - eps  # what feature 1 gains per unit of weight
    if eps >= law.eta:
        return _without_weak_features(law, eps, weight, edge)
    if edge <= 0:
        return _without_feature_one(law, eps, weight)
    if weight is not None and _stuck_at_kink(law, eps, weight, edge):
        return _solution(law, eps, weight, 1 / (1 - eps), Fraction(0), ())
    return _inside(law, eps, weight)


def vanishing_radius(law: SignGaussian, lam: Exact | None = None) -> Enclosure:
    """The least eps_train from which on adversarial training gives the weak features no weight (lam None: unit norm).

    It is eta, not 2 eta; or less, when at eps_train = eta the weight of x_1 sits at its kink (lam < (2p-1-eta)(1-eta)).
    Raises ``ValueError`` when eta >= 2p - 1: there the solution is zero (see `train_svm`).

    >>> law = SignGaussian("0.95", "0.4", 100)
    >>> print(vanishing_radius(law), f"{vanishing_radius(law, 0):.8f} {vanishing_radius(law, '0.1'):.8f}")
    2/5 [0.28554699, 0.28554700] [0.30342755, 0.30342756]
    """
    p, eta = law.reliability, law.eta
    if eta >= 2 * p - 1:
        raise ValueError(f"eta {eta} is at least 2p - 1 = {2 * p - 1}: at eps_train = eta the solution is zero")
    if lam is None or (weight := as_fraction(lam, "lam")) >= (2 * p - 1 - eta) * (1 - eta):
        return Enclosure.exact(eta)

    def system(eps: Jet, x: Jet) -> list[Jet]:
        q, rest = to_arb(p), 1 - to_arb(p)
        mass = normal_cdf(x)
        kink = q * (1 - eps) * mass - rest * (1 + eps) - to_arb(weight) / (1 - eps)
        pull = (to_arb(eta) - eps) * to_arb(law.d).sqrt()
        return [kink, pull * (rest + q * mass) - q * normal_pdf(x)]

    eps, _ = verified_zero(system, _start_of_vanishing(law, weight))
    return eps


# ---- the cases ----


def _inside(law: SignGaussian, eps: Fraction, lam: Fraction | None) -> SVMSolution:
    pull = float(law.eta - eps) * math.sqrt(law.d)
    if not lam and pull > 35:
        raise ValueError(
            f"(eta - eps_train) sqrt(d) = {pull:.6g} is above 35, where the loss of unit weights is below 1e-250; "
            "give a lam > 0"
        )
    start = _start(law, float(eps), lam)

    def gradient(w: Jet, v: Jet, weight: Any) -> list[Jet]:
        return kkt_gradient(signal_arb(law) - reach_arb(law, eps), to_arb(law.reliability), to_arb(eps), w, v, weight)

    if lam is None:

        def on_circle(w: Jet, v: Jet, weight: Jet) -> list[Jet]:
            return [*gradient(w, v, weight), w * w + v * v - 1]

        strong, weak, found = verified_zero(on_circle, start)
        if not found > 0:
            raise ValueError(_no_unit_norm(law, eps))
        values = residual(on_circle, (strong, weak, found))
    else:

        def free(w: Jet, v: Jet) -> list[Jet]:
            return gradient(w, v, to_arb(lam))

        strong, weak = verified_zero(free, start)
        found, values = Enclosure.exact(lam), residual(free, (strong, weak))
    if not (strong > 0 and weak > 0):
        raise Undecided(f"the stationary point ({float(strong.lo)}, {float(weak.lo)}) is not inside the quadrant")
    return _solution(law, eps, found, strong, weak, values)


def kkt_gradient(u: Any, p: Any, eps: Any, w: Jet, v: Jet, lam: Any) -> list[Jet]:
    """The gradient of H inside the quadrant, the two equations above; the parameters may be Jets too."""
    agrees, differs = (1 - (1 - eps) * w) / v - u, (1 + (1 + eps) * w) / v - u
    majority, minority = normal_cdf(agrees), normal_cdf(differs)
    strong = -(p * (1 - eps) * majority) + (1 - p) * (1 + eps) * minority + lam * w
    weak = p * (normal_pdf(agrees) - u * majority) + (1 - p) * (normal_pdf(differs) - u * minority) + lam * v
    return [strong, weak]


def _without_weak_features(law: SignGaussian, eps: Fraction, lam: Fraction | None, edge: Fraction) -> SVMSolution:
    if edge <= 0:
        if lam is None:
            raise ValueError(
                f"eps_train {eps} is at least 2p - 1 = {2 * law.reliability - 1}, so adversarial training returns the "
                "zero classifier for every lam; unit norm needs eps_train < 2p - 1"
            )
        return _solution(law, eps, lam, Fraction(0), Fraction(0), ())
    if lam is None:
        return _solution(law, eps, edge, Fraction(1), Fraction(0), ())
    kink = 1 / (1 - eps)
    return _solution(law, eps, lam, kink if lam == 0 else min(edge / lam, kink), Fraction(0), ())


def _without_feature_one(law: SignGaussian, eps: Fraction, lam: Fraction | None) -> SVMSolution:
    """w = 0: one equation for v, or v = 1 and one for lam."""
    if lam is None:
        with working_precision():
            u = signal_arb(law) - reach_arb(law, eps)
            found = enclose(u * cdf(1 - u) - pdf(1 - u))
        if not found > 0:
            raise ValueError(_no_unit_norm(law, eps))
        return _solution(law, eps, found, Fraction(0), Fraction(1), ())

    def equation(v: Jet) -> list[Jet]:
        u = signal_arb(law) - reach_arb(law, eps)
        argument = 1 / v - u
        return [normal_pdf(argument) - u * normal_cdf(argument) + to_arb(lam) * v]

    (weak,) = verified_zero(equation, _start(law, float(eps), lam)[1:])
    if not weak > 0:
        raise Undecided(f"the stationary point found, v = {float(weak.lo)}, is not inside the half-line")
    return _solution(law, eps, lam, Fraction(0), weak, residual(equation, (weak,)))


def _stuck_at_kink(law: SignGaussian, eps: Fraction, lam: Fraction, edge: Fraction) -> bool:
    """Whether (1/(1-eps), 0) minimises H although eps < eta."""
    p = law.reliability
    if lam >= edge * (1 - eps):
        return False
    from theory.special import normal_quantile

    q = ((1 - p) * (1 + eps) + lam / (1 - eps)) / (p * (1 - eps))
    x = normal_quantile(q, 50)
    with working_precision():
        pull = enclose(signal_arb(law) - reach_arb(law, eps))
        bound = enclose(to_arb(p) * pdf(to_arb(x)) / to_arb(1 - p + p * q))
    return pull <= bound


def _solution(
    law: SignGaussian,
    eps: Fraction,
    lam: Fraction | Enclosure,
    strong: Fraction | Enclosure,
    weak: Fraction | Enclosure,
    values: tuple[Enclosure, ...],
) -> SVMSolution:
    how = _KKT if values else _EDGE

    def named(x: Fraction | Enclosure) -> Enclosure:
        known = x if isinstance(x, Enclosure) else Enclosure.exact(x)
        return Enclosure(known.lo, known.hi, (*known.how, how))

    return SVMSolution(law, eps, named(lam), named(strong), named(weak), values or (Enclosure.exact(0),))


def _no_unit_norm(law: SignGaussian, eps: Fraction) -> str:
    return (
        f"no lam >= 0 gives a minimiser of unit norm for eta sqrt(d) = {to_float(law.signal):.6g} and eps_train {eps}: "
        "already the one for lam = 0 is shorter; give lam"
    )


def _hinge_mean(mean: Any, deviation: Any) -> Any:
    """h(m, t) = E max(0, N(m, t^2))."""
    if deviation.is_zero():
        return mean.max(to_arb(0))
    x = mean / deviation
    return mean * cdf(x) + deviation * pdf(x)


# ---- starting points, in floating point: nothing rests on them ----


def _log_objective(law: SignGaussian, eps: float, w: float, v: float, lam: float) -> float:
    from scipy.special import erfcx

    p, u = float(law.reliability), to_float(law.signal) - eps * math.sqrt(law.d)
    total = lam / 2 * (w * w + v * v)
    for share, mean in ((p, 1 - (1 - eps) * w - u * v), (1 - p, 1 + (1 + eps) * w - u * v)):
        x = mean / v
        density = math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
        if x > 0:
            total += share * v * (density + x * (1 - 0.5 * math.erfc(x / math.sqrt(2))))
        else:  # phi + x Phi without cancellation of the exponentials
            total += share * v * density * max(0.0, 1 + x * math.sqrt(math.pi / 2) * erfcx(-x / math.sqrt(2)))
    return math.log(max(total, 1e-300))


def _start(law: SignGaussian, eps: float, lam: Fraction | None) -> list[float]:
    from scipy.optimize import minimize, minimize_scalar

    turn = minimize_scalar(
        lambda a: _log_objective(law, eps, math.sin(a), math.cos(a), 0.0),
        bounds=(0.0, math.pi / 2 - 1e-6),
        method="bounded",
        options={"xatol": 1e-12},
    )
    w, v = math.sin(turn.x), math.cos(turn.x)
    if lam is None:
        p, u = float(law.reliability), to_float(law.signal) - eps * math.sqrt(law.d)
        below, above = ((1 - (1 - eps) * w) / v - u, (1 + (1 + eps) * w) / v - u)
        phi, upper = 0.5 * math.erfc(-below / math.sqrt(2)), 0.5 * math.erfc(-above / math.sqrt(2))
        return [w, v, (p * (1 - eps) * phi - (1 - p) * (1 + eps) * upper) / w]
    best = minimize(
        lambda x: _log_objective(law, eps, abs(x[0]), math.exp(x[1]), float(lam)),
        [w, math.log(v)],
        method="Nelder-Mead",
        options={"xatol": 1e-12, "fatol": 1e-15, "maxiter": 4000, "maxfev": 4000},
    )
    return [abs(float(best.x[0])), math.exp(float(best.x[1]))]


def _start_of_vanishing(law: SignGaussian, lam: Fraction) -> list[float]:
    """The last eps below eta where the kink's condition changes sign, and the quantile there."""
    from scipy.special import ndtri

    p, eta, weight = float(law.reliability), float(law.eta), float(lam)

    def quantile(eps: float) -> float:
        return float(ndtri(min(1 - 1e-16, ((1 - p) * (1 + eps) + weight / (1 - eps)) / (p * (1 - eps)))))

    def excess(eps: float) -> float:
        x = quantile(eps)
        mass = ((1 - p) * (1 + eps) + weight / (1 - eps)) / (p * (1 - eps))
        density = math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
        return math.sqrt(law.d) * (eta - eps) - p * density / (1 - p + p * mass)

    low, high, steps = eta, eta, 2000
    for k in range(1, steps + 1):
        low = eta * (1 - k / steps)
        if excess(low) > 0:
            break
        high = low
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return [low, quantile(low)]

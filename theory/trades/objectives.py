"""What TRADES and its rivals minimise, on known laws: its problems (3), (4) and (5) as exact population objectives.

    (3)  E[phi(f(X)Y) + max phi(f(X)f(X')/lambda)]        `trades_objective`
    (4)  E max phi(f(X')Y)                                `adversarial_objective` (Madry et al.)
    (5)  E[L(f(X), Y) + max L(f(X), f(X'))/lambda]        `softmax_objective`, with L the cross-entropy

In (3) lambda sits inside phi, in (5) it is the inverse of a weight.

**Problem (3) on alternating stripes** (TRADES, eq (2), with eps = 1/(2n), the stripes as wide as the radius). Moving
every point of a +1 stripe left by eps is a measure-preserving map onto the -1 stripes, and within the ball. So with a
and b the scores of such a pair, the objective of *any* score is at least the mean over pairs of

    c(a, b) = (phi(-a) + phi(b) + max(phi(a^2/lambda), phi(ab/lambda)) + max(phi(b^2/lambda), phi(ab/lambda))) / 2,

and a score that is constant on the -1 stripes and on the +1 stripes attains c, for every ball sees both values and no
other. The least objective over |f| <= B is therefore the least c over |a|, |b| <= B. For the hinge
(`stripes_optimum`), with m = min(B, 1):

- a = -s < 0 < t = b (the sign of Bayes): c = 1 + st/lambda + ((1 - s)+ + (1 - t)+)/2 grows where s or t exceed 1 and is
  bilinear below, so its infimum is at a corner: 2 - m + m^2/lambda at s = t = m, or 2 - m/2 for s -> 0, t = m.
- 0 <= a <= b (one sign): 2c = 1 + a + (1 - b)+ + (1 - a^2/lambda)+ + (1 - ab/lambda)+ falls in b, so b = B; in a it is
  concave between 0, lambda/B, sqrt(lambda) and B, so one of these is best. For a > b, raising b to a lowers c. Negative
  a and b cost the same after exchanging -a and b.
- b <= 0 <= a (wrong everywhere) costs 2 or more.

For B = 1 the least value is (1 + sqrt(lambda))/2 up to lambda = 1 and 2 - 1/lambda up to 2, both with one sign, and
1 + 1/lambda from there on, with the sign of Bayes. Without a bound, b -> infinity and a -> 0 with ab >= lambda has
c -> 1 and one sign, while Bayes-signed scores stay above 1 + min(1/lambda, 1/2): at no lambda do near-minimisers have
the sign of Bayes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.bounds import Scored, adversarial_surrogate, dearest, positive, surrogate_risk
from theory.elementary import plain
from theory.enclosure import Enclosure, as_enclosure, maximum, minimum
from theory.loss import Loss, as_loss
from theory.numbers import Exact, as_fraction
from theory.scores import score_of

if TYPE_CHECKING:
    from theory.ball import Ball

DIVERGENCES = ("cross_entropy", "kl")


def trades_objective(f: Scored, dist: Any, ball: Ball, loss: str | Loss, lam: Exact = 1) -> Enclosure:
    """E[phi(f(X)Y) + max phi(f(X)f(X')/lam)] (TRADES, problem (3)). Raises ``ValueError`` for lam <= 0.

    >>> from theory import Ball, FiniteDistribution
    >>> from theory.scores import Score
    >>> law = FiniteDistribution.of_points([(0,), (1,)], {-1: ["1/2", 0], +1: [0, "1/2"]})
    >>> bayes, one = (Score.of_values(law.space, values) for values in ((-1, 1), (1, 1)))
    >>> [str(trades_objective(f, law, Ball(1), "hinge", lam)) for lam in (1, 2, 3) for f in (bayes, one)]
    ['2', '1', '3/2', '3/2', '4/3', '5/3']
    """
    return surrogate_risk(f, dist, loss) + adversarial_surrogate(f, dist, ball, loss, lam)


def adversarial_objective(f: Scored, dist: Any, ball: Ball, loss: str | Loss) -> Enclosure:
    """E max phi(f(X')Y) (TRADES, problem (4)); at least R_rob(f) if phi >= 1 on u <= 0.

    >>> from theory import Ball, FiniteDistribution
    >>> from theory.scores import Score
    >>> law = FiniteDistribution.of_points([(0,), (1,)], {-1: ["1/2", 0], +1: [0, "1/2"]})
    >>> adversarial_objective(Score.of_values(law.space, (-1, 1)), law, Ball(1), "hinge").fraction
    Fraction(2, 1)
    """
    phi = as_loss(loss)

    def of_label(y: int) -> Enclosure:
        return dearest(score_of(f), dist, ball, lambda _, w: plain(phi.enclose(w * y)), labels=(y,))

    return as_enclosure(sum((of_label(y) for y in dist.labels), Enclosure.exact(0)))


def softmax_objective(
    f: Scored, dist: Any, ball: Ball, lam: Exact = 1, divergence: str = "cross_entropy"
) -> Enclosure:
    """E[L(f(X), Y) + max L(f(X), f(X'))/lam] (TRADES, problem (5)) for two classes, in nats.

    The score is the logit of class +1, p = 1/(1 + e^-f). L(f(X), Y) = -log p_Y. The inner term takes f(X) as the
    target: "cross_entropy" is -sum_k p_k(X) log p_k(X'), which has its minimum at X' = X, as the text says of it; "kl"
    is that less the entropy of p(X), as in the published code.

    Raises ``ValueError`` for lam <= 0 and other divergences.

    >>> from theory import Ball, FiniteDistribution
    >>> from theory.scores import Score
    >>> law = FiniteDistribution.of_points([(0,), (1,)], {-1: ["1/2", 0], +1: [0, "1/2"]})
    >>> f = Score.of_values(law.space, (-1, 1))
    >>> [f"{softmax_objective(f, law, Ball(1), 2, kind):.4f}" for kind in DIVERGENCES]
    ['[0.8354, 0.8355]', '[0.5443, 0.5444]']
    """
    if divergence not in DIVERGENCES:
        raise ValueError(f"divergence {divergence!r} is unknown; allowed are {', '.join(DIVERGENCES)}")
    weight = 1 / positive(lam)

    def price(v: Any, w: Any) -> Any:
        share = 1 / (1 + _exp(-v))
        cross = share * _softplus(-w) + (1 - share) * _softplus(w)
        own = share * _softplus(-v) + (1 - share) * _softplus(v)
        return cross - own if divergence == "kl" else cross

    natural = Loss("cross_entropy", lambda u: _softplus(-u), non_increasing=True, convex=True, limit=0)
    return surrogate_risk(f, dist, natural) + weight * dearest(score_of(f), dist, ball, price)


def _exp(x: Any) -> Enclosure:
    from theory.special import exp

    return exp(x)


def _softplus(x: Any) -> Enclosure:
    """log(1 + e^x)."""
    from theory.special import exp, log

    if as_enclosure(x).lo > 0:  # keeps e^x small
        return as_enclosure(x) + log(1 + exp(-x))
    return log(1 + exp(x))


# ---- problem (3) on alternating stripes ----


@dataclass(frozen=True, slots=True)
class StripesOptimum:
    """Problem (3) on the stripes with eps = 1/(2n), hinge and |f| <= bound, among scores of one kind of sign.

    ``value`` is the infimum over scores of this ``sign``, "bayes" or "constant"; ``negative`` and ``positive`` are the
    scores on the stripes of either label that attain it, or in the limit do (None: in the limit of ever larger scores).
    """

    sign: str
    value: Enclosure
    negative: Fraction | Enclosure
    positive: Fraction | Enclosure | None


def pair_objective(a: Any, b: Any, loss: str | Loss, lam: Exact) -> Enclosure:
    """c(a, b): problem (3) on the stripes with score a on the -1 stripes and b on the +1 stripes, eps = 1/(2n).

    >>> pair_objective(-1, 1, "hinge", 2).fraction, pair_objective("1/2", 1, "hinge", "1/4").fraction
    (Fraction(3, 2), Fraction(3, 4))
    """
    phi, scale = as_loss(loss), positive(lam)
    a, b = (x if isinstance(x, Enclosure) else as_fraction(x, "score") for x in (a, b))
    cross = phi.enclose(a * b / scale)
    inner = [maximum(phi.enclose(x * x / scale), cross) for x in (a, b)]
    return (phi.enclose(-a) + phi.enclose(b) + inner[0] + inner[1]) / 2


def stripes_optimum(lam: Exact, bound: Exact | float) -> tuple[StripesOptimum, StripesOptimum]:
    """The least objective (3) with the hinge on the stripes, eps = 1/(2n): (over Bayes-signed scores, over one sign).

    The smaller value is the solution over all measurable |f| <= bound (proof above). ``bound`` is a positive number or
    ``math.inf``. Raises ``ValueError`` for lam <= 0 or bound <= 0.

    >>> [[str(side.value) for side in stripes_optimum(lam, 1)] for lam in ("1/4", "3/2", 2, 4)]
    [['3/2', '3/4'], ['3/2', '4/3'], ['3/2', '3/2'], ['5/4', '3/2']]
    >>> bayes, constant = stripes_optimum(100, math.inf)
    >>> bayes.value.fraction, constant.value.fraction
    (Fraction(101, 100), Fraction(1, 1))
    """
    scale = positive(lam)
    if bound == math.inf:
        bayes, constant = _unbounded(scale)
        return bayes, constant
    top = as_fraction(bound, "bound")
    if top <= 0:
        raise ValueError(f"bound {bound} is not positive; it leaves no scores but 0")
    m = min(top, Fraction(1))
    full, half = 2 - m + m * m / scale, 2 - m / 2
    bayes = StripesOptimum("bayes", Enclosure.exact(min(full, half)), -m if full <= half else Fraction(0), m)
    root = _root(scale)
    places: list[Any] = [Fraction(0), top]
    places += [scale / top] if scale <= top * top else []
    places += [root] if scale <= top * top else []
    costs = [(pair_objective(a, top, "hinge", scale), a) for a in places]
    cost, a = min(costs, key=lambda item: (item[0].lo, item[0].hi))
    value = minimum(*(c for c, _ in costs)) if len(costs) > 1 else cost
    return bayes, StripesOptimum("constant", value, a, top)


def _unbounded(scale: Fraction) -> tuple[StripesOptimum, StripesOptimum]:
    near = Enclosure.exact(min(1 + 1 / scale, Fraction(3, 2)))
    bayes = StripesOptimum("bayes", near, Fraction(-1) if scale >= 2 else Fraction(0), Fraction(1))
    root = _root(scale)
    if scale < 1:
        top = maximum(root, 1)
        return bayes, StripesOptimum("constant", as_enclosure((1 + root) / 2), root, plain(top))
    return bayes, StripesOptimum("constant", Enclosure.exact(1), Fraction(0), None)


def _root(scale: Fraction) -> Any:
    from theory.special import sqrt

    return plain(sqrt(scale))

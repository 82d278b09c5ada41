"""Claims of ODDS (Robustness May Be at Odds with Accuracy)."""

from __future__ import annotations

from proofs_check.core import Evidence, claim
from proofs_check.provers import decided


@claim(
    "odds-theorem-2.1",
    paper="ODDS",
    label="Theorem 2.1",
    place="Section 2.1",
    kind="theorem",
    statement="In the model of eq (3), standard accuracy of at least 1 - delta leaves robust accuracy of at most "
    "p/(1-p) delta against an l-infinity adversary with eps >= 2 eta.",
    expected="PROVED",
    covers="every classifier, randomised ones included, every dimension, eta > 0, p in [1/2, 1), delta, eps >= 2 eta",
    premises=("1/2 <= p < 1", "eps >= 2 eta"),
)
def theorem_2_1(_budget: int) -> Evidence:
    """The adversary may move every weak feature x_i to x_i - 2 eta y and leave x_1, so robust accuracy is at most the
    accuracy A after that shift. Given y and x_1 the weak features have mean y eta before the shift and -y eta after it,
    with the same law else. So standard accuracy S and A depend on the classifier through four numbers, the
    probabilities of the answer +1 given the sign of x_1 and the sign of that mean, each in [0, 1], with the
    probabilities p and 1 - p of x_1 = y and x_1 = -y. For these the inequality (1-p) A <= p (1 - S) is decided over the
    reals; with S >= 1 - delta it is the theorem.
    """
    from theory.odds.theorem21 import theorem_core

    answers = theorem_core()
    return decided({name: answers[name] for name in ("identities", "bound", "gap")})

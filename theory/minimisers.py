"""The classes of all minimisers of a risk, and their worst members under another law.

A learner that sees only a restricted law may return any minimiser of its risk there. Each of the three classes
(natural, sensible, robust) is described by labels forced on a region; elsewhere its members do as they like, and the
worst member under the true law is wrong there (SENSE, section 2 and appendix G).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from theory.classifiers import RegionClassifier, bayes_rule
from theory.optimal.boxes import conflict_network
from theory.risks import robust_risk, standard_risk

if TYPE_CHECKING:
    from theory.ball import Ball
    from theory.boxes import Boxes
    from theory.distributions import BoxDistribution


@dataclass(frozen=True, slots=True)
class MinimiserClass:
    """All classifiers that, for one of the ``alternatives``, predict y on its region y; free elsewhere.

    There is one alternative unless minimum cuts tie.
    """

    alternatives: tuple[Mapping[int, Boxes], ...]

    def worst(self, truth: RegionClassifier, law: BoxDistribution, ball: Ball) -> RegionClassifier:
        """The member of largest standard risk under ``law``, then of largest robust risk; ``truth`` never errs there.

        Being wrong on the whole free region maximises every risk at once, so only ties between alternatives need a
        search. It covers these alternatives: members that mix several of them cell by cell are not looked at.
        Raises ``ValueError`` if ``truth`` errs under ``law``: on noisy labels no one classifier is wrong everywhere.
        """
        return self._extreme(truth, law, ball, sign=+1)

    def best(self, truth: RegionClassifier, law: BoxDistribution, ball: Ball) -> RegionClassifier:
        """The member of least standard risk under ``law``: right on the whole free region. Otherwise as ``worst``."""
        return self._extreme(truth, law, ball, sign=-1)

    def _extreme(self, truth: RegionClassifier, law: BoxDistribution, ball: Ball, sign: int) -> RegionClassifier:
        if standard_risk(truth, law) != 0:
            raise ValueError("the label is not a function of x under this law: free points have no right label")
        members = [_filled(forced, truth, flip=sign > 0) for forced in self.alternatives]
        chosen = members[0]
        for member in members[1:]:
            gains = [risk(member, law, ball) - risk(chosen, law, ball) for risk in (standard_risk, robust_risk)]
            if sign * gains[0] > 0 or (gains[0] == 0 and sign * gains[1] > 0):
                chosen = member
        return chosen


def natural_minimisers(law: BoxDistribution) -> MinimiserClass:
    """All minimisers of the standard risk: the Bayes label on the support, anything elsewhere.

    (SENSE, appendix G, class 1.) Raises ``ValueError`` where labels tie on the support.
    """
    rule = bayes_rule(law)
    return MinimiserClass(({y: law.support & rule.regions[y] for y in law.labels},))


def sensible_minimisers(law: BoxDistribution, ball: Ball, reference: RegionClassifier | None = None) -> MinimiserClass:
    """All minimisers of the sensible risk: the reference's label wherever a ball around the support sees that label.

    (SENSE, Theorem 3: f = f_B on S_{X, eps}(f_B) almost surely, with no ties on the support.)
    """
    rule = bayes_rule(law) if reference is None else reference
    seen = {y: ball.reach(law.support & rule.regions[y], law.domain) & rule.regions[y] for y in law.labels}
    return MinimiserClass((seen,))


def robust_minimisers(law: BoxDistribution, ball: Ball) -> MinimiserClass:
    """All minimisers of the robust risk, one alternative a minimum cut: the label forced on the kept mass's balls.

    (SENSE, appendix G, class 3, whose eq (14) this replaces.)
    """
    return MinimiserClass(tuple(m.forced for m in conflict_network(law, ball).minimisers()))


def _filled(forced: Mapping[int, Boxes], truth: RegionClassifier, *, flip: bool) -> RegionClassifier:
    """y on forced[y]; elsewhere the true label, or with ``flip`` the other one (of two)."""
    other = dict(zip(sorted(forced), sorted(forced, reverse=True), strict=True))
    free = {y: truth.regions[other[y] if flip else y] for y in forced}
    return RegionClassifier({y: (forced[y] | free[y]) - forced[other[y]] for y in sorted(forced)})

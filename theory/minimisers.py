"""The classes of minimisers of a risk, and their worst members under another law.

A learner that sees only a restricted law may return any minimiser of its risk there. Each of the three classes
(natural, sensible, robust) is described by labels forced on a region; elsewhere its members do as they like, and the
worst member under the true law is wrong there (SENSE, section 2 and appendix G).

Robust minimisers may tie: then there is one alternative a minimum cut. With equal densities either side of a class line
the ties are a continuum, of which the cuts of a grid are finitely many: ``robust_minimisers`` says which, and why they
are enough for the extremes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from theory.classifiers import RegionClassifier, bayes_risk, bayes_rule
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

        Being wrong on the whole free region maximises the standard risk, so only ties between alternatives need a
        search; of alternatives alike in standard risk the one of larger robust risk is taken.
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
    regions = _refuse_ties(law)
    return MinimiserClass(({y: law.support & regions[y] for y in law.labels},))


def sensible_minimisers(law: BoxDistribution, ball: Ball, reference: RegionClassifier | None = None) -> MinimiserClass:
    """All minimisers of the sensible risk: the reference's label wherever a ball around the support sees that label.

    (SENSE, Theorem 3: f = f_B on S_{X, eps}(f_B) almost surely, with no ties on the support.) Raises ``ValueError`` for
    a reference that is no Bayes rule of the law, whose label a minimiser need not follow, and for ties on the support.
    """
    rule = bayes_rule(law) if reference is None else reference
    _refuse_ties(law)
    if standard_risk(rule, law) != bayes_risk(law):
        raise ValueError("the reference is no Bayes rule of this law, so minimisers of the sensible risk may leave it")
    seen = {y: ball.reach(law.support & rule.regions[y], law.domain) & rule.regions[y] for y in law.labels}
    return MinimiserClass((seen,))


def robust_minimisers(law: BoxDistribution, ball: Ball, under: BoxDistribution | None = None) -> MinimiserClass:
    """Minimisers of the robust risk, one alternative a minimum cut: the label forced on the kept mass's balls.

    (SENSE, appendix G, class 3, whose eq (14) this replaces.) Where cuts tie, the grid is refined by the faces of the
    law ``under`` which members are to be compared, moved by the radius; by default the law that ``law`` restricts, or
    itself. If the conflict is along one axis (the others drop out, see ``theory.optimal.boxes``), every tied cut that
    does not vary along the others is given by the places of finitely many switches from one label to the other. Between
    the lines the standard risk is piecewise linear in these, with breaks only where two of them meet: its least and its
    largest value are found at lines.

    Along several axes at once tied minimisers may have any shape; then only those made of cells are listed.
    """
    network = conflict_network(law, ball)
    if network.is_tied:
        true = under or law
        while under is None and true.restricts is not None:
            true = true.restricts
        grids = [density.edges for density in true.densities.values()]
        lines = [[x + ball.radius for edges in grids for x in edges[a]] for a in range(law.dim)]
        network = conflict_network(law, ball, lines=lines)
    return MinimiserClass(tuple(m.forced for m in network.minimisers()))


def _refuse_ties(law: BoxDistribution) -> Mapping[int, Boxes]:
    """Where each label is the most likely one, if there is just one such label everywhere on the support."""
    regions, tied = law.most_likely()
    if not (tied & law.support).is_empty:
        raise ValueError(f"labels tie on {tied & law.support!r}, so a minimiser may choose its label there")
    return regions


def _filled(forced: Mapping[int, Boxes], truth: RegionClassifier, *, flip: bool) -> RegionClassifier:
    """y on forced[y]; elsewhere the true label, or with ``flip`` the one after it in order."""
    labels = sorted(forced)
    source = dict(zip(labels, labels[-1:] + labels[:-1] if flip else labels, strict=True))
    settled = reduce(or_, forced.values())
    return RegionClassifier({y: forced[y] | (truth.regions[source[y]] - settled) for y in labels})

"""The least robust risk on a finite metric space, as a minimum cut.

Points i (class -1) and j (class +1) conflict if some point of the space lies in both closed balls: there the classifier
would have to answer both. The least robust risk is the least mass to give up so that no conflict is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.classifiers import RegionClassifier
from theory.enclosure import Enclosure
from theory.flow import Flow, max_flow
from theory.points import Points
from theory.risks import robust_risk

if TYPE_CHECKING:
    from theory.ball import Ball
    from theory.distributions import FiniteDistribution


@dataclass(frozen=True, slots=True)
class FiniteOptimum:
    """The least robust risk of a finite law; ``forced[y]`` is where every minimiser predicts y, ``free`` the rest.

    ``verified`` says that the risk of ``classifier``, by the event algebra, equals the value of the flow.
    """

    value: Any
    classifier: RegionClassifier
    forced: Mapping[int, Points]
    free: Points
    verified: bool
    flow: Flow


def optimal_finite_risk(law: FiniteDistribution, ball: Ball) -> FiniteOptimum:
    """inf over all f of R_rob(f), exactly, for labels -1 and +1 on a finite metric space, under any norm.

    >>> from theory import Ball, FiniteDistribution
    >>> law = FiniteDistribution.of_points([("0",), ("1",), ("2",)], {-1: ["1/2", 0, 0], +1: [0, "1/5", "3/10"]})
    >>> best = optimal_finite_risk(law, Ball(1))
    >>> best.value.fraction, best.verified
    (Fraction(1, 2), True)
    """
    if law.labels != (-1, 1):
        raise ValueError(f"labels {list(law.labels)} are not -1 and +1; this optimum is for two classes")
    n = len(law.space)
    if ball.leave_domain:
        raise ValueError("the adversary of a finite space stays in it: leave_domain does not apply")
    near = [Points(law.space, {i}).near(ball.radius, ball.ord).members for i in range(n)]
    # source 0, sink 1, class -1 from 2 on, class +1 from 2 + n on, the answers at the points of space from 2 + 2n on
    edges: list[tuple[int, int, Any]] = []
    for i in range(n):
        edges += [(0, 2 + i, law.masses[-1][i]), (2 + n + i, 1, law.masses[+1][i])]
        edges += [(2 + i, 2 + 2 * n + z, None) for z in near[i]]
        edges += [(2 + 2 * n + z, 2 + n + i, None) for z in near[i]]
    flow = max_flow(2 + 3 * n, edges, 0, 1)
    kept = {
        -1: {i for i in range(n) if 2 + i in flow.source_side_min and law.masses[-1][i] > 0},
        +1: {i for i in range(n) if 2 + n + i not in flow.source_side_max and law.masses[+1][i] > 0},
    }
    forced = {y: Points(law.space, (z for i in kept[y] for z in near[i])) for y in (-1, +1)}
    classifier = RegionClassifier.binary(~forced[-1])
    value = Enclosure.exact(flow.value) if isinstance(flow.value, Fraction | int) else flow.value
    verified = bool(robust_risk(classifier, law, ball) == value)
    return FiniteOptimum(value, classifier, forced, ~(forced[-1] | forced[+1]), verified, flow)

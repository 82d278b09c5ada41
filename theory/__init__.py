"""The exact theory of the robustness-accuracy trade-off.

Every risk of the five papers is the probability of an event built from decision regions by and, not, and dilation by
a ball. ``Boxes`` and ``Points`` are the events, ``BoxDistribution`` and ``FiniteDistribution`` the laws, the four risks
one line each, and ``risk_curve`` gives them as exact piecewise polynomials in eps. What is used less often (losses and
bounds, other laws, the optimum over all classifiers) is imported when it is first named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from theory.ball import Ball as Ball
from theory.between import Between as Between
from theory.boxes import Boxes as Boxes
from theory.classifiers import RegionClassifier as RegionClassifier
from theory.classifiers import bayes_risk as bayes_risk
from theory.classifiers import bayes_rule as bayes_rule
from theory.classifiers import constant as constant
from theory.curves import curve as curve
from theory.curves import risk_curve as risk_curve
from theory.distributions import BoxDistribution as BoxDistribution
from theory.distributions import FiniteDistribution as FiniteDistribution
from theory.enclosure import Enclosure as Enclosure
from theory.numbers import as_fraction as as_fraction
from theory.piecewise import PiecewisePoly as PiecewisePoly
from theory.points import FiniteSpace as FiniteSpace
from theory.points import Points as Points
from theory.risks import boundary_risk as boundary_risk
from theory.risks import robust_risk as robust_risk
from theory.risks import sensible_risk as sensible_risk
from theory.risks import standard_risk as standard_risk

if TYPE_CHECKING:
    from theory.adapters import from_linear as from_linear
    from theory.adapters import from_tree as from_tree
    from theory.adapters import linear_score as linear_score
    from theory.bounds import BoundReport as BoundReport
    from theory.bounds import excess_robust_risk_bound as excess_robust_risk_bound
    from theory.bounds import surrogate_risk as surrogate_risk
    from theory.calibration import psi as psi
    from theory.calibration import psi_inverse as psi_inverse
    from theory.halfspace import HalfSpace as HalfSpace
    from theory.loss import LOSSES as LOSSES
    from theory.loss import Loss as Loss
    from theory.odds.signgaussian import SignGaussian as SignGaussian
    from theory.optimal import optimal_robust_risk as optimal_robust_risk
    from theory.products import ProductDistribution as ProductDistribution
    from theory.relu import ReluNetwork as ReluNetwork
    from theory.relu import network_classifier as network_classifier
    from theory.relu import network_risks as network_risks
    from theory.samples import LabelledSample as LabelledSample
    from theory.scores import Score as Score
    from theory.trades.sharper import sharper_bound as sharper_bound

_LATER = {
    "BoundReport": "bounds",
    "HalfSpace": "halfspace",
    "LabelledSample": "samples",
    "LOSSES": "loss",
    "Loss": "loss",
    "ProductDistribution": "products",
    "ReluNetwork": "relu",
    "Score": "scores",
    "SignGaussian": "odds.signgaussian",
    "excess_robust_risk_bound": "bounds",
    "from_linear": "adapters",
    "from_tree": "adapters",
    "linear_score": "adapters",
    "network_classifier": "relu",
    "network_risks": "relu",
    "optimal_robust_risk": "optimal",
    "psi": "calibration",
    "psi_inverse": "calibration",
    "sharper_bound": "trades.sharper",
    "surrogate_risk": "bounds",
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module 'theory' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"theory.{_LATER[name]}"), name)
    globals()[name] = value
    return value

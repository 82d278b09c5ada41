"""The exact theory of the robustness-accuracy trade-off.

Every risk of the five papers is the probability of an event built from decision regions by and, not, and dilation by
a ball. ``Boxes`` and ``Points`` are the events, ``BoxDistribution`` and ``FiniteDistribution`` the laws, the four risks
one line each, and ``risk_curve`` gives them as exact piecewise polynomials in eps.
"""

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

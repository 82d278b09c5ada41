"""The least robust risk over all classifiers, with certificates."""

from theory.optimal.boxes import BoxOptimum as BoxOptimum
from theory.optimal.boxes import optimal_box_risk as optimal_box_risk

"""What is measured of trained networks: exact counts of a sample, and the curves that the papers draw."""

from deep.studies.convergence import Convergence, convergence
from deep.studies.corruptions import CORRUPTIONS, Corrupted, corrupted, mean_corruption_error
from deep.studies.distances import CurvePoint, Distances, at_equal_accuracy, nearest
from deep.studies.gradients import Alignment, Interpolation, alignment, input_gradients, interpolate
from deep.studies.judge import ATTACKS, Attacked, Evaluation, evaluate, sweep
from deep.studies.margins import Margins, margins
from deep.studies.radii import Radii

__all__ = [
    "ATTACKS", "CORRUPTIONS", "Alignment", "Attacked", "Convergence", "Corrupted", "CurvePoint", "Distances",
    "Evaluation", "Interpolation", "Margins", "Radii", "alignment", "at_equal_accuracy", "convergence", "corrupted",
    "evaluate", "input_gradients", "interpolate", "margins", "mean_corruption_error", "nearest", "sweep",
]  # fmt: skip

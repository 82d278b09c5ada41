"""The experiments that the papers' claims on trained networks name, as small frozen recipes that share one runner.

A claim of `proofs_check` reads a record; here is what writes it. The networks of several claims are trained together
where they are the same ones (`Family`), and each claim takes its rows from there.
"""

from deep.experiments.design import Experiment, Family, Network, Radii, Trained, radii
from deep.experiments.registry import experiments, find
from deep.experiments.runner import run

__all__ = ["Experiment", "Family", "Network", "Radii", "Trained", "experiments", "find", "radii", "run"]

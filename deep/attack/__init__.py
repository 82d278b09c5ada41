"""Attacks: one verb, ``attack``, and the choices it takes."""

from deep.attack.apgd import APGD
from deep.attack.engine import AttackResult, AttackWarning, attack
from deep.attack.gradient import Ascent, ascend
from deep.attack.losses import LOSSES, AttackLoss
from deep.attack.nearest import CW, LBFGS, DeepFool
from deep.attack.square import Square
from deep.attack.steps import FGSM, MIFGSM, PGD, CWInf
from deep.attack.studies import health, smallest_eps, transfer, worst_case
from deep.attack.threat import Threat

__all__ = [
    "APGD", "CW", "FGSM", "LBFGS", "LOSSES", "MIFGSM", "PGD", "Ascent", "AttackLoss", "AttackResult", "AttackWarning",
    "CWInf", "DeepFool", "Square", "Threat", "ascend", "attack", "health", "smallest_eps", "transfer", "worst_case",
]  # fmt: skip

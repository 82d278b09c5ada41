"""The laws that networks are trained on, with what the theory says of each: Bayes rule, named classifiers, optimum."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

from deep.bridge.bound import network_bounds
from deep.bridge.margins import rounded
from deep.bridge.networks import relu_network
from deep.bridge.prices import DEPTH
from deep.images import from_law
from deep.models import build
from theory import Ball, BoxDistribution, Enclosure, RegionClassifier, bayes_rule
from theory.classifiers import tied_region
from theory.enclosure import as_enclosure
from theory.optimal import optimal_robust_risk
from theory.relu import ReluNetwork, network_risks
from theory.risks import boundary_risk, robust_risk, sensible_risk, standard_risk
from toy.bound import check_loss, sides

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn

    from deep.images import Images
    from theory.loss import Loss

BOXES = ("cheese", "halves", "stripes")
DIGITS = 12
DEFAULT_EPS = {"stripes": Fraction(1, 4), "gaussian": Fraction(3, 5)}

Row = dict[str, Any]


class Setting(Protocol):
    """A law at a radius, as an experiment needs it; ``radius`` is that on the unit cube, where networks are trained."""

    @property
    def name(self) -> str: ...

    @property
    def radius(self) -> float: ...

    @property
    def is_restricted(self) -> bool: ...

    def sample(self, n: int, seed: int) -> Images: ...

    def draw(self, n: int, seed: int) -> Images: ...

    def build(self, seed: int, width: int, depth: int) -> nn.Module: ...

    def named_rows(self) -> list[Row]: ...

    def evaluate(
        self, model: nn.Module, losses: Sequence[str | Loss], lam: Fraction, depth: int = DEPTH
    ) -> list[Row]: ...


@dataclass(frozen=True, slots=True, eq=False)
class BoxSetting:
    """A law on boxes in the unit interval or square: the ``true`` law, the one that is ``seen`` (its restriction or
    itself), the ball, the sensible adversary's ``reference``, classifiers by name, and the least robust risk of any
    classifier under either law.
    """

    name: str
    ball: Ball
    true: BoxDistribution
    seen: BoxDistribution
    reference: RegionClassifier
    named: Mapping[str, RegionClassifier]
    optimum: Enclosure
    seen_optimum: Enclosure

    @property
    def dim(self) -> int:
        return self.true.dim

    @property
    def is_restricted(self) -> bool:
        return self.seen is not self.true

    @property
    def radius(self) -> float:
        """The radius in training."""
        return float(self.ball.radius)

    def sample(self, n: int, seed: int) -> Images:
        """``n`` draws of the law that is seen."""
        return from_law(self.seen, n, seed, name=self.name)

    def draw(self, n: int, seed: int) -> Images:
        """``n`` draws of the true law."""
        return from_law(self.true, n, seed, name=self.name)

    def build(self, seed: int, width: int, depth: int) -> nn.Module:
        """A network with its first weights."""
        return build("mlp", shape=(self.dim,), outputs=1, seed=seed, width=width, depth=depth)

    def named_rows(self) -> list[Row]:
        """The risks of the classifiers by name."""
        rows = []
        for name, f in self.named.items():
            found = {
                "standard_risk": standard_risk(f, self.true),
                "boundary_risk": boundary_risk(f, self.true, self.ball),
                "robust_risk": robust_risk(f, self.true, self.ball),
                "sensible_risk": sensible_risk(f, self.true, self.ball, self.reference),
            }
            row = {"method": name, "eps": self.ball.radius, **found, "optimum": self.optimum}
            if self.is_restricted:
                row |= {"seen_robust_risk": robust_risk(f, self.seen, self.ball), "seen_optimum": self.seen_optimum}
            rows.append(row)
        return rows

    def evaluate(
        self, model: nn.Module, losses: Sequence[str | Loss], lam: Fraction, depth: int = DEPTH
    ) -> list[Row]:
        """The true risks of a network, with the terms of the bound: one row a loss (one row without losses)."""
        network = relu_network(model, self.dim)
        return self.enclose(network, losses, lam, depth)

    def enclose(
        self, network: ReluNetwork, losses: Sequence[str | Loss], lam: Fraction, depth: int = DEPTH
    ) -> list[Row]:
        """The same of the exact network."""
        risks = network_risks(network, self.true, self.ball, self.reference)
        row: Row = {
            f"{name}_risk": _short(getattr(risks, name)) for name in ("standard", "boundary", "robust", "sensible")
        }
        row["optimum"] = self.optimum
        if self.is_restricted:
            seen = network_risks(network, self.seen, self.ball, self.reference).robust
            row |= {"seen_robust_risk": _short(seen), "seen_optimum": self.seen_optimum}
        if not losses:
            return [row]
        reports = network_bounds(network, self.true, self.ball, risks, losses, lam, depth=depth)
        return [
            {**row, "loss": name, "lam": lam, **{key: _short(value) for key, value in sides(report).items()}}
            for name, report in reports.items()
        ]


def _short(x: Enclosure) -> Enclosure:
    return rounded(x, DIGITS)


def box_setting(name: str, eps: Fraction) -> BoxSetting:
    """The setting of "cheese", "halves", "stripes", or of the law in a file (`toy.lawfile`), at a radius.

    Raises ``ValueError`` for a file whose law has no boxes, other labels than -1 and +1, more than two dimensions or a
    domain that is not the unit interval or square, and where labels tie without the key ties.
    """
    ball = Ball(eps)
    if name in BOXES:
        from importlib import import_module

        example = import_module(f"toy.{name}").example()
        laws = {key: law(eps) for key, law in example.laws.items()}
        true, seen = laws["true"], laws.get("restricted", laws["true"])
        named, reference = dict(example.classifiers("true", eps)), example.reference(eps)
        if "restricted" in laws:
            named["seen_optimum"] = example.classifiers("restricted", eps)["robust_optimum"]
    else:
        from toy import lawfile

        file = lawfile.read(name)
        true, seen = _checked(file.law, name), file.restricted or file.law
        if file.ties is None and not tied_region(true).is_empty:
            raise ValueError(f"labels tie somewhere under the law of {name}; its key ties must say what Bayes predicts")
        reference = bayes_rule(true, ties=file.ties)
        named = {"bayes": reference, **file.classifiers}
        named["robust_optimum"] = optimal_robust_risk(true, ball).classifier
        if seen is not true:
            named["seen_optimum"] = optimal_robust_risk(seen, ball).classifier
    optimum = as_enclosure(optimal_robust_risk(true, ball).value)
    least = optimum if seen is true else as_enclosure(optimal_robust_risk(seen, ball).value)
    return BoxSetting(name, ball, true, seen, reference, named, optimum, least)


def _checked(law: Any, name: str) -> BoxDistribution:
    if not isinstance(law, BoxDistribution):
        raise ValueError(f"the law of {name} lives on points; networks are trained on laws on boxes here")
    unit = [((Fraction(0), Fraction(1)),) * law.dim]
    if law.dim > 2 or [tuple(cell) for cell in law.domain.cells()] != unit:
        raise ValueError(f"the domain of {name} is {law.domain!r}; allowed are the unit interval and the unit square")
    if law.labels != (-1, 1):
        raise ValueError(f"the labels of {name} are {list(law.labels)}; a network with one score knows -1 and +1")
    return law


def check_losses(losses: Sequence[str]) -> None:
    """Raises ``ValueError`` for a loss that does not meet the premises of TRADES, Theorem 3.1, or that increases."""
    from theory.loss import as_loss

    for phi in map(as_loss, losses):
        check_loss(phi)
        if not phi.non_increasing:
            raise ValueError(f"loss {phi.name!r} is not non-increasing, which the laws of margins need")

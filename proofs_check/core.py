"""What a claim, its evidence and its verdict are.

A `Claim` says what is printed where, how it is read, what is expected of it, and holds the function that looks for
evidence. The expected verdict is pinned in the source: a change of any verdict fails a test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proofs_check.search import Counterexample

KINDS = ("theorem", "lemma", "definition", "formula", "table", "remark", "example", "repair")
"""Kinds of claims. A "repair" is a statement that is not printed: one of ours, in the place of a false one."""

VERDICTS: Mapping[str, str] = MappingProxyType(
    {
        "PROVED": "an exact enumeration, an identity, a decision procedure, an exact curve, or a core with its lift",
        "SUPPORTED": "so many exact cases, none against",
        "UNDECIDED": "neither",
        "AMENDED": "false as printed, with a witness; the repaired statement is PROVED or SUPPORTED",
        "REFUTED": "false, with a witness, and no repair is known",
        "UNREADABLE": "the scan lost a symbol on which the verdict hangs",
        "REPRODUCED": "a trained network in the paper's setting, by a rule fixed before the run",
        "DIRECTION HELD": "a trained network in a reduced setting",
        "FAILED": "a trained network in a reduced setting went the other way",
        "NOT RUN": "nothing has been run yet",
        "OUT OF REACH": "running it costs too much; the cost is named",
        "IMPOSSIBLE": "printed numbers that contradict themselves",
    }
)

PAPERS: Mapping[str, str] = MappingProxyType(
    {
        "SENSE": "Sensible Adversarial Learning",
        "TRADES": "Theoretically Principled Trade-off between Robustness and Accuracy",
        "ODDS": "Robustness May Be at Odds with Accuracy",
        "IAAT": "Instance adaptive adversarial training",
        "PGN": "Adversarial training with perturbation generator networks",
    }
)


FOUND = ("PROVED", "SUPPORTED", "REFUTED", "UNDECIDED", "UNREADABLE")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a prover found: PROVED, SUPPORTED, REFUTED, UNDECIDED or UNREADABLE, by ``how``, on so many ``cases``.

    ``core`` says that a symbolic core was decided and the rest is the written lift in the claim's docstring.
    """

    kind: str
    how: str
    cases: int = 0
    witness: Counterexample | None = None
    core: bool = False

    def __post_init__(self) -> None:
        if self.kind not in FOUND:
            raise ValueError(f"evidence {self.kind!r} is unknown; allowed are {', '.join(FOUND)}")
        if (self.kind == "REFUTED") != (self.witness is not None):
            raise ValueError(f"evidence {self.kind} {'needs' if self.witness is None else 'has'} a witness")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to a claim; ``covers`` are the quantifiers it was established for."""

    key: str
    kind: str | None
    evidence: str
    covers: str
    cases: int
    witness: Counterexample | None
    expected: str | None

    @property
    def as_expected(self) -> bool:
        """Whether this is the verdict that the source pins."""
        return self.kind == self.expected

    def __str__(self) -> str:
        return f"SUPPORTED({self.cases})" if self.kind == "SUPPORTED" else self.kind or "definition"


Prover = Callable[[int], Evidence]


@dataclass(frozen=True, slots=True)
class Claim:
    """One printed statement. ``statement`` is as printed, in our words; ``reading`` is how an ambiguity was settled.

    ``expected`` is the pinned verdict, None for a definition. ``amendment`` is the key of the repaired claim; one of
    kind "repair" names in ``repairs`` the printed one. ``prove`` takes a budget, the number of cases to spend at most,
    and returns evidence; its docstring is the written argument, if there is one.
    """

    key: str
    paper: str
    label: str
    place: str
    kind: str
    statement: str
    expected: str | None
    covers: str
    prove: Prover | None = None
    reading: str = ""
    premises: tuple[str, ...] = ()
    amendment: str = ""
    repairs: str = ""

    def __post_init__(self) -> None:
        for name, allowed in (("paper", PAPERS), ("kind", KINDS), ("expected", (*VERDICTS, None))):
            if getattr(self, name) not in allowed:
                listed = ", ".join(str(x) for x in allowed)
                raise ValueError(f"{name} {getattr(self, name)!r} of claim {self.key} is unknown; allowed are {listed}")
        if (self.expected is None) != (self.prove is None):
            raise ValueError(f"claim {self.key} needs both a pinned verdict and a check, or neither (a definition)")
        if (self.kind == "repair") != bool(self.repairs):
            raise ValueError(f"claim {self.key} must be of kind 'repair' exactly if it names the claim that it repairs")
        if (self.expected == "AMENDED") != bool(self.amendment):
            raise ValueError(f"claim {self.key} must name its amendment exactly if AMENDED is expected")

    @property
    def lift(self) -> str:
        """The written argument from what was checked to what is claimed."""
        import inspect

        return inspect.getdoc(self.prove) or "" if self.prove else ""

    @property
    def bibtex(self) -> str:
        """The key of the paper in a bibliography."""
        return f"tightrope:{self.paper.lower()}"


def claim(
    key: str,
    *,
    paper: str,
    label: str,
    place: str,
    kind: str,
    statement: str,
    expected: str,
    covers: str,
    reading: str = "",
    premises: tuple[str, ...] = (),
    amendment: str = "",
    repairs: str = "",
) -> Callable[[Prover], Claim]:
    """A decorator that makes a claim of a function from a budget to evidence.

    Nothing is registered anywhere: `proofs_check.registry` finds the claims in their modules.

    >>> @claim("two-halves", paper="ODDS", label="none", place="none", kind="remark", statement="1/2 + 1/2 = 1",
    ...        expected="PROVED", covers="one sum")
    ... def two_halves(budget):
    ...     return Evidence("PROVED", "by hand", 1)
    >>> two_halves.key, two_halves.expected
    ('two-halves', 'PROVED')
    """

    def make(prove: Prover) -> Claim:
        return Claim(
            key, paper, label, place, kind, statement, expected, covers, prove, reading, premises, amendment, repairs
        )

    return make

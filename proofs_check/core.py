"""What a claim, its evidence and its verdict are.

A `Claim` says what is printed where, how it is read, what is expected of it, and holds the function that looks for
evidence. The expected verdict is pinned in the source: a change of any verdict fails a test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from proofs_check.search import Counterexample

GROUPS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("theorem", "lemma", "formula", "table", "remark", "example"), "mathematics"),
        "definition": "definitions",
        "repair": "repairs",
        "procedure": "procedures",
        "network": "networks",
        "arithmetic": "arithmetic",
    }
)
"""Kinds of claims, and the group in which each is counted. A "repair" is a statement that is not printed: one of ours,
in the place of a false one. A "procedure" is an algorithm or a property of one, a "network" statement speaks of trained
networks, "arithmetic" is that of printed tables; a "table" is a theoretical one."""

KINDS = tuple(GROUPS)

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


FOUND = tuple(kind for kind in VERDICTS if kind != "AMENDED")
HOLDS = ("PROVED", "SUPPORTED")


class Budget(int):
    """The number of cases that a claim may spend, with the seed of its searches; halves of it keep the seed.

    >>> half = Budget(1000, seed=7) // 2
    >>> half, half.seed
    (500, 7)
    """

    seed: int

    def __new__(cls, cases: int, seed: int = 0) -> Self:
        made = super().__new__(cls, cases)
        made.seed = seed
        return made

    def __floordiv__(self, other: int) -> Budget:
        return Budget(int(self) // other, self.seed)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a prover found (one of `VERDICTS`, except AMENDED), by ``how``, on so many ``cases``.

    ``core`` says that a symbolic core was decided and the rest is the written lift in the claim's docstring. ``tried``
    are the random cases among it all that a search decided, and ``slack`` the smallest margin it saw.
    """

    kind: str
    how: str
    cases: int = 0
    witness: Counterexample | None = None
    core: bool = False
    tried: int = 0
    slack: Any = None

    def __post_init__(self) -> None:
        if self.kind not in FOUND:
            raise ValueError(f"evidence {self.kind!r} is unknown; allowed are {', '.join(FOUND)}")
        if (self.kind == "REFUTED") != (self.witness is not None):
            raise ValueError(f"evidence {self.kind} {'needs' if self.witness is None else 'has'} a witness")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to a claim; ``covers`` are the quantifiers it was established for.

    ``breakages`` are pairs of a premise and what was found without it. A verdict on trained networks names the record
    it rests on, and the hash of that.
    """

    key: str
    kind: str | None
    evidence: str
    covers: str
    cases: int
    witness: Counterexample | None
    expected: str | None
    breakages: tuple[tuple[str, Evidence], ...] = ()
    record: str = ""
    sha256: str = ""

    @property
    def fault(self) -> str:
        """What is not as the source pins it, in a few words; empty if all is.

        What a record says is decided by a rule fixed before, so whichever way it goes is as pinned. Without torch the
        claims on training code are NOT RUN, whatever is pinned.
        """
        if self.kind == "NOT RUN" and find_spec("torch") is None:
            return ""
        if self.kind != self.expected and not self.record:
            return f"is {self}, but the source pins {self.expected}"
        kept = [premise for premise, found in self.breakages if found.kind != "REFUTED"]
        return f"is not shown to break without {' and '.join(map(repr, kept))}" if kept else ""

    @property
    def as_expected(self) -> bool:
        """Whether this is the verdict that the source pins, and every premise tried is needed."""
        return not self.fault

    def __str__(self) -> str:
        return f"SUPPORTED({self.cases})" if self.kind == "SUPPORTED" else self.kind or "definition"


Prover = Callable[[Any], Evidence]
"""From a budget, the number of cases to spend at most, to evidence; for a claim that reads records, from a record."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One printed statement. ``statement`` is as printed, in our words; ``reading`` is how an ambiguity was settled.

    ``expected`` is the pinned verdict, None for a definition. ``amendment`` is the key of the repaired claim; one of
    kind "repair" names in ``repairs`` the printed one. ``prove`` takes a budget, the number of cases to spend at most,
    and returns evidence; its docstring is the written argument, if there is one. ``without`` has for a premise a prover
    that shows a witness against the statement once that premise is dropped. ``searched`` says what was looked at before
    a theorem was called false or a bound new, ``figure(axes)`` draws. With ``reads``, the schema of a record, ``prove``
    is a rule fixed beforehand: it takes such a record, and without one the verdict is NOT RUN.
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
    without: Mapping[str, Prover] = field(default_factory=dict, compare=False)
    searched: str = ""
    figure: Callable[[Any], None] | None = None
    reads: str = ""

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
        if self.reads and (self.kind, self.expected) != ("network", "NOT RUN"):
            raise ValueError(f"claim {self.key} reads records, so it must be of kind 'network' and pinned as NOT RUN")
        for premise in self.without:
            if premise not in self.premises:
                raise ValueError(f"claim {self.key} drops {premise!r}, which is none of its premises {self.premises}")

    @property
    def group(self) -> str:
        """Where it is counted, see `GROUPS`."""
        return GROUPS[self.kind]

    @property
    def lift(self) -> str:
        """The written argument from what was checked to what is claimed."""
        import inspect

        return inspect.getdoc(self.prove) or "" if self.prove else ""


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
    without: Mapping[str, Prover] | None = None,
    searched: str = "",
    figure: Callable[[Any], None] | None = None,
    reads: str = "",
) -> Callable[[Prover], Claim]:
    """A decorator that makes a claim of a function from a budget (with ``reads``: from a record) to evidence.

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
            key, paper, label, place, kind, statement, expected, covers, prove, reading, premises, amendment, repairs,
            dict(without or {}), searched, figure, reads,
        )  # fmt: skip

    return make


def definition(
    key: str, *, paper: str, label: str, place: str, statement: str, covers: str, reading: str = ""
) -> Claim:
    """An entry without a verdict; ``covers`` names what in the code it is.

    >>> definition("odds-half", paper="ODDS", label="none", place="none", statement="A half.", covers="1/2").expected
    """
    return Claim(key, paper, label, place, "definition", statement, None, covers, reading=reading)

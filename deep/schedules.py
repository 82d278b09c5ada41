"""Learning rates over a run: factors of the recipe's rate as functions of the progress, in [0, 1)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Constant:
    """Always 1."""

    def __call__(self, progress: float) -> float:  # noqa: ARG002
        return 1.0


@dataclass(frozen=True, slots=True)
class Steps:
    """Multiplied by ``factor`` at each of the shares ``at`` of the run.

    >>> rate = Steps((0.75, 0.9))
    >>> rate(0.5), rate(0.75), round(rate(0.95), 4)
    (1.0, 0.1, 0.01)
    """

    at: tuple[float, ...]
    factor: float = 0.1

    def __post_init__(self) -> None:
        if any(not 0 < share < 1 for share in self.at) or not 0 < self.factor < 1:
            raise ValueError(f"steps at {self.at} by {self.factor} are out of range; allowed are numbers in (0, 1)")

    def __call__(self, progress: float) -> float:
        return float(self.factor ** sum(progress >= share for share in self.at))


@dataclass(frozen=True, slots=True)
class Cyclic:
    """From 0 in a line to 1 at the share ``peak`` of the run, and back to 0 at its end (Smith, 2017).

    >>> rate = Cyclic(0.4)
    >>> rate(0.0), rate(0.2), rate(0.4), round(rate(0.7), 4)
    (0.0, 0.5, 1.0, 0.5)
    """

    peak: float = 0.4

    def __post_init__(self) -> None:
        if not 0 < self.peak < 1:
            raise ValueError(f"peak {self.peak} is out of range; allowed are numbers in (0, 1)")

    def __call__(self, progress: float) -> float:
        return progress / self.peak if progress < self.peak else (1 - progress) / (1 - self.peak)


Schedule = Constant | Steps | Cyclic


def schedule(text: str) -> Schedule:
    """A schedule from a word: "constant", "steps:0.75,0.9", "cyclic" or "cyclic:0.4".

    >>> schedule("steps:0.5")
    Steps(at=(0.5,), factor=0.1)
    """
    name, _, rest = text.partition(":")
    try:
        numbers = tuple(float(word) for word in rest.split(",")) if rest else ()
    except ValueError:
        numbers, name = (), "?"
    if name == "constant" and not numbers:
        return Constant()
    if name == "steps" and numbers:
        return Steps(numbers)
    if name == "cyclic" and len(numbers) <= 1:
        return Cyclic(*numbers)
    raise ValueError(f"schedule {text!r} is unknown; allowed are constant, steps:SHARE,... and cyclic[:PEAK]")

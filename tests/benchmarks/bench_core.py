"""The exact core against its goals, as seconds and as ratios to a yardstick measured in the same run.

    python tests/benchmarks/bench_core.py [--json] [--repeat 3]

Whole processes are compared with ``python -c "import numpy"``; computations with the yardstick of 100,000 additions of
Fractions. Seconds are those of the processor (everything here runs on one core, so on a quiet machine they are those of
the clock, and on a busy one they do not count the neighbours). The shortest of a few runs counts, the two sides of a
ratio taking turns. Exit code 1 if a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import pairwise, product
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from theory import (  # noqa: E402 - after the path to the checkout is set
    Ball,
    BoxDistribution,
    Boxes,
    RegionClassifier,
    boundary_risk,
    robust_risk,
    standard_risk,
)
from theory.record import Record  # noqa: E402


@dataclass(frozen=True)
class Line:
    """One measurement: what, how long, against which yardstick, and the goal of it (seconds, or a ratio)."""

    what: str
    seconds: float
    yardstick: float
    goal: float
    unit: str  # "s" or "x"

    @property
    def ratio(self) -> float:
        return self.seconds / self.yardstick

    @property
    def met(self) -> bool:
        return (self.seconds if self.unit == "s" else self.ratio) <= self.goal

    def __str__(self) -> str:
        verdict = "met" if self.met else "MISSED"
        return (
            f"{self.what:<72} {self.seconds:8.3f} s {self.ratio:8.2f} x   goal {self.goal:g} {self.unit:<2} {verdict}"
        )


def clock(work: Any) -> float:
    """Processor seconds of this process and of those that it waited for."""
    start = used()
    work()
    return used() - start


def used() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def race(work: Any, yardstick: Any, repeat: int) -> tuple[float, float]:
    """The shortest of ``repeat`` runs of either, taking turns."""
    times = [(clock(work), clock(yardstick)) for _ in range(repeat)]
    return min(a for a, _ in times), min(b for _, b in times)


def python(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def additions() -> Fraction:
    """100,000 additions of small Fractions."""
    x, step = Fraction(0), Fraction(1, 3)
    for k in range(100_000):
        x = x + step if k % 2 else x - step
    return x


# ---- the measured work ----------------------------------------------------------------------------------------------


def figure9() -> None:
    """Three worst-case classifiers, standard and robust risk, (0, 1/2], prior 11/20, all exact."""
    from theory.curves import curves
    from toy.cheese import LINE, PRIOR, bayes, distribution
    from toy.worst import worst_members

    true, seen, rule = distribution(PRIOR), distribution(PRIOR, restricted=True), bayes(LINE)

    def risks(eps: Any) -> list[Any]:
        ball = Ball(eps)
        members = worst_members(true, seen, rule, ball).values()
        return [risk(f, true, ball) for f in members for risk in (standard_risk, robust_risk)]

    assert len(curves(risks, 0, "1/2", ends="(]")) == 6


def small_problem(rng: random.Random) -> tuple[RegionClassifier, BoxDistribution, Ball]:
    """Up to 64 cells in one to three dimensions, a union of four boxes, a radius up to 1/6."""
    dim = rng.choice([1, 2, 2, 3])

    def cuts() -> list[Fraction]:
        inner = {Fraction(rng.randrange(1, 12), 12) for _ in range(rng.randrange(1, 4))}
        return [Fraction(0), *sorted(inner), Fraction(1)]

    cells = list(product(*(list(pairwise(cuts())) for _ in range(dim))))
    weights = {label: [rng.randrange(4) for _ in cells] for label in (-1, +1)}
    weights[+1][0] += 1
    total = sum(map(sum, weights.values()))
    masses = {y: [(c, Fraction(w, total)) for c, w in zip(cells, row, strict=True)] for y, row in weights.items()}
    sides = [[sorted(rng.sample(range(13), 2)) for _ in range(dim)] for _ in range(4)]
    f = RegionClassifier.binary(Boxes([[(Fraction(lo, 12), Fraction(hi, 12)) for lo, hi in box] for box in sides]))
    return f, BoxDistribution.of_masses(masses, [(0, 1)] * dim), Ball(Fraction(rng.randrange(5), 24))


def decompositions(n: int = 300) -> None:
    """Robust = standard + boundary on n random problems, the building of the problems included."""
    rng = random.Random(2)
    for _ in range(n):
        f, law, ball = small_problem(rng)
        assert robust_risk(f, law, ball) == standard_risk(f, law) + boundary_risk(f, law, ball)


def coordinate(rng: random.Random, lo: Fraction, hi: Fraction) -> Fraction:
    """A fraction between lo and hi with a random denominator up to a million."""
    while True:
        denominator = rng.randrange(10**5, 10**6 + 1)
        least, most = -(-lo * denominator // 1), hi * denominator // 1
        if least <= most:
            return Fraction(rng.randint(int(least), int(most)), denominator)


def box_lists(rng: random.Random, n: int = 1000) -> list[list[tuple[Fraction, Fraction]]]:
    found = []
    for _ in range(n):
        low = [coordinate(rng, Fraction(0), Fraction(97, 100)) for _ in range(2)]
        found.append([(x, coordinate(rng, x + Fraction(1, 300), x + Fraction(3, 100))) for x in low])
    return found


def grid_cells(rng: random.Random, columns: int = 25, rows: int = 40) -> list[Any]:
    """A grid of 1,000 cells with uneven spacing."""
    axes = [
        [Fraction(0), *sorted({coordinate(rng, Fraction(0), Fraction(1)) for _ in range(n - 1)}), Fraction(1)]
        for n in (columns, rows)
    ]
    return list(product(*(list(pairwise(axis)) for axis in axes)))


def split_cells(rng: random.Random, n: int = 1000) -> list[Any]:
    """The unit square cut in two n - 1 times: no two cells share more than a face, about 500 faces an axis."""
    cells = [((Fraction(0), Fraction(1)),) * 2]
    while len(cells) < n:
        cell = max(cells, key=lambda c: (c[0][1] - c[0][0]) * (c[1][1] - c[1][0]))
        cells.remove(cell)
        axis = int(cell[0][1] - cell[0][0] < cell[1][1] - cell[1][0])
        lo, hi = cell[axis]
        cut = coordinate(rng, lo + (hi - lo) / 4, hi - (hi - lo) / 4)
        cells += [(*cell[:axis], side, *cell[axis + 1 :]) for side in ((lo, cut), (cut, hi))]
    return cells


def law_on(rng: random.Random, cells: list[Any]) -> BoxDistribution:
    """A distinct density for either label on every cell."""
    weights = rng.sample(range(1, 10**6), 2 * len(cells))
    masses = [Fraction(w, sum(weights)) for w in weights]
    rows = {-1: masses[: len(cells)], +1: masses[len(cells) :]}
    pairs = {label: list(zip(cells, row, strict=True)) for label, row in rows.items()}
    return BoxDistribution.of_masses(pairs, [(0, 1), (0, 1)])


def thousand_boxes(law: BoxDistribution, listed: list[Any], eps: str) -> None:
    f = RegionClassifier.binary(Boxes(listed))
    standard, robust = standard_risk(f, law).fraction, robust_risk(f, law, Ball(eps)).fraction
    assert 0 < standard < robust <= 1


# ---- the table ------------------------------------------------------------------------------------------------------


def measure(repeat: int) -> list[Line]:
    lines = []

    def line(what: str, work: Any, goal: float, unit: str, yardstick: Any = additions) -> None:
        # short processes vary most from run to run
        seconds, other = race(work, yardstick, repeat if unit == "s" else 4 * repeat)
        lines.append(Line(what, seconds, other, goal, unit))
        print(lines[-1], file=sys.stderr, flush=True)

    line(
        "python -m toy.cheese --eps 0.1, to import numpy",
        lambda: python("-m", "toy.cheese", "--eps", "0.1"),
        2.5,
        "x",
        lambda: python("-c", "import numpy"),
    )
    line("Figure 9 exact: three classes, standard and robust, (0, 1/2]", figure9, 1, "s")
    line("300 random box problems checked for robust = standard + boundary", decompositions, 3, "s")
    rng = random.Random(3)
    listed = box_lists(rng)
    for name, cells in (("a grid", grid_cells(rng)), ("a split square", split_cells(rng))):
        line(f"a law of 1,000 cells, {name}", lambda cells=cells: law_on(random.Random(4), cells), 1, "s")  # type: ignore[misc]
        law = law_on(random.Random(4), cells)
        for eps in ("1/1000", "1/10"):
            what = f"standard + robust risk of 1,000 boxes, law on {name}, eps {eps}"
            line(what, lambda law=law, eps=eps: thousand_boxes(law, listed, eps), 1, "s")  # type: ignore[misc]
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the exact core against its goals.")
    parser.add_argument("--json", action="store_true", help="print a record in JSON instead of the table")
    parser.add_argument("--repeat", type=int, default=3, help="runs of everything, the shortest counts (default 3)")
    arguments = parser.parse_args()
    lines = measure(max(1, arguments.repeat))
    if arguments.json:
        data = [{**asdict(each), "ratio": each.ratio, "met": each.met} for each in lines]
        record = Record.new("tightrope.bench.core/1", data, command="tests/benchmarks/bench_core.py")
        print(json.dumps({**asdict(record), "sha256": record.sha256}, indent=1))
    else:
        print("\n".join(map(str, lines)))
    return 0 if all(each.met for each in lines) else 1


if __name__ == "__main__":
    sys.exit(main())

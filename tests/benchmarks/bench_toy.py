"""The toys as a user meets them: whole processes, in units of ``python -c "import numpy"``, and Figure 9 in seconds.

    python tests/benchmarks/bench_toy.py [--json] [--repeat 7]

Every command takes turns with the yardstick; medians of wall clock and of processor seconds are printed, and the ratio
is that of the processor seconds, which a busy machine disturbs less. Exit code 1 if a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from theory.record import Record  # noqa: E402 - after the path to the checkout is set

if TYPE_CHECKING:
    from collections.abc import Sequence

LAW = {
    "schema": "tightrope.law/1",
    "domain": [[0, 1], [0, 1]],
    "boxes": [
        {"box": [[0, "1/2"], [0, 1]], "mass": {"-1": "1/2"}},
        {"box": [["1/2", 1], [0, 1]], "mass": {"+1": "1/2"}},
    ],
    "classifiers": {"corner": {"boxes": [[["2/5", None], ["2/5", None]]]}},
}
FIGURE_9 = """
import time
from theory import Ball, robust_risk, standard_risk
from theory.curves import curves
from toy.cheese import bayes, distribution
from toy.worst import worst_members

def risks(eps):
    ball = Ball(eps)
    members = worst_members(true, seen, rule, ball).values()
    return [risk(f, true, ball) for f in members for risk in (standard_risk, robust_risk)]

start = time.process_time()
true, seen, rule = distribution("11/20"), distribution("11/20", restricted=True), bayes()
found = curves(risks, 0, "1/2", ends="(]")
print(time.process_time() - start, len(found))
"""
GOALS = {"toy.cheese --eps 0.1": 2.5}
COMMANDS = (
    "toy.cheese --eps 0.1",
    "toy.cheese --eps 0.1 --json",
    "toy.cheese --curve",
    "toy.halves",
    "toy.stripes --eps 3/10",
    "toy.law LAW",
    "toy",
)


def run(arguments: Sequence[str]) -> tuple[float, float, str]:
    """Wall-clock and processor seconds of one Python process, and what it printed."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=ENVIRONMENT, check=True, stdout=subprocess.PIPE)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, used, done.stdout.decode()


ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in ("PYTHONSTARTUP", "PYTHONWARNINGS")}


def race(arguments: Sequence[str], repeat: int) -> dict[str, Any]:
    """The command and the yardstick by turns: medians, and their ratios."""
    pairs = [(run(arguments)[:2], run(["-c", "import numpy"])[:2]) for _ in range(repeat)]
    wall, used = (statistics.median(mine[k] for mine, _ in pairs) for k in (0, 1))
    numpy_wall, numpy_used = (statistics.median(other[k] for _, other in pairs) for k in (0, 1))
    return {"wall": wall, "used": used, "wall_ratio": wall / numpy_wall, "used_ratio": used / numpy_used}


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the toys as whole processes.")
    parser.add_argument("--json", action="store_true", help="print a record in JSON instead of the table")
    parser.add_argument("--repeat", type=int, default=7, help="runs of everything (default 7)")
    arguments = parser.parse_args()
    repeat, rows = max(1, arguments.repeat), []
    with tempfile.NamedTemporaryFile("w", suffix=".json") as law:
        json.dump(LAW, law)
        law.flush()
        for command in COMMANDS:
            row = race(["-m", *command.replace("LAW", law.name).split()], repeat)
            goal = GOALS.get(command)
            met = goal is None or row["used_ratio"] <= goal
            rows.append({"what": f"python -m {command}", **row, "goal": goal, "met": met})
    seconds = statistics.median(float(run(["-c", FIGURE_9])[2].split()[0]) for _ in range(repeat))
    what = "Figure 9 exact, in a process that has started"
    rows.append({"what": what, "used": seconds, "goal": 1.0, "met": seconds <= 1})
    if arguments.json:
        record = Record.new("tightrope.bench.toy/1", rows, command="tests/benchmarks/bench_toy.py")
        print(json.dumps({**asdict(record), "sha256": record.sha256}, indent=1))
    else:
        print(f"{'':<48} {'wall s':>7} {'cpu s':>7} {'wall x':>7} {'cpu x':>7}  goal")
        for row in rows:
            keys = ("wall", "used", "wall_ratio", "used_ratio")
            numbers = [f"{row[key]:7.2f}" if key in row else " " * 7 for key in keys]
            verdict = "" if row["goal"] is None else f"{row['goal']:g} {'met' if row['met'] else 'MISSED'}"
            print(f"{row['what']:<48} {' '.join(numbers)}  {verdict}".rstrip())
    return 0 if all(row["met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())

"""What the verdicts cost: the list, all claims at the default budget, the report, and a campaign's cases a second.

    python tests/benchmarks/bench_verdicts.py [--jobs 2] [--cases 20000]

Prints one row a command with its goal: the list in 0.7 s, all verdicts in 120 s on two cores, the page below a
megabyte; and below, the ten claims that took longest.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

from theory.table import Cell, Table


def timed(*arguments: str) -> float:
    """Seconds that ``python -m proofs_check ARGUMENTS`` takes; a verdict that is not as pinned is told on stderr."""
    start = time.perf_counter()
    line = [sys.executable, "-m", "proofs_check", *arguments]
    done = subprocess.run(line, check=False, stdout=subprocess.DEVNULL)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{line} ended with {done.returncode}")
    return time.perf_counter() - start


def rounded(seconds: float) -> Fraction:
    return Fraction(round(1000 * seconds), 1000)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--cases", type=int, default=20_000)
    args = parser.parse_args()
    jobs = ["--jobs", str(args.jobs)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        verdicts, page = folder / "verdicts.jsonl", folder / "report.html"
        listing = min(timed("list") for _ in range(3))
        run = timed("run", *jobs, "--out", str(verdicts))
        lines = [json.loads(line) for line in verdicts.read_text(encoding="utf-8").splitlines()]
        report = timed("report", "--verdicts", str(verdicts), "--html", str(page))
        size = page.stat().st_size
        rows = [
            _row("list", listing, f"{listing:.2f} s", "0.7 s", met=listing <= 0.7),
            _row(f"run, {len(lines)} entries", run, f"{run:.0f} s", "120 s", met=run <= 120),
            _row("report", report, f"{size} bytes", "1000000 bytes", met=size < 10**6),
        ]
        for key in ("trades-eq1", "sense-theorem-1"):
            spent = timed("campaign", key, *jobs, "--n", str(args.cases), "--out", str(folder / f"{key}.jsonl"))
            rows.append(_row(f"campaign {key}", spent, f"{args.cases / spent:.0f} cases a second"))
    print(Table(list(rows[0]), rows))
    slow = sorted(lines, key=lambda line: -line.get("seconds", 0))[:10]
    print()
    print(Table(["key", "seconds"], [{"key": row["key"], "seconds": rounded(row.get("seconds", 0))} for row in slow]))
    return int(any(row["met"] is False for row in rows))


def _row(what: str, seconds: float, found: str, goal: str = "", *, met: bool | None = None) -> dict[str, Cell]:
    return {"what": what, "seconds": rounded(seconds), "found": found, "goal": goal, "met": met}


if __name__ == "__main__":
    sys.exit(main())

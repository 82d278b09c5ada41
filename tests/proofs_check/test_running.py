"""Runs and campaigns: the same whatever the number of processes, resumed where they stopped, and none of it lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from proofs_check import Evidence, claim, registry
from proofs_check.__main__ import main
from proofs_check.campaign import Target, batches
from proofs_check.core import Budget
from proofs_check.results import ResultFile, read_rows
from proofs_check.running import interruptible, results

CLAIMS = registry()
KEYS = (
    "trades-eq1",
    "odds-theorem-2.1",
    "trades-theorem-3.1-second",
    "trades-theorem-3.1-second-repaired",
    "sense-definition-1",
)
ROOT = Path(__file__).parents[2]
CONJECTURES = """
from theory.enclosure import Enclosure

def true(t):
    return t[0] * t[1]

def rare(t):
    return 1 - (t[0] == t[1] == t[2] > 0) * 2

def mute(t):
    return Enclosure(-1, 1)

def broken(t):
    return float("nan")
"""


def timeless(rows):
    return sorted((json.dumps({k: v for k, v in row.items() if k != "seconds"}) for row in rows), key=str)


@pytest.fixture
def conjectures(tmp_path, monkeypatch):
    """A folder with conjectures, which is the working directory."""
    (tmp_path / "conjectures_of_a_test.py").write_text(CONJECTURES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


# ---- runs ----


def test_verdicts_do_not_depend_on_the_number_of_processes():
    items = [CLAIMS[key] for key in KEYS]
    alone, together = list(results(items, 12, seed=3)), list(results(items, 12, seed=3, jobs=2))
    assert timeless(alone) == timeless(together)
    assert {row["key"] for row in alone} == set(KEYS)


def test_the_backend_of_joblib_carries_a_run():
    from joblib import parallel_config

    with parallel_config(backend="threading", n_jobs=2):
        assert {row["key"] for row in results([CLAIMS[key] for key in KEYS[:2]], 5)} == set(KEYS[:2])


def test_the_seed_of_a_run_reaches_every_claim(monkeypatch):
    @claim(
        "odds-x", paper="ODDS", label="none", place="none", kind="remark", statement="x.", expected="PROVED", covers="x"
    )
    def spent(budget):
        return Evidence("PROVED", f"{int(budget)} cases of seed {budget.seed}", 1)

    monkeypatch.setattr("proofs_check.running.registry", lambda: {"odds-x": spent})
    assert [row["evidence"] for row in results([spent], 9, seed=4)] == ["9 cases of seed 4"]


def test_a_budget_keeps_its_seed_when_it_is_halved():
    half = max(1, Budget(10, 7) // 2)
    assert (half, half.seed) == (5, 7)
    assert getattr(max(1, Budget(1, 7) // 2), "seed", 0) == 0  # one case is one case


def test_a_run_is_resumed_and_half_a_line_is_done_again(tmp_path, capsys):
    path = tmp_path / "v.jsonl"
    keys = ["trades-eq1", "odds-theorem-2.1"]
    line = ["run", *keys, "--budget", "8", "--out", str(path)]
    assert main(line) == 0
    full, shown = path.read_text(), capsys.readouterr().out
    assert [row["key"] for row in read_rows(path)] == keys
    path.write_text(full[: full.index("\n") + 40])  # the second line was only half written
    assert main(line) == 2
    assert "is not empty" in capsys.readouterr().err
    assert main([*line, "--resume"]) == 0
    captured = capsys.readouterr()
    assert captured.out == shown
    assert "ends in half a line" in captured.err
    assert timeless(read_rows(path)) == timeless(map(json.loads, full.splitlines()))
    assert path.read_text().startswith(full[: full.index("\n") + 1])  # the first was not done again


def test_a_file_of_another_setting_is_not_mixed_in(tmp_path, capsys):
    path = tmp_path / "v.jsonl"
    assert main(["run", "trades-eq1", "--budget", "8", "--out", str(path)]) == 0
    capsys.readouterr()
    for more, sentence in (
        (["--budget", "9"], "holds results of budget 8 in line 1, and this is budget 9"),
        (["--budget", "8", "--seed", "1"], "holds results of seed 0 in line 1, and this is seed 1"),
    ):
        assert main(["run", "trades-eq1", *more, "--out", str(path), "--resume"]) == 2
        assert sentence in capsys.readouterr().err
    path.write_text("no json\n")
    assert main(["run", "trades-eq1", "--out", str(path), "--resume"]) == 2
    assert f"line 1 of {path} is no JSON object" in capsys.readouterr().err
    assert main(["run", "trades-eq1", "--resume"]) == 2
    assert "--resume goes on with the file that --out names" in capsys.readouterr().err


def test_an_interrupted_run_keeps_and_prints_what_is_finished(tmp_path, monkeypatch, capsys):
    def interrupted(items, *rest):
        yield from results(items[:1], *rest)
        raise KeyboardInterrupt

    monkeypatch.setattr("proofs_check.__main__.results", interrupted)
    path = tmp_path / "v.jsonl"
    assert main(["run", *KEYS[:2], "--budget", "5", "--out", str(path)]) == 130
    captured = capsys.readouterr()
    assert KEYS[0] in captured.out
    assert KEYS[1] not in captured.out
    assert "interrupted with 1 of the verdicts finished" in captured.err
    assert [row["key"] for row in read_rows(path)] == [KEYS[0]]


def test_half_a_line_longer_than_a_block_is_cut_off(tmp_path):
    path = tmp_path / "v.jsonl"
    path.write_text('{"a": 1}\n' + "x" * 200_000)
    ResultFile(path, {}, resume=True).append([{"b": 2}])
    assert read_rows(path) == [{"a": 1}, {"b": 2}]
    path.write_text("x" * 200_000)
    ResultFile(path, {}, resume=True).append([{"b": 2}])
    assert read_rows(path) == [{"b": 2}]


# ---- campaigns ----


def test_batches_are_different_searches_and_the_same_with_more_processes():
    target = Target("trades-eq1")
    rows = list(batches(target, 35, seed=1, batch=15))
    assert [(row["batch"], row["asked"], row["verdict"]) for row in rows] == [
        (k, asked, "SUPPORTED") for k, asked in enumerate((15, 15, 5))
    ]
    assert all(0 < row["tried"] <= row["asked"] for row in rows)
    assert len({row["seed"] for row in rows}) == 3
    assert timeless(batches(target, 35, seed=1, batch=15, jobs=2)) == timeless(rows)
    assert [row["batch"] for row in batches(target, 35, seed=1, batch=15, done={0: 15, 2: 4})] == [1, 2]


def test_the_seed_of_a_budget_reaches_the_search_of_a_claim(conjectures):
    """Different seeds find what is rare after different numbers of cases."""
    target = Target(margin="conjectures_of_a_test:rare", cases="numbers")
    found = {next(batches(target, 2000, seed=seed, batch=2000))["tried"] for seed in range(4)}
    assert len(found) > 1


def test_a_campaign_appends_is_resumed_and_adds_up(conjectures, capsys):
    line = [
        "campaign",
        "--margin",
        "conjectures_of_a_test:true",
        "--cases",
        "numbers",
        "--batch",
        "20",
        "--out",
        "c.jsonl",
    ]
    assert main([*line, "--n", "50", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["verdict"], row["batches"], row["cases"], row["slack"]) == ("SUPPORTED", 3, 50, "0")
    assert main([*line, "--n", "50"]) == 2
    assert "is not empty" in capsys.readouterr().err
    first = Path("c.jsonl").read_text()
    assert main([*line, "--n", "70", "--resume", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["batches"], row["cases"]) == (4, 70)  # the batch of 10 is done again as one of 20
    assert Path("c.jsonl").read_text().startswith(first)
    assert main([*line, "--n", "70", "--seed", "1", "--resume"]) == 2
    assert "campaign_seed 0 in line 1, and this is campaign_seed 1" in capsys.readouterr().err


def test_a_campaign_ends_with_the_first_counterexample(conjectures, capsys):
    hunted = ["--margin", "conjectures_of_a_test:rare", "--cases", "numbers"]
    line = ["campaign", *hunted, "--n", "6000", "--batch", "2000", "--out", "c.jsonl"]
    assert main(line) == 1
    assert "print(rare(case))" in capsys.readouterr().out
    rows = read_rows("c.jsonl")
    assert [row["verdict"] for row in rows][-1] == "REFUTED"
    assert rows[-1]["margin"] == "-1"
    assert main([*line, "--resume"]) == 1  # known, and not looked for again
    assert read_rows("c.jsonl") == rows


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("--n 9", "takes the key of a claim, or --margin; give one of the two"),
        ("trades-eq1 --margin math:floor", "give one of the two"),
        ("trades-eq2", "did you mean trades-eq1"),
        ("trades-theorem-3.1-second --n 9", "searches no random cases (a pinned case), so a campaign adds nothing"),
        ("sense-definition-1", "is not decided by a computation"),
        ("--margin math:no_such", "has no function 'no_such'"),
        ("--margin math:floor --cases finit", "nearest: 'finite'"),
        ("--margin conjectures_of_a_test:broken --cases numbers --n 9", "the margin is NaN on the case (Fraction("),
    ],
)
def test_bad_usage_of_a_campaign(conjectures, line, sentence, capsys):
    assert main(["campaign", *line.split(), "--out", "c.jsonl"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert sentence in captured.err
    assert captured.err.count("\n") == 1


def test_a_campaign_that_decides_nothing_says_so(conjectures, capsys):
    line = ["campaign", "--margin", "conjectures_of_a_test:mute", "--cases", "numbers", "--n", "9", "--out", "c.jsonl"]
    assert main([*line, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["verdict"] == "UNDECIDED"


@pytest.mark.parametrize("jobs", [[], ["--jobs", "2"]], ids=["alone", "two"])
def test_ctrl_c_stops_all_processes_and_loses_no_batch(conjectures, jobs):
    line = ["campaign", "--margin", "conjectures_of_a_test:true", "--cases", "numbers", "--batch", "20", *jobs]
    surroundings = os.environ | {"PYTHONPATH": str(ROOT)}
    running = subprocess.Popen(
        [sys.executable, "-m", "proofs_check", *line, "--out", "c.jsonl"], env=surroundings, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline, file = time.monotonic() + 60, Path("c.jsonl")
    while time.monotonic() < deadline and not (file.exists() and file.read_text().count("\n") > 1):
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGINT)
    try:
        out, err = running.communicate(timeout=20)
    finally:
        running.kill()
    assert running.returncode == 130
    assert err == f"proofs_check: interrupted; c.jsonl holds {len(read_rows('c.jsonl'))} batches for --resume\n"
    assert "SUPPORTED" in out


def test_ctrl_c_is_heard_while_the_garbage_collector_calls_back():
    """Python would drop an interrupt that is raised there."""
    import gc

    def gc_callback(phase, info):  # as Hypothesis names it
        if phase == "start":
            signal.raise_signal(signal.SIGINT)

    gc.callbacks.append(gc_callback)
    try:
        with interruptible(), pytest.raises(KeyboardInterrupt):  # noqa: PT012 - it comes when it comes
            gc.collect()
            gc.callbacks.remove(gc_callback)
            time.sleep(5)
    finally:
        gc.callbacks[:] = [each for each in gc.callbacks if each is not gc_callback]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

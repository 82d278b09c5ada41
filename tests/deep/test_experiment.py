"""The experiments behind the claims on networks: none is missing, each makes a record that its rule can read."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path

import pytest
import torch

import deep
from deep.experiment import main
from deep.experiments import experiments, find, radii, run, runner
from deep.experiments.design import Network
from deep.experiments.pgn import at_norm, balanced
from deep.experiments.runner import members, pooled, written
from deep.experiments.sense_capacity import Losses, Watched
from deep.fit import Recipe, fit
from deep.images import Images, load
from deep.models import build
from deep.objectives import SENSE
from proofs_check.discovery import check, registry
from theory.confidence import clopper_pearson
from theory.record import Record

DIGITS = load("digits", "train").first(40), load("digits", "test").first(24)
SHIPPED = sorted((Path(deep.__file__).parent / "records").glob("*.json"))
JUDGED = ("DIRECTION HELD", "FAILED")


def _bound():
    """The claims that read a record which experiments write."""
    return [item for item in registry().values() if item.reads and item.reads != "tightrope.table3/1"]


def _verdict(key, data):
    record = Record.new(find(key).schema, written(data), command="test")
    return check(key, records={"record.json": record})


def _wide(n, seed):
    draw = torch.Generator().manual_seed(seed)
    x = torch.randint(0, 256, (n, 1, 28, 28), generator=draw, dtype=torch.uint8)
    return Images.new(x, torch.arange(n) % 10, scale=255, classes=10, name=f"wide {seed}")


# ---- the list ----


def test_every_key_that_a_claim_names_is_there():
    known = experiments()
    for item in _bound():
        assert known[item.key].schema == item.reads
    named = {key for item in registry().values() for key in re.findall(r"deep\.experiment ([\w-]+)`", item.covers)}
    assert len(named) > 20
    assert named <= set(known)
    for key in known:
        assert key in registry(), key


def test_every_experiment_runs_in_small_or_says_why_not():
    scale = radii(DIGITS[1])
    for one in experiments().values():
        assert one.paper
        assert bool(one.family) == (not one.without) == ("reduced" in one.settings) == bool(one.rows)
        if one.family:
            found = members(one, scale)
            assert found
            assert set(one.looks) <= set(one.family.looks)
            every = {network.name: network for network in one.family.networks(scale)}
            assert len(every) == len(one.family.networks(scale))
            assert all(not every[network.after].after for network in found if network.after)


def test_the_list_is_printed(capsys):
    assert main(["list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    settings = {}
    for row in rows:
        settings.setdefault(row["key"], []).append(row["setting"])
    assert settings == {key: list(one.settings) for key, one in experiments().items()}
    assert any("not in small" in row["what"] for row in rows if row["key"] == "sense-c0-free")


def test_radii_are_the_papers_where_the_data_are():
    assert radii(_wide(10, 0)).large == Fraction("0.3")
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        radii(Images.new(torch.zeros(2, 3), torch.tensor([0, 1])))


# ---- runs ----


@pytest.mark.parametrize("key", ["sense-table2-networks", "sense-stable", "iaat-figure7", "pgn-overfitting"])
def test_a_small_run_of_each_family_gives_a_verdict(key):
    data = run([find(key)], *DIGITS, seeds=2, epochs=1)[key]
    assert data["setting"] == "reduced"
    assert [part["seed"] for part in data["by_seed"]] == [0, 1]
    assert {row["name"] for row in data["networks"]} == set(data["methods"])
    found = _verdict(key, data)
    assert found.kind in JUDGED
    assert found.record == "record.json"
    assert not found.fault


def test_mnist_alone_shows_what_is_said_of_mnist():
    key = "sense-natural-capacity"
    data = run([find(key)], _wide(20, 0), _wide(10, 1), seeds=1, epochs=1)[key]
    assert [row["capacity"] for row in data["rows"]] == [1, 2, 3, 4, 5]
    assert _verdict(key, data).kind == "FAILED"  # noise has no natural accuracy
    with pytest.raises(ValueError, match="28 x 28 pixels"):
        run([find(key)], *DIGITS, seeds=1)


@pytest.fixture(scope="module")
def odds():
    keys = ["odds-table-4-networks", "odds-figure-1"]
    return run([find(key) for key in keys], *DIGITS, seeds=2, epochs=1)


def test_counts_limits_and_means_belong_together(odds):
    data, n = odds["odds-table-4-networks"], len(DIGITS[1])
    seen = {(row["name"], row["seed"]): row for row in data["networks"]}
    for row in seen.values():
        assert row["counts"]["natural"] <= min(row["counts"]["robust inf"], row["counts"]["robust 2"])
        for name, count in row["counts"].items():
            assert row["limits"][name] == format(clopper_pearson(count, n), ".4f")
    for row in data["rows"]:
        name = "standard" if row["training"] == "standard" else f"{row['training']}-{row['norm']}"
        for column, count in (("standard_accuracy", "natural"), ("robust_accuracy", f"robust {row['norm']}")):
            mean = sum(100 * (1 - Fraction(seen[name, seed]["counts"][count], n)) for seed in (0, 1)) / 2
            assert row[column] == pytest.approx(float(mean), abs=1e-6)
    assert _verdict("odds-table-4-networks", data).kind in JUDGED


def test_networks_on_the_first_samples_only(odds):
    data = odds["odds-figure-1"]
    assert {row["samples"] for row in data["rows"]} == {100, 300, 40}  # 40 are all that there are
    assert data["train"]["n"] == 40
    assert _verdict("odds-figure-1", data).kind in JUDGED


def test_a_killed_run_goes_on_where_it_was(tmp_path, monkeypatch):
    key, calls = "sense-table2-networks", []

    def counted(*args, **options):
        calls.append(None)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return fit(*args, **options)

    monkeypatch.setattr(runner, "fit", counted)
    with pytest.raises(KeyboardInterrupt):
        run([find(key)], *DIGITS, seeds=1, epochs=2, keep=tmp_path)
    steps = []

    def watched(*args, **options):
        done = fit(*args, **options)
        steps.append(done.steps)
        return done

    monkeypatch.setattr(runner, "fit", watched)
    resumed = run([find(key)], *DIGITS, seeds=1, epochs=2, keep=tmp_path)[key]
    assert sorted(steps) == [0, 0, 2]
    monkeypatch.undo()
    assert resumed["rows"] == run([find(key)], *DIGITS, seeds=1, epochs=2)[key]["rows"]


@pytest.mark.slow
def test_every_reduced_experiment_makes_rows_that_its_rule_reads():
    chosen = [one for one in experiments().values() if one.family and not one.wide]
    for key, data in run(chosen, *DIGITS, seeds=1, epochs=2).items():
        assert _verdict(key, data).kind in JUDGED, key


# ---- parts ----


def test_rows_are_pooled_over_seeds_and_labels_must_agree():
    first = [{"method": "a", "c": "0.5", "x": Fraction(1, 3), "y": 2.0}]
    second = [{"method": "a", "c": "0.5", "x": Fraction(2, 3), "y": 5.0}]
    assert pooled([first, second]) == [{"method": "a", "c": "0.5", "x": 0.5, "y": 3.5}]
    with pytest.raises(ValueError, match="label c differs"):
        pooled([first, [{**second[0], "c": "0.7"}]])


def test_watching_changes_no_weight_and_remembers_rises():
    weights = []
    for method in (SENSE(0.1, 0.5, 2), Watched(SENSE(0.1, 0.5, 2))):
        model = build("mlp", shape=DIGITS[0].shape, outputs=10, seed=0, width=8)
        done = fit(model, method, DIGITS[0], Recipe(3, batch=16, lr=0.05), progress=False)
        weights.append(torch.cat([p.flatten() for p in done.model.parameters()]))
    assert torch.equal(*weights)
    state = Losses(3)
    state.see(torch.tensor([0, 2]), torch.tensor([1.0, 4.0]))
    assert float(state.rise) == 0
    state.see(torch.tensor([2, 0]), torch.tensor([4.5, 3.0]))
    assert float(state.rise) == 2
    other = Losses(3)
    other.load(state.tensors())
    other.see(torch.tensor([0]), torch.tensor([6.0]))
    assert (float(other.rise), float(state.rise)) == (3, 2)


def test_points_at_a_mean_norm():
    x = torch.zeros(4, 3)
    way = torch.tensor([[1.0, 0, 0], [0, 2, 0], [0, 0, 3], [0, 0, 0]])
    for norm in (0.1, 1.0, 20.0):
        points = at_norm(x, norm, lambda size: x + size * way)
        assert float(points.norm(dim=1).mean()) == pytest.approx(norm, rel=1e-3)
    assert torch.equal(at_norm(x, 1.0, lambda _: x), x)  # what cannot move stays


def test_balanced_rows_are_the_nearest_in_benign_accuracy():
    rows = [{"method": name, "natural": value} for name, value in
            [("pgn", 0.9), ("fgm", 0.95), ("fgm", 0.91), ("pgd", 0.8), ("pgd", 0.99)]]  # fmt: skip
    assert [row["natural"] for row in balanced(rows)] == [0.9, 0.91, 0.99]


# ---- the command ----


def test_the_command_writes_records_that_the_report_takes(tmp_path, capsys):
    arguments = ["iaat-figure7", "sense-stable", "--seeds", "1", "--epochs", "1", "--limit", "30"]
    assert main([*arguments, "--jobs", "1", "--save", str(tmp_path), "--csv"]) == 0
    assert "iaat-figure7" in capsys.readouterr().out
    for key in ("iaat-figure7", "sense-stable"):
        record = Record.read(tmp_path / f"{key}.json", find(key).schema)
        assert record.data["claim"] == key
        assert record.command.startswith(f"python -m deep.experiment run {key} --data digits --seeds 1")
        assert check(key, records={"r": record}).kind in JUDGED


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "sense-figure22"], "did you mean sense-figure2"),
        (["lisst"], "experiment 'lisst' is unknown"),
        (["run", "zzz"], "`python -m deep.experiment list` names all"),
        (["run"], "KEY must be given"),
        ([], "COMMAND must be given"),
        (["run", "sense-c0-free"], "sense-c0-free has no reduced setting: the rule names accuracies of MNIST"),
        (["run", "sense-natural-capacity"], "needs images of 28 x 28 pixels"),
        (["run", "iaat-table1", "--seeds", "0"], "--seeds 0 is no whole number from 1 up"),
        (["run", "iaat-table1", "--data", "nowhere"], "data folder 'nowhere' does not exist"),
        (["run", "iaat-table1", "iaat-table3", "--save", "one.json"], "is no folder; 2 records need one"),
        (["run", "iaat-table1", "--save", "/no/such/folder/x.json"], "there is no folder"),
        (["run", "iaat-table1", "--save", "x.txt"], "allowed are .json"),
        (["list", "--paper"], "--paper"),
    ],
)
def test_bad_usage_is_one_sentence(arguments, message, capsys):
    try:
        code = main(arguments)
    except SystemExit as error:
        code = error.code
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1


# ---- the records that are shipped ----


def _ours():
    return [path for path in SHIPPED if path.stem in experiments()]


def test_shipped_records_are_whole_small_and_of_the_recipes_as_they_stand():
    assert _ours()
    scale = radii(load("digits", "test"))
    for path in _ours():
        assert path.stat().st_size < 100_000
        one, data = find(path.stem), Record.read(path, find(path.stem).schema).data
        assert data["claim"] == path.stem
        assert data["setting"] == "reduced"
        assert len(data["by_seed"]) >= 3
        assert one.family is not None
        known: list[Network] = members(one, scale if not one.wide else radii(_wide(10, 0)))
        assert data["methods"] == written({network.name: runner._described(network) for network in known})
        assert {**data["recipe"], "seed": 0} == written({**data["recipe"], **one.family.recipe, "seed": 0})
        assert check(one.key, records={path.name: Record.read(path)}).kind in JUDGED

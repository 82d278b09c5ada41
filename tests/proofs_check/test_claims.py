"""The registry is whole, every pinned verdict is reached, and the checks of claims can fail."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import types
from fractions import Fraction

import pytest

from proofs_check import Counterexample, Evidence, check, claim, definition, refute, registry
from proofs_check.__main__ import FIELDS, main
from proofs_check.claims import sense, trades
from proofs_check.claims import sense_examples as examples
from proofs_check.discovery import check_all, find
from proofs_check.families import score_cases
from proofs_check.provers import given_case, sampled
from theory.strategies import rationals

CLAIMS = registry()
BUDGET = 12


@pytest.mark.parametrize("key", [key for key, item in CLAIMS.items() if item.kind != "repair"])
def test_the_pinned_verdict_is_reached(key):
    verdict = check(key, BUDGET)
    assert verdict.as_expected, f"{key} is {verdict}: {verdict.evidence}"
    if verdict.kind == "AMENDED":
        repair = CLAIMS[CLAIMS[key].amendment]  # checked on the way
        assert f"{repair.key} is {repair.expected}" in verdict.evidence
        assert verdict.witness.margin < 0
        scope: dict = {}
        exec(verdict.witness.snippet.replace("print(", "again = ("), scope)  # the snippet shows the same margin
        assert scope["again"] == verdict.witness.margin


@pytest.mark.parametrize("item", CLAIMS.values(), ids=lambda item: item.key)
def test_every_entry_says_what_it_must(item):
    assert item.key == item.key.lower()
    assert item.key.startswith(f"{item.paper.lower()}-")
    assert item.statement.endswith(".")
    assert item.covers
    assert item.place


@pytest.mark.parametrize(
    ("margin", "cases"),
    [
        (sense.unique_margin, sense.sensible_cases()),
        (sense.covering_margin, sense.sensible_cases(ties=False)),
        (sense.reference_margin, sense.sensible_cases(thresholds=("3/10",))),
        (trades.first_margin, score_cases()),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_the_search_refutes_by_itself_what_a_pinned_case_refutes(margin, cases):
    """So the same search is worth something where it finds nothing."""
    found = refute(margin, cases, n=300)
    assert isinstance(found, Counterexample)
    assert found.margin < 0


def test_eq14_is_optimal_where_its_repair_agrees_with_it():
    assert examples.eq14_margin(examples.Place(Fraction(1, 50), Fraction(11, 20))) == 0
    assert examples.first_break(Fraction(11, 20)) == Fraction(19, 108)
    assert examples.last_break(Fraction(11, 20)) == Fraction(61, 216)


def _claim(**options):
    defaults = {"paper": "ODDS", "label": "none", "place": "none", "kind": "remark", "statement": "x <= 1.",
                "expected": "SUPPORTED", "covers": "a sample"}  # fmt: skip
    return claim(options.pop("key", "odds-x"), **(defaults | options))


def _module(**claims):
    module = types.ModuleType("claims_of_a_test")
    vars(module).update(claims)
    return module


def test_a_false_claim_is_amended_only_if_its_repair_holds():
    @_claim(key="odds-false", expected="AMENDED", amendment="odds-repair")
    def false(budget):
        return given_case(lambda x: -x, Fraction(1))

    @_claim(key="odds-repair", kind="repair", repairs="odds-false")
    def repair(budget):
        return sampled(lambda x: x, rationals(), budget)

    claims = registry(_module(false=false, repair=repair))
    assert str(check("odds-repair", 5, claims)) == "SUPPORTED(5)"
    assert check("odds-false", 5, claims).as_expected
    broken = dataclasses.replace(repair, prove=lambda budget: Evidence("UNDECIDED", "nothing", 1))
    verdict = check("odds-false", 5, registry(_module(false=false, repair=broken)))
    assert (verdict.kind, verdict.as_expected) == ("REFUTED", False)


def test_a_repair_that_is_listed_too_is_checked_once():
    calls = []

    @_claim(key="odds-false", expected="AMENDED", amendment="odds-repair")
    def false(budget):
        return given_case(lambda x: -x, Fraction(1))

    @_claim(key="odds-repair", kind="repair", repairs="odds-false")
    def repair(budget):
        calls.append(budget)
        return Evidence("SUPPORTED", "x", 1)

    claims = registry(_module(false=false, repair=repair))
    assert [verdict.kind for verdict in check_all(claims.values(), 5, claims)] == ["AMENDED", "SUPPORTED"]
    assert calls == [5]


def test_registry_refuses_loose_ends():
    one = _claim(key="odds-x")(lambda budget: Evidence("SUPPORTED", "x", 1))
    with pytest.raises(ValueError, match="two claims have the key 'odds-x'"):
        registry(_module(a=one, b=dataclasses.replace(one, label="other")))
    lost = _claim(key="odds-y", kind="repair", repairs="odds-x")(lambda budget: Evidence("SUPPORTED", "x", 1))
    with pytest.raises(ValueError, match="do not name each other"):
        registry(_module(a=one, b=lost))
    with pytest.raises(ValueError, match="expected 'TRUE' of claim odds-x is unknown"):
        _claim(expected="TRUE")(lambda budget: Evidence("SUPPORTED", "x", 1))
    with pytest.raises(ValueError, match="must name its amendment"):
        _claim(expected="AMENDED")(lambda budget: Evidence("SUPPORTED", "x", 1))


def test_a_premise_without_which_nothing_breaks_is_told():
    options = {"expected": "PROVED", "premises": ("x < 1", "x > 0")}
    breaks = {"x < 1": lambda budget: given_case(lambda x: 1 - x, Fraction(2))}
    proof = Evidence("PROVED", "by hand", 1)
    good = check(_claim(**options, without=breaks)(lambda budget: proof))
    assert good.as_expected
    assert [(premise, found.kind) for premise, found in good.breakages] == [("x < 1", "REFUTED")]
    idle = check(_claim(**options, without=breaks | {"x > 0": lambda budget: proof})(lambda budget: proof))
    assert (idle.kind, idle.as_expected) == ("PROVED", False)
    assert idle.fault == "is not shown to break without 'x > 0'"
    with pytest.raises(ValueError, match="drops 'x > 5', which is none of its premises"):
        _claim(**options, without={"x > 5": lambda budget: proof})(lambda budget: proof)


def test_a_claim_on_networks_is_not_run_without_a_record():
    bound = _claim(kind="network", expected="NOT RUN", reads="tightrope.nets/1")(lambda record: 1 / 0)
    verdict = check(bound)
    assert (verdict.kind, verdict.as_expected, verdict.record) == ("NOT RUN", True, "")
    for options in ({"kind": "table"}, {"expected": "PROVED"}):
        with pytest.raises(ValueError, match="reads records, so it must be of kind 'network' and pinned as NOT RUN"):
            _claim(**({"kind": "network", "expected": "NOT RUN", "reads": "x/1"} | options))(lambda record: None)


@pytest.mark.parametrize("kind", ["IMPOSSIBLE", "NOT RUN", "OUT OF REACH", "REPRODUCED", "DIRECTION HELD", "FAILED"])
def test_other_verdicts_need_no_witness(kind):
    assert check(_claim(kind="arithmetic", expected=kind)(lambda budget: Evidence(kind, "so"))).as_expected
    assert not check(_claim(kind="arithmetic", expected="PROVED")(lambda budget: Evidence(kind, "so"))).as_expected


def test_a_definition_has_no_verdict():
    half = definition("odds-half", paper="ODDS", label="none", place="none", statement="A half.", covers="1/2")
    assert (half.kind, half.group, check(half).kind, check(half).as_expected) == (
        "definition",
        "definitions",
        None,
        True,
    )


def test_a_core_needs_a_written_lift():
    bare = _claim(expected="PROVED")(lambda budget: Evidence("PROVED", "core", 1, core=True))
    with pytest.raises(ValueError, match="without a written lift"):
        check(bare)


def test_unknown_keys_name_the_nearest():
    with pytest.raises(ValueError, match=r"claim 'trades-eq2' is unknown; did you mean trades-eq1"):
        find("trades-eq2")
    with pytest.raises(ValueError, match="budget 0 is not positive"):
        check("trades-eq1", 0)


# ---- the command line ----


def test_list_and_run_as_json(capsys):
    assert main(["list", "--json"]) == 0
    assert [row["key"] for row in json.loads(capsys.readouterr().out)["rows"]] == list(CLAIMS)
    assert main(["run", "trades-table1-all-one", "odds-theorem-2.1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["verdict"] for row in rows] == ["AMENDED", "PROVED"]
    assert set(rows[0]) == set(FIELDS)
    assert "Fraction(3, 10)" in rows[0]["witness"]


def test_show_prints_witness_and_repair(capsys):
    assert main(["show", "trades-theorem-3.1-second", "--budget", "5"]) == 0
    out = capsys.readouterr().out
    assert "AMENDED" in out
    assert "predicts" not in out  # a score, not a classifier
    assert "score on points 0" in out
    assert "trades-theorem-3.1-second-repaired" in out
    assert main(["show", "odds-theorem-2.1", "--budget", "5"]) == 0
    assert "without 'eps >= 2 eta': REFUTED" in capsys.readouterr().out


def test_search_finds_and_exits_with_one(tmp_path, monkeypatch, capsys):
    (tmp_path / "my_conjectures.py").write_text(
        "def false(t):\n    return t[0] + t[1] - 1\n\n\ndef true(t):\n    return t[0] * t[1]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["search", "--margin", "my_conjectures:false", "--cases", "numbers", "--n", "50"]) == 1
    assert "from my_conjectures import false" in capsys.readouterr().out
    assert main(["search", "--margin", "my_conjectures:true", "--cases", "numbers", "--n", "50", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["verdict"], row["n"]) == ("SUPPORTED", 50)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("run trades-eq2", "did you mean trades-eq1"),
        ("show nothing-like-it-0", "is unknown"),
        ("search --margin nowhere", "not of the form MODULE:FUNCTION"),
        ("search --margin no_such_module:f", "'no_such_module' is not found"),
        ("search --margin math:no_such_function", "has no function 'no_such_function'"),
        ("search --margin math:floor --cases finit", "nearest: 'finite'"),
        ("search --margin math:floor --cases finite --n 3", "the margin raised TypeError"),
    ],
)
def test_bad_usage_is_one_sentence_and_exit_code_two(line, sentence, capsys):
    assert main(line.split()) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert sentence in captured.err
    assert captured.err.count("\n") == 1


def test_list_loads_nothing_heavy():
    code = (
        "import sys; from proofs_check.__main__ import main; main(['list'])\n"
        "heavy = {'hypothesis', 'sympy', 'z3', 'torch', 'scipy', 'flint', 'matplotlib', 'sklearn', 'cvxpy'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

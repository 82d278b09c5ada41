"""``python -m toy.gaussian``: its contract, its tables against the library by other routes, and what it refuses."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from theory.enclosure import Enclosure
from toy import gaussian
from toy.example import RISKS


def rows(capsys: pytest.CaptureFixture[str], *argv: str) -> list[dict[str, Any]]:
    assert gaussian.main([*argv, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["schema"].startswith("tightrope.toy")
    assert printed["command"].startswith("python -m toy.gaussian ")
    answer: list[dict[str, Any]] = printed["rows"]
    return answer


def number(value: Any) -> Enclosure:
    return Enclosure.from_json(value)


def test_rows_keep_the_contract_of_the_toys(capsys: pytest.CaptureFixture[str]) -> None:
    found = rows(capsys, "--eta", "3/100", "--d", "10000", "--reliability", "19/20", "--eps", "6/100", "0.02")
    assert [row["classifier"] for row in found] == ["mean", "sign", "bayes", "robust_optimum"] * 2
    assert {row["law"] for row in found} == {"true"}
    assert [row["eps"] for row in found] == ["3/50"] * 4 + ["1/50"] * 4
    for row in found:
        standard, boundary, robust, sensible = (number(row[risk]) for risk in RISKS)
        assert robust.overlaps(standard + boundary)
        assert standard.lo <= sensible.hi
        assert sensible.lo <= robust.hi
    assert found[1]["robust_risk"] == "1/20"


def test_decimals_and_fractions_spell_the_same_law(capsys: pytest.CaptureFixture[str]) -> None:
    one = rows(capsys, "--eta", "0.03", "--d", "10000", "--reliability", "0.95", "--eps", "0.06")
    assert one == rows(capsys)


def test_simulation_agrees_with_the_enclosures(capsys: pytest.CaptureFixture[str]) -> None:
    law = ["--eta", "0.4", "--d", "9", "--reliability", "0.8", "--eps", "0.3", "1.2"]
    found = rows(capsys, *law, "--simulate", "40000", "--seed", "5")
    for row in found:
        for risk in ("standard_risk", "robust_risk"):
            limits = number(row[f"simulated_{risk}"])
            slack = 2 * (limits.hi - limits.lo)  # 16 limits of 95 %: allow three times their half-width
            assert Enclosure(limits.lo - slack, limits.hi + slack).overlaps(number(row[risk]))
            assert limits.alpha > 0


def test_simulation_attacks_what_a_grid_attack_attacks() -> None:
    law, eps = gaussian.distribution("0.8", "0.4", 4), Fraction(7, 5)
    n = 500
    for f in gaussian.classifiers(eps, law).values():
        x, y = law.sample_statistic(n, np.random.default_rng(9))
        worst = np.full(n, np.inf)
        for a in np.linspace(-1, 1, 21):
            for b in np.linspace(-1, 1, 21):
                worst = np.minimum(worst, y * gaussian._statistic_score(f, law, x + np.array([1.4 * a, 2.8 * b])))
        seen = gaussian.simulated(f, law, eps, n, np.random.default_rng(9))["simulated_robust_risk"]
        assert seen.contains(Fraction(int((worst <= 0).sum()), n))


@pytest.mark.parametrize("eps", ["0.01", "0.06", "0.09"])
def test_the_frontier_table_is_consistent_with_its_own_risks(capsys: pytest.CaptureFixture[str], eps: str) -> None:
    found = rows(capsys, "--frontier", "--points", "6", "--eps", eps)
    assert len(found) == 6
    for row in found:
        assert (1 - number(row["standard_accuracy"])).overlaps(number(row["standard_risk"]))
        assert (1 - number(row["robust_accuracy"])).overlaps(number(row["robust_risk"]))
        assert (row["line"] is None) == (Fraction(eps) < Fraction(6, 100))
        if row["line"] is not None:
            assert number(row["robust_accuracy"]).lo <= number(row["line"]).hi


def test_heights_of_the_frontier_lie_in_the_linear_programmes(capsys: pytest.CaptureFixture[str]) -> None:
    found = rows(capsys, "--delta", "0.01", "0.04", "--eps", "0.06", "0.09", "--lp", "80")
    assert len(found) == 4
    for row in found:
        assert number(row["linear_programme"]).overlaps(number(row["robust_accuracy"]))
        assert number(row["robust_accuracy"]).lo <= number(row["corrected_bound"]).hi
    overturned = rows(capsys, "--delta", "0.01", "--eps", "1", "--lp", "60")
    assert overturned[0]["robust_accuracy"] is None
    assert number(overturned[0]["linear_programme"]).hi < Fraction(1, 4)


def test_the_svm_table(capsys: pytest.CaptureFixture[str]) -> None:
    found = rows(capsys, "--eta", "0.04", "--d", "10000", "--svm", "--eps", "0.08")
    standard, adversarial = found
    assert number(standard["standard_accuracy"]) > Fraction(99, 100)
    assert number(standard["shifted_accuracy"]) < Fraction(1, 100)
    assert adversarial["robust_accuracy"] == "19/20"
    assert adversarial["weak"] == "0"


def test_the_transfer_table(capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = rows(capsys, "--transfer", "200", "--seed", "3")
    assert number(row["both"]).lo <= number(row["fooled"]).hi
    assert number(row["transferred_risk"]) < number(row["robust_risk"])


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_figures_are_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str) -> None:
    path = tmp_path / f"frontier.{suffix}"
    assert gaussian.main(["--eps", "0.02", "0.06", "1.5", "--plot", str(path)]) == 0
    assert path.stat().st_size > 5000
    capsys.readouterr()


def test_the_figure_shows_the_frontier_between_bayes_and_sign() -> None:
    law = gaussian.distribution()
    left, right = gaussian.figure(law, [Fraction(6, 100)]).axes
    lines = {line.get_label(): line.get_xydata() for line in left.get_lines()}
    curve = np.asarray(lines["frontier, eps = 0.06"])
    assert curve[-1] == pytest.approx([0.95, 0.95])
    assert curve[0] == pytest.approx([0.99946874, 0.00575880], abs=1e-8)
    ceiling = np.asarray({line.get_label(): line.get_xydata() for line in right.get_lines()}["best of all classifiers"])
    assert ceiling[-1, 1] == pytest.approx(0.95)


@pytest.mark.parametrize(
    ("argv", "fault"),
    [
        (["--reliability", "1"], "--reliability 1 is outside [1/2, 1)"),
        (["--reliability", "0.3"], "--reliability 0.3 is outside [1/2, 1)"),
        (["--eta", "0"], "--eta 0 is outside (0, inf)"),
        (["--d", "0"], "--d 0 is no whole number from 1 up"),
        (["--eps", "-1/10"], "--eps -1/10 is negative"),
        (["--eps", "x"], "'x' is not a number"),
        (["--delta", "0.0001"], "allowed is any up to the Bayes accuracy [0.999468738742"),
        (["--frontier", "--eps", "1"], "eps 1 is 1 or more"),
        (["--lp", "50"], "give them with --delta"),
        (["--lam", "1"], "it goes with --svm"),
        (["--simulate", "10", "--svm"], "--simulate adds columns"),
        (["--svm", "--transfer", "5"], "exclude each other"),
        (["--plot", "figure.txt"], "figure.txt"),
        (["--esp", "0.1"], "did you mean --eps?"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_two(
    argv: list[str], fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gaussian.main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert fault in err
    assert len(err.strip().splitlines()) == 1

"""--bound of the toys: both sides of Theorem 3.1 against loops over cells, and its refusals and figures."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import numpy as np
import pytest

from toy import bound, cheese, gaussian, gaussian_bound, halves, law, stripes
from toy.example import Example

HALF = Fraction(1, 2)
NOISY = {
    "schema": "tightrope.law/1",
    "boxes": [
        {"box": [["0", "1/2"]], "mass": {"-1": "3/8", "+1": "1/8"}},
        {"box": [["1/2", "1"]], "mass": {"-1": "1/8", "+1": "3/8"}},
    ],
    "domain": [["0", "1"]],
    "classifiers": {
        "late": {"boxes": [[["3/4", None]]]},
        "silent": {"regions": {"-1": {"boxes": [[["0", "1/4"]]]}, "+1": {"boxes": [[["1/2", "1"]]]}}},
    },
}


def rows(capsys, main, *argv):
    assert main([*argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)["rows"]


def low(value):
    return float(Fraction(value)) if isinstance(value, str) else value["lo"]


def high(value):
    return float(Fraction(value)) if isinstance(value, str) else value["hi"]


def cells(labels, scores, radius, phi, lam):
    """The terms for equally heavy cells of width 1 in a row: a ball of whole radius meets its 2 radius + 1 cells."""
    n = len(labels)
    balls = [range(max(0, i - radius), min(n, i + radius + 1)) for i in range(n)]
    return {
        "surrogate_risk": sum(phi(s * y) for s, y in zip(scores, labels, strict=True)) / n,
        "adversarial": sum(max(phi(scores[i] * scores[j] / lam) for j in balls[i]) for i in range(n)) / n,
        "boundary_probability": sum(any(scores[i] * scores[j] <= 0 for j in balls[i]) for i in range(n)) / n,
        "delta_lhs": sum(any(scores[j] * labels[i] <= 0 for j in balls[i]) for i in range(n)) / n,
    }


@pytest.mark.parametrize(
    ("loss", "phi"),
    [("hinge", lambda u: max(1 - u, 0)), ("logistic", lambda u: math.log2(1 + math.exp(-u)))],
)
def test_the_stripes_by_loops_over_seventeen_cells(capsys, loss, phi):
    labels = [1 if (i // 3) % 2 else -1 for i in range(17)]
    scores = {"bayes": labels, "all_one": [1] * 17, "all_minus_one": [-1] * 17}
    for row in rows(capsys, stripes.main, "--eps", "3/17", "--bound", loss, "--lam", "3/2"):
        if row["classifier"] in scores:
            for name, value in cells(labels, scores[row["classifier"]], 3, phi, 1.5).items():
                assert low(row[name]) - 1e-12 <= value <= high(row[name]) + 1e-12
        assert low(row["delta_lhs"]) <= high(row["sharper"])
        assert row["eps"] == "3/17"
        assert row["lam"] == "3/2"


def test_every_toy_and_lambda_keeps_the_order_of_the_theorem(capsys):
    calls = [
        (cheese.main, "--eps", "1/20", "--bound", "logistic", "--lam", "1"),
        (cheese.main, "--eps", "1/9", "1/5", "--bound", "squared_hinge", "--lam", "1/3"),
        (halves.main, "--eps", "1/10", "0", "--bound", "exponential", "--lam", "1/2", "2", "--threshold", "2/5"),
        (stripes.main, "--eps", "1/4", "2/7", "--bound", "sigmoid", "--lam", "3"),
    ]
    for main, *argv in calls:
        found = rows(capsys, main, *argv)
        assert {row["law"] for row in found} == ({"true", "restricted"} if main is cheese.main else {"true"})
        for row in found:
            assert list(row) == list(bound.COLUMNS)
            assert low(row["delta"]) >= 0
            assert low(row["delta_lhs"]) <= high(row["sharper"])
            assert low(row["delta_rhs"]) == pytest.approx(low(row["psi_inverse"]) + low(row["adversarial"]))


def test_signed_distances_close_in_on_the_integral(capsys):
    """halves, Bayes rule, hinge: E(1 - |x - 1/2|) = 3/4."""
    widths = []
    for levels in ("4", "16"):
        argv = ("--eps", "1/10", "--bound", "hinge", "--score", "distance", "--levels", levels)
        row = rows(capsys, halves.main, *argv)[0]
        assert low(row["surrogate_risk"]) <= 0.75 <= high(row["surrogate_risk"])
        widths.append(high(row["surrogate_risk"]) - low(row["surrogate_risk"]))
    assert widths[1] < widths[0] / 3


def test_a_law_of_ones_own_and_its_logit(capsys, tmp_path):
    file = tmp_path / "noisy.json"
    file.write_text(json.dumps(NOISY))
    (row,) = rows(capsys, law.main, str(file), "--eps", "1/8", "--bound", "logistic", "--score", "logit")
    assert row["classifier"] == "logit"
    assert high(row["excess"]) < 1e-20  # the logit minimises the logistic loss
    assert low(row["boundary_probability"]) == 0.25
    late, *_ = rows(capsys, law.main, str(file), "--eps", "1/8", "--bound", "hinge", "--classifier", "late")
    assert (late["surrogate_risk"], late["optimal_surrogate_risk"]) == ("3/4", "1/2")
    assert law.main([str(file), "--bound", "hinge", "--classifier", "silent"]) == 2
    assert "Pr[f(X) = 0] = 1/4" in capsys.readouterr().err


LEFT, RIGHT = {"value": "-2", "boxes": [[["0", "1/4"]]]}, {"value": "1/2", "boxes": [[["1/4", "1"]]]}


def test_a_score_from_the_law_file(capsys, tmp_path):
    """Four cells of width 1/4, the adversary one cell wide, by hand for the hinge."""
    file = tmp_path / "scored.json"
    file.write_text(json.dumps(NOISY | {"scores": {"mine": [LEFT, RIGHT]}}))
    (row,) = rows(capsys, law.main, str(file), "--eps", "1/4", "--bound", "hinge", "--lam", "1/2", "--score", "given")
    plus, scores = [Fraction(1, 4)] * 2 + [Fraction(3, 4)] * 2, [Fraction(-2)] + [HALF] * 3
    risk = sum(p * max(1 - v, 0) + (1 - p) * max(1 + v, 0) for p, v in zip(plus, scores, strict=True)) / 4
    assert row["classifier"] == "mine"
    assert Fraction(row["surrogate_risk"]) == risk
    # both cells at the jump see a product -1, so pay 1 + 1/lam; the others 1 - (1/4)/lam
    assert Fraction(row["adversarial"]) == (2 * 3 + 2 * HALF) / 4
    assert (row["boundary_probability"], row["optimal_surrogate_risk"]) == ("1/2", "1/2")


SMALL = ("--reliability", "3/4", "--eta", "1/2", "--d", "4")


def test_the_gaussian_example_by_samples(capsys):
    """Signed l-infinity distances of the three linear rules, every coordinate drawn and moved."""
    argv = (*SMALL, "--eps", "1/5", "--bound", "hinge", "--lam", "1/2", "--score", "distance")
    found = rows(capsys, gaussian.main, *argv)
    rng = np.random.default_rng(0)
    y = 2 * rng.integers(0, 2, 300_000) - 1
    x = rng.standard_normal((len(y), 5)) + 0.5 * y[:, None]
    x[:, 0] = np.where(rng.random(len(y)) < 0.75, y, -y)
    weights = {"mean": [0, 1, 1, 1, 1], "sign": [1, 0, 0, 0, 0], "bayes": [math.log(3), 1, 1, 1, 1]}
    assert [row["classifier"] for row in found] == list(weights)
    for row in found:
        w = np.array(weights[row["classifier"]], dtype=float)
        scores = x @ w / w.sum()
        worst = np.minimum(scores * (scores - 0.2), scores * (scores + 0.2))
        values = {
            "surrogate_risk": np.maximum(1 - scores * y, 0),
            "boundary_probability": worst <= 0,
            "adversarial": np.maximum(1 - 2 * worst, 0),
        }
        for name, value in values.items():
            assert low(row[name]) == pytest.approx(value.mean(), abs=0.006)
        assert low(row["delta"]) >= 0


def test_the_gaussian_example_for_every_score(capsys, monkeypatch):
    monkeypatch.setattr(gaussian_bound, "POINTS", 2)
    monkeypatch.setattr(gaussian_bound, "LAMS", (Fraction(1), Fraction(2)))
    for score, names in (("indicator", ["mean", "sign", "bayes", "robust_optimum"]), ("logit", ["bayes"])):
        found = rows(capsys, gaussian.main, *SMALL, "--eps", "1/4", "--bound", "logistic", "--score", score)
        assert [row["classifier"] for row in found] == names
        for row in found:
            assert list(row) == list(bound.COLUMNS)
            assert low(row["delta_lhs"]) <= min(high(row["delta_rhs"]), high(row["sharper"]))
    drawn = gaussian_bound.bound_figure(gaussian.distribution("3/4", "1/2", 4), Fraction(1, 4), "hinge", 1, "logit")
    assert len(drawn.axes) == 2


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--lam", "1"], "it goes with --svm or --bound"),
        (["--score", "logit"], "--score goes with --bound"),
        (["--bound", "hinge", "--lam", "0"], "lam 0 is not positive"),
        (["--bound", "kinked_hinge"], "not classification-calibrated"),
        (["--bound", "dipping_hinge", "--score", "logit"], "'dipping_hinge' is not non-increasing"),
        (["--bound", "hinge", "--simulate", "9"], "goes with no other table"),
    ],
)
def test_the_gaussian_example_refuses_in_one_sentence(capsys, argv, sentence):
    assert gaussian.main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert sentence in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        ({"mine": [LEFT, RIGHT, LEFT]}, "scores.mine[2]: the event overlaps an earlier one"),
        ({"mine": [{"boxes": [[["0", "1"]]]}]}, "scores.mine[0] lacks the key 'value'"),
        ({"mine": [{"value": 0.5, "boxes": [[["0", "1"]]]}]}, "0.5 is a JSON float"),
        ({"mine": [{"value": "1", "points": [["0"]]}]}, "use boxes"),
        ({"mine": {"value": "1"}}, "scores.mine is an object; allowed is a list"),
        ({"mine": [{"value": "1", "boxes": [[["0", "1/2"]]]}]}, "Pr[f(X) = 0] = 1/2"),
        ({}, "no score is given"),
    ],
)
def test_scores_that_make_none_are_refused(capsys, tmp_path, scores, sentence):
    file = tmp_path / "scored.json"
    file.write_text(json.dumps(NOISY | {"scores": scores}))
    assert law.main([str(file), "--bound", "hinge", "--score", "given"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert sentence in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--bound", "kinked_hinge"], "'kinked_hinge' is not classification-calibrated"),
        (["--bound", "savage"], "'savage' is 1/4 at 0"),
        (["--bound", "hnige"], "nearest: 'hinge'"),
        (["--bound", "hinge", "--lam", "0"], "--lam 0 is outside (0, inf)"),
        (["--lam", "2"], "--lam goes with --bound"),
        (["--score", "distance"], "--score goes with --bound"),
        (["--bound", "hinge", "--levels", "3"], "--levels encloses the signed distance"),
        (["--bound", "hinge", "--curve"], "goes without --curve"),
        (["--bound", "hinge", "--simulate", "9"], "goes without --simulate"),
        (["--bound", "hinge", "--optimum"], "goes with no other one"),
        (["--bound", "hinge", "--score", "logit"], "the logit is infinite where eta = 0"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(capsys, argv, sentence):
    assert halves.main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert sentence in err
    assert err.count("\n") == 1


def test_a_loss_below_1_on_the_left_is_a_note(capsys):
    assert halves.main(["--bound", "dipping_hinge"]) == 0
    assert "dipping_hinge is below 1 somewhere on u < 0" in capsys.readouterr().out


def test_the_figure_has_a_panel_a_classifier_against_eps_and_lambda():
    shown: Example = stripes.example("1/4")
    drawn = bound.figure(shown, Fraction(1, 4), "hinge", Fraction(1))
    assert len(drawn.axes) == 2 * 4
    lines = {line.get_label(): line for line in drawn.axes[0].get_lines()}
    assert set(lines["robust excess risk"].get_ydata()) == {1.0}  # of the Bayes rule, at every eps
    sides = {line.get_label(): line.get_ydata() for line in drawn.axes[4].get_lines()}
    assert all(a <= b for a, b in zip(sides["sharper bound"], sides["Theorem 3.1"], strict=True))
    assert sides["Theorem 3.1"][0] > sides["Theorem 3.1"][-1]  # 1 + 1/lam falls


def test_problem_3_on_the_stripes_switches_at_2_for_scores_up_to_1_and_never_without_a_bound(capsys):
    lams = ("1/4", "1", "3/2", "2", "3")
    found = rows(capsys, stripes.main, "--eps", "1/4", "1/2", "--problem3", "1", "inf", "--lam", *lams)
    for row in found:
        lam, least = Fraction(row["lam"]), row["least"]
        if row["bound"] == "1":
            assert least == (lam >= 2 if row["sign"] == "bayes" else lam <= 2)
            assert low(row["objective"]) <= high(row["infimum"])  # attained, or approached by the signs' limit
            assert high(row["objective"]) >= low(row["infimum"])
        else:
            assert least == (row["sign"] == "constant")
            assert high(row["objective"]) >= low(row["infimum"])
    last = [row for row in found if row["sign"] == "constant" and row["bound"] == "inf" and row["lam"] == "3"]
    assert [row["negative"] for row in last[:4]] == ["1", "1/10", "1/100", "1/1000"]
    assert all(low(row["objective"]) < bar for row, bar in zip(last[:4], (1.5, 1.05, 1.005, 1.0005), strict=True))


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--eps", "3/17", "--problem3", "1"], "1/(2 eps) must be whole; eps 3/17 gives 17/6"),
        (["--problem3", "0"], "--problem3 0 is outside (0, inf); write inf for no bound"),
        (["--problem3", "1", "--curve"], "goes without --curve and --as-printed"),
        (["--problem3", "1", "--as-printed"], "goes without --curve and --as-printed"),
        (["--problem3", "1", "--bound", "hinge"], "--bound is a table of its own"),
        (["--problem3", "1", "--levels", "3"], "--levels goes with --bound"),
    ],
)
def test_problem_3_is_refused_in_one_sentence(capsys, argv, sentence):
    assert stripes.main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert sentence in err
    assert err.count("\n") == 1


def test_the_figure_of_problem_3_crosses_where_the_optimum_switches():
    drawn = stripes.problem3_figure([Fraction(1), Fraction(3), math.inf])
    for ax, switch in zip(drawn.axes, (2, 3, math.inf), strict=True):
        bayes, constant = ax.get_lines()
        for lam, one, two in zip(bayes.get_xdata(), bayes.get_ydata(), constant.get_ydata(), strict=True):
            assert (one < two - 1e-12) == (lam > switch)

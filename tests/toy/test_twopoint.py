"""toy.twopoint: Theorem 3.2's construction from the command line."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from toy import twopoint


def rows(capsys, *argv):
    assert twopoint.main([*argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)["rows"]


def low(value):
    return float(Fraction(value)) if isinstance(value, str) else value["lo"]


def high(value):
    return float(Fraction(value)) if isinstance(value, str) else value["hi"]


def test_the_issue_command_shows_both_sides_of_the_theorem(capsys):
    witness, bayes = rows(capsys, "--loss", "exponential", "--theta", "1/2", "--xi", "1/100")
    assert (witness["classifier"], bayes["classifier"]) == ("witness", "bayes")
    assert Fraction(witness["robust_risk"]) - Fraction(bayes["standard_risk"]) == Fraction(1, 2)
    assert witness["excess_robust_risk"] == "1/2"
    assert low(witness["lower"]) <= low(witness["excess"]) <= high(witness["excess"]) <= high(witness["upper"])
    assert high(witness["upper"]) - low(witness["lower"]) == pytest.approx(0.01)


def test_rows_for_every_loss_theta_and_radius(capsys):
    found = rows(capsys, "--loss", "hinge", "asymmetric_hinge", "--theta", "0", "1/4", "1", "--eps", "0", "2")
    assert len(found) == 2 * 2 * 3 * 2
    for row in found:
        assert Fraction(row["robust_risk"]) == Fraction(row["standard_risk"]) + Fraction(row["boundary_risk"])
        if row["classifier"] == "witness":
            assert row["excess_robust_risk"] == row["theta"]


def test_text_names_the_points(capsys):
    assert twopoint.main(["--loss", "asymmetric_hinge", "--theta", "1/4"]) == 0
    assert "mass 3/4 with eta 1/2 and score -1/2 and mass 1/4 with eta 1 and score -1/256" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--loss", "step"], "has to be continuous at 0"),
        (["--loss", "kinked_hinge"], "not classification-calibrated"),
        (["--loss", "exponentail"], "nearest: 'exponential'"),
        (["--theta", "2"], "--theta 2 is outside [0, 1]"),
        (["--xi", "0"], "--xi 0 is outside (0, inf)"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(capsys, argv, sentence):
    assert twopoint.main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert sentence in err
    assert err.count("\n") == 1


def test_the_figure_shows_the_witnesses_in_their_bands():
    drawn = twopoint.figure(["asymmetric_hinge"], Fraction(1, 10), steps=4)
    (ax,) = drawn.axes
    one, two = (c for c in ax.containers)
    assert list(one[0].get_xdata()) == [0, 1]
    assert list(two[0].get_xdata()) == [0.25, 0.5, 0.75]
    for _, _, (bars,) in (one, two):
        for (x, bottom), (_, top) in bars.get_segments():
            assert bottom <= x <= top  # psi(theta) = theta here
            assert top - bottom == pytest.approx(0.1)
    assert twopoint.classifiers("hinge")["witness"].regions[-1] == twopoint.distribution("hinge").everything

"""Table 3 with both ends: the order of attack, truth and certificate, a gap that is never negative, and the command."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deep.attack import Threat
from deep.certify import exact
from deep.images import Images, load
from deep.models import build
from deep.objectives.method import outputs
from deep.scores import predicted
from deep.table3 import (
    PRINTED,
    Plan,
    attainable,
    check_one_label,
    figure,
    main,
    printed_note,
    rows_of,
    summary,
    table,
    table3,
    two_sided,
)
from theory.record import Record
from theory.trades.empirical import sample_gap

EPS = Fraction(1, 10)


def _points(n, seed, d=3):
    draw = torch.Generator().manual_seed(seed)
    return Images.new(torch.rand(n, d, generator=draw), torch.randint(0, 2, (n,), generator=draw), classes=2)


def _network(seed, scale=4.0, d=3):
    model = build("mlp", shape=(d,), outputs=1, seed=seed, width=5, depth=1)
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(scale**0.5)
    return model


@settings(max_examples=15)
@given(seed=st.integers(0, 999), lam=st.fractions("1/4", 5, max_denominator=4), scale=st.sampled_from([0.0, 1.0, 9.0]),
       surrogate=st.sampled_from(["hinge", "squared_hinge", "ramp"]))  # fmt: skip
def test_the_gap_is_never_negative_whatever_the_network(seed, lam, scale, surrogate):
    gap, extra = two_sided(_network(seed, scale), _points(12, seed), eps=EPS, lam=lam, surrogate=surrogate, steps=4)
    assert gap.gap.lo >= 0
    assert gap.robust_errors[0] <= gap.robust_errors[1] <= gap.n == 12
    assert gap.wrong <= gap.robust_errors[0]
    assert extra["certified"] <= gap.n - gap.robust_errors[1]


@pytest.mark.parametrize("seed", range(4))
def test_the_truth_lies_between_attack_and_certificate(seed):
    model, images = _network(seed, 9.0), _points(10, seed)
    gap, _ = two_sided(model, images, eps=EPS, lam=Fraction(2), steps=20)
    x = images.batch(slice(0, len(images)))
    z = outputs(model, x)
    least = [found.margin for found in exact(model, x, predicted(z), Threat(float(EPS)))]
    f, labels = z[:, 0].double().tolist(), (2 * images.y - 1).tolist()
    # the exact margins are of real arithmetic, f is float32: their rounding is given away on both sides
    slack = Fraction(1, 10**5)
    low = [m.lo - slack for m in least]
    high = [min(m.hi + slack, abs(Fraction(v))) for m, v in zip(least, f, strict=True)]
    truth = sample_gap(f, labels, low, high, 2)
    assert gap.gap.lo <= truth.gap.hi
    assert truth.gap.lo <= gap.gap.hi
    assert gap.adversarial.lo <= truth.adversarial.hi
    assert truth.adversarial.lo <= gap.adversarial.hi
    assert gap.robust_errors[0] <= truth.robust_errors[1]
    assert truth.robust_errors[0] <= gap.robust_errors[1]
    assert gap.gap.hi - gap.gap.lo < 5


def test_a_box_may_be_any() -> None:
    """Data moved from [0, 1] to [-2, 2] and a network moved along have the same gaps."""
    torch.manual_seed(0)
    here, there, images = torch.nn.Linear(3, 1), torch.nn.Linear(3, 1), _points(24, 1)
    with torch.no_grad():
        there.weight.copy_(here.weight / 4)
        there.bias.copy_(here.bias + here.weight.sum() / 2)
    moved = Images.new(4 * images.x - 2, images.y, low=-2.0, high=2.0, classes=2)
    options = {"lam": Fraction(2), "surrogate": "logistic", "steps": 5}
    gap, extra = two_sided(here, images, eps=EPS, **options)
    other, more = two_sided(there, moved, eps=4 * EPS, **options)
    assert float(other.gap.lo) == pytest.approx(float(gap.gap.lo), abs=1e-5)
    assert float(more["attacked_gap"]) == pytest.approx(float(extra["attacked_gap"]), abs=1e-5)


def test_a_score_of_zero_is_a_robust_error():
    model, images = _network(0, 0.0), _points(6, 0)
    gap, extra = two_sided(model, images, eps=EPS, lam=Fraction(2), steps=2)
    assert gap.robust_errors == (6, 6)
    assert gap.gap.fraction == 1  # 1 + phi(0) - 1
    assert not extra["vacuous"]  # nothing is right, so nothing could be certified


def test_what_is_printed_can_or_cannot_be_a_count():
    assert [attainable(row[0], 2145) for row in PRINTED.values()] == [False, False, False, True]  # 99.34 if cut off
    assert attainable("99.44", 2145)
    assert attainable("50.0", 2)
    assert not attainable("50.1", 2)
    for tenth in range(1001):
        text = f"{tenth // 10}.{tenth % 10}"
        above = [Fraction(100 * k, 117) - Fraction(tenth, 10) for k in range(118)]
        counts = any(abs(d) <= Fraction(1, 20) or 0 <= d < Fraction(1, 10) for d in above)
        assert attainable(text, 117) == counts
    assert printed_note(2145).count("cannot") == 3


def test_images_with_two_labels_are_refused():
    images = Images.new(torch.tensor([[0.5, 0.5], [0.5, 0.5]]), torch.tensor([0, 1]), classes=2)
    with pytest.raises(ValueError, match="holds an image with two labels"):
        check_one_label(images)


PLAN = Plan(EPS, "mlp", 1, {"batch": 64, "lr": 0.003, "optimizer": "adam"}, 3, 0.05)


def test_a_record_is_made_read_and_shown(tmp_path):
    train, test = (load("digits", part).only(1, 3) for part in ("train", "test"))
    options = {"methods": ["binary-trades", "certified-trades"], "lams": [Fraction(2), Fraction(5, 2)], "seeds": 1}
    data = table3(train.first(64), test.first(20), plan=PLAN, **options)
    again = table3(train.first(64), test.first(20), plan=PLAN, keep=tmp_path / "kept", **options)
    assert [row["Delta"].to_json() for row in data["rows"]] == [row["Delta"].to_json() for row in again["rows"]]
    record = Record.new("tightrope.table3/1", data, command="test")
    record.write(tmp_path / "record.json")
    read = Record.read(tmp_path / "record.json").data
    rows = rows_of(read)
    places = [(name, lam) for name in options["methods"] for lam in options["lams"]]
    assert [(row["method"], row["lam"]) for row in rows] == places
    assert all(row["Delta"].lo >= 0 for row in rows)
    assert len(table(read).cells) == 4
    assert len(summary(read).cells) == 4
    assert len(figure(read).axes) == 2
    assert main(["--record", str(tmp_path / "record.json"), "--plot", str(tmp_path / "plot.png"), "--csv"]) == 0
    assert (tmp_path / "plot.png").stat().st_size > 5000


def test_the_command(capsys, tmp_path):
    arguments = ["--lam", "2", "--seeds", "1", "--methods", "certified-trades", "--epochs", "1", "--jobs", "1"]
    assert main([*arguments, "--json", "--save", str(tmp_path / "r.json")]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["schema"] == "tightrope.table3/1"
    assert printed["rows"][0]["method"] == "certified-trades"
    assert Record.read(tmp_path / "r.json").data["settings"]["epochs"] == 1
    assert main(["--record", str(tmp_path / "r.json")]) == 0
    assert "cannot" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lam", "0"], "--lam 0 is outside (0, inf)"),
        (["--seeds", "0"], "--seeds"),
        (["--data", "nowhere"], "data folder 'nowhere' does not exist"),
        (["--classes", "1", "77"], "class 77 has no samples"),
        (["--surrogate", "hing"], "loss 'hing' is unknown"),
        (["--methods", "magic"], "'magic' is unknown"),
        (["--save", "/no/such/folder/x.json"], "there is no folder"),
        (["--record", "missing.json"], "missing.json"),
        (["--lma", "2"], "did you mean --lam?"),
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


def test_a_plan_knows_both_kinds_of_data():
    from deep.table3 import for_data

    assert for_data(load("digits", "test")).model == "mlp"
    mnist = Images.new(torch.zeros(2, 1, 28, 28, dtype=torch.uint8), torch.tensor([0, 1]), scale=255)
    assert (for_data(mnist).model, for_data(mnist).epochs) == ("net", 30)

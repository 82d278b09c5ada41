"""``python -m toy.linear``: its contract, exact counts, Table 5's contradictions, and MNIST where the files are."""

from __future__ import annotations

import gzip
import json
import math
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from toy import linear
from toy.example import RISKS
from toy.linear_table5 import PRINTED, impossible, is_count


@pytest.fixture(scope="module")
def data() -> linear.Data:
    return linear.distribution()


@pytest.fixture(scope="module")
def fitted(data: linear.Data) -> dict[str, linear.Fitted]:
    return linear.classifiers(data)


def rows(capsys: pytest.CaptureFixture[str], *argv: str) -> list[dict[str, Any]]:
    assert linear.main([*argv, "--json"]) == 0
    answer: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["rows"]
    return answer


def test_rows_keep_the_contract_and_robust_risks_are_not_below_standard(capsys: pytest.CaptureFixture[str]) -> None:
    found = rows(capsys)
    assert {row["classifier"] for row in found} == {
        "standard_100_steps", "standard", "adversarial", "adversarial_clipped",
    }  # fmt: skip
    assert len(found) == 4 * 2 * 2
    for row in found:
        standard, boundary, robust = (Fraction(row[risk]) for risk in RISKS[:3])
        assert robust == standard + boundary
        assert boundary >= 0
        assert row["sensible_risk"] is None
        n = {"train": 240, "test": 121}[row["law"]]
        assert (robust * n).denominator == 1


def test_counts_are_those_of_a_plain_computation(data: linear.Data, fitted: dict[str, linear.Fitted]) -> None:
    x, y = data.test.x / 16, data.test.y
    for f in fitted.values():
        w, b = f.model.weights / 2.0**f.model.bits, f.model.bias / 2.0**f.model.bits
        worst = x - 0.2 * y[:, None] * np.sign(w)
        for attack, points in (("none", x), ("unclipped", worst), ("clipped", np.clip(worst, 0, 1))):
            count = int((y * (points @ w + b) > 0).sum())
            assert f.model.accuracy(data.test, "0.2", attack) == Fraction(count, len(y))  # type: ignore[arg-type]


def test_every_optimum_is_certified(fitted: dict[str, linear.Fitted]) -> None:
    for name, f in fitted.items():
        if name.endswith("steps"):
            assert f.certificate is None
        else:
            assert f.certificate is not None
            assert f.certificate.gap < Fraction(1, 10**8)
    said = "\n".join(linear.certificates(fitted))
    assert said.count("duality gap") == 3


def test_printed_numbers_that_contradict_themselves() -> None:
    """(ODDS, Table 5): on 1,920 test images."""
    found = impossible(11686, 1920)
    assert len(found) == 4
    # by brute force: every count, rounded half up and half even
    for (_, _, law), value in PRINTED.items():
        n = 11686 if law == "train" else 1920
        seen = {f"{round(Fraction(10_000 * k, n)) / 100:.2f}" for k in range(n + 1)}
        seen |= {f"{math.floor(Fraction(10_000 * k, n) + Fraction(1, 2)) / 100:.2f}" for k in range(n + 1)}
        assert is_count(value, n) == (value in seen)
    for n in (7, 121, 160, 1920):
        printable = {math.floor(Fraction(10_000 * k, n) + Fraction(1, 2)) for k in range(n + 1)}
        printable |= {math.ceil(Fraction(10_000 * k, n) - Fraction(1, 2)) for k in range(n + 1)}
        assert {v for v in range(10_001) if is_count(f"{v / 100:.2f}", n)} == printable
    assert not any("70.05" in sentence for sentence in found[1:])


def test_table5_states_what_holds(data: linear.Data, fitted: Any) -> None:
    table = linear.table5(data, fitted, Fraction(1, 5))
    by_name = {row["classifier"]: row for row in table.rows}
    assert by_name["printed: adversarial"]["standard_test"] == "70.05"
    assert by_name["adversarial"]["standard_test"] == "95.87"
    assert sum("direction holds" in note for note in table.notes) == 4
    for row in table.rows[:4]:
        for law in ("train", "test"):
            assert float(str(row[f"unclipped_{law}"])) <= float(str(row[f"clipped_{law}"]))
            assert float(str(row[f"clipped_{law}"])) <= float(str(row[f"standard_{law}"]))


def test_few_features_trade_accuracy_for_robustness(capsys: pytest.CaptureFixture[str]) -> None:
    found = rows(capsys, "--features", "1", "8", "64")
    standard = [float(row["standard_train"]) for row in found]
    robust = [float(row["unclipped_train"]) for row in found]
    assert standard == sorted(standard)
    assert robust[0] > robust[-1]
    assert found[0]["least_correlation"] == "1/3"


def test_pixels_of_adversarial_training_come_first(capsys: pytest.CaptureFixture[str]) -> None:
    found = rows(capsys, "--pixels", "8")
    used = [row for row in found if row["adversarial"] != "0.0000"]
    assert used == found[: len(used)]
    assert {row["weighted"] for row in used} == {"0.200000"}
    assert all(float(row["weighted"]) <= 0.2 for row in found)


def test_figure_5_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "figure5.png"
    assert linear.main(["--plot", str(path)]) == 0
    assert path.stat().st_size > 20_000
    assert "duality gap" in capsys.readouterr().out


def write_idx(folder: Path, part: str, x: np.ndarray, y: np.ndarray) -> None:
    images = struct.pack(">IIII", 0x803, len(x), 8, 8) + x.astype(np.uint8).tobytes()
    labels = struct.pack(">II", 0x801, len(y)) + y.astype(np.uint8).tobytes()
    (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
    (folder / f"{part}-labels-idx1-ubyte").write_bytes(labels)


def test_idx_folders_are_read_and_their_own_test_part_is_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    for part, n in (("train", 200), ("t10k", 50)):
        y = rng.choice([1, 3], n)
        x = rng.integers(0, 200, (n, 8, 8)) + 55 * (y == 3)[:, None, None]
        write_idx(tmp_path, part, x, y)
    found = rows(capsys, "--data", str(tmp_path), "--classes", "1", "3", "--lam", "1/10", "--eps", "1/20")
    for row in found:
        assert (Fraction(row["robust_risk"]) * (200 if row["law"] == "train" else 50)).denominator == 1
    assert linear.main(["--data", str(tmp_path), "--classes", "1", "4"]) == 2
    assert "class 4 has no points" in capsys.readouterr().err


@pytest.mark.slow
def test_on_mnist_the_certified_losses_and_counts(data_folder: Path | None) -> None:
    """Recomputed in floating point from the model, and against a general convex solver's optimum on the support."""
    if data_folder is None:
        pytest.skip("optional oracle: MNIST, in the folder that --data or TIGHTROPE_DATA names")
    mnist = linear.distribution(data_folder / "mnist")
    assert (len(mnist.train), len(mnist.test)) == (11686, 1920)
    fitted = linear.classifiers(mnist)
    x, y = mnist.train.x / 255, mnist.train.y
    for name in ("adversarial", "adversarial_clipped"):
        f = fitted[name]
        assert f.certificate is not None
        w, b = f.model.weights / 2.0**f.model.bits, f.model.bias / 2.0**f.model.bits
        worst = x - 0.2 * y[:, None] * np.sign(w)
        worst = np.clip(worst, 0, 1) if f.attack == "clipped" else worst
        margin = y * (worst @ w + b)
        assert float(np.logaddexp(0, -margin).mean()) == pytest.approx(float(f.certificate.loss.hi), abs=1e-9)
        assert f.certificate.gap < Fraction(1, 10**8)


@pytest.mark.parametrize(
    ("argv", "fault"),
    [
        (["--classes", "5", "11"], "class 11 has no points in digits"),
        (["--classes", "5", "5"], "class 5 cannot be told from itself"),
        (["--classes", "5"], "--classes needs 2 values"),
        (["--classes", "5", "x"], "--classes x is no whole number"),
        (["--eps", "-1"], "--eps -1 is negative"),
        (["--eps", "0.01"], "separable"),
        (["--data", "no/such/folder"], "data folder 'no/such/folder' does not exist"),
        (["--features", "65"], "features 65 are more than the 64 pixels"),
        (["--features", "1", "--pixels", "2"], "exclude each other"),
        (["--plot", "figure.txt"], "figure.txt"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_two(
    argv: list[str], fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert linear.main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert fault in err
    assert len(err.strip().splitlines()) == 1

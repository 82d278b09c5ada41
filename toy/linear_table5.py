"""Table 5 of ODDS beside what certified and counted training gives: what reproduces, what does not, what cannot be."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.odds.robust_logistic import Attack, descend
from theory.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from toy.linear import Data, Fitted

ADVERSARIES: tuple[Attack, ...] = ("unclipped", "clipped")
STEPS, RATE = 100, 0.5
_DESCENT = (("standard accuracy", "train"), ("adversarial accuracy", "train"), ("adversarial accuracy", "test"))
_MNIST_5_AND_7 = (11686, 1920)
PRINTED = {
    ("standard", "standard accuracy", "train"): "98.38",
    ("standard", "standard accuracy", "test"): "92.10",
    ("standard", "adversarial accuracy", "train"): "13.69",
    ("standard", "adversarial accuracy", "test"): "14.95",
    ("adversarial", "standard accuracy", "train"): "94.05",
    ("adversarial", "standard accuracy", "test"): "70.05",
    ("adversarial", "adversarial accuracy", "train"): "76.05",
    ("adversarial", "adversarial accuracy", "test"): "74.65",
}
"""The accuracies of (ODDS, Table 5), in percent; ||w||_1 is printed as 41.08 and 13.69."""


def table5(data: Data, fitted: Mapping[str, Fitted], eps: Fraction, notes: Sequence[str] = ()) -> Table:
    """(ODDS, Table 5): accuracies in percent, beside the printed ones where the row corresponds."""
    rows: list[dict[str, Any]] = []
    for name, f in fitted.items():
        row: dict[str, Any] = {"classifier": name}
        for law, pair in (("train", data.train), ("test", data.test)):
            row[f"standard_{law}"] = percent(f.model.accuracy(pair))
            for attack in ADVERSARIES:
                row[f"{attack}_{law}"] = percent(f.model.accuracy(pair, eps, attack))
        rows.append({**row, "norm": decimal(f.model.norm)})
    for name, norm in (("standard", "41.08"), ("adversarial", "13.69")):
        printed: dict[str, Any] = {"classifier": f"printed: {name}", "norm": norm}
        for law in ("train", "test"):
            printed[f"standard_{law}"] = PRINTED[name, "standard accuracy", law]
            printed[f"printed_{law}"] = PRINTED[name, "adversarial accuracy", law]
        rows.append(printed)
    columns = ["classifier", "standard_train", "standard_test"]
    columns += [f"{kind}_{law}" for kind in (*ADVERSARIES, "printed") for law in ("train", "test")]
    notes = [*notes, *impossible(*_MNIST_5_AND_7), *directions(data, fitted, eps)]
    if (len(data.train), len(data.test)) == _MNIST_5_AND_7:
        notes += reproduced(data, fitted, eps)
    title = f"{data.name}, eps {eps}; adversarial accuracies by adversary"
    return Table([*columns, "norm"], rows, title=title, notes=notes)


def impossible(n_train: int, n_test: int) -> list[str]:
    """Which numbers of (ODDS, Table 5) contradict themselves, for so many images (MNIST's 5 and 7: 11686 and 1920).

    >>> for sentence in impossible(11686, 1920): print(sentence)
    impossible: adversarial training, test: standard accuracy 70.05 below adversarial accuracy 74.65, although the \
adversary may stay where it is
    impossible: standard training, standard accuracy, test: 92.10 is no k/1920; the nearest are 92.08 and 92.14
    impossible: adversarial training, adversarial accuracy, test: 74.65 is no k/1920; the nearest are 74.64 and 74.69
    the four test accuracies are multiples of 1/2000
    """
    found = []
    for name in ("standard", "adversarial"):
        for law in ("train", "test"):
            standard, robust = PRINTED[name, "standard accuracy", law], PRINTED[name, "adversarial accuracy", law]
            if Fraction(robust) > Fraction(standard):
                found.append(
                    f"impossible: {name} training, {law}: standard accuracy {standard} below adversarial accuracy "
                    f"{robust}, although the adversary may stay where it is"
                )
    for (name, kind, law), value in PRINTED.items():
        n = n_train if law == "train" else n_test
        if not is_count(value, n):
            low = Fraction(value) * n // 100
            near = " and ".join(percent(Fraction(k, n)) for k in (low, low + 1))
            found.append(f"impossible: {name} training, {kind}, {law}: {value} is no k/{n}; the nearest are {near}")
    tested = [value for (_, _, law), value in PRINTED.items() if law == "test"]
    if not all(is_count(value, n_test) for value in tested) and all(is_count(value, 2000) for value in tested):
        found.append("the four test accuracies are multiples of 1/2000")
    return found


def is_count(percent: str, n: int) -> bool:
    """Whether some whole number k of n, in percent and rounded either way at a tie, is printed like that.

    >>> is_count("33.33", 3), is_count("33.34", 3), is_count("12.5", 16), is_count("3.12", 32), is_count("3.13", 32)
    (True, False, True, True, True)
    """
    value, half = Fraction(percent), Fraction(1, 2 * 10 ** len(percent.partition(".")[2]))
    first = -(-(value - half) * n // 100)  # the smallest k at or above the lower end
    return first * 100 <= (value + half) * n


def reproduced(data: Data, fitted: Mapping[str, Fitted], eps: Fraction) -> list[str]:
    """Which printed accuracies are within one point of ours, for either adversary, and how long descent matches best.

    The rule is fixed here, the numbers decide. Gradient descent is followed for 100 steps in floating point.
    """
    said = []
    descended = next(iter(fitted))
    for (row, kind, law), value in PRINTED.items():
        pair = data.train if law == "train" else data.test
        names = (descended, "standard") if row == "standard" else ("adversarial", "adversarial_clipped")
        ours = {}
        for name in names:
            attacks: tuple[Attack, ...] = ADVERSARIES if kind.startswith("adversarial") else ("none",)
            for attack in attacks:
                if row == "standard" or attack in ("none", fitted[name].attack):
                    ours[name, attack] = 100 * fitted[name].model.accuracy(pair, eps, attack)
        near = [key for key, accuracy in ours.items() if abs(accuracy - Fraction(value)) <= 1]
        listed = ", ".join(percent(accuracy / 100) for accuracy in ours.values())
        verdict = f"within a point of {' and '.join(name for name, _ in near)}" if near else "not reproduced"
        said.append(f"{row} training, {kind}, {law}: printed {value}, {verdict} (ours {listed})")
    return [*said, _nearest_step(data, eps)]


def _nearest_step(data: Data, eps: Fraction) -> str:
    """How long gradient descent must run to come nearest to the row of standard training, its test accuracy apart."""
    import numpy as np

    goal = [float(PRINTED["standard", kind, law]) for kind, law in _DESCENT]
    images = {"train": data.train, "test": data.test}
    x = {law: pair.y[:, None] * (pair.x / pair.scale) for law, pair in images.items()}
    best: tuple[float, int, list[float]] = (np.inf, 0, [])
    for step, (w, bias) in enumerate(descend(data.train, STEPS, RATE)):
        margins = {law: x[law] @ w + pair.y * bias for law, pair in images.items()}
        lost = {"standard accuracy": 0.0, "adversarial accuracy": float(eps) * np.abs(w).sum()}
        seen = [100 * float((margins[law] > lost[kind]).mean()) for kind, law in _DESCENT]
        best = min(best, (float(np.abs(np.subtract(seen, goal)).max()), step, seen))
    return (
        f"gradient descent is nearest to the printed standard row after {best[1]} of {STEPS} steps: "
        + ", ".join(f"{kind} {law} {value:.2f}" for (kind, law), value in zip(_DESCENT, best[2], strict=True))
    )


def directions(data: Data, fitted: Mapping[str, Fitted], eps: Fraction) -> list[str]:
    """Whether adversarial training moves accuracies and norm as Table 5 says; the rule is fixed, the numbers decide."""
    said = []
    descended = next(iter(fitted.values())).model
    for attack in ADVERSARIES:
        robust = fitted["adversarial" if attack == "unclipped" else "adversarial_clipped"].model
        for law, pair in (("train", data.train), ("test", data.test)):
            lower = robust.accuracy(pair) < descended.accuracy(pair)
            higher = robust.accuracy(pair, eps, attack) > descended.accuracy(pair, eps, attack)
            smaller = robust.norm < descended.norm
            holds = "holds" if lower and higher and smaller else "FAILS"
            said.append(
                f"direction {holds} ({attack}, {law}): adversarial training lowers standard accuracy ({_yes(lower)}), "
                f"raises adversarial accuracy ({_yes(higher)}), shrinks the norm ({_yes(smaller)})"
            )
    return said


def percent(x: Fraction) -> str:
    """Two digits after the point, to nearest (even at a tie), of an exact number."""
    return decimal(100 * x)


def decimal(x: Fraction) -> str:
    whole = round(x * 100)
    return f"{whole // 100}.{whole % 100:02d}"


def _yes(x: bool) -> str:
    return "yes" if x else "no"

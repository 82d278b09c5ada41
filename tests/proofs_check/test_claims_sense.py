"""SENSE: second routes to its formulas that share no code with the claims, and errors that the provers must catch."""

from __future__ import annotations

import math
import random
import types
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from scipy import ndimage

from proofs_check.claims import (
    sense,
    sense_algorithms,
    sense_cheese,
    sense_figure9,
    sense_loss,
    sense_margins,
    sense_networks,
)
from proofs_check.claims import sense_examples as examples
from proofs_check.claims import sense_tables as tables
from proofs_check.claims import sense_text as text
from proofs_check.claims.sense_cases import sensible_cases
from proofs_check.provers import given_case, sampled, solve

F = Fraction
PRIORS = (F(11, 20), F(7, 10))

# ---- theorems: three labels, by the definitions alone ----


def _draw(rng, ties=False):
    """A law of three labels on three points of the line, its Bayes rule, and eps; labels off the support are free."""
    while True:
        eta = [[rng.randint(0, 4) for _ in range(3)] for _ in range(3)]
        eta[rng.randrange(3)] = [0, 0, 0]
        total = sum(map(sum, eta))
        tied = any(sum(row) and row.count(max(row)) > 1 for row in eta)
        if total and (ties or not tied):
            break
    masses = [[F(x, total) for x in row] for row in eta]
    bayes = [row.index(max(row)) if sum(row) else rng.randrange(3) for row in masses]
    places = sorted(rng.sample(range(7), 3))
    return masses, bayes, places, rng.randint(0, 3)


def _sensible(f, masses, bayes, places, eps):
    """Definition 2, point by point and label by label."""
    risk = F(0)
    for i, k in product(range(3), repeat=2):
        seen = [j for j in range(3) if abs(places[i] - places[j]) <= eps and bayes[j] == k] if bayes[i] == k else [i]
        risk += masses[i][k] * any(f[j] != k for j in seen)
    return risk


def test_the_minimisers_are_those_of_theorem_3_with_three_labels():
    rng = random.Random(3)
    for _ in range(150):
        masses, bayes, places, eps = _draw(rng)
        least = sum(sum(row) - max(row) for row in masses)
        assert _sensible(bayes, masses, bayes, places, eps) == least
        for f in product(range(3), repeat=3):
            risk = _sensible(f, masses, bayes, places, eps)
            follows = all(
                f[j] == bayes[j]
                for i, j in product(range(3), repeat=2)
                if sum(masses[i]) and abs(places[i] - places[j]) <= eps and bayes[i] == bayes[j]
            )
            assert (risk == least) == follows
            on_support = all(f[i] == bayes[i] for i in range(3) if sum(masses[i]))
            attacked = F(0)
            for i in range(3):
                near = [j for j in range(3) if abs(places[i] - places[j]) <= eps and bayes[j] == bayes[i]]
                attacked += sum(masses[i]) * any(f[j] != bayes[i] for j in near)
            assert not on_support or risk >= least + attacked / 3  # the gap in the proof, K = 3


def test_eq_6_with_three_labels():
    rng = random.Random(6)
    for _ in range(60):
        masses, bayes, places, eps = _draw(rng, ties=True)
        for f in product(range(3), repeat=3):
            right = sum(masses[i][k] for i, k in product(range(3), repeat=2) if f[i] != k)
            for i in range(3):
                seen = [j for j in range(3) if abs(places[i] - places[j]) <= eps and bayes[j] == bayes[i]]
                right += masses[i][bayes[i]] * (any(f[j] != bayes[i] for j in seen) - (f[i] != bayes[i]))
            assert _sensible(f, masses, bayes, places, eps) == right


def test_the_core_of_uniqueness_fails_where_labels_tie():
    from z3 import Bools, If, Implies, Or, Reals

    best, other, rest = Reals("best other rest")
    at_x, on_all = Bools("at_x on_all")
    premises = [best >= other, other >= 0, rest >= 0, best + other + rest == 1, Implies(on_all, at_x)]
    risk = If(at_x, other + rest, rest) + If(on_all, 0, best)
    assert solve(premises, {"strict": Or(on_all, risk > 1 - best)}).kind == "UNDECIDED"


@pytest.mark.parametrize(
    ("margin", "cases"),
    [
        (text.eq10_margin, sensible_cases(thresholds=("3/10",))),
        (lambda case: -sense.eq6_margin(case) - F(1, 100), sensible_cases()),  # holds for no case
        (sense_loss.eq5_margin, sense_loss.stages(("3/10",))),
        (sense_loss.natural_set_margin, sense_loss.stages(sense_loss.HIGH)),
        (sense_loss.partition_margin, sense_loss.stages()),
        (sense_margins.lowest_margin, sense_loss.stages()),
        (sense_algorithms.exact_margin, sense_algorithms.runs()),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_the_search_refutes_by_itself_what_a_pinned_case_refutes(margin, cases):
    assert sampled(margin, cases, 400).kind == "REFUTED"


# ---- the examples ----


def _lattice(E, p):
    """Least restricted robust risk of classifiers of x1 made of 12 unit cells, and their worst true risks.

    E is whole, so a ball around an inner point of a cell meets exactly the cells at most E away.
    """
    q = 1 - p
    seen = [(0, q / 3) if i in (1, 2, 5) else (1, p / 3) if i in (6, 9, 10) else None for i in range(12)]
    found = {}
    for f in product((0, 1), repeat=12):
        ones, zeros = [i for i in range(12) if f[i]], [i for i in range(12) if not f[i]]

        def hit(i, y, ones=ones, zeros=zeros):
            return any(abs(i - j) <= E for j in (zeros if y else ones))

        risk = sum((cell[1] for i, cell in enumerate(seen) if cell and hit(i, cell[0])), F(0))
        true = [(q if i < 6 else p) / 6 for i in range(12)]
        standard = sum((true[i] for i in range(12) if f[i] != (i >= 6)), F(0))
        robust = sum((true[i] for i in range(12) if hit(i, int(i >= 6))), F(0))
        found.setdefault(risk, []).append((standard, robust))
    least = min(found)
    return least, max(found[least])


@pytest.mark.parametrize(("E", "p"), [(2, F(11, 20)), (2, F(7, 10)), (4, F(11, 20))])
def test_the_worst_robust_optimum_by_trying_all_classifiers_of_a_lattice(E, p):
    eps = F(E, 12)
    least, worst = _lattice(E, p)
    assert examples.worst_robust(eps, p) == worst
    assert examples.repaired_risk(eps, p) == worst[0]
    assert examples.least(examples.laws(p)[1], eps) == least


def test_the_breaks_are_where_two_optima_cost_the_same():
    for q in (F(9, 20), F(2, 5), F(7, 20)):
        E1, E2 = 12 * examples.first_break(1 - q), 12 * examples.last_break(1 - q)
        assert q * (2 * E1 - 2) / 3 == F(1, 3)  # giving up part of the middle hole, or all of it
        assert (1 - q) / 3 + q * (2 * E2 - 5) / 3 == q  # giving up part of a class, or all of it
    assert 12 * examples.first_break(F(7, 10)) == 12 * examples.last_break(F(7, 10)) == F(5, 2)


@pytest.mark.parametrize("quarters", [1, 2, 3, 5, 8])
def test_natural_and_sensible_curves_by_filters_on_a_grid(quarters):
    """48 x 48 cells; eps is so many of them: a ball around an inner point of a cell meets the cells that far away."""
    eps, n = F(quarters, 48), 48
    line = np.array([(i // 4) in (1, 2, 5, 6, 9, 10) for i in range(n)])
    holes = line[:, None] & line[None, :]
    window = np.ones((2 * quarters + 1,) * 2, dtype=bool)
    upper = np.arange(n)[:, None] >= n // 2
    for name, agreed in (("natural", holes), ("sensible", ndimage.binary_dilation(holes, window))):
        label = np.where(agreed, upper, ~upper)
        wrong = {y: label != y for y in (False, True)}
        attacked = np.where(upper, *(ndimage.binary_dilation(wrong[y], window) for y in (True, False)))
        for p in PRIORS:
            weight = np.where(upper, float(p), float(1 - p)) * 2 / n**2
            found = ((~agreed * weight).sum(), (attacked * weight).sum())
            assert sense_cheese.true_risks(name, eps, p) == pytest.approx(found, abs=1e-12)


def test_the_covering_radii_by_trying_points():
    far = {1: F(0), 2: F(0)}
    places = [F(k, 48) for k in range(49)]
    offset = [min(abs(x - h) for h in (min(max(x, F(a, 12)), F(a + 2, 12)) for a in (1, 5, 9))) for x in places]
    for a, b in product(offset, repeat=2):
        far = {1: max(far[1], a + b), 2: max(far[2], a * a + b * b)}
    assert far == {1: F(1, 6), 2: F(1, 72)}
    assert max(offset) == F(1, 12)


def test_a_wrong_formula_is_refuted_on_the_curves():
    def steeper(eps, p):
        side = 1 + 11 * eps  # where 1 + 12 eps would be right
        return [sense_cheese.true_risks("sensible", eps, p)[0] - 1 + side * side / 4]

    assert examples.at_priors(steeper, 0, F(1, 12), ends="()").kind == "REFUTED"

    def margins(eps, p):
        lo, hi = sense_cheese.class_lines(eps, p)
        best = examples.optimal_box_risk(examples.laws(p)[1], examples.Ball(eps))
        near = sense_cheese.neighbourhood(examples.laws(p)[1], eps)
        return [((best.forced[+1] & near) ^ (near - sense_cheese.left_of(hi + eps / 9))).volume() + 0 * lo]

    assert examples.at_priors(margins, F(1, 8), F(1, 6), ends="()").kind == "REFUTED"
    moved = examples.Place(F(1, 5), F(11, 20))
    assert sense_figure9.order_margin(moved) < 0  # between eps_1 and 1/4, where the repair says so
    with pytest.raises(ValueError, match="no counterexample"):
        given_case(sense_figure9.order_margin, examples.Place(F(1, 6), F(11, 20)))


# ---- the loss and the algorithms ----


def test_both_lines_of_eq_5_differ_in_the_core_for_small_c():
    premises, of = sense_loss.in_general()
    same = {"both lines agree": of["first"] == of["second"]}
    assert solve(premises, same).kind == "UNDECIDED"
    assert solve([*premises, 2 * of["c"] >= 1], same).kind == "PROVED"


def test_the_exact_sensible_example_by_scanning_the_ball():
    rng = random.Random(5)
    for _ in range(200):
        knots = sorted({F(rng.randint(0, 20), 10) for _ in range(4)} | {F(0), F(2)})
        run = sense_algorithms.Run(
            tuple((at, F(rng.randint(0, 10), 10)) for at in knots), F(rng.randint(0, 20), 10),
            F(rng.randint(1, 10), 10), F(1, 10), 1, rng.choice([F(1, 2), F(7, 10)]),
        )  # fmt: skip
        grid = float(run.x) + float(run.eps) * np.linspace(-1, 1, 401)
        values = np.interp(grid, [float(at) for at, _ in run.knots], [float(v) for _, v in run.knots])
        here = values[200]
        seen = [here, *values[values >= float(run.c) - 1e-12]]
        scanned = min(seen) if here > 0.5 else here
        tolerance = float(run.steepness * run.eps) / 200 + 1e-9
        assert float(sense_algorithms.exact_p(run)) == pytest.approx(scanned, abs=tolerance)


def test_algorithms_step_by_step():
    """p_y = 1 - x from x = 0 in steps of 1/10: three steps down to c = 7/10, two within eps = 1/5."""
    line = ((F(0), F(1)), (F(1), F(0)))

    def run(eps, steps, c="7/10", noise=()):
        return sense_algorithms.Run(line, F(0), F(eps), F(1, 10), steps, F(c), noise)

    assert [sense_algorithms.algorithm_1(run(1, k)) for k in (1, 2, 3, 4, 9)] == [F(1, 10), F(1, 5), *[F(3, 10)] * 3]
    assert sense_algorithms.algorithm_1(run("1/5", 9)) == sense_algorithms.pgd(run("1/5", 9)) == F(1, 5)
    assert sense_algorithms.algorithm_1(run(1, 9, "19/20")) == 0
    assert sense_algorithms.algorithm_3(run(1, 5, "27/40", (F(1, 40), F(1, 40)))) == F(13, 40)  # accepted only as noise
    assert sense_algorithms.passes(run(1, 9)) == 5  # 0, .1, .2, .3 and the one that is reverted


def test_an_algorithm_that_keeps_what_it_should_revert_is_caught():
    def margin(run):
        return sense_algorithms.allowed_margin(run, sense_algorithms.pgd)

    assert sampled(margin, sense_algorithms.runs(), 300).kind == "REFUTED"


def test_margins_in_floating_point():
    both = (sense_margins.THREE.natural, sense_margins.THREE.adversarial)
    natural, attacked = (math.log(p[0]) - math.log(max(p[1:])) for p in both)
    assert (natural, attacked) == (pytest.approx(0.13353, abs=1e-5), pytest.approx(0.24583, abs=1e-5))
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(200, 4))
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    margin = np.log(p[:, 0]) - np.log(p[:, 1:].max(1))
    assert margin == pytest.approx(scores[:, 0] - scores[:, 1:].max(1))
    assert (margin >= np.log(p[:, 0] / (1 - p[:, 0])) - 1e-12).all()


# ---- printed numbers ----


def test_planted_digits_are_caught(monkeypatch):
    lbfgs = tables.numbers("84.92 62.19 61.38 61.06 85.95 57.95 54.72")
    no_count = tables.numbers("43.70 46.90 50.95 55.90 57.83 55.60")
    claims = {
        "TABLE_1": (tables.table_1_order, {**tables.TABLE_1, "trade": lbfgs}),
        "TABLE_2": (tables.table_2_counts, {**tables.TABLE_2, ("sense", "MIFGSM", "trade"): (2916, 4111)}),
        "TABLE_4": (tables.table_4_counts, {**tables.TABLE_4, "pgd": no_count}),
    }
    for name, (item, planted) in claims.items():
        assert item.prove(1).kind == "PROVED"
        monkeypatch.setattr(tables, name, planted)
        assert item.prove(1).kind == "REFUTED"
        monkeypatch.undo()


def test_tables_that_do_not_contradict_themselves_are_not_called_impossible(monkeypatch):
    lower = {**tables.TABLE_7, "sense": tables.numbers("57.00 50.00 45.00 40.00")}
    assert tables.table_7_weak.prove(1).kind == "IMPOSSIBLE"
    monkeypatch.setattr(tables, "TABLE_7", lower)
    assert tables.table_7_weak.prove(1).kind == "PROVED"


def test_which_entries_of_table_7_are_above_the_smaller_radius():
    how = tables.table_7_weak.prove(1).how
    assert [eps in how for eps in ("2/51", "4/85", "14/255", "16/255")] == [True, True, True, False]
    assert "trade" not in how


# ---- rules for networks ----

SENSE, TRADES = {"method": "sense"}, {"method": "trades"}
GOOD = {
    "table_1": [SENSE | {"natural": "91.0", "pgd100": "57.0"}, TRADES | {"natural": "85", "pgd100": "54"}],
    "table_2": [{"defence": d, "attack": "pgd", "source": s, "accuracy": "60" if d == s else "70"}
                for d in ("sense", "trades") for s in ("sense", "trades")],
    "table_3": [SENSE | {"natural": "99", "pgd500": "92", "cw40": "96"},
                TRADES | {"natural": "99", "pgd500": "93.5", "cw40": "97"}],
    "table_4": [{"c": c, "natural": n, "pgd100": r} for c, n, r in (("0.5", 90, 50), ("0.7", 91, 57), ("0.8", 92, 55))],
    "table_5": [{"method": "natural", "natural": 80, "pgd40": 0}, SENSE | {"c": "0.9", "natural": 82, "pgd40": 4}],
    "tables_6_7": [{"method": m, "eps": e, "robust": r} for m, e, r in (
        ("sense", "0.3", 91), ("sense", "0.33", 80), ("trades", "0.3", 93), ("trades", "0.33", 70))],
    "figure_2": [{"capacity": q, "c": c, "natural": n, "pgd40": r} for q, c, n, r in (
        (1, "0.1", 80, 50), (1, "0.5", 90, 90), (1, "0.9", 95, 40),
        (5, "0.1", 99, 91), (5, "0.5", 99, 92), (5, "0.9", 99, 90))],
    "no_collapse": [{"method": "pgd", "capacity": 1, "natural": 11},
                    SENSE | {"capacity": 1, "c": "0.5", "natural": 90}],
    "natural_capacity": [{"capacity": 1, "natural": "95.2"}, {"capacity": 4, "natural": "99.1"}],
    "c0_free": [{"capacity": 2, "unperturbed": 5, "pgd40": 80, "natural": 90}],
    "figure_3": [{"model": m, "natural_margin": k, "adversarial_margin": k, "negative_share": k}
                 for k, m in enumerate(("pgd", "sense 0.5", "sense 0.9"))],
    "negative_share": [{"negative_share": k, "robust": 90 - 2 * k} for k in range(10)],
    "figure_7": [{"c": "0.5", "capacity": 3, "pgd40": 90}, {"c": "0.5", "capacity": 5, "pgd40": 88},
                 {"c": "pgd", "capacity": 3, "pgd40": 80}, {"c": "pgd", "capacity": 5, "pgd40": 91}],
    "figure_8": [m | {"natural_margin": k, "positive_margin": k, "deviation": k} for m, k in ((SENSE, 2), (TRADES, 1))],
    "figure_10": [{"dataset": "mnist", "accuracy": "91.7", "accuracy_twice": "91.4"}],
    "stable": [{"c": "0", "largest_rise": 5}, {"c": "0.5", "largest_rise": 1, "full_start": 1, "full_end": 60}],
}  # fmt: skip
SPOILT = {
    "table_1": (0, {"pgd100": "53"}), "table_2": (1, {"accuracy": "10"}), "table_3": (0, {"cw40": "90"}),
    "table_4": (2, {"natural": 90}), "table_5": (1, {"natural": 10}), "tables_6_7": (1, {"robust": 95}),
    "figure_2": (2, {"pgd40": 95}), "no_collapse": (1, {"natural": 10}), "c0_free": (0, {"pgd40": 20}),
    "natural_capacity": (1, {"natural": 98}),
    "figure_3": (2, {"negative_share": 0}), "negative_share": (9, {"robust": 200}), "figure_7": (1, {"pgd40": 95}),
    "figure_8": (0, {"deviation": 0}), "figure_10": (0, {"accuracy_twice": "80"}), "stable": (1, {"full_end": 0}),
}  # fmt: skip


def _record(key, rows, setting="reduced"):
    return types.SimpleNamespace(data={"claim": key, "setting": setting, "rows": rows})


@pytest.mark.parametrize("name", GOOD)
def test_every_rule_can_be_met_and_broken(name):
    item, rows = getattr(sense_networks, name), GOOD[name]
    assert item.prove(_record(item.key, rows)).kind == "DIRECTION HELD"
    assert item.prove(_record(item.key, rows, "paper")).kind == "REPRODUCED"
    assert item.prove(_record("another", rows)).kind == "NOT RUN"
    at, cells = SPOILT[name]
    broken = [row | cells if k == at else row for k, row in enumerate(rows)]
    assert item.prove(_record(item.key, broken)).kind == "FAILED"


def test_every_rule_is_tried():
    rules = {name for name, item in vars(sense_networks).items() if getattr(item, "reads", "")}
    assert rules == set(GOOD) == set(SPOILT)

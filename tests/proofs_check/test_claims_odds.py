"""ODDS' claims: planted errors that the provers must catch, and second routes to the formulas and numbers they use."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy import integrate, optimize
from scipy.stats import norm

from proofs_check import check, refute, registry
from proofs_check.bounding import branch_and_bound
from proofs_check.claims import odds, odds_adversarial, odds_features, odds_svm, odds_tables, odds_tradeoff
from proofs_check.claims.odds import Attacked, law
from proofs_check.core import Evidence
from proofs_check.provers import solve
from proofs_check.search import Counterexample
from theory.odds.frontier import frontier_at
from theory.odds.signgaussian import robust_accuracy, standard_accuracy
from theory.odds.svm import train_svm
from theory.odds.theorem22 import balanced_reliability, lemma_d2_reliability, lemma_d2_signal, level_signal
from theory.record import Record

MODULES = (odds, odds_tradeoff, odds_svm, odds_adversarial, odds_features, odds_tables)
CLAIMS = registry(*MODULES)


def mathematical(verdict):
    return [c for c in CLAIMS.values() if c.group == "mathematics" and c.expected == verdict]


def test_most_of_what_holds_is_proved():
    assert len(CLAIMS) >= 85
    proved, supported = mathematical("PROVED"), mathematical("SUPPORTED")
    assert len(proved) >= 0.9 * (len(proved) + len(supported))
    assert all(claim.searched for claim in CLAIMS.values() if claim.expected == "AMENDED")


# ---- branch-and-bound ----


def test_branch_and_bound_proves_refutes_and_gives_up():
    proved = branch_and_bound(lambda x, y: 2 + x.sin() * y.cos() + x * x, {"x": (-3, 3), "y": (0, "7/2")})
    assert proved.kind == "PROVED"
    refuted = branch_and_bound(lambda x: 100 * x.sin() + 99, {"x": (0, 6)})
    assert refuted.kind == "REFUTED"
    assert math.sin(refuted.witness.case[0]) < -0.99
    assert refuted.witness.margin.hi < 0
    touching = branch_and_bound(lambda x: (x - 1) * (x - 1), {"x": (0, 2)}, cap=300)  # zero at one point
    assert (touching.kind, touching.cases) == ("UNDECIDED", 300)
    nothing = branch_and_bound(lambda x: x / 0, {"x": (0, 1)}, cap=50)  # not a number, nowhere positive
    assert nothing.kind == "UNDECIDED"
    assert branch_and_bound(lambda x, y: x - y, {"x": (1, 1), "y": (1, 1)}).kind == "UNDECIDED"
    with pytest.raises(ValueError, match="side x runs from 2 down to 1"):
        branch_and_bound(lambda x: x, {"x": (2, 1)})
    with pytest.raises(ValueError, match="no sides"):
        branch_and_bound(lambda: 1, {})


def test_branch_and_bound_restores_the_precision():
    from flint import ctx

    before = ctx.prec
    branch_and_bound(lambda x: x, {"x": (1, 2)}, bits=200)
    assert ctx.prec == before


@pytest.mark.parametrize("level", ["1/10000", "1/4000"])
def test_the_box_of_the_logistic_claim_is_not_slack_beyond_reason(level):
    """At p = .975, s = 4 the bound Phi(-s + L/2s) is .00020...: a smaller level is refuted, a larger one proved."""
    from theory.arbs import cdf, to_arb

    def margin(p, s):
        return to_arb(Fraction(level)) - cdf((p / (1 - p)).log() / (2 * s) - s)

    found = branch_and_bound(margin, {"p": ("1/2", "39/40"), "s": (4, 10)})
    exact = norm.cdf(math.log(39) / 8 - 4)
    assert 1e-4 < exact < 1 / 4000
    assert found.kind == ("REFUTED" if Fraction(level) < exact else "PROVED")


@pytest.mark.parametrize(("share", "kind"), [(39, "PROVED"), (2000, "REFUTED")])
def test_the_boxes_of_general_lambda_bite(share, kind):
    """On the box the argument holds at p/(1-p) = 39 and far beyond, but not at 2000 (p = .9995)."""
    from theory.arbs import cdf, pdf

    def margin(b, s):
        return (s + 1) * cdf(-b) - pdf(b) - share * (pdf(b + 2) - (s - 1) * cdf(-b - 2))

    assert branch_and_bound(margin, {"b": (1, 2), "s": (4, 5)}).kind == kind


def test_stationary_weights_by_a_grid():
    """Where w >= v, lambda (v - w) as the two equations give it is positive: a contradiction, on a grid."""
    w, v, s = np.meshgrid(np.linspace(0.01, 12, 240), np.linspace(0.01, 12, 240), np.linspace(4, 12, 9))
    p, w, v, s = 0.975, w[w >= v], v[w >= v], s[w >= v]
    a, b = (1 - w) / v - s, (1 + w) / v - s
    difference = p * ((s - 1) * norm.cdf(a) - norm.pdf(a)) + (1 - p) * ((s + 1) * norm.cdf(b) - norm.pdf(b))
    assert (difference > 0).all()


# ---- planted errors ----


def core_of(text, **changes):
    """Theorem 2.1's core with the constant in its bound changed."""
    p, probabilities, standard, shifted = odds_tradeoff.four_numbers()
    bound = (1 - p) * shifted <= changes.get("factor", 1) * p * (1 - standard)
    return solve([2 * p >= 1, p < 1, *probabilities], {text: bound}).kind


def test_a_stronger_theorem_2_1_is_not_proved():
    assert core_of("as printed") == "PROVED"
    assert core_of("a little stronger", factor=Fraction(999, 1000)) == "UNDECIDED"


def test_four_numbers_agree_with_the_margin_on_all_deterministic_answers():
    from z3 import Q, Real, simplify, substitute

    p, _, standard, shifted = odds_tradeoff.four_numbers()
    names = [Real(name) for name in ("p_++", "p_+-", "p_-+", "p_--")]
    for answers in itertools.product((0, 1), repeat=4):
        values = [(p, Q(3, 4)), *((name, Q(a, 1)) for name, a in zip(names, answers, strict=True))]
        s, a = (simplify(substitute(x, *values)) for x in (standard, shifted))
        case = odds_tradeoff.Answers(Fraction(3, 4), *map(Fraction, answers))
        left = Fraction(3, 4) * (1 - Fraction(str(s))) - Fraction(1, 4) * Fraction(str(a))
        assert left == odds_tradeoff.theorem_margin(case) >= 0


@pytest.mark.parametrize(
    ("margin", "cases"),
    [
        (odds_tradeoff.favg_line_margin, odds.attacked_cases()),  # any eps, not only from 2 eta on
        (odds_adversarial.accuracy_p, None),
        (odds_svm.balance, None),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_the_search_refutes_by_itself_once_premises_are_dropped(margin, cases):
    """So the same search is worth something beside the proofs."""
    from hypothesis import strategies as st

    from theory.strategies import rationals

    if margin is odds_adversarial.accuracy_p:
        cases = odds_adversarial.trained_cases().map(lambda c: replace(c, eps_train=c.law.eta / 2))
    elif margin is odds_svm.balance:
        p = rationals(lo="1/2", hi="39/40", denominators=(2, 4, 40))
        cases = st.builds(lambda p, s: Attacked(law(p, s), Fraction(0)), p, st.sampled_from([2, 3, 4]))
    found = refute(margin, cases, n=60)
    assert isinstance(found, Counterexample)
    assert found.margin < 0


def test_a_claim_whose_repair_fails_is_not_amended():
    broken = replace(CLAIMS["odds-d5-proof-repaired"], prove=lambda budget: Evidence("UNDECIDED", "nothing", 1))
    claims = {**CLAIMS, broken.key: broken}
    assert check("odds-d5-proof", 12, claims).kind == "REFUTED"


def test_d5_fails_at_once_below_eta():
    case = odds_adversarial._case("95/100", "399/1000", "0")  # eta = 4/10
    at_eta = replace(case, eps_train=Fraction(4, 10), lam=Fraction(2))
    assert odds_adversarial.weakless(replace(case, lam=Fraction(2))) < 0
    assert odds_adversarial.weakless(at_eta) == 0


# ---- second routes ----


def test_the_numbers_in_covers_are_right():
    assert f"{norm.ppf(0.99):.10f}" in CLAIMS["odds-eta-99"].covers
    lines = [frontier_at(law("95/100", 3), "6/100", delta).robust_accuracy for delta in ("1/100", "4/100")]
    assert "18.99977%" in CLAIMS["odds-footnote-1"].covers
    assert Fraction("18.99977") < 100 * lines[0] < Fraction("18.99978")
    assert Fraction("75.9999") < 100 * lines[1] < 76
    covers = CLAIMS["odds-lemma-d2"].covers
    for number in (lemma_d2_reliability(4), lemma_d2_signal("0.975"), balanced_reliability(4)):
        assert f"{round(float(number.lo), 5)}".lstrip("0") in covers
    least = level_signal("0.975")
    assert Fraction("2.97575") < least < Fraction("2.97576")
    assert "s = 2.97576 on" in CLAIMS["odds-theorem-2.2-standard"].covers


def test_the_losses_of_lemma_d2_by_quadrature():
    def hinge(mean, deviation):
        return integrate.quad(lambda z: max(0, z) * norm.pdf(z, mean, deviation), 0, mean + 12 * deviation + 12)[0]

    root = math.sqrt(2)
    kept, reached = hinge(1 + 1 / root - 4 / root, 1 / root), hinge(1 - 4, 1)
    assert 0.016 < kept == pytest.approx(0.01699329676, abs=1e-9)
    assert 0.0004 > reached == pytest.approx(0.00038215432, abs=1e-9)
    margin = odds_svm.d2_losses(Attacked(law("39/40", 4), Fraction(0)))
    assert float(margin.lo) == pytest.approx(kept / 40 - reached, abs=1e-9)


def test_the_first_display_by_brute_force():
    """E max(0, 1 + w - N(sv, v^2)) on the half-circle v < 1/sqrt(2), on a grid: least at the end."""
    for s in (4.0, 5.5):
        v = np.linspace(-1, 1 / math.sqrt(2), 4001)
        v = v[np.abs(v) > 1e-6]
        w = np.sqrt(1 - v * v)
        x = (1 + w - s * v) / np.abs(v)
        loss = np.abs(v) * (x * norm.cdf(x) + norm.pdf(x))
        assert loss.argmin() == len(v) - 1


def test_the_svm_by_minimising_over_the_circle():
    """The unit-norm SVM minimises the margin term on the unit circle: the lemmas' v* by a search over angles."""
    p, s = 0.95, 4.0

    def term(angle):
        w, v = math.sin(angle), math.cos(angle)
        parts = [(p, 1 - w - s * v), (1 - p, 1 + w - s * v)]
        return sum(share * (m * norm.cdf(m / v) + v * norm.pdf(m / v)) for share, m in parts)

    found = optimize.minimize_scalar(term, bounds=(-1.5, 1.5), method="bounded", options={"xatol": 1e-9})
    solution = train_svm(law("95/100", 4))
    assert math.cos(found.x) == pytest.approx(float(solution.weak.lo), abs=1e-6)
    assert math.cos(found.x) > 1 / math.sqrt(2)


def test_the_trained_classifiers_by_simulation():
    rng, d, eta, eps = np.random.default_rng(5), 64, 0.5, 1.0  # s = 4, eps = 2 eta
    from theory.odds.signgaussian import SignGaussian

    model = SignGaussian("39/40", "1/2", d)
    svm = train_svm(model).classifier
    x, y = model.sample(40_000, rng)
    plain = (svm.score(x) * y > 0).mean()
    weights = np.concatenate([[float(svm.strong.lo)], np.full(d, float(svm.weak.lo))])
    attacked = (svm.score(x) * y > eps * np.abs(weights).sum()).mean()
    assert plain == pytest.approx(float(standard_accuracy(svm, model).lo), abs=3e-3)
    assert attacked == pytest.approx(float(robust_accuracy(svm, model, 1).lo), abs=3e-3)
    assert plain > 0.99
    assert attacked < 0.01
    assert eta * math.sqrt(d) == 4


def test_the_contribution_to_the_adversarial_margin_by_simulation():
    rng = np.random.default_rng(3)
    y = 2 * rng.integers(0, 2, 200_000) - 1
    x = 0.1 * y + rng.standard_normal(len(y))
    for w in (1.0, -0.7):
        contribution = -y * w * x + 0.3 * abs(w)
        expected = w * 0.2 if w > 0 else -w * 0.4
        assert contribution.mean() == pytest.approx(expected, abs=0.01)
        assert contribution.std() == pytest.approx(abs(w), abs=0.01)


def test_the_two_laws_of_appendix_e_by_brute_force():
    """The best robust accuracy of linear rules on both witnesses, over a grid of directions."""

    def best(case, fixed=False):
        grid = [(Fraction(a), Fraction(0 if fixed else b)) for a in range(-6, 7) for b in range(-6, 7)]
        return max(odds_features.robust_accuracy(case.points, w, case.eps) for w in grid)

    copy, rare = odds_features.COPY, odds_features.RARE
    assert sum(point.mass for point in copy.points) == sum(point.mass for point in rare.points) == 1
    assert best(copy) == best(copy, fixed=True) == Fraction(9, 10) == odds_features.best_accuracy(copy.points)
    assert (best(rare), best(rare, fixed=True)) == (1, Fraction(3, 4))
    assert [odds_features.correlation(case.points, 1) for case in (copy, rare)] == [Fraction(2, 5), Fraction(1, 4)]


@pytest.mark.parametrize("eps", [Fraction(0), Fraction(1, 4), Fraction(3, 10), Fraction(1, 3), Fraction(2, 5)])
def test_robust_accuracy_by_trying_the_corners_of_the_ball(eps):
    points = odds_features.RARE.points
    seen = set()
    for w in itertools.product([Fraction(k) for k in (-2, 0, 1, 2, 3)], repeat=2):
        corners = [(a * eps, b * eps) for a in (-1, 1) for b in (-1, 1)]
        right = [
            p.mass
            for p in points
            if all(p.y * sum(v * (x + c) for v, x, c in zip(w, p.x, corner, strict=True)) > 0 for corner in corners)
        ]
        assert odds_features.robust_accuracy(points, w, eps) == sum(right)
        seen.add(sum(right))
    assert len(seen) > 1


def test_the_weighted_threshold_on_digits():
    """The repaired threshold on a certified optimum: |sum q y x_i| is eps sum q where w_i is used, else at most."""
    from toy.linear import classifiers, distribution, weighted_correlations

    data = distribution()
    fitted = classifiers(data, Fraction(1, 5))["adversarial"]
    weighted = weighted_correlations(data.train, fitted)
    used = fitted.model.weights != 0
    assert 0 < used.sum() < len(used)
    assert weighted[used] == pytest.approx(0.2, abs=1e-5)
    assert weighted[~used].max() < 0.2 + 1e-5


def test_coins_are_counted_right():
    def expected(tosses):
        outcomes = itertools.product((-1, 1), repeat=tosses)
        return Fraction(sum(abs(sum(signs)) for signs in outcomes), 2**tosses)

    for tosses in (1, 2, 5, 8):
        assert odds_features.imbalance_margin(tosses) == tosses - expected(tosses) ** 2 >= 0


def test_table_5_counts_by_trying_every_count():
    def printable(number, n):
        return any(f"{100 * k / n:.2f}" == number for k in range(n + 1))

    how = check("odds-table-5", 12).evidence
    for number, n in (("92.10", 1920), ("74.65", 1920)):
        assert not printable(number, n)
        assert f"{number} is no k/{n}" in how
    for number, n in (("14.95", 1920), ("70.05", 1920), ("98.38", 11686), ("13.69", 11686), ("94.05", 11686)):
        assert printable(number, n)
        assert f"{number} is no" not in how
    assert "70.05 below adversarial accuracy 74.65" in how


def test_arithmetic_that_agrees_is_not_called_impossible(monkeypatch):
    """The same checks on numbers without the contradictions."""
    monkeypatch.delitem(odds_tables.CLASSES, "Insect")
    assert odds_tables.table_1.prove(12).kind == "PROVED"
    monkeypatch.setitem(odds_tables.CLASSES, "Crab", (118, 152))
    assert "Dog and Crab share classes" in odds_tables.table_1.prove(12).how
    monkeypatch.setitem(odds_tables.RADII, ("inf", "MNIST"), ("0.3", "0.4"))
    assert odds_tables.table_3.prove(12).kind == "PROVED"
    monkeypatch.setitem(odds_tables.TABLE_4["MNIST, l_2"], "0.5", ("99.31", "99.45", "99.41", "94", "97", "99.5"))
    assert odds_tables.table_4.prove(12).kind == "REFUTED"  # a robust accuracy above the standard one
    kept = {"only": {"0": ("99",), "1": ("99", "98", "97", "20", "60", "61")}}
    monkeypatch.setattr(odds_tables, "TABLE_4", kept)
    assert odds_tables.table_4_half.prove(12).kind == odds_tables.table_4_decline.prove(12).kind == "PROVED"


# ---- rules for records ----


def table_4_record(robust=88.0, full=True):
    rows = [
        {"norm": "inf", "eps": eps, "training": training, "standard_accuracy": s, "robust_accuracy": r}
        for eps in ("1/10", "3/10")
        for training, s, r in (("standard", 99.3, 1.0), ("half", 99.1, 87.0), ("robust", 97.4, robust))
    ]
    return Record.new("tightrope.odds.table4/1", {"dataset": "MNIST", "full": full, "rows": rows}, command="test")


def figure_1_record(small=97.5, large=98.9):
    rows = [
        {"samples": n, "eps_train": eps, "standard_accuracy": accuracy}
        for n, values in ((100, (97.0, small, 96.0)), (60_000, (99.3, 99.2, large)))
        for eps, accuracy in zip(("0", "1/2", "3/2"), values, strict=True)
    ]
    return Record.new("tightrope.odds.samples/1", {"dataset": "MNIST", "full": True, "rows": rows}, command="test")


@pytest.mark.parametrize(
    ("key", "record", "kind"),
    [
        ("odds-table-4-networks", table_4_record(), "REPRODUCED"),
        ("odds-table-4-networks", table_4_record(full=False), "DIRECTION HELD"),
        ("odds-table-4-networks", table_4_record(robust=86.0), "FAILED"),
        ("odds-figure-1", figure_1_record(), "REPRODUCED"),
        ("odds-figure-1", figure_1_record(small=96.9), "FAILED"),
        ("odds-figure-1", figure_1_record(large=99.4), "FAILED"),
        ("odds-figure-1", table_4_record(), "NOT RUN"),
    ],
)
def test_records_are_judged_by_the_fixed_rules(key, record, kind):
    assert check(key, 12, records={"a.json": record}).kind == kind


def test_the_figure_of_theorem_2_1_draws_the_line_above_the_frontier():
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    CLAIMS["odds-theorem-2.1"].figure(axes)
    line, *curves = axes.get_lines()
    assert (np.asarray(line.get_ydata()) == 3 * np.asarray(line.get_xdata())).all()
    assert len(curves) == 3
    for curve in curves:
        delta, robust = map(np.asarray, curve.get_data())
        assert (robust[:-1] < 3 * delta[:-1]).all()
        assert (delta[-1], robust[-1]) == (0.25, 0.75)


def test_the_figure_of_theorem_2_2_shows_the_zero_classifier():
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    CLAIMS["odds-theorem-2.2-robust"].figure(axes)
    radii, standard = map(np.asarray, axes.get_lines()[0].get_data())
    robust = np.asarray(axes.get_lines()[1].get_ydata())
    between = (radii >= 0.4) & (radii < 0.5)
    assert standard[0] > 0.99
    assert robust[0] < 0.01
    assert set(standard[between]) == set(robust[between]) == {0.75}
    assert set(standard[radii >= 0.5]) == {0.0}

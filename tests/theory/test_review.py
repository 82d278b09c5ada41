"""Corners of the exact core where a wrong answer once looked right; each test states what is true there."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

import pytest

from proofs_check.verify import CertificateError, verify_boxes, verify_sample
from theory import (
    Ball,
    Between,
    BoxDistribution,
    Boxes,
    Enclosure,
    FiniteDistribution,
    Points,
    RegionClassifier,
    bayes_risk,
    bayes_rule,
    boundary_risk,
    curve,
    risk_curve,
    robust_risk,
    sensible_risk,
    standard_risk,
)
from theory.between import mass_between
from theory.flow import residual_order
from theory.minimisers import natural_minimisers, robust_minimisers, sensible_minimisers
from theory.optimal import optimal_robust_risk
from theory.optimal.boxes import conflict_network
from theory.optimal.enclosed import optimal_round_risk
from theory.products import Laplace, Normal, ProductDistribution
from theory.risks import probability

F = Fraction
UNIT = (0, 1)


def threshold(t, dim=1):
    return RegionClassifier.binary(Boxes([((t, None), *[(None, None)] * (dim - 1))]))


def halves(prior="1/2", dim=2):
    rest = [UNIT] * (dim - 1)
    boxes = {-1: [([(0, "1/2"), *rest], 1 - F(prior))], +1: [([("1/2", 1), *rest], prior)]}
    return BoxDistribution.of_masses(boxes, [UNIT] * dim)


# ---- minimisers ----


def test_thresholds_between_two_tied_cuts_are_minimisers_too():
    law, ball, bayes = halves(), Ball("1/10"), threshold("1/2", 2)
    assert robust_risk(bayes, law, ball) == optimal_robust_risk(law, ball).value
    members = robust_minimisers(law, ball)
    least, most = (standard_risk(pick(bayes, law, ball), law) for pick in (members.best, members.worst))
    assert (least, most) == (0, F(1, 10))


def test_the_worst_tied_minimiser_may_switch_where_only_the_true_law_has_a_face():
    # Seen: -1 on (0, 1/4), +1 on (1/2, 3/4), which the translation by 2 eps = 1/2 joins. Every switch from -1 to +1 in
    # [1/4, 1/2] is robustly optimal there. The true labels in that gap are the opposite ones on either side of 3/8.
    pieces = {-1: [(0, "1/4"), ("3/8", "1/2")], +1: [("1/4", "3/8"), ("1/2", "3/4")]}
    masses = {y: [([side], "1/6" if side[0] in (0, "1/2") else "1/3") for side in sides] for y, sides in pieces.items()}
    true = BoxDistribution.of_masses(masses, [(0, "3/4")])
    seen = true.restrict(Boxes([((0, "1/4"),), (("1/2", "3/4"),)]))
    ball, truth = Ball("1/4"), bayes_rule(true)
    least = optimal_robust_risk(seen, ball).value
    by_switch = {}
    for k in range(9):
        f = threshold(F(1, 4) + F(k, 32))
        assert robust_risk(f, seen, ball) == least == F(1, 2)
        by_switch[k] = standard_risk(f, true)
    worst = robust_minimisers(seen, ball).worst(truth, true, ball)
    assert robust_risk(worst, seen, ball) == least
    assert standard_risk(worst, true) == max(by_switch.values()) == by_switch[4] == F(2, 3)


def test_cuts_that_differ_only_off_the_cells_are_listed_once():
    quarter = [(0, "1/2"), ("1/2", 1)]
    boxes = {y: [([a, b], "1/4") for a in quarter for b in quarter if (a == b) == (y < 0)] for y in (-1, +1)}
    law, ball = BoxDistribution.of_masses(boxes, [UNIT] * 2), Ball("1/16")
    network = conflict_network(law, ball)
    assert sum(1 for _ in residual_order(network.flow).minimum_cuts()) > 4000
    listed = list(network.minimisers())
    assert len(listed) == 2
    assert all(robust_risk(m.classifier, law, ball) == network.flow.value for m in listed)


def test_natural_minimisers_need_no_label_off_the_support():
    law = BoxDistribution.of_masses({-1: [([(0, "1/4")], "1/2")], +1: [([("3/4", 1)], "1/2")]}, [UNIT])
    members, truth = natural_minimisers(law), threshold("1/2")
    assert all(standard_risk(pick(truth, law, Ball(0)), law) == 0 for pick in (members.best, members.worst))
    with pytest.raises(ValueError, match="labels tie on"):
        natural_minimisers(BoxDistribution.of_masses({y: [([UNIT], "1/2")] for y in (-1, +1)}, [UNIT]))


def test_a_reference_that_errs_does_not_tell_what_sensible_minimisers_predict():
    law, ball = halves(dim=1), Ball("1/10")
    always = RegionClassifier.binary(law.everything)
    members = [threshold("1/2"), always]
    # sensible with regard to the rule that always says +1: class -1 is never moved, and f may well be right there
    risks = [sensible_risk(f, law, ball, always) for f in members]
    assert risks == [F(1, 10), F(1, 2)]
    with pytest.raises(ValueError, match="no Bayes rule"):
        sensible_minimisers(law, ball, always)
    worst = sensible_minimisers(law, ball, threshold("1/2")).worst(threshold("1/2"), law, ball)
    assert sensible_risk(worst, law, ball) == 0


def test_the_worst_of_three_classes_is_a_minimiser_and_wrong_wherever_it_may_be():
    sides = [(0, "1/4"), ("1/4", "1/2"), ("1/2", 1)]
    true = BoxDistribution.of_masses({y: [([side], "1/3")] for y, side in enumerate(sides)}, [UNIT])
    seen = true.restrict(Boxes([((0, "1/8"),), (("1/4", "3/8"),), (("1/2", "5/8"),)]))
    worst = natural_minimisers(seen).worst(bayes_rule(true), true, Ball("1/10"))
    assert standard_risk(worst, seen) == 0
    assert standard_risk(worst, true) == 1 - sum(true.mass(seen.support, y) for y in true.labels)


# ---- germs ----


def test_a_law_kept_from_an_earlier_curve_does_not_hide_a_breakpoint():
    @lru_cache
    def law(eps):
        return BoxDistribution.of_densities({-1: [([(0, eps)], 1)], +1: [([(eps, 1)], 1)]}, [UNIT])

    f = threshold("1/3")
    assert risk_curve(standard_risk, f, law, "1/10", "1/5").breakpoints == (F(1, 10), F(1, 5))
    assert risk_curve(standard_risk, f, law, "1/10", "1/2").breakpoints == (F(1, 10), F(1, 3), F(1, 2))


def test_germs_of_two_runs_do_not_mix():
    with pytest.raises(ValueError, match="two runs"):
        curve(lambda a: curve(lambda b: a * b, 0, 1)("1/2"), 0, 1)
    kept = []
    with pytest.raises(ValueError, match="computed anew"):
        curve(lambda eps: kept.append(eps) or kept[0], 0, 1)


def test_points_that_meet_on_their_way_are_noticed():
    def law(eps):
        return FiniteDistribution.of_points([(eps,), ("1/2",)], {-1: ["1/2", 0], +1: [0, "1/2"]})

    def f(eps):
        return RegionClassifier.binary(Points(law(eps).space, {1}))

    with pytest.raises(ValueError, match="occurs twice"):
        risk_curve(standard_risk, f, law, 0, 1)
    assert risk_curve(standard_risk, f, law, 0, "1/3").polys == (curve(lambda _: 0, 0, 1).polys[0],)


def test_an_irrational_break_next_to_the_end_of_the_range():
    # x^2 = 2 just below 1.41421357; the function does not exist beyond that end
    end = F(141421357, 10**8)

    def kink(x):
        if x >= end and not isinstance(x, Fraction):
            raise ValueError("beyond the end")
        return abs(x * x - 2)

    found = curve(kink, 1, end)
    assert len(found.pieces) == 2
    assert found(end) == end**2 - 2


# ---- optima ----


def test_on_the_line_all_norms_agree_and_the_optimum_is_exact():
    law = BoxDistribution.of_masses({-1: [([(0, "1/2")], "1/2")], +1: [([("1/3", 1)], "1/2")]}, [UNIT])
    exact = optimal_robust_risk(law, Ball("1/10"))
    for ord in (1, 2):
        best = optimal_robust_risk(law, Ball("1/10", ord))
        assert best.value.fraction == exact.value.fraction
        assert best.verified


def test_at_radius_zero_every_norm_leaves_the_bayes_risk():
    parts = [([("1/3", "2/3"), UNIT], "1/8"), ([("2/3", 1), UNIT], "3/8")]
    law = BoxDistribution.of_masses({-1: [([UNIT, UNIT], "1/2")], +1: parts}, [UNIT] * 2)
    best = optimal_robust_risk(law, Ball(0, 2))
    assert best.value.fraction == bayes_risk(law) == standard_risk(best.classifier, law)


@pytest.mark.parametrize("steps", [1, 4, 32])
def test_the_classifier_of_a_round_ball_risks_no_more_than_the_upper_end(steps):
    corners = {-1: [([(0, "1/2"), (0, "1/2")], "1/2")], +1: [([("1/2", 1), ("1/2", 1)], "1/2")]}
    law, ball = BoxDistribution.of_masses(corners, [UNIT] * 2), Ball("1/10", 2, steps=steps)
    best = optimal_round_risk(law, ball, F(1, 20))
    risk = robust_risk(best.classifier, law, ball)
    assert risk.lo <= best.value.hi <= risk.hi


def test_distances_do_not_tell_which_balls_meet_in_a_domain_with_a_hole():
    strips = [[(0, "1/4"), UNIT], [("3/4", 1), UNIT]]
    law = BoxDistribution.of_masses({y: [(box, "1/2")] for y, box in zip((-1, +1), strips, strict=True)})
    law = replace(law, domain=Boxes(strips))
    assert robust_risk(threshold("1/2", 2), law, Ball("3/8", 2)) == 0
    with pytest.raises(ValueError, match="not convex"):
        optimal_robust_risk(law, Ball("3/8", 2))


def test_equal_enclosures_of_two_deviations_are_not_one_number():
    sd, other = Enclosure("1", "1.01"), Enclosure("1", "1.01")
    assert Normal(0, sd) == Normal(0, sd)
    assert Normal(0, sd) != Normal(0, other)
    assert Normal(0, 1) != Laplace(0, 1)
    law = ProductDistribution({-1: ("1/2", (Normal(0, sd),)), +1: ("1/2", (Normal(1, other),))})
    best = optimal_robust_risk(law, Ball("1/4"), steps=4)
    assert best.value.lo <= F(2, 5) <= best.value.hi  # Phi(-1/4) = 0.4013


@pytest.mark.parametrize("dim", [1, 2])
def test_a_label_without_boxes_has_mass_zero(dim):
    law = BoxDistribution.of_masses({-1: [([UNIT] * dim, 1)], +1: []}, [UNIT] * dim)
    best = optimal_robust_risk(law, Ball("1/10"))
    assert law.prior(+1) == best.value.fraction == robust_risk(bayes_rule(law), law, Ball("1/10"))
    assert law.domain <= best.forced[-1]
    with pytest.raises(ValueError, match="at least one box"):
        BoxDistribution.of_masses({-1: [], +1: []})


def test_a_law_without_a_bayes_rule_says_so():
    law = ProductDistribution({-1: ("1/2", (Normal(0, 1),)), +1: ("1/2", (Normal(1, 1),))})
    with pytest.raises(TypeError, match=r"ProductDistribution does not know its Bayes rule.*reference="):
        sensible_risk(threshold("1/2"), law, Ball("1/10"))


# ---- certificates ----


def test_a_negative_radius_and_an_unknown_norm_prove_nothing():
    box = {"box": [["0", "1"]], "density": "1/2"}
    both = {"-1": [box], "1": [box]}
    forged = {"eps": "-1", "value": "0", "law": both, "kept": both, "cells": {"-1": [], "1": []}, "flow": []}
    with pytest.raises(CertificateError, match="eps -1 is negative"):
        verify_boxes(forged)
    sample = {
        "classes": ["0", "1"], "eps": "1", "ord": 3, "value": "0", "denominator": 2, "weights": [[1, 2]], "wrong": [],
        "flow": [],
    }  # fmt: skip
    # |(2, 2) - (0, 0)| is 4 in l1 and 2^(4/3) = 2.52 in l3
    assert verify_sample({**sample, "ord": 1}, [[0, 0], [2, 2]], [0, 1], 1) == 0
    with pytest.raises(CertificateError, match="norm 3"):
        verify_sample(sample, [[0, 0], [2, 2]], [0, 1], 1)


# ---- laws and risks of a user ----


class Triangles:
    """X given y has the density 1 - |x - y| around y; everything by + - * / and comparisons."""

    labels = (-1, 1)
    domain = Boxes.everything(1)

    def event(self, event):
        return event

    def mass(self, event, label):
        if isinstance(event, Between):
            return mass_between(lambda boxes: self.mass(boxes, label), event)
        total = F(0)
        for ((lo, hi),) in event.cells():
            total = total + (1 if hi is None else self.cdf(hi - label)) - (0 if lo is None else self.cdf(lo - label))
        return total / 2

    def cdf(self, t):
        if t <= -1 or t >= 1:
            return F(0) if t <= -1 else F(1)
        return (1 + t) * (1 + t) / F(2) if t <= 0 else 1 - (1 - t) * (1 - t) / F(2)


def test_a_law_of_four_members_has_risks_curves_and_enclosures():
    law, f = Triangles(), threshold("1/4")
    found = {risk: risk_curve(risk, f, law, 0, 2) for risk in (standard_risk, boundary_risk, robust_risk)}
    assert found[robust_risk] == found[standard_risk] + found[boundary_risk]
    # wrong for +1 below 1/4 + eps, for -1 above 1/4 - eps; class -1 lives on (-2, 0), class +1 on (0, 2)
    for eps in (F(0), F(1, 10), F(1, 4), F(1, 2), F(4, 5), F(3, 2), F(2)):
        upper = law.cdf(F(1, 4) + eps - 1) / 2 + (1 - law.cdf(F(1, 4) - eps + 1)) / 2
        assert found[robust_risk](eps) == upper
    half = Between(Boxes([((None, 0),)]), Boxes([((None, "1/4"),)]))
    assert standard_risk(RegionClassifier({-1: half, +1: ~half}), law).contains(standard_risk(f, law))


def test_a_risk_of_a_user_is_the_probability_of_an_event():
    law, f = halves("3/5", dim=1), threshold("1/2")

    def one_sided(eps):
        """Only class +1 is attacked."""
        balls = {-1: Ball(0), +1: Ball(eps)}
        return probability(law, lambda y: balls[y].reach(f.wrong(y), law.domain))

    assert curve(one_sided, 0, "1/2").pieces == curve(lambda eps: F(6, 5) * eps, 0, "1/2").pieces


@pytest.mark.parametrize(
    ("f", "law", "ball", "message"),
    [
        (threshold(0), "law", Ball(0), "'law' is no law"),
        (Boxes([[(0, 1)]]), halves(dim=1), Ball(0), r"Boxes\(\[\(0, 1\)\], dim=1\) is no classifier"),
        (threshold(0), halves(dim=1), "1/10", r"'1/10' is no ball; write Ball\('1/10'\)"),
        (threshold(0), halves(dim=1), 0.1, r"0.1 is no ball; write Ball\('0.1'\)"),
    ],
)
def test_what_is_no_law_no_classifier_or_no_ball_is_named(f, law, ball, message):
    for risk in (robust_risk, boundary_risk, lambda *args: sensible_risk(*args, threshold("1/2"))):
        with pytest.raises(TypeError, match=message):
            risk(f, law, ball)


def test_a_box_on_the_line_is_a_list_of_one_pair():
    with pytest.raises(ValueError, match="a box lists one such pair an axis"):
        Boxes([(0, 1)])

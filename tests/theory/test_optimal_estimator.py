"""The scikit-learn face: scikit-learn's own checks, and agreement with the function beneath."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import check_estimator

from theory.optimal.estimator import OptimalRobustClassifier
from theory.optimal.sample import optimal_sample_risk
from theory.samples import LabelledSample, digits

# Checks that scikit-learn itself leaves out here: pandas is no dependency, array-API dispatch is an opt-in.
LEFT_OUT = {"check_sample_weights_pandas_series", "check_array_api_input", "check_classifier_data_not_an_array"}


@pytest.mark.parametrize("parameters", [{}, {"eps": 0.25, "ord": 1}, {"eps": "1/3", "ord": math.inf}])
def test_scikit_learns_own_checks(parameters):
    results = check_estimator(OptimalRobustClassifier(**parameters), on_skip=None, on_fail=None)
    assert [r for r in results if r["status"] not in ("passed", "skipped")] == []
    assert {r["check_name"] for r in results if r["status"] == "skipped"} <= LEFT_OUT
    assert len(results) > 50


@pytest.mark.parametrize("ord", [1, 2, math.inf])
def test_it_is_the_optimum_of_the_sample(ord):
    sample = digits().only(3, 8)
    eps = {1: 60, 2: 16, math.inf: 5}[ord]
    model = OptimalRobustClassifier(eps=eps, ord=ord).fit(sample.x, sample.y)
    best = optimal_sample_risk(sample, Fraction(eps, 16), ord)
    assert model.robust_risk_ == best.value > 0
    assert model.optimum_.verify()
    assert np.array_equal(model.predict(sample.x), best.classifier(sample.x))
    assert model.classes_.tolist() == [3, 8]


def test_weights_are_normalised_exactly():
    x, y = [[0.0], [1.0], [5.0]], ["a", "b", "b"]
    model = OptimalRobustClassifier(eps="1/2").fit(x, y, sample_weight=[3, 1, 3])
    assert model.robust_risk_ == Fraction(1, 7)
    assert model.predict([[0.25], [4.0]]).tolist() == ["a", "b"]


def test_a_float_radius_is_its_dyadic_value_and_a_string_is_exact():
    x, y = [[0.0], [0.2]], [0, 1]  # 0.2 in binary is a little above 1/5, and twice the binary 0.1
    assert OptimalRobustClassifier(eps=0.1).fit(x, y).robust_risk_ == Fraction(1, 2)
    assert OptimalRobustClassifier(eps="0.1").fit(x, y).robust_risk_ == 0


def test_it_works_inside_a_grid_search():
    sample = digits().only(0, 1)
    search = GridSearchCV(OptimalRobustClassifier(), {"eps": [1, 24.0, "40"]}, cv=2).fit(sample.x, sample.y)
    assert search.best_params_["eps"] in (24.0, "40")


@pytest.mark.parametrize(
    ("parameters", "y", "weights", "message"),
    [
        ({"eps": -1}, [0, 1], None, "eps -1 is negative"),
        ({"eps": math.nan}, [0, 1], None, "eps nan is not a finite number"),
        ({"ord": 3}, [0, 1], None, "ord 3.0 is not a norm"),
        ({}, [1, 1], None, r"two classes are needed: y has 1 class"),
        ({}, [0.5, 1.7], None, "Unknown label type"),
        ({}, [0, 1], [1, -1], "sample weight -1.0 is the least"),
        ({}, [0, 1], [0, 0], "not all 0|at least one non-zero"),
    ],
)
def test_bad_input_is_refused(parameters, y, weights, message):
    with pytest.raises(ValueError, match=message):
        OptimalRobustClassifier(**parameters).fit([[0.0], [1.0]], y, sample_weight=weights)


def test_a_sample_of_the_same_points_gives_the_same_certificate():
    x = np.array([[0.0, 1.5], [2.25, 1.5], [9.0, 9.0]])
    model = OptimalRobustClassifier(eps="9/8").fit(x, [0, 1, 1])
    assert model.robust_risk_ == optimal_sample_risk(LabelledSample(x, [0, 1, 1]), "9/8").value == Fraction(1, 3)

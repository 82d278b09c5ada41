"""theory.adapters: regions agree with scikit-learn's predictions, one float left and right of every cut."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron, RidgeClassifier, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier

from theory.adapters import float32_cut, from_linear, from_tree, linear_score
from theory.ball import Ball
from theory.between import Between
from theory.boxes import Boxes
from theory.classifiers import RegionClassifier
from theory.distributions import BoxDistribution, FiniteDistribution
from theory.halfspace import HalfSpace
from theory.risks import robust_risk, standard_risk

LINEAR = [
    LogisticRegression(),
    LinearSVC(random_state=0),
    Perceptron(random_state=0),
    SGDClassifier(random_state=0),
    RidgeClassifier(),
    LinearDiscriminantAnalysis(),
]
TREES = [DecisionTreeClassifier, ExtraTreeClassifier]


def blobs(seed, n=60, dim=2, classes=(-1, 1), scale=1.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, dim)) * scale
    y = np.array(classes)[(np.digitize(x[:, 0] + 0.5 * rng.normal(size=n) * scale, [0, scale])) % len(classes)]
    y[: len(classes)] = classes
    return x, y


def exactly(point):
    return [Fraction(float(c)) for c in point]


def label_at(f, point):
    return [label for label, region in f.regions.items() if region.contains(exactly(point))]


# -- trees ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", TREES)
@pytest.mark.parametrize(("seed", "dim", "scale"), [(0, 1, 1.0), (1, 2, 1e-3), (2, 3, 1e6), (3, 2, 1e-41)])
def test_a_tree_predicts_what_its_regions_say_next_to_every_threshold(kind, seed, dim, scale):
    x, y = blobs(seed, dim=dim, scale=scale)
    tree = kind(random_state=seed, max_depth=4).fit(x, y)
    f = from_tree(tree)
    rng = np.random.default_rng(seed)
    points = list(rng.normal(size=(40, dim)) * scale)
    for axis, threshold in zip(tree.tree_.feature, tree.tree_.threshold, strict=True):
        if axis < 0:
            continue
        cut = float(float32_cut(float(threshold)))
        assert Fraction(cut) == float32_cut(float(threshold))  # half-way between two float32 numbers is a float64
        near = [math.nextafter(cut, -math.inf), math.nextafter(cut, math.inf)]
        for value in (*near, math.nextafter(threshold, math.inf), float(np.float32(threshold))):
            for base in rng.normal(size=(3, dim)) * scale:
                base[axis] = value
                points.append(base)
    cuts = [{float(c) for region in f.regions.values() for c in region.edges[a]} for a in range(dim)]
    points = [p for p in points if not any(c in cuts[a] for a, c in enumerate(p))]  # the cuts themselves are null sets
    predicted = tree.predict(np.array(points))
    for point, label in zip(points, predicted, strict=True):
        assert label_at(f, point) == [label]
    assert f.predict(np.array(points)).tolist() == predicted.tolist()


def test_the_cast_to_float32_moves_the_cut():
    x = np.array([[0.1], [0.2]])
    tree = DecisionTreeClassifier().fit(x, [-1, 1])
    threshold = float(tree.tree_.threshold[0])
    beyond = math.nextafter(threshold, -math.inf)  # below the threshold, yet rounded to above it
    assert beyond <= threshold
    assert tree.predict([[beyond]]).tolist() == [1] == label_at(from_tree(tree), [beyond])


@given(st.floats(-1e38, 1e38), st.floats(-1, 1))
@settings(max_examples=200)
def test_the_cut_is_where_rounding_passes_the_threshold(threshold, shift):
    cut = float(float32_cut(threshold))
    for value in (math.nextafter(cut, -math.inf), math.nextafter(cut, math.inf), cut + shift, cut * (1 + shift * 1e-7)):
        if value != cut:
            assert (float(np.float32(value)) <= threshold) is (value < cut)


def test_missing_values_split_off_by_an_infinite_threshold_do_not_concern_real_numbers():
    x = np.array([[np.nan], [np.nan], [1.0], [2.0]])
    tree = DecisionTreeClassifier().fit(x, [-1, -1, 1, 1])
    assert np.isinf(tree.tree_.threshold[0])
    f = from_tree(tree)
    assert f.regions[1] == Boxes.everything(1)
    assert f.regions[-1].is_empty
    assert tree.predict([[-1e30], [3.0], [1e30]]).tolist() == [1, 1, 1]


@pytest.mark.parametrize("moved", [-5.0, 0.5, 5.0])
def test_a_tree_with_moved_thresholds_may_ask_what_it_already_knows(moved):
    x = np.array([[-4.0], [-3.0], [-2.0], [-1.0], [1.0], [2.0], [3.0], [4.0]])
    tree = DecisionTreeClassifier(random_state=0).fit(x, [2, 0, 0, 0, 1, 1, 1, 2])
    assert tree.tree_.threshold[0] == 0
    for node in np.flatnonzero(tree.tree_.feature >= 0)[1:]:
        tree.tree_.threshold[node] = moved
    f = from_tree(tree)
    points = np.linspace(-6, 6, 49)[:, None]
    assert [[label] for label in tree.predict(points + 1e-3)] == [label_at(f, p) for p in points + 1e-3]


def test_labels_of_a_tree_can_be_renamed_and_merged():
    x, y = blobs(5, classes=(0, 1, 2))
    tree = DecisionTreeClassifier(random_state=0, max_depth=3).fit(x, y)
    f = from_tree(tree)
    assert sorted(f.regions) == [0, 1, 2]
    merged = from_tree(tree, labels={0: -1, 1: 1, 2: -1})
    assert merged.regions[-1] == f.regions[0] | f.regions[2]
    assert merged.regions[1] == f.regions[1]
    named = DecisionTreeClassifier(random_state=0, max_depth=3).fit(x, np.array(["a", "b", "c"])[y])
    assert from_tree(named, labels={"a": 0, "b": 1, "c": 2}) == f


@given(st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_the_exact_risk_of_a_tree_agrees_with_counting_its_predictions(seed):
    rng = np.random.default_rng(seed)
    x = rng.random((50, 2))
    y = np.where(x[:, 0] + x[:, 1] > 1, 1, -1)
    tree = DecisionTreeClassifier(random_state=0, max_depth=4).fit(x, y)
    law = BoxDistribution.of_masses({-1: [([(0, 1), (0, "1/2")], "1/2")], 1: [([(0, 1), ("1/2", 1)], "1/2")]})
    # a midpoint rule on a 64 x 64 grid errs by the cells that a cut crosses, at most one row or column a cut
    ticks = (np.arange(64) + 0.5) / 64
    grid = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    wrong = tree.predict(grid) != np.where(grid[:, 1] > 0.5, 1, -1)
    cuts = sum(tree.tree_.feature >= 0)
    assert abs(float(standard_risk(from_tree(tree), law).fraction) - wrong.mean()) <= cuts / 64


# -- linear models ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", LINEAR, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("dim", [1, 3])
def test_a_linear_model_predicts_what_lies_between_its_half_spaces(model, dim):
    x, y = blobs(dim, dim=dim)
    model.fit(x, y)
    box = [(-8, 8)] * dim
    region = from_linear(model, rounding_on=box).regions[1]
    inner, outer = region.inner, region.outer
    rng = np.random.default_rng(7)
    points = np.clip(rng.normal(size=(60, dim)) * 2, -8, 8)
    w, b = np.atleast_2d(model.coef_)[0], float(np.ravel(model.intercept_)[0])
    last = -(points[:, :-1] @ w[:-1] + b) / w[-1]  # on the boundary, but for the last bits
    near = np.column_stack([points[:, :-1], last])[np.abs(last) < 8]
    near = np.vstack([near, *(np.nextafter(near, side) for side in (-np.inf, np.inf))])
    points = np.vstack([points, near])
    for point, label in zip(points, model.predict(points), strict=True):
        assert label == 1 or not inner.contains(exactly(point))
        assert label == -1 or outer.contains(exactly(point))
    middle = (inner.offset + outer.offset) / 2
    assert from_linear(model).regions[1] == HalfSpace(inner.weights, middle)
    assert 0 < outer.offset - inner.offset < Fraction(1, 10**12) * max(abs(v) for v in (*inner.weights, inner.offset))


def test_scikit_learn_itself_rounds_the_half_space():
    # 0.1 x + 0.2 y - 0.3 at (1, 1): in exact dyadic numbers not what float64 finds
    model = Perceptron().fit(np.array([[0.0, 0.0], [4.0, 4.0]]), [-1, 1])
    model.coef_, model.intercept_ = np.array([[0.1, 0.2]]), np.array([-0.3])
    f = from_linear(model)
    exact = Fraction(0.1) + Fraction(0.2) - Fraction(0.3)
    assert f.regions[1].contains((1, 1)) == (exact > 0)
    points = np.array([[1.0, 1.0], [3.0, 0.0], [0.3, 1.35], [1.7, 0.65]])
    said = [1 if f.regions[1].contains(exactly(p)) else -1 for p in points]
    assert said != model.predict(points).tolist()  # so the exact rule is not scikit-learn's function ...
    region = from_linear(model, rounding_on=[(0, 3), (0, 3)]).regions[1]
    for point in points:  # ... and the strip says where not
        assert region.outer.contains(exactly(point))
        assert not region.inner.contains(exactly(point))


def test_sparse_coefficients_and_renamed_classes():
    x, y = blobs(3)
    model = SGDClassifier(random_state=0).fit(x, np.where(y > 0, "yes", "no"))
    f = from_linear(model, labels={"yes": 1, "no": -1})
    assert from_linear(model, labels={"yes": -1, "no": 1}).regions[1] == f.regions[-1] == ~f.regions[1]
    assert from_linear(model.sparsify(), labels={"yes": 1, "no": -1}) == f
    flat = LinearSVC(fit_intercept=False, random_state=0).fit(x, y)
    assert from_linear(flat).regions[1].offset == 0


def test_risks_of_a_linear_model_are_enclosed_tightly():
    x, y = blobs(4)
    model = LogisticRegression().fit(x, y)
    law = BoxDistribution.of_masses({-1: [([(-2, 0), (-2, 2)], "1/2")], 1: [([(0, 2), (-2, 2)], "1/2")]})
    exact = robust_risk(from_linear(model), law, Ball("1/10"))
    enclosed = robust_risk(from_linear(model, rounding_on=[(-3, 3), (-3, 3)]), law, Ball("1/10"))
    assert exact.is_exact
    assert enclosed.contains(exact.fraction)
    assert 0 < enclosed.width < Fraction(1, 10**13)


def test_a_score_of_zero_errs_for_both_labels():
    f = linear_score([2, -1], "1/3")
    assert f.wrong(1) == HalfSpace([-2, 1], "-1/3", closed=True)
    assert f.wrong(-1) == HalfSpace([2, -1], "1/3", closed=True)
    law = FiniteDistribution.of_points([("0", "1/3"), ("1", "0")], {-1: ["1/4", 0], 1: ["1/4", "1/2"]})
    assert standard_risk(f, law).fraction == Fraction(1, 2)
    assert standard_risk(RegionClassifier.binary(HalfSpace([2, -1], "1/3")), law).fraction == Fraction(1, 4)


# -- refusals ---------------------------------------------------------------------------------------------------------


def test_refusals():
    x, y = blobs(0)
    zero_one = (y > 0).astype(int)
    with pytest.raises(TypeError, match="DecisionTreeClassifier is no fitted decision tree"):
        from_tree(DecisionTreeClassifier())
    for model in (
        DecisionTreeRegressor().fit(x, y),
        RandomForestClassifier(n_estimators=2).fit(x, y),
        LinearRegression(),
    ):
        with pytest.raises(TypeError, match="no fitted decision tree classifier"):
            from_tree(model)
    with pytest.raises(ValueError, match="2 outputs"):
        from_tree(DecisionTreeClassifier().fit(x, np.column_stack([y, y])))
    with pytest.raises(ValueError, match=r"classes \[0, 1\] are not the labels -1 and \+1.*labels=\{0: -1, 1: 1\}"):
        from_tree(DecisionTreeClassifier().fit(x, zero_one))
    with pytest.raises(ValueError, match="does not map class 1"):
        from_tree(DecisionTreeClassifier().fit(x, zero_one), labels={0: -1})
    with pytest.raises(ValueError, match=r"classes .* are not the labels"):
        from_tree(DecisionTreeClassifier().fit(x, np.where(y > 0, "a", "b")))
    for model in (SVC(kernel="linear"), LinearRegression(), make_pipeline(StandardScaler(), LogisticRegression())):
        with pytest.raises(TypeError, match="no linear classifier of scikit-learn"):
            from_linear(model.fit(x, y))
    with pytest.raises(TypeError, match="LogisticRegression is not fitted"):
        from_linear(LogisticRegression())
    with pytest.raises(ValueError, match="has 3 classes"):
        from_linear(LogisticRegression().fit(*blobs(1, classes=(0, 1, 2))))
    fitted = LogisticRegression().fit(x, zero_one)
    with pytest.raises(ValueError, match="not the labels -1"):
        from_linear(fitted)
    with pytest.raises(ValueError, match="both classes have the label 1"):
        from_linear(fitted, labels={0: 1, 1: 1})
    for box in ([(0, 1)], [(0, 1), (0, None)]):
        with pytest.raises(ValueError, match="no bounded box of 2 sides"):
            from_linear(fitted, labels={0: -1, 1: 1}, rounding_on=box)
    with pytest.raises(ValueError, match="outside the range of float32"):
        float32_cut(-1e39)
    assert float32_cut(math.inf) is None


def test_an_enclosed_model_mixes_with_boxes_after_enclosing_its_ends():
    x, y = blobs(6)
    region = from_linear(LogisticRegression().fit(x, y), rounding_on=[(-3, 3)] * 2).regions[1]
    assert isinstance(region, Between)
    with pytest.raises(ValueError, match=r"\.enclose\(box, steps\)"):
        region & Boxes([[(0, 1), (0, 1)]])

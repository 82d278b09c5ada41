"""The optimal robust classifier of a two-class sample as a scikit-learn estimator.

This module imports scikit-learn at its top and is imported by nothing else.

>>> from theory.samples import digits
>>> sample = digits().only(3, 8)
>>> model = OptimalRobustClassifier(eps=16).fit(sample.x, sample.y)  # pixels run from 0 to 16
>>> model.robust_risk_, model.score(sample.x, sample.y) >= 1 - model.robust_risk_
(Fraction(8, 51), True)
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from theory.numbers import Exact, as_fraction
from theory.optimal.sample import optimal_sample_risk
from theory.samples import LabelledSample


class OptimalRobustClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The classifier of least robust risk on the training sample, among all classifiers there are.

    ``eps`` is the radius of the adversary's closed ball in the units of X, ``ord`` its norm (1, 2 or inf). Entries of X
    are taken as the dyadic numbers they are, and so is a float ``eps``; "0.1" and "8/255" are exact. ``sample_weight``
    is normalised exactly. It predicts the first class within eps of the points of that class that it keeps.

    After ``fit``: ``classes_``, ``robust_risk_`` (a Fraction: no classifier has less on this sample) and ``optimum_``
    (the certificate, a ``theory.optimal.sample.SampleOptimum``). It bounds what is achievable; it is no method for
    generalising to new points, which it mostly calls the second class.
    """

    def __init__(self, eps: Exact | float = "0.1", ord: float = 2) -> None:
        self.eps = eps
        self.ord = ord

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> OptimalRobustClassifier:
        """Find the optimum. Raises ``ValueError`` for anything but two classes, NaN, or a negative eps or weight."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) != 2:
            wanted = "Only binary classification is supported" if len(self.classes_) > 2 else "two classes are needed"
            raise ValueError(f"{wanted}: y has {len(self.classes_)} class(es)")
        weights = None
        if sample_weight is not None:
            floats = _check_sample_weight(sample_weight, X, dtype=np.float64).tolist()
            total = sum(map(Fraction, floats))
            if min(floats) < 0 or total == 0:
                raise ValueError(f"sample weight {min(floats)} is the least; allowed are weights from 0, not all 0")
            weights = [Fraction(w) / total for w in floats]
        eps = as_fraction(self.eps, "eps", exact_float=True)
        sample = LabelledSample(X, labels, name="training sample")
        self.optimum_ = optimal_sample_risk(sample, eps, float(self.ord), weights=weights)
        self.robust_risk_ = self.optimum_.risk
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The class of every row of X."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return np.asarray(self.classes_[self.optimum_.classifier(np.asarray(X))])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

"""The models behind ChurnClassifier, each with a score in log-odds and contributions to it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from satmodels.churn.calibration import log_odds
from satmodels.churn.spline_logistic import SplineLogistic
from satmodels.churn.tree_contributions import tree_contributions
from satmodels.errors import ArgumentError

Array = NDArray[np.float64]

# small steps and small trees: on tables of some thousand customers, deeper boosting is worse calibrated
BOOSTING: dict[str, Any] = {
    "learning_rate": 0.05,
    "max_iter": 150,
    "max_leaf_nodes": 8,
    "l2_regularization": 5.0,
}
FEWEST_FOR_BOOSTING = 500  # rows; with fewer, trees with leaves of 20 rows have nothing to choose from
FEWEST_CHURNED_FOR_BOOSTING = 50
# below so many rows the trees' threads wait for each other longer than they work: on a busy machine
# a fit of 4,000 rows took 20 times as long with two threads as with one
FEWEST_FOR_THREADS = 100_000


class Learner(Protocol):
    """A fitted model."""

    def score(self, Z: Array, X: Any) -> Array:
        """Return log-odds; ``Z`` is the matrix, ``X`` the features as the user gave them."""
        ...


class SplineLearner:
    """The spline logistic model."""

    name = "spline_logistic"

    def __init__(self, categorical: NDArray[np.bool_]) -> None:
        self.model = SplineLogistic(categorical)

    def fit(self, Z: Array, X: Any, y: Array, weight: Array) -> SplineLearner:
        """Fit the model."""
        self.model.fit(Z, y, weight)
        return self

    def score(self, Z: Array, X: Any) -> Array:
        """Return log-odds."""
        return self.model.decision_function(Z)

    def contributions(self, Z: Array) -> tuple[Array, float]:
        """Return each column's term and the base."""
        return self.model.contributions(Z), self.model.intercept_


class BoostingLearner:
    """Histogram gradient boosting; missing values and categories natively."""

    name = "boosting"

    def __init__(self, categorical: NDArray[np.bool_], monotone: NDArray[np.int64], seed: int | None) -> None:
        self.categorical, self.monotone, self.seed = categorical, monotone, seed

    def fit(self, Z: Array, X: Any, y: Array, weight: Array) -> BoostingLearner:
        """Fit the model."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        options: dict[str, Any] = {
            **BOOSTING,
            "early_stopping": False,
            "categorical_features": self.categorical if self.categorical.any() else None,
            "monotonic_cst": self.monotone if self.monotone.any() else None,
            "random_state": self.seed,
        }
        self.model: Any = HistGradientBoostingClassifier(**options)
        self.empty = np.isnan(Z).all(axis=0)
        # equal weights are left out: with weights, scikit-learn bins ten times as slowly
        with _threads(len(Z)):
            self.model.fit(
                self._filled(Z), y.astype(int), sample_weight=None if np.all(weight == 1) else weight
            )
        return self

    def score(self, Z: Array, X: Any) -> Array:
        """Return log-odds."""
        with _threads(len(Z)):
            return np.asarray(self.model.decision_function(self._filled(Z)), dtype=float)

    def contributions(self, Z: Array) -> tuple[Array, float] | None:
        """Return each column's exact Shapley value and the base; None where the trees can't be read."""
        with _threads(len(Z)):
            return tree_contributions(self.model, self._filled(Z))

    def _filled(self, Z: Array) -> Array:
        # scikit-learn can't bin a column without any value; one that was empty in fitting says nothing
        return np.where(self.empty, 0.0, Z) if self.empty.any() else Z


def _threads(rows: int) -> AbstractContextManager[Any]:
    """Hold the trees to one thread where there is little to do; the caller's own limit stays otherwise."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, user_api="openmp") if rows < FEWEST_FOR_THREADS else nullcontext()


class BlendLearner:
    """The mean of the log-odds of both models: their errors partly cancel, and reasons still add up."""

    name = "blend"

    def __init__(self, spline: SplineLearner, boosting: BoostingLearner) -> None:
        self.spline, self.boosting = spline, boosting

    def fit(self, Z: Array, X: Any, y: Array, weight: Array) -> BlendLearner:
        """Fit both models."""
        self.spline.fit(Z, X, y, weight)
        self.boosting.fit(Z, X, y, weight)
        return self

    def score(self, Z: Array, X: Any) -> Array:
        """Return log-odds."""
        return (self.spline.score(Z, X) + self.boosting.score(Z, X)) / 2

    def contributions(self, Z: Array) -> tuple[Array, float] | None:
        """Return each column's contribution and the base; None where the trees can't be read."""
        trees = self.boosting.contributions(Z)
        if trees is None:
            return None
        terms, base = self.spline.contributions(Z)
        return (terms + trees[0]) / 2, (base + trees[1]) / 2


class GivenLearner:
    """Any classifier of scikit-learn; it gets the features as the user gave them."""

    name = "given"

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, Z: Array, X: Any, y: Array, weight: Array) -> GivenLearner:
        """Fit a clone of the estimator."""
        from sklearn.base import clone
        from sklearn.utils.validation import has_fit_parameter

        self.model: Any = clone(self.estimator)
        if np.all(weight == 1):
            self.model.fit(X, y.astype(int))
        elif has_fit_parameter(self.model, "sample_weight"):
            self.model.fit(X, y.astype(int), sample_weight=weight)
        else:
            raise ArgumentError(f"{type(self.estimator).__name__} takes no sample_weight")
        return self

    def score(self, Z: Array, X: Any) -> Array:
        """Return log-odds of predict_proba, or the decision function."""
        if hasattr(self.model, "predict_proba"):
            return log_odds(np.asarray(self.model.predict_proba(X), dtype=float)[:, 1])
        return np.asarray(self.model.decision_function(X), dtype=float)

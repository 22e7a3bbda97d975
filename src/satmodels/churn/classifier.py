"""ChurnClassifier: calibrated risks, a threshold from money, and a watch list with reasons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from satmodels.arguments import check_arguments
from satmodels.churn.calibration import Calibration, fit_calibration
from satmodels.churn.encoding import Encoding, is_frame, notes_on, read_features
from satmodels.churn.inner_validation import held_out, inner_folds, mean_loss
from satmodels.churn.leakage import warn_of_leaks
from satmodels.churn.learners import (
    FEWEST_CHURNED_FOR_BOOSTING,
    FEWEST_FOR_BOOSTING,
    BlendLearner,
    BoostingLearner,
    GivenLearner,
    SplineLearner,
)
from satmodels.churn.profit import ChurnCosts, check_amounts, check_costs, check_rates
from satmodels.churn.reasons import reasons
from satmodels.churn.shapley_values import permutation_shapley
from satmodels.churn.split import times_of
from satmodels.churn.watch_list import choose, expected_cost, first_lever
from satmodels.churn.window import ChurnWindow, check_window
from satmodels.errors import ArgumentError, DataError, SchemaError, as_seed, one_of, unknown
from satmodels.intake.events import build_frame, read_codes
from satmodels.intake.frames import open_frame
from satmodels.intake.library import FrameLibrary
from satmodels.intake.mixed import column_values, select_native
from satmodels.results import plain

Array = NDArray[np.float64]

ESTIMATORS = ("auto", "spline_logistic", "boosting", "blend")
CALIBRATIONS = ("auto", "sigmoid", "isotonic", None)
BACKGROUND = 200  # training rows kept as references of the permutation Shapley values


class ChurnClassifier(ClassifierMixin, BaseEstimator):
    """Predicts who will leave: calibrated, explained, and with a threshold that pays.

    Parameters
    ----------
    estimator : {"auto", "spline_logistic", "boosting", "blend"} or classifier, default "auto"
        ``"auto"`` compares a logistic model with spline curves, histogram gradient boosting, and the blend of
        both (mean of their log-odds) by log loss on held-out rows and takes the best (the latter two only from
        500 rows and 50 leavers on). A classifier of scikit-learn is used as it is and gets the feature columns
        as they come.
    calibration : {"auto", "sigmoid", "isotonic", None}, default "auto"
        How scores become probabilities, fitted on the held-out rows of the inner validation: by a sigmoid
        (Platt 1999), or by a centred isotonic regression that is pulled to the sigmoid where rows are few.
        ``"auto"`` takes the latter from 2,000 held-out rows with 500 leavers on; below that, the sigmoid where
        it gains significantly (likelihood ratio, 5 %). None skips it, and with a named
        estimator skips the inner validation too; the watch list then has no intervals.
    costs : ChurnCosts, optional
        Sets the threshold of ``predict`` and the money of the watch list, per customer where it names columns of
        X. Without it the threshold is 0.5.
    window : ChurnWindow, optional
        Window of the panel. With it and a column ``cutoff``, the inner validation runs forward in time and is
        purged (:class:`CutoffSplit`). Without it, it is a 5-fold one, by customers where there is a column
        ``customer``.
    monotone : mapping, optional
        ``{column: 1}`` where more can only raise the risk, ``-1`` where it can only lower it. Needs boosting,
        which is then taken.
    descriptions : mapping, optional
        ``{column: words}`` for reasons, where the column's name does not say it.
    customer, cutoff, label : str
        Columns of a panel that are no features: they are left out wherever they occur. Without ``y``, ``fit``
        takes it from the column ``label``.
    random_state : int, optional
        Seed of folds and boosting.

    Attributes
    ----------
    classes_ : ndarray, shape (2,)
    chosen_ : str
        The estimator that was taken.
    validation_ : dict of str to float
        Log loss on held-out rows of each candidate.
    calibration_ : Calibration
    threshold_ : float or None
        Risk above which ``predict`` says that a customer leaves; None where it differs per customer.
    n_rows_, churn_rate_, cutoffs_
        Rows fitted on, the share of them that left, first and last cutoff as ISO text.
    notes_ : tuple of str
        Columns that are constant, or missing in every row, and so have no effect.
    feature_names_in_, n_features_in_

    Notes
    -----
    ``class_weight`` is not offered: balancing the classes buys no ranking and ruins the probabilities. A
    column that by itself predicts nearly perfectly raises a LeakageWarning: it most likely knows the outcome.

    Examples
    --------
    >>> import satmodels as sat
    >>> study = sat.datasets.simulate_service(n=400, seed=3)
    >>> window = sat.ChurnWindow(observation=90, gap=14, horizon=60)
    >>> panel = sat.churn_panel(
    ...     study.events,
    ...     study.customers,
    ...     kind="kind",
    ...     end="end",
    ...     window=window,
    ...     cutoffs=["2025-05-01", "2025-07-15", "2025-10-01"],
    ... )
    >>> model = sat.ChurnClassifier(window=window, costs=sat.ChurnCosts()).fit(panel)
    >>> model.chosen_
    'spline_logistic'
    >>> today = panel[panel["cutoff"] == panel["cutoff"].max()]
    >>> list(model.warn(today, top=3).columns[:4])
    ['customer', 'risk', 'expected_loss', 'reasons']
    """

    # of scikit-learn's check_estimator: check -> reason; none fails
    expected_failed_checks: ClassVar[dict[str, str]] = {}

    def __init__(
        self,
        estimator: Any = "auto",
        *,
        calibration: str | None = "auto",
        costs: ChurnCosts | None = None,
        window: ChurnWindow | None = None,
        monotone: Mapping[str, int] | None = None,
        descriptions: Mapping[str, str] | None = None,
        customer: str = "customer",
        cutoff: str = "cutoff",
        label: str = "churned",
        random_state: int | None = 0,
    ) -> None:
        self.estimator = estimator
        self.calibration = calibration
        self.costs = costs
        self.window = window
        self.monotone = monotone
        self.descriptions = descriptions
        self.customer = customer
        self.cutoff = cutoff
        self.label = label
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : dataframe or array of shape (n, features)
            A panel, or numbers. Missing values and columns of words are taken as they are.
        y : array-like of shape (n,), optional
            The outcome, two classes; the second in sorted order is leaving. Default the column ``label``.
        sample_weight : array-like of shape (n,), optional
            How many customers a row stands for.

        Raises
        ------
        ArgumentError
            A parameter is unknown.
        SchemaError
            A column holds neither numbers nor words.
        ValueError
            The outcome has one class, or more than two.
        """
        self._check_parameters()
        columns, features, y = self._read(X, y)
        y = column_or_1d(y, warn=True)
        codes = self._classes(y)
        n = len(codes)
        weight = np.ones(n) if sample_weight is None else self._weights(sample_weight, n)
        if not 0 < weight @ codes < weight.sum():
            raise ValueError(
                "the rows that have a weight are of one class only: there is nothing to learn from"
            )
        self.encoding_ = Encoding.learn(columns)
        Z = self.encoding_.matrix(columns)
        if len(Z) != n:
            raise ValueError(f"X has {len(Z)} rows and y has {n}: inconsistent numbers of samples")
        self.notes_ = notes_on(Z, self.encoding_.names)
        warn_of_leaks(Z, codes, self.encoding_, stacklevel=3)
        candidates = self._candidates(n, codes)
        scores, self.validation_ = {}, {}
        if len(candidates) > 1 or self.calibration is not None:
            folds = inner_folds(
                X,
                codes,
                weight,
                window=self.window,
                cutoff=self.cutoff,
                customer=self.customer,
                seed=self.random_state,
            )
            for name in candidates if folds else []:
                if name == "blend" and len(candidates) > 1:
                    scores[name] = (scores["spline_logistic"] + scores["boosting"]) / 2
                else:
                    learner = partial(self._learner, name)
                    scores[name] = held_out(learner, folds, Z, features, codes, weight)
                self.validation_[name] = mean_loss(scores[name], codes, weight)
        self.chosen_: str = min(candidates, key=self._held_out_loss)
        self.learner_ = self._learner(self.chosen_).fit(Z, features, codes, weight)
        self.calibration_ = Calibration()
        if self.chosen_ in scores and self.calibration is not None:
            seen = ~np.isnan(scores[self.chosen_])
            self.calibration_ = fit_calibration(
                scores[self.chosen_][seen],
                codes[seen],
                weight[seen],
                self.calibration,
                self._customers(X, seen),
            )
        self.n_rows_, self.churn_rate_ = n, float(np.average(codes, weights=weight))
        self.cutoffs_ = self._first_and_last_cutoff(X)
        rng = np.random.default_rng(as_seed(self.random_state))
        self.background_ = Z[rng.permutation(n)[:BACKGROUND]]
        self.threshold_ = self._threshold()
        return self

    def predict_proba(self, X: Any) -> Array:
        """Return the probabilities of staying and of leaving, shape (n, 2)."""
        check_is_fitted(self)
        columns, features, _ = self._read(X, None, fitting=False)
        Z = self.encoding_.matrix(columns)
        p = self.calibration_.probability(self.learner_.score(Z, features))
        return np.column_stack([1 - p, p])

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class: leaving where the risk exceeds the threshold that pays (0.5 without costs)."""
        p = self.predict_proba(X)[:, 1]
        threshold: Any = self.threshold_
        if threshold is None and self.costs is not None:
            threshold = self.costs.threshold(*self._money(X, self.costs, len(p)))
        return self.classes_[np.greater(p, cast("Array", threshold)).astype(int)]

    def explain(self, X: Any) -> Any:
        """Return what each feature adds to each customer's log-odds.

        Parameters
        ----------
        X : dataframe or array
            Rows to explain.

        Returns
        -------
        dataframe
            ``customer`` and ``cutoff`` where X has them, ``base``, and one column per feature. Base plus
            features is the log-odds of the risk.
            For the spline logistic model the contributions are its terms, for boosting exact path-dependent
            Shapley values, for the blend the mean of both, for a given classifier permutation Shapley values against training customers.
        """
        check_is_fitted(self)
        columns, features, _ = self._read(X, None, fitting=False)
        found, base = self._contributions(self.encoding_.matrix(columns), features)
        n = len(found)
        out: dict[str, NDArray[Any]] = self._ids(X)
        out["base"] = np.full(n, base)
        for j, name in enumerate(self.encoding_.names):
            out[name] = found[:, j]
        return build_frame(self._library(X), out)

    def importance(self, X: Any) -> Any:
        """Return how much each feature moves the risks of these customers.

        Returns
        -------
        dataframe
            ``feature``; ``importance``, the mean absolute contribution to the log-odds; ``share`` of their
            sum; the largest first.
        """
        check_is_fitted(self)
        columns, features, _ = self._read(X, None, fitting=False)
        found, _ = self._contributions(self.encoding_.matrix(columns), features)
        size = np.abs(found).mean(axis=0)
        order = np.argsort(-size, kind="stable")
        out: dict[str, NDArray[Any]] = {
            "feature": np.array(self.encoding_.names, dtype=object)[order],
            "importance": size[order],
            "share": (size / max(float(size.sum()), 1e-300))[order],
        }
        return build_frame(self._library(X), out)

    def warn(
        self,
        X: Any,
        top: int | None = None,
        *,
        budget: float | None = None,
        levers: Mapping[str, str] | None = None,
    ) -> Any:
        """Return the watch list: whom to care about first, why, and what could be done.

        Parameters
        ----------
        X : dataframe
            Rows of a panel, one per customer: those of the latest cutoff (``label=False``).
        top : int, optional
            At most this many customers. Default everyone whom contacting pays, or all without costs.
        budget : float, optional
            Money for contacts and offers: those customers are listed who bring most for it.
        levers : mapping, optional
            ``{part of a feature's name: what to do}``, before the usual ones.

        Returns
        -------
        dataframe
            By expected profit (without costs: by risk), the largest first: ``customer``; ``risk``;
            ``expected_loss``, risk times value (missing without costs); ``reasons``, the features that
            raised the odds most, in words; ``risk_low`` and ``risk_high``, the 95 % interval of the risk as
            the calibration on held-out customers leaves it open (the least that is uncertain: that of the model's
            own curves is not in it); ``expected_cost`` and ``expected_profit``
            of contacting; ``lever``, what could be done about the first reason that something can be done
            about; with a window ``days_left``, the days until leaving would count (the gap); ``cutoff``
            where X has it.

        Raises
        ------
        SchemaError
            A customer is there twice (a panel of several cutoffs), or has no value where the costs need one.
        """
        check_is_fitted(self)
        self._refuse_twice(X)
        columns, features, _ = self._read(X, None, fitting=False)
        Z = self.encoding_.matrix(columns)
        score = self.learner_.score(Z, features)
        risk = self.calibration_.probability(score)
        n = len(risk)
        loss, profit, cost = np.full(n, np.nan), None, None
        if self.costs is not None:
            worth, accept = self._money(X, self.costs, n)
            loss, profit = risk * worth, self.costs.profit(risk, worth, accept)
            cost = expected_cost(self.costs, risk, accept)
        order = choose(risk, profit, cost, top, budget)
        low, high = self.calibration_.interval(score[order])
        ids = self._ids(X)
        listed = {name: values[order] for name, values in columns.items()}
        found, _ = self._contributions(Z[order], features)
        names = self.encoding_.names
        unknown_money = np.full(len(order), np.nan)
        out: dict[str, NDArray[Any]] = {
            "customer": ids.get(self.customer, np.arange(n))[order],
            "risk": risk[order],
            "expected_loss": loss[order],
            "reasons": _texts(reasons(found, listed, names, dict(self.descriptions or {}))),
            "risk_low": low,
            "risk_high": high,
            "expected_cost": unknown_money if cost is None else cost[order],
            "expected_profit": unknown_money if profit is None else profit[order],
            "lever": _texts([first_lever(row, names, levers or {}) for row in found]),
        }
        if self.window is not None:
            out["days_left"] = np.full(len(order), self.window.gap / timedelta(days=1))
        if self.cutoff in ids:
            out["cutoff"] = ids[self.cutoff][order]
        return build_frame(self._library(X), out)

    def _check_parameters(self) -> None:
        check_arguments(type(self).__init__, self.get_params(deep=False))
        as_seed(self.random_state)
        if isinstance(self.estimator, str):
            if self.estimator not in ESTIMATORS:
                raise one_of("estimator", self.estimator, ESTIMATORS)
        elif not hasattr(self.estimator, "fit"):
            raise ArgumentError(f"estimator={self.estimator!r}: one of {ESTIMATORS}, or a classifier")
        if self.costs is not None:
            check_costs(self.costs)
        if self.window is not None:
            check_window(self.window)
        if self.calibration not in CALIBRATIONS:
            raise one_of("calibration", self.calibration, CALIBRATIONS)
        if self.monotone and self.estimator not in ("auto", "boosting"):
            raise ArgumentError('monotone= needs estimator="boosting" (or "auto", which then takes it)')

    def _read(self, X: Any, y: Any, *, fitting: bool = True) -> tuple[dict[str, NDArray[Any]], Any, Any]:
        """Return the columns of features, the features as they came, and the outcome."""
        if not is_frame(X):
            if any(not isinstance(name, int | np.integer) for name in getattr(X, "columns", ())):
                raise ArgumentError("names of columns are texts: rename the others")
            read: Any = (
                validate_data(self, X, y, dtype="numeric", ensure_all_finite="allow-nan")
                if fitting
                else (
                    validate_data(self, X, dtype="numeric", ensure_all_finite="allow-nan", reset=False),
                    None,
                )
            )
            matrix = np.asarray(read[0], dtype=float)
            return {f"x{j}": matrix[:, j] for j in range(matrix.shape[1])}, matrix, read[1]
        frame = open_frame(X)
        if fitting and y is None:
            if self.label not in frame.columns:
                raise ArgumentError(
                    f"{type(self).__name__} requires y to be passed, but the target y is None, and X has no column "
                    f"{self.label!r} to take it from"
                )
            y = column_values(frame, self.label)
        names = [c for c in frame.columns if c not in (self.customer, self.cutoff, self.label)]
        if not names:
            raise ArgumentError(f"X has no features besides {list(frame.columns)}")
        if not fitting:
            known: list[str] = list(getattr(self, "feature_names_in_", []))
            lacking = [c for c in known if c not in names]
            if lacking and len(lacking) < len(known):
                raise unknown("feature", lacking[0], names)
        validate_data(self, _names_only(names, frame.n_rows()), skip_check_array=True, reset=fitting)
        return read_features(X, names), _without(X, names, frame.columns), y

    def _classes(self, y: Any) -> Array:
        if not len(y):
            raise DataError("there are no rows")
        try:
            check_classification_targets(y)
            kind = type_of_target(y, input_name="y", raise_unknown=True)
        except (ValueError, TypeError) as error:
            raise ArgumentError(f"the outcome can't be used: {error}") from error
        if kind != "binary":
            raise ArgumentError(f"Only binary classification is supported. The type of the target is {kind}.")
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise DataError(
                f"the outcome has one class only ({self.classes_[0]}): nobody left, or everybody did, so there "
                "is nothing to learn from"
            )
        return codes.astype(float)

    def _weights(self, sample_weight: Any, n: int) -> Array:
        weight = np.asarray(_check_sample_weight(sample_weight, np.empty((n, 1)), dtype=np.float64))
        if (weight < 0).any():
            raise ArgumentError("sample_weight has negative weights: a weight says how many a row stands for")
        return weight

    def _candidates(self, n: int, y: Array) -> list[str]:
        if not isinstance(self.estimator, str):
            return ["given"]
        if self.estimator != "auto":
            return [self.estimator]
        if self.monotone:
            return ["boosting"]
        enough = n >= FEWEST_FOR_BOOSTING and min(y.sum(), n - y.sum()) >= FEWEST_CHURNED_FOR_BOOSTING
        return ["spline_logistic", "boosting", "blend"] if enough else ["spline_logistic"]

    def _learner(self, name: str) -> Any:
        if name == "given":
            return GivenLearner(self.estimator)
        if name == "spline_logistic":
            return SplineLearner(self.encoding_.categorical)
        directions = np.zeros(len(self.encoding_.names), dtype=np.int64)
        for column, direction in (self.monotone or {}).items():
            if column not in self.encoding_.names:
                raise unknown("feature in monotone=", column, self.encoding_.names)
            if direction not in (-1, 0, 1):
                raise ArgumentError(f"monotone[{column!r}]={direction!r}: 1, -1 or 0")
            if column in self.encoding_.categories:
                raise ArgumentError(f"monotone[{column!r}]: the column holds words, which have no order")
            directions[self.encoding_.names.index(column)] = direction
        boosting = BoostingLearner(self.encoding_.categorical, directions, self.random_state)
        return (
            BlendLearner(SplineLearner(self.encoding_.categorical), boosting) if name == "blend" else boosting
        )

    def _customers(self, X: Any, rows: NDArray[np.bool_]) -> NDArray[np.int64] | None:
        if not is_frame(X) or self.customer not in open_frame(X).columns:
            return None
        return np.unique(read_codes(open_frame(X), self.customer)[rows], return_inverse=True)[1]

    def _held_out_loss(self, name: str) -> float:
        return self.validation_.get(name, 0.0)

    def _contributions(self, Z: Array, features: Any) -> tuple[Array, float]:
        """Return contributions to the calibrated log-odds and their base."""
        learner = self.learner_
        if not isinstance(learner, GivenLearner):
            exact = learner.contributions(Z)
            found, base = exact if exact is not None else self._permuted(Z, lambda A: learner.score(A, None))
        elif isinstance(features, np.ndarray):
            found, base = self._permuted(Z, lambda A: learner.score(A, A))
        else:
            found, base = self._permuted(Z, lambda A: learner.score(A, self.encoding_.frame(A, features)))
        return self.calibration_.contributions(found, base)

    def _permuted(self, Z: Array, score: Callable[[Array], Array]) -> tuple[Array, float]:
        return permutation_shapley(score, Z, self.background_, self.random_state)

    def _threshold(self) -> float | None:
        if self.costs is None:
            return 0.5
        return None if self.costs.per_customer else float(self.costs.threshold())

    def _refuse_twice(self, X: Any) -> None:
        """Refuse a customer with several rows: the list would count the same loss, and spend, more than once."""
        if not is_frame(X) or self.customer not in open_frame(X).columns:
            return
        codes = read_codes(open_frame(X), self.customer)
        rows = np.flatnonzero(np.bincount(codes)[codes] > 1)
        if len(rows):
            values = column_values(open_frame(X), self.customer)
            raise SchemaError.answers(
                self.customer,
                "one row per customer",
                f"Give the rows of one cutoff, for example the latest: X[X[{self.cutoff!r}] == X[{self.cutoff!r}].max()].",
                n_bad=len(rows),
                offenders=[(int(i), plain(values[i])) for i in rows[:5]],
            )

    def _money(self, X: Any, costs: ChurnCosts, n: int) -> tuple[Array, Array]:
        """Return value and acceptance rate of each customer."""
        if costs.per_customer and not is_frame(X):
            raise ArgumentError(
                f"costs name the columns {list(costs.per_customer)}, but X is an array without names"
            )
        value, rate = costs.value, costs.acceptance_rate
        worth = self._amounts(X, value) if isinstance(value, str) else np.full(n, costs.one_value())
        accept = self._amounts(X, rate) if isinstance(rate, str) else np.full(n, costs.acceptance)
        if isinstance(value, str):
            check_amounts(worth, value)
        if isinstance(rate, str):
            check_rates(accept, rate)
        return worth, accept

    def _amounts(self, X: Any, column: str) -> Array:
        open_frame(X).require([column], role="column of costs=")
        values = read_features(X, [column])[column]
        if values.dtype == object:
            raise SchemaError(
                f"column {column!r} of costs= holds words, not numbers", column=column, rule="numeric"
            )
        return np.asarray(values, dtype=float)

    def _ids(self, X: Any) -> dict[str, NDArray[Any]]:
        if not is_frame(X):
            return {}
        frame = open_frame(X)
        return {
            name: column_values(frame, name) for name in (self.customer, self.cutoff) if name in frame.columns
        }

    def _first_and_last_cutoff(self, X: Any) -> tuple[str, str] | None:
        if not is_frame(X) or self.cutoff not in open_frame(X).columns:
            return None
        times = times_of(X, self.cutoff)
        first, last = (
            str(np.datetime64(int(t), "us").astype("datetime64[D]")) for t in (times.min(), times.max())
        )
        return first, last

    def _library(self, X: Any) -> FrameLibrary:
        return open_frame(X).library if is_frame(X) else FrameLibrary.PANDAS


def _texts(texts: Sequence[str | None]) -> NDArray[Any]:
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array


def _names_only(names: list[str], n: int) -> Any:
    """Return an object that shows scikit-learn the feature names of a frame of any library."""
    import pandas as pd

    return pd.DataFrame(index=range(n), columns=names)


def _without(X: Any, names: list[str], all_names: tuple[str, ...]) -> Any:
    """Return the feature columns alone, as an eager frame of the user's library, for a given estimator."""
    eager = open_frame(X).eager
    return X if eager and len(names) == len(all_names) else select_native(open_frame(X), names)

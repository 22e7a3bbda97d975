"""The inner validation of a classifier: rows held out to choose a model and to calibrate it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.churn.encoding import is_frame
from satmodels.churn.split import CutoffSplit
from satmodels.churn.window import ChurnWindow
from satmodels.errors import ArgumentError
from satmodels.intake.events import read_codes
from satmodels.intake.frames import open_frame

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

FOLDS = 5
FORWARD_SPLITS = 3
# rows of a fold at most: enough to tell models apart; the model chosen is fitted on all rows
MOST_ROWS = 100_000


def inner_folds(
    X: Any,
    y: Array,
    weight: Array,
    *,
    window: ChurnWindow | None,
    cutoff: str,
    customer: str,
    seed: int | None,
) -> list[tuple[Rows, Rows]]:
    """Return rows to train on and to hold out: forward in time where possible, else by customers, else by rows.

    Folds whose training rows are of one class are left out; none is left where a class has one row.
    """
    names = open_frame(X).columns if is_frame(X) else ()
    folds: list[tuple[Rows, Rows]] = []
    if window is not None and cutoff in names:
        folds = _forward(X, window, cutoff)
    if not folds:
        folds = _shuffled(y, weight, read_codes(open_frame(X), customer) if customer in names else None, seed)
    rng = np.random.default_rng(seed)
    folds = [(_at_most(a, rng), _at_most(b, rng)) for a, b in folds]
    return [(a, b) for a, b in folds if 0 < weight[a] @ y[a] < weight[a].sum() and weight[b].sum() > 0]


def held_out(
    learner: Callable[[], Any],
    folds: list[tuple[Rows, Rows]],
    Z: Array,
    features: Any,
    y: Array,
    weight: Array,
) -> Array:
    """Return the log-odds of each row by a model that has not seen it; NaN for rows that were not held out."""
    score = np.full(len(y), np.nan)
    for train, test in folds:
        fitted = learner().fit(Z[train], take(features, train), y[train], weight[train])
        score[test] = fitted.score(Z[test], take(features, test))
    return score


def mean_loss(score: Array, y: Array, weight: Array) -> float:
    """Return the log loss of the held-out rows."""
    seen = ~np.isnan(score)
    eta, target = score[seen], y[seen]
    return float(np.average(np.logaddexp(0, eta) - target * eta, weights=weight[seen]))


def take(features: Any, rows: Rows) -> Any:
    """Return some rows of an array or of an eager frame of any library."""
    if hasattr(features, "iloc"):
        return features.iloc[rows]
    if isinstance(features, np.ndarray) or not hasattr(features, "take"):
        return features[rows]  # polars too
    return features.take(rows)


def _forward(X: Any, window: ChurnWindow, cutoff: str) -> list[tuple[Rows, Rows]]:
    for n_splits in range(FORWARD_SPLITS, 0, -1):
        try:
            return list(CutoffSplit(n_splits, window, cutoff=cutoff).split(X))
        except ArgumentError:  # too few cutoffs for so many splits
            continue
    return []


def _shuffled(
    y: Array, weight: Array, customers: NDArray[np.int64] | None, seed: int | None
) -> list[tuple[Rows, Rows]]:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    used = weight > 0
    k = min(FOLDS, int(min(np.count_nonzero(y[used]), np.count_nonzero(1 - y[used]))))
    if k < 2:
        return []
    if customers is None:
        return list(StratifiedKFold(k, shuffle=True, random_state=seed).split(np.zeros(len(y)), y))
    if len(np.unique(customers)) < k:
        return []
    splitter = StratifiedGroupKFold(k, shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros(len(y)), y, customers))


def _at_most(rows: Rows, rng: np.random.Generator) -> Rows:
    return rows if len(rows) <= MOST_ROWS else np.sort(rng.choice(rows, MOST_ROWS, replace=False))

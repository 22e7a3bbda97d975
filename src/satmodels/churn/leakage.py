"""Columns that know the outcome: a feature that alone tells who leaves was not known at the cutoff."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from satmodels.churn.encoding import Encoding
from satmodels.errors import LeakageWarning

Array = NDArray[np.float64]

TOO_GOOD = 0.99  # area under the curve of a single column: no honest feature tells this much
FEWEST_TO_JUDGE = 100  # rows below which a single column separates by chance
FEWEST_OF_A_CLASS = 10
MOST_ROWS = 50_000  # looked at; a leak shows in any of them


def warn_of_leaks(Z: Array, y: Array, encoding: Encoding, *, stacklevel: int) -> None:
    """Warn of each column that by itself tells the classes apart."""
    if len(y) < FEWEST_TO_JUDGE:
        return
    rows = np.random.default_rng(0).permutation(len(y))[:MOST_ROWS]
    for j, name in enumerate(encoding.names):
        found = separation(Z[rows, j], y[rows], bool(encoding.categorical[j]))
        if found > TOO_GOOD:
            warnings.warn(
                f"column {name!r} alone tells who leaves (area under the curve {found:.3f}): it most likely "
                "knows the outcome. Leave it out, or make sure that it was known at the cutoff.",
                LeakageWarning,
                stacklevel=stacklevel + 1,
            )


def separation(x: Array, y: Array, categorical: bool) -> float:
    """Return how well one column alone tells the classes apart: area under the curve, at least 0.5."""
    from scipy.stats import rankdata

    positive = y.sum()
    negative = len(y) - positive
    if min(positive, negative) < FEWEST_OF_A_CLASS:
        return 0.5
    values = np.where(np.isnan(x), -1.0, x) if categorical else x
    if categorical:
        codes = values.astype(int) + 1
        share = np.bincount(codes, weights=y) / np.maximum(np.bincount(codes), 1)
        if len(share) > len(y) / 20:
            return 0.5  # nearly an id: its categories say nothing in the rows they come from
        values = share[codes]
    gaps = np.isnan(values)
    views = [gaps.astype(float)] if gaps.any() else []
    if not gaps.all():
        views.append(np.where(gaps, np.nanmin(values) - 1, values))
    best = 0.5
    for column in views:
        area = (rankdata(column)[y > 0].sum() - positive * (positive + 1) / 2) / (positive * negative)
        best = max(best, area, 1 - area)
    return float(best)

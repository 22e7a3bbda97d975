"""Moments of rows with gaps: from the answers that are there, none left out.

Two policies. Pairwise: each correlation uses the rows that have both answers. Maximum likelihood: the EM
moments of normal answers, right also when answers are missing at random, given the others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import DataError
from satmodels.statistics.em import em_moments
from satmodels.statistics.moments import Moments

Array = NDArray[np.float64]


def pairwise_moments(rows: Array, weights: Array | None, columns: Sequence[str]) -> Moments:
    """Return moments whose correlations each use the rows in which both answers are there.

    Means and variances use all answers of a column. ``n`` counts the rows with any answer.

    Raises
    ------
    DataError
        A column has no answers or no variance, or two columns are never answered together.
    """
    gaps = np.isnan(rows)
    w = np.ones(len(rows)) if weights is None else weights
    present = ~gaps * w[:, None]
    if empty := [c for c, t in zip(columns, present.sum(axis=0), strict=True) if t <= 0]:
        raise DataError(f"every answer is missing in {empty}. Leave these columns out.", columns=empty)
    mean = (np.where(gaps, 0.0, rows) * present).sum(axis=0) / present.sum(axis=0)
    x = np.where(gaps, 0.0, rows - mean)
    there = (~gaps).astype(float)
    n = there.T @ present  # sum of weights of the rows with both
    if (n <= 0).any():
        i, j = np.argwhere(n <= 0)[0]
        first, second = columns[int(i)], columns[int(j)]
        raise DataError(
            f"{first!r} and {second!r} are never answered together: they have no correlation",
            columns=(first, second),
        )
    mean_i = (x * w[:, None]).T @ there / n  # mean of i where j is answered
    cross = (x * w[:, None]).T @ x / n - mean_i * mean_i.T
    square = (x * x * w[:, None]).T @ there / n - mean_i**2
    with np.errstate(divide="ignore", invalid="ignore"):
        corr = cross / np.sqrt(square * square.T)
    std = np.sqrt((x * x * present).sum(axis=0) / present.sum(axis=0))
    constant = [c for c, s in zip(columns, std, strict=True) if s <= 1e-12 * (1 + abs(s))]
    if constant or not np.isfinite(corr).all():
        bad = constant or [columns[int(np.argwhere(~np.isfinite(corr))[0][0])]]
        raise DataError(
            f"every answer is the same in {bad}, or where a second column is answered", columns=bad
        )
    np.fill_diagonal(corr, 1.0)
    return _moments(columns, rows, weights, mean, corr * np.outer(std, std))


def likelihood_moments(rows: Array, weights: Array | None, columns: Sequence[str]) -> Moments:
    """Return the maximum likelihood moments of normal answers with gaps (missing at random), by EM.

    ``n`` counts the rows with any answer. Errors are those of :func:`satmodels.statistics.em.em_moments`.
    """
    found = em_moments(rows, columns, weights)
    return _moments(columns, rows, weights, found.mean, found.cov)


def _moments(columns: Sequence[str], rows: Array, weights: Array | None, mean: Array, cov: Array) -> Moments:
    answered = ~np.isnan(rows).all(axis=1)
    n = int(answered.sum())
    w = np.ones(n) if weights is None else weights[answered]
    return Moments(
        columns=tuple(columns),
        n=n,
        mean=mean,
        scatter=(cov + cov.T) / 2 * w.sum(),
        sum_w=float(w.sum()),
        sum_w2=float(w @ w),
        n_dropped=len(rows) - n,
        weighted=weights is not None,
    )

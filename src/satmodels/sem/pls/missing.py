"""Missing answers: what each policy makes of rows with gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ConvergenceError, DataError, SchemaError
from satmodels.statistics.moments import Moments

Array = NDArray[np.float64]
Missing = Literal["mean", "drop", "pairwise", "em", "error"]
# these give complete rows, so that rows can be resampled; the others give moments only
ROW_POLICIES: tuple[Missing, ...] = ("mean", "drop", "error")
MISSING: tuple[Missing, ...] = ("mean", "drop", "pairwise", "em", "error")
EM_TOLERANCE = 1e-8  # largest change of a standardised moment in the last round
EM_ROUNDS = 5000


def refuse_gaps(gaps: NDArray[np.bool_], columns: Sequence[str]) -> None:
    """Raise SchemaError for the first column with a gap."""
    j = int(gaps.any(axis=0).argmax())
    at = np.flatnonzero(gaps[:, j])
    raise SchemaError.answers(
        columns[j],
        "no answer is missing",
        'Choose another policy, for example missing="mean", or fill the gaps first.',
        n_bad=len(at),
        offenders=[(int(i), None) for i in at[:5]],
    )


def mean_replaced(rows: Array, weights: Array | None, columns: Sequence[str]) -> Array:
    """Return the rows with each gap replaced by the (weighted) mean of its column."""
    gaps = np.isnan(rows)
    present = (~gaps).astype(float) if weights is None else ~gaps * weights[:, None]
    total = present.sum(axis=0)
    _refuse_empty(total, columns)
    means = (np.where(gaps, 0.0, rows) * present).sum(axis=0) / total
    return np.where(gaps, means, rows)


def pairwise_moments(rows: Array, weights: Array | None, columns: Sequence[str]) -> Moments:
    """Return moments whose correlations each use the rows in which both answers are there.

    Means and variances use all answers of a column. ``n`` counts the rows with any answer.

    Raises
    ------
    DataError
        Two columns are never answered together.
    """
    gaps = np.isnan(rows)
    w = np.ones(len(rows)) if weights is None else weights
    present = ~gaps * w[:, None]
    _refuse_empty(present.sum(axis=0), columns)
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


def em_moments(rows: Array, weights: Array | None, columns: Sequence[str]) -> Moments:
    """Return the maximum likelihood moments of normal answers with gaps (missing at random).

    References
    ----------
    Dempster, Laird and Rubin (1977), Journal of the Royal Statistical Society B 39(1); Little and Rubin
    (2002), Statistical Analysis with Missing Data, section 11.2.

    Raises
    ------
    ConvergenceError
        The moments still move after 5000 rounds: too many answers are missing.
    """
    keep = ~np.isnan(rows).all(axis=1)
    x, w = rows[keep], np.ones(int(keep.sum())) if weights is None else weights[keep]
    gaps = np.isnan(x)
    _refuse_empty((~gaps * w[:, None]).sum(axis=0), columns)
    centre = np.nanmean(x, axis=0)
    scale = np.nanstd(x, axis=0)
    if constant := [c for c, s in zip(columns, scale, strict=True) if not s > 0]:
        raise DataError(f"every answer is the same in {constant}. Leave it out.", columns=constant)
    z = (x - centre) / scale
    patterns, of_row = np.unique(gaps, axis=0, return_inverse=True)
    members = [np.flatnonzero(of_row.ravel() == i) for i in range(len(patterns))]
    p = x.shape[1]
    mean, cov = np.zeros(p), np.eye(p)
    total = w.sum()
    for _ in range(EM_ROUNDS):
        filled = np.where(gaps, 0.0, z)
        extra = np.zeros((p, p))
        for pattern, at in zip(patterns, members, strict=True):
            out, into = np.flatnonzero(pattern), np.flatnonzero(~pattern)
            if not len(out):
                continue
            slopes = np.linalg.solve(cov[np.ix_(into, into)], cov[np.ix_(into, out)])
            filled[np.ix_(at, out)] = mean[out] + (z[np.ix_(at, into)] - mean[into]) @ slopes
            rest = cov[np.ix_(out, out)] - cov[np.ix_(out, into)] @ slopes
            extra[np.ix_(out, out)] += w[at].sum() * rest
        new_mean = w @ filled / total
        d = filled - new_mean
        new_cov = ((d * w[:, None]).T @ d + extra) / total
        change = max(np.abs(new_mean - mean).max(), np.abs(new_cov - cov).max())
        mean, cov = new_mean, new_cov
        if change < EM_TOLERANCE:
            return _moments(columns, rows, weights, centre + mean * scale, cov * np.outer(scale, scale))
    raise ConvergenceError(
        f"the moments still move after {EM_ROUNDS} rounds: too many answers are missing for missing='em'"
    )


def ordinal_moments(rows: Array, columns: Sequence[str]) -> Moments:
    """Return moments with polychoric correlations; means and variances are those of the codes.

    Rows with a gap are left out: a mean is no category.
    """
    from satmodels.sem.covariance.polychoric import polychoric

    found = polychoric(rows, tuple(columns))
    plain = Moments.of_block(columns, rows)
    scale = np.sqrt(np.diag(plain.scatter))
    return replace(plain, scatter=found.corr * np.outer(scale, scale))


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


def _refuse_empty(total: Array, columns: Sequence[str]) -> None:
    if (total <= 0).any():
        empty = [c for c, t in zip(columns, total, strict=True) if t <= 0]
        raise DataError(f"every answer is missing in {empty}. Leave these columns out.", columns=empty)

"""Mean and covariance of incomplete rows by expectation-maximisation under normality.

Dempster, Laird and Rubin (1977); Little and Rubin (2002), section 11.2. The divisor is n: these are the
maximum-likelihood estimates. Rows are handled by missing pattern, so the cost follows the patterns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ConvergenceError, DataError

Array = NDArray[np.float64]

TOLERANCE = 1e-10  # largest change of a standardised mean or covariance in one step
MAX_ITERATIONS = 5_000
NEARLY_SINGULAR = 1e8  # an entry of the inverse correlations: an item is all but explained by the others
MOST_ENTRIES = 2_000_000  # of the small matrices held at once, 16 MB


@dataclass(frozen=True, eq=False)
class IncompleteMoments:
    """Maximum-likelihood moments of incomplete rows.

    Attributes
    ----------
    columns : tuple of str
        The columns.
    mean : ndarray, shape (columns,)
        Means.
    cov : ndarray, shape (columns, columns)
        Covariances, divisor n.
    n : int
        Rows with at least one answer.
    iterations : int
        Steps that were needed.
    """

    columns: tuple[str, ...]
    mean: Array
    cov: Array
    n: int
    iterations: int


def patterns_of(x: Array) -> list[tuple[NDArray[np.bool_], NDArray[np.intp]]]:
    """Return each pattern of answered columns with the rows that have it; empty rows are left out."""
    answered = ~np.isnan(x)
    kinds, which = np.unique(answered, axis=0, return_inverse=True)
    which = which.ravel()
    return [(kind, np.flatnonzero(which == i)) for i, kind in enumerate(kinds) if kind.any()]


def em_moments(x: Array, columns: Sequence[str], weights: Array | None = None) -> IncompleteMoments:
    """Estimate mean and covariance from all answers that are there.

    Parameters
    ----------
    x : ndarray, shape (rows, columns)
        Answers, NaN where missing.
    columns : sequence of str
        Names, for messages.
    weights : ndarray, shape (rows,), optional
        Survey weights; a row of weight 2 counts as two rows.

    Raises
    ------
    DataError
        A column has no answers or no variance, or there are no more rows than columns.
    ConvergenceError
        The steps do not settle: too many answers are missing.
    """
    there = ~np.isnan(x).all(axis=1)
    if weights is not None:
        there &= weights > 0
    x, w = x[there], np.ones(int(there.sum())) if weights is None else weights[there]
    counts = (~np.isnan(x)).sum(axis=0)
    empty = [c for c, k in zip(columns, counts, strict=True) if k < 2]
    if empty:
        raise DataError(f"columns {empty} have fewer than two answers: leave them out", columns=empty)
    n, p = x.shape
    if n <= p:
        raise DataError(f"{n} rows with answers are too few for {p} columns")
    centre, scale = np.nanmean(x, axis=0), np.nanstd(x, axis=0)
    constant = [c for c, s in zip(columns, scale, strict=True) if s == 0]
    if constant:
        raise DataError(f"every answer is the same in {constant}: leave these columns out", columns=constant)
    z = (x - centre) / scale
    parts = gaps_of(z)
    mean, cov, sum_w = np.zeros(p), np.eye(p), w.sum()
    for step in range(1, MAX_ITERATIONS + 1):
        filled, rest = _expected_rows(z, w, parts, mean, cov)
        total = w @ filled
        products = (filled * w[:, None]).T @ filled + rest
        new_mean = total / sum_w
        new_cov = products / sum_w - np.outer(new_mean, new_mean)
        change = max(np.abs(new_mean - mean).max(), np.abs(new_cov - cov).max())
        mean, cov = new_mean, new_cov
        if change < TOLERANCE:
            back = centre + scale * mean
            return IncompleteMoments(tuple(columns), back, cov * np.outer(scale, scale), n, step)
    raise ConvergenceError(
        f"the moments of incomplete rows did not settle in {MAX_ITERATIONS} steps: too many answers of "
        "some pair of columns are missing together. Leave sparse columns out."
    )


@dataclass(frozen=True, eq=False)
class Gaps:
    """Some rows with gaps, their patterns with about as many gaps.

    Attributes
    ----------
    rows : ndarray of int, shape (rows,)
    pattern : ndarray of int, shape (rows,)
        The pattern of each row.
    columns : ndarray of int, shape (patterns, most gaps)
        The columns without answer, filled up with the number of columns.
    pairs : ndarray of bool, shape (patterns, most gaps, most gaps)
        Whether both are columns.
    """

    rows: NDArray[np.intp]
    pattern: NDArray[np.intp]
    columns: NDArray[np.intp]
    pairs: NDArray[np.bool_]


def gaps_of(x: Array) -> list[Gaps]:
    """Return the rows with gaps in parts that fit into memory, those with few gaps first."""
    p = x.shape[1]
    kinds, which = np.unique(np.isnan(x), axis=0, return_inverse=True)
    which, size = which.ravel(), kinds.sum(axis=1)
    rows = np.argsort(size[which] * len(kinds) + which, kind="stable")
    rows = rows[size[which[rows]] > 0]
    found: list[Gaps] = []
    while len(rows):
        # the last row of a part has the most gaps of it
        sizes = size[which[rows]]
        entries = np.arange(1, len(rows) + 1) * sizes**2
        stop = max(1, int(np.searchsorted(entries, MOST_ENTRIES)))
        part, rows = rows[:stop], rows[stop:]
        numbers, pattern = np.unique(which[part], return_inverse=True)
        columns = np.argsort(~kinds[numbers], axis=1, kind="stable")[:, : sizes[stop - 1]]
        real = np.arange(columns.shape[1]) < size[numbers][:, None]
        columns = np.where(real, columns, p)
        found.append(Gaps(part, pattern.ravel(), columns, real[:, :, None] & real[:, None, :]))
    return found


def _expected_rows(x: Array, w: Array, parts: list[Gaps], mean: Array, cov: Array) -> tuple[Array, Array]:
    """Return rows with expectations for what is missing, and the sum of the covariances that these leave out.

    With K the inverse of the covariances, the gaps G of a row have the conditional covariance K_GG^-1 and
    the expectation mean_G - K_GG^-1 (K d)_G, where d holds the deviations of the answers, and 0 at the gaps:
    one inverse for all patterns, and a small one for each.
    """
    p = len(mean)
    precision = np.zeros((p + 1, p + 1))
    precision[:p, :p] = _inverse(cov)
    if np.abs(precision).max() > NEARLY_SINGULAR:
        return _expected_by_pattern(x, w, mean, cov)
    filled = np.zeros((len(x), p + 1))  # what fills a pattern up lands in the last column
    filled[:, :p] = np.where(np.isnan(x), mean, x)
    scores = np.zeros_like(filled)
    scores[:, :p] = (filled[:, :p] - mean) @ precision[:p, :p]
    rest = np.zeros((p + 1, p + 1))
    for part in parts:
        at = part.columns
        square = precision[at[:, :, None], at[:, None, :]]
        left = np.linalg.inv(np.where(part.pairs, square, np.eye(at.shape[1]))) * part.pairs
        cells = part.rows[:, None], at[part.pattern]
        filled[cells] -= np.einsum("nij,nj->ni", left[part.pattern], scores[cells])
        weight = np.bincount(part.pattern, weights=w[part.rows], minlength=len(at))
        np.add.at(rest, (at[:, :, None], at[:, None, :]), left * weight[:, None, None])
    return filled[:, :p], rest[:p, :p]


def _inverse(cov: Array) -> Array:
    try:
        return np.asarray(np.linalg.inv(cov), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.full(cov.shape, np.inf)


def _expected_by_pattern(x: Array, w: Array, mean: Array, cov: Array) -> tuple[Array, Array]:
    """Return the same for covariances without inverse, by least squares in each pattern."""
    filled, rest = x.copy(), np.zeros(cov.shape)
    for seen, rows in patterns_of(x):
        filled[rows], left = _expected(x[rows], seen, mean, cov)
        rest += w[rows].sum() * left
    return filled, rest


def fill_in(x: Array, moments: IncompleteMoments) -> Array:
    """Replace each missing answer by its expectation, given the answers of the same row."""
    out = x.copy()
    for seen, rows in patterns_of(x):
        out[rows], _ = _expected(x[rows], seen, moments.mean, moments.cov)
    out[np.isnan(x).all(axis=1)] = moments.mean
    return out


def _expected(rows: Array, seen: NDArray[np.bool_], mean: Array, cov: Array) -> tuple[Array, Array]:
    """Return rows with expectations for what is missing, and the covariance that this leaves out."""
    p = len(mean)
    rest = np.zeros((p, p))
    if seen.all():
        return rows, rest
    gone = ~seen
    slope = np.linalg.lstsq(cov[np.ix_(seen, seen)], cov[np.ix_(seen, gone)], rcond=None)[0]
    filled = rows.copy()
    filled[:, gone] = mean[gone] + (rows[:, seen] - mean[seen]) @ slope
    rest[np.ix_(gone, gone)] = cov[np.ix_(gone, gone)] - cov[np.ix_(gone, seen)] @ slope
    return filled, rest

"""Importances from rows with gaps, and how far the gaps let them move.

One row's answers move the correlations as far as they say something about them. Pairwise: a row takes part
in the correlations of which it has both answers. EM: a row contributes the score of its observed answers,
and the sandwich of scores and observed information (Huber 1967; White 1982, Econometrica 50(1)) holds for
answers that are not normal, and for answers missing at random, as rating scales are.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, DataError
from satmodels.intake.batches import matrix
from satmodels.intake.cells import check_weight
from satmodels.intake.frames import Frame
from satmodels.statistics.em import patterns_of
from satmodels.statistics.incomplete import likelihood_moments, pairwise_moments
from satmodels.statistics.moments import PSD_TOLERANCE, Moments

Array = NDArray[np.float64]
Missing = Literal["drop", "em", "pairwise"]

MISSING: tuple[Missing, ...] = get_args(Missing)
MAX_COLUMNS = 31  # of limits by EM: the information of 31 columns has a million entries, per pattern


def incomplete_moments(
    frame: Frame, columns: tuple[str, ...], weight: str | None, missing: Missing
) -> tuple[Moments, int]:
    """Return the moments of all answers that are there, and the number of rows with a gap.

    Raises
    ------
    DataError
        A column has no answers or no variance, or the pairwise correlations contradict one another.
    """
    rows, w = rows_with_gaps(frame, columns, weight)
    made = likelihood_moments if missing == "em" else pairwise_moments
    moments = made(rows, w, columns)
    if missing == "pairwise" and np.linalg.eigvalsh(moments.corr)[0] < -PSD_TOLERANCE * len(columns):
        raise DataError(
            "the pairwise correlations are not positive definite, so no data can have them: each comes from "
            "other rows. Use missing='em', or leave out a column with few answers.",
            columns=columns,
        )
    return moments, int(np.isnan(rows).any(axis=1).sum())


def rows_with_gaps(frame: Frame, columns: tuple[str, ...], weight: str | None) -> tuple[Array, Array | None]:
    """Return the answers, NaN where missing, and the weights."""
    if weight is None:
        return matrix(frame, columns), None
    if weight in columns:
        raise ArgumentError(f"column {weight!r} is used twice: among the columns and as the weight")
    check_weight(frame, weight)
    rows = matrix(frame, (*columns, weight))
    return rows[:, :-1], rows[:, -1]


def gap_cov(forms: Array, rows: Array, w: Array | None, moments: Moments, missing: Missing) -> Array:
    """Return the covariance matrix of the importances of rows with gaps.

    Parameters
    ----------
    forms : ndarray, shape (p, m, m)
        One change dP of the correlations moves importance j by trace(forms[j] dP).
    rows : ndarray, shape (n, m)
        Answers, NaN where missing.
    w : ndarray, shape (n,), optional
        Weights.
    moments : Moments
        What the same rows gave with this policy.
    """
    scale = np.sqrt(np.diag(moments.scatter) / moments.sum_w)
    keep = ~np.isnan(rows).all(axis=1)
    z = (rows[keep] - moments.mean) / scale
    weights = np.ones(len(z)) if w is None else w[keep]
    moved = (_moved_em if missing == "em" else _moved_pairwise)(forms, z, weights, moments.corr)
    return (moved * weights[:, None] ** 2).T @ moved


def _moved_pairwise(forms: Array, z: Array, w: Array, corr: Array) -> Array:
    """Return how far each row moves each importance: (n, p)."""
    there = (~np.isnan(z)).astype(float)
    z = np.nan_to_num(z)
    pairs = (there * w[:, None]).T @ there  # sum of weights of the rows with both
    # a correlation moves by z_i z_j - r (z_i² + z_j²) / 2, in its own rows
    cross = forms / pairs
    np.einsum("jaa->ja", cross)[...] = 0.0
    out = np.empty((len(z), len(forms)))
    for j, g in enumerate(cross):
        out[:, j] = ((z @ g) * z).sum(axis=1) - (z**2 * (there @ (g * corr))).sum(axis=1)
    return out


def _moved_em(forms: Array, z: Array, w: Array, corr: Array) -> Array:
    """Return how far each row moves each importance: (n, p)."""
    m = len(corr)
    if m > MAX_COLUMNS:
        raise ArgumentError(
            f"limits with missing='em' take at most {MAX_COLUMNS} columns, not {m}: use interval='none' or "
            "missing='pairwise'"
        )
    low, high = np.tril_indices(m)
    half = np.where(low == high, 0.5, 1.0)  # a variance stands once in the matrix, a covariance twice
    scores = np.zeros((len(z), m + len(low)))
    of_mean, across, of_cov = np.zeros((m, m)), np.zeros((m, m, m)), np.zeros((m, m, m, m))
    for seen, at in patterns_of(z):
        inside = np.ix_(seen, seen)
        precision = np.zeros((m, m))
        precision[inside] = np.linalg.inv(corr[inside])
        total = w[at].sum()
        a = np.where(seen, z[at], 0.0) @ precision
        scores[at, :m] = a
        scores[at, m:] = half * (a[:, low] * a[:, high] - precision[low, high])
        of_mean += total * precision
        across += precision[:, :, None] * (w[at] @ a)
        spread = (a * w[at, None]).T @ a - total / 2 * precision
        of_cov += precision[:, None, None, :] * spread[None, :, :, None]
    of_cov = of_cov + of_cov.swapaxes(0, 1)
    of_cov = of_cov + of_cov.swapaxes(2, 3)
    across = across + across.swapaxes(1, 2)
    information = np.zeros((scores.shape[1], scores.shape[1]))
    information[:m, :m] = of_mean
    information[:m, m:] = across[:, low, high] * half
    information[m:, :m] = information[:m, m:].T
    information[m:, m:] = of_cov[low[:, None], high[:, None], low, high] * np.outer(half, half)
    target = np.zeros((len(forms), scores.shape[1]))
    target[:, m:] = 2 * half * forms[:, low, high]
    try:
        return scores @ np.linalg.solve(information, target.T)
    except np.linalg.LinAlgError as error:
        raise DataError(
            "too many answers are missing for limits with missing='em': use interval='none'"
        ) from error

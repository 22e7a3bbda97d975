"""Variance of estimates from replicate weights: jackknife, balanced repeated replication, bootstrap.

The estimate is computed once with each set of replicate weights; the variance is
``sum over replicates of scale * (estimate - mean of the estimates)²``, as in R's survey (Lumley 2010).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError
from satmodels.intake.frames import Frame
from satmodels.statistics.design import Design
from satmodels.statistics.moments import frame_sums

Array = NDArray[np.float64]
WORDS = ("jk1", "brr", "bootstrap")
RANK_TOLERANCE = 1e-5  # a replicate of which the others leave less than this share of its length adds no rank


def replicate_scales(scale: str | float | tuple[float, ...], replicates: int) -> Array:
    """Return the factor of each replicate from a word, one number or one number per replicate."""
    if isinstance(scale, str):
        r = replicates
        return np.full(r, {"jk1": (r - 1) / r, "brr": 1 / r, "bootstrap": 1 / (r - 1)}[scale])
    factors = np.atleast_1d(np.array(scale, dtype=float))
    if len(factors) == 1:
        factors = np.full(replicates, factors[0])
    if len(factors) != replicates:
        raise ArgumentError(f"replicate_scale has {len(factors)} numbers for {replicates} replicates")
    return factors


def replicate_covariance(estimates: Array, scales: Array) -> Array:
    """Return the covariance of the groups' estimates.

    Parameters
    ----------
    estimates : ndarray, shape (groups, replicates)
        NaN where a group has no weight in a replicate, which is then left out for that group.
    scales : ndarray, shape (replicates,)
        Factor of each replicate.
    """
    used = (scales > 0) & ~np.isnan(estimates)
    total = np.where(used, estimates, 0.0).sum(axis=1, keepdims=True)
    mean = total / np.maximum(
        used.sum(axis=1, keepdims=True), 1
    )  # a group that no replicate holds stays at 0
    centred = np.nan_to_num(estimates - mean)
    return (centred * scales) @ centred.T


def with_known_df(design: Design, frame: Frame) -> Design:
    """Return a design whose degrees of freedom are known.

    Where replicate weights are given without them, they are the rank of the matrix of replicate weights
    less 1, as in R's survey: the jackknife of R units in H strata has R - H, not R - 1, and replicates that
    repeat each other add nothing.
    """
    if design.replicate_weights is None or design.replicate_df is not None:
        return design
    sums = frame_sums(frame, design.replicate_weights)
    products = sums.scatter + sums.n * np.outer(sums.mean, sums.mean)
    return design.model_copy(update={"replicate_df": float(max(replicate_rank(products) - 1, 0))})


def replicate_rank(products: Array) -> int:
    """Return the rank of a matrix from the cross products of its columns, taken in their order.

    Gauss-Jordan on the columns scaled to length 1: what is left of a column's square is what the columns
    before it do not explain.
    """
    length = np.sqrt(np.diag(products))
    kept = length > 0
    left = products[np.ix_(kept, kept)] / np.outer(length[kept], length[kept])
    rank = 0
    for j in range(len(left)):
        if left[j, j] > RANK_TOLERANCE**2:
            rank += 1
            row = left[j] / np.sqrt(left[j, j])
            left = left - np.outer(row, row)
    return rank

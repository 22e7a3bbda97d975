"""Variance of estimates from replicate weights: jackknife, balanced repeated replication, bootstrap.

The estimate is computed once with each set of replicate weights; the variance is
``sum over replicates of scale * (estimate - mean of the estimates)²``, as in R's survey (Lumley 2010).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError

Array = NDArray[np.float64]
WORDS = ("jk1", "brr", "bootstrap")


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

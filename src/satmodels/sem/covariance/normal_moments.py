"""What normal rows say about their means and covariances: weights, covariances, and information despite gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.covariance.patterns import Patterns, duplication, pattern_curvature

Array = NDArray[np.floating[Any]]


def normal_weight(cov: Array, *, means: bool) -> Array:
    """Return the information of one normal row on means (if part of the model) and covariances (lower triangle)."""
    inverse = np.linalg.inv(cov)
    i, j = np.tril_indices(len(cov))
    half = np.where(i == j, 0.5, 1.0)
    second = _pairs(inverse) * np.outer(half, half)
    return block_diagonal([inverse, second]) if means else second


def normal_gamma(cov: Array) -> Array:
    """Return n times the covariance matrix of the means and covariances (lower triangle) of normal rows."""
    return block_diagonal([cov, _pairs(cov)])


def _pairs(x: Array) -> Array:
    return pair_products(x, *np.tril_indices(len(x)))


def pair_products(x: Array, i: NDArray[np.intp], j: NDArray[np.intp]) -> Array:
    """Return x_ik x_jl + x_il x_jk for all pairs of the places (i, j) and (k, l)."""
    return x[np.ix_(i, i)] * x[np.ix_(j, j)] + x[np.ix_(i, j)] * x[np.ix_(j, i)]


def gap_information(patterns: Patterns, cov: Array, mean: Array) -> Array:
    """Return the observed information of rows with gaps on their maximum-likelihood means and covariances."""
    found = patterns.factorise(cov)
    assert found is not None  # noqa: S101 - the saturated fit was positive definite
    weight, cross = pattern_curvature(patterns, found[0], mean)
    d = duplication(len(mean))
    between = cross @ d
    return np.block(
        [
            [np.tensordot(patterns.n, found[0], 1), between],
            [between.T, d.T @ weight @ d],
        ]
    )


def block_diagonal(blocks: Sequence[Array]) -> Array:
    """Return one matrix with the blocks along its diagonal."""
    size = sum(len(b) for b in blocks)
    whole = np.zeros((size, size))
    start = 0
    for b in blocks:
        whole[start : start + len(b), start : start + len(b)] = b
        start += len(b)
    return whole

"""What a standardised model implies for the correlations, and how far the data is from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def implied_construct_cov(construct_corr: Array, paths: Array) -> Array:
    """Return the construct covariances (I - B)^-1 Psi (I - B)^-T that the paths of a model imply.

    Exogenous constructs keep their correlations; what the paths leave unexplained, 1 - R², is
    uncorrelated. In a model with fewer paths than it could have, an implied variance may differ a
    little from 1: the paths then do not explain how the sources hang together.

    Parameters
    ----------
    construct_corr, paths : ndarray, shape (constructs, constructs)
        ``paths`` with the target in rows and the source in columns.
    """
    endogenous: NDArray[np.bool_] = np.any(paths != 0, axis=1)
    psi = np.where(endogenous[:, None] | endogenous, 0.0, construct_corr)
    psi += np.diag(np.where(endogenous, 1 - np.einsum("ts,ts->t", paths, construct_corr), 0.0))
    spread = np.linalg.inv(np.eye(len(paths)) - paths)
    return spread @ psi @ spread.T


def implied_item_corr(
    corr: Array,
    loadings: Array,
    construct_corr: Array,
    common_factor: Sequence[bool],
) -> Array:
    """Return the item correlations that the measurement model implies.

    Parameters
    ----------
    corr : ndarray, shape (items, items)
        Observed correlations.
    loadings : ndarray, shape (items, constructs)
        0 outside the blocks.
    construct_corr : ndarray, shape (constructs, constructs)
        Of the constructs, as estimated (saturated model) or implied by the paths (estimated model).
    common_factor : sequence of bool
        Per construct, whether it is the common factor of its items, so that it must explain the
        correlations within its block; a composite leaves these as they are.
    """
    implied = loadings @ construct_corr @ loadings.T
    for j, common in enumerate(common_factor):
        block = np.flatnonzero(loadings[:, j])
        own = loadings[block, j]
        square = block[:, None], block  # np.ix_ takes longer than all the rest
        implied[square] = own[:, None] * own if common else corr[square]
    np.fill_diagonal(implied, 1.0)
    return implied


def srmr(corr: Array, implied: Array) -> float:
    """Return the standardised root mean squared residual over the p(p + 1)/2 distinct entries.

    Some programs divide by p(p - 1)/2 instead, which gives a value larger by the factor
    sqrt((p + 1)/(p - 1)).
    """
    p = len(corr)
    return float(np.sqrt(d_uls(corr, implied) / (p * (p + 1) / 2)))


def d_uls(corr: Array, implied: Array) -> float:
    """Return the squared Euclidean distance: half the sum of all squared residuals."""
    return float(((corr - implied) ** 2).sum() / 2)


def d_g(corr: Array, implied: Array) -> float | None:
    """Return the geodesic distance: half the sum of squared logarithms of the eigenvalues of S^-1 Sigma.

    Natural logarithms as in the reference; cSEM takes decimal ones, which divides the value by 5.302.
    None where either matrix is not positive definite.

    References
    ----------
    Dijkstra and Henseler (2015), Computational Statistics & Data Analysis 81, section 4.
    """
    try:
        root = np.linalg.inv(np.linalg.cholesky(corr))
    except np.linalg.LinAlgError:
        return None
    values = np.linalg.eigvalsh(root @ implied @ root.T)
    return float((np.log(values) ** 2).sum() / 2) if values[0] > 0 else None

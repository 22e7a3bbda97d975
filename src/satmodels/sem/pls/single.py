"""The PLS algorithm for one correlation matrix, in whole-matrix steps.

The same rounds as in :mod:`satmodels.sem.pls.weighting`, which is made for many matrices: for a single
one, a dozen products of small dense matrices are an order of magnitude faster.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.pls.batch_algebra import SINGULAR
from satmodels.sem.pls.structure import Structure

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SingleFit:
    """Outer weights, shape (rows,), NaN where the matrix could not be used."""

    weights: Array
    iterations: int
    converged: bool


def single_weights(corr: Array, structure: Structure, *, scheme: str, tol: float, max_iter: int) -> SingleFit:
    """Iterate the outer weights of one correlation matrix of shape (rows, rows)."""
    rows = structure.n_rows
    mask, arrows = structure.mask, structure.arrows
    masked, adjacent = mask.astype(float), arrows | arrows.T
    regressed = np.flatnonzero(arrows.sum(axis=1) > 1)
    predictor = arrows[regressed]
    both = predictor[:, :, None] & predictor[:, None, :]
    identity = np.eye(len(arrows))
    lost = SingleFit(np.full(rows, np.nan), 0, False)
    try:
        transform = _block_inverse(corr, structure)
    except np.linalg.LinAlgError:
        return lost

    weights, products = _scaled(masked, corr @ masked)
    with np.errstate(divide="ignore", invalid="ignore"):
        for step in range(1, max_iter + 1):
            between = weights.T @ products
            inner = np.where(adjacent, np.sign(between) if scheme == "centroid" else between, 0.0)
            if scheme == "path" and len(regressed):
                systems = np.where(both, between, identity)
                right = np.where(predictor, between[regressed], 0.0)
                try:
                    slopes = np.linalg.solve(systems, right[:, :, None])[:, :, 0]
                except np.linalg.LinAlgError:
                    return replace(lost, iterations=step)
                # column: the construct being estimated; its sources enter with their slopes
                inner[:, regressed] = np.where(predictor, slopes, inner[:, regressed].T).T
            new = products @ inner * masked
            if transform is not None:
                new = transform @ new
            new, products = _scaled(new, corr @ new)
            change = np.abs(new - weights).max()
            weights = new
            if not np.isfinite(change):
                return replace(lost, iterations=step)
            if change < tol:
                return SingleFit(weights[mask], step, True)
    return SingleFit(weights[mask], max_iter, False)


def _scaled(weights: Array, products: Array) -> tuple[Array, Array]:
    """Scale weights, and their products with the correlations, to composites of variance 1."""
    scale = (weights * products).sum(axis=0) ** -0.5
    return weights * scale, products * scale


def _block_inverse(corr: Array, structure: Structure) -> Array | None:
    """Return the matrix that turns covariances into new weights: inverse blocks for mode B, else ones."""
    if "B" not in structure.modes:
        return None
    transform = np.eye(structure.n_rows)
    for mode, block in zip(structure.modes, structure.blocks, strict=True):
        if mode == "B":
            transform[block, block] = np.linalg.inv(corr[block, block])
    return transform


def single_composites(corr: Array, weights: Array, structure: Structure) -> tuple[Array, Array, Array]:
    """Return signed weights, loadings (rows,) and construct correlations of one matrix."""
    mask = structure.mask
    wide = np.zeros(mask.shape)
    wide[mask] = weights
    products = corr @ wide
    sign = np.where((products * mask).sum(axis=0) < 0, -1.0, 1.0)
    wide *= sign
    products *= sign
    between = wide.T @ products
    np.fill_diagonal(between, 1.0)
    return wide[mask], products[mask], between


def single_paths(construct_corr: Array, structure: Structure) -> Array:
    """Regress each target on its sources: all regressions as one stack of padded systems.

    Raises
    ------
    LinAlgError
        A system is singular, or nearly so.
    """
    arrows = structure.arrows
    targets = np.flatnonzero(arrows.any(axis=1))
    predictor = arrows[targets]
    systems = np.where(predictor[:, :, None] & predictor[:, None, :], construct_corr, np.eye(len(arrows)))
    pivots = np.linalg.cholesky(systems).diagonal(axis1=1, axis2=2) ** 2
    if not (pivots > SINGULAR).all():
        raise np.linalg.LinAlgError
    paths = np.zeros(arrows.shape)
    right = np.where(predictor, construct_corr[targets], 0.0)
    paths[targets] = np.linalg.solve(systems, right[:, :, None])[:, :, 0]
    return paths

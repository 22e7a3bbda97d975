"""The PLS algorithm for one correlation matrix, in whole-matrix steps.

The same rounds as in :mod:`satmodels.sem.pls.weighting`, which is made for many matrices: for a single
one, a dozen products of small dense matrices are an order of magnitude faster.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    rows, k = structure.n_rows, len(structure.constructs)
    mask = structure.mask()
    masked = mask.astype(float)
    adjacent = np.zeros((k, k), dtype=bool)
    for target, source in structure.paths:
        adjacent[target, source] = adjacent[source, target] = True
    regressed = [t for t, sources in enumerate(structure.sources) if len(sources) > 1]
    predictor = np.zeros((len(regressed), k), dtype=bool)
    for i, t in enumerate(regressed):
        predictor[i, list(structure.sources[t])] = True
    both = predictor[:, :, None] & predictor[:, None, :]
    identity = np.eye(k)
    try:
        transform = _block_inverse(corr, structure)
    except np.linalg.LinAlgError:
        return SingleFit(np.full(rows, np.nan), 0, False)

    weights = masked
    products = corr @ weights
    scale = np.einsum("ij,ij->j", weights, products) ** -0.5
    weights, products = weights * scale, products * scale
    for step in range(1, max_iter + 1):
        between = weights.T @ products
        inner = np.where(adjacent, np.sign(between) if scheme == "centroid" else between, 0.0)
        if scheme == "path" and regressed:
            systems = np.where(both, between, identity)
            right = np.where(predictor, between[regressed], 0.0)
            try:
                slopes = np.linalg.solve(systems, right[:, :, None])[:, :, 0]
            except np.linalg.LinAlgError:
                return SingleFit(np.full(rows, np.nan), step, False)
            # column: the construct being estimated; its sources enter with their slopes
            inner[:, regressed] = np.where(predictor, slopes, inner[:, regressed].T).T
        new = products @ inner * masked
        if transform is not None:
            new = transform @ new
        products = corr @ new
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = np.einsum("ij,ij->j", new, products) ** -0.5
            new, products = new * scale, products * scale
        change = np.abs(new - weights).max()
        weights = new
        if not np.isfinite(change):
            return SingleFit(np.full(rows, np.nan), step, False)
        if change < tol:
            return SingleFit(weights[mask], step, True)
    return SingleFit(weights[mask], max_iter, False)


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
    mask = structure.mask()
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
    """Regress each target on its sources: all regressions as one stack of padded systems."""
    k = len(structure.constructs)
    paths = np.zeros((k, k))
    if np.isnan(construct_corr).any():
        return np.full((k, k), np.nan)
    targets = [t for t, sources in enumerate(structure.sources) if sources]
    predictor = np.zeros((len(targets), k), dtype=bool)
    for i, t in enumerate(targets):
        predictor[i, list(structure.sources[t])] = True
    systems = np.where(predictor[:, :, None] & predictor[:, None, :], construct_corr, np.eye(k))
    right = np.where(predictor, construct_corr[targets], 0.0)
    # a system that is singular, or nearly so, gives NaN as in the batch
    usable = np.linalg.eigvalsh(systems)[:, 0] > SINGULAR
    paths[targets] = np.nan
    paths[np.array(targets)[usable]] = np.linalg.solve(systems[usable], right[usable, :, None])[:, :, 0]
    return np.where(np.isnan(paths) & ~_possible(structure), 0.0, paths)


def _possible(structure: Structure) -> NDArray[np.bool_]:
    k = len(structure.constructs)
    there = np.zeros((k, k), dtype=bool)
    for t, s in structure.paths:
        there[t, s] = True
    return there

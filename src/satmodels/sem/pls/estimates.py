"""From outer weights to everything that PLS estimates, for many correlation matrices at once."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.pls.batch_algebra import block_product, dot, solve_spd
from satmodels.sem.pls.single import single_composites, single_paths
from satmodels.sem.pls.structure import Structure
from satmodels.sem.pls.weighting import MAX_ITERATIONS, TOLERANCE, Scheme, outer_weights

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Estimates:
    """PLS estimates of a batch of correlation matrices; the batch is the last axis everywhere.

    Attributes
    ----------
    weights, loadings : ndarray, shape (rows, batch)
        In block order. With the consistent method the loadings of corrected blocks are the corrected ones.
    construct_corr : ndarray, shape (constructs, constructs, batch)
        Correlations of the constructs, corrected where the method is.
    paths : ndarray, shape (constructs, constructs, batch)
        Row: target, column: source.
    rho_a : ndarray, shape (constructs, batch)
        Reliability of the composites; 1 for single items and mode B.
    iterations : ndarray of int, shape (batch,)
    converged : ndarray of bool, shape (batch,)
    """

    weights: Array
    loadings: Array
    construct_corr: Array
    paths: Array
    rho_a: Array
    iterations: NDArray[np.int64]
    converged: NDArray[np.bool_]

    @property
    def r2(self) -> Array:
        """Explained variance, shape (constructs, batch); 0 for exogenous constructs."""
        return np.einsum("tsb,tsb->tb", self.paths, self.construct_corr)


def estimate(
    corr: Array,
    structure: Structure,
    *,
    scheme: Scheme = "path",
    consistent: bool = False,
    tol: float = TOLERANCE,
    max_iter: int = MAX_ITERATIONS,
) -> Estimates:
    """Estimate a PLS path model from correlation matrices of shape (rows, rows, batch).

    Notes
    -----
    With ``consistent=True`` the blocks of mode A with two or more items are corrected for measurement
    error (Dijkstra and Henseler 2015, MIS Quarterly 39(2)): their correlations with other constructs
    are divided by the square root of rho_A, their loadings are w sqrt(rho_A) / (w'w).
    """
    fit = outer_weights(corr, structure, scheme=scheme, tol=tol, max_iter=max_iter)
    weights = fit.weights
    if corr.shape[2] == 1:  # whole-matrix steps are several times as fast for a single matrix
        one, own, between = single_composites(corr[:, :, 0], weights[:, 0], structure)
        weights, loadings, construct_corr = one[:, None], own[:, None], between[:, :, None]
    else:
        loadings, construct_corr = _composites(corr, weights, structure)
    rho = reliabilities(weights, structure)
    if consistent:
        _correct(weights, loadings, construct_corr, rho, structure)
    paths = path_coefficients(construct_corr, structure)
    return Estimates(weights, loadings, construct_corr, paths, rho, fit.iterations, fit.converged)


def _composites(corr: Array, weights: Array, structure: Structure) -> tuple[Array, Array]:
    """Give the weights their signs, in place; return loadings and construct correlations."""
    covariances = [block_product(corr[:, block], weights[block]) for block in structure.blocks]
    loadings = np.empty_like(weights)
    for j, block in enumerate(structure.blocks):
        own = covariances[j][block]
        # the composite points the way its items do: their loadings sum to a positive number
        sign = np.where(own.sum(axis=0) < 0, -1.0, 1.0)
        weights[block] *= sign
        covariances[j] *= sign
        loadings[block] = covariances[j][block]
    k, batch = len(structure.constructs), corr.shape[2]
    construct_corr = np.ones((k, k, batch))
    for a in range(k):
        block = structure.blocks[a]
        for b in range(a):
            construct_corr[a, b] = construct_corr[b, a] = dot(weights[block], covariances[b][block])
    return loadings, construct_corr


def reliabilities(weights: Array, structure: Structure) -> Array:
    """Return rho_A of each construct (Dijkstra and Henseler 2015, eq. 3); 1 for mode B and single items."""
    starts = [block.start for block in structure.blocks]
    squares = weights * weights
    squared = np.add.reduceat(squares, starts, axis=0)
    pairs = squared * squared - np.add.reduceat(squares * squares, starts, axis=0)
    common = np.array([j in structure.reflective for j in range(len(starts))])
    with np.errstate(divide="ignore", invalid="ignore"):
        # w' R w = 1, so the part off the diagonal of R is 1 - w'w
        return np.where(common[:, None], squared * squared * (1 - squared) / pairs, 1.0)


def path_coefficients(construct_corr: Array, structure: Structure) -> Array:
    """Regress each target on its sources; shape (constructs, constructs, batch)."""
    if construct_corr.shape[2] == 1:
        with suppress(np.linalg.LinAlgError):  # what is singular becomes NaN below
            return single_paths(construct_corr[:, :, 0], structure)[:, :, None]
    paths = np.zeros_like(construct_corr)
    for target, sources in enumerate(structure.sources):
        if sources:
            matrix = [[construct_corr[a, b] for b in sources] for a in sources]
            slopes = solve_spd(matrix, [construct_corr[s, target] for s in sources])
            for source, slope in zip(sources, slopes, strict=True):
                paths[target, source] = slope
    return paths


def total_effects(paths: Array, structure: Structure) -> Array:
    """Return total effects (I - B)^-1 - I, by following the arrows from sources to targets."""
    total = np.zeros_like(paths)
    for target in structure.order:
        for source in structure.sources[target]:
            total[target] += paths[target, source] * total[source]
            total[target, source] += paths[target, source]
    return total


def _correct(
    weights: Array, loadings: Array, construct_corr: Array, rho: Array, structure: Structure
) -> None:
    root = np.sqrt(np.where(rho > 0, rho, np.nan))
    for j in structure.reflective:
        w = weights[structure.blocks[j]]
        loadings[structure.blocks[j]] = w * root[j] / (w * w).sum(axis=0)
    k = len(root)
    for a in range(k):
        for b in range(k):
            if a != b:
                construct_corr[a, b] /= root[a] * root[b]

"""The PLS algorithm: outer weights from correlation matrices alone, many matrices at once.

Wold (1982) in the form of Lohmöller (1989), chapter 2: with R the correlations of the items and w_j
the weights of block j, one round is

1. construct correlations c_jk = w_j' R_jk w_k,
2. inner weights e_jk of the neighbours of j by the scheme,
3. covariances of the items with the inner estimate, z_j = sum_k e_jk R_jk w_k,
4. new weights w_j = z_j (mode A) or R_jj^-1 z_j (mode B), scaled to w_j' R_jj w_j = 1,

until no weight changes by more than the tolerance. Rows are never touched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.pls.batch_algebra import block_product, dot, inverse_spd, solve_spd
from satmodels.sem.pls.single import single_weights
from satmodels.sem.pls.structure import Structure

Array = NDArray[np.float64]
Scheme = Literal["path", "factorial", "centroid"]
SCHEMES: tuple[Scheme, ...] = ("path", "factorial", "centroid")
TOLERANCE = 1e-7  # largest change of a weight in the last round
MAX_ITERATIONS = 300
# converged matrices are put aside once fewer than this share is still moving: copying costs a round
COMPRESS_BELOW = 0.5


@dataclass(frozen=True, eq=False)
class OuterWeights:
    """Outer weights of a batch of correlation matrices.

    Attributes
    ----------
    weights : ndarray, shape (rows, batch)
        Weights of the standardised items; every composite has variance 1. NaN where a matrix could not
        be used (singular block, composite without variance).
    iterations : ndarray of int, shape (batch,)
        Rounds until the weights stood still.
    converged : ndarray of bool, shape (batch,)
    """

    weights: Array
    iterations: NDArray[np.int64]
    converged: NDArray[np.bool_]


def outer_weights(
    corr: Array,
    structure: Structure,
    *,
    scheme: Scheme = "path",
    tol: float = TOLERANCE,
    max_iter: int = MAX_ITERATIONS,
) -> OuterWeights:
    """Iterate the outer weights of many correlation matrices at once.

    Parameters
    ----------
    corr : ndarray, shape (rows, rows, batch)
        Correlations of the items in block order.
    structure : Structure
        Blocks and paths.
    scheme : {"path", "factorial", "centroid"}
        Inner weights.
    tol : float
        Largest change of any weight in the last round.
    max_iter : int
        Largest number of rounds.
    """
    rows, _, batch = corr.shape
    if batch == 1:
        fit = single_weights(corr[:, :, 0], structure, scheme=scheme, tol=tol, max_iter=max_iter)
        return OuterWeights(fit.weights[:, None], np.array([fit.iterations]), np.array([fit.converged]))
    final = np.full((rows, batch), np.nan)
    iterations = np.zeros(batch, dtype=np.int64)
    converged = np.zeros(batch, dtype=bool)
    active = np.arange(batch)
    inverses = {
        j: inverse_spd(corr[block, block])
        for j, block in enumerate(structure.blocks)
        if structure.modes[j] == "B"
    }
    weights = _scaled(np.ones((rows, batch)), corr, structure)
    done = np.zeros(batch, dtype=bool)
    for step in range(1, max_iter + 1):
        new = _round(weights, corr, structure, scheme, inverses)
        change = np.abs(new - weights).max(axis=0)
        weights = new
        # a NaN never compares true: such a matrix is given up at once
        still = ~done & ~(change < tol) & ~np.isnan(change)
        now = ~done & (change < tol)
        final[:, active[now]] = weights[:, now]
        converged[active[now]] = True
        iterations[active[~done]] = step
        done = ~still
        left = int(still.sum())
        if left == 0:
            break
        if left < COMPRESS_BELOW * len(active):
            active, weights = active[still], weights[:, still]
            corr = corr[:, :, still]
            inverses = {j: inverse[:, :, still] for j, inverse in inverses.items()}
            done = np.zeros(left, dtype=bool)
    final[:, active[~done]] = weights[:, ~done]
    return OuterWeights(final, iterations, converged)


def _round(
    weights: Array, corr: Array, structure: Structure, scheme: Scheme, inverses: dict[int, Array]
) -> Array:
    blocks = structure.blocks
    # covariance of every item with every composite
    covariances = [block_product(corr[:, block], weights[block]) for block in blocks]

    def between(a: int, b: int) -> Array:
        return dot(weights[blocks[a]], covariances[b][blocks[a]])

    inner = _inner_weights(structure, scheme, between)
    new = np.empty_like(weights)
    for j, block in enumerate(blocks):
        first, *others = structure.neighbours(j)
        z = inner[j, first] * covariances[first][block]
        for k in others:
            z += inner[j, k] * covariances[k][block]
        new[block] = block_product(inverses[j], z) if j in inverses else z
    return _scaled(new, corr, structure)


def _inner_weights(
    structure: Structure, scheme: Scheme, between: Callable[[int, int], Array]
) -> dict[tuple[int, int], Array]:
    correlation: dict[tuple[int, int], Array] = {}

    def c(a: int, b: int) -> Array:
        key = (a, b) if a < b else (b, a)
        if key not in correlation:
            correlation[key] = between(*key)
        return correlation[key]

    inner: dict[tuple[int, int], Array] = {}
    for target, source in structure.paths:
        value = c(target, source)
        if scheme == "centroid":
            value = np.sign(value)
        inner[target, source] = inner[source, target] = value
    if scheme == "path":  # a target leans on its sources as its regression does
        for target, sources in enumerate(structure.sources):
            if len(sources) > 1:
                right = [c(target, s) for s in sources]
                one = np.ones_like(right[0])
                matrix = [[one if a == b else c(a, b) for b in sources] for a in sources]
                for source, slope in zip(sources, solve_spd(matrix, right), strict=True):
                    inner[target, source] = slope
    return inner


def _scaled(weights: Array, corr: Array, structure: Structure) -> Array:
    """Scale each block's weights so that its composite has variance 1."""
    blocks = structure.blocks
    variance = np.stack([dot(weights[b], block_product(corr[b, b], weights[b])) for b in blocks])
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = 1 / np.sqrt(np.where(variance > 0, variance, np.nan))
    for block, factor in zip(blocks, scale, strict=True):
        weights[block] *= factor
    return weights

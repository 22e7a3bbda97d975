"""Small linear algebra on many matrices at once, the batch along the last axis.

With the batch last every step is one vector operation over all replicates, and systems of three or
four equations cost a few dozen of them: far less than a library call for each replicate.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SINGULAR = 1e-10  # a pivot of a correlation matrix below this: the variable is explained by the others


def solve_spd(matrix: Sequence[Sequence[Array]] | Array, right: Sequence[Array] | Array) -> list[Array]:
    """Solve symmetric positive definite systems, by the factors L D L' of their matrices.

    Parameters
    ----------
    matrix : ndarray of shape (m, m, batch), or m rows of m arrays of shape (batch,)
        Only the lower triangle is read.
    right : ndarray of shape (m, batch) or (m, r, batch), or m such arrays

    Returns
    -------
    list of m ndarrays
        Of the shape of the entries of ``right``; NaN where a matrix is singular.
    """
    m = len(matrix)
    lower: list[list[Array]] = []
    inverse_pivots: list[Array] = []
    solution: list[Array] = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for i in range(m):
            pivot, value = matrix[i][i], right[i]
            smallest = SINGULAR * pivot
            scaled: list[Array] = []  # entries of row i of L times their pivots
            row: list[Array] = []
            for j in range(i):
                entry = matrix[i][j]
                for k in range(j):
                    entry = entry - scaled[k] * lower[j][k]
                scaled.append(entry)
                row.append(entry * inverse_pivots[j])
                pivot = pivot - entry * row[j]
                value = value - row[j] * solution[j]
            inverse_pivots.append(1 / np.where(pivot > smallest, pivot, np.nan))
            lower.append(row)
            solution.append(value)
        for i in reversed(range(m)):
            value = solution[i] * inverse_pivots[i]
            for k in range(i + 1, m):
                value = value - lower[k][i] * solution[k]
            solution[i] = value
    return solution


def inverse_spd(matrix: Array) -> Array:
    """Invert symmetric positive definite matrices (m, m, batch); NaN where one is singular."""
    m = len(matrix)
    identity = np.broadcast_to(np.eye(m)[:, :, None], matrix.shape)
    return np.stack(solve_spd(matrix, identity))


def block_product(matrix: Array, vector: Array) -> Array:
    """Multiply (i, j, batch) by (j, batch) to (i, batch)."""
    return np.einsum("ijb,jb->ib", matrix, vector)


def dot(a: Array, b: Array) -> Array:
    """Multiply (i, batch) by (i, batch) to (batch,)."""
    return np.einsum("ib,ib->b", a, b)

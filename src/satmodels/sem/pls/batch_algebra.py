"""Small linear algebra on many matrices at once, the batch along the last axis.

With the batch last every step is one vector operation over all replicates, and systems of three or
four equations cost a few dozen of them: far less than a library call for each replicate.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SINGULAR = 1e-10  # a pivot of a correlation matrix below this: the variable is explained by the others


def solve_spd(matrix: Array, right: Array) -> Array:
    """Solve symmetric positive definite systems by Cholesky factors.

    Parameters
    ----------
    matrix : ndarray, shape (m, m, batch)
    right : ndarray, shape (m, batch) or (m, r, batch)

    Returns
    -------
    ndarray, shape of ``right``
        NaN where a matrix is singular.
    """
    m = len(matrix)
    if m == 1:
        with np.errstate(divide="ignore", invalid="ignore"):
            return right / np.where(matrix[0, 0] > SINGULAR, matrix[0, 0], np.nan)
    lower: list[list[Array]] = [[matrix[0, 0]] * m for _ in range(m)]  # overwritten below
    inverse_pivot: list[Array] = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for j in range(m):
            pivot = matrix[j, j]
            for k in range(j):
                pivot = pivot - lower[j][k] * lower[j][k]
            inverse_pivot.append(1 / np.sqrt(np.where(pivot > SINGULAR * matrix[j, j], pivot, np.nan)))
            for i in range(j + 1, m):
                value = matrix[i, j]
                for k in range(j):
                    value = value - lower[i][k] * lower[j][k]
                lower[i][j] = value * inverse_pivot[j]
        solution: list[Array] = []
        for i in range(m):
            value = right[i]
            for k in range(i):
                value = value - lower[i][k] * solution[k]
            solution.append(value * inverse_pivot[i])
        for i in reversed(range(m)):
            value = solution[i]
            for k in range(i + 1, m):
                value = value - lower[k][i] * solution[k]
            solution[i] = value * inverse_pivot[i]
    return np.stack(solution)


def inverse_spd(matrix: Array) -> Array:
    """Invert symmetric positive definite matrices (m, m, batch); NaN where one is singular."""
    m = len(matrix)
    identity = np.broadcast_to(np.eye(m)[:, :, None], matrix.shape)
    return solve_spd(matrix, identity)


def block_product(matrix: Array, vector: Array) -> Array:
    """Multiply (i, j, batch) by (j, batch) to (i, batch)."""
    return np.einsum("ijb,jb->ib", matrix, vector)


def dot(a: Array, b: Array) -> Array:
    """Multiply (i, batch) by (i, batch) to (batch,)."""
    return np.einsum("ib,ib->b", a, b)

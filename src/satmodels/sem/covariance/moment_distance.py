"""Weighted least squares: n/2 (s - sigma)' V (s - sigma) over chosen elements of the moments."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.covariance.arrows import Implied
from satmodels.sem.covariance.discrepancy import MomentCriterion

Array = NDArray[np.floating[Any]]


class MomentDistance(MomentCriterion):
    """A criterion on some elements of the covariance (or correlation) matrix.

    Parameters
    ----------
    n : float
        Sample size that the criterion is multiplied with.
    found : ndarray, shape (elements,)
        The moments found.
    rows, columns : ndarray of int
        Which elements of Sigma they are (lower triangle).
    weight : ndarray, shape (elements, elements) or (elements,)
        Weight matrix, or its diagonal.
    """

    def __init__(
        self, n: float, found: Array, rows: NDArray[np.intp], columns: NDArray[np.intp], weight: Array
    ) -> None:
        self.n, self.found, self.rows, self.columns, self.weight = n, found, rows, columns, weight

    def weigh(self, x: Array) -> Array:
        """Return V x."""
        if self.weight.ndim == 1:
            return (self.weight * x.T).T
        return self.weight @ x

    def residual(self, implied: Implied) -> Array:
        """Return sigma - s."""
        return implied.sigma[self.rows, self.columns] - self.found

    def delta(self, u: Array, w: Array) -> Array:
        """Return the derivatives of the elements, one column per parameter."""
        i, j = self.rows, self.columns
        return u[i] * w[j] + u[j] * w[i]

    def value(self, implied: Implied) -> float:
        """Return n/2 F."""
        r = self.residual(implied)
        return self.n / 2 * float(r @ self.weigh(r))

    def gradient(self, implied: Implied) -> tuple[Array, Array | None]:
        """Return n/2 times the derivative of F with respect to Sigma."""
        p = len(implied.sigma)
        q = np.zeros((p, p))
        np.add.at(q, (self.rows, self.columns), self.n / 2 * self.weigh(self.residual(implied)))
        return q + q.T, None

    def expected(self, implied: Implied, u: Array, w: Array, d: Array) -> Array:
        """Return the Gauss-Newton matrix."""
        delta = self.delta(u, w)
        return self.n * delta.T @ self.weigh(delta)

    def observed(self, implied: Implied, u: Array, w: Array, d: Array) -> Array:
        """Return the first-order part of the Hessian, which is the Gauss-Newton matrix."""
        return self.expected(implied, u, w, d)


def fourth_moments(rows: Array) -> Array:
    """Return the asymptotic covariance matrix of the elements of the covariance matrix (lower triangle).

    Browne's (1984) distribution-free estimate: covariances of the products of centred answers, divisor n.
    """
    z = rows - rows.mean(axis=0)
    i, j = np.tril_indices(rows.shape[1])
    products = z[:, i] * z[:, j]
    products = products - products.mean(axis=0)
    return products.T @ products / len(rows)

"""How far implied moments are from those found, with first and second derivatives.

Every criterion is n/2 times a function F(Sigma, mu) that is 0 where nothing is left to explain, so that
its minimum times two is the test statistic. With dSigma = u w' + w u' (see ``arrows``) all derivatives are
products of p x k matrices.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.covariance.arrows import Implied

Array = NDArray[np.floating[Any]]


class Discrepancy(Protocol):
    """The criterion of one group, with its derivatives in the group's free parameters."""

    def value(self, implied: Implied) -> float:
        """Return n/2 F; infinite where the implied covariance is not positive definite."""
        ...

    def slope(self, implied: Implied) -> Array:
        """Return the gradient of n/2 F."""
        ...

    def information(self, implied: Implied) -> Array:
        """Return the expected information."""
        ...

    def curvature(self, implied: Implied) -> Array:
        """Return the Hessian of n/2 F."""
        ...


class MomentCriterion(ABC):
    """A criterion that is a function of Sigma and mu alone: the chain rule is the same for all of them."""

    @abstractmethod
    def value(self, implied: Implied) -> float:
        """Return n/2 F; infinite where the implied covariance is not positive definite."""

    @abstractmethod
    def gradient(self, implied: Implied) -> tuple[Array, Array | None]:
        """Return n/2 times the derivatives of F with respect to Sigma and mu."""

    @abstractmethod
    def expected(self, implied: Implied, u: Array, w: Array, d: Array) -> Array:
        """Return the expected information in the group's parameters."""

    @abstractmethod
    def observed(self, implied: Implied, u: Array, w: Array, d: Array) -> Array:
        """Return the Hessian of n/2 F, without the second derivatives of Sigma and mu."""

    def slope(self, implied: Implied) -> Array:
        """Return the gradient in the group's free parameters."""
        u, w, d = implied.derivatives()
        q, v = self.gradient(implied)
        part = 2 * np.einsum("pk,pk->k", u, q @ w)
        return part if v is None else part + d.T @ v

    def information(self, implied: Implied) -> Array:
        """Return the expected information in the group's free parameters."""
        return self.expected(implied, *implied.derivatives())

    def curvature(self, implied: Implied) -> Array:
        """Return the Hessian in the group's free parameters."""
        q, v = self.gradient(implied)
        return self.observed(implied, *implied.derivatives()) + implied.second_order(q, v)


def weighted_products(x: Array, u: Array, w: Array) -> Array:
    """Return tr(X dSigma_a X dSigma_b) / 2 for every pair of parameters."""
    xu, xw = x @ u, x @ w
    uw = u.T @ xw
    return (u.T @ xu) * (w.T @ xw) + uw * uw.T


def mixed_products(x: Array, y: Array, u: Array, w: Array) -> Array:
    """Return tr(X dSigma_b Y dSigma_a) for every pair [a, b] of parameters."""
    xu, xw = x @ u, x @ w
    yu, yw = y @ u, y @ w
    return (
        (w.T @ xu) * (u.T @ yw) + (u.T @ xu) * (w.T @ yw) + (w.T @ xw) * (u.T @ yu) + (u.T @ xw) * (w.T @ yu)
    )


def safe_inverse(sigma: Array) -> tuple[Array, float] | None:
    """Return inverse and log determinant, None where the matrix is not positive definite."""
    try:
        lower = np.linalg.cholesky(sigma)
    except np.linalg.LinAlgError:
        return None
    root = np.linalg.inv(lower)
    return root.T @ root, 2 * float(np.log(np.diag(lower)).sum())


class NormalLikelihood(MomentCriterion):
    """Maximum likelihood from complete data: F = log|Sigma| + tr(S Sigma^-1) - log|S| - p + (m-mu)' Sigma^-1 (m-mu)."""

    def __init__(self, n: float, cov: Array, mean: Array | None) -> None:
        self.n, self.cov, self.mean = n, cov, mean
        self.log_det = float(np.linalg.slogdet(cov)[1])
        self._at: Implied | None = None
        self._found: tuple[Array, float] | None = None

    def _inverse(self, implied: Implied) -> tuple[Array, float] | None:
        if self._at is not implied:
            self._found, self._at = safe_inverse(implied.sigma), implied
        return self._found

    def _scatter(self, implied: Implied) -> Array:
        if self.mean is None:
            return self.cov
        gap = self.mean - implied.mu
        return self.cov + np.outer(gap, gap)

    def value(self, implied: Implied) -> float:
        """Return n/2 F."""
        found = self._inverse(implied)
        if found is None:
            return np.inf
        fit = found[1] + float((found[0] * self._scatter(implied)).sum()) - self.log_det - len(self.cov)
        return self.n / 2 * fit

    def weight(self, implied: Implied) -> Array:
        """Return Sigma^-1."""
        found = self._inverse(implied)
        return found[0] if found is not None else np.linalg.pinv(implied.sigma, hermitian=True)

    def gradient(self, implied: Implied) -> tuple[Array, Array | None]:
        """Return n/2 times the derivatives of F."""
        x = self.weight(implied)
        q = x - x @ self._scatter(implied) @ x
        v = None if self.mean is None else -self.n * (x @ (self.mean - implied.mu))
        return self.n / 2 * q, v

    def expected(self, implied: Implied, u: Array, w: Array, d: Array) -> Array:
        """Return the expected information."""
        x = self.weight(implied)
        info = weighted_products(x, u, w)
        if self.mean is not None:
            info = info + d.T @ x @ d
        return self.n * info

    def observed(self, implied: Implied, u: Array, w: Array, d: Array) -> Array:
        """Return the first-order part of the Hessian."""
        x = self.weight(implied)
        y = x @ self._scatter(implied) @ x
        h = mixed_products(x, y, u, w) - weighted_products(x, u, w)
        if self.mean is not None:
            gap = x @ (self.mean - implied.mu)
            h = h + d.T @ x @ d + _mean_cross(x, gap, u, w, d)
        return self.n * h


def _mean_cross(x: Array, gap: Array, u: Array, w: Array, d: Array) -> Array:
    """Return the mixed derivatives in Sigma and mu: dmu_a' X dSigma_b X (m - mu) and its mirror."""
    xd = x @ d
    cross = (xd.T @ u) * (w.T @ gap) + (xd.T @ w) * (u.T @ gap)
    return cross + cross.T


class QuadraticForm(MomentCriterion):
    """Generalised and unweighted least squares: F = tr[(X (S - Sigma))^2] / 2 with a fixed weight X."""

    def __init__(self, n: float, cov: Array, mean: Array | None, weight: Array, mean_weight: Array) -> None:
        self.n, self.cov, self.mean, self.x, self.mean_x = n, cov, mean, weight, mean_weight

    def value(self, implied: Implied) -> float:
        """Return n/2 F."""
        gap = self.x @ (self.cov - implied.sigma)
        fit = float((gap * gap.T).sum()) / 2
        if self.mean is not None:
            shift = self.mean - implied.mu
            fit += float(shift @ self.mean_x @ shift)
        return self.n / 2 * fit

    def gradient(self, implied: Implied) -> tuple[Array, Array | None]:
        """Return n/2 times the derivatives of F."""
        q = self.x @ (implied.sigma - self.cov) @ self.x
        v = None if self.mean is None else -self.n * (self.mean_x @ (self.mean - implied.mu))
        return self.n / 2 * q, v

    def expected(self, implied: Implied, u: Array, w: Array, d: Array) -> Array:
        """Return the Gauss-Newton matrix."""
        info = weighted_products(self.x, u, w)
        if self.mean is not None:
            info = info + d.T @ self.mean_x @ d
        return self.n * info

    def observed(self, implied: Implied, u: Array, w: Array, d: Array) -> Array:
        """Return the first-order part of the Hessian, which is the Gauss-Newton matrix."""
        return self.expected(implied, u, w, d)

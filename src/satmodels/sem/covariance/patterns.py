"""Full information maximum likelihood: rows grouped by which answers they have, all patterns at once.

A pattern's matrices are padded to full size (identity or zero where answers are missing), stacked and factorised
in one call. The information is a contraction of sum_k n_k W_k (x) W_k, one matrix product over the patterns, so
its cost hardly grows with their number.

References
----------
.. [1] Arbuckle, J. L. (1996). Full information estimation in the presence of incomplete data.
.. [2] Dempster, A. P., Laird, N. M. and Rubin, D. B. (1977). Maximum likelihood from incomplete data via the EM
   algorithm. Journal of the Royal Statistical Society B 39.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import DataError
from satmodels.sem.covariance.arrows import Implied
from satmodels.sem.covariance.discrepancy import MomentCriterion

Array = NDArray[np.floating[Any]]
EM_STEPS = 5  # EM is safe far from the solution, scoring fast near it
SCORING_STEPS = 60
NEAR = 0.1  # decrement from which on Newton's steps are taken
ENOUGH = 1e-13  # Newton decrement of the saturated model


@dataclass(frozen=True, eq=False)
class Patterns:
    """Rows reduced by pattern of missing answers.

    Attributes
    ----------
    seen : ndarray of bool, shape (patterns, columns)
    n : ndarray, shape (patterns,)
        Number of rows (sum of weights) of each pattern.
    mean : ndarray, shape (patterns, columns)
        Means, 0 where missing.
    cov : ndarray, shape (patterns, columns, columns)
        Covariances with divisor n, 0 where missing.
    which : ndarray of int, shape (rows,)
        The pattern of each row.
    """

    seen: NDArray[np.bool_]
    n: Array
    mean: Array
    cov: Array
    which: NDArray[np.intp]

    @classmethod
    def of(cls, rows: Array, weights: Array | None = None) -> Patterns:
        """Reduce rows (NaN where missing); no row may be empty."""
        there = ~np.isnan(rows)
        seen, which = np.unique(there, axis=0, return_inverse=True)
        which = which.ravel()
        p = rows.shape[1]
        w = np.ones(len(rows)) if weights is None else weights
        n = np.bincount(which, weights=w, minlength=len(seen)).astype(float)
        centre = np.nansum(rows * w[:, None], axis=0) / np.maximum((there * w[:, None]).sum(axis=0), 1e-300)
        filled = np.where(there, rows - centre, 0.0)
        mean = np.zeros((len(seen), p))
        cov = np.zeros((len(seen), p, p))
        order = np.argsort(which, kind="stable")
        bounds = np.searchsorted(which[order], np.arange(len(seen) + 1))
        for k in range(len(seen)):
            at = order[bounds[k] : bounds[k + 1]]
            x, wk = filled[at], w[at]
            mean[k] = wk @ x / n[k]
            gap = (x - mean[k]) * seen[k]
            cov[k] = (gap * wk[:, None]).T @ gap / n[k]
        return cls(seen, n, (mean + centre) * seen, cov, which)

    @property
    def total(self) -> float:
        """Number of rows."""
        return float(self.n.sum())

    def scaled(self, scale: Array) -> Patterns:
        """Return the patterns of the columns divided by ``scale``."""
        return Patterns(self.seen, self.n, self.mean / scale, self.cov / np.outer(scale, scale), self.which)

    def factorise(self, sigma: Array) -> tuple[Array, Array] | None:
        """Return the inverses of each pattern's part of sigma (0 where missing) and log determinants."""
        both = self.seen[:, :, None] & self.seen[:, None, :]
        stack = np.where(both, sigma, 0.0)
        diagonal = np.arange(len(sigma))
        stack[:, diagonal, diagonal] = np.where(self.seen, np.diag(sigma), 1.0)
        try:
            lower = np.linalg.cholesky(stack)
        except np.linalg.LinAlgError:
            return None
        log_det = 2 * np.log(lower[:, diagonal, diagonal]).sum(axis=1)
        inverse = np.linalg.inv(stack)
        inverse = (inverse + inverse.transpose(0, 2, 1)) / 2
        inverse[:, diagonal, diagonal] *= self.seen
        return inverse, log_det

    def gap(self, mu: Array) -> Array:
        """Return mean minus mu, 0 where missing."""
        return (self.mean - mu) * self.seen

    def scatter(self, mu: Array) -> Array:
        """Return covariances about mu."""
        gap = self.gap(mu)
        return self.cov + gap[:, :, None] * gap[:, None, :]

    def minus_logl(self, sigma: Array, mu: Array) -> float:
        """Return minus the log-likelihood; infinite where sigma is not positive definite."""
        found = self.factorise(sigma)
        if found is None:
            return math.inf
        inverse, log_det = found
        fit = log_det + (inverse * self.scatter(mu)).sum(axis=(1, 2))
        return float(self.n @ (fit + self.seen.sum(axis=1) * math.log(2 * math.pi))) / 2


class PatternLikelihood(MomentCriterion):
    """The likelihood of incomplete rows, as a criterion: minus log-likelihood above that of the saturated model."""

    def __init__(self, patterns: Patterns, saturated: float) -> None:
        self.patterns, self.saturated = patterns, saturated
        self._at: Implied | None = None
        self._found: tuple[Array, Array] | None = None

    def _factorised(self, implied: Implied) -> tuple[Array, Array] | None:
        if self._at is not implied:
            self._found, self._at = self.patterns.factorise(implied.sigma), implied
        return self._found

    def _inverse(self, implied: Implied) -> Array:
        found = self._factorised(implied)
        return found[0] if found is not None else np.zeros_like(self.patterns.cov)

    def value(self, implied: Implied) -> float:
        """Return minus log-likelihood, from the saturated model's."""
        found = self._factorised(implied)
        if found is None:
            return math.inf
        fit = found[1] + (found[0] * self.patterns.scatter(implied.mu)).sum(axis=(1, 2))
        cells = self.patterns.seen.sum(axis=1) * math.log(2 * math.pi)
        return float(self.patterns.n @ (fit + cells)) / 2 - self.saturated

    def gradient(self, implied: Implied) -> tuple[Array, Array | None]:
        """Return the derivatives with respect to Sigma and mu."""
        return pattern_gradient(self.patterns, self._inverse(implied), implied.mu)

    def expected(self, implied: Implied, u: Array, w: Array, d: Array) -> Array:
        """Return the information expected given which answers are missing."""
        x, n = self._inverse(implied), self.patterns.n
        delta = jacobian(u, w)
        weight = sandwich_tensor(x * n[:, None, None], x)
        return delta.T @ weight @ delta / 2 + d.T @ np.tensordot(n, x, 1) @ d

    def observed(self, implied: Implied, u: Array, w: Array, d: Array) -> Array:
        """Return the first-order part of the Hessian."""
        x, n = self._inverse(implied), self.patterns.n
        weight, cross = pattern_curvature(self.patterns, x, implied.mu)
        delta = jacobian(u, w)
        mixed = d.T @ cross @ delta
        return delta.T @ weight @ delta + d.T @ np.tensordot(n, x, 1) @ d + mixed + mixed.T


def pattern_gradient(patterns: Patterns, x: Array, mu: Array) -> tuple[Array, Array]:
    """Return the derivatives of minus log-likelihood with respect to Sigma and mu."""
    n = patterns.n[:, None, None]
    y = x @ patterns.scatter(mu) @ x
    v = -(patterns.n[:, None] * np.einsum("kij,kj->ki", x, patterns.gap(mu))).sum(axis=0)
    return (n * (x - y)).sum(axis=0) / 2, v


def pattern_curvature(patterns: Patterns, x: Array, mu: Array) -> tuple[Array, Array]:
    """Return second derivatives of minus log-likelihood in (vec Sigma, vec Sigma) and (mu, vec Sigma)."""
    n = patterns.n[:, None, None]
    y = x @ patterns.scatter(mu) @ x
    weight = sandwich_tensor(n * (y - x / 2), x)
    p = len(mu)
    g = np.einsum("kij,kj->ki", x, patterns.gap(mu))
    # d(mu)' x dSigma g: contracted with vec(dSigma) as [i, (j, l)]
    cross = ((n * x).reshape(len(x), p * p).T @ g).reshape(p, p, p).reshape(p, p * p)
    return weight, cross


def jacobian(u: Array, w: Array) -> Array:
    """Return vec(dSigma), one column per parameter."""
    p, k = u.shape
    product = u[:, None, :] * w[None, :, :]
    return (product + product.transpose(1, 0, 2)).reshape(p * p, k)


def sandwich_tensor(x: Array, y: Array) -> Array:
    """Return T with vec(A)' T vec(B) = sum_k tr(X_k A Y_k B) for symmetric A and B, symmetrised.

    The sum over patterns is one matrix product; the rest is a change of the order of indices.
    """
    patterns, p, _ = x.shape
    product = (x.reshape(patterns, p * p).T @ y.reshape(patterns, p * p)).reshape(p, p, p, p)
    # product[i, j, k, l] = sum X_ij Y_kl, and tr(X A Y B) = X_ij A_jk Y_kl B_li
    tensor = product.transpose(1, 2, 3, 0).reshape(p * p, p * p)
    return (tensor + tensor.T) / 2


@dataclass(frozen=True, eq=False)
class Saturated:
    """The unrestricted normal distribution fitted to incomplete rows."""

    mean: Array
    cov: Array
    minus_logl: float


def saturated_fit(patterns: Patterns, columns: tuple[str, ...]) -> Saturated:
    """Fit means and covariances without restriction: EM steps, then scoring.

    Raises
    ------
    DataError
        A pair of columns is never answered together, or the columns are collinear.
    """
    together = (patterns.seen.T * patterns.n) @ patterns.seen.astype(float)
    if (together == 0).any():
        i, j = np.argwhere(together == 0)[0]
        raise DataError(
            f"no row has answers in both {columns[i]!r} and {columns[j]!r}: their covariance can't be estimated",
            columns=(columns[i], columns[j]),
        )
    per_column = np.diag(together)
    weight = patterns.n[:, None] * patterns.seen
    mu = (weight * patterns.mean).sum(axis=0) / per_column
    spread = np.einsum("kii->ki", patterns.scatter(mu))
    variance = (weight * spread).sum(axis=0) / per_column
    constant = [c for c, v in zip(columns, variance, strict=True) if v <= 1e-20]
    if constant:
        raise DataError(f"every answer is the same in {constant}: leave these columns out", columns=constant)
    sigma = np.diag(variance)
    for _ in range(EM_STEPS):
        sigma, mu = _em_step(patterns, sigma, mu)
    value = patterns.minus_logl(sigma, mu)
    decrement = math.inf
    for _ in range(SCORING_STEPS):
        # scoring gains a digit per step, Newton's steps near the solution double the digits
        take = _newton_step if decrement < NEAR else _scoring_step
        step_sigma, step_mu, decrement = take(patterns, sigma, mu)
        if decrement < ENOUGH:
            break
        length, better = 1.0, math.inf
        while length > 1e-4:
            better = patterns.minus_logl(sigma + length * step_sigma, mu + length * step_mu)
            if better <= value + 1e-12 * abs(value):
                break
            length /= 2
        if not better <= value + 1e-12 * abs(value):
            sigma, mu = _em_step(patterns, sigma, mu)
            value = patterns.minus_logl(sigma, mu)
            continue
        sigma, mu, value = sigma + length * step_sigma, mu + length * step_mu, better
    return Saturated(mu, sigma, value)


def _em_step(patterns: Patterns, sigma: Array, mu: Array) -> tuple[Array, Array]:
    found = patterns.factorise(sigma)
    if found is None:
        raise DataError("the covariance matrix of the answers is singular: are columns collinear?")
    regress = sigma @ found[0]
    share = patterns.n / patterns.total
    shift = np.einsum("k,kij,kj->i", share, regress, patterns.gap(mu))
    inside = regress @ patterns.scatter(mu) @ regress.transpose(0, 2, 1) - regress @ sigma
    new = sigma + np.tensordot(share, inside, 1) - np.outer(shift, shift)
    return (new + new.T) / 2, mu + shift


def _scoring_step(patterns: Patterns, sigma: Array, mu: Array) -> tuple[Array, Array, float]:
    found = patterns.factorise(sigma)
    if found is None:
        raise DataError("the covariance matrix of the answers is singular: are columns collinear?")
    x = found[0]
    q, v = pattern_gradient(patterns, x, mu)
    n = patterns.n[:, None, None]
    p = len(mu)
    expand = duplication(p)
    weight = expand.T @ sandwich_tensor(n * x, x) @ expand / 2
    gradient = expand.T @ q.reshape(-1)
    step = -np.linalg.solve(weight, gradient)
    at_mean = np.tensordot(patterns.n, x, 1)
    step_mu = -np.linalg.solve(at_mean, v)
    decrement = -float(gradient @ step) - float(v @ step_mu)
    return (expand @ step).reshape(p, p), step_mu, decrement


def _newton_step(patterns: Patterns, sigma: Array, mu: Array) -> tuple[Array, Array, float]:
    found = patterns.factorise(sigma)
    if found is None:
        raise DataError("the covariance matrix of the answers is singular: are columns collinear?")
    q, v = pattern_gradient(patterns, found[0], mu)
    p = len(mu)
    expand = duplication(p)
    weight, cross = pattern_curvature(patterns, found[0], mu)
    between = cross @ expand
    whole = np.block(
        [[np.tensordot(patterns.n, found[0], 1), between], [between.T, expand.T @ weight @ expand]]
    )
    gradient = np.concatenate([v, expand.T @ q.reshape(-1)])
    try:
        lower = np.linalg.cholesky(whole)
    except np.linalg.LinAlgError:  # not yet near enough
        return _scoring_step(patterns, sigma, mu)
    step = -np.linalg.solve(lower.T, np.linalg.solve(lower, gradient))
    return (expand @ step[p:]).reshape(p, p), step[:p], -float(gradient @ step)


def duplication(p: int) -> Array:
    """Return D with vec(A) = D vech(A), lower triangle row by row."""
    rows, columns = np.tril_indices(p)
    d = np.zeros((p * p, len(rows)))
    at = np.arange(len(rows))
    d[rows * p + columns, at] = 1.0
    d[columns * p + rows, at] = 1.0
    return d

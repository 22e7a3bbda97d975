"""How the residual moments of a fitted model vary: the means and variances of its test statistics.

With moments s (means, covariances) that vary by Gamma / n about those of a true model, a criterion of weight W and the
derivatives D of the implied moments, the residuals are A (s - sigma) with A = I - D (D' W D)^-1 D' W. A quadratic form in
them with weight C then has the mean tr(A' C A Gamma); for C = W it is tr(U Gamma) with U = W A.

References
----------
.. [1] Satorra, A. and Bentler, P. M. (1994). Corrections to test statistics and standard errors in covariance
   structure analysis. In von Eye and Clogg (eds), Latent variables analysis.
.. [2] Zhang, X. and Savalei, V. (2022). New computations for RMSEA and CFI following FIML and TS estimation with missing
   data. Psychological Methods.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.covariance.arrows import Implied, build_arrows
from satmodels.sem.covariance.casewise import moment_scores, score_products
from satmodels.sem.covariance.fitting import Fit
from satmodels.sem.covariance.normal_moments import block_diagonal, normal_weight
from satmodels.sem.covariance.samples import Sample
from satmodels.sem.covariance.table import ParameterTable

Array = NDArray[np.floating[Any]]
ROWS_AT_ONCE = 20_000


@dataclass(frozen=True, eq=False)
class ResidualMoments:
    """Moments of all groups, one after the other, each group's share of the rows taken in.

    Attributes
    ----------
    delta : ndarray, shape (moments, parameters that vary)
        Then come the moments of columns that are taken as they are, which fit exactly.
    weight : ndarray, shape (moments, moments)
        Weight of the criterion.
    gamma : ndarray, shape (moments, moments)
        n times the covariance matrix of the moments found.
    """

    delta: Array
    weight: Array
    gamma: Array

    @property
    def residual_maker(self) -> Array:
        """What turns found moments into residuals."""
        size = np.sqrt(np.einsum("ij,ij->j", self.delta, self.weight @ self.delta))
        delta = self.delta / np.where(size > 0, size, 1.0)  # parameters of any unit
        weighted = self.weight @ delta
        return np.eye(len(delta)) - delta @ np.linalg.lstsq(delta.T @ weighted, weighted.T, rcond=None)[0]

    @property
    def u_gamma(self) -> Array:
        """The product whose trace is the mean of the test statistic."""
        return self.weight @ self.residual_maker @ self.gamma

    def mean_of(self, weight: Array) -> float:
        """Return the mean of the quadratic form of the residuals with another weight."""
        made = self.residual_maker
        return float(((made.T @ weight @ made) * self.gamma).sum())


def sandwich_of_moments(fit: Fit, found: ResidualMoments) -> Array:
    """Return the covariance matrix of the free parameters, (D' W D)^-1 D' W Gamma W D (D' W D)^-1 / n, own units."""
    k = fit.ties.k
    delta = found.delta[:, : k.shape[1]]
    size = np.sqrt(np.einsum("ij,ij->j", delta, found.weight @ delta))
    weighted = found.weight @ (delta / size)
    root = k / size @ np.linalg.pinv((delta / size).T @ weighted, hermitian=True) @ weighted.T
    return root @ found.gamma @ root.T / fit.n


def complete_moments(fit: Fit) -> ResidualMoments:
    """Return the residual moments of maximum likelihood from complete rows, weighted at the model."""
    taken = [fit.table.observed.index(v) for v in fit.table.exogenous]
    parts = []
    for sample, implied in zip(fit.samples, fit.implied, strict=True):
        weight = normal_weight(implied.sigma, means=fit.table.means)
        parts.append((sample.n / fit.n, weight, fourth_moments_of(sample, fit.table.means, taken)))
    return _stacked(fit, parts)


def incomplete_moments(fit: Fit, *, robust: bool) -> ResidualMoments:
    """Return the residual moments of full information, weighted by the observed information of the saturated model.

    Their covariance matrix follows from that information or (``robust``) by sandwich.
    """
    parts = []
    for sample in fit.samples:
        weight = sample.saturated_information / sample.n
        unit = np.sqrt(np.diag(weight))
        gamma = np.linalg.inv(weight / np.outer(unit, unit)) / np.outer(unit, unit)
        if robust:
            scores = moment_scores(sample, sample.cov, sample.mean, means=True)
            gamma = gamma @ (score_products(sample, scores) / sample.n) @ gamma
        parts.append((sample.n / fit.n, weight, gamma))
    return _stacked(fit, parts)


def complete_weights(fit: Fit) -> Array:
    """Return the weight that complete normal rows with the saturated moments would have, of all groups."""
    return block_diagonal([s.n / fit.n * normal_weight(s.cov, means=fit.table.means) for s in fit.samples])


def fourth_moments_of(sample: Sample, means: bool, taken: list[int]) -> Array:
    """Return n times the covariance matrix of the moments, from the rows, given the columns taken as they are."""
    assert sample.rows is not None  # noqa: S101 - the reader kept them
    p = len(sample.cov)
    i, j = np.tril_indices(p)
    regress = np.linalg.solve(sample.cov[np.ix_(taken, taken)], sample.cov[taken])
    expected = regress.T @ sample.cov[np.ix_(taken, taken)] @ regress
    centre = (sample.cov - expected)[i, j]
    if sample.clusters is not None:
        return (
            score_products(
                sample,
                _moments_of_rows(sample.rows - sample.mean, regress, taken, centre, means),
            )
            / sample.n
        )
    total = np.zeros((len(i) + (p if means else 0),) * 2)
    for start in range(0, len(sample.rows), ROWS_AT_ONCE):
        z = sample.rows[start : start + ROWS_AT_ONCE] - sample.mean
        moments = _moments_of_rows(z, regress, taken, centre, means)
        if sample.weights is not None:
            moments *= sample.weights[start : start + ROWS_AT_ONCE, None]
        total += moments.T @ moments
    return total / sample.n


def _moments_of_rows(z: Array, regress: Array, taken: list[int], centre: Array, means: bool) -> Array:
    i, j = np.tril_indices(z.shape[1])
    given = z[:, taken] @ regress
    products = z[:, i] * z[:, j] - given[:, i] * given[:, j] - centre
    return np.hstack([z - given, products]) if means else products


def _stacked(fit: Fit, parts: list[tuple[float, Array, Array]]) -> ResidualMoments:
    weight = block_diagonal([share * w for share, w, _ in parts])
    gamma = block_diagonal([g / share for share, _, g in parts])
    return ResidualMoments(_derivatives(fit), weight, gamma)


def _derivatives(fit: Fit) -> Array:
    """Return the derivatives of all moments; those of columns that are taken as they are count as free."""
    table = fit.table
    freed = replace(table, parameters=tuple(replace(p, free=p.free or p.exogenous) for p in table.parameters))
    own = [i for i, p in enumerate(freed.free) if not p.exogenous]
    taken = [i for i, p in enumerate(freed.free) if p.exogenous]
    whole = np.vstack(moment_derivatives(freed, fit.implied, means=table.means))
    return np.hstack([whole[:, own] @ fit.ties.k, whole[:, taken]])


def moment_derivatives(table: ParameterTable, implied: Sequence[Implied], *, means: bool) -> list[Array]:
    """Return, group by group, the derivatives of means (if asked) and covariances in all free parameters."""
    blocks: list[Array] = []
    for arrows, at in zip(build_arrows(table), implied, strict=True):
        u, w, d = Implied(arrows, at.a, at.s, at.m, at.b).derivatives()
        i, j = np.tril_indices(len(u))
        second = u[i] * w[j] + u[j] * w[i]
        block = np.zeros((len(second) + (len(d) if means else 0), len(table.free)))
        block[:, arrows.places] = np.vstack([d if table.means else 0 * d, second]) if means else second
        blocks.append(block)
    return blocks

"""Scores of single rows (derivatives of their log-likelihood), the meat of every sandwich."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.covariance.arrows import Implied
from satmodels.sem.covariance.fitting import Fit
from satmodels.sem.covariance.patterns import Patterns
from satmodels.sem.covariance.samples import Sample

Array = NDArray[np.floating[Any]]


def parameter_scores(sample: Sample, implied: Implied, *, means: bool) -> Array:
    """Return the score of each row in the group's parameters, shape (n, parameters), in own units.

    Without a mean structure rows are measured from their mean.
    """
    u, w, d = implied.derivatives()
    residuals, inverse, which = _residuals(sample, implied.sigma, implied.mu if means else sample.mean)
    trace = np.einsum("pa,kpq,qa->ka", u, inverse, w, optimize=True)
    scores = (residuals @ u) * (residuals @ w) - trace[which]
    return scores + residuals @ d if means else scores


def moment_scores(sample: Sample, cov: Array, mean: Array, *, means: bool) -> Array:
    """Return the score of each row in the means (if part of the model) and the lower triangle of cov."""
    residuals, inverse, which = _residuals(sample, cov, mean)
    i, j = np.tril_indices(len(cov))
    half = np.where(i == j, 0.5, 1.0)
    second = (residuals[:, i] * residuals[:, j] - inverse[which][:, i, j]) * half
    return np.hstack([residuals, second]) if means else second


def _residuals(sample: Sample, sigma: Array, mu: Array) -> tuple[Array, Array, NDArray[np.intp]]:
    """Return W (x - mu) of each row, W of each pattern and the pattern of each row."""
    assert sample.rows is not None  # noqa: S101 - the reader kept them
    if sample.patterns is None:
        inverse = np.linalg.inv(sigma)
        which = np.zeros(len(sample.rows), dtype=np.intp)
        return (sample.rows - mu) @ inverse, inverse[None], which
    patterns: Patterns = sample.patterns
    found = patterns.factorise(sigma)
    inverse = found[0] if found is not None else np.zeros_like(patterns.cov)
    gap = np.where(np.isnan(sample.rows), 0.0, sample.rows - mu)
    residuals = np.empty_like(gap)
    for k in range(len(inverse)):
        at = np.flatnonzero(patterns.which == k)
        residuals[at] = gap[at] @ inverse[k]
    return residuals, inverse, patterns.which


def score_products(sample: Sample, scores: Array) -> Array:
    """Return the sum of outer products of the scores: of rows, weighted, or of clusters."""
    if sample.weights is not None:
        scores = scores * sample.weights[:, None]
    if sample.clusters is not None:
        sums = np.zeros((int(sample.clusters.max()) + 1, scores.shape[1]))
        np.add.at(sums, sample.clusters, scores)
        m = len(np.unique(sample.clusters))
        return sums.T @ sums * (m / (m - 1))
    return scores.T @ scores


def meat(fit: Fit) -> Array:
    """Return the sum of outer products of the rows' scores in all free parameters (scaled variables)."""
    total = np.zeros((len(fit.x),) * 2)
    for sample, implied in zip(fit.samples, fit.implied, strict=True):
        scores = parameter_scores(sample, implied, means=fit.table.means)
        at = implied.arrows.places
        scores = scores * fit.units[at]
        total[np.ix_(at, at)] += score_products(sample, scores)
    return total

"""Construct scores of rows: what the model expects of the constructs given the answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.covariance.arrows import Implied

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Scoring:
    """All that is needed to score new rows of one group.

    Rows are measured from the means of the rows the model was fitted on (or from the model's means where it
    has a mean structure), so one new row is scored as it would have been among the old ones.
    """

    centre: Array
    mean: Array
    sigma: Array
    latent: Array
    cross: Array
    total_loadings: Array

    def regression(self, rows: Array) -> Array:
        """Return E[constructs | answers]; a missing answer is left out of what is conditioned on."""
        return conditional_mean(rows, self.centre, self.sigma, self.cross, self.mean)

    def bartlett(self, rows: Array) -> Array:
        """Return the scores that weigh items by the inverse of their errors; NaN with a missing answer.

        (L' Sigma^-1 L)^-1 L' Sigma^-1 equals Bartlett's (L' Theta^-1 L)^-1 L' Theta^-1, and exists where an
        item has no error.
        """
        inverse = np.linalg.inv(self.sigma)
        loadings = self.total_loadings
        weights = np.linalg.solve(loadings.T @ inverse @ loadings, loadings.T @ inverse)
        return (rows - self.centre) @ weights.T + self.mean


def scoring_of(implied: Implied, sample_mean: Array, means: bool) -> Scoring:
    """Return the scoring of one group."""
    p = implied.arrows.n_observed
    cov = implied.cov_all
    # the items as functions of the constructs alone: paths between constructs are in their covariances
    loadings = np.linalg.solve(np.eye(p) - implied.a[:p, :p], implied.a[:p, p:])
    return Scoring(
        implied.mu if means else sample_mean,
        implied.mean_all[p:] if means else np.zeros(len(cov) - p),
        cov[:p, :p],
        cov[p:, p:],
        cov[p:, :p],
        loadings,
    )


def conditional_mean(rows: Array, centre: Array, sigma: Array, cross: Array, mean: Array) -> Array:
    """Return mean + cross sigma^-1 (row - centre), per pattern of missing answers."""
    result = np.empty((len(rows), len(mean)))
    there = ~np.isnan(rows)
    patterns, which = np.unique(there, axis=0, return_inverse=True)
    for k, pattern in enumerate(patterns):
        at = np.flatnonzero(which.ravel() == k)
        seen = np.flatnonzero(pattern)
        if not len(seen):
            result[at] = mean
            continue
        weights = np.linalg.solve(sigma[np.ix_(seen, seen)], cross[:, seen].T)
        result[at] = mean + (rows[np.ix_(at, seen)] - centre[seen]) @ weights
    return result

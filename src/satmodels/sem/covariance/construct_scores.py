"""Construct scores of rows: what the model expects of the constructs given the answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError
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
    given_constructs: Array
    constructs: tuple[str, ...]

    def regression(self, rows: Array) -> Array:
        """Return E[constructs | answers]; a missing answer is left out of what is conditioned on."""
        return conditional_mean(rows, self.centre, self.sigma, self.cross, self.mean)

    def bartlett(self, rows: Array) -> Array:
        """Return the scores that weigh items by the inverse of their errors; NaN with a missing answer.

        With Q = Theta + L Phi L', (L' Q^-1 L)^-1 L' Q^-1 equals Bartlett's (L' Theta^-1 L)^-1 L' Theta^-1, and exists
        where an item has no error. Q is not Sigma where columns explain constructs: what these columns say of the
        constructs is no part of a score for which the constructs are fixed.

        Raises
        ------
        ArgumentError
            A construct has no items of its own, or the items can't tell constructs apart.
        """
        loadings = self.total_loadings
        if np.linalg.matrix_rank(loadings) < loadings.shape[1]:
            bare = [c for c, column in zip(self.constructs, loadings.T, strict=True) if not column.any()]
            what = (
                f"{bare} have no items of their own" if bare else "the items can't tell the constructs apart"
            )
            raise ArgumentError(f'method="bartlett": {what}; method="regression" has scores of such a model')
        inverse = np.linalg.inv(self.given_constructs)
        weights = np.linalg.solve(loadings.T @ inverse @ loadings, loadings.T @ inverse)
        return (rows - self.centre) @ weights.T + self.mean


def scoring_of(implied: Implied, sample_mean: Array, means: bool, constructs: tuple[str, ...]) -> Scoring:
    """Return the scoring of one group."""
    p = implied.arrows.n_observed
    cov = implied.cov_all
    # the items as functions of the constructs alone: paths between constructs are in their covariances
    among = np.linalg.inv(np.eye(p) - implied.a[:p, :p])
    loadings = among @ implied.a[:p, p:]
    return Scoring(
        implied.mu if means else sample_mean,
        implied.mean_all[p:] if means else np.zeros(len(cov) - p),
        cov[:p, :p],
        cov[p:, p:],
        cov[p:, :p],
        loadings,
        among @ implied.s[:p, :p] @ among.T + loadings @ cov[p:, p:] @ loadings.T,
        constructs,
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

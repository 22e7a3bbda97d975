"""Robust CFI, TLI and RMSEA of models of ordered answers.

Weighted least squares gives fit indices that depend on the number of categories and on how skewed they are. These are those
of the normal likelihood between the polychoric correlations and the model's, F = log|P| + tr(R P^-1) - log|R| - p, less
what n F would be on average if the model were true: tr(A' C A Gamma), with A what the weighted fit leaves of the
moments and C the weight of the likelihood at the model's correlations.

References
----------
.. [1] Savalei, V. (2021). Improving fit indices in structural equation modeling with categorical data. Multivariate
   Behavioral Research 56(3), 390-407.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.covariance.discrepancy import safe_inverse
from satmodels.sem.covariance.fitting import Fit
from satmodels.sem.covariance.group_moments import GroupMoments
from satmodels.sem.covariance.normal_moments import block_diagonal, pair_products
from satmodels.sem.covariance.residual_moments import ResidualMoments
from satmodels.sem.covariance.responses import as_responses
from satmodels.sem.covariance.robust import Measures, robust_measures

Array = NDArray[np.floating[Any]]


def categorical_measures(
    fit: Fit, moments: Sequence[GroupMoments], slopes: Sequence[Array], found: Measures
) -> Measures:
    """Return the robust measures; nothing where numbers stand beside, or correlations are not positive definite.

    Parameters
    ----------
    fit : Fit
    moments : sequence of GroupMoments
    slopes : sequence of ndarray
        Derivatives of the moments in the parameters that vary, group by group.
    found : mapping
        The plain measures, for the degrees of freedom.
    """
    if set(fit.table.ordered) != set(fit.table.observed) or fit.table.exogenous:
        return {}
    n = sum(m.n for m in moments)
    weights: list[Array] = []
    base_weights: list[Array] = []
    chisq = base_chisq = 0.0
    for m, implied in zip(moments, fit.solution.implied, strict=True):
        second = as_responses(implied).moments[-len(m.spread) :]
        sampled, modelled = _correlations(m.found[-len(second) :]), _correlations(second)
        of_sample, of_model = safe_inverse(sampled), safe_inverse(modelled)
        if of_sample is None or of_model is None:
            return {}
        inverse, log_det = of_model
        chisq += m.n * (log_det + float((inverse * sampled).sum()) - of_sample[1] - len(sampled))
        base_chisq -= m.n * of_sample[1]
        below = np.tril_indices(len(inverse), -1)
        firsts = np.zeros((len(m.found) - len(second),) * 2)  # thresholds are no part of the likelihood
        weights.append(m.n / n * block_diagonal([firsts, pair_products(inverse, *below)]))
        base_weights.append(m.n / n * block_diagonal([firsts, np.eye(len(second))]))
    stacked = ResidualMoments(
        np.vstack(slopes),
        block_diagonal([m.n / n * np.diag(m.weight) for m in moments]),
        block_diagonal([m.gamma * n / m.n for m in moments]),
    )
    mean = stacked.mean_of(block_diagonal(weights))
    base_mean = float((block_diagonal(base_weights) * stacked.gamma).sum())
    df, base_df = found["df"] or 0, found["baseline_df"] or 0
    n_test = n - len(moments)  # as in the plain RMSEA of weighted least squares
    return robust_measures(chisq, base_chisq, df, base_df, mean, base_mean, n_test, len(moments))


def _correlations(below: Array) -> Array:
    p = round((1 + np.sqrt(1 + 8 * len(below))) / 2)
    matrix = np.eye(p)
    i, j = np.tril_indices(p, -1)
    matrix[i, j] = matrix[j, i] = below
    return matrix

"""Discriminant validity: heterotrait-monotrait ratios, Fornell and Larcker's table, cross-loadings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.assessment.reliability import ave_of
from satmodels.sem.summary import GroupSummary

Array = NDArray[np.float64]


def htmt_matrix(g: GroupSummary, *, absolute: bool = False) -> Array:
    """Return the heterotrait-monotrait ratios of correlations (1 on the diagonal).

    The mean correlation between the items of two constructs, over the geometric mean of the mean
    correlations within each (1 for a single item).

    Parameters
    ----------
    g : GroupSummary
    absolute : bool, default False
        Whether to take the correlations without their signs, as seminr does. The two differ only where
        an item correlates negatively with another.

    References
    ----------
    Henseler, Ringle and Sarstedt (2015), Journal of the Academy of Marketing Science 43(1), eq. 6.
    """
    corr = np.abs(g.moments.corr) if absolute else g.moments.corr
    blocks = [g.block(j) for j in range(len(g.constructs))]
    within = np.array([_mean_within(corr[np.ix_(b, b)]) for b in blocks])
    ratio = np.eye(len(blocks))
    for i, a in enumerate(blocks):
        for j in range(i):
            product = within[i] * within[j]
            usable = product > 0 and bool(a) and bool(blocks[j])
            ratio[i, j] = ratio[j, i] = (
                corr[np.ix_(a, blocks[j])].mean() / np.sqrt(product) if usable else np.nan
            )
    return ratio


def _mean_within(corr: Array) -> float:
    k = len(corr)
    return (float(corr.sum()) - k) / (k * (k - 1)) if k > 1 else 1.0


def fornell_larcker_matrix(g: GroupSummary) -> Array:
    """Return the construct correlations with the square root of the AVE on the diagonal.

    References
    ----------
    Fornell and Larcker (1981), Journal of Marketing Research 18(1).
    """
    table = g.construct_corr.copy()
    for j in range(len(table)):
        block = g.block(j)
        table[j, j] = np.sqrt(ave_of(g.loadings[block, j])) if block else np.nan
    return table


def cross_loadings_matrix(g: GroupSummary) -> Array:
    """Return the correlations of the items (rows) with the composites of the constructs (columns)."""
    return g.moments.corr @ g.weights

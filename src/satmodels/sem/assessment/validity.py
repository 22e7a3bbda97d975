"""Discriminant validity: heterotrait-monotrait ratios, Fornell and Larcker's table, cross-loadings."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.assessment.reliability import ave_of
from satmodels.sem.summary import GroupSummary

Array = NDArray[np.float64]


def htmt_matrix(g: GroupSummary, *, absolute: bool = False, geometric: bool = False) -> Array:
    """Return the heterotrait-monotrait ratios of correlations (1 on the diagonal).

    The mean correlation between the items of two constructs, over the geometric mean of the mean
    correlations within each (1 for a single item).

    Parameters
    ----------
    g : GroupSummary
    geometric : bool, default False
        Whether to take geometric means everywhere (HTMT2, for items whose loadings differ); NaN where a
        correlation is negative.
    absolute : bool, default False
        Whether to take the correlations without their signs, as seminr does. The two differ only where
        an item correlates negatively with another.

    References
    ----------
    Henseler, Ringle and Sarstedt (2015), Journal of the Academy of Marketing Science 43(1), eq. 6.
    Roemer, Schuberth and Henseler (2021), Industrial Management & Data Systems 121(12), for HTMT2.
    """
    corr = np.abs(g.moments.corr) if absolute else g.moments.corr
    blocks = [g.block(j) for j in range(len(g.constructs))]
    mean = _geometric_mean if geometric else _mean
    within = np.array([_mean_within(corr[np.ix_(b, b)], mean) for b in blocks])
    ratio = np.eye(len(blocks))
    for i, a in enumerate(blocks):
        for j in range(i):
            product = within[i] * within[j]
            usable = product > 0 and bool(a) and bool(blocks[j])
            ratio[i, j] = ratio[j, i] = (
                mean(corr[np.ix_(a, blocks[j])]) / np.sqrt(product) if usable else np.nan
            )
    return ratio


def _mean(values: Array) -> float:
    return float(values.mean())


def _geometric_mean(values: Array) -> float:
    return float(np.exp(np.log(values).mean())) if (values > 0).all() else float("nan")


def _mean_within(corr: Array, mean: Callable[[Array], float]) -> float:
    return mean(corr[np.tril_indices(len(corr), -1)]) if len(corr) > 1 else 1.0


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

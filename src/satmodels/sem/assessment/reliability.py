"""Reliability of constructs: Cronbach's alpha, rho_A, composite reliability, average variance extracted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.results import Table
from satmodels.sem.summary import GroupSummary

Array = NDArray[np.float64]


def alpha_of(matrix: Array) -> float | None:
    """Return Cronbach's alpha of a covariance matrix, standardised alpha of a correlation matrix.

    None where the items have no variance in sum; 1 for a single item.

    References
    ----------
    Cronbach (1951), Psychometrika 16(3), eq. 2.
    """
    k = len(matrix)
    if k == 1:
        return 1.0
    total = float(matrix.sum())
    return k / (k - 1) * (1 - float(np.trace(matrix)) / total) if total > 0 else None


def rho_a_of(corr: Array, weights: Array) -> float:
    """Return Dijkstra and Henseler's rho_A of one block.

    Parameters
    ----------
    corr : ndarray, shape (items, items)
        Correlations of the block's items.
    weights : ndarray, shape (items,)
        Outer weights that give the composite unit variance.

    References
    ----------
    Dijkstra and Henseler (2015), MIS Quarterly 39(2), eq. 3.
    """
    if len(corr) == 1:
        return 1.0
    squared = float(weights @ weights)
    off = weights @ (corr - np.diag(np.diag(corr))) @ weights
    pairs = squared**2 - float((weights**4).sum())
    return squared**2 * float(off) / pairs if pairs > 0 else float("nan")


def rho_c_of(loadings: Array) -> float:
    """Return the composite reliability (Jöreskog's rho) of standardised loadings.

    References
    ----------
    Werts, Linn and Jöreskog (1974), Educational and Psychological Measurement 34(1).
    """
    common = float(loadings.sum()) ** 2
    return common / (common + float((1 - loadings**2).sum()))


def ave_of(loadings: Array) -> float:
    """Return the average variance extracted: the mean squared standardised loading.

    References
    ----------
    Fornell and Larcker (1981), Journal of Marketing Research 18(1), eq. 11.
    """
    return float((loadings**2).mean())


def reliability_table(g: GroupSummary) -> Table:
    """Return ``construct, alpha, rho_a, rho_c, ave`` (alpha is that of standardised items)."""
    corr = g.moments.corr
    records: list[dict[str, Any]] = []
    for j, name in enumerate(g.constructs):
        block = g.block(j)
        if not block:
            continue  # a construct of constructs has no items of its own
        loadings = g.loadings[block, j]
        records.append(
            {
                "construct": name,
                "alpha": alpha_of(corr[np.ix_(block, block)]),
                "rho_a": None if g.rho_a is None else float(g.rho_a[j]),
                "rho_c": rho_c_of(loadings),
                "ave": ave_of(loadings),
            }
        )
    return Table.from_records(records, ("construct", "alpha", "rho_a", "rho_c", "ave"))

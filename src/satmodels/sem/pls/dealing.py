"""How rows are dealt out to two groups anew, for permutation tests: row by row, or in whole clusters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.recomputed_table import RecomputedTable
from satmodels.sem.resample_table import ResampleTable

Array = NDArray[np.float64]
ENTRIES_AT_ONCE = 4_000_000  # of a table of counts: 32 MB


def with_mean_weights(
    table: ResampleTable | RecomputedTable, inside: NDArray[np.bool_]
) -> ResampleTable | RecomputedTable:
    """Return the table with survey weights of mean 1 in each of two groups, before its rows are dealt out.

    A factor of one group's weights changes none of its estimates. Left in place, the rows of that group would
    outweigh the others wherever they are dealt, and permutations would vary more than the groups do.
    """
    if table.weights is None:
        return table
    w = table.weights
    return replace(table, weights=w / np.where(inside, w[inside].mean(), w[~inside].mean()))


def dealt(
    inside: NDArray[np.bool_], cluster: NDArray[np.intp] | None, n: int, rng: np.random.Generator
) -> Array:
    """Return ``n`` new divisions of the rows into two groups.

    Parameters
    ----------
    inside : ndarray of bool, shape (rows,)
        Which rows are in the group; the others are in the reference.
    cluster : ndarray of int, shape (rows,), optional
        The cluster of each row. Clusters that lie in one group alone are dealt out whole, as many to each
        group as there were; those with rows in both (the respondents of a panel, in two waves) have their
        groups swapped or not, by the toss of a coin.
    n : int
    rng : Generator

    Returns
    -------
    ndarray, shape (n, rows)
        1 in the group, 0 in the reference.
    """
    if cluster is None:
        return rng.permuted(np.tile(inside.astype(float), (n, 1)), axis=1)
    _, number = np.unique(cluster, return_inverse=True)
    in_group, in_reference = (np.bincount(number, weights=part) > 0 for part in (inside, ~inside))
    both = in_group & in_reference
    swapped = np.zeros((n, len(both)), dtype=bool)
    swapped[:, both] = rng.random((n, int(both.sum()))) < 0.5
    alone = in_group[~both]
    swapped[:, ~both] = rng.permuted(np.tile(alone, (n, 1)), axis=1) != alone
    return (inside != swapped[:, number]).astype(float)


def batches_of(n: int, rows: int, largest: int) -> list[int]:
    """Return the sizes of the batches in which ``n`` divisions of so many rows are made."""
    size = max(1, min(largest, ENTRIES_AT_ONCE // rows))
    return [min(size, n - start) for start in range(0, n, size)]

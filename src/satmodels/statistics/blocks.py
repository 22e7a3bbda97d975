"""Moments of one block of rows, and of two sets of rows together: numpy alone.

Kept by itself because Spark sends these functions to executors that know numpy and not satmodels.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Sums(NamedTuple):
    """Complete rows, rows left out, sums of weights and of their squares, means, sums of cross products."""

    n: int
    n_dropped: int
    sum_w: float
    sum_w2: float
    mean: Array
    scatter: Array


def no_rows(columns: int) -> Sums:
    """Return the sums of no rows: the zero of :func:`merged`."""
    return Sums(0, 0, 0.0, 0.0, np.zeros(columns), np.zeros((columns, columns)))


def block_sums(block: Array, w: Array | None = None, *, overwrite: bool = False) -> Sums:
    """Return the sums of one array of rows, those with NaN left out; ``overwrite`` spares a copy."""
    n_dropped = 0
    # a sum is a number only if all of its terms are; most blocks need no closer look
    with np.errstate(all="ignore"):
        sums = block.sum(axis=0)
    if not np.isfinite(sums).all():
        complete = ~np.isnan(block).any(axis=1)
        n_dropped = int(len(block) - complete.sum())
        if n_dropped:
            block = block[complete]
            w = None if w is None else w[complete]
            overwrite, sums = True, block.sum(axis=0)
    n = len(block)
    sum_w = float(n) if w is None else float(w.sum())
    sum_w2 = float(n) if w is None else float(w @ w)
    if n == 0 or sum_w == 0:
        return no_rows(block.shape[1])._replace(n=n, n_dropped=n_dropped, sum_w=sum_w, sum_w2=sum_w2)
    # two steps: a rough centre first, so that the second sum loses no digits to a large offset
    shift = sums / n
    centred = np.subtract(block, shift, out=block if overwrite else None)
    if w is None:
        rest = centred.sum(axis=0) / n
        product = centred.T @ centred
    else:
        rest = w @ centred / sum_w
        # the product of one array with itself costs half, and is exactly symmetric
        rooted = centred * np.sqrt(w)[:, None]
        product = rooted.T @ rooted
    scatter = product - sum_w * np.outer(rest, rest)
    np.fill_diagonal(scatter, np.maximum(np.diag(scatter), 0.0))  # rounding makes no sum of squares negative
    return Sums(n, n_dropped, sum_w, sum_w2, shift + rest, scatter)


def merged(a: Sums, b: Sums) -> Sums:
    """Return the sums of both sets of rows together (Chan, Golub and LeVeque 1983)."""
    sum_w = a.sum_w + b.sum_w
    share = b.sum_w / sum_w if sum_w > 0 else 0.0
    step = b.mean - a.mean
    scatter = a.scatter + b.scatter + np.outer(step, step) * (a.sum_w * share)
    return Sums(
        a.n + b.n, a.n_dropped + b.n_dropped, sum_w, a.sum_w2 + b.sum_w2, a.mean + step * share, scatter
    )


def all_sums(columns: int, blocks: Iterable[Array], *, weighted: bool) -> Sums:
    """Add up blocks that hold the columns and, where there are weights, the weights last."""
    total = no_rows(columns)
    for block in blocks:
        w = block[:, columns].copy() if weighted else None
        total = merged(total, block_sums(block[:, :columns], w, overwrite=True))
    return total


class PartitionSums:
    """Sums of the blocks of a partition as text, and back; shipped to executors by value."""

    def __init__(self, columns: int, *, weighted: bool) -> None:
        self.columns, self.weighted = columns, weighted

    def __call__(self, blocks: Iterable[Array]) -> str:
        """Return the sums of a partition as JSON text."""
        sums = all_sums(self.columns, blocks, weighted=self.weighted)
        return json.dumps([*sums[:4], sums.mean.tolist(), sums.scatter.tolist()])

    def read(self, text: str) -> Sums:
        """Return what ``__call__`` wrote."""
        n, n_dropped, sum_w, sum_w2, mean, scatter = json.loads(text)
        return Sums(n, n_dropped, sum_w, sum_w2, np.array(mean), np.array(scatter))

"""Resamples without rows: moments drawn as those of normal samples are distributed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, DataError
from satmodels.sem.resample_table import LARGEST_BATCH
from satmodels.statistics.collinear import refuse_collinear
from satmodels.statistics.moments import Moments

Array = NDArray[np.float64]
MATRICES_AT_ONCE = 500
NEEDS_ROWS = "moments don't hold the single answers: {what} needs the rows. Give the dataframe."


@dataclass(frozen=True, eq=False)
class NormalTable:
    """Moments of a normal population, from which samples of the same size are drawn.

    The mean of a sample is normal, its scatter matrix Wishart with n - 1 degrees of freedom (Bartlett
    1933, Proceedings of the Royal Society of Edinburgh 53). With survey weights the number of respondents
    is the effective one, (sum w)² / sum w².

    Attributes
    ----------
    n : int
        Respondents in each sample.
    centre : ndarray, shape (items,)
        Means of the population.
    root : ndarray, shape (items, items)
        Lower triangular root of its covariance matrix.
    """

    n: int
    centre: Array
    root: Array
    draws_at_once: ClassVar[int] = LARGEST_BATCH

    @classmethod
    def of(cls, moments: Moments) -> NormalTable:
        """Take the moments of a sample as those of the population."""
        n = round(moments.n_eff) if moments.weighted else moments.n
        if n <= len(moments.columns):
            raise DataError(
                f"{n} respondents are too few to draw moments of {len(moments.columns)} items: resample rows"
            )
        std = moments.std
        refuse_collinear(moments.corr, moments.columns)
        return cls(n, moments.mean, np.linalg.cholesky(moments.corr) * std[:, None])

    @property
    def n_units(self) -> int:
        """Respondents in each sample."""
        return self.n

    def sums(self, counts: Array) -> Array:
        """Return the sums of the moments themselves; ``counts`` is one row of ones."""
        if len(counts) != 1 or not (counts == 1).all():
            raise ArgumentError(NEEDS_ROWS.format(what="this"))
        return self._packed(np.zeros((1, len(self.centre))), (self.root @ self.root.T)[None] * (self.n - 1))

    def bootstrap(self, n: int, rng: np.random.Generator) -> Array:
        """Draw the sums of ``n`` samples; see :meth:`satmodels.sem.resample_table.ResampleTable.sums`."""
        p = len(self.centre)
        below = np.tril_indices(p, -1)
        found = np.empty((1 + p + p * (p + 1) // 2, n))
        for start in range(0, n, MATRICES_AT_ONCE):
            size = min(MATRICES_AT_ONCE, n - start)
            bartlett = np.zeros((size, p, p))
            bartlett[:, *below] = rng.standard_normal((size, len(below[0])))
            freedom = self.n - 1 - np.arange(p)
            bartlett[:, np.arange(p), np.arange(p)] = np.sqrt(rng.chisquare(freedom, (size, p)))
            half = self.root @ bartlett
            mean = rng.standard_normal((size, p)) @ self.root.T / np.sqrt(self.n)
            found[:, start : start + size] = self._packed(mean, half @ half.transpose(0, 2, 1))
        return found

    def grouped_bootstrap(self, n: int, groups: int, rng: np.random.Generator) -> Array:
        """Refuse: there are no rows to be grouped."""
        raise ArgumentError(NEEDS_ROWS.format(what='interval="studentized"'))

    def sums_of(self, indices: NDArray[np.integer]) -> Array:
        """Refuse: there are no rows to be numbered."""
        raise ArgumentError(NEEDS_ROWS.format(what="indices="))

    def leave_one_out(self) -> Iterator[Array]:
        """Refuse: there are no rows to be left out."""
        raise ArgumentError(NEEDS_ROWS.format(what='interval="bca"'))

    def _packed(self, mean: Array, scatter: Array) -> Array:
        """Return weight, sums and sums of products about ``centre``, (1 + items + pairs, batch)."""
        first, second = np.triu_indices(len(self.centre))
        products = scatter[:, first, second] + self.n * mean[:, first] * mean[:, second]
        return np.concatenate([np.full((len(mean), 1), self.n), self.n * mean, products], axis=1).T

"""Moments of thousands of resamples at once: counts times pair products.

A resample is a vector of counts c: how often each row was drawn. Its sums, sum_i c_i x_i and
sum_i c_i x_i x_i', are linear in c. So one table holds, for every row, its weight, its answers and the
products of all pairs of answers, and one matrix product with the counts gives the moments of all
resamples. No row is touched again: whatever a model then computes costs the same at any number of rows.
Bootstrap, jackknife, permutation and cross-validation only differ in their counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

SMALLEST_DRAWS, MOST_DRAWS = 20, 1_000_000  # fewer give no limits; more would be kept in gigabytes
Array = NDArray[np.float64]
Indices = NDArray[np.integer]
ROWS_AT_ONCE = 2048  # the table of 24 items then takes 5 MB, whatever the number of rows
DRAWS_AT_ONCE = 1000
LARGEST_BATCH = 10_000  # draws whose sums are held at once


@dataclass(frozen=True, eq=False)
class ResampleTable:
    """Rows of answers, ready to be resampled.

    Attributes
    ----------
    rows : ndarray, shape (rows, items)
        Complete answers, centred on ``centre``.
    weights : ndarray, shape (rows,)
        Survey weights; 1 without.
    centre : ndarray, shape (items,)
    unit : ndarray of int, shape (rows,), optional
        The cluster of each row, 0 ... units - 1, where whole clusters are drawn.
    """

    rows: Array
    weights: Array
    centre: Array
    unit: NDArray[np.intp] | None = None
    draws_at_once: ClassVar[int] = LARGEST_BATCH

    @classmethod
    def of(
        cls, rows: Array, weights: Array | None = None, unit: NDArray[np.intp] | None = None
    ) -> ResampleTable:
        """Centre the rows; the digits of answers with a large offset are kept that way."""
        centre = rows.mean(axis=0)
        return cls(rows - centre, np.ones(len(rows)) if weights is None else weights, centre, unit)

    @property
    def n_units(self) -> int:
        """What is drawn: rows, or clusters."""
        return len(self.rows) if self.unit is None else int(self.unit.max()) + 1

    def _products(self, start: int, stop: int) -> Array:
        """Return weight, weighted answers and weighted pair products of some rows."""
        x, w = self.rows[start:stop], self.weights[start:stop, None]
        first, second = np.triu_indices(x.shape[1])
        weighted = x * w
        return np.concatenate([w, weighted, weighted[:, first] * x[:, second]], axis=1)

    def _blocks(self) -> Iterator[tuple[int, Array]]:
        """Go through the table in blocks of units: (first unit, products)."""
        if self.unit is None:
            for start in range(0, len(self.rows), ROWS_AT_ONCE):
                yield start, self._products(start, start + ROWS_AT_ONCE)
            return
        p = self.rows.shape[1]
        sums = np.zeros((self.n_units, 1 + p + p * (p + 1) // 2))
        for start in range(0, len(self.rows), ROWS_AT_ONCE):
            part = self._products(start, start + ROWS_AT_ONCE)
            np.add.at(sums, self.unit[start : start + ROWS_AT_ONCE], part)
        for start in range(0, len(sums), ROWS_AT_ONCE):
            yield start, sums[start : start + ROWS_AT_ONCE]

    def bootstrap(self, n: int, rng: np.random.Generator) -> Array:
        """Draw with replacement, ``n`` times as many units as there are.

        Returns
        -------
        ndarray, shape (1 + items + pairs, n)
            Sums of each resample: see :meth:`sums`.
        """
        return self._drawn(np.full(n, self.n_units), rng)

    def grouped_bootstrap(self, n: int, groups: int, rng: np.random.Generator) -> Array:
        """Draw like :meth:`bootstrap`, with the sums of each group of drawn units apart.

        Leaving out one group after the other gives a jackknife standard error within each draw. What is grouped
        is the draws, not the units: a unit that is drawn twice is two independent answers of the draw's own
        world, and kept together they would double the variance.

        Returns
        -------
        ndarray, shape (groups, 1 + items + pairs, n)
        """
        sizes = np.full(groups, self.n_units // groups) + (np.arange(groups) < self.n_units % groups)
        sums = self._drawn(np.repeat(sizes, n), rng)
        return sums.reshape(self._width, groups, n).transpose(1, 0, 2)

    def _drawn(self, times: NDArray[np.int64], rng: np.random.Generator) -> Array:
        """Return the sums of resamples of so many units each, (1 + items + pairs, resamples)."""
        total = np.zeros((self._width, len(times)))
        left, units_left = times, self.n_units
        for _, products in self._blocks():
            size = len(products)
            # how many of a resample's units fall into this block of rows
            here = left if size == units_left else rng.binomial(left, size / units_left)
            for start in range(0, len(times), DRAWS_AT_ONCE):
                part = here[start : start + DRAWS_AT_ONCE]
                counts = _count(rng.integers(0, size, int(part.sum())), part, size)
                total[:, start : start + DRAWS_AT_ONCE] += products.T @ counts.T
            left = left - here
            units_left -= size
        return total

    def sums_of(self, indices: Indices) -> Array:
        """Return the sums of given resamples: ``indices`` has one row of unit numbers for each."""
        total = np.zeros((self._width, len(indices)))
        for first, products in self._blocks():
            size = len(products)
            for start in range(0, len(indices), DRAWS_AT_ONCE):
                part = np.asarray(indices[start : start + DRAWS_AT_ONCE], dtype=np.int64) - first
                inside = (part >= 0) & (part < size)
                counts = _count(part[inside], inside.sum(axis=1), size)
                total[:, start : start + DRAWS_AT_ONCE] += products.T @ counts.T
        return total

    def sums(self, counts: Array) -> Array:
        """Return the sums for given counts.

        Parameters
        ----------
        counts : ndarray, shape (resamples, units)
            How often each unit is taken; also 0 and 1 (folds, groups) or any other number.

        Returns
        -------
        ndarray, shape (1 + items + pairs, resamples)
            Sum of weights; weighted sums; weighted sums of products of the pairs of
            ``numpy.triu_indices``.
        """
        total = np.zeros((self._width, len(counts)))
        for first, products in self._blocks():
            total += products.T @ counts[:, first : first + len(products)].T
        return total

    def subset(self, rows: NDArray[np.intp]) -> ResampleTable:
        """Return the table of some rows, centred as they are."""
        return replace(self, rows=self.rows[rows], weights=self.weights[rows])

    def split(self, counts: Array) -> tuple[Array, Array]:
        """Return the sums of the units with a count of 1, and of those with 0."""
        inside = self.sums(counts)
        return inside, self.sums(np.ones((1, self.n_units))) - inside

    def leave_one_out(self) -> Iterator[Array]:
        """Go through the sums without one unit, in blocks."""
        total = np.sum([products.sum(axis=0) for _, products in self._blocks()], axis=0)
        for _, products in self._blocks():
            yield total[:, None] - products.T

    @property
    def _width(self) -> int:
        p = self.rows.shape[1]
        return 1 + p + p * (p + 1) // 2


def _count(drawn: NDArray[np.int64], times: NDArray[np.int64], size: int) -> Array:
    """Count how often each of ``size`` units is drawn; ``times`` says how many draws each resample has."""
    offset = np.repeat(np.arange(len(times)) * size, times)
    return np.bincount(offset + drawn, minlength=len(times) * size).reshape(len(times), size).astype(float)


@dataclass(frozen=True, eq=False)
class ResampledMoments:
    """Moments of a batch of resamples; the batch is the last axis.

    Attributes
    ----------
    corr : ndarray, shape (items, items, batch)
        NaN for items without variance.
    mean : ndarray, shape (items, batch)
        In the units of the answers.
    std : ndarray, shape (items, batch)
        With divisor n: only its ratios are used.
    """

    corr: Array
    mean: Array
    std: Array


def moments_of(sums: Array, centre: Array) -> ResampledMoments:
    """Turn sums of :class:`ResampleTable` into moments."""
    p, batch = len(centre), sums.shape[1]
    corr = np.empty((p, p, batch))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, products = sums[1 : p + 1] / sums[0], sums[p + 1 :]
        starts = np.cumsum([0, *range(p, 1, -1)])  # where each row of the upper triangle begins
        variance = products[starts] / sums[0] - mean * mean
        # what rounding leaves of a constant item is no variance
        there = (variance > 0) & (variance > 1e-12 * (variance + mean * mean))
        std = np.sqrt(np.where(there, variance, np.nan))
        inverse = 1 / std
        scaled, share = mean * inverse, inverse / sums[0]
        for i, start in enumerate(starts):
            row = products[start : start + p - i] * inverse[i:]
            row *= share[i]
            row -= scaled[i:] * scaled[i]
            corr[i, i:] = corr[i:, i] = row
    diagonal = np.arange(p)
    corr[diagonal, diagonal] = np.where(there, 1.0, np.nan)
    return ResampledMoments(corr, mean + centre[:, None], std)

"""Resamples whose moments are no sums over rows: they are computed anew from the rows of each draw.

Polychoric correlations, moments of answers with gaps, and products of first-stage scores are not linear in
how often a row is drawn. Here every draw goes back to its rows; what comes out has the form of
:class:`~satmodels.sem.resample_table.ResampleTable`, so that models need not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, ConvergenceError, DataError, SchemaError
from satmodels.statistics.moments import Moments

Array = NDArray[np.float64]
Reduce = Callable[[Array, Array | None], Moments]
IMPOSSIBLE = -1e-8  # smallest eigenvalue of correlations, per item, below which no data can have them


@dataclass(frozen=True, eq=False)
class RecomputedTable:
    """Rows of answers, and how the moments of any choice of them are computed.

    Attributes
    ----------
    rows : ndarray, shape (rows, columns)
        Answers, with NaN where ``reduce`` takes gaps.
    weights : ndarray, shape (rows,), optional
    reduce : callable
        ``(rows, weights) -> Moments``; an error of ours in a draw makes it a draw that failed.
    unit : ndarray of int, shape (rows,), optional
        The cluster of each row, 0 ... units - 1, where whole clusters are drawn.
    about : ndarray, shape (columns of the moments,), optional
        What sums are taken about; the means of all rows by default.
    """

    rows: Array
    weights: Array | None
    reduce: Reduce
    unit: NDArray[np.intp] | None = None
    about: Array | None = None
    draws_at_once: ClassVar[int] = 20

    @cached_property
    def whole(self) -> Moments:
        """The moments of all rows."""
        return self.reduce(self.rows, self.weights)

    @property
    def centre(self) -> Array:
        """What sums are taken about."""
        return self.whole.mean if self.about is None else self.about

    def subset(self, rows: NDArray[np.intp]) -> RecomputedTable:
        """Return the table of some rows, with sums about the same centre."""
        weights = None if self.weights is None else self.weights[rows]
        return replace(self, rows=self.rows[rows], weights=weights, about=self.centre)

    @property
    def n_units(self) -> int:
        """What is drawn: rows, or clusters."""
        return len(self.rows) if self.unit is None else int(self.unit.max()) + 1

    @cached_property
    def _members(self) -> list[NDArray[np.intp]]:
        assert self.unit is not None  # noqa: S101 - asked for with clusters only
        order = np.argsort(self.unit, kind="stable")
        return np.split(order, np.cumsum(np.bincount(self.unit))[:-1])

    def bootstrap(self, n: int, rng: np.random.Generator) -> Array:
        """Draw with replacement, ``n`` times as many units as there are; see :meth:`sums_of`."""
        return self.sums_of(rng.integers(0, self.n_units, (n, self.n_units)))

    def sums_of(self, indices: Iterable[NDArray[np.integer]]) -> Array:
        """Return the sums of given resamples, (1 + items + pairs, draws); NaN where a draw failed."""
        return np.stack([self._draw(units) for units in indices], axis=1)

    def sums(self, counts: Array) -> Array:
        """Return the sums for how often each unit is taken: whole numbers, one row for each choice."""
        if len(counts) == 1 and (counts == 1).all():
            return self._packed(self.whole)[:, None]  # what is wrong with the whole is said
        times = counts.astype(np.intp)
        return self.sums_of([np.repeat(np.arange(len(c)), c) for c in times])

    def split(self, counts: Array) -> tuple[Array, Array]:
        """Return the sums of the units with a count of 1, and of those with 0."""
        return self.sums(counts), self.sums(1 - counts)

    def leave_one_out(self) -> Iterator[Array]:
        """Go through the sums without one unit, in blocks."""
        units = np.arange(self.n_units)
        for start in range(0, self.n_units, self.draws_at_once):
            left_out = units[start : start + self.draws_at_once]
            yield np.stack([self._draw(units[units != i]) for i in left_out], axis=1)

    def grouped_bootstrap(self, n: int, groups: int, rng: np.random.Generator) -> Array:
        """Refuse: sums of groups don't add up to those of the whole."""
        raise ArgumentError(
            'interval="studentized" needs moments that add up over rows; these are computed anew in each draw: '
            'choose "percentile", "basic" or "bca"'
        )

    def _draw(self, units: NDArray[np.integer]) -> Array:
        at = units if self.unit is None else np.concatenate([self._members[u] for u in units])
        try:
            with np.errstate(all="ignore"):
                moments = self.reduce(self.rows[at], None if self.weights is None else self.weights[at])
                moments.check_variances()
                possible = np.linalg.eigvalsh(moments.corr)[0] >= IMPOSSIBLE * len(moments.columns)
        except (DataError, SchemaError, ConvergenceError, np.linalg.LinAlgError):
            possible, moments = False, self.whole
        packed = self._packed(moments)
        return packed if possible else np.full(len(packed), np.nan)

    def _packed(self, moments: Moments) -> Array:
        """Return weight, sums and sums of products about ``centre``."""
        d = moments.mean - self.centre
        first, second = np.triu_indices(len(d))
        products = moments.cov[first, second] * (moments.n - 1) + moments.n * d[first] * d[second]
        return np.concatenate([[moments.n], moments.n * d, products])

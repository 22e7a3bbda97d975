"""Resamples as counts: how often each unit was drawn, for estimations that go back to the rows themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CountTable:
    """Units to be drawn; in place of sums, each resample is its counts, (units, draws).

    Attributes
    ----------
    n_units : int
        Rows, or clusters.
    strata : tuple of ndarray of int
        Units that are drawn among themselves (the groups of a model); empty where all are drawn together.
    """

    n_units: int
    strata: tuple[NDArray[np.intp], ...] = ()
    draws_at_once: ClassVar[int] = 20

    def bootstrap(self, n: int, rng: np.random.Generator) -> Array:
        """Draw with replacement, ``n`` times as many units as there are, of each stratum as many as it has."""
        if not self.strata:
            return self.sums_of(rng.integers(0, self.n_units, (n, self.n_units)))
        return self.sums_of(np.hstack([s[rng.integers(0, len(s), (n, len(s)))] for s in self.strata]))

    def sums_of(self, indices: NDArray[np.integer]) -> Array:
        """Return the counts of given resamples."""
        return np.stack([np.bincount(i, minlength=self.n_units) for i in indices], axis=1).astype(float)

    def sums(self, counts: Array) -> Array:
        """Return given counts, one column for each resample."""
        return np.asarray(counts, float).T

    def leave_one_out(self) -> Iterator[Array]:
        """Go through the counts without one unit, in blocks."""
        for start in range(0, self.n_units, self.draws_at_once):
            out = np.arange(start, min(start + self.draws_at_once, self.n_units))
            counts = np.ones((self.n_units, len(out)))
            counts[out, np.arange(len(out))] = 0.0
            yield counts

    def grouped_bootstrap(self, n: int, groups: int, rng: np.random.Generator) -> Array:
        """Refuse: fits within groups of units don't add up to the fit of the whole."""
        raise ArgumentError(
            'interval="studentized" needs moments that add up over rows, and this model is fitted anew to the '
            'rows of each draw: choose "percentile", "basic" or "bca"'
        )

"""A covariance model fitted anew to the rows of every draw: groups, rows with gaps, ordered answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import DataError, IdentificationError, SchemaError
from satmodels.sem.covariance.fitting import Fit
from satmodels.sem.covariance.ordinal import fit_ordinal
from satmodels.sem.covariance.patterns import Patterns
from satmodels.sem.covariance.reading import AnswerRows
from satmodels.sem.covariance.resampling import CovarianceResampling
from satmodels.sem.covariance.samples import Sample
from satmodels.sem.model.terms import Term
from satmodels.statistics.moments import Moments

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class RefittedResampling(CovarianceResampling):
    """A draw gives each row the weight of its count; rows are drawn within their groups.

    Attributes
    ----------
    rows : ndarray, shape (rows, columns)
        Answers, NaN where missing; only rows that can be used.
    number : ndarray of int, shape (rows,)
        The group of each row.
    unit : ndarray of int, shape (rows,)
        What is drawn with each row: its own number, or its cluster's.
    """

    rows: Array
    number: NDArray[np.intp]
    unit: NDArray[np.intp]

    def compute(self, sums: Array) -> Array:
        """Return every quantity for a batch of counts, (units, draws); NaN columns where the estimation failed."""
        found = np.full((len(self.names), sums.shape[1]), np.nan)
        for b in range(sums.shape[1]):
            fitted = self._fit_draw(np.asarray(sums[self.unit, b], float))
            if fitted is not None:
                values = self.quantities(fitted)
                if len(values) == len(found):  # a draw may lack a category, and so a threshold
                    found[:, b] = values
        return found

    def _fit_draw(self, counts: Array) -> Fit | None:
        samples: list[Sample] = []
        for g, old in enumerate(self.fit.samples):
            drawn = (counts > 0) & (self.number == g)
            sample = _sample_of(self.rows[drawn], counts[drawn], old)
            if sample is None:
                return None
            samples.append(sample)
        return self.fit_samples(samples)


@dataclass(frozen=True, eq=False)
class OrderedResampling(RefittedResampling):
    """The same for ordered answers: every draw finds its thresholds and correlations anew.

    Attributes
    ----------
    ordered : tuple of str
    unit_variance, theta : bool
    equal : tuple of str
    partial : sequence of Term
    """

    ordered: tuple[str, ...]
    unit_variance: bool
    theta: bool
    equal: tuple[str, ...]
    partial: Sequence[Term]

    def _fit_draw(self, counts: Array) -> Fit | None:
        groups: list[AnswerRows] = []
        for g, old in enumerate(self.fit.samples):
            here = self.number == g
            times = counts[here].astype(np.intp)
            rows = np.repeat(np.asarray(self.rows[here], float), times, axis=0)
            groups.append(AnswerRows(old.group, rows, None, 0))
        try:
            with np.errstate(all="ignore"):
                fit = fit_ordinal(
                    self.spec,
                    groups,
                    self.ordered,
                    self.estimator,
                    unit_variance=self.unit_variance,
                    equal=self.equal,
                    partial=self.partial,
                    theta=self.theta,
                ).fit
        except (DataError, SchemaError, IdentificationError, np.linalg.LinAlgError):
            return None
        return fit if fit.solution.converged else None


def _sample_of(rows: Array, counts: Array, old: Sample) -> Sample | None:
    """Return the sample of counted rows of one group; None where they can't carry a model."""
    n = float(counts.sum())
    gaps = np.isnan(rows)
    if gaps.all(axis=0).any():
        return None  # a column without an answer
    # with gaps the moments are read only for columns that are taken as they are, which have none
    there = np.where(gaps, 0.0, rows)
    mean = np.asarray(counts @ there / n, float)
    gap = there - mean
    cov = (gap * counts[:, None]).T @ gap / n
    patterns = Patterns.of(rows, counts) if gaps.any() else None
    if patterns is None and not np.linalg.eigvalsh(cov)[0] > 0:
        return None
    moments = Moments(old.columns, round(n), mean, np.asarray(cov * n, float), n, n)
    return Sample(old.group, old.columns, round(n), mean, cov, moments, patterns=patterns)

"""What a covariance model takes from the data: per group n, means, covariances, and rows where asked."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, DataError
from satmodels.sem.covariance.normal_moments import gap_information, normal_weight
from satmodels.statistics.moments import Moments

if TYPE_CHECKING:
    from satmodels.sem.covariance.patterns import Patterns

Array = NDArray[np.floating[Any]]
COLLINEAR = 1e-9  # smallest eigenvalue of a correlation matrix that can carry a model


@dataclass(frozen=True, eq=False)
class Sample:
    """The data of one group, reduced.

    Attributes
    ----------
    group : object
        The group's value; None without groups.
    columns : tuple of str
        Observed variables, in the model's order.
    n : float
        Rows that entered; with survey weights the sum of these.
    mean, cov : ndarray
        Means, and covariances with divisor n.
    moments : Moments
        The same as the mergeable statistic.
    n_dropped : int
        Rows left out for missing answers.
    rows : ndarray, shape (n, columns), optional
        The rows, NaN where missing; only where the method needs them.
    weights : ndarray, shape (n,), optional
        Survey weights, normalised to sum to the number of rows of all groups together.
    clusters : ndarray of int, shape (n,), optional
        Number of the cluster of each row.
    patterns : Patterns, optional
        Rows by pattern of missing answers, where rows with gaps are kept; ``mean`` and ``cov`` are then
        those of the saturated model.
    saturated : float
        Minus log-likelihood of the saturated model, with ``patterns``.
    """

    group: Any
    columns: tuple[str, ...]
    n: float
    mean: Array
    cov: Array
    moments: Moments
    n_dropped: int = 0
    rows: Array | None = None
    weights: Array | None = None
    clusters: NDArray[np.intp] | None = None
    patterns: Patterns | None = None
    saturated: float = 0.0

    @functools.cached_property
    def gamma(self) -> Array | None:
        """Asymptotic covariance matrix of the covariances (lower triangle), from the rows."""
        from satmodels.sem.covariance.moment_distance import fourth_moments

        return None if self.rows is None else fourth_moments(self.rows)

    @functools.cached_property
    def saturated_information(self) -> Array:
        """Observed information on the saturated means and covariances (lower triangle)."""
        if self.patterns is None:
            return self.n * normal_weight(self.cov, means=True)
        return gap_information(self.patterns, self.cov, self.mean)

    @property
    def std(self) -> Array:
        """Standard deviations with divisor n."""
        return np.sqrt(np.diag(self.cov))

    def without_rows(self) -> Sample:
        """Return the sample without its rows: results and models keep no respondent."""
        return replace(self, rows=None, weights=None, clusters=None, patterns=None)

    def with_rows(self, rows: Array, weights: Array | None, clusters: NDArray[np.intp] | None) -> Sample:
        """Return the sample with its rows; weighted ones count by their weight."""
        n = self.n if weights is None else float(weights.sum())
        return replace(self, n=n, rows=rows, weights=weights, clusters=clusters)


def sample_from_moments(moments: Moments, columns: Sequence[str], group: Any = None) -> Sample:
    """Return the sample behind moments, checked to carry a model of these columns.

    Raises
    ------
    DataError
        A column is constant, columns are collinear, or there are too few rows.
    """
    chosen = moments.select(columns)
    where = "" if group is None else f" in group {group!r}"
    if chosen.n <= len(columns):
        dropped = f" ({chosen.n_dropped} rows with missing answers left out)" if chosen.n_dropped else ""
        raise DataError(
            f"{chosen.n} complete rows{where}{dropped} can't carry covariances of {len(columns)} columns: "
            "more rows than columns are needed",
            columns=tuple(columns),
        )
    if not (np.isfinite(chosen.scatter).all() and np.isfinite(chosen.mean).all()):
        raise DataError(f"the moments{where} are not finite: are there answers beyond 1e150?")
    chosen.check_variances()
    check_collinear(chosen.corr, columns, where)
    cov = chosen.scatter / chosen.sum_w
    return Sample(group, tuple(columns), chosen.n, chosen.mean, cov, chosen, chosen.n_dropped)


def check_collinear(corr: Array, columns: Sequence[str], where: str = "") -> None:
    """Raise DataError naming the columns of which one is a linear function of the others."""
    values, vectors = np.linalg.eigh(corr)
    if values[0] > COLLINEAR:
        return
    vector = np.abs(vectors[:, 0])
    involved = [c for c, x in zip(columns, vector, strict=True) if x > 0.05 * vector.max()]
    raise DataError(
        f"the columns {involved}{where} are collinear (one follows from the others): leave one of them out",
        columns=involved,
    )


def as_moments(data: Any) -> Moments | None:
    """Return data if it is Moments, with a clear error for a bare covariance matrix."""
    if isinstance(data, Moments):
        return data
    if not hasattr(data, "index") or not hasattr(data, "columns"):
        return None
    if len(data.columns) and len(data.index) == len(data.columns) and list(data.index) == list(data.columns):
        raise ArgumentError(
            "this looks like a covariance or correlation matrix: give Moments.from_correlation(corr, n, std=...)"
        )
    return None

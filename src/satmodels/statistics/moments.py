"""Moments: n, means and cross products. CSI, drivers, PLS and covariance models need nothing else.

Blocks are centred on their own mean and merged by the update formula of Chan, Golub and LeVeque
(1983, The American Statistician 37(3), eq. 1.3 in matrix form), so that amounts with a large offset
keep their digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, DataError, unknown
from satmodels.intake.batches import batches
from satmodels.intake.cells import check_weight
from satmodels.intake.frames import Frame, open_frame
from satmodels.intake.partitions import has_partitions, summarise_partitions
from satmodels.statistics import blocks
from satmodels.statistics.blocks import PartitionSums, Sums, all_sums, block_sums, merged, no_rows
from satmodels.statistics.counts import as_names
from satmodels.stored import read_document, write_document

VERSION = 1
MAX_COLUMNS = 500
PSD_TOLERANCE = 1e-8  # an eigenvalue of a correlation matrix below minus this is no rounding error
_FIELDS = ("columns", "n", "n_dropped", "weighted", "sum_w", "sum_w2", "mean", "scatter")

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Moments:
    """Number of rows, means and cross products of some columns.

    Attributes
    ----------
    columns : tuple of str
        The columns, in order.
    n : int
        Complete rows that entered.
    n_dropped : int
        Rows left out because an answer was missing.
    sum_w, sum_w2 : float
        Sums of the weights and of their squares; both equal ``n`` without weights.
    mean : ndarray, shape (columns,)
        Weighted means.
    scatter : ndarray, shape (columns, columns)
        Weighted sums of cross products about the mean.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> frame = pd.DataFrame({"q1": [7, 8, 9, 4], "q2": [6, 9, 9, 5]})
    >>> a = sat.Moments.collect(frame[:2], ["q1", "q2"])
    >>> b = sat.Moments.collect(frame[2:], ["q1", "q2"])
    >>> (a + b).n, float((a + b).cov[0, 1])
    (4, 4.0)
    """

    columns: tuple[str, ...]
    n: int
    mean: Array
    scatter: Array
    sum_w: float
    sum_w2: float
    n_dropped: int = 0
    weighted: bool = False

    @property
    def n_eff(self) -> float:
        """Effective number of rows, (sum w)² / sum w² (Kish 1965)."""
        return self.sum_w**2 / self.sum_w2 if self.sum_w2 > 0 else 0.0

    @property
    def cov(self) -> Array:
        """Covariance matrix with divisor n - 1; with weights, normalised to sum to n."""
        if self.n < 2:
            raise DataError(f"a covariance needs at least 2 complete rows, there are {self.n}")
        if self.sum_w <= 0:
            raise DataError("a covariance needs rows with a weight above 0; all weights are 0")
        return self.scatter / self.sum_w * (self.n / (self.n - 1))

    @property
    def std(self) -> Array:
        """Standard deviations, with divisor n - 1."""
        return np.sqrt(np.diag(self.cov))

    @property
    def corr(self) -> Array:
        """Correlation matrix.

        Raises
        ------
        DataError
            A column is constant.
        """
        self.check_variances()
        scale = 1 / np.sqrt(np.diag(self.scatter))
        corr = self.scatter * scale[:, None] * scale
        np.fill_diagonal(corr, 1.0)
        return corr

    def check_variances(self) -> None:
        """Raise DataError naming the columns that have no variance."""
        if self.n < 2:
            raise DataError(f"correlations need at least 2 complete rows, there are {self.n}")
        # rounding leaves a constant column a scatter of about n * (eps * mean)^2
        floor = self.sum_w * (np.finfo(float).eps * np.abs(self.mean) * 8) ** 2
        constant = [self.columns[i] for i in np.flatnonzero(np.diag(self.scatter) <= floor)]
        if constant:
            raise DataError(
                f"every answer is the same in {constant}: a constant column has no correlation. Leave it out.",
                columns=constant,
            )

    @classmethod
    @checked
    def collect(cls, data: Any, columns: str | Sequence[str], weight: str | None = None) -> Self:
        """Collect the moments of a dataframe, block by block.

        Parameters
        ----------
        data : dataframe
            Any supported dataframe, lazy or not.
        columns : sequence of str
            Columns of numbers, at most 500.
        weight : str, optional
            Column of survey weights.

        Notes
        -----
        Rows with a missing answer in any of the columns are left out and counted in ``n_dropped``.

        Raises
        ------
        ArgumentError
            A column is not there or listed twice.
        SchemaError
            A column holds text, booleans or infinite values, or a weight is no weight.
        """
        columns = as_names(columns)
        if not columns or len(columns) > MAX_COLUMNS:
            raise ArgumentError(f"moments take 1 to {MAX_COLUMNS} columns, not {len(columns)}")
        frame = open_frame(data)
        frame.require(columns)
        if weight is not None:
            if weight in columns:
                raise ArgumentError(f"column {weight!r} is used twice: among the columns and as the weight")
            check_weight(frame, weight)
        return cls._of_sums(columns, frame_sums(frame, columns, weight), weighted=weight is not None)

    @classmethod
    def _of_sums(cls, columns: Sequence[str], sums: Sums, *, weighted: bool) -> Self:
        n, n_dropped, sum_w, sum_w2, mean, scatter = sums
        if not np.isfinite(scatter).all():
            beyond = [c for c, own in zip(columns, np.diag(scatter), strict=True) if not np.isfinite(own)]
            raise DataError(
                f"the values of {beyond or list(columns)} are so large that their squares are no numbers: correct "
                "them, or give them in a larger unit",
                columns=beyond or columns,
            )
        return cls(tuple(columns), n, mean, scatter, sum_w, sum_w2, n_dropped, weighted)

    @classmethod
    @checked
    def empty(cls, columns: Sequence[str], *, weighted: bool = False) -> Self:
        """Return the moments of no rows: the zero of ``+``."""
        p = len(columns)
        return cls(tuple(columns), 0, np.zeros(p), np.zeros((p, p)), 0.0, 0.0, 0, weighted)

    @classmethod
    @checked
    def of_block(cls, columns: Sequence[str], block: Array, w: Array | None = None) -> Self:
        """Return the moments of one array of rows, those with NaN left out."""
        return cls._of_sums(columns, block_sums(block, w), weighted=w is not None)

    @classmethod
    @checked
    def from_correlation(
        cls,
        corr: Any,
        n: int,
        std: Mapping[str, float] | Sequence[float] | None = None,
        mean: Mapping[str, float] | Sequence[float] | None = None,
        *,
        columns: Sequence[str] | None = None,
    ) -> Self:
        """Build moments from a published correlation matrix.

        Parameters
        ----------
        corr : DataFrame, mapping of mappings, or array of shape (p, p)
            Correlations. A labelled matrix is reordered by name; an array needs ``columns``.
        n : int
            Number of respondents behind it.
        std, mean : mapping or sequence, optional
            Standard deviations (divisor n - 1) and means; 1 and 0 where not given.
        columns : sequence of str, optional
            Names of the rows and columns of an array.

        Raises
        ------
        ArgumentError
            The matrix is no correlation matrix: not square, not symmetric, a diagonal other than 1,
            NaN, names that don't match; or n is no number of respondents.
        """
        matrix, names = _labelled(corr, columns)
        _check_correlation(matrix, names)
        given: Any = n
        if isinstance(given, bool) or not isinstance(given, int | float | np.number) or n % 1 != 0 or n < 2:
            raise ArgumentError(f"n={n!r}: the number of respondents is a whole number of at least 2")
        scale = _by_name(std, names, "std", default=1.0)
        if (scale <= 0).any():
            raise ArgumentError("std: standard deviations are larger than 0")
        centre = _by_name(mean, names, "mean", default=0.0)
        matrix = (matrix + matrix.T) / 2
        np.fill_diagonal(matrix, 1.0)
        scatter = matrix * np.outer(scale, scale) * (n - 1)
        return cls(tuple(names), int(n), centre, scatter, float(n), float(n))

    @checked
    def select(self, columns: Sequence[str]) -> Self:
        """Return the moments of some of the columns, in this order."""
        columns = as_names(columns)
        if columns == self.columns:
            return self
        place = {c: i for i, c in enumerate(self.columns)}
        for c in columns:
            if c not in place:
                raise unknown("column of these moments", c, self.columns)
        at = [place[c] for c in columns]
        return type(self)(
            tuple(columns),
            self.n,
            self.mean[at],
            self.scatter[np.ix_(at, at)],
            self.sum_w,
            self.sum_w2,
            self.n_dropped,
            self.weighted,
        )

    def __add__(self, other: object) -> Self:
        if not isinstance(other, Moments):
            return NotImplemented
        if self.columns != other.columns:
            raise ArgumentError(
                f"moments of different columns don't add up: {list(self.columns)} and {list(other.columns)}"
            )
        total = merged(self._sums, other._sums)
        return self._of_sums(self.columns, total, weighted=self.weighted or other.weighted)

    @property
    def _sums(self) -> Sums:
        return Sums(self.n, self.n_dropped, self.sum_w, self.sum_w2, self.mean, self.scatter)

    def __repr__(self) -> str:
        weighted = f", n_eff={self.n_eff:,.1f}" if self.weighted else ""
        return f"Moments({len(self.columns)} columns, n={self.n:,}, n_dropped={self.n_dropped:,}{weighted})"

    def to_json(self) -> str:
        """Return the statistic as a JSON document with a checksum; the respondents are not in it."""
        upper = self.scatter[np.triu_indices(len(self.columns))]
        body = {
            "columns": list(self.columns),
            "n": self.n,
            "n_dropped": self.n_dropped,
            "weighted": self.weighted,
            "sum_w": self.sum_w,
            "sum_w2": self.sum_w2,
            "mean": self.mean.tolist(),
            "scatter": upper.tolist(),
        }
        return write_document("Moments", VERSION, body)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a document of :meth:`to_json`; anything else is an ArgumentError."""
        body = read_document(text, "Moments", VERSION, _FIELDS)
        try:
            columns = tuple(str(c) for c in body["columns"])
            p = len(columns)
            if not 1 <= p <= MAX_COLUMNS or len(set(columns)) < p:
                raise ValueError(f"1 to {MAX_COLUMNS} distinct columns are allowed")
            upper = np.triu_indices(p)
            scatter = np.zeros((p, p))
            scatter[upper] = np.array(body["scatter"], dtype=float).reshape(len(upper[0]))
            scatter = scatter + np.triu(scatter, 1).T
            n, n_dropped = (_count(body[f]) for f in ("n", "n_dropped"))
            sum_w, sum_w2 = float(body["sum_w"]), float(body["sum_w2"])
            if sum_w < 0 or sum_w2 < 0 or (np.diag(scatter) < 0).any():
                raise ValueError("weights and sums of squares are not negative")
            mean = np.array(body["mean"], dtype=float).reshape(p)
            return cls(columns, n, mean, scatter, sum_w, sum_w2, n_dropped, bool(body["weighted"]))
        except (ValueError, TypeError, OverflowError) as error:
            raise ArgumentError(f"the fields of these stored Moments don't fit together: {error}") from error


def frame_sums(frame: Frame, columns: Sequence[str], weight: str | None = None) -> Sums:
    """Return the sums of the columns of a frame, block by block; rows with a missing value are left out."""
    wanted = columns if weight is None else (*columns, weight)
    p, weighted = len(columns), weight is not None
    if has_partitions(frame):
        task = PartitionSums(p, weighted=weighted)
        texts = summarise_partitions(frame, wanted, task, ships=(blocks,))
        return reduce(merged, map(task.read, texts), no_rows(p))
    return all_sums(p, batches(frame, wanted), weighted=weighted)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value


def _labelled(corr: Any, columns: Sequence[str] | None) -> tuple[Array, list[str]]:
    """Read a matrix with its names; rows of a labelled matrix are brought into the order of its columns."""
    if isinstance(corr, Mapping):
        names = [str(k) for k in corr]
        try:
            rows = [[float(corr[a][b]) for b in names] for a in names]
        except (KeyError, TypeError) as error:
            raise ArgumentError(f"corr: the rows and columns don't have the same names ({error})") from error
        return np.array(rows), names
    if hasattr(corr, "columns") and hasattr(corr, "index") and hasattr(corr, "loc"):
        names = [str(c) for c in corr.columns]
        if set(map(str, corr.index)) != set(names):
            raise ArgumentError("corr: the rows and columns don't have the same names")
        return np.array(corr.loc[list(corr.columns)], dtype=float), names
    try:
        matrix = np.array(corr, dtype=float)
    except (ValueError, TypeError) as error:
        raise ArgumentError(f"corr is no matrix of numbers: {error}") from error
    if columns is None:
        raise ArgumentError("corr has no names: give columns=, or a DataFrame with names on both sides")
    return matrix, [str(c) for c in as_names(columns)]


def _check_correlation(matrix: Array, names: Sequence[str]) -> None:
    if matrix.shape != (len(names), len(names)):
        raise ArgumentError(
            f"corr has shape {matrix.shape}; {len(names)} names need a square matrix of that size"
        )
    if not np.isfinite(matrix).all():
        raise ArgumentError("corr has missing or infinite entries")
    if np.abs(matrix - matrix.T).max() > 1e-8:
        i, j = divmod(int(np.abs(matrix - matrix.T).argmax()), len(names))
        raise ArgumentError(f"corr is not symmetric: {names[i]!r} with {names[j]!r} differs from its mirror")
    if np.abs(np.diag(matrix) - 1).max() > 1e-6:
        raise ArgumentError("corr has a diagonal other than 1: for covariances give std= and correlations")
    if np.linalg.eigvalsh(matrix)[0] < -PSD_TOLERANCE * len(names):
        raise ArgumentError(
            "corr is not positive semidefinite, so no data can have it: were pairs of columns "
            "correlated on different rows?"
        )


def _by_name(
    values: Mapping[str, float] | Sequence[float] | None, names: Sequence[str], what: str, *, default: float
) -> Array:
    if values is None:
        return np.full(len(names), default)
    given: Any = values
    if isinstance(given, Mapping) or hasattr(given, "to_dict"):  # a mapping, or a pandas Series
        by_name = {str(k): v for k, v in given.items()}
        if set(by_name) != set(names):
            raise ArgumentError(f"{what} names {sorted(by_name)}, the correlations name {sorted(names)}")
        given = [by_name[name] for name in names]
    try:
        array = np.array(given, dtype=float)
    except (ValueError, TypeError, OverflowError) as error:
        raise ArgumentError(f"{what} holds no numbers") from error
    if array.shape != (len(names),) or not np.isfinite(array).all():
        raise ArgumentError(f"{what} needs one finite number for each of the {len(names)} columns")
    return array

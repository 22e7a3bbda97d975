"""Missing answers: what each policy makes of rows with gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import DataError, SchemaError
from satmodels.statistics.moments import Moments

Array = NDArray[np.float64]
Missing = Literal["mean", "drop", "pairwise", "em", "error"]
# these give complete rows; the others give moments, which a resample computes anew
ROW_POLICIES: tuple[Missing, ...] = ("mean", "drop", "error")
MISSING: tuple[Missing, ...] = ("mean", "drop", "pairwise", "em", "error")


def refuse_gaps(gaps: NDArray[np.bool_], columns: Sequence[str]) -> None:
    """Raise SchemaError for the first column with a gap."""
    j = int(gaps.any(axis=0).argmax())
    at = np.flatnonzero(gaps[:, j])
    raise SchemaError.answers(
        columns[j],
        "no answer is missing",
        'Choose another policy, for example missing="mean", or fill the gaps first.',
        n_bad=len(at),
        offenders=[(int(i), None) for i in at[:5]],
    )


def mean_replaced(rows: Array, weights: Array | None, columns: Sequence[str]) -> Array:
    """Return the rows with each gap replaced by the (weighted) mean of its column."""
    gaps = np.isnan(rows)
    present = (~gaps).astype(float) if weights is None else ~gaps * weights[:, None]
    total = present.sum(axis=0)
    _refuse_empty(total, columns)
    means = (np.where(gaps, 0.0, rows) * present).sum(axis=0) / total
    return np.where(gaps, means, rows)


def replaced_moments(rows: Array, weights: Array | None, columns: Sequence[str]) -> Moments:
    """Return the moments of rows whose gaps are replaced by the means of these very rows."""
    return Moments.of_block(columns, mean_replaced(rows, weights, columns), weights)


def ordinal_moments(rows: Array, columns: Sequence[str]) -> Moments:
    """Return moments with polychoric correlations; means and variances are those of the codes.

    Rows with a gap are left out: a mean is no category.
    """
    from satmodels.sem.covariance.polychoric import polychoric

    found = polychoric(rows, tuple(columns))
    plain = Moments.of_block(columns, rows)
    scale = np.sqrt(np.diag(plain.scatter))
    return replace(plain, scatter=found.corr * np.outer(scale, scale))


def _refuse_empty(total: Array, columns: Sequence[str]) -> None:
    if (total <= 0).any():
        empty = [c for c, t in zip(columns, total, strict=True) if t <= 0]
        raise DataError(f"every answer is missing in {empty}. Leave these columns out.", columns=empty)

"""Columns that are combinations of one another, found in their correlations and named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import DataError

SINGULAR = 1e-10  # a combination of standardised columns with less variance than this is none at all
INVOLVED = 1e-3  # smallest share, in absolute value, of a column in such a combination


def collinear(corr: NDArray[Any], names: Sequence[str], singular: float = SINGULAR) -> list[str]:
    """Return the columns that are combinations of one another, by the eigenvalues of their correlations."""
    if not np.isfinite(corr).all():
        raise DataError(
            "an answer is so large that its square is no number: correct it, or give the answers in a larger unit",
            columns=names,
        )
    values, vectors = np.linalg.eigh(corr)
    if values[0] > singular:
        return []
    share = np.abs(vectors[:, values <= singular]).max(axis=1)
    return [name for name, there in zip(names, share, strict=True) if there > INVOLVED]


def refuse_collinear(corr: NDArray[Any], names: Sequence[str]) -> None:
    """Raise DataError that names the items which are combinations of one another."""
    if copies := collinear(corr, names):
        raise DataError(
            f"the items {copies} are collinear: one of them is a sum of others, or is there twice. Leave it out.",
            columns=copies,
        )

"""Adjusting p-values where many differences are tested at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satmodels.errors import check_word

ADJUSTMENTS = ("holm", "bh", "bonferroni", "none")


def adjust_p(p: ArrayLike, method: str = "holm") -> NDArray[np.float64]:
    """Return adjusted p-values; NaN stays NaN and counts for nothing.

    Parameters
    ----------
    p : array-like, shape (tests,)
        P-values.
    method : {"holm", "bh", "bonferroni", "none"}, default "holm"
        Holm (1979) and Bonferroni hold the chance of any false alarm; Benjamini and Hochberg (1995) hold
        the expected share of false alarms among the findings.

    Examples
    --------
    >>> adjust_p([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    >>> adjust_p([0.01, 0.04, 0.03], "bh").round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    check_word("adjust", method, ADJUSTMENTS)
    values = np.asarray(p, dtype=float)
    adjusted = np.full(values.shape, np.nan)
    known = np.flatnonzero(~np.isnan(values))
    some, m = values[known], len(known)
    if m == 0:
        return adjusted
    order = np.argsort(some, kind="stable")
    rank = np.arange(1, m + 1)
    if method == "holm":
        sorted_ = np.maximum.accumulate((m - rank + 1) * some[order])
    elif method == "bh":
        sorted_ = np.minimum.accumulate((m / rank * some[order])[::-1])[::-1]
    else:
        sorted_ = some[order] * (m if method == "bonferroni" else 1)
    adjusted[known[order]] = np.minimum(sorted_, 1)
    return adjusted

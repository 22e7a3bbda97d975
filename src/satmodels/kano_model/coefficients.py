"""Better and worse: how much a feature lifts satisfaction when there, and lowers it when not.

better = (A + O) / (A + O + M + I), worse = -(O + M) / (A + O + M + I) (Timko 1993 in Berger et al.);
reverse and questionable answers are left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.kano_model.tables import CATEGORIES, KanoTable
from satmodels.statistics.intervals import proportion_interval

Array = NDArray[np.float64]

_A, _O, _M, _I = (CATEGORIES.index(c) for c in "AOMI")
BETTER, WORSE, CARING = (_A, _O), (_O, _M), (_A, _O, _M, _I)


def coefficients(categories: Array) -> tuple[Array, Array]:
    """Return better and worse from counts (..., 6); NaN where nobody is A, O, M or I.

    Examples
    --------
    >>> better, worse = coefficients(np.array([91.0, 19, 9, 160, 49, 30]))
    >>> round(float(better), 7), round(float(worse), 7)
    (0.3942652, -0.1003584)
    """
    caring = categories[..., CARING].sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        base = np.where(caring > 0, caring, np.nan)
        # 0 - x: a worse of none is 0, not minus 0
        return categories[..., BETTER].sum(axis=-1) / base, 0.0 - categories[..., WORSE].sum(axis=-1) / base


def coefficient_intervals(
    w: NDArray[Any], w2: NDArray[Any], table: KanoTable, level: float
) -> tuple[Array, Array, Array, Array]:
    """Return the limits of better and of worse from sums of weights and of their squares per pair.

    Given how many respondents are A, O, M or I, those who are A or O are binomial: Wilson's interval,
    with weights on the effective size p(1 - p) / var(p) of the linearised ratio.

    Returns
    -------
    better_low, better_high, worse_low, worse_high : ndarray
    """
    sums, squares = table.count(w), table.count(w2)
    limits: list[Array] = []
    for chosen in (BETTER, WORSE):
        low, high = proportion_interval(*effective_size(sums, squares, chosen), level=level)
        limits += [low, high] if chosen is BETTER else [0.0 - high, 0.0 - low]
    return limits[0], limits[1], limits[2], limits[3]


def strengths(categories: Array) -> tuple[Array, Array]:
    """Return total strength (A + O + M) / n and category strength (largest - second) / n, as fractions."""
    n = categories.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        base = np.where(n > 0, n, np.nan)
        ordered = np.sort(categories, axis=-1)
        return categories[..., (_A, _O, _M)].sum(axis=-1) / base, (ordered[..., -1] - ordered[..., -2]) / base


def effective_size(sums: Array, squares: Array, chosen: tuple[int, ...]) -> tuple[Array, Array]:
    """Return successes and trials of the unweighted sample that would have the same variance."""
    caring = sums[..., CARING].sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.where(caring > 0, sums[..., chosen].sum(axis=-1) / caring, np.nan)
        inside = squares[..., chosen].sum(axis=-1)
        outside = squares[..., CARING].sum(axis=-1) - inside
        variance = (inside * (1 - p) ** 2 + outside * p**2) / caring**2
        kish = caring**2 / (inside + outside)
        n = np.where(variance > 0, p * (1 - p) / variance, kish)
    n = np.nan_to_num(n)
    return np.where(n > 0, p * n, 0.0), n

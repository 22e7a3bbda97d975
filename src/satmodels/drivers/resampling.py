"""Bootstrap limits of importances: the rows are drawn anew, everything is computed again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError

Array = NDArray[np.float64]

DRAWS = 1_000
MOST_WORK = 2e10  # rows x columns² x draws: some seconds


def bootstrap_importance(
    rows: Array, w: Array | None, importance: Callable[[Array, Array], Array], *, seed: int | None
) -> Array:
    """Return the importances of 1,000 draws (draws, p).

    Parameters
    ----------
    rows : ndarray, shape (n, p + 1)
        Complete answers, the outcome last.
    w : ndarray, shape (n,), optional
        Survey weights; a row that is drawn twice counts twice.
    importance : callable
        From the drivers' correlations and their correlations with the outcome.
    seed : int, optional
        Makes the draws repeatable.
    """
    n, m = rows.shape
    if n * m * m * DRAWS > MOST_WORK:
        raise ArgumentError(
            f"a bootstrap of {n:,} rows would take long; interval='robust' gives the same limits from one pass"
        )
    rng = np.random.default_rng(seed)
    centred = rows - rows.mean(axis=0)
    found: list[Array] = []
    for _ in range(DRAWS):
        times = np.bincount(rng.integers(0, n, size=n), minlength=n).astype(float)
        weight = times if w is None else times * w
        mean = weight @ centred / weight.sum()
        scatter = (centred * weight[:, None]).T @ centred / weight.sum() - np.outer(mean, mean)
        scale = 1 / np.sqrt(np.diag(scatter))
        joint = scatter * scale[:, None] * scale
        if np.isfinite(joint).all():  # a draw may leave a rare answer out
            found.append(importance(joint[:-1, :-1], joint[:-1, -1]))
    return np.array(found)

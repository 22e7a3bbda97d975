"""Shapley values of a pseudo-R²: drivers of a yes or no, such as would-buy-again.

The value of a set of drivers is McFadden's (1974) 1 - logL(set) / logL(none) of a logistic regression.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from satmodels.drivers.shapley import fold_game
from satmodels.errors import ArgumentError, ConvergenceError, DataError, SchemaError

Array = NDArray[np.float64]

MAX_DRIVERS = 12  # 2^12 logistic regressions
ITERATIONS = 50
TOLERANCE = 1e-10  # of the deviance, relative
SEPARATED = 1e-8  # a fitted chance this close to 0 or 1 for an answer that is never wrong


def logit_shapley(x: Array, y: Array, w: Array, names: tuple[str, ...], outcome: str) -> tuple[Array, Array]:
    """Return the Shapley values of McFadden's R² and the coefficients of all drivers together.

    Parameters
    ----------
    x : ndarray, shape (n, p)
        Complete answers.
    y : ndarray, shape (n,)
        0 and 1.
    w : ndarray, shape (n,)
        Weights.

    Raises
    ------
    SchemaError
        The outcome has other values than 0 and 1.
    DataError
        All answers are the same, or the drivers separate yes from no completely.
    """
    p = len(names)
    if p > MAX_DRIVERS:
        raise ArgumentError(
            f"method='logit' fits 2^{p} logistic regressions: at most {MAX_DRIVERS} drivers. Use "
            "method='shapley' on the 0/1 outcome for more (a linear probability model)."
        )
    bad = ~np.isin(y, (0.0, 1.0))
    if bad.any():
        raise SchemaError.answers(
            outcome,
            "0 or 1",
            "method='logit' explains a yes or no: recode the outcome.",
            n_bad=int(bad.sum()),
            value=float(y[np.argmax(bad)]),
        )
    share = float(w @ y / w.sum())
    if not 0 < share < 1:
        raise DataError(f"every answer to {outcome!r} is the same", columns=[outcome])
    # equal rows are fitted once: ratings repeat, and 2^p fits see every row
    rows, place = np.unique(np.column_stack([x, y]), axis=0, return_inverse=True)
    weight = np.bincount(place.ravel(), w, minlength=len(rows)).astype(np.float64)
    design = np.column_stack([np.ones(len(rows)), (rows[:, :p] - x.mean(axis=0)) / x.std(axis=0)])
    null = -2 * w.sum() * (share * np.log(share) + (1 - share) * np.log(1 - share))
    value = np.zeros(1 << p)
    slopes = np.zeros((1 << p, p + 1))
    slopes[0, 0] = np.log(share / (1 - share))
    for subset in range(1, 1 << p):
        members = [0, *(1 + j for j in range(p) if subset >> j & 1)]
        start = slopes[subset & (subset - 1), members]  # of the same set without its first driver
        b, deviance = _fit(design[:, members], rows[:, p], weight, start, names)
        slopes[subset, members] = b
        value[subset] = 1 - deviance / null
    return fold_game(value), slopes[-1, 1:] / x.std(axis=0)


def _fit(x: Array, y: Array, w: Array, b: Array, names: tuple[str, ...]) -> tuple[Array, float]:
    """Fit one logistic regression by Newton's method."""
    last = np.inf
    for _ in range(ITERATIONS):
        eta = x @ b
        chance = 1 / (1 + np.exp(-np.clip(eta, -700, 700)))
        deviance = 2 * float(w @ np.logaddexp(0, np.where(y > 0, -eta, eta)))
        if deviance < SEPARATED * w.sum():
            raise DataError(
                "the drivers tell every yes from every no: the logit has no solution", columns=names
            )
        if abs(last - deviance) <= TOLERANCE * deviance:
            return b, deviance
        last = deviance
        information = (x * (w * chance * (1 - chance))[:, None]).T @ x
        try:
            b = b + np.linalg.solve(information, x.T @ (w * (y - chance)))
        except np.linalg.LinAlgError as error:
            raise DataError("the drivers are collinear, or separate yes from no", columns=names) from error
    raise ConvergenceError(
        f"the logistic regression on {list(names)} did not converge in {ITERATIONS} steps: do some drivers "
        "separate yes from no?"
    )

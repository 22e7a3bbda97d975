"""Shapley values of a pseudo-R²: drivers of a yes or no, such as would-buy-again.

The value of a set of drivers is McFadden's (1974) 1 - logL(set) / logL(none) of a logistic regression.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from satmodels.drivers.shapley import fold_game
from satmodels.errors import ArgumentError, ConvergenceError, DataError, SchemaError

Array = NDArray[np.float64]

MAX_DRIVERS = 12  # 2^12 logistic regressions
ITERATIONS = 50
TOLERANCE = 1e-10  # of the deviance, relative
DRAWS = 1_000  # of a bootstrap
TOGETHER = 50  # draws that are fitted at once
MOST_WORK = 1e8  # distinct rows x subsets x draws of a bootstrap: some ten seconds
SINGULAR = 1e-10  # smallest eigenvalue of the information over the largest, of a draw
RAN_AWAY = 1e6  # log-odds per standard deviation: a step that only goes on
SEPARATED = 1e-8  # a fitted chance this close to 0 or 1 for an answer that is never wrong


@dataclass(frozen=True, eq=False)
class SubsetFits:
    """The logistic regressions on all subsets of the drivers.

    Attributes
    ----------
    design : ndarray, shape (u, p + 1)
        The distinct rows: 1 and the standardised drivers.
    yes : ndarray, shape (u,)
        Their outcome.
    place : ndarray of int, shape (n,)
        The distinct row of each answer.
    w : ndarray, shape (n,)
        Weights of the answers.
    slopes : ndarray, shape (2^p, p + 1)
        Coefficients of each subset, 0 for who is not in it.
    values : ndarray, shape (p,)
        Shapley values of McFadden's R².
    beta : ndarray, shape (p,)
        Coefficients of all drivers together, per standard deviation.
    """

    design: Array
    yes: Array
    place: NDArray[np.intp]
    w: Array
    slopes: Array
    values: Array
    beta: Array

    def bootstrap(self, seed: int | None = None) -> tuple[Array, int]:
        """Return the Shapley values of 1,000 draws of the rows and the number of draws without a solution.

        A draw has none when its answers to the outcome are all the same, or its drivers tell every yes from
        every no or are collinear. The draws of a subset are fitted together, from the fit of all rows on.
        """
        n, (u, k) = len(self.place), self.design.shape
        if (work := u * len(self.slopes) * DRAWS) > MOST_WORK:
            raise ArgumentError(
                f"a bootstrap of {len(self.slopes)} logistic regressions on {u:,} distinct rows takes "
                f"{work / MOST_WORK:.0f} times what is allowed: use interval='none' or fewer drivers"
            )
        rng = np.random.default_rng(seed)
        found: list[Array] = []
        for start in range(0, DRAWS, TOGETHER):
            weight = np.empty((min(TOGETHER, DRAWS - start), u))
            for row in weight:
                times = np.bincount(rng.integers(0, n, size=n), minlength=n)
                row[:] = np.bincount(self.place, times * self.w, minlength=u)
            share = weight @ self.yes / weight.sum(axis=1)
            weight, share = weight[(share > 0) & (share < 1)], share[(share > 0) & (share < 1)]
            null = -2 * weight.sum(axis=1) * (share * np.log(share) + (1 - share) * np.log(1 - share))
            value = np.zeros((len(weight), len(self.slopes)))
            for subset in range(1, len(self.slopes)):
                members = [0, *(j for j in range(1, k) if subset >> (j - 1) & 1)]
                deviance = _fit_draws(self.design[:, members], self.yes, weight, self.slopes[subset, members])
                value[:, subset] = 1 - deviance / null
            found += [fold_game(v) for v in value if np.isfinite(v).all()]
        return np.array(found), DRAWS - len(found)


def fit_subsets(x: Array, y: Array, w: Array, names: tuple[str, ...], outcome: str) -> SubsetFits:
    """Fit the logistic regressions on all subsets of the drivers.

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
    return SubsetFits(
        design=design,
        yes=rows[:, p],
        place=place.ravel(),
        w=w,
        slopes=slopes,
        values=fold_game(value),
        beta=slopes[-1, 1:] / x.std(axis=0),
    )


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


def _fit_draws(x: Array, y: Array, w: Array, start: Array) -> Array:
    """Fit one subset to many weights (draws, u) of the rows; return the deviances, NaN without a solution."""
    u, k = x.shape
    products = (x[:, :, None] * x[:, None, :]).reshape(u, k * k)
    sign = np.where(y > 0, 1.0, -1.0)
    b = np.tile(start, (len(w), 1))
    out, last = np.full(len(w), np.nan), np.full(len(w), np.inf)
    moving = np.arange(len(w))  # draws that have not settled
    for _ in range(ITERATIONS):
        eta = b[moving] @ x.T
        weight = w[moving]
        deviance = 2 * (weight * np.logaddexp(0, -sign * eta)).sum(axis=1)
        separated = deviance < SEPARATED * weight.sum(axis=1)
        settled = (np.abs(last[moving] - deviance) <= TOLERANCE * deviance) & ~separated
        out[moving[settled]] = deviance[settled]
        last[moving] = deviance
        go = ~settled & ~separated
        moving, eta, weight = moving[go], eta[go], weight[go]
        if not len(moving):
            break
        chance = 1 / (1 + np.exp(-np.clip(eta, -700, 700)))
        information = ((weight * chance * (1 - chance)) @ products).reshape(-1, k, k)
        values = np.linalg.eigvalsh(information)
        good = values[:, 0] > SINGULAR * values[:, -1]
        gradient = (weight[good] * (y - chance[good])) @ x
        moving = moving[good]
        b[moving] += np.linalg.solve(information[good], gradient[:, :, None])[:, :, 0]
        moving = moving[np.abs(b[moving]).max(axis=1) < RAN_AWAY]
    return out

"""From a model's score to a probability that comes true: fitted on rows the model has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from satmodels.statistics.intervals import quantile

Array = NDArray[np.float64]
Method = Literal["none", "sigmoid", "isotonic"]

NEEDED = 5.99  # 95 % quantile of chi-squared with 2 df: what the sigmoid must gain to be used by "auto"
FEWEST_HELD_OUT = 50
EPSILON = 1e-6
ITERATIONS = 50


def log_odds(p: Array) -> Array:
    """Return log(p / (1 - p)), finite."""
    return special.logit(np.clip(p, 1e-12, 1 - 1e-12))


@dataclass(frozen=True)
class Calibration:
    """A map from log-odds to probability, and how surely held-out rows support it.

    Attributes
    ----------
    method : {"none", "sigmoid", "isotonic"}
    slope, shift : float
        Of the sigmoid: calibrated log-odds = slope * log-odds + shift; 1 and 0 without it.
    steps : tuple of (ndarray, ndarray), optional
        Of the isotonic map: log-odds and probabilities to interpolate between.
    covariance : ndarray, shape (2, 2), optional
        Of slope and shift on the held-out rows, robust to rows of one customer being alike.
    """

    method: Method = "none"
    slope: float = 1.0
    shift: float = 0.0
    steps: tuple[Array, Array] | None = None
    covariance: Array | None = None

    def probability(self, score: Array) -> Array:
        """Return calibrated probabilities of log-odds."""
        if self.steps is not None:
            return np.interp(score, *self.steps)
        return special.expit(self.slope * score + self.shift)

    def interval(self, score: Array, level: float = 0.95) -> tuple[Array, Array]:
        """Return the confidence limits of the calibrated risk; NaN without held-out rows."""
        if self.covariance is None:
            return np.full(len(score), np.nan), np.full(len(score), np.nan)
        X = np.column_stack([score, np.ones(len(score))])
        reach = quantile(level) * np.sqrt(np.einsum("ij,jk,ik->i", X, self.covariance, X))
        centre = log_odds(self.probability(score))
        return special.expit(centre - reach), special.expit(centre + reach)


def fit_calibration(
    score: Array, y: Array, weight: Array, method: str, groups: NDArray[np.int64] | None = None
) -> Calibration:
    """Fit a calibration on held-out log-odds; ``"auto"`` takes the sigmoid where it clearly gains."""
    if len(y) < FEWEST_HELD_OUT or min(weight @ y, weight @ (1 - y)) <= 0:
        return Calibration()
    slope, shift, covariance = fit_sigmoid(score, y, weight, groups)
    if method == "isotonic":
        return Calibration("isotonic", steps=_steps(score, y, weight), covariance=covariance)
    gain = 2 * (_log_likelihood(slope * score + shift, y, weight) - _log_likelihood(score, y, weight))
    if slope <= 0 or (method == "auto" and gain < NEEDED):
        return Calibration(covariance=covariance)
    return Calibration("sigmoid", slope, shift, covariance=covariance)


def _log_likelihood(eta: Array, y: Array, weight: Array) -> float:
    return float(weight @ (y * eta - np.logaddexp(0, eta)))


def fit_sigmoid(
    score: Array, y: Array, weight: Array, groups: NDArray[np.int64] | None = None, *, prior: bool = True
) -> tuple[float, float, Array]:
    """Fit slope and shift of the outcome's log-odds on the score by Newton's method.

    ``prior`` adds the counts of Platt (1999), which keep a separated outcome finite. The covariance is the
    sandwich one, summed within groups (customers).
    """
    target = y
    if prior:
        positive, negative = weight @ y, weight @ (1 - y)
        target = np.where(y > 0, (positive + 1) / (positive + 2), 1 / (negative + 2))
    X = np.column_stack([score, np.ones(len(score))])
    beta = np.array([1.0, 0.0])
    inverse = np.eye(2)
    error = np.zeros(len(score))
    for _ in range(ITERATIONS):
        p = special.expit(X @ beta)
        error = weight * (p - target)
        hessian = (X * (weight * np.maximum(p * (1 - p), 1e-9))[:, None]).T @ X
        inverse = np.linalg.pinv(hessian, hermitian=True)
        step = inverse @ (X.T @ error)
        beta = beta - np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:
            break
    pulls = X * error[:, None]
    if groups is not None:
        pulls = np.column_stack([np.bincount(groups, weights=pulls[:, k]) for k in range(2)])
    return float(beta[0]), float(beta[1]), inverse @ (pulls.T @ pulls) @ inverse


def _steps(score: Array, y: Array, weight: Array) -> tuple[Array, Array]:
    from scipy.optimize import isotonic_regression

    order = np.argsort(score, kind="stable")
    distinct, first = np.unique(score[order], return_index=True)
    total = np.add.reduceat(weight[order], first)
    rate = np.divide(
        np.add.reduceat((weight * y)[order], first), total, out=np.zeros(len(total)), where=total > 0
    )
    fitted = isotonic_regression(rate, weights=np.maximum(total, 1e-12)).x
    return distinct, np.clip(fitted, EPSILON, 1 - EPSILON)

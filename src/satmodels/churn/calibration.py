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
ROWS_FOR_ISOTONIC, LEAVERS_FOR_ISOTONIC = 2000, 500  # held-out, for "auto"
PULL = 5.0  # imaginary leavers that the sigmoid contributes to each level of the isotonic map
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
        Of the isotonic map: log-odds before and after, to draw straight lines between; beyond its ends the
        line of the sigmoid goes on.
    covariance : ndarray, shape (2, 2), optional
        Of slope and shift on the held-out rows, robust to rows of one customer being alike.
    """

    method: Method = "none"
    slope: float = 1.0
    shift: float = 0.0
    steps: tuple[Array, Array] | None = None
    covariance: Array | None = None

    def log_odds(self, score: Array) -> Array:
        """Return calibrated log-odds."""
        if self.steps is None:
            return self.slope * score + self.shift
        before, after = self.steps
        beyond = score - np.clip(score, before[0], before[-1])
        return np.interp(score, before, after) + self.slope * beyond

    def probability(self, score: Array) -> Array:
        """Return calibrated probabilities of log-odds."""
        return special.expit(self.log_odds(score))

    def contributions(self, found: Array, base: float) -> tuple[Array, float]:
        """Rescale each row's contributions so that they add up to the calibrated log-odds.

        The map is monotone, so no contribution changes its sign.
        """
        total = found.sum(axis=1)
        new_base = float(self.log_odds(np.array([base]))[0])
        gained = self.log_odds(total + base) - new_base
        ratio = np.divide(gained, total, out=np.full(len(total), self.slope), where=np.abs(total) > 1e-9)
        return found * ratio[:, None], new_base

    def interval(self, score: Array, level: float = 0.95) -> tuple[Array, Array]:
        """Return the confidence limits of the calibrated risk; NaN without held-out rows."""
        if self.covariance is None:
            return np.full(len(score), np.nan), np.full(len(score), np.nan)
        X = np.column_stack([score, np.ones(len(score))])
        reach = quantile(level) * np.sqrt(np.einsum("ij,jk,ik->i", X, self.covariance, X))
        centre = self.log_odds(score)
        return special.expit(centre - reach), special.expit(centre + reach)


def fit_calibration(
    score: Array, y: Array, weight: Array, method: str, groups: NDArray[np.int64] | None = None
) -> Calibration:
    """Fit a calibration on held-out log-odds.

    ``"auto"`` takes the isotonic map where there are rows enough to draw one, else the sigmoid where it
    clearly gains.
    """
    if len(y) < FEWEST_HELD_OUT or min(weight @ y, weight @ (1 - y)) <= 0:
        return Calibration()
    slope, shift, covariance = fit_sigmoid(score, y, weight, groups)
    enough = len(y) >= ROWS_FOR_ISOTONIC and min(y.sum(), (1 - y).sum()) >= LEAVERS_FOR_ISOTONIC
    if slope > 0 and (method == "isotonic" or (method == "auto" and enough)):
        steps = _steps(slope * score + shift, score, y, weight)
        return Calibration("isotonic", slope, shift, steps, covariance)
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


def _steps(eta: Array, score: Array, y: Array, weight: Array) -> tuple[Array, Array]:
    """Return the corners of a centred isotonic regression (Oron & Flournoy 2017), pulled to the sigmoid.

    Each level of the isotonic regression stands at the mean score of its rows, with straight lines of the
    log-odds between; imaginary rows at the sigmoid's probability keep small levels from certainty.
    """
    from scipy.optimize import isotonic_regression

    used = weight > 0
    order = np.flatnonzero(used)[np.argsort(score[used], kind="stable")]
    first = np.unique(score[order], return_index=True)[1]
    mass = np.add.reduceat(weight[order], first)
    left = np.add.reduceat((weight * y)[order], first)
    centre = np.add.reduceat((weight * score)[order], first)
    expected = np.add.reduceat((weight * special.expit(eta))[order], first)
    edges = np.asarray(isotonic_regression(left / mass, weights=mass).blocks)[:-1]
    mass, left, centre, expected = (np.add.reduceat(part, edges) for part in (mass, left, centre, expected))
    share = left.sum() / mass.sum()
    pull = PULL / min(share, 1 - share)
    rate = (left + pull * expected / mass) / (mass + pull)
    return centre / mass, log_odds(np.maximum.accumulate(np.clip(rate, EPSILON, 1 - EPSILON)))

"""The measures of importance and their limits, for one group."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from satmodels.drivers.incomplete import Missing, gap_cov, rows_with_gaps
from satmodels.drivers.influence import (
    normal_cov,
    numeric_gradient,
    quadratic_forms,
    robust_cov,
    shapley_gradient,
)
from satmodels.drivers.logit import fit_subsets
from satmodels.drivers.regression import DriverRegression
from satmodels.drivers.relative_weights import relative_weights
from satmodels.drivers.resampling import DRAWS, bootstrap_importance
from satmodels.drivers.shapley import MAX_EXACT, sampled_shapley_r2, shapley_r2
from satmodels.errors import ArgumentError, DataError
from satmodels.intake.batches import batches, matrix
from satmodels.intake.frames import Frame
from satmodels.statistics.intervals import quantile
from satmodels.statistics.moments import Moments

Array = NDArray[np.float64]

METHODS = ("shapley", "relative_weights", "standardized", "correlation", "logit")
INTERVALS = ("auto", "robust", "normal", "bootstrap", "none")
NEVER_NEGATIVE = ("shapley", "relative_weights", "logit")
ORDERS = 20_000  # of entering, where there are too many drivers for all subsets
MAX_BOOTSTRAP = 16  # drivers: a thousand times all subsets of more would take long


@dataclass(frozen=True)
class Measured:
    """Importance of each driver with its limits; NaN where there are none.

    Attributes
    ----------
    values, std_error, low, high, mc_error : ndarray, shape (p,)
        Importance, standard error, limits, and the error of sampled orders (0 where exact).
    r2 : float or None
        What is shared out, where it is not the R² of the regression.
    beta : ndarray or None
        Coefficients, where they are not those of the regression.
    failed : int
        Draws of the bootstrap without a solution.
    """

    values: Array
    std_error: Array
    low: Array
    high: Array
    mc_error: Array
    r2: float | None = None
    beta: Array | None = None
    failed: int = 0

    def shares(self) -> list[float | None]:
        """Return the parts of the sum (of absolute values)."""
        parts = np.abs(self.values)
        total = float(parts.sum())
        return [float(v) / total if total > 0 else None for v in parts]


def measure(
    regression: DriverRegression,
    frame: Frame | None,
    method: str,
    interval: str,
    weight: str | None,
    level: float,
    seed: int | None,
    missing: Missing = "drop",
) -> Measured:
    """Compute a measure and its limits."""
    nothing = np.full(len(regression.drivers), np.nan)
    if method == "logit" and frame is not None:
        rows, w = _complete_rows(frame, regression.moments, weight)
        ones = np.ones(len(rows)) if w is None else w
        fits = fit_subsets(rows[:, :-1], rows[:, -1], ones, regression.drivers, regression.outcome)
        beta = fits.beta * regression.moments.std[:-1]
        found = Measured(fits.values, nothing, nothing, nothing, np.zeros(len(nothing)))
        if interval == "bootstrap":
            found = _of_draws(found, *fits.bootstrap(seed), level)
        return replace(found, r2=float(fits.values.sum()), beta=beta)
    values, mc_error = importance(regression.corr, regression.r, method, seed=seed)
    if interval == "none":
        return Measured(values, nothing, nothing, nothing, mc_error)
    if interval == "bootstrap" and frame is not None:
        return _bootstrapped(values, mc_error, regression, frame, method, weight, level, seed)
    cov = _covariance(regression, method, frame if interval == "robust" else None, weight, missing)
    df = max(regression.n - len(values) - 1, 1.0)
    # the delta method is for large samples: the usual correction for p fitted drivers, and Student's t
    std_error = np.sqrt(np.maximum(np.diag(cov), 0.0) * regression.n / df + mc_error**2)
    half = float(quantile(level, df)) * std_error
    if method not in NEVER_NEGATIVE:
        return Measured(values, std_error, values - half, values + half, mc_error)
    # parts of R² are skewed near 0; their square roots much less so
    root = np.sqrt(np.maximum(values, np.finfo(float).tiny))
    low, high = np.maximum(root - half / (2 * root), 0.0) ** 2, (root + half / (2 * root)) ** 2
    return Measured(values, std_error, low, high, mc_error)


def importance(corr: Array, r: Array, method: str, *, seed: int | None = None) -> tuple[Array, Array]:
    """Return the importance of each driver and the error of its sampling (0 where it is exact)."""
    if method == "shapley":
        if len(r) > MAX_EXACT:
            sampled = sampled_shapley_r2(corr, r, n_orders=ORDERS, seed=seed)
            return sampled.values, sampled.mc_error
        return shapley_r2(corr, r), np.zeros(len(r))
    return _CLOSED[method](corr, r), np.zeros(len(r))


_CLOSED: dict[str, Callable[[Array, Array], Array]] = {
    "relative_weights": relative_weights,
    "standardized": lambda corr, r: np.asarray(np.linalg.solve(corr, r), dtype=np.float64),
    "correlation": lambda corr, r: r.copy(),
}


def _bootstrapped(
    values: Array,
    mc_error: Array,
    regression: DriverRegression,
    frame: Frame,
    method: str,
    weight: str | None,
    level: float,
    seed: int | None,
) -> Measured:
    if method == "shapley" and len(values) > MAX_BOOTSTRAP:
        raise ArgumentError(
            f"a bootstrap of exact Shapley values takes at most {MAX_BOOTSTRAP} drivers, not {len(values)}: use "
            "interval='robust'"
        )
    rows, w = _complete_rows(frame, regression.moments, weight)
    draws = bootstrap_importance(rows, w, lambda corr, r: importance(corr, r, method)[0], seed=seed)
    nothing = np.full(len(values), np.nan)
    found = Measured(values, nothing, nothing, nothing, mc_error)
    return _of_draws(found, draws, DRAWS - len(draws), level)


def _of_draws(found: Measured, draws: Array, failed: int, level: float) -> Measured:
    """Add standard errors and percentile limits."""
    if failed > len(draws):
        raise DataError(
            f"{failed} of {failed + len(draws)} bootstrap draws have no solution: too few answers differ. Use "
            "interval='none'"
        )
    tail = (1 - level) / 2
    low, high = np.quantile(draws, [tail, 1 - tail], axis=0)
    return replace(found, std_error=draws.std(axis=0, ddof=1), low=low, high=high, failed=failed)


def _covariance(
    regression: DriverRegression, method: str, frame: Frame | None, weight: str | None, missing: Missing
) -> Array:
    forms = influence_forms(regression, method)
    if frame is None:
        return normal_cov(forms, regression.joint, regression.n)
    if missing != "drop":
        rows, w = rows_with_gaps(frame, regression.moments.columns, weight)
        return gap_cov(forms, rows, w, regression.moments, missing)
    return robust_cov(forms, _standardised(frame, regression.moments, weight))


def influence_forms(regression: DriverRegression, method: str) -> Array:
    """Return the matrices H (p, p + 1, p + 1) with which one standardised answer x moves an importance by x'Hx."""
    gradient = (
        shapley_gradient(regression.joint)
        if method == "shapley"
        else numeric_gradient(_CLOSED[method], regression.joint)
    )
    return quadratic_forms(gradient, regression.joint)


def _complete_rows(frame: Frame, moments: Moments, weight: str | None) -> tuple[Array, Array | None]:
    columns = moments.columns if weight is None else (*moments.columns, weight)
    rows = matrix(frame, columns)
    rows = rows[~np.isnan(rows).any(axis=1)]
    p = len(moments.columns)
    return rows[:, :p], None if weight is None else rows[:, p]


def complete_blocks(
    frame: Frame, columns: tuple[str, ...], weight: str | None
) -> Iterator[tuple[Array, Array | None]]:
    """Go through the complete rows block by block: the columns, and the weights."""
    p = len(columns)
    for block in batches(frame, columns if weight is None else (*columns, weight)):
        complete = block[~np.isnan(block).any(axis=1)]
        yield complete[:, :p], None if weight is None else complete[:, p]


def _standardised(frame: Frame, moments: Moments, weight: str | None) -> Iterator[tuple[Array, Array | None]]:
    """Go through the complete rows in standard deviations from the mean."""
    # divisor n, as the influence of one answer on a correlation is derived with it
    scale = np.sqrt(np.diag(moments.scatter) / moments.sum_w)
    for rows, w in complete_blocks(frame, moments.columns, weight):
        yield (rows - moments.mean) / scale, w

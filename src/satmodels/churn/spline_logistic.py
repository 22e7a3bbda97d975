"""SplineLogistic: a logistic model with smooth curves, whose reasons are exact sums.

Each number enters as a cubic spline with knots at its quantiles, each word by its category, each gap by an
indicator; a ridge penalty keeps the curves calm. The log-odds are a sum of one term per column, so the
contribution of a column is exactly its term.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ConvergenceError

Array = NDArray[np.float64]

KNOTS = 6  # quantiles 0, 20, ..., 100 %: enough for one bend and a plateau
PENALTY = 1 / 0.3  # ridge on the spline coefficients (C = 0.3 of scikit-learn)
FEWEST_INSIDE = 20  # rows between the ends that make a curve of a column of mostly one value
ITERATIONS = 50
TOLERANCE = 1e-8
BLOCK = 65_536  # rows of the basis held at once


@dataclass(frozen=True)
class ColumnBasis:
    """How one column enters: its knots, or its categories, and whether it had gaps."""

    knots: Array | None  # None for a category
    n_categories: int
    gaps: bool
    centre: Array  # weighted means of the basis columns
    linear: bool = False

    @property
    def width(self) -> int:
        """Number of basis columns."""
        return len(self.centre)

    def raw(self, x: Array) -> Array:
        """Return the basis of a column before centring, gaps as zeros but for their indicator."""
        missing = np.isnan(x)
        if self.knots is None:
            body = (x[:, None] == np.arange(self.n_categories)).astype(float)
        elif self.linear:
            low, high = self.knots[0], self.knots[-1]
            body = ((np.clip(np.where(missing, low, x), low, high) - low) / (high - low))[:, None]
        else:
            body = cubic_basis(np.where(missing, self.knots[0], x), self.knots)
        if missing.any():
            body[missing] = 0.0
        if self.gaps:
            body = np.column_stack([body, missing])
        return body


def cubic_basis(x: Array, knots: Array) -> Array:
    """Return the cubic B-splines over distinct knots, clamped outside, without the first (they sum to 1)."""
    step = np.diff(knots)
    before = knots[0] - step[0] * np.arange(3, 0, -1)
    after = knots[-1] + step[-1] * np.arange(1, 4)
    t = np.concatenate([before, knots, after])
    x = np.clip(x, knots[0], knots[-1])
    interval = np.clip(np.searchsorted(t, x, side="right") - 1, 3, len(t) - 5)
    # de Boor's recursion on the four splines that are not 0 in the interval
    values = np.zeros((4, len(x)))
    values[0] = 1.0
    for degree in range(1, 4):
        carried = np.zeros(len(x))
        for r in range(degree):
            right = t[interval + r + 1]
            left = t[interval + r + 1 - degree]
            part = values[r] / (right - left)
            values[r] = carried + (right - x) * part
            carried = (x - left) * part
        values[degree] = carried
    basis = np.zeros((len(x), len(knots) + 2))
    rows = np.arange(len(x))
    for r in range(4):
        basis[rows, interval - 3 + r] = values[r]
    return basis[:, 1:]


class SplineLogistic:
    """Ridge logistic regression on spline and category columns.

    Works on a float matrix in which categories are whole numbers and NaN is missing.

    Attributes
    ----------
    coef_ : ndarray, shape (basis columns,)
    intercept_ : float
        Log-odds at the mean of every basis column.
    bases_ : list of ColumnBasis
    """

    def __init__(self, categorical: NDArray[np.bool_], penalty: float = PENALTY) -> None:
        self.categorical = categorical
        self.penalty = penalty

    def fit(self, Z: Array, y: Array, weight: Array) -> SplineLogistic:
        """Estimate by penalised iteratively reweighted least squares (Newton's method)."""
        self.bases_ = [_column_basis(Z[:, j], bool(self.categorical[j]), weight) for j in range(Z.shape[1])]
        width = sum(b.width for b in self.bases_) + 1
        self.coef_ = np.zeros(width - 1)
        rate = float(np.average(y, weights=weight))
        self.intercept_ = float(np.log(rate / (1 - rate)))
        ridge = np.full(width, self.penalty)
        ridge[0] = 0.0
        blocks = [slice(i, i + BLOCK) for i in range(0, len(y), BLOCK)]
        kept = self._basis(Z) if len(blocks) == 1 else None
        beta = np.concatenate([[self.intercept_], self.coef_])
        previous, value = beta, np.inf
        for _ in range(ITERATIONS):
            gradient, hessian = ridge * beta, np.diag(ridge)
            loss = 0.5 * float(ridge @ beta**2)
            for rows in blocks:
                basis = kept if kept is not None else self._basis(Z[rows])
                eta = basis @ beta[1:] + beta[0]
                p = 1 / (1 + np.exp(-np.clip(eta, -500, 500)))
                w, target = weight[rows], y[rows]
                loss += float(w @ (np.logaddexp(0, eta) - target * eta))
                error = w * (p - target)
                curve = w * np.maximum(p * (1 - p), 1e-12)
                gradient[0] += error.sum()
                gradient[1:] += basis.T @ error
                hessian[0, 0] += curve.sum()
                cross = basis.T @ curve
                hessian[0, 1:] += cross
                hessian[1:, 0] += cross
                hessian[1:, 1:] += (basis * curve[:, None]).T @ basis
            if loss > value + 1e-9 * max(abs(value), 1.0):  # a step too far: go half of it back
                beta = (beta + previous) / 2
                continue
            previous, value = beta, loss
            step = np.linalg.solve(hessian, gradient)
            beta = beta - step
            if float(gradient @ step) < TOLERANCE * max(abs(value), 1.0):
                break
        else:
            raise ConvergenceError(
                f"the logistic model did not converge in {ITERATIONS} steps: is a column an id, or the outcome?"
            )
        self.intercept_, self.coef_ = float(beta[0]), beta[1:]
        return self

    def decision_function(self, Z: Array) -> Array:
        """Return the log-odds."""
        return self.contributions(Z).sum(axis=1) + self.intercept_

    def contributions(self, Z: Array) -> Array:
        """Return each column's term of the log-odds, 0 on average over the training rows."""
        found = np.empty(Z.shape)
        at = 0
        for j, basis in enumerate(self.bases_):
            beta = self.coef_[at : at + basis.width]
            found[:, j] = basis.raw(Z[:, j]) @ beta - basis.centre @ beta
            at += basis.width
        return found

    def _basis(self, Z: Array) -> Array:
        return np.hstack([b.raw(Z[:, j]) - b.centre for j, b in enumerate(self.bases_)])


def _column_basis(x: Array, categorical: bool, weight: Array) -> ColumnBasis:
    missing = np.isnan(x)
    gaps = bool((missing & (weight > 0)).any())
    present, w = x[~missing], weight[~missing]
    knots, n_categories, linear = None, 0, False
    if categorical:
        n_categories = int(present.max()) + 1 if len(present) else 0
    else:
        knots = _knots(present, w)
        linear = len(knots) < 3
        if len(knots) < 2:  # constant or empty: enters by its gaps alone
            knots, n_categories = None, 0
    draft = ColumnBasis(knots, n_categories, gaps, np.empty(0), linear)
    total = np.zeros(draft.raw(x[:1]).shape[1])
    for i in range(0, len(x), BLOCK):
        total += weight[i : i + BLOCK] @ draft.raw(x[i : i + BLOCK])
    return ColumnBasis(knots, n_categories, gaps, total / weight.sum(), linear)


def _knots(x: Array, weight: Array) -> Array:
    """Return the distinct weighted quantiles of a column; two at most for a column of two values."""
    x, weight = x[weight > 0], weight[weight > 0]
    if len(x) == 0:
        return np.empty(0)
    order = np.argsort(x)
    ranked, share = x[order], np.cumsum(weight[order])
    at = np.searchsorted(share, np.linspace(0, 1, KNOTS) * share[-1] * (1 - 1e-12))
    knots = np.unique(ranked[np.minimum(at, len(ranked) - 1)])
    knots = np.unique(np.concatenate([[ranked[0]], knots, [ranked[-1]]]))
    inside = (ranked > ranked[0]) & (ranked < ranked[-1])
    mass = weight[order][inside]
    if len(knots) == 2 and mass.sum() >= FEWEST_INSIDE:
        # one value holds nearly all rows: a knot among the others
        middle = ranked[inside][np.searchsorted(np.cumsum(mass), mass.sum() / 2)]
        knots = np.array([ranked[0], middle, ranked[-1]])
    return knots

"""Exploratory factors by minimum residuals, oblique rotation, and the general factor behind them.

Minimum residuals (Harman and Jones 1966) makes the squared off-diagonal residual correlations small;
direct oblimin with gamma 0 (Jennrich and Sampson 1966) is found by gradient projection (Jennrich 2002,
Psychometrika 67, 7-19); the general factor follows Schmid and Leiman (1957, Psychometrika 22, 53-61).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ConvergenceError

Array = NDArray[np.float64]

SMALLEST_UNIQUENESS = 0.005
MAX_ROUNDS = 20_000
GRADIENT = 1e-9


def minres(corr: Array, n_factors: int) -> Array:
    """Return unrotated loadings, shape (items, n_factors), with the sum of each factor's loadings positive."""
    from scipy.optimize import minimize

    p = len(corr)
    off = ~np.eye(p, dtype=bool)

    def loadings_of(unique: Array) -> Array:
        values, vectors = np.linalg.eigh(corr - np.diag(unique))
        top = np.argsort(values)[::-1][:n_factors]
        return vectors[:, top] * np.sqrt(np.maximum(values[top], 0))

    def misfit(unique: Array) -> tuple[float, Array]:
        loadings = loadings_of(unique)
        residual = corr - loadings @ loadings.T
        # at the best loadings for these uniquenesses only the diagonal depends on them directly
        excess = np.diag(residual) - unique
        return float((residual[off] ** 2).sum() + (excess**2).sum()), -2 * excess

    smc = np.clip(1 / np.diag(np.linalg.inv(corr)), SMALLEST_UNIQUENESS, 1)
    found = minimize(
        misfit,
        smc,
        jac=True,
        method="L-BFGS-B",
        bounds=[(SMALLEST_UNIQUENESS, 1.0)] * p,
        options={"maxiter": MAX_ROUNDS, "maxfun": MAX_ROUNDS, "ftol": 1e-16, "gtol": GRADIENT},
    )
    loadings = loadings_of(np.asarray(found.x))
    return loadings * np.where(loadings.sum(axis=0) < 0, -1.0, 1.0)


def oblimin(loadings: Array) -> tuple[Array, Array]:
    """Rotate loadings to simple structure; return the pattern and the correlations of the factors."""
    m = loadings.shape[1]
    if m == 1:
        return loadings, np.ones((1, 1))
    others = np.ones((m, m)) - np.eye(m)

    def criterion(pattern: Array) -> tuple[float, Array]:
        squared = pattern**2
        gradient = pattern * (squared @ others)
        return float((squared * (squared @ others)).sum() / 4), gradient

    turn = np.eye(m)
    inverse = np.linalg.inv(turn)
    pattern = loadings @ inverse.T
    value, gradient = criterion(pattern)
    slope = -(pattern.T @ gradient @ inverse).T
    step = 1.0
    for _ in range(MAX_ROUNDS):
        projected = slope - turn @ np.diag((turn * slope).sum(axis=0))
        size = float(np.sqrt((projected**2).sum()))
        if size < GRADIENT:
            break
        step, trial, new = step * 2, turn, value
        for _ in range(60):
            trial = turn - step * projected
            trial = trial / np.sqrt((trial**2).sum(axis=0))
            inverse = np.linalg.inv(trial)
            pattern = loadings @ inverse.T
            new, gradient = criterion(pattern)
            if new < value - 0.5 * size**2 * step or step < 1e-14:
                break
            step /= 2
        turn, value = trial, new
        slope = -(pattern.T @ gradient @ inverse).T
        if step < 1e-14:
            break  # no further descent within the precision of the machine
    else:
        raise ConvergenceError(f"the oblique rotation of {m} factors did not settle in {MAX_ROUNDS} rounds")
    return pattern, turn.T @ turn


def general_factor(pattern: Array, phi: Array) -> Array:
    """Return the loadings of the items on the general factor of correlated factors (Schmid-Leiman)."""
    m = len(phi)
    if m == 1:
        return pattern[:, 0]
    if m == 2:
        # one correlation can't tell two loadings apart: they are taken as equal
        shared = np.full(2, np.sqrt(abs(phi[0, 1])))
        shared[1] *= np.sign(phi[0, 1]) or 1.0
    else:
        shared = minres(phi, 1)[:, 0]
    return pattern @ shared

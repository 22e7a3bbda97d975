"""Measures of fit from a test statistic, its degrees of freedom and a baseline; definitions as in lavaan.

References
----------
.. [1] Bentler, P. M. (1990). Comparative fit indexes in structural models. Psychological Bulletin 107.
.. [2] Browne, M. W. and Cudeck, R. (1993). Alternative ways of assessing model fit. In Bollen and Long (eds),
   Testing structural equation models.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.floating[Any]]
RMSEA_LEVEL = 0.90
CLOSE, NOT_CLOSE = 0.05, 0.08


def upper_tail(chisq: float, df: float) -> float | None:
    """Return P(X > chisq) of a chi-square variable; None without degrees of freedom."""
    return float(special.chdtrc(df, chisq)) if df > 0 else None


def comparative_fit(chisq: float, df: float, base_chisq: float, base_df: float) -> dict[str, float | None]:
    """Return CFI, TLI and their older relatives."""
    excess, base_excess = max(chisq - df, 0.0), max(base_chisq - base_df, chisq - df, 0.0)
    found: dict[str, float | None] = {"cfi": 1.0 if base_excess == 0 else 1 - excess / base_excess}
    tli = rfi = None
    if df > 0 and base_df > 0:
        base_ratio = base_chisq / base_df
        tli = _ratio(base_ratio - chisq / df, base_ratio - 1)
        rfi = _ratio(base_ratio - chisq / df, base_ratio)
    elif base_df > 0:
        tli = rfi = 1.0
    nfi = _ratio(base_chisq - chisq, base_chisq)
    return found | {
        "tli": tli,
        "nnfi": tli,
        "rfi": rfi,
        "nfi": nfi,
        "pnfi": None if nfi is None or base_df == 0 else nfi * df / base_df,
        "ifi": _ratio(base_chisq - chisq, base_chisq - df),
        "rni": _ratio(base_chisq - base_df - (chisq - df), base_chisq - base_df),
    }


def rmsea(chisq: float, df: float, n: float, groups: int = 1) -> dict[str, float | None]:
    """Return RMSEA with its 90 % interval and the tests of close and of not close fit."""
    if df <= 0:
        return {
            "rmsea": 0.0,
            "rmsea_ci_lower": 0.0,
            "rmsea_ci_upper": 0.0,
            "rmsea_pvalue": None,
            "rmsea_notclose_pvalue": None,
        }
    per_unit = groups / (df * n)
    tail = (1 - RMSEA_LEVEL) / 2
    lower, upper = noncentrality(chisq, df, 1 - tail), noncentrality(chisq, df, tail)
    return {
        "rmsea": math.sqrt(max(chisq - df, 0.0) * per_unit),
        "rmsea_ci_lower": math.sqrt(lower * per_unit),
        "rmsea_ci_upper": math.sqrt(upper * per_unit),
        "rmsea_pvalue": 1 - _noncentral(chisq, df, CLOSE**2 / per_unit),
        "rmsea_notclose_pvalue": _noncentral(chisq, df, NOT_CLOSE**2 / per_unit),
    }


def noncentrality(chisq: float, df: float, probability: float) -> float:
    """Return the noncentrality under which a chi-square variable is below ``chisq`` with this probability."""
    if not math.isfinite(chisq) or special.chdtr(df, chisq) < probability:
        return 0.0
    low, high = 0.0, max(chisq, 1.0)
    while _noncentral(chisq, df, high) > probability:
        low, high = high, 2 * high
    for _ in range(200):  # bisection: the special function's own inverse gives up on large values
        middle = (low + high) / 2
        low, high = (middle, high) if _noncentral(chisq, df, middle) > probability else (low, middle)
        if high - low <= 1e-12 * high:
            break
    return (low + high) / 2


def _noncentral(chisq: float, df: float, shift: float) -> float:
    if shift == 0:
        return float(special.chdtr(df, chisq))
    value = float(special.chndtr(chisq, df, shift))
    if math.isnan(value):  # far out: the normal approximation of Sankaran (1963) is exact enough
        h = 1 - 2 * (df + shift) * (df + 3 * shift) / (3 * (df + 2 * shift) ** 2)
        p = (df + 2 * shift) / (df + shift) ** 2
        m = (h - 1) * (1 - 3 * h)
        z = (chisq / (df + shift)) ** h - (1 + h * p * (h - 1 - 0.5 * (2 - h) * m * p))
        return float(special.ndtr(z / (h * math.sqrt(2 * p) * (1 + 0.5 * m * p))))
    return value


def _ratio(above: float, below: float) -> float | None:
    return None if below == 0 or not math.isfinite(below) else above / below


def information_criteria(logl: float, npar: int, n: int) -> dict[str, float]:
    """Return AIC, BIC and the BIC adjusted for sample size."""
    return {
        "aic": -2 * logl + 2 * npar,
        "bic": -2 * logl + npar * math.log(n),
        "bic2": -2 * logl + npar * math.log((n + 2) / 24),
    }


def root_mean_residuals(
    cov: Array, sigma: Array, mean: Array | None, mu: Array | None
) -> tuple[float, float]:
    """Return (RMR, SRMR): roots of mean squared residuals, raw and standardised by the found variances.

    With a mean structure the means' residuals are part of both.
    """
    below = np.tril_indices(len(cov))
    residual = (cov - sigma)[below]
    scale = np.sqrt(np.diag(cov))
    standard = ((cov - sigma) / np.outer(scale, scale))[below]
    if mean is not None and mu is not None:
        residual = np.append(residual, mean - mu)
        standard = np.append(standard, (mean - mu) / scale)
    return float(np.sqrt(np.mean(residual**2))), float(np.sqrt(np.mean(standard**2)))


def explained_moments(parts: Sequence[tuple[float, float, float]], npar: int, df: float) -> dict[str, Any]:
    """Return GFI, AGFI and PGFI from (rows, residual, total) of each group, sums of weighted squares.

    Groups count by their rows; ``npar + df`` is the number of moments.
    """
    gfi = None
    if all(total > 0 for _, _, total in parts):
        gfi = 1 - sum(n * residual / total for n, residual, total in parts) / sum(n for n, _, _ in parts)
    moments = df + npar
    if gfi is None or df <= 0:
        return {"gfi": gfi, "agfi": 1.0 if gfi is not None else None, "pgfi": 0.0}
    return {
        "gfi": gfi,
        "agfi": 1 - moments / df * (1 - gfi),
        "pgfi": df / moments * gfi,
    }


def critical_n(chisq: float, df: float, n: float, level: float) -> float | None:
    """Return Hoelter's critical number of rows."""
    if df <= 0 or chisq <= 0:
        return None
    return float(special.chdtri(df, level)) / (chisq / n) + 1

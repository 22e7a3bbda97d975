"""Confidence limits of estimated scores: which quantile and which sample size each method takes.

Without weights a share has its usual binomial interval. With weights or a design, Wald-type intervals
take the linearised standard error and Student's t; the others take the effective sample size.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from satmodels.scores.estimate import Estimates
from satmodels.statistics.intervals import (
    arcsine_interval,
    logit_interval,
    mean_interval,
    net_interval,
    proportion_interval,
    quantile,
)

Array = NDArray[np.float64]
Limits = tuple[Array, Array]


def share_limits(estimates: Estimates, level: float, method: str) -> Limits:
    """Return the limits, in percent, of percentages."""
    p = estimates.mean / 100
    if not estimates.linearised:
        low, high = proportion_interval(p * estimates.n, estimates.n, level=level, method=method)
        if method == "wald":  # a single answer has no spread to make an interval of
            low, high = (np.where(estimates.n > 1, v, np.nan) for v in (low, high))
        return 100 * low, 100 * high
    error, t = estimates.std_error / 100, quantile(level, estimates.df)
    with np.errstate(divide="ignore", invalid="ignore"):
        if method == "wald":
            low, high = np.clip(p - t * error, 0, 1), np.clip(p + t * error, 0, 1)
        elif method == "logit":
            low, high = logit_interval(p, error, t)
        elif method == "arcsine":
            low, high = arcsine_interval(p, error, t)
        else:
            n = _worth(estimates, level)
            low, high = proportion_interval(p * n, n, level=level, method=method)
    return 100 * low, 100 * high


def _worth(estimates: Estimates, level: float) -> Array:
    """Return the effective number of answers; fewer degrees of freedom make it smaller (Korn and Graubard 1998)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return estimates.effective * (quantile(level, estimates.n - 1) / quantile(level, estimates.df)) ** 2


def net_limits(estimates: Estimates, shares: tuple[Array, Array, Array], level: float, method: str) -> Limits:
    """Return the limits, on -100..100, of net shares; ``shares`` are those below, between and above."""
    if estimates.linearised and method == "wald":
        low, high = mean_interval(estimates.mean, estimates.std_error, level=level, df=estimates.df)
        return np.clip(low, -100, 100), np.clip(high, -100, 100)
    size = _worth(estimates, level) if estimates.linearised else estimates.effective
    counts = (np.nan_to_num(size * share) for share in shares)
    low, high = net_interval(*counts, level=level, method=method)
    return 100 * low, 100 * high


def mean_limits(estimates: Estimates, level: float, method: str) -> Limits:
    """Return mean ± z or t standard errors; t always where weights or a design entered."""
    df = estimates.df if estimates.linearised else estimates.n - 1.0 if method == "t" else None
    return mean_interval(estimates.mean, estimates.std_error, level=level, df=df)


def net_shares(w: Array, worth: Array) -> tuple[Array, Array, Array]:
    """Return the shares of the answers worth less than, just, and more than 0, per group."""
    total = w.sum(axis=1)
    total = np.where(total > 0, total, np.nan)
    return (
        w @ (worth < 0).astype(float) / total,
        w @ (worth == 0).astype(float) / total,
        w @ (worth > 0).astype(float) / total,
    )

"""All measures of fit of a fitted covariance model, under lavaan's names with underscores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.assessment import fit as measures
from satmodels.sem.covariance.discrepancy import safe_inverse
from satmodels.sem.covariance.fitting import Fit
from satmodels.sem.covariance.samples import Sample

Array = NDArray[np.floating[Any]]
Measures = dict[str, float | None]


def normal_logl(fit: Fit, *, unbiased: bool = False) -> tuple[float, float]:
    """Return the log-likelihood of the model and that of the saturated model, complete data.

    Where observed variables are taken as they are, both are conditional on them. With ``unbiased`` the
    covariances found have divisor n - 1.
    """
    model = saturated = 0.0
    at = [fit.table.observed.index(v) for v in fit.table.exogenous]
    for s, implied in zip(fit.samples, fit.implied, strict=True):
        gap = s.mean - implied.mu if fit.table.means else np.zeros(len(s.cov))
        cov = s.cov * s.n / (s.n - 1) if unbiased else s.cov
        scatter = cov + np.outer(gap, gap)
        model += _gaussian(s.n, implied.sigma, scatter)
        saturated += _gaussian(s.n, cov, cov)
        if at:
            x = cov[np.ix_(at, at)]
            part = _gaussian(s.n, x, x)
            model, saturated = model - part, saturated - part
    return model, saturated


def normal_distance(fit: Fit) -> float:
    """Return n F of the likelihood of complete normal rows, between the moments found and those of the model."""
    total = 0.0
    for s, implied in zip(fit.samples, fit.implied, strict=True):
        gap = s.mean - implied.mu if fit.table.means else np.zeros(len(s.cov))
        model = _gaussian(s.n, implied.sigma, s.cov + np.outer(gap, gap))
        total += 2 * (_gaussian(s.n, s.cov, s.cov) - model)
    return total


def _gaussian(n: float, sigma: Array, scatter: Array) -> float:
    found = safe_inverse(sigma)
    if found is None:
        return -math.inf
    inverse, log_det = found
    return -n / 2 * (len(sigma) * math.log(2 * math.pi) + log_det + float((inverse * scatter).sum()))


def all_measures(
    fit: Fit,
    *,
    chisq: float,
    base_chisq: float,
    base_df: int,
    logl: tuple[float, float] | None,
    n_test: float,
    found: Sequence[tuple[Array, Array]],
    weights: Sequence[Array],
) -> Measures:
    """Put the measures of fit together.

    Parameters
    ----------
    fit : Fit
    chisq : float
        Test statistic.
    base_chisq, base_df : float, int
        Those of the baseline model.
    logl : (float, float), optional
        Log-likelihood of the model and of the saturated model, where the method has one.
    n_test : float
        The sample size behind the test statistic (n, or n minus groups).
    found : sequence of (cov, mean)
        Moments that the model is held against, one pair per group.
    weights : sequence of ndarray
        Weight matrix of each group for the goodness-of-fit index.
    """
    df, npar, n, groups = fit.df, fit.npar, fit.n, len(fit.samples)
    fmin_n = n if logl is None else n_test  # as lavaan has it
    result: Measures = {
        "npar": npar,
        "fmin": chisq / (2 * fmin_n),
        "chisq": chisq,
        "df": df,
        "pvalue": measures.upper_tail(chisq, df),
        "baseline_chisq": base_chisq,
        "baseline_df": base_df,
        "baseline_pvalue": measures.upper_tail(base_chisq, base_df),
    }
    result |= measures.comparative_fit(chisq, df, base_chisq, base_df)
    if logl is not None:
        result |= {"logl": logl[0], "unrestricted_logl": logl[1]}
        result |= measures.information_criteria(logl[0], npar, n)
    result["ntotal"] = n
    result |= measures.rmsea(chisq, df, n_test, groups)
    result |= _residual_measures(fit, found)
    result |= _explained(fit, found, weights, npar, df)
    result["mfi"] = math.exp(-0.5 * (chisq - df) / n_test)
    result["ecvi"] = (chisq + 2 * npar) / n_test
    result["cn_05"] = measures.critical_n(chisq, df, n_test, 0.05)
    result["cn_01"] = measures.critical_n(chisq, df, n_test, 0.01)
    return result


def _residual_measures(fit: Fit, found: Sequence[tuple[Array, Array]]) -> Measures:
    raw = standard = 0.0
    for s, implied, (cov, mean) in zip(fit.samples, fit.implied, found, strict=True):
        rmr, srmr = measures.root_mean_residuals(
            cov, implied.sigma, mean if fit.table.means else None, implied.mu
        )
        raw += s.n / fit.n * rmr
        standard += s.n / fit.n * srmr
    return {"rmr": raw, "srmr": standard}


def _explained(
    fit: Fit, found: Sequence[tuple[Array, Array]], weights: Sequence[Array], npar: int, df: int
) -> Measures:
    parts: list[tuple[float, float, float]] = []
    # the moments of columns that are taken as they are fit exactly, and are nothing to explain
    taken = [fit.table.observed.index(v) for v in fit.table.exogenous]
    for s, implied, (cov, mean), x in zip(fit.samples, fit.implied, found, weights, strict=True):
        target, level = cov.copy(), mean.copy()
        target[np.ix_(taken, taken)], level[taken] = 0.0, 0.0
        gap, whole = x @ (cov - implied.sigma), x @ target
        residual, total = float((gap * gap.T).sum()) / 2, float((whole * whole.T).sum()) / 2
        if fit.table.means:
            residual += float((mean - implied.mu) @ x @ (mean - implied.mu))
            total += float(level @ x @ level)
        parts.append((s.n, residual, total))
    q = len(taken)
    given = (q * (q + 1) // 2 + (q if fit.table.means else 0)) * len(parts)  # lavaan counts them all the same
    return measures.explained_moments(parts, npar + given, df)


def sample_moments(samples: Sequence[Sample]) -> list[tuple[Array, Array]]:
    """Return the found moments of each group."""
    return [(s.cov, s.mean) for s in samples]

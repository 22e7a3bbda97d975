"""Inference that does not lean on normality: sandwich standard errors and scaled tests.

References
----------
.. [1] Satorra, A. and Bentler, P. M. (1994). Corrections to test statistics and standard errors in covariance
   structure analysis. In von Eye and Clogg (eds), Latent variables analysis.
.. [2] Yuan, K.-H. and Bentler, P. M. (2000). Three likelihood-based methods for mean and covariance structure
   analysis with nonnormal missing data. Sociological Methodology 30 (as carried out by Mplus: scaling factors of
   the two models apart).
.. [3] Brosseau-Liard, P. E. and Savalei, V. (2014). Adjusting incremental fit indices for nonnormality.
   Multivariate Behavioral Research 49.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.assessment import fit as measures
from satmodels.sem.covariance.casewise import meat, moment_scores, score_products
from satmodels.sem.covariance.fitting import Fit, inverse_or_none
from satmodels.sem.covariance.normal_moments import normal_weight
from satmodels.sem.covariance.samples import Sample

Array = NDArray[np.floating[Any]]
Measures = dict[str, float | None]


def sandwich(fit: Fit, bread: Array) -> Array | None:
    """Return the sandwich covariance matrix of the estimates (own units) for an information matrix."""
    k = fit.problem.ties.k
    inner = inverse_or_none(k.T @ bread @ k)
    if inner is None:
        return None
    return fit.to_units(k @ inner @ (k.T @ meat(fit) @ k) @ inner @ k.T)


def model_trace(fit: Fit, bread: Array) -> float | None:
    """Return tr(J I^-1) of the model's parameters: their number, if the answers are normal."""
    k = fit.problem.ties.k
    inner = inverse_or_none(k.T @ bread @ k)
    return None if inner is None else float((inner * (k.T @ meat(fit) @ k)).sum())


def saturated_trace(fit: Fit, at_model: bool) -> float:
    """Return tr(J I^-1) of the saturated model, at its own moments or (``at_model``) with the model's weight.

    Exogenous variables are left out: their part of the moments is not fitted.
    """
    total = 0.0
    for sample, implied in zip(fit.samples, fit.implied, strict=True):
        exogenous = [fit.table.observed.index(v) for v in fit.table.exogenous]
        if sample.patterns is not None:
            total += _pattern_trace(sample, exogenous)
        else:
            sigma = implied.sigma if at_model else sample.cov
            total += _complete_trace(sample, sigma, fit.table.means)
            if exogenous:
                part = _only(sample, exogenous)
                total -= _complete_trace(part, part.cov, fit.table.means)
    return total


def _complete_trace(sample: Sample, sigma: Array, means: bool) -> float:
    """Return tr(V Gamma): V the normal-theory weight at sigma, Gamma the fourth moments of the rows."""
    assert sample.rows is not None  # noqa: S101 - the reader kept them
    inverse = np.linalg.inv(sigma)
    z = sample.rows - sample.mean
    distance = np.einsum("np,pq,nq->n", z, inverse, z, optimize=True)
    w = np.ones(len(z)) if sample.weights is None else sample.weights
    n = sample.n
    if sample.clusters is None:
        product = inverse @ sample.cov
        first = float((w**2) @ distance**2) / n
        # weighted rows: centring takes the weighted mean of products off every row
        cross = np.einsum("np,pq,nq->n", z, product @ inverse, z, optimize=True)
        middle = float((w**2) @ cross) / n
        rest = float((product * product.T).sum()) * float(w @ w) / n
        trace = (first - 2 * middle + rest) / 2
        if means:
            trace += float((w**2) @ distance) / n
        return trace
    scores = moment_scores(sample, sample.cov, sample.mean, means=means)
    weight = normal_weight(sample.cov, means=means)
    gamma_part = score_products(sample, scores) / n
    return float((np.linalg.inv(weight) * gamma_part).sum())


def _pattern_trace(sample: Sample, exogenous: list[int]) -> float:
    scores = moment_scores(sample, sample.cov, sample.mean, means=True)
    inverse = np.linalg.inv(sample.saturated_information)
    trace = float((inverse * score_products(sample, scores)).sum())
    if exogenous:
        part = _only(sample, exogenous)
        trace -= _complete_trace(part, part.cov, means=True)
    return trace


def _only(sample: Sample, columns: list[int]) -> Sample:
    from dataclasses import replace

    assert sample.rows is not None  # noqa: S101 - the reader kept them
    return replace(
        sample,
        columns=tuple(sample.columns[i] for i in columns),
        mean=sample.mean[columns],
        cov=sample.cov[np.ix_(columns, columns)],
        rows=sample.rows[:, columns],
        patterns=None,
    )


def scaled_measures(
    found: Measures, factor: float, base_factor: float, n_test: float, groups: int
) -> Measures:
    """Return the scaled and robust measures of fit.

    Parameters
    ----------
    found : mapping
        The unscaled measures.
    factor, base_factor : float
        Scaling factors of the model's and of the baseline's test statistic.
    n_test : float
        Sample size behind the test statistic.
    groups : int
        Number of groups.
    """
    chisq, df = found["chisq"] or 0.0, found["df"] or 0
    base, base_df = found["baseline_chisq"] or 0.0, found["baseline_df"] or 0
    scaled = chisq / factor if df else chisq
    base_scaled = base / base_factor
    result: Measures = {
        "chisq_scaled": scaled,
        "df_scaled": df,
        "pvalue_scaled": measures.upper_tail(scaled, df),
        "chisq_scaling_factor": factor if df else None,
        "baseline_chisq_scaled": base_scaled,
        "baseline_df_scaled": base_df,
        "baseline_pvalue_scaled": measures.upper_tail(base_scaled, base_df),
        "baseline_chisq_scaling_factor": base_factor,
    }
    relative = measures.comparative_fit(scaled, df, base_scaled, base_df)
    result |= {f"{name}_scaled": value for name, value in relative.items()}
    result |= robust_measures(chisq, base, df, base_df, factor * df, base_factor * base_df, n_test, groups)
    # the reference distribution of the statistic has factor * df for its mean
    shown = measures.rmsea(chisq, factor * df, n_test, groups)
    return result | {f"{name}_scaled": value for name, value in shown.items()}


def adjusted_measures(
    found: Measures, u_gamma: Array, base_u_gamma: Array, n_test: float, groups: int, shift: bool
) -> Measures:
    """Return measures of a test whose mean and variance are those of its reference distribution.

    With ``shift`` the statistic is scaled and shifted (Asparouhov and Muthen 2010) and keeps its degrees of freedom;
    without, it is scaled and its degrees of freedom are adjusted (Satterthwaite; Satorra and Bentler 1994).
    """
    chisq, df = found["chisq"] or 0.0, found["df"] or 0
    base, base_df = found["baseline_chisq"] or 0.0, found["baseline_df"] or 0
    adjusted = _shifted if shift else _adjusted
    scaled, scaled_df, factor = adjusted(chisq, df, u_gamma)
    base_scaled, base_scaled_df, base_factor = adjusted(base, base_df, base_u_gamma)
    result: Measures = {
        "chisq_scaled": scaled,
        "df_scaled": scaled_df,
        "pvalue_scaled": measures.upper_tail(scaled, scaled_df),
        "chisq_scaling_factor": factor,
        "baseline_chisq_scaled": base_scaled,
        "baseline_df_scaled": base_scaled_df,
        "baseline_pvalue_scaled": measures.upper_tail(base_scaled, base_scaled_df),
        "baseline_chisq_scaling_factor": base_factor,
    }
    relative = measures.comparative_fit(scaled, scaled_df, base_scaled, base_scaled_df)
    result |= {f"{name}_scaled": value for name, value in relative.items()}
    mean, base_mean = (float(np.trace(m)) if d else 0.0 for m, d in ((u_gamma, df), (base_u_gamma, base_df)))
    shown = (
        measures.rmsea(scaled, df, n_test, groups) if shift else measures.rmsea(chisq, mean, n_test, groups)
    )
    result |= {f"{name}_scaled": value for name, value in shown.items()}
    result |= robust_measures(chisq, base, df, base_df, mean, base_mean, n_test, groups)
    if shift:  # the limits come from the shifted statistic, in units of the plain one
        within = measures.rmsea(scaled, df, n_test / factor, groups)
        result |= {f"{name}_robust": value for name, value in within.items()}
    return result


def _shifted(chisq: float, df: float, u_gamma: Array) -> tuple[float, float, float]:
    """Return the statistic with the mean and variance of a chi-square variable, its degrees of freedom and factor."""
    if df == 0:
        return chisq, df, 1.0
    a = float(np.sqrt(df / np.einsum("ij,ji->", u_gamma, u_gamma)))
    return a * chisq + df - a * float(np.trace(u_gamma)), df, 1 / a


def _adjusted(chisq: float, df: float, u_gamma: Array) -> tuple[float, float, float]:
    if df == 0:
        return chisq, df, 1.0
    mean, square = float(np.trace(u_gamma)), float(np.einsum("ij,ji->", u_gamma, u_gamma))
    return chisq * mean / square, mean**2 / square, square / mean


def robust_measures(
    chisq: float,
    base: float,
    df: float,
    base_df: float,
    mean: float,
    base_mean: float,
    n_test: float,
    groups: int,
) -> Measures:
    """Return CFI, TLI and RMSEA from what two statistics exceed their means under a true model by.

    Parameters
    ----------
    chisq, base : float
        n times a criterion, of the model and of the baseline.
    df, base_df : float
    mean, base_mean : float
        What each would be on average if its model were true: the degrees of freedom, for normal complete rows.
    n_test : float
    groups : int
    """
    excess, base_excess = chisq - mean, base - base_mean
    tli = 1.0 if not df or not base_excess else 1 - excess * base_df / (base_excess * df)
    result: Measures = {
        "cfi_robust": 1.0
        if max(base_excess, excess) <= 0
        else 1 - max(excess, 0.0) / max(base_excess, excess, 0.0),
        "tli_robust": tli,
        "nnfi_robust": tli,
        "rni_robust": None if base_excess == 0 else 1 - excess / base_excess,
    }
    factor = mean / df if df else 1.0
    shown = measures.rmsea(chisq / factor, df, n_test / factor, groups) if factor > 0 else {}
    return result | {f"{name}_robust": value for name, value in shown.items()}

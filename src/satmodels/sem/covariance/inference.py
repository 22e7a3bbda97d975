"""From a fit to standard errors, test statistics and measures of fit, estimator by estimator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.assessment.fit import explained_moments
from satmodels.sem.covariance.fitting import (
    LIKELIHOOD,
    Fit,
    baseline_table,
    closed_form_baseline,
    covariance_of_estimates,
    fit_table,
    inverse_or_none,
)
from satmodels.sem.covariance.measures import (
    Measures,
    all_measures,
    normal_distance,
    normal_logl,
    sample_moments,
)
from satmodels.sem.covariance.moment_distance import MomentDistance
from satmodels.sem.covariance.patterns import PatternLikelihood
from satmodels.sem.covariance.residual_moments import (
    ResidualMoments,
    complete_moments,
    complete_weights,
    incomplete_moments,
    sandwich_of_moments,
)
from satmodels.sem.covariance.robust import (
    adjusted_measures,
    model_trace,
    robust_measures,
    sandwich,
    saturated_trace,
    scaled_measures,
)

Array = NDArray[np.floating[Any]]
MEAN_AND_VARIANCE = (
    "MLMV",
    "MLMVS",
)  # tests that match two moments of their reference distribution
LEAST_SQUARES = ("GLS", "ULS", "WLS", "DWLS")
NOT_IDENTIFIED = (
    "the information is singular at the solution, so there are no standard errors: this data can't tell some of "
    "the parameters apart"
)


@dataclass
class Inference:
    """Covariance matrix of the estimates (own units), measures of fit and what went wrong."""

    vcov: Array | None
    measures: Measures
    problems: list[str] = field(default_factory=list[str])
    moments: Literal["normal", "rows"] | None = None  # how those found vary, where indices have an interval


def infer(fit: Fit, estimator: str, *, wishart: bool = False, errors: str = "auto") -> Inference:
    """Return what follows from a fit under one of the continuous estimators.

    ``errors`` chooses the standard errors: "expected" or "observed" information, "robust" (sandwich), or
    "auto", what suits the estimator.
    """
    incomplete = any(s.patterns is not None for s in fit.samples)
    if estimator in LIKELIHOOD:
        found = _likelihood(fit, estimator, incomplete, wishart, errors)
        found.moments = "rows" if estimator != "ML" or errors == "robust" else "normal"
    else:
        found = _least_squares(fit, estimator, errors)
        found.moments = "normal" if estimator == "GLS" and errors != "robust" else None
    if found.vcov is None:
        found.problems.append(NOT_IDENTIFIED)
    return found


# likelihood ---------------------------------------------------------------------------------------------


def _likelihood(fit: Fit, estimator: str, incomplete: bool, wishart: bool, errors: str) -> Inference:
    implied = fit.solution.implied
    observed = errors == "observed" or (errors != "expected" and (incomplete or estimator == "MLR"))
    bread = fit.problem.hessian(implied) if observed else fit.problem.information(implied)
    groups = len(fit.samples)
    scaled = estimator != "ML"
    robust = errors == "robust" or (errors == "auto" and scaled)
    vcov = sandwich(fit, bread) if robust else covariance_of_estimates(fit, bread)
    # columns that are taken as they are don't vary: the fourth moments are those given them. Nor do rows vary about
    # the model's moments, where ties across groups or restricted means keep these apart from those found
    taken = (bool(fit.table.exogenous) or groups > 1 or _means_apart(fit)) and not incomplete
    weighed = estimator in MEAN_AND_VARIANCE or (estimator == "MLM" and (incomplete or taken))
    residual = (
        _moments(fit) if vcov is not None and (weighed or (robust and taken and not observed)) else None
    )
    if residual is not None and robust and taken and not observed:
        vcov = sandwich_of_moments(fit, residual)
    chisq = 2 * fit.solution.value
    n_test = fit.n - groups if wishart else fit.n
    if incomplete:
        base_chisq = _incomplete_baseline(fit)
        saturated = -sum(s.saturated for s in fit.samples) - _exogenous_logl(fit)
        logl = (saturated - chisq / 2, saturated)
    else:
        ratio = n_test / fit.n
        base_chisq = closed_form_baseline(fit) * ratio
        logl = normal_logl(fit, unbiased=wishart)
    moments = [(s.cov * (s.n / (s.n - 1) if wishart else 1.0), s.mean) for s in fit.samples]
    found = _base_measures(fit, chisq, base_chisq, n_test, logl, found=moments)
    if incomplete:  # goodness-of-fit indices are not defined for rows with gaps
        found |= dict.fromkeys(("gfi", "agfi", "pgfi"))
    if vcov is None:
        return Inference(vcov, found)
    base = fit_baseline(fit) if scaled or incomplete else fit
    if residual is not None and weighed:
        found |= _weighed(fit, base, found, estimator, n_test, residual)
    elif scaled:
        found |= _scaled(fit, base, found, estimator, bread, n_test)
    if incomplete:
        found |= _as_if_complete(fit, base, found, robust=robust)
    return Inference(vcov, found)


def _means_apart(fit: Fit) -> bool:
    """Return whether the means that the model implies are not those found."""
    return fit.table.means and any(
        bool((np.abs(s.mean - i.mu) > 1e-9 * s.std).any())
        for s, i in zip(fit.samples, fit.implied, strict=True)
    )


def _moments(fit: Fit) -> ResidualMoments:
    incomplete = any(s.patterns is not None for s in fit.samples)
    return incomplete_moments(fit, robust=True) if incomplete else complete_moments(fit)


def _as_if_complete(fit: Fit, base: Fit, found: Measures, *, robust: bool) -> Measures:
    """Return the robust measures of rows with gaps: those that complete rows would have (Zhang and Savalei 2022).

    The likelihood of rows with gaps makes light of what is wrong with cells that few rows show, so CFI and RMSEA drift
    with the share of gaps. These are of the complete-data criterion between the saturated and the model's moments, less
    what it would be on average if the model were true.
    """
    weight = complete_weights(fit)
    (chisq, mean), (base_chisq, base_mean) = (
        (normal_distance(f), incomplete_moments(f, robust=robust).mean_of(weight)) for f in (fit, base)
    )
    return robust_measures(
        chisq,
        base_chisq,
        fit.df,
        found["baseline_df"] or 0,
        mean,
        base_mean,
        fit.n,
        len(fit.samples),
    )


def _base_df(fit: Fit) -> int:
    p, q = len(fit.table.observed), len(fit.table.exogenous)
    return (p * (p - 1) // 2 - q * (q - 1) // 2) * fit.table.n_groups


def _base_measures(
    fit: Fit,
    chisq: float,
    base_chisq: float,
    n_test: float,
    logl: tuple[float, float] | None,
    weights: Sequence[Array] | None = None,
    found: Sequence[tuple[Array, Array]] | None = None,
) -> Measures:
    return all_measures(
        fit,
        chisq=max(chisq, 0.0),
        base_chisq=base_chisq,
        base_df=_base_df(fit),
        logl=logl,
        n_test=n_test,
        found=sample_moments(fit.samples) if found is None else found,
        weights=[np.linalg.pinv(i.sigma, hermitian=True) for i in fit.implied]
        if weights is None
        else weights,
    )


def _incomplete_baseline(fit: Fit) -> float:
    """Return the baseline statistic of incomplete rows: every column's own mean and variance."""
    total = 0.0
    outside = [fit.table.observed.index(v) for v in fit.table.exogenous]
    for s in fit.samples:
        assert s.rows is not None  # noqa: S101 - kept by the reader
        w = np.ones(len(s.rows)) if s.weights is None else s.weights
        minus = 0.0
        for j in range(len(s.columns)):
            if j in outside:
                continue
            there = ~np.isnan(s.rows[:, j])
            x, wj = s.rows[there, j], w[there]
            n = float(wj.sum())
            mean = float(wj @ x) / n
            variance = float(wj @ (x - mean) ** 2) / n
            minus += n / 2 * (np.log(2 * np.pi * variance) + 1)
        total += 2 * (minus - s.saturated)
    return total - 2 * _exogenous_logl(fit)


def _exogenous_logl(fit: Fit) -> float:
    """Return the log-likelihood of the variables that are taken as they are; they are complete."""
    at = [fit.table.observed.index(v) for v in fit.table.exogenous]
    if not at:
        return 0.0
    return -sum(
        s.n / 2 * (len(at) * (np.log(2 * np.pi) + 1) + float(np.linalg.slogdet(s.cov[np.ix_(at, at)])[1]))
        for s in fit.samples
    )


def _weighed(
    fit: Fit, base: Fit, found: Measures, estimator: str, n_test: float, residual: ResidualMoments
) -> Measures:
    """Return scaled, shifted or adjusted measures from tr(U Gamma) and, save for MLM, tr(U Gamma U Gamma)."""
    u_gamma, base_u_gamma = residual.u_gamma, _moments(base).u_gamma
    groups = len(fit.samples)
    if estimator != "MLM":
        return adjusted_measures(found, u_gamma, base_u_gamma, n_test, groups, estimator == "MLMV")
    factor = float(np.trace(u_gamma)) / fit.df if fit.df else 1.0
    return scaled_measures(found, factor, float(np.trace(base_u_gamma)) / _base_df(fit), n_test, groups)


def _scaled(fit: Fit, base: Fit, found: Measures, estimator: str, bread: Array, n_test: float) -> Measures:
    """Return scaled and robust measures: Satorra-Bentler for MLM, Yuan-Bentler (apart) for MLR."""
    df, base_df = fit.df, _base_df(fit)
    saturated = saturated_trace(fit, at_model=estimator == "MLM")
    model = model_trace(fit, bread)
    information = base.problem.information if estimator == "MLM" else base.problem.hessian
    base_model = model_trace(base, information(base.solution.implied))
    if model is None or base_model is None:
        return {}
    base_saturated = saturated_trace(base, at_model=estimator == "MLM")
    factor = (saturated - model) / df if df else 1.0
    result = scaled_measures(found, factor, (base_saturated - base_model) / base_df, n_test, len(fit.samples))
    if estimator == "MLR" and df:
        result["scaling_factor_h1"] = saturated / (fit.npar + df)
        result["scaling_factor_h0"] = model / fit.npar
    return result


def fit_baseline(fit: Fit) -> Fit:
    """Fit the baseline model to the same samples, with the same kind of criterion."""
    table = baseline_table(fit.table)
    criteria = [
        PatternLikelihood(s.patterns.scaled(fit.std), fit.shifted(s)) if s.patterns is not None else None
        for s in fit.samples
    ]
    if all(c is not None for c in criteria):
        return fit_table(
            table,
            fit.samples,
            criteria=[c for c in criteria if c is not None],
            check=False,
        )
    return fit_table(table, fit.samples, check=False)


# least squares ------------------------------------------------------------------------------------------


def _least_squares(fit: Fit, estimator: str, errors: str) -> Inference:
    """Return inference for least squares; where the weight is not the optimal one, by sandwich."""
    groups = len(fit.samples)
    n_test = fit.n - groups
    information = fit.problem.information(fit.solution.implied)
    k = fit.problem.ties.k
    inner = inverse_or_none(k.T @ information @ k)
    vcov = None
    if inner is not None:
        middle = inner
        if errors == "robust" or (errors == "auto" and estimator in ("ULS", "DWLS")):
            middle = inner @ (k.T @ least_squares_meat(fit) @ k) @ inner
        vcov = fit.to_units(k @ middle @ k.T)
    base = fit_table(
        baseline_table(fit.table),
        fit.samples,
        estimator=estimator,
        criteria=None if estimator == "GLS" else list(fit.problem.criteria),
        check=False,
    )
    moments = [(s.cov * s.n / (s.n - 1), s.mean) for s in fit.samples]
    found = _base_measures(
        fit,
        2 * fit.solution.value,
        2 * base.solution.value,
        n_test,
        None,
        weights=[np.linalg.inv(cov) for cov, _ in moments],
        found=moments,
    )
    if estimator != "GLS":
        found |= _explained_elements(fit)
    if estimator == "ULS":  # twice the criterion has no known distribution
        found |= {"pvalue": None, "baseline_pvalue": None}
    return Inference(vcov, found)


def least_squares_meat(fit: Fit) -> Array:
    """Return Delta' V Gamma V Delta: with the rows' fourth moments, or those of normal data without rows."""
    total = np.zeros((len(fit.x),) * 2)
    for criterion, implied, sample in zip(
        fit.problem.criteria, fit.solution.implied, fit.samples, strict=True
    ):
        if isinstance(criterion, MomentDistance):
            u, w, _ = implied.derivatives()
            i, j = criterion.rows, criterion.columns
            own = fit.std[i] * fit.std[j]
            gamma = sample.gamma
            if gamma is None:
                c = sample.cov
                gamma = c[np.ix_(i, i)] * c[np.ix_(j, j)] + c[np.ix_(i, j)] * c[np.ix_(j, i)]
            delta = criterion.weigh(criterion.delta(u, w)) / own[:, None]
            at = np.ix_(implied.arrows.places, implied.arrows.places)
            total[at] += criterion.n * delta.T @ gamma @ delta
    return total


def _explained_elements(fit: Fit) -> Measures:
    parts: list[tuple[float, float, float]] = []
    for criterion, implied in zip(fit.problem.criteria, fit.solution.implied, strict=True):
        if isinstance(criterion, MomentDistance):
            r = criterion.residual(implied)
            s = criterion.found
            parts.append(
                (
                    criterion.n,
                    float(r @ criterion.weigh(r)),
                    float(s @ criterion.weigh(s)),
                )
            )
    return explained_moments(parts, fit.npar, fit.df) if parts else {}

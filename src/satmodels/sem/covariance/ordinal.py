"""Models of ordered answers: weighted least squares on thresholds and polychoric correlations.

Answers are normal variables of variance 1 seen through thresholds (the delta parameterisation); a residual
variance is what is left of 1. The thresholds fit exactly, so the criterion is (n - 1) sum of (r - rho)^2 / gamma
(DWLS, WLSMV) or (n - 1) sum of (r - rho)^2 (ULSMV). Standard errors are sandwiches; the test statistic of WLSMV and
ULSMV is scaled and shifted to the mean and variance of its reference distribution.

References
----------
.. [1] Muthen, B., du Toit, S. H. C. and Spisic, D. (1997). Robust inference using weighted least squares and
   quadratic estimating equations in latent variable modeling with categorical and continuous outcomes.
.. [2] Asparouhov, T. and Muthen, B. (2010). Simple second order chi-square correction. Mplus technical appendix.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError
from satmodels.sem.assessment import fit as measures
from satmodels.sem.covariance.arrows import build_arrows
from satmodels.sem.covariance.fitting import Fit, fit_table, inverse_or_none
from satmodels.sem.covariance.inference import NOT_IDENTIFIED, Inference
from satmodels.sem.covariance.moment_distance import MomentDistance
from satmodels.sem.covariance.polychoric import Polychoric, polychoric
from satmodels.sem.covariance.samples import Sample, check_collinear
from satmodels.sem.covariance.table import ParameterTable, build_table
from satmodels.sem.model.spec import ModelSpec
from satmodels.statistics.moments import Moments

Array = NDArray[np.floating[Any]]
ORDINAL = ("WLSMV", "ULSMV", "DWLS", "ULS")


def check_ordinal(spec: ModelSpec, ordered: tuple[str, ...]) -> None:
    """Refuse what ordered answers are not supported for: a mixture, and columns that explain others."""
    for name in ordered:
        if name not in spec.observed:
            raise ArgumentError(f"ordered: {name!r} is no column of the model")
    numbers = [v for v in spec.observed if v not in ordered]
    if numbers:
        raise ArgumentError(
            f"ordered= must name all columns of the model or none; {numbers[:5]} are missing in it. Mixtures of "
            "ordered and other columns are not supported."
        )
    explaining = [s for _, s in spec.paths if s in ordered]
    if explaining:
        raise ArgumentError(
            f"ordered column {explaining[0]!r} explains others in the model: measure a construct by it instead"
        )
    if any(t.op == "~1" for t in spec.terms):
        raise ArgumentError("ordered columns have thresholds, not intercepts: take '~ 1' out of the model")


def ordinal_table(spec: ModelSpec, *, unit_variance: bool) -> ParameterTable:
    """Return the parameter table with residual variances that are not parameters."""
    table = build_table(spec, unit_variance=unit_variance)
    observed = set(table.observed)
    rows = [
        replace(p, free=False, value=0.0, label="", tie="")
        if p.op == "~~" and p.lhs == p.rhs and p.lhs in observed
        else p
        for p in table.parameters
    ]
    return replace(table, parameters=tuple(rows), unfitted=len(table.observed))


def fit_ordinal(
    spec: ModelSpec, rows: Array, estimator: str, *, unit_variance: bool, errors: str
) -> tuple[Fit, Inference, Polychoric]:
    """Fit a model to rows of ordered answers."""
    found = polychoric(rows, spec.observed)
    check_collinear(found.corr, spec.observed)
    table = ordinal_table(spec, unit_variance=unit_variance)
    sample = _sample(rows, found)
    i, j = np.tril_indices(len(found.columns), -1)
    gamma = found.gamma[found.n_thresholds :, found.n_thresholds :]
    weight = np.ones(len(i)) if estimator in ("ULS", "ULSMV") else 1 / np.diag(gamma)
    criterion = MomentDistance(found.n - 1, found.corr[i, j], i, j, weight)
    fit = _with_unit_variances(fit_table(table, [sample], spec=spec, criteria=[criterion]))
    inference = _infer(fit, criterion, found, gamma, estimator, errors)
    if found.at_bound:
        pairs = ", ".join(f"{a} with {b}" for a, b in found.at_bound)
        inference.problems.append(f"polychoric correlations at their bound (empty cells): {pairs}")
    return fit, inference, found


def _sample(rows: Array, found: Polychoric) -> Sample:
    complete = rows[~np.isnan(rows).any(axis=1)]
    std = complete.std(axis=0, ddof=1)
    scatter = found.corr * np.outer(std, std) * (found.n - 1)
    moments = Moments(
        found.columns,
        found.n,
        np.asarray(complete.mean(axis=0), float),
        np.asarray(scatter, float),
        float(found.n),
        float(found.n),
        found.n_dropped,
    )
    return Sample(None, found.columns, found.n, np.zeros(len(std)), found.corr, moments, found.n_dropped)


def _with_unit_variances(fit: Fit) -> Fit:
    """Return the fit with residual variances that fill every item's variance up to 1."""
    arrows = build_arrows(fit.table)[0]
    p = arrows.n_observed
    fixed = arrows.fixed_s.copy()
    fixed[np.arange(p), np.arange(p)] = 1 - np.diag(fit.implied[0].sigma)
    parameters = iter(np.diag(fixed)[:p])
    shown = {v: float(x) for v, x in zip(fit.table.observed, parameters, strict=True)}
    rows = [
        replace(q, value=shown[q.lhs]) if q.op == "~~" and q.lhs == q.rhs and q.lhs in shown else q
        for q in fit.table.parameters
    ]
    arrows = replace(arrows, fixed_s=fixed)
    # the free parameters keep their places: only fixed ones were replaced
    return replace(fit, table=replace(fit.table, parameters=tuple(rows)), implied=[arrows.at(fit.x)])


def _infer(
    fit: Fit, criterion: MomentDistance, found: Polychoric, gamma: Array, estimator: str, errors: str
) -> Inference:
    implied = fit.solution.implied[0]
    u, w, _ = implied.derivatives()
    at = implied.arrows.places
    delta = np.zeros((len(criterion.rows), len(fit.x)))
    delta[:, at] = criterion.delta(u, w)
    k = fit.problem.ties.k
    delta = delta @ k
    weighted = criterion.weigh(delta)
    inner = inverse_or_none(delta.T @ weighted)
    vcov = None
    if inner is not None:
        middle = inner @ (weighted.T @ gamma @ weighted) @ inner if errors != "expected" else inner
        vcov = fit.to_units(k @ middle @ k.T) / (found.n - 1)
    result = _measures(fit, criterion, found)
    if estimator in ("WLSMV", "ULSMV") and inner is not None:
        v = np.diag(criterion.weight)
        result |= _scaled_and_shifted(result, (v - weighted @ inner @ weighted.T) @ gamma, v @ gamma, found.n)
    if estimator in ("ULS", "ULSMV"):
        result |= {"pvalue": None, "baseline_pvalue": None}
    return Inference(vcov, result, [] if vcov is not None else [NOT_IDENTIFIED])


def _measures(fit: Fit, criterion: MomentDistance, found: Polychoric) -> dict[str, float | None]:
    p = len(found.columns)
    df, base_df = fit.df, p * (p - 1) // 2
    npar = fit.npar + found.n_thresholds
    chisq = 2 * fit.solution.value
    base = criterion.n * float(criterion.found @ criterion.weigh(criterion.found))
    result: dict[str, float | None] = {
        "npar": npar,
        "chisq": chisq,
        "df": df,
        "pvalue": measures.upper_tail(chisq, df),
        "baseline_chisq": base,
        "baseline_df": base_df,
        "baseline_pvalue": measures.upper_tail(base, base_df),
    }
    result |= measures.comparative_fit(chisq, df, base, base_df)
    result["ntotal"] = found.n
    result |= measures.rmsea(chisq, df, criterion.n)
    gap = criterion.residual(fit.implied[0])
    result["srmr"] = float(np.sqrt((gap**2).sum() / (p * (p + 1) / 2)))
    return result


def _scaled_and_shifted(
    found: dict[str, float | None], ug: Array, base_ug: Array, n: int
) -> dict[str, float | None]:
    chisq, df = found["chisq"] or 0.0, int(found["df"] or 0)
    base, base_df = found["baseline_chisq"] or 0.0, int(found["baseline_df"] or 0)
    scaled, factor = _shifted(chisq, df, ug)
    base_scaled, base_factor = _shifted(base, base_df, base_ug)
    result: dict[str, float | None] = {
        "chisq_scaled": scaled,
        "df_scaled": df,
        "pvalue_scaled": measures.upper_tail(scaled, df),
        "chisq_scaling_factor": factor,
        "baseline_chisq_scaled": base_scaled,
        "baseline_df_scaled": base_df,
        "baseline_pvalue_scaled": measures.upper_tail(base_scaled, base_df),
        "baseline_chisq_scaling_factor": base_factor,
    }
    relative = measures.comparative_fit(scaled, df, base_scaled, base_df)
    result |= {f"{name}_scaled": value for name, value in relative.items()}
    return result | {f"{name}_scaled": v for name, v in measures.rmsea(scaled, df, n - 1).items()}


def _shifted(chisq: float, df: int, ug: Array) -> tuple[float, float]:
    """Return the statistic with the mean and variance of a chi-square variable, and its scaling factor."""
    if df == 0:
        return chisq, 1.0
    a = float(np.sqrt(df / np.einsum("ij,ji->", ug, ug)))
    return a * chisq + df - a * float(np.trace(ug)), 1 / a


def threshold_rows(found: Polychoric) -> list[tuple[str, str, float, float]]:
    """Return (column, "t1", threshold, variance) of every threshold."""
    rows: list[tuple[str, str, float, float]] = []
    at = 0
    for column, thresholds in zip(found.columns, found.thresholds, strict=True):
        for k, value in enumerate(thresholds, start=1):
            rows.append((column, f"t{k}", float(value), float(found.gamma[at, at]) / (found.n - 1)))
            at += 1
    return rows

"""Models of ordered answers, alone or beside numbers: weighted least squares on thresholds and correlations.

Ordered answers are normal variables of variance 1 seen through thresholds (the delta parameterisation); their
residual variance is what is left of 1. Numbers beside them keep their variances. Thresholds and means fit exactly, so
the criterion is (n - 1) sum of (s - sigma)^2 / gamma (DWLS, WLSMV) or (n - 1) sum of (s - sigma)^2 (ULSMV) over
covariances and the variances of numbers. Standard errors are sandwiches; the test statistic of WLSMV and ULSMV is
scaled and shifted to the mean and variance of its reference distribution.

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
from satmodels.sem.covariance.answer_moments import AnswerMoments, answer_moments
from satmodels.sem.covariance.arrows import build_arrows
from satmodels.sem.covariance.fitting import Fit, fit_table, inverse_or_none
from satmodels.sem.covariance.inference import NOT_IDENTIFIED, Inference
from satmodels.sem.covariance.moment_distance import MomentDistance
from satmodels.sem.covariance.samples import Sample, check_collinear
from satmodels.sem.covariance.table import ParameterTable, build_table
from satmodels.sem.model.spec import ModelSpec
from satmodels.statistics.moments import Moments

Array = NDArray[np.floating[Any]]
ORDINAL = ("WLSMV", "ULSMV", "DWLS", "ULS")


def check_ordinal(spec: ModelSpec, ordered: tuple[str, ...]) -> None:
    """Refuse what ordered answers are not supported for: explaining others, and intercepts in the model."""
    for name in ordered:
        if name not in spec.observed:
            raise ArgumentError(f"ordered: {name!r} is no column of the model")
    explaining = [s for _, s in spec.paths if s in ordered]
    if explaining:
        raise ArgumentError(
            f"ordered column {explaining[0]!r} explains others in the model: measure a construct by it instead"
        )
    if any(t.op == "~1" for t in spec.terms):
        raise ArgumentError(
            "with ordered columns thresholds and means are always fitted as found: take '~ 1' out of the model"
        )


def ordinal_table(spec: ModelSpec, ordered: tuple[str, ...], *, unit_variance: bool) -> ParameterTable:
    """Return the parameter table; residual variances of ordered columns are no parameters.

    Observed columns that only explain are variables with a variance, not taken as they are.
    """
    table = build_table(spec, unit_variance=unit_variance, fixed_exogenous=False)
    rows = [
        replace(p, free=False, value=0.0, label="", tie="")
        if p.op == "~~" and p.lhs == p.rhs and p.lhs in ordered
        else p
        for p in table.parameters
    ]
    return replace(table, parameters=tuple(rows), ordered=tuple(v for v in table.observed if v in ordered))


def fit_ordinal(
    spec: ModelSpec,
    rows: Array,
    ordered: tuple[str, ...],
    estimator: str,
    *,
    unit_variance: bool,
    errors: str,
) -> tuple[Fit, Inference, AnswerMoments]:
    """Fit a model to rows of answers, some or all of them ordered."""
    found = answer_moments(rows, spec.observed, [v in ordered for v in spec.observed])
    check_collinear(found.corr, spec.observed)
    table = ordinal_table(spec, ordered, unit_variance=unit_variance)
    sample = _sample(rows, found)
    own = found.std[found.rows] * found.std[found.others]
    # unweighted means in the units of the columns
    weight = own**2 if estimator in ("ULS", "ULSMV") else 1 / np.diag(found.gamma)
    criterion = MomentDistance(found.n - 1, found.found, found.rows, found.others, weight)
    fit = _with_unit_variances(fit_table(table, [sample], spec=spec, criteria=[criterion]))
    inference = _infer(fit, criterion, found, _constrained(spec, found), estimator, errors)
    if found.at_bound:
        pairs = ", ".join(f"{a} with {b}" for a, b in found.at_bound)
        inference.problems.append(f"correlations at their bound (empty cells): {pairs}")
    return fit, inference, found


def _constrained(spec: ModelSpec, found: AnswerMoments) -> NDArray[np.bool_]:
    """Return which moments the baseline model holds at 0: all but variances, and pairs of columns that only explain."""
    targets = {t.lhs for t in spec.terms if t.op == "~"} | {t.rhs for t in spec.terms if t.op == "=~"}
    sources = {t.rhs for t in spec.terms if t.op == "~"}
    outside = np.array([v in sources and v not in targets for v in found.columns])
    return (found.rows != found.others) & ~(outside[found.rows] & outside[found.others])


def _sample(rows: Array, found: AnswerMoments) -> Sample:
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
    mean = np.array([0.0 if o else f[0] for o, f in zip(found.ordered, found.firsts, strict=True)])
    cov = found.corr * np.outer(found.std, found.std)
    return Sample(None, found.columns, found.n, mean, cov, moments, found.n_dropped)


def _with_unit_variances(fit: Fit) -> Fit:
    """Return the fit with residual variances that fill every ordered item's variance up to 1."""
    arrows = build_arrows(fit.table)[0]
    at = [fit.table.observed.index(v) for v in fit.table.ordered]
    fixed = arrows.fixed_s.copy()
    fixed[at, at] = 1 - np.diag(fit.implied[0].sigma)[at]
    shown = {v: float(fixed[i, i]) for v, i in zip(fit.table.ordered, at, strict=True)}
    rows = [
        replace(q, value=shown[q.lhs]) if q.op == "~~" and q.lhs == q.rhs and q.lhs in shown else q
        for q in fit.table.parameters
    ]
    arrows = replace(arrows, fixed_s=fixed)
    # the free parameters keep their places: only fixed ones were replaced
    return replace(fit, table=replace(fit.table, parameters=tuple(rows)), implied=[arrows.at(fit.x)])


def _infer(
    fit: Fit,
    criterion: MomentDistance,
    found: AnswerMoments,
    constrained: NDArray[np.bool_],
    estimator: str,
    errors: str,
) -> Inference:
    gamma = found.gamma
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
    result = _measures(fit, criterion, found, constrained)
    if estimator in ("WLSMV", "ULSMV") and inner is not None:
        v = np.diag(criterion.weight)
        held = np.ix_(constrained, constrained)
        base_ug = v[held] @ gamma[held]
        result |= _scaled_and_shifted(result, (v - weighted @ inner @ weighted.T) @ gamma, base_ug, found.n)
    if estimator in ("ULS", "ULSMV"):
        result |= {"pvalue": None, "baseline_pvalue": None}
    return Inference(vcov, result, [] if vcov is not None else [NOT_IDENTIFIED])


def _measures(
    fit: Fit, criterion: MomentDistance, found: AnswerMoments, constrained: NDArray[np.bool_]
) -> dict[str, float | None]:
    p = len(found.columns)
    df, base_df = fit.df, int(constrained.sum())
    npar = fit.npar + found.n_firsts
    chisq = 2 * fit.solution.value
    # weights are diagonal: what the baseline model leaves free fits exactly
    held = np.where(constrained, criterion.found, 0.0)
    base = criterion.n * float(held @ criterion.weigh(held))
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
    gap = criterion.residual(fit.solution.implied[0])
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


def threshold_rows(found: AnswerMoments) -> list[tuple[str, str, str, float, float]]:
    """Return (column, "|", "t1", threshold, variance) of every threshold, (column, "~1", "", ...) of every mean."""
    rows: list[tuple[str, str, str, float, float]] = []
    at = 0
    for column, ordered, firsts in zip(found.columns, found.ordered, found.firsts, strict=True):
        for k, value in enumerate(firsts, start=1):
            variance = float(found.first_gamma[at]) / (found.n - 1)
            op, name = ("|", f"t{k}") if ordered else ("~1", "")
            rows.append((column, op, name, float(value), variance))
            at += 1
    return rows

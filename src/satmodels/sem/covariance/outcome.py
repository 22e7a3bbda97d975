"""From a fit to its result: tables of estimates, standardised solution, group summaries, problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from satmodels.results import Table
from satmodels.sem.covariance.arrows import Implied
from satmodels.sem.covariance.fitting import Fit
from satmodels.sem.covariance.index_errors import index_covariances
from satmodels.sem.covariance.result import CovarianceResult
from satmodels.sem.covariance.samples import Sample
from satmodels.sem.covariance.standardized import standardized_group
from satmodels.sem.covariance.table import ParameterTable
from satmodels.sem.covariance.ties import label_gradients
from satmodels.sem.model.expression import derivatives, parse_expression
from satmodels.sem.model.spec import ModelSpec
from satmodels.sem.result import PARAMETER_COLUMNS
from satmodels.sem.summary import GroupSummary

Array = NDArray[np.floating[Any]]
BEYOND = 1e-8  # rounding does not make a solution improper


def wald(estimate: float, variance: float | None, level: float) -> dict[str, float | None]:
    """Return estimate, standard error, z, p and interval of one parameter."""
    row: dict[str, float | None] = dict.fromkeys(PARAMETER_COLUMNS[3:])
    row["estimate"] = estimate
    if variance is None or not variance > 0 or not np.isfinite(variance):
        return row
    error = float(np.sqrt(variance))
    z = estimate / error
    half = float(special.ndtri((1 + level) / 2)) * error
    return row | {
        "std_error": error,
        "statistic": z,
        "p_value": float(2 * special.ndtr(-abs(z))),
        "conf_low": estimate - half,
        "conf_high": estimate + half,
    }


def parameter_values(fit: Fit) -> list[float]:
    """Return the value of every parameter of the table, fixed ones too."""
    number = {id(p): i for i, p in enumerate(fit.table.free)}
    at = {v: i for i, v in enumerate((*fit.table.observed, *fit.table.constructs))}
    values: list[float] = []
    for p in fit.table.parameters:
        if p.free:
            values.append(float(fit.x[number[id(p)]]))
        elif p.exogenous:
            implied = fit.implied[p.group]
            values.append(float(implied.m[at[p.lhs]] if p.op == "~1" else implied.s[at[p.lhs], at[p.rhs]]))
        else:
            values.append(float(p.value or 0.0))
    return values


def estimates_table(
    fit: Fit,
    spec: ModelSpec,
    vcov: Array | None,
    level: float,
) -> Table:
    """Return one row per parameter, then one per defined parameter."""
    grouped = fit.table.n_groups > 1
    number = {id(p): i for i, p in enumerate(fit.table.free)}
    records: list[dict[str, Any]] = []
    for p, value in zip(fit.table.parameters, parameter_values(fit), strict=True):
        variance = None if vcov is None or not p.free else float(vcov[number[id(p)], number[id(p)]])
        row: dict[str, Any] = {"group": fit.samples[p.group].group} if grouped else {}
        records.append(row | {"lhs": p.lhs, "op": p.op, "rhs": p.rhs} | wald(value, variance, level))
    for name, value, gradient in defined_parameters(fit, spec):
        variance = None if vcov is None else float(gradient @ vcov @ gradient)
        expression = next(d.expression for d in spec.defined if d.name == name)
        row = {"group": None} if grouped else {}
        records.append(row | {"lhs": name, "op": ":=", "rhs": expression} | wald(value, variance, level))
    names = ("group", *PARAMETER_COLUMNS) if grouped else PARAMETER_COLUMNS
    return Table.from_records(records, names)


def defined_parameters(fit: Fit, spec: ModelSpec, x: Array | None = None) -> list[tuple[str, float, Array]]:
    """Return name, value and gradient (in all free parameters) of each ``:=``, at other estimates if given."""
    if not spec.defined:
        return []
    x = fit.x if x is None else x
    values, gradients = label_gradients(fit.table, x)
    found: list[tuple[str, float, Array]] = []
    for d in spec.defined:
        value, gradient = derivatives(parse_expression(d.expression), values, gradients)
        if len(gradient) != len(x):
            gradient = np.zeros(len(x))
        values[d.name], gradients[d.name] = value, gradient
        found.append((d.name, value, gradient))
    return found


def effects_records(fit: Fit, spec: ModelSpec, vcov: Array | None, level: float) -> Table:
    """Return indirect and total effects in the units of the variables, tested by the delta method."""
    grouped = fit.table.n_groups > 1
    names = (*fit.table.observed, *fit.table.constructs)
    at = {v: i for i, v in enumerate(names)}
    size = len(names)
    cells = np.zeros((size, size), dtype=bool)
    for target, source in spec.paths:
        cells[at[target], at[source]] = True
    # with coefficients of 1 every chain of arrows counts one
    chains = np.linalg.inv(np.eye(size) - cells) - np.eye(size)
    records: list[dict[str, Any]] = []
    for implied, sample in zip(fit.implied, fit.samples, strict=True):
        b = np.where(cells, implied.a, 0.0)
        reach = np.linalg.inv(np.eye(size) - b)
        r = implied.arrows
        mine = cells[r.a_row, r.a_col]
        places, to, source_of = r.a[mine], r.a_row[mine], r.a_col[mine]
        for op, counted in (("indirect", chains - cells), ("total", chains)):
            for t, s in np.argwhere(counted > 0.5):
                gradient = np.zeros(len(fit.x))
                gradient[places] = reach[t, to] * reach[source_of, s]
                value = float(reach[t, s])
                if op == "indirect":
                    value -= float(b[t, s])
                    gradient[places[(to == t) & (source_of == s)]] -= 1.0
                variance = None if vcov is None else float(gradient @ vcov @ gradient)
                row: dict[str, Any] = {"group": sample.group} if grouped else {}
                records.append(
                    row | {"lhs": names[t], "op": op, "rhs": names[s]} | wald(value, variance, level)
                )
    return Table.from_records(records, ("group", *PARAMETER_COLUMNS) if grouped else PARAMETER_COLUMNS)


def standardized_table(fit: Fit, vcov: Array | None, level: float) -> Table:
    """Return the standardised solution."""
    grouped = fit.table.n_groups > 1
    records: list[dict[str, Any]] = []
    for g, implied in enumerate(fit.implied):
        with np.errstate(all="ignore"):
            values, jacobian = standardized_group(fit.table, implied, g, len(fit.x))
        variances = None if vcov is None else np.einsum("ak,kl,al->a", jacobian, vcov, jacobian)
        for i, p in enumerate(q for q in fit.table.parameters if q.group == g):
            row: dict[str, Any] = {"group": fit.samples[g].group} if grouped else {}
            # a standardised parameter that can't vary has a variance of rounding size
            variance = None if variances is None or variances[i] < 1e-20 else float(variances[i])
            numbers = wald(float(values[i]), variance, level)
            records.append(row | {"lhs": p.lhs, "op": p.op, "rhs": p.rhs} | numbers)
    return Table.from_records(records, ("group", *PARAMETER_COLUMNS) if grouped else PARAMETER_COLUMNS)


def group_summary(table: ParameterTable, implied: Implied, sample: Sample, spec: ModelSpec) -> GroupSummary:
    """Return the standardised solution of one group as the assessments read it."""
    names = (*table.observed, *table.constructs)
    p = len(table.observed)
    in_paths = {n for pair in spec.paths for n in pair}
    constructs = (*table.constructs, *(v for v in table.observed if v in in_paths))
    at = [names.index(c) for c in constructs]
    with np.errstate(all="ignore"):
        sd = np.sqrt(np.maximum(np.diag(implied.cov_all), 1e-300))
        corr = implied.cov_all / np.outer(sd, sd)
        standard = implied.a * sd / sd[:, None]
    blocks = {c: list(items) for c, (_, items) in spec.blocks.items()}
    items = tuple(tuple(i for i in blocks.get(c, [c]) if i in table.observed) for c in constructs)
    loadings, weights = np.zeros((p, len(at))), np.zeros((p, len(at)))
    found = sample.moments.corr
    for j, (c, place) in enumerate(zip(constructs, at, strict=True)):
        rows = [table.observed.index(i) for i in items[j]]
        if c in table.observed:
            loadings[place, j] = weights[place, j] = 1.0
            continue
        if not rows:
            continue
        loadings[rows, j] = standard[rows, place]
        block = corr[np.ix_(rows, rows)]
        w = np.linalg.lstsq(block, loadings[rows, j], rcond=None)[0]
        spread = float(w @ found[np.ix_(rows, rows)] @ w)
        weights[rows, j] = w / np.sqrt(spread) if spread > 0 else w
    # loadings of constructs on constructs are paths too, and so are those of items that take part in paths: what explains
    # such an item explains it together with its construct
    paths = standard[np.ix_(at, at)]
    return GroupSummary(
        group=sample.group,
        constructs=constructs,
        items=items,
        moments=sample.moments,
        loadings=loadings,
        weights=weights,
        construct_corr=corr[np.ix_(at, at)],
        paths=paths,
        implied_corr=corr[:p, :p],
    )


def find_problems(fit: Fit) -> list[str]:
    """Say in words which estimates can't be: negative variances, correlations beyond 1."""
    names = (*fit.table.observed, *fit.table.constructs)
    p = len(fit.table.observed)
    problems: list[str] = []
    for implied, sample in zip(fit.implied, fit.samples, strict=True):
        where = "" if sample.group is None else f" in group {sample.group!r}"
        variance = np.diag(implied.s)
        scale = np.maximum(np.diag(implied.cov_all), 1e-300)
        for i in np.flatnonzero(variance / scale < -BEYOND):
            problems.append(f"negative variance {names[i]} ~~ {names[i]} = {variance[i]:.4g}{where}")
        if (
            fit.table.theta
        ):  # beside residual variances of 1 what would be a negative one is a loading without limit
            for i in np.flatnonzero((variance > 0) & (variance / scale < BEYOND)):
                problems.append(
                    f"the variance of {names[i]} has grown to {scale[i]:.4g} beside its residual variance of "
                    f"{variance[i]:.4g}{where}: its loading has no limit"
                )
        for i, v in enumerate(np.diag(implied.cov_all)):
            if v <= 0 and variance[i] >= 0:
                problems.append(f"the implied variance of {names[i]} is {v:.4g}{where}")
        problems += _beyond_one(implied.s, names, "residual ", where)
        latent = implied.cov_all[p:, p:]
        with np.errstate(invalid="ignore"):
            sd = np.sqrt(np.diag(latent))
            corr = latent / np.outer(sd, sd)
        if len(corr) and np.isfinite(corr).all() and np.linalg.eigvalsh(corr)[0] < -BEYOND:
            pairs = _beyond_one(latent, names[p:], "", where)
            problems += pairs or [f"the covariance matrix of the constructs is not positive definite{where}"]
    return problems


def _beyond_one(matrix: Array, names: Sequence[str], kind: str, where: str) -> list[str]:
    found: list[str] = []
    for i in range(len(matrix)):
        for j in range(i):
            product = matrix[i, i] * matrix[j, j]
            if product > 0 and matrix[i, j] ** 2 > product * (1 + BEYOND):
                r = matrix[i, j] / np.sqrt(product)
                found.append(f"{kind}correlation {names[j]} ~~ {names[i]} = {r:.4g}{where}")
    return found


def build_result(
    fit: Fit,
    spec: ModelSpec,
    *,
    estimator: str,
    vcov: Array | None,
    measures: Mapping[str, float | None],
    level: float,
    extra_problems: Sequence[str] = (),
    moments: Literal["normal", "rows"] | None = None,
) -> CovarianceResult:
    """Put the result of a fit together; without convergence there are no standard errors.

    ``moments`` says whether those found vary as those of normal rows or as the rows do; None: not known.
    """
    converged = fit.solution.converged
    problems = list(extra_problems)
    if not converged:
        problems.append(
            f"the iteration stopped {fit.solution.decrement:.3g} chi-square units from a minimum: no standard errors"
        )
        vcov = None
    improper = find_problems(fit)
    groups = tuple(
        group_summary(fit.table, i, s, spec) for i, s in zip(fit.implied, fit.samples, strict=True)
    )
    errors = None
    if moments is not None and vcov is not None:
        errors = index_covariances(fit, groups, vcov, robust=moments == "rows")
    return CovarianceResult(
        spec=spec,
        parameters=estimates_table(fit, spec, vcov, level),
        groups=groups,
        index_errors=errors,
        n=fit.n,
        converged=converged,
        admissible=not improper,
        problems=tuple([*problems, *improper]),
        estimator=estimator,
        n_dropped=sum(s.n_dropped for s in fit.samples),
        measures=dict(measures),
        standard=standardized_table(fit, vcov, level),
        effect_rows=effects_records(fit, spec, vcov, level),
        decrement=fit.solution.decrement,
        iterations=fit.solution.iterations,
    )

"""semopy as a second opinion, behind a wall.

It is given complete data only, scaled to unit variances (its optimiser stops early otherwise), lines that we write
with names that we generate, a tight tolerance, and one construction at a time (its constructor overwrites
class-level tables). Only its point estimates are used: degrees of freedom, tests, fit and standard errors are ours.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, EngineError
from satmodels.intake.library import FrameLibrary
from satmodels.results import Table
from satmodels.sem.covariance.export import to_semopy
from satmodels.sem.covariance.fitting import LIKELIHOOD, Fit
from satmodels.sem.model.spec import ModelSpec
from satmodels.sem.model.terms import Term

if TYPE_CHECKING:
    import pandas as pd

    from satmodels.sem.covariance.result import CovarianceResult

Array = NDArray[np.floating[Any]]
TOLERANCE = 1e-13
ITERATIONS = 10_000
_BUILDING = threading.Lock()


@dataclass(frozen=True)
class SemopyEstimates:
    """Point estimates of semopy in the fit's own units; missing ones are NaN."""

    x: Array
    success: bool


def semopy_estimates(spec: ModelSpec, fit: Fit) -> SemopyEstimates:
    """Fit a model with semopy to the moments of a fit.

    Parameters
    ----------
    spec : ModelSpec
    fit : Fit
        The table, sample and scales of our own fit: semopy gets the correlations.

    Raises
    ------
    EngineError
        semopy lacks what the model has, or fails.
    """
    if fit.table.means or len(fit.samples) > 1 or fit.samples[0].patterns is not None:
        raise EngineError(
            "semopy is asked for covariances of one group of complete rows only",
            engine="semopy",
            feature="means, groups, missing answers",
            alternative='engine="native"',
        )
    text, names = to_semopy(_written_out(spec, fit))
    try:
        import pandas as pd
        import semopy
    except Exception as error:  # its import reaches into other packages' private parts
        raise EngineError(
            f"semopy can't be imported here: {error}", engine="semopy", alternative='engine="native"'
        ) from error
    sample, std = fit.samples[0], fit.std
    columns = [names[v] for v in fit.table.observed]
    corr = pd.DataFrame(sample.cov / np.outer(std, std), index=columns, columns=columns)
    try:
        with _BUILDING:
            model: Any = semopy.Model(text)
        outcome: Any = model.fit(
            cov=corr, n_samples=sample.n, solver="SLSQP", options={"ftol": TOLERANCE, "maxiter": ITERATIONS}
        )
        found: Any = model.inspect(information=None)
    except Exception as error:  # every kind of error comes out of it
        raise EngineError(
            f"semopy failed: {type(error).__name__}: {error}", engine="semopy", alternative='engine="native"'
        ) from error
    values: dict[tuple[str, str, str], float] = {}
    for row in found.to_dict("records"):
        values[row["lval"], row["op"], row["rval"]] = float(row["Estimate"])
    x = np.full(len(fit.x), np.nan)
    for i, p in enumerate(fit.table.free):
        a, b = names[p.lhs], names[p.rhs]
        # semopy writes a loading as a regression of the item
        keys = (
            [(b, "~", a)] if p.op == "=~" else [(a, p.op, b), (b, p.op, a)] if p.op == "~~" else [(a, "~", b)]
        )
        x[i] = next((values[k] for k in keys if k in values), np.nan)
    return SemopyEstimates(_to_own_scale(fit, x), bool(getattr(outcome, "success", True)))


def _written_out(spec: ModelSpec, fit: Fit) -> ModelSpec:
    """Return the model with everything that our rules add, so that both programs fit the same one."""
    given = {(t.lhs, t.op, t.rhs) for t in spec.terms} | {
        (t.rhs, t.op, t.lhs) for t in spec.terms if t.op == "~~"
    }
    std = dict(zip(fit.table.observed, fit.std, strict=True))
    marker = {t.lhs: std.get(t.rhs, 1.0) for t in reversed(spec.terms) if t.op == "=~"}
    terms: list[Term] = []
    for t in spec.terms:
        fixed = t.fixed_in(0)
        if isinstance(fixed, float) and fixed not in (0.0, 1.0):
            own = std.get(t.rhs, 1.0), std.get(t.lhs, marker.get(t.lhs, 1.0))
            factor = (
                own[1] / own[0]
                if t.op == "=~"
                else 1 / (own[0] * own[1])
                if t.op == "~~"
                else own[0] / own[1]
            )
            t = t.model_copy(update={"fixed": (fixed * factor,)})
        terms.append(t)
    for p in fit.table.parameters:
        if p.exogenous or (p.lhs, p.op, p.rhs) in given:
            continue
        if p.op == "~~" and (p.free or p.value == 0.0):
            terms.append(Term(lhs=p.lhs, op="~~", rhs=p.rhs, fixed=() if p.free else (0.0,)))
    return ModelSpec(terms=tuple(terms), constraints=spec.constraints, defined=spec.defined)


def _to_own_scale(fit: Fit, x: Array) -> Array:
    """Return estimates from unit-variance columns (first loadings 1) in the units of the columns."""
    return x * fit.units


def cross_check(spec: ModelSpec, fit: Fit, result: CovarianceResult) -> pd.DataFrame:
    """Return our estimates beside semopy's: ``lhs, op, rhs, native, semopy, difference``, largest first.

    Differences are in standard errors.
    """
    if result.estimator not in LIKELIHOOD:
        raise ArgumentError(f"cross_check compares maximum likelihood; this is {result.estimator}")
    other = semopy_estimates(spec, fit)
    errors = {(row["lhs"], row["op"], row["rhs"]): row["std_error"] for row in result.parameters.rows()}
    records: list[dict[str, Any]] = []
    for p, ours, theirs in zip(fit.table.free, fit.x, other.x, strict=True):
        error = errors.get((p.lhs, p.op, p.rhs))
        gap = abs(ours - theirs) / error if error else None
        records.append(
            {
                "lhs": p.lhs,
                "op": p.op,
                "rhs": p.rhs,
                "native": float(ours),
                "semopy": float(theirs),
                "difference": gap,
            }
        )
    records.sort(
        key=lambda r: -(r["difference"] if r["difference"] == r["difference"] and r["difference"] else 0)
    )
    return FrameLibrary.PANDAS.build(Table.from_records(records).columns())

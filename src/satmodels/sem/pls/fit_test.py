"""Bootstrap tests of exact fit: whether a PLS path model could have made the correlations."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, ConvergenceError, DataError, as_seed, as_whole
from satmodels.intake.library import FrameLibrary
from satmodels.results import FrameBuilder, Result, Table
from satmodels.sem.assessment import implied
from satmodels.sem.normal_table import NormalTable
from satmodels.sem.pls.estimates import Estimates, estimate
from satmodels.sem.pls.resampling import PLSResampling
from satmodels.sem.pls.taken import check_plspm
from satmodels.sem.resample_table import DRAWS_AT_ONCE, MOST_DRAWS, SMALLEST_DRAWS, ResampleTable, moments_of
from satmodels.statistics.intervals import check_level

Array = NDArray[np.float64]
DISTANCES = ("srmr", "d_uls", "d_g")
COLUMNS = ("term", "model", "estimate", "critical", "p_value")


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class FitTestResult(Result):
    """Result of :func:`fit_test`.

    One row per distance (``srmr``, ``d_uls``, ``d_g``) and model: "estimated" (the paths must explain how
    the constructs hang together) or "saturated" (only the measurement is tested). A distance beyond
    ``critical`` speaks against the model.
    """

    library: FrameBuilder = dataclasses.field(default=FrameLibrary.PANDAS, compare=False)
    rows: Table
    n: int
    n_failed: int
    level: float
    seed: int | None
    kind: ClassVar[str] = "fit_test"

    def _tidy(self) -> Table:
        return self.rows

    def _glance(self) -> Mapping[str, Any]:
        return {"draws": self.n, "n_failed": self.n_failed, "level": self.level, "seed": self.seed}


@checked
def fit_test(
    model: Any,
    X: Any,
    *,
    n: int = 1000,
    seed: int | None = None,
    level: float = 0.95,
    sample_weight: Any = None,
) -> FitTestResult:
    """Test whether the data's correlations are those that a PLS path model implies, up to chance.

    Parameters
    ----------
    model : PLSPM
        With ``consistent=True`` reflective blocks are tested as common factors, otherwise every block as a
        composite, which leaves the correlations within blocks free.
    X : dataframe, array or Moments
        The rows. From Moments, normal samples are drawn.
    n : int, default 1000
        Number of resamples.
    seed : int, optional
    level : float, default 0.95
        1 minus the error rate.
    sample_weight : array or str, optional
        Survey weights.

    Returns
    -------
    FitTestResult

    Notes
    -----
    The rows are transformed so that their correlations are exactly those implied; resampling these shows
    how large a distance chance makes when the model holds (Beran and Srivastava 1985).

    References
    ----------
    .. [1] Dijkstra, T. K. and Henseler, J. (2015). Consistent and asymptotically normal PLS estimators for
       linear structural equations. Computational Statistics & Data Analysis 81, 10-23.
    .. [2] Beran, R. and Srivastava, M. S. (1985). Bootstrap tests and confidence regions for functions of a
       covariance matrix. Annals of Statistics 13(1), 95-115.
    """
    check_plspm(model, "fit_test", "; a CBSEM has its test in fit_measures()")
    n, seed = as_whole("n", n, SMALLEST_DRAWS, MOST_DRAWS), as_seed(seed)
    check_level(level)
    plan: PLSResampling = model._resampling(X, sample_weight=sample_weight, cluster=None, scale=None)
    if len(set(plan.structure.places)) < plan.structure.n_rows:
        raise ArgumentError(
            "repeated indicators belong to two constructs: no correlations are implied for them"
        )
    table = plan.table if isinstance(plan.table, NormalTable) else plan.rows_table
    corr = moments_of(table.sums(np.ones((1, table.n_units))), table.centre).corr
    found, models = _distances(plan, corr)
    rng = np.random.default_rng(seed)
    records: list[dict[str, Any]] = []
    n_failed = 0
    for m, name in enumerate(("estimated", "saturated")):
        drawn = _transformed(plan, corr[:, :, 0], models[m]).bootstrap(int(n), rng)
        centre = np.zeros(len(corr))
        parts = [
            _distances(plan, moments_of(drawn[:, i : i + DRAWS_AT_ONCE], centre).corr)[0]
            for i in range(0, int(n), DRAWS_AT_ONCE)
        ]
        by_chance = np.concatenate(parts, axis=2)[m]
        usable = by_chance[:, ~np.isnan(by_chance[:2]).any(axis=0)]
        if usable.shape[1] < 2:
            raise ConvergenceError("the model could not be estimated on any of the resamples")
        n_failed += int(n) - usable.shape[1]
        for d, term in enumerate(DISTANCES):
            observed = float(found[m, d, 0])
            values = usable[d][~np.isnan(usable[d])]
            possible = len(values) > 1 and not np.isnan(observed)
            p_value = (1 + int((values >= observed - 1e-12).sum())) / (1 + len(values))
            records.append(
                {
                    "term": term,
                    "model": name,
                    "estimate": observed,
                    "critical": float(np.quantile(values, level)) if possible else None,
                    "p_value": p_value if possible else None,
                }
            )
    return FitTestResult(
        rows=Table.from_records(records, COLUMNS), n=int(n), n_failed=n_failed, level=level, seed=seed
    )


def _transformed(plan: PLSResampling, corr: Array, model: Array) -> ResampleTable | NormalTable:
    """Return the table of rows whose correlations are those that the model implies."""
    try:
        wanted: Array = np.asarray(np.linalg.cholesky(model), dtype=np.float64)
        there = np.linalg.cholesky(corr)
    except np.linalg.LinAlgError as error:
        raise DataError(
            "the observed or the implied correlations are singular, so the rows can't be given those of the "
            "model: leave out items that repeat others"
        ) from error
    if isinstance(plan.table, NormalTable):
        return NormalTable(plan.table.n, np.zeros(len(corr)), wanted)
    table = plan.rows_table
    w = table.weights / table.weights.sum()
    z = table.rows - w @ table.rows
    z = z / np.sqrt(w @ z**2)
    rows: Array = np.asarray(np.linalg.solve(there, z.T).T @ wanted.T, dtype=np.float64)
    return ResampleTable(rows, table.weights, np.zeros(len(corr)))


def _distances(plan: PLSResampling, corr: Array) -> tuple[Array, list[Array]]:
    """Return the distances, shape (models, distances, batch), and the models implied by the first matrix."""
    structure = plan.structure
    at = list(structure.places)
    fitted = estimate(
        corr[np.ix_(at, at)],
        structure,
        scheme=plan.scheme,
        consistent=plan.consistent,
        tol=plan.tol,
        max_iter=plan.max_iter,
    )
    batch = corr.shape[2]
    found = np.full((2, len(DISTANCES), batch), np.nan)
    models: list[Array] = []
    for b in range(batch):
        if not fitted.converged[b] or np.isnan(fitted.paths[:, :, b]).any():
            continue
        for m, model in enumerate(_implied(plan, fitted, corr[:, :, b], b)):
            if b == 0:
                models.append(model)
            d_g = implied.d_g(corr[:, :, b], model)
            found[m, :, b] = (
                implied.srmr(corr[:, :, b], model),
                implied.d_uls(corr[:, :, b], model),
                np.nan if d_g is None else d_g,
            )
    return found, models


def _implied(plan: PLSResampling, fitted: Estimates, corr: Array, b: int) -> tuple[Array, Array]:
    structure = plan.structure
    loadings = np.zeros((len(structure.columns), len(structure.constructs)))
    for j, block in enumerate(structure.blocks):
        loadings[list(structure.places[block]), j] = fitted.loadings[block, b]
    common = [plan.consistent and mode == "A" for mode in structure.modes]
    between = fitted.construct_corr[:, :, b]
    by_paths = implied.implied_construct_cov(between, fitted.paths[:, :, b])
    return (
        implied.implied_item_corr(corr, loadings, by_paths, common),
        implied.implied_item_corr(corr, loadings, between, common),
    )

"""Which way a covariance model is resampled: from the moments of each draw, or from its rows."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, ImproperSolutionWarning
from satmodels.sem.count_table import CountTable
from satmodels.sem.covariance.fitting import Fit
from satmodels.sem.covariance.options import released, words
from satmodels.sem.covariance.refitting import OrderedResampling, RefittedResampling
from satmodels.sem.covariance.resampling import CovarianceResampling
from satmodels.sem.index import item_scales
from satmodels.sem.model.spec import ModelSpec
from satmodels.sem.pls.answers import read_answers, read_clusters
from satmodels.sem.resample_table import ResampleTable

if TYPE_CHECKING:
    from satmodels.sem.covariance.estimator import CBSEM

Places = NDArray[np.intp]


def plan_resampling(
    model: CBSEM, X: Any, sample_weight: Any, cluster: Any, scale: Any
) -> CovarianceResampling:
    """Return the plan for the bootstrap of a model.

    Raises
    ------
    ArgumentError
        The estimator is not resampled, or weights stand beside groups, gaps or ordered answers.
    """
    from sklearn.base import clone

    if not model.ordered and model.estimator in ("WLS", "DWLS"):
        raise ArgumentError(f"the bootstrap of a CBSEM does not go with estimator {model.estimator!r}")
    with warnings.catch_warnings():  # the fit on all rows has warned, or will
        warnings.simplefilter("ignore", ImproperSolutionWarning)
        fitted: Any = clone(model)
        fitted.set_params(strict=False).fit(X, sample_weight=sample_weight)
    spec = ModelSpec.of(model.spec)
    known = scale is not None or (bool(spec.observed) and set(spec.observed) <= set(spec.scales))
    limits = item_scales(list(spec.observed), spec, scale) if known else None
    cluster = cluster if cluster is not None else model.cluster
    if not (fitted._incomplete or model.ordered or model.group is not None):
        answers = read_answers(X, spec.observed, sample_weight, "drop")
        table = ResampleTable.of(answers.rows, answers.weights, read_clusters(X, cluster, answers))
        estimator = "wishart" if model.likelihood == "wishart" else model.estimator
        return CovarianceResampling(spec, fitted._fit, estimator, table, limits=limits)
    if sample_weight is not None:
        raise ArgumentError(
            "the bootstrap of groups, of rows with gaps and of ordered answers takes no weights"
        )
    if fitted._incomplete and limits is not None:
        if scale is not None:
            raise ArgumentError("the bootstrap of rows with gaps gives no indices: leave scale= out")
        limits = None
    return _by_rows(model, fitted, X, spec, cluster, limits)


def _by_rows(
    model: CBSEM, fitted: Any, X: Any, spec: ModelSpec, cluster: Any, limits: Any
) -> RefittedResampling:
    fit: Fit = fitted._fit
    rows, number = fitted._rows(X)
    gaps = np.isnan(rows)
    if model.missing == "drop":
        usable = ~gaps.any(axis=1)
    else:
        taken = [spec.observed.index(v) for v in fit.table.exogenous]
        usable = ~gaps.all(axis=1) & ~gaps[:, taken].any(axis=1)
    unit: Places = np.arange(int(usable.sum()))
    if cluster is not None:
        found = read_clusters(X, cluster, read_answers(X, spec.observed, None, "keep"))
        assert found is not None  # noqa: S101 - asked for by name
        # clusters without a usable row are no units
        unit = np.unique(found[usable], return_inverse=True)[1].ravel()
    number = number[usable]
    shared = (spec, fit, model.estimator, CountTable(int(unit.max()) + 1, _strata(unit, number)))
    if not model.ordered:
        return RefittedResampling(*shared, rows[usable], number, unit, limits=limits)
    return OrderedResampling(
        *shared,
        rows[usable],
        number,
        unit,
        words("ordered", model.ordered),
        model.unit_variance,
        model.parameterization == "theta",
        words("equal", model.equal),
        released(model.partial),
        limits=limits,
    )


def _strata(unit: Places, number: Places) -> tuple[Places, ...]:
    """Return the units of each group, to be drawn among themselves; nothing where units are in several groups."""
    if not number.any():
        return ()
    pairs = np.unique(np.stack([unit, number]), axis=1)
    if pairs.shape[1] > int(unit.max()) + 1:
        return ()
    return tuple(pairs[0][pairs[1] == g] for g in range(int(number.max()) + 1))

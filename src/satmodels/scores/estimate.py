"""From counted answers to the mean of each group, with its standard error and sample sizes.

Every score is the mean of a value that each answer is worth: a promoter 100, a detractor -100; a
satisfied answer 100, any other 0. So one computation serves them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import DataError
from satmodels.intake.composites import CompositeSums
from satmodels.results import Table
from satmodels.scores.answers import Answers
from satmodels.statistics.counts import sorted_keys
from satmodels.statistics.design import (
    MAX_COVARIANCE,
    Design,
    GroupMeans,
    UnitSums,
    design_cells,
    group_means,
    sampled_fraction,
    units_per_stratum,
)
from satmodels.statistics.replication import replicate_covariance, replicate_scales

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Estimates:
    """Means of the groups; ``linearised`` says whether weights or a design entered.

    ``effective`` is the number of independent answers that would have the same variance; it is n itself
    without weights. ``deff`` is the design effect: variance over that of a simple random sample of n
    answers (drawn without replacement where the design has finite populations). ``df`` is infinite where
    the normal quantile is meant.
    """

    keys: tuple[tuple[Any, ...], ...]
    mean: Array
    std_error: Array
    n: NDArray[np.int64]
    n_missing: NDArray[np.int64]
    n_eff: Array
    spread: Array
    effective: Array
    df: Array
    linearised: bool
    design_df: float = np.inf
    deff: Array | None = None
    covariance: Array | None = None

    def precision(self) -> dict[str, Any]:
        """Return the fields of a ScoreResult that say how exact its estimates are."""
        covariance = self.covariance
        return {
            "spread": tuple(self.spread.tolist()),
            "linearised": self.linearised,
            "design_df": float(self.design_df),
            "covariance": None if covariance is None else tuple(map(tuple, covariance.tolist())),
        }

    def column_of_keys(self, by: tuple[str, ...]) -> dict[str, list[Any]]:
        """Return the by-columns of a table of these groups."""
        return {name: [key[i] for key in self.keys] for i, name in enumerate(by)}


def estimate_counts(
    answers: Answers, value: Callable[[Array], Array], *, divisor: str = "n", centre: float = 0.0
) -> Estimates:
    """Return the mean of the values of the answers per group.

    Parameters
    ----------
    answers : Answers
        Counted answers.
    value : callable
        Turns distinct answers into what each is worth.
    divisor : {"n", "n-1"}
        Divisor of the plain variance; with weights or a design it is always the linearised one.
    centre : float
        Middle of the values, for exact sums of squares.
    """
    counts, design = answers.counts, answers.design
    u = value(np.array(counts.values, dtype=float)) - centre
    if not np.isfinite(counts.w2).all():
        raise DataError("the weights differ by so many orders of magnitude that their squares overflow")
    sums = {
        "n": counts.n.sum(axis=1).astype(float),
        "rows": (counts.n.sum(axis=1) + counts.n_missing).astype(float),
        "w": counts.w.sum(axis=1),
        "wu": counts.w @ u,
        "wuu": counts.w @ u**2,
        "w2": counts.w2.sum(axis=1),
        "w2u": counts.w2 @ u,
        "w2uu": counts.w2 @ u**2,
    }
    estimates = estimate_sums(
        counts.keys,
        sums,
        len(answers.by),
        design=design,
        weighted=counts.weighted,
        divisor=divisor,
        centre=centre,
    )
    if design is None or answers.replicates is None:
        return estimates
    keys, weights = answers.replicates
    worth = dict(zip(counts.values, (u + centre).tolist(), strict=True))
    place = {key: i for i, key in enumerate(estimates.keys)}
    total, times = (np.zeros((len(place), weights.shape[1])) for _ in range(2))
    for key, row in zip(keys, weights, strict=True):
        if key[-1] is not None and float(key[-1]) in worth:  # neither missing nor left out as invalid
            total[place[key[:-1]]] += row
            times[place[key[:-1]]] += row * worth[float(key[-1])]
    return replicated(estimates, total, times, design)


def replicated(estimates: Estimates, total: Array, times: Array, design: Design) -> Estimates:
    """Return the estimates with the variance of the replicates.

    ``total`` and ``times`` are the sums of the weights and of weight times value, groups by replicates.
    """
    scales = replicate_scales(design.replicate_scale or 1.0, total.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = replicate_covariance(times / np.where(total != 0, total, np.nan), scales)
        variance = np.where(estimates.n > 1, np.diag(covariance), np.nan)
        srs = estimates.spread / (estimates.n - 1)
        effective = np.where(variance > 0, estimates.spread / variance, estimates.n_eff)
        deff = variance / srs
    df = float(design.replicate_df or 0)  # known by now
    return replace(
        estimates,
        std_error=np.sqrt(variance),
        effective=effective,
        deff=deff,
        df=np.full(len(variance), df),
        design_df=df,
        covariance=covariance if len(variance) <= MAX_COVARIANCE else None,
    )


def estimate_composite(
    sums: CompositeSums, j: int, n_by: int, *, design: Design | None, divisor: str = "n-1"
) -> Estimates:
    """Return the mean of composite ``j`` per group."""
    estimates = estimate_sums(
        sums.keys,
        {
            "n": sums.n[:, j].astype(float),
            "rows": sums.rows.astype(float),
            **{name: getattr(sums, name)[:, j] for name in ("w", "wu", "wuu", "w2", "w2u", "w2uu")},
        },
        n_by,
        design=design,
        weighted=sums.weighted,
        divisor=divisor,
        centre=sums.centre,
    )
    if design is None or sums.replicate_w is None or sums.replicate_wu is None:
        return estimates
    place = {key: i for i, key in enumerate(estimates.keys)}
    group = np.array([place[key[:n_by]] for key in sums.keys], dtype=np.intp)
    total, times = (np.zeros((len(place), sums.replicate_w.shape[2])) for _ in range(2))
    np.add.at(total, group, sums.replicate_w[:, j])
    np.add.at(times, group, sums.replicate_wu[:, j])
    return replicated(estimates, total, times, design)


def estimate_sums(
    keys: Any,
    sums: dict[str, Array],
    n_by: int,
    *,
    design: Design | None,
    weighted: bool,
    divisor: str,
    centre: float,
) -> Estimates:
    """Return the mean of each group from the sums of its cells; groups come sorted."""
    if not all(np.isfinite(v).all() for v in sums.values()):
        raise DataError("the weights differ by so many orders of magnitude that their squares overflow")
    cell_groups, parts = design_cells(keys, n_by, design)
    groups = tuple(sorted_keys(cell_groups))
    place = {key: i for i, key in enumerate(groups)}
    group = np.array([place[key] for key in cell_groups], dtype=np.intp)
    per_stratum = units_per_stratum(sums["rows"], parts["stratum"], parts["cluster"])
    units = UnitSums(
        group=group,
        stratum=parts["stratum"],
        cluster=parts["cluster"],
        fraction=sampled_fraction(parts["population"], per_stratum),
        **sums,
    )
    means = group_means(units, len(groups), covariance=design is not None)
    linearised = weighted or design is not None
    finite = design is not None and design.fpc is not None
    return _estimates(groups, means, linearised=linearised, divisor=divisor, centre=centre, finite=finite)


def _estimates(
    groups: tuple[tuple[Any, ...], ...],
    means: GroupMeans,
    *,
    linearised: bool,
    divisor: str,
    centre: float,
    finite: bool,
) -> Estimates:
    n = means.n.astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        if linearised:
            variance = means.variance
            left = 1 - n / means.population if finite else 1.0
            deff = variance / (means.spread / (n - 1) * left)
            # 0/0 where all answers are alike: the weights alone then say what the sample is worth
            effective = np.where(variance > 0, means.spread / variance, means.n_eff)
        else:
            deff = None
            variance = means.spread / (n if divisor == "n" else np.where(n > 1, n - 1, np.nan))
            effective = n
    return Estimates(
        keys=groups,
        mean=means.mean + centre,
        std_error=np.sqrt(np.where(means.n > 1, variance, np.nan)),  # one answer shows no spread
        n=means.n,
        n_missing=means.rows - means.n,
        n_eff=means.n_eff,
        spread=means.spread,
        effective=effective,
        df=means.df if linearised else np.full(len(n), np.inf),
        linearised=linearised,
        design_df=means.design_df if linearised else np.inf,
        deff=deff,
        covariance=means.covariance,
    )


def score_table(
    estimates: Estimates,
    by: tuple[str, ...],
    term: str,
    low: Array,
    high: Array,
    more: dict[str, Any] | None = None,
) -> Table:
    """Arrange estimates and limits in the column order that all scores share."""
    columns: dict[str, Any] = {
        **estimates.column_of_keys(by),
        "term": [term] * len(estimates.keys),
        "estimate": estimates.mean,
        "std_error": estimates.std_error,
        "conf_low": low,
        "conf_high": high,
        "n": estimates.n,
        "n_missing": estimates.n_missing,
        **(more or {}),
    }
    if estimates.linearised:
        columns |= {"n_eff": estimates.n_eff, "deff": estimates.deff, "df": estimates.df}
    return Table.of(columns)

"""Design-based variance of means: strata, clusters, finite populations and unequal weights.

The variance of a weighted mean is linearised (Taylor) and computed from sums per group, stratum and
cluster, so it costs the same however many respondents there are. The formulas are those of Cochran (1977)
and Lumley (2010), as in the R package survey: with-replacement sampling of the first stage's units,
factor m/(m - 1) per stratum of m units, and groups as domains of the whole sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from satmodels.errors import ArgumentError, DataError

Array = NDArray[np.float64]
MAX_COVARIANCE = 400  # groups; above that only variances are computed


class Design(BaseModel):
    """How the sample was drawn, by names of columns.

    Parameters
    ----------
    strata : str, optional
        Column of the stratum.
    cluster : str, optional
        Column of the primary sampling unit (the shop, the household). Clusters are taken as nested in
        strata: the same name in two strata means two clusters.
    fpc : str, optional
        Column with the finite population of each stratum: its number of units (of clusters, where there
        are clusters), or, when no value is above 1, the fraction that was sampled.
    replicate_weights : sequence of str, optional
        Columns of replicate weights, instead of the other three; ``weight=`` is then needed too.
    replicate_scale : {"jk1", "brr", "bootstrap"}, float or sequence of float, optional
        Factor of the squared deviations of the R replicates: (R - 1)/R, 1/R, 1/(R - 1), a number for
        all, or one for each (stratified jackknife: (m - 1)/m of the stratum). Needed with replicates.
    replicate_df : float, optional
        Degrees of freedom of the design; unless given, the rank of the matrix of replicate weights less 1,
        as in R's survey (R - 1 for the plain jackknife, R less the strata for the stratified one).

    Raises
    ------
    ArgumentError
        Nothing is given, or one column is given two roles.

    Examples
    --------
    >>> import satmodels as sat
    >>> sat.Design(strata="region", cluster="shop").columns
    ('region', 'shop')
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    strata: str | None = None
    cluster: str | None = None
    fpc: str | None = None
    replicate_weights: tuple[str, ...] | None = None
    replicate_scale: Literal["jk1", "brr", "bootstrap"] | float | tuple[float, ...] | None = None
    replicate_df: float | None = None

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(p) for p in first["loc"])
            raise ArgumentError(f"Design: {where} {first['msg'].removeprefix('Value error, ')}") from error

    @model_validator(mode="after")
    def _roles(self) -> Design:
        names = self.columns
        if self.replicate_weights is not None:
            if names:
                raise ValueError("replicate weights already hold strata and clusters: give one or the other")
            if len(self.replicate_weights) < 2 or len(set(self.replicate_weights)) < len(
                self.replicate_weights
            ):
                raise ValueError("replicate_weights= names at least two different columns")
            if self.replicate_scale is None:
                raise ValueError('replicate weights need replicate_scale=, for example "jk1"')
            return self
        if self.replicate_scale is not None or self.replicate_df is not None:
            raise ValueError("replicate_scale= and replicate_df= belong to replicate_weights=")
        if not names:
            raise ValueError("a design names at least one column: strata=, cluster= or fpc=")
        if len(set(names)) < len(names):
            raise ValueError(f"each column has one role, but the roles name {list(names)}")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the design: strata, cluster, fpc, as far as given."""
        return tuple(c for c in (self.strata, self.cluster, self.fpc) if c is not None)


def replicates_of(design: Design | None, weight: str | None) -> tuple[str, ...]:
    """Return the columns of replicate weights, or raise ArgumentError where the full weights lack."""
    if design is None or design.replicate_weights is None:
        return ()
    if weight is None:
        raise ArgumentError("replicate weights come with the full weights: give weight= too")
    return design.replicate_weights


@dataclass(frozen=True)
class UnitSums:
    """Sums over the answers u of each cell, a cell being a group in a stratum in a cluster.

    Attributes
    ----------
    group, stratum, cluster : ndarray of int, shape (cells,)
        Where the cell belongs; ``cluster`` is None where each respondent was drawn alone.
    rows, n : ndarray of int, shape (cells,)
        All rows of the cell, and those with an answer.
    w, wu, wuu, w2, w2u, w2uu : ndarray, shape (cells,)
        Sums of w, w u, w u², w², w² u and w² u² over the answers.
    fraction : ndarray, shape (strata,), optional
        Fraction of each stratum that was sampled.
    """

    group: NDArray[np.intp]
    stratum: NDArray[np.intp]
    cluster: NDArray[np.intp] | None
    rows: Array
    n: Array
    w: Array
    wu: Array
    wuu: Array
    w2: Array
    w2u: Array
    w2uu: Array
    fraction: Array | None = None

    def per_group(self, cells: Array, groups: int) -> Array:
        """Add a quantity of the cells up by group."""
        return np.bincount(self.group, weights=cells, minlength=groups).astype(float)


@dataclass(frozen=True)
class GroupMeans:
    """Weighted mean of each group with its linearised variance; NaN where there is nothing to average.

    ``population`` is the sum of the weights, ``spread`` the variance of single answers (divisor: sum of
    weights), ``n_eff`` Kish's effective size (sum w)² / sum w², and ``df`` the number of sampled units
    less the number of strata; ``design_df`` is that of all groups together.
    """

    mean: Array
    variance: Array
    spread: Array
    population: Array
    n: NDArray[np.int64]
    rows: NDArray[np.int64]
    n_eff: Array
    df: Array
    design_df: float
    covariance: Array | None = None


def design_cells(
    keys: Sequence[tuple[Any, ...]], n_by: int, design: Design | None
) -> tuple[list[tuple[Any, ...]], dict[str, Any]]:
    """Split cell keys (by-columns, then the design's columns) into groups, strata, clusters and fractions.

    Returns
    -------
    groups : list of tuple
        Group key of each cell.
    parts : dict
        Stratum and cluster index of each cell and finite population of each stratum, for :class:`UnitSums`.
    """
    groups = [key[:n_by] for key in keys]
    rest = [dict(zip(design.columns if design else (), key[n_by:], strict=True)) for key in keys]
    strata = [cell.get(design.strata) if design and design.strata else 0 for cell in rest]
    if design:
        for column in design.columns:
            if any(cell[column] is None for cell in rest):
                raise DataError(
                    f"design column {column!r} has missing values: every respondent needs its {column}, "
                    "answered or not.",
                    columns=[column],
                )
    stratum_of = {name: i for i, name in enumerate(dict.fromkeys(strata))}
    stratum = np.array([stratum_of[s] for s in strata], dtype=np.intp)
    cluster = None
    if design and design.cluster:
        units = [(s, cell[design.cluster]) for s, cell in zip(strata, rest, strict=True)]
        cluster_of = {unit: i for i, unit in enumerate(dict.fromkeys(units))}
        cluster = np.array([cluster_of[unit] for unit in units], dtype=np.intp)
    population = None
    if design and design.fpc:
        population = _population([float(cell[design.fpc]) for cell in rest], strata, stratum_of, design.fpc)
    return groups, {"stratum": stratum, "cluster": cluster, "population": population}


def _population(
    values: Sequence[float], strata: Sequence[Any], stratum_of: dict[Any, int], column: str
) -> Array:
    population = np.full(len(stratum_of), np.nan)
    for name, value in zip(strata, values, strict=True):
        i = stratum_of[name]
        if not value > 0:
            raise DataError(f"fpc column {column!r}: a population of {value:g} can't be", columns=[column])
        if not np.isnan(population[i]) and population[i] != value:
            raise DataError(
                f"fpc column {column!r} has two values in one stratum ({name!r}): {population[i]:g} and {value:g}",
                columns=[column],
            )
        population[i] = value
    return population


def sampled_fraction(population: Array | None, units: Array, names: Sequence[Any] = ()) -> Array | None:
    """Return the sampled fraction of each stratum from its population and its number of sampled units."""
    if population is None:
        return None
    fraction = population if (population <= 1).all() else units / population
    if (fraction > 1).any():
        i = int(np.argmax(fraction > 1))
        raise DataError(
            f"a stratum has {units[i]:g} sampled units of a population of {population[i]:g}: is the fpc "
            "column the number of clusters where clusters were sampled?"
        )
    return fraction


def units_per_stratum(rows: Array, stratum: NDArray[np.intp], cluster: NDArray[np.intp] | None) -> Array:
    """Count the sampled units (clusters, or respondents) of each stratum."""
    if cluster is None:
        return np.bincount(stratum, weights=rows).astype(float)
    n_clusters = int(cluster.max()) + 1 if len(cluster) else 0
    stratum_of = np.zeros(n_clusters, dtype=np.intp)
    stratum_of[cluster] = stratum
    return np.bincount(stratum_of, minlength=int(stratum.max()) + 1 if len(stratum) else 0).astype(float)


def group_means(units: UnitSums, groups: int, *, covariance: bool = False) -> GroupMeans:
    """Return the mean of each group with its linearised variance.

    Raises
    ------
    DataError
        A stratum has a single sampled unit, so that its variance can't be estimated.
    """
    w, wu, w2 = (units.per_group(v, groups) for v in (units.w, units.wu, units.w2))
    n = units.per_group(units.n, groups)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = np.where(w > 0, w, np.nan)
        mean = wu / total
        m = mean[units.group]
        # sums about the group's own mean: exact zero where every answer is the same
        spread = units.per_group(units.wuu - 2 * m * units.wu + m**2 * units.w, groups) / total
        z = (units.wu - m * units.w) / total[units.group]
        zz = (units.w2uu - 2 * m * units.w2u + m**2 * units.w2) / total[units.group] ** 2
        n_eff = w**2 / np.where(w2 > 0, w2, np.nan)
    if units.cluster is not None:
        zz = z**2
    z, zz = np.nan_to_num(z), np.maximum(np.nan_to_num(zz), 0)
    n_strata = int(units.stratum.max()) + 1 if len(units.stratum) else 1
    m_h = units_per_stratum(units.rows, units.stratum, units.cluster)
    if len(m_h) == 0:
        m_h = np.zeros(n_strata)
    factor = stratum_factor(m_h, units.fraction, clustered=units.cluster is not None)
    by_stratum = units.group * n_strata + units.stratum
    size = groups * n_strata
    sum_zz = np.bincount(by_stratum, weights=zz, minlength=size).reshape(groups, n_strata)
    sum_z = np.bincount(by_stratum, weights=z, minlength=size).astype(float).reshape(groups, n_strata)
    with np.errstate(divide="ignore", invalid="ignore"):
        per_stratum = factor * (sum_zz - sum_z**2 / np.maximum(m_h, 1))
    variance = np.where(w > 0, np.maximum(per_stratum.sum(axis=1), 0), np.nan)
    cov = None
    if covariance and groups <= MAX_COVARIANCE:
        cov = _covariance(units, z, sum_z, factor, m_h, variance)
    return GroupMeans(
        mean=mean,
        variance=variance,
        spread=np.maximum(spread, 0),
        population=w,
        n=np.rint(n).astype(np.int64),
        rows=np.rint(units.per_group(units.rows, groups)).astype(np.int64),
        n_eff=np.nan_to_num(n_eff),
        df=_degrees_of_freedom(units, units.group, groups, n_strata),
        design_df=float(_degrees_of_freedom(units, np.zeros_like(units.group), 1, n_strata)[0]),
        covariance=cov,
    )


def stratum_factor(m_h: Array, fraction: Array | None, *, clustered: bool) -> Array:
    """Return (1 - f) m / (m - 1) of each stratum of m sampled units, of which the population has 1 / f times as many.

    Raises
    ------
    DataError
        A stratum has a single sampled unit, so that its variance can't be estimated.
    """
    fraction = np.zeros_like(m_h) if fraction is None else fraction
    lonely = (m_h == 1) & (fraction < 1)
    if lonely.any() and len(m_h) > 1:
        raise DataError(
            f"{int(lonely.sum())} of {len(m_h)} strata have a single sampled unit, which shows no variance. "
            "Join each with a similar stratum."
        )
    if lonely.any() and clustered:
        raise DataError("the design has a single cluster, which shows no variance between clusters.")
    # one respondent alone: no variance, which NaN says
    return np.where(m_h > 1, m_h / np.maximum(m_h - 1, 1), np.where(fraction >= 1, 0.0, np.nan)) * (
        1 - fraction
    )


def _degrees_of_freedom(units: UnitSums, group: NDArray[np.intp], groups: int, n_strata: int) -> Array:
    """Return the sampled units with an answer in the group, less the strata with one."""
    answered = units.w > 0
    g, h = group[answered], units.stratum[answered]
    strata = np.bincount(np.unique(g * n_strata + h) // n_strata, minlength=groups)
    if units.cluster is None:
        sampled = np.bincount(g, weights=units.n[answered], minlength=groups)
    else:
        n_clusters = int(units.cluster.max()) + 1
        sampled = np.bincount(
            np.unique(g * n_clusters + units.cluster[answered]) // n_clusters, minlength=groups
        )
    return (sampled - strata).astype(float)


def _covariance(units: UnitSums, z: Array, sum_z: Array, factor: Array, m_h: Array, variance: Array) -> Array:
    groups = len(variance)
    cov = -(sum_z * (factor / np.maximum(m_h, 1))) @ sum_z.T
    if units.cluster is not None:
        n_clusters = int(units.cluster.max()) + 1
        each = np.zeros((groups, n_clusters))
        np.add.at(each, (units.group, units.cluster), z)
        scale = np.zeros(n_clusters)
        scale[units.cluster] = factor[units.stratum]
        cov += (each * scale) @ each.T
    np.fill_diagonal(cov, variance)
    return cov

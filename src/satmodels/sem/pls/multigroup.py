"""Compare groups or waves: whether a path, an index or any other quantity of the model differs."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import (
    ArgumentError,
    ConvergenceError,
    DataError,
    as_seed,
    as_whole,
    check_word,
    unknown,
)
from satmodels.intake.library import FrameLibrary
from satmodels.results import FrameBuilder, Result, Table
from satmodels.sem.bootstrap import confidence_limits, std_errors
from satmodels.sem.pls.dealing import batches_of, dealt, with_mean_weights
from satmodels.sem.pls.resampling import PLSResampling
from satmodels.sem.pls.taken import check_plspm
from satmodels.sem.resample_table import DRAWS_AT_ONCE, MOST_DRAWS, SMALLEST_DRAWS, moments_of
from satmodels.statistics.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
SMALLEST_GROUP = 10
DIFFERENCE_COLUMNS = (
    "group", "reference", "lhs", "op", "rhs", "estimate", "std_error", "p_value", "conf_low", "conf_high",
    "group_estimate", "reference_estimate",
)  # fmt: skip
ESTIMATE_COLUMNS = ("group", "lhs", "op", "rhs", "estimate", "std_error", "conf_low", "conf_high", "n")


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class GroupComparison(Result):
    """Result of :func:`compare_groups`.

    Attributes
    ----------
    differences : Table
        One row per group (other than the reference) and quantity: ``estimate`` is the group's value
        minus the reference's.
    estimates_by_group : Table
        One row per group and quantity, with its bootstrap interval.
    by : str
        The grouping column.
    reference : object
        The group that the others are compared with.
    n : int
        Number of permutations, and of resamples in each group.
    n_no_group : int
        Rows left out because their group is missing.
    n_failed : int
        Permutations and resamples on which the estimation failed.
    n_clusters : int or None
        Clusters that were drawn; None where rows were.
    """

    library: FrameBuilder = dataclasses.field(default=FrameLibrary.PANDAS, compare=False)
    differences: Table
    estimates_by_group: Table
    by: str
    reference: object
    n: int
    n_no_group: int
    n_failed: int
    level: float
    seed: int | None
    n_clusters: int | None = None
    kind: ClassVar[str] = "group_comparison"

    def _tidy(self) -> Table:
        return self.differences

    def _glance(self) -> Mapping[str, Any]:
        groups = list(dict.fromkeys(self.estimates_by_group["group"]))
        return {
            "by": self.by,
            "groups": len(groups),
            "reference": self.reference,
            "draws": self.n,
            "n_no_group": self.n_no_group,
            "n_failed": self.n_failed,
            "level": self.level,
            "seed": self.seed,
            "clusters": self.n_clusters,
        }

    def table(self, op: str) -> pd.DataFrame:
        """Return the differences of one kind: ``"~"``, ``"=~"``, ``"index"``, ``"r2"``, ``"total"``, ..."""
        return _of_kind(self.differences, op)

    def estimates(self, op: str) -> pd.DataFrame:
        """Return the values of one kind in each group, with their bootstrap intervals."""
        return _of_kind(self.estimates_by_group, op)


@checked
def compare_groups(
    model: Any,
    X: Any,
    by: str,
    *,
    reference: Any = None,
    n: int = 1000,
    seed: int | None = None,
    level: float = 0.95,
    sample_weight: Any = None,
    cluster: Any = None,
    scale: Any = None,
) -> GroupComparison:
    """Test for every quantity of a PLS path model whether groups differ.

    Parameters
    ----------
    model : PLSPM
        The model; it is estimated in each group.
    X : dataframe
        The rows.
    by : str
        Column of the groups: segments, regions, waves.
    reference : object, optional
        The group that the others are compared with; the first in sorted order by default.
    n : int, default 1000
        Number of permutations, and of bootstrap resamples in each group.
    seed : int, optional
        Seed of the random numbers.
    level : float, default 0.95
        Level of the intervals.
    sample_weight : array or str, optional
        Survey weights.
    cluster : array or str, optional
        What belongs together: the respondents of a panel that is asked in every wave, households, shops; or the
        column that names them. Whole clusters are drawn and dealt out.
    scale : Scale, (low, high) or mapping, optional
        Answer scales, for the indices from 0 to 100; by default those of the model.

    Returns
    -------
    GroupComparison
        ``.tidy()`` and ``.table(op)`` hold the differences, ``.estimates(op)`` the groups' own values.

    Notes
    -----
    The p-value is that of a permutation test: rows are dealt out to the two groups anew, with the
    groups' sizes, and the model is estimated in both (Chin and Dibbern 2010). It is the share of
    permutations whose difference is at least as large as the one found, the one found counted too; survey
    weights have mean 1 in each group before, since a factor of one group's weights says nothing of it. The
    interval of a difference comes from independent bootstraps in both groups. Both carry the
    uncertainty of the outer weights, also for the index. No p-value is corrected for their number.

    Rows count as independent, also between groups. Where the same people answer in several waves, give them as
    ``cluster``: each resample then draws people with all their answers, so that a difference keeps what a
    person's two answers have in common, and a permutation swaps a person's waves; clusters that lie in one
    group alone are dealt out whole.

    Missing answers are made up for within each group, resample and permutation by the model's ``missing``, as a
    fit of those rows would: a mean is the group's own. With gaps, and with ``ordered=True``, every draw goes back to
    the rows and costs what a fit costs.

    References
    ----------
    .. [1] Chin, W. W. and Dibbern, J. (2010). An introduction to a permutation based procedure for
       multi-group PLS analysis. In Handbook of Partial Least Squares, 171-193.

    Raises
    ------
    ArgumentError
        The grouping column or the reference is not there, or there is a single group.
    DataError
        A group has fewer than 10 rows.
    """
    check_plspm(model, "compare_groups", "; for CBSEM use invariance()")
    n, seed = as_whole("n", n, SMALLEST_DRAWS, MOST_DRAWS), as_seed(seed)
    check_level(level)
    plan, labels, unit = model._grouped_resampling(
        X, by, sample_weight=sample_weight, cluster=cluster, scale=scale
    )
    check_clusters(unit)
    groups = split_groups(labels, by)
    if reference is None:
        reference = next(iter(groups))
    elif not isinstance(reference, Hashable) or reference not in groups:
        raise unknown("group", reference, groups)
    rng = np.random.default_rng(seed)
    found_in = {name: check_group(plan, name, rows) for name, rows in groups.items()}
    drawn = _bootstrapped(plan, groups, unit, n, rng)
    fitted = {name: (found_in[name], drawn[name]) for name in groups}
    n_failed = sum(int((~_estimated(plan, values)).sum()) for values in drawn.values())
    estimates = [
        row
        for name, rows in groups.items()
        for row in _estimate_rows(plan, name, len(rows), fitted[name], level)
    ]
    differences: list[dict[str, Any]] = []
    for name, rows in groups.items():
        if name == reference:
            continue
        found, resampled = _difference(plan, fitted[name], fitted[reference])
        permuted = _permuted(plan, rows, groups[reference], unit, n, rng)
        usable = _estimated(plan, permuted)
        n_failed += int((~usable).sum())
        if not usable.any():
            raise ConvergenceError(f"the model could not be estimated on any permutation of {name!r}")
        # differences that rounding alone makes count as equal
        extreme = np.abs(permuted[:, usable]) >= np.abs(found)[:, None] - 1e-12
        p_value = (1 + extreme.sum(axis=1)) / (1 + (~np.isnan(permuted[:, usable])).sum(axis=1))
        low, high = confidence_limits(found, resampled, "percentile", level)
        std_error = std_errors(resampled)
        for i, (lhs, op, rhs) in enumerate(plan.names):
            varies = std_error[i] > 1e-12 and not np.isnan(found[i])
            differences.append(
                {
                    "group": name,
                    "reference": reference,
                    "lhs": lhs,
                    "op": op,
                    "rhs": rhs,
                    "estimate": float(found[i]),
                    "std_error": float(std_error[i]),
                    "p_value": float(p_value[i]) if varies else None,
                    "conf_low": float(low[i]),
                    "conf_high": float(high[i]),
                    "group_estimate": float(fitted[name][0][i]),
                    "reference_estimate": float(fitted[reference][0][i]),
                }
            )
    return GroupComparison(
        differences=Table.from_records(differences, DIFFERENCE_COLUMNS),
        estimates_by_group=Table.from_records(estimates, ESTIMATE_COLUMNS),
        by=by,
        reference=reference,
        n=int(n),
        n_no_group=sum(label is None for label in labels),
        n_failed=n_failed,
        level=level,
        seed=seed,
        n_clusters=None if unit is None else int(unit.max()) + 1,
    )


def check_clusters(unit: NDArray[np.intp] | None) -> None:
    """Raise DataError where there are too few clusters to say how they vary."""
    if unit is not None and unit.max() + 1 < SMALLEST_GROUP:
        raise DataError(
            f"there are {unit.max() + 1} clusters: at least {SMALLEST_GROUP} are needed. Clusters are what is drawn, "
            "such as people or shops, not the groups that are compared."
        )


def split_groups(labels: list[Any], by: str) -> dict[Any, NDArray[np.intp]]:
    """Return the row numbers of each group, groups in sorted order, rows without a group left out."""
    names = {label for label in labels if label is not None}
    if len(names) < 2:
        raise ArgumentError(f"column {by!r} has {len(names)} group: nothing to compare")
    ordered = sorted(names, key=lambda v: (str(type(v)), v))
    groups = {name: np.flatnonzero([label == name for label in labels]) for name in ordered}
    for name, rows in groups.items():
        if len(rows) < SMALLEST_GROUP:
            raise DataError(
                f"group {name!r} of {by!r} has {len(rows)} rows: at least {SMALLEST_GROUP} are needed. Merge "
                "small groups first."
            )
    return groups


def check_group(plan: PLSResampling, name: Any, rows: NDArray[np.intp]) -> Array:
    """Return the quantities of one group, (quantities,); raise where the model can't be estimated in it."""
    table = plan.parts_table.subset(rows)
    try:
        sums = table.sums(np.ones((1, len(rows))))
    except DataError as error:
        raise DataError(f"group {name!r}: {error}", columns=error.columns) from error
    std = moments_of(sums, plan.table.centre).std[:, 0]
    if np.isnan(std).any():
        constant = [plan.structure.columns[i] for i in np.flatnonzero(np.isnan(std))]
        raise DataError(
            f"group {name!r}: every answer is the same in {constant}. Leave them out, or merge groups.",
            columns=constant,
        )
    estimate = plan.compute(sums)[:, 0]
    if np.isnan(estimate[: plan.n_parameters]).any():
        raise ConvergenceError(f"the model can't be estimated in group {name!r}: look at .fit() of its rows")
    return estimate


def _estimated(plan: PLSResampling, values: Array) -> NDArray[np.bool_]:
    """Return which draws gave the model's parameters; other quantities may be undefined in the data."""
    return np.asarray(~np.isnan(values[: plan.n_parameters]).any(axis=0), dtype=np.bool_)


def _bootstrapped(
    plan: PLSResampling,
    groups: Mapping[Any, NDArray[np.intp]],
    unit: NDArray[np.intp] | None,
    n: int,
    rng: np.random.Generator,
) -> dict[Any, Array]:
    """Return the resampled values of each group, (quantities, n): of its rows, or of clusters drawn for all groups."""
    tables = {name: plan.parts_table.subset(rows) for name, rows in groups.items()}
    if unit is None:
        found: dict[Any, Array] = {}
        for name, table in tables.items():
            sums = table.bootstrap(n, rng)
            parts = [plan.compute(sums[:, i : i + DRAWS_AT_ONCE]) for i in range(0, n, DRAWS_AT_ONCE)]
            found[name] = np.concatenate(parts, axis=1)
        return found
    n_units = int(unit.max()) + 1
    drawn: dict[Any, list[Array]] = {name: [] for name in groups}
    for size in batches_of(n, max(n_units, max(map(len, groups.values()))), DRAWS_AT_ONCE):
        counts = rng.multinomial(n_units, np.full(n_units, 1 / n_units), size=size).astype(float)
        for name, rows in groups.items():
            drawn[name].append(plan.compute(tables[name].sums(counts[:, unit[rows]])))
    return {name: np.concatenate(parts, axis=1) for name, parts in drawn.items()}


def _difference(
    plan: PLSResampling, group: tuple[Array, Array], reference: tuple[Array, Array]
) -> tuple[Array, Array]:
    resampled = group[1] - reference[1]
    usable = _estimated(plan, resampled)
    if usable.sum() < 2:
        raise ConvergenceError("the model could not be estimated on the resamples of the groups")
    return group[0] - reference[0], resampled[:, usable]


def _permuted(
    plan: PLSResampling,
    rows: NDArray[np.intp],
    reference: NDArray[np.intp],
    unit: NDArray[np.intp] | None,
    n: int,
    rng: np.random.Generator,
) -> Array:
    """Return the differences when rows are dealt out to both groups at random, (quantities, n)."""
    both = np.concatenate([rows, reference])
    own = np.arange(len(both)) < len(rows)
    table = with_mean_weights(plan.parts_table.subset(both), own)
    found: list[Array] = []
    for size in batches_of(n, len(both), DRAWS_AT_ONCE):
        inside, outside = table.split(dealt(own, None if unit is None else unit[both], size, rng))
        found.append(plan.compute(inside) - plan.compute(outside))
    return np.concatenate(found, axis=1)


def _estimate_rows(
    plan: PLSResampling, group: Any, n_rows: int, fitted: tuple[Array, Array], level: float
) -> list[dict[str, Any]]:
    estimate, values = fitted
    values = values[:, _estimated(plan, values)]
    low, high = confidence_limits(estimate, values, "percentile", level)
    std_error = std_errors(values)
    return [
        {
            "group": group,
            "lhs": lhs,
            "op": op,
            "rhs": rhs,
            "estimate": float(estimate[i]),
            "std_error": float(std_error[i]),
            "conf_low": float(low[i]),
            "conf_high": float(high[i]),
            "n": n_rows,
        }
        for i, (lhs, op, rhs) in enumerate(plan.names)
    ]


def _of_kind(table: Table, op: str) -> pd.DataFrame:
    kinds = list(dict.fromkeys(table["op"]))
    check_word("op", op, kinds)
    rows = [row for row in table.rows() if row["op"] == op]
    return FrameLibrary.PANDAS.build(Table.from_records(rows, table.names).columns())

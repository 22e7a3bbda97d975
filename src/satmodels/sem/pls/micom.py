"""MICOM: whether the groups' composites mean the same, to be asked before their paths are compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, as_seed, as_whole, unknown
from satmodels.intake.library import FrameLibrary
from satmodels.results import FrameBuilder, Result, Table
from satmodels.sem.pls.dealing import batches_of, dealt, with_mean_weights
from satmodels.sem.pls.estimates import estimate
from satmodels.sem.pls.multigroup import check_clusters, check_group, split_groups
from satmodels.sem.pls.resampling import PLSResampling
from satmodels.sem.pls.taken import check_plspm
from satmodels.sem.recomputed_table import RecomputedTable
from satmodels.sem.resample_table import DRAWS_AT_ONCE, MOST_DRAWS, SMALLEST_DRAWS, ResampleTable, moments_of
from satmodels.statistics.intervals import check_level

Array = NDArray[np.float64]
COLUMNS = (
    "group", "reference", "construct", "correlation", "correlation_low", "p_correlation",
    "mean_difference", "p_mean", "log_variance_ratio", "p_variance", "invariance",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class MicomResult(Result):
    """Result of :func:`micom`: one row per group and construct.

    ``correlation`` is step 2 (compositional invariance) with the lowest value that chance allows;
    ``mean_difference`` (in standard deviations) and ``log_variance_ratio`` are step 3. ``invariance``
    is "none", "partial" (step 2 holds: paths may be compared) or "full" (step 3 too: groups may be pooled).
    """

    library: FrameBuilder = dataclasses.field(default=FrameLibrary.PANDAS, compare=False)
    rows: Table
    by: str
    n: int
    level: float
    seed: int | None
    kind: ClassVar[str] = "micom"

    def _tidy(self) -> Table:
        return self.rows

    def _glance(self) -> Mapping[str, Any]:
        return {"by": self.by, "draws": self.n, "level": self.level, "seed": self.seed}


@checked
def micom(
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
) -> MicomResult:
    """Test the measurement invariance of composites between groups, by permutation.

    Parameters
    ----------
    model : PLSPM
        The model. Step 1, configural invariance, holds by construction: the groups get the same items,
        the same treatment of the data and the same algorithm.
    X : dataframe
        The rows.
    by : str
        Column of the groups.
    reference : object, optional
        The group that the others are compared with; the first in sorted order by default.
    n : int, default 1000
        Number of permutations.
    seed : int, optional
    level : float, default 0.95
        1 minus the error rate of each test.
    sample_weight : array or str, optional
        Survey weights.
    cluster : array or str, optional
        What belongs together, such as the respondents of a panel in its waves: see :func:`compare_groups`.

    Returns
    -------
    MicomResult

    Notes
    -----
    Step 2 correlates, on the pooled rows, the scores of one group's weights with those of the other's.
    Step 3 compares means and variances of the scores of the pooled model. Missing answers are made up for within
    each group and permutation, see :func:`compare_groups`. Survey weights have mean 1 in each group: both count by
    their rows in the pooled model.

    References
    ----------
    .. [1] Henseler, J., Ringle, C. M. and Sarstedt, M. (2016). Testing measurement invariance of
       composites using partial least squares. International Marketing Review 33(3), 405-431.
    """
    check_plspm(model, "micom", "; for CBSEM use invariance()")
    if model.ordered:
        raise ArgumentError(
            "with ordered=True constructs have no scores whose means and variances could be compared: take the "
            "answers as numbers for micom"
        )
    n, seed = as_whole("n", n, SMALLEST_DRAWS, MOST_DRAWS), as_seed(seed)
    check_level(level)
    plan, labels, unit = model._grouped_resampling(
        X, by, sample_weight=sample_weight, cluster=cluster, scale=None
    )
    check_clusters(unit)
    groups = split_groups(labels, by)
    if reference is None:
        reference = next(iter(groups))
    elif not isinstance(reference, Hashable) or reference not in groups:
        raise unknown("group", reference, groups)
    for name, members in groups.items():
        check_group(plan, name, members)
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for name, members in groups.items():
        if name != reference:
            rows += _steps(plan, name, reference, members, groups[reference], unit, n, rng, level)
    return MicomResult(rows=Table.from_records(rows, COLUMNS), by=by, n=n, level=level, seed=seed)


def _steps(
    plan: PLSResampling,
    name: Any,
    reference: Any,
    members: NDArray[np.intp],
    others: NDArray[np.intp],
    unit: NDArray[np.intp] | None,
    n: int,
    rng: np.random.Generator,
    level: float,
) -> list[dict[str, Any]]:
    both = np.concatenate([members, others])
    own = np.arange(len(both)) < len(members)
    table = with_mean_weights(plan.parts_table.subset(both), own)
    found = _statistics(plan, table, own[None].astype(float))[:, :, 0]
    cluster = None if unit is None else unit[both]
    permuted = np.concatenate(
        [
            _statistics(plan, table, dealt(own, cluster, size, rng))
            for size in batches_of(n, len(both), DRAWS_AT_ONCE)
        ],
        axis=2,
    )
    permuted = permuted[:, :, ~np.isnan(permuted).any(axis=(0, 1))]
    draws = permuted.shape[2]
    alpha = 1 - level
    # rounding makes the correlation of equal weights a hair less than 1
    p_correlation = (1 + (permuted[0] <= found[0][:, None] + 1e-12).sum(axis=1)) / (1 + draws)
    extreme = np.abs(permuted[1:]) >= np.abs(found[1:])[:, :, None] - 1e-12
    p_mean, p_variance = (1 + extreme.sum(axis=2)) / (1 + draws)
    lowest = np.quantile(permuted[0], alpha, axis=1)
    rows: list[dict[str, Any]] = []
    for j, construct in enumerate(plan.structure.constructs):
        partial = p_correlation[j] > alpha
        full = partial and p_mean[j] > alpha and p_variance[j] > alpha
        rows.append(
            {
                "group": name,
                "reference": reference,
                "construct": construct,
                "correlation": float(found[0, j]),
                "correlation_low": float(lowest[j]),
                "p_correlation": float(p_correlation[j]),
                "mean_difference": float(found[1, j]),
                "p_mean": float(p_mean[j]),
                "log_variance_ratio": float(found[2, j]),
                "p_variance": float(p_variance[j]),
                "invariance": "full" if full else "partial" if partial else "none",
            }
        )
    return rows


def _statistics(plan: PLSResampling, table: ResampleTable | RecomputedTable, counts: Array) -> Array:
    """Return correlation of scores, mean difference and log variance ratio: (3, constructs, batch)."""
    sums = table.split(counts)
    total = table.sums(np.ones((1, counts.shape[1])))
    weights = [_weights(plan, part) for part in sums]
    pooled = _weights(plan, total)[:, 0]
    at = list(plan.structure.places)
    whole = moments_of(total, table.centre)
    corr = whole.corr[np.ix_(at, at)][:, :, 0]
    parts = [moments_of(part, table.centre) for part in sums]
    n = counts.sum(axis=1), (1 - counts).sum(axis=1)
    # variances have the divisor n - 1, those of the parts n
    unequal = np.log((n[0] / (n[0] - 1)) / (n[1] / (n[1] - 1)))
    found: list[Array] = []
    for block in plan.structure.blocks:
        own, other = weights[0][block], weights[1][block]
        r = corr[block, block]
        between = np.einsum("ib,ij,jb->b", own, r, other)
        size = np.sqrt(np.einsum("ib,ij,jb->b", own, r, own) * np.einsum("ib,ij,jb->b", other, r, other))
        raw = pooled[block] / whole.std[at[block], 0]
        means = [raw @ part.mean[at[block]] for part in parts]
        variances: list[Array] = []
        for part in parts:
            scaled = raw[:, None] * part.std[at[block]]
            items = np.ix_(at[block], at[block])
            variances.append(np.einsum("ib,ijb,jb->b", scaled, part.corr[items], scaled))
        found.append(
            np.stack([between / size, means[0] - means[1], np.log(variances[0] / variances[1]) + unequal])
        )
    return np.stack(found, axis=1)


def _weights(plan: PLSResampling, sums: Array) -> Array:
    at = list(plan.structure.places)
    corr = moments_of(sums, plan.table.centre).corr[np.ix_(at, at)]
    return estimate(corr, plan.structure, scheme=plan.scheme, tol=plan.tol, max_iter=plan.max_iter).weights

"""Do segments, or waves, see a feature differently? Chi-square over the categories, feature by feature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from satmodels.kano_model.coefficients import BETTER, CARING, WORSE, effective_size
from satmodels.kano_model.tables import KanoTable
from satmodels.results import Result, Table
from satmodels.statistics.intervals import proportion_interval
from satmodels.statistics.multiplicity import adjust_p
from satmodels.statistics.pair_counts import PairCounts

Array = NDArray[np.float64]

# below this expected count the chi-square distribution is a rough guide, and random tables are drawn
SMALL_EXPECTED = 5.0
RANDOM_TABLES = 5_000
_SEGMENT_COLUMNS = (
    *("feature", "categories", "differ", "chisq", "df", "p_value", "p_adjusted"),
    *("cramers_v", "smallest_expected", "test", "n"),
)
_CHANGE_COLUMNS = (
    *("feature", "before", "after", "changed", "chisq", "df", "p_value", "p_adjusted", "test"),
    *("better_change", "better_low", "better_high", "worse_change", "worse_low", "worse_high"),
    *("n_before", "n_after"),
)


@dataclass(frozen=True, kw_only=True, repr=False)
class KanoSegmentsResult(Result):
    """Whether groups differ in how they see each feature."""

    kind: ClassVar[str] = "kano_segments"

    estimates: Table
    by: tuple[str, ...]
    level: float

    def _tidy(self) -> Table:
        return self.estimates

    def _glance(self) -> Mapping[str, Any]:
        return {
            "features": len(self.estimates),
            "by": ", ".join(self.by),
            "differ": sum(bool(d) for d in self.estimates["differ"]),
            "level": self.level,
        }


@dataclass(frozen=True, kw_only=True, repr=False)
class KanoChangesResult(Result):
    """How the class and the coefficients of each feature changed between two waves."""

    kind: ClassVar[str] = "kano_changes"

    estimates: Table
    level: float

    def _tidy(self) -> Table:
        return self.estimates

    def _glance(self) -> Mapping[str, Any]:
        return {
            "features": len(self.estimates),
            "changed": sum(bool(c) for c in self.estimates["changed"]),
            "level": self.level,
        }


def segment_tests(
    counts: PairCounts, table: KanoTable, categories: Table, *, level: float, library: Any
) -> KanoSegmentsResult:
    """Test each feature over all groups; see :meth:`KanoResult.segments`."""
    sums = effective_counts(counts, table)
    n = counts.n.sum(axis=(2, 3))
    rows: list[dict[str, Any]] = []
    for f, feature in enumerate(counts.features):
        found = chi_square(sums[:, f])
        named = [categories["category"][g * len(counts.features) + f] or "-" for g in range(len(counts.keys))]
        rows.append({"feature": feature, "categories": " ".join(named), **found, "n": int(n[:, f].sum())})
    for row, adjusted in zip(rows, _adjusted(rows), strict=True):
        row |= {"p_adjusted": adjusted, "differ": None if adjusted is None else adjusted < 1 - level}
    return KanoSegmentsResult(
        library=library,
        estimates=Table.from_records(rows, _SEGMENT_COLUMNS),
        by=counts.by,
        level=level,
    )


def wave_changes(
    before: tuple[PairCounts, Mapping[str, str | None]],
    after: tuple[PairCounts, Mapping[str, str | None]],
    table: KanoTable,
    *,
    level: float,
    library: Any,
) -> KanoChangesResult:
    """Compare two waves of one group each; see :meth:`KanoResult.changes`."""
    waves = [counts for counts, _ in (before, after)]
    sums = [effective_counts(c, table)[0] for c in waves]
    limits = [_limits(c, table, level) for c in waves]
    rows: list[dict[str, Any]] = []
    for f, feature in enumerate(waves[0].features):
        at = (f, waves[1].features.index(feature))
        found = chi_square(np.stack([s[i] for s, i in zip(sums, at, strict=True)]))
        row: dict[str, Any] = {
            "feature": feature,
            "before": before[1][feature],
            "after": after[1][feature],
            "chisq": found["chisq"],
            "df": found["df"],
            "p_value": found["p_value"],
            "test": found["test"],
            "n_before": int(waves[0].n[0, at[0]].sum()),
            "n_after": int(waves[1].n[0, at[1]].sum()),
        }
        for name, sign, k in (("better", 1.0, 0), ("worse", -1.0, 1)):
            (p1, l1, u1), (p2, l2, u2) = (lim[k][:, i] for lim, i in zip(limits, at, strict=True))
            # Newcombe (1998, method 10): Wilson's limits of both, joined; at its level in small samples
            low = p2 - p1 - np.hypot(p2 - l2, u1 - p1)
            high = p2 - p1 + np.hypot(u2 - p2, p1 - l1)
            ends = sorted((sign * low, sign * high))
            row |= {f"{name}_change": sign * (p2 - p1), f"{name}_low": ends[0], f"{name}_high": ends[1]}
        rows.append(row)
    for row, adjusted in zip(rows, _adjusted(rows), strict=True):
        row["p_adjusted"] = adjusted
        row["changed"] = None if adjusted is None else adjusted < 1 - level
    return KanoChangesResult(
        library=library, estimates=Table.from_records(rows, _CHANGE_COLUMNS), level=level
    )


def effective_counts(counts: PairCounts, table: KanoTable) -> Array:
    """Return category counts (groups, features, 6), weighted ones brought to the effective sample size."""
    sums = table.count(counts.w)
    total, squares = sums.sum(axis=-1), counts.w2.sum(axis=(2, 3))
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(squares > 0, total / squares, 0.0)
    return sums * factor[..., None]


def chi_square(groups: Array) -> dict[str, Any]:
    """Test groups (rows) by categories for homogeneity (Pearson); empty rows and columns don't count.

    Where an expected count is below 5 the p-value is the share of 5,000 random tables with the same
    margins that differ at least as much.

    Examples
    --------
    >>> import numpy as np
    >>> chi_square(np.array([[10.0, 20], [20, 10]]))["chisq"]
    6.666666666666666
    """
    used = groups[groups.sum(axis=1) > 0]
    used = used[:, used.sum(axis=0) > 0]
    if min(used.shape) < 2:
        return dict.fromkeys(("chisq", "df", "p_value", "cramers_v", "smallest_expected", "test"))
    total = used.sum()
    expected = np.outer(used.sum(axis=1), used.sum(axis=0)) / total
    chisq = float(((used - expected) ** 2 / expected).sum())
    df = (used.shape[0] - 1) * (used.shape[1] - 1)
    small = bool(expected.min() < SMALL_EXPECTED)
    return {
        "chisq": chisq,
        "df": df,
        "p_value": _random_tables_p(used) if small else float(special.chdtrc(df, chisq)),
        "test": "random tables" if small else "chi-square",
        "cramers_v": float(np.sqrt(chisq / total / (min(used.shape) - 1))),
        "smallest_expected": float(expected.min()),
    }


def _random_tables_p(groups: Array) -> float:
    from scipy.stats import random_table  # imported where needed: it brings all of scipy.stats

    whole = np.rint(groups).astype(np.int64)  # effective counts of weighted answers are fractions
    whole = whole[whole.sum(axis=1) > 0][:, whole.sum(axis=0) > 0]
    if min(whole.shape) < 2:
        return 1.0
    expected = np.outer(whole.sum(axis=1), whole.sum(axis=0)) / whole.sum()
    drawn = random_table.rvs(
        whole.sum(axis=1), whole.sum(axis=0), size=RANDOM_TABLES, random_state=np.random.default_rng(0)
    )
    chisq = ((drawn - expected) ** 2 / expected).sum(axis=(1, 2))
    seen = ((whole - expected) ** 2 / expected).sum()
    return float((1 + (chisq >= seen - 1e-9).sum()) / (RANDOM_TABLES + 1))


def _adjusted(rows: list[dict[str, Any]]) -> list[float | None]:
    """Return Holm's p-values: many features are looked at."""
    p_values = [np.nan if row["p_value"] is None else row["p_value"] for row in rows]
    return [None if np.isnan(p) else float(p) for p in adjust_p(p_values, "holm")]


def _limits(counts: PairCounts, table: KanoTable, level: float) -> tuple[Array, Array]:
    """Return share and Wilson limits (3, features) of better and of |worse| in the first group."""
    sums, squares = table.count(counts.w), table.count(counts.w2)
    found: list[Array] = []
    for chosen in (BETTER, WORSE):
        x, n = effective_size(sums, squares, chosen)
        low, high = proportion_interval(x, n, level=level)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = sums[..., chosen].sum(axis=-1) / sums[..., CARING].sum(axis=-1)
        found.append(np.stack([share[0], low[0], high[0]]))
    return found[0], found[1]

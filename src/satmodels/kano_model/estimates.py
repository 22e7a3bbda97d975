"""The numbers of a Kano analysis, from pair counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from satmodels.kano_model.coefficients import coefficient_intervals, coefficients, strengths
from satmodels.kano_model.rules import classify, fong_significant
from satmodels.kano_model.tables import CATEGORIES, KanoTable
from satmodels.results import Table
from satmodels.statistics.pair_counts import PairCounts

COLUMNS = (
    "feature",
    *CATEGORIES,
    *("category", "runner_up", "tie", "significant"),
    *("better", "better_low", "better_high", "worse", "worse_low", "worse_high"),
    *("total_strength", "category_strength", "n", "n_missing"),
)


def estimate(counts: PairCounts, table: KanoTable, rule: str, threshold: float, level: float) -> Table:
    """Return one row per group and feature: counts, class, coefficients with limits, strengths."""
    sums = table.count(counts.w)
    n = counts.n.sum(axis=(2, 3))
    squares = counts.w2.sum(axis=(2, 3))
    better, worse = coefficients(sums)
    better_low, better_high, worse_low, worse_high = coefficient_intervals(counts.w, counts.w2, table, level)
    total, category = strengths(sums)
    rows: list[dict[str, Any]] = []
    for g, key in enumerate(counts.keys):
        for f, feature in enumerate(counts.features):
            found = classify(sums[g, f], rule, threshold)
            weight = float(sums[g, f].sum())
            n_eff = weight**2 / float(squares[g, f]) if squares[g, f] > 0 else 0.0
            shown = sums[g, f] if counts.weighted else sums[g, f].astype(np.int64)
            rows.append(
                {
                    **dict(zip(counts.by, key, strict=True)),
                    "feature": feature,
                    **dict(zip(CATEGORIES, shown.tolist(), strict=True)),
                    "category": found.category,
                    "runner_up": found.runner_up,
                    "tie": found.tie,
                    "significant": fong_significant(sums[g, f], n_eff),
                    "better": better[g, f],
                    "better_low": better_low[g, f],
                    "better_high": better_high[g, f],
                    "worse": worse[g, f],
                    "worse_low": worse_low[g, f],
                    "worse_high": worse_high[g, f],
                    "total_strength": total[g, f],
                    "category_strength": category[g, f],
                    "n": int(n[g, f]),
                    "n_missing": int(counts.n_missing[g, f]),
                }
            )
    return Table.from_records(rows, (*counts.by, *COLUMNS))

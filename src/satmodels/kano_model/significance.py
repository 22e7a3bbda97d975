"""Tests of one feature's categories: Fong's, and chi-square against no preference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import special

from satmodels.kano_model.rules import FONG_QUANTILE, fong_sides
from satmodels.kano_model.segments import effective_counts
from satmodels.kano_model.tables import CATEGORIES, KanoTable
from satmodels.results import Result, Table
from satmodels.statistics.pair_counts import PairCounts

_COLUMNS = ("feature", "difference", "critical", "significant", "chisq", "df", "p_value", "n")


@dataclass(frozen=True, kw_only=True, repr=False)
class KanoTestsResult(Result):
    """Fong's test and chi-square, with their numbers."""

    kind: ClassVar[str] = "kano_tests"

    estimates: Table
    by: tuple[str, ...]

    def _tidy(self) -> Table:
        return self.estimates

    def _glance(self) -> Mapping[str, Any]:
        return {
            "features": len(set(self.estimates["feature"])),
            "significant": sum(bool(s) for s in self.estimates["significant"]),
            "fong_quantile": FONG_QUANTILE,
        }


def category_tests(counts: PairCounts, table: KanoTable, *, library: Any) -> KanoTestsResult:
    """Test every feature in every group; see :meth:`KanoResult.tests`."""
    sums = effective_counts(counts, table)
    n = counts.n.sum(axis=(2, 3))
    rows: list[dict[str, Any]] = []
    for g, key in enumerate(counts.keys):
        for f, feature in enumerate(counts.features):
            row: dict[str, Any] = {
                **dict(zip(counts.by, key, strict=True)),
                "feature": feature,
                "n": int(n[g, f]),
            }
            total = float(sums[g, f].sum())
            if total > 0:
                difference, critical = fong_sides(sums[g, f], total)
                even = total / len(CATEGORIES)
                chisq = float(((sums[g, f] - even) ** 2).sum() / even)
                df = len(CATEGORIES) - 1
                row |= {
                    "difference": difference,
                    "critical": critical,
                    "significant": bool(difference >= critical),
                    "chisq": chisq,
                    "df": df,
                    "p_value": float(np.asarray(special.chdtrc(df, chisq))),
                }
            rows.append(row)
    return KanoTestsResult(
        library=library, estimates=Table.from_records(rows, (*counts.by, *_COLUMNS)), by=counts.by
    )

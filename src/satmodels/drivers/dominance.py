"""Dominance analysis: whether one driver is more useful than another in every company of others.

Budescu (1993, Psychological Bulletin 114(3)); Azen and Budescu (2003, Psychological Methods 8(2)).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.drivers.shapley import popcount, subset_r2
from satmodels.errors import ArgumentError
from satmodels.results import Result, Table

Array = NDArray[np.float64]

MAX_DRIVERS = 16


@dataclass(frozen=True, kw_only=True, repr=False)
class DominanceResult(Result):
    """General, conditional and complete dominance.

    Attributes
    ----------
    estimates : Table
        What :meth:`tidy` gives: ``term``, ``general`` (the Shapley value), and the mean gain in R²
        beside 0, 1, 2, ... others (conditional dominance).
    complete : Table
        ``term, over, share``: in what share of the companies of others the first gains more than the
        second; 1 is complete dominance.
    """

    kind: ClassVar[str] = "dominance"

    estimates: Table
    complete: Table
    outcome: str
    r2: float

    def pairs(self) -> Any:
        """Return the comparison of all pairs, as a dataframe."""
        return self.library.build(self.complete.columns())

    def _tidy(self) -> Table:
        return self.estimates

    def _glance(self) -> Mapping[str, Any]:
        return {
            "outcome": self.outcome,
            "drivers": len(self.estimates),
            "r2": self.r2,
            "complete": sum(s == 1.0 for s in self.complete["share"]),
        }


def dominance_table(
    corr: Array, r: Array, names: tuple[str, ...], outcome: str, library: Any
) -> DominanceResult:
    """Compare the gains in R² of all drivers in all companies; see :meth:`KeyDriversResult.dominance`."""
    p = len(names)
    if p > MAX_DRIVERS:
        raise ArgumentError(
            f"dominance compares all pairs in all subsets: at most {MAX_DRIVERS} drivers, not {p}"
        )
    r2 = subset_r2(corr, r)
    size = popcount(p)
    subsets = np.arange(1 << p)
    conditional = np.zeros((p, p))
    for j in range(p):
        without = subsets[subsets >> j & 1 == 0]
        gain = r2[without | 1 << j] - r2[without]
        at = size[without]
        conditional[j] = np.bincount(at, gain, minlength=p) / np.bincount(at, minlength=p)
    rows: list[dict[str, Any]] = []
    for j in range(p):
        for k in range(p):
            if j != k:
                others = subsets[(subsets >> j & 1 == 0) & (subsets >> k & 1 == 0)]
                more = r2[others | 1 << j] > r2[others | 1 << k]
                rows.append({"term": names[j], "over": names[k], "share": float(more.mean())})
    columns: dict[str, Any] = {"term": names, "general": conditional.mean(axis=1)}
    columns |= {f"beside_{s}": conditional[:, s] for s in range(p)}
    return DominanceResult(
        library=library,
        estimates=Table.of(columns),
        complete=Table.from_records(rows, ("term", "over", "share")),
        outcome=outcome,
        r2=float(r2[-1]),
    )

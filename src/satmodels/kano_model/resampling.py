"""How stable a Kano analysis is: exact multinomial resampling of the counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import as_number, as_seed
from satmodels.kano_model.coefficients import coefficients, strengths
from satmodels.kano_model.rules import HIERARCHY, NEEDED, NOT_NEEDED, TIE_ORDER
from satmodels.kano_model.tables import CATEGORIES, KanoTable
from satmodels.results import Result, Table
from satmodels.statistics.pair_counts import PairCounts

Array = NDArray[np.float64]

DRAWS = 10_000
MOST_DRAWS = 1_000_000
_COLUMNS = (
    "feature",
    *("better", "better_std_error", "better_low", "better_high"),
    *("worse", "worse_std_error", "worse_low", "worse_high"),
    *("total_strength", "total_strength_low", "total_strength_high"),
    *("category_strength", "category_strength_low", "category_strength_high"),
    *("category", "p_category", *(f"p_{c}" for c in CATEGORIES), "n"),
)


@dataclass(frozen=True, kw_only=True, repr=False)
class KanoBootstrapResult(Result):
    """Limits of all coefficients and strengths, and the chance of every class, from resampled counts."""

    kind: ClassVar[str] = "kano_bootstrap"

    estimates: Table
    by: tuple[str, ...]
    draws: int
    seed: int | None
    level: float

    def _tidy(self) -> Table:
        return self.estimates

    def _glance(self) -> Mapping[str, Any]:
        shares = [p for p in self.estimates["p_category"] if p is not None]
        return {
            "features": len(set(self.estimates["feature"])),
            "draws": self.draws,
            "seed": self.seed,
            "level": self.level,
            "stable": sum(p >= self.level for p in shares),
        }


def bootstrap_counts(
    counts: PairCounts,
    table: KanoTable,
    rule: str,
    threshold: float,
    observed: Table,
    *,
    draws: int,
    level: float,
    seed: int | None,
    library: Any,
) -> KanoBootstrapResult:
    """Draw the category counts anew from the multinomial and compute everything on each draw.

    Resampling respondents draws exactly this distribution of one feature's counts, so no respondent is
    needed. Weighted counts are drawn with the effective number of answers.
    """
    draws = int(as_number("draws", draws, 100, MOST_DRAWS))
    rng = np.random.default_rng(as_seed(seed))
    sums = table.count(counts.w)
    squares = counts.w2.sum(axis=(2, 3))
    tail = (1 - level) / 2
    rows: list[dict[str, Any]] = []
    for g, f in np.ndindex(len(counts.keys), len(counts.features)):
        seen = {name: observed[name][g * len(counts.features) + f] for name in observed.names}
        row: dict[str, Any] = {name: seen[name] for name in (*counts.by, "feature", "category", "n")}
        total = float(sums[g, f].sum())
        n = round(float(total**2 / squares[g, f])) if squares[g, f] > 0 else 0
        if n > 0:
            drawn = rng.multinomial(n, sums[g, f] / total, size=draws).astype(float)
            named = dict(
                zip(
                    ("better", "worse", "total_strength", "category_strength"),
                    (*coefficients(drawn), *strengths(drawn)),
                    strict=True,
                )
            )
            for name, values in named.items():
                known = values[~np.isnan(values)]  # a draw without A, O, M and I has no coefficient
                row[name] = seen[name]
                if len(known):
                    row[f"{name}_std_error"] = float(known.std(ddof=1))
                    row[f"{name}_low"], row[f"{name}_high"] = np.quantile(known, [tail, 1 - tail])
            chance = class_shares(drawn, rule, threshold)
            row |= {f"p_{c}": float(p) for c, p in zip(CATEGORIES, chance, strict=True)}
            row["p_category"] = row[f"p_{row['category']}"]
        rows.append(row)
    return KanoBootstrapResult(
        library=library,
        estimates=Table.from_records(rows, (*counts.by, *_COLUMNS)),
        by=counts.by,
        draws=draws,
        seed=seed,
        level=level,
    )


def class_shares(drawn: Array, rule: str, threshold: float) -> Array:
    """Return how often each category wins (in the order of the table) over rows of counts (draws, 6)."""
    order = [CATEGORIES.index(c) for c in TIE_ORDER]
    ranked = drawn[:, order]  # argmax takes the first of equals, so ties follow the order
    if rule == "blauth":
        sums = [drawn[:, [CATEGORIES.index(c) for c in camp]].sum(axis=1) for camp in (NEEDED, NOT_NEEDED)]
        camp_of = np.array([c in NEEDED for c in TIE_ORDER])
        allowed = (sums[0] > sums[1])[:, None] == camp_of[None, :]
        winner = np.where(allowed, ranked, -1.0).argmax(axis=1)
    else:
        winner = ranked.argmax(axis=1)
        if rule == "hierarchy":
            rest = ranked.copy()
            rows = np.arange(len(ranked))
            rest[rows, winner] = -1.0
            second = rest.argmax(axis=1)
            last = len(HIERARCHY)  # TIE_ORDER begins with the hierarchy: a smaller place comes first
            margin = threshold * ranked.sum(axis=1) * (1 + 1e-9)
            near = (ranked[rows, winner] - ranked[rows, second] <= margin) & (winner < last) & (second < last)
            winner = np.where(near, np.minimum(winner, second), winner)
    share = np.bincount(winner, minlength=len(CATEGORIES)) / len(drawn)
    return share[[TIE_ORDER.index(c) for c in CATEGORIES]]

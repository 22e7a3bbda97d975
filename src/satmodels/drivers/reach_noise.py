"""Reach-noise analysis: which failures set the dissatisfied apart from the others.

Where dissatisfaction comes from many small failures, each rare, correlations are tiny and say little.
A set S of failures *reaches* the dissatisfied who met at least one of them, and is *noise* for the
others who did: v(S) = P(any of S | dissatisfied) - P(any of S | not). Its Shapley values share v(all)
out among the failures (Conklin, Powaga and Lipovetsky 2004, European Journal of Operational Research
154(3)).

"Any of S" is a covering game: of one respondent with k failures each failure earns 1/k. So the Shapley
value of failure j is the mean of [j failed] / k over the dissatisfied less that over the others: exact
for any number of items, from one pass, with the standard error of a difference of two means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.drivers.key_drivers import groups_of
from satmodels.drivers.regression import check_drivers
from satmodels.errors import ArgumentError, DataError, as_number
from satmodels.intake.batches import batches
from satmodels.intake.cells import check_weight
from satmodels.intake.frames import Frame, open_frame
from satmodels.results import Result, Table
from satmodels.statistics.counts import as_names
from satmodels.statistics.intervals import check_level, quantile, two_sided_p

Array = NDArray[np.float64]

_COLUMNS = (
    *("term", "estimate", "share", "std_error", "statistic", "p_value", "conf_low", "conf_high"),
    *("reach", "noise", "failed_dissatisfied", "failed_others", "n", "n_missing"),
)


@dataclass(frozen=True, kw_only=True, repr=False)
class ReachNoiseResult(Result):
    """Share of each failure in telling the dissatisfied from the others.

    Attributes
    ----------
    estimates : Table
        What :meth:`tidy` gives.
    by : tuple of str
        Grouping columns.
    outcome : str
        The outcome.
    reach, noise : tuple of float
        Share with at least one failure, among the dissatisfied and among the others, per group.
    n_dissatisfied, n_others : tuple of int
        Respondents, per group.
    level : float
        Confidence level.
    """

    kind: ClassVar[str] = "reach_noise"

    estimates: Table
    by: tuple[str, ...]
    outcome: str
    reach: tuple[float, ...]
    noise: tuple[float, ...]
    n_dissatisfied: tuple[int, ...]
    n_others: tuple[int, ...]
    level: float

    def _tidy(self) -> Table:
        return self.estimates

    def _glance(self) -> Mapping[str, Any]:
        one = len(self.reach) == 1
        return {
            "outcome": self.outcome,
            "items": len(set(self.estimates["term"])),
            "groups": len(self.reach) if self.by else None,
            "reach": self.reach[0] if one else None,
            "noise": self.noise[0] if one else None,
            "n_dissatisfied": sum(self.n_dissatisfied),
            "n_others": sum(self.n_others),
            "level": self.level,
        }


@checked
def reach_noise(
    data: Any,
    outcome: str,
    items: Sequence[str],
    *,
    dissatisfied: float,
    failed: float | Mapping[str, float],
    by: str | Sequence[str] = (),
    weight: str | None = None,
    level: float = 0.95,
) -> ReachNoiseResult:
    """Share out among failures what tells the dissatisfied from the others.

    Parameters
    ----------
    data : dataframe
        Answers of any supported dataframe.
    outcome : str
        Overall satisfaction; answers of at most ``dissatisfied`` are the dissatisfied.
    items : sequence of str
        Parts of the service; answers of at most ``failed`` are failures. Columns of 1 (worked) and 0
        (failed) take ``failed=0``.
    dissatisfied : float
        Largest answer of the dissatisfied.
    failed : float or mapping
        Largest answer that is a failure, ``{item: answer}`` where items differ.
    by, weight : optional
        Columns to group by, and of survey weights.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    ReachNoiseResult
        ``tidy()``: the by-columns, ``term``, ``estimate`` (reach - noise), ``share`` of their sum,
        ``std_error``, ``statistic``, ``p_value``, limits, ``reach`` and ``noise``,
        ``failed_dissatisfied`` and ``failed_others`` (share of respondents whom the item failed), ``n``,
        ``n_missing``.

    Raises
    ------
    ArgumentError
        Unknown or repeated columns, or no cut for an item.
    DataError
        All or none of the respondents are dissatisfied.

    Examples
    --------
    Of the four dissatisfied, three met the late delivery, one of them together with the broken app:

    >>> import pandas as pd, satmodels as sat
    >>> frame = pd.DataFrame(
    ...     {
    ...         "overall": [1, 2, 1, 2, 5, 4, 5, 4],
    ...         "delivery": [1, 1, 1, 5, 5, 5, 1, 5],
    ...         "app": [5, 1, 5, 1, 5, 5, 5, 5],
    ...     }
    ... )
    >>> found = sat.reach_noise(frame, "overall", ["delivery", "app"], dissatisfied=2, failed=2)
    >>> found.tidy()[["term", "estimate", "reach", "noise"]]
           term  estimate  reach  noise
    0  delivery     0.375  0.625   0.25
    1       app     0.375  0.375   0.00
    """
    check_level(level)
    names = as_names(items)
    dissatisfied = as_number("dissatisfied", dissatisfied)
    check_drivers(outcome, names, weight)
    if isinstance(failed, Mapping) and (lacking := [n for n in names if n not in failed]):
        raise ArgumentError(f"failed has nothing for {lacking}")
    cuts = np.array(
        [as_number("failed", failed[n] if isinstance(failed, Mapping) else failed) for n in names]
    )
    by = as_names(by)
    frame = open_frame(data)
    frame.require([outcome, *names])
    frame.require(by, role="column to group by")
    if weight is not None:
        check_weight(frame, weight)
    rows: list[dict[str, Any]] = []
    groups: list[_Sides] = []
    for key, part in groups_of(frame, by):
        sides = _Sides.collect(part, outcome, names, dissatisfied, cuts, weight)
        if not min(sides.w) > 0:
            which = "all" if sides.w[0] > 0 else "none"
            where = "".join(f" with {b}={k!r}" for b, k in zip(by, key, strict=True))
            raise DataError(
                f"{which} of the {sum(sides.n)} respondents{where} are dissatisfied ({outcome!r} of at most "
                f"{dissatisfied:g}): there is nobody to compare with",
                columns=[outcome],
            )
        groups.append(sides)
        rows += [{**dict(zip(by, key, strict=True)), **row} for row in sides.rows(names, level)]
    return ReachNoiseResult(
        library=frame.library,
        estimates=Table.from_records(rows, (*by, *_COLUMNS)),
        by=by,
        outcome=outcome,
        reach=tuple(float(g.any[0]) for g in groups),
        noise=tuple(float(g.any[1]) for g in groups),
        n_dissatisfied=tuple(g.n[0] for g in groups),
        n_others=tuple(g.n[1] for g in groups),
        level=level,
    )


@dataclass(frozen=True)
class _Sides:
    """Means over the dissatisfied (first) and the others (second)."""

    share: Array  # (2, items): mean of [failed] / number of failures
    square: Array  # (2, items): variance of these means
    fails: Array  # (2, items): share whom the item failed
    any: Array  # (2,): share with at least one failure
    n: tuple[int, int]
    w: tuple[float, float]
    free: Array  # (2,): effective number of respondents less one
    n_missing: int

    @classmethod
    def collect(
        cls,
        frame: Frame,
        outcome: str,
        names: tuple[str, ...],
        dissatisfied: float,
        cuts: Array,
        weight: str | None,
    ) -> _Sides:
        p = len(names)
        w1, w2, n = np.zeros(2), np.zeros(2), np.zeros(2, dtype=int)
        share, square, cross, fails = np.zeros((4, 2, p))
        some, missing = np.zeros(2), 0
        columns = [*names, outcome] if weight is None else [*names, outcome, weight]
        for block in batches(frame, columns):
            complete = block[~np.isnan(block).any(axis=1)]
            missing += len(block) - len(complete)
            failing = complete[:, :p] <= cuts
            count = failing.sum(axis=1)
            part = failing / np.maximum(count, 1)[:, None]
            w = np.ones(len(complete)) if weight is None else complete[:, p + 1]
            unhappy = complete[:, p] <= dissatisfied
            for side, mask in enumerate((unhappy, ~unhappy)):
                ws, ps = w[mask], part[mask]
                n[side] += int(mask.sum())
                w1[side] += ws.sum()
                w2[side] += ws @ ws
                share[side] += ws @ ps
                cross[side] += ws**2 @ ps
                square[side] += ws**2 @ ps**2
                fails[side] += ws @ failing[mask]
                some[side] += ws @ (count[mask] > 0)
        total = np.where(w1 > 0, w1, np.nan)[:, None]
        mean = share / total
        spread = (square - 2 * mean * cross + mean**2 * w2[:, None]) / total**2
        n_eff = np.divide(w1**2, w2, out=np.zeros(2), where=w2 > 0)  # of equal weights: their number
        # the mean was estimated from the same answers
        inflated = np.where(n_eff > 1, n_eff / np.maximum(n_eff - 1, 1e-9), 1.0)[:, None]
        return cls(
            mean,
            np.maximum(spread, 0.0) * inflated,
            fails / total,
            some / total[:, 0],
            (int(n[0]), int(n[1])),
            (float(w1[0]), float(w1[1])),
            n_eff - 1,
            missing,
        )

    def rows(self, names: tuple[str, ...], level: float) -> list[dict[str, Any]]:
        estimate = self.share[0] - self.share[1]
        se = np.sqrt(self.square.sum(axis=0))
        total = float(estimate.sum())
        free = self.free[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.where(se > 0, estimate / se, np.nan)
            # the dissatisfied are often few: Welch's degrees of freedom
            df = np.where(se > 0, se**4 / (self.square**2 / np.maximum(free, 1e-9)).sum(axis=0), np.inf)
        df = np.where(self.free.min() > 1e-9, df, np.nan)
        half = quantile(level, df) * se
        return [
            {
                "term": name,
                "estimate": estimate[j],
                "share": estimate[j] / total if total > 0 else None,
                "std_error": se[j],
                "statistic": z[j],
                "p_value": float(two_sided_p(z[j], df[j])),
                "conf_low": estimate[j] - half[j],
                "conf_high": estimate[j] + half[j],
                "reach": self.share[0, j],
                "noise": self.share[1, j],
                "failed_dissatisfied": self.fails[0, j],
                "failed_others": self.fails[1, j],
                "n": sum(self.n),
                "n_missing": self.n_missing,
            }
            for j, name in enumerate(names)
        ]

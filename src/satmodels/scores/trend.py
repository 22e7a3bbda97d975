"""Linear trend of a score over periods."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, unknown
from satmodels.results import Result, Table
from satmodels.scores.difference import wald
from satmodels.scores.result import ScoreResult
from satmodels.statistics.counts import sort_key
from satmodels.statistics.intervals import check_level, quantile, two_sided_p

Array = NDArray[np.float64]
MIN_PERIODS = 3
# texts whose alphabetical order is that of time: years, months, days, quarters and halves, weeks
DATED = (
    r"[0-9]{4}",
    r"[0-9]{4}-?[0-9]{2}",
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]*)?",
    r"[0-9]{4}[- ]?[QHS][1-4]",
    r"[0-9]{4}-?W[0-9]{2}",
)


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class TrendResult(Result):
    """Slope of a score per period, one row per segment.

    Attributes
    ----------
    over : str
        The column of periods.
    table : Table
        One row per segment.
    """

    kind: ClassVar[str] = "trend"
    score: str
    over: str
    unit: str
    level: float
    table: Table

    def _tidy(self) -> Table:
        return self.table

    def _glance(self) -> Mapping[str, Any]:
        known = [p for p in self.table["p_value"] if p is not None]
        return {
            "score": self.score,
            "over": self.over,
            "segments": len(self.table),
            "significant": sum(p < 1 - self.level for p in known),
            "level": self.level,
        }


@checked
def trend(
    result: ScoreResult,
    over: str | None = None,
    *,
    order: Sequence[Any] | None = None,
    level: float | None = None,
) -> TrendResult:
    """Estimate the linear trend of a score over its periods.

    Parameters
    ----------
    result : ScoreResult
        A score grouped by periods, and possibly by segments.
    over : str, optional
        By-column of the periods; needed where there are several by-columns.
    order : sequence, optional
        The periods from first to last; one without answers keeps its place. Months, quarters, years and weeks
        (of a Period) keep theirs without it. Numbers, dates and texts such as
        ``"2026-01"``, ``"2026-Q1"`` or ``"2026-W07"`` have an order of their own; other texts need this.
    level : float, optional
        Confidence level; by default that of the result.

    Returns
    -------
    TrendResult
        ``tidy()``: the segment columns, term, estimate (change of the score per period), std_error,
        statistic, p_value, conf_low, conf_high, n, periods, and the p-value ``p_linear`` of the test that
        the periods lie on a line but for sampling error.

    Raises
    ------
    ArgumentError
        There is no such column, fewer than 3 periods, or they have no order.

    Notes
    -----
    Least squares of the period scores on 0, 1, 2, ... with weights 1 / std_error², so the slope's
    standard error is that of sampling alone: (sum w (t - mean t)²)^(-1/2), and z its quantile. A period whose standard error is 0 or unknown is left out.

    Under a design the covariances of the periods enter (the same shops, or with
    ``Design(cluster="respondent")`` the same respondents, in several periods): the standard error is
    (a'Va)^(1/2), with a the coefficients of least squares and V the covariance matrix of the scores, and t has
    the design's degrees of freedom less 1. ``p_linear`` is that of F, Wald's chi-square of the deviations from a line over their number (chi-square itself without a design); None
    where the design has too few clusters for it.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> waves = [[40, 30, 30], [38, 31, 31], [35, 30, 35], [33, 30, 37], [30, 30, 40], [28, 30, 42]]
    >>> frame = pd.DataFrame(
    ...     [(i, a) for i, c in enumerate(waves) for a, k in zip((0, 8, 10), c) for _ in range(k)],
    ...     columns=["wave", "nps"],
    ... )
    >>> sat.trend(sat.nps(frame, "nps", by="wave")).tidy()[["estimate", "p_value"]].values.tolist()
    [[5.000534, 0.011559]]
    """
    over, segments, periods = series_of(result, over, order)
    level = result.level if level is None else check_level(level)
    if len(periods) < MIN_PERIODS:
        raise ArgumentError(f"a trend needs at least {MIN_PERIODS} periods, there are {len(periods)}")
    rows: list[dict[str, Any]] = []
    when = calendar_places(periods) if order is None else list(range(len(periods)))
    for key, places in segments.items():
        dated = [(when[t], i) for t, i in places]
        rows.append({**key_columns(result, over, key), **_slope(result, dated, level)})
    others = [name for name in result.by if name != over]
    names = (
        *others,
        "term",
        *(
            "estimate",
            "std_error",
            "statistic",
            "p_value",
            "conf_low",
            "conf_high",
            "n",
            "periods",
            "p_linear",
        ),
    )
    return TrendResult(
        library=result.library,
        score=result.score,
        over=over,
        unit=result.unit,
        level=level,
        table=Table.from_records(rows, names),
    )


def key_columns(result: ScoreResult, over: str, key: tuple[Any, ...]) -> dict[str, Any]:
    """Return the segment columns of a row."""
    return dict(zip([name for name in result.by if name != over], key, strict=True))


def series_of(
    result: ScoreResult, over: str | None, order: Sequence[Any] | None = None
) -> tuple[str, dict[tuple[Any, ...], list[tuple[int, int]]], list[Any]]:
    """Return the period column, and per segment its (position of the period, row), and the periods."""
    if over is None:
        if len(result.by) != 1:
            raise ArgumentError(f"over=: which of the by-columns {list(result.by)} are the periods?")
        over = result.by[0]
    if over not in result.by:
        raise unknown("by-column of this result", over, result.by)
    table = result.table
    periods = _in_order({v for v in table[over] if v is not None}, over, order)
    position = {v: t for t, v in enumerate(periods)}
    others = [name for name in result.by if name != over]
    segments: dict[tuple[Any, ...], list[tuple[int, int]]] = {}
    for i in range(len(table)):
        if table[over][i] is not None:
            key = tuple(table[name][i] for name in others)
            segments.setdefault(key, []).append((position[table[over][i]], i))
    return over, {key: sorted(places) for key, places in segments.items()}, periods


def _in_order(periods: set[Any], over: str, order: Sequence[Any] | None) -> list[Any]:
    """Bring periods into the order of time, or raise ArgumentError where that is not known."""
    if order is not None:
        given = list(order) if isinstance(order, Iterable) and not isinstance(order, str) else []
        if not given or any(given.count(period) > 1 for period in given):
            raise ArgumentError(f"order={order!r}: give each period once, from first to last")
        if lacking := sorted((p for p in periods if p not in given), key=lambda v: sort_key((v,))):
            raise ArgumentError(f"order= lacks the periods {lacking} of {over!r}")
        return given
    found = sorted(periods, key=lambda v: sort_key((v,)))
    texts = [v for v in found if isinstance(v, str)]
    numbers = [v for v in found if isinstance(v, int | float | Decimal)]
    if texts and not any(all(re.fullmatch(pattern, v) for v in texts) for pattern in DATED):
        raise ArgumentError(
            f"the periods of {over!r} are texts ({', '.join(map(repr, texts[:3]))}, ...), whose alphabetical order "
            "may not be that of time: give order=[first, ..., last], or group by a Period of a date column"
        )
    if 0 < len(texts) < len(found) or 0 < len(numbers) < len(found):
        raise ArgumentError(f"the periods of {over!r} are of several types, {found[:4]}: give order=")
    return found


def calendar_places(periods: Sequence[Any]) -> list[int]:
    """Return the place of each period in time, 0 first: a month, quarter, year or week that is not there leaves a gap.

    Dates that are all the first of a month, or all Mondays, are such periods; any others count one after the other.
    """
    count = list(range(len(periods)))
    if not all(isinstance(p, date) for p in periods):
        return count
    if all(p.day == 1 for p in periods):
        number = [12 * p.year + p.month for p in periods]
    elif all(p.weekday() == 0 for p in periods):
        number = [p.toordinal() for p in periods]
    else:
        return count
    step = math.gcd(*(b - a for a, b in pairwise(number))) or 1
    return [(n - number[0]) // step for n in number]


def _slope(result: ScoreResult, places: Sequence[tuple[int, int]], level: float) -> dict[str, Any]:
    table = result.table
    use = [(t, i) for t, i in places if table["std_error"][i]]
    row: dict[str, Any] = {"term": "slope", "n": sum(table["n"][i] for _, i in places), "periods": len(use)}
    if len(use) < MIN_PERIODS:
        return row
    rows = [i for _, i in use]
    t = np.array([t for t, _ in use], dtype=float)
    y = np.array([table["estimate"][i] for i in rows], dtype=float)
    variance = np.array([table["std_error"][i] for i in rows], dtype=float) ** 2
    covariance = np.diag(variance)
    if result.covariance is not None:
        covariance = np.array(result.covariance)[np.ix_(rows, rows)]
    w = 1 / variance
    centred = t - w @ t / w.sum()
    a = w * centred / float(w @ centred**2)  # the slope is a'y
    slope, error = float(a @ y), math.sqrt(max(float(a @ covariance @ a), 0.0))
    # independent periods, or those of one sample under a design
    df = result.design_df - 1 if result.linearised else math.inf
    known = error > 0 and df >= 1
    half = float(quantile(level, df)) * error if known else math.nan
    return {
        **row,
        "estimate": slope,
        "std_error": error,
        "statistic": slope / error if known else None,
        "p_value": float(two_sided_p(slope / error, df)) if known else None,
        "conf_low": slope - half,
        "conf_high": slope + half,
        "p_linear": _p_of_deviations(
            t, y, covariance, math.inf if result.covariance is None else result.design_df
        ),
    }


def _p_of_deviations(t: Array, y: Array, covariance: Array, design_df: float) -> float | None:
    """Test that the scores lie on a line, by Wald's chi-square of their deviations from any line."""
    line = np.column_stack([np.ones(len(t)), t])
    contrast = np.linalg.svd(line)[0][:, 2:].T  # orthogonal to every line
    found = wald(contrast @ y, contrast @ covariance @ contrast.T)
    df = len(t) - 2
    if found is None or design_df - df < 1:
        return None
    if math.isinf(design_df):
        return float(special.chdtrc(df, found))
    return float(special.fdtrc(df, design_df - df, found / df))

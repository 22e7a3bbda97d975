"""Linear trend of a score over periods."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, unknown
from satmodels.results import Result, Table
from satmodels.scores.result import ScoreResult
from satmodels.statistics.counts import sort_key
from satmodels.statistics.intervals import check_level, quantile, two_sided_p

Array = NDArray[np.float64]
MIN_PERIODS = 3


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


def trend(result: ScoreResult, over: str | None = None, *, level: float | None = None) -> TrendResult:
    """Estimate the linear trend of a score over its periods.

    Parameters
    ----------
    result : ScoreResult
        A score grouped by periods, and possibly by segments.
    over : str, optional
        By-column of the periods, in sorting order; needed where there are several by-columns.
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
        There is no such column, or fewer than 3 periods.

    Notes
    -----
    Least squares of the period scores on 0, 1, 2, ... with weights 1 / std_error², so the slope's
    standard error is that of sampling alone: (sum w (t - mean t)²)^(-1/2). Periods without an answer keep
    their place. A period whose standard error is 0 or unknown is left out.

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
    over, segments, periods = series_of(result, over)
    level = result.level if level is None else check_level(level)
    if len(periods) < MIN_PERIODS:
        raise ArgumentError(f"a trend needs at least {MIN_PERIODS} periods, there are {len(periods)}")
    rows: list[dict[str, Any]] = []
    for key, places in segments.items():
        rows.append({**key_columns(result, over, key), **_slope(result, places, level)})
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
    result: ScoreResult, over: str | None
) -> tuple[str, dict[tuple[Any, ...], list[tuple[int, int]]], list[Any]]:
    """Return the period column, and per segment its (position of the period, row), and the periods."""
    if not isinstance(result, ScoreResult):
        raise ArgumentError(f"a score grouped by periods is needed, not {type(result).__name__}")
    if over is None:
        if len(result.by) != 1:
            raise ArgumentError(f"over=: which of the by-columns {list(result.by)} are the periods?")
        over = result.by[0]
    if over not in result.by:
        raise unknown("by-column of this result", over, result.by)
    table = result.table
    periods = sorted({v for v in table[over] if v is not None}, key=lambda v: sort_key((v,)))
    position = {v: t for t, v in enumerate(periods)}
    others = [name for name in result.by if name != over]
    segments: dict[tuple[Any, ...], list[tuple[int, int]]] = {}
    for i in range(len(table)):
        if table[over][i] is not None:
            key = tuple(table[name][i] for name in others)
            segments.setdefault(key, []).append((position[table[over][i]], i))
    return over, {key: sorted(places) for key, places in segments.items()}, periods


def _slope(result: ScoreResult, places: Sequence[tuple[int, int]], level: float) -> dict[str, Any]:
    from scipy import special

    table = result.table
    use = [(t, i) for t, i in places if table["std_error"][i]]
    row: dict[str, Any] = {"term": "slope", "n": sum(table["n"][i] for _, i in places), "periods": len(use)}
    if len(use) < MIN_PERIODS:
        return row
    t = np.array([t for t, _ in use], dtype=float)
    y = np.array([table["estimate"][i] for _, i in use], dtype=float)
    w = 1 / np.array([table["std_error"][i] for _, i in use], dtype=float) ** 2
    t_mean, y_mean = w @ t / w.sum(), w @ y / w.sum()
    sxx = float(w @ (t - t_mean) ** 2)
    slope = float(w @ ((t - t_mean) * (y - y_mean))) / sxx
    error = sxx**-0.5
    rest = y - y_mean - slope * (t - t_mean)
    half = float(quantile(level)) * error
    return {
        **row,
        "estimate": slope,
        "std_error": error,
        "statistic": slope / error,
        "p_value": float(two_sided_p(slope / error)),
        "conf_low": slope - half,
        "conf_high": slope + half,
        "p_linear": float(special.chdtrc(len(use) - 2, float(w @ rest**2))),
    }

"""Control charts: which periods of a score are out of the ordinary, and by which rule."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, as_number, check_word
from satmodels.results import Result, Table
from satmodels.scores.result import ScoreResult
from satmodels.scores.trend import MIN_PERIODS, key_columns, series_of
from satmodels.statistics.counts import as_names

Array = NDArray[np.float64]
SIGMAS = 3.0  # Shewhart's control limits
MOVING_RANGE = 1.128  # expected range of two normal values, in standard deviations (d2 of n = 2)
RULES = ("beyond", "run", "two_of_three", "four_of_five")
DEFAULT_RULES = ("beyond", "run")
RUN = 8  # periods in a row on one side of the centre (Western Electric 1956)
CHARTS = ("auto", "p", "u", "x", "individuals")


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class ControlResult(Result):
    """A control chart: each period with its limits and the rules it breaks.

    Attributes
    ----------
    over : str
        The column of periods.
    chart : str
        "p", "u", "x" or "individuals".
    table : Table
        One row per segment and period.
    """

    kind: ClassVar[str] = "control"
    score: str
    over: str
    by: tuple[str, ...]
    unit: str
    chart: str
    rules: tuple[str, ...]
    table: Table

    def _tidy(self) -> Table:
        return self.table

    def _glance(self) -> Mapping[str, Any]:
        return {
            "score": self.score,
            "over": self.over,
            "chart": self.chart,
            "periods": len(set(self.table[self.over])),
            "alerts": sum(self.table["alert"]),
        }

    def alerts(self) -> Any:
        """Return the periods that break a rule, as a dataframe with the columns of :meth:`tidy`."""
        rows = [row for row in self.table.rows() if row["alert"]]
        return self.library.build(Table.from_records(rows, self.table.names).columns())


@checked
def control_chart(
    result: ScoreResult,
    over: str | None = None,
    *,
    order: Sequence[Any] | None = None,
    chart: str = "auto",
    baseline: int | None = None,
    rules: Sequence[str] = DEFAULT_RULES,
    sigmas: float = SIGMAS,
) -> ControlResult:
    """Compare each period of a score with what the other periods lead one to expect.

    Parameters
    ----------
    result : ScoreResult
        A score (or rate) grouped by periods, and possibly by segments; each segment has its own chart.
    over : str, optional
        By-column of the periods; needed where there are several by-columns.
    order : sequence, optional
        The periods from first to last, as in :func:`satmodels.trend`.
    chart : {"auto", "p", "u", "x", "individuals"}, default "auto"
        - ``"p"``: percentages, limits p ± 3 sqrt(p (1 - p) / n);
        - ``"u"``: rates, limits u ± 3 sqrt(u / exposure);
        - ``"x"``: net scores, means and indexes, limits from the pooled variance of single answers;
        - ``"individuals"``: any score, limits from the moving range of the periods, which holds where
          periods differ by more than sampling error.

        ``"auto"`` takes the first of the three that fits the score. With weights or a design, n is the
        effective number of answers.
    baseline : int, optional
        Number of first periods that give centre and limits; by default all.
    rules : sequence of {"beyond", "run", "two_of_three", "four_of_five"}, default ("beyond", "run")
        A point beyond the limits; 8 in a row on one side of the centre; two of three beyond 2/3 of the
        limits on one side; four of five beyond 1/3 (Western Electric 1956). More rules find smaller
        changes, and cry wolf more often.
    sigmas : float, default 3
        Distance of the limits from the centre in standard errors.

    Returns
    -------
    ControlResult
        ``tidy()``: the segment columns, the period, term, estimate, n, centre, lower, upper, z (distance
        from the centre in standard errors), alert and signals; ``alerts()``: only the periods that break
        a rule.

    Raises
    ------
    ArgumentError
        There is no such column or rule, the chart does not fit the score, or there are fewer than 3
        periods in the baseline.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> frame = pd.DataFrame(
    ...     [(m, int(k < s)) for m, s in enumerate([80, 82, 79, 81, 60, 80]) for k in range(100)],
    ...     columns=["month", "satisfied"],
    ... )
    >>> chart = sat.control_chart(sat.csat(frame, "satisfied", top=1, scale=(0, 1), by="month"))
    >>> chart.alerts()[["month", "estimate", "signals"]].values.tolist()
    [[4, 60.0, 'below the limits']]
    """
    over, segments, periods = series_of(result, over, order)
    kind = _chart(result, chart)
    for rule in as_names(rules):
        check_word("rules", rule, RULES)
    if as_number("sigmas", sigmas, low=0) == 0:
        raise ArgumentError(f"sigmas={sigmas!r} is above 0")
    first = len(periods) if baseline is None else as_number("baseline", baseline)
    if first != int(first) or not MIN_PERIODS <= first <= len(periods):
        raise ArgumentError(
            f"the limits need a baseline of at least {MIN_PERIODS} periods, of {len(periods)} there are"
        )
    rows: list[dict[str, Any]] = []
    for key, places in segments.items():
        rows += _chart_rows(result, over, key, places, kind, int(first), as_names(rules), sigmas)
    others = tuple(name for name in result.by if name != over)
    names = (*others, over, "term", "estimate", "n", "centre", "lower", "upper", "z", "alert", "signals")
    return ControlResult(
        library=result.library,
        score=result.score,
        over=over,
        by=others,
        unit=result.unit,
        chart=kind,
        rules=as_names(rules),
        table=Table.from_records(rows, names),
    )


def _chart(result: ScoreResult, chart: str) -> str:
    check_word("chart", chart, CHARTS)
    fitting = {"percent": "p", "rate": "u"}.get(result.unit, "x")
    if chart == "auto":
        return fitting
    if chart not in (fitting, "individuals"):
        raise ArgumentError(
            f'a {result.score} in {result.unit} has a chart "{fitting}" or "individuals", not "{chart}"'
        )
    return chart


def _chart_rows(
    result: ScoreResult,
    over: str,
    key: tuple[Any, ...],
    places: Sequence[tuple[int, int]],
    kind: str,
    baseline: int,
    rules: tuple[str, ...],
    sigmas: float,
) -> list[dict[str, Any]]:
    table = result.table
    use = [(t, i) for t, i in places if table["n"][i] and table["estimate"][i] is not None]
    y = np.array([table["estimate"][i] for _, i in use], dtype=float)
    size = np.array([_size(result, i) for _, i in use], dtype=float)
    inside = np.array([t < baseline for t, _ in use], dtype=bool)
    if inside.sum() < 2:  # nothing to expect from
        centre, sigma = np.nan, np.full(len(use), np.nan)
    else:
        centre, sigma = _expected(result, kind, y, size, inside, [i for _, i in use])
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(sigma > 0, (y - centre) / sigma, np.where(y == centre, 0.0, np.nan))
    # where no spread is expected at all, any other value is beyond the limits, and has no z
    beyond = np.where(y > centre, np.inf, -np.inf)
    signals = _signals(np.where((sigma == 0) & (y != centre), beyond, z), rules, sigmas)
    low, high = result.limits
    rows: list[dict[str, Any]] = []
    for k, (_, i) in enumerate(use):
        rows.append(
            {
                **key_columns(result, over, key),
                over: table[over][i],
                "term": result.score,
                "estimate": float(y[k]),
                "n": table["n"][i],
                "centre": float(centre),
                "lower": float(max(centre - sigmas * sigma[k], low)),
                "upper": float(min(centre + sigmas * sigma[k], high)),
                "z": float(z[k]),
                "alert": bool(signals[k]),
                "signals": "; ".join(signals[k]),
            }
        )
    return rows


def _size(result: ScoreResult, i: int) -> float:
    """Return what a period's estimate rests on: exposure, effective number of answers, or answers."""
    table = result.table
    if "exposure" in table:
        return table["exposure"][i]
    if not result.linearised:
        return float(table["n"][i])
    error = table["std_error"][i]
    # answers that are all alike show no spread: then the weights alone say what they are worth
    return result.spread[i] / error**2 if error else float(table["n_eff"][i])


def _expected(
    result: ScoreResult, kind: str, y: Array, size: Array, inside: NDArray[np.bool_], rows: Sequence[int]
) -> tuple[float, Array]:
    """Return the centre, and the standard error of each period about it."""
    if kind == "individuals":
        base = y[inside]
        sigma = float(np.abs(np.diff(base)).mean()) / MOVING_RANGE
        return float(base.mean()), np.full(len(y), sigma)
    centre = float(size[inside] @ y[inside] / size[inside].sum())
    if kind == "p":
        return centre, np.sqrt(max(centre * (100 - centre), 0.0) / size)
    if kind == "u":
        return centre, np.sqrt(max(centre, 0.0) / size)
    spread = np.array([result.spread[i] for i in rows], dtype=float)
    pooled = float(size[inside] @ spread[inside] / max(size[inside].sum() - inside.sum(), 1.0))
    return centre, np.sqrt(pooled / size)


def _signals(z: Array, rules: tuple[str, ...], sigmas: float) -> list[list[str]]:
    found: list[list[str]] = [[] for _ in z]
    for name, sign in (("above", 1.0), ("below", -1.0)):
        side = sign * np.nan_to_num(z, posinf=np.inf, neginf=-np.inf)
        if "beyond" in rules:
            for k in np.flatnonzero(side > sigmas):
                found[k].append(f"{name} the limits")
        for rule, window, least, reach, said in (
            ("run", RUN, RUN, 0.0, f"{RUN} in a row {name} the centre"),
            ("two_of_three", 3, 2, sigmas * 2 / 3, f"2 of 3 far {name}"),
            ("four_of_five", 5, 4, sigmas / 3, f"4 of 5 {name}"),
        ):
            if rule in rules:
                out = side > reach
                for k in range(window - 1, len(z)):
                    if out[k] and out[k - window + 1 : k + 1].sum() >= least:
                        found[k].append(said)
    return found

"""Figures of scores: estimates with their intervals by group, over time, or as a distribution."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from textwrap import shorten
from typing import Any

from satmodels.errors import ArgumentError
from satmodels.plots.style import BAD, COLOURS, GOOD, MUTED, NEUTRAL, new_figure, plain_text, styled
from satmodels.scores.result import ScoreResult
from satmodels.statistics.counts import ScoreCounts

MAX_ROWS = 60  # more groups than this can't be read in one figure
MAX_LINES = len(COLOURS)
MAX_BANDS = 4  # more bands than this hide each other
TITLES = {
    "nps": "Net promoter score",
    "csat": "Customer satisfaction",
    "top_box": "Top box",
    "ces": "Customer effort score",
    "csi": "Customer satisfaction index",
    "mean": "Mean answer",
}
UNITS = {"points": "points", "percent": "percent", "scale": "mean on the scale"}


@styled
def score_figure(result: ScoreResult, *, over: str | None = None, title: str | None = None) -> Any:
    """Draw a score with its confidence intervals.

    Parameters
    ----------
    result : ScoreResult
        Any score. Without groups its distribution of answers is drawn, where it has one.
    over : str, optional
        By-column to draw along the horizontal axis as a line; by default a column of dates, if there
        is one. The other by-columns become lines.
    title : str, optional
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    title = title or f"{score_name(result.score)}: {shorten(result.item, 50)}"
    if over is not None and over not in result.by:
        raise ArgumentError(f"over={over!r}: the score is grouped by {list(result.by)}")
    over = over or next((name for name in result.by if _is_time(result.table[name])), None)
    if over is not None:
        return _over_time(result, over, title)
    if not result.by and result.counts is not None:
        return _distribution(result, result.counts, title)
    return _by_group(result, title)


def score_name(score: str) -> str:
    """Return the name of a score as a title has it."""
    return TITLES.get(score, score.replace("_", " ").capitalize())


def _is_time(values: Sequence[Any]) -> bool:
    known = [v for v in values if v is not None]
    return bool(known) and all(
        isinstance(v, date | datetime)
        or (isinstance(v, str) and len(v) >= 6 and v[:4].isdigit() and v[4] == "-")
        for v in known
    )


def _name(value: Any) -> str:
    return "missing" if value is None else plain_text(value)


def _axis_label(result: ScoreResult) -> str:
    return f"{UNITS.get(result.unit, result.unit)}, with {result.level:.0%} interval"


def _bars(low: Any, mid: Any, high: Any) -> tuple[float, float]:
    return (0.0 if low is None else mid - low, 0.0 if high is None else high - mid)


def _by_group(result: ScoreResult, title: str) -> Any:
    table = result.table
    rows = [i for i in range(len(table)) if table["estimate"][i] is not None][:MAX_ROWS]
    left_out = len(table) - len(rows)
    figure = new_figure(7.0, max(2.2, 1.4 + 0.3 * len(rows)))
    axes = figure.add_subplot()
    for place, i in enumerate(rows):
        mid, low, high = (table[c][i] for c in ("estimate", "conf_low", "conf_high"))
        axes.errorbar(
            [mid], [place], xerr=[[v] for v in _bars(low, mid, high)], fmt="o", color=COLOURS[0], capsize=3
        )
        axes.annotate(
            f"n = {table['n'][i]:,}",
            (1.01, place),
            xycoords=("axes fraction", "data"),
            color=MUTED,
            va="center",
        )
    labels = [" / ".join(_name(table[c][i]) for c in result.by) or plain_text(result.item) for i in rows]
    axes.set_yticks(range(len(rows)), labels)
    axes.set_ylim(max(len(rows), 1) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(_axis_label(result) + (f"; {left_out} groups not shown" if left_out else ""))
    axes.set_title(plain_text(title))
    return figure


def _over_time(result: ScoreResult, over: str, title: str) -> Any:
    table = result.table
    others = [name for name in result.by if name != over]
    lines: dict[tuple[Any, ...], list[int]] = {}
    for i in range(len(table)):
        if table[over][i] is not None and table["estimate"][i] is not None:
            lines.setdefault(tuple(table[c][i] for c in others), []).append(i)
    figure = new_figure(7.5, 4.2)
    axes = figure.add_subplot()
    times = sorted({table[over][i] for rows in lines.values() for i in rows})
    places = {t: k for k, t in enumerate(times)}
    for k, (key, rows) in enumerate(list(lines.items())[:MAX_LINES]):
        x = [places[table[over][i]] for i in rows]
        mid = [table["estimate"][i] for i in rows]
        low, high = (
            [m if table[c][i] is None else table[c][i] for i, m in zip(rows, mid, strict=True)]
            for c in ("conf_low", "conf_high")
        )
        axes.plot(x, mid, "o-", color=COLOURS[k], label=" / ".join(_name(v) for v in key), markersize=4)
        if len(lines) <= MAX_BANDS:
            axes.fill_between(x, low, high, color=COLOURS[k], alpha=0.15, linewidth=0)
    step = max(1, len(times) // 12)
    axes.set_xticks(range(0, len(times), step), [_name(t) for t in times[::step]], rotation=30, ha="right")
    left_out = max(0, len(lines) - MAX_LINES)
    axes.set_ylabel(_axis_label(result) + (f"; {left_out} groups not shown" if left_out else ""))
    axes.set_title(plain_text(title))
    if others and lines:
        axes.legend(title=plain_text(" / ".join(others)))
    return figure


def _distribution(result: ScoreResult, counts: ScoreCounts, title: str) -> Any:
    figure = new_figure(7.0, 3.6)
    axes = figure.add_subplot()
    total = float(counts.w.sum()) or 1.0
    share = 100 * counts.w.sum(axis=0) / total
    colours = [_colour(result, v) for v in result.worth]
    axes.bar(range(len(counts.values)), share, color=colours, width=0.8)
    axes.set_xticks(range(len(counts.values)), [f"{v + 0.0:g}" for v in counts.values])
    axes.grid(visible=False, axis="x")
    axes.set_ylabel("percent of answers")
    if result.estimate is not None:
        limits = (
            ""
            if result.conf_low is None
            else f" ({result.level:.0%} interval {result.conf_low:.1f} to {result.conf_high:.1f})"
        )
        axes.set_xlabel(f"{result.estimate:.1f} {UNITS.get(result.unit, '')}{limits}, n = {result.n:,}")
    axes.set_title(plain_text(title))
    return figure


def _colour(result: ScoreResult, worth: float) -> str:
    if result.unit == "scale":
        return COLOURS[0]
    return GOOD if worth > 0 else BAD if worth < 0 else NEUTRAL

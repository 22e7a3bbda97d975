"""Figures of service quality by dimension: gaps, perceptions, and the zone of tolerance."""

from __future__ import annotations

from typing import Any

from satmodels.errors import ArgumentError
from satmodels.plots.style import BAD, COLOURS, GOOD, GRID, MUTED, new_figure, plain_text, styled
from satmodels.scores.servqual import ServqualResult
from satmodels.scores.tolerance import ToleranceResult

MAX_ROWS = 60


@styled
def servqual_figure(result: ServqualResult, *, items: bool = False, title: str | None = None) -> Any:
    """Draw each dimension (or, with ``items=True``, each item) with its interval; of gaps also the zero line."""
    table = result.item_table if items else result.table
    rows = [i for i in range(len(table)) if table["estimate"][i] is not None][:MAX_ROWS]
    figure = new_figure(7.0, max(2.2, 1.4 + 0.3 * len(rows)))
    axes = figure.add_subplot()
    gaps = result.score == "servqual"
    if gaps:
        axes.axvline(0, color=MUTED, linewidth=1)
    for place, i in enumerate(rows):
        mid, low, high = (table[c][i] for c in ("estimate", "conf_low", "conf_high"))
        colour = (GOOD if mid > 0 else BAD) if gaps else COLOURS[0]
        around = None if low is None else [[mid - low], [high - mid]]
        axes.errorbar([mid], [place], xerr=around, fmt="o", color=colour, capsize=3)
    names = [*result.by, "term"]
    axes.set_yticks(range(len(rows)), [" / ".join(_name(table[c][i]) for c in names) for i in rows])
    axes.set_ylim(max(len(rows), 1) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    what = "perception less expectation" if gaps else "perception"
    axes.set_xlabel(f"{what}, with {result.level:.0%} interval")
    axes.set_title(plain_text(title or ("Gaps of service quality" if gaps else "Perceived service quality")))
    return figure


@styled
def tolerance_figure(result: ToleranceResult, *, title: str | None = None) -> Any:
    """Draw the zone of tolerance of each dimension, from the minimum to the desired service, and the perception."""
    table = result.table
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in table.rows():
        key = (*(row[name] for name in result.by), row["term"])
        rows.setdefault(key, {})[row["measure"]] = row["estimate"]
    shown = [(k, v) for k, v in rows.items() if None not in v.values()][:MAX_ROWS]
    if not shown:
        raise ArgumentError("no dimension has an answer, so there is no zone to draw")
    figure = new_figure(7.0, max(2.2, 1.4 + 0.35 * len(shown)))
    axes = figure.add_subplot()
    for place, (_, values) in enumerate(shown):
        axes.barh([place], [values["width"]], color=GRID, edgecolor=MUTED, height=0.6)
        inside = 0 <= values["adequacy"] <= values["width"]
        colour = BAD if values["adequacy"] < 0 else COLOURS[0] if inside else GOOD
        axes.plot([values["adequacy"]], [place], "D", color=colour)
    axes.set_yticks(range(len(shown)), [" / ".join(_name(k) for k in key) for key, _ in shown])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("steps of the scale above the minimum; bar: zone of tolerance, point: perception")
    axes.set_title(plain_text(title or "Zone of tolerance"))
    return figure


def _name(value: Any) -> str:
    return "missing" if value is None else plain_text(value)

"""Figure of behaviour and service indicators: one panel per unit, with intervals."""

from __future__ import annotations

from typing import Any

from satmodels.errors import ArgumentError
from satmodels.plots.style import COLOURS, new_figure, plain_text, styled
from satmodels.scores.indicators import IndicatorResult

MAX_ROWS = 60  # in all panels together


@styled
def indicator_figure(result: IndicatorResult, *, title: str | None = None) -> Any:
    """Draw indicators with their intervals; those in the same unit share an axis."""
    panels: dict[str, list[dict[str, Any]]] = {}
    for row in list(result.table.rows())[:MAX_ROWS]:
        if row["estimate"] is not None:
            unit = "percent" if row["type"] == "proportion" else row["unit"]
            panels.setdefault(unit, []).append(row)
    if not panels:
        raise ArgumentError("there is no indicator to draw")
    heights = [len(rows) + 1.5 for rows in panels.values()]
    figure = new_figure(7.0, max(2.4, 0.6 + 0.34 * sum(heights)))
    axes_of = figure.subplots(len(panels), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for axes, (unit, rows) in zip(axes_of, panels.items(), strict=True):
        for place, row in enumerate(rows):
            mid, low, high = row["estimate"], row["conf_low"], row["conf_high"]
            around = None if low is None or high is None else [[max(mid - low, 0)], [max(high - mid, 0)]]
            axes.errorbar([mid], [place], xerr=around, fmt="o", color=COLOURS[0], capsize=3)
        names = [
            " / ".join("missing" if row[c] is None else plain_text(row[c]) for c in (*result.by, "term"))
            for row in rows
        ]
        axes.set_yticks(range(len(rows)), [name.replace("_", " ") for name in names])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(plain_text(unit))
    figure.suptitle(plain_text(title or f"Indicators, with {result.level:.0%} interval"), fontweight="bold")
    return figure

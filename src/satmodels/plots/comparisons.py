"""Figures of differences, trends and control charts of scores."""

from __future__ import annotations

from typing import Any

from satmodels.plots.scores import UNITS, score_name
from satmodels.plots.style import BAD, COLOURS, GOOD, MUTED, new_figure, plain_text, styled
from satmodels.scores.compare import CompareResult
from satmodels.scores.control import ControlResult
from satmodels.scores.trend import TrendResult

MAX_ROWS = 60  # more differences than this can't be read in one figure
MAX_CHARTS = 12  # segments drawn as panels


@styled
def comparison_figure(result: CompareResult, *, title: str | None = None) -> Any:
    """Draw differences with their intervals; those that stay significant after adjustment are coloured."""
    return _forest(result, title or f"{score_name(result.score)}: differences", 1 - result.level)


@styled
def trend_figure(result: TrendResult, *, title: str | None = None) -> Any:
    """Draw the slope of each segment with its interval."""
    return _forest(result, title or f"{score_name(result.score)}: change per {result.over}", 1 - result.level)


def _forest(result: CompareResult | TrendResult, title: str, alpha: float) -> Any:
    table = result._tidy()
    known = [i for i in range(len(table)) if table["conf_low"][i] is not None]
    rows = known[:MAX_ROWS]
    names = table.names[: table.names.index("estimate")]
    p_column = "p_adjusted" if "p_adjusted" in table else "p_value"
    figure = new_figure(7.0, max(2.2, 1.4 + 0.3 * len(rows)))
    axes = figure.add_subplot()
    axes.axvline(0, color=MUTED, linewidth=1)
    for place, i in enumerate(rows):
        mid, low, high = (table[c][i] for c in ("estimate", "conf_low", "conf_high"))
        p = table[p_column][i]
        colour = MUTED if p is None or p >= alpha else GOOD if mid > 0 else BAD
        axes.errorbar([mid], [place], xerr=[[mid - low], [high - mid]], fmt="o", color=colour, capsize=3)
    labels = [
        " / ".join(plain_text("missing" if table[c][i] is None else table[c][i]) for c in names) for i in rows
    ]
    axes.set_yticks(range(len(rows)), labels)
    axes.set_ylim(max(len(rows), 1) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    left_out = len(table) - len(rows)
    axes.set_xlabel(
        f"{UNITS.get(result.unit, result.unit)}, with {result.level:.0%} interval; coloured: p < {alpha:.2g}"
        + (f"; {left_out} rows not shown" if left_out else "")
    )
    axes.set_title(plain_text(title))
    return figure


@styled
def control_figure(result: ControlResult, *, title: str | None = None) -> Any:
    """Draw each segment's periods between their control limits; alerts are marked."""
    table = result.table
    segments: dict[tuple[Any, ...], list[int]] = {}
    for i in range(len(table)):
        segments.setdefault(tuple(table[name][i] for name in result.by), []).append(i)
    shown = list(segments.items())[:MAX_CHARTS]
    figure = new_figure(7.5, max(3.2, 0.8 + 2.2 * len(shown)))
    panels = figure.subplots(max(len(shown), 1), 1, squeeze=False)[:, 0]
    for axes, (key, rows) in zip(panels, shown, strict=False):
        x = list(range(len(rows)))
        axes.plot(x, [table["estimate"][i] for i in rows], "o-", color=COLOURS[0], markersize=4)
        axes.step(x, [table["centre"][i] for i in rows], where="mid", color=MUTED, linewidth=1)
        for limit in ("lower", "upper"):
            axes.step(
                x, [table[limit][i] for i in rows], where="mid", color=MUTED, linestyle="--", linewidth=1
            )
        out = [k for k, i in enumerate(rows) if table["alert"][i]]
        axes.plot(out, [table["estimate"][rows[k]] for k in out], "o", color=BAD, markersize=8)
        step = max(1, len(rows) // 12)
        axes.set_xticks(
            x[::step], [plain_text(table[result.over][i]) for i in rows[::step]], rotation=30, ha="right"
        )
        axes.set_ylabel(UNITS.get(result.unit, result.unit))
        if key:
            name = " / ".join(plain_text("missing" if v is None else v) for v in key)
            axes.set_title(name, fontsize=10, fontweight="normal")
    left_out = len(segments) - len(shown)
    figure.suptitle(
        plain_text(title or f"{score_name(result.score)}: control chart")
        + (f" ({left_out} segments not shown)" if left_out else ""),
        fontweight="bold",
        x=0.01,
        ha="left",
    )
    return figure

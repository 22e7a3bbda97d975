"""Kano figures of groups and waves: where segments differ, and what changed."""

from __future__ import annotations

from typing import Any

import numpy as np

from satmodels.kano_model.segments import KanoChangesResult, KanoSegmentsResult
from satmodels.plots.style import COLOURS, MUTED, NEUTRAL, new_figure, plain_text, styled


@styled
def segments_figure(result: KanoSegmentsResult, *, title: str | None = None) -> Any:
    """Draw how strongly groups differ in each feature (Cramér's V), the strongest on top.

    Beside each bar stand the classes of the groups, in the order of the groups in the analysis.
    """
    rows = [r for r in result.estimates.rows() if r["cramers_v"] is not None]
    rows.sort(key=lambda r: r["cramers_v"])
    figure = new_figure(7.4, 1.7 + 0.32 * max(len(rows), 1))
    axes = figure.add_subplot()
    places = np.arange(len(rows))
    values = [r["cramers_v"] for r in rows]
    axes.barh(places, values, height=0.68, color=[COLOURS[1] if r["differ"] else NEUTRAL for r in rows])
    for place, row in zip(places, rows, strict=True):
        axes.text(row["cramers_v"], place, f"  {row['categories']}", va="center", fontsize=9)
    axes.set_yticks(places, [plain_text(r["feature"]) for r in rows])
    axes.set_xlim(0, max([*values, 0.1]) * 1.2)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("Cramér's V: 0 the same in all groups, 1 as different as can be")
    by = plain_text(", ".join(result.by))
    axes.set_title(title or f"Which features do groups ({by}) see differently?")
    _legend(figure, {f"differ (Holm, {result.level:.0%})": COLOURS[1], "may be chance": NEUTRAL})
    return figure


@styled
def changes_figure(result: KanoChangesResult, *, title: str | None = None) -> Any:
    """Draw the change of better and of |worse| between two waves with limits, and the classes before and after."""
    rows = list(result.estimates.rows())[::-1]
    figure = new_figure(9.0, 1.9 + 0.34 * len(rows))
    places = np.arange(len(rows))
    first = None
    for k, (name, sign, words) in enumerate(
        (("better", 1, "better: satisfaction when there"), ("worse", -1, "|worse|: dissatisfaction when not"))
    ):
        axes = figure.add_subplot(1, 2, k + 1, sharex=first, sharey=first)
        first = first or axes
        for place, row in zip(places, rows, strict=True):
            change = row[f"{name}_change"]
            if change is None or not np.isfinite(change):
                continue
            colour = COLOURS[1] if row["changed"] else NEUTRAL
            ends = [sign * row[f"{name}_low"], sign * row[f"{name}_high"]]
            axes.plot(ends, [place, place], color=colour, lw=1.6)
            axes.plot(sign * change, place, "o", ms=6, color=colour)
        axes.axvline(0, color=MUTED, lw=0.9)
        axes.grid(axis="y", visible=False)
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel(f"change of {words}")
        if k:
            axes.tick_params(labelleft=False)
        else:
            axes.set_yticks(places, [_name(r) for r in rows])
    figure.suptitle(title or "What changed between the waves", fontweight="bold", x=0.01, ha="left")
    _legend(figure, {f"changed (Holm, {result.level:.0%})": COLOURS[1], "may be chance": NEUTRAL})
    return figure


def _name(row: dict[str, Any]) -> str:
    before, after = row["before"] or "-", row["after"] or "-"
    return f"{plain_text(row['feature'])}  [{before if before == after else f'{before} → {after}'}]"


def _legend(figure: Any, marks: dict[str, str]) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(color=colour, label=name) for name, colour in marks.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=8.5)

"""Kano figures: the better/worse map, stacked categories, the continuous diagram."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from satmodels.errors import ArgumentError, check_word
from satmodels.kano_model.continuous import KanoContinuousResult
from satmodels.kano_model.result import KanoResult
from satmodels.kano_model.tables import CATEGORIES, CATEGORY_NAMES
from satmodels.plots.labels import place_labels
from satmodels.plots.style import COLOURS, GRID, INK, MUTED, new_figure, plain_text, styled

# one colour per category in every Kano figure
CATEGORY_COLOURS: Mapping[str | None, str] = {
    "A": COLOURS[2],
    "O": COLOURS[0],
    "M": COLOURS[1],
    "I": COLOURS[6],
    "R": COLOURS[3],
    "Q": "#d9dde2",
    None: MUTED,
}
VIEWS = ("quadrant", "bars")
CUT = 0.5  # of both coefficients: the usual cross-hairs of the map
MAX_PANELS = 6


@styled
def kano_figure(result: KanoResult, *, view: str = "quadrant", title: str | None = None) -> Any:
    """Draw a Kano analysis.

    Parameters
    ----------
    result : KanoResult
        At most six groups.
    view : str, default "quadrant"
        ``"quadrant"``: better against worse, with their limits; ``"bars"``: how the answers fall into
        the categories.
    title : str, optional
        Title of the figure.
    """
    check_word("view", view, VIEWS)
    panels = _panels(result)
    draw = _quadrant if view == "quadrant" else _bars
    rows = list(result.estimates.rows())
    features = len(result.counts.features)
    columns = min(len(panels), 2)
    deep = -(-len(panels) // columns)
    size = 0.06 * min(features, 40)
    width, height = (6.4 + size, 5.2 + size) if view == "quadrant" else (8.0, 1.6 + 0.32 * features)
    figure = new_figure(width * (1 if columns == 1 else 1.7), height * deep)
    for k, (name, key) in enumerate(panels):
        axes = figure.add_subplot(deep, columns, k + 1)
        axes.set_title(name or title or "", fontsize=11 if name else 12)
        draw(axes, [row for row in rows if tuple(row[b] for b in result.by) == key])
    _legend(figure, rows, view)
    if title and panels[0][0]:
        figure.suptitle(title, fontweight="bold", x=0.01, ha="left")
    if view == "quadrant":
        for axes, (_, key) in zip(figure.axes, panels, strict=True):
            shown = [r for r in rows if tuple(r[b] for b in result.by) == key and r["better"] is not None]
            if shown:
                place_labels(
                    axes,
                    [-r["worse"] for r in shown],
                    [r["better"] for r in shown],
                    [str(r["feature"]) for r in shown],
                )
    return figure


@styled
def continuous_figure(result: KanoContinuousResult, *, title: str | None = None) -> Any:
    """Draw the continuous Kano diagram: every feature a point, its size the stated importance.

    Parameters
    ----------
    result : KanoContinuousResult
        One group.
    title : str, optional
        Title of the figure.
    """
    if result.by and len({tuple(r[b] for b in result.by) for r in result.estimates.rows()}) > 1:
        raise ArgumentError("the continuous diagram shows one group: pick it with kano_result.group(...)")
    rows = [r for r in result.estimates.rows() if r["functional"] is not None]
    figure = new_figure(6.8, 6.0)
    axes = figure.add_subplot()
    low, high = min(result.functional_scores), max(result.functional_scores)
    axes.set_title(title or "Kano, continuous")
    middle = high / 2
    axes.axhline(middle, color=MUTED, lw=0.8)
    axes.axvline(middle, color=MUTED, lw=0.8)
    largest = max((r["importance"] or 0.0 for r in rows), default=0.0) or 1.0
    for row in rows:
        x, y, colour = row["dysfunctional"], row["functional"], CATEGORY_COLOURS[row["category"]]
        if row["functional_low"] is not None:
            axes.plot([x, x], [row["functional_low"], row["functional_high"]], color=colour, alpha=0.35)
            axes.plot([row["dysfunctional_low"], row["dysfunctional_high"]], [y, y], color=colour, alpha=0.35)
        size = 50.0 if row["importance"] is None else 15 + 120 * (row["importance"] / largest) ** 2
        axes.scatter([x], [y], s=size, color=colour, zorder=4)
    floor = min([0.0, *(r["functional"] for r in rows), *(r["dysfunctional"] for r in rows)])
    axes.set_xlim(max(low, floor) - 0.2, high + 0.1)
    axes.set_ylim(max(low, floor) - 0.2, high + 0.1)
    for across, up, name in (
        (0.01, 0.99, "attractive"),
        (0.99, 0.99, "one-dimensional"),
        (0.01, 0.01, "indifferent"),
        (0.99, 0.01, "must-be"),
    ):
        axes.text(
            across,
            up,
            name,
            transform=axes.transAxes,
            ha="left" if across < 0.5 else "right",
            va="top" if up > 0.5 else "bottom",
            color=MUTED,
            style="italic",
        )
    axes.set_xlabel("dysfunctional: how much is it missed")
    axes.set_ylabel("functional: how much is it liked")
    if rows:
        place_labels(
            axes,
            [r["dysfunctional"] for r in rows],
            [r["functional"] for r in rows],
            [str(r["feature"]) for r in rows],
        )
    return figure


def _legend(figure: Any, rows: list[dict[str, Any]], view: str) -> None:
    from matplotlib.lines import Line2D

    if view == "bars":
        handles: list[Any] = category_patches()
    else:
        found = [c for c in CATEGORIES if any(r["category"] == c for r in rows)]
        mark: dict[str, Any] = {"marker": "o", "ms": 7, "ls": ""}
        handles = [
            Line2D([], [], color=CATEGORY_COLOURS[c], label=f"{c} {CATEGORY_NAMES[c]}", **mark) for c in found
        ]
        if any(r["significant"] is False for r in rows):
            handles.append(Line2D([], [], color=INK, mfc="white", label="class not significant", **mark))
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 6), fontsize=8.5)


def category_patches() -> list[Any]:
    """Return what a legend of the categories shows."""
    from matplotlib.patches import Patch

    return [Patch(color=CATEGORY_COLOURS[c], label=CATEGORY_NAMES[c]) for c in CATEGORIES]


def _panels(result: KanoResult) -> list[tuple[str, tuple[Any, ...]]]:
    if len(result.counts.keys) > MAX_PANELS:
        raise ArgumentError(
            f"{len(result.counts.keys)} groups don't fit on one figure (at most {MAX_PANELS}): analyse fewer"
        )
    return [
        (", ".join(f"{b}: {plain_text(k)}" for b, k in zip(result.by, key, strict=True)), key)
        for key in result.counts.keys
    ]


def _quadrant(axes: Any, rows: list[dict[str, Any]]) -> None:
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.axhline(CUT, color=MUTED, lw=0.8)
    axes.axvline(CUT, color=MUTED, lw=0.8)
    for x, y, name, where in (
        (0.0, 1.0, "attractive", ("left", "top")),
        (1.0, 1.0, "one-dimensional", ("right", "top")),
        (0.0, 0.0, "indifferent", ("left", "bottom")),
        (1.0, 0.0, "must-be", ("right", "bottom")),
    ):
        axes.text(x, y, name, ha=where[0], va=where[1], color=MUTED, fontsize=10, style="italic")
    for row in rows:
        if row["better"] is None:
            continue
        x, y = -row["worse"], row["better"]
        colour = CATEGORY_COLOURS[row["category"]]
        # worse is negative: its upper limit is the left end of the bar
        across = [[max(x + row["worse_high"], 0)], [max(-row["worse_low"] - x, 0)]]
        up = [[max(y - row["better_low"], 0)], [max(row["better_high"] - y, 0)]]
        axes.errorbar(x, y, xerr=across, yerr=up, fmt="none", ecolor=colour, alpha=0.35, lw=1.2, zorder=2)
        face = colour if row["significant"] else "white"
        axes.plot(x, y, "o", ms=7, color=colour, mfc=face, zorder=4)
    axes.set_xlabel("|worse|: dissatisfaction when it is not there")
    axes.set_ylabel("better: satisfaction when it is there")


def _bars(axes: Any, rows: list[dict[str, Any]]) -> None:
    totals = np.array([max(sum(r[c] for c in CATEGORIES), 1e-300) for r in rows])
    shares = {c: np.array([r[c] for r in rows]) / totals * 100 for c in CATEGORIES}
    stacked_categories(axes, [f"{r['feature']}  [{r['category'] or '-'}]" for r in rows], shares)
    axes.set_xlabel("percent of the answers")


def stacked_categories(axes: Any, labels: list[str], shares: Mapping[str, Any]) -> None:
    """Draw a bar per label, the first on top, that the categories share (percent per label)."""
    places = np.arange(len(labels))[::-1]
    left = np.zeros(len(labels))
    for c in CATEGORIES:
        axes.barh(places, shares[c], left=left, height=0.72, color=CATEGORY_COLOURS[c])
        for place, start, part in zip(places, left, shares[c], strict=True):
            if part >= 6:
                axes.text(
                    start + part / 2,
                    place,
                    f"{part:.0f}",
                    ha="center",
                    va="center",
                    fontsize=8,
                    color=INK if c == "Q" else "white",
                )
        left = left + shares[c]
    axes.set_yticks(places, [plain_text(label) for label in labels])
    axes.set_xlim(0, 100)
    axes.set_ylim(-0.6, len(labels) - 0.4)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", color=GRID)

"""Driver figures: importance bars, the importance-performance map, priorities."""

from __future__ import annotations

from typing import Any

import numpy as np

from satmodels.drivers.asymmetry import PenaltyRewardResult
from satmodels.drivers.importance_performance import ImportancePerformanceResult
from satmodels.drivers.key_drivers import KeyDriversResult
from satmodels.drivers.priorities import PrioritiesResult
from satmodels.drivers.reach_noise import ReachNoiseResult
from satmodels.drivers.response_curve import ResponseCurveResult
from satmodels.errors import ArgumentError
from satmodels.plots.labels import place_labels
from satmodels.plots.style import BAD, COLOURS, GOOD, INK, MUTED, NEUTRAL, new_figure, plain_text, styled

MAX_PANELS = 6
_NAMES = {
    "shapley": "Shapley value: share of the variance explained",
    "relative_weights": "relative weight: share of the variance explained",
    "standardized": "standardised coefficient",
    "correlation": "correlation with the outcome",
    "logit": "Shapley value: share of McFadden's pseudo-R²",
}
QUADRANT_COLOURS = {
    "concentrate here": BAD,
    "keep up the good work": GOOD,
    "low priority": NEUTRAL,
    "possible overkill": COLOURS[0],
}


@styled
def drivers_figure(result: KeyDriversResult, *, title: str | None = None) -> Any:
    """Draw the importance of the drivers as bars with limits, the largest on top; negative ones in another colour."""
    groups = _groups(result.estimates, result.by)
    # one order and one axis for all groups, so that they compare
    size: dict[str, float] = {}
    for row in result.estimates.rows():
        size[row["term"]] = size.get(row["term"], 0.0) + abs(row["estimate"])
    figure = new_figure(7.2 * min(len(groups), 2), (1.4 + 0.34 * len(result.drivers)) * -(-len(groups) // 2))
    for k, (name, rows) in enumerate(groups):
        axes = figure.add_subplot(
            -(-len(groups) // 2), min(len(groups), 2), k + 1, sharex=figure.axes[0] if k else None
        )
        rows = sorted(rows, key=lambda r: size[r["term"]])
        places = np.arange(len(rows))
        values = np.array([r["estimate"] for r in rows])
        negative = [r["correlation"] < 0 for r in rows]
        axes.barh(places, values, height=0.7, color=[BAD if n else COLOURS[0] for n in negative])
        if all(r["conf_low"] is not None for r in rows):
            low = [r["estimate"] - r["conf_low"] for r in rows]
            high = [r["conf_high"] - r["estimate"] for r in rows]
            axes.errorbar(
                values, places, xerr=np.maximum([low, high], 0), fmt="none", ecolor=INK, lw=1, capsize=2.5
            )
        axes.set_yticks(places, [plain_text(r["term"]) for r in rows])
        axes.axvline(0, color=MUTED, lw=0.8)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(_NAMES[result.method])
        explained = f"R² = {result.r2[k]:.2f}"
        axes.set_title(
            f"{name}, {explained}"
            if name
            else title or f"Drivers of {plain_text(result.outcome)}, {explained}"
        )
        if any(negative):
            _legend(axes, {"correlates negatively": (BAD, BAD)})
    return figure


@styled
def importance_performance_figure(
    result: ImportancePerformanceResult, *, title: str | None = None, diagonal: bool = True
) -> Any:
    """Draw the importance-performance map: cross-hairs, limits and lines of equal priority."""
    groups = _groups(result.estimates, result.by)
    deep, wide = -(-len(groups) // 2), min(len(groups), 2)
    size = 0.05 * min(len(groups[0][1]), 40) if groups else 0.0
    figure = new_figure((6.8 + size) * (1 if wide == 1 else 1.7), (4.8 + size) * deep)
    for k, (name, rows) in enumerate(groups):
        axes = figure.add_subplot(deep, wide, k + 1)
        _map(axes, rows, result.index, diagonal=diagonal)
        axes.set_title(name or title or "Importance and performance")
    for axes, (_, rows) in zip(figure.axes, groups, strict=True):
        place_labels(
            axes,
            [r["performance"] for r in rows],
            [r["importance"] for r in rows],
            [str(r["term"]) for r in rows],
        )
    return figure


def _map(axes: Any, rows: list[dict[str, Any]], index: bool, *, diagonal: bool) -> None:
    x = np.array([r["performance"] for r in rows])
    y = np.array([r["importance"] for r in rows])
    across, up = rows[0]["performance_cut"], rows[0]["importance_cut"]
    for row in rows:
        colour = QUADRANT_COLOURS[row["quadrant"]]
        for low, high, horizontal in (
            (row["performance_low"], row["performance_high"], True),
            (row["importance_low"], row["importance_high"], False),
        ):
            if low is None:
                continue
            ends = ([low, high], [row["importance"]] * 2)
            line = ends if horizontal else ([row["performance"]] * 2, [low, high])
            axes.plot(*line, color=colour, alpha=0.35, lw=1.2, zorder=2)
        axes.plot(row["performance"], row["importance"], "o", ms=7, color=colour, zorder=4)
    axes.margins(0.12)
    axes.axhline(up, color=MUTED, lw=0.9)
    axes.axvline(across, color=MUTED, lw=0.9)
    left, right = axes.get_xlim()
    bottom, top = axes.get_ylim()
    if diagonal and x.std() > 0 and y.std() > 0:
        slope = y.std() / x.std()
        ends = np.array([left, right])
        # lines of equal priority: one standard deviation apart, the dotted one at priority 0
        for shift in (-2, -1, 0, 1, 2):
            up_there = y.mean() + shift * y.std() + slope * (ends - x.mean())
            axes.plot(
                ends, up_there, ls="-" if shift else ":", color=MUTED, lw=0.5 if shift else 1.2, zorder=1
            )
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    for ha, va, words in (
        ("left", "top", "concentrate here"),
        ("right", "top", "keep up the good work"),
        ("left", "bottom", "low priority"),
        ("right", "bottom", "possible overkill"),
    ):
        axes.text(
            0.01 if ha == "left" else 0.99,
            0.99 if va == "top" else 0.01,
            words,
            transform=axes.transAxes,
            ha=ha,
            va=va,
            color=QUADRANT_COLOURS[words],
            fontsize=9,
            style="italic",
        )
    axes.set_xlabel("performance, 0 to 100" if index else "performance (mean)")
    axes.set_ylabel("importance")


@styled
def priorities_figure(result: PrioritiesResult, *, title: str | None = None) -> Any:
    """Draw the expected gain of every action with its limits, the most urgent on top."""
    rows = list(result.estimates.rows())[::-1]
    figure = new_figure(7.6, 1.5 + 0.36 * len(rows))
    axes = figure.add_subplot()
    places = np.arange(len(rows))
    for place, row in zip(places, rows, strict=True):
        colour = BAD if row["first"] else COLOURS[0]
        left_out = row["chosen"] is False
        axes.barh(place, row["gain"], height=0.66, color="white" if left_out else colour, edgecolor=colour)
        if row["gain_low"] is not None:
            axes.plot([row["gain_low"], row["gain_high"]], [place, place], color=INK, lw=1)
    axes.axvline(0, color=MUTED, lw=0.8)
    axes.set_yticks(
        places,
        [plain_text(r["term"]) + (f"  [{r['category']}]" if r["category"] else "") for r in rows],
    )
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(f"expected gain of {plain_text(result.outcome)}, points of 100")
    axes.set_title(title or "What to improve first")
    marks: dict[str, tuple[str, str]] = {}
    if any(r["first"] for r in rows):
        marks["must-be below the floor: first"] = (BAD, BAD)
    if any(r["chosen"] is False for r in rows):
        marks["beyond the budget"] = ("white", COLOURS[0])
    if marks:
        _legend(axes, marks)
    return figure


def _legend(axes: Any, marks: dict[str, tuple[str, str]]) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(facecolor=face, edgecolor=edge, label=name) for name, (face, edge) in marks.items()]
    axes.legend(handles=handles, loc="best", fontsize=8.5)


@styled
def penalty_reward_figure(result: PenaltyRewardResult, *, title: str | None = None) -> Any:
    """Draw penalties to the left and rewards to the right, with limits and the class of each item."""
    groups = _groups(result.estimates, result.by)
    items = len(groups[0][1]) if groups else 1
    figure = new_figure(7.4 * min(len(groups), 2), (1.5 + 0.36 * items) * -(-len(groups) // 2))
    for k, (name, rows) in enumerate(groups):
        axes = figure.add_subplot(-(-len(groups) // 2), min(len(groups), 2), k + 1)
        rows = sorted(rows, key=lambda r: r["range"] or 0.0)
        places = np.arange(len(rows))
        for what, colour in (("penalty", BAD), ("reward", GOOD)):
            values = [r[what] or 0.0 for r in rows]
            axes.barh(places, values, height=0.66, color=colour, label=what)
            for place, row in zip(places, rows, strict=True):
                if row[f"{what}_low"] is not None:
                    axes.plot([row[f"{what}_low"], row[f"{what}_high"]], [place, place], color=INK, lw=1)
        axes.axvline(0, color=INK, lw=0.8)
        axes.set_yticks(places, [f"{plain_text(r['term'])}  [{r['category'] or '-'}]" for r in rows])
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(f"points of {plain_text(result.outcome)} against average answers")
        axes.set_title(name or title or "What low answers cost and high answers bring")
        axes.legend(loc="best", fontsize=8.5)
    return figure


@styled
def reach_noise_figure(result: ReachNoiseResult, *, title: str | None = None) -> Any:
    """Draw what each failure adds to telling the dissatisfied from the others, the largest on top."""
    groups = _groups(result.estimates, result.by)
    items = len(groups[0][1]) if groups else 1
    figure = new_figure(7.2 * min(len(groups), 2), (1.5 + 0.34 * items) * -(-len(groups) // 2))
    for k, (name, rows) in enumerate(groups):
        axes = figure.add_subplot(-(-len(groups) // 2), min(len(groups), 2), k + 1)
        rows = sorted(rows, key=lambda r: r["estimate"])
        places = np.arange(len(rows))
        axes.barh(places, [r["estimate"] for r in rows], height=0.7, color=COLOURS[0])
        for place, row in zip(places, rows, strict=True):
            axes.plot([row["conf_low"], row["conf_high"]], [place, place], color=INK, lw=1)
        axes.set_yticks(places, [plain_text(r["term"]) for r in rows])
        axes.axvline(0, color=MUTED, lw=0.8)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel("share of reach less noise")
        reach, noise = result.reach[k], result.noise[k]
        axes.set_title(
            name or title or f"Any failure: {reach:.0%} of the dissatisfied, {noise:.0%} of the others"
        )
    return figure


@styled
def response_curve_figure(result: ResponseCurveResult, *, title: str | None = None) -> Any:
    """Draw the mean outcome by answer with limits, the line in three pieces and its thresholds."""
    rows = list(result.estimates.rows())
    figure = new_figure(6.8, 4.4)
    axes = figure.add_subplot()
    line = {row["term"]: row for row in result.line.rows()}
    for term, colour in (("lower", BAD), ("upper", GOOD)):
        found = line[term]
        axes.axvspan(found["conf_low"], found["conf_high"], color=colour, alpha=0.12, lw=0)
        axes.axvline(
            found["estimate"], color=colour, lw=1, ls="--", label=f"{term} threshold {found['estimate']:.2g}"
        )
    knots = sorted({*(r["value"] for r in rows), *(line[t]["estimate"] for t in ("lower", "upper"))})
    axes.plot(
        knots, np.interp(knots, *_through(rows, line)), color=COLOURS[0], lw=2, label="line in three pieces"
    )
    for row in rows:
        if row["conf_low"] is not None:
            axes.plot([row["value"]] * 2, [row["conf_low"], row["conf_high"]], color=INK, lw=1)
    largest = max(r["n"] for r in rows)
    axes.scatter(
        [r["value"] for r in rows],
        [r["mean"] for r in rows],
        s=[12 + 60 * r["n"] / largest for r in rows],
        color=INK,
        zorder=4,
    )
    axes.set_xlabel(plain_text(result.item))
    axes.set_ylabel(f"mean {plain_text(result.outcome)}")
    axes.set_title(title or f"How {plain_text(result.outcome)} responds to {plain_text(result.item)}")
    axes.legend(loc="best", fontsize=8.5)
    return figure


def _through(rows: list[dict[str, Any]], line: dict[str, Any]) -> tuple[list[float], list[float]]:
    """Return the corners of the fitted line: its ends and the two thresholds."""
    lower, upper = line["lower"]["estimate"], line["upper"]["estimate"]
    first, last = rows[0], rows[-1]
    at_lower = first["fitted"] + line["below"]["estimate"] * (lower - first["value"])
    at_upper = last["fitted"] - line["above"]["estimate"] * (last["value"] - upper)
    return [first["value"], lower, upper, last["value"]], [
        first["fitted"],
        at_lower,
        at_upper,
        last["fitted"],
    ]


def _groups(table: Any, by: tuple[str, ...]) -> list[tuple[str, list[dict[str, Any]]]]:
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in table.rows():
        found.setdefault(tuple(row[b] for b in by), []).append(row)
    if len(found) > MAX_PANELS:
        raise ArgumentError(
            f"{len(found)} groups don't fit on one figure (at most {MAX_PANELS}): analyse fewer"
        )
    return [
        (", ".join(f"{b}: {plain_text(k)}" for b, k in zip(by, key, strict=True)), rows)
        for key, rows in found.items()
    ]

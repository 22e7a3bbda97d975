"""Figures of structural models: coefficients with intervals, and indices from 0 to 100."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from satmodels.errors import ArgumentError, one_of
from satmodels.plots.style import BAD, COLOURS, INK, MUTED, new_figure, plain_text, styled

WHAT: Mapping[str, str] = {"paths": "~", "loadings": "=~", "weights": "<~"}
TITLES = {"paths": "Path coefficients", "loadings": "Loadings", "weights": "Outer weights"}
ROW = 0.32  # inches


@styled
def structural(result: Any, what: str = "paths", *, scale: Any = None) -> Any:
    """Draw a fitted structural model.

    Parameters
    ----------
    result : SEMResult
    what : {"paths", "loadings", "weights", "index"}, default "paths"
        Standardised coefficients (with intervals where the result has them), or the index of each
        construct.
    scale : Scale, (low, high) or mapping, optional
        For "index": the answer scales, where the model does not know them.
    """
    if what == "index":
        rows = result.index(scale).to_dict("records")
        return _bars([r["construct"] for r in rows], [r["estimate"] for r in rows], "Index, 0 to 100", None)
    if what not in WHAT:
        raise one_of("what", what, [*WHAT, "index"])
    rows = [row for row in result.parameters.rows() if row["op"] == WHAT[what]]
    return _forest(rows, TITLES[what], arrows=what == "paths")


@styled
def bootstrap(result: Any, what: str = "paths") -> Any:
    """Draw bootstrap intervals.

    Parameters
    ----------
    result : BootstrapResult
    what : {"paths", "loadings", "weights", "total", "indirect", "index", "htmt", "r2"}
        Which quantities.
    """
    op = WHAT.get(what, what)
    if op not in result.kinds:
        raise one_of("what", what, [*WHAT, *(k for k in result.kinds if k.isalnum())])
    rows = result.table(op).to_dict("records")
    if op == "index":
        return _bars(
            [r["lhs"] for r in rows],
            [r["estimate"] for r in rows],
            f"Index, 0 to 100, with {result.level:.0%} interval",
            [(r["conf_low"], r["conf_high"]) for r in rows],
        )
    title = TITLES.get(what, {"total": "Total effects", "indirect": "Indirect effects"}.get(what, what))
    return _forest(
        rows, f"{title} with {result.level:.0%} interval", arrows=what in ("paths", "total", "indirect")
    )


def _label(row: Mapping[str, Any], arrows: bool) -> str:
    if row["lhs"] == row["rhs"]:
        return plain_text(row["lhs"])
    lhs, rhs = plain_text(row["lhs"]), plain_text(row["rhs"])
    return f"{rhs} → {lhs}" if arrows else f"{lhs}: {rhs}"


def _forest(rows: Sequence[Mapping[str, Any]], title: str, *, arrows: bool) -> Any:
    if not rows:
        raise ArgumentError(f"the model has no {title.lower()}")
    figure = new_figure(7.0, 1.1 + ROW * len(rows))
    axes = figure.subplots()
    for y, row in enumerate(rows):
        estimate: float = row["estimate"]
        colour = COLOURS[0] if estimate >= 0 else BAD
        ends = (0.0, estimate)
        if row["conf_low"] is not None and row["conf_low"] == row["conf_low"]:  # neither None nor NaN
            ends = (float(row["conf_low"]), float(row["conf_high"]))
            colour = MUTED if ends[0] <= 0 <= ends[1] else colour
        axes.plot(ends, [y, y], color=colour, linewidth=2, solid_capstyle="round")
        axes.plot([estimate], [y], "o", color=colour, markersize=6)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(range(len(rows)), [_label(row, arrows) for row in rows])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_title(title)
    return figure


def _bars(
    names: Sequence[str],
    values: Sequence[float],
    title: str,
    intervals: Sequence[tuple[float, float]] | None,
) -> Any:
    figure = new_figure(7.0, 1.1 + 1.3 * ROW * len(names))
    axes = figure.subplots()
    for y, value in enumerate(values):
        axes.barh(y, value, color=COLOURS[0], height=0.62)
        end = value
        if intervals is not None:
            low, high = intervals[y]
            axes.plot([low, high], [y, y], color=INK, linewidth=1.6)
            end = max(value, high)
        axes.text(end + 1, y, f"{value:.1f}", va="center", color=INK)
    axes.set_xlim(0, 108)
    axes.set_xticks(range(0, 101, 20))
    axes.set_yticks(range(len(names)), [plain_text(name) for name in names])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_title(title)
    return figure

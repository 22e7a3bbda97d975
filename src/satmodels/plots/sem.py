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


@styled
def groups(result: Any, what: str = "index", *, differences: bool = False) -> Any:
    """Draw a quantity in each group, with its interval.

    Parameters
    ----------
    result : GroupComparison
    what : {"index", "paths", "loadings", "weights", "total", "indirect", "r2"}
        Which quantities; paths where the comparison has no indices.
    differences : bool, default False
        Whether to draw the groups' differences from the reference, with their p-values, instead of their own
        values.
    """
    kinds = set(result.estimates_by_group["op"])
    what = "paths" if what == "index" and "index" not in kinds else what
    op = WHAT.get(what, what)
    if op not in kinds:
        raise one_of("what", what, [*WHAT, *sorted(k for k in kinds if k.isalnum())])
    if differences:
        return _differences(result, what, op)
    rows = [row for row in result.estimates_by_group.rows() if row["op"] == op]
    names = list(dict.fromkeys(row["group"] for row in rows))
    labels = list(dict.fromkeys(_label(row, what == "paths") for row in rows))
    figure = new_figure(7.0, 1.3 + 0.22 * len(rows) + 0.1 * len(labels))
    axes = figure.subplots()
    for i, name in enumerate(names):
        own = [row for row in rows if row["group"] == name]
        colour = COLOURS[i % len(COLOURS)]
        places = [y + (i - (len(names) - 1) / 2) * 0.7 / len(names) for y in range(len(own))]
        for y, row in zip(places, own, strict=True):
            axes.plot([row["conf_low"], row["conf_high"]], [y, y], color=colour, linewidth=2)
        axes.plot([r["estimate"] for r in own], places, "o", color=colour, label=plain_text(name))
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.legend(title=plain_text(result.by), loc="center left", bbox_to_anchor=(1, 0.5))
    title = "Index, 0 to 100" if op == "index" else TITLES.get(what, what)
    axes.set_title(f"{title} with {result.level:.0%} interval")
    return figure


def _differences(result: Any, what: str, op: str) -> Any:
    rows = [row for row in result.differences.rows() if row["op"] == op and row["p_value"] is not None]
    several = len({row["group"] for row in rows}) > 1
    title = "Index points" if op == "index" else TITLES.get(what, what)
    figure = _forest(rows, f"{title}: difference from {plain_text(result.reference)}", arrows=what == "paths")
    axes = figure.axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    if several:
        labels = [f"{plain_text(row['group'])}: {label}" for row, label in zip(rows, labels, strict=True)]
        axes.set_yticks(range(len(rows)), labels)
    right = axes.secondary_yaxis("right")
    right.set_yticks(range(len(rows)), [f"p = {row['p_value']:.3f}" for row in rows])
    right.tick_params(length=0)
    right.spines["right"].set_visible(False)
    axes.set_xlabel(f"with {result.level:.0%} interval of the bootstrap; p-values by permutation")
    return figure


@styled
def importance_map(result: Any) -> Any:
    """Draw an importance-performance map; the lines are the means of both."""
    rows = list(result.rows.rows())
    figure = new_figure(7.0, 5.0)
    axes = figure.subplots()
    x, y = [row["importance"] for row in rows], [row["performance"] for row in rows]
    axes.axvline(sum(x) / len(x), color=MUTED, linewidth=1, linestyle="--")
    axes.axhline(sum(y) / len(y), color=MUTED, linewidth=1, linestyle="--")
    axes.scatter(x, y, s=60, color=COLOURS[0], zorder=3)
    for row in rows:
        axes.annotate(
            plain_text(row["term"]),
            (row["importance"], row["performance"]),
            xytext=(6, 5),
            textcoords="offset points",
        )
    axes.margins(x=0.18, y=0.15)
    axes.set_xlabel(f"Importance: points of {plain_text(result.target)} per point")
    axes.set_ylabel("Performance: index, 0 to 100")
    axes.set_title(f"What to improve for {plain_text(result.target)}")
    return figure


@styled
def change(result: Any) -> Any:
    """Draw the changes of the indices that a what-if expects."""
    rows = [
        {**row, "lhs": row["term"], "rhs": row["term"]} for row in result.rows.rows() if row["estimate"] != 0
    ]
    cause = ", ".join(f"{name} {points:+g}" for name, points in result.changes.items())
    return _forest(rows, f"Index points expected from {plain_text(cause)}", arrows=False)

"""Figures of covariance structure models: standardised coefficients with intervals, and residuals."""

from __future__ import annotations

from typing import Any

import numpy as np

from satmodels.errors import check_word
from satmodels.plots.sem import TITLES, WHAT, _bars, _forest
from satmodels.plots.style import BAD, GOOD, GRID, INK, new_figure, plain_text, styled

FIGURES = ("paths", "loadings", "residuals", "index")


@styled
def covariance(result: Any, what: str = "paths", *, scale: Any = None, group: Any = None) -> Any:
    """Draw a fitted covariance structure model.

    Parameters
    ----------
    result : CovarianceResult
    what : {"paths", "loadings", "residuals", "index"}, default "paths"
        Standardised coefficients with their intervals, the residual correlations of the items (a model that
        fits leaves a pale square), or the index of each construct with its limits. A model without paths shows its loadings.
    scale : Scale, (low, high) or mapping, optional
        For "index": the answer scales, where the model does not know them.
    group : object, optional
        Which group, where the model has groups (by default the first).
    """
    check_word("what", what, FIGURES)
    if group is None and len(result.groups) > 1:
        group = result.groups[0].group
    where = "" if group is None else f", {plain_text(group)}"
    if what == "residuals":
        return _squares(result.residuals(group), f"Residual correlations{where}")
    if what == "index":
        rows = [r for r in result.index(scale).to_dict("records") if r.get("group", group) == group]
        names, values = [r["construct"] for r in rows], [r["estimate"] for r in rows]
        limits = [(r["conf_low"], r["conf_high"]) for r in rows]
        known = all(r["std_error"] is not None and np.isfinite(r["std_error"]) for r in rows)
        return _bars(names, values, f"Index, 0 to 100{where}", limits if known else None)
    mine = [row for row in result.standard.rows() if row.get("group", group) == group]
    if what == "paths" and not any(row["op"] == "~" for row in mine):
        what = "loadings"
    rows = [row for row in mine if row["op"] == WHAT[what]]
    return _forest(rows, f"{TITLES[what]}, standardised{where}", arrows=what == "paths")


def _squares(residuals: Any, title: str) -> Any:
    names = [plain_text(n) for n in residuals.columns]
    values = residuals.to_numpy()
    size = 2.2 + 0.3 * len(names)
    figure = new_figure(size + 1.2, size)
    axes = figure.subplots()
    limit = max(0.1, float(np.abs(values).max()))
    image = axes.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit)
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), names)
    axes.grid(visible=False)
    axes.set_title(title)
    bar = figure.colorbar(image, ax=axes, shrink=0.7)
    bar.outline.set_edgecolor(INK)
    return figure


@styled
def invariance(result: Any) -> Any:
    """Draw the steps of measurement invariance: CFI and RMSEA, coloured by the decision.

    Parameters
    ----------
    result : InvarianceResult
    """
    rows = list(result.steps.rows())
    figure = new_figure(7.0, 1.4 + 0.45 * len(rows))
    panels = figure.subplots(1, 2, sharey=True)
    for axes, name, label, floor in ((panels[0], "cfi", "CFI", 0.8), (panels[1], "rmsea", "RMSEA", 0.0)):
        values = [row[name] for row in rows]
        low = min(floor, *values)
        for y, (row, value) in enumerate(zip(rows, values, strict=True)):
            axes.plot([low, value], [y, y], color=GRID, linewidth=1.5, zorder=1)
            axes.plot([value], [y], "o", color=GOOD if row["decision"] == "holds" else BAD, markersize=8)
            axes.annotate(f"{value:.3f}", (value, y), xytext=(0, 8), textcoords="offset points", ha="center")
        axes.set_xlim(low, 1.02 if name == "cfi" else max(0.1, 1.25 * max(values)))
        axes.set_xlabel(label)
        axes.grid(axis="y", visible=False)
        axes.margins(y=0.25)
    panels[0].set_yticks(range(len(rows)), [f"{row['step']}: {row['decision']}" for row in rows])
    panels[0].invert_yaxis()
    figure.suptitle(f"Measurement invariance by {plain_text(result.by)}: {result.level_reached}")
    return figure

"""Figure of a Kano bootstrap: how often each feature would fall into each class."""

from __future__ import annotations

from typing import Any

import numpy as np

from satmodels.errors import ArgumentError
from satmodels.kano_model.resampling import KanoBootstrapResult
from satmodels.kano_model.tables import CATEGORIES
from satmodels.plots.kano import category_patches, stacked_categories
from satmodels.plots.style import new_figure, styled

MOST_ROWS = 60


@styled
def stability_figure(result: KanoBootstrapResult, *, title: str | None = None) -> Any:
    """Draw the chance of every class per feature, the least certain feature on top.

    Parameters
    ----------
    result : KanoBootstrapResult
        At most sixty features, groups counted apart. Features without answers are left out.
    title : str, optional
        Title of the figure.
    """
    rows = [row for row in result.estimates.rows() if row["p_category"] is not None]
    if not 0 < len(rows) <= MOST_ROWS:
        raise ArgumentError(f"{len(rows)} rows can't be drawn: 1 to {MOST_ROWS} fit on one figure")
    rows.sort(key=lambda row: row["p_category"])
    labels = [
        "  ".join([*(str(row[b]) for b in result.by), str(row["feature"]), f"[{row['category']}]"])
        for row in rows
    ]
    shares = {c: np.array([100 * row[f"p_{c}"] for row in rows]) for c in CATEGORIES}
    figure = new_figure(8.0, 1.8 + 0.32 * len(rows))
    axes = figure.add_subplot()
    stacked_categories(axes, labels, shares)
    axes.set_xlabel(f"percent of {result.draws:,} resamples in which the class wins")
    axes.set_title(title or "How certain is each class?")
    figure.legend(handles=category_patches(), loc="outside lower center", ncols=6, fontsize=8.5)
    return figure

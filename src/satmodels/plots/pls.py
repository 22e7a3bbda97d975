"""Figures of the tests of PLS path models: fit, prediction, invariance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from satmodels.plots.style import BAD, COLOURS, GOOD, INK, MUTED, new_figure, plain_text, styled

ROW = 0.34  # inches


def _rows_of(axes: Any, labels: Sequence[object]) -> None:
    axes.set_yticks(range(len(labels)), [plain_text(label) for label in labels])
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)


@styled
def fit_test_figure(result: Any) -> Any:
    """Draw each distance as a multiple of the largest that chance allows: beyond 1 it speaks against the model.

    Parameters
    ----------
    result : FitTestResult
    """
    rows = list(result.rows.rows())
    figure = new_figure(7.0, 1.3 + ROW * len(rows))
    axes = figure.subplots()
    for y, row in enumerate(rows):
        if row["critical"] is None:
            axes.text(0.02, y, "undefined", va="center", color=MUTED)
            continue
        share = row["estimate"] / row["critical"]
        colour = BAD if share > 1 else GOOD
        axes.barh(y, share, color=colour, height=0.6)
        axes.text(share, y, f"  {row['estimate']:.3f}, p = {row['p_value']:.3f}", va="center", color=INK)
    axes.axvline(1, color=INK, linewidth=1)
    axes.set_xlim(0, max([1.0, *(r["estimate"] / r["critical"] for r in rows if r["critical"])]) * 1.35)
    _rows_of(axes, [f"{row['term']} ({row['model']})" for row in rows])
    axes.set_xlabel(f"Distance over its {result.level:.0%} quantile when the model holds")
    axes.set_title("Exact fit: could the model have made the correlations?")
    return figure


@styled
def blindfold_figure(result: Any) -> Any:
    """Draw Stone-Geisser Q² of each endogenous construct.

    Parameters
    ----------
    result : BlindfoldResult
    """
    rows = list(result.rows.rows())
    figure = new_figure(7.0, 1.2 + ROW * len(rows))
    axes = figure.subplots()
    _q2_bars(axes, [row["estimate"] for row in rows])
    _rows_of(axes, [row["term"] for row in rows])
    axes.set_xlabel("Q², above 0: better than the mean of the answers left")
    axes.set_title(f"Blindfolding, omission distance {result.omission}")
    return figure


def _q2_bars(axes: Any, values: Sequence[float]) -> None:
    for y, value in enumerate(values):
        axes.barh(y, value, color=COLOURS[0] if value > 0 else BAD, height=0.6)
        axes.text(max(value, 0), y, f" {value:.3f}", va="center", color=INK)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlim(min(0, *values), max(0.05, *values) * 1.2)


@styled
def predict_figure(result: Any) -> Any:
    """Draw how well each item is predicted: against its mean, and against a linear regression (green: better).

    Parameters
    ----------
    result : PLSPredictResult
    """
    rows = list(result.rows.rows())
    figure = new_figure(9.0, 1.3 + ROW * len(rows))
    left, right = figure.subplots(1, 2, sharey=True)
    _q2_bars(left, [row["q2_predict"] for row in rows])
    _rows_of(left, [f"{row['construct']}: {row['term']}" for row in rows])
    left.set_xlabel("Q²predict, above 0: better than the mean")
    change = [100 * (row["rmse"] / row["rmse_linear"] - 1) for row in rows]
    for y, (row, percent) in enumerate(zip(rows, change, strict=True)):
        right.barh(y, percent, color=GOOD if percent < 0 else BAD, height=0.6)
        side = "left" if percent >= 0 else "right"
        right.text(percent, y, f" {row['rmse']:.3f} ", va="center", ha=side, color=INK)
    reach = 1.5 * max(1.0, *map(abs, change))
    right.set_xlim(-reach, reach)
    right.axvline(0, color=INK, linewidth=0.8)
    right.grid(axis="y", visible=False)
    right.set_xlabel("RMSE; bars: against linear regression, %")
    left.set_title(f"Prediction, {result.folds} folds")
    return figure


@styled
def micom_figure(result: Any) -> Any:
    """Draw the steps of MICOM: equal composites, then equal means and variances.

    Parameters
    ----------
    result : MicomResult
    """
    rows = list(result.rows.rows())
    several = len({row["group"] for row in rows}) > 1
    figure = new_figure(10.0, 1.5 + ROW * len(rows))
    panels = figure.subplots(1, 3, sharey=True)
    alpha = 1 - result.level
    for y, row in enumerate(rows):
        panels[0].plot(
            [row["correlation_low"], 1], [y, y], color=MUTED, linewidth=7, alpha=0.4, solid_capstyle="butt"
        )
        _point(panels[0], row["correlation"], y, row["p_correlation"] > alpha)
        _point(panels[1], row["mean_difference"], y, row["p_mean"] > alpha, stem=True)
        _point(panels[2], row["log_variance_ratio"], y, row["p_variance"] > alpha, stem=True)
    _rows_of(panels[0], [_micom_label(row, several=several) for row in rows])
    titles = ("Step 2: correlation of scores", "Step 3: difference of means", "Step 3: log variance ratio")
    for axes, title in zip(panels, titles, strict=True):
        axes.set_title(title, fontsize=10)
        axes.grid(axis="y", visible=False)
    for axes in panels[1:]:
        axes.axvline(0, color=INK, linewidth=0.8)
        reach = 1.05 * max(abs(v) for v in axes.get_xlim())
        axes.set_xlim(-reach, reach)
    panels[0].set_xlabel("grey: what chance allows")
    panels[1].set_xlabel("standard deviations")
    reference = plain_text(rows[0]["reference"]) if rows else ""
    figure.suptitle(
        f"Invariance of composites by {plain_text(result.by)}, against {reference} "
        f"(orange: rejected at {alpha:.0%})",
        x=0.01,
        ha="left",
        fontsize=12,
        fontweight="bold",
    )
    return figure


def _point(axes: Any, value: float, y: int, holds: bool, *, stem: bool = False) -> None:
    colour = COLOURS[0] if holds else BAD
    if stem:
        axes.plot([0, value], [y, y], color=colour, linewidth=2)
    axes.plot([value], [y], "o", color=colour, markersize=6)


def _micom_label(row: Mapping[str, Any], *, several: bool) -> str:
    return f"{row['group']}: {row['construct']}" if several else str(row["construct"])

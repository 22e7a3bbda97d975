"""Figures of churn models: do the risks come true, and how many leavers are among the riskiest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from satmodels.plots.style import BAD, COLOURS, INK, MUTED, NEUTRAL, new_figure, plain_text, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from satmodels.churn.drift import DriftReport
    from satmodels.churn.inactivity import InactivityHorizon
    from satmodels.churn.report import ChurnReport
    from satmodels.churn.survival_report import SurvivalReport


@styled
def churn_figure(result: ChurnReport) -> Figure:
    """Draw calibration, gains with lift, and with costs the profit by share of customers contacted."""
    panels = 2 if result.profit_curve is None else 3
    figure = new_figure(4.4 * panels, 4.4)
    axes = figure.subplots(1, panels)
    _calibration(axes[0], result)
    _gains(axes[1], result)
    if result.profit_curve is not None:
        _profit(axes[2], result)
    return figure


def _calibration(ax: Axes, result: ChurnReport) -> None:
    curve = result.calibration_curve
    predicted = np.array(curve["predicted"], dtype=float)
    observed = np.array(curve["observed"], dtype=float)
    low = np.array(curve["conf_low"], dtype=float)
    high = np.array(curve["conf_high"], dtype=float)
    top = float(max(predicted.max(), high.max())) * 1.05
    ax.plot([0, top], [0, top], color=MUTED, linewidth=1, linestyle="--")
    ax.errorbar(
        predicted,
        observed,
        yerr=[np.maximum(observed - low, 0), np.maximum(high - observed, 0)],
        color=COLOURS[0],
        marker="o",
        markersize=4,
        linewidth=1.2,
        elinewidth=1,
    )
    ax.set(xlabel="Predicted risk", ylabel="Share that left", title="Do the risks come true?")
    ax.set_xlim(0, top)
    ax.set_ylim(0, top)
    ece = result._glance()["ece"]
    ax.text(
        0.97,
        0.05,
        f"mean distance (ECE) {ece:.3f}",
        transform=ax.transAxes,
        ha="right",
        color=INK,
        fontsize=9,
    )


def _gains(ax: Axes, result: ChurnReport) -> None:
    curve = result.gains_curve
    fraction = np.array(curve["fraction"], dtype=float) * 100
    recall = np.array([np.nan if v is None else v for v in curve["recall"]], dtype=float) * 100
    ax.plot([0, 100], [0, 100], color=MUTED, linewidth=1, linestyle="--")
    ax.plot(fraction, recall, color=COLOURS[0])
    glance = result._glance()
    if glance["recall_10"] is not None:
        ax.plot([10], [100 * glance["recall_10"]], marker="o", color=COLOURS[1])
        ax.text(
            0.97,
            0.05,
            f"the riskiest 10 %: {100 * glance['recall_10']:.0f} % of leavers\n(lift {glance['lift_10']:.1f})",
            transform=ax.transAxes,
            ha="right",
            fontsize=9,
        )
    ax.set(
        xlabel="Customers contacted, riskiest first (%)",
        ylabel="Leavers reached (%)",
        title="Who is reached?",
    )
    ax.set_xlim(0, 100)
    ax.set_ylim(0, 101)


def _profit(ax: Axes, result: ChurnReport) -> None:
    curve = result.profit_curve
    if curve is None:
        return
    fraction = np.array(curve["fraction"], dtype=float) * 100
    profit = np.array(curve["profit"], dtype=float)
    best = int(np.argmax(profit))
    first = "most profitable" if "expected_profit" in curve.names else "riskiest"
    ax.axhline(0, color=MUTED, linewidth=1)
    ax.plot(fraction, profit, color=COLOURS[0])
    ax.plot([fraction[best]], [profit[best]], marker="o", color=COLOURS[1])
    ax.text(
        0.97,
        0.95,
        f"best: contact {fraction[best]:.0f} %, {profit[best]:.2f} per customer",
        transform=ax.transAxes,
        ha="right",
        va="top",
        fontsize=9,
    )
    ax.set(
        xlabel=f"Customers contacted, {first} first (%)",
        ylabel="Profit per customer",
        title="What does it earn?",
    )
    ax.set_xlim(0, 100)
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.12 * (high - low))  # room for the words above the curve


@styled
def drift_figure(result: DriftReport, *, top: int = 15) -> Figure:
    """Draw the population stability index of the features that moved most, with the levels in common use."""
    rows = sorted(result.rows.rows(), key=lambda row: row["psi"])[-top:]
    figure = new_figure(7.5, 1.4 + 0.32 * len(rows))
    ax = figure.subplots()
    colours = {"stable": NEUTRAL, "watch": COLOURS[4], "alert": BAD}
    ax.barh(
        [plain_text(row["feature"]) for row in rows],
        [row["psi"] for row in rows],
        color=[colours[row["level"]] for row in rows],
        height=0.65,
    )
    for level, name in ((0.10, "watch"), (0.25, "alert")):
        ax.axvline(level, color=MUTED, linewidth=1, linestyle="--")
        ax.annotate(
            name,
            (level, 1),
            xycoords=("data", "axes fraction"),
            xytext=(3, 2),
            textcoords="offset points",
            fontsize=8,
            color=MUTED,
        )
    ax.set_xlabel("Population stability index")
    ax.set_title("What has moved?", pad=18)
    ax.grid(False, axis="y")
    return figure


@styled
def survival_figure(result: SurvivalReport) -> Figure:
    """Draw area under the curve and Brier score by time."""
    figure = new_figure(8.8, 4.2)
    left, right = figure.subplots(1, 2)
    days = np.array(result.rows["days"], dtype=float)

    def numbers(name: str) -> np.ndarray:
        return np.array([np.nan if v is None else v for v in result.rows[name]], dtype=float)

    left.plot(days, numbers("auc"), color=COLOURS[0], marker="o", markersize=4)
    left.axhline(0.5, color=MUTED, linewidth=1, linestyle="--")
    left.set(xlabel="Days", ylabel="Area under the curve", title="Who leaves first?")
    right.plot(
        days, numbers("brier_baseline"), color=MUTED, linestyle="--", label="the same curve for everybody"
    )
    right.plot(days, numbers("brier"), color=COLOURS[0], marker="o", markersize=4, label="model")
    right.set(xlabel="Days", ylabel="Brier score (smaller is better)", title="Do the curves come true?")
    right.legend()
    return figure


@styled
def inactivity_figure(result: InactivityHorizon) -> Figure:
    """Draw within how many silent days the returning customers are back, and the horizon."""
    figure = new_figure(6.4, 4.2)
    ax = figure.subplots()
    days = np.array(result.rows["days"], dtype=float)
    share = 100 * np.array(result.rows["share"], dtype=float)
    ax.plot(days, share, color=COLOURS[0], marker="o", markersize=4)
    ax.axvline(result.days, color=COLOURS[1], linewidth=1.2, linestyle="--")
    ax.text(
        0.97,
        0.05,
        f"{100 * result.share:g} % are back within {result.days:,} days\n"
        f"({100 * result.returning:.0f} % of {result.n_pauses:,} pauses end in a return)",
        transform=ax.transAxes,
        ha="right",
        fontsize=9,
        bbox={"facecolor": "white", "edgecolor": "none"},  # the words stand before the line
    )
    ax.set(
        xlabel="Days of silence",
        ylabel="Back, of those who return (%)",
        title="When is a silent customer gone?",
    )
    ax.set_xlim(left=0)
    ax.set_ylim(0, 102)
    return figure

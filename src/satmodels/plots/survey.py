"""Figures of checks: which columns break which rules, and who answered carelessly."""

from __future__ import annotations

from textwrap import shorten
from typing import Any

import numpy as np

from satmodels.plots.style import BAD, COLOURS, MUTED, NEUTRAL, new_figure, plain_text, styled
from satmodels.survey.careless import CarelessResult
from satmodels.survey.check import CheckReport

MAX_BARS = 40  # more broken rules than this can't be read in one figure
NAMES = {
    "longstring": "longest run of equal answers",
    "irv": "spread of the answers",
    "mahalanobis": "distance from the others (D²)",
    "average_string": "mean run of equal answers",
    "even_odd": "inconsistency of halves",
    "synonyms": "agreement of similar items",
    "antonyms": "agreement of opposite items",
    "copies": "identical answer sheets",
    "seconds_per_item": "seconds per item",
}


@styled
def check_figure(report: CheckReport, *, title: str | None = None) -> Any:
    """Draw how many answers break each rule, the worst first.

    Parameters
    ----------
    report : CheckReport
        What :meth:`Survey.check` returned.
    title : str, optional
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    worst = sorted(report.violations, key=lambda v: -v.n_bad)[:MAX_BARS]
    figure = new_figure(7.0, 1.6 + 0.3 * max(len(worst), 2))
    axes = figure.add_subplot()
    axes.set_title(title or plain_text(f"{report.survey}: {report.n_rows:,} rows checked"))
    if not worst:
        axes.text(0.5, 0.5, "every answer keeps the rules", ha="center", va="center", color=MUTED)
        axes.set_axis_off()
        return figure
    places = np.arange(len(worst))
    counts = [v.n_bad for v in worst]
    axes.barh(places, counts, color=BAD, height=0.7)
    for place, count in zip(places, counts, strict=True):
        axes.annotate(f"{count:,}", (count, place), xytext=(4, 0), textcoords="offset points", va="center")
    axes.set_yticks(places, [plain_text(f"{shorten(v.column, 24)}:  {shorten(v.rule, 34)}") for v in worst])
    axes.invert_yaxis()
    axes.set_xlim(0, max(counts) * 1.12)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("answers that break the rule")
    axes.grid(axis="y", visible=False)
    return figure


@styled
def careless_figure(result: CarelessResult, *, title: str | None = None) -> Any:
    """Draw the distribution of every statistic, flagged respondents on top.

    Parameters
    ----------
    result : CarelessResult
        What :func:`careless` returned.
    title : str, optional
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    shown = [
        name
        for name, values in result.statistics.items()
        if name in NAMES and len(np.unique(_finite(values))) > 1
    ]
    columns = max(min(3, len(shown)), 1)
    rows = -(-len(shown) // columns)
    figure = new_figure(3.1 * columns, 2.4 * max(rows, 1) + 0.5)
    figure.suptitle(
        title or f"{int(result.flagged.sum()):,} of {result.n:,} respondents are flagged", x=0.01, ha="left"
    )
    for i, name in enumerate(shown):
        axes = figure.add_subplot(rows, columns, i + 1)
        values = np.asarray(result.statistics[name], dtype=float)
        flag = result.flags.get(name, np.zeros(result.n, dtype=bool))
        finite = np.isfinite(values)
        edges = np.histogram_bin_edges(values[finite], bins=24)
        axes.hist([values[finite & ~flag], values[finite & flag]], edges, stacked=True, color=[NEUTRAL, BAD])
        axes.set_title(f"{NAMES[name]}\n{int(flag.sum())} flagged", fontsize=9, fontweight="normal")
        axes.tick_params(labelsize=8)
        axes.grid(axis="x", visible=False)
    return figure


def _finite(values: Any) -> Any:
    numbers = np.asarray(values, dtype=float)
    return numbers[np.isfinite(numbers)]


@styled
def weights_figure(summary: Any, *, title: str | None = None) -> Any:
    """Draw what the weights cost: respondents beside effective respondents.

    Parameters
    ----------
    summary : WeightSummary
        What :func:`weight_summary` returned.
    title : str, optional
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = new_figure(6.0, 1.9)
    axes = figure.add_subplot()
    axes.barh([0, 1], [summary.n, summary.n_eff], color=[NEUTRAL, COLOURS[0]], height=0.6)
    axes.set_yticks([0, 1], ["respondents", "effective respondents"])
    axes.invert_yaxis()
    for place, value in enumerate((summary.n, summary.n_eff)):
        axes.annotate(f"{value:,.0f}", (value, place), xytext=(4, 0), textcoords="offset points", va="center")
    axes.set_xlim(0, summary.n * 1.12)
    axes.grid(axis="y", visible=False)
    axes.set_title(title or f"Design effect of the weights {summary.design_effect:.2f}")
    return figure


@styled
def missing_figure(result: Any, *, title: str | None = None) -> Any:
    """Draw the share of missing answers of each item, the largest first.

    Parameters
    ----------
    result : MissingResult
        What :func:`missing_report` returned.
    title : str, optional
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = sorted(result.item_rows.rows(), key=lambda r: -r["share"])[:MAX_BARS]
    test = "" if result.p_value is None else f"; missing at random by Little's test: p = {result.p_value:.3g}"
    return _bars(
        [r["item"] for r in rows],
        [100 * r["share"] for r in rows],
        title or f"Missing answers, {result.n:,} rows",
        f"percent missing{test}",
    )


@styled
def outliers_figure(result: Any, *, title: str | None = None) -> Any:
    """Draw the share of answers of each item (and segment) that are beyond Tukey's fences, the largest first.

    Parameters
    ----------
    result : OutlierResult
        What :func:`outliers` returned.
    title : str, optional
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    by = [name for name in result.item_rows.names[: result.item_rows.names.index("item")]]
    shown = [
        (" / ".join(str(row[name]) for name in ("item", *by)), 100 * row["n_fence"] / max(row["n"], 1))
        for row in result.item_rows.rows()
    ]
    shown = sorted(shown, key=lambda pair: -pair[1])[:MAX_BARS]
    return _bars(
        [name for name, _ in shown],
        [share for _, share in shown],
        title or f"{result.n_outliers:,} outlier{'' if result.n_outliers == 1 else 's'} in {result.n:,} rows",
        "percent beyond the fences",
    )


@styled
def reliability_figure(result: Any, *, title: str | None = None) -> Any:
    """Draw each item's correlation with the rest of the scale; negative ones are marked.

    Parameters
    ----------
    result : ReliabilityResult
        What :func:`cronbach_alpha`, :func:`mcdonald_omega` or their kin returned.
    title : str, optional
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = list(result.item_rows.rows())[:MAX_BARS]
    ends = "" if result.conf_low is None else f" [{result.conf_low:.3f}, {result.conf_high:.3f}]"
    return _bars(
        [r["item"] for r in rows],
        [r["item_rest"] for r in rows],
        title or f"{result.rows['term'][0]} = {result.estimate:.3f}{ends}",
        "correlation with the other items",
    )


def _bars(names: list[str], values: list[float], title: str, label: str) -> Any:
    figure = new_figure(7.0, 1.4 + 0.3 * max(len(names), 2))
    axes = figure.add_subplot()
    axes.barh(range(len(names)), values, color=[BAD if v < 0 else COLOURS[0] for v in values], height=0.7)
    axes.set_yticks(range(len(names)), [plain_text(shorten(str(n), 40)) for n in names])
    axes.axvline(0, color=MUTED, linewidth=0.8)
    axes.invert_yaxis()
    axes.set_xlabel(label)
    axes.grid(axis="y", visible=False)
    axes.set_title(title)
    return figure

"""Figures of RFM: what each segment is worth, recency against frequency, and moves between two dates."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from satmodels.errors import one_of
from satmodels.plots.style import COLOURS, INK, new_figure, plain_text, styled
from satmodels.scores.rfm import RFMResult
from satmodels.scores.rfm_migration import MigrationResult


@styled
def rfm_figure(result: RFMResult, *, view: Literal["segments", "grid"] | None = None) -> Any:
    """Draw an RFM result.

    Parameters
    ----------
    result : RFMResult
        From :func:`satmodels.rfm`.
    view : {"segments", "grid"}, optional
        ``"segments"``: each segment's share of the customers beside its share of the money.
        ``"grid"``: customers by recency and frequency score. By default the segments, or the grid where
        the result has none.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if view not in (None, "segments", "grid"):
        raise one_of("view", view, ("segments", "grid"))
    if view == "grid" or result.table is None:
        return _grid(result)
    return _segments(result)


def _segments(result: RFMResult) -> Any:
    table = result._tidy()
    names = [plain_text(name) for name in table[table.names[0]]]
    customers = [100 * share for share in table["share"]]
    money = [100 * (share or 0.0) for share in table["total_share"]]
    figure = new_figure(8.0, 1.4 + 0.42 * len(names))
    axes = figure.subplots()
    places = np.arange(len(names))
    for offset, values, colour, label in (
        (-0.19, customers, COLOURS[5], "of customers"),
        (0.19, money, COLOURS[0], "of money"),
    ):
        axes.barh(places + offset, values, height=0.36, color=colour, label=label)
        for place, value in zip(places, values, strict=True):
            axes.annotate(
                f"{value:.1f} %",
                (max(value, 0.0), place + offset),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
                color=INK,
            )
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_xlim(min(0.0, *money), max(*customers, *money) * 1.12)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("share in percent")
    axes.set_title(f"Customer segments on {result.as_of:%Y-%m-%d} ({result.n:,} customers)")
    figure.legend(loc="outside lower right", ncols=2)
    return figure


def _grid(result: RFMResult) -> Any:
    r, f = result._values["r"], result._values["f"]
    bins = result.bins
    n = np.zeros((bins, bins), dtype=int)
    np.add.at(n, (f - 1, r - 1), 1)
    figure = new_figure(1.6 + 1.05 * bins, 1.3 + 0.8 * bins)
    axes = figure.subplots()
    axes.imshow(n, origin="lower", cmap="Blues", vmin=0, vmax=1.8 * max(int(n.max()), 1), aspect="auto")
    names = _cell_names(result)
    for j in range(bins):
        for i in range(bins):
            axes.text(
                i,
                j,
                f"{n[j, i]:,}" + (f"\n{names[j][i]}" if names else ""),
                ha="center",
                va="center",
                fontsize=8,
                color=INK,
            )
    axes.set_xticks(range(bins), [str(k + 1) for k in range(bins)])
    axes.set_yticks(range(bins), [str(k + 1) for k in range(bins)])
    axes.grid(visible=False)
    axes.set_xlabel("recency score (5 = bought lately)".replace("5", str(bins), 1))
    axes.set_ylabel("frequency score (5 = buys often)".replace("5", str(bins), 1))
    axes.set_title(f"Customers on {result.as_of:%Y-%m-%d}")
    return figure


def _cell_names(result: RFMResult) -> list[list[str]]:
    """Name each cell by its segment, where money does not divide the cell; by row of frequency."""
    if result.table is None:
        return []
    scores = range(1, result.bins + 1)
    rows: list[list[str]] = []
    for f in scores:
        row: list[str] = []
        for r in scores:
            owners = {s.name for s in result.table for m in scores if s.covers(r, f, m)}
            row.append(plain_text(owners.pop()).replace(" ", "\n", 1) if len(owners) == 1 else "")
        rows.append(row)
    return rows


@styled
def migration_figure(result: MigrationResult) -> Any:
    """Draw which share of each segment is in which segment at the later date, in percent.

    Parameters
    ----------
    result : MigrationResult
        From ``before.migration(after)``.

    Returns
    -------
    matplotlib.figure.Figure
    """
    table = result._tidy()
    rows, columns = (list(dict.fromkeys(table[name])) for name in ("segment_before", "segment_after"))
    # the same order on both sides, those without orders last
    order = [name for name in dict.fromkeys([*rows, *columns]) if name is not None]
    rows, columns = (
        [*(n for n in order if n in side), *([None] if None in side else [])] for side in (rows, columns)
    )
    shares = np.zeros((len(rows), len(columns)))
    for row in table.rows():
        shares[rows.index(row["segment_before"]), columns.index(row["segment_after"])] = 100 * row["share"]
    figure = new_figure(2.8 + 0.75 * len(columns), 2.2 + 0.45 * len(rows))
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=160, aspect="auto")  # pale enough for dark figures
    for i, j in zip(*np.nonzero(shares), strict=True):
        axes.text(j, i, f"{shares[i, j]:.0f}", ha="center", va="center", fontsize=8, color=INK)
    axes.set_yticks(range(len(rows)), ["(no order yet)" if n is None else plain_text(n) for n in rows])
    labels = ["(no order any more)" if n is None else plain_text(n) for n in columns]
    axes.set_xticks(range(len(columns)), labels, rotation=40, ha="right")
    axes.grid(visible=False)
    axes.set_ylabel(f"segment on {result.before:%Y-%m-%d}")
    axes.set_xlabel(f"segment on {result.after:%Y-%m-%d}")
    axes.set_title("Where customers went, in percent of each row")
    return figure

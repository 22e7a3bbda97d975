"""The figure of dominance: gains beside ever more others, and who gains more than whom."""

from __future__ import annotations

from typing import Any

import numpy as np

from satmodels.drivers.dominance import DominanceResult
from satmodels.plots.style import COLOURS, INK, new_figure, plain_text, styled

MARKS = ("o", "s", "^", "D")


@styled
def dominance_figure(result: DominanceResult, *, title: str | None = None) -> Any:
    """Draw conditional dominance as lines and complete dominance as a table of shares.

    A line above another throughout: the one dominates the other conditionally. 100 in the table: the
    driver of the row gains more than that of the column beside every set of others.
    """
    rows = sorted(result.estimates.rows(), key=lambda r: -r["general"])
    names = [r["term"] for r in rows]
    p = len(rows)
    figure = new_figure(9.0 + 0.22 * p, max(4.0, 2.2 + 0.3 * p))
    lines, table = figure.subplots(1, 2, width_ratios=[1.1, 1])
    for k, row in enumerate(rows):
        lines.plot(
            range(p),
            [row[f"beside_{s}"] for s in range(p)],
            color=COLOURS[k % len(COLOURS)],
            marker=MARKS[k // len(COLOURS) % len(MARKS)],
            ms=4.5,
            label=f"{plain_text(row['term'])} ({row['general']:.3f})",
        )
    lines.set_ylim(bottom=min(0.0, lines.get_ylim()[0]))
    lines.set_xticks(range(p))
    lines.set_xlabel("others in the regression already")
    lines.set_ylabel("mean gain in R²")
    lines.legend(fontsize=8.5, title="Shapley value", title_fontsize=8.5)
    lines.set_title(title or f"Drivers of {plain_text(result.outcome)}, R² = {result.r2:.2f}")
    share = np.full((p, p), np.nan)
    for row in result.complete.rows():
        share[names.index(row["term"]), names.index(row["over"])] = row["share"]
    table.imshow(share, cmap="Blues", vmin=0, vmax=1.8)  # no cell so dark that its number is lost
    for i in range(p):
        for j in range(p):
            if i != j:
                table.text(j, i, f"{share[i, j] * 100:.0f}", ha="center", va="center", color=INK, fontsize=8)
    table.set_yticks(range(p), [plain_text(n) for n in names])
    table.set_xticks(
        range(p), [plain_text(n) for n in names], rotation=45, ha="right", rotation_mode="anchor"
    )
    table.grid(visible=False)
    table.set_title("Gains more than ..., % of sets of others", fontsize=11)
    return figure

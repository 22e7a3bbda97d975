"""The journey map: satisfaction along the touchpoints, pain below it, moments of truth marked."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from satmodels.drivers.journey import JourneyResult
from satmodels.plots.style import BAD, COLOURS, INK, MUTED, new_figure, plain_text, styled

LINE = 14  # characters of a line of a touchpoint's name


@styled
def journey_figure(result: JourneyResult, *, title: str | None = None) -> Any:
    """Draw the journey map.

    The line is satisfaction with its limits, the bars the percent in pain; a point is the larger the more
    customers pass, and the first moment of truth is named.
    """
    rows = list(result.estimates.rows())
    x = np.arange(len(rows))
    figure = new_figure(max(6.5, 1.3 * len(rows) + 1.5), 5.2)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1.3])
    level = [r["satisfaction"] for r in rows]
    upper.plot(x, level, color=COLOURS[0], lw=2, zorder=2)
    for place, row in zip(x, rows, strict=True):
        if row["satisfaction_low"] is not None:
            upper.plot([place] * 2, [row["satisfaction_low"], row["satisfaction_high"]], color=INK, lw=1)
        first = row["rank"] == 1
        colour = BAD if first else COLOURS[0]
        upper.scatter([place], [row["satisfaction"]], s=30 + 220 * row["frequency"], color=colour, zorder=3)
        words = f"{row['satisfaction']:.0f}" + ("\nmoment of truth" if first else "")
        upper.annotate(
            words,
            (place, row["satisfaction"]),
            xytext=(0, 13),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            color=BAD if first else INK,
        )
    upper.set_ylim(0, 108)
    upper.set_xlim(-0.6, len(rows) - 0.4)
    upper.axhline(result.target, color=MUTED, lw=0.8, ls=":")
    if "stage" in rows[0]:
        _stages(upper, [r["stage"] for r in rows])
    upper.set_ylabel("satisfaction, 0 to 100")
    upper.set_title(title or "Customer journey")
    lower.bar(x, [r["pain"] for r in rows], width=0.5, color=BAD, alpha=0.75)
    lower.errorbar(
        x,
        [r["pain"] for r in rows],
        yerr=np.maximum(
            [
                [r["pain"] - r["pain_low"] for r in rows],
                [r["pain_high"] - r["pain"] for r in rows],
            ],
            0,
        ),
        fmt="none",
        ecolor=INK,
        lw=1,
        capsize=2.5,
    )
    lower.set_ylabel("in pain, %")
    lower.invert_yaxis()
    lower.set_xticks(
        x,
        [
            "\n".join(textwrap.wrap(plain_text(r["touchpoint"]), LINE)) + f"\nweight {r['importance']:.0%}"
            for r in rows
        ],
    )
    return figure


def _stages(axes: Any, stages: list[str]) -> None:
    """Part the stages by lines and name each at the foot."""
    start = 0
    for k in range(1, len(stages) + 1):
        if k == len(stages) or stages[k] != stages[start]:
            axes.axvline(k - 0.5, color=MUTED, lw=0.6)
            axes.text(
                (start + k - 1) / 2, 3, plain_text(stages[start]), ha="center", color=MUTED, style="italic"
            )
            start = k

"""Performance of items: means or indices with limits, and the lead over a competitor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.drivers.scales import check_on_scale, to_index
from satmodels.statistics.intervals import quantile
from satmodels.statistics.moments import Moments
from satmodels.survey.scale import Scale

Array = NDArray[np.float64]


def performance_of(
    moments: Moments, scales: tuple[Scale, ...] | None, level: float
) -> tuple[Array, Array, Array]:
    """Return the means of all columns (0..100 with scales) and their Student limits."""
    n = moments.n_eff if moments.weighted else float(moments.n)
    half = float(quantile(level, max(n - 1, 1.0))) * moments.std / np.sqrt(n)
    limits = (moments.mean, moments.mean - half, moments.mean + half)
    if scales is None:
        return limits
    check_on_scale(moments.mean, scales, moments.columns)
    mean, low, high = (to_index(v, scales) for v in limits)
    return mean, np.maximum(low, 0.0), np.minimum(high, 100.0)


def with_lead(
    rows: list[dict[str, Any]],
    moments: Moments,
    names: Sequence[str],
    scales: tuple[Scale, ...] | None,
    competitor: Any,
    level: float,
) -> list[dict[str, Any]]:
    """Add the competitor's performance and the lead over it, with Welch's limits."""
    if competitor is None:
        return rows
    other = competitor if isinstance(competitor, Moments) else Moments.collect(competitor, names)
    ours, theirs = moments.select(names), other.select(names)
    means = [performance_of(m, scales, level)[0] for m in (ours, theirs)]
    width = np.ones(len(names)) if scales is None else np.array([100 / (s.high - s.low) for s in scales])
    sizes = [m.n_eff if m.weighted else float(m.n) for m in (ours, theirs)]
    parts = [(m.std * width) ** 2 / n for m, n in zip((ours, theirs), sizes, strict=True)]
    together = parts[0] + parts[1]
    df = together**2 / (parts[0] ** 2 / (sizes[0] - 1) + parts[1] ** 2 / (sizes[1] - 1))
    half = quantile(level, df) * np.sqrt(together)
    lead = means[0] - means[1]
    for j, row in enumerate(rows):
        row |= {
            "competitor": means[1][j],
            "lead": lead[j],
            "lead_low": lead[j] - half[j],
            "lead_high": lead[j] + half[j],
        }
    return rows

"""The four quadrants of the importance-performance map, and where their cross-hairs stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError
from satmodels.statistics.moments import Moments
from satmodels.survey.scale import Scale

Array = NDArray[np.float64]

CUTS = ("mean", "median", "scale")
QUADRANTS = {  # (important, performs well)
    (True, False): "concentrate here",
    (True, True): "keep up the good work",
    (False, False): "low priority",
    (False, True): "possible overkill",
}


def map_rows(
    key: dict[str, Any],
    names: Sequence[str],
    importance: tuple[Array, Array, Array],
    performance: tuple[Array, Array, Array],
    gap: Array | None,
    cut: str | tuple[float, float],
    scales: tuple[Scale, ...] | None,
    moments: Moments,
) -> list[dict[str, Any]]:
    """Set the cross-hairs of one group, and return its rows."""
    cuts = cross_hairs(importance[0], performance[0], cut, scales, stated=gap is not None)
    return rows_of(key, names, importance, performance, gap, cuts, (moments.n, moments.n_dropped))


def rows_of(
    key: dict[str, Any],
    names: Sequence[str],
    importance: tuple[Array, Array, Array],
    performance: tuple[Array, Array, Array],
    gap: Array | None,
    cuts: tuple[float, float],
    n: tuple[int, int],
) -> list[dict[str, Any]]:
    """Return one row per item with its quadrant and its distance from the diagonal."""
    across, up = cuts
    priority = _standard(importance[0]) - _standard(performance[0])
    return [
        {
            **key,
            "term": name,
            "importance": importance[0][j],
            "importance_low": importance[1][j],
            "importance_high": importance[2][j],
            "performance": performance[0][j],
            "performance_low": performance[1][j],
            "performance_high": performance[2][j],
            "gap": None if gap is None else gap[j],
            "priority": priority[j],
            "quadrant": QUADRANTS[bool(importance[0][j] >= across), bool(performance[0][j] >= up)],
            "importance_cut": across,
            "performance_cut": up,
            "n": n[0],
            "n_missing": n[1],
        }
        for j, name in enumerate(names)
    ]


def cross_hairs(
    importance: Array,
    performance: Array,
    cut: str | tuple[float, float],
    scales: tuple[Scale, ...] | None,
    *,
    stated: bool,
) -> tuple[float, float]:
    """Return where importance and performance are cut."""
    if not isinstance(cut, str):
        return float(cut[0]), float(cut[1])
    if cut == "scale":
        if scales is None:
            raise ArgumentError("cut='scale' needs the scale= of the items")
        return 50.0 if stated else float(importance.mean()), 50.0
    middle = np.mean if cut == "mean" else np.median
    return float(middle(importance)), float(middle(performance))


def _standard(values: Array) -> Array:
    spread = values.std()
    return (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)

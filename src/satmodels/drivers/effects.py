"""What priorities need to know of drivers: their effect on the outcome and their performance, on 0..100.

It comes from a driver analysis, or from any structural result that offers ``effects()`` and ``index()``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from satmodels.drivers.key_drivers import KeyDriversResult
from satmodels.drivers.regression import DriverRegression
from satmodels.drivers.scales import as_scales, check_on_scale, to_index
from satmodels.errors import ArgumentError
from satmodels.survey.scale import Scale

Array = NDArray[np.float64]


@dataclass(frozen=True)
class DriverEffects:
    """Effects of drivers on an outcome.

    Attributes
    ----------
    outcome : str
        The outcome.
    drivers : tuple of str
        The drivers.
    effect : ndarray, shape (p,)
        Points of the outcome per point of the driver, both on 0..100.
    cov : ndarray, shape (p, p)
        Covariance matrix of the effects; NaN where it is not known.
    performance : ndarray, shape (p,)
        Performance of the drivers, 0..100.
    outcome_index : float
        The outcome itself, 0..100.
    effect_source, performance_source : str
        Where the numbers come from, in words.
    """

    outcome: str
    drivers: tuple[str, ...]
    effect: Array
    cov: Array
    performance: Array
    outcome_index: float
    effect_source: str
    performance_source: str


def effects_of_regression(
    result: KeyDriversResult, scale: Scale | Mapping[str, Scale] | None
) -> DriverEffects:
    """Read the effects of a driver analysis: its regression coefficients, brought to 0..100."""
    if len(result.moments) != 1:
        raise ArgumentError(
            f"this driver analysis has {len(result.moments)} groups: analyse one group at a time"
        )
    if scale is None:
        raise ArgumentError(
            "room to improve needs the scale= of the answers, for example Scale(1, 10); {column: Scale} where "
            "the outcome and the drivers differ"
        )
    regression = DriverRegression.of(result.moments[0], result.outcome, result.drivers)
    names = (*regression.drivers, regression.outcome)
    scales = as_scales(scale, names) or ()
    check_on_scale(regression.moments.mean, scales, names)
    width = np.array([s.high - s.low for s in scales], dtype=float)
    unit = width[:-1] / width[-1]
    index = to_index(regression.moments.mean, scales)
    n = f"n={regression.moments.n}"
    return DriverEffects(
        outcome=result.outcome,
        drivers=result.drivers,
        effect=regression.slope * unit,
        cov=regression.slope_cov * np.outer(unit, unit),
        performance=index[:-1],
        outcome_index=float(index[-1]),
        effect_source=f"regression of {result.outcome!r} on {len(result.drivers)} drivers, {n}",
        performance_source=f"mean answer, {n}",
    )

"""What priorities need to know of drivers: their effect on the outcome and their performance, on 0..100.

It comes from a driver analysis, or from any structural result that offers ``effects()`` and ``index()``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.drivers.influence import normal_cov, quadratic_forms, shapley_gradient
from satmodels.drivers.key_drivers import KeyDriversResult
from satmodels.drivers.regression import DriverRegression
from satmodels.drivers.scales import as_scales, check_on_scale, to_index
from satmodels.drivers.shapley import MAX_EXACT, shapley_r2
from satmodels.errors import ArgumentError, DataError, check_word, unknown
from satmodels.survey.scale import Scale

Array = NDArray[np.float64]

EFFECTS = ("regression", "shapley")
UNCORRELATED = 0.01  # a correlation this small makes Shapley value / correlation meaningless


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
    result: KeyDriversResult, scale: Scale | Mapping[str, Scale] | None, effect: str
) -> DriverEffects:
    """Read the effects of a driver analysis, brought to 0..100.

    ``"regression"``: its coefficients, with robust errors where the analysis has robust limits. ``"shapley"``: net effects, the coefficients b with b r = Shapley
    value (Lipovetsky and Conklin 2001, Applied Stochastic Models in Business and Industry 17(4)); they keep
    the sign of the correlation and do not jump when drivers resemble each other.
    """
    check_word("effect", effect, EFFECTS)
    if len(result.moments) != 1:
        raise ArgumentError(
            f"this driver analysis has {len(result.moments)} groups: analyse one group at a time"
        )
    scale = result.scale if scale is None else scale
    if scale is None:
        raise ArgumentError(
            "room to improve needs the scale= of the answers, for example Scale(1, 10); {column: Scale} where "
            "the outcome and the drivers differ"
        )
    regression = DriverRegression.of(result._careful_moments()[0], result.outcome, result.drivers)
    names = (*regression.drivers, regression.outcome)
    scales = as_scales(scale, names) or ()
    check_on_scale(regression.moments.mean, scales, names)
    width = np.array([s.high - s.low for s in scales], dtype=float)
    unit = width[:-1] / width[-1]
    index = to_index(regression.moments.mean, scales)
    n = f"n={result.moments[0].n}"
    slope = regression.slope
    cov = result.slope_cov[0] if result.slope_cov else regression.slope_cov
    source = f"regression of {result.outcome!r} on {len(result.drivers)} drivers, {n}"
    if effect == "shapley":
        slope, cov = _net_effects(regression)
        source = f"Shapley value / correlation, {source}"
    return DriverEffects(
        outcome=result.outcome,
        drivers=result.drivers,
        effect=slope * unit,
        cov=cov * np.outer(unit, unit),
        performance=index[:-1],
        outcome_index=float(index[-1]),
        effect_source=source,
        performance_source=f"mean answer, {n}",
    )


def _net_effects(regression: DriverRegression) -> tuple[Array, Array]:
    """Return Shapley value / correlation in units of the columns, with its covariance (delta method)."""
    r = regression.r
    if len(r) > MAX_EXACT:
        raise ArgumentError(f"effect='shapley' takes at most {MAX_EXACT} drivers")
    if (np.abs(r) < UNCORRELATED).any():
        name = regression.drivers[int(np.argmin(np.abs(r)))]
        raise DataError(
            f"{name!r} does not correlate with {regression.outcome!r}: its net effect is no number. Leave it out.",
            columns=[name],
        )
    values = shapley_r2(regression.corr, r)
    gradient = shapley_gradient(regression.joint) / r[:, None, None]
    places = np.arange(len(r))
    # each correlation stands twice in the symmetric gradient
    gradient[places, places, -1] -= values / r**2 / 2
    gradient[places, -1, places] -= values / r**2 / 2
    forms = quadratic_forms(gradient, regression.joint)
    # the ratio of the standard deviations is estimated from the same answers
    forms[places, -1, -1] += values / r / 2
    forms[places, places, places] -= values / r / 2
    df = max(regression.n - len(r) - 1, 1.0)
    cov = normal_cov(forms, regression.joint, df)
    std = regression.moments.std
    scale = std[-1] / std[:-1]
    return values / r * scale, cov * np.outer(scale, scale)


def effects_of_structure(
    result: Any, outcome: str | None, drivers: Sequence[str] | None, scale: Any, bootstrap: Any
) -> DriverEffects:
    """Read the total effects of a fitted structural model, brought to points of the 0..100 indices.

    Without a bootstrap of the model the effects have no standard errors.
    """
    if outcome is None:
        raise ArgumentError("which construct is to rise? Give outcome=")
    table = {(e["source"], e["target"]): float(e["total"]) for e in result.effects().to_dict("records")}
    index = {row["construct"]: row for row in result.index(scale).to_dict("records")}
    if outcome not in index:
        raise unknown("construct", outcome, index)
    sources = [source for source, target in table if target == outcome]
    names = tuple(sources if drivers is None else drivers)
    for name in names:
        if name not in sources:
            raise unknown(f"construct with an effect on {outcome!r}", name, sources)
    if not names:
        raise ArgumentError(f"no construct has an effect on {outcome!r}")
    unit = np.array([index[outcome]["std_dev"] / index[name]["std_dev"] for name in names])
    cov = np.full((len(names), len(names)), np.nan)
    if bootstrap is not None:
        columns = list(bootstrap.names)
        wanted = [(outcome, "total", name) for name in names]
        if not set(wanted) <= set(columns):
            raise ArgumentError(
                "this bootstrap is of another model: it lacks the total effects on the outcome"
            )
        draws = np.asarray(bootstrap.values, dtype=float)[:, [columns.index(name) for name in wanted]]
        draws = draws[~np.isnan(draws).any(axis=1)]
        cov = np.atleast_2d(np.cov(draws, rowvar=False)) * np.outer(unit, unit)
    return DriverEffects(
        outcome=outcome,
        drivers=names,
        effect=np.array([table[name, outcome] for name in names]) * unit,
        cov=cov,
        performance=np.array([float(index[name]["estimate"]) for name in names]),
        outcome_index=float(index[outcome]["estimate"]),
        effect_source=f"total effects of {result!r}",
        performance_source="construct index",
    )

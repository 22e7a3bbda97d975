"""The plan's own numbers (Kano classes, lift, reach, cost, elasticity), and where every number comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.drivers.effects import DriverEffects
from satmodels.errors import ArgumentError, as_number, one_of, unknown
from satmodels.results import Table

Array = NDArray[np.float64]

CATEGORIES = ("A", "O", "M", "I", "R", "Q")  # of Kano, as the sibling folder names them


def categories_of(
    names: tuple[str, ...], kano: Any, features: Mapping[str, str] | None
) -> tuple[str | None, ...]:
    """Return the Kano category of each driver, None where nothing is known."""
    if kano is None:
        return (None,) * len(names)
    known = kano if isinstance(kano, Mapping) else getattr(kano, "categories", None)
    if not isinstance(known, Mapping):
        raise ArgumentError(f"kano is {type(kano).__name__}: give a KanoResult, or {{driver: category}}")
    for name, category in known.items():
        if category is not None and category not in CATEGORIES:
            raise one_of(f"the Kano category of {name!r}", category, CATEGORIES)
    features = features or {}
    for driver, feature in features.items():
        if driver not in names:
            raise unknown("driver", driver, names)
        if feature not in known:
            raise unknown("Kano feature", feature, known)
    wanted = {features.get(name, name) for name in names}
    if isinstance(kano, Mapping):
        for name in known:
            if name not in wanted:
                raise unknown("driver", name, names)
    elif not wanted & set(known):
        raise ArgumentError(
            f"no Kano feature bears the name of a driver: give features={{driver: feature}}. Drivers: "
            f"{list(names)}; features: {list(known)}"
        )
    return tuple(known.get(features.get(name, name)) for name in names)


def per_driver(
    value: float | Mapping[str, float], names: tuple[str, ...], what: str, low: float, high: float
) -> Array:
    """Return a number per driver, checked against its range."""
    if isinstance(value, Mapping):
        for name in value:
            if name not in names:
                raise unknown("driver", name, names)
        if lacking := [n for n in names if n not in value]:
            raise ArgumentError(f"{what} has nothing for {lacking}")
        array = np.array([as_number(what, value[n]) for n in names])
    else:
        array = np.full(len(names), as_number(what, value))
    if not np.isfinite(array).all() or (array < low).any() or (array > high).any():
        limits = f"between {low:g} and {high:g}" if np.isfinite(high) else f"at least {low:g} and finite"
        raise ArgumentError(f"{what} must be {limits}; given {array.tolist()}")
    return array


def value_of_gain(
    gain: Array,
    std_error: Array,
    index: float,
    elasticity: float | tuple[float, float] | None,
    base: float,
    z: float,
) -> dict[str, Array]:
    """Turn points of the outcome into money: base x elasticity x relative rise, errors by the delta method."""
    if elasticity is None:
        return {}
    pair = elasticity if isinstance(elasticity, tuple) else (elasticity, 0.0)
    if len(pair) != 2:
        raise ArgumentError(f"elasticity={elasticity!r}: give a number, or (number, standard error)")
    e, se = as_number("elasticity", pair[0]), as_number("standard error of the elasticity", pair[1], 0)
    base = as_number("base", base)
    if index <= 0:
        raise ArgumentError("the outcome stands at 0: a relative change of it has no meaning")
    value = base * e * gain / index
    half = z * np.abs(base / index) * np.hypot(e * std_error, se * gain)
    return {"value": value, "value_low": value - half, "value_high": value + half}


def sources_of(effects: DriverEffects, rows: list[dict[str, Any]], elasticity: Any, kano: Any) -> Table:
    """Say of every number in the rows where it comes from."""
    lines: list[dict[str, Any]] = []
    said = {
        "performance": effects.performance_source + ", on 0..100",
        "room": "100 - performance",
        "effect": effects.effect_source + ", on 0..100",
        "lift": "share given x room",
        "reach": "given",
        "gain": "effect x lift x reach",
        "cost": "given",
        "gain_per_cost": "gain / cost",
        "category": "none given" if kano is None else "given" if isinstance(kano, Mapping) else repr(kano),
        "value": f"base x elasticity x gain / {effects.outcome_index:.2f}; elasticity given: {elasticity!r}",
    }
    for row in rows:
        for quantity, source in said.items():
            if quantity in row:
                shown = row[quantity]
                lines.append(
                    {
                        "term": row["term"],
                        "quantity": quantity,
                        "value": shown
                        if isinstance(shown, str)
                        else None
                        if shown is None
                        else f"{shown:.6g}",
                        "source": source,
                    }
                )
    return Table.from_records(lines, ("term", "quantity", "value", "source"))

"""Satisfaction indices from 0 to 100: what the national indices publish.

The index of a construct is the weighted mean of its items on their 0-100 scale, with the outer
weights for *unstandardised* answers, made to sum to 1:

    v_i = (w_i / s_i) / sum_h (w_h / s_h),    index = sum_i v_i (mean_i - low_i) / (high_i - low_i) * 100

after Fornell, Johnson, Anderson, Cha and Bryant (1996), Journal of Marketing 60(4), appendix. With
standardised weights the same data can give an index that differs by more than half a standard error.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from satmodels.errors import ArgumentError, SatmodelsWarning, SchemaError
from satmodels.results import Table
from satmodels.sem.model.spec import ModelSpec
from satmodels.sem.summary import GroupSummary

Array = NDArray[np.float64]


def index_weights(weights: Array, std: Array) -> Array:
    """Return the weights of unstandardised answers, with sum 1, from outer weights of standardised ones.

    Parameters
    ----------
    weights, std : ndarray, shape (items, ...)
        Outer weights and standard deviations of one construct's items.

    Examples
    --------
    >>> index_weights(np.array([0.4, 0.4]), np.array([1.0, 2.0])).round(3).tolist()
    [0.667, 0.333]
    """
    raw = weights / std
    return raw / raw.sum(axis=0)


def index_table(g: GroupSummary, spec: ModelSpec, scale: Any = None) -> Table:
    """Return ``construct, estimate, std_dev``: the index and the standard deviation among respondents."""
    items = [item for j in range(len(g.constructs)) for item in g.items[j]]
    limits = item_scales(items, spec, scale)
    records: list[dict[str, Any]] = []
    cov = g.moments.cov
    for j, name in enumerate(g.constructs):
        block = g.block(j)
        if not block:
            continue
        low, span = _low_and_span(g.items[j], limits)
        _check_on_scale(g, block, low, span)
        v = index_weights(g.weights[block, j], g.moments.std[block]) * 100 / span
        records.append(
            {
                "construct": name,
                "estimate": float(v @ (g.moments.mean[block] - low)),
                "std_dev": float(np.sqrt(v @ cov[np.ix_(block, block)] @ v)),
            }
        )
    return Table.from_records(records, ("construct", "estimate", "std_dev"))


def warn_beyond_scale(g: GroupSummary) -> None:
    """Warn where negative weights let an index leave 0 to 100."""
    for j, name in enumerate(g.constructs):
        if block := g.block(j):
            v = index_weights(g.weights[block, j], g.moments.std[block])
            negative = [item for item, share in zip(g.items[j], v, strict=True) if share < 0]
            if negative:
                low, high = 100 * v[v < 0].sum(), 100 * v[v > 0].sum()
                warnings.warn(
                    f"the index of {name} can run from {low:.0f} to {high:.0f}: the weights of {negative} are negative. "
                    "Turn answers that run the other way round (low + high - answer), or leave them out.",
                    SatmodelsWarning,
                    stacklevel=5,
                )


def index_responses(g: GroupSummary, spec: ModelSpec, scale: Any = None) -> Array:
    """Return by how many points each index answers to one standard deviation of its construct, (constructs,).

    Of a composite whose items share a scale this is the standard deviation of its index; of a common factor only
    the part of it that is no measurement error. 1 where a construct has no items of its own.
    """
    limits = item_scales([item for items in g.items for item in items], spec, scale)
    found = np.ones(len(g.constructs))
    for j, items in enumerate(g.items):
        if block := g.block(j):
            _, span = _low_and_span(items, limits)
            std = g.moments.std[block]
            found[j] = index_weights(g.weights[block, j], std) * 100 / span @ (std * g.loadings[block, j])
    return found


def index_rows(
    g: GroupSummary, spec: ModelSpec, scale: Any, errors: Mapping[str, Array], level: float
) -> list[dict[str, Any]]:
    """Return the rows of :func:`index_table` with standard errors and limits.

    Parameters
    ----------
    g : GroupSummary
    spec : ModelSpec
    scale : Scale, (low, high), or mapping of item to either, optional
    errors : mapping of construct to ndarray, shape (2 items, 2 items)
        Covariance matrix of the means and of the normalised weights of its items.
    level : float
    """
    items = [item for j in range(len(g.constructs)) for item in g.items[j]]
    limits = item_scales(items, spec, scale)
    z = float(special.ndtri((1 + level) / 2))
    records: list[dict[str, Any]] = []
    for row in index_table(g, spec, scale).rows():
        j = g.constructs.index(row["construct"])
        block = g.block(j)
        low, span = _low_and_span(g.items[j], limits)
        found: dict[str, Any] = dict.fromkeys(("std_error", "conf_low", "conf_high"))
        if row["construct"] in errors:
            v = index_weights(g.weights[block, j], g.moments.std[block])
            slope = np.concatenate([v / span, (g.moments.mean[block] - low) / span]) * 100
            error = float(np.sqrt(slope @ errors[row["construct"]] @ slope))
            centre = row["estimate"]
            found = {"std_error": error, "conf_low": centre - z * error, "conf_high": centre + z * error}
        records.append(
            {"construct": row["construct"], "estimate": row["estimate"], **found, "std_dev": row["std_dev"]}
        )
    return records


def item_scales(items: list[str], spec: ModelSpec, scale: Any = None) -> dict[str, tuple[float, float]]:
    """Return the lowest and highest answer of every item.

    Parameters
    ----------
    items : list of str
    spec : ModelSpec
        Its ``scales`` are taken where ``scale`` says nothing.
    scale : Scale, (low, high), or mapping of item to either, optional
        One scale for all items, or one for each.

    Raises
    ------
    ArgumentError
        An item has no scale, or a scale does not run from low to high.
    """
    if scale is None or isinstance(scale, Mapping):
        given = {} if scale is None else {str(k): _limits(v) for k, v in scale.items()}
        known = {**spec.scales, **given}
    else:
        known = dict.fromkeys(items, _limits(scale))
    if lacking := [item for item in items if item not in known]:
        raise ArgumentError(
            f"an index from 0 to 100 needs the answer scale of {lacking}: give scale=(low, high), "
            "scale={item: (low, high)}, or a model from a survey."
        )
    return {item: known[item] for item in items}


def _limits(scale: Any) -> tuple[float, float]:
    try:
        low, high = (scale.low, scale.high) if hasattr(scale, "low") else scale
        low, high = float(low), float(high)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"scale={scale!r} is no scale: give (low, high) or a Scale") from error
    if not (np.isfinite([low, high]).all() and low < high):
        raise ArgumentError(f"scale={scale!r}: a scale runs from its lowest to its highest answer")
    return low, high


def _low_and_span(items: tuple[str, ...], limits: Mapping[str, tuple[float, float]]) -> tuple[Array, Array]:
    low = np.array([limits[i][0] for i in items])
    return low, np.array([limits[i][1] for i in items]) - low


def _check_on_scale(g: GroupSummary, block: list[int], low: Array, span: Array) -> None:
    """Raise where a mean lies off the scale: then answers do, even if only moments are at hand."""
    for place, bottom, width in zip(block, low, span, strict=True):
        mean = float(g.moments.mean[place])
        if not bottom <= mean <= bottom + width:
            item = g.moments.columns[place]
            raise SchemaError(
                f"column {item!r} has the mean {mean:.4g}, off its scale {bottom:g}..{bottom + width:g}. "
                "Correct the scale, or declare codes such as 99 as missing.",
                column=item,
                value=mean,
                rule=f"{bottom:g}..{bottom + width:g}",
            )

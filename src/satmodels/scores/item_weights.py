"""The weights of an index's items: equal, stated, derived from drivers, or from a structural model."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, ImproperSolutionWarning, one_of, unknown
from satmodels.results import Result
from satmodels.statistics.moments import Moments

Array = NDArray[np.float64]
STEP = 1e-4  # of a central difference, in standard deviations; its error is of the order of the square
FINE_TOLERANCE = 1e-12  # of an iteration whose result is differentiated


@dataclass(frozen=True)
class EstimatedWeights:
    """Weights that were estimated from data, and how they follow from its moments.

    Attributes
    ----------
    moments : Moments
        Moments of the columns they come from.
    gradient : callable
        Returns the gradients (items, columns, columns), symmetric, of the weights in the covariances.
    filled : bool
        Whether missing answers were replaced by the means of their columns.
    """

    moments: Moments
    gradient: Callable[[], Array]
    filled: bool = False


def estimated_weights(weights: Any, items: tuple[str, ...]) -> EstimatedWeights | str | None:
    """Return how weights depend on the data they come from; a text why that is not known; None if they are given.

    Parameters
    ----------
    weights, items
        As in :func:`item_weights`.
    """
    if hasattr(weights, "share_forms"):
        if weights.missing != "drop" or weights.method == "logit":
            return "they don't follow from complete rows and their moments"
        return EstimatedWeights(weights.moments[0], lambda: _of_standardised(weights, items))
    if hasattr(weights, "result_"):
        if any(getattr(weights, name, None) for name in ("ordered", "group", "cluster")):
            return "the model has ordered answers, groups or clusters"
        moments = weights.result_.groups[0].moments
        filled = weights.missing == "mean"
        return EstimatedWeights(moments, lambda: _numeric_gradient(weights, moments, items), filled)
    if hasattr(weights, "groups") and hasattr(weights, "spec"):
        return "give the fitted model, and not its result, to carry their uncertainty"
    return None


def _of_standardised(result: Any, items: tuple[str, ...]) -> Array:
    """Turn the quadratic forms of standardised answers into gradients in the covariances."""
    moments: Moments = result.moments[0]
    deviation = np.sqrt(np.diag(moments.scatter) / moments.sum_w)
    forms = result.share_forms() / np.outer(deviation, deviation)
    return forms[[result.drivers.index(item) for item in items]]


def _numeric_gradient(model: Any, moments: Moments, items: tuple[str, ...]) -> Array:
    """Refit the model to moments a small step away, on both sides."""
    deviation = np.sqrt(np.diag(moments.scatter) / moments.sum_w)
    p = len(deviation)
    gradient = np.zeros((len(items), p, p))
    for a in range(p):
        for b in range(a + 1):
            step = STEP * deviation[a] * deviation[b]
            ends: list[Array] = []
            for sign in (1.0, -1.0):
                scatter = moments.scatter.copy()
                scatter[a, b] += sign * step * moments.sum_w
                scatter[b, a] = scatter[a, b]
                ends.append(item_weights(_refitted(model, replace(moments, scatter=scatter)), items))
            slope = (ends[0] - ends[1]) / (2 * step)
            # an entry off the diagonal stands at two places, each of which gets half
            gradient[:, a, b] = gradient[:, b, a] = slope if a == b else slope / 2
    return gradient


def _refitted(model: Any, moments: Moments) -> Any:
    """Fit the same model to other moments; robust maximum likelihood has the estimates of plain one."""
    settings = model.get_params(deep=False)
    if settings.get("estimator") in ("MLR", "MLM"):
        settings["estimator"] = "ML"
    if "tol" in settings:
        settings["tol"] = min(settings["tol"], FINE_TOLERANCE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImproperSolutionWarning)  # said when the model was fitted
        return type(model)(**settings).fit(moments)


def item_weights(weights: Any, items: tuple[str, ...]) -> Array:
    """Return the weights of the items, summing to 1.

    Parameters
    ----------
    weights : "equal", mapping, result or fitted model
        A mapping is ``{item: weight}``. A result of :func:`satmodels.key_drivers` gives each item its
        share of the explained variance; a structural model, or its result, the outer weights of the
        construct that has these items, turned into weights of unstandardised answers, w / s (Fornell
        et al. 1996).
    items : tuple of str
        The items.

    Raises
    ------
    ArgumentError
        An item has no weight, or a weight is negative or no number, or all are 0.
    """
    if isinstance(weights, str):
        if weights != "equal":
            raise one_of("weights", weights, ("equal",))
        return np.full(len(items), 1 / len(items))
    if hasattr(weights, "fit") and hasattr(weights, "get_params"):
        if not hasattr(weights, "result_"):
            raise ArgumentError(f"weights: this {type(weights).__name__} is not fitted yet: call fit() first")
        weights = weights.result_
    if hasattr(weights, "groups") and hasattr(weights, "spec"):
        given = _of_model(weights, items)
    elif isinstance(weights, Result):
        given = _of_drivers(weights)
    elif isinstance(weights, Mapping):
        given = dict(weights)
    else:
        raise ArgumentError(
            'weights: give "equal", a mapping {item: weight}, the result of key_drivers, or a structural model or '
            "its result; bare numbers could be mixed up"
        )
    for name in given:
        if name not in items:
            raise unknown("item of this index:", name, items)
    if lacking := [c for c in items if c not in given]:
        raise ArgumentError(f"weights: there is none for {lacking}")
    try:
        share = np.array([float(given[c]) for c in items])
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"weights: {error}") from error
    if not np.isfinite(share).all() or (share < 0).any() or share.sum() <= 0:
        shown = dict(zip(items, share.tolist(), strict=True))
        raise ArgumentError(f"weights={shown!r}: each is a finite number of at least 0, and one is above 0")
    return share / share.sum()


def _of_drivers(result: Result) -> dict[str, float]:
    table = result._tidy()
    if "term" not in table or "share" not in table or "outcome" in table:
        raise ArgumentError(f"a {type(result).__name__} gives no weights: there is no share per item in it")
    if len(set(table["term"])) < len(table):
        raise ArgumentError("this driver analysis has groups: weigh the index of one group at a time")
    return dict(zip(table["term"], table["share"], strict=True))


def _of_model(result: Any, items: Sequence[str]) -> dict[str, float]:
    groups: Sequence[Any] = result.groups
    if len(groups) != 1:
        raise ArgumentError("the model has several groups: fit one model for the weights of an index")
    summary = groups[0]
    for j, block in enumerate(summary.items):
        if set(block) == set(items):
            places = [summary.moments.columns.index(item) for item in block]
            raw = np.asarray(summary.weights)[places, j] / np.asarray(summary.moments.std)[places]
            return dict(zip(block, raw.tolist(), strict=True))
    blocks = {name: list(b) for name, b in zip(summary.constructs, summary.items, strict=True)}
    raise ArgumentError(f"no construct of the model has exactly the items {list(items)}; there is {blocks}")

"""Importance-performance map analysis: where a point of improvement lifts the target most."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, one_of, unknown
from satmodels.intake.library import FrameLibrary
from satmodels.results import FrameBuilder, Result, Table
from satmodels.sem.assessment.effects import reachable, total_effects
from satmodels.sem.index import index_responses, index_table, index_weights, item_scales
from satmodels.sem.result import SEMResult
from satmodels.sem.summary import GroupSummary

Array = NDArray[np.float64]
COLUMNS = ("term", "construct", "importance", "performance", "total_effect")


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class IPMAResult(Result):
    """Result of :func:`ipma`: one row per construct or item.

    ``importance`` is the change of the target's index, in points, when the index of the construct (or
    the answer to the item, on its 0-100 scale) rises by one point; ``performance`` the index itself;
    ``total_effect`` the standardised total effect of the construct.
    """

    library: FrameBuilder = dataclasses.field(default=FrameLibrary.PANDAS, compare=False)
    rows: Table
    target: str
    level: str
    kind: ClassVar[str] = "ipma"

    def _tidy(self) -> Table:
        return self.rows

    def _glance(self) -> Mapping[str, Any]:
        return {"target": self.target, "level": self.level, "terms": len(self.rows)}


@checked
def ipma(
    result: SEMResult,
    target: str,
    *,
    level: Literal["construct", "item"] = "construct",
    scale: Any = None,
    group: object = None,
) -> IPMAResult:
    """Set the importance of each construct for a target against its performance.

    Parameters
    ----------
    result : SEMResult
        A fitted model.
    target : str
        The construct to improve, for example "Satisfaction".
    level : {"construct", "item"}, default "construct"
        One row for each construct with an effect on the target, or for each of their items.
    scale : Scale, (low, high) or mapping, optional
        Answer scales; by default those of the model.
    group : object, optional
        Which group; needed where the model has groups.

    Returns
    -------
    IPMAResult

    Notes
    -----
    Importance is the unstandardised total effect on the 0-100 scale; an item's is its share of the
    index (its weight for unstandardised answers) times that of its construct. Where constructs are common factors
    (consistent PLS, CBSEM) the indices move by what the factors move, not by measurement error.

    References
    ----------
    .. [1] Ringle, C. M. and Sarstedt, M. (2016). Gain more insight from your PLS-SEM results: the
       importance-performance map analysis. Industrial Management & Data Systems 116(9), 1865-1886.

    Examples
    --------
    >>> import satmodels as sat
    >>> study = sat.datasets.load_ecsi()
    >>> result = sat.PLSPM(study.spec).fit(study.moments).result_
    >>> sat.ipma(result, "Satisfaction", scale=study.scale).tidy()[
    ...     ["term", "importance", "performance"]
    ... ].round(2)
              term  importance  performance
    0        Image        0.41        73.53
    1  Expectation        0.43        72.47
    2      Quality        0.64        74.98
    3        Value        0.14        62.35
    """
    if level not in ("construct", "item"):
        raise one_of("level", level, ("construct", "item"))
    g = result._group(group)
    if target not in g.constructs:
        raise unknown("construct", target, g.constructs)
    at = g.constructs.index(target)
    effects, acts = total_effects(g.paths), reachable(g.paths)[at]
    index = {row["construct"]: row for row in index_table(g, result.spec, scale).rows()}
    if target not in index:
        raise ArgumentError(f"{target!r} has no items of its own, and so no index that could be improved")
    responses = index_responses(g, result.spec, scale)
    rows: list[dict[str, Any]] = []
    for j, name in enumerate(g.constructs):
        if not acts[j] or name not in index:
            continue
        effect = float(effects[at, j])
        points = effect * float(responses[at] / responses[j])
        if level == "construct":
            performance = index[name]["estimate"]
            rows.append(_row(name, name, points, performance, effect))
        else:
            rows += _item_rows(result, g, j, scale, points, effect)
    if not rows:
        raise ArgumentError(f"no construct has an effect on {target!r}: choose an endogenous construct")
    return IPMAResult(rows=Table.from_records(rows, COLUMNS), target=target, level=level)


def _row(term: str, construct: str, importance: float, performance: float, effect: float) -> dict[str, Any]:
    return {
        "term": term,
        "construct": construct,
        "importance": importance,
        "performance": performance,
        "total_effect": effect,
    }


def _item_rows(
    result: SEMResult, g: GroupSummary, construct: int, scale: Any, points: float, effect: float
) -> list[dict[str, Any]]:
    items = g.items[construct]
    limits = item_scales(list(items), result.spec, scale)
    block = g.block(construct)
    share = index_weights(g.weights[block, construct], g.moments.std[block])
    rows: list[dict[str, Any]] = []
    for item, place, v in zip(items, block, share, strict=True):
        low, high = limits[item]
        performance = float(g.moments.mean[place] - low) / (high - low) * 100
        rows.append(_row(item, g.constructs[construct], float(v) * points, performance, effect))
    return rows

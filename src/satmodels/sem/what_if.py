"""What if: raise one index by some points, and see what the model expects of the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, unknown
from satmodels.intake.library import FrameLibrary
from satmodels.results import FrameBuilder, Result, Table
from satmodels.sem.bootstrap import BootstrapResult
from satmodels.sem.index import index_responses, index_table
from satmodels.sem.result import SEMResult

Array = NDArray[np.float64]
COLUMNS = ("term", "estimate", "std_error", "conf_low", "conf_high", "index_before", "index_after")


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class WhatIfResult(Result):
    """Result of :func:`what_if`: one row per construct; ``estimate`` is the change in index points."""

    library: FrameBuilder = dataclasses.field(default=FrameLibrary.PANDAS, compare=False)
    rows: Table
    changes: dict[str, float]
    level: float | None
    kind: ClassVar[str] = "what_if"

    def _tidy(self) -> Table:
        return self.rows

    def _glance(self) -> Mapping[str, Any]:
        changes = ", ".join(f"{name} {points:+g}" for name, points in self.changes.items())
        return {"changes": changes, "level": self.level}


@checked
def what_if(
    result: SEMResult | BootstrapResult, changes: Mapping[str, float], *, scale: Any = None
) -> WhatIfResult:
    """Change indices and follow the arrows of the model.

    Parameters
    ----------
    result : SEMResult or BootstrapResult
        A fitted model; from a bootstrap (with the answer scales) the changes have intervals.
    changes : mapping of construct to points
        ``{"Quality": 5}``: the index of Quality is raised by 5 points of its 0-100 scale. Constructs
        named here are set to their new value: arrows into them have no say.
    scale : Scale, (low, high) or mapping, optional
        Answer scales, for a SEMResult; by default those of the model.

    Returns
    -------
    WhatIfResult

    Notes
    -----
    The answer holds for the model: that its arrows are causes is what the analyst claims, not what the
    data shows. The step from standardised paths to points is exact where the items of a construct share
    one scale. Where constructs are common factors (consistent PLS, CBSEM) an index is raised by raising its factor,
    and the others answer to theirs: measurement error moves nothing.

    Examples
    --------
    >>> import satmodels as sat
    >>> study = sat.datasets.load_ecsi()
    >>> result = sat.PLSPM(study.spec).fit(study.moments).result_
    >>> found = sat.what_if(result, {"Quality": 5}, scale=study.scale).tidy()
    >>> found[["term", "estimate"]].round(2).iloc[2:5]
               term  estimate
    2       Quality      5.00
    3         Value      4.05
    4  Satisfaction      3.20
    """
    if isinstance(result, BootstrapResult):
        slopes, index, names = _from_bootstrap(result)
    elif isinstance(result, SEMResult):
        slopes, index, names = _from_result(result, scale)
    else:
        raise ArgumentError(
            f"what_if takes a fitted model's result_ or a bootstrap, not {type(result).__name__}"
        )
    if not changes:
        raise ArgumentError('say what changes, for example {"Quality": 5}')
    for name, points in changes.items():
        if name not in names:
            raise unknown("construct", name, names)
        if isinstance(points, bool) or not np.isfinite(points):
            raise ArgumentError(f"changes[{name!r}]={points!r} is no number of points")
    moved = _follow(slopes, {names.index(c): float(p) for c, p in changes.items()})
    rows: list[dict[str, Any]] = []
    tail = (1 - result.level) / 2 if isinstance(result, BootstrapResult) else None
    for j, name in enumerate(names):
        estimate = float(moved[j, 0])
        row: dict[str, Any] = {
            "term": name,
            "estimate": estimate,
            "index_before": index[name],
            "index_after": index[name] + estimate,
        }
        if tail is not None:
            low, high = np.quantile(moved[j, 1:], [tail, 1 - tail])
            row |= {"std_error": moved[j, 1:].std(ddof=1), "conf_low": low, "conf_high": high}
        rows.append(row)
    level = result.level if isinstance(result, BootstrapResult) else None
    return WhatIfResult(
        rows=Table.from_records(rows, COLUMNS),
        changes={name: float(points) for name, points in changes.items()},
        level=level,
    )


def _follow(slopes: Array, changes: Mapping[int, float]) -> Array:
    """Return the changes (constructs, 1 + draws) for slopes (constructs, constructs, 1 + draws)."""
    k = slopes.shape[0]
    slopes = slopes.copy()
    start = np.zeros((k, slopes.shape[2]))
    for j, points in changes.items():
        slopes[j] = 0  # set from outside
        start[j] = points
    # the longest chain has k - 1 arrows: after as many steps nothing moves any more
    moved = start
    for _ in range(k):
        moved = start + np.einsum("tsb,sb->tb", slopes, moved)
    return moved


def _from_result(result: SEMResult, scale: Any) -> tuple[Array, dict[str, float], list[str]]:
    g = result._group(None)
    table = list(index_table(g, result.spec, scale).rows())
    own = {row["construct"] for row in table}
    linked = (g.paths != 0).any(axis=0) | (g.paths != 0).any(axis=1)
    _check_indexed([c for c, joined in zip(g.constructs, linked, strict=True) if joined and c not in own])
    kept = [j for j, c in enumerate(g.constructs) if c in own]
    spread = index_responses(g, result.spec, scale)[kept]
    slopes = g.paths[np.ix_(kept, kept)] * spread[:, None] / spread
    index = {row["construct"]: row["estimate"] for row in table}
    return slopes[:, :, None], index, list(index)


def _check_indexed(lacking: list[str]) -> None:
    if lacking:
        raise ArgumentError(f"{lacking} have no index, so that no change can be followed through them")


def _from_bootstrap(result: BootstrapResult) -> tuple[Array, dict[str, float], list[str]]:
    if "index" not in result.kinds:
        raise ArgumentError("this bootstrap has no indices: run it with scale=(low, high)")
    rows = [row for row in result.quantities.rows() if row["op"] == "index"]
    names = [row["lhs"] for row in rows]
    ends = {end for row in result.parameters.rows() if row["op"] == "~" for end in (row["lhs"], row["rhs"])}
    _check_indexed(sorted(ends - set(names)))
    at = {name: j for j, name in enumerate(names)}
    usable = ~np.isnan(result.values).any(axis=1)
    slopes = np.zeros((len(names), len(names), 1 + int(usable.sum())))
    estimates = {
        (row["lhs"], row["rhs"]): row["estimate"] for row in result.quantities.rows() if row["op"] == "slope"
    }
    for column, (lhs, op, rhs) in enumerate(result.names):
        if op == "slope":
            slopes[at[lhs], at[rhs], 0] = estimates[lhs, rhs]
            slopes[at[lhs], at[rhs], 1:] = result.values[usable, column]
    return slopes, {row["lhs"]: row["estimate"] for row in rows}, names

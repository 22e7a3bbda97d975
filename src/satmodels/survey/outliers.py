"""Answers far from the others: item by item and by segment, with the distance of the whole answer sheet beside.

Robust z-scores follow Iglewicz and Hoaglin (1993, How to Detect and Handle Outliers), fences Tukey (1977,
Exploratory Data Analysis).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, DataError
from satmodels.intake.batches import matrix
from satmodels.intake.frames import open_frame
from satmodels.results import Result, Table
from satmodels.statistics.counts import as_names
from satmodels.survey.careless import MAHALANOBIS_LEVEL, mahalanobis

Array = NDArray[np.float64]

LARGEST_Z = 3.5  # a robust z-score beyond this is an outlier (Iglewicz and Hoaglin 1993)
FENCE = 1.5  # quartile ranges beyond the quartiles (Tukey 1977)
NORMAL_MAD = 0.6744897501960817  # median absolute deviation of the standard normal distribution
NORMAL_MEAN_DEVIATION = 0.7978845608028654  # mean absolute deviation of the same, sqrt(2 / pi)
MAX_NAMED = 1000  # outliers that a result names, the farthest first
_STATISTICS = ("n", "n_missing", "median", "mad", "q1", "q3", "low", "high", "n_robust_z", "n_fence")


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class OutlierResult(Result):
    """Answers far from the others: see :func:`outliers`.

    Attributes
    ----------
    item_rows : Table
        What :meth:`tidy` returns.
    outlier_rows : Table
        What :attr:`outliers` returns.
    n, n_items : int
        Rows and items.
    n_outliers : int
        Answers that are outliers by either rule.
    n_mahalanobis : int or None
        Rows whose squared distance from the mean of all has an upper tail probability below 0.001; None
        with one item, or where the covariance of the items is singular.
    """

    kind: ClassVar[str] = "outliers"
    item_rows: Table
    outlier_rows: Table
    n: int
    n_items: int
    n_outliers: int
    n_mahalanobis: int | None

    @property
    def outliers(self) -> Any:
        """The outliers, farthest first: row, segment, item, value, robust_z, fence, mahalanobis (of the row)."""
        return self.library.build(self.outlier_rows.columns())

    def _tidy(self) -> Table:
        return self.item_rows

    def _glance(self) -> Mapping[str, Any]:
        return {name: getattr(self, name) for name in ("n", "n_items", "n_outliers", "n_mahalanobis")}


@checked
def outliers(
    frame: Any, items: Sequence[str], *, by: str | Sequence[str] = (), max_rows: int | None = None
) -> OutlierResult:
    """Look for answers far from the others: amounts, times and ages more than ratings on a short scale.

    Parameters
    ----------
    frame : dataframe
        Any supported dataframe; codes for missing answers already null (:meth:`Survey.prepare`).
    items : sequence of str
        Columns of numbers.
    by : str or sequence of str, optional
        Columns of segments: an answer is compared with those of its own segment.
    max_rows : int, optional
        A larger frame is refused before it is read: a limit for services.

    Returns
    -------
    OutlierResult
        ``tidy()``: the by-columns, ``item, n, n_missing, median, mad`` (median absolute deviation, not
        rescaled), ``q1, q3`` (R's type 7), the fences ``low, high``, and how many answers are outliers by
        each rule: ``n_robust_z`` (beyond 3.5) and ``n_fence`` (1.5 quartile ranges beyond the quartiles).
        ``outliers`` names up to 1000 of them, with the squared Mahalanobis distance of their row over all
        items and segments.

    Raises
    ------
    ArgumentError
        No item, an item twice, or an unknown column.
    SchemaError
        An item holds no numbers, or infinite values.

    Notes
    -----
    ``robust_z = 0.6745 (value - median) / mad``; where more than half of the answers are equal and ``mad`` is
    0, the mean absolute deviation about the median takes its place. An outlier is a reason to look, not to delete.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> visits = pd.DataFrame({"minutes": [12.0, 9, 14, 11, 10, 240, 13]})
    >>> result = sat.outliers(visits, ["minutes"])
    >>> result.outliers[["row", "value"]]
       row  value
    0    5  240.0
    """
    names = list(as_names(items))
    if not names or len(set(names)) < len(names):
        raise ArgumentError(f"give at least one item, each of them once, not {names}")
    segments = as_names(by)
    opened = open_frame(frame)
    opened.refuse_more_rows(max_rows)
    opened.require(names, role="item")
    opened.require(segments, role="segment")
    if both := [name for name in segments if name in names]:
        raise ArgumentError(f"{both} can't be both item and segment")
    x = matrix(opened, names)
    distance, beyond = _distances(x, names)
    places: dict[tuple[Any, ...], list[int]] = {}
    columns = [opened.values(name) for name in segments]
    for i, key in enumerate(zip(*columns, strict=True) if segments else [()] * len(x)):
        places.setdefault(key, []).append(i)
    rows: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for key in sorted(places, key=lambda k: [(v is None, str(v)) for v in k]) if segments else [()]:
        here = np.array(places.get(key, []), dtype=np.int64)
        segment = dict(zip(segments, key, strict=True))
        for j, name in enumerate(names):
            summary, z, fence = _judge(x[here, j])
            rows.append({**segment, "item": name, **summary})
            for i in np.flatnonzero((np.abs(z) > LARGEST_Z) | fence):
                row = int(here[i])
                found.append(
                    {"row": row, **segment, "item": name, "value": float(x[row, j]), "robust_z": float(z[i])}
                    | {"fence": bool(fence[i]), "mahalanobis": None if distance is None else distance[row]}
                )
    found.sort(key=lambda r: (-abs(r["robust_z"]) if r["robust_z"] == r["robust_z"] else 0.0, r["row"]))
    shown = ("row", *segments, "item", "value", "robust_z", "fence", "mahalanobis")
    return OutlierResult(
        library=opened.library,
        item_rows=Table.from_records(rows, (*segments, "item", *_STATISTICS)),
        outlier_rows=Table.from_records(found[:MAX_NAMED], shown),
        n=len(x),
        n_items=len(names),
        n_outliers=len(found),
        n_mahalanobis=beyond,
    )


def _judge(values: Array) -> tuple[dict[str, Any], Array, NDArray[np.bool_]]:
    """Return the summary of one item in one segment, the robust z-scores, and who is beyond a fence."""
    answered = values[~np.isnan(values)]
    z = np.full(len(values), np.nan)
    if len(answered) == 0:
        empty = dict.fromkeys(_STATISTICS) | {"n": 0, "n_missing": len(values), "n_robust_z": 0, "n_fence": 0}
        return empty, z, np.zeros(len(values), dtype=bool)
    q1, median, q3 = (float(q) for q in np.percentile(answered, [25, 50, 75]))
    deviations = np.abs(answered - median)
    mad, mean_deviation = float(np.median(deviations)), float(deviations.mean())
    if mad > 0:
        z = NORMAL_MAD * (values - median) / mad
    elif mean_deviation > 0:
        z = NORMAL_MEAN_DEVIATION * (values - median) / mean_deviation
    low, high = q1 - FENCE * (q3 - q1), q3 + FENCE * (q3 - q1)
    fence = (values < low) | (values > high)
    counts = {"n_robust_z": int((np.abs(z) > LARGEST_Z).sum()), "n_fence": int(fence.sum())}
    spread = {"median": median, "mad": mad, "q1": q1, "q3": q3, "low": low, "high": high}
    return {"n": len(answered), "n_missing": len(values) - len(answered), **spread, **counts}, z, fence


def _distances(x: Array, names: list[str]) -> tuple[list[float] | None, int | None]:
    if len(names) < 2:
        return None, None
    try:
        distance, p_value = mahalanobis(x, names)
    except DataError:  # a constant or redundant item: the items are still judged one by one
        return None, None
    return distance.tolist(), int((p_value < MAHALANOBIS_LEVEL).sum())

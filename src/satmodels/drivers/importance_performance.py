"""Importance-performance analysis: what matters against how well it is done.

Martilla and James (1977, Journal of Marketing 41(1)); the diagonal of equal priority is Slack's (1994,
International Journal of Operations & Production Management 14(5)).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.drivers.effects import effects_of_structure
from satmodels.drivers.key_drivers import KeyDriversResult, key_drivers
from satmodels.drivers.measures import METHODS
from satmodels.drivers.performance import performance_of, with_lead
from satmodels.drivers.quadrants import CUTS, QUADRANTS, cross_hairs, map_rows, rows_of
from satmodels.drivers.scales import as_scales
from satmodels.errors import ArgumentError, as_number, check_word, one_of
from satmodels.intake.cells import count_cells
from satmodels.intake.frames import open_frame
from satmodels.results import Result, Table
from satmodels.statistics.counts import as_names, sort_key
from satmodels.statistics.intervals import check_level
from satmodels.statistics.moments import Moments
from satmodels.survey.scale import Scale

Array = NDArray[np.float64]

_COLUMNS = (
    *("term", "importance", "importance_low", "importance_high"),
    *("performance", "performance_low", "performance_high"),
    *("gap", "priority", "quadrant", "importance_cut", "performance_cut"),
    *("competitor", "lead", "lead_low", "lead_high", "n", "n_missing"),
)


@dataclass(frozen=True, kw_only=True, repr=False)
class ImportancePerformanceResult(Result):
    """Importance and performance of every item, with the cross-hairs that cut the map.

    Attributes
    ----------
    estimates : Table
        What :meth:`tidy` gives.
    by : tuple of str
        Grouping columns.
    importance : str
        ``"stated"``, or the method that derived it.
    cut : str
        How the cross-hairs were set.
    index : bool
        Whether performance is on 0..100.
    level : float
        Confidence level of the limits.
    """

    kind: ClassVar[str] = "importance_performance"

    estimates: Table
    by: tuple[str, ...]
    importance: str
    cut: str
    index: bool
    level: float

    def _tidy(self) -> Table:
        return self.estimates

    def _glance(self) -> Mapping[str, Any]:
        return {
            "items": len(set(self.estimates["term"])),
            "importance": self.importance,
            "cut": self.cut,
            "performance": "0..100" if self.index else "mean",
            "concentrate_here": sum(q == QUADRANTS[True, False] for q in self.estimates["quadrant"]),
            "level": self.level,
        }


@checked
def importance_performance(
    data: Any,
    outcome: str | None = None,
    items: Sequence[str] | None = None,
    *,
    importance: str | Mapping[str, Any] = "shapley",
    scale: Any = None,
    importance_scale: Scale | Mapping[str, Scale] | None = None,
    cut: str | tuple[float, float] = "mean",
    by: str | Sequence[str] = (),
    weight: str | None = None,
    competitor: Any = None,
    level: float = 0.95,
) -> ImportancePerformanceResult:
    """Set the importance of items against their performance.

    Parameters
    ----------
    data : dataframe, Moments, KeyDriversResult or SEMResult
        Answers, their moments, a driver analysis (whose importances and means are taken), or a fitted
        structural model: then total effects (index points per index point) are set against the indices
        of the constructs (IPMA; Ringle and Sarstedt 2016).
    outcome : str, optional
        Outcome that importance is derived from; not needed for stated importance.
    items : sequence of str, optional
        Items whose mean is the performance.
    importance : str or mapping, default "shapley"
        A method of :func:`key_drivers` to derive importance from the outcome; or stated importance,
        ``{item: column}`` with the answers or ``{item: number}``.
    scale : Scale or mapping, optional
        Scale of the items (``{item: Scale}`` where they differ). A structural model may know its own.
        Performance, and stated importance, then are on 0..100.
    importance_scale : Scale or mapping, optional
        Scale of stated importance where it was asked on another one than performance.
    cut : str or (float, float), default "mean"
        Cross-hairs: at the ``"mean"`` or ``"median"`` of the items, at the middle of the ``"scale"``
        (performance only; importance that is derived has no scale and is cut at its mean), or
        (importance, performance).
    by, weight : optional
        Columns to group by (cross-hairs are set per group), and of survey weights.
    competitor : dataframe or Moments, optional
        Answers of a competitor's customers to the same items.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    ImportancePerformanceResult
        ``tidy()``: the by-columns, ``term``, ``importance`` and ``performance`` with their limits,
        ``gap`` (stated importance minus performance, where both are on one scale), ``priority``
        (importance minus performance, each in standard deviations over the items: above 0 lies above
        the diagonal), ``quadrant``, ``importance_cut``, ``performance_cut``, the ``competitor``'s
        performance and the ``lead`` over it with limits (Welch), ``n``, ``n_missing``.

    Raises
    ------
    ArgumentError
        No outcome and no stated importance, an unknown cut, or an item without importance.
    DataError
        As :func:`key_drivers`.

    Examples
    --------
    >>> import numpy as np, pandas as pd, satmodels as sat
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame(rng.integers(1, 6, size=(300, 2)), columns=["price", "service"])
    >>> frame["overall"] = frame["price"] + 3 * frame["service"] + rng.normal(size=300)
    >>> result = sat.importance_performance(frame, "overall", ["price", "service"], scale=sat.Scale(1, 5))
    >>> result.tidy()[["term", "quadrant"]]
          term               quadrant
    0    price      possible overkill
    1  service       concentrate here
    """
    check_level(level)
    by = as_names(by)
    if isinstance(cut, str) and cut not in CUTS:
        raise one_of("cut", cut, CUTS)
    if not isinstance(cut, str) and (not isinstance(cut, list | tuple) or len(cut) != 2):
        raise ArgumentError(f"cut={cut!r}: give one of {CUTS}, or (importance, performance)")
    if not isinstance(cut, str):
        cut = (as_number("cut", cut[0]), as_number("cut", cut[1]))
    if hasattr(data, "effects") and hasattr(data, "index"):
        return _of_structure(data, outcome, items, scale, cut, level)
    if isinstance(data, KeyDriversResult):
        if outcome is not None or items is not None or by or weight is not None:
            raise ArgumentError("a driver analysis already has its outcome, items, groups and weights")
        derived = data
    elif isinstance(importance, str):
        check_word("importance", importance, METHODS)
        if outcome is None:
            raise ArgumentError(
                "derived importance needs the outcome=; or give stated importance={item: column}"
            )
        derived = key_drivers(data, outcome, items, method=importance, by=by, weight=weight, level=level)
    else:
        return _stated(data, items, importance, scale, importance_scale, cut, by, weight, competitor, level)
    if importance_scale is not None:
        raise ArgumentError("importance_scale goes with stated importance={item: column}")
    names = derived.drivers
    scales = as_scales(derived.scale if scale is None else scale, names)
    rows: list[dict[str, Any]] = []
    by_group = _column_by_group(derived)
    for key, moments, found in zip(derived.keys, derived._careful_moments(), by_group, strict=True):
        means = performance_of(moments.select(names), scales, level)
        more = map_rows(
            dict(zip(derived.by, key, strict=True)), names, found, means, None, cut, scales, moments
        )
        rows += with_lead(more, moments, names, scales, competitor, level)
    return ImportancePerformanceResult(
        library=derived.library,
        estimates=Table.from_records(rows, (*derived.by, *_COLUMNS)),
        by=derived.by,
        importance=derived.method,
        cut=cut if isinstance(cut, str) else "given",
        index=scales is not None,
        level=level,
    )


def _column_by_group(result: KeyDriversResult) -> list[tuple[Array, Array, Array]]:
    p = len(result.drivers)
    columns = [
        np.array([np.nan if v is None else v for v in result.estimates[c]], dtype=float).reshape(-1, p)
        for c in ("estimate", "conf_low", "conf_high")
    ]
    return list(zip(*columns, strict=True))


def _stated(
    data: Any,
    items: Sequence[str] | None,
    importance: Mapping[str, Any],
    scale: Scale | Mapping[str, Scale] | None,
    importance_scale: Scale | Mapping[str, Scale] | None,
    cut: str | tuple[float, float],
    by: tuple[str, ...],
    weight: str | None,
    competitor: Any,
    level: float,
) -> ImportancePerformanceResult:
    names = tuple(importance) if items is None else tuple(items)
    if lacking := [n for n in names if n not in importance]:
        raise ArgumentError(f"importance has nothing for the items {lacking}")
    columns = [importance[n] for n in names]
    asked = [c for c in columns if isinstance(c, str)]
    if asked and len(asked) < len(columns):
        raise ArgumentError("importance mixes columns and numbers: give one or the other for all items")
    scales = as_scales(scale, names)
    asked_scales = as_scales(importance_scale if importance_scale is not None else scale, names)
    if (scales is None) != (asked_scales is None):
        raise ArgumentError(
            "importance_scale= needs the scale= of performance too: the two are set against each other"
        )
    frame = open_frame(data)
    frame.require([*names, *asked])
    frame.require(by, role="column to group by")
    keys = sorted(set(count_cells(frame, by).keys), key=sort_key) if by else [()]
    rows: list[dict[str, Any]] = []
    for key in keys:
        part = frame.where(by, key) if by else frame
        moments = Moments.collect(part, list(dict.fromkeys([*names, *asked])), weight)
        if asked:
            found = performance_of(moments.select(asked), asked_scales, level)
        else:
            numbers = np.array([as_number("importance", c) for c in columns])
            found = numbers, np.full(len(names), np.nan), np.full(len(names), np.nan)
        means = performance_of(moments.select(names), scales, level)
        gap = found[0] - means[0] if asked else None
        more = map_rows(dict(zip(by, key, strict=True)), names, found, means, gap, cut, scales, moments)
        rows += with_lead(more, moments, names, scales, competitor, level)
    return ImportancePerformanceResult(
        library=frame.library,
        estimates=Table.from_records(rows, (*by, *_COLUMNS)),
        by=by,
        importance="stated",
        cut=cut if isinstance(cut, str) else "given",
        index=scales is not None,
        level=level,
    )


def _of_structure(
    result: Any,
    outcome: str | None,
    items: Sequence[str] | None,
    scale: Any,
    cut: str | tuple[float, float],
    level: float,
) -> ImportancePerformanceResult:
    """Set total effects on a construct against the indices of the constructs."""
    effects = effects_of_structure(result, outcome, items, scale, None)
    nothing = np.full(len(effects.drivers), np.nan)
    across, up = cross_hairs(effects.effect, effects.performance, cut, (), stated=False)
    rows = rows_of(
        {},
        effects.drivers,
        (effects.effect, nothing, nothing),
        (effects.performance, nothing, nothing),
        None,
        (across, up),
        (result.groups[0].moments.n, result.groups[0].moments.n_dropped),
    )
    return ImportancePerformanceResult(
        library=result.library,
        estimates=Table.from_records(rows, _COLUMNS),
        by=(),
        importance="total effects",
        cut=cut if isinstance(cut, str) else "given",
        index=True,
        level=level,
    )

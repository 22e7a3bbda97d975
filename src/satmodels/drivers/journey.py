"""The customer journey: satisfaction and pain by touchpoint, and the moments of truth.

A moment of truth (Carlzon 1987) is a touchpoint that matters, that many customers pass, and that falls
short: importance x frequency x gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.drivers.key_drivers import key_drivers
from satmodels.drivers.scales import as_scales
from satmodels.errors import ArgumentError, DataError, SchemaError, as_number, unknown
from satmodels.intake.batches import batches
from satmodels.intake.frames import Frame, open_frame
from satmodels.results import Result, Table
from satmodels.statistics.intervals import check_level, proportion_interval, quantile
from satmodels.survey.items import Rating
from satmodels.survey.scale import Scale
from satmodels.survey.survey import Survey

Array = NDArray[np.float64]

PAIN_INDEX = 45.0  # answers up to here on 0..100 are pain: 5 of 1..10, 2 of 1..5
_COLUMNS = (
    *("touchpoint", "satisfaction", "satisfaction_low", "satisfaction_high"),
    *("pain", "pain_low", "pain_high", "importance", "frequency", "gap", "moment_of_truth", "rank"),
    *("n", "n_missing"),
)


@dataclass(frozen=True, kw_only=True, repr=False)
class JourneyResult(Result):
    """Satisfaction, pain and weight of every touchpoint, in the order of the journey.

    Attributes
    ----------
    estimates : Table
        What :meth:`tidy` gives.
    items : mapping of str to tuple of str
        The items of each touchpoint.
    outcome : str or None
        The outcome that importance was derived from.
    target : float
        The index that gaps are measured from.
    level : float
        Confidence level.
    """

    kind: ClassVar[str] = "journey"

    estimates: Table
    items: Mapping[str, tuple[str, ...]]
    outcome: str | None
    target: float
    level: float

    def _tidy(self) -> Table:
        return self.estimates

    def _glance(self) -> Mapping[str, Any]:
        rank = self.estimates["rank"]
        return {
            "touchpoints": len(self.estimates),
            "outcome": self.outcome,
            "moment_of_truth": self.estimates["touchpoint"][rank.index(1)] if 1 in rank else None,
            "target": self.target,
            "level": self.level,
        }


@checked
def journey(
    data: Any,
    touchpoints: Mapping[str, Sequence[str]] | Sequence[Rating] | Survey,
    *,
    stages: Mapping[str, Sequence[str]] | None = None,
    scale: Scale | Mapping[str, Scale] | None = None,
    outcome: str | None = None,
    frequency: Mapping[str, float] | None = None,
    target: float = 100.0,
    pain: float = PAIN_INDEX,
    weight: str | None = None,
    level: float = 0.95,
) -> JourneyResult:
    """Map satisfaction and pain along the customer journey.

    Parameters
    ----------
    data : dataframe
        Answers of any supported dataframe.
    touchpoints : mapping, sequence of Rating, or Survey
        ``{touchpoint: items}`` in the order of the journey; or rating items that name their touchpoint,
        alone or in a survey.
    stages : mapping, optional
        ``{stage: touchpoints}``: groups of touchpoints, such as before, during and after the purchase.
        Rating items that name their stage bring it along.
    scale : Scale or mapping
        Scale of the items; ratings bring their own.
    outcome : str, optional
        Overall satisfaction. Importance of a touchpoint is then the sum of the Shapley values of its
        items (share of R²); without it all touchpoints weigh the same.
    frequency : mapping, optional
        ``{touchpoint: share of the customers who pass it}``, 0..1; unless given, the (weighted) share who answered
        any of its items (who was not there has nothing to answer).
    target : float, default 100
        Index that a touchpoint should reach; the gap is what is missing to it.
    pain : float, default 45
        Answers of at most this on 0..100 are pain.
    weight : str, optional
        Column of survey weights.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    JourneyResult
        ``tidy()``: ``stage`` where stages are given, ``touchpoint``, ``satisfaction`` (index 0..100 of the mean of its answered items) and
        ``pain`` (percent with any painful answer) with limits, ``importance``, ``frequency``, ``gap``,
        ``moment_of_truth`` (importance x frequency x gap) and its ``rank``, ``n``, ``n_missing``.

    Raises
    ------
    ArgumentError
        No touchpoints, an item at two touchpoints, no scale, a frequency outside 0..1.
    SchemaError
        An answer is off its scale.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> frame = pd.DataFrame({"find": [5, 4, 4, 5], "pay": [2, 1, 4, None]})
    >>> found = sat.journey(frame, {"shop": ["find"], "checkout": ["pay"]}, scale=sat.Scale(1, 5))
    >>> found.tidy()[["touchpoint", "satisfaction", "pain", "frequency", "rank"]].round(1)
      touchpoint  satisfaction  pain  frequency  rank
    0       shop          87.5   0.0        1.0     2
    1   checkout          33.3  66.7        0.8     1
    """
    check_level(level)
    if isinstance(touchpoints, Survey):
        touchpoints = [item for item in touchpoints.items if isinstance(item, Rating)]
    items, scales = _read(touchpoints, scale)
    if stages is None and not isinstance(touchpoints, Mapping):
        stages = _stages_of_items(touchpoints)
    stage_of = _stages(stages, items)
    names = [name for group in items.values() for name in group]
    target, pain = as_number("target", target, 0, 100), as_number("pain", pain, 0, 100)
    frame = open_frame(data)
    frame.require(names)
    if outcome is not None:
        frame.require([outcome], role="outcome column")
    shares = dict.fromkeys(items, 1 / len(items))
    if outcome is not None:
        found = key_drivers(frame, outcome, names, weight=weight, interval="none").estimates
        by_item = dict(zip(found["term"], found["share"], strict=True))
        shares = {stop: float(sum(by_item[name] or 0.0 for name in group)) for stop, group in items.items()}
    stops = _collect(frame, list(items.values()), scales, pain, weight)
    passed = {stop: s.passed for stop, s in zip(items, stops, strict=True)}
    if frequency is not None:
        if set(frequency) != set(items) or not all(0 <= f <= 1 for f in frequency.values()):
            raise ArgumentError(f"frequency needs a share 0..1 for each of the touchpoints {list(items)}")
        passed = {stop: float(frequency[stop]) for stop in items}
    rows: list[dict[str, Any]] = [
        stage_of.get(stop, {}) | s.row(stop, shares[stop], passed[stop], target, level)
        for stop, s in zip(items, stops, strict=True)
    ]
    truth: list[float] = [row["moment_of_truth"] for row in rows]
    for row, value in zip(rows, truth, strict=True):
        row["rank"] = 1 + sum(v > value for v in truth)
    return JourneyResult(
        library=frame.library,
        estimates=Table.from_records(rows, ("stage", *_COLUMNS) if stage_of else _COLUMNS),
        items=items,
        outcome=outcome,
        target=target,
        level=level,
    )


def _stages_of_items(ratings: Iterable[Rating]) -> dict[str, list[str]] | None:
    """Return ``{stage: touchpoints}`` where the ratings name stages, None where none does."""
    found: dict[str, str | None] = {}
    for rating in ratings:
        stop = rating.touchpoint
        if stop is not None and found.setdefault(stop, rating.stage) != rating.stage:
            raise ArgumentError(f"the items of touchpoint {stop!r} name different stages")
    if not any(found.values()):
        return None
    stages: dict[str, list[str]] = {}
    for stop, stage in found.items():
        if stage is None:
            raise ArgumentError(f"touchpoint {stop!r} has no stage, while others do")
        stages.setdefault(stage, []).append(stop)
    return stages


def _stages(
    stages: Mapping[str, Sequence[str]] | None, stops: Mapping[str, Any]
) -> dict[str, dict[str, str]]:
    """Return the stage of each touchpoint; every one belongs to exactly one stage."""
    if stages is None:
        return {}
    if not all(isinstance(group, list | tuple) for group in stages.values()):
        raise ArgumentError(f"stages={stages!r}: give {{stage: [touchpoints]}}")
    named = [stop for group in stages.values() for stop in group]
    for stop in named:
        if stop not in stops:
            raise unknown("touchpoint", stop, stops)
    if sorted(named) != sorted(stops):
        raise ArgumentError(f"every touchpoint belongs to one stage: {list(stops)}; stages name {named}")
    return {stop: {"stage": str(stage)} for stage, group in stages.items() for stop in group}


def _read(
    touchpoints: Any, scale: Scale | Mapping[str, Scale] | None
) -> tuple[dict[str, tuple[str, ...]], dict[str, Scale]]:
    items: dict[str, list[str]] = {}
    scales: dict[str, Scale] = {}
    if isinstance(touchpoints, Mapping):
        for stop, names in touchpoints.items():
            if not isinstance(names, Iterable):
                raise ArgumentError(f"touchpoints={touchpoints!r}: give {{touchpoint: items}}")
            items[str(stop)] = [names] if isinstance(names, str) else list(names)
    else:
        if not isinstance(touchpoints, Iterable):
            raise ArgumentError(f"touchpoints={touchpoints!r}: give {{touchpoint: items}}, or Rating items")
        for rating in touchpoints:
            if not isinstance(rating, Rating):
                raise ArgumentError(
                    f"touchpoints holds {rating!r}: give {{touchpoint: items}}, or Rating items"
                )
            if rating.touchpoint is not None:
                items.setdefault(rating.touchpoint, []).append(rating.name)
                scales[rating.name] = rating.scale
    names = [name for group in items.values() for name in group]
    if not names or not all(items.values()):
        raise ArgumentError(
            "touchpoints is empty: give {touchpoint: items}, or Rating items with a touchpoint"
        )
    if len(set(names)) < len(names):
        raise ArgumentError(
            f"an item stands at two touchpoints: {sorted({n for n in names if names.count(n) > 1})}"
        )
    given = as_scales(scale, names)
    if given is not None:
        scales = dict(zip(names, given, strict=True))
    if lacking := [name for name in names if name not in scales]:
        raise ArgumentError(f"the scale= of {lacking} is needed to read answers on 0..100")
    return {stop: tuple(group) for stop, group in items.items()}, scales


@dataclass(frozen=True)
class _Stop:
    """Sums over those who answered any item of a touchpoint."""

    mean: float
    variance: float
    pain: float
    n: int
    n_eff: float
    n_missing: int
    passed: float  # (weighted) share of all who answered

    def row(
        self, stop: str, importance: float, frequency: float, target: float, level: float
    ) -> dict[str, Any]:
        half = np.nan
        if self.n_eff > 1:
            half = float(quantile(level, self.n_eff - 1)) * float(np.sqrt(self.variance / self.n_eff))
        low, high = proportion_interval(self.pain * self.n_eff, self.n_eff, level=level)
        gap = max(target - self.mean, 0.0)
        return {
            "touchpoint": stop,
            "satisfaction": self.mean,
            "satisfaction_low": max(self.mean - half, 0.0) if half == half else None,
            "satisfaction_high": min(self.mean + half, 100.0) if half == half else None,
            "pain": self.pain * 100,
            "pain_low": float(low) * 100,
            "pain_high": float(high) * 100,
            "importance": importance,
            "frequency": frequency,
            "gap": gap,
            "moment_of_truth": importance * frequency * gap,
            "n": self.n,
            "n_missing": self.n_missing,
        }


def _collect(
    frame: Frame,
    groups: list[tuple[str, ...]],
    scales: Mapping[str, Scale],
    pain: float,
    weight: str | None,
) -> list[_Stop]:
    """Read all items in one pass, and sum them up by touchpoint."""
    names = [name for group in groups for name in group]
    low = np.array([scales[n].low for n in names], dtype=float)
    width = np.array([scales[n].high - scales[n].low for n in names], dtype=float)
    ends = np.cumsum([len(group) for group in groups])
    sums = np.zeros((len(groups), 5))  # w, w², w x, w x², w [pain]
    everyone = 0.0
    n, missing = np.zeros((2, len(groups)), dtype=int)
    for block in batches(frame, names if weight is None else [*names, weight]):
        index = (block[:, : len(names)] - low) / width * 100
        _check_answers(index, block, names, scales)
        w = np.ones(len(block)) if weight is None else block[:, len(names)]
        everyone += float(w.sum())
        for g, end in enumerate(ends):
            part = index[:, end - len(groups[g]) : end]
            given = ~np.isnan(part)
            count = given.sum(axis=1)
            there = count > 0
            x = np.where(given, part, 0.0).sum(axis=1)[there] / count[there]
            # a missing answer is no pain: the comparison is false
            hurt = np.asarray((part <= pain).any(axis=1))[there]
            ws = w[there]
            sums[g] += [ws.sum(), ws @ ws, ws @ x, ws @ x**2, ws @ hurt]
            n[g] += len(x)
            missing[g] += len(block) - len(x)
    found: list[_Stop] = []
    for g, group in enumerate(groups):
        if sums[g, 0] <= 0:
            raise DataError(f"nobody answered any of {list(group)}", columns=group)
        mean = float(sums[g, 2] / sums[g, 0])
        n_eff = float(sums[g, 0] ** 2 / sums[g, 1])
        variance = max(float(sums[g, 3] / sums[g, 0]) - mean**2, 0.0) * n_eff / max(n_eff - 1, 1)
        hurting, passed = float(sums[g, 4] / sums[g, 0]), float(sums[g, 0]) / everyone
        found.append(_Stop(mean, variance, hurting, int(n[g]), n_eff, int(missing[g]), passed))
    return found


def _check_answers(index: Array, block: Array, names: list[str], scales: Mapping[str, Scale]) -> None:
    off = np.asarray((index < 0) | (index > 100))
    if not bool(off.any()):
        return
    j = int(np.argmax(off.any(axis=0)))
    raise SchemaError.answers(
        names[j],
        scales[names[j]].rule,
        "Declare codes such as 99 as missing, or correct the answers.",
        n_bad=int(off[:, j].sum()),
        value=float(block[np.argmax(off[:, j]), j]),
    )

"""The customer satisfaction index: a weighted mean of several items, each put on 0 to 100.

index = sum over items of weight * (answer - low) / (high - low) * 100, the weights summing to 1; the
ACSI uses items of 1 to 10 and the unstandardised weights of its structural model (Fornell et al. 1996).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, check_word
from satmodels.intake.composite import Composite
from satmodels.intake.composites import CompositeSums, composite_sums
from satmodels.intake.frames import Frame
from satmodels.intake.library import FrameLibrary
from satmodels.results import Table
from satmodels.scores.answers import Reading, check_reading, left_out, open_answers
from satmodels.scores.estimate import Estimates, estimate_composite, score_table
from satmodels.scores.item_weights import EstimatedWeights, estimated_weights, item_weights
from satmodels.scores.limits import mean_limits
from satmodels.scores.periods import By, Grouping
from satmodels.scores.result import SMALL_SAMPLE, ScoreResult, small_sample_note
from satmodels.scores.scales import codes_given, item_scales
from satmodels.scores.weight_influence import (
    normal_variance,
    same_answers,
    with_estimated_weights,
)
from satmodels.statistics.counts import as_names
from satmodels.statistics.design import Design, replicates_of
from satmodels.statistics.intervals import MEAN_METHODS, check_level
from satmodels.statistics.moments import Moments
from satmodels.statistics.replication import with_known_df

Array = NDArray[np.float64]
MISSING = ("drop", "available")
CARRIED = "the interval carries the uncertainty of the estimated weights (linearised)"
KNOWN = "the interval counts the weights as known"


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class IndexResult(ScoreResult):
    """A satisfaction index with its interval, and what each item contributes to it.

    Attributes
    ----------
    items : tuple of str
        The items.
    weights : tuple of float
        Their weights in the index, summing to 1.
    item_dimensions : tuple of str
        The dimension of each item, where dimensions were given.
    parts : Table
        One row per group and item; :meth:`contributions` gives it as a dataframe.
    """

    kind: ClassVar[str] = "index"
    items: tuple[str, ...]
    weights: tuple[float, ...]
    item_dimensions: tuple[str, ...] = ()
    parts: Table

    def contributions(self) -> Any:
        """Return what each item adds to the index, per group, as a dataframe.

        Columns: the by-columns, ``item``, ``weight``, ``mean`` (on the item's scale), ``score`` (the mean
        on 0 to 100) and ``contribution`` (weight times score; with complete answers these sum to the index).
        """
        return self.library.build(self.parts.columns())

    def dimensions(self) -> Any:
        """Return what each dimension adds to the index, per group, as a dataframe.

        Columns: the by-columns, ``dimension``, ``weight`` (the sum over its items), ``score`` (their
        weighted mean on 0 to 100) and ``contribution``.

        Raises
        ------
        ArgumentError
            The items were given without dimensions.
        """
        if not self.item_dimensions:
            raise ArgumentError("the items have no dimensions: give items={dimension: [item, ...]}")
        dimension_of = dict(zip(self.items, self.item_dimensions, strict=True))
        total: dict[tuple[Any, ...], Array] = {}
        for part in self.parts.rows():
            key = (*(part[name] for name in self.by), dimension_of[part["item"]])
            added = np.nan if part["contribution"] is None else part["contribution"]
            total[key] = total.get(key, np.zeros(2)) + np.array([part["weight"], added])
        names = (*self.by, "dimension", "weight", "score", "contribution")
        records = [
            dict(zip(names, (*key, weight, added / weight if weight else None, added), strict=True))
            for key, (weight, added) in total.items()
        ]
        return self.library.build(Table.from_records(records, names).columns())

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values; what is missing or not finite is None."""
        return {**super().to_dict(), "contributions": self.parts.records()}


@checked
def csi(
    data: Any,
    items: str | Sequence[str] | Mapping[str, Sequence[str]],
    *,
    weights: Any = "equal",
    scale: Any = None,
    survey: Any = None,
    by: By = (),
    weight: str | None = None,
    design: Design | None = None,
    level: float = 0.95,
    method: str = "wald",
    missing: str = "drop",
    missing_codes: Mapping[float, str] | Sequence[float] = (),
    on_invalid: str = "error",
    coerce: bool = False,
) -> IndexResult:
    """Compute a 0 to 100 satisfaction index of several items, with its interval and contributions.

    Parameters
    ----------
    data : dataframe or Moments
        A frame of any supported library, lazy or not; or moments of the items (then without ``by``).
    items : sequence of str, or mapping
        The items' columns; ``{dimension: [item, ...]}`` lets ``dimensions()`` sum their contributions up.
    weights : "equal", mapping, result or fitted model, default "equal"
        Weights of the items in the index, which are divided by their sum: equal; stated, as
        ``{item: weight}``; derived, as the result of :func:`satmodels.key_drivers` with these items as
        drivers; or those of the construct with these items in a structural model (fitted, or its result),
        turned into weights of unstandardised answers. Where they were derived from these very answers, the
        interval carries their uncertainty too (not from a model's bare result, which can't be refitted);
        else it counts them as known. ``notes`` say which. A covariance model of p items is refitted p (p + 1)
        times for it, which takes a minute for two dozen; a PLS model a second.
    scale : Scale or mapping
        Scale of the items; ``{item: Scale}`` where they differ. Either this or ``survey`` is needed.
    survey : Survey
        Survey with the items; their scales and the missing codes are used. The frame is one that
        ``survey.prepare`` returned where items are reversed.
    by : str, Period or sequence of them
        Columns to group by; a missing segment is a group of its own. ``Period("date", "month")`` groups
        by calendar months.
    weight : str, optional
        Column of survey weights (not to be confused with ``weights`` of the items).
    design : Design, optional
        Strata, clusters and finite population of the sample.
    level : float, default 0.95
        Confidence level.
    method : {"wald", "t"}, default "wald"
        index ± z or t standard errors; with weights or a design always t with the design's degrees of
        freedom.
    missing : {"drop", "available"}, default "drop"
        A respondent with a missing answer is left out and counted in ``n_missing``; or enters with the
        items answered, their weights rescaled to 1.
    missing_codes : mapping or sequence
        Codes that mean "no answer", such as ``{99: "don't know"}``.
    on_invalid : {"error", "exclude"}, default "error"
        What to do with answers off the scale; excluded ones count as missing, and in ``n_invalid``.
    coerce : bool, default False
        Read texts such as ``"9"`` as whole numbers, as :func:`satmodels.nps` does.

    Returns
    -------
    IndexResult
        ``tidy()`` as all scores, ``contributions()`` per item.

    Raises
    ------
    ArgumentError
        A parameter is wrong, an item is not there or listed twice, or its scale is not known.
    SchemaError
        An answer is off the scale or no number, or a weight is no weight.

    References
    ----------
    Fornell, Johnson, Anderson, Cha and Bryant (1996), The American Customer Satisfaction Index. Journal of
    Marketing 60(4), 7-18.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> frame = pd.DataFrame({"overall": [8, 9, 7], "expected": [7, 9, 6], "ideal": [6, 9, 7]})
    >>> result = sat.csi(frame, ["overall", "expected", "ideal"], scale=sat.Scale(1, 10))
    >>> result.estimate
    72.839506
    >>> result.contributions()["contribution"].round(2).tolist()
    [25.93, 23.46, 23.46]
    """
    check_level(level)
    check_word("method", method, MEAN_METHODS)
    check_word("missing", missing, MISSING)
    dimensions: tuple[str, ...] = ()
    if isinstance(items, Mapping):
        blocks = {str(name): as_names(block) for name, block in items.items()}
        dimensions = tuple(name for name, block in blocks.items() for _ in block)
        items = [item for block in blocks.values() for item in block]
    items, grouping = as_names(items), Grouping.of(by)
    if not items:
        raise ArgumentError("items= is empty: an index needs at least one item")
    share = item_weights(weights, items)
    estimated = estimated_weights(weights, items)
    scales, codes = item_scales(items, scale, survey, "csi")
    reading = Reading(by, weight, design, codes_given(missing_codes, codes), on_invalid, coerce)
    check_reading(reading)
    by = grouping.names
    n_invalid, missing_by_code = 0, dict[str, int]()
    if isinstance(data, Moments):
        if by or weight is not None or design is not None or missing == "available":
            raise ArgumentError(
                "by=, weight=, design= and missing='available' need the rows: give the dataframe"
            )
        notes: list[str] = []
        estimates, parts = _from_moments(data, items, share, scales)
        if isinstance(estimated, EstimatedWeights):
            if same_answers(data, estimated, None):
                added = normal_variance(_item_scores(parts, items)[0], estimated)
                error = np.sqrt(estimates.std_error**2 + added)
                estimates = dataclasses.replace(estimates, std_error=error)
                notes = [f"{CARRIED}, as for normal answers"]
            else:
                notes = [f"{KNOWN}: they come from other data"]
        library: Any = FrameLibrary.PANDAS
    else:
        frame, grouping, rules = open_answers(data, scales, reading)
        library = frame.library
        extra = design.columns if design is not None else ()
        composite = _composite(items, share, scales, available=missing == "available")
        # measured from the middle of the index, sums of squares lose no digits
        sums = composite_sums(
            frame,
            [composite],
            rules,
            (*grouping.read, *extra),
            weight,
            centre=50.0,
            replicates=replicates_of(design, weight),
            of_columns=True,
        )
        groups = grouping.keys(sums.keys, frame)
        design = design and with_known_df(design, frame)
        estimates = estimate_composite(dataclasses.replace(sums, keys=groups), 0, len(by), design=design)
        parts = _parts(sums, groups, estimates, by, items, share, scales)
        notes = _reversed_note(sums, composite)
        n_invalid, missing_by_code = left_out(sums.answers, reading)
        if isinstance(estimated, EstimatedWeights):
            if why := _known(frame, estimated, reading, missing, n_invalid + sum(missing_by_code.values())):
                notes.append(f"{KNOWN}: {why}")
            else:
                estimates = with_estimated_weights(
                    estimates,
                    frame,
                    composite,
                    rules,
                    sums,
                    groups,
                    (*grouping.read, *extra),
                    len(by),
                    _item_scores(parts, items),
                    estimated,
                    weight=weight,
                    design=design,
                )
                notes.append(CARRIED)
    if isinstance(estimated, str):
        notes.append(f"{KNOWN}: {estimated}")
    limits = mean_limits(estimates, level, method)
    return IndexResult(
        library=library,
        score="csi",
        item=", ".join(items),
        items=items,
        weights=tuple(share.tolist()),
        item_dimensions=dimensions,
        by=by,
        method=method,
        level=level,
        limits=(0.0, 100.0),
        unit="points",
        table=score_table(estimates, by, "csi", np.clip(limits[0], 0, 100), np.clip(limits[1], 0, 100)),
        parts=parts,
        n_invalid=n_invalid,
        missing_by_code=missing_by_code,
        notes=(*small_sample_note(estimates.keys, estimates.n, by), *notes),
        **estimates.precision(),
    )


def _known(
    frame: Frame, estimated: EstimatedWeights, reading: Reading, missing: str, n_left_out: int
) -> str | None:
    """Return why the interval can't carry the uncertainty of the weights; None where it can."""
    if missing == "available":
        return 'with missing="available" each respondent has weights of their own'
    if reading.design is not None and reading.design.replicate_weights is not None:
        return "replicate weights would need the weights of the items anew in each replicate"
    if n_left_out:
        return "answers that the weights come from are left out here"
    if not same_answers(frame, estimated, reading.weight):
        return "they come from other data, or from answers that were made up for in another way"
    return None


def _item_scores(parts: Table, items: tuple[str, ...]) -> Array:
    """Return the mean score of each item, groups by items."""
    return np.array(parts["score"], dtype=float).reshape(-1, len(items))


def _composite(
    items: tuple[str, ...], share: Array, scales: Mapping[str, tuple[float, float]], *, available: bool
) -> Composite:
    slope = {c: 100 * b / (scales[c][1] - scales[c][0]) for c, b in zip(items, share.tolist(), strict=True)}
    return Composite(
        "csi",
        slope,
        {c: -slope[c] * scales[c][0] for c in items},
        dict(zip(items, share.tolist(), strict=True)) if available else None,
    )


def _from_moments(
    moments: Moments, items: tuple[str, ...], share: Array, scales: Mapping[str, tuple[float, float]]
) -> tuple[Estimates, Table]:
    some = moments.select(items)
    low, high = (np.array([scales[c][i] for c in items]) for i in (0, 1))
    outside = (some.mean < low) | (some.mean > high)
    if some.n and outside.any():
        i = int(np.argmax(outside))
        raise ArgumentError(
            f"the mean of {items[i]!r}, {some.mean[i]:g}, is off its scale {low[i]:g}..{high[i]:g}"
        )
    slope = 100 * share / (high - low)
    score = np.where(some.n > 0, 100 * (some.mean - low) / (high - low), np.nan)
    variance = float(slope @ some.cov @ slope) if some.n > 1 else np.nan
    size = some.n_eff if some.weighted else float(some.n)
    n = np.array([some.n])
    estimates = Estimates(
        keys=((),),
        mean=np.array([share @ score]),
        std_error=np.array([np.sqrt(variance / size) if size > 0 else np.nan]),
        n=n,
        n_missing=np.array([some.n_dropped]),
        n_eff=np.array([some.n_eff]),
        spread=np.array([variance]),
        effective=np.array([size]),
        df=np.array([some.n - 1.0]) if some.weighted else np.array([np.inf]),
        linearised=some.weighted,
        design_df=some.n - 1.0 if some.weighted else np.inf,
    )
    parts = _part_table((), ((),), items, share, np.where(n[:, None] > 0, some.mean, np.nan), scales)
    return estimates, parts


def _parts(
    sums: CompositeSums,
    groups: Sequence[tuple[Any, ...]],
    estimates: Estimates,
    by: tuple[str, ...],
    items: tuple[str, ...],
    share: Array,
    scales: Mapping[str, tuple[float, float]],
) -> Table:
    place = {key: i for i, key in enumerate(estimates.keys)}
    group = np.array([place[key[: len(by)]] for key in groups], dtype=np.intp)
    w, wx = np.zeros((len(place), len(items))), np.zeros((len(place), len(items)))
    if sums.column_w is not None and sums.column_wx is not None:
        np.add.at(w, group, sums.column_w)
        np.add.at(wx, group, sums.column_wx)
    mean = wx / np.where(w > 0, w, np.nan)
    return _part_table(by, estimates.keys, items, share, mean, scales)


def _reversed_note(sums: CompositeSums, composite: Composite) -> list[str]:
    """Name the items that run against the rest of the index: reverse-worded ones that nobody declared."""
    w, wx, wxx, wxu = (
        np.zeros(len(sums.columns)) if v is None else v.sum(axis=0)
        for v in (sums.column_w, sums.column_wx, sums.column_wxx, sums.column_wxu)
    )
    n, total = sums.n.sum(), sums.w.sum()
    if len(sums.columns) < 2 or n < SMALL_SAMPLE or total <= 0:
        return []
    slope = np.array([composite.coefficients[c] for c in sums.columns])
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_u = sums.wu.sum() / total
        variance_u = sums.wuu.sum() / total - mean_u**2
        variance = wxx / w - (wx / w) ** 2
        covariance = wxu / w - wx / w * mean_u
        rest = covariance - slope * variance
        r = rest / np.sqrt(variance * (variance_u - 2 * slope * covariance + slope**2 * variance))
    against = [c for c, value in zip(sums.columns, r, strict=True) if value * np.sqrt(n) < -2]
    return [
        f"item {c!r} runs against the others (negative item-rest correlation): is it reverse-worded?"
        for c in against
    ]


def _part_table(
    by: tuple[str, ...],
    keys: Sequence[tuple[Any, ...]],
    items: tuple[str, ...],
    share: Array,
    mean: Array,
    scales: Mapping[str, tuple[float, float]],
) -> Table:
    rows: list[dict[str, Any]] = []
    for key, means in zip(keys, mean, strict=True):
        for item, weight, value in zip(items, share, means, strict=True):
            low, high = scales[item]
            score = 100 * (value - low) / (high - low)
            rows.append(
                {
                    **dict(zip(by, key, strict=True)),
                    "item": item,
                    "weight": weight,
                    "mean": value,
                    "score": score,
                    "contribution": weight * score,
                }
            )
    return Table.from_records(rows, (*by, "item", "weight", "mean", "score", "contribution"))

"""The answers to one item, read from whatever the user has, checked, and counted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, SchemaError, one_of
from satmodels.intake.cells import count_cells
from satmodels.intake.frames import Frame, is_sequence, open_frame, sequence_values
from satmodels.intake.library import FrameLibrary
from satmodels.intake.replicates import check_replicates, replicate_cells
from satmodels.results import FrameBuilder
from satmodels.scores.periods import By, Grouping
from satmodels.statistics.counts import ScoreCounts
from satmodels.statistics.design import Design, replicates_of

ON_INVALID = ("error", "exclude")
WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,15}")  # neither "9.0" nor "1_0"


@dataclass(frozen=True)
class Reading:
    """How answers are read: the options that all scores of one item share."""

    by: By = ()
    weight: str | None = None
    design: Design | None = None
    missing_codes: Mapping[float, str] | Sequence[float] = ()
    on_invalid: str = "error"
    coerce: bool = False


@dataclass(frozen=True)
class Answers:
    """Counted answers: all on the scale, the rest counted as missing or (``n_invalid``) as invalid.

    ``counts`` is grouped by ``by`` and then by the columns of the design.
    """

    counts: ScoreCounts
    by: tuple[str, ...]
    design: Design | None
    n_invalid: int
    missing_by_code: dict[str, int]
    library: FrameBuilder
    replicates: tuple[list[tuple[Any, ...]], NDArray[np.float64]] | None = None


def collect_answers(data: Any, item: str | None, low: float, high: float, reading: Reading) -> Answers:
    """Count the answers to an item and check them against its scale.

    Raises
    ------
    ArgumentError
        A column is not there or used twice, or counts are asked for what they don't hold.
    SchemaError
        An answer is no number or off the scale, or a weight is no weight.
    """
    grouping, weight, design = Grouping.of(reading.by), reading.weight, reading.design
    by = grouping.names
    missing_codes = reading.missing_codes
    if reading.on_invalid not in ON_INVALID:
        raise one_of("on_invalid", reading.on_invalid, ON_INVALID)
    if design is not None and not isinstance(design, Design):
        raise ArgumentError(f"design={design!r}: give a Design, for example Design(strata='region')")
    frame, replicates = None, None
    library: FrameBuilder = FrameLibrary.PANDAS
    if isinstance(data, ScoreCounts):
        counts = _from_counts(data, item, by, weight, design)
        by = counts.by
        if by == grouping.names:
            counts = counts._regroup(by, grouping.keys(counts.keys), counts.values)
    elif is_sequence(data):
        if by or weight is not None or design is not None:
            raise ArgumentError(
                "by=, weight= and design= name columns: give a dataframe, not a plain sequence"
            )
        values: Any = data
        if reading.coerce:
            values = [_whole_number(v, item or "answer") for v in sequence_values(data)]
        counts = ScoreCounts.collect(values, item)
        library = _library_of(data)
    else:
        frame = open_frame(data)
        library = frame.library
        frame, grouping = grouping.on(frame)
        if design is not None:
            frame.require(design.columns, role="column of the design")
        extra = design.columns if design is not None else ()
        if shared := [c for c in extra if c in by]:
            raise ArgumentError(
                f"column {shared[0]!r} is both in by= and in design=: copy it under another name"
            )
        collect = _coerced if reading.coerce else ScoreCounts.collect
        counts = collect(frame, item, (*grouping.read, *extra), weight)
        replicates = _replicates(frame, item, grouping, weight, design)
        if any(grouping.periods):
            counts = counts._regroup((*by, *extra), grouping.keys(counts.keys, frame), counts.values)
    missing_by_code = _missing_by_code(counts, missing_codes)
    counts = _set_missing(counts, [v for v in counts.values if v in set(missing_codes)])
    n_invalid = 0
    if reading.on_invalid == "exclude":
        bad = [v for v in counts.values if not low <= v <= high or v != int(v)]
        at = [counts.values.index(v) for v in bad]
        n_invalid = int(counts.n[:, at].sum())
        counts = _set_missing(counts, bad)
    counts.check_range(low, high, frame=frame)
    return Answers(counts, by, design, n_invalid, missing_by_code, library, replicates)


def _coerced(frame: Frame, item: str | None, by: Sequence[str], weight: str | None) -> ScoreCounts:
    """Count answers that are written as texts."""
    if item is None:
        raise ArgumentError(f"which column holds the answers? The frame has {list(frame.columns)}")
    cells = count_cells(frame, (*by, item), weight)
    keys = [(*key[:-1], _whole_number(key[-1], item, frame)) for key in cells.keys]
    return ScoreCounts.from_cells(
        item, tuple(by), replace(cells, keys=keys), weighted=weight is not None, frame=frame
    )


def _whole_number(value: Any, item: str, frame: Frame | None = None) -> Any:
    """Read "9", " 9 " or "+9" as 9; any other text is an error, everything else is left as it is."""
    if not isinstance(value, str):
        return value
    if value.strip() == "":
        return None
    if WHOLE_NUMBER.fullmatch(value.strip()):
        return int(value)
    offenders = frame.offenders(item, [value]) if frame is not None else []
    raise SchemaError.answers(
        item,
        "a whole number",
        "Labels are turned into codes by a Survey with labelled scales (survey.prepare).",
        n_bad=max(len(offenders), 1),
        offenders=offenders,
        value=value,
    )


def _replicates(
    frame: Frame, item: str | None, grouping: Grouping, weight: str | None, design: Design | None
) -> tuple[list[tuple[Any, ...]], NDArray[np.float64]] | None:
    """Sum the replicate weights per group and answer, where the design has them."""
    columns = replicates_of(design, weight)
    if not columns or item is None:
        return None
    check_replicates(frame, columns)
    keys, sums = replicate_cells(frame, (*grouping.read, item), columns)
    groups = grouping.keys([key[:-1] for key in keys], frame) if grouping.names else [()] * len(keys)
    answers = [_whole_number(key[-1], item) for key in keys]
    return [(*group, answer) for group, answer in zip(groups, answers, strict=True)], sums


def _from_counts(
    data: ScoreCounts, item: str | None, by: tuple[str, ...], weight: str | None, design: Design | None
) -> ScoreCounts:
    if weight is not None or design is not None:
        raise ArgumentError("weights and design enter when ScoreCounts are collected: give the dataframe")
    if item is not None and item != data.item:
        raise ArgumentError(f"these are counts of {data.item!r}, not of {item!r}")
    return data.marginal(by) if by else data


def _library_of(data: Any) -> FrameBuilder:
    package = type(data).__module__.split(".")[0]
    return {"polars": FrameLibrary.POLARS, "pyarrow": FrameLibrary.PYARROW}.get(package, FrameLibrary.PANDAS)


def _missing_by_code(
    counts: ScoreCounts, missing_codes: Mapping[float, str] | Sequence[float]
) -> dict[str, int]:
    found: dict[str, int] = {}
    for code in missing_codes:
        if isinstance(code, bool) or not isinstance(code, int | float):
            raise ArgumentError(f"missing_codes: {code!r} is no number")
        label = str(missing_codes[code]) if isinstance(missing_codes, Mapping) else f"{code:g}"
        n = int(counts.n[:, counts.values.index(float(code))].sum()) if float(code) in counts.values else 0
        found[label] = found.get(label, 0) + n
    return found


def _set_missing(counts: ScoreCounts, values: Sequence[float]) -> ScoreCounts:
    """Count some of the answers as missing."""
    if not values:
        return counts
    out = np.array([v in values for v in counts.values])

    def kept(grid: NDArray[Any]) -> NDArray[Any]:
        return grid[:, ~out]

    return replace(
        counts,
        values=tuple(v for v, gone in zip(counts.values, out, strict=True) if not gone),
        n=kept(counts.n),
        w=kept(counts.w),
        w2=kept(counts.w2),
        n_missing=counts.n_missing + counts.n[:, out].sum(axis=1),
        w_missing=counts.w_missing + counts.w[:, out].sum(axis=1),
    )

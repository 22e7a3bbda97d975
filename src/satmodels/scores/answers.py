"""The answers to one item, read from whatever the user has, checked, and counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, check_word
from satmodels.intake.answers import AnswerRule
from satmodels.intake.categories import category_frame, with_category_numbers
from satmodels.intake.cells import count_cells
from satmodels.intake.frames import Frame, is_sequence, open_frame, sequence_values
from satmodels.intake.library import FrameLibrary
from satmodels.intake.off_scale import AnswerCounts
from satmodels.intake.replicates import check_replicates, replicate_cells
from satmodels.intake.written import read_written, whole_number
from satmodels.results import FrameBuilder
from satmodels.scores.periods import By, Grouping
from satmodels.statistics.counts import ScoreCounts
from satmodels.statistics.design import Design, replicates_of
from satmodels.statistics.replication import with_known_df

ON_INVALID = ("error", "exclude")


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
    check_reading(reading)
    codes = tuple(labels_of_codes(missing_codes))
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
        item, library = item or "answer", _library_of(data)
        if (categorical := category_frame(data, item)) is not None:
            rule = AnswerRule(low, high, codes)
            data = with_category_numbers(categorical, {item: rule}).values(item)
        elif reading.coerce:
            data = sequence_values(data)
        counts = ScoreCounts.collect([whole_number(v, item) for v in data] if reading.coerce else data, item)
    else:
        frame = open_frame(data)
        library = frame.library
        if item is not None:
            frame.require([item])
            frame = with_category_numbers(frame, {item: AnswerRule(low, high, codes)})
        frame, grouping = grouping.on(frame)
        extra = design_columns(frame, design, by)
        collect = _coerced if reading.coerce else ScoreCounts.collect
        counts = collect(frame, item, (*grouping.read, *extra), weight)
        replicates = _replicates(frame, item, grouping, weight, design)
        design = design and with_known_df(design, frame)
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
    *groups, texts = cells.columns
    columns = (*groups, [whole_number(text, item, frame) for text in texts])
    return ScoreCounts.from_cells(
        item, tuple(by), replace(cells, columns=columns), weighted=weight is not None, frame=frame
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
    answers = [whole_number(key[-1], item) for key in keys]
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


def labels_of_codes(missing_codes: Mapping[float, str] | Sequence[float]) -> dict[float, str]:
    """Return what each missing code means, or raise ArgumentError for a code that is no number."""
    if isinstance(missing_codes, str) or not isinstance(missing_codes, Iterable):
        raise ArgumentError(
            f'missing_codes={missing_codes!r}: give codes with their meaning, {{99: "don\'t know"}}'
        )
    for code in missing_codes:
        if isinstance(code, bool) or not isinstance(code, int | float | np.integer | np.floating):
            raise ArgumentError(f"missing_codes: {code!r} is no number")
    if isinstance(missing_codes, Mapping):
        return {float(code): str(label) for code, label in missing_codes.items()}
    return {float(code): f"{code:g}" for code in missing_codes}


def _missing_by_code(
    counts: ScoreCounts, missing_codes: Mapping[float, str] | Sequence[float]
) -> dict[str, int]:
    found: dict[str, int] = {}
    for code, label in labels_of_codes(missing_codes).items():
        n = int(counts.n[:, counts.values.index(code)].sum()) if code in counts.values else 0
        found[label] = found.get(label, 0) + n
    return found


def check_reading(reading: Reading) -> None:
    """Raise ArgumentError for options that can't be."""
    check_word("on_invalid", reading.on_invalid, ON_INVALID)
    check_word("coerce", reading.coerce, (False, True))


def design_columns(frame: Frame, design: Design | None, by: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of a design, or raise ArgumentError where one is not there or is grouped by."""
    columns = () if design is None else design.columns
    frame.require(columns, role="column of the design")
    if shared := [c for c in columns if c in by]:
        raise ArgumentError(f"column {shared[0]!r} is both in by= and in design=: copy it under another name")
    return columns


def open_answers(
    data: Any, scales: Mapping[str, tuple[float, float]], reading: Reading
) -> tuple[Frame, Grouping, dict[str, AnswerRule]]:
    """Open a frame with several items: the frame ready to be summed up, its grouping, a rule per item.

    Raises
    ------
    ArgumentError
        A column is not there, or an option can't be.
    SchemaError
        A text is no whole number (with ``coerce``).
    """
    check_reading(reading)
    codes = tuple(labels_of_codes(reading.missing_codes))
    frame = open_frame(data)
    frame.require(scales, role="item")
    frame, grouping = Grouping.of(reading.by).on(frame)
    design_columns(frame, reading.design, grouping.names)
    exclude = reading.on_invalid == "exclude"
    rules = {c: AnswerRule(low, high, codes, exclude) for c, (low, high) in scales.items()}
    frame = with_category_numbers(frame, rules)
    if reading.coerce:
        frame = read_written(frame, list(scales))
    return frame, grouping, rules


def left_out(counts: AnswerCounts, reading: Reading) -> tuple[int, dict[str, int]]:
    """Return how many answers of all items together were off the scale, and how many had each missing code."""
    by_code: dict[str, int] = {}
    for code, label in labels_of_codes(reading.missing_codes).items():
        n = sum(n for (_, given), n in counts.coded.items() if given == code)
        by_code[label] = by_code.get(label, 0) + n
    return sum(counts.invalid.values()), by_code


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

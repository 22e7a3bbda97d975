"""From what the user gives (a frame or Moments, a group column, weights) to one sample per group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, DataError, SchemaError, unknown
from satmodels.intake.batches import matrix
from satmodels.intake.cells import check_weight
from satmodels.intake.frames import Frame, none_if_nan, open_frame
from satmodels.sem.covariance.patterns import Patterns, saturated_fit
from satmodels.sem.covariance.samples import Sample, as_moments, sample_from_moments
from satmodels.sem.pls.answers import _weights as read_weights
from satmodels.sem.pls.answers import named_columns
from satmodels.statistics.moments import Moments

Array = NDArray[np.float64]


def read_samples(
    X: Any,
    columns: tuple[str, ...],
    constructs: Sequence[str],
    *,
    group: str | None = None,
    sample_weight: Any = None,
    cluster: str | None = None,
    keep_rows: bool = False,
    incomplete: bool = False,
    exogenous: Sequence[str] = (),
) -> list[Sample]:
    """Return one sample per group, in the order in which the groups appear.

    With ``incomplete`` rows with gaps stay, save those without any answer or without one of the
    ``exogenous`` columns.

    Raises
    ------
    ArgumentError
        A column is not there, a construct bears the name of a column, or moments came where rows are
        needed.
    SchemaError, DataError
        The answers are no numbers, or can't carry the model.
    """
    moments = as_moments(X)
    if moments is not None:
        if group is not None or sample_weight is not None or keep_rows or cluster or incomplete:
            raise ArgumentError(
                "moments don't hold the single answers: groups, weights, clusters, robust estimators and "
                "missing answers need the dataframe"
            )
        _refuse_shadowed(constructs, moments.columns)
        return [sample_from_moments(moments, columns)]
    frame = open_frame(named_columns(X))
    _refuse_shadowed(constructs, frame.columns)
    for c in columns:
        if c not in frame.columns:
            raise unknown("column", c, frame.columns)
    if not (group or keep_rows or cluster or incomplete) and sample_weight is None:
        return [sample_from_moments(Moments.collect(frame, columns), columns)]
    rows, groups, weights, clusters = _read_rows(frame, columns, group, sample_weight, cluster)
    gaps = incomplete and bool(np.isnan(rows).any())  # in one group: then all go the same way
    outside = [columns.index(v) for v in exogenous] if gaps else None
    if groups.n_missing:
        raise _no_group(groups.n_missing, group)
    if weights is not None:  # over all groups: these count by what their rows stand for
        weights = weights / weights[_usable(rows, outside)].mean()
    samples: list[Sample] = []
    for value in groups.values:
        inside = groups.number == groups.values.index(value)
        samples.append(
            _one_sample(
                rows[inside],
                columns,
                value if group is not None else None,
                None if weights is None else weights[inside],
                None if clusters is None else clusters[inside],
                keep_rows,
                outside,
            )
        )
    return samples


def _usable(rows: Array, exogenous: list[int] | None) -> NDArray[np.bool_]:
    """Return which rows enter: complete ones, or with gaps those with an answer and all of the exogenous columns."""
    gaps = np.isnan(rows)
    if exogenous is None:
        return np.asarray(~gaps.any(axis=1))
    return np.asarray(~gaps.all(axis=1) & ~gaps[:, exogenous].any(axis=1))


@dataclass(frozen=True, eq=False)
class AnswerRows:
    """The rows of one group, NaN where missing, with their survey weights."""

    group: Any
    rows: Array
    weights: Array | None
    n_dropped: int


def read_answer_rows(
    X: Any,
    columns: tuple[str, ...],
    constructs: Sequence[str],
    *,
    group: str | None = None,
    sample_weight: Any = None,
    incomplete: bool = False,
) -> list[AnswerRows]:
    """Return the rows of each group, in the order in which the groups appear.

    Rows with gaps are left out; with ``incomplete`` only rows without any answer are.
    """
    if as_moments(X) is not None:
        raise ArgumentError("ordered answers need the dataframe: moments don't hold the single answers")
    frame = open_frame(named_columns(X))
    _refuse_shadowed(constructs, frame.columns)
    for c in columns:
        if c not in frame.columns:
            raise unknown("column", c, frame.columns)
    rows, groups, weights, _ = _read_rows(frame, columns, group, sample_weight, None)
    if groups.n_missing:
        raise _no_group(groups.n_missing, group)
    gaps = np.isnan(rows)
    usable = ~(gaps.all(axis=1) if incomplete else gaps.any(axis=1))
    if weights is not None:
        usable &= weights > 0
    found: list[AnswerRows] = []
    for k, value in enumerate(groups.values):
        inside = groups.number == k
        at = inside & usable
        found.append(
            AnswerRows(
                value if group is not None else None,
                rows[at],
                None if weights is None else weights[at],
                int(inside.sum() - at.sum()),
            )
        )
    return found


def _no_group(n: int, group: str | None) -> DataError:
    return DataError(
        f"{n} rows have no value in the group column {group!r}: fill them or drop these rows",
        columns=[] if group is None else [group],
    )


def _one_sample(
    rows: Array,
    columns: Sequence[str],
    value: Any,
    weights: Array | None,
    clusters: NDArray[np.intp] | None,
    keep_rows: bool,
    exogenous: list[int] | None,
) -> Sample:
    if exogenous is not None:
        return _incomplete_sample(rows, tuple(columns), value, weights, clusters, exogenous)
    moments = Moments.of_block(columns, rows, weights)
    sample = sample_from_moments(moments, columns, value)
    if not keep_rows and weights is None:
        return sample
    complete = _usable(rows, None)
    return sample.with_rows(
        rows[complete],
        None if weights is None else weights[complete],
        None if clusters is None else clusters[complete],
    )


def _incomplete_sample(
    rows: Array,
    columns: tuple[str, ...],
    value: Any,
    weights: Array | None,
    clusters: NDArray[np.intp] | None,
    exogenous: list[int],
) -> Sample:
    usable = _usable(rows, exogenous)
    x = rows[usable]
    if len(x) <= len(columns):
        raise DataError(
            f"{len(x)} rows with answers can't carry covariances of {len(columns)} columns", columns=columns
        )
    empty = [c for j, c in enumerate(columns) if np.isnan(x[:, j]).all()]
    if empty:
        raise DataError(f"every answer is missing in {empty}: leave these columns out", columns=empty)
    w = None if weights is None else weights[usable]
    patterns = Patterns.of(x, w)
    scale = np.sqrt(np.nanvar(x, axis=0))
    scale[scale == 0] = 1.0  # a constant column is named by the fit
    fitted = saturated_fit(patterns.scaled(scale), columns)
    cov, mean = fitted.cov * np.outer(scale, scale), fitted.mean * scale
    n = len(x)
    moments = Moments(columns, n, np.asarray(mean, float), np.asarray(cov * n, float), float(n), float(n))
    sample = sample_from_moments(moments, columns, value)
    cells = patterns.n @ patterns.seen
    return replace(
        sample.with_rows(x, w, None),
        n_dropped=len(rows) - n,
        clusters=None if clusters is None else clusters[usable],
        patterns=patterns,
        saturated=fitted.minus_logl + float(cells @ np.log(scale)),
    )


class _Groups:
    """The groups in order of appearance, and the number of each row's group."""

    def __init__(self, column: Sequence[Any] | None, n: int) -> None:
        if column is None:
            self.values: list[Any] = [None]
            self.number = np.zeros(n, dtype=np.intp)
            self.n_missing = 0
            return
        column = [none_if_nan(v) for v in column]
        self.values = [v for v in dict.fromkeys(column) if v is not None]
        if not self.values:
            raise DataError("there are no rows with a group")
        at = {v: i for i, v in enumerate(self.values)}
        self.number = np.array([at.get(v, -1) for v in column], dtype=np.intp)
        self.n_missing = int((self.number < 0).sum())


def _read_rows(
    frame: Frame, columns: Sequence[str], group: str | None, sample_weight: Any, cluster: str | None
) -> tuple[Array, _Groups, Array | None, NDArray[np.intp] | None]:
    weight = sample_weight if isinstance(sample_weight, str) else None
    labels = [c for c in (group, cluster, weight) if c is not None]
    for c in labels:
        if c not in frame.columns:
            raise unknown("column", c, frame.columns)
        frame.require_plain(c)
    if len({*columns, *labels}) < len(columns) + len(labels):
        raise ArgumentError("a column is used twice: as an item and as group, cluster or weight")
    if not labels:
        rows = matrix(frame, columns)
        return rows, _Groups(None, len(rows)), read_weights(frame, sample_weight, len(rows)), None
    # labels and answers must come in one query: engines without an order may return rows differently
    table = frame.table([*columns, *labels])
    rows = _numbers([table[c] for c in columns], columns)
    groups = _Groups(None if group is None else table[group], len(rows))
    clusters = None
    if cluster is not None:
        inside = _Groups(table[cluster], len(rows))
        if inside.n_missing:
            raise DataError(f"{inside.n_missing} rows have no cluster in {cluster!r}", columns=[cluster])
        if len(inside.values) < 2:
            raise DataError(
                f"there is a single cluster in {cluster!r}: errors need at least two", columns=[cluster]
            )
        clusters = inside.number
    if weight is not None:
        check_weight(frame, weight)
        sample_weight = np.array([float(v) for v in table[weight]])
    return rows, groups, read_weights(frame, sample_weight, len(rows)), clusters


def _numbers(values: Sequence[Sequence[Any]], columns: Sequence[str]) -> Array:
    found = np.full((len(values[0]) if values else 0, len(values)), np.nan)
    for j, (column, name) in enumerate(zip(values, columns, strict=True)):
        bad = [(i, v) for i, v in enumerate(column) if not _is_answer(v)]
        if bad:
            raise SchemaError.answers(
                name, "finite numbers", "Correct these answers first.", n_bad=len(bad), offenders=bad[:5]
            )
        found[:, j] = [np.nan if v is None else float(v) for v in map(none_if_nan, column)]
    return found


def _is_answer(value: Any) -> bool:
    """Say whether a cell is a finite number, or missing."""
    if none_if_nan(value) is None:
        return True
    if isinstance(value, bool | str | bytes):
        return False
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        return False


def _refuse_shadowed(constructs: Sequence[str], columns: Sequence[str]) -> None:
    both = [c for c in constructs if c in columns]
    if both:
        raise ArgumentError(
            f"{both} are constructs of the model and columns of the data: rename the constructs, or the data's "
            "columns would be hidden"
        )

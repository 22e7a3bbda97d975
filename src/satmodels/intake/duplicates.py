"""One row of each respondent: which of several answers counts is decided by a column that says when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw

from satmodels.errors import EngineError, SchemaError
from satmodels.intake.frames import OFFENDERS, Frame, collect, present
from satmodels.intake.repeats import repeated_rows
from satmodels.intake.rules import is_missing
from satmodels.intake.violations import TEXTUAL

DECIDES = "one row is the first and one the last"
# texts sort as times only where all are written alike: date, date and time, the same in UTC
_DATE = "^[^T ]*$"
_SHAPES = (_DATE, "T[0-9:.]*$", "T[0-9:.]*Z$", " [0-9:.]*$", " [0-9:.]*Z$")


def keep_one(frame: Frame, key: Sequence[str], order: str, *, last: bool) -> Frame:
    """Return the frame with one row of each key: the first or the last by another column.

    Rows in which the first column of the key is missing stay. Rows keep their order where they have one.

    Parameters
    ----------
    frame : Frame
        Data of any engine but Dask. Lazy frames stay lazy; whether the order decides is asked beforehand.
    key : sequence of str
        Columns that together tell the rows apart.
    order : str
        Column of dates, timestamps or ISO texts.
    last : bool
        Whether the last row is kept, otherwise the first.

    Raises
    ------
    SchemaError
        Among the rows of one key the order is missing, or two rows tie; or the texts of the order are
        written in different ways.
    EngineError
        Dask.
    """
    found = next(repeated_rows(frame, tuple(key)), None)
    if found is None:
        return frame
    if frame.engine == "dask":
        raise EngineError(
            "dask: of rows in several partitions none is the first. Keep one row of each respondent before.",
            engine="dask",
            feature="duplicates",
            alternative='duplicates="error", or DuckDB or polars',
        )
    if isinstance(frame.dtype(order), TEXTUAL):
        _refuse_mixed_shapes(frame, order)
    return _in_memory(frame, key, order, last) if frame.eager else _in_engine(frame, key, order, last)


def _refuse_mixed_shapes(frame: Frame, order: str) -> None:
    value = nw.col(order).cast(nw.String)
    shapes = [value.str.contains(shape).cast(nw.Int64).alias(f"s{i}") for i, shape in enumerate(_SHAPES)]
    native: Any = frame.narwhals.filter(nw.col(order).is_null() == False).select(*shapes)  # noqa: E712
    sums = [nw.col(f"s{i}").sum() for i in range(len(_SHAPES))]
    counted = collect(native.select(nw.len().alias("n"), *sums), "comparing dates")
    n = int(counted["n"][0])
    most = max(int(counted[f"s{i}"][0] or 0) for i in range(len(_SHAPES)))
    if most < n:
        raise SchemaError(
            f"column {order!r}: dates written in different ways, or with offsets from UTC, can't be put in "
            "order as texts. Convert the column to timestamps first.",
            column=order,
            rule="dates written alike",
            n_bad=n - most,
        )


def _in_memory(frame: Frame, key: Sequence[str], order: str, last: bool) -> Frame:
    """Decide row by row in one pass; the rows are there, and their index is kept."""
    native: Any = frame.narwhals
    columns = [native.get_column(name).to_list() for name in key]
    times = native.get_column(order).to_list()
    rows: dict[tuple[Any, ...], list[int]] = {}
    keep = [True] * len(times)
    for i, names in enumerate(zip(*columns, strict=True)):
        if not is_missing(names[0]):
            rows.setdefault(tuple(None if is_missing(name) else name for name in names), []).append(i)
    for names, places in rows.items():
        if len(places) == 1:
            continue
        here = [times[i] for i in places]
        if any(is_missing(time) for time in here):
            raise _undecided(key, order, names[0], "is missing in", len(places))
        best = max(here) if last else min(here)
        if here.count(best) > 1:
            raise _undecided(key, order, names[0], "is the same in", len(places))
        for i, time in zip(places, here, strict=True):
            keep[i] = time == best
    return Frame(native.filter(keep))


def _in_engine(frame: Frame, key: Sequence[str], order: str, last: bool) -> Frame:
    """Decide by a join with the first or last time of each key that is there more than once."""
    n, best = frame.unused_name("n_rows"), frame.unused_name("decisive")
    row = frame.unused_name("row")
    numbered: Any = frame._numbered(row)
    native: Any = frame.narwhals if numbered is None else numbered
    edge = nw.col(order).max() if last else nw.col(order).min()
    answered = native.filter(present(key[0], frame.dtype(key[0])))
    several = answered.group_by(*key).agg(nw.len().alias(n), edge.alias(best)).filter(nw.col(n) > 1)
    joined = answered.join(several, on=list(key), how="inner")
    missing = joined.filter(nw.col(order).is_null()).select(*key).head(OFFENDERS)
    _refuse_any(missing, key, order, "is missing in")
    ties = joined.filter(nw.col(order) == nw.col(best)).group_by(*key).agg(nw.len().alias(n))
    _refuse_any(ties.filter(nw.col(n) > 1).select(*key).head(OFFENDERS), key, order, "is the same in")
    decided = native.join(several, on=list(key), how="left")
    # a key that is there once, or not at all, has met nothing in the join
    kept = decided.filter(nw.col(n).is_null() | (nw.col(order) == nw.col(best)))
    if numbered is not None:
        kept = kept.sort(row)
    return Frame(kept.select(*frame.columns))


def _refuse_any(query: Any, key: Sequence[str], order: str, what: str) -> None:
    found = collect(query, "comparing dates")
    if len(found):
        raise _undecided(key, order, found.get_column(key[0]).to_list()[0], what, len(found))


def _undecided(key: Sequence[str], order: str, value: Any, what: str, n_bad: int) -> SchemaError:
    return SchemaError(
        f"column {order!r} {what} several rows of {' and '.join(key)} {value!r}: it does not say which of them "
        "is the first or the last. Keep one of them, or give a column with the time.",
        column=order,
        row=value,
        rule=DECIDES,
        n_bad=n_bad,
        value=value,
    )

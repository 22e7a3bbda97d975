"""Waiting times between two columns of times, counted by the engine that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, SchemaError
from satmodels.intake.cells import Cells, count_cells
from satmodels.intake.frames import OFFENDERS, Frame, collect, open_frame

MICROSECONDS = 1_000_000
DAY = 86_400 * MICROSECONDS
# SQL engines do not give a time as one number, only its parts
_IN_PARTS = ("duckdb", "ibis", "pyspark", "sqlframe")


def with_times(frame: Frame, columns: Sequence[str], others: Sequence[str]) -> Frame:
    """Return a frame in which these columns are times that the engine can count with.

    Columns of dates and times are left where they are. Where one holds texts or objects instead, all columns that
    are needed (these and ``others``) are read into memory.

    Raises
    ------
    SchemaError
        A column holds no times.
    ArgumentError
        Some of the columns have a time zone and some have not.
    """
    if not all(isinstance(frame.dtype(c), nw.Date | nw.Datetime) for c in columns):
        import pandas as pd

        read: dict[str, Any] = {c: _read_times(frame, c) for c in columns}
        frame = open_frame(
            pd.DataFrame(read | {c: _objects(frame.values(c)) for c in others if c not in read})
        )
    aware = {c: getattr(frame.dtype(c), "time_zone", None) is not None for c in columns}
    if len(set(aware.values())) > 1:
        raise ArgumentError(
            f"some of the columns {list(aware)} have a time zone and some have not: give all of them in one way"
        )
    return frame


def moment_of(frame: Frame, column: str, moment: Any) -> int:
    """Return a moment as microseconds since 1970, on the clock of a column.

    Raises
    ------
    ArgumentError
        It is no time, or has a time zone where the column has none, or the other way round.
    """
    aware = getattr(frame.dtype(column), "time_zone", None) is not None
    try:
        given = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        if (
            not isinstance(given, datetime) or given != given
        ):  # NaT is a datetime, and nothing else unlike itself
            given = datetime(given.year, given.month, given.day)
    except (ValueError, AttributeError, TypeError) as error:
        raise ArgumentError(f"as_of={moment!r} is no time: give a datetime, or an ISO text") from error
    if (given.tzinfo is not None) != aware:
        has, lacks = ("has a", "has none") if given.tzinfo is not None else ("has no", "has one")
        raise ArgumentError(f"as_of={moment!r} {has} time zone, and the column {column!r} {lacks}")
    since = given.astimezone(UTC).replace(tzinfo=None) if given.tzinfo is not None else given
    return round((since - datetime(1970, 1, 1)).total_seconds() * MICROSECONDS)


def count_waits(
    frame: Frame, start: str, end: str, keys: Sequence[str], now: int | None, *, drawn: int | None
) -> Cells:
    """Count rows by the key columns, by whether ``end`` is missing (1) or there (0), and by begun seconds of waiting.

    Where there is no ``end`` yet, the wait is the one until ``now`` (microseconds since 1970), or None. ``drawn`` is when
    the table was drawn, if that is known.

    Raises
    ------
    SchemaError
        A ``start`` is missing, or an ``end`` lies before it or after ``drawn``.
    """
    _check_order(frame, start, end, drawn)
    since, until = microseconds(frame, start), microseconds(frame, end)
    is_open = nw.when(nw.col(end).is_null()).then(nw.lit(1)).otherwise(nw.lit(0))
    if now is not None:
        until = until.fill_null(now)
    seconds = (until - since + (MICROSECONDS - 1)) // MICROSECONDS
    return _counted(frame, keys, {"open": is_open, "seconds": seconds})


def count_present(frame: Frame, column: str, keys: Sequence[str]) -> Cells:
    """Count rows by the key columns and by whether a column is missing (1) or there (0)."""
    is_open = nw.when(nw.col(column).is_null()).then(nw.lit(1)).otherwise(nw.lit(0))
    return _counted(frame, keys, {"open": is_open})


def microseconds(frame: Frame, column: str) -> nw.Expr:
    """Return a column of dates or times as microseconds since a fixed day; null where it is missing."""
    x = nw.col(column)
    if frame.engine not in _IN_PARTS:
        return (x.cast(nw.Datetime("us")) if isinstance(frame.dtype(column), nw.Date) else x).dt.timestamp(
            "us"
        )
    before = x.dt.year().cast(nw.Int64) - 1
    # of the Gregorian calendar, counted from 1970
    days = (
        365 * before
        + before // 4
        - before // 100
        + before // 400
        + x.dt.ordinal_day().cast(nw.Int64)
        - 719_163
    )
    if isinstance(frame.dtype(column), nw.Date):
        return days * DAY
    hours, minutes, seconds = (part.cast(nw.Int64) for part in (x.dt.hour(), x.dt.minute(), x.dt.second()))
    return (
        days * DAY
        + ((hours * 60 + minutes) * 60 + seconds) * MICROSECONDS
        + x.dt.microsecond().cast(nw.Int64)
    )


def _counted(frame: Frame, keys: Sequence[str], made: dict[str, nw.Expr]) -> Cells:
    names = {stem: frame.unused_name(stem) for stem in made}
    native: Any = frame.narwhals
    columns = native.with_columns(*(e.alias(names[stem]) for stem, e in made.items()))
    return count_cells(Frame(columns), [*keys, *names.values()])


def _check_order(frame: Frame, start: str, end: str, drawn: int | None) -> None:
    since, until = microseconds(frame, start), microseconds(frame, end)
    conditions = {"missing": nw.col(start).is_null(), "early": until < since}
    if drawn is not None:
        conditions["late"] = until > drawn
    flags = [nw.when(c).then(nw.lit(1)).otherwise(nw.lit(0)).alias(name) for name, c in conditions.items()]
    counted = collect(frame.narwhals.select(*flags).select(nw.all().sum()), "checking the times")
    n_missing, n_early, n_late = (
        int(counted[name][0] or 0) if name in conditions else 0 for name in ("missing", "early", "late")
    )
    if n_missing:
        raise SchemaError.answers(
            start,
            "a time of opening",
            "Leave out tickets of which nobody knows when they were opened.",
            n_bad=n_missing,
            offenders=frame.first_rows(start, conditions["missing"]),
        )
    if n_early:
        found = [(row, str(value)) for row, value in frame.first_rows(end, conditions["early"])]
        raise SchemaError.answers(
            end,
            "not before the opening",
            "Correct the times, or exchange the columns.",
            n_bad=n_early,
            offenders=found,
        )
    if n_late:
        raise SchemaError.answers(
            end,
            "not after as_of",
            "as_of is when the table was drawn: nothing in it can be later. Move as_of, or correct the times.",
            n_bad=n_late,
            offenders=[(row, str(value)) for row, value in frame.first_rows(end, conditions["late"])],
        )


def _read_times(frame: Frame, column: str) -> NDArray[np.datetime64]:
    """Read a column of texts or objects as times."""
    found: list[np.datetime64] = []
    wrong: list[tuple[int, Any]] = []
    zone = False
    for row, value in enumerate(frame.values(column)):
        moment = _moment(value)
        if moment is None:
            wrong.append((row, value))
        else:
            zone = zone or (isinstance(moment, datetime) and moment.tzinfo is not None)
            found.append(np.datetime64("NaT" if moment is _MISSING else moment, "us") if not zone else _NAT)
    if wrong:
        raise SchemaError.answers(
            column,
            "a time",
            "The column holds no times: give dates, times, or ISO texts such as 2026-11-21T08:00.",
            n_bad=len(wrong),
            offenders=wrong[:OFFENDERS],
        )
    if zone:
        raise ArgumentError(
            f"column {column!r} holds times with a time zone as texts or objects: convert it to a column of times"
        )
    return np.array(found, dtype="datetime64[us]")


_MISSING = object()
_NAT = np.datetime64("NaT", "us")


def _moment(value: Any) -> Any:
    """Return a date or time, _MISSING for a gap, None for anything else."""
    if value is None:
        return _MISSING
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return None
    return value if hasattr(value, "isoformat") and hasattr(value, "year") else None


def _objects(values: Iterable[Any]) -> NDArray[Any]:
    given = list(values)
    array = np.empty(len(given), dtype=object)
    array[:] = given
    return array

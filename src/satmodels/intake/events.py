"""Event logs and customer tables as numpy columns: ids as codes, times as microseconds, values as floats.

Features of a point in time need sorted rows, which no two engines give in the same way. So the few columns
needed are read once from the engine that holds them (8 to 28 bytes a row), and everything after that is the
same arithmetic for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, SchemaError
from satmodels.intake.frames import OFFENDERS, Frame, check_numeric_type, collect, none_if_nan
from satmodels.intake.library import FrameLibrary
from satmodels.intake.transactions import LARGEST_EXACT_ID, _with_real_dates

NO_TIME = np.iinfo(np.int64).min  # what numpy calls NaT
MICROSECONDS_PER_DAY = 86_400_000_000


@dataclass(frozen=True)
class EventColumns:
    """The columns of an event log, row by row.

    Attributes
    ----------
    customer : ndarray of int64, shape (rows,)
        Position of the row's customer in ``ids``.
    ids : ndarray, shape (customers,)
        The distinct customers, whole numbers or objects.
    time : ndarray of int64, shape (rows,)
        Microseconds since 1970 on the clock of the declared time zone.
    kind : ndarray of int64, shape (rows,)
        Position of the row's kind in ``kinds``.
    kinds : tuple of str
    values : dict of str to ndarray of float64, shape (rows,)
        NaN where missing.
    channel : ndarray of int64, shape (rows,), optional
        Position of the row's channel in ``channels``; -1 without one.
    channels : tuple of str
    """

    customer: NDArray[np.int64]
    ids: NDArray[Any]
    time: NDArray[np.int64]
    kind: NDArray[np.int64]
    kinds: tuple[str, ...]
    values: dict[str, NDArray[np.float64]]
    channel: NDArray[np.int64] | None = None
    channels: tuple[str, ...] = ()


def read_events(
    frame: Frame,
    *,
    customer: str,
    date: str,
    kind: str | None,
    values: Sequence[str] = (),
    zone: str | None = None,
    default_kind: str = "event",
    channel: str | None = None,
) -> EventColumns:
    """Read an event log.

    Raises
    ------
    ArgumentError
        A column is missing or serves twice, or the dates have a time zone and none is declared.
    SchemaError
        A customer, date or kind is missing, or a value is no finite number.
    """
    named = [
        customer,
        date,
        *([kind] if kind is not None else []),
        *values,
        *([channel] if channel is not None else []),
    ]
    frame.require(named)
    if len(set(named)) < len(named):
        twice = next(n for n in named if named.count(n) > 1)
        raise ArgumentError(
            f"column {twice!r} serves twice among {named}: each part of an event has its own."
        )
    for name in named:
        frame.require_plain(name)
    for name in values:
        check_numeric_type(frame, name)
    frame = _with_real_dates(frame, date)
    data = collect(frame.narwhals.select(named), "reading events")
    codes, ids = _codes(data.get_column(customer), customer)
    if kind is None:
        kinds, kind_codes = (default_kind,), np.zeros(len(codes), dtype=np.int64)
    else:
        kind_codes, levels = _codes(data.get_column(kind), kind)
        kinds = tuple(str(level) for level in levels)
    through, channels = _optional_codes(data.get_column(channel)) if channel else (None, ())
    return EventColumns(
        codes,
        ids,
        _times(data.get_column(date), date, zone),
        kind_codes,
        kinds,
        {name: _floats(data.get_column(name), name) for name in values},
        through,
        channels,
    )


@dataclass(frozen=True)
class CustomerColumns:
    """A customer table: ids, start and end (microseconds, ``NO_TIME`` where there is none), attributes.

    An attribute is float64 (numbers), object (words; None where missing), or int64 microseconds (dates,
    named in ``dates``).
    """

    ids: NDArray[Any]
    start: NDArray[np.int64] | None
    end: NDArray[np.int64] | None
    attributes: dict[str, NDArray[Any]]
    dates: tuple[str, ...]


def read_customers(
    frame: Frame,
    *,
    customer: str,
    start: str | None,
    end: str | None,
    attributes: Sequence[str] = (),
    zone: str | None = None,
) -> CustomerColumns:
    """Read a customer table of one row per customer.

    Raises
    ------
    ArgumentError
        A column is missing, or the dates have a time zone and none is declared.
    SchemaError
        A customer is missing or there twice, a start is missing, or an end is not after its start.
    """
    frame.require([customer, *(c for c in (start, end) if c), *attributes])
    for name in (start, end):
        if name:
            frame = _with_real_dates(frame, name)
    named = list(dict.fromkeys([customer, *(c for c in (start, end) if c), *attributes]))
    data = collect(frame.narwhals.select(named), "reading customers")
    codes, ids = _codes(data.get_column(customer), customer)
    if len(ids) < len(codes):
        counts = np.bincount(codes)
        rows = np.flatnonzero(counts[codes] > 1)
        raise SchemaError.answers(
            customer,
            "one row per customer",
            "Keep one row per customer; a history belongs into the events.",
            n_bad=len(rows),
            offenders=[(int(i), _plain(ids[codes[i]])) for i in rows[:OFFENDERS]],
        )
    started = _times(data.get_column(start), start, zone) if start else None
    ended = _times(data.get_column(end), end, zone, optional=True) if end else None
    if started is not None and ended is not None:
        wrong = np.flatnonzero((ended != NO_TIME) & (ended <= started))
        if len(wrong):
            raise SchemaError.answers(
                str(end),
                f"after {start!r}",
                "A customer can't have left before, or at, the start: correct or drop these customers.",
                n_bad=len(wrong),
                offenders=[(int(i), str(np.datetime64(int(ended[i]), "us"))) for i in wrong[:OFFENDERS]],
            )
    dates = tuple(n for n in attributes if isinstance(data.get_column(n).dtype, nw.Date | nw.Datetime))
    read: dict[str, NDArray[Any]] = {}
    for name in attributes:
        column = data.get_column(name)
        read[name] = (
            _times(column, name, zone, optional=True)
            if name in dates
            else _floats(column, name)
            if column.dtype.is_numeric()
            else _words(column)
        )
    return CustomerColumns(ids, started, ended, read, dates)


def read_times(frame: Frame, column: str, zone: str | None = "UTC") -> NDArray[np.int64]:
    """Return one column of dates as microseconds since 1970."""
    frame = _with_real_dates(frame, column)
    return _times(collect(frame.narwhals.select(column), "reading").get_column(column), column, zone)


def read_codes(frame: Frame, column: str) -> NDArray[np.int64]:
    """Return for each row the position of its value among the distinct values of a column."""
    return _codes(collect(frame.narwhals.select(column), "reading").get_column(column), column)[0]


def build_frame(library: FrameLibrary, columns: Mapping[str, NDArray[Any]]) -> Any:
    """Return a dataframe from whole arrays, without a look at each value; NaN is missing."""
    if library is FrameLibrary.POLARS:
        import polars as pl

        return pl.DataFrame(
            [
                pl.Series(name, array.tolist() if array.dtype == object else array, nan_to_null=True)
                if array.dtype == object or array.dtype.kind == "f"
                else pl.Series(name, array)
                for name, array in columns.items()
            ]
        )
    if library is FrameLibrary.PYARROW:
        import pyarrow as pa

        return pa.table({name: pa.array(array, from_pandas=True) for name, array in columns.items()})
    import pandas as pd

    return pd.DataFrame(dict(columns), copy=False)


def _codes(series: nw.Series[Any], name: str) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return each row's position among the distinct values, and these values."""
    import pandas as pd

    missing = series.is_null().to_numpy()
    if series.dtype.is_float():
        missing = np.asarray(missing) | np.isnan(series.to_numpy())
    _refuse_missing(np.asarray(missing, dtype=bool), name)
    if series.dtype.is_integer():
        codes, ids = pd.factorize(np.asarray(series.cast(nw.Int64).to_numpy(), dtype=np.int64))
        return codes.astype(np.int64, copy=False), ids
    if series.dtype.is_float():
        return _float_codes(np.asarray(series.to_numpy(), dtype=np.float64), name)
    if series.implementation.is_polars() and not isinstance(series.dtype, nw.Boolean):
        import polars as pl

        native: Any = series.to_native()
        physical = native.cast(pl.String).cast(pl.Categorical).to_physical().to_numpy()
        codes, distinct = pd.factorize(physical)
        first = np.empty(len(distinct), dtype=np.int64)
        first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
        return codes.astype(np.int64, copy=False), _objects(native[first.tolist()].to_list())
    if series.implementation.is_pyarrow():
        native = series.to_native().combine_chunks().dictionary_encode()
        if hasattr(native, "combine_chunks"):
            native = native.combine_chunks()
        return (
            np.asarray(native.indices.to_numpy(zero_copy_only=False), dtype=np.int64),
            _objects(native.dictionary.to_pylist()),
        )
    codes, distinct = pd.factorize(_objects(series.to_list()))
    return codes.astype(np.int64, copy=False), np.asarray(distinct, dtype=object)


def _optional_codes(series: nw.Series[Any]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return each row's position among the distinct words, -1 where there is none."""
    import pandas as pd

    codes, levels = pd.factorize(_words(series), sort=False)
    return codes.astype(np.int64, copy=False), tuple(str(level) for level in levels)


def _float_codes(values: NDArray[np.float64], name: str) -> tuple[NDArray[np.int64], NDArray[Any]]:
    import pandas as pd

    inexact = np.flatnonzero(np.abs(values) > LARGEST_EXACT_ID)
    if len(inexact):
        raise SchemaError.answers(
            name,
            "an id that a float holds exactly (at most 2**53)",
            "Read the id as text or as a whole number, not as a float: its last digits are lost.",
            n_bad=len(inexact),
            offenders=[(int(i), float(values[i])) for i in inexact[:OFFENDERS]],
        )
    whole = bool(np.all(values == np.floor(values)))
    codes, ids = pd.factorize(values.astype(np.int64) if whole else values)
    return codes.astype(np.int64, copy=False), ids


def _objects(values: list[Any]) -> NDArray[Any]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _times(
    series: nw.Series[Any], name: str, zone: str | None, *, optional: bool = False
) -> NDArray[np.int64]:
    """Return microseconds since 1970 on the clock of the declared zone."""
    missing = np.asarray(series.is_null().to_numpy(), dtype=bool)
    if not optional:
        _refuse_missing(missing, name)
    if missing.all():
        return np.full(len(missing), NO_TIME)
    given = getattr(series.dtype, "time_zone", None)
    stamps = series.dt.timestamp("us")
    if missing.any():
        stamps = stamps.fill_null(0)
    time = np.asarray(stamps.to_numpy()).astype(np.int64)
    if given is not None:
        if zone is None:
            raise ArgumentError(
                f"column {name!r} has the time zone {given!r}: say in which zone a day begins and ends with "
                f"timezone={given!r} (or another), or drop the zone from the column."
            )
        time = wall_clock(time, zone)
    time[missing] = NO_TIME
    return time


def wall_clock(utc: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    """Turn instants (microseconds, UTC) into readings of the clock in a zone."""
    import pandas as pd

    try:
        instants = pd.DatetimeIndex(utc.astype("datetime64[us]")).tz_localize("UTC").tz_convert(zone)
    except Exception as error:  # zoneinfo, pytz and pandas each have their own
        raise ArgumentError(
            f"timezone={zone!r} is not known: give a name such as 'Europe/Berlin'."
        ) from error
    return np.asarray(instants.tz_localize(None).to_numpy()).astype("datetime64[us]").astype(np.int64)


def _floats(series: nw.Series[Any], name: str) -> NDArray[np.float64]:
    """Return numbers, NaN where missing; infinite ones are refused."""
    if isinstance(series.dtype, nw.Object | nw.Unknown):
        values = np.array([np.nan if v is None else v for v in series.to_list()], dtype=np.float64)
    else:
        numbers = series.cast(nw.Float64)
        if bool(numbers.is_null().any()):
            numbers = numbers.fill_null(float("nan"))
        values = np.array(numbers.to_numpy(), dtype=np.float64)
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        raise SchemaError.answers(
            name,
            "finite",
            "Infinite values are no measurements: correct them or set them to missing.",
            n_bad=len(infinite),
            offenders=[(int(i), float(values[i])) for i in infinite[:OFFENDERS]],
        )
    return values


def _words(series: nw.Series[Any]) -> NDArray[Any]:
    return _objects([None if none_if_nan(v) is None else str(v) for v in series.to_list()])


def _refuse_missing(missing: NDArray[np.bool_], name: str) -> None:
    rows = np.flatnonzero(missing)
    if len(rows):
        raise SchemaError.answers(
            name,
            "not missing",
            "Correct or drop these rows: they belong to no customer, or to no point in time.",
            n_bad=len(rows),
            offenders=[(int(i), None) for i in rows[:OFFENDERS]],
        )


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value

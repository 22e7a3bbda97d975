"""Calendar periods to group scores by: days, weeks, months, quarters, years."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from satmodels.arguments import check_arguments, checked
from satmodels.errors import ArgumentError, SchemaError, one_of
from satmodels.intake.dates import with_days
from satmodels.intake.frames import Frame
from satmodels.statistics.counts import as_names

EVERY = ("day", "week", "month", "quarter", "year")


@dataclass(frozen=True)
class Period:
    """A calendar period of a date column, to be used in ``by=``.

    The group key is the first day of the period, so a period is half-open: from its first day to, but
    not including, the first day of the next. Weeks start on Monday (ISO 8601).

    Parameters
    ----------
    column : str
        Column of dates, times, or ISO texts such as ``"2026-11-21"``.
    every : {"day", "week", "month", "quarter", "year"}
        Length of the period.
    zone : str, optional
        Time zone, such as ``"Europe/Berlin"``, in which times that have a zone are read; without it
        their own clock counts, and a mix of times with and without a zone is refused.

    Raises
    ------
    ArgumentError
        The period or the zone is not known.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> days = ["2026-01-05", "2026-01-31", "2026-02-01", "2026-02-28"]
    >>> frame = pd.DataFrame({"nps": [9, 10, 3, 8], "date": days})
    >>> result = sat.nps(frame, "nps", by=sat.Period("date", "month"))
    >>> [(str(d), e) for d, e in zip(result.tidy()["date"], result.tidy()["estimate"])]
    [('2026-01-01', 100.0), ('2026-02-01', -50.0)]
    """

    column: str
    every: str
    zone: str | None = None

    def __post_init__(self) -> None:
        check_arguments(type(self).__init__, vars(self))
        if self.every not in EVERY:
            raise one_of("every", self.every, EVERY)
        if self.zone is not None:
            try:
                ZoneInfo(self.zone)
            except (ZoneInfoNotFoundError, ValueError, TypeError) as error:
                raise ArgumentError(f"zone={self.zone!r} is not a known time zone") from error

    @checked
    def start(self, day: date) -> date:
        """Return the first day of the period that a day lies in."""
        if day != day:  # NaT
            raise ArgumentError("day= is missing (NaT)")
        if self.every == "week":
            return day - timedelta(days=day.weekday()) if day.toordinal() > day.weekday() else date.min
        month = {"month": day.month, "quarter": 3 * ((day.month - 1) // 3) + 1, "year": 1}
        return day if self.every == "day" else date(day.year, month[self.every], 1)


By = str | Period | Sequence[str | Period]


@dataclass(frozen=True)
class Grouping:
    """The grouping columns of a score: how they are called, where they are read, and which are periods."""

    names: tuple[str, ...]
    read: tuple[str, ...]
    periods: tuple[Period | None, ...]

    @classmethod
    def of(cls, by: By) -> Grouping:
        """Read what was given as ``by=``."""
        given: Any = by
        if not isinstance(given, str | Period | Iterable):
            raise ArgumentError(f"by={given!r} is no column name, no Period and no list of them")
        entries = (by,) if isinstance(by, str | Period) else tuple(by)
        names = as_names([e.column if isinstance(e, Period) else e for e in entries])
        return cls(names, names, tuple(e if isinstance(e, Period) else None for e in entries))

    def on(self, frame: Frame) -> tuple[Frame, Grouping]:
        """Return the frame with its times cut to days where that is needed."""
        read: list[str] = []
        frame.require(self.names, role="column to group by")
        for name, period in zip(self.names, self.periods, strict=True):
            if period is not None:
                frame, name = with_days(frame, name)
            read.append(name)
        return frame, Grouping(self.names, tuple(read), self.periods)

    def keys(self, keys: Sequence[tuple[Any, ...]], frame: Frame | None = None) -> list[tuple[Any, ...]]:
        """Turn the values of the period columns, which come first in each key, into periods."""
        if not any(self.periods):
            return list(keys)
        columns = [list(c) for c in zip(*keys, strict=True)] or [[] for _ in self.names]
        for i, period in enumerate(self.periods):
            if period is not None:
                columns[i] = _starts(columns[i], period, self.names[i], frame)
        return list(zip(*columns, strict=True))


def _starts(values: list[Any], period: Period, column: str, frame: Frame | None) -> list[date | None]:
    zone = None if period.zone is None else ZoneInfo(period.zone)
    start_of: dict[Any, date | None] = {None: None}
    aware: set[bool] = set()
    for value in dict.fromkeys(values):
        if value is None:
            continue
        day = _moment(value, column, frame)
        if isinstance(day, datetime):
            aware.add(day.tzinfo is not None)
            if len(aware) > 1 and zone is None:
                raise ArgumentError(
                    f"column {column!r} mixes times with and without a time zone: give Period(..., zone=)"
                )
            day = _wall_clock(day, zone)
        start_of[value] = period.start(day)
    return [start_of[v] for v in values]


def day_of(value: Any, column: str, frame: Frame | None) -> date:
    """Return the calendar day of a date, time or ISO text, or raise SchemaError."""
    moment = _moment(value, column, frame)
    return moment.date() if isinstance(moment, datetime) else moment


def _wall_clock(moment: datetime, zone: tzinfo | None) -> date:
    if zone is not None and moment.tzinfo is not None:
        moment = moment.astimezone(zone)
    return moment.date()


def _moment(value: Any, column: str, frame: Frame | None) -> date:
    """Read one distinct value as a date or time, or raise SchemaError with the rows that have it."""
    if isinstance(value, date):  # a datetime is a date too
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value) if len(value) <= 10 else datetime.fromisoformat(value)
        except ValueError:
            pass
    offenders = frame.offenders(column, [value]) if frame is not None else []
    raise SchemaError.answers(
        column,
        "a date",
        "Give dates, times, or ISO texts such as 2026-11-21.",
        n_bad=max(len(offenders), 1),
        offenders=offenders,
        value=value,
    )

"""ChurnWindow: which days features may see, how long the warning leads, and when leaving counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import field_serializer, field_validator

from satmodels.errors import ArgumentError
from satmodels.survey.scale import Spec

LONGEST_DAYS = 36_525  # a hundred years: anything longer is seconds or microseconds taken for days
_DAY = np.timedelta64(1, "D") / np.timedelta64(1, "us")


class ChurnWindow(Spec):
    """The three stretches of time around a cutoff.

    Features come from ``[cutoff - observation, cutoff)``; nothing is taken from the gap
    ``[cutoff, cutoff + gap)``, in which the warning is to reach someone who can act; leaving counts in
    ``[cutoff + gap, cutoff + gap + horizon)``. Every stretch includes its first moment and excludes its last.

    Parameters
    ----------
    observation, gap, horizon : int or timedelta
        Lengths in days, or as timedelta. Only the gap may be 0; without one, a warning comes when the
        customer is already leaving.

    Raises
    ------
    ArgumentError
        A length is not finite, not positive (the gap: negative), or longer than a hundred years.

    Examples
    --------
    >>> import satmodels as sat
    >>> window = sat.ChurnWindow(observation=90, gap=14, horizon=60)
    >>> window, window.purge.days
    (ChurnWindow(observation=90, gap=14, horizon=60), 74)
    >>> sat.ChurnWindow.from_json(window.to_json()) == window
    True
    """

    observation: timedelta
    gap: timedelta
    horizon: timedelta

    def __init__(self, observation: Any = None, gap: Any = 0, horizon: Any = None, **unknown: Any) -> None:
        super().__init__(observation=observation, gap=gap, horizon=horizon, **unknown)

    @field_validator("observation", "gap", "horizon", mode="before")
    @classmethod
    def _days(cls, value: Any) -> timedelta:
        if isinstance(value, np.timedelta64):
            value = value / np.timedelta64(1, "D")
        if isinstance(value, bool) or not isinstance(value, int | float | np.number | timedelta):
            raise ValueError(f"days as a number, or a timedelta, not {value!r}")
        days = value / timedelta(days=1) if isinstance(value, timedelta) else float(value)
        if not abs(days) <= LONGEST_DAYS:  # also false for NaN
            raise ValueError(f"{days} is no length in days (at most {LONGEST_DAYS:,})")
        return timedelta(days=days)

    @field_validator("observation", "horizon")
    @classmethod
    def _positive(cls, value: timedelta) -> timedelta:
        if value <= timedelta(0):
            raise ValueError("must be longer than 0 days")
        return value

    @field_validator("gap")
    @classmethod
    def _not_negative(cls, value: timedelta) -> timedelta:
        if value < timedelta(0):
            raise ValueError("must be 0 days or more: a negative gap would show the outcome to the features")
        return value

    @field_serializer("observation", "gap", "horizon")
    def _as_days(self, value: timedelta) -> float:
        days = value / timedelta(days=1)
        return int(days) if days == int(days) else days

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield from ((name, self._as_days(getattr(self, name))) for name in ("observation", "gap", "horizon"))

    @property
    def purge(self) -> timedelta:
        """Gap plus horizon: how far a training cutoff must lie before a test cutoff."""
        return self.gap + self.horizon

    def __str__(self) -> str:
        def days(value: timedelta) -> str:
            return f"{value / timedelta(days=1):g}"

        return f"{days(self.observation)} days seen, {days(self.gap)} days gap, {days(self.horizon)} days horizon"


def check_window(window: object) -> None:
    """Raise ArgumentError unless it is a ChurnWindow."""
    if not isinstance(window, ChurnWindow):
        raise ArgumentError(
            f"window={window!r}: give ChurnWindow(observation, gap, horizon), for example ChurnWindow(90, 14, 30)"
        )


def microseconds(length: timedelta) -> int:
    """Return a length in whole microseconds."""
    return length // timedelta(microseconds=1)


def cutoff_times(cutoffs: Any, zone: str | None = None) -> NDArray[np.int64]:
    """Return cutoffs as microseconds on the clock of the declared zone, ascending and distinct.

    Parameters
    ----------
    cutoffs : date, datetime, ISO text, or a sequence or range of these
        A date is its first moment.
    zone : str, optional
        Zone into which cutoffs that have one are converted.

    Raises
    ------
    ArgumentError
        A cutoff is no date, is there twice, or has a time zone while none is declared.
    """
    import pandas as pd

    single = isinstance(cutoffs, str | date | datetime | np.datetime64)
    given: list[Any] = (
        [cutoffs]
        if single
        else list(cutoffs)
        if isinstance(cutoffs, Iterable) and getattr(cutoffs, "ndim", 1)
        else []
    )
    if not given:
        raise ArgumentError(f"cutoffs={cutoffs!r}: give at least one date, for example ['2024-07-01']")
    times: list[int] = []
    for value in given:
        if isinstance(value, bool | int | float | np.number):
            raise ArgumentError(f"cutoff {value!r} is a number: give dates, for example '2024-07-01'")
        try:
            stamp = pd.Timestamp(value)
        except (ValueError, TypeError, OverflowError) as error:
            raise ArgumentError(f"cutoff {value!r} is no date: write it as '2024-07-01'") from error
        if stamp is pd.NaT:
            raise ArgumentError("a cutoff is missing (NaT)")
        if stamp.tzinfo is not None:
            if zone is None:
                raise ArgumentError(f"cutoff {value!r} has a time zone: declare timezone= too")
            stamp = stamp.tz_convert(zone).tz_localize(None)
        times.append(int(stamp.to_datetime64().astype("datetime64[us]").astype(np.int64)))
    distinct = sorted(set(times))
    if len(distinct) < len(times):
        twice = next(t for t in distinct if times.count(t) > 1)
        raise ArgumentError(f"cutoff {show_moment(int(twice))} is given twice")
    return np.array(distinct, dtype=np.int64)


def show_moment(moment: int) -> str:
    """Return a moment in microseconds as people write it: a date, with the time of day only if there is one."""
    return str(np.datetime64(moment, "us")).removesuffix("T00:00:00.000000")

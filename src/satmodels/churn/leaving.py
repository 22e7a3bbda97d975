"""Who is at risk at a cutoff, who left, and whether that can be known yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.churn.history import Log
from satmodels.churn.window import ChurnWindow, cutoff_times, microseconds, show_moment
from satmodels.errors import ArgumentError, DataError
from satmodels.intake.events import MICROSECONDS_PER_DAY, NO_TIME

Times = NDArray[np.int64]


def at_risk(log: Log, ends: Times | None, moment: int, window: ChurnWindow) -> NDArray[np.int64]:
    """Return the customers who have started before a moment and are still there."""
    there = log.start < moment
    if ends is not None:
        there &= (ends == NO_TIME) | (ends >= moment + microseconds(window.gap))
    else:
        there &= _active(log, moment - microseconds(window.observation), moment)
    return np.flatnonzero(there)


def churned(
    log: Log, ends: Times | None, moment: int, who: NDArray[np.int64], window: ChurnWindow
) -> NDArray[np.int64]:
    """Return 1 for who left in the outcome window, 0 for who stayed."""
    low = moment + microseconds(window.gap)
    high = low + microseconds(window.horizon)
    if ends is not None:
        return ((ends[who] >= low) & (ends[who] < high)).astype(np.int64)
    return 1 - _active(log, low, high)[who].astype(np.int64)


def _active(log: Log, low: int, high: int) -> NDArray[np.bool_]:
    everyone = np.arange(log.n_customers)
    return log.activity.before(high, everyone) > log.activity.before(low, everyone)


def data_ends(log: Log, observed_until: Any, zone: str | None) -> int:
    """Return the moment at which the data ends: the end of the last day with an event, unless it is given.

    The ends of contracts say nothing about it: they may be announced, or be a far day that stands for none.
    """
    if observed_until is not None:
        return int(cutoff_times(observed_until, zone)[-1])
    last = max(int(rows.time.max()) for rows in log.rows.values() if len(rows.time))
    return (last // MICROSECONDS_PER_DAY + 1) * MICROSECONDS_PER_DAY


def refuse_unfinished(moments: Times, needed: int, until: int) -> None:
    """Raise ArgumentError for a cutoff whose outcome is not over when the data ends."""
    late = moments[moments + needed > until]
    if len(late):
        raise ArgumentError(
            f"the outcome of cutoff {np.datetime64(int(late[0]), 'us')} is not over: the data ends at "
            f"{np.datetime64(until, 'us')}, and the outcome needs {needed / MICROSECONDS_PER_DAY:g} days from the "
            f"cutoff. The last possible cutoff is {np.datetime64(until - needed, 'us')}; label=False builds the "
            "panel without outcome, and observed_until= says when the data ends, if later than its last event."
        )


def follow_up(
    ends: Times, who: NDArray[np.int64], cutoff: NDArray[Any], window: ChurnWindow, until: int
) -> dict[str, NDArray[Any]]:
    """Return days from the end of the gap to leaving or to the end of the data, and which it was."""
    origin = cutoff.astype("datetime64[us]").astype(np.int64) + microseconds(window.gap)
    end = ends[who]
    left = (end != NO_TIME) & (end < until)
    last = np.where(left, end, until)
    # who leaves at the very moment at which the gap ends has a time just above 0
    days = np.maximum(last - origin, 1) / MICROSECONDS_PER_DAY
    return {"time": days, "left": left.astype(np.int64)}


def refuse_empty(at_risk: Sequence[NDArray[np.int64]], moments: Times) -> None:
    """Raise DataError for a cutoff at which nobody is at risk."""
    for who, moment in zip(at_risk, moments, strict=True):
        if len(who) == 0:
            raise DataError(
                f"nobody is at risk at cutoff {show_moment(int(moment))}: no customer has started "
                "before it and is still there"
            )

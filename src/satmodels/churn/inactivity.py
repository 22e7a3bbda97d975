"""inactivity_horizon: after how many silent days a customer without a contract counts as gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from satmodels.arguments import checked
from satmodels.churn.survival_report import kaplan_meier
from satmodels.churn.window import cutoff_times
from satmodels.errors import ArgumentError, DataError, unknown
from satmodels.intake.events import MICROSECONDS_PER_DAY, read_events
from satmodels.intake.frames import open_frame
from satmodels.results import Result, Table
from satmodels.statistics.counts import as_names

SHARES = (0.5, 0.75, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True, kw_only=True, repr=False)
class InactivityHorizon(Result):
    """How long customers pause before they come back.

    ``tidy()``: ``share, days``: the share of those who come back at all that is back within so many days.

    Attributes
    ----------
    days : int
        The horizon: whole days after which the asked share of the returning is back.
    share : float
        The share asked for.
    returning : float
        Share of pauses that end in a return within the time observed.
    n_pauses, n_customers : int
    """

    kind: ClassVar[str] = "inactivity_horizon"
    rows: Table
    days: int
    share: float
    returning: float
    n_pauses: int
    n_customers: int

    def _tidy(self) -> Table:
        return self.rows

    def _glance(self) -> Mapping[str, Any]:
        return {
            "days": self.days,
            "share": self.share,
            "returning": self.returning,
            "n_pauses": self.n_pauses,
            "n_customers": self.n_customers,
        }


@checked
def inactivity_horizon(
    events: Any,
    *,
    customer: str = "customer",
    date: str = "date",
    kind: str | None = None,
    activity: str | Sequence[str] | None = None,
    share: float = 0.95,
    observed_until: Any = None,
    timezone: str | None = None,
) -> InactivityHorizon:
    """Find after how many silent days a customer will hardly come back.

    Between two days with an event lies a pause that ended in a return; after the last one a pause that had
    not ended when the data did. The Kaplan-Meier curve of all pauses takes both into account; the horizon is
    the day by which the ``share`` of those who ever come back are back. Take it as the ``horizon`` of a
    :class:`ChurnWindow` without a contract's end.

    Parameters
    ----------
    events, customer, date, kind, activity, observed_until, timezone
        As in :func:`churn_panel`.
    share : float, default 0.95
        Between 0 and 1.

    Raises
    ------
    DataError
        No customer was active on two days.

    Examples
    --------
    >>> import satmodels as sat
    >>> study = sat.datasets.simulate_service(n=200, seed=3)
    >>> sat.inactivity_horizon(study.events, kind="kind", activity="login").days
    30
    """
    if isinstance(share, bool) or not 0 < share < 1:
        raise ArgumentError(f"share={share!r}: between 0 and 1, for example 0.95")
    frame = open_frame(events)
    read = read_events(frame, customer=customer, date=date, kind=kind, zone=timezone)
    used = np.ones(len(read.time), dtype=bool)
    if activity is not None:
        kinds = as_names(activity)
        for name in kinds:
            if name not in read.kinds:
                raise unknown("kind of event", name, read.kinds)
        used = np.isin(read.kind, [read.kinds.index(name) for name in kinds])
    day = read.time[used] // MICROSECONDS_PER_DAY
    if len(day) == 0:
        raise DataError("there are no events")
    who = read.customer[used]
    until = int(read.time.max() // MICROSECONDS_PER_DAY) + 1
    if observed_until is not None:
        until = int(cutoff_times(observed_until, timezone)[-1] // MICROSECONDS_PER_DAY)
    pairs = np.unique(np.column_stack([who, day])[day < until], axis=0)  # days with several events count once
    who, day = pairs[:, 0], pairs[:, 1]
    if len(day) == 0:
        raise DataError("there are no events before observed_until")
    last = np.append(who[1:] != who[:-1], True)
    following = np.append(day[1:], until)
    # silent until the last day seen, which is the one before `until`: of a pause as long nothing else is known
    pause = np.where(last, until - 1 - day, following - day).astype(float)
    seen = pause > 0
    if not (~last).any():
        raise DataError("no customer was active on two days: there is no pause that ended in a return")
    times, away = kaplan_meier(pause[seen], ~last[seen])
    back = 1 - away
    wanted = sorted({*SHARES, share})
    # a step that rounding leaves a hair below its level has reached it
    days = [int(times[np.argmax(back >= s * back[-1] * (1 - 1e-12))]) for s in wanted]
    return InactivityHorizon(
        library=frame.library,
        rows=Table.of({"share": wanted, "days": days}),
        days=days[wanted.index(share)],
        share=float(share),
        returning=float(back[-1]),
        n_pauses=len(pause),
        n_customers=len(np.unique(who)),
    )

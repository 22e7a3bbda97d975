"""What the service does: response, resolution and service levels from a table of tickets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, SchemaError, unknown
from satmodels.intake.cells import Cells
from satmodels.intake.frames import Frame, open_frame
from satmodels.intake.keys import codes_of, joint_keys
from satmodels.intake.waits import count_present, count_waits, moment_of, with_times
from satmodels.results import Table
from satmodels.scores.indicators import COLUMNS, IndicatorResult, share_row
from satmodels.scores.periods import By, Grouping
from satmodels.statistics.counts import sort_key
from satmodels.statistics.intervals import check_level, counted_median, median_interval

SECONDS_PER_HOUR = 3600
# answered within: 2 hours for a serious complaint, the "golden" 4 hours for any other
SERVICE_LEVELS = {"serious": timedelta(hours=2)}
OTHER = timedelta(hours=4)

Group = tuple[Any, ...]
Array = NDArray[np.float64]


@checked
def kpis(
    tickets: Any,
    *,
    opened: str = "opened",
    responded: str | None = None,
    resolved: str | None = None,
    contacts: str | None = None,
    severity: str | None = None,
    service_levels: Mapping[Any, timedelta] | None = None,
    other: timedelta | None = OTHER,
    as_of: datetime | np.datetime64 | str | None = None,
    by: By = (),
    level: float = 0.95,
) -> IndicatorResult:
    """Compute indicators of a service desk from its tickets, each with its interval.

    Parameters
    ----------
    tickets : dataframe
        A frame of any supported library with one row per ticket or complaint. The engine counts the tickets by
        waiting time in begun seconds, and only these counts come out; where times are texts or objects, the named
        columns are read into memory first.
    opened : str
        Column of the time at which the ticket was opened.
    responded, resolved : str, optional
        Columns of the times of the first response and of the solution; missing where there is none yet.
    contacts : str, optional
        Column with the number of contacts that the solution took.
    severity : str, optional
        Column of the severity, by which ``service_levels`` differ.
    service_levels : mapping, optional
        ``{severity: timedelta}``, in whole seconds, within which a first response is due; by default 2 hours for
        ``"serious"``.
    other : timedelta, default 4 hours
        The same for every other severity; None leaves those tickets out.
    as_of : datetime or ISO text, optional
        When the table was drawn. A ticket without a response counts as late only if its time had run out
        by then, and is left out (``n_missing``) if not. Needed where responses are missing.
    by : str, Period or sequence of them
        Columns to group by; ``Period("opened", "month")`` groups by the month of opening.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    IndicatorResult
        ``tidy()``: by-columns, term, type, estimate, std_error, conf_low, conf_high, n, n_missing, events,
        unit:

        - ``response_time``, ``resolution_time``: median hours (exact to a second), with the interval of order statistics;
          tickets still open are left out (``n_missing``), which flatters: read it with the rates;
        - ``first_contact_resolution``: resolved tickets that took one contact;
        - ``resolution_rate``: tickets resolved at all;
        - ``service_level``: first responses in time, over all tickets and by severity
          (``service_level: serious``).

    Raises
    ------
    ArgumentError
        A column is not known, nothing can be computed, ``as_of`` is needed, or some times have a zone and some
        have not.
    SchemaError
        A column holds no times, an opening is missing, or a response or solution lies before it or after ``as_of``.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> opened = pd.to_datetime(["2026-01-01 08:00", "2026-01-01 09:00", "2026-01-01 10:00"])
    >>> tickets = pd.DataFrame(
    ...     {
    ...         "opened": opened,
    ...         "answered": opened + pd.to_timedelta([1, 3, 5], unit="h"),
    ...         "severity": ["serious", "serious", "minor"],
    ...     }
    ... )
    >>> found = sat.kpis(tickets, responded="answered", severity="severity").tidy()
    >>> found[["term", "estimate"]].round(2).values.tolist()[:2]
    [['response_time', 3.0], ['service_level', 33.33]]
    """
    check_level(level)
    grouping = Grouping.of(by)
    if responded is None and resolved is None and contacts is None:
        raise ArgumentError("nothing to compute: give responded=, resolved= or contacts=")
    if contacts is not None and resolved is None:
        raise ArgumentError("contacts= counts to a solution: give resolved= too")
    limits = _limits(SERVICE_LEVELS if service_levels is None else service_levels, other)
    given = open_frame(tickets)
    for column in (opened, responded, resolved, contacts, severity, *grouping.names):
        if column is not None and column not in given.columns:
            raise unknown("column of the tickets", column, given.columns)
    times = [c for c in (opened, responded, resolved) if c is not None]
    if len(set(times)) < len(times):
        raise ArgumentError(f"a column has two roles among {times}: opening, response and solution are apart")
    others = [c for c in (contacts, severity, *grouping.names) if c is not None]
    frame, grouping = grouping.on(with_times(given, times, others))
    now = None if as_of is None else moment_of(frame, opened, as_of)
    tickets_of = _Tickets(frame, grouping, severity)
    if responded is not None:
        waits = count_waits(frame, opened, responded, tickets_of.keys, now, drawn=now)
        tickets_of.add_response(waits, limits, now)
    if resolved is not None:
        tickets_of.add_resolution(count_waits(frame, opened, resolved, tickets_of.keys, None, drawn=now))
        if contacts is not None:
            columns = [*tickets_of.keys, contacts]
            tickets_of.add_contacts(count_present(frame, resolved, columns), contacts)
    rows = [
        {**dict(zip(grouping.names, group, strict=True)), **row}
        for group in sorted(tickets_of.groups, key=sort_key)
        for row in tickets_of.groups[group].rows(level, responded, resolved, contacts, severity)
    ]
    return IndicatorResult(
        library=given.library,
        by=grouping.names,
        level=level,
        table=Table.from_records(rows, (*grouping.names, *COLUMNS)),
    )


def _limits(levels: Mapping[Any, timedelta], other: timedelta | None) -> dict[Any, float | None]:
    """Return the seconds within which a response is due, by severity; under ``...`` those of all others."""
    found: dict[Any, float | None] = {...: None}
    for name, limit in {**levels, ...: other}.items():
        if limit is None and name is ...:
            continue
        if not isinstance(limit, timedelta) or limit <= timedelta(0) or limit.microseconds:
            raise ArgumentError(f"service level {limit!r}: give a timedelta of whole seconds, above 0")
        found[name] = limit.total_seconds()
    return found


@dataclass
class _Waits:
    """Counts of tickets by seconds of waiting, and how many still wait."""

    seconds: Array = field(default_factory=lambda: np.zeros(0))
    n: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    waiting: int = 0

    def row(self, term: str, level: float) -> dict[str, Any]:
        """Return the row of the median in hours."""
        n = int(self.n.sum())
        low, high = median_interval(self.seconds, level=level, counts=self.n)
        return {
            "term": term,
            "type": "median",
            "estimate": counted_median(self.seconds, self.n) / SECONDS_PER_HOUR,
            "std_error": None,
            "conf_low": low / SECONDS_PER_HOUR,
            "conf_high": high / SECONDS_PER_HOUR,
            "n": n,
            "n_missing": self.waiting,
            "events": n,
            "unit": "hours",
        }


@dataclass
class _Group:
    """Counts of one group of tickets."""

    response: _Waits = field(default_factory=_Waits)
    resolution: _Waits = field(default_factory=_Waits)
    # of solutions: with one contact, with more, with an unknown number
    contacts: list[int] = field(default_factory=lambda: [0, 0, 0])
    # per severity: responses in time, late, not due yet or never
    due: dict[Any, list[int]] = field(default_factory=dict[Any, list[int]])

    def rows(
        self,
        level: float,
        responded: str | None,
        resolved: str | None,
        contacts: str | None,
        severity: str | None,
    ) -> list[dict[str, Any]]:
        """Return one row per indicator that was asked for."""
        rows: list[dict[str, Any]] = []
        if responded is not None:
            rows.append(self.response.row("response_time", level))
        if resolved is not None:
            rows.append(self.resolution.row("resolution_time", level))
        if contacts is not None:
            one, more, unknown_ = self.contacts
            rows.append(
                share_row("first_contact_resolution", one, one + more, level, "of solutions", unknown_)
            )
        if resolved is not None:
            done = int(self.resolution.n.sum())
            rows.append(
                share_row("resolution_rate", done, done + self.resolution.waiting, level, "of tickets")
            )
        if responded is not None:
            every = np.array(list(self.due.values())).reshape(-1, 3).sum(axis=0).tolist()
            rows.append(_level_row("service_level", every, level))
            if severity is not None:
                for kind in sorted(self.due, key=lambda v: sort_key((v,))):
                    name = "missing" if kind is None else kind
                    rows.append(_level_row(f"service_level: {name}", self.due[kind], level))
        return rows


def _level_row(term: str, counts: list[int], level: float) -> dict[str, Any]:
    in_time, late, not_due = counts
    return share_row(term, in_time, in_time + late, level, "of due responses", not_due)


class _Tickets:
    """Counted tickets, group by group."""

    def __init__(self, frame: Frame, grouping: Grouping, severity: str | None) -> None:
        self._frame, self._grouping = frame, grouping
        self.keys = list(grouping.read)
        self._kind: int | None = None  # place of the severity among the keys
        if severity is not None:
            if severity not in self.keys:
                self.keys.append(severity)
            self._kind = self.keys.index(severity)
        self.groups: dict[Group, _Group] = {} if grouping.names else {(): _Group()}

    def _each(self, cells: Cells) -> Iterator[tuple[_Group, Any, NDArray[np.intp]]]:
        """Go through the groups and severities with the places of their cells."""
        n_keys, n_by = len(self.keys), len(self._grouping.names)
        distinct: list[tuple[Any, ...]] = [()]
        at = np.zeros(len(cells.n), dtype=np.intp)
        if n_keys and len(cells.n):
            names, codes = zip(*(codes_of(column) for column in cells.columns[:n_keys]), strict=True)
            distinct, at = joint_keys(names, codes)
        order = np.argsort(at, kind="stable")
        ends = np.cumsum(np.bincount(at, minlength=len(distinct)))[:-1]
        places = self._grouping.keys([key[:n_by] for key in distinct], self._frame)
        for place, key, cell in zip(places, distinct, np.split(order, ends), strict=True):
            if len(cell):
                group = self.groups.setdefault(place, _Group())
                yield group, None if self._kind is None else key[self._kind], cell

    def add_response(self, cells: Cells, limits: Mapping[Any, float | None], now: int | None) -> None:
        """Add tickets by severity, whether they wait still, and seconds of waiting."""
        waits, seconds = np.array(cells.columns[-2], dtype=bool), _numbers(cells.columns[-1])
        if waits.any() and now is None:
            raise ArgumentError(
                f"{int(cells.n[waits].sum())} tickets have no response: as_of= says when the table was drawn, and "
                "so which of them are late"
            )
        for group, kind, cell in self._each(cells):
            _add(group.response, waits[cell], seconds[cell], cells.n[cell])
            limit = limits.get(kind, limits[...])
            late = np.zeros(len(cell), dtype=bool) if limit is None else seconds[cell] > limit
            not_due = np.ones(len(cell), dtype=bool) if limit is None else waits[cell] & ~late
            due = group.due.setdefault(kind, [0, 0, 0])
            for i, part in enumerate((~late & ~not_due, late, not_due)):
                due[i] += int(cells.n[cell][part].sum())

    def add_resolution(self, cells: Cells) -> None:
        """Add tickets by whether they are unsolved, and seconds until they were."""
        waits, seconds = np.array(cells.columns[-2], dtype=bool), _numbers(cells.columns[-1])
        for group, _, cell in self._each(cells):
            _add(group.resolution, waits[cell], seconds[cell], cells.n[cell])

    def add_contacts(self, cells: Cells, column: str) -> None:
        """Add tickets by number of contacts and whether they are unsolved."""
        given, unsolved = cells.columns[-2:]
        wrong = np.array([not _is_contacts(value) for value in given], dtype=bool)
        if wrong.any():
            bad = list(dict.fromkeys(given[i] for i in np.flatnonzero(wrong).tolist()))
            raise SchemaError.answers(
                column,
                "whole numbers from 1",
                "Correct the counts.",
                n_bad=int(cells.n[wrong].sum()),
                offenders=self._frame.offenders(column, bad),
                value=bad[0],
            )
        kind = np.array([2 if value is None else int(float(value) != 1) for value in given], dtype=np.intp)
        n = np.where(np.array(unsolved, dtype=bool), 0, cells.n)
        for group, _, cell in self._each(cells):
            for i in range(3):
                group.contacts[i] += int(n[cell][kind[cell] == i].sum())


def _add(waits: _Waits, unfinished: NDArray[np.bool_], seconds: Array, n: NDArray[np.int64]) -> None:
    waits.seconds = np.concatenate([waits.seconds, seconds[~unfinished]])
    waits.n = np.concatenate([waits.n, n[~unfinished]])
    waits.waiting += int(n[unfinished].sum())


def _numbers(values: Sequence[Any]) -> Array:
    return np.array([np.nan if v is None else v for v in values], dtype=float)


def _is_contacts(value: Any) -> bool:
    if value is None:
        return True
    if isinstance(value, bool | str):
        return False
    try:
        return float(value) >= 1 and float(value).is_integer()
    except (TypeError, ValueError):
        return False

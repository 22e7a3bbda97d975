"""What the service does: response, resolution and service levels from a table of tickets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, SchemaError, unknown
from satmodels.intake.frames import open_frame
from satmodels.intake.mixed import column_values
from satmodels.results import Table
from satmodels.scores.indicators import COLUMNS, IndicatorResult, share_row
from satmodels.statistics.counts import as_names, sort_key
from satmodels.statistics.intervals import check_level, median_interval

HOUR = np.timedelta64(3_600_000_000, "us")
# answered within: 2 hours for a serious complaint, the "golden" 4 hours for any other
SERVICE_LEVELS = {"serious": timedelta(hours=2)}
OTHER = timedelta(hours=4)

Array = NDArray[np.float64]


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
    as_of: datetime | str | None = None,
    by: str | tuple[str, ...] | list[str] = (),
    level: float = 0.95,
) -> IndicatorResult:
    """Compute indicators of a service desk from its tickets, each with its interval.

    Parameters
    ----------
    tickets : dataframe
        A frame of any supported library with one row per ticket or complaint. The named columns are read
        into memory.
    opened : str
        Column of the time at which the ticket was opened.
    responded, resolved : str, optional
        Columns of the times of the first response and of the solution; missing where there is none yet.
    contacts : str, optional
        Column with the number of contacts that the solution took.
    severity : str, optional
        Column of the severity, by which ``service_levels`` differ.
    service_levels : mapping, optional
        ``{severity: timedelta}`` within which a first response is due; by default 2 hours for
        ``"serious"``.
    other : timedelta, default 4 hours
        The same for every other severity; None leaves those tickets out.
    as_of : datetime, optional
        When the table was drawn. A ticket without a response counts as late only if its time had run out
        by then, and is left out (``n_missing``) if not. Needed where responses are missing.
    by : str or sequence of str
        Columns to group by.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    IndicatorResult
        ``tidy()``: by-columns, term, type, estimate, std_error, conf_low, conf_high, n, n_missing, events,
        unit:

        - ``response_time``, ``resolution_time``: median hours, with the interval of order statistics;
          tickets still open are left out (``n_missing``), which flatters: read it with the rates;
        - ``first_contact_resolution``: resolved tickets that took one contact;
        - ``resolution_rate``: tickets resolved at all;
        - ``service_level``: first responses in time, over all tickets and by severity
          (``service_level: serious``).

    Raises
    ------
    ArgumentError
        A column is not known, nothing can be computed, or ``as_of`` is needed.
    SchemaError
        A column holds no times, or a response or solution lies before the opening.

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
    by = as_names(by)
    if responded is None and resolved is None and contacts is None:
        raise ArgumentError("nothing to compute: give responded=, resolved= or contacts=")
    if contacts is not None and resolved is None:
        raise ArgumentError("contacts= counts to a solution: give resolved= too")
    frame = open_frame(tickets)
    for column in (opened, responded, resolved, contacts, severity, *by):
        if column is not None and column not in frame.columns:
            raise unknown("column of the tickets", column, frame.columns)
    start = _times(column_values(frame, opened), opened)
    if np.isnat(start).any():
        row = int(np.flatnonzero(np.isnat(start))[0])
        raise SchemaError(
            f"column {opened!r}: row {row} has no opening time", column=opened, row=row, rule="a time"
        )
    hours = {
        name: _hours(_times(column_values(frame, column), column), start, column)
        for name, column in (("response", responded), ("resolution", resolved))
        if column is not None
    }
    steps = None if contacts is None else _contacts(frame.values(contacts), contacts)
    kinds = [None] * len(start) if severity is None else frame.values(severity)
    now = None if as_of is None else np.datetime64(as_of, "us")
    in_time = None
    if "response" in hours:
        limits = {**(SERVICE_LEVELS if service_levels is None else service_levels)}
        in_time = _in_time(hours["response"], start, kinds, limits, other, now)
    columns = [frame.values(name) for name in by]
    keys: list[tuple[Any, ...]] = list(zip(*columns, strict=True)) if by else [()] * len(start)
    places: dict[tuple[Any, ...], list[int]] = {}
    for i, key in enumerate(keys):
        places.setdefault(key, []).append(i)
    rows: list[dict[str, Any]] = []
    for key in sorted(places, key=sort_key):
        at = np.array(places[key], dtype=np.intp)
        for row in _rows(at, hours, steps, in_time, kinds if severity else None, level):
            rows.append({**dict(zip(by, key, strict=True)), **row})
    return IndicatorResult(
        library=frame.library, by=by, level=level, table=Table.from_records(rows, (*by, *COLUMNS))
    )


def _times(values: NDArray[Any], column: str) -> NDArray[np.datetime64]:
    if values.dtype.kind == "M":
        return values.astype("datetime64[us]")
    try:
        texts = [None if v is None or v != v else _time(v) for v in values.tolist()]
    except (ValueError, TypeError) as error:
        raise SchemaError(
            f"column {column!r} holds no times: {error}", column=column, rule="a time"
        ) from error
    return np.array([np.datetime64("NaT", "us") if t is None else t for t in texts], dtype="datetime64[us]")


def _time(value: Any) -> np.datetime64:
    if isinstance(value, str | date):
        return np.datetime64(value, "us")
    raise TypeError(f"{value!r} is no time")  # a bare number could be seconds, days, or anything


def _hours(end: NDArray[np.datetime64], start: NDArray[np.datetime64], column: str) -> Array:
    hours = np.where(np.isnat(end), np.nan, (end - start) / HOUR)
    early = np.flatnonzero(np.nan_to_num(hours) < 0)
    if len(early):
        offenders = [(int(i), str(end[i])) for i in early[:5]]
        raise SchemaError.answers(
            column,
            "not before the opening",
            "Correct the times, or exchange the columns.",
            n_bad=len(early),
            offenders=offenders,
        )
    return hours


def _contacts(values: list[Any], column: str) -> Array:
    bad = [
        (i, v)
        for i, v in enumerate(values)
        if v is not None and (isinstance(v, bool | str) or float(v) < 1 or float(v) != int(v))
    ]
    if bad:
        raise SchemaError.answers(
            column, "whole numbers from 1", "Correct the counts.", n_bad=len(bad), offenders=bad[:5]
        )
    return np.array([np.nan if v is None else float(v) for v in values])


def _in_time(
    response: Array,
    start: NDArray[np.datetime64],
    kinds: list[Any],
    limits: Mapping[Any, timedelta],
    other: timedelta | None,
    now: np.datetime64 | None,
) -> Array:
    """Return 1 for a response in time, 0 for a late one, NaN where it is not known or not due."""
    due = np.array(
        [
            np.nan if limit is None else limit.total_seconds() / 3600
            for limit in (limits.get(k, other) for k in kinds)
        ]
    )
    open_ = np.isnan(response)
    if open_.any() and now is None:
        raise ArgumentError(
            f"{int(open_.sum())} tickets have no response: as_of= says when the table was drawn, and so which of "
            "them are late"
        )
    waited = np.where(open_, np.nan if now is None else (now - start) / HOUR, response)
    result = np.where(waited <= due, 1.0, 0.0)
    result = np.where(open_, np.where(waited > due, 0.0, np.nan), result)
    return np.where(np.isnan(due), np.nan, result)


def _rows(
    at: NDArray[np.intp],
    hours: Mapping[str, Array],
    contacts: Array | None,
    in_time: Array | None,
    kinds: list[Any] | None,
    level: float,
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name, values in hours.items():
        rows.append(_median_row(f"{name}_time", values[at], level))
    if contacts is not None:
        solved = contacts[at][~np.isnan(hours["resolution"][at])]
        known = solved[~np.isnan(solved)]
        missing = len(solved) - len(known)
        rows.append(
            share_row(
                "first_contact_resolution",
                int((known == 1).sum()),
                len(known),
                level,
                "of solutions",
                missing,
            )
        )
    if "resolution" in hours:
        done = int((~np.isnan(hours["resolution"][at])).sum())
        rows.append(share_row("resolution_rate", done, len(at), level, "of tickets"))
    if in_time is not None:
        groups: list[tuple[str, NDArray[np.intp]]] = [("service_level", at)]
        if kinds is not None:
            for k in sorted({kinds[i] for i in at}, key=lambda v: sort_key((v,))):
                name = "missing" if k is None else k
                groups.append(
                    (f"service_level: {name}", np.array([i for i in at if kinds[i] == k], dtype=np.intp))
                )
        for name, some in groups:
            known = in_time[some][~np.isnan(in_time[some])]
            rows.append(
                share_row(
                    name, int(known.sum()), len(known), level, "of due responses", len(some) - len(known)
                )
            )
    return rows


def _median_row(term: str, values: Array, level: float) -> dict[str, Any]:
    known = values[~np.isnan(values)]
    low, high = median_interval(known, level=level) if len(known) else (np.nan, np.nan)
    return {
        "term": term,
        "type": "median",
        "estimate": float(np.median(known)) if len(known) else None,
        "std_error": None,
        "conf_low": low,
        "conf_high": high,
        "n": len(known),
        "n_missing": len(values) - len(known),
        "events": len(known),
        "unit": "hours",
    }

"""Event logs, the table of customers and their answers, read together: one log, sorted by customer and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.churn.features import MOST_CHANNELS
from satmodels.churn.history import NO_ROWS, Log, SortedRows, join_rows
from satmodels.errors import ArgumentError, DataError, unknown
from satmodels.intake.events import CustomerColumns, EventColumns, read_customers, read_events
from satmodels.intake.frames import Frame, open_frame
from satmodels.intake.library import FrameLibrary
from satmodels.statistics.counts import as_names

Times = NDArray[np.int64]

FORGOTTEN = "end"  # a column of customers that would decide who left: not using it must be said


@dataclass(frozen=True)
class Columns:
    """Which column plays which part."""

    customer: str
    date: str
    kind: str | None
    amount: str | None
    start: str | None
    end: str | None
    attributes: tuple[str, ...]
    scores: tuple[str, ...]
    zone: str | None
    channel: str | None = None
    delay: str | None = None


def open_logs(events: Any) -> dict[str, Frame]:
    """Return the logs by name; one alone is called event."""
    if isinstance(events, Mapping):
        if not events:
            raise ArgumentError("events={}: give at least one log")
        return {str(name): open_frame(frame) for name, frame in events.items()}
    return {"event": open_frame(events)}


def read_log(
    sources: Mapping[str, Frame],
    customers: Any,
    answers: Any,
    columns: Columns,
    activity: str | Sequence[str] | None,
) -> tuple[Log, Times | None, NDArray[Any], FrameLibrary]:
    """Return the log of all customers, the ends of their contracts, their ids, and the library of the frames."""
    parts = _read_logs(sources, columns)
    if not any(len(part.time) for part in parts.values()):
        raise DataError("there are no events")
    table = None
    if customers is not None:
        _refuse_forgotten_end(open_frame(customers), columns, activity)
        table = read_customers(
            open_frame(customers),
            customer=columns.customer,
            start=columns.start,
            end=columns.end,
            attributes=columns.attributes,
            zone=columns.zone,
        )
    elif columns.end is not None or columns.attributes:
        raise ArgumentError("end= and attributes= are columns of customers=: give that table too")
    ids = table.ids if table is not None else _all_ids(parts)
    rows: dict[str, SortedRows] = {}
    numbers: dict[tuple[str, str | None], SortedRows] = {}
    carried: dict[str, list[tuple[Any, Any, Any]]] = {}
    matched = 0
    for name, part in parts.items():
        who = _places(part.ids, ids, name)[part.customer]
        matched += int((who >= 0).sum())
        for code, word in enumerate(part.kinds):
            if word in rows:
                raise ArgumentError(f"two logs have events of the kind {word!r}: rename one of the kinds")
            here = (part.kind == code) & (who >= 0)
            rows[word] = SortedRows.of(who[here], part.time[here], len(ids))
            for value, numbers_ in part.values.items():
                there = here & ~np.isnan(numbers_)
                if there.any():
                    numbers[value, word] = SortedRows.of(
                        who[there], part.time[there], len(ids), numbers_[there]
                    )
        for value, numbers_ in part.values.items():
            there = (who >= 0) & ~np.isnan(numbers_)
            carried.setdefault(value, []).append((who[there], part.time[there], numbers_[there]))
    for value, pieces in carried.items():  # of all logs together
        owner, time, number = (
            pieces[0]
            if len(pieces) == 1
            else [np.concatenate(column) for column in zip(*pieces, strict=True)]
        )
        numbers[value, None] = SortedRows.of(owner, time, len(ids), number)
    carried.clear()
    if not matched:
        raise ArgumentError(
            f"no event belongs to a customer of the customer table: compare the columns {columns.customer!r}"
        )
    if answers is not None:
        numbers |= _read_answers(open_frame(answers), ids, columns, {v for v, _ in numbers})
    elif columns.scores:
        raise ArgumentError("scores= are columns of answers=: give that frame too")
    kinds = _activity_kinds(activity, rows)
    log = Log(
        len(ids),
        rows,
        numbers,
        _starts(table, rows, len(ids)),
        {} if table is None else table.attributes,
        () if table is None else table.dates,
        join_rows([rows[k] for k in kinds], len(ids)) if columns.end is None else NO_ROWS,
        _channel_rows(parts, ids, columns.channel),
        columns.channel,
        columns.delay,
    )
    return log, None if table is None else table.end, ids, next(iter(sources.values())).library


def _refuse_forgotten_end(customers: Frame, columns: Columns, activity: str | Sequence[str] | None) -> None:
    if FORGOTTEN in customers.columns and columns.end is None and activity is None:
        raise ArgumentError(
            f"customers has a column {FORGOTTEN!r}: say end={FORGOTTEN!r} if leaving is the end of a contract, or "
            "activity=[kinds of events] if it is silence."
        )


def _read_logs(sources: Mapping[str, Frame], columns: Columns) -> dict[str, EventColumns]:
    for role in ("kind", "amount", "channel", "delay"):
        column: str | None = getattr(columns, role)
        if column is not None and not any(column in frame.columns for frame in sources.values()):
            raise unknown(f"{role} column", column, next(iter(sources.values())).columns)
    return {
        name: read_events(
            frame,
            customer=columns.customer,
            date=columns.date,
            kind=columns.kind if columns.kind in frame.columns else None,
            values=[c for c in (columns.amount, columns.delay) if c is not None and c in frame.columns],
            zone=columns.zone,
            default_kind=name,
            channel=columns.channel if columns.channel in frame.columns else None,
        )
        for name, frame in sources.items()
    }


def _channel_rows(
    parts: Mapping[str, EventColumns], ids: NDArray[Any], column: str | None
) -> dict[str, SortedRows]:
    """Return the rows of each channel, of all logs that know one."""
    found: dict[str, list[tuple[NDArray[np.int64], Times]]] = {}
    for name, part in parts.items():
        if part.channel is None:
            continue
        who = _places(part.ids, ids, name)[part.customer]
        if len({*found, *part.channels}) > MOST_CHANNELS:
            raise ArgumentError(
                f"channel={column!r}: the column has more than {MOST_CHANNELS} different values, "
                f"{list(part.channels[:3])} and so on: is it a channel? Group the rare ones."
            )
        for code, word in enumerate(part.channels):
            here = (part.channel == code) & (who >= 0)
            found.setdefault(word, []).append((who[here], part.time[here]))
    return {
        word: SortedRows.of(
            np.concatenate([w for w, _ in pieces]), np.concatenate([t for _, t in pieces]), len(ids)
        )
        for word, pieces in found.items()
    }


def _read_answers(
    frame: Frame, ids: NDArray[Any], columns: Columns, taken: set[str]
) -> dict[tuple[str, str | None], SortedRows]:
    if not columns.scores:
        raise ArgumentError(f"which columns of answers are scores? Give scores= out of {list(frame.columns)}")
    if twice := sorted(taken & set(columns.scores)):
        raise ArgumentError(
            f"{twice} are both an amount of the events and a score of the answers: rename one"
        )
    read = read_events(
        frame,
        customer=columns.customer,
        date=columns.date,
        kind=None,
        values=columns.scores,
        zone=columns.zone,
    )
    who = _places(read.ids, ids, "answers")[read.customer]
    found: dict[tuple[str, str | None], SortedRows] = {}
    for name, values in read.values.items():
        there = (who >= 0) & ~np.isnan(values)
        found[name, None] = SortedRows.of(who[there], read.time[there], len(ids), values[there])
    return found


def _activity_kinds(activity: str | Sequence[str] | None, rows: Mapping[str, SortedRows]) -> Sequence[str]:
    if activity is None:
        return list(rows)
    kinds = as_names(activity)
    for name in kinds:
        if name not in rows:
            raise unknown("kind of event", name, sorted(rows))
    if not kinds:
        raise ArgumentError("activity=[]: name at least one kind of event")
    return kinds


def _starts(table: CustomerColumns | None, rows: Mapping[str, SortedRows], n: int) -> Times:
    if table is not None and table.start is not None:
        return table.start
    first = np.full(n, np.iinfo(np.int64).max)
    for part in rows.values():
        there = np.flatnonzero(np.diff(part.first))
        first[there] = np.minimum(first[there], part.time[part.first[there]])
    return first


def _all_ids(parts: Mapping[str, EventColumns]) -> NDArray[Any]:
    ids = [part.ids for part in parts.values()]
    for other in ids[1:]:
        _same_type(ids[0], other, "logs")
    merged = ids[0] if len(ids) == 1 else np.concatenate(ids)
    try:
        return np.unique(merged)  # sorted, so that the rows' order in the log changes nothing
    except TypeError as error:
        raise ArgumentError("customer ids of several types in one column: convert them to text") from error


def _places(ids: NDArray[Any], among: NDArray[Any], name: str) -> NDArray[np.int64]:
    """Return each id's position among the customers, -1 where it is none of them."""
    import pandas as pd

    _same_type(among, ids, name)
    return np.asarray(pd.Index(among).get_indexer(pd.Index(ids)), dtype=np.int64)


def _same_type(one: NDArray[Any], other: NDArray[Any], name: str) -> None:
    if not len(one) or not len(other):
        return
    types = [("number" if a.dtype != object else type(a[0]).__name__) for a in (one, other)]
    if types[0] != types[1]:
        raise ArgumentError(
            f"the customers are of the type {types[0]} in one frame and {types[1]} in another ({name}): the "
            f"first are {one[0]!r} and {other[0]!r}. Convert one of them, so that the same customer is the same."
        )

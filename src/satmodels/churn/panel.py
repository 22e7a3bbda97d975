"""churn_panel: from an event log to one row per customer at risk and cutoff, with features and outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.churn.features import (
    MOST_CHANNELS,
    RESERVED,
    Feature,
    distinct,
    feature_dictionary,
    proposed_features,
)
from satmodels.churn.history import NO_ROWS, History, Log, SortedRows, join_rows
from satmodels.churn.window import ChurnWindow, check_window, cutoff_times, microseconds, show_moment
from satmodels.errors import ArgumentError, DataError, one_of, unknown
from satmodels.intake.events import (
    MICROSECONDS_PER_DAY,
    NO_TIME,
    CustomerColumns,
    EventColumns,
    build_frame,
    read_customers,
    read_events,
)
from satmodels.intake.frames import Frame, open_frame
from satmodels.intake.library import FrameLibrary
from satmodels.statistics.counts import as_names

Times = NDArray[np.int64]

FORGOTTEN = "end"  # a column of customers that would decide who left: not using it must be said


@checked
def churn_panel(
    events: Any,
    customers: Any = None,
    *,
    cutoffs: Any,
    window: ChurnWindow,
    customer: str = "customer",
    date: str = "date",
    kind: str | None = None,
    amount: str | None = None,
    channel: str | None = None,
    delay: str | None = None,
    service_level: float | timedelta | None = None,
    start: str | None = "start",
    end: str | None = None,
    activity: str | Sequence[str] | None = None,
    attributes: Sequence[str] = (),
    answers: Any = None,
    scores: Sequence[str] = (),
    features: Sequence[Feature] | None = None,
    more_features: Sequence[Feature] = (),
    timezone: str | None = None,
    observed_until: Any = None,
    label: bool | Literal["time"] = True,
) -> Any:
    """Build a panel: one row per customer at risk and cutoff, with features of that time and the outcome.

    Features come from ``[cutoff - observation, cutoff)`` alone; the outcome from ``[cutoff + gap,
    cutoff + gap + horizon)``; nothing from between. A customer is at risk at a cutoff who started before it
    and, where ``end`` is given, has not ended before ``cutoff + gap`` (who leaves in the gap can't be warned
    about in time); without ``end``, who was active in the observation window.

    Parameters
    ----------
    events : dataframe or mapping
        Event log of one row per event. Or several logs by name, ``{"use": log, "purchase": orders}``: the
        name is the kind of the events of a log that has no column ``kind``.
    customers : dataframe, optional
        One row per customer. Events of customers who are not in it are left out. Without it, the customers
        are those of the events, and start with their first event.
    cutoffs : dates
        Moments of prediction: ``["2024-07-01", "2024-08-01"]``, a date range, or a single date.
    window : ChurnWindow
        Lengths of observation, gap and horizon.
    customer, date : str
        Columns, of the same name in every frame.
    kind, amount : str, optional
        Columns of the events: what happened (``login``, ``complaint``), and a number that events carry.
        Of several logs, those that have the column.
    channel : str, optional
        Column of the events: the channel of a contact (``phone``, ``web``), missing where there is none. Each
        channel's share becomes a feature; at most 30 channels.
    delay : str, optional
        Column of the events: days late, of payments for example, missing for other events (negative: early). Its
        latest value, mean and trend become features.
    service_level : float or timedelta, optional
        Within how many days a complaint is to be put right (kinds ``complaint`` and ``complaint_resolved``, or any
        other such pair). Adds the share put right within it as a feature; default 14 days without that feature.
    start, end : str, optional
        Columns of ``customers``: first day of the contract, and the day it was ended (missing while it
        lasts). With ``end`` churn is *contractual*: the end lies in the outcome window. Without it churn is
        *inactivity*: no event of the activity kinds in the outcome window.
    activity : str or sequence of str, optional
        Kinds of events that show a customer is still there; default all of them. Must be given where
        ``customers`` has a column ``end`` that is not used.
    attributes : sequence of str
        Columns of ``customers`` to take as features. None by default: a customer table mostly says what is
        so today, not what was so at the cutoff, so take what does not change. A date becomes the days from
        it to the cutoff, and is missing when it lies after the cutoff.
    answers : dataframe, optional
        Survey answers with the columns ``customer``, ``date`` and ``scores``.
    scores : sequence of str
        Columns of ``answers``: NPS, CSI or construct scores, whose latest value and slope become features.
    features : sequence of Feature, optional
        Features instead of those proposed for the log; see :func:`satmodels.churn_features`.
    more_features : sequence of Feature
        Features beside them.
    timezone : str, optional
        Zone in which a day begins, such as ``"Europe/Berlin"``; required where a date column has a zone.
        Columns without a zone are taken to show that clock already.
    observed_until : date, optional
        When the data ends; default the end of the last day with an event. A contract whose ``end`` is later
        (announced, or a far day such as 2099-12-31 that stands for none) still lasts then.
    label : bool or "time", default True
        False leaves out the outcome, to score customers today. ``"time"`` gives, instead of ``churned``, the
        days from the end of the gap until the contract's end or until the data ends (``time``), and whether it
        ended (``left``): what :class:`satmodels.ChurnHazard` learns from.

    Returns
    -------
    dataframe
        ``customer, cutoff``, the features, ``churned`` (0 or 1); in the library of the events. Rows are
        sorted by cutoff, then in the customers' order.

    Raises
    ------
    ArgumentError
        A column is missing, a cutoff's outcome lies beyond the data, or ids of two frames differ in type.
    SchemaError
        An id or date is missing, a customer is listed twice, an end is not after its start.
    DataError
        Nobody is at risk at a cutoff.

    Examples
    --------
    >>> import satmodels as sat
    >>> study = sat.datasets.simulate_service(n=300, seed=3)
    >>> panel = sat.churn_panel(
    ...     study.events,
    ...     study.customers,
    ...     kind="kind",
    ...     end="end",
    ...     cutoffs=["2025-07-01", "2025-09-01"],
    ...     window=sat.ChurnWindow(observation=90, gap=14, horizon=60),
    ... )
    >>> list(panel.columns[:3]), panel.columns[-1], panel.groupby("cutoff").size().gt(200).all()
    (['customer', 'cutoff', 'tenure_days'], 'churned', np.True_)
    """
    check_window(window)
    sources = _open(events)
    promised = _service_level(service_level, window)
    log, ends, ids, library = _read(
        sources,
        customers,
        answers,
        Columns(
            customer,
            date,
            kind,
            amount,
            start,
            end,
            as_names(attributes),
            as_names(scores),
            timezone,
            channel,
            delay,
        ),
        activity,
    )
    moments = cutoff_times(cutoffs, timezone)
    if label not in (True, False, "time"):
        raise one_of("label", label, (True, False, "time"))
    if label == "time" and ends is None:
        raise ArgumentError('label="time" needs end=: without a contract there is no moment of leaving')
    until = _data_ends(log, observed_until, timezone) if label else 0
    if label:
        needed = microseconds(window.purge if label is True else window.gap) + (label == "time")
        _refuse_unfinished(moments, needed, until)
    chosen = (
        proposed_features(log, _days(window.observation), promised) if features is None else tuple(features)
    )
    chosen = distinct([*chosen, *more_features])
    at_risk = [_at_risk(log, ends, int(moment), window) for moment in moments]
    _refuse_empty(at_risk, moments)
    rows = np.cumsum([0, *(len(who) for who in at_risk)])
    columns: dict[str, NDArray[Any]] = {
        customer: ids[np.concatenate(at_risk)],
        "cutoff": np.repeat(moments.astype("datetime64[us]"), np.diff(rows)),
    }
    if customer in RESERVED[1:] or any(f.name == customer for f in chosen):
        raise ArgumentError(f"the column {customer!r} would be twice in the panel: rename it or the feature")
    for i, (moment, who) in enumerate(zip(moments, at_risk, strict=True)):
        history = History(log, who, int(moment), microseconds(window.observation))
        here = slice(rows[i], rows[i + 1])
        for wanted in chosen:
            values = wanted(history)
            if wanted.name not in columns:
                columns[wanted.name] = np.empty(rows[-1], dtype=values.dtype)
            columns[wanted.name][here] = values
    if label == "time" and ends is not None:
        columns |= _follow_up(ends, np.concatenate(at_risk), columns["cutoff"], window, until)
    elif label:
        columns["churned"] = np.concatenate(
            [_churned(log, ends, int(m), who, window) for m, who in zip(moments, at_risk, strict=True)]
        )
    return build_frame(library, columns)


@checked
def churn_features(
    events: Any,
    *,
    window: ChurnWindow,
    kind: str | None = None,
    amount: str | None = None,
    channel: str | None = None,
    delay: str | None = None,
    service_level: float | timedelta | None = None,
    scores: Sequence[str] = (),
    attributes: Sequence[str] = (),
    customer: str = "customer",
    date: str = "date",
    timezone: str | None = None,
) -> tuple[Feature, ...]:
    """Return the features that :func:`churn_panel` proposes for these events, to pick from and to look up.

    Parameters
    ----------
    events, window, kind, amount, channel, delay, service_level, scores, attributes, customer, date, timezone
        As in :func:`churn_panel`. Attributes are described as the numbers or words they are, not as dates.

    Returns
    -------
    tuple of Feature
        ``satmodels.feature_dictionary`` makes a table of them.

    Examples
    --------
    >>> import satmodels as sat
    >>> study = sat.datasets.simulate_service(n=50, seed=3)
    >>> window = sat.ChurnWindow(observation=90, gap=14, horizon=60)
    >>> features = sat.churn_features(study.events, window=window, kind="kind")
    >>> sat.feature_dictionary(features).loc[1, "feature"]
    'complaint_count_90d'
    """
    check_window(window)
    columns = Columns(customer, date, kind, amount, None, None, (), (), timezone, channel, delay)
    log, _, _, _ = _read(_open(events), None, None, columns, None)
    empty = SortedRows.of(np.empty(0, np.int64), np.empty(0, np.int64), log.n_customers, np.empty(0))
    log = Log(
        log.n_customers,
        log.rows,
        {**log.numbers, **{(name, None): empty for name in as_names(scores)}},
        log.start,
        {name: np.empty(0) for name in as_names(attributes)},
        channels=log.channels,
        channel_column=log.channel_column,
        delay=log.delay,
    )
    return proposed_features(log, _days(window.observation), _service_level(service_level, window))


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


def _open(events: Any) -> dict[str, Frame]:
    if isinstance(events, Mapping):
        if not events:
            raise ArgumentError("events={}: give at least one log")
        return {str(name): open_frame(frame) for name, frame in events.items()}
    return {"event": open_frame(events)}


def _read(
    sources: Mapping[str, Frame],
    customers: Any,
    answers: Any,
    columns: Columns,
    activity: str | Sequence[str] | None,
) -> tuple[Log, Times | None, NDArray[Any], FrameLibrary]:
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


def _service_level(given: float | timedelta | None, window: ChurnWindow) -> float | None:
    """Return the service level in days."""
    if given is None:
        return None
    days = given / timedelta(days=1) if isinstance(given, timedelta) else given
    observed = _days(window.observation)
    if isinstance(days, bool) or not isinstance(days, int | float | np.number) or not 0 < days < observed:
        raise ArgumentError(
            f"service_level={given!r}: days above 0 and below the observation window ({observed:g} days), or a timedelta"
        )
    return float(days)


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


def _days(length: Any) -> float:
    return microseconds(length) / MICROSECONDS_PER_DAY


def _at_risk(log: Log, ends: Times | None, moment: int, window: ChurnWindow) -> NDArray[np.int64]:
    there = log.start < moment
    if ends is not None:
        there &= (ends == NO_TIME) | (ends >= moment + microseconds(window.gap))
    else:
        there &= _active(log, moment - microseconds(window.observation), moment)
    return np.flatnonzero(there)


def _churned(
    log: Log, ends: Times | None, moment: int, who: NDArray[np.int64], window: ChurnWindow
) -> NDArray[np.int64]:
    low = moment + microseconds(window.gap)
    high = low + microseconds(window.horizon)
    if ends is not None:
        return ((ends[who] >= low) & (ends[who] < high)).astype(np.int64)
    return 1 - _active(log, low, high)[who].astype(np.int64)


def _active(log: Log, low: int, high: int) -> NDArray[np.bool_]:
    everyone = np.arange(log.n_customers)
    return log.activity.before(high, everyone) > log.activity.before(low, everyone)


def _data_ends(log: Log, observed_until: Any, zone: str | None) -> int:
    """Return the moment at which the data ends: the end of the last day with an event, unless it is given.

    The ends of contracts say nothing about it: they may be announced, or be a far day that stands for none.
    """
    if observed_until is not None:
        return int(cutoff_times(observed_until, zone)[-1])
    last = max(int(rows.time.max()) for rows in log.rows.values() if len(rows.time))
    return (last // MICROSECONDS_PER_DAY + 1) * MICROSECONDS_PER_DAY


def _refuse_unfinished(moments: Times, needed: int, until: int) -> None:
    late = moments[moments + needed > until]
    if len(late):
        raise ArgumentError(
            f"the outcome of cutoff {np.datetime64(int(late[0]), 'us')} is not over: the data ends at "
            f"{np.datetime64(until, 'us')}, and the outcome needs {needed / MICROSECONDS_PER_DAY:g} days from the "
            f"cutoff. The last possible cutoff is {np.datetime64(until - needed, 'us')}; label=False builds the "
            "panel without outcome, and observed_until= says when the data ends, if later than its last event."
        )


def _follow_up(
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


def _refuse_empty(at_risk: Sequence[NDArray[np.int64]], moments: Times) -> None:
    for who, moment in zip(at_risk, moments, strict=True):
        if len(who) == 0:
            raise DataError(
                f"nobody is at risk at cutoff {show_moment(int(moment))}: no customer has started "
                "before it and is still there"
            )


__all__ = ["churn_features", "churn_panel", "feature_dictionary"]

"""churn_panel: from an event log to one row per customer at risk and cutoff, with features and outcome."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.churn.features import (
    RESERVED,
    Feature,
    distinct,
    feature_dictionary,
    proposed_features,
)
from satmodels.churn.history import History, Log, SortedRows
from satmodels.churn.leaving import at_risk, churned, data_ends, follow_up, refuse_empty, refuse_unfinished
from satmodels.churn.logs import Columns, open_logs, read_log
from satmodels.churn.window import ChurnWindow, check_window, cutoff_times, microseconds
from satmodels.errors import ArgumentError, one_of
from satmodels.intake.events import (
    MICROSECONDS_PER_DAY,
    build_frame,
)
from satmodels.statistics.counts import as_names

Times = NDArray[np.int64]


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
    sources = open_logs(events)
    promised = _service_level(service_level, window)
    log, ends, ids, library = read_log(
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
    until = data_ends(log, observed_until, timezone) if label else 0
    if label:
        needed = microseconds(window.purge if label is True else window.gap) + (label == "time")
        refuse_unfinished(moments, needed, until)
    chosen = (
        proposed_features(log, _days(window.observation), promised) if features is None else tuple(features)
    )
    chosen = distinct([*chosen, *more_features])
    present = [at_risk(log, ends, int(moment), window) for moment in moments]
    refuse_empty(present, moments)
    rows = np.cumsum([0, *(len(who) for who in present)])
    columns: dict[str, NDArray[Any]] = {
        customer: ids[np.concatenate(present)],
        "cutoff": np.repeat(moments.astype("datetime64[us]"), np.diff(rows)),
    }
    if customer in RESERVED[1:] or any(f.name == customer for f in chosen):
        raise ArgumentError(f"the column {customer!r} would be twice in the panel: rename it or the feature")
    for i, (moment, who) in enumerate(zip(moments, present, strict=True)):
        history = History(log, who, int(moment), microseconds(window.observation))
        here = slice(rows[i], rows[i + 1])
        for wanted in chosen:
            values = wanted(history)
            if wanted.name not in columns:
                columns[wanted.name] = np.empty(rows[-1], dtype=values.dtype)
            columns[wanted.name][here] = values
    if label == "time" and ends is not None:
        columns |= follow_up(ends, np.concatenate(present), columns["cutoff"], window, until)
    elif label:
        columns["churned"] = np.concatenate(
            [churned(log, ends, int(m), who, window) for m, who in zip(moments, present, strict=True)]
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
    log, _, _, _ = read_log(open_logs(events), None, None, columns, None)
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


def _days(length: Any) -> float:
    return microseconds(length) / MICROSECONDS_PER_DAY


__all__ = ["churn_features", "churn_panel", "feature_dictionary"]

"""What customers do: indicators of behaviour from a table of events, each with its interval."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date as Day
from datetime import timedelta
from typing import Any, ClassVar

import numpy as np

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, SchemaError, unknown
from satmodels.intake.cells import count_cells
from satmodels.intake.frames import Frame, open_frame
from satmodels.results import Result, Table
from satmodels.scores.periods import By, Grouping, Period, day_of
from satmodels.scores.result import ScoreResult
from satmodels.statistics.counts import sort_key
from satmodels.statistics.intervals import check_level, mean_interval, proportion_interval, rate_interval

KINDS = ("purchase", "enquiry", "complaint", "praise", "failure")
PER = 100  # complaint and failure rates are per so many purchases
RECOVERY = timedelta(days=90)  # within which a complainer's next purchase counts as recovered

NAMES = (
    "reputation",
    "designation",
    "return_rate",
    "complaint_rate",
    "sales_power",
    "repurchase_rate",
    "repurchase_frequency",
    "failure_rate",
    "recovery",
)
COLUMNS = (
    "term",
    "type",
    "estimate",
    "std_error",
    "conf_low",
    "conf_high",
    "n",
    "n_missing",
    "events",
    "unit",
)


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class IndicatorResult(Result):
    """Indicators with their intervals, one row per group and indicator.

    Attributes
    ----------
    table : Table
        ``type`` is proportion (in percent), rate, mean or median; ``n`` what it is of, ``events`` how many
        of them, ``unit`` what the estimate counts.
    """

    kind: ClassVar[str] = "indicators"
    by: tuple[str, ...]
    level: float
    table: Table

    def _tidy(self) -> Table:
        return self.table

    def _glance(self) -> Mapping[str, Any]:
        terms = tuple(dict.fromkeys(self.table["term"]))
        one = {} if self.by else dict(zip(self.table["term"], self.table["estimate"], strict=True))
        return {**one, "rows": len(self.table), "indicators": len(terms), "level": self.level}

    @checked
    def score(self, term: str) -> ScoreResult:
        """Return one indicator as a score, for :func:`satmodels.compare`, ``trend`` and ``control_chart``.

        Parameters
        ----------
        term : str
            A proportion, rate or mean of this result.

        Raises
        ------
        ArgumentError
            There is no such indicator, or it is a median, which has no standard error.
        """
        rows = [row for row in self.table.rows() if row["term"] == term]
        if not rows:
            raise unknown("indicator", term, dict.fromkeys(self.table["term"]))
        type_ = rows[0]["type"]
        if type_ == "median":
            raise ArgumentError(f"{term} is a median: it has an interval, but no standard error to test with")
        names = (*self.by, "term", "estimate", "std_error", "conf_low", "conf_high", "n", "n_missing")
        table = Table.from_records([{name: row[name] for name in names} for row in rows], names)
        if type_ == "rate":  # in the units of the estimate
            table = Table.of({**table.columns(), "exposure": [row["n"] / PER for row in rows]})
        # squared deviations over n, as of every score; the error of a mean has n - 1
        less = int(type_ == "mean")
        spread = [
            np.nan if row["std_error"] is None else row["std_error"] ** 2 * (row["n"] - less) for row in rows
        ]
        return ScoreResult(
            library=self.library,
            score=term,
            item=rows[0]["unit"],
            by=self.by,
            method={"proportion": "wilson", "rate": "poisson", "mean": "t"}[type_],
            level=self.level,
            limits=(0.0, 100.0 if type_ == "proportion" else float("inf")),
            unit={"proportion": "percent", "rate": "rate", "mean": "scale"}[type_],
            table=table,
            spread=tuple(np.nan if type_ == "rate" else v for v in spread),
        )


@checked
def indicators(
    events: Any,
    *,
    customer: str = "customer",
    kind: str = "kind",
    kinds: Mapping[str, str] | None = None,
    date: str | None = None,
    named: str | None = None,
    since: Any = None,
    recovery: timedelta = RECOVERY,
    by: By = (),
    level: float = 0.95,
) -> IndicatorResult:
    """Compute indicators of customers' behaviour from a table of events.

    Parameters
    ----------
    events : dataframe
        A frame of any supported library with one row per event.
    customer, kind : str
        Columns of the customer and of the kind of event.
    kinds : mapping, optional
        ``{"purchase": value, "enquiry": value, "complaint": value, "praise": value, "failure": value}``, the
        words that the column ``kind`` has for them; by default these very words. Other events are left out.
    date : str, optional
        Column of the date; needed for ``return_rate`` and ``recovery``.
    named : str, optional
        Column of 0 and 1 (or False and True): whether the customer asked for us by name; needed for
        ``designation``.
    since : date, optional
        The day that parts earlier from later purchases, for ``return_rate``.
    recovery : timedelta, default 90 days
        How many whole days after the first complaint a purchase counts as a recovered customer. Who complained less
        than that before the table ends and has not bought yet counts as lost: leave late complaints out.
    by : str, Period or sequence of them
        Columns to group by. A customer is counted in each group in which there are events.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    IndicatorResult
        ``tidy()``: by-columns, term, type, estimate, std_error, conf_low, conf_high, n, n_missing, events,
        unit. Proportions are percentages with Wilson's interval, rates have the exact Poisson interval:

        - ``reputation``: praise among praise and complaints;
        - ``designation``: purchases in which we were asked for by name;
        - ``return_rate``: customers with a purchase before ``since`` who bought again from then on;
        - ``complaint_rate``: complaints per 100 purchases;
        - ``sales_power``: purchases per 100 enquiries;
        - ``repurchase_rate``: buyers with a second purchase;
        - ``repurchase_frequency``: mean purchases per buyer;
        - ``failure_rate``: product failures per 100 purchases;
        - ``recovery``: customers with a complaint who bought again within ``recovery`` after the first.

        An indicator is there where its columns are given and its kinds of event occur in the table. Events without a
        customer count in the shares and rates of events; where customers are counted, ``n_missing`` says how many
        there are (for ``return_rate`` and ``recovery`` those without a date too).

    Raises
    ------
    ArgumentError
        A column or kind is not known, or ``since`` is given without ``date``.
    SchemaError
        A date or an entry of ``named`` can't be read.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> events = pd.DataFrame(
    ...     {
    ...         "customer": [1, 1, 2, 2, 3, 3, 4],
    ...         "kind": ["purchase", "purchase", "purchase", "complaint", "purchase", "praise", "purchase"],
    ...     }
    ... )
    >>> sat.indicators(events).tidy()[["term", "estimate", "n"]].values.tolist()[:3]
    [['reputation', 50.0, 2], ['complaint_rate', 20.0, 5], ['repurchase_rate', 25.0, 4]]
    """
    check_level(level)
    words = _words(kinds)
    if since is not None and date is None:
        raise ArgumentError("since= needs date=, the column of the event's date")
    if date is None:
        since = None
    if not isinstance(recovery, timedelta) or recovery <= timedelta(0) or recovery % timedelta(days=1):
        raise ArgumentError(f"recovery={recovery!r}: give a timedelta of whole days, above 0")
    start = None if since is None else _day_of_since(since)
    grouping = Grouping.of(by)
    if date is not None and date in grouping.names:
        raise ArgumentError(
            f"date={date!r} is also in by=: copy the column under another name to group by it"
        )
    frame, grouping = grouping.on(open_frame(events))
    frame.require([customer, kind], role="column of events")
    read, when = frame, None
    if date is not None:
        read, (when,) = _days(frame, date)
    keys = [*grouping.read, customer, kind, *([when] if when else []), *([named] if named else [])]
    cells = count_cells(read, keys)
    n_by = len(grouping.names)
    groups = grouping.keys([key[:n_by] for key in cells.keys], read) if n_by else [()] * len(cells.keys)
    tally: dict[tuple[Any, ...], _Tally] = {}
    day_cache: dict[Any, Day | None] = {}
    for group, key, count in zip(groups, cells.keys, cells.n.tolist(), strict=True):
        found = tally.setdefault(group, _Tally())
        who, what = key[n_by], words.get(key[n_by + 1])
        if what is None:
            continue
        day = None
        if when is not None:
            raw = key[n_by + 2]
            if raw not in day_cache:
                day_cache[raw] = None if raw is None else day_of(raw, date or "", read)
            day = day_cache[raw]
        found.add(who, what, count, day, _flag(key[-1], named, frame) if named else None)
    rows: list[dict[str, Any]] = []
    # what is recorded nowhere did not happen never: it was not recorded
    recorded = {k for k in KINDS if any(found.count[k] for found in tally.values())}
    for group in sorted(tally, key=sort_key):
        for row in tally[group].rows(level, start, recovery if when else None, named is not None, recorded):
            rows.append({**dict(zip(grouping.names, group, strict=True)), **row})
    return IndicatorResult(
        library=frame.library,
        by=grouping.names,
        level=level,
        table=Table.from_records(rows, (*grouping.names, *COLUMNS)),
    )


def _words(kinds: Mapping[str, str] | None) -> dict[Any, str]:
    if kinds is None:
        return {k: k for k in KINDS}
    for name in kinds:
        if name not in KINDS:
            raise unknown("kind of event", name, KINDS)
    return {word: name for name, word in kinds.items()}


def _day_of_since(since: Any) -> Day:
    try:
        return day_of(since, "since", None)
    except SchemaError as error:
        raise ArgumentError(f"since={since!r} is no date: give a date, or an ISO text") from error


def _days(frame: Frame, column: str) -> tuple[Frame, tuple[str]]:
    read, grouping = Grouping.of(Period(column, "day")).on(frame)
    return read, (grouping.read[0],)


def _flag(value: Any, column: str, frame: Frame) -> bool | None:
    if value is None:
        return None
    if isinstance(value, bool | int | float) and value in (0, 1):
        return bool(value)
    offenders = frame.offenders(column, [value])
    raise SchemaError.answers(
        column,
        "0 or 1",
        "Give 0 and 1, or False and True.",
        n_bad=max(len(offenders), 1),
        offenders=offenders,
        value=value,
    )


class _Tally:
    """Counts of one group of events."""

    def __init__(self) -> None:
        self.count: dict[str, int] = dict.fromkeys(KINDS, 0)
        self.buys: dict[Any, int] = {}
        self.bought: dict[Any, list[Day]] = {}
        self.complained: dict[Any, Day] = {}
        # of each kind: whose customer is not known; whose customer or day is not
        self.anonymous: dict[str, int] = dict.fromkeys(KINDS, 0)
        self.unplaced: dict[str, int] = dict.fromkeys(KINDS, 0)
        self.named = [0, 0, 0]  # not by name, by name, not known

    def add(self, who: Any, what: str, count: int, day: Day | None, named: bool | None) -> None:
        """Add some events of one customer on one day; without a customer they count where none is needed."""
        self.count[what] += count
        if what == "purchase":
            self.named[2 if named is None else int(named)] += count
        self.unplaced[what] += count if who is None or day is None else 0
        if who is None:
            self.anonymous[what] += count
            return
        if what == "purchase":
            self.buys[who] = self.buys.get(who, 0) + count
            if day is not None:
                self.bought.setdefault(who, []).append(day)
        if what == "complaint" and day is not None:
            self.complained[who] = min(day, self.complained.get(who, day))

    def rows(
        self, level: float, since: Day | None, recovery: timedelta | None, named: bool, recorded: set[str]
    ) -> list[dict[str, Any]]:
        """Return one row per indicator that can be computed."""
        rows: list[dict[str, Any]] = []
        count, buyers = self.count, len(self.buys)
        opinions = count["praise"] + count["complaint"]
        if opinions and {"praise", "complaint"} <= recorded:
            rows.append(share_row("reputation", count["praise"], opinions, level, "of praise and complaints"))
        if named and count["purchase"]:
            known = self.named[0] + self.named[1]
            rows.append(share_row("designation", self.named[1], known, level, "of purchases", self.named[2]))
        if since is not None:
            before = {who for who, days in self.bought.items() if min(days) < since}
            again = sum(max(self.bought[who]) >= since for who in before)
            unplaced = self.unplaced["purchase"]
            rows.append(share_row("return_rate", again, len(before), level, "of earlier buyers", unplaced))
        if count["purchase"] and "complaint" in recorded:
            rows.append(rate_row("complaint_rate", count["complaint"], count["purchase"], level, "purchases"))
        if count["enquiry"] and "purchase" in recorded:
            rows.append(rate_row("sales_power", count["purchase"], count["enquiry"], level, "enquiries"))
        if buyers:
            times = np.array(list(self.buys.values()), dtype=float)
            again, unknown_ = int((times > 1).sum()), self.anonymous["purchase"]
            rows.append(share_row("repurchase_rate", again, buyers, level, "of buyers", unknown_))
            rows.append(mean_row("repurchase_frequency", times, level, "purchases per buyer", unknown_))
        if "failure" in recorded and count["purchase"]:
            rows.append(rate_row("failure_rate", count["failure"], count["purchase"], level, "purchases"))
        if recovery is not None and self.complained:
            back = sum(
                any(day < bought <= day + recovery for bought in self.bought.get(who, ()))
                for who, day in self.complained.items()
            )
            unplaced = self.unplaced["complaint"] + self.unplaced["purchase"]
            rows.append(
                share_row("recovery", back, len(self.complained), level, "of complaining customers", unplaced)
            )
        return sorted(rows, key=lambda row: NAMES.index(row["term"]))


def share_row(term: str, x: int, n: int, level: float, unit: str, missing: int = 0) -> dict[str, Any]:
    """Return the row of a percentage, with Wilson's interval."""
    low, high = proportion_interval(x, n, level=level)
    p = x / n if n else np.nan
    return {
        "term": term,
        "type": "proportion",
        "estimate": 100 * p,
        "std_error": 100 * float(np.sqrt(p * (1 - p) / n)) if n > 1 else None,
        "conf_low": 100 * float(low),
        "conf_high": 100 * float(high),
        "n": n,
        "n_missing": missing,
        "events": x,
        "unit": f"percent {unit}",
    }


def rate_row(term: str, x: int, exposure: int, level: float, unit: str) -> dict[str, Any]:
    """Return the row of a rate per 100, with the exact Poisson interval."""
    low, high = rate_interval(x, exposure, level=level)
    return {
        "term": term,
        "type": "rate",
        "estimate": PER * x / exposure,
        "std_error": PER * float(np.sqrt(x)) / exposure,
        "conf_low": PER * float(low),
        "conf_high": PER * float(high),
        "n": exposure,
        "n_missing": 0,
        "events": x,
        "unit": f"per {PER} {unit}",
    }


def mean_row(term: str, values: Any, level: float, unit: str, missing: int = 0) -> dict[str, Any]:
    """Return the row of a mean, with Student's t."""
    n = len(values)
    error = float(values.std(ddof=1) / np.sqrt(n)) if n > 1 else np.nan
    low, high = mean_interval(values.mean(), error, level=level, df=n - 1)
    return {
        "term": term,
        "type": "mean",
        "estimate": float(values.mean()),
        "std_error": error,
        "conf_low": float(low),
        "conf_high": float(high),
        "n": n,
        "n_missing": missing,
        "events": int(values.sum()),
        "unit": unit,
    }

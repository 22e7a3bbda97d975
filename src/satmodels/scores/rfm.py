"""RFM: recency, frequency and monetary value of customers, scored by quantiles that keep ties together.

Equal values get equal scores: a score is the number of cut points below the value, and a cut point is an
exact quantile. So shuffling the rows changes nothing, and the cut points score tomorrow's customers too.
Ranking customers first, as teaching code does, splits equal customers by their place in the file.

Sources: Hughes (1994), Strategic Database Marketing; quantiles of type 7 in Hyndman and Fan (1996),
The American Statistician 50(4).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, DataError, as_whole, check_word, unknown
from satmodels.intake.frames import open_frame
from satmodels.intake.transactions import (
    CustomerTotals,
    Duplicates,
    Frequency,
    Future,
    Refunds,
    refuse_several,
    time_zone,
    total_by_customer,
)
from satmodels.results import Result, Table
from satmodels.scores.rfm_migration import MigrationResult, migrate
from satmodels.scores.rfm_segments import MAX_BINS, SEGMENTS, Segment, segment_grid

DIMENSIONS = ("recency", "frequency", "monetary")
RESERVED = (*DIMENSIONS, "r", "f", "m", "rfm", "segment")
Rule = Literal["value", "R"]
Cuts = Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class RFMResult(Result):
    """Customers with their recency, frequency and monetary scores, and the cut points behind them.

    Attributes
    ----------
    customers : dataframe
        One row per customer, ascending: the customer column, ``recency`` (days), ``frequency``,
        ``monetary``, the scores ``r``, ``f``, ``m`` (1 = worst), ``rfm`` (the three as one number) and
        ``segment``.
    cuts : mapping
        Cut points of ``recency``, ``frequency`` and ``monetary``, ascending; give them to
        ``rfm(..., cuts=)`` or use :meth:`score`.
    segments : dataframe
        One row per segment: ``segment, n, share`` (of customers, 0 to 1), means of ``recency,
        frequency, monetary``, their ``total`` money and its share ``total_share``. The same as ``tidy()``.
    as_of : date
        Day on whose end the customers were looked at.
    counts : mapping
        Rows by what was done with them: ``n_rows``, left out ``n_no_customer, n_no_date, n_no_amount,
        n_future``, and ``n_refunds, n_zero``; ``n_without_orders`` are customers with refunds alone.
    bins, rule, frequency, refunds, table
        The parameters: ``table`` is the tuple of segments.
    """

    kind: ClassVar[str] = "rfm"
    customer: str
    date: str
    amount: str
    as_of: dt.date
    bins: int
    rule: Rule
    frequency: Frequency
    refunds: Refunds
    future: Future
    duplicates: Duplicates
    currency: str | None
    table: tuple[Segment, ...] | None
    _cuts: Cuts
    _counts: Mapping[str, int]
    _ids: NDArray[Any]
    _values: Mapping[str, NDArray[Any]]  # the columns of `customers` after the id, without the segment
    _segment: NDArray[np.intp]  # index into `table`, or the code of the score cell without segments

    @property
    def customers(self) -> Any:
        """Return one row per customer."""
        columns: dict[str, Any] = {self.customer: self._ids, **self._values}
        if self.table is not None:
            names = np.array([s.name for s in self.table], dtype=object)
            columns["segment"] = names[self._segment]
        return self.library.build(columns)

    @property
    def cuts(self) -> dict[str, tuple[float, ...]]:
        """Return the cut points of each dimension."""
        return dict(self._cuts)

    @property
    def counts(self) -> dict[str, int]:
        """Return how many rows there were, and why some were left out."""
        return dict(self._counts)

    @property
    def segments(self) -> Any:
        """Return one row per segment."""
        return self.tidy()

    @property
    def n(self) -> int:
        """Number of customers."""
        return len(self._ids)

    def bin_sizes(self) -> Any:
        """Return one row per dimension and score: its bounds and how many customers it holds.

        Ties keep together, so bins are unequal and some may be empty; ``low`` is excluded and ``high``
        included (the other way round with ``rule="R"``), None where the bin is open.
        """
        return self.library.build(self._bin_sizes().columns())

    def _bin_sizes(self) -> Table:
        records: list[dict[str, Any]] = []
        for dimension in DIMENSIONS:
            scores = self._values[dimension[0]]
            edges = [None, *self._cuts[dimension], None]
            for score in range(1, self.bins + 1):
                place = self.bins - score if dimension == "recency" else score - 1
                records.append(
                    {
                        "dimension": dimension,
                        "score": score,
                        "low": edges[place],
                        "high": edges[place + 1],
                        "n": int((scores == score).sum()),
                    }
                )
        return Table.from_records(records)

    @checked
    def score(self, transactions: Any, *, as_of: dt.date | str | None = None) -> RFMResult:
        """Score other customers, or these customers later, with the same cut points and segments.

        Parameters
        ----------
        transactions : dataframe
            Transactions with the same columns, of any supported library.
        as_of : date or str, optional
            The day to look back from; by default the day of this result. Transactions after it are an
            error, so a later table needs a later day.

        Returns
        -------
        RFMResult
            With this result's ``cuts``.
        """
        return rfm(
            transactions,
            customer=self.customer,
            date=self.date,
            amount=self.amount,
            as_of=self.as_of if as_of is None else as_of,
            bins=self.bins,
            cuts=self.cuts,
            segments=self.table,
            rule=self.rule,
            frequency=self.frequency,
            refunds="net" if self.refunds == "rows" else self.refunds,
            future=self.future,
            duplicates=self.duplicates,
            currency=self.currency,
        )

    def migration(self, later: RFMResult) -> MigrationResult:
        """Count which segment the customers of each segment are in at a later date.

        Parameters
        ----------
        later : RFMResult
            The same customers later, best from :meth:`score`, so that only the customers move and not the
            cut points.

        Returns
        -------
        MigrationResult
            ``tidy()``: ``segment_before, segment_after, n, share`` (of the segment before); None stands
            for customers without an order yet, or without one any more.

        Raises
        ------
        ArgumentError
            The results have different segments or no segments, other ways of counting (``rule``, ``frequency``,
            ``refunds``), ids of different types, or the wrong order in time.
        """
        if not isinstance(later, RFMResult):
            raise ArgumentError(f"a migration is between two results of rfm, not {type(later).__name__}")
        if self.table is None or self.table != later.table:
            raise ArgumentError("a migration needs two results with the same segments")
        for name in ("rule", "frequency", "refunds"):
            mine, theirs = getattr(self, name), getattr(later, name)
            if mine != theirs:
                raise ArgumentError(
                    f"the results have {name}={mine!r} and {name}={theirs!r}: customers would move because they are counted "
                    "in another way"
                )
        if later.as_of < self.as_of:
            raise ArgumentError(f"the later result is of {later.as_of}, before {self.as_of}: swap them")
        names = tuple(s.name for s in self.table)
        moves, totals = migrate((self._ids, self._segment), (later._ids, later._segment), names)
        return MigrationResult(
            library=self.library,
            before=self.as_of,
            after=later.as_of,
            same_cuts=self._cuts == later._cuts,
            _table=moves,
            **totals,
        )

    def _tidy(self) -> Table:
        if self.table is not None:
            labels: list[Any] = [s.name for s in self.table]
            codes, name = self._segment, "segment"
        else:
            cells, codes = np.unique(self._segment, return_inverse=True)
            labels, name = cells.tolist(), "rfm"
        n = np.bincount(codes, minlength=len(labels))
        columns: dict[str, Any] = {name: labels, "n": n.tolist(), "share": (n / max(self.n, 1)).tolist()}
        for dimension in DIMENSIONS:
            sums = np.bincount(codes, weights=self._values[dimension], minlength=len(labels))
            columns[dimension] = [float(s / k) if k else None for s, k in zip(sums, n, strict=True)]
        totals = np.bincount(codes, weights=self._values["monetary"], minlength=len(labels))
        whole = float(totals.sum())
        columns["total"] = totals.tolist()
        columns["total_share"] = [float(t / whole) if whole > 0 else None for t in totals]
        return Table.of(columns)

    def _glance(self) -> Mapping[str, Any]:
        sizes = self._bin_sizes()
        return {
            "as_of": self.as_of,
            "n": self.n,
            "bins": self.bins,
            "rule": self.rule,
            "frequency": self.frequency,
            "refunds": self.refunds,
            "empty_bins": sum(1 for size in sizes["n"] if size == 0),
            "orders": int(self._values["frequency"].sum()),
            "monetary": float(self._values["monetary"].sum()),
            **self._counts,
        }


@checked
def rfm(
    transactions: Any,
    *,
    customer: str,
    date: str,
    amount: str,
    as_of: dt.date | np.datetime64 | str | None = None,
    bins: int = 5,
    cuts: Mapping[str, Sequence[float]] | None = None,
    segments: Sequence[Segment] | None = SEGMENTS,
    rule: Rule = "value",
    frequency: Frequency = "orders",
    refunds: Literal["net", "gross"] = "net",
    future: Future = "error",
    duplicates: Duplicates = "keep",
    currency: str | None = None,
) -> RFMResult:
    """Score customers by how recently, how often and for how much they bought.

    Parameters
    ----------
    transactions : dataframe
        One row per transaction; pandas, polars (eager or lazy), pyarrow or a DuckDB relation. Added up
        per customer by the engine that holds it.
    customer, date, amount : str
        Columns: who, when (dates or timestamps) and for how much (one currency).
    as_of : date or str (ISO)
        The day from whose end recency counts back. There is no default: a score that depends on the day
        it is computed can't be repeated.
    bins : int, default 5
        Number of scores of each dimension, 2 to 9.
    cuts : mapping, optional
        ``{"recency": [...], "frequency": [...], "monetary": [...]}``, each with ``bins - 1`` ascending
        cut points; dimensions left out are cut at quantiles. A value equal to a cut point belongs below.
    segments : sequence of Segment, optional
        Segment table, a partition of all score cells; the default is the recency-frequency grid with its
        ten usual names. None for scores alone.
    rule : {"value", "R"}, default "value"
        ``"value"``: cut points are quantiles (type 7) and a bin is ``low < x <= high``. ``"R"``: as the R
        package rfm, where cut points are quantiles plus 1, a bin is ``low <= x < high`` and refund
        rows count as orders; for comparison only, since plus 1 depends on the currency's unit.
    frequency : {"orders", "days"}, default "orders"
        Count every transaction, or the days with one: where one visit makes several rows, days are meant.
    refunds : {"net", "gross"}, default "net"
        Negative amounts. Net: they reduce the money, but are no orders. Gross: they are left out.
    future : {"error", "exclude"}, default "error"
        What to do with transactions after ``as_of``.
    duplicates : {"keep", "count", "drop", "error"}, default "keep"
        Rows that repeat customer, date and amount of another: two transactions (``"keep"``), the same but
        counted in ``counts["n_duplicates"]``, one transaction, or an error. Looking for them costs more
        than all the rest, so it is not done unless asked for.
    currency : str, optional
        Column of the currency, to be sure that there is only one.

    Returns
    -------
    RFMResult

    Raises
    ------
    ArgumentError
        ``as_of`` is missing or no day, a column is not there, ``cuts`` don't fit ``bins``, or ``segments``
        is no partition.
    SchemaError
        Dates that are no dates, infinite amounts, ids that a float can't hold, transactions after
        ``as_of``.
    DataError
        Fewer customers than bins (give ``cuts``).

    Notes
    -----
    Recency is in whole days, frequency counts orders (an amount of 0 is one), monetary is the sum of amounts,
    rounded to 12 significant digits so that the order of adding does not split equal customers (with ``rule="R"``
    the float nearest to the sum). The three dimensions are scored independently of each other. Rows without a
    customer, a date or an amount are left out and counted in ``counts``.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> sales = pd.DataFrame(
    ...     {
    ...         "customer": ["ann", "ann", "bob", "cid", "dee", "eve"],
    ...         "day": pd.to_datetime(
    ...             ["2026-05-01", "2026-06-20", "2026-01-15", "2026-06-25", "2026-03-03", "2026-06-29"]
    ...         ),
    ...         "amount": [40.0, 60.0, 15.0, 80.0, 20.0, 10.0],
    ...     }
    ... )
    >>> result = sat.rfm(sales, customer="customer", date="day", amount="amount", as_of="2026-06-30")
    >>> result.customers[["customer", "recency", "frequency", "monetary", "rfm"]].head(3)
      customer  recency  frequency  monetary  rfm
    0      ann       10          2     100.0  355
    1      bob      166          1      15.0  112
    2      cid        5          1      80.0  414
    >>> result.cuts["recency"]
    (4.2, 8.0, 53.6, 128.4)
    """
    check_word("rule", rule, get_args(Rule))
    check_word("frequency", frequency, get_args(Frequency))
    check_word("refunds", refunds, ("net", "gross"))
    check_word("future", future, get_args(Future))
    check_word("duplicates", duplicates, get_args(Duplicates))
    bins = as_whole("bins", bins, 2, MAX_BINS)
    if customer in RESERVED:
        raise ArgumentError(
            f"the customer column can't be called {customer!r}: the result has a column of that name. Rename it."
        )
    fixed = _checked_cuts(cuts, bins)
    if segments is not None and not isinstance(segments, list | tuple):
        raise ArgumentError(f"segments={segments!r}: give a list of Segment, or None for scores alone")
    table = None if segments is None else tuple(segments)
    grid = None if table is None else segment_grid(table, bins)
    frame = open_frame(transactions)
    frame.require((customer, date, amount))
    zone = time_zone(frame, date)
    day = _as_day(as_of, zone)
    if currency is not None:
        refuse_several(frame, currency)
    policy: Refunds = "rows" if rule == "R" and refunds == "net" else refunds
    totals = total_by_customer(
        frame,
        customer,
        date,
        amount,
        as_of=day,
        zone=zone,
        refunds=policy,
        future=future,
        frequency=frequency,
        duplicates=duplicates,
        exact=rule == "R",
    )
    values = _values(totals, day)
    if len(fixed) < len(DIMENSIONS) and len(totals.customer) < bins:
        raise DataError(
            f"{len(totals.customer)} customers with orders can't be cut into {bins} bins: give cuts= from a "
            "larger table, or fewer bins"
        )
    found = {d: fixed.get(d) or _quantile_cuts(values[d], bins, rule) for d in DIMENSIONS}
    for d in DIMENSIONS:
        values[d[0]] = _scores(values[d], found[d], bins, rule, reverse=d == "recency")
    values["rfm"] = 100 * values["r"] + 10 * values["f"] + values["m"]
    belongs = values["rfm"] if grid is None else grid[values["r"] - 1, values["f"] - 1, values["m"] - 1]
    for array in (totals.customer, belongs, *values.values()):
        array.flags.writeable = False
    return RFMResult(
        library=frame.library,
        customer=customer,
        date=date,
        amount=amount,
        as_of=day,
        bins=bins,
        rule=rule,
        frequency=frequency,
        refunds=policy,
        future=future,
        duplicates=duplicates,
        currency=currency,
        _cuts=found,
        table=table,
        _counts=totals.counts,
        _ids=totals.customer,
        _values=values,
        _segment=belongs,
    )


def _as_day(as_of: Any, zone: str | None) -> dt.date:
    """Read the reference day; a timestamp with a time zone is brought into that of the dates."""
    if as_of is None:
        raise ArgumentError(
            "as_of is missing: say from the end of which day recency counts back, for example "
            "as_of='2026-06-30'. It is never today by itself, because then no result could be repeated."
        )
    if isinstance(as_of, np.datetime64):
        as_of = as_of.astype("datetime64[us]").item()
    if isinstance(as_of, str):
        try:
            as_of = dt.datetime.fromisoformat(as_of)
        except ValueError as error:
            raise ArgumentError(f"as_of={as_of!r} is no day: {error}. Write it as 2026-06-30.") from error
    if isinstance(as_of, dt.datetime):
        if as_of != as_of:  # NaT
            raise ArgumentError("as_of is missing (NaT)")
        if as_of.tzinfo is not None:
            if zone is None:
                raise ArgumentError(
                    "as_of has a time zone and the dates have none: give as_of as a day in the dates' own time"
                )
            from zoneinfo import ZoneInfo

            as_of = as_of.astimezone(ZoneInfo(zone))
        return dt.date(as_of.year, as_of.month, as_of.day)
    if isinstance(as_of, dt.date):
        return as_of
    raise ArgumentError(f"as_of={as_of!r} is no day: give a date, or text such as '2026-06-30'")


def _checked_cuts(cuts: Mapping[str, Sequence[float]] | None, bins: int) -> dict[str, tuple[float, ...]]:
    checked: dict[str, tuple[float, ...]] = {}
    for dimension, points in (cuts or {}).items():
        if dimension not in DIMENSIONS:
            raise unknown("dimension", dimension, DIMENSIONS)
        try:
            array = np.asarray(points, dtype=float)
        except (TypeError, ValueError) as error:
            raise ArgumentError(f"cuts[{dimension!r}] are no numbers: {points!r}") from error
        if array.shape != (bins - 1,):
            raise ArgumentError(
                f"cuts[{dimension!r}] has {array.size} cut points; {bins} bins need {bins - 1}. For "
                f"{array.size} cut points set bins={array.size + 1}."
            )
        if not np.isfinite(array).all() or (np.diff(array) < 0).any():
            raise ArgumentError(f"cuts[{dimension!r}] = {points!r}: cut points are finite and ascending")
        checked[dimension] = tuple(array.tolist())
    return checked


def _values(totals: CustomerTotals, day: dt.date) -> dict[str, NDArray[Any]]:
    return {
        "recency": (np.datetime64(day, "D") - totals.last).astype(np.int64),
        "frequency": totals.orders,
        "monetary": totals.amount,
    }


def _quantile_cuts(values: NDArray[Any], bins: int, rule: Rule) -> tuple[float, ...]:
    """Return quantiles of type 7."""
    ordered = np.sort(values).astype(np.float64)
    cut = _quantile_plus_one if rule == "R" else _quantile
    return tuple(cut(ordered, k, bins) for k in range(1, bins))


def _quantile(ordered: NDArray[np.float64], k: int, bins: int) -> float:
    """From whole-number positions, so that a quantile that is a value is that value."""
    place, rest = divmod((len(ordered) - 1) * k, bins)
    low = float(ordered[place])
    return low + (float(ordered[place + 1]) - low) * rest / bins if rest else low


def _quantile_plus_one(ordered: NDArray[np.float64], k: int, bins: int) -> float:
    """In R's floating point: there 3 times 1/5 is a little above 3/5, and a quantile a little above a value."""
    place = (len(ordered) - 1) * (k * (1 / bins))
    low, high = float(ordered[math.floor(place)]), float(ordered[math.ceil(place)])
    share = place - math.floor(place)
    return (low if low == high else (1 - share) * low + share * high) + 1


def _scores(
    values: NDArray[Any], cuts: tuple[float, ...], bins: int, rule: Rule, *, reverse: bool
) -> NDArray[np.int64]:
    below = np.searchsorted(np.array(cuts), values, side="right" if rule == "R" else "left")
    return (bins - below if reverse else 1 + below).astype(np.int64)

"""Transactions added up per customer, in the engine that holds them: one look at the rows, one group-by.

What a row is (an order, a refund, a row that can't be used) is decided in the engine, by conditions that
mean the same on all of them; the days and totals per customer come back as arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, EngineError, SchemaError
from satmodels.intake.batches import matrix
from satmodels.intake.frames import OFFENDERS, Frame, check_numeric_type, collect, holds_objects, not_nan

LARGEST_EXACT_ID = 2**53  # above this, neighbouring whole numbers are one float
LARGEST_AMOUNT = 1e300
# Sums of money differ in the last bits with the order in which an engine adds; beyond these digits
# totals are equal, so that equal customers stay equal.
SIGNIFICANT_DIGITS, DECIMALS = 12, 8
_UNIT = 2.0**30  # exact sums are taken in whole units of 1 / this, and in what is left of them

_COUNTED = ("n_no_customer", "n_no_date", "n_no_amount", "n_future", "n_refunds", "n_zero")

Refunds = Literal["net", "gross", "rows"]
Future = Literal["error", "exclude"]
Frequency = Literal["orders", "days"]
Duplicates = Literal["keep", "count", "drop", "error"]


@dataclass(frozen=True)
class CustomerTotals:
    """Orders and money per customer, ascending by customer, with what was left out.

    Attributes
    ----------
    customer : ndarray, shape (customers,)
        The customers who ordered at least once.
    last : ndarray of datetime64[D]
        Day of the last order.
    orders : ndarray of int64
        Number of orders.
    amount : ndarray of float64
        Sum of the amounts.
    counts : dict of str to int
        Rows: ``n_rows``, ``n_no_customer``, ``n_no_date``, ``n_no_amount``, ``n_future`` (left out), and
        ``n_refunds``, ``n_zero`` (amounts below and equal to 0), ``n_duplicates`` where they were looked
        for; ``n_without_orders`` customers who have refunds alone.
    """

    customer: NDArray[Any]
    last: NDArray[np.datetime64]
    orders: NDArray[np.int64]
    amount: NDArray[np.float64]
    counts: dict[str, int]


def total_by_customer(
    frame: Frame,
    customer: str,
    day: str,
    amount: str,
    *,
    as_of: date,
    zone: str | None = None,
    refunds: Refunds = "net",
    future: Future = "error",
    frequency: Frequency = "orders",
    duplicates: Duplicates = "keep",
    exact: bool = False,
) -> CustomerTotals:
    """Add up the transactions of each customer until the end of the day ``as_of``.

    With ``exact``, an amount is the float nearest to the sum, and not rounded to 12 digits.

    Raises
    ------
    ArgumentError
        A column is missing, or serves twice.
    SchemaError
        The dates are no dates, an amount is infinite or no number, a customer id is a float too large to
        be exact, or a transaction lies after ``as_of`` and ``future="error"``.
    EngineError
        The engine does not hand its dates on (time stamps with a time zone in DuckDB).
    """
    columns = (customer, day, amount)
    frame.require(columns)
    if len(set(columns)) < 3:
        raise ArgumentError(f"customer, date and amount are three columns, not {list(columns)}")
    frame.require_plain(customer)
    check_numeric_type(frame, amount)
    if holds_objects(frame, amount):
        numbers = matrix(frame, [amount])[:, 0]
        frame = Frame(nw.from_native(frame.with_arrays({amount: numbers})))
    frame = _with_real_dates(frame, day)
    end = _end_of_day(frame, day, as_of, zone)
    rows = _Rows(frame, customer, day, amount, end)
    counts = rows.look(future)
    if duplicates != "keep":
        rows.look_for_duplicates(counts, duplicates)
    keys, last, orders, money = rows.add_up(counts, refunds, frequency, exact=exact)
    days = _days(last, zone)
    known = orders > 0
    counts["n_without_orders"] = int((~known).sum())
    order = _ascending(keys[known])
    spent = money[known][order] if exact else _rounded(money[known][order])
    return CustomerTotals(keys[known][order], days[known][order], orders[known][order], spent, counts)


class _Rows:
    """The conditions on a row, written once and used by both passes."""

    def __init__(self, frame: Frame, customer: str, day: str, amount: str, end: date | datetime) -> None:
        self.frame, self.customer, self.day, self.amount = frame, customer, day, amount
        self.source: Any = frame.narwhals
        self.end = end
        value = nw.col(amount).cast(nw.Float64)
        # NaN is no number here: in polars and DuckDB it would be larger than every amount
        self.value = (
            value if _is_whole(frame.dtype(amount)) else nw.when(value.is_nan()).then(None).otherwise(value)
        )
        self.no_customer = _no_customer(frame, customer)
        self.no_date = nw.col(day).is_null()
        self.no_amount = self.value.is_null()
        # a date without a time is compared as a date, one with a time with the next midnight
        self.future = (
            nw.col(day) > nw.lit(end) if not isinstance(end, datetime) else nw.col(day) >= nw.lit(end)
        )

    def look(self, future: Future) -> dict[str, int]:
        """Count what is wrong with the rows; raise for what can't be used."""
        n_rows, n_unusual = self._count_unusual()
        if n_unusual == 0:
            return {"n_rows": n_rows, **dict.fromkeys(_COUNTED, 0)}
        dated = ~self.no_customer & ~self.no_date
        usable = dated & ~self.no_amount
        conditions = {
            "n_no_customer": self.no_customer,
            "n_no_date": ~self.no_customer & self.no_date,
            "n_no_amount": dated & self.no_amount,
            "n_future": usable & self.future,
            "n_refunds": usable & (self.value < 0),
            "n_zero": usable & (self.value == 0),
            "infinite": (self.value > LARGEST_AMOUNT) | (self.value < -LARGEST_AMOUNT),
        }
        if self.frame.dtype(self.customer).is_float():
            key = not_nan(self.customer)
            conditions["inexact"] = (key > LARGEST_EXACT_ID) | (key < -LARGEST_EXACT_ID)
        names = list(conditions)
        flagged = self.frame.narwhals.select(
            *(nw.when(c).then(nw.lit(1)).otherwise(nw.lit(0)).alias(n) for n, c in conditions.items())
        )
        found = collect(
            flagged.select(nw.len().alias("n_rows"), nw.col(*names).sum()), "checking transactions"
        )
        counts = {n: int(found[n][0] or 0) for n in ("n_rows", *names)}
        self._refuse(counts, conditions, future)
        return {n: counts[n] for n in ("n_rows", *_COUNTED)}

    def _count_unusual(self) -> tuple[int, int]:
        """Count the rows, and those that are no plain order: most tables have none, and one flag costs little.

        What is missing fails its comparison, and NaN fails one of two, on every engine.
        """
        amount, day, key = nw.col(self.amount).cast(nw.Float64), nw.col(self.day), nw.col(self.customer)
        in_time = day < nw.lit(self.end) if isinstance(self.end, datetime) else day <= nw.lit(self.end)
        plain = (amount > 0) & (amount <= LARGEST_AMOUNT) & in_time
        if self.frame.dtype(self.customer).is_float():
            plain = plain & (key <= LARGEST_EXACT_ID) & (key >= -LARGEST_EXACT_ID)
        else:
            plain = plain & ~self.no_customer
        flag = nw.when(plain).then(nw.lit(0)).otherwise(nw.lit(1)).alias("unusual")
        query = self.frame.narwhals.select(flag).select(nw.len().alias("n_rows"), nw.col("unusual").sum())
        found = collect(query, "checking transactions")
        return int(found["n_rows"][0]), int(found["unusual"][0] or 0)

    def _refuse(self, counts: dict[str, int], conditions: dict[str, nw.Expr], future: Future) -> None:
        for name, column, rule, remedy in (
            ("infinite", self.amount, "finite", "An infinite amount is no sale: correct or drop the row."),
            (
                "inexact",
                self.customer,
                "a customer id that a float holds exactly (at most 2**53)",
                "Read the id as text or as a whole number, not as a float: its last digits are lost.",
            ),
            (
                "n_future",
                self.day,
                "not after as_of",
                'Move as_of, correct the dates, or leave these rows out with future="exclude".',
            ),
        ):
            if counts.get(name) and not (name == "n_future" and future == "exclude"):
                raise SchemaError.answers(
                    column,
                    rule,
                    remedy,
                    n_bad=counts[name],
                    offenders=self.frame.first_rows(column, conditions[name], id_column=self.customer),
                )

    def look_for_duplicates(self, counts: dict[str, int], duplicates: Duplicates) -> None:
        """Count rows that repeat customer, date and amount, and leave them out or refuse them if asked to."""
        columns = [self.customer, self.day, self.amount]
        copies = self.frame.unused_name("n_copies")
        distinct = self.source.select(*columns).group_by(*columns).agg(nw.len().alias(copies))
        if isinstance(distinct, nw.LazyFrame):
            distinct = collect(distinct, "looking for duplicates")
        counts["n_duplicates"] = counts["n_rows"] - len(distinct)
        if counts["n_duplicates"] and duplicates == "error":
            twice = distinct.filter(nw.col(copies) > 1).head(OFFENDERS)
            first = list(zip(*(twice.get_column(c).to_list() for c in columns), strict=True))
            raise SchemaError.answers(
                self.customer,
                "no transaction twice",
                'Drop the copies (duplicates="drop") or say that they are meant (duplicates="keep").',
                n_bad=counts["n_duplicates"],
                value=first[0],
            )
        if duplicates == "drop":
            self.source = distinct

    def add_up(
        self, counts: dict[str, int], refunds: Refunds, frequency: Frequency, *, exact: bool
    ) -> tuple[NDArray[Any], Any, NDArray[np.int64], NDArray[np.float64]]:
        """Group by customer; rows that can't be used are filtered only where there are any."""
        native = self.source
        keep = [
            condition
            for name, condition in (
                ("n_no_customer", ~self.no_customer),
                ("n_no_date", ~self.no_date),
                ("n_no_amount", ~self.no_amount),
                ("n_future", nw.when(self.future).then(nw.lit(False)).otherwise(nw.lit(True))),
            )
            if counts[name]
        ]
        if refunds == "gross" and counts["n_refunds"]:
            keep.append(self.value >= 0)
        if keep:
            native = native.filter(*keep)
        # own names throughout, so that no column of the frame is shadowed whatever it is called
        key, last, orders = "key", "last_day", "n_orders"
        value = self.value if counts["n_no_amount"] else nw.col(self.amount).cast(nw.Float64)
        parts = _parts(value) if exact else [value]
        money = [f"sum_amount_{i}" for i in range(len(parts))]
        wanted = [nw.col(self.customer).alias(key), *(p.alias(m) for p, m in zip(parts, money, strict=True))]
        if refunds == "net" and counts["n_refunds"]:
            is_order = self.value >= 0
            wanted += [
                nw.when(is_order).then(nw.col(self.day)).alias(last),
                nw.when(is_order).then(nw.lit(1)).otherwise(nw.lit(0)).alias(orders),
            ]
            counting = nw.col(orders).sum()
        else:
            wanted.append(nw.col(self.day).alias(last))
            counting = nw.len().alias(orders)
        rows = native.select(*wanted)
        if frequency == "days":
            rows, counting = self._one_row_per_day(rows, key, last, money), nw.len().alias(orders)
            if refunds == "net" and counts["n_refunds"]:
                is_order = nw.col(last).is_null() == False  # noqa: E712 - an expression
                rows = rows.with_columns(nw.when(is_order).then(nw.lit(1)).otherwise(nw.lit(0)).alias(orders))
                counting = nw.col(orders).sum()
        grouped = rows.group_by(key)
        totals = collect(
            grouped.agg(nw.col(last).max(), counting, nw.col(*money).sum()), "adding up transactions"
        )
        sums = [np.asarray(totals.get_column(m).to_numpy(), dtype=np.float64) for m in money]
        return (
            _key_array(totals.get_column(key)),
            totals.get_column(last),
            np.asarray(totals.get_column(orders).to_numpy(), dtype=np.int64),
            (sums[0] + sums[1]) / _UNIT if exact else sums[0],
        )

    def _one_row_per_day(self, rows: Any, key: str, last: str, money: list[str]) -> Any:
        """Add up each customer's rows of a day; refunds, which have no day of order, make one row."""
        if isinstance(self.frame.dtype(self.day), nw.Datetime):
            rows = rows.with_columns(nw.col(last).dt.truncate("1d").alias(last))
        return rows.group_by(key, last).agg(nw.col(*money).sum())


def _parts(value: nw.Expr) -> list[nw.Expr]:
    """Split an amount in two whose sums have no rounding that matters: whole units, and what is left of them."""
    units = value * _UNIT
    whole = units.floor()
    return [whole, units - whole]


def _is_whole(dtype: nw.dtypes.DType) -> bool:
    return dtype.is_integer() or dtype.is_decimal()


def _no_customer(frame: Frame, customer: str) -> nw.Expr:
    """Return the condition of a row without a customer: null, NaN or empty text."""
    key = nw.col(customer)
    dtype = frame.dtype(customer)
    if dtype.is_float():
        return key.is_null() | key.is_nan()
    if isinstance(dtype, nw.String):
        # an empty text compared with a missing one is missing: both sides are asked for
        return key.is_null() | nw.when(key == "").then(nw.lit(True)).otherwise(nw.lit(False))
    return key.is_null()


def _with_real_dates(frame: Frame, day: str) -> Frame:
    """Return the frame with a column of dates, or raise SchemaError for a column of anything else."""
    dtype = frame.dtype(day)
    if isinstance(dtype, nw.Date | nw.Datetime):
        return frame
    if isinstance(dtype, nw.Object) and frame.engine == "pandas":
        return _pandas_dates(frame, day)
    if isinstance(dtype, nw.Unknown):
        raise EngineError(
            f"column {day!r} has a type that {frame.engine} does not hand on (in DuckDB: a time stamp with "
            "time zone). Give the local time without a zone, in DuckDB: day AT TIME ZONE 'Europe/Berlin'.",
            engine=frame.engine,
            feature="time stamps with a time zone",
            alternative="local time without a zone",
        )
    first = frame.first_rows(day, nw.col(day).is_null() == False, limit=1)  # noqa: E712 - an expression
    if not first:  # all are missing: of whatever type its library gives
        return Frame(frame.narwhals.with_columns(nw.lit(None).cast(nw.Datetime()).alias(day)))
    raise SchemaError.answers(
        day,
        "a date",
        f"The column holds {dtype}: convert it to dates first, for example with the library's own date "
        "parser, which says which texts are no dates.",
        n_bad=frame.n_rows() - _n_null(frame, day),
        offenders=first,
    )


def _n_null(frame: Frame, column: str) -> int:
    missing = nw.when(nw.col(column).is_null()).then(nw.lit(1)).otherwise(nw.lit(0)).alias("n")
    return int(collect(frame.narwhals.select(missing).select(nw.col("n").sum()), "counting")["n"][0] or 0)


def _pandas_dates(frame: Frame, day: str) -> Frame:
    """Convert pandas' object column of Python dates, which pandas itself can't compare quickly."""
    import pandas as pd

    native: Any = frame.narwhals.to_native()
    wrong = [
        (i, v)
        for i, v in enumerate(native[day])
        if not isinstance(v, date | datetime | np.datetime64) and not pd.isna(v)
    ]
    if wrong:
        raise SchemaError.answers(
            day, "a date", "Convert the column to dates first.", n_bad=len(wrong), offenders=wrong[:5]
        )
    try:
        converted = pd.to_datetime(native[day])
    except (ValueError, TypeError, OverflowError) as error:
        raise ArgumentError(
            f"column {day!r}: the dates don't go together ({error}). Give all of them one time zone, or none."
        ) from error
    return Frame(nw.from_native(native.assign(**{day: converted})))


def _end_of_day(frame: Frame, day: str, as_of: date, zone: str | None) -> date | datetime:
    """Return what no transaction may lie after: the day itself, or the midnight that ends it."""
    dtype = frame.dtype(day)
    if isinstance(dtype, nw.Date):
        return as_of
    if as_of == date.max:
        return datetime.max  # nothing lies after it
    midnight = datetime.combine(as_of + timedelta(days=1), time.min)
    if zone is not None:
        return midnight.replace(tzinfo=ZoneInfo(zone))
    return midnight


def time_zone(frame: Frame, day: str) -> str | None:
    """Return the time zone of a date column, None without one."""
    frame.require([day])
    dtype = frame.dtype(day)
    return dtype.time_zone if isinstance(dtype, nw.Datetime) else None


def _days(last: nw.Series[Any], zone: str | None) -> NDArray[np.datetime64]:
    """Return the calendar days of timestamps, in their own time zone."""
    if len(last) == 0:
        return np.empty(0, dtype="datetime64[D]")
    if zone is not None:
        # value by value: dropping the zone in the engine gives local time on some, UTC on Arrow in pandas
        local = ZoneInfo(zone)
        days = [None if stamp is None else stamp.astimezone(local).date() for stamp in last.to_list()]
        return np.array(days, dtype="datetime64[D]")
    return np.asarray(last.to_numpy()).astype("datetime64[D]")


def _key_array(keys: nw.Series[Any]) -> NDArray[Any]:
    """Return the customers as whole numbers where they are, else as objects."""
    if keys.dtype.is_integer():
        return np.asarray(keys.to_numpy())
    values = keys.to_list()
    if keys.dtype.is_float():
        return np.array(values, dtype=float)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _ascending(keys: NDArray[Any]) -> NDArray[np.intp]:
    if keys.dtype != object:
        return np.argsort(keys, kind="stable")
    try:
        return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.intp)
    except TypeError:  # ids of several types in one column
        return np.array(
            sorted(range(len(keys)), key=lambda i: (type(keys[i]).__name__, str(keys[i]))), dtype=np.intp
        )


def _rounded(money: NDArray[np.float64]) -> NDArray[np.float64]:
    size = np.floor(np.log10(np.maximum(np.abs(money), 1e-12)))
    places = np.minimum(DECIMALS, SIGNIFICANT_DIGITS - 1 - size)
    factor = 10.0**places
    return np.round(money * factor) / factor


def refuse_several(frame: Frame, column: str) -> None:
    """Raise ArgumentError if a column has more than one value: amounts of two currencies don't add up."""
    frame.require([column], role="currency column")
    found = collect(
        frame.narwhals.select(column).group_by(column).agg(nw.len().alias("n")), "reading currencies"
    )
    values = sorted({str(v) for v in found.get_column(column).to_list()})
    if len(values) > 1:
        raise ArgumentError(
            f"column {column!r} has {len(values)} values ({', '.join(values[:5])}): amounts of several "
            "currencies don't add up. Convert them to one, or score each currency by itself."
        )

"""Count the violations of all rules of a frame in one pass of its engine, then name the first offenders."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import narwhals.stable.v2 as nw

from satmodels.intake.categories import WHOLE_SCALE, categories_of, decoded
from satmodels.intake.frames import OFFENDERS, Frame, collect, open_frame, present
from satmodels.intake.objects import broken_cells, holds_python_objects, times_without_zone
from satmodels.intake.repeats import repeated_rows
from satmodels.intake.rules import (
    AWARE_TIME,
    FINITE,
    ISO,
    ISO_DATE,
    NAIVE_TIME,
    OPTIONS,
    PLAIN,
    REQUIRED,
    WHOLE,
    ZONES,
    Broken,
    ColumnRule,
    is_missing,
)

MAX_NAMED = 200  # violated rules whose offenders are looked up; the others are only counted
BOTH_OR_NEITHER = "both or neither"
TEXTUAL = (nw.String, nw.Categorical, nw.Enum)  # types whose values are texts
MOST_INT = 2**63 - 1  # largest number of 64 bits with a sign: no scale goes that far
NS_YEARS = (1677, 2262)  # first and last year, both incomplete, of timestamps in nanoseconds


@dataclass(frozen=True)
class Counted:
    """Number of rows, and the rules that are broken."""

    n_rows: int
    broken: tuple[Broken, ...]


@dataclass(frozen=True)
class Condition:
    """An expression that holds where a rule of a column is broken."""

    column: str
    rule: str
    holds: nw.Expr
    other: str | None = None  # the second column that the expression reads, if there is one
    beside: nw.Expr | None = None  # the rule is broken only if this holds in some row
    asked_if: nw.Expr | None = None  # cheaper; the rule is looked at only if this holds in some row


def count_violations(
    frame: Frame,
    rules: Sequence[ColumnRule],
    pairs: Sequence[tuple[str, str]] = (),
    key: Sequence[str] = (),
    id_column: str | None = None,
) -> Counted:
    """Count how often each rule is broken.

    Parameters
    ----------
    frame : Frame
        Data of any engine.
    rules : sequence of ColumnRule
        One rule per column; every column is in the frame.
    pairs : sequence of (str, str)
        Columns that are answered together or not at all.
    key : sequence of str
        Columns that together are unique; rows in which the first is missing are left out.
    id_column : str, optional
        Names the offending rows on engines whose rows have no order.
    """
    if frame.engine == "dask":
        return _by_partition(frame, rules, pairs, key)
    conditions: list[Condition] = []
    cell_by_cell: list[ColumnRule] = []
    frame, rules = without_categories(frame, rules)
    for rule in rules:
        if holds_python_objects(frame, rule.column):
            cell_by_cell.append(rule)
        else:
            conditions += conditions_of(frame, rule)
    for first, second in pairs:
        conditions.append(_half_answered(frame, first, second))
    n_rows, counts = _count(frame, conditions)
    broken: list[Broken] = []
    named = 0
    for condition, n_bad in zip(conditions, counts, strict=True):
        if n_bad:
            named += 1
            found = _name(frame, condition, id_column) if named <= MAX_NAMED else []
            broken.append(Broken(condition.column, condition.rule, n_bad, tuple(found)))
    for rule in cell_by_cell:
        broken += broken_cells(frame, rule)
    return Counted(n_rows, tuple(_in_order(broken, rules)) + tuple(_repeated(frame, key, broken)))


def _by_partition(
    frame: Frame,
    rules: Sequence[ColumnRule],
    pairs: Sequence[tuple[str, str]],
    key: Sequence[str],
) -> Counted:
    """Check a Dask frame one pandas partition after the other; only duplicates are looked for across them."""
    native: Any = frame.narwhals.to_native()
    n_rows = 0
    found: dict[tuple[str, str], Broken] = {}
    aware: set[str] = set()

    def add(column: str, rule: str, n_bad: int, offenders: Sequence[tuple[Any, Any]]) -> None:
        before = found.get((column, rule), Broken(column, rule, 0, ()))
        moved = [(row + n_rows, value) for row, value in offenders]
        first = (*before.offenders, *moved)[:OFFENDERS]
        found[column, rule] = Broken(column, rule, before.n_bad + n_bad, first)

    for partition in native.partitions:
        part = open_frame(partition.compute())
        counted = count_violations(part, rules, pairs)
        for broken in counted.broken:
            if broken.rule != ZONES:
                add(broken.column, broken.rule, broken.n_bad, broken.offenders)
        for rule in rules:
            # times with a zone may be in another partition than times without one
            if rule.dates and not isinstance(part.dtype(rule.column), nw.Date | nw.Datetime):
                n_naive, first, any_aware = times_without_zone(part, rule)
                if n_naive:
                    add(rule.column, ZONES, n_naive, first)
                if any_aware:
                    aware.add(rule.column)
        n_rows += counted.n_rows
    found = {(column, rule): b for (column, rule), b in found.items() if rule != ZONES or column in aware}
    broken = list(found.values())
    return Counted(n_rows, tuple(_in_order(broken, rules)) + tuple(_repeated(frame, key, broken)))


def _in_order(broken: Sequence[Broken], rules: Sequence[ColumnRule]) -> list[Broken]:
    places = {rule.column: (i, rule) for i, rule in enumerate(rules)}
    return sorted(broken, key=lambda b: (places[b.column][0], places[b.column][1].place(b.rule)))


def _repeated(frame: Frame, key: Sequence[str], broken: Sequence[Broken]) -> Iterator[Broken]:
    """Look for rows of one key, if there is one and its columns hold plain values."""
    if key and not any(b.column in key and b.rule == PLAIN for b in broken):
        yield from repeated_rows(frame, tuple(key))


def _count(frame: Frame, conditions: Sequence[Condition]) -> tuple[int, list[int]]:
    first = [c.holds if c.asked_if is None else c.asked_if for c in conditions]
    sums = [holds.cast(nw.Int64).sum().alias(f"c{i}") for i, holds in enumerate(first)]
    native: Any = frame.narwhals
    counted = collect(native.select(nw.len().alias("n"), *sums), "checking the answers")
    counts = [int(counted[f"c{i}"][0] or 0) for i in range(len(conditions))]
    # a rule that compares rows is dear, and most columns have nothing that it could compare
    asked = {i: c for i, c in enumerate(conditions) if c.asked_if is not None and counts[i]}
    if asked:
        sums = [c.holds.cast(nw.Int64).sum().alias(f"c{i}") for i, c in asked.items()]
        sums += [
            (c.holds if c.beside is None else c.beside).cast(nw.Int64).sum().alias(f"b{i}")
            for i, c in asked.items()
        ]
        again = collect(native.select(*sums), "checking the answers")
        for i in asked:
            counts[i] = int(again[f"c{i}"][0] or 0) if again[f"b{i}"][0] else 0
    return int(counted["n"][0]), counts


def _name(frame: Frame, condition: Condition, id_column: str | None) -> list[tuple[Any, Any]]:
    """Fetch the first rows for which a condition holds."""
    shown = condition.column
    row = frame.unused_name("row")
    if frame.eager:  # numbering the rows copies what is not needed
        read = (shown, condition.other) if condition.other else (shown,)
        frame = Frame(frame.narwhals.select(*read))
    native: Any = frame._numbered(row)
    ordered = native is not None
    if not ordered:
        # an aliased copy, because the id itself may be the offending column
        native = frame.narwhals.with_columns(nw.col(id_column or shown).alias(row))
    found = collect(
        native.filter(condition.holds).select(row, shown).head(OFFENDERS), "finding the offending rows"
    )
    rows = found.get_column(row).to_list()
    if not ordered and id_column is None:
        rows = [None] * len(rows)
    return list(zip(rows, [_as_answered(v) for v in found.get_column(shown).to_list()], strict=True))


def _as_answered(value: Any) -> Any:
    """Return a value as errors show it: 11 is 11.0 only because its column has gaps."""
    if is_missing(value):
        return None
    return int(value) if isinstance(value, float) and value.is_integer() else value


# ---------------------------------------------------------------------------------------- expressions


def conditions_of(
    frame: Frame, rule: ColumnRule, dtype: nw.dtypes.DType | None = None
) -> Iterator[Condition]:
    """Write a rule as conditions that exclude each other, for the type that the column has."""
    column = rule.column
    dtype = frame.dtype(column) if dtype is None else dtype
    if rule.required:
        yield Condition(column, REQUIRED, _missing(column, dtype))
    if rule.anything:
        if dtype.is_nested():
            yield Condition(column, PLAIN, present(column, dtype))
        return
    if rule.nothing is not None:
        yield Condition(column, rule.nothing, present(column, dtype))
        return
    if dtype == nw.Boolean:
        if not rule.bools:
            yield Condition(column, rule.type_text, present(column, dtype))
    elif dtype.is_numeric():
        yield from _number_conditions(rule, dtype)
    elif isinstance(dtype, TEXTUAL):
        yield from _text_conditions(rule, nw.col(column).cast(nw.String))
    elif isinstance(dtype, nw.Date | nw.Datetime) and rule.dates:
        yield from _date_conditions(rule, dtype)
    else:
        yield Condition(column, rule.type_text, present(column, dtype))


def _number_conditions(rule: ColumnRule, dtype: nw.dtypes.DType) -> Iterator[Condition]:
    column, value = rule.column, nw.col(rule.column)
    if dtype == nw.UInt64:  # some engines compare it with whole numbers by way of a type that is too small
        value = signed(value)
    if not (rule.numbers or rule.codes):
        yield Condition(column, rule.type_text, present(column, dtype))
        return
    floating = dtype.is_float()
    if floating:
        yield Condition(column, FINITE, (value == math.inf) | (value == -math.inf))
    if not rule.numbers:
        # some engines refuse to look for an integer among floats, and take -0 for another number than 0
        number = value if dtype.is_integer() else value.cast(nw.Float64) + 0.0
        codes = list(rule.codes) if dtype.is_integer() else [float(code) for code in rule.codes]
        listed = number.is_in(codes) == False  # noqa: E712 - an expression
        inside = (value < math.inf) & (value > -math.inf) if floating else present(column, dtype)
        yield Condition(column, OPTIONS, listed & inside)
        return
    # NaN is above every number on some engines: both ends are closed, so that it is never counted
    bounds: list[nw.Expr] = []
    if rule.low is not None:
        below = value < _bound(rule.low)
        bounds.append(below & (value > -math.inf) if floating else below)
    if rule.high is not None:
        above = value > _bound(rule.high)
        bounds.append(above & (value < math.inf) if floating else above)
    if bounds:
        off = bounds[0] if len(bounds) == 1 else bounds[0] | bounds[1]
        yield Condition(column, rule.range_text, _unless(off, value, _off_range(rule)))
    if rule.whole and not dtype.is_integer():
        low = _bound(rule.low) if rule.low is not None else -(2.0**53)
        high = _bound(rule.high) if rule.high is not None else 2.0**53
        inside = (value >= low) & (value <= high)
        kept = nw.when(inside).then(value)  # some engines can't round infinite values down
        yield Condition(column, WHOLE, (kept.floor() != kept) & inside)


def signed(value: nw.Expr) -> nw.Expr:
    """Return numbers of 64 bits without a sign as some with one; what is too large becomes the largest."""
    most = nw.lit(MOST_INT, nw.UInt64)
    return nw.when(value > most).then(most).otherwise(value).cast(nw.Int64)


def _off_range(rule: ColumnRule) -> tuple[int, ...]:
    low = -math.inf if rule.low is None else rule.low
    high = math.inf if rule.high is None else rule.high
    return tuple(code for code in rule.codes if code < low or code > high)


def _unless(condition: nw.Expr, value: nw.Expr, codes: Sequence[int]) -> nw.Expr:
    for code in codes:
        condition = condition & (value != code)
    return condition


def _bound(number: float) -> float | int:
    return int(number) if float(number).is_integer() else number


def _text_conditions(rule: ColumnRule, value: nw.Expr) -> Iterator[Condition]:
    column = rule.column
    present = value.is_null() == False  # noqa: E712 - an expression
    # pandas can't join the truth values of its several text types where some are missing
    value = value.fill_null("")
    if rule.texts:
        present = present & (value.is_in(list(rule.texts)) == False)  # noqa: E712 - an expression
    if rule.max_length is not None:
        yield Condition(column, rule.length_text, present & (value.str.len_chars() > rule.max_length))
    elif rule.dates:
        # the end of the pattern also matches before a last line break on some engines
        bad_shape = (
            (value.str.contains(ISO_DATE) == False)  # noqa: E712 - an expression
            | value.str.ends_with("\n")
            | value.str.starts_with("0000")
        )
        yield Condition(column, ISO, present & bad_shape)
        good_shape = value.str.contains(ISO_DATE) & (value.str.ends_with("\n") == False)  # noqa: E712
        good_shape = good_shape & (value.str.starts_with("0000") == False)  # noqa: E712
        day = value.str.slice(0, 10)
        outside = _outside(day, _iso(rule.earliest), _iso(rule.latest))
        if outside is not None:
            yield Condition(column, rule.dates_text, present & good_shape & outside)
        fine = present & good_shape if outside is None else present & good_shape & (outside == False)  # noqa: E712
        naive, aware = (value.str.contains(times) for times in (NAIVE_TIME, AWARE_TIME))
        timed = value.str.len_chars() > 10  # longer than a date alone
        yield Condition(column, ZONES, fine & naive, beside=fine & aware, asked_if=timed)
    else:
        yield Condition(column, rule.texts_text if rule.texts else rule.type_text, present)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _date_conditions(rule: ColumnRule, dtype: nw.dtypes.DType) -> Iterator[Condition]:
    value = nw.col(rule.column)
    if isinstance(dtype, nw.Datetime):
        zone = ZoneInfo(dtype.time_zone) if dtype.time_zone else None
        first = None if rule.earliest is None else datetime.combine(rule.earliest, time(), zone)
        after = None
        if rule.latest is not None and rule.latest < date.max:
            after = datetime.combine(rule.latest + timedelta(days=1), time(), zone)
        if dtype.time_unit == "ns":  # nothing outside these years fits, and the bounds would not either
            first = first if first is not None and first.year > NS_YEARS[0] else None
            after = after if after is not None and after.year < NS_YEARS[1] else None
        parts = [] if first is None else [value < first]
        parts += [] if after is None else [value >= after]
        outside = None if not parts else parts[0] if len(parts) == 1 else parts[0] | parts[1]
    else:
        outside = _outside(value, rule.earliest, rule.latest)
    if outside is not None:
        yield Condition(rule.column, rule.dates_text, outside)


def _outside(value: nw.Expr, first: Any, last: Any) -> nw.Expr | None:
    parts = [] if first is None else [value < first]
    parts += [] if last is None else [value > last]
    return None if not parts else parts[0] if len(parts) == 1 else parts[0] | parts[1]


def _missing(column: str, dtype: nw.dtypes.DType) -> nw.Expr:
    value = nw.col(column)
    return value.is_null() | value.is_nan() if dtype.is_float() else value.is_null()


def _half_answered(frame: Frame, first: str, second: str) -> Condition:
    """Write "one is answered and the other is not"; a code for a missing answer is an answer here."""
    a = present(first, frame.dtype(first)).cast(nw.Int64)
    b = present(second, frame.dtype(second)).cast(nw.Int64)
    return Condition(first, f"{BOTH_OR_NEITHER} of it and {second!r}", a != b, other=second)


# ----------------------------------------------------------------------------------------- categories


def without_categories(frame: Frame, rules: Sequence[ColumnRule]) -> tuple[Frame, list[ColumnRule]]:
    """Replace categories that are numbers by what they say; no answer of a scale if they are not the whole scale."""
    plain: list[str] = []
    judged: list[ColumnRule] = []
    for rule in rules:
        found = None if rule.anything else categories_of(frame, rule.column)
        if found is not None:
            plain.append(rule.column)
            if rule.scale and not found.are_scale(rule.low, rule.high, (*rule.codes, *rule.texts)):
                rule = replace(rule, nothing=f"{WHOLE_SCALE} {rule.range_text}")
        judged.append(rule)
    return decoded(frame, plain), judged

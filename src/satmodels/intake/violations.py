"""Count the violations of all rules of a frame in one pass of its engine, then name the first offenders."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import narwhals.stable.v2 as nw
import numpy as np

from satmodels.intake.categories import WHOLE_SCALE, categories_of, decoded
from satmodels.intake.frames import OFFENDERS, Frame, collect, open_frame
from satmodels.intake.rules import (
    AWARE_TIME,
    FINITE,
    ISO,
    ISO_DATE,
    NAIVE_TIME,
    OPTIONS,
    REQUIRED,
    WHOLE,
    ZONES,
    ColumnRule,
    has_zone,
    is_missing,
)

MAX_NAMED = 200  # violated rules whose offenders are looked up; the others are only counted
DUPLICATE = "one row per"
BOTH_OR_NEITHER = "both or neither"
TEXTUAL = (nw.String, nw.Categorical, nw.Enum)  # types whose values are texts
NS_YEARS = (1677, 2262)  # first and last year, both incomplete, of timestamps in nanoseconds
_MAX_COPIES = 10_000  # rows that are read to name the first duplicates


@dataclass(frozen=True)
class Broken:
    """A rule with the number of values that break it and the first of them as (row, value)."""

    column: str
    rule: str
    n_bad: int
    offenders: tuple[tuple[Any, Any], ...]


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
    show: str | None = None  # column whose values are shown; the rule's own where None
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
        objects = cell_by_cell_only(frame, rule.column)
        if objects and rule.max_length is not None and _all_short(frame, rule):
            continue
        if objects and not (rule.anything or (rule.max_length and _all_texts(frame, rule.column))):
            cell_by_cell.append(rule)
        else:
            conditions += conditions_of(frame, rule, nw.String() if objects else None)
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
        broken += _by_value(frame, rule)
    order = {rule.column: i for i, rule in enumerate(rules)}
    broken.sort(key=lambda b: order[b.column])
    if key:
        broken += repeated_rows(frame, tuple(key))
    return Counted(n_rows, tuple(broken))


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
    texts = {r.column: r for r in rules if r.dates and isinstance(frame.dtype(r.column), TEXTUAL)}
    for partition in native.partitions:
        counted = count_violations(open_frame(partition.compute()), rules, pairs)
        for broken in counted.broken:
            place = (broken.column, broken.rule)
            if broken.rule == ZONES and broken.column in texts:
                continue  # the other kind may be in another partition
            moved = tuple((row + n_rows, value) for row, value in broken.offenders)
            before = found.get(place, Broken(*place, 0, ()))
            first = (*before.offenders, *moved)[:OFFENDERS]
            found[place] = Broken(*place, before.n_bad + broken.n_bad, first)
        n_rows += counted.n_rows
    zones = [c for rule in texts.values() for c in conditions_of(frame, rule) if c.rule == ZONES]
    for condition, n_bad in zip(zones, _count(frame, zones)[1] if zones else [], strict=True):
        if n_bad:
            shown = tuple(_name(frame, condition, None))
            found[condition.column, ZONES] = Broken(condition.column, ZONES, n_bad, shown)
    order = {rule.column: i for i, rule in enumerate(rules)}
    broken = sorted(found.values(), key=lambda b: order[b.column])
    if key:
        broken += repeated_rows(frame, tuple(key))
    return Counted(n_rows, tuple(broken))


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
    shown = condition.show or condition.column
    row = frame.unused_name("row")
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
    values = [None if is_missing(v) else v for v in found.get_column(shown).to_list()]
    return list(zip(rows, values, strict=True))


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


def present(column: str, dtype: nw.dtypes.DType) -> nw.Expr:
    """Return an expression that holds where a column is not missing."""
    value = nw.col(column)
    there = value.is_null() == False  # noqa: E712 - an expression
    return there & (value.is_nan() == False) if dtype.is_float() else there  # noqa: E712


def _half_answered(frame: Frame, first: str, second: str) -> Condition:
    """Write "one is answered and the other is not"; a code for a missing answer is an answer here."""
    a = present(first, frame.dtype(first)).cast(nw.Int64)
    b = present(second, frame.dtype(second)).cast(nw.Int64)
    return Condition(first, f"{BOTH_OR_NEITHER} of it and {second!r}", a != b)


# ------------------------------------------------------------------------------------ cells in Python


def cell_by_cell_only(frame: Frame, column: str) -> bool:
    """Whether the cells are Python objects of any type."""
    if frame.dtype(column) == nw.Object:
        return True
    return frame.engine == "pandas" and str(frame.narwhals.to_native().dtypes[column]) == "object"


def _all_texts(frame: Frame, column: str) -> bool:
    """Whether a pandas column of objects holds nothing but texts and gaps."""
    import pandas as pd

    native: Any = frame.narwhals.to_native()
    return pd.api.types.infer_dtype(native[column], skipna=True) in ("string", "empty")


def _all_short(frame: Frame, rule: ColumnRule) -> bool:
    """Whether a free text needs no closer look: Python's own length is far faster than pandas'."""
    if rule.required or not _all_texts(frame, rule.column):
        return False
    native: Any = frame.narwhals.to_native()
    return max(map(len, native[rule.column].dropna()), default=0) <= (rule.max_length or 0)


def _by_distinct_text(frame: Frame, rule: ColumnRule) -> Iterator[Broken]:
    """Judge each distinct text once: survey texts repeat, and hashing them is done in C."""
    import pandas as pd

    native: Any = frame.narwhals.to_native()
    codes, texts = pd.factorize(native[rule.column], use_na_sentinel=True)
    verdicts: dict[str, list[int]] = {}
    zones: dict[bool, list[int]] = {True: [], False: []}
    for code, text in enumerate(texts):
        verdict = rule.verdict(text)
        if verdict is not None:
            verdicts.setdefault(verdict, []).append(code)
        elif rule.dates and text not in rule.texts and (zone := has_zone(text)) is not None:
            zones[zone].append(code)
    if zones[True] and zones[False]:
        verdicts[ZONES] = zones[False]
    if rule.required and (codes < 0).any():
        verdicts[REQUIRED] = [-1]
    for verdict, bad in verdicts.items():
        rows = np.flatnonzero(np.isin(codes, bad))
        first = tuple((int(i), None if codes[i] < 0 else texts[codes[i]]) for i in rows[:OFFENDERS])
        yield Broken(rule.column, verdict, len(rows), first)


def _by_value(frame: Frame, rule: ColumnRule) -> Iterator[Broken]:
    if frame.engine == "pandas" and _all_texts(frame, rule.column):
        yield from _by_distinct_text(frame, rule)
        return
    if rule.dates:
        yield from _time_zones(frame, rule)
    counts: dict[str, int] = {}
    first: dict[str, list[tuple[Any, Any]]] = {}
    seen: dict[tuple[type, Any], str | None] = {}
    for row, value in enumerate(frame.values(rule.column)):
        try:
            known = (type(value), value)
            if known not in seen:
                seen[known] = rule.verdict(value)
            verdict = seen[known]
        except TypeError:  # a list or another value without a hash
            verdict = rule.verdict(value)
        if verdict is not None:
            counts[verdict] = counts.get(verdict, 0) + 1
            if len(first.setdefault(verdict, [])) < OFFENDERS:
                first[verdict].append((row, value))
    for verdict, n_bad in counts.items():
        yield Broken(rule.column, verdict, n_bad, tuple(first[verdict]))


def _time_zones(frame: Frame, rule: ColumnRule) -> Iterator[Broken]:
    """Find times without a time zone beside others with one: their order is unknown."""
    fine = ((i, v) for i, v in enumerate(frame.values(rule.column)) if rule.verdict(v) is None)
    times = [(i, v, has_zone(v)) for i, v in fine if not (isinstance(v, str) and v in rule.texts)]
    naive = [(i, v) for i, v, zone in times if zone is False]
    if naive and any(zone for _, _, zone in times):
        yield Broken(rule.column, ZONES, len(naive), tuple(naive[:OFFENDERS]))


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


# ----------------------------------------------------------------------------------------- duplicates


def repeated_rows(frame: Frame, key: tuple[str, ...]) -> Iterator[Broken]:
    """Count the rows of each key after the first; rows in which the first column is missing are left out."""
    answered = present(key[0], frame.dtype(key[0]))
    native: Any = frame.narwhals.select(*key)
    if frame.engine == "pandas":
        rows = native.to_native().reset_index(drop=True)
        repeated = rows.duplicated(list(key), keep="first") & rows[key[0]].notna()
        n_bad = int(repeated.sum())
        first = repeated.to_numpy().nonzero()[0][:OFFENDERS].tolist()
        found = list(zip(first, rows[key[0]].iloc[first].tolist(), strict=True))
    elif len(key) == 1 and _arrow_unique(frame, key[0]):
        return
    else:
        n = frame.unused_name("n_rows")
        copies = native.filter(answered).group_by(*key).agg(nw.len().alias(n)).filter(nw.col(n) > 1)
        extra = copies.select((nw.col(n).cast(nw.Int64) - 1).alias("n")).select(nw.col("n").sum())
        n_bad = int(collect(extra, "looking for duplicates")["n"][0] or 0)
        found = _name_duplicates(frame, key, copies) if n_bad else []
    if n_bad:
        yield Broken(key[0], f"{DUPLICATE} {' and '.join(key)}", n_bad, tuple(found))


def _arrow_unique(frame: Frame, column: str) -> bool:
    """Whether an Arrow column has no value twice; far cheaper than counting every value of an id."""
    if frame.engine != "pyarrow" or frame.dtype(column).is_float():
        return False
    import pyarrow.compute as pc

    values = frame.narwhals.to_native()[column]
    compute: Any = pc  # its functions are made at run time
    distinct = compute.count_distinct(values, mode="only_valid").as_py()
    return distinct == len(values) - values.null_count


def _name_duplicates(frame: Frame, key: tuple[str, ...], copies: Any) -> list[tuple[Any, Any]]:
    """Name the first copies of a few of the keys that are there more than once."""
    some = collect(copies.select(*key).head(OFFENDERS), "looking for duplicates")
    values = some.get_column(key[0]).to_list()
    row = frame.unused_name("row")
    native: Any = frame._numbered(row)
    if native is None:
        return [(v, v) for v in values]
    found = collect(
        native.filter(nw.col(key[0]).is_in(values)).select(row, *key).head(_MAX_COPIES),
        "looking for duplicates",
    )
    seen: set[tuple[Any, ...]] = set()
    repeated: list[tuple[Any, Any]] = []
    for at, *names in found.iter_rows():
        if tuple(names) in seen and len(repeated) < OFFENDERS:
            repeated.append((at, names[0]))
        seen.add(tuple(names))
    return repeated

"""One row of each respondent: which of several answers counts is decided by a column that says when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals.stable.v2 as nw

from satmodels.errors import SchemaError
from satmodels.intake.frames import OFFENDERS, Frame, collect, open_frame, present
from satmodels.intake.repeats import repeated_keys, repeated_rows
from satmodels.intake.rules import is_missing
from satmodels.intake.violations import TEXTUAL

_Key = tuple[Any, ...]
DECIDES = "one row is the first and one the last"
# texts sort as times only where all are written alike: date, date and time, the same in UTC
_DATE = "^[^T ]*$"
_SHAPES = (_DATE, "T[0-9:.]*$", "T[0-9:.]*Z$", " [0-9:.]*$", " [0-9:.]*Z$")


def keep_one(frame: Frame, key: Sequence[str], order: str, *, last: bool) -> Frame:
    """Return the frame with one row of each key: the first or the last by another column.

    Rows in which the first column of the key is missing stay. Rows keep their order where they have one.

    Parameters
    ----------
    frame : Frame
        Data of any engine. Lazy frames stay lazy; whether the order decides is asked beforehand.
    key : sequence of str
        Columns that together tell the rows apart.
    order : str
        Column of dates, timestamps or ISO texts.
    last : bool
        Whether the last row is kept, otherwise the first.

    Raises
    ------
    SchemaError
        Among the rows of one key the order is missing, or two rows tie; or the texts of the order are
        written in different ways.
    """
    found = next(repeated_rows(frame, tuple(key)), None)
    if found is None:
        return frame
    if isinstance(frame.dtype(order), TEXTUAL):
        _refuse_mixed_shapes(frame, order)
    if frame.engine == "dask":
        return _in_partitions(frame, key, order, last)
    return _in_memory(frame, key, order, last) if frame.eager else _in_engine(frame, key, order, last)


def _refuse_mixed_shapes(frame: Frame, order: str) -> None:
    value = nw.col(order).cast(nw.String)
    shapes = [value.str.contains(shape).cast(nw.Int64).alias(f"s{i}") for i, shape in enumerate(_SHAPES)]
    native: Any = frame.narwhals.filter(nw.col(order).is_null() == False).select(*shapes)  # noqa: E712
    sums = [nw.col(f"s{i}").sum() for i in range(len(_SHAPES))]
    counted = collect(native.select(nw.len().alias("n"), *sums), "comparing dates")
    n = int(counted["n"][0])
    most = max(int(counted[f"s{i}"][0] or 0) for i in range(len(_SHAPES)))
    if most < n:
        raise SchemaError(
            f"column {order!r}: dates written in different ways, or with offsets from UTC, can't be put in "
            "order as texts. Convert the column to timestamps first.",
            column=order,
            rule="dates written alike",
            n_bad=n - most,
        )


def _in_memory(frame: Frame, key: Sequence[str], order: str, last: bool) -> Frame:
    """Decide row by row in one pass; the rows are there, and their index is kept."""
    native: Any = frame.narwhals
    rows = _keys_and_times(native, key, order)
    best = _decisive(rows, key, order, last)
    return Frame(native.filter([names not in best or best[names] == time for names, time in rows]))


def _in_partitions(frame: Frame, key: Sequence[str], order: str, last: bool) -> Frame:
    """Decide on the keys that are there more than once, and drop the other rows where they lie."""
    native: Any = frame.narwhals.to_native()
    keys = [f"key_{i}" for i in range(len(key))]
    several = set(collect(repeated_keys(frame, key).select(*keys), "looking for duplicates").iter_rows())
    rows = [
        row
        for partition in native[[*key, order]].partitions
        for row in _keys_and_times(nw.from_native(partition.compute()), key, order)
        if row[0] in several
    ]
    best = _decisive(rows, key, order, last)
    kept = native.map_partitions(_kept_part, list(key), order, best, meta=native._meta)
    return open_frame(kept)


def _kept_part(part: Any, key: Sequence[str], order: str, best: Mapping[_Key, Any]) -> Any:
    rows = _keys_and_times(nw.from_native(part), key, order)
    return part[[names not in best or best[names] == time for names, time in rows]]


def _keys_and_times(native: Any, key: Sequence[str], order: str) -> list[tuple[_Key, Any]]:
    columns = [[None if is_missing(v) else v for v in native.get_column(name).to_list()] for name in key]
    return list(zip(zip(*columns, strict=True), native.get_column(order).to_list(), strict=True))


def _decisive(
    rows: Sequence[tuple[_Key, Any]], key: Sequence[str], order: str, last: bool
) -> dict[_Key, Any]:
    """Return the time that counts of each key that is there more than once."""
    times: dict[_Key, list[Any]] = {}
    for names, time in rows:
        if names[0] is not None:
            times.setdefault(names, []).append(time)
    best: dict[_Key, Any] = {}
    for names, here in times.items():
        if len(here) == 1:
            continue
        if any(is_missing(time) for time in here):
            raise _undecided(key, order, names[0], "is missing in", len(here))
        best[names] = max(here) if last else min(here)
        if here.count(best[names]) > 1:
            raise _undecided(key, order, names[0], "is the same in", len(here))
    return best


def _in_engine(frame: Frame, key: Sequence[str], order: str, last: bool) -> Frame:
    """Decide by a join with the first or last time of each key that is there more than once."""
    n, best = frame.unused_name("n_rows"), frame.unused_name("decisive")
    row = frame.unused_name("row")
    # some engines group by names, and join on names, that they do not quote
    names = [frame.unused_name(f"key_{i}") for i in range(len(key))]
    when = frame.unused_name("when")
    numbered: Any = frame._numbered(row)
    native: Any = frame.narwhals if numbered is None else numbered
    native = native.with_columns(
        nw.col(order).alias(when), *(nw.col(k).alias(name) for k, name in zip(key, names, strict=True))
    )
    edge = nw.col(when).max() if last else nw.col(when).min()
    answered = native.filter(present(key[0], frame.dtype(key[0])))
    several = answered.group_by(*names).agg(nw.len().alias(n), edge.alias(best)).filter(nw.col(n) > 1)
    joined = answered.join(several, on=names, how="inner")
    missing = joined.filter(nw.col(when).is_null()).select(*names).head(OFFENDERS)
    _refuse_any(missing, key, order, "is missing in")
    ties = joined.filter(nw.col(when) == nw.col(best)).group_by(*names).agg(nw.len().alias(n))
    _refuse_any(ties.filter(nw.col(n) > 1).select(*names).head(OFFENDERS), key, order, "is the same in")
    decided = native.join(several, on=names, how="left")
    # a key that is there once, or not at all, has met nothing in the join
    kept = decided.filter(nw.col(n).is_null() | (nw.col(when) == nw.col(best)))
    if numbered is not None:
        kept = kept.sort(row)
    return Frame(kept.select(*frame.columns))


def _refuse_any(query: Any, key: Sequence[str], order: str, what: str) -> None:
    found = collect(query, "comparing dates")
    if len(found):
        raise _undecided(key, order, found.get_column(found.columns[0]).to_list()[0], what, len(found))


def _undecided(key: Sequence[str], order: str, value: Any, what: str, n_bad: int) -> SchemaError:
    return SchemaError(
        f"column {order!r} {what} several rows of {' and '.join(key)} {value!r}: it does not say which of them "
        "is the first or the last. Keep one of them, or give a column with the time.",
        column=order,
        row=value,
        rule=DECIDES,
        n_bad=n_bad,
        value=value,
    )

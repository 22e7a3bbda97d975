"""Recode columns of any engine: missing codes to null, labels to codes, reverse items turned, differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw

from satmodels.intake.frames import Frame, collect, open_frame
from satmodels.intake.objects import holds_python_objects
from satmodels.intake.rules import ZONES, ColumnRule, has_zone, is_missing
from satmodels.intake.violations import MOST_INT, TEXTUAL, conditions_of, signed, without_categories

MAX_CHAIN = 200  # labels that are written as one expression; more would nest too deeply for some engines


@dataclass(frozen=True)
class Recode:
    """How one column is recoded.

    Attributes
    ----------
    column : str
        The column that is read.
    into : str
        The column that is written.
    missing : tuple of int or str
        Codes that become null.
    codes : mapping of str to int or str
        Texts that are replaced.
    turn : float or None
        Answers become this number minus the answer.
    invalid : ColumnRule or None
        Values that break this rule become null.
    needs_zone : bool
        Whether times without a time zone become null too, because there are others with one.
    """

    column: str
    into: str
    missing: tuple[int | str, ...] = ()
    codes: Mapping[str, int | str] | None = None
    turn: float | None = None
    invalid: ColumnRule | None = None
    needs_zone: bool = False


@dataclass(frozen=True)
class Difference:
    """A derived column: ``minuend - subtrahend``."""

    into: str
    minuend: str
    subtrahend: str


def recode(frame: Frame, recodes: Sequence[Recode], differences: Sequence[Difference] = ()) -> Any:
    """Return a new frame of the same library with the columns recoded; lazy frames stay lazy."""
    native: Any = frame.narwhals
    if frame.engine == "dask":
        return native.to_native().map_partitions(_recode_part, recodes, differences)
    kept = [
        nw.col(r.into).alias(r.column)
        for r in recodes
        if r.column != r.into and r.column not in frame.columns
    ]
    if kept:
        native = native.with_columns(*kept)
        frame = Frame(native)
    rules = [r.invalid or ColumnRule(r.column) for r in recodes]
    frame, rules = without_categories(frame, rules)
    native = frame.narwhals
    recodes = [
        r if r.invalid is None else replace(r, invalid=rule) for r, rule in zip(recodes, rules, strict=True)
    ]
    in_engine = [r for r in recodes if not holds_python_objects(frame, r.column)]
    in_python = [r for r in recodes if holds_python_objects(frame, r.column)]
    if in_engine:
        native = native.with_columns(*[_expression(frame, r).alias(r.into) for r in in_engine])
    if in_python:
        new = {r.into: _series(frame, r) for r in in_python}
        native = nw.from_native(native.to_native().assign(**new))
    if differences:
        native = native.with_columns(
            *[
                (_widened(native, d.minuend) - _widened(native, d.subtrahend)).alias(d.into)
                for d in differences
            ]
        )
    return native.to_native()


def _recode_part(part: Any, recodes: Sequence[Recode], differences: Sequence[Difference]) -> Any:
    return recode(open_frame(part), recodes, differences)


def count_codes(frame: Frame, codes: Mapping[str, Sequence[int | str]]) -> dict[tuple[str, int | str], int]:
    """Count how often each code stands in its column, in one pass of the engine."""
    wanted = [(column, code) for column, found in codes.items() for code in found]
    if frame.engine == "dask":
        native: Any = frame.narwhals.to_native()
        total: dict[tuple[str, int | str], int] = dict.fromkeys(wanted, 0)
        for partition in native.partitions:
            for place, n in count_codes(open_frame(partition.compute()), codes).items():
                total[place] += n
        return total
    frame, _ = without_categories(frame, [ColumnRule(column) for column in codes])
    sums: list[nw.Expr] = []
    places: list[tuple[str, int | str]] = []
    counts: dict[tuple[str, int | str], int] = dict.fromkeys(wanted, 0)
    for column, code in wanted:
        dtype = frame.dtype(column)
        if holds_python_objects(frame, column):
            continue
        if isinstance(code, str):
            equal = nw.col(column).cast(nw.String) == code if isinstance(dtype, TEXTUAL) else None
        else:
            equal = _is(nw.col(column), code, dtype) if dtype.is_numeric() else None
        if equal is not None:
            sums.append(equal.cast(nw.Int64).sum().alias(f"c{len(places)}"))
            places.append((column, code))
    if sums:
        native: Any = frame.narwhals
        counted = collect(native.select(*sums), "counting codes")
        for i, place in enumerate(places):
            counts[place] = int(counted[f"c{i}"][0] or 0)
    for column in codes:
        if holds_python_objects(frame, column):
            for value in frame.values(column):
                if not isinstance(value, bool | list) and (column, value) in counts:
                    counts[(column, value)] += 1
    return counts


def _widened(native: Any, column: str) -> nw.Expr:
    dtype = native.collect_schema()[column]
    return nw.col(column) if dtype.is_float() else nw.col(column).cast(nw.Int64)


def _expression(frame: Frame, r: Recode) -> nw.Expr:
    dtype = frame.dtype(r.column)
    value: nw.Expr = nw.col(r.column)
    keep: list[nw.Expr] = []
    if r.invalid is not None:
        broken = [c.holds for c in conditions_of(frame, r.invalid) if c.rule != ZONES or r.needs_zone]
        keep += [holds.fill_null(False) == False for holds in broken]  # noqa: E712 - an expression
    if isinstance(dtype, nw.Categorical | nw.Enum):
        value = value.cast(nw.String)
    if dtype.is_numeric():
        if dtype.is_float():
            value = value.cast(nw.Float64)
            keep.append(value.is_nan() == False)  # noqa: E712 - an expression
        elif dtype == nw.UInt64 and r.turn is None:  # wide already, and an amount may need it
            value = value.cast(nw.UInt64)
        else:
            value = signed(value) if dtype == nw.UInt64 else value
            value = value.cast(nw.Int64 if dtype.is_integer() else nw.Float64)
        codes = [_is(value, code, dtype) for code in r.missing if not isinstance(code, str)]
        keep += [equal == False for equal in codes if equal is not None]  # noqa: E712 - an expression
        if r.turn is not None:
            value = nw.lit(_whole(r.turn)) - value
    elif isinstance(dtype, nw.Boolean):
        value = value.cast(nw.Int64)
    elif isinstance(dtype, TEXTUAL):
        texts = [code for code in r.missing if isinstance(code, str)]
        if texts:
            keep.append(value.is_in(texts) == False)  # noqa: E712 - an expression
        if r.codes:
            value = _replaced(value, r)
    if not keep:
        return value
    condition = keep[0]
    for other in keep[1:]:
        condition = condition & other
    return nw.when(condition).then(value)


def _is(value: nw.Expr, code: int, dtype: nw.dtypes.DType) -> nw.Expr | None:
    """Compare with a code; None where no value of the type can equal it."""
    if dtype != nw.UInt64:
        return value == code
    # some engines compare these with a whole number by way of a type that is too small for them
    return value == nw.lit(code, nw.UInt64) if code >= 0 else None


def _replaced(value: nw.Expr, r: Recode) -> nw.Expr:
    """Replace texts by their codes; texts for missing answers are in no branch and become null."""
    codes = r.codes or {}
    numbers = all(isinstance(code, int) for code in codes.values())
    branches: list[nw.Expr] = []
    for text, code in codes.items():
        turned = r.turn - code if r.turn is not None and isinstance(code, int) else code
        new = int(turned) if not isinstance(turned, str) else turned
        branches.append(nw.when(value == text).then(nw.lit(new)))
    return nw.coalesce(*branches) if numbers else nw.coalesce(*branches, value)


def _series(frame: Frame, r: Recode) -> Any:
    """Recode a column of Python objects, cell by cell."""
    import pandas as pd

    native: Any = frame.narwhals.to_native()
    values = [_cell(v, r) for v in frame.values(r.column)]
    numeric = all(v is None or (isinstance(v, int | float) and not isinstance(v, bool)) for v in values)
    if not numeric:
        return pd.Series(values, index=native.index, dtype=object)
    if any(v is None or isinstance(v, float) for v in values):
        numbers = [float("nan") if v is None else float(v) for v in values]
        return pd.Series(numbers, index=native.index, dtype="float64")
    return pd.Series(values, index=native.index, dtype="int64")


def _cell(value: Any, r: Recode) -> Any:
    if is_missing(value) or value in r.missing:
        return None
    if r.invalid is not None and r.invalid.verdict(value) is not None:
        return None
    if r.needs_zone and has_zone(value) is False:
        return None
    if isinstance(value, str):
        value = (r.codes or {}).get(value, value)
    if isinstance(value, str | bool):
        return value
    if r.turn is not None:
        value = r.turn - value
    try:
        whole = int(value) if value % 1 == 0 else None
        return float(value) if whole is None or abs(whole) > MOST_INT else whole
    except (TypeError, ValueError, ArithmeticError):
        return value


def _whole(number: float) -> float | int:
    return int(number) if float(number).is_integer() else number

"""Count rows by the values of some columns, in the engine that holds them: one group-by, one pass.

Every score and every Kano table starts here. Cleaning happens afterwards, on the few distinct values,
so that NaN, codes and off-scale answers are treated alike on every engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, DataError, EngineError, SchemaError
from satmodels.intake.frames import LARGEST_FLOAT, Frame, check_numeric_type, collect
from satmodels.intake.keys import codes_of, joint_keys, plain_keys

MAX_CELLS = 5_000_000  # more distinct combinations than this is no count table but the data itself
# outside these a weight's square is zero or infinite, and the effective sample size is lost
SMALLEST_WEIGHT, LARGEST_WEIGHT = 1e-150, 1e150
# from so many whole-number keys on they are packed into one, which these engines group by faster than by several;
# DuckDB addresses two small ones directly
_PACKS = {"polars": 2, "duckdb": 3}
_BITS = {"Int8": 8, "Int16": 16, "Int32": 32, "UInt8": 8, "UInt16": 16, "UInt32": 32}
_PACKED_BITS = 62
# Dask: rows that are counted at a time, and counts of partitions that are merged at a time
_PIECE_ROWS, _MERGED_AT_ONCE = 524_288, 8


@dataclass(frozen=True)
class Cells:
    """Distinct combinations of the key columns, column by column, with their number of rows and sums of weights."""

    columns: tuple[Sequence[Any], ...]
    n: NDArray[np.int64]
    w: NDArray[np.float64]
    w2: NDArray[np.float64]

    @cached_property
    def keys(self) -> list[tuple[Any, ...]]:
        """One tuple per combination."""
        return list(zip(*self.columns, strict=True))


def count_cells(frame: Frame, keys: Sequence[str], weight: str | None = None) -> Cells:
    """Count rows, and sum weights and their squares, for each combination of the key columns.

    NaN and null are one key (None). Without a weight every row weighs 1.

    Raises
    ------
    ArgumentError
        A column is missing or named twice, holds lists or records, or there are more than 5,000,000
        combinations.
    SchemaError
        A weight is negative, missing, infinite or no number.
    DataError
        Weights are so large or small that their squares are no numbers.
    """
    keys = list(keys)
    _check_keys(frame, keys)
    if weight is not None:
        frame.require([weight], role="weight column")
        check_numeric_type(frame, weight)
    cells = (
        _count_in_partitions(frame, keys, weight) if frame.engine == "dask" else _count(frame, keys, weight)
    )
    if not (cells.w2 <= LARGEST_WEIGHT**2).all() and weight is not None:
        check_weight(frame, weight)
    if ((cells.w > 0) & (cells.w2 < SMALLEST_WEIGHT**2)).any() or not np.isfinite(cells.w2).all():
        raise _lost_squares(weight)
    return cells


def _count(frame: Frame, keys: list[str], weight: str | None) -> Cells:
    """Count in one query of the engine; an invalid weight makes the sum of squares of its cell infinite or NaN."""
    native: Any = frame.narwhals.lazy() if frame.engine == "polars" else frame.narwhals
    # own names throughout, so that no column of the frame is shadowed whatever it is called
    n, w, w2 = "n_rows", "sum_w", "sum_w2"
    packing = _Packing.of(frame, keys)
    parts = [nw.col(k) for k in keys] if packing is None else [packing.expression()]
    by = [f"key_{i}" for i in range(len(parts))]
    wanted = [part.alias(name) for part, name in zip(parts, by, strict=True)]
    sums = [nw.len().alias(n)]
    if weight is not None:
        value = nw.col(weight).cast(nw.Float64)
        # what is missing fails the comparison on every engine; NaN fails it, or stays NaN in the sum: the guard
        # costs one comparison per row and no sum of its own
        squared = nw.when(value >= 0).then(value * value).otherwise(nw.lit(float("inf")))
        wanted += [value.alias(w), squared.alias(w2)]
        sums += [nw.col(w).sum(), nw.col(w2).sum()]
    grouped = native.select(*wanted).group_by(*by).agg(*sums)
    counted = collect(grouped.head(MAX_CELLS + 1), "counting answers")
    _refuse_more_cells(len(counted), keys)
    if packing is None:
        columns = [plain_keys(counted.get_column(name).to_list()) for name in by]
    else:
        columns = packing.unpack(np.asarray(counted.get_column(by[0]).to_numpy(), dtype=np.int64))
    rows = np.asarray(counted.get_column(n).to_numpy(), dtype=np.int64)
    if weight is None:
        return Cells(tuple(columns), rows, rows.astype(float), rows.astype(float))
    sum_w, sum_w2 = (np.asarray(counted.get_column(c).to_numpy(), dtype=float) for c in (w, w2))
    return Cells(tuple(columns), rows, sum_w, sum_w2)


def _count_in_partitions(frame: Frame, keys: list[str], weight: str | None) -> Cells:
    """Count each partition of Dask where it lies; only counts are held and sent, whatever the number of rows."""
    from dask.delayed import delayed

    columns = [*keys, weight] if weight is not None and weight not in keys else keys
    native: Any = frame.narwhals.select(columns).to_native()
    count, merge = delayed(_count_part), delayed(_merged)
    counted = [count(part, keys, weight) for part in native.to_delayed()]
    while len(counted) > 1:
        counted = [
            merge(counted[i : i + _MERGED_AT_ONCE], keys) for i in range(0, len(counted), _MERGED_AT_ONCE)
        ]
    try:
        return counted[0].compute()
    except ArgumentError:
        raise
    except Exception as error:  # every partition has its own
        raise EngineError(
            f"dask failed while counting answers: {error}", engine="dask", feature="counting answers"
        ) from error


def _count_part(part: Any, keys: list[str], weight: str | None) -> Cells:
    """Count one partition in pieces: grouping takes many times the memory of the rows."""
    pieces = [part.iloc[i : i + _PIECE_ROWS] for i in range(0, max(len(part), 1), _PIECE_ROWS)]
    return _merged([_count(Frame(nw.from_native(piece)), keys, weight) for piece in pieces], keys)


def _merged(parts: Sequence[Cells], keys: list[str]) -> Cells:
    """Add up the cells of several sets of rows."""
    columns = [[value for part in parts for value in part.columns[i]] for i in range(len(keys))]
    found, place = joint_keys(*zip(*map(codes_of, columns), strict=True))
    _refuse_more_cells(len(found), keys)

    def total(name: str) -> NDArray[np.float64]:
        cells = np.concatenate([getattr(part, name) for part in parts])
        return np.bincount(place, cells, len(found)).astype(float)

    kept: tuple[Sequence[Any], ...] = tuple(zip(*found, strict=True)) if found else tuple([] for _ in keys)
    return Cells(kept, np.rint(total("n")).astype(np.int64), total("w"), total("w2"))


def _refuse_more_cells(cells: int, keys: list[str]) -> None:
    if cells > MAX_CELLS:
        raise ArgumentError(
            f"columns {keys} have more than {MAX_CELLS:,} distinct combinations: is one of them an id, or "
            "a continuous amount? Group by fewer columns, or use Moments for continuous columns."
        )


def _check_keys(frame: Frame, keys: list[str]) -> None:
    frame.require(keys)
    if len(set(keys)) < len(keys):
        repeated = next(k for k in keys if keys.count(k) > 1)
        raise ArgumentError(
            f"column {repeated!r} is used twice: as an item and to group by, or listed twice."
        )
    for key in keys:
        frame.require_plain(key)
        if frame.dtype(key).is_nested():
            raise ArgumentError(f"column {key!r} holds {frame.dtype(key)}: group by plain values")


@dataclass(frozen=True)
class _Packing:
    """Several whole-number keys side by side in the bits of one; a missing key is one more value."""

    keys: tuple[str, ...]
    bits: tuple[int, ...]  # of the values; one more bit says that the key is missing
    offsets: tuple[int, ...]  # added to make the values start at zero

    @classmethod
    def of(cls, frame: Frame, keys: list[str]) -> _Packing | None:
        """Pack the keys if there are enough and all are narrow whole numbers, else None.

        Beside a key of text or floats the engines group by the rest as fast as it is.
        """
        names = [type(frame.dtype(key)).__name__ for key in keys]
        bits = [_BITS.get(name, _PACKED_BITS) for name in names]
        least = _PACKS.get(frame.engine, len(keys) + 1)
        if len(keys) < least or sum(b + 1 for b in bits) > _PACKED_BITS:
            return None
        offsets = [0 if name.startswith("U") else 2 ** (b - 1) for name, b in zip(names, bits, strict=True)]
        return cls(tuple(keys), tuple(bits), tuple(offsets))

    def expression(self) -> nw.Expr:
        packed: Any = None
        for key, bits, offset in zip(self.keys, self.bits, self.offsets, strict=True):
            # the offsets are added after grouping, to the few distinct keys instead of to every row
            part: Any = nw.col(key).cast(nw.Int64).fill_null(2**bits - offset)
            packed = part if packed is None else packed * 2 ** (bits + 1) + part
        return packed

    def unpack(self, packed: NDArray[np.int64]) -> list[list[Any]]:
        """Return the columns of the keys, in order."""
        columns: list[list[Any]] = []
        shift = 0
        for bits, offset in zip(self.bits, self.offsets, strict=True):
            shift = shift * 2 ** (bits + 1) + offset
        packed = packed + shift
        for bits, offset in zip(reversed(self.bits), reversed(self.offsets), strict=True):
            packed, part = np.divmod(packed, 2 ** (bits + 1))
            values: list[Any] = (part - offset).tolist()
            for i in np.flatnonzero(part == 2**bits).tolist():
                values[i] = None
            columns.append(values)
        return columns[::-1]


def check_weight(frame: Frame, weight: str) -> None:
    """Raise unless every weight is a finite number of at least 0.

    Raises
    ------
    SchemaError
        Weights that are missing, negative, infinite or no numbers.
    DataError
        Weights above 1e150, or below 1e-150 but not 0: their squares are lost.
    """
    frame.require([weight], role="weight column")
    check_numeric_type(frame, weight)
    value = nw.col(weight).cast(nw.Float64)
    conditions = {
        "missing": value.is_null() | value.is_nan(),
        "negative": value < 0,
        "infinite": value > LARGEST_FLOAT,
        "extreme": (value > LARGEST_WEIGHT) | ((value > 0) & (value < SMALLEST_WEIGHT)),
    }
    # a missing weight is looked for first: NaN is larger than any number in some engines
    flagged = frame.narwhals.select(
        *(nw.when(c).then(nw.lit(1)).otherwise(nw.lit(0)).alias(name) for name, c in conditions.items())
    )
    counted = collect(flagged.select(nw.col(*conditions).sum()), "checking the weights")
    for name, rule in (("missing", "not missing"), ("negative", "at least 0"), ("infinite", "finite")):
        if n_bad := int(counted[name][0] or 0):
            raise SchemaError.answers(
                weight,
                f"weights are {rule}",
                "Correct or drop these rows: a weight says how many people an answer stands for.",
                n_bad=n_bad,
                offenders=frame.first_rows(weight, conditions[name]),
            )
    if counted["extreme"][0]:
        raise _lost_squares(weight)


def _lost_squares(weight: str | None) -> DataError:
    return DataError(
        f"column {weight!r} has weights above {LARGEST_WEIGHT:g} or below {SMALLEST_WEIGHT:g}: their squares "
        "are no numbers any more. Rescale the weights, for example to mean 1.",
        columns=[str(weight)],
    )

"""A stream of numpy blocks from any engine, for statistics that need cross products.

Blocks are float64, one column per item, with NaN for what is missing; only the columns asked for are
read, and never more than one block is held besides the engine's own buffers.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import EngineError, SchemaError
from satmodels.intake.frames import Frame, check_numeric_type, collect, refuse_infinite

BLOCK_ROWS = 65_536  # a block of 24 columns then fits the processor's cache many times over


def batches(frame: Frame, columns: Sequence[str], *, rows: int = BLOCK_ROWS) -> Iterator[NDArray[np.float64]]:
    """Go through the columns block by block.

    Parameters
    ----------
    frame : Frame
        Data of any engine.
    columns : sequence of str
        Columns of numbers, in the order wanted.
    rows : int, default 65,536
        Largest number of rows in a block.

    Yields
    ------
    ndarray of float64, shape (at most ``rows``, number of columns)
        NaN where an answer is missing.

    Raises
    ------
    SchemaError
        A column holds text, booleans, categories or infinite values.
    """
    frame.require(columns)
    for column in columns:
        check_numeric_type(frame, column)
    source = _native_blocks(frame, list(columns), rows)
    for block in source:
        if np.isinf(block).any():
            source.close()  # before another query: DuckDB has one open result at a time
            refuse_infinite(frame, columns)
        yield block


def matrix(frame: Frame, columns: Sequence[str]) -> NDArray[np.float64]:
    """Return the columns as one float64 array, NaN where an answer is missing."""
    blocks = list(batches(frame, columns))
    return np.concatenate(blocks) if blocks else np.empty((0, len(columns)))


def _native_blocks(frame: Frame, columns: list[str], rows: int) -> Generator[NDArray[np.float64], None, None]:
    native: Any = frame.narwhals.select(columns).to_native()
    if frame.engine == "pandas":
        for start in range(0, len(native), rows):
            yield _pandas_block(native.iloc[start : start + rows], columns, start)
    elif frame.engine == "polars":
        yield from _polars_blocks(native, columns, rows)
    elif frame.engine == "pyarrow":
        yield from _arrow_blocks(native.to_batches(max_chunksize=rows))
    elif frame.engine == "duckdb":
        yield from _duckdb_blocks(native, rows)
    else:
        yield from _arrow_blocks(collect(frame.narwhals.select(columns), "reading").to_arrow().to_batches())


def _pandas_block(part: Any, columns: list[str], start: int) -> NDArray[np.float64]:
    block = np.empty((len(part), len(columns)))
    for j, column in enumerate(columns):
        series = part[column]
        if series.dtype == object:
            block[:, j] = [_number(v, column, start + i) for i, v in enumerate(series)]
        elif series.dtype.kind == "c":
            raise SchemaError(f"column {column!r} holds complex numbers", column=column, rule="numeric")
        else:
            block[:, j] = series.to_numpy(dtype=np.float64, na_value=np.nan)
    return block


def _number(value: Any, column: str, row: int) -> float:
    """Read one cell of an object column: a number, or missing; text and booleans are errors."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return float("nan")
    if isinstance(value, bool | np.bool_ | str | bytes):
        raise SchemaError.answers(
            column,
            "numeric",
            "Convert the column to numbers first.",
            n_bad=1,
            offenders=[(row, value)],
        )
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise SchemaError.answers(
            column, "numeric", "Convert the column to numbers first.", n_bad=1, offenders=[(row, value)]
        ) from error


def _polars_blocks(native: Any, columns: list[str], rows: int) -> Iterator[NDArray[np.float64]]:
    import polars as pl

    wanted = [pl.col(c).cast(pl.Float64) for c in columns]
    if isinstance(native, pl.LazyFrame):
        try:
            for part in native.select(wanted).collect_batches(chunk_size=rows):
                if part.height:
                    yield part.to_numpy()
        except pl.exceptions.PolarsError as error:
            raise EngineError(f"polars failed while reading: {error}", engine="polars") from error
        return
    for start in range(0, native.height, rows):
        yield native.slice(start, rows).select(wanted).to_numpy()


def _duckdb_blocks(native: Any, rows: int) -> Iterator[NDArray[np.float64]]:
    import duckdb

    try:
        yield from _arrow_blocks(native.to_arrow_reader(rows))
    except (duckdb.Error, OSError) as error:  # Arrow wraps what fails while it reads
        raise EngineError(f"duckdb failed while reading: {error}", engine="duckdb") from error


def _arrow_blocks(parts: Any) -> Iterator[NDArray[np.float64]]:
    import pyarrow as pa

    for part in parts:
        if part.num_rows == 0:
            continue
        block = np.empty((part.num_rows, part.num_columns))
        for j, column in enumerate(part.columns):
            if pa.types.is_decimal(column.type) or column.null_count or not pa.types.is_floating(column.type):
                column = column.cast(pa.float64())
            block[:, j] = column.to_numpy(zero_copy_only=False)
        yield block

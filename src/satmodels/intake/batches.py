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

BLOCK_VALUES = 131_072  # one MiB of float64: a block stays in the processor's cache while it is worked on
LEAST_ROWS, MOST_ROWS = 1_024, 65_536


def batches(
    frame: Frame, columns: Sequence[str], *, rows: int | None = None
) -> Iterator[NDArray[np.float64]]:
    """Go through the columns block by block.

    Parameters
    ----------
    frame : Frame
        Data of any engine.
    columns : sequence of str
        Columns of numbers, in the order wanted.
    rows : int, optional
        Largest number of rows in a block; by default about 131,072 values.

    Yields
    ------
    ndarray of float64, shape (at most ``rows``, number of columns)
        NaN where an answer is missing. Each block is new and belongs to the caller.

    Raises
    ------
    SchemaError
        A column holds text, booleans, categories or infinite values.
    EngineError
        The engine failed while it read.
    """
    frame.require(columns)
    for column in columns:
        check_numeric_type(frame, column)
    if rows is None:
        rows = min(MOST_ROWS, max(LEAST_ROWS, BLOCK_VALUES // max(len(columns), 1)))
    source = _native_blocks(frame, list(columns), rows)
    for block in source:
        # a sum is finite only if all of its terms are; most blocks need no closer look
        with np.errstate(all="ignore"):
            total = block.sum()
        if not np.isfinite(total) and np.isinf(block).any():
            source.close()  # before another query: DuckDB has one open result at a time
            refuse_infinite(frame, columns)
        yield block


def matrix(frame: Frame, columns: Sequence[str]) -> NDArray[np.float64]:
    """Return the columns as one float64 array, NaN where an answer is missing."""
    blocks = list(batches(frame, columns, rows=MOST_ROWS))
    return np.concatenate(blocks) if blocks else np.empty((0, len(columns)))


def _native_blocks(frame: Frame, columns: list[str], rows: int) -> Generator[NDArray[np.float64], None, None]:
    native: Any = frame.narwhals.select(columns).to_native()
    if frame.engine == "pandas":
        yield from _pandas_blocks(native, columns, rows)
    elif frame.engine == "polars":
        yield from _polars_blocks(native, columns, rows)
    elif frame.engine == "pyarrow":
        yield from _arrow_blocks(native.to_batches(max_chunksize=rows), rows)
    elif frame.engine == "duckdb":
        yield from _duckdb_blocks(native, rows)
    elif frame.engine == "dask":
        for partition in native.partitions:  # one at a time in memory
            yield from _pandas_blocks(partition.compute(), columns, rows)
    elif frame.engine == "ibis":
        yield from _ibis_blocks(native, rows)
    else:
        table = collect(frame.narwhals.select(columns), "reading").to_arrow()
        yield from _arrow_blocks(table.to_batches(max_chunksize=rows), rows)


def _new_block(rows: int, columns: int) -> NDArray[np.float64]:
    """Return an empty block with each column in one piece, as the engines hold theirs."""
    return np.empty((columns, rows)).T


def _pandas_blocks(native: Any, columns: list[str], rows: int) -> Iterator[NDArray[np.float64]]:
    sources: list[Any] = []
    for column in columns:
        series = native[column]
        kind = series.dtype.kind if isinstance(series.dtype, np.dtype) else ""
        if kind == "c":
            raise SchemaError(f"column {column!r} holds complex numbers", column=column, rule="numeric")
        # plain arrays are cut without copying; objects, masked and Arrow columns are read piece by piece
        sources.append(series.to_numpy() if kind in ("i", "u", "f") else series)
    for start in range(0, len(native), rows):
        stop = min(start + rows, len(native))
        block = _new_block(stop - start, len(columns))
        for j, (column, source) in enumerate(zip(columns, sources, strict=True)):
            if isinstance(source, np.ndarray):
                block[:, j] = source[start:stop]
            elif source.dtype == object:
                block[:, j] = [_number(v, column, start + i) for i, v in enumerate(source.iloc[start:stop])]
            else:
                block[:, j] = source.iloc[start:stop].to_numpy(dtype=np.float64, na_value=np.nan)
        yield block


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

    if isinstance(native, pl.LazyFrame):
        try:
            for part in native.collect_batches(chunk_size=MOST_ROWS):
                yield from _polars_eager(part, rows)
        except pl.exceptions.PolarsError as error:
            raise EngineError(f"polars failed while reading: {error}", engine="polars") from error
        return
    yield from _polars_eager(native, rows)


def _polars_eager(part: Any, rows: int) -> Iterator[NDArray[np.float64]]:
    import polars as pl

    narrow = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.Float32, pl.Float64)
    columns = part.get_columns()
    plain = [s.dtype in narrow and s.null_count() == 0 and s.n_chunks() == 1 for s in columns]
    sources = [s.to_numpy() if free else s for s, free in zip(columns, plain, strict=True)]
    for start in range(0, part.height, rows):
        stop = min(start + rows, part.height)
        block = _new_block(stop - start, len(columns))
        for j, (source, free) in enumerate(zip(sources, plain, strict=True)):
            if free:
                block[:, j] = source[start:stop]
            else:
                block[:, j] = source.slice(start, stop - start).cast(pl.Float64).to_numpy()
        yield block


def _duckdb_blocks(native: Any, rows: int) -> Iterator[NDArray[np.float64]]:
    import duckdb

    try:
        yield from _arrow_blocks(native.to_arrow_reader(MOST_ROWS), rows)
    except (duckdb.Error, OSError) as error:  # Arrow wraps what fails while it reads
        raise EngineError(f"duckdb failed while reading: {error}", engine="duckdb") from error


def _ibis_blocks(native: Any, rows: int) -> Iterator[NDArray[np.float64]]:
    try:
        yield from _arrow_blocks(_ibis_parts(native), rows)
    except Exception as error:  # those of the database behind it
        raise EngineError(f"ibis failed while reading: {error}", engine="ibis") from error


def _ibis_parts(native: Any) -> Any:
    import ibis

    backend: Any = ibis.get_backend(native)
    # Ibis 12 asks DuckDB for a reader that DuckDB 2 no longer has: DuckDB itself is asked for the one it has
    if backend.name == "duckdb" and not hasattr(backend.con, "fetch_record_batch"):
        native.limit(0).to_pyarrow()  # brings frames in memory to DuckDB, as Ibis does before each query
        return backend.con.sql(backend.compile(native)).to_arrow_reader(MOST_ROWS)
    return native.to_pyarrow_batches(chunk_size=MOST_ROWS)


def _arrow_blocks(parts: Any, rows: int) -> Iterator[NDArray[np.float64]]:
    import pyarrow as pa

    for part in parts:
        sources: list[Any] = []
        for column in part.columns:
            plain = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
            if column.null_count or not plain:
                column = column.cast(pa.float64())
            sources.append(column.to_numpy(zero_copy_only=False))
        for start in range(0, part.num_rows, rows):
            stop = min(start + rows, part.num_rows)
            block = _new_block(stop - start, part.num_columns)
            for j, source in enumerate(sources):
                block[:, j] = source[start:stop]
            yield block

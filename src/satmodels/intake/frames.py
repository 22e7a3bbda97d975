"""Any dataframe in, checked once: the only file that decides what counts as a dataframe.

Only operations that give the same answer on every engine are used here: select, filter, elementwise
with_columns, and group_by(names).agg(plain sum, min, max, len).
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from narwhals.exceptions import DuplicateError
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, EngineError, SchemaError, unknown
from satmodels.intake.library import FrameLibrary
from satmodels.intake.row_limit import refuse_more_rows
from satmodels.results import Table

LARGEST_FLOAT = 1.7976931348623157e308  # only infinity is larger
_EXACT = 2**53  # from here on floats don't hold every whole number
OFFENDERS = 5  # how many offending rows an error names
FIRST_CELLS = 20  # of a column of any objects are looked at before it is read
# engine -> library in which results come back; engines that are not dataframe libraries give Arrow
_COMES_BACK = {
    "pandas": FrameLibrary.PANDAS,
    "modin": FrameLibrary.PANDAS,
    "dask": FrameLibrary.PANDAS,
    "polars": FrameLibrary.POLARS,
}


class Frame:
    """A dataframe of any supported library, with its columns checked by name.

    The native object is never changed: every step makes a new expression on it.
    """

    __slots__ = ("_nw", "_schema", "columns", "engine", "library")

    def __init__(self, frame: nw.DataFrame[Any] | nw.LazyFrame[Any]) -> None:
        self._nw = frame
        self.engine: str = frame.implementation.value
        self.library = _COMES_BACK.get(self.engine, FrameLibrary.PYARROW)
        try:
            self._schema = frame.collect_schema()  # asked for once: some engines take long to answer
            self.columns: tuple[str, ...] = tuple(self._schema.names())
        except (
            Exception
        ) as error:  # a lazy query that can't even be planned; every engine has its own classes
            raise EngineError(
                f"{self.engine} failed while planning the query: {error}",
                engine=self.engine,
                feature="planning",
            ) from error

    @property
    def narwhals(self) -> nw.DataFrame[Any] | nw.LazyFrame[Any]:
        """The frame as narwhals sees it; for the modules of this folder only."""
        return self._nw

    @property
    def eager(self) -> bool:
        """Whether the rows are in memory and have an order."""
        return isinstance(self._nw, nw.DataFrame)

    def dtype(self, column: str) -> nw.dtypes.DType:
        """Return the type of a column as narwhals names it."""
        return self._schema[column]

    def require(self, columns: Iterable[str], *, role: str = "column") -> None:
        """Raise ArgumentError, with near matches, for the first column that is not there."""
        for column in columns:
            if not isinstance(column, Hashable) or column not in self.columns:
                raise unknown(role, column, self.columns)
            if not isinstance(given := column, str):
                raise ArgumentError(
                    f"a column is called {given!r}: names are texts here, rename it to {str(given)!r}"
                )
            if self.engine == "pyspark" and not {".", "`"}.isdisjoint(column):
                raise EngineError(
                    f"column {column!r}: Spark reads a dot or a backtick in a name as an operator. Rename it.",
                    engine=self.engine,
                    feature="dots in column names",
                    alternative="another name",
                )

    def require_plain(self, column: str) -> None:
        """Raise SchemaError for a pandas column whose first values are lists or the like: nothing can sort or count by it."""
        if self.engine != "pandas" or not isinstance(self._schema[column], nw.Object):
            return
        native: Any = self._nw.to_native()
        for value in native[column].iloc[:FIRST_CELLS]:
            if isinstance(value, list | dict | set | np.ndarray):
                raise SchemaError(
                    f"column {column!r} holds values of the type {type(value).__name__}: give plain values, one "
                    "in a cell",
                    column=column,
                    rule="plain values",
                )

    def unused_name(self, stem: str) -> str:
        """Return a column name that the frame does not use."""
        name = stem
        while name in self.columns:
            name = f"_{name}"
        return name

    def n_rows(self) -> int:
        """Count the rows in the engine."""
        counted = collect(self._nw.select(nw.len().alias("n")), "counting rows")
        return int(counted["n"][0])

    def refuse_more_rows(self, max_rows: int | None) -> None:
        """Raise ArgumentError if there are more rows than a service allows; None allows any number."""
        if max_rows is not None:
            refuse_more_rows(self.n_rows, max_rows)

    def where(self, columns: Sequence[str], key: Sequence[Any]) -> Frame:
        """Return the rows in which the columns have these values; None stands for what is missing."""
        self.require(columns)
        native: Any = self._nw
        for column, value in zip(columns, key, strict=True):
            condition = nw.col(column) == nw.lit(value)
            if value is None:
                condition = nw.col(column).is_null()
                if self.dtype(column).is_float():
                    condition = condition | nw.col(column).is_nan()
            native = native.filter(condition)
        return Frame(native)

    def values(self, column: str) -> list[Any]:
        """Return one column as Python values, NaN as None; for small columns and plots."""
        self.require([column])
        return [none_if_nan(v) for v in collect(self._nw.select(column), "reading").get_column(column)]

    def table(self, columns: Sequence[str]) -> Table:
        """Return columns as a plain table, rows in the engine's order."""
        self.require(columns)
        data = collect(self._nw.select(list(columns)), "reading")
        return Table.of({name: data.get_column(name).to_list() for name in columns})

    def to_pandas(self) -> Any:
        """Return all rows as a pandas frame: the native one where it is pandas already."""
        if self.engine == "pandas":
            return self._nw.to_native()
        return collect(self._nw, "reading").to_pandas()

    def with_arrays(self, columns: Mapping[str, NDArray[Any]]) -> Any:
        """Return a new, collected native frame with these columns set; rows keep their order and index."""
        if self.engine == "pandas":
            return self._nw.to_native().assign(**columns)
        eager = collect(self._nw, "reading")
        new = [
            nw.new_series(name, values.tolist(), backend=eager.implementation)
            for name, values in columns.items()
        ]
        return eager.with_columns(*new).to_native() if new else eager.to_native()

    def offenders(
        self, column: str, values: Sequence[Any], *, id_column: str | None = None, limit: int = OFFENDERS
    ) -> list[tuple[Any, Any]]:
        """Find the first rows in which a column has one of these values.

        Returns
        -------
        list of (row, value)
            Row is the 0-based position; on engines without an order it is the id column's value, or
            None without one.
        """
        if self.dtype(column) == nw.Object:
            return self._object_offenders(column, values, limit)
        return self.first_rows(
            column, _is_any(column, self.dtype(column), values), id_column=id_column, limit=limit
        )

    def first_rows(
        self, column: str, condition: nw.Expr, *, id_column: str | None = None, limit: int = OFFENDERS
    ) -> list[tuple[Any, Any]]:
        """Find the first rows that meet a condition: (row, value of the column), row as in `offenders`."""
        names = [column]
        position = self.unused_name("row")
        frame = self._numbered(position)
        if frame is not None:
            names.append(position)
        elif id_column is not None and id_column != column:
            names.append(id_column)
        source: Any = frame if frame is not None else self._nw
        found = collect(
            source.filter(condition).select(names).head(limit),
            "finding the offending rows",
        )
        rows = found.get_column(names[1]).to_list() if len(names) > 1 else [None] * len(found)
        values = [none_if_nan(v) for v in found.get_column(column).to_list()]
        return list(zip(rows, values, strict=True))

    def _numbered(self, name: str) -> nw.DataFrame[Any] | nw.LazyFrame[Any] | None:
        """Return the frame with its row positions, or None where the engine's rows have no order."""
        if isinstance(self._nw, nw.DataFrame):
            return self._nw.with_row_index(name)
        if self.engine == "polars":  # narwhals asks lazy frames for a sort column; polars keeps the order
            native: Any = self._nw.to_native()
            return nw.from_native(native.with_row_index(name))
        return None

    def _object_offenders(self, column: str, values: Sequence[Any], limit: int) -> list[tuple[Any, Any]]:
        # an object column may hold True beside 1: types must match too, which no engine compares
        wanted = {(type(v), v) for v in values}
        found: list[tuple[Any, Any]] = []
        for i, v in enumerate(self.values(column)):
            if v is not None and (type(v), v) in wanted:
                found.append((i, v))
                if len(found) == limit:
                    break
        return found


def open_frame(data: Any) -> Frame:
    """Open a dataframe of any supported library.

    Parameters
    ----------
    data : dataframe
        pandas, polars (eager or lazy), pyarrow Table, DuckDB relation, or anything else that narwhals
        reads; or a Frame, which is returned as it is.

    Raises
    ------
    ArgumentError
        The object is no dataframe, two columns bear one name, or there are more rows than
        :func:`~satmodels.limit_rows` allows.
    """
    if isinstance(data, Frame):
        return data
    try:
        with warnings.catch_warnings():
            # narwhals announces that its part for Dask becomes a package of its own
            warnings.filterwarnings("ignore", message=".*narwhals-dask")
            opened: Any = nw.from_native(data)
    except DuplicateError as error:
        repeated = str(error).splitlines()[1:]
        raise ArgumentError(
            f"two columns bear the same name:{' '.join(repeated)}. Rename one of them."
        ) from error
    except TypeError as error:
        raise ArgumentError(
            f"this {type(data).__name__} is no dataframe: give a pandas, polars or pyarrow frame, or a "
            "DuckDB relation."
        ) from error
    _refuse_duplicates(opened)
    frame = Frame(opened)
    refuse_more_rows(frame.n_rows)
    return frame


def _refuse_duplicates(opened: nw.DataFrame[Any] | nw.LazyFrame[Any]) -> None:
    """Refuse names that are there twice on engines where narwhals lets these pass."""
    engine, native = str(opened.implementation.value), opened.to_native()
    names: list[str] = []
    if engine in ("pyarrow", "duckdb", "dask", "pyspark"):
        # a query that can't even be planned has no names either, which Frame says next
        with suppress(Exception):
            names = list(native.column_names if engine == "pyarrow" else native.columns)
    if len(set(names)) < len(names):
        twice = sorted({str(n) for n in names if names.count(n) > 1})
        raise ArgumentError(f"two columns bear the same name: {twice}. Rename one of them.")


def is_sequence(data: Any) -> bool:
    """Say whether data is a plain one-dimensional sequence of answers and no dataframe."""
    if isinstance(data, list | tuple | range) or _is_arrow_array(data):
        return True
    return (hasattr(type(data), "__array__") and getattr(data, "ndim", None) == 1) or _is_series(data)


def _is_arrow_array(data: Any) -> bool:
    kind = type(data)  # asking a DuckDB relation itself for an attribute would run its query
    return hasattr(kind, "to_pylist") and not hasattr(kind, "column_names")


def _is_series(data: Any) -> bool:
    if hasattr(type(data), "columns") or hasattr(type(data), "column_names"):
        return False  # a dataframe, about which open_frame says what is wrong
    return isinstance(nw.from_native(data, allow_series=True, pass_through=True), nw.Series)


def sequence_values(data: Any) -> list[Any]:
    """Return the values of a plain sequence as Python objects, NaN and null as None."""
    refuse_more_rows(lambda: len(data))
    values = (
        data
        if isinstance(data, list | tuple | range)
        else data.to_pylist()
        if _is_arrow_array(data)
        else data.tolist()
        if hasattr(data, "tolist")
        else list(nw.from_native(data, series_only=True).to_list())
    )
    return [none_if_nan(v) for v in values]


def like_sequence(data: Any, values: list[Any]) -> Any:
    """Return new texts (None where missing) in the kind of sequence that came in, with its name and index."""
    if isinstance(data, tuple):
        return tuple(values)
    if isinstance(data, list | range):
        return values
    if not _is_series(data):
        return np.array(values, dtype=object)
    series: Any = nw.from_native(data, series_only=True)
    native: Any = nw.new_series(series.name, values, nw.String, backend=series.implementation).to_native()
    if series.implementation.is_pandas_like():
        native.index = data.index
    return native


def collect(frame: nw.DataFrame[Any] | nw.LazyFrame[Any], step: str) -> nw.DataFrame[Any]:
    """Run a query and return its rows; what the engine says goes on as the cause of an EngineError."""
    if isinstance(frame, nw.DataFrame):
        return frame
    engine = frame.implementation.value
    try:
        return frame.collect(engine="streaming") if engine == "polars" else frame.collect()
    except Exception as error:  # every engine has its own classes
        raise EngineError(f"{engine} failed while {step}: {error}", engine=engine, feature=step) from error


def holds_objects(frame: Frame, column: str) -> bool:
    """Say whether a column holds Python objects of any type, as pandas columns may."""
    return isinstance(frame.dtype(column), nw.Object)


def not_nan(column: str) -> nw.Expr:
    """Return a column as float64 with null for NaN, which is larger than every number in some engines."""
    value = nw.col(column).cast(nw.Float64)
    return nw.when(value.is_nan()).then(None).otherwise(value)


def present(column: str, dtype: nw.dtypes.DType) -> nw.Expr:
    """Return an expression that holds where a column is not missing."""
    value = nw.col(column)
    there = value.is_null() == False  # noqa: E712 - an expression
    return there & (value.is_nan() == False) if dtype.is_float() else there  # noqa: E712


def refuse_infinite(frame: Frame, columns: Iterable[str]) -> None:
    """Raise SchemaError, with count and first rows, for the first column that holds infinite values."""
    for column in columns:
        if holds_objects(frame, column):
            values = frame.values(column)
            found = [(i, v) for i, v in enumerate(values) if isinstance(v, float) and abs(v) > LARGEST_FLOAT]
            n_bad, found = len(found), found[:OFFENDERS]
        else:
            value = not_nan(column)
            condition = (value > LARGEST_FLOAT) | (value < -LARGEST_FLOAT)
            rows = frame.narwhals.filter(condition).select(nw.len().alias("n"))
            n_bad = int(collect(rows, "counting")["n"][0])
            found = frame.first_rows(column, condition) if n_bad else []
        if n_bad:
            raise SchemaError.answers(
                column,
                "finite",
                "Infinite values are no answers: correct them or set them to missing.",
                n_bad=n_bad,
                offenders=found,
            )


def check_numeric_type(frame: Frame, column: str) -> None:
    """Raise SchemaError for a column whose type can't hold numbers (text, bool, categories, dates)."""
    dtype = frame.dtype(column)
    if dtype.is_numeric() or (
        isinstance(dtype, nw.Object | nw.Unknown) and not _is_of_periods(frame, column)
    ):
        return
    remedy = {
        "Boolean": "True and False are no scores: convert the column to 0 and 1 if that is what you mean.",
        "String": "Convert the text to numbers, or declare labels in a Survey and prepare the frame.",
        "Categorical": "Map the categories to the numbers of the scale first.",
        "Enum": "Map the categories to the numbers of the scale first.",
    }.get(type(dtype).__name__, "Give a column of numbers.")
    present = nw.col(column).is_null() == False  # noqa: E712 - an expression
    found = frame.first_rows(column, present)
    if not found:
        return  # an all-missing column has whatever type its library gives
    n_bad = int(collect(frame.narwhals.filter(present).select(nw.len().alias("n")), "counting")["n"][0])
    raise SchemaError(
        f"column {column!r} holds {dtype}, not numbers (first value {found[0][1]!r}). {remedy}",
        column=column,
        row=found[0][0],
        value=found[0][1],
        rule="numeric",
        n_bad=n_bad,
        offenders=found,
    )


def _is_of_periods(frame: Frame, column: str) -> bool:
    """Say whether a pandas column has a type of its own that is no number, such as periods or intervals."""
    native: Any = frame.narwhals.to_native()
    kind = native.dtypes[column] if frame.engine == "pandas" else np.dtype(object)
    return not isinstance(kind, np.dtype) and getattr(kind, "kind", "") == "O"


def _is_any(column: str, dtype: nw.dtypes.DType, values: Sequence[Any]) -> nw.Expr:
    x = nw.col(column)
    conditions: list[nw.Expr] = []
    for v in values:
        if (
            isinstance(v, int | float) and abs(v) >= _EXACT
        ):  # read as floats such numbers have lost their digits
            bound = nw.lit(_EXACT if v > 0 else -_EXACT, dtype)
            conditions.append(x >= bound if v > 0 else x <= bound)
        else:
            conditions.append(x == nw.lit(v))
    return nw.any_horizontal(*conditions, ignore_nulls=True)


def none_if_nan(value: Any) -> Any:
    """Return a cell, and None for what is missing in any library's way."""
    # NaN, NaT and pandas.NA are the values that do not equal themselves (NA: comparing has no truth)
    if value is None:
        return None
    try:
        return value if value == value else None
    except (TypeError, ValueError, ArithmeticError):  # the last: a signalling NaN of Decimal
        return None

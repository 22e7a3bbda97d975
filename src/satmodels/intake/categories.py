"""Categories that are numbers: the answers of a scale only if they are ordered and the whole scale.

The codes behind categories are not what was answered: of the categories "9", "10", "6" the first has code 0.
What the categories themselves say counts, and only where they leave no doubt which scale they mean.
pandas, Dask and Arrow know categories that are numbers; polars, DuckDB and Ibis turn them into plain
columns of numbers when they take over a frame. Categories that are texts are texts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from satmodels.errors import SchemaError
from satmodels.intake.answers import AnswerRule
from satmodels.intake.frames import Frame, collect, open_frame

WHOLE_SCALE = "the ordered categories are"  # the rule, followed by the scale
REMEDY = "Categories count as answers only if they are ordered and the whole scale: map them to its numbers."


@dataclass(frozen=True)
class Categories:
    """The categories of a column, at least one of which is no text.

    Attributes
    ----------
    values : tuple
        The categories, in their order.
    ordered : bool
        Whether the column says that they have an order.
    """

    values: tuple[Any, ...]
    ordered: bool

    def are_scale(self, low: float | None, high: float | None, beside: Collection[Any] = ()) -> bool:
        """Say whether these are all whole numbers of a scale, ascending, and nothing but codes beside it."""
        if not self.ordered or low is None or high is None or low % 1 or high % 1:
            return False
        if any(isinstance(value, bool | np.bool_) for value in self.values):
            return False
        return [v for v in self.values if v not in beside] == list(range(int(low), int(high) + 1))


def categories_of(frame: Frame, column: str) -> Categories | None:
    """Return the categories of a column; None where it has none, or where they are texts."""
    dtype: Any = None
    native: Any = frame.narwhals.to_native() if frame.engine in ("pandas", "dask", "pyarrow") else None
    if frame.engine == "pyarrow":
        dtype = native.schema.field(column).type
    elif native is not None:
        dtype = native.dtypes[column]
        if str(dtype) == "category":
            return _unless_texts(list(dtype.categories), dtype.ordered)
        dtype = getattr(dtype, "pyarrow_dtype", None)
    if dtype is None or not str(dtype).startswith("dictionary"):
        return None
    if str(dtype.value_type) in ("string", "large_string", "string_view", "null"):
        return None
    return _unless_texts(_of_arrow(_chunks(native, frame.engine, column)), dtype.ordered)


def _unless_texts(values: list[Any], ordered: bool) -> Categories | None:
    if all(isinstance(value, str) for value in values):
        return None
    return Categories(tuple(values), bool(ordered))


def _chunks(native: Any, engine: str, column: str) -> Any:
    import pyarrow as pa

    if engine == "pyarrow":
        return native[column]
    series = native[column].compute() if engine == "dask" else native[column]
    return pa.chunked_array(pa.array(series))


def _of_arrow(column: Any) -> list[Any]:
    """Return the dictionary that all chunks of a column share, its gap left out."""
    unified = column.unify_dictionaries()
    values = unified.chunk(0).dictionary.to_pylist() if unified.num_chunks else []
    return [value for value in values if value is not None]


def decoded(frame: Frame, columns: Collection[str]) -> Frame:
    """Return the frame with categories replaced by plain columns of what they say; other frames as they are."""
    if not columns:
        return frame
    native: Any = frame.narwhals.to_native()
    if frame.engine == "dask":
        return open_frame(native.map_partitions(_decoded_part, list(columns), gaps=True))
    if frame.engine == "pyarrow":
        for column in columns:
            plain = native[column].cast(native.schema.field(column).type.value_type)
            native = native.set_column(native.column_names.index(column), column, plain)
        return open_frame(native)
    return open_frame(_decoded_part(native, columns))


def _decoded_part(part: Any, columns: Iterable[str], gaps: bool = False) -> Any:
    return part.assign(**{column: _plain(part[column], gaps) for column in columns})


def _plain(series: Any, gaps: bool) -> Any:
    """Decode a pandas column; with ``gaps`` as a type that has room for missing values, there or not."""
    import pandas as pd

    if str(series.dtype) != "category":  # an Arrow dictionary in a pandas column
        return series.astype(pd.ArrowDtype(series.dtype.pyarrow_dtype.value_type))
    values = series.cat.categories.to_numpy()
    if not len(values):
        return series.astype(object)
    if gaps and values.dtype.kind in "iu":
        values = values.astype(float)
    plain = pd.api.extensions.take(values, series.cat.codes.to_numpy(), allow_fill=True)
    return pd.Series(plain, index=series.index, name=series.name)


def category_frame(data: Any, name: str) -> Frame | None:
    """Return a sequence of categories as a frame of one column; None for any other sequence."""
    kind = str(getattr(data, "dtype", getattr(data, "type", "")))
    if kind == "category" or (kind.startswith("dictionary") and hasattr(data, "dtype")):
        import pandas as pd

        return open_frame(pd.DataFrame({name: data}))
    if kind.startswith("dictionary"):
        import pyarrow as pa

        return open_frame(pa.table({name: data}))
    return None


def with_category_numbers(frame: Frame, rules: Mapping[str, AnswerRule]) -> Frame:
    """Return the frame with categories that are a whole ordered scale as its numbers.

    For scores and statistics of columns whose scale is known; columns without categories, and categories
    that are texts, are left as they are.

    Parameters
    ----------
    frame : Frame
        Data of any engine; lazy frames stay lazy.
    rules : mapping of str to AnswerRule
        Scale of each column: its low and high end, and the codes for missing answers that may be
        categories beside it.

    Raises
    ------
    SchemaError
        The categories of a column are numbers, but not ordered, or not the whole scale.
    """
    frame.require(rules)
    found = {column: categories_of(frame, column) for column in rules}
    plain = [column for column, categories in found.items() if categories is not None]
    frame = decoded(frame, plain)
    for column in plain:
        rule, categories = rules[column], found[column]
        if categories is None or categories.are_scale(rule.low, rule.high, rule.missing_codes):
            continue
        answered = nw.col(column).is_null() == False  # noqa: E712 - an expression
        if first := frame.first_rows(column, answered):
            n = collect(frame.narwhals.filter(answered).select(nw.len().alias("n")), "counting")["n"][0]
            scale = f"{WHOLE_SCALE} {rule.low:g}..{rule.high:g}"
            raise SchemaError.answers(column, scale, REMEDY, n_bad=int(n), offenders=first)
    return frame

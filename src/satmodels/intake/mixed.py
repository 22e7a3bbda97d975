"""Columns of numbers and of words, as arrays, from any dataframe: what a classifier needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from satmodels.errors import SchemaError
from satmodels.intake.events import _floats, _plain, _words
from satmodels.intake.frames import Frame, collect, none_if_nan


def read_mixed(frame: Frame, columns: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Return each column as float64 (numbers and booleans; NaN is missing) or object (words; None is missing).

    Raises
    ------
    SchemaError
        A column holds dates or something else that is neither number nor word, or infinite values.
    """
    data = collect(frame.narwhals.select(list(columns)), "reading")
    return {name: _column(data.get_column(name), name) for name in columns}


def column_values(frame: Frame, column: str) -> NDArray[Any]:
    """Return a column as it is: whole numbers, floats, dates (datetime64) or objects."""
    series = collect(frame.narwhals.select(column), "reading").get_column(column)
    if isinstance(series.dtype, nw.Date | nw.Datetime):
        return np.asarray(series.to_numpy()).astype("datetime64[us]")
    array = np.asarray(series.to_numpy())
    return array if array.dtype.kind in "iufb" else np.array(series.to_list(), dtype=object)


def _column(series: nw.Series[Any], name: str) -> NDArray[Any]:
    dtype = series.dtype
    if isinstance(dtype, nw.Boolean):
        present = [none_if_nan(v) for v in series.to_list()]
        return np.array([np.nan if v is None else float(v) for v in present], dtype=np.float64)
    if dtype.is_numeric():
        return _floats(series, name)
    if isinstance(dtype, nw.String | nw.Categorical | nw.Enum):
        return _words(series)
    values = series.to_list()
    if isinstance(dtype, nw.Object | nw.Unknown):
        present = [v for v in values if none_if_nan(v) is not None]
        if all(isinstance(v, bool | int | float | np.number | np.bool_) for v in present):
            return _floats(series, name)
        if all(isinstance(v, str) for v in present):
            return _words(series)
    first = next((v for v in values if v is not None), None)
    raise SchemaError(
        f"column {name!r} holds {dtype}: a feature is a number or a word (first value {_plain(first)!r}). Turn a "
        "date into days before the cutoff, or leave the column out.",
        column=name,
        value=_plain(first),
        rule="a number or a word",
    )


def select_native(frame: Frame, columns: Sequence[str]) -> Any:
    """Return some columns as a frame of the user's library; lazy ones are read."""
    return collect(frame.narwhals.select(list(columns)), "reading").to_native()

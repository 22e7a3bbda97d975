"""The dataframe library a result comes back in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import MissingExtraError


class FrameLibrary(Enum):
    """Builds dataframes of one library; a member is stored in every result, so it must stay picklable."""

    PANDAS = "pandas"
    POLARS = "polars"
    PYARROW = "pyarrow"

    def build(self, columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> Any:
        """Return a dataframe with these columns (plain values, or arrays); None is missing.

        A column of numbers with gaps stays a column of numbers in every library: NaN in pandas, null
        in polars and Arrow.
        """
        if self is FrameLibrary.POLARS:
            return _build_polars(columns)
        if self is FrameLibrary.PYARROW:
            return _build_pyarrow(columns)
        return _build_pandas(columns)


def _floats(values: Sequence[Any]) -> bool:
    """Say whether a column holds only floats and gaps, or gaps alone."""
    return all(v is None or isinstance(v, float) for v in values)


def _numbers(values: Sequence[Any]) -> bool:
    return all(v is None or (isinstance(v, int | float) and not isinstance(v, bool)) for v in values)


def _build_pandas(columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> Any:
    import pandas as pd

    def series(values: Sequence[Any] | NDArray[Any]) -> Any:
        if isinstance(values, np.ndarray):
            return pd.Series(values.copy())  # the result's own array is read-only
        if values and all(isinstance(v, bool) for v in values):
            return pd.Series(list(values), dtype=bool)
        if values and all(isinstance(v, int) and not isinstance(v, bool) for v in values):
            try:
                return pd.Series(list(values), dtype="int64")
            except OverflowError:  # whole numbers of more than 64 bits stay what they are
                return pd.Series(list(values), dtype=object)
        if _numbers(values):
            return pd.Series([float("nan") if v is None else v for v in values], dtype="float64")
        return pd.Series(list(values))

    return pd.DataFrame({name: series(values) for name, values in columns.items()})


def _build_polars(columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> Any:
    try:
        import polars as pl
    except ImportError as error:  # pragma: no cover - a polars frame came in, so polars is there
        raise MissingExtraError("polars", "polars") from error

    def series(name: str, values: Sequence[Any] | NDArray[Any]) -> Any:
        if isinstance(values, np.ndarray):
            return pl.Series(name, values if values.dtype != object else values.tolist())
        if _floats(values):
            return pl.Series(name, list(values), dtype=pl.Float64)
        if any(isinstance(v, float) for v in values) and _numbers(values):
            return pl.Series(name, [None if v is None else float(v) for v in values], dtype=pl.Float64)
        return pl.Series(name, list(values), strict=False)

    return pl.DataFrame([series(name, values) for name, values in columns.items()])


def _build_pyarrow(columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> Any:
    try:
        import pyarrow as pa
    except ImportError as error:
        raise MissingExtraError("pyarrow", "duckdb") from error

    def array(values: Sequence[Any] | NDArray[Any]) -> Any:
        if isinstance(values, np.ndarray):
            if values.dtype != object:
                return pa.array(values)
            return pa.array(values.tolist())
        if _floats(values) or (any(isinstance(v, float) for v in values) and _numbers(values)):
            return pa.array([None if v is None else float(v) for v in values], type=pa.float64())
        try:
            return pa.array(list(values))
        except (pa.ArrowInvalid, pa.ArrowTypeError):  # group keys of mixed types
            return pa.array([None if v is None else str(v) for v in values], type=pa.string())

    return pa.table({name: array(values) for name, values in columns.items()})

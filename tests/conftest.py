"""One fixture runs a test on every engine."""

from __future__ import annotations

import os

# one BLAS thread: the matrices are small, and busy cores make several threads slower
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest


def _numpy(frame: pd.DataFrame) -> Any:
    return frame


def _nullable(frame: pd.DataFrame) -> Any:
    return frame.convert_dtypes()


def _arrow_backed(frame: pd.DataFrame) -> Any:
    return frame.convert_dtypes(dtype_backend="pyarrow")


def _polars(frame: pd.DataFrame) -> Any:
    import polars as pl

    return pl.from_pandas(frame)


def _polars_lazy(frame: pd.DataFrame) -> Any:
    return _polars(frame).lazy()


def _pyarrow(frame: pd.DataFrame) -> Any:
    import pyarrow as pa

    return pa.Table.from_pandas(frame, preserve_index=False)


_CONNECTIONS: list[Any] = []  # before DuckDB 2 a relation does not keep its connection open


def _duckdb(frame: pd.DataFrame) -> Any:
    import duckdb

    connection = duckdb.connect()
    _CONNECTIONS.append(connection)
    del _CONNECTIONS[:-20]
    table = _pyarrow(frame)
    connection.register("answers", table)
    return connection.table("answers")


ENGINES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "pandas": _numpy,
    "pandas-nullable": _nullable,
    "pandas-arrow": _arrow_backed,
    "polars": _polars,
    "polars-lazy": _polars_lazy,
    "pyarrow": _pyarrow,
    "duckdb": _duckdb,
}


@pytest.fixture(params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> Callable[[pd.DataFrame], Any]:
    """Turn a pandas frame into a frame of one engine."""
    return ENGINES[request.param]

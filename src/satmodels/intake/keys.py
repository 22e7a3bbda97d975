"""Distinct combinations of key columns: the groups that rows are summed by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PLAIN_TYPES = {int, str, bool, type(None)}


def codes_of(values: Sequence[Any]) -> tuple[list[Any], NDArray[np.int64]]:
    """Return the distinct values of a column and the place of each value among them."""
    distinct = list(dict.fromkeys(values))
    place_of = {value: i for i, value in enumerate(distinct)}
    return distinct, np.fromiter(map(place_of.__getitem__, values), np.int64, len(values))


def joint_keys(
    names: Sequence[Sequence[Any]], codes: Sequence[NDArray[np.integer]]
) -> tuple[list[tuple[Any, ...]], NDArray[np.intp]]:
    """Return the distinct combinations of coded columns, and the place of each row's combination among them."""
    rows, size = len(codes[0]), 1
    joint = np.zeros(rows, dtype=np.int64)
    for distinct, code in zip(names, codes, strict=True):
        joint, size = joint * len(distinct) + code, size * len(distinct)
        if size > 8 * rows + 1024:  # before the numbers grow out of their type
            joint, size = np.unique(joint, return_inverse=True)[1], rows
    row_of = np.full(size, -1)
    row_of[joint] = np.arange(rows)  # any row with the combination will do
    found = row_of[row_of >= 0]
    columns = [
        [distinct[c] for c in code[found].tolist()] for distinct, code in zip(names, codes, strict=True)
    ]
    return list(zip(*columns, strict=True)), (np.cumsum(row_of >= 0) - 1)[joint]


def key_codes(part: Any, keys: Sequence[str], rows: int) -> tuple[list[tuple[Any, ...]], NDArray[np.intp]]:
    """Return the distinct keys of a part and the place of each row's key among them."""
    if not keys:
        return [()], np.zeros(rows, dtype=np.intp)
    names: list[list[Any]] = []
    codes: list[NDArray[np.integer]] = []
    for key in keys:
        series = part.get_column(key)
        array = series.to_numpy() if series.dtype.is_numeric() else np.empty(0, dtype=object)
        if array.dtype.kind in "iuf" and len(array) == rows:
            found, code = np.unique(array, return_inverse=True)
            distinct = plain_keys(found.tolist())
        else:
            distinct, code = codes_of(plain_keys(series.to_list()))
        names.append(distinct)
        codes.append(code)
    return joint_keys(names, codes)


def plain_keys(values: list[Any]) -> list[Any]:
    """Return keys as plain Python values, None for what is missing, whatever engine gave them."""
    if set(map(type, values)) <= _PLAIN_TYPES:
        return values
    return [_plain_key(v) for v in values]


def _plain_key(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, np.generic):
        value = value.item()
    try:
        if value != value:
            return None
    except (TypeError, ValueError):
        return None  # pandas.NA: comparing it has no truth value
    if (
        isinstance(value, datetime)
        and hasattr(value, "to_pydatetime")
        and not getattr(value, "nanosecond", 0)
    ):
        return value.to_pydatetime()  # type: ignore[attr-defined]
    return value

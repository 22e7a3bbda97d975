"""Rows of a key after its first: counted and named, and cheaply found absent.

A million ids are rarely repeated. So a fingerprint of 64 bits per row comes first: where all fingerprints
differ, all keys differ. Only where two are equal are the keys themselves counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from satmodels.errors import SchemaError
from satmodels.intake.frames import OFFENDERS, Frame, collect, present
from satmodels.intake.rules import Broken

DUPLICATE = "one row per"
LONGEST_KEY = 128  # bytes of a text that is fingerprinted: a longer one is no id
MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 divided by the golden ratio: spreads what is multiplied by it
ALL_BITS = np.uint64(0xFFFFFFFFFFFFFFFF)


def repeated_rows(frame: Frame, key: tuple[str, ...]) -> Iterator[Broken]:
    """Count the rows of each key after the first; rows in which the first column is missing are left out.

    Raises
    ------
    SchemaError
        A column of the key holds lists or records.
    """
    if any(frame.dtype(name).is_nested() for name in key):
        raise _no_plain_values(key)
    if frame.engine in ("pandas", "pyarrow"):
        n_bad, found = _in_memory(frame, key)
    elif frame.engine == "polars" and _all_differ_in_polars(frame, key):
        return
    else:
        copies = repeated_keys(frame, key)
        extra = copies.select((nw.col("n_rows").cast(nw.Int64) - 1).alias("n")).select(nw.col("n").sum())
        n_bad = int(collect(extra, "looking for duplicates")["n"][0] or 0)
        found = _name(frame, key, copies) if n_bad else []
    if n_bad:
        yield Broken(key[0], f"{DUPLICATE} {' and '.join(key)}", n_bad, tuple(found))


def repeated_keys(frame: Frame, key: Sequence[str]) -> Any:
    """Return each key that is there more than once, as columns key_0, key_1, ..., with its n_rows.

    The columns get names of their own, because some engines group by names that they do not quote.
    """
    answered = frame.narwhals.filter(present(key[0], frame.dtype(key[0])))
    names = [f"key_{i}" for i in range(len(key))]
    keys: Any = answered.select(*(nw.col(k).alias(name) for k, name in zip(key, names, strict=True)))
    return keys.group_by(*names).agg(nw.len().alias("n_rows")).filter(nw.col("n_rows") > 1)


def _name(frame: Frame, key: tuple[str, ...], copies: Any) -> list[tuple[Any, Any]]:
    """Name the first repeated rows; without an order of rows, some of the keys that are there more than once."""
    if frame.engine == "polars":
        return _name_in_polars(frame, key)
    some = collect(copies.select("key_0").head(OFFENDERS), "looking for duplicates")
    return [(value, value) for value in some.get_column("key_0").to_list()]


# ------------------------------------------------------------------------------------------------- polars


def _all_differ_in_polars(frame: Frame, key: tuple[str, ...]) -> bool:
    """Say whether the keys surely differ, from one pass over their hashes."""
    import polars as pl

    if any(frame.dtype(name).is_float() for name in key):
        return False  # several floats are equal: zeros of both signs, and what is missing
    native: Any = frame.narwhals.lazy().to_native()
    prints = pl.col(key[0]).hash()
    for name in key[1:]:
        prints = prints * int(MIX) + pl.col(name).hash()
    hashed = native.filter(pl.col(key[0]).is_not_null()).select(prints.alias("prints"))
    found = collect(nw.from_native(hashed), "looking for duplicates")
    return _all_differ([found.get_column("prints").to_numpy()])


def _name_in_polars(frame: Frame, key: tuple[str, ...]) -> list[tuple[Any, Any]]:
    import polars as pl

    row = frame.unused_name("row")
    rows = frame.narwhals.lazy().to_native().select(*key).with_row_index(row)
    rows = rows.filter(pl.col(key[0]).is_not_null())
    if frame.dtype(key[0]).is_float():
        rows = rows.filter(pl.col(key[0]).is_not_nan())
    again = rows.filter(pl.struct(*key).is_first_distinct().not_()).select(row, key[0]).head(OFFENDERS)
    return list(collect(nw.from_native(again), "looking for duplicates").iter_rows())


# -------------------------------------------------------------------------------------- pandas and Arrow


def _in_memory(frame: Frame, key: tuple[str, ...]) -> tuple[int, list[tuple[Any, Any]]]:
    prints = [fingerprints(frame, name) for name in key]
    if all(values is not None for values in prints) and _all_differ(prints):
        return 0, []
    rows: Any = frame.narwhals.to_native()
    if frame.engine == "pyarrow":
        rows = rows.select(list(key)).to_pandas(types_mapper=_kept_by_arrow)
    try:
        ids = rows[key[0]]
        arrow = hasattr(ids.dtype, "pyarrow_dtype")  # pandas makes floats of its whole numbers beside gaps
        if not arrow and not ids.duplicated().any():
            return 0, []
        ids = ids.reset_index(drop=True)
        ids = ids.dropna() if arrow else ids
        again = ids.duplicated(keep=False if key[1:] else "first")
        if key[1:]:  # few rows are left of ids that are nearly unique by themselves
            again = rows[list(key)].reset_index(drop=True).loc[again.index[again]].duplicated(keep="first")
    except TypeError as error:
        raise _no_plain_values(key) from error
    again = again[again].index
    again = again[ids[again].notna()]
    first = again[:OFFENDERS].tolist()
    return len(again), list(zip(first, ids.loc[first].tolist(), strict=True))


def _kept_by_arrow(kind: Any) -> Any:
    """Keep Arrow's own types in pandas: large whole numbers stay what they are. Floats have no need of it."""
    import pandas as pd

    return None if str(kind) in ("double", "float", "halffloat") else pd.ArrowDtype(kind)


def _no_plain_values(key: tuple[str, ...]) -> SchemaError:
    rule = f"{DUPLICATE} {' and '.join(key)}"
    return SchemaError(
        f"column {key[0]!r}: the rule {rule} can't be checked where values are lists or records. Give plain values.",
        column=key[0],
        rule=rule,
    )


def _all_differ(prints: list[Any]) -> bool:
    combined = prints[0].copy()
    for values in prints[1:]:
        combined *= MIX
        combined += values
    combined.sort()
    return bool((combined[1:] != combined[:-1]).all())


def fingerprints(frame: Frame, column: str) -> NDArray[np.uint64] | None:
    """Return 64 bits for each text of an Arrow column, equal for equal texts; None for any other column.

    Texts with gaps have none, nor have texts of more than 128 bytes.
    """
    native: Any = frame.narwhals.to_native()[column]
    if frame.engine == "pandas" and not (
        hasattr(native.dtype, "pyarrow_dtype") or getattr(native.dtype, "storage", None) == "pyarrow"
    ):
        return None
    import pyarrow as pa

    if frame.engine == "pandas":
        native = pa.array(native)
    chunks: list[Any] = native.chunks if isinstance(native, pa.ChunkedArray) else [native]
    wanted = (pa.string(), pa.large_string())
    if not chunks or any(chunk.type not in wanted or chunk.null_count for chunk in chunks):
        return None
    prints = [values for chunk in chunks if (values := _fingerprints(chunk)) is not None]
    return np.concatenate(prints) if len(prints) == len(chunks) else None


def _fingerprints(chunk: Any) -> NDArray[np.uint64] | None:
    """Fold the texts of a chunk eight bytes at a time; the bytes of all texts lie in one piece."""
    _, offsets, data = chunk.buffers()
    width = np.int64 if str(chunk.type) == "large_string" else np.int32
    if not len(chunk) or data is None:
        return np.zeros(len(chunk), dtype=np.uint64)
    ends = np.frombuffer(offsets, dtype=width)[chunk.offset : chunk.offset + len(chunk) + 1].astype(np.int64)
    start, length = ends[:-1] - ends[0], np.diff(ends)
    if length.max() > LONGEST_KEY:
        return None
    bytes_ = np.zeros(ends[-1] - ends[0] + 8, dtype=np.uint8)  # so that eight bytes follow every start
    bytes_[:-8] = np.frombuffer(data, dtype=np.uint8)[ends[0] : ends[-1]]
    words = np.ndarray((len(bytes_) - 7,), dtype="<u8", buffer=bytes_.data, strides=(1,))
    prints = length.astype(np.uint64) * MIX
    for done in range(0, int(length.max()), 8):
        left = np.clip(length - done, 0, 8).astype(np.uint64)
        word = words[np.minimum(start + done, len(words) - 1)]
        kept = np.where(
            left == 8, ALL_BITS, (np.uint64(1) << left * np.uint64(8) % np.uint64(64)) - np.uint64(1)
        )
        folded = (prints ^ (word & kept)) * MIX
        folded ^= folded >> np.uint64(32)
        prints = np.where(left > 0, folded, prints)  # so that longer texts beside a text change nothing
    return prints

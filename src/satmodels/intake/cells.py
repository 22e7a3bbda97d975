"""Count rows by the values of some columns, in the engine that holds them: one group-by, one pass.

Every score and every Kano table starts here. Cleaning happens afterwards, on the few distinct values,
so that NaN, codes and off-scale answers are treated alike on every engine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, SchemaError
from satmodels.intake.frames import Frame, check_numeric_type, collect

MAX_CELLS = 5_000_000  # more distinct combinations than this is no count table but the data itself


@dataclass(frozen=True)
class Cells:
    """Distinct combinations of the key columns with their number of rows and sums of weights."""

    keys: list[tuple[Any, ...]]
    n: NDArray[np.int64]
    w: NDArray[np.float64]
    w2: NDArray[np.float64]


def count_cells(frame: Frame, keys: Sequence[str], weight: str | None = None) -> Cells:
    """Count rows, and sum weights and their squares, for each combination of the key columns.

    NaN and null are one key (None). Without a weight every row weighs 1.

    Raises
    ------
    ArgumentError
        A column is missing or named twice, or there are more than 5,000,000 combinations.
    SchemaError
        A weight is negative, missing, infinite or no number.
    """
    keys = list(keys)
    frame.require(keys)
    if len(set(keys)) < len(keys):
        repeated = next(k for k in keys if keys.count(k) > 1)
        raise ArgumentError(
            f"column {repeated!r} is used twice: as an item and to group by, or listed twice."
        )
    native: Any = frame.narwhals
    n = frame.unused_name("n_rows")
    sums = [nw.len().alias(n)]
    w, w2 = frame.unused_name("sum_w"), frame.unused_name("sum_w2")
    if weight is not None:
        check_weight(frame, weight)
        value = nw.col(weight).cast(nw.Float64)
        native = native.select(*keys, value.alias(w), (value * value).alias(w2))
        sums += [nw.col(w).sum(), nw.col(w2).sum()]
    else:
        native = native.select(*keys)
    counted = collect(native.group_by(*keys).agg(*sums).head(MAX_CELLS + 1), "counting answers")
    if len(counted) > MAX_CELLS:
        raise ArgumentError(
            f"columns {keys} have more than {MAX_CELLS:,} distinct combinations: is one of them an id, or "
            "a continuous amount? Group by fewer columns, or use Moments for continuous columns."
        )
    columns = [_key_values(counted.get_column(k).to_list()) for k in keys]
    rows = np.asarray(counted.get_column(n).to_numpy(), dtype=np.int64)
    if weight is None:
        return Cells(list(zip(*columns, strict=True)), rows, rows.astype(float), rows.astype(float))
    return Cells(
        list(zip(*columns, strict=True)),
        rows,
        np.asarray(counted.get_column(w).to_numpy(), dtype=float),
        np.asarray(counted.get_column(w2).to_numpy(), dtype=float),
    )


def check_weight(frame: Frame, weight: str) -> None:
    """Raise SchemaError unless every weight is a finite number of at least 0."""
    frame.require([weight], role="weight column")
    check_numeric_type(frame, weight)
    value = nw.col(weight).cast(nw.Float64)
    missing = (value.is_null() | value.is_nan()).cast(nw.Int64)
    # a missing weight is looked for as such; the other two comparisons are false for it
    negative = (value < 0).cast(nw.Int64)
    infinite = (value > 1e300).cast(nw.Int64)
    flagged = frame.narwhals.select(
        missing.alias("missing"), negative.alias("negative"), infinite.alias("infinite")
    )
    counted = collect(flagged.select(nw.col("missing", "negative", "infinite").sum()), "checking the weights")
    n_missing, n_negative, n_infinite = (int(counted[c][0] or 0) for c in counted.columns)
    for n_bad, rule, condition in (
        (n_missing, "not missing", value.is_null() | value.is_nan()),
        (n_negative, "at least 0", value < 0),
        (n_infinite, "finite", value > 1e300),
    ):
        if n_bad:
            found = frame.first_rows(weight, condition)
            raise SchemaError.answers(
                weight,
                f"weights are {rule}",
                "Correct or drop these rows: a weight says how many people an answer stands for.",
                n_bad=n_bad,
                offenders=found,
            )


def _key_values(values: list[Any]) -> list[Any]:
    return [None if v is None or _is_nan(v) else v for v in values]


def _is_nan(value: Any) -> bool:
    if isinstance(value, float):
        return math.isnan(value)
    try:
        return bool(value != value)
    except (TypeError, ValueError):
        return True  # pandas.NA: comparing it has no truth value

"""Sums of replicate weights per combination of key columns, computed by the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, SchemaError
from satmodels.intake.batches import matrix
from satmodels.intake.cells import MAX_CELLS
from satmodels.intake.frames import Frame, check_numeric_type, collect
from satmodels.intake.keys import key_codes, plain_keys
from satmodels.intake.parts import in_memory, in_parts

Array = NDArray[np.float64]


def check_replicates(frame: Frame, replicates: Sequence[str]) -> None:
    """Raise SchemaError unless every replicate weight is a finite number; single ones may be negative."""
    frame.require(replicates, role="column of replicate weights")
    for column in replicates:
        check_numeric_type(frame, column)
    flags: list[nw.Expr] = []
    conditions: dict[str, nw.Expr] = {}
    for i, column in enumerate(replicates):
        x = nw.col(column).cast(nw.Float64)
        conditions[column] = x.is_null() | x.is_nan() | (x > 1e150) | (x < -1e150)
        flags.append(nw.when(conditions[column]).then(nw.lit(1)).otherwise(nw.lit(0)).alias(f"b{i}"))
    counted = collect(frame.narwhals.select(*flags).select(nw.all().sum()), "checking the replicate weights")
    for i, column in enumerate(replicates):
        if n_bad := int(counted[f"b{i}"][0] or 0):
            raise SchemaError.answers(
                column,
                "replicate weights are finite and not missing",
                "Correct these rows: a respondent outside a replicate has weight 0.",
                n_bad=n_bad,
                offenders=frame.first_rows(column, conditions[column]),
            )


def replicate_cells(
    frame: Frame, keys: Sequence[str], replicates: Sequence[str]
) -> tuple[list[tuple[Any, ...]], Array]:
    """Return the distinct keys and, per key, the sum of each replicate weight, shape (keys, replicates)."""
    if in_memory(frame):
        return _block_cells(frame, keys, replicates)
    names = [f"k{i}" for i in range(len(keys))]
    sums = [f"r{i}" for i in range(len(replicates))]
    chosen: Any = frame.narwhals.select(
        *(nw.col(k).alias(name) for k, name in zip(keys, names, strict=True)),
        *(nw.col(c).cast(nw.Float64).alias(name) for c, name in zip(replicates, sums, strict=True)),
    )
    grouped = chosen.group_by(*names).agg(*(nw.col(s).sum() for s in sums)).head(MAX_CELLS + 1)
    found = collect(grouped, "summing the replicate weights")
    if len(found) > MAX_CELLS:
        raise ArgumentError(f"columns {list(keys)} have more than {MAX_CELLS:,} distinct combinations")
    columns = [plain_keys(found.get_column(name).to_list()) for name in names]
    totals = np.array([found.get_column(s).to_list() for s in sums], dtype=float).T
    return list(zip(*columns, strict=True)), totals.reshape(len(found), len(sums))


def _block_cells(
    frame: Frame, keys: Sequence[str], replicates: Sequence[str]
) -> tuple[list[tuple[Any, ...]], Array]:
    total: dict[tuple[Any, ...], Array] = {}
    for part in in_parts(frame, [*keys, *replicates]):
        block = matrix(Frame(part.select(list(replicates))), replicates)
        groups, codes = key_codes(part, keys, len(block))
        sums = np.zeros((len(groups), block.shape[1]))
        np.add.at(sums, codes, block)
        for key, row in zip(groups, sums, strict=True):
            total[key] = total[key] + row if key in total else row
    return list(total), np.array(list(total.values())).reshape(len(total), len(replicates))

"""Partitions summed up where they lie: for engines whose rows should not travel to one machine.

A function sees the blocks of one partition and answers with a text; only these texts come back. On Spark it
runs in the executors. What it needs is sent along by value, so that they need numpy and pyarrow alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from satmodels.errors import EngineError
from satmodels.intake import batches
from satmodels.intake.batches import _arrow_blocks
from satmodels.intake.frames import Frame, check_numeric_type, refuse_infinite

INFINITE = "infinite"  # a partition's answer if it holds infinite values; no stored statistic is this text

EXECUTOR_ROWS = 8_192  # rows of a block in an executor

Summarise = Callable[[Iterator[NDArray[np.float64]]], str]


def has_partitions(frame: Frame) -> bool:
    """Say whether :func:`summarise_partitions` works on this frame."""
    return frame.engine == "pyspark"


def summarise_partitions(
    frame: Frame, columns: Sequence[str], summarise: Summarise, *, ships: Sequence[ModuleType] = ()
) -> list[str]:
    """Return the text that a function gives for each partition.

    Parameters
    ----------
    frame : Frame
        A frame of Spark.
    columns : sequence of str
        Columns of numbers, in the order wanted.
    summarise : callable
        Takes the blocks of one partition (float64, NaN for what is missing) and returns a text.
    ships : sequence of module
        Modules whose functions it uses and that the executors may not have.

    Raises
    ------
    SchemaError
        A column holds no numbers, or infinite values.
    EngineError
        Spark failed.
    """
    frame.require(columns)
    for column in columns:
        check_numeric_type(frame, column)
    names = [f"x{j}" for j in range(len(columns))]
    chosen = frame.narwhals.select(*(nw.col(c).alias(n) for c, n in zip(columns, names, strict=True)))
    native: Any = chosen.to_native()
    from pyspark import cloudpickle

    modules = [sys.modules[__name__], batches, *ships]
    for module in modules:
        cloudpickle.register_pickle_by_value(module)
    try:
        rows = native.mapInArrow(_Task(summarise), "summary string").collect()
    except Exception as error:  # the engine's own classes
        raise EngineError(
            f"spark failed while summing up its partitions: {error}", engine=frame.engine, feature="moments"
        ) from error
    finally:
        for module in modules:
            cloudpickle.unregister_pickle_by_value(module)
    texts = [row["summary"] for row in rows]
    if INFINITE in texts:
        refuse_infinite(frame, columns)
    return texts


class _Task:
    """What an executor does with one partition; it must survive pickling."""

    def __init__(self, summarise: Summarise) -> None:
        self.summarise = summarise

    def __call__(self, parts: Iterator[Any]) -> Iterator[Any]:
        import pyarrow as pa

        try:
            text = self.summarise(_finite(_arrow_blocks(parts, EXECUTOR_ROWS)))
        except OverflowError:
            text = INFINITE
        yield pa.RecordBatch.from_pydict({"summary": [text]})


def _finite(blocks: Iterator[NDArray[np.float64]]) -> Iterator[NDArray[np.float64]]:
    for block in blocks:
        if np.isinf(block).any():
            raise OverflowError
        yield block

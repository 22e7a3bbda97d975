"""How a frame is gone through: whole by an engine that runs queries, cut into parts where it is in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from satmodels.intake.frames import Frame

PART_ROWS = 131_072  # times 100 columns of float64: 100 MB


def in_memory(frame: Frame) -> bool:
    """Say whether the rows are a pandas or Arrow table, which numpy sums up faster than its own group-by."""
    return frame.eager and frame.engine != "polars"


def in_parts(frame: Frame, columns: Sequence[str]) -> Iterator[Any]:
    """Go through the frame in parts of which a few dozen derived columns fit in memory.

    An engine that runs whole queries gets one part; only a frame in memory is cut.
    """
    native: Any = frame.narwhals
    if frame.engine == "polars":
        yield native.lazy()
    elif in_memory(frame):
        needed: Any = native.select(list(dict.fromkeys(columns)))
        for start in range(0, max(len(needed), 1), PART_ROWS):
            yield needed[start : start + PART_ROWS]
    else:
        yield native

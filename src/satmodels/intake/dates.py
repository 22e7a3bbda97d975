"""Days of a column of dates or times, so that rows can be counted per day whatever the time of day."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw

from satmodels.intake.frames import Frame


def with_days(frame: Frame, column: str) -> tuple[Frame, str]:
    """Return the frame with a column of midnights, and its name, where the column holds times without a zone.

    Other columns (dates, texts, times with a zone) come back as they are: their values are read one by one.
    """
    dtype = frame.dtype(column)
    if not isinstance(dtype, nw.Datetime) or dtype.time_zone is not None:
        return frame, column
    name = frame.unused_name(f"{column} (day)")
    native: Any = frame.narwhals
    return Frame(native.with_columns(nw.col(column).dt.truncate("1d").alias(name))), name

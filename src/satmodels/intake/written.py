"""Answers written as texts, read as the whole numbers they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from satmodels.errors import SchemaError
from satmodels.intake.cells import count_cells
from satmodels.intake.frames import Frame, open_frame
from satmodels.intake.recode import Recode, recode

WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,15}")  # neither "9.0" nor "1_0"


def whole_number(value: Any, item: str, frame: Frame | None = None) -> Any:
    """Read "9", " 9 " or "+9" as 9; any other text is an error, everything else is left as it is."""
    if not isinstance(value, str):
        return value
    if value.strip() == "":
        return None
    if WHOLE_NUMBER.fullmatch(value.strip()):
        return int(value)
    offenders = frame.offenders(item, [value]) if frame is not None else []
    raise SchemaError.answers(
        item,
        "a whole number",
        "Labels are turned into codes by a Survey with labelled scales (survey.prepare).",
        n_bad=max(len(offenders), 1),
        offenders=offenders,
        value=value,
    )


def read_written(frame: Frame, columns: Sequence[str]) -> Frame:
    """Return the frame with the texts of these columns read as whole numbers; columns of numbers stay as they are.

    Raises
    ------
    SchemaError
        A text is no whole number.
    """
    recodes: list[Recode] = []
    for column in columns:
        if frame.dtype(column).is_numeric():
            continue
        distinct = (key[0] for key in count_cells(frame, [column]).keys)
        read = {text: whole_number(text, column, frame) for text in distinct if isinstance(text, str)}
        if read:
            codes = {text: number for text, number in read.items() if number is not None}
            empty = tuple(text for text, number in read.items() if number is None)
            recodes.append(Recode(column, column, missing=empty, codes=codes))
    return open_frame(recode(frame, recodes)) if recodes else frame

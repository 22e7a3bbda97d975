"""Evaluation tables: which category a pair of Kano answers falls into.

Rows are the functional answer ("how do you feel if it is there"), columns the dysfunctional one ("...
if it is not there"), both from like to dislike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator, model_validator

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, unknown
from satmodels.survey.scale import Spec

# attractive, one-dimensional, must-be, indifferent, reverse, questionable: the order of every table
CATEGORIES = ("A", "O", "M", "I", "R", "Q")
CATEGORY_NAMES = {
    "A": "attractive",
    "O": "one-dimensional",
    "M": "must-be",
    "I": "indifferent",
    "R": "reverse",
    "Q": "questionable",
}
MAX_SIZE = 11


class KanoTable(Spec):
    """An evaluation table, checked.

    Parameters
    ----------
    rows : sequence of str
        One text per functional answer from like to dislike; one letter per dysfunctional answer:
        A attractive, O one-dimensional, M must-be, I indifferent, R reverse, Q questionable. Blanks
        between the letters are allowed.
    name : str, default "own"
        What results call the table.

    Raises
    ------
    ArgumentError
        The table is not square, has other letters, or contradicts the method: like / dislike must be
        one-dimensional, must-be can't stand in the first row (who likes it to be there does not merely
        expect it), nor attractive in the last column.

    Examples
    --------
    >>> import satmodels as sat
    >>> short = sat.KanoTable(["A A O", "I I M", "I I M"], name="three levels")
    >>> short.size, short.category(1, 3)
    (3, 'O')
    """

    rows: tuple[str, ...]
    name: str = "own"

    def __init__(self, rows: Any, name: str = "own", **more: Any) -> None:
        super().__init__(rows=rows, name=name, **more)

    @field_validator("rows", mode="before")
    @classmethod
    def _without_blanks(cls, rows: Any) -> Any:
        if isinstance(rows, str):
            raise ValueError("give one text per functional answer")
        return tuple("".join(row.split()) if isinstance(row, str) else row for row in rows)

    @model_validator(mode="after")
    def _consistent(self) -> KanoTable:
        size = len(self.rows)
        if not 2 <= size <= MAX_SIZE or any(len(row) != size for row in self.rows):
            raise ValueError(f"the table is square, 2 to {MAX_SIZE} answers each way; given {self.rows!r}")
        if odd := sorted({letter for row in self.rows for letter in row} - set(CATEGORIES)):
            raise ValueError(f"categories are {', '.join(CATEGORIES)}; given {odd}")
        if self.rows[0][-1] != "O":
            raise ValueError(
                f"like / dislike (first row, last column) is one-dimensional, O, not {self.rows[0][-1]!r}: "
                "rows run from like to dislike, and so do columns"
            )
        if "M" in self.rows[0] or any(row[-1] == "A" for row in self.rows):
            raise ValueError(
                "M in the first row or A in the last column: rows are the functional answers, columns the "
                "dysfunctional ones; this table looks transposed"
            )
        return self

    @property
    def size(self) -> int:
        """Number of answers of each question."""
        return len(self.rows)

    @checked
    def category(self, functional: int, dysfunctional: int) -> str:
        """Return the category of a pair of answer codes (1 = like)."""
        for code in (functional, dysfunctional):
            if code not in range(1, self.size + 1):
                raise ArgumentError(f"answer {code!r} is no code from 1 to {self.size}")
        return self.rows[functional - 1][dysfunctional - 1]

    @checked
    def count(self, joint: NDArray[Any]) -> NDArray[np.float64]:
        """Add pair counts (..., size, size) up to categories (..., 6) in the order A, O, M, I, R, Q."""
        letters = np.array([list(row) for row in self.rows])
        if joint.shape[-2:] != letters.shape:
            raise ArgumentError(
                f"pair counts of the shape {joint.shape} don't fit a table of {letters.shape}"
            )
        return np.stack([joint[..., letters == c].sum(axis=-1) for c in CATEGORIES], axis=-1)


# Kano et al. (1984) as printed in Berger et al. (1993); Pouliot's version also questions the pairs
# must-be / must-be and live-with / live-with (same place)
TABLES: dict[str, KanoTable] = {
    "standard": KanoTable(["QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ"], name="standard"),
    "pouliot": KanoTable(["QAAAO", "RQIIM", "RIIIM", "RIIQM", "RRRRQ"], name="pouliot"),
    "three_level": KanoTable(["AAO", "IIM", "IIM"], name="three_level"),
}


def as_table(table: str | KanoTable) -> KanoTable:
    """Return a table given by name or as it is."""
    if isinstance(table, KanoTable):
        return table
    if not isinstance(table, str):
        raise ArgumentError(f"table={table!r}: name one of {list(TABLES)}, or make an own KanoTable(rows)")
    if table not in TABLES:
        raise unknown("Kano table", table, TABLES)
    return TABLES[table]

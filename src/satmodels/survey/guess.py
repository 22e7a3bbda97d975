"""Guess a survey from its answers, and say what was guessed and why."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from satmodels.errors import ArgumentError
from satmodels.intake.cells import count_cells
from satmodels.intake.frames import Frame, open_frame
from satmodels.intake.rules import ISO_DATE, is_missing
from satmodels.survey.check import USUAL_MISSING_CODES
from satmodels.survey.items import Choice, Code, Date, Item, Number, Rating, Recommend, Text
from satmodels.survey.ordered import RECOMMEND
from satmodels.survey.scale import Scale, Wording
from satmodels.survey.survey import Survey

USUAL_SCALES = ((1, 5), (1, 7), (1, 10), (0, 10))  # the first that holds all answers is taken
MAX_OPTIONS = 30  # a text column with more distinct answers is free text
MANY = 5_000  # a column with more distinct values is an amount, an id or free text
RESPONDENT = re.compile(
    r"^(id|uid|.*(respondent|customer|response|person|case|user|member).*)$", re.IGNORECASE
)
WEIGHT = re.compile(r"^(w|wt|pw|weights?|.*_weight|weight_.*)$", re.IGNORECASE)
_ISO = re.compile(ISO_DATE)


def guess_survey(
    data: Any,
    name: str = "survey",
    *,
    texts: Mapping[str, Wording] | None = None,
    leave_out: Sequence[str] = (),
) -> Survey:
    """Guess the survey behind a frame of answers; see :meth:`Survey.from_frame`."""
    frame = open_frame(data)
    items: list[Item] = []
    notes: list[str] = []
    respondent: str | None = None
    weight: str | None = None
    n_rows = frame.n_rows()
    for column in frame.columns:
        if column in leave_out:
            continue
        values = distinct_values(frame, column)
        unique = values is None or (len(values) == n_rows and None not in values)
        if respondent is None and RESPONDENT.match(column) and unique and n_rows > 1:
            respondent = column
            notes.append(f"{column}: the respondent, by its name and because no value is there twice")
            continue
        if weight is None and WEIGHT.match(column) and _all_numbers(values):
            weight = column
            notes.append(f"{column}: survey weights, by its name")
            continue
        item, why = guess_item(column, values, (texts or {}).get(column), n_rows)
        items.append(item)
        notes.append(f"{column}: {why}")
    if not items:
        raise ArgumentError("there is no column that could be an item")
    return Survey(name, items, respondent=respondent, weight=weight, notes=notes)


def distinct_values(frame: Frame, column: str) -> list[Any] | None:
    """Return the distinct values of a column, None where there are too many to matter."""
    try:
        keys = count_cells(frame, [column]).keys
    except (ArgumentError, TypeError):
        return None
    return None if len(keys) > MANY else [None if is_missing(k[0]) else k[0] for k in keys]


def guess_item(
    column: str, values: list[Any] | None, text: Wording | None = None, n_rows: int | None = None
) -> tuple[Item, str]:
    """Guess the item of one column from its distinct values, and say why."""
    if values is None:
        return _many(column, text)
    known = [v for v in values if v is not None]
    if not known:
        return Text(column, text), "free text, because no answer is there"
    if all(isinstance(v, bool) for v in known):
        return Choice(column, {0: "False", 1: "True"}, text), "a choice of yes and no"
    if _all_numbers(known):
        return _numbers(column, [float(v) for v in known], text)
    if all(isinstance(v, date) or (isinstance(v, str) and _ISO.fullmatch(v)) for v in known):
        return Date(column, text=text), "dates"
    if all(isinstance(v, str) for v in known):
        # options are chosen again and again; texts that hardly repeat were written freely
        if len(known) <= MAX_OPTIONS and (n_rows is None or 2 * len(known) <= n_rows):
            return Choice(column, sorted(known), text), f"a choice, with {len(known)} different answers"
        return Text(column, text), f"free text, with {len(known)} different answers"
    return Text(column, text), "free text, because the answers are of several types"


def _many(column: str, text: Wording | None) -> tuple[Item, str]:
    return Text(column, text), f"free text, with more than {MANY:,} different answers: correct it for amounts"


def _numbers(column: str, known: list[float], text: Wording | None) -> tuple[Item, str]:
    whole = all(math.isfinite(v) and v == int(v) for v in known)
    if not whole:
        return Number(column, text=text), "a number, because some answers are not whole"
    codes = sorted(int(v) for v in known)
    for low, high in _scales_for(column, text):
        missing = [c for c in codes if not low <= c <= high]
        answers = [c for c in codes if low <= c <= high]
        if len(answers) > 1 and all(c in USUAL_MISSING_CODES for c in missing):
            if set(answers) <= {0, 1}:
                break
            more: dict[str, Any] = {"missing_codes": {c: "missing" for c in missing}} if missing else {}
            said = f"answers from {answers[0]} to {answers[-1]}" + (
                f", and {missing} as codes for missing answers" if missing else ""
            )
            if (low, high) == (0, 10) and RECOMMEND.search(f"{column} {text or ''}"):
                return Recommend(column, text, **more), f"the NPS question, by its name and {said}"
            return Rating(column, Scale(low, high), text, **more), f"a rating {low}..{high}, with {said}"
    if set(codes) <= {0, 1}:
        options: dict[Code, Wording] = {0: "0", 1: "1"}
        return Choice(column, options, text), "a choice of 0 and 1"
    return Number(column, text=text, integer=True), f"a whole number, from {codes[0]} to {codes[-1]}"


def _scales_for(column: str, text: Wording | None) -> tuple[tuple[int, int], ...]:
    if RECOMMEND.search(f"{column} {text or ''}"):
        return ((0, 10), *USUAL_SCALES)
    return USUAL_SCALES


def _all_numbers(values: list[Any] | None) -> bool:
    known = [v for v in values or () if v is not None]
    return bool(known) and all(not isinstance(v, bool | str) and isinstance(v, int | float) for v in known)

"""Guess a survey from its answers, and say what was guessed and why."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from itertools import groupby
from typing import Any

from satmodels.errors import ArgumentError
from satmodels.intake.cells import count_cells
from satmodels.intake.frames import Frame, open_frame
from satmodels.intake.rules import ISO_DATE, is_missing
from satmodels.survey.check import USUAL_MISSING_CODES
from satmodels.survey.guess_texts import guess_texts
from satmodels.survey.items import Choice, Code, Date, Item, MultiChoice, Number, Rating, Recommend, Text
from satmodels.survey.ordered import RECOMMEND
from satmodels.survey.scale import Scale, Wording
from satmodels.survey.survey import Survey

USUAL_SCALES = ((1, 5), (1, 7), (1, 10))  # the first that holds all answers is taken
FROM_ZERO = ((0, 4), (0, 10))
MANY = 5_000  # a column with more distinct values is an amount, an id or free text
MANY_IDS = 30  # an id that is there twice still has many values; with few it is a segment
FEW_ROWS = 20  # with fewer, answers of 1 and 2 alone may well be from a longer scale
# names of columns that tell respondents apart
_WHO = "respondent|customer|client|participant|person|user|member|case|record|response|interview"
RESPONDENT = re.compile(
    rf"^((.*[_\W])?(id|uid|uuid|guid)|({_WHO})s?[_\W]?(id|no|nr|num|number|code|key)?|"
    "编号|序号|.*(客户|用户|受访者|问卷)(编号|号|码)?)$",
    re.IGNORECASE,
)
CAMEL_ID = re.compile(r"^.*[a-z](ID|Id)$")  # ResponseId, and not "paid"
WEIGHT = re.compile(r"^(w|wt|pw|weights?|.*_weight|weight_.*|权重)$", re.IGNORECASE)
BODY = re.compile(r"body|_kg$|_lbs?$", re.IGNORECASE)
# what is counted, even where the counts look like a scale
COUNTED = re.compile(
    r"(^|[_\W])(n|num|number|count|cnt|qty|quantity|age|years?|months?|days?|weeks?|hours?|minutes?|seconds|visits|"
    r"orders|purchases|children|kids|household)($|[_\W])|年龄|次数|人数|数量|月份|年份|天数",
    re.IGNORECASE,
)
QUESTION = re.compile(
    r"^(q|item|v|var|question|frage|s)[_.]?[0-9]|rating|score|satisf|csat|likel|满意|评分|打分", re.IGNORECASE
)
FLAGS = ("is", "has", "was", "did", "flag")  # prefixes of columns that belong to no common question
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
        values, n = distinct_values(frame, column)
        unique = values is None or (len(values) == n_rows and None not in values)
        is_id = RESPONDENT.match(column) or CAMEL_ID.match(column)
        if is_id and n_rows > 1 and not (values and _any_fraction(values)):
            if respondent is None and unique:
                respondent = column
                notes.append(f"{column}: the respondent, by its name and because no value is there twice")
                continue
            if not unique and values and len(values) > MANY_IDS:
                notes.append(
                    f"{column}: left out; an id by its name, but some values are there twice. Declare it as "
                    "respondent=, with wave=, if it tells respondents apart"
                )
                continue
        if weight is None and WEIGHT.match(column) and not BODY.search(column) and _all_numbers(values):
            weight = column
            notes.append(f"{column}: survey weights, by its name")
            continue
        if values and all(isinstance(v, time | timedelta) for v in values if v is not None) and n:
            notes.append(
                f"{column}: left out; times, which no item has a type for: write them as numbers or texts"
            )
            continue
        item, why = guess_item(column, values, (texts or {}).get(column), n)
        items.append(item)
        notes.append(f"{column}: {why}")
    items, notes = _several(items, notes, texts or {})
    if not items:
        raise ArgumentError("there is no column that could be an item")
    return Survey(name, items, respondent=respondent, weight=weight, notes=notes)


def distinct_values(frame: Frame, column: str) -> tuple[list[Any] | None, int]:
    """Return the distinct values of a column, None where there are too many to matter, and how many answered."""
    try:
        cells = count_cells(frame, [column])
    except (ArgumentError, TypeError):
        return None, frame.n_rows()
    values = [None if is_missing(k[0]) else k[0] for k in cells.keys]
    answered = sum(int(n) for v, n in zip(values, cells.n, strict=True) if v is not None)
    return (None if len(values) > MANY else values), answered


def guess_item(
    column: str, values: list[Any] | None, text: Wording | None = None, n: int | None = None
) -> tuple[Item, str]:
    """Guess the item of one column from its distinct values and its number of answers, and say why."""
    if values is None:
        return _many(column, text)
    known = [v for v in values if v is not None]
    if not known:
        return Text(column, text), "free text, because no answer is there"
    if all(isinstance(v, bool) for v in known):
        return Choice(column, {0: "False", 1: "True"}, text), "a choice of yes and no"
    if _all_numbers(known):
        return _numbers(column, [float(v) for v in known], text, n)
    if all(isinstance(v, date) or (isinstance(v, str) and _ISO.fullmatch(v)) for v in known):
        return Date(column, text=text), "dates"
    if all(isinstance(v, str) or (isinstance(v, int | float) and not isinstance(v, bool)) for v in known):

        def numbers(codes: list[int]) -> tuple[Item, str]:
            return _numbers(column, [float(c) for c in codes], text, n)

        return guess_texts(column, known, text, n, numbers)
    return Text(column, text), "free text, because the answers are of several types"


def _many(column: str, text: Wording | None) -> tuple[Item, str]:
    return Text(column, text), f"free text, with more than {MANY:,} different answers: correct it for amounts"


def _numbers(column: str, known: list[float], text: Wording | None, n: int | None) -> tuple[Item, str]:
    whole = all(math.isfinite(v) and v == int(v) for v in known)
    if not whole:
        return Number(column, text=text), "a number, because some answers are not whole"
    codes = sorted(int(v) for v in known)
    missing = [c for c in codes if c in USUAL_MISSING_CODES]
    answers = [c for c in codes if c not in missing]
    if set(answers) <= {0, 1} and answers:
        options: dict[Code, Wording] = {0: "0", 1: "1"}
        more: dict[str, Any] = {"missing_codes": {c: "missing" for c in missing}} if missing else {}
        return Choice(column, options, text, **more), "a choice of 0 and 1" + _and_missing(missing)
    scale = None if len(answers) < 2 else _scale(column, answers, text)
    if scale is not None:
        low, high = scale
        more = {"missing_codes": {c: "missing" for c in missing}} if missing else {}
        said = f"answers from {answers[0]} to {answers[-1]}{_and_missing(missing)}"
        if answers == [1, 2] and (n or 0) >= FEW_ROWS and not RECOMMEND.search(f"{column} {text or ''}"):
            return Choice(column, {1: "1", 2: "2"}, text, **more), "a choice of 1 and 2" + _and_missing(
                missing
            )
        unused = [c for c in (low, high) if c not in answers]
        said += f"; nobody chose {' or '.join(map(str, unused))}" if unused and (n or 0) >= FEW_ROWS else ""
        if (low, high) == (0, 10) and RECOMMEND.search(f"{column} {text or ''}"):
            return Recommend(column, text, **more), f"the NPS question, by its name and {said}"
        return Rating(column, Scale(low, high), text, **more), f"a rating {low}..{high}, with {said}"
    if len(codes) == 1:
        return Number(column, text=text, integer=True), f"a whole number, always {codes[0]}"
    why = f"a whole number, from {codes[0]} to {codes[-1]}"
    return Number(column, text=text, integer=True), why + (
        ", counted by its name" if COUNTED.search(column) else ""
    )


def _and_missing(missing: list[int]) -> str:
    return f", and {missing} as codes for missing answers" if missing else ""


def _scale(column: str, answers: list[int], text: Wording | None) -> tuple[int, int] | None:
    """Return the shortest usual scale that holds all answers, None if they are no ratings."""
    asked = f"{column} {text or ''}"
    if RECOMMEND.search(asked):
        return (0, 10) if answers[0] >= 0 and answers[-1] <= 10 else None
    if COUNTED.search(column):
        return None
    if answers[0] == 0:
        # counts start at 0 as well: a scale from 0 must be used up to its end, or be asked for
        low, high = FROM_ZERO[0] if answers[-1] <= FROM_ZERO[0][1] else FROM_ZERO[1]
        question = text is not None or QUESTION.search(column) is not None
        used = answers[-1] == high and (high > FROM_ZERO[0][1] or question)
        return (low, high) if answers[-1] <= high and (used or question) else None
    return next(
        ((low, high) for low, high in USUAL_SCALES if low <= answers[0] and answers[-1] <= high), None
    )


def _all_numbers(values: list[Any] | None) -> bool:
    known = [v for v in values or () if v is not None]
    return bool(known) and all(not isinstance(v, bool | str) and isinstance(v, int | float) for v in known)


def _any_fraction(values: list[Any]) -> bool:
    return any(isinstance(v, float) and v != int(v) for v in values if v is not None and v == v)


def _several(
    items: list[Item], notes: list[str], texts: Mapping[str, Wording]
) -> tuple[list[Item], list[str]]:
    """Put columns of 0 and 1 that follow each other and are named alike together as one question."""

    def question(item: Item) -> str:
        prefix, _, code = item.name.rpartition("_")
        is_mark = isinstance(item, Choice) and item.codes == (0, 1) and not item.missing_codes
        return prefix if is_mark and prefix and code and prefix.lower() not in FLAGS else f"\0{item.name}"

    said = {note.split(": ", 1)[0]: note for note in notes}
    names = {item.name for item in items}
    found: list[Item] = []
    for prefix, group in groupby(items, key=question):
        marks = list(group)
        columns = [m.name for m in marks]
        if len(marks) < 2 or prefix in names:
            found += marks
            continue
        labels, asked = _labels(columns, texts)
        codes = [c.rpartition("_")[2] for c in columns]
        whole = all(re.fullmatch("0|[1-9][0-9]{0,8}", c) for c in codes)
        options: dict[Code, Wording] = {
            (int(c) if whole else c): label or c for c, label in zip(codes, labels, strict=True)
        }
        found.append(MultiChoice(prefix, options, asked))
        why = f"an answer to {prefix!r}, which takes several: 0 and 1, in columns named alike"
        said |= {c: f"{c}: {why}" for c in columns}
    return found, list(said.values())


def _labels(columns: Sequence[str], texts: Mapping[str, Wording]) -> tuple[list[str | None], str | None]:
    """Return what the texts of columns do not share, and what they share: the options and the question."""
    known = [texts.get(c) for c in columns]
    told = [t for t in known if isinstance(t, str)]
    if len(told) < len(columns):
        return [None] * len(columns), None
    first, last = min(told), max(told)  # what these two share, all share
    same = next(
        (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last))
    )
    shared = first[:same]
    shared = shared[: max(shared.rfind(" "), shared.rfind("-"), shared.rfind(":")) + 1]
    own = [t[len(shared) :].strip(" -:") for t in told]
    if len(set(own)) < len(own) or not all(own):
        return [None] * len(columns), told[0] if len(set(told)) == 1 else None
    return list(own), shared.strip(" -:") or None

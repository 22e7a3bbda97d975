"""The CSV export of Qualtrics with its three header rows, alone or with the questionnaire's QSF file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from satmodels.intake.rules import ISO_DATE
from satmodels.survey.guess import guess_survey
from satmodels.survey.items import Choice, Date, Item, MultiChoice, Number, Text
from satmodels.survey.labelled import read_text_table, typed
from satmodels.survey.qsf import Asked, plain, read_qsf
from satmodels.survey.scale import Wording
from satmodels.survey.survey import Survey

HEADER_ROWS = 2  # below the column names: the questions, and the import ids
# what Qualtrics records about the interview, by import id or by column; not part of the questionnaire
RESPONDENT = ("_recordid", "responseid")
DATE = ("recordeddate", "enddate")
RECORDED = (
    *RESPONDENT,
    *DATE,
    "startdate",
    "status",
    "progress",
    "duration",
    "duration (in seconds)",
    "finished",
    "responsesetid",
    "responseset",
    "externaldatareference",
    "externalreference",
    "distributionchannel",
    "userlanguage",
)
# what points at a person: left out of the frame
PERSONAL = (
    "ipaddress",
    "recipientlastname",
    "recipientfirstname",
    "recipientemail",
    "emailaddress",
    "locationlatitude",
    "locationlongitude",
    "locationaccuracy",
)
SEEN = "-99"  # what Qualtrics exports, where asked to, for a question that was seen and not answered
_KEY = re.compile(r"""^\s*[{]\s*["']ImportId["']\s*:""")
_FIELD = re.compile(r"""["'](ImportId|choiceId)["']\s*:\s*["']([^"']*)["']""")
_ISO = re.compile(ISO_DATE)


def is_qualtrics(path: Path) -> bool:
    """Say whether a CSV file has the import ids of Qualtrics in its third row, or is an export from before them."""
    table = read_text_table(path, rows=HEADER_ROWS)
    return _is_legacy(table) or (len(table) == HEADER_ROWS and _KEY.match(str(table.iloc[1, 0])) is not None)


def _is_legacy(table: Any) -> bool:
    """Say whether the columns about the interview are called V1, V2, ..., with their names in the second row."""
    return len(table) > 0 and table.columns[0] == "V1" and str(table.iloc[0, 0]).lower() == "responseid"


def _headed(path: Path) -> tuple[Any, dict[str, Wording], dict[str, str]]:
    """Return the answers as texts, the question and the import id of each column."""
    raw = read_text_table(path)
    legacy = _is_legacy(raw)
    if legacy:
        names = {
            c: str(t) for c, t in raw.iloc[0].items() if re.fullmatch("V[0-9]+", c) and isinstance(t, str)
        }
        empty = [c for c in raw.columns if c.startswith("Unnamed: ") and raw[c].isna().all()]
        raw = raw.drop(columns=empty).rename(columns=names)
    texts: dict[str, Wording] = {c: plain(t) for c, t in raw.iloc[0].items() if isinstance(t, str)}
    if legacy:
        # there "Name" is that of the respondent
        keys = {str(c): "recipientLastName" if c == "Name" else "" for c in raw.columns}
    else:
        keys = {str(c): _key(v) for c, v in raw.iloc[1].items()}
    return raw.iloc[1 if legacy else HEADER_ROWS :].reset_index(drop=True), texts, keys


def read_qualtrics(path: Path, qsf: Path | None = None) -> tuple[Survey, Any]:
    """Read a Qualtrics CSV export; with the QSF file options, scales and labels are known, not guessed."""
    frame, texts, keys = _headed(path)
    notes: list[str] = []
    recorded = {c: {key.rsplit("_", 1)[-1].lower(), key.lower(), c.lower()} for c, key in keys.items()}
    personal = [c for c, names in recorded.items() if not names.isdisjoint(PERSONAL)]
    notes += [f"{c}: left out, because it points at a person" for c in personal]
    frame = frame.drop(columns=personal)
    known: list[Item] = []
    if qsf is not None:
        asked, left_out = read_qsf(qsf)
        notes += left_out
        frame, known, said = _matched(frame, keys, asked)
        notes += said
    # options with codes that are no numbers stay texts, all of them
    named = [i.name for i in known if isinstance(i, Choice) and isinstance(i.codes[0], str)]
    frame = typed(frame).assign(**{c: frame[c] for c in named})
    known, seen = _seen(frame, known)
    notes += seen
    chosen = [c for item in known for c in item.columns]
    about = [
        c for c in frame.columns if not recorded.get(c, set[str]()).isdisjoint(RECORDED) and c not in chosen
    ]
    guessed: dict[str, Item] = {}
    if any(c not in chosen and c not in about for c in frame.columns):
        survey = guess_survey(frame, path.stem, texts=texts, leave_out=[*chosen, *about])
        guessed = {item.name: item for item in survey.items}
        notes += survey.notes
        for item in survey.items:
            if isinstance(item, MultiChoice):
                marks = frame[list(item.columns)]
                # who marked any option did not mark the empty ones
                filled = marks.astype("Int64").mask(
                    marks.isna() & marks.notna().any(axis=1).to_numpy()[:, None], 0
                )
                frame = frame.assign(**{c: filled[c] for c in item.columns})
    notes += [f"{item.name}: {type(item).__name__}, by the QSF file" for item in known]
    return (
        Survey(
            path.stem,
            _in_order(frame.columns, [*known, *guessed.values()]),
            respondent=_column(RESPONDENT, recorded),
            date=_column(DATE, recorded),
            notes=notes,
        ),
        frame,
    )


def _key(value: Any) -> str:
    """Return an import id in one spelling: older exports write QID2-1, newer ones QID2_1 or a choice id apart."""
    found = dict(_FIELD.findall(str(value)))
    return "_".join(part for part in (found.get("ImportId"), found.get("choiceId")) if part).replace("-", "_")


def _column(wanted: Sequence[str], names: Mapping[str, set[str]]) -> str | None:
    return next((c for name in wanted for c, known in names.items() if name in known), None)


def _in_order(columns: Sequence[str], items: Sequence[Item]) -> list[Item]:
    place = {column: i for i, column in enumerate(columns)}
    return sorted(items, key=lambda item: min(place.get(c, len(place)) for c in item.columns))


def _matched(
    frame: Any, keys: Mapping[str, str], asked: Sequence[Asked]
) -> tuple[Any, list[Item], list[str]]:
    """Find the columns of every item by their import ids, or else by their names."""
    columns = {key: c for c, key in keys.items() if key and c in frame.columns}
    items: list[Item] = []
    notes: list[str] = []
    names: set[str] = set()
    for one in asked:
        if isinstance(one.item, MultiChoice):
            frame, item = _several(frame, one, one.item, columns)
        else:
            item = _single(frame, one, columns)
        if item is None or not names.isdisjoint(item.columns):
            continue
        names.update(item.columns)
        for column in item.columns:
            frame[column] = _labels(frame[column], one.texts)
        if isinstance(item, Date) and not all(_ISO.match(v) for v in frame[item.name].dropna()):
            item = Text(item.name, item.text)
            notes.append(f"{item.name}: a free text, because its dates are not written as 2026-12-31")
        items.append(item)
        if one.note:
            notes.append(f"{item.name}: {one.note}")
    return frame, items, notes


def _single(frame: Any, one: Asked, columns: Mapping[str, str]) -> Item | None:
    # older exports give texts without the id of their choice; newer ones give texts of text questions so
    key = one.keys[0]
    spellings = (key, key.removesuffix("_TEXT"), f"{key}_TEXT", re.sub(r"_[0-9]+_TEXT$", "_TEXT", key))
    if isinstance(one.item, Text) and re.search(r"_[0-9]+_TEXT$", key):
        spellings = (key, spellings[3])
    column = next((columns[k] for k in spellings if k in columns), None)
    if column is None:
        column = one.item.name if one.item.name in frame.columns else None
    return None if column is None else one.item.model_copy(update={"name": column})


def _several(
    frame: Any, one: Asked, item: MultiChoice, columns: Mapping[str, str]
) -> tuple[Any, Item | None]:
    """Spread a question with several answers over columns of 0 and 1."""
    there = [columns.get(key) for key in one.keys]
    if not any(there):
        there = [c if c in frame.columns else None for c in item.columns]
    joined = columns.get(one.joined or "") or (item.name if item.name in frame.columns else None)
    if any(there):
        marks = {c: [_mark(v) for v in frame[t]] for c, t in zip(item.columns, there, strict=True) if t}
        # a row without any mark was not answered; whether it was seen is not in the file
        answered = [any(m is not None for m in row) for row in zip(*marks.values(), strict=True)]
        new = {
            c: [
                int(bool(m)) if a else None
                for m, a in zip(marks.get(c, [None] * len(frame)), answered, strict=True)
            ]
            for c in item.columns
        }
        gone = [t for t in there if t]
    elif joined is not None:
        given = [None if v is None or v != v or v == SEEN else str(v) for v in frame[joined]]
        gone = [joined]
        new = {
            c: [None if g is None else int(_chosen(str(code), str(label), g)) for g in given]
            for (code, label), c in zip(item.options.items(), item.columns, strict=True)
        }
    else:
        return frame, None
    import pandas as pd

    place = frame.columns.get_loc(gone[0])
    before = [c for c in frame.columns[:place] if c not in gone]
    after = [c for c in frame.columns[place:] if c not in gone]
    frame = frame.assign(**{f"{c}": pd.array(v, dtype="Int64") for c, v in new.items()})
    return frame[[*before, *new, *after]], item


def _mark(value: Any) -> bool | None:
    """Say whether an option was chosen; None where its cell is empty."""
    if value is None or value != value or value == SEEN:
        return None
    return value != "0"


def _chosen(code: str, label: str, answer: str) -> bool:
    given = {part.strip() for part in answer.split(",")}
    # a label with a comma in it was torn apart with the answer
    return code in given or label in given or ("," in label and label in answer)


def _labels(series: Any, texts: Mapping[str, str]) -> Any:
    """Replace the texts by which an export may call a label: its markup, or its variable name."""
    if series.dtype.kind in "iufb" or str(series.dtype) == "Int64" or not texts:
        return series
    given: list[Any] = series.tolist()
    return type(series)(
        [texts.get(v, v) if isinstance(v, str) else v for v in given], index=series.index, dtype=object
    )


def _seen(frame: Any, items: Sequence[Item]) -> tuple[list[Item], list[str]]:
    """Declare -99, a question that was seen and not answered, as a missing code where it is exported."""
    found: list[Item] = []
    notes: list[str] = []
    for item in items:
        column = frame[item.name] if item.name in frame.columns else None
        answers: set[Any] = set(getattr(item, "options", None) or ())
        if column is None or isinstance(item, Date | MultiChoice) or int(SEEN) in answers:
            found.append(item)
            continue
        code = SEEN if column.dtype == object else int(SEEN)
        possible = isinstance(item, Number) and (item.low is None or item.low <= int(SEEN))
        if (column == code).any() and not possible:
            missing = {**(item.missing_codes or {}), code: "seen, not answered"}
            found.append(item.model_copy(update={"missing_codes": missing}))
            notes.append(f"{item.name}: {SEEN} means seen and not answered")
        else:
            found.append(item)
    return found, notes

"""Qualtrics: the CSV export with its three header rows, and the questionnaire's QSF file."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from satmodels.errors import ArgumentError
from satmodels.stored import read_json
from satmodels.survey.guess import guess_survey
from satmodels.survey.items import Choice, Code, Item, MultiChoice, Number, Rating, Recommend, Text
from satmodels.survey.labelled import read_text_table, typed
from satmodels.survey.scale import Scale, Wording
from satmodels.survey.survey import Survey

HEADER_ROWS = 2  # below the column names: the questions, and the import ids
IMPORT_ID = '{"ImportId"'
RESPONDENT, DATE = "ResponseId", "RecordedDate"
# what Qualtrics records about the interview; not part of the questionnaire
RECORDED = (
    "StartDate",
    "EndDate",
    "Status",
    "Progress",
    "Duration (in seconds)",
    "Finished",
    "RecordedDate",
    "ResponseId",
    "ExternalReference",
    "DistributionChannel",
    "UserLanguage",
)
# what points at a person: left out of the frame
PERSONAL = (
    "IPAddress",
    "RecipientLastName",
    "RecipientFirstName",
    "RecipientEmail",
    "LocationLatitude",
    "LocationLongitude",
)
_TAG = re.compile(r"<[^<>]{0,1000}>")


def is_qualtrics(path: Path) -> bool:
    """Say whether a CSV file has the import ids of Qualtrics in its third row."""
    table = read_text_table(path).head(HEADER_ROWS)
    return len(table) == HEADER_ROWS and str(table.iloc[1, 0]).startswith(IMPORT_ID)


def read_qualtrics(path: Path, qsf: Path | None = None) -> tuple[Survey, Any]:
    """Read a Qualtrics CSV export; with the QSF file options, scales and labels are known, not guessed."""
    raw = read_text_table(path)
    texts: dict[str, Wording] = {
        column: _plain(str(text)) for column, text in raw.iloc[0].items() if isinstance(text, str)
    }
    personal = [c for c in raw.columns if c in PERSONAL]
    frame = typed(raw.iloc[HEADER_ROWS:].reset_index(drop=True).drop(columns=personal))
    notes = [f"{c}: left out, because it points at a person" for c in personal]
    known = {} if qsf is None else _questions(read_qsf(qsf), set(frame.columns))
    chosen = {c for item in known.values() for c in item.columns}
    frame = _several(frame, known)
    recorded = [c for c in frame.columns if c in RECORDED]
    rest = [c for c in frame.columns if c not in chosen and c not in recorded]
    items: list[Item] = []
    if rest:
        guessed = guess_survey(frame, path.stem, texts=texts, leave_out=[*chosen, *recorded])
        by_name = {item.name: item for item in guessed.items}
        notes += guessed.notes
    else:
        by_name = {}
    done: set[str] = set()
    for column in frame.columns:
        item = next((i for i in known.values() if column in i.columns), by_name.get(column))
        if item is not None and item.name not in done:
            items.append(item)
            done.add(item.name)
    notes += [f"{name}: {type(item).__name__}, by the QSF file" for name, item in known.items()]
    survey = Survey(
        path.stem,
        items,
        respondent=RESPONDENT if RESPONDENT in frame.columns else None,
        date=DATE if DATE in frame.columns else None,
        notes=notes,
    )
    return survey, frame


def read_qsf(path: Path) -> list[dict[str, Any]]:
    """Return the questions of a QSF file."""
    document = read_json(path.read_bytes())
    elements: Any = document.get("SurveyElements") if isinstance(document, dict) else None
    if not isinstance(elements, list):
        raise ArgumentError(f"{path.name} is no QSF file: it has no SurveyElements")
    found: list[dict[str, Any]] = []
    for element in cast("list[Any]", elements):
        if isinstance(element, dict) and element.get("Element") == "SQ":
            payload = cast("dict[str, Any]", element).get("Payload")
            if isinstance(payload, dict):
                found.append(cast("dict[str, Any]", payload))
    return found


def survey_of_qsf(path: Path) -> Survey:
    """Read the questionnaire of a QSF file without answers."""
    items = list(_questions(read_qsf(path), None).values())
    if not items:
        raise ArgumentError(f"{path.name} has no question that satmodels knows")
    return Survey(path.stem, items)


def _questions(payloads: list[dict[str, Any]], columns: set[str] | None) -> dict[str, Item]:
    found: dict[str, Item] = {}
    for payload in payloads:
        for item in _items(payload):
            there = columns is None or any(c in columns for c in (item.name, *item.columns))
            if there:
                found[item.name] = item
    return found


def _items(payload: Mapping[str, Any]) -> list[Item]:
    tag = str(payload.get("DataExportTag") or payload.get("QuestionID") or "")
    kind, selector = payload.get("QuestionType"), str(payload.get("Selector", ""))
    text = _plain(str(payload.get("QuestionText", ""))) or None
    if not tag:
        return []
    if kind == "MC" and selector == "NPS":
        return [Recommend(tag, text)]
    if kind == "MC":
        options = _options(payload.get("Choices"), payload.get("RecodeValues"), payload.get("ChoiceOrder"))
        if not options:
            return []
        if selector.startswith("MA"):
            return [MultiChoice(tag, options, text)]
        return [Choice(tag, options, text)]
    if kind == "Matrix":
        return _matrix(payload, tag, text)
    if kind == "TE":
        return [Text(tag, text)]
    if kind in ("Slider", "CS"):
        return [
            Number(f"{tag}_{code}", text=f"{text or ''} {label}".strip())
            for code, label in _options(payload.get("Choices"), None, payload.get("ChoiceOrder")).items()
        ]
    return []


def _matrix(payload: Mapping[str, Any], tag: str, text: str | None) -> list[Item]:
    answers = _options(payload.get("Answers"), payload.get("RecodeValues"), payload.get("AnswerOrder"))
    codes = sorted(c for c in answers if isinstance(c, int))
    found: list[Item] = []
    for code, label in _options(payload.get("Choices"), None, payload.get("ChoiceOrder")).items():
        name, asked = f"{tag}_{code}", f"{text or ''} {label}".strip()
        if len(codes) == len(answers) > 1 and codes == list(range(codes[0], codes[-1] + 1)):
            labels: dict[int, Wording] = {c: answers[c] for c in codes}
            found.append(Rating(name, Scale(codes[0], codes[-1], labels), asked))
        elif answers:
            found.append(Choice(name, answers, asked))
    return found


def _options(given: Any, recode: Any, order: Any) -> dict[Code, Wording]:
    """Return ``{exported code: label}`` of the choices, in their order."""
    if isinstance(given, list):
        given = {str(i + 1): choice for i, choice in enumerate(cast("list[Any]", given))}
    if not isinstance(given, dict):
        return {}
    choices = cast("dict[str, Any]", given)
    recodes = cast("dict[str, Any]", recode) if isinstance(recode, dict) else {}
    keys = [str(k) for k in cast("list[Any]", order)] if isinstance(order, list) else list(choices)
    found: dict[Code, Wording] = {}
    for key in keys:
        choice = choices.get(key)
        if isinstance(choice, dict):
            code = str(recodes.get(key, key))
            label = _plain(str(cast("dict[str, Any]", choice).get("Display", key))) or key
            found[int(code) if re.fullmatch(r"-?[0-9]{1,9}", code) else code] = label
    return found


def _several(frame: Any, known: Mapping[str, Item]) -> Any:
    """Spread questions with several answers, exported as codes or labels with commas, over columns of 0 and 1."""
    for item in known.values():
        if not isinstance(item, MultiChoice):
            continue
        if item.name in frame.columns:
            answers = frame[item.name]
            new: dict[str, list[Any]] = {column: [] for column in item.columns}
            for answer in answers:
                given = None if answer is None or answer != answer else set(str(answer).split(","))
                for (code, label), column in zip(item.options.items(), item.columns, strict=True):
                    new[column].append(
                        None if given is None else int(_chosen(str(code), str(label), given, answer))
                    )
            frame = frame.drop(columns=[item.name]).assign(**new)
        else:
            for column in item.columns:
                if column in frame.columns:
                    # one column per option holds the label or the code where it was chosen
                    frame = frame.assign(**{column: frame[column].notna().astype(int)})
    return frame


def _chosen(code: str, label: str, given: set[str], answer: Any) -> bool:
    # a label with a comma in it was torn apart with the answer
    return code in given or label in given or ("," in label and label in str(answer))


def _plain(text: str) -> str:
    """Return a text without HTML tags and runs of blanks."""
    return " ".join(html.unescape(_TAG.sub(" ", text)).split())

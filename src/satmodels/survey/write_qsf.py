"""Write a survey as a QSF file, for the import of Qualtrics.

Each item becomes the question that asks it: recommendation the NPS question, ratings rows of a matrix (those
that follow each other with the same scale share one), choices multiple choice, numbers and dates text
entries with validation. Codes are kept as recode values, codes for missing answers as choices that Qualtrics leaves
out of its analysis, texts in several languages as translations.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from satmodels.survey.items import Choice, Code, Date, Item, MultiChoice, Number, Recommend
from satmodels.survey.qsf import LANGUAGES
from satmodels.survey.scale import Scale, Wording
from satmodels.survey.survey import Survey

ENGLISH = "en"  # language of texts that name none
BLOCK = "BL_1"


def write_qsf(survey: Survey, path: Path) -> None:
    """Write the questionnaire as a QSF file."""
    path.write_text(json.dumps(to_qsf(survey), ensure_ascii=False, indent=1), encoding="utf-8")


def to_qsf(survey: Survey) -> dict[str, Any]:
    """Return the questionnaire as a QSF document."""
    survey_id = f"SV_{survey.hash[:15]}"
    language = _main_language(survey)
    questions = [
        {**payload, "QuestionID": f"QID{i}"} for i, payload in enumerate(_payloads(survey, language), 1)
    ]

    def element(kind: str, first: str, second: str | None, payload: Any) -> dict[str, Any]:
        return {
            "SurveyID": survey_id,
            "Element": kind,
            "PrimaryAttribute": first,
            "SecondaryAttribute": second,
            "TertiaryAttribute": None,
            "Payload": payload,
        }

    asked = [{"Type": "Question", "QuestionID": q["QuestionID"]} for q in questions]
    blocks = [
        {"Type": "Default", "Description": survey.name, "ID": BLOCK, "BlockElements": asked},
        {"Type": "Trash", "Description": "Trash / Unused Questions", "ID": "BL_2"},
    ]
    flow = {
        "Flow": [{"ID": BLOCK, "Type": "Block", "FlowID": "FL_2"}],
        "Properties": {"Count": 2},
        "FlowID": "FL_1",
        "Type": "Root",
    }
    options = {
        "BackButton": "false",
        "SaveAndContinue": "true",
        "SurveyProtection": "PublicSurvey",
        "BallotBoxStuffingPrevention": "false",
        "NoIndex": "Yes",
        "SecureResponseFiles": "true",
        "SurveyExpiration": "None",
        "SurveyTermination": "DefaultMessage",
        "Header": "",
        "Footer": "",
        "ProgressBarDisplay": "None",
        "PartialData": "+1 week",
        "AvailableLanguages": {_code(c): [] for c in _languages(survey, language)},
    }
    return {
        "SurveyEntry": {
            "SurveyID": survey_id,
            "SurveyName": survey.name,
            "SurveyDescription": None,
            "SurveyLanguage": _code(language),
            "SurveyStatus": "Inactive",
            "Deleted": None,
        },
        "SurveyElements": [
            element("BL", "Survey Blocks", None, blocks),
            element("FL", "Survey Flow", None, flow),
            element("SO", "Survey Options", None, options),
            element("QC", "Survey Question Count", str(len(questions)), None),
            *(element("SQ", q["QuestionID"], q["QuestionText"][:100], q) for q in questions),
        ],
    }


def _code(language: str) -> str:
    return {iso: qualtrics for qualtrics, iso in LANGUAGES.items()}.get(language, language.upper())


def _wordings(survey: Survey) -> Iterable[Wording]:
    for item in survey.items:
        yield item.text or ""
        yield from getattr(item, "options", {}).values()
        for scale in item.scales.values():
            yield from (scale.labels or {}).values()


def _main_language(survey: Survey) -> str:
    known = [w for w in _wordings(survey) if isinstance(w, dict)]
    return ENGLISH if not known or any(ENGLISH in w for w in known) else next(iter(known[0]))


def _languages(survey: Survey, first: str) -> list[str]:
    known = (code for w in _wordings(survey) if isinstance(w, dict) for code in w)
    return list(dict.fromkeys((first, *known)))


def _payloads(survey: Survey, language: str) -> Iterable[dict[str, Any]]:
    """Yield the questions; ratings of one scale that follow each other are rows of one matrix."""
    columns: list[tuple[Item, str, Scale | None]] = [
        (item, column, item.scales.get(column)) for item in survey.items for column in _asked_columns(item)
    ]

    def recommends(item: Item, column: str) -> bool:
        # the NPS question has no room for "don't know"
        return isinstance(item, Recommend) and column == item.name and not _missing(survey, item)

    def matrix_of(entry: tuple[Item, str, Scale | None]) -> Any:
        item, column, scale = entry
        if scale is None or recommends(item, column):
            return column
        return (scale.model_dump_json(), item.required, tuple(_missing(survey, item)))

    number = 0
    for _, group in groupby(columns, key=matrix_of):
        entries = list(group)
        item, column, scale = entries[0]
        if scale is None:
            yield _question(survey, item, language)
        elif recommends(item, column):
            yield _nps(item, scale, language)
        else:
            number += 1
            yield _matrix(survey, f"matrix_{number}", entries, scale, language)


def _asked_columns(item: Item) -> tuple[str, ...]:
    return (item.name,) if isinstance(item, MultiChoice) else item.columns


def _missing(survey: Survey, item: Item) -> dict[Code, Wording]:
    """Return the numbered codes for missing answers of an item."""
    declared = {**survey.missing_codes, **(item.missing_codes or {})}
    kept = {c for column in _asked_columns(item) for c in _column_codes(survey, column)}
    return {c: w for c, w in declared.items() if isinstance(c, int) and c in kept}


def _column_codes(survey: Survey, column: str) -> tuple[Code, ...]:
    return survey.columns[column].missing if column in survey.columns else ()


def _text(wording: Wording | None, language: str, fallback: str) -> str:
    """Return a text in the main language, as HTML: that is what Qualtrics takes it for."""
    if isinstance(wording, dict):
        wording = wording.get(language) or next(iter(wording.values()), None)
    return html.escape(wording or fallback, quote=False)


def _translations(
    text: Wording | None, options: Mapping[str, Mapping[str, Wording]], language: str
) -> dict[str, Any] | list[Any]:
    found: dict[str, dict[str, Any]] = {}
    if isinstance(text, dict):
        for code, words in text.items():
            if code != language:
                found.setdefault(_code(code), {})["QuestionText"] = html.escape(words, quote=False)
    for field, choices in options.items():
        for key, wording in choices.items():
            for code, words in wording.items() if isinstance(wording, dict) else ():
                if code != language:
                    found.setdefault(_code(code), {}).setdefault(field, {})[key] = {
                        "Display": html.escape(words, quote=False)
                    }
    return found or []  # Qualtrics writes an empty object as a list


def _payload(
    tag: str,
    text: Wording | None,
    kind: str,
    selector: str,
    language: str,
    *,
    sub: str | None = None,
    required: bool = False,
    validation: Mapping[str, Any] | None = None,
    choices: Mapping[str, Wording] | None = None,
    answers: Mapping[str, Wording] | None = None,
    **more: Any,
) -> dict[str, Any]:
    words = _text(text, language, tag)
    found: dict[str, Any] = {
        "QuestionText": words,
        "DataExportTag": tag,
        "QuestionType": kind,
        "Selector": selector,
        "Configuration": {"QuestionDescriptionOption": "UseText"},
        "QuestionDescription": words[:100],
    }
    if sub is not None:
        found["SubSelector"] = sub
    options = {"Choices": choices, "Answers": answers}
    for field, given in options.items():
        if given is not None:
            found[field] = {key: {"Display": _text(w, language, key)} for key, w in given.items()}
            found[field.removesuffix("s") + "Order"] = list(given)
    settings = {"ForceResponse": "ON" if required else "OFF", "ForceResponseType": "ON", "Type": "None"}
    found["Validation"] = {"Settings": {**settings, **(validation or {})}}
    found["Language"] = _translations(text, {f: g for f, g in options.items() if g is not None}, language)
    return {**found, **more}


def _coded(
    options: Mapping[Code, Wording], missing: Mapping[Code, Wording]
) -> tuple[dict[str, Wording], dict[str, Any]]:
    """Return choices by number, and their recode values."""
    together = {**options, **missing}
    choices = {str(i): wording for i, wording in enumerate(together.values(), 1)}
    more: dict[str, Any] = {}
    if all(isinstance(code, int) for code in together):
        more["RecodeValues"] = {str(i): str(code) for i, code in enumerate(together, 1)}
    else:
        # a recode value is a number; texts are kept as the names of the variables
        more["VariableNaming"] = {str(i): str(code) for i, code in enumerate(together, 1)}
    if missing:
        more["AnalyzeChoices"] = {
            str(i): "No" if code in missing else "Yes" for i, code in enumerate(together, 1)
        }
    return choices, more


def _nps(item: Item, scale: Scale, language: str) -> dict[str, Any]:
    words = _payload(item.name, item.text, "MC", "NPS", language, required=item.required)
    ends = [{"Display": t, "IsLabelDefault": True} for t in ("Not at all likely", "Extremely likely")]
    return {
        **words,
        "Choices": [{"Display": str(code)} for code in scale.codes],
        "ChoiceOrder": [str(code) for code in scale.codes],
        "ColumnLabels": ends,
    }


def _matrix(
    survey: Survey, tag: str, entries: Sequence[tuple[Item, str, Scale | None]], scale: Scale, language: str
) -> dict[str, Any]:
    labels: dict[Code, Wording] = {c: (scale.labels or {}).get(c, str(c)) for c in scale.codes}
    answers, more = _coded(labels, _missing(survey, entries[0][0]))
    rows: dict[str, Wording] = {str(i): item.text or column for i, (item, column, _) in enumerate(entries, 1)}
    return _payload(
        tag,
        "\u00a0",  # the rows ask
        "Matrix",
        "Likert",
        language,
        sub="SingleAnswer",
        required=entries[0][0].required,
        choices=rows,
        answers=answers,
        ChoiceDataExportTags={str(i): column for i, (_, column, _) in enumerate(entries, 1)},
        **more,
    )


def _question(survey: Survey, item: Item, language: str) -> dict[str, Any]:
    if isinstance(item, Choice | MultiChoice):
        choices, more = _coded(item.options, _missing(survey, item) if isinstance(item, Choice) else {})
        selector = "SAVR" if isinstance(item, Choice) else "MAVR"
        return _payload(
            item.name,
            item.text,
            "MC",
            selector,
            language,
            sub="TX",
            required=item.required,
            choices=choices,
            **more,
        )
    content: dict[str, Any] = {}
    if isinstance(item, Number):
        limits = {"Min": item.low, "Max": item.high}
        content = {
            "Type": "ContentType",
            "ContentType": "ValidNumber",
            "ValidNumber": {
                **{k: "" if v is None else f"{v:g}" for k, v in limits.items()},
                "NumDecimals": "0" if item.integer else "",
            },
        }
    elif isinstance(item, Date):
        content = {"Type": "ContentType", "ContentType": "ValidDate", "ValidDateType": "DateWithFormat"}
    selector = "SL" if content else "ML"
    return _payload(
        item.name, item.text, "TE", selector, language, required=item.required, validation=content
    )

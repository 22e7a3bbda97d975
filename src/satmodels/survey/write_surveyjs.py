"""Write a survey as a SurveyJS questionnaire."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from satmodels.survey.items import Choice, Date, Item, KanoPair, MultiChoice, Number, Weighed
from satmodels.survey.kept import NAME
from satmodels.survey.scale import Scale, Wording
from satmodels.survey.survey import Survey

# signs of HTML, as JSON can write them too: shown by mistake, the text would be no more than text
HTML = (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"))


def to_surveyjs(survey: Survey) -> dict[str, Any]:
    """Return the questionnaire as SurveyJS JSON, with the survey itself kept beside the questions.

    It is kept as the text of an element that is never shown: SurveyJS drops properties that it does not know,
    and keeps such a text, whatever else is edited.
    """
    elements = [element for item in survey.items for element in _question(item)]
    kept = survey.to_json()
    for sign, escape in HTML:
        kept = kept.replace(sign, escape)
    hidden = {"type": "html", "name": NAME, "visible": False, "html": kept}
    return {"title": survey.name, "pages": [{"name": "page1", "elements": [*elements, hidden]}]}


def _question(item: Item) -> list[dict[str, Any]]:
    head: dict[str, Any] = {"name": item.name}
    if item.text is not None:
        head["title"] = _localised(item.text)
    if item.required:
        head["isRequired"] = True
    if isinstance(item, Weighed):
        asked = [{**head, "name": column, **_rate(scale)} for column, scale in item.scales.items()]
        if isinstance(item.importance, str):
            asked[-1].pop("title", None)  # the text asks for the answer, not for its importance
        return asked
    if isinstance(item, KanoPair):
        choices = [
            {"value": code, "text": _localised((item.scale.labels or {}).get(code, str(code)))}
            for code in item.scale.codes
        ]
        pair = [{**head, "name": c, "type": "radiogroup", "choices": choices} for c in item.columns[:2]]
        return pair + [{**head, "name": c, **_rate(item.importance_scale)} for c in item.columns[2:]]
    if isinstance(item, Choice | MultiChoice):
        choices = [{"value": c, "text": _localised(w)} for c, w in item.options.items()]
        return [
            {**head, "type": "radiogroup" if isinstance(item, Choice) else "checkbox", "choices": choices}
        ]
    if isinstance(item, Number):
        bounds = {k: v for k, v in (("min", item.low), ("max", item.high)) if v is not None}
        return [{**head, "type": "text", "inputType": "number", **bounds}]
    if isinstance(item, Date):
        return [{**head, "type": "text", "inputType": "date"}]
    return [{**head, "type": "comment"}]


def _rate(scale: Scale) -> dict[str, Any]:
    if not scale.labels:
        return {"type": "rating", "rateMin": scale.low, "rateMax": scale.high}
    values = [{"value": c, "text": _localised((scale.labels or {}).get(c, str(c)))} for c in scale.codes]
    return {"type": "rating", "rateValues": values}


def _localised(wording: Wording) -> str | dict[str, str]:
    if isinstance(wording, str):
        return wording
    # what SurveyJS calls default is English, and is shown where a language is missing
    found = {("default" if k == "en" else k): v for k, v in wording.items()}
    return found if "default" in found else {"default": next(iter(wording.values()), ""), **found}


def write_surveyjs(survey: Survey, path: Path) -> None:
    """Write the questionnaire as a SurveyJS JSON file."""
    path.write_text(json.dumps(to_surveyjs(survey), ensure_ascii=False, indent=2), encoding="utf-8")

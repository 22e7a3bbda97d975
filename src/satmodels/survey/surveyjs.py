"""SurveyJS: the JSON of a questionnaire, and the JSON of its answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from satmodels.errors import ArgumentError
from satmodels.stored import read_json
from satmodels.survey.items import (
    Choice,
    Code,
    Date,
    Item,
    KanoPair,
    MultiChoice,
    Number,
    Rating,
    Recommend,
    Text,
    Weighed,
)
from satmodels.survey.scale import Scale, Wording
from satmodels.survey.survey import Survey

DEFAULT_RATING = (1, 5)  # SurveyJS's own default
CONTAINERS = ("panel", "paneldynamic")
MAX_NESTING = 20


def is_surveyjs(document: Any) -> bool:
    """Say whether a JSON document is a SurveyJS questionnaire."""
    return isinstance(document, dict) and ("pages" in document or "elements" in document)


def read_surveyjs(document: Mapping[str, Any], name: str) -> Survey:
    """Read a SurveyJS questionnaire; conditions and expressions are left out, and noted."""
    items: list[Item] = []
    notes: list[str] = []
    for element in _elements(document, 0):
        found, note = _items(element)
        items += found
        if note:
            notes.append(f"{element.get('name', '?')}: {note}")
        if any(key in element for key in ("visibleIf", "requiredIf", "enableIf")):
            notes.append(f"{element.get('name', '?')}: its conditions are left out")
    if not items:
        raise ArgumentError("this SurveyJS questionnaire has no question that satmodels knows")
    return Survey(name, items, notes=notes)


def _elements(node: Mapping[str, Any], depth: int) -> Iterator[dict[str, Any]]:
    if depth > MAX_NESTING:
        raise ArgumentError(f"the panels of this questionnaire are nested deeper than {MAX_NESTING} levels")
    for key in ("pages", "elements", "questions", "templateElements"):
        children: Any = node.get(key, [])
        if not isinstance(children, list):
            raise ArgumentError(f"{key} of a SurveyJS questionnaire is a list")
        for child in cast("list[Any]", children):
            if not isinstance(child, dict):
                raise ArgumentError(f"{key} of a SurveyJS questionnaire holds objects")
            element = cast("dict[str, Any]", child)
            if key == "pages" or element.get("type") in CONTAINERS:
                yield from _elements(element, depth + 1)
            else:
                yield element


def _items(element: Mapping[str, Any]) -> tuple[list[Item], str]:
    kind, name = element.get("type"), element.get("name")
    if not isinstance(name, str):
        raise ArgumentError(f"a SurveyJS question without a name: {kind}")
    text = _wording(element.get("title"))
    more: dict[str, Any] = {"required": bool(element.get("isRequired", False))}
    if kind == "rating":
        return [_rating(element, name, text, more)], ""
    if kind in ("radiogroup", "dropdown", "buttongroup", "imagepicker"):
        return [Choice(name, _choices(element.get("choices", [])), text, **more)], ""
    if kind in ("checkbox", "tagbox"):
        return [MultiChoice(name, _choices(element.get("choices", [])), text, **more)], ""
    if kind == "boolean":
        return [Choice(name, {0: "false", 1: "true"}, text, **more)], ""
    if kind == "matrix":
        return _matrix(element, name, text, more), ""
    if kind == "text":
        wanted = element.get("inputType", "text")
        if wanted in ("number", "range"):
            return [Number(name, element.get("min"), element.get("max"), text, **more)], ""
        if wanted in ("date", "datetime", "datetime-local"):
            return [Date(name, text=text, **more)], ""
        return [Text(name, text, **more)], ""
    if kind == "comment":
        return [Text(name, text, **more)], ""
    if kind in ("html", "image", "expression"):
        return [], ""
    return [], f"a question of type {kind!r} is left out"


def _rating(element: Mapping[str, Any], name: str, text: Wording | None, more: dict[str, Any]) -> Item:
    labels: dict[int, Wording] = {}
    values: Any = element.get("rateValues")
    if values:
        options = _choices(values)
        codes = [c for c in options if isinstance(c, int)]
        if len(codes) < len(options) or sorted(codes) != list(range(min(codes), max(codes) + 1)):
            return Choice(name, options, text, **more)
        low, high = min(codes), max(codes)
        labels = {c: options[c] for c in codes if options[c] != str(c)}
    else:
        low = int(element.get("rateMin", DEFAULT_RATING[0]))
        high = int(element.get("rateMax", low + element.get("rateCount", DEFAULT_RATING[1]) - 1))
    for code, key in ((low, "minRateDescription"), (high, "maxRateDescription")):
        described = _wording(element.get(key))
        if described:
            labels.setdefault(code, described)
    if (low, high) == (0, 10) and not labels:
        return Recommend(name, text, **more)
    return Rating(name, Scale(low, high, labels or None), text, **more)


def _matrix(element: Mapping[str, Any], name: str, text: Wording | None, more: dict[str, Any]) -> list[Item]:
    columns = _choices(element.get("columns", []))
    found: list[Item] = []
    for code, label in _choices(element.get("rows", [])).items():
        asked = label if text is None or not isinstance(text, str) else f"{text} {label}"
        numbers = [c for c in columns if isinstance(c, int)]
        if len(numbers) == len(columns) > 1 and sorted(numbers) == list(
            range(min(numbers), max(numbers) + 1)
        ):
            scale = Scale(min(numbers), max(numbers), {c: columns[c] for c in numbers})
            found.append(Rating(f"{name}_{code}", scale, asked, **more))
        else:
            found.append(Choice(f"{name}_{code}", columns, asked, **more))
    return found


def _choices(given: Any) -> dict[Code, Wording]:
    found: dict[Code, Wording] = {}
    if not isinstance(given, list):
        raise ArgumentError("the choices of a SurveyJS question are a list")
    for choice in cast("list[Any]", given):
        if isinstance(choice, dict):
            option = cast("dict[str, Any]", choice)
            code = option.get("value")
            label = _wording(option.get("text")) or str(code)
        else:
            code, label = choice, str(choice)
        if isinstance(code, bool) or not isinstance(code, int | str):
            raise ArgumentError(f"a choice of a SurveyJS question has the value {code!r}")
        found[code] = label
    return found


def _wording(given: Any) -> Wording | None:
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, dict):
        texts = cast("dict[str, Any]", given)
        return {
            ("en" if k == "default" else str(k)): str(v) for k, v in texts.items() if str(v).strip()
        } or None
    raise ArgumentError(f"a text of a SurveyJS questionnaire is {type(given).__name__}")


def read_answers(path: Path, survey: Survey) -> Any:
    """Read SurveyJS answers, a JSON list of objects, as a pandas frame with the survey's columns."""
    import pandas as pd

    document = read_json(path.read_bytes())
    if not isinstance(document, list) or not all(
        isinstance(row, dict) for row in cast("list[Any]", document)
    ):
        raise ArgumentError(f"{path.name}: SurveyJS answers are a JSON list of objects")
    rows = cast("list[dict[str, Any]]", document)
    several = {item.name: item for item in survey.items if isinstance(item, MultiChoice)}
    flat: list[dict[str, Any]] = []
    for row in rows:
        record: dict[str, Any] = {}
        for name, value in row.items():
            if name in several and isinstance(value, list):
                chosen = cast("list[Any]", value)
                for code, column in zip(several[name].options, several[name].columns, strict=True):
                    record[column] = int(code in chosen)
            elif isinstance(value, dict):
                record |= {f"{name}_{part}": answer for part, answer in cast("dict[str, Any]", value).items()}
            else:
                record[name] = int(value) if isinstance(value, bool) else value
        flat.append(record)
    frame = pd.DataFrame(flat)
    return frame.reindex(columns=[*survey.columns, *(c for c in frame.columns if c not in survey.columns)])


def to_surveyjs(survey: Survey) -> dict[str, Any]:
    """Return the questionnaire as SurveyJS JSON."""
    elements = [element for item in survey.items for element in _question(item)]
    return {"title": survey.name, "pages": [{"name": "page1", "elements": elements}]}


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
    # SurveyJS calls the language of the survey "default"
    return {("default" if i == 0 else k): v for i, (k, v) in enumerate(wording.items())}


def write_surveyjs(survey: Survey, path: Path) -> None:
    """Write the questionnaire as a SurveyJS JSON file."""
    path.write_text(json.dumps(to_surveyjs(survey), ensure_ascii=False, indent=2), encoding="utf-8")

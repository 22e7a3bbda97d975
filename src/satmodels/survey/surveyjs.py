"""SurveyJS: the JSON of a questionnaire, and the JSON of its answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from satmodels.errors import ArgumentError
from satmodels.stored import read_json
from satmodels.survey.coded import coded_item, gapless
from satmodels.survey.items import (
    Choice,
    Code,
    Date,
    Item,
    MultiChoice,
    Number,
    Rating,
    Recommend,
    Text,
)
from satmodels.survey.kept import NAME, merge, read_kept
from satmodels.survey.ordered import RECOMMEND
from satmodels.survey.scale import Scale, Wording, distinct_labels, joined
from satmodels.survey.survey import Survey
from satmodels.survey.write_surveyjs import to_surveyjs

DEFAULT_RATING = (1, 5)  # SurveyJS's own default
SEPARATOR = "|"  # "low|The price is too low" is the value and the text of a choice
# what SurveyJS offers beside the choices: switch, value of the answer, its text
EXTRAS = (
    (("hasOther", "showOtherItem"), "other", "otherText"),
    (("hasNone", "showNoneItem"), "none", "noneText"),
    (("showRefuseItem",), "refused", "refuseText"),
    (("showDontKnowItem",), "dontknow", "dontKnowText"),
)
MISSING_EXTRAS = ("refused", "dontknow")
COMMENT = "-Comment"  # what an "other" answer is called
# the ends of a rating; older questionnaires have the second spelling
ENDS = (("minRateDescription", "mininumRateDescription"), ("maxRateDescription", "maximumRateDescription"))
MAX_NESTING = 20


def is_surveyjs(document: Any) -> bool:
    """Say whether a JSON document is a SurveyJS questionnaire."""
    return isinstance(document, dict) and any(k in document for k in ("pages", "elements", "questions"))


def read_surveyjs(document: Mapping[str, Any], name: str) -> Survey:
    """Read a SurveyJS questionnaire; conditions and expressions are left out, and noted.

    Where it keeps the survey that it was written from, that comes back, with what was edited since.
    """
    found = _read(document, name)
    hidden = [e for e in _elements(document, 0) if e.get("type") == "html" and e.get("name") == NAME]
    if not hidden:
        return found
    kept = read_kept(hidden[0].get("html"), name)
    written = _read(to_surveyjs(kept), name)
    merged = merge(kept, written.items, found.items)
    new = [n for n in found.notes if n not in written.notes]
    title = _wording(document.get("title"))
    update: dict[str, Any] = {"notes": (*merged.notes, *new)} if new else {}
    if isinstance(title, str) and title.strip() and title != kept.name:
        update["name"] = title
    return merged.model_copy(update=update) if update else merged


def _read(document: Mapping[str, Any], name: str) -> Survey:
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
    for key in ("pages", "elements", "questions"):
        children: Any = node.get(key, [])
        if not isinstance(children, list):
            raise ArgumentError(f"{key} of a SurveyJS questionnaire is a list")
        for child in cast("list[Any]", children):
            if not isinstance(child, dict):
                raise ArgumentError(f"{key} of a SurveyJS questionnaire holds objects")
            element = cast("dict[str, Any]", child)
            if key == "pages" or element.get("type") == "panel":
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
    if kind == "imagepicker" and element.get("multiSelect"):
        kind = "checkbox"
    if kind in ("radiogroup", "dropdown", "buttongroup", "imagepicker", "checkbox", "tagbox"):
        return _chosen(element, name, text, more, several=kind in ("checkbox", "tagbox"))
    if kind == "boolean":
        no, yes = _wording(element.get("labelFalse")), _wording(element.get("labelTrue"))
        return [Choice(name, {0: no or "false", 1: yes or "true"}, text, **more)], ""
    if kind == "matrix":
        return _matrix(element, name, text, more)
    if kind == "matrixdropdown":
        return _cells(element, name, text)
    if kind == "multipletext":
        parts = [_record(p) for p in _list(element.get("items"), "items")]
        return [i for p in parts for i in _items(_part(p, name, text))[0]], ""
    if kind in ("text", "slider"):
        wanted = element.get("inputType", "range" if kind == "slider" else "text")
        if wanted in ("number", "range"):
            low, high = _number(element.get("min")), _number(element.get("max"))
            if low is not None and high is not None and low > high:
                low = high = None
            return [Number(name, low, high, text, **more)], ""
        if wanted in ("date", "datetime", "datetime-local"):
            return [Date(name, text=text, **more)], ""
        return [Text(name, text, **more)], ""
    if kind == "comment":
        return [Text(name, text, **more)], ""
    if kind in ("html", "image", "expression"):
        return [], ""
    return [], f"a question of type {kind!r} is left out"


def _record(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ArgumentError(f"a part of a SurveyJS question is {type(value).__name__}, no object")
    return cast("dict[str, Any]", value)


def _list(value: Any, what: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ArgumentError(f"{what} of a SurveyJS question is a list")
    return cast("list[Any]", value)


def _number(value: Any) -> float | None:
    # a limit may be an expression
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _part(part: Mapping[str, Any], name: str, text: Wording | None) -> dict[str, Any]:
    """Return one line of a question of several texts as a question of its own."""
    asked = _wording(part.get("title")) or str(part.get("name"))
    return {**part, "type": "text", "name": f"{name}_{part.get('name')}", "title": joined(text, asked)}


def _chosen(
    element: Mapping[str, Any], name: str, text: Wording | None, more: dict[str, Any], *, several: bool
) -> tuple[list[Item], str]:
    options = _choices(element.get("choices", []))
    missing: dict[Code, Wording] = {}
    others: list[Item] = []
    for switches, code, label in EXTRAS:
        if any(element.get(s) for s in switches):
            known = _wording(element.get(label)) or code
            (missing if code in MISSING_EXTRAS and not several else options)[code] = known
            if code == "other":
                others.append(Text(f"{name}{COMMENT}", known))
    if not options:
        return [], "its choices are not in the questionnaire"
    # codes are numbers, or texts; "other" makes texts of all
    options = _alike(options)
    if missing:
        more = {**more, "missing_codes": missing}
    if several:
        return [MultiChoice(name, distinct_labels(options), text, **more), *others], ""
    item, note = coded_item(name, text, distinct_labels(options), **more)
    return [item, *others], note or ""


def _alike(options: Mapping[Code, Wording]) -> dict[Code, Wording]:
    if len({type(code) for code in options}) > 1:
        return {str(code): wording for code, wording in options.items()}
    return dict(options)


def _cells(element: Mapping[str, Any], name: str, text: Wording | None) -> tuple[list[Item], str]:
    """Read a matrix whose columns are questions of their own."""
    found: list[Item] = []
    notes: list[str] = []
    for code, row in _choices(element.get("rows", [])).items():
        for column in (_record(c) for c in _list(element.get("columns"), "columns")):
            asked = _wording(column.get("title")) or str(column.get("name"))
            kind = column.get("cellType") or element.get("cellType") or "dropdown"
            cell = {
                **column,
                "type": "dropdown" if kind == "default" else kind,
                "name": f"{name}_{code}_{column.get('name')}",
                "title": joined(joined(text, row), asked),
                "choices": column.get("choices") or element.get("choices") or [],
            }
            items, note = _items(cell)
            found += items
            notes += [f"column {column.get('name')!r}: {note}"] * bool(note)
    return found, "; ".join(dict.fromkeys(notes))


def _rating(element: Mapping[str, Any], name: str, text: Wording | None, more: dict[str, Any]) -> Item:
    labels: dict[int, Wording] = {}
    values: Any = element.get("rateValues")
    if values:
        options = _choices(values)
        codes = [c for c in options if isinstance(c, int)]
        if len(codes) < len(options) or not gapless(codes):
            return Choice(name, distinct_labels(_alike(options)), text, **more)
        low, high = min(codes), max(codes)
        labels = {c: options[c] for c in codes if options[c] != str(c)}
    else:
        low = element.get("rateMin", DEFAULT_RATING[0])
        count = element.get("rateCount", DEFAULT_RATING[1])
        ends = (low, count, element.get("rateMax", 0))
        if not all(isinstance(e, int) and not isinstance(e, bool) for e in ends):
            raise ArgumentError(f"the rating {name!r} of a SurveyJS questionnaire has the ends {ends}")
        high = element.get("rateMax", low + count - 1)
    for code, spellings in zip((low, high), ENDS, strict=True):
        described = next((w for key in spellings if (w := _wording(element.get(key)))), None)
        if described and described not in labels.values():
            labels.setdefault(code, described)
    if (low, high) == (0, 10) and not values and RECOMMEND.search(f"{name} {text or ''}"):
        return Recommend(name, text, **more)
    return Rating(name, Scale(low, high, labels or None), text, **more)


def _matrix(
    element: Mapping[str, Any], name: str, text: Wording | None, more: dict[str, Any]
) -> tuple[list[Item], str]:
    columns = distinct_labels(_alike(_choices(element.get("columns", []))))
    more = {
        "required": bool(
            element.get("isAllRowRequired") or element.get("eachRowRequired") or more["required"]
        )
    }
    found: list[Item] = []
    notes: list[str] = []
    for code, label in _choices(element.get("rows", [])).items():
        row, asked = f"{name}_{code}", joined(text, label)
        if element.get("cellType") == "checkbox":
            found.append(MultiChoice(row, columns, asked, **more))
            continue
        item, note = coded_item(row, asked, columns, is_scale=True, **more)
        found.append(item)
        notes += [note] if note else []
    return found, "; ".join(dict.fromkeys(notes))


def _choices(given: Any) -> dict[Code, Wording]:
    found: dict[Code, Wording] = {}
    for choice in _list(given, "choices"):
        label: Wording | None = None
        if isinstance(choice, dict):
            option = cast("dict[str, Any]", choice)
            code, label = option.get("value"), _wording(option.get("text"))
        elif isinstance(choice, str) and SEPARATOR in choice:
            code, label = choice.split(SEPARATOR, 1)
        else:
            code = choice
        if isinstance(code, float) and code.is_integer():
            code = int(code)
        if isinstance(code, bool) or not isinstance(code, int | str) or code == "":
            raise ArgumentError(f"a choice of a SurveyJS question has the value {code!r}")
        found[code] = label or str(code)
    return found


def _wording(given: Any) -> Wording | None:
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, dict):
        texts = cast("dict[str, Any]", given)
        known = {str(k): str(v) for k, v in texts.items() if str(v).strip()}
        # what is shown by default is English, or one of the other languages again
        if known.get("default") in [v for k, v in known.items() if k != "default"]:
            del known["default"]
        return {("en" if k == "default" else k): v for k, v in known.items()} or None
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
            _flatten(record, name, value, survey, several, 0)
        flat.append(record)
    frame = pd.DataFrame(flat)
    return frame.reindex(columns=[*survey.columns, *(c for c in frame.columns if c not in survey.columns)])


def _flatten(
    record: dict[str, Any],
    name: str,
    value: Any,
    survey: Survey,
    several: Mapping[str, MultiChoice],
    depth: int,
) -> None:
    """Lay the answer to one question into columns: of several options, and of the rows of a matrix."""
    if depth > MAX_NESTING:
        raise ArgumentError(f"the answer to {name!r} is nested deeper than {MAX_NESTING} levels")
    if name in several and isinstance(value, list):
        chosen = {str(v) for v in cast("list[Any]", value)}
        for code, column in zip(several[name].options, several[name].columns, strict=True):
            record[column] = int(str(code) in chosen)
    elif isinstance(value, dict):
        for part, answer in cast("dict[str, Any]", value).items():
            _flatten(record, f"{name}_{part}", answer, survey, several, depth + 1)
    elif isinstance(value, bool):
        record[name] = int(value)
    else:
        column = survey.columns.get(name)
        texts = (
            column is not None and isinstance(column.item, Choice) and isinstance(column.item.codes[0], str)
        )
        record[name] = str(value) if texts and isinstance(value, int) else value

"""The questionnaire of Qualtrics: a QSF file, read as items and the columns in which their answers are exported.

A QSF file is JSON: ``SurveyEntry`` (name, language) and ``SurveyElements``, of which the blocks (``BL``), the
flow (``FL``) and the questions (``SQ``) matter here. The order of the questions is that of the blocks in the
flow, not that of the file; questions in the block ``Trash`` are deleted ones.
"""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from satmodels.errors import ArgumentError
from satmodels.stored import read_json
from satmodels.survey.coded import coded_item
from satmodels.survey.items import Code, Date, Item, MultiChoice, Number, Recommend, Text
from satmodels.survey.scale import Wording, distinct_labels, joined
from satmodels.survey.survey import Survey

MAX_FLOW = 20_000  # elements of a survey flow
# Qualtrics writes languages its own way; what is not here is the ISO code in capitals
LANGUAGES: Mapping[str, str] = {"ZH-S": "zh", "ZH-T": "zh-Hant"}
# question types without an answer, or whose answers no item can hold
SILENT = ("DB",)
MULTIPLE_ANSWER = ("MAVR", "MAHR", "MACOL", "MSB")  # selectors of multiple choice with several answers
WHOLE = re.compile(r"-?[0-9]{1,9}")
_TAG = re.compile(r"<[^<>]{0,1000}>")
# tags within a line, which leave no blank behind them
_INLINE = re.compile(
    r"</?(?:a|b|big|em|font|i|small|span|strong|sub|sup|u)(?:\s[^<>]{0,1000})?>", re.IGNORECASE
)


@dataclasses.dataclass(frozen=True)
class Asked:
    """An item, and how an export names its columns.

    Attributes
    ----------
    item : Item
        The item; its columns bear the names that Qualtrics gives by default.
    keys : tuple of str
        The import id of each column of the item, for example ``"QID3_1"``.
    joined : str or None
        Import id of the one column that holds all answers with commas, where the item takes several.
    texts : dict
        Texts that an export may hold instead of a label: the label with its markup, or a variable name.
    note : str or None
        What was guessed or left out.
    unused : bool
        Whether the question lies in the trash or in no block of the flow.
    """

    item: Item
    keys: tuple[str, ...]
    joined: str | None = None
    texts: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])
    note: str | None = None
    unused: bool = False


def plain(text: str) -> str:
    """Return a text without HTML tags and runs of blanks."""
    return " ".join(html.unescape(_TAG.sub(" ", _INLINE.sub("", text))).split())


def survey_of_qsf(path: Path) -> Survey:
    """Read the questionnaire of a QSF file without answers."""
    asked, notes = read_qsf(path)
    used = [a for a in asked if not a.unused]
    if not used:
        raise ArgumentError(f"{path.name} has no question that satmodels knows")
    notes += [f"{a.item.name}: {a.note}" for a in used if a.note]
    return Survey(path.stem, [a.item for a in used], notes=notes)


def read_qsf(path: Path) -> tuple[list[Asked], list[str]]:
    """Return the items of a QSF file in the order in which they are asked, and notes on what was left out."""
    document = read_json(path.read_bytes())
    elements: Any = document.get("SurveyElements") if isinstance(document, dict) else None
    if not isinstance(elements, list):
        raise ArgumentError(f"{path.name} is no QSF file: it has no SurveyElements")
    entry = _record(cast("dict[str, Any]", document).get("SurveyEntry"))
    language = _language(str(entry.get("SurveyLanguage") or "EN"))
    parts = [_record(e) for e in cast("list[Any]", elements)]
    payloads = {
        str(_record(p.get("Payload")).get("QuestionID") or p.get("PrimaryAttribute") or f"#{i}"): _record(
            p.get("Payload")
        )
        for i, p in enumerate(parts)
        if p.get("Element") == "SQ"
    }
    order, logic = _order(parts)
    used = [q for q in order if q in payloads] if order else list(payloads)
    asked: list[Asked] = []
    notes: list[str] = []
    names: set[str] = set()
    for question in [*used, *(q for q in payloads if q not in used)]:
        payload = payloads[question]
        unused = question not in used
        found, note = _asked(question, payload, language)
        tag = str(payload.get("DataExportTag") or question)
        if note and not unused:
            notes.append(f"{tag}: {note}")
        if not unused and found and (question in logic or payload.get("DisplayLogic")):
            notes.append(f"{tag}: not everybody was asked; the conditions are left out")
        for one in found:
            item = one.item
            if names & {item.name, *item.columns}:
                # two questions may bear one export tag; their ids differ
                item = item.model_copy(update={"name": f"{item.name}_{question}"})
            if names.isdisjoint({item.name, *item.columns}):
                names |= {item.name, *item.columns}
                asked.append(dataclasses.replace(one, item=item, unused=unused))
    return asked, notes


def _record(value: Any) -> dict[str, Any]:
    """Return a JSON object; Qualtrics writes an empty one as an empty list."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    """Return a JSON list; Qualtrics writes some as objects with the keys 1, 2, ..."""
    if isinstance(value, dict):
        return list(cast("dict[str, Any]", value).values())
    return cast("list[Any]", value) if isinstance(value, list) else []


def _language(code: str) -> str:
    return LANGUAGES.get(code.upper(), code.lower())


def _order(parts: Sequence[Mapping[str, Any]]) -> tuple[list[str], set[str]]:
    """Return the questions in the order of the flow, and those that a branch or skip leaves out for some."""
    blocks: dict[str, list[str]] = {}
    trash: set[str] = set()
    skipping: set[str] = set()
    for part in parts:
        if part.get("Element") != "BL":
            continue
        for block in map(_record, _list(part.get("Payload"))):
            name = str(block.get("ID"))
            blocks[name] = []
            for element in map(_record, _list(block.get("BlockElements"))):
                if element.get("Type") == "Question":
                    blocks[name].append(str(element.get("QuestionID")))
            if block.get("Type") == "Trash":
                trash.add(name)
    visited: list[str] = []
    for part in parts:
        if part.get("Element") == "FL":
            for block, branched in _visits(_list(_record(part.get("Payload")).get("Flow"))):
                if block in blocks and block not in visited and block not in trash:
                    visited.append(block)
                    if branched:
                        skipping.update(blocks[block])
    shown = visited or [b for b in blocks if b not in trash]
    return [q for block in shown for q in blocks[block]], skipping


def _visits(flow: list[Any]) -> Iterator[tuple[str, bool]]:
    """Walk through a flow; yield each block and whether it lies within a branch."""
    waiting: list[tuple[Any, bool]] = [(node, False) for node in reversed(flow)]
    for _ in range(MAX_FLOW):
        if not waiting:
            return
        given, branched = waiting.pop()
        node = _record(given)
        if node.get("Type") in ("Block", "Standard"):
            yield str(node.get("ID")), branched
        within = branched or node.get("Type") == "Branch"
        waiting += [(child, within) for child in reversed(_list(node.get("Flow")))]
    raise ArgumentError(f"the flow of this QSF file has more than {MAX_FLOW:,} elements")


def _asked(question: str, payload: Mapping[str, Any], language: str) -> tuple[list[Asked], str | None]:
    """Return the items of one question, and a note on what was left out."""
    kind, selector = payload.get("QuestionType"), str(payload.get("Selector") or "")
    reader = _Question(question, payload, language)
    if kind == "MC":
        return reader.choice(selector), None
    if kind == "Matrix":
        return reader.matrix(selector, str(payload.get("SubSelector") or ""))
    if kind == "TE":
        return reader.entry(selector)
    if kind in ("Slider", "CS", "RO"):
        return reader.numbers(str(kind), selector), None
    if kind == "SBS":
        return _side_by_side(question, payload, language)
    return [], None if kind in SILENT else f"a question of type {str(kind)!r} is left out"


def _side_by_side(question: str, payload: Mapping[str, Any], language: str) -> tuple[list[Asked], str | None]:
    found: list[Asked] = []
    notes: list[str] = []
    for number, part in _record(payload.get("AdditionalQuestions")).items():
        column = dict(_record(part))
        column.setdefault("Choices", payload.get("Choices"))
        column.setdefault("ChoiceOrder", payload.get("ChoiceOrder"))
        column["QuestionText"] = f"{payload.get('QuestionText') or ''} {column.get('QuestionText') or ''}"
        column["DataExportTag"] = column.get("DataExportTag") or f"{payload.get('DataExportTag')}#{number}"
        items, note = _asked(str(column.get("QuestionID") or f"{question}#{number}"), column, language)
        found += items
        notes += [f"column {number}: {note}"] * bool(note)
    return found, "; ".join(notes) or None


class _Question:
    """One question of a QSF file."""

    def __init__(self, question: str, payload: Mapping[str, Any], language: str) -> None:
        self.id = question
        self.payload = payload
        self.language = language
        self.tag = str(payload.get("DataExportTag") or question)
        self.translations = {
            _language(code): _record(texts) for code, texts in _record(payload.get("Language")).items()
        }
        self.translations.pop(language, None)
        self.text = self._wording(payload.get("QuestionText"), lambda t: t.get("QuestionText"))
        if self.text == self.tag:
            self.text = None  # a question without a text is shown by its tag
        settings = _record(_record(payload.get("Validation")).get("Settings"))
        self.validation = settings
        self.more: dict[str, Any] = {"required": settings.get("ForceResponse") == "ON"}

    def _wording(self, given: Any, translated: Callable[[dict[str, Any]], Any]) -> Wording | None:
        text = plain(str(given)) if isinstance(given, str | int | float) else ""
        others = {code: translated(texts) for code, texts in self.translations.items()}
        known = {code: plain(t) for code, t in others.items() if isinstance(t, str) and plain(t)}
        if not known:
            return text or None
        return {self.language: text, **known} if text else known

    def _of_row(self, row: Wording | None) -> Wording | None:
        """Return the text of the question and of one of its rows together."""
        return joined(self.text, row, self.language)

    def _options(self, field: str) -> dict[str, dict[str, Any]]:
        """Return the choices or answers by their ids, in the order in which they are shown."""
        given = self.payload.get(field)
        if isinstance(given, list):
            # a list counts from 0 for the recommendation question, and from 1 otherwise
            start = 0 if self.payload.get("Selector") == "NPS" else 1
            given = {str(i + start): choice for i, choice in enumerate(cast("list[Any]", given))}
        options = {str(k): _record(v) for k, v in _record(given).items()}
        order = [str(k) for k in _list(self.payload.get(field.removesuffix("s") + "Order"))]
        return {k: options[k] for k in dict.fromkeys((*order, *options)) if k in options}

    def _label(self, field: str, key: str, option: Mapping[str, Any]) -> Wording:
        display = self._wording(
            option.get("Display"), lambda t: _record(_record(t.get(field)).get(key)).get("Display")
        )
        return display or key

    def _recoded(self, field: str) -> tuple[dict[str, Code], dict[Code, Wording], dict[Code, Wording]]:
        """Return ``{id: exported code}``, the labels of the answers, and those of codes for missing answers."""
        options = self._options(field)
        recodes, analysed = (
            _record(self.payload.get("RecodeValues")),
            _record(self.payload.get("AnalyzeChoices")),
        )
        texts = {key: str(recodes.get(key) if recodes.get(key) is not None else key) for key in options}
        whole = all(WHOLE.fullmatch(t) for t in texts.values())
        codes: dict[str, Code] = {key: int(t) if whole else t for key, t in texts.items()}
        left_out = {k for k in options if str(analysed.get(k, "Yes")).lower() in ("no", "false")}
        positive = [c for c in codes.values() if isinstance(c, int) and c >= 0]
        if len(positive) > 1:
            # a negative code beside others is Qualtrics users' way to say "not applicable"
            left_out |= {k for k, c in codes.items() if isinstance(c, int) and c < 0}
        labels: dict[Code, Wording] = {}
        missing: dict[Code, Wording] = {}
        for key, option in options.items():
            target = missing if key in left_out and len(left_out) < len(options) else labels
            label = self._label(field, key, option)
            code = codes[key]
            if code in target:  # two choices that are exported as one code
                label = f"{target[code]} / {label}" if isinstance(label, str) else target[code]
            target[code] = label
        return codes, distinct_labels(labels), {c: w for c, w in missing.items() if c not in labels}

    def _said(self, field: str, labels: Mapping[Code, Wording], codes: Mapping[str, Code]) -> dict[str, str]:
        """Return texts that an export holds instead of a label, with the label."""
        naming = _record(self.payload.get("VariableNaming"))
        found: dict[str, str] = {}
        for key, option in self._options(field).items():
            label = labels.get(codes[key])
            first = label if isinstance(label, str) else next(iter((label or {}).values()), None)
            for text in (option.get("Display"), naming.get(key)):
                if isinstance(text, str) and first is not None and text != first:
                    found[text] = first
        return found

    def _scaled(
        self,
        name: str,
        text: Wording | None,
        labels: dict[Code, Wording],
        missing: dict[Code, Wording],
        is_scale: bool,
    ) -> tuple[Item, str | None]:
        """Return the item of coded answers, and what was guessed about it."""
        more: dict[str, Any] = {**self.more, **({"missing_codes": missing} if missing else {})}
        item, why = coded_item(name, text, labels, is_scale=is_scale, **more)
        told = f"{list(missing)} are codes for missing answers" if missing else None
        return item, "; ".join(filter(None, (told, why))) or None

    def choice(self, selector: str) -> list[Asked]:
        if selector == "NPS":
            return [Asked(Recommend(self.tag, self.text, **self.more), (self.id,))]
        codes, labels, missing = self._recoded("Choices")
        if not labels:
            return []
        found: list[Asked] = []
        if selector in MULTIPLE_ANSWER:
            several, keys = self._several(self.tag, self.text, labels | missing, codes, "Choices")
            said = self._said("Choices", labels | missing, codes)
            found.append(Asked(several, keys, joined=self.id, texts=said))
        else:
            item, note = self._scaled(self.tag, self.text, labels, missing, is_scale=False)
            found.append(Asked(item, (self.id,), texts=self._said("Choices", labels, codes), note=note))
        return found + self._written("Choices", codes)

    def _several(
        self,
        name: str,
        text: Wording | None,
        labels: dict[Code, Wording],
        codes: Mapping[str, Code],
        field: str,
        prefix: str = "",
    ) -> tuple[MultiChoice, tuple[str, ...]]:
        ids: dict[Code, str] = {}
        for key, code in codes.items():
            ids.setdefault(code, key)
        options = distinct_labels(labels)
        keys = tuple(f"{self.id}{prefix}_{ids[code]}" for code in options)
        return MultiChoice(name, options, text, **self.more), keys

    def _written(self, field: str, codes: Mapping[str, Code], prefix: str = "") -> list[Asked]:
        """Return the texts that are typed in beside a choice, such as "other: ..."."""
        return [
            Asked(
                Text(f"{self.tag}_{codes.get(key, key)}_TEXT", self._of_row(self._label(field, key, option))),
                (f"{self.id}{prefix}_{key}_TEXT",),
            )
            for key, option in self._options(field).items()
            if str(option.get("TextEntry") or "").lower() in ("true", "1")
        ]

    def _rows(self) -> dict[str, tuple[str, Wording | None]]:
        """Return ``{id: (column, text)}`` of the rows of a matrix."""
        tags = _record(self.payload.get("ChoiceDataExportTags"))
        found: dict[str, tuple[str, Wording | None]] = {}
        for key, option in self._options("Choices").items():
            column = str(tags.get(key) or f"{self.tag}_{key}")
            label = self._label("Choices", key, option) if option.get("Display") else None
            found[key] = (column, self._of_row(None if label == column else label))
        return found

    def matrix(self, selector: str, sub: str) -> tuple[list[Asked], str | None]:
        found: list[Asked] = []
        codes, labels, missing = self._recoded("Answers")
        for key, (name, text) in self._rows().items():
            row = f"{self.id}_{key}"
            if selector in ("TE", "CS"):
                for answer, option in (self._options("Answers") or {"1": {}}).items():
                    column = f"{name}_{answer}"
                    label = self._label("Answers", answer, option) if option else None
                    asked = joined(text, label, self.language)
                    item = (
                        Number(column, text=asked, **self.more) if selector == "CS" else Text(column, asked)
                    )
                    found.append(Asked(item, (f"{row}_{answer}",)))
            elif selector in ("Likert", "Bipolar", "RO", "DragAndDrop") and labels:
                if sub == "MultipleAnswer":
                    several, keys = self._several(name, text, labels | missing, codes, "Answers", f"_{key}")
                    found.append(Asked(several, keys, joined=row))
                    continue
                item, note = self._scaled(name, text, labels, missing, is_scale=True)
                found.append(Asked(item, (row,), texts=self._said("Answers", labels, codes), note=note))
            else:
                return [], f"a matrix of the kind {selector!r} is left out"
        rows = {key: name.removeprefix(f"{self.tag}_") for key, (name, _) in self._rows().items()}
        return found + self._written("Choices", rows), None

    def entry(self, selector: str) -> tuple[list[Asked], str | None]:
        if selector == "FORM":
            return [
                Asked(
                    Text(f"{self.tag}_{key}", self._of_row(self._label("Choices", key, option))),
                    (f"{self.id}_{key}",),
                )
                for key, option in self._options("Choices").items()
            ], None
        keys = (f"{self.id}_TEXT",)
        content = self.validation.get("ContentType") if self.validation.get("Type") == "ContentType" else None
        if content == "ValidNumber":
            limits = _record(self.validation.get("ValidNumber"))
            low, high = _number(limits.get("Min")), _number(limits.get("Max"))
            whole = str(limits.get("NumDecimals")) == "0"
            if low is not None and high is not None and low > high:
                low = high = None
            return [Asked(Number(self.tag, low, high, self.text, whole, **self.more), keys)], None
        if content == "ValidDate":
            return [Asked(Date(self.tag, text=self.text, **self.more), keys)], None
        return [Asked(Text(self.tag, self.text, **self.more), keys)], None

    def numbers(self, kind: str, selector: str) -> list[Asked]:
        settings = _record(self.payload.get("Configuration"))
        low: float | None = 0.0 if kind == "CS" else None
        high: float | None = None
        whole = False
        options = self._options("Choices")
        if kind == "RO":
            low, high, whole = 1.0, float(max(len(options), 1)), True
        elif kind == "Slider":
            low, high = _number(settings.get("CSSliderMin")), _number(settings.get("CSSliderMax"))
            if selector == "STAR":
                low, high = 0.0, _number(settings.get("NumStars")) or high
            whole = str(settings.get("NumDecimals")) == "0"
            if low is not None and high is not None and low > high:
                low = high = None
        return [
            Asked(
                Number(
                    f"{self.tag}_{key}",
                    low,
                    high,
                    self._of_row(self._label("Choices", key, option)),
                    whole,
                    **self.more,
                ),
                (f"{self.id}_{key}",),
            )
            for key, option in options.items()
        ]


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if abs(number) < 1e15 else None

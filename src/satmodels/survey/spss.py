"""SPSS files (.sav, .zsav): values, labels, user-defined missing values and measurement levels."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from datetime import time
from pathlib import Path
from typing import Any, cast

from satmodels.errors import ArgumentError, MissingExtraError, SchemaError
from satmodels.stored import read_json
from satmodels.survey.check import USUAL_MISSING_CODES
from satmodels.survey.coded import gapless
from satmodels.survey.guess import guess_item
from satmodels.survey.guess_texts import stands_for_none
from satmodels.survey.items import (
    MAX_OPTIONS,
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
from satmodels.survey.kept import MAX_KEPT, merge, read_kept
from satmodels.survey.scale import MAX_CODES, Scale, Wording, distinct_labels, in_language
from satmodels.survey.survey import Survey

LABEL_BYTES, VALUE_LABEL_BYTES = 256, 120  # longer labels are cut by the format
MAX_MISSING = 3  # codes for missing answers that a column may have
LINE = 80  # characters of one line of notes
FIRST_LINE, LAST_LINE = "satmodels: the survey of this file", "satmodels: end of the survey"
ORDERED_CODES = range(4, 12)  # so many labelled codes without a gap are an ordered scale, if nothing is said


def _pyreadstat() -> Any:
    try:
        import pyreadstat
    except ImportError as error:
        raise MissingExtraError("pyreadstat", "spss") from error
    return pyreadstat


@dataclasses.dataclass(frozen=True)
class Variable:
    """What an SPSS file says about one column."""

    label: str | None = None
    labels: Mapping[Any, str] = dataclasses.field(default_factory=dict[Any, str])
    missing: Sequence[Mapping[str, Any]] = ()
    measure: str = "unknown"


def read_spss(path: Path) -> tuple[Survey, Any]:
    """Read an SPSS file as a survey and a pandas frame of codes.

    Where the file keeps the survey that it was written from, that comes back, with what was edited since.
    """
    reader = _pyreadstat()
    try:
        frame, meta = reader.read_sav(str(path), user_missing=True)
    except (reader.ReadstatError, UnicodeDecodeError) as error:
        raise ArgumentError(f"{path.name} is no SPSS file that can be read: {error}") from error
    for column in meta.column_names:
        frame[column] = _times(frame[column])
    now = {
        column: Variable(
            meta.column_names_to_labels.get(column) or None,
            dict(meta.variable_value_labels.get(column, {})),
            meta.missing_ranges.get(column, []),
            meta.variable_measure.get(column, "unknown"),
        )
        for column in meta.column_names
    }
    kept, columns = _kept(meta.notes, path.name)
    found = [_item(column, frame[column], variable) for column, variable in now.items()]
    if kept is None:
        notes = [f"{item.name}: {note}" for item, note in found]
        return Survey(path.stem, [item for item, _ in found], notes=notes), frame
    before = _variables(kept, columns)
    written = [
        _item(column, frame[column] if column in frame.columns else frame.iloc[:, 0][:0], variable)[0]
        for column, variable in before.items()
    ]
    # what the kept survey does not speak of is no item: the respondent, weights, columns added before writing
    silent = set(columns) - set(before)
    return merge(kept, written, [item for item, _ in found if item.name not in silent]), frame


def _times(series: Any) -> Any:
    """Write times of day as texts, which no item has a type for."""
    if series.dtype != object or not any(isinstance(v, time) for v in series):
        return series
    given: list[Any] = series.tolist()
    texts = [v.isoformat() if isinstance(v, time) else v for v in given]
    return type(series)(texts, index=series.index, name=series.name, dtype=object)


def _kept(notes: Sequence[str], where: str) -> tuple[Survey | None, list[str]]:
    """Return the survey that the notes of a file keep, and the columns that were written with it."""
    lines = [note.rstrip() for note in notes]
    starts = [i for i, line in enumerate(lines) if line == FIRST_LINE]
    if not starts or LAST_LINE not in lines[starts[-1] :]:
        return None, []
    body = lines[starts[-1] + 1 : lines.index(LAST_LINE, starts[-1])]
    if sum(map(len, body)) > MAX_KEPT:
        raise ArgumentError(f"{where}: the survey in its notes is longer than {MAX_KEPT:,} characters")
    given = read_json("".join(body))
    part = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    columns = part.get("columns")
    if not isinstance(columns, list) or not all(isinstance(c, str) for c in cast("list[Any]", columns)):
        raise ArgumentError(f"{where}: the survey in its notes does not say which columns were written")
    return read_kept(part.get("survey"), where), cast("list[str]", columns)


def _notes(survey: Survey, columns: Sequence[str]) -> list[str]:
    """Return the survey as notes of a file: plain JSON, in lines of 80 characters without blanks."""
    text = json.dumps({"columns": list(columns), "survey": survey.to_json()}, separators=(",", ":"))
    text = text.replace(" ", "\\u0020")  # SPSS cuts blanks at the end of a line
    lines = [text[i : i + LINE] for i in range(0, len(text), LINE)]
    return [FIRST_LINE, *lines, LAST_LINE]


def _item(column: str, series: Any, variable: Variable) -> tuple[Item, str]:
    text, labels, measure = variable.label, variable.labels, variable.measure
    observed = [v.item() if hasattr(v, "item") else v for v in series.dropna().unique()]
    missing = _missing(labels, observed, variable.missing)
    observed = [v for v in observed if v not in missing]
    # many files label codes for missing answers without declaring them
    undeclared = {c: w for c, w in labels.items() if c not in missing and _undeclared(c, w, labels)}
    missing |= undeclared
    observed = [v for v in observed if v not in undeclared]
    more: dict[str, Any] = {"missing_codes": {_code(c): w for c, w in missing.items()}} if missing else {}
    item, why = _answers(column, text, labels, missing, observed, measure, int(series.notna().sum()), more)
    return item, f"{why}; {[_code(c) for c in undeclared]} as missing, by their labels" if undeclared else why


def _undeclared(code: Any, label: str, labels: Mapping[Any, str]) -> bool:
    """Say whether a label says that there is no answer, and its code lies apart from the others."""
    if isinstance(code, str) or not stands_for_none(label):
        return False
    others = [c for c, w in labels.items() if not stands_for_none(w)]
    return code in USUAL_MISSING_CODES or (len(others) > 1 and not min(others) <= code <= max(others))


def _answers(
    column: str,
    text: str | None,
    labels: Mapping[Any, str],
    missing: Mapping[Any, str],
    observed: list[Any],
    measure: str,
    n: int,
    more: dict[str, Any],
) -> tuple[Item, str]:
    answers = {c: w for c, w in labels.items() if c not in missing}
    if not answers:
        item, why = guess_item(column, observed or [None], text, n)
        texts = any(isinstance(v, str) for v in observed)
        if isinstance(item, Rating | Recommend | Choice) and not texts and measure in ("scale", "unknown"):
            item, why = Number(column, text=text), "a number without labels"
        codes = {**(item.missing_codes or {}), **more.get("missing_codes", {})}
        return item.model_copy(update={"missing_codes": codes or None}), why
    if any(isinstance(c, str) for c in answers):
        options: dict[Code, Wording] = {str(v): str(v) for v in observed if v != ""}
        options.update({str(c): w for c, w in answers.items()})
        return Choice(column, options, text, **more), "a choice of labelled texts"
    codes = sorted({*answers, *observed})
    if any(not math.isfinite(c) or c != int(c) for c in codes):
        return Number(column, text=text, **more), "a number, because some answers are not whole"
    whole = [int(c) for c in codes]
    ends_only = len(answers) < len(whole)
    too_long = whole[-1] - whole[0] >= MAX_CODES
    if (ends_only and len(answers) == 1 and measure in ("scale", "unknown")) or (
        too_long and (measure == "scale" or len(whole) > MAX_OPTIONS)
    ):
        return Number(
            column, text=text, **more
        ), f"a number, although {len(answers)} of its answers are labelled"
    ordered = not too_long and (
        measure in ("ordinal", "scale") or (measure == "unknown" and (ends_only or gapless(whole)))
    )
    if ordered and len(whole) > 1 and (measure == "ordinal" or len(whole) in ORDERED_CODES or ends_only):
        scale_labels: dict[int, Wording] = {int(c): w for c, w in answers.items()}
        scale = Scale(whole[0], whole[-1], distinct_labels(scale_labels))
        if (scale.low, scale.high) == (0, 10):
            why = f"a rating 0..10 ({measure})"
            return Rating(column, scale, text, **more), why
        return Rating(column, scale, text, **more), f"a rating {scale.rule} ({measure})"
    named = {int(c): w for c, w in answers.items()}
    unlabelled = {c: str(c) for c in whole if c not in named}
    choices: dict[Code, Wording] = {**distinct_labels(named), **unlabelled}
    why = f"a choice of {len(choices)} ({measure})"
    return Choice(column, choices, text, **more), why + (
        f"; codes without a label: {list(unlabelled)}" if unlabelled else ""
    )


def _code(value: Any) -> Code:
    return value if isinstance(value, str) else int(value)


def _missing(
    labels: Mapping[Any, str], observed: list[Any], ranges: Sequence[Mapping[str, Any]]
) -> dict[Any, str]:
    """Return the codes declared missing that are labelled or observed, or are single values."""
    found: dict[Any, str] = {}
    for span in ranges:
        low, high = span["lo"], span["hi"]
        if low == high:
            found[low] = labels.get(low) or "missing"
            continue
        for code in [*labels, *observed]:
            if not isinstance(code, str) and low <= code <= high and float(code).is_integer():
                found[code] = labels.get(code) or "missing"
    return found


def _variables(survey: Survey, columns: Sequence[str]) -> dict[str, Variable]:
    """Return what is written about each column that belongs to an item."""
    found: dict[str, Variable] = {}
    for name in columns:
        column = survey.columns.get(name)
        if column is None or column.item is None:
            continue
        item = column.item
        labels: dict[Any, Wording] = {}
        if column.scale is not None:
            labels = dict(column.scale.labels or {})
        elif isinstance(item, Choice):
            labels = dict(item.options)
        elif isinstance(item, MultiChoice):
            labels = {0: "no", 1: "yes"}
        meaning = {**survey.missing_codes, **(item.missing_codes or {})}
        labels |= {code: meaning.get(code, "missing") for code in column.missing}
        texts = any(isinstance(code, str) for code in labels)
        measure = (
            "ordinal" if column.scale is not None else "scale" if isinstance(item, Number) else "nominal"
        )
        found[name] = Variable(
            _cut(in_language(item.text), LABEL_BYTES),
            {
                (code if texts else float(code)): _cut(in_language(w) or str(code), VALUE_LABEL_BYTES) or ""
                for code, w in labels.items()
                if isinstance(code, str) == texts
            },
            [{"lo": code, "hi": code} for code in column.missing if isinstance(code, str) == texts],
            "unknown" if isinstance(item, Text | Date) else measure,
        )
    return found


def _cut(text: str | None, limit: int) -> str | None:
    """Return as much of a text as an SPSS file holds."""
    return (text or "").encode()[:limit].decode(errors="ignore") or None


def write_spss(survey: Survey, frame: Any, path: Path) -> None:
    """Write answers with the labels, missing codes and measurement levels of their survey, and the survey itself."""
    import pandas as pd

    from satmodels.survey.labelled import as_pandas

    writer = _pyreadstat()
    data: pd.DataFrame = as_pandas(frame).copy()
    names = [str(c) for c in data.columns]
    variables = _variables(survey, names)
    for name, variable in variables.items():
        column = survey.columns[name]
        if len(variable.missing) > MAX_MISSING:
            raise SchemaError(
                f"column {name!r} has {len(variable.missing)} missing codes; an SPSS file holds {MAX_MISSING}",
                column=name,
            )
        texts = any(isinstance(code, str) for code in variable.labels)
        if not texts and not isinstance(column.item, Text | Date):
            data[name] = _numeric(data[name], column.codes or {}, name)
    try:
        writer.write_sav(
            data,
            str(path),
            column_labels=[v.label or "" if (v := variables.get(c)) else "" for c in names],
            variable_value_labels={c: dict(v.labels) for c, v in variables.items() if v.labels},
            missing_ranges={c: [m["lo"] for m in v.missing] for c, v in variables.items() if v.missing},
            variable_measure={c: v.measure for c, v in variables.items() if v.measure != "unknown"},
            note=_notes(survey, names),
        )
    except (writer.ReadstatError, writer.PyreadstatError, ValueError) as error:
        raise ArgumentError(f"{path.name} can't be written as an SPSS file: {error}") from error


def _numeric(series: Any, codes: Mapping[str, Code], name: str) -> Any:
    """Return codes as float64, which is the only number of an SPSS file."""
    if series.dtype.kind in "iuf" and not hasattr(series.dtype, "na_value"):
        return series.astype("float64")
    numbers: list[float] = []
    for row, value in enumerate(series.tolist()):
        value = codes.get(value, value) if isinstance(value, str) else value
        try:
            numbers.append(float(value) if value is not None and value == value else math.nan)
        except (TypeError, ValueError) as error:
            if type(value).__name__ == "NAType":
                numbers.append(math.nan)
                continue
            raise SchemaError.answers(
                name, "numeric or a label", "Check the frame first.", n_bad=1, offenders=[(row, value)]
            ) from error
    return type(series)(numbers, index=series.index, name=name)

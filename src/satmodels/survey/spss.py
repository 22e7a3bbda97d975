"""SPSS files (.sav, .zsav): values, labels, user-defined missing values and measurement levels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from satmodels.errors import MissingExtraError, SchemaError
from satmodels.survey.guess import guess_item
from satmodels.survey.items import Choice, Code, Date, Item, MultiChoice, Number, Rating, Recommend, Text
from satmodels.survey.scale import Scale, Wording, distinct_labels, in_language
from satmodels.survey.survey import Survey

ORDERED_CODES = range(4, 12)  # so many labelled codes without a gap are an ordered scale, if nothing is said


def _pyreadstat() -> Any:
    try:
        import pyreadstat
    except ImportError as error:
        raise MissingExtraError("pyreadstat", "spss") from error
    return pyreadstat


def read_spss(path: Path) -> tuple[Survey, Any]:
    """Read an SPSS file as a survey and a pandas frame of codes."""
    reader = _pyreadstat()
    frame, meta = reader.read_sav(str(path), user_missing=True)
    items: list[Item] = []
    notes: list[str] = []
    for column in meta.column_names:
        item, note = _item(column, frame[column], meta)
        items.append(item)
        notes.append(f"{column}: {note}")
    return Survey(path.stem, items, notes=notes), frame


def _item(column: str, series: Any, meta: Any) -> tuple[Item, str]:
    text: str | None = meta.column_names_to_labels.get(column) or None
    labels: dict[Any, str] = dict(meta.variable_value_labels.get(column, {}))
    measure = meta.variable_measure.get(column, "unknown")
    observed = [v.item() if hasattr(v, "item") else v for v in series.dropna().unique()]
    missing = _missing(labels, observed, meta.missing_ranges.get(column, []))
    observed = [v for v in observed if v not in missing]
    more: dict[str, Any] = {"missing_codes": {_code(c): w for c, w in missing.items()}} if missing else {}
    answers = {c: w for c, w in labels.items() if c not in missing}
    if not answers:
        item, why = guess_item(column, observed or [None], text, len(series))
        texts = any(isinstance(v, str) for v in observed)
        if isinstance(item, Rating | Recommend | Choice) and not texts and measure in ("scale", "unknown"):
            item, why = Number(column, text=text), "a number without labels"
        return item.model_copy(update=more), why
    if any(isinstance(c, str) for c in answers):
        options: dict[Code, Wording] = {str(v): str(v) for v in observed if v != ""}
        options.update({str(c): w for c, w in answers.items()})
        return Choice(column, options, text, **more), "a choice of labelled texts"
    codes = sorted({*answers, *observed})
    if any(c != int(c) for c in codes):
        return Number(column, text=text, **more), "a number, because some answers are not whole"
    whole = [int(c) for c in codes]
    gapless = whole == list(range(whole[0], whole[-1] + 1))
    ends_only = len(answers) < len(whole)
    ordered = measure in ("ordinal", "scale") or (measure == "unknown" and (ends_only or gapless))
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


def _missing(labels: Mapping[Any, str], observed: list[Any], ranges: list[dict[str, Any]]) -> dict[Any, str]:
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


def write_spss(survey: Survey, frame: Any, path: Path) -> None:
    """Write answers with the labels, missing codes and measurement levels of their survey."""
    import pandas as pd

    from satmodels.survey.labelled import as_pandas

    writer = _pyreadstat()
    data: pd.DataFrame = as_pandas(frame).copy()
    column_labels: dict[str, str] = {}
    value_labels: dict[str, dict[Any, str]] = {}
    missing: dict[str, list[Any]] = {}
    measures: dict[str, str] = {}
    for name, column in survey.columns.items():
        if name not in data.columns or column.item is None:
            continue
        item = column.item
        column_labels[name] = in_language(item.text) or ""
        labels: dict[Any, Wording] = {}
        if column.scale is not None:
            labels = dict(column.scale.labels or {})
        elif isinstance(item, Choice):
            labels = dict(item.options)
        elif isinstance(item, MultiChoice):
            labels = {0: "no", 1: "yes"}
        labels |= {
            code: (item.missing_codes or survey.missing_codes).get(code, "missing") for code in column.missing
        }
        texts = any(isinstance(code, str) for code in labels)
        if labels:
            value_labels[name] = {
                code: in_language(w) or str(code)
                for code, w in labels.items()
                if isinstance(code, str) == texts
            }
        if column.missing:
            missing[name] = list(column.missing)[:3]
            if len(column.missing) > 3:
                raise SchemaError(
                    f"column {name!r} has {len(column.missing)} missing codes; an SPSS file holds 3",
                    column=name,
                )
        if not isinstance(item, Text | Date):
            measures[name] = (
                "ordinal" if column.scale is not None else "scale" if isinstance(item, Number) else "nominal"
            )
        if not texts and not isinstance(item, Text | Date):
            data[name] = _numeric(data[name], column.codes or {}, name)
    writer.write_sav(
        data,
        str(path),
        column_labels=[column_labels.get(str(c), "") for c in data.columns],
        variable_value_labels=value_labels,
        missing_ranges=missing,
        variable_measure=measures,
    )


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

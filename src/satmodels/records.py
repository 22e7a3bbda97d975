"""Results as stored documents: every field written with its type, so that it is read back as it was.

JSON knows no tuples, arrays, dates or records. Here each of them is an object with one key that says what it
is: ``{"tuple": [...]}``, ``{"array": ...}``, ``{"record": ["Table", {...}]}``. Reading makes nothing but plain
values and the classes listed below, by name: a document can't name any other.
"""

from __future__ import annotations

import dataclasses
import importlib
import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, cast

import numpy as np

from satmodels.errors import ArgumentError

# what a document may name -> the module that has it
RECORDS: Mapping[str, str] = {
    "Table": "results",
    # survey
    "CarelessResult": "survey.careless",
    "CheckReport": "survey.check",
    "MissingResult": "survey.missing",
    "OutlierResult": "survey.outliers",
    "PreparationReport": "survey.prepare",
    "ReliabilityResult": "survey.reliability",
    "SurveyDiff": "survey.difference",
    "Violation": "survey.check",
    "WeightSummary": "survey.weights",
    # scores
    "CompareResult": "scores.compare",
    "ControlResult": "scores.control",
    "IndexResult": "scores.index",
    "IndicatorResult": "scores.indicators",
    "MigrationResult": "scores.rfm_migration",
    "PlanResult": "scores.planning",
    "RFMResult": "scores.rfm",
    "ScoreResult": "scores.result",
    "Segment": "scores.rfm_segments",
    "ServqualResult": "scores.servqual",
    "ToleranceResult": "scores.tolerance",
    "TrendResult": "scores.trend",
    # structural models
    "BlindfoldResult": "sem.pls.blindfold",
    "BootstrapResult": "sem.bootstrap",
    "CovarianceResult": "sem.covariance.result",
    "FitTestResult": "sem.pls.fit_test",
    "GroupComparison": "sem.pls.multigroup",
    "GroupSummary": "sem.summary",
    "IPMAResult": "sem.ipma",
    "InvarianceResult": "sem.groups",
    "MicomResult": "sem.pls.micom",
    "PLSPredictResult": "sem.pls.predict",
    "PLSResult": "sem.pls.result",
    "WhatIfResult": "sem.what_if",
    # Kano
    "KanoBootstrapResult": "kano_model.resampling",
    "KanoChangesResult": "kano_model.segments",
    "KanoContinuousResult": "kano_model.continuous",
    "KanoResult": "kano_model.result",
    "KanoSegmentsResult": "kano_model.segments",
    "KanoTestsResult": "kano_model.significance",
    # drivers
    "DominanceResult": "drivers.dominance",
    "ImportancePerformanceResult": "drivers.importance_performance",
    "JourneyResult": "drivers.journey",
    "KeyDriversResult": "drivers.key_drivers",
    "PenaltyRewardResult": "drivers.asymmetry",
    "PrioritiesResult": "drivers.priorities",
    "ReachNoiseResult": "drivers.reach_noise",
    "ResponseCurveResult": "drivers.response_curve",
    # churn
    "ChurnReport": "churn.report",
    "DriftReport": "churn.drift",
    "ExpectedMaximumProfit": "churn.profit",
    "InactivityHorizon": "churn.inactivity",
    "ModelCard": "churn.card",
    "SurvivalReport": "churn.survival_report",
}
# these write and read themselves
DOCUMENTS: Mapping[str, str] = {
    "KanoTable": "kano_model.tables",
    "ModelSpec": "sem.model.spec",
    "Moments": "statistics.moments",
    "PairCounts": "statistics.pair_counts",
    "Scale": "survey.scale",
    "ScoreCounts": "statistics.counts",
}
ENUMS: Mapping[str, str] = {"FrameLibrary": "intake.library"}
_DTYPE = re.compile(
    r"bool|u?int(8|16|32|64)|float(16|32|64)|object|<U\d{1,6}|datetime64\[(Y|M|W|D|h|m|s|ms|us|ns)\]"
)


def encode(value: Any) -> Any:
    """Return a value as JSON can hold it.

    Raises
    ------
    ArgumentError
        The value is, or contains, something that can't be stored.
    """
    name = type(value).__name__
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Enum):
        return {"enum": [_listed(name, ENUMS), value.value]}
    if isinstance(value, np.ndarray):
        return {"array": _encode_array(cast("np.ndarray[Any, Any]", value))}
    if isinstance(value, np.generic):
        return encode(value.item())
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"float": repr(float(value))}
    if isinstance(value, list | tuple):
        return {"list" if isinstance(value, list) else "tuple": [encode(v) for v in cast("list[Any]", value)]}
    if isinstance(value, Mapping):
        pairs = cast("Mapping[Any, Any]", value).items()
        return {"mapping": [[encode(k), encode(v)] for k, v in pairs]}
    if isinstance(value, datetime | date):
        return {"datetime" if isinstance(value, datetime) else "date": value.isoformat()}
    if isinstance(value, timedelta):
        return {"timedelta": [value.days, value.seconds, value.microseconds]}
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if name in DOCUMENTS:
        return {"document": [name, value.to_json()]}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: encode(getattr(value, f.name)) for f in dataclasses.fields(value) if f.init}
        return {"record": [_listed(name, RECORDS), fields]}
    raise ArgumentError(f"a {name} can't be stored: {value!r}")


def decode(value: Any) -> Any:
    """Return the value that :func:`encode` wrote.

    Raises
    ------
    ArgumentError
        The document holds something that :func:`encode` does not write.
    """
    if value is None or isinstance(value, bool | str | int | float):
        return value
    if not isinstance(value, dict) or len(cast("dict[str, Any]", value)) != 1:
        raise ArgumentError("every list or object in a stored result says what it is")
    ((kind, content),) = cast("dict[str, Any]", value).items()
    if kind not in _READERS:
        raise ArgumentError(f"a stored result has no {kind!r}")
    try:
        return _READERS[kind](content)
    except (TypeError, ValueError, KeyError, AttributeError, ArithmeticError) as error:
        if isinstance(error, ArgumentError):
            raise
        raise ArgumentError(f"this is no stored {kind}: {error}") from error


def _listed(name: str, known: Mapping[str, str]) -> str:
    if name not in known:
        raise ArgumentError(f"a {name} can't be stored")
    return name


def _named(name: str, known: Mapping[str, str]) -> Any:
    return getattr(importlib.import_module(f"satmodels.{known[_listed(name, known)]}"), name)


def _encode_array(array: np.ndarray[Any, Any]) -> list[Any]:
    kind = array.dtype.kind
    if not _DTYPE.fullmatch(str(array.dtype)):
        raise ArgumentError(f"an array of {array.dtype} can't be stored")
    flat: list[Any] = (array.astype("int64") if kind == "M" else array).ravel().tolist()
    if kind == "f" and not np.isfinite(array).all():
        flat = [v if math.isfinite(v) else repr(v) for v in flat]
    if kind == "O":
        flat = [encode(v) for v in flat]
    return [str(array.dtype), list(array.shape), flat]


def _decode_array(content: Any) -> np.ndarray[Any, Any]:
    text, shape, flat = content
    if not isinstance(text, str) or not _DTYPE.fullmatch(text):
        raise ArgumentError(f"a stored array has no type {text!r}")
    if text == "object":
        found = np.empty(len(flat), dtype=object)
        found[:] = [decode(v) for v in flat]
        return found.reshape(shape)
    if text.startswith("datetime"):
        return np.array(flat, dtype="int64").astype(text).reshape(shape)
    return np.array(flat, dtype=text).reshape(shape)


def _decode_record(content: Any) -> Any:
    name, fields = content
    cls = _named(name, RECORDS)
    known = {f.name for f in dataclasses.fields(cls) if f.init}
    if set(fields) != known:
        raise ArgumentError(
            f"a stored {name} has other fields than this version of satmodels: {sorted(set(fields) ^ known)}"
        )
    return cls(**{field: decode(v) for field, v in fields.items()})


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "list": lambda content: [decode(v) for v in content],
    "tuple": lambda content: tuple(decode(v) for v in content),
    "mapping": lambda content: {decode(k): decode(v) for k, v in content},
    "array": _decode_array,
    "float": lambda content: {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[content],
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "timedelta": lambda content: timedelta(*content),
    "decimal": Decimal,
    "enum": lambda content: _named(content[0], ENUMS)(content[1]),
    "document": lambda content: _named(content[0], DOCUMENTS).from_json(content[1]),
    "record": _decode_record,
}

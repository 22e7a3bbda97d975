"""The strict pydantic model of one answer: the row-wise twin of the columnar check."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    WithJsonSchema,
    create_model,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from satmodels.errors import REDACTED, ArgumentError
from satmodels.intake.rules import REQUIRED, is_missing
from satmodels.intake.violations import BOTH_OR_NEITHER
from satmodels.stored import read_json
from satmodels.survey.columns import Column, kano_pairs

if TYPE_CHECKING:
    from satmodels.survey.survey import Survey


NO_STRICT_JSON = (
    "Invalid JSON: it is cut off, or has NaN, an infinite or endless number, a key twice, or too many levels"
)


class AnswerBase(BaseModel):
    """Base of the models of single answers: immutable, no unknown fields, no answer in any error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, protected_namespaces=())

    def __init__(self, **answers: Any) -> None:
        try:
            super().__init__(**answers)
        except ValidationError as error:
            raise _redacted(error) from None

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Read one answer from JSON, strictly: no NaN, no key twice, no endless numbers or nesting."""
        try:
            answer = read_json(json_data if isinstance(json_data, str) else bytes(json_data))
        except ArgumentError:
            kind = PydanticCustomError("json_invalid", NO_STRICT_JSON)
            details: list[InitErrorDetails] = [{"type": kind, "loc": (), "input": REDACTED}]
            raise ValidationError.from_exception_data(cls.__name__, details, hide_input=True) from None
        return cls.model_validate(answer, **options)


def _redacted(error: ValidationError) -> ValidationError:
    """Return the same error with every input replaced; pydantic itself only hides it in the message."""
    details: list[InitErrorDetails] = []
    for found in error.errors(include_url=False, include_input=False):
        kind = PydanticCustomError(found["type"], found["msg"].replace("{", "{{").replace("}", "}}"))  # type: ignore[arg-type]
        details.append({"type": kind, "loc": found["loc"], "input": REDACTED})
    return ValidationError.from_exception_data(error.title, details, hide_input=True)


def answer_model(survey: Survey) -> type[BaseModel]:
    """Build the model of one answer of a survey."""
    fields: dict[str, Any] = {}
    field_of: dict[str, str] = {}
    for i, (name, column) in enumerate(survey.columns.items()):
        # a name that Python or pydantic keeps for itself is reached by its alias
        plain = name.isidentifier() and not name.startswith("_") and not hasattr(AnswerBase, name)
        field = name if plain else f"answer_{i}"
        field_of[name] = field
        kind = Annotated[Any, PlainValidator(_reader(column)), WithJsonSchema(_schema(column))]
        default = ... if column.rule.required else None
        fields[field] = (kind, Field(default, alias=None if plain else name))
    pairs = [(field_of[a], field_of[b], a, b) for a, b in kano_pairs(survey)]

    def both_or_neither(self: Any) -> Any:
        for first, second, a, b in pairs:
            answered = [getattr(self, field) is not None for field in (first, second)]
            if answered[0] != answered[1]:
                raise PydanticCustomError(
                    "half_answered", "{rule}", {"rule": f"{BOTH_OR_NEITHER} of {a!r} and {b!r}"}
                )
        return self

    validators: dict[str, Any] = (
        {"both_or_neither": model_validator(mode="after")(both_or_neither)} if pairs else {}
    )
    return create_model("Answer", __base__=AnswerBase, __validators__=validators, **fields)


def _reader(column: Column) -> Callable[[Any], Any]:
    rule = column.rule

    def read(value: Any) -> Any:
        broken = rule.verdict(value)
        if broken is not None:
            kind = "missing" if broken == REQUIRED else "broken_rule"
            raise PydanticCustomError(kind, "the rule is: {rule}", {"rule": broken})
        if is_missing(value):
            return None
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, str):
            if rule.dates:
                return datetime.fromisoformat(value) if len(value) > 10 else date.fromisoformat(value)
            return (column.codes or {}).get(value, value)
        whole = rule.whole or (rule.codes and not rule.numbers)
        return int(value) if whole and not isinstance(value, bool) else value

    return read


def _schema(column: Column) -> dict[str, Any]:
    """Describe one column as JSON Schema."""
    rule = column.rule
    ways: list[dict[str, Any]] = []
    if rule.numbers:
        ways.append(
            {
                "type": "integer" if rule.whole else "number",
                **({} if rule.low is None else {"minimum": _whole(rule.low)}),
                **({} if rule.high is None else {"maximum": _whole(rule.high)}),
            }
        )
    if rule.codes or rule.texts:
        ways.append({"enum": [*rule.codes, *rule.texts]})
    if rule.bools:
        ways.append({"type": "boolean"})
    if rule.dates:
        ways += [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]
    if rule.max_length is not None:
        ways.append({"type": "string", "maxLength": rule.max_length})
    if rule.anything:
        ways.append({"type": ["string", "number", "boolean"]})
    if not rule.required:
        ways.append({"type": "null"})
    schema = ways[0] if len(ways) == 1 else {"anyOf": ways}
    text = None if column.item is None else column.item.text
    if text is not None:
        schema = {**schema, "description": text if isinstance(text, str) else next(iter(text.values()), "")}
    return schema


def _whole(number: float) -> float | int:
    return int(number) if float(number).is_integer() else number

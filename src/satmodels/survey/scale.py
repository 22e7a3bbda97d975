"""Scale: the ordered answers of a question, as whole-number codes with labels in any language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, StrictInt, ValidationError, field_validator, model_validator

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, unknown
from satmodels.stored import read_document, write_document

SPEC_FORMAT = 1  # of stored specifications
MAX_CODES = 1001  # a slider from 0 to 1000; anything longer is a Number, not a scale

# What a person reads: one text, or one per language: {"en": "satisfied", "zh": "满意"}
Wording = str | dict[str, str]
C = TypeVar("C")


def in_language(wording: Wording | None, language: str | None = None) -> str | None:
    """Return a wording in one language; the first one given where that language is not there."""
    if wording is None or isinstance(wording, str):
        return wording
    if language in wording:
        return wording[language]
    return next(iter(wording.values()), None)


def in_all_languages(wording: Wording | None) -> tuple[str, ...]:
    """Return every text of a wording."""
    if wording is None:
        return ()
    return (wording,) if isinstance(wording, str) else tuple(wording.values())


def joined(first: Wording | None, second: Wording | None, language: str = "en") -> Wording | None:
    """Return the text of a question and of one part of it together, in all languages of either.

    ``language`` is that of texts which name none; where a language is missing, the first one stands in.
    """
    if not first or not second:
        return first or second
    if isinstance(first, str) and isinstance(second, str):
        return f"{first} {second}"
    one = {language: first} if isinstance(first, str) else first
    two = {language: second} if isinstance(second, str) else second
    return {
        code: f"{in_language(one, code)} {in_language(two, code)}" for code in dict.fromkeys((*one, *two))
    }


class Spec(BaseModel):
    """Base of everything a survey is described with: immutable, and strict about its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise ArgumentError(_explain(type(self).__name__, error)) from error
        except (
            TypeError,
            OverflowError,
        ) as error:  # a part lacks what its class needs; a number of 400 digits
            raise ArgumentError(f"{type(self).__name__}: {error}") from error

    def to_json(self) -> str:
        """Return the specification as a JSON document with a checksum."""
        return write_document(type(self).__name__, SPEC_FORMAT, self.model_dump(mode="json"))

    @classmethod
    @checked
    def from_json(cls, text: str | bytes) -> Self:
        """Read a document of :meth:`to_json`; anything else is an ArgumentError."""
        body = read_document(text, cls.__name__, SPEC_FORMAT, cls.model_fields)
        try:
            return cls.model_validate(body)
        except ArgumentError:
            raise
        except (ValueError, TypeError) as error:
            raise ArgumentError(f"this is no stored {cls.__name__}: {error}") from error

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        # what is as it always is would only hide what is said here
        fields = type(self).model_fields
        for name, value in super().__repr_args__():
            if name is None or name not in fields or (name != "kind" and value != fields[name].default):
                yield name, value

    def __str__(self) -> str:
        return repr(self)


def _explain(name: str, error: ValidationError) -> str:
    """Say what is wrong in one line, instead of pydantic's page."""
    parts: list[str] = []
    for detail in error.errors(include_url=False)[:5]:
        where = ".".join(str(p) for p in detail["loc"])
        said = detail["msg"].removeprefix("Value error, ")
        given = (
            ""
            if not where or detail["type"] in ("value_error", "missing")
            else f" (given {detail['input']!r})"
        )
        parts.append(f"{where}: {said}{given}" if where else said)
    return f"{name}: " + "; ".join(parts)


class Scale(Spec):
    """An ordered answer scale: the whole numbers from ``low`` to ``high``.

    Parameters
    ----------
    low, high : int
        First and last code, both included; at most 1,001 codes.
    labels : mapping or sequence, optional
        ``{code: label}`` for some or all codes, or labels from low to high for all of them. A label is
        a text, or one text per language: ``{"en": "satisfied", "zh": "满意"}``. No two codes may share
        a label.

    Raises
    ------
    ArgumentError
        ``high`` is not above ``low``, a label belongs to no code, or a label stands for two codes.

    Examples
    --------
    >>> import satmodels as sat
    >>> agree = sat.Scale(1, 5, ["never", "rarely", "sometimes", "often", "always"])
    >>> agree.size, agree.midpoint, agree.label(4), agree.code("rarely")
    (5, 3.0, 'often', 2)
    >>> agree.to_index(4)
    75.0
    """

    low: StrictInt
    high: StrictInt
    labels: dict[int, Wording] | None = None

    def __init__(
        self,
        low: int,
        high: int,
        labels: Mapping[int, Wording] | Sequence[Wording] | None = None,
        **unknown: Any,
    ) -> None:
        ends: list[Any] = [int(end) if isinstance(end, np.integer) else end for end in (low, high)]
        super().__init__(low=ends[0], high=ends[1], labels=_by_code(ends[0], ends[1], labels), **unknown)

    @field_validator("labels")
    @classmethod
    def _no_blank(cls, labels: dict[int, Wording] | None) -> dict[int, Wording] | None:
        for code, wording in (labels or {}).items():
            if not all(text.strip() for text in in_all_languages(wording)) or wording == {}:
                raise ValueError(f"the label of code {code} is empty")
        return labels

    @model_validator(mode="after")
    def _consistent(self) -> Scale:
        if not self.low < self.high:
            raise ValueError(f"low={self.low} must be below high={self.high}")
        if self.high - self.low >= MAX_CODES:
            raise ValueError(
                f"{self.low}..{self.high} has more than {MAX_CODES:,} codes: use Number(low=, high=) instead"
            )
        for code in self.labels or {}:
            if not self.low <= code <= self.high:
                raise ValueError(f"label {self.labels[code]!r} has code {code}, off {self.rule}")  # type: ignore[index]
        labels_to_codes(self.labels or {})
        return self

    @property
    def size(self) -> int:
        """Number of codes."""
        return self.high - self.low + 1

    @property
    def codes(self) -> range:
        """All codes, ascending."""
        return range(self.low, self.high + 1)

    @property
    def midpoint(self) -> float:
        """Middle of the scale; between two codes where the number of codes is even."""
        return (self.low + self.high) / 2

    @property
    def rule(self) -> str:
        """The scale as errors show it, for example ``"1..10"``."""
        return f"{self.low}..{self.high}"

    @checked
    def label(self, code: int, language: str | None = None) -> str | None:
        """Return the label of a code, None where it has none."""
        return in_language((self.labels or {}).get(code), language)

    @checked
    def code(self, label: str) -> int:
        """Return the code of a label in any of its languages.

        Raises
        ------
        ArgumentError
            No code has that label.
        """
        known = labels_to_codes(self.labels or {})
        if label not in known:
            raise unknown("label", label, known)
        return known[label]

    @checked
    def turned(self, code: float) -> float:
        """Return the code at the other end: ``low + high - code``."""
        return self.low + self.high - code

    @checked
    def to_index(self, value: float) -> float:
        """Return a value of the scale on 0 to 100."""
        return (value - self.low) / (self.high - self.low) * 100


def labels_to_codes(labels: Mapping[C, Wording]) -> dict[str, C]:
    """Return ``{label: code}`` over all languages; a text with two codes is a ValueError."""
    found: dict[str, C] = {}
    for code, wording in labels.items():
        for text in in_all_languages(wording):
            if found.setdefault(text, code) != code:
                raise ValueError(f"label {text!r} stands for both {found[text]} and {code}")
    return found


def distinct_labels(labels: Mapping[C, Wording]) -> dict[C, Wording]:
    """Tell codes apart that bear the same label, as files allow: the later ones get their code behind it."""
    seen: dict[str, C] = {}
    found: dict[C, Wording] = {}
    for code, wording in labels.items():
        texts = {"": wording} if isinstance(wording, str) else wording
        new: dict[str, str] = {}
        for language, given in texts.items():
            text = given.strip() or str(code)
            if seen.get(text, code) != code:
                text = f"{text} ({code})"
            seen[text] = code
            new[language] = text
        found[code] = new[""] if isinstance(wording, str) else new
    return found


def _by_code(
    low: Any, high: Any, labels: Mapping[int, Wording] | Sequence[Wording] | None
) -> dict[Any, Wording] | None:
    if labels is None:
        return None
    if isinstance(labels, Mapping):
        if labels and all(isinstance(v, int) for v in labels.values()):
            raise ArgumentError(f"Scale: labels is {{code: label}}; {dict(labels)} is the other way round")
        return dict(labels)
    if (
        isinstance(labels, str | set | frozenset)
        or not isinstance(labels, Iterable)
        or getattr(labels, "ndim", 1) != 1
    ):
        raise ArgumentError(f"Scale: labels={labels!r} has no order of labels; give a list from low to high")
    given: Any = list(labels)
    if isinstance(low, int) and isinstance(high, int) and len(given) != high - low + 1:
        raise ArgumentError(
            f"Scale: {len(given)} labels for the {high - low + 1} codes {low}..{high}; give {{code: label}} "
            "to label some of them"
        )
    return {low + i: text for i, text in enumerate(given)}

"""What may stand in a column, as data, and the verdict on one value.

The same rule is read twice: here for single values, and in ``violations`` as expressions on whole
columns of any engine. Both give the same verdict.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np

# A date as ISO 8601 writes it, the days of each month and leap years included, with or without a time.
# Only what every engine's regular expressions understand alike is used.
_YEAR = "[0-9]{4}"
_LEAP_YEAR = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_DAY = (
    f"(?:{_YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    f"|{_LEAP_YEAR}-02-29)"
)
_TIME = (
    "(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.][0-9]{1,9})?)?"
    "(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?)?"
)
ISO_DATE = f"^{_DAY}{_TIME}$"
_ISO = re.compile(ISO_DATE)

# of texts that ISO_DATE accepts: a time of day, with its offset from UTC or without
AWARE_TIME, NAIVE_TIME = "[T ].*(?:Z|[+-][0-9]{2}:[0-9]{2})$", "[T ][0-9:.]*$"
_AWARE, _NAIVE = re.compile(AWARE_TIME), re.compile(NAIVE_TIME)

NESTED = (list, tuple, set, frozenset, dict, np.ndarray)  # values that hold values
NUMERIC, TEXT, DATE, YES_NO = "numeric", "text", "a date", "0 or 1"
PLAIN, FINITE, WHOLE, OPTIONS, LABELS, REQUIRED, ISO, ZONES = (
    "one plain value",
    "finite",
    "whole numbers",
    "options",
    "labels",
    "required",
    "ISO date",
    "all or no time zones",
)


@dataclass(frozen=True)
class ColumnRule:
    """What may stand in one column besides missing values.

    Attributes
    ----------
    column : str
        The column.
    numbers : bool
        Whether numbers between ``low`` and ``high`` may stand here.
    low, high : float or None
        Smallest and largest number, both included.
    whole : bool
        Whether numbers must be whole.
    scale : bool
        Whether the numbers from ``low`` to ``high`` are the codes of a scale.
    codes : tuple of int
        Numbers that are allowed whatever the range says: options, and codes for missing answers.
    texts : tuple of str
        Texts that are allowed: options, labels, and codes for missing answers.
    max_length : int or None
        Any text up to this length is allowed.
    bools : bool
        Whether True and False are allowed.
    dates : bool
        Whether dates, timestamps and ISO texts between ``earliest`` and ``latest`` are allowed.
    anything : bool
        Whether every plain value is allowed (a segment, an id): no list and no record.
    nothing : str or None
        The rule that every value breaks, where the type of the whole column is none for answers.
    required : bool
        Whether a missing value is a violation.
    """

    column: str
    numbers: bool = False
    low: float | None = None
    high: float | None = None
    whole: bool = False
    scale: bool = False
    codes: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()
    max_length: int | None = None
    bools: bool = False
    dates: bool = False
    earliest: date | None = None
    latest: date | None = None
    anything: bool = False
    nothing: str | None = None
    required: bool = False

    @property
    def range_text(self) -> str:
        """The range of numbers as errors show it."""
        if self.low is None or self.high is None:
            return f"at least {show(self.low)}" if self.high is None else f"at most {show(self.high)}"
        return f"{show(self.low)}..{show(self.high)}"

    @property
    def dates_text(self) -> str:
        """The range of dates as errors show it."""
        if self.earliest is None or self.latest is None:
            return f"not before {self.earliest}" if self.latest is None else f"not after {self.latest}"
        return f"{self.earliest}..{self.latest}"

    @property
    def length_text(self) -> str:
        """The limit of a text as errors show it."""
        return f"at most {self.max_length} characters"

    @property
    def type_text(self) -> str:
        """The types that are allowed, as errors show them."""
        if self.dates:
            return DATE
        if self.max_length is not None:
            return TEXT
        if self.bools:
            return YES_NO
        if self.numbers or self.codes:
            return NUMERIC
        return TEXT

    @property
    def texts_text(self) -> str:
        """What the allowed texts are: options where there are no numbers to label."""
        return LABELS if self.numbers else OPTIONS

    def verdict(self, value: Any) -> str | None:
        """Return the rule that a value breaks, None where it breaks none."""
        if is_missing(value):
            return REQUIRED if self.required else None
        if self.nothing is not None:
            return self.nothing
        if self.anything:
            return PLAIN if isinstance(value, NESTED) else None
        if isinstance(value, bool | np.bool_):
            return None if self.bools else self.type_text
        if isinstance(value, int | float | Decimal | np.number) and not isinstance(value, np.timedelta64):
            return self._number(value)
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, date | np.datetime64):
            return self._date(value)
        return self.type_text

    def place(self, broken: str) -> int:
        """Return the place of a broken rule among those of its column, so that all engines name the same first."""
        order = (
            *(REQUIRED, self.nothing, PLAIN, self.type_text, FINITE, OPTIONS, self.range_text, WHOLE),
            *(self.length_text, ISO, self.dates_text, ZONES, LABELS),
        )
        return order.index(broken) if broken in order else len(order)

    def _number(self, value: Any) -> str | None:
        if not (self.numbers or self.codes):
            return self.type_text
        try:
            finite = math.isfinite(value)
        except OverflowError:  # a whole number of 400 digits
            finite = False
        if not finite:
            return FINITE
        if value in self.codes:
            return None
        if not self.numbers:
            return OPTIONS
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            return self.range_text
        return WHOLE if self.whole and value % 1 != 0 else None

    def _text(self, value: str) -> str | None:
        if value in self.texts:
            return None
        if self.max_length is not None:
            return self.length_text if len(value) > self.max_length else None
        if self.dates:
            if not _ISO.fullmatch(value) or value.startswith("0000"):
                return ISO
            day = value[:10]
            early = self.earliest is not None and day < self.earliest.isoformat()
            late = self.latest is not None and day > self.latest.isoformat()
            return self.dates_text if early or late else None
        return self.texts_text if self.texts else self.type_text

    def _date(self, value: Any) -> str | None:
        if not self.dates:
            return self.type_text
        if isinstance(value, np.datetime64):
            value = value.astype("datetime64[us]").item()
            if not isinstance(value, date):  # beyond the year 9999
                return self.type_text
        day = value.date() if isinstance(value, datetime) else value
        early = self.earliest is not None and day < self.earliest
        late = self.latest is not None and day > self.latest
        return self.dates_text if early or late else None


@dataclass(frozen=True)
class Broken:
    """A rule with the number of values that break it and the first of them as (row, value)."""

    column: str
    rule: str
    n_bad: int
    offenders: tuple[tuple[Any, Any], ...]


def has_zone(value: Any) -> bool | None:
    """Say whether a timestamp, or an ISO text with a time, has a time zone; None where there is no time."""
    if isinstance(value, str):
        return True if _AWARE.search(value) else False if _NAIVE.search(value) else None
    return value.tzinfo is not None if isinstance(value, datetime) else None


def is_missing(value: Any) -> bool:
    """Say whether a value is None, NaN, NaT or pandas.NA."""
    if value is None:
        return True
    try:
        return not bool(value == value)
    except (TypeError, ValueError, ArithmeticError):
        # comparing pandas.NA has no truth value, and comparing a signalling NaN of Decimal is an error
        return type(value).__name__ == "NAType" or isinstance(value, Decimal)


def show(number: float | None) -> str:
    """Write a bound without a useless ``.0``."""
    if number is None:
        return "anything"
    return str(int(number)) if float(number).is_integer() else str(number)


def text_limit(texts: Iterable[str]) -> str:
    """Return the first allowed texts, for a message."""
    shown = list(texts)
    more = f" and {len(shown) - 8} more" if len(shown) > 8 else ""
    return ", ".join(map(repr, shown[:8])) + more

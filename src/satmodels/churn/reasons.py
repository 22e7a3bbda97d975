"""Reasons in words: what raised a customer's risk most, read out of the regular names of the features."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

SMALLEST = 0.05  # log-odds: a smaller contribution (5 % of the odds) is no reason
N_REASONS = 3


def _plural(n: float) -> str:
    return "day" if n == 1 else "days"


Words = Callable[[list[str], float], str]

# pattern of the name -> words for a value (parts of the name, value), words for a missing value
_WORDS: tuple[tuple[str, Words, str], ...] = (
    ("tenure_days", lambda p, v: f"customer for {_figure(v)} {_plural(v)}", "start unknown"),
    ("kinds_active", lambda p, v: f"{_figure(v)} kinds of contact", ""),
    (r"(.+)_count_([\d.]+)d", lambda p, v: f"{_times(v, p[0])} in {p[1]} days", ""),
    (
        r"(.+)_change_([\d.]+)d",
        lambda p, v: f"{p[0]} {_figure(abs(v))} {'fewer' if v < 0 else 'more'} than usual in {p[1]} days",
        "no usual number of {0} yet",
    ),
    (
        "(.+)_days_since",
        lambda p, v: f"last {p[0]} {_figure(v)} {_plural(v)} ago",
        "no {0} in the time observed",
    ),
    (r"(.+)_total_([\d.]+)d", lambda p, v: f"{p[0]} of {_figure(v)} in {p[1]} days", ""),
    (r"(.+)_mean_([\d.]+)d", lambda p, v: f"mean {p[0]} {_figure(v)} in {p[1]} days", "no {0} in {1} days"),
    (r"(.+)_answers_([\d.]+)d", lambda p, v: f"{_times(v, 'answer to ' + p[0])} in {p[1]} days", ""),
    ("(.+)_last", lambda p, v: f"latest {p[0]} {_figure(v)}", "no {0} in the time observed"),
    (
        "(.+)_slope",
        lambda p, v: f"{p[0]} {'falls' if v < 0 else 'rises'} by {_figure(abs(v))} per 30 days",
        "no trend of {0} known",
    ),
    ("(.+)_recovered_share", lambda p, v: f"{_percent(v)} of {p[0]} put right in time", "no {0} decided yet"),
    ("(.+)_share", lambda p, v: f"{p[0]} share {_percent(v)}", ""),
    ("(.+)_unresolved", lambda p, v: f"{_times(v, p[0])} not put right", ""),
)


def in_words(name: str, value: Any, description: str | None = None) -> str:
    """Say what a feature's value means for one customer.

    Examples
    --------
    >>> in_words("complaint_count_90d", 2.0), in_words("nps_last", 3.0), in_words("plan", "Basic")
    ('2 × complaint in 90 days', 'latest nps 3', 'plan Basic')
    >>> in_words("login_days_since", None)
    'no login in the time observed'
    """
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    if description is not None:
        return f"{description}: {'missing' if missing else _figure(value)}"
    for pattern, words, absent in _WORDS:
        match = re.fullmatch(pattern, name)
        if match is None or isinstance(value, str):
            continue
        parts = [part.replace("_", " ") for part in match.groups()]
        if not missing:
            return words(parts, float(cast("float", value)))
        if absent:
            return absent.format(*parts)
    readable = name.replace("_", " ")
    return f"{readable} missing" if missing else f"{readable} {_figure(value)}"


def reasons(
    contributions: NDArray[np.float64],
    values: Mapping[str, NDArray[Any]],
    names: Sequence[str],
    descriptions: Mapping[str, str],
) -> list[str]:
    """Return for each row the features that raised its log-odds most, in words, with their factor on the odds."""
    texts: list[str] = []
    for i, row in enumerate(contributions):
        order: list[int] = np.argsort(-row, kind="stable")[:N_REASONS].tolist()
        texts.append(
            "; ".join(
                f"{in_words(names[j], _value(values[names[j]][i]), descriptions.get(names[j]))} "
                f"(odds ×{math.exp(min(float(row[j]), 50.0)):.2g})"
                for j in order
                if row[j] >= SMALLEST
            )
        )
    return texts


def _value(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _times(n: float, name: str) -> str:
    return f"no {name}" if n == 0 else f"{_figure(n)} × {name}"


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %" if 0 <= value <= 1 else _figure(value)


def _figure(value: Any) -> str:
    if isinstance(value, bool | str):
        return str(value)
    number = float(value)
    return f"{number:.0f}" if abs(number) >= 100 or number == round(number) else f"{number:.1f}"

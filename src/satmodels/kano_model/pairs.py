"""Reading the pairs of questions: their columns, and the texts that stand for codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from satmodels.errors import ArgumentError
from satmodels.survey.items import KanoPair
from satmodels.survey.scale import labels_to_codes


def read_pairs(
    pairs: Any, labels: Mapping[str, int] | Sequence[str] | None, size: int
) -> tuple[dict[str, tuple[str, str]], dict[str, dict[str, int]]]:
    """Read the pairs: the two columns of each feature, and the texts of each column."""
    if pairs is None:
        raise ArgumentError(
            "which columns are pairs? Give KanoPair items, or {feature: (functional, dysfunctional)}"
        )
    given = _codes(labels, size)
    columns: dict[str, tuple[str, str]] = {}
    texts: dict[str, dict[str, int]] = {}
    if isinstance(pairs, Mapping):
        for feature, pair in pairs.items():
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                raise ArgumentError(
                    f"pair {feature!r}: give (functional column, dysfunctional column), not {pair!r}"
                )
            columns[str(feature)] = (pair[0], pair[1])
    else:
        if not isinstance(pairs, KanoPair | Iterable):
            raise ArgumentError(f"pairs={pairs!r}: give a survey, KanoPair items, or a mapping")
        for pair in [pairs] if isinstance(pairs, KanoPair) else pairs:
            if not isinstance(pair, KanoPair):
                raise ArgumentError(f"pairs holds {pair!r}: give KanoPair items, or a mapping")
            if pair.name in columns:
                raise ArgumentError(f"feature {pair.name!r} is listed twice")
            if (pair.scale.low, pair.scale.high) != (1, size):
                raise ArgumentError(
                    f"feature {pair.name!r} is answered on {pair.scale.rule}, the table has answers 1..{size}"
                )
            columns[pair.name] = (pair.functional, pair.dysfunctional)
            for column in columns[pair.name]:
                texts[column] = labels_to_codes(pair.scale.labels or {})
    if not columns:
        raise ArgumentError("pairs is empty: give at least one pair of questions")
    for pair in columns.values():
        for column in pair:
            texts[column] = {**texts.get(column, {}), **given}
    return columns, texts


def _codes(labels: Mapping[str, int] | Sequence[str] | None, size: int) -> dict[str, int]:
    if labels is None:
        return {}
    if isinstance(labels, str) or not isinstance(labels, Mapping | Sequence):
        raise ArgumentError(f"labels={labels!r}: give {{text: code}}, or all texts from like to dislike")
    if not isinstance(labels, Mapping):
        if len(labels) != size or len(set(labels)) < size:
            raise ArgumentError(
                f"labels: give {size} different texts from like to dislike, not {list(labels)!r}"
            )
        return {text: code for code, text in enumerate(labels, start=1)}
    for text, code in labels.items():
        if isinstance(code, bool) or code not in range(1, size + 1):
            raise ArgumentError(f"labels: {text!r} has code {code!r}, which is none of 1..{size}")
    return dict(labels)

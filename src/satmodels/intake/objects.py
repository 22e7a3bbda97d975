"""Columns of Python objects: each distinct value is judged once, and rows are looked at only where one is wrong.

Sets and lengths of Python run over a million objects far faster than anything pandas does with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import narwhals.stable.v2 as nw

from satmodels.intake.frames import OFFENDERS, Frame, collect
from satmodels.intake.rules import NESTED, ZONES, Broken, ColumnRule, has_zone, is_missing

NEVER_MISSING = frozenset({str, bytes, int, bool})  # types of which no value stands for a gap
ALIKE = frozenset({int, float, Decimal, str, type(None)})  # equal values of these types get one verdict


def holds_python_objects(frame: Frame, column: str) -> bool:
    """Say whether the cells of a column are Python objects of any type."""
    if frame.dtype(column) == nw.Object:
        return True
    return frame.engine == "pandas" and str(frame.narwhals.to_native().dtypes[column]) == "object"


def broken_cells(frame: Frame, rule: ColumnRule) -> list[Broken]:
    """Count how often each part of a rule is broken in a column of Python objects, and name the first rows."""
    cells = cells_of(frame, rule.column)
    if _fine_at_a_glance(rule, cells):
        return []
    judged = _judge(rule, cells)
    broken = {key: verdict for key, verdict in judged.verdicts.items() if verdict is not None}
    if rule.dates and True in judged.zones.values():
        broken |= {key: ZONES for key, zone in judged.zones.items() if zone is False}
    if not broken:
        return []
    counts: dict[str, int] = {}
    first: dict[str, list[tuple[Any, Any]]] = {}
    for row, key in enumerate(judged.keys):
        verdict = broken.get(key)
        if verdict is not None:
            counts[verdict] = counts.get(verdict, 0) + 1
            if len(first.setdefault(verdict, [])) < OFFENDERS:
                first[verdict].append((row, None if is_missing(cells[row]) else cells[row]))
    return [Broken(rule.column, verdict, n_bad, tuple(first[verdict])) for verdict, n_bad in counts.items()]


def times_without_zone(frame: Frame, rule: ColumnRule) -> tuple[int, list[tuple[Any, Any]], bool]:
    """Count the times without a time zone, name the first, and say whether there are others with one."""
    cells = cells_of(frame, rule.column)
    judged = _judge(rule, cells)
    naive = [row for row, key in enumerate(judged.keys) if judged.zones.get(key) is False]
    return len(naive), [(row, cells[row]) for row in naive[:OFFENDERS]], True in judged.zones.values()


def cells_of(frame: Frame, column: str) -> Sequence[Any]:
    """Return the cells of a column as they are."""
    if frame.engine == "pandas":  # a set of an array is made faster than a list of it
        return frame.narwhals.to_native()[column].to_numpy()
    return collect(frame.narwhals.select(column), "reading").get_column(column).to_list()


@dataclass(frozen=True)
class _Judged:
    """Verdicts of distinct cells: one key per row, the verdict of each key, and whether its time has a zone.

    Texts and numbers are their own keys. Other values need more: True equals 1, and one moment has several dates on earth.
    """

    keys: Sequence[Any]
    verdicts: dict[Any, str | None]
    zones: dict[Any, bool | None]


def _judge(rule: ColumnRule, cells: Sequence[Any]) -> _Judged:
    keys: Sequence[Any] = cells
    try:
        values = {cell: cell for cell in set(cells)}
        texts = all(isinstance(value, str) or is_missing(value) for value in values)
        if not texts and not set(map(type, cells)) <= ALIKE:
            keys = [(type(cell), cell, getattr(cell, "tzinfo", None)) for cell in cells]
            values = dict(zip(keys, cells, strict=True))
    except TypeError:  # a list or another value without a hash
        keys = range(len(cells))
        values = dict(zip(keys, cells, strict=True))
    verdicts = {key: rule.verdict(value) for key, value in values.items()}
    zones: dict[Any, bool | None] = {}
    if rule.dates:
        texts = set(rule.texts)
        fine = ((key, value) for key, value in values.items() if verdicts[key] is None)
        zones = {k: has_zone(v) for k, v in fine if not (isinstance(v, str) and v in texts)}
    return _Judged(keys, verdicts, zones)


def _fine_at_a_glance(rule: ColumnRule, cells: Sequence[Any]) -> bool:
    if rule.anything:
        kinds = set(map(type, cells))
        return kinds <= NEVER_MISSING or not (rule.required or any(issubclass(k, NESTED) for k in kinds))
    if rule.max_length is None:
        return False
    kinds = set(map(type, cells))
    if not kinds <= {str, type(None)} or (rule.required and type(None) in kinds):
        return False
    return max(map(len, filter(None, cells)), default=0) <= rule.max_length

"""What changed between two versions of a survey, and whether their answers can still be compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from satmodels.errors import ArgumentError
from satmodels.intake.library import FrameLibrary
from satmodels.results import Result, Table

if TYPE_CHECKING:
    from satmodels.survey.survey import Survey

# fields whose change leaves answers comparable: they describe, and do not change what was asked or coded
HARMLESS = frozenset(
    {"touchpoint", "stage", "channel", "dimension", "construct", "importance", "notes", "version", "required"}
)
ABSENT = "(none)"


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class SurveyDiff(Result):
    """Changes between two surveys: see :meth:`Survey.diff`.

    Attributes
    ----------
    changes : Table
        ``item, field, before, after, comparable``.
    """

    kind: ClassVar[str] = "survey_diff"
    changes: Table

    @property
    def same(self) -> bool:
        """Whether nothing changed."""
        return len(self.changes) == 0

    @property
    def comparable(self) -> bool:
        """Whether answers of both versions to the items they share mean the same."""
        return all(self.changes["comparable"])

    def _tidy(self) -> Table:
        return self.changes

    def _glance(self) -> Mapping[str, Any]:
        return {"n_changes": len(self.changes), "comparable": self.comparable}


def diff(before: Survey, after: Survey) -> SurveyDiff:
    """Compare two surveys; see :meth:`Survey.diff`."""
    given: Any = after
    if not isinstance(given, type(before)):
        raise ArgumentError(f"a survey is compared with another Survey, not with this {type(given).__name__}")
    rows: list[dict[str, Any]] = []

    def add(item: str, field: str, old: Any, new: Any, *, comparable: bool) -> None:
        rows.append(
            {
                "item": item,
                "field": field,
                "before": _show(old),
                "after": _show(new),
                "comparable": comparable,
            }
        )

    old_items = {item.name: item for item in before.items}
    new_items = {item.name: item for item in after.items}
    for name, item in old_items.items():
        if name not in new_items:
            add(name, "item", type(item).__name__, None, comparable=True)
            continue
        other = new_items[name]
        if type(item) is not type(other):
            add(name, "kind", type(item).__name__, type(other).__name__, comparable=False)
            continue
        for field in type(item).model_fields:
            old, new = getattr(item, field), getattr(other, field)
            if old != new:
                add(name, field, old, new, comparable=field in HARMLESS or _translation_only(old, new))
    for name, item in new_items.items():
        if name not in old_items:
            add(name, "item", None, type(item).__name__, comparable=True)
    for field in ("respondent", "date", "weight", "wave", "segments", "missing_codes", "version"):
        old, new = getattr(before, field), getattr(after, field)
        if old != new:
            add("", field, old, new, comparable=field != "missing_codes")
    return SurveyDiff(
        library=FrameLibrary.PANDAS,
        changes=Table.from_records(rows, ("item", "field", "before", "after", "comparable")),
    )


def _translation_only(old: Any, new: Any) -> bool:
    """Say whether a text only gained or lost languages."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return False
    return all(old[k] == new[k] for k in old.keys() & new.keys()) and bool(old.keys() & new.keys())


def _show(value: Any) -> str:
    return ABSENT if value is None else value if isinstance(value, str) else repr(value)

"""Make answers ready for scores and models, without touching what came in."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from satmodels.errors import SchemaError, near_matches, one_of
from satmodels.intake.frames import Frame, open_frame
from satmodels.intake.recode import Difference, Recode, count_codes, recode
from satmodels.intake.violations import count_violations
from satmodels.results import Result, Table
from satmodels.survey.check import COLUMN_THERE, Violation, _remedy
from satmodels.survey.items import Gap
from satmodels.survey.scale import in_language

if TYPE_CHECKING:
    from satmodels.survey.columns import Column
    from satmodels.survey.survey import Survey

AS_ANSWERED = "_as_answered"  # a reverse item's answers as they were given; marks a prepared frame
WAYS = ("error", "missing")
STEPS = MISSING, LABEL, INVALID, TURNED, DERIVED = (
    "missing code",
    "label to code",
    "invalid",
    "turned round",
    "derived",
)


def prepare(survey: Survey, data: Any, invalid: str = "error") -> Any:
    """Return the prepared answers; see :meth:`Survey.prepare`."""
    if invalid not in WAYS:
        raise one_of("invalid", invalid, WAYS)
    frame = open_frame(data)
    columns = [column for column in survey.columns.values() if column.item is not None]
    for column in columns:
        if column.name not in frame.columns:
            raise SchemaError(
                f"the frame has no column {column.name!r}.{near_matches(column.name, frame.columns)}",
                column=column.name,
                rule=COLUMN_THERE,
            )
    if invalid == "error":
        _refuse_invalid(survey, frame, columns)
    recodes = [_recode(column, frame, invalid) for column in columns if _changes(column, frame, invalid)]
    differences = [
        Difference(item.name, item.perception, item.expectation)
        for item in survey.items
        if isinstance(item, Gap)
    ]
    return recode(frame, recodes, differences)


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class PreparationReport(Result):
    """What preparing a frame does to it: see :meth:`Survey.preparation`.

    Attributes
    ----------
    steps : Table
        ``column, step, code, meaning, n``.
    n_rows : int
        Rows of the frame.
    """

    kind: ClassVar[str] = "preparation"
    steps: Table
    n_rows: int

    def _tidy(self) -> Table:
        return self.steps

    def _glance(self) -> Mapping[str, Any]:
        n = {step: 0 for step in STEPS}
        for row in self.steps.rows():
            n[row["step"]] += row["n"] or 0
        return {"n_rows": self.n_rows, **{f"n_{step.replace(' ', '_')}": count for step, count in n.items()}}


def preparation(survey: Survey, data: Any) -> PreparationReport:
    """Count what preparing a frame does to it; see :meth:`Survey.preparation`."""
    frame = open_frame(data)
    columns = [c for c in survey.columns.values() if c.item is not None and c.name in frame.columns]
    sources = {column.name: _source(column, frame) for column in columns}
    codes = {sources[c.name]: [*c.missing, *(c.codes or {})] for c in columns}
    counts = count_codes(frame, codes)
    rules = [dataclasses.replace(c.rule, column=sources[c.name], required=False) for c in columns]
    counted = count_violations(frame, rules)
    bad: dict[str, int] = {}
    for broken in counted.broken:
        bad[broken.column] = bad.get(broken.column, 0) + broken.n_bad
    rows: list[dict[str, Any]] = []
    for column in columns:
        item, source = column.item, sources[column.name]
        declared = {**survey.missing_codes, **((item.missing_codes if item else None) or {})}
        declared = {str(code): meaning for code, meaning in declared.items()}
        for code in column.missing:
            meaning = in_language(declared.get(str(code)))
            n = counts[(source, code)]
            rows.append(
                {"column": column.name, "step": MISSING, "code": str(code), "meaning": meaning, "n": n}
            )
        labels = sum(counts[(source, text)] for text in column.codes or {})
        steps = [(LABEL, labels), (INVALID, bad.get(source, 0))]
        if column.reverse:
            steps.append((TURNED, counted.n_rows))
        rows += [{"column": column.name, "step": step, "n": n} for step, n in steps if n]
    rows += [
        {"column": item.name, "step": DERIVED, "n": counted.n_rows}
        for item in survey.items
        if isinstance(item, Gap)
    ]
    return PreparationReport(
        library=frame.library,
        steps=Table.from_records(rows, ("column", "step", "code", "meaning", "n")),
        n_rows=counted.n_rows,
    )


def _refuse_invalid(survey: Survey, frame: Frame, columns: list[Column]) -> None:
    rules = [
        dataclasses.replace(column.rule, column=_source(column, frame), required=False) for column in columns
    ]
    counted = count_violations(frame, rules, id_column=_id_column(survey, frame))
    for broken in counted.broken:
        rule = next(rule for rule in rules if rule.column == broken.column)
        remedy = _remedy(rule, broken.rule, broken.offenders)
        raise Violation(
            broken.column,
            broken.rule,
            broken.n_bad,
            broken.offenders,
            f'{remedy} prepare(..., invalid="missing") makes them missing.',
        ).error()


def _id_column(survey: Survey, frame: Frame) -> str | None:
    return survey.respondent if survey.respondent in frame.columns else None


def _source(column: Column, frame: Frame) -> str:
    kept = f"{column.name}{AS_ANSWERED}"
    return kept if column.reverse and kept in frame.columns else column.name


def _changes(column: Column, frame: Frame, invalid: str) -> bool:
    """Say whether a column needs a recode; text and dates without codes are left as they are."""
    rule = column.rule
    return bool(invalid == "missing" or column.missing or rule.numbers or rule.codes or column.codes)


def _recode(column: Column, frame: Frame, invalid: str) -> Recode:
    scale = column.scale
    return Recode(
        column=f"{column.name}{AS_ANSWERED}" if column.reverse else column.name,
        into=column.name,
        missing=column.missing,
        codes=column.codes,
        turn=None if not column.reverse or scale is None else float(scale.low + scale.high),
        invalid=dataclasses.replace(column.rule, required=False, column=_source_name(column))
        if invalid == "missing"
        else None,
    )


def _source_name(column: Column) -> str:
    return f"{column.name}{AS_ANSWERED}" if column.reverse else column.name

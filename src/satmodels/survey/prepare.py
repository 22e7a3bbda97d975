"""Make answers ready for scores and models, without touching what came in."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from satmodels.errors import ArgumentError, SchemaError, check_word, near_matches
from satmodels.intake.duplicates import keep_one
from satmodels.intake.frames import Frame, open_frame
from satmodels.intake.recode import Difference, Recode, count_codes, recode
from satmodels.intake.repeats import repeated_rows
from satmodels.intake.rules import REQUIRED, ZONES, Broken
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
POLICIES = ("error", "first", "last", "keep")  # of several rows of a respondent
STEPS = DUPLICATES, MISSING, LABEL, INVALID, TURNED, DERIVED = (
    "duplicate",
    "missing code",
    "label to code",
    "invalid",
    "turned round",
    "derived",
)


def prepare(
    survey: Survey,
    data: Any,
    invalid: str = "error",
    duplicates: str = "error",
    max_rows: int | None = None,
) -> Any:
    """Return the prepared answers; see :meth:`Survey.prepare`."""
    check_word("invalid", invalid, WAYS)
    check_word("duplicates", duplicates, POLICIES)
    frame = open_frame(data)
    frame.refuse_more_rows(max_rows)
    columns = [column for column in survey.columns.values() if column.item is not None]
    for column in columns:
        if column.name not in frame.columns:
            raise _absent(column.name, frame)
    frame.require(name for name in survey.columns if name in frame.columns)  # Spark can't read every name
    frame = _one_row_each(survey, frame, duplicates)
    mixed: set[str] = set()
    if invalid == "error":
        _refuse_invalid(survey, frame, columns)
    elif dates := [column.rule for column in columns if column.rule.dates]:
        mixed = {broken.column for broken in count_violations(frame, dates).broken if broken.rule == ZONES}
    recodes = [_recode(column, invalid, mixed) for column in columns if _changes(column, invalid)]
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


def preparation(survey: Survey, data: Any, max_rows: int | None = None) -> PreparationReport:
    """Count what preparing a frame does to it; see :meth:`Survey.preparation`."""
    frame = open_frame(data)
    frame.refuse_more_rows(max_rows)
    columns = [c for c in survey.columns.values() if c.item is not None and c.name in frame.columns]
    frame.require(column.name for column in columns)
    sources = {column.name: _source(column, frame) for column in columns}
    codes = {sources[c.name]: [*c.missing, *(c.codes or {})] for c in columns}
    counts = count_codes(frame, codes)
    rules = [dataclasses.replace(c.rule, column=sources[c.name], required=False) for c in columns]
    counted = count_violations(frame, rules)
    bad: dict[str, int] = {}
    for broken in counted.broken:
        bad[broken.column] = bad.get(broken.column, 0) + broken.n_bad
    key = row_key(survey, frame)
    repeated = list(repeated_rows(frame, key)) if key else []
    rows: list[dict[str, Any]] = [{"column": b.column, "step": DUPLICATES, "n": b.n_bad} for b in repeated]
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


def row_key(survey: Survey, frame: Frame) -> tuple[str, ...]:
    """Return the columns that tell the rows of a frame apart, none where the survey or the frame lacks them."""
    key = tuple(name for name in (survey.respondent, survey.wave) if name is not None)
    there = survey.respondent is not None and all(name in frame.columns for name in key)
    return key if there else ()


def _one_row_each(survey: Survey, frame: Frame, duplicates: str) -> Frame:
    """Refuse several rows of a respondent (in a wave), or keep the first or last by the survey's date."""
    date = survey.date
    if duplicates in ("first", "last"):
        if survey.respondent is None or date is None:
            raise ArgumentError(
                f"duplicates={duplicates!r} needs to know whose rows these are and what comes first: "
                "Survey(respondent=..., date=...)"
            )
        for name in (survey.respondent, survey.wave, date):
            if name is not None and name not in frame.columns:
                raise _absent(name, frame)
    key = row_key(survey, frame)
    if not key or duplicates == "keep":
        return frame
    if duplicates == "error" or date is None:
        for repeated in repeated_rows(frame, key):
            raise _error(
                repeated,
                'Keep one row of each: prepare(..., duplicates="last") keeps the last by Survey(date=...). '
                "Or declare the column of the wave, Survey(wave=...).",
            )
        return frame
    rules = [survey.columns[name].rule for name in (date, *key[1:])]
    rules = [dataclasses.replace(rule, required=rule.column != date) for rule in rules]
    for broken in count_violations(frame, rules, id_column=key[0]).broken:
        what = "the wave" if broken.rule == REQUIRED else "the date"
        raise _error(broken, f"Without {what} the rows of a respondent can't be told apart.")
    return keep_one(frame, key, date, last=duplicates == "last")


def _error(broken: Broken, remedy: str) -> SchemaError:
    return Violation(broken.column, broken.rule, broken.n_bad, broken.offenders, remedy).error()


def _absent(name: str, frame: Frame) -> SchemaError:
    return SchemaError(
        f"the frame has no column {name!r}.{near_matches(name, frame.columns)}",
        column=name,
        rule=COLUMN_THERE,
    )


def _refuse_invalid(survey: Survey, frame: Frame, columns: list[Column]) -> None:
    rules = [
        dataclasses.replace(column.rule, column=_source(column, frame), required=False) for column in columns
    ]
    counted = count_violations(frame, rules, id_column=_id_column(survey, frame))
    for broken in counted.broken:
        rule = next(rule for rule in rules if rule.column == broken.column)
        remedy = _remedy(rule, broken.rule, broken.offenders)
        raise _error(broken, f'{remedy} prepare(..., invalid="missing") makes them missing.')


def _id_column(survey: Survey, frame: Frame) -> str | None:
    return survey.respondent if survey.respondent in frame.columns else None


def _source(column: Column, frame: Frame) -> str:
    kept = f"{column.name}{AS_ANSWERED}"
    return kept if column.reverse and kept in frame.columns else column.name


def _changes(column: Column, invalid: str) -> bool:
    """Say whether a column needs a recode; text and dates without codes are left as they are."""
    rule = column.rule
    return bool(invalid == "missing" or column.missing or rule.numbers or rule.codes or column.codes)


def _recode(column: Column, invalid: str, mixed: Collection[str]) -> Recode:
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
        needs_zone=column.name in mixed,
    )


def _source_name(column: Column) -> str:
    return f"{column.name}{AS_ANSWERED}" if column.reverse else column.name

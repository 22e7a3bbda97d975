"""Check a frame of answers against its survey, and report what is wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from satmodels.errors import REDACTED, SchemaError, near_matches
from satmodels.intake.categories import REMEDY, WHOLE_SCALE
from satmodels.intake.frames import Frame, open_frame
from satmodels.intake.repeats import DUPLICATE
from satmodels.intake.rules import (
    FINITE,
    ISO,
    LABELS,
    OPTIONS,
    PLAIN,
    REQUIRED,
    WHOLE,
    ZONES,
    ColumnRule,
    text_limit,
)
from satmodels.intake.violations import BOTH_OR_NEITHER, count_violations
from satmodels.results import Result, Table
from satmodels.survey.columns import kano_pairs

if TYPE_CHECKING:
    from satmodels.survey.survey import Survey

COLUMN_THERE = "column is there"
# codes that survey software writes for missing answers; one that was not declared is probably one of them
USUAL_MISSING_CODES = frozenset({-1, -2, -8, -9, -88, -99, -999, 77, 88, 96, 97, 98, 99, 996, 997, 998, 999})


@dataclasses.dataclass(frozen=True)
class Violation:
    """One broken rule of one column.

    Attributes
    ----------
    column, rule : str
        Where and what.
    n_bad : int
        How many answers break it.
    offenders : tuple of (row, value)
        The first of them: row is the 0-based position, or the respondent on engines without an order.
    remedy : str
        What to do about it.
    """

    column: str
    rule: str
    n_bad: int
    offenders: tuple[tuple[Any, Any], ...]
    remedy: str

    def error(self) -> SchemaError:
        """Return the violation as an error."""
        return SchemaError.answers(
            self.column, self.rule, self.remedy, n_bad=self.n_bad, offenders=self.offenders
        )


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class CheckReport(Result):
    """What a check found: see :meth:`Survey.check`.

    Attributes
    ----------
    survey : str
        Name of the survey.
    n_rows : int
        Rows that were checked.
    violations : tuple of Violation
        The broken rules, in the order of the survey's columns.
    """

    kind: ClassVar[str] = "check"
    survey: str
    n_rows: int
    violations: tuple[Violation, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.violations

    @property
    def n_bad(self) -> int:
        """How many answers break a rule, over all rules."""
        return sum(v.n_bad for v in self.violations)

    def raise_for_errors(self) -> None:
        """Raise the first violation as a SchemaError that also counts the others."""
        if self.ok:
            return
        error = self.violations[0].error()
        others = len(self.violations) - 1
        if others:
            names = dict.fromkeys(v.column for v in self.violations[1:])
            plural = "rule is" if others == 1 else "rules are"
            error.args = (f"{error} {others} more {plural} broken, in {text_limit(names)}.",)
        raise error

    def redacted(self) -> CheckReport:
        """Return the same report without any answer in it, for logs and API replies."""
        hidden = tuple(
            dataclasses.replace(v, offenders=tuple((row, REDACTED) for row, _ in v.offenders))
            for v in self.violations
        )
        return dataclasses.replace(self, violations=hidden)

    def _tidy(self) -> Table:
        return Table.from_records(
            (
                {
                    "column": v.column,
                    "rule": v.rule,
                    "n_bad": v.n_bad,
                    "first_row": v.offenders[0][0] if v.offenders else None,
                    "first_value": None if not v.offenders else _text(v.offenders[0][1]),
                    "offenders": ", ".join(f"{value!r} in row {row!r}" for row, value in v.offenders),
                }
                for v in self.violations
            ),
            names=("column", "rule", "n_bad", "first_row", "first_value", "offenders"),
        )

    def _glance(self) -> Mapping[str, Any]:
        return {
            "survey": self.survey,
            "n_rows": self.n_rows,
            "n_rules_broken": len(self.violations),
            "n_bad": self.n_bad,
            "ok": self.ok,
        }


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def check(survey: Survey, data: Any, max_rows: int | None = None) -> CheckReport:
    """Count the violations of a survey's rules in a frame; see :meth:`Survey.check`."""
    frame = open_frame(data)
    frame.refuse_more_rows(max_rows)
    there = [column.rule for name, column in survey.columns.items() if name in frame.columns]
    frame.require(rule.column for rule in there)  # Spark can't read every name
    pairs = [pair for pair in kano_pairs(survey) if all(column in frame.columns for column in pair)]
    key = tuple(c for c in (survey.respondent, survey.wave) if c is not None)
    if survey.respondent is None or any(c not in frame.columns for c in key):
        key = ()
    id_column = survey.respondent if survey.respondent in frame.columns else None
    counted = count_violations(frame, there, pairs, key, id_column)
    absent = [_absent(name, frame) for name in survey.columns if name not in frame.columns]
    found = [
        Violation(
            b.column,
            b.rule,
            b.n_bad,
            b.offenders,
            _remedy(survey.columns[b.column].rule, b.rule, b.offenders),
        )
        for b in counted.broken
    ]
    return CheckReport(
        library=frame.library, survey=survey.name, n_rows=counted.n_rows, violations=(*absent, *found)
    )


def _absent(name: str, frame: Frame) -> Violation:
    return Violation(
        name, COLUMN_THERE, 1, (), f"The frame has no column {name!r}.{near_matches(name, frame.columns)}"
    )


def _remedy(rule: ColumnRule, broken: str, offenders: tuple[tuple[Any, Any], ...]) -> str:
    """Say what to do about a broken rule."""
    if broken == rule.range_text and any(_usual_missing(value) for _, value in offenders):
        return "If these are codes for missing answers, declare them: Survey(missing_codes={...})."
    fixed = {
        FINITE: "Infinite values are no answers: correct them or set them to missing.",
        PLAIN: "Lists and records can't be compared: give a text or a number.",
        WHOLE: "Answers are whole codes: nothing is rounded. Correct the column, or use Number.",
        REQUIRED: "Fill it in, or declare the item without required=True.",
        ISO: "Write dates as 2026-03-31.",
        ZONES: "The order of times with and without an offset from UTC is unknown: give all of them one, or none.",
        OPTIONS: f"Options are {text_limit(map(str, (*rule.codes, *rule.texts)))}.",
        LABELS: f"Labels are {text_limit(rule.texts)}.",
        rule.type_text: f"Convert the column first: it has to be {rule.type_text}.",
    }
    if broken in fixed:
        return fixed[broken]
    if broken.startswith(WHOLE_SCALE):
        return REMEDY
    if broken.startswith(DUPLICATE):
        return "Keep one row of each, or declare the column of the wave: Survey(wave=...)."
    if broken.startswith(BOTH_OR_NEITHER):
        return "A Kano pair needs both answers."
    return "Correct these answers, or declare what else is possible."


def _usual_missing(value: Any) -> bool:
    try:
        return value in USUAL_MISSING_CODES
    except TypeError:
        return False

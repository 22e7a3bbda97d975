"""Importance as respondents state it, item by item."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from satmodels.errors import ArgumentError, DataError
from satmodels.intake.frames import open_frame
from satmodels.intake.violations import count_violations
from satmodels.statistics.moments import Moments
from satmodels.survey.check import Violation

if TYPE_CHECKING:
    from satmodels.survey.survey import Survey


def stated_importance(survey: Survey, data: Any, weight: str | None = None) -> dict[str, float]:
    """Return the mean importance of each item; see :meth:`Survey.stated_importance`."""
    stated = survey.importance
    if not stated:
        raise ArgumentError(
            f"no item of survey {survey.name!r} states its importance: Rating(..., importance='column')"
        )
    asked = {column: source for column, source in stated.items() if isinstance(source, str)}
    if not asked:
        return {column: float(number) for column, number in stated.items()}
    if len(asked) < len(stated):
        raise ArgumentError(
            f"the importance of {sorted(asked)} is a column and that of {sorted(stated.keys() - asked)} a number: "
            "they can't be set against each other"
        )
    frame = open_frame(data)
    frame.require(asked.values(), role="column of importance")
    # no code and no label may count as a number
    rules = [
        dataclasses.replace(survey.columns[source].rule, codes=(), texts=(), required=False)
        for source in asked.values()
    ]
    for b in count_violations(frame, rules, id_column=None).broken:
        remedy = "Prepare the answers first: survey.prepare(frame)."
        raise Violation(b.column, b.rule, b.n_bad, b.offenders, remedy).error()
    found: dict[str, float] = {}
    for column, source in asked.items():
        moments = Moments.collect(frame, [source], weight)
        if moments.n == 0 or moments.sum_w <= 0:
            raise DataError(f"column {source!r}: nobody said how important {column!r} is", columns=[source])
        found[column] = float(moments.mean[0])
    return found

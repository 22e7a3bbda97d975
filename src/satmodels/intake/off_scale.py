"""Answers off the scale and codes of missing answers, counted in one pass."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from satmodels.errors import SchemaError
from satmodels.intake.answers import AnswerRule, invalid, number
from satmodels.intake.batches import batches
from satmodels.intake.frames import LARGEST_FLOAT, Frame, check_numeric_type, collect, refuse_infinite
from satmodels.intake.parts import in_memory, in_parts


@dataclass(frozen=True)
class AnswerCounts:
    """How many answers of each column are off its scale, and how often each missing code was given."""

    invalid: dict[str, int]
    coded: dict[tuple[str, float], int]


def count_off_scale(frame: Frame, rules: Mapping[str, AnswerRule]) -> AnswerCounts:
    """Count, in one pass, the answers off the scale of each column and the missing codes.

    Raises
    ------
    SchemaError
        Answers are off the scale of a column whose rule does not exclude them; or a column holds no numbers
        or infinite ones, which are no answers even where those off the scale are left out.
    """
    for column in rules:
        frame.require([column])
        check_numeric_type(frame, column)
        _refuse_text_in_objects(frame, column)
    plain = {c: AnswerRule(r.low, r.high, r.missing_codes, whole=r.whole) for c, r in rules.items()}
    counts = _count_in_memory(frame, plain) if in_memory(frame) else _count_in_engine(frame, plain)
    for column, rule in rules.items():
        if counts.invalid[column] and not rule.exclude_invalid:
            raise SchemaError.answers(
                column,
                rule.shown(),
                "Declare codes such as 99 as missing (missing_codes=), correct the answers, "
                'or leave them out with on_invalid="exclude".',
                n_bad=counts.invalid[column],
                offenders=_first_off_scale(frame, column, plain[column]),
            )
    return counts


def _first_off_scale(frame: Frame, column: str, rule: AnswerRule) -> list[tuple[Any, Any]]:
    bad = invalid(number(column, rule), rule)
    if frame.dtype(column).is_integer():  # Arrow refuses to make a float of a whole number beyond 2**53
        x = nw.col(column)
        bad = (x < math.ceil(rule.low)) | (x > math.floor(rule.high))
        for code in rule.missing_codes:
            if float(code).is_integer():
                bad = bad & (x != int(code))
    return frame.first_rows(column, bad)


def _count_in_memory(frame: Frame, rules: Mapping[str, AnswerRule]) -> AnswerCounts:
    invalid = dict.fromkeys(rules, 0)
    coded = {(c, code): 0 for c, rule in rules.items() for code in rule.missing_codes}
    for block in batches(frame, list(rules)):
        for i, (column, rule) in enumerate(rules.items()):
            x = block[:, i]
            for code in rule.missing_codes:
                coded[(column, code)] += int((x == code).sum())
            x = x[~(np.isnan(x) | np.isin(x, rule.missing_codes))]
            bad = (x < rule.low) | (x > rule.high)
            invalid[column] += int((bad | (x != np.round(x))).sum() if rule.whole else bad.sum())
    return AnswerCounts(invalid, coded)


def _count_in_engine(frame: Frame, rules: Mapping[str, AnswerRule]) -> AnswerCounts:
    flags: dict[str, nw.Expr] = {}
    for i, (column, rule) in enumerate(rules.items()):
        x = number(column)
        flags[f"b{i}"] = invalid(number(column, rule), rule)
        flags[f"f{i}"] = (x > LARGEST_FLOAT) | (x < -LARGEST_FLOAT)
        flags |= {f"c{i}_{k}": x == code for k, code in enumerate(rule.missing_codes)}
    ones = [nw.when(flag).then(nw.lit(1)).otherwise(nw.lit(0)).alias(name) for name, flag in flags.items()]
    (native,) = in_parts(frame, [])
    counted = collect(native.select(*ones).select(nw.all().sum()), "checking the answers")
    n = {name: int(counted[name][0] or 0) for name in flags}
    refuse_infinite(frame, [c for i, c in enumerate(rules) if n[f"f{i}"]])
    return AnswerCounts(
        {c: n[f"b{i}"] for i, c in enumerate(rules)},
        {
            (c, code): n[f"c{i}_{k}"]
            for i, (c, rule) in enumerate(rules.items())
            for k, code in enumerate(rule.missing_codes)
        },
    )


def _refuse_text_in_objects(frame: Frame, column: str) -> None:
    """Look at every cell of an object column: there True hides beside 1 and "9" beside 9."""
    if frame.dtype(column) != nw.Object:
        return
    bad: list[tuple[int, Any]] = [
        (i, v)
        for i, v in enumerate(frame.values(column))
        if v is not None and isinstance(v, bool | str | bytes)
    ]
    if bad:
        raise SchemaError.answers(
            column, "numeric", "Convert the answers to numbers first.", n_bad=len(bad), offenders=bad[:5]
        )

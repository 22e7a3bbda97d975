"""Answers on a scale as the engine sees them: codes of missing answers, and what is off the scale."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw

from satmodels.errors import SchemaError
from satmodels.intake.frames import LARGEST_FLOAT, Frame, check_numeric_type, collect, refuse_infinite

PART_ROWS = 131_072  # times 100 columns of float64: 100 MB


@dataclass(frozen=True)
class AnswerRule:
    """What counts as an answer in one column: numbers from low to high (whole, unless told), but no missing code."""

    low: float
    high: float
    missing_codes: tuple[float, ...] = ()
    exclude_invalid: bool = False
    whole: bool = True

    def shown(self) -> str:
        """Return the rule as errors show it."""
        return f"{self.low:g}..{self.high:g}" + (" in whole numbers" if self.whole else "")


def number(column: str, rule: AnswerRule | None = None) -> nw.Expr:
    """Return a column as float64 with null for NaN, for missing codes and, if so ruled, for what is off the scale."""
    x = nw.col(column).cast(nw.Float64)
    x = nw.when(x.is_nan()).then(nw.lit(None, dtype=nw.Float64)).otherwise(x)
    if rule is None:
        return x
    for code in rule.missing_codes:
        x = nw.when(x == code).then(nw.lit(None, dtype=nw.Float64)).otherwise(x)
    if rule.exclude_invalid:
        x = nw.when(_valid(x, rule)).then(x)
    return x


def _valid(x: nw.Expr, rule: AnswerRule) -> nw.Expr:
    within = (x >= rule.low) & (x <= rule.high)
    return within & (x.round(0) == x) if rule.whole else within


def _invalid(x: nw.Expr, rule: AnswerRule) -> nw.Expr:
    # true only for an answer that is there: each comparison is false or null for a missing one
    outside = (x < rule.low) | (x > rule.high)
    return outside | (x.round(0) > x) | (x.round(0) < x) if rule.whole else outside


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
    if in_memory(frame):
        from satmodels.intake.composite_blocks import off_scale

        counts = off_scale(frame, plain)
    else:
        counts = _count_in_engine(frame, plain)
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
    bad = _invalid(number(column, rule), rule)
    if frame.dtype(column).is_integer():  # Arrow refuses to make a float of a whole number beyond 2**53
        x = nw.col(column)
        bad = (x < math.ceil(rule.low)) | (x > math.floor(rule.high))
        for code in rule.missing_codes:
            if float(code).is_integer():
                bad = bad & (x != int(code))
    return frame.first_rows(column, bad)


def _count_in_engine(frame: Frame, rules: Mapping[str, AnswerRule]) -> AnswerCounts:
    flags: dict[str, nw.Expr] = {}
    for i, (column, rule) in enumerate(rules.items()):
        x = number(column)
        flags[f"b{i}"] = _invalid(number(column, rule), rule)
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


def in_memory(frame: Frame) -> bool:
    """Say whether the rows are a pandas or Arrow table, which numpy sums up faster than its own group-by."""
    return frame.eager and frame.engine != "polars"


def in_parts(frame: Frame, columns: Sequence[str]) -> Iterator[Any]:
    """Go through the frame in parts of which a few dozen derived columns fit in memory.

    An engine that runs whole queries gets one part; only a frame in memory is cut.
    """
    native: Any = frame.narwhals
    if frame.engine == "polars":
        yield native.lazy()
    elif in_memory(frame):
        needed: Any = native.select(list(dict.fromkeys(columns)))
        for start in range(0, max(len(needed), 1), PART_ROWS):
            yield needed[start : start + PART_ROWS]
    else:
        yield native


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


def numbers(columns: Sequence[str], rules: Mapping[str, AnswerRule]) -> list[nw.Expr]:
    """Return the columns as cleaned numbers named x0, x1, ..."""
    return [number(c, rules.get(c)).alias(f"x{i}") for i, c in enumerate(columns)]

"""Answers on a scale as the engine sees them: codes of missing answers, and what is off the scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import narwhals.stable.v2 as nw


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


def invalid(x: nw.Expr, rule: AnswerRule) -> nw.Expr:
    """Return whether a cleaned answer is off the scale."""
    # true only for an answer that is there: each comparison is false or null for a missing one
    outside = (x < rule.low) | (x > rule.high)
    return outside | (x.round(0) > x) | (x.round(0) < x) if rule.whole else outside


def numbers(columns: Sequence[str], rules: Mapping[str, AnswerRule]) -> list[nw.Expr]:
    """Return the columns as cleaned numbers named x0, x1, ..."""
    return [number(c, rules.get(c)).alias(f"x{i}") for i, c in enumerate(columns)]

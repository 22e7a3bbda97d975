"""The two validators agree: columns of any engine, and the strict model of one answer."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import satmodels as sat

LABELS = ["never", "rarely", "sometimes", "often", "always"]
SURVEY = sat.Survey(
    "s",
    [
        sat.Recommend("nps"),
        sat.Rating("q", sat.Scale(1, 5, LABELS)),
        sat.KanoPair("wifi", "f", "d"),
        sat.Choice("code", {1: "one", 2: "two"}),
        sat.Choice("region", ["north", "south"]),
        sat.MultiChoice("used", ["app"]),
        sat.Number("age", 18, 120, integer=True),
        sat.Number("spend", 0),
        sat.Text("why", max_length=4),
        sat.Date("day", date(2020, 2, 29), date(2026, 12, 31)),
    ],
    missing_codes={99: "don't know", -9: "refused"},
)
numbers = st.one_of(
    st.none(),
    st.integers(-12, 12),
    st.sampled_from(
        [99, 98, 120, 121, 18, 9.5, 0.5, math.nan, math.inf, -math.inf, 8.999999999, 2.0**60, -0.0]
    ),
)
texts = st.one_of(
    st.none(),
    st.sampled_from(
        [*LABELS, "Often", "often ", "", "9", "north", "one", "不知道", "abcd", "abcde", "é" * 4]
    ),
)
dates = st.one_of(
    st.none(),
    st.dates(date(2019, 1, 1), date(2028, 1, 1)).map(str),
    st.sampled_from(
        [
            "2020-02-29",
            "2021-02-29",
            "1900-02-29",
            "2000-02-29",
            "2026-12-31",
            "2027-01-01",
            "2026-13-01",
            "2026-04-31",
            "2026-1-1",
            "0000-01-01",
            "2026-01-01T10:00:00",
            "2026-01-01T25:00",
            "2026-01-01T10:00:00Z",
            "2026-01-01T10:00:00+01:00",
            "２０２６-01-01",
            "20260101",
        ]
    )
    | st.sampled_from(["2026-01-01\n", " 2026-01-01"]),
)
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "nps": numbers,
    "q": numbers,
    "f": numbers,
    "d": numbers,
    "code": numbers,
    "used_app": numbers,
    "age": numbers,
    "spend": numbers,
    "region": texts,
    "why": texts,
    "day": dates,
}
# an example costs six frames: a failing one is shown as it is, not made smaller
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
rows = st.lists(st.fixed_dictionaries(KINDS), min_size=1, max_size=6)


def engines(answers: list[dict[str, Any]]) -> dict[str, Any]:
    columns = {name: [row[name] for row in answers] for name in KINDS}
    floats = {name: KINDS[name] is numbers for name in KINDS}
    numeric = {
        name: np.array([np.nan if v is None else v for v in values], dtype=float)
        for name, values in columns.items()
        if floats[name]
    }
    typed = {name: numeric[name] if floats[name] else columns[name] for name in KINDS}
    polars = pl.DataFrame(
        {
            name: pl.Series(
                name, columns[name], dtype=pl.Float64 if floats[name] else pl.String, strict=False
            )
            for name in KINDS
        }
    )
    return {
        "objects": pd.DataFrame({name: pd.Series(v, dtype=object) for name, v in columns.items()}),
        "numpy": pd.DataFrame(typed),
        "strings": pd.DataFrame(
            {
                name: v if floats[name] else pd.array(columns[name], dtype="string")
                for name, v in typed.items()
            }
        ),
        "polars": polars,
        "lazy": polars.lazy(),
        "arrow": polars.to_arrow(),
    }


def by_row(answers: list[dict[str, Any]]) -> dict[str, int]:
    """Count the errors of the row-wise model per column."""
    counts: dict[str, int] = {}
    for row in answers:
        try:
            SURVEY.Answer.model_validate(row)
        except ValidationError as error:
            for found in error.errors():
                column = str(found["loc"][0]) if found["loc"] else "pair"
                counts[column] = counts.get(column, 0) + 1
    return counts


@settings(max_examples=12, deadline=None, phases=PHASES)
@given(rows)
def test_both_validators_give_the_same_verdict(answers):
    expected = by_row(answers)
    expected.pop("pair", None)  # the model looks at pairs only where every answer alone is right
    for name, frame in engines(answers).items():
        counted: dict[str, int] = {}
        for violation in SURVEY.check(frame).violations:
            if not violation.rule.startswith("both or neither"):
                counted[violation.column] = counted.get(violation.column, 0) + violation.n_bad
        assert counted == expected, name


@settings(max_examples=12, deadline=None, phases=PHASES)
@given(
    st.lists(
        st.tuples(st.sampled_from([None, 1, 5, 99]), st.sampled_from([None, 3, -9])), min_size=1, max_size=5
    )
)
def test_both_validators_see_half_answered_pairs(pairs):
    survey = sat.Survey("s", [sat.KanoPair("w", "f", "d")], missing_codes={99: "dk", -9: "no"})
    expected = 0
    for f, d in pairs:
        try:
            survey.Answer.model_validate({"f": f, "d": d})
        except ValidationError:
            expected += 1
    frame = pd.DataFrame({"f": [f for f, _ in pairs], "d": [d for _, d in pairs]}, dtype="float64")
    for data in (frame, pl.from_pandas(frame)):
        assert survey.check(data).n_bad == expected


@settings(max_examples=4, deadline=None, phases=PHASES)
@given(rows)
def test_prepared_answers_are_right_and_stay_as_they_are(answers):
    for name, frame in engines(answers).items():
        prepared = SURVEY.prepare(frame, invalid="missing")
        cell_rules = [
            v for v in SURVEY.check(prepared).violations if not v.rule.startswith("both or neither")
        ]
        assert not cell_rules, name
        again = SURVEY.prepare(prepared, invalid="missing")
        for column in KINDS:
            first, second = (_column(data, column) for data in (prepared, again))
            assert first == second, (name, column)
            assert -9 not in first and (99 not in first or column in ("spend", "age"))


def _column(frame: Any, column: str) -> list[Any]:
    frame = frame.collect() if isinstance(frame, pl.LazyFrame) else frame
    values = (
        frame[column].to_pylist()
        if not isinstance(frame, pd.DataFrame | pl.DataFrame)
        else list(frame[column])
    )
    return [None if pd.isna(v) else v for v in values]

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
FIVE = sat.Scale(1, 5, LABELS)
SURVEY = sat.Survey(
    "s",
    [
        sat.Recommend("nps", required=True),
        sat.Rating("q", FIVE, importance="q_matters", importance_scale=sat.Scale(1, 3)),
        sat.Rating("turned", FIVE, reverse=True, missing_codes={"no idea": "does not know"}),
        sat.Effort("effort", sat.Scale(1, 7)),
        sat.KanoPair("wifi", "f", "d", importance="wifi_matters"),
        sat.Gap("speed", "e", "p", importance=3.0),
        sat.Choice("code", {1: "one", 2: "two"}),
        sat.Choice("region", ["north", "south"], required=True),
        sat.MultiChoice("used", ["app", "web"]),
        sat.Number("age", 18, 120, integer=True),
        sat.Number("spend", 0),
        sat.Text("why", max_length=4),
        sat.Date("day", date(2020, 2, 29), date(2026, 12, 31)),
    ],
    respondent="id",
    weight="w",
    segments=["shop"],
    missing_codes={99: "don't know", -9: "refused"},
)
BETWEEN_ROWS = ("one row per", "all or no time zones")  # no single answer can break these
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
    **dict.fromkeys(("nps", "q", "turned", "effort", "f", "d", "e", "p", "code", "age", "spend"), numbers),
    **dict.fromkeys(("used_app", "used_web", "q_matters", "wifi_matters", "w"), numbers),
    **dict.fromkeys(("region", "why", "id", "shop"), texts),
    "day": dates,
}
LABELLED = ("q", "turned", "code", "f", "d")  # columns of numbers that take labels too
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


def by_row(answers: list[dict[str, Any]]) -> dict[tuple[str, str], int]:
    """Count the errors of the row-wise model by column and rule."""
    counts: dict[tuple[str, str], int] = {}
    for row in answers:
        broken = False
        try:
            SURVEY.Answer.model_validate(row)
        except ValidationError as error:
            for found in error.errors():
                broken = True
                if found["loc"]:  # half-answered pairs are counted below
                    place = (str(found["loc"][0]), found["msg"].removeprefix("the rule is: "))
                    counts[place] = counts.get(place, 0) + 1
        half = len({row[c] is None or row[c] != row[c] for c in ("f", "d")}) == 2
        assert broken or not half  # the model looks at pairs where every answer alone is right
        if half:
            place = ("f", "both or neither of it and 'd'")
            counts[place] = counts.get(place, 0) + 1
    return counts


def by_column(frame: Any) -> dict[tuple[str, str], int]:
    violations = SURVEY.check(frame).violations
    return {(v.column, v.rule): v.n_bad for v in violations if not v.rule.startswith(BETWEEN_ROWS)}


@settings(max_examples=5, deadline=None, phases=PHASES)
@given(rows)
def test_both_validators_give_the_same_verdict(answers):
    expected = by_row(answers)
    for name, frame in engines(answers).items():
        assert by_column(frame) == expected, name


@settings(max_examples=5, deadline=None, phases=PHASES)
@given(st.lists(st.fixed_dictionaries({c: texts for c in LABELLED}), min_size=1, max_size=6))
def test_both_validators_read_labels_alike(labels):
    plain = {"nps": 9, "region": "north", "id": "x", "w": 1.0}
    answers = [dict.fromkeys(KINDS) | plain | row for row in labels]
    expected = by_row(answers)
    columns = {name: [row[name] for row in answers] for name in KINDS}
    objects = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})
    polars = pl.DataFrame(columns, schema_overrides=dict.fromkeys(LABELLED, pl.String))
    categories = objects.astype(dict.fromkeys(LABELLED, "category"))
    frames = {"objects": objects, "polars": polars, "arrow": polars.to_arrow(), "categories": categories}
    for name, frame in frames.items():
        assert by_column(frame) == expected, name


@settings(max_examples=5, deadline=None, phases=PHASES)
@given(rows.map(lambda found: found[:1]))
def test_an_answer_is_accepted_exactly_if_its_row_is(answers):
    """With nothing else wrong, so that pairs are looked at too."""
    good = {"nps": 9, "region": "north", "id": "x", "w": 1.0}
    answers = [
        {c: None for c in KINDS} | good | {c: answers[0][c] for c in ("f", "d", "day", "used_app", "e")}
    ]
    try:
        SURVEY.Answer.model_validate(answers[0])
        accepted = True
    except ValidationError:
        accepted = False
    for name, frame in engines(answers).items():
        assert SURVEY.check(frame).ok == accepted, name


@settings(max_examples=3, deadline=None, phases=PHASES)
@given(rows)
def test_prepared_answers_are_right_and_stay_as_they_are(answers):
    frames = engines(answers)
    for name, frame in {name: frames[name] for name in ("objects", "polars", "arrow")}.items():
        prepared = SURVEY.prepare(frame, invalid="missing", duplicates="keep")
        left = by_column(prepared)
        assert not [p for p in left if p[0] != "w" and not p[1].startswith(("both or neither", "required"))]
        again = SURVEY.prepare(prepared, invalid="missing", duplicates="keep")
        for column in set(KINDS) - {"id", "w", "shop"}:
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

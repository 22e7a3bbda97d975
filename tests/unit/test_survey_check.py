"""Checking and preparing answers: the same verdict on every engine, and the input is never changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

import satmodels as sat

SURVEY = sat.Survey(
    "shop",
    [
        sat.Recommend("nps"),
        sat.Rating("q1", sat.Scale(1, 5, ["never", "rarely", "some", "often", "always"]), reverse=True),
        sat.KanoPair("wifi", "f", "d"),
        sat.Gap("reliable", "e", "p", "reliability"),
        sat.Choice("region", ["n", "s"]),
        sat.MultiChoice("used", ["app", "web"]),
        sat.Number("age", 18, 120, integer=True),
        sat.Text("why", max_length=5),
        sat.Date("when", earliest=date(2020, 1, 1)),
    ],
    respondent="id",
    missing_codes={99: "don't know", -9: "refused"},
)
ANSWERS = pd.DataFrame(
    {
        "id": [1, 2, 3, 3, None],
        "nps": [9, 11, 99, np.nan, 9.5],
        "q1": ["often", "sometimes", "never", None, "always"],
        "f": [1.0, 2, np.nan, 99, 6],
        "d": [5, np.nan, np.nan, 1, 5],
        "e": [7, 7, 7, 8, 1],
        "p": [5, 6, np.inf, 1, 1],
        "region": ["n", "s", "w", None, "n"],
        "used_app": [1, 0, 2, 1, 0],
        "used_web": [True, False, True, False, True],
        "age": [17, 20, 30.5, np.nan, 121],
        "why": ["ok", "toolong", None, "", "=cmd"],
        "when": ["2026-13-01", "2026-02-29", "2024-02-29", "2019-12-31", None],
    }
)
WRONG = [
    ("nps", "0..10", 1, 1),
    ("nps", "whole numbers", 1, 4),
    ("q1", "labels", 1, 1),
    ("f", "1..5", 1, 4),
    ("f", "both or neither of it and 'd'", 1, 1),
    ("e", "1..7", 1, 3),
    ("p", "finite", 1, 2),
    ("region", "options", 1, 2),
    ("used_app", "options", 1, 2),
    ("age", "18..120", 2, 0),
    ("age", "whole numbers", 1, 2),
    ("why", "at most 5 characters", 1, 1),
    ("when", "ISO date", 2, 0),
    ("when", "not before 2020-01-01", 1, 3),
    ("id", "required", 1, 4),
    ("id", "one row per id", 1, 3),
]


def as_pandas(frame: Any) -> pd.DataFrame:
    for method in ("collect", "df", "to_pandas"):
        if hasattr(frame, method):
            frame = getattr(frame, method)()
    return frame


def test_check_counts_every_rule_alike_on_every_engine(engine):
    frame = engine(ANSWERS)
    before = as_pandas(frame).copy()
    report = SURVEY.check(frame)
    assert [(v.column, v.rule, v.n_bad) for v in report.violations] == [w[:3] for w in WRONG]
    if not type(frame).__module__.startswith("_duckdb") and "duckdb" not in type(frame).__module__:
        assert [v.offenders[0][0] for v in report.violations] == [w[3] for w in WRONG]
    assert report.n_rows == 5 and not report.ok and report.n_bad == sum(w[2] for w in WRONG)
    pd.testing.assert_frame_equal(as_pandas(frame), before)
    tidy = as_pandas(report.tidy())
    assert list(tidy.columns) == ["column", "rule", "n_bad", "first_row", "first_value", "offenders"]
    with pytest.raises(sat.SchemaError) as caught:
        report.raise_for_errors()
    assert caught.value.column == "nps" and caught.value.value == 11 and "15 more" in str(caught.value)


def test_prepare_recodes_alike_on_every_engine_and_twice_changes_nothing(engine):
    frame = engine(ANSWERS)
    before = as_pandas(frame).copy()
    prepared = SURVEY.prepare(frame, invalid="missing", duplicates="keep")
    assert type(prepared) is type(frame)
    twice = as_pandas(SURVEY.prepare(prepared, invalid="missing", duplicates="keep"))
    found = as_pandas(prepared)
    pd.testing.assert_frame_equal(as_pandas(frame), before)
    for column, expected in {
        "nps": [9, None, None, None, None],
        "q1": [2, None, 5, None, 1],
        "f": [1, 2, None, None, None],
        "reliable": [-2, -1, None, None, 0],
        "age": [None, 20, None, None, None],
        "region": ["n", "s", None, None, "n"],
    }.items():
        for values in (found[column], twice[column]):
            assert [None if pd.isna(v) else v for v in values] == expected, column
    assert found["q1_as_answered"].tolist()[0] == "often"


def test_clean_answers_pass_and_prepare_without_an_error(engine):
    frame = engine(pd.DataFrame({"nps": [9, 10, 99], "q1": [1, 2, 5], "q2": [1, 1, 2]}).astype("int8"))
    survey = sat.Survey(
        "s",
        [
            sat.Recommend("nps"),
            sat.Rating("q1", sat.Scale(1, 5), reverse=True),
            sat.Rating("q2", sat.Scale(1, 2)),
        ],
        missing_codes={99: "dk", 999: "no answer", -9: "refused"},
    )
    survey.check(frame).raise_for_errors()
    prepared = as_pandas(survey.prepare(frame))
    assert prepared["q1"].tolist() == [5, 4, 1]
    assert prepared["nps"].tolist()[:2] == [9, 10] and pd.isna(prepared["nps"][2])


def test_prepare_refuses_what_it_can_not_read(engine):
    with pytest.raises(sat.SchemaError, match="missing_codes") as caught:
        sat.Survey("s", [sat.Recommend("nps")]).prepare(engine(pd.DataFrame({"nps": [1, 98]})))
    assert caught.value.column == "nps" and caught.value.n_bad == 1
    with pytest.raises(sat.SchemaError, match="Did you mean 'npss'"):
        sat.Survey("s", [sat.Recommend("nps")]).prepare(engine(pd.DataFrame({"npss": [1]})))
    with pytest.raises(sat.ArgumentError, match="invalid"):
        SURVEY.prepare(ANSWERS, invalid="ignore")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ([9, "10", 6], "numeric"),
        ([9, True, 6], "numeric"),
        (["9", "10"], "numeric"),
        ([True, False], "numeric"),
        ([9, 9.5], "whole numbers"),
        ([9, 8.999999999], "whole numbers"),
        ([9, float("-inf")], "finite"),
        ([9, 2**62], "0..10"),
        ([date(2026, 1, 1)], "numeric"),
        ([9, [1]], "numeric"),
        ([Decimal("9.5")], "whole numbers"),
    ],
)
def test_what_no_scale_takes(values, rule):
    report = sat.Survey("s", [sat.Recommend("nps")]).check(pd.DataFrame({"nps": pd.Series(values)}))
    assert [v.rule for v in report.violations] == [rule]


@pytest.mark.parametrize("values", [[9, None, 10], [Decimal("9"), 3], [np.nan, 9.0], [None, None], []])
def test_what_a_scale_takes(values):
    frame = pd.DataFrame({"nps": pd.Series(values, dtype=object)})
    assert sat.Survey("s", [sat.Recommend("nps")]).check(frame).ok


def test_categories_are_scores_only_if_they_are_the_whole_ordered_scale():
    survey = sat.Survey("s", [sat.Rating("q", sat.Scale(1, 3))])
    whole = pd.Categorical([1, 3], categories=[1, 2, 3], ordered=True)
    part = pd.Categorical([1, 3], categories=[1, 3], ordered=True)
    unordered = pd.Categorical([1, 3], categories=[1, 2, 3])
    turned = pd.Categorical([1, 3], categories=[3, 2, 1], ordered=True)
    coded = pd.Categorical([1, 99], categories=[1, 2, 3, 99], ordered=True)
    text = pd.Categorical(["1", "3"])
    assert survey.check(pd.DataFrame({"q": whole})).ok
    assert survey.prepare(pd.DataFrame({"q": whole}))["q"].tolist() == [1, 3]
    for bad in (part, text, unordered, turned):
        report = survey.check(pd.DataFrame({"q": bad}))
        assert report.n_bad == 2
        rule = "numeric" if bad is text else "the ordered categories are 1..3"
        assert report.violations[0].rule == rule
    assert survey.check(pd.DataFrame({"q": coded})).n_bad == 2
    declared = survey.model_copy(update={"missing_codes": {99: "dk"}})
    assert declared.check(pd.DataFrame({"q": coded})).ok
    assert declared.prepare(pd.DataFrame({"q": coded}))["q"].isna().tolist() == [False, True]


def test_missing_columns_suggest_what_is_there():
    report = sat.Survey("s", [sat.Recommend("nps")], respondent="id").check(pd.DataFrame({"npss": [1]}))
    assert [v.column for v in report.violations] == ["nps", "id"]
    with pytest.raises(sat.SchemaError, match="Did you mean 'npss'"):
        report.raise_for_errors()


def test_waves_make_repeated_respondents_legal(engine):
    frame = engine(pd.DataFrame({"id": [1, 1, 2, 2], "wave": ["a", "b", "a", "a"], "nps": [1, 2, 3, 4]}))
    item = [sat.Recommend("nps")]
    assert sat.Survey("s", item, respondent="id").check(frame).n_bad == 2
    report = sat.Survey("s", item, respondent="id", wave="wave").check(frame)
    assert report.n_bad == 1 and report.violations[0].rule == "one row per id and wave"


def test_dates_are_bounded_on_date_and_timestamp_columns(engine):
    survey = sat.Survey("s", [sat.Date("d", date(2026, 1, 1), date(2026, 12, 31))])
    days = [datetime(2026, 12, 31, 23, 59), datetime(2025, 12, 31, 23, 59), datetime(2027, 1, 1), None]
    report = survey.check(engine(pd.DataFrame({"d": pd.Series(days, dtype="datetime64[ns]")})))
    assert [(v.rule, v.n_bad) for v in report.violations] == [("2026-01-01..2026-12-31", 2)]


def test_strange_column_names_work(engine):
    names = ['a"b', "a.b", "select", "😀", '"; drop table answers; --', "row", "n"]
    survey = sat.Survey("s", [sat.Recommend(name) for name in names])
    frame = engine(pd.DataFrame({name: [1, 11, None] for name in names}))
    report = survey.check(frame)
    assert [(v.column, v.n_bad) for v in report.violations] == [(name, 1) for name in names]
    assert list(as_pandas(survey.prepare(frame, invalid="missing")).columns)[: len(names)] == names


def test_strange_names_of_respondents_waves_and_dates_are_only_names(engine):
    for name in ('a"b', "a.b", "select", "😀", "\n", '"; drop table answers; --', "key_0", "n_rows", "when"):
        roles = {"respondent": f"{name}id", "wave": f"{name}w", "date": f"{name}d"}
        survey = sat.Survey("s", [sat.Recommend(name)], **roles)
        frame = pd.DataFrame(
            {name: [1, 2, 3], roles["respondent"]: ["x", "x", "y"], roles["wave"]: [1, 1, 1]}
        )
        frame[roles["date"]] = ["2026-01-02", "2026-01-01", "2026-01-01"]
        (violation,) = survey.check(engine(frame)).violations
        assert (violation.column, violation.n_bad) == (f"{name}id", 1)
        assert sorted(as_pandas(survey.prepare(engine(frame), duplicates="last"))[name]) == [1, 3]


def test_the_largest_whole_numbers_are_off_the_scale_and_stay_amounts(engine):
    items = [sat.Rating("q", sat.Scale(1, 5), reverse=True), sat.Number("x")]
    survey = sat.Survey("s", items, missing_codes={99: "don't know", -9: "refused"})
    answers = pd.Series([2**64 - 1, 3, 99], dtype="uint64")
    frame = engine(pd.DataFrame({"q": answers, "x": answers}))
    assert [(v.column, v.rule, v.n_bad) for v in survey.check(frame).violations] == [("q", "1..5", 1)]
    prepared = as_pandas(survey.prepare(frame, invalid="missing"))
    assert [None if pd.isna(v) else v for v in prepared["q"]] == [None, 3, None]
    assert [float(v) for v in prepared["x"]] == [2.0**64, 3, 99]  # 99 is a possible amount
    steps = {(r["column"], r["step"], r["code"]): r["n"] for r in survey.preparation(frame).steps.rows()}
    assert steps["q", "missing code", "99"] == 1 and steps["q", "missing code", "-9"] == 0


def test_all_engines_name_the_same_rule_of_a_column_first(engine):
    survey = sat.Survey("s", [sat.Date("d", earliest=date(2020, 1, 1)), sat.Number("x", 0, 9, integer=True)])
    frame = pd.DataFrame({"d": ["2019-01-01", "2026-13-01", "2026-01-01"], "x": [0.5, 10, np.inf]})
    found = [(v.column, v.rule) for v in survey.check(engine(frame)).violations]
    dates = [("d", "ISO date"), ("d", "not before 2020-01-01")]
    assert found == [*dates, ("x", "finite"), ("x", "0..9"), ("x", "whole numbers")]


def test_lists_are_no_segments(engine):
    survey = sat.Survey("s", [sat.Recommend("nps")], segments=["g"])
    frame = pd.DataFrame({"nps": [1, 2], "g": [["a"], None]})
    (violation,) = survey.check(engine(frame)).violations
    assert (violation.column, violation.rule, violation.n_bad) == ("g", "one plain value", 1)


def test_empty_and_all_missing_frames_pass(engine):
    survey = sat.Survey("s", [sat.Recommend("nps")])
    assert survey.check(engine(pd.DataFrame({"nps": pd.Series([], dtype="float64")}))).n_rows == 0
    assert survey.check(engine(pd.DataFrame({"nps": pd.Series([None, None], dtype="float64")}))).ok


def test_report_can_be_redacted():
    report = SURVEY.check(ANSWERS)
    text = report.redacted().to_json()
    assert "toolong" not in text and "[redacted]" in text
    assert "toolong" in report.to_json()
    assert SURVEY.check(ANSWERS)._repr_html_().startswith("<div>")


def test_answer_takes_codes_and_labels_and_shows_no_answer_in_its_errors():
    answer = SURVEY.Answer(id=7, nps=9.0, q1="often", f=1, d=5, when="2026-03-31")  # type: ignore[call-arg]
    assert (answer.nps, answer.q1, answer.when) == (9, 4, date(2026, 3, 31))  # type: ignore[attr-defined]
    secret = "Jane Doe, +44 20 7946 0000"
    for payload in ({"id": 1, "why": secret}, {"id": 1, "nps": secret}, {"id": 1, secret: 1}, {"nps": 3}):
        with pytest.raises(ValueError) as caught:
            SURVEY.Answer.model_validate(payload)
        error: Any = caught.value
        if secret not in payload:
            assert (
                secret not in str(error) and secret not in error.json() and secret not in repr(error.errors())
            )
    with pytest.raises(ValueError, match="both or neither"):
        SURVEY.Answer(id=1, f=1)  # type: ignore[call-arg]
    assert SURVEY.Answer.model_validate_json('{"id": 1, "nps": 10}').nps == 10  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "text",
    [
        '{"id": 1, "nps": NaN}',
        '{"id": 1, "nps": Infinity}',
        '{"id": 1, "nps": 1e999}',
        '{"id": 1, "age": ' + "7" * 5000 + "}",
        '{"id": 1, "nps": 11, "nps": 1}',
        '{"id": 1, "why": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"id": 1, "why": "me@shop.example',
        b'{"id": 1, "why": "\xff"}',
        '{"id": 1, "nps": "9"}',
        '{"id": 1, "nps": true}',
        '{"id": [1], "nps": 1}',
        '{"id": {"a": 1}}',
    ],
    ids=range(12),
)
def test_json_of_an_answer_is_read_strictly_and_not_repeated_in_the_error(text):
    with pytest.raises(ValidationError) as caught:
        SURVEY.Answer.model_validate_json(text)
    shown = f"{caught.value} {caught.value.errors()} {caught.value.json()}"
    assert "shop.example" not in shown and "777" not in shown and len(shown) < 2000


def test_preparation_is_reported_alike_on_every_engine(engine):
    report = SURVEY.preparation(engine(ANSWERS))
    rows = {(r["column"], r["step"], r["code"]): r["n"] for r in report.steps.rows()}
    assert rows["id", "duplicate", None] == 1
    assert rows["nps", "missing code", "99"] == 1 and rows["f", "missing code", "99"] == 1
    assert rows["nps", "missing code", "-9"] == 0 and rows["q1", "label to code", None] == 3
    assert rows["nps", "invalid", None] == 2 and rows["q1", "turned round", None] == 5
    assert rows["reliable", "derived", None] == 5


@pytest.mark.filterwarnings("ignore")
def test_dask_partitions_add_up():
    dask = pytest.importorskip("dask.dataframe")
    report = SURVEY.check(dask.from_pandas(ANSWERS, npartitions=3))
    assert sorted((v.column, v.rule, v.n_bad) for v in report.violations) == sorted(w[:3] for w in WRONG)
    assert {v.column: v.offenders[0][0] for v in report.violations}["when"] == 3 or report.n_rows == 5
    prepared = SURVEY.prepare(
        dask.from_pandas(ANSWERS, npartitions=3), invalid="missing", duplicates="keep"
    ).compute()
    assert prepared["reliable"].tolist()[:2] == [-2, -1] and prepared["q1"][2] == 5


@pytest.mark.parametrize("dtype", ["string[python]", "string[pyarrow]", "category", object])
def test_every_text_type_of_pandas_is_checked_alike(dtype):
    texts = ["q1", "region", "why", "when"]
    report = SURVEY.check(ANSWERS.astype(dict.fromkeys(texts, dtype)))
    assert [(v.column, v.rule, v.n_bad) for v in report.violations] == [w[:3] for w in WRONG]


def test_wide_date_bounds_do_not_overflow(engine):
    survey = sat.Survey("s", [sat.Date("d", date(1, 1, 1), date(9999, 12, 31))])
    assert survey.check(engine(pd.DataFrame({"d": pd.to_datetime(["2026-01-01", None])}))).ok


def test_a_service_can_limit_the_rows(engine):
    frame = engine(pd.DataFrame({"nps": [1, 2, 3]}))
    survey = sat.Survey("s", [sat.Recommend("nps")])
    assert survey.check(frame, max_rows=3).ok
    for service in (
        survey.check,
        survey.prepare,
        survey.preparation,
        lambda f, max_rows: sat.careless(f, ["nps", "a", "b"], max_rows=max_rows),
        lambda f, max_rows: sat.missing_report(f, ["nps"], max_rows=max_rows),
        lambda f, max_rows: sat.impute(f, ["nps"], method="median", max_rows=max_rows),
        lambda f, max_rows: sat.outliers(f, ["nps"], max_rows=max_rows),
    ):
        with pytest.raises(sat.ArgumentError, match="3 rows; max_rows allows 2"):
            service(frame, max_rows=2)
        with pytest.raises(sat.ArgumentError, match="max_rows=-1"):
            service(frame, max_rows=-1)


def test_decimals_booleans_and_small_types_are_widened():
    import polars as pl

    survey = sat.Survey(
        "s",
        [sat.Rating("q", sat.Scale(1, 5), reverse=True), sat.MultiChoice("u", ["a"])],
        missing_codes={99: "dk"},
    )
    frame = pl.DataFrame({"q": pl.Series([1, 5, 99], dtype=pl.UInt8), "u_a": [True, False, None]})
    prepared = survey.prepare(frame)
    assert prepared["q"].to_list() == [5, 1, None] and prepared["u_a"].to_list() == [1, 0, None]
    decimals = pl.DataFrame({"q": [Decimal("1"), Decimal("2.5")], "u_a": [1, 0]})
    assert [v.rule for v in survey.check(decimals).violations] == ["whole numbers"]


def test_timestamps_with_and_without_a_time_zone_do_not_mix():
    survey = sat.Survey("s", [sat.Date("d")])
    mixed = pd.DataFrame(
        {"d": pd.Series([datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)], dtype=object)}
    )
    assert [(v.rule, v.n_bad) for v in survey.check(mixed).violations] == [("all or no time zones", 1)]
    assert survey.check(mixed[:1]).ok and survey.check(mixed[1:]).ok


def test_texts_of_times_with_and_without_an_offset_do_not_mix(engine):
    survey = sat.Survey("s", [sat.Date("d", earliest=date(2020, 1, 1))])

    def found(*days: str | None) -> list[tuple[str, int, Any]]:
        report = survey.check(engine(pd.DataFrame({"d": pd.Series(days, dtype=object)})))
        return sorted((v.rule, v.n_bad, v.offenders[0][1]) for v in report.violations)

    aware, naive, day = "2026-01-01T10:00:00+02:00", "2026-01-01 10:00", "2026-01-01"
    assert found(aware, naive, day, None, naive) == [("all or no time zones", 2, naive)]
    for fine in ([aware, day, "2026-01-01T08:00Z"], [naive, day], [aware], [naive], [day, None]):
        assert found(*fine) == []
    # what is no date, or too early, breaks one rule only
    assert found(aware, "2019-01-01T10:00", "2026-13-01T10:00") == [
        ("ISO date", 1, "2026-13-01T10:00"),
        ("not before 2020-01-01", 1, "2019-01-01T10:00"),
    ]


@pytest.mark.filterwarnings("ignore")
def test_times_with_and_without_an_offset_are_found_across_partitions():
    dask = pytest.importorskip("dask.dataframe")
    days = ["2026-01-01T10:00Z", "2026-01-01T10:00Z", "2026-01-01T10:00", "2026-01-01"]
    frame = dask.from_pandas(pd.DataFrame({"d": days}), npartitions=2)
    report = sat.Survey("s", [sat.Date("d")]).check(frame)
    assert [(v.rule, v.n_bad) for v in report.violations] == [("all or no time zones", 1)]


def test_a_date_that_does_not_exist_is_named_with_its_row(engine):
    survey = sat.Survey("s", [sat.Recommend("nps")], respondent="id", date="d")
    frame = engine(pd.DataFrame({"id": ["x", "y"], "nps": [1, 2], "d": ["2026-01-01", "2026-13-01"]}))
    with pytest.raises(sat.SchemaError, match=r"'2026-13-01' in row (1|'y')") as caught:
        survey.check(frame).raise_for_errors()
    assert (caught.value.column, caught.value.value) == ("d", "2026-13-01")


def test_times_without_an_offset_become_missing_only_beside_others_with_one(engine):
    survey = sat.Survey("s", [sat.Date("d")])

    def kept(*days: str) -> list[Any]:
        frame = survey.prepare(engine(pd.DataFrame({"d": pd.Series(days, dtype=object)})), invalid="missing")
        return [None if pd.isna(v) else v for v in as_pandas(frame)["d"]]

    aware, naive, day = "2026-01-01T10:00:00+02:00", "2026-01-01 10:00", "2026-01-01"
    assert kept(naive, day, "2026-13-01") == [naive, day, None]
    assert kept(aware, naive, day) == [aware, None, day]


@pytest.mark.filterwarnings("ignore")
def test_python_times_with_and_without_an_offset_are_found_across_partitions():
    dask = pytest.importorskip("dask.dataframe")
    times = [datetime(2026, 1, 1, tzinfo=UTC)] * 2 + [datetime(2026, 1, 1)] * 2
    frame = dask.from_pandas(pd.DataFrame({"d": pd.Series(times, dtype=object)}), npartitions=2)
    survey = sat.Survey("s", [sat.Date("d")])
    (violation,) = survey.check(frame).violations
    assert (violation.rule, violation.n_bad) == ("all or no time zones", 2)
    assert [row for row, _ in violation.offenders] == [2, 3]
    assert survey.check(frame.partitions[0]).ok and survey.check(frame.partitions[1]).ok
    assert survey.prepare(frame, invalid="missing").compute()["d"].isna().tolist() == [False] * 2 + [True] * 2


def test_one_moment_may_be_two_days():
    """Equal times in two time zones fall on different days: each is judged by its own."""
    early = datetime(2026, 1, 1, 1, tzinfo=UTC)
    late = early.astimezone(timezone(timedelta(hours=-5)))
    survey = sat.Survey("s", [sat.Date("d", latest=date(2025, 12, 31))])
    for times in ([early, late], [late, early]):
        report = survey.check(pd.DataFrame({"d": pd.Series(times, dtype=object)}))
        assert [v.offenders for v in report.violations] == [((0 if times[0] is early else 1, early),)]


def test_values_of_any_type_get_one_verdict_from_both_validators():
    values = [
        *(True, np.True_, Decimal("9"), Decimal("9.5"), Decimal("NaN"), Decimal("Infinity")),
        *(
            np.int8(3),
            np.float32(2.5),
            np.float64("nan"),
            10**400,
            -(10**400),
            1e308,
            2**53 + 1,
            complex(1, 2),
        ),
        *(
            "9",
            "often",
            "\ud800",
            b"9",
            [1],
            {"a": 1},
            (1,),
            {1},
            np.array([1]),
            pd.NaT,
            pd.NA,
            None,
            object(),
        ),
        *(
            date(2026, 1, 1),
            datetime(2026, 1, 1),
            datetime(2026, 1, 1, tzinfo=UTC),
            pd.Timestamp("2026-01-01"),
        ),
        *(np.datetime64("2026-01-01"), np.datetime64("NaT"), np.datetime64("30000-01-01")),
        *(np.timedelta64(1, "D"), timedelta(1), pd.Interval(0, 1), pd.Period("2026-01"), range(3), int),
    ]
    survey = sat.Survey(
        "s",
        [*SURVEY.items, sat.Number("any"), sat.Number("whole", integer=True), sat.Choice("c", {1: "one"})],
    )
    rules: dict[tuple[str, str], int] = {}
    for value in values:
        try:
            survey.Answer.model_validate(dict.fromkeys(survey.columns, value))
        except ValidationError as error:
            for found in error.errors():
                place = (str(found["loc"][0]), found["msg"].removeprefix("the rule is: "))
                rules[place] = rules.get(place, 0) + 1
    cells = np.empty(len(values), dtype=object)
    cells[:] = values
    frame = pd.DataFrame({c: cells for c in survey.columns})
    counted = {(v.column, v.rule): v.n_bad for v in survey.check(frame).violations}
    counted.pop(("when", "all or no time zones"))  # which no single answer can break
    assert counted == rules
    assert survey.check(survey.prepare(frame, invalid="missing")).ok
    assert survey.prepare(pd.DataFrame({c: [2**53 + 1] for c in frame}, dtype=object), invalid="missing")[
        "any"
    ].tolist() == [2**53 + 1]

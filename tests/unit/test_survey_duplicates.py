"""Several rows of one respondent: an error that names them, or the first or last by the declared date."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import satmodels as sat

SURVEY = sat.Survey("s", [sat.Recommend("nps")], respondent="id", date="day", missing_codes={99: "dk"})
ANSWERS = pd.DataFrame(
    {
        "id": ["a", "b", "a", None, "b", "c", None],
        "nps": [1, 2, 3, 4, 99, 6, 7],
        "day": pd.to_datetime(["2026-01-02", "2026-01-05", "2026-01-01", None, "2026-01-09", None, None]),
    }
)


def answers_of(frame: Any) -> list[Any]:
    for method in ("collect", "df", "to_pandas"):
        if hasattr(frame, method):
            frame = getattr(frame, method)()
    return sorted(None if pd.isna(v) else int(v) for v in frame["nps"] if not pd.isna(v))


def test_several_rows_of_a_respondent_are_an_error_with_their_key(engine):
    with pytest.raises(sat.SchemaError, match=r"one row per id.*duplicates=\"last\"") as caught:
        SURVEY.prepare(engine(ANSWERS))
    assert caught.value.column == "id" and caught.value.n_bad == 2 and caught.value.value in ("a", "b")
    assert answers_of(SURVEY.prepare(engine(ANSWERS), duplicates="keep")) == [1, 2, 3, 4, 6, 7]
    rows = {r["step"]: r["n"] for r in SURVEY.preparation(engine(ANSWERS)).steps.rows()}
    assert rows["duplicate"] == 2


def test_the_first_or_last_by_date_is_kept_and_twice_changes_nothing(engine):
    frame = engine(ANSWERS)
    for policy, expected in {"first": [2, 3, 4, 6, 7], "last": [1, 4, 6, 7]}.items():
        prepared = SURVEY.prepare(frame, duplicates=policy)  # type: ignore[arg-type]
        assert type(prepared) is type(frame)
        assert answers_of(prepared) == expected
        assert answers_of(SURVEY.prepare(prepared)) == expected
        assert answers_of(SURVEY.prepare(prepared, duplicates=policy)) == expected  # type: ignore[arg-type]


def test_rows_keep_their_order_and_index():
    frame = ANSWERS.set_index(pd.Index([5, 5, 1, 2, 9, 0, 7]))
    assert SURVEY.prepare(frame, duplicates="first").index.tolist() == [5, 1, 2, 0, 7]
    lazy = pytest.importorskip("polars").from_pandas(ANSWERS).lazy()
    assert SURVEY.prepare(lazy, duplicates="first").collect()["id"].to_list() == ["b", "a", None, "c", None]


def test_waves_are_kept_apart(engine):
    survey = SURVEY.model_copy(update={"wave": "wave"})
    frame = ANSWERS.assign(wave=["x", "x", "y", "x", "x", "x", "x"])
    assert answers_of(survey.prepare(engine(frame), duplicates="last")) == [1, 3, 4, 6, 7]
    frame.loc[0, "wave"] = None
    with pytest.raises(sat.SchemaError, match="wave"):
        survey.prepare(engine(frame), duplicates="last")


@pytest.mark.parametrize("days", [["2026-01-01", "2026-01-01"], ["2026-01-01", None]])
def test_an_order_that_decides_nothing_is_an_error(engine, days):
    frame = pd.DataFrame({"id": [1, 1], "nps": [1, 2], "day": pd.to_datetime(days)})
    with pytest.raises(sat.SchemaError, match="several rows of id 1") as caught:
        SURVEY.prepare(engine(frame), duplicates="last")
    assert caught.value.column == "day"


def test_texts_are_in_order_only_where_they_are_written_alike(engine):
    def kept(days: list[str | None]) -> list[Any]:
        frame = pd.DataFrame({"id": [1, 1, 2], "nps": [1, 2, 3], "day": days})
        return answers_of(SURVEY.prepare(engine(frame), duplicates="last"))

    assert kept(["2026-01-31", "2026-01-05", None]) == [1, 3]
    assert kept(["2026-01-01T10:00:00Z", "2026-01-01T11:30:00Z", "2026-01-01T10:00:00Z"]) == [2, 3]
    for mixed in (
        ["2026-01-01T10:00", "2026-01-01", "2026-01-01"],
        ["2026-01-01T10:00+02:00", "2026-01-01T09:30+01:00", "2026-01-01T09:30+01:00"],
        ["2026-01-01T10:00", "2026-01-01 11:00", None],
    ):
        with pytest.raises(sat.SchemaError, match="written in different ways"):
            kept(mixed)
    with pytest.raises(sat.SchemaError, match="2026-13-01") as caught:
        kept(["2026-13-01", "2026-01-01", None])
    assert caught.value.column == "day"


def test_what_can_not_be_asked_for():
    undated = sat.Survey("s", [sat.Recommend("nps")], respondent="id")
    with pytest.raises(sat.ArgumentError, match="date="):
        undated.prepare(ANSWERS, duplicates="first")
    with pytest.raises(sat.ArgumentError, match="duplicates"):
        SURVEY.prepare(ANSWERS, duplicates="any")  # type: ignore[arg-type]
    with pytest.raises(sat.SchemaError, match="'day'"):
        SURVEY.prepare(ANSWERS.drop(columns="day"), duplicates="first")


@pytest.mark.filterwarnings("ignore:.*narwhals-dask")
def test_dask_keeps_the_index_and_the_order_of_its_rows():
    dask = pytest.importorskip("dask.dataframe")
    frame = ANSWERS.set_index(pd.Index([10, 11, 12, 13, 14, 15, 16]))
    prepared = SURVEY.prepare(dask.from_pandas(frame, npartitions=3), duplicates="last")
    assert prepared.npartitions > 1
    assert prepared.compute().index.tolist() == [10, 13, 14, 15, 16]

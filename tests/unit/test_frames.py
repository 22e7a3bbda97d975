"""The door: what counts as a dataframe, and what an engine's failure looks like from outside."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import satmodels as sat
from satmodels.intake.batches import batches, matrix
from satmodels.intake.frames import open_frame
from satmodels.intake.library import FrameLibrary

FRAME = pd.DataFrame({"a": [1.0, 2.5, None, 4.0], "b": [1, 2, 3, 4]})


def test_matrix_is_the_same_on_every_engine(engine):
    found = matrix(open_frame(engine(FRAME)), ["b", "a"])
    np.testing.assert_array_equal(found, [[1, 1], [2, 2.5], [3, np.nan], [4, 4]])
    assert matrix(open_frame(engine(FRAME.head(0))), ["b", "a"]).shape == (0, 2)


@pytest.mark.parametrize("rows", [1, 3, 1000])
def test_batches_are_never_longer_than_asked(engine, rows):
    long = pd.DataFrame({"a": np.arange(2500.0)})
    sizes = [len(block) for block in batches(open_frame(engine(long)), ["a"], rows=rows)]
    assert sum(sizes) == 2500
    assert max(sizes) <= rows


def test_an_open_frame_passes_through():
    frame = open_frame(FRAME)
    assert open_frame(frame) is frame
    assert frame.columns == ("a", "b")
    assert frame.eager
    assert not open_frame(pl.LazyFrame({"a": [1]})).eager


def test_offenders_have_positions_where_rows_have_an_order(engine):
    frame = open_frame(engine(FRAME))
    found = frame.offenders("b", [2, 4])
    assert [value for _, value in found] == [2, 4]
    rows = [row for row, _ in found]
    assert rows == ([None, None] if frame.engine == "duckdb" else [1, 3])
    assert [r for r, _ in frame.offenders("b", [2, 4], id_column="a")][1] in (3, 4.0)
    assert frame.offenders("b", [77]) == []


def test_offenders_in_object_columns_are_found_by_type_too():
    frame = open_frame(pd.DataFrame({"x": [1, True, "1", None]}))
    assert frame.offenders("x", [True]) == [(1, True)]


@pytest.mark.parametrize(
    "index", [[3, 1, 2, 0], [5, 5, 5, 5], pd.MultiIndex.from_product([["x", "y"], [1, 2]])]
)
def test_pandas_index_means_nothing(index):
    frame = FRAME.set_axis(index, axis=0)
    assert sat.ScoreCounts.collect(frame, "a", "b") == sat.ScoreCounts.collect(FRAME, "a", "b")
    assert sat.Moments.collect(frame, ["a", "b"]).n == 3
    counts = sat.ScoreCounts.collect(frame, "a")
    with pytest.raises(sat.SchemaError) as caught:
        counts.check_range(0, 3, frame=open_frame(frame))
    assert caught.value.row == 1  # the position, not the label


def test_chunks_and_slices_of_arrow_tables():
    whole = pa.table({"a": pa.array([9, None, 8, 9, 1], pa.int8())})
    parts = pa.concat_tables([whole.slice(0, 1), whole.slice(0, 0), whole.slice(1, 3), whole.slice(4)])
    assert parts.column("a").num_chunks > 2
    assert sat.ScoreCounts.collect(parts, "a") == sat.ScoreCounts.collect(whole, "a")
    assert sat.ScoreCounts.collect(parts.slice(1, 3), "a").total == 2
    assert sat.Moments.collect(parts, ["a"]).mean[0] == pytest.approx(6.75)


@pytest.mark.parametrize(
    "data",
    [
        [9, None, 8],
        (9, float("nan"), 8),
        np.array([9, np.nan, 8]),
        pd.Series([9, None, 8]),
        pd.Series([9, None, 8], dtype="Int8"),
        pl.Series([9, None, 8]),
        pl.Series([9.0, float("nan"), 8.0]),
        pa.array([9, None, 8]),
        pa.chunked_array([[9], [None, 8]]),
    ],
)
def test_any_sequence_of_answers(data):
    counts = sat.ScoreCounts.collect(data)
    assert (counts.values, counts.n.tolist(), counts.n_missing.tolist()) == ((8.0, 9.0), [[1, 1]], [1])


def test_a_lazy_query_that_fails_says_so_and_keeps_the_cause():
    broken = pl.LazyFrame({"a": ["1", "x"]}).with_columns(pl.col("a").cast(pl.Int64))
    for call in (
        lambda: sat.ScoreCounts.collect(broken, "a"),
        lambda: sat.Moments.collect(broken, ["a"]),
        lambda: sat.ScoreCounts.collect(pl.LazyFrame({"a": [1]}).select("b"), "a"),
        lambda: sat.ScoreCounts.collect(pl.scan_parquet("no such file.parquet"), "a"),
    ):
        with pytest.raises(sat.EngineError, match="polars failed while") as caught:
            call()
        assert caught.value.engine == "polars"
        assert caught.value.__cause__ is not None


def test_a_duckdb_query_that_fails_says_so():
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect()
    broken = connection.sql("select cast(s as int) as a from (values ('1'), ('x')) t(s)")
    for call in (lambda: sat.ScoreCounts.collect(broken, "a"), lambda: sat.Moments.collect(broken, ["a"])):
        with pytest.raises(sat.EngineError, match="duckdb failed while"):
            call()
    assert connection.sql("select 1").fetchall() == [(1,)]  # the connection still works


def test_duckdb_can_be_asked_on_after_an_infinite_value():
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect()
    data = connection.sql(
        "select case when i = 199999 then 'inf'::double else i end as a from range(200000) t(i)"
    )
    with pytest.raises(sat.SchemaError) as caught:
        sat.Moments.collect(data, ["a"])
    assert caught.value.n_bad == 1
    assert sat.Moments.collect(connection.sql("select 1 as a"), ["a"]).n == 1


def test_object_columns_are_read_cell_by_cell():
    good = pd.DataFrame({"a": [9, None, 8.5]}, dtype=object)
    assert sat.Moments.collect(good, ["a"]).n == 2
    for bad, row in (([9, "10", 6], 1), ([9, True, 6], 1), ([9, [1], 6], 1), ([1, 2, 10**400], 2)):
        frame = pd.DataFrame({"a": pd.Series(bad, dtype=object)})
        for call in (
            lambda f=frame: sat.Moments.collect(f, ["a"]),
            lambda f=frame: sat.ScoreCounts.collect(f, "a"),
        ):
            with pytest.raises(sat.SchemaError) as caught:
                call()
            assert (caught.value.row, caught.value.value) == (row, bad[row])
    with pytest.raises(sat.SchemaError, match="finite"):
        sat.Moments.collect(pd.DataFrame({"a": [1, float("inf")]}, dtype=object), ["a"])
    for frame in (pd.DataFrame({"a": [1j]}),):
        with pytest.raises(sat.SchemaError):
            sat.Moments.collect(frame, ["a"])


@pytest.mark.parametrize("by", [3, None, 1.5])
def test_by_that_names_no_column(by):
    with pytest.raises(sat.ArgumentError, match="by= takes a text or a list"):
        sat.ScoreCounts.collect(FRAME, "a", by)


def test_segments_of_lists_are_refused():
    with pytest.raises(sat.ArgumentError, match="plain values"):
        sat.ScoreCounts.collect(pl.DataFrame({"a": [1, 2], "g": [[1], [2]]}), "a", "g")


@pytest.mark.parametrize("library", list(FrameLibrary))
def test_tables_come_back_with_their_types(library):
    built = library.build(
        {
            "g": ["a", None],
            "n": [1, 2],
            "x": [0.5, None],
            "none": [None, None],
            "b": [True, False],
            "mix": [1, 0.5],
        }
    )
    frame = built if isinstance(built, pd.DataFrame) else built.to_pandas()
    assert frame["n"].tolist() == [1, 2]
    assert frame["x"].isna().tolist() == [False, True]
    assert str(frame["x"].dtype) == "float64"
    assert str(frame["none"].dtype) == "float64"
    assert frame["b"].tolist() == [True, False]
    assert frame["mix"].tolist() == [1.0, 0.5]
    arrays = library.build({"i": np.arange(2), "o": np.array(["x", None], dtype=object)})
    assert len(arrays) == 2
    assert len(library.build({"a": [], "b": []})) == 0

"""Dask, Ibis and Spark: the same numbers and the same errors as pandas, from small frames in local mode."""

from __future__ import annotations

import os
import shutil
import sys

import numpy as np
import pandas as pd
import pytest

import satmodels as sat
from satmodels.intake.frames import open_frame

RNG = np.random.default_rng(1)
N = 400
FRAME = pd.DataFrame(
    {
        "nps": RNG.choice([*range(11), np.nan], N),
        "shop name": RNG.choice(["a", "b", None], N),
        "month": RNG.integers(0, 3, N),
        "w": RNG.gamma(2, 1, N),
        "x": RNG.normal(size=N) + 1e6,
        "day": pd.Timestamp("2026-01-01") + pd.to_timedelta(RNG.integers(0, 100, N), unit="D"),
        "customer": RNG.integers(0, 60, N),
        "f": RNG.integers(1, 6, N),
        "d": RNG.choice([1.0, 2.0, 5.0, np.nan], N),
    }
)


def dask_frame(frame):
    dask = pytest.importorskip("dask.dataframe")
    return dask.from_pandas(frame, npartitions=3)


def ibis_frame(frame):
    ibis = pytest.importorskip("ibis")
    import pyarrow as pa

    return ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))


@pytest.fixture(scope="module")
def spark():
    """One local session: one core, two partitions after a shuffle, nothing but loopback."""
    pyspark = pytest.importorskip("pyspark.sql")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "1",
        "spark.driver.memory": "1g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.session.timeZone": "UTC",
        "spark.python.worker.reuse": "true",
        "spark.log.level": "ERROR",
    }
    builder = pyspark.SparkSession.builder.master("local[1]").appName("tests")
    for name, value in settings.items():
        builder = builder.config(name, value)
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Spark needs Java, which is not on this machine")
    session = builder.getOrCreate()
    yield session
    session.stop()


def same_numbers(data):
    by = ("shop name", "month")
    ours, theirs = (sat.ScoreCounts.collect(d, "nps", by, "w") for d in (data, FRAME))
    assert (ours.keys, ours.values) == (theirs.keys, theirs.values)
    for name in ("n", "w", "w2", "n_missing", "w_missing"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-9)
    ours, theirs = (sat.Moments.collect(d, ["nps", "x"], "w") for d in (data, FRAME))
    assert (ours.n, ours.n_dropped) == (theirs.n, theirs.n_dropped)
    np.testing.assert_allclose(ours.cov, theirs.cov, rtol=1e-9)
    ours, theirs = (sat.PairCounts.collect(d, {"wifi": ("f", "d")}, "month") for d in (data, FRAME))
    assert ours == theirs


def same_customers(data):
    who = {"customer": "customer", "date": "day", "amount": "w", "as_of": "2026-06-01"}
    found, expected = sat.rfm(data, **who).customers, sat.rfm(FRAME, **who).customers
    found = found if isinstance(found, pd.DataFrame) else found.to_pandas()
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-9)


def same_errors(make):
    off = make(FRAME.assign(nps=[99.0] * 3 + FRAME["nps"].tolist()[3:]))
    counts = sat.ScoreCounts.collect(off, "nps")
    with pytest.raises(sat.SchemaError) as caught:
        counts.check_range(0, 10, frame=open_frame(off))
    assert (caught.value.column, caught.value.n_bad, caught.value.value, caught.value.row) == (
        "nps",
        3,
        99.0,
        None,
    )
    infinite = make(FRAME.assign(x=[np.inf] * 3 + FRAME["x"].tolist()[3:]))
    with pytest.raises(sat.SchemaError, match="finite") as caught:
        sat.Moments.collect(infinite, ["x", "w"])
    assert (caught.value.column, caught.value.n_bad) == ("x", 3)
    with pytest.raises(sat.SchemaError, match="at least 0") as caught:
        sat.ScoreCounts.collect(make(FRAME.assign(w=[-1.0] * 3 + FRAME["w"].tolist()[3:])), "nps", weight="w")
    assert (caught.value.column, caught.value.n_bad) == ("w", 3)
    data = make(FRAME)
    with pytest.raises(sat.SchemaError, match="not numbers"):
        sat.ScoreCounts.collect(data, "shop name")
    with pytest.raises(sat.ArgumentError, match="Did you mean 'nps'"):
        sat.ScoreCounts.collect(data, "nsp")


SURVEY = sat.Survey(
    "s",
    [
        sat.Recommend("nps"),
        sat.Rating("q", sat.Scale(1, 3, ["never", "often", "always"]), reverse=True),
        sat.Gap("gap", "e", "p"),
        sat.KanoPair("wifi", "f", "d"),
    ],
    respondent="id",
    date="day",
    missing_codes={99: "don't know"},
)
ANSWERS = pd.DataFrame(
    {
        "id": ["a", "b", "a", None, "b", "c", None],
        "nps": [1, 2, 3, 4, 99, 11, 7],
        "q": ["never", "often", None, "some", "always", "never", "always"],
        "e": [7.0, 7, 7, 7, 7, 7, 1],
        "p": [1, 2, 3, 4, 5, 6.5, None],
        "f": [1.0, None, 2, 5, 5, None, 3],
        "d": [5.0, 3, 4, 3, None, None, 3],
        "day": pd.to_datetime(["2026-01-02", "2026-01-05", "2026-01-01", None, "2026-01-09", None, None]),
    }
)


def as_pandas(frame):
    for method in ("compute", "toPandas", "execute", "to_pandas"):
        if hasattr(frame, method):
            frame = getattr(frame, method)()
    return frame


def same_survey(make, policies=("first", "last", "keep")):
    """Checking, preparing, and one row of each respondent, whatever the order and the partitions of the rows."""
    report, expected = SURVEY.check(make(ANSWERS)), SURVEY.check(ANSWERS)
    assert [(v.column, v.rule, v.n_bad) for v in report.violations] == [
        (v.column, v.rule, v.n_bad) for v in expected.violations
    ]
    steps = SURVEY.preparation(make(ANSWERS)).steps
    assert list(steps.rows()) == list(SURVEY.preparation(ANSWERS).steps.rows())
    frame = ANSWERS.assign(p=ANSWERS["p"].replace(6.5, 6), nps=ANSWERS["nps"].replace(11, 6))
    with pytest.raises(sat.SchemaError, match=r"duplicates=\"last\"") as caught:
        SURVEY.prepare(make(frame))
    assert (caught.value.rule, caught.value.n_bad) == ("one row per id", 2)
    waves = SURVEY.model_copy(update={"wave": "wave"})
    surveys = ((SURVEY, frame), (waves, frame.assign(wave=list("xxyxxxx"))))
    for survey, data in surveys[: len(policies)]:
        for policy in policies:
            found, expected = (
                as_pandas(survey.prepare(d, invalid="missing", duplicates=policy)).sort_values(
                    ["e", "p", "nps"]
                )
                for d in (make(data), data)
            )
            assert list(found.columns) == list(expected.columns)
            for column in ("id", "nps", "q", "gap", "f", "d"):
                values, wanted = ([None if pd.isna(v) else v for v in d[column]] for d in (found, expected))
                assert values == wanted, (policy, column)
    undecided = (["2026-01-01", "2026-01-01"], ["2026-01-01", None], ["2026-01-01", "2026-01-01T10:00"])
    for days in undecided[: len(policies)]:
        undated = frame[:3:2].assign(day=days)
        with pytest.raises(sat.SchemaError) as caught:
            SURVEY.prepare(make(undated), invalid="missing", duplicates="last")
        assert caught.value.column == "day"


def same_row_limit(data):
    with sat.limit_rows(N - 1), pytest.raises(sat.ArgumentError, match=f"{N} rows; max_rows allows {N - 1}"):
        sat.nps(data, "nps")
    with sat.limit_rows(N):
        assert sat.nps(data, "nps").n == FRAME["nps"].count()


def same_indexes_and_waits(make):
    """Sums of composites with products of answers, and waiting times of each month."""
    answers = FRAME.assign(d=FRAME["d"].fillna(3), outcome=FRAME["f"] + FRAME["month"])
    answers["done"] = answers["day"] + pd.to_timedelta(answers["customer"] * 5000.5, unit="s")
    answers.loc[::9, "done"] = pd.NaT
    found = []
    for data in (make(answers), answers):
        drivers = sat.key_drivers(data, "outcome", ["f", "d"], interval="none")
        index = sat.csi(data, ["f", "d"], weights=drivers, scale=(1, 5), by="month", weight=None)
        gaps = sat.servqual(data, {"x": [("f", "d")]}, scale=(1, 5), by="month", weight="w")
        waits = sat.kpis(data, opened="day", resolved="done", by=sat.Period("day", "month"))
        found.append((index, gaps.dimension("x"), waits))
    for ours, theirs in zip(*found, strict=True):
        for name in ("estimate", "conf_low", "conf_high", "n"):
            ours_, theirs_ = (np.array(r.table[name], dtype=float) for r in (ours, theirs))
            np.testing.assert_allclose(ours_, theirs_, rtol=1e-9)
    assert "carries the uncertainty" in found[0][0].notes[-1]


@pytest.mark.parametrize("make", [dask_frame, ibis_frame])
def test_dask_and_ibis(make):
    data = make(FRAME)
    same_numbers(data)
    same_indexes_and_waits(make)
    same_customers(data)
    same_errors(make)
    same_row_limit(data)
    same_survey(make)


def test_dask_counts_by_text_and_categories():
    frame = FRAME.assign(grade=pd.Categorical(FRAME["month"].map(str), ordered=True))
    data = dask_frame(frame)
    for by in ("shop name", "grade", ("grade", "shop name", "month")):
        ours, theirs = (sat.ScoreCounts.collect(d, "nps", by, "w") for d in (data, frame))
        assert (ours.keys, ours.values) == (theirs.keys, theirs.values)
        np.testing.assert_allclose(ours.w2, theirs.w2, rtol=1e-9)


def test_dask_with_one_name_for_two_columns():
    data = dask_frame(pd.DataFrame([[1, 2]] * 3, columns=["nps", "nps"]))
    with pytest.raises(sat.ArgumentError, match=r"two columns bear the same name: \['nps'\]"):
        SURVEY.check(data)


def test_dask_with_empty_partitions():
    data = dask_frame(FRAME).map_partitions(lambda part: part[part.index < 100])
    few = FRAME[:100]
    assert sat.ScoreCounts.collect(data, "nps", "month") == sat.ScoreCounts.collect(few, "nps", "month")
    np.testing.assert_allclose(
        sat.Moments.collect(data, ["x"]).cov, sat.Moments.collect(few, ["x"]).cov, rtol=1e-9
    )


@pytest.mark.xdist_group("spark")
def test_spark(spark):
    import pyarrow as pa

    def make(frame):
        return spark.createDataFrame(pa.Table.from_pandas(frame, preserve_index=False))

    data = make(FRAME).repartition(2)
    same_numbers(data)
    same_customers(data)
    same_errors(make)
    same_survey(make, policies=("last",))  # a query of Spark takes a second
    with pytest.raises(sat.EngineError, match="Rename"):
        sat.ScoreCounts.collect(data.withColumnRenamed("nps", "n.p.s"), "n.p.s")
    dotted = sat.Survey("s", [sat.Recommend("n.p.s")])
    for method in (dotted.check, dotted.prepare, dotted.preparation):
        with pytest.raises(sat.EngineError, match="Rename"):
            method(data.withColumnRenamed("nps", "n.p.s"))


@pytest.mark.xdist_group("spark")
def test_spark_sends_sums_not_rows(spark):
    """A million rows made in the executor: the driver's memory must not grow by a third of them."""
    resource = pytest.importorskip("resource")
    rows = 1_000_000
    data = spark.range(rows, numPartitions=2).selectExpr(
        *(f"cast((id * {k}) % 11 as double) as q{k}" for k in range(1, 5))
    )
    names = [f"q{k}" for k in range(1, 5)]
    sat.Moments.collect(data.limit(100), names)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = sat.Moments.collect(data, names)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert (found.n, found.mean.round(3).tolist()) == (rows, [5.0] * 4)
    assert grown < rows * 4 * 8 / 3
